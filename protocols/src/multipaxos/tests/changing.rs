//! Who takes part in which slot (Lamport, Malkhi & Zhou 2010, sections 3 and 4; PMS 3).

use super::table::{Storm, Table};
use super::*;
use crate::multipaxos::flaws::CHANGE_IN_FORCE_AT_ONCE;
use crate::multipaxos::members::Membership;
use crate::quorum::Quorums;

const N4: NodeId = NodeId(3);
const N5: NodeId = NodeId(4);

/// The first `founders` decide, and a window is so long.
fn of(founders: u64, window: u64) -> MultiPaxosConfig {
    config(|c| (c.initial_members, c.window) = (founders, window))
}

fn members(ids: &[NodeId]) -> Value<RegisterOp> {
    let membership = Membership::of(ids.iter().copied());
    Value { time: 0, command: Command::Members(Box::new(membership)) }
}

fn executed(slot: Slot) -> Words {
    Message::Executed { slot }
}

/// Whom the effects ask for a promise.
fn prepared(effects: &Effects) -> Vec<NodeId> {
    let asked = effects.sent().into_iter().filter(|(_, message)| matches!(message, Message::Prepare { .. }));
    asked.map(|(to, _)| to).collect()
}

/// n1 leads n1, n2 and n3 with a window of 2, has added n4, and executed that in slot 1.
fn has_added_n4() -> (Solo, Effects) {
    let mut node = solo(5, of(3, 2));
    node.leads();
    assert!(node.is_ordered(Order::Add(vec![N4])).0);
    node.hears(N4, executed(0));
    let effects = node.hears(N2, accepted(b(1, N1), 1, 1));
    assert_eq!(node.node.executed(), 1);
    (node, effects)
}

#[test]
fn a_new_acceptor_catches_up_before_the_change_is_proposed() {
    let mut node = solo(5, of(3, 8));
    node.leads();
    node.is_asked(1, write(7));
    node.hears(N2, accepted(b(1, N1), 1, 1));
    let (taken, effects) = node.is_ordered(Order::Add(vec![N4]));
    assert!(taken && effects.sent() == [(N4, accept(b(1, N1), 2, &[], 1))], "a sign of life, and it asks for the rest");
    assert!(!node.is_ordered(Order::Add(vec![N5])).0, "one at a time");
    assert_eq!(node.hears(N4, executed(0)).sent(), []);
    assert_eq!(node.hears(N4, executed(1)).accepts_to(N2), [(2, vec![Datum::Nil])]);
}

#[test]
fn a_newcomer_that_is_silent_is_given_up() {
    let mut node = solo(5, of(3, 8));
    node.leads();
    assert!(node.is_ordered(Order::Add(vec![N4])).0);
    node.desk.now = node.desk.now + 10 * SECOND;
    node.wakes(Timer::Heartbeat);
    assert!(node.is_ordered(Order::Remove(vec![N3])).0, "something else can change");
}

/// "It can propose α no-ops": nobody asks for anything, and the change is in force all the same.
#[test]
fn no_ops_bring_a_change_into_force() {
    let mut node = solo(5, of(3, 4));
    node.leads();
    node.is_ordered(Order::Remove(vec![N3]));
    let effects = node.hears(N2, accepted(b(1, N1), 1, 1));
    assert_eq!(effects.accepts_to(N2), [(2, vec![Datum::Nil; 3])]);
    assert!(!node.is_ordered(Order::Add(vec![N3])).0, "not in force yet");
    node.hears(N2, accepted(b(1, N1), 2, 3));
    assert_eq!((node.node.executed(), node.node.members.everybody()), (4, &[N1, N2][..]));
}

/// "The set of servers that execute instance i+α … is specified by the state after execution of the ith command."
#[test]
fn slots_in_flight_are_decided_by_the_old_members() {
    let mut node = solo(5, of(5, 4));
    node.times_out();
    for other in [N2, N3] {
        node.hears(other, promise(b(1, N1), vec![]));
    }
    node.is_ordered(Order::Members(vec![N1, N2]));
    for other in [N2, N3] {
        node.hears(other, accepted(b(1, N1), 1, 1));
    }
    node.hears(N2, accepted(b(1, N1), 2, 3));
    assert_eq!(node.node.executed(), 1, "two of five");
    node.hears(N3, accepted(b(1, N1), 2, 3));
    assert_eq!(node.node.executed(), 4);
    node.is_asked(1, write(7));
    node.hears(N2, accepted(b(1, N1), 5, 1));
    assert_eq!(node.node.executed(), 5, "and from slot 5 on both of two");
}

