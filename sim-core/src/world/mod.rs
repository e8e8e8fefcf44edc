//! The world: machines, the network between them, and time.
//!
//! A world takes the next event, lets time pass up to it, hands it to one process, and carries out what the process asked
//! for. Nothing else happens, and in nothing else does anything happen: a run is a function of its [`Setup`].
//!
//! - here: what a world is, and its loop;
//! - `deliver.rs`: how a packet, an alarm or a flush reaches a process;
//! - `effects.rs`: how what a process asks for is carried out;
//! - `strike.rs`: how faults begin and end; `target.rs`: whom they strike; `crash.rs`: how processes die; `cuts.rs`: what
//!   befalls the network; `disks.rs` and `machines.rs`: what else can be wrong with a machine.
//!
//! A world can be cloned at any moment, and [`World::fork`] gives the copy another future.

mod crash;
mod cuts;
mod deliver;
mod disks;
mod effects;
mod machines;
mod strike;
mod target;

use crate::alarms::Call;
use crate::connectivity::{DiskState, Epochs, Reachability};
use crate::delay::Delay;
use crate::dice::{Dice, StreamName, Streams};
use crate::disk::Journal;
use crate::fault::Target;
use crate::holding::{Agreement, Standing, agreement};
use crate::laws::{Breach, Laws, Nodes};
use crate::machine::{Host, Machine, MachineId, Pairs};
use crate::network::{Network, StrikeId};
use crate::oplog::OpLog;
use crate::protocol::{
    Client, ClientEffectOf, ClientId, DiskError, Effect, Member, NodeId, Observation, Protocol, Ticket, Transport, Why,
};
use crate::setup::{ClientSetup, Setup};
use crate::strain::{NodeStrain, Strain};
use crate::time::Nanos;
use crate::trace::{Row, Trace, What};
use crate::wire::{Fingerprint, size};
use crash::Doom;
use disks::Ills;
use machines::Slowness;
use std::collections::{BTreeMap, VecDeque};
use strike::Faults;

/// Something under way between two machines.
#[derive(Clone)]
enum Load<P: Protocol> {
    Message(P::Message),
    Request(P::Request),
    Reply(P::Reply),
}

impl<P: Protocol> Load<P> {
    /// How many bytes it is.
    fn size(&self) -> u64 {
        match self {
            Load::Message(message) => size(message),
            Load::Request(request) => size(request),
            Load::Reply(reply) => size(reply),
        }
    }

    fn text(&self) -> String {
        match self {
            Load::Message(message) => format!("{message:?}"),
            Load::Request(request) => format!("{request:?}"),
            Load::Reply(reply) => format!("{reply:?}"),
        }
    }
}

#[derive(Clone)]
struct Packet<P: Protocol> {
    from: MachineId,
    to: MachineId,
    transport: Transport,
    connection: u32,
    /// It was sent into a cut and has yet to be retransmitted.
    stalled: bool,
    load: Load<P>,
}

/// What happens.
#[derive(Clone)]
enum Event<P: Protocol> {
    /// A machine is switched on.
    Boot(MachineId),
    Arrive(Packet<P>),
    Alarm {
        machine: MachineId,
        call: Call,
    },
    /// A flush is done; for the process that began it only.
    Flushed {
        node: NodeId,
        incarnation: u32,
    },
    /// A machine that was busy can look at its inbox; likewise.
    Ready {
        machine: MachineId,
        incarnation: u32,
    },
    /// A stalled connection tries again.
    Retry {
        from: MachineId,
        to: MachineId,
        connection: u32,
    },
    Strike {
        fault: usize,
        length: Option<Nanos>,
    },
    Mend(StrikeId),
    /// Perhaps time to start a process again that its disk has stopped.
    Supervise(NodeId),
    Flap(StrikeId),
    Repeat(StrikeId),
    /// An order, and the fault that gives it, if one does.
    Admin(NodeId, P::Admin, Option<StrikeId>),
}

/// What a node's process can be told.
#[derive(Clone)]
enum Input<P: Protocol> {
    Message(NodeId, P::Message),
    Request(ClientId, P::Request),
    Alarm(P::Timer),
    OnDisk(Ticket),
    DiskError(DiskError),
    Admin(P::Admin, Option<StrikeId>),
}

