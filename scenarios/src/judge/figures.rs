//! Figures: a quantity that a paper gives a number for, measured in a run and held against a range.
//!
//! What is measured of reads goes by their *age*: how long after the latest write to their key was acknowledged they were
//! asked for. A read is *fresh* if it returned that write or a newer one (Bailis et al., Probabilistically Bounded Staleness,
//! VLDB 2012). Writes of a key are taken in the order of their acknowledgements, so their writers should take turns.

use super::{Judge, Ruling, quantile};
use crate::execute::OpFact;
use crate::outage::cause::Reign;
use crate::scenario::{CountOf, Figure, Finding, ShareOf, Statistic, TimeOf};
use history::figures::{counted, grouped, measured, percent};
use history::{Completion, Mark, Measured, Operation, Outcome, Purpose, Quantity, Value, Verdict};
use sim_core::dice::Ratio;
use sim_core::protocol::NodeId;
use sim_core::time::Nanos;
use std::collections::{BTreeMap, BTreeSet};

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
            Figure::Time(measure, from, to) => {
                let (time, noun) = match measure {
                    TimeOf::Latency { statistic, function } => {
                        let took = self.asked_for(function.as_deref()).map(|op| op.waited_until() - op.invoked);
                        (of(took.collect(), *statistic), "operation")
                    }
                    TimeOf::Takeover { statistic } => (of(self.takeovers(), *statistic), "takeover"),
                    TimeOf::Visible { share } => {
                        let reads = reads(&self.finished.history.operations);
                        (visible_after(&reads, *share).map(|at| (at, reads.len())), "operation")
                    }
                    TimeOf::Detection { statistic, by } => {
                        let quality = self.quality();
                        let times = match by {
                            Finding::Each => quality.detections,
                            Finding::First => quality.firsts,
                            Finding::Others => quality.spreads,
                        };
                        (of(times, *statistic), "detection")
                    }
                    TimeOf::MistakeRecurrence => (self.quality().recurrence(), "mistake"),
                    TimeOf::MistakeDuration => (self.quality().duration(), "mistake"),
                };
                within(time, (*from, *to), noun, &TIMES)
            }
            Figure::Share(measure, from, to) => {
                let noun = if *measure == ShareOf::QueryAccuracy { "pair" } else { "operation" };
                within(self.share(measure), (float(from), float(to)), noun, &SHARES)
            }
            Figure::Count(CountOf::Mistakes { whose }, from, to) => {
                let quality = self.quality();
                let mistakes = quality.mistakes_of(*whose);
                let watched = (quality.watched > 0).then_some((mistakes, quality.watched));
                within(watched, (*from, *to), "pair", &COUNTS)
            }
        }
    }

    /// A share, and of how many.
    fn share(&self, measure: &ShareOf) -> Option<(f64, usize)> {
        let operations = &self.finished.history.operations;
        match measure {
            ShareOf::QueryAccuracy => self.quality().accuracy(),
            ShareOf::FreshWithin { age } => {
                share_of(reads(operations).iter().filter(|read| read.age <= *age), |read| read.behind == 0)
            }
            ShareOf::FreshOf { versions } => share_of(reads(operations), |read| read.behind < *versions),
            ShareOf::ReadsOf { versions } => {
                let versions = usize::try_from(*versions).unwrap_or(usize::MAX);
                share_of(widths(operations), |width| *width == versions)
            }
            ShareOf::Served { function } => share_of(self.asked_for(function.as_deref()), |op| op.served.is_some()),
            ShareOf::Possible { function } => share_of(self.asked_for(function.as_deref()), |op| op.was_possible()),
        }
    }

    /// The load's operations, or those of one function.
    fn asked_for<'a>(&'a self, function: Option<&'a str>) -> impl Iterator<Item = &'a OpFact> {
        let functions = self.scenario.loads.first().map_or(&[][..], |load| load.data.functions);
        self.load().filter(move |op| function.is_none_or(|name| functions[op.function].name == name))
    }

    fn takeovers(&self) -> Vec<Nanos> {
        let died = self.finished.roles.iter().filter(|change| change.role.is_none());
        let deaths = died.map(|change| (change.at, change.node)).collect();
        takeovers(self.finished.reigns.as_deref().unwrap_or_default(), &deaths)
    }
}

/// How long it took, after each death of a node that served, until a node served in a later term. Whoever had been replaced
/// before it died is not missed, and is left out; so is the last if nobody has followed when the run ends.
fn takeovers(reigns: &[Reign], deaths: &BTreeSet<(Nanos, NodeId)>) -> Vec<Nanos> {
    let takeover = |(i, old): (usize, &Reign)| {
        let died = old.to.filter(|at| deaths.contains(&(*at, old.node)))?;
        let next = reigns[i + 1..].iter().find(|next| next.term > old.term)?;
        next.from.checked_sub(died)
    };
    reigns.iter().enumerate().filter_map(takeover).collect()
}

