//! From a seed to its cause: the smallest scenario that fails in the same way.
//!
//! *In the same way* is [`history::signature`]: the same check for the same kind of reason. What is shrunk is the tree of
//! values of a scenario in which the seed has decided everything; a candidate that cannot be read, or that demands what
//! nobody promises, is simply not taken. So nothing here knows kinds of faults or keys of systems: it knows lists, times,
//! ranges and targets.
//!
//! The order is the one that pays: what makes runs short first (the end of time, whole faults), then what makes them plain
//! (nodes, clients, keys), then every fault is taken apart into single strikes and every load into a script, and of these
//! `ddmin` leaves what is needed. Then what is left is said as simply as it can be: keys at their defaults, no ranges, round
//! times. Where a step changes too much for the failure to survive by itself, other seeds are tried: of a small scenario that
//! costs nothing. Where a story stays long, short ones are drawn by lot (`anew.rs`). All of it is repeated until nothing changes.

mod anew;
mod ddmin;
mod faults;
mod loads;
mod simple;
mod story;
#[cfg(test)]
mod tests;
mod tree;
mod trial;

pub use story::{MARK, Shrunk};
pub use trial::Size;

use crate::diagnostics::Diagnostic;
use crate::execute::{EngineFault, Options};
use crate::parse::Draft;
use crate::plan::Plan;
use crate::record::run;
use crate::text::Table;
use history::{RunRecord, Verdict};
use trial::{Seen, Trial};

/// How far shrinking has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Step {
    /// What it is about.
    pub about: &'static str,
    /// How many candidates have been run.
    pub runs: u64,
    /// How large the smallest is so far.
    pub size: Size,
}

/// When to stop.
pub struct Limits<'a> {
    /// Asked again and again: if false, the smallest so far is the result.
    pub keep_going: &'a dyn Fn(&Step) -> bool,
}

/// What became of it.
pub enum Outcome {
    /// A smaller scenario, or at least one with nothing left to draw.
    Shrunk(Box<Shrunk>),
    /// The run does not fail, so there is nothing to look for.
    NoFailure(Box<RunRecord>),
}

/// Why there is no outcome.
pub enum Trouble {
    /// What the seed draws does not fit together.
    Misfit(Vec<Diagnostic>),
    /// The engine itself failed.
    Engine(EngineFault),
    /// It was stopped before the first run was over.
    Stopped,
    /// The scenario of the seed as a file of its own does not fail as the run does.
    Unstable,
}

/// How many other seeds a candidate is tried with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Luck {
    /// A few.
    Some,
    /// Many: a step from which much else follows.
    Much,
    /// As many as a few seconds allow.
    Search,
}

impl Luck {
    /// How many seeds, where a run has so many events: a second's work, or some.
    fn tries(self, events: u64) -> u64 {
        match self {
            Luck::Some => (400_000 / events.max(1)).clamp(3, 40),
            Luck::Much => (2_000_000 / events.max(1)).clamp(5, 400),
            Luck::Search => (2_000_000 / events.max(1)).clamp(5, 6_000),
        }
    }
}

/// Finds the smallest scenario that fails as this one does with this seed.
///
/// # Errors
/// If the seed has no run to begin with.
pub fn shrink(draft: &Draft<'_>, seed: u64, limits: &Limits<'_>) -> Result<Outcome, Trouble> {
    let scenario = draft.resolve(seed).map_err(Trouble::Misfit)?;
    let keep_going = |_| (limits.keep_going)(&Step::default());
    let mut options = Options { keep_going: Some(&keep_going), ..Options::default() };
    let first = run(&scenario, seed, draft.systems(), &mut options).map_err(Trouble::Engine)?;
    if first.record.interrupted {
        return Err(Trouble::Stopped);
    }
    let Some(signature) = first.record.signature().filter(|_| first.record.verdict == Verdict::Fail) else {
        return Ok(Outcome::NoFailure(Box::new(first.record)));
    };
    let best = draft.resolved_tree(seed).map_err(Trouble::Misfit)?;
    let mut trial = Trial::new(draft.systems(), limits, signature, scenario.settle);
    let seen = trial.run_to_its_end(&best).ok_or(Trouble::Unstable)?;
    let before = seen.size();
    let mut shrinker = Shrinker::new(best, seen, trial);
    shrinker.shrink();
    shrinker.tidy();
    Ok(Outcome::Shrunk(Box::new(story::told(&shrinker, &first.record, before))))
}

