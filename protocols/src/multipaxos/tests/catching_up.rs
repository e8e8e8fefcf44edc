//! What is chosen, who hears of it how, and those who missed it.

use super::*;
use crate::machine::Machine;
use crate::multipaxos::flaws::PROMISE_OMITS_TRUNCATED;
use crate::multipaxos::snapshots::{Piece, Position};
use crate::snapshots::Bytes;

fn learn(from: Slot, part: (Slot, u64)) -> Words {
    Message::Learn { from, part }
}

fn chosen(first: Slot, written: &[i64], chosen: Slot) -> Words {
    let entries = written.iter().map(|&written| entry(b(1, N2), written)).collect();
    Message::Chosen { first, entries, chosen }
}

/// It leads, has executed three writes, and keeps none of the slots.
fn with_a_snapshot(change: impl FnOnce(&mut MultiPaxosConfig)) -> Solo {
    let mut node = solo(3, config(change));
    node.leads();
    for serial in 1..=3 {
        node.is_asked(serial, write(serial as i64));
        node.hears(N2, accepted(b(1, N1), serial, 1));
    }
    let (taken, effects) = node.is_ordered(Order::Snapshot);
    assert!(taken && effects.order() == ["snapshot"]);
    node
}

/// A ballot has one command a slot, so what was accepted in the leader's own is what it says is chosen.
#[test]
fn a_follower_executes_what_it_accepted_in_the_leaders_ballot() {
    let mut node = solo(3, plain());
    node.hears(N2, accept(b(1, N2), 1, &[7, 8], 0));
    assert_eq!(node.node.executed(), 0);
    assert_eq!(node.hears(N2, accept(b(1, N2), 3, &[9], 1)).order(), ["persist", "send"]);
    assert_eq!((node.node.executed(), node.value()), (1, int(7)));
}

/// What it accepted in another ballot may not be what was chosen: it asks.
#[test]
fn a_follower_asks_about_what_it_accepted_in_another_ballot() {
    let mut node = solo(3, plain());
    node.hears(N3, accept(b(1, N3), 1, &[6], 0));
    let effects = node.hears(N2, accept(b(2, N2), 2, &[], 1));
    assert_eq!((effects.sent(), node.node.executed()), (vec![(N2, learn(1, (0, 0)))], 0));
    assert_eq!(node.hears(N2, accept(b(2, N2), 2, &[], 1)).sent(), [], "an answer may be under way");
    assert_eq!(node.hears(N2, chosen(1, &[7], 1)).order(), ["persist"]);
    assert_eq!((node.node.executed(), node.value()), (1, int(7)));
}

#[test]
fn what_is_lacking_comes_in_batches_and_is_asked_for_one_by_one() {
    let mut leader = with_a_snapshot(|c| (c.batch, c.snapshot_trailing) = (2, 3));
    let Message::Chosen { first, entries, chosen } = leader.hears(N3, learn(1, (0, 0))).reply() else {
        panic!("an answer")
    };
    assert_eq!((first, entries.len(), chosen), (1, 2, 3));
    let mut follower = solo(3, plain());
    let effects = follower.hears(N2, Message::Chosen { first, entries, chosen });
    assert_eq!(effects.sent(), [(N2, learn(3, (0, 0)))]);
    assert_eq!(leader.hears(N3, learn(4, (0, 0))).sent(), [], "nothing is known of that one");
}

/// What it had learned is there after a crash.
#[test]
fn what_was_learned_is_written_down() {
    let mut node = solo(3, plain());
    let journal = node.hears(N2, chosen(1, &[7, 8], 2)).journal();
    let node = restarted(3, plain(), journal);
    assert_eq!((node.node.executed(), node.value()), (2, int(8)));
}

#[test]
fn old_answers_change_nothing() {
    let mut node = solo(3, plain());
    node.hears(N2, chosen(1, &[7, 8], 2));
    assert_eq!(node.hears(N2, chosen(1, &[7], 1)).order(), [""; 0]);
    assert_eq!(node.hears(N2, chosen(4, &[9], 4)).order(), [""; 0], "a gap before it");
    assert_eq!(node.hears(N2, chosen(2, &[8, 9], 3)).order(), ["persist"]);
    assert_eq!((node.node.executed(), node.value()), (3, int(9)));
}

