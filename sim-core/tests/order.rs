//! What comes first: streams, disks, CPUs and faults, each at the instant at which its order is hardest to keep.
//!
//! n1 follows a script and n2 notes what it hears, and when. Delays are fixed and nothing else is at work, so that a test
//! can arrange for two things to happen in the same nanosecond, and say to the nanosecond what follows.

mod toy;

use history::{Register, RegisterOp};
use sim_core::Clock;
use sim_core::delay::Delay;
use sim_core::dice::Ratio;
use sim_core::fault::{Bandwidth, ClockHarm, DiskFate, Fault, FaultKind, Moment, Spoil, Which};
use sim_core::laws::{Breach, Laws, Nodes};
use sim_core::promise::{Claim, Premise};
use sim_core::protocol::{
    Boot, Client, ClientBoot, ClientCtx, ClientId, Ctx, Never, NodeId, Protocol, Slot, Ticket, Vocabulary,
};
use sim_core::reach::Reach;
use sim_core::settings::{Flaw, Flaws, Key, Rejected, Settings, Values};
use sim_core::setup::Setup;
use sim_core::time::{MICROSECOND, MILLISECOND, Nanos, SECOND};
use sim_core::world::World;
use toy::{node, once, split};

const N2: NodeId = NodeId(1);

/// What a line of a script asks for.
#[derive(Clone, Copy, Debug)]
enum Ask {
    /// Sends this to n2.
    Say(u64),
    /// Sends this to n2 as a datagram.
    Toss(u64),
    /// Writes this down, and holds back what is said after it.
    Persist(u64),
    /// Writes these down in place of everything written before, and holds back what is said after them.
    Replace(&'static [u64]),
    /// Writes something down that holds nothing back, and says this when it is on disk.
    SayOnceOnDisk(u64),
}
use Ask::{Persist, Replace, Say, SayOnceOnDisk, Toss};

/// So long after its start, by its own clock, a process asks for this. At 0: while it starts.
type Line = (Nanos, Vec<Ask>);

#[derive(Clone, Debug, Default)]
struct Lines(Vec<Line>);

impl Settings for Lines {
    const KEYS: &'static [Key] = &[];
    const FLAWS: &'static [Flaw] = &[];
    fn build(_: &Values, _: Flaws) -> Result<Self, Rejected> {
        Ok(Lines::default())
    }
}

/// A process that does what its lines say, and listens.
#[derive(Clone)]
struct Script {
    lines: Vec<Line>,
    /// What its journal held when it began.
    read_back: Vec<Slot<u64>>,
    /// What it will say once something is on disk.
    promised: Vec<(Ticket, u64)>,
    heard: Vec<(u64, Nanos)>,
}

impl Vocabulary for Script {
    type Message = u64;
    /// The number of a line.
    type Timer = usize;
    type Record = u64;
    type Reply = Never;
}

impl Protocol for Script {
    type Request = Never;
    type Client = Nobody;
    type Admin = Never;
    type Config = Lines;
    type Data = Register;
    type Laws = NoThirteen;

