//! One test for each claim of the dissertation's 6.4.1 about leases, and for what can take a promise back.

use super::*;
use crate::raft::ReadMode;
use crate::raft::flaws::{LEASE_BY_WALL_CLOCK, LEASE_IGNORES_DRIFT};
use history::RegisterOp::Read;
use sim_core::dice::Ratio;
use sim_core::time::LocalTime;

const NIL: Response<RegisterRet> = Response::Returned(RegisterRet::Value(Value::Nil));

fn leased() -> RaftConfig {
    config(|c| (c.reads, c.clock_drift_bound) = (ReadMode::Lease, Ratio::new(1, 100)))
}

/// It leads three and has sent a heartbeat; how much later n2 has answered it.
fn leader(answered_after: Nanos) -> Solo {
    let mut node = solo(3, leased());
    node.leads();
    let round = node.wakes(Timer::Heartbeat).appends()[0].1.round;
    node.waits(answered_after);
    node.hears(N2, matched(1, round, 1));
    node
}

/// How long the lease is: 300 ms, on a clock that is slow by 1 % while the others are fast by it.
const LEASE: Nanos = 300 * MILLISECOND * 99 / 101;

/// 6.4.1: under a lease the leader "would … reply to read-only queries … without any additional communication".
#[test]
fn under_a_lease_a_read_is_answered_at_once() {
    assert_eq!(leader(0).is_asked(1, Read).order(), ["tell"]);
}

/// 6.4.1: the lease begins when the heartbeat was sent, not when it was answered, and ends before any voter's election
/// timeout can.
#[test]
fn a_lease_is_counted_from_when_the_heartbeat_was_sent() {
    for answered_after in [0, 100 * MILLISECOND] {
        let mut node = leader(answered_after);
        node.waits(LEASE - answered_after - 1);
        assert_eq!(node.is_asked(1, Read).told(), [NIL]);
        node.waits(2);
        let effects = node.is_asked(2, Read);
        assert_eq!((effects.told().len(), effects.appends().len()), (0, 2), "over: it asks");
    }
    assert_eq!(leader(LEASE + 1).is_asked(1, Read).told(), [], "the answer came too late to be of use");
}

/// The mistake R08: the lease is as long as the others' timeout by a clock that may be slow.
#[test]
fn the_flaw_lease_ignores_drift_holds_it_too_long() {
    let mut node = leader(0);
    node.waits(LEASE + 1);
    assert_eq!(node.is_asked(1, Read).told(), []);
    node.raft.config.flaws = Flaws::new([&LEASE_IGNORES_DRIFT]);
    assert_eq!(node.is_asked(2, Read).told(), [NIL]);
}

/// The mistake R39: somebody sets the clock back by which the lease is measured, and it is never over.
#[test]
fn the_flaw_lease_by_wall_clock_can_be_set_back() {
    let is_answered = |flaws| {
        let mut node = solo(3, RaftConfig { flaws, ..leased() });
        node.leads();
        let round = node.wakes(Timer::Heartbeat).appends()[0].1.round;
        node.hears(N2, matched(1, round, 1));
        node.waits(LEASE + 1);
        node.desk.wall = LocalTime::default();
        !node.is_asked(1, Read).told().is_empty()
    };
    assert!(!is_answered(Flaws::default()));
    assert!(is_answered(Flaws::new([&LEASE_BY_WALL_CLOCK])));
}

/// One follower of four is no majority, and a repeated answer no second one.
#[test]
fn a_lease_needs_a_majority() {
    let mut node = solo(5, RaftConfig { pre_vote: false, ..leased() });
    node.times_out();
    for voter in [N2, N3] {
        node.hears(voter, granted(1));
        node.hears(voter, matched(1, 0, 1));
    }
    for voter in [N2, N3] {
        node.hears(voter, matched(1, 0, 1));
    }
    let round = node.wakes(Timer::Heartbeat).appends()[0].1.round;
    node.hears(N2, matched(1, round, 1));
    node.hears(N2, matched(1, round, 1));
    assert_eq!(node.is_asked(1, Read).told(), []);
    node.hears(N3, matched(1, round, 1));
    assert_eq!(node.is_asked(2, Read).told(), [NIL]);
}

