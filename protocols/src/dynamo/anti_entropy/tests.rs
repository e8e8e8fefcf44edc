//! What an exchange costs, and that it leaves both with the same.

use super::*;
use crate::dynamo::Record;
use crate::dynamo::village::{Letter, N1, N2, N3, Village, flawed};
use sim_core::dice::{Dice, Ratio, StreamName, Streams};
use sim_core::protocol::{Slot, Why};
use sim_core::settings::Settings;

fn village(count: u32) -> Village {
    Village::new(count, DynamoConfig::defaults())
}

/// Both home nodes of everything have the same.
fn are_alike(village: &Village, one: NodeId, other: NodeId) -> bool {
    let shared = |node: NodeId| -> BTreeMap<Key, Object> {
        let store = &village.node(node).store;
        let is_shared = |key: Key| {
            let homes = village.node(N1).homes_of(village.node(N1).ring.partition_of(key));
            homes.contains(&one) && homes.contains(&other)
        };
        store.iter().filter(|(key, _)| is_shared(*key)).map(|(key, object)| (key, object.clone())).collect()
    };
    shared(one) == shared(other)
}

/// Puts at random home nodes of random keys, of which nobody else hears.
fn scatter(village: &mut Village, puts: u64, keys: u64, dice: &mut Dice) {
    for value in 0..puts {
        let key = dice.below(keys) as Key;
        let homes = village.node(N1).homes_of(village.node(N1).ring.partition_of(key));
        let node = homes[dice.below(homes.len() as u64) as usize];
        village.puts_alone(node, key, value as i64);
    }
}

fn dice(seed: u64) -> Dice {
    Streams::new(seed).dice(StreamName::new(&["anti-entropy"]))
}

#[test]
fn nodes_that_are_alike_say_no_more_than_their_roots() {
    let mut village = village(3);
    scatter(&mut village, 300, 100, &mut dice(1));
    for node in [N1, N1, N2] {
        village.wakes(node, Timer::AntiEntropy);
        village.settle();
    }
    village.wakes(N1, Timer::AntiEntropy);
    assert_eq!(village.settle(), 1);
    village.lawful();
}

#[test]
fn one_undisturbed_exchange_leaves_both_with_the_same() {
    for seed in 0..30 {
        let mut dice = dice(seed);
        let mut village = village(3);
        scatter(&mut village, 20 << (seed % 6), 10 << (seed % 7), &mut dice);
        village.wakes(N1, Timer::AntiEntropy);
        village.settle();
        assert!(are_alike(&village, N1, N2), "seed {seed}");
        village.lawful();
    }
}

/// Messages that are lost, come twice, and overtake each other; crashes in the middle of it.
#[test]
fn whatever_becomes_of_messages_the_next_exchange_that_is_left_alone_succeeds() {
    for seed in 0..30 {
        let mut dice = dice(seed);
        let mut village = village(3);
        for round in 0..5 {
            scatter(&mut village, 40, 60, &mut dice);
            village.wakes(if round % 2 == 0 { N1 } else { N2 }, Timer::AntiEntropy);
            for _ in 0..60 {
                let Some((from, to, message)) = village.wire.pop_front() else { break };
                if dice.chance(Ratio::new(1, 3)) {
                    village.wire.push_back((from, to, message.clone()));
                }
                if dice.chance(Ratio::new(3, 4)) {
                    village.hears(to, from, message);
                }
            }
            let node = NodeId(dice.below(3) as u32);
            village.crash(node);
            village.start(node, Why::Restart);
        }
        village.settle();
        village.wakes(N1, Timer::AntiEntropy);
        village.settle();
        let turned_to = village.node(N1).turned_to;
        assert!(are_alike(&village, N1, turned_to), "seed {seed}");
        village.lawful();
    }
}

/// Of S nodes each turns to each other that it shares a partition with within S - 1 rounds.
#[test]
fn all_home_nodes_are_alike_when_everybody_has_turned_to_everybody() {
    let nodes = 6;
    for seed in 0..10 {
        let mut dice = dice(seed);
        let mut village = village(nodes);
        scatter(&mut village, 400, 150, &mut dice);
        for _ in 0..nodes - 1 {
            for node in village.all() {
                village.wakes(node, Timer::AntiEntropy);
                village.settle();
            }
        }
        for one in village.all() {
            assert!(village.all().into_iter().all(|other| are_alike(&village, one, other)), "seed {seed}");
        }
        village.lawful();
    }
}

