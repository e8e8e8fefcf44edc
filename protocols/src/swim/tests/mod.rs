//! Several members round a table, with a network between them that does as it is told and a clock that only moves when it is
//! told to.

mod churn;
mod lifeguard;
mod probing;

use super::config::SwimConfig;
use super::invariants::SwimLaws;
use super::{Message, News, Order, Record, Standing, Status, Swim, Timer};
use sim_core::desk::Desk;
use sim_core::laws::{Laws, Nodes};
use sim_core::protocol::{Boot, Effect, Member, NodeId, Observation, Protocol, Slot, Why};
use sim_core::settings::Settings;
use sim_core::time::{LocalTime, MILLISECOND, Nanos, SECOND};
use std::collections::VecDeque;

const ANN: NodeId = NodeId(0);
const BEN: NodeId = NodeId(1);
const CAT: NodeId = NodeId(2);
const DAN: NodeId = NodeId(3);
const EVE: NodeId = NodeId(4);

fn lifeguard() -> SwimConfig {
    SwimConfig { sync: 5 * SECOND, ..SwimConfig::defaults() }
}

fn swim() -> SwimConfig {
    SwimConfig { lha_probe: false, lha_suspicion: false, buddy: false, ..lifeguard() }
}

fn says(of: NodeId, status: Status, incarnation: u64, by: NodeId) -> News {
    News { of, standing: Standing { incarnation, status }, by }
}

/// Every message takes no time, but for those that are lost; every record is on disk at once.
struct Table {
    config: SwimConfig,
    nodes: Vec<Option<Swim>>,
    desks: Vec<Desk<Swim>>,
    journals: Vec<Vec<Slot<Record>>>,
    alarms: Vec<Vec<(Timer, LocalTime)>>,
    laws: SwimLaws,
    wire: VecDeque<(NodeId, NodeId, Message)>,
    /// All that was ever sent.
    sent: Vec<(NodeId, NodeId, Message)>,
    /// Who says of whom whether it is down.
    deems: Vec<(NodeId, NodeId, bool)>,
    /// Who cleared itself of a suspicion, each time.
    refuted: Vec<NodeId>,
    is_lost: fn(NodeId, NodeId, &Message) -> bool,
    now: Nanos,
}

impl Table {
    fn new(config: SwimConfig, count: usize) -> Self {
        let mut table = Table {
            config,
            nodes: vec![None; count],
            desks: (0..count).map(|node| Desk::new(NodeId(node as u32), 7)).collect(),
            journals: vec![Vec::new(); count],
            alarms: vec![Vec::new(); count],
            laws: SwimLaws::new(count),
            wire: VecDeque::new(),
            sent: Vec::new(),
            deems: Vec::new(),
            refuted: Vec::new(),
            is_lost: |_, _, _| false,
            now: 0,
        };
        (0..count as u32).for_each(|node| table.starts(NodeId(node), Why::First));
        table
    }

    fn starts(&mut self, node: NodeId, why: Why) {
        let members: Vec<Member> =
            (0..self.nodes.len() as u32).map(|id| Member { id: NodeId(id), role: "node" }).collect();
        let i = node.0 as usize;
        let journal = self.journals[i].clone();
        let boot = Boot {
            me: node,
            role: "node",
            members: &members,
            config: &self.config,
            why,
            journal: &journal,
            flushed: journal.len(),
        };
        self.desks[i].now = LocalTime(self.now);
        let process = Swim::start(boot, &mut self.desks[i].ctx());
        self.nodes[i] = Some(process);
        self.laws.after_start(node, &Nodes::new(&self.nodes)).expect("the laws hold");
        self.carry_out(node);
    }

    fn dies(&mut self, node: NodeId) {
        self.nodes[node.0 as usize] = None;
        self.alarms[node.0 as usize].clear();
    }

    fn step(&mut self, node: NodeId, does: impl FnOnce(&mut Swim, &mut Desk<Swim>)) {
        let i = node.0 as usize;
        let Some(process) = &mut self.nodes[i] else { return };
        self.desks[i].now = LocalTime(self.now);
        does(process, &mut self.desks[i]);
        self.laws.after_step(node, &Nodes::new(&self.nodes)).expect("the laws hold");
        self.carry_out(node);
    }

