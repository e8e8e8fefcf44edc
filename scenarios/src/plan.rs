//! A plan: a scenario for one seed, every instant and every number decided, before anything happens.
//!
//! Everything drawn here comes from streams of its own, named after what is drawn (`plan fault crash-1`, `plan clock n3`),
//! so that a fault taken out of a scenario leaves the instants of the others as they were. Whom `leader` will mean is not
//! decided here: the world finds out when it matters.

use crate::delay::{shares, table};
use crate::scenario::{Fault, Load, Model, Scenario, Timing};
use history::Draw;
use sim_core::delay::Delay;
use sim_core::dice::{Dice, StreamName, Streams};
use sim_core::fault::{self, Strike, When};
use sim_core::protocol::NodeId;
use sim_core::settings::{Flaws, Values};
use sim_core::setup::ClientSetup;
use sim_core::time::Nanos;
use sim_core::topology::{Topology, ZoneId};
use sim_core::workload::{Keys, Pace, Workload};
use sim_core::{Clock, Tcp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A node of a plan.
#[derive(Clone, Debug)]
pub struct PlannedNode {
    /// Where it stands.
    pub zone: ZoneId,
    /// Its clock.
    pub clock: Clock,
}

/// What will be run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scenario's name.
    pub scenario: String,
    /// For which seed it was drawn, and from which the run draws the rest.
    pub seed: u64,
    /// How long load and faults last.
    pub duration: Nanos,
    /// How long the quiet time after that lasts.
    pub settle: Nanos,
    /// Where machines can stand.
    pub topology: Topology,
    /// The nodes, by id.
    pub nodes: Vec<PlannedNode>,
    /// The system's name.
    pub protocol: &'static str,
    /// The role whose one holder serves the clients, if the system has one.
    pub serving: Option<&'static str>,
    /// Its settings.
    pub values: Values,
    /// The mistakes switched on.
    pub flaws: Flaws,
    /// What a message costs a node's CPU.
    pub cpu: Delay,
    /// What a flush costs a node's disk.
    pub fsync: Delay,
    /// How streams behave.
    pub tcp: Tcp,
    /// The clients, by id: those of every load, then one for each load that reads what survived.
    pub clients: Vec<ClientSetup>,
    /// What goes wrong, and when.
    pub faults: Vec<fault::Fault>,
    /// Why there is each of them, in the words of the scenario's author.
    pub whys: Vec<Option<String>>,
    /// What the seed decided of the scenario before.
    pub draws: Vec<Draw>,
}

/// How many final reads are under way at once: enough to read hundreds of keys across an ocean in a few seconds.
const FINAL_READ_WINDOW: u32 = 16;

impl Plan {
    /// Decides everything that a scenario leaves to the seed.
    pub fn draw(scenario: &Scenario, seed: u64) -> Self {
        let streams = Streams::new(seed);
        let dice = |parts: &[&str]| streams.dice(StreamName::new(&[&["plan"], parts].concat()));
        let nodes = scenario.cluster.zones.iter().enumerate().map(|(i, zone)| {
            let name = NodeId(i as u32).to_string();
            PlannedNode { zone: ZoneId(*zone as u32), clock: clock(scenario, &mut dice(&["clock", &name])) }
        });
        let faults = scenario.faults.iter();
        let faults = faults.map(|fault| planned_fault(fault, scenario.duration, dice));
        Plan {
            scenario: scenario.name.clone(),
            seed,
            duration: scenario.duration,
            settle: scenario.settle,
            topology: topology(scenario),
            nodes: nodes.collect(),
            protocol: scenario.protocol.name,
            serving: scenario.protocol.serving,
            values: scenario.protocol.values.clone(),
            flaws: scenario.protocol.flaws.clone(),
            cpu: table(&scenario.cluster.cpu),
            fsync: table(&scenario.cluster.fsync),
            tcp: Tcp::default(),
            clients: clients(scenario),
            faults: faults.collect(),
            whys: scenario.faults.iter().map(|fault| fault.why.clone()).collect(),
            draws: scenario.draws.clone(),
        }
    }
}

fn topology(scenario: &Scenario) -> Topology {
    let mut topology = Topology::new();
    let zones = scenario.layout.zones.iter();
    let zones: Vec<ZoneId> = zones.map(|zone| topology.zone(&zone.name, &zone.region)).collect();
    for (id, zone) in zones.iter().zip(&scenario.layout.zones) {
        zone.provider.iter().for_each(|provider| topology.run_by(*id, provider));
    }
    for link in &scenario.layout.links {
        topology.link(zones[link.from], zones[link.to], &link.name, table(&link.delay), link.loss, link.duplicate);
    }
    // Once for each name, whatever links share it.
    let narrow = scenario.layout.links.iter().filter_map(|link| Some((&*link.name, link.bandwidth?)));
    narrow.collect::<BTreeMap<_, _>>().into_iter().for_each(|(name, bandwidth)| topology.limit(name, bandwidth));
    topology
}

