//! How well nodes told who is down, and what it cost: what operations are to other systems.

use history::DetectionSummary;
use history::figures::{counted, grouped, measured, percent, rate};

/// A line of crashes, one of mistakes, and one of what both come to.
pub(super) fn lines(found: &DetectionSummary) -> [String; 3] {
    let crashes = if found.crashes == 1 { "crash" } else { "crashes" };
    let crashes = format!("{} {crashes} found, {} missed", grouped(found.crashes), grouped(found.missed));
    let time = found.time.map(|time| {
        let [p50, p99, max] = [time.p50_ns, time.p99_ns, time.max_ns].map(measured);
        format!("   p50 {p50}, p99 {p99}, max {max}")
    });
    let (mistakes, healthy) = (counted(found.mistakes, "mistake"), grouped(found.mistakes_of_healthy));
    let often = found.mistakes_per_pair_hour.map(|often| format!("   {} an hour of a pair", rate(often)));
    let long = found.mistake_duration_ns.map(|mean| format!(", {} on average", measured(mean)));
    let accuracy = found.query_accuracy.map(|share| format!("query accuracy {}   ", percent(share)));
    let [time, often, long, accuracy] = [time, often, long, accuracy].map(Option::unwrap_or_default);
    [
        format!("watched {}   {crashes}{time}", counted(found.pairs, "pair")),
        format!("        {mistakes}, {healthy} about healthy nodes{often}{long}"),
        format!("        {accuracy}{} messages a node and second", rate(found.messages_per_node_second)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::LatencySummary;

    #[test]
    fn what_was_not_seen_is_not_told() {
        let found = DetectionSummary {
            pairs: 90,
            crashes: 13,
            time: Some(LatencySummary { p50_ns: 9_120_000, p99_ns: 12_000_000, max_ns: 13_000_000 }),
            missed: 2,
            mistakes: 1,
            mistakes_of_healthy: 0,
            mistakes_per_pair_hour: Some(0.344),
            mistake_duration_ns: Some(160_000_000),
            query_accuracy: Some(0.9998),
            messages_per_node_second: 89.94,
        };
        let told = [
            "watched 90 pairs   13 crashes found, 2 missed   p50 9.12ms, p99 12ms, max 13ms",
            "        1 mistake, 0 about healthy nodes   0.34 an hour of a pair, 160ms on average",
            "        query accuracy 99.98 %   89.9 messages a node and second",
        ];
        assert_eq!(lines(&found), told);
        let blind = DetectionSummary {
            crashes: 1,
            time: None,
            mistakes: 0,
            mistakes_per_pair_hour: None,
            mistake_duration_ns: None,
            query_accuracy: None,
            ..found
        };
        let told = [
            "watched 90 pairs   1 crash found, 2 missed",
            "        0 mistakes, 0 about healthy nodes",
            "        89.9 messages a node and second",
        ];
        assert_eq!(lines(&blind), told);
    }
}
