//! Paxos: the single-decree Synod, many times over.
//!
//! A companion to Lamport, *Paxos Made Simple* (2001; "2.2" below is its section), with the quorums of Howard, Malkhi &
//! Spiegelman, *Flexible Paxos* (2016).
//!
//! The picture: an assembly whose members come and go passes a decree. Whoever has a motion, a *proposer*, opens a numbered
//! *ballot*. First he asks around: "will you ignore all ballots before mine, and what have you voted for so far?" (phase 1).
//! If enough *acceptors* promise, he puts one value to the vote (phase 2): not his own, if any of them has voted before, but
//! the one voted for in the latest of those ballots. For that might have been passed already, somewhere, by people he has not
//! met. Once enough have voted for it in one ballot it is *chosen*, whoever knows; *learners* find out. That is all, and the
//! reason that it works is one sentence (P2c in 2.2): what a later ballot proposes, an earlier one cannot have contradicted,
//! since every two quorums share a member who would have said so.
//!
//! - `proposer`: ballots, the two phases, what becomes of those who ask, and how duels end.
//! - `acceptor`: promises and votes, and what of them is on disk.
//! - `learner`: who voted for what, and when that is a decision.
//! - [`crate::quorum`]: who is enough.
//! - [`invariants`]: what must hold after every step.
//! - [`promises`]: what all this promises, under which settings.
//! - [`config`]: settings; [`flaws`]: mistakes that real systems made.
//!
//! Every key is a decree of its own, an instance of the algorithm; decrees share nothing but a node's journal. Every node is
//! proposer, acceptor and learner. There is no leader: a node proposes what its clients ask it to.
//!
//! **Memory runs ahead of the disk.** A node handles messages while its records are still being flushed; whatever is sent
//! or told after a `persist` waits for it. So a proposer may count its own acceptor's promise and vote at once: nobody
//! hears of what rests on them before they are on disk.

mod acceptor;
pub mod config;
pub mod flaws;
pub mod invariants;
mod learner;
pub mod promises;
mod proposer;
#[cfg(test)]
mod tests;

pub use acceptor::Record;
pub use config::{Learners, PaxosConfig};
pub use invariants::PaxosLaws;

use crate::client::{Answer, Ask, Request, Response, RoutingClient, Service};
use crate::quorum::Quorums;
use acceptor::{Acceptor, Found};
use history::{Decided, Decree, DecreeAsk, DecreeOp, Key, Value};
use learner::Learner;
use proposer::{Asker, Proposer};
use serde::Serialize;
use sim_core::promise::{Claim, Premise};
use sim_core::protocol::{Boot, ClientId, Ctx, NodeId, Observation, Protocol, Vocabulary, Why};
use sim_core::reach::Reach;
use std::collections::BTreeMap;
use std::fmt::{self, Debug};

/// The number of a ballot: a round, and who opened it. "Different proposers choose their numbers from disjoint sets of numbers,
/// so two different proposers never issue a proposal with the same number" (2.4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Ballot {
    /// Counted from 1.
    pub round: u64,
    /// Whose it is.
    pub node: NodeId,
}

/// No cluster has as many nodes.
const NODES_END: u64 = 100;

impl Ballot {
    /// As one number, in the same order: 302 is n2's in round 3.
    pub fn number(self) -> u64 {
        self.round * NODES_END + u64::from(self.node.0) + 1
    }
}

impl Debug for Ballot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.round, self.node)
    }
}

/// A vote: in this ballot, for this value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Vote {
    /// In which ballot.
    pub ballot: Ballot,
    /// For what.
    pub value: Value,
}

/// A node of the system.
#[derive(Clone, Debug)]
pub struct Paxos {
    config: PaxosConfig,
    me: NodeId,
    members: Vec<NodeId>,
    quorums: Quorums,
    decrees: BTreeMap<Key, Instance>,
    /// How many records its journal has.
    records: u64,
    /// What its latest step was about, so that who looks on need not look at everything.
    latest: Option<Latest>,
    /// Its machine took the place of one that was lost. Whatever that had promised and voted for under this name, this node
    /// knows nothing of it; so it says nothing, and writes nothing.
    is_stranger: bool,
}

