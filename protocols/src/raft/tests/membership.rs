//! One test for each claim of section 6 and of the dissertation's chapter 4 about who takes part.

use super::*;
use crate::raft::flaws::{REJOINS_EMPTY, SINGLE_CHANGE_BEFORE_OWN_COMMIT, TWO_PENDING_CHANGES};
use crate::raft::{Changes, Role};

const ALL: [NodeId; 5] = [N1, N2, N3, N4, N5];

fn of(voters: &[NodeId]) -> Membership {
    Membership::of(voters.iter().copied())
}

/// The first `founders` of five vote.
fn joint(founders: u64) -> RaftConfig {
    config(|c| (c.pre_vote, c.initial_voters) = (false, founders))
}

fn single(founders: u64) -> RaftConfig {
    config(|c| (c.pre_vote, c.initial_voters, c.changes) = (false, founders, Changes::SingleServer))
}

/// It leads term 1 of `founders`, and everybody has its no-op.
fn leader(founders: u64, config: RaftConfig) -> Solo {
    let mut node = solo(5, config);
    node.times_out();
    let others = &ALL[1..founders as usize];
    for &voter in others {
        node.hears(voter, granted(1));
    }
    for &voter in others {
        node.hears(voter, matched(1, 0, 1));
    }
    assert_eq!((node.raft.is_leader(), node.raft.commit), (true, 1));
    node
}

fn voters(node: &Solo) -> (Vec<NodeId>, Vec<NodeId>) {
    let Membership { voters, outgoing, .. } = node.raft.membership().clone();
    (voters, outgoing)
}

fn is_catching_up(node: &Solo) -> bool {
    matches!(&node.raft.role, Role::Leader(leadership) if leadership.catch_up.is_some())
}

/// 4.1: "each server always uses the latest configuration found in its log", committed or not; and when that entry goes, the
/// one before is in force again.
#[test]
fn the_latest_membership_in_the_log_counts_until_it_is_cut() {
    let mut node = solo(5, joint(3));
    node.hears(N2, append_all(1, (0, 0), vec![members_are(1, of(&ALL[..4]))], 0));
    assert_eq!((node.raft.commit, voters(&node).0), (0, ALL[..4].to_vec()));
    node.hears(N3, append(2, (0, 0), &[2], 0));
    assert_eq!(voters(&node).0, ALL[..3], "overwritten by another leader");
}

/// It is on disk like any entry.
#[test]
fn a_membership_survives_a_restart() {
    let entries = vec![members_are(1, of(&ALL[..2])), members_are(1, of(&ALL[..4]))];
    let found = vec![Slot::Ok(Record::Entries { prev: 0, entries })];
    assert_eq!(voters(&restarted(5, joint(3), found)).0, ALL[..4]);
}

/// Section 6: "log entries are replicated to all servers in both configurations"; agreement "requires separate majorities
/// from both".
#[test]
fn a_joint_membership_is_committed_by_both_majorities() {
    let mut node = leader(3, joint(3));
    assert!(node.is_ordered(Order::Members(vec![N1, N4, N5])).0);
    for new in [N4, N5] {
        node.hears(new, matched(1, 0, 2));
    }
    assert_eq!(voters(&node), (vec![N1, N4, N5], vec![N1, N2, N3]));
    for new in [N4, N5] {
        node.hears(new, matched(1, 0, 3));
    }
    assert_eq!(node.raft.commit, 1, "of the old only we have it");
    node.hears(N2, matched(1, 0, 3));
    assert_eq!(node.raft.commit, 3);
    assert_eq!((voters(&node), node.raft.log.last_index()), ((vec![N1, N4, N5], vec![]), 4), "then follows C_new");
    node.hears(N2, matched(1, 0, 4));
    assert_eq!(node.raft.commit, 3, "the old no longer counts");
    node.hears(N4, matched(1, 0, 4));
    assert_eq!(node.raft.commit, 4);
}

/// Section 6: the same for elections.
#[test]
fn a_joint_membership_elects_by_both_majorities() {
    let candidate = || {
        let both = of(&[N1, N2, N3]).joint(&[N1, N4, N5]);
        let mut node = solo(5, joint(3));
        node.hears(N2, append_all(1, (0, 0), vec![members_are(1, both)], 0));
        let asked = node.times_out().sent();
        assert_eq!(asked.len(), 4, "both are asked");
        node
    };
    let elected_by = |voters: &[NodeId]| {
        let mut node = candidate();
        voters.iter().for_each(|&voter| drop(node.hears(voter, granted(2))));
        node.raft.is_leader()
    };
    assert!(!elected_by(&[N2, N3]) && !elected_by(&[N4, N5]));
    assert!(elected_by(&[N3, N4]));
}

