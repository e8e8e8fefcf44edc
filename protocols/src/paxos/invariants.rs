//! What must hold after every step.
//!
//! The laws look on from outside: no rule of the protocol reads them, and they read no flaw. They keep a *ledger* of each decree,
//! as a clerk would who can look over every acceptor's shoulder: who has voted for what in which ballot. When a quorum has
//! voted in one ballot, that is the decision, whoever knows of it (2.1, 2.2).
//!
//! **A vote counts when it cannot be undone.** Memory runs ahead of the disk, so one that only its acceptor knows of can be gone
//! after a crash as if it had never been, and is taken out of the ledger again. One that somebody else has heard of has left
//! its node, and stays, whatever that node remembers. A proposer's own vote has left it when anybody else votes in its
//! ballot.

use super::{Ballot, Instance, Latest, Paxos, Vote};
use history::{Key, Value};
use sim_core::laws::{Breach, Laws, Nodes};
use sim_core::protocol::NodeId;
use std::collections::BTreeMap;

const AGREEMENT: &str = "agreement";
const VALIDITY: &str = "validity";
const ONE_VALUE_PER_BALLOT: &str = "one value per ballot";
const CHOSEN_IS_KEPT: &str = "chosen is kept";
const PROMISES_RISE: &str = "promises rise";
const LEARNT_IS_CHOSEN: &str = "learnt is chosen";

/// The laws of Paxos, and what they remember.
#[derive(Clone, Debug)]
pub struct PaxosLaws {
    ledgers: BTreeMap<Key, Ledger>,
    /// By node id: what it had promised, since it began.
    promised: Vec<BTreeMap<Key, Ballot>>,
}

/// What is known of one decree.
#[derive(Clone, Debug, Default)]
struct Ledger {
    /// What clients have proposed.
    proposed: Vec<Value>,
    votes: BTreeMap<Ballot, Votes>,
    /// The first ballot in which a value was chosen.
    chosen: Option<Vote>,
}

/// The votes in one ballot.
#[derive(Clone, Debug)]
struct Votes {
    value: Value,
    voters: BTreeMap<NodeId, Heard>,
}

/// Whether anybody else knows of a vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    No,
    Yes,
}

impl Laws<Paxos> for PaxosLaws {
    const NAMES: &'static [&'static str] =
        &[AGREEMENT, VALIDITY, ONE_VALUE_PER_BALLOT, CHOSEN_IS_KEPT, PROMISES_RISE, LEARNT_IS_CHOSEN];

    fn new(nodes: usize) -> Self {
        PaxosLaws { ledgers: BTreeMap::new(), promised: vec![BTreeMap::new(); nodes] }
    }

    /// What its journal kept is what it remembers; what only it knew of beyond that never was.
    fn after_start(&mut self, node: NodeId, nodes: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        let Some(paxos) = nodes.get(node) else { return Ok(()) };
        self.promised[node.0 as usize].clear();
        for (decree, ledger) in &mut self.ledgers {
            let accepted = paxos.decrees.get(decree).and_then(|instance| instance.acceptor.accepted.as_ref());
            ledger.forget(paxos, accepted.map(|vote| vote.ballot));
        }
        for (decree, instance) in &paxos.decrees {
            self.look(paxos, *decree, instance)?;
        }
        Ok(())
    }

    #[inline]
    fn after_step(&mut self, node: NodeId, nodes: &Nodes<'_, Paxos>) -> Result<(), Breach> {
        let Some(paxos) = nodes.get(node) else { return Ok(()) };
        let Some(Latest { decree, proposed, heard }) = &paxos.latest else { return Ok(()) };
        let ledger = self.ledgers.entry(*decree).or_default();
        if let Some(value) = proposed.as_ref().filter(|value| !ledger.proposed.contains(value)) {
            ledger.proposed.push(value.clone());
        }
        match heard {
            Some((voter, Some(vote))) => {
                ledger.vote(paxos, vote, *voter, Heard::Yes).map_err(|broken| breach(paxos, *decree, broken))?;
            }
            Some((voter, None)) => ledger.hear_of_decision(*voter),
            None => {}
        }
        paxos.decrees.get(decree).map_or(Ok(()), |instance| self.look(paxos, *decree, instance))
    }
}

impl PaxosLaws {
    /// Looks at one decree on one node.
    fn look(&mut self, paxos: &Paxos, decree: Key, instance: &Instance) -> Result<(), Breach> {
        self.promises_rise(paxos, decree, instance.acceptor.promised)?;
        let ledger = self.ledgers.entry(decree).or_default();
        if let Some(vote) = &instance.acceptor.accepted {
            ledger.vote(paxos, vote, paxos.me, Heard::No).map_err(|broken| breach(paxos, decree, broken))?;
        }
        let learnt = instance.learner.chosen();
        learnt.map_or(Ok(()), |value| ledger.learnt_is_chosen(value)).map_err(|broken| breach(paxos, decree, broken))
    }

