//! How often votes are split: Raft's own elections in the world, beside the closed form of Ongaro's dissertation (9.4).
//!
//! Of `n` servers `s` are up, and each waits for a time drawn from a range whose length is the unit here; a message takes
//! `l` of it. Whoever times out within `l` of the first has not heard of it and votes for itself. Votes are split if so many
//! do that those left to the first are no majority: `c = s - n/2 + 1` with the first. The time from the first of `s` uniform
//! draws to the c-th is as long as one to the (c - 1)-th alone, so
//!
//! ```text
//! P(split) = P(at least c - 1 of s fall within l) = sum over k from c - 1 to s of C(s, k) l^k (1 - l)^(s - k)
//! ```

use history::Register;
use protocols::raft::{Raft, RaftConfig};
use sim_core::delay::Delay;
use sim_core::fault::{Count, Fault, FaultKind, Strike, Target, When, Who};
use sim_core::protocol::NodeId;
use sim_core::settings::Settings;
use sim_core::setup::Setup;
use sim_core::time::{MILLISECOND, Nanos, SECOND};
use sim_core::world::World;

/// The length of the range of timeouts, and the shortest of them: nobody stands twice before all have stood once.
const RANGE: Nanos = SECOND;

fn choose(of: u32, count: u32) -> f64 {
    (0..count).fold(1.0, |product, i| product * f64::from(of - i) / f64::from(i + 1))
}

fn power(base: f64, exponent: u32) -> f64 {
    (0..exponent).fold(1.0, |product, _| product * base)
}

/// The closed form.
fn split(n: u32, s: u32, l: f64) -> f64 {
    let c = s - n / 2 + 1;
    (c - 1..=s).map(|k| choose(s, k) * power(l, k) * power(1.0 - l, s - k)).sum()
}

/// The same as the dissertation gives them, in per cent.
#[test]
fn the_closed_form_gives_the_published_shares() {
    let published = [
        (5, 4, 0.01, 0.059),
        (5, 4, 0.1, 5.23),
        (5, 4, 0.2, 18.08),
        (5, 3, 0.2, 48.8),
        (9, 7, 0.2, 14.8),
        (9, 5, 0.1, 41.0),
        (7, 6, 0.2, 9.9),
    ];
    for (n, s, l, per_cent) in published {
        let share = 100.0 * split(n, s, l);
        assert!((share - per_cent).abs() < 0.06, "{n} servers, {s} up, {l}: {share} and not {per_cent}");
    }
}

/// Whether the first election of a new cluster has no winner.
fn is_split(seed: u64, n: u32, s: u32, delay: Nanos) -> bool {
    let config = RaftConfig {
        election_timeout: (RANGE, 2 * RANGE),
        heartbeat: RANGE - MILLISECOND,
        pre_vote: false,
        check_quorum: false,
        ..RaftConfig::defaults()
    };
    let mut setup = Setup::<Raft<Register>>::in_one_zone(seed, n, config, Delay::Fixed(delay));
    setup.laws = false;
    for node in &mut setup.nodes {
        (node.cpu, node.fsync) = (Delay::Fixed(0), Delay::Fixed(0));
    }
    let node = |node: u32| Target { count: Count::All, who: Who::Node(NodeId(node)) };
    if s < n {
        let groups = (s..n).map(|down| vec![node(down)]).chain([(0..s).map(node).collect()]).collect();
        let kind = FaultKind::Partition { groups, one_way: false, flap: None };
        let when = When::At(vec![Strike { at: 0, length: None }]);
        setup = setup.with_fault(Fault { name: "down".to_owned(), kind, when });
    }
    let mut world = World::new(setup);
    world.run_until(2 * RANGE + 2 * delay);
    !world.roles().iter().any(|change| change.role == Some(("leader", 1)))
}

#[test]
fn votes_are_split_as_often_as_the_closed_form_says() {
    const ELECTIONS: u64 = 10_000;
    for (n, s, per_cent) in [(5, 4, 10), (5, 4, 20), (5, 3, 20), (9, 5, 10)] {
        let delay = RANGE / 100 * per_cent;
        let seen = (0..ELECTIONS).filter(|seed| is_split(*seed, n, s, delay)).count() as f64 / ELECTIONS as f64;
        let expected = split(n, s, per_cent as f64 / 100.0);
        let sigma = (expected * (1.0 - expected) / ELECTIONS as f64).sqrt();
        assert!(
            (seen - expected).abs() < 3.0 * sigma,
            "{s} of {n}, {per_cent} %: {seen}, expected {expected} +- {sigma}"
        );
    }
}
