//! The learner: what is chosen is executed in order, and whoever missed something asks for it (PMS 2.3, 3; PML 4.1).
//!
//! The leader is the first to know what is chosen, and says with every message up to where it knows. A follower believes that of
//! slots that it accepted in the leader's own ballot, since a ballot has one command a slot. What it accepted in another ballot
//! may not be what was chosen, and what it never accepted it lacks: then it asks.
//!
//! Whoever has executed a slot can tell what was chosen there. The asker drives: it says what it lacks, gets a run of slots, or a
//! piece of a snapshot where these are gone, and asks on. Nobody has to remember who is how far behind.

use super::{Ballot, Entry, Message, MultiPaxos, Record, Role, Slot};
use crate::client::{Answer, Response};
use history::Object;
use sim_core::protocol::{ClientId, Ctx, NodeId};
use sim_core::time::{LocalTime, Nanos};

/// What a node has asked for of what it lacks.
#[derive(Clone, Debug, Default)]
pub(super) struct CatchUp {
    /// When it last asked and has got nothing since.
    asked: Option<LocalTime>,
    /// Whom it asked last.
    pub whom: Option<NodeId>,
    /// Of the snapshot up to this slot it has so many bytes.
    pub part: (Slot, u64),
}

impl CatchUp {
    /// An answer came that brought something: it may ask on at once.
    pub fn goes_on(&mut self) {
        self.asked = None;
    }

    /// Whether an answer may still come.
    fn is_waiting(&self, now: LocalTime, patience: Nanos) -> bool {
        self.asked.is_some_and(|asked| asked <= now && now.since(asked) < patience)
    }
}

impl<O: Object> MultiPaxos<O> {
    /// The leader of this ballot knows that everything up to `chosen` is chosen.
    pub(super) fn learn_up_to(&mut self, chosen: Slot, ballot: Ballot, leader: NodeId, ctx: &mut Ctx<'_, Self>) {
        let is_of_ballot = |entry: &Entry<O::Op>| entry.ballot == ballot;
        while self.executed.slot < chosen && self.log.get(self.first_open()).is_some_and(is_of_ballot) {
            self.execute_next(ctx);
        }
        if self.executed.slot < chosen {
            self.ask(leader, ctx);
        }
    }

    /// Executes what is in the log, up to this slot, without answering anybody.
    pub(super) fn execute_up_to(&mut self, slot: Slot, ctx: &mut Ctx<'_, Self>) {
        while self.executed.slot < slot && self.log.get(self.first_open()).is_some() {
            self.execute_next(ctx);
        }
    }

    /// Executes the next slot, which is chosen. Returns whom to answer, and what.
    pub(super) fn execute_next(&mut self, ctx: &mut Ctx<'_, Self>) -> Option<(ClientId, Answer<O::Ret>)> {
        let slot = self.first_open();
        let Entry { value, .. } = self.log.get(slot)?;
        // A slot adopted from one earlier leader may follow one of a later.
        let time = self.executed.time.max(value.time);
        let rules = self.rules();
        let answer = self.machine.apply(slot, time, &value.command, rules);
        self.members.execute(slot, &value.command);
        (self.executed.slot, self.executed.time) = (slot, time);
        // Followers execute what somebody else has executed before.
        if !matches!(self.role, Role::Follower)
            && let Some((client, Answer { serial, response: Response::Returned(_), .. })) = &answer
        {
            ctx.took_effect(*client, *serial);
        }
        self.snapshot_when_due(ctx);
        answer
    }

    /// Asks somebody for what this node lacks, unless an answer is under way.
    pub(super) fn ask(&mut self, to: NodeId, ctx: &mut Ctx<'_, Self>) {
        let now = ctx.now();
        if self.catch_up.is_waiting(now, self.config.heartbeat) {
            return;
        }
        self.catch_up.asked = Some(now);
        self.catch_up.whom = Some(to);
        self.send(to, Message::Learn { from: self.first_open(), part: self.catch_up.part }, ctx);
    }

    /// Somebody lacks what was chosen from this slot on.
    pub(super) fn on_learn(&mut self, from: NodeId, slot: Slot, part: (Slot, u64), ctx: &mut Ctx<'_, Self>) {
        if slot <= self.log.base() {
            return self.send_piece(from, slot, part, ctx);
        }
        self.lent.remove(&from);
        let known = (self.executed.slot + 1).saturating_sub(slot);
        let entries = self.log.run_from(slot, known.min(self.config.batch));
        if !entries.is_empty() {
            self.send(from, Message::Chosen { first: slot, entries, chosen: self.executed.slot }, ctx);
        }
    }

    /// These were chosen, from this slot on.
    pub(super) fn on_chosen(
        &mut self,
        from: NodeId,
        first: Slot,
        mut entries: Vec<Entry<O::Op>>,
        chosen: Slot,
        ctx: &mut Ctx<'_, Self>,
    ) {
        // A leader has all that was chosen, or is about to propose it.
        let known = self.first_open().saturating_sub(first);
        self.resign_if_outrun(chosen, ctx);
        if self.is_leader() || first > self.first_open() || known >= entries.len() as u64 {
            return;
        }
        entries.drain(..known as usize);
        self.learn(self.first_open(), entries, ctx);
        self.catch_up.goes_on();
        if self.executed.slot < chosen {
            self.ask(from, ctx);
        }
        self.caught_up(ctx);
    }

    /// Makes what was chosen in these slots, the first of which is next, ours, and executes it.
    ///
    /// It takes the place of whatever this node had accepted there, as if it had been accepted in the ballot that comes with
    /// it. That is no vote which could have a command chosen: this one is, and every ballot from then on proposes the same.
    pub(super) fn learn(&mut self, first: Slot, entries: Vec<Entry<O::Op>>, ctx: &mut Ctx<'_, Self>) {
        let last = first + entries.len() as u64 - 1;
        for (slot, entry) in (first..).zip(&entries) {
            self.log.put(slot, entry.clone());
        }
        self.write(Record::Chosen { first, entries }, ctx);
        self.execute_up_to(last, ctx);
    }

    /// Something arrived of what this node lacked. A candidate that only waited for it may lead now.
    pub(super) fn caught_up(&mut self, ctx: &mut Ctx<'_, Self>) {
        if matches!(self.role, Role::Candidate(_)) {
            self.put_off_election(ctx);
            self.lead_if_ready(ctx);
        }
    }
}
