//! Who keeps which key: preference lists (4.2, 4.3).

use super::config::DynamoConfig;
use history::Key;
use serde::Serialize;
use sim_core::protocol::NodeId;

/// Keys that are kept by the same nodes: "the key range hosted by a virtual node" (4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Partition(pub u32);

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
        self.walk(self.partition_of(key))
    }

    /// The same of a partition.
    pub fn walk(&self, partition: Partition) -> impl Iterator<Item = NodeId> + '_ {
        let (before, after) = self.members.split_at((partition.0 as usize).min(self.members.len()));
        after.iter().chain(before).copied()
    }

    /// The partition that a key falls into.
    pub fn partition_of(&self, key: Key) -> Partition {
        Partition(key % self.members.len().max(1) as u32)
    }

    /// All partitions.
    pub fn partitions(&self) -> impl Iterator<Item = Partition> + use<> {
        (0..self.members.len() as u32).map(Partition)
    }

    /// Names the way in which keys are cut into partitions. While it is the same on two nodes, so are their partitions,
    /// whoever keeps those.
    pub fn layout(&self) -> u64 {
        self.members.len() as u64
    }

    /// The members.
    pub fn members(&self) -> &[NodeId] {
        &self.members
    }
}
