//! What disks do, who hears of it, and what is left when the power goes.

mod toy;

use sim_core::delay::Delay;
use sim_core::dice::Ratio;
use sim_core::fault::{DiskFate, Fault, FaultKind, Moment};
use sim_core::harm::{DiskHarm, Failing, Failure, Refusal};
use sim_core::protocol::{ClientId, NodeId, Why};
use sim_core::time::{MILLISECOND, Nanos, SECOND};
use sim_core::world::World;
use toy::{Toy, node, once, three};

const ALL: Ratio = Ratio::new(1, 1);

fn disk(harm: DiskHarm, at: Nanos, length: Nanos) -> Fault {
    once(FaultKind::Disk { target: vec![node(0)], harm }, at, length)
}

fn power(at: Nanos) -> Fault {
    let crash = FaultKind::Crash { target: vec![node(0)], disk: DiskFate::LoseUnsynced, moment: Moment::Between };
    once(crash, at, 100 * MILLISECOND)
}

/// n1 keeps a sum in its journal, and tells client c1 of each addition.
fn run(faults: &[Fault], until: Nanos) -> World<Toy> {
    let setup = faults.iter().fold(three(1), |setup, fault| setup.with_fault(fault.clone()));
    let mut world = World::new(setup);
    world.run_until(until);
    world
}

fn is_up(world: &World<Toy>) -> bool {
    world.processes().get(NodeId(0)).is_some()
}

/// What n1 has kept, and how much it has confirmed.
fn kept_and_confirmed(world: &World<Toy>) -> (u64, u64) {
    let confirmed = world.log().ops().iter().filter(|op| op.client == ClientId(0) && op.served().is_some()).count();
    (world.processes().get(NodeId(0)).expect("it is up").sum, confirmed as u64)
}

#[test]
fn an_error_stops_its_process_and_what_rested_on_the_record_never_leaves() {
    for of in [Failing::Flush, Failing::Write] {
        let harm = DiskHarm { error: Some(Failure { of, share: None }), ..DiskHarm::NONE };
        let faults = [disk(harm, SECOND, 5 * SECOND)];
        let down = run(&faults, 1900 * MILLISECOND);
        assert!(!is_up(&down), "a {of} failed");
        assert_eq!(down.strikes()[0].effects, 1, "once, though it could fail for 5 s");
        let again = run(&faults, 4 * SECOND);
        assert_eq!(again.processes().get(NodeId(0)).map(|toy| toy.why), Some(Why::Restart), "a second later");
        let (kept, confirmed) = kept_and_confirmed(&again);
        assert!(confirmed > 100 && kept >= confirmed, "{confirmed} confirmed, {kept} kept");
    }
}

#[test]
fn a_disk_that_takes_no_writes_keeps_its_process_down() {
    let fails = |share| DiskHarm { error: Some(Failure { of: Failing::Flush, share: Some(share) }), ..DiskHarm::NONE };
    let refuses = |refusal| DiskHarm { refusal: Some(refusal), ..DiskHarm::NONE };
    for harm in [refuses(Refusal::Full), refuses(Refusal::ReadOnly), fails(ALL)] {
        let faults = [disk(harm, SECOND, 4 * SECOND)];
        assert!(!is_up(&run(&faults, 4900 * MILLISECOND)));
        let back = run(&faults, 7 * SECOND);
        let (kept, confirmed) = kept_and_confirmed(&back);
        assert!(is_up(&back) && kept >= confirmed);
        assert_eq!(back.strikes()[0].effects, 1, "it stopped at the first");
    }
    let healed = DiskHarm { refusal: Some(Refusal::Full), ..DiskHarm::NONE };
    let mut world = run(&[disk(healed, SECOND, 60 * SECOND)], 3 * SECOND);
    world.heal();
    world.run_until(4 * SECOND);
    assert!(is_up(&world), "it is back when everything heals");
}

