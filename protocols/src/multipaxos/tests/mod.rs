//! The verbs in which Multi-Paxos's tests are told: one node at a desk.

mod accepting;
mod catching_up;
mod changing;
mod electing;
mod laws;
mod leading;
mod leases;
mod reads;
mod table;

use super::{
    Accept, Ballot, Command, Entry, Held, Message, MultiPaxos, MultiPaxosConfig, Order, Promise, Record, Slot, Timer,
    Value,
};
use crate::client::{Answer, Ask, Request, Response};
use history::{Register, RegisterOp, RegisterRet, Value as Datum};
use sim_core::desk::Desk;
use sim_core::protocol::{Boot, ClientId, Effect, Member, NodeId, Protocol, Slot as Read, Why};
use sim_core::settings::{Flaw, Flaws, Settings};
use sim_core::time::SECOND;

pub type Node = MultiPaxos<Register>;
pub type Words = Message<RegisterOp>;
pub type Journal = Vec<Read<Record<RegisterOp>>>;

pub const N1: NodeId = NodeId(0);
pub const N2: NodeId = NodeId(1);
pub const N3: NodeId = NodeId(2);
pub const CLIENT: ClientId = ClientId(0);

/// The defaults, with a change.
pub fn config(change: impl FnOnce(&mut MultiPaxosConfig)) -> MultiPaxosConfig {
    let mut config = MultiPaxosConfig::defaults();
    change(&mut config);
    config
}

pub fn plain() -> MultiPaxosConfig {
    config(|_| {})
}

pub fn flawed(flaw: &'static Flaw) -> MultiPaxosConfig {
    config(|c| c.flaws = Flaws::new([flaw]))
}

/// A ballot.
pub fn b(round: u64, node: NodeId) -> Ballot {
    Ballot::new(round, node)
}

/// n1 of some and what it wants done.
pub struct Solo {
    pub node: Node,
    pub desk: Desk<Node>,
    pub start: Effects,
}

/// What a step asked for.
pub struct Effects(pub Vec<Effect<Node>>);

/// n1 of `count`, for the first time.
pub fn solo(count: u32, config: MultiPaxosConfig) -> Solo {
    begun(count, config, vec![], Why::First)
}

/// n1 of `count`, with this journal.
pub fn restarted(count: u32, config: MultiPaxosConfig, journal: Journal) -> Solo {
    begun(count, config, journal, Why::Restart)
}

pub fn begun(count: u32, config: MultiPaxosConfig, journal: Journal, why: Why) -> Solo {
    let mut desk = Desk::new(N1, 1);
    desk.now = desk.now + SECOND;
    let members: Vec<Member> = (0..count).map(|id| Member { id: NodeId(id), role: "node" }).collect();
    let flushed = journal.len();
    let boot = Boot { me: N1, role: "node", members: &members, config: &config, why, journal: &journal, flushed };
    let node = Node::start(boot, &mut desk.ctx());
    let start = Effects(desk.take());
    Solo { node, desk, start }
}

impl Solo {
    pub fn hears(&mut self, from: NodeId, message: Words) -> Effects {
        self.node.on_message(from, message, &mut self.desk.ctx());
        Effects(self.desk.take())
    }

    pub fn wakes(&mut self, timer: Timer) -> Effects {
        self.node.on_timer(timer, &mut self.desk.ctx());
        Effects(self.desk.take())
    }

    /// It hears nobody for a second, and then its alarm.
    pub fn times_out(&mut self) -> Effects {
        self.desk.now = self.desk.now + SECOND;
        self.wakes(Timer::Patience)
    }

    /// Its disk has what these effects asked to be told of.
    pub fn lands(&mut self, effects: &Effects) -> Effects {
        for effect in &effects.0 {
            if let Effect::PersistLater(_, ticket) = effect {
                self.node.on_disk(*ticket, &mut self.desk.ctx());
            }
        }
        Effects(self.desk.take())
    }

    pub fn is_asked(&mut self, serial: u64, op: RegisterOp) -> Effects {
        let ask = Ask::Operation { session: None, op };
        self.node.on_request(CLIENT, Request { serial, attempt: 0, ask }, &mut self.desk.ctx());
        Effects(self.desk.take())
    }

    pub fn is_ordered(&mut self, order: Order) -> (bool, Effects) {
        let taken = self.node.on_admin(order, &mut self.desk.ctx());
        (taken, Effects(self.desk.take()))
    }

    /// What its executed commands have made.
    pub fn value(&self) -> Datum {
        self.node.state().clone()
    }

    /// It leads three; n2 has promised and holds this.
    pub fn leads_after(&mut self, held: Vec<Held<RegisterOp>>) -> Effects {
        self.times_out();
        let ballot = self.node.ballot;
        let effects = self.hears(N2, promise(ballot, held));
        assert!(self.node.is_leader());
        effects
    }

    /// It leads, and nobody has accepted anything yet.
    pub fn leads(&mut self) -> Effects {
        self.leads_after(vec![])
    }
}

