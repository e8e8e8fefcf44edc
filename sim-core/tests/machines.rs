//! Faults of machines: clocks of their own, slow CPUs, machines lost with all they had.

mod toy;

use sim_core::delay::Delay;
use sim_core::dice::Ratio;
use sim_core::fault::{ClockHarm, DiskFate, Fault, FaultKind, Moment, Strike, Target, When, Which, Who};
use sim_core::protocol::{ClientId, NodeId, Protocol, Why};
use sim_core::setup::Setup;
use sim_core::time::{LocalTime, MILLISECOND, Nanos, SECOND};
use sim_core::world::World;
use toy::{Toy, node, once, target, three};

fn run(setup: Setup<Toy>, until: Nanos) -> World<Toy> {
    let mut world = World::new(setup);
    world.run_until(until);
    world
}

fn toy(world: &World<Toy>, n: u32) -> &Toy {
    world.processes().get(NodeId(n)).expect("the node is up")
}

fn effects(world: &World<Toy>) -> Vec<u64> {
    world.strikes().iter().map(|strike| strike.effects).collect()
}

/// n3's clocks at its last step, as far as they are from each other: the wall clock is so much ahead.
fn wall_ahead(harm: ClockHarm) -> (i64, u64) {
    let fault = once(FaultKind::Clock { target: vec![node(2)], harm }, SECOND, SECOND);
    let world = run(three(1).with_fault(fault), 3 * SECOND);
    let (LocalTime(now), LocalTime(wall)) = *toy(&world, 2).clocks.last().expect("it heard something");
    (wall.cast_signed() - now.cast_signed(), effects(&world)[0])
}

/// Each clock is wrong by itself, or both alike.
#[test]
fn a_machine_has_two_clocks() {
    const MINUTE: i64 = 60_000_000_000;
    let step = |which| wall_ahead(ClockHarm { which, step: -MINUTE, ..ClockHarm::NONE }).0;
    assert_eq!([Which::Wall, Which::Monotonic, Which::Both].map(step), [-MINUTE, MINUTE, 0]);
    let rate = |which| wall_ahead(ClockHarm { which, rate_ppb: 500_000_000, ..ClockHarm::NONE }).0;
    assert_eq!([Which::Wall, Which::Monotonic, Which::Both].map(rate), [500_000_000, -500_000_000, 0]);
    let freeze = |which| wall_ahead(ClockHarm { which, freeze: true, ..ClockHarm::NONE }).0;
    assert_eq!([Which::Wall, Which::Monotonic, Which::Both].map(freeze), [-1_000_000_000, 1_000_000_000, 0]);
    let (_, steps) = wall_ahead(ClockHarm { which: Which::Wall, step: -MINUTE, ..ClockHarm::NONE });
    assert!(steps > 100, "each step it took meanwhile counts: {steps}");
}

/// A frozen clock stops what waits by it, not what does not; and nothing piles up for its end.
#[test]
fn a_frozen_clock_stops_what_waits_by_it() {
    let harm = ClockHarm { freeze: true, ..ClockHarm::NONE };
    let fault = once(FaultKind::Clock { target: vec![node(1)], harm }, SECOND, SECOND);
    let welcomed = |until| toy(&run(three(1).with_fault(fault.clone()), until), 1).greeter.heard;
    let (before, meanwhile, after) = (welcomed(SECOND), welcomed(2 * SECOND), welcomed(3 * SECOND));
    assert!(meanwhile <= before + 2, "{before} {meanwhile}: nobody is greeted by an alarm that does not ring");
    assert!((before / 2..=before + 4).contains(&(after - meanwhile)), "{before} {meanwhile} {after}");
    let world = run(three(1).with_fault(fault), 2 * SECOND);
    assert!(toy(&world, 1).sum > 80, "requests are handled all the same");
}

