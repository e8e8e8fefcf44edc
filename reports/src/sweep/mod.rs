//! Many runs of a scenario in one answer: how many passed, in which ways others failed, and how to see each way again; and, as
//! a page, how their numbers are spread, which settings matter, and what was tested.
//!
//! A summary is fed run by run, in the order of the seeds, and its size does not depend on how many there are: it counts, and
//! keeps of each kind of failure the first. A [`Study`] keeps some numbers of each run beside that.

mod factors;
mod json;
mod page;
mod study;
mod text;

pub use factors::Separates;
pub use json::json;
pub use page::page;
pub use study::{Measured, Reads, Sort, Study};
pub use text::text;

use crate::command;
use history::Verdict;
use std::collections::BTreeMap;

/// More kinds of failure of one scenario than this are counted together.
const GROUPS_MAX: usize = 200;

/// More failing runs than this are not listed one by one; the database has them all.
const LISTED_MAX: usize = 1000;

/// What a sweep came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// The version of stormglass.
    pub version: String,
    /// Each scenario.
    pub scenarios: Vec<Swept>,
    /// Why not everything was run that was asked for; `None` if it was, or if nobody knows what was asked for.
    pub ended: Option<String>,
    /// Where all runs are.
    pub saved: String,
}

/// What a scenario came to, in all its variants.
#[derive(Clone, Debug, Default)]
pub struct Swept {
    /// The scenario's name.
    pub name: String,
    /// Its variants, in the order of the matrix; one without a name if there is no matrix.
    pub variants: Vec<Variant>,
    /// What goes with failing, if anybody looked: it takes a [`Study`].
    pub separates: Option<Separates>,
    groups: BTreeMap<(std::cmp::Reverse<Verdict>, String), Group>,
    /// Runs that did not pass, of kinds that are too many to be told.
    ungrouped: u64,
    listed: Vec<Failed>,
}

/// A variant, and what it came to.
#[derive(Clone, Debug, Default)]
pub struct Variant {
    /// Such as `protocol.pre-vote=false`; empty without a matrix.
    pub name: String,
    /// How one of its runs is had again.
    pub source: Source,
    /// What it came to.
    pub tally: Tally,
}

/// What a command needs to show a run again.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// What the command is called.
    pub program: String,
    /// The scenario's file.
    pub file: String,
    /// The changes made to it.
    pub set: Vec<(String, String)>,
}

impl Source {
    fn command(&self, verb: &str, seed: u64) -> String {
        command::of_seed(&self.program, verb, &self.file, seed, &self.set)
    }
}

/// How many runs came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Everything held.
    pub passed: u64,
    /// Something was violated.
    pub failed: u64,
    /// Neither shown right nor wrong.
    pub unknown: u64,
    /// Nothing was tested.
    pub vacuous: u64,
    /// Asked for, and not run.
    pub missing: u64,
    /// How long all of them lasted, in simulated nanoseconds.
    pub simulated_ns: u128,
}

impl Tally {
    /// The runs there are.
    pub fn runs(&self) -> u64 {
        self.passed + self.failed + self.unknown + self.vacuous
    }

    /// The runs that were decided.
    fn decided(&self) -> u64 {
        self.passed + self.failed
    }

    /// The worst of them; VACUOUS if there is none.
    pub fn verdict(&self) -> Verdict {
        match self {
            Tally { failed: 1.., .. } => Verdict::Fail,
            Tally { unknown: 1.., .. } => Verdict::Unknown,
            Tally { vacuous: 1.., .. } | Tally { passed: 0, .. } => Verdict::Vacuous,
            Tally { .. } => Verdict::Pass,
        }
    }

    fn of(&self, verdict: Verdict) -> u64 {
        match verdict {
            Verdict::Pass => self.passed,
            Verdict::Fail => self.failed,
            Verdict::Unknown => self.unknown,
            Verdict::Vacuous => self.vacuous,
        }
    }

    fn count(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Pass => &mut self.passed,
            Verdict::Fail => &mut self.failed,
            Verdict::Unknown => &mut self.unknown,
            Verdict::Vacuous => &mut self.vacuous,
        } += 1;
    }

    fn and(self, other: Tally) -> Tally {
        Tally {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            unknown: self.unknown + other.unknown,
            vacuous: self.vacuous + other.vacuous,
            missing: self.missing + other.missing,
            simulated_ns: self.simulated_ns + other.simulated_ns,
        }
    }
}

/// Runs that did not pass in the same way.
#[derive(Clone, Debug)]
struct Group {
    count: u64,
    /// By number of the variant.
    by_variant: BTreeMap<usize, u64>,
    first: Failed,
    /// What its check found.
    detail: String,
}

/// A run that did not pass.
#[derive(Clone, Debug)]
struct Failed {
    variant: usize,
    seed: u64,
    verdict: Verdict,
    check: String,
    signature: String,
}

