//! Ballots: who proposes when ("proposal numbers", *Paxos Made Simple* 2.2).

use serde::Serialize;
use sim_core::protocol::NodeId;
use std::fmt::{self, Debug};

/// Numbers an attempt to lead. "Different proposals have different numbers" (2.2): a node is part of its ballots, so two
/// nodes never use the same, and each uses higher ones as it goes on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Ballot {
    /// Compared first.
    pub round: u64,
    /// Whose it is. Breaks ties.
    pub node: NodeId,
}

impl Ballot {
    /// Before every other: nobody's.
    pub const ZERO: Ballot = Ballot { round: 0, node: NodeId(0) };

    /// The ballot of a node in a round.
    pub const fn new(round: u64, node: NodeId) -> Self {
        Ballot { round, node }
    }

    /// A number that orders ballots as they order themselves, for those who look on.
    pub fn number(self) -> u64 {
        (self.round << 16) | u64::from(self.node.0 & 0xffff)
    }
}

/// As traces show it: `3.n2`.
impl Debug for Ballot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.round, self.node)
    }
}
