//! What follows from versions and an order so far: of two that wrote a key, whoever is known to precede a reader of the
//! other precedes that other, and whoever is known to follow a writer follows his readers. Applied until nothing new comes out,
//! as far as processes keep their order: then one clock for each transaction tells all that precedes it.

use super::causal::{Clocks, Place};
use super::flaw::Basis;
use super::graph::{Edge, Edges, Graph, Moments, Why};
use super::infer::Sessions;
use super::run::{Lists, Run};

/// More numbers than that in all clocks together take a second or more each round.
const CLOCKS_MAX: usize = 5_000_000;

/// More rounds are not worth their time: a round adds what follows from the last one's findings.
const ROUNDS_MAX: usize = 12;

/// Adds to `edges`, which keep the order of each process, what follows from them, as far as `keep_going` leaves time.
pub(super) fn saturate(
    run: &Run<'_>,
    readers: &Lists,
    sessions: &Sessions,
    edges: &mut Edges,
    basis: Basis,
    keep_going: &dyn Fn() -> bool,
) {
    let places = Clocks::new(run, sessions);
    if (run.count() + edges.hubs) as usize * places.sessions > CLOCKS_MAX {
        return;
    }
    for _ in 0..ROUNDS_MAX {
        if !keep_going() {
            return;
        }
        let found = Round::new(run, readers, &places, edges).found(basis);
        if found.list.is_empty() {
            return;
        }
        edges.append(found);
    }
}

struct Round<'a, 'h> {
    run: &'a Run<'h>,
    readers: &'a Lists,
    places: &'a Clocks<'a, 'h>,
    graph: Graph<'a>,
    /// By node: what precedes it, by session; empty if not known yet.
    clocks: Vec<Vec<u32>>,
}

impl<'a, 'h> Round<'a, 'h> {
    fn new(run: &'a Run<'h>, readers: &'a Lists, places: &'a Clocks<'a, 'h>, edges: &'a Edges) -> Self {
        let graph = Graph::new(run.count(), edges.hubs, &edges.list, Moments::One);
        let clocks = vec![Vec::new(); graph.size()];
        Round { run, readers, places, graph, clocks }
    }

    fn found(mut self, basis: Basis) -> Edges {
        let mut edges = Edges::new(self.run);
        let mut waits = vec![0u32; self.graph.size()];
        (0..self.graph.size()).for_each(|node| self.graph.followers(node).for_each(|other| waits[other] += 1));
        let mut ready: Vec<usize> = (0..self.graph.size()).filter(|node| waits[*node] == 0).collect();
        while let Some(node) = ready.pop() {
            let mut clock = std::mem::take(&mut self.clocks[node]);
            clock.resize(self.places.sessions, 0);
            if let Some(txn) = self.graph.txn(node).filter(|txn| self.run.is_in[*txn as usize]) {
                self.conclude(txn, &clock, basis, &mut edges);
            }
            let own = self.graph.txn(node).map(|txn| self.places.places[txn as usize]).unwrap_or_default();
            for follower in self.graph.followers(node) {
                merge(&mut self.clocks[follower], &clock, own);
                waits[follower] -= 1;
                if waits[follower] == 0 {
                    ready.push(follower);
                }
            }
            // Hubs are asked for by nobody later.
            if self.graph.txn(node).is_some() {
                self.clocks[node] = clock;
            }
        }
        edges
    }

    /// What precedes `txn` says of the versions that it reads, and of those that it replaces.
    fn conclude(&self, txn: u32, clock: &[u32], basis: Basis, edges: &mut Edges) {
        for read in self.run.reads(txn) {
            let Some(writer) = self.run.writer(read.version) else { continue };
            for earlier in self.places.last_writers(read.key, clock) {
                if earlier != writer && !self.is_known(earlier, &self.clocks[writer as usize]) {
                    edges.push(Edge::new(earlier, writer, Why::Ww, read.key).shown_by(txn, basis));
                }
            }
        }
        for write in self.run.writes(txn) {
            for earlier in self.places.last_writers(write.key, clock) {
                let version = self.run.version(earlier, write.key);
                for &reader in version.map(|version| self.readers.get(version)).unwrap_or_default() {
                    if reader != txn && !self.is_known(reader, clock) {
                        edges.push(Edge::new(reader, txn, Why::Rw, write.key).shown_by(earlier, basis));
                    }
                }
            }
        }
    }

    fn is_known(&self, txn: u32, clock: &[u32]) -> bool {
        let Place { session, number } = self.places.places[txn as usize];
        clock.get(session as usize).is_some_and(|seen| *seen >= number)
    }
}

fn merge(into: &mut Vec<u32>, clock: &[u32], own: Place) {
    into.resize(clock.len(), 0);
    for (mine, theirs) in into.iter_mut().zip(clock) {
        *mine = (*mine).max(*theirs);
    }
    if own.number > 0 {
        let mine = &mut into[own.session as usize];
        *mine = (*mine).max(own.number);
    }
}
