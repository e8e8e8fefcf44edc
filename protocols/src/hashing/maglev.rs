//! Maglev hashing: a table in which every member has nearly the same number of slots.
//!
//! Each member would like the slots in an order of its own: a permutation that starts at a random *offset* and goes on by a
//! random *skip*. They take turns, and whoever's turn it is takes the first slot on its list that is still free, until
//! none is. So nobody has more than one slot above anybody else, and a key needs one look. When a member leaves, its slots are free
//! for others, but turns and therefore some other slots change too: least disruption was given up for evenness.
//!
//! The table's size must be prime, or a skip could share a divisor with it, and miss slots for ever. With more than a hundred
//! slots a member, shares differ by less than 1 %.
//!
//! Eisenbud et al., *Maglev: A Fast and Reliable Software Network Load Balancer*, NSDI 2016, 3.4.

use super::{Hash64, Owners};
use sim_core::protocol::NodeId;
use std::collections::BTreeSet;

/// The filled table. Empty if there are no members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maglev {
    slots: Vec<NodeId>,
}

impl Maglev {
    /// A table of so many slots for these members.
    ///
    /// # Errors
    /// Why it cannot be of this size.
    pub fn new(hash: Hash64, members: &BTreeSet<NodeId>, size: u32) -> Result<Self, String> {
        if !is_prime(size) {
            return Err(format!("a Maglev table of {size} slots: the size must be prime"));
        }
        if members.len() > size as usize {
            return Err(format!("{} members do not fit into a table of {size} slots", members.len()));
        }
        Ok(Maglev { slots: fill(hash, members, u64::from(size)) })
    }

    /// The members of the slots, in their order.
    pub fn slots(&self) -> &[NodeId] {
        &self.slots
    }
}

impl Owners for Maglev {
    fn owner(&self, position: u64) -> Option<NodeId> {
        let slot = position.checked_rem(self.slots.len() as u64)?;
        self.slots.get(slot as usize).copied()
    }
}

/// The slots in the order in which a member wants them.
struct Wishes {
    member: NodeId,
    next: u64,
    skip: u64,
}

impl Wishes {
    fn of(hash: Hash64, member: NodeId, size: u64) -> Self {
        let mut two = hash.tokens(member, 2);
        let mut draw = |below: u64| two.next().map_or(0, |token| token % below);
        Wishes { member, next: draw(size), skip: draw(size - 1) + 1 }
    }

    fn take(&mut self, size: u64) -> usize {
        let wish = self.next;
        self.next = (wish + self.skip) % size;
        wish as usize
    }
}

/// Figure `Populate` of the paper.
fn fill(hash: Hash64, members: &BTreeSet<NodeId>, size: u64) -> Vec<NodeId> {
    let mut wishes: Vec<Wishes> = members.iter().map(|member| Wishes::of(hash, *member, size)).collect();
    if wishes.is_empty() {
        return Vec::new();
    }
    let mut slots: Vec<Option<NodeId>> = vec![None; size as usize];
    for turn in 0..slots.len() {
        let place = turn % wishes.len();
        let wishes = &mut wishes[place];
        // A permutation of a prime size names every slot, and one is free.
        let free = std::iter::repeat_with(|| wishes.take(size)).find(|slot| slots[*slot].is_none());
        if let Some(slot) = free {
            slots[slot] = Some(wishes.member);
        }
    }
    slots.into_iter().flatten().collect()
}

fn is_prime(number: u32) -> bool {
    number >= 2 && (2..=number.isqrt()).all(|divisor| !number.is_multiple_of(divisor))
}
