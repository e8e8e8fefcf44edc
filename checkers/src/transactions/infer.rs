//! Which transactions have to come before which others, and why.
//!
//! Reads tell dependencies (the writer before the reader). Lists tell the order of versions; of registers it has to be
//! inferred, and each inference says what it leans on, so that a level that does not demand as much never sees it.

use super::flaw::Basis;
use super::graph::{Edge, Edges, NONE, Why};
use super::run::{Lists, Run};
use super::script::Map;

/// What reads and writes tell, whatever the level: who read whose version, and known successions.
pub(super) fn flow(run: &Run<'_>) -> Edges {
    let mut edges = Edges::new(run);
    for read in &run.reads {
        if let Some(writer) = run.writer(read.version) {
            edges.push(Edge::new(writer, read.txn, Why::Wr, read.key));
        }
    }
    for succession in &run.successions {
        if let (Some(from), Some(to)) = (run.writer(succession.earlier), run.writer(succession.later)) {
            let edge = Edge::new(from, to, Why::Ww, run.key(succession.later));
            edges.push(edge.shown_by(succession.seen_by, Basis::Data));
        }
    }
    for (key, loose) in (0..).zip(&run.loose) {
        if let Some(last) = run.writer(run.last[key as usize]) {
            let writers: Vec<u32> = loose.iter().filter_map(|version| run.writer(*version)).collect();
            edges.fan(&[last], &writers, (Why::Ww, key));
        }
    }
    edges
}

/// Who read a version comes before who replaced it. A reader who writes the key itself put his version right upon what
/// he read, which holds from snapshot isolation upward.
pub(super) fn anti(run: &Run<'_>, readers: &Lists) -> Edges {
    let mut edges = Edges::new(run);
    let mut next = vec![NONE; run.versions_count()];
    for succession in &run.successions {
        next[succession.earlier as usize] = succession.later;
    }
    for version in 0..run.versions_count() as u32 {
        let (key, readers) = (run.key(version), readers.get(version));
        if let Some(&replacement) = next.get(version as usize).filter(|_| !readers.is_empty())
            && let Some(writer) = run.writer(replacement)
        {
            edges.fan(readers, &[writer], (Why::Rw, key));
        }
        if version == run.last[key as usize] {
            let writers: Vec<u32> = run.loose[key as usize].iter().filter_map(|loose| run.writer(*loose)).collect();
            edges.fan(readers, &writers, (Why::Rw, key));
        } else if next[version as usize] == NONE {
            let replacing: Vec<u32> =
                readers.iter().copied().filter(|reader| run.version(*reader, key).is_some()).collect();
            edges.fan(readers, &replacing, (Why::Rw, key));
        }
    }
    edges
}

/// Which visible writer may precede a read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// Whoever it read from before, in its own order (read committed as Biswas and Enea have it).
    SoFar,
    /// Whoever it read from at all (read atomic).
    Whole,
}

/// If a transaction sees another that wrote `x`, and reads `x` from a third, that third one came later (Biswas and Enea,
/// "On the complexity of checking transactional consistency", 2019, section 3).
pub(super) fn visible(run: &Run<'_>, sight: Sight) -> Edges {
    let mut edges = Edges::new(run);
    let mut sources: Vec<(u32, u32)> = Vec::new();
    for txn in run.txns() {
        let reads = run.reads(txn);
        sources.clear();
        sources.extend(reads.iter().filter_map(|read| Some((run.writer(read.version)?, read.micro))));
        sources.sort_unstable();
        sources.dedup_by_key(|(writer, _)| *writer);
        for &(source, since) in &sources {
            let is_later = |at: u32| sight == Sight::Whole || at > since;
            edges.seen_by(run, txn, source, is_later);
        }
    }
    edges
}

/// The order of each process. Whoever has an unknown outcome precedes nobody: it may take effect late.
pub(super) struct Sessions {
    /// By transaction: the one that its process asked for before it.
    pub before: Vec<u32>,
}

impl Sessions {
    pub fn new(run: &Run<'_>) -> Self {
        let mut last: Map<u64, u32> = Map::default();
        let mut before = vec![NONE; run.count() as usize];
        for txn in run.txns() {
            let process = run.script.txns[txn as usize].source.process;
            before[txn as usize] = last.get(&process).copied().unwrap_or(NONE);
            if run.is_committed(txn) {
                last.insert(process, txn);
            }
        }
        Sessions { before }
    }

