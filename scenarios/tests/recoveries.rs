//! The storms that ship take every way to come back that their system has: a sweep in which no snapshot was ever installed would be
//! green without having tested one.
#![expect(clippy::disallowed_methods, reason = "reads the scenarios that ship")]

use scenarios::execute::Options;
use scenarios::systems::SYSTEMS;
use std::collections::BTreeMap;

/// How often each way was taken in these seeds of a shipped scenario.
fn taken(file: &str, seeds: std::ops::RangeInclusive<u64>) -> BTreeMap<&'static str, u64> {
    let path = format!("{}/files/{file}.toml", env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(path).expect("it ships");
    let (draft, _) = scenarios::parse(&source, "storm", &[], SYSTEMS).expect("it is well formed");
    let mut taken = BTreeMap::new();
    for seed in seeds {
        let scenario = draft.resolve(seed).expect("what a seed draws fits together");
        let run = scenarios::run(&scenario, seed, SYSTEMS, &mut Options::default()).expect("the engine holds");
        for (way, times) in run.recoveries {
            *taken.entry(way).or_default() += times;
        }
    }
    taken
}

fn assert_all_taken(file: &str, seeds: std::ops::RangeInclusive<u64>, ways: &[&str]) {
    let taken = taken(file, seeds);
    assert_eq!(taken.keys().copied().collect::<Vec<_>>(), ways, "all ways are there, taken or not");
    assert!(taken.values().all(|times| *times > 0), "{file} takes every way: {taken:?}");
}

#[test]
fn rafts_storm_cuts_logs_and_installs_snapshots() {
    assert_all_taken("raft/swarm", 1..=20, &["conflicting entries deleted", "snapshot installed"]);
}

#[test]
fn multi_paxos_storm_adopts_values_and_installs_snapshots() {
    assert_all_taken("multi-paxos/swarm", 1..=20, &["snapshot installed", "values of earlier ballots adopted"]);
}

#[test]
fn dynamos_storm_mends_copies_in_every_way() {
    let ways = ["copies mended by hash trees", "hint handed over", "range fetched", "read repair"];
    assert_all_taken("dynamo/swarm", 1..=20, &ways);
}

#[test]
fn swims_storm_makes_members_speak_up() {
    assert_all_taken("swim/swarm", 1..=10, &["suspicion refuted"]);
}

#[test]
fn where_nothing_goes_wrong_nothing_comes_back() {
    let calm = taken("multi-paxos/steady-state", 1..=1);
    assert!(calm.values().all(|times| *times == 0), "{calm:?}");
}
