//! A machine's own clocks: offset from true time, and running a little fast or slow.
//!
//! A clock runs evenly until somebody sets it, changes its rate or stops it; from then on it runs evenly (or stands still)
//! from what it showed then. Set back, it shows some times twice; it never shows a time before 0.
//!
//! Every machine has two ([`Clocks`]): the *monotonic* one, by which processes wait, and the *wall* clock, which says what
//! the calendar says. One crystal drives both, so they go alike until a fault sets one of them. Operating systems step the
//! wall clock (an operator, NTP, a leap second) and never the monotonic one; what can move that is what happens below them: a
//! virtual machine that was suspended, or moved to another host.

use crate::fault::Which;
use crate::time::{HOUR, LocalTime, Nanos, format_duration};
use std::fmt;

const BILLION: i128 = 1_000_000_000;

/// However much is asked for, a clock that runs does so at no less than a tenth of true time and no more than ten times as
/// fast.
const RATES: (i64, i64) = (-900_000_000, 9_000_000_000);

/// What a clock that stands still loses in a second.
const STANDS_STILL: i64 = -1_000_000_000;

/// Maps true time to what a machine believes, and back, from when it was last set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// When it was last set, in true time; 0 if it never was.
    set_at: Nanos,
    /// What it showed then.
    shown: Nanos,
    /// What it was asked to gain in a second since then, before [`RATES`] bound it.
    drift_ppb: i64,
    /// How many hold it still.
    stops: u32,
    /// What follows from the two: what it really gains in a second.
    rate_ppb: i64,
}

impl Clock {
    /// A clock that is right.
    pub const RIGHT: Clock = Clock { set_at: 0, shown: HOUR, drift_ppb: 0, stops: 0, rate_ppb: 0 };

    /// What a right clock shows when the run begins: far enough from zero that one which is behind still shows a time.
    /// Workloads count their times from here.
    pub const EPOCH: LocalTime = LocalTime(HOUR);

    /// A clock that begins `offset` nanoseconds ahead (or behind) and gains `drift_ppb` nanoseconds a second.
    ///
    /// # Panics
    /// If it would start before its epoch (an hour), or run at less than a tenth of true time.
    pub fn new(offset: i64, drift_ppb: i64) -> Self {
        assert!(offset.unsigned_abs() < HOUR, "a clock is off by less than an hour");
        assert!(drift_ppb >= RATES.0, "a clock runs forwards");
        Clock { shown: HOUR.saturating_add_signed(offset), drift_ppb, ..Clock::RIGHT }.at_its_rate()
    }

    /// The same clock, at the rate that it was asked for.
    fn at_its_rate(self) -> Self {
        let rate_ppb = if self.stops > 0 { STANDS_STILL } else { self.drift_ppb.clamp(RATES.0, RATES.1) };
        Clock { rate_ppb, ..self }
    }

    /// The same clock, looked at now.
    fn set(self, now: Nanos) -> Self {
        Clock { set_at: now, shown: self.local(now).0, ..self }
    }

    /// The same clock, set forwards or back by `step` nanoseconds at the true time `now`.
    #[must_use]
    pub(crate) fn stepped(self, now: Nanos, step: i64) -> Self {
        let clock = self.set(now);
        Clock { shown: clock.shown.saturating_add_signed(step), ..clock }
    }

    /// The same clock, which from the true time `now` on gains so much more in a second, or less.
    #[must_use]
    pub(crate) fn gaining(self, now: Nanos, ppb: i64) -> Self {
        Clock { drift_ppb: self.drift_ppb.saturating_add(ppb), ..self.set(now) }.at_its_rate()
    }

    /// The same clock, which stands still from the true time `now` on, as long as somebody holds it.
    #[must_use]
    pub(crate) fn stopped(self, now: Nanos) -> Self {
        Clock { stops: self.stops + 1, ..self.set(now) }.at_its_rate()
    }

    /// The same clock, which one of those who held it still lets go.
    #[must_use]
    pub(crate) fn released(self, now: Nanos) -> Self {
        Clock { stops: self.stops - 1, ..self.set(now) }.at_its_rate()
    }

