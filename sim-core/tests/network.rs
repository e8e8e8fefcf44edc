//! What faults do to the network, seen from a toy: shapes of cuts, what comes and goes, messages picked out, places gone.

mod toy;

use sim_core::delay::Delay;
use sim_core::dice::Ratio;
use sim_core::fault::{
    Bandwidth, Count, DiskFate, Fault, FaultKind, Flap, Pick, Place, PlaceKind, Shape, Spoil, Strike, Target, When, Who,
};
use sim_core::protocol::{ClientId, NodeId};
use sim_core::setup::Setup;
use sim_core::time::{MILLISECOND, Nanos, SECOND};
use sim_core::topology::Topology;
use sim_core::trace::{ALWAYS, What};
use sim_core::world::World;
use toy::{Toy, node, once, split, target, three, with_clients};

fn run(setup: Setup<Toy>, until: Nanos) -> World<Toy> {
    let mut world = World::new(setup);
    world.run_until(until);
    world
}

/// Five toys, each with a client of its own.
fn five(seed: u64) -> Setup<Toy> {
    let mut setup = with_clients(seed, 5);
    setup.nodes = vec![setup.nodes[0].clone(); 5];
    setup
}

/// By node: whose sums it has heard.
fn heard(world: &World<Toy>) -> Vec<Vec<u32>> {
    let of = |toy: &Toy| {
        let mut from: Vec<u32> = toy.said.iter().map(|(from, _)| from.0).collect();
        from.sort_unstable();
        from.dedup();
        from
    };
    world.processes().iter().map(|(_, toy)| of(toy)).collect()
}

fn shape(shape: Shape, order: Vec<Target>) -> FaultKind {
    FaultKind::Shape { shape, order, flap: None }
}

fn always(kind: FaultKind) -> Fault {
    once(kind, 0, 100 * SECOND)
}

#[test]
fn who_stands_in_a_shape_hears_its_neighbours() {
    let in_order = || (0..5).map(node).collect::<Vec<_>>();
    let heard_in = |kind: FaultKind| heard(&run(five(1).with_fault(always(kind)), 2 * SECOND));
    let bridge: [&[u32]; 5] = [&[1, 2, 3, 4], &[0, 2], &[0, 1], &[0, 4], &[0, 3]];
    assert_eq!(heard_in(shape(Shape::Bridge, in_order())), bridge);
    let star: [&[u32]; 5] = [&[1, 2, 3, 4], &[0], &[0], &[0], &[0]];
    assert_eq!(heard_in(shape(Shape::Star, in_order())), star);
    let chain: [&[u32]; 5] = [&[1], &[0, 2], &[1, 3], &[2, 4], &[3]];
    assert_eq!(heard_in(shape(Shape::Chain, in_order())), chain);
    let ring: [&[u32]; 5] = [&[1, 4], &[0, 2], &[1, 3], &[2, 4], &[0, 3]];
    assert_eq!(heard_in(shape(Shape::Ring, in_order())), ring);
}

/// Clients hear everybody, and so whatever a shape does, all could be served.
#[test]
fn whom_a_shape_does_not_name_is_drawn_and_clients_are_in_none() {
    let mut lines = Vec::new();
    for seed in 0..40 {
        let world = run(five(seed).with_fault(always(shape(Shape::Star, vec![node(3)]))), SECOND);
        let report = &world.strikes()[0];
        assert!(report.who.starts_with("n4 - ") && report.effects > 100, "{report:?}");
        assert_eq!(report.met, [(node(3), vec!["n4".to_owned()])]);
        assert!(world.log().ops().iter().filter(|op| op.served().is_some()).count() > 100);
        lines.push(report.who.clone());
    }
    lines.sort();
    lines.dedup();
    assert!(lines.len() > 10, "the others stand in any order: {lines:?}");
}

#[test]
fn who_is_named_in_two_groups_hears_both() {
    let named = |nodes: [u32; 3]| nodes.map(node).to_vec();
    let world = run(five(1).with_fault(always(split(vec![named([0, 1, 2]), named([2, 3, 4])]))), 2 * SECOND);
    let both: [&[u32]; 5] = [&[1, 2], &[0, 2], &[0, 1, 3, 4], &[2, 4], &[2, 3]];
    assert_eq!(heard(&world), both);
    assert_eq!(world.strikes()[0].who, "n1 n2 n3 | n3 n4 n5");
    // Drawn once, whoever it is.
    let one = || Target { count: Count::Some(1), who: Who::All };
    let (left, right) = (vec![one(), node(0), node(1)], vec![one(), node(3), node(4)]);
    for seed in 0..20 {
        let world = run(five(seed).with_fault(always(split(vec![left.clone(), right.clone()]))), SECOND);
        let sides = world.strikes()[0].who.clone();
        let sides: Vec<Vec<&str>> = sides.split(" | ").map(|side| side.split(' ').collect()).collect();
        let on_both = sides[0].iter().filter(|name| sides[1].contains(name)).count();
        assert_eq!(on_both, 1, "{sides:?}");
    }
}

