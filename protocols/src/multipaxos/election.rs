//! Who leads: "a single … distinguished proposer" (PMS 2.4, 3), and phase 1 for all slots.
//!
//! Whoever suspects the leader, or knows none, waits for a while drawn at random and tries to lead with a higher ballot than any
//! it has heard of. Two who try take each other's promises away and may go on like that for ever (PMS 2.4); so whoever was in
//! vain waits longer each time. Nothing but time is lost by it: safety rests on ballots alone.
//!
//! A candidate must know of everything that may have been chosen in any slot. What acceptors hold they say in their promises. What
//! they have thrown away was chosen and executed, and the candidate has to fetch it before it leads: else it would
//! take these slots for empty.

use super::flaws::{ACCEPTOR_IN_MEMORY, BALLOTS_WITHOUT_NODE, PHASE1_UP_TO_OWN_LAST};
use super::leading::Leadership;
use super::reports::{Report, Reports};
use super::{Ballot, Message, MultiPaxos, Promise, Record, Role, Slot, Timer};
use crate::detectors::Detector;
use history::Object;
use sim_core::protocol::{Ctx, NodeId, Observation, Ticket};

/// A leader proposes again what phase 1 found, and fills what lies between.
pub(super) const ADOPTED: &str = "values of earlier ballots adopted";

/// After so many attempts in vain the time to wait grows no more.
const ATTEMPTS_MAX: u64 = 8;

/// What a candidate has been told.
#[derive(Clone, Debug)]
pub(super) struct Candidacy<Op> {
    /// Who has promised.
    promised: Vec<NodeId>,
    /// Our own promise is on its way to the disk, and counts when it is there.
    own: Option<Ticket>,
    /// What they hold.
    reports: Reports<Op>,
    /// What is gone from one of them, the most, and from whom.
    truncated: (Slot, NodeId),
    /// Everything up to here is known to be chosen, to whom.
    chosen: (Slot, NodeId),
}

impl<Op> Candidacy<Op> {
    fn new(me: NodeId) -> Self {
        let (promised, reports) = (Vec::new(), Reports::default());
        Candidacy { promised, own: None, reports, truncated: (0, me), chosen: (0, me) }
    }
}

impl<O: Object> MultiPaxos<O> {
    /// Waits for somebody to lead, from now on: the longer, the more often this node has tried in vain.
    pub(super) fn put_off_election(&self, ctx: &mut Ctx<'_, Self>) {
        let (shortest, longest) = self.config.patience;
        let patience = ctx.dice().between(shortest, longest);
        let back_off = ctx.dice().between(0, shortest * self.attempts.min(ATTEMPTS_MAX) / 2);
        ctx.arm(Timer::Patience, patience + back_off);
    }

    /// Somebody leads in this ballot, who was just heard.
    pub(super) fn follow(&mut self, leader: NodeId, ballot: Ballot, ctx: &mut Ctx<'_, Self>) {
        let is_news = self.leader != Some(leader) || ballot > self.highest;
        self.give_way(ballot, Some(leader), ctx);
        if is_news {
            self.observe_role(ctx);
        }
        self.leader = Some(leader);
        self.attempts = 0;
        let now = ctx.now();
        if is_news {
            self.detector.expect(leader, now);
        }
        self.detector.heard(leader, now, ctx.dice());
        if let Some(patience) = self.detector.suspects_in(leader, now) {
            ctx.arm(Timer::Patience, patience);
        }
    }

    /// There is a ballot that is not ours: we lead no longer, and are no candidate.
    pub(super) fn give_way(&mut self, ballot: Ballot, leader: Option<NodeId>, ctx: &mut Ctx<'_, Self>) {
        self.highest = self.highest.max(ballot);
        match self.role {
            Role::Follower => {}
            Role::Candidate(_) => ctx.disarm(Timer::Heartbeat),
            Role::Leader(_) => {
                self.leave_clients(leader, ctx);
                ctx.disarm(Timer::Heartbeat);
            }
        }
        self.role = Role::Follower;
        self.leader = leader;
    }

    /// "It is probably a good idea to abandon a proposal if some proposer has begun trying to issue a higher-numbered one"
    /// (PMS 2.3).
    pub(super) fn on_preempted(&mut self, promised: Ballot, ctx: &mut Ctx<'_, Self>) {
        self.highest = self.highest.max(promised);
        if promised > self.ballot && !matches!(self.role, Role::Follower) {
            self.give_way(promised, None, ctx);
            self.observe_role(ctx);
            self.put_off_election(ctx);
        }
    }

