//! Several nodes round a table, with an obedient network between them.

use super::*;
use crate::raft::RaftLaws;
use sim_core::laws::{Breach, Laws, Nodes};
use std::collections::{BTreeSet, VecDeque};

/// Several nodes round a table: every message in order, every record on disk at once, every law looked at after every
/// step.
pub struct Table {
    pub nodes: Vec<Option<Node>>,
    config: RaftConfig,
    desks: Vec<Desk<Node>>,
    journals: Vec<Journal>,
    wire: VecDeque<(NodeId, NodeId, Words)>,
    cut: BTreeSet<(NodeId, NodeId)>,
    laws: RaftLaws<Register>,
    pub told: Vec<Answer<RegisterRet>>,
    serial: u64,
}

impl Table {
    pub fn new(count: u32, config: RaftConfig) -> Self {
        let size = count as usize;
        let mut table = Table {
            nodes: vec![None; size],
            config,
            desks: (0..count).map(|id| Desk::new(NodeId(id), 1)).collect(),
            journals: vec![vec![]; size],
            wire: VecDeque::new(),
            cut: BTreeSet::new(),
            laws: RaftLaws::new(size),
            told: vec![],
            serial: 0,
        };
        for id in 0..count {
            table.restart(NodeId(id));
        }
        table
    }

    pub fn raft(&self, node: NodeId) -> &Node {
        self.nodes[node.0 as usize].as_ref().expect("up")
    }

    pub fn restart(&mut self, node: NodeId) {
        let i = node.0 as usize;
        let raft = boot(node, self.nodes.len() as u32, &self.config, &self.journals[i], &mut self.desks[i]);
        self.nodes[i] = Some(raft);
        self.carry_out(node);
        self.laws.after_start(node, &Nodes::new(&self.nodes)).expect("lawful");
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
        let Some(raft) = &mut self.nodes[i] else { return };
        run(raft, &mut self.desks[i]);
        self.carry_out(node);
        let lawful: Result<(), Breach> = self.laws.after_step(node, &Nodes::new(&self.nodes));
        lawful.expect("lawful");
    }

    fn carry_out(&mut self, node: NodeId) {
        let i = node.0 as usize;
        let mut landed = Vec::new();
        for effect in self.desks[i].take() {
            match effect {
                Effect::Send(to, message, _) => self.wire.push_back((node, to, message)),
                Effect::Tell(_, answer) => self.told.push(answer),
                Effect::Persist(record) => self.journals[i].push(Slot::Ok(record)),
                Effect::PersistLater(record, ticket) => {
                    self.journals[i].push(Slot::Ok(record));
                    landed.push(ticket);
                }
                Effect::Snapshot(records) => self.journals[i] = records.into_iter().map(Slot::Ok).collect(),
                Effect::Truncate(from) => self.journals[i].truncate(from),
                Effect::Arm(..) | Effect::Disarm(_) | Effect::Observe(_) | Effect::TookEffect(..) => {}
                Effect::Halt(why) => panic!("its disk holds what it wrote: {why}"),
            }
        }
        for ticket in landed {
            self.step(node, |raft, desk| raft.on_disk(ticket, &mut desk.ctx()));
        }
    }

    /// Delivers everything under way, and what comes of it.
    pub fn settle(&mut self) {
        while let Some((from, to, message)) = self.wire.pop_front() {
            if !self.cut.contains(&(from, to)) {
                self.step(to, |raft, desk| raft.on_message(from, message, &mut desk.ctx()));
            }
        }
    }

    /// Delivers the first message under way.
    pub fn settle_one(&mut self) {
        let (from, to, message) = self.wire.pop_front().expect("something is under way");
        if !self.cut.contains(&(from, to)) {
            self.step(to, |raft, desk| raft.on_message(from, message, &mut desk.ctx()));
        }
    }

    /// Everything under way to this node is lost.
    pub fn lose_to(&mut self, node: NodeId) {
        self.wire.retain(|&(_, to, _)| to != node);
    }

    /// Everything under way is lost.
    pub fn lose_all(&mut self) {
        self.wire.clear();
    }

    /// The node's election alarm goes off long after it heard anybody.
    pub fn times_out(&mut self, node: NodeId) {
        for desk in &mut self.desks {
            desk.now = desk.now + SECOND;
        }
        self.step(node, |raft, desk| raft.on_timer(Timer::Election, &mut desk.ctx()));
    }

    /// It stands, and everything is delivered.
    pub fn elect(&mut self, node: NodeId) {
        self.times_out(node);
        self.settle();
        assert!(self.raft(node).is_leader(), "{node} leads");
    }

    pub fn heartbeat(&mut self, node: NodeId) {
        for desk in &mut self.desks {
            desk.now = desk.now + 75 * MILLISECOND;
        }
        self.step(node, |raft, desk| raft.on_timer(Timer::Heartbeat, &mut desk.ctx()));
    }

    /// Its election alarm goes off and no time passes: it has not heard what the others have.
    pub fn stands_unasked(&mut self, node: NodeId) {
        self.step(node, |raft, desk| raft.on_timer(Timer::Election, &mut desk.ctx()));
        self.settle();
    }

    pub fn ask(&mut self, node: NodeId, op: RegisterOp) {
        self.serial += 1;
        let request = Request { serial: self.serial, attempt: 0, ask: Ask::Operation { session: None, op } };
        self.step(node, |raft, desk| raft.on_request(CLIENT, request, &mut desk.ctx()));
    }

    pub fn order(&mut self, node: NodeId, order: Order) {
        let mut taken = false;
        self.step(node, |raft, desk| taken = raft.on_admin(order, &mut desk.ctx()));
        assert!(taken, "{node} takes the order up");
    }

    /// A request in full.
    pub fn gets(&mut self, node: NodeId, serial: u64, attempt: u32, ask: Ask<RegisterOp>) {
        let request = Request { serial, attempt, ask };
        self.step(node, |raft, desk| raft.on_request(CLIENT, request, &mut desk.ctx()));
    }

    /// All clocks go on.
    pub fn wait(&mut self, time: Nanos) {
        for desk in &mut self.desks {
            desk.now = desk.now + time;
        }
    }

    /// The terms of a node's log.
    pub fn terms(&self, node: NodeId) -> Vec<Term> {
        self.raft(node).log.after(0).iter().map(|entry| entry.term).collect()
    }
}

impl Table {
    /// Delivers until the node leads; what it then sent stays under way.
    pub fn settle_until_led_by(&mut self, node: NodeId) {
        while !self.raft(node).is_leader() {
            let (from, to, message) = self.wire.pop_front().expect("it wins before all is delivered");
            if !self.cut.contains(&(from, to)) {
                self.step(to, |raft, desk| raft.on_message(from, message, &mut desk.ctx()));
            }
        }
    }

    /// Delivers one message, and the replies to it.
    pub fn deliver(&mut self, from: NodeId, to: NodeId, message: Words) {
        let under_way = std::mem::take(&mut self.wire);
        self.step(to, |raft, desk| raft.on_message(from, message, &mut desk.ctx()));
        let replies: Vec<_> = self.wire.drain(..).collect();
        for (from, to, reply) in replies {
            self.step(to, |raft, desk| raft.on_message(from, reply, &mut desk.ctx()));
        }
        self.wire = under_way;
    }
}