/// By the same target; by different ones it stays with the first, so that a leader is cut off from whoever it is.
#[test]
fn who_is_met_in_two_groups_stays_with_the_first() {
    let leader = target(Who::Role("leader".to_owned()));
    let groups = vec![vec![leader], vec![node(0), node(1), node(2)]];
    let cut = once(split(groups), SECOND, SECOND);
    assert_eq!(run(three(1).with_fault(cut), 2 * SECOND).strikes()[0].who, "n1 | n2 n3");
}

fn flapping() -> FaultKind {
    let flap = Flap { up: (50 * MILLISECOND, 100 * MILLISECOND), down: (200 * MILLISECOND, 300 * MILLISECOND) };
    FaultKind::Partition { groups: vec![vec![node(0)], vec![node(1)]], one_way: false, flap: Some(flap) }
}

/// The bound must know of every moment in which there was a way.
#[test]
fn what_flaps_comes_and_goes_and_every_change_is_an_epoch() {
    let world = run(three(1).with_fault(once(flapping(), SECOND, 5 * SECOND)), 8 * SECOND);
    let reach = world.reachability();
    let is_joined = |at: Nanos| reach.peers(NodeId(0), at).contains(&NodeId(1));
    let changes: Vec<Nanos> = reach.changes(0, 8 * SECOND).collect();
    assert!((24..50).contains(&changes.len()), "5 s of 250 to 400 ms each, down and up: {changes:?}");
    assert_eq!((changes[0], is_joined(SECOND - 1), is_joined(SECOND)), (SECOND, true, false), "it begins with a cut");
    let last = *changes.last().expect("it flaps");
    assert!(last <= 6 * SECOND && is_joined(last) && is_joined(7 * SECOND), "its end is the end");
    for pair in changes.windows(2).filter(|pair| pair[1] < 6 * SECOND) {
        let range = if is_joined(pair[0]) { 50..=100 } else { 200..=300 };
        assert!(range.contains(&((pair[1] - pair[0]) / MILLISECOND)), "{pair:?}");
    }
    assert!(world.strikes()[0].effects > 20);
}

/// A link cut that flaps heals as often as it was cut, and healing everything ends it for good.
#[test]
fn whatever_flaps_ends_with_its_fault() {
    let flap = Some(Flap { up: (MILLISECOND, 20 * MILLISECOND), down: (MILLISECOND, 20 * MILLISECOND) });
    let links = FaultKind::CutLinks { links: vec!["local".to_owned()], flap };
    let spoil = Box::new(Spoil { delay: Delay::Fixed(MILLISECOND), ..Spoil::NONE });
    let slow = FaultKind::Link { from: vec![node(0)], to: vec![target(Who::All)], one_way: false, spoil, flap };
    for seed in 0..5 {
        let setup = three(seed).with_fault(always(links.clone())).with_fault(always(slow.clone()));
        let mut world = run(setup, 3 * SECOND);
        assert!(world.strikes().iter().all(|strike| strike.effects > 20), "{:?}", world.strikes());
        assert!(world.reachability().changes(0, 3 * SECOND).count() > 100);
        world.heal();
        let before = world.strikes();
        world.run_until(6 * SECOND);
        assert_eq!(world.strikes(), before);
        assert_eq!(world.reachability().peers(NodeId(0), 5 * SECOND).len(), 3);
        assert_eq!(world.reachability().changes(3 * SECOND, 6 * SECOND).count(), 0);
    }
}

#[test]
fn a_fork_flaps_at_other_times() {
    let world = run(three(1).with_fault(always(flapping())), SECOND);
    let changes = |mut world: World<Toy>| {
        world.run_until(3 * SECOND);
        world.reachability().changes(SECOND + 300 * MILLISECOND, 3 * SECOND).collect::<Vec<_>>()
    };
    assert_eq!(changes(world.clone()), changes(world.clone()));
    assert_ne!(changes(world.fork(1)), changes(world.clone()));
}