    fn start(boot: Boot<'_, Self>, ctx: &mut Ctx<'_, Self>) -> Self {
        let lines = boot.config.0.clone();
        let mut script = Script { lines, read_back: boot.journal.to_vec(), promised: Vec::new(), heard: Vec::new() };
        for line in 0..script.lines.len() {
            match script.lines[line].0 {
                0 => script.on_timer(line, ctx),
                after => ctx.arm(line, after),
            }
        }
        script
    }
    fn on_message(&mut self, _: NodeId, word: u64, ctx: &mut Ctx<'_, Self>) {
        self.heard.push((word, ctx.now().since(Clock::EPOCH)));
    }
    fn on_timer(&mut self, line: usize, ctx: &mut Ctx<'_, Self>) {
        for ask in &self.lines[line].1 {
            match *ask {
                Say(word) => ctx.send(N2, word),
                Toss(word) => ctx.send_datagram(N2, word),
                Persist(record) => ctx.persist(record),
                Replace(records) => ctx.snapshot(records.to_vec()),
                SayOnceOnDisk(word) => self.promised.push((ctx.persist_later(0), word)),
            }
        }
    }
    fn on_disk(&mut self, ticket: Ticket, ctx: &mut Ctx<'_, Self>) {
        self.promised.iter().filter(|(promised, _)| *promised == ticket).for_each(|(_, word)| ctx.send(N2, *word));
    }
    fn on_request(&mut self, _: ClientId, request: Never, _: &mut Ctx<'_, Self>) {
        match request {}
    }
    fn can_serve(_: &Lines, _: &RegisterOp, _: &Reach<'_>) -> bool {
        false
    }
    fn promises(_: &Self::Config, _: Claim, _: &Premise) -> Result<(), String> {
        Ok(())
    }
}

/// No process begins with a 13 on its disk: a law for a script to break.
#[derive(Clone, Debug)]
struct NoThirteen;

impl Laws<Script> for NoThirteen {
    const NAMES: &'static [&'static str] = &["no thirteen"];
    fn new(_: usize) -> Self {
        NoThirteen
    }
    fn after_start(&mut self, node: NodeId, nodes: &Nodes<'_, Script>) -> Result<(), Breach> {
        match nodes.get(node).expect("it has just begun").read_back.contains(&Slot::Ok(13)) {
            true => Err(Breach { law: "no thirteen", detail: node.to_string() }),
            false => Ok(()),
        }
    }
    fn after_step(&mut self, _: NodeId, _: &Nodes<'_, Script>) -> Result<(), Breach> {
        Ok(())
    }
}

/// No test has clients.
#[derive(Clone)]
struct Nobody;

impl Client<Script> for Nobody {
    type Timer = Never;
    fn start(_: ClientBoot<'_, Script>, _: &mut ClientCtx<'_, Script>) -> Self {
        Nobody
    }
    fn on_reply(&mut self, _: NodeId, reply: Never, _: &mut ClientCtx<'_, Script>) {
        match reply {}
    }
    fn on_timer(&mut self, timer: Never, _: &mut ClientCtx<'_, Script>) {
        match timer {}
    }
}

/// n1 with these lines and n2 with none, `delay` apart; a flush takes 1 ms, and a step no time.
fn apart(delay: Nanos, lines: Vec<Line>) -> Setup<Script> {
    let mut setup = Setup::in_one_zone(1, 2, Lines::default(), Delay::Fixed(delay));
    setup.nodes[0].config = Lines(lines);
    for node in &mut setup.nodes {
        node.cpu = Delay::NONE;
    }
    flushing(MILLISECOND, setup)
}

fn script(lines: Vec<Line>) -> Setup<Script> {
    apart(MILLISECOND, lines)
}

/// 0, 1, 2 … from 10 ms on, a word every 50 ms.
fn counting(words: u64) -> Vec<Line> {
    (0..words).map(|i| ((10 + 50 * i) * MILLISECOND, vec![Say(i)])).collect()
}

fn flushing(fsync: Nanos, mut setup: Setup<Script>) -> Setup<Script> {
    for node in &mut setup.nodes {
        node.fsync = Delay::Fixed(fsync);
    }
    setup
}

fn thinking(cpu: Nanos, mut setup: Setup<Script>) -> Setup<Script> {
    setup.nodes[0].cpu = Delay::Fixed(cpu);
    setup
}

fn cut(at: Nanos, length: Nanos) -> Fault {
    once(split(vec![vec![node(0)], vec![node(1)]]), at, length)
}

fn crash(at: Nanos, length: Nanos) -> Fault {
    once(FaultKind::Crash { target: vec![node(0)], disk: DiskFate::Keep, moment: Moment::Between }, at, length)
}