    /// What was promised is kept, while a process lives (P1a, 2.2).
    fn promises_rise(&mut self, paxos: &Paxos, decree: Key, promised: Option<Ballot>) -> Result<(), Breach> {
        let before = &mut self.promised[paxos.me.0 as usize];
        let Some(promised) = promised else { return Ok(()) };
        match before.insert(decree, promised) {
            Some(before) if before > promised => {
                let detail = format!("{} had promised {before:?} and now {promised:?}, decree k{decree}", paxos.me);
                Err(Breach { law: PROMISES_RISE, detail })
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// A law that does not hold, and what happened.
type Broken = (&'static str, String);

fn breach(paxos: &Paxos, decree: Key, (law, what): Broken) -> Breach {
    Breach { law, detail: format!("{} {what}, decree k{decree}", paxos.me) }
}

impl Ledger {
    /// Enters a vote.
    fn vote(&mut self, paxos: &Paxos, vote: &Vote, voter: NodeId, heard: Heard) -> Result<(), Broken> {
        let Vote { ballot, value } = vote;
        let votes =
            self.votes.entry(*ballot).or_insert_with(|| Votes { value: value.clone(), voters: BTreeMap::new() });
        if votes.value != *value {
            let what =
                format!("knows of a vote for {value} in ballot {ballot:?}, in which {} was put to it", votes.value);
            return Err((ONE_VALUE_PER_BALLOT, what));
        }
        let before = votes.voters.get(&voter).copied();
        if before == Some(heard) || before == Some(Heard::Yes) {
            return Ok(());
        }
        votes.voters.insert(voter, heard);
        if voter != ballot.node {
            votes.voters.entry(ballot.node).and_modify(|proposer| *proposer = Heard::Yes);
        }
        if before.is_some() {
            return Ok(());
        }
        if !self.proposed.contains(value) {
            return Err((VALIDITY, format!("knows of a vote for {value}, which nobody has proposed")));
        }
        self.settle(paxos, vote)
    }

    /// This voter says that something is decided: its own vote for that left it before, or with it.
    fn hear_of_decision(&mut self, voter: NodeId) {
        let Some(Vote { ballot, .. }) = &self.chosen else { return };
        let votes = self.votes.get_mut(ballot).expect("what is chosen was voted for");
        votes.voters.entry(voter).and_modify(|heard| *heard = Heard::Yes);
    }

    /// Somebody has voted: perhaps that has chosen a value.
    fn settle(&mut self, paxos: &Paxos, vote: &Vote) -> Result<(), Broken> {
        let is_chosen = self.votes[&vote.ballot].is_chosen(paxos);
        match &self.chosen {
            Some(chosen) if is_chosen && chosen.value != vote.value => {
                let Vote { ballot, value } = chosen;
                let what = format!(
                    "knows that {} is chosen in ballot {:?}, and {value} was in {ballot:?}",
                    vote.value, vote.ballot
                );
                return Err((AGREEMENT, what));
            }
            Some(chosen) if chosen.ballot <= vote.ballot => {}
            Some(_) | None if is_chosen => self.chosen = Some(vote.clone()),
            Some(_) | None => {}
        }
        self.chosen_is_kept()
    }

    /// "If a proposal with value v is chosen, then every higher-numbered proposal accepted by any acceptor has value v" (P2a,
    /// 2.2).
    fn chosen_is_kept(&self) -> Result<(), Broken> {
        let Some(Vote { ballot, value }) = &self.chosen else { return Ok(()) };
        match self.votes.range(ballot..).find(|(_, votes)| votes.value != *value) {
            Some((later, votes)) => {
                let other = &votes.value;
                Err((
                    CHOSEN_IS_KEPT,
                    format!("knows of a vote for {other} in {later:?}, and {value} was chosen in {ballot:?}"),
                ))
            }
            None => Ok(()),
        }
    }

    /// "A process never learns that a value has been chosen unless it actually has been" (2.1).
    fn learnt_is_chosen(&self, learnt: &Value) -> Result<(), Broken> {
        match &self.chosen {
            Some(chosen) if chosen.value == *learnt => Ok(()),
            Some(chosen) => Err((LEARNT_IS_CHOSEN, format!("has learnt {learnt}, and {} was chosen", chosen.value))),
            None => Err((LEARNT_IS_CHOSEN, format!("has learnt {learnt}, which no ballot has chosen"))),
        }
    }

    /// A node has begun again: of its votes in ballots after its latest nobody has heard.
    fn forget(&mut self, paxos: &Paxos, latest: Option<Ballot>) {
        let mut has_changed = false;
        for (_, votes) in self.votes.iter_mut().filter(|(ballot, _)| Some(**ballot) > latest) {
            if votes.voters.get(&paxos.me) == Some(&Heard::No) {
                votes.voters.remove(&paxos.me);
                has_changed = true;
            }
        }
        if has_changed {
            self.votes.retain(|_, votes| !votes.voters.is_empty());
            let chosen = self.votes.iter().find(|(_, votes)| votes.is_chosen(paxos));
            self.chosen = chosen.map(|(ballot, votes)| Vote { ballot: *ballot, value: votes.value.clone() });
        }
    }
}

impl Votes {
    fn is_chosen(&self, paxos: &Paxos) -> bool {
        paxos.is_phase2(|node| self.voters.contains_key(&node))
    }
}
