//! What must hold after every step.
//!
//! The laws look on from outside: no rule of the protocol reads them, and they read no flaw. They keep registers:
//!
//! - who led in which ballot;
//! - of every slot and ballot, what was accepted there, and by whom. A ballot has one command a slot; and whatever somebody
//!   executes must have been accepted by a quorum in one ballot, whoever that is and whatever became of it since;
//! - of every slot what was first seen executed there. Whoever executes anything else has broken agreement. So this is the one
//!   true log, and executing it makes the one true machine, with which every snapshot is compared (`crate::truth`);
//! - who decides which slot, as the true log says. A quorum of these it takes, whatever a node believes.
//!
//! An acceptor's memory runs ahead of its disk, so what the laws see accepted may be forgotten again, when nobody has heard of
//! it. They take it as necessary for a choice, not as enough: what is chosen they learn from those who execute it.

use super::log::{Command, Entry, Slot, Value};
use super::members::{Membership, Succession};
use super::{Ballot, MultiPaxos, Role};
use crate::truth::Truth;
use history::Object;
use sim_core::laws::{Breach, Laws, Nodes};
use sim_core::protocol::NodeId;
use std::collections::BTreeMap;

const AGREEMENT: &str = "agreement";
const CHOSEN_BY_A_QUORUM: &str = "chosen by a quorum";
const ONE_COMMAND_A_BALLOT: &str = "one command a ballot";
const ONE_LEADER_A_BALLOT: &str = "one leader a ballot";
const LEADER_COMPLETENESS: &str = "leader completeness";
const PROMISE_NEVER_FALLS: &str = "promise never falls";
const ACCEPTED_WITHIN_PROMISE: &str = "accepted within promise";
const EXECUTED_NEVER_RETREATS: &str = "executed never retreats";
const TRUNCATED_WITHIN_SNAPSHOT: &str = "truncated within snapshot";
const WITHIN_THE_WINDOW: &str = "within the window";
const MEMBERSHIPS_AGREE: &str = "memberships agree";
const SNAPSHOT_IS_THE_STATE: &str = "snapshot is the state";

/// Multi-Paxos's laws, and what they remember.
#[derive(Clone, Debug)]
pub struct MultiPaxosLaws<O: Object> {
    /// By node id: what it was like when last looked at.
    seen: Vec<Seen>,
    /// Who led in each ballot.
    leaders: BTreeMap<Ballot, NodeId>,
    /// Slot number `i` at position `i - 1`: what was accepted there, in which ballots.
    accepted: Vec<Vec<Line<O::Op>>>,
    /// Slot number `i` at position `i - 1`: what was executed there.
    chosen: Vec<Chosen<O::Op>>,
    /// Who decides which slot. Empty until the first node starts.
    members: Succession,
    truth: Truth<O>,
}

/// What the laws compare between two steps of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    promised: Ballot,
    leads: Option<Ballot>,
    /// How many have promised it in phase 1.
    promises: usize,
    writes: u64,
    executed: Slot,
    base: Slot,
    snapshot: Slot,
}

/// What was accepted in a slot in a ballot.
#[derive(Clone, Debug)]
struct Line<Op> {
    ballot: Ballot,
    value: Value<Op>,
    by: Vec<NodeId>,
}

/// What was executed in a slot, its time never before that of the slot before.
#[derive(Clone, Debug)]
struct Chosen<Op> {
    value: Value<Op>,
    /// A ballot in which a quorum had accepted it.
    ballot: Ballot,
    time: u64,
}

impl Seen {
    const NOTHING: Seen =
        Seen { promised: Ballot::ZERO, leads: None, promises: 0, writes: 0, executed: 0, base: 0, snapshot: 0 };

    #[inline]
    fn of<O: Object>(node: &MultiPaxos<O>) -> Self {
        let promises = match &node.role {
            Role::Leader(leadership) => leadership.promised().len(),
            Role::Follower | Role::Candidate(_) => 0,
        };
        Seen {
            promised: node.promised,
            leads: node.is_leader().then_some(node.ballot),
            promises,
            writes: node.log.writes(),
            executed: node.executed.slot,
            base: node.log.base(),
            snapshot: node.snapshot_slot(),
        }
    }
}

