//! Who could have talked to whom, over the whole run: the ground truth for the bound on availability.
//!
//! The live directed links between machines change only when a fault begins, ends, or comes and goes, so a run is a few
//! *epochs*, each with one matrix. A fault that flaps leads back to the same few *states* again and again: each is kept once,
//! and what a client could reach in it is worked out afterwards, once.

use crate::machine::{MachineId, Pairs};
use crate::protocol::{ClientId, NodeId};
use crate::reach::Reach;
use crate::time::Nanos;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::BTreeMap;

/// Who could talk to whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    /// By the number of the pair: whether one machine can send to the other.
    live: Vec<bool>,
    /// By machine: whether it is up and not paused.
    well: Vec<bool>,
    /// By node: whether its disk is of any use.
    disks: Vec<DiskState>,
}

/// What a node's disk can be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DiskState {
    /// It takes what is written.
    Takes,
    /// It does not.
    Refuses,
    /// The one that the node began with is gone for good.
    Lost,
}

impl State {
    fn lost(&self) -> Vec<NodeId> {
        let lost = self.disks.iter().enumerate().filter(|(_, disk)| **disk == DiskState::Lost);
        lost.map(|(node, _)| NodeId(node as u32)).collect()
    }
}

/// A stretch of the run in which no link came or went.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    from: Nanos,
    /// The number of its state.
    state: usize,
}

/// All epochs of a run so far.
#[derive(Clone, Debug)]
pub(crate) struct Epochs {
    nodes: usize,
    machines: usize,
    pairs: Pairs,
    /// Every state so far, and its number.
    states: BTreeMap<State, usize>,
    epochs: Vec<Epoch>,
}

impl Epochs {
    pub(crate) fn new(nodes: usize, clients: usize) -> Self {
        let (machines, pairs) = (nodes + clients, Pairs::new(nodes, clients));
        Epochs { nodes, machines, pairs, states: BTreeMap::new(), epochs: Vec::new() }
    }

    /// From `now` on, these links are live, these machines well, and the nodes' disks in these states.
    pub(crate) fn record(&mut self, now: Nanos, live: Vec<bool>, well: Vec<bool>, disks: Vec<DiskState>) {
        assert_eq!(live.len(), self.pairs.count(), "one entry a pair");
        let next = self.states.len();
        let state = *self.states.entry(State { live, well, disks }).or_insert(next);
        match self.epochs.last_mut() {
            Some(last) if last.from == now => last.state = state,
            Some(last) if last.state == state => {}
            Some(_) | None => self.epochs.push(Epoch { from: now, state }),
        }
    }

    /// What every client could reach, epoch by epoch.
    pub(crate) fn reachability(&self) -> Reachability {
        let mut states: Vec<(&State, usize)> = self.states.iter().map(|(state, number)| (state, *number)).collect();
        states.sort_by_key(|(_, number)| *number);
        let reached = |(state, _): (&State, usize)| {
            let groups = self.groups(state);
            let clients = self.nodes..self.machines;
            Reached {
                groups: clients.clone().map(|client| self.reached(state, client, &groups)).collect(),
                direct: (0..self.machines).map(|machine| self.direct(state, machine)).collect(),
                well: state.well[self.nodes..].to_vec(),
                lost: state.lost(),
            }
        };
        let states = states.into_iter().map(reached).collect();
        Reachability { nodes: self.nodes, states, epochs: self.epochs.clone() }
    }

    fn is_live(&self, state: &State, from: usize, to: usize) -> bool {
        let pair = self.pairs.index(MachineId(from as u32), MachineId(to as u32));
        pair.is_some_and(|pair| state.live[pair])
    }

