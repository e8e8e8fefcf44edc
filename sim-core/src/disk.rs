//! A node's journal, and the disk it is on.
//!
//! Writing puts a record into the operating system's cache; a *flush* makes everything written so far durable and takes
//! time. One flush runs at a time, and what is written meanwhile shares the next one, as group commit does. What a crash
//! takes depends on its kind ([`DiskFate`]): a dead process loses nothing it wrote, a power cut what no flush had reached.

use crate::dice::Dice;
use crate::fault::DiskFate;
use crate::protocol::{Slot, Ticket};
use std::collections::VecDeque;

/// A journal on a disk. Positions count slots from its beginning.
#[derive(Clone, Debug)]
pub(crate) struct Journal<R> {
    slots: Vec<Slot<R>>,
    /// Slots before this one are on disk.
    durable: usize,
    /// The flush under way will make slots before this one durable.
    flushing: Option<usize>,
    /// What leaves the node waits until slots before this one are durable.
    barrier: usize,
    tickets: VecDeque<(usize, Ticket)>,
}

impl<R> Journal<R> {
    pub(crate) fn new() -> Self {
        Journal { slots: Vec::new(), durable: 0, flushing: None, barrier: 0, tickets: VecDeque::new() }
    }

    pub(crate) fn slots(&self) -> &[Slot<R>] {
        &self.slots
    }

    /// Writes a record that holds back what leaves the node after it.
    pub(crate) fn append(&mut self, record: R) {
        self.slots.push(Slot::Ok(record));
        self.barrier = self.slots.len();
    }

    /// Writes a record that holds nothing back.
    pub(crate) fn append_later(&mut self, record: R, ticket: Ticket) {
        self.slots.push(Slot::Ok(record));
        self.tickets.push_back((self.slots.len(), ticket));
    }

    /// Drops slots from `from` on.
    ///
    /// # Panics
    /// If something is not on disk yet: a process cuts its journal when it begins, before it writes.
    pub(crate) fn truncate(&mut self, from: usize) {
        assert_eq!(self.durable, self.slots.len(), "a journal is cut when all of it is on disk");
        self.slots.truncate(from);
        self.durable = self.slots.len();
        self.barrier = self.barrier.min(self.durable);
    }

    /// Begins a flush if something needs one and none is under way. Whether one begins.
    pub(crate) fn begin_flush(&mut self) -> bool {
        let begins = self.flushing.is_none() && self.durable < self.slots.len();
        if begins {
            self.flushing = Some(self.slots.len());
        }
        begins
    }

    /// The flush under way is done.
    pub(crate) fn end_flush(&mut self) {
        let covers = self.flushing.take().expect("a flush ends that began");
        self.durable = covers;
    }

    /// The next record, if any, of whose arrival on disk the process wants to hear.
    pub(crate) fn landed(&mut self) -> Option<Ticket> {
        let (needs, ticket) = *self.tickets.front()?;
        (needs <= self.durable).then(|| {
            self.tickets.pop_front();
            ticket
        })
    }

    /// How far the disk must be before what leaves now may leave; `None` if it is there already.
    pub(crate) fn held_back(&self) -> Option<usize> {
        (self.barrier > self.durable).then_some(self.barrier)
    }

    /// How far the disk is.
    pub(crate) fn durable(&self) -> usize {
        self.durable
    }

    /// The process dies. How many records are lost.
    pub(crate) fn crash(&mut self, fate: DiskFate, dice: &mut Dice) -> u64 {
        let unsynced = self.slots.len() - self.durable;
        let draw = dice.below(unsynced.max(1) as u64) as usize;
        let lost = match fate {
            DiskFate::Keep => 0,
            DiskFate::LoseUnsynced => {
                self.slots.truncate(self.durable);
                unsynced
            }
            DiskFate::Torn if unsynced == 0 => 0,
            DiskFate::Torn => {
                self.slots.truncate(self.durable + draw + 1);
                *self.slots.last_mut().expect("one record was cut short") = Slot::Corrupt;
                unsynced - draw
            }
        };
        self.durable = self.slots.len();
        self.barrier = self.slots.len();
        self.flushing = None;
        self.tickets.clear();
        lost as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::{StreamName, Streams};

    /// Records 0..4; the first two are on disk.
    fn half_flushed() -> Journal<u32> {
        let mut journal = Journal::new();
        journal.append(0);
        journal.append(1);
        assert!(journal.begin_flush());
        journal.append(2);
        assert!(!journal.begin_flush(), "one flush at a time");
        journal.end_flush();
        journal.append_later(3, Ticket(7));
        journal
    }

    fn dice(seed: u64) -> Dice {
        Streams::new(seed).dice(StreamName::new(&["disk"]))
    }

    #[test]
    fn what_is_written_during_a_flush_waits_for_the_next() {
        let mut journal = half_flushed();
        assert_eq!((journal.durable(), journal.held_back()), (2, Some(3)));
        assert_eq!(journal.landed(), None);
        assert!(journal.begin_flush());
        journal.end_flush();
        assert_eq!((journal.durable(), journal.held_back()), (4, None));
        assert_eq!((journal.landed(), journal.landed()), (Some(Ticket(7)), None));
        assert!(!journal.begin_flush(), "nothing is left to flush");
    }

    #[test]
    fn a_dead_process_keeps_what_it_wrote() {
        let mut journal = half_flushed();
        assert_eq!(journal.crash(DiskFate::Keep, &mut dice(1)), 0);
        assert_eq!(journal.slots(), [0, 1, 2, 3].map(Slot::Ok));
    }

    #[test]
    fn a_power_cut_takes_what_was_not_flushed() {
        let mut journal = half_flushed();
        assert_eq!(journal.crash(DiskFate::LoseUnsynced, &mut dice(1)), 2);
        assert_eq!(journal.slots(), [0, 1].map(Slot::Ok));
    }

    #[test]
    fn a_torn_write_leaves_a_prefix_and_one_bad_slot() {
        let mut seen = [false; 2];
        for seed in 0..20 {
            let mut journal = half_flushed();
            let lost = journal.crash(DiskFate::Torn, &mut dice(seed));
            match journal.slots() {
                [Slot::Ok(0), Slot::Ok(1), Slot::Corrupt] => assert_eq!(lost, 2),
                [Slot::Ok(0), Slot::Ok(1), Slot::Ok(2), Slot::Corrupt] => assert_eq!(lost, 1),
                other => panic!("{other:?}"),
            }
            seen[journal.slots().len() - 3] = true;
        }
        assert_eq!(seen, [true, true], "both cuts occur");
        let mut flushed = Journal::new();
        flushed.append(0);
        assert!(flushed.begin_flush());
        flushed.end_flush();
        assert_eq!(flushed.crash(DiskFate::Torn, &mut dice(1)), 0);
        assert_eq!(flushed.slots(), [Slot::Ok(0)]);
    }

    #[test]
    fn truncation_drops_the_tail() {
        let mut journal = half_flushed();
        journal.crash(DiskFate::Keep, &mut dice(1));
        journal.truncate(1);
        assert_eq!((journal.slots(), journal.durable(), journal.held_back()), (&[Slot::Ok(0)][..], 1, None));
    }
}