/// Overlapping freezes end with the last of them, in a world that was copied meanwhile as well.
#[test]
fn two_who_hold_a_clock_have_to_let_go_both() {
    let harm = ClockHarm { freeze: true, ..ClockHarm::NONE };
    let freeze = |name: &str, at, length| Fault {
        name: name.to_owned(),
        ..once(FaultKind::Clock { target: vec![node(2)], harm }, at, length)
    };
    let setup = three(1).with_fault(freeze("a", SECOND, 2 * SECOND)).with_fault(freeze("b", 2 * SECOND, 2 * SECOND));
    let mut world = run(setup, 2500 * MILLISECOND).fork(1);
    world.run_until(6 * SECOND);
    let clocks = &toy(&world, 2).clocks;
    let LocalTime(last) = clocks.last().expect("it heard something").0;
    let longest = clocks.windows(2).map(|pair| pair[1].0.since(pair[0].0)).max().expect("it heard much");
    assert!(last < LocalTime(3600 * SECOND + 3 * SECOND).0, "three of six seconds are lost: {last}");
    assert!(longest < 100 * MILLISECOND, "and nothing is made up for: {longest}");
}

fn slow(slower: Ratio, extra: Delay, who: Vec<Target>) -> FaultKind {
    FaultKind::Cpu { target: who, slower, extra }
}

/// 100 requests a second that take 15 ms each are more than a CPU can do.
#[test]
fn a_slow_cpu_falls_behind_and_catches_up() {
    let served = |kind: Option<FaultKind>| {
        let setup = three(1);
        let setup = match kind {
            Some(kind) => setup.with_fault(once(kind, SECOND, SECOND)),
            None => setup,
        };
        let world = run(setup, 4 * SECOND);
        let within = |from: Nanos, to: Nanos| {
            let ops = world.log().ops().iter().filter(|op| op.client == ClientId(0));
            ops.filter(|op| op.served().is_some_and(|at| (from..to).contains(&at))).count()
        };
        let busy: Nanos = world.strain().busy(NodeId(0)).iter().map(|(from, to)| to - from).sum();
        (within(SECOND, 2 * SECOND), within(3 * SECOND, 4 * SECOND), effects(&world), busy)
    };
    let (usual, later, ..) = served(None);
    assert!(usual > 40 && later > 40, "{usual} {later}");
    for kind in [
        slow(Ratio::new(3000, 2), Delay::NONE, vec![node(0)]),
        slow(Ratio::new(1, 1), Delay::Fixed(15 * MILLISECOND), vec![node(0)]),
        slow(Ratio::new(1, 1), Delay::Uniform { min: 10 * MILLISECOND, max: 20 * MILLISECOND }, vec![node(0)]),
    ] {
        let (slowed, recovered, effects, busy) = served(Some(kind.clone()));
        assert!(slowed < usual / 4, "{slowed} of {usual} in time: {kind:?}");
        assert!(recovered + 10 > later, "{recovered} of {later}: {kind:?}");
        assert!(effects[0] > 30 && busy > 900 * MILLISECOND, "{effects:?}, busy for {busy} ns: {kind:?}");
    }
    let other = served(Some(slow(Ratio::new(1, 1), Delay::NONE, vec![node(0)])));
    assert_eq!((other.0, other.1), (usual, later), "once as slow is as fast");
    let client = served(Some(slow(Ratio::new(9, 1), Delay::NONE, vec![target(Who::Client(ClientId(0)))])));
    assert_eq!((client.0, client.2), (usual, vec![0]), "clients have no CPU to wait for");
}

/// A step that is long although nothing waits is strain, too; where several faults slow a CPU, the slowest decides.
#[test]
fn of_slow_cpus_the_slowest_decides() {
    let by = |name: &str, times: u64| Fault {
        name: name.to_owned(),
        ..once(slow(Ratio::new(times, 1), Delay::Fixed(MILLISECOND), vec![target(Who::All)]), 0, SECOND)
    };
    let mut setup = three(1);
    setup.clients.clear();
    setup.nodes.iter_mut().for_each(|node| node.cpu = Delay::Fixed(100_000));
    let busy = |setup: &Setup<Toy>| {
        let world = run(setup.clone(), SECOND);
        (world.strain().busy(NodeId(0)).first().map(|(from, to)| to - from), effects(&world))
    };
    assert_eq!(busy(&setup), (None, vec![]));
    let setup = setup.with_fault(by("a", 10)).with_fault(by("b", 200));
    let (first, effects) = busy(&setup);
    assert_eq!(first, Some(21 * MILLISECOND), "0.1 * 200 + 1 ms");
    assert!(effects[0] > 20 && effects[0] == effects[1], "{effects:?}");
}

