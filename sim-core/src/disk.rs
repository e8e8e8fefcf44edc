//! A node's journal, and the disk it is on.
//!
//! Writing puts a record into the operating system's cache; a *flush* makes everything written so far durable and takes
//! time. One flush runs at a time, and what is written meanwhile shares the next one, as group commit does. What a crash
//! takes depends on its kind ([`DiskFate`]): a dead process loses nothing it wrote, a power cut what no flush had reached.
//!
//! A *snapshot* is a group of records that replaces everything before it. It is written behind what is there, and takes its
//! place in one go when all of it is durable: write beside, then rename. A crash before that finds the old slots, and behind
//! them whatever of the new ones its kind leaves.

use crate::dice::Dice;
use crate::fault::DiskFate;
use crate::protocol::{Slot, Ticket};
use std::collections::VecDeque;
use std::ops::Range;

/// A journal on a disk. Positions count every slot ever written, so those that snapshots have dropped move none of them.
#[derive(Clone, Debug)]
pub(crate) struct Journal<R> {
    slots: Vec<Slot<R>>,
    /// How many slots snapshots have dropped: the position of the first that is left.
    dropped: usize,
    /// Slots before this one are on disk.
    durable: usize,
    /// The flush under way will make slots before this one durable.
    flushing: Option<usize>,
    /// What leaves the node waits until slots before this one are durable.
    barrier: usize,
    tickets: VecDeque<(usize, Ticket)>,
    /// Snapshots that are not on disk yet, the oldest first.
    snapshots: VecDeque<Range<usize>>,
}

impl<R> Journal<R> {
    pub(crate) fn new() -> Self {
        Journal {
            slots: Vec::new(),
            dropped: 0,
            durable: 0,
            flushing: None,
            barrier: 0,
            tickets: VecDeque::new(),
            snapshots: VecDeque::new(),
        }
    }

    /// The position behind the last slot.
    fn end(&self) -> usize {
        self.dropped + self.slots.len()
    }

    pub(crate) fn slots(&self) -> &[Slot<R>] {
        &self.slots
    }

    /// Writes a record that holds back what leaves the node after it.
    pub(crate) fn append(&mut self, record: R) {
        self.slots.push(Slot::Ok(record));
        self.barrier = self.end();
    }

    /// Writes a record that holds nothing back.
    pub(crate) fn append_later(&mut self, record: R, ticket: Ticket) {
        self.slots.push(Slot::Ok(record));
        self.tickets.push_back((self.end(), ticket));
    }

    /// Writes records that replace all slots before them once the last of them is durable, and hold back what leaves the
    /// node after them.
    pub(crate) fn snapshot(&mut self, records: Vec<R>) {
        let begin = self.end();
        self.slots.extend(records.into_iter().map(Slot::Ok));
        self.barrier = self.end();
        self.snapshots.push_back(begin..self.barrier);
        // A snapshot without records has nothing to wait for but what it replaces.
        self.drop_replaced();
    }

    /// Drops what durable snapshots replace.
    fn drop_replaced(&mut self) {
        while let Some(snapshot) = self.snapshots.front()
            && snapshot.end <= self.durable
        {
            self.slots.drain(..snapshot.start - self.dropped);
            self.dropped = snapshot.start;
            self.snapshots.pop_front();
        }
    }

    /// Drops slots from number `from` of those that are there on.
    ///
    /// # Panics
    /// If something is not on disk yet: a process cuts its journal when it begins, before it writes.
    pub(crate) fn truncate(&mut self, from: usize) {
        assert_eq!(self.durable, self.end(), "a journal is cut when all of it is on disk");
        self.slots.truncate(from);
        self.durable = self.end();
        self.barrier = self.barrier.min(self.durable);
    }

    /// Begins a flush if something needs one and none is under way. Whether one begins.
    pub(crate) fn begin_flush(&mut self) -> bool {
        let begins = self.flushing.is_none() && self.durable < self.end();
        if begins {
            self.flushing = Some(self.end());
        }
        begins
    }