fn pause(at: Nanos, length: Nanos) -> Fault {
    once(FaultKind::Pause { target: vec![node(0)], messages_only: false }, at, length)
}

fn run(setup: Setup<Script>, until: Nanos) -> World<Script> {
    let mut world = World::new(setup);
    world.run_until(until);
    world
}

/// What n2 heard, and in which millisecond.
fn heard(world: &World<Script>) -> Vec<(u64, Nanos)> {
    let n2 = world.processes().get(N2).expect("n2 is up");
    assert!(n2.heard.iter().all(|(_, at)| at.is_multiple_of(MILLISECOND)), "{:?}", n2.heard);
    n2.heard.iter().map(|(word, at)| (*word, at / MILLISECOND)).collect()
}

fn words(world: &World<Script>) -> Vec<u64> {
    world.processes().get(N2).expect("n2 is up").heard.iter().map(|(word, _)| *word).collect()
}

/// A stream keeps its order, even when a word arrives at the nanosecond at which earlier ones are retransmitted.
#[test]
fn a_stream_keeps_its_order_at_a_retransmission() {
    let world = run(script(counting(10)).with_fault(cut(5 * MILLISECOND, 100 * MILLISECOND)), SECOND);
    let heard = heard(&world);
    assert_eq!(heard[..6], [(0, 211), (1, 211), (2, 211), (3, 211), (4, 211), (5, 261)], "4 was sent at 210 ms");
    assert!(words(&world).into_iter().eq(0..10));
}

/// What `on_disk` sends does not overtake what waited for that flush.
#[test]
fn what_on_disk_sends_comes_after_what_waited_for_the_flush() {
    for cpu in [0, 10 * MICROSECOND] {
        // While the disk is busy with the first record, the next two come to share a flush.
        let busy = (10 * MILLISECOND, vec![Persist(0)]);
        let lines = vec![busy, (10_500 * MICROSECOND, vec![SayOnceOnDisk(1), Persist(0), Say(0)])];
        assert_eq!(words(&run(thinking(cpu, script(lines)), SECOND)), [0, 1], "steps of {cpu} ns");
    }
}

/// Nothing leaves before its step is done, even if what it waited for is on disk before that.
#[test]
fn nothing_leaves_before_its_step_is_done() {
    let lines = vec![(10 * MILLISECOND, vec![Persist(0), Say(0)]), (11 * MILLISECOND, vec![Say(1)])];
    let world = run(thinking(50 * MILLISECOND, flushing(5 * MILLISECOND, script(lines))), SECOND);
    // The first step takes from 10 to 60 ms, its flush until 65, the second step from 60 to 110.
    assert_eq!(heard(&world), [(0, 66), (1, 111)]);
}

/// A frozen process sends nothing, even if its disk lets go of something meanwhile.
#[test]
fn a_frozen_process_sends_nothing() {
    let lines = vec![(10 * MILLISECOND, vec![Persist(0), Say(0)])];
    let setup = flushing(10 * MILLISECOND, script(lines));
    let world = run(setup.with_fault(pause(12 * MILLISECOND, 500 * MILLISECOND)), SECOND);
    assert_eq!(heard(&world), [(0, 513)], "frozen from 12 to 512 ms, and on disk at 20 ms");
}

/// Whenever its sender dies, what is heard of a stream is how it began: there is no hole in it.
#[test]
fn a_dead_senders_stream_has_no_hole() {
    let said = [0, 1];
    for died in (0..100).map(|i| i * 10 * MILLISECOND + MILLISECOND) {
        let lines = vec![(10 * MILLISECOND, vec![Say(0)]), (160 * MILLISECOND, vec![Say(1)])];
        let setup = apart(100 * MILLISECOND, lines).with_fault(cut(5 * MILLISECOND, 500 * MILLISECOND));
        let world = run(setup.with_fault(crash(died, 5 * SECOND)), 3 * SECOND);
        assert!(said.starts_with(&words(&world)), "dead at {died} ns: {:?}", words(&world));
    }
}