/// What a summary needs of a run.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its seed.
    pub seed: u64,
    /// What it came to.
    pub verdict: Verdict,
    /// What kind of failure it shows; empty if it passed, as are the next two.
    pub signature: String,
    /// The check that tells most of why it did not pass.
    pub check: String,
    /// What that check found.
    pub detail: String,
    /// How long it lasted.
    pub simulated_ns: u64,
}

impl Swept {
    /// One of which nothing was seen yet.
    pub fn named(name: &str) -> Self {
        Swept { name: name.to_owned(), ..Swept::default() }
    }

    /// One of the same name and variants, of which nothing was seen yet.
    pub fn unseen(&self) -> Self {
        let variants = self.variants.iter().map(|variant| Variant { tally: Tally::default(), ..variant.clone() });
        Swept { variants: variants.collect(), ..Swept::named(&self.name) }
    }

    /// Counts a run of the variant of this number. Those of one variant come in the order of their seeds.
    pub fn add(&mut self, variant: usize, seen: Seen) {
        let Seen { seed, verdict, signature, check, detail, simulated_ns } = seen;
        let tally = &mut self.variants[variant].tally;
        tally.count(verdict);
        tally.simulated_ns += u128::from(simulated_ns);
        if verdict == Verdict::Pass {
            return;
        }
        let failed = Failed { variant, seed, verdict, check, signature };
        if verdict == Verdict::Fail && self.listed.len() < LISTED_MAX {
            self.listed.push(failed.clone());
        }
        let key = (std::cmp::Reverse(verdict), failed.signature.clone());
        if self.groups.len() >= GROUPS_MAX && !self.groups.contains_key(&key) {
            self.ungrouped += 1;
            return;
        }
        let new = || Group { count: 0, by_variant: BTreeMap::new(), first: failed.clone(), detail: detail.clone() };
        let group = self.groups.entry(key).or_insert_with(new);
        group.count += 1;
        *group.by_variant.entry(variant).or_default() += 1;
        if seed < group.first.seed {
            (group.first, group.detail) = (failed, detail);
        }
    }

    /// Of all its variants.
    pub fn tally(&self) -> Tally {
        self.variants.iter().fold(Tally::default(), |all, variant| all.and(variant.tally))
    }

    /// The kinds of failure: violations first, the most frequent first.
    fn groups(&self) -> Vec<&Group> {
        let mut groups: Vec<&Group> = self.groups.values().collect();
        groups.sort_by_key(|group| (std::cmp::Reverse(group.first.verdict), std::cmp::Reverse(group.count)));
        groups
    }

    fn command(&self, verb: &str, failed: &Failed) -> String {
        self.variants[failed.variant].source.command(verb, failed.seed)
    }
}

impl Summary {
    /// Of all scenarios.
    pub fn tally(&self) -> Tally {
        self.scenarios.iter().fold(Tally::default(), |all, swept| all.and(swept.tally()))
    }

    /// The worst of all runs; VACUOUS if there is none.
    pub fn verdict(&self) -> Verdict {
        self.tally().verdict()
    }

