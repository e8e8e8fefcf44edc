//! An axis of values: where a time or a share stands, and which of them are named.
//!
//! Times of many runs lie between a millisecond and a minute, so their axis is logarithmic. A run in which nothing was
//! lost has the time 0, which no logarithm knows; it has a place of its own, left of a gap.

use crate::draw::ink::Ink;
use crate::draw::measure::{SMALL, width};
use crate::draw::svg::{Anchor, Svg, fill, stroke};
use crate::words::{exact, percent, time};

/// What values are, and so how they are placed and told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Nanoseconds, on a logarithmic axis with a place for 0.
    Time,
    /// Parts of a whole, on a linear axis from 0.
    Share,
}

impl Scale {
    /// A value as a text: `1.04 s`, `97.12 %`.
    pub fn told(self, value: f64) -> String {
        match self {
            Scale::Time => time(nanos(value)),
            Scale::Share => percent(value),
        }
    }

    /// From a value to another, the unit said once where it is the same.
    pub fn range(self, (low, high): (f64, f64)) -> String {
        let (low, high) = (self.told(low), self.told(high));
        match (low.split_once('\u{202f}'), high.split_once('\u{202f}')) {
            (Some((number, unit)), Some((_, same))) if unit == same => format!("{number}–{high}"),
            _ => format!("{low}–{high}"),
        }
    }
}

fn nanos(value: f64) -> u64 {
    libm::round(value.clamp(0.0, 1e18)) as u64
}

/// How wide the place for 0 is, in pixels.
const ZERO: f64 = 34.0;

/// Between it and the others.
const GAP: f64 = 14.0;

/// More than so many decades are marked by their ends alone.
const FINE_MAX: f64 = 2.0;

/// No marks are nearer to each other, in pixels.
const APART: f64 = 8.0;

/// Values from left to right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ValueAxis {
    scale: Scale,
    left: f64,
    right: f64,
    /// The least and the greatest value that the axis shows, without 0 if that has a place of its own.
    low: f64,
    high: f64,
    has_zero: bool,
}

impl ValueAxis {
    /// An axis for these values, between two edges in pixels.
    pub fn of(scale: Scale, values: impl Iterator<Item = f64>, (left, right): (f64, f64)) -> ValueAxis {
        let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        let high = values.iter().copied().fold(0.0, f64::max);
        match scale {
            Scale::Share => {
                let high = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5].into_iter().find(|end| high <= *end);
                ValueAxis { scale, left, right, low: 0.0, high: high.unwrap_or(1.0), has_zero: false }
            }
            Scale::Time => {
                let has_zero = values.iter().any(|value| *value < 1.0);
                let low = values.iter().copied().filter(|value| *value >= 1.0).fold(f64::INFINITY, f64::min);
                let (low, high) = if low.is_finite() { (low, high.min(1e18)) } else { (1e6, 1e6) };
                let (low, mut high) = (round_down(low), round_up(high));
                if high <= low {
                    high = low * 10.0;
                }
                ValueAxis { scale, left, right, low, high, has_zero }
            }
        }
    }

    /// Where its values begin, the place for 0 aside.
    fn begin(&self) -> f64 {
        if self.has_zero { self.left + ZERO + GAP } else { self.left }
    }

    /// Its left edge.
    pub fn left(&self) -> f64 {
        self.left
    }

    /// Whether a value stands at the place for 0.
    pub fn is_at_zero(&self, value: f64) -> bool {
        self.has_zero && value < 1.0
    }

    /// How far left and right of its place a dot may stand, in pixels.
    pub fn room(&self, value: f64) -> f64 {
        if self.is_at_zero(value) { ZERO / 2.0 - 3.0 } else { 0.0 }
    }

    /// Where a value stands, in pixels.
    pub fn x(&self, value: f64) -> f64 {
        if self.is_at_zero(value) {
            return self.left + ZERO / 2.0;
        }
        let share = match self.scale {
            Scale::Share => (value - self.low) / (self.high - self.low),
            Scale::Time => libm::log10(value.max(1.0) / self.low) / libm::log10(self.high / self.low),
        };
        self.begin() + (self.right - self.begin()) * share.clamp(0.0, 1.0)
    }

    /// Values that are named, with their names.
    fn marks(&self) -> Vec<(f64, String)> {
        match self.scale {
            Scale::Share => {
                let told = |part: u32| {
                    let value = self.high * f64::from(part) / 5.0;
                    (value, short_percent(value))
                };
                (0..=5).map(told).collect()
            }
            Scale::Time => {
                let is_fine = libm::log10(self.high / self.low) <= FINE_MAX;
                let digits: &[f64] = if is_fine { &[1.0, 2.0, 5.0] } else { &[1.0] };
                let all = (0..19).flat_map(|power| digits.iter().map(move |digit| digit * ten_to(power)));
                // What was multiplied may lie a hair beside what it means.
                let shown = all.filter(|value| *value >= self.low * 0.999 && *value <= self.high * 1.001);
                shown.map(|value| (value, exact(nanos(value)))).collect()
            }
        }
    }

    /// Lines at the named values from `top` to `bottom`, and their names below.
    pub fn draw(&self, svg: &mut Svg, (top, bottom): (f64, f64)) {
        let muted = format!("{} small", fill(Ink::MUTED));
        let name_of_zero = match self.scale {
            Scale::Time => "0",
            Scale::Share => "0 %",
        };
        let mut free = self.left - 40.0;
        if self.has_zero {
            let x = self.left + ZERO / 2.0;
            svg.rect((self.left, top), (ZERO, bottom - top), 3.0, &fill(Ink::PANEL));
            svg.text((x, bottom + 16.0), Anchor::Middle, &muted, name_of_zero);
            free = x + 10.0;
        }
        for (value, name) in self.marks() {
            let (x, half) = (self.x(value), width(&name, SMALL) / 2.0);
            svg.line((x, top), (x, bottom), &format!("{} thin", stroke(Ink::FAINT)));
            if x - half >= free {
                svg.text((x, bottom + 16.0), Anchor::Middle, &muted, &name);
                free = x + half + APART;
            }
        }
        svg.line((self.begin(), bottom), (self.right, bottom), &format!("{} thin", stroke(Ink::MUTED)));
    }
}

