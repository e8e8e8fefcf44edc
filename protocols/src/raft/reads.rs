//! Reads that are not written into the log (dissertation 6.4).
//!
//! A leader's state holds every committed write, so it could answer a read by itself, if only it knew that it still leads:
//! a leader that was cut off is the last to hear of its successor. There are three ways to know, or not to care.
//!
//! **ReadIndex** (6.4): it asks. It notes its commit index, sends a heartbeat, and once a majority has answered it knows
//! that it still led *after* the question arrived: nobody else can have committed anything by then. Then the state as of the
//! noted index is new enough.
//!
//! 1. A new leader first waits until an entry of its own term is committed: before that its commit index may lag behind
//!    what its predecessor told clients.
//! 2. `read_index = commit_index`.
//! 3. A round of heartbeats. Each AppendEntries carries the number of the latest round and each reply echoes it, so a
//!    reply under way from an earlier round proves nothing.
//! 4. Wait until `read_index` is applied, then answer.
//!
//! One round at a time: reads that arrive while it is under way wait together for the next. A follower that is asked may
//! ask the leader for a read index, wait until it has applied that much, and answer itself.
//!
//! **Lease** (6.4.1): it has asked lately. A majority that answered a heartbeat will not vote for anybody else for an
//! election timeout, so until that has passed since the heartbeat was *sent* the leader need not ask again. That is time
//! measured on one clock and kept on others, and safe only if none of them is wrong by more than a bound.
//!
//! **Local**: any node answers from what it has. That may be old.

use super::flaws::{LEASE_BY_WALL_CLOCK, LEASE_IGNORES_DRIFT, READ_INDEX_BEFORE_OWN_TERM, READ_WITHOUT_QUORUM};
use super::log::Index;
use super::progress::Own;
use super::{Message, Raft, ReadMode, Role};
use crate::client::{Answer, Response};
use crate::leases;
use history::Object;
use serde::Serialize;
use sim_core::protocol::{ClientId, Ctx, NodeId};
use sim_core::time::LocalTime;
use std::collections::VecDeque;

/// A client's read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Read<Op> {
    /// Who asked.
    pub client: ClientId,
    /// The client's number for the operation.
    pub serial: u64,
    /// Which of its attempts this is.
    pub attempt: u32,
    /// What was asked.
    pub op: Op,
}

impl<Op> Read<Op> {
    fn tell<O: Object<Op = Op>>(&self, response: Response<O::Ret>, ctx: &mut Ctx<'_, Raft<O>>) {
        let Read { client, serial, attempt, .. } = *self;
        ctx.tell(client, Answer { serial, attempt, response });
    }
}

/// Who waits for the leader to know that it leads.
#[derive(Clone, Debug)]
enum Asker<Op> {
    /// A client of ours.
    Client(Read<Op>),
    /// A follower, for clients of its own; the number is its own.
    Follower(NodeId, u64),
}

/// The reads that wait for a leader.
#[derive(Clone, Debug)]
pub(super) struct Reads<Op> {
    /// Numbers the rounds of this leadership; 0 before the first.
    round: u64,
    /// While a round is under way: which, and up to where the state must be applied for the reads in `asked`.
    under_way: Option<(u64, Index)>,
    /// They wait for the round under way.
    asked: Vec<Asker<Op>>,
    /// They came too late for it and wait for the next.
    waiting: Vec<Asker<Op>>,
}

impl<Op> Default for Reads<Op> {
    fn default() -> Self {
        Reads { round: 0, under_way: None, asked: Vec::new(), waiting: Vec::new() }
    }
}

impl<Op> Reads<Op> {
    /// The latest round.
    pub fn round(&self) -> u64 {
        self.round
    }

    /// We no longer lead: they may ask elsewhere.
    pub fn redirect<O: Object<Op = Op>>(&mut self, leader: Option<NodeId>, ctx: &mut Ctx<'_, Raft<O>>) {
        for asker in self.asked.drain(..).chain(self.waiting.drain(..)) {
            // Followers hear of another leader by themselves.
            if let Asker::Client(read) = asker {
                read.tell(Response::Redirect(leader), ctx);
            }
        }
    }
}

/// How long a leader may answer without asking.
#[derive(Clone, Debug, Default)]
pub(super) struct Lease {
    /// When rounds were sent that not yet a majority has answered, the oldest first.
    sent: VecDeque<(u64, LocalTime)>,
    /// When the latest round was sent that a majority has answered.
    confirmed: Option<LocalTime>,
    has_ended: bool,
}

