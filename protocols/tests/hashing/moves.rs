//! How few keys move when a member comes or goes.

use crate::{assert_near, keys, mean, nodes};
use proptest::prelude::*;
use protocols::hashing::jump::Jump;
use protocols::hashing::maglev::Maglev;
use protocols::hashing::rendezvous::Rendezvous;
use protocols::hashing::ring::Ring;
use protocols::hashing::{Hash64, Owners};
use sim_core::protocol::NodeId;
use std::collections::BTreeMap;

/// From whom to whom keys go, between two states of the world.
fn moves(before: &impl Owners, after: &impl Owners, count: u64) -> Vec<(NodeId, NodeId)> {
    let owners = |key| Some((before.owner(key)?, after.owner(key)?));
    keys(count).filter_map(owners).filter(|(from, to)| from != to).collect()
}

fn without(weights: &BTreeMap<NodeId, u32>, gone: NodeId) -> BTreeMap<NodeId, u32> {
    weights.iter().filter(|(member, _)| **member != gone).map(|(member, weight)| (*member, *weight)).collect()
}

/// Some members and their weights, and one of them. At least two.
fn some_members() -> impl Strategy<Value = (BTreeMap<NodeId, u32>, NodeId)> {
    let weights = prop::collection::btree_map(0..1000u32, 1..20u32, 2..20);
    let named = |weights: BTreeMap<u32, u32>| weights.into_iter().map(|(id, weight)| (NodeId(id), weight)).collect();
    weights.prop_map(named).prop_flat_map(|weights: BTreeMap<NodeId, u32>| {
        let ids: Vec<NodeId> = weights.keys().copied().collect();
        (Just(weights), prop::sample::select(ids))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Karger et al. 1997, monotonicity: when one leaves, its keys go, and nobody else's. (The same pair of states
    /// read backwards is a member that joins.)
    #[test]
    fn only_the_keys_of_a_changed_member_move_on_a_ring((weights, gone) in some_members(), seed: u64) {
        let hash = Hash64::new(seed);
        let (before, after) = (Ring::of(hash, weights.clone()), Ring::of(hash, without(&weights, gone)));
        prop_assert!(moves(&before, &after, 1000).iter().all(|(from, _)| *from == gone));
    }

    /// Thaler & Ravishankar 1998, "minimal disruption", with weights and without; and each such key goes to who was
    /// second.
    #[test]
    fn only_the_keys_of_a_changed_member_move_by_rendezvous((weights, gone) in some_members(), seed: u64) {
        let hash = Hash64::new(seed);
        let plain = |weights: &BTreeMap<NodeId, u32>| Rendezvous::new(hash, weights.keys().copied());
        let (before, after) = (plain(&weights), plain(&without(&weights, gone)));
        prop_assert!(moves(&before, &after, 1000).iter().all(|(from, _)| *from == gone));
        let before = Rendezvous::weighted(hash, weights.clone());
        let after = Rendezvous::weighted(hash, without(&weights, gone));
        for key in keys(200) {
            let mut ranked = before.ranked(key);
            prop_assert_eq!(before.owner(key), ranked.first().copied());
            ranked.retain(|member| *member != gone);
            prop_assert_eq!(after.ranked(key), ranked);
        }
    }

    /// A member that grows only gains, on a ring and by rendezvous.
    #[test]
    fn a_member_that_grows_loses_nothing((weights, grown) in some_members(), seed: u64, more in 1..20u32) {
        let hash = Hash64::new(seed);
        let mut heavier = weights.clone();
        *heavier.entry(grown).or_default() += more;
        let (before, after) = (Ring::of(hash, weights.clone()), Ring::of(hash, heavier.clone()));
        prop_assert!(moves(&before, &after, 500).iter().all(|(_, to)| *to == grown));
        let (before, after) = (Rendezvous::weighted(hash, weights), Rendezvous::weighted(hash, heavier));
        prop_assert!(moves(&before, &after, 500).iter().all(|(_, to)| *to == grown));
    }
}

/// Lamping & Veach 2014: from n to n + 1 buckets, 1/(n + 1) of the keys move, all of them to the new one.
#[test]
fn jump_moves_the_least_and_only_to_the_newest() {
    let count = 100_000;
    for buckets in [1, 2, 3, 10, 99] {
        let grown = |buckets| Jump { members: nodes(buckets).into_iter().collect() };
        let moves = moves(&grown(buckets), &grown(buckets + 1), count);
        assert!(moves.iter().all(|(_, to)| *to == NodeId(buckets)));
        assert_near(moves.len() as f64 / count as f64, 1.0 / f64::from(buckets + 1), 0.05);
    }
}

/// Eisenbud et al. 2016, 5.3 and figure 13: when a member goes, a few slots change that were not its own, fewer in a
/// larger table. The numbers are ours: so many of all slots change besides the leaver's. They are few among all,
/// though not beside those that must change (1/n): that is the price of an even table, and why Maglev also tracks
/// connections.
#[test]
fn maglev_changes_few_slots_that_it_need_not() {
    let hash = Hash64::new(0);
    let measured = [
        (10, 1009, 10, 0.028),
        (10, 65_537, 10, 0.0022),
        (100, 65_537, 10, 0.0058),
        (1000, 65_537, 10, 0.0056),
        (1000, 655_373, 2, 0.0033),
    ];
    for (count, size, leavers, expected) in measured {
        let members = nodes(count);
        let before = Maglev::new(hash, &members, size).expect("a prime");
        let needless = |gone: &NodeId| {
            let fewer = members.iter().copied().filter(|member| member != gone).collect();
            let after = Maglev::new(hash, &fewer, size).expect("a prime");
            let slots = before.slots().iter().zip(after.slots());
            slots.filter(|(was, is)| was != is && *was != gone).count() as f64 / f64::from(size)
        };
        let leavers = members.iter().step_by(count as usize / leavers);
        assert_near(mean(leavers.map(needless)), expected, 0.1);
    }
}
