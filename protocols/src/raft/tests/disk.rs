//! When a leader's own copy counts: the dissertation's 10.2.1, and the leader that has nobody else.

use super::*;
use crate::raft::flaws::{CORRUPT_TAIL_TRUNCATED, COUNTS_UNFLUSHED, FSYNC_ERROR_RETRIED};
use sim_core::protocol::{AfterError, DiskError};

fn parallel() -> RaftConfig {
    config(|c| (c.pre_vote, c.parallel_disk) = (false, true))
}

/// It leads three, and its no-op is on every disk.
fn leader() -> Solo {
    let mut node = solo(3, parallel());
    node.times_out();
    let elected = node.hears(N2, granted(1));
    node.lands(&elected);
    for follower in [N2, N3] {
        node.hears(follower, matched(1, 0, 1));
    }
    node
}

/// 10.2.1: "the leader can write to its disk in parallel with replicating to the followers": nothing holds the messages
/// back.
#[test]
fn a_parallel_leader_sends_while_it_writes() {
    let mut node = leader();
    assert_eq!(node.is_asked(1, write(7)).order(), ["persist later", "send", "send"]);
}

/// 10.2.1: "the leader uses its own match index to indicate the latest entry to have been durably written to its disk";
/// until then one follower's copy is one of three.
#[test]
fn its_own_copy_counts_when_its_disk_has_it() {
    let mut node = leader();
    let effects = node.is_asked(1, write(7));
    assert_eq!(node.hears(N2, matched(1, 0, 2)).told(), []);
    assert_eq!(node.lands(&effects).told(), [Response::Returned(RegisterRet::Done)]);
}

/// 10.2.1: "the leader may even commit an entry before it has been written to its own disk, if a majority of followers have
/// written it to their disks": that majority holds it whatever becomes of the leader.
#[test]
fn a_majority_of_followers_commits_without_the_leaders_disk() {
    let mut node = leader();
    node.is_asked(1, write(7));
    node.hears(N2, matched(1, 0, 2));
    assert_eq!(node.hears(N3, matched(1, 0, 2)).told(), [Response::Returned(RegisterRet::Done)]);
}

/// What was on its way to a former leader's disk is acknowledged to the next leader only behind a record that waits for
/// all before it: the new term.
#[test]
fn a_former_leader_acknowledges_nothing_that_is_not_on_its_disk() {
    let mut node = leader();
    node.is_asked(1, write(7));
    let own = node.raft.log.get(2).expect("there").clone();
    let effects = node.hears(N2, append_all(2, (1, 1), vec![own], 0));
    assert_eq!(effects.order(), ["tell", "persist", "send"], "the term before the acknowledgement");
    assert_eq!(effects.reply(), matched(2, 0, 2));
}

/// A write that landed for an earlier reign says nothing of a later one's entries.
#[test]
fn an_earlier_reigns_write_does_not_count() {
    let mut node = leader();
    let first = node.is_asked(1, write(7));
    node.hears(N2, append(2, (1, 1), &[2], 0));
    node.times_out();
    node.hears(N3, granted(3));
    node.lands(&first);
    node.hears(N2, matched(3, 0, 3));
    assert_eq!(node.raft.commit, 1, "entry 3 is on one other disk and not on ours");
}

/// Nobody else's copy proves that ours was written: a leader alone answers when its own disk has the entry, and not
/// before (etcd issue 14370).
#[test]
fn a_leader_alone_waits_for_its_disk() {
    let mut node = solo(1, plain());
    let voted = node.times_out();
    assert_eq!(voted.order(), ["persist later"], "the vote");
    let elected = node.lands(&voted);
    assert_eq!(elected.order(), ["persist later"], "the no-op");
    node.lands(&elected);
    let effects = node.is_asked(1, write(7));
    assert_eq!((effects.order(), node.raft.commit), (vec!["persist later"], 1));
    assert_eq!(node.lands(&effects).told(), [Response::Returned(RegisterRet::Done)]);
}

