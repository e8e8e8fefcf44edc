//! From a finished run to findings: what was expected, and what was seen.
//!
//! Each sentence of `[expect]` has its judge here; some checks are made in every run, asked for or not: the protocol's own
//! laws, that every fault had an effect, that the system served again after everything healed.

use crate::execute::{Finished, OpFact};
use crate::plan::Plan;
use crate::scenario::{Check, Reach, Scenario};
use crate::testimony;
use checkers::{Budget, Judgement, Model};
use history::figures::{counted, grouped, measured, percent};
use history::{
    Availability, Finding, LatencySummary, Level, OperationCounts, Outage, Outcome, Purpose, Verdict, Witness,
};
use sim_core::dice::Ratio;
use sim_core::time::{Nanos, format_duration};
use std::collections::BTreeSet;

/// Configurations that one run may have checked for linearizability. A hundred bytes each at the worst, and far more
/// than any history of a few thousand operations a key needs.
const LINEARIZABILITY_STATES: u64 = 5_000_000;

/// The check of the protocol's own code.
pub const NO_PANIC: &str = "no panic";
/// The check that all laws held.
pub const LAWS: &str = "protocol laws";
/// The check that every fault did something.
pub const FAULTS_BIT: &str = "every fault had an effect";
/// The check that the system came back.
pub const PROGRESS: &str = "progress after settle";

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
    /// When nobody was served.
    pub outages: Vec<Outage>,
}

/// A verdict and its line.
struct Ruling {
    verdict: Verdict,
    detail: String,
    witness: Option<Witness>,
}

impl Ruling {
    fn new(verdict: Verdict, detail: impl Into<String>) -> Self {
        Ruling { verdict, detail: detail.into(), witness: None }
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
        let Ruling { verdict, detail, witness } = self;
        Finding { check: check.to_owned(), verdict, detail, level, witness }
    }
}

impl From<Judgement> for Ruling {
    fn from(judgement: Judgement) -> Self {
        let Judgement { verdict, detail, witness, .. } = judgement;
        Ruling { verdict, detail, witness }
    }
}

/// Judges a run by what its scenario expects.
pub fn judge(scenario: &Scenario, plan: &Plan, finished: &Finished) -> Judged {
    let outages = crate::outage::outages(plan, finished, scenario.duration.min(finished.end));
    let judge = Judge { scenario, plan, finished, outages: &outages };
    let findings = judge.findings();
    let (operations, availability, latency) = (judge.operations(), judge.availability(), judge.latency());
    Judged { findings, operations, availability, latency, outages }
}

