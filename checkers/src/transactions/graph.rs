//! Who has to come before whom, and cycles in it.
//!
//! Nodes are transactions, and *hubs*: where each of many has to come before each of many others, one hub after the ones
//! and before the others says so with few edges. Hubs never show: a cycle through one is told from transaction to
//! transaction.
//!
//! **Snapshots.** A transaction that reads from a snapshot has two moments: it starts, and it commits. Dependencies lead from
//! a commit to a start, anti-dependencies from a start to a commit. A cycle of these is a cycle of dependencies without two
//! anti-dependencies in a row, and that is what snapshot isolation rules out (Cerone and Gotsman, "Analysing snapshot
//! isolation", 2018, theorem 9).

use super::flaw::Basis;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef as _;
use std::collections::VecDeque;

/// No number.
pub(super) const NONE: u32 = u32::MAX;

/// Why one has to come before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// It wrote an earlier version.
    Ww,
    /// The other read what it wrote.
    Wr,
    /// The other replaced what it read.
    Rw,
    /// One process asked for both, in this order.
    Process,
    /// It was over before the other began.
    RealTime,
}

/// One has to come before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub from: u32,
    pub to: u32,
    pub why: Why,
    pub basis: Basis,
    /// Which key it is about, if any.
    pub key: u32,
    /// The transaction that shows it, if neither of the two does.
    pub via: u32,
}

impl Edge {
    pub fn new(from: u32, to: u32, why: Why, key: u32) -> Self {
        let basis = match why {
            Why::Ww | Why::Wr | Why::Rw => Basis::Data,
            Why::Process => Basis::Process,
            Why::RealTime => Basis::RealTime,
        };
        Edge { from, to, why, basis, key, via: NONE }
    }

    pub fn shown_by(self, via: u32, basis: Basis) -> Self {
        Edge { via, basis, ..self }
    }
}

/// How many moments a transaction has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moments {
    /// It happens at once.
    One,
    /// It starts, and commits.
    Two,
}

/// Transactions or their moments as nodes, edges as they are listed.
pub(super) struct Graph<'e> {
    inner: DiGraph<(), u32>,
    edges: &'e [Edge],
    moments: Moments,
    txns: u32,
}

/// Edges, and how many hubs they use. Hubs have the numbers that follow those of the transactions.
pub(super) struct Edges {
    pub list: Vec<Edge>,
    pub txns: u32,
    pub hubs: u32,
}

impl<'e> Graph<'e> {
    /// The graph of `edges` between `txns` transactions and hubs with the numbers after these.
    pub fn new(txns: u32, hubs: u32, edges: &'e [Edge], moments: Moments) -> Self {
        let mut graph = Graph { inner: DiGraph::default(), edges, moments, txns };
        let nodes = graph.first_hub() + hubs;
        graph.inner = DiGraph::with_capacity(nodes as usize, edges.len() + txns as usize);
        for _ in 0..nodes {
            graph.inner.add_node(());
        }
        if moments == Moments::Two {
            for txn in 0..txns {
                graph.inner.add_edge(NodeIndex::new(graph.start(txn)), NodeIndex::new(graph.commit(txn)), NONE);
            }
        }
        for (number, edge) in (0..).zip(edges) {
            let from = if edge.why == Why::Rw { graph.start(edge.from) } else { graph.commit(edge.from) };
            let to = if edge.why == Why::Rw { graph.commit(edge.to) } else { graph.start(edge.to) };
            graph.inner.add_edge(NodeIndex::new(from), NodeIndex::new(to), number);
        }
        graph
    }

    /// The first number that is no transaction's.
    fn first_hub(&self) -> u32 {
        match self.moments {
            Moments::One => self.txns,
            Moments::Two => 2 * self.txns,
        }
    }

    /// The node for the start of a transaction, or for a hub.
    pub fn start(&self, txn: u32) -> usize {
        match self.moments {
            Moments::Two if txn < self.txns => 2 * txn as usize,
            Moments::Two => (txn + self.txns) as usize,
            Moments::One => txn as usize,
        }
    }

    /// The node for the commit of a transaction, or for a hub.
    pub fn commit(&self, txn: u32) -> usize {
        self.start(txn) + usize::from(self.moments == Moments::Two && txn < self.txns)
    }

    /// Whose node that is; `None` if it is a hub.
    pub fn txn(&self, node: usize) -> Option<u32> {
        let is_hub = node >= self.first_hub() as usize;
        (!is_hub).then_some(match self.moments {
            Moments::One => node as u32,
            Moments::Two => node as u32 / 2,
        })
    }

    pub fn size(&self) -> usize {
        self.inner.node_count()
    }

    /// The nodes that have to come after this one, once for each reason.
    pub fn followers(&self, node: usize) -> impl Iterator<Item = usize> {
        self.inner.neighbors(NodeIndex::new(node)).map(NodeIndex::index)
    }

