//! One test for each thing that a leader has to know before it answers a read from its own state.

use super::*;
use crate::multipaxos::ReadMode;
use crate::multipaxos::flaws::READ_WITHOUT_QUORUM;
use crate::quorum::Quorums;
use history::RegisterOp::Read;

const NIL: Response<RegisterRet> = Response::Returned(RegisterRet::Value(Datum::Nil));

fn read_returned(value: i64) -> Response<RegisterRet> {
    Response::Returned(RegisterRet::Value(int(value)))
}

pub fn confirm(ballot: Ballot, round: u64) -> Words {
    Message::Confirm { ballot, round }
}

pub fn confirmed(ballot: Ballot, round: u64) -> Words {
    Message::Confirmed { ballot, round }
}

/// A read takes no slot and no disk: it is answered once a quorum has said that it has promised nothing higher.
#[test]
fn a_read_asks_a_quorum_first() {
    let mut node = solo(3, plain());
    node.leads();
    let ballot = node.node.ballot;
    let effects = node.is_asked(1, Read);
    assert_eq!(effects.sent(), [(N2, confirm(ballot, 1)), (N3, confirm(ballot, 1))]);
    assert_eq!(effects.order(), ["send", "send"]);
    assert_eq!(node.hears(N2, confirmed(b(0, N1), 1)).told(), [], "an answer to an earlier ballot proves nothing");
    assert_eq!(node.hears(N3, confirmed(ballot, 0)).told(), [], "nor does one to an earlier round");
    assert_eq!(node.hears(N3, confirmed(ballot, 1)).told(), [NIL]);
}

/// What was chosen in lower ballots it heard of in phase 1; before that is executed its state may lack what clients were told.
#[test]
fn a_read_waits_for_what_phase_1_brought() {
    let mut node = solo(3, plain());
    node.leads_after(vec![held(1, b(0, N2), 7), held(2, b(0, N2), 8)]);
    let ballot = node.node.ballot;
    node.is_asked(1, Read);
    assert_eq!(node.hears(N2, confirmed(ballot, 1)).told(), []);
    assert_eq!(node.hears(N2, accepted(ballot, 1, 1)).told(), [], "7 may not be the last");
    assert_eq!(node.hears(N2, accepted(ballot, 2, 1)).told(), [read_returned(8)]);
}

/// What is chosen in its own ballot nobody is told of before it has executed it; so a read need not wait for what is open.
#[test]
fn a_read_does_not_wait_for_what_is_open_in_the_leaders_own_ballot() {
    let mut node = solo(3, plain());
    node.leads();
    let ballot = node.node.ballot;
    node.is_asked(1, write(7));
    node.is_asked(2, Read);
    assert_eq!(node.hears(N2, confirmed(ballot, 1)).told(), [NIL]);
}

/// Reads that arrive while a round is under way wait for the next, together.
#[test]
fn late_reads_share_the_next_round() {
    let mut node = solo(3, plain());
    node.leads();
    let ballot = node.node.ballot;
    node.is_asked(1, Read);
    assert_eq!(node.is_asked(2, Read).order(), [""; 0]);
    assert_eq!(node.is_asked(3, Read).order(), [""; 0]);
    assert_eq!(node.hears(N2, confirmed(ballot, 1)).order(), ["tell", "send", "send"]);
    assert_eq!(node.hears(N3, confirmed(ballot, 1)).told(), [], "they arrived after that round began");
    assert_eq!(node.hears(N2, confirmed(ballot, 2)).told(), [NIL, NIL]);
}

/// A round may be lost: the next heartbeat begins another, and whatever answers that answers all before it.
#[test]
fn a_heartbeat_asks_again() {
    let mut node = solo(3, plain());
    node.leads();
    let ballot = node.node.ballot;
    node.is_asked(1, Read);
    node.is_asked(2, Read);
    assert!(node.wakes(Timer::Heartbeat).sent().contains(&(N3, confirm(ballot, 2))));
    assert_eq!(node.hears(N3, confirmed(ballot, 2)).told(), [NIL, NIL]);
    assert!(!node.wakes(Timer::Heartbeat).sent().contains(&(N3, confirm(ballot, 3))), "nobody waits");
}

