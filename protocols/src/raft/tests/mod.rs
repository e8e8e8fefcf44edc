//! The verbs in which Raft's tests are told: one node at a desk, or several round a table. `paper` lists which paragraph has
//! which test.

mod disk;
mod election;
mod flow;
mod laws;
mod leases;
mod membership;
mod paper;
mod reads;
mod replication;
mod sessions;
mod snapshots;
mod table;
mod transfer;

pub use table::Table;

use super::log::{Command, Entry, Index, Record, Term};
use super::membership::Membership;
use super::{Append, AppendResult, Appended, Candidacy, Conflict, Message, Order, Raft, RaftConfig, Timer, Vote};
use crate::client::{Answer, Ask, Request, Response};
use history::{Register, RegisterOp, RegisterRet, Value};
use sim_core::desk::Desk;
use sim_core::protocol::{Boot, ClientId, Effect, Member, NodeId, Protocol, Slot, Transport, Why};
use sim_core::settings::{Flaw, Flaws, Settings, Values};
use sim_core::time::{MILLISECOND, Nanos, SECOND};

pub type Node = Raft<Register>;
pub type Words = Message<RegisterOp>;
pub type Journal = Vec<Slot<Record<RegisterOp>>>;

pub const N1: NodeId = NodeId(0);
pub const N2: NodeId = NodeId(1);
pub const N3: NodeId = NodeId(2);
pub const N4: NodeId = NodeId(3);
pub const N5: NodeId = NodeId(4);
pub const CLIENT: ClientId = ClientId(0);

/// The defaults, with a change.
pub fn config(change: impl FnOnce(&mut RaftConfig)) -> RaftConfig {
    let mut config = RaftConfig::defaults();
    change(&mut config);
    config
}

/// The defaults without pre-vote: a node that times out stands at once.
pub fn plain() -> RaftConfig {
    config(|c| c.pre_vote = false)
}

pub fn flawed(flaw: &'static Flaw) -> RaftConfig {
    RaftConfig::build(&Values::defaults(RaftConfig::KEYS), Flaws::new([flaw])).expect("the defaults fit together")
}

/// A node of a cluster and what it wants done.
pub struct Solo {
    pub raft: Node,
    pub desk: Desk<Node>,
    pub start: Effects,
}

/// What a step asked for.
pub struct Effects(pub Vec<Effect<Node>>);

/// n1 of `count`, for the first time.
pub fn solo(count: u32, config: RaftConfig) -> Solo {
    restarted(count, config, vec![])
}

/// n1 of `count`, with this journal.
pub fn restarted(count: u32, config: RaftConfig, journal: Journal) -> Solo {
    restarted_from(count, config, journal, None)
}

/// The same, with a mark that says how much of it was on disk; else that is what reads back.
pub fn restarted_from(count: u32, config: RaftConfig, journal: Journal, flushed: Option<usize>) -> Solo {
    let mut desk = Desk::new(N1, 1);
    desk.now = desk.now + SECOND;
    let raft = boot_from(N1, count, &config, (&journal, flushed), &mut desk);
    let start = Effects(desk.take());
    Solo { raft, desk, start }
}

/// n1 of `count`, on an empty machine that took the place of another.
pub fn replaced(count: u32, config: RaftConfig) -> Solo {
    let mut desk = Desk::new(N1, 1);
    let raft = boot_as(Why::Replacement, N1, count, &config, (&vec![], None), &mut desk);
    let start = Effects(desk.take());
    Solo { raft, desk, start }
}

fn boot(me: NodeId, count: u32, config: &RaftConfig, journal: &Journal, desk: &mut Desk<Node>) -> Node {
    boot_from(me, count, config, (journal, None), desk)
}

fn boot_from(
    me: NodeId,
    count: u32,
    config: &RaftConfig,
    (journal, flushed): (&Journal, Option<usize>),
    desk: &mut Desk<Node>,
) -> Node {
    let why = if journal.is_empty() { Why::First } else { Why::Restart };
    boot_as(why, me, count, config, (journal, flushed), desk)
}

