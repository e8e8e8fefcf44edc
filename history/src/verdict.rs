//! Verdicts, and the findings that carry them.

use crate::Witness;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The four answers, never a silent green. Ordered so that the worst of several is their `max`:
/// FAIL over UNKNOWN over VACUOUS over PASS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Everything expected was checked, and held.
    Pass,
    /// Nothing was really tested: what the check reads was never observed.
    Vacuous,
    /// Neither shown right nor wrong.
    Unknown,
    /// Violated.
    Fail,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Pass => "PASS",
            Verdict::Vacuous => "VACUOUS",
            Verdict::Unknown => "UNKNOWN",
            Verdict::Fail => "FAIL",
        })
    }
}

/// Who asked for a check, and so whether its verdict counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Checked in every run, asked or not: the protocol's own laws, faults with an effect, progress after settle.
    Always,
    /// Demanded by the scenario.
    Must,
    /// A goal without which the run shows nothing.
    Reach,
    /// Reported, never fails.
    Should,
    /// A violation that the scenario is made to show.
    Shows,
}

/// The check that the protocol's own code did not panic: it fails with the words of the panic.
pub const NO_PANIC: &str = "no panic";

/// The check that the system came back when all had healed.
pub const PROGRESS: &str = "progress after settle";

/// One check and what it found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The check, in the words of the scenario file: `recovery <= 2s`.
    pub check: String,
    /// What it found.
    pub verdict: Verdict,
    /// One line: the number measured, what was read, or why it failed.
    pub detail: String,
    /// Who asked.
    pub level: Level,
    /// Whether the system promises what was checked, in words; `None` where nobody promises such a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promise: Option<String>,
    /// For a violation: what shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<Witness>,
    /// For a figure that was asked to lie in a range: the figure as a number, and the range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
}

/// A figure and the range it was asked to lie in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// What the numbers are.
    pub quantity: Quantity,
    /// What was measured.
    pub value: u64,
    /// The least that it may be.
    pub from: u64,
    /// The most.
    pub to: u64,
}

/// What a measured number is, and so its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quantity {
    /// Nanoseconds.
    Time,
    /// Parts of a billion.
    Share,
    /// How many.
    Count,
}

impl Finding {
    /// Whether its verdict enters the run's verdict.
    pub fn counts(&self) -> bool {
        self.level != Level::Should
    }
}

/// The verdict of a whole run: the worst of the findings that count; VACUOUS if there is none.
pub fn merged(findings: &[Finding]) -> Verdict {
    findings.iter().filter(|f| f.counts()).map(|f| f.verdict).max().unwrap_or(Verdict::Vacuous)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_verdict_wins_and_no_finding_is_vacuous() {
        use Verdict::*;
        let finding = |verdict, level| {
            let (check, detail) = (String::new(), String::new());
            Finding { check, verdict, detail, level, promise: None, witness: None, measured: None }
        };
        assert_eq!(merged(&[]), Vacuous);
        assert_eq!(merged(&[finding(Fail, Level::Should)]), Vacuous);
        assert_eq!(merged(&[finding(Pass, Level::Must), finding(Fail, Level::Should)]), Pass);
        let ordered = [Pass, Vacuous, Unknown, Fail];
        for (i, a) in ordered.iter().enumerate() {
            for b in &ordered[..=i] {
                assert_eq!(merged(&[finding(*a, Level::Must), finding(*b, Level::Always)]), *a);
            }
        }
    }
}
