//! Who seems to be down, as far as this node needs to know.
//!
//! "It is possible to use a purely local notion of failure detection: A may consider B failed if B does not respond to A's
//! messages" (DeCandia et al. 2007, 4.8.3). Who does not answer in time is down until it is heard of, whatever it says.
//! Meanwhile it is asked now and then whether it is there, since nobody asks it anything else. As long as nobody seems to be
//! down, nobody is asked.

use super::{Dynamo, Message, Timer, Versioned};
use sim_core::protocol::{Ctx, NodeId};
use sim_core::time::LocalTime;
use std::collections::{BTreeMap, BTreeSet};

/// When others were heard of, and those who seem to be down.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    heard: BTreeMap<NodeId, LocalTime>,
    down: BTreeSet<NodeId>,
    is_probing: bool,
}

impl Peers {
    /// A sign of life.
    pub fn heard(&mut self, peer: NodeId, now: LocalTime) {
        self.heard.insert(peer, now);
        self.down.remove(&peer);
    }

    /// It has not answered in time what it was asked then. Who has said something else since is there all the same: a
    /// message was lost.
    pub fn missed(&mut self, peer: NodeId, asked: LocalTime) {
        if self.heard.get(&peer).is_none_or(|heard| *heard < asked) {
            self.down.insert(peer);
        }
    }

    /// Of these, the one that was heard of last; the first, if none was. The likeliest to be there.
    pub fn freshest(&self, peers: impl Iterator<Item = NodeId>) -> Option<NodeId> {
        peers.reduce(|best, peer| if self.heard.get(&peer) > self.heard.get(&best) { peer } else { best })
    }

    /// Whether it seems to be up.
    pub fn is_up(&self, peer: NodeId) -> bool {
        !self.down.contains(&peer)
    }
}

impl<D: Versioned> Dynamo<D> {
    /// A node has not answered in time what it was asked then.
    pub(super) fn missed(&mut self, peer: NodeId, asked: LocalTime, ctx: &mut Ctx<'_, Self>) {
        self.peers.missed(peer, asked);
        if !self.peers.down.is_empty() && !self.peers.is_probing {
            self.peers.is_probing = true;
            ctx.arm(Timer::Probe, self.config.probe);
        }
    }

    /// It is time to ask those who seem to be down.
    pub(super) fn on_probe(&mut self, ctx: &mut Ctx<'_, Self>) {
        for peer in &self.peers.down {
            self.send(*peer, Message::Ping, ctx);
        }
        self.peers.is_probing = !self.peers.down.is_empty();
        if self.peers.is_probing {
            ctx.arm(Timer::Probe, self.config.probe);
        }
    }

    /// A node that was away tells the others that it is back; they may have given it up.
    pub(super) fn greet(&self, ctx: &mut Ctx<'_, Self>) {
        for peer in self.ring.coming().members() {
            if *peer != self.me {
                self.send(*peer, Message::Ping, ctx);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEN: NodeId = NodeId(1);

    #[test]
    fn who_does_not_answer_is_down_until_it_says_something() {
        let mut peers = Peers::default();
        peers.missed(BEN, LocalTime(10));
        assert!(!peers.is_up(BEN));
        peers.heard(BEN, LocalTime(30));
        assert!(peers.is_up(BEN));
        peers.missed(BEN, LocalTime(20));
        assert!(peers.is_up(BEN), "it said something after it was asked");
        assert_eq!(peers.freshest([NodeId(2), BEN, NodeId(3)].into_iter()), Some(BEN));
        assert_eq!(peers.freshest([NodeId(2), NodeId(3)].into_iter()), Some(NodeId(2)));
        peers.missed(BEN, LocalTime(31));
        assert!(!peers.is_up(BEN));
    }
}
