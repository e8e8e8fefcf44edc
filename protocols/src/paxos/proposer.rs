//! Proposers: who open ballots (2.2), and leave the field to each other in the end (2.4).
//!
//! A node proposes when a client asks it to. Of several values asked for here, the one that was asked for first is proposed;
//! the others' clients will be told what was decided like everybody else. A client that only *reads* has a ballot opened all
//! the same, since nobody else can tell what was chosen: if phase 1 finds no vote, nothing had been chosen when the ballot was
//! opened, and that is the answer; if it finds one, phase 2 puts it to the vote again, and then it is chosen for certain. A
//! vote that was only seen is no decision.
//!
//! "It's easy to construct a scenario in which two proposers each keep issuing a sequence of proposals with increasing
//! numbers, none of which are ever chosen" (2.4). The paper elects a distinguished proposer; here who has lost a ballot waits
//! before he opens another, for a time drawn at random, and longer each time. So one of two is soon alone for long enough.
//!
//! A proposer's numbers must rise even if it crashes (2.5). It promises each ballot to itself first, so the highest number it
//! has used is on its own acceptor's disk.

use super::flaws::{ADOPTS_OWN_VALUE, BALLOTS_WITHOUT_NODE};
use super::{Ballot, Message, Paxos, Timer, Vote, observe_proposer};
use crate::client::{Answer, Response};
use history::{Decided, Key, Value};
use sim_core::protocol::{ClientId, Ctx, NodeId};

/// Who waits here for the decision.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    pub client: ClientId,
    pub serial: u64,
    pub attempt: u32,
    /// What it proposes; nil if it only reads.
    pub value: Value,
}

impl Asker {
    pub fn tell(&self, decision: Value, ctx: &mut Ctx<'_, Paxos>) {
        let response = Response::Returned(Decided(decision));
        ctx.tell(self.client, Answer { serial: self.serial, attempt: self.attempt, response });
    }
}

/// What a node does about a decree.
#[derive(Clone, Debug, Default)]
pub(super) struct Proposer {
    /// In the order in which they came.
    pub askers: Vec<Asker>,
    /// So many of them, the first, were there when the latest ballot was opened.
    asked_before: usize,
    stage: Stage,
    /// How many ballots in a row it has lost.
    lost: u32,
    /// The highest round it knows of from refusals.
    seen: u64,
}

/// How far it is.
#[derive(Clone, Debug, Default)]
enum Stage {
    /// Nobody asks.
    #[default]
    Idle,
    /// Phase 1: who has promised, and with which vote.
    Preparing { ballot: Ballot, promises: Vec<(NodeId, Option<Vote>)> },
    /// Phase 2.
    Proposing { vote: Vote },
    /// It has lost a ballot and waits before it opens another.
    Waiting,
}

/// Waits double so many times, at most.
const DOUBLINGS_MAX: u32 = 5;

impl Paxos {
    /// A client asks.
    pub(super) fn on_asked(&mut self, decree: Key, asker: Asker, ctx: &mut Ctx<'_, Self>) {
        let instance = self.instance(decree);
        if let Some(decision) = instance.learner.chosen() {
            return asker.tell(decision.clone(), ctx);
        }
        let askers = &mut instance.proposer.askers;
        match askers.iter_mut().find(|other| (other.client, other.serial) == (asker.client, asker.serial)) {
            Some(same) => same.attempt = asker.attempt,
            None => askers.push(asker),
        }
        match instance.proposer.stage {
            Stage::Idle => self.open_ballot(decree, ctx),
            Stage::Preparing { .. } | Stage::Proposing { .. } | Stage::Waiting => {}
        }
    }

    /// Phase 1a: "a proposer selects a proposal number n and sends a prepare request with number n to a majority of
    /// acceptors" (2.2): to all of them, as some may be down.
    fn open_ballot(&mut self, decree: Key, ctx: &mut Ctx<'_, Self>) {
        let (me, flaws) = (self.me, self.config.flaws.clone());
        let instance = self.instance(decree);
        let promised = instance.acceptor.promised.map_or(0, |ballot| ballot.round);
        let round = promised.max(instance.proposer.seen) + 1;
        // The mistake P03: the round alone is the number, and somebody else has the same.
        let node = if flaws.has(&BALLOTS_WITHOUT_NODE) { NodeId(0) } else { me };
        let ballot = Ballot { round, node };
        let accepted = instance.acceptor.accepted.clone();
        instance.proposer.asked_before = instance.proposer.askers.len();
        instance.proposer.stage = Stage::Preparing { ballot, promises: vec![(me, accepted)] };
        self.promise(decree, ballot, ctx);
        self.send_others(&[], &Message::Prepare { decree, ballot }, ctx);
        ctx.arm(Timer(decree), self.config.resend);
        self.count_promises(decree, ctx);
    }

    pub(super) fn on_promise(
        &mut self,
        from: NodeId,
        decree: Key,
        ballot: Ballot,
        accepted: Option<Vote>,
        ctx: &mut Ctx<'_, Self>,
    ) {
        match &mut self.instance(decree).proposer.stage {
            Stage::Preparing { ballot: own, promises } if *own == ballot => {
                if promises.iter().all(|(node, _)| *node != from) {
                    promises.push((from, accepted));
                    self.count_promises(decree, ctx);
                }
            }
            // Of a ballot that is over or lost.
            Stage::Idle | Stage::Preparing { .. } | Stage::Proposing { .. } | Stage::Waiting => {}
        }
    }

