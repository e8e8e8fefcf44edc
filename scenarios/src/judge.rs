//! From a finished run to findings: what was expected, and what was seen.
//!
//! Each sentence of `[expect]` has its judge here; some checks are made in every run, asked for or not: the protocol's own
//! laws, that every fault had an effect, that the system served again after everything healed. What is asked of service is in
//! `liveness`.

mod copies;
mod detection;
mod figures;
mod liveness;
#[cfg(test)]
mod tests;

pub(crate) use liveness::quantile;

use crate::execute::{Finished, OpFact};
use crate::outage::{self, Asking, Gap};
use crate::plan::Plan;
use crate::scenario::{Check, Fault, Reach, Scenario};
use crate::testimony;
use checkers::{Budget, Consistency, Judgement, Model, Question};
use history::figures::{counted, grouped, measured};
use history::{
    Availability, DetectionSummary, Finding, History, LatencySummary, Level, Measured, Operation, OperationCounts,
    Outage, Outcome, Purpose, Verdict, Witness,
};
pub use history::{NO_PANIC, PROGRESS};
use sim_core::promise::Guarantee;
use sim_core::time::{Nanos, format_duration};
use std::collections::{BTreeMap, BTreeSet};

/// Configurations that one run may have checked for linearizability. A hundred bytes each at the worst, and far more
/// than any history of a few thousand operations a key needs.
const LINEARIZABILITY_STATES: u64 = 5_000_000;

/// The check that all laws held.
pub const LAWS: &str = "protocol laws";
/// The check that every fault did something.
pub const FAULTS_BIT: &str = "every fault had an effect";

/// What can be measured of a run, and the findings made from it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Every check, in the order of a report: asked for, goals, always.
    pub findings: Vec<Finding>,
    /// What became of the load.
    pub operations: OperationCounts,
    /// `None` without operations.
    pub availability: Option<Availability>,
    /// `None` without operations that ended.
    pub latency: Option<LatencySummary>,
    /// How well nodes told who is down; `None` if nobody watched anybody.
    pub detection: Option<DetectionSummary>,
    /// When nobody was served, or some were not for long although others were.
    pub outages: Vec<Outage>,
    /// Of the outages of everybody, the longest stretch in which somebody who waited could have been served: what
    /// `recovery` is judged by, in nanoseconds. `None` without such an outage.
    pub recovery: Option<Nanos>,
    /// How often the serving role changed hands; `None` for a system in which every node serves.
    pub handovers: Option<u64>,
}

/// A verdict and its line.
struct Ruling {
    verdict: Verdict,
    detail: String,
    witness: Option<Witness>,
    measured: Option<Measured>,
}

impl Ruling {
    fn new(verdict: Verdict, detail: impl Into<String>) -> Self {
        Ruling { verdict, detail: detail.into(), witness: None, measured: None }
    }

    fn decided(holds: bool, detail: impl Into<String>) -> Self {
        Ruling::new(if holds { Verdict::Pass } else { Verdict::Fail }, detail)
    }

    /// With the witness's own headline for its line.
    fn headed_by_witness(mut self) -> Self {
        if let Some(witness) = &self.witness {
            self.detail = witness.headline();
        }
        self
    }

    fn finding(self, check: &str, level: Level) -> Finding {
        let Ruling { verdict, detail, witness, measured } = self;
        Finding { check: check.to_owned(), verdict, detail, level, promise: None, witness, measured }
    }
}

impl From<Judgement> for Ruling {
    fn from(judgement: Judgement) -> Self {
        let Judgement { verdict, detail, witness, .. } = judgement;
        Ruling { verdict, detail, witness, measured: None }
    }
}

/// Judges a run by what its scenario expects.
pub fn judge(scenario: &Scenario, plan: &Plan, finished: &Finished) -> Judged {
    let end = scenario.duration.min(finished.end);
    let load = Asking::load(finished);
    let gaps = outage::gaps(plan, finished, &load, end);
    let judge = Judge { scenario, plan, finished, gaps: &gaps };
    let findings = judge.findings();
    let (operations, availability, latency) = (judge.operations(), judge.availability(), judge.latency());
    let detection = judge.detection();
    let recovery = gaps.iter().map(|gap| gap.chance).max();
    let handovers = plan.serving.map(|role| judge.handovers(role));
    let outages = outage::outages(plan, finished, &load, end, gaps);
    Judged { findings, operations, availability, latency, detection, outages, recovery, handovers }
}

