//! Who takes part in which slot, and which of them can answer for all ("Reconfiguring a State Machine", Lamport, Malkhi & Zhou
//! 2010, section 3).
//!
//! Who decides is part of the state that the commands make: "the set of servers that execute instance i+α of the consensus
//! algorithm \[is] specified by the state after execution of the ith state machine command" (PMS 3). So a membership that slot
//! s chooses decides from slot s+α on, and α is the `window`: nobody proposes for a slot before the slot α before it is executed,
//! and by then knows who decides it. No two memberships ever decide the same slot. So they need have no quorum in common, as
//! Raft's must, nor anybody at all: what they share is the log, which is chosen up to where the later one begins.

use super::flaws::CHANGE_IN_FORCE_AT_ONCE;
use super::log::Slot;
use super::{Command, MultiPaxosConfig};
use crate::quorum::Quorums;
use serde::Serialize;
use sim_core::protocol::NodeId;

/// The acceptors, in the order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// They decide.
    pub acceptors: Vec<NodeId>,
}

/// Memberships, each with the first slot that it decides. These rise; a membership ends where the next begins.
pub type Succession = Vec<(Slot, Membership)>;

/// Who the acceptors of each slot are, from the first open slot on.
#[derive(Clone, Debug)]
pub struct Members {
    /// Never empty. The first decides the first open slot.
    known: Succession,
    /// Everybody in them.
    everybody: Vec<NodeId>,
    config: MultiPaxosConfig,
}

/// Those who decide a slot, and how many of them it takes.
#[derive(Clone, Copy, Debug)]
pub struct Quorum<'a> {
    /// The acceptors.
    pub acceptors: &'a [NodeId],
    quorums: Quorums,
}

impl Membership {
    /// These, each once.
    pub fn of(acceptors: impl IntoIterator<Item = NodeId>) -> Self {
        let mut acceptors: Vec<NodeId> = acceptors.into_iter().collect();
        acceptors.sort_unstable();
        acceptors.dedup();
        Membership { acceptors }
    }
}

impl Members {
    /// As these memberships say.
    pub fn new(known: Succession, config: &MultiPaxosConfig) -> Self {
        let mut members = Members { known, everybody: Vec::new(), config: config.clone() };
        members.list_everybody();
        members
    }

    /// Who decides this slot, which is open. The one place that knows.
    pub fn quorum_of(&self, slot: Slot) -> Quorum<'_> {
        let (_, membership) = if self.config.flaws.has(&CHANGE_IN_FORCE_AT_ONCE) {
            // The mistake P09: the latest, although what is in flight was begun under another.
            self.latest()
        } else {
            let upto = self.known.partition_point(|(first, _)| *first <= slot).max(1);
            &self.known[upto - 1]
        };
        let acceptors = &membership.acceptors;
        Quorum { acceptors, quorums: self.config.quorums_of(acceptors.len()) }
    }

    /// Whoever decides any of these slots, which are open: each membership once.
    pub fn quorums_between(&self, first: Slot, last: Slot) -> impl Iterator<Item = Quorum<'_>> {
        let begun_within =
            self.known.iter().map(|(begins, _)| *begins).filter(move |begins| first < *begins && *begins <= last);
        std::iter::once(first).chain(begun_within).map(|slot| self.quorum_of(slot))
    }

    /// Everybody who decides some open slot.
    pub fn everybody(&self) -> &[NodeId] {
        &self.everybody
    }

    /// Whether this node decides some open slot.
    pub fn includes(&self, node: NodeId) -> bool {
        self.everybody.contains(&node)
    }

    /// The memberships of the open slots.
    pub fn known(&self) -> &Succession {
        &self.known
    }

    /// The last one known, and its first slot.
    pub fn latest(&self) -> &(Slot, Membership) {
        self.known.last().expect("never empty")
    }

    /// The last slot before the first one whose acceptors have not answered a phase 1 in a quorum; [`Slot::MAX`] if all that are
    /// known have.
    pub fn answered_up_to(&self, answered: impl Fn(NodeId) -> bool) -> Slot {
        let lacking = self.known.iter().find(|(first, _)| !self.quorum_of(*first).is_phase1(&answered));
        lacking.map_or(Slot::MAX, |(first, _)| first - 1)
    }

    /// The last slot of this node's last membership; [`Slot::MAX`] if no end of it is known.
    pub fn last_slot_of(&self, node: NodeId) -> Slot {
        let after =
            self.known.iter().rposition(|(_, membership)| membership.acceptors.contains(&node)).map_or(0, |i| i + 1);
        self.known.get(after).map_or(Slot::MAX, |(first, _)| first - 1)
    }

    /// This slot was executed, with this command in it.
    pub fn execute<Op>(&mut self, slot: Slot, command: &Command<Op>) {
        if let Command::Members(membership) = command {
            self.known.push((slot + self.config.window, (**membership).clone()));
        }
        let ended = self.known.partition_point(|(first, _)| *first <= slot + 1).max(1) - 1;
        if ended > 0 || matches!(command, Command::Members(_)) {
            self.known.drain(..ended);
            self.list_everybody();
        }
    }

    fn list_everybody(&mut self) {
        self.everybody =
            Membership::of(self.known.iter().flat_map(|(_, membership)| membership.acceptors.clone())).acceptors;
    }
}

