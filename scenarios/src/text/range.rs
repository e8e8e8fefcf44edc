//! `"30s..2m"` in `{ draw = ".." }`: a quantity between two, both included, on a grid of round steps.
//!
//! A value that was drawn is printed, pasted into `--set` and written into a file again, so it has to be one that decimal
//! digits can say exactly and people can read: 41.3s, not 41.274619883s. Counts go one by one; everything else in the
//! largest power of ten that both ends are multiples of and that leaves a hundred steps between them.

use super::quantity::decimal;
use super::{Shape, Value};
use crate::diagnostics::Origin;
use sim_core::time::{Nanos, parse_duration};

/// Fewer steps than this would be seen in the results.
const STEPS_MIN: u64 = 100;

/// A range to draw from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    unit: Unit,
    from: u64,
    /// At least `from`, and a whole number of steps from it.
    to: u64,
    step: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// Whole numbers.
    Count,
    /// Nanoseconds.
    Time,
    /// Millionths of what this suffix says; of one, if it is empty.
    Decimal(&'static str),
}

/// What stands behind the number of a share or a rate.
const SUFFIXES: [&str; 5] = ["%", "ppm", "/s", "/m", "/h"];
const MILLION: u64 = 1_000_000;

impl Range {
    /// Reads `30s..2m`, `3..9`, `1%..5%` or `100/s..500/s`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((from, to)) = text.split_once("..") else {
            return Err(format!("`{text}` is not a range; write it like \"30s..2m\", \"3..9\" or \"1%..5%\""));
        };
        let (from, to) = (from.trim(), to.trim());
        let unit = common_unit(from, to)?;
        let (from, to) = (unit.read(from)?, unit.read(to)?);
        if from > to {
            return Err(format!("`{text}` runs backwards; write the smaller first"));
        }
        let step = if unit == Unit::Count { 1 } else { round_step(from, to) };
        Ok(Range { unit, from, to, step })
    }

    /// The number of the last value; the first is number 0.
    pub fn last(&self) -> u64 {
        (self.to - self.from) / self.step
    }

    /// The value of this number, as the file would write it.
    pub fn value(&self, number: u64, origin: &Origin) -> Value {
        let value = self.from + number * self.step;
        let shape = match self.unit {
            Unit::Count => Shape::Number(value.to_string()),
            Unit::Time => Shape::Text(exact_time(value)),
            Unit::Decimal("") => Shape::Fraction(fraction(value, MILLION)),
            Unit::Decimal(suffix) => Shape::Text(format!("{}{suffix}", fraction(value, MILLION))),
        };
        Value { shape, origin: origin.clone() }
    }
}

impl Unit {
    /// The unit of this text; `None` if it begins as no quantity does.
    fn of(text: &str) -> Option<Self> {
        text.starts_with(|c: char| c.is_ascii_digit()).then_some(())?;
        let suffix = SUFFIXES.into_iter().find(|suffix| text.ends_with(suffix));
        let is_made_of = |more: &str| text.chars().all(|c| c.is_ascii_digit() || more.contains(c));
        Some(match suffix {
            Some(suffix) => Unit::Decimal(suffix),
            None if is_made_of("") => Unit::Count,
            None if is_made_of(".") => Unit::Decimal(""),
            None => Unit::Time,
        })
    }

    fn read(self, text: &str) -> Result<u64, String> {
        match self {
            Unit::Count => text.parse().map_err(|_| format!("`{text}` is not a whole number that we can count to")),
            Unit::Time => parse_duration(text),
            Unit::Decimal(suffix) => {
                let number = decimal(text.strip_suffix(suffix).unwrap_or(text));
                let millionths = number.map(|number| number.numerator * (MILLION / number.denominator));
                millionths.ok_or_else(|| format!("`{text}` is not a number with at most six decimals"))
            }
        }
    }
}

/// A bare 0 has the unit of the other end.
fn common_unit(from: &str, to: &str) -> Result<Unit, String> {
    let unit = |text: &str| {
        Unit::of(text).ok_or_else(|| format!("`{text}` is not a quantity; among words, {{ choose = [..] }} chooses"))
    };
    match (unit(from)?, unit(to)?) {
        (one, other) if one == other => Ok(one),
        (Unit::Count, other) if from == "0" => Ok(other),
        (one, Unit::Count) if to == "0" => Ok(one),
        (Unit::Count, Unit::Decimal("")) | (Unit::Decimal(""), Unit::Count) => Ok(Unit::Decimal("")),
        _ => Err(format!("`{from}` and `{to}` have different units; write both in the same")),
    }
}

