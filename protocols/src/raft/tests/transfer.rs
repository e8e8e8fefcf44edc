//! One test for each step of the dissertation's 3.10: leadership is handed over.

use super::*;
use crate::raft::ReadMode;
use crate::raft::flaws::NO_PRE_VOTE;
use history::RegisterOp::Read;

/// It leads three, n2 and n3 have everything.
fn leader(config: RaftConfig) -> Solo {
    let mut node = solo(3, config);
    node.leads();
    node.hears(N3, matched(1, 0, 1));
    node
}

fn ordered_vote(term: Term, last: (Index, Term)) -> Words {
    Message::RequestVote(Candidacy { by_order: true, ..candidacy(term, last.0, last.1) })
}

/// Step 1: "the prior leader stops accepting new client requests".
#[test]
fn a_leader_that_hands_over_takes_nothing_new_on() {
    let mut node = leader(config(|_| {}));
    assert!(node.is_ordered(Order::Transfer(N2)).0);
    assert_eq!(node.is_asked(1, write(1)).told(), [Response::Redirect(None)]);
    assert_eq!(node.gets(2, 0, Ask::Register).told(), [Response::Redirect(None)]);
    assert!(!node.is_ordered(Order::Remove(vec![N3])).0);
    assert!(!node.is_ordered(Order::Transfer(N3)).0, "one at a time");
    assert_eq!(node.raft.log.last_index(), 1);
}

/// Step 2: "the prior leader fully updates the target server's log to match its own"; step 3: it "sends a TimeoutNow request
/// to the target server", once.
#[test]
fn the_target_is_told_when_it_has_everything() {
    let mut node = leader(config(|_| {}));
    node.is_asked(1, write(1));
    let (_, effects) = node.is_ordered(Order::Transfer(N2));
    assert_eq!(effects.order(), [""; 0], "n2 lacks entry 2");
    assert_eq!(node.hears(N3, matched(1, 0, 2)).sent(), [], "another's progress is nothing to it");
    let sent = node.hears(N2, matched(1, 0, 2)).sent();
    assert_eq!(sent, [(N2, Message::TimeoutNow { term: 1 })]);
    assert_eq!(node.hears(N2, matched(1, 0, 2)).sent(), []);
}

/// Step 3: the target "starts a new election (incrementing its term and becoming a candidate)": at once, without a
/// pre-vote, and it forgets the leader it had.
#[test]
fn the_target_stands_at_once() {
    let mut node = solo(3, config(|_| {}));
    node.hears(N2, append(1, (0, 0), &[1], 0));
    let effects = node.hears(N2, Message::TimeoutNow { term: 1 });
    assert_eq!(effects.order(), ["persist", "send", "send"]);
    assert_eq!(effects.sent()[0].1, ordered_vote(2, (1, 1)));
    assert_eq!(node.is_asked(1, write(1)).told(), [Response::Redirect(None)], "6.2: not to the leader it deposes");
    let sent = node.times_out().sent();
    assert_eq!(sent[0].1, pre_vote(3, 1, 1), "whoever fails goes on like everybody");
}

/// 4.2.3: a voter listens to a candidate that stands by its leader's order although it hears that leader; so does the
/// leader itself.
#[test]
fn voters_heed_a_candidate_that_stands_by_order() {
    let mut voter = solo(3, config(|_| {}));
    voter.hears(N2, append(1, (0, 0), &[1], 0));
    assert_eq!(voter.hears(N3, request_vote(2, 1, 1)).order(), [""; 0]);
    assert_eq!(voter.hears(N3, ordered_vote(2, (1, 1))).reply(), granted(2));
    let mut node = leader(config(|_| {}));
    assert_eq!(node.hears(N2, request_vote(2, 1, 1)).order(), [""; 0]);
    assert_eq!(node.hears(N2, ordered_vote(2, (1, 1))).reply(), granted(2));
    assert!(!node.raft.is_leader());
}

