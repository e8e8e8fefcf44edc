//! Each law, broken.

use super::super::DynamoConfig;
use super::super::Message;
use super::super::config::Strategy;
use super::super::flaws::{REPEATS_NODES, RING_BY_CLOCK};
use super::super::membership::Status;
use super::super::versions::{Actor, Context, Dot, Rules};
use super::super::village::{N1, N2, N3, Village, flawed};
use super::*;
use sim_core::settings::Settings;

/// Its home nodes are n1, n2 and n3.
const KEY: Key = 0;
const RULES: Rules = Rules::of(Conflicts::Siblings);
const DOT: Dot = Dot { actor: Actor { node: N1, life: 0 }, counter: 1 };

/// n1 has put 1 and then, in its place, 2.
fn village() -> Village {
    let mut village = Village::new(3, DynamoConfig::defaults());
    village.puts_alone(N1, KEY, 1);
    village
}

fn forged(node: NodeId, seen: bool) -> Object {
    let mut object = Object::default();
    object.put(&Context::default(), Dot { actor: Actor { node, life: 5 }, counter: 1 }, 0, 9.into(), RULES);
    if !seen {
        object.seen = Context::default();
    }
    object
}

/// A step that puts this in the place of what was there.
fn overwrite(village: &mut Village, object: &Object) {
    village.step(N1, |dynamo, _| {
        dynamo.store.begin_step();
        dynamo.store.drop_key(KEY);
        dynamo.store.merge(KEY, object, RULES);
    });
}

fn broken(village: &Village) -> Option<&'static str> {
    village.breach.as_ref().map(|breach| breach.law)
}

fn hears(village: &mut Village, object: Object) {
    village.hears(N2, N3, Message::Put { request: None, key: KEY, object });
}

#[test]
fn a_dot_names_one_put() {
    let mut village = village();
    let mut object = village.object(N1, KEY);
    hears(&mut village, object.clone());
    assert_eq!(broken(&village), None);
    object.versions[0].value = 9.into();
    village.crash(N2);
    village.journals[1].clear();
    village.start(N2, sim_core::protocol::Why::Replacement);
    hears(&mut village, object);
    assert_eq!(broken(&village), Some(ONE_PUT_A_DOT));
}

#[test]
fn a_version_was_put_by_whom_its_dot_names() {
    let mut village = village();
    hears(&mut village, forged(N1, true));
    assert_eq!(broken(&village), Some(VERSIONS_WERE_PUT));
}

#[test]
fn what_was_seen_is_not_unseen() {
    let mut village = village();
    overwrite(&mut village, &forged(N1, true));
    assert_eq!(broken(&village), Some(SEEN_NEVER_SHRINKS));
}

#[test]
fn what_was_replaced_does_not_come_back() {
    let mut village = village();
    let first = village.object(N1, KEY);
    village.deletes(N1, KEY);
    let seen = village.object(N1, KEY).seen;
    assert_eq!(broken(&village), None);
    overwrite(&mut village, &Object { seen, versions: first.versions });
    assert_eq!(broken(&village), Some(REPLACED_STAYS_REPLACED));
}

#[test]
fn what_is_held_was_seen() {
    let mut village = village();
    hears(&mut village, forged(N2, false));
    assert_eq!(broken(&village), Some(DOTS_WITHIN_SEEN));
}

#[test]
fn home_nodes_are_different_nodes() {
    let mut village = Village::new(5, DynamoConfig { strategy: Strategy::Tokens, ..flawed(&REPEATS_NODES) });
    for key in 0..50 {
        let home = village.node(N1).ring.now().homes_of(key)[0];
        village.puts_alone(home, key, 2);
    }
    assert_eq!(broken(&village), Some(HOME_NODES_DIFFER));
}

/// n2 has heard that n3 has left, and n1, whose clock is ahead, has not. Whom n2 believes is the difference.
#[test]
fn who_has_left_does_not_come_back_by_hearsay() {
    for (config, law) in [(DynamoConfig::defaults(), None), (flawed(&RING_BY_CLOCK), Some(VIEWS_GO_FORWARD))] {
        let mut village = Village::new(3, config);
        let founding = village.node(N2).membership.view().clone();
        let mut left = founding.clone();
        left.raise(N3, Status::Gone, 5);
        village.hears(N2, N3, Message::View { view: left });
        village.hears(N2, N1, Message::View { view: founding.said_at(9) });
        assert_eq!(broken(&village), law);
    }
}

#[test]
fn a_later_write_is_not_followed_by_an_earlier_one() {
    let write = |stamp| {
        let mut object = Object::default();
        object.put(&Context::default(), DOT, stamp, 1.into(), Rules::of(Conflicts::LastWriteWins));
        object
    };
    let follows = |before, now| follows(&write(before), &write(now), Conflicts::LastWriteWins).map_err(|(law, _)| law);
    assert_eq!(follows(3, 3), Ok(()));
    assert_eq!(follows(3, 2), Err(SEEN_NEVER_SHRINKS));
}

/// A restart may find less on disk than there was in memory, and a forgotten key begins anew.
#[test]
fn a_restart_and_a_forgotten_key_break_no_law() {
    let mut village = village();
    village.crash(N1);
    village.journals[0].clear();
    village.start(N1, sim_core::protocol::Why::Restart);
    village.puts_alone(N1, KEY, 2);
    village.step(N1, |dynamo, _| {
        dynamo.store.begin_step();
        dynamo.store.drop_key(KEY);
    });
    village.puts_alone(N1, KEY, 3);
    village.lawful();
}
