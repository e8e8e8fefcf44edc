//! One test for each claim of 5.2, 5.4.1 and the dissertation's 9.6 and 6.2 about who leads.

use super::*;
use crate::raft::Role;
use crate::raft::flaws::{CANDIDATE_GRANTS_VOTE, FORGETS_WAITING_CLIENTS, NO_QUORUM_CHECK, VOTE_BY_LENGTH};
use sim_core::time::{LocalTime, Nanos};

/// 5.2: "each server will vote for at most one candidate in a given term, on a first-come-first-served basis".
#[test]
fn a_node_votes_once_a_term() {
    let mut node = solo(3, plain());
    assert_eq!(node.hears(N2, request_vote(1, 0, 0)).reply(), granted(1));
    assert_eq!(node.hears(N3, request_vote(1, 0, 0)).reply(), refused(1));
    assert_eq!(node.hears(N2, request_vote(1, 0, 0)).reply(), granted(1), "the same candidate may ask again");
    assert_eq!(node.hears(N3, request_vote(2, 0, 0)).reply(), granted(2), "a new term, a new vote");
}

/// Figure 2: persistent state is "updated on stable storage before responding to RPCs".
#[test]
fn a_vote_is_on_disk_before_it_is_heard() {
    let mut node = solo(3, plain());
    let effects = node.hears(N2, request_vote(1, 0, 0));
    assert_eq!(effects.order(), ["persist", "persist", "send"], "the term, the vote, the reply");
    let vote = Record::Term { term: 1, vote: Some(N2) };
    assert!(effects.0.iter().any(|effect| matches!(effect, Effect::Persist(record) if *record == vote)));
    let effects = node.hears(N3, request_vote(7, 0, 0));
    assert_eq!(effects.order(), ["persist", "persist", "send"]);
}

/// A vote is remembered across a crash.
#[test]
fn a_vote_survives_a_restart() {
    let mut node = restarted(3, plain(), journal(4, Some(N2), &[]));
    assert_eq!(node.hears(N3, request_vote(4, 0, 0)).reply(), refused(4));
    assert_eq!(node.hears(N2, request_vote(4, 0, 0)).reply(), granted(4));
}

/// 5.4.1: "the voter denies its vote if its own log is more up-to-date than that of the candidate".
#[test]
fn a_shorter_or_older_log_gets_no_vote() {
    let voter = || restarted(3, plain(), journal(2, None, &[1, 1, 2]));
    assert_eq!(voter().hears(N2, request_vote(3, 2, 2)).reply(), refused(3), "shorter");
    assert_eq!(voter().hears(N2, request_vote(3, 9, 1)).reply(), refused(3), "longer, but of an earlier term");
    assert_eq!(voter().hears(N2, request_vote(3, 3, 2)).reply(), granted(3));
    assert_eq!(voter().hears(N2, request_vote(4, 1, 3)).reply(), granted(4), "shorter, but of a later term");
}

/// 5.1: "if a server receives a request with a stale term number, it rejects the request".
#[test]
fn a_candidate_of_the_past_is_told_the_term() {
    let mut node = restarted(3, plain(), journal(5, None, &[]));
    assert_eq!(node.hears(N2, request_vote(3, 9, 9)).reply(), refused(5));
    assert_eq!(node.raft.term, 5);
}

/// 5.2: a candidate "increments its current term, … votes for itself and issues RequestVote RPCs in parallel", and
/// the vote for itself is written down before anybody is asked.
#[test]
fn a_candidate_votes_for_itself_first() {
    let mut node = solo(3, plain());
    let effects = node.times_out();
    assert_eq!(effects.order(), ["persist", "send", "send"]);
    assert_eq!((node.raft.term, node.raft.vote), (1, Some(N1)));
    assert_eq!(node.hears(N2, request_vote(1, 0, 0)).reply(), refused(1));
}

/// 5.2: a majority of distinct voters of this term elects; a repeated or late vote does not.
#[test]
fn a_majority_of_distinct_votes_elects() {
    let mut node = solo(5, plain());
    node.times_out();
    node.times_out();
    assert_eq!(node.raft.term, 2);
    node.hears(N2, granted(2));
    node.hears(N2, granted(2));
    node.hears(N3, granted(1));
    node.hears(N4, refused(2));
    assert!(!node.raft.is_leader(), "two of five, one of them twice and one for an old term");
    node.hears(N5, granted(2));
    assert!(node.raft.is_leader());
}

