//! Phase 1 (PMS 2.2, 3): who tries, with which ballot, and what it learns.

use super::*;
use crate::detectors::chen::{ChenSettings, Variant};
use crate::multipaxos::Watching;
use crate::multipaxos::flaws::{
    ADOPTS_OWN_VALUE, BALLOTS_WITHOUT_NODE, COUNTS_ACROSS_BALLOTS, NO_NOOP_FILL, PHASE1_UP_TO_OWN_LAST,
};
use crate::quorum::Quorums;
use sim_core::time::MILLISECOND;

/// Its own promise is on disk before anybody is asked for his.
#[test]
fn a_candidate_promises_itself_first() {
    let mut node = solo(3, plain());
    let effects = node.times_out();
    assert_eq!(effects.order(), ["persist", "send", "send"]);
    assert_eq!(effects.sent()[0].1, prepare(b(1, N1), 1));
    assert!(!node.node.is_leader());
}

/// "Different proposals have different numbers" (2.2), before and after a crash.
#[test]
fn a_candidate_uses_a_higher_ballot_each_time() {
    let mut node = solo(3, plain());
    let mut journal = node.times_out().journal();
    journal.extend(node.times_out().journal());
    assert_eq!(node.node.ballot, b(2, N1));
    node.hears(N2, Message::Preempted { promised: b(5, N3) });
    node.times_out();
    assert_eq!(node.node.ballot, b(6, N1), "higher than any it has heard of");
    let mut again = restarted(3, plain(), journal);
    again.times_out();
    assert_eq!(again.node.ballot, b(3, N1));
    let mut nameless = solo(3, flawed(&BALLOTS_WITHOUT_NODE));
    nameless.times_out();
    assert_eq!(nameless.node.ballot, Ballot { round: 1, ..Ballot::ZERO }, "the mistake P03");
}

#[test]
fn whoever_hears_the_leader_does_not_try() {
    let mut node = solo(3, plain());
    node.desk.now = node.desk.now + SECOND;
    node.hears(N2, accept(b(1, N2), 1, &[], 0));
    assert_eq!(node.wakes(Timer::Patience).order(), [""; 0]);
    assert_eq!(node.is_asked(1, write(7)).told(), [Response::Redirect(Some(N2))]);
    assert_eq!(node.times_out().order(), ["persist", "send", "send"], "silence for a second");
    assert_eq!(node.is_asked(1, write(7)).told(), [Response::Redirect(None)]);
}

fn watched_by_chen() -> MultiPaxosConfig {
    let (variant, interval, margin) = (Variant::Estimated, 75 * MILLISECOND, 100 * MILLISECOND);
    let chen = ChenSettings { variant, interval, margin, window: 8 };
    config(|c| (c.watching, c.patience) = (Watching::Chen(chen), (300 * MILLISECOND, 300 * MILLISECOND)))
}

/// Commands that keep coming do not hide that the heartbeats have stopped, and a late one is forgiven.
#[test]
fn with_chen_a_leader_is_suspected_by_its_heartbeats() {
    let mut node = solo(3, watched_by_chen());
    node.hears(N2, accept(b(1, N2), 1, &[], 0));
    let beats = |node: &mut Solo, number: u64, after: u64| {
        node.desk.now = node.desk.now + after * MILLISECOND;
        node.hears(N2, Message::Beat { ballot: b(1, N2), number });
        node.wakes(Timer::Patience).order()
    };
    assert_eq!(beats(&mut node, 1, 0), [""; 0]);
    assert_eq!(beats(&mut node, 2, 75), [""; 0]);
    assert_eq!(beats(&mut node, 3, 150), [""; 0], "75 ms late");
    node.desk.now = node.desk.now + 90 * MILLISECOND;
    node.hears(N2, accept(b(1, N2), 1, &[7], 0));
    assert_eq!(node.wakes(Timer::Patience).order(), [""; 0]);
    node.desk.now = node.desk.now + 40 * MILLISECOND;
    assert_eq!(node.wakes(Timer::Patience).order(), ["persist", "send", "send"]);
}

