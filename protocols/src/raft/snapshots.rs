//! Snapshots: what stands for the part of the log that is gone (section 7; dissertation chapter 5).
//!
//! Every node now and then writes its state machine down and throws the entries away that made it. Nobody else is asked:
//! what is applied is committed, and does not change. A leader that no longer has what a follower lacks sends its
//! snapshot instead, piece by piece: each answer says how much the follower has, so that a piece lost is sent again, and
//! a new leader with the same snapshot goes on where the old one stopped.
//!
//! A snapshot is the machine *at one entry*, and says which: the label (index, term, members) and the contents are of no
//! use without each other. So they go to disk together, and label and contents are taken at the same moment.
//!
//! The awkward cases are snapshots that come late. One that holds less than the follower has committed already is not
//! installed: it would take back what was applied.

use super::flaws::{
    APPLIED_INDEX_APART, INSTALL_OLDER_SNAPSHOT, SNAPSHOT_LABELLED_WITH_COMMIT, SNAPSHOT_WITHOUT_SESSIONS,
};
use super::log::{Index, Log, Position, Record, Term};
use super::membership::{Members, Membership};
use super::progress::Mode;
use super::{Message, Raft, Role};
use crate::machine::Machine;
use crate::snapshots::{Bytes, Taken};
use history::Object;
use serde::Serialize;
use sim_core::protocol::{Ctx, NodeId, Observation};

/// Somebody was too far behind for the log.
pub(super) const INSTALLED: &str = "snapshot installed";

/// A state machine written down, and which one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// The last entry applied to it.
    pub last: Position,
    /// The members as of that entry.
    pub members: Membership,
    /// The machine.
    pub contents: Bytes,
}

/// InstallSnapshot (Figure 13): a piece of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// The leader's term.
    pub term: Term,
    /// The last entry in the snapshot.
    pub last: Position,
    /// The members as of that entry.
    pub members: Membership,
    /// How many bytes the contents have.
    pub length: u64,
    /// Where among them this piece begins.
    pub offset: u64,
    /// The piece.
    pub data: Bytes,
    /// The leader's latest round of asking whether it still leads.
    pub round: u64,
}

/// What a follower made of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Received {
    /// The follower's term.
    pub term: Term,
    /// The round it was sent in.
    pub round: u64,
    /// Of the snapshot up to this index.
    pub index: Index,
    /// How much it has.
    pub has: Has,
}

/// How much of a snapshot a follower has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Has {
    /// So many bytes.
    Bytes(u64),
    /// All of it, on disk; or as good as that in its log.
    Everything,
}

impl<O: Object> Raft<O> {
    /// How far the log has grown since the latest snapshot decides when it is time for the next (dissertation 5.1.3).
    pub(super) fn snapshot_when_due(&mut self, ctx: &mut Ctx<'_, Self>) {
        let every = self.config.snapshot_every;
        if every > 0 && self.applied - self.snapshot_index() >= every {
            self.take_snapshot(ctx);
        }
    }

    /// The last entry in the latest snapshot; 0 if there is none.
    pub(super) fn snapshot_index(&self) -> Index {
        self.snapshot.as_ref().map_or(0, |snapshot| snapshot.last.index)
    }

    /// Writes the machine down as of the last entry applied. Whether there was anything new.
    pub(super) fn take_snapshot(&mut self, ctx: &mut Ctx<'_, Self>) -> bool {
        let mut index = self.applied;
        if self.config.flaws.has(&SNAPSHOT_LABELLED_WITH_COMMIT) {
            // The mistake R23: what is committed need not be applied yet.
            index = self.commit;
        }
        let Some(entry) = self.log.get(index).filter(|_| index > self.snapshot_index()) else { return false };
        let last = Position { index, term: entry.term, time: entry.time };
        let contents = if self.config.flaws.has(&SNAPSHOT_WITHOUT_SESSIONS) {
            // The mistake R11: only the data.
            Bytes::write(&Machine::<O> { data: self.machine.data.clone(), ..Machine::default() })
        } else {
            Bytes::write(&self.machine)
        };
        let snapshot = Snapshot { last, members: self.members.at(index).clone(), contents };
        if self.config.flaws.has(&APPLIED_INDEX_APART) && self.snapshot.is_some() {
            // The mistake R32: contents and label are two writes.
            ctx.persist(Record::Contents(snapshot.contents.clone()));
        }
        self.keep(snapshot, ctx);
        // Followers that are only a little behind still get entries.
        self.log.compact(index.saturating_sub(self.config.snapshot_trailing));
        self.members.forget_before(self.log.base());
        true
    }