/// Healing mends the network before it wakes processes: what they say at once arrives.
#[test]
fn healing_mends_the_network_before_it_wakes_processes() {
    let lines = vec![(0, vec![Say(0), Persist(0), Say(1)])];
    let asleep = [(crash(5 * MILLISECOND, SECOND), (0, 501)), (pause(5 * MILLISECOND, SECOND), (1, 501))];
    for (fault, first) in asleep {
        let setup = flushing(10 * MILLISECOND, script(lines.clone()));
        let mut world = run(setup.with_fault(fault).with_fault(cut(6 * MILLISECOND, SECOND)), 500 * MILLISECOND);
        assert_eq!(heard(&world), [(0, 1)]);
        world.heal();
        world.run_until(SECOND);
        let strikes = world.strikes();
        assert_eq!(heard(&world)[1], first, "after {}", strikes[0].who);
        assert_eq!(strikes[1].effects, 0, "nothing was said while the cut lasted");
    }
}

/// A breach is not forgotten when the same event lets another process take a step.
#[test]
fn a_breach_outlasts_the_event_that_it_was_found_in() {
    let both = FaultKind::Crash { target: vec![node(0), node(1)], disk: DiskFate::Keep, moment: Moment::Between };
    let setup = script(vec![(0, vec![Persist(13)])]).with_fault(once(both, 5 * MILLISECOND, 50 * MILLISECOND));
    let world = run(setup, SECOND);
    let breach = world.breach().expect("n1 read a 13 and broke the law, n2 began after it and kept it");
    assert_eq!((breach.law, &*breach.detail, world.now()), ("no thirteen", "n1", 55 * MILLISECOND));
}

/// Where all is lost nothing arrives, however often it is sent again.
#[test]
fn where_all_is_lost_nothing_arrives() {
    let lossy = FaultKind::Link {
        from: vec![node(0)],
        to: vec![node(1)],
        one_way: false,
        spoil: Box::new(Spoil { loss: Ratio::new(1, 1), ..Spoil::NONE }),
        flap: None,
    };
    let world = run(script(counting(300)).with_fault(once(lossy, 0, 100 * SECOND)), 20 * SECOND);
    assert_eq!(words(&world), [0; 0]);
    assert_eq!(world.strikes()[0].effects, 300, "one a word");
}

/// The cut of a link that meets a message in flight is to blame for its delay.
#[test]
fn a_link_cut_that_meets_a_message_in_flight_counts() {
    let links = FaultKind::CutLinks { links: vec!["local".to_owned()], flap: None };
    let setup = apart(100 * MILLISECOND, vec![(10 * MILLISECOND, vec![Say(0)])]);
    let world = run(setup.with_fault(once(links, 50 * MILLISECOND, 90 * MILLISECOND)), SECOND);
    assert_eq!(heard(&world), [(0, 310)], "it met the cut at 110 ms");
    assert_eq!(world.strikes()[0].effects, 1);
}

/// Every stall has one chain of retries: that of a connection which died with its sender is not taken over by the next.
#[test]
fn a_stall_has_one_chain_of_retries() {
    let setup = script(counting(30)).with_fault(cut(5 * MILLISECOND, 700 * MILLISECOND));
    let setup = setup.with_fault(crash(100 * MILLISECOND, MILLISECOND));
    let world = run(setup, SECOND);
    // What n1 said first stalled at 11 ms and died with it. Up again at 101 ms, its first word stalls at 112: it is
    // retried at 312 and 712. The retries of the old stall would have been due at 211 and 611 ms.
    assert_eq!(heard(&world)[0], (0, 712));
}