/// The findings alone, where nobody will read a report.
pub(crate) fn findings(scenario: &Scenario, plan: &Plan, finished: &Finished) -> Vec<Finding> {
    let gaps = outage::gaps(plan, finished, &Asking::load(finished), scenario.duration.min(finished.end));
    Judge { scenario, plan, finished, gaps: &gaps }.findings()
}

/// What checkers call a guarantee.
pub(crate) fn level_of(guarantee: Guarantee) -> Consistency {
    match guarantee {
        Guarantee::Sequential => Consistency::Sequential,
        Guarantee::CausalConvergence => Consistency::CausalConvergence,
        Guarantee::CausalMemory => Consistency::CausalMemory,
        Guarantee::Causal => Consistency::Causal,
        Guarantee::Pram => Consistency::Pram,
        Guarantee::ReadYourWrites => Consistency::ReadYourWrites,
        Guarantee::MonotonicReads => Consistency::MonotonicReads,
        Guarantee::MonotonicWrites => Consistency::MonotonicWrites,
        Guarantee::WritesFollowReads => Consistency::WritesFollowReads,
    }
}

struct Judge<'a> {
    scenario: &'a Scenario,
    plan: &'a Plan,
    finished: &'a Finished,
    gaps: &'a [Gap],
}

impl Judge<'_> {
    fn findings(&self) -> Vec<Finding> {
        let expect = &self.scenario.expect;
        let level_of =
            |text: &str, level| if expect.shows.iter().any(|shown| shown == text) { Level::Shows } else { level };
        let mut findings = Vec::new();
        for (expectations, level) in [(&expect.must, Level::Must), (&expect.should, Level::Should)] {
            for expectation in expectations {
                let ruling = self.check(&expectation.check);
                let finding = ruling.finding(&expectation.text, level_of(&expectation.text, level));
                findings.push(Finding { promise: expectation.promise.clone(), ..finding });
            }
        }
        for goal in &expect.reach {
            findings.push(self.reach(&goal.goal).finding(&goal.text, Level::Reach));
        }
        findings.extend(self.always().into_iter().map(|mut finding| {
            finding.level = level_of(&finding.check, Level::Always);
            finding
        }));
        if self.finished.is_interrupted() {
            // What was not seen might have been seen later.
            for finding in findings.iter_mut().filter(|finding| finding.verdict == Verdict::Vacuous) {
                let Ruling { verdict, detail, .. } = self.unfinished();
                *finding = Finding { verdict, detail, ..finding.clone() };
            }
        }
        findings
    }

    /// The checks that are made in every run.
    fn always(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(panic) = &self.finished.panic {
            findings.push(Ruling::new(Verdict::Fail, panic).finding(NO_PANIC, Level::Always));
        }
        findings.extend(self.laws());
        if !self.plan.faults.is_empty() {
            findings.push(self.faults_bit().finding(FAULTS_BIT, Level::Always));
        }
        if self.scenario.settle > 0 && !self.scenario.loads.is_empty() {
            findings.push(self.progress().finding(PROGRESS, Level::Always));
        }
        findings
    }

    fn laws(&self) -> Option<Finding> {
        let Finished { laws, breach, steps, end, .. } = self.finished;
        if let Some(breach) = breach {
            let detail = format!("{} (step {steps}, at {})", breach.detail, format_duration(*end));
            return Some(Ruling::new(Verdict::Fail, detail).finding(breach.law, Level::Always));
        }
        (!laws.is_empty()).then(|| {
            let detail = format!("{} laws held after each of {} steps", laws.len(), grouped(*steps));
            // Every machine's start is a step.
            let is_more_than_starts = *steps > (self.plan.nodes.len() + self.plan.clients.len()) as u64;
            Ruling::new(if is_more_than_starts { Verdict::Pass } else { Verdict::Vacuous }, detail)
                .finding(LAWS, Level::Always)
        })
    }

    fn faults_bit(&self) -> Ruling {
        // By what faults are called that have to have an effect: their own name, or that of what they are a part of.
        let mut effects: BTreeMap<&str, u64> = BTreeMap::new();
        let title = |fault: usize| {
            let Fault { name, part_of, .. } = &self.scenario.faults[fault];
            part_of.as_deref().unwrap_or(name)
        };
        for fault in 0..self.scenario.faults.len() {
            effects.entry(title(fault)).or_default();
        }
        for strike in &self.finished.strikes {
            *effects.entry(title(strike.fault)).or_default() += strike.effects;
        }
        let idle: Vec<&str> = effects.iter().filter(|(_, effects)| **effects == 0).map(|(name, _)| *name).collect();
        if idle.is_empty() {
            let total: u64 = self.finished.strikes.iter().map(|strike| strike.effects).sum();
            let faults = self.plan.faults.len();
            let detail = match faults {
                1 => format!("{} had {}", self.plan.faults[0].name, counted(total, "effect")),
                _ => format!("{faults} faults had {}", counted(total, "effect")),
            };
            return Ruling::new(Verdict::Pass, detail);
        }
        if !self.finished.whole {
            return self.unfinished();
        }
        Ruling::new(Verdict::Vacuous, format!("without effect: {}", idle.join(", ")))
    }

    fn unfinished(&self) -> Ruling {
        Ruling::new(Verdict::Unknown, format!("the run stopped at {}", measured(self.finished.end)))
    }

    fn check(&self, check: &Check) -> Ruling {
        match check {
            Check::Linearizable => self.linearizable(&self.finished.history),
            Check::LinearizableWrites => self.linearizable_writes(),
            Check::NoLostWrites => {
                let ruling = self.consistency(&self.finished.history, checkers::no_lost_writes);
                // Nobody read back what survived, because it did not come to that.
                if ruling.verdict == Verdict::Unknown && !self.finished.whole {
                    return self.unfinished();
                }
                self.unless_read_too_soon(ruling)
            }
            Check::Consistent(guarantee) => self.consistent(level_of(*guarantee)),
            Check::NoResurrection => {
                let ruling =
                    self.consistency(&self.finished.history, |history, _| checkers::no_resurrected_deletes(history));
                if ruling.verdict == Verdict::Unknown && !self.finished.whole {
                    return self.unfinished();
                }
                self.unless_read_too_soon(ruling)
            }
            Check::Availability { .. }
            | Check::Recovery { .. }
            | Check::Latency { .. }
            | Check::RoleChanges { .. }
            | Check::Converged { .. }
            | Check::HintsDelivered { .. }
            | Check::StaleReads { .. }
            | Check::Siblings { .. }
            | Check::Detection { .. }
            | Check::Mistakes { .. }
            | Check::QueryAccuracy { .. }
            | Check::Figure(_)
                if !self.finished.whole =>
            {
                self.unfinished()
            }
            Check::Converged { within } => self.converged(*within),
            Check::HintsDelivered { within } => self.hints_delivered(*within),
            Check::StaleReads { at_most } => self.stale_reads(*at_most),
            Check::Siblings { at_most } => self.siblings(*at_most),
            Check::Detection { within } => self.detected(*within),
            Check::Mistakes { whose, at_most } => self.few_mistakes(*whose, *at_most),
            Check::QueryAccuracy { at_least } => self.accurate(*at_least),
            Check::Figure(figure) => self.figure(figure),
            Check::Availability { at_least } => liveness::available(self.tally(), *at_least),
            Check::Recovery { at_most } => self.recovery(*at_most),
            Check::Latency { quantile, function, at_most } => {
                self.latency_within(*quantile, function.as_deref(), *at_most)
            }
            Check::RoleChanges { role, .. } if self.terms(role) == 0 => {
                Ruling::new(Verdict::Vacuous, format!("there was never a {role}"))
            }
            Check::RoleChanges { role, at_most } => {
                let changes = self.handovers(role);
                Ruling::decided(changes <= *at_most, format!("{changes}"))
            }
        }
    }

    fn handovers(&self, role: &str) -> u64 {
        self.terms(role).saturating_sub(1) as u64
    }

    fn linearizable(&self, history: &History) -> Ruling {
        self.at_level(history, None)
    }

    /// Whether it keeps to a guarantee below linearizability.
    fn consistent(&self, level: Consistency) -> Ruling {
        self.at_level(&self.finished.history, Some(level))
    }

    fn at_level(&self, history: &History, level: Option<Consistency>) -> Ruling {
        self.consistency(history, |history, model| {
            let question = Question { level, hint: Some(&self.finished.order), ..Question::of(model) };
            checkers::judge_strictly(history, &question, &Budget::states(LINEARIZABILITY_STATES))
        })
        .headed_by_witness()
    }

    /// The same of everything but reads. Plain writes are never at odds with each other: something has to tell what it met.
    fn linearizable_writes(&self) -> Ruling {
        let functions = self.scenario.loads.first().map_or(&[][..], |load| load.data.functions);
        let reads = |op: &Operation| functions.iter().any(|function| function.name == op.f && !function.writes);
        let mut history = self.finished.history.clone();
        // As if they had never been done; each operation keeps its number, by which it is found again.
        history.operations.iter_mut().filter(|op| reads(op)).for_each(|op| op.outcome = Outcome::Refused);
        let returned = |op: &Operation| matches!(op.outcome, Outcome::Returned(_));
        let tells = |model: Model| history.operations.iter().any(|op| returned(op) && !model.is_blind(&op.f));
        if self.model().is_some_and(|model| !tells(model)) {
            return Ruling::new(Verdict::Vacuous, "without reads, only `cas` tells what it met, and none returned");
        }
        let ruling = self.linearizable(&history);
        Ruling { detail: format!("{} (reads left out)", ruling.detail), ..ruling }
    }

    /// All loads operate on the same data, so their operations are one history.
    fn model(&self) -> Option<Model> {
        let name = self.scenario.loads.first()?.data.name;
        Some(Model::from_name(name).expect("the parser lets only data with a model be checked"))
    }

    fn consistency(
        &self,
        history: &History,
        check: impl Fn(&History, Model) -> Result<Judgement, checkers::Unfit>,
    ) -> Ruling {
        let Some(model) = self.model() else {
            return Ruling::new(Verdict::Vacuous, "no load, no operations");
        };
        match check(history, model) {
            // What the final reads return of a system that never served says nothing.
            Ok(judgement) if judgement.verdict == Verdict::Pass && !self.has_returned_any() => {
                Ruling::new(Verdict::Vacuous, "no operation of the load returned anything")
            }
            Ok(mut judgement) => {
                if let Some(witness) = &mut judgement.witness {
                    testimony::name(witness, self.finished);
                }
                judgement.into()
            }
            Err(unfit) => panic!("a history of our own does not fit its model: {unfit}"),
        }
    }

    fn load(&self) -> impl Iterator<Item = &OpFact> {
        self.finished.due()
    }

    fn operations(&self) -> OperationCounts {
        let mut counts = OperationCounts::default();
        for op in self.finished.facts.iter().filter(|op| op.purpose == Purpose::Load) {
            match op.outcome {
                Outcome::Returned(()) => counts.ok += 1,
                Outcome::Refused => counts.refused += 1,
                Outcome::Unknown => counts.unknown += 1,
            }
        }
        counts
    }

    /// Whether an operation of the load returned anything.
    fn has_returned_any(&self) -> bool {
        let mut load = self.finished.facts.iter().filter(|op| op.purpose == Purpose::Load);
        load.any(|op| op.outcome == Outcome::Returned(()))
    }

    /// In how many terms some node held `role`.
    fn terms(&self, role: &str) -> usize {
        let held = self.finished.roles.iter().filter_map(|change| change.role).filter(|(held, _)| *held == role);
        held.map(|(_, term)| term).collect::<BTreeSet<u64>>().len()
    }

    fn reach(&self, goal: &Reach) -> Ruling {
        let goal_met =
            |met: bool, detail: String| Ruling::new(if met { Verdict::Pass } else { Verdict::Vacuous }, detail);
        match goal {
            Reach::RoleTaken { role, at_least } => {
                let terms = self.terms(role) as u64;
                goal_met(terms >= *at_least, counted(terms, "time"))
            }
            Reach::EveryFaultHadAnEffect if self.plan.faults.is_empty() => {
                goal_met(false, "there is no fault".to_owned())
            }
            Reach::EveryFaultHadAnEffect => self.faults_bit(),
            Reach::Operations { at_least } => {
                let served = self.tally().served;
                goal_met(served >= *at_least, format!("{} served", grouped(served)))
            }
        }
    }
}