/// What a client's process can be told.
#[derive(Clone)]
enum ClientInput<P: Protocol> {
    Reply(NodeId, P::Reply),
    Alarm(<P::Client as Client<P>>::Timer),
}

impl<P: Protocol> Input<P> {
    /// Who sent it; nobody sends an alarm.
    fn sender(&self) -> Option<String> {
        match self {
            Input::Message(from, _) => Some(from.to_string()),
            Input::Request(from, _) => Some(from.to_string()),
            Input::Admin(..) => Some("operator".to_owned()),
            Input::Alarm(_) | Input::OnDisk(_) | Input::DiskError(_) => None,
        }
    }

    fn text(&self) -> String {
        match self {
            Input::Message(_, message) => format!("{message:?}"),
            Input::Request(_, request) => format!("{request:?}"),
            Input::Alarm(timer) => format!("{timer:?}"),
            Input::OnDisk(ticket) => format!("{ticket:?}"),
            Input::DiskError(error) => error.to_string(),
            Input::Admin(order, _) => format!("{order:?}"),
        }
    }
}

impl<P: Protocol> ClientInput<P> {
    fn sender(&self) -> Option<String> {
        match self {
            ClientInput::Reply(from, _) => Some(from.to_string()),
            ClientInput::Alarm(_) => None,
        }
    }

    fn text(&self) -> String {
        match self {
            ClientInput::Reply(_, reply) => format!("{reply:?}"),
            ClientInput::Alarm(timer) => format!("{timer:?}"),
        }
    }
}

/// What leaves a node, and so may have to wait for its disk.
#[derive(Clone)]
enum Outward<P: Protocol> {
    Send(NodeId, P::Message, Transport),
    Tell(ClientId, P::Reply),
}

#[derive(Clone)]
struct Node<P: Protocol> {
    machine: Machine<Input<P>, P::Timer>,
    config: P::Config,
    cpu: Delay,
    cpu_dice: Dice,
    /// What makes its CPU slow.
    slowed: Vec<Slowness>,
    fsync: Delay,
    disk_dice: Dice,
    journal: Journal<P::Record>,
    /// Whether it has ever lost its disk for good.
    lost_disk: bool,
    ills: Ills,
    /// What waits for the disk: how far it must be, when the step that asked for it is done, and what leaves then.
    outbox: VecDeque<(usize, Nanos, Outward<P>)>,
    next_ticket: u64,
    /// The crashes that wait for a step to happen in, the oldest first.
    dooms: Vec<Doom>,
    /// The role it says it holds, and in which term.
    role: Option<(&'static str, u64)>,
    /// Whether it has told a client anything since it took its role.
    has_answered: bool,
}

/// A client's machine: what waits for it, and its alarms.
type ClientMachine<P> = Machine<ClientInput<P>, <<P as Protocol>::Client as Client<P>>::Timer>;

#[derive(Clone)]
struct ClientHost<P: Protocol> {
    machine: ClientMachine<P>,
    process: Option<P::Client>,
    setup: ClientSetup,
    /// For what the workload leaves open.
    workload_dice: Dice,
    /// All nodes, the nearest first.
    nearest: Vec<NodeId>,
}

/// A connection over which nothing passes.
#[derive(Clone)]
struct Stall<P: Protocol> {
    since: Nanos,
    retries: u32,
    waiting: VecDeque<Packet<P>>,
}

/// A node took a role, or lost it by dying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleChange {
    /// When.
    pub at: Nanos,
    /// Who.
    pub node: NodeId,
    /// Which role and term; `None` for a node that died.
    pub role: Option<(&'static str, u64)>,
}

/// A node changed its mind of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// When.
    pub at: Nanos,
    /// Whose opinion.
    pub by: NodeId,
    /// Of whom.
    pub of: NodeId,
    /// Whether it takes that node to be down from now on.
    pub is_down: bool,
}

/// A node went down or came up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passage {
    /// When.
    pub at: Nanos,
    /// Who.
    pub node: NodeId,
    /// Whether it is up from now on.
    pub is_up: bool,
}

