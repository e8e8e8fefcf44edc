//! What systems are compared by.

use crate::statistics::paired::Average;
use crate::words;
use history::Verdict;
use history::figures::{counted, grouped, measured};

/// A run, as far as it is compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Its seed.
    pub seed: u64,
    /// What it came to, by its own expectations.
    pub verdict: Verdict,
    /// The share of operations served in time; `None` without any, as is whatever follows from them.
    pub achieved: Option<f64>,
    /// The share that could have been, whatever the system had done.
    pub possible: Option<f64>,
    /// How long nobody was served, in nanoseconds,
    pub outage_ns: u64,
    /// and the longest such time.
    pub outage_max_ns: u64,
    /// Half of the answers came at least this fast, in nanoseconds;
    pub p50_ns: Option<u64>,
    /// 99 of 100 did.
    pub p99_ns: Option<u64>,
    /// Operations that were served.
    pub ok: Option<u64>,
    /// Reads of which anybody can tell how old they were.
    pub reads: Option<u64>,
    /// Those of them that returned what had been replaced.
    pub stale_reads: Option<u64>,
}

/// A number that each run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// The share of operations served in time.
    Availability,
    /// The share that could have been served: what nodes and links allowed such a system.
    Possible,
    /// How long nobody was served.
    Unavailable,
    /// The longest such time.
    Longest,
    /// How fast half of the answers came.
    P50,
    /// How fast 99 of 100 did.
    P99,
    /// Operations that were served.
    Served,
    /// The share of reads that returned what had been replaced.
    Stale,
    /// Runs that failed their own expectations.
    Failed,
}

/// What a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A part of a whole, between 0 and 1.
    Share,
    /// Nanoseconds.
    Time,
    /// Things.
    Count,
}

/// What a metric is about: where there are several for one thing, a sentence tells of the first that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Whether clients are served.
    Service,
    /// How fast.
    Speed,
    /// Whether what they are told is right.
    Truth,
}

impl Metric {
    /// All, in the order of tables.
    pub const ALL: [Metric; 9] = [
        Metric::Availability,
        Metric::Possible,
        Metric::Unavailable,
        Metric::Longest,
        Metric::P50,
        Metric::P99,
        Metric::Served,
        Metric::Stale,
        Metric::Failed,
    ];