    /// Nodes that could exchange messages both ways, directly or over other nodes: strongly connected components. A node
    /// that is down cannot even talk to itself, and is in none.
    fn groups(&self, state: &State) -> Vec<Vec<NodeId>> {
        let mut graph: DiGraph<(), ()> = DiGraph::new();
        let vertices: Vec<NodeIndex> = (0..self.nodes).map(|_| graph.add_node(())).collect();
        for from in 0..self.nodes {
            for to in (0..self.nodes).filter(|&to| to != from && self.is_live(state, from, to)) {
                graph.add_edge(vertices[from], vertices[to], ());
            }
        }
        let mut groups: Vec<Vec<NodeId>> = tarjan_scc(&graph)
            .into_iter()
            .map(|group| group.into_iter().map(|vertex| NodeId(vertex.index() as u32)).collect())
            .collect();
        groups.retain(|group: &Vec<NodeId>| {
            group.iter().all(|node| self.is_live(state, node.0 as usize, node.0 as usize))
        });
        groups.iter_mut().for_each(|group| group.sort());
        groups.sort();
        groups
    }

    /// The nodes that a machine could exchange messages with directly; a node that is well, itself included.
    fn direct(&self, state: &State, machine: usize) -> Vec<NodeId> {
        let both = |node: &usize| self.is_live(state, machine, *node) && self.is_live(state, *node, machine);
        (0..self.nodes).filter(both).map(|node| NodeId(node as u32)).collect()
    }

    /// The groups that a client could ask and hear from, directly or over nodes that would pass it on. Who cannot write
    /// anything down passes things on, and is of no other use to anybody.
    fn reached(&self, state: &State, client: usize, groups: &[Vec<NodeId>]) -> Vec<Vec<NodeId>> {
        let asked = self.spread(client, |from, to| self.is_live(state, from, to));
        let heard = self.spread(client, |from, to| self.is_live(state, to, from));
        let within = |reached: &[bool], group: &[NodeId]| group.iter().any(|node| reached[node.0 as usize]);
        let reached = groups.iter().filter(|group| within(&asked, group) && within(&heard, group));
        let of_use = reached.map(|group| {
            group.iter().copied().filter(|node| state.disks[node.0 as usize] != DiskState::Refuses).collect()
        });
        of_use.filter(|group: &Vec<NodeId>| !group.is_empty()).collect()
    }

    /// The nodes that can be reached from a client by steps along `link`.
    fn spread(&self, client: usize, link: impl Fn(usize, usize) -> bool) -> Vec<bool> {
        let mut reached = vec![false; self.nodes];
        let mut edge = vec![client];
        while let Some(from) = edge.pop() {
            for (to, reached) in reached.iter_mut().enumerate().filter(|(to, _)| link(from, *to)) {
                if !std::mem::replace(reached, true) {
                    edge.push(to);
                }
            }
        }
        reached
    }
}

/// A state, as clients and nodes saw it.
#[derive(Clone, Debug)]
struct Reached {
    /// By client: groups of mutually connected nodes that it could talk to.
    groups: Vec<Vec<Vec<NodeId>>>,
    /// By machine: the nodes that it could exchange messages with directly.
    direct: Vec<Vec<NodeId>>,
    /// By client: whether it was up and not paused.
    well: Vec<bool>,
    /// The nodes that had lost their disks for good.
    lost: Vec<NodeId>,
}

/// What everybody could reach, from when.
#[derive(Clone, Debug, Default)]
pub struct Reachability {
    nodes: usize,
    /// By number.
    states: Vec<Reached>,
    epochs: Vec<Epoch>,
}

impl Reachability {
    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// When links or machines came or went, between `from` and `to` (excluded).
    pub fn changes(&self, from: Nanos, to: Nanos) -> impl Iterator<Item = Nanos> {
        let first = self.epochs.partition_point(|epoch| epoch.from <= from);
        self.epochs[first..].iter().map(|epoch| epoch.from).take_while(move |at| *at < to)
    }

    fn at(&self, at: Nanos) -> &Reached {
        let after = self.epochs.partition_point(|epoch| epoch.from <= at);
        self.state(&self.epochs[after.checked_sub(1).expect("a run begins with an epoch")])
    }

    fn state(&self, epoch: &Epoch) -> &Reached {
        &self.states[epoch.state]
    }