#[test]
fn a_leader_proposes_nothing_to_new_members_before_a_quorum_of_them_has_promised() {
    let (mut node, effects) = has_added_n4();
    assert_eq!(prepared(&effects), [N3, N4], "n2 has promised all slots");
    node.hears(N2, accepted(b(1, N1), 2, 1));
    assert_eq!(node.is_asked(1, write(7)).accepts_to(N2), [], "two of four");
    assert_eq!(prepared(&node.wakes(Timer::Heartbeat)), [N3, N4]);
    assert_eq!(node.hears(N4, promise(b(1, N1), vec![])).accepts_to(N2), [(3, vec![int(7)])]);
}

/// P2c holds of every membership.
#[test]
fn what_new_members_have_accepted_before_is_adopted() {
    let (mut node, _) = has_added_n4();
    node.hears(N2, accepted(b(1, N1), 2, 1));
    node.is_asked(1, write(7));
    let reported = vec![held(4, b(0, N3), 5)];
    let proposed = node.hears(N4, promise(b(1, N1), reported)).accepts_to(N2);
    assert_eq!(proposed, [(3, vec![Datum::Nil, int(5)])], "what was asked here waits");
}

/// Others have led the new members, and have thrown away what they did.
#[test]
fn a_leader_whose_new_members_are_ahead_gives_way_and_learns() {
    let (mut node, _) = has_added_n4();
    let promise = Promise { ballot: b(1, N1), held: vec![], truncated: 3, chosen: 3 };
    let effects = node.hears(N4, Message::Promise(Box::new(promise)));
    assert!(!node.node.is_leader());
    assert_eq!(effects.reply(), Message::Learn { from: 2, part: (0, 0) });
}

#[test]
fn a_candidate_needs_a_quorum_of_every_membership_that_decides_an_open_slot() {
    let mut node = solo(5, of(3, 4));
    let values = vec![members(&[N1, N4, N5])];
    node.hears(N2, Message::Accept(Accept { ballot: b(1, N2), first: 1, values, chosen: 1 }));
    assert_eq!(prepared(&node.times_out()), [N2, N3, N4, N5]);
    let ballot = node.node.ballot;
    node.hears(N2, promise(ballot, vec![]));
    assert!(!node.node.is_leader(), "slots 2 to 4, not slot 5");
    node.hears(N4, promise(ballot, vec![]));
    assert!(node.node.is_leader());
}

/// It leads as long as it decides; then another takes over.
#[test]
fn a_leader_that_is_removed_leads_to_the_end() {
    let mut node = solo(3, of(3, 2));
    node.leads();
    node.is_asked(1, write(7));
    node.is_ordered(Order::Remove(vec![N1]));
    node.hears(N2, accepted(b(1, N1), 1, 2));
    node.is_asked(2, write(8));
    assert!(node.node.is_leader());
    let effects = node.hears(N2, accepted(b(1, N1), 3, 1));
    assert!(!node.node.is_leader());
    assert!(effects.sent().contains(&(N2, Message::TakeOver { ballot: b(1, N1) })));
    assert_eq!(prepared(&node.times_out()), [], "and does not try again");
}

#[test]
fn changes_whose_quorums_would_miss_each_other_are_refused() {
    let mut node = solo(4, config(|c| c.quorums = Quorums::Sizes { phase1: 3, phase2: 2 }));
    node.times_out();
    for other in [N2, N3] {
        node.hears(other, promise(b(1, N1), vec![]));
    }
    assert!(!node.is_ordered(Order::Members(vec![])).0);
    assert!(!node.is_ordered(Order::Members(vec![N1, N2])).0, "no three of two");
    assert!(!node.is_ordered(Order::Add(vec![N5])).0, "three and two of five can miss");
    assert!(node.is_ordered(Order::Remove(vec![N4])).0);
}