/// The cluster grows from one: what was sent before it was on the leader's own disk still counts only when it is there,
/// though others have it.
#[test]
fn a_leader_no_longer_alone_waits_for_what_it_wrote_alone() {
    let mut node =
        solo(2, config(|c| (c.pre_vote, c.changes, c.initial_voters) = (false, crate::raft::Changes::SingleServer, 1)));
    let voted = node.times_out();
    let elected = node.lands(&voted);
    node.lands(&elected);
    let (taken, learner) = node.is_ordered(Order::Add(vec![N2]));
    assert!(taken);
    node.lands(&learner);
    node.hears(N2, conflict(1, 1, None, 1));
    let alone = node.is_asked(1, write(7));
    node.hears(N2, matched(1, 0, 3));
    assert_eq!(node.raft.membership().voters, [N1, N2], "the learner has everything, so it shall vote");
    node.hears(N2, matched(1, 0, 4));
    assert_eq!(node.raft.commit, 2, "entry 3 is on the other disk and not on ours");
    node.lands(&alone);
    assert_eq!(node.raft.commit, 4);
}

/// The cluster shrinks to one: from then on its own disk decides.
#[test]
fn a_leader_left_alone_waits_for_its_disk() {
    let mut node = solo(2, config(|c| (c.pre_vote, c.changes) = (false, crate::raft::Changes::SingleServer)));
    node.leads();
    let (taken, effects) = node.is_ordered(Order::Remove(vec![N2]));
    assert!(taken);
    assert_eq!(node.raft.commit, 1, "the change is not on disk yet");
    node.lands(&effects);
    assert_eq!(node.raft.commit, 2);
}

/// The mistake R31, seen at its one rule.
#[test]
fn the_flaw_counts_unflushed_does_not_wait() {
    let config = RaftConfig { parallel_disk: true, ..flawed(&COUNTS_UNFLUSHED) };
    let mut node = solo(3, config);
    node.leads();
    node.is_asked(1, write(7));
    assert_eq!(node.hears(N2, matched(1, 0, 2)).told(), [Response::Returned(RegisterRet::Done)]);
}

/// 3.8: "if a server loses any of its persistent state, it cannot safely rejoin the cluster with its prior identity", be it
/// in the middle of the log or at its end. Behind the last mark nothing was confirmed to anybody, and nothing is lost.
#[test]
fn a_spoilt_record_is_no_torn_tail() {
    let with_corrupt = |at: usize| {
        let mut found = journal(4, Some(N3), &[1, 1, 4]);
        found.push(Slot::Ok(Record::Entries { prev: 3, entries: noops(&[4]) }));
        found[at] = Slot::Corrupt;
        found
    };
    for at in 0..3 {
        let node = restarted_from(3, parallel(), with_corrupt(at), Some(3));
        assert_eq!(node.start.order(), ["halt"], "record {} of 3", at + 1);
        let flaw = config(|c| c.flaws = Flaws::new(&[CORRUPT_TAIL_TRUNCATED]));
        let flawed = restarted_from(3, flaw, with_corrupt(at), Some(3));
        assert_eq!(flawed.start.order(), ["truncate"], "the mistake R36");
    }
    assert_eq!(
        restarted_from(3, parallel(), with_corrupt(2), Some(2)).start.order(),
        ["truncate"],
        "nobody was told of it"
    );
    assert_eq!(restarted_from(3, parallel(), journal(4, Some(N3), &[1]), Some(2)).start.order(), Vec::<&str>::new());
}

/// What is on disk after a flush failed, nobody knows (Rebello et al., ATC 2020).
#[test]
fn any_error_of_the_disk_stops_it() {
    let after = |flaws: &'static [Flaw], error| {
        let mut node = solo(3, config(|c| c.flaws = Flaws::new(flaws)));
        node.raft.on_disk_error(error, &mut node.desk.ctx())
    };
    for error in [DiskError::Flush, DiskError::Write, DiskError::Full, DiskError::ReadOnly] {
        assert_eq!(after(&[], error), AfterError::Stop);
        let retried = if error == DiskError::Flush { AfterError::GoOn } else { AfterError::Stop };
        assert_eq!(after(&[FSYNC_ERROR_RETRIED], error), retried, "the mistake R37");
    }
}
