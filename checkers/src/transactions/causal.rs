//! What causality tells of versions: whoever has seen, directly or through others, a transaction that wrote `x`, and
//! reads `x` from a third, puts that third one later (Biswas and Enea 2019, section 3; in nearly linear time as in
//! AWDIT, Møldrup and Pavlogiannis 2025).
//!
//! Each transaction knows how much of each process it has seen: a vector clock. For every read it is enough to look at the
//! last writer of the key that it has seen of each process.

use super::flaw::Basis;
use super::graph::{Edge, Edges, NONE, Why};
use super::infer::Sessions;
use super::run::{Run, Write};
use super::script::Map;
use std::ops::Range;

/// Where a transaction stands: in which process, and as which of its transactions, counted from 1.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    pub session: u32,
    pub number: u32,
}

/// A writer of a key.
#[derive(Clone, Copy)]
struct Writer {
    key: u32,
    place: Place,
    txn: u32,
}

pub(super) struct Clocks<'r, 'h> {
    run: &'r Run<'h>,
    pub places: Vec<Place>,
    pub sessions: usize,
    /// By transaction: what it has seen, without itself; forgotten when nobody asks any more.
    clocks: Vec<Box<[u32]>>,
    /// By transaction: who still asks for its clock.
    asked: Vec<u32>,
    /// Sorted by key and place.
    writers: Vec<Writer>,
    /// Where the writers of one key in one session lie: not empty, in the same order.
    groups: Vec<Range<u32>>,
    /// By key: where its groups begin.
    begin: Vec<u32>,
}

/// The edges that causality adds to `sessions` and reads; none of transactions that have seen themselves, which is a cycle
/// already.
pub(super) fn causal(run: &Run<'_>, sessions: &Sessions) -> Edges {
    let mut edges = Edges::new(run);
    let mut clocks = Clocks::new(run, sessions);
    for txn in causes_first(run, sessions) {
        clocks.look(txn, sessions, &mut edges);
    }
    edges
}

/// An order of the transactions in which each follows what it has seen directly.
fn causes_first(run: &Run<'_>, sessions: &Sessions) -> Vec<u32> {
    let count = run.count() as usize;
    let mut causes = vec![0u32; count];
    let mut effects: Vec<(u32, u32)> = Vec::with_capacity(run.reads.len() + count);
    for txn in run.txns() {
        let read_from = run.reads(txn).iter().filter_map(|read| run.writer(read.version));
        let before = Some(sessions.before[txn as usize]).filter(|before| *before != NONE);
        for cause in read_from.chain(before) {
            effects.push((cause, txn));
            causes[txn as usize] += 1;
        }
    }
    effects.sort_unstable();
    let effects = super::run::Lists::new(count, &effects);
    let mut order: Vec<u32> = run.txns().filter(|txn| causes[*txn as usize] == 0).collect();
    let mut at = 0;
    while let Some(&txn) = order.get(at) {
        at += 1;
        for &effect in effects.get(txn) {
            causes[effect as usize] -= 1;
            if causes[effect as usize] == 0 {
                order.push(effect);
            }
        }
    }
    order
}

impl<'r, 'h> Clocks<'r, 'h> {
    pub fn new(run: &'r Run<'h>, sessions: &Sessions) -> Self {
        let count = run.count() as usize;
        let mut clocks = Clocks {
            run,
            places: vec![Place::default(); count],
            sessions: 0,
            clocks: vec![Box::default(); count],
            asked: vec![0; count],
            writers: Vec::with_capacity(run.writes.len()),
            groups: Vec::new(),
            begin: Vec::new(),
        };
        clocks.place(sessions);
        for &Write { txn, key } in &run.writes {
            clocks.writers.push(Writer { key, place: clocks.places[txn as usize], txn });
        }
        clocks.writers.sort_unstable_by_key(|writer| (writer.key, writer.place.session, writer.place.number));
        let mut at = 0;
        for group in clocks.writers.chunk_by(|a, b| (a.key, a.place.session) == (b.key, b.place.session)) {
            clocks.groups.push(at..at + group.len() as u32);
            at += group.len() as u32;
        }
        let keys = 0..=run.script.keys.len() as u32;
        let key_of = |group: &Range<u32>| clocks.writers[group.start as usize].key;
        clocks.begin = keys.map(|key| clocks.groups.partition_point(|group| key_of(group) < key) as u32).collect();
        clocks
    }

