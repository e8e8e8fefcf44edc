//! A machine's own clock: offset from true time, and running a little fast or slow.
//!
//! It runs evenly until somebody sets it or changes its rate; from then on it runs evenly from what it showed then. Set
//! back, it shows some times twice; it never shows a time before 0.

use crate::time::{HOUR, LocalTime, Nanos, format_duration};
use std::fmt;

const BILLION: i128 = 1_000_000_000;

/// However much is asked for, a clock runs at no less than a tenth of true time and no more than ten times as fast.
const RATES: (i64, i64) = (-900_000_000, 9_000_000_000);

/// Maps true time to what a machine believes, and back, from when it was last set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// When it was last set, in true time; 0 if it never was.
    set_at: Nanos,
    /// What it showed then.
    shown: Nanos,
    /// What it gains in a second since then, before [`RATES`] bound it.
    drift_ppb: i64,
}

impl Clock {
    /// A clock that is right.
    pub const RIGHT: Clock = Clock { set_at: 0, shown: HOUR, drift_ppb: 0 };

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
        Clock { set_at: 0, shown: HOUR.saturating_add_signed(offset), drift_ppb }
    }

    /// The same clock, set forwards or back by `step` nanoseconds at the true time `now`.
    #[must_use]
    pub(crate) fn stepped(self, now: Nanos, step: i64) -> Self {
        Clock { set_at: now, shown: self.local(now).0.saturating_add_signed(step), ..self }
    }

    /// The same clock, which from the true time `now` on gains so much more in a second, or less.
    #[must_use]
    pub(crate) fn gaining(self, now: Nanos, ppb: i64) -> Self {
        Clock { set_at: now, shown: self.local(now).0, drift_ppb: self.drift_ppb.saturating_add(ppb) }
    }

    fn rate(&self) -> i128 {
        i128::from(self.drift_ppb.clamp(RATES.0, RATES.1))
    }

    /// What it shows at a true time, not before it was last set.
    #[inline]
    pub fn local(&self, now: Nanos) -> LocalTime {
        let elapsed = now.checked_sub(self.set_at).expect("a clock forgets what it showed before it was set");
        if self.drift_ppb == 0 {
            return LocalTime(self.shown + elapsed);
        }
        let gained = i128::from(elapsed) * self.rate() / BILLION;
        let shown = i128::from(self.shown) + i128::from(elapsed) + gained;
        LocalTime(u64::try_from(shown).expect("a clock runs forwards"))
    }

    /// The first true time since it was last set at which it shows `local` or later.
    #[inline]
    pub fn true_time(&self, local: LocalTime) -> Nanos {
        let elapsed = local.0.saturating_sub(self.shown);
        if self.drift_ppb == 0 {
            return self.set_at + elapsed;
        }
        let guess = (i128::from(elapsed) * BILLION).div_euclid(BILLION + self.rate()).saturating_sub(1);
        let mut at = self.set_at + u64::try_from(guess.max(0)).expect("a time within the run");
        while self.local(at) < local {
            at += 1;
        }
        at
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
                let back = clock.true_time(shown);
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
            assert_eq!(clock.true_time(LocalTime(0)), now, "what it showed before it was set is gone");
            for later in [0, 1, 999, 10 * SECOND + 7] {
                let shown = clock.local(now + later);
                let back = clock.true_time(shown);
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

    #[test]
    fn a_fast_clock_gains() {
        let fast = Clock::new(0, 200_000);
        assert_eq!(fast.local(10 * SECOND).since(fast.local(0)), 10 * SECOND + 2_000_000);
    }
}
