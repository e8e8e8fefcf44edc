//! Putting transactions into an order in which every read meets what it returned.
//!
//! With anti-dependencies allowed to cross (snapshot isolation), a transaction starts at one moment and commits at a later
//! one; else both are one. A transaction may start when all that has to come before it did, and what it reads is there; it
//! may commit when everybody else who reads what it replaces has started, and two that write one key are never under way
//! together. Whoever replaces only what he read is never in anybody's way, so he goes as soon as he may. Only among those
//! who write without having read there is a choice: the one goes first that was over first, or
//! of which somebody was who has to follow it.
//!
//! What comes out is a proof, whatever led to it. That nothing does proves nothing: see [`super::exhaust`].

use super::graph::{Graph, Moments, NONE};
use super::run::Run;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// How many of the transactions found a place.
pub(super) struct Placed {
    pub placed: usize,
    pub of: usize,
}

/// Tries one order, in nearly linear time. `keep_going` is asked now and then.
pub(super) fn order(run: &Run<'_>, graph: &Graph<'_>, moments: Moments, keep_going: &dyn Fn() -> bool) -> Placed {
    let mut line = Line::new(run, graph, moments);
    let mut steps = 0u64;
    while let Some(Reverse((_, txn))) = line.candidates.pop() {
        steps += 1;
        if steps.is_multiple_of(4096) && !keep_going() {
            break;
        }
        line.try_start(txn);
    }
    Placed { placed: line.placed, of: run.txns().count() }
}

struct Line<'r, 'h, 'e> {
    run: &'r Run<'h>,
    graph: &'r Graph<'e>,
    moments: Moments,
    /// By node: how many reasons there are to wait.
    waits: Vec<u32>,
    is_started: Vec<bool>,
    /// By key: the version that is there.
    current: Vec<u32>,
    /// By version: who still has to read it.
    unread: Vec<u32>,
    /// By version: those of them before whom nobody can start to replace it.
    blocking: Vec<u32>,
    readers: super::run::Lists,
    /// By key: who is under way and will replace it.
    holder: Vec<u32>,
    /// By key: who read it and waits for all others to have done so.
    successor: Vec<u32>,
    /// By key: who waits to replace it.
    queue: Vec<BinaryHeap<Reverse<(u64, u32)>>>,
    candidates: BinaryHeap<Reverse<(u64, u32)>>,
    placed: usize,
    /// By transaction: when the first is over that has to come after it, or itself.
    due: Vec<u64>,
}

impl<'r, 'h, 'e> Line<'r, 'h, 'e> {
    fn new(run: &'r Run<'h>, graph: &'r Graph<'e>, moments: Moments) -> Self {
        let keys = run.script.keys.len();
        let readers = run.readers();
        let mut waits = vec![0; graph.size()];
        for node in 0..graph.size() {
            graph.followers(node).for_each(|follower| waits[follower] += 1);
        }
        let blocks =
            |version: u32, reader: &&u32| moments == Moments::One || run.version(**reader, run.key(version)).is_some();
        let blocking = |version| readers.get(version).iter().filter(|reader| blocks(version, reader)).count() as u32;
        let mut line = Line {
            run,
            graph,
            moments,
            waits,
            is_started: vec![false; run.count() as usize],
            current: (0..keys as u32).map(|key| run.first(key)).collect(),
            unread: (0..run.versions_count() as u32).map(|version| readers.get(version).len() as u32).collect(),
            blocking: (0..run.versions_count() as u32).map(blocking).collect(),
            readers,
            holder: vec![NONE; keys],
            successor: vec![NONE; keys],
            queue: vec![BinaryHeap::new(); keys],
            candidates: BinaryHeap::new(),
            placed: 0,
            due: due(run, graph),
        };
        let free: Vec<usize> = (0..graph.size()).filter(|node| line.waits[*node] == 0).collect();
        for node in free {
            match graph.txn(node) {
                Some(txn) => line.call(txn),
                None => line.pass(node),
            }
        }
        line
    }

    fn call(&mut self, txn: u32) {
        if self.run.is_in[txn as usize] && !self.is_started[txn as usize] {
            self.candidates.push(Reverse((self.due[txn as usize], txn)));
        }
    }

    /// What followed this node need not wait for it any more.
    fn pass(&mut self, node: usize) {
        let mut passed = vec![node];
        while let Some(node) = passed.pop() {
            let followers: Vec<usize> = self.graph.followers(node).collect();
            for follower in followers {
                self.waits[follower] -= 1;
                if self.waits[follower] > 0 {
                    continue;
                }
                match self.graph.txn(follower) {
                    None => passed.push(follower),
                    Some(txn) if follower == self.graph.start(txn) => self.call(txn),
                    Some(txn) => passed.extend(self.try_commit(txn)),
                }
            }
        }
    }

