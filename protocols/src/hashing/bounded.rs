//! Consistent hashing with bounded loads: a ring on which nobody gets more than a little above the average.
//!
//! On a ring alone some member always has a good deal more than its share, and with few keys chance adds its own. So let
//! nobody have more than ⌈(1 + ε) m / n⌉ of m keys among n members. A key that comes to a member that is full goes on clockwise to the
//! first that is not. Somebody always has room, since n caps make at least m.
//!
//! What makes it consistent is the law that **no key has walked past a member with room**. Where a place comes free, because a key
//! left, a member came, or the cap grew with m, a key that had walked past comes back to it; that frees the place it came from,
//! and so on. Each such move shortens a walk, so it ends. And when the cap falls, members above it pass keys on. A
//! key that comes moves nobody else, unless the cap grows with it.
//!
//! Where keys are depends on the order of what happened, not on keys and members alone: this is for whoever keeps
//! books (a load balancer of its connections), not for nodes that must agree without talking.
//!
//! Mirrokni, Thorup & Zadimoghaddam, *Consistent Hashing with Bounded Loads*, SODA 2018.

use super::ring::Ring;
use sim_core::dice::Ratio;
use sim_core::protocol::NodeId;
use std::collections::{BTreeMap, BTreeSet};

/// Keys, the members they are with, and how many each may have.
#[derive(Clone, Debug)]
pub struct Bounded {
    slack: Ratio,
    ring: Ring,
    /// By position. Two keys at one position are one key.
    keys: BTreeMap<u64, NodeId>,
    /// How many each member of the ring has.
    loads: BTreeMap<NodeId, u64>,
    /// Keys that are not with the owner of their position: all that could come back.
    away: BTreeSet<u64>,
}

impl Bounded {
    /// Nobody yet, and ε.
    pub fn new(slack: Ratio) -> Self {
        let (keys, loads, away) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Bounded { slack, ring: Ring::default(), keys, loads, away }
    }

    /// ⌈(1 + ε) m / n⌉: what nobody is above. 0 without members.
    pub fn cap(&self) -> u64 {
        let Ratio { numerator, denominator } = self.slack;
        let keys = (u128::from(numerator) + u128::from(denominator)) * self.keys.len() as u128;
        let members = u128::from(denominator) * self.loads.len() as u128;
        let cap = if members == 0 { 0 } else { keys.div_ceil(members) };
        u64::try_from(cap).unwrap_or(u64::MAX)
    }

    /// How many keys each member has.
    pub fn loads(&self) -> &BTreeMap<NodeId, u64> {
        &self.loads
    }

    /// Whom a key is with.
    pub fn owner_of(&self, key: u64) -> Option<NodeId> {
        self.keys.get(&key).copied()
    }

    /// Every key, and whom it is with.
    pub fn keys(&self) -> &BTreeMap<u64, NodeId> {
        &self.keys
    }

    /// The members and their tokens.
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// Takes a key in, and says with whom. A key that is there stays; without members there is nowhere to be.
    pub fn insert(&mut self, key: u64) -> Option<NodeId> {
        if self.keys.contains_key(&key) {
            return self.owner_of(key);
        }
        let before = self.cap();
        // It counts before it has a place: the cap that it raises holds for it too.
        self.keys.insert(key, self.ring.walk(key).next()?);
        self.place(key);
        if self.cap() > before {
            self.come_back();
        }
        self.owner_of(key)
    }

    /// Lets a key go.
    pub fn remove(&mut self, key: u64) {
        if let Some(owner) = self.keys.remove(&key) {
            self.away.remove(&key);
            self.lighten(owner);
            self.pass_on();
            self.come_back();
        }
    }

    /// A member comes with its tokens, or has others from now on; without tokens it goes.
    pub fn add_member(&mut self, member: NodeId, tokens: impl IntoIterator<Item = u64>) {
        self.ring.add(member, tokens);
        self.members_changed();
    }

    /// A member goes. With the last one go all keys.
    pub fn remove_member(&mut self, member: NodeId) {
        self.ring.remove(member);
        self.members_changed();
    }

    fn members_changed(&mut self) {
        let loads = &self.loads;
        self.loads = self.ring.members().map(|member| (member, loads.get(&member).copied().unwrap_or(0))).collect();
        if self.loads.is_empty() {
            self.keys.clear();
        }
        let (ring, loads) = (&self.ring, &self.loads);
        let is_away = |(key, owner): (&u64, &NodeId)| (ring.walk(*key).next() != Some(*owner)).then_some(*key);
        self.away = self.keys.iter().filter_map(is_away).collect();
        let is_homeless = |(key, owner): (&u64, &NodeId)| (!loads.contains_key(owner)).then_some(*key);
        let homeless: Vec<u64> = self.keys.iter().filter_map(is_homeless).collect();
        homeless.into_iter().for_each(|key| self.place(key));
        self.pass_on();
        self.come_back();
    }

    /// The first member with room on a key's way. There is one for every key that is with nobody, or with one above the cap.
    fn first_with_room(&self, key: u64) -> Option<NodeId> {
        let cap = self.cap();
        self.ring.walk(key).find(|member| self.loads[member] < cap)
    }

    /// Gives a key that is with nobody to the first with room.
    fn place(&mut self, key: u64) {
        let Some(owner) = self.first_with_room(key) else { return };
        self.keys.insert(key, owner);
        *self.loads.entry(owner).or_default() += 1;
        if self.ring.walk(key).next() == Some(owner) {
            self.away.remove(&key);
        } else {
            self.away.insert(key);
        }
    }

    fn lighten(&mut self, owner: NodeId) {
        if let Some(load) = self.loads.get_mut(&owner) {
            *load -= 1;
        }
    }

    /// Whoever is above the cap passes keys on, the highest first.
    fn pass_on(&mut self) {
        let cap = self.cap();
        if self.loads.values().all(|load| *load <= cap) {
            return;
        }
        let keys: Vec<(u64, NodeId)> = self.keys.iter().rev().map(|(key, owner)| (*key, *owner)).collect();
        for (key, owner) in keys {
            if self.loads[&owner] > cap {
                // Placed first, so that it cannot come to where it is: that one is above the cap still.
                self.place(key);
                self.lighten(owner);
            }
        }
    }

    /// Keys come back to members with room that they have walked past, until there are no such members.
    fn come_back(&mut self) {
        loop {
            let mut has_moved = false;
            for key in self.away.clone() {
                let owner = self.keys[&key];
                let cap = self.cap();
                let on_its_way = self.ring.walk(key).take_while(|member| *member != owner);
                let has_room = on_its_way.into_iter().any(|member| self.loads[&member] < cap);
                if has_room {
                    self.place(key);
                    self.lighten(owner);
                    has_moved = true;
                }
            }
            if !has_moved {
                return;
            }
        }
    }
}
