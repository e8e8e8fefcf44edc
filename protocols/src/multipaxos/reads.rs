//! Reads that take no slot.
//!
//! A leader could answer a read from its own state, if only it knew that this is new enough: that it has executed every command
//! that a client has been told of.
//!
//! - Of what was chosen in lower ballots it heard in phase 1. So it first executes what it had to adopt there. Where members
//!   change phase 1 is not over before those have answered who decide the last slots open to it.
//! - Of what is chosen in its own ballot it tells the clients itself, and not before it has executed it.
//! - In a higher ballot nothing is chosen before a phase 1 quorum has promised that ballot. There it cannot see by itself whether
//!   that has happened: who was cut off is the last to hear of its successor.
//!
//! So that is what it has to know: **that no phase 1 quorum has promised a higher ballot**. There are two ways, or not to care.
//!
//! **Quorum**: it asks. If a whole *phase 2* quorum has promised none, each phase 1 quorum lacks somebody, for these two share a
//! member (Howard, Malkhi & Spiegelman, *Flexible Paxos*, section 4); two phase 2 quorums need not, so one of phase 1 would
//! prove it no better and be larger. Only answers given after the read arrived count: rounds of asking are numbered, and so are the
//! answers. One round at a time: reads that arrive while one is under way wait together for the next.
//!
//! **Lease** (PML 5.2): it has asked lately. Whoever has confirmed a leader answers nobody else's Prepare for the time of a
//! lease: replicas "refuse to process Paxos messages from any other replica while the lease is held". As long as this
//! binds a phase 2 quorum the leader need not ask again. The acceptor counts from when it answered, by its own clock; the
//! leader from when it *asked*, by its own, and less, as much as the clocks can differ: it "maintains a shorter timeout
//! for the lease than the replicas". An acceptor that restarts does not know what binds it, so it answers no Prepare at
//! all for the time of a lease. It needs no disk for that.
//!
//! **Local**: any node answers from what it has. That may be old.

use super::flaws::{LEASE_BY_WALL_CLOCK, LEASE_IGNORES_DRIFT, READ_WITHOUT_QUORUM};
use super::{Ballot, Message, MultiPaxos, ReadMode, Record, Role, Slot};
use crate::client::{Answer, Response};
use history::Object;
use sim_core::protocol::{ClientId, Ctx, NodeId, Why};
use sim_core::time::{LocalTime, Nanos};
use std::collections::{BTreeMap, VecDeque};

/// A client's read.
#[derive(Clone, Debug)]
pub(super) struct Read<Op> {
    pub client: ClientId,
    pub serial: u64,
    pub attempt: u32,
    pub op: Op,
}

impl<Op> Read<Op> {
    fn tell<O: Object<Op = Op>>(&self, response: Response<O::Ret>, ctx: &mut Ctx<'_, MultiPaxos<O>>) {
        let Read { client, serial, attempt, .. } = *self;
        ctx.tell(client, Answer { serial, attempt, response });
    }
}

/// The leader's side: the reads that wait, and what it knows of other leaders.
#[derive(Clone, Debug)]
pub(super) struct Reads<Op> {
    /// Numbers the rounds of this leadership; 0 before the first.
    round: u64,
    /// By acceptor: the latest round in which it has confirmed us.
    confirmed: BTreeMap<NodeId, u64>,
    /// Each with the first round that began after it arrived, or will.
    waiting: VecDeque<(u64, Read<Op>)>,
    lease: Lease,
}

impl<Op> Default for Reads<Op> {
    fn default() -> Self {
        Reads { round: 0, confirmed: BTreeMap::new(), waiting: VecDeque::new(), lease: Lease::default() }
    }
}

impl<Op> Reads<Op> {
    /// We no longer lead: they may ask elsewhere.
    pub fn redirect<O: Object<Op = Op>>(&mut self, leader: Option<NodeId>, ctx: &mut Ctx<'_, MultiPaxos<O>>) {
        for (_, read) in self.waiting.drain(..) {
            read.tell(Response::Redirect(leader), ctx);
        }
    }

    /// Somebody else was asked to lead: from now on each read asks.
    pub fn give_up_lease(&mut self) {
        self.lease.is_given_up = true;
    }

    /// Whether some wait for a round that has not begun.
    fn want_round(&self) -> bool {
        self.waiting.back().is_some_and(|(round, _)| *round > self.round)
    }
}

