//! Several nodes round a table, with an obedient network between them and a clock that only moves when it is told to, and what
//! DeCandia et al. say of them.

use super::config::{Coordinators, DynamoConfig, FanOut, Quorum, ReadRepair};
use super::flaws::{HINTS_IN_MEMORY, HINTS_OVERWRITE, REPAIR_NOT_AWAITED, REPAIR_STAMPS_NOW, UNBOUNDED_SIBLINGS};
use super::ring::Ring;
use super::versions::Conflicts;
use super::{Dynamo, Message, Record, Timer};
use crate::client::{Answer, Ask, Request, Response};
use history::{Seen, Siblings, SiblingsAsk, SiblingsOp, Value};
use sim_core::desk::Desk;
use sim_core::dice::{StreamName, Streams};
use sim_core::protocol::{Boot, ClientId, Effect, Member, NodeId, Protocol, Slot, Transport, Why};
use sim_core::settings::{Flaw, Flaws, Settings};
use sim_core::time::{HOUR, LocalTime, MILLISECOND, Nanos, SECOND};
use std::collections::{BTreeSet, VecDeque};

type Node = Dynamo<Siblings>;
type Word = Message<SiblingsOp>;

const KEY: u32 = 10;

fn config(change: impl FnOnce(&mut DynamoConfig)) -> DynamoConfig {
    let mut config = DynamoConfig { read_repair: ReadRepair::Off, anti_entropy: 0, ..DynamoConfig::defaults() };
    change(&mut config);
    config
}

fn strict() -> DynamoConfig {
    config(|config| config.quorum = Quorum::Strict)
}

fn with_flaw(config: DynamoConfig, flaw: &'static Flaw) -> DynamoConfig {
    DynamoConfig { flaws: Flaws::new([flaw]), ..config }
}

/// Every message waits until it is delivered, every alarm until the clock is moved; every record is on disk at once. Who is
/// `away` is cut off, and runs on.
struct Table {
    nodes: Vec<Node>,
    config: DynamoConfig,
    desks: Vec<Desk<Node>>,
    journals: Vec<Vec<Slot<Record>>>,
    alarms: Vec<Vec<(Timer, LocalTime)>>,
    wire: VecDeque<(NodeId, NodeId, Word)>,
    away: Vec<NodeId>,
    told: Vec<(u64, Response<Seen>)>,
    serial: u64,
}

impl Table {
    /// Whether nobody waits for anything, but for what is done at regular times.
    fn is_idle(&self) -> bool {
        self.alarms.iter().flatten().all(|(timer, _)| matches!(timer, Timer::Tombstones | Timer::Gossip))
    }

    /// Five nodes.
    fn new(config: DynamoConfig) -> Self {
        let mut table = Table {
            nodes: vec![],
            config,
            desks: (0..5).map(|id| Desk::new(NodeId(id), 1)).collect(),
            journals: vec![vec![]; 5],
            alarms: vec![vec![]; 5],
            wire: VecDeque::new(),
            away: vec![],
            told: vec![],
            serial: 0,
        };
        for id in 0..5 {
            let node = table.started(NodeId(id), Why::First);
            table.nodes.push(node);
            table.carry_out(NodeId(id));
        }
        table
    }

    /// The nodes in the order in which they are asked for the key.
    fn walk(&self) -> Vec<NodeId> {
        self.nodes[0].ring.preference(KEY).collect()
    }

    fn started(&mut self, node: NodeId, why: Why) -> Node {
        let i = node.0 as usize;
        let members: Vec<Member> = (0..5).map(|id| Member { id: NodeId(id), role: "node" }).collect();
        let (journal, config) = (&self.journals[i], &self.config);
        let boot = Boot { me: node, role: "node", members: &members, config, why, journal, flushed: journal.len() };
        Node::start(boot, &mut self.desks[i].ctx())
    }

