//! Every fault bites, counts what it did, and ends.

mod toy;

use sim_core::delay::Delay;
use sim_core::dice::Ratio;
use sim_core::fault::{ClockHarm, Count, DiskFate, Event, Fault, FaultKind, Moment, Spoil, Strike, Target, When, Who};
use sim_core::protocol::{ClientId, NodeId, Protocol, Why};
use sim_core::setup::Setup;
use sim_core::time::{MILLISECOND, Nanos, SECOND};
use sim_core::world::{StrikeReport, World};
use toy::{Toy, node, once, split, target, three, with_clients};

fn run(setup: Setup<Toy>, until: Nanos) -> World<Toy> {
    let mut world = World::new(setup);
    world.run_until(until);
    world
}

fn toy(world: &World<Toy>, n: u32) -> &Toy {
    world.processes().get(NodeId(n)).expect("the node is up")
}

/// The clients talk to n1 and n2; n3 only hears their gossip. Without greetings nothing flows from n3 to n1 but on
/// request.
#[test]
fn a_cut_between_idle_machines_has_no_effect_and_says_so() {
    let clients_apart = split(vec![vec![target(Who::Client(ClientId(0)))], vec![target(Who::Client(ClientId(1)))]]);
    let idle = run(three(1).with_fault(once(clients_apart, SECOND, SECOND)), 3 * SECOND);
    assert_eq!(idle.strikes()[0].effects, 0, "clients say nothing to each other");
    let busy = run(three(1).with_fault(once(split(vec![vec![node(0)], vec![node(1)]]), SECOND, SECOND)), 3 * SECOND);
    assert!(busy.strikes()[0].effects > 50, "{:?}", busy.strikes());
    assert_eq!(busy.strikes()[0].who, "n1 | n2");
}

#[test]
fn a_one_way_cut_leaves_the_other_way_alone() {
    let cut = FaultKind::Partition { groups: vec![vec![node(0)], vec![node(2)]], one_way: true, flap: None };
    let world = run(three(1).with_fault(once(cut, 0, 10 * SECOND)), 2 * SECOND);
    let heard = |n: u32, from: u32| toy(&world, n).said.iter().filter(|(peer, _)| *peer == NodeId(from)).count();
    assert_eq!(heard(2, 0), 0, "n1's gossip does not reach n3");
    assert!(heard(2, 1) > 0 && heard(0, 1) > 0, "everything else flows");
}

/// A short cut delays what was sent over a stream, a long one loses some of it; order is kept in both.
#[test]
fn a_stream_stalls_and_in_the_end_resets() {
    for (length, whole) in [(SECOND, true), (8 * SECOND, false)] {
        let setup = three(1).with_fault(once(split(vec![vec![node(0)], vec![node(2)]]), SECOND, length));
        let world = run(setup, 15 * SECOND);
        let said: Vec<u64> =
            toy(&world, 2).said.iter().filter(|(from, _)| *from == NodeId(0)).map(|(_, sum)| *sum).collect();
        assert!(said.is_sorted(), "in order");
        let gap = said.windows(2).any(|pair| pair[1] != pair[0] + 1);
        assert_eq!(!gap, whole, "after a cut of {length} ns");
        assert!(*said.last().expect("it heard something") > 600, "it goes on after the cut");
    }
}

#[test]
fn a_slow_link_is_slow_and_a_lossy_one_loses() {
    let served = |kind: Option<FaultKind>| {
        let setup = three(1);
        let setup = match kind {
            Some(kind) => setup.with_fault(once(kind, 0, 10 * SECOND)),
            None => setup,
        };
        let world = run(setup, 3 * SECOND);
        let effects = world.strikes().first().map_or(0, |strike| strike.effects);
        (world.log().ops().iter().filter(|op| op.served().is_some()).count(), toy(&world, 0).greeter.heard, effects)
    };
    let link = |delay, loss| FaultKind::Link {
        from: vec![target(Who::Clients), node(0)],
        to: vec![target(Who::All)],
        one_way: false,
        spoil: Box::new(Spoil { delay, loss, ..Spoil::NONE }),
        flap: None,
    };
    let (usual, greeted, _) = served(None);
    assert!(usual > 250 && greeted > 100, "{usual} {greeted}");
    let (slow, _, effects) = served(Some(link(Delay::Fixed(50 * MILLISECOND), Ratio::ZERO)));
    assert_eq!(slow, 0, "nothing is served within 15 ms over links of 50 ms");
    assert!(effects > 500, "{effects}");
    let (_, lossy, effects) = served(Some(link(Delay::NONE, Ratio::new(1, 2))));
    assert!(lossy < greeted / 2 && effects > 100, "{lossy} of {greeted}, {effects} effects");
}