    fn carry_out(&mut self, node: NodeId) {
        let i = node.0 as usize;
        for effect in self.desks[i].take() {
            match effect {
                Effect::Send(to, message, _) => {
                    self.sent.push((node, to, message.clone()));
                    self.wire.push_back((node, to, message));
                }
                Effect::Persist(record) => self.journals[i].push(Slot::Ok(record)),
                Effect::Arm(timer, after) => {
                    self.alarms[i].retain(|(armed, _)| *armed != timer);
                    self.alarms[i].push((timer, LocalTime(self.now + after)));
                }
                Effect::Disarm(timer) => self.alarms[i].retain(|(armed, _)| *armed != timer),
                Effect::Observe(Observation::Deems { peer, is_down }) => self.deems.push((node, peer, is_down)),
                Effect::Observe(Observation::Recovered(_)) => self.refuted.push(node),
                other @ (Effect::Tell(..)
                | Effect::PersistLater(..)
                | Effect::Snapshot(_)
                | Effect::Truncate(_)
                | Effect::TookEffect(..)
                | Effect::Observe(_)
                | Effect::Halt(_)) => panic!("SWIM does not ask for {other:?}"),
            }
        }
    }

    /// Delivers all that is under way, and what comes of it.
    fn settle(&mut self) {
        while let Some((from, to, message)) = self.wire.pop_front() {
            if !(self.is_lost)(from, to, &message) {
                self.hears(to, from, message);
            }
        }
    }

    fn hears(&mut self, node: NodeId, from: NodeId, message: Message) {
        self.step(node, |swim, desk| swim.on_message(from, message, &mut desk.ctx()));
    }

    fn wakes(&mut self, node: NodeId, timer: Timer) {
        self.alarms[node.0 as usize].retain(|(armed, _)| *armed != timer);
        self.step(node, |swim, desk| swim.on_timer(timer, &mut desk.ctx()));
    }

    fn ordered(&mut self, node: NodeId, order: Order) {
        self.step(node, |swim, desk| assert!(swim.on_admin(order, &mut desk.ctx())));
        self.settle();
    }

    /// Time passes, with all that it brings.
    fn pass(&mut self, time: Nanos) {
        let end = self.now + time;
        self.settle();
        loop {
            let alarms = self.alarms.iter().enumerate();
            let all = alarms.flat_map(|(i, alarms)| alarms.iter().map(move |(timer, at)| (at.0, i, *timer)));
            let Some((at, i, timer)) = all.filter(|(at, ..)| *at <= end).min_by_key(|(at, i, _)| (*at, *i)) else {
                break;
            };
            self.now = at.max(self.now);
            self.wakes(NodeId(i as u32), timer);
            self.settle();
        }
        self.now = end;
    }

    fn node(&self, node: NodeId) -> &Swim {
        self.nodes[node.0 as usize].as_ref().expect("it is up")
    }

    fn knows(&self, node: NodeId, of: NodeId) -> Option<(Status, u64)> {
        self.node(node).members.get(of).map(|known| (known.status, known.incarnation))
    }

    /// What everybody who is up, and a member, knows of somebody, if it is the same.
    fn all_know(&self, of: NodeId) -> Option<(Status, u64)> {
        let members: Vec<NodeId> = (0..self.nodes.len() as u32)
            .map(NodeId)
            .filter(|node| self.nodes[node.0 as usize].as_ref().is_some_and(|swim| swim.members.is_living(*node)))
            .collect();
        let first = self.knows(*members.first()?, of);
        members.iter().all(|node| self.knows(*node, of) == first).then_some(first)?
    }

    /// How many deem somebody down now.
    fn deeming_down(&self, of: NodeId) -> usize {
        let last = |by: u32| self.deems.iter().rev().find(|(who, whom, _)| *who == NodeId(by) && *whom == of);
        (0..self.nodes.len() as u32).filter(|by| last(*by).is_some_and(|(.., is_down)| *is_down)).count()
    }

    fn sent_by(&self, node: NodeId, is_such: impl Fn(&Message) -> bool) -> usize {
        self.sent.iter().filter(|(from, _, message)| *from == node && is_such(message)).count()
    }
}

/// A member whose next steps are told to it, with nobody listening.
fn alone(config: SwimConfig, count: usize) -> Table {
    let mut table = Table::new(config, count);
    table.is_lost = |_, _, _| true;
    table.alarms.iter_mut().for_each(Vec::clear);
    table
}

/// How long a millisecond more is.
const MOMENT: Nanos = MILLISECOND;
