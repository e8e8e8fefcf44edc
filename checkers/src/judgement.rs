//! What a checker answers, and how long it may think.

use history::{Verdict, Witness};

/// A checker's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The answer itself.
    pub verdict: Verdict,
    /// One line for humans: what was looked at, or why there is no better answer.
    pub detail: String,
    /// For FAIL: the argument.
    pub witness: Option<Witness>,
    /// How many operations the history holds.
    pub operations: usize,
    /// How many configurations a search kept; 0 where none was needed.
    pub states: u64,
    /// How the answer was found, in words: `clusters and zones, 50 keys`. Several where keys were decided in different ways.
    pub methods: Vec<String>,
    /// What else is worth knowing: what was left out of account, and why.
    pub notes: Vec<String>,
}

/// How a history does at one level of consistency, or by one measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// The level or measure: `sequential`, `staleness`.
    pub name: &'static str,
    /// The answer; PASS for a measure that was taken, VACUOUS where there was nothing to judge.
    pub verdict: Verdict,
    /// One line: what was looked at, the number measured, or what is wrong.
    pub detail: String,
    /// For FAIL: the argument.
    pub witness: Option<Witness>,
}

/// How long a search may go on before it answers UNKNOWN.
///
/// Counted in configurations, so that a verdict never depends on the machine; each costs about 32 bytes while its key
/// is being searched.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    /// How many configurations may be kept, over all keys together.
    pub states: u64,
    /// Asked every few thousand steps; `false` ends the check. For limits that are not a function of the history: a
    /// clock, an interrupt.
    pub keep_going: &'a dyn Fn() -> bool,
}

impl Budget<'_> {
    /// So many configurations, and no other limit.
    pub fn states(states: u64) -> Self {
        Budget { states, keep_going: &|| true }
    }
}

/// Asks [`Budget::keep_going`] whenever so much work was done that it took about a millisecond.
pub(crate) struct Watch<'a> {
    budget: &'a Budget<'a>,
    /// How much since it was asked last.
    work: usize,
}

impl<'a> Watch<'a> {
    pub fn new(budget: &'a Budget<'a>) -> Self {
        Watch { budget, work: 0 }
    }

    /// Adds what was done, in comparisons of two numbers; says whether to go on.
    pub fn goes_on(&mut self, work: usize) -> bool {
        const UNASKED_MAX: usize = 1 << 20;
        self.work = self.work.saturating_add(work);
        if self.work < UNASKED_MAX {
            return true;
        }
        self.work = 0;
        (self.budget.keep_going)()
    }
}
