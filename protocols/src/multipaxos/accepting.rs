//! The acceptor: two rules, and everything rests on them (PMS 2.2).
//!
//! "*P1a*. An acceptor can accept a proposal numbered n iff it has not responded to a prepare request having a number greater
//! than n." And what it has accepted it says in every later promise. Both must survive its crash, so both are on disk before
//! an answer leaves.
//!
//! What is refused is answered with the ballot that stands against it. Paxos is right without that ("it can simply ignore"),
//! but a proposer that hears nothing waits for its patience to end.

use super::flaws::{ACCEPTS_BELOW_PROMISE, PROMISE_OMITS_TRUNCATED};
use super::{Accept, Ballot, Entry, Held, Message, MultiPaxos, Promise, Record, Slot};
use history::Object;
use sim_core::protocol::{Ctx, NodeId};

impl<O: Object> MultiPaxos<O> {
    /// Phase 1b: "if an acceptor receives a prepare request with number n greater than that of any prepare request to which
    /// it has already responded, then it responds … with a promise not to accept any more proposals numbered less than n and
    /// with the highest-numbered proposal (if any) that it has accepted" (PMS 2.2). The same request again gets the same answer.
    pub(super) fn on_prepare(&mut self, from: NodeId, ballot: Ballot, slot: Slot, ctx: &mut Ctx<'_, Self>) {
        if self.turns_away(from, slot, ctx) {
            return;
        }
        if ballot < self.promised {
            return self.send(from, Message::Preempted { promised: self.promised }, ctx);
        }
        if self.is_bound_to_another(from, ctx) {
            return;
        }
        if ballot > self.promised {
            self.promised = ballot;
            self.write(Record::Promised(ballot), ctx);
            self.give_way(ballot, None, ctx);
            self.observe_role(ctx);
            self.put_off_election(ctx);
        }
        let promise = self.promise(ballot, slot);
        self.send(from, Message::Promise(Box::new(promise)), ctx);
    }

    /// All that this node holds from `slot` on, and up to where nothing is left.
    fn promise(&self, ballot: Ballot, slot: Slot) -> Promise<O::Op> {
        let mut truncated = self.log.base();
        if self.config.flaws.has(&PROMISE_OMITS_TRUNCATED) {
            // The mistake P11: it does not say so.
            truncated = 0;
        }
        Promise { ballot, held: self.log.held_from(slot), truncated, chosen: self.executed.slot }
    }

    /// Phase 2b: "if an acceptor receives an accept request for a proposal numbered n, it accepts the proposal unless it has
    /// already responded to a prepare request having a number greater than n" (PMS 2.2).
    pub(super) fn on_accept(&mut self, from: NodeId, accept: Accept<O::Op>, ctx: &mut Ctx<'_, Self>) {
        let Accept { ballot, first, values, chosen } = accept;
        // The mistake P04: whatever it has responded to.
        if ballot < self.promised && !self.config.flaws.has(&ACCEPTS_BELOW_PROMISE) {
            return self.send(from, Message::Preempted { promised: self.promised }, ctx);
        }
        if self.turns_away(from, chosen + 1, ctx) {
            // Whoever leads next takes a higher one, so that he hears of it.
            self.highest = self.highest.max(ballot);
            return;
        }
        if self.is_leader() && ballot <= self.ballot {
            // Two leaders in one ballot. The law says so, and we add nothing.
            return;
        }
        let count = values.len() as u64;
        let entries = (first..).zip(values).filter(|(slot, _)| self.is_open_in(*slot, ballot));
        let entries: Vec<_> = entries.map(|(slot, value)| Held { slot, entry: Entry { ballot, value } }).collect();
        for Held { slot, entry } in &entries {
            self.log.put(*slot, entry.clone());
        }
        let is_news = ballot > self.promised;
        self.promised = self.promised.max(ballot);
        if !entries.is_empty() {
            self.write(Record::Accepted { entries, chosen: self.executed.slot }, ctx);
        } else if is_news {
            self.write(Record::Promised(ballot), ctx);
        }
        self.follow(from, ballot, ctx);
        self.learn_up_to(chosen, ballot, from, ctx);
        if count > 0 {
            self.send(from, Message::Accepted { ballot, first, count }, ctx);
        }
        if !self.members.includes(self.me) {
            self.send(from, Message::Executed { slot: self.executed.slot }, ctx);
        }
    }

    /// Whether something accepted in this ballot would be news to the slot. What is executed is chosen: this ballot proposes
    /// nothing else for it.
    fn is_open_in(&self, slot: Slot, ballot: Ballot) -> bool {
        slot > self.executed.slot && self.log.get(slot).is_none_or(|entry| entry.ballot != ballot)
    }
}
