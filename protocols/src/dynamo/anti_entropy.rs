//! Anti-entropy: nodes compare what they have, and exchange what differs (4.7).
//!
//! Every `anti-entropy` a node turns to the next of the nodes with which it shares a partition. It tells that node the roots of
//! its hash trees, one for each partition that both are at home in. Whoever hears a hash that is not his own answers with what
//! is one level below, or, where he has few keys, with these; and whoever hears of keys that are not as his own sends what he
//! has, and asks for what he has not. In the end both have put together what either had:
//!
//! ```text
//! A ── Roots ──▶ B      B finds partitions that differ
//! A ◀─ Hashes ── B      A finds children that differ      (as often as the trees are high)
//! A ── Keys ───▶ B      B finds keys that differ
//! A ◀─ Objects ─ B      A puts them together with its own …
//! A ── Objects ▶ B      … and so does B
//! ```
//!
//! **Nobody remembers anything in between.** Each message says all that is needed to take the next step, and is answered from
//! what is there then. A lost or late one, a crash, or a write in the meantime costs no more than time: the next round finds
//! what is still different.
//!
//! **How soon copies agree.** Of S nodes each turns to at most S - 1 others, so with a period P every two home nodes of a key
//! have compared within (S - 1) P, plus the time of one exchange, from when messages get through; twice, in fact, as either
//! begins once. Every home node has then had from each other what that had at the beginning, and if nobody writes, all have
//! the same.

use super::config::DynamoConfig;
use super::data::Versioned;
use super::flaws::TREES_OF_KEYS;
use super::merkle::{FAN_OUT, Place, Tree};
use super::ring::{Partition, Ring};
use super::store::Store;
use super::versions::Object;
use super::{Dynamo, Message, Timer};
use history::Key;
use serde::Serialize;
use sim_core::protocol::{Ctx, NodeId, Observation};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// A comparison of hash trees brought something that this node did not know.
pub(super) const COMPARED: &str = "copies mended by hash trees";

/// At most so many roots or keys go into one message; of a bucket that has more keys, all of them.
const NAMES_MAX: usize = 64;
/// Where a node has no more keys than this below a place, it names them.
const FEW: usize = 16;
/// At most so many objects go into one message.
const OBJECTS_MAX: usize = 16;

/// What is said of hash trees. Numbers of partitions and places mean something only to those who cut the ring alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// How the sender cuts it.
    pub layout: u64,
    /// What it says.
    pub says: Says,
}

/// A step of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Says {
    /// "The roots of my trees are these."
    Roots(Vec<(Partition, u64)>),
    /// "We differ below these places of this partition; my hashes of their children are these."
    Hashes(Partition, Vec<(Place, [u64; FAN_OUT])>),
    /// "We differ below these places of this partition, where I have these keys, with these hashes."
    Keys(Partition, Vec<Place>, Vec<(Key, u64)>),
}

/// The hash trees of a node, one for each partition that it has keys of.
#[derive(Clone, Debug, Default)]
pub struct Forest {
    trees: BTreeMap<Partition, Tree>,
    /// How the ring was cut when they were planted.
    layout: u64,
}

impl Forest {
    /// Brings the trees up to date.
    fn tend(&mut self, store: &mut Store, ring: &Ring, config: &DynamoConfig) {
        let mut stale = store.take_stale();
        if self.layout != ring.layout() {
            *self = Forest { trees: BTreeMap::new(), layout: ring.layout() };
            stale = store.iter().map(|(key, _)| key).collect();
        }
        for key in stale {
            let hash = store.get(key).map(|object| leaf(object, config));
            self.trees.entry(ring.partition_of(key)).or_default().set(key, hash);
        }
    }

    fn hash(&self, partition: Partition, place: Place) -> u64 {
        self.trees.get(&partition).map_or(0, |tree| tree.hash(place))
    }
}