/// One time that a fault struck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrikeReport {
    /// Which of the setup's faults.
    pub fault: usize,
    /// From when.
    pub from: Nanos,
    /// Until when.
    pub to: Nanos,
    /// What it really did, counted in messages, records, processes and steps. 0 means nothing.
    pub effects: u64,
    /// Whom it struck.
    pub who: String,
    /// The machines that each of its targets stood for, in the order in which they were looked up; an order that is
    /// repeated looks them up again.
    pub met: Vec<(Target, Vec<String>)>,
    /// For each of its places, in order, those that it turned out to be, as scenario files write them: `zone:a`.
    pub places: Vec<Vec<String>>,
}

/// How often nodes came back, by what they found on their disks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Returns {
    /// Their journal.
    pub whole: u64,
    /// Their journal, in which some slot did not read back.
    pub spoilt: u64,
    /// Nothing: the machine is another.
    pub replaced: u64,
}

/// A world in which a protocol runs.
#[derive(Clone)]
pub struct World<P: Protocol> {
    queue: crate::queue::Queue<Event<P>>,
    streams: Streams,
    fingerprint: Fingerprint,
    steps: u64,
    messages: u64,
    nodes: Vec<Node<P>>,
    /// By node; `None` for a node that is down.
    processes: Vec<Option<P>>,
    members: Vec<Member>,
    clients: Vec<ClientHost<P>>,
    network: Network,
    stalls: BTreeMap<(MachineId, MachineId), Stall<P>>,
    log: OpLog<P::Data>,
    laws: Option<P::Laws>,
    breach: Option<Breach>,
    faults: Faults,
    epochs: Epochs,
    roles: Vec<RoleChange>,
    opinions: Vec<Opinion>,
    passages: Vec<Passage>,
    returns: Returns,
    recoveries: BTreeMap<&'static str, u64>,
    first_answers: Vec<(Nanos, NodeId)>,
    trace: Trace,
    executing: Option<MachineId>,
    effects: Vec<Effect<P>>,
    client_effects: Vec<ClientEffectOf<P>>,
}

impl<P: Protocol> World<P> {
    /// A world in which nothing has happened yet.
    ///
    /// # Panics
    /// If the setup has no nodes or more than 2^20 machines: scenarios are checked before.
    pub fn new(setup: Setup<P>) -> Self {
        let machines = setup.nodes.len() + setup.clients.len();
        assert!(!setup.nodes.is_empty(), "a world has at least one node");
        assert!(machines < 1 << 20, "a world has fewer than 2^20 machines");
        let streams = Streams::new(setup.seed);
        let places = machine_places(&setup);
        let pairs = Pairs::new(setup.nodes.len(), setup.clients.len());
        let mut network = Network::new(setup.topology, places.clone(), pairs, setup.tcp, streams);
        let machine_id = |index: usize| MachineId(index as u32);
        let first_client = setup.nodes.len();
        let nodes: Vec<Node<P>> = setup
            .nodes
            .iter()
            .enumerate()
            .map(|(i, node)| {
                let name = NodeId(i as u32).to_string();
                let dice = |concern: &str| streams.dice(StreamName::new(&[concern, &name]));
                Node {
                    machine: Machine::new(machine_id(i), node.clock, dice("node")),
                    config: node.config.clone(),
                    cpu: node.cpu.clone(),
                    cpu_dice: dice("cpu"),
                    slowed: Vec::new(),
                    fsync: node.fsync.clone(),
                    disk_dice: dice("disk"),
                    journal: Journal::new(),
                    lost_disk: false,
                    ills: Ills::default(),
                    outbox: VecDeque::new(),
                    next_ticket: 0,
                    dooms: Vec::new(),
                    role: None,
                    has_answered: false,
                }
            })
            .collect();
        let members = setup.nodes.iter().enumerate();
        let members: Vec<Member> = members.map(|(i, node)| Member { id: NodeId(i as u32), role: node.role }).collect();
        let clients: Vec<ClientHost<P>> = setup
            .clients
            .into_iter()
            .enumerate()
            .map(|(i, client)| {
                let id = machine_id(first_client + i);
                let (_, stream) = places[first_client + i];
                let machine = Machine::new(id, client.clock, streams.dice(stream));
                let mut nearest: Vec<NodeId> = members.iter().map(|member| member.id).collect();
                nearest.sort_by_key(|node| {
                    (network.distance(id, machine_id(node.0 as usize)).unwrap_or(Nanos::MAX), *node)
                });
                let workload_dice = streams.dice(workload_stream(&client, 0));
                ClientHost { machine, process: None, setup: client, workload_dice, nearest }
            })
            .collect();
        let mut world = World {
            queue: crate::queue::Queue::new(),
            streams,
            fingerprint: Fingerprint::default(),
            steps: 0,
            messages: 0,
            processes: nodes.iter().map(|_| None).collect(),
            epochs: Epochs::new(nodes.len(), clients.len()),
            laws: setup.laws.then(|| P::Laws::new(nodes.len())),
            nodes,
            members,
            clients,
            network,
            stalls: BTreeMap::new(),
            log: OpLog::new(),
            breach: None,
            faults: Faults::new(setup.faults, streams),
            roles: Vec::new(),
            opinions: Vec::new(),
            passages: Vec::new(),
            returns: Returns::default(),
            recoveries: P::RECOVERIES.iter().map(|way| (*way, 0)).collect(),
            first_answers: Vec::new(),
            trace: Trace::new(setup.trace),
            executing: None,
            effects: Vec::new(),
            client_effects: Vec::new(),
        };
        for machine in 0..machines {
            world.queue.push(0, Event::Boot(machine_id(machine)));
        }
        for (at, fault, length) in world.faults.scheduled() {
            world.queue.push(at, Event::Strike { fault, length });
        }
        world.record_epoch();
        world
    }