/// 5.2: candidates return to follower state when a legitimate leader of the term appears.
#[test]
fn a_candidate_follows_a_leader_of_its_term() {
    let mut node = solo(3, plain());
    node.times_out();
    node.hears(N2, append(1, (0, 0), &[1], 0));
    assert!(matches!(node.raft.role, Role::Follower));
    assert_eq!((node.raft.leader, node.raft.vote), (Some(N2), Some(N1)), "its vote in the term stands");
}

/// Section 8: a leader begins its term with a no-op.
#[test]
fn a_new_leader_appends_a_no_op_and_announces_itself() {
    let mut node = solo(3, plain());
    node.times_out();
    let effects = node.hears(N3, granted(1));
    assert_eq!(effects.order(), ["persist", "send", "send"]);
    let appends = effects.appends();
    assert_eq!(appends.len(), 2);
    assert_eq!(appends[0].1.entries, noops(&[1]));
}

#[test]
fn a_cluster_of_one_elects_itself_and_serves() {
    for config in [plain(), config(|_| {})] {
        let mut node = solo(1, config);
        let voted = node.times_out();
        assert!(!node.raft.is_leader(), "nobody else's vote proves that its own was written down");
        let elected = node.lands(&voted);
        assert!(node.raft.is_leader());
        node.lands(&elected);
        let effects = node.is_asked(1, write(7));
        assert_eq!(effects.order(), ["persist later"], "the answer waits for the disk: no other copy proves anything");
        assert_eq!(node.lands(&effects).told(), [Response::Returned(RegisterRet::Done)]);
        assert_eq!(node.is_asked(2, RegisterOp::Read).told(), [returned(7)]);
    }
}

/// 9.3: timeouts are drawn from the whole interval, and anew each time.
#[test]
fn timeouts_differ_each_time() {
    let mut node = solo(3, plain());
    let drawn: Vec<Nanos> = (0..200).map(|_| node.times_out().election_timeout().expect("set anew")).collect();
    let (min, max) = node.raft.config.election_timeout;
    assert!(drawn.iter().all(|timeout| (min..=max).contains(timeout)));
    let width = max - min;
    assert!(drawn.iter().any(|&t| t < min + width / 10) && drawn.iter().any(|&t| t > max - width / 10));
}

/// Figure 2: AppendEntries from the current leader and a vote granted put the election off; a vote refused and a leader
/// of the past do not.
#[test]
fn only_a_leader_or_a_vote_puts_the_election_off() {
    let mut node = restarted(3, plain(), journal(3, None, &[2]));
    assert!(node.start.election_timeout().is_some());
    assert!(node.hears(N2, append(2, (0, 0), &[], 0)).election_timeout().is_none());
    assert!(node.hears(N2, request_vote(4, 0, 0)).election_timeout().is_none(), "the term is new, the log too short");
    assert!(node.hears(N2, request_vote(4, 1, 2)).election_timeout().is_some());
    assert!(node.hears(N3, request_vote(4, 1, 2)).election_timeout().is_none());
    assert!(node.hears(N2, append(4, (1, 2), &[], 0)).election_timeout().is_some());
    assert!(node.hears(N2, append(4, (9, 4), &[], 0)).election_timeout().is_some(), "refused, but it is the leader's");
}

/// 9.6: a pre-vote raises no term, is written down nowhere and binds nobody.
#[test]
fn a_pre_vote_changes_nothing() {
    let mut node = solo(3, config(|_| {}));
    assert_eq!(node.hears(N2, pre_vote(1, 0, 0)).reply(), pre_vote_granted(1));
    let effects = node.hears(N3, pre_vote(8, 0, 0));
    assert_eq!(effects.reply(), pre_vote_granted(8), "the term asked about, not the voter's");
    assert_eq!(effects.order(), ["send"]);
    assert!(effects.election_timeout().is_none());
    assert_eq!((node.raft.term, node.raft.vote), (0, None));
}

