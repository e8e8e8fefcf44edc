//! A protocol's settings: one table of keys that feeds the parser, the manual and the schema.

use crate::dice::Ratio;
use crate::time::{Nanos, format_duration, parse_duration};
use std::collections::BTreeMap;
use std::fmt;

/// One key that a scenario file may set.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As the file writes it, such as `election-timeout`.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Its value where the file says nothing, as the file would write it (`300ms..600ms`, `true`).
    pub default: &'static str,
    /// One sentence for the manual.
    pub text: &'static str,
}

/// What a key takes, with its bounds (both included).
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Count {
        /// At least.
        min: u64,
        /// At most.
        max: u64,
    },
    /// A number with at most six decimals, such as `8` or `2.5`.
    Decimal {
        /// At least.
        min: Ratio,
        /// At most.
        max: Ratio,
    },
    /// A length of time.
    Duration {
        /// At least.
        min: Nanos,
        /// At most.
        max: Nanos,
    },
    /// A range of times from which each use draws anew, such as `300ms..600ms`; a single time is a range of one.
    DurationRange {
        /// At least.
        min: Nanos,
        /// At most.
        max: Nanos,
    },
    /// A share, such as `5%` or `200ppm`.
    Share {
        /// At most.
        max: Ratio,
    },
    /// One of these words.
    Word(&'static [&'static str]),
}

/// A value for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// For [`Kind::Flag`].
    Flag(bool),
    /// For [`Kind::Count`].
    Count(u64),
    /// For [`Kind::Decimal`].
    Decimal(Ratio),
    /// For [`Kind::Duration`].
    Duration(Nanos),
    /// For [`Kind::DurationRange`].
    DurationRange(Nanos, Nanos),
    /// For [`Kind::Share`].
    Share(Ratio),
    /// For [`Kind::Word`].
    Word(&'static str),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Setting::Flag(flag) => flag.fmt(f),
            Setting::Count(count) => count.fmt(f),
            Setting::Decimal(number) => f.write_str(&format_decimal(number)),
            Setting::Duration(time) => f.write_str(&format_duration(time)),
            Setting::DurationRange(min, max) => write!(f, "{}..{}", format_duration(min), format_duration(max)),
            Setting::Share(share) => write!(f, "{share}"),
            Setting::Word(word) => f.write_str(word),
        }
    }
}

impl Kind {
    /// Reads a value from text: the file's string, or its number or boolean as it stands there.
    ///
    /// # Errors
    /// What is wrong and what would be right, in words.
    pub fn parse(self, text: &str) -> Result<Setting, String> {
        let within = |value: Nanos, min: Nanos, max: Nanos| {
            if value < min {
                Err(format!("{} is too short; at least {}", format_duration(value), format_duration(min)))
            } else if value > max {
                Err(format!("{} is too long; at most {}", format_duration(value), format_duration(max)))
            } else {
                Ok(value)
            }
        };
        match self {
            Kind::Flag => match text {
                "true" => Ok(Setting::Flag(true)),
                "false" => Ok(Setting::Flag(false)),
                _ => Err(format!("`{text}` is neither `true` nor `false`")),
            },
            Kind::Count { min, max } => match text.parse::<u64>() {
                Ok(count) if (min..=max).contains(&count) => Ok(Setting::Count(count)),
                _ => Err(format!("`{text}` is not a whole number from {min} to {max}")),
            },
            Kind::Decimal { min, max } => match parse_decimal(text) {
                Some(number) if !min.exceeds(number) && !number.exceeds(max) => Ok(Setting::Decimal(number)),
                _ => {
                    let (min, max) = (format_decimal(min), format_decimal(max));
                    Err(format!("`{text}` is not a number from {min} to {max} with at most six decimals"))
                }
            },
            Kind::Duration { min, max } => Ok(Setting::Duration(within(parse_duration(text)?, min, max)?)),
            Kind::DurationRange { min, max } => {
                let (from, to) = parse_duration_range(text)?;
                Ok(Setting::DurationRange(within(from, min, max)?, within(to, min, max)?))
            }
            Kind::Share { max } => match parse_share(text)? {
                share if share.exceeds(max) => Err(format!("{share} is too much; at most {max}")),
                share => Ok(Setting::Share(share)),
            },
            Kind::Word(words) => match words.iter().find(|word| **word == text) {
                Some(word) => Ok(Setting::Word(word)),
                None => Err(format!("`{text}` is not one of {}", words.join(", "))),
            },
        }
    }
}

