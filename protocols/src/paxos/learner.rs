//! Learners: who find out what was chosen (2.3).
//!
//! A value is chosen when a phase 2 quorum has voted for it *in one ballot*. A learner hears of single votes and counts. Either
//! every acceptor tells every learner, which is quick and costs as many messages as there are pairs of nodes; or it tells a
//! *distinguished* one, here the proposer of the ballot, who tells the others when there is something to tell.
//!
//! "Because of message loss, a value could be chosen with no learner ever finding out"; then who needs to know "can have a
//! proposer issue a proposal" (end of 2.3). So does a node whose client asks. It opens a ballot, and either somebody who knows
//! answers with the decision, or the ballot proposes what was chosen once more.

use super::flaws::COUNTS_ACROSS_BALLOTS;
use super::{Ballot, Learners, Message, Paxos, Timer, Vote};
use history::{Key, Value};
use sim_core::protocol::{Ctx, NodeId};
use std::collections::BTreeMap;

/// What a node has heard of votes on one decree.
#[derive(Clone, Debug)]
pub(super) enum Learner {
    /// By ballot: for what, and who.
    Counting(BTreeMap<Ballot, Tally>),
    /// It is decided.
    Knows(Value),
}

/// The votes heard of in one ballot.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub value: Value,
    pub voters: Vec<NodeId>,
}

impl Default for Learner {
    fn default() -> Self {
        Learner::Counting(BTreeMap::new())
    }
}

impl Learner {
    /// The decision, if this node knows it.
    pub fn chosen(&self) -> Option<&Value> {
        match self {
            Learner::Counting(_) => None,
            Learner::Knows(value) => Some(value),
        }
    }
}

impl Paxos {
    /// Counts a vote. One that arrives twice counts once.
    pub(super) fn hear_vote(&mut self, voter: NodeId, decree: Key, vote: Vote, ctx: &mut Ctx<'_, Self>) {
        let has_flaw = self.config.flaws.has(&COUNTS_ACROSS_BALLOTS);
        let Learner::Counting(tallies) = &mut self.instance(decree).learner else { return };
        let Vote { ballot, value } = vote;
        let tally = tallies.entry(ballot).or_insert_with(|| Tally { value: value.clone(), voters: Vec::new() });
        if tally.value == value && !tally.voters.contains(&voter) {
            tally.voters.push(voter);
        }
        let voters: Vec<NodeId> = if has_flaw {
            // The mistake P07: whoever voted for the value, in whichever ballot.
            let alike = tallies.values().filter(|tally| tally.value == value);
            alike.flat_map(|tally| tally.voters.iter().copied()).collect()
        } else {
            tallies[&ballot].voters.clone()
        };
        if self.is_phase2(|node| voters.contains(&node)) {
            if self.config.learners == Learners::Distinguished {
                self.send_others(&[], &Message::Chosen { decree, value: value.clone() }, ctx);
            }
            self.learn(decree, value, ctx);
        }
    }

    /// Who is known to have voted in a ballot.
    pub(super) fn voters(&mut self, decree: Key, ballot: Ballot) -> Vec<NodeId> {
        match &self.instance(decree).learner {
            Learner::Counting(tallies) => tallies.get(&ballot).map_or_else(Vec::new, |tally| tally.voters.clone()),
            Learner::Knows(_) => Vec::new(),
        }
    }

    /// It is decided: whoever waits here is told, and nothing remains to be done.
    pub(super) fn learn(&mut self, decree: Key, value: Value, ctx: &mut Ctx<'_, Self>) {
        let instance = self.instance(decree);
        if instance.learner.chosen().is_some() {
            return;
        }
        let proposer = std::mem::take(&mut instance.proposer);
        for asker in proposer.askers {
            asker.tell(value.clone(), ctx);
        }
        instance.learner = Learner::Knows(value);
        ctx.disarm(Timer(decree));
    }
}