    /// What it shows at a true time, not before it was last set.
    #[inline]
    pub fn local(&self, now: Nanos) -> LocalTime {
        let elapsed = now.checked_sub(self.set_at).expect("a clock forgets what it showed before it was set");
        if self.rate_ppb == 0 {
            return LocalTime(self.shown + elapsed);
        }
        let gained = i128::from(elapsed) * i128::from(self.rate_ppb) / BILLION;
        let shown = i128::from(self.shown) + i128::from(elapsed) + gained;
        LocalTime(u64::try_from(shown).expect("a clock runs forwards"))
    }

    /// The first true time since it was last set at which it shows `local` or later; `None` if it stands still before that.
    #[inline]
    pub fn true_time(&self, local: LocalTime) -> Option<Nanos> {
        let elapsed = local.0.saturating_sub(self.shown);
        if self.rate_ppb == 0 {
            return Some(self.set_at + elapsed);
        }
        if self.rate_ppb == STANDS_STILL {
            return (elapsed == 0).then_some(self.set_at);
        }
        let guess = (i128::from(elapsed) * BILLION).div_euclid(BILLION + i128::from(self.rate_ppb)).saturating_sub(1);
        let mut at = self.set_at + u64::try_from(guess.max(0)).expect("a time within the run");
        while self.local(at) < local {
            at += 1;
        }
        Some(at)
    }
}

/// The two clocks of a machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    pub(crate) monotonic: Clock,
    /// `None` as long as nothing has set one without the other: it shows what the monotonic one does, at no cost.
    wall: Option<Clock>,
}

impl Clocks {
    /// Two that go alike.
    pub(crate) fn alike(clock: Clock) -> Self {
        Clocks { monotonic: clock, wall: None }
    }

    /// What the wall clock shows when the monotonic one shows `local`, at the true time `now`.
    #[inline]
    pub(crate) fn wall(&self, local: LocalTime, now: Nanos) -> LocalTime {
        self.wall.map_or(local, |wall| wall.local(now))
    }

    /// The same clocks, one of them or both changed.
    #[must_use]
    pub(crate) fn changed(self, which: Which, change: impl Fn(Clock) -> Clock) -> Self {
        let Clocks { monotonic, wall } = self;
        let apart = wall.unwrap_or(monotonic);
        match which {
            Which::Both => Clocks { monotonic: change(monotonic), wall: wall.map(change) },
            Which::Monotonic => Clocks { monotonic: change(monotonic), wall: Some(apart) },
            Which::Wall => Clocks { monotonic, wall: Some(change(apart)) },
        }
    }
}

