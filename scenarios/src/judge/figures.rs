//! Figures: a quantity that a paper gives a number for, measured in a run and held against a range.
//!
//! What is measured of reads goes by their *age*: how long after the latest write to their key was acknowledged they were
//! asked for. A read is *fresh* if it returned that write or a newer one (Bailis et al., Probabilistically Bounded Staleness,
//! VLDB 2012). Writes of a key are taken in the order of their acknowledgements, so their writers should take turns.

use super::{Judge, Ruling, quantile};
use crate::execute::OpFact;
use crate::scenario::{CountOf, Figure, ShareOf, Statistic, TimeOf};
use history::figures::{counted, grouped, measured, percent};
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
            Figure::Time(TimeOf::Detection { statistic, is_first }, from, to) => {
                let quality = self.quality();
                let times = if *is_first { quality.firsts } else { quality.detections };
                within(statistic_of(times, *statistic), (*from, *to), |time| measured(*time))
            }
            Figure::Time(TimeOf::MistakeRecurrence, from, to) => {
                within(self.quality().recurrence(), (*from, *to), |time| measured(*time))
            }
            Figure::Time(TimeOf::MistakeDuration, from, to) => {
                within(self.quality().duration(), (*from, *to), |time| measured(*time))
            }
            Figure::Share(ShareOf::QueryAccuracy, from, to) => {
                within(self.quality().accuracy(), (float(from), float(to)), |share| percent(*share))
            }
            Figure::Count(CountOf::Mistakes { healthy }, from, to) => {
                let quality = self.quality();
                let mistakes = if *healthy { quality.healthy_mistakes } else { quality.mistakes };
                within((quality.watched > 0).then_some((mistakes, quality.watched)), (*from, *to), |count| {
                    grouped(*count)
                })
            }
            Figure::Share(measure, from, to) => {
                let mut reads = reads(&self.finished.history.operations);
                let allowed = match measure {
                    ShareOf::QueryAccuracy => unreachable!("it has an arm of its own"),
                    ShareOf::FreshWithin { age } => {
                        reads.retain(|read| read.age <= *age);
                        0
                    }
                    ShareOf::FreshOf { versions } => versions - 1,
                };
                let fresh = reads.iter().filter(|read| read.behind <= allowed).count();
                let ratio = (!reads.is_empty()).then(|| (fresh as f64 / reads.len() as f64, reads.len()));
                within(ratio, (float(from), float(to)), |share| percent(*share))
            }
        }
    }
}

fn float(ratio: &Ratio) -> f64 {
    ratio.numerator as f64 / ratio.denominator as f64
}

fn statistic_of(times: Vec<Nanos>, statistic: Statistic) -> Option<(Nanos, usize)> {
    match statistic {
        Statistic::Quantile(share) => quantile_of(times, share),
        Statistic::Mean => {
            let count = times.len();
            let sum: u128 = times.iter().map(|time| u128::from(*time)).sum();
            Some(((sum.checked_div(count as u128)?) as Nanos, count))
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

/// What was written or read, and when that was acknowledged or asked for.
type Marked = Vec<(Mark, Value)>;

/// The reads of the load that could have met an acknowledged write.
fn reads(operations: &[Operation]) -> Vec<Read> {
    let mut keys: BTreeMap<Value, (Marked, Marked)> = BTreeMap::new();
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

fn of_key(mut writes: Marked, reads: &[(Mark, Value)]) -> Vec<Read> {
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

/// The age from which on this share of reads is fresh, if there is one.
fn visible_after(reads: &[Read], share: Ratio) -> Option<Nanos> {
    let about = crossing(reads, share)?;
    Some(refined(reads, share, about).unwrap_or(about))
}

/// By how far from where the share is crossed a read may be to tell of where that is, in hundredths.
const NEARBY: u64 = 30;

/// Nearby the share of stale reads falls about exponentially. That curve is fitted to all reads nearby (a Poisson regression on
/// bins, by Newton's method), so that more of them count than the few at the very place. `None` if too few are stale.
fn refined(reads: &[Read], share: Ratio, about: Nanos) -> Option<Nanos> {
    const BINS: usize = 64;
    const STALE_MIN: u64 = 30;
    let width = about * NEARBY / 100;
    let mut bins = [(0.0, 0.0); BINS];
    let mut stale = 0;
    for read in reads.iter().filter(|read| width > 0 && read.age.abs_diff(about) < width) {
        let bin = &mut bins[((read.age + width - about) as usize * BINS / (2 * width) as usize).min(BINS - 1)];
        bin.0 += 1.0;
        if read.behind > 0 {
            bin.1 += 1.0;
            stale += 1;
        }
    }
    if stale < STALE_MIN {
        return None;
    }
    // Where a bin is: -1 at the left end, 1 at the right.
    let place = |bin: usize| (2 * bin + 1) as f64 / BINS as f64 - 1.0;
    let rare = 1.0 - share.numerator as f64 / share.denominator as f64;
    let (mut level, mut slope) = (libm::log(rare), -1.0);
    for _ in 0..50 {
        let (mut pull, mut weight) = ([0.0; 2], [0.0; 3]);
        for (bin, (all, stale)) in bins.iter().enumerate() {
            let (x, expected) = (place(bin), all * libm::exp(level + slope * place(bin)));
            pull = [pull[0] + stale - expected, pull[1] + (stale - expected) * x];
            weight = [weight[0] + expected, weight[1] + expected * x, weight[2] + expected * x * x];
        }
        let determinant = weight[0] * weight[2] - weight[1] * weight[1];
        let step = |by: f64| (by / determinant).clamp(-1.0, 1.0);
        level += step(pull[0] * weight[2] - pull[1] * weight[1]);
        slope += step(pull[1] * weight[0] - pull[0] * weight[1]);
    }
    let x = (libm::log(rare) - level) / slope;
    let is_sound = slope < 0.0 && x.abs() <= 1.0;
    is_sound.then(|| about.saturating_add_signed((x * width as f64) as i64))
}

/// The first age at which this share of reads is fresh. That fewer and fewer reads are stale as they get older is known, and
/// used: neighbours that say otherwise are pooled until none does (isotonic regression).
fn crossing(reads: &[Read], share: Ratio) -> Option<Nanos> {
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

    /// Of reads of age 1000 + a, one in a thousand is stale times e^(-a / 200).
    #[test]
    fn a_crossing_is_refined_by_all_reads_nearby() {
        let mut reads = Vec::new();
        let mut owed = 0.0;
        for age in (500..1500).cycle().take(1_000_000) {
            owed += 0.001 * libm::exp((1000.0 - f64::from(age)) / 200.0);
            let is_stale = owed >= 1.0;
            owed -= f64::from(u8::from(is_stale));
            reads.push(Read { age: age as Nanos, behind: u64::from(is_stale) });
        }
        let share = Ratio::new(999, 1000);
        let found = visible_after(&reads, share).expect("it is crossed");
        assert!(found.abs_diff(1000) <= 15, "{found}");
    }

    #[test]
    fn a_figure_is_held_against_its_range_and_nothing_is_no_figure() {
        let verdict = |figure| within(figure, (2, 4), |n: &u64| n.to_string()).verdict;
        assert_eq!(verdict(Some((4, 1))), Verdict::Pass);
        assert_eq!(verdict(Some((5, 1))), Verdict::Fail);
        assert_eq!(verdict(None), Verdict::Vacuous);
    }
}