impl Lease {
    /// For the rest of this leadership there is none.
    pub fn end(&mut self) {
        self.has_ended = true;
    }

    /// A majority has answered this round, and so those before it.
    fn confirm(&mut self, round: u64) {
        while let Some((_, sent)) = self.sent.front().copied().filter(|(first, _)| *first <= round) {
            self.confirmed = Some(sent);
            self.sent.pop_front();
        }
    }
}

/// A follower's side: reads that it will answer once it has applied what the leader had committed.
#[derive(Clone, Debug)]
pub(super) struct Forwarded<Op> {
    /// The number of the next question to the leader. The first is drawn by lot: an answer to an earlier life of this node
    /// must not pass for one to this.
    next: Option<u64>,
    /// Asked, with the number of the question; in order.
    asked: VecDeque<(u64, Read<Op>)>,
    /// Answered: up to where the state must be applied.
    ready: Vec<(Index, Read<Op>)>,
}

impl<Op> Default for Forwarded<Op> {
    fn default() -> Self {
        Forwarded { next: None, asked: VecDeque::new(), ready: Vec::new() }
    }
}

impl<O: Object> Raft<O> {
    /// A client asks for something that only reads.
    pub(super) fn read(&mut self, read: Read<O::Op>, ctx: &mut Ctx<'_, Self>) {
        match self.config.reads {
            ReadMode::Local => self.answer(&read, ctx),
            ReadMode::Lease if self.holds_lease(ctx) => self.answer(&read, ctx),
            // The mistake R06: whether we still lead is not asked.
            _ if self.is_leader() && self.config.flaws.has(&READ_WITHOUT_QUORUM) => self.answer(&read, ctx),
            ReadMode::Lease | ReadMode::ReadIndex | ReadMode::Follower | ReadMode::Log if self.is_leader() => {
                self.ask_whether_we_lead(Asker::Client(read), ctx);
            }
            ReadMode::Lease | ReadMode::ReadIndex | ReadMode::Follower | ReadMode::Log => self.forward(read, ctx),
        }
    }

    /// Answers from our own state.
    fn answer(&mut self, read: &Read<O::Op>, ctx: &mut Ctx<'_, Self>) {
        let ret = O::apply(&mut self.machine.data, &read.op);
        read.tell(Response::Returned(ret), ctx);
    }

    fn ask_whether_we_lead(&mut self, asker: Asker<O::Op>, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        leadership.reads.waiting.push(asker);
        self.start_round(ctx);
    }

    /// Whether what we know to be committed is all that anybody was told of: a leader has all committed entries, "but at the
    /// start of its term, it may not know which those are. To find out, it needs to commit an entry from its term" (6.4).
    pub(super) fn has_committed_own(&self) -> bool {
        self.log.term_at(self.commit) == Some(self.term)
    }

    /// Steps 1 to 3: asks for everybody who waits, unless a round is under way.
    pub(super) fn start_round(&mut self, ctx: &mut Ctx<'_, Self>) {
        // The mistake R07: step 1 is left out.
        let may_ask = self.has_committed_own() || self.config.flaws.has(&READ_INDEX_BEFORE_OWN_TERM);
        let Role::Leader(leadership) = &mut self.role else { return };
        let reads = &mut leadership.reads;
        if reads.under_way.is_some() || reads.waiting.is_empty() || !may_ask {
            return;
        }
        reads.round += 1;
        reads.under_way = Some((reads.round, self.commit));
        std::mem::swap(&mut reads.asked, &mut reads.waiting);
        self.send_round(ctx);
        self.finish_round(ctx);
    }

    /// Lets everybody hear that we lead, so that their answers extend the lease.
    pub(super) fn renew_lease(&mut self, ctx: &mut Ctx<'_, Self>) {
        if let Role::Leader(leadership) = &mut self.role {
            leadership.reads.round += 1;
        }
        self.send_round(ctx);
        self.finish_round(ctx);
    }

    fn send_round(&mut self, ctx: &mut Ctx<'_, Self>) {
        let now = self.lease_clock(ctx);
        if let Role::Leader(leadership) = &mut self.role
            && self.config.reads == ReadMode::Lease
        {
            leadership.lease.sent.push_back((leadership.reads.round, now));
        }
        self.send_heartbeats(ctx);
    }

    /// What a lease is measured by: a clock that nobody sets.
    fn lease_clock(&self, ctx: &Ctx<'_, Self>) -> LocalTime {
        // The mistake R39: one that somebody may.
        if self.config.flaws.has(&LEASE_BY_WALL_CLOCK) { ctx.wall() } else { ctx.now() }
    }