fn lose(length: Option<Nanos>) -> Fault {
    let kind = FaultKind::Lose { target: vec![node(0)] };
    Fault { when: When::At(vec![Strike { at: SECOND, length }]), ..once(kind, 0, 0) }
}

fn crash(name: &str, at: Nanos, length: Nanos) -> Fault {
    let kind = FaultKind::Crash { target: vec![node(0)], disk: DiskFate::Keep, moment: Moment::Between };
    Fault { name: name.to_owned(), ..once(kind, at, length) }
}

#[test]
fn an_empty_machine_takes_the_place_of_a_lost_one() {
    let mut world = run(three(1).with_fault(lose(Some(SECOND))), 2 * SECOND - 1);
    assert!(world.processes().get(NodeId(0)).is_none());
    world.run_until(2 * SECOND);
    assert_eq!((toy(&world, 0).why, toy(&world, 0).sum), (Why::Replacement, 0), "nothing is left");
    world.run_until(3 * SECOND);
    assert!(toy(&world, 0).sum > 30, "it is served again");
    assert!(effects(&world)[0] > 30, "the process, and every record on its disk: {:?}", effects(&world));
}

/// Whatever was to bring it back, and whatever heals.
#[test]
fn what_is_lost_for_good_stays_away() {
    let setup = three(1).with_fault(lose(None)).with_fault(crash("crash-1", 500 * MILLISECOND, SECOND));
    let mut world = run(setup, 4 * SECOND);
    world.heal();
    world.run_until(8 * SECOND);
    assert!(world.processes().get(NodeId(0)).is_none());
    assert_eq!((world.strikes()[0].from, world.strikes()[0].to), (500 * MILLISECOND, 1500 * MILLISECOND), "the crash");
    assert_eq!((world.strikes()[1].from, world.strikes()[1].to), (SECOND, 8 * SECOND), "the loss has no end");
    assert!(world.strikes()[1].effects > 10, "its disk, and that the end of the crash did not bring it back");
}

/// Everything else that was to end does when the world heals.
#[test]
fn healing_brings_a_replacement_that_was_to_come() {
    let mut world = run(three(1).with_fault(lose(Some(100 * SECOND))), 2 * SECOND);
    world.heal();
    world.run_until(3 * SECOND);
    assert_eq!(toy(&world, 0).why, Why::Replacement);
}

/// Until something stands in its journal, it is new each time it begins; from then on it is what its journal says.
#[test]
fn a_replacement_is_new_until_it_has_written_something() {
    let why = |at| {
        let setup = three(1).with_fault(lose(Some(SECOND))).with_fault(crash("again", at, MILLISECOND));
        toy(&run(setup, at + 10 * MILLISECOND), 0).why
    };
    assert_eq!(why(2 * SECOND), Why::Replacement, "it dies as it begins");
    assert_eq!(why(3 * SECOND), Why::Restart);
}

/// The bound knows which disks are gone, from when they are.
#[test]
fn who_has_lost_its_disk_is_known() {
    let world = run(three(1).with_fault(lose(Some(SECOND))), 4 * SECOND);
    let reach = world.reachability();
    let config = sim_core::settings::Settings::defaults();
    let op = world.log().ops()[0].op.clone();
    let with_disk = |at| {
        let spans = reach.when(ClientId(0), at, at, |reach| {
            Toy::can_serve(&config, &op, reach)
                && reach.groups().flatten().any(|node| *node == NodeId(0) && reach.has_its_disk(*node))
        });
        !spans.is_empty()
    };
    assert_eq!([SECOND / 2, 3 * SECOND / 2, 3 * SECOND].map(with_disk), [true, false, false]);
}
