//! Small Raft clusters in the world: they elect, serve, lose machines, and come together again.
//!
//! Raft's laws are looked at after every step of every run. What is asked here in addition is what no single step shows:
//! that there is progress, that what clients heard is what the log says, and that each mistake a real system made is
//! noticed.

use history::{Kv, KvOp, Outcome, Purpose, Register, RegisterOp, Value};
use protocols::raft::flaws::{ACK_BEFORE_FSYNC, CANDIDATE_GRANTS_VOTE};
use protocols::raft::{Command, Raft, RaftConfig, ReadMode};
use sim_core::delay::Delay;
use sim_core::dice::{Dice, StreamName, Streams};
use sim_core::fault::{Count, DiskFate, Fault, FaultKind, Moment, Strike, Target, When, Who};
use sim_core::protocol::{ClientId, NodeId, Protocol};
use sim_core::settings::{Flaw, Flaws, Settings, Values};
use sim_core::setup::Setup;
use sim_core::time::{MICROSECOND, MILLISECOND, Nanos, SECOND};
use sim_core::trace::{ALWAYS, What};
use sim_core::workload::{Keys, Pace, Workload};
use sim_core::world::World;
use std::collections::{BTreeMap, BTreeSet};

type Cluster = World<Raft<Kv>>;

const LAN: Delay = Delay::Uniform { min: 100 * MICROSECOND, max: 500 * MICROSECOND };

fn flawed(flaw: &'static Flaw) -> RaftConfig {
    RaftConfig::build(&Values::defaults(RaftConfig::KEYS), Flaws::new([flaw])).expect("the defaults fit together")
}

/// Reads, writes and compare-and-sets on five keys.
fn load(pace: Pace, until: Nanos) -> Workload {
    Workload {
        name: "load".into(),
        pace,
        mix: vec![(0, 50), (1, 40), (2, 10)],
        keys: Keys::uniform(5),
        patience: SECOND,
        retry_after: 200 * MILLISECOND,
        from: 0,
        until,
    }
}

fn closed(until: Nanos) -> Workload {
    load(Pace::Closed { think: Delay::Uniform { min: 0, max: 20 * MILLISECOND } }, until)
}

fn final_reads(from: Nanos) -> Workload {
    Workload {
        name: "final".into(),
        from,
        until: Nanos::MAX,
        ..load(Pace::FinalReads { window: 3, keys: (0..5).collect() }, 0)
    }
}

fn cluster(seed: u64, nodes: u32, config: RaftConfig) -> Setup<Raft<Kv>> {
    Setup::in_one_zone(seed, nodes, config, LAN)
}

fn target(who: Who) -> Target {
    Target { count: Count::All, who }
}

fn leader() -> Vec<Target> {
    vec![target(Who::Role("leader".into()))]
}

fn strike(name: &str, kind: FaultKind, at: Nanos, length: Nanos) -> Fault {
    Fault { name: name.into(), kind, when: When::At(vec![Strike { at, length: Some(length) }]) }
}

fn run(setup: Setup<Raft<Kv>>, until: Nanos) -> Cluster {
    let mut world = World::new(setup);
    world.run_until(until);
    world
}

fn lawful(world: &Cluster) {
    assert_eq!(world.breach(), None);
}

/// The leader of the highest term.
fn current_leader(world: &Cluster) -> Option<(NodeId, u64)> {
    let nodes = world.processes();
    let leaders = nodes.iter().filter(|(_, raft)| raft.is_leader());
    leaders.map(|(node, raft)| (node, raft.term())).max_by_key(|&(_, term)| term)
}

/// When operations of the load that were served began and ended.
fn served(world: &Cluster) -> Vec<(Nanos, Nanos)> {
    let load = world.log().ops().iter().filter(|op| op.purpose == Purpose::Load);
    load.filter_map(|op| op.served().map(|at| (op.invoked.time, at))).collect()
}

