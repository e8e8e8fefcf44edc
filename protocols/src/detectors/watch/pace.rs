//! How much later a heartbeat came than it could have.
//!
//! Clocks need not agree, so nobody knows how long a heartbeat was on its way; but all count the same intervals, so that of
//! two heartbeats it can be told by how much one took longer. The fastest of the last hundred stands for one that nothing held
//! up. Of late ones a hundred make a new pace: if the way is longer from now on, that is how it is.

use crate::detectors::Arrival;
use sim_core::time::Nanos;
use std::collections::VecDeque;

/// From so many heartbeats the fastest is taken.
const WINDOW: u64 = 100;

/// The fastest heartbeats of late.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    /// How many were heard.
    heard: u64,
    /// Which of them it was, and when it came, less the intervals that it counts: rising, so the first is the fastest. Who
    /// is slower than a later one is left out.
    fastest: VecDeque<(u64, i128)>,
}

impl Pace {
    /// Of this heartbeat.
    pub fn lateness(&mut self, arrival: Arrival, interval: Nanos) -> Nanos {
        let origin = i128::from(arrival.at.0) - i128::from(arrival.number) * i128::from(interval);
        self.heard += 1;
        while self.fastest.back().is_some_and(|(_, slower)| *slower >= origin) {
            self.fastest.pop_back();
        }
        self.fastest.push_back((self.heard, origin));
        while self.fastest.front().is_some_and(|(which, _)| which + WINDOW <= self.heard) {
            self.fastest.pop_front();
        }
        let fastest = self.fastest.front().map_or(origin, |(_, fastest)| *fastest);
        u64::try_from(origin - fastest).unwrap_or(Nanos::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sim_core::time::LocalTime;

    fn arrival(number: u64, delay: u64) -> Arrival {
        let at = LocalTime(100 * number + delay);
        Arrival { number, at, wall: at }
    }

    #[test]
    fn a_way_that_stays_long_is_the_pace_after_a_hundred() {
        let mut pace = Pace::default();
        assert_eq!(pace.lateness(arrival(1, 5), 100), 0);
        for number in 2..=100 {
            assert_eq!(pace.lateness(arrival(number, 905), 100), 900);
        }
        assert_eq!(pace.lateness(arrival(101, 905), 100), 0);
    }

    proptest! {
        #[test]
        fn it_is_what_the_fastest_of_a_hundred_did_not_need(delays in prop::collection::vec(0u64..1000, 1..300)) {
            let mut pace = Pace::default();
            for (i, delay) in delays.iter().enumerate() {
                let fastest = delays[(i + 1).saturating_sub(100)..=i].iter().min().expect("there is one");
                prop_assert_eq!(pace.lateness(arrival(i as u64, *delay), 100), delay - fastest);
            }
        }
    }
}