/// What a step was about.
#[derive(Clone, Debug)]
struct Latest {
    decree: Key,
    /// What a client proposed.
    proposed: Option<Value>,
    /// From whom it heard of a vote of theirs: of this one, or that something is decided, for which they may have voted.
    heard: Option<(NodeId, Option<Vote>)>,
}

/// One decree, as a node knows it: the three parts that it plays.
#[derive(Clone, Debug, Default)]
struct Instance {
    acceptor: Acceptor,
    proposer: Proposer,
    learner: Learner,
}

/// Node to node (2.2).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Message {
    /// 1a: "will you ignore all ballots before this one, and what have you voted for?"
    Prepare {
        /// Which decree it is about.
        decree: Key,
        /// Its ballot.
        ballot: Ballot,
    },
    /// 1b: "I will, and this was my latest vote."
    Promise {
        /// Which decree it is about.
        decree: Key,
        /// The ballot asked about.
        ballot: Ballot,
        /// The vote in the latest ballot before it, if any.
        accepted: Option<Vote>,
    },
    /// 2a: "vote for this."
    Accept {
        /// Which decree it is about.
        decree: Key,
        /// The vote asked for.
        vote: Vote,
    },
    /// 2b: "I have."
    Accepted {
        /// Which decree it is about.
        decree: Key,
        /// The vote.
        vote: Vote,
    },
    /// "I have promised not to" (end of 2.2, on abandoned proposals).
    Nack {
        /// Which decree it is about.
        decree: Key,
        /// The ballot asked about.
        ballot: Ballot,
        /// What was promised.
        promised: Ballot,
    },
    /// "It is decided": from a learner to others (2.3), and to whoever still asks.
    Chosen {
        /// Which decree it is about.
        decree: Key,
        /// The decision.
        value: Value,
    },
}

/// Alarms: one for each decree that a node has a ballot under way for, or is about to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Timer(pub Key);

impl Paxos {
    /// Its name in scenario files.
    pub const NAME: &'static str = "paxos";
    /// What it is, in one line.
    pub const ABOUT: &'static str = "Paxos (Lamport 2001): the single-decree Synod, a decree for every key; dueling proposers, learners, flexible quorums.";

    /// What it knows to be decided.
    pub fn decided(&self, decree: Key) -> Option<&Value> {
        self.decrees.get(&decree)?.learner.chosen()
    }

    fn instance(&mut self, decree: Key) -> &mut Instance {
        if self.latest.as_ref().is_none_or(|latest| latest.decree != decree) {
            self.latest = Some(Latest { decree, proposed: None, heard: None });
        }
        self.decrees.entry(decree).or_default()
    }

    fn send(&self, to: NodeId, message: Message, ctx: &mut Ctx<'_, Self>) {
        ctx.send_over(self.config.transport, to, message);
    }

    /// Sends this to all other nodes but these.
    fn send_others(&self, but: &[NodeId], message: &Message, ctx: &mut Ctx<'_, Self>) {
        for member in self.members.iter().filter(|member| **member != self.me && !but.contains(member)) {
            self.send(*member, message.clone(), ctx);
        }
    }

    fn is_phase1(&self, answered: impl Fn(NodeId) -> bool) -> bool {
        self.quorums.is_phase1(&self.members, answered)
    }

    fn is_phase2(&self, answered: impl Fn(NodeId) -> bool) -> bool {
        self.quorums.is_phase2(&self.members, answered)
    }
}

impl Vocabulary for Paxos {
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Reply = Answer<Decided>;
}

impl Protocol for Paxos {
    type Request = Request<DecreeOp>;
    type Client = RoutingClient<Self>;
    type Admin = sim_core::protocol::Never;
    type Config = PaxosConfig;
    type Data = Decree;
    type Laws = PaxosLaws;

