//! One test for each sentence of the dissertation's 6.4.1 about leases, and for what can take a promise back.

use super::*;
use crate::raft::ReadMode;

fn leased() -> RaftConfig {
    config(|c| c.reads = ReadMode::Lease)
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
        node.desk.now = node.desk.now + node.raft.config.shortest_election_timeout();
        assert_eq!(node.hears(N3, request_vote(2, 1, 1)).reply(), granted(2), "the promise is over");
    }
}
