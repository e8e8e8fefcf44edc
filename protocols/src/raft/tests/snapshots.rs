//! One test for each claim of section 7, the rules of Figure 13, and the dissertation's chapter 5.

use super::*;
use crate::machine::Machine;
use crate::raft::flaws::INSTALL_OLDER_SNAPSHOT;
use crate::raft::log::Position;
use crate::raft::progress::Mode;
use crate::raft::snapshots::{Has, Piece, Received, Snapshot};
use crate::raft::{Changes, ReadMode, Role};
use crate::snapshots::Bytes;

/// A snapshot every so many entries.
fn every(entries: u64) -> RaftConfig {
    config(|c| (c.pre_vote, c.snapshot_every) = (false, entries))
}

/// The register holding this, as of this entry.
fn snapshot(index: Index, term: Term, value: i64) -> Snapshot {
    let machine = Machine::<Register> { data: Value::Int(value), ..Machine::default() };
    let members = Membership::of([N1, N2, N3]);
    Snapshot { last: Position { index, term, time: 0 }, members, contents: Bytes::write(&machine) }
}

/// A snapshot cut into pieces of so many bytes, all but the last.
fn pieces(term: Term, snapshot: &Snapshot, bytes: usize) -> Vec<Piece> {
    let Snapshot { last, members, contents } = snapshot.clone();
    let length = contents.len();
    let offsets = (0..length).step_by(bytes);
    let piece = |offset| Piece {
        term,
        last,
        members: members.clone(),
        length,
        offset,
        data: contents.piece(offset, bytes as u64),
        round: 0,
    };
    offsets.map(piece).collect()
}

fn whole(term: Term, snapshot: &Snapshot) -> Words {
    install(pieces(term, snapshot, 1 << 20).remove(0))
}

fn install(piece: Piece) -> Words {
    Message::InstallSnapshot(Box::new(piece))
}

fn received(term: Term, index: Index, has: Has) -> Words {
    Message::InstallSnapshotReply(Received { term, round: 0, index, has })
}

fn has_bytes(term: Term, index: Index, bytes: usize) -> Words {
    received(term, index, Has::Bytes(bytes as u64))
}

/// 5.1: "each server takes snapshots independently, covering just the committed entries in its log".
#[test]
fn a_follower_takes_a_snapshot_of_what_is_committed() {
    let mut node = solo(3, every(3));
    let entries = vec![written(1, 1), written(1, 2), written(1, 3), written(1, 4)];
    let effects = node.hears(N2, append_all(1, (0, 0), entries, 3));
    assert_eq!(effects.order(), ["persist", "persist", "snapshot", "send"], "term, entries, snapshot, reply");
    let found = node.raft.snapshot.clone().expect("taken");
    assert_eq!((found.last.index, found.last.term), (3, 1));
    assert_eq!(found.contents.read::<Register>().data, Value::Int(3));
    assert_eq!((node.raft.log.base(), node.raft.log.last_index()), (3, 4), "entry 4 is not committed");
}

/// 5.1: "the index and term of the last entry included in the snapshot and the latest configuration as of that index" are
/// stored with it, and a membership behind it is not.
#[test]
fn a_snapshot_carries_the_members_as_of_its_last_entry() {
    let mut node = solo(5, every(2));
    let (two, four) = (Membership::of([N1, N2]), Membership::of([N1, N2, N3, N4]));
    let entries = vec![members_are(1, two.clone()), written(1, 1), members_are(1, four.clone())];
    let effects = node.hears(N2, append_all(1, (0, 0), entries, 2));
    assert_eq!(node.raft.snapshot.as_ref().expect("taken").members, two);
    assert_eq!(*node.raft.membership(), four, "in force, though not committed");
    let found = effects.snapshot_records().into_iter().map(Slot::Ok).collect();
    let mut again = restarted(5, every(2), found);
    assert_eq!(*again.raft.membership(), four, "R27: not that of the first boot");
    again.hears(N3, append(2, (2, 1), &[2], 0));
    assert_eq!(*again.raft.membership(), two, "back to the snapshot's");
}

/// A restart begins with the snapshot and goes on behind it; no entry before it is applied again.
#[test]
fn a_restart_begins_with_the_snapshot() {
    let mut node = solo(3, every(2));
    let effects = node.hears(N2, append_all(1, (0, 0), vec![written(1, 1), written(1, 2), written(1, 3)], 2));
    let found = effects.snapshot_records().into_iter().map(Slot::Ok).collect();
    let mut again = restarted(3, every(2), found);
    assert_eq!((again.raft.term, again.raft.commit, again.raft.applied), (1, 2, 2));
    assert_eq!((again.value(), again.raft.log.last_index()), (Value::Int(2), 3));
    again.hears(N2, append(1, (3, 1), &[], 3));
    assert_eq!(again.value(), Value::Int(3));
}

