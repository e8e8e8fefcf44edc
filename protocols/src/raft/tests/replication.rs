//! One test for each claim of 5.3 and 5.4 about how entries are copied and committed.

use super::*;
use crate::raft::Role;
use crate::raft::flaws::{ACK_BEFORE_FSYNC, COMMIT_GOES_BACK};
use crate::raft::progress::Progress;

/// Figure 2, rule 2, and the end of 5.3: a refusal names the term in conflict and where it begins.
#[test]
fn a_gap_or_another_term_is_refused() {
    let mut node = restarted(3, plain(), journal(3, None, &[1, 2, 2, 2]));
    assert_eq!(node.hears(N2, append(3, (9, 3), &[3], 0)).reply(), conflict(3, 9, None, 5), "a gap");
    assert_eq!(node.hears(N2, append(3, (4, 3), &[3], 0)).reply(), conflict(3, 4, Some(2), 2));
    assert_eq!(node.raft.log.last_index(), 4, "a refusal changes nothing");
}

/// 5.1: a leader of the past is refused, and told the term.
#[test]
fn a_leader_of_the_past_is_told_the_term() {
    let mut node = restarted(3, plain(), journal(3, None, &[1]));
    let Message::AppendEntriesReply(reply) = node.hears(N2, append(2, (1, 1), &[2], 1)).reply() else { panic!() };
    assert_eq!((reply.term, node.raft.log.last_index(), node.raft.commit), (3, 1, 0));
}

/// Figure 2: a follower's log is on its disk before it says so.
#[test]
fn a_follower_writes_before_it_acknowledges() {
    let mut node = solo(3, plain());
    let effects = node.hears(N2, append(1, (0, 0), &[1, 1], 0));
    assert_eq!(effects.order(), ["persist", "persist", "send"], "the term, the entries, the reply");
    assert_eq!(effects.reply(), matched(1, 0, 2));
    assert_eq!(node.hears(N2, append(1, (0, 0), &[1, 1], 0)).order(), ["send"], "nothing new, nothing to write");
}

/// The mistake R05, seen at its one rule.
#[test]
fn the_flaw_ack_before_fsync_does_not_wait() {
    let mut node = solo(3, flawed(&ACK_BEFORE_FSYNC));
    node.hears(N2, append(1, (0, 0), &[], 0));
    assert_eq!(node.hears(N2, append(1, (0, 0), &[1], 0)).order(), ["persist later", "send"]);
}

/// Figure 2, rule 3: only a conflict cuts. An older, shorter message that comes late takes nothing away.
#[test]
fn a_late_short_message_cuts_nothing() {
    let mut node = solo(3, plain());
    node.hears(N2, append(1, (0, 0), &[1, 1, 1], 0));
    assert_eq!(node.hears(N2, append(1, (0, 0), &[1], 0)).reply(), matched(1, 0, 1));
    assert_eq!(node.raft.log.last_index(), 3);
}

/// Figure 2, rules 3 and 4.
#[test]
fn a_conflict_replaces_the_tail() {
    let mut node = restarted(3, plain(), journal(2, None, &[1, 2, 2, 2]));
    assert_eq!(node.hears(N2, append(3, (1, 1), &[2, 3], 0)).reply(), matched(3, 0, 3));
    assert_eq!(node.raft.log.last_index(), 3);
    assert_eq!((node.raft.log.term_at(2), node.raft.log.term_at(3)), (Some(2), Some(3)));
}

/// Figure 2, rule 5: commit goes as far as what this message verified, not as far as an unverified tail; and an old
/// message does not take it back.
#[test]
fn commit_stops_at_what_is_verified_and_never_falls() {
    let mut node = restarted(3, plain(), journal(2, None, &[1, 1, 2, 2]));
    node.hears(N2, append(3, (1, 1), &[1], 4));
    assert_eq!(node.raft.commit, 2, "entries 3 and 4 may be another leader's");
    node.hears(N2, append(3, (1, 1), &[], 1));
    assert_eq!((node.raft.commit, node.raft.applied), (2, 2));
}

/// The mistake R30, seen at its one rule.
#[test]
fn the_flaw_commit_goes_back_believes_an_old_message() {
    let mut node = solo(3, flawed(&COMMIT_GOES_BACK));
    node.hears(N2, append(1, (0, 0), &[1, 1], 2));
    node.hears(N2, append(1, (0, 0), &[1], 1));
    assert_eq!((node.raft.commit, node.raft.applied), (1, 2));
}

/// A leader of three with this log, whose followers have said nothing yet: it leads term 9 with a no-op behind.
fn leader_of(terms: &[Term]) -> Solo {
    let mut node = restarted(3, plain(), journal(8, None, terms));
    node.times_out();
    node.hears(N3, granted(9));
    assert!(node.raft.is_leader());
    node
}

fn progress(node: &Solo) -> &Progress {
    let Role::Leader(leadership) = &node.raft.role else { panic!("leads") };
    &leadership.peers[0]
}

