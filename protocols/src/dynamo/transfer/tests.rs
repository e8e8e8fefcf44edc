//! A little cluster whose ring changes while puts go on: messages in any order, some lost; nodes that crash anywhere.

use super::*;
use crate::client::{Answer, Ask, Request, Response};
use crate::dynamo::config::Coordinators;
use crate::dynamo::versions::{Actor, Conflicts, Context, Dot, Rules};
use crate::dynamo::{DynamoConfig, Order, flaws};
use history::{Siblings, SiblingsAsk, SiblingsOp, Value};
use sim_core::desk::Desk;
use sim_core::dice::{Dice, Ratio, StreamName, Streams};
use sim_core::protocol::{Boot, ClientId, Effect, Member, Protocol, Slot, Why};
use sim_core::settings::{Flaws, Settings};
use sim_core::time::{LocalTime, MILLISECOND};

type Node = Dynamo<Siblings>;
type Words = Message<SiblingsOp>;

struct Cluster {
    config: DynamoConfig,
    nodes: Vec<Option<Node>>,
    desks: Vec<Desk<Node>>,
    journals: Vec<Vec<Slot<Record>>>,
    is_lost: Vec<bool>,
    /// How far wall clocks are ahead.
    ahead: Vec<u64>,
    wire: Vec<(NodeId, NodeId, Words)>,
    alarms: Vec<(LocalTime, NodeId, Timer)>,
    dice: Dice,
    loss: u64,
    next: u64,
    acknowledged: BTreeSet<u64>,
}

const KEYS: u64 = 24;
const RULES: Rules = Rules::of(Conflicts::Siblings);
const DOT: Dot = Dot { actor: Actor { node: NodeId(4), life: 1 }, counter: 1 };

fn key_of(put: u64) -> Key {
    (put % KEYS) as Key
}

impl Cluster {
    fn new(size: u32, config: DynamoConfig, seed: u64) -> Self {
        let streams = Streams::new(seed);
        let mut cluster = Cluster {
            config,
            nodes: vec![None; size as usize],
            desks: (0..size).map(|id| Desk::new(NodeId(id), seed)).collect(),
            journals: vec![vec![]; size as usize],
            is_lost: vec![false; size as usize],
            ahead: vec![0; size as usize],
            wire: vec![],
            alarms: vec![],
            dice: streams.dice(StreamName::new(&["cluster"])),
            loss: 0,
            next: 0,
            acknowledged: BTreeSet::new(),
        };
        (0..size).for_each(|id| cluster.start(NodeId(id)));
        cluster
    }

    fn all(&self) -> Vec<NodeId> {
        (0..self.nodes.len() as u32).map(NodeId).collect()
    }

    fn up(&self) -> Vec<NodeId> {
        self.all().into_iter().filter(|node| self.nodes[node.0 as usize].is_some()).collect()
    }

    fn node(&self, node: NodeId) -> &Node {
        self.nodes[node.0 as usize].as_ref().expect("it is up")
    }

    fn start(&mut self, me: NodeId) {
        let i = me.0 as usize;
        let members: Vec<Member> = self.all().into_iter().map(|id| Member { id, role: "node" }).collect();
        let journal = self.journals[i].clone();
        let why = match (journal.is_empty(), self.is_lost[i]) {
            (true, true) => Why::Replacement,
            (true, false) => Why::First,
            (false, _) => Why::Restart,
        };
        let boot = Boot {
            me,
            role: "node",
            members: &members,
            config: &self.config,
            why,
            journal: &journal,
            flushed: journal.len(),
        };
        let node = Node::start(boot, &mut self.desks[i].ctx());
        self.nodes[i] = Some(node);
        self.carry_out(me);
    }

    fn crash(&mut self, node: NodeId) {
        self.nodes[node.0 as usize] = None;
        self.alarms.retain(|(_, of, _)| *of != node);
    }

