//! The numbers of a run, one a card.

use super::Page;
use crate::words::{count, counted, percent, rate, time};
use history::{Availability, DetectionSummary, OperationCounts, Outage, Who};
use maud::{Markup, html};

struct Card {
    value: String,
    name: &'static str,
    /// A line each.
    more: Vec<String>,
}

impl Page<'_> {
    pub(super) fn cards(&self) -> Markup {
        match (self.record.operations, &self.record.detection) {
            (Some(operations), _) => drawn(self.of_operations(operations)),
            (None, Some(found)) => drawn(of_detection(found)),
            (None, None) => html! {
                p.lead.muted { "This system has no clients, so there is nothing to count of what they were served." }
            },
        }
    }

    fn of_operations(&self, operations: OperationCounts) -> Vec<Card> {
        let (ok, unknown, refused) = (count(operations.ok), count(operations.unknown), count(operations.refused));
        let operations = Card {
            value: ok,
            name: "operations ok",
            more: vec![format!("{unknown} unknown"), format!("{refused} refused")],
        };
        let cards =
            [self.achieved(), self.possible(), Some(self.lost()), self.recovery(), self.latency(), Some(operations)];
        cards.into_iter().flatten().collect()
    }

    fn achieved(&self) -> Option<Card> {
        let achieved = self.record.availability?.achieved;
        Some(Card { value: percent(achieved), name: "availability", more: vec![nines(achieved)] })
    }

    fn possible(&self) -> Option<Card> {
        let availability = self.record.availability?;
        Some(Card { value: percent(availability.possible), name: "best possible", more: vec![missed(availability)] })
    }

    fn lost(&self) -> Card {
        let outages = &self.record.outages;
        let sum = |length: fn(&Outage) -> u64| outages.iter().map(length).fold(0u64, u64::saturating_add);
        let (total, avoidable) = (sum(Outage::length_ns), sum(|outage| outage.avoidable_ns));
        let more = match outages.len() {
            0 => vec!["everybody was served".to_owned()],
            _ => vec![format!("{} in total", time(total)), format!("{} avoidable", time(avoidable))],
        };
        Card { value: count(outages.len() as u64), name: if outages.len() == 1 { "outage" } else { "outages" }, more }
    }

    /// Of outages of everybody; where some were served, nobody had to recover.
    fn recovery(&self) -> Option<Card> {
        let whole = self.record.outages.iter().filter(|outage| outage.who == Who::All);
        let lengths: Vec<u64> = whole.map(Outage::length_ns).collect();
        let longest = *lengths.iter().max()?;
        let total: u128 = lengths.iter().map(|length| u128::from(*length)).sum();
        let mean = (total / lengths.len() as u128) as u64;
        let more = vec![format!("mean of {}", count(lengths.len() as u64)), format!("longest {}", time(longest))];
        Some(Card { value: time(mean), name: "time to recover", more })
    }

    fn latency(&self) -> Option<Card> {
        let latency = self.record.latency?;
        let more = vec![format!("p50 {}", time(latency.p50_ns)), format!("max {}", time(latency.max_ns))];
        Some(Card { value: time(latency.p99_ns), name: "p99 latency", more })
    }
}

fn drawn(cards: Vec<Card>) -> Markup {
    html! {
        dl.cards {
            @for Card { value, name, more } in cards {
                div.card {
                    dt { (name) }
                    dd.value { (value) }
                    @for line in more { dd.more { (line) } }
                }
            }
        }
    }
}

/// Of a system whose nodes watch each other.
fn of_detection(found: &DetectionSummary) -> Vec<Card> {
    let detection = found.time.map(|took| Card {
        value: time(took.p99_ns),
        name: "p99 detection time",
        more: vec![format!("p50 {}", time(took.p50_ns)), format!("max {}", time(took.max_ns))],
    });
    let crashes = Card {
        value: count(found.crashes),
        name: if found.crashes == 1 { "crash found" } else { "crashes found" },
        more: vec![format!("{} missed", count(found.missed)), format!("{} watched", counted(found.pairs, "pair"))],
    };
    let often = found.mistakes_per_pair_hour.map(|often| format!("{} an hour of a pair", rate(often)));
    let about = format!("{} about healthy", count(found.mistakes_of_healthy));
    let mistakes = Card {
        value: count(found.mistakes),
        name: if found.mistakes == 1 { "mistake" } else { "mistakes" },
        more: [about].into_iter().chain(often).collect(),
    };
    let duration = found.mistake_duration_ns.map(|mean| Card {
        value: time(mean),
        name: "mistake duration",
        more: vec!["mean of corrected".to_owned()],
    });
    let accuracy = found.query_accuracy.map(|share| Card {
        value: percent(share),
        name: "query accuracy",
        more: vec!["of time both up".to_owned()],
    });
    let messages = Card {
        value: rate(found.messages_per_node_second),
        name: "messages",
        more: vec!["a node and second".to_owned()],
    };
    [detection, Some(crashes), Some(mistakes), duration, accuracy, Some(messages)].into_iter().flatten().collect()
}

/// How far it fell short of what was possible: the difference of what stands on the two cards, each rounded down.
fn missed(availability: Availability) -> String {
    let shown = |share: f64| libm::floor(share.clamp(0.0, 1.0) * 10_000.0);
    let gap = (shown(availability.possible) - shown(availability.achieved)) / 10_000.0;
    // Half of the last figure, since what is a little less than the difference would be rounded down once more.
    if gap > 0.0 { format!("{} missed", percent(gap + 0.000_05)) } else { "reached".to_owned() }
}

/// How many nines an availability has: 0.999 has 3.
fn nines(share: f64) -> String {
    if share >= 1.0 {
        return "nothing was missed".to_owned();
    }
    if share < 0.9 {
        return "less than one nine".to_owned();
    }
    // Rounded down, as the share is.
    let tenths = -libm::log10((1.0 - share).max(f64::MIN_POSITIVE)) * 10.0;
    let tenths = libm::floor(tenths + 1e-9) as u64;
    format!("{}.{} nines", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nines_are_counted_down() {
        let told = [0.0, 0.9, 0.9712, 0.999, 0.999_99, 1.0, 7.0].map(nines);
        let (none, all) = ("less than one nine", "nothing was missed");
        assert_eq!(told, [none, "1.0 nines", "1.5 nines", "3.0 nines", "5.0 nines", all, all]);
    }

    #[test]
    fn what_was_missed_is_what_one_sees_on_the_cards() {
        let told = |achieved, possible| missed(Availability { achieved, possible });
        assert_eq!(told(0.986_19, 0.989_61), "0.35\u{202f}% missed");
        assert_eq!([told(0.986_11, 0.986_19), told(1.0, 0.5), told(f64::NAN, 0.5)], ["reached", "reached", "reached"]);
    }
}