/// How many events a look for a shorter story may take where plain walking downhill may well do: a second or two.
const GLANCE: u64 = 2_000_000;

/// The same where it did not.
const SEARCH: u64 = 10_000_000;

/// The smallest so far, and how it is made smaller.
struct Shrinker<'a> {
    best: Table,
    seen: Seen,
    trial: Trial<'a>,
    /// How often in a row much luck was not enough: the failure may be rare, and then seeds are not worth their time.
    disappointed: u32,
    /// The kinds of faults that the run had to begin with.
    kinds: Vec<Table>,
    /// How many short stories were drawn.
    told_anew: u64,
}

impl<'a> Shrinker<'a> {
    fn new(best: Table, seen: Seen, trial: Trial<'a>) -> Self {
        let mut shrinker = Shrinker { best, seen, trial, disappointed: 0, kinds: Vec::new(), told_anew: 0 };
        shrinker.kinds = shrinker.kinds_of_faults();
        shrinker
    }
}

impl Shrinker<'_> {
    fn shrink(&mut self) {
        self.about("what is expected", Shrinker::expect);
        self.about("time", Shrinker::cut_time);
        self.about("faults", Shrinker::whole_faults);
        self.about("loads", Shrinker::whole_loads);
        self.about("time", Shrinker::cut_time);
        self.about("time", Shrinker::sooner);
        self.about("nodes", Shrinker::fewer_nodes);
        self.about("clients", Shrinker::fewer_drawn);
        self.about("strikes", Shrinker::strike_seldom);
        self.about("time", Shrinker::sooner);
        self.about("strikes", Shrinker::take_apart);
        self.about("time", Shrinker::cut_time);
        self.about("time", Shrinker::close_gaps);
        self.about("a shorter story", |shrinker| shrinker.tell_anew(GLANCE));
        self.disappointed = 0;
        loop {
            let before = self.weight();
            self.about("operations", Shrinker::write_scripts);
            self.about("operations", Shrinker::fewer_operations);
            self.about("strikes", Shrinker::take_apart);
            self.about("a layout", Shrinker::slow_by_layout);
            self.about("a shorter story", |shrinker| shrinker.tell_anew(SEARCH));
            self.about("nodes", Shrinker::fewer_nodes);
            self.about("clients", Shrinker::fewer_clients);
            self.about("keys", Shrinker::fewer_keys);
            self.about("settings", Shrinker::usual_settings);
            self.about("settings", Shrinker::smaller_numbers);
            self.about("time", Shrinker::cut_time);
            self.about("operations and faults", Shrinker::try_luck);
            self.about("faults", Shrinker::strike_otherwise);
            self.about("ranges", Shrinker::no_ranges);
            self.about("times", Shrinker::round_times);
            if self.weight() == before || self.trial.is_over() {
                return;
            }
        }
    }

    fn about(&mut self, about: &'static str, pass: impl Fn(&mut Self)) {
        self.trial.step.about = about;
        pass(self);
    }

    /// What a further round would have to change to be worth another one.
    fn weight(&self) -> (Size, usize) {
        (self.seen.size(), tree::paths(&self.best).len())
    }

    /// Takes the candidate if it fails in the same way.
    fn attempt(&mut self, candidate: Table) -> bool {
        let Some(seen) = self.trial.run(&candidate) else { return false };
        (self.best, self.seen) = (candidate, seen);
        self.trial.step.size = self.seen.size();
        true
    }

    /// The same; if the candidate does not fail with this seed, perhaps it does with another.
    fn attempt_with(&mut self, luck: Luck, candidate: &Table) -> bool {
        if self.attempt(candidate.clone()) {
            return true;
        }
        let tries = luck.tries(self.seen.finished.steps);
        let tries = if luck == Luck::Much { (tries >> self.disappointed.min(6)).max(2) } else { tries };
        let is_found = (1..=tries).any(|seed| {
            let mut candidate = candidate.clone();
            candidate.put("seed", tree::number(seed));
            self.attempt(candidate)
        });
        if luck == Luck::Much {
            self.disappointed = if is_found { 0 } else { self.disappointed + 1 };
        }
        is_found
    }

    /// The plan of the smallest so far.
    fn plan(&self) -> &Plan {
        &self.seen.plan
    }
}