    /// This node has waited long enough, unless its leader was heard in the meantime.
    pub(super) fn on_patience_alarm(&mut self, ctx: &mut Ctx<'_, Self>) {
        if self.is_leader() {
            return;
        }
        let left = self.leader.and_then(|leader| self.detector.suspects_in(leader, ctx.now()));
        if let Some(left) = left.filter(|left| *left > 0) {
            return ctx.arm(Timer::Patience, left);
        }
        self.leader = None;
        if self.members.includes(self.me) {
            if self.is_bound_to_another(self.me, ctx) {
                return self.put_off_election(ctx);
            }
            self.start_phase1(ctx);
        } else {
            self.put_off_election(ctx);
            self.ask_anybody(ctx);
        }
    }

    /// Phase 1a: "a proposer selects a proposal number n and sends a prepare request with number n" (PMS 2.2), for all slots
    /// that it does not know to be chosen: "he executes phase 1 of instances 135–137 and of all instances greater than 139"
    /// (PMS 3).
    pub(super) fn start_phase1(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.ballot = self.next_ballot();
        self.highest = self.ballot;
        self.promised = self.ballot;
        self.attempts += 1;
        self.role = Role::Candidate(Box::new(Candidacy::new(self.me)));
        self.observe_role(ctx);
        self.put_off_election(ctx);
        ctx.arm(Timer::Heartbeat, self.config.heartbeat);
        let own = self.promise_oneself(ctx);
        self.send_all(&Message::Prepare { ballot: self.ballot, from: self.first_open() }, ctx);
        match own {
            Some(ticket) => {
                let Role::Candidate(candidacy) = &mut self.role else { return };
                candidacy.own = Some(ticket);
            }
            None => self.count_own_promise(ctx),
        }
    }

    /// Higher than any it has heard of, and nobody else's. What it used before a crash it had promised itself.
    fn next_ballot(&self) -> Ballot {
        let round = self.highest.max(self.promised).round + 1;
        if self.config.flaws.has(&BALLOTS_WITHOUT_NODE) {
            // The mistake P03: another may use the same.
            return Ballot { round, ..Ballot::ZERO };
        }
        Ballot::new(round, self.me)
    }

    /// Our own promise counts at once although it is not on disk yet: it takes others' to matter, and these answer requests
    /// that leave only once it is. If it is enough alone it counts when it is there: that is when the ticket comes back.
    fn promise_oneself(&self, ctx: &mut Ctx<'_, Self>) -> Option<Ticket> {
        let record = Record::Promised(self.ballot);
        let is_enough = self.quorum_of(self.first_open()).is_phase1(|node| node == self.me);
        if is_enough && !self.config.flaws.has(&ACCEPTOR_IN_MEMORY) {
            return Some(ctx.persist_later(record));
        }
        self.write(record, ctx);
        None
    }

    /// Our own promise is on disk, if that was what was written.
    pub(super) fn on_own_promise(&mut self, ticket: Ticket, ctx: &mut Ctx<'_, Self>) {
        let Role::Candidate(candidacy) = &self.role else { return };
        if candidacy.own == Some(ticket) {
            self.count_own_promise(ctx);
        }
    }

    fn count_own_promise(&mut self, ctx: &mut Ctx<'_, Self>) {
        let (held, truncated) = (self.log.held_from(self.first_open()), self.log.base());
        let promise = Promise { ballot: self.ballot, held, truncated, chosen: self.executed.slot };
        self.on_promise(self.me, promise, ctx);
    }

    /// An acceptor has promised. If we lead already, it may be one who joined since.
    pub(super) fn on_promise(&mut self, from: NodeId, promise: Promise<O::Op>, ctx: &mut Ctx<'_, Self>) {
        let candidacy = match &mut self.role {
            Role::Follower => return,
            Role::Candidate(candidacy) => candidacy,
            Role::Leader(_) => return self.on_promise_to_leader(from, promise, ctx),
        };
        if promise.ballot != self.ballot || candidacy.promised.contains(&from) {
            return;
        }
        candidacy.promised.push(from);
        candidacy.chosen = candidacy.chosen.max((promise.chosen, from));
        candidacy.truncated = candidacy.truncated.max((promise.truncated, from));
        for held in promise.held {
            candidacy.reports.hear(from, held, &self.config.flaws);
        }
        self.lead_if_ready(ctx);
    }