/// What a tree says of a key.
fn leaf(object: &Object, config: &DynamoConfig) -> u64 {
    if config.flaws.has(&TREES_OF_KEYS) {
        // The mistake D11: that it is there.
        return 1;
    }
    object.digest()
}

/// Answers, put together into messages that do not grow without bound.
#[derive(Default)]
struct Answers {
    hashes: Vec<(Place, [u64; FAN_OUT])>,
    places: Vec<Place>,
    keys: Vec<(Key, u64)>,
    says: Vec<Says>,
}

impl Answers {
    /// Goes into what differs below a place.
    fn descend(&mut self, partition: Partition, tree: &Tree, place: Place) {
        let count = tree.count(place);
        if place.is_bucket() || count <= FEW {
            if self.keys.len() + count > NAMES_MAX {
                self.say_keys(partition);
            }
            self.places.push(place);
            self.keys.extend(tree.keys(place));
        } else {
            self.hashes.push((place, tree.children(place)));
            if self.hashes.len() == FAN_OUT {
                self.say_hashes(partition);
            }
        }
    }

    fn finish(&mut self, partition: Partition) {
        if !self.places.is_empty() {
            self.say_keys(partition);
        }
        if !self.hashes.is_empty() {
            self.say_hashes(partition);
        }
    }

    fn say_keys(&mut self, partition: Partition) {
        self.says.push(Says::Keys(partition, std::mem::take(&mut self.places), std::mem::take(&mut self.keys)));
    }

    fn say_hashes(&mut self, partition: Partition) {
        self.says.push(Says::Hashes(partition, std::mem::take(&mut self.hashes)));
    }
}

impl<D: Versioned> Dynamo<D> {
    /// Sets the alarm for the next round; for the first one at any time within a period, so that not all nodes begin at once.
    pub(super) fn plan_anti_entropy(&self, is_first: bool, ctx: &mut Ctx<'_, Self>) {
        let period = self.config.anti_entropy;
        if period > 0 {
            let after = if is_first { ctx.dice().below(period) } else { period };
            ctx.arm(Timer::AntiEntropy, after);
        }
    }

    /// Turns to the next node.
    pub(super) fn on_anti_entropy(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.plan_anti_entropy(false, ctx);
        let neighbours = self.neighbours();
        // Who comes after whom it turned to last, though the ring may have changed.
        let next = neighbours.range((Bound::Excluded(self.turned_to), Bound::Unbounded)).chain(&neighbours).next();
        let Some(&next) = next else { return };
        self.turned_to = next;
        self.forest.tend(&mut self.store, &self.ring, &self.config);
        let shared: Vec<Partition> = self.ring.partitions().filter(|partition| self.shares(*partition, next)).collect();
        for partitions in shared.chunks(NAMES_MAX) {
            let roots = partitions.iter().map(|partition| (*partition, self.forest.hash(*partition, Place::ROOT)));
            self.compare(next, Says::Roots(roots.collect()), ctx);
        }
    }

    /// Those who are at home where this node is.
    fn neighbours(&self) -> BTreeSet<NodeId> {
        let homes = self.ring.partitions().map(|partition| self.homes_of(partition));
        let shared = homes.filter(|homes| homes.contains(&self.me));
        shared.flatten().copied().filter(|node| *node != self.me).collect()
    }

    fn shares(&self, partition: Partition, node: NodeId) -> bool {
        let homes = self.homes_of(partition);
        homes.contains(&self.me) && homes.contains(&node)
    }

    /// The home nodes of a partition.
    pub(super) fn homes_of(&self, partition: Partition) -> &[NodeId] {
        self.ring.homes(partition)
    }

    /// Whether this node is a home node of a key.
    pub(super) fn is_home_of(&self, key: Key) -> bool {
        self.ring.now().homes_of(key).contains(&self.me)
    }

    fn compare(&self, to: NodeId, says: Says, ctx: &mut Ctx<'_, Self>) {
        let layout = self.ring.layout();
        self.send(to, Message::Compare(Comparison { layout, says }), ctx);
    }

