//! Who keeps which key: preference lists (4.2, 4.3, 6.2).
//!
//! A key has a place on a circle of hashes, which is cut into partitions; a partition is kept by N nodes. Where the cuts are and who
//! is given what is a function of the set of members alone ([`crate::hashing::partitions`]), so nodes that know of the same
//! members agree without a word. While somebody joins or leaves there are two such circles: members as they are, by which is
//! read, and as they will be. What is written goes to the home nodes of both.

use super::config::{DynamoConfig, Strategy};
use super::flaws;
use crate::hashing::Hash64;
use crate::hashing::partitions::{self, Placement};
use crate::hashing::ring::Arc;
use history::Key;
use serde::Serialize;
use sim_core::protocol::NodeId;
use std::collections::BTreeSet;
use std::num::NonZeroU32;

/// Keys that are kept by the same nodes: "the key range hosted by a virtual node" (4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Partition(pub u32);

/// Everybody hashes alike.
const HASH: Hash64 = Hash64::new(0);

/// Where a key is on the circle.
pub fn position(key: Key) -> u64 {
    HASH.number(u64::from(key))
}

/// A set of members, and what each of them keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Circle {
    members: Vec<NodeId>,
    placement: Placement,
    /// Of every partition the first N.
    homes: Vec<Vec<NodeId>>,
}

impl Circle {
    /// What these members keep.
    pub fn of(config: &DynamoConfig, members: &BTreeSet<NodeId>) -> Self {
        let placement = Placement::new(strategy(config), members, HASH);
        let homes = if config.flaws.has(&flaws::REPEATS_NODES) {
            // The mistake D10: the next N tokens, whosever they are.
            next_tokens(&placement, config.n)
        } else {
            (0..placement.partitions()).map(|partition| placement.walk(partition).take(config.n).collect()).collect()
        };
        Circle { members: members.iter().copied().collect(), placement, homes }
    }

    /// All members in the order in which they are asked to keep a key: the first N are its home nodes, and those behind stand
    /// in for them.
    pub fn preference(&self, key: Key) -> impl Iterator<Item = NodeId> + '_ {
        let partition = self.placement.partition_of(position(key));
        let homes = &self.homes[partition];
        // Most who ask need no more than the home nodes: the walk begins when they are through.
        let others = std::iter::once(()).flat_map(move |()| self.placement.walk(partition));
        homes.iter().copied().chain(others.filter(|node| !homes.contains(node)))
    }

    /// Whose a key is.
    pub fn homes_of(&self, key: Key) -> &[NodeId] {
        self.homes_at(position(key))
    }

    /// Whose the keys at a position are.
    pub fn homes_at(&self, position: u64) -> &[NodeId] {
        &self.homes[self.placement.partition_of(position)]
    }

    /// The members, by their ids.
    pub fn members(&self) -> &[NodeId] {
        &self.members
    }

    fn ends(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.placement.partitions())
            .filter_map(|partition| self.placement.range(partition))
            .map(|range| range.through)
    }
}

/// The members as they are, and as they will be.
#[derive(Clone, Debug, PartialEq)]
pub struct Ring {
    now: Circle,
    /// If somebody is joining or leaving.
    next: Option<Circle>,
    /// A hash of who is a member.
    layout: u64,
    /// The same, and of who will be.
    digest: u64,
}

impl Ring {
    /// The founding ring of a cluster of these nodes.
    pub fn new(config: &DynamoConfig, nodes: impl IntoIterator<Item = NodeId>) -> Self {
        let founders = config.founders(nodes);
        Ring::of(config, &founders, &founders)
    }

    /// A ring of these members, on the way to those.
    pub fn of(config: &DynamoConfig, now: &BTreeSet<NodeId>, next: &BTreeSet<NodeId>) -> Self {
        let next = (now != next).then_some(next);
        let names = |members: &BTreeSet<NodeId>| members.iter().flat_map(|node| node.0.to_le_bytes()).collect();
        let mut bytes: Vec<u8> = names(now);
        let layout = HASH.key(&bytes);
        bytes.extend(next.into_iter().flat_map(|next| [vec![u8::MAX; size_of::<u32>()], names(next)].concat()));
        let next = next.map(|next| Circle::of(config, next));
        Ring { now: Circle::of(config, now), next, layout, digest: HASH.key(&bytes) }
    }