/// Those that are so, of all; `None` of none.
fn share_of<T>(all: impl IntoIterator<Item = T>, is_so: impl Fn(&T) -> bool) -> Option<(f64, usize)> {
    let (mut count, mut whole) = (0, 0);
    for one in all {
        whole += 1;
        count += usize::from(is_so(&one));
    }
    (whole > 0).then(|| (count as f64 / whole as f64, whole))
}

/// How many versions side by side each read of the load returned that found any.
fn widths(operations: &[Operation]) -> impl Iterator<Item = usize> {
    operations.iter().filter(|operation| operation.purpose == Purpose::Load && &*operation.f == "read").filter_map(
        |operation| {
            let Outcome::Returned(Completion::Ok(value)) = &operation.outcome else { return None };
            let (_, Value::List(versions)) = value.as_pair()? else { return None };
            Some(versions.len()).filter(|width| *width > 0)
        },
    )
}

fn float(ratio: &Ratio) -> f64 {
    ratio.numerator as f64 / ratio.denominator as f64
}

/// How a kind of figure is told, and what it is as a whole number.
struct Kind<T> {
    quantity: Quantity,
    told: fn(T) -> String,
    whole: fn(T) -> u64,
}

const TIMES: Kind<Nanos> = Kind { quantity: Quantity::Time, told: measured, whole: |time| time };
const SHARES: Kind<f64> =
    Kind { quantity: Quantity::Share, told: percent, whole: |share| libm::round(share * 1e9) as u64 };
const COUNTS: Kind<u64> = Kind { quantity: Quantity::Count, told: grouped, whole: |count| count };

/// A figure and how many it was measured of, against its range.
fn within<T: PartialOrd + Copy>(figure: Option<(T, usize)>, (from, to): (T, T), noun: &str, kind: &Kind<T>) -> Ruling {
    let Some((figure, count)) = figure else {
        return Ruling::new(Verdict::Vacuous, "nothing that it could be measured of");
    };
    let holds = from <= figure && figure <= to;
    let [value, from, to] = [figure, from, to].map(kind.whole);
    Ruling {
        measured: Some(Measured { quantity: kind.quantity, value, from, to }),
        ..Ruling::decided(holds, format!("{}   (of {})", (kind.told)(figure), counted(count as u64, noun)))
    }
}

/// What these times come to, and how many they are.
fn of(mut times: Vec<Nanos>, statistic: Statistic) -> Option<(Nanos, usize)> {
    let count = times.len();
    let time = match statistic {
        Statistic::Quantile(share) => quantile(&mut times, share)?,
        Statistic::Mean => {
            let sum: u128 = times.iter().map(|time| u128::from(*time)).sum();
            sum.checked_div(count as u128)? as Nanos
        }
    };
    Some((time, count))
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
        let verdict = |figure| within(figure, (2, 4), "operation", &COUNTS).verdict;
        assert_eq!(verdict(Some((4, 1))), Verdict::Pass);
        assert_eq!(verdict(Some((5, 1))), Verdict::Fail);
        assert_eq!(verdict(None), Verdict::Vacuous);
    }

    #[test]
    fn many_times_come_to_a_quantile_or_a_mean() {
        let quantile = |numerator, denominator| Statistic::Quantile(Ratio::new(numerator, denominator));
        let times = || vec![40, 10, 30, 21];
        assert_eq!(of(times(), Statistic::Mean), Some((25, 4)));
        assert_eq!(of(times(), quantile(0, 1)), Some((10, 4)));
        assert_eq!(of(times(), quantile(1, 2)), Some((21, 4)));
        assert_eq!((of(vec![], Statistic::Mean), of(vec![], quantile(0, 1))), (None, None));
    }

    #[test]
    fn a_takeover_lasts_from_a_death_to_the_next_reign() {
        let reign = |node, term, from, to| Reign { node: NodeId(node), term, from, to };
        let deaths = BTreeSet::from([(50, NodeId(0)), (90, NodeId(1)), (200, NodeId(2)), (300, NodeId(0))]);
        let reigns = [
            reign(0, 1, 0, Some(50)),
            // Nobody died: it stepped down.
            reign(1, 3, 57, Some(80)),
            reign(2, 4, 85, Some(200)),
            // Another reigned in a later term before it died.
            reign(0, 5, 150, Some(300)),
            reign(1, 6, 320, None),
        ];
        assert_eq!(takeovers(&reigns, &deaths), [7, 20]);
        assert!(takeovers(&reigns[..1], &deaths).is_empty(), "nobody followed");
    }

    #[test]
    fn a_share_of_nothing_is_none() {
        assert_eq!(share_of([1, 2, 3, 3], |n| *n == 3), Some((0.5, 4)));
        assert_eq!(share_of([0; 0], |_| true), None);
    }
}