/// 5: the snapshot's index and term "position the snapshot in the log": the consistency check works for the entry right
/// behind it, and votes are compared with it.
#[test]
fn the_entry_behind_a_snapshot_is_checked_against_it() {
    let mut node = solo(3, every(2));
    node.hears(N2, append(3, (0, 0), &[3, 3], 2));
    assert_eq!(node.raft.log.base(), 2);
    assert_eq!(node.hears(N2, append(3, (2, 3), &[3], 2)).reply(), matched(3, 0, 3));
    let mut node = solo(3, every(2));
    node.hears(N2, append(3, (0, 0), &[3, 3], 2));
    assert_eq!(node.hears(N3, append(4, (0, 0), &[3], 0)).reply(), matched(4, 0, 2), "what is gone is committed");
    node.waits(SECOND);
    assert_eq!(node.hears(N3, request_vote(5, 1, 3)).reply(), refused(5), "one entry less than the snapshot");
    assert_eq!(node.hears(N3, request_vote(6, 2, 3)).reply(), granted(6));
}

/// Figure 13, rule 1: "reply immediately if term < currentTerm".
#[test]
fn rule_1_a_leader_of_the_past_installs_nothing() {
    let mut node = restarted(3, every(0), journal(5, None, &[1]));
    assert_eq!(node.hears(N2, whole(4, &snapshot(9, 4, 7))).reply(), has_bytes(5, 9, 0));
    assert_eq!((node.value(), node.raft.leader), (Value::Nil, None));
}

/// Rules 2 to 4: "create new snapshot file if first chunk"; "write data into snapshot file at given offset"; "reply and
/// wait for more data chunks if done is false". Each answer says how much there is, so a piece lost is asked for again, and
/// one that comes twice or too early is not put in the wrong place.
#[test]
fn rules_2_to_4_pieces_are_put_together_in_order() {
    let mut node = solo(3, every(0));
    let all = pieces(2, &snapshot(9, 2, 7), 20);
    let [first, second, third] = [&all[0], &all[1], &all[2]].map(|piece| install(piece.clone()));
    assert_eq!(node.hears(N2, second.clone()).reply(), has_bytes(2, 9, 0), "the first was lost");
    let effects = node.hears(N2, first.clone());
    assert_eq!((effects.order(), effects.reply()), (vec!["send"], has_bytes(2, 9, 20)), "nothing is written yet");
    assert_eq!(node.hears(N2, third).reply(), has_bytes(2, 9, 20), "the second was lost");
    assert_eq!(node.hears(N2, first).reply(), has_bytes(2, 9, 20), "again");
    assert_eq!(node.hears(N2, second).reply(), has_bytes(2, 9, 40));
    assert!(node.raft.snapshot.is_none() && node.value() == Value::Nil);
}

/// Rule 5: "save snapshot file, discard any existing or partial snapshot with a smaller index". It is on disk before the
/// leader hears of it.
#[test]
fn rule_5_the_last_piece_makes_it_ours() {
    let mut node = solo(3, every(0));
    node.hears(N2, install(pieces(2, &snapshot(6, 2, 6), 20).remove(0)));
    let newer = snapshot(9, 2, 7);
    let replies: Vec<Effects> = pieces(2, &newer, 20).into_iter().map(|piece| node.hears(N2, install(piece))).collect();
    let last = replies.last().expect("pieces");
    assert_eq!((last.order(), last.reply()), (vec!["snapshot", "send"], received(2, 9, Has::Everything)));
    assert_eq!(node.raft.snapshot, Some(newer));
    assert_eq!((node.raft.commit, node.raft.applied, node.value()), (9, 9, Value::Int(7)));
}

/// Rule 6: "if existing log entry has same index and term as snapshot's last included entry, retain log entries following
/// it", on disk too.
#[test]
fn rule_6_what_follows_is_kept() {
    let mut node = restarted(3, every(0), journal(1, None, &[1, 1, 1, 1]));
    let effects = node.hears(N2, whole(1, &snapshot(3, 1, 7)));
    assert_eq!((node.raft.log.base(), node.raft.log.last_index()), (3, 4));
    let found = effects.snapshot_records().into_iter().map(Slot::Ok).collect();
    assert_eq!(restarted(3, every(0), found).raft.log.last_index(), 4);
}