impl<O: Object> Laws<MultiPaxos<O>> for MultiPaxosLaws<O> {
    const NAMES: &'static [&'static str] = &[
        AGREEMENT,
        CHOSEN_BY_A_QUORUM,
        ONE_COMMAND_A_BALLOT,
        ONE_LEADER_A_BALLOT,
        LEADER_COMPLETENESS,
        PROMISE_NEVER_FALLS,
        ACCEPTED_WITHIN_PROMISE,
        EXECUTED_NEVER_RETREATS,
        TRUNCATED_WITHIN_SNAPSHOT,
        WITHIN_THE_WINDOW,
        MEMBERSHIPS_AGREE,
        SNAPSHOT_IS_THE_STATE,
    ];

    fn new(nodes: usize) -> Self {
        let (leaders, seen) = (BTreeMap::new(), vec![Seen::NOTHING; nodes]);
        MultiPaxosLaws {
            seen,
            leaders,
            accepted: Vec::new(),
            chosen: Vec::new(),
            members: Vec::new(),
            truth: Truth::default(),
        }
    }

    fn after_start(&mut self, node: NodeId, nodes: &Nodes<'_, MultiPaxos<O>>) -> Result<(), Breach> {
        self.seen[node.0 as usize] = Seen::NOTHING;
        if let Some(paxos) = nodes.get(node).filter(|_| self.members.is_empty()) {
            let founders = paxos.config.founders(self.seen.len()) as u32;
            self.members.push((1, Membership::of((0..founders).map(NodeId))));
        }
        self.after_step(node, nodes)
    }

    #[inline]
    fn after_step(&mut self, node: NodeId, nodes: &Nodes<'_, MultiPaxos<O>>) -> Result<(), Breach> {
        let Some(paxos) = nodes.get(node) else { return Ok(()) };
        let before = self.seen[node.0 as usize];
        let now = Seen::of(paxos);
        if now == before {
            return Ok(());
        }
        self.seen[node.0 as usize] = now;
        let step = Step { paxos, before, now };
        step.nothing_falls()?;
        step.truncated_within_snapshot()?;
        step.within_the_window()?;
        // A cause before its consequences: two leaders of a ballot propose two commands in it.
        let comes_to_lead = now.leads.filter(|ballot| before.leads != Some(*ballot));
        if let Some(ballot) = comes_to_lead {
            self.one_leader_a_ballot(ballot, &step)?;
        }
        if now.writes != before.writes {
            step.accepted_within_promise()?;
            self.enter_accepted(&step)?;
        }
        self.enter_executed(&step)?;
        if now.executed != before.executed {
            self.memberships_agree(&step)?;
        }
        if now.snapshot != before.snapshot {
            self.snapshot_is_the_state(&step)?;
        }
        // Once when it comes to lead, and again when new members have promised.
        match now.leads.filter(|_| comes_to_lead.is_some() || now.promises != before.promises) {
            Some(ballot) => self.leader_completeness(ballot, &step),
            None => Ok(()),
        }
    }
}

/// A node before and after.
struct Step<'a, O: Object> {
    paxos: &'a MultiPaxos<O>,
    before: Seen,
    now: Seen,
}

impl<O: Object> Step<'_, O> {
    fn breach(&self, law: &'static str, what: String) -> Breach {
        Breach { law, detail: format!("{} {what}", self.paxos.me) }
    }

    /// While a process lives its promise rises (P1a rests on it), and so does what it has executed.
    fn nothing_falls(&self) -> Result<(), Breach> {
        let Step { before, now, .. } = self;
        if now.promised < before.promised {
            let what = format!("had promised {:?} and now {:?}", before.promised, now.promised);
            return Err(self.breach(PROMISE_NEVER_FALLS, what));
        }
        if now.executed < before.executed {
            let what = format!("had executed {} slots and now {}", before.executed, now.executed);
            return Err(self.breach(EXECUTED_NEVER_RETREATS, what));
        }
        Ok(())
    }

    /// What is gone a snapshot stands for.
    fn truncated_within_snapshot(&self) -> Result<(), Breach> {
        if self.now.base <= self.now.snapshot && self.now.snapshot <= self.now.executed {
            return Ok(());
        }
        let Seen { base, snapshot, executed, .. } = self.now;
        let what = format!("dropped {base} slots with a snapshot of {snapshot}, and has executed {executed}");
        Err(self.breach(TRUNCATED_WITHIN_SNAPSHOT, what))
    }

    /// "A leader … can propose commands i+1 through i+α after commands 1 through i are chosen" (PMS 3).
    fn within_the_window(&self) -> Result<(), Breach> {
        let Role::Leader(leadership) = &self.paxos.role else { return Ok(()) };
        let (last, end) = (leadership.proposed(), self.now.executed + self.paxos.config.window);
        if last <= end || self.paxos.config.window == u64::MAX {
            return Ok(());
        }
        Err(self.breach(WITHIN_THE_WINDOW, format!("has proposed up to slot {last}, and its window ends at {end}")))
    }

    /// What was accepted and is not known to be chosen was accepted in no ballot above the promise.
    fn accepted_within_promise(&self) -> Result<(), Breach> {
        let promised = self.now.promised;
        let beyond = self.paxos.log.from(self.now.executed + 1).find(|(_, entry)| entry.ballot > promised);
        let Some((slot, entry)) = beyond else { return Ok(()) };
        let what = format!("has accepted slot {slot} in {:?} and promised only {promised:?}", entry.ballot);
        Err(self.breach(ACCEPTED_WITHIN_PROMISE, what))
    }
}