    /// Those of unknown outcome are sessions of their own: nobody follows them.
    fn place(&mut self, sessions: &Sessions) {
        let run = self.run;
        let mut known: Map<u64, u32> = Map::default();
        for txn in run.txns() {
            let before = sessions.before[txn as usize];
            let process = run.script.txns[txn as usize].source.process;
            let place = match known.get(&process) {
                Some(&session) if run.is_committed(txn) && before != NONE => {
                    Place { session, number: self.places[before as usize].number + 1 }
                }
                Some(_) | None => {
                    let session = self.sessions as u32;
                    self.sessions += 1;
                    if run.is_committed(txn) {
                        known.insert(process, session);
                    }
                    Place { session, number: 1 }
                }
            };
            self.places[txn as usize] = place;
            if before != NONE {
                self.asked[before as usize] += 1;
            }
            for read in run.reads(txn) {
                if let Some(writer) = run.writer(read.version) {
                    self.asked[writer as usize] += 1;
                }
            }
        }
    }

    /// Finds what `txn` has seen, and what that says of its reads.
    fn look(&mut self, txn: u32, sessions: &Sessions, edges: &mut Edges) {
        let mut clock = vec![0; self.sessions].into_boxed_slice();
        let before = sessions.before[txn as usize];
        if before != NONE {
            self.merge(&mut clock, before);
        }
        for read in self.run.reads(txn) {
            if let Some(writer) = self.run.writer(read.version) {
                self.merge(&mut clock, writer);
            }
        }
        for read in self.run.reads(txn) {
            for earlier in self.last_writers(read.key, &clock) {
                self.conclude(txn, read.key, earlier, self.run.writer(read.version), edges);
            }
        }
        for read in self.run.reads(txn) {
            if let Some(writer) = self.run.writer(read.version) {
                self.release(writer);
            }
        }
        if before != NONE {
            self.release(before);
        }
        if self.asked[txn as usize] > 0 {
            self.clocks[txn as usize] = clock;
        }
    }

    /// The last writer of a key that a clock knows of each session.
    pub fn last_writers(&self, key: u32, clock: &[u32]) -> impl Iterator<Item = u32> {
        let groups = &self.groups[self.begin[key as usize] as usize..self.begin[key as usize + 1] as usize];
        groups.iter().filter_map(move |group| {
            let group = &self.writers[group.start as usize..group.end as usize];
            let seen = clock[group[0].place.session as usize];
            let seen = group.partition_point(|writer| writer.place.number <= seen);
            seen.checked_sub(1).map(|last| group[last].txn)
        })
    }

    /// `txn` has seen `earlier` and read the key from `writer`.
    fn conclude(&self, txn: u32, key: u32, earlier: u32, writer: Option<u32>, edges: &mut Edges) {
        match writer {
            Some(writer) if writer == earlier => {}
            Some(writer) => {
                let place = self.places[earlier as usize];
                let is_known =
                    self.clocks[writer as usize].get(place.session as usize).is_some_and(|seen| *seen >= place.number);
                if !is_known {
                    edges.push(Edge::new(earlier, writer, Why::Ww, key).shown_by(txn, Basis::Process));
                }
            }
            None => edges.push(Edge::new(txn, earlier, Why::Rw, key).shown_by(NONE, Basis::Process)),
        }
    }

    fn merge(&self, clock: &mut [u32], seen: u32) {
        for (mine, theirs) in clock.iter_mut().zip(&self.clocks[seen as usize]) {
            *mine = (*mine).max(*theirs);
        }
        let place = self.places[seen as usize];
        let mine = &mut clock[place.session as usize];
        *mine = (*mine).max(place.number);
    }

    fn release(&mut self, txn: u32) {
        self.asked[txn as usize] -= 1;
        if self.asked[txn as usize] == 0 {
            self.clocks[txn as usize] = Box::default();
        }
    }
}