/// Reads `300ms..600ms`, or `300ms` as a range of one.
///
/// # Errors
/// What is wrong and what would be right, in words.
pub fn parse_duration_range(text: &str) -> Result<(Nanos, Nanos), String> {
    let (from, to) = match text.split_once("..") {
        Some((from, to)) => (parse_duration(from)?, parse_duration(to)?),
        None => (parse_duration(text)?, parse_duration(text)?),
    };
    if from > to {
        return Err(format!("`{text}` runs backwards; write the shorter time first"));
    }
    Ok((from, to))
}

/// Reads a share such as `97%`, `0.01%` or `200ppm`, exactly.
///
/// # Errors
/// What is wrong and what would be right, in words.
pub fn parse_share(text: &str) -> Result<Ratio, String> {
    let (number, of) = match (text.strip_suffix('%'), text.strip_suffix("ppm")) {
        (Some(number), _) => (number, 100),
        (None, Some(number)) => (number, 1_000_000),
        (None, None) if text == "0" => ("0", 100),
        (None, None) => {
            return Err(format!("`{text}` is not a share; write it in per cent, like \"97%\" or \"0.01%\""));
        }
    };
    let number =
        parse_decimal(number).ok_or_else(|| format!("`{text}` is not a share; write it like \"97%\" or \"0.01%\""))?;
    let share = Ratio::new(number.numerator, number.denominator * of);
    if share.numerator > share.denominator {
        return Err(format!("`{text}` is more than everything; a share is at most 100%"));
    }
    Ok(share)
}

/// A decimal number, exactly, if it has at most nine figures before the point and six behind it.
pub fn parse_decimal(text: &str) -> Option<Ratio> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let complete = !whole.is_empty() && (!fraction.is_empty() || !text.contains('.'));
    if !complete || whole.len() > 9 || fraction.len() > 6 || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let denominator = 10u64.pow(fraction.len() as u32);
    let fraction = if fraction.is_empty() { 0 } else { fraction.parse::<u64>().ok()? };
    Some(Ratio::new(whole.parse::<u64>().ok()? * denominator + fraction, denominator))
}

/// A number as [`parse_decimal`] reads it.
pub fn format_decimal(number: Ratio) -> String {
    let millionths = u128::from(number.numerator) * 1_000_000 / u128::from(number.denominator);
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A named defect: a historically real mistake that can be switched on to see the checks bite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// As the file writes it, such as `ack-before-fsync`.
    pub name: &'static str,
    /// Its number in the catalogue of bugs, such as `R05`.
    pub id: &'static str,
    /// What is wrong, and where it really happened.
    pub text: &'static str,
}

/// The flaws switched on in a run; normally none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flaws(Vec<&'static str>);

impl Flaws {
    /// These flaws.
    pub fn new(flaws: impl IntoIterator<Item = &'static Flaw>) -> Self {
        Flaws(flaws.into_iter().map(|flaw| flaw.name).collect())
    }

    /// Whether this one is switched on.
    pub fn has(&self, flaw: &Flaw) -> bool {
        self.0.contains(&flaw.name)
    }

    /// The names of those switched on.
    pub fn names(&self) -> &[&'static str] {
        &self.0
    }
}

/// A value for every key of a table.
#[derive(Clone, Debug, Default)]
pub struct Values(BTreeMap<&'static str, Setting>);

impl Values {
    /// Every key at its default.
    ///
    /// # Panics
    /// If a default does not parse: the table is wrong, not the user.
    pub fn defaults(keys: &[Key]) -> Self {
        let parsed = |key: &Key| key.kind.parse(key.default).unwrap_or_else(|e| panic!("default of {}: {e}", key.name));
        Values(keys.iter().map(|key| (key.name, parsed(key))).collect())
    }

    /// Sets one key.
    pub fn set(&mut self, key: &Key, setting: Setting) {
        self.0.insert(key.name, setting);
    }

    /// Every key and its value, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Setting)> + '_ {
        self.0.iter().map(|(name, setting)| (*name, *setting))
    }

    fn get(&self, name: &str) -> Setting {
        *self.0.get(name).unwrap_or_else(|| panic!("the key table has no `{name}`"))
    }

    /// The value of a [`Kind::Flag`].
    pub fn flag(&self, name: &str) -> bool {
        let setting = self.get(name);
        let Setting::Flag(flag) = setting else { mistyped(name, setting) };
        flag
    }

    /// The value of a [`Kind::Count`].
    pub fn count(&self, name: &str) -> u64 {
        let setting = self.get(name);
        let Setting::Count(count) = setting else { mistyped(name, setting) };
        count
    }

    /// The value of a [`Kind::Duration`], in nanoseconds.
    pub fn duration(&self, name: &str) -> Nanos {
        let setting = self.get(name);
        let Setting::Duration(time) = setting else { mistyped(name, setting) };
        time
    }

    /// The value of a [`Kind::DurationRange`], in nanoseconds.
    pub fn duration_range(&self, name: &str) -> (Nanos, Nanos) {
        let setting = self.get(name);
        let Setting::DurationRange(from, to) = setting else { mistyped(name, setting) };
        (from, to)
    }

    /// The value of a [`Kind::Decimal`].
    pub fn decimal(&self, name: &str) -> Ratio {
        let setting = self.get(name);
        let Setting::Decimal(number) = setting else { mistyped(name, setting) };
        number
    }

    /// The value of a [`Kind::Share`].
    pub fn share(&self, name: &str) -> Ratio {
        let setting = self.get(name);
        let Setting::Share(share) = setting else { mistyped(name, setting) };
        share
    }

    /// The value of a [`Kind::Word`].
    pub fn word(&self, name: &str) -> &'static str {
        let setting = self.get(name);
        let Setting::Word(word) = setting else { mistyped(name, setting) };
        word
    }
}