    fn restarts(&mut self, node: NodeId) {
        let i = node.0 as usize;
        self.alarms[i].clear();
        self.nodes[i] = self.started(node, Why::Restart);
        self.carry_out(node);
    }

    fn step(&mut self, node: NodeId, run: impl FnOnce(&mut Node, &mut Desk<Node>)) {
        let i = node.0 as usize;
        run(&mut self.nodes[i], &mut self.desks[i]);
        self.carry_out(node);
    }

    fn carry_out(&mut self, node: NodeId) {
        let i = node.0 as usize;
        let now = self.desks[i].now;
        for effect in self.desks[i].take() {
            match effect {
                Effect::Send(to, message, _) => self.wire.push_back((node, to, message)),
                Effect::Tell(_, Answer { serial, response, .. }) => self.told.push((serial, response)),
                Effect::Persist(record) => self.journals[i].push(Slot::Ok(record)),
                Effect::Snapshot(records) => self.journals[i] = records.into_iter().map(Slot::Ok).collect(),
                Effect::Truncate(from) => self.journals[i].truncate(from),
                Effect::Arm(timer, after) => {
                    self.alarms[i].retain(|(armed, _)| *armed != timer);
                    self.alarms[i].push((timer, now + after));
                }
                Effect::Disarm(timer) => self.alarms[i].retain(|(armed, _)| *armed != timer),
                Effect::PersistLater(..) | Effect::Halt(_) | Effect::Observe(_) | Effect::TookEffect(..) => {}
            }
        }
    }

    /// A client of this node asks; the number by which it will be told.
    fn asks(&mut self, node: NodeId, ask: SiblingsAsk) -> u64 {
        self.serial += 1;
        let op = SiblingsOp { key: KEY, ask };
        let request = Request { serial: self.serial, attempt: 0, ask: Ask::Operation { session: None, op } };
        self.step(node, |dynamo, desk| dynamo.on_request(ClientId(0), request, &mut desk.ctx()));
        self.serial
    }

    fn writes(&mut self, node: NodeId, value: i64) -> u64 {
        self.asks(node, SiblingsAsk::Blind { value: value.into() })
    }

    fn reads(&mut self, node: NodeId) -> u64 {
        self.asks(node, SiblingsAsk::Read)
    }

    /// Delivers what is under way, and what comes of it; what goes to or comes from those who are away is lost.
    fn settle(&mut self) {
        while let Some((from, to, message)) = self.wire.pop_front() {
            if !self.away.contains(&from) && !self.away.contains(&to) {
                self.step(to, |dynamo, desk| dynamo.on_message(from, message, &mut desk.ctx()));
            }
        }
    }

    /// Delivers only messages of these kinds, and what comes of them; the others wait.
    fn settle_only(&mut self, is_one: impl Fn(&Word) -> bool) {
        while let Some(at) = self.wire.iter().position(|(_, _, message)| is_one(message)) {
            let (from, to, message) = self.wire.remove(at).expect("it was just found");
            self.step(to, |dynamo, desk| dynamo.on_message(from, message, &mut desk.ctx()));
        }
    }

    /// Time passes, alarm by alarm; messages take none.
    fn passes(&mut self, length: Nanos) {
        self.settle();
        let end = self.desks[0].now + length;
        loop {
            let due = |i: usize| self.alarms[i].iter().map(move |(timer, at)| (*at, i, *timer));
            let next = (0..5).flat_map(due).min_by_key(|(at, i, _)| (*at, *i));
            let Some((at, i, timer)) = next.filter(|(at, _, _)| *at <= end) else { break };
            self.desks.iter_mut().for_each(|desk| desk.now = desk.now.max(at));
            self.alarms[i].retain(|(armed, _)| *armed != timer);
            self.step(NodeId(i as u32), |dynamo, desk| dynamo.on_timer(timer, &mut desk.ctx()));
            self.settle();
        }
        self.desks.iter_mut().for_each(|desk| desk.now = end);
    }