    /// What the command is called.
    fn program(&self) -> Option<&str> {
        self.scenarios.first()?.variants.first().map(|variant| &*variant.source.program)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Look;

    fn seen(seed: u64, verdict: Verdict, signature: &str) -> Seen {
        let check = signature.split(':').next().unwrap_or_default().to_owned();
        let detail = if verdict == Verdict::Pass { String::new() } else { format!("what seed {seed} showed") };
        Seen { seed, verdict, signature: signature.to_owned(), check, detail, simulated_ns: 1_000_000_000 }
    }

    fn storm(variants: &[&str]) -> Swept {
        let variant = |name: &&str| Variant {
            name: (*name).to_owned(),
            source: Source {
                program: "stormglass".to_owned(),
                file: "storm.toml".to_owned(),
                set: name.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect(),
            },
            tally: Tally::default(),
        };
        Swept { name: "storm".to_owned(), variants: variants.iter().map(variant).collect(), ..Swept::default() }
    }

    fn summary(swept: Swept) -> Summary {
        Summary { version: "1".to_owned(), scenarios: vec![swept], ended: None, saved: "out/storm.db".to_owned() }
    }

    fn two_variants() -> Summary {
        let mut swept = storm(&["pre-vote=true", "pre-vote=false"]);
        for seed in 0..1000 {
            swept.add(0, seen(seed, Verdict::Pass, ""));
            let (verdict, signature) = match seed {
                118 | 700 => (Verdict::Fail, "linearizable: lost"),
                5 => (Verdict::Unknown, "linearizable: UNKNOWN"),
                9 => (Verdict::Vacuous, "every fault had an effect: VACUOUS"),
                _ => (Verdict::Pass, ""),
            };
            swept.add(1, seen(seed, verdict, signature));
        }
        swept.add(1, seen(2000, Verdict::Fail, "no panic: #"));
        summary(swept)
    }

    #[test]
    fn a_summary_counts_groups_and_shows_each_way_to_fail_again() {
        let expected = "\
✗ storm   2 variants, 2 001 runs: 1 996 PASS, 3 FAIL, 1 UNKNOWN, 1 VACUOUS
                     PASS     FAIL  UNKNOWN  VACUOUS   pass rate (95 % interval, Wilson)
  pre-vote=true     1 000        0        0        0   100.00 %  (99.61 to 100.00 %)
  pre-vote=false      996        3        1        1   99.69 %  (99.12 to 99.89 %)
  all               1 996        3        1        1   99.84 %  (99.55 to 99.94 %)

  FAIL     linearizable: lost   2 runs, first seed 118
           what seed 118 showed
           again    stormglass run storm.toml --seed 118 --set pre-vote=false
           smaller  stormglass shrink storm.toml --seed 118 --set pre-vote=false
  FAIL     no panic: #   1 run, first seed 2000
           what seed 2000 showed
           again    stormglass run storm.toml --seed 2000 --set pre-vote=false
           smaller  stormglass shrink storm.toml --seed 2000 --set pre-vote=false
  UNKNOWN  linearizable: UNKNOWN   1 run, first seed 5
           what seed 5 showed
           again    stormglass run storm.toml --seed 5 --set pre-vote=false
  VACUOUS  every fault had an effect: VACUOUS   1 run, first seed 9
           what seed 9 showed
           again    stormglass run storm.toml --seed 9 --set pre-vote=false

FAIL     3 of 2 001 runs failed
         saved in    out/storm.db
         its page    stormglass report out/storm.db
";
        let shown = text(&two_variants(), Look { colour: false, unicode: true });
        assert_eq!(shown, expected, "{shown}");
    }

    #[test]
    fn a_clean_sweep_says_how_much_that_means() {
        let mut swept = storm(&[""]);
        (0..1000).for_each(|seed| swept.add(0, seen(seed, Verdict::Pass, "")));
        let shown = text(&summary(swept), Look { colour: false, unicode: true });
        let expected = "\
✓ storm   1 000 runs: 1 000 PASS
  pass rate 100.00 %  (99.61 to 100.00 %: 95 % interval, Wilson)
  no failure in 1 000: at 95 %, fewer than 0.30 % of runs fail (below 3/n)

PASS     all 1 000 runs passed
         saved in    out/storm.db
         its page    stormglass report out/storm.db
";
        assert_eq!(shown, expected, "{shown}");
    }

    #[test]
    fn what_is_missing_is_said() {
        let mut swept = storm(&[""]);
        swept.add(0, seen(3, Verdict::Vacuous, "operations >= 5: VACUOUS"));
        swept.variants[0].tally.missing = 7;
        let summary = Summary { ended: Some("ended after 2 failures".to_owned()), ..summary(swept) };
        let shown = text(&summary, Look::default());
        assert!(
            shown.contains("ended after 2 failures: 7 of 8 runs are missing; the same command runs them"),
            "{shown}"
        );
        assert!(!shown.contains("pass rate"), "nothing was decided: {shown}");
        assert_eq!(summary.verdict(), Verdict::Vacuous);
        let object: serde_json::Value = serde_json::from_str(&json(&summary, 5)).unwrap();
        assert_eq!((&object["missing"], &object["ended"]), (&7.into(), &"ended after 2 failures".into()));
        assert_eq!(object["pass_rate"], serde_json::Value::Null);
    }

    #[test]
    fn json_holds_what_the_contract_names_and_more() {
        let object: serde_json::Value = serde_json::from_str(&json(&two_variants(), 77)).unwrap();
        for (key, wanted) in [
            ("seeds", 2001),
            ("passed", 1996),
            ("failed", 3),
            ("unknown", 1),
            ("vacuous", 1),
            ("missing", 0),
            ("wall_ns", 77),
        ] {
            assert_eq!(object[key], wanted, "{key}");
        }
        let failures = object["failures"].as_array().unwrap();
        assert_eq!(failures.len(), 3);
        assert_eq!(failures[0]["seed"], 118);
        assert_eq!(failures[0]["check"], "linearizable");
        assert_eq!(failures[0]["replay"], "stormglass run storm.toml --seed 118 --set pre-vote=false");
        assert_eq!(object["scenarios"][0]["variants"][1]["name"], "pre-vote=false");
        assert_eq!(object["scenarios"][0]["groups"][0]["count"], 2);
        assert_eq!(object["scenarios"][0]["groups"][0]["variants"]["pre-vote=false"], 2);
    }

    #[test]
    fn no_number_of_failures_makes_it_grow_without_bound() {
        let mut swept = storm(&[""]);
        for seed in 0..5000 {
            swept.add(0, seen(seed, Verdict::Fail, &format!("kind {}", seed % 1000)));
        }
        let summary = summary(swept);
        assert_eq!((summary.tally().failed, summary.scenarios[0].groups.len()), (5000, GROUPS_MAX));
        let object: serde_json::Value = serde_json::from_str(&json(&summary, 0)).unwrap();
        assert_eq!((object["failures"].as_array().unwrap().len(), &object["failures_unlisted"]), (1000, &4000.into()));
        assert!(text(&summary, Look::default()).contains("4 900 more runs did not pass, in other ways"));
    }
}
