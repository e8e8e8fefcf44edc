//! Who could have talked to whom, at one instant: the ground truth behind the bound on availability.

use crate::protocol::NodeId;

/// What one client could have reached at one instant.
///
/// Two nodes are in the same *group* if messages could travel both ways between them, directly or over other nodes that
/// were up: some protocol might relay. The client reaches a group if it could send to one of its nodes and hear from
/// one of them.
pub struct Reach<'a> {
    pub(crate) groups: &'a [Vec<NodeId>],
    pub(crate) nodes: usize,
    /// The nodes that have lost their disks for good.
    pub(crate) lost: &'a [NodeId],
}

impl<'a> Reach<'a> {
    /// Groups of mutually connected nodes that are up and that the client can talk to.
    pub fn new(groups: &'a [Vec<NodeId>], nodes: usize) -> Self {
        Reach { groups, nodes, lost: &[] }
    }

    /// The same, where these nodes have lost their disks for good.
    #[must_use]
    pub fn with_lost(self, lost: &'a [NodeId]) -> Self {
        Reach { lost, ..self }
    }

    /// Whether a node still has, as far as its disk kept it, all that it ever had: it is no empty machine under the name of
    /// one that was lost.
    pub fn has_its_disk(&self, node: NodeId) -> bool {
        !self.lost.contains(&node)
    }

    /// The groups; nodes within each in the order of their ids.
    pub fn groups(&self) -> impl Iterator<Item = &'a [NodeId]> + '_ {
        self.groups.iter().map(|group| &group[..])
    }

    /// How many nodes the cluster has, up or down.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// Whether some group holds more than half of all nodes.
    pub fn majority(&self) -> bool {
        self.groups().any(|group| group.len() * 2 > self.nodes)
    }
}