    fn told(&self, serial: u64) -> Option<&Response<Seen>> {
        self.told.iter().find(|(told, _)| *told == serial).map(|(_, response)| response)
    }

    fn values(&self, serial: u64) -> Option<Vec<Value>> {
        let told = self.told(serial)?;
        let Response::Returned(seen) = told else { panic!("it is {told:?}") };
        Some(seen.values.clone())
    }

    /// What a node keeps of the key as a home node.
    fn kept(&self, node: NodeId) -> Vec<Value> {
        self.nodes[node.0 as usize].store.get(KEY).map(|object| object.values()).unwrap_or_default()
    }

    fn hints(&self) -> u64 {
        self.nodes.iter().map(Node::hints_kept).sum()
    }
}

fn ints(values: &[i64]) -> Vec<Value> {
    values.iter().map(|value| Value::from(*value)).collect()
}

#[test]
fn a_write_is_on_all_home_nodes_and_everybody_reads_it() {
    for quorum in [Quorum::Strict, Quorum::Sloppy] {
        let mut table = Table::new(config(|config| config.quorum = quorum));
        let walk = table.walk();
        let written = table.writes(walk[0], 7);
        table.settle();
        assert_eq!(table.values(written), Some(ints(&[7])));
        assert!(walk[..3].iter().all(|node| table.kept(*node) == ints(&[7])));
        assert!(walk[3..].iter().all(|node| table.kept(*node).is_empty()));
        for node in walk {
            let read = table.reads(node);
            table.settle();
            assert_eq!(table.values(read), Some(ints(&[7])), "asked at {node}");
        }
        assert!(table.is_idle(), "an idle cluster sets no alarms");
    }
}

#[test]
fn a_client_is_told_when_w_nodes_have_its_write_and_not_before() {
    let mut table = Table::new(config(|config| config.w = 3));
    let walk = table.walk();
    table.away = vec![walk[2]];
    let written = table.writes(walk[0], 7);
    table.settle();
    assert_eq!(table.told(written), None);
    table.passes(200 * MILLISECOND);
    assert!(table.told(written).is_some(), "another has stood in");
}

/// 4.6: "all read and write operations are performed on the first N healthy nodes from the preference list".
#[test]
fn who_stands_in_keeps_a_hint_and_hands_it_over() {
    let mut table = Table::new(config(|config| config.w = 3));
    let walk = table.walk();
    table.away = vec![walk[1]];
    let first = table.writes(walk[0], 7);
    table.passes(150 * MILLISECOND);
    assert_eq!(table.values(first), Some(ints(&[7])), "the fourth has it for the second");
    let second = table.writes(walk[2], 8);
    table.passes(150 * MILLISECOND);
    assert_eq!(table.values(second), Some(ints(&[7, 8])));
    assert_eq!((table.hints(), table.nodes[walk[3].0 as usize].hints_kept()), (1, 1), "both in one hint");
    assert!(table.kept(walk[3]).is_empty(), "beside its store, not in it");

    table.away.clear();
    table.passes(5 * SECOND);
    assert_eq!((table.hints(), table.kept(walk[1])), (0, ints(&[7, 8])));
    assert_eq!(table.nodes[walk[3].0 as usize].hints_made(), 1);
    assert!(table.is_idle(), "nobody is down, nothing is kept for anybody");
}

#[test]
fn a_hint_outlives_its_keeper_unless_it_was_only_in_memory() {
    for (config, kept) in [(config(|_| ()), 1), (with_flaw(config(|_| ()), &HINTS_IN_MEMORY), 0)] {
        let mut table = Table::new(config);
        let walk = table.walk();
        table.away = vec![walk[1]];
        table.writes(walk[0], 7);
        table.passes(150 * MILLISECOND);
        table.restarts(walk[3]);
        assert_eq!(table.hints(), kept);
        table.away.clear();
        table.passes(5 * SECOND);
        assert_eq!((table.hints(), table.kept(walk[1]).len() as u64), (0, kept));
        table.restarts(walk[3]);
        assert_eq!(table.hints(), 0, "what was handed over is not handed over again");
    }
}

