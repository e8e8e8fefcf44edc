//! Who seems to be down, as far as this node needs to know.
//!
//! "It is possible to use a purely local notion of failure detection: A may consider B failed if B does not respond to A's
//! messages" (DeCandia et al. 2007, 4.8.3). Who does not answer in time is down until it is heard of; meanwhile it is tried
//! again now and then, since nobody else may ask it anything.

use sim_core::protocol::NodeId;
use std::collections::BTreeSet;

/// Those who seem to be down.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    down: BTreeSet<NodeId>,
}

impl Peers {
    /// A sign of life. Whether it had seemed to be down.
    pub fn heard(&mut self, peer: NodeId) -> bool {
        self.down.remove(&peer)
    }

    /// It has not answered in time.
    pub fn missed(&mut self, peer: NodeId) {
        self.down.insert(peer);
    }

    /// Whether it seems to be up.
    pub fn is_up(&self, peer: NodeId) -> bool {
        !self.down.contains(&peer)
    }

    /// Whom to try again.
    pub fn down(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.down.iter().copied()
    }
}