    fn lose(&mut self, node: NodeId) {
        self.crash(node);
        self.journals[node.0 as usize].clear();
        self.is_lost[node.0 as usize] = true;
    }

    fn step<R>(&mut self, node: NodeId, run: impl FnOnce(&mut Node, &mut Desk<Node>) -> R) -> Option<R> {
        let i = node.0 as usize;
        let process = self.nodes[i].as_mut()?;
        let result = run(process, &mut self.desks[i]);
        self.carry_out(node);
        Some(result)
    }

    fn carry_out(&mut self, node: NodeId) {
        let i = node.0 as usize;
        for effect in self.desks[i].take() {
            match effect {
                Effect::Send(to, message, _) => {
                    if !self.dice.chance(Ratio { numerator: self.loss, denominator: 100 }) {
                        self.wire.push((node, to, message));
                    }
                }
                Effect::Tell(_, Answer { serial, response, .. }) => match response {
                    Response::Returned(_) => {
                        self.acknowledged.insert(serial);
                    }
                    Response::Redirect(_)
                    | Response::Refused
                    | Response::Unknown
                    | Response::Registered(_)
                    | Response::SessionClosed => {}
                },
                Effect::Persist(record) => self.journals[i].push(Slot::Ok(record)),
                Effect::Arm(timer, after) => {
                    self.alarms.retain(|(_, of, what)| (*of, *what) != (node, timer));
                    self.alarms.push((self.desks[i].now + after, node, timer));
                }
                Effect::Disarm(timer) => self.alarms.retain(|(_, of, what)| (*of, *what) != (node, timer)),
                Effect::Snapshot(records) => self.journals[i] = records.into_iter().map(Slot::Ok).collect(),
                Effect::PersistLater(..)
                | Effect::Truncate(_)
                | Effect::Observe(_)
                | Effect::TookEffect(..)
                | Effect::Halt(_) => {}
            }
        }
    }

    /// Delivers a message, any, or lets the next alarm go off.
    fn go(&mut self) {
        if !self.wire.is_empty() && self.dice.below(20) > 0 {
            let which = self.dice.below(self.wire.len() as u64) as usize;
            let (from, to, message) = self.wire.swap_remove(which);
            self.step(to, |node, desk| node.on_message(from, message, &mut desk.ctx()));
        } else if let Some(which) = (0..self.alarms.len()).min_by_key(|which| self.alarms[*which].0) {
            let (due, node, timer) = self.alarms.swap_remove(which);
            for (desk, ahead) in self.desks.iter_mut().zip(&self.ahead) {
                desk.now = desk.now.max(due);
                desk.wall = desk.now + *ahead;
            }
            self.step(node, |node, desk| node.on_timer(timer, &mut desk.ctx()));
        }
    }

    fn put(&mut self) {
        let up = self.up();
        let node = up[self.dice.below(up.len() as u64) as usize];
        let serial = self.next;
        self.next += 1;
        let ask = SiblingsAsk::Blind { value: Value::Int(serial as i64) };
        let op = SiblingsOp { key: key_of(serial), ask };
        let request = Request { serial, attempt: 0, ask: Ask::Operation { session: None, op } };
        self.step(node, |process, desk| process.on_request(ClientId(0), request, &mut desk.ctx()));
    }

    fn order(&mut self, to: NodeId, order: Order) -> bool {
        self.step(to, |node, desk| node.on_admin(order, &mut desk.ctx())).unwrap_or(false)
    }

    fn run(&mut self, steps: u32) {
        for _ in 0..steps {
            if self.dice.below(12) == 0 {
                self.put();
            }
            self.go();
        }
    }

    /// No more loss; everything under way arrives, until nothing more changes.
    fn settle(&mut self) {
        self.loss = 0;
        let until = self.desks[0].now + 60_000 * MILLISECOND;
        while self.desks[0].now < until {
            self.go();
        }
    }

