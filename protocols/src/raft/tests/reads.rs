//! One test for each step of the dissertation's 6.4.

use super::*;
use crate::raft::ReadMode;
use crate::raft::flaws::READ_WITHOUT_QUORUM;
use history::RegisterOp::Read;

const NIL: Response<RegisterRet> = Response::Returned(RegisterRet::Value(Value::Nil));

/// 6.4, steps 2 to 4: a read writes nothing down and is answered once a majority has confirmed the round.
#[test]
fn a_read_asks_a_majority_first() {
    let mut node = solo(3, plain());
    node.leads();
    let effects = node.is_asked(1, Read);
    assert_eq!(effects.order(), ["send", "send"]);
    assert!(effects.appends().iter().all(|(_, append)| append.round == 1 && append.entries.is_empty()));
    assert_eq!(node.hears(N2, matched(1, 0, 1)).told(), [], "a reply from before the round proves nothing");
    assert_eq!(node.hears(N3, matched(1, 1, 1)).told(), [NIL]);
}

/// A follower whose log is behind still confirms who leads.
#[test]
fn a_refusal_of_entries_confirms_the_leader_too() {
    let mut node = solo(3, plain());
    node.leads();
    node.is_asked(1, Read);
    let refusal = |round| {
        let result = AppendResult::Conflict(Conflict { prev_log_index: 1, term: None, first_index: 1 });
        Message::AppendEntriesReply(Appended { term: 1, round, result })
    };
    assert_eq!(node.hears(N3, refusal(1)).told(), [NIL]);
}

/// 6.4, step 1: before an entry of its own term is committed, a leader does not know what is.
#[test]
fn a_read_waits_for_an_entry_of_the_leaders_term() {
    let mut node = restarted(3, plain(), journal(1, None, &[1]));
    node.times_out();
    node.hears(N2, granted(2));
    assert_eq!(node.is_asked(1, Read).order(), [""; 0]);
    node.hears(N2, matched(2, 0, 1));
    assert_eq!(node.raft.commit, 0, "entry 1 is of an earlier term");
    let effects = node.hears(N2, matched(2, 0, 2));
    assert_eq!(effects.appends().iter().filter(|(_, append)| append.round == 1).count(), 2, "now it asks");
    assert_eq!(node.hears(N3, matched(2, 1, 2)).told(), [NIL]);
}

/// Reads that arrive while a round is under way wait for the next, together.
#[test]
fn late_reads_share_the_next_round() {
    let mut node = solo(3, plain());
    node.leads();
    node.is_asked(1, Read);
    assert_eq!(node.is_asked(2, Read).order(), [""; 0]);
    assert_eq!(node.is_asked(3, Read).order(), [""; 0]);
    let effects = node.hears(N2, matched(1, 1, 1));
    assert_eq!(effects.order(), ["tell", "send", "send"]);
    assert_eq!(node.hears(N2, matched(1, 2, 1)).told(), [NIL, NIL]);
}

/// A round whose messages were lost is asked again by the next heartbeat.
#[test]
fn a_heartbeat_repeats_the_round() {
    let mut node = solo(3, plain());
    node.leads();
    node.is_asked(1, Read);
    let effects = node.wakes(Timer::Heartbeat);
    assert!(effects.appends().iter().all(|(_, append)| append.round == 1));
    assert_eq!(node.hears(N2, matched(1, 1, 1)).told(), [NIL]);
}

#[test]
fn in_mode_log_a_read_is_an_entry() {
    let mut node = solo(3, config(|c| c.reads = ReadMode::Log));
    node.leads();
    assert_eq!(node.is_asked(1, Read).order(), ["persist", "send"]);
    assert_eq!(node.hears(N2, matched(1, 0, 2)).told(), [NIL]);
}

/// A deposed leader that has not noticed does not answer; with the mistake R06 it does.
#[test]
fn the_flaw_read_without_quorum_answers_at_once() {
    let cut_off_leader = |config| {
        let mut table = Table::new(3, config);
        table.elect(N1);
        table.ask(N1, write(1));
        table.settle();
        table.isolate(&[N1]);
        table.elect(N2);
        table.ask(N2, write(2));
        table.settle();
        table.told.clear();
        table.ask(N1, Read);
        table.settle();
        table.told.into_iter().map(|answer| answer.response).collect::<Vec<_>>()
    };
    assert_eq!(cut_off_leader(config(|_| {})), []);
    assert_eq!(cut_off_leader(flawed(&READ_WITHOUT_QUORUM)), [returned(1)]);
}