    /// Another node compares its trees with this one's.
    pub(super) fn on_compare(&mut self, from: NodeId, comparison: Comparison, ctx: &mut Ctx<'_, Self>) {
        if comparison.layout != self.ring.layout() {
            return;
        }
        self.forest.tend(&mut self.store, &self.ring, &self.config);
        match comparison.says {
            Says::Roots(roots) => {
                for (partition, hash) in roots {
                    self.descend(from, partition, [(Place::ROOT, hash)], ctx);
                }
            }
            Says::Hashes(partition, hashes) => {
                let children = hashes.into_iter().flat_map(|(place, hashes)| place.children().zip(hashes));
                self.descend(from, partition, children, ctx);
            }
            Says::Keys(partition, places, keys) => self.on_keys(from, partition, &places, keys, ctx),
        }
    }

    /// Goes into the places where another node has other hashes.
    fn descend(
        &self,
        from: NodeId,
        partition: Partition,
        theirs: impl IntoIterator<Item = (Place, u64)>,
        ctx: &mut Ctx<'_, Self>,
    ) {
        let nothing = Tree::default();
        let tree = self.forest.trees.get(&partition).unwrap_or(&nothing);
        let mut answers = Answers::default();
        let differing = theirs.into_iter().filter(|(place, hash)| tree.hash(*place) != *hash);
        differing.for_each(|(place, _)| answers.descend(partition, tree, place));
        answers.finish(partition);
        answers.says.into_iter().for_each(|says| self.compare(from, says, ctx));
    }

    /// Another node names the keys that it has below some places.
    fn on_keys(
        &self,
        from: NodeId,
        partition: Partition,
        places: &[Place],
        keys: Vec<(Key, u64)>,
        ctx: &mut Ctx<'_, Self>,
    ) {
        let theirs: BTreeMap<Key, u64> = keys.into_iter().collect();
        let tree = self.forest.trees.get(&partition);
        let ours: BTreeMap<Key, u64> =
            tree.into_iter().flat_map(|tree| places.iter().flat_map(|place| tree.keys(*place))).collect();
        let all: BTreeSet<Key> = ours.keys().chain(theirs.keys()).copied().collect();
        let differing: Vec<Key> = all.into_iter().filter(|key| ours.get(key) != theirs.get(key)).collect();
        for keys in differing.chunks(OBJECTS_MAX) {
            let wanted = keys.iter().copied().filter(|key| theirs.contains_key(key)).collect();
            self.exchange(from, keys.iter().copied(), wanted, ctx);
        }
    }

    /// Sends what this node has of some keys, and asks for some.
    fn exchange(&self, to: NodeId, keys: impl Iterator<Item = Key>, wanted: Vec<Key>, ctx: &mut Ctx<'_, Self>) {
        let objects: Vec<(Key, Object)> = keys.filter_map(|key| Some((key, self.store.get(key)?.clone()))).collect();
        if !objects.is_empty() || !wanted.is_empty() {
            self.send(to, Message::Objects { objects, wanted }, ctx);
        }
    }

    /// Another node sends what it has, and asks for what it wants. What it would get back as it is, it does not get.
    pub(super) fn on_objects(
        &mut self,
        from: NodeId,
        objects: Vec<(Key, Object)>,
        wanted: &[Key],
        ctx: &mut Ctx<'_, Self>,
    ) {
        let theirs: BTreeMap<Key, Object> = objects.into_iter().collect();
        let mut is_behind = false;
        for (key, object) in &theirs {
            if self.ring.keeps(self.me, *key) {
                is_behind |= self.learns(*key, object, ctx);
            }
        }
        if is_behind {
            ctx.observe(Observation::Recovered(COMPARED));
        }
        let new = wanted.iter().copied().filter(|key| theirs.get(key) != self.store.get(*key));
        self.exchange(from, new, Vec::new(), ctx);
    }
}

#[cfg(test)]
mod tests;
