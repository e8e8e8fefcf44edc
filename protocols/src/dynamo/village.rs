//! For tests: several nodes with an obedient network between them, and the laws looking on.

use super::versions::Object;
use super::{Dynamo, DynamoConfig, DynamoLaws, Message, Record, Timer};
use crate::client::{Ask, Request};
use history::{Key, Seen, Siblings, SiblingsAsk, SiblingsOp};
use sim_core::desk::Desk;
use sim_core::laws::{Breach, Laws, Nodes};
use sim_core::protocol::{Boot, ClientId, Effect, Member, NodeId, Protocol, Slot, Why};
use sim_core::settings::{Flaw, Flaws, Settings};
use std::collections::VecDeque;

pub type Node = Dynamo<Siblings>;
pub type Letter = Message<SiblingsOp>;

pub const N1: NodeId = NodeId(0);
pub const N2: NodeId = NodeId(1);
pub const N3: NodeId = NodeId(2);

pub fn flawed(flaw: &'static Flaw) -> DynamoConfig {
    DynamoConfig { flaws: Flaws::new([flaw]), ..DynamoConfig::defaults() }
}

/// Every message waits until it is delivered; every record is on disk at once; no alarm goes off by itself.
pub struct Village {
    pub nodes: Vec<Option<Node>>,
    pub config: DynamoConfig,
    pub wire: VecDeque<(NodeId, NodeId, Letter)>,
    pub journals: Vec<Vec<Slot<Record>>>,
    pub breach: Option<Breach>,
    desks: Vec<Desk<Node>>,
    laws: DynamoLaws,
}

impl Village {
    pub fn new(count: u32, config: DynamoConfig) -> Self {
        let size = count as usize;
        let mut village = Village {
            nodes: vec![None; size],
            config,
            wire: VecDeque::new(),
            journals: vec![vec![]; size],
            breach: None,
            desks: (0..count).map(|id| Desk::new(NodeId(id), 1)).collect(),
            laws: <DynamoLaws as Laws<Node>>::new(size),
        };
        village.all().into_iter().for_each(|node| village.start(node, Why::First));
        village
    }

    pub fn all(&self) -> Vec<NodeId> {
        (0..self.nodes.len() as u32).map(NodeId).collect()
    }

    pub fn start(&mut self, node: NodeId, why: Why) {
        let i = node.0 as usize;
        let members: Vec<Member> = self.all().into_iter().map(|id| Member { id, role: "node" }).collect();
        let (journal, config) = (&self.journals[i], &self.config);
        let boot = Boot { me: node, role: "node", members: &members, config, why, journal, flushed: journal.len() };
        self.nodes[i] = Some(Dynamo::start(boot, &mut self.desks[i].ctx()));
        self.carry_out(node);
        let seen = self.laws.after_start(node, &Nodes::new(&self.nodes));
        self.breach = self.breach.take().or(seen.err());
    }

    pub fn crash(&mut self, node: NodeId) {
        self.nodes[node.0 as usize] = None;
    }

    pub fn node(&self, node: NodeId) -> &Node {
        self.nodes[node.0 as usize].as_ref().expect("it is up")
    }

    pub fn step(&mut self, node: NodeId, run: impl FnOnce(&mut Node, &mut Desk<Node>)) {
        let i = node.0 as usize;
        let Some(dynamo) = &mut self.nodes[i] else { return };
        run(dynamo, &mut self.desks[i]);
        self.carry_out(node);
        let seen = self.laws.after_step(node, &Nodes::new(&self.nodes));
        self.breach = self.breach.take().or(seen.err());
    }

    fn carry_out(&mut self, node: NodeId) {
        let journal = &mut self.journals[node.0 as usize];
        for effect in self.desks[node.0 as usize].take() {
            match effect {
                Effect::Send(to, message, _) => self.wire.push_back((node, to, message)),
                Effect::Persist(record) => journal.push(Slot::Ok(record)),
                Effect::Snapshot(records) => *journal = records.into_iter().map(Slot::Ok).collect(),
                Effect::Tell(..)
                | Effect::PersistLater(..)
                | Effect::Truncate(_)
                | Effect::Halt(_)
                | Effect::Arm(..)
                | Effect::Disarm(_)
                | Effect::Observe(_)
                | Effect::TookEffect(..) => {}
            }
        }
    }

    pub fn asks(&mut self, node: NodeId, key: Key, ask: SiblingsAsk) {
        let op = SiblingsOp { key, ask };
        let request = Request { serial: 1, attempt: 0, ask: Ask::Operation { session: None, op } };
        self.step(node, |dynamo, desk| dynamo.on_request(ClientId(0), request, &mut desk.ctx()));
    }

    /// A node puts something, and nobody else hears of it.
    pub fn puts_alone(&mut self, node: NodeId, key: Key, value: i64) {
        self.asks(node, key, SiblingsAsk::Blind { value: value.into() });
        self.wire.clear();
    }

    /// A node deletes what it has of a key.
    pub fn deletes(&mut self, node: NodeId, key: Key) {
        let object = self.object(node, key);
        self.asks(
            node,
            key,
            SiblingsAsk::Delete { seen: Seen { values: object.values(), context: object.seen.to_token() } },
        );
    }

    pub fn object(&self, node: NodeId, key: Key) -> Object {
        self.node(node).store.get(key).cloned().unwrap_or_default()
    }

    pub fn wakes(&mut self, node: NodeId, timer: Timer) {
        self.step(node, |dynamo, desk| dynamo.on_timer(timer, &mut desk.ctx()));
    }

    pub fn hears(&mut self, node: NodeId, from: NodeId, message: Letter) {
        self.step(node, |dynamo, desk| dynamo.on_message(from, message, &mut desk.ctx()));
    }

    /// Delivers what is under way, and what comes of it, unless it is lost. How many messages there were.
    pub fn settle_but(&mut self, mut is_lost: impl FnMut(&Letter) -> bool) -> usize {
        let mut count = 0;
        while let Some((from, to, message)) = self.wire.pop_front() {
            count += 1;
            if !is_lost(&message) {
                self.hears(to, from, message);
            }
        }
        count
    }

    pub fn settle(&mut self) -> usize {
        self.settle_but(|_| false)
    }

    pub fn lawful(&self) {
        assert_eq!(self.breach, None);
    }
}
