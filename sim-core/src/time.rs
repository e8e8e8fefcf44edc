//! Time: whole nanoseconds, and how people write them.

pub use history::figures::duration as format_duration;

/// A length of time, or an instant of *true* (simulated) time counted from the beginning of the run, in nanoseconds.
pub type Nanos = u64;

/// One microsecond.
pub const MICROSECOND: Nanos = 1_000;
/// One millisecond.
pub const MILLISECOND: Nanos = 1_000_000;
/// One second.
pub const SECOND: Nanos = 1_000_000_000;
/// One minute.
pub const MINUTE: Nanos = 60 * SECOND;
/// One hour.
pub const HOUR: Nanos = 60 * MINUTE;

/// What a node's or client's own clock says. It may be early, late or drifting; true time is not to be had inside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct LocalTime(pub Nanos);

impl LocalTime {
    /// The time that has passed on this clock since `earlier`; 0 if the clock shows an earlier time now, as one that was
    /// set back does.
    pub fn since(self, earlier: LocalTime) -> Nanos {
        self.0.saturating_sub(earlier.0)
    }
}

impl std::ops::Add<Nanos> for LocalTime {
    type Output = LocalTime;
    fn add(self, length: Nanos) -> LocalTime {
        LocalTime(self.0 + length)
    }
}

const UNITS: [(&str, Nanos); 6] =
    [("ns", 1), ("us", MICROSECOND), ("ms", MILLISECOND), ("s", SECOND), ("m", MINUTE), ("h", HOUR)];

/// Reads a length of time such as `150ms`, `1.5s`, `1m30s` or `0`.
///
/// # Errors
/// What is wrong and what would be right, in words.
pub fn parse_duration(text: &str) -> Result<Nanos, String> {
    if text == "0" {
        return Ok(0);
    }
    let mut rest = text;
    let mut total: Nanos = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        if number.is_empty() {
            return Err(format!("`{text}` is not a length of time; write it like `150ms`, `1.5s` or `1m30s`"));
        }
        if unit.is_empty() {
            return Err(format!("`{text}` has no unit; write `{number}ms` or `{number}s`"));
        }
        let Some(&(_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("`{unit}` is not a unit of time; use ns, us, ms, s, m or h"));
        };
        let part = scaled(number, scale)
            .ok_or_else(|| format!("`{number}{unit}` is not a length of time we can count in nanoseconds"))?;
        total =
            total.checked_add(part).ok_or_else(|| format!("`{text}` is longer than we can count in nanoseconds"))?;
        rest = after;
    }
    if text.is_empty() {
        return Err("an empty text is not a length of time; write it like `150ms`".to_owned());
    }
    Ok(total)
}

/// `number * scale` for a decimal number, exactly; `None` if that is no whole number or too large.
pub(crate) fn scaled(number: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.contains('.') || (number.contains('.') && fraction.is_empty()) {
        return None;
    }
    let whole = whole.parse::<u64>().ok()?.checked_mul(scale)?;
    if fraction.is_empty() {
        return Some(whole);
    }
    let tenths = 10u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = fraction.parse::<u128>().ok()?.checked_mul(u128::from(scale))?;
    if part % tenths != 0 {
        return None;
    }
    whole.checked_add(u64::try_from(part / tenths).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, nanos) in [
            ("0", 0),
            ("150ms", 150 * MILLISECOND),
            ("1.5s", 1500 * MILLISECOND),
            ("1m30s", 90 * SECOND),
            ("250us", 250_000),
        ] {
            assert_eq!(parse_duration(text), Ok(nanos), "{text}");
        }
    }

    #[test]
    fn a_bad_duration_names_the_cure() {
        assert!(parse_duration("150").unwrap_err().contains("`150ms`"));
        assert!(parse_duration("3 weeks").unwrap_err().contains("no unit"));
        assert!(parse_duration("3fortnights").unwrap_err().contains("not a unit"));
        for text in ["", "ms", "-3s", "1..5s", "0.1ns", "99999999999h", "1.s", ".5s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