/// Every node that is up has the same log committed and the same state.
fn assert_converged(world: &Cluster) {
    let nodes = world.processes();
    let all: Vec<_> = nodes.iter().collect();
    for pair in all.windows(2) {
        let ((a, first), (b, second)) = (pair[0], pair[1]);
        assert_eq!(first.commit_index(), second.commit_index(), "{a} and {b}");
        let nil = Value::Nil;
        let keys = first.state().len().max(second.state().len());
        for key in 0..keys {
            let value = |raft: &Raft<Kv>| raft.state().get(key).cloned().unwrap_or(nil.clone());
            assert_eq!(value(first), value(second), "{a} and {b}, key {key}");
        }
    }
}

/// What clients heard of writes is what the log says: returned means that it is in the log, refused that it is not. It may
/// be there several times, since clients ask again, but always under the same name within its session.
fn assert_writes_are_honest(world: &Cluster) {
    let nodes = world.processes();
    let (_, raft) = nodes.iter().max_by_key(|(_, raft)| raft.commit_index()).expect("somebody is up");
    let mut written: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
    for entry in &raft.log().after(0)[..raft.commit_index() as usize] {
        if let Command::Operation { op, session, serial, .. } = &entry.command {
            written.entry(format!("{op:?}")).or_default().insert((session.map(|session| session.id), *serial));
        }
    }
    let is_write = |op: &KvOp| matches!(op.op, RegisterOp::Write(_) | RegisterOp::Cas { .. });
    for logged in world.log().ops().iter().filter(|logged| is_write(&logged.op)) {
        let names = written.get(&format!("{:?}", logged.op)).map_or(0, BTreeSet::len);
        match &logged.outcome {
            Outcome::Returned(_) => assert_eq!(names, 1, "{logged:?}"),
            Outcome::Refused => assert_eq!(names, 0, "{logged:?}"),
            Outcome::Unknown => assert!(names <= 1, "{logged:?}"),
        }
    }
}

#[test]
fn a_quiet_cluster_elects_one_leader_and_keeps_it() {
    for nodes in 1..=7 {
        for seed in 0..10 {
            let world = run(cluster(seed, nodes, RaftConfig::defaults()), 20 * SECOND);
            lawful(&world);
            let (leader, term) = current_leader(&world).expect("somebody leads");
            let reigns = world.roles().iter().filter(|change| change.role.is_some_and(|(role, _)| role == "leader"));
            assert_eq!(reigns.count(), 1, "nodes {nodes}, seed {seed}");
            assert!(world.processes().iter().all(|(_, raft)| raft.term() == term && raft.commit_index() == 1));
            assert!(world.processes().get(leader).is_some());
        }
    }
}

/// With every combination of the options that may be off.
#[test]
fn clients_are_served_and_hear_the_truth() {
    for options in 0..8 {
        let mut config = RaftConfig::defaults();
        (config.pre_vote, config.check_quorum) = (options & 1 == 0, options & 2 == 0);
        config.reads = if options & 4 == 0 { ReadMode::ReadIndex } else { ReadMode::Log };
        let world = run(cluster(7, 3, config).with_clients(5, closed(10 * SECOND)), 12 * SECOND);
        lawful(&world);
        let asked = world.log().ops().len();
        assert!(asked > 2_000, "{asked} operations");
        // Until the first leader is there, some are turned away or time out.
        assert!(served(&world).len() + 20 > asked, "{} of {asked}", served(&world).len());
        assert_converged(&world);
        assert_writes_are_honest(&world);
    }
}

#[test]
fn an_open_load_keeps_its_rate_while_nobody_leads() {
    let pace = Pace::Open { gap: Delay::Fixed(5 * MILLISECOND) };
    let crash = FaultKind::Crash { target: leader(), disk: DiskFate::Keep, moment: Moment::Between };
    let setup = cluster(3, 3, RaftConfig::defaults()).with_clients(2, load(pace, 10 * SECOND));
    let world = run(setup.with_fault(strike("crash", crash, 4 * SECOND, 3 * SECOND)), 13 * SECOND);
    lawful(&world);
    let asked = world.log().ops().len();
    assert!((3_990..=4_000).contains(&asked), "{asked} operations in 10 s at 400/s");
    assert_writes_are_honest(&world);
}