impl<O: Object> MultiPaxosLaws<O> {
    /// Ballots are their proposers' own (PMS 2.2).
    fn one_leader_a_ballot(&mut self, ballot: Ballot, step: &Step<'_, O>) -> Result<(), Breach> {
        let me = step.paxos.me;
        let first = *self.leaders.entry(ballot).or_insert(me);
        if first == me {
            return Ok(());
        }
        Err(step.breach(ONE_LEADER_A_BALLOT, format!("leads in ballot {ballot:?}, in which {first} has led")))
    }

    /// A ballot has one command a slot. Enters what is new; what is not executed yet was accepted, not only heard of.
    fn enter_accepted(&mut self, step: &Step<'_, O>) -> Result<(), Breach> {
        let me = step.paxos.me;
        for (slot, entry) in step.paxos.log.from(step.before.executed + 1) {
            let lines = self.lines(slot);
            let line = match lines.iter().position(|line| line.ballot == entry.ballot) {
                Some(position) => &mut lines[position],
                None => {
                    lines.push(Line { ballot: entry.ballot, value: entry.value.clone(), by: Vec::new() });
                    lines.last_mut().expect("just entered")
                }
            };
            if line.value != entry.value {
                let what =
                    format!("has another command in slot {slot} and ballot {:?} than a node before it", entry.ballot);
                return Err(step.breach(ONE_COMMAND_A_BALLOT, what));
            }
            if slot > step.now.executed && !line.by.contains(&me) {
                line.by.push(me);
            }
        }
        Ok(())
    }

    fn lines(&mut self, slot: Slot) -> &mut Vec<Line<O::Op>> {
        let position = slot as usize - 1;
        if self.accepted.len() <= position {
            self.accepted.resize_with(position + 1, Vec::new);
        }
        &mut self.accepted[position]
    }

    /// "Only a single value is chosen" (PMS 2.1): what a node executes is what was executed there before, and if it is the first,
    /// what a quorum has accepted.
    fn enter_executed(&mut self, step: &Step<'_, O>) -> Result<(), Breach> {
        for slot in step.before.executed + 1..=step.now.executed {
            let entry = step.paxos.log.get(slot);
            if slot > self.chosen.len() as Slot {
                let chosen = self.choice(slot, entry, step)?;
                if let Command::Members(membership) = &chosen.value.command {
                    self.members.push((slot + step.paxos.config.window, (**membership).clone()));
                }
                self.chosen.push(chosen);
                continue;
            }
            let first = &self.chosen[slot as usize - 1];
            if entry.is_some_and(|entry| entry.value != first.value) {
                let what = format!("executed another command in slot {slot} than a node before it");
                return Err(step.breach(AGREEMENT, what));
            }
        }
        Ok(())
    }

