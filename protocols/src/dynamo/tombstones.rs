//! When a deleted key may be forgotten.
//!
//! A delete leaves a tombstone: a version that says that there is nothing. It has to stay as long as an older version is
//! about, for it is all that keeps that one out. A node that was away while others deleted and forgot would bring the old value
//! back, and nobody could tell it from a new one. So home nodes forget a tombstone *together*:
//!
//! 1. The first home node of the key has had the tombstone, unchanged, for at least `tombstone-grace`, and asks the others: "do
//!    you have just this, and do you name the same home nodes?"
//! 2. When all of them have said yes, no home node has anything older, or can take it again: it would know it for replaced.
//! 3. So it forgets, and tells them to.
//!
//! What was asked is remembered until the next round. A message that is lost leaves the tombstone with some; anti-entropy gives it
//! back to the others, and a grace later they agree again. While a home node is down nothing is forgotten.
//!
//! **What else could bring it back** has left no trace with home nodes: a hint for one of them that somebody still keeps, and a
//! message still under way. Both were made before the delete, or soon after it. So the grace has to be longer than hints
//! live (`hint-window`; settings that are not are refused) and than messages take, and then nothing deleted comes back.
//! A home node that said yes and loses its disk before the others agree, or whose journal is spoilt after all have
//! forgotten, can: no more than elsewhere do promises outlive the disks they are written on.
//!
//! **While the ring changes** the home nodes by the ring as it is and by the ring as it will be have to agree. Who kept the key
//! before an earlier change, and was away when the others forgot it, can still hand an old value over.
//!
//! Ages are counted in rounds, one every `tombstone-grace` of the node's own monotonic time: what a round finds as the last one
//! left it is old enough. A restart begins anew, which only makes them wait longer. Stamps would say how old a tombstone is,
//! but wall clocks are wrong, and what matters is how long it has been *here*.

use super::data::Versioned;
use super::flaws::PURGES_BY_AGE;
use super::{Dynamo, Message, Timer};
use history::Key;
use serde::Serialize;
use sim_core::protocol::{Ctx, NodeId};
use std::collections::{BTreeMap, BTreeSet};

/// At most so many go into one message.
const TOMBSTONES_MAX: usize = 64;

/// A tombstone by its key and the digest of its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Tombstone {
    /// Of which key.
    pub key: Key,
    /// The same wherever the same is kept.
    pub digest: u64,
}

/// What a node knows of its tombstones.
#[derive(Clone, Debug, Default)]
pub struct Tombstones {
    /// What the last round found.
    found: BTreeSet<Tombstone>,
    /// Which home nodes have those that this node has asked about since.
    agreed: BTreeMap<Tombstone, BTreeSet<NodeId>>,
}

impl<D: Versioned> Dynamo<D> {
    /// Sets the alarm for the next round.
    pub(super) fn plan_tombstones(&self, is_first: bool, ctx: &mut Ctx<'_, Self>) {
        let period = self.config.tombstone_grace;
        let after = if is_first { ctx.dice().below(period) } else { period };
        ctx.arm(Timer::Tombstones, after);
    }

    /// Looks which tombstones are old enough.
    pub(super) fn on_tombstones(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.plan_tombstones(false, ctx);
        let all = self.store.iter().filter(|(_, object)| object.is_tombstone());
        let found: BTreeSet<Tombstone> = all.map(|(key, object)| Tombstone { key, digest: object.digest() }).collect();
        let old: Vec<Tombstone> = found.intersection(&self.tombstones.found).copied().collect();
        self.tombstones = Tombstones { found, agreed: BTreeMap::new() };
        if self.config.flaws.has(&PURGES_BY_AGE) {
            // The mistake D01: being old is enough.
            return self.forget(&old, ctx);
        }
        for (homes, tombstones) in self.by_homes(old) {
            let Some((first, others)) = homes.split_first() else { continue };
            if *first != self.me {
                continue;
            }
            self.tombstones.agreed.extend(tombstones.iter().map(|tombstone| (*tombstone, BTreeSet::new())));
            for tombstones in tombstones.chunks(TOMBSTONES_MAX) {
                let ask = || Message::MayForget { homes: homes.clone(), tombstones: tombstones.to_vec() };
                others.iter().for_each(|node| self.send(*node, ask(), ctx));
            }
            self.forget_agreed(&tombstones, ctx);
        }
    }

    fn by_homes(&self, tombstones: Vec<Tombstone>) -> BTreeMap<Vec<NodeId>, Vec<Tombstone>> {
        let mut by_homes: BTreeMap<Vec<NodeId>, Vec<Tombstone>> = BTreeMap::new();
        for tombstone in tombstones {
            let homes = self.ring.keepers(tombstone.key);
            by_homes.entry(homes).or_default().push(tombstone);
        }
        by_homes
    }

    fn has(&self, tombstone: Tombstone) -> bool {
        let object = self.store.get(tombstone.key);
        object.is_some_and(|object| object.is_tombstone() && object.digest() == tombstone.digest)
    }

    /// The first of these home nodes asks which of its tombstones this one has too. What it says is on disk: this node's
    /// records go there before its answer leaves.
    pub(super) fn on_may_forget(
        &mut self,
        from: NodeId,
        homes: &[NodeId],
        tombstones: Vec<Tombstone>,
        ctx: &mut Ctx<'_, Self>,
    ) {
        let is_agreed = |tombstone: &Tombstone| self.has(*tombstone) && self.ring.keepers(tombstone.key) == homes;
        let tombstones: Vec<Tombstone> = tombstones.into_iter().filter(is_agreed).collect();
        if !tombstones.is_empty() {
            self.send(from, Message::HasToo { tombstones }, ctx);
        }
    }

    /// Another home node has these too.
    pub(super) fn on_has_too(&mut self, from: NodeId, tombstones: &[Tombstone], ctx: &mut Ctx<'_, Self>) {
        for tombstone in tombstones {
            if let Some(agreed) = self.tombstones.agreed.get_mut(tombstone) {
                agreed.insert(from);
            }
        }
        self.forget_agreed(tombstones, ctx);
    }

    /// Forgets those of these that all home nodes have, and tells them to.
    fn forget_agreed(&mut self, tombstones: &[Tombstone], ctx: &mut Ctx<'_, Self>) {
        let is_agreed = |tombstone: &Tombstone| {
            let Some(agreed) = self.tombstones.agreed.get(tombstone) else { return false };
            let homes = self.ring.keepers(tombstone.key);
            self.has(*tombstone) && homes.iter().all(|node| *node == self.me || agreed.contains(node))
        };
        let agreed: Vec<Tombstone> = tombstones.iter().copied().filter(is_agreed).collect();
        self.forget(&agreed, ctx);
        for (homes, tombstones) in self.by_homes(agreed) {
            for node in homes.iter().filter(|node| **node != self.me) {
                self.send(*node, Message::Forget { tombstones: tombstones.clone() }, ctx);
            }
        }
    }

    /// Forgets these, if they are still as they were.
    pub(super) fn forget(&mut self, tombstones: &[Tombstone], ctx: &mut Ctx<'_, Self>) {
        for tombstone in tombstones {
            if self.has(*tombstone)
                && let Some(record) = self.store.drop_key(tombstone.key)
            {
                self.write(record, ctx);
            }
        }
    }
}

#[cfg(test)]
mod tests;