fn round_step(from: u64, to: u64) -> u64 {
    let is_multiple = |step: u64| from.is_multiple_of(step) && to.is_multiple_of(step);
    let steps = (1..19).map(|power| 10u64.pow(power));
    steps.take_while(|step| is_multiple(*step) && (to - from) / step >= STEPS_MIN).last().unwrap_or(1)
}

/// A length of time without loss, in the largest unit that is not above it: `41.3s`.
pub(crate) fn exact_time(nanos: Nanos) -> String {
    let units = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];
    match units.into_iter().find(|(_, scale)| nanos >= *scale) {
        Some((unit, scale)) => format!("{}{unit}", fraction(nanos, scale)),
        None => "0s".to_owned(),
    }
}

/// `number / scale` in decimal digits, for a power of ten.
fn fraction(number: u64, scale: u64) -> String {
    let (whole, rest, width) = (number / scale, number % scale, scale.ilog10() as usize);
    let text = format!("{whole}.{rest:0width$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::write::plain;
    use super::*;

    /// The first value, the second and the last.
    fn values(text: &str) -> [String; 3] {
        let range = Range::parse(text).unwrap();
        let shown = |value: &Value| match matches!(value.shape, Shape::Text(_)) {
            true => format!("\"{}\"", plain(value)),
            false => plain(value),
        };
        [0, 1, range.last()].map(|number| shown(&range.value(number, &Origin::Whole)))
    }

    #[test]
    fn ends_belong_to_the_range_and_steps_are_round() {
        for (text, wanted) in [
            ("30s..2m", ["\"30s\"", "\"30.1s\"", "\"120s\""]),
            ("0..5s", ["\"0s\"", "\"10ms\"", "\"5s\""]),
            ("1ms..10s", ["\"1ms\"", "\"2ms\"", "\"10s\""]),
            ("100us..10s", ["\"100us\"", "\"200us\"", "\"10s\""]),
            ("7ns..9ns", ["\"7ns\"", "\"8ns\"", "\"9ns\""]),
            ("3..9", ["3", "4", "9"]),
            ("0..18446744073709551615", ["0", "1", "18446744073709551615"]),
            ("1%..5%", ["\"1%\"", "\"1.01%\"", "\"5%\""]),
            ("0..0.5%", ["\"0%\"", "\"0.001%\"", "\"0.5%\""]),
            ("100ppm..200ppm", ["\"100ppm\"", "\"101ppm\"", "\"200ppm\""]),
            ("100/s..500/s", ["\"100/s\"", "\"101/s\"", "\"500/s\""]),
            ("0.5..2", ["0.5", "0.51", "2"]),
        ] {
            assert_eq!(values(text), wanted, "{text}");
        }
        assert_eq!(Range::parse("5s..5s").map(|range| range.last()), Ok(0), "a range of one");
    }

    /// What is printed is read back as what was drawn.
    #[test]
    fn times_are_printed_without_loss() {
        for nanos in [0, 1, 999, 1_001, 123_456, 41_300_000_000, 41_274_619_883, u64::MAX] {
            assert_eq!(parse_duration(&exact_time(nanos)), Ok(nanos));
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for (text, told) in [
            ("5s", "is not a range"),
            ("", "is not a range"),
            ("9..3", "runs backwards"),
            ("2m..30s", "runs backwards"),
            ("log..lease", "`log` is not a quantity; among words, { choose = [..] } chooses"),
            ("-5ms..5ms", "`-5ms` is not a quantity"),
            ("..5s", "`` is not a quantity"),
            ("30..60s", "`30` and `60s` have different units"),
            ("1%..500ppm", "different units"),
            ("1..99999999999999999999", "is not a whole number"),
            ("1.1234567%..2%", "at most six decimals"),
            ("1s..2fortnights", "not a unit of time"),
            ("1.5.2..3.5", "at most six decimals"),
        ] {
            assert!(Range::parse(text).unwrap_err().contains(told), "{text}: {:?}", Range::parse(text));
        }
    }
}