/// 5.2, 5.4: the others elect another leader, nothing acknowledged is lost, and the old one comes back as a follower.
#[test]
fn the_leader_loses_power() {
    for disk in [DiskFate::Keep, DiskFate::LoseUnsynced, DiskFate::Torn] {
        for seed in 0..10 {
            let crash = FaultKind::Crash { target: leader(), disk, moment: Moment::Between };
            let setup = cluster(seed, 5, RaftConfig::defaults())
                .with_clients(10, closed(15 * SECOND))
                .with_clients(1, final_reads(17 * SECOND))
                .with_fault(strike("crash", crash, 5 * SECOND, 5 * SECOND));
            let world = run(setup, 20 * SECOND);
            lawful(&world);
            assert_eq!(world.strikes()[0].effects.min(1), 1, "somebody led and crashed");
            let first_after = served(&world).iter().filter(|(began, _)| *began > 5 * SECOND).map(|(_, at)| *at).min();
            let back_after = first_after.expect("service returns") - 5 * SECOND;
            assert!(back_after < 2 * SECOND, "service is back after {back_after} ns, seed {seed}");
            assert_converged(&world);
            assert_writes_are_honest(&world);
            let finals = world.log().ops().iter().filter(|op| op.purpose == Purpose::FinalRead);
            let answered = finals.filter(|op| matches!(op.outcome, Outcome::Returned(_))).count();
            assert_eq!(answered, 5, "every key is read in the end");
        }
    }
}

/// A minority cannot serve, and says so by its silence; the majority goes on.
#[test]
fn a_leader_cut_off_with_a_minority_is_replaced() {
    let groups = vec![vec![target(Who::Role("leader".into()))], vec![target(Who::Others)]];
    let cut = FaultKind::Partition { groups, one_way: false, flap: None };
    let setup = cluster(5, 5, RaftConfig::defaults()).with_clients(5, closed(15 * SECOND));
    let world = run(setup.with_fault(strike("cut", cut, 5 * SECOND, 5 * SECOND)), 18 * SECOND);
    lawful(&world);
    let terms = world.processes().iter().map(|(_, raft)| raft.term()).max();
    assert!(terms > Some(1), "another leader was elected");
    assert_converged(&world);
    assert_writes_are_honest(&world);
}

/// Storms of crashes, torn writes, partitions and pauses, more than a majority at once: nothing is promised but safety.
/// When it is over, everything must come together again.
#[test]
fn storms_break_no_law_and_pass() {
    let mut effective = 0;
    for seed in 0..60 {
        let mut config = RaftConfig::defaults();
        (config.pre_vote, config.check_quorum) = (seed % 2 == 0, seed % 3 == 0);
        let nodes = 3 + 2 * (seed % 2) as u32;
        let mut setup =
            cluster(seed, nodes, config).with_clients(4, closed(18 * SECOND)).with_clients(1, final_reads(24 * SECOND));
        let mut dice = Streams::new(seed).dice(StreamName::new(&["storm"]));
        for k in 0..14 {
            setup = setup.with_fault(some_fault(k, &mut dice));
        }
        let mut world = World::new(setup);
        world.run_until(18 * SECOND);
        world.heal();
        world.run_until(27 * SECOND);
        lawful(&world);
        assert_converged(&world);
        assert_writes_are_honest(&world);
        let finals = world.log().ops().iter().filter(|op| op.purpose == Purpose::FinalRead);
        let answered = finals.filter(|op| matches!(op.outcome, Outcome::Returned(_))).count();
        assert_eq!(answered, 5, "seed {seed}: every key is read in the end");
        effective += world.strikes().iter().filter(|strike| strike.effects > 0).count();
    }
    assert!(effective > 60 * 7, "half of all faults and more did something: {effective}");
}