    pub fn edges(&self, run: &Run<'_>) -> Edges {
        let mut edges = Edges::new(run);
        for (txn, &before) in (0..).zip(&self.before) {
            if before != NONE {
                edges.push(Edge::new(before, txn, Why::Process, NONE));
            }
        }
        edges
    }
}

/// Whoever reads `x` sees what its process wrote to it before: the version met, if another, is later.
pub(super) fn own(run: &Run<'_>) -> Edges {
    let mut edges = Edges::new(run);
    let mut last: Map<(u64, u32), u32> = Map::default();
    for txn in (0..run.count()).filter(|txn| run.is_in[*txn as usize]) {
        let process = run.script.txns[txn as usize].source.process;
        for read in run.reads(txn) {
            match (last.get(&(process, read.key)), run.writer(read.version)) {
                (Some(&earlier), Some(writer)) if earlier != writer => {
                    edges.push(Edge::new(earlier, writer, Why::Ww, read.key).shown_by(txn, Basis::Process));
                }
                (Some(&earlier), None) => {
                    edges.push(Edge::new(txn, earlier, Why::Rw, read.key).shown_by(NONE, Basis::Process))
                }
                (Some(_) | None, _) => {}
            }
        }
        if run.is_committed(txn) {
            for write in run.writes(txn) {
                last.insert((process, write.key), txn);
            }
        }
    }
    edges
}

/// What the order of each process tells of versions, where one order of all transactions keeps it.
pub(super) fn session(run: &Run<'_>, readers: &Lists) -> Edges {
    let mut edges = own(run);
    let mut last: Map<(u64, u32), u32> = Map::default();
    for txn in run.txns() {
        let process = run.script.txns[txn as usize].source.process;
        for write in run.writes(txn) {
            let earlier = last.get(&(process, write.key)).copied();
            let version = earlier.and_then(|earlier| run.version(earlier, write.key));
            for &reader in version.map(|version| readers.get(version)).unwrap_or_default() {
                if reader != txn {
                    let edge = Edge::new(reader, txn, Why::Rw, write.key);
                    edges.push(edge.shown_by(earlier.unwrap_or(NONE), Basis::Process));
                }
            }
            if run.is_committed(txn) {
                last.insert((process, write.key), txn);
            }
        }
    }
    edges
}

/// Real time: who was over before another began. One hub for each moment at which completions give way to an invocation.
pub(super) fn real_time(run: &Run<'_>) -> Edges {
    let mut edges = Edges::new(run);
    let mut events: Vec<(u64, bool, u32)> = Vec::with_capacity(2 * run.count() as usize);
    for txn in run.txns() {
        events.push((run.script.invoked(txn), false, txn));
        if run.script.completed(txn) < u64::MAX {
            events.push((run.script.completed(txn), true, txn));
        }
    }
    events.sort_unstable();
    let (mut hub, mut is_behind) = (NONE, true);
    let mut ended: Vec<u32> = Vec::new();
    for (_, is_end, txn) in events {
        if is_end {
            ended.push(txn);
            is_behind = true;
            continue;
        }
        if is_behind && !ended.is_empty() {
            let next = edges.hub();
            if hub != NONE {
                edges.push(Edge::new(hub, next, Why::RealTime, NONE));
            }
            for txn in ended.drain(..) {
                edges.push(Edge::new(txn, next, Why::RealTime, NONE));
            }
            hub = next;
            is_behind = false;
        }
        if hub != NONE {
            edges.push(Edge::new(hub, txn, Why::RealTime, NONE));
        }
    }
    edges
}