/// A connection that is given up while something waits on it takes that with it; the next one begins afresh.
#[test]
fn a_stalled_connection_that_times_out_is_followed_by_a_new_one() {
    let slow = FaultKind::Link {
        from: vec![node(0)],
        to: vec![node(1)],
        one_way: false,
        spoil: Box::new(Spoil { delay: Delay::Fixed(30 * SECOND), ..Spoil::NONE }),
        flap: None,
    };
    let setup = script(counting(20)).with_fault(cut(5 * MILLISECOND, 175 * MILLISECOND));
    let world = run(setup.with_fault(once(slow, 100 * MILLISECOND, 50 * MILLISECOND)), 2 * SECOND);
    // 0 and 1 waited when 2 was given up at 110 ms. 3 went into the cut on a new connection, stalled at 161 ms and was
    // retried 200 ms later.
    assert_eq!(words(&world), (3..20).collect::<Vec<_>>());
    assert_eq!(heard(&world)[0], (3, 361));
}

fn read_back(world: &World<Script>) -> Vec<u64> {
    let whole = |slot: &Slot<u64>| match slot {
        Slot::Ok(record) => *record,
        Slot::Corrupt => panic!("nothing was torn"),
    };
    world.processes().get(NodeId(0)).expect("n1 is up").read_back.iter().map(whole).collect()
}

/// Nothing leaves before the snapshot is on disk, and what it replaces is there until then.
#[test]
fn a_snapshot_is_a_write_like_any_other_until_it_takes_the_place_of_all_before_it() {
    let lines = || {
        vec![
            (10 * MILLISECOND, vec![Persist(1), Persist(2)]),
            (20 * MILLISECOND, vec![Replace(&[8, 9]), Say(7), Persist(3)]),
        ]
    };
    let world = run(script(lines()).with_fault(crash(30 * MILLISECOND, MILLISECOND)), 35 * MILLISECOND);
    assert_eq!((heard(&world), read_back(&world)), (vec![(7, 22)], vec![8, 9, 3]));
    let early = crash(20 * MILLISECOND + 500 * MICROSECOND, MILLISECOND);
    let world = run(script(lines()).with_fault(early), 25 * MILLISECOND);
    assert_eq!((heard(&world), read_back(&world)), (vec![], vec![1, 2, 8, 9, 3]), "old slots and new ones");
}

fn mid_step(seed: u64, disk: DiskFate, length: Nanos, lines: Vec<Line>) -> Setup<Script> {
    let mut setup = script(lines);
    setup.seed = seed;
    let crash = FaultKind::Crash { target: vec![node(0)], disk, moment: Moment::Within };
    setup.with_fault(once(crash, 5 * MILLISECOND, length))
}

/// Of n wishes that leave a mark a crash grants the first 0 to n - 1. Alarms are no mark, and a snapshot is one.
#[test]
fn a_crash_within_a_step_falls_between_any_two_of_its_effects() {
    let lines = || vec![(10 * MILLISECOND, vec![Say(1), Persist(2), Replace(&[3, 4]), Persist(5), Say(6)])];
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..60 {
        let world = run(mid_step(seed, DiskFate::Keep, 50 * MILLISECOND, lines()), 62 * MILLISECOND);
        assert_eq!(world.strikes()[0].effects, 1);
        seen.insert((words(&world), read_back(&world)));
    }
    let all = [(vec![], vec![]), (vec![1], vec![]), (vec![1], vec![2]), (vec![1], vec![2, 3, 4])];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [&all[..], &[(vec![1], vec![2, 3, 4, 5])]].concat());
    for seed in 0..20 {
        let world = run(mid_step(seed, DiskFate::LoseUnsynced, 50 * MILLISECOND, lines()), 62 * MILLISECOND);
        assert_eq!(read_back(&world), [0; 0], "the power went, too");
    }
}

