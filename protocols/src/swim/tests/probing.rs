//! SWIM, 3.1, 4.1 and 4.3: pings, indirect pings, whom to ping.

use super::super::config::Probing;
use super::super::flaws::ALIVE_OVERRIDES;
use super::*;
use sim_core::settings::Flaws;
use std::collections::BTreeSet;

fn pings(table: &Table, from: NodeId) -> Vec<NodeId> {
    let is_ping = |message: &Message| matches!(message, Message::Ping { .. });
    table.sent.iter().filter(|(by, _, message)| *by == from && is_ping(message)).map(|(_, to, _)| *to).collect()
}

#[test]
fn in_each_round_everybody_is_pinged_once_and_in_another_order() {
    let mut table = Table::new(swim(), 5);
    table.pass(40 * SECOND);
    let pings = pings(&table, ANN);
    let rounds: Vec<&[NodeId]> = pings.chunks_exact(4).collect();
    let everybody = BTreeSet::from([BEN, CAT, DAN, EVE]);
    assert!(
        rounds.len() >= 9 && rounds.iter().all(|round| round.iter().copied().collect::<BTreeSet<_>>() == everybody)
    );
    assert!(rounds.iter().collect::<BTreeSet<_>>().len() > 3, "the order is shuffled");
}

#[test]
fn by_lot_somebody_is_pinged_more_often_than_others() {
    let mut table = Table::new(SwimConfig { probing: Probing::Random, ..swim() }, 5);
    table.pass(40 * SECOND);
    let pings = pings(&table, ANN);
    let rounds = pings.chunks_exact(4).map(|round| round.iter().collect::<BTreeSet<_>>().len());
    assert!(pings.len() >= 39 && rounds.min() < Some(4), "{pings:?}");
}

#[test]
fn periods_can_begin_at_once_for_all() {
    let mut table = Table::new(SwimConfig { in_step: true, ..swim() }, 5);
    table.pass(SECOND - MOMENT);
    assert!(table.sent.is_empty());
    table.pass(MOMENT);
    assert_eq!((0..5).map(|node| pings(&table, NodeId(node)).len()).collect::<Vec<_>>(), [1; 5]);
}

/// 3.1: "it selects k members at random and sends each a ping-req".
#[test]
fn whom_one_cannot_reach_others_reach_for_him() {
    let mut table = Table::new(swim(), 5);
    table.is_lost = |from, to, _| (from, to) == (ANN, BEN) || (from, to) == (BEN, ANN);
    table.pass(60 * SECOND);
    assert!(table.sent_by(ANN, |message| matches!(message, Message::PingReq { target: BEN, .. })) >= 10);
    assert!(table.deems.iter().all(|(.., is_down)| !is_down));
    assert_eq!(table.knows(ANN, BEN), Some((Status::Alive, 0)), "nobody even suspected it");
    table.is_lost = |from, to, _| from == BEN || to == BEN;
    table.pass(30 * SECOND);
    assert_eq!(table.deeming_down(BEN), 4);
}

#[test]
fn an_answer_to_another_question_is_none() {
    let mut table = alone(swim(), 3);
    table.wakes(ANN, Timer::Period);
    let asked = pings(&table, ANN)[0];
    table.hears(ANN, asked, Message::Ack { probe: 77, news: vec![] });
    table.wakes(ANN, Timer::Period);
    assert_eq!(table.knows(ANN, asked), Some((Status::Suspect, 0)));
    table.hears(ANN, asked, Message::Ack { probe: 1, news: vec![] });
    assert_eq!(table.knows(ANN, asked), Some((Status::Suspect, 0)), "it comes too late, and is no word of its own");
}

/// 4.2: the crash of one is found by all, within a suspicion of the first.
#[test]
fn who_crashes_is_suspected_and_then_taken_for_dead_by_all() {
    for config in [swim(), lifeguard(), SwimConfig { gossip: 0, ..swim() }, SwimConfig { lambda: 0, ..swim() }] {
        let mut table = Table::new(config, 5);
        table.pass(3 * SECOND);
        table.dies(BEN);
        table.pass(40 * SECOND);
        assert_eq!((table.all_know(BEN), table.deeming_down(BEN)), (Some((Status::Dead, 0)), 4));
    }
}

