//! Consistent hashing: a ring of positions and the tokens of its members.
//!
//! Bend the line of all hashes, 0 to 2^64 - 1, into a circle. Each member throws a number of tokens onto it, and a key is
//! the member's whose token comes first clockwise, at the key's own position or behind it. A new member's tokens cut arcs
//! in two, and take the piece in front of them; nobody else loses or gains anything, and it gives exactly that back when it
//! leaves.
//!
//! With one token each, shares are very uneven: arcs between random points are nearly exponential. With v tokens a share
//! is a sum of v arcs, and its spread falls like 1/√v. Such tokens are called *virtual nodes*; a larger machine has more.
//!
//! Three things are easily got wrong. Two tokens can lie at the same position: then both stay, the lower [`NodeId`] owns, and
//! what is left when either goes does not depend on who came first. The last arc passes 0. And the next N *tokens* are not
//! the next N *machines*: a walk names each member once, or three replicas can be on one disk.
//!
//! Karger et al., *Consistent Hashing and Random Trees*, STOC 1997; DeCandia et al., *Dynamo*, SOSP 2007, 4.2 and 4.3.

use super::{Hash64, Owners};
use sim_core::protocol::NodeId;
use std::collections::{BTreeMap, BTreeSet};

/// The tokens of some members; the same in whatever order the members came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ring {
    tokens: BTreeSet<(u64, NodeId)>,
    /// Each has a token, and these are all tokens there are.
    members: BTreeMap<NodeId, Vec<u64>>,
}

impl Ring {
    /// Members with so many random tokens each.
    pub fn of(hash: Hash64, members: impl IntoIterator<Item = (NodeId, u32)>) -> Self {
        let tokens = |(member, count)| (member, hash.tokens(member, count).collect());
        let members: BTreeMap<NodeId, Vec<u64>> = members.into_iter().map(tokens).filter(has_tokens).collect();
        let pairs = |(member, tokens): (&NodeId, &Vec<u64>)| -> Vec<(u64, NodeId)> {
            tokens.iter().map(|token| (*token, *member)).collect()
        };
        Ring { tokens: members.iter().flat_map(pairs).collect(), members }
    }

    /// Gives a member these tokens, in place of those it had. Without any it is no member.
    pub fn add(&mut self, member: NodeId, tokens: impl IntoIterator<Item = u64>) {
        self.remove(member);
        let entry = (member, tokens.into_iter().collect());
        if has_tokens(&entry) {
            self.tokens.extend(entry.1.iter().map(|token| (*token, member)));
            self.members.insert(member, entry.1);
        }
    }

    /// Takes a member and its tokens away.
    pub fn remove(&mut self, member: NodeId) {
        for token in self.members.remove(&member).unwrap_or_default() {
            self.tokens.remove(&(token, member));
        }
    }

    /// Who has tokens, by name.
    pub fn members(&self) -> impl ExactSizeIterator<Item = NodeId> {
        self.members.keys().copied()
    }

    /// All members, clockwise from a position, each where its first token is. A preference list is how this begins; the
    /// fallbacks of a sloppy quorum are how it goes on (Dynamo, 4.3 and 4.6).
    pub fn walk(&self, position: u64) -> impl Iterator<Item = NodeId> {
        let mut seen = BTreeSet::new();
        let distinct = self.clockwise(position).map(|(_, member)| member).filter(move |member| seen.insert(*member));
        // Once everybody was named, the rest of the ring holds nothing new.
        distinct.take(self.members.len())
    }

    /// Who owns which arc, from the lowest token on: arcs cover the ring, and do not overlap.
    pub fn ranges(&self) -> impl Iterator<Item = (Arc, NodeId)> {
        let mut before = self.tokens.last().map_or(0, |(last, _)| *last);
        let mut is_first = true;
        self.tokens.iter().filter_map(move |&(token, member)| {
            let after = std::mem::replace(&mut before, token);
            // The second of two tokens at one position owns nothing; but a lone token owns all.
            let owns = is_first || token != after;
            is_first = false;
            owns.then_some((Arc { after, through: token }, member))
        })
    }

    /// Every token once, from the first at a position or behind it.
    fn clockwise(&self, position: u64) -> impl Iterator<Item = (u64, NodeId)> {
        let start = (position, NodeId(0));
        self.tokens.range(start..).chain(self.tokens.range(..start)).copied()
    }
}

impl Owners for Ring {
    fn owner(&self, position: u64) -> Option<NodeId> {
        self.clockwise(position).next().map(|(_, member)| member)
    }
}

fn has_tokens((_, tokens): &(NodeId, Vec<u64>)) -> bool {
    !tokens.is_empty()
}

/// A piece of the ring, clockwise: what lies behind one position, up to another and with it. Never empty; from a position to
/// itself it is the whole ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arc {
    /// The last position before it.
    pub after: u64,
    /// Its last position.
    pub through: u64,
}

impl Arc {
    /// How many positions it has, 1 to 2^64.
    pub fn length(self) -> u128 {
        u128::from(self.steps()) + 1
    }

    /// Whether a position lies in it.
    pub fn contains(self, position: u64) -> bool {
        position.wrapping_sub(self.first()) <= self.steps()
    }

    fn first(self) -> u64 {
        self.after.wrapping_add(1)
    }

    /// How far its last position is from its first.
    fn steps(self) -> u64 {
        self.through.wrapping_sub(self.first())
    }
}
