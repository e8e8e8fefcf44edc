//! A node's journal, and the disk it is on.
//!
//! Writing puts a record into the operating system's cache; a *flush* makes everything written so far durable and takes
//! time. One flush runs at a time, and what is written meanwhile shares the next one, as group commit does. What a crash
//! takes depends on its kind ([`DiskFate`]): a dead process loses nothing it wrote, a power cut what no flush had reached.
//!
//! A *snapshot* is a group of records that replaces everything before it. It is written behind what is there, and takes its
//! place in one go when all of it is durable: write beside, then rename. A crash before that finds the old slots, and behind
//! them whatever of the new ones its kind leaves.
//!
//! **What a disk says and what it has** can differ. Slots are *durable* as far as flushes have said so, and *sealed* as far
//! as the disk itself has them; on a healthy disk the two are the same number. Between them lies what a lying flush left in
//! a cache of the drive. Single slots can be *gone*: the operating system still shows them, the disk never got them, since
//! the write was lost, or since a flush failed and the pages were marked clean, which Linux does (fsyncgate, 2018; Rebello
//! et al., ATC 2020). While the power lasts nobody sees a difference. When it goes, what is not sealed is not there, and
//! what is gone does not read back.
//!
//! Every flush ends with a *mark* that counts the slots before it. So whoever reads the journal later can tell a slot that
//! was being written when the power went from one that was on disk and has been spoilt since ([`Boot::flushed`]). A mark
//! is as good as its flush: one that lied or failed leaves none.
//!
//! [`Boot::flushed`]: crate::protocol::Boot::flushed

use crate::dice::Dice;
use crate::fault::DiskFate;
use crate::protocol::{Slot, Ticket};
use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

/// How a flush ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flush {
    /// As it says.
    Done,
    /// It says that it is done.
    Lied,
    /// It says that it failed, and the pages are clean all the same: the next flush will not write them.
    Failed,
}

