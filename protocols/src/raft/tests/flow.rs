//! How a follower is fed: in batches, within a window, one question at a time where it is unknown what it has (end of 5.3;
//! dissertation 10.2.1 on pipelines), and what old answers may not do.

use super::*;
use crate::raft::Role;
use crate::raft::flaws::STALE_REJECT_LOWERS_NEXT;
use crate::raft::progress::{Mode, Progress};
use sim_core::protocol::Transport;

/// It leads term 1 of three with a window and a batch; n2 has its no-op.
fn leader(window: u64, batch: u64) -> Solo {
    let mut node = solo(3, config(|c| (c.pre_vote, c.window, c.batch) = (false, window, batch)));
    node.leads();
    node
}

fn n2(node: &Solo) -> &Progress {
    let Role::Leader(leadership) = &node.raft.role else { panic!("leads") };
    &leadership.peers[0]
}

fn sizes(effects: &Effects) -> Vec<usize> {
    effects.appends().iter().filter(|(to, _)| *to == N2).map(|(_, append)| append.entries.len()).collect()
}

#[test]
fn the_window_bounds_what_is_under_way() {
    let mut node = leader(2, 64);
    let sent: Vec<usize> = (1..=4).map(|value| sizes(&node.is_asked(value, write(1))).len()).collect();
    assert_eq!(sent, [1, 1, 0, 0], "two of four");
    let effects = node.hears(N2, matched(1, 0, 2));
    assert_eq!(sizes(&effects), [1], "one was acknowledged, one more may go, though a batch holds 64");
    assert_eq!(sizes(&node.hears(N2, matched(1, 0, 4))), [1], "the last");
}

#[test]
fn a_batch_bounds_a_message() {
    let mut node = leader(4, 2);
    for value in 1..=9 {
        node.is_asked(value, write(1));
    }
    assert_eq!(sizes(&node.hears(N2, matched(1, 0, 5))), [2, 2]);
}

/// A stream that breaks goes on with half of what was under way, and grows with what is acknowledged.
#[test]
fn a_broken_stream_goes_on_more_slowly() {
    let mut node = leader(8, 1);
    for value in 0..20 {
        node.is_asked(value, write(value as i64));
    }
    assert_eq!(node.hears(N2, conflict(1, 9, None, 2)).appends().len(), 1, "one question");
    assert_eq!(node.hears(N2, matched(1, 0, 2)).appends().len(), 5, "half of eight and the one acknowledged");
    assert_eq!(node.hears(N2, matched(1, 0, 7)).appends().len(), 8, "and five more, within the window");
}

/// A question carries no more than the window either.
#[test]
fn a_question_keeps_within_the_window() {
    let mut node = restarted(3, config(|c| (c.pre_vote, c.window) = (false, 2)), journal(1, None, &[1; 9]));
    node.times_out();
    node.hears(N2, granted(2));
    assert_eq!(sizes(&node.hears(N2, conflict(2, 9, None, 1))), [2]);
}

/// After a refusal one message asks, and until it is answered nothing else is sent but heartbeats with the same question.
#[test]
fn after_a_refusal_one_question_at_a_time() {
    let mut node = leader(64, 64);
    for value in 1..=3 {
        node.is_asked(value, write(1));
    }
    assert_eq!(sizes(&node.hears(N2, conflict(1, 3, None, 2))), [3]);
    assert_eq!(sizes(&node.is_asked(4, write(1))).len(), 0);
    let beats = node.wakes(Timer::Heartbeat).appends();
    assert_eq!((beats[0].1.prev_log_index, beats[0].1.entries.len()), (1, 0));
}

/// An old acknowledgement does not answer the question: the stream would start, be refused, and start again, without end.
#[test]
fn an_old_acknowledgement_answers_no_question() {
    let mut node = restarted(3, plain(), journal(1, None, &[1; 9]));
    node.times_out();
    node.hears(N2, granted(2));
    node.hears(N2, conflict(2, 9, None, 6));
    assert_eq!((n2(&node).next_index, n2(&node).mode.clone()), (6, Mode::Probe));
    assert_eq!(sizes(&node.hears(N2, matched(2, 0, 3))).len(), 0);
    assert_eq!(
        (n2(&node).match_index, n2(&node).mode.clone()),
        (3, Mode::Probe),
        "it is believed, and is not the answer"
    );
    node.hears(N2, matched(2, 0, 5));
    assert_eq!(n2(&node).mode, Mode::Replicate);
}

/// A heartbeat finds out that the end of the stream was lost, though nothing new is written.
#[test]
fn a_heartbeat_notices_what_was_lost() {
    let mut node = leader(64, 64);
    node.is_asked(1, write(1));
    let beat = node.wakes(Timer::Heartbeat).appends().remove(0).1;
    assert_eq!((beat.prev_log_index, beat.entries.len()), (2, 0), "it claims what was presumed to arrive");
    assert_eq!(sizes(&node.hears(N2, conflict(1, 2, None, 2))), [1], "and it is sent again");
}

/// The mistake R29, seen at its one rule.
#[test]
fn the_flaw_stale_reject_lowers_next_goes_back() {
    let after_an_old_refusal = |config: RaftConfig| {
        let mut node = solo(3, config);
        node.leads();
        node.is_asked(1, write(1));
        node.hears(N2, matched(1, 0, 2));
        node.hears(N2, conflict(1, 1, None, 1));
        (n2(&node).match_index, n2(&node).next_index)
    };
    assert_eq!(after_an_old_refusal(config(|_| {})), (2, 3));
    assert_eq!(after_an_old_refusal(flawed(&STALE_REJECT_LOWERS_NEXT)), (2, 1));
}

/// Whatever a node says to another goes over the transport that was chosen, answers too.
#[test]
fn answers_travel_as_questions_do() {
    for transport in [Transport::Stream, Transport::Datagram] {
        let mut node = solo(3, config(|c| (c.pre_vote, c.transport) = (false, transport)));
        let mut asked = vec![node.times_out(), node.hears(N2, request_vote(3, 0, 0))];
        asked.push(node.hears(N2, append(3, (0, 0), &[3], 1)));
        asked.push(node.hears(N2, append(1, (0, 0), &[], 0)));
        asked.push(node.hears(N3, pre_vote(9, 9, 9)));
        let used: Vec<Transport> = asked.iter().flat_map(Effects::sent_over).map(|(_, _, over)| over).collect();
        assert!(used.len() >= 5 && used.iter().all(|&over| over == transport), "{used:?}");
    }
}
