//! Members that join, leave, crash, come back, or are cut off.

use super::*;

#[test]
fn who_comes_back_has_a_higher_incarnation_and_is_believed() {
    let mut table = Table::new(swim(), 5);
    table.pass(3 * SECOND);
    table.dies(BEN);
    table.pass(20 * SECOND);
    assert_eq!(table.all_know(BEN), Some((Status::Dead, 0)));
    table.starts(BEN, Why::Restart);
    table.pass(5 * SECOND);
    assert_eq!((table.all_know(BEN), table.deeming_down(BEN)), (Some((Status::Alive, 1)), 0));
    table.dies(BEN);
    table.starts(BEN, Why::Restart);
    table.pass(5 * SECOND);
    assert_eq!(table.all_know(BEN), Some((Status::Alive, 2)), "nobody saw it go");
}

/// Its predecessor's words are remembered by others only.
#[test]
fn who_lost_its_disk_hears_what_was_said_of_it_and_speaks_up() {
    let mut table = Table::new(swim(), 5);
    for _ in 0..3 {
        table.dies(BEN);
        table.starts(BEN, Why::Restart);
    }
    table.pass(5 * SECOND);
    assert_eq!(table.all_know(BEN), Some((Status::Alive, 3)));
    table.dies(BEN);
    table.journals[1].clear();
    table.pass(20 * SECOND);
    table.starts(BEN, Why::Replacement);
    table.pass(5 * SECOND);
    assert_eq!(table.all_know(BEN), Some((Status::Alive, 4)));
}

#[test]
fn who_leaves_is_not_taken_for_dead_and_may_join_again() {
    let mut table = Table::new(swim(), 5);
    table.pass(3 * SECOND);
    table.ordered(BEN, Order::Leave);
    table.pass(30 * SECOND);
    assert_eq!((table.all_know(BEN), table.deeming_down(BEN)), (Some((Status::Left, 0)), 0));
    table.dies(BEN);
    table.starts(BEN, Why::Restart);
    table.pass(10 * SECOND);
    assert_eq!(table.all_know(BEN), Some((Status::Left, 0)), "it remembers that it left");
    table.ordered(BEN, Order::Join);
    table.pass(10 * SECOND);
    assert_eq!(table.all_know(BEN), Some((Status::Alive, 1)));
}

/// What it suspected before it left it suspects anew, or nobody would ever take it for dead.
#[test]
fn who_joins_again_brings_old_suspicions_to_an_end() {
    let mut table = Table::new(SwimConfig { lambda: 0, ..swim() }, 2);
    table.dies(BEN);
    table.pass(3 * SECOND);
    assert_eq!(table.knows(ANN, BEN), Some((Status::Suspect, 0)));
    table.ordered(ANN, Order::Leave);
    table.pass(60 * SECOND);
    assert_eq!(table.knows(ANN, BEN), Some((Status::Suspect, 0)), "who is outside judges nobody");
    table.ordered(ANN, Order::Join);
    table.pass(4 * SECOND);
    assert_eq!(table.knows(ANN, BEN), Some((Status::Suspect, 0)));
    table.pass(MOMENT + SECOND);
    assert_eq!(table.knows(ANN, BEN), Some((Status::Dead, 0)));
}

/// Nobody pings who has left, so comparing what is known has to reach them.
#[test]
fn two_who_left_and_came_back_unheard_find_each_other() {
    let mut table = Table::new(swim(), 2);
    table.is_lost = |_, _, _| true;
    for (node, other) in [(ANN, BEN), (BEN, ANN)] {
        table.hears(node, other, Message::Gossip { news: vec![says(other, Status::Left, 0, other)] });
        table.ordered(node, Order::Leave);
    }
    [ANN, BEN].into_iter().for_each(|node| table.ordered(node, Order::Join));
    table.is_lost = |_, _, _| false;
    table.pass(30 * SECOND);
    assert_eq!((table.all_know(ANN), table.all_know(BEN)), (Some((Status::Alive, 1)), Some((Status::Alive, 1))));
}

#[test]
fn who_joins_asks_until_somebody_answers() {
    let mut table = Table::new(SwimConfig { initial_members: 3, ..swim() }, 5);
    table.pass(5 * SECOND);
    assert_eq!(table.all_know(EVE), None);
    table.is_lost = |from, _, _| from == EVE;
    table.ordered(EVE, Order::Join);
    table.pass(5 * SECOND);
    assert_eq!(table.knows(ANN, EVE), None);
    table.is_lost = |_, _, _| false;
    table.pass(20 * SECOND);
    assert_eq!(table.all_know(EVE), Some((Status::Alive, 1)));
    assert_eq!(table.knows(EVE, ANN), Some((Status::Alive, 0)));
    assert_eq!(table.node(EVE).members.living(), 4, "{:?} never joined", DAN);
    let refuses = table.nodes[4].as_mut().is_some_and(|eve| !eve.on_admin(Order::Join, &mut table.desks[4].ctx()));
    assert!(refuses, "it is a member");
}

/// Each side takes the other for dead, and nobody pings the dead.
#[test]
fn two_groups_that_were_cut_apart_find_each_other_again() {
    for config in [swim(), lifeguard()] {
        let mut table = Table::new(config, 5);
        table.is_lost = |from, to, _| (from.0 < 2) != (to.0 < 2);
        table.pass(90 * SECOND);
        assert_eq!(table.knows(ANN, DAN).map(|(status, _)| status), Some(Status::Dead));
        assert_eq!(table.knows(DAN, ANN).map(|(status, _)| status), Some(Status::Dead));
        table.is_lost = |_, _, _| false;
        table.pass(90 * SECOND);
        for node in [ANN, BEN, CAT, DAN, EVE] {
            let known = table.all_know(node);
            assert_eq!(known.map(|(status, _)| status), Some(Status::Alive), "{node} {known:?}");
        }
    }
}

/// A member that all take for dead, though it was never away, hears of it when it pings one of them.
#[test]
fn who_is_taken_for_dead_hears_it_with_the_next_answer() {
    let mut table = alone(SwimConfig { lambda: 0, sync: 0, ..swim() }, 2);
    table.hears(ANN, BEN, Message::Gossip { news: vec![says(BEN, Status::Dead, 0, BEN)] });
    table.hears(ANN, BEN, Message::Ping { probe: 3, news: vec![] });
    let answer = Message::Ack { probe: 3, news: vec![says(BEN, Status::Dead, 0, ANN)] };
    assert_eq!(table.sent.last(), Some(&(ANN, BEN, answer.clone())));
    table.hears(BEN, ANN, answer.clone());
    assert_eq!(table.knows(BEN, BEN), Some((Status::Alive, 1)));
    table.hears(BEN, ANN, answer);
    let word = Message::Gossip { news: vec![says(BEN, Status::Alive, 1, BEN)] };
    assert_eq!(table.sent.last(), Some(&(BEN, ANN, word)), "who has not heard that yet is told");
}

#[test]
fn who_is_no_member_says_nothing() {
    let mut table = Table::new(SwimConfig { initial_members: 2, ..swim() }, 3);
    table.hears(CAT, ANN, Message::Ping { probe: 1, news: vec![] });
    table.hears(CAT, ANN, Message::Sync { all: vec![], is_answer: false });
    table.pass(10 * SECOND);
    assert_eq!(table.sent_by(CAT, |_| true), 0);
    assert_eq!(table.node(CAT).holding().copies, []);
    assert_eq!(table.node(ANN).holding().copies, table.node(BEN).holding().copies);
}