fn boot_as(
    why: Why,
    me: NodeId,
    count: u32,
    config: &RaftConfig,
    (journal, flushed): (&Journal, Option<usize>),
    desk: &mut Desk<Node>,
) -> Node {
    let members: Vec<Member> = (0..count).map(|id| Member { id: NodeId(id), role: "node" }).collect();
    let reads_back = || journal.iter().take_while(|slot| matches!(slot, Slot::Ok(_))).count();
    let flushed = flushed.unwrap_or_else(reads_back);
    let boot = Boot { me, role: "node", members: &members, config, why, journal, flushed };
    Raft::start(boot, &mut desk.ctx())
}

impl Solo {
    pub fn hears(&mut self, from: NodeId, message: Words) -> Effects {
        self.raft.on_message(from, message, &mut self.desk.ctx());
        Effects(self.desk.take())
    }

    pub fn wakes(&mut self, timer: Timer) -> Effects {
        self.raft.on_timer(timer, &mut self.desk.ctx());
        Effects(self.desk.take())
    }

    /// It hears nobody for a second, and then its alarm.
    pub fn times_out(&mut self) -> Effects {
        self.desk.now = self.desk.now + SECOND;
        self.wakes(Timer::Election)
    }

    /// Its disk has what these effects asked to be told of.
    pub fn lands(&mut self, effects: &Effects) -> Effects {
        for effect in &effects.0 {
            if let Effect::PersistLater(_, ticket) = effect {
                self.raft.on_disk(*ticket, &mut self.desk.ctx());
            }
        }
        Effects(self.desk.take())
    }

    pub fn is_asked(&mut self, serial: u64, op: RegisterOp) -> Effects {
        self.gets(serial, 0, Ask::Operation { session: None, op })
    }

    /// What an operator orders, and whether it takes that up.
    pub fn is_ordered(&mut self, order: Order) -> (bool, Effects) {
        let taken = self.raft.on_admin(order, &mut self.desk.ctx());
        (taken, Effects(self.desk.take()))
    }

    /// A request in full.
    pub fn gets(&mut self, serial: u64, attempt: u32, ask: Ask<RegisterOp>) -> Effects {
        self.raft.on_request(CLIENT, Request { serial, attempt, ask }, &mut self.desk.ctx());
        Effects(self.desk.take())
    }

    /// Its clock goes on.
    pub fn waits(&mut self, time: Nanos) {
        self.desk.now = self.desk.now + time;
    }

    /// What its committed entries have made.
    pub fn value(&self) -> Value {
        self.raft.state().clone()
    }

    /// It leads term 1 of three, its no-op at index 1 committed by n2.
    pub fn leads(&mut self) {
        self.times_out();
        if self.raft.config.pre_vote {
            self.hears(N2, pre_vote_granted(self.raft.term + 1));
        }
        self.hears(N2, granted(self.raft.term));
        self.hears(N2, matched(self.raft.term, 0, self.raft.log.last_index()));
        assert!(self.raft.is_leader());
    }
}

impl Effects {
    pub fn sent(&self) -> Vec<(NodeId, Words)> {
        self.sent_over().into_iter().map(|(to, message, _)| (to, message)).collect()
    }

