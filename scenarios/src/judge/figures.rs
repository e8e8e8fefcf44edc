//! Figures: a quantity that a paper gives a number for, measured in a run and held against a range.
//!
//! What is measured of reads goes by their *age*: how long after the latest write to their key was acknowledged they were
//! asked for. A read is *fresh* if it returned that write or a newer one (Bailis et al., Probabilistically Bounded Staleness,
//! VLDB 2012). Writes of a key are taken in the order of their acknowledgements, so their writers should take turns.

use super::{Judge, Ruling, quantile};
use crate::execute::OpFact;
use crate::scenario::{Figure, ShareOf, TimeOf};
use history::figures::{counted, measured, percent};
use history::{Completion, Mark, Operation, Outcome, Purpose, Value, Verdict};
use sim_core::dice::Ratio;
use sim_core::time::Nanos;
use std::collections::BTreeMap;

/// A read of a key to which some write had been acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Read {
    /// How long before.
    age: Nanos,
    /// How many of those acknowledged were newer than what it returned.
    behind: u64,
}

impl Judge<'_> {
    pub(super) fn figure(&self, figure: &Figure) -> Ruling {
        match figure {
            Figure::Time(TimeOf::Latency { quantile, function }, from, to) => {
                let functions = self.scenario.loads.first().map_or(&[][..], |load| load.data.functions);
                let is_asked = |op: &&OpFact| function.as_ref().is_none_or(|name| functions[op.function].name == name);
                let took = self.load().filter(is_asked).map(|op| op.waited_until() - op.invoked).collect();
                within(quantile_of(took, *quantile), (*from, *to), |time| measured(*time))
            }
            Figure::Time(TimeOf::Visible { share }, from, to) => {
                let reads = reads(&self.finished.history.operations);
                within(visible_after(&reads, *share).map(|at| (at, reads.len())), (*from, *to), |time| measured(*time))
            }
            Figure::Share(measure, from, to) => {
                let mut reads = reads(&self.finished.history.operations);
                let allowed = match measure {
                    ShareOf::FreshWithin { age } => {
                        reads.retain(|read| read.age <= *age);
                        0
                    }
                    ShareOf::FreshOf { versions } => versions - 1,
                };
                let fresh = reads.iter().filter(|read| read.behind <= allowed).count();
                let ratio = (!reads.is_empty()).then(|| (fresh as f64 / reads.len() as f64, reads.len()));
                let float = |ratio: &Ratio| ratio.numerator as f64 / ratio.denominator as f64;
                within(ratio, (float(from), float(to)), |share| percent(*share))
            }
        }
    }
}

/// A figure and how many it was measured of, against its range.
fn within<T: PartialOrd>(figure: Option<(T, usize)>, range: (T, T), show: impl Fn(&T) -> String) -> Ruling {
    let Some((figure, count)) = figure else {
        return Ruling::new(Verdict::Vacuous, "nothing that it could be measured of");
    };
    let holds = range.0 <= figure && figure <= range.1;
    Ruling::decided(holds, format!("{}   (of {})", show(&figure), counted(count as u64, "operation")))
}

fn quantile_of(mut times: Vec<Nanos>, share: Ratio) -> Option<(Nanos, usize)> {
    let count = times.len();
    Some((quantile(&mut times, share)?, count))
}

/// The reads of the load that could have met an acknowledged write.
fn reads(operations: &[Operation]) -> Vec<Read> {
    let mut keys: BTreeMap<Value, (Vec<(Mark, Value)>, Vec<(Mark, Value)>)> = BTreeMap::new();
    for operation in operations.iter().filter(|operation| operation.purpose == Purpose::Load) {
        let (Outcome::Returned(Completion::Ok(value)), Some(completed)) = (&operation.outcome, operation.completed)
        else {
            continue;
        };
        let (key, value) = value.as_pair().map_or((Value::Nil, value), |(key, value)| (key.clone(), value));
        let (writes, reads) = keys.entry(key).or_default();
        match &*operation.f {
            "read" => reads.push((operation.invoked, value.clone())),
            _ => writes.push((completed, value.clone())),
        }
    }
    keys.into_values().flat_map(|(writes, reads)| of_key(writes, &reads)).collect()
}

