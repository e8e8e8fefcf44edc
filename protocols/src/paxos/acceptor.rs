//! Acceptors: who promise, vote, and remember (2.2).
//!
//! An acceptor is asked two things and has two lines to remember for each decree: the highest ballot it has promised to, and
//! its latest vote. "An acceptor can accept a proposal numbered n if and only if it has not responded to a prepare request
//! having a number greater than n" (P1a). A crash must not undo that, so both lines are on disk before the answer leaves
//! (2.5 calls it stable storage). Whatever was asked twice is answered twice, with the same words.
//!
//! Who knows the decision answers with it instead: it is the end of the matter.

use super::flaws::{ACCEPTS_OLD_BALLOTS, FORGETFUL_ACCEPTOR};
use super::{Ballot, Learners, Message, Paxos, Vote};
use history::Key;
use serde::Serialize;
use sim_core::protocol::{Ctx, NodeId, Slot};
use std::collections::BTreeMap;

/// What an acceptor remembers of a decree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Acceptor {
    /// It takes no part in ballots before this one. On disk before anybody hears of it.
    pub promised: Option<Ballot>,
    /// Its vote in the latest ballot in which it has voted. On disk before anybody hears of it.
    pub accepted: Option<Vote>,
}

/// What goes to the journal. A record says what is true from then on and speaks for itself, so reading one again, or old ones
/// beside a snapshot that was not finished, changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Record {
    /// A promise.
    Promised {
        /// About which decree.
        decree: Key,
        /// To this ballot.
        ballot: Ballot,
    },
    /// A vote, and with it a promise to its ballot.
    Accepted {
        /// About which decree.
        decree: Key,
        /// Which.
        vote: Vote,
    },
}

/// What a journal says.
pub(super) struct Found {
    pub acceptors: BTreeMap<Key, Acceptor>,
    /// So many slots, the first, read back.
    pub readable: usize,
}

/// Reads a journal up to the first slot that does not read back.
pub(super) fn replay(journal: &[Slot<Record>]) -> Found {
    let mut acceptors: BTreeMap<Key, Acceptor> = BTreeMap::new();
    let mut readable = 0;
    for slot in journal {
        let Slot::Ok(record) = slot else { break };
        match record {
            Record::Promised { decree, ballot } => {
                let acceptor = acceptors.entry(*decree).or_default();
                acceptor.promised = acceptor.promised.max(Some(*ballot));
            }
            Record::Accepted { decree, vote } => {
                let acceptor = acceptors.entry(*decree).or_default();
                acceptor.promised = acceptor.promised.max(Some(vote.ballot));
                acceptor.accepted = Some(vote.clone());
            }
        }
        readable += 1;
    }
    Found { acceptors, readable }
}

impl Acceptor {
    /// Both lines as records.
    fn records(&self, decree: Key) -> impl Iterator<Item = Record> + use<> {
        let accepted = self.accepted.clone().map(|vote| Record::Accepted { decree, vote });
        let promised = self.promised.map(|ballot| Record::Promised { decree, ballot });
        promised.into_iter().chain(accepted)
    }
}

impl Paxos {
    /// Phase 1b: "if an acceptor receives a prepare request with number n greater than that of any prepare request to which
    /// it has already responded, then it responds to the request with a promise not to accept any more proposals numbered
    /// less than n and with the highest-numbered proposal (if any) that it has accepted" (2.2).
    pub(super) fn on_prepare(&mut self, from: NodeId, decree: Key, ballot: Ballot, ctx: &mut Ctx<'_, Self>) {
        if let Some(chosen) = self.knows_decision(decree) {
            return self.send(from, chosen, ctx);
        }
        let promised = self.instance(decree).acceptor.promised;
        if promised > Some(ballot) {
            return self.refuse(from, decree, ballot, promised, ctx);
        }
        self.promise(decree, ballot, ctx);
        let accepted = self.instance(decree).acceptor.accepted.clone();
        self.send(from, Message::Promise { decree, ballot, accepted }, ctx);
        self.lose(decree, ballot, ctx);
    }

