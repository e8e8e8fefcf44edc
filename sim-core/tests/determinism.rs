//! A run is a function of its setup, and of nothing else.

mod toy;

use sim_core::delay::Delay;
use sim_core::dice::Ratio;
use sim_core::fault::{ClockHarm, DiskFate, Fault, FaultKind, Flap, Moment, Pick, Place, PlaceKind, Shape, Spoil, Who};
use sim_core::setup::Setup;
use sim_core::time::{MILLISECOND, SECOND};
use sim_core::trace::{ALWAYS, Row, What};
use sim_core::world::World;
use std::collections::BTreeMap;
use toy::{Toy, node, once, split, target, three, with_clients};

/// A run in which much goes wrong.
fn stormy(seed: u64) -> Setup<Toy> {
    three(seed)
        .with_fault(once(split(vec![vec![target(Who::Any)], vec![target(Who::Others)]]), SECOND, SECOND))
        .with_fault(once(
            FaultKind::Crash { target: vec![target(Who::Minority)], disk: DiskFate::Torn, moment: Moment::Between },
            2 * SECOND,
            SECOND,
        ))
        .with_fault(once(
            FaultKind::Pause { target: vec![node(2)], messages_only: false },
            3 * SECOND,
            300 * MILLISECOND,
        ))
}

fn fingerprint(setup: Setup<Toy>) -> u64 {
    let mut world = World::new(setup);
    world.run_until(5 * SECOND);
    assert!(world.steps() > 1000, "something happened");
    world.fingerprint()
}

#[test]
fn the_same_setup_gives_the_same_run_and_another_seed_another() {
    assert_eq!(fingerprint(stormy(1)), fingerprint(stormy(1)));
    assert_ne!(fingerprint(stormy(1)), fingerprint(stormy(2)));
}

/// The same in debug and release builds and on every machine. If this changes, seeds have changed their meaning.
#[test]
fn the_fingerprint_is_frozen() {
    assert_eq!(format!("{:016x}", fingerprint(stormy(1))), "2a268d2111a2876d");
}

#[test]
fn a_trace_changes_nothing() {
    let mut traced = stormy(1);
    traced.trace = vec![ALWAYS];
    let mut world = World::new(traced);
    world.run_until(5 * SECOND);
    assert_eq!(world.fingerprint(), fingerprint(stormy(1)));
    assert!(world.take_rows().len() > 1000);
}

fn traced(stretches: Vec<(u64, u64)>) -> Vec<Row> {
    let mut setup = stormy(1);
    setup.trace = stretches;
    let mut world = World::new(setup);
    // In pieces, as a long run is.
    (1..=50)
        .flat_map(|tenth| {
            world.run_until(tenth * 100 * MILLISECOND);
            world.take_rows()
        })
        .collect()
}

/// A step keeps a CPU busy until what it asks for leaves, a flush keeps a disk busy; nothing else takes time.
#[test]
fn what_takes_time_says_how_long() {
    let rows = traced(vec![ALWAYS]);
    let flushes: Vec<&Row> = rows.iter().filter(|row| row.what == What::Flush).collect();
    assert!(flushes.len() > 100 && flushes.iter().all(|row| row.takes > 0 && row.from.starts_with('n')));
    let is_step = |row: &&Row| matches!(row.what, What::Message | What::Request | What::Timer | What::OnDisk);
    let steps: Vec<&Row> = rows.iter().filter(is_step).filter(|row| row.to.starts_with('n')).collect();
    assert!(steps.iter().all(|row| row.takes > 0), "a CPU is never infinitely fast here");
    assert!(rows.iter().filter(|row| row.to.starts_with('c')).all(|row| row.takes == 0), "clients are quick");
    for pair in steps.iter().filter(|row| row.to == "n2").collect::<Vec<_>>().windows(2) {
        assert!(pair[0].at + pair[0].takes <= pair[1].at, "one step at a time: {pair:?}");
    }
}

