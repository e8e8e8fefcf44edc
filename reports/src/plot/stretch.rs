//! The record's buckets as they are drawn: no more of them than there are pixels for.

use super::axis::Axis;
use history::{Outage, RunRecord, TimeBucket};
use std::ops::Range;

/// More stretches than this are not drawn.
const STRETCHES_MAX: usize = 400;

/// Where operations are few, stretches are wider, so that one operation does not look like much; but no fewer than this.
const STRETCHES_MIN: usize = 60;

/// So many operations fall in a stretch, on average.
const OPERATIONS_MIN: u64 = 16;

/// A stretch of time with the buckets in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// When it begins.
    pub from_ns: u64,
    /// When it ends.
    pub to_ns: u64,
    /// Which of the record's buckets.
    pub buckets: Range<usize>,
}

/// The load's time in stretches, one after the other, so wide that they show so many operations well.
pub(super) fn stretches(buckets: &[TimeBucket], axis: &Axis, operations: u64) -> Vec<Stretch> {
    let count = usize::try_from(operations / OPERATIONS_MIN).unwrap_or(usize::MAX);
    let wide = buckets.len().div_ceil(count.clamp(STRETCHES_MIN, STRETCHES_MAX)).max(1);
    let mut stretches: Vec<Stretch> = Vec::new();
    for first in (0..buckets.len()).step_by(wide) {
        let last = (first + wide).min(buckets.len());
        // A file may hold buckets in any order; here time runs forward.
        let earliest = stretches.last().map_or(0, |stretch| stretch.to_ns);
        let ends = |i: usize| buckets.get(i).map_or(axis.load_ns, |bucket| bucket.from_ns).min(axis.load_ns);
        let from_ns = ends(first).max(earliest);
        stretches.push(Stretch { from_ns, to_ns: ends(last).max(from_ns), buckets: first..last });
    }
    stretches.retain(|stretch| stretch.to_ns > stretch.from_ns);
    stretches
}

impl Stretch {
    /// The sum of what some buckets counted; what a shorter list lacks was not counted.
    pub fn sum(&self, counts: &[u64]) -> u64 {
        let counts = self.buckets.clone().filter_map(|bucket| counts.get(bucket));
        counts.fold(0, |sum, count| sum.saturating_add(*count))
    }
}

/// Shares without gaps where clients waited: while nobody is served, nobody who waits asks anew, and that is no reason to
/// show nothing. There it is as in the worse of the stretches beside it. `None` stays where nobody wanted anything.
pub(super) fn bridged(shares: Vec<Option<f64>>, stretches: &[Stretch], outages: &[Outage]) -> Vec<Option<f64>> {
    let waited = |stretch: &Stretch| {
        outages.iter().any(|outage| outage.from_ns < stretch.to_ns && stretch.from_ns < outage.to_ns)
    };
    let mut bridged = shares.clone();
    let mut before = None;
    for run in runs(&shares) {
        if shares[run.start].is_some() {
            before = shares[run.start];
            continue;
        }
        let after = shares.get(run.end).copied().flatten();
        let worse = before.zip(after).map(|(before, after)| before.min(after)).or(before).or(after);
        for i in run {
            bridged[i] = worse.filter(|_| waited(&stretches[i]));
        }
    }
    bridged
}

/// Where equal values follow each other.
pub(super) fn runs<T: PartialEq>(values: &[T]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for i in 0..values.len() {
        match runs.last_mut() {
            Some(run) if values[run.start] == values[i] => run.end = i + 1,
            Some(_) | None => runs.push(i..i + 1),
        }
    }
    runs
}

/// All of some counts.
pub(super) fn total(counts: &[u64]) -> u64 {
    counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
}

/// By bucket, one of the record's counts.
pub(super) fn counts(record: &RunRecord, count: impl Fn(&TimeBucket) -> u64) -> Vec<u64> {
    record.buckets.iter().map(count).collect()
}

/// Which part of all that is, between 0 and 1; `None` of nothing.
pub(super) fn share(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| part.min(all) as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(froms: impl IntoIterator<Item = u64>) -> Vec<TimeBucket> {
        let bucket = |from_ns| TimeBucket { from_ns, invoked: 1, achieved: 1, possible: 1 };
        froms.into_iter().map(bucket).collect()
    }

    #[test]
    fn stretches_are_one_after_the_other_and_not_too_many() {
        let axis = Axis { load_ns: 10_000, end_ns: 12_000 };
        let spans = |buckets: &[TimeBucket], operations| -> Vec<(u64, u64)> {
            stretches(buckets, &axis, operations).iter().map(|stretch| (stretch.from_ns, stretch.to_ns)).collect()
        };
        assert_eq!(spans(&buckets([0, 4_000, 8_000]), 0), [(0, 4_000), (4_000, 8_000), (8_000, 10_000)]);
        // In no order, twice the same, and beyond the end.
        assert_eq!(spans(&buckets([0, 8_000, 4_000, 4_000, u64::MAX]), 0), [(0, 8_000), (8_000, 10_000)]);
        assert_eq!(spans(&buckets(0..10_000), u64::MAX).len(), 400);
        assert_eq!(spans(&buckets((0..240).map(|i| i * 41)), 1_000).len(), 60);
        assert_eq!(spans(&buckets([]), 9), []);
    }

    #[test]
    fn what_was_not_counted_is_nothing() {
        let stretch = Stretch { from_ns: 0, to_ns: 1, buckets: 1..4 };
        assert_eq!([stretch.sum(&[9, 1, 2]), stretch.sum(&[]), stretch.sum(&[0, u64::MAX, 7, 0])], [3, 0, u64::MAX]);
        assert_eq!([share(3, 0), share(9, 3), share(1, 4)], [None, Some(1.0), Some(0.25)]);
    }
}