/// What real time tells of the versions of registers. Of those over before a reader began, or begun after a version was
/// there, only the nearest are named: real time orders the others before, or after, one of these.
pub(super) fn strict(run: &Run<'_>, readers: &Lists) -> Edges {
    let mut edges = Edges::new(run);
    for (key, loose) in (0..).zip(&run.loose) {
        let writers = || loose.iter().filter_map(|version| run.writer(*version));
        let mut by_end: Vec<(u64, u32)> = writers().map(|txn| (run.script.completed(txn), txn)).collect();
        let mut by_start: Vec<(u64, u32)> = writers().map(|txn| (run.script.invoked(txn), txn)).collect();
        by_end.sort_unstable();
        by_start.sort_unstable();
        for version in loose {
            let (Some(writer), readers) = (run.writer(*version), readers.get(*version)) else { continue };
            let Some(&latest) = readers.iter().max_by_key(|reader| run.script.invoked(**reader)) else { continue };
            let mut floor = run.script.invoked(writer);
            let until = by_end.partition_point(|(end, _)| *end < run.script.invoked(latest));
            for &(end, txn) in by_end[..until].iter().rev() {
                if end < floor {
                    break;
                }
                floor = floor.max(run.script.invoked(txn));
                if txn != writer {
                    edges.push(Edge::new(txn, writer, Why::Ww, key).shown_by(latest, Basis::RealTime));
                }
            }
            let from = by_start.partition_point(|(start, _)| *start <= run.script.completed(writer));
            for &reader in readers {
                let mut ceiling = run.script.completed(reader);
                for &(start, txn) in &by_start[from..] {
                    if start > ceiling {
                        break;
                    }
                    ceiling = ceiling.min(run.script.completed(txn));
                    if txn != reader {
                        edges.push(Edge::new(reader, txn, Why::Rw, key).shown_by(writer, Basis::RealTime));
                    }
                }
            }
        }
    }
    edges
}

impl Edges {
    pub fn new(run: &Run<'_>) -> Self {
        Edges { list: Vec::new(), txns: run.count(), hubs: 0 }
    }

    pub fn push(&mut self, edge: Edge) {
        if edge.from != edge.to {
            self.list.push(edge);
        }
    }

    /// Takes in others, whose hubs get numbers of their own.
    pub fn append(&mut self, others: Edges) {
        let moved = |node: u32| if node >= self.txns { node + self.hubs } else { node };
        self.list.extend(others.list.iter().map(|edge| Edge { from: moved(edge.from), to: moved(edge.to), ..*edge }));
        self.hubs += others.hubs;
    }

    fn hub(&mut self) -> u32 {
        self.hubs += 1;
        self.txns + self.hubs - 1
    }

    /// All of `sources` come before all of `targets`. Whoever is among both comes not before itself, so it goes through no
    /// hub; if there are several such, two of them are a contradiction, and enough.
    fn fan(&mut self, sources: &[u32], targets: &[u32], (why, key): (Why, u32)) {
        const DIRECT_MAX: usize = 16;
        if sources.len().saturating_mul(targets.len()) <= DIRECT_MAX || targets.len() <= 1 {
            for from in sources {
                targets.iter().for_each(|to| self.push(Edge::new(*from, *to, why, key)));
            }
            return;
        }
        let mut sorted = targets.to_vec();
        sorted.sort_unstable();
        let (both, others): (Vec<u32>, Vec<u32>) =
            sources.iter().partition(|source| sorted.binary_search(source).is_ok());
        let hub = self.hub();
        others.iter().for_each(|from| self.push(Edge::new(*from, hub, why, key)));
        targets.iter().for_each(|to| self.push(Edge::new(hub, *to, why, key)));
        for from in both.iter().take(2) {
            targets.iter().for_each(|to| self.push(Edge::new(*from, *to, why, key)));
        }
    }

    /// `txn` sees `source`: what it reads otherwise of the keys that `source` wrote is later.
    fn seen_by(&mut self, run: &Run<'_>, txn: u32, source: u32, is_later: impl Fn(u32) -> bool) {
        for read in run.reads(txn).iter().filter(|read| is_later(read.micro)) {
            let Some(version) = run.version(source, read.key).filter(|version| *version != read.version) else {
                continue;
            };
            debug_assert_eq!(run.writer(version), Some(source));
            match run.writer(read.version) {
                Some(writer) => {
                    self.push(Edge::new(source, writer, Why::Ww, read.key).shown_by(txn, Basis::Data));
                }
                None => self.push(Edge::new(txn, source, Why::Rw, read.key)),
            }
        }
    }
}
