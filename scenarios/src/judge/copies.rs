//! Whether a store that lets its copies differ makes them the same again, and how far its clients saw them differ.
//!
//! Copies are compared at every tenth of a second after everything has healed, as nodes themselves reveal them
//! ([`sim_core::holding`]). So times are rounded up to that.

use super::{Judge, Ruling};
use crate::convergence::Convergence;
use checkers::{Model, Staleness};
use history::figures::{counted, grouped, measured, percent};
use history::{History, Purpose, Value, Verdict};
use sim_core::dice::Ratio;
use sim_core::holding::{Difference, Kept};
use sim_core::time::{Nanos, format_duration};

impl Judge<'_> {
    pub(super) fn converged(&self, within: Option<Nanos>) -> Ruling {
        let Some(convergence) = &self.finished.convergence else { return nothing_revealed() };
        if convergence.keys == 0 {
            return Ruling::new(Verdict::Vacuous, "no node kept anything");
        }
        let keys = counted(convergence.keys, "key");
        match convergence.after {
            Some(after) => {
                let detail = format!("{keys}, alike at all home nodes {} after everything healed", measured(after));
                Ruling::decided(within.is_none_or(|within| after <= within), detail)
            }
            None => self.not_by_the_end(within, differing(convergence, &keys)),
        }
    }

    pub(super) fn hints_delivered(&self, within: Option<Nanos>) -> Ruling {
        let Some(convergence) = &self.finished.convergence else { return nothing_revealed() };
        if convergence.hints_made == 0 {
            return Ruling::new(Verdict::Vacuous, "nobody kept anything for others");
        }
        match convergence.hints_after {
            Some(after) => {
                let detail = format!(
                    "{}, none left {} after everything healed",
                    counted(convergence.hints_made, "hint"),
                    measured(after)
                );
                Ruling::decided(within.is_none_or(|within| after <= within), detail)
            }
            None => self.not_by_the_end(within, format!("{} left", counted(convergence.hints, "hint"))),
        }
    }

    /// It had not come about when the run ended. Was that too soon?
    fn not_by_the_end(&self, within: Option<Nanos>, what: String) -> Ruling {
        let settle = self.scenario.settle;
        let asked = within.unwrap_or(0);
        if settle == 0 || settle < asked {
            let detail = format!("{what}; but the run ended {} after everything healed", format_duration(settle));
            return Ruling::new(Verdict::Vacuous, detail);
        }
        Ruling::new(Verdict::Fail, format!("{what}, {} after everything healed", format_duration(settle)))
    }

    /// What final reads missed or found again says nothing if they met copies that became alike only later.
    pub(super) fn unless_read_too_soon(&self, ruling: Ruling) -> Ruling {
        let reads = self.finished.facts.iter().filter(|op| op.purpose == Purpose::FinalRead);
        let read = reads.map(|op| op.invoked).min().unwrap_or(0).saturating_sub(self.scenario.duration);
        let alike = self.finished.convergence.as_ref().and_then(|convergence| convergence.after);
        match alike.filter(|alike| ruling.verdict == Verdict::Fail && *alike > read) {
            Some(alike) => {
                let (read, alike) = (measured(read), measured(alike));
                let detail =
                    format!("read {read} after everything healed, copies alike after {alike}: `settle` is too short");
                Ruling::new(Verdict::Vacuous, detail)
            }
            None => ruling,
        }
    }

    pub(super) fn siblings(&self, at_most: u64) -> Ruling {
        let Some(found) = checkers::most_siblings(&self.finished.history) else {
            return Ruling::new(Verdict::Vacuous, "no read returned anything");
        };
        let detail = format!("{} at {}   ({})", grouped(found.most), found.key, counted(found.reads, "read"));
        Ruling::decided(found.most <= at_most, detail)
    }

    /// Of the load only: what is read after everything healed is no measure of what clients saw.
    pub(super) fn stale_reads(&self, at_most: Ratio) -> Ruling {
        let Some(model) = self.model() else { return Ruling::new(Verdict::Vacuous, "no load, no operations") };
        let mut history: History = self.finished.history.clone();
        history.operations.retain(|operation| operation.purpose == Purpose::Load);
        stale_reads(&history, model, at_most)
    }
}

fn nothing_revealed() -> Ruling {
    Ruling::new(Verdict::Vacuous, "nothing healed, or no node reveals what it keeps")
}