    /// "If the proposer receives a response to its prepare requests from a majority of acceptors, then it sends an accept
    /// request" (2.2).
    fn count_promises(&mut self, decree: Key, ctx: &mut Ctx<'_, Self>) {
        let Stage::Preparing { ballot, promises } = &self.instance(decree).proposer.stage else { return };
        let (ballot, promises) = (*ballot, promises.clone());
        if !self.is_phase1(|node| promises.iter().any(|(promised, _)| *promised == node)) {
            return;
        }
        observe_proposer(ballot, ctx);
        let latest = promises.into_iter().filter_map(|(_, vote)| vote).max_by_key(|vote| vote.ballot);
        if latest.is_none() {
            self.tell_undecided(decree, ctx);
        }
        let askers = &self.instance(decree).proposer.askers;
        let own = askers.iter().map(|asker| &asker.value).find(|value| !value.is_nil()).cloned();
        let value = match (latest, own) {
            // The mistake P02: what others have voted for is for others.
            (Some(_), Some(own)) if self.config.flaws.has(&ADOPTS_OWN_VALUE) => Some(own),
            // P2c: "the value of the highest-numbered proposal among the responses, or any value if the responses reported
            // no proposals".
            (Some(vote), _) => Some(vote.value),
            (None, own) => own,
        };
        match value {
            Some(value) => self.propose(decree, Vote { ballot, value }, ctx),
            None => self.rest(decree, ctx),
        }
    }

    /// Nothing had been chosen when the ballot was opened: so those are told who only read and had asked by then. Who came later
    /// may have asked after a decision that promises made before it say nothing of.
    fn tell_undecided(&mut self, decree: Key, ctx: &mut Ctx<'_, Self>) {
        let proposer = &mut self.instance(decree).proposer;
        let later = proposer.askers.split_off(proposer.asked_before);
        let (readers, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut proposer.askers).into_iter().partition(|asker| asker.value.is_nil());
        proposer.askers = others;
        proposer.asked_before = proposer.askers.len();
        proposer.askers.extend(later);
        for reader in readers {
            reader.tell(Value::Nil, ctx);
        }
    }

    /// Nobody here has anything to propose. Whoever came meanwhile and reads has a ballot of its own.
    fn rest(&mut self, decree: Key, ctx: &mut Ctx<'_, Self>) {
        let proposer = &mut self.instance(decree).proposer;
        proposer.stage = Stage::Idle;
        proposer.lost = 0;
        ctx.disarm(Timer(decree));
        if !proposer.askers.is_empty() {
            self.open_ballot(decree, ctx);
        }
    }

    /// Phase 2a.
    fn propose(&mut self, decree: Key, vote: Vote, ctx: &mut Ctx<'_, Self>) {
        self.instance(decree).proposer.stage = Stage::Proposing { vote: vote.clone() };
        self.accept(decree, &vote, ctx);
        self.send_others(&[], &Message::Accept { decree, vote: vote.clone() }, ctx);
        ctx.arm(Timer(decree), self.config.resend);
        self.tell_learners(self.me, decree, &vote, ctx);
        self.hear_vote(self.me, decree, vote, ctx);
    }

    pub(super) fn on_nack(&mut self, decree: Key, ballot: Ballot, promised: Ballot, ctx: &mut Ctx<'_, Self>) {
        if self.instance(decree).proposer.stage.ballot() == Some(ballot) {
            self.lose(decree, promised, ctx);
        }
    }

    /// Somebody has opened this ballot. A proposer abandons its own if that was before it, and waits a while.
    pub(super) fn lose(&mut self, decree: Key, to: Ballot, ctx: &mut Ctx<'_, Self>) {
        let (min, max) = self.config.backoff;
        let proposer = &mut self.instance(decree).proposer;
        if proposer.stage.ballot().is_none_or(|own| own >= to) {
            return;
        }
        proposer.seen = proposer.seen.max(to.round);
        proposer.stage = Stage::Waiting;
        let wait = ctx.dice().between(min, max) << proposer.lost.min(DOUBLINGS_MAX);
        proposer.lost = proposer.lost.saturating_add(1);
        ctx.arm(Timer(decree), wait);
    }

    /// A while is over: it opens another ballot, or asks those again who have not answered.
    pub(super) fn on_alarm(&mut self, decree: Key, ctx: &mut Ctx<'_, Self>) {
        let (message, answered) = match &self.instance(decree).proposer.stage {
            Stage::Idle => return,
            Stage::Waiting => return self.open_ballot(decree, ctx),
            Stage::Preparing { ballot, promises } => {
                (Message::Prepare { decree, ballot: *ballot }, promises.iter().map(|(node, _)| *node).collect())
            }
            Stage::Proposing { vote } => {
                let vote = vote.clone();
                (Message::Accept { decree, vote: vote.clone() }, self.voters(decree, vote.ballot))
            }
        };
        self.send_others(&answered, &message, ctx);
        ctx.arm(Timer(decree), self.config.resend);
    }
}

impl Stage {
    /// The ballot under way.
    fn ballot(&self) -> Option<Ballot> {
        match self {
            Stage::Idle | Stage::Waiting => None,
            Stage::Preparing { ballot, .. } => Some(*ballot),
            Stage::Proposing { vote } => Some(vote.ballot),
        }
    }
}
