//! The acceptor's two rules (PMS 2.2), and that they survive a crash (2.5).

use super::*;
use crate::multipaxos::flaws::{ACCEPTOR_IN_MEMORY, ACCEPTS_BELOW_PROMISE};

/// "An acceptor … records its intended response in stable storage before actually sending the response" (2.5).
#[test]
fn a_promise_is_on_disk_before_it_is_given() {
    let mut node = solo(3, plain());
    let effects = node.hears(N2, prepare(b(1, N2), 1));
    assert_eq!(effects.order(), ["persist", "send"]);
    assert_eq!(effects.reply(), promise(b(1, N2), vec![]));
    let again = node.hears(N2, prepare(b(1, N2), 1));
    assert_eq!((again.order(), again.reply()), (vec!["send"], promise(b(1, N2), vec![])), "the same answer");
}

#[test]
fn an_acceptance_is_on_disk_before_it_is_said() {
    let mut node = solo(3, plain());
    let effects = node.hears(N2, accept(b(1, N2), 1, &[7, 8], 0));
    assert_eq!(effects.order(), ["persist", "send"]);
    assert_eq!(effects.reply(), accepted(b(1, N2), 1, 2));
    let again = node.hears(N2, accept(b(1, N2), 1, &[7, 8], 0));
    assert_eq!((again.order(), again.reply()), (vec!["send"], accepted(b(1, N2), 1, 2)), "it is there already");
}

/// P1a, for both kinds of request: neither a promise nor an acceptance below what was promised.
#[test]
fn what_is_below_its_promise_an_acceptor_refuses() {
    let mut node = solo(3, plain());
    node.hears(N3, prepare(b(2, N3), 1));
    for refused in [prepare(b(1, N2), 1), accept(b(1, N2), 1, &[7], 0), prepare(b(2, N2), 1)] {
        assert_eq!(node.hears(N2, refused).reply(), Message::Preempted { promised: b(2, N3) });
    }
    assert_eq!(node.node.log().last(), 0);
    assert_eq!(node.hears(N3, accept(b(2, N3), 1, &[9], 0)).reply(), accepted(b(2, N3), 1, 1));
}

/// To accept in a ballot is to promise it: a lower one that comes later is refused.
#[test]
fn an_acceptance_is_a_promise() {
    let mut node = solo(3, plain());
    node.hears(N3, accept(b(2, N3), 1, &[9], 0));
    assert_eq!(node.hears(N2, prepare(b(1, N2), 1)).reply(), Message::Preempted { promised: b(2, N3) });
    assert_eq!(node.hears(N2, prepare(b(3, N2), 1)).reply(), promise(b(3, N2), vec![held(1, b(2, N3), 9)]));
}

/// A promise tells all that is held from the slot asked about on, however far behind it.
#[test]
fn a_promise_tells_of_every_slot_from_the_one_asked_about() {
    let mut node = solo(3, plain());
    node.hears(N2, accept(b(1, N2), 1, &[7], 0));
    node.hears(N3, accept(b(2, N3), 4, &[8, 9], 0));
    let all = vec![held(1, b(1, N2), 7), held(4, b(2, N3), 8), held(5, b(2, N3), 9)];
    assert_eq!(node.hears(N2, prepare(b(3, N2), 1)).reply(), promise(b(3, N2), all.clone()));
    assert_eq!(node.hears(N2, prepare(b(3, N2), 2)).reply(), promise(b(3, N2), all[1..].to_vec()));
}

/// The highest ballot in which it accepted counts: a later acceptance takes the place of an earlier one.
#[test]
fn a_crash_forgets_no_promise_and_nothing_accepted() {
    let mut node = solo(3, plain());
    let mut journal = node.hears(N2, accept(b(1, N2), 1, &[7, 8], 0)).journal();
    journal.extend(node.hears(N3, accept(b(2, N3), 2, &[9], 0)).journal());
    journal.extend(node.hears(N2, prepare(b(3, N2), 3)).journal());
    let mut node = restarted(3, plain(), journal);
    assert_eq!(node.hears(N3, accept(b(2, N3), 3, &[6], 0)).reply(), Message::Preempted { promised: b(3, N2) });
    let kept = vec![held(1, b(1, N2), 7), held(2, b(2, N3), 9)];
    assert_eq!(node.hears(N3, prepare(b(4, N3), 1)).reply(), promise(b(4, N3), kept));
}

#[test]
fn a_spoilt_journal_is_not_served_from() {
    let journal = vec![Read::Ok(Record::Promised(b(1, N2))), Read::Corrupt];
    assert_eq!(restarted(3, plain(), journal).start.order(), ["halt"]);
}

/// What its predecessor promised under this name it does not know.
#[test]
fn a_stranger_says_nothing() {
    let mut node = begun(3, plain(), vec![], Why::Replacement);
    assert_eq!(node.hears(N2, prepare(b(1, N2), 1)).order(), [""; 0]);
    assert_eq!(node.hears(N2, accept(b(1, N2), 1, &[7], 0)).order(), [""; 0]);
    assert_eq!(node.is_asked(1, write(7)).told(), [Response::Redirect(None)]);
}

#[test]
fn the_mistakes_at_these_rules() {
    let mut forgetful = solo(3, flawed(&ACCEPTOR_IN_MEMORY));
    assert_eq!(forgetful.hears(N2, accept(b(1, N2), 1, &[7], 0)).order(), ["send"]);
    let mut faithless = solo(3, flawed(&ACCEPTS_BELOW_PROMISE));
    faithless.hears(N3, prepare(b(2, N3), 1));
    assert_eq!(faithless.hears(N2, accept(b(1, N2), 1, &[7], 0)).reply(), accepted(b(1, N2), 1, 1));
}
