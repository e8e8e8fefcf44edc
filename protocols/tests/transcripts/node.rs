//! One node of a table: its process, its desk, its disk.

use super::words::Words;
use history::{Register, RegisterOp, RegisterRet};
use protocols::client::Answer;
use protocols::raft::{Raft, Record};
use sim_core::desk::Desk;
use sim_core::protocol::{NodeId, Slot, Ticket};

pub type Node = Raft<Register>;

/// What leaves a node.
pub enum Leaving {
    Message(NodeId, Words),
    Answer(Answer<RegisterRet>),
}

/// A journal whose writes wait to be flushed, if it is slow.
#[derive(Default)]
pub struct Disk {
    pub slots: Vec<Slot<Record<RegisterOp>>>,
    /// Slots before this one are flushed.
    durable: usize,
    pub is_slow: bool,
    /// What is flushed from here on replaces all before it.
    replaces_from: Option<usize>,
    tickets: Vec<Ticket>,
    /// What leaves waits for everything written before it.
    barrier: usize,
    pub waiting: Vec<Leaving>,
}

impl Disk {
    pub fn write(&mut self, record: Record<RegisterOp>) {
        self.slots.push(Slot::Ok(record));
        self.barrier = self.slots.len();
    }

    pub fn write_later(&mut self, record: Record<RegisterOp>, ticket: Ticket) {
        self.slots.push(Slot::Ok(record));
        self.tickets.push(ticket);
    }

    pub fn replace(&mut self, records: Vec<Record<RegisterOp>>) {
        self.replaces_from = Some(self.slots.len());
        records.into_iter().for_each(|record| self.write(record));
    }

    /// Whether what leaves now has to wait.
    pub fn holds_back(&self) -> bool {
        self.barrier > self.durable
    }

    pub fn has_unflushed(&self) -> bool {
        self.slots.len() > self.durable
    }

    /// Everything written is on disk. Whose writes have landed, and what may leave.
    pub fn flush(&mut self) -> (Vec<Ticket>, Vec<Leaving>) {
        if let Some(from) = self.replaces_from.take() {
            self.slots.drain(..from);
        }
        (self.durable, self.barrier) = (self.slots.len(), self.slots.len());
        (std::mem::take(&mut self.tickets), std::mem::take(&mut self.waiting))
    }

    /// The machine crashes; what was not flushed is lost if its power fails, and there anyway if only the process died.
    pub fn crash(&mut self, fate: Fate) {
        if fate == Fate::LoseUnsynced {
            self.slots.truncate(self.durable);
        }
        let slots = std::mem::take(&mut self.slots);
        *self = Disk { durable: slots.len(), barrier: slots.len(), slots, is_slow: self.is_slow, ..Disk::default() };
    }
}

/// What a crash takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing that was written.
    Keep,
    /// What was not flushed.
    LoseUnsynced,
}

/// A node's place at the table; the process itself sits beside it, since laws look at all processes at once.
pub struct Seat {
    pub desk: Desk<Node>,
    pub disk: Disk,
    pub has_started: bool,
}
