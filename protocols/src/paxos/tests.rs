//! Several nodes round a table, with an obedient network between them, and what *Paxos Made Simple* says of them.

use super::config::{Learners, PaxosConfig};
use super::flaws::{ACCEPTS_OLD_BALLOTS, ADOPTS_OWN_VALUE, COUNTS_ACROSS_BALLOTS, FORGETFUL_ACCEPTOR};
use super::{Ballot, Message, Paxos, PaxosLaws, Record, Timer, Vote};
use crate::client::{Answer, Ask, Request, Response};
use crate::quorum::Quorums;
use history::{Decided, DecreeAsk, DecreeOp, Value};
use sim_core::desk::Desk;
use sim_core::laws::{Breach, Laws, Nodes};
use sim_core::protocol::{Boot, ClientId, Effect, Member, NodeId, Protocol, Slot, Why};
use sim_core::settings::{Flaw, Flaws, Settings};
use std::collections::VecDeque;

const N1: NodeId = NodeId(0);
const N2: NodeId = NodeId(1);
const N3: NodeId = NodeId(2);
const DECREE: u32 = 4;

fn config(change: impl FnOnce(&mut PaxosConfig)) -> PaxosConfig {
    let mut config = PaxosConfig::defaults();
    change(&mut config);
    config
}

fn flawed(flaw: &'static Flaw) -> PaxosConfig {
    config(|config| config.flaws = Flaws::new([flaw]))
}

fn ballot(round: u64, node: NodeId) -> Ballot {
    Ballot { round, node }
}

/// Every message waits until it is delivered; every record is on disk at once; every law is looked at after every step.
struct Table {
    nodes: Vec<Option<Paxos>>,
    config: PaxosConfig,
    desks: Vec<Desk<Paxos>>,
    journals: Vec<Vec<Slot<Record>>>,
    wire: VecDeque<(NodeId, NodeId, Message)>,
    laws: PaxosLaws,
    breach: Option<Breach>,
    told: Vec<(u64, Value)>,
    halted: Option<String>,
    serial: u64,
}

impl Table {
    fn new(count: u32, config: PaxosConfig) -> Self {
        let size = count as usize;
        let mut table = Table {
            nodes: vec![None; size],
            config,
            desks: (0..count).map(|id| Desk::new(NodeId(id), 1)).collect(),
            journals: vec![vec![]; size],
            wire: VecDeque::new(),
            laws: PaxosLaws::new(size),
            breach: None,
            told: vec![],
            halted: None,
            serial: 0,
        };
        (0..count).for_each(|id| table.start(NodeId(id), Why::First));
        table
    }

    fn start(&mut self, node: NodeId, why: Why) {
        let i = node.0 as usize;
        let members: Vec<Member> =
            (0..self.nodes.len() as u32).map(|id| Member { id: NodeId(id), role: "node" }).collect();
        let (journal, config) = (&self.journals[i], &self.config);
        let boot = Boot { me: node, role: "node", members: &members, config, why, journal, flushed: journal.len() };
        self.nodes[i] = Some(Paxos::start(boot, &mut self.desks[i].ctx()));
        self.carry_out(node);
        let seen = self.laws.after_start(node, &Nodes::new(&self.nodes));
        self.note(seen);
    }

    fn note(&mut self, seen: Result<(), Breach>) {
        self.breach = self.breach.take().or(seen.err());
    }

    fn step(&mut self, node: NodeId, run: impl FnOnce(&mut Paxos, &mut Desk<Paxos>)) {
        let i = node.0 as usize;
        let Some(paxos) = &mut self.nodes[i] else { return };
        run(paxos, &mut self.desks[i]);
        self.carry_out(node);
        let seen = self.laws.after_step(node, &Nodes::new(&self.nodes));
        self.note(seen);
    }