/// Slots that are gone come as a snapshot, in pieces, though a newer one was taken meanwhile.
#[test]
fn what_is_gone_comes_as_a_snapshot_piece_by_piece() {
    let mut leader = with_a_snapshot(|c| c.snapshot_piece = 10);
    let mut follower = solo(3, plain());
    let mut asked = follower.hears(N2, accept(b(1, N2), 4, &[], 3)).reply();
    let mut pieces = 0;
    while follower.node.executed() == 0 {
        let piece = leader.hears(N2, asked.clone()).reply();
        let effects = follower.hears(N2, piece.clone());
        pieces += 1;
        if pieces == 2 {
            leader.is_asked(4, write(4));
            leader.hears(N2, accepted(b(1, N1), 4, 1));
            leader.is_ordered(Order::Snapshot);
            assert_eq!(follower.hears(N2, piece).sent(), [], "a piece that comes twice is asked on for once");
        }
        asked = effects.sent().pop().map_or(asked, |(_, message)| message);
    }
    assert!(pieces > 2);
    assert_eq!((follower.node.executed(), follower.node.log().base(), follower.value()), (3, 3, int(3)));
}

/// It stands for everything in the journal: promise, machine, and what is behind it.
#[test]
fn a_snapshot_keeps_the_promise_and_what_lies_behind_it() {
    let mut node = with_a_snapshot(|_| ());
    node.is_asked(4, write(4));
    node.node.snapshot = None;
    node.node.executed.slot = 3;
    let (_, effects) = node.is_ordered(Order::Snapshot);
    let mut again = restarted(3, plain(), effects.journal());
    assert_eq!((again.node.executed(), again.value(), again.node.promised()), (3, int(3), b(1, N1)));
    let Message::Promise(promise) = again.hears(N2, prepare(b(2, N2), 1)).reply() else { panic!("an answer") };
    assert_eq!((promise.truncated, promise.chosen, promise.held.len()), (3, 3, 1));
}

/// A proposer that lacks what an acceptor has dropped fetches it before it leads: else it would take the slots for empty.
#[test]
fn a_candidate_fetches_what_is_gone_before_it_leads() {
    let mut node = solo(3, plain());
    node.times_out();
    let told = Promise { ballot: b(1, N1), held: vec![held(4, b(0, N2), 9)], truncated: 3, chosen: 3 };
    let effects = node.hears(N2, Message::Promise(Box::new(told)));
    assert_eq!((effects.reply(), node.node.is_leader()), (learn(1, (0, 0)), false));
    let data = Bytes::write(&Machine::<Register> { data: int(3), ..Machine::default() });
    let members = node.node.members.known().clone();
    let piece = Piece { last: Position { slot: 3, time: 0 }, members, length: data.len(), offset: 0, data };
    let effects = node.hears(N2, Message::Snapshot(Box::new(piece)));
    assert!(node.node.is_leader());
    assert_eq!((node.value(), effects.accepts_to(N2)), (int(3), vec![(4, vec![int(9)])]));
}

#[test]
fn an_acceptor_says_what_is_gone() {
    let truncated = |mut node: Solo| {
        let Message::Promise(promise) = node.hears(N2, prepare(b(2, N2), 1)).reply() else { panic!("a promise") };
        promise.truncated
    };
    assert_eq!(truncated(with_a_snapshot(|_| ())), 3);
    assert_eq!(truncated(with_a_snapshot(|c| c.flaws = Flaws::new([&PROMISE_OMITS_TRUNCATED]))), 0, "P11");
}

/// A leader has all that was chosen; what comes late it has asked for earlier.
#[test]
fn a_leader_learns_from_nobody() {
    let mut node = solo(3, plain());
    node.leads();
    node.is_asked(1, write(5));
    assert_eq!(node.hears(N2, chosen(1, &[5], 1)).order(), [""; 0]);
    assert_eq!(node.node.executed(), 0);
}
