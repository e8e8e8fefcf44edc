//! From a plan to a finished run: the only place where scenarios meet the types of a protocol.
//!
//! [`execute`] is generic over the protocol; everything it returns is plain. A system's row in the registry holds it as a
//! function pointer, so that nothing above knows a type parameter.

pub use crate::convergence::Convergence;
use crate::outage::cause::{Ground, Reign, Stretch, Wait, reigns};
use crate::plan::Plan;
use history::{Data, History, Outcome, Purpose};
use sim_core::Reachability;
use sim_core::laws::{Breach, Laws};
use sim_core::oplog::Asked;
use sim_core::oplog::LoggedOp;
use sim_core::protocol::{ClientId, NodeId, OpId, Protocol};
use sim_core::reach::Reach;
use sim_core::settings::Settings;
use sim_core::setup::{NodeSetup, Setup};
use sim_core::time::{MILLISECOND, Nanos, SECOND};
use sim_core::trace::ALWAYS;
pub use sim_core::trace::{Row, What};
use sim_core::world::{Opinion, Passage, Returns, RoleChange, StrikeReport, World};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How to run a plan, beyond what the plan says. Nothing here changes what happens.
#[derive(Default)]
pub struct Options<'a> {
    /// Takes the rows of the trace as they come; without it none are made.
    pub trace: Option<&'a mut dyn FnMut(Vec<Row>)>,
    /// From when to when there are rows, both included, if not always. The run ends soon after the last of these stretches.
    pub stretches: Option<&'a [(Nanos, Nanos)]>,
    /// Asked now and then, and told how far the run has come (in simulated time): if false, it ends where it is.
    pub keep_going: Option<&'a dyn Fn(Nanos) -> bool>,
    /// Whether the record is to hold what a page draws.
    pub picture: bool,
}

impl Options<'_> {
    fn traced(&self) -> Vec<(Nanos, Nanos)> {
        match (&self.trace, self.stretches) {
            (None, _) => Vec::new(),
            (Some(_), None) => vec![ALWAYS],
            (Some(_), Some(stretches)) => stretches.to_vec(),
        }
    }
}

/// An operation, with what only the engine knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpFact {
    /// Which of the data's functions.
    pub function: usize,
    /// Who asked.
    pub client: ClientId,
    /// When, in true time.
    pub invoked: Nanos,
    /// By when it was to be done.
    pub deadline: Nanos,
    /// When the client heard or gave up.
    pub completed: Option<Nanos>,
    /// Whether it returned, was refused, or nobody knows.
    pub outcome: Outcome<()>,
    /// When it was served, if it was in time.
    pub served: Option<Nanos>,
    /// For an operation that was not served, or late in its time: when it could have been.
    pub possible: Vec<(Nanos, Nanos)>,
    /// For the same: what it waited for, from its invocation until it was served, given up or out of time.
    pub why: Vec<Stretch>,
    /// Why it was asked.
    pub purpose: Purpose,
}

impl OpFact {
    /// Whether some protocol of its kind could have served it in time. What was served was possible.
    pub fn was_possible(&self) -> bool {
        self.served.is_some() || !self.possible.is_empty()
    }

    /// When it stopped waiting: served, completed, or out of time.
    pub fn waited_until(&self) -> Nanos {
        self.completed.unwrap_or(self.deadline).min(self.deadline)
    }
}

/// An operation that waited at least this share of its patience is looked at more closely: it may mark an outage.
pub(crate) const SLOW_SHARE: u64 = 10;