/// Two of three home nodes are away, and the client asks one that stands in: it numbers the write itself.
#[test]
fn who_stands_in_coordinates_and_reads_see_its_hints() {
    let mut table = Table::new(config(|_| ()));
    let walk = table.walk();
    table.away = walk[..2].to_vec();
    let asked = table.reads(walk[2]);
    table.passes(600 * MILLISECOND);
    assert_eq!(table.values(asked), Some(vec![]));
    let read = table.reads(walk[3]);
    table.passes(600 * MILLISECOND);
    assert_eq!(table.values(read), Some(vec![]));
    let one = table.writes(walk[3], 7);
    table.passes(10 * MILLISECOND);
    let two = table.writes(walk[3], 8);
    table.passes(10 * MILLISECOND);
    assert_eq!((table.values(one), table.values(two)), (Some(ints(&[7])), Some(ints(&[7, 8]))), "two numbers");
    let read = table.reads(walk[4]);
    table.passes(600 * MILLISECOND);
    assert_eq!(table.values(read), Some(ints(&[7, 8])));
    table.away.clear();
    table.passes(5 * SECOND);
    assert!(walk[..3].iter().all(|node| table.kept(*node) == ints(&[7, 8])));
    assert_eq!(table.hints(), 0);
}

#[test]
fn an_acknowledgement_of_an_earlier_state_of_a_hint_leaves_what_was_added() {
    let mut table = Table::new(config(|_| ()));
    let walk = table.walk();
    table.away = vec![walk[1]];
    table.writes(walk[0], 7);
    table.passes(150 * MILLISECOND);
    let keeper = walk[3];
    table.step(keeper, |dynamo, desk| dynamo.peers.heard(walk[1], desk.now));
    table.away.clear();
    table.step(keeper, |dynamo, desk| dynamo.on_timer(Timer::Hints, &mut desk.ctx()));
    let offered = table.wire.pop_back().expect("the hint is on its way");
    let Message::Hint { key, state, .. } = offered.2 else { panic!("it is {offered:?}") };
    table.writes(walk[0], 8);
    table.settle_only(|message| matches!(message, Message::StandIn { .. } | Message::Stored { .. }));
    table.step(keeper, |dynamo, desk| dynamo.on_message(walk[1], Message::HintTaken { key, state }, &mut desk.ctx()));
    assert_eq!(table.nodes[keeper.0 as usize].hints_kept(), 1);
    table.passes(5 * SECOND);
    assert_eq!((table.hints(), table.kept(walk[1])), (0, ints(&[7, 8])));
}

#[test]
fn a_hint_is_merged_where_it_is_handed_over_and_dropped_when_it_is_too_old() {
    for (flaw, left) in [(None, ints(&[7, 8])), (Some(&HINTS_OVERWRITE), ints(&[7]))] {
        let config = flaw.map_or(config(|_| ()), |flaw| with_flaw(config(|_| ()), flaw));
        let mut table = Table::new(config);
        let walk = table.walk();
        table.away = vec![walk[1]];
        table.writes(walk[0], 7);
        table.passes(150 * MILLISECOND);
        let (keeper, seen) = (walk[3], table.nodes[walk[0].0 as usize].read(KEY));
        assert_eq!(seen.values(), ints(&[7]));
        table.away = vec![keeper];
        table.step(walk[0], |dynamo, desk| dynamo.peers.heard(walk[1], desk.now));
        table.writes(walk[0], 8);
        table.passes(100 * MILLISECOND);
        assert_eq!(table.kept(walk[1]), ints(&[7, 8]));
        table.away.clear();
        table.passes(5 * SECOND);
        assert_eq!(table.kept(walk[1]), left);
    }
    let mut table = Table::new(config(|_| ()));
    let walk = table.walk();
    table.away = vec![walk[1]];
    table.writes(walk[0], 7);
    table.passes(2 * HOUR);
    assert_eq!(table.hints(), 1);
    table.passes(2 * HOUR);
    assert_eq!(table.hints(), 0);
}