impl Quorum<'_> {
    /// Whether those who promised are enough.
    pub fn is_phase1(&self, promised: impl Fn(NodeId) -> bool) -> bool {
        self.quorums.is_phase1(self.acceptors, promised)
    }

    /// Whether those who accepted are enough.
    pub fn is_phase2(&self, accepted: impl Fn(NodeId) -> bool) -> bool {
        self.quorums.is_phase2(self.acceptors, accepted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine;
    use sim_core::settings::{Flaws, Settings};

    fn config(window: u64) -> MultiPaxosConfig {
        MultiPaxosConfig { window, ..MultiPaxosConfig::defaults() }
    }

    fn of(ids: &[u32]) -> Membership {
        Membership::of(ids.iter().copied().map(NodeId))
    }

    fn chosen(ids: &[u32]) -> Command<u8> {
        machine::Command::Members(Box::new(of(ids)))
    }

    /// Section 3: "the state after command i determines who executes instance i+α".
    #[test]
    fn what_slot_s_chooses_decides_from_s_plus_alpha_on() {
        let mut members = Members::new(vec![(1, of(&[0, 1, 2]))], &config(3));
        members.execute(1, &chosen(&[2, 3, 4]));
        assert_eq!(members.quorum_of(3).acceptors, of(&[0, 1, 2]).acceptors);
        assert_eq!(members.quorum_of(4).acceptors, of(&[2, 3, 4]).acceptors);
        assert_eq!(members.everybody().len(), 5, "slots of both are open");
        assert_eq!((members.last_slot_of(NodeId(0)), members.last_slot_of(NodeId(2))), (3, Slot::MAX));
        members.execute(2, &Command::<u8>::Noop);
        members.execute(3, &Command::<u8>::Noop);
        assert_eq!(*members.known(), vec![(4, of(&[2, 3, 4]))]);
        assert!(!members.includes(NodeId(0)));
    }

    #[test]
    fn a_proposer_may_go_as_far_as_the_acceptors_have_answered() {
        let mut members = Members::new(vec![(1, of(&[0, 1, 2]))], &config(3));
        members.execute(1, &chosen(&[2, 3, 4]));
        let up_to = |who: &[u32]| members.answered_up_to(|node| who.contains(&node.0));
        assert_eq!((up_to(&[0]), up_to(&[0, 1]), up_to(&[0, 2]), up_to(&[0, 2, 3])), (0, 3, 3, Slot::MAX));
    }

    #[test]
    fn with_a_window_of_one_a_change_counts_from_the_next_slot() {
        let mut members = Members::new(vec![(1, of(&[0]))], &config(1));
        members.execute(1, &chosen(&[1]));
        assert_eq!(members.quorum_of(2).acceptors, [NodeId(1)]);
        members.execute(2, &chosen(&[2]));
        assert_eq!(*members.known(), vec![(3, of(&[2]))]);
    }

    #[test]
    fn the_mistake_lets_a_change_count_for_slots_in_flight() {
        let flaws = Flaws::new([&CHANGE_IN_FORCE_AT_ONCE]);
        let mut members = Members::new(vec![(1, of(&[0, 1, 2]))], &MultiPaxosConfig { flaws, ..config(9) });
        members.execute(1, &chosen(&[0]));
        assert_eq!(members.quorum_of(2).acceptors, [NodeId(0)]);
    }
}
