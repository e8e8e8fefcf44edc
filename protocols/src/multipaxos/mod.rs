//! Multi-Paxos: one Synod for each slot of a log, and one leader for all of them.
//!
//! A companion to Lamport, *Paxos Made Simple* (2001; "PMS 2.2" below is its section); to van Renesse & Altinbuken, *Paxos
//! Made Moderately Complex* (2015; PMMC), Chandra, Griesemer & Redstone, *Paxos Made Live* (2007; PML) and Howard, Malkhi &
//! Spiegelman, *Flexible Paxos* (2016).
//!
//! The picture: a row of ballot papers, one for each *slot*, and a college of *acceptors* who fill them in. Whoever wants to
//! propose takes a *ballot*, a number that is his alone. First he asks (*phase 1*): promise me to heed no lower ballot, and
//! tell me what you have accepted so far. Once a quorum has promised he proposes (*phase 2*): for each slot the command that
//! was accepted in the highest ballot he heard of, if any; else he is free. What a quorum has accepted in one ballot is
//! *chosen*, for good: whoever comes later with a higher ballot asks a quorum that shares a member with that one, hears of
//! it and has to propose the same.
//!
//! Phase 1 says nothing about commands, so one phase 1 does for all slots at once, those not thought of yet included (PMS 3).
//! Who has it behind him *leads*: each command then costs one round of phase 2. Anybody may try to lead, and two who do only
//! cost each other time: nothing here rests on there being one leader, unlike in Raft, where that is the first law.
//!
//! - `election`: who tries to lead, and phase 1. - `leading`: phase 2. - `accepting`: promises, and what is accepted.
//! - `learning`: what is chosen, in what order it is executed, and how those catch up who missed it.
//! - `reads`: answers that take no slot. - [`snapshots`]: what stands for slots that were thrown away.
//! - [`ballot`], [`log`]: the numbers, the slots, and what they look like on disk. [`members`]: who decides which slot, and the quorums.
//! - `changes`: how members change.
//! - [`crate::machine`]: what the commands do; [`crate::detectors`]: who suspects whom; `watching`: how that is plugged in.
//! - [`invariants`]: what must hold after every step. [`promises`]: what all this promises, under which settings.
//! - [`config`]: settings; [`flaws`]: mistakes that implementations make.
//!
//! **Memory runs ahead of the disk**, as in [`crate::raft`]: whatever is sent after a `persist` waits for it. A proposer counts
//! its own promise and acceptance at once, since others' answers prove that they are on disk; where its own alone would be
//! a quorum, it waits.

mod accepting;
pub mod ballot;
mod changes;
pub mod config;
mod election;
pub mod flaws;
pub mod invariants;
mod leading;
mod learning;
pub mod log;
pub mod members;
pub mod promises;
mod reads;
mod reports;
pub mod snapshots;
#[cfg(test)]
mod tests;
mod watching;

pub use ballot::Ballot;
pub use config::{MultiPaxosConfig, ReadMode, Watching};
pub use invariants::MultiPaxosLaws;
pub use log::{Command, Entry, Held, Log, Record, Slot, Value};

use crate::client::{Answer, Ask, Request, Response, RoutingClient, Service};
use crate::machine::{Machine, Rules};
use crate::sessions::Repeated;
use crate::snapshots::Arriving;
use election::Candidacy;
use history::{Data, Object};
use leading::Leadership;
use learning::CatchUp;
use members::{Members, Membership, Quorum};
use reads::{Grant, Read};
use serde::Serialize;
use sim_core::promise::{Claim, Premise};
use sim_core::protocol::{
    About, Boot, ClientId, Ctx, NodeId, Observation, OrderKind, Protocol, Ticket, Vocabulary, Why,
};
use sim_core::reach::Reach;
use snapshots::{Piece, Position, Snapshot};
use std::collections::BTreeMap;
use watching::Watch;

/// A node of the system: acceptor, learner and proposer in one.
#[derive(Clone, Debug)]
pub struct MultiPaxos<O: Object> {
    config: MultiPaxosConfig,
    me: NodeId,
    members: Members,