/// Each phase 1 quorum shares a member with each phase 2 quorum, not with each of its own kind (Flexible Paxos, 4): so it takes
/// one of phase 2.
#[test]
fn it_takes_a_phase_2_quorum() {
    let answers_needed = |phase1, phase2| {
        let mut node = solo(4, config(|c| c.quorums = Quorums::Sizes { phase1, phase2 }));
        node.times_out();
        let ballot = node.node.ballot;
        for acceptor in [N2, N3, NodeId(3)] {
            node.hears(acceptor, promise(ballot, vec![]));
        }
        let mut told = node.is_asked(1, Read).told();
        let mut needed = 0;
        for acceptor in [N2, N3, NodeId(3)] {
            if told.is_empty() {
                needed += 1;
                told = node.hears(acceptor, confirmed(ballot, 1)).told();
            }
        }
        assert_eq!(told, [NIL]);
        needed
    };
    assert_eq!((answers_needed(2, 3), answers_needed(3, 2)), (2, 1));
    assert_eq!(answers_needed(4, 1), 0, "whoever would lead needs its own promise");
}

/// An acceptor says no once it has promised a higher ballot; what it confirms is a promise too, and on disk if it is news.
#[test]
fn an_acceptor_confirms_what_it_has_promised_nothing_above() {
    let mut node = solo(3, plain());
    let effects = node.hears(N2, confirm(b(1, N2), 4));
    assert_eq!((effects.order(), effects.reply()), (vec!["persist", "send"], confirmed(b(1, N2), 4)));
    assert_eq!(node.hears(N2, confirm(b(1, N2), 5)).order(), ["send"]);
    node.hears(N3, prepare(b(2, N3), 1));
    assert_eq!(node.hears(N2, confirm(b(1, N2), 6)).reply(), Message::Preempted { promised: b(2, N3) });
}

/// Who gives way sends its readers on; an answer that comes late finds nobody.
#[test]
fn a_leader_that_gives_way_sends_its_readers_on() {
    let mut node = solo(3, plain());
    node.leads();
    let ballot = node.node.ballot;
    node.is_asked(1, Read);
    assert_eq!(node.hears(N3, accept(b(2, N3), 1, &[], 0)).told(), [Response::Redirect(Some(N3))]);
    assert_eq!(node.hears(N2, confirmed(ballot, 1)).order(), [""; 0]);
}

#[test]
fn in_mode_log_a_read_is_a_command() {
    let mut node = solo(3, config(|c| c.reads = ReadMode::Log));
    node.leads();
    let ballot = node.node.ballot;
    assert_eq!(node.is_asked(1, Read).order(), ["persist", "send", "send"]);
    assert_eq!(node.hears(N2, accepted(ballot, 1, 1)).told(), [NIL]);
}

/// Any node answers from what it has executed, leader or not; but not one that does not know what it was.
#[test]
fn in_mode_local_any_node_answers() {
    let local = || config(|c| c.reads = ReadMode::Local);
    let mut node = solo(3, local());
    assert_eq!(node.is_asked(1, Read).told(), [NIL]);
    node.hears(N2, accept(b(1, N2), 1, &[7], 0));
    assert_eq!(node.is_asked(2, Read).told(), [NIL], "nobody knows whether it is chosen");
    node.hears(N2, accept(b(1, N2), 2, &[], 1));
    assert_eq!(node.is_asked(3, Read).told(), [read_returned(7)]);
    let mut stranger = begun(3, local(), vec![], Why::Replacement);
    assert_eq!(stranger.is_asked(1, Read).told(), [Response::Redirect(None)]);
}

/// The mistake P15: who was deposed and does not know it answers.
#[test]
fn the_flaw_read_without_quorum_answers_at_once() {
    let mut node = solo(3, flawed(&READ_WITHOUT_QUORUM));
    node.leads();
    assert_eq!(node.is_asked(1, Read).told(), [NIL]);
}