    /// Whether we can be sure that nobody else leads: the lease lasts until "start + election timeout / clock drift bound"
    /// (figure 6.3), where start is when the heartbeat was sent. If our clock is slow by the bound and theirs are
    /// fast by it, their election timeout is over after (1 - bound) / (1 + bound) of it on our clock.
    fn holds_lease(&self, ctx: &Ctx<'_, Self>) -> bool {
        let now = self.lease_clock(ctx);
        let timeout = self.config.shortest_election_timeout();
        let length = if self.config.flaws.has(&LEASE_IGNORES_DRIFT) {
            // The mistake R08: as if all clocks went alike.
            timeout
        } else {
            leases::usable(timeout, self.config.clock_drift_bound)
        };
        let Role::Leader(leadership) = &self.role else { return false };
        let Lease { confirmed, has_ended, .. } = leadership.lease;
        let is_fresh = confirmed.is_some_and(|sent| now.since(sent) < length);
        is_fresh && !has_ended && self.has_committed_own()
    }

    /// Answers came in: perhaps a majority has answered a round. Step 4 for the reads of the round under way.
    pub(super) fn finish_round(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        if leadership.reads.under_way.is_none() && leadership.lease.sent.is_empty() {
            return;
        }
        let confirmed = |round: u64| leadership.is_quorum(Own::Yes, |peer| peer.round >= round);
        if let Some(&(round, _)) = leadership.lease.sent.iter().rev().find(|(round, _)| confirmed(*round)) {
            leadership.lease.confirm(round);
        }
        let Some((round, read_index)) = leadership.reads.under_way else { return };
        if self.applied < read_index || !leadership.is_quorum(Own::Yes, |peer| peer.round >= round) {
            return;
        }
        leadership.reads.under_way = None;
        for asker in leadership.reads.asked.drain(..) {
            match asker {
                Asker::Client(read) => {
                    let ret = O::apply(&mut self.machine.data, &read.op);
                    read.tell(Response::Returned(ret), ctx);
                }
                Asker::Follower(follower, question) => {
                    ctx.send_over(self.config.transport, follower, Message::ReadIndexReply { question, read_index });
                }
            }
        }
        self.start_round(ctx);
    }

    /// We do not lead. Either the client asks the leader, or we do.
    fn forward(&mut self, read: Read<O::Op>, ctx: &mut Ctx<'_, Self>) {
        match self.leader {
            Some(leader) if self.config.reads == ReadMode::Follower => {
                let question = self.forwarded.next.unwrap_or_else(|| ctx.dice().bits());
                self.forwarded.next = Some(question.wrapping_add(1));
                self.forwarded.asked.push_back((question, read));
                ctx.send_over(self.config.transport, leader, Message::ReadIndex { question });
            }
            leader => read.tell(Response::Redirect(leader), ctx),
        }
    }

    /// A follower wants to know how much it must have applied. If we do not lead, it will learn who does.
    pub(super) fn on_read_index(&mut self, from: NodeId, question: u64, ctx: &mut Ctx<'_, Self>) {
        if self.holds_lease(ctx) {
            ctx.send_over(self.config.transport, from, Message::ReadIndexReply { question, read_index: self.commit });
        } else {
            self.ask_whether_we_lead(Asker::Follower(from, question), ctx);
        }
    }

    pub(super) fn on_read_index_reply(&mut self, question: u64, read_index: Index, ctx: &mut Ctx<'_, Self>) {
        let Some(at) = self.forwarded.asked.iter().position(|(number, _)| *number == question) else { return };
        let (_, read) = self.forwarded.asked.remove(at).expect("just found");
        self.forwarded.ready.push((read_index, read));
        self.answer_forwarded(ctx);
    }

    /// Answers what waited for entries that are applied now.
    pub(super) fn answer_forwarded(&mut self, ctx: &mut Ctx<'_, Self>) {
        if self.forwarded.ready.is_empty() {
            return;
        }
        let applied = self.applied;
        let ready = self.forwarded.ready.extract_if(.., |(index, _)| *index <= applied).collect::<Vec<_>>();
        for (_, read) in ready {
            self.answer(&read, ctx);
        }
    }

    /// The leader we asked is no longer the one to answer.
    pub(super) fn take_back_forwarded(&mut self, ctx: &mut Ctx<'_, Self>) {
        let leader = self.leader;
        for (_, read) in self.forwarded.asked.drain(..) {
            read.tell(Response::Redirect(leader), ctx);
        }
    }
}