#[test]
fn a_hint_for_a_node_where_the_key_is_not_at_home_any_more_goes_to_those_where_it_is() {
    let mut table = Table::new(config(|_| ()));
    let walk = table.walk();
    table.away = vec![walk[1]];
    table.writes(walk[0], 7);
    table.passes(150 * MILLISECOND);
    assert_eq!(table.nodes[walk[3].0 as usize].hints_kept(), 1);
    let left: Vec<NodeId> = walk.iter().copied().filter(|node| *node != walk[1]).collect();
    for node in &mut table.nodes {
        node.ring = Ring::new(&table.config, left.clone());
    }
    let homes: Vec<NodeId> = table.walk()[..3].to_vec();
    table.passes(5 * SECOND);
    assert_eq!(table.hints(), 0);
    assert!(homes.iter().all(|node| table.kept(*node) == ints(&[7])), "the keeper itself too, if it is at home now");
}

/// Cassandra's hints: they do not count, and home nodes that missed a write get it all the same.
#[test]
fn in_strict_mode_the_coordinator_keeps_the_hints_and_they_do_not_count() {
    let mut table = Table::new(strict());
    let walk = table.walk();
    table.away = vec![walk[1]];
    let written = table.writes(walk[0], 7);
    table.passes(150 * MILLISECOND);
    assert_eq!(table.values(written), Some(ints(&[7])));
    assert_eq!(table.nodes[walk[0].0 as usize].hints_kept(), 1);
    table.away = vec![walk[1], walk[2]];
    let written = table.writes(walk[0], 8);
    table.passes(SECOND);
    assert_eq!(table.told(written), Some(&Response::Unknown), "one disk has it");
    table.away.clear();
    table.passes(5 * SECOND);
    assert!(walk[..3].iter().all(|node| table.kept(*node) == ints(&[7, 8])));
    assert_eq!(table.hints(), 0);

    let mut table = Table::new(DynamoConfig { hinted_handoff: false, ..strict() });
    table.away = vec![walk[1]];
    table.writes(walk[0], 7);
    table.passes(5 * SECOND);
    assert_eq!((table.hints(), table.nodes[walk[0].0 as usize].hints_made()), (0, 0));
}

#[test]
fn a_coordinator_that_knows_too_few_refuses_at_once() {
    let mut table = Table::new(strict());
    let walk = table.walk();
    table.away = walk[1..3].to_vec();
    let first = table.reads(walk[0]);
    table.passes(SECOND);
    assert_eq!(table.told(first), Some(&Response::Redirect(None)), "it was given up");
    let (read, written) = (table.reads(walk[0]), table.writes(walk[0], 7));
    assert_eq!(table.told(read), Some(&Response::Redirect(None)));
    assert_eq!(table.told(written), Some(&Response::Redirect(None)));
    assert!(table.kept(walk[0]).is_empty(), "nothing was done");
    table.away.clear();
    table.passes(SECOND);
    let read = table.reads(walk[0]);
    table.settle();
    assert_eq!(table.values(read), Some(vec![]), "they were asked whether they are there");
}

#[test]
fn who_comes_back_says_so() {
    let mut table = Table::new(strict());
    let walk = table.walk();
    table.away = vec![walk[1]];
    table.reads(walk[0]);
    table.passes(150 * MILLISECOND);
    assert!(!table.nodes[walk[0].0 as usize].peers.is_up(walk[1]));
    table.away.clear();
    table.restarts(walk[1]);
    table.settle();
    assert!(table.nodes[walk[0].0 as usize].peers.is_up(walk[1]));
}

