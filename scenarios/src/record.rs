//! The plain record of a judged run.

use crate::execute::{EngineFault, Finished, Options, Row};
use crate::judge::{Judged, judge};
use crate::moments::moments;
use crate::picture::{latency, service};
use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::systems::{Runner, System};
use checkers::{Model, Staleness};
use history::{ConfigLine, FaultRecord, History, Picture, Purpose, RoleSpan, RunRecord, TimeBucket, Value, merged};
use sim_core::protocol::NodeId;
use sim_core::time::Nanos;
use sim_core::world::{Returns, RoleChange};
use std::collections::BTreeMap;

/// Into how many stretches the load's time is cut for availability over time.
const BUCKETS: u64 = 240;

/// A judged run.
#[derive(Clone, Debug)]
pub struct Run {
    /// What reports need.
    pub record: RunRecord,
    /// What clients did and heard.
    pub history: History,
    /// Of the outages of everybody, the longest stretch in which somebody who waited could have been served, in nanoseconds.
    pub recovery: Option<Nanos>,
    /// How often the serving role changed hands; `None` for a system in which every node serves.
    pub handovers: Option<u64>,
    /// How nodes came back after they had died.
    pub returns: Returns,
    /// How often nodes told that they came back to what others know, by way; those never taken too.
    pub recoveries: BTreeMap<&'static str, u64>,
}

impl Run {
    /// How far the reads of the load lagged behind what was certainly written; `None` where nobody can tell, as of a queue.
    pub fn staleness(&self) -> Option<Staleness> {
        let model = Model::from_name(&self.record.data)?;
        // What is read after everything healed is no measure of what clients saw.
        let load = self.history.operations.iter().filter(|operation| operation.purpose == Purpose::Load);
        let load = History { operations: load.cloned().collect() };
        checkers::staleness(&load, model, &Value::Nil).ok().filter(|found| found.reads > 0)
    }
}

/// Runs a scenario for one seed and judges it.
///
/// # Errors
/// If the engine itself panics, which is a bug of ours.
///
/// # Panics
/// If the scenario was not read with these `systems`.
pub fn run(scenario: &Scenario, seed: u64, systems: &[System], options: &mut Options<'_>) -> Result<Run, EngineFault> {
    let plan = Plan::draw(scenario, seed);
    let runner = runner(scenario, systems);
    let finished = runner(&plan, options)?;
    let judged = judge(scenario, &plan, &finished);
    let (recovery, handovers) = (judged.recovery, judged.handovers);
    let mut record = record(scenario, &plan, &finished, judged);
    if options.picture {
        let grid = Grid::new(scenario.duration);
        let (service, latency) = (service(scenario, &plan, &finished, grid), latency(&finished, grid));
        let retrace = |stretches: &[(Nanos, Nanos)], is_wanted: &dyn Fn(&Row) -> bool| {
            let mut rows = Vec::new();
            let mut sink = |more: Vec<Row>| rows.extend(more.into_iter().filter(is_wanted));
            let (trace, stretches) = (Some(&mut sink as &mut dyn FnMut(Vec<Row>)), Some(stretches));
            // It has run before, so it runs again; and to its end, so that a picture is either whole or not there.
            let _ = runner(&plan, &mut Options { trace, stretches, ..Options::default() });
            rows
        };
        let moments = moments(&plan, (&record.findings, &record.outages), &finished, retrace);
        record.picture = Some(Picture { service, latency, moments });
    }
    Ok(Run {
        record,
        history: finished.history,
        recovery,
        handovers,
        returns: finished.returns,
        recoveries: finished.recoveries,
    })
}

/// What runs the plans of a scenario.
pub(crate) fn runner(scenario: &Scenario, systems: &[System]) -> Runner {
    let system = systems.iter().find(|system| system.name == scenario.protocol.name);
    let system = system.expect("a scenario names one of the systems it was read with");
    // All loads share their data; without a load it does not matter which.
    let data = scenario.loads.first().map(|load| &load.data).or(system.data.first()).map_or("", |kind| kind.name);
    (system.runner)(data)
}