    /// Phase 2b: "if an acceptor receives an accept request for a proposal numbered n, it accepts the proposal unless it has
    /// already responded to a prepare request having a number greater than n" (2.2).
    pub(super) fn on_accept(&mut self, from: NodeId, decree: Key, vote: Vote, ctx: &mut Ctx<'_, Self>) {
        if let Some(chosen) = self.knows_decision(decree) {
            return self.send(from, chosen, ctx);
        }
        let promised = self.instance(decree).acceptor.promised;
        // The mistake P04: what was promised counts in phase 1 only.
        if promised > Some(vote.ballot) && !self.config.flaws.has(&ACCEPTS_OLD_BALLOTS) {
            return self.refuse(from, decree, vote.ballot, promised, ctx);
        }
        self.accept(decree, &vote, ctx);
        self.tell_learners(from, decree, &vote, ctx);
        self.lose(decree, vote.ballot, ctx);
        self.hear_vote(self.me, decree, vote, ctx);
    }

    /// Promises, in memory and on disk. A ballot already promised to was written down then.
    pub(super) fn promise(&mut self, decree: Key, ballot: Ballot, ctx: &mut Ctx<'_, Self>) {
        let acceptor = &mut self.instance(decree).acceptor;
        if acceptor.promised < Some(ballot) {
            acceptor.promised = Some(ballot);
            self.write(Record::Promised { decree, ballot }, ctx);
        }
    }

    /// Votes, in memory and on disk.
    pub(super) fn accept(&mut self, decree: Key, vote: &Vote, ctx: &mut Ctx<'_, Self>) {
        let acceptor = &mut self.instance(decree).acceptor;
        if acceptor.accepted.as_ref() != Some(vote) {
            acceptor.promised = acceptor.promised.max(Some(vote.ballot));
            acceptor.accepted = Some(vote.clone());
            self.write(Record::Accepted { decree, vote: vote.clone() }, ctx);
        }
    }

    /// "A proposer abandons a proposal if some proposer has begun trying to issue a higher-numbered one", and an acceptor that
    /// ignores a request "should probably inform the proposer" (end of 2.2).
    fn refuse(&mut self, from: NodeId, decree: Key, ballot: Ballot, promised: Option<Ballot>, ctx: &mut Ctx<'_, Self>) {
        let Some(promised) = promised else { return };
        self.send(from, Message::Nack { decree, ballot, promised }, ctx);
    }

    /// Who learns of a vote from the acceptor itself (2.3).
    pub(super) fn tell_learners(&self, proposer: NodeId, decree: Key, vote: &Vote, ctx: &mut Ctx<'_, Self>) {
        let accepted = Message::Accepted { decree, vote: vote.clone() };
        match self.config.learners {
            Learners::All => self.send_others(&[], &accepted, ctx),
            Learners::Distinguished if proposer != self.me => self.send(proposer, accepted, ctx),
            Learners::Distinguished => {}
        }
    }

    fn knows_decision(&mut self, decree: Key) -> Option<Message> {
        let value = self.instance(decree).learner.chosen()?.clone();
        Some(Message::Chosen { decree, value })
    }

    /// Writes a record down; what leaves after it waits for it. When most of the journal is out of date, what is left of it
    /// takes its place.
    fn write(&mut self, record: Record, ctx: &mut Ctx<'_, Self>) {
        if self.config.flaws.has(&FORGETFUL_ACCEPTOR) {
            // The mistake P01: it is in memory, and that is enough.
            return;
        }
        ctx.persist(record);
        self.records += 1;
        let live = 2 * self.decrees.len() as u64;
        if self.config.compact_after > 0 && self.records >= self.config.compact_after.max(2 * live) {
            let records: Vec<Record> =
                self.decrees.iter().flat_map(|(decree, instance)| instance.acceptor.records(*decree)).collect();
            self.records = records.len() as u64;
            ctx.snapshot(records);
        }
    }
}