#[test]
fn what_another_coordinates_is_passed_on_and_if_he_is_silent_the_next_read_goes_elsewhere() {
    let mut table = Table::new(config(|_| ()));
    let walk = table.walk();
    let written = table.writes(walk[4], 7);
    table.settle();
    assert_eq!(table.values(written), Some(ints(&[7])));
    table.passes(SECOND);
    assert!(table.told.len() == 1 && table.nodes[walk[4].0 as usize].forwarded.is_empty());

    table.step(walk[4], |dynamo, desk| dynamo.peers.heard(walk[2], desk.now));
    table.passes(MILLISECOND);
    table.away = vec![walk[2]];
    let written = table.writes(walk[4], 8);
    table.passes(SECOND);
    assert_eq!(table.told(written), Some(&Response::Unknown), "it may have arrived");
    let read = table.reads(walk[4]);
    table.settle();
    assert_eq!(table.values(read), Some(ints(&[7])), "he is known to be down");

    let mut table = Table::new(config(|_| ()));
    table.away = vec![walk[0]];
    let read = table.reads(walk[4]);
    table.passes(150 * MILLISECOND);
    assert_eq!(table.values(read), Some(vec![]));
}

/// A write that is passed on must not arrive twice: the second time it would undo what was written meanwhile.
#[test]
fn requests_are_passed_on_over_connections_whatever_else_travels_in_datagrams() {
    let mut table = Table::new(config(|config| config.transport = Transport::Datagram));
    let guest = table.walk()[4].0 as usize;
    let op = SiblingsOp { key: KEY, ask: SiblingsAsk::Blind { value: 7.into() } };
    let request = Request { serial: 1, attempt: 0, ask: Ask::Operation { session: None, op } };
    table.nodes[guest].on_request(ClientId(0), request, &mut table.desks[guest].ctx());
    let effects = table.desks[guest].take();
    let is_forward = |effect: &&Effect<Node>| matches!(effect, Effect::Send(_, Message::Forward { .. }, _));
    let forward = effects.iter().find(is_forward).expect("it is passed on");
    assert!(matches!(forward, Effect::Send(_, _, Transport::Stream)));
}

#[test]
fn anybody_coordinates_reads_and_writes_of_which_the_last_wins() {
    let anyone = config(|config| {
        config.coordinators = Coordinators::Anyone;
        config.conflicts = Conflicts::LastWriteWins;
    });
    let mut table = Table::new(anyone);
    let walk = table.walk();
    let written = table.writes(walk[4], 7);
    assert!(table.wire.iter().all(|(_, _, message)| matches!(message, Message::Put { .. })));
    table.settle();
    assert_eq!(table.values(written), Some(ints(&[7])));
    assert!(table.kept(walk[4]).is_empty(), "it is no home node");
    let read = table.reads(walk[3]);
    table.settle();
    assert_eq!(table.values(read), Some(ints(&[7])));
}

#[test]
fn with_a_fan_out_of_a_quorum_others_are_asked_when_some_do_not_answer() {
    let mut table = Table::new(DynamoConfig { fan_out: FanOut::Quorum, ..strict() });
    let walk = table.walk();
    let written = table.writes(walk[0], 7);
    assert_eq!(table.wire.len(), 1, "itself and one other");
    table.settle();
    assert_eq!(table.values(written), Some(ints(&[7])));
    for away in [walk[1], walk[2]] {
        table.away = vec![away];
        let read = table.reads(walk[0]);
        table.passes(150 * MILLISECOND);
        assert!(table.values(read).is_some());
        table.away.clear();
        table.passes(SECOND);
    }
    table.away = vec![walk[1]];
    let written = table.writes(walk[0], 8);
    table.passes(150 * MILLISECOND);
    assert!(table.values(written).is_some());
}