    /// Lets everything happen that happens up to and including `until`, unless a law is broken first.
    pub fn run_until(&mut self, until: Nanos) {
        while self.breach.is_none() {
            let Some(event) = self.queue.pop(until) else {
                self.queue.advance(until);
                return;
            };
            self.happen(event);
        }
    }

    /// Lets the next event happen, if there is one up to `until`. Whether there was.
    pub fn step(&mut self, until: Nanos) -> bool {
        if self.breach.is_some() {
            return false;
        }
        let event = self.queue.pop(until);
        let happened = event.is_some();
        event.into_iter().for_each(|event| self.happen(event));
        happened
    }

    fn happen(&mut self, event: Event<P>) {
        match event {
            Event::Arrive(packet) => self.arrive(packet),
            Event::Alarm { machine, call } => self.call(machine, call),
            Event::Flushed { node, incarnation } => self.flushed(node, incarnation),
            Event::Ready { machine, incarnation } => self.ready(machine, incarnation),
            Event::Retry { from, to, connection } => self.retry(from, to, connection),
            Event::Boot(machine) => self.boot(machine, Why::First),
            Event::Strike { fault, length } => self.strike(fault, length),
            Event::Mend(strike) => self.mend(strike),
            Event::Supervise(node) => self.supervise(node),
            Event::Flap(strike) => self.flap(strike),
            Event::Repeat(strike) => self.repeat(strike),
            Event::Admin(node, order, strike) => self.input(node, Input::Admin(order, strike)),
        }
    }

    /// Gives an order to a node, as an operator would.
    pub fn operate(&mut self, node: NodeId, order: P::Admin) {
        self.queue.push(self.queue.now(), Event::Admin(node, order, None));
    }

    /// The same world with another future: from here on, all chance is drawn anew under `salt`.
    pub fn fork(&self, salt: u64) -> Self {
        let mut other = self.clone();
        let streams = self.streams.forked(salt);
        other.streams = streams;
        other.network.rekey(streams);
        other.faults.rekey(streams);
        for node in &mut other.nodes {
            for dice in [&mut node.machine.dice, &mut node.cpu_dice, &mut node.disk_dice] {
                dice.rekey(streams);
            }
            node.slowed.iter_mut().for_each(|slowness| slowness.dice.rekey(streams));
            node.ills.rekey(streams);
        }
        for client in &mut other.clients {
            client.machine.dice.rekey(streams);
            client.workload_dice.rekey(streams);
        }
        other
    }

    /// True time: nanoseconds since the run began.
    pub fn now(&self) -> Nanos {
        self.queue.now()
    }