impl Effects {
    pub fn sent(&self) -> Vec<(NodeId, Words)> {
        let sent = |effect: &Effect<Node>| match effect {
            Effect::Send(to, message, _) => Some((*to, message.clone())),
            Effect::Tell(..)
            | Effect::Persist(_)
            | Effect::PersistLater(..)
            | Effect::Snapshot(_)
            | Effect::Truncate(_)
            | Effect::Arm(..)
            | Effect::Disarm(_)
            | Effect::Observe(_)
            | Effect::TookEffect(..)
            | Effect::Halt(_) => None,
        };
        self.0.iter().filter_map(sent).collect()
    }

    /// The only message sent.
    pub fn reply(&self) -> Words {
        let sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent[0].1.clone()
    }

    /// What it asks this node to accept: the slot of the first, and the values.
    pub fn accepts_to(&self, peer: NodeId) -> Vec<(Slot, Vec<Datum>)> {
        let accept = |(to, message): (NodeId, Words)| match message {
            Message::Accept(accept) if to == peer && !accept.values.is_empty() => {
                Some((accept.first, accept.values.iter().map(|value| datum(&value.command)).collect()))
            }
            Message::Accept(_)
            | Message::Prepare { .. }
            | Message::Promise(_)
            | Message::Accepted { .. }
            | Message::Preempted { .. }
            | Message::Confirm { .. }
            | Message::Confirmed { .. }
            | Message::Learn { .. }
            | Message::Chosen { .. }
            | Message::Snapshot(_)
            | Message::Executed { .. }
            | Message::TakeOver { .. }
            | Message::Beat { .. } => None,
        };
        self.sent().into_iter().filter_map(accept).collect()
    }

    pub fn told(&self) -> Vec<Response<RegisterRet>> {
        let told = |effect: &Effect<Node>| match effect {
            Effect::Tell(_, Answer { response, .. }) => Some(response.clone()),
            Effect::Send(..)
            | Effect::Persist(_)
            | Effect::PersistLater(..)
            | Effect::Snapshot(_)
            | Effect::Truncate(_)
            | Effect::Arm(..)
            | Effect::Disarm(_)
            | Effect::Observe(_)
            | Effect::TookEffect(..)
            | Effect::Halt(_) => None,
        };
        self.0.iter().filter_map(told).collect()
    }

    /// What it asked for, in order, without alarms and observations.
    pub fn order(&self) -> Vec<&'static str> {
        let name = |effect: &Effect<Node>| match effect {
            Effect::Send(..) => Some("send"),
            Effect::Tell(..) => Some("tell"),
            Effect::Persist(_) => Some("persist"),
            Effect::PersistLater(..) => Some("persist later"),
            Effect::Snapshot(_) => Some("snapshot"),
            Effect::Truncate(_) => Some("truncate"),
            Effect::Halt(_) => Some("halt"),
            Effect::Arm(..) | Effect::Disarm(_) | Effect::Observe(_) | Effect::TookEffect(..) => None,
        };
        self.0.iter().filter_map(name).collect()
    }

    /// The journal that a crash would find, if all of this is on disk.
    pub fn journal(&self) -> Journal {
        let mut journal = Vec::new();
        for effect in &self.0 {
            match effect {
                Effect::Persist(record) | Effect::PersistLater(record, _) => journal.push(Read::Ok(record.clone())),
                Effect::Snapshot(records) => journal = records.iter().cloned().map(Read::Ok).collect(),
                Effect::Send(..)
                | Effect::Tell(..)
                | Effect::Truncate(_)
                | Effect::Arm(..)
                | Effect::Disarm(_)
                | Effect::Observe(_)
                | Effect::TookEffect(..)
                | Effect::Halt(_) => {}
            }
        }
        journal
    }
}

/// What a command writes; nothing for a no-op.
fn datum(command: &Command<RegisterOp>) -> Datum {
    match command {
        Command::Operation { op: RegisterOp::Write(value), .. } => value.clone(),
        Command::Operation { .. } | Command::Noop | Command::Register { .. } | Command::Members(_) => Datum::Nil,
    }
}

pub fn write(value: i64) -> RegisterOp {
    RegisterOp::Write(int(value))
}

pub fn int(value: i64) -> Datum {
    Datum::Int(value)
}

/// To write this is proposed.
pub fn value(value: i64) -> Value<RegisterOp> {
    let op = write(value);
    Value { time: 0, command: Command::Operation { client: CLIENT, serial: 1, attempt: 0, session: None, op } }
}

pub fn entry(ballot: Ballot, written: i64) -> Entry<RegisterOp> {
    Entry { ballot, value: value(written) }
}

/// In this slot it was accepted in this ballot to write this.
pub fn held(slot: Slot, ballot: Ballot, written: i64) -> Held<RegisterOp> {
    Held { slot, entry: entry(ballot, written) }
}

pub fn prepare(ballot: Ballot, from: Slot) -> Words {
    Message::Prepare { ballot, from }
}

pub fn promise(ballot: Ballot, held: Vec<Held<RegisterOp>>) -> Words {
    Message::Promise(Box::new(Promise { ballot, held, truncated: 0, chosen: 0 }))
}

/// Accept that these are written, from this slot on; everything up to `chosen` is chosen.
pub fn accept(ballot: Ballot, first: Slot, written: &[i64], chosen: Slot) -> Words {
    let values = written.iter().map(|&written| value(written)).collect();
    Message::Accept(Accept { ballot, first, values, chosen })
}

pub fn accepted(ballot: Ballot, first: Slot, count: u64) -> Words {
    Message::Accepted { ballot, first, count }
}
