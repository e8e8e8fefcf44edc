//! A machine's own clock: offset from true time, and running a little fast or slow.

use crate::time::{HOUR, LocalTime, Nanos, format_duration};
use std::fmt;

const BILLION: i128 = 1_000_000_000;

/// What a right clock shows when the run begins: far enough from zero that one which is behind still shows a time.
const EPOCH: i128 = HOUR as i128;

/// Maps true time to what a machine believes, and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    offset: i64,
    drift_ppb: i64,
}

impl Clock {
    /// A clock that is right.
    pub const RIGHT: Clock = Clock { offset: 0, drift_ppb: 0 };

    /// What a right clock shows when the run begins. Workloads count their times from here.
    pub const EPOCH: LocalTime = LocalTime(HOUR);

    /// A clock that begins `offset` nanoseconds ahead (or behind) and gains `drift_ppb` nanoseconds a second.
    ///
    /// # Panics
    /// If it would start before its epoch (an hour) or stand still or run backwards.
    pub fn new(offset: i64, drift_ppb: i64) -> Self {
        assert!(i128::from(offset).abs() < EPOCH, "a clock is off by less than an hour");
        assert!(i128::from(drift_ppb) > -BILLION, "a clock runs forwards");
        Clock { offset, drift_ppb }
    }

    /// What it shows at a true time.
    #[inline]
    pub fn local(&self, now: Nanos) -> LocalTime {
        let gained = if self.drift_ppb == 0 { 0 } else { i128::from(now) * i128::from(self.drift_ppb) / BILLION };
        let shown = EPOCH + i128::from(self.offset) + i128::from(now) + gained;
        LocalTime(u64::try_from(shown).expect("a clock shows a time after its epoch"))
    }

    /// The first true time at which it shows `local` or later.
    #[inline]
    pub fn true_time(&self, local: LocalTime) -> Nanos {
        let elapsed = i128::from(local.0) - EPOCH - i128::from(self.offset);
        if self.drift_ppb == 0 {
            return u64::try_from(elapsed.max(0)).expect("a time within the run");
        }
        let rate = BILLION + i128::from(self.drift_ppb);
        let guess = (elapsed.max(0) * BILLION).div_euclid(rate).saturating_sub(1);
        let mut at = u64::try_from(guess.max(0)).expect("a time within the run");
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
        let side = if self.offset < 0 { "behind" } else { "ahead" };
        let offset = format_duration(self.offset.unsigned_abs());
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

    #[test]
    fn a_fast_clock_gains() {
        let fast = Clock::new(0, 200_000);
        assert_eq!(fast.local(10 * SECOND).since(fast.local(0)), 10 * SECOND + 2_000_000);
    }
}
