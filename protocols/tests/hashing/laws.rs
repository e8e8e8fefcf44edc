//! What holds for every ring, table and set of keys: each clever function beside a dumb twin.

use crate::{keys, nodes};
use proptest::prelude::*;
use protocols::hashing::bounded::Bounded;
use protocols::hashing::jump::{Jump, jump};
use protocols::hashing::maglev::Maglev;
use protocols::hashing::partitions::{Placement, Strategy as Partitioning};
use protocols::hashing::rendezvous::Rendezvous;
use protocols::hashing::ring::Ring;
use protocols::hashing::{Hash64, Owners};
use sim_core::dice::Ratio;
use sim_core::protocol::NodeId;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

/// Positions that meet and that lie around 0, and any others.
fn position() -> impl Strategy<Value = u64> {
    prop_oneof![0..6u64, (0..6u64).prop_map(|back| u64::MAX - back), any::<u64>()]
}

/// Few members with many tokens each, some at the same positions.
fn tokens() -> impl Strategy<Value = BTreeMap<u32, Vec<u64>>> {
    prop::collection::btree_map(0..5u32, prop::collection::vec(position(), 0..12), 0..5)
}

fn ring(tokens: &BTreeMap<u32, Vec<u64>>) -> Ring {
    let mut ring = Ring::default();
    tokens.iter().for_each(|(member, tokens)| ring.add(NodeId(*member), tokens.iter().copied()));
    ring
}

/// The dumb twin of a walk: everybody, by how far his nearest token is.
fn by_distance(tokens: &BTreeMap<u32, Vec<u64>>, position: u64) -> Vec<NodeId> {
    let nearest = |tokens: &Vec<u64>| tokens.iter().map(|token| token.wrapping_sub(position)).min();
    let distance = |(member, tokens): (&u32, &Vec<u64>)| Some((nearest(tokens)?, NodeId(*member)));
    let mut all: Vec<(u64, NodeId)> = tokens.iter().filter_map(distance).collect();
    all.sort_unstable();
    all.into_iter().map(|(_, member)| member).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Dynamo, 4.3: "the preference list for a key is constructed by skipping positions in the ring to ensure that the
    /// list contains only distinct physical nodes".
    #[test]
    fn a_walk_names_each_machine_once_and_the_nearest_first(tokens in tokens(), position in position()) {
        let ring = ring(&tokens);
        let expected = by_distance(&tokens, position);
        prop_assert_eq!(ring.owner(position), expected.first().copied());
        prop_assert_eq!(ring.walk(position).collect::<Vec<_>>(), expected);
    }

    /// Each position is in one arc, its owner's; together they are the whole ring.
    #[test]
    fn arcs_cover_the_ring(tokens in tokens(), positions in prop::collection::vec(position(), 20)) {
        let ring = ring(&tokens);
        let lengths: u128 = ring.ranges().map(|(arc, _)| arc.length()).sum();
        prop_assert_eq!(lengths, if ring.members().len() == 0 { 0 } else { 1 << 64 });
        for position in positions {
            let owners: Vec<NodeId> =
                ring.ranges().filter(|(arc, _)| arc.contains(position)).map(|(_, owner)| owner).collect();
            prop_assert_eq!(owners, Vec::from_iter(ring.owner(position)));
        }
    }

    /// A ring knows no history: who came and went leaves nothing.
    #[test]
    fn a_member_that_went_leaves_nothing(
        tokens in tokens(),
        extra in prop::collection::vec(position(), 1..12),
        who in 0..6u32,
    ) {
        let expected = ring(&tokens);
        let mut changed = expected.clone();
        changed.add(NodeId(who), extra);
        match tokens.get(&who) {
            Some(own) => changed.add(NodeId(who), own.iter().copied()),
            None => changed.remove(NodeId(who)),
        }
        prop_assert_eq!(&changed, &expected);
        let mut backwards = Ring::default();
        tokens.iter().rev().for_each(|(member, tokens)| backwards.add(NodeId(*member), tokens.iter().copied()));
        prop_assert_eq!(backwards, expected);
    }

    /// The formula of the paper's figure 1, which it has in floating-point numbers.
    #[test]
    fn jump_is_what_the_paper_computes(key: u64, buckets in prop_oneof![1..100u32, 1..=u32::MAX]) {
        let (mut random, mut bucket, mut next) = (key, 0, 0);
        while next < i64::from(buckets) {
            bucket = next;
            random = random.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
            next = ((bucket + 1) as f64 * ((1u64 << 31) as f64 / ((random >> 33) + 1) as f64)) as i64;
        }
        prop_assert_eq!(jump(key, buckets).map(i64::from), Some(bucket));
    }

    #[test]
    fn a_maglev_table_gives_everybody_as_much(
        count in 1..40u32,
        prime in prop::sample::select(vec![41u32, 101, 251]),
        seed: u64,
    ) {
        let members = nodes(count);
        let table = Maglev::new(Hash64::new(seed), &members, prime).expect("a prime");
        prop_assert_eq!(table.slots().len(), prime as usize);
        let has = |member: &NodeId| table.slots().iter().filter(|owner| *owner == member).count();
        let (least, rest) = (prime / count, prime % count);
        // The first in turn have one more.
        for (turn, member) in (0..).zip(&members) {
            prop_assert_eq!(has(member), (least + u32::from(turn < rest)) as usize);
        }
        prop_assert!(keys(50).all(|key| table.owner(key).is_some_and(|owner| members.contains(&owner))));
    }
}