fn stale_reads(history: &History, model: Model, at_most: Ratio) -> Ruling {
    let found = match checkers::staleness(history, model, &Value::Nil) {
        Ok(found) => found,
        Err(unfit) => panic!("a history of our own does not fit its model: {unfit}"),
    };
    let Staleness { reads, stale, .. } = found;
    if reads == 0 {
        return Ruling::new(Verdict::Vacuous, "nothing was read of which anybody can tell how old it was");
    }
    let few = u128::from(stale) * u128::from(at_most.denominator) <= u128::from(reads) * u128::from(at_most.numerator);
    let share = format!("{} of {}, {}", grouped(stale), counted(reads, "read"), percent(stale as f64 / reads as f64));
    if stale == 0 {
        return Ruling::decided(few, share);
    }
    let versions = (found.versions_p50, found.versions_p99, counted(found.versions_max, "version"));
    let times = [found.nanos_p50, found.nanos_p99, found.nanos_max].map(measured);
    let lag = format!(
        "behind by p50 {}, p99 {}, max {}, and by p50 {}, p99 {}, max {}",
        versions.0, versions.1, versions.2, times[0], times[1], times[2]
    );
    Ruling::decided(few, format!("{share}   ({lag})"))
}

/// `2 of 9 keys differ: k3 (n1 a, n2 b, n4 nothing), k5 (…)`.
fn differing(convergence: &Convergence, keys: &str) -> String {
    let shown: Vec<String> = convergence.differences.iter().map(difference).collect();
    let more = if convergence.differing > shown.len() as u64 { ", …" } else { "" };
    format!("{} of {keys} differ: {}{more}", grouped(convergence.differing), shown.join(", "))
}

fn difference(Difference { key, kept }: &Difference) -> String {
    // What is the same has the same letter.
    let mut digests: Vec<u64> = Vec::new();
    let mut letter = |digest: u64| {
        let at = digests.iter().position(|known| *known == digest).unwrap_or_else(|| {
            digests.push(digest);
            digests.len() - 1
        });
        char::from(b'a' + at.min(25) as u8).to_string()
    };
    let kept = kept.iter().map(|(node, kept)| match kept {
        Kept::This(digest) => format!("{node} {}", letter(*digest)),
        Kept::Nothing => format!("{node} nothing"),
        Kept::Unknown => format!("{node} down"),
    });
    format!("k{key} ({})", kept.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::{Completion, Mark, Operation, Outcome};
    use sim_core::protocol::NodeId;

    #[test]
    fn what_differs_is_told_by_letters() {
        let kept = vec![
            (NodeId(0), Kept::This(9)),
            (NodeId(1), Kept::This(4)),
            (NodeId(2), Kept::This(9)),
            (NodeId(3), Kept::Nothing),
            (NodeId(4), Kept::Unknown),
        ];
        let differences = vec![Difference { key: 3, kept }];
        let convergence = Convergence { differing: 2, differences, ..Convergence::default() };
        assert_eq!(
            differing(&convergence, "9 keys"),
            "2 of 9 keys differ: k3 (n1 a, n2 b, n3 a, n4 nothing, n5 down), …"
        );
    }

    #[test]
    fn stale_reads_are_a_share_of_all() {
        let operation = |(at, (f, value)): (u64, (&'static str, i64))| Operation {
            process: at,
            f: f.into(),
            input: if f == "read" { Value::Nil } else { value.into() },
            invoked: Mark { index: 2 * at, time: 2_000_000 * at },
            completed: Some(Mark { index: 2 * at + 1, time: 2_000_000 * at + 1_000_000 }),
            outcome: Outcome::Returned(Completion::Ok(value.into())),
            purpose: Purpose::Load,
            node: None,
        };
        let done = [("write", 1), ("write", 2), ("read", 2), ("read", 1)];
        let history = History { operations: (0..).zip(done).map(operation).collect() };
        let judged = |history, share| stale_reads(history, Model::Register, Ratio::new(share, 100));
        let half = judged(&history, 50);
        assert_eq!(half.verdict, Verdict::Pass);
        assert_eq!(
            half.detail,
            "1 of 2 reads, 50.00 %   (behind by p50 0, p99 1, max 1 version, and by p50 0s, p99 3ms, max 3ms)"
        );
        assert_eq!(judged(&history, 49).verdict, Verdict::Fail);
        assert_eq!(judged(&History::default(), 50).verdict, Verdict::Vacuous);
    }
}