    /// How many events have been delivered.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// How many of them were messages, requests or replies.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// The running hash of everything delivered.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint.digest()
    }

    /// What clients did.
    pub fn log(&self) -> &OpLog<P::Data> {
        &self.log
    }

    /// The processes that are up.
    pub fn processes(&self) -> Nodes<'_, P> {
        Nodes::new(&self.processes)
    }

    /// How far nodes agree on what they keep, as those that are up [reveal](Protocol::reveal) it. Nothing happens by it.
    pub fn agreement(&self) -> Agreement {
        let standing = |(node, process): (&Node<P>, &Option<P>)| match process {
            Some(process) => Standing::Up(process.reveal().unwrap_or_default()),
            None if node.lost_disk => Standing::Lost,
            None => Standing::Down,
        };
        agreement(&self.nodes.iter().zip(&self.processes).map(standing).collect::<Vec<_>>())
    }

    /// The law that was broken, if one was; the world then stands still.
    pub fn breach(&self) -> Option<&Breach> {
        self.breach.as_ref()
    }

    /// Every change of role so far.
    pub fn roles(&self) -> &[RoleChange] {
        &self.roles
    }

    /// Every change of a node's mind of another so far.
    pub fn opinions(&self) -> &[Opinion] {
        &self.opinions
    }

    /// When nodes came up and went down so far; each came up at the start.
    pub fn passages(&self) -> &[Passage] {
        &self.passages
    }

    /// How nodes came back after they had died.
    pub fn returns(&self) -> Returns {
        self.returns
    }

    /// How often nodes have told that they came back to what others know, by way; those never taken too.
    pub fn recoveries(&self) -> &BTreeMap<&'static str, u64> {
        &self.recoveries
    }

    /// When each node first told a client something after a change of its role, in order.
    pub fn first_answers(&self) -> &[(Nanos, NodeId)] {
        &self.first_answers
    }

    /// What was under strain so far.
    pub fn strain(&self) -> Strain {
        let pairs = Pairs::new(self.nodes.len(), self.clients.len());
        let now = self.now();
        let nodes = self.nodes.iter().map(|node| NodeStrain {
            busy: node.machine.strained(now),
            slow_disk: node.ills.slow(now),
            stopped: node.ills.stopped(now),
        });
        Strain::new(nodes, pairs, self.network.late(), self.faults.cuts.dropped(now))
    }

    /// Every time a fault has struck so far.
    pub fn strikes(&self) -> Vec<StrikeReport> {
        self.faults.reports(self.now())
    }

    /// Who could have talked to whom, so far.
    pub fn reachability(&self) -> Reachability {
        self.epochs.reachability()
    }

    /// The machine whose process is being told something: who is to blame if this panics. `None` between steps, and
    /// then a panic is the engine's.
    pub fn executing(&self) -> Option<String> {
        self.executing.map(|machine| self.machine_name(machine))
    }

    /// What happened since this was last called; nothing unless the setup asked for a trace.
    pub fn take_rows(&mut self) -> Vec<Row> {
        self.trace.take(self.queue.now())
    }

    fn machine_of(&self, client: ClientId) -> MachineId {
        MachineId(self.nodes.len() as u32 + client.0)
    }

    fn node_at(&self, machine: MachineId) -> Option<NodeId> {
        ((machine.0 as usize) < self.nodes.len()).then_some(NodeId(machine.0))
    }

    fn client_at(&self, machine: MachineId) -> ClientId {
        ClientId(machine.0 - self.nodes.len() as u32)
    }

    fn machine_name(&self, machine: MachineId) -> String {
        match self.node_at(machine) {
            Some(node) => node.to_string(),
            None => self.client_at(machine).to_string(),
        }
    }

    /// Adds a row to the trace, if there is one. The texts are only made then.
    #[inline]
    fn row(&mut self, what: What, texts: impl FnOnce(&Self) -> (String, String, String)) {
        self.row_at(self.now(), what, texts);
    }

    /// The same of something that comes a little later, such as what leaves at the end of a step.
    #[inline]
    fn row_at(&mut self, at: Nanos, what: What, texts: impl FnOnce(&Self) -> (String, String, String)) {
        self.row_of(at, 0, what, texts);
    }

    /// The same of something that takes its time.
    #[inline]
    fn row_of(&mut self, at: Nanos, takes: Nanos, what: What, texts: impl FnOnce(&Self) -> (String, String, String)) {
        if self.trace.is_on(self.now()) {
            self.keep((at, takes), what, texts);
        }
    }

    /// Out of line: hardly any run is traced, and this stands behind every message.
    #[cold]
    #[inline(never)]
    fn keep(&mut self, (at, takes): (Nanos, Nanos), what: What, texts: impl FnOnce(&Self) -> (String, String, String)) {
        let (from, to, text) = texts(self);
        self.trace.add(Row { at, step: self.steps, what, from, to, text, takes, letter: None });
    }

    /// Notes who can talk to whom from now on.
    fn record_epoch(&mut self) {
        let machines = self.nodes.len() + self.clients.len();
        let well: Vec<bool> = (0..machines as u32).map(|machine| self.host(MachineId(machine)).is_well()).collect();
        let pairs = Pairs::new(self.nodes.len(), self.clients.len());
        let is_live = |(from, to): (MachineId, MachineId)| {
            well[from.0 as usize] && well[to.0 as usize] && (from == to || self.network.is_live(from, to))
        };
        let live = pairs.iter().map(is_live).collect();
        let disk = |node: &Node<P>| match (node.lost_disk, node.ills.takes_writes()) {
            (true, _) => DiskState::Lost,
            (false, true) => DiskState::Takes,
            (false, false) => DiskState::Refuses,
        };
        let disks = self.nodes.iter().map(disk).collect();
        self.epochs.record(self.queue.now(), live, well, disks);
    }

    fn host(&self, machine: MachineId) -> &dyn Host {
        match self.node_at(machine) {
            Some(node) => &self.nodes[node.0 as usize].machine,
            None => &self.clients[self.client_at(machine).0 as usize].machine,
        }
    }

    fn host_mut(&mut self, machine: MachineId) -> &mut dyn Host {
        match self.node_at(machine) {
            Some(node) => &mut self.nodes[node.0 as usize].machine,
            None => {
                let client = self.client_at(machine);
                &mut self.clients[client.0 as usize].machine
            }
        }
    }

    fn observe(&mut self, node: NodeId, observation: Observation) {
        match observation {
            Observation::Role { role, term } => self.role_observed(node, role, term),
            Observation::Deems { peer, is_down } => {
                self.opinions.push(Opinion { at: self.now(), by: node, of: peer, is_down });
                let state = if is_down { "down" } else { "up" };
                self.row(What::Opinion, |_| (node.to_string(), peer.to_string(), format!("is {state}")));
            }
            Observation::Recovered(way) => {
                debug_assert!(P::RECOVERIES.contains(&way), "`{way}` is none of the ways that the protocol lists");
                *self.recoveries.entry(way).or_default() += 1;
                self.row(What::Recovery, |_| (node.to_string(), String::new(), way.to_owned()));
            }
        }
    }

    fn role_observed(&mut self, node: NodeId, role: &'static str, term: u64) {
        let host = &mut self.nodes[node.0 as usize];
        (host.role, host.has_answered) = (Some((role, term)), false);
        self.roles.push(RoleChange { at: self.now(), node, role: Some((role, term)) });
        self.row(What::Role, |_| (node.to_string(), String::new(), format!("{role}, term {term}")));
        self.role_taken(role, term);
    }
}

/// The stream from which a client draws what its workload leaves open, in each of its lives.
fn workload_stream(client: &ClientSetup, incarnation: u32) -> StreamName {
    StreamName::new(&["workload", &client.workload.name, &client.index.to_string(), &incarnation.to_string()])
}

/// Every machine's zone and the name of its streams.
fn machine_places<P: Protocol>(setup: &Setup<P>) -> Vec<(crate::topology::ZoneId, StreamName)> {
    let nodes = setup.nodes.iter().enumerate().map(|(i, node)| {
        let name = NodeId(i as u32).to_string();
        (node.zone, StreamName::new(&["node", &name]))
    });
    let clients = setup.clients.iter().map(|client| {
        let index = client.index.to_string();
        (client.zone, StreamName::new(&["client", &client.workload.name, &index]))
    });
    nodes.chain(clients).collect()
}