/// 9.6: a node cut off does not raise its term however often it times out.
#[test]
fn a_node_cut_off_keeps_its_term() {
    let mut node = restarted(3, config(|_| {}), journal(4, None, &[1]));
    for _ in 0..9 {
        let effects = node.times_out();
        assert_eq!(effects.order(), ["send", "send"]);
        assert_eq!(effects.sent()[0].1, pre_vote(5, 1, 1));
    }
    assert_eq!(node.raft.term, 4);
    node.hears(N2, pre_vote_granted(5));
    assert_eq!((node.raft.term, node.raft.vote), (5, Some(N1)), "now it may stand");
}

/// 9.6: a pre-vote is refused when the log is behind; the refusal carries the voter's term.
#[test]
fn a_refused_pre_vote_teaches_the_term() {
    let mut voter = restarted(3, config(|_| {}), journal(6, None, &[1, 6]));
    let refusal = voter.hears(N2, pre_vote(4, 1, 1)).reply();
    assert_eq!(refusal, Message::PreVoteReply(Vote { term: 6, granted: false }));
    let mut candidate = restarted(3, config(|_| {}), journal(3, None, &[1]));
    candidate.times_out();
    candidate.hears(N2, refusal);
    assert_eq!(candidate.raft.term, 6);
}

/// 4.2.3 and 9.6: who hears a leader ignores candidates and keeps its term.
#[test]
fn who_hears_a_leader_ignores_candidates() {
    let mut node = solo(3, config(|_| {}));
    node.hears(N2, append(1, (0, 0), &[], 0));
    assert_eq!(node.hears(N3, request_vote(9, 9, 9)).order(), [""; 0]);
    assert_eq!(node.hears(N3, pre_vote(9, 9, 9)).order(), [""; 0]);
    assert_eq!(node.raft.term, 1);
    node.desk.now = node.desk.now + node.raft.config.shortest_election_timeout();
    assert_eq!(node.hears(N3, pre_vote(9, 9, 9)).reply(), pre_vote_granted(9));
    assert_eq!(node.hears(N3, request_vote(9, 9, 9)).reply(), granted(9));
}

/// Without check-quorum the plain paper holds: a higher term is followed at once.
#[test]
fn without_check_quorum_a_candidate_is_heard() {
    let mut node = solo(3, config(|c| c.check_quorum = false));
    node.hears(N2, append(1, (0, 0), &[], 0));
    assert_eq!(node.hears(N3, request_vote(9, 9, 9)).reply(), granted(9));
    assert_eq!(node.raft.leader, None);
}

/// A node that stands no longer protects the leader it has lost, whatever its clock says: two that did would refuse each
/// other forever (raft-rs issue 84).
#[test]
fn a_node_that_stands_forgets_its_leader() {
    let mut node = solo(3, config(|_| {}));
    node.hears(N2, append(1, (0, 0), &[], 0));
    node.desk.now = LocalTime::default();
    node.wakes(Timer::Election);
    assert_eq!(node.hears(N3, pre_vote(2, 0, 0)).reply(), pre_vote_granted(2));
}

/// 6.2: a leader that hears no majority for an election timeout steps down, and says so to those who wait.
#[test]
fn a_leader_that_hears_nobody_steps_down() {
    let mut node = solo(3, config(|_| {}));
    node.leads();
    node.is_asked(1, write(7));
    node.is_asked(2, RegisterOp::Read);
    let mut told = Vec::new();
    for beat in 0..5 {
        assert!(node.raft.is_leader(), "after {beat} heartbeats");
        told = node.wakes(Timer::Heartbeat).told();
    }
    assert!(!node.raft.is_leader());
    assert_eq!(told, [Response::Unknown, Response::Redirect(None)]);
    assert_eq!(node.raft.term, 1, "it gives up its office, not its term");
}

#[test]
fn a_leader_that_hears_a_majority_stays() {
    for config in [config(|_| {}), config(|c| c.check_quorum = false)] {
        let answers = config.check_quorum;
        let mut node = solo(5, config);
        node.times_out();
        for voter in [N2, N3] {
            node.hears(voter, pre_vote_granted(1));
        }
        for voter in [N2, N3] {
            node.hears(voter, granted(1));
        }
        for _ in 0..20 {
            node.wakes(Timer::Heartbeat);
            if answers {
                for follower in [N4, N5] {
                    node.hears(follower, matched(1, 0, 1));
                }
            }
        }
        assert!(node.raft.is_leader());
    }
}