/// A run that is over, in plain data.
#[derive(Clone, Debug)]
pub struct Finished {
    /// What clients did and heard.
    pub history: History,
    /// The same operations, with what the engine knows of them; in the same order.
    pub facts: Vec<OpFact>,
    /// Those of them that can change the data, by number, in the order in which nodes say that they took effect.
    pub order: Vec<usize>,
    /// Every time a fault struck.
    pub strikes: Vec<StrikeReport>,
    /// Who held which role.
    pub roles: Vec<RoleChange>,
    /// Whom nodes took to be down.
    pub opinions: Vec<Opinion>,
    /// Who was down.
    pub passages: Vec<Passage>,
    /// Messages, requests and replies delivered.
    pub messages: u64,
    /// How nodes came back after they had died.
    pub returns: Returns,
    /// How often nodes told that they came back to what others know, by way; those never taken too.
    pub recoveries: BTreeMap<&'static str, u64>,
    /// When a node held the role whose holder serves; `None` for a system in which every node does.
    pub reigns: Option<Vec<Reign>>,
    /// When each node first told a client something after a change of its role.
    pub first_answers: Vec<(Nanos, NodeId)>,
    /// Who could have talked to whom.
    pub reach: Reachability,
    /// Events delivered.
    pub steps: u64,
    /// The running hash of all of them.
    pub fingerprint: u64,
    /// What the fingerprint was after each whole second: where two runs part, to the second.
    pub checkpoints: Vec<u64>,
    /// When it ended, in true time.
    pub end: Nanos,
    /// Whether it ran to the end of its time.
    pub whole: bool,
    /// What became of copies and hints after everything healed; `None` if it did not come to that, or nodes reveal nothing.
    pub convergence: Option<Convergence>,
    /// The law that was broken, if one was.
    pub breach: Option<Breach>,
    /// The protocol's own code panicked: where, and with which words.
    pub panic: Option<String>,
    /// The names of the protocol's laws.
    pub laws: &'static [&'static str],
}

impl Finished {
    /// Whether it was stopped from outside.
    pub(crate) fn is_interrupted(&self) -> bool {
        !self.whole && self.breach.is_none() && self.panic.is_none()
    }

    /// The load's operations whose time was up, one way or the other, when the run ended.
    pub(crate) fn due(&self) -> impl Iterator<Item = &OpFact> {
        let is_due = |op: &&OpFact| op.purpose == Purpose::Load && (op.completed.is_some() || op.deadline <= self.end);
        self.facts.iter().filter(is_due)
    }
}

/// The engine itself panicked: a bug of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineFault {
    /// Of the run.
    pub seed: u64,
    /// After so many events.
    pub step: u64,
    /// What it said.
    pub message: String,
}

/// How much simulated time passes between two looks at [`Options::keep_going`] and the trace.
const SLICE: Nanos = 100 * MILLISECOND;

/// Where a run stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Load and faults.
    Storm,
    /// Everything heals, at one instant.
    Heal,
    /// The quiet time after that.
    Settle,
}

impl Phase {
    /// Lets a slice of it pass. What comes next, if anything does.
    fn step<P: Protocol>(self, plan: &Plan, world: &mut World<P>) -> Option<Phase> {
        let (end, next) = match self {
            Phase::Storm => (plan.duration, Some(Phase::Heal)),
            Phase::Heal => {
                world.heal();
                return (plan.settle > 0).then_some(Phase::Settle);
            }
            Phase::Settle => (plan.duration + plan.settle, None),
        };
        world.run_until((world.now() + SLICE).min(end));
        if world.now() < end { Some(self) } else { next }
    }
}

/// Runs a plan.
///
/// # Errors
/// If the engine itself panics. A panic in the protocol's code is a finding about the protocol.
pub fn execute<P: Protocol>(plan: &Plan, options: &mut Options<'_>) -> Result<Finished, EngineFault> {
    let mut world = World::new(setup::<P>(plan, options.traced()));
    let end = options.stretches.and_then(|stretches| stretches.iter().map(|(_, to)| *to).max());
    let (mut panic, mut stopped) = (None, false);
    let mut checkpoints = Vec::new();
    let mut phase = Some(Phase::Storm);
    let mut convergence = None;
    while let Some(now) = phase
        && panic.is_none()
        && world.breach().is_none()
        && !stopped
    {
        // Protocol code runs when processes restart, so healing is a step like any other.
        let ran = catch_unwind(AssertUnwindSafe(|| {
            phase = now.step(plan, &mut world);
            if P::REVEALS && now != Phase::Storm {
                let seen: &mut Convergence = convergence.get_or_insert_default();
                seen.see(world.now() - plan.duration, world.agreement());
            }
        }));
        if let Some(sink) = &mut options.trace {
            sink(world.take_rows());
        }
        if let Err(payload) = ran {
            let message = payload_text(&*payload);
            let Some(who) = world.executing() else {
                return Err(EngineFault { seed: plan.seed, step: world.steps(), message });
            };
            panic = Some(format!("{who} panicked: {message}"));
        }
        if now != Phase::Heal && world.now().is_multiple_of(SECOND) {
            checkpoints.push(world.fingerprint());
        }
        let is_over = end.is_some_and(|end| world.now() > end);
        let goes_on = phase.is_none() || options.keep_going.is_none_or(|keep_going| keep_going(world.now()));
        stopped = is_over || !goes_on;
    }
    let whole = panic.is_none() && world.breach().is_none() && !stopped;
    Ok(Finished { checkpoints, convergence, panic, whole, ..finished(plan, &world) })
}