    fn carry_out(&mut self, node: NodeId) {
        let journal = &mut self.journals[node.0 as usize];
        for effect in self.desks[node.0 as usize].take() {
            match effect {
                Effect::Send(to, message, _) => self.wire.push_back((node, to, message)),
                Effect::Tell(_, Answer { serial, response: Response::Returned(Decided(value)), .. }) => {
                    self.told.push((serial, value));
                }
                Effect::Persist(record) => journal.push(Slot::Ok(record)),
                Effect::Snapshot(records) => *journal = records.into_iter().map(Slot::Ok).collect(),
                Effect::Truncate(from) => journal.truncate(from),
                Effect::Halt(why) => self.halted = Some(why),
                Effect::Tell(..)
                | Effect::PersistLater(..)
                | Effect::Arm(..)
                | Effect::Disarm(_)
                | Effect::Observe(_)
                | Effect::TookEffect(..) => {}
            }
        }
    }

    /// A client of this node asks; the number by which it will be told.
    fn asks(&mut self, node: NodeId, ask: DecreeAsk) -> u64 {
        self.serial += 1;
        let op = DecreeOp { key: DECREE, ask };
        let request = Request { serial: self.serial, attempt: 0, ask: Ask::Operation { session: None, op } };
        self.step(node, |paxos, desk| paxos.on_request(ClientId(0), request, &mut desk.ctx()));
        self.serial
    }

    fn proposes(&mut self, node: NodeId, value: i64) -> u64 {
        self.asks(node, DecreeAsk::Propose(value.into()))
    }

    fn reads(&mut self, node: NodeId) -> u64 {
        self.asks(node, DecreeAsk::Read)
    }

    fn wakes(&mut self, node: NodeId) {
        self.step(node, |paxos, desk| paxos.on_timer(Timer(DECREE), &mut desk.ctx()));
    }

    fn hears(&mut self, node: NodeId, from: NodeId, message: Message) {
        self.step(node, |paxos, desk| paxos.on_message(from, message, &mut desk.ctx()));
    }

    /// Delivers what is under way, and what comes of it, where it goes from and to one of these; the rest is lost.
    fn settle_among(&mut self, nodes: &[NodeId]) {
        while let Some((from, to, message)) = self.wire.pop_front() {
            if nodes.contains(&from) && nodes.contains(&to) {
                self.hears(to, from, message);
            }
        }
    }

    fn settle(&mut self) {
        self.settle_among(&[N1, N2, N3]);
    }

    /// Delivers what is under way and keeps what comes of it waiting; messages for which `is_lost` holds are lost.
    fn deliver(&mut self, is_lost: impl Fn(&Message) -> bool) {
        for (from, to, message) in std::mem::take(&mut self.wire) {
            if !is_lost(&message) {
                self.hears(to, from, message);
            }
        }
    }

    fn told(&self, serial: u64) -> Option<Value> {
        self.told.iter().find(|(told, _)| *told == serial).map(|(_, value)| value.clone())
    }

    fn decided(&self, node: NodeId) -> Option<Value> {
        self.nodes[node.0 as usize].as_ref()?.decided(DECREE).cloned()
    }

    fn is_lawful(&self) {
        assert_eq!(self.breach, None);
    }
}

fn is_accept(message: &Message) -> bool {
    matches!(message, Message::Accept { .. } | Message::Accepted { .. })
}

#[test]
fn a_single_proposal_is_chosen_and_everybody_learns_it() {
    for learners in [Learners::All, Learners::Distinguished] {
        let mut table = Table::new(3, config(|config| config.learners = learners));
        let (first, second) = (table.proposes(N1, 7), table.proposes(N1, 8));
        table.settle();
        assert_eq!((table.told(first), table.told(second)), (Some(7.into()), Some(7.into())));
        assert!([N1, N2, N3].iter().all(|node| table.decided(*node) == Some(7.into())));
        let read = table.reads(N3);
        assert_eq!(table.told(read), Some(7.into()), "who knows answers at once");
        table.is_lawful();
    }
}

/// "If the system has one node, it chooses what it is asked for."
#[test]
fn a_cluster_of_one_decides_alone() {
    let mut table = Table::new(1, PaxosConfig::defaults());
    let asked = table.proposes(N1, 7);
    assert_eq!(table.told(asked), Some(7.into()));
    table.is_lawful();
}

