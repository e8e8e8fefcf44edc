//! The replicated log (section 5.3) and what it looks like on disk.
//!
//! A log is a row of numbered boxes, the first has number 1. Each holds a command and the term of the leader that put it
//! there. Number 0 stands for "before the first box", with term 0, so that the question "do we agree up to here?" has
//! an answer for an empty log too.
//!
//! Boxes at the front can be thrown away once a snapshot stands for them (section 7). Then the *base*, the last box gone,
//! takes the place of number 0: its number and term are still known, nothing before it is.
//!
//! On disk it is a journal of [`Record`]s: every change of term or vote, and every run of entries together with the index
//! it follows. A run that follows an earlier index than the log's last replaces the tail, exactly as it did in memory, so
//! replaying the records in order gives the log back and nothing in the journal has to be rewritten. A snapshot does
//! rewrite it: what went before is dropped.

use super::membership::Membership;
use super::snapshots::Snapshot;
use crate::machine;
use crate::snapshots::Bytes;
use serde::Serialize;
use sim_core::protocol::{NodeId, Slot};
use sim_core::time::Nanos;

/// Numbers terms: stretches of time with at most one leader each (5.1). The first election opens term 1.
pub type Term = u64;

/// Numbers the entries of a log, from 1.
pub type Index = u64;

/// One box of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry<Op> {
    /// The term of the leader that made it.
    pub term: Term,
    /// System time: for how long there have been leaders, up to when this one made it. Never falls along the log. All the
    /// time that the state machine knows ([`crate::sessions`]).
    pub time: Nanos,
    /// What to do once it is committed.
    pub command: Command<Op>,
}

/// What to do once it is committed. Members count as soon as they are in a log, committed or not (section 6); an entry
/// without anything to do begins a leader's term (section 8).
pub type Command<Op> = machine::Command<Op, Box<Membership>>;

/// What a node writes down (the "persistent state on all servers" of Figure 2, and the snapshot of section 7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Record<Op> {
    /// `currentTerm` and `votedFor`.
    Term {
        /// The latest term it has seen.
        term: Term,
        /// Whom it has voted for in that term.
        vote: Option<NodeId>,
    },
    /// Part of `log[]`.
    Entries {
        /// The entries follow this index, and replace what was there.
        prev: Index,
        /// The entries.
        entries: Vec<Entry<Op>>,
    },
    /// A snapshot; the log begins behind it.
    Snapshot(Box<Snapshot>),
    /// A snapshot's contents without its label, which follows in another write. Only a node with the mistake R32 does
    /// that.
    Contents(Bytes),
}

/// The log in memory.
#[derive(Clone, Debug)]
pub struct Log<Op> {
    /// The last box thrown away.
    base: Position,
    /// Entry number `i` at position `i - base.index - 1`. Terms never fall along it.
    entries: Vec<Entry<Op>>,
    /// How often a tail has been cut off.
    cuts: u64,
    /// The first index that the latest cut took away.
    latest_cut: Index,
}

/// Where an entry stands, and what is known of one that is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Its number.
    pub index: Index,
    /// Its term.
    pub term: Term,
    /// Its system time.
    pub time: Nanos,
}

impl<Op> Default for Log<Op> {
    fn default() -> Self {
        Log::after_base(Position::default())
    }
}

impl<Op> Log<Op> {
    /// A log of which everything up to `base` is gone, and behind it nothing.
    pub fn after_base(base: Position) -> Self {
        Log { base, entries: Vec::new(), cuts: 0, latest_cut: 0 }
    }
}

impl<Op: Clone> Log<Op> {
    /// The index of the last entry; 0 if there never was one.
    pub fn last_index(&self) -> Index {
        self.base.index + self.entries.len() as Index
    }

    /// The last index that is gone; 0 if none is.
    pub fn base(&self) -> Index {
        self.base.index
    }

    /// The last entry, gone or not.
    pub fn last(&self) -> Position {
        let last = self.entries.last();
        last.map_or(self.base, |entry| Position { index: self.last_index(), term: entry.term, time: entry.time })
    }

    /// The term of the last entry; 0 if there never was one.
    pub fn last_term(&self) -> Term {
        self.last().term
    }