/// Rule 7: "discard the entire log" else.
#[test]
fn rule_7_a_log_that_disagrees_is_dropped() {
    for terms in [&[1, 1, 1, 1][..], &[1], &[]] {
        let mut node = restarted(3, every(0), journal(2, None, terms));
        let effects = node.hears(N2, whole(2, &snapshot(3, 2, 7)));
        assert_eq!((node.raft.log.base(), node.raft.log.last_index()), (3, 3), "{terms:?}");
        let found = effects.snapshot_records().into_iter().map(Slot::Ok).collect();
        assert_eq!(restarted(3, every(0), found).raft.log.last_index(), 3);
    }
}

/// Rule 8: "reset state machine using snapshot contents (and load snapshot's cluster configuration)".
#[test]
fn rule_8_state_and_members_are_the_snapshots() {
    let mut node = solo(5, every(0));
    let grown = Membership::of([N1, N2, N3, N4, N5]).with_learners(&[NodeId(7)]);
    node.hears(N2, append_all(2, (0, 0), vec![members_are(2, Membership::of([N1, N2]))], 1));
    node.hears(N2, whole(2, &Snapshot { members: grown.clone(), ..snapshot(9, 2, 7) }));
    assert_eq!((node.value(), node.raft.membership()), (Value::Int(7), &grown));
}

/// A crash in the middle of an installation leaves either what was there or all of the new: whatever of its records is on
/// disk, in order, the log before or behind it is found.
#[test]
fn a_crash_while_it_is_written_leaves_the_one_or_the_other() {
    let before = journal(1, Some(N2), &[1, 1, 1, 1]);
    let mut node = restarted(3, every(0), before.clone());
    let written = node.hears(N2, whole(1, &snapshot(3, 1, 7))).snapshot_records();
    for count in 0..=written.len() {
        let found = before.iter().cloned().chain(written[..count].iter().cloned().map(Slot::Ok)).collect();
        let again = restarted(3, every(0), found).raft;
        assert_eq!((again.log.last_index(), again.term, again.vote), (4, 1, Some(N2)), "{count} records");
        assert!(again.commit == 0 || again.commit == 3);
    }
}

/// One that comes late, and holds less than is committed already, takes nothing back (R24); the mistake does.
#[test]
fn an_older_snapshot_takes_nothing_back() {
    let after = |config: RaftConfig| {
        let mut node = solo(3, RaftConfig { pre_vote: false, ..config });
        node.hears(N2, append_all(1, (0, 0), vec![written(1, 1), written(1, 2), written(1, 3)], 3));
        let reply = node.hears(N2, whole(1, &snapshot(2, 1, 2))).reply();
        (reply, node.raft.commit, node.value())
    };
    let everything = received(1, 2, Has::Everything);
    assert_eq!(after(every(0)), (everything.clone(), 3, Value::Int(3)));
    assert_eq!(after(flawed(&INSTALL_OLDER_SNAPSHOT)), (everything, 2, Value::Int(2)));
}

/// R26: whoever leads our term may send it, and a candidate follows.
#[test]
fn a_candidate_takes_a_snapshot() {
    let mut node = solo(3, every(0));
    node.times_out();
    assert!(node.hears(N2, whole(1, &snapshot(3, 1, 7))).election_timeout().is_some(), "a sign of life (5.1)");
    assert!(matches!(node.raft.role, Role::Follower));
    assert_eq!((node.raft.leader, node.value()), (Some(N2), Value::Int(7)));
}

/// A node that restarts has forgotten the pieces, and says so.
#[test]
fn a_restart_in_the_middle_begins_again() {
    let all = pieces(2, &snapshot(9, 2, 7), 20);
    let mut node = solo(3, every(0));
    node.hears(N2, install(all[0].clone()));
    let mut again = restarted(3, every(0), journal(2, None, &[]));
    assert_eq!(again.hears(N2, install(all[1].clone())).reply(), has_bytes(2, 9, 0));
}

/// A read that waited for entries that come in a snapshot is answered when that is there.
#[test]
fn a_snapshot_answers_reads_that_waited_for_it() {
    let mut node = solo(3, config(|c| c.reads = ReadMode::Follower));
    node.hears(N2, append(1, (0, 0), &[1], 1));
    let Message::ReadIndex { question } = node.is_asked(1, RegisterOp::Read).reply() else { panic!("it asks") };
    assert_eq!(node.hears(N2, Message::ReadIndexReply { question, read_index: 9 }).told(), []);
    assert_eq!(node.hears(N2, whole(1, &snapshot(9, 1, 7))).told(), [returned(7)]);
}

/// A leader of three that has dropped its first entries, in which n3 has everything and n2 nothing.
fn leader(trailing: u64) -> Solo {
    let config = RaftConfig { snapshot_trailing: trailing, snapshot_piece: 20, ..every(4) };
    let mut node = solo(3, config);
    node.times_out();
    node.hears(N3, granted(1));
    node.hears(N3, matched(1, 0, 1));
    for value in 1..=3 {
        node.is_asked(value, write(value as i64));
        node.hears(N3, matched(1, 0, 1 + value));
    }
    assert_eq!((node.raft.snapshot_index(), node.raft.log.base()), (4, 4 - trailing));
    node
}