/// P2c: of the votes that phase 1 reports, the one in the latest ballot is proposed again (2.2).
#[test]
fn a_later_ballot_proposes_what_the_latest_before_it_did() {
    let mut table = Table::new(3, config(|config| config.quorums = Quorums::Sizes { phase1: 3, phase2: 2 }));
    let vote = |round, node, value: i64| Vote { ballot: ballot(round, node), value: value.into() };
    table.proposes(N1, 7);
    table.settle_among(&[N1]);
    table.proposes(N2, 8);
    table.settle_among(&[N2]);
    // Each gets the promises of the others, votes for its own value, and is not heard.
    for (node, others, round, value) in [(N1, [N2, N3], 1, 7), (N2, [N1, N3], 1, 8)] {
        let promise = Message::Promise { decree: DECREE, ballot: ballot(round, node), accepted: None };
        others.into_iter().for_each(|other| table.hears(node, other, promise.clone()));
        table.wire.clear();
        let accepted = &table.nodes[node.0 as usize].as_ref().expect("up").decrees[&DECREE].acceptor.accepted;
        assert_eq!(*accepted, Some(vote(round, node, value)));
    }
    // n3 asks both, and has a value of its own.
    let asked = table.proposes(N3, 9);
    table.settle();
    table.wakes(N3);
    table.settle();
    assert_eq!(table.told(asked), Some(8.into()), "ballot 1.n2 is later than 1.n1");
    table.is_lawful();
}

/// P1a: no vote in a ballot before the one promised (2.2); who asks for it is told.
#[test]
fn a_promise_is_kept_and_the_proposer_told() {
    let mut table = Table::new(3, PaxosConfig::defaults());
    table.hears(N2, N3, Message::Prepare { decree: DECREE, ballot: ballot(5, N3) });
    table.wire.clear();
    let vote = Vote { ballot: ballot(4, N1), value: 7.into() };
    table.hears(N2, N1, Message::Accept { decree: DECREE, vote: vote.clone() });
    let (promised, nack) = (ballot(5, N3), table.wire.pop_front());
    assert_eq!(nack, Some((N2, N1, Message::Nack { decree: DECREE, ballot: vote.ballot, promised })));
    // Whoever is refused goes beyond what was promised.
    table.proposes(N1, 7);
    table.settle();
    table.wakes(N1);
    table.settle();
    assert_eq!(table.decided(N2), Some(7.into()));
    table.is_lawful();
}

/// Asked twice, an acceptor says the same twice and writes it once.
#[test]
fn a_message_that_comes_twice_changes_nothing() {
    let mut table = Table::new(3, PaxosConfig::defaults());
    for _ in 0..2 {
        table.hears(N2, N3, Message::Prepare { decree: DECREE, ballot: ballot(1, N3) });
    }
    assert_eq!((table.wire.len(), table.journals[1].len()), (2, 1));
    assert_eq!(table.wire[0], table.wire[1]);
}

#[test]
fn a_read_of_an_open_decree_finds_nothing_and_leaves_nothing() {
    let mut table = Table::new(3, PaxosConfig::defaults());
    let read = table.reads(N1);
    table.settle();
    assert_eq!(table.told(read), Some(Value::Nil));
    let asked = table.proposes(N2, 7);
    table.settle();
    table.wakes(N2);
    table.settle();
    assert_eq!(table.told(asked), Some(7.into()));
    table.is_lawful();
}

/// A vote that was only seen is no decision: the read makes it one.
#[test]
fn a_read_finishes_what_it_finds() {
    let mut table = Table::new(3, PaxosConfig::defaults());
    let lost = table.proposes(N1, 7);
    table.deliver(|_| false);
    // n1 has its promises and votes; nobody hears of it, and it dies.
    table.deliver(|message| matches!(message, Message::Accept { .. }));
    table.wire.clear();
    table.nodes[2] = None;
    let read = table.reads(N2);
    table.deliver(|_| false);
    assert_eq!(table.told(read), None);
    table.settle_among(&[N1, N2]);
    table.wakes(N2);
    table.settle_among(&[N1, N2]);
    assert_eq!(table.told(read), Some(7.into()));
    assert_eq!(table.told(lost), Some(7.into()));
    table.is_lawful();
}

