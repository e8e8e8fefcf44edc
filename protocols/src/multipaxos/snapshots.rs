//! Snapshots: what stands for slots that are gone (PML 5.5).
//!
//! Every node now and then writes its state machine down and throws the slots away that made it. Nobody else is asked: what is
//! executed was chosen, and does not change. Whoever lacks slots that are gone gets the snapshot instead, piece by piece: it asks
//! for each, saying how much it has, so a piece lost is asked for again.
//!
//! An acceptor forgets by this what it had accepted. It may, since it says so in every promise: whoever would lead fetches
//! what the slots have made before it proposes anything.

use super::members::{Members, Succession};
use super::{Message, MultiPaxos, Record, Slot};
use crate::snapshots::{Bytes, Taken};
use history::Object;
use serde::Serialize;
use sim_core::protocol::{Ctx, NodeId, Observation};
use sim_core::time::Nanos;

/// Somebody was too far behind for the log.
pub(super) const INSTALLED: &str = "snapshot installed";

/// A slot, and the system time as of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Which.
    pub slot: Slot,
    /// The latest time that a slot up to it names.
    pub time: Nanos,
}

/// A state machine written down, and which one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// The last slot executed in it.
    pub last: Position,
    /// Who decides the slots behind it, as far as the slots up to it say.
    pub members: Succession,
    /// The machine.
    pub contents: Bytes,
}

/// A piece of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// The last slot executed in the snapshot.
    pub last: Position,
    /// Who decides the slots behind it.
    pub members: Succession,
    /// How many bytes the contents have.
    pub length: u64,
    /// Where among them this piece begins.
    pub offset: u64,
    /// The piece.
    pub data: Bytes,
}

impl<O: Object> MultiPaxos<O> {
    /// Takes a snapshot if so many slots were executed since the latest.
    pub(super) fn snapshot_when_due(&mut self, ctx: &mut Ctx<'_, Self>) {
        let every = self.config.snapshot_every;
        if every > 0 && self.executed.slot - self.snapshot_slot() >= every {
            self.take_snapshot(ctx);
        }
    }

    /// The last slot in the latest snapshot; 0 if there is none.
    pub(super) fn snapshot_slot(&self) -> Slot {
        self.snapshot.as_ref().map_or(0, |snapshot| snapshot.last.slot)
    }

    /// Writes the machine down as of the last slot executed. Whether there was anything new.
    pub(super) fn take_snapshot(&mut self, ctx: &mut Ctx<'_, Self>) -> bool {
        if self.executed.slot == self.snapshot_slot() {
            return false;
        }
        let (last, members) = (self.executed, self.members.known().clone());
        self.keep(Snapshot { last, members, contents: Bytes::write(&self.machine) }, ctx);
        self.log.truncate(self.executed.slot.saturating_sub(self.config.snapshot_trailing));
        true
    }

    /// Makes a snapshot ours: it takes the place of everything on disk, beside our promise and the slots behind it.
    fn keep(&mut self, snapshot: Snapshot, ctx: &mut Ctx<'_, Self>) {
        let last = snapshot.last.slot;
        let mut records = vec![Record::Promised(self.promised), Record::Snapshot(Box::new(snapshot.clone()))];
        let entries = self.log.held_from(last + 1);
        if !entries.is_empty() {
            records.push(Record::Accepted { entries, chosen: last });
        }
        ctx.snapshot(records);
        self.snapshot = Some(snapshot);
    }

    /// Sends somebody who lacks slots that are gone the next piece of the snapshot that it is fetching, or the first of ours.
    pub(super) fn send_piece(&mut self, to: NodeId, slot: Slot, part: (Slot, u64), ctx: &mut Ctx<'_, Self>) {
        let (of, has) = part;
        let is_lent = self.lent.get(&to).is_some_and(|lent| lent.last.slot == of && of >= slot);
        if !is_lent {
            let Some(snapshot) = &self.snapshot else { return };
            self.lent.insert(to, snapshot.clone());
        }
        let Some(Snapshot { last, members, contents }) = self.lent.get(&to) else { return };
        let length = contents.len();
        let offset = if last.slot == of { has.min(length) } else { 0 };
        let data = contents.piece(offset, self.config.snapshot_piece);
        let piece = Piece { last: *last, members: members.clone(), length, offset, data };
        self.send(to, Message::Snapshot(Box::new(piece)), ctx);
    }

    /// A piece arrived. One of a snapshot that holds no more than what is executed here is not wanted any more.
    pub(super) fn on_piece(&mut self, from: NodeId, piece: Piece, ctx: &mut Ctx<'_, Self>) {
        let Piece { last, members, length, offset, data } = piece;
        self.resign_if_outrun(last.slot, ctx);
        if self.is_leader() || last.slot <= self.executed.slot {
            return;
        }
        // Two who send different snapshots must not have us begin anew in turns.
        if last.slot < self.catch_up.part.0 && self.catch_up.whom != Some(from) {
            return;
        }
        match self.arriving.take_in(last, offset, &data, length) {
            Taken::Part(has) => {
                let is_news = self.catch_up.part != (last.slot, has);
                self.catch_up.part = (last.slot, has);
                if is_news {
                    self.catch_up.goes_on();
                    self.ask(from, ctx);
                }
            }
            Taken::Whole(contents) => {
                self.install(Snapshot { last, members, contents }, ctx);
                self.catch_up.part = (0, 0);
                self.catch_up.goes_on();
            }
        }
        self.caught_up(ctx);
    }

    /// The machine is what the snapshot says. What was accepted behind it stays.
    fn install(&mut self, snapshot: Snapshot, ctx: &mut Ctx<'_, Self>) {
        self.log.truncate(snapshot.last.slot);
        self.machine = snapshot.contents.read();
        self.executed = snapshot.last;
        self.members = Members::new(snapshot.members.clone(), &self.config);
        self.keep(snapshot, ctx);
        ctx.observe(Observation::Recovered(INSTALLED));
    }
}