fn of_key(mut writes: Vec<(Mark, Value)>, reads: &[(Mark, Value)]) -> Vec<Read> {
    writes.sort_by_key(|(acknowledged, _)| *acknowledged);
    let places: BTreeMap<&Value, usize> = (1..).zip(&writes).map(|(place, (_, value))| (value, place)).collect();
    let read = |(asked, value): &(Mark, Value)| {
        let before = writes.partition_point(|(acknowledged, _)| acknowledged.index < asked.index);
        let (latest, _) = writes.get(before.checked_sub(1)?)?;
        // What was never acknowledged is newer than whatever was.
        let place = if value.is_nil() { 0 } else { places.get(value).copied().unwrap_or(usize::MAX) };
        Some(Read { age: asked.time - latest.time, behind: before.saturating_sub(place) as u64 })
    };
    reads.iter().filter_map(read).collect()
}

/// The age from which on this share of reads is fresh, if there is one. That fewer and fewer reads are stale as they get
/// older is known, and used: neighbours that say otherwise are pooled until none does (isotonic regression).
fn visible_after(reads: &[Read], share: Ratio) -> Option<Nanos> {
    struct Pool {
        from: Nanos,
        stale: u64,
        all: u64,
    }
    let mut sorted = reads.to_vec();
    sorted.sort_unstable();
    let mut pools: Vec<Pool> = Vec::new();
    for read in sorted {
        let mut pool = Pool { from: read.age, stale: u64::from(read.behind > 0), all: 1 };
        while let Some(last) = pools.pop_if(|last| {
            u128::from(last.stale) * u128::from(pool.all) <= u128::from(pool.stale) * u128::from(last.all)
        }) {
            pool = Pool { from: last.from, stale: last.stale + pool.stale, all: last.all + pool.all };
        }
        pools.push(pool);
    }
    let (fresh, of) = (u128::from(share.numerator), u128::from(share.denominator));
    let is_visible = |pool: &&Pool| u128::from(pool.all - pool.stale) * of >= u128::from(pool.all) * fresh;
    pools.iter().find(is_visible).map(|pool| pool.from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(index: u64) -> Mark {
        Mark { index, time: index * 10 }
    }

    #[test]
    fn a_read_is_as_far_behind_as_it_has_missed_acknowledged_writes() {
        let writes = vec![(mark(1), Value::from(7)), (mark(3), Value::from(8))];
        let read = |at, value: Value| of_key(writes.clone(), &[(mark(at), value)]);
        assert_eq!(read(0, Value::Nil), [], "nothing was acknowledged");
        assert_eq!(read(2, Value::Nil), [Read { age: 10, behind: 1 }]);
        assert_eq!(read(2, 8.into()), [Read { age: 10, behind: 0 }], "newer than acknowledged");
        assert_eq!(read(6, 7.into()), [Read { age: 30, behind: 1 }]);
        assert_eq!(read(6, Value::Nil), [Read { age: 30, behind: 2 }]);
        assert_eq!(read(6, 9.into()), [Read { age: 30, behind: 0 }], "never acknowledged");
    }

    #[test]
    fn the_age_of_visibility_is_where_the_pooled_share_crosses() {
        let reads = |stale: &[bool]| -> Vec<Read> {
            (0..).zip(stale).map(|(age, stale)| Read { age, behind: u64::from(*stale) }).collect()
        };
        let half = Ratio::new(1, 2);
        assert_eq!(visible_after(&reads(&[true, true, false, false]), half), Some(2));
        assert_eq!(visible_after(&reads(&[true, true, false, true, false, false]), half), Some(2), "pooled");
        assert_eq!(visible_after(&reads(&[true, true, false, true, false, false]), Ratio::new(9, 10)), Some(4));
        assert_eq!(visible_after(&reads(&[false, false]), Ratio::new(1, 1)), Some(0));
        assert_eq!(visible_after(&reads(&[true, true]), half), None);
        assert_eq!(visible_after(&[], half), None);
    }

    #[test]
    fn a_figure_is_held_against_its_range_and_nothing_is_no_figure() {
        let verdict = |figure| within(figure, (2, 4), |n: &u64| n.to_string()).verdict;
        assert_eq!(verdict(Some((4, 1))), Verdict::Pass);
        assert_eq!(verdict(Some((5, 1))), Verdict::Fail);
        assert_eq!(verdict(None), Verdict::Vacuous);
    }
}