    pub fn sent_over(&self) -> Vec<(NodeId, Words, Transport)> {
        let sent = |effect: &Effect<Node>| match effect {
            Effect::Send(to, message, over) => Some((*to, message.clone(), *over)),
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

    pub fn told(&self) -> Vec<Response<RegisterRet>> {
        let told = |effect: &Effect<Node>| match effect {
            Effect::Tell(_, answer) => Some(answer.response.clone()),
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

    /// What the snapshot it took consists of.
    pub fn snapshot_records(&self) -> Vec<Record<RegisterOp>> {
        let records = |effect: &Effect<Node>| match effect {
            Effect::Snapshot(records) => Some(records.clone()),
            Effect::Send(..)
            | Effect::Tell(..)
            | Effect::Persist(_)
            | Effect::PersistLater(..)
            | Effect::Truncate(_)
            | Effect::Arm(..)
            | Effect::Disarm(_)
            | Effect::Observe(_)
            | Effect::TookEffect(..)
            | Effect::Halt(_) => None,
        };
        self.0.iter().find_map(records).expect("it took one")
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

    /// The election timeout it drew, if it did.
    pub fn election_timeout(&self) -> Option<Nanos> {
        self.0.iter().find_map(|effect| match effect {
            Effect::Arm(Timer::Election, after) => Some(*after),
            Effect::Arm(Timer::Heartbeat, _)
            | Effect::Send(..)
            | Effect::Tell(..)
            | Effect::Persist(_)
            | Effect::PersistLater(..)
            | Effect::Snapshot(_)
            | Effect::Truncate(_)
            | Effect::Disarm(_)
            | Effect::Observe(_)
            | Effect::TookEffect(..)
            | Effect::Halt(_) => None,
        })
    }

    pub fn appends(&self) -> Vec<(NodeId, Append<RegisterOp>)> {
        let append = |(to, message): (NodeId, Words)| match message {
            Message::AppendEntries(append) => Some((to, append)),
            Message::PreVote(_)
            | Message::PreVoteReply(_)
            | Message::RequestVote(_)
            | Message::RequestVoteReply(_)
            | Message::AppendEntriesReply(_)
            | Message::InstallSnapshot(_)
            | Message::InstallSnapshotReply(_)
            | Message::TimeoutNow { .. }
            | Message::ReadIndex { .. }
            | Message::ReadIndexReply { .. } => None,
        };
        self.sent().into_iter().filter_map(append).collect()
    }
}

pub fn noops(terms: &[Term]) -> Vec<Entry<RegisterOp>> {
    terms.iter().map(|&term| Entry { term, time: 0, command: Command::Noop }).collect()
}

/// A journal with a log of these terms.
pub fn journal(term: Term, vote: Option<NodeId>, terms: &[Term]) -> Journal {
    vec![Slot::Ok(Record::Term { term, vote }), Slot::Ok(Record::Entries { prev: 0, entries: noops(terms) })]
}

pub fn candidacy(term: Term, last_log_index: Index, last_log_term: Term) -> Candidacy {
    Candidacy { term, last_log_index, last_log_term, by_order: false }
}

pub fn request_vote(term: Term, last_log_index: Index, last_log_term: Term) -> Words {
    Message::RequestVote(candidacy(term, last_log_index, last_log_term))
}

pub fn pre_vote(term: Term, last_log_index: Index, last_log_term: Term) -> Words {
    Message::PreVote(candidacy(term, last_log_index, last_log_term))
}

pub fn granted(term: Term) -> Words {
    Message::RequestVoteReply(Vote { term, granted: true })
}

pub fn refused(term: Term) -> Words {
    Message::RequestVoteReply(Vote { term, granted: false })
}

pub fn pre_vote_granted(term: Term) -> Words {
    Message::PreVoteReply(Vote { term, granted: true })
}

/// Entries of these terms behind entry `prev`.
pub fn append(term: Term, prev: (Index, Term), terms: &[Term], leader_commit: Index) -> Words {
    let (prev_log_index, prev_log_term) = prev;
    let entries = noops(terms);
    Message::AppendEntries(Append { term, prev_log_index, prev_log_term, entries, leader_commit, round: 0 })
}

/// Any entries behind entry `prev`.
pub fn append_all(term: Term, prev: (Index, Term), entries: Vec<Entry<RegisterOp>>, leader_commit: Index) -> Words {
    let (prev_log_index, prev_log_term) = prev;
    Message::AppendEntries(Append { term, prev_log_index, prev_log_term, entries, leader_commit, round: 0 })
}

/// An entry that writes this.
pub fn written(term: Term, value: i64) -> Entry<RegisterOp> {
    let op = write(value);
    Entry { term, time: 0, command: Command::Operation { client: CLIENT, serial: 1, attempt: 0, session: None, op } }
}

/// An entry that says who the members are.
pub fn members_are(term: Term, membership: Membership) -> Entry<RegisterOp> {
    Entry { term, time: 0, command: Command::Members(Box::new(membership)) }
}

pub fn matched(term: Term, round: u64, index: Index) -> Words {
    Message::AppendEntriesReply(Appended { term, round, result: AppendResult::Matched { index } })
}

pub fn conflict(term: Term, prev_log_index: Index, at: Option<Term>, first_index: Index) -> Words {
    let result = AppendResult::Conflict(Conflict { prev_log_index, term: at, first_index });
    Message::AppendEntriesReply(Appended { term, round: 0, result })
}

pub fn write(value: i64) -> RegisterOp {
    RegisterOp::Write(Value::Int(value))
}

pub fn returned(value: i64) -> Response<RegisterRet> {
    Response::Returned(RegisterRet::Value(Value::Int(value)))
}