/// Promises made before a read began say nothing of what was chosen since.
#[test]
fn a_read_is_not_answered_from_promises_older_than_itself() {
    let mut table = Table::new(3, PaxosConfig::defaults());
    let first = table.reads(N1);
    table.deliver(|_| false);
    // Both promises are under way to n1. Meanwhile n3 has a value chosen by n2 and itself, and tells its client.
    let promises = std::mem::take(&mut table.wire);
    let asked = table.proposes(N3, 7);
    table.settle_among(&[N2, N3]);
    table.wakes(N3);
    table.settle_among(&[N2, N3]);
    assert_eq!(table.told(asked), Some(7.into()));
    let second = table.reads(N1);
    table.wire = promises;
    table.settle();
    table.wakes(N1);
    table.settle();
    assert_eq!(table.told(first), Some(Value::Nil), "it began before");
    assert_eq!(table.told(second), Some(7.into()));
    table.is_lawful();
}

/// "An acceptor must remember this information even if it fails and then restarts" (2.2).
#[test]
fn what_was_promised_and_voted_for_survives() {
    for (config, is_kept) in [(PaxosConfig::defaults(), true), (flawed(&FORGETFUL_ACCEPTOR), false)] {
        let mut table = Table::new(3, config);
        table.proposes(N1, 7);
        table.settle_among(&[N1, N2]);
        assert_eq!(table.decided(N2), Some(7.into()));
        table.nodes[0] = None;
        table.start(N2, Why::Restart);
        let asked = table.proposes(N3, 8);
        table.settle_among(&[N2, N3]);
        table.wakes(N3);
        table.settle_among(&[N2, N3]);
        assert_eq!(table.told(asked), Some(if is_kept { 7 } else { 8 }.into()));
        assert_eq!(table.breach.map(|breach| breach.law), (!is_kept).then_some("chosen is kept"));
    }
}

/// "Each proposer remembers (in stable storage) the highest-numbered proposal it has tried to issue" (2.5).
#[test]
fn ballots_rise_over_a_crash() {
    let mut table = Table::new(3, PaxosConfig::defaults());
    for round in 1..4 {
        table.proposes(N1, 7);
        let prepare = Message::Prepare { decree: DECREE, ballot: ballot(round, N1) };
        assert!(table.wire.iter().all(|(_, _, message)| *message == prepare));
        table.wire.clear();
        table.start(N1, Why::Restart);
    }
}

#[test]
fn an_empty_machine_in_the_place_of_another_says_nothing() {
    let mut table = Table::new(3, PaxosConfig::defaults());
    table.start(N2, Why::Replacement);
    let asked = table.proposes(N2, 7);
    table.hears(N2, N1, Message::Prepare { decree: DECREE, ballot: ballot(1, N1) });
    assert_eq!((table.told(asked), table.wire.len(), table.journals[1].len()), (None, 0, 0));
}

#[test]
fn a_spoilt_journal_is_the_end_of_an_acceptor() {
    let mut table = Table::new(3, PaxosConfig::defaults());
    table.hears(N2, N1, Message::Prepare { decree: DECREE, ballot: ballot(1, N1) });
    table.journals[1][0] = Slot::Corrupt;
    table.start(N2, Why::Restart);
    assert!(table.halted.is_some_and(|why| why.contains("record 1 of 1")));
}

/// A journal that was written anew says what the old one said, and so do both together.
#[test]
fn compaction_leaves_what_is_in_force() {
    let mut table = Table::new(3, config(|config| config.compact_after = 8));
    let old: Vec<Slot<Record>> = (1..20)
        .map(|round| {
            table.hears(N2, N1, Message::Prepare { decree: DECREE, ballot: ballot(round, N1) });
            Slot::Ok(Record::Promised { decree: DECREE, ballot: ballot(round, N1) })
        })
        .collect();
    let short = &table.journals[1];
    assert!(short.len() < 8, "{short:?}");
    let read = |journal: &[Slot<Record>]| super::acceptor::replay(journal).acceptors;
    assert_eq!(read(short), read(&old));
    assert_eq!(read(&[&old[..], short].concat()), read(&old));
}