    /// What a node keeps of a put.
    fn keeps(&self, node: NodeId, put: u64) -> bool {
        let value = Value::Int(put as i64);
        self.node(node).store.get(key_of(put)).is_some_and(|object| object.values().contains(&value))
    }

    /// Of these puts it has all that it keeps.
    fn assert_has_what_it_keeps(&self, node: NodeId, puts: &BTreeSet<u64>) {
        let ring = &self.node(node).ring;
        for put in puts.iter().filter(|put| ring.keeps(node, key_of(**put))) {
            assert!(self.keeps(node, *put), "{node} lacks put {put} of {}", key_of(*put));
        }
    }

    /// One view, nobody on the way, every key at home only and every acknowledged put on so many of its home nodes.
    fn assert_settled(&self, members: &[u32], copies: usize) {
        let members: Vec<NodeId> = members.iter().copied().map(NodeId).collect();
        let ring = &self.node(self.up()[0]).ring;
        for node in self.up() {
            assert_eq!(self.node(node).ring.digest(), ring.digest(), "{node} knows another ring");
            assert!(self.node(node).transfer.wanted.is_empty(), "{node} lacks something");
            for (key, _) in self.node(node).store.iter() {
                assert!(ring.keeps(node, key), "{node} keeps {key}, which is not its own");
            }
        }
        assert_eq!(ring.members(), members);
        assert!(!ring.is_changing());
        for put in &self.acknowledged {
            let homes = ring.now().homes_of(key_of(*put));
            let has =
                homes.iter().filter(|node| self.nodes[node.0 as usize].is_some() && self.keeps(**node, *put)).count();
            assert!(has >= copies, "put {put} of {} was acknowledged, and {has} of {homes:?} have it", key_of(*put));
        }
        assert!(self.acknowledged.len() > 20, "{} puts were acknowledged", self.acknowledged.len());
    }
}

fn config(strategy: u64) -> DynamoConfig {
    use crate::dynamo::config::Strategy;
    let strategy = [Strategy::Tokens, Strategy::TokensEqual, Strategy::Equal][strategy as usize % 3];
    DynamoConfig {
        strategy,
        quorum: Quorum::Strict,
        siblings_max: 0,
        tokens: 4,
        partitions: 16,
        initial_members: 4,
        coordinators: Coordinators::Home,
        anti_entropy: 0,
        ..DynamoConfig::defaults()
    }
}

/// Two join and one leaves, at once, and everybody crashes now and then.
#[test]
fn joins_and_leaves_at_once_lose_nothing() {
    for seed in 0..60 {
        let mut cluster = Cluster::new(6, config(seed), seed);
        cluster.run(300);
        cluster.loss = seed % 3 * 5;
        for (node, order) in
            [(4, Order::Join(vec![NodeId(4)])), (1, Order::Leave(vec![NodeId(1)])), (5, Order::Join(vec![NodeId(5)]))]
        {
            assert!(cluster.order(NodeId(node), order));
            let pause = cluster.dice.below(400) as u32;
            cluster.run(pause);
        }
        for _ in 0..10 {
            let up = cluster.up();
            let node = up[cluster.dice.below(up.len() as u64) as usize];
            cluster.crash(node);
            cluster.run(100);
            cluster.start(node);
            cluster.run(100);
        }
        cluster.settle();
        cluster.assert_settled(&[0, 2, 3, 4, 5], 1);
    }
}

/// Changes one after the other, in peace, leave every put on a quorum, without any repair.
#[test]
fn changes_one_after_the_other_keep_quorums() {
    for seed in 0..30 {
        let mut cluster = Cluster::new(6, config(seed), seed);
        let orders =
            [(4, Order::Join(vec![NodeId(4)])), (0, Order::Leave(vec![NodeId(0)])), (5, Order::Join(vec![NodeId(5)]))];
        for (node, order) in orders {
            cluster.run(300);
            assert!(cluster.order(NodeId(node), order));
            cluster.run(2000);
            cluster.settle();
        }
        cluster.assert_settled(&[1, 2, 3, 4, 5], 2);
    }
}

