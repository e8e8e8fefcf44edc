//! A log for ShiViz (Beschastnikh et al., *Visualizing Distributed System Executions*, TOSEM 2020): every event with the vector
//! clock of its host (Fidge 1988, Mattern 1989), from which it draws who can have known of what.
//!
//! A host counts its own events; what it sends carries its clock; whoever receives that knows from then on what the sender
//! knew. ShiViz orders a picture by clocks alone and never by time. That is why faults are not in it: no clock ties them to
//! anything, and it would draw them wherever there is room. What they do to machines is: crashes, starts, messages that
//! nobody receives.
//!
//! A file begins, as ShiViz wants it, with a line that holds the regular expression by which it is read, and an empty one (one
//! file is one run). The expression that its page offers by itself fits too.

use super::Export;
use serde_json::json;
use sim_core::trace::{Row, What};
use std::collections::BTreeMap;

/// By which ShiViz reads the log.
pub const EXPRESSION: &str = r"(?<time>\S+) (?<event>.*)\n(?<host>\S+) (?<clock>\{.*\})";

/// By host: of how many of its events one can have known.
type Clock = BTreeMap<String, u64>;

#[derive(Default)]
pub(super) struct Shiviz {
    has_begun: bool,
    clocks: BTreeMap<String, Clock>,
    /// What was known where a message was sent, by its number, until its last copy has come to its end.
    under_way: BTreeMap<u64, Clock>,
}

impl Export for Shiviz {
    fn row(&mut self, row: &Row, out: &mut Vec<u8>) {
        if !self.has_begun {
            self.has_begun = true;
            out.extend(format!("{EXPRESSION}\n\n").bytes());
        }
        let carried = row.letter.and_then(|letter| match (row.what, letter.under_way) {
            (What::Sent, _) => None,
            (_, 0) => self.under_way.remove(&letter.number),
            (_, _) => self.under_way.get(&letter.number).cloned(),
        });
        let Some((host, event)) = event(row) else { return };
        let clock = self.clocks.entry(host.to_owned()).or_default();
        for (other, known) in carried.into_iter().flatten() {
            let own = clock.entry(other).or_default();
            *own = known.max(*own);
        }
        *clock.entry(host.to_owned()).or_default() += 1;
        if let (What::Sent, Some(letter)) = (row.what, row.letter) {
            self.under_way.insert(letter.number, clock.clone());
        }
        let seconds = format!("{}.{:09}s", row.at / 1_000_000_000, row.at % 1_000_000_000);
        let event = event.replace(['\n', '\r'], " ");
        out.extend(format!("{seconds} {event}\n{host} {}\n", json!(clock)).bytes());
    }
}

/// Where it happened, and what, if it happened to a process.
fn event(row: &Row) -> Option<(&str, String)> {
    let Row { from, to, text, .. } = row;
    match row.what {
        What::Sent => Some((from, format!("to {to}: {text}"))),
        What::Message | What::Request | What::Reply => Some((to, format!("from {from}: {text}"))),
        What::Timer | What::OnDisk | What::Admin => Some((to, format!("{}: {text}", row.what.name()))),
        What::Opinion => Some((from, format!("{to} {text}"))),
        What::Start | What::Crash | What::Role | What::Recovery => Some((from, format!("{}: {text}", row.what.name()))),
        What::Lost | What::Corrupt | What::Flush | What::Fault | What::Heal => None,
    }
}