/// Writing before answering is what makes an answer worth something.
#[test]
fn power_loss_takes_what_was_not_flushed() {
    let lost = |hasty: bool| {
        let mut found = 0;
        for seed in 0..20 {
            let crash =
                FaultKind::Crash { target: vec![node(0)], disk: DiskFate::LoseUnsynced, moment: Moment::Between };
            let mut setup = three(seed).with_fault(once(crash, SECOND + seed * MILLISECOND, 10 * MILLISECOND));
            setup.nodes[0].config.hasty = hasty;
            setup.nodes[0].fsync = Delay::Fixed(8 * MILLISECOND);
            let mut world = World::new(setup);
            world.run_until(SECOND + seed * MILLISECOND - 1);
            world.run_until(SECOND + (seed + 12) * MILLISECOND);
            let acknowledged = world.log().ops().iter().filter(|op| op.client.0 == 0 && op.served().is_some()).count();
            assert_eq!(toy(&world, 0).why, Why::Restart);
            found += usize::from((toy(&world, 0).sum as usize) < acknowledged);
        }
        found
    };
    assert_eq!(lost(false), 0, "what was acknowledged is on disk");
    assert!(lost(true) > 0, "a hasty node loses what it acknowledged");
}

#[test]
fn a_dead_process_keeps_its_journal_and_a_torn_one_reads_back_bad() {
    let crash = |disk| {
        once(FaultKind::Crash { target: vec![node(0)], disk, moment: Moment::Between }, SECOND, 10 * MILLISECOND)
    };
    let (mut torn, mut kept) = (0, 0);
    for seed in 0..40 {
        let slow = |mut setup: Setup<Toy>| {
            setup.nodes[0].fsync = Delay::Fixed(15 * MILLISECOND);
            setup
        };
        let before = run(slow(three(seed)), SECOND - 1);
        let world = run(slow(three(seed).with_fault(crash(DiskFate::Keep))), SECOND + 10 * MILLISECOND);
        kept += usize::from(toy(&world, 0).sum == toy(&before, 0).sum);
        let world = run(slow(three(seed).with_fault(crash(DiskFate::Torn))), SECOND + 10 * MILLISECOND);
        torn += toy(&world, 0).corrupt;
    }
    assert!(kept >= 38, "{kept} of 40 lost nothing (one addition may fall into the last instant)");
    assert!(torn > 5, "{torn} torn writes were seen");
}

#[test]
fn a_paused_process_does_nothing_and_catches_up() {
    let pause = FaultKind::Pause { target: vec![node(0)], messages_only: false };
    let setup = three(1).with_fault(once(pause, SECOND, SECOND));
    let mut world = World::new(setup);
    world.run_until(SECOND + MILLISECOND);
    let asleep = toy(&world, 0).sum;
    world.run_until(2 * SECOND - 1);
    assert_eq!(toy(&world, 0).sum, asleep);
    world.run_until(2 * SECOND + 10 * MILLISECOND);
    assert!(toy(&world, 0).sum > asleep + 30, "all that waited was handled");
    assert!(world.strikes()[0].effects > 30);
}

#[test]
fn who_gets_no_messages_goes_on_by_its_alarms_and_catches_up() {
    let hold = FaultKind::Pause { target: vec![node(0)], messages_only: true };
    let setup = three(1).with_fault(once(hold, SECOND, SECOND));
    let mut world = World::new(setup);
    world.run_until(SECOND + MILLISECOND);
    let before = world.messages();
    let asleep = toy(&world, 0).sum;
    world.run_until(2 * SECOND - 1);
    assert_eq!(toy(&world, 0).sum, asleep, "it hears nothing");
    let meanwhile = world.messages();
    assert!(meanwhile > before, "what it is sent is under way");
    world.run_until(2 * SECOND + 10 * MILLISECOND);
    assert!(toy(&world, 0).sum > asleep + 30, "all that waited was handled");
    assert!(world.strikes()[0].effects > 30);
}