    /// As an acceptor: it answers no ballot below this one. On disk before anybody hears of it.
    promised: Ballot,
    /// As long as this binds it, it answers only one node's Prepare.
    grant: Option<Grant>,
    /// What it has accepted, or was told to be chosen. On disk before anybody hears of it.
    log: Log<O::Op>,

    /// As a learner: the last slot executed. Everything up to it is chosen and, where not gone, in the log.
    executed: Position,
    /// What executing them has made.
    machine: Machine<O>,
    /// What stands for the slots that are gone. On disk before they go.
    snapshot: Option<Snapshot>,
    /// One that is on its way here.
    arriving: Arriving<Position>,
    /// What this node has asked for of what it lacks.
    catch_up: CatchUp,
    /// Snapshots that others are fetching from here, so that they get to their end though newer ones are taken.
    lent: BTreeMap<NodeId, Snapshot>,

    /// As a proposer.
    role: Role<O::Op>,
    /// Its own latest ballot in this life.
    ballot: Ballot,
    /// The highest ballot it has heard of.
    highest: Ballot,
    /// Who leads, if this node knows.
    leader: Option<NodeId>,
    detector: Watch,
    /// How often in a row it has tried to lead in vain.
    attempts: u64,
    /// Its machine took the place of one that was lost. Whatever that had promised under this name, this node knows nothing of
    /// it, and could break it by any promise; so it says nothing.
    is_stranger: bool,
}

/// What a proposer is at present.
#[derive(Clone, Debug)]
enum Role<Op> {
    /// None.
    Follower,
    /// In phase 1.
    Candidate(Box<Candidacy<Op>>),
    /// In phase 2.
    Leader(Box<Leadership<Op>>),
}

/// Node to node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Message<Op> {
    /// Phase 1a: "promise me to heed no lower ballot, and tell me what you have accepted" from this slot on.
    Prepare {
        /// The proposer's.
        ballot: Ballot,
        /// The first slot that the proposer has not executed.
        from: Slot,
    },
    /// Phase 1b: it is promised.
    Promise(Box<Promise<Op>>),
    /// Phase 2a: "accept this". Without values a sign of life.
    Accept(Accept<Op>),
    /// Phase 2b: it is accepted.
    Accepted {
        /// In this ballot.
        ballot: Ballot,
        /// From this slot on …
        first: Slot,
        /// … so many.
        count: u64,
    },
    /// "I have promised a higher ballot": what is asked in a lower one is in vain.
    Preempted {
        /// The one promised.
        promised: Ballot,
    },
    /// "Have you promised a higher ballot than this?" If not, the leader may answer what was asked before it sent this, and
    /// for as long as a lease lasts what is asked after.
    Confirm {
        /// The leader's.
        ballot: Ballot,
        /// Which of the leader's rounds of asking this is.
        round: u64,
    },
    /// It has not; and with leases it will not, for a while.
    Confirmed {
        /// The one asked about.
        ballot: Ballot,
        /// The round asked in.
        round: u64,
    },
    /// "What was chosen from this slot on?"
    Learn {
        /// The first slot that the asker has not executed.
        from: Slot,
        /// Of the snapshot up to this slot it has so many bytes.
        part: (Slot, u64),
    },
    /// This was.
    Chosen {
        /// The slot of the first.
        first: Slot,
        /// What was chosen, in a row.
        entries: Vec<Entry<Op>>,
        /// Up to here the sender knows what was chosen.
        chosen: Slot,
    },
    /// That is gone: take this instead.
    Snapshot(Box<Piece>),
    /// From somebody who decides nothing, and listens: so far it has come.
    Executed {
        /// The last slot executed.
        slot: Slot,
    },
    /// "Try to lead, now", from whoever leads in this ballot.
    TakeOver {
        /// The leader's.
        ballot: Ballot,
    },
    /// A leader's heartbeat, for detectors that want them at regular times.
    Beat {
        /// The leader's.
        ballot: Ballot,
        /// Its number: one more for each interval that has passed since it leads.
        number: u64,
    },
}

