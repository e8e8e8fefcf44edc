//! What a protocol must be able to say: parts, roles, orders, unasked replies, clients with clocks of their own.

mod toy;

use sim_core::Clock;
use sim_core::delay::Delay;
use sim_core::fault::{DiskFate, FaultKind, Moment, Who};
use sim_core::protocol::{ClientId, NodeId, Ticket};
use sim_core::time::{MILLISECOND, SECOND};
use sim_core::trace::{ALWAYS, What};
use sim_core::world::World;
use toy::{Toy, once, target, three};

fn toy(world: &World<Toy>, n: u32) -> &Toy {
    world.processes().get(NodeId(n)).expect("the node is up")
}

#[test]
fn a_part_speaks_its_own_words_in_the_hosts() {
    let mut world = World::new(three(1));
    world.run_until(SECOND);
    assert!(toy(&world, 2).greeter.heard > 20, "its alarms rang and its messages came back");
}

#[test]
fn nodes_know_their_role_and_obey_orders() {
    let mut setup = three(1);
    setup.nodes[2].role = "observer";
    let mut world = World::new(setup);
    world.run_until(SECOND);
    world.operate(NodeId(1), 77);
    world.run_until(SECOND + MILLISECOND);
    assert_eq!((toy(&world, 0).role, toy(&world, 2).role), ("keeper", "observer"));
    assert_eq!(toy(&world, 1).orders, [77]);
}

#[test]
fn a_client_hears_what_it_did_not_ask_for() {
    let mut setup = three(1);
    setup.trace = vec![ALWAYS];
    let mut world = World::new(setup);
    world.run_until(SECOND);
    let changes =
        world.take_rows().into_iter().filter(|row| row.what == What::Reply && row.text.starts_with("Changed"));
    assert!(changes.count() > 30, "one a change");
}

#[test]
fn a_record_on_its_way_holds_nothing_back_and_is_heard_of() {
    let mut setup = three(1);
    setup.nodes[0].config.pipelined = true;
    setup.nodes[0].fsync = Delay::Fixed(100 * MILLISECOND);
    let mut world = World::new(setup);
    world.run_until(SECOND);
    let served = world.log().ops().iter().filter(|op| op.client == ClientId(0) && op.served().is_some()).count();
    assert!(served > 30, "answers do not wait for the disk");
    let landed = &toy(&world, 0).landed;
    assert!(landed.len() > 30 && landed.is_sorted() && landed[0] == Ticket(0), "{landed:?}");
}

#[test]
fn a_client_is_a_process_too() {
    let crash = FaultKind::Crash {
        target: vec![target(Who::Client(ClientId(1)))],
        disk: DiskFate::Keep,
        moment: Moment::Between,
    };
    let mut world = World::new(three(1).with_fault(once(crash, SECOND, SECOND)));
    world.run_until(3 * SECOND);
    let asked = |from, to| {
        let mine = world.log().ops().iter().filter(|op| op.client == ClientId(1));
        mine.filter(|op| (from..to).contains(&op.invoked.time)).count()
    };
    assert!(asked(0, SECOND) > 30 && asked(2 * SECOND, 3 * SECOND) > 30);
    assert_eq!(asked(SECOND + 1, 2 * SECOND), 0);
}

#[test]
fn a_fast_clock_does_more_in_the_same_time() {
    let invoked = |drift_ppb| {
        let mut setup = three(1);
        setup.clients[0].clock = Clock::new(0, drift_ppb);
        let mut world = World::new(setup);
        world.run_until(10 * SECOND);
        world.log().ops().iter().filter(|op| op.client == ClientId(0)).count()
    };
    let (right, fast) = (invoked(0), invoked(500_000_000));
    assert!(fast * 10 > right * 14 && fast * 10 < right * 16, "{right} and half as many again, {fast}");
}

#[test]
fn a_slow_cpu_makes_work_wait() {
    let mut setup = three(1);
    setup.nodes[0].cpu = Delay::Fixed(20 * MILLISECOND);
    let mut world = World::new(setup);
    world.run_until(2 * SECOND);
    let served =
        |client| world.log().ops().iter().filter(|op| op.client == ClientId(client) && op.served().is_some()).count();
    assert!(served(0) < 10, "an overloaded node serves nobody in time: {}", served(0));
    assert!(served(1) > 80, "the others do not care: {}", served(1));
}

#[test]
fn a_broken_law_stops_the_world_at_that_step() {
    let mut world = World::new(three(1));
    world.run_until(SECOND);
    assert_eq!(world.breach(), None);
    world.operate(NodeId(1), 2_000_000);
    world.run_until(2 * SECOND);
    let breach = world.breach().expect("a sum of two millions is unlawful");
    assert_eq!(breach.law, "sums stay small");
    assert!(world.now() < SECOND + MILLISECOND, "nothing happened after it");
}
