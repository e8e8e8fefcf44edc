//! Outages: when nobody was served although somebody waited.
//!
//! Two successes of any clients enclose a gap. It is an outage if some operation waited in it for long, a tenth of its
//! patience or more: so the pauses of a load that asks for little are none, and neither is the usual time that an
//! operation takes. The part of an outage in which some waiting operation *could* have been served, by some protocol of
//! this kind over the links that were live, was avoidable.

use crate::execute::{Finished, OpFact, SLOW_SHARE};
use crate::plan::Plan;
use history::{Outage, Purpose};
use sim_core::protocol::ClientId;
use sim_core::time::Nanos;
use std::collections::BTreeMap;

/// An outage, and what it says of the system.
#[derive(Clone, Debug)]
pub struct Gap {
    /// What the record tells of it.
    pub outage: Outage,
    /// The faults that were in force.
    pub during: String,
    /// The longest stretch in which somebody who waited could have been served, and was not.
    pub chance: Nanos,
    /// How long somebody waited whom nobody could have served.
    pub barred: Nanos,
    /// Whether a success ended it, and not the run.
    pub is_over: bool,
}

/// The outages of a run, in order. `end` is when the load ended; one that lasts beyond it ends with the next success.
pub fn gaps(plan: &Plan, finished: &Finished, end: Nanos) -> Vec<Gap> {
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
    let gap = |(from, to): (Nanos, Nanos)| {
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
        let possible = clipped(waiting.iter().flat_map(|op| op.possible.iter().copied()), from, to);
        let avoidable_ns = length(&possible);
        let missed = waiting.iter().filter(|op| op.served.is_none()).count() as u64;
        let during = during(plan, finished, from, to);
        let cause = cause(&during, to - from, avoidable_ns);
        let outage = Outage { from_ns: from, to_ns: to, cause, avoidable_ns, missed };
        let chances = chances(&waiting, from, to);
        let chance = chances.iter().map(|(from, to)| length(&clipped(possible.iter().copied(), *from, *to))).max();
        let waits = waiting.iter().map(|op| (op.invoked, op.waited_until()));
        let barred = length(&clipped(waits.chain(chances.iter().copied()), from, to)) - length(&chances);
        Some(Gap { outage, during, chance: chance.unwrap_or(0), barred, is_over: to < end || back.is_some() })
    };
    gaps.filter_map(gap).collect()
}

/// The stretches in which, as far as anybody knows, somebody could have been served. To a client whose operation could have
/// been served until it gave up, and whose next could be served at once, it was possible in between as well, though
/// nobody waited: so a stretch ends only where somebody sees that it does.
fn chances(waiting: &[&OpFact], from: Nanos, to: Nanos) -> Vec<(Nanos, Nanos)> {
    let mut by_client: BTreeMap<ClientId, Vec<&OpFact>> = BTreeMap::new();
    for op in waiting {
        by_client.entry(op.client).or_default().push(op);
    }
    let of_one = |ops: Vec<&OpFact>| {
        let waits = clipped(ops.iter().map(|op| (op.invoked, op.waited_until())), from, to);
        let mut stretches: Vec<(Nanos, Nanos)> = Vec::new();
        for (begins, ends) in clipped(ops.iter().flat_map(|op| op.possible.iter().copied()), from, to) {
            match stretches.last_mut() {
                Some(last) if clipped(waits.iter().copied(), last.1, begins).is_empty() => last.1 = ends,
                Some(_) | None => stretches.push((begins, ends)),
            }
        }
        stretches
    };
    clipped(by_client.into_values().flat_map(of_one), from, to)
}

/// What the spans cover of `from..to` together: in order, none touching the next.
fn clipped(spans: impl Iterator<Item = (Nanos, Nanos)>, from: Nanos, to: Nanos) -> Vec<(Nanos, Nanos)> {
    let spans = spans.map(|(begins, ends)| (begins.max(from), ends.min(to)));
    let mut spans: Vec<(Nanos, Nanos)> = spans.filter(|(begins, ends)| begins < ends).collect();
    spans.sort_unstable();
    spans.dedup_by(|next, last| {
        let touches = next.0 <= last.1;
        if touches {
            last.1 = last.1.max(next.1);
        }
        touches
    });
    spans
}

/// Of spans that do not touch.
fn length(spans: &[(Nanos, Nanos)]) -> Nanos {
    spans.iter().map(|(begins, ends)| ends - begins).sum()
}

fn during(plan: &Plan, finished: &Finished, from: Nanos, to: Nanos) -> String {
    let struck = finished.strikes.iter().filter(|strike| strike.from < to && strike.to > from);
    let mut faults: Vec<&str> = struck.map(|strike| &*plan.faults[strike.fault].name).collect();
    faults.dedup();
    if faults.is_empty() { "no fault in force".to_owned() } else { format!("during {}", faults.join(", ")) }
}

fn cause(during: &str, all: Nanos, avoidable: Nanos) -> String {
    let could = match avoidable {
        0 => "nobody could have served",
        avoidable if avoidable == all => "a protocol of this kind could have served",
        _ => "for a part of it, a protocol of this kind could have served",
    };
    format!("{during}: {could}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::Outcome;

    #[test]
    fn overlapping_spans_count_once_and_are_clipped() {
        let spans = [(0, 10), (5, 15), (20, 30), (40, 50)];
        assert_eq!(clipped(spans.into_iter(), 8, 25), [(8, 15), (20, 25)]);
        assert_eq!(clipped([(3, 4), (4, 6), (6, 6)].into_iter(), 0, 9), [(3, 6)]);
        assert_eq!(clipped([].into_iter(), 0, 9), []);
        assert_eq!(length(&[(8, 15), (20, 25)]), 7 + 5);
    }

    fn op(client: u32, invoked: Nanos, deadline: Nanos, possible: &[(Nanos, Nanos)]) -> OpFact {
        OpFact {
            function: 0,
            client: ClientId(client),
            invoked,
            deadline,
            completed: None,
            outcome: Outcome::Unknown,
            served: None,
            possible: possible.to_vec(),
            purpose: Purpose::Load,
        }
    }

    fn chances_of(ops: &[OpFact]) -> Vec<(Nanos, Nanos)> {
        chances(&ops.iter().collect::<Vec<_>>(), 0, 100)
    }

    #[test]
    fn a_client_that_thinks_between_two_attempts_ends_no_stretch() {
        assert_eq!(chances_of(&[op(0, 0, 10, &[(0, 10)]), op(0, 12, 22, &[(12, 22)])]), [(0, 22)]);
        // Another that is cut off meanwhile knows nothing of it.
        let cut_off = op(1, 5, 15, &[]);
        assert_eq!(chances_of(&[op(0, 0, 10, &[(0, 10)]), cut_off, op(0, 12, 22, &[(12, 22)])]), [(0, 22)]);
    }

    #[test]
    fn a_stretch_ends_where_a_client_can_no_longer_be_served() {
        assert_eq!(chances_of(&[op(0, 0, 10, &[(0, 8)]), op(0, 12, 22, &[(12, 22)])]), [(0, 8), (12, 22)]);
        assert_eq!(chances_of(&[op(0, 0, 30, &[(0, 10), (20, 30)])]), [(0, 10), (20, 30)], "it flaps");
        assert_eq!(chances_of(&[op(0, 0, 10, &[(0, 8)]), op(1, 5, 15, &[(5, 15)])]), [(0, 15)], "not to all");
        assert_eq!(chances_of(&[op(0, 0, 10, &[])]), []);
    }
}