struct Judge<'a> {
    scenario: &'a Scenario,
    plan: &'a Plan,
    finished: &'a Finished,
    outages: &'a [Outage],
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
                findings.push(ruling.finding(&expectation.text, level_of(&expectation.text, level)));
            }
        }
        for goal in &expect.reach {
            findings.push(self.reach(&goal.goal).finding(&goal.text, Level::Reach));
        }
        findings.extend(self.always().into_iter().map(|mut finding| {
            finding.level = level_of(&finding.check, Level::Always);
            finding
        }));
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
        let effects = |fault: usize| {
            let struck = self.finished.strikes.iter().filter(|strike| strike.fault == fault);
            struck.map(|strike| strike.effects).sum::<u64>()
        };
        let all = self.plan.faults.iter().enumerate();
        let idle: Vec<&str> = all.filter(|(i, _)| effects(*i) == 0).map(|(_, fault)| &*fault.name).collect();
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

    fn progress(&self) -> Ruling {
        if !self.finished.whole {
            return self.unfinished();
        }
        let reads = || self.finished.facts.iter().filter(|op| op.purpose == Purpose::FinalRead);
        let answered = reads().filter(|op| op.served.is_some()).count() as u64;
        // There may be more keys than time: only those begun in the first half of the time must be answered.
        let last = reads().map(|op| op.invoked).min().unwrap_or(0).midpoint(self.finished.end);
        let asked = reads().filter(|op| op.served.is_some() || op.invoked <= last).count() as u64;
        let settle = format_duration(self.scenario.settle);
        if answered < asked || asked == 0 {
            let detail = format!("{answered} of {asked} final reads answered, {settle} after everything healed");
            return Ruling::new(Verdict::Fail, detail);
        }
        let healed = self.scenario.duration;
        let all = self.finished.facts.iter().filter_map(|op| op.served);
        let first = all.filter(|served| *served >= healed).min().unwrap_or(self.finished.end);
        let after = measured(first - healed);
        Ruling::new(Verdict::Pass, format!("served within {after} of everything healing, {asked} final reads answered"))
    }

    fn unfinished(&self) -> Ruling {
        Ruling::new(Verdict::Unknown, format!("the run stopped at {}", measured(self.finished.end)))
    }

    fn check(&self, check: &Check) -> Ruling {
        match check {
            Check::Linearizable => self
                .consistency(|history, model| {
                    checkers::linearizable(history, model, None, &Budget::states(LINEARIZABILITY_STATES))
                })
                .headed_by_witness(),
            Check::NoLostWrites => self.consistency(checkers::no_lost_writes),
            Check::Availability { .. } | Check::Recovery { .. } | Check::Latency { .. } | Check::RoleChanges { .. }
                if !self.finished.whole =>
            {
                self.unfinished()
            }
            Check::Availability { at_least } => self.available(*at_least),
            Check::Recovery { at_most } => self.recovery(*at_most),
            Check::Latency { quantile, function, at_most } => {
                self.latency_within(*quantile, function.as_deref(), *at_most)
            }
            Check::RoleChanges { role, .. } if self.terms(role) == 0 => {
                Ruling::new(Verdict::Vacuous, format!("there was never a {role}"))
            }
            Check::RoleChanges { role, at_most } => {
                let changes = self.terms(role).saturating_sub(1) as u64;
                Ruling::decided(changes <= *at_most, format!("{changes}"))
            }
        }
    }

    /// All loads operate on the same data, so their operations are one history.
    fn consistency(&self, check: impl Fn(&history::History, Model) -> Result<Judgement, checkers::Unfit>) -> Ruling {
        let Some(load) = self.scenario.loads.first() else {
            return Ruling::new(Verdict::Vacuous, "no load, no operations");
        };
        let model = Model::from_name(load.data.name).expect("the parser lets only data with a model be checked");
        match check(&self.finished.history, model) {
            // What the final reads return of a system that never served says nothing.
            Ok(judgement) if judgement.verdict == Verdict::Pass && self.operations().ok == 0 => {
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

    /// Of the load: how many there were, were served, and could have been.
    fn tally(&self) -> (u64, u64, u64) {
        self.load().fold((0, 0, 0), |(all, served, possible), op| {
            (all + 1, served + u64::from(op.served.is_some()), possible + u64::from(op.was_possible()))
        })
    }

    fn availability(&self) -> Option<Availability> {
        let (all, served, possible) = self.tally();
        let share = |part: u64| part as f64 / all as f64;
        (all > 0).then(|| Availability { achieved: share(served), possible: share(possible) })
    }

    fn available(&self, at_least: Ratio) -> Ruling {
        let (all, served, _) = self.tally();
        let Some(availability) = self.availability() else {
            return Ruling::new(Verdict::Vacuous, "no operations");
        };
        let reached = u128::from(served) * u128::from(at_least.denominator);
        let holds = reached >= u128::from(all) * u128::from(at_least.numerator);
        let (achieved, possible) = (percent(availability.achieved), percent(availability.possible));
        Ruling::decided(holds, format!("{achieved}   (best possible {possible})"))
    }

    fn recovery(&self, at_most: Nanos) -> Ruling {
        if self.finished.strikes.is_empty() {
            return Ruling::new(Verdict::Vacuous, "no fault struck, so there was nothing to recover from");
        }
        if self.load().next().is_none() {
            return Ruling::new(Verdict::Vacuous, "no operations");
        }
        let struck = self.finished.strikes.iter().map(|strike| strike.from).min();
        if self.load().all(|op| Some(op.waited_until()) <= struck) {
            return Ruling::new(Verdict::Vacuous, "nobody asked for anything after the first fault struck");
        }
        let Some(worst) = self.outages.iter().max_by_key(|outage| outage.avoidable_ns) else {
            return Ruling::new(Verdict::Pass, "no outage");
        };
        let (took, from) = (measured(worst.avoidable_ns), measured(worst.from_ns));
        Ruling::decided(worst.avoidable_ns <= at_most, format!("{took}   (outage from {from}; {})", worst.cause))
    }

    /// How long operations took, shortest first. One that was not served took at least until its client gave up.
    fn latencies(&self, function: Option<&str>) -> Vec<Nanos> {
        let functions = self.scenario.loads.first().map_or(&[][..], |load| load.data.functions);
        let wanted = |op: &&OpFact| function.is_none_or(|name| functions[op.function].name == name);
        let mut latencies: Vec<Nanos> = self.load().filter(wanted).map(|op| op.waited_until() - op.invoked).collect();
        latencies.sort_unstable();
        latencies
    }

    fn latency(&self) -> Option<LatencySummary> {
        let latencies = self.latencies(None);
        let at = |numerator, denominator| quantile(&latencies, Ratio::new(numerator, denominator));
        Some(LatencySummary { p50_ns: at(1, 2)?, p99_ns: at(99, 100)?, max_ns: at(1, 1)? })
    }

    fn latency_within(&self, share: Ratio, function: Option<&str>, at_most: Nanos) -> Ruling {
        let latencies = self.latencies(function);
        match quantile(&latencies, share) {
            None => Ruling::new(Verdict::Vacuous, "no operations"),
            Some(took) => {
                let detail = format!("{}   (of {})", measured(took), grouped(latencies.len() as u64));
                Ruling::decided(took <= at_most, detail)
            }
        }
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
                let (_, served, _) = self.tally();
                goal_met(served >= *at_least, format!("{} served", grouped(served)))
            }
        }
    }
}

/// The smallest value that a share of all are not above (nearest rank).
fn quantile(sorted: &[Nanos], share: Ratio) -> Option<Nanos> {
    let rank = (sorted.len() as u128 * u128::from(share.numerator)).div_ceil(u128::from(share.denominator));
    sorted.get((rank as usize).saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occurred() {
        let sorted = [10, 20, 30, 40];
        let at = |numerator, denominator| quantile(&sorted, Ratio::new(numerator, denominator));
        assert_eq!((at(1, 2), at(99, 100), at(1, 1), at(1, 4)), (Some(20), Some(40), Some(40), Some(10)));
        assert_eq!(quantile(&[], Ratio::new(1, 2)), None);
    }
}
