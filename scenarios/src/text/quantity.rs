//! How values are written: one method per thing that a key can take.

use super::entry::{Takes, quoted};
use super::{Shape, Table, Value};
use crate::codes;
use crate::diagnostics::{Diagnostic, Origin};
use sim_core::dice::Ratio;
pub(crate) use sim_core::settings::parse_decimal as decimal;
pub(crate) use sim_core::settings::parse_share;
use sim_core::settings::{Kind, Setting};
use sim_core::time::parse_duration;

/// A value, and what its key takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'a> {
    pub key: &'a str,
    pub takes: Takes,
    pub value: &'a Value,
}

impl<'a> Given<'a> {
    /// The same key, for one of the elements of its value.
    pub fn element(self, value: &'a Value) -> Self {
        Given { value, ..self }
    }

    pub fn wrong_type(&self) -> Diagnostic {
        let message = format!("`{}` takes {}; this is {}", self.key, self.takes.noun(), self.value.noun());
        Diagnostic::new(&codes::WRONG_TYPE, &self.value.origin, message)
    }

    /// The value is of the right type, and still wrong.
    pub fn bad(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(&codes::BAD_VALUE, &self.value.origin, message)
    }

    pub fn text(&self) -> Result<&'a str, Diagnostic> {
        let Shape::Text(text) = &self.value.shape else { return Err(self.wrong_type()) };
        Ok(text)
    }

    /// A text that can stand in a file name, a stream's name and a sentence.
    pub fn name(&self) -> Result<&'a str, Diagnostic> {
        let name = self.text()?;
        check_name(name, &self.value.origin)?;
        Ok(name)
    }

    /// A quantity as a text. A bare number is let through, for what reads it knows which units it could have.
    pub fn quantity(&self) -> Result<&'a str, Diagnostic> {
        if let Shape::Number(number) | Shape::Fraction(number) = &self.value.shape {
            return Ok(number);
        }
        self.text()
    }

    pub fn table(&self) -> Result<&'a Table, Diagnostic> {
        let Shape::Table(table) = &self.value.shape else { return Err(self.wrong_type()) };
        Ok(table)
    }

    pub fn list(&self) -> Result<&'a [Value], Diagnostic> {
        let Shape::List(items) = &self.value.shape else { return Err(self.wrong_type()) };
        Ok(items)
    }

    /// The elements of a list, or the one thing that stands for a list of one.
    pub fn one_or_more(&self) -> &'a [Value] {
        if let Shape::List(items) = &self.value.shape { items } else { std::slice::from_ref(self.value) }
    }

    pub fn setting(&self, kind: Kind) -> Result<Setting, Diagnostic> {
        let text = match (kind, &self.value.shape) {
            (Kind::Flag, Shape::Flag(flag)) => return Ok(Setting::Flag(*flag)),
            (Kind::Count { .. } | Kind::Decimal { .. }, Shape::Number(number)) => number,
            (Kind::Decimal { .. }, Shape::Fraction(number)) => number,
            (Kind::Flag | Kind::Count { .. } | Kind::Decimal { .. }, _) => return Err(self.wrong_type()),
            (Kind::Duration { .. } | Kind::DurationRange { .. } | Kind::Share { .. }, _) => self.quantity()?,
            (Kind::Word(words), _) => {
                let text = self.text()?;
                return kind.parse(text).map_err(|_| self.unknown_word(text, words));
            }
        };
        kind.parse(text).map_err(|message| self.bad(message))
    }

    pub fn unknown_word(&self, word: &str, words: &[&str]) -> Diagnostic {
        let message = format!("`{word}` is not a word that `{}` takes", self.key);
        Diagnostic::new(&codes::UNKNOWN_WORD, &self.value.origin, message)
            .label(did_you_mean(word, words))
            .help(format!("`{}` takes {}", self.key, quoted(words)))
    }

    /// `97%`, `0.01%` or `200ppm`, exactly.
    pub fn share(&self) -> Result<Ratio, Diagnostic> {
        let text = self.quantity()?;
        parse_share(text).map_err(|message| self.bad(message))
    }

    /// `300/s`, in operations a second.
    pub fn rate(&self) -> Result<Ratio, Diagnostic> {
        let text = self.quantity()?;
        let read = || {
            let (number, unit) = text.split_once('/')?;
            let seconds = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                _ => return None,
            };
            let rate = decimal(number)?;
            Some(Ratio::new(rate.numerator, rate.denominator.checked_mul(seconds)?))
        };
        let rate = read().ok_or_else(|| self.bad(format!("`{text}` is not a rate; write it like \"300/s\"")))?;
        if rate.numerator == 0 {
            return Err(self.bad("a rate of nothing; leave the load out instead"));
        }
        Ok(rate)
    }

    /// `64KB`, in bytes.
    pub fn size(&self) -> Result<u64, Diagnostic> {
        parse_size(self.quantity()?).map_err(|message| self.bad(message))
    }

    /// `1MB/s` or `10Mbit/s`, in bytes a second; not 0.
    pub fn bandwidth(&self) -> Result<u64, Diagnostic> {
        let text = self.quantity()?;
        let of_bits = |text: &str| scaled(text, &BITS).map(|bits| bits / 8);
        let read = text.strip_suffix("/s").and_then(|amount| scaled(amount, &SIZES).or_else(|| of_bits(amount)));
        match read {
            None => Err(self.bad(format!("`{text}` is not a bandwidth; write it like \"1MB/s\" or \"10Mbit/s\""))),
            Some(0) => Err(self.bad("a bandwidth of less than a byte a second; cut the link instead")),
            Some(bytes) => Ok(bytes),
        }
    }

    pub fn decimal(&self) -> Result<Ratio, Diagnostic> {
        let (Shape::Number(number) | Shape::Fraction(number)) = &self.value.shape else {
            return Err(self.wrong_type());
        };
        decimal(number).ok_or_else(|| self.bad(format!("`{number}` is not a number from 0 with at most six decimals")))
    }

    /// `-50ms..50ms`, in nanoseconds.
    pub fn offset(&self) -> Result<(i64, i64), Diagnostic> {
        let text = self.quantity()?;
        let (min, max) = match text.split_once("..") {
            Some((min, max)) => (self.signed_time(min)?, self.signed_time(max)?),
            None => (self.signed_time(text)?, self.signed_time(text)?),
        };
        if min > max {
            return Err(self.bad(format!("`{text}` runs backwards; write the earlier first")));
        }
        Ok((min, max))
    }

    fn signed_time(&self, text: &str) -> Result<i64, Diagnostic> {
        let (sign, length) = signed(text);
        let length = parse_duration(length).map_err(|message| self.bad(message))?;
        let in_bounds = i64::try_from(length).ok().filter(|length| *length <= OFFSET_MAX);
        Ok(sign * in_bounds.ok_or_else(|| self.bad(format!("`{text}` is too far off; at most 59m")))?)
    }

    /// `-5s`, in nanoseconds; not 0.
    pub fn step(&self) -> Result<i64, Diagnostic> {
        match self.signed_time(self.quantity()?)? {
            0 => Err(self.bad("a clock that jumps by nothing is right; leave the key out")),
            step => Ok(step),
        }
    }

    /// `+5%` or `-200ppm`, in nanoseconds a second; not 0.
    pub fn drift(&self) -> Result<i64, Diagnostic> {
        let text = self.quantity()?;
        let (sign, share) = signed(text);
        let share = parse_share(share).map_err(|message| self.bad(message))?;
        let ppb = u128::from(share.numerator) * 1_000_000_000 / u128::from(share.denominator);
        match i64::try_from(ppb).ok().filter(|ppb| *ppb <= DRIFT_MAX) {
            None => Err(self.bad(format!("`{text}` is too much; a clock's rate is wrong by at most 50%"))),
            Some(0) => Err(self.bad("a clock that gains nothing is right; leave the key out")),
            Some(ppb) => Ok(sign * ppb),
        }
    }
}

