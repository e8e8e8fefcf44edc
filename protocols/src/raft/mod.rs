//! Raft: one log, kept the same on a majority of machines.
//!
//! A companion to Ongaro & Ousterhout, *In Search of an Understandable Consensus Algorithm* (extended version; "5.2" below
//! is its section) and to Ongaro's dissertation *Consensus: Bridging Theory and Practice* (named where meant).
//!
//! The picture: a club keeps minutes. Nobody trusts his own copy alone; what a majority has written down in the same
//! place is a fact. To avoid quarrels over who writes next, one member dictates, the *leader*, and everybody else copies,
//! the *followers*. If the leader is not heard for a while, somebody stands for election as a *candidate*; reigns are
//! numbered (*terms*), and whoever hears of a later reign stops listening to earlier ones. Two majorities share a
//! member, so no reign has two leaders; and members vote only for somebody whose minutes are at least as good as their
//! own, so whoever wins already has every fact. That is nearly all of it:
//!
//! - `election`: who leads. Randomized timeouts, votes, pre-votes, stepping down.
//! - `replication`: the leader dictates, followers agree where their copies join, a majority commits; `progress`: what the
//!   leader keeps in mind of each of them.
//! - [`crate::machine`]: what the minutes are for, and who has had what done ([`crate::sessions`]).
//! - [`reads`]: how to answer a question without writing it into the minutes.
//! - [`snapshots`]: what stands for minutes that were thrown away.
//! - [`membership`]: who belongs to the club; `changes`: how that changes while it sits, and how the pen is handed over.
//! - [`log`]: the minutes, and what they look like on disk.
//! - [`invariants`]: what must hold after every step: the five laws of Figure 3, and some more.
//! - [`promises`]: what all this promises, under which settings.
//! - [`config`]: settings; [`flaws`]: mistakes that real systems made.
//!
//! **Memory runs ahead of the disk.** A node handles messages while its records are still being flushed, and that is safe
//! because nothing *leaves* it meanwhile: whatever is sent or told after a `persist` waits for it. So each node looks to
//! the others as if it wrote to disk in no time, and crashed before a step or after it. Two places lean on this and say so:
//! a candidate counts its own vote, a leader its own entry, before either is durable, since others' answers prove that it is.
//! Where nobody else's answer is needed, or entries are sent before they are on disk, they wait.

mod changes;
pub mod config;
mod election;
pub mod flaws;
pub mod invariants;
pub mod log;
pub mod membership;
mod progress;
pub mod promises;
pub mod reads;
mod replication;
pub mod snapshots;
#[cfg(test)]
mod tests;

pub use config::{Changes, RaftConfig, ReadMode};
pub use invariants::RaftLaws;
pub use log::{Command, Entry, Index, Log, Record, Term};

use crate::client::{Answer, Ask, Request, Response, RoutingClient, Service};
use crate::machine::{Machine, Rules};
use crate::sessions::Repeated;
use crate::snapshots::Arriving;
use election::Poll;
use history::{Data, Object};
use log::Position;
use membership::{Members, Membership};
use progress::Leadership;
use promises::Terms;
use reads::{Forwarded, Read};
use serde::Serialize;
use sim_core::promise::{Claim, Premise};
use sim_core::protocol::{
    About, AfterError, Boot, ClientId, Ctx, DiskError, NodeId, Observation, OrderKind, Protocol, Ticket, Vocabulary,
    Why,
};
use sim_core::reach::Reach;
use sim_core::time::LocalTime;
use snapshots::{Piece, Received, Snapshot, members_behind};

/// A node of the system; the fields are those of Figure 2, in its order.
#[derive(Clone, Debug)]
pub struct Raft<O: Object> {
    config: RaftConfig,
    me: NodeId,
    /// Who takes part, as far as this node's log says.
    members: Members,