    /// As the command line and JSON call it.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Availability => "availability",
            Metric::Possible => "possible",
            Metric::Unavailable => "unavailable",
            Metric::Longest => "longest",
            Metric::P50 => "p50",
            Metric::P99 => "p99",
            Metric::Served => "served",
            Metric::Stale => "stale",
            Metric::Failed => "failed",
        }
    }

    /// As tables call it.
    pub fn heading(self) -> &'static str {
        match self {
            Metric::Availability => "availability",
            Metric::Possible => "best possible",
            Metric::Unavailable => "nobody served / run",
            Metric::Longest => "longest outage",
            Metric::P50 => "response time, p50",
            Metric::P99 => "response time, p99",
            Metric::Served => "operations served",
            Metric::Stale => "stale reads",
            Metric::Failed => "failed runs",
        }
    }

    /// Over runs, the mean where sums mean something, and the median where a few runs would drown the others.
    pub fn average(self) -> Average {
        match self {
            Metric::Availability | Metric::Possible | Metric::Unavailable => Average::Mean,
            Metric::Served | Metric::Stale | Metric::Failed => Average::Mean,
            Metric::Longest | Metric::P50 | Metric::P99 => Average::Median,
        }
    }

    /// What it counts.
    pub fn unit(self) -> Unit {
        match self {
            Metric::Availability | Metric::Possible | Metric::Stale | Metric::Failed => Unit::Share,
            Metric::Unavailable | Metric::Longest | Metric::P50 | Metric::P99 => Unit::Time,
            Metric::Served => Unit::Count,
        }
    }

    /// The number of a run; `None` where nobody can tell.
    pub fn of(self, run: &Compared) -> Option<f64> {
        let whole = |count: u64| count as f64;
        match self {
            Metric::Availability => run.achieved,
            Metric::Possible => run.possible,
            Metric::Unavailable => Some(whole(run.outage_ns)),
            Metric::Longest => Some(whole(run.outage_max_ns)),
            Metric::P50 => run.p50_ns.map(whole),
            Metric::P99 => run.p99_ns.map(whole),
            Metric::Served => run.ok.map(whole),
            Metric::Stale => Some(whole(run.stale_reads?) / whole(run.reads.filter(|reads| *reads > 0)?)),
            Metric::Failed => Some(f64::from(u8::from(run.verdict == Verdict::Fail))),
        }
    }

    /// What it is about; `None` for what is no merit of a system.
    pub(super) fn side(self) -> Option<Side> {
        match self {
            Metric::Availability | Metric::Unavailable | Metric::Longest | Metric::Served => Some(Side::Service),
            Metric::P50 | Metric::P99 => Some(Side::Speed),
            Metric::Stale | Metric::Failed => Some(Side::Truth),
            Metric::Possible => None,
        }
    }

    /// Whether more of it is better.
    pub(super) fn is_merit(self) -> bool {
        matches!(self, Metric::Availability | Metric::Possible | Metric::Served)
    }

    /// What a system does that is better at it, and one that is worse.
    pub(super) fn deeds(self) -> [&'static str; 2] {
        match self {
            Metric::Availability => ["is more available", "is less available"],
            Metric::Possible => ["could serve more", "could serve less"],
            Metric::Unavailable => ["serves nobody for less time", "serves nobody for longer"],
            Metric::Longest => ["has shorter outages", "has longer outages"],
            Metric::P50 => ["answers sooner", "answers later"],
            Metric::P99 => ["is sooner with its slowest answers", "is later with its slowest answers"],
            Metric::Served => ["serves more operations", "serves fewer operations"],
            Metric::Stale => ["reads what was replaced less often", "reads what was replaced more often"],
            Metric::Failed => ["fails its own expectations less often", "fails its own expectations more often"],
        }
    }
}

impl Unit {
    /// `97.69 %`, `1.42s`, `1 618`.
    pub fn told(self, value: f64) -> String {
        match self {
            Unit::Share => format!("{} %", percents(value)),
            Unit::Time => measured(nanos(value)),
            Unit::Count => grouped(libm::round(value.max(0.0)) as u64),
        }
    }

    /// With its sign, and the unit in words: `+2.26 points`, `-57ms`.
    pub fn difference(self, value: f64) -> String {
        let unit = if self == Unit::Share { " points" } else { "" };
        format!("{}{unit}", self.signed(value))
    }

    /// With its sign.
    pub fn signed(self, value: f64) -> String {
        let sign = if is_nothing(value) {
            ""
        } else if value < 0.0 {
            "-"
        } else {
            "+"
        };
        format!("{sign}{}", self.size(value))
    }

    /// Whether a difference is too small for a sentence: below a hundredth of a point, a nanosecond, a tenth of a thing.
    pub(super) fn is_slight(self, value: f64) -> bool {
        let told = match self {
            Unit::Share => hundredths(value.abs() * 100.0),
            Unit::Time => measured(nanos(value.abs())),
            Unit::Count => tenths(value.abs()),
        };
        told.bytes().all(|byte| !byte.is_ascii_digit() || byte == b'0')
    }

    /// Without its sign.
    fn size(self, value: f64) -> String {
        match self {
            Unit::Share => percents(value.abs()),
            Unit::Time => measured(nanos(value.abs())),
            Unit::Count if value.abs() < 0.05 => first_digit(value.abs()),
            Unit::Count => tenths(value.abs()),
        }
    }
}

/// Failures of so many runs, and what is known if there were none: `3 of 500`, `0 of 500 (below 0.60 %)`.
pub(super) fn failures(failed: u64, all: u64) -> String {
    let below = crate::statistics::below(all);
    let bound =
        if failed == 0 && all > 3 { format!(" (below {} %)", hundredths(below * 100.0)) } else { String::new() };
    format!("{} of {}{bound}", grouped(failed), counted(all, "run"))
}