#[test]
fn what_differs_is_found_among_many_in_few_messages_of_bounded_size() {
    let mut village = village(3);
    scatter(&mut village, 6000, 3000, &mut dice(1));
    let mut objects = 0;
    let mut note = |message: &Letter| {
        if let Message::Objects { objects: sent, wanted } = message {
            assert!(sent.len() <= OBJECTS_MAX && wanted.len() <= OBJECTS_MAX);
            objects += sent.len();
        }
        if let Message::Compare(Comparison { says: Says::Keys(_, _, keys), .. }) = message {
            assert!(keys.len() <= NAMES_MAX);
        }
        false
    };
    for node in [N1, N1, N2, N3] {
        village.wakes(node, Timer::AntiEntropy);
        village.settle_but(&mut note);
    }
    assert!(objects > 3000);
    objects = 0;
    village.puts_alone(N1, 77, 1);
    village.puts_alone(N2, 1234, 1);
    village.wakes(N1, Timer::AntiEntropy);
    let mut note = |message: &Letter| {
        if let Message::Objects { objects: sent, .. } = message {
            objects += sent.len();
        }
        false
    };
    let messages = village.settle_but(&mut note);
    let turned_to = village.node(N1).turned_to;
    assert!(are_alike(&village, N1, turned_to));
    assert!(messages <= 11, "{messages} messages");
    assert!(objects <= 4, "{objects} objects for two keys");
}

#[test]
fn a_machine_that_took_the_place_of_another_is_given_everything() {
    let mut village = village(3);
    scatter(&mut village, 300, 100, &mut dice(1));
    village.wakes(N1, Timer::AntiEntropy);
    village.settle();
    village.crash(N2);
    village.journals[1].clear();
    village.start(N2, Why::Replacement);
    village.wakes(N1, Timer::AntiEntropy);
    village.settle();
    village.wakes(N1, Timer::AntiEntropy);
    village.settle();
    assert!(are_alike(&village, N1, N2));
    assert!(village.node(N2).store.len() > 90);
    village.lawful();
}

#[test]
fn a_journal_that_does_not_read_back_everywhere_costs_only_what_was_there() {
    let mut village = village(3);
    scatter(&mut village, 60, 20, &mut dice(1));
    for node in [N1, N1, N2] {
        village.wakes(node, Timer::AntiEntropy);
        village.settle();
    }
    village.crash(N2);
    for slot in village.journals[1].iter_mut().skip(20) {
        *slot = Slot::Corrupt;
    }
    village.start(N2, Why::Restart);
    assert!(!are_alike(&village, N1, N2));
    village.puts_alone(N2, 3, 1000);
    village.wakes(N2, Timer::AntiEntropy);
    village.settle();
    village.wakes(N2, Timer::AntiEntropy);
    village.settle();
    assert!(are_alike(&village, N1, N2));
    assert!(village.object(N1, 3).values().contains(&1000.into()));
    village.lawful();
}

#[test]
fn a_journal_is_written_anew_when_most_of_it_is_out_of_date() {
    let mut village = Village::new(3, DynamoConfig { compact_after: 10, ..DynamoConfig::defaults() });
    for value in 0..100 {
        village.puts_alone(N1, value % 3, i64::from(value));
        assert!(village.journals[0].len() <= 10);
    }
    let before = village.object(N1, 2);
    village.crash(N1);
    village.start(N1, Why::Restart);
    assert_eq!(village.object(N1, 2), before);
    let keys: BTreeSet<Key> = village.journals[0]
        .iter()
        .filter_map(|slot| match slot {
            Slot::Ok(Record::Object { key, .. }) => Some(*key),
            Slot::Ok(
                Record::Dropped { .. }
                | Record::Hint { .. }
                | Record::HintDone { .. }
                | Record::Ring { .. }
                | Record::Has { .. }
                | Record::Fetched { .. },
            )
            | Slot::Corrupt => None,
        })
        .collect();
    assert_eq!(keys, (0..3).collect());
}

#[test]
fn trees_of_keys_do_not_find_versions_that_differ() {
    for (config, is_found) in [(DynamoConfig::defaults(), true), (flawed(&TREES_OF_KEYS), false)] {
        let mut village = Village::new(3, config);
        village.puts_alone(N1, 3, 1);
        village.puts_alone(N2, 3, 2);
        village.wakes(N1, Timer::AntiEntropy);
        village.settle();
        assert_eq!(are_alike(&village, N1, N2), is_found);
    }
}