fn some_fault(k: u32, dice: &mut Dice) -> Fault {
    let (kind, at, length) = (dice.below(5), dice.between(SECOND, 16 * SECOND), dice.between(SECOND / 10, 3 * SECOND));
    let who = [Who::Role("leader".into()), Who::Any, Who::Minority, Who::Majority][dice.below(4) as usize].clone();
    let disk = [DiskFate::Keep, DiskFate::LoseUnsynced, DiskFate::Torn][dice.below(3) as usize];
    let one_way = dice.below(2) == 0;
    let target = vec![Target { count: Count::All, who }];
    let kind = match kind {
        0 | 1 => FaultKind::Crash { target, disk, moment: Moment::Between },
        2 | 3 => FaultKind::Partition { groups: vec![target, vec![self::target(Who::Others)]], one_way, flap: None },
        _ => FaultKind::Pause { target, messages_only: false },
    };
    strike(&format!("storm-{k}"), kind, at, length)
}

/// 9.6: a follower cut off for long comes back and nobody notices; without pre-vote and check-quorum it deposes a
/// healthy leader.
#[test]
fn a_follower_that_comes_back_disturbs_only_without_pre_vote() {
    let after = |pre_vote: bool, check_quorum: bool| {
        let mut config = RaftConfig::defaults();
        (config.pre_vote, config.check_quorum) = (pre_vote, check_quorum);
        let groups =
            vec![vec![Target { count: Count::Some(1), who: Who::Role("follower".into()) }], vec![target(Who::Others)]];
        let cut = FaultKind::Partition { groups, one_way: false, flap: None };
        let setup = cluster(2, 5, config).with_fault(strike("cut", cut, 3 * SECOND, 8 * SECOND));
        let before = current_leader(&run(setup.clone(), 3 * SECOND));
        let world = run(setup, 15 * SECOND);
        lawful(&world);
        current_leader(&world) == before
    };
    assert!(after(true, true) && after(true, false));
    assert!(!after(false, false));
}

/// 6.2: a leader that is heard but hears nobody (a one-way cut) commits nothing and keeps everybody from electing another;
/// with check-quorum it steps down.
#[test]
fn a_leader_that_hears_nobody_blocks_all_without_check_quorum() {
    let served_during_cut = |check_quorum: bool| {
        let config = RaftConfig { check_quorum, ..RaftConfig::defaults() };
        // Only what the first group sends is lost: the followers' answers.
        let groups = vec![vec![target(Who::Role("follower".into()))], leader()];
        let cut = FaultKind::Partition { groups, one_way: true, flap: None };
        let setup = cluster(4, 3, config).with_clients(4, closed(14 * SECOND));
        let world = run(setup.with_fault(strike("cut", cut, 4 * SECOND, 8 * SECOND)), 15 * SECOND);
        lawful(&world);
        served(&world).iter().filter(|(began, at)| *began > 5 * SECOND && *at < 12 * SECOND).count()
    };
    assert_eq!(served_during_cut(false), 0);
    assert!(served_during_cut(true) > 100);
}

/// A client that crashes begins again and repeats no number and no value.
#[test]
fn a_client_that_crashes_repeats_no_value() {
    let crash = FaultKind::Crash {
        target: vec![target(Who::Client(ClientId(0)))],
        disk: DiskFate::Keep,
        moment: Moment::Between,
    };
    let setup = cluster(6, 3, RaftConfig::defaults()).with_clients(2, closed(9 * SECOND));
    let world = run(setup.with_fault(strike("crash", crash, 3 * SECOND, SECOND)), 10 * SECOND);
    assert_eq!(world.strikes()[0].effects.min(1), 1);
    assert_writes_are_honest(&world);
    let begun_after = |at: Nanos| world.log().ops().iter().any(|op| op.client == ClientId(0) && op.invoked.time > at);
    assert!(begun_after(5 * SECOND));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let world = |seed| {
        let crash = FaultKind::Crash { target: leader(), disk: DiskFate::Torn, moment: Moment::Between };
        let setup = cluster(seed, 5, RaftConfig::defaults()).with_clients(5, closed(5 * SECOND));
        run(setup.with_fault(strike("crash", crash, 2 * SECOND, SECOND)), 6 * SECOND)
    };
    assert_eq!(world(1).fingerprint(), world(1).fingerprint());
    assert_ne!(world(1).fingerprint(), world(2).fingerprint());
}