/// Phase 1b: "a promise never again to accept a proposal numbered less than n, and the proposal with the highest number
/// less than n that it has accepted" (PMS 2.2), of every slot.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Promise<Op> {
    /// What was promised.
    pub ballot: Ballot,
    /// All that the acceptor holds, from the slot asked about on.
    pub held: Vec<Held<Op>>,
    /// Everything up to here is gone from it, and was chosen.
    pub truncated: Slot,
    /// Everything up to here it knows to be chosen: what it holds, or what is gone.
    pub chosen: Slot,
}

/// Phase 2a for a run of slots.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Accept<Op> {
    /// The leader's.
    pub ballot: Ballot,
    /// The slot of the first value.
    pub first: Slot,
    /// What to accept, in a row.
    pub values: Vec<Value<Op>>,
    /// Everything up to here is chosen.
    pub chosen: Slot,
}

/// What an operator can order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Order {
    /// These shall be acceptors too.
    Add(Vec<NodeId>),
    /// These shall no longer be acceptors.
    Remove(Vec<NodeId>),
    /// These shall be the acceptors.
    Members(Vec<NodeId>),
    /// Another shall lead.
    Transfer(NodeId),
    /// Take a snapshot, due or not.
    Snapshot,
}

/// Alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Timer {
    /// Perhaps time to try to lead.
    Patience,
    /// Time for a leader to let itself be heard, and for a candidate to ask again.
    Heartbeat,
}

impl<O: Object> MultiPaxos<O> {
    /// Its name in scenario files.
    pub const NAME: &'static str = "multi-paxos";
    /// What it is, in one line.
    pub const ABOUT: &'static str = "Multi-Paxos (Lamport 2001, Chandra et al. 2007): a log of Paxos instances under a stable leader; flexible quorums, sessions, snapshots.";

    /// Whether this node believes that it leads.
    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// The highest ballot it has promised.
    pub fn promised(&self) -> Ballot {
        self.promised
    }

    /// The last slot executed.
    pub fn executed(&self) -> Slot {
        self.executed.slot
    }

    /// What it holds in its slots.
    pub fn log(&self) -> &Log<O::Op> {
        &self.log
    }

    /// What the executed commands have made.
    pub fn state(&self) -> &O::State {
        &self.machine.data
    }

    /// Who decides this slot.
    fn quorum_of(&self, slot: Slot) -> Quorum<'_> {
        self.members.quorum_of(slot)
    }

    /// The first slot that this node has not executed.
    fn first_open(&self) -> Slot {
        self.executed.slot + 1
    }

    /// Rules that every replica shares.
    fn rules(&self) -> Rules {
        Rules { session_lifetime: self.config.session_timeout, repeated: Repeated::Answered }
    }

    fn send(&self, to: NodeId, message: Message<O::Op>, ctx: &mut Ctx<'_, Self>) {
        ctx.send_over(self.config.transport, to, message);
    }

    /// Sends this to everybody else who takes part.
    fn send_all(&self, message: &Message<O::Op>, ctx: &mut Ctx<'_, Self>) {
        for to in self.audience() {
            self.send(to, message.clone(), ctx);
        }
    }

    /// Writes down what this node has promised or accepted; whatever it says from now on waits for it.
    fn write(&self, record: Record<O::Op>, ctx: &mut Ctx<'_, Self>) {
        // The mistake P01: it is not written.
        if !self.config.flaws.has(&flaws::ACCEPTOR_IN_MEMORY) {
            ctx.persist(record);
        }
    }

    /// Lets the outside see the role.
    fn observe_role(&self, ctx: &mut Ctx<'_, Self>) {
        let (role, ballot) = match self.role {
            Role::Follower => ("follower", self.promised),
            Role::Candidate(_) => ("candidate", self.ballot),
            Role::Leader(_) => ("leader", self.ballot),
        };
        ctx.observe(Observation::Role { role, term: ballot.number() });
    }
}

impl<O: Object> Vocabulary for MultiPaxos<O> {
    type Message = Message<O::Op>;
    type Timer = Timer;
    type Record = Record<O::Op>;
    type Reply = Answer<O::Ret>;
}