fn asking() -> RaftConfig {
    config(|c| (c.pre_vote, c.reads) = (false, ReadMode::Follower))
}

/// A follower of n2 with value 7 in entry 2, committed; n1 has asked n2 for a read index. The question.
fn follower_that_asked() -> (Solo, u64) {
    let mut node = solo(3, asking());
    node.hears(N2, append_all(1, (0, 0), vec![written(1, 1), written(1, 7)], 2));
    let Message::ReadIndex { question } = node.is_asked(1, Read).reply() else { panic!("it asks") };
    (node, question)
}

/// 6.4, last: "the follower could issue a request to the leader that just asked for a current readIndex", then waits until it
/// has applied that much, and answers.
#[test]
fn a_follower_asks_the_leader_and_answers_itself() {
    let (mut node, question) = follower_that_asked();
    let answer = |read_index| Message::ReadIndexReply { question, read_index };
    assert_eq!(node.hears(N2, answer(2)).told(), [returned(7)]);
    assert_eq!(node.hears(N2, answer(2)).order(), [""; 0], "the answer came twice");
    let (mut node, question) = follower_that_asked();
    assert_eq!(node.hears(N2, Message::ReadIndexReply { question, read_index: 3 }).told(), []);
    assert_eq!(node.hears(N2, append_all(1, (2, 1), vec![written(1, 8)], 3)).told(), [returned(8)]);
}

/// 6.4: the leader takes the same steps as for a read of its own.
#[test]
fn a_leader_gives_out_a_read_index_when_a_majority_has_confirmed_it() {
    let mut node = solo(3, asking());
    node.leads();
    let effects = node.hears(N3, Message::ReadIndex { question: 5 });
    assert_eq!(effects.appends().len(), 2, "a round of heartbeats");
    let sent = node.hears(N2, matched(1, 1, 1)).sent();
    assert_eq!(sent, [(N3, Message::ReadIndexReply { question: 5, read_index: 1 })]);
    let mut follower = solo(3, asking());
    assert_eq!(follower.hears(N3, Message::ReadIndex { question: 5 }).order(), [""; 0], "it does not lead");
}

/// Who does not know of a leader any more cannot be answered by the one it asked: its clients ask elsewhere, and an answer
/// that comes late finds nobody.
#[test]
fn a_follower_that_loses_its_leader_sends_its_readers_away() {
    let (mut node, question) = follower_that_asked();
    assert_eq!(node.times_out().told(), [Response::Redirect(None)]);
    assert_eq!(node.hears(N2, Message::ReadIndexReply { question, read_index: 2 }).order(), [""; 0]);
    let (mut node, _) = follower_that_asked();
    assert_eq!(node.hears(N3, append(2, (2, 1), &[], 0)).told(), [Response::Redirect(Some(N3))]);
}

/// An answer to an earlier life of a node does not pass for one to this: questions are numbered from a number drawn by lot.
#[test]
fn questions_of_another_life_are_not_answered() {
    let (mut node, question) = follower_that_asked();
    assert_eq!(
        node.hears(N2, Message::ReadIndexReply { question: question.wrapping_add(1), read_index: 2 }).told(),
        []
    );
    assert_ne!(question, 0);
}

/// Any node answers from what it has, leader or not: that may be old.
#[test]
fn in_mode_local_any_node_answers() {
    let mut node = solo(3, config(|c| c.reads = ReadMode::Local));
    assert_eq!(node.is_asked(1, Read).told(), [NIL]);
    node.hears(N2, append_all(1, (0, 0), vec![written(1, 7)], 0));
    assert_eq!(node.is_asked(2, Read).told(), [NIL], "not committed");
    node.hears(N2, append(1, (1, 1), &[], 1));
    assert_eq!(node.is_asked(3, Read).told(), [returned(7)]);
}

/// 6.4: a round is answered by what was asked in it. A message of an earlier reign that arrives late finds a voter in the
/// term that its sender leads now; the answer carries that term, and must not carry the old round.
#[test]
fn a_message_of_an_earlier_reign_confirms_no_round() {
    let mut node = solo(3, plain());
    let late =
        Append { term: 1, prev_log_index: 0, prev_log_term: 0, entries: Vec::new(), leader_commit: 0, round: 17 };
    node.hears(N2, Message::RequestVote(candidacy(3, 0, 0)));
    let Message::AppendEntriesReply(reply) = node.hears(N2, Message::AppendEntries(late)).reply() else {
        panic!("an answer")
    };
    assert_eq!((reply.term, reply.round), (3, 0));
}