/// A journal on a disk. Positions count every slot ever written, so those that snapshots have dropped move none of them.
#[derive(Clone, Debug)]
pub(crate) struct Journal<R> {
    slots: Vec<Slot<R>>,
    /// How many slots snapshots have dropped: the position of the first that is left.
    dropped: usize,
    /// Slots before this one are on disk, as flushes say.
    durable: usize,
    /// Slots before this one are on disk, behind a mark. Invariant: `sealed <= durable`.
    sealed: usize,
    /// Slots before this one are not dirty any more since a flush of them failed: another flush of them writes nothing.
    cleaned: usize,
    /// Slots that the disk never got, though the operating system shows them.
    gone: BTreeSet<usize>,
    /// How far marks went when the process died.
    marked: usize,
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
            sealed: 0,
            cleaned: 0,
            gone: BTreeSet::new(),
            marked: 0,
            flushing: None,
            barrier: 0,
            tickets: VecDeque::new(),
            snapshots: VecDeque::new(),
        }
    }

    /// The position behind the last slot.
    pub(crate) fn end(&self) -> usize {
        self.dropped + self.slots.len()
    }

    /// Where it begins for whoever reads it: a snapshot has replaced what was before it, though a lying disk still has that.
    fn begin(&self) -> usize {
        let renamed = self.snapshots.iter().rev().find(|snapshot| snapshot.end <= self.durable);
        renamed.map_or(self.dropped, |snapshot| snapshot.start)
    }

    pub(crate) fn slots(&self) -> &[Slot<R>] {
        &self.slots[self.begin() - self.dropped..]
    }

    /// How many of them lie before the last mark that the crash left.
    pub(crate) fn flushed(&self) -> usize {
        self.marked.saturating_sub(self.begin())
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

    /// Drops what snapshots replace that are on disk.
    fn drop_replaced(&mut self) {
        while let Some(snapshot) = self.snapshots.front()
            && snapshot.end <= self.sealed
        {
            self.slots.drain(..snapshot.start - self.dropped);
            self.dropped = snapshot.start;
            self.snapshots.pop_front();
        }
        if !self.gone.is_empty() {
            self.gone = self.gone.split_off(&self.dropped);
        }
    }

    /// Drops slots from number `from` of those that are there on.
    ///
    /// # Panics
    /// If something is not on disk yet: a process cuts its journal when it begins, before it writes.
    pub(crate) fn truncate(&mut self, from: usize) {
        assert_eq!(self.durable, self.end(), "a journal is cut when all of it is on disk");
        self.slots.truncate(self.begin() - self.dropped + from);
        let end = self.end();
        self.durable = end;
        for position in [&mut self.sealed, &mut self.cleaned, &mut self.marked, &mut self.barrier] {
            *position = end.min(*position);
        }
        for snapshot in &mut self.snapshots {
            snapshot.end = end.min(snapshot.end);
        }
        self.gone.split_off(&end);
    }

    /// Begins a flush if something needs one and none is under way. Whether one begins.
    pub(crate) fn begin_flush(&mut self) -> bool {
        let begins = self.flushing.is_none() && self.durable < self.end();
        if begins {
            self.flushing = Some(self.end());
        }
        begins
    }

    /// Whether the flush under way has something to write; one that is tried again after it failed has not.
    pub(crate) fn flush_writes(&self) -> bool {
        self.flushing.is_some_and(|covers| covers > self.cleaned)
    }

    /// The flush under way is over.
    pub(crate) fn end_flush(&mut self, how: Flush) {
        let writes = self.flush_writes();
        let covers = self.flushing.take().expect("a flush ends that began");
        match how {
            Flush::Done => {
                self.durable = covers;
                if writes {
                    self.sealed = covers;
                    self.drop_replaced();
                }
            }
            Flush::Lied => self.durable = covers,
            Flush::Failed => {
                self.gone.extend(self.durable.max(self.cleaned)..covers);
                self.cleaned = covers;
            }
        }
    }

    /// A record that was just written does not get to the disk, whatever flushes say.
    pub(crate) fn lose(&mut self, position: usize) {
        self.gone.insert(position);
    }

    /// Another record is written over one of those on disk, if there are any. Whether one is spoilt by that.
    pub(crate) fn overwrite(&mut self, dice: &mut Dice) -> bool {
        let (begin, rest) = (self.begin(), self.sealed.saturating_sub(self.begin()));
        let hit = begin + dice.below(rest.max(1) as u64) as usize;
        rest > 0 && self.spoil(hit)
    }

    /// So many records on disk, drawn by lot, will not read back. How many there were.
    pub(crate) fn rot(&mut self, count: u32, dice: &mut Dice) -> u64 {
        let whole = |position: &usize| matches!(self.slots[position - self.dropped], Slot::Ok(_));
        let mut at_rest: Vec<usize> = (self.begin()..self.sealed).filter(whole).collect();
        let count = (count as usize).min(at_rest.len());
        dice.draw_to_front(&mut at_rest, count);
        at_rest[..count].iter().filter(|&&position| self.spoil(position)).count() as u64
    }

    /// A slot on disk no longer reads back. Whether it did.
    fn spoil(&mut self, position: usize) -> bool {
        let slot = &mut self.slots[position - self.dropped];
        matches!(std::mem::replace(slot, Slot::Corrupt), Slot::Ok(_))
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
        let unsealed = self.end() - self.sealed;
        let draw = dice.below(unsealed.max(1) as u64) as usize;
        let lost = match fate {
            DiskFate::Keep => {
                self.keep();
                return 0;
            }
            DiskFate::LoseUnsynced => {
                self.slots.truncate(self.sealed - self.dropped);
                unsealed + self.find_gone()
            }
            DiskFate::Torn if unsealed == 0 => self.find_gone(),
            DiskFate::Torn => {
                self.slots.truncate(self.sealed - self.dropped + draw + 1);
                *self.slots.last_mut().expect("one record was cut short") = Slot::Corrupt;
                unsealed - draw + self.find_gone()
            }
        };
        self.marked = self.sealed;
        self.sealed = self.end();
        self.cleaned = 0;
        // What was to take the place of the old slots stays behind them: nobody is left to rename it.
        self.snapshots.clear();
        self.stand_still();
        lost as u64
    }

    /// The operating system goes on, and writes out what it has.
    fn keep(&mut self) {
        let (durable, is_honest) = (self.durable, self.sealed == self.durable && self.cleaned <= self.sealed);
        self.marked = durable;
        self.snapshots.retain(|snapshot| snapshot.end <= durable);
        if is_honest {
            self.sealed = self.end();
        }
        self.stand_still();
    }

    /// Nobody writes, and nobody waits.
    fn stand_still(&mut self) {
        self.durable = self.end();
        self.barrier = self.end();
        self.flushing = None;
        self.tickets.clear();
    }

    /// The cache is gone, and with it what only the cache had. How many slots do not read back for that.
    fn find_gone(&mut self) -> usize {
        let gone = std::mem::take(&mut self.gone);
        let end = self.end();
        gone.range(..end).filter(|&&position| self.spoil(position)).count()
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
        journal.end_flush(Flush::Done);
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
        journal.end_flush(Flush::Done);
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
        flushed.end_flush(Flush::Done);
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
        journal.end_flush(Flush::Done);
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
        journal.end_flush(Flush::Done);
        assert_eq!(journal.slots(), whole([0, 1, 2, 10, 11, 12, 3]), "the flush that ended began before it");
        assert_eq!(journal.held_back(), Some(7));
        assert!(journal.begin_flush());
        journal.append_later(4, Ticket(7));
        journal.end_flush(Flush::Done);
        assert_eq!(journal.slots(), whole([10, 11, 12, 3, 4]), "what came after it lies behind it");
        assert_eq!((journal.held_back(), journal.durable(), journal.landed()), (None, 7, None));
        assert!(journal.begin_flush());
        journal.end_flush(Flush::Done);
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
        journal.end_flush(Flush::Done);
        assert_eq!(journal.slots(), whole([20, 21, 2, 30]), "and the one behind them waits for the next");
        assert!(journal.begin_flush());
        journal.end_flush(Flush::Done);
        assert_eq!((journal.slots(), journal.durable()), (&whole([30])[..], 7));
    }

    #[test]
    fn a_snapshot_of_nothing_empties_the_journal() {
        let mut journal = half_flushed();
        journal.snapshot(Vec::new());
        assert_eq!(journal.slots(), whole([0, 1, 2, 3]), "not before what it replaces is on disk");
        assert!(journal.begin_flush());
        journal.end_flush(Flush::Done);
        assert_eq!((journal.slots(), journal.held_back()), (&[][..], None));
        journal.append(4);
        assert!(journal.begin_flush());
        journal.end_flush(Flush::Done);
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
            journal.end_flush(Flush::Done);
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
            journal.end_flush(Flush::Done);
            assert!(journal.begin_flush());
            journal.end_flush(Flush::Done);
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

    /// Records on disk, with a mark behind the last.
    fn flushed(records: &[u32]) -> Journal<u32> {
        let mut journal = Journal::new();
        records.iter().for_each(|record| journal.append(*record));
        flush(&mut journal, Flush::Done);
        journal
    }

    fn flush(journal: &mut Journal<u32>, how: Flush) {
        assert!(journal.begin_flush());
        journal.end_flush(how);
    }

    #[test]
    fn a_mark_tells_a_torn_write_from_rot() {
        let mut journal = flushed(&[0, 1, 2]);
        journal.append(3);
        assert_eq!(journal.crash(DiskFate::Torn, &mut dice(1)), 1);
        assert_eq!((journal.slots(), journal.flushed()), (&[whole([0, 1, 2]), vec![Slot::Corrupt]].concat()[..], 3));
        journal.truncate(3);
        assert_eq!((journal.rot(9, &mut dice(1)), journal.rot(9, &mut dice(1))), (3, 0), "as many as there are, once");
        assert_eq!(journal.crash(DiskFate::Keep, &mut dice(1)), 0);
        assert_eq!((journal.slots(), journal.flushed()), (&[const { Slot::Corrupt }; 3][..], 3));
    }

    #[test]
    fn rot_spoils_what_is_on_disk_and_nothing_else() {
        for seed in 0..20 {
            let mut journal = flushed(&[0, 1, 2, 3]);
            journal.append(4);
            assert_eq!(journal.rot(2, &mut dice(seed)), 2);
            assert_eq!(journal.crash(DiskFate::Keep, &mut dice(seed)), 0);
            let spoilt = journal.slots().iter().filter(|slot| **slot == Slot::Corrupt).count();
            assert_eq!((spoilt, journal.slots().last()), (2, Some(&Slot::Ok(4))));
        }
    }

    #[test]
    fn a_lie_is_found_out_when_the_power_goes_and_leaves_no_mark() {
        let lied = || {
            let mut journal = flushed(&[0, 1]);
            journal.append(2);
            journal.append_later(3, Ticket(7));
            flush(&mut journal, Flush::Lied);
            assert_eq!((journal.held_back(), journal.landed()), (None, Some(Ticket(7))), "it is believed");
            journal
        };
        let mut cut = lied();
        assert_eq!(cut.crash(DiskFate::LoseUnsynced, &mut dice(1)), 2);
        assert_eq!((cut.slots(), cut.flushed()), (&whole([0, 1])[..], 2));
        let mut kept = lied();
        assert_eq!(kept.crash(DiskFate::Keep, &mut dice(1)), 0);
        assert_eq!((kept.slots(), kept.flushed()), (&whole([0, 1, 2, 3])[..], 4), "the cache has the mark too");
        assert_eq!(kept.crash(DiskFate::LoseUnsynced, &mut dice(1)), 2, "it was in the cache only, all the time");
        let mut healed = lied();
        healed.append(4);
        flush(&mut healed, Flush::Done);
        assert_eq!(healed.crash(DiskFate::LoseUnsynced, &mut dice(1)), 0, "an honest flush empties the cache");
        assert_eq!((healed.slots(), healed.flushed()), (&whole([0, 1, 2, 3, 4])[..], 5));
    }

    /// It takes the place of the old slots for those who read, and on disk they are all there still.
    #[test]
    fn a_snapshot_that_a_lie_covers_gives_the_old_slots_back() {
        let lied = || {
            let mut journal = flushed(&[0, 1]);
            journal.snapshot(vec![10, 11]);
            flush(&mut journal, Flush::Lied);
            journal
        };
        let mut kept = lied();
        kept.crash(DiskFate::Keep, &mut dice(1));
        assert_eq!((kept.slots(), kept.flushed()), (&whole([10, 11])[..], 2));
        kept.truncate(1);
        assert_eq!(kept.slots(), whole([10]));
        for mut cut in [lied(), kept] {
            cut.crash(DiskFate::LoseUnsynced, &mut dice(1));
            assert_eq!((cut.slots(), cut.flushed()), (&whole([0, 1])[..], 2));
        }
        let mut honest = lied();
        honest.append(2);
        flush(&mut honest, Flush::Done);
        honest.crash(DiskFate::LoseUnsynced, &mut dice(1));
        assert_eq!((honest.slots(), honest.flushed()), (&whole([10, 11, 2])[..], 3));
    }

    #[test]
    fn a_failed_flush_that_is_tried_again_succeeds_and_writes_nothing() {
        let failed = || {
            let mut journal = flushed(&[0, 1]);
            journal.append(2);
            flush(&mut journal, Flush::Failed);
            assert_eq!(journal.held_back(), Some(3));
            assert!(journal.begin_flush() && !journal.flush_writes());
            journal.end_flush(Flush::Done);
            assert_eq!(journal.held_back(), None, "it succeeds");
            journal
        };
        let mut cut = failed();
        assert_eq!(cut.crash(DiskFate::LoseUnsynced, &mut dice(1)), 1);
        assert_eq!((cut.slots(), cut.flushed()), (&whole([0, 1])[..], 2), "and nothing tells what was there");
        let mut kept = failed();
        kept.crash(DiskFate::Keep, &mut dice(1));
        assert_eq!((kept.slots(), kept.flushed()), (&whole([0, 1, 2])[..], 3), "the cache still shows it");
        assert_eq!(kept.crash(DiskFate::LoseUnsynced, &mut dice(1)), 1);
        let mut later = failed();
        later.append(3);
        flush(&mut later, Flush::Done);
        assert_eq!(later.crash(DiskFate::LoseUnsynced, &mut dice(1)), 1);
        let hole = [whole([0, 1]), vec![Slot::Corrupt], whole([3])].concat();
        assert_eq!((later.slots(), later.flushed()), (&hole[..], 4), "behind a later mark it is a hole");
    }

    #[test]
    fn a_lost_write_is_a_hole_before_the_mark_once_the_power_goes() {
        let lost = |fate: DiskFate| {
            let mut journal = flushed(&[0]);
            journal.append(1);
            journal.lose(1);
            flush(&mut journal, Flush::Done);
            let lost = journal.crash(fate, &mut dice(1));
            (lost, journal.slots().to_vec(), journal.flushed())
        };
        assert_eq!(lost(DiskFate::Keep), (0, whole([0, 1]), 2));
        for fate in [DiskFate::LoseUnsynced, DiskFate::Torn] {
            assert_eq!(lost(fate), (1, [whole([0]), vec![Slot::Corrupt]].concat(), 2));
        }
    }

    #[test]
    fn a_stray_write_spoils_another_record() {
        let mut journal = flushed(&[0]);
        assert!(journal.overwrite(&mut dice(1)));
        assert!(!journal.overwrite(&mut dice(1)), "it was spoilt before");
        assert!(!Journal::<u32>::new().overwrite(&mut dice(1)), "there is nothing to hit");
        journal.crash(DiskFate::Keep, &mut dice(1));
        assert_eq!((journal.slots(), journal.flushed()), (&[Slot::Corrupt][..], 1));
    }
}