/// End of 5.3: one refusal for each term in conflict, not for each entry.
#[test]
fn a_leader_goes_back_a_term_at_a_time() {
    let mut node = leader_of(&[1, 1, 1, 4, 4, 5, 5, 6, 6, 6]);
    // Figure 7 (f): the follower has 1 1 1 2 2 2 3 3 3 3 3.
    let effects = node.hears(N2, conflict(9, 10, Some(3), 7));
    assert_eq!(effects.appends()[0].1.prev_log_index, 6);
    let effects = node.hears(N2, conflict(9, 6, Some(2), 4));
    let append = &effects.appends()[0].1;
    assert_eq!((append.prev_log_index, append.prev_log_term, append.entries.len()), (3, 1, 8));
}

/// If the leader has the follower's term too, they may agree on the leader's last entry of it.
#[test]
fn a_leader_with_the_same_term_goes_back_to_its_own_last_entry_of_it() {
    let mut node = leader_of(&[1, 1, 4, 4, 6]);
    let effects = node.hears(N2, conflict(9, 5, Some(4), 3));
    assert_eq!(effects.appends()[0].1.prev_log_index, 4);
}

/// Whatever the two logs are, going back finds the last entry on which they agree, and at once sends what follows.
#[test]
fn going_back_ends_where_the_logs_agree() {
    let logs: [&[Term]; 7] = [
        &[],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6],
        &[1, 1, 1, 4],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
        &[1, 1, 1, 4, 4, 4, 4],
        &[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ];
    for terms in logs {
        let mut leader = leader_of(&[1, 1, 1, 4, 4, 5, 5, 6, 6, 6]);
        let mut follower = restarted(3, plain(), journal(8, None, terms));
        let mut ask = leader.wakes(Timer::Heartbeat).appends().remove(0).1;
        for _ in 0..8 {
            let reply = follower.hears(N2, Message::AppendEntries(ask.clone())).reply();
            let appends = leader.hears(N2, reply).appends();
            let Some((_, next)) = appends.into_iter().next() else { break };
            ask = next;
        }
        assert_eq!(follower.raft.log.after(0), leader.raft.log.after(0), "{terms:?}");
        assert_eq!(progress(&leader).match_index, 11);
    }
}

/// A refusal that was under way while the follower caught up, or that answers an older question, moves nothing back.
#[test]
fn a_stale_refusal_is_ignored() {
    let mut node = leader_of(&[1, 1, 1]);
    node.hears(N2, matched(9, 0, 4));
    let before = (progress(&node).match_index, progress(&node).next_index);
    assert_eq!(node.hears(N2, conflict(9, 3, Some(1), 1)).order(), [""; 0]);
    assert_eq!((progress(&node).match_index, progress(&node).next_index), before);

    let mut node = leader_of(&[1, 1, 1]);
    node.hears(N2, conflict(9, 3, None, 2));
    assert_eq!(node.hears(N2, conflict(9, 3, None, 2)).order(), [""; 0], "the heartbeat's, to the same question");
    assert_eq!(progress(&node).next_index, 2);
}

/// `matchIndex` "increases monotonically".
#[test]
fn a_stale_acknowledgement_is_ignored() {
    let mut node = leader_of(&[1, 1, 1]);
    node.hears(N2, matched(9, 0, 4));
    node.hears(N2, matched(9, 0, 2));
    assert_eq!((progress(&node).match_index, progress(&node).next_index), (4, 5));
}

/// Entries are sent behind each other without waiting; a gap is noticed, and closed with everything missing.
#[test]
fn a_pipeline_that_lost_a_message_is_resumed() {
    let mut node = leader_of(&[]);
    node.hears(N2, matched(9, 0, 1));
    for value in 1..=3 {
        let appends = node.is_asked(value, write(value as i64)).appends();
        assert_eq!(appends.len(), 1, "n3 is still being asked where its log ends");
        assert_eq!((appends[0].1.prev_log_index, appends[0].1.entries.len()), (value, 1));
    }
    let effects = node.hears(N2, conflict(9, 3, None, 2));
    assert_eq!((effects.appends()[0].1.prev_log_index, effects.appends()[0].1.entries.len()), (1, 3));
    assert_eq!(node.is_asked(4, write(4)).appends().len(), 0, "one question at a time");
    let effects = node.hears(N2, matched(9, 0, 4));
    assert_eq!((effects.appends()[0].1.prev_log_index, effects.appends()[0].1.entries.len()), (4, 1));
}

#[test]
fn a_follower_far_behind_is_fed_in_portions() {
    let mut node = leader_of(&vec![1; 5000]);
    let (batch, window) = (node.raft.config.batch, node.raft.config.window);
    node.hears(N2, conflict(9, 5000, None, 1));
    let appends = node.hears(N2, matched(9, 0, batch)).appends();
    assert!(appends.iter().all(|(_, append)| append.entries.len() as u64 == batch));
    assert_eq!(appends.len() as u64, window / batch);
}