    /// Latest term seen. On disk before anybody hears of it.
    term: Term,
    /// Whom this node voted for in `term`. On disk before anybody hears of it.
    vote: Option<NodeId>,
    /// On disk before anybody hears of it.
    log: Log<O::Op>,
    /// What stands for the entries that are gone from it. On disk before they go.
    snapshot: Option<Snapshot>,
    /// One that is on its way from the leader.
    arriving: Arriving<Position>,

    /// Entries up to here are known to be committed. Invariant: `applied <= commit <= log.last_index()`.
    commit: Index,
    /// Entries up to here have been applied; equal to `commit` between steps, since applying takes no time here.
    applied: Index,
    /// What applying them has made.
    machine: Machine<O>,
    /// Reads of our clients that the leader was asked about.
    forwarded: Forwarded<O::Op>,

    role: Role<O::Op>,
    /// Who leads `term`, if this node knows.
    leader: Option<NodeId>,
    /// When it last heard from that leader; `None` if it doubts there is one.
    heard_leader: Option<LocalTime>,
    /// Its machine took the place of one that was lost. Whatever that had promised under this name, this node knows nothing of
    /// it, and could break it by any vote or acknowledgement; so it says nothing, and an operator lets another take the place.
    /// Nor does it write anything, so that it is told who it is whenever it begins.
    is_stranger: bool,
}

/// What a node is at present (Figure 4, and the dissertation's figure 9.6).
#[derive(Clone, Debug)]
enum Role<Op> {
    /// Copies what the leader dictates.
    Follower,
    /// Doubts that there is a leader and asks whether it could win an election. To the outside still a follower: it has
    /// neither raised its term nor voted.
    PreCandidate(Poll),
    /// Stands for election.
    Candidate(Poll),
    /// Dictates.
    Leader(Box<Leadership<Op>>),
}

/// Node to node: the calls of Figure 2 and their replies.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Message<Op> {
    /// "Would you vote for me?"
    PreVote(Candidacy),
    /// The answer.
    PreVoteReply(Vote),
    /// "Vote for me."
    RequestVote(Candidacy),
    /// The answer.
    RequestVoteReply(Vote),
    /// "Write this down"; without entries a heartbeat.
    AppendEntries(Append<Op>),
    /// The answer.
    AppendEntriesReply(Appended),
    /// "Take this instead of what you lack" (Figure 13).
    InstallSnapshot(Box<Piece>),
    /// The answer.
    InstallSnapshotReply(Received),
    /// "Stand for election, now" (dissertation 3.10).
    TimeoutNow {
        /// The leader's term.
        term: Term,
    },
    /// "How much must I have applied to answer a question that came in just now?" (6.4)
    ReadIndex {
        /// The asker's number for it.
        question: u64,
    },
    /// The answer.
    ReadIndexReply {
        /// The asker's number for it.
        question: u64,
        /// Up to here.
        read_index: Index,
    },
}

/// What an operator can order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Order {
    /// These nodes shall vote too.
    Add(Vec<NodeId>),
    /// These shall no longer.
    Remove(Vec<NodeId>),
    /// These and no others shall vote.
    Members(Vec<NodeId>),
    /// This one shall lead.
    Transfer(NodeId),
    /// Take a snapshot, due or not.
    Snapshot,
}

/// What a candidate says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Candidacy {
    /// The term it would lead.
    pub term: Term,
    /// Where its log ends.
    pub last_log_index: Index,
    /// The term of its last entry.
    pub last_log_term: Term,
    /// Whether the leader wants it to stand, so that nobody need stand by the leader (dissertation 3.10).
    pub by_order: bool,
}

/// What a voter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Vote {
    /// The voter's term; in a granted pre-vote the term asked about, since the voter has not moved to it.
    pub term: Term,
    /// Whether it votes for the candidate.
    pub granted: bool,
}

/// What a leader dictates.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Append<Op> {
    /// The leader's term.
    pub term: Term,
    /// The entries follow this one …
    pub prev_log_index: Index,
    /// … which has this term in the leader's log.
    pub prev_log_term: Term,
    /// The entries.
    pub entries: Vec<Entry<Op>>,
    /// Up to where the leader has committed.
    pub leader_commit: Index,
    /// The leader's latest round of asking whether it still leads.
    pub round: u64,
}