#[test]
fn a_stalled_flush_ends_when_the_stall_does() {
    let stall = || DiskHarm { stall: true, ..DiskHarm::NONE };
    let longer = Fault { name: "longer".to_owned(), ..disk(stall(), 1500 * MILLISECOND, 2 * SECOND) };
    let world = run(&[disk(stall(), SECOND, SECOND), longer], 6 * SECOND);
    let answered = world.log().ops().iter().filter(|op| op.client == ClientId(0)).filter_map(|op| op.completed);
    let answered: Vec<Nanos> = answered.map(|mark| mark.time).collect();
    let served = |from: Nanos, to: Nanos| {
        let ops = world.log().ops().iter().filter(|op| op.client == ClientId(0)).filter_map(|op| op.served());
        ops.filter(|at| (from..to).contains(at)).count()
    };
    assert!(!answered.is_empty() && served(0, SECOND) > 30);
    assert_eq!(served(1010 * MILLISECOND, 3500 * MILLISECOND), 0, "both are over at 3.5 s");
    assert!(served(3600 * MILLISECOND, 6 * SECOND) > 80);
    assert_eq!(
        world.strikes().iter().map(|strike| strike.effects).collect::<Vec<_>>(),
        [1, 0],
        "one flush was held up"
    );
    assert_eq!(world.strain().slow_disk(NodeId(0)).len(), 1, "{:?}", world.strain().slow_disk(NodeId(0)));
    // Whose machine dies meanwhile does not find the flush of its former life.
    let crashed = run(&[disk(stall(), SECOND, 2 * SECOND), power(1500 * MILLISECOND)], 6 * SECOND);
    assert!(is_up(&crashed));
}

#[test]
fn a_slow_disk_is_slow() {
    let slow = DiskHarm { latency: Some(Delay::Fixed(200 * MILLISECOND)), ..DiskHarm::NONE };
    let world = run(&[disk(slow, SECOND, 2 * SECOND)], 6 * SECOND);
    let effects = world.strikes()[0].effects;
    assert!((9..=11).contains(&effects), "a flush each 200 ms for 2 s: {effects}");
}

/// Everything that a disk does in silence takes something that was confirmed, once the power goes, and nothing before.
#[test]
fn what_a_disk_does_in_silence_shows_when_the_power_goes() {
    let half = Ratio::new(1, 2);
    let silent = [
        DiskHarm { lie: ALL, ..DiskHarm::NONE },
        DiskHarm { lose: half, ..DiskHarm::NONE },
        DiskHarm { misdirect: half, ..DiskHarm::NONE },
    ];
    for harm in silent {
        let ill = disk(harm.clone(), SECOND, 9 * SECOND);
        let (kept, confirmed) = kept_and_confirmed(&run(std::slice::from_ref(&ill), 3 * SECOND));
        assert!(kept >= confirmed, "{harm:?}");
        let cut = run(&[ill, power(2 * SECOND)], 2200 * MILLISECOND);
        let (kept, confirmed) = kept_and_confirmed(&cut);
        assert!(kept < confirmed, "{harm:?}: {confirmed} confirmed, {kept} kept");
        assert!(cut.strikes().iter().all(|strike| strike.effects > 1), "{:?}", cut.strikes());
    }
    let (kept, confirmed) = kept_and_confirmed(&run(&[power(2 * SECOND)], 2200 * MILLISECOND));
    assert!(kept >= confirmed, "an honest disk keeps it all");
}

#[test]
fn rot_shows_at_the_next_start() {
    let rot =
        |count| Fault { name: "rot".to_owned(), ..disk(DiskHarm { rot: count, ..DiskHarm::NONE }, SECOND, SECOND) };
    for (count, rotten) in [(3, 3), (1_000_000, 49)] {
        let world = run(&[rot(count), power(1100 * MILLISECOND)], 1300 * MILLISECOND);
        let effects = world.strikes()[0].effects;
        assert!(effects.abs_diff(rotten) <= 3, "{effects} rotted of about 49 on disk");
        assert!(world.processes().get(NodeId(0)).expect("it is up").corrupt as u64 >= effects);
    }
}

/// Each fault throws its own dice on each disk.
#[test]
fn one_fault_of_a_disk_does_not_move_another() {
    let lies = disk(DiskHarm { lie: Ratio::new(1, 2), ..DiskHarm::NONE }, SECOND, 2 * SECOND);
    let loses = Fault {
        name: "other".to_owned(),
        ..disk(DiskHarm { lose: Ratio::new(1, 2), ..DiskHarm::NONE }, SECOND, 2 * SECOND)
    };
    let effects = |faults: &[Fault], name: &str| {
        let world = run(faults, 4 * SECOND);
        let index = faults.iter().position(|fault| fault.name == name).expect("it is there");
        world.strikes().iter().find(|strike| strike.fault == index).expect("it struck").effects
    };
    let (both, alone) = ([loses.clone(), lies.clone()], [lies]);
    assert_eq!(effects(&both, "disk-1"), effects(&alone, "disk-1"));
    assert_eq!(effects(&both, "other"), effects(&[loses], "other"));
}