/// Whoever knows that he is out tells him.
#[test]
fn who_is_out_and_does_not_know_is_told_and_promised_nothing() {
    let mut node = solo(3, of(3, 1));
    let values = vec![members(&[N1, N2])];
    node.hears(N2, Message::Accept(Accept { ballot: b(1, N2), first: 1, values, chosen: 1 }));
    let reply = node.hears(N3, prepare(b(9, N3), 1)).reply();
    assert!(matches!(reply, Message::Chosen { first: 1, chosen: 1, .. }), "{reply:?}");
    assert_eq!(node.node.promised(), b(1, N2));
    node.hears(N3, prepare(b(9, N3), 2));
    assert_eq!(node.node.promised(), b(9, N3), "he knows as much, and may be in again by what we do not know");
}

#[test]
fn spare_nodes_listen_and_do_not_try_to_lead() {
    let mut table = Table::new(5, of(3, 4));
    table.times_out(N4);
    assert_eq!(table.paxos(N4).promised(), Ballot::ZERO);
    table.elect(N1);
    table.order(N1, Order::Add(vec![N4]));
    table.beat(N1, 2);
    assert!(table.paxos(N4).members.includes(N4));
    table.elect(N4);
}

#[test]
fn members_survive_a_restart_from_the_log_and_from_a_snapshot() {
    for snapshot_every in [0, 1] {
        let config = MultiPaxosConfig { snapshot_every, ..of(3, 4) };
        let mut table = Table::new(5, config);
        table.elect(N1);
        table.order(N1, Order::Members(vec![N1, N2, N4]));
        table.beat(N1, 3);
        table.crash(N2);
        table.restart(N2);
        assert!(snapshot_every == 0 || table.paxos(N2).members.everybody() == [N1, N2, N4], "before it hears anybody");
        table.beat(N1, 1);
        assert_eq!(table.paxos(N2).members.everybody(), [N1, N2, N4], "{snapshot_every}");
    }
}

/// The next leader finds the change in the log, and brings it into force.
#[test]
fn the_next_leader_finishes_a_change() {
    let mut table = Table::new(5, of(5, 8));
    table.elect(N1);
    table.order_and_lose_answers(N1, Order::Members(vec![N3, N4, N5]));
    table.crash(N1);
    table.elect(N3);
    table.beat(N3, 2);
    for node in [N3, N4, N5] {
        assert_eq!(table.paxos(node).members.everybody(), [N3, N4, N5], "{node}");
    }
}

/// One who was cut off while everything changed comes back.
#[test]
fn who_missed_his_removal_learns_of_it_when_he_tries_to_lead() {
    let mut table = Table::new(5, of(5, 4));
    table.elect(N1);
    table.isolate(&[N5]);
    table.order(N1, Order::Remove(vec![N5]));
    table.beat(N1, 2);
    table.heal();
    table.times_out(N5);
    table.settle();
    assert!(!table.paxos(N5).members.includes(N5));
    assert!(table.paxos(N1).is_leader(), "nobody was disturbed");
}

/// The mistake P09: slot 2 is decided by n1 and n2 alone, since slot 1 made them the members; who has not heard of slot 1 has
/// it decided otherwise.
#[test]
fn a_change_in_force_at_once_decides_a_slot_twice() {
    let run = |config: MultiPaxosConfig| {
        let mut table = Table::new(5, config);
        table.elect(N1);
        table.order_and_lose_answers(N1, Order::Members(vec![N1, N2]));
        table.isolate(&[N1, N2]);
        table.ask(N1, write(7));
        table.settle();
        table.beat(N1, 2);
        table.paxos(N1).executed()
    };
    assert_eq!(run(of(5, 8)), 1);
    let flaws = Flaws::new([&CHANGE_IN_FORCE_AT_ONCE]);
    let breach = std::panic::catch_unwind(|| run(MultiPaxosConfig { flaws, ..of(5, 8) })).unwrap_err();
    let breach = breach.downcast_ref::<String>().expect("a message");
    assert!(breach.contains("chosen by a quorum"), "{breach}");
}

/// Messages lost and late, crashes, and an operator who changes his mind: the laws hold, and at the end somebody leads.
#[test]
fn members_come_and_go_in_a_storm() {
    for seed in 0..2_000 {
        Storm::new(seed).rage();
    }
}
