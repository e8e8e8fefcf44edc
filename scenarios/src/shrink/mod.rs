//! From a seed to its cause: the smallest scenario that fails in the same way.
//!
//! *In the same way* is [`history::signature`]: the same check for the same kind of reason. What is shrunk is the tree of
//! values of a scenario in which the seed has decided everything; a candidate that cannot be read, or that demands what
//! nobody promises, is simply not taken. So nothing here knows kinds of faults or keys of systems: it knows lists, times,
//! ranges and targets.
//!
//! The order is the one that pays: what makes runs short first (the end of time, whole faults), then what makes them plain
//! (nodes, clients, keys), then every fault is taken apart into single strikes and every load into a script, and of these
//! [`ddmin`] leaves what is needed. Then what is left is said as simply as it can be: keys at their defaults, no ranges, round
//! times. Where a step changes too much for the failure to survive by itself, other seeds are tried: of a small scenario that
//! costs nothing. All of it is repeated until nothing changes.

mod ddmin;
mod faults;
mod loads;
mod simple;
mod story;
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

/// Events that trying other seeds for one candidate may cost: a second or so.
const REROLL_EVENTS: u64 = 400_000;
/// And so many seeds at most, however short the runs are.
const REROLLS_MAX: u64 = 40;

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
    let mut trial = Trial::new(draft.systems(), limits, signature);
    let seen = trial.first(&best).ok_or(Trouble::Unstable)?;
    let before = seen.size();
    let mut shrinker = Shrinker { best, seen, trial };
    shrinker.shrink();
    shrinker.tidy();
    Ok(Outcome::Shrunk(Box::new(story::told(&shrinker, &first.record, before))))
}

/// The smallest so far, and how it is made smaller.
struct Shrinker<'a> {
    best: Table,
    seen: Seen,
    trial: Trial<'a>,
}

impl Shrinker<'_> {
    fn shrink(&mut self) {
        self.about("what is expected", Shrinker::expect);
        self.about("time", Shrinker::cut_time);
        self.about("faults", Shrinker::whole_faults);
        self.about("loads", Shrinker::whole_loads);
        self.about("time", Shrinker::cut_time);
        self.about("nodes", Shrinker::fewer_nodes);
        self.about("clients", Shrinker::fewer_drawn);
        self.about("strikes", Shrinker::take_apart);
        self.about("time", Shrinker::cut_time);
        loop {
            let before = self.weight();
            self.about("operations", Shrinker::write_scripts);
            self.about("operations", Shrinker::fewer_operations);
            self.about("strikes", Shrinker::take_apart);
            self.about("nodes", Shrinker::fewer_nodes);
            self.about("clients", Shrinker::fewer_clients);
            self.about("keys", Shrinker::fewer_keys);
            self.about("settings", Shrinker::usual_settings);
            self.about("time", Shrinker::cut_time);
            self.about("luck", Shrinker::try_luck);
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
    fn attempt_with_luck(&mut self, candidate: &Table) -> bool {
        if self.attempt(candidate.clone()) {
            return true;
        }
        let tries = (REROLL_EVENTS / self.seen.finished.steps.max(1)).clamp(3, REROLLS_MAX);
        (1..=tries).any(|seed| {
            let mut candidate = candidate.clone();
            candidate.put("seed", tree::number(seed));
            self.attempt(candidate)
        })
    }

    /// The plan of the smallest so far.
    fn plan(&self) -> &Plan {
        &self.seen.plan
    }
}