/// A clock within the bounds that the scenario gives.
fn clock(scenario: &Scenario, dice: &mut Dice) -> Clock {
    let (drift, (earliest, latest)) = (scenario.cluster.clock.drift, scenario.cluster.clock.offset);
    let most = (u128::from(drift.numerator) * 1_000_000_000 / u128::from(drift.denominator)) as u64;
    let rate = dice.between(0, 2 * most) as i64 - most as i64;
    let offset = earliest + dice.between(0, latest.abs_diff(earliest)) as i64;
    Clock::new(offset, rate)
}

fn clients(scenario: &Scenario) -> Vec<ClientSetup> {
    let setup = |zone: usize, index: usize, workload: &Arc<Workload>| ClientSetup {
        zone: ZoneId(zone as u32),
        clock: Clock::RIGHT,
        workload: Arc::clone(workload),
        index: index as u32,
    };
    let workloads = scenario.loads.iter().map(|load| (load, Arc::new(workload(load, scenario.duration))));
    let workloads: Vec<(&Load, Arc<Workload>)> = workloads.collect();
    let mut clients = Vec::new();
    for (load, workload) in &workloads {
        clients.extend(load.zones.iter().enumerate().map(|(index, zone)| setup(*zone, index, workload)));
    }
    if scenario.settle > 0 {
        for (load, workload) in &workloads {
            let reader = Arc::new(final_reads(workload, load.touched(), scenario));
            clients.push(setup(load.zones.first().copied().unwrap_or(0), 0, &reader));
        }
    }
    clients
}

fn workload(load: &Load, duration: Nanos) -> Workload {
    let pace = match &load.model {
        Model::Closed { think } => Pace::Closed { think: table(think) },
        Model::Open { per_second, arrivals } => Pace::Open { gap: table(&load.gap(*per_second, *arrivals)) },
        Model::Script { operations } => Pace::Script { operations: operations.clone() },
    };
    Workload {
        name: load.name.clone(),
        pace,
        mix: load.ops.clone(),
        keys: if load.keys.skew.numerator == 0 {
            Keys::uniform(load.keys.count)
        } else {
            Keys::from_ends(shares(load.keys.count, load.keys.skew))
        },
        patience: load.timeout,
        retry_after: load.retry,
        from: load.from,
        until: load.until.min(duration),
    }
}

/// One more client reads every key of the load when everything has healed and the last operation of the load has ended:
/// a read that a write could still overtake would tell nothing of that write. Where copies become alike only in time, they
/// are given half of the time there is.
fn final_reads(load: &Workload, keys: Vec<u32>, scenario: &Scenario) -> Workload {
    let longest = scenario.loads.iter().map(|load| load.timeout).max().unwrap_or(0);
    let half = scenario.settle / 2;
    let from = scenario.duration + if scenario.protocol.reveals { half } else { longest.min(half) };
    let until = scenario.duration + scenario.settle;
    Workload {
        name: format!("{} final reads", load.name),
        pace: Pace::FinalReads { window: FINAL_READ_WINDOW, keys },
        patience: until - from,
        from,
        until,
        ..load.clone()
    }
}

/// When a fault strikes, and for how long: each from a stream of its own, so that saying one moves the other nowhere.
fn planned_fault(fault: &Fault, duration: Nanos, dice: impl Fn(&[&str]) -> Dice) -> fault::Fault {
    let (mut instants, mut lengths) = (dice(&["fault", &fault.name]), dice(&["fault", &fault.name, "for"]));
    let mut length = || fault.length.map(|(min, max)| lengths.between(min, max));
    let when = match &fault.timing {
        Timing::At { from, to } => When::At(vec![Strike { at: instants.between(*from, *to), length: length() }]),
        Timing::During { from, to } => When::At(vec![Strike { at: *from, length: Some(to - from) }]),
        Timing::Every { period, jitter, times } => {
            let most = times.map_or(u64::MAX, u64::from);
            let begins = (1..=most).map_while(|k| period.checked_mul(k)).take_while(|at| *at < duration);
            let strikes = begins.map(|at| Strike { at: at + instants.between(0, *jitter), length: length() });
            When::At(strikes.filter(|strike| strike.at < duration).collect())
        }
        Timing::Event { event, after, times, within } => {
            When::Event { event: event.clone(), after: *after, length: length(), times: *times, within: *within }
        }
    };
    fault::Fault { name: fault.name.clone(), kind: fault.action.clone().with_delays(|delay| table(&delay)), when }
}
