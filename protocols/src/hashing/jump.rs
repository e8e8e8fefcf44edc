//! Jump consistent hash: no table, no tokens, a few divisions.
//!
//! Imagine the buckets being added one by one. When the (j+1)-th comes, each key jumps to it with probability 1/(j+1), and
//! else stays where it is; so all buckets hold the same share at any time, and keys only ever move to the newest. Whether a
//! key jumps is drawn from a random sequence that depends on nothing but the key. Since only the last jump counts, it is not
//! drawn bucket by bucket: from bucket b the next jump is to j or beyond with probability (b+1)/j, so one draw r finds
//! it, at ⌊(b+1)/r⌋. That makes ln n draws.
//!
//! Buckets are numbered, so a member in the middle cannot leave without somebody taking its number.
//!
//! Lamping & Veach, *A Fast, Minimal Memory, Consistent Hash Algorithm*, 2014. Theirs divides floating-point numbers; here
//! the same quotient is exact.

use super::Owners;
use sim_core::protocol::NodeId;

/// The bucket of a position among so many; none among none.
pub fn jump(position: u64, buckets: u32) -> Option<u32> {
    let mut random = position;
    let (mut bucket, mut next) = (None, 0);
    while next < u64::from(buckets) {
        bucket = Some(next as u32);
        random = random.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        // r is the upper 31 bits of the sequence, as a share of 2^31, and not 0.
        let upper = (random >> 33) + 1;
        next = ((next + 1) << 31) / upper;
    }
    bucket
}

/// Members in the order of their numbers. Whoever is appended takes a fair share from everybody else; whoever is last can go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jump {
    /// Bucket by bucket.
    pub members: Vec<NodeId>,
}

impl Owners for Jump {
    fn owner(&self, position: u64) -> Option<NodeId> {
        let buckets = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        jump(position, buckets).map(|bucket| self.members[bucket as usize])
    }
}
