//! Trying every order of a few transactions: a proof either way.
//!
//! The moves are those of [`super::order`], and so is what makes them few: who replaces only what he read is never in
//! anybody's way and goes at once; only those who write without having read are tried in every order.

use super::graph::{Graph, Moments};
use super::run::{Read, Run};
use super::script::Map;
use crate::Budget;
use crate::hash::digest;

/// What came of trying every order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tried {
    Ordered,
    Impossible,
    /// The budget ended first, or there are too many transactions.
    GaveUp,
}

/// More transactions are not tried in every order.
pub(super) const TXNS_MAX: usize = 60;

/// Transactions, and what each moment of theirs has to wait for.
pub(super) struct Puzzle<'r, 'h> {
    run: &'r Run<'h>,
    moments: Moments,
    txns: Vec<u32>,
    /// By transaction: which others have to be done before it starts, and before it commits. Two bits each: started, committed.
    before: Vec<[u128; 2]>,
}

#[derive(Clone)]
struct State {
    done: u128,
    /// By key.
    current: Vec<u32>,
}

impl<'r, 'h> Puzzle<'r, 'h> {
    /// The puzzle of all transactions that took place; `None` if there are too many.
    pub fn new(run: &'r Run<'h>, graph: &Graph<'_>, moments: Moments) -> Option<Self> {
        let txns: Vec<u32> = run.txns().take(TXNS_MAX + 1).collect();
        if txns.len() > TXNS_MAX {
            return None;
        }
        let place = |txn: u32| txns.binary_search(&txn).ok();
        let mut before = vec![[0; 2]; txns.len()];
        for (at, &txn) in txns.iter().enumerate() {
            for (moment, node) in [graph.start(txn), graph.commit(txn)].into_iter().enumerate() {
                let bit = 1u128 << (2 * at + moment);
                for (after, is_commit) in beyond_hubs(graph, node) {
                    let Some(after) = place(after).filter(|after| *after != at) else { continue };
                    before[after][usize::from(is_commit)] |= bit;
                }
            }
        }
        Some(Puzzle { run, moments, txns, before })
    }

    /// Everybody.
    pub fn all(&self) -> u128 {
        (1u128 << (2 * self.txns.len())) - 1
    }

    /// Tries every order of `those` transactions, both bits of each; `states` counts down.
    pub fn solve(&self, those: u128, states: &mut u64, budget: &Budget<'_>) -> Tried {
        let keys = 0..self.run.script.keys.len() as u32;
        let first = State { done: !those & self.all(), current: keys.map(|key| self.run.first(key)).collect() };
        let mut seen: Map<u128, ()> = Map::default();
        let mut open = vec![first];
        while let Some(state) = open.pop() {
            if state.done == self.all() {
                return Tried::Ordered;
            }
            if seen.insert(digest(&(state.done, &state.current)), ()).is_some() {
                continue;
            }
            let Some(left) = states.checked_sub(1) else { return Tried::GaveUp };
            *states = left;
            if left.is_multiple_of(4096) && !(budget.keep_going)() {
                return Tried::GaveUp;
            }
            self.moves(&state, those, &mut open);
        }
        Tried::Impossible
    }

    /// A subset of the transactions that has no order either, from which nothing could be taken away.
    pub fn least(&self, states: &mut u64, budget: &Budget<'_>) -> Vec<u32> {
        let mut those = self.all();
        for at in (0..self.txns.len()).rev() {
            let fewer = self.without(those, at);
            if fewer != those && self.solve(fewer, states, budget) == Tried::Impossible {
                those = fewer;
            }
        }
        (0..self.txns.len()).filter(|at| those >> (2 * at) & 1 == 1).map(|at| self.txns[at]).collect()
    }