#[test]
fn who_leads_anew_after_long_has_time_for_a_heartbeat() {
    let mut node = solo(3, watched_by_chen());
    node.hears(N2, accept(b(1, N2), 1, &[], 0));
    node.hears(N3, accept(b(2, N3), 1, &[], 0));
    node.desk.now = node.desk.now + 100 * SECOND;
    node.hears(N2, accept(b(3, N2), 1, &[], 0));
    assert_eq!(node.wakes(Timer::Patience).order(), [""; 0]);
}

#[test]
fn only_a_detector_that_wants_heartbeats_is_sent_them() {
    let beats = |config| {
        let mut node = solo(3, config);
        let of =
            |effects: Effects| effects.sent().into_iter().filter(|(_, m)| matches!(m, Message::Beat { .. })).collect();
        let first: Vec<(NodeId, Words)> = of(node.leads());
        node.desk.now = node.desk.now + SECOND;
        (first, of(node.wakes(Timer::Heartbeat)))
    };
    assert_eq!(beats(plain()), (vec![], vec![]));
    let beat = |number| [N2, N3].map(|to| (to, Message::Beat { ballot: b(1, N1), number })).to_vec();
    assert_eq!(beats(watched_by_chen()), (beat(1), beat(13)), "a second has 13 intervals");
}

/// "The value of the highest-numbered proposal among the responses" (2.2, P2c), slot by slot.
#[test]
fn a_leader_proposes_what_was_accepted_in_the_highest_ballot() {
    let mine = || {
        let mut node = solo(5, plain());
        node.hears(N2, accept(b(3, N2), 1, &[1], 0));
        node.hears(N3, accept(b(4, N3), 2, &[2], 0));
        node
    };
    let theirs = vec![held(1, b(4, N3), 10), held(2, b(1, N2), 20)];
    let mut node = mine();
    node.times_out();
    node.hears(N2, promise(b(5, N1), theirs.clone()));
    let effects = node.hears(N3, promise(b(5, N1), vec![]));
    assert_eq!(effects.accepts_to(N2), [(1, vec![int(10), int(2)])]);
    assert_eq!(effects.order()[..2], ["persist", "send"], "its own acceptance first");
    let mut selfish = mine();
    selfish.node.config.flaws = Flaws::new([&ADOPTS_OWN_VALUE]);
    selfish.times_out();
    selfish.hears(N2, promise(b(5, N1), theirs));
    assert_eq!(selfish.hears(N3, promise(b(5, N1), vec![])).accepts_to(N2), [(1, vec![int(1), int(2)])], "P02");
}

/// "The leader … fills the gap immediately by proposing, as commands 136 and 137, a special no-op command" (3).
#[test]
fn holes_are_filled_with_no_ops() {
    let theirs = || vec![held(3, b(0, N2), 30)];
    let mut node = solo(3, plain());
    assert_eq!(node.leads_after(theirs()).accepts_to(N2), [(1, vec![Datum::Nil, Datum::Nil, int(30)])]);
    let mut skipping = solo(3, flawed(&NO_NOOP_FILL));
    assert_eq!(skipping.leads_after(theirs()).accepts_to(N2), [(3, vec![int(30)])], "the mistake P05");
}

/// What others have accepted behind one's own last slot counts too.
#[test]
fn phase_1_is_for_all_slots() {
    let mut node = solo(3, flawed(&PHASE1_UP_TO_OWN_LAST));
    assert_eq!(node.leads_after(vec![held(1, b(0, N2), 7)]).accepts_to(N2), [], "the mistake P06");
    assert_eq!(node.is_asked(1, write(9)).accepts_to(N2), [(1, vec![int(9)])]);
}