    /// Whether a client was up and not paused.
    pub fn is_well(&self, client: ClientId, at: Nanos) -> bool {
        self.at(at).well[client.0 as usize]
    }

    /// The nodes that a node could exchange messages with directly, itself included; none if it was down or paused.
    pub fn peers(&self, node: NodeId, at: Nanos) -> &[NodeId] {
        &self.at(at).direct[node.0 as usize]
    }

    /// The nodes that a client could exchange messages with directly.
    pub fn contacts(&self, client: ClientId, at: Nanos) -> &[NodeId] {
        &self.at(at).direct[self.nodes + client.0 as usize]
    }

    /// What a client could have reached if it reached these groups.
    pub fn reach<'a>(&'a self, groups: &'a [Vec<NodeId>], at: Nanos) -> Reach<'a> {
        Reach::new(groups, self.nodes).with_lost(&self.at(at).lost)
    }

    /// The stretches of time between `from` and `to` (included) in which `serves` holds of what the client could reach.
    pub fn when(
        &self,
        client: ClientId,
        from: Nanos,
        to: Nanos,
        mut serves: impl FnMut(&Reach<'_>) -> bool,
    ) -> Vec<(Nanos, Nanos)> {
        let mut spans: Vec<(Nanos, Nanos)> = Vec::new();
        let first = self.epochs.partition_point(|epoch| epoch.from <= from).saturating_sub(1);
        for (i, epoch) in self.epochs.iter().enumerate().skip(first) {
            if epoch.from > to {
                break;
            }
            let ends = self.epochs.get(i + 1).map_or(to, |next| next.from.min(to));
            let begins = epoch.from.max(from);
            let state = self.state(epoch);
            if ends < begins
                || !serves(&Reach::new(&state.groups[client.0 as usize], self.nodes).with_lost(&state.lost))
            {
                continue;
            }
            match spans.last_mut() {
                Some(last) if last.1 == begins => last.1 = ends,
                Some(_) | None => spans.push((begins, ends)),
            }
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three nodes and one client; `links` are pairs of machines (the client is 3), `down` have no links at all.
    fn reached(links: &[(usize, usize)]) -> Vec<Vec<u32>> {
        let mut epochs = Epochs::new(3, 1);
        let mut live = vec![false; epochs.pairs.count()];
        for &(from, to) in links {
            live[epochs.pairs.index(MachineId(from as u32), MachineId(to as u32)).expect("a pair")] = true;
        }
        epochs.record(0, live, vec![true; 4], vec![DiskState::Takes; 3]);
        let reach = epochs.reachability();
        reach.states[0].groups[0].iter().map(|group| group.iter().map(|node| node.0).collect()).collect()
    }

    const UP: [(usize, usize); 3] = [(0, 0), (1, 1), (2, 2)];

    #[test]
    fn a_group_needs_links_both_ways() {
        let both = [&UP[..], &[(0, 1), (1, 0), (1, 2), (2, 1), (3, 0), (0, 3)]].concat();
        assert_eq!(reached(&both), [vec![0, 1, 2]], "0 and 2 talk over 1");
        let one_way = [&UP[..], &[(0, 1), (1, 0), (1, 2), (3, 0), (0, 3)]].concat();
        assert_eq!(reached(&one_way), [vec![0, 1]], "2 hears but is not heard");
    }

    #[test]
    fn a_client_may_be_answered_by_another_node_than_it_asked() {
        let links = [&UP[..], &[(0, 1), (1, 0), (3, 0), (1, 3)]].concat();
        assert_eq!(reached(&links), [vec![0, 1]]);
        let deaf = [&UP[..], &[(0, 1), (1, 0), (3, 0)]].concat();
        assert!(reached(&deaf).is_empty());
    }

    #[test]
    fn a_node_that_is_down_is_in_no_group() {
        assert_eq!(reached(&[(0, 0), (3, 0), (0, 3), (3, 1), (1, 3)]), [vec![0]]);
    }

    #[test]
    fn what_is_direct_needs_no_relay_and_a_paused_client_is_not_well() {
        let mut epochs = Epochs::new(3, 1);
        let links = [(0, 0), (1, 1), (0, 1), (1, 0), (1, 2), (3, 0), (0, 3), (3, 1)];
        let mut live = vec![false; epochs.pairs.count()];
        for (from, to) in links {
            live[epochs.pairs.index(MachineId(from), MachineId(to)).expect("a pair")] = true;
        }
        epochs.record(0, live.clone(), vec![true; 4], vec![DiskState::Takes; 3]);
        epochs.record(7, live, vec![true, true, true, false], vec![DiskState::Takes; 3]);
        let reach = epochs.reachability();
        assert_eq!(reach.peers(NodeId(1), 3), [NodeId(0), NodeId(1)], "one way to n3 is not enough");
        assert!(reach.peers(NodeId(2), 3).is_empty(), "it is down");
        assert_eq!(reach.contacts(ClientId(0), 3), [NodeId(0)]);
        assert_eq!(reach.changes(0, 8).collect::<Vec<_>>(), [7]);
        assert_eq!((reach.changes(0, 7).count(), reach.changes(7, 9).count()), (0, 0));
        assert_eq!((reach.is_well(ClientId(0), 6), reach.is_well(ClientId(0), 7)), (true, false));
    }

    #[test]
    fn who_cannot_write_passes_on_and_is_of_no_other_use() {
        let mut epochs = Epochs::new(3, 1);
        let links = [(0, 0), (1, 1), (2, 2), (0, 1), (1, 0), (1, 2), (2, 1), (3, 1), (1, 3)];
        let mut live = vec![false; epochs.pairs.count()];
        for (from, to) in links {
            live[epochs.pairs.index(MachineId(from), MachineId(to)).expect("a pair")] = true;
        }
        epochs.record(0, live.clone(), vec![true; 4], vec![DiskState::Takes; 3]);
        epochs.record(5, live.clone(), vec![true; 4], vec![DiskState::Takes, DiskState::Refuses, DiskState::Takes]);
        epochs.record(9, live, vec![true; 4], vec![DiskState::Refuses; 3]);
        let reach = epochs.reachability();
        assert_eq!(reach.state(&reach.epochs[1]).groups[0], [[NodeId(0), NodeId(2)]]);
        assert!(reach.state(&reach.epochs[2]).groups[0].is_empty());
        assert_eq!(reach.contacts(ClientId(0), 9), [NodeId(1)], "it can be talked to all the same");
    }

    #[test]
    fn spans_join_and_are_clipped() {
        let mut epochs = Epochs::new(1, 1);
        let (all, none) = (vec![true; 3], vec![false; 3]);
        for (from, live) in [(0, &all), (10, &none), (20, &all), (30, &all)] {
            epochs.record(from, live.clone(), vec![true; 2], vec![DiskState::Takes]);
        }
        let reach = epochs.reachability();
        let spans = |from, to| reach.when(ClientId(0), from, to, |reach| reach.majority());
        assert_eq!(spans(0, 100), [(0, 10), (20, 100)]);
        assert_eq!(spans(12, 15), []);
        assert_eq!(spans(5, 25), [(5, 10), (20, 25)]);
        assert_eq!(spans(12, 20), [(20, 20)], "the very instant counts");
    }

    #[test]
    fn what_comes_and_goes_is_worked_out_once() {
        let mut epochs = Epochs::new(1, 1);
        for at in 0..1000 {
            epochs.record(at, vec![at % 2 == 0; 3], vec![true; 2], vec![DiskState::Takes]);
        }
        let reach = epochs.reachability();
        assert_eq!((reach.states.len(), reach.changes(0, 1000).count()), (2, 999));
        assert_eq!(reach.when(ClientId(0), 0, 5, |reach| reach.majority()), [(0, 1), (2, 3), (4, 5)]);
    }
}