/// 4.3: whoever leads next goes on: the joint membership is in its log.
#[test]
fn the_next_leader_finishes_the_change() {
    let mut table = Table::new(5, joint(3));
    table.elect(N1);
    table.order(N1, Order::Members(vec![N3, N4, N5]));
    while !table.raft(N3).membership().is_joint() {
        table.settle_one();
    }
    table.lose_all();
    table.crash(N1);
    table.elect(N3);
    for node in [N3, N4, N5] {
        assert_eq!(*table.raft(node).membership(), of(&[N3, N4, N5]), "{node}");
    }
}

/// 4.3: "a leader rejects additional configuration changes when a configuration change is already in progress"; the mistake
/// R18 does not.
#[test]
fn one_change_at_a_time() {
    let second = |config: RaftConfig| {
        let mut node = solo(5, RaftConfig { pre_vote: false, ..config });
        node.times_out();
        for voter in [N2, N3] {
            node.hears(voter, granted(1));
        }
        for voter in [N2, N3] {
            node.hears(voter, matched(1, 0, 1));
        }
        assert!(node.is_ordered(Order::Remove(vec![N4])).0);
        let while_joint = node.is_ordered(Order::Remove(vec![N5])).0;
        (while_joint, node)
    };
    let (refused, mut node) = second(config(|_| {}));
    assert!(!refused);
    for voter in [N2, N3] {
        node.hears(voter, matched(1, 0, 2));
    }
    assert!(!node.is_ordered(Order::Remove(vec![N5])).0, "C_new is not committed");
    for voter in [N2, N3] {
        node.hears(voter, matched(1, 0, 3));
    }
    assert!(node.is_ordered(Order::Remove(vec![N5])).0);
    assert!(second(flawed(&TWO_PENDING_CHANGES)).0);
}

/// Ongaro's correction of 2015: a leader changes nothing before an entry of its own term is committed; the mistake R17 does.
#[test]
fn own_term_first() {
    let may_change = |config: RaftConfig| {
        let mut node = solo(4, config);
        node.times_out();
        node.hears(N2, granted(1));
        node.hears(N3, granted(1));
        let before = node.is_ordered(Order::Remove(vec![N4])).0;
        node.hears(N2, matched(1, 0, 1));
        node.hears(N3, matched(1, 0, 1));
        (before, before || node.is_ordered(Order::Remove(vec![N4])).0)
    };
    assert_eq!(may_change(joint(0)), (false, true));
    assert_eq!(may_change(single(0)), (false, true));
    let flaws = Flaws::new([&SINGLE_CHANGE_BEFORE_OWN_COMMIT]);
    assert_eq!(may_change(RaftConfig { flaws, ..single(0) }), (true, true));
}

/// 4.1: "only one server can be added or removed from the cluster at a time"; a change that changes nothing is none.
#[test]
fn single_server_changes_move_one() {
    let mut node = leader(3, single(3));
    for order in [Order::Add(vec![N4, N5]), Order::Members(vec![N1, N2, N4]), Order::Add(vec![N3]), Order::Add(vec![])]
    {
        assert!(!node.is_ordered(order.clone()).0, "{order:?}");
    }
    assert!(!node.is_ordered(Order::Remove(vec![N1, N2, N3])).0, "somebody must vote");
    assert!(node.is_ordered(Order::Remove(vec![N3])).0);
    assert_eq!(voters(&node), (vec![N1, N2], vec![]), "at once");
}

/// 4.2.1: "a new server joins the cluster as a non-voting member. The leader replicates log entries to it, but it is not yet
/// counted towards majorities".
#[test]
fn a_new_member_gets_the_log_and_does_not_count() {
    let mut node = leader(3, joint(3));
    let (_, effects) = node.is_ordered(Order::Add(vec![N4]));
    assert!(effects.appends().iter().any(|(to, _)| *to == N4));
    assert_eq!(node.raft.membership().learners, [N4]);
    node.is_asked(1, write(1));
    node.hears(N4, matched(1, 0, 1));
    node.hears(N4, conflict(1, 1, None, 1));
    assert_eq!(node.raft.commit, 1);
    node.hears(N2, matched(1, 0, 3));
    assert_eq!(node.raft.commit, 3, "two of three; four would need three");
}

