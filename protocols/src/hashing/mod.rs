//! Whose a key is: ways to spread keys over members so that everybody who knows the same members gives the same answer,
//! and few keys move when the members change.
//!
//! The simplest is `hash(key) % n`. It is even, and useless: from n to n + 1 nearly every key moves. Each file here buys a
//! small move with something else:
//!
//! | | an owner costs | shares | when a member comes or goes |
//! |---|---|---|---|
//! | [`ring`] | log of all tokens | uneven by 1/√v with v tokens each | only its own keys move |
//! | [`rendezvous`] | all members | as even as chance | only its own keys move |
//! | [`jump`] | log of the members | as even as chance | the same, but only the last can go |
//! | [`maglev`] | one look into a table | even to a slot | its own, and a few others |
//! | [`bounded`] | a walk on a ring | never above a cap | its own, and those the cap moves |
//! | [`partitions`] | log of the partitions | by strategy | by strategy |
//!
//! A key is a *position*: its hash, 64 bits wide. All is in integers, and a function of arguments: two nodes, or two
//! machines, that disagreed about an owner would be a bug that no protocol could heal.

use sim_core::protocol::NodeId;
use xxhash_rust::xxh3::xxh3_64_with_seed;

pub mod bounded;
pub mod jump;
pub mod maglev;
pub mod partitions;
pub mod rendezvous;
pub mod ring;

/// A way to find the one member that a position belongs to.
pub trait Owners {
    /// The owner, or nobody if there are no members.
    fn owner(&self, position: u64) -> Option<NodeId>;
}

/// A family of hash functions: another seed spreads everything otherwise. The same on every machine and in every version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash64 {
    seed: u64,
}

impl Hash64 {
    /// Those of this seed.
    pub const fn new(seed: u64) -> Self {
        Hash64 { seed }
    }

    /// Where a key is.
    pub fn key(self, bytes: &[u8]) -> u64 {
        self.of("key", bytes)
    }

    /// Where the key of such a number is.
    pub fn number(self, number: u64) -> u64 {
        self.of("number", &number.to_le_bytes())
    }

    /// Where a member is, by itself.
    pub fn member(self, member: NodeId) -> u64 {
        self.of("member", &member.0.to_le_bytes())
    }

    /// Where a member's first `count` tokens are. More of them begin with these, so a member that grows keeps what it has.
    pub fn tokens(self, member: NodeId, count: u32) -> impl Iterator<Item = u64> {
        (0..count).map(move |index| {
            let name = u64::from(member.0) << 32 | u64::from(index);
            self.of("token", &name.to_le_bytes())
        })
    }

    /// For each use a function of its own, so that no token lies where a key lies for more than chance.
    fn of(self, purpose: &str, bytes: &[u8]) -> u64 {
        xxh3_64_with_seed(bytes, xxh3_64_with_seed(purpose.as_bytes(), self.seed))
    }
}

/// Two hashes as one, each bit of which depends on all of theirs. Much cheaper than to hash again what they are hashes of,
/// for whoever needs one for every pair of a key and a member. (The last step of SplitMix64, of Stafford's constants: for
/// one of the two it is a bijection of the other, so two members never meet.)
pub(crate) const fn pair(one: u64, other: u64) -> u64 {
    let mut mixed = one ^ other;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
