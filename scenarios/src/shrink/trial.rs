//! Trying a candidate: does it fail in the same way?

use super::{Limits, Step};
use crate::execute::{Finished, Options};
use crate::judge;
use crate::parse::read;
use crate::plan::Plan;
use crate::record::runner;
use crate::scenario::Scenario;
use crate::systems::System;
use crate::text::{Table, write};
use history::{Finding, PROGRESS, Purpose, Verdict, principal, signature};
use sim_core::time::Nanos;
use std::collections::BTreeSet;

/// How large a story is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Machines that run the system.
    pub nodes: usize,
    /// Those who ask.
    pub clients: usize,
    /// How often something goes wrong: every strike counts.
    pub faults: usize,
    /// What is asked.
    pub operations: usize,
    /// How long the scenario lasts, `settle` included, in nanoseconds.
    pub time: Nanos,
}

/// A run that was tried.
pub(super) struct Seen {
    pub scenario: Scenario,
    pub plan: Plan,
    pub finished: Finished,
    pub findings: Vec<Finding>,
}

impl Seen {
    pub fn size(&self) -> Size {
        let struck = |fault: usize| self.finished.strikes.iter().filter(|strike| strike.fault == fault).count();
        let load = self.finished.facts.iter().filter(|fact| fact.purpose == Purpose::Load);
        Size {
            nodes: self.plan.nodes.len(),
            clients: self.scenario.loads.iter().map(|load| load.zones.len()).sum(),
            faults: (0..self.plan.faults.len()).map(|fault| struck(fault).max(1)).sum(),
            operations: load.count(),
            time: self.scenario.duration + self.scenario.settle,
        }
    }

    /// What fails, first of all.
    pub fn failed(&self) -> Option<&Finding> {
        principal(Verdict::Fail, &self.findings)
    }
}

/// Tries candidates until the time is up.
pub(super) struct Trial<'a> {
    systems: &'a [System],
    limits: &'a Limits<'a>,
    /// What a candidate has to fail with.
    signature: String,
    /// How long it has to let things settle: where service after that is demanded, less time would be another demand.
    settle_min: Nanos,
    /// What was tried and is not to be tried again: the hashes of the files.
    failed: BTreeSet<u64>,
    pub runs: u64,
    /// How many events all of them had.
    pub events: u64,
    pub step: Step,
}

impl<'a> Trial<'a> {
    /// Tries what a scenario that failed with this signature, and lets things settle for so long, is to be made smaller to.
    pub fn new(systems: &'a [System], limits: &'a Limits<'a>, signature: String, settle: Nanos) -> Self {
        let settle_min = if signature == PROGRESS { settle } else { 0 };
        Trial {
            systems,
            limits,
            signature,
            settle_min,
            failed: BTreeSet::new(),
            runs: 0,
            events: 0,
            step: Step::default(),
        }
    }

    /// Whether there is no time left.
    pub fn is_over(&self) -> bool {
        !(self.limits.keep_going)(&self.step)
    }

    /// The run of this scenario, if it fails in the same way, even where the time is up: there is a beginning and an end.
    pub fn run_to_its_end(&mut self, root: &Table) -> Option<Seen> {
        self.seen(root, &|_| true)
    }

    /// The run of this candidate, if it fails in the same way.
    pub fn run(&mut self, root: &Table) -> Option<Seen> {
        if self.is_over() {
            return None;
        }
        let name = fold(&write::document(root));
        if self.failed.contains(&name) {
            return None;
        }
        let (limits, runs, step) = (self.limits, self.runs + 1, self.step);
        let seen = self.seen(root, &|_| (limits.keep_going)(&Step { runs, ..step }));
        // What the end of the time cut short was not tried.
        if seen.is_none() && !self.is_over() {
            self.failed.insert(name);
        }
        seen
    }

    fn seen(&mut self, root: &Table, keep_going: &dyn Fn(Nanos) -> bool) -> Option<Seen> {
        let scenario = read(root, self.systems).filter(|scenario| scenario.settle >= self.settle_min)?;
        let plan = Plan::draw(&scenario, scenario.seed);
        self.runs += 1;
        self.step.runs = self.runs;
        let mut options = Options { keep_going: Some(keep_going), ..Options::default() };
        let finished = runner(&scenario, self.systems)(&plan, &mut options).ok()?;
        self.events += finished.steps;
        if finished.is_interrupted() {
            return None;
        }
        let findings = judge::findings(&scenario, &plan, &finished);
        let is_same = signature(&findings).as_ref() == Some(&self.signature);
        is_same.then_some(Seen { scenario, plan, finished, findings })
    }
}

/// FNV-1a: enough to know a file again.
fn fold(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