    /// The flush under way is done.
    pub(crate) fn end_flush(&mut self) {
        let covers = self.flushing.take().expect("a flush ends that began");
        self.durable = covers;
        self.drop_replaced();
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
        let unsynced = self.end() - self.durable;
        let draw = dice.below(unsynced.max(1) as u64) as usize;
        let lost = match fate {
            DiskFate::Keep => 0,
            DiskFate::LoseUnsynced => {
                self.slots.truncate(self.durable - self.dropped);
                unsynced
            }
            DiskFate::Torn if unsynced == 0 => 0,
            DiskFate::Torn => {
                self.slots.truncate(self.durable - self.dropped + draw + 1);
                *self.slots.last_mut().expect("one record was cut short") = Slot::Corrupt;
                unsynced - draw
            }
        };
        self.durable = self.end();
        self.barrier = self.end();
        self.flushing = None;
        self.tickets.clear();
        // What was to take the place of the old slots stays behind them: nobody is left to rename it.
        self.snapshots.clear();
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

    /// Records 0 and 1 are on disk; 2 is being flushed; then a snapshot [10, 11, 12] and, behind it, 3.
    fn half_snapshot() -> Journal<u32> {
        let mut journal = Journal::new();
        journal.append(0);
        journal.append(1);
        assert!(journal.begin_flush());
        journal.end_flush();
        journal.append(2);
        assert!(journal.begin_flush());
        journal.snapshot(vec![10, 11, 12]);
        journal.append(3);
        journal
    }

    fn whole<const N: usize>(records: [u32; N]) -> Vec<Slot<u32>> {
        records.map(Slot::Ok).to_vec()
    }

    #[test]
    fn a_snapshot_takes_the_place_of_what_was_before_it_once_it_is_on_disk() {
        let mut journal = half_snapshot();
        journal.end_flush();
        assert_eq!(journal.slots(), whole([0, 1, 2, 10, 11, 12, 3]), "the flush that ended began before it");
        assert_eq!(journal.held_back(), Some(7));
        assert!(journal.begin_flush());
        journal.append_later(4, Ticket(7));
        journal.end_flush();
        assert_eq!(journal.slots(), whole([10, 11, 12, 3, 4]), "what came after it lies behind it");
        assert_eq!((journal.held_back(), journal.durable(), journal.landed()), (None, 7, None));
        assert!(journal.begin_flush());
        journal.end_flush();
        assert_eq!((journal.landed(), journal.durable()), (Some(Ticket(7)), 8), "positions go on counting");
    }

    #[test]
    fn of_two_snapshots_in_one_flush_the_later_stays() {
        let mut journal = Journal::new();
        journal.append(0);
        journal.snapshot(vec![10]);
        journal.append(1);
        journal.snapshot(vec![20, 21]);
        journal.append(2);
        assert!(journal.begin_flush());
        journal.snapshot(vec![30]);
        journal.end_flush();
        assert_eq!(journal.slots(), whole([20, 21, 2, 30]), "and the one behind them waits for the next");
        assert!(journal.begin_flush());
        journal.end_flush();
        assert_eq!((journal.slots(), journal.durable()), (&whole([30])[..], 7));
    }

    #[test]
    fn a_snapshot_of_nothing_empties_the_journal() {
        let mut journal = half_flushed();
        journal.snapshot(Vec::new());
        assert_eq!(journal.slots(), whole([0, 1, 2, 3]), "not before what it replaces is on disk");
        assert!(journal.begin_flush());
        journal.end_flush();
        assert_eq!((journal.slots(), journal.held_back()), (&[][..], None));
        journal.append(4);
        assert!(journal.begin_flush());
        journal.end_flush();
        journal.snapshot(Vec::new());
        assert_eq!((journal.slots(), journal.held_back()), (&[][..], None));
        assert!(!journal.begin_flush(), "nothing is left to flush");
    }

    #[test]
    fn a_crash_before_a_snapshot_is_on_disk_finds_the_old_slots() {
        let mut kept = half_snapshot();
        assert_eq!(kept.crash(DiskFate::Keep, &mut dice(1)), 0);
        assert_eq!(kept.slots(), whole([0, 1, 2, 10, 11, 12, 3]), "and all of the new ones behind them");
        let mut cut = half_snapshot();
        assert_eq!(cut.crash(DiskFate::LoseUnsynced, &mut dice(1)), 5);
        assert_eq!(cut.slots(), whole([0, 1]));
        for mut journal in [kept, cut] {
            // Whatever it finds, the next process can make a snapshot of it.
            let found = journal.slots().len();
            assert_eq!((journal.durable(), journal.held_back()), (found, None));
            journal.snapshot(vec![20]);
            assert!(journal.begin_flush());
            journal.end_flush();
            assert_eq!((journal.slots(), journal.durable()), (&whole([20])[..], found + 1));
        }
    }

    #[test]
    fn a_torn_snapshot_leaves_the_old_slots_and_a_part_of_the_new() {
        let written = [2, 10, 11, 12, 3];
        let mut seen = [false; 5];
        for seed in 0..60 {
            let mut journal = half_snapshot();
            let lost = journal.crash(DiskFate::Torn, &mut dice(seed)) as usize;
            let whole_ones = written.len() - lost;
            let expected: Vec<Slot<u32>> = [0, 1].iter().chain(&written[..whole_ones]).copied().map(Slot::Ok).collect();
            let (last, before) = journal.slots().split_last().expect("something is left");
            assert_eq!((last, before), (&Slot::Corrupt, &expected[..]));
            seen[whole_ones] = true;
            journal.truncate(before.len());
            assert_eq!((journal.slots(), journal.held_back()), (&expected[..], None));
        }
        assert_eq!(seen, [true; 5], "every cut occurs, in the middle of the snapshot too");
    }

    /// Slots that are gone must not shift what a later crash takes.
    #[test]
    fn crashes_after_a_snapshot_count_from_where_it_begins() {
        let after = || {
            let mut journal = half_snapshot();
            journal.end_flush();
            assert!(journal.begin_flush());
            journal.end_flush();
            journal.append(4);
            journal.append(5);
            journal
        };
        let mut cut = after();
        assert_eq!(cut.crash(DiskFate::LoseUnsynced, &mut dice(1)), 2);
        assert_eq!(cut.slots(), whole([10, 11, 12, 3]));
        cut.truncate(3);
        assert_eq!((cut.slots(), cut.durable()), (&whole([10, 11, 12])[..], 6));
        let mut torn = after();
        let lost = torn.crash(DiskFate::Torn, &mut dice(1)) as usize;
        assert_eq!((torn.slots().len(), torn.slots().last()), (4 + 3 - lost, Some(&Slot::Corrupt)));
    }
}