/// 6.4, step 1 holds for leases too: a new leader knows what is committed only when an entry of its term is.
#[test]
fn a_lease_is_of_no_use_before_the_no_op_is_committed() {
    let mut node = restarted(3, RaftConfig { pre_vote: false, ..leased() }, journal(1, None, &[1]));
    node.times_out();
    node.hears(N2, granted(2));
    let round = node.wakes(Timer::Heartbeat).appends()[0].1.round;
    node.hears(N2, conflict(2, 9, None, 1));
    node.hears(N2, matched(2, round, 1));
    assert_eq!(node.is_asked(1, Read).told(), [], "confirmed, and entry 2 on no other disk");
}

/// Figure 6.3: each heartbeat that a majority answers extends the lease.
#[test]
fn heartbeats_extend_the_lease() {
    let mut node = leader(0);
    for serial in 1..=9 {
        node.waits(LEASE / 2);
        let round = node.wakes(Timer::Heartbeat).appends()[0].1.round;
        node.hears(N3, matched(1, round, 1));
        assert_eq!(node.is_asked(serial, Read).told(), [NIL]);
    }
}

/// A voter that was asked before it crashed may have promised; so it keeps quiet for as long as it could have.
#[test]
fn a_voter_that_restarts_keeps_its_promise() {
    let mut voter = restarted(3, leased(), journal(1, None, &[1]));
    assert_eq!(voter.hears(N3, request_vote(2, 1, 1)).order(), [""; 0]);
    assert_eq!(voter.hears(N3, pre_vote(2, 1, 1)).order(), [""; 0]);
    assert!(voter.start.election_timeout() >= Some(voter.raft.config.shortest_election_timeout()));
    voter.waits(voter.raft.config.shortest_election_timeout());
    assert_eq!(voter.hears(N3, request_vote(2, 1, 1)).reply(), granted(2));
    let mut without = restarted(3, config(|_| {}), journal(1, None, &[1]));
    assert_eq!(without.hears(N3, request_vote(2, 1, 1)).reply(), granted(2), "nobody reads under a lease");
}

/// A voter that has answered a leader is bound for an election timeout whatever else it hears: an old refusal that shows
/// it a later term does not free it, since the leader knows nothing of that term and reads under its lease.
#[test]
fn a_promise_outlives_the_term_it_was_given_in() {
    let late_refusals = [
        Message::PreVoteReply(Vote { term: 2, granted: false }),
        refused(2),
        matched(2, 0, 1),
        conflict(2, 1, None, 1),
    ];
    for refusal in late_refusals {
        let mut node = solo(3, leased());
        node.hears(N2, append(1, (0, 0), &[1], 0));
        node.hears(N3, refusal.clone());
        assert_eq!(node.raft.term, 2);
        assert_eq!(node.hears(N3, request_vote(2, 1, 1)).order(), [""; 0], "after {refusal:?}");
        node.waits(node.raft.config.shortest_election_timeout());
        assert_eq!(node.hears(N3, request_vote(2, 1, 1)).reply(), granted(2), "the promise is over");
    }
}

/// A leader that restarts leads nothing, so it has no lease either.
#[test]
fn a_leader_that_restarts_has_no_lease() {
    let mut table = Table::new(3, leased());
    table.elect(N1);
    table.heartbeat(N1);
    table.settle();
    table.ask(N1, Read);
    assert_eq!(table.told.len(), 1);
    table.crash(N1);
    table.restart(N1);
    table.ask(N1, Read);
    assert_eq!(table.told.last().expect("told").response, Response::Redirect(None));
}