fn mistyped(name: &str, setting: Setting) -> ! {
    panic!("`{name}` holds {setting:?}: the protocol reads it as another kind than its key table says")
}

/// A protocol refuses a combination of settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The key to point at.
    pub key: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
}

/// The settings of a protocol.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the settings of a protocol",
    note = "a protocol without settings says `type Config = ();`"
)]
pub trait Settings: Clone + fmt::Debug + 'static {
    /// Its keys.
    const KEYS: &'static [Key];
    /// The defects it can be given.
    const FLAWS: &'static [Flaw];

    /// From values that each fit their key.
    ///
    /// # Errors
    /// If they do not fit together.
    fn build(values: &Values, flaws: Flaws) -> Result<Self, Rejected>;

    /// Whether so many nodes can run with these settings: some say how many of them it takes.
    ///
    /// # Errors
    /// If they cannot.
    fn fits_cluster(&self, nodes: u32) -> Result<(), Rejected> {
        let _ = nodes;
        Ok(())
    }

    /// Whether clients can operate on this kind of data under these settings, by its name.
    ///
    /// # Errors
    /// If they cannot.
    fn fits_data(&self, data: &str) -> Result<(), Rejected> {
        let _ = data;
        Ok(())
    }

    /// With every key at its default and no flaw.
    ///
    /// # Panics
    /// If the defaults do not fit together: the table is wrong.
    fn defaults() -> Self {
        Self::build(&Values::defaults(Self::KEYS), Flaws::default()).expect("the defaults fit together")
    }
}

/// No settings at all.
impl Settings for () {
    const KEYS: &'static [Key] = &[];
    const FLAWS: &'static [Flaw] = &[];
    fn build(_: &Values, _: Flaws) -> Result<Self, Rejected> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{MILLISECOND, SECOND};

    #[test]
    fn each_kind_reads_its_text_and_refuses_others() {
        let duration = Kind::Duration { min: MILLISECOND, max: SECOND };
        assert_eq!(duration.parse("20ms"), Ok(Setting::Duration(20 * MILLISECOND)));
        assert!(duration.parse("2s").unwrap_err().contains("at most 1s"));
        let range = Kind::DurationRange { min: 0, max: SECOND };
        assert_eq!(range.parse("1ms..3ms"), Ok(Setting::DurationRange(MILLISECOND, 3 * MILLISECOND)));
        assert_eq!(range.parse("1ms").map(|s| s.to_string()), Ok("1ms..1ms".to_owned()));
        assert!(range.parse("3ms..1ms").unwrap_err().contains("backwards"));
        let decimal = Kind::Decimal { min: Ratio::new(1, 2), max: Ratio::new(32, 1) };
        assert_eq!(decimal.parse("2.50"), Ok(Setting::Decimal(Ratio::new(250, 100))));
        assert_eq!(
            ["0.5", "8", "2.50"].map(|text| decimal.parse(text).expect("it fits").to_string()),
            ["0.5", "8", "2.5"]
        );
        for wrong in ["0.4", "32.000001", "1e3", "-1", "8%", ".5"] {
            let error = decimal.parse(wrong).expect_err(wrong);
            assert_eq!(error, format!("`{wrong}` is not a number from 0.5 to 32 with at most six decimals"));
        }
        let share = Kind::Share { max: Ratio::new(1, 4) };
        assert_eq!(share.parse("2.5%").map(|s| s.to_string()), Ok("2.5%".to_owned()));
        assert_eq!(share.parse("200ppm").map(|s| s.to_string()), Ok("0.02%".to_owned()));
        assert!(share.parse("26%").unwrap_err().contains("at most 25%"));
        assert!(Kind::Flag.parse("yes").is_err());
        assert!(Kind::Count { min: 1, max: 9 }.parse("10").is_err());
        assert!(Kind::Word(&["log", "read-index"]).parse("lease").unwrap_err().contains("log, read-index"));
    }
}