#[test]
fn a_maglev_table_must_be_prime_and_large_enough() {
    let table = |count, size| Maglev::new(Hash64::new(0), &nodes(count), size);
    for composite in [0, 1, 4, 9, 65_536, 65_535, 4_294_836_225] {
        assert!(table(1, composite).is_err(), "{composite}");
    }
    assert!(table(7, 7).is_ok());
    assert!(table(8, 7).is_err());
    assert_eq!(table(0, 2).map(|table| table.owner(1)), Ok(None));
}

#[test]
fn among_nobody_nobody_owns() {
    assert_eq!(Ring::default().owner(1), None);
    assert_eq!(jump(1, 0), None);
    let mut bounded = Bounded::new(Ratio::ZERO);
    assert_eq!((bounded.insert(1), bounded.cap()), (None, 0));
}

/// Seeds mean something: whose a key is today, it is for ever.
#[test]
fn owners_stay_who_they_are() {
    let hash = Hash64::new(7);
    assert_eq!(hash.key(b"x"), 5_060_393_328_759_758_867);
    let weights = || (0..9).map(|id| (NodeId(id), id + 1));
    let ring = Ring::of(hash, weights());
    let jump = Jump { members: nodes(9).into_iter().collect() };
    let rendezvous = Rendezvous::weighted(hash, weights());
    let maglev = Maglev::new(hash, &nodes(9), 101).expect("a prime");
    let shares = Partitioning::EqualShares { partitions: NonZeroU32::new(64).expect("some") };
    let placement = Placement::new(shares, &nodes(9), hash);
    let owners = |all: &dyn Owners| -> Vec<u32> {
        (0..8).filter_map(|key| all.owner(hash.number(key))).map(|id| id.0).collect()
    };
    assert_eq!(owners(&ring), [8, 7, 4, 8, 2, 3, 5, 4]);
    assert_eq!(owners(&jump), [6, 0, 6, 2, 8, 8, 7, 7]);
    assert_eq!(owners(&rendezvous), [8, 5, 6, 7, 8, 8, 8, 7]);
    assert_eq!(owners(&maglev), [8, 1, 3, 8, 6, 0, 4, 3]);
    assert_eq!(owners(&placement), [1, 8, 5, 0, 0, 6, 3, 0]);
}

/// What can happen to a set with bounded loads.
#[derive(Clone, Debug)]
enum Event {
    Insert(u64),
    Remove(u64),
    Join(u32, Vec<u64>),
    Leave(u32),
}

fn event() -> impl Strategy<Value = Event> {
    // Few keys, so that they are met again; they are spread over the ring, and two lie at tokens.
    let key = || (0..60u64).prop_map(|number| if number < 2 { number } else { Hash64::new(1).number(number) });
    prop_oneof![
        6 => key().prop_map(Event::Insert),
        3 => key().prop_map(Event::Remove),
        1 => (0..8u32, prop::collection::vec(position(), 0..4)).prop_map(|(who, tokens)| Event::Join(who, tokens)),
        1 => (0..8u32).prop_map(Event::Leave),
    ]
}

/// Nobody is above the cap, nobody was walked past who has room, and the books are right.
fn check(bounded: &Bounded) -> Result<(), TestCaseError> {
    let members: BTreeSet<NodeId> = bounded.ring().members().collect();
    prop_assert_eq!(&members, &bounded.loads().keys().copied().collect::<BTreeSet<_>>());
    for (member, load) in bounded.loads() {
        prop_assert!(*load <= bounded.cap(), "{} has {}, above {}", member, load, bounded.cap());
        prop_assert_eq!(*load, bounded.keys().values().filter(|owner| *owner == member).count() as u64);
    }
    for (key, owner) in bounded.keys() {
        let mut passed = bounded.ring().walk(*key).take_while(|member| member != owner);
        prop_assert!(passed.all(|member| bounded.loads()[&member] == bounded.cap()), "{} walked past room", key);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Mirrokni et al. 2018, section 2: the cap holds after everything that happens, and keys are where they should be.
    #[test]
    fn loads_stay_bounded(
        numerator in 0..5u64,
        denominator in 1..4u64,
        events in prop::collection::vec(event(), 1..150),
    ) {
        let mut bounded = Bounded::new(Ratio::new(numerator, denominator));
        let mut expected = BTreeSet::new();
        for event in events {
            let before = bounded.clone();
            match event {
                Event::Insert(key) => {
                    bounded.insert(key);
                    expected.insert(key);
                    if bounded.cap() == before.cap() {
                        let stays = |(key, owner): (&u64, &NodeId)| bounded.owner_of(*key) == Some(*owner);
                        prop_assert!(before.keys().iter().all(stays), "a new key moved another");
                    }
                }
                Event::Remove(key) => {
                    bounded.remove(key);
                    expected.remove(&key);
                }
                Event::Join(who, tokens) => bounded.add_member(NodeId(who), tokens),
                Event::Leave(who) => bounded.remove_member(NodeId(who)),
            }
            if bounded.loads().is_empty() {
                expected.clear();
            }
            prop_assert_eq!(&expected, &bounded.keys().keys().copied().collect::<BTreeSet<_>>());
            check(&bounded)?;
        }
    }
}
