//! Trusted until some time after the next heartbeat should be there: Chen, Toueg and Aguilera, *On the Quality of Service of
//! Failure Detectors* (2002).
//!
//! A timeout that begins when a heartbeat arrives is the longer, the slower the heartbeat before was. Here it begins when the
//! *next* one is due, which the last one's delay has nothing to do with: heartbeat i has its *freshness point* tau_i, and from
//! tau_i on only heartbeats from number i on count. So mistakes do not depend on what came before, and the time to detect a
//! crash has a bound.
//!
//! - **NFD-S** (section 3): clocks agree. Heartbeat i is sent when they show i intervals, and tau_i is a margin (delta) later.
//!   Who crashes is suspected after interval + delta at the latest, whatever the network does.
//! - **NFD-E** (section 6.3): clocks tick alike and need not agree. When heartbeat i should arrive is estimated from the last n
//!   that did, and tau_i is a margin (alpha) later. Real clocks drift, and the longer ago an arrival was, the more it is off: so
//!   after a gap of more than n heartbeats the estimate begins anew, which the paper need not do.

use super::{Arrival, Estimator, Trust};
use sim_core::time::{LocalTime, Nanos};
use std::collections::VecDeque;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// NFD-S.
    Synchronised,
    /// NFD-E.
    Estimated,
}

/// What it goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChenSettings {
    /// Which of the two.
    pub variant: Variant,
    /// How long from one heartbeat to the next (eta).
    pub interval: Nanos,
    /// How long after it is due (NFD-S: delta) or expected (NFD-E: alpha) a heartbeat must be there.
    pub margin: Nanos,
    /// From so many heartbeats arrivals are estimated; at least 1.
    pub window: usize,
}

/// What is known of one peer.
#[derive(Clone, Debug)]
pub struct Chen {
    /// Of the last heartbeats: when each arrived, less the intervals that its number counts (A_i - eta i).
    origins: VecDeque<i128>,
    /// Their sum.
    sum: i128,
    /// The highest number heard.
    number: u64,
    trust: Trust,
}

/// So many intervals are so long. Numbers come from elsewhere, and may be anything.
fn nominal(number: u64, interval: Nanos) -> i128 {
    i128::from(number) * i128::from(interval)
}

/// As an instant of a clock.
fn instant(at: i128) -> LocalTime {
    LocalTime(u64::try_from(at.max(0)).unwrap_or(u64::MAX))
}

impl Chen {
    /// "The expected arrival time of the next heartbeat" by all arrivals known: their mean, shifted to its number (equation
    /// 6.3).
    fn expected(&self, sum: i128, settings: &ChenSettings) -> i128 {
        sum.div_euclid(self.origins.len() as i128)
            + nominal(self.number, settings.interval)
            + i128::from(settings.interval)
    }

    fn estimate(&mut self, arrival: Arrival, settings: &ChenSettings) {
        // Nothing is told by arrivals before a clock was set back, or before so long a gap that clocks may have drifted apart.
        let gap = arrival.number.saturating_sub(self.number);
        if arrival.at < self.trust.since || gap > settings.window as u64 {
            self.reborn();
        }
        let origin = i128::from(arrival.at.0) - nominal(arrival.number, settings.interval);
        self.origins.push_back(origin);
        self.sum += origin;
        if self.origins.len() > settings.window {
            self.sum -= self.origins.pop_front().unwrap_or_default();
        }
    }
}

impl Estimator for Chen {
    type Settings = ChenSettings;

    fn is_by_wall_clock(settings: &ChenSettings) -> bool {
        settings.variant == Variant::Synchronised
    }

    /// As if a heartbeat had come now, as quickly as any: a first one is due within an interval.
    fn begin(settings: &ChenSettings, now: LocalTime) -> Self {
        let trust = Trust::lasting(now, settings.interval + settings.margin);
        Chen { origins: VecDeque::new(), sum: 0, number: 0, trust }
    }

    fn heard(&mut self, arrival: Arrival, settings: &ChenSettings) {
        let until = match settings.variant {
            Variant::Synchronised => {
                let due = nominal(arrival.number, settings.interval) + i128::from(settings.interval);
                i128::from(arrival.at.0) + due + i128::from(settings.margin) - i128::from(arrival.wall.0)
            }
            Variant::Estimated => {
                self.estimate(arrival, settings);
                self.number = arrival.number;
                self.expected(self.sum, settings) + i128::from(settings.margin)
            }
        };
        self.trust = Trust { since: arrival.at, until: instant(until) };
    }

    fn reborn(&mut self) {
        self.origins.clear();
        self.sum = 0;
    }

    fn trust(&self) -> Trust {
        self.trust
    }