#[test]
fn without_suspicion_one_missed_answer_is_death() {
    let mut table = alone(SwimConfig { suspicion: false, ..swim() }, 3);
    table.wakes(ANN, Timer::Period);
    table.wakes(ANN, Timer::Period);
    let asked = pings(&table, ANN)[0];
    assert_eq!(table.knows(ANN, asked), Some((Status::Dead, 0)));
}

/// 4.2: only the member itself can clear a suspicion, by a higher incarnation.
#[test]
fn who_is_suspected_says_that_it_is_alive() {
    let mut table = Table::new(swim(), 5);
    table.hears(ANN, EVE, Message::Gossip { news: vec![says(BEN, Status::Suspect, 0, EVE)] });
    assert_eq!(table.knows(ANN, BEN), Some((Status::Suspect, 0)));
    table.hears(ANN, EVE, Message::Gossip { news: vec![says(BEN, Status::Alive, 0, BEN)] });
    assert_eq!(table.knows(ANN, BEN), Some((Status::Suspect, 0)), "old news clears nothing");
    table.pass(4 * SECOND);
    assert_eq!(table.all_know(BEN), Some((Status::Alive, 1)));
    assert_eq!(table.journals[1].last(), Some(&Slot::Ok(Record::Own { incarnation: 1, is_member: true })));
    assert_eq!(table.refuted, [BEN], "by its own word, and once");
}

#[test]
#[should_panic(expected = "views go forward")]
fn old_good_news_that_clears_a_suspicion_breaks_a_law() {
    let mut table = Table::new(swim(), 5);
    table.hears(ANN, EVE, Message::Gossip { news: vec![says(BEN, Status::Suspect, 0, EVE)] });
    table.step(ANN, |ann, _| {
        ann.members.begin_step();
        ann.members.set(BEN, Standing { incarnation: 0, status: Status::Alive });
    });
}

#[test]
fn old_good_news_clears_a_suspicion_by_mistake_only() {
    let after = |flaws: Flaws| {
        let mut table = Table::new(SwimConfig { flaws, ..swim() }, 5);
        for status in [Status::Suspect, Status::Alive] {
            table.hears(ANN, EVE, Message::Gossip { news: vec![says(BEN, status, 0, EVE)] });
        }
        table.knows(ANN, BEN)
    };
    assert_eq!(after(Flaws::default()), Some((Status::Suspect, 0)));
    assert_eq!(after(Flaws::new([&ALIVE_OVERRIDES])), Some((Status::Alive, 0)));
}

#[test]
#[should_panic(expected = "incarnations are their owners'")]
fn an_incarnation_that_its_owner_never_had_breaks_a_law() {
    let mut table = Table::new(swim(), 5);
    table.hears(ANN, EVE, Message::Gossip { news: vec![says(BEN, Status::Alive, 1, EVE)] });
}

#[test]
#[should_panic(expected = "who is dead stays dead")]
fn a_dead_member_that_lives_on_breaks_a_law() {
    let mut table = Table::new(swim(), 5);
    table.hears(ANN, EVE, Message::Gossip { news: vec![says(BEN, Status::Dead, 0, EVE)] });
    let back = Standing { incarnation: 0, status: Status::Alive };
    table.step(ANN, |ann, _| {
        ann.members.begin_step();
        ann.members.set(BEN, back);
    });
}

#[test]
fn nobody_believes_in_members_that_there_are_not() {
    let mut table = Table::new(swim(), 3);
    let stranger = NodeId(99);
    table.hears(ANN, stranger, Message::Gossip { news: vec![says(stranger, Status::Alive, 3, stranger)] });
    table.hears(ANN, stranger, Message::PingReq { probe: 1, target: stranger, news: vec![] });
    table.hears(ANN, stranger, Message::Nack { probe: 1, news: vec![] });
    assert_eq!(table.knows(ANN, stranger), None);
}