/// 5.3: "once the leader has replicated the entry on a majority of the servers" it is committed and answered; Figure
/// 2: the leader's own copy is on disk before it asks others for theirs.
#[test]
fn a_write_is_answered_when_a_majority_has_it() {
    let mut node = solo(5, plain());
    node.times_out();
    for voter in [N2, N3] {
        node.hears(voter, granted(1));
    }
    for follower in [N2, N3] {
        node.hears(follower, matched(1, 0, 1));
    }
    let effects = node.is_asked(1, write(7));
    assert_eq!(effects.order(), ["persist", "send", "send"]);
    assert_eq!(node.hears(N2, matched(1, 0, 2)).told(), []);
    assert_eq!(node.hears(N2, matched(1, 0, 2)).told(), [], "again the same one");
    let told = node.hears(N4, matched(1, 0, 2)).told();
    assert_eq!(told, [Response::Returned(RegisterRet::Done)]);
    assert_eq!(node.hears(N3, matched(1, 0, 2)).told(), [], "once");
}

#[test]
fn an_acknowledgement_of_another_term_counts_for_nothing() {
    let mut node = leader_of(&[1]);
    node.hears(N2, matched(7, 0, 2));
    assert_eq!((progress(&node).match_index, node.raft.commit), (0, 0));
}

/// Figure 8, step by step. (c) An entry of an earlier term is on a majority and is not committed; (d) it is overwritten,
/// and no law is broken by that; (e) had an entry of the leader's own term been there, (d) could not have happened.
#[test]
fn figure_8() {
    let to_c = || {
        let mut table = Table::new(5, plain());
        // (a) S1 leads term 1 and leaves its no-op on S1 and S2 only.
        table.isolate(&[N1, N2]);
        table.times_out(N1);
        table.heal();
        table.settle();
        assert!(table.raft(N1).is_leader());
        table.isolate(&[N1, N2]);
        table.ask(N1, write(1));
        table.settle();
        assert_eq!((table.terms(N2), table.terms(N3)), (vec![1, 1], vec![1]));
        // (b) S1 crashes; S5 leads term 2 with votes of S3 and S4 and writes to nobody.
        table.crash(N1);
        table.heal();
        table.isolate(&[N1, N2]);
        table.times_out(N5);
        table.settle_until_led_by(N5);
        table.lose_all();
        table.crash(N5);
        // (c) S1 leads term 3 and brings its entry of term 1 to S3: a majority has it.
        table.heal();
        table.restart(N1);
        table.isolate(&[N4, N5]);
        table.times_out(N1);
        table.settle();
        assert!(!table.raft(N1).is_leader(), "S3 has voted in term 2");
        table.times_out(N1);
        table.settle_until_led_by(N1);
        table
    };
    let mut table = to_c();
    assert_eq!((table.terms(N1), table.terms(N3)), (vec![1, 1, 3], vec![1]));
    let entries = table.raft(N1).log.batch_after(1, 1);
    let old = Append { term: 3, prev_log_index: 1, prev_log_term: 1, entries, leader_commit: 0, round: 0 };
    let commit_before = table.raft(N1).commit;
    table.deliver(N1, N2, Message::AppendEntries(old.clone()));
    table.deliver(N1, N3, Message::AppendEntries(old));
    assert_eq!((table.terms(N2), table.terms(N3)), (vec![1, 1], vec![1, 1]));
    assert_eq!(table.raft(N1).commit, commit_before, "on S1, S2 and S3, but of term 1");
    // (d) S1 crashes; S5 wins with the votes of S3 and S4, since its last term is later, and overwrites the entry.
    table.lose_all();
    table.crash(N1);
    table.restart(N5);
    table.heal();
    table.times_out(N5);
    table.settle();
    table.elect(N5);
    assert_eq!(table.terms(N3)[1], 2);
    // (e) Instead, S1's own entry reaches the majority: then S5 cannot win.
    let mut table = to_c();
    table.settle();
    assert_eq!((table.terms(N3), table.raft(N1).commit), (vec![1, 1, 3], 3));
    table.crash(N1);
    table.restart(N5);
    table.heal();
    for _ in 0..3 {
        table.times_out(N5);
        table.settle();
        assert!(!table.raft(N5).is_leader());
    }
}

/// What a restart finds is what was acknowledged; a torn tail is cut off, on disk too; commit is learnt anew.
#[test]
fn a_restart_replays_the_journal_and_cuts_a_torn_tail() {
    let mut found = journal(4, Some(N3), &[1, 1, 4]);
    found.push(Slot::Ok(Record::Entries { prev: 1, entries: noops(&[4, 4]) }));
    found.push(Slot::Corrupt);
    let node = restarted(3, plain(), found);
    assert_eq!(node.start.order(), ["truncate"]);
    assert_eq!((node.raft.term, node.raft.vote, node.raft.log.last_index()), (4, Some(N3), 3));
    assert_eq!((node.raft.log.term_at(2), node.raft.commit), (Some(4), 0));
}
