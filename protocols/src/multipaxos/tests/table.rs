//! Several nodes round a table, with an obedient network between them.

use super::*;
use crate::multipaxos::MultiPaxosLaws;
use sim_core::dice::{Dice, StreamName, Streams};
use sim_core::laws::{Laws, Nodes};
use sim_core::protocol::Ticket;
use sim_core::time::MILLISECOND;
use std::collections::{BTreeSet, VecDeque};

/// Nodes that are left alone for so many messages fall silent.
const SETTLES_WITHIN: u32 = 100_000;

/// Every message in order, every record on disk at once, every law looked at after every step.
pub struct Table {
    nodes: Vec<Option<Node>>,
    config: MultiPaxosConfig,
    desks: Vec<Desk<Node>>,
    journals: Vec<Journal>,
    wire: VecDeque<(NodeId, NodeId, Words)>,
    cut: BTreeSet<(NodeId, NodeId)>,
    laws: MultiPaxosLaws<Register>,
    serial: u64,
}

impl Table {
    pub fn new(count: u32, config: MultiPaxosConfig) -> Self {
        let size = count as usize;
        let mut table = Table {
            nodes: vec![None; size],
            config,
            desks: (0..count).map(|id| Desk::new(NodeId(id), 1)).collect(),
            journals: vec![vec![]; size],
            wire: VecDeque::new(),
            cut: BTreeSet::new(),
            laws: MultiPaxosLaws::new(size),
            serial: 0,
        };
        for id in 0..count {
            table.desks[id as usize].now = table.desks[id as usize].now + SECOND;
            table.restart(NodeId(id));
        }
        table
    }

    pub fn paxos(&self, node: NodeId) -> &Node {
        self.nodes[node.0 as usize].as_ref().expect("up")
    }

    pub fn restart(&mut self, node: NodeId) {
        let i = node.0 as usize;
        let members: Vec<Member> =
            (0..self.nodes.len() as u32).map(|id| Member { id: NodeId(id), role: "node" }).collect();
        let (journal, flushed) = (&self.journals[i], self.journals[i].len());
        let why = if flushed == 0 { Why::First } else { Why::Restart };
        let boot = Boot { me: node, role: "node", members: &members, config: &self.config, why, journal, flushed };
        self.nodes[i] = Some(Node::start(boot, &mut self.desks[i].ctx()));
        let landed = self.carry_out(node);
        self.laws.after_start(node, &Nodes::new(&self.nodes)).expect("lawful");
        self.land(node, landed);
    }

    fn revive(&mut self, node: NodeId) {
        if self.nodes[node.0 as usize].is_none() {
            self.restart(node);
        }
    }

    pub fn crash(&mut self, node: NodeId) {
        self.nodes[node.0 as usize] = None;
        self.wire.retain(|&(_, to, _)| to != node);
    }

    /// Nothing gets from any of `these` to any other node, or back.
    pub fn isolate(&mut self, these: &[NodeId]) {
        for a in (0..self.nodes.len() as u32).map(NodeId) {
            for b in (0..self.nodes.len() as u32).map(NodeId) {
                if these.contains(&a) != these.contains(&b) {
                    self.cut.insert((a, b));
                }
            }
        }
    }

    pub fn heal(&mut self) {
        self.cut.clear();
    }

    fn step(&mut self, node: NodeId, run: impl FnOnce(&mut Node, &mut Desk<Node>)) {
        let i = node.0 as usize;
        let Some(paxos) = &mut self.nodes[i] else { return };
        run(paxos, &mut self.desks[i]);
        let landed = self.carry_out(node);
        self.laws.after_step(node, &Nodes::new(&self.nodes)).expect("lawful");
        self.land(node, landed);
    }

    /// Tells the node what is on disk.
    fn land(&mut self, node: NodeId, landed: Vec<Ticket>) {
        for ticket in landed {
            self.step(node, |paxos, desk| paxos.on_disk(ticket, &mut desk.ctx()));
        }
    }

    fn carry_out(&mut self, node: NodeId) -> Vec<Ticket> {
        let i = node.0 as usize;
        let mut landed = Vec::new();
        for effect in self.desks[i].take() {
            match effect {
                Effect::Send(to, message, _) => self.wire.push_back((node, to, message)),
                Effect::Persist(record) => self.journals[i].push(Read::Ok(record)),
                Effect::PersistLater(record, ticket) => {
                    self.journals[i].push(Read::Ok(record));
                    landed.push(ticket);
                }
                Effect::Snapshot(records) => self.journals[i] = records.into_iter().map(Read::Ok).collect(),
                Effect::Truncate(from) => self.journals[i].truncate(from),
                Effect::Tell(..)
                | Effect::Arm(..)
                | Effect::Disarm(_)
                | Effect::Observe(_)
                | Effect::TookEffect(..) => {}
                Effect::Halt(why) => panic!("its disk holds what it wrote: {why}"),
            }
        }
        landed
    }

    fn deliver(&mut self, (from, to, message): (NodeId, NodeId, Words)) {
        if !self.cut.contains(&(from, to)) {
            self.step(to, |paxos, desk| paxos.on_message(from, message, &mut desk.ctx()));
        }
    }

    /// Delivers everything under way, and what comes of it.
    pub fn settle(&mut self) {
        let mut delivered = 0;
        while let Some(letter) = self.wire.pop_front() {
            delivered += 1;
            assert!(delivered < SETTLES_WITHIN, "they go on for ever: {letter:?} and {:?}", self.wire);
            self.deliver(letter);
        }
    }

    fn pass(&mut self, time: u64) {
        for desk in &mut self.desks {
            desk.now = desk.now + time;
        }
    }

