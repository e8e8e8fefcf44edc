//! When deleted keys are forgotten, and that they stay deleted.

use super::*;
use crate::dynamo::config::DynamoConfig;
use crate::dynamo::village::{Letter, N1, N2, N3, Village, flawed};
use sim_core::protocol::Why;
use sim_core::settings::{Flaws, Setting, Settings, Values};
use sim_core::time::SECOND;

/// Its home nodes are n1, n2 and n3, in this order.
const KEY: Key = 3;

/// All have a value, n1 deletes it, and those whom this message reaches hear of it.
fn deleted(config: DynamoConfig, hears: impl Fn(NodeId) -> bool) -> Village {
    let mut village = Village::new(3, config);
    village.asks(N1, KEY, history::SiblingsAsk::Blind { value: 1.into() });
    village.settle();
    village.deletes(N1, KEY);
    village.wire.retain(|(_, to, _)| hears(*to));
    village.settle();
    village
}

/// A grace passes, and a round of each node.
fn grace(village: &mut Village, is_lost: impl Fn(&Letter) -> bool) {
    for node in village.all() {
        village.wakes(node, Timer::Tombstones);
        village.settle_but(&is_lost);
    }
}

fn kept(village: &Village) -> Vec<NodeId> {
    village.all().into_iter().filter(|node| !village.object(*node, KEY).is_empty()).collect()
}

fn compare(village: &mut Village, rounds: u32) {
    for _ in 0..rounds {
        for node in village.all() {
            village.wakes(node, Timer::AntiEntropy);
            village.settle();
        }
    }
}

#[test]
fn home_nodes_forget_together_what_all_of_them_have_had_for_a_grace() {
    let mut village = deleted(DynamoConfig::defaults(), |_| true);
    grace(&mut village, |_| false);
    assert_eq!(kept(&village), [N1, N2, N3], "it may be new");
    grace(&mut village, |_| false);
    assert_eq!(kept(&village), []);
    for node in village.all() {
        village.crash(node);
        village.start(node, Why::Restart);
    }
    assert_eq!(kept(&village), [], "what was forgotten stays so");
    village.lawful();
}

#[test]
fn what_one_home_node_has_not_heard_of_is_not_forgotten() {
    let mut village = deleted(DynamoConfig::defaults(), |to| to != N3);
    (0..3).for_each(|_| grace(&mut village, |_| false));
    assert_eq!(kept(&village), [N1, N2, N3]);
    assert_eq!(village.object(N3, KEY).values(), [1.into()]);
    compare(&mut village, 2);
    (0..3).for_each(|_| grace(&mut village, |_| false));
    assert_eq!(kept(&village), []);
    village.lawful();
}

#[test]
fn lost_messages_cost_time_only() {
    let mut village = deleted(DynamoConfig::defaults(), |_| true);
    grace(&mut village, |_| false);
    grace(&mut village, |message| matches!(message, Message::Forget { .. }));
    assert_eq!(kept(&village), [N2, N3], "they have not heard that they agree");
    compare(&mut village, 2);
    assert_eq!(kept(&village), [N1, N2, N3]);
    (0..2).for_each(|_| grace(&mut village, |_| false));
    assert_eq!(kept(&village), []);
    village.lawful();
}

#[test]
fn what_was_written_meanwhile_is_not_forgotten() {
    let mut village = deleted(DynamoConfig::defaults(), |_| true);
    grace(&mut village, |_| false);
    village.wakes(N1, Timer::Tombstones);
    village.settle_but(|message| matches!(message, Message::Forget { .. }));
    let late = |village: &Village| {
        let object = village.object(N2, KEY);
        vec![Tombstone { key: KEY, digest: object.digest() }]
    };
    let forget = Message::Forget { tombstones: late(&village) };
    village.puts_alone(N2, KEY, 2);
    village.hears(N2, N1, forget);
    compare(&mut village, 2);
    assert!(village.all().into_iter().all(|node| village.object(node, KEY).values() == [2.into()]));
    village.lawful();
}

#[test]
fn who_names_other_home_nodes_does_not_agree() {
    let mut village = deleted(DynamoConfig::defaults(), |_| true);
    let tombstones = vec![Tombstone { key: KEY, digest: village.object(N2, KEY).digest() }];
    for (homes, answers) in [(vec![N1, N2], 0), (vec![N1, N2, N3], 1)] {
        village.hears(N2, N1, Message::MayForget { homes, tombstones: tombstones.clone() });
        assert_eq!(village.wire.len(), answers);
        village.wire.clear();
    }
}

/// Cassandra's gc_grace_seconds: who was away for longer than that brings back what was deleted.
#[test]
fn what_is_forgotten_by_age_alone_comes_back() {
    for (config, comes_back) in [(DynamoConfig::defaults(), false), (flawed(&PURGES_BY_AGE), true)] {
        let mut village = deleted(config, |to| to != N3);
        (0..2).for_each(|_| grace(&mut village, |_| false));
        compare(&mut village, 2);
        assert_eq!(village.object(N1, KEY).values() == [1.into()], comes_back);
    }
}

#[test]
fn a_grace_that_hints_outlive_is_refused() {
    let settings = |grace| {
        let mut values = Values::defaults(DynamoConfig::KEYS);
        for key in DynamoConfig::KEYS {
            match key.name {
                "hint-window" => values.set(key, Setting::Duration(10 * SECOND)),
                "tombstone-grace" => values.set(key, Setting::Duration(grace * SECOND)),
                _ => {}
            }
        }
        DynamoConfig::build(&values, Flaws::default())
    };
    assert!(settings(11).is_ok());
    assert_eq!(settings(10).map(drop).map_err(|rejected| rejected.key), Err("tombstone-grace"));
}