#[test]
fn a_write_without_context_beside_too_many_siblings_is_refused() {
    let few = config(|config| config.siblings_max = 2);
    for (config, refused) in [(few.clone(), true), (with_flaw(few, &UNBOUNDED_SIBLINGS), false)] {
        let mut table = Table::new(config);
        let home = table.walk()[0];
        for value in [1, 2] {
            table.writes(home, value);
            table.settle();
        }
        let third = table.writes(home, 3);
        table.settle();
        assert_eq!(table.told(third) == Some(&Response::Refused), refused);
        let read = table.reads(home);
        table.settle();
        let Some(Response::Returned(seen)) = table.told(read).cloned() else { panic!("it was read") };
        let merged = table.asks(home, SiblingsAsk::Write { value: 4.into(), seen });
        table.settle();
        assert_eq!(table.values(merged), Some(ints(&[4])), "who has seen them may");
    }
}

/// A table at which only the first home node has the value.
fn only_the_first_has_it(config: DynamoConfig) -> (Table, Vec<NodeId>) {
    let mut table = Table::new(DynamoConfig { hinted_handoff: false, ..config });
    let walk = table.walk();
    table.away = walk[1..].to_vec();
    table.writes(walk[0], 7);
    table.passes(SECOND);
    table.away.clear();
    table.passes(SECOND);
    assert!(walk[1..3].iter().all(|node| table.kept(*node).is_empty()));
    (table, walk)
}

/// 5: read repair, after the answer.
#[test]
fn a_read_writes_what_it_found_to_home_nodes_that_know_less() {
    for (read_repair, kept) in [(ReadRepair::Off, vec![]), (ReadRepair::Async, ints(&[7]))] {
        let (mut table, walk) = only_the_first_has_it(DynamoConfig { read_repair, ..strict() });
        let read = table.reads(walk[1]);
        table.settle_only(|message| matches!(message, Message::Get { .. }));
        assert!(walk[1..3].iter().all(|node| table.kept(*node).is_empty()));
        table.settle();
        assert!(table.values(read).is_some());
        assert!(walk[1..3].iter().all(|node| table.kept(*node) == kept), "the third too, which answered late");
        assert!(table.is_idle());
    }
}

#[test]
fn a_blocking_read_answers_when_what_it_found_is_on_w_home_nodes() {
    let blocking = DynamoConfig { read_repair: ReadRepair::Blocking, ..strict() };
    for (config, waits) in [(blocking.clone(), true), (with_flaw(blocking, &REPAIR_NOT_AWAITED), false)] {
        let (mut table, walk) = only_the_first_has_it(config);
        table.away = vec![walk[2]];
        let read = table.reads(walk[0]);
        let is_answer = |message: &Word| matches!(message, Message::Get { .. } | Message::Got { .. });
        table.wire.retain(|(_, to, _)| *to != walk[2]);
        table.settle_only(is_answer);
        assert_eq!(table.told(read).is_some(), !waits);
        table.settle();
        assert_eq!(table.values(read), Some(ints(&[7])));
        table.passes(SECOND);
        assert_eq!(table.kept(walk[1]), ints(&[7]));
    }
}

#[test]
fn a_blocking_read_that_cannot_be_repaired_is_turned_away() {
    let blocking = DynamoConfig { read_repair: ReadRepair::Blocking, r: 1, w: 2, ..strict() };
    let (mut table, walk) = only_the_first_has_it(blocking);
    table.away = walk[1..].to_vec();
    let read = table.reads(walk[0]);
    table.passes(SECOND);
    assert_eq!(table.told(read), Some(&Response::Redirect(None)));
    table.away.clear();
    table.passes(SECOND);
    let read = table.reads(walk[0]);
    table.settle();
    assert_eq!(table.values(read), Some(ints(&[7])));
    let keepers = walk[..3].iter().filter(|node| table.kept(**node) == ints(&[7]));
    assert!(keepers.count() >= 2);
}

