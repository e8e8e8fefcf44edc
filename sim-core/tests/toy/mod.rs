//! A toy system that uses everything a protocol can ask for: each node keeps a sum in its journal, tells watchers of
//! every change, gossips over a *part* with words of its own, and follows the orders of an operator.
#![allow(dead_code, reason = "each test file uses its own half of the toy")]

use history::{Outcome, Purpose, Register, RegisterOp, RegisterRet};
use serde::Serialize;
use sim_core::Clock;
use sim_core::delay::Delay;
use sim_core::fault::{Count, Fault, FaultKind, Strike, Target, When, Who};
use sim_core::laws::{Breach, Laws, Nodes};
use sim_core::promise::{Claim, Premise};
use sim_core::protocol::{
    About, Boot, Client, ClientBoot, ClientCtx, ClientId, Ctx, Embed, NodeId, Observation, OpId, OrderKind, Protocol,
    Slot, Ticket, Vocabulary, Why,
};
use sim_core::reach::Reach;
use sim_core::settings::{Flaws, Key, Rejected, Settings, Values};
use sim_core::setup::Setup;
use sim_core::time::{LocalTime, MILLISECOND, Nanos, SECOND};
use sim_core::workload::{Keys, Pace, Workload};

/// A part: it says hello to everybody now and then, and counts who answers. It has never heard of sums.
#[derive(Clone, Default)]
pub struct Greeter {
    pub heard: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Greeting {
    Hello,
    Welcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Again;

impl Vocabulary for Greeter {
    type Message = Greeting;
    type Timer = Again;
    type Record = u64;
    type Reply = u64;
}

impl Greeter {
    fn start(&mut self, ctx: &mut Ctx<'_, Greeter>) {
        ctx.arm(Again, 50 * MILLISECOND);
    }
    fn on_timer(&mut self, peers: &[NodeId], ctx: &mut Ctx<'_, Greeter>) {
        peers.iter().for_each(|&peer| ctx.send_datagram(peer, Greeting::Hello));
        ctx.arm(Again, 50 * MILLISECOND);
    }
    fn on_message(&mut self, from: NodeId, greeting: Greeting, ctx: &mut Ctx<'_, Greeter>) {
        match greeting {
            Greeting::Hello => ctx.send_datagram(from, Greeting::Welcome),
            Greeting::Welcome => self.heard += 1,
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub enum Message {
    Greeting(Greeting),
    /// The sender's sum, in the order of its changes.
    Sum(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Timer {
    Greeter(Again),
    /// Takes the role that configuration gives.
    Lead,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Record {
    Added(u64),
    Greeter(u64),
}

#[derive(Clone, Debug, Serialize)]
pub enum Request {
    Add { serial: u64, amount: u64 },
    Watch,
}

#[derive(Clone, Debug, Serialize)]
pub enum Reply {
    Added { serial: u64, sum: u64 },
    Changed(u64),
}

/// What can be different about a toy.
#[derive(Clone, Debug)]
pub struct Config {
    /// Answers before it writes: the mistake.
    pub hasty: bool,
    /// Added to what it gossips: a payload to flip.
    pub salt: u64,
    /// Writes with `persist_later`.
    pub pipelined: bool,
}

impl Settings for Config {
    const KEYS: &'static [Key] = &[];
    const FLAWS: &'static [sim_core::settings::Flaw] = &[];
    fn build(_: &Values, _: Flaws) -> Result<Self, Rejected> {
        Ok(Config { hasty: false, salt: 0, pipelined: false })
    }
}

#[derive(Clone)]
pub struct Toy {
    pub me: NodeId,
    pub role: &'static str,
    pub why: Why,
    pub peers: Vec<NodeId>,
    pub greeter: Greeter,
    pub sum: u64,
    /// What peers said, in order of arrival.
    pub said: Vec<(NodeId, u64)>,
    pub corrupt: usize,
    pub landed: Vec<Ticket>,
    pub orders: Vec<u64>,
    /// What its clocks showed when peers said something: the monotonic one, the wall clock.
    pub clocks: Vec<(LocalTime, LocalTime)>,
    watchers: Vec<ClientId>,
    config: Config,
}

impl Vocabulary for Toy {
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Reply = Reply;
}

impl Embed<Greeter> for Toy {
    fn message(greeting: Greeting) -> Message {
        Message::Greeting(greeting)
    }
    fn timer(again: Again) -> Timer {
        Timer::Greeter(again)
    }
    fn record(record: u64) -> Record {
        Record::Greeter(record)
    }
    fn reply(sum: u64) -> Reply {
        Reply::Changed(sum)
    }
}

impl Protocol for Toy {
    type Request = Request;
    type Client = Adder;
    type Admin = u64;
    type Config = Config;
    type Data = Register;
    type Laws = SumsOnlyGrow;
    const ROLES: &'static [&'static str] = &["keeper", "observer"];
    const ORDERS: &'static [OrderKind] = &[
        OrderKind { name: "bonus", about: About::Nobody, text: "Adds 7." },
        OrderKind { name: "honour", about: About::One, text: "Adds the number of a node." },
        OrderKind { name: "honours", about: About::Some, text: "Adds the numbers of nodes." },
    ];

    fn start(boot: Boot<'_, Self>, ctx: &mut Ctx<'_, Self>) -> Self {
        let mut greeter = Greeter::default();
        ctx.nested::<Greeter, _>(|ctx| greeter.start(ctx));
        if boot.me == NodeId(0) {
            ctx.arm(Timer::Lead, 100 * MILLISECOND);
        }
        let whole = |slot: &Slot<Record>| match slot {
            Slot::Ok(Record::Added(amount)) => *amount,
            Slot::Ok(Record::Greeter(_)) | Slot::Corrupt => 0,
        };
        let corrupt = boot.journal.iter().filter(|slot| matches!(slot, Slot::Corrupt)).count();
        if let Some(bad) = boot.journal.iter().position(|slot| matches!(slot, Slot::Corrupt)) {
            ctx.truncate(bad);
        }
        Toy {
            me: boot.me,
            role: boot.role,
            why: boot.why,
            peers: boot.members.iter().map(|member| member.id).filter(|&id| id != boot.me).collect(),
            greeter,
            sum: boot.journal.iter().map(whole).sum(),
            said: Vec::new(),
            corrupt,
            landed: Vec::new(),
            orders: Vec::new(),
            clocks: Vec::new(),
            watchers: Vec::new(),
            config: boot.config.clone(),
        }
    }

    fn on_message(&mut self, from: NodeId, message: Message, ctx: &mut Ctx<'_, Self>) {
        match message {
            Message::Greeting(greeting) => {
                ctx.nested::<Greeter, _>(|ctx| self.greeter.on_message(from, greeting, ctx));
            }
            Message::Sum(sum) => {
                self.said.push((from, sum));
                self.clocks.push((ctx.now(), ctx.wall()));
            }
        }
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Ctx<'_, Self>) {
        match timer {
            Timer::Greeter(Again) => ctx.nested::<Greeter, _>(|ctx| self.greeter.on_timer(&self.peers, ctx)),
            Timer::Lead => ctx.observe(Observation::Role { role: "leader", term: 1 }),
        }
    }

    fn on_request(&mut self, client: ClientId, request: Request, ctx: &mut Ctx<'_, Self>) {
        match request {
            Request::Watch => self.watchers.push(client),
            Request::Add { serial, amount } => {
                self.sum += amount;
                let reply = Reply::Added { serial, sum: self.sum };
                match (self.config.hasty, self.config.pipelined) {
                    (true, _) => {
                        ctx.tell(client, reply);
                        ctx.persist(Record::Added(amount));
                    }
                    (false, false) => {
                        ctx.persist(Record::Added(amount));
                        ctx.tell(client, reply);
                    }
                    (false, true) => {
                        ctx.persist_later(Record::Added(amount));
                        ctx.tell(client, reply);
                    }
                }
                let sum = self.sum;
                self.watchers.iter().for_each(|&watcher| ctx.tell(watcher, Reply::Changed(sum)));
                self.peers.iter().for_each(|&peer| ctx.send(peer, Message::Sum(sum + (self.config.salt << 32))));
            }
        }
    }

    fn on_disk(&mut self, ticket: Ticket, _: &mut Ctx<'_, Self>) {
        self.landed.push(ticket);
    }

    /// The sum of the numbers of the nodes; 7 for none.
    fn order(name: &str, about: &[NodeId]) -> u64 {
        match name {
            "bonus" => 7,
            _ => about.iter().map(|node| u64::from(node.0) + 1).sum(),
        }
    }

    /// Observers obey nobody.
    fn on_admin(&mut self, order: u64, _: &mut Ctx<'_, Self>) -> bool {
        let obeys = self.role == "keeper";
        if obeys {
            self.orders.push(order);
            self.sum += order;
        }
        obeys
    }

    fn can_serve(_: &Config, _: &RegisterOp, reach: &Reach<'_>) -> bool {
        reach.groups().next().is_some()
    }
    fn promises(_: &Self::Config, _: Claim, _: &Premise) -> Result<(), String> {
        Ok(())
    }
}

/// While a process lives, its sum does not shrink and stays below a million.
#[derive(Clone, Debug)]
pub struct SumsOnlyGrow(Vec<u64>);

impl Laws<Toy> for SumsOnlyGrow {
    const NAMES: &'static [&'static str] = &["sums stay small"];
    fn new(nodes: usize) -> Self {
        SumsOnlyGrow(vec![0; nodes])
    }
    fn after_start(&mut self, node: NodeId, nodes: &Nodes<'_, Toy>) -> Result<(), Breach> {
        self.0[node.0 as usize] = nodes.get(node).expect("it has just begun").sum;
        Ok(())
    }
    fn after_step(&mut self, node: NodeId, nodes: &Nodes<'_, Toy>) -> Result<(), Breach> {
        let sum = nodes.get(node).expect("it has just taken a step").sum;
        let before = std::mem::replace(&mut self.0[node.0 as usize], sum);
        if sum < before || sum > 1_000_000 {
            return Err(Breach { law: "sums stay small", detail: format!("{node}: {before} became {sum}") });
        }
        Ok(())
    }
}

/// Adds 1 to its nearest node, again and again; client 0 also watches. Client memory is lost when it crashes.
#[derive(Clone)]
pub struct Adder {
    node: NodeId,
    workload: std::sync::Arc<Workload>,
    open: Option<(u64, OpId)>,
    serial: u64,
    pub changes: Vec<u64>,
}

impl Client<Toy> for Adder {
    type Timer = u8;

    fn start(boot: ClientBoot<'_, Toy>, ctx: &mut ClientCtx<'_, Toy>) -> Self {
        let node = boot.nodes[boot.index as usize % boot.nodes.len()];
        if boot.me == ClientId(0) {
            ctx.request(node, Request::Watch);
        }
        ctx.arm(0, MILLISECOND);
        let serial = u64::from(boot.incarnation) * 1_000_000;
        Adder { node, workload: boot.workload.clone(), open: None, serial, changes: Vec::new() }
    }

    fn on_reply(&mut self, _: NodeId, reply: Reply, ctx: &mut ClientCtx<'_, Toy>) {
        match reply {
            Reply::Added { serial, .. } => {
                if let Some((_, op)) = self.open.take_if(|(open, _)| *open == serial) {
                    ctx.complete(op, Outcome::Returned(RegisterRet::Done));
                }
            }
            Reply::Changed(sum) => self.changes.push(sum),
        }
    }

    fn on_timer(&mut self, _: u8, ctx: &mut ClientCtx<'_, Toy>) {
        if let Some((_, op)) = self.open.take() {
            ctx.complete(op, Outcome::Unknown);
        }
        if ctx.now().since(Clock::EPOCH) >= self.workload.until {
            return;
        }
        self.serial += 1;
        let op = RegisterOp::Write(history::Value::Int(self.serial as i64));
        let op = ctx.invoke(op, self.workload.patience, Purpose::Load);
        self.open = Some((self.serial, op));
        let jitter = ctx.dice().below(MILLISECOND);
        ctx.request(self.node, Request::Add { serial: self.serial, amount: 1 });
        ctx.arm(0, 20 * MILLISECOND + jitter);
    }
}

/// Three toys and two clients in one zone of 1-2 ms links.
pub fn three(seed: u64) -> Setup<Toy> {
    with_clients(seed, 2)
}

pub fn with_clients(seed: u64, clients: u32) -> Setup<Toy> {
    let delay = Delay::Uniform { min: MILLISECOND, max: 2 * MILLISECOND };
    let workload = Workload {
        name: "adders".to_owned(),
        pace: Pace::Closed { think: Delay::NONE },
        mix: vec![(1, 1)],
        keys: Keys::uniform(1),
        patience: 15 * MILLISECOND,
        retry_after: SECOND,
        from: 0,
        until: Nanos::MAX,
    };
    Setup::in_one_zone(seed, 3, Config::defaults(), delay).with_clients(clients, workload)
}

pub fn node(n: u32) -> Target {
    Target { count: Count::All, who: Who::Node(NodeId(n)) }
}

pub fn target(who: Who) -> Target {
    Target { count: Count::All, who }
}

/// A fault that strikes once.
pub fn once(kind: FaultKind, at: Nanos, length: Nanos) -> Fault {
    let name = format!("{}-1", kind.name());
    Fault { name, kind, when: When::At(vec![Strike { at, length: Some(length) }]) }
}

pub fn split(groups: Vec<Vec<Target>>) -> FaultKind {
    FaultKind::Partition { groups, one_way: false, flap: None }
}
