//! Outages: when nobody was served although somebody waited.
//!
//! Two successes of any clients enclose a gap. It is an outage if some operation waited in it for long, a tenth of its
//! patience or more: so the pauses of a load that asks for little are none, and neither is the usual time that an
//! operation takes. The part of an outage in which some waiting operation *could* have been served, by some protocol of
//! this kind over the links that were live, was avoidable.

use crate::execute::{Finished, OpFact, SLOW_SHARE};
use crate::plan::Plan;
use history::{Outage, Purpose};
use sim_core::time::Nanos;

/// The outages of a run, in order. `end` is when the load ended; one that lasts beyond it ends with the next success.
pub fn outages(plan: &Plan, finished: &Finished, end: Nanos) -> Vec<Outage> {
    let ops: Vec<&OpFact> = finished.facts.iter().filter(|op| op.purpose == Purpose::Load).collect();
    let Some(first) = ops.iter().map(|op| op.invoked).min() else { return Vec::new() };
    let mut marks: Vec<Nanos> = ops.iter().filter_map(|op| op.served).collect();
    marks.push(first);
    // Final reads are successes too.
    let back = finished.facts.iter().filter_map(|op| op.served).filter(|served| *served >= end).min();
    marks.push(back.unwrap_or(end).max(first));
    marks.sort_unstable();
    let gaps = marks.windows(2).map(|pair| (pair[0], pair[1])).filter(|(from, to)| to > from && *from < end);
    // Operations by invocation: those that can have waited in a gap began before it ended.
    let longest = ops.iter().map(|op| op.deadline - op.invoked).max().unwrap_or(0);
    let shortest = ops.iter().map(|op| op.deadline - op.invoked).min().unwrap_or(0);
    let outage = |(from, to): (Nanos, Nanos)| {
        if to - from < shortest / SLOW_SHARE {
            return None;
        }
        let begin = ops.partition_point(|op| op.invoked < from.saturating_sub(longest));
        let after = ops.partition_point(|op| op.invoked < to);
        let waited = |op: &&&OpFact| {
            let waited = op.waited_until().min(to).saturating_sub(op.invoked.max(from));
            waited > 0 && waited * SLOW_SHARE >= op.deadline - op.invoked
        };
        let waiting: Vec<&OpFact> = ops[begin..after].iter().filter(waited).copied().collect();
        if waiting.is_empty() {
            return None;
        }
        let avoidable_ns = covered(waiting.iter().flat_map(|op| &op.possible), from, to);
        let missed = waiting.iter().filter(|op| op.served.is_none()).count() as u64;
        let cause = cause(plan, finished, from, to, avoidable_ns);
        Some(Outage { from_ns: from, to_ns: to, cause, avoidable_ns, missed })
    };
    gaps.filter_map(outage).collect()
}

/// How much of `from..to` the spans cover together.
fn covered<'a>(spans: impl Iterator<Item = &'a (Nanos, Nanos)>, from: Nanos, to: Nanos) -> Nanos {
    let mut spans: Vec<(Nanos, Nanos)> = spans.map(|(begin, end)| ((*begin).max(from), (*end).min(to))).collect();
    spans.sort_unstable();
    let (mut total, mut reached) = (0, from);
    for (begin, end) in spans {
        let begin = begin.max(reached);
        if end > begin {
            total += end - begin;
            reached = end;
        }
    }
    total
}

fn cause(plan: &Plan, finished: &Finished, from: Nanos, to: Nanos, avoidable: Nanos) -> String {
    let struck = finished.strikes.iter().filter(|strike| strike.from < to && strike.to > from);
    let mut faults: Vec<&str> = struck.map(|strike| &*plan.faults[strike.fault].name).collect();
    faults.dedup();
    let during =
        if faults.is_empty() { "no fault in force".to_owned() } else { format!("during {}", faults.join(", ")) };
    let could = match avoidable {
        0 => "nobody could have served",
        all if all == to - from => "a protocol of this kind could have served",
        _ => "for a part of it, a protocol of this kind could have served",
    };
    format!("{during}: {could}")
}

#[cfg(test)]
mod tests {
    use super::covered;

    #[test]
    fn overlapping_spans_count_once_and_are_clipped() {
        let spans = [(0, 10), (5, 15), (20, 30), (40, 50)];
        assert_eq!(covered(spans.iter(), 8, 25), 7 + 5);
        assert_eq!(covered([].iter(), 0, 9), 0);
    }
}