/// How wrong it is: `0.35 ms behind, gains 12 us/s`.
impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Clock::RIGHT {
            return f.write_str("clock right");
        }
        let right = HOUR + self.set_at;
        let side = if self.shown < right { "behind" } else { "ahead" };
        let offset = format_duration(self.shown.abs_diff(right));
        let gains = if self.drift_ppb < 0 { "loses" } else { "gains" };
        write!(f, "clock {offset} {side}, {gains} {}/s", format_duration(self.drift_ppb.unsigned_abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SECOND;

    #[test]
    fn there_and_back_is_the_first_instant_that_shows_it() {
        for clock in [Clock::RIGHT, Clock::new(50, 200_000), Clock::new(-70_000_000, -200_000), Clock::new(3, 999_999)]
        {
            for now in [0, 1, 999, SECOND, 60 * SECOND + 7] {
                let shown = clock.local(now);
                let back = clock.true_time(shown).expect("it runs");
                assert!(back <= now && clock.local(back) >= shown, "{clock:?} at {now}: {back}");
                assert!(back == 0 || clock.local(back - 1) < shown, "{clock:?} at {now}: {back} is not the first");
            }
        }
    }

    /// There and back again, for a clock that is set and slowed and sped up on its way.
    #[test]
    fn a_clock_that_is_set_runs_on_from_there() {
        let mut clock = Clock::new(-70_000_000, 200);
        let changes: [(i64, i64); 4] = [(-5_000_000_000, 0), (0, -500_000_000), (3_000_000_001, 0), (-1, 550_000_000)];
        for (i, (step, ppb)) in changes.into_iter().enumerate() {
            let now = (i as u64 + 1) * 7 * SECOND;
            let before = clock.local(now);
            clock = clock.stepped(now, step).gaining(now, ppb);
            assert_eq!(clock.local(now).0, before.0.saturating_add_signed(step));
            assert_eq!(clock.true_time(LocalTime(0)), Some(now), "what it showed before it was set is gone");
            for later in [0, 1, 999, 10 * SECOND + 7] {
                let shown = clock.local(now + later);
                let back = clock.true_time(shown).expect("it runs");
                assert!(back <= now + later && clock.local(back) >= shown, "{clock:?} {later}: {back}");
                assert!(back == now || clock.local(back - 1) < shown, "{clock:?} {later}: {back} is not the first");
            }
        }
        assert_eq!(clock.local(29 * SECOND).since(clock.local(28 * SECOND)), SECOND + 50_000_200);
    }

    #[test]
    fn no_clock_shows_a_time_before_zero_or_stops() {
        let back = Clock::RIGHT.stepped(SECOND, -i64::MAX);
        assert_eq!((back.local(SECOND), back.local(2 * SECOND)), (LocalTime(0), LocalTime(SECOND)));
        let slow = Clock::RIGHT.gaining(SECOND, -800_000_000).gaining(SECOND, -800_000_000);
        assert_eq!(slow.local(11 * SECOND).since(slow.local(SECOND)), SECOND, "a tenth at the least");
        let right = slow.gaining(11 * SECOND, 1_600_000_000);
        assert_eq!(right.local(12 * SECOND).since(right.local(11 * SECOND)), SECOND, "and all of it is taken back");
    }

    /// It goes on from where it stood, at whatever rate it was asked for meanwhile.
    #[test]
    fn a_clock_that_stands_still_shows_one_time_and_goes_on_from_there() {
        let clock = Clock::new(500, 200).stopped(SECOND);
        let shown = clock.local(SECOND);
        assert_eq!(clock.local(9 * SECOND), shown);
        assert_eq!((clock.true_time(shown), clock.true_time(shown + 1)), (Some(SECOND), None));
        let twice = clock.stopped(2 * SECOND).gaining(3 * SECOND, 500_000_000).released(4 * SECOND);
        assert_eq!(twice.local(9 * SECOND), shown, "one of two has let go");
        let set = twice.stepped(5 * SECOND, -SECOND_BACK);
        assert_eq!(set.local(6 * SECOND) + SECOND, shown, "it can be set all the same");
        let runs = set.released(7 * SECOND);
        assert_eq!(runs.local(8 * SECOND).since(runs.local(7 * SECOND)), SECOND + 500_000_200);
    }
    const SECOND_BACK: i64 = SECOND as i64;

    #[test]
    fn a_clock_changed_alone_parts_from_the_other() {
        let ahead = |clock: Clock| clock.stepped(SECOND, 7);
        let both = |clocks: Clocks| {
            let local = clocks.monotonic.local(SECOND);
            (local.since(Clock::RIGHT.local(SECOND)), clocks.wall(local, SECOND).since(Clock::RIGHT.local(SECOND)))
        };
        let right = Clocks::alike(Clock::RIGHT);
        assert_eq!(both(right.changed(Which::Both, ahead)), (7, 7));
        assert_eq!(both(right.changed(Which::Wall, ahead)), (0, 7));
        assert_eq!(both(right.changed(Which::Monotonic, ahead)), (7, 0));
        assert_eq!(both(right.changed(Which::Wall, ahead).changed(Which::Both, ahead)), (7, 14), "they stay apart");
    }

    #[test]
    fn a_fast_clock_gains() {
        let fast = Clock::new(0, 200_000);
        assert_eq!(fast.local(10 * SECOND).since(fast.local(0)), 10 * SECOND + 2_000_000);
    }
}
