//! Dynamo's three ways to cut the ring into partitions and place them (DeCandia et al., SOSP 2007, 6.2 and figure 7).
//!
//! A ring alone makes one decision of two: where tokens are, and so where keys are kept *and* what is kept together. A node
//! that joins then takes pieces of ranges: whoever gives them has to search for them, and every Merkle tree over a changed
//! range is worthless. So partitioning and placement were taken apart:
//!
//! 1. [`Strategy::TokenRanges`]: T random tokens per node, and a partition is what lies between two tokens. As on a ring.
//! 2. [`Strategy::EqualRanges`]: T random tokens per node still say who is next, but partitions are Q equal pieces of the
//!    ring, which never change. A step on the way to the third.
//! 3. [`Strategy::EqualShares`]: Q equal pieces, and each of S nodes has Q/S of the tokens, which lie at the ends of the pieces.
//!
//! In all three a partition is kept by the first N distinct nodes clockwise from its end. So a placement is a [`Ring`] and the
//! ends of partitions; strategies differ in where the two come from.
//!
//! The paper's nodes agree on a placement by gossip about tokens. Here it is a function of the *set* of members, so whoever knows the
//! same members has the same placement, whatever came in which order. For strategies 1 and 2 that is plain: a member's tokens
//! depend on nobody else. The third's rule
//! stands at `even_shares`.

use super::ring::{Arc, Ring};
use super::{Hash64, Owners, pair};
use sim_core::protocol::NodeId;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

/// How keys are cut into partitions, and nodes found for these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Strategy 1: so many random tokens per node, partition by token value.
    TokenRanges {
        /// T.
        tokens: NonZeroU32,
    },
    /// Strategy 2: so many random tokens per node, equal-sized partitions.
    EqualRanges {
        /// T.
        tokens: NonZeroU32,
        /// Q, which should be much more than all tokens.
        partitions: NonZeroU32,
    },
    /// Strategy 3: equal-sized partitions, and as many tokens for each node as for any other.
    EqualShares {
        /// Q, which should be much more than there are nodes: where there are fewer, some nodes have no token.
        partitions: NonZeroU32,
    },
}

/// Which partitions there are, and who keeps them, among some members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    ring: Ring,
    /// The last position of every partition, in order. There is always one.
    ends: Vec<u64>,
    /// Members without a token: last on every list.
    without_token: Vec<NodeId>,
}

impl Placement {
    /// What everybody makes of these members, this strategy and this seed.
    pub fn new(strategy: Strategy, members: &BTreeSet<NodeId>, hash: Hash64) -> Self {
        let random = |tokens: NonZeroU32| Ring::of(hash, members.iter().map(|member| (*member, tokens.get())));
        let (ring, ends) = match strategy {
            Strategy::TokenRanges { tokens } => {
                let ring = random(tokens);
                let ends = ring.ranges().map(|(arc, _)| arc.through).collect();
                (ring, ends)
            }
            Strategy::EqualRanges { tokens, partitions } => (random(tokens), equal_ends(partitions)),
            Strategy::EqualShares { partitions } => {
                let ends = equal_ends(partitions);
                (even_shares(hash, members, &ends), ends)
            }
        };
        let has_token: BTreeSet<NodeId> = ring.members().collect();
        let ends = if ends.is_empty() { vec![u64::MAX] } else { ends };
        Placement { ring, ends, without_token: members.difference(&has_token).copied().collect() }
    }

    /// How many partitions there are: at least one, which is the whole ring.
    pub fn partitions(&self) -> usize {
        self.ends.len()
    }

    /// The partition of a key. (With strategy 1 the same number is another range once members change: between nodes
    /// that may know different members, speak of ranges.)
    pub fn partition_of(&self, position: u64) -> usize {
        let partition = self.ends.partition_point(|end| *end < position);
        // Behind the last end the first partition begins.
        if partition < self.ends.len() { partition } else { 0 }
    }