/// The first law broken in some of these worlds.
fn breach_among(worlds: impl Iterator<Item = Setup<Raft<Kv>>>, until: Nanos) -> Option<&'static str> {
    worlds.into_iter().find_map(|setup| run(setup, until).breach().map(|breach| breach.law))
}

/// R05: the power of a majority fails, and what they had acknowledged is gone.
#[test]
fn the_flaw_ack_before_fsync_is_noticed() {
    let worlds = |config: RaftConfig| {
        (0..40).map(move |seed| {
            let target = vec![target(Who::All)];
            let crash = FaultKind::Crash { target, disk: DiskFate::LoseUnsynced, moment: Moment::Between };
            let mut setup = cluster(seed, 3, config.clone()).with_clients(10, closed(8 * SECOND));
            // A slow disk in the nodes but one: who is elected after the crash may be one that had not flushed.
            setup.nodes.iter_mut().skip(1).for_each(|node| node.fsync = Delay::Fixed(40 * MILLISECOND));
            setup.with_fault(strike("power", crash, 5 * SECOND, SECOND))
        })
    };
    assert_eq!(breach_among(worlds(RaftConfig::defaults()), 9 * SECOND), None);
    let law = breach_among(worlds(flawed(&ACK_BEFORE_FSYNC)), 9 * SECOND);
    assert!(matches!(law, Some("leader completeness" | "state machine safety")), "{law:?}");
}

/// R33: two candidates of a term vote for each other.
#[test]
fn the_flaw_candidate_grants_vote_is_noticed() {
    let worlds = |config: RaftConfig| {
        (0..60).map(move |seed| {
            let shortest = 300 * MILLISECOND;
            let config = RaftConfig { election_timeout: (shortest, shortest + 5 * MILLISECOND), ..config.clone() };
            cluster(seed, 3, config)
        })
    };
    assert_eq!(breach_among(worlds(RaftConfig::defaults()), 5 * SECOND), None);
    assert_eq!(breach_among(worlds(flawed(&CANDIDATE_GRANTS_VOTE)), 5 * SECOND), Some("election safety"));
}

/// The same protocol replicates other data.
#[test]
fn one_register_is_replicated_as_well() {
    let workload = Workload { keys: Keys::uniform(1), ..closed(3 * SECOND) };
    let setup = Setup::<Raft<Register>>::in_one_zone(1, 3, RaftConfig::defaults(), LAN).with_clients(3, workload);
    let mut world = World::new(setup);
    world.run_until(4 * SECOND);
    assert_eq!(world.breach(), None);
    let done = world.log().ops().iter().filter(|op| op.served().is_some()).count();
    assert!(done > 300, "{done}");
}

/// What faults can pick out by name is what is said, no more and no less.
#[test]
fn every_kind_of_message_is_known_by_name() {
    let config = RaftConfig { reads: ReadMode::Follower, snapshot_every: 50, ..RaftConfig::defaults() };
    let mut setup = cluster(3, 3, config).with_clients(3, closed(9 * SECOND));
    let crash = |who| FaultKind::Crash { target: vec![target(who)], disk: DiskFate::Keep, moment: Moment::Between };
    let order = FaultKind::Operate { order: "transfer".to_owned(), to: leader(), about: vec![target(Who::Any)] };
    // The leader is replaced, a node lags until it needs a snapshot, and the leader hands over.
    setup = setup.with_fault(strike("leader", crash(Who::Role("leader".to_owned())), 2 * SECOND, SECOND));
    setup = setup.with_fault(strike("lag", crash(Who::Node(NodeId(2))), 4 * SECOND, 2 * SECOND));
    setup = setup.with_fault(strike("order", order, 7 * SECOND, SECOND));
    setup.trace = vec![ALWAYS];
    let sent = run(setup, 10 * SECOND).take_rows().into_iter().filter(|row| row.what == What::Sent);
    let kind = |text: &str| text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
    let said: BTreeSet<String> = sent.map(|row| kind(&row.text)).collect();
    let known: BTreeSet<String> = Raft::<Kv>::KINDS.iter().map(|kind| (*kind).to_owned()).collect();
    assert_eq!(said, known);
}
