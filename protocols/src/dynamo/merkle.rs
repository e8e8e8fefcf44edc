//! Hash trees: what two nodes have of a range of keys, as one number; and where they differ, by few (4.7).
//!
//! "A Merkle tree is a hash tree where leaves are hashes of the values of individual keys. Parent nodes higher in the tree are
//! hashes of their respective children." Two nodes whose roots are equal have the same. Where they are not, the children
//! tell which part to look into, and so on.
//!
//! Here keys are spread evenly over [`BUCKETS`], the lowest places of the tree, each of which hashes its keys' hashes; above
//! them every place hashes its [`FAN_OUT`] children. Places are fixed by the key alone, so that trees of two nodes can be
//! laid beside each other. Empty places take no room, and hash to 0.
//!
//! Whoever compares need not go down to the buckets: a place with few keys is told by naming these.

use history::Key;
use serde::Serialize;
use sim_core::wire::Fingerprint;
use std::collections::BTreeMap;

/// How many children a place has.
pub const FAN_OUT: usize = 1 << BITS;
/// So many bits of a bucket's number are decided at each level.
const BITS: u32 = 4;
/// The level of buckets; the root's is 0.
const LEVELS: u8 = 3;
/// How many buckets there are.
const BUCKETS: u32 = 1 << (BITS * LEVELS as u32);

/// A place in a tree: the bits of a bucket's number that are decided there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    level: u8,
    index: u32,
}

impl Place {
    /// All keys.
    pub const ROOT: Place = Place { level: 0, index: 0 };

    /// The places below it; none below a bucket.
    pub fn children(self) -> impl Iterator<Item = Place> {
        let children = if self.is_bucket() { 0 } else { FAN_OUT as u32 };
        (0..children).map(move |child| Place { level: self.level + 1, index: self.index << BITS | child })
    }

    /// Whether there are only keys below it.
    pub fn is_bucket(self) -> bool {
        self.level == LEVELS
    }

    fn bucket_of(key: Key) -> Place {
        // Fibonacci hashing: neighbours among the keys fall far from each other.
        let spread = u64::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Place { level: LEVELS, index: (spread >> (64 - BUCKETS.trailing_zeros())) as u32 }
    }

    fn parent(self) -> Option<Place> {
        let level = self.level.checked_sub(1)?;
        Some(Place { level, index: self.index >> BITS })
    }

    /// The numbers of the buckets below it, from the first to the last.
    fn buckets(self) -> (u32, u32) {
        let below = BITS * u32::from(LEVELS - self.level);
        let first = self.index << below;
        (first, first + (1 << below) - 1)
    }
}

/// The hash tree of some keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// The hash of each key, by bucket.
    keys: BTreeMap<(u32, Key), u64>,
    /// What is not empty.
    places: BTreeMap<Place, Branch>,
}

/// A place that is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Branch {
    hash: u64,
    /// How many keys are below it.
    keys: usize,
}

impl Tree {
    /// Sets the hash of a key, or takes the key out, and hashes the path to it anew.
    pub fn set(&mut self, key: Key, hash: Option<u64>) {
        let bucket = Place::bucket_of(key);
        let before = match hash {
            Some(hash) => self.keys.insert((bucket.index, key), hash),
            None => self.keys.remove(&(bucket.index, key)),
        };
        if before == hash {
            return;
        }
        let mut next = Some(bucket);
        while let Some(place) = next {
            match self.hashed(place) {
                Some(branch) => self.places.insert(place, branch),
                None => self.places.remove(&place),
            };
            next = place.parent();
        }
    }

    /// The hash of a place; 0 if it is empty.
    pub fn hash(&self, place: Place) -> u64 {
        self.places.get(&place).map_or(0, |branch| branch.hash)
    }

    /// The hashes of a place's children.
    pub fn children(&self, place: Place) -> [u64; FAN_OUT] {
        let mut hashes = [0; FAN_OUT];
        hashes.iter_mut().zip(place.children()).for_each(|(hash, child)| *hash = self.hash(child));
        hashes
    }

    /// How many keys are below a place.
    pub fn count(&self, place: Place) -> usize {
        self.places.get(&place).map_or(0, |branch| branch.keys)
    }

    /// The keys below a place, with their hashes.
    pub fn keys(&self, place: Place) -> impl Iterator<Item = (Key, u64)> + '_ {
        let (first, last) = place.buckets();
        self.keys.range((first, Key::MIN)..=(last, Key::MAX)).map(|((_, key), hash)| (*key, *hash))
    }

    fn hashed(&self, place: Place) -> Option<Branch> {
        let mut hash = Fingerprint::default();
        let mut keys = 0;
        if place.is_bucket() {
            for (key, its) in self.keys(place) {
                hash.word(u64::from(key));
                hash.word(its);
                keys += 1;
            }
        } else {
            for child in place.children() {
                hash.word(self.hash(child));
                keys += self.count(child);
            }
        }
        // 0 stands for an empty place.
        (keys > 0).then(|| Branch { hash: hash.digest().max(1), keys })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree(keys: &BTreeMap<Key, u64>) -> Tree {
        let mut tree = Tree::default();
        keys.iter().for_each(|(key, hash)| tree.set(*key, Some(*hash)));
        tree
    }

    /// The keys that differ, found by going down from the root.
    fn differing(one: &Tree, other: &Tree, place: Place, found: &mut BTreeMap<Key, ()>) {
        if one.hash(place) == other.hash(place) {
            return;
        }
        place.children().for_each(|child| differing(one, other, child, found));
        if place.is_bucket() {
            let (one, other): (BTreeMap<_, _>, BTreeMap<_, _>) =
                (one.keys(place).collect(), other.keys(place).collect());
            let all = one.keys().chain(other.keys());
            found.extend(all.filter(|key| one.get(key) != other.get(key)).map(|key| (*key, ())));
        }
    }

    fn contents() -> impl Strategy<Value = BTreeMap<Key, u64>> {
        prop::collection::btree_map(prop_oneof![0..40_u32, any::<u32>()], 1..6_u64, 0..60)
    }

    proptest! {
        #[test]
        fn trees_are_equal_where_their_keys_are_and_tell_where_they_differ(one in contents(), other in contents()) {
            let (first, second) = (tree(&one), tree(&other));
            prop_assert_eq!(first.hash(Place::ROOT) == second.hash(Place::ROOT), one == other);
            let mut found = BTreeMap::new();
            differing(&first, &second, Place::ROOT, &mut found);
            let all = one.keys().chain(other.keys());
            let expected: BTreeMap<Key, ()> =
                all.filter(|key| one.get(key) != other.get(key)).map(|key| (*key, ())).collect();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(first.count(Place::ROOT), one.len());
            prop_assert_eq!(first.keys(Place::ROOT).collect::<BTreeMap<_, _>>(), one);
        }

        #[test]
        fn a_tree_that_was_changed_is_the_tree_built_anew(before in contents(), after in contents()) {
            let mut changed = tree(&before);
            before.keys().filter(|key| !after.contains_key(key)).for_each(|key| changed.set(*key, None));
            after.iter().for_each(|(key, hash)| changed.set(*key, Some(*hash)));
            prop_assert_eq!(changed, tree(&after));
        }
    }

    #[test]
    fn neighbours_spread_over_the_buckets() {
        let tree = tree(&(0..4 * BUCKETS).map(|key| (key, 1)).collect());
        let fullest = tree.places.iter().filter(|(place, _)| place.is_bucket()).map(|(_, branch)| branch.keys).max();
        assert_eq!(fullest, Some(5));
    }
}