/// A node's machine is lost; it is removed, comes back empty, and joins again.
#[test]
fn a_dead_node_is_removed_and_replaced() {
    for seed in 0..60 {
        let mut cluster = Cluster::new(5, config(seed), seed);
        cluster.run(500);
        cluster.lose(NodeId(2));
        cluster.run(200);
        assert!(cluster.order(NodeId(0), Order::Remove(vec![NodeId(2)])));
        cluster.run(seed as u32 * 20);
        cluster.start(NodeId(2));
        if seed % 2 == 0 {
            cluster.crash(NodeId(3));
            cluster.run(100);
            cluster.start(NodeId(3));
        }
        let mut patience = 1000;
        while !cluster.order(NodeId(2), Order::Join(vec![NodeId(2)])) {
            patience -= 1;
            assert!(patience > 0, "it hears of somebody");
            cluster.run(20);
        }
        cluster.run(1000);
        cluster.settle();
        let is_back = cluster.node(NodeId(2)).ring.members().contains(&NodeId(2));
        cluster.assert_settled(if is_back { &[0, 1, 2, 3] } else { &[0, 1, 3] }, 1);
        assert!(is_back, "seed {seed}");
    }
}

/// An empty machine that takes a member's place fetches what the member had.
#[test]
fn a_replacement_of_a_member_fetches_what_it_lost() {
    for seed in 0..20 {
        let mut cluster = Cluster::new(4, config(seed), seed);
        cluster.run(500);
        cluster.settle();
        cluster.lose(NodeId(1));
        cluster.run(100);
        let before = cluster.acknowledged.clone();
        cluster.start(NodeId(1));
        cluster.settle();
        cluster.assert_settled(&[0, 1, 2, 3], 2);
        cluster.assert_has_what_it_keeps(NodeId(1), &before);
    }
}

/// Before others count on it, whoever joins has every put that was acknowledged before it was asked to.
#[test]
fn who_joins_has_what_it_keeps_when_it_is_a_member() {
    for seed in 0..30 {
        let mut cluster = Cluster::new(5, config(seed), seed);
        cluster.run(500);
        let before = cluster.acknowledged.clone();
        assert!(cluster.order(NodeId(4), Order::Join(vec![NodeId(4)])));
        let mut patience = 100_000;
        while !cluster.node(NodeId(4)).ring.members().contains(&NodeId(4)) {
            patience -= 1;
            assert!(patience > 0, "it is a member some time");
            cluster.run(1);
        }
        cluster.assert_has_what_it_keeps(NodeId(4), &before);
    }
}

/// Whether a dead node that was removed is on the ring in the end, with a clock that is ten seconds ahead.
fn comes_back(flaws: Flaws, seed: u64) -> bool {
    let mut cluster = Cluster::new(4, DynamoConfig { flaws, ..config(0) }, seed);
    cluster.run(300);
    cluster.ahead[1] = 10_000 * MILLISECOND;
    cluster.lose(NodeId(2));
    assert!(cluster.order(NodeId(0), Order::Remove(vec![NodeId(2)])));
    cluster.settle();
    cluster.node(NodeId(0)).ring.members().contains(&NodeId(2))
}

/// The mistake D12.
#[test]
fn who_believes_clocks_brings_back_a_node_that_was_removed() {
    let times = |flaws: &Flaws| (0..40).filter(|seed| comes_back(flaws.clone(), *seed)).count();
    assert_eq!(times(&Flaws::default()), 0);
    // If the fast clock is not the first that is asked, it has heard of the removal.
    assert!(times(&Flaws::new([&flaws::RING_BY_CLOCK])) > 0);
}