fn nanos(value: f64) -> u64 {
    libm::round(value.clamp(0.0, 1e18)) as u64
}

/// Beside this, sums of shares are not exact.
const NOTHING: f64 = 1e-12;

fn is_nothing(value: f64) -> bool {
    value.abs() < NOTHING
}

/// A share in percent: to the second decimal, or further where that would tell something as nothing.
fn percents(share: f64) -> String {
    if share < 0.00005 { first_digit(share * 100.0) } else { hundredths(share * 100.0) }
}

/// What is small, to its first digit that is not 0: `0.003`. What is nothing is `0`.
fn first_digit(value: f64) -> String {
    if value < 100.0 * NOTHING {
        return "0".to_owned();
    }
    let places = (1..=12).find(|places| libm::round(value * libm::pow(10.0, f64::from(*places))) >= 1.0).unwrap_or(12);
    format!("{value:.*}", places as usize)
}

/// To the second decimal.
fn hundredths(value: f64) -> String {
    let parts = libm::round(value.clamp(0.0, 1e12) * 100.0) as u64;
    format!("{}.{:02}", grouped(parts / 100), parts % 100)
}

/// To the first decimal where that matters.
fn tenths(value: f64) -> String {
    let parts = libm::round(value.clamp(0.0, 1e15) * 10.0) as u64;
    if parts >= 1000 || parts.is_multiple_of(10) {
        return grouped((parts + 5) / 10);
    }
    format!("{}.{}", parts / 10, parts % 10)
}

/// A text of this module for pages, which have their own space before units and a true minus.
pub(super) fn typeset(text: &str) -> String {
    let text = words::told(text).replace(" %", "\u{202f}%");
    let signed: Vec<String> = text.split(' ').map(|word| word.replacen("(-", "(\u{2212}", 1)).collect();
    signed
        .iter()
        .map(|word| word.strip_prefix('-').map_or(word.clone(), |rest| format!("\u{2212}{rest}")))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_in_their_units() {
        assert_eq!(
            [Unit::Share.told(0.97686), Unit::Time.told(1.42e9), Unit::Count.told(1618.2)],
            ["97.69 %", "1.42s", "1 618"]
        );
        let differences = [
            Unit::Share.difference(0.0226),
            Unit::Time.difference(-5.7e7),
            Unit::Count.difference(2.34),
            Unit::Count.difference(-1234.4),
            Unit::Share.difference(-0.00001),
        ];
        assert_eq!(differences, ["+2.26 points", "-57ms", "+2.3", "-1 234", "-0.001 points"]);
    }

    /// What is small is told as small, and only what is nothing as nothing.
    #[test]
    fn a_small_difference_is_not_told_as_none() {
        let told = [0.00005, 0.00003, -0.000002, 1e-17, 0.0].map(|value| Unit::Share.difference(value));
        assert_eq!(told, ["+0.01 points", "+0.003 points", "-0.0002 points", "0 points", "0 points"]);
        assert_eq!([Unit::Count.difference(0.04), Unit::Count.difference(0.06)], ["+0.04", "+0.1"]);
        assert_eq!([Unit::Share.is_slight(0.00003), Unit::Share.is_slight(0.0006)], [true, false]);
    }

    #[test]
    fn no_failure_is_a_bound() {
        let told = [failures(0, 500), failures(3, 500), failures(0, 2)];
        assert_eq!(told, ["0 of 500 runs (below 0.60 %)", "3 of 500 runs", "0 of 2 runs"]);
    }

    #[test]
    fn pages_have_a_true_minus_and_thin_spaces() {
        assert_eq!(
            typeset("-57ms (-60ms to +1.2s) 0.5 %"),
            "\u{2212}57\u{202f}ms (\u{2212}60\u{202f}ms to +1.2\u{202f}s) 0.5\u{202f}%"
        );
    }
}