#[test]
fn overlapping_crashes_keep_a_node_down_until_the_last_ends() {
    let crash = || FaultKind::Crash { target: vec![node(0)], disk: DiskFate::Keep, moment: Moment::Between };
    let mut second = once(crash(), 2 * SECOND, 2 * SECOND);
    second.name = "crash-2".to_owned();
    let mut world = World::new(three(1).with_fault(once(crash(), SECOND, 2 * SECOND)).with_fault(second));
    world.run_until(3500 * MILLISECOND);
    assert!(world.processes().get(NodeId(0)).is_none());
    world.run_until(4 * SECOND);
    assert!(world.processes().get(NodeId(0)).is_some());
    assert_eq!(world.strikes()[1].effects, 1, "it was dead already, and is kept down");
}

#[test]
fn healing_ends_every_fault_and_lets_none_begin() {
    let crash = |at| {
        once(
            FaultKind::Crash { target: vec![node(0)], disk: DiskFate::Keep, moment: Moment::Between },
            at,
            100 * SECOND,
        )
    };
    let mut late = crash(3 * SECOND);
    late.name = "late".to_owned();
    let mut world = World::new(three(1).with_fault(crash(SECOND)).with_fault(late));
    world.run_until(2 * SECOND);
    world.heal();
    world.run_until(5 * SECOND);
    assert!(world.processes().get(NodeId(0)).is_some());
    assert_eq!(world.strikes().len(), 1);
    assert_eq!((world.strikes()[0].from, world.strikes()[0].to), (SECOND, 2 * SECOND));
}

#[test]
fn a_fault_can_wait_for_something_to_happen() {
    let when = |event| When::Event { event, after: 50 * MILLISECOND, length: Some(SECOND), times: 1, within: None };
    let pause = |event| Fault {
        name: "pause-1".to_owned(),
        kind: FaultKind::Pause { target: vec![target(Who::Role("leader".to_owned()))], messages_only: false },
        when: when(event),
    };
    let world = run(three(1).with_fault(pause(Event::RoleTaken("leader".to_owned()))), 3 * SECOND);
    assert_eq!((world.strikes()[0].from, &*world.strikes()[0].who), (150 * MILLISECOND, "n1"));
    assert_eq!(world.strikes().len(), 1);
    let world = run(three(1).with_fault(pause(Event::Served(100))), 5 * SECOND);
    let hundredth = world.log().ops().iter().filter_map(|op| op.served()).nth(99).expect("100 were served");
    assert_eq!(world.strikes()[0].from, hundredth + 50 * MILLISECOND);
    let nobody = run(three(1).with_fault(pause(Event::Served(1_000_000))), 3 * SECOND);
    assert!(nobody.strikes().is_empty(), "it never happened");
}

#[test]
fn what_happens_outside_its_time_sets_no_fault_off_and_its_end_is_the_fault_s() {
    let pause = |within| Fault {
        name: "pause-1".to_owned(),
        kind: FaultKind::Pause { target: vec![target(Who::Node(NodeId(1)))], messages_only: false },
        when: When::Event {
            event: Event::RoleTaken("leader".to_owned()),
            after: 50 * MILLISECOND,
            length: Some(SECOND),
            times: 1,
            within: Some(within),
        },
    };
    // The first leader is elected after 100 ms.
    let strikes = |within| run(three(1).with_fault(pause(within)), 3 * SECOND).strikes();
    assert!(strikes((101 * MILLISECOND, 2 * SECOND)).is_empty());
    assert!(strikes((0, 150 * MILLISECOND)).is_empty(), "it would begin when it is over");
    let cut_short = strikes((0, 400 * MILLISECOND));
    assert_eq!((cut_short[0].from, cut_short[0].to), (150 * MILLISECOND, 400 * MILLISECOND));
    let whole = strikes((100 * MILLISECOND, 2 * SECOND));
    assert_eq!((whole[0].from, whole[0].to), (150 * MILLISECOND, 1150 * MILLISECOND));
}

