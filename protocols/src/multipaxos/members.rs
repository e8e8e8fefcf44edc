//! Who takes part, and which of them can answer for all.

use super::log::Slot;
use crate::quorum::Quorums;
use serde::Serialize;
use sim_core::protocol::NodeId;

/// The acceptors, in the order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// They decide.
    pub acceptors: Vec<NodeId>,
}

/// Who the acceptors of each slot are.
#[derive(Clone, Debug)]
pub struct Members {
    founders: Membership,
    quorums: Quorums,
}

/// Those who decide a slot, and how many of them it takes.
#[derive(Clone, Copy, Debug)]
pub struct Quorum<'a> {
    /// The acceptors.
    pub acceptors: &'a [NodeId],
    quorums: Quorums,
}

impl Members {
    /// Founded by these.
    pub fn new(founders: Vec<NodeId>, quorums: Quorums) -> Self {
        Members { founders: Membership { acceptors: founders }, quorums }
    }

    /// Who decides this slot. The one place that knows.
    pub fn quorum_of(&self, _slot: Slot) -> Quorum<'_> {
        Quorum { acceptors: &self.founders.acceptors, quorums: self.quorums }
    }

    /// Whoever decides any of these slots, each once. There is one membership.
    pub fn quorums_between(&self, first: Slot, _last: Slot) -> impl Iterator<Item = Quorum<'_>> {
        std::iter::once(self.quorum_of(first))
    }

    /// Everybody who decides some slot that is not known to be chosen.
    pub fn everybody(&self) -> &[NodeId] {
        &self.founders.acceptors
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