fn sent_piece(effects: &Effects) -> (Index, u64) {
    let sent = effects.sent();
    let piece = sent.iter().find_map(|(to, message)| match message {
        Message::InstallSnapshot(piece) if *to == N2 => Some((piece.last.index, piece.offset)),
        Message::InstallSnapshot(_)
        | Message::PreVote(_)
        | Message::PreVoteReply(_)
        | Message::RequestVote(_)
        | Message::RequestVoteReply(_)
        | Message::AppendEntries(_)
        | Message::AppendEntriesReply(_)
        | Message::InstallSnapshotReply(_)
        | Message::TimeoutNow { .. }
        | Message::ReadIndex { .. }
        | Message::ReadIndexReply { .. } => None,
    });
    piece.expect("a piece for n2")
}

/// Section 7: "the leader must occasionally send snapshots to followers that lag behind": when it "has already discarded the
/// next log entry that it needs to send", and only then.
#[test]
fn a_leader_sends_a_snapshot_when_it_must() {
    let mut node = leader(0);
    assert_eq!(sent_piece(&node.wakes(Timer::Heartbeat)), (4, 0), "n2 was asked for entry 1, and that is gone");
    let mut node = leader(4);
    let beat = node.wakes(Timer::Heartbeat).appends();
    assert_eq!((beat[0].0, beat[0].1.prev_log_index), (N2, 0), "the entries are still there");
}

/// Piece by piece: the next at where the follower is; a lost one again with the next heartbeat; an answer that comes twice
/// sends nothing twice; and behind the last the log goes on.
#[test]
fn a_leader_sends_piece_by_piece() {
    let mut node = leader(0);
    node.wakes(Timer::Heartbeat);
    assert_eq!(sent_piece(&node.hears(N2, has_bytes(1, 4, 20))), (4, 20));
    assert_eq!(node.hears(N2, has_bytes(1, 4, 20)).sent(), [], "under way");
    assert_eq!(sent_piece(&node.wakes(Timer::Heartbeat)), (4, 20), "perhaps it was lost");
    assert_eq!(sent_piece(&node.hears(N2, has_bytes(1, 4, 0))), (4, 0), "it restarted and has nothing");
    assert_eq!(node.hears(N2, has_bytes(1, 3, 60)).sent(), [], "of another snapshot");
    node.is_asked(9, write(9));
    let appends = node.hears(N2, received(1, 4, Has::Everything)).appends();
    assert_eq!((appends[0].1.prev_log_index, appends[0].1.entries.len()), (4, 1));
}

/// The leader takes a newer one meanwhile: the older is sent to its end, and then what is needed.
#[test]
fn a_newer_snapshot_does_not_spoil_one_under_way() {
    let mut node = leader(0);
    node.wakes(Timer::Heartbeat);
    for value in 5..=8 {
        node.is_asked(value, write(1));
        node.hears(N3, matched(1, 0, value));
    }
    assert_eq!(node.raft.snapshot_index(), 8);
    assert_eq!(sent_piece(&node.hears(N2, has_bytes(1, 4, 20))), (4, 20));
    assert_eq!(node.hears(N2, conflict(1, 0, None, 1)).sent(), [], "an old refusal");
    assert_eq!(sent_piece(&node.hears(N2, received(1, 4, Has::Everything))), (8, 0), "5 to 8 are gone as well");
    let Role::Leader(leadership) = &node.raft.role else { panic!("leads") };
    assert!(matches!(leadership.peers[0].mode, Mode::Snapshot { .. }));
}

/// The whole story, for each way in which members change: a new node comes by way of a snapshot and then votes.
#[test]
fn a_new_member_comes_by_snapshot() {
    for changes in [Changes::Joint, Changes::SingleServer] {
        let config = RaftConfig { snapshot_piece: 8, initial_voters: 3, changes, ..every(3) };
        let mut table = Table::new(4, config);
        table.elect(N1);
        for value in 1..=8 {
            table.ask(N1, write(value));
            table.settle();
        }
        table.order(N1, Order::Add(vec![N4]));
        table.settle();
        table.heartbeat(N1);
        table.settle();
        assert_eq!(*table.raft(N4).state(), Value::Int(8));
        assert!(table.raft(N4).snapshot_index() >= 6, "it never had the first entries");
        table.crash(N1);
        table.elect(N4);
        assert_eq!(*table.raft(N4).membership(), Membership::of([N1, N2, N3, N4]));
    }
}