#[test]
fn what_is_damaged_is_told_of() {
    let spoil = Box::new(Spoil { corrupt: Ratio::new(1, 5), ..Spoil::NONE });
    let damage = FaultKind::Link { from: vec![node(0)], to: vec![node(1)], one_way: true, spoil, flap: None };
    let mut setup = three(1).with_fault(always(damage));
    setup.trace = vec![ALWAYS];
    let mut world = run(setup, 5 * SECOND);
    let rows = world.take_rows();
    let resent = rows.iter().filter(|row| row.what == What::Corrupt).count();
    let dropped = rows.iter().filter(|row| row.text.ends_with(": its checksum is wrong")).count();
    assert!(resent > 10 && dropped > 10, "{resent} {dropped}");
    assert_eq!(world.strikes()[0].effects, (resent + dropped) as u64);
    let is_meant = |what| rows.iter().filter(|row| row.what == what).all(|row| (&*row.from, &*row.to) == ("n1", "n2"));
    assert!(is_meant(What::Corrupt) && is_meant(What::Lost));
}

/// A link of the layout is shared by all who use it.
#[test]
fn a_narrow_room_is_narrow_for_everybody() {
    let served = |bytes_per_second| {
        let mut setup = three(1);
        setup.topology.limit("local", Bandwidth { bytes_per_second, queue: 10_000 });
        run(setup, 5 * SECOND).log().ops().iter().filter(|op| op.served().is_some()).count()
    };
    assert_eq!(served(1_000_000_000), served(10_000_000), "wide is wide");
    assert!(served(1_000_000) > 300);
    assert!(served(20_000) < 100, "two clients, sums and greetings are more than 20 KB a second");
}

fn dropping(kinds: &[&str], ends: [Vec<Target>; 2], share: Ratio, count: Option<u64>) -> FaultKind {
    let [from, to] = ends;
    let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    FaultKind::Drop { from, to, pick: Pick { kinds, share, count } }
}

const ALL: Ratio = Ratio::new(1, 1);

#[test]
fn messages_are_picked_out_by_kind_and_by_who_they_are_between() {
    let world = |kind: FaultKind| run(three(1).with_fault(always(kind)), 3 * SECOND);
    let anybody = || [vec![], vec![]];
    let calm = run(three(1), 3 * SECOND);
    let greeted = |world: &World<Toy>, n| world.processes().get(NodeId(n)).expect("it is up").greeter.heard;
    let silent = world(dropping(&["Sum"], anybody(), ALL, None));
    assert_eq!(heard(&silent), [[0; 0]; 3]);
    assert_eq!(greeted(&silent, 0), greeted(&calm, 0), "greetings pass as ever");
    let from_one = world(dropping(&["Sum", "Greeting"], [vec![node(0)], vec![node(1)]], ALL, None));
    assert_eq!(heard(&from_one), [&[1][..], &[], &[0, 1]], "the third client has none of its own");
    let served = |world: &World<Toy>| world.log().ops().iter().filter(|op| op.served().is_some()).count();
    for one_kind in ["Add", "Added"] {
        let unheard = world(dropping(&[one_kind], [vec![], vec![]], ALL, None));
        assert_eq!(served(&unheard), 0, "{one_kind}");
        assert_eq!(heard(&unheard) == heard(&calm), one_kind == "Added", "a request that is lost is not done");
    }
    let of_client = world(dropping(&[], [vec![target(Who::Client(ClientId(0)))], vec![]], ALL, None));
    assert!(served(&of_client) > 0 && served(&of_client) < served(&calm), "the other client is served");
}

/// The message alone vanishes: what comes behind it comes in order, and nothing is sent again.
#[test]
fn a_dropped_message_leaves_its_connection_whole() {
    let some = dropping(&["Sum"], [vec![node(0)], vec![node(2)]], Ratio::new(3, 10), None);
    let world = run(three(1).with_fault(always(some)), 5 * SECOND);
    let said = |world: &World<Toy>| -> Vec<u64> {
        let toy = world.processes().get(NodeId(2)).expect("it is up");
        toy.said.iter().filter(|(from, _)| *from == NodeId(0)).map(|(_, sum)| *sum).collect()
    };
    let (all, left, effects) = (said(&run(three(1), 5 * SECOND)), said(&world), world.strikes()[0].effects);
    assert!(left.is_sorted() && left.iter().all(|sum| all.contains(sum)));
    assert_eq!(left.len() as u64 + effects, all.len() as u64);
    assert!((20..40).contains(&(effects * 100 / all.len() as u64)), "{effects} of {}", all.len());
    let three_of = dropping(&["Sum"], [vec![node(0)], vec![node(2)]], ALL, Some(3));
    let world = run(three(1).with_fault(always(three_of)), 5 * SECOND);
    assert_eq!((said(&world), world.strikes()[0].effects), (all[3..].to_vec(), 3), "the first three");
}