#[test]
fn targets_resolve_to_as_many_as_they_say() {
    let struck = |who, count| {
        let pause = FaultKind::Pause { target: vec![Target { count, who }], messages_only: false };
        let world = run(with_clients(3, 4).with_fault(once(pause, SECOND, SECOND)), 2 * SECOND);
        world.strikes()[0].who.split(' ').map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(struck(Who::All, Count::All), ["n1", "n2", "n3"]);
    assert_eq!(struck(Who::All, Count::Some(2)).len(), 2);
    assert_eq!(struck(Who::Minority, Count::All).len(), 1);
    assert_eq!(struck(Who::Majority, Count::All).len(), 2);
    assert_eq!(struck(Who::Clients, Count::Half).len(), 2);
    assert_eq!(struck(Who::Role("leader".to_owned()), Count::All), ["n1"]);
    assert_eq!(struck(Who::Role("emperor".to_owned()), Count::All), ["nobody"]);
    assert_eq!(struck(Who::Zone("a".to_owned()), Count::All), ["n1", "n2", "n3"], "pausing a place spares its clients");
    let cut = split(vec![vec![target(Who::Zone("a".to_owned()))], vec![target(Who::Others)]]);
    let world = run(with_clients(3, 2).with_fault(once(cut, SECOND, SECOND)), 2 * SECOND);
    assert_eq!(world.strikes()[0].who, "n1 n2 n3 c1 c2 | nobody", "cutting it off does not");
}

/// All nodes down for 10 of 60 s under a constant load: the best anybody could do is 50 of 60, give or take a timeout.
#[test]
fn what_was_possible_is_known() {
    let crash = FaultKind::Crash { target: vec![target(Who::All)], disk: DiskFate::Keep, moment: Moment::Between };
    let world = run(three(1).with_fault(once(crash, 20 * SECOND, 10 * SECOND)), 60 * SECOND);
    let reach = world.reachability();
    let config = sim_core::settings::Settings::defaults();
    let ops = world.log().ops();
    let possible = |op: &&sim_core::oplog::LoggedOp<_>| {
        let end = op.deadline.min(world.now());
        !reach.when(op.client, op.invoked.time, end, |reach| Toy::can_serve(&config, &op.op, reach)).is_empty()
    };
    let possible = ops.iter().filter(possible).count();
    let achieved = ops.iter().filter(|op| op.served().is_some()).count();
    assert!(achieved <= possible);
    let expected = ops.len() * 50 / 60;
    assert!(possible.abs_diff(expected) <= ops.len() / 60, "{possible} of {}, expected {expected}", ops.len());
}

#[test]
fn an_order_is_given_to_whom_it_is_for_and_counts_if_it_is_taken_up() {
    let operate = |order: &str, to, about: Vec<Target>| {
        let operate = FaultKind::Operate { order: order.to_owned(), to: vec![target(to)], about };
        let mut fault = once(operate, SECOND, 0);
        fault.when = When::At(vec![Strike { at: SECOND, length: None }]);
        let mut setup = three(1);
        setup.nodes[1].role = "observer";
        let world = run(setup.with_fault(fault), 2 * SECOND);
        let orders = |n| toy(&world, n).orders.clone();
        let [StrikeReport { from: SECOND, to: SECOND, effects, who, .. }] = &world.strikes()[..] else {
            panic!("it is over at once: {:?}", world.strikes())
        };
        (who.clone(), *effects, [orders(0), orders(1), orders(2)])
    };
    let told = |who: &str, effects, orders: [&[u64]; 3]| (who.to_owned(), effects, orders.map(<[u64]>::to_vec));
    let leader = || Who::Role("leader".to_owned());
    assert_eq!(operate("bonus", leader(), vec![]), told("n1: bonus", 1, [&[7], &[], &[]]));
    assert_eq!(operate("bonus", Who::All, vec![]), told("n1 n2 n3: bonus", 2, [&[7], &[], &[7]]), "n2 takes none up");
    let (who, effects, orders) = operate("honour", leader(), vec![target(Who::All)]);
    assert_eq!((effects, orders[0].len()), (1, 1), "about one of all");
    assert_eq!(who, format!("n1: honour n{}", orders[0][0]));
    let some = vec![node(1), node(2)];
    assert_eq!(operate("honours", Who::Node(NodeId(2)), some), told("n3: honours n2 n3", 1, [&[], &[], &[5]]));
    let emperor = vec![target(Who::Role("emperor".to_owned()))];
    assert_eq!(operate("honour", leader(), emperor), told("nobody: honour", 0, [&[], &[], &[]]), "about nobody");
    assert_eq!(
        operate("bonus", Who::Clients, vec![]),
        told("nobody: bonus", 0, [&[], &[], &[]]),
        "clients obey nobody"
    );
}

#[test]
fn an_order_to_a_node_that_is_down_has_no_effect() {
    let operate = FaultKind::Operate { order: "bonus".to_owned(), to: vec![node(0)], about: vec![] };
    let crash = FaultKind::Crash { target: vec![node(0)], disk: DiskFate::Keep, moment: Moment::Between };
    let mut operate = once(operate, 1500 * MILLISECOND, 0);
    operate.when = When::At(vec![Strike { at: 1500 * MILLISECOND, length: None }]);
    let setup = three(1).with_fault(once(crash, SECOND, SECOND)).with_fault(operate);
    let world = run(setup, 3 * SECOND);
    assert_eq!((world.strikes()[1].effects, toy(&world, 0).orders.len()), (0, 0));
}

/// The order is repeated until somebody takes it up, and no longer than the operator has patience.
#[test]
fn an_operator_with_patience_tries_again() {
    let orders = |patience: Nanos| {
        let operate = FaultKind::Operate { order: "bonus".to_owned(), to: vec![node(0)], about: vec![] };
        let crash = FaultKind::Crash { target: vec![node(0)], disk: DiskFate::Keep, moment: Moment::Between };
        let setup = three(1).with_fault(once(crash, SECOND, SECOND));
        let world = run(setup.with_fault(once(operate, 1500 * MILLISECOND, patience)), 5 * SECOND);
        let strike = &world.strikes()[1];
        (strike.effects, toy(&world, 0).orders.len(), strike.to)
    };
    let (effects, taken, until) = orders(SECOND);
    assert_eq!((effects, taken), (1, 1), "once it is up again, and not again after that");
    assert!((2 * SECOND..2100 * MILLISECOND).contains(&until), "{until}");
    assert_eq!(orders(400 * MILLISECOND), (0, 0, 1900 * MILLISECOND));
}

/// Wherever in a step a node dies, what it had acknowledged is on its disk; a hasty node acknowledges first.
#[test]
fn a_crash_within_a_step_takes_nothing_that_was_acknowledged() {
    let lost = |hasty: bool| {
        let mut found = 0;
        for seed in 0..40 {
            let (target, disk) = (vec![node(0)], DiskFate::LoseUnsynced);
            let crash = FaultKind::Crash { target, disk, moment: Moment::Within };
            let mut setup = three(seed).with_fault(once(crash, SECOND + 10 * MILLISECOND, 100 * MILLISECOND));
            setup.nodes[0].config.hasty = hasty;
            let mut world = World::new(setup);
            world.run_until(SECOND);
            while world.processes().get(NodeId(0)).is_some() {
                assert!(world.step(2 * SECOND), "it dies");
            }
            // What it said before it died is still on its way.
            world.run_until(world.now() + 5 * MILLISECOND);
            let acknowledged = world.log().ops().iter().filter(|op| op.client.0 == 0 && op.served().is_some()).count();
            world.run_until(world.now() + 95 * MILLISECOND);
            assert_eq!((toy(&world, 0).why, world.breach()), (Why::Restart, None));
            found += usize::from((toy(&world, 0).sum as usize) < acknowledged);
        }
        found
    };
    assert_eq!(lost(false), 0);
    assert!(lost(true) > 0);
}

/// Clients have clocks, too; and overlapping faults add up and are taken back one by one.
#[test]
fn a_fast_clock_makes_a_client_ask_more_while_it_lasts() {
    let harm = ClockHarm { rate_ppb: 500_000_000, ..ClockHarm::NONE };
    let fast = || FaultKind::Clock { target: vec![target(Who::Client(ClientId(0)))], harm };
    let mut second = once(fast(), 20 * SECOND, 10 * SECOND);
    second.name = "clock-2".to_owned();
    let world = run(three(1).with_fault(once(fast(), 10 * SECOND, 20 * SECOND)).with_fault(second), 40 * SECOND);
    let asked = |from: u64| {
        let mine = world.log().ops().iter().filter(|op| op.client == ClientId(0));
        mine.filter(|op| (from * SECOND..(from + 10) * SECOND).contains(&op.invoked.time)).count()
    };
    let usual = asked(0);
    for (from, tenths) in [(10, 15), (20, 20), (30, 10)] {
        assert!((asked(from) * 10).abs_diff(usual * tenths) < usual, "{} from {from}, {usual} as a rule", asked(from));
    }
    let effects: Vec<u64> = world.strikes().iter().map(|strike| strike.effects).collect();
    assert!(effects[0] > effects[1] && effects[1] > asked(20) as u64, "{effects:?}");
}