/// Whatever arrives or is lost was sent before, and what was sent long ago has arrived or was lost.
#[test]
fn every_message_is_told_of_when_it_leaves_and_when_its_way_ends() {
    let rows = traced(vec![ALWAYS]);
    assert!(rows.is_sorted_by_key(|row| (row.at, row.step)));
    let mut under_way: Vec<&Row> = Vec::new();
    let mut ends = [0, 0];
    let mut sent_as = BTreeMap::new();
    for row in &rows {
        let is_end = |sent: &Row| {
            let tells_of_it = if row.what == What::Lost {
                row.text.strip_prefix(&*sent.text).is_some_and(|why| why.starts_with(": "))
            } else {
                row.text == sent.text
            };
            (&sent.from, &sent.to) == (&row.from, &row.to) && tells_of_it
        };
        match row.what {
            What::Sent => {
                under_way.push(row);
                sent_as.insert(row.letter.expect("it was sent").number, row);
            }
            What::Message | What::Request | What::Reply | What::Lost => {
                let letter = row.letter.unwrap_or_else(|| panic!("{row:?} was never sent"));
                assert!(is_end(sent_as[&letter.number]) && sent_as[&letter.number].at <= row.at, "{row:?}");
                let sent = under_way.iter().position(|sent| is_end(sent));
                under_way.remove(sent.unwrap_or_else(|| panic!("{row:?} was never sent")));
                ends[usize::from(row.what == What::Lost)] += 1;
            }
            What::Timer
            | What::OnDisk
            | What::Flush
            | What::Admin
            | What::Start
            | What::Crash
            | What::Corrupt
            | What::Role
            | What::Opinion
            | What::Recovery
            | What::Fault
            | What::Heal => {}
        }
    }
    assert!(ends[0] > 1000 && ends[1] > 10, "{ends:?}");
    assert!(under_way.iter().all(|sent| sent.at > 4 * SECOND), "{:?}", under_way.first());
}

#[test]
fn a_trace_of_some_stretches_is_that_part_of_the_whole() {
    let stretches = [(SECOND, SECOND + 20 * MILLISECOND), (3 * SECOND, 4 * SECOND)];
    // Letters are counted from where a trace begins.
    let anonymous = |row: Row| Row { letter: None, ..row };
    let some: Vec<Row> = traced(stretches.to_vec()).into_iter().map(anonymous).collect();
    let is_within = |row: &&Row| stretches.iter().any(|(from, to)| (*from..=*to).contains(&row.at));
    let whole: Vec<Row> = traced(vec![ALWAYS]).into_iter().map(anonymous).collect();
    // What leaves at the end of a step is told of with the step, so at the ends of a stretch a row may be beyond.
    let (part, inside): (Vec<&Row>, Vec<&Row>) =
        (whole.iter().filter(is_within).collect(), some.iter().filter(is_within).collect());
    assert!(part.len() > 500 && part.len().abs_diff(inside.len()) <= 4 && some.len().abs_diff(inside.len()) <= 4);
}

#[test]
fn one_flipped_payload_bit_changes_the_fingerprint() {
    let mut flipped = stormy(1);
    flipped.nodes[1].config.salt = 1;
    assert_ne!(fingerprint(flipped), fingerprint(stormy(1)));
}

#[test]
fn it_does_not_matter_in_how_many_pieces_a_run_is_run() {
    let mut world = World::new(stormy(1));
    for stop in 1..=500 {
        world.run_until(stop * 10 * MILLISECOND);
        assert_eq!(world.now(), stop * 10 * MILLISECOND);
    }
    assert_eq!(world.fingerprint(), fingerprint(stormy(1)));
}

#[test]
fn a_clone_has_the_same_future_and_a_fork_another() {
    let mut world = World::new(stormy(1));
    world.run_until(1500 * MILLISECOND);
    let ahead = |mut world: World<Toy>| {
        world.run_until(5 * SECOND);
        world.fingerprint()
    };
    let same = ahead(world.clone());
    assert_eq!(same, fingerprint(stormy(1)));
    let (one, two) = (ahead(world.fork(1)), ahead(world.fork(2)));
    assert_eq!(one, ahead(world.fork(1)), "a fork can be taken again");
    assert!(one != same && two != same && one != two, "three futures of one moment");
}

