//! Axes: where a moment stands, and which moments are named.

use super::{LEFT, RIGHT};
use crate::draw::ink::Ink;
use crate::draw::measure;
use crate::draw::svg::{Anchor, Svg, fill, stroke};
use crate::words::exact;
use history::RunRecord;
use std::ops::Range;

/// No more marks than this stand on an axis.
const MARKS_MAX: u64 = 12;

/// The settle time is drawn if it is at most one in so many of the load's.
const SETTLE_PART: u64 = 4;

/// Time from left to right, the same for every panel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    /// Where the load ends, in nanoseconds: at its time, or where the run stopped before that. At least 1.
    pub load_ns: u64,
    /// Where the axis ends.
    pub end_ns: u64,
}

impl Axis {
    /// The axis of a run; `None` if it took no time.
    pub fn of(record: &RunRecord) -> Option<Axis> {
        let load_ns = record.duration_ns.min(record.simulated_ns);
        let settle = record.simulated_ns - load_ns;
        let end_ns = if settle <= load_ns / SETTLE_PART { record.simulated_ns } else { load_ns };
        (load_ns > 0).then_some(Axis { load_ns, end_ns })
    }

    /// As plotters takes it.
    pub fn range(&self) -> Range<f64> {
        0.0..self.end_ns as f64
    }

    /// Where a moment stands, in pixels. What is later stands at the end.
    pub fn x(&self, at_ns: u64) -> f64 {
        LEFT + (RIGHT - LEFT) * (at_ns.min(self.end_ns) as f64 / self.end_ns as f64)
    }

    /// The moments that are named.
    pub fn marks(&self) -> Vec<u64> {
        let step = step(self.end_ns, MARKS_MAX);
        (0..).map_while(|i: u64| i.checked_mul(step)).take_while(|at| *at <= self.end_ns).collect()
    }

    /// Names of moments, below `y`.
    pub fn names(&self, svg: &mut Svg, y: f64) {
        let mut free = 0.0;
        for at in self.marks() {
            let (x, name) = (self.x(at), moment(at));
            svg.line((x, y), (x, y + 4.0), &format!("{} thin", stroke(Ink::MUTED)));
            let half = measure::width(&name, measure::SMALL) / 2.0;
            if x - half >= free {
                svg.text((x, y + 16.0), Anchor::Middle, &format!("{} small", fill(Ink::MUTED)), &name);
                free = x + half + 6.0;
            }
        }
    }
}

/// A moment in full.
pub(super) fn moment(at_ns: u64) -> String {
    if at_ns == 0 { "0".to_owned() } else { exact(at_ns) }
}

/// The smallest round step that reaches a length in so many steps.
pub(super) fn step(length_ns: u64, steps: u64) -> u64 {
    /// Above a second, time is not decimal.
    const LONG: [u64; 14] = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200];
    let least = length_ns.div_ceil(steps.max(1)).max(1);
    let short = (0..9).flat_map(|exponent| [1, 2, 5].map(|digit| digit * 10u64.pow(exponent)));
    let long = LONG.into_iter().map(|seconds| seconds * 1_000_000_000);
    let hours = |hours: u64| hours.saturating_mul(3_600_000_000_000);
    let longer =
        (0..20).flat_map(|exponent| [1, 2, 5].map(|digit: u64| digit.saturating_mul(10u64.saturating_pow(exponent))));
    let longer = longer.map(hours).skip_while(|step| *step <= hours(2));
    short.chain(long).chain(longer).find(|step| *step >= least).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_few() {
        let s = 1_000_000_000;
        let lengths = [1, 12, 13, 1_000, 3 * s, 60 * s, 70 * s, 600 * s, 7_200 * s, 86_400 * s];
        let steps = lengths.map(|length| step(length, MARKS_MAX));
        let expected = [1, 1, 2, 100, s / 2, 5 * s, 10 * s, 60 * s, 600 * s, 7_200 * s];
        assert_eq!(steps, expected);
        for length in [u64::MAX, u64::MAX / 3, 0] {
            let marks = Axis { load_ns: 1, end_ns: length.max(1) }.marks();
            assert!(!marks.is_empty() && marks.len() as u64 <= MARKS_MAX + 1, "{length}: {}", marks.len());
        }
    }

    #[test]
    fn a_moment_stands_within_the_frame() {
        let axis = Axis { load_ns: 10, end_ns: 12 };
        assert_eq!([axis.x(0), axis.x(12), axis.x(u64::MAX)], [LEFT, RIGHT, RIGHT]);
        assert!(axis.x(6) > LEFT && axis.x(6) < axis.x(7));
    }
}