/// 4.2.1: rounds. The first took longer than an election timeout; whatever was written meanwhile is the next. If nothing
/// was, that is over at once.
#[test]
fn a_new_member_votes_after_a_round_that_was_short() {
    let mut node = leader(3, joint(3));
    node.is_ordered(Order::Add(vec![N4]));
    node.waits(SECOND);
    node.is_asked(1, write(1));
    node.hears(N4, matched(1, 0, 2));
    assert!(is_catching_up(&node), "the round was long, and entry 3 is new");
    node.hears(N4, matched(1, 0, 3));
    assert_eq!(voters(&node), (vec![N1, N2, N3, N4], vec![N1, N2, N3]));

    let mut idle = leader(3, joint(3));
    idle.is_ordered(Order::Add(vec![N4]));
    idle.waits(SECOND);
    idle.hears(N4, matched(1, 0, 2));
    assert!(!is_catching_up(&idle), "nothing was written meanwhile");
    assert_eq!(voters(&idle), (vec![N1, N2, N3, N4], vec![N1, N2, N3]));
}

/// 4.2.1: "the algorithm waits a fixed number of rounds (such as 10) … otherwise, the leader aborts the configuration
/// change".
#[test]
fn a_new_member_that_never_catches_up_is_given_up() {
    let mut node = leader(3, joint(3));
    node.is_ordered(Order::Add(vec![N4]));
    for round in 1..=10 {
        assert!(is_catching_up(&node), "round {round}");
        node.waits(SECOND);
        node.is_asked(round, write(1));
        node.hears(N4, matched(1, 0, 1 + round));
    }
    assert!(!is_catching_up(&node));
    assert_eq!(voters(&node), (vec![N1, N2, N3], vec![]));
}

/// 4.2.1: "the leader should also abort the change if the new server is unavailable"; or no other change could ever be made.
#[test]
fn a_new_member_that_is_not_there_is_given_up() {
    let mut node = leader(3, joint(3));
    node.is_ordered(Order::Add(vec![N4]));
    node.hears(N2, matched(1, 0, 2));
    let mut beats = 0;
    while is_catching_up(&node) {
        assert!(!node.is_ordered(Order::Remove(vec![N3])).0 && !node.is_ordered(Order::Transfer(N2)).0);
        node.wakes(Timer::Heartbeat);
        node.hears(N2, matched(1, 0, 2));
        beats += 1;
        assert!(beats < 100, "it waits for ever");
    }
    let waited = beats * node.raft.config.heartbeat;
    assert_eq!(waited / node.raft.config.shortest_election_timeout(), 10);
    assert!(node.is_ordered(Order::Remove(vec![N3])).0);
}

/// 4.2.2: a leader that removes itself goes on "until C_new is committed", does not count itself meanwhile, and then steps
/// down; its last word tells the others.
#[test]
fn a_removed_leader_steps_down_when_that_is_committed() {
    let mut node = leader(3, single(3));
    assert!(node.is_ordered(Order::Remove(vec![N1])).0);
    node.hears(N2, matched(1, 0, 2));
    assert!(node.raft.is_leader(), "one of the two that count");
    let effects = node.hears(N3, matched(1, 0, 2));
    assert!(!node.raft.is_leader());
    let commits: Vec<Index> = effects.appends().iter().map(|(_, append)| append.leader_commit).collect();
    assert_eq!(commits, [2, 2]);
    assert_eq!(node.times_out().order(), [""; 0], "and stands no more");
}

/// 4.2.2: "a server that is not part of its own latest configuration should still start new elections, as it might still
/// be needed until the C_new entry is committed"; but "it does not count its own vote".
#[test]
fn who_is_being_removed_may_still_be_needed() {
    let mut node = solo(5, single(2));
    node.hears(N2, append_all(1, (0, 0), vec![members_are(1, of(&[N2]))], 0));
    assert_eq!(node.times_out().sent().len(), 1);
    assert!(!node.raft.is_leader(), "its own vote is none");
    node.hears(N2, granted(2));
    assert!(node.raft.is_leader());
    node.hears(N2, matched(2, 0, 2));
    assert!(!node.raft.is_leader(), "no longer");
}