/// 3.10: "if leadership transfer does not complete after about an election timeout, the prior leader aborts the transfer
/// and resumes accepting client requests".
#[test]
fn a_transfer_that_takes_too_long_is_given_up() {
    let mut node = leader(config(|_| {}));
    node.is_ordered(Order::Transfer(N2));
    let (timeout, heartbeat) = (node.raft.config.shortest_election_timeout(), node.raft.config.heartbeat);
    for beat in 1..=timeout / heartbeat {
        assert_eq!(node.is_asked(beat, write(1)).told(), [Response::Redirect(None)], "beat {beat}");
        node.wakes(Timer::Heartbeat);
        node.hears(N3, matched(1, 0, 1));
    }
    assert_eq!(node.is_asked(9, write(1)).told(), []);
    assert_eq!(node.raft.log.last_index(), 2);
    let (taken, _) = node.is_ordered(Order::Transfer(N3));
    assert!(taken, "and may try another");
}

/// Only a voter can lead; and who leads already need not be handed anything.
#[test]
fn only_another_voter_can_be_handed_the_lead() {
    let mut node = solo(4, config(|c| c.initial_voters = 3));
    node.leads();
    for to in [N1, N4, N5] {
        assert!(!node.is_ordered(Order::Transfer(to)).0, "{to}");
    }
    assert!(node.is_ordered(Order::Add(vec![N4])).0);
    assert!(!node.is_ordered(Order::Transfer(N4)).0, "a learner");
    let mut follower = solo(3, config(|_| {}));
    assert!(!follower.is_ordered(Order::Transfer(N2)).0, "not ours to hand over");
}

/// The word may come late or twice: what a leader of another term wanted is nothing to this one. And who does not vote
/// does not stand.
#[test]
fn a_late_word_of_an_earlier_leader_is_ignored() {
    let mut node = restarted(3, config(|_| {}), journal(5, None, &[1]));
    assert_eq!(node.hears(N2, Message::TimeoutNow { term: 4 }).order(), [""; 0]);
    assert_eq!(node.hears(N2, Message::TimeoutNow { term: 6 }).order(), [""; 0]);
    node.hears(N2, Message::TimeoutNow { term: 5 });
    assert_eq!(node.raft.term, 6);
    assert_eq!(node.hears(N2, Message::TimeoutNow { term: 5 }).order(), [""; 0], "again");
    let mut learner = solo(3, config(|c| c.initial_voters = 2));
    learner.hears(N2, append_all(1, (0, 0), vec![members_are(1, Membership::of([N2, N3]).with_learners(&[N1]))], 1));
    assert_eq!(learner.hears(N2, Message::TimeoutNow { term: 1 }).order(), [""; 0]);
}

/// 6.4.1: "a leader would need to expire its lease before transferring leadership": voters listen to the target before the lease
/// is over, and the word may arrive after the leader has given the transfer up.
#[test]
fn a_lease_ends_with_the_word_and_does_not_come_back() {
    let mut node = leader(config(|c| c.reads = ReadMode::Lease));
    node.wakes(Timer::Heartbeat);
    node.hears(N3, matched(1, 1, 1));
    assert_eq!(node.is_asked(1, Read).order(), ["tell"], "under the lease");
    node.is_ordered(Order::Transfer(N2));
    assert_eq!(node.is_asked(2, Read).order(), ["send", "send"], "it asks");
    for _ in 2..9 {
        let round = node.wakes(Timer::Heartbeat).appends()[0].1.round;
        node.hears(N3, matched(1, round, 1));
    }
    assert!(!node.raft.is_handing_over());
    assert_eq!(node.is_asked(3, Read).told(), [], "given up; but the word may still be under way");
}

/// The whole story: no election timeout passes, and whoever was served is served again.
#[test]
fn leadership_moves_and_nothing_is_lost() {
    for config in [config(|_| {}), flawed(&NO_PRE_VOTE)] {
        let mut table = Table::new(5, config);
        table.elect(N1);
        table.ask(N1, write(1));
        table.settle();
        table.order(N1, Order::Transfer(N3));
        table.settle();
        assert!(table.raft(N3).is_leader() && !table.raft(N1).is_leader());
        table.ask(N3, Read);
        table.settle();
        assert_eq!(table.told.last().expect("told").response, returned(1));
    }
}