    /// Which keys a partition has, if there is one of that number.
    pub fn range(&self, partition: usize) -> Option<Arc> {
        let through = *self.ends.get(partition)?;
        let before = partition.checked_sub(1).unwrap_or(self.ends.len() - 1);
        Some(Arc { after: self.ends[before], through })
    }

    /// All members in the order in which they are asked to keep a partition: the first N are its home nodes, whoever
    /// follows stands in for them. Nobody, for a partition that is not there.
    pub fn preference(&self, partition: usize) -> Vec<NodeId> {
        self.walk(partition).collect()
    }

    /// The same one by one, for whoever needs only the first few.
    pub fn walk(&self, partition: usize) -> impl Iterator<Item = NodeId> {
        let end = self.ends.get(partition);
        end.into_iter().flat_map(|end| self.ring.walk(*end).chain(self.without_token.iter().copied()))
    }

    /// The tokens behind it. With strategy 3 they are the partitions' ends.
    pub fn ring(&self) -> &Ring {
        &self.ring
    }
}

/// The first node of a key's preference list.
impl Owners for Placement {
    fn owner(&self, position: u64) -> Option<NodeId> {
        self.walk(self.partition_of(position)).next()
    }
}

/// The last positions of so many equal pieces. They differ in length by one position at most.
fn equal_ends(partitions: NonZeroU32) -> Vec<u64> {
    let pieces = u128::from(partitions.get());
    (1..=pieces).map(|piece| ((piece << 64).div_ceil(pieces) - 1) as u64).collect()
}

/// A token at every end, and for everybody as many as for anybody else, to one.
///
/// The paper's joining node "steals" tokens from others, and a leaving one's are spread over those that stay, so who has
/// which depends on history. Here all pairs of an end and a member have a random score, as in rendezvous hashing, and are gone
/// through from the highest: a pair is made if the end is free and the member not full. Full is ⌊Q/S⌋, and one more for
/// as many as are needed. (Both sides go by the same scores, so this is the one stable matching of ends and members.)
/// The pairs of others that a member's coming or going breaks are few: with S = 30 and Q = 8192 a quarter of what must
/// move moves besides, with Q = 1024 some two thirds. To replay joins in the order of names instead, each of which steals, moves
/// nothing needless when the last one comes, but twice to eight times the least when somebody in the middle goes.
fn even_shares(hash: Hash64, members: &BTreeSet<NodeId>, ends: &[u64]) -> Ring {
    let Some(full) = ends.len().checked_div(members.len()) else { return Ring::default() };
    let mut fuller = ends.len() % members.len();
    let mut free: BTreeSet<u64> = ends.iter().copied().collect();
    let mut tokens: BTreeMap<NodeId, Vec<u64>> = BTreeMap::new();
    for (_, member, end) in by_score(hash, members, ends) {
        let has = tokens.entry(member).or_default();
        let has_room = has.len() < full || (has.len() == full && fuller > 0);
        if has_room && free.remove(&end) {
            fuller -= usize::from(has.len() == full);
            has.push(end);
        }
    }
    let mut ring = Ring::default();
    tokens.into_iter().for_each(|(member, tokens)| ring.add(member, tokens));
    ring
}

/// Every member with every end, the highest score first.
fn by_score(hash: Hash64, members: &BTreeSet<NodeId>, ends: &[u64]) -> Vec<(u64, NodeId, u64)> {
    let hashed: Vec<(u64, u64)> = ends.iter().map(|end| (hash.number(*end), *end)).collect();
    let of_member = |member: &NodeId| {
        let (member, own) = (*member, hash.member(*member));
        hashed.iter().map(move |&(place, end)| (pair(own, place), member, end))
    };
    let mut pairs: Vec<(u64, NodeId, u64)> = members.iter().flat_map(of_member).collect();
    pairs.sort_unstable_by_key(|pair| Reverse(*pair));
    pairs
}