/// "Two proposers each keep issuing a sequence of proposals with increasing numbers, none of which are ever chosen" (2.4).
#[test]
fn two_proposers_can_go_on_outdoing_each_other() {
    let mut table = Table::new(3, config(|config| config.backoff = (0, 0)));
    table.proposes(N1, 7);
    table.proposes(N2, 8);
    table.deliver(|_| false);
    for _ in 0..50 {
        for rival in [N1, N2] {
            // Promises arrive. Just then the rival opens a later ballot, and what they allowed comes too late.
            table.deliver(|_| false);
            table.wakes(rival);
            table.wire.make_contiguous().sort_by_key(|(_, _, message)| is_accept(message));
            table.deliver(|_| false);
        }
    }
    assert_eq!((table.decided(N1), table.decided(N2)), (None, None));
    table.is_lawful();
    table.settle_among(&[N1, N2, N3]);
    table.wakes(N1);
    table.settle();
    assert!(table.decided(N1).is_some(), "alone one gets through");
}

/// A column votes, a row promises: two of six choose, three of six find out.
#[test]
fn a_column_of_a_grid_chooses() {
    let mut table = Table::new(6, config(|config| config.quorums = Quorums::Grid { columns: 3 }));
    let all: Vec<NodeId> = (0..6).map(NodeId).collect();
    let asked = table.proposes(N1, 7);
    table.settle_among(&all[..4]);
    assert_eq!(table.told(asked), Some(7.into()), "n1 n2 n3 are a row, n1 n4 a column");
    let read = table.reads(NodeId(4));
    table.settle_among(&all[3..]);
    table.wakes(NodeId(4));
    table.settle_among(&all[3..]);
    assert_eq!(table.told(read), Some(7.into()), "n4 n5 n6 are a row, and n4 knows");
    table.is_lawful();
}

#[test]
fn each_mistake_breaks_its_rule() {
    // P02: n3's own value, though n2 has voted.
    let mut table = Table::new(
        3,
        config(|config| {
            config.flaws = Flaws::new([&ADOPTS_OWN_VALUE]);
            config.learners = Learners::Distinguished;
        }),
    );
    table.proposes(N1, 7);
    table.settle_among(&[N1]);
    table.wakes(N1);
    table.deliver(|_| false);
    table.deliver(|_| false);
    table.deliver(|_| false);
    table.nodes[0] = None;
    table.wire.clear();
    table.proposes(N3, 8);
    table.settle_among(&[N2, N3]);
    table.wakes(N3);
    table.settle_among(&[N2, N3]);
    assert_eq!(table.breach.map(|breach| breach.law), Some("chosen is kept"));

    // P04: a vote in a ballot before the one promised.
    let mut table = Table::new(3, flawed(&ACCEPTS_OLD_BALLOTS));
    table.hears(N2, N3, Message::Prepare { decree: DECREE, ballot: ballot(5, N3) });
    table.wire.clear();
    table.proposes(N1, 7);
    table.wire.clear();
    let vote = Vote { ballot: ballot(4, N1), value: 7.into() };
    table.hears(N2, N1, Message::Accept { decree: DECREE, vote: vote.clone() });
    assert!(table.wire.contains(&(N2, N1, Message::Accepted { decree: DECREE, vote })));

    // P07: two votes for one value in two ballots.
    let mut table = Table::new(3, flawed(&COUNTS_ACROSS_BALLOTS));
    table.proposes(N1, 7);
    table.wire.clear();
    for (round, voter) in [(1, N1), (2, N2)] {
        let vote = Vote { ballot: ballot(round, N1), value: 7.into() };
        table.hears(N3, voter, Message::Accepted { decree: DECREE, vote });
    }
    assert_eq!(table.breach.map(|breach| breach.law), Some("learnt is chosen"));
}