    /// Without a transaction, those who read from it, and those who read from these.
    fn without(&self, mut those: u128, gone: usize) -> u128 {
        let mut leaving = vec![gone];
        while let Some(at) = leaving.pop() {
            if those >> (2 * at) & 1 == 0 {
                continue;
            }
            those &= !(3 << (2 * at));
            let reads_it = |read: &Read| self.run.writer(read.version) == Some(self.txns[at]);
            leaving.extend((0..self.txns.len()).filter(|other| self.run.reads(self.txns[*other]).iter().any(reads_it)));
        }
        those
    }

    fn moves(&self, state: &State, those: u128, open: &mut Vec<State>) {
        let begin = open.len();
        for (at, &txn) in self.txns.iter().enumerate().rev() {
            let (started, committed) = (1 << (2 * at), 2 << (2 * at));
            let waits_for = self.before[at];
            let next = if state.done & committed != 0 {
                continue;
            } else if state.done & started != 0 {
                self.may_commit(state, at, waits_for[1]).then(|| (self.committed(state, at, committed), true))
            } else {
                let may = waits_for[0] & !state.done == 0 && self.may_start(state, those, at);
                let next = may.then(|| State { done: state.done | started, current: state.current.clone() });
                let is_safe =
                    self.run.writes(txn).iter().all(|write| self.meets(txn, state.current[write.key as usize]));
                match self.moments {
                    Moments::Two => next.map(|next| (next, is_safe)),
                    Moments::One => next
                        .filter(|next| self.may_commit(next, at, waits_for[1] | waits_for[0]))
                        .map(|next| (self.committed(&next, at, committed), is_safe)),
                }
            };
            match next {
                Some((next, true)) => {
                    open.truncate(begin);
                    open.push(next);
                    return;
                }
                Some((next, false)) => open.push(next),
                None => {}
            }
        }
    }

    fn meets(&self, txn: u32, version: u32) -> bool {
        self.run.reads(txn).iter().any(|read| read.version == version)
    }

    /// Whether what it reads is there, and nobody under way writes what it writes.
    fn may_start(&self, state: &State, those: u128, at: usize) -> bool {
        let txn = self.txns[at];
        let reads = self.run.reads(txn).iter().all(|read| state.current[read.key as usize] == read.version);
        let is_under_way =
            |other: &usize| those & state.done & (1 << (2 * other)) != 0 && state.done & (2 << (2 * other)) == 0;
        reads
            && (0..self.txns.len()).filter(is_under_way).all(|other| {
                let writes = self.run.writes(self.txns[other]);
                writes.iter().all(|write| self.run.version(txn, write.key).is_none())
            })
    }

    /// Whether everybody who reads what it replaces has started.
    fn may_commit(&self, state: &State, at: usize, waits_for: u128) -> bool {
        let txn = self.txns[at];
        let is_waiting = |other: &usize| state.done & (1 << (2 * other)) == 0;
        waits_for & !state.done == 0
            && self.run.writes(txn).iter().all(|write| {
                let version = state.current[write.key as usize];
                (0..self.txns.len()).filter(is_waiting).all(|other| !self.meets(self.txns[other], version))
            })
    }

    fn committed(&self, state: &State, at: usize, bit: u128) -> State {
        let mut current = state.current.clone();
        for (version, write) in self.run.versions(self.txns[at]).zip(self.run.writes(self.txns[at])) {
            current[write.key as usize] = version as u32;
        }
        State { done: state.done | bit, current }
    }
}

/// The moments that have to come after a node, through any number of hubs: of which transaction, and whether its commit.
fn beyond_hubs(graph: &Graph<'_>, node: usize) -> Vec<(u32, bool)> {
    let (mut found, mut open) = (Vec::new(), vec![node]);
    let mut seen: Map<usize, ()> = Map::default();
    while let Some(node) = open.pop() {
        for follower in graph.followers(node) {
            match graph.txn(follower) {
                Some(txn) => found.push((txn, follower != graph.start(txn))),
                None if seen.insert(follower, ()).is_none() => open.push(follower),
                None => {}
            }
        }
    }
    found
}