    /// Nodes that all have to come before each other, the parts with the smallest numbers first.
    pub fn knots(&self) -> Vec<Vec<usize>> {
        let parts = kosaraju_scc(&self.inner).into_iter().filter(|part| part.len() > 1);
        let mut knots: Vec<Vec<usize>> = parts.map(|part| part.into_iter().map(NodeIndex::index).collect()).collect();
        knots.iter_mut().for_each(|knot| knot.sort_unstable());
        knots.sort_unstable();
        knots
    }

    /// A cycle in each knot: the shortest through any of its first nodes (all of them, if it is small). As many as
    /// `keep_going` leaves time for, and at least one.
    pub fn cycles<'k>(
        &self,
        knots: impl IntoIterator<Item = &'k Vec<usize>>,
        keep_going: &dyn Fn() -> bool,
    ) -> Vec<Vec<Edge>> {
        let mut walk = Walk::new(self);
        let mut cycles = Vec::new();
        for knot in knots {
            cycles.push(self.cycle(knot, &mut walk));
            if !keep_going() {
                break;
            }
        }
        cycles
    }

    fn cycle(&self, knot: &[usize], walk: &mut Walk<'_, '_>) -> Vec<Edge> {
        const STARTS_MAX: usize = 64;
        const STEPS_MAX: usize = 4_000_000;
        walk.enter(knot);
        let mut best: Option<Vec<u32>> = None;
        for &from in knot.iter().filter(|node| self.txn(**node).is_some()).take(STARTS_MAX) {
            let longest = best.as_ref().map_or(usize::MAX, Vec::len);
            if let Some(path) = walk.around(from, longest) {
                best = Some(path);
            }
            if walk.steps > STEPS_MAX || best.as_ref().is_some_and(|path| path.len() == 2) {
                break;
            }
        }
        self.told(&best.expect("every transaction of a knot lies on a cycle"))
    }

    /// The edges of a cycle from transaction to transaction: what leads through hubs is one edge.
    fn told(&self, path: &[u32]) -> Vec<Edge> {
        let mut edges: Vec<Edge> = Vec::new();
        for &number in path.iter().filter(|number| **number != NONE) {
            let edge = self.edges[number as usize];
            match edges.last_mut() {
                Some(last) if last.to >= self.txns => *last = Edge { to: edge.to, ..*last },
                Some(_) | None => edges.push(edge),
            }
        }
        edges
    }
}

/// A breadth-first walk within a knot. Entering a hub is no step.
struct Walk<'g, 'e> {
    graph: &'g Graph<'e>,
    knot: Vec<usize>,
    /// By node: whether it belongs to the knot, and in which round it was reached last.
    reached: Vec<u32>,
    /// By node: the edge by which it was reached.
    by: Vec<(u32, u32)>,
    round: u32,
    steps: usize,
}

impl<'g, 'e> Walk<'g, 'e> {
    fn new(graph: &'g Graph<'e>) -> Self {
        let (reached, by) = (vec![NONE; graph.size()], vec![(NONE, NONE); graph.size()]);
        Walk { graph, knot: Vec::new(), reached, by, round: 0, steps: 0 }
    }

    /// Goes from one knot to another.
    fn enter(&mut self, knot: &[usize]) {
        for node in std::mem::replace(&mut self.knot, knot.to_vec()) {
            self.reached[node] = NONE;
        }
        for &node in knot {
            self.reached[node] = 0;
        }
        (self.round, self.steps) = (0, 0);
    }

    /// The edges of a shortest way from a node back to it, of fewer edges than `longest`.
    fn around(&mut self, from: usize, longest: usize) -> Option<Vec<u32>> {
        self.round += 1;
        let mut queue = VecDeque::from([from]);
        while let Some(node) = queue.pop_front() {
            for edge in self.graph.inner.edges(NodeIndex::new(node)) {
                let to = edge.target().index();
                self.steps += 1;
                if to == from {
                    self.by[to] = (node as u32, *edge.weight());
                    return self.path(from).filter(|path| path.len() < longest);
                }
                if self.reached[to] == NONE || self.reached[to] == self.round {
                    continue;
                }
                self.reached[to] = self.round;
                self.by[to] = (node as u32, *edge.weight());
                if self.graph.txn(to).is_none() || *edge.weight() == NONE {
                    queue.push_front(to);
                } else {
                    queue.push_back(to);
                }
            }
        }
        None
    }

    fn path(&self, from: usize) -> Option<Vec<u32>> {
        let mut path = Vec::new();
        let mut node = from;
        loop {
            let (earlier, edge) = self.by[node];
            path.push(edge);
            node = earlier as usize;
            if node == from {
                path.reverse();
                return Some(path);
            }
        }
    }
}