    /// What a quorum has accepted in this slot, in the highest such ballot: a lower one may have been forgotten again. The node
    /// that executes it may have dropped its own copy in the same step.
    fn choice(&self, slot: Slot, own: Option<&Entry<O::Op>>, step: &Step<'_, O>) -> Result<Chosen<O::Op>, Breach> {
        let acceptors = &self.members_of(slot).acceptors;
        let quorums = step.paxos.config.quorums_of(acceptors.len());
        let lines = self.accepted.get(slot as usize - 1).map_or(&[][..], |lines| lines);
        let is_own = |line: &&Line<O::Op>| own.is_none_or(|entry| entry.value == line.value);
        let is_decided = |line: &&Line<O::Op>| quorums.is_phase2(acceptors, |node| line.by.contains(&node));
        let decided = lines.iter().filter(is_own).filter(is_decided).max_by_key(|line| line.ballot);
        let Some(Line { ballot, value, .. }) = decided else {
            let what = format!("executed slot {slot}, which no quorum has accepted so in one ballot");
            return Err(step.breach(CHOSEN_BY_A_QUORUM, what));
        };
        let before = self.chosen.last().map_or(0, |chosen| chosen.time);
        Ok(Chosen { value: value.clone(), ballot: *ballot, time: before.max(value.time) })
    }

    /// Who decides this slot.
    fn members_of(&self, slot: Slot) -> &Membership {
        let upto = self.members.partition_point(|(first, _)| *first <= slot).max(1);
        &self.members[upto - 1].1
    }

    /// "The state after command i determines who executes instance i+α" (PMS 3): what a node holds is what the true log says
    /// of the slots that are open for it.
    fn memberships_agree(&self, step: &Step<'_, O>) -> Result<(), Breach> {
        let first = step.now.executed + 1;
        let from = self.members.partition_point(|(from, _)| *from <= first).max(1) - 1;
        let upto = self.members.partition_point(|(from, _)| *from < first + step.paxos.config.window);
        let known = step.paxos.members.known();
        if known[..] == self.members[from..upto] {
            return Ok(());
        }
        let what =
            format!("holds {known:?} for the open slots from {first} on, and others {:?}", &self.members[from..upto]);
        Err(step.breach(MEMBERSHIPS_AGREE, what))
    }

    /// "P2b. If a proposal with value v is chosen, then every higher-numbered proposal issued by any proposer has value v"
    /// (PMS 2.2): looked at when phase 1 is over. What was chosen in lower ballots the leader has, or is about to propose.
    fn leader_completeness(&self, ballot: Ballot, step: &Step<'_, O>) -> Result<(), Breach> {
        let Role::Leader(leadership) = &step.paxos.role else { return Ok(()) };
        let executed = step.now.executed;
        // Behind this slot it proposes nothing yet: who decides there it may not know, and has not asked.
        let end = step.paxos.leads_up_to().min(executed.saturating_add(step.paxos.config.window));
        for (slot, chosen) in (executed + 1..=end).zip(self.chosen.get(executed as usize..).unwrap_or_default()) {
            let held = step.paxos.log.get(slot).filter(|entry| entry.ballot == ballot).map(|entry| &entry.value);
            if chosen.ballot < ballot && held.or(leadership.adopted(slot)) != Some(&chosen.value) {
                let was = chosen.ballot;
                let what = format!("leads in ballot {ballot:?} without what was chosen in slot {slot} in {was:?}");
                return Err(step.breach(LEADER_COMPLETENESS, what));
            }
        }
        Ok(())
    }

    /// A snapshot is what executing the slots up to its last makes, whoever took it and however it came here.
    fn snapshot_is_the_state(&mut self, step: &Step<'_, O>) -> Result<(), Breach> {
        let Some(snapshot) = &step.paxos.snapshot else { return Ok(()) };
        let slot = snapshot.last.slot;
        let chosen = &self.chosen;
        let command = |slot: Slot| -> Option<(u64, &Command<O::Op>)> {
            let chosen = chosen.get(slot as usize - 1)?;
            Some((chosen.time, &chosen.value.command))
        };
        match self.truth.at(slot, step.paxos.rules(), command) {
            Some(truth) if *truth == snapshot.contents.read::<O>() => Ok(()),
            Some(_) => {
                let what = format!("has a snapshot of slot {slot} that is not what the slots up to there make");
                Err(step.breach(SNAPSHOT_IS_THE_STATE, what))
            }
            None => {
                let what = format!("has a snapshot of slot {slot}, which nobody was seen to execute");
                Err(step.breach(SNAPSHOT_IS_THE_STATE, what))
            }
        }
    }
}