/// 5.1: "if a candidate or leader discovers that its term is out of date, it immediately reverts to follower state".
/// Whoever waits for it is told where to go.
#[test]
fn a_deposed_leader_leaves_nobody_waiting() {
    let mut node = solo(3, config(|_| {}));
    node.leads();
    node.is_asked(1, write(7));
    node.is_asked(2, RegisterOp::Read);
    let effects = node.hears(N3, append(2, (1, 1), &[2], 0));
    assert_eq!(effects.told(), [Response::Unknown, Response::Redirect(Some(N3))]);
    assert_eq!(node.is_asked(3, write(8)).told(), [Response::Redirect(Some(N3))]);
}

/// The whole story: three nodes, one leader; it is cut off, another takes over; it comes back and follows.
#[test]
fn a_leader_cut_off_is_replaced_and_follows_when_it_comes_back() {
    let mut table = Table::new(3, config(|_| {}));
    table.elect(N1);
    table.isolate(&[N1]);
    table.ask(N1, write(1));
    table.settle();
    table.elect(N2);
    table.ask(N2, write(2));
    table.settle();
    assert!(table.raft(N1).is_leader(), "it does not know yet");
    table.heal();
    table.heartbeat(N1);
    table.settle();
    table.heartbeat(N2);
    table.settle();
    assert!(!table.raft(N1).is_leader());
    assert_eq!(table.terms(N1), [1, 2, 2]);
    assert_eq!(table.told.len(), 2, "the first write is unknown, the second done");
}

/// The mistake R33, seen at its one rule.
#[test]
fn the_flaw_candidate_grants_vote_elects_two() {
    let both = |config: RaftConfig| {
        let mut node = solo(3, config);
        node.times_out();
        node.hears(N2, pre_vote_granted(1));
        node.hears(N2, request_vote(1, 0, 0)).reply()
    };
    assert_eq!(both(config(|_| {})), refused(1));
    assert_eq!(both(flawed(&CANDIDATE_GRANTS_VOTE)), granted(1));
}

/// The mistake R03, seen at its one rule.
#[test]
fn the_flaw_vote_by_length_forgets_how_late_a_log_ends() {
    let asked = |config: RaftConfig, last_log_index, last_log_term| {
        let mut voter = restarted(3, config, journal(2, None, &[1, 2]));
        voter.hears(N2, request_vote(3, last_log_index, last_log_term)).reply()
    };
    assert_eq!(asked(plain(), 9, 1), refused(3));
    assert_eq!(asked(flawed(&VOTE_BY_LENGTH), 9, 1), granted(3), "longer, but of an earlier term");
    assert_eq!(asked(flawed(&VOTE_BY_LENGTH), 1, 3), refused(3), "shorter, but of a later term");
}

/// The mistake R16, seen at its one rule. Unlike without check-quorum, voters still stand by the leader they hear.
#[test]
fn the_flaw_no_quorum_check_leads_for_ever() {
    let mut node = solo(3, flawed(&NO_QUORUM_CHECK));
    node.leads();
    (0..50).for_each(|_| drop(node.wakes(Timer::Heartbeat)));
    assert!(node.raft.is_leader());
    let mut voter = solo(3, flawed(&NO_QUORUM_CHECK));
    voter.hears(N2, append(1, (0, 0), &[], 0));
    assert_eq!(voter.hears(N3, request_vote(9, 9, 9)).order(), [""; 0]);
}

/// The mistake R38, seen at its one rule.
#[test]
fn the_flaw_forgets_waiting_clients_says_nothing() {
    let mut node = solo(3, flawed(&FORGETS_WAITING_CLIENTS));
    node.leads();
    node.is_asked(1, write(7));
    node.is_asked(2, RegisterOp::Read);
    assert_eq!(node.hears(N3, append(2, (1, 1), &[2], 0)).told(), []);
}