/// Figure 4.6: the leader of two removes itself; until C_new is on the other it is needed, and the other cannot win.
#[test]
fn the_last_of_two_cannot_win_without_the_entry() {
    let mut table = Table::new(2, single(2));
    table.elect(N1);
    table.order(N1, Order::Remove(vec![N1]));
    table.lose_all();
    table.crash(N1);
    table.restart(N1);
    table.times_out(N2);
    table.settle();
    assert!(!table.raft(N2).is_leader(), "n1's log is newer");
    table.times_out(N1);
    table.settle_until_led_by(N1);
    table.settle();
    assert_eq!(*table.raft(N2).membership(), of(&[N2]));
    table.elect(N2);
}

/// 4.2.3: a removed server that does not know times out, and disturbs nobody: voters stand by the leader they hear.
#[test]
fn a_removed_server_disturbs_nobody() {
    for pre_vote in [true, false] {
        let mut table = Table::new(4, config(|c| c.pre_vote = pre_vote));
        table.elect(N1);
        table.isolate(&[N4]);
        table.order(N1, Order::Remove(vec![N4]));
        table.settle();
        table.lose_all();
        table.heal();
        for _ in 0..3 {
            table.stands_unasked(N4);
            table.heartbeat(N1);
            table.lose_to(N4);
            table.settle();
        }
        assert!(table.raft(N1).is_leader());
        assert_eq!(table.raft(N2).term, table.raft(N1).term);
    }
}

/// 4.1: whoever asks is answered, member or not: "a server accepts AppendEntries requests from a leader that is not part of
/// the server's latest configuration" and "grants its vote to a candidate that is not part of" it.
#[test]
fn requests_are_served_whoever_asks() {
    let mut node = solo(5, joint(3));
    assert_eq!(node.hears(N5, request_vote(1, 0, 0)).reply(), granted(1));
    assert_eq!(node.hears(N5, append(1, (0, 0), &[1], 0)).reply(), matched(1, 0, 1));
}

/// A spare node and a learner wait until they are called.
#[test]
fn who_has_no_say_does_not_stand() {
    let mut spare = solo(3, config(|c| c.initial_voters = 2));
    assert_ne!(spare.times_out().order(), [""; 0], "n1 is a founder");
    let learner = Membership::of([N2, N3]).with_learners(&[N1]);
    spare.hears(N2, append_all(5, (0, 0), vec![members_are(5, learner)], 1));
    assert_eq!(spare.times_out().order(), [""; 0]);
    assert!(spare.times_out().election_timeout().is_some(), "but keeps looking");
}

/// The whole story: two come, two go, the leader among them.
#[test]
fn members_come_and_go() {
    let mut table = Table::new(5, joint(3));
    table.elect(N1);
    table.ask(N1, write(1));
    table.settle();
    table.order(N1, Order::Members(vec![N3, N4, N5]));
    table.settle();
    assert!(!table.raft(N1).is_leader(), "it is no member");
    table.elect(N4);
    table.ask(N4, RegisterOp::Read);
    table.settle();
    assert_eq!(table.told.last().expect("told").response, returned(1));
    for node in [N3, N4, N5] {
        assert_eq!(*table.raft(node).membership(), of(&[N3, N4, N5]));
    }
}

/// D 3.8: "if a server loses any of its persistent state, it cannot safely rejoin the cluster with its prior identity". It
/// says nothing to its peers, whatever they ask, and writes nothing; its clients it sends on.
#[test]
fn who_lost_its_disk_says_nothing_under_its_name() {
    let mut node = replaced(3, plain());
    assert_eq!((node.start.order(), node.start.election_timeout()), (vec![], None));
    for words in [request_vote(1, 9, 9), pre_vote(1, 9, 9), append(1, (0, 0), &[1], 1)] {
        assert_eq!(node.hears(N2, words).order(), [""; 0]);
    }
    assert_eq!(node.is_asked(1, write(7)).told(), [Response::Redirect(None)]);
    assert!(!node.is_ordered(Order::Snapshot).0);
    assert_eq!((node.raft.term, node.raft.log.last_index()), (0, 0));
}

/// The mistake R40, seen at its one rule.
#[test]
fn the_flaw_rejoins_empty_votes_again() {
    let mut node = replaced(3, RaftConfig { pre_vote: false, ..flawed(&REJOINS_EMPTY) });
    assert!(node.start.election_timeout().is_some());
    assert_eq!(node.hears(N2, request_vote(1, 0, 0)).reply(), granted(1));
}