/// What a follower made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Appended {
    /// The follower's term.
    pub term: Term,
    /// The round it was asked in.
    pub round: u64,
    /// Whether the logs agree.
    pub result: AppendResult,
}

/// Whether a follower's log agrees with what the leader sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum AppendResult {
    /// The logs agree up to this index, and no claim is made beyond it.
    Matched {
        /// The last entry that the message named.
        index: Index,
    },
    /// The entry before the first was not there.
    Conflict(Conflict),
}

/// How far a leader should go back (end of 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The `prev_log_index` that was refused.
    pub prev_log_index: Index,
    /// The term of the follower's entry there; `None` if its log ends before.
    pub term: Option<Term>,
    /// The first entry of that term; if its log ends before, the index behind its end.
    pub first_index: Index,
}

/// Alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Timer {
    /// Perhaps time to stand for election.
    Election,
    /// Time for the leader to let itself be heard.
    Heartbeat,
}

impl<O: Object> Raft<O> {
    /// Its name in scenario files.
    pub const NAME: &'static str = "raft";
    /// What it is, in one line.
    pub const ABOUT: &'static str = "Raft (Ongaro & Ousterhout 2014): a replicated log under one elected leader; sessions, snapshots, membership changes, leases.";

    /// The latest term this node has seen.
    pub fn term(&self) -> Term {
        self.term
    }

    /// Whether this node believes that it leads.
    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// Its log.
    pub fn log(&self) -> &Log<O::Op> {
        &self.log
    }

    /// Up to where it knows the log to be committed.
    pub fn commit_index(&self) -> Index {
        self.commit
    }

    /// What the committed entries have made.
    pub fn state(&self) -> &O::State {
        &self.machine.data
    }

    /// The members, as far as its log says.
    pub fn membership(&self) -> &Membership {
        self.members.latest()
    }

    /// Rules that every replica shares.
    fn rules(&self) -> Rules {
        let repeated =
            if self.config.flaws.has(&flaws::NO_SESSIONS) { Repeated::DoneAgain } else { Repeated::Answered };
        Rules { session_lifetime: self.config.session_timeout, repeated }
    }

    /// Writes term and vote down; whatever this node says from now on waits for it.
    fn persist_term(&self, ctx: &mut Ctx<'_, Self>) {
        let record = Record::Term { term: self.term, vote: self.vote };
        if self.config.flaws.has(&flaws::VOTE_BEFORE_FSYNC) {
            // The mistake R02: nothing waits for it.
            ctx.persist_later(record);
        } else {
            ctx.persist(record);
        }
    }

    /// Lets the outside see the role.
    fn observe_role(&self, ctx: &mut Ctx<'_, Self>) {
        let role = match self.role {
            Role::Follower | Role::PreCandidate(_) => "follower",
            Role::Candidate(_) => "candidate",
            Role::Leader(_) => "leader",
        };
        ctx.observe(Observation::Role { role, term: self.term });
    }
}

impl<O: Object> Vocabulary for Raft<O> {
    type Message = Message<O::Op>;
    type Timer = Timer;
    type Record = Record<O::Op>;
    type Reply = Answer<O::Ret>;
}

impl<O: Object> Protocol for Raft<O> {
    type Request = Request<O::Op>;
    type Client = RoutingClient<Self>;
    type Admin = Order;
    type Config = RaftConfig;
    type Data = O;
    type Laws = RaftLaws<O>;

