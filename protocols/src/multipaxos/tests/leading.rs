//! Phase 2 (PMS 2.2, 3), and a leader's clients.

use super::*;
use crate::multipaxos::ReadMode;
use crate::quorum::Quorums;

#[test]
fn a_command_costs_one_round_and_is_answered_when_it_is_chosen() {
    let mut node = solo(3, plain());
    node.leads();
    let effects = node.is_asked(1, write(7));
    assert_eq!(effects.order(), ["persist", "send", "send"]);
    assert_eq!(effects.accepts_to(N2), [(1, vec![int(7)])]);
    assert_eq!(node.hears(N3, accepted(b(1, N1), 1, 1)).told(), [Response::Returned(RegisterRet::Done)]);
    assert_eq!((node.value(), node.node.executed()), (int(7), 1));
    assert_eq!(node.hears(N2, accepted(b(1, N1), 1, 1)).told(), [], "and once");
}

/// Chosen out of order, executed in order (3).
#[test]
fn a_slot_waits_for_those_before_it() {
    let mut node = solo(3, plain());
    node.leads();
    node.is_asked(1, write(7));
    node.is_asked(2, write(8));
    assert_eq!(node.hears(N2, accepted(b(1, N1), 2, 1)).told(), []);
    assert_eq!(node.hears(N2, accepted(b(1, N1), 1, 1)).told().len(), 2);
    assert_eq!(node.value(), int(8));
}

#[test]
fn what_was_accepted_in_an_earlier_ballot_does_not_count() {
    let mut node = solo(3, plain());
    node.leads();
    node.is_asked(1, write(7));
    node.hears(N3, prepare(b(2, N3), 1));
    node.leads();
    assert_eq!(node.node.ballot, b(3, N1));
    assert_eq!(node.hears(N2, accepted(b(1, N1), 1, 1)).told(), []);
    assert_eq!(node.node.executed(), 0);
    node.hears(N2, accepted(b(3, N1), 1, 1));
    assert_eq!(node.node.executed(), 1);
}

/// "At most α commands": slots behind the window wait, and go out together when it moves.
#[test]
fn a_window_bounds_what_is_open() {
    let mut node = solo(3, config(|c| (c.window, c.batch) = (2, 64)));
    node.leads();
    let asked: Vec<_> =
        (1..=4).map(|serial| node.is_asked(serial, write(serial as i64)).accepts_to(N2).len()).collect();
    assert_eq!(asked, [1, 1, 0, 0]);
    assert_eq!(node.hears(N2, accepted(b(1, N1), 1, 2)).accepts_to(N2), [(3, vec![int(3), int(4)])]);
}

#[test]
fn a_batch_bounds_a_message() {
    let mut node = solo(3, config(|c| (c.window, c.batch) = (4, 2)));
    let held = (1..=5).map(|slot| held(slot, b(0, N2), slot as i64)).collect();
    let effects = node.leads_after(held);
    assert_eq!(effects.accepts_to(N2), [(1, vec![int(1), int(2)]), (3, vec![int(3), int(4)])]);
}

/// Lost messages: what was not answered for a heartbeat is sent again, to whom it may concern.
#[test]
fn heartbeats_repeat_what_was_not_answered() {
    let mut node = solo(5, plain());
    node.times_out();
    node.hears(N2, promise(b(1, N1), vec![]));
    node.hears(N3, promise(b(1, N1), vec![]));
    node.is_asked(1, write(7));
    assert_eq!(node.wakes(Timer::Heartbeat).accepts_to(N2), [], "it may be under way");
    node.hears(N2, accepted(b(1, N1), 1, 1));
    let effects = node.wakes(Timer::Heartbeat);
    assert_eq!((effects.accepts_to(N2), effects.accepts_to(N3)), (vec![], vec![(1, vec![int(7)])]));
    assert_eq!(effects.sent().len(), 4, "a sign of life to n2");
}

#[test]
fn a_slow_link_is_not_made_slower() {
    let mut node = solo(3, config(|c| c.batch = 1));
    node.leads();
    for serial in 1..=100 {
        node.is_asked(serial, write(7));
    }
    node.wakes(Timer::Heartbeat);
    let resent = node.wakes(Timer::Heartbeat).accepts_to(N2);
    let slots = |accepts: Vec<(Slot, Vec<_>)>| accepts.into_iter().map(|(slot, _)| slot).collect::<Vec<_>>();
    assert_eq!(slots(resent), [1, 2, 3, 4]);
    assert_eq!(slots(node.hears(N2, accepted(b(1, N1), 1, 1)).accepts_to(N2)), [5], "it gets there, and so may more");
}

/// The decision whether a write was done is with later leaders; what was not proposed was not done.
#[test]
fn a_leader_that_gives_way_leaves_nobody_waiting() {
    let mut node = solo(3, config(|c| (c.window, c.reads) = (2, ReadMode::Log)));
    node.leads();
    node.is_asked(1, write(7));
    node.is_asked(2, RegisterOp::Read);
    node.is_asked(3, write(9));
    let effects = node.hears(N2, Message::Preempted { promised: b(2, N2) });
    assert_eq!(effects.told(), [Response::Unknown, Response::Redirect(None), Response::Redirect(None)]);
    assert!(!node.node.is_leader());
}

/// An old refusal says nothing of the ballot that came after it.
#[test]
fn a_leader_ignores_what_stood_against_an_earlier_ballot() {
    let mut node = solo(3, plain());
    node.hears(N2, Message::Preempted { promised: b(4, N2) });
    node.leads();
    node.hears(N3, Message::Preempted { promised: b(4, N2) });
    assert!(node.node.is_leader());
}

#[test]
fn a_leader_that_is_a_quorum_alone_waits_for_its_disk() {
    let mut node = solo(3, config(|c| c.quorums = Quorums::Sizes { phase1: 3, phase2: 1 }));
    node.times_out();
    node.hears(N2, promise(b(1, N1), vec![]));
    node.hears(N3, promise(b(1, N1), vec![]));
    let effects = node.is_asked(1, write(7));
    assert_eq!((effects.order()[0], node.node.executed()), ("persist later", 0));
    assert_eq!(node.lands(&effects).told(), [Response::Returned(RegisterRet::Done)]);
}

#[test]
fn one_node_serves_alone() {
    let mut node = solo(1, plain());
    let effects = node.times_out();
    node.lands(&effects);
    let effects = node.is_asked(1, write(7));
    assert_eq!(node.lands(&effects).told(), [Response::Returned(RegisterRet::Done)]);
}

/// System time goes on from the latest that phase 1 brought, and never falls along the slots.
#[test]
fn system_time_never_falls() {
    let mut node = solo(3, plain());
    let mut old = held(1, b(0, N2), 7);
    old.entry.value.time = 50 * SECOND;
    node.leads_after(vec![old, held(2, b(0, N3), 8)]);
    node.desk.now = node.desk.now + SECOND;
    node.is_asked(1, write(9));
    node.hears(N2, accepted(b(1, N1), 1, 3));
    assert_eq!((node.node.executed.slot, node.node.executed.time), (3, 51 * SECOND));
}