#[test]
fn a_crash_within_a_step_waits_for_one_and_counts_its_length_from_there() {
    let lines = || vec![(10 * MILLISECOND, vec![]), (20 * MILLISECOND, vec![Say(1)])];
    let mut world = World::new(mid_step(1, DiskFate::Keep, 30 * MILLISECOND, lines()));
    let is_up = |world: &World<Script>| world.processes().get(NodeId(0)).is_some();
    for (until, up) in [(19, true), (20, false), (49, false), (50, true)] {
        world.run_until(until * MILLISECOND);
        assert_eq!(is_up(&world), up, "at {until} ms");
    }
    world.run_until(SECOND);
    let strike = &world.strikes()[0];
    assert_eq!((strike.to, strike.effects, &*strike.who), (50 * MILLISECOND, 1, "n1"));
    assert_eq!(words(&world), [1], "the only effect was not granted, and is asked for again after the restart");

    let world = run(mid_step(1, DiskFate::Keep, 10 * MILLISECOND, lines()), SECOND);
    let strike = &world.strikes()[0];
    assert_eq!((strike.to, strike.effects), (15 * MILLISECOND, 0), "it was over before there was a step to die in");
    assert_eq!(heard(&world), [(1, 21)]);
}

/// Who is to die in its next step, and is down already, dies while it starts again.
#[test]
fn a_crash_within_a_step_finds_a_node_that_recovers() {
    let lines = vec![(0, vec![Persist(1), Persist(2)])];
    let setup =
        mid_step(4, DiskFate::Keep, 50 * MILLISECOND, lines).with_fault(crash(2 * MILLISECOND, 8 * MILLISECOND));
    let mut world = World::new(setup);
    world.run_until(59 * MILLISECOND);
    assert!(world.processes().get(NodeId(0)).is_none(), "it died in its start, at 10 ms");
    world.run_until(60 * MILLISECOND);
    let found = read_back(&world);
    assert!(found == [1, 2] || found == [1, 2, 1], "{found:?}");
    assert_eq!(world.strikes()[1].effects, 1);
}

#[test]
fn healing_spares_whom_a_crash_within_a_step_has_not_killed_yet() {
    let both = FaultKind::Crash { target: vec![node(0), node(1)], disk: DiskFate::Keep, moment: Moment::Within };
    let setup = script(vec![(10 * MILLISECOND, vec![Say(1)]), (30 * MILLISECOND, vec![Say(2)])]);
    let mut world = World::new(setup.with_fault(once(both, 5 * MILLISECOND, 100 * SECOND)));
    world.run_until(20 * MILLISECOND);
    assert!(world.processes().get(NodeId(0)).is_none());
    world.heal();
    world.run_until(SECOND);
    assert_eq!((heard(&world), world.strikes()[0].to), (vec![(1, 31), (2, 51)], 20 * MILLISECOND));
}

fn wrong_clock(step: i64, rate_ppb: i64, length: Nanos) -> Fault {
    once(
        FaultKind::Clock { target: vec![node(0)], harm: ClockHarm { step, rate_ppb, ..ClockHarm::NONE } },
        20 * MILLISECOND,
        length,
    )
}

/// An alarm rings when the process's own clock says so, however that came to show it.
#[test]
fn alarms_follow_a_clock_that_goes_wrong() {
    const MS: i64 = MILLISECOND as i64;
    let rings = |step, rate_ppb, length| {
        let setup = script(vec![(100 * MILLISECOND, vec![Say(1)])]);
        let world = run(setup.with_fault(wrong_clock(step, rate_ppb, length)), SECOND);
        let [(1, at)] = heard(&world)[..] else { panic!("it rings once: {:?}", heard(&world)) };
        (at - 1, world.strikes()[0].effects)
    };
    assert_eq!(rings(50 * MS, 0, SECOND), (50, 1), "a jump forwards brings it forward");
    assert_eq!(rings(500 * MS, 0, SECOND), (20, 1), "but not into the past");
    assert_eq!(rings(-50 * MS, 0, SECOND), (150, 1), "a jump back puts it off");
    assert_eq!(rings(50 * MS, 0, 10 * MILLISECOND), (50, 0), "no end of the fault takes the jump back");
    assert_eq!(rings(0, 500_000_000, 40 * MILLISECOND), (80, 0), "20 ms gained in 40 ms, which then are over");
    assert_eq!(rings(0, 600_000_000, SECOND), (70, 1), "80 ms of its own time in 50 ms");
    assert_eq!(rings(0, -500_000_000, 40 * MILLISECOND), (120, 0));
    assert_eq!(rings(-10 * MS, 500_000_000, SECOND), (80, 1), "both at once");
}