    const ORDERS: &'static [OrderKind] = &[
        OrderKind { name: "add", about: About::Some, text: "These nodes shall vote too, once they have caught up." },
        OrderKind { name: "remove", about: About::Some, text: "These nodes shall no longer vote." },
        OrderKind { name: "members", about: About::Some, text: "These nodes shall vote, and no others." },
        OrderKind { name: "transfer", about: About::One, text: "The leader shall hand over to this node." },
        OrderKind { name: "snapshot", about: About::Nobody, text: "The node shall take a snapshot now." },
    ];

    const RECOVERIES: &'static [&'static str] = &[replication::CONFLICT, snapshots::INSTALLED];

    const KINDS: &'static [&'static str] = &[
        "PreVote",
        "PreVoteReply",
        "RequestVote",
        "RequestVoteReply",
        "AppendEntries",
        "AppendEntriesReply",
        "InstallSnapshot",
        "InstallSnapshotReply",
        "TimeoutNow",
        "ReadIndex",
        "ReadIndexReply",
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

    /// "When servers start up, they begin as followers" (5.2), the first time and after a crash alike: what a node knows
    /// of earlier lives is what its journal kept. How much is committed it learns from the next leader.
    ///
    /// "If a server loses any of its persistent state, it cannot safely rejoin the cluster with its prior identity"
    /// (dissertation 3.8), so a node whose journal has been spoilt refuses to serve. It has acknowledged entries and given
    /// votes that it can no longer read; others counted on them, and to vote without them can undo what a majority confirmed
    /// (Alagappan et al., FAST 2018). Down it is one of the minority that the others can do without.
    fn start(boot: Boot<'_, Self>, ctx: &mut Ctx<'_, Self>) -> Self {
        let found = log::replay(boot.journal);
        let config = boot.config.clone();
        // The mistake R36: what is behind a spoilt record counts as never written, wherever that stands.
        if found.readable < boot.flushed && !config.flaws.has(&flaws::CORRUPT_TAIL_TRUNCATED) {
            ctx.halt(found.spoilt(boot.journal.len()));
        } else if found.readable < boot.journal.len() {
            ctx.truncate(found.readable);
        }
        let founders = boot.members.iter().map(|member| member.id).take(config.founders());
        let members = match &found.snapshot {
            Some(snapshot) => members_behind(snapshot, &found.log),
            None => {
                let mut members = Members::new(0, Membership::of(founders));
                members.learn(1, found.log.after(0));
                members
            }
        };
        let applied = found.snapshot.as_ref().map_or(0, |snapshot| snapshot.last.index);
        // Before it crashed it may have let a leader believe that it would not vote for another.
        let may_have_promised = boot.why == Why::Restart && config.reads == ReadMode::Lease;
        let raft = Raft {
            me: boot.me,
            members,
            term: found.term,
            vote: found.vote,
            log: found.log,
            machine: found.snapshot.as_ref().map_or_else(Machine::default, |snapshot| snapshot.contents.read()),
            snapshot: found.snapshot,
            arriving: Arriving::default(),
            commit: applied,
            applied,
            forwarded: Forwarded::default(),
            role: Role::Follower,
            leader: None,
            heard_leader: may_have_promised.then(|| ctx.now()),
            // The mistake R40: it takes part as if it were new.
            is_stranger: boot.why == Why::Replacement && !config.flaws.has(&flaws::REJOINS_EMPTY),
            config,
        };
        if raft.is_stranger {
            return raft;
        }
        raft.observe_role(ctx);
        raft.put_off_election(ctx);
        raft
    }

    fn on_message(&mut self, from: NodeId, message: Self::Message, ctx: &mut Ctx<'_, Self>) {
        if self.is_stranger {
            return;
        }
        match message {
            Message::PreVote(candidacy) => self.on_pre_vote(from, candidacy, ctx),
            Message::PreVoteReply(vote) => self.on_pre_vote_reply(from, vote, ctx),
            Message::RequestVote(candidacy) => self.on_request_vote(from, candidacy, ctx),
            Message::RequestVoteReply(vote) => self.on_request_vote_reply(from, vote, ctx),
            Message::AppendEntries(append) => self.on_append_entries(from, append, ctx),
            Message::AppendEntriesReply(appended) => self.on_append_entries_reply(from, appended, ctx),
            Message::InstallSnapshot(piece) => self.on_install_snapshot(from, *piece, ctx),
            Message::InstallSnapshotReply(received) => self.on_install_snapshot_reply(from, received, ctx),
            Message::TimeoutNow { term } => self.on_timeout_now(term, ctx),
            Message::ReadIndex { question } => self.on_read_index(from, question, ctx),
            Message::ReadIndexReply { question, read_index } => self.on_read_index_reply(question, read_index, ctx),
        }
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Ctx<'_, Self>) {
        match timer {
            Timer::Election => self.on_election_alarm(ctx),
            Timer::Heartbeat => self.on_heartbeat_alarm(ctx),
        }
    }

    fn on_request(&mut self, client: ClientId, request: Self::Request, ctx: &mut Ctx<'_, Self>) {
        let Request { serial, attempt, ask } = request;
        if self.is_stranger {
            return ctx.tell(client, Answer { serial, attempt, response: Response::Redirect(None) });
        }
        let command = match ask {
            Ask::Operation { op, .. } if self.config.reads != ReadMode::Log && !writes::<O>(&op) => {
                return self.read(Read { client, serial, attempt, op }, ctx);
            }
            Ask::Register => Command::Register { client, serial, attempt },
            Ask::Operation { session, op } => Command::Operation { client, serial, attempt, session, op },
        };
        if self.is_leader() && !self.is_handing_over() {
            self.propose(command, ctx);
        } else {
            let leader = self.leader.filter(|leader| *leader != self.me);
            ctx.tell(client, Answer { serial, attempt, response: Response::Redirect(leader) });
        }
    }

    fn on_disk(&mut self, ticket: Ticket, ctx: &mut Ctx<'_, Self>) {
        match &mut self.role {
            Role::Follower | Role::PreCandidate(_) => {}
            Role::Candidate(_) => self.on_own_vote(ticket, ctx),
            Role::Leader(leadership) => {
                leadership.own.finish(ticket);
                self.advance_commit(ctx);
            }
        }
    }

    /// What is on disk now, nobody knows; what was to rest on it has not left. So this node stops, before it says more.
    fn on_disk_error(&mut self, error: DiskError, _: &mut Ctx<'_, Self>) -> AfterError {
        let retries = self.config.flaws.has(&flaws::FSYNC_ERROR_RETRIED);
        match error {
            // The mistake R37: the flush is tried again, and succeeds, since there is nothing left to write.
            DiskError::Flush if retries => AfterError::GoOn,
            DiskError::Flush | DiskError::Write | DiskError::Full | DiskError::ReadOnly => AfterError::Stop,
        }
    }

    fn on_admin(&mut self, order: Order, ctx: &mut Ctx<'_, Self>) -> bool {
        !self.is_stranger && self.obey(order, ctx)
    }

    /// A majority of the founders' number, whoever they are: members may have changed. Who has lost its disk does not count:
    /// what it had promised is gone, and it must not promise more under its name.
    fn can_serve(config: &RaftConfig, op: &O::Op, reach: &Reach<'_>) -> bool {
        let voters = config.founders().min(reach.nodes());
        let needed = if config.reads == ReadMode::Local && !writes::<O>(op) { 1 } else { voters / 2 + 1 };
        let is_trusty = |node: &&NodeId| reach.has_its_disk(**node);
        reach.groups().any(|group| group.iter().filter(is_trusty).count() >= needed)
    }

    fn promises(config: &RaftConfig, claim: Claim, premise: &Premise) -> Result<(), String> {
        Terms::of(config).promise(claim, premise)
    }
}

impl<O: Object> Service for Raft<O> {
    fn keeps_sessions(config: &RaftConfig) -> bool {
        config.sessions
    }

    fn reads_anywhere(config: &RaftConfig) -> bool {
        matches!(config.reads, ReadMode::Local | ReadMode::Follower)
    }
}

/// Whether an operation can change the data.
fn writes<D: Data>(op: &D::Op) -> bool {
    D::FUNCTIONS[D::function(op)].writes
}
