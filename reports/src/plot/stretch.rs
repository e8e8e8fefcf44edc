//! The record's buckets as they are drawn: no more of them than there are pixels for.

use super::axis::Axis;
use history::{RunRecord, TimeBucket};
use std::ops::Range;

/// More stretches than this are not drawn.
const STRETCHES_MAX: usize = 400;

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

/// The load's time in stretches, one after the other.
pub(super) fn stretches(record: &RunRecord, axis: &Axis) -> Vec<Stretch> {
    let buckets = &record.buckets;
    let wide = buckets.len().div_ceil(STRETCHES_MAX).max(1);
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

/// By bucket, one of the record's counts.
pub(super) fn counts(record: &RunRecord, count: impl Fn(&TimeBucket) -> u64) -> Vec<u64> {
    record.buckets.iter().map(count).collect()
}

/// Which part of all that is, between 0 and 1; `None` of nothing.
pub(super) fn share(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| part.min(all) as f64 / all as f64)
}