    const KINDS: &'static [&'static str] =
        &["Prepare", "Promise", "Accept", "Accepted", "Nack", "Chosen", "Request", "Answer"];

    /// "An acceptor needs to remember [its promise and its vote] even if it fails and then restarts" (2.2). One whose journal
    /// has been spoilt cannot, and refuses to serve: it has promised what it can no longer read. Down it is one of those that
    /// the others can do without.
    fn start(boot: Boot<'_, Self>, ctx: &mut Ctx<'_, Self>) -> Self {
        let Found { acceptors, readable } = acceptor::replay(boot.journal);
        if readable < boot.flushed {
            let slots = boot.journal.len();
            ctx.halt(format!("record {} of {slots} does not read back, and others may rely on it", readable + 1));
        } else if readable < boot.journal.len() {
            ctx.truncate(readable);
        }
        let instance = |acceptor| Instance { acceptor, ..Instance::default() };
        Paxos {
            config: boot.config.clone(),
            me: boot.me,
            members: boot.members.iter().map(|member| member.id).collect(),
            quorums: boot.config.quorums_of(boot.members.len()),
            decrees: acceptors.into_iter().map(|(decree, acceptor)| (decree, instance(acceptor))).collect(),
            records: readable as u64,
            latest: None,
            is_stranger: boot.why == Why::Replacement,
        }
    }

    fn on_message(&mut self, from: NodeId, message: Message, ctx: &mut Ctx<'_, Self>) {
        if self.is_stranger {
            return;
        }
        match message {
            Message::Prepare { decree, ballot } => self.on_prepare(from, decree, ballot, ctx),
            Message::Promise { decree, ballot, accepted } => {
                let heard = accepted.clone().map(|vote| (from, Some(vote)));
                self.latest = Some(Latest { decree, proposed: None, heard });
                self.on_promise(from, decree, ballot, accepted, ctx);
            }
            Message::Accept { decree, vote } => self.on_accept(from, decree, vote, ctx),
            Message::Accepted { decree, vote } => {
                self.latest = Some(Latest { decree, proposed: None, heard: Some((from, Some(vote.clone()))) });
                self.hear_vote(from, decree, vote, ctx);
            }
            Message::Nack { decree, ballot, promised } => self.on_nack(decree, ballot, promised, ctx),
            Message::Chosen { decree, value } => {
                self.latest = Some(Latest { decree, proposed: None, heard: Some((from, None)) });
                self.learn(decree, value, ctx);
            }
        }
    }

    fn on_timer(&mut self, Timer(decree): Timer, ctx: &mut Ctx<'_, Self>) {
        self.on_alarm(decree, ctx);
    }

    fn on_request(&mut self, client: ClientId, request: Self::Request, ctx: &mut Ctx<'_, Self>) {
        let Request { serial, attempt, ask } = request;
        match ask {
            Ask::Operation { op: DecreeOp { key, ask }, .. } if !self.is_stranger => {
                let value = match ask {
                    DecreeAsk::Read => Value::Nil,
                    DecreeAsk::Propose(value) => value,
                };
                self.latest = Some(Latest { decree: key, proposed: Some(value.clone()), heard: None });
                self.on_asked(key, Asker { client, serial, attempt, value }, ctx);
            }
            // There are no sessions: a decree is decided once, however often one asks.
            Ask::Operation { .. } | Ask::Register => {
                ctx.tell(client, Answer { serial, attempt, response: Response::Redirect(None) });
            }
        }
    }

    /// A quorum for each phase, among those who hear each other and have their disks.
    fn can_serve(config: &PaxosConfig, _: &DecreeOp, reach: &Reach<'_>) -> bool {
        let members: Vec<NodeId> = (0..reach.nodes() as u32).map(NodeId).collect();
        let quorums = config.quorums;
        reach.groups().any(|group| {
            let answers = |node: NodeId| group.contains(&node) && reach.has_its_disk(node);
            quorums.is_phase1(&members, answers) && quorums.is_phase2(&members, answers)
        })
    }

    fn promises(config: &PaxosConfig, claim: Claim, premise: &Premise) -> Result<(), String> {
        promises::promise(config, claim, premise)
    }
}

impl Service for Paxos {
    fn repeats_writes(_: &PaxosConfig) -> bool {
        true
    }
}

/// Whose ballot it is that the outside sees: who has won phase 1 is the one proposer, until somebody opens a later ballot.
fn observe_proposer(ballot: Ballot, ctx: &mut Ctx<'_, Paxos>) {
    ctx.observe(Observation::Role { role: "proposer", term: ballot.number() });
}