fn record(scenario: &Scenario, plan: &Plan, finished: &Finished, judged: Judged) -> RunRecord {
    let has_clients = !scenario.loads.is_empty();
    let config =
        plan.values.iter().map(|(key, setting)| ConfigLine { key: key.to_owned(), value: setting.to_string() });
    RunRecord {
        schema: RunRecord::SCHEMA.to_owned(),
        version: crate::VERSION.to_owned(),
        scenario: scenario.name.clone(),
        about: scenario.about.clone(),
        protocol: plan.protocol.to_owned(),
        flaws: plan.flaws.names().iter().map(|&name| name.to_owned()).collect(),
        data: scenario.loads.first().map(|load| load.data.name.to_owned()).unwrap_or_default(),
        nodes: plan.nodes.len() as u32,
        places: places(scenario),
        duration_ns: scenario.duration,
        seed: plan.seed,
        fingerprint: hex(finished.fingerprint),
        checkpoints: finished.checkpoints.iter().copied().map(hex).collect(),
        verdict: merged(&judged.findings),
        findings: judged.findings,
        operations: has_clients.then_some(judged.operations),
        availability: judged.availability,
        latency: judged.latency,
        detection: judged.detection,
        outages: judged.outages,
        faults: faults(plan, finished),
        roles: role_spans(&finished.roles, finished.end),
        events: finished.steps,
        simulated_ns: finished.end,
        buckets: buckets(Grid::new(scenario.duration), finished),
        config: config.collect(),
        draws: plan.draws.clone(),
        interrupted: finished.is_interrupted(),
        source: None,
        picture: None,
    }
}

fn hex(fingerprint: u64) -> String {
    format!("{fingerprint:016x}")
}

/// Regions, or zones if there is only one region.
fn places(scenario: &Scenario) -> u32 {
    let regions = scenario.layout.regions().len();
    (if regions > 1 { regions } else { scenario.layout.zones.len() }) as u32
}

/// Every time a fault struck, and every fault that never did.
fn faults(plan: &Plan, finished: &Finished) -> Vec<FaultRecord> {
    let name = |fault: usize| (plan.faults[fault].name.clone(), plan.faults[fault].kind.name().to_owned());
    let why = |fault: usize| plan.whys[fault].clone();
    let struck = finished.strikes.iter().map(|strike| {
        let (name, kind) = name(strike.fault);
        let (who, why) = (strike.who.clone(), why(strike.fault));
        FaultRecord { name, kind, from_ns: strike.from, to_ns: strike.to, effects: strike.effects, who, why }
    });
    let missed = (0..plan.faults.len()).filter(|fault| finished.strikes.iter().all(|strike| strike.fault != *fault));
    let missed = missed.map(|fault| {
        let (name, kind) = name(fault);
        let (who, why) = ("never struck".to_owned(), why(fault));
        FaultRecord { name, kind, from_ns: finished.end, to_ns: finished.end, effects: 0, who, why }
    });
    struck.chain(missed).collect()
}

/// From changes of role to spans: each lasts until the node's next change.
fn role_spans(changes: &[RoleChange], end: Nanos) -> Vec<RoleSpan> {
    let until = |i: usize, node: NodeId| {
        let next = changes[i + 1..].iter().find(|change| change.node == node);
        next.map_or(end, |change| change.at)
    };
    let span = |(i, change): (usize, &RoleChange)| {
        let (role, term) = change.role?;
        let (node, to_ns) = (change.node.to_string(), until(i, change.node));
        Some(RoleSpan { node, role: role.to_owned(), term, from_ns: change.at, to_ns })
    };
    changes.iter().enumerate().filter_map(span).filter(|span| span.to_ns > span.from_ns).collect()
}

/// The stretches into which the load's time is cut for everything over time.
#[derive(Clone, Copy)]
pub(crate) struct Grid {
    width: Nanos,
    pub(crate) count: usize,
}

impl Grid {
    pub(crate) fn new(duration: Nanos) -> Self {
        let width = duration.div_ceil(BUCKETS).max(1);
        Grid { width, count: duration.div_ceil(width) as usize }
    }

    /// Which of them an instant is in, if it is in the load's time.
    pub(crate) fn bucket(self, at: Nanos) -> Option<usize> {
        let bucket = (at / self.width) as usize;
        (bucket < self.count).then_some(bucket)
    }
}

fn buckets(grid: Grid, finished: &Finished) -> Vec<TimeBucket> {
    let bucket = |i| TimeBucket { from_ns: i as Nanos * grid.width, invoked: 0, achieved: 0, possible: 0 };
    let mut buckets: Vec<TimeBucket> = (0..grid.count).map(bucket).collect();
    for op in finished.due() {
        if let Some(bucket) = grid.bucket(op.invoked) {
            buckets[bucket].invoked += 1;
            buckets[bucket].achieved += u64::from(op.served.is_some());
            buckets[bucket].possible += u64::from(op.was_possible());
        }
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_lasts_until_the_node_changes_or_dies() {
        let change = |at, node, role| RoleChange { at, node: NodeId(node), role };
        let changes = [
            change(0, 0, Some(("leader", 1))),
            change(5, 1, Some(("leader", 2))),
            change(7, 0, None),
            change(9, 0, Some(("follower", 2))),
        ];
        let spans: Vec<(String, u64, u64)> =
            role_spans(&changes, 20).into_iter().map(|span| (span.node, span.from_ns, span.to_ns)).collect();
        let expected = [("n1", 0, 7), ("n2", 5, 20), ("n1", 9, 20)];
        assert_eq!(spans, expected.map(|(node, from, to)| (node.to_owned(), from, to)));
    }
}