/// Nothing rings by a clock that stands still, and what is left of the wait is waited for when it goes on.
#[test]
fn alarms_wait_while_their_clock_stands_still() {
    let rings = |which, length: Nanos| {
        let harm = ClockHarm { which, freeze: true, ..ClockHarm::NONE };
        let fault = once(FaultKind::Clock { target: vec![node(0)], harm }, 20 * MILLISECOND, length);
        let setup = script(vec![(30 * MILLISECOND, vec![Say(1)]), (100 * MILLISECOND, vec![Say(2)])]);
        let mut world = World::new(setup.with_fault(fault));
        world.run_until(SECOND);
        let steps = world.steps();
        (heard(&world).into_iter().map(|(word, at)| (word, at - 1)).collect::<Vec<_>>(), steps)
    };
    let (usual, steps) = rings(Which::Wall, 40 * MILLISECOND);
    assert_eq!(usual, [(1, 30), (2, 100)], "nobody waits by the wall clock");
    for which in [Which::Monotonic, Which::Both] {
        assert_eq!(rings(which, 40 * MILLISECOND), (vec![(1, 70), (2, 140)], steps), "40 ms later, in as many steps");
    }
    assert_eq!(rings(Which::Both, 40 * SECOND).0, []);
}

#[test]
fn a_wrong_clock_that_nobody_reads_has_no_effect() {
    let fault = FaultKind::Clock { target: vec![node(1)], harm: ClockHarm { step: -5_000_000_000, ..ClockHarm::NONE } };
    let world = run(script(vec![]).with_fault(once(fault, 20 * MILLISECOND, SECOND)), 2 * SECOND);
    assert_eq!((world.strikes()[0].effects, &*world.strikes()[0].who), (0, "n2"));
}

/// The clock is the machine's: it is still wrong when the process has died and come back, or slept.
#[test]
fn a_wrong_clock_outlives_the_process() {
    let lines = || vec![(40 * MILLISECOND, vec![Say(1)])];
    let fast = || wrong_clock(0, 1_000_000_000, SECOND);
    let world = run(script(lines()).with_fault(fast()).with_fault(crash(25 * MILLISECOND, 5 * MILLISECOND)), SECOND);
    assert_eq!(heard(&world), [(1, 51)], "40 ms of its time from 30 ms on are 20");
    let world = run(script(lines()).with_fault(fast()).with_fault(pause(15 * MILLISECOND, 10 * MILLISECOND)), SECOND);
    assert_eq!(heard(&world), [(1, 31)], "it was asleep when its clock went wrong");
}

/// A datagram is on no connection: it finds whoever lives at its address when it comes.
#[test]
fn a_datagram_outlives_the_process_it_was_sent_to() {
    let crash = FaultKind::Crash { target: vec![node(1)], disk: DiskFate::Keep, moment: Moment::Between };
    let setup = apart(50 * MILLISECOND, vec![(10 * MILLISECOND, vec![Say(1), Toss(2)])]);
    let world = run(setup.clone().with_fault(once(crash.clone(), 20 * MILLISECOND, 10 * MILLISECOND)), SECOND);
    assert_eq!(heard(&world), [(2, 60)], "the stream was reset");
    let world = run(setup.with_fault(once(crash, 20 * MILLISECOND, 60 * MILLISECOND)), SECOND);
    assert_eq!(heard(&world), [], "nobody was at home");
}