/// A write that is newer than what a read found, and older than the read's repair.
#[test]
fn a_repair_that_stamps_anew_beats_a_newer_write() {
    let last_wins = DynamoConfig { read_repair: ReadRepair::Async, conflicts: Conflicts::LastWriteWins, ..strict() };
    for (config, left) in [(last_wins.clone(), 8), (with_flaw(last_wins, &REPAIR_STAMPS_NOW), 7)] {
        let (mut table, walk) = only_the_first_has_it(config);
        table.reads(walk[0]);
        table.settle_only(|message| matches!(message, Message::Get { .. }));
        let answers = std::mem::take(&mut table.wire);
        table.desks.iter_mut().for_each(|desk| desk.wall = LocalTime(SECOND));
        table.writes(walk[1], 8);
        table.settle();
        table.desks.iter_mut().for_each(|desk| desk.wall = LocalTime(2 * SECOND));
        table.wire = answers;
        table.settle();
        assert_eq!(table.kept(walk[2]), ints(&[left]));
    }
}

#[test]
fn whatever_comes_late_twice_or_to_the_wrong_one_does_no_harm() {
    let mut table = Table::new(config(|_| ()));
    let walk = table.walk();
    table.writes(walk[0], 7);
    let mut heard = Vec::new();
    while let Some((from, to, message)) = table.wire.pop_front() {
        heard.push(message.clone());
        table.step(to, |dynamo, desk| dynamo.on_message(from, message, &mut desk.ctx()));
    }
    table.reads(walk[4]);
    while let Some((from, to, message)) = table.wire.pop_front() {
        heard.push(message.clone());
        table.step(to, |dynamo, desk| dynamo.on_message(from, message, &mut desk.ctx()));
    }
    for message in heard {
        for node in walk.clone() {
            table.step(node, |dynamo, desk| dynamo.on_message(walk[1], message.clone(), &mut desk.ctx()));
        }
    }
    table.passes(5 * SECOND);
    assert!(walk[..3].iter().all(|node| table.kept(*node) == ints(&[7])));
}

/// Whatever goes wrong meanwhile, what was acknowledged is there in the end, or was replaced by somebody who had seen it.
#[test]
fn no_acknowledged_write_is_lost_in_storms() {
    for seed in 0..400 {
        let mut dice = Streams::new(seed).dice(StreamName::new(&["storm"]));
        let storm = config(|config| {
            config.quorum = if dice.below(2) == 0 { Quorum::Strict } else { Quorum::Sloppy };
            config.fan_out = if dice.below(3) == 0 { FanOut::Quorum } else { FanOut::All };
            config.read_repair = [ReadRepair::Off, ReadRepair::Async, ReadRepair::Blocking][dice.below(3) as usize];
        });
        let mut table = Table::new(storm);
        let mut replaced = BTreeSet::new();
        let mut written = Vec::new();
        let mut seen = Seen::default();
        for value in 0..40 {
            let node = NodeId(dice.below(5) as u32);
            match dice.below(8) {
                0 => table.away = (0..dice.below(3)).map(|_| NodeId(dice.below(5) as u32)).collect(),
                1 => table.restarts(node),
                2 | 3 => drop(table.reads(node)),
                4 | 5 => written.push((table.writes(node, value), Value::from(value))),
                _ => {
                    replaced.extend(seen.values.clone());
                    let ask = SiblingsAsk::Write { value: value.into(), seen: seen.clone() };
                    written.push((table.asks(node, ask), value.into()));
                }
            }
            table.passes(dice.below(300) * MILLISECOND);
            if let Some((_, Response::Returned(last))) = table.told.last() {
                seen = last.clone();
            }
        }
        table.away.clear();
        table.passes(10 * SECOND);
        assert_eq!(table.hints(), 0, "seed {seed}");
        for node in table.walk() {
            let read = table.reads(node);
            table.settle();
            let found = table.values(read).expect("all are there");
            for (serial, value) in &written {
                let is_acknowledged = matches!(table.told(*serial), Some(Response::Returned(_)));
                let is_there = found.contains(value) || replaced.contains(value);
                assert!(is_there || !is_acknowledged, "seed {seed}: {value:?} at {node}");
            }
        }
        assert!(table.is_idle(), "seed {seed}: all is quiet again");
    }
}