fn config<P: Protocol>(plan: &Plan) -> P::Config {
    let config = P::Config::build(&plan.values, plan.flaws.clone());
    config.expect("the scenario's settings were checked when it was read")
}

fn setup<P: Protocol>(plan: &Plan, trace: Vec<(Nanos, Nanos)>) -> Setup<P> {
    let config = config::<P>(plan);
    let nodes = plan.nodes.iter().map(|node| NodeSetup {
        zone: node.zone,
        role: P::ROLES[0],
        config: config.clone(),
        clock: node.clock,
        cpu: plan.cpu.clone(),
        fsync: plan.fsync.clone(),
    });
    Setup {
        seed: plan.seed,
        topology: plan.topology.clone(),
        nodes: nodes.collect(),
        clients: plan.clients.clone(),
        faults: plan.faults.clone(),
        tcp: plan.tcp,
        laws: true,
        trace,
    }
}

fn payload_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// What there is to say of a world that has come to its end.
fn finished<P: Protocol>(plan: &Plan, world: &World<P>) -> Finished {
    let reach = world.reachability();
    let config = config::<P>(plan);
    let end = world.now();
    let reigns = plan.serving.map(|serving| reigns(world.roles(), serving));
    let strain = world.strain();
    let died = world.roles().iter().filter(|change| change.role.is_none());
    let deaths = died.map(|change| (change.at, change.node)).collect();
    let ground = Ground { reach: &reach, strain: &strain, reigns: reigns.as_deref(), deaths };
    let asked = world.log().asked();
    let asked_for = |op: OpId| -> &[Asked] {
        let from = asked.partition_point(|asked| asked.op < op);
        &asked[from..from + asked[from..].partition_point(|asked| asked.op == op)]
    };
    let fact = |(id, op): (OpId, &LoggedOp<P::Data>)| {
        let served = op.served();
        let slow = served.is_none_or(|at| (at - op.invoked.time) * SLOW_SHARE >= op.deadline - op.invoked.time);
        let serves = |reach: &Reach<'_>| P::can_serve(&config, &op.op, reach);
        let (mut possible, mut why) = (Vec::new(), Vec::new());
        if slow {
            let until = served.unwrap_or(op.deadline).min(end);
            possible = reach.when(op.client, op.invoked.time, until, serves);
            let completed = op.completed.map_or(until, |mark| mark.time.min(until));
            let (span, long) = ((op.invoked.time, completed), (op.deadline - op.invoked.time) / SLOW_SHARE);
            let wait = Wait { client: op.client, span, possible: &possible, asked: asked_for(id), long };
            why = ground.why(&wait, &serves);
        }
        OpFact {
            function: P::Data::function(&op.op),
            client: op.client,
            invoked: op.invoked.time,
            deadline: op.deadline,
            completed: op.completed.map(|mark| mark.time),
            outcome: match op.outcome {
                Outcome::Returned(_) => Outcome::Returned(()),
                Outcome::Refused => Outcome::Refused,
                Outcome::Unknown => Outcome::Unknown,
            },
            served,
            possible,
            why,
            purpose: op.purpose,
        }
    };
    Finished {
        history: world.log().history(plan.clients.len().max(1) as u64),
        facts: (0..).map(OpId).zip(world.log().ops()).map(fact).collect(),
        order: world.log().order(),
        strikes: world.strikes(),
        roles: world.roles().to_vec(),
        opinions: world.opinions().to_vec(),
        passages: world.passages().to_vec(),
        messages: world.messages(),
        returns: world.returns(),
        recoveries: world.recoveries().clone(),
        first_answers: world.first_answers().to_vec(),
        reigns,
        reach,
        steps: world.steps(),
        fingerprint: world.fingerprint(),
        checkpoints: Vec::new(),
        convergence: None,
        end,
        whole: true,
        breach: world.breach().cloned(),
        panic: None,
        laws: <P::Laws as Laws<P>>::NAMES,
    }
}