    /// The entry at this index, unless it is gone or not there yet.
    pub fn get(&self, index: Index) -> Option<&Entry<Op>> {
        let behind_base = index.checked_sub(self.base.index)?;
        self.entries.get((behind_base as usize).checked_sub(1)?)
    }

    /// The term of the entry at this index; 0 before the first, `None` before the base and beyond the last.
    pub fn term_at(&self, index: Index) -> Option<Term> {
        if index == self.base.index { Some(self.base.term) } else { self.get(index).map(|entry| entry.term) }
    }

    /// Everything behind this index that is not gone.
    pub fn after(&self, index: Index) -> &[Entry<Op>] {
        &self.entries[self.position_after(index)..]
    }

    /// At most `count` entries behind this index, which is not before the base.
    pub fn batch_after(&self, index: Index, count: u64) -> Vec<Entry<Op>> {
        let rest = self.after(index);
        rest[..rest.len().min(count as usize)].to_vec()
    }

    /// Whether a log that ends with this entry is at least as up to date as this one: "the log with the later term is
    /// more up-to-date; if the logs end with the same term, then whichever log is longer" (5.4.1).
    pub fn is_no_newer_than(&self, last_term: Term, last_index: Index) -> bool {
        (last_term, last_index) >= (self.last_term(), self.last_index())
    }

    /// Appends entries and says which index the last of them got.
    pub fn append(&mut self, entries: &[Entry<Op>]) -> Index {
        self.entries.extend_from_slice(entries);
        self.last_index()
    }

    /// Drops the entry at this index and everything behind it.
    pub fn cut(&mut self, from: Index) {
        self.cuts += 1;
        self.latest_cut = from;
        self.entries.truncate(self.position_after(from - 1));
    }

    /// Throws away everything up to and including the entry at this index, if it is there.
    pub fn compact(&mut self, to: Index) {
        let Some(entry) = self.get(to) else { return };
        let base = Position { index: to, term: entry.term, time: entry.time };
        self.entries.drain(..self.position_after(to));
        self.base = base;
    }

    /// Begins again behind `base`: "if existing log entry has same index and term as snapshot's last included entry,
    /// retain log entries following it; else discard the entire log" (Figure 13, rules 6 and 7).
    pub fn begin_at(&mut self, base: Position) {
        if self.term_at(base.index) == Some(base.term) {
            return self.compact(base.index);
        }
        self.cuts += 1;
        self.latest_cut = base.index + 1;
        self.entries.clear();
        self.base = base;
    }

    /// The first index known of the run of entries that have the same term as the entry at this one; if there is none, the
    /// index behind the end, or the base.
    pub fn first_of_term_at(&self, index: Index) -> Index {
        if index < self.base.index {
            return self.base.index;
        }
        let Some(term) = self.term_at(index) else { return self.last_index() + 1 };
        self.base.index + self.entries.partition_point(|entry| entry.term < term) as Index + 1
    }

    /// The last index with this term, if one is known.
    pub fn last_of_term(&self, term: Term) -> Option<Index> {
        let index = self.base.index + self.entries.partition_point(|entry| entry.term <= term) as Index;
        (index > 0 && self.term_at(index) == Some(term)).then_some(index)
    }

    /// How often a tail has been cut off. Only laws ask.
    pub fn cuts(&self) -> u64 {
        self.cuts
    }

    /// The first index that the latest cut took away. Only laws ask.
    pub fn latest_cut(&self) -> Index {
        self.latest_cut
    }

    fn position_after(&self, index: Index) -> usize {
        (index.saturating_sub(self.base.index) as usize).min(self.entries.len())
    }
}

/// What a journal says: the persistent state of Figure 2, the snapshot, and how much of the journal could be read.
pub(super) struct Recovered<Op> {
    pub term: Term,
    pub vote: Option<NodeId>,
    pub snapshot: Option<Snapshot>,
    pub log: Log<Op>,
    /// How many slots were read; what follows is to be dropped.
    pub readable: usize,
}