    /// Makes a snapshot ours: it takes the place of everything on disk, beside our term and the log behind it.
    fn keep(&mut self, snapshot: Snapshot, ctx: &mut Ctx<'_, Self>) {
        let prev = snapshot.last.index;
        let entries = self.log.after(prev).to_vec();
        let mut records =
            vec![Record::Term { term: self.term, vote: self.vote }, Record::Snapshot(Box::new(snapshot.clone()))];
        if !entries.is_empty() {
            records.push(Record::Entries { prev, entries });
        }
        ctx.snapshot(records);
        self.snapshot = Some(snapshot);
    }

    /// Sends the follower, who lacks what our log no longer has, the piece of our snapshot at which it is.
    pub(super) fn send_piece(&mut self, peer: usize, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &self.role else { return };
        let progress = &leadership.peers[peer];
        let Mode::Snapshot { snapshot, offset } = &progress.mode else { return };
        let piece = Piece {
            term: self.term,
            last: snapshot.last,
            members: snapshot.members.clone(),
            length: snapshot.contents.len(),
            offset: *offset,
            data: snapshot.contents.piece(*offset, self.config.snapshot_piece),
            round: leadership.reads.round(),
        };
        ctx.send_over(self.config.transport, progress.id, Message::InstallSnapshot(Box::new(piece)));
    }

    /// InstallSnapshot, receiver implementation (Figure 13); the numbers are its rules.
    pub(super) fn on_install_snapshot(&mut self, from: NodeId, piece: Piece, ctx: &mut Ctx<'_, Self>) {
        self.see_term(piece.term, Some(from), ctx);
        let (round, index) = (piece.round, piece.last.index);
        if piece.term < self.term {
            // 1. A leader of the past; our term tells it so.
            let (has, round) = (Has::Bytes(0), 0);
            return ctx.send_over(
                self.config.transport,
                from,
                Message::InstallSnapshotReply(Received { term: self.term, round, index, has }),
            );
        }
        if self.is_leader() {
            return;
        }
        self.follow(from, ctx);
        let has = self.take_in(piece, ctx);
        ctx.send_over(
            self.config.transport,
            from,
            Message::InstallSnapshotReply(Received { term: self.term, round, index, has }),
        );
    }

    /// 2 to 5: puts the piece to those before it. How much there is now.
    fn take_in(&mut self, piece: Piece, ctx: &mut Ctx<'_, Self>) -> Has {
        let is_old = piece.last.index <= self.commit;
        // The mistake R24: whatever a leader sends is installed.
        if is_old && !self.config.flaws.has(&INSTALL_OLDER_SNAPSHOT) {
            return Has::Everything;
        }
        let contents = match self.arriving.take_in(piece.last, piece.offset, &piece.data, piece.length) {
            Taken::Part(has) => return Has::Bytes(has),
            Taken::Whole(contents) => contents,
        };
        self.install(Snapshot { last: piece.last, members: piece.members, contents }, ctx);
        Has::Everything
    }

    /// 6 to 8: "if existing log entry has same index and term as snapshot's last included entry, retain log entries
    /// following it; discard the entire log [else]; reset state machine using snapshot contents (and load snapshot's
    /// cluster configuration)".
    fn install(&mut self, snapshot: Snapshot, ctx: &mut Ctx<'_, Self>) {
        self.log.begin_at(snapshot.last);
        self.members = members_behind(&snapshot, &self.log);
        self.machine = snapshot.contents.read();
        self.commit = snapshot.last.index;
        self.applied = snapshot.last.index;
        self.keep(snapshot, ctx);
        ctx.observe(Observation::Recovered(INSTALLED));
        self.answer_forwarded(ctx);
    }

    pub(super) fn on_install_snapshot_reply(&mut self, from: NodeId, received: Received, ctx: &mut Ctx<'_, Self>) {
        self.see_term(received.term, None, ctx);
        let Role::Leader(leadership) = &mut self.role else { return };
        if received.term < self.term {
            return;
        }
        let Some(peer) = leadership.position(from) else { return };
        let progress = &mut leadership.peers[peer];
        progress.hear(received.round);
        match received.has {
            Has::Everything => {
                if progress.acknowledge(received.index) {
                    self.on_progress(received.index, ctx);
                }
                self.replicate_to(from, ctx);
            }
            Has::Bytes(has) => {
                if progress.wants_piece_at(received.index, has) {
                    self.send_piece(peer, ctx);
                }
            }
        }
        self.finish_round(ctx);
    }
}

/// The members as a snapshot and the log behind it say.
pub(super) fn members_behind<Op: Clone>(snapshot: &Snapshot, log: &Log<Op>) -> Members {
    let index = snapshot.last.index;
    let mut members = Members::new(index, snapshot.members.clone());
    members.learn(index + 1, log.after(index));
    members
}