/// The leader's side of leases.
#[derive(Clone, Debug, Default)]
struct Lease {
    /// When rounds were sent whose answers may still be of use, the oldest first.
    sent: VecDeque<(u64, LocalTime)>,
    /// By acceptor: when the latest round was sent that it has answered.
    granted: BTreeMap<NodeId, LocalTime>,
    /// Somebody else was asked to lead, and need not wait for our lease to end. There is none any more.
    is_given_up: bool,
}

impl Lease {
    fn send(&mut self, round: u64, now: LocalTime, length: Nanos) {
        while self.sent.front().is_some_and(|(_, sent)| now.since(*sent) >= length) {
            self.sent.pop_front();
        }
        self.sent.push_back((round, now));
    }

    fn grant(&mut self, by: NodeId, round: u64) {
        if let Some((_, sent)) = self.sent.iter().find(|(number, _)| *number == round) {
            let latest = self.granted.entry(by).or_insert(*sent);
            *latest = (*latest).max(*sent);
        }
    }
}

/// The acceptor's side of leases: for the time of a lease it answers nobody's Prepare but one node's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    /// Whose; nobody's if it does not know.
    to: Option<NodeId>,
    since: LocalTime,
}

impl Grant {
    /// What it may have granted before it crashed: it does not know to whom, and for all it knows it was just now.
    pub fn before_crash(why: Why, reads: ReadMode, now: LocalTime) -> Option<Grant> {
        (why == Why::Restart && reads == ReadMode::Lease).then_some(Grant { to: None, since: now })
    }
}

impl<O: Object> MultiPaxos<O> {
    /// A client asks for something that only reads.
    pub(super) fn read(&mut self, read: Read<O::Op>, ctx: &mut Ctx<'_, Self>) {
        match self.config.reads {
            ReadMode::Local if !self.is_stranger => return self.answer(&read, ctx),
            ReadMode::Lease if self.holds_lease(ctx) => return self.answer(&read, ctx),
            // The mistake P15: nobody is asked.
            _ if self.is_leader() && self.config.flaws.has(&READ_WITHOUT_QUORUM) => return self.answer(&read, ctx),
            ReadMode::Quorum | ReadMode::Log | ReadMode::Lease | ReadMode::Local => {}
        }
        let Role::Leader(leadership) = &mut self.role else {
            let leader = self.leader.filter(|leader| *leader != self.me);
            return read.tell(Response::Redirect(leader), ctx);
        };
        let reads = &mut leadership.reads;
        reads.waiting.push_back((reads.round + 1, read));
        self.serve_reads(ctx);
    }

    /// Answers from our own state.
    fn answer(&mut self, read: &Read<O::Op>, ctx: &mut Ctx<'_, Self>) {
        let ret = O::apply(&mut self.machine.data, &read.op);
        read.tell(Response::Returned(ret), ctx);
    }

    /// Something is known that reads may have waited for: those are answered for which it is enough, and if some came too late
    /// for the latest round they get one of their own once that is over.
    pub(super) fn serve_reads(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.answer_confirmed(ctx);
        let Role::Leader(leadership) = &self.role else { return };
        if leadership.reads.want_round() && self.is_confirmed(leadership.reads.round) {
            self.start_round(ctx);
        }
    }

    fn answer_confirmed(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &self.role else { return };
        if !self.has_executed_adopted() {
            return;
        }
        let are_ready = |(round, _): &&(u64, Read<O::Op>)| self.is_confirmed(*round);
        let ready = leadership.reads.waiting.iter().take_while(are_ready).count();
        let Role::Leader(leadership) = &mut self.role else { return };
        let ready: Vec<_> = leadership.reads.waiting.drain(..ready).collect();
        for (_, read) in ready {
            self.answer(&read, ctx);
        }
    }

    /// Whether our state holds all that was chosen in lower ballots.
    fn has_executed_adopted(&self) -> bool {
        let Role::Leader(leadership) = &self.role else { return false };
        let answered = self.members.answered_up_to(|node| leadership.promised().contains(&node));
        answered == Slot::MAX && leadership.adopted_last() <= self.executed.slot
    }

    /// Whether nobody had led in a higher ballot when this round began. Our own answer is that we still lead: we would not, had
    /// we promised more.
    fn is_confirmed(&self, round: u64) -> bool {
        let Role::Leader(leadership) = &self.role else { return false };
        let latest = |node: NodeId| leadership.reads.confirmed.get(&node).copied().unwrap_or_default();
        self.cannot_be_deposed(|node| latest(node) >= round)
    }

