//! One node at a desk, hearing what it is told.

use super::config::{WatchConfig, Watched};
use super::flaws::{NO_FLOOR, OLD_NEWS};
use super::{Message, Record, Timer, Watch, WatchLaws};
use crate::detectors::chen::Chen;
use crate::detectors::phi::Phi;
use crate::detectors::timeout::Timeout;
use sim_core::desk::Desk;
use sim_core::laws::{Laws, Nodes};
use sim_core::protocol::{Boot, Effect, Member, NodeId, Observation, Protocol, Slot, Why};
use sim_core::settings::{Flaw, Flaws, Settings, Values};
use sim_core::time::{LocalTime, MILLISECOND, Nanos};

const ME: NodeId = NodeId(0);
const PEER: NodeId = NodeId(1);

struct Bench<E: Watched> {
    nodes: Vec<Option<Watch<E>>>,
    desk: Desk<Watch<E>>,
    laws: WatchLaws,
    /// The last law broken.
    broken: Option<&'static str>,
    /// What it said of its peer, so far.
    opinions: Vec<bool>,
    lives: Vec<u64>,
}

impl<E: Watched> Bench<E> {
    fn new(flaws: &[&'static Flaw]) -> Self {
        let values = Values::defaults(WatchConfig::<E>::KEYS);
        let config = WatchConfig::build(&values, Flaws::new(flaws.iter().copied())).expect("the defaults fit");
        let mut desk = Desk::new(ME, 1);
        let members = [ME, PEER].map(|id| Member { id, role: "node" });
        let (journal, why) = (&[Slot::Ok(Record::Life(6)), Slot::Corrupt], Why::Restart);
        let boot = Boot { me: ME, role: "node", members: &members, config: &config, why, journal, flushed: 1 };
        let node = Watch::start(boot, &mut desk.ctx());
        let laws = <WatchLaws as Laws<Watch<E>>>::new(2);
        let mut bench =
            Bench { nodes: vec![Some(node), None], desk, laws, broken: None, opinions: vec![], lives: vec![] };
        bench.settle();
        bench
    }

    fn settle(&mut self) {
        for effect in self.desk.take() {
            match effect {
                Effect::Observe(Observation::Deems { is_down, .. }) => self.opinions.push(is_down),
                Effect::Snapshot(records) => self.lives.extend(records.iter().map(|Record::Life(life)| life)),
                Effect::Send(..)
                | Effect::Tell(..)
                | Effect::Persist(_)
                | Effect::PersistLater(..)
                | Effect::Truncate(_)
                | Effect::Halt(_)
                | Effect::Arm(..)
                | Effect::Disarm(_)
                | Effect::Observe(_)
                | Effect::TookEffect(..) => {}
            }
        }
    }

    fn step(&mut self, ms: u64, run: impl FnOnce(&mut Watch<E>, &mut Desk<Watch<E>>)) {
        self.desk.now = LocalTime(ms * MILLISECOND);
        run(self.nodes[0].as_mut().expect("it is up"), &mut self.desk);
        self.settle();
        let seen = self.laws.after_step(ME, &Nodes::new(&self.nodes));
        self.broken = seen.err().map(|breach| breach.law).or(self.broken);
    }

    fn hears(&mut self, ms: u64, life: u64, number: u64) {
        self.step(ms, |watch, desk| watch.on_message(PEER, Message::Heartbeat { life, number }, &mut desk.ctx()));
    }

    fn looks(&mut self, ms: u64) {
        self.step(ms, |watch, desk| watch.on_timer(Timer::Trust(PEER), &mut desk.ctx()));
    }
}

#[test]
fn who_is_silent_is_down_until_there_is_news() {
    let mut bench = Bench::<Timeout>::new(&[]);
    assert_eq!(bench.lives, [7], "one more than the journal knows of");
    bench.hears(100, 1, 1);
    bench.looks(599);
    assert_eq!(bench.opinions, [false]);
    bench.looks(600);
    assert_eq!(bench.opinions, [false, true]);
    bench.hears(610, 1, 1);
    assert_eq!(bench.opinions, [false, true], "it came twice");
    bench.hears(620, 1, 6);
    assert_eq!(bench.opinions, [false, true, false]);
    assert_eq!(bench.broken, None);
}

#[test]
fn a_new_life_is_news_and_an_old_one_is_not() {
    let mut bench = Bench::<Timeout>::new(&[]);
    bench.hears(1000, 2, 10);
    bench.looks(1500);
    bench.hears(1600, 1, 99);
    assert_eq!(bench.opinions, [false, true]);
    bench.hears(1700, 3, 1);
    assert_eq!((bench.opinions.last(), bench.broken), (Some(&false), None));
}

/// Sent one after the other, held up, and let go together after the sender is gone.
fn held_up(flaws: &[&'static Flaw]) -> Bench<Timeout> {
    let mut bench = Bench::<Timeout>::new(flaws);
    (1..=10).for_each(|number| bench.hears(100 * number, 1, number));
    bench.looks(1500);
    (11..=20).for_each(|number| bench.hears(5000, 1, number));
    bench
}

#[test]
fn what_was_held_up_is_no_news_but_by_mistake() {
    assert_eq!((held_up(&[]).opinions, held_up(&[]).broken), (vec![false, true], None));
    assert_eq!(held_up(&[&OLD_NEWS]).opinions, [false, true, false]);
}

/// Like clockwork, for longer than the window; then one is 2 ms late.
fn clockwork(flaws: &[&'static Flaw]) -> Bench<Phi> {
    let mut bench = Bench::<Phi>::new(flaws);
    (1..=1100).for_each(|number| bench.hears(100 * number, 1, number));
    bench.looks(110_101);
    bench
}

#[test]
fn clockwork_needs_a_floor() {
    assert_eq!((clockwork(&[]).opinions, clockwork(&[]).broken), (vec![false], None));
    assert_eq!(clockwork(&[&NO_FLOOR]).opinions, [false, true]);
}

/// What a process with a mistake in its code could come to think, after a heartbeat at 100 ms and a look at `ms`.
fn deems(ms: u64, is_down: bool, lateness: Nanos) -> Option<&'static str> {
    let mut bench = Bench::<Timeout>::new(&[]);
    bench.hears(100, 1, 1);
    bench.looks(ms);
    bench.step(ms, |watch, desk| {
        let peer = watch.peers.get_mut(&PEER).expect("it is watched");
        (peer.is_down, peer.lateness) = (is_down, lateness);
        peer.newest.1 += u64::from(lateness > 0);
        watch.latest = Some((PEER, desk.now));
    });
    bench.broken
}

#[test]
fn who_is_suspected_too_soon_or_trusted_by_no_news_breaks_a_law() {
    assert_eq!((deems(599, false, 0), deems(600, true, 0)), (None, None));
    assert_eq!(deems(599, true, 0), Some("patience"));
    assert_eq!(deems(600, false, 0), Some("only news revives"));
    assert_eq!(deems(600, false, 500 * MILLISECOND), None, "news, and just in time");
    assert_eq!(deems(600, false, 501 * MILLISECOND), Some("only news revives"));
}

#[test]
fn a_late_heartbeat_ends_the_trust_by_chens_rule() {
    let mut bench = Bench::<Chen>::new(&[]);
    (1..=32).for_each(|number| bench.hears(100 * number, 1, number));
    bench.looks(3700);
    bench.hears(4000, 1, 33);
    assert_eq!(bench.opinions, [false, true], "34 should be there by 3.8 s");
    bench.hears(4010, 1, 40);
    assert_eq!((bench.opinions.last(), bench.broken), (Some(&false), None));
}