    /// Whether it is that of these members on the way to those.
    pub fn is_of(&self, now: &BTreeSet<NodeId>, next: &BTreeSet<NodeId>) -> bool {
        self.now.members.iter().eq(now) && self.coming().members.iter().eq(next)
    }

    /// All members in the order in which they are asked to keep a key: the first N are its home nodes, and those behind stand
    /// in for them.
    pub fn preference(&self, key: Key) -> impl Iterator<Item = NodeId> + '_ {
        self.now.preference(key)
    }

    /// The members.
    pub fn members(&self) -> &[NodeId] {
        &self.now.members
    }

    /// All partitions of the ring as it is.
    pub fn partitions(&self) -> impl Iterator<Item = Partition> + use<> {
        (0..self.now.homes.len() as u32).map(Partition)
    }

    /// In which partition a key is.
    pub fn partition_of(&self, key: Key) -> Partition {
        Partition(self.now.placement.partition_of(position(key)) as u32)
    }

    /// Whose a partition is; nobody's if there is none of that number.
    pub fn homes(&self, partition: Partition) -> &[NodeId] {
        self.now.homes.get(partition.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// Names the way in which keys are cut into partitions. While it is the same on two nodes, so are their partitions,
    /// and whose those are.
    pub fn layout(&self) -> u64 {
        self.layout
    }

    /// The members as they are.
    pub fn now(&self) -> &Circle {
        &self.now
    }

    /// The members as they will be: if nobody joins or leaves, as they are.
    pub fn coming(&self) -> &Circle {
        self.next.as_ref().unwrap_or(&self.now)
    }

    /// Whether somebody joins or leaves.
    pub fn is_changing(&self) -> bool {
        self.next.is_some()
    }

    /// A hash of who is a member and who will be.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Whether a node keeps a key, now or soon.
    pub fn keeps(&self, node: NodeId, key: Key) -> bool {
        self.keeps_at(node, position(key))
    }

    /// Who keeps a key, now or soon: each once, its home nodes by the ring as it is first.
    pub fn keepers(&self, key: Key) -> Vec<NodeId> {
        let homes = self.now.homes_of(key);
        let coming = self.next.as_ref().map_or(&[][..], |next| next.homes_of(key));
        homes.iter().chain(coming.iter().filter(|node| !homes.contains(node))).copied().collect()
    }

    fn keeps_at(&self, node: NodeId, position: u64) -> bool {
        self.now.homes_at(position).contains(&node) || self.coming().homes_at(position).contains(&node)
    }

    /// What a node keeps now or soon, and would not have kept by an earlier ring. By either ring, all keys of one of these ranges
    /// have the same home nodes.
    pub fn gained(&self, node: NodeId, before: &Ring) -> Vec<Arc> {
        let circles = [Some(&self.now), self.next.as_ref(), Some(&before.now), before.next.as_ref()];
        let gains = |range: &Arc| self.keeps_at(node, range.through) && !before.keeps_at(node, range.through);
        pieces(circles.into_iter().flatten()).filter(gains).collect()
    }

    /// Who will keep what it does not keep now.
    pub fn gainers(&self) -> BTreeSet<NodeId> {
        let Some(next) = &self.next else { return BTreeSet::new() };
        let gainers_of = |range: Arc| {
            let homes = self.now.homes_at(range.through);
            next.homes_at(range.through).iter().copied().filter(|node| !homes.contains(node))
        };
        pieces([&self.now, next].into_iter()).flat_map(gainers_of).collect()
    }
}

/// The circle, cut wherever one of these is.
fn pieces<'a>(circles: impl Iterator<Item = &'a Circle>) -> impl Iterator<Item = Arc> {
    let ends: BTreeSet<u64> = circles.flat_map(Circle::ends).collect();
    let last = ends.last().copied().unwrap_or(u64::MAX);
    ends.into_iter().scan(last, |after, through| Some(Arc { after: std::mem::replace(after, through), through }))
}