    /// The node's patience ends long after it heard anybody.
    pub fn times_out(&mut self, node: NodeId) {
        self.pass(SECOND);
        self.step(node, |paxos, desk| paxos.on_timer(Timer::Patience, &mut desk.ctx()));
    }

    /// It tries to lead, and everything is delivered.
    pub fn elect(&mut self, node: NodeId) {
        self.times_out(node);
        self.settle();
        assert!(self.paxos(node).is_leader(), "{node} leads");
    }

    /// So many heartbeats, and everything is delivered.
    pub fn beat(&mut self, node: NodeId, count: u32) {
        for _ in 0..count {
            self.pass(75 * MILLISECOND);
            self.step(node, |paxos, desk| paxos.on_timer(Timer::Heartbeat, &mut desk.ctx()));
            self.settle();
        }
    }

    pub fn ask(&mut self, node: NodeId, op: RegisterOp) {
        self.serial += 1;
        let request = Request { serial: self.serial, attempt: 0, ask: Ask::Operation { session: None, op } };
        self.step(node, |paxos, desk| paxos.on_request(CLIENT, request, &mut desk.ctx()));
    }

    fn tell(&mut self, node: NodeId, order: Order) {
        self.step(node, |paxos, desk| {
            paxos.on_admin(order, &mut desk.ctx());
        });
    }

    pub fn order(&mut self, node: NodeId, order: Order) {
        self.tell(node, order);
        self.settle();
    }

    /// The leader has its order's command chosen, and nobody hears what it says then.
    pub fn order_and_lose_answers(&mut self, node: NodeId, order: Order) {
        self.tell(node, order);
        let before = self.paxos(node).executed();
        while self.paxos(node).executed() == before {
            let letter = self.wire.pop_front().expect("something is under way");
            self.deliver(letter);
        }
        self.wire.clear();
    }
}

/// A table at which everything goes wrong that may.
pub struct Storm {
    table: Table,
    dice: Dice,
}

impl Storm {
    pub fn new(seed: u64) -> Self {
        let mut dice = Streams::new(seed).dice(StreamName::new(&["storm"]));
        let mut pick = |choices: &[u64]| choices[dice.below(choices.len() as u64) as usize];
        let nodes = pick(&[3, 4, 5]) as u32;
        let config = config(|c| {
            c.initial_members = pick(&[0, 1, 2, 3]);
            c.window = pick(&[1, 2, 3, 8]);
            c.batch = pick(&[1, 2, 64]);
            c.snapshot_every = pick(&[0, 1, 3, 10]);
            c.snapshot_trailing = pick(&[0, 5]);
            c.snapshot_piece = pick(&[40, 10_000]);
        });
        Storm { table: Table::new(nodes, config), dice }
    }

    fn anybody(&mut self) -> NodeId {
        NodeId(self.dice.below(self.table.nodes.len() as u64) as u32)
    }

    fn some(&mut self) -> Vec<NodeId> {
        let bits = self.dice.bits();
        (0..self.table.nodes.len() as u32).filter(|id| bits >> id & 1 == 1).map(NodeId).collect()
    }

    pub fn rage(&mut self) {
        for _ in 0..2_000 {
            self.misfortune();
        }
        self.calm();
    }

    fn misfortune(&mut self) {
        let node = self.anybody();
        match self.dice.below(100) {
            0 => self.table.crash(node),
            1 | 2 => self.table.revive(node),
            3 => {
                let some = self.some();
                self.table.isolate(&some);
            }
            4 => self.table.heal(),
            5 | 6 => self.table.times_out(node),
            7..12 => {
                self.table.pass(75 * MILLISECOND);
                self.table.step(node, |paxos, desk| paxos.on_timer(Timer::Heartbeat, &mut desk.ctx()));
            }
            12..17 => {
                let value = self.dice.below(1000) as i64;
                self.table.ask(node, write(value));
            }
            17 | 18 => {
                let some = self.some();
                let order = match self.dice.below(5) {
                    0 => Order::Add(some),
                    1 => Order::Remove(some),
                    2 => Order::Transfer(self.anybody()),
                    3 => Order::Snapshot,
                    4.. => Order::Members(some),
                };
                self.table.tell(node, order);
            }
            19.. => self.letter(),
        }
    }

    /// Some message under way arrives, perhaps the oldest, perhaps to arrive again; or is lost.
    fn letter(&mut self) {
        let wire = &mut self.table.wire;
        if wire.is_empty() {
            return;
        }
        let at = if self.dice.below(3) == 0 { self.dice.below(wire.len() as u64) as usize } else { 0 };
        let Some(letter) = wire.remove(at) else { return };
        match self.dice.below(20) {
            0 => {}
            1 => {
                self.table.wire.push_back(letter.clone());
                self.table.deliver(letter);
            }
            2.. => self.table.deliver(letter),
        }
    }

    /// Everybody is up and hears everybody: soon somebody leads, and serves.
    fn calm(&mut self) {
        self.table.heal();
        for id in (0..self.table.nodes.len() as u32).map(NodeId) {
            self.table.revive(id);
        }
        let mut served = 0;
        for _ in 0..200 {
            let leader = (0..self.table.nodes.len() as u32).map(NodeId).filter(|id| self.table.paxos(*id).is_leader());
            let Some(leader) = leader.max_by_key(|id| self.table.paxos(*id).promised()) else {
                let node = self.anybody();
                self.table.times_out(node);
                self.table.settle();
                continue;
            };
            let before = self.table.paxos(leader).executed();
            self.table.ask(leader, write(1));
            self.table.settle();
            self.table.beat(leader, 1);
            served += u32::from(self.table.paxos(leader).executed() > before);
            if served > 3 {
                return;
            }
        }
        panic!("nobody serves");
    }
}