/// From n1 to n2, all the time.
fn spoilt(duplicate: Ratio, duplicate_after: Delay, reorder: Ratio, reorder_by: Delay) -> Fault {
    let spoil = Box::new(Spoil { duplicate, duplicate_after, reorder, reorder_by, ..Spoil::NONE });
    let link = FaultKind::Link { from: vec![node(0)], to: vec![node(1)], one_way: true, spoil, flap: None };
    once(link, 0, 100 * SECOND)
}

/// 0, 1, 2 … from 10 ms on, a datagram every 50 ms.
fn tossing(words: u64) -> Vec<Line> {
    (0..words).map(|i| ((10 + 50 * i) * MILLISECOND, vec![Toss(i)])).collect()
}

#[test]
fn datagrams_that_are_held_up_are_overtaken() {
    let by = Delay::Uniform { min: 0, max: 500 * MILLISECOND };
    let fault = || spoilt(Ratio::ZERO, Delay::NONE, Ratio::new(1, 4), by.clone());
    let world = run(script(tossing(200)).with_fault(fault()), 20 * SECOND);
    let mut heard = words(&world);
    assert!(!heard.is_sorted());
    heard.sort_unstable();
    assert!(heard.into_iter().eq(0..200), "all of them come, and once");
    assert!((30..70).contains(&world.strikes()[0].effects), "{:?}", world.strikes());
    let world = run(script(counting(200)).with_fault(fault()), 20 * SECOND);
    assert!(words(&world).into_iter().eq(0..200), "a stream keeps its order");
    assert_eq!(world.strikes()[0].effects, 0);
}

/// What was said before a crash is heard once more after it.
#[test]
fn a_late_duplicate_outlives_the_process_that_heard_the_first() {
    let fault = spoilt(Ratio::new(1, 1), Delay::Fixed(SECOND), Ratio::ZERO, Delay::NONE);
    let crash = FaultKind::Crash { target: vec![node(1)], disk: DiskFate::Keep, moment: Moment::Between };
    let setup = script(vec![(10 * MILLISECOND, vec![Toss(5)])]).with_fault(fault);
    assert_eq!(heard(&run(setup.clone(), 2 * SECOND)), [(5, 11), (5, 1012)]);
    let setup = setup.with_fault(once(crash, 100 * MILLISECOND, 100 * MILLISECOND));
    assert_eq!(heard(&run(setup, 2 * SECOND)), [(5, 1012)]);
}

/// A word is 8 bytes; with the headers of a stream 74, with those of a datagram 50. Here each takes a millisecond, and the
/// next waits for it.
#[test]
fn words_go_through_a_narrow_link_one_by_one() {
    let narrow = |bytes_per_second, queue| {
        let spoil = Box::new(Spoil { bandwidth: Some(Bandwidth { bytes_per_second, queue }), ..Spoil::NONE });
        once(FaultKind::Link { from: vec![node(0)], to: vec![node(1)], one_way: true, spoil, flap: None }, 0, SECOND)
    };
    let said = vec![(10 * MILLISECOND, vec![Say(1), Say(2)]), (11 * MILLISECOND, vec![Say(3)])];
    let world = run(script(said).with_fault(narrow(74_000, 0)), SECOND);
    assert_eq!(heard(&world), [(1, 12), (2, 13), (3, 14)], "a stream waits, queue or not");
    assert_eq!(world.strikes()[0].effects, 3);
    let tossed = |queue| {
        let said = vec![(10 * MILLISECOND, vec![Toss(1), Toss(2), Toss(3)])];
        run(script(said).with_fault(narrow(50_000, queue)), SECOND)
    };
    assert_eq!(heard(&tossed(49)), [(1, 12)], "the second finds 50 bytes waiting");
    assert_eq!(heard(&tossed(50)), [(1, 12), (2, 13)], "and the third 100");
    assert_eq!(tossed(50).strikes()[0].effects, 3, "one dropped, two as late as that");
}