/// Three zones in two regions of two providers, a toy and a client in each.
fn spread() -> Setup<Toy> {
    let mut topology = Topology::new();
    let zones = [("a", "east"), ("b", "east"), ("c", "west")].map(|(name, region)| topology.zone(name, region));
    [("one", 0), ("one", 1), ("two", 2)].iter().for_each(|(provider, zone)| topology.run_by(zones[*zone], *provider));
    for from in 0..3 {
        for to in 0..3 {
            let name = format!("{from} -> {to}");
            topology.link(zones[from], zones[to], name, Delay::Fixed(MILLISECOND), Ratio::ZERO, Ratio::ZERO);
        }
    }
    let mut setup = with_clients(1, 3);
    setup.topology = topology;
    for (zone, node) in zones.iter().zip(&mut setup.nodes) {
        node.zone = *zone;
    }
    for (zone, client) in zones.iter().zip(&mut setup.clients) {
        client.zone = *zone;
    }
    setup
}

fn outage(place: Place) -> FaultKind {
    FaultKind::Outage { places: vec![place], disk: DiskFate::LoseUnsynced }
}

#[test]
fn an_outage_takes_everything_in_its_place_and_gives_it_back() {
    for (place, gone, who) in [
        (Place::Zone("b".to_owned()), vec![1], "b: n2"),
        (Place::Region("east".to_owned()), vec![0, 1], "east: n1 n2"),
        (Place::Provider("one".to_owned()), vec![0, 1], "one: n1 n2"),
    ] {
        let world = run(spread().with_fault(once(outage(place), SECOND, SECOND)), 3 * SECOND);
        let reach = world.reachability();
        let peers = |at| (0..3).filter(|&n| !reach.peers(NodeId(n), at).is_empty()).collect::<Vec<_>>();
        let contacts = |at| (0..3).filter(|&c| !reach.contacts(ClientId(c), at).is_empty()).collect::<Vec<_>>();
        let left: Vec<u32> = (0..3).filter(|n| !gone.contains(n)).collect();
        let during = SECOND + SECOND / 2;
        assert_eq!((peers(during), contacts(during)), (left.clone(), left), "clients there talk to nobody");
        assert_eq!((peers(2 * SECOND), contacts(2 * SECOND)), (vec![0, 1, 2], vec![0, 1, 2]));
        let report = &world.strikes()[0];
        assert!(report.who == who && report.effects > gone.len() as u64, "{report:?}");
    }
}

#[test]
fn one_of_some_places_is_one_in_which_nodes_stand() {
    let mut struck = Vec::new();
    for strike in 0..40 {
        let mut setup = spread();
        // Nobody stands in b.
        setup.nodes[1].zone = setup.nodes[0].zone;
        setup.seed = strike;
        let fault = once(outage(Place::Drawn(1, PlaceKind::Zones)), SECOND, SECOND);
        struck.push(run(setup.with_fault(fault), SECOND).strikes()[0].who.clone());
    }
    struck.sort();
    struck.dedup();
    assert_eq!(struck, ["a: n1 n2", "c: n3"]);
}

/// Two places may be gone at once, and one be back before the other.
#[test]
fn overlapping_outages_end_one_by_one() {
    let strike = |at, length| Strike { at, length: Some(length) };
    let fault =
        |name: &str, place, strikes| Fault { name: name.to_owned(), kind: outage(place), when: When::At(strikes) };
    let east = fault("east", Place::Region("east".to_owned()), vec![strike(SECOND, 2 * SECOND)]);
    let zone = fault("a", Place::Zone("a".to_owned()), vec![strike(2 * SECOND, 2 * SECOND)]);
    let world = run(spread().with_fault(east).with_fault(zone), 5 * SECOND);
    let reach = world.reachability();
    let up = |at| (0..3).filter(|&n| reach.peers(NodeId(n), at).contains(&NodeId(n))).collect::<Vec<_>>();
    let halves = [1, 3, 5, 7, 9].map(|half| up(half * SECOND / 2));
    assert_eq!(halves, [vec![0, 1, 2], vec![2], vec![2], vec![1, 2], vec![0, 1, 2]]);
}