    /// Whether nobody can lead in a higher ballot without one of these, or us. A leader has to win phase 1 for each slot that it
    /// does not know to be chosen, and who decides may differ from slot to slot; so this takes a phase 2 quorum of each membership
    /// that has a say in a slot open to us.
    fn cannot_be_deposed(&self, without: impl Fn(NodeId) -> bool) -> bool {
        let (first, last) = (self.first_open(), self.executed.slot + self.config.window);
        let mut quorums = self.members.quorums_between(first, last);
        quorums.all(|quorum| quorum.is_phase2(|node| node == self.me || without(node)))
    }

    /// Asks everybody.
    fn start_round(&mut self, ctx: &mut Ctx<'_, Self>) {
        let now = self.lease_clock(ctx);
        let Role::Leader(leadership) = &mut self.role else { return };
        let reads = &mut leadership.reads;
        reads.round += 1;
        if self.config.reads == ReadMode::Lease {
            reads.lease.send(reads.round, now, self.config.lease);
        }
        let round = reads.round;
        self.send_all(&Message::Confirm { ballot: self.ballot, round }, ctx);
    }

    /// A heartbeat is due. Whatever was lost of the latest round is made good by another, and leases are extended.
    pub(super) fn confirm_again(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &self.role else { return };
        if self.config.reads == ReadMode::Lease || !leadership.reads.waiting.is_empty() {
            self.start_round(ctx);
        }
    }

    /// A leader wants to know whether this node has promised a higher ballot. If not it has not heard of a later leader either,
    /// and follows this one.
    pub(super) fn on_confirm(&mut self, from: NodeId, ballot: Ballot, round: u64, ctx: &mut Ctx<'_, Self>) {
        if ballot < self.promised {
            return self.send(from, Message::Preempted { promised: self.promised }, ctx);
        }
        if !self.members.includes(from) {
            // It may be out and not know it, and whoever follows it elects nobody. If it is we who lag we shall hear more.
            return;
        }
        if self.is_leader() && ballot <= self.ballot {
            // Two leaders in one ballot. The law says so, and we add nothing.
            return;
        }
        if ballot > self.promised {
            self.promised = ballot;
            self.write(Record::Promised(ballot), ctx);
        }
        self.follow(from, ballot, ctx);
        if self.config.reads == ReadMode::Lease {
            // What we granted another ends with this, and it counts on it no longer: in each quorum that it could have somebody
            // promised this leader, who was bound to it no more, or was that other itself; and will not confirm it again.
            self.grant = Some(Grant { to: Some(from), since: ctx.now() });
        }
        self.send(from, Message::Confirmed { ballot, round }, ctx);
    }

    pub(super) fn on_confirmed(&mut self, from: NodeId, ballot: Ballot, round: u64, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        if ballot != self.ballot {
            return;
        }
        let latest = leadership.reads.confirmed.entry(from).or_default();
        *latest = (*latest).max(round);
        leadership.reads.lease.grant(from, round);
        self.serve_reads(ctx);
    }

    /// Whether a lease forbids this node to promise anything to that one.
    pub(super) fn is_bound_to_another(&mut self, candidate: NodeId, ctx: &Ctx<'_, Self>) -> bool {
        let (now, lease) = (ctx.now(), self.config.lease);
        let Some(grant) = &mut self.grant else { return false };
        // A clock that was set back must not bind us until it shows the old time again.
        grant.since = grant.since.min(now);
        grant.to != Some(candidate) && now.since(grant.since) < lease
    }

    /// Whether nobody else can have come to lead.
    fn holds_lease(&self, ctx: &Ctx<'_, Self>) -> bool {
        let now = self.lease_clock(ctx);
        let length = if self.config.flaws.has(&LEASE_IGNORES_DRIFT) {
            // The mistake P13: as if all clocks went alike.
            self.config.lease
        } else {
            self.config.usable_lease()
        };
        let Role::Leader(leadership) = &self.role else { return false };
        let is_running = |sent: &LocalTime| now.since(*sent) < length;
        !leadership.reads.lease.is_given_up
            && self.has_executed_adopted()
            && self.cannot_be_deposed(|node| leadership.reads.lease.granted.get(&node).is_some_and(is_running))
    }

    /// What a lease is measured by: a clock that nobody sets.
    fn lease_clock(&self, ctx: &Ctx<'_, Self>) -> LocalTime {
        // The mistake P14: one that somebody may.
        if self.config.flaws.has(&LEASE_BY_WALL_CLOCK) { ctx.wall() } else { ctx.now() }
    }
}