/// `64KB`, in bytes.
///
/// # Errors
/// If it is no size: what would be.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let cure = "write it like \"64KB\", in B, KB, MB, GB, KiB, MiB or GiB";
    scaled(text, &SIZES).ok_or_else(|| format!("`{text}` is not a size; {cure}"))
}

/// Units of size, in bytes.
const SIZES: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

/// Units by which networks are sold, in bits.
const BITS: [(&str, u64); 4] = [("Kbit", 1_000), ("Mbit", 1_000_000), ("Gbit", 1_000_000_000), ("bit", 1)];

/// A number and one of these units; a bare 0 is 0 of any.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let (number, unit) = units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))?;
    let number = decimal(number)?;
    u64::try_from(u128::from(number.numerator) * u128::from(unit) / u128::from(number.denominator)).ok()
}

/// The sign of a quantity, and the rest.
fn signed(text: &str) -> (i64, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// In nanoseconds a second: half.
const DRIFT_MAX: i64 = 500_000_000;

/// The engine's clocks begin at an hour, and show no time before 0.
pub(crate) const OFFSET_MAX: i64 = 59 * sim_core::time::MINUTE as i64;

/// Whether this can be a name.
pub(crate) fn check_name(name: &str, origin: &Origin) -> Result<(), Diagnostic> {
    const LENGTH_MAX: usize = 80;
    let is_plain = name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    if !is_plain || name.is_empty() || name.starts_with('.') || name.len() > LENGTH_MAX {
        let message = "a name is one word of letters, digits, `-`, `_` and `.`";
        return Err(Diagnostic::new(&codes::BAD_VALUE, origin, message));
    }
    Ok(())
}

/// The candidate that the author may have meant, as a question; empty if there is none.
pub(crate) fn did_you_mean(word: &str, candidates: &[&str]) -> String {
    closest(word, candidates).map_or(String::new(), |found| format!("did you mean `{found}`?"))
}

/// The candidate that is this word but for a slip or two.
pub(crate) fn closest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    const LENGTH_MAX: usize = 100;
    if word.len() > LENGTH_MAX {
        return None;
    }
    let lower = word.to_lowercase();
    let distance = |candidate: &&str| strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
    let (best, slips) = candidates.iter().map(|candidate| (*candidate, distance(candidate))).min_by_key(|(_, d)| *d)?;
    (slips <= (best.len() / 3).max(1)).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given<T>(shape: Shape, read: impl Fn(&Given<'_>) -> Result<T, Diagnostic>) -> Result<T, String> {
        let value = Value { shape, origin: Origin::Whole };
        read(&Given { key: "key", takes: Takes::Share, value: &value }).map_err(|diagnostic| diagnostic.message)
    }

    fn text<T>(text: &str, read: impl Fn(&Given<'_>) -> Result<T, Diagnostic>) -> Result<T, String> {
        given(Shape::Text(text.to_owned()), read)
    }

    #[test]
    fn shares_are_exact() {
        for (written, share) in [
            ("97%", (97, 100)),
            ("0.01%", (1, 10_000)),
            ("98.5%", (985, 1000)),
            ("200ppm", (200, 1_000_000)),
            ("0", (0, 100)),
        ] {
            assert_eq!(text(written, |given| given.share()), Ok(Ratio::new(share.0, share.1)), "{written}");
        }
        assert!(text("101%", |given| given.share()).unwrap_err().contains("at most 100%"));
        assert!(given(Shape::Fraction("0.97".into()), |given| given.share()).unwrap_err().contains("per cent"));
        for bad in ["", "%", "1.%", ".5%", "-1%", "1e3%", "0.12345678%", "99999999999999999999%", "५%"] {
            assert!(text(bad, |given| given.share()).is_err(), "{bad}");
        }
    }

    #[test]
    fn rates_count_per_second() {
        assert_eq!(text("300/s", |given| given.rate()), Ok(Ratio::new(300, 1)));
        assert_eq!(text("1.5/m", |given| given.rate()), Ok(Ratio::new(15, 600)));
        assert!(given(Shape::Number("300".into()), |given| given.rate()).unwrap_err().contains("\"300/s\""));
        assert!(text("0/s", |given| given.rate()).is_err());
    }

    #[test]
    fn sizes_and_bandwidths_have_units() {
        for (written, bytes) in [("64KB", 64_000), ("64KiB", 65_536), ("1.5MB", 1_500_000), ("7B", 7), ("0", 0)] {
            assert_eq!(text(written, |given| given.size()), Ok(bytes), "{written}");
        }
        for (written, bytes) in [("1MB/s", 1_000_000), ("10Mbit/s", 1_250_000), ("1GiB/s", 1 << 30), ("8bit/s", 1)] {
            assert_eq!(text(written, |given| given.bandwidth()), Ok(bytes), "{written}");
        }
        for bad in ["64", "KB", "64 KB", "64kb", "-1B", "64KB/s", ""] {
            assert!(text(bad, |given| given.size()).is_err(), "{bad}");
        }
        for bad in ["1MB", "0", "0B/s", "7bit/s", "1MB/m", "/s", "1e3B/s", "999999999999GB/s"] {
            assert!(text(bad, |given| given.bandwidth()).is_err(), "{bad}");
        }
        assert!(given(Shape::Number("64".into()), |given| given.size()).unwrap_err().contains("\"64KB\""));
    }

    #[test]
    fn offsets_have_signs() {
        assert_eq!(text("-50ms..50ms", |given| given.offset()), Ok((-50_000_000, 50_000_000)));
        assert_eq!(text("+1s", |given| given.offset()), Ok((1_000_000_000, 1_000_000_000)));
        assert!(text("5ms..-5ms", |given| given.offset()).unwrap_err().contains("backwards"));
        assert!(text("9999999h", |given| given.offset()).is_err());
    }

    #[test]
    fn steps_and_drifts_have_signs_and_are_not_nothing() {
        assert_eq!(text("-5s", |given| given.step()), Ok(-5_000_000_000));
        assert_eq!(text("1m", |given| given.step()), Ok(60_000_000_000));
        assert_eq!(text("+5%", |given| given.drift()), Ok(50_000_000));
        assert_eq!(text("-200ppm", |given| given.drift()), Ok(-200_000));
        assert!(text("-60m", |given| given.step()).unwrap_err().contains("at most 59m"));
        assert!(text("51%", |given| given.drift()).unwrap_err().contains("at most 50%"));
        for nothing in ["0", "-0s", "1s..2s", "--5s", ""] {
            assert!(text(nothing, |given| given.step()).is_err(), "{nothing}");
        }
        for nothing in ["0%", "0.0001ppm", "5", "+-5%", ""] {
            assert!(text(nothing, |given| given.drift()).is_err(), "{nothing}");
        }
    }

    #[test]
    fn a_slip_is_forgiven_a_guess_is_not() {
        let words = ["target", "at", "groups", "disk"];
        assert_eq!(closest("traget", &words), Some("target"));
        assert_eq!(closest("Group", &words), Some("groups"));
        assert_eq!(closest("election", &words), None);
        assert_eq!(closest(&"t".repeat(1_000_000), &words), None, "and garbage costs nothing");
    }
}