impl<O: Object> Protocol for MultiPaxos<O> {
    type Request = Request<O::Op>;
    type Client = RoutingClient<Self>;
    type Admin = Order;
    type Config = MultiPaxosConfig;
    type Data = O;
    type Laws = MultiPaxosLaws<O>;

    const ORDERS: &'static [OrderKind] = &[
        OrderKind { name: "add", about: About::Some, text: "The nodes that `about` names shall be acceptors too." },
        OrderKind { name: "remove", about: About::Some, text: "They shall no longer be acceptors." },
        OrderKind { name: "members", about: About::Some, text: "They shall be the acceptors, and nobody else." },
        OrderKind { name: "transfer", about: About::One, text: "The leader shall let this node lead." },
        OrderKind { name: "snapshot", about: About::Nobody, text: "The node shall take a snapshot now." },
    ];

    const RECOVERIES: &'static [&'static str] = &[election::ADOPTED, snapshots::INSTALLED];

    const KINDS: &'static [&'static str] = &[
        "Prepare",
        "Promise",
        "Accept",
        "Accepted",
        "Preempted",
        "Confirm",
        "Confirmed",
        "Learn",
        "Chosen",
        "Snapshot",
        "Executed",
        "TakeOver",
        "Beat",
        "Request",
        "Answer",
    ];

    fn order(name: &str, about: &[NodeId]) -> Order {
        match (name, about) {
            ("add", nodes) => Order::Add(nodes.to_vec()),
            ("remove", nodes) => Order::Remove(nodes.to_vec()),
            ("members", nodes) => Order::Members(nodes.to_vec()),
            ("transfer", [node]) => Order::Transfer(*node),
            ("snapshot", []) => Order::Snapshot,
            (other, about) => panic!("no order `{other}` about {} nodes stands in ORDERS", about.len()),
        }
    }

    /// A node goes on with what its journal kept: what it promised and accepted, and what it knew to be chosen when it last
    /// wrote. A node whose journal has been spoilt refuses to serve: it has made promises that it can no longer read. PML 5.1
    /// has such a replica come back as one that listens and does not vote until it has seen a whole instance after it; here an
    /// operator replaces it.
    fn start(boot: Boot<'_, Self>, ctx: &mut Ctx<'_, Self>) -> Self {
        let found = log::replay(boot.journal);
        let config = boot.config.clone();
        if found.readable < boot.flushed {
            ctx.halt(found.spoilt(boot.journal.len()));
        } else if found.readable < boot.journal.len() {
            ctx.truncate(found.readable);
        }
        let founders = config.founders(boot.members.len());
        let founders = Membership::of(boot.members.iter().map(|member| member.id).take(founders));
        let members = found.snapshot.as_ref().map_or_else(|| vec![(1, founders)], |snapshot| snapshot.members.clone());
        let mut node = MultiPaxos {
            me: boot.me,
            members: Members::new(members, &config),
            promised: found.promised,
            grant: Grant::before_crash(boot.why, config.reads, ctx.now()),
            log: found.log,
            executed: found.snapshot.as_ref().map_or_else(Position::default, |snapshot| snapshot.last),
            machine: found.snapshot.as_ref().map_or_else(Machine::default, |snapshot| snapshot.contents.read()),
            snapshot: found.snapshot,
            arriving: Arriving::default(),
            catch_up: CatchUp::default(),
            lent: BTreeMap::new(),
            role: Role::Follower,
            ballot: Ballot::ZERO,
            highest: found.promised,
            leader: None,
            detector: Watch::new(&config),
            attempts: 0,
            is_stranger: boot.why == Why::Replacement,
            config,
        };
        if node.is_stranger {
            return node;
        }
        node.execute_up_to(found.chosen, ctx);
        node.observe_role(ctx);
        node.put_off_election(ctx);
        node
    }

    fn on_message(&mut self, from: NodeId, message: Self::Message, ctx: &mut Ctx<'_, Self>) {
        if self.is_stranger {
            return;
        }
        match message {
            Message::Prepare { ballot, from: slot } => self.on_prepare(from, ballot, slot, ctx),
            Message::Promise(promise) => self.on_promise(from, *promise, ctx),
            Message::Accept(accept) => self.on_accept(from, accept, ctx),
            Message::Accepted { ballot, first, count } => self.on_accepted(from, ballot, first, count, ctx),
            Message::Preempted { promised } => self.on_preempted(promised, ctx),
            Message::Confirm { ballot, round } => self.on_confirm(from, ballot, round, ctx),
            Message::Confirmed { ballot, round } => self.on_confirmed(from, ballot, round, ctx),
            Message::Learn { from: slot, part } => self.on_learn(from, slot, part, ctx),
            Message::Chosen { first, entries, chosen } => self.on_chosen(from, first, entries, chosen, ctx),
            Message::Snapshot(piece) => self.on_piece(from, *piece, ctx),
            Message::Executed { slot } => self.on_executed(from, slot, ctx),
            Message::TakeOver { ballot } => self.on_take_over(ballot, ctx),
            Message::Beat { ballot, number } => self.on_beat(from, ballot, number, ctx),
        }
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Ctx<'_, Self>) {
        match timer {
            Timer::Patience => self.on_patience_alarm(ctx),
            Timer::Heartbeat => self.on_heartbeat_alarm(ctx),
        }
    }

    fn on_request(&mut self, client: ClientId, request: Self::Request, ctx: &mut Ctx<'_, Self>) {
        let Request { serial, attempt, ask } = request;
        let ask = match ask {
            Ask::Operation { op, .. } if self.config.reads != ReadMode::Log && !writes::<O>(&op) => {
                return self.read(Read { client, serial, attempt, op }, ctx);
            }
            Ask::Operation { .. } | Ask::Register => ask,
        };
        let Role::Leader(leadership) = &mut self.role else {
            let leader = self.leader.filter(|leader| *leader != self.me);
            return ctx.tell(client, Answer { serial, attempt, response: Response::Redirect(leader) });
        };
        leadership.waiting.push_back(match ask {
            Ask::Register => Command::Register { client, serial, attempt },
            Ask::Operation { session, op } => Command::Operation { client, serial, attempt, session, op },
        });
        self.fill_window(ctx);
    }

    fn on_disk(&mut self, ticket: Ticket, ctx: &mut Ctx<'_, Self>) {
        match self.role {
            Role::Follower => {}
            Role::Candidate(_) => self.on_own_promise(ticket, ctx),
            Role::Leader(_) => self.on_own_acceptance(ticket, ctx),
        }
    }

    fn on_admin(&mut self, order: Order, ctx: &mut Ctx<'_, Self>) -> bool {
        !self.is_stranger && self.obey(order, ctx)
    }

    /// A quorum of either phase among the acceptors: commands need one of the second, and whoever leads next one of the first.
    /// Who has lost its disk does not count: what it had promised is gone.
    fn can_serve(config: &MultiPaxosConfig, op: &O::Op, reach: &Reach<'_>) -> bool {
        if config.reads == ReadMode::Local && !writes::<O>(op) {
            return reach.groups().any(|group| group.iter().any(|node| reach.has_its_disk(*node)));
        }
        let acceptors: Vec<NodeId> = (0..config.founders(reach.nodes()) as u32).map(NodeId).collect();
        reach.groups().any(|group| {
            let is_there = |node: NodeId| group.contains(&node) && reach.has_its_disk(node);
            config.quorums.is_phase1(&acceptors, is_there) && config.quorums.is_phase2(&acceptors, is_there)
        })
    }

    fn promises(config: &MultiPaxosConfig, claim: Claim, premise: &Premise) -> Result<(), String> {
        promises::promise(config, claim, premise)
    }
}

impl<O: Object> Service for MultiPaxos<O> {
    fn keeps_sessions(config: &MultiPaxosConfig) -> bool {
        config.sessions
    }

    fn reads_anywhere(config: &MultiPaxosConfig) -> bool {
        config.reads == ReadMode::Local
    }
}

/// Whether an operation can change the data.
fn writes<D: Data>(op: &D::Op) -> bool {
    D::FUNCTIONS[D::function(op)].writes
}