/// A stale coordinator's put reaches those who keep it, and does not stay where it is not at home.
#[test]
fn who_gets_what_is_not_its_own_hands_it_on() {
    let mut cluster = Cluster::new(5, config(2), 1);
    cluster.settle();
    let spare = NodeId(4);
    for key in 0..KEYS as Key {
        let mut object = Object::default();
        object.put(&Context::default(), DOT, 0, Value::Int(i64::from(key)), RULES);
        let message = Message::Put { request: None, key, object };
        cluster.step(spare, |node, desk| node.on_message(NodeId(0), message, &mut desk.ctx()));
    }
    cluster.settle();
    assert_eq!(cluster.node(spare).store.iter().count(), 0);
    for key in 0..KEYS {
        let homes = cluster.node(NodeId(0)).ring.now().homes_of(key as Key).to_vec();
        assert!(homes.iter().all(|home| cluster.keeps(*home, key)), "{key}");
    }
}

/// It may go when all who shall have it do, and not before.
#[test]
fn what_is_handed_over_is_dropped_when_all_home_nodes_have_it() {
    let mut cluster = Cluster::new(5, config(2), 1);
    let (spare, key) = (NodeId(4), 1);
    let mut object = Object::default();
    object.put(&Context::default(), DOT, 0, Value::Int(1), RULES);
    let message = Message::Put { request: None, key, object };
    cluster.step(spare, |node, desk| node.on_message(NodeId(0), message, &mut desk.ctx()));
    cluster.step(spare, |node, desk| node.on_timer(Timer::Transfer, &mut desk.ctx()));
    let page = cluster.node(spare).transfer.page;
    let homes = cluster.node(spare).ring.now().homes_of(key).to_vec();
    for home in homes {
        assert!(cluster.node(spare).store.get(key).is_some(), "{home} has not said that it has it");
        let taken = Message::Taken { page, keys: vec![key] };
        cluster.step(spare, |node, desk| node.on_message(home, taken, &mut desk.ctx()));
    }
    assert!(cluster.node(spare).store.get(key).is_none());
}

/// While n5 joins, a put needs two of the old home nodes and two of the new.
#[test]
fn a_put_needs_a_quorum_of_either_ring() {
    let mut cluster = Cluster::new(5, config(0), 1);
    cluster.wire.clear();
    let joining = NodeId(4);
    let mut view = cluster.node(NodeId(0)).membership.view().clone();
    view.raise(joining, Status::Joining, 0);
    let message = Message::View { view };
    cluster.step(NodeId(0), |node, desk| node.on_message(joining, message, &mut desk.ctx()));
    let ring = cluster.node(NodeId(0)).ring.clone();
    let displaced = |key: Key| {
        let (now, coming) = (ring.now().homes_of(key), ring.coming().homes_of(key));
        let is_mine = now.contains(&NodeId(0)) && coming.contains(&NodeId(0)) && coming.contains(&joining);
        now.iter().copied().find(|node| is_mine && !coming.contains(node))
    };
    let (put, displaced) =
        (0..KEYS).find_map(|put| displaced(key_of(put)).map(|node| (put, node))).expect("some key moves");
    cluster.wire.clear();
    let op = SiblingsOp { key: key_of(put), ask: SiblingsAsk::Blind { value: Value::Int(put as i64) } };
    let request = Request { serial: put, attempt: 0, ask: Ask::Operation { session: None, op } };
    cluster.step(NodeId(0), |node, desk| node.on_request(ClientId(0), request, &mut desk.ctx()));
    let id = cluster.wire.iter().find_map(|(_, to, message)| {
        let Message::Put { request, .. } = message else { return None };
        request.filter(|_| *to == joining)
    });
    let request = id.expect("who joins is asked to keep it");
    for (from, is_enough) in [(displaced, false), (joining, true)] {
        let stored = Message::Stored { request };
        cluster.step(NodeId(0), |node, desk| node.on_message(from, stored, &mut desk.ctx()));
        assert_eq!(cluster.acknowledged.contains(&put), is_enough, "{from} has it too");
    }
}
