//! What transactions did to each other: who read whose version of which key.
//!
//! Both kinds of data come to the same: a transaction leaves at most one version of a key behind (a register's last value; a
//! list that ends with what it appended), and a read meets one version. What differs is how a read's version is known
//! ([`super::lists`], [`super::registers`]), and that lists tell the order of versions.

use super::flaw::Direct;
use super::graph::NONE;
use super::script::{Fate, Script};
use std::ops::Range;

/// A version of a key: the transaction that left it behind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Write {
    pub txn: u32,
    pub key: u32,
}

/// A read of what others wrote.
#[derive(Clone, Copy)]
pub(super) struct Read {
    pub txn: u32,
    pub key: u32,
    /// Where in the transaction.
    pub micro: u32,
    /// The version, by number.
    pub version: u32,
}

/// Two versions of a list that follow each other, and a reader who saw it.
#[derive(Clone, Copy)]
pub(super) struct Succession {
    /// By number.
    pub earlier: u32,
    pub later: u32,
    pub seen_by: u32,
}

/// A history of transactions, understood.
pub(super) struct Run<'h> {
    pub script: Script<'h>,
    /// Whether keys are lists; else they are registers.
    pub is_lists: bool,
    /// By transaction: whether it took place. One of unknown outcome did if somebody read what it wrote, and may as well
    /// not have done so otherwise.
    pub is_in: Vec<bool>,
    /// Versions, by transaction and key. A key's first version has a number behind all of these.
    pub writes: Vec<Write>,
    writes_of: Vec<u32>,
    /// Reads whose versions are known, in the order of their transactions.
    pub reads: Vec<Read>,
    reads_of: Vec<u32>,
    pub successions: Vec<Succession>,
    /// By key: the last version whose place in the order is known.
    pub last: Vec<u32>,
    /// By key: versions that come after the last, in an order that nobody knows.
    pub loose: Vec<Vec<u32>>,
    pub flaws: Vec<Direct<'h>>,
    /// How many reads can have met several versions.
    pub unclear: usize,
    /// How many reads met what only somebody outside the record can have written.
    pub foreign: usize,
}

impl<'h> Run<'h> {
    /// A run without any reads as yet: all versions of the transactions that took place.
    pub fn new(script: Script<'h>, is_in: Vec<bool>, is_lists: bool) -> Self {
        let (mut writes, mut writes_of) = (Vec::new(), vec![0]);
        for txn in script.numbers() {
            let begin = writes.len();
            if is_in[txn as usize] {
                let micros = script.micros(txn).iter().filter(|micro| !micro.is_read);
                writes.extend(micros.map(|micro| Write { txn, key: micro.key }));
                writes[begin..].sort_unstable_by_key(|write| write.key);
                let mut kept = begin;
                for at in begin..writes.len() {
                    if at == begin || writes[at] != writes[kept - 1] {
                        writes[kept] = writes[at];
                        kept += 1;
                    }
                }
                writes.truncate(kept);
            }
            writes_of.push(writes.len() as u32);
        }
        let keys = script.keys.len();
        let first = writes.len() as u32;
        Run {
            script,
            is_lists,
            is_in,
            writes,
            writes_of,
            reads: Vec::new(),
            reads_of: vec![0],
            successions: Vec::new(),
            last: (first..first + keys as u32).collect(),
            loose: vec![Vec::new(); keys],
            flaws: Vec::new(),
            unclear: 0,
            foreign: 0,
        }
    }

    /// Says that all reads of the next transaction are known.
    pub fn end_of_txn(&mut self) {
        self.reads_of.push(self.reads.len() as u32);
    }

    /// How many transactions there are, in and out.
    pub fn count(&self) -> u32 {
        self.script.txns.len() as u32
    }

    /// Transactions that took place.
    pub fn txns(&self) -> impl Iterator<Item = u32> {
        self.script.numbers().filter(|txn| self.is_in[*txn as usize])
    }

    /// The versions that a transaction left behind, by key.
    pub fn writes(&self, txn: u32) -> &[Write] {
        &self.writes[self.versions(txn)]
    }

    /// Their numbers.
    pub fn versions(&self, txn: u32) -> Range<usize> {
        self.writes_of[txn as usize] as usize..self.writes_of[txn as usize + 1] as usize
    }

    /// What a transaction read of others, in its order.
    pub fn reads(&self, txn: u32) -> &[Read] {
        &self.reads[self.reads_of[txn as usize] as usize..self.reads_of[txn as usize + 1] as usize]
    }

    /// The version of a key that a transaction left behind.
    pub fn version(&self, txn: u32, key: u32) -> Option<u32> {
        let at = self.writes(txn).binary_search_by_key(&key, |write| write.key).ok()?;
        Some(self.writes_of[txn as usize] + at as u32)
    }

    /// The version of a key that nobody wrote.
    pub fn first(&self, key: u32) -> u32 {
        self.writes.len() as u32 + key
    }

    /// How many versions there are.
    pub fn versions_count(&self) -> usize {
        self.writes.len() + self.script.keys.len()
    }

    /// Who left a version behind; `None` for one that nobody wrote.
    pub fn writer(&self, version: u32) -> Option<u32> {
        self.writes.get(version as usize).map(|write| write.txn)
    }

    /// The key of a version.
    pub fn key(&self, version: u32) -> u32 {
        self.writes.get(version as usize).map_or_else(|| version - self.writes.len() as u32, |write| write.key)
    }

    pub fn is_committed(&self, txn: u32) -> bool {
        self.script.fate(txn) == Fate::Committed
    }

    /// By version: who read it, in order and each once.
    pub fn readers(&self) -> Lists {
        let mut pairs: Vec<(u32, u32)> = self.reads.iter().map(|read| (read.version, read.txn)).collect();
        pairs.sort_unstable();
        pairs.dedup();
        Lists::new(self.versions_count(), &pairs)
    }
}

/// Lists of numbers by number, one behind the other.
pub(super) struct Lists {
    ends: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    /// From pairs of list and item, sorted by list.
    pub fn new(count: usize, pairs: &[(u32, u32)]) -> Self {
        let mut ends = vec![0; count + 1];
        for (list, _) in pairs {
            ends[*list as usize + 1] += 1;
        }
        for at in 1..ends.len() {
            ends[at] += ends[at - 1];
        }
        Lists { ends, items: pairs.iter().map(|(_, item)| *item).collect() }
    }

    pub fn get(&self, list: u32) -> &[u32] {
        &self.items[self.ends[list as usize] as usize..self.ends[list as usize + 1] as usize]
    }
}

/// What the transaction at hand knows of each key, forgotten with the next one.
pub(super) struct Desk<T> {
    by_key: Vec<(u32, T)>,
}

impl<T: Copy + Default> Desk<T> {
    pub fn new(keys: usize) -> Self {
        Desk { by_key: vec![(NONE, T::default()); keys] }
    }

    pub fn get(&self, txn: u32, key: u32) -> Option<T> {
        let (owner, known) = self.by_key[key as usize];
        (owner == txn).then_some(known)
    }

    pub fn set(&mut self, txn: u32, key: u32, known: T) {
        self.by_key[key as usize] = (txn, known);
    }
}