/// A quorum that accepted one thing in one ballot has chosen it: it is executed, not proposed again. In different ballots it
/// has not.
#[test]
fn what_a_quorum_reports_in_one_ballot_is_chosen() {
    let reports = |flaws: Flaws, theirs: Ballot| {
        let mut node = solo(3, config(|c| c.flaws = flaws));
        node.hears(N3, accept(b(2, N3), 1, &[7], 0));
        let effects = node.leads_after(vec![held(1, theirs, 7)]);
        (node.value(), effects.accepts_to(N2).len())
    };
    assert_eq!(reports(Flaws::default(), b(2, N3)), (int(7), 0));
    assert_eq!(reports(Flaws::default(), b(1, N2)), (Datum::Nil, 1));
    assert_eq!(reports(Flaws::new([&COUNTS_ACROSS_BALLOTS]), b(1, N2)), (int(7), 0), "the mistake P07");
}

/// What an acceptor knows to be chosen it says, and it is not proposed again either.
#[test]
fn what_an_acceptor_knows_to_be_chosen_is_executed() {
    let mut node = solo(3, plain());
    node.times_out();
    let held = vec![held(1, b(0, N2), 7), held(2, b(0, N2), 8)];
    let told = Promise { ballot: b(1, N1), held, truncated: 0, chosen: 1 };
    let effects = node.hears(N2, Message::Promise(Box::new(told)));
    assert_eq!((node.node.executed(), node.value()), (1, int(7)));
    assert_eq!(effects.accepts_to(N2), [(2, vec![int(8)])]);
}

#[test]
fn a_promise_counts_once_and_in_its_own_ballot_only() {
    let mut node = solo(5, plain());
    node.times_out();
    node.hears(N2, promise(b(1, N1), vec![]));
    node.hears(N2, promise(b(1, N1), vec![]));
    assert!(!node.node.is_leader(), "two of five, one of them twice");
    node.times_out();
    node.hears(N2, promise(b(1, N1), vec![]));
    node.hears(N3, promise(b(1, N1), vec![]));
    assert!(!node.node.is_leader(), "for the ballot before");
}

/// "It is probably a good idea to abandon a proposal" (2.3): and to wait the longer, the more often.
#[test]
fn a_preempted_candidate_gives_way_and_waits_longer() {
    let mut node = solo(3, plain());
    let longest = |node: &mut Solo| {
        let waits = (0..40).map(|_| {
            node.node.put_off_election(&mut node.desk.ctx());
            let armed = |effect: &Effect<Node>| match effect {
                Effect::Arm(Timer::Patience, after) => Some(*after),
                Effect::Arm(Timer::Heartbeat, _)
                | Effect::Send(..)
                | Effect::Tell(..)
                | Effect::Persist(_)
                | Effect::PersistLater(..)
                | Effect::Snapshot(_)
                | Effect::Truncate(_)
                | Effect::Disarm(_)
                | Effect::Observe(_)
                | Effect::TookEffect(..)
                | Effect::Halt(_) => None,
            };
            node.desk.take().iter().find_map(armed).expect("it waits")
        });
        waits.max().expect("forty")
    };
    let at_first = longest(&mut node);
    for round in 1..4 {
        node.times_out();
        node.hears(N2, Message::Preempted { promised: b(round * 10, N2) });
        assert!(matches!(node.node.role, crate::multipaxos::Role::Follower));
    }
    assert!(longest(&mut node) > at_first);
    node.hears(N2, accept(b(40, N2), 1, &[], 0));
    assert_eq!(node.node.attempts, 0, "somebody leads");
}

/// Flexible quorums: a leader alone in phase 1 waits for its own disk, since nobody else's answer proves that it wrote.
#[test]
fn a_candidate_that_is_a_quorum_alone_waits_for_its_disk() {
    let mut node = solo(3, config(|c| c.quorums = Quorums::Sizes { phase1: 1, phase2: 3 }));
    let effects = node.times_out();
    assert_eq!((effects.order()[0], node.node.is_leader()), ("persist later", false));
    node.lands(&effects);
    assert!(node.node.is_leader());
}