    fn try_start(&mut self, txn: u32) {
        let run = self.run;
        let is_next = |read: &super::run::Read| self.current[read.key as usize] == read.version;
        if self.is_started[txn as usize] || self.waits[self.graph.start(txn)] > 0 || !run.reads(txn).iter().all(is_next)
        {
            return self.yield_place(txn);
        }
        for write in run.writes(txn) {
            let key = write.key as usize;
            let version = self.current[key];
            let is_reader = run.reads(txn).iter().any(|read| read.version == version);
            let others = self.blocking[version as usize] - u32::from(is_reader);
            if self.holder[key] != NONE || others > 0 {
                if is_reader {
                    self.successor[key] = txn;
                } else {
                    self.queue[key].push(Reverse((self.due[txn as usize], txn)));
                }
                return self.yield_place(txn);
            }
        }
        self.start(txn);
    }

    /// Whoever cannot go lets others try who wait for the same keys.
    fn yield_place(&mut self, txn: u32) {
        if !self.is_started[txn as usize] {
            for write in self.run.writes(txn) {
                if self.is_clear(write.key) {
                    self.call_next(write.key);
                }
            }
        }
    }

    fn is_clear(&self, key: u32) -> bool {
        self.holder[key as usize] == NONE && self.blocking[self.current[key as usize] as usize] == 0
    }

    /// Lets the next one try who waits for a key. Some who waited have started meanwhile, called for another reason.
    fn call_next(&mut self, key: u32) {
        while let Some(Reverse((_, next))) = self.queue[key as usize].pop() {
            if !self.is_started[next as usize] {
                return self.call(next);
            }
        }
    }

    fn start(&mut self, txn: u32) {
        let run = self.run;
        self.is_started[txn as usize] = true;
        self.placed += 1;
        for write in run.writes(txn) {
            self.holder[write.key as usize] = txn;
        }
        let mut committed = Vec::new();
        for (at, read) in run.reads(txn).iter().enumerate() {
            if run.reads(txn)[..at].iter().all(|earlier| earlier.version != read.version) {
                self.unread[read.version as usize] -= 1;
                let is_blocking = self.moments == Moments::One || run.version(txn, read.key).is_some();
                self.blocking[read.version as usize] -= u32::from(is_blocking);
                committed.extend(self.was_read(read.key));
            }
        }
        match self.moments {
            Moments::One => committed.extend(self.try_commit(txn)),
            Moments::Two => self.pass(self.graph.start(txn)),
        }
        for node in committed {
            self.pass(node);
        }
    }

    /// One less has to read what the key holds. Returns the node of a transaction that could commit now.
    fn was_read(&mut self, key: u32) -> Option<usize> {
        let version = self.current[key as usize] as usize;
        let (holder, successor) = (self.holder[key as usize], self.successor[key as usize]);
        if holder != NONE {
            return if self.unread[version] == 0 { self.try_commit(holder) } else { None };
        }
        match self.blocking[version] {
            0 => self.call_next(key),
            1 if successor != NONE => self.call(successor),
            _ => {}
        }
        None
    }

    /// Commits a transaction that is under way, if it may. Returns its node then.
    fn try_commit(&mut self, txn: u32) -> Option<usize> {
        let run = self.run;
        let node = self.graph.commit(txn);
        let writes = run.writes(txn);
        let holds = |key: u32| self.holder[key as usize] == txn;
        let is_read = |key: u32| self.unread[self.current[key as usize] as usize] == 0;
        let is_free = self.is_started[txn as usize] && self.waits[node] == 0;
        if !is_free || !writes.iter().all(|write| holds(write.key) && is_read(write.key)) {
            return None;
        }
        for (version, write) in run.versions(txn).zip(writes) {
            let key = write.key as usize;
            self.current[key] = version as u32;
            self.holder[key] = NONE;
            self.successor[key] = NONE;
            if self.blocking[version] == 0 {
                self.call_next(write.key);
            }
            let readers: Vec<u32> = self.readers.get(version as u32).to_vec();
            readers.into_iter().for_each(|reader| self.call(reader));
        }
        Some(node)
    }
}

/// When each transaction has to have been placed: before it was over, and before whoever follows it was.
fn due(run: &Run<'_>, graph: &Graph<'_>) -> Vec<u64> {
    let mut due = vec![u64::MAX; graph.size()];
    run.txns().for_each(|txn| due[graph.commit(txn)] = run.script.completed(txn));
    let mut waits = vec![0u32; graph.size()];
    (0..graph.size()).for_each(|node| graph.followers(node).for_each(|follower| waits[follower] += 1));
    let mut order: Vec<usize> = (0..graph.size()).filter(|node| waits[*node] == 0).collect();
    let mut at = 0;
    while let Some(&node) = order.get(at) {
        at += 1;
        for follower in graph.followers(node) {
            waits[follower] -= 1;
            if waits[follower] == 0 {
                order.push(follower);
            }
        }
    }
    for node in order.into_iter().rev() {
        due[node] = graph.followers(node).map(|follower| due[follower]).fold(due[node], u64::min);
    }
    run.script.numbers().map(|txn| due[graph.start(txn)]).collect()
}
