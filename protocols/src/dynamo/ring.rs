//! Who keeps which key: preference lists (4.2, 4.3).

use super::config::DynamoConfig;
use history::Key;
use sim_core::protocol::NodeId;

/// The members, and where keys are at home.
#[derive(Clone, Debug)]
pub struct Ring {
    members: Vec<NodeId>,
}

impl Ring {
    /// A ring of these members.
    pub fn new(_: &DynamoConfig, members: Vec<NodeId>) -> Self {
        Ring { members }
    }

    /// All members in the order in which they are asked to keep a key: the first N are its home nodes, and those behind stand
    /// in for them.
    pub fn preference(&self, key: Key) -> impl Iterator<Item = NodeId> + '_ {
        let first = key as usize % self.members.len().max(1);
        self.members[first..].iter().chain(&self.members[..first]).copied()
    }

    /// The members.
    pub fn members(&self) -> &[NodeId] {
        &self.members
    }
}
