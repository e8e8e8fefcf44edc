//! Rendezvous hashing, or *highest random weight*: every member gives every key a score, and the highest has it.
//!
//! Nothing is kept but the members. When one leaves, each of its keys goes to who was second, which is somebody else
//! for each; all other keys had their highest score elsewhere, and still have. Asking everybody is the price.
//!
//! **Weights.** Let the score h be uniform in (0, 1). Then -ln h is exponential, and among members with exponential
//! times the one with rate w is first with a probability in proportion to w: so the lowest -ln(h) / w has the key. A member
//! whose weight grows gains keys and loses none. The logarithm is to base 2 (the base is a common factor) and in integers,
//! so no machine rounds it otherwise; equal weights leave the order of h as it is and need none.
//!
//! Thaler & Ravishankar, *Using Name-Based Mappings to Increase Hit Rates*, IEEE/ACM ToN 6(1), 1998.

use super::{Hash64, Owners, pair};
use sim_core::protocol::NodeId;
use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

/// Members and their weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendezvous {
    members: Vec<Member>,
    is_weighted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    id: NodeId,
    hash: u64,
    weight: u32,
}

/// What a member says of a key; the greatest has it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Score {
    hash: u64,
    /// -log2 of the hash as a share of 2^64, in units of 2^-[`FRACTION`]; 0 where nobody's weight counts.
    cost: u64,
    weight: u32,
    id: NodeId,
}

impl Rendezvous {
    /// Members with weights. Weight 0 has no keys.
    pub fn weighted(hash: Hash64, members: impl IntoIterator<Item = (NodeId, u32)>) -> Self {
        let weights: BTreeMap<NodeId, u32> = members.into_iter().filter(|(_, weight)| *weight > 0).collect();
        let member = |(&id, &weight)| Member { id, hash: hash.member(id), weight };
        let members: Vec<Member> = weights.iter().map(member).collect();
        let is_weighted = members.windows(2).any(|two| two[0].weight != two[1].weight);
        Rendezvous { members, is_weighted }
    }

    /// Members that are all alike.
    pub fn new(hash: Hash64, members: impl IntoIterator<Item = NodeId>) -> Self {
        Self::weighted(hash, members.into_iter().map(|member| (member, 1)))
    }

    /// All members, from the one that has the key to the last that would.
    pub fn ranked(&self, position: u64) -> Vec<NodeId> {
        let mut scores: Vec<Score> = self.scores(position).collect();
        scores.sort_unstable_by_key(|score| Reverse(*score));
        scores.iter().map(|score| score.id).collect()
    }

    fn scores(&self, position: u64) -> impl Iterator<Item = Score> {
        self.members.iter().map(move |&Member { id, hash, weight }| {
            let hash = pair(hash, position);
            let cost = if self.is_weighted { cost(hash) } else { 0 };
            Score { hash, cost, weight, id }
        })
    }
}

impl Owners for Rendezvous {
    fn owner(&self, position: u64) -> Option<NodeId> {
        self.scores(position).max().map(|score| score.id)
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        // a.cost / a.weight < b.cost / b.weight, without dividing.
        let cross = |one: &Score, other: &Score| u128::from(one.cost) * u128::from(other.weight);
        let by_cost = cross(other, self).cmp(&cross(self, other));
        by_cost.then(self.hash.cmp(&other.hash)).then(other.id.cmp(&self.id))
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// How many bits of a logarithm are behind the point: among a thousand members the lowest cost is near 2^-10, which leaves
/// it 38 significant bits.
const FRACTION: u32 = 48;

/// -log2(hash / 2^64) in units of 2^-[`FRACTION`]; 0 counts as 1.
fn cost(hash: u64) -> u64 {
    let hash = hash.max(1);
    let whole = u64::from(hash.ilog2());
    // In [1, 2), with 63 bits behind the point. Squaring doubles the logarithm, so that its next bit passes the point.
    let mut mantissa = hash << hash.leading_zeros();
    let mut log2 = whole;
    for _ in 0..FRACTION {
        let square = u128::from(mantissa) * u128::from(mantissa);
        let has_bit = square >> 127 == 1;
        mantissa = (square >> if has_bit { 64 } else { 63 }) as u64;
        log2 = log2 << 1 | u64::from(has_bit);
    }
    (64 << FRACTION) - log2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_cost_whole_numbers_and_a_higher_hash_never_more() {
        for log2 in 0..64 {
            assert_eq!(cost(1 << log2), (64 - log2) << FRACTION);
        }
        let mut hash: u64 = 1;
        while hash < u64::MAX / 2 {
            let next = hash + hash / 3 + 1;
            assert!(cost(next) <= cost(hash), "{hash}");
            hash = next;
        }
    }
}