impl<Op> Recovered<Op> {
    /// Why nobody may go on from here.
    pub(super) fn spoilt(&self, slots: usize) -> String {
        format!("record {} of {slots} was on disk and does not read back", self.readable + 1)
    }
}

/// Replays a journal up to the first slot that does not read back.
///
/// A torn tail may be dropped: it was still on its way to disk, and whatever would have told others of it (a vote, an
/// acknowledgement) was to leave only after it had arrived there. A slot that was on disk before ([`Boot::flushed`]) is no
/// torn tail.
///
/// [`Boot::flushed`]: sim_core::protocol::Boot::flushed
pub(super) fn replay<Op: Clone>(journal: &[Slot<Record<Op>>]) -> Recovered<Op> {
    let mut found = Recovered { term: 0, vote: None, snapshot: None, log: Log::default(), readable: 0 };
    for slot in journal {
        let Slot::Ok(record) = slot else { break };
        match record {
            Record::Term { term, vote } => (found.term, found.vote) = (*term, *vote),
            Record::Entries { prev, entries } => {
                if *prev < found.log.last_index() {
                    found.log.cut(prev + 1);
                }
                found.log.append(entries);
            }
            Record::Snapshot(snapshot) => {
                found.log.begin_at(snapshot.last);
                found.snapshot = Some((**snapshot).clone());
            }
            Record::Contents(contents) => {
                // The mistake R32: the label is still that of the snapshot before.
                if let Some(snapshot) = &mut found.snapshot {
                    snapshot.contents = contents.clone();
                }
            }
        }
        found.readable += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(terms: &[Term]) -> Log<u8> {
        let mut log = Log::default();
        log.append(&terms.iter().map(|&term| Entry { term, time: 0, command: Command::Noop }).collect::<Vec<_>>());
        log
    }

    /// 5.4.1: the later last term wins; only between equal terms does length decide.
    #[test]
    fn up_to_date_compares_terms_before_lengths() {
        let ours = log(&[1, 1, 2]);
        assert!(ours.is_no_newer_than(3, 1), "a later term beats a longer log");
        assert!(ours.is_no_newer_than(2, 3), "an equal log is up to date");
        assert!(!ours.is_no_newer_than(2, 2), "a shorter log of the same term is not");
        assert!(!ours.is_no_newer_than(1, 9), "a longer log of an earlier term is not");
    }

    #[test]
    fn before_the_first_entry_everybody_agrees() {
        assert_eq!(log(&[]).term_at(0), Some(0));
        assert_eq!(log(&[]).term_at(1), None);
        assert_eq!(log(&[4]).term_at(1), Some(4));
    }

    #[test]
    fn runs_of_a_term_are_found_by_their_ends() {
        let log = log(&[1, 1, 4, 4, 4, 7]);
        let naive_first = |index: Index| (1..=index).find(|&i| log.term_at(i) == log.term_at(index)).expect("itself");
        let naive_last = |term: Term| (1..=6).rev().find(|&i| log.term_at(i) == Some(term));
        for index in 1..=6 {
            assert_eq!(log.first_of_term_at(index), naive_first(index), "index {index}");
        }
        for term in 0..9 {
            assert_eq!(log.last_of_term(term), naive_last(term), "term {term}");
        }
    }

    #[test]
    fn a_run_of_records_replays_to_the_log_it_came_from() {
        let noop = |term| Entry::<u8> { term, time: 0, command: Command::Noop };
        let journal = [
            Slot::Ok(Record::Term { term: 1, vote: Some(NodeId(2)) }),
            Slot::Ok(Record::Entries { prev: 0, entries: vec![noop(1), noop(1), noop(1)] }),
            Slot::Ok(Record::Term { term: 2, vote: None }),
            Slot::Ok(Record::Entries { prev: 1, entries: vec![noop(2)] }),
            Slot::Corrupt,
            Slot::Ok(Record::Entries { prev: 2, entries: vec![noop(2)] }),
        ];
        let found = replay(&journal);
        assert_eq!((found.term, found.vote, found.readable), (2, None, 4));
        assert_eq!((found.log.last_index(), found.log.term_at(1), found.log.term_at(2)), (2, Some(1), Some(2)));
    }
}
