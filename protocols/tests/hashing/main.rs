//! Hashing beside its papers: how evenly keys are spread ([`figures`]), what must hold for every ring, table and
//! placement ([`laws`]), how few keys move when members change ([`moves`]), and section 6.2 of the Dynamo paper
//! ([`dynamo`]).
//!
//! Keys and seeds are fixed, so a measured number is the same everywhere; tolerances are what other seeds need.

mod dynamo;
mod figures;
mod laws;
mod moves;

use protocols::hashing::Hash64;
use sim_core::protocol::NodeId;
use std::collections::{BTreeMap, BTreeSet};

fn nodes(count: u32) -> BTreeSet<NodeId> {
    (0..count).map(NodeId).collect()
}

/// So many positions of keys.
fn keys(count: u64) -> impl Iterator<Item = u64> + Clone {
    (0..count).map(|number| Hash64::new(77).number(number))
}

/// What each of `members` has, as a multiple of the mean.
fn shares(members: &BTreeSet<NodeId>, loads: impl IntoIterator<Item = (NodeId, f64)>) -> Vec<f64> {
    let mut sums: BTreeMap<NodeId, f64> = members.iter().map(|member| (*member, 0.0)).collect();
    for (owner, load) in loads {
        *sums.get_mut(&owner).expect("one of them") += load;
    }
    let mean = sums.values().sum::<f64>() / members.len() as f64;
    sums.into_values().map(|sum| sum / mean).collect()
}

fn highest(shares: &[f64]) -> f64 {
    shares.iter().copied().fold(0.0, f64::max)
}

fn lowest(shares: &[f64]) -> f64 {
    shares.iter().copied().fold(f64::MAX, f64::min)
}

fn mean(of: impl IntoIterator<Item = f64>) -> f64 {
    let all: Vec<f64> = of.into_iter().collect();
    all.iter().sum::<f64>() / all.len() as f64
}

/// A measured number is what it should be, to a part of the latter.
#[track_caller]
fn assert_near(measured: f64, expected: f64, tolerance: f64) {
    let is_near = (measured - expected).abs() <= expected * tolerance;
    assert!(is_near, "measured {measured:.4}, expected {expected:.4}");
}