/// In percent, with no more decimals than it takes.
fn short_percent(share: f64) -> String {
    let thousandths = libm::round(share * 100_000.0) as u64;
    let (whole, rest) = (thousandths / 1000, thousandths % 1000);
    let rest = format!("{rest:03}");
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { format!("{whole}\u{202f}%") } else { format!("{whole}.{rest}\u{202f}%") }
}

fn ten_to(power: u32) -> f64 {
    10u64.saturating_pow(power) as f64
}

/// 1, 2 or 5 times a power of ten.
fn round_numbers() -> impl DoubleEndedIterator<Item = f64> {
    (0..19).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * ten_to(power)))
}

fn round_down(value: f64) -> f64 {
    round_numbers().rev().find(|round| *round <= value).unwrap_or(1.0)
}

fn round_up(value: f64) -> f64 {
    round_numbers().find(|round| *round >= value).unwrap_or(1e18)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGES: (f64, f64) = (100.0, 900.0);

    fn names(axis: &ValueAxis) -> Vec<String> {
        axis.marks().into_iter().map(|(_, name)| name.replace('\u{202f}', " ")).collect()
    }

    #[test]
    fn a_nothing_and_a_minute_both_have_a_place() {
        let axis = ValueAxis::of(Scale::Time, [0.0, 3e6, 4.2e10].into_iter(), EDGES);
        assert_eq!(names(&axis), ["10 ms", "100 ms", "1 s", "10 s"]);
        assert_eq!([axis.x(2e6), axis.x(5e10), axis.x(1e15)], [148.0, 900.0, 900.0]);
        assert_eq!([axis.x(0.0), axis.x(-1.0), axis.x(0.5)], [117.0, 117.0, 117.0]);
        let near = ValueAxis::of(Scale::Time, [1.2e9, 1.9e9].into_iter(), EDGES);
        assert_eq!(names(&near), ["1 s", "2 s"]);
        assert_eq!([near.x(1e9), near.x(2e9)], [100.0, 900.0]);
    }

    #[test]
    fn shares_begin_at_nothing_and_end_where_it_is_round() {
        let axis = ValueAxis::of(Scale::Share, [0.0, 0.031, f64::NAN].into_iter(), EDGES);
        assert_eq!(names(&axis), ["0 %", "1 %", "2 %", "3 %", "4 %", "5 %"]);
        assert_eq!([axis.x(0.0), axis.x(0.05), axis.x(7.0)], [100.0, 900.0, 900.0]);
    }

    #[test]
    fn odd_values_have_an_axis_all_the_same() {
        for values in [vec![], vec![0.0], vec![f64::NAN, f64::INFINITY], vec![1e300], vec![-5.0, 1.0]] {
            for scale in [Scale::Time, Scale::Share] {
                let axis = ValueAxis::of(scale, values.iter().copied(), EDGES);
                for value in [0.0, 1.0, -1.0, 1e9, 1e300, f64::INFINITY, f64::NEG_INFINITY] {
                    assert!((100.0..=900.0).contains(&axis.x(value)), "{values:?} {value}: {}", axis.x(value));
                }
                assert!(axis.marks().len() < 60, "{values:?}");
            }
        }
    }

    #[test]
    fn a_range_says_its_unit_once() {
        let told = [(1.7e9, 2.2e9), (4e8, 2.2e9)].map(|range| Scale::Time.range(range));
        assert_eq!(told, ["1.7–2.2\u{202f}s", "400\u{202f}ms–2.2\u{202f}s"]);
    }
}