/// Adding a client must not shift what other machines draw: who is struck, when links are slow, how long flushes take.
#[test]
fn another_client_leaves_other_streams_alone() {
    let struck = |clients: u32| {
        let crash = FaultKind::Crash { target: vec![target(Who::Any)], disk: DiskFate::Keep, moment: Moment::Between };
        let mut world = World::new(with_clients(7, clients).with_fault(once(crash, SECOND, SECOND)));
        world.run_until(2 * SECOND);
        let first = world.log().ops().iter().filter(|op| op.client.0 < 2).map(|op| op.invoked.time).collect::<Vec<_>>();
        (world.strikes()[0].who.clone(), first)
    };
    assert_eq!(struck(2), struck(3));
}

/// A fault more must not shift what others draw: whom they strike, when clients ask.
#[test]
fn another_fault_leaves_other_streams_alone() {
    let struck = |another: Option<FaultKind>| {
        let crash = |moment| FaultKind::Crash { target: vec![target(Who::Any)], disk: DiskFate::Torn, moment };
        let mut second = once(crash(Moment::Within), 3 * SECOND, 100 * MILLISECOND);
        second.name = "the second".to_owned();
        let setup = three(7).with_fault(once(crash(Moment::Between), 2 * SECOND, 100 * MILLISECOND)).with_fault(second);
        let setup = match another {
            Some(kind) => {
                setup.with_fault(Fault { name: "another".to_owned(), ..once(kind, SECOND, 100 * MILLISECOND) })
            }
            None => setup,
        };
        let mut world = World::new(setup);
        world.run_until(4 * SECOND);
        let who: Vec<String> =
            world.strikes().into_iter().filter(|strike| strike.fault < 2).map(|strike| strike.who).collect();
        let asked: Vec<_> = world.log().ops().iter().map(|op| (op.client, op.invoked.time)).collect();
        let has_bitten = world.strikes().iter().filter(|strike| strike.fault == 2).all(|s| s.effects > 0);
        assert!(has_bitten, "{:?}", world.strikes());
        (who, asked)
    };
    let any = || vec![target(Who::Any)];
    let alone = struck(None);
    for another in [
        FaultKind::Crash { target: any(), disk: DiskFate::Torn, moment: Moment::Within },
        FaultKind::Clock {
            target: any(),
            harm: ClockHarm { step: 30_000_000, rate_ppb: 100_000_000, ..ClockHarm::NONE },
        },
        FaultKind::Clock { target: any(), harm: ClockHarm { freeze: true, ..ClockHarm::NONE } },
        FaultKind::Cpu { target: any(), slower: Ratio::new(5, 2), extra: Delay::Uniform { min: 0, max: 100_000 } },
        FaultKind::Operate { order: "honour".to_owned(), to: any(), about: any() },
        FaultKind::Link {
            from: any(),
            to: vec![target(Who::All)],
            one_way: false,
            spoil: Box::new(Spoil {
                duplicate: Ratio::new(1, 2),
                duplicate_after: Delay::Uniform { min: 0, max: SECOND },
                reorder: Ratio::new(1, 2),
                reorder_by: Delay::Uniform { min: 0, max: SECOND },
                corrupt: Ratio::new(1, 10),
                ..Spoil::NONE
            }),
            flap: Some(Flap { up: (MILLISECOND, SECOND), down: (MILLISECOND, SECOND) }),
        },
        FaultKind::Shape { shape: Shape::Bridge, order: any(), flap: None },
        FaultKind::Drop {
            from: Vec::new(),
            to: any(),
            pick: Pick { kinds: Vec::new(), share: Ratio::new(1, 2), count: None },
        },
        FaultKind::Outage { places: vec![Place::Drawn(1, PlaceKind::Zones)], disk: DiskFate::Torn },
    ] {
        assert_eq!(struck(Some(another.clone())), alone, "with {another:?}");
    }
}