    /// NFD-S: until the freshness point, which is where the trust ends. NFD-E: until the mean of all arrivals says, summed up
    /// anew.
    fn least(&self, settings: &ChenSettings) -> Nanos {
        let until = match settings.variant {
            Variant::Estimated if !self.origins.is_empty() => {
                instant(self.expected(self.origins.iter().sum(), settings) + i128::from(settings.margin))
            }
            Variant::Synchronised | Variant::Estimated => self.trust.until,
        };
        until.since(self.trust.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sim_core::time::{MILLISECOND, SECOND};

    fn settings(variant: Variant) -> ChenSettings {
        ChenSettings { variant, interval: 100 * MILLISECOND, margin: 50 * MILLISECOND, window: 4 }
    }

    /// A heartbeat that was so long on its way, in milliseconds, by a receiver whose clock shows 7 s more than the sender's.
    fn arrival(number: u64, delay: u64) -> Arrival {
        let wall = LocalTime((100 * number + delay) * MILLISECOND);
        Arrival { number, at: wall + 7 * SECOND, wall }
    }

    fn fed(variant: Variant, delays: &[u64]) -> Chen {
        let settings = settings(variant);
        let mut chen = Chen::begin(&settings, LocalTime(7 * SECOND));
        for (i, delay) in delays.iter().enumerate() {
            chen.heard(arrival(i as u64 + 1, *delay), &settings);
        }
        chen
    }

    #[test]
    fn a_freshness_point_does_not_depend_on_the_last_delay() {
        for delay in [0, 3, 90] {
            let chen = fed(Variant::Synchronised, &[5, delay]);
            assert_eq!(chen.trust().until, LocalTime(7 * SECOND + 350 * MILLISECOND), "tau_3 = 3 eta + delta");
        }
    }

    #[test]
    fn arrivals_are_expected_by_the_mean_of_the_window() {
        let chen = fed(Variant::Estimated, &[900, 2, 4, 6, 8]);
        assert_eq!(chen.trust().until, LocalTime(7 * SECOND + (600 + 5 + 50) * MILLISECOND), "the 900 is out of it");
    }

    /// Clocks that differ by 2 % show 2 s more after a hundred: what was before a gap is no guide after it.
    #[test]
    fn after_a_gap_longer_than_the_window_the_estimate_begins_anew() {
        let expected = |number: u64, late: u64| {
            let mut chen = fed(Variant::Estimated, &[300; 4]);
            chen.heard(arrival(number, late), &settings(Variant::Estimated));
            chen.trust().until.since(arrival(number, 0).at) / MILLISECOND
        };
        assert_eq!(expected(9, 0), 150, "5 heartbeats were lost");
        assert_eq!(expected(8, 0), 150 + 3 * 300 / 4);
    }

    #[test]
    fn a_heartbeat_later_than_the_next_should_be_leaves_no_trust() {
        let mut chen = fed(Variant::Estimated, &[1, 1, 1, 1]);
        let late = arrival(5, 400);
        chen.heard(late, &settings(Variant::Estimated));
        assert_eq!(chen.trust().left(late.at), 0);
    }

    #[test]
    fn a_new_life_and_a_clock_set_back_begin_anew() {
        let settings = settings(Variant::Estimated);
        let until = LocalTime(9 * SECOND + 150 * MILLISECOND);
        let mut chen = fed(Variant::Estimated, &[1, 2, 3]);
        chen.reborn();
        chen.heard(Arrival { number: 1, at: LocalTime(9 * SECOND), wall: LocalTime(0) }, &settings);
        assert_eq!(chen.trust().until, until);
        chen.heard(Arrival { number: 2, at: LocalTime(SECOND), wall: LocalTime(0) }, &settings);
        assert_eq!(chen.trust().until, LocalTime(SECOND + 150 * MILLISECOND));
    }

    proptest! {
        /// The bound on detection: whoever sends its last heartbeat is suspected within interval + margin + the slowest delay of
        /// the window (NFD-E), or without the delay (NFD-S).
        #[test]
        fn trust_ends_within_the_bound(delays in prop::collection::vec(0u64..90, 1..20)) {
            let sent = |n: usize| LocalTime((100 * n as u64) * MILLISECOND) + 7 * SECOND;
            let s = fed(Variant::Synchronised, &delays);
            prop_assert_eq!(s.trust().until, sent(delays.len()) + 150 * MILLISECOND);
            let e = fed(Variant::Estimated, &delays);
            let slowest = *delays.iter().rev().take(4).max().expect("there are some");
            prop_assert!(e.trust().until <= sent(delays.len()) + (150 + slowest) * MILLISECOND);
            prop_assert_eq!(e.least(&settings(Variant::Estimated)), e.trust().until.since(e.trust().since));
        }

        /// A wider margin is never less patient, by exactly as much.
        #[test]
        fn trust_rises_with_the_margin(delays in prop::collection::vec(0u64..90, 1..20), more in 0u64..1000) {
            for variant in [Variant::Synchronised, Variant::Estimated] {
                let wider = ChenSettings { margin: (50 + more) * MILLISECOND, ..settings(variant) };
                let mut chen = Chen::begin(&wider, LocalTime(7 * SECOND));
                for (i, delay) in delays.iter().enumerate() {
                    chen.heard(arrival(i as u64 + 1, *delay), &wider);
                }
                prop_assert_eq!(chen.trust().until, fed(variant, &delays).trust().until + more * MILLISECOND);
            }
        }

        #[test]
        fn no_number_is_too_large(numbers in prop::collection::vec(any::<u64>(), 1..10), at in any::<u64>()) {
            for variant in [Variant::Synchronised, Variant::Estimated] {
                let mut chen = Chen::begin(&settings(variant), LocalTime(0));
                for number in &numbers {
                    chen.heard(Arrival { number: *number, at: LocalTime(at), wall: LocalTime(at) }, &settings(variant));
                    chen.trust().left(LocalTime(at / 2));
                    chen.least(&settings(variant));
                }
            }
        }
    }
}