/// For partitions that are what lies between two tokens.
fn next_tokens(placement: &Placement, n: usize) -> Vec<Vec<NodeId>> {
    let owners: Vec<NodeId> = placement.ring().ranges().map(|(_, owner)| owner).collect();
    (0..placement.partitions()).map(|from| owners.iter().cycle().skip(from).take(n).copied().collect()).collect()
}

fn strategy(config: &DynamoConfig) -> partitions::Strategy {
    let at_least_one = |count: u32| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
    let (tokens, partitions) = (at_least_one(config.tokens), at_least_one(config.partitions));
    match config.strategy {
        Strategy::Tokens => partitions::Strategy::TokenRanges { tokens },
        Strategy::TokensEqual => partitions::Strategy::EqualRanges { tokens, partitions },
        Strategy::Equal => partitions::Strategy::EqualShares { partitions },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::settings::{Flaws, Setting, Settings, Values};

    fn config(strategy: Strategy) -> DynamoConfig {
        DynamoConfig { strategy, ..DynamoConfig::defaults() }
    }

    fn set(ids: impl IntoIterator<Item = u32>) -> BTreeSet<NodeId> {
        ids.into_iter().map(NodeId).collect()
    }

    const STRATEGIES: [Strategy; 3] = [Strategy::Tokens, Strategy::TokensEqual, Strategy::Equal];

    #[test]
    fn a_preference_list_names_every_member_once_home_nodes_first() {
        for strategy in STRATEGIES {
            let ring = Ring::new(&config(strategy), set(0..7));
            for key in 0..200 {
                let list: Vec<NodeId> = ring.preference(key).collect();
                assert_eq!(list.iter().copied().collect::<BTreeSet<_>>(), set(0..7));
                assert_eq!(list.len(), 7, "{strategy:?}");
                assert_eq!(ring.homes(ring.partition_of(key)), &list[..3]);
            }
        }
    }

    #[test]
    fn only_the_first_are_on_the_ring() {
        let config = DynamoConfig { initial_members: 3, ..DynamoConfig::defaults() };
        assert_eq!(Ring::new(&config, set(0..5)).members(), [NodeId(0), NodeId(1), NodeId(2)]);
    }

    /// What a node gains by a change, and nothing else, is in the ranges it gains.
    #[test]
    fn gained_ranges_hold_what_is_kept_anew() {
        for strategy in STRATEGIES {
            let config = config(strategy);
            let before = Ring::of(&config, &set(0..5), &set(0..5));
            let after = Ring::of(&config, &set(0..5), &set([0, 1, 2, 4, 5]));
            for node in (0..6).map(NodeId) {
                let gained = after.gained(node, &before);
                for key in 0..300 {
                    let gains = after.keeps(node, key) && !before.keeps(node, key);
                    let ranges = gained.iter().filter(|range| range.contains(position(key))).count();
                    assert_eq!(ranges, usize::from(gains), "{strategy:?} {node} {key}");
                }
                assert_eq!(!gained.is_empty(), after.gainers().contains(&node));
            }
            assert!(after.gained(NodeId(3), &before).is_empty(), "who leaves gains nothing");
        }
    }

    /// The mistake D10.
    #[test]
    fn tokens_counted_for_nodes_name_one_twice() {
        let mut values = Values::defaults(DynamoConfig::KEYS);
        let flaw = || Flaws::new([&flaws::REPEATS_NODES]);
        assert!(DynamoConfig::build(&values, flaw()).is_err(), "partitions of equal size have no next token");
        let key = DynamoConfig::KEYS.iter().find(|key| key.name == "partitioning").expect("it is one");
        values.set(key, Setting::Word("tokens"));
        let flawed = DynamoConfig::build(&values, flaw()).expect("these fit");
        let ring = Ring::new(&flawed, set(0..5));
        let repeats = |key: &Key| {
            let homes: Vec<NodeId> = ring.preference(*key).take(3).collect();
            homes.iter().collect::<BTreeSet<_>>().len() < 3
        };
        assert!((0..100).any(|key| repeats(&key)));
    }
}
