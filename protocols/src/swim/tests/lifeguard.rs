//! Lifeguard, IV: whoever hears nothing looks at himself first.

use super::*;

fn helped(table: &Table, from: NodeId) -> Vec<NodeId> {
    let is_request = |message: &Message| matches!(message, Message::PingReq { .. });
    table.sent.iter().filter(|(by, _, message)| *by == from && is_request(message)).map(|(_, to, _)| *to).collect()
}

fn health(table: &Table, node: NodeId) -> u64 {
    table.node(node).probing.health
}

/// IV.A: a probe that fails, nacks that do not come, and suspicions of oneself count; answers count the other way.
#[test]
fn who_misses_answers_pings_less_often_and_waits_longer() {
    let mut table = alone(lifeguard(), 5);
    let wait = |table: &Table, timer: Timer| {
        let (_, at) = table.alarms[0].iter().find(|(armed, _)| *armed == timer).expect("it is set");
        at.0 - table.now
    };
    table.wakes(ANN, Timer::Period);
    assert_eq!((wait(&table, Timer::Period), wait(&table, Timer::Timeout)), (SECOND, SECOND / 2));
    table.wakes(ANN, Timer::Timeout);
    table.wakes(ANN, Timer::Period);
    assert_eq!(health(&table, ANN), 2, "nobody answered, and nobody who was to try said so");
    assert_eq!((wait(&table, Timer::Period), wait(&table, Timer::Timeout)), (3 * SECOND, 3 * SECOND / 2));
    table.wakes(ANN, Timer::Timeout);
    for helper in helped(&table, ANN).split_off(3) {
        table.hears(ANN, helper, Message::Nack { probe: 2, news: vec![] });
    }
    table.wakes(ANN, Timer::Period);
    assert_eq!(health(&table, ANN), 3, "all of them said that they have heard nothing either");
    table.hears(ANN, BEN, Message::Ack { probe: 3, news: vec![] });
    table.hears(ANN, BEN, Message::Ack { probe: 3, news: vec![] });
    assert_eq!(health(&table, ANN), 2, "one answer counts once");
    table.hears(ANN, BEN, Message::Gossip { news: vec![says(ANN, Status::Suspect, 0, BEN)] });
    assert_eq!(health(&table, ANN), 3);
    (0..9).for_each(|_| {
        table.wakes(ANN, Timer::Timeout);
        table.wakes(ANN, Timer::Period);
    });
    assert_eq!(health(&table, ANN), 8);
}

#[test]
fn without_it_nobody_looks_at_himself() {
    let mut table = alone(swim(), 5);
    (0..9).for_each(|_| {
        table.wakes(ANN, Timer::Period);
        table.wakes(ANN, Timer::Timeout);
    });
    assert_eq!(health(&table, ANN), 0);
}

#[test]
fn who_is_asked_to_try_says_that_he_has_heard_nothing_and_later_that_he_has() {
    let nacks = |table: &Table| table.sent_by(ANN, |message| matches!(message, Message::Nack { probe: 9, .. }));
    let mut table = alone(lifeguard(), 5);
    table.hears(ANN, BEN, Message::PingReq { probe: 9, target: CAT, news: vec![] });
    assert_eq!(table.alarms[0], [(Timer::Nack, LocalTime(400 * MILLISECOND))]);
    table.now = 400 * MILLISECOND;
    table.wakes(ANN, Timer::Nack);
    assert_eq!(nacks(&table), 1);
    table.wakes(ANN, Timer::Nack);
    assert_eq!(nacks(&table), 1, "once");
    let Some((_, CAT, Message::Ping { probe, .. })) = table.sent.first().cloned() else { panic!("it pings") };
    table.hears(ANN, CAT, Message::Ack { probe, news: vec![] });
    assert_eq!(table.sent.last(), Some(&(ANN, BEN, Message::Ack { probe: 9, news: vec![] })));
    let mut plain = alone(swim(), 5);
    plain.hears(ANN, BEN, Message::PingReq { probe: 9, target: CAT, news: vec![] });
    plain.now = SECOND;
    plain.wakes(ANN, Timer::Nack);
    assert_eq!(nacks(&plain), 0);
}

/// IV.C: the buddy system.
#[test]
fn who_is_suspected_hears_it_first() {
    let first = |config: SwimConfig| {
        let mut table = alone(SwimConfig { lambda: 0, ..config }, 2);
        table.hears(ANN, BEN, Message::Gossip { news: vec![says(BEN, Status::Suspect, 0, BEN)] });
        table.wakes(ANN, Timer::Period);
        let Some((_, BEN, Message::Ping { news, .. })) = table.sent.last().cloned() else { panic!("it pings") };
        news.first().map(|news| (news.of, news.standing.status))
    };
    assert_eq!(first(lifeguard()), Some((BEN, Status::Suspect)));
    assert_eq!(first(swim()), None);
}

/// IV.B: a suspicion that others share is over sooner, and is passed on again so that others count it too.
#[test]
fn a_suspicion_that_nobody_shares_lasts_longer() {
    let mut table = alone(lifeguard(), 5);
    let until = |table: &Table| {
        table.alarms[0].iter().find(|(timer, _)| *timer == Timer::Suspicion).map(|(_, at)| at.0.div_ceil(SECOND))
    };
    let suspects = |table: &mut Table, by| {
        table.hears(ANN, by, Message::Gossip { news: vec![says(BEN, Status::Suspect, 0, by)] });
        until(table)
    };
    assert_eq!([CAT, CAT, DAN, EVE].map(|by| suspects(&mut table, by)), [Some(30), Some(30), Some(18), Some(11)]);
    table.hears(ANN, BEN, Message::Gossip { news: vec![says(BEN, Status::Alive, 0, BEN)] });
    assert_eq!(until(&table), Some(11), "old news");
}