    /// A candidate leads once a quorum of each membership that decides an open slot has promised, and it has what is gone from
    /// those who did.
    pub(super) fn lead_if_ready(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Role::Candidate(candidacy) = &self.role else { return };
        if !self.members.includes(self.me) {
            return self.resign(ctx);
        }
        if self.members.answered_up_to(|node| candidacy.promised.contains(&node)) < Slot::MAX {
            return;
        }
        let (truncated, by) = candidacy.truncated;
        if truncated > self.executed.slot {
            return self.ask(by, ctx);
        }
        self.lead(ctx);
    }

    /// It is for others to lead.
    pub(super) fn resign(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.give_way(self.highest, None, ctx);
        self.observe_role(ctx);
        self.put_off_election(ctx);
    }

    fn lead(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Role::Candidate(candidacy) = &mut self.role else { return };
        let Candidacy { promised, mut reports, chosen: (chosen, _), .. } =
            std::mem::replace(&mut **candidacy, Candidacy::new(self.me));
        if self.config.flaws.has(&PHASE1_UP_TO_OWN_LAST) {
            // The mistake P06: others have nothing behind our own last slot.
            reports.forget_behind(self.log.last());
        }
        self.learn_reported(&mut reports, chosen, ctx);
        if !self.members.includes(self.me) {
            return self.resign(ctx);
        }
        let time = reports.iter().map(|(_, report)| report.entry.value.time).fold(self.executed.time, u64::max);
        if !reports.is_empty() {
            ctx.observe(Observation::Recovered(ADOPTED));
        }
        self.role = Role::Leader(Box::new(Leadership::new(self.first_open(), promised, reports, (ctx.now(), time))));
        self.leader = Some(self.me);
        self.attempts = 0;
        self.observe_role(ctx);
        ctx.disarm(Timer::Patience);
        self.ask_for_lacking_promises(ctx);
        self.fill_window(ctx);
        self.send_heartbeats(ctx);
        self.send_beats(ctx);
        self.confirm_again(ctx);
        ctx.arm(Timer::Heartbeat, self.config.heartbeat);
    }

    /// Some of what was reported is known to be chosen: because an acceptor says so, or because a quorum has accepted it in one
    /// ballot. That is executed, and not proposed again.
    fn learn_reported(&mut self, reports: &mut Reports<O::Op>, chosen: Slot, ctx: &mut Ctx<'_, Self>) {
        let mut known = Vec::new();
        let first = self.first_open();
        reports.forget_before(first);
        // Who decides a slot is known only once the slot α before it is executed.
        let decided = first.saturating_add(self.config.window);
        let is_known = |slot: Slot, report: &Report<O::Op>| {
            slot <= chosen || (slot < decided && self.quorum_of(slot).is_phase2(|node| report.by.contains(&node)))
        };
        for (next, (slot, report)) in (first..).zip(reports.iter()) {
            if next != slot || !is_known(slot, report) {
                break;
            }
            known.push(report.entry.clone());
        }
        if !known.is_empty() {
            reports.forget_before(first + known.len() as u64);
            self.learn(first, known, ctx);
        }
    }

    /// A candidate asks again those who have not answered, and for what it lacks. Who is far behind may be asking acceptors of
    /// long ago: whoever knows more tells it who decides by now.
    pub(super) fn ask_for_promises_again(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Role::Candidate(candidacy) = &self.role else { return };
        let (chosen, by) = candidacy.chosen;
        self.send_prepare(&candidacy.promised, ctx);
        if chosen > self.executed.slot {
            self.ask(by, ctx);
        }
        self.lead_if_ready(ctx);
        if matches!(self.role, Role::Candidate(_)) {
            ctx.arm(Timer::Heartbeat, self.config.heartbeat);
        }
    }

    /// Phase 1a to those who have not promised.
    pub(super) fn send_prepare(&self, promised: &[NodeId], ctx: &mut Ctx<'_, Self>) {
        for &to in self.members.everybody().iter().filter(|&&to| to != self.me && !promised.contains(&to)) {
            self.send(to, Message::Prepare { ballot: self.ballot, from: self.first_open() }, ctx);
        }
    }
}
