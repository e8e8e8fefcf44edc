//! Trusted until a silence would be too unlikely: Hayashibara, Défago, Yared and Katayama, *The phi Accrual Failure Detector*
//! (2004).
//!
//! The detector learns how long it usually is from one heartbeat to the next. After a silence of t it suspects a peer to the
//! degree phi(t) = -log10 P(the next heartbeat is later than that): at phi = 1 one such suspicion of ten is a mistake, at phi =
//! 8 one of 10^8, if intervals are distributed as assumed. A *threshold* makes a yes or no of it, and turned round it is a
//! time: a quantile of the intervals.
//!
//! - `normal`, as in the paper (and Akka): mean + z deviations, z the normal quantile of the threshold. Heartbeats that come
//!   like clockwork have no deviation at all, so it has a floor: without one the first that is a little late is a mistake.
//! - `exponential`, as Cassandra has it: threshold x ln 10 x mean. It needs no deviation and no floor, and is slow: 18.4
//!   intervals at a threshold of 8.

use super::fixed::{of_ln_10, quantile, scale};
use super::{Arrival, Estimator, Trust};
use sim_core::dice::Ratio;
use sim_core::settings::{Key, Kind, Values};
use sim_core::time::{HOUR, LocalTime, MINUTE, Nanos};
use std::collections::VecDeque;

/// How intervals are taken to be distributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// Normally.
    Normal,
    /// Exponentially.
    Exponential,
}

/// What it goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhiSettings {
    /// How intervals are taken to be distributed.
    pub distribution: Distribution,
    /// The threshold as a factor, in parts of 2^-48: of the deviation (normal) or of the mean (exponential).
    factor: i128,
    /// The interval at which heartbeats are sent: what is taken for usual before any were heard.
    pub interval: Nanos,
    /// From so many intervals it learns; at least 2.
    pub window: usize,
    /// The deviation is never taken to be smaller.
    pub floor: Nanos,
    /// So much longer than the threshold says a silence may be: pauses that are to be lived with.
    pub pause: Nanos,
}

/// The paper's lowest: a suspicion of three is a mistake. Below 0.301 a silence of less than the mean would be suspect.
pub const THRESHOLD_MIN: Ratio = Ratio { numerator: 1, denominator: 2 };
/// One mistake in more heartbeats than there will ever be.
pub const THRESHOLD_MAX: Ratio = Ratio { numerator: 32, denominator: 1 };

/// How a system that has a choice of detectors names the settings of this one.
pub const DISTRIBUTION: Key = Key {
    name: "distribution",
    kind: Kind::Word(&["normal", "exponential"]),
    default: "normal",
    text: "With `detector` = phi: how intervals between heartbeats are taken to be distributed: normally, as in the paper and in \
           Akka, or exponentially, as in Cassandra.",
};
/// The same.
pub const THRESHOLD: Key = Key {
    name: "threshold",
    kind: Kind::Decimal { min: THRESHOLD_MIN, max: THRESHOLD_MAX },
    default: "8",
    text: "With `detector` = phi: phi from which on somebody is taken to be down: one such suspicion of 10^phi would be a mistake.",
};
/// The same.
pub const MIN_DEVIATION: Key = Key {
    name: "min-deviation",
    kind: Kind::Duration { min: 0, max: MINUTE },
    default: "10ms",
    text: "With `detector` = phi and `distribution` = normal: the deviation of intervals is taken to be at least so much.",
};

impl PhiSettings {
    /// As these keys say.
    pub fn read(values: &Values, interval: Nanos, window: usize) -> Self {
        let is_normal = values.word(DISTRIBUTION.name) == "normal";
        let distribution = if is_normal { Distribution::Normal } else { Distribution::Exponential };
        let (threshold, floor) = (values.decimal(THRESHOLD.name), values.duration(MIN_DEVIATION.name));
        PhiSettings::new(distribution, threshold, interval, window, floor)
    }

    /// A suspicion is to be a mistake once in 10^`threshold` times; `threshold` is [`THRESHOLD_MIN`] to [`THRESHOLD_MAX`].
    pub fn new(distribution: Distribution, threshold: Ratio, interval: Nanos, window: usize, floor: Nanos) -> Self {
        let factor = match distribution {
            Distribution::Normal => quantile(threshold),
            Distribution::Exponential => of_ln_10(threshold),
        };
        PhiSettings { distribution, factor, interval, window, floor, pause: 0 }
    }

    /// After how long a silence a peer is suspected at the latest, if no interval is learnt that is longer than this.
    pub fn longest(&self, interval_max: Nanos) -> Nanos {
        let mean = interval_max.max(self.interval.saturating_mul(2));
        self.patience(mean, (mean / 2).max(self.floor))
    }

    /// After how long a silence a peer is suspected.
    fn patience(&self, mean: Nanos, deviation: Nanos) -> Nanos {
        let patience = match self.distribution {
            Distribution::Normal => mean.saturating_add(scale(deviation, self.factor)),
            Distribution::Exponential => scale(mean, self.factor),
        };
        patience.saturating_add(self.pause)
    }
}

/// What is known of one peer.
#[derive(Clone, Debug)]
pub struct Phi {
    intervals: VecDeque<Nanos>,
    sum: u128,
    squares: u128,
    /// When it was last heard, unless the time since tells nothing.
    last: Option<LocalTime>,
    trust: Trust,
}

/// No interval is learnt as longer: sums of squares must stay countable.
const INTERVAL_MAX: Nanos = 24 * HOUR;

fn square(interval: Nanos) -> u128 {
    u128::from(interval) * u128::from(interval)
}

/// The mean and the standard deviation.
fn moments(count: usize, sum: u128, squares: u128) -> (Nanos, Nanos) {
    let count = count.max(1) as u128;
    let deviation = ((count * squares).saturating_sub(sum * sum)).isqrt() / count;
    ((sum / count) as Nanos, deviation as Nanos)
}

impl Phi {
    fn learn(&mut self, interval: Nanos, window: usize) {
        let interval = interval.min(INTERVAL_MAX);
        self.intervals.push_back(interval);
        self.sum += u128::from(interval);
        self.squares += square(interval);
        if self.intervals.len() > window
            && let Some(oldest) = self.intervals.pop_front()
        {
            self.sum -= u128::from(oldest);
            self.squares -= square(oldest);
        }
    }

    /// The mean and the standard deviation of the intervals known.
    pub fn moments(&self) -> (Nanos, Nanos) {
        moments(self.intervals.len(), self.sum, self.squares)
    }

    fn trust_from(&mut self, now: LocalTime, settings: &PhiSettings) {
        let (mean, deviation) = self.moments();
        self.trust = Trust::lasting(now, settings.patience(mean, deviation.max(settings.floor)));
    }
}

impl Estimator for Phi {
    type Settings = PhiSettings;

    /// As if there had been two intervals, a quarter shorter and a quarter longer than they are sent.
    fn begin(settings: &PhiSettings, now: LocalTime) -> Self {
        let mut phi = Phi { intervals: VecDeque::new(), sum: 0, squares: 0, last: None, trust: Trust::lasting(now, 0) };
        let quarter = settings.interval / 4;
        phi.learn(settings.interval - quarter, settings.window);
        phi.learn(settings.interval + quarter, settings.window);
        phi.trust_from(now, settings);
        phi
    }

    fn heard(&mut self, arrival: Arrival, settings: &PhiSettings) {
        if let Some(last) = self.last.filter(|last| *last <= arrival.at) {
            self.learn(arrival.at.since(last), settings.window);
        }
        self.last = Some(arrival.at);
        self.trust_from(arrival.at, settings);
    }

    fn reborn(&mut self) {
        self.last = None;
    }

    fn trust(&self) -> Trust {
        self.trust
    }

    /// What the window says, summed up anew.
    fn least(&self, settings: &PhiSettings) -> Nanos {
        let sum = self.intervals.iter().map(|interval| u128::from(*interval)).sum();
        let squares = self.intervals.iter().map(|interval| square(*interval)).sum();
        let (mean, deviation) = moments(self.intervals.len(), sum, squares);
        settings.patience(mean, deviation.max(settings.floor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sim_core::time::{MICROSECOND, MILLISECOND};

    fn settings(distribution: Distribution, threshold: u64) -> PhiSettings {
        PhiSettings::new(distribution, Ratio::new(threshold, 1), 100 * MILLISECOND, 100, 5 * MILLISECOND)
    }

    /// The patience after these intervals, in microseconds.
    fn patience(settings: &PhiSettings, intervals: &[u64]) -> u64 {
        let mut phi = Phi::begin(settings, LocalTime(0));
        let mut at = LocalTime(0);
        for interval in [0].iter().chain(intervals) {
            at = at + interval * MICROSECOND;
            phi.heard(Arrival { number: 0, at, wall: at }, settings);
        }
        assert_eq!(phi.least(settings), phi.trust().until.since(at));
        phi.trust().until.since(at) / MICROSECOND
    }

    /// 90 ms and 110 ms by turns: mean 100 ms, deviation 10 ms, z(8) = 5.6120.
    #[test]
    fn normal_trust_lasts_for_the_mean_and_z_deviations() {
        let by_turns: Vec<u64> = (0..100).map(|i| if i % 2 == 0 { 90_000 } else { 110_000 }).collect();
        for (threshold, expected) in [(1, 112_815), (3, 130_902), (8, 156_120), (12, 170_344)] {
            assert_eq!(patience(&settings(Distribution::Normal, threshold), &by_turns), expected);
        }
    }

    /// Cassandra's: 18.42 times the mean at a threshold of 8.
    #[test]
    fn exponential_trust_is_a_multiple_of_the_mean() {
        assert_eq!(patience(&settings(Distribution::Exponential, 8), &[100_000; 100]), 1_842_068);
        assert_eq!(patience(&settings(Distribution::Exponential, 8), &[50_000; 100]), 921_034);
    }

    /// By turns as above: z(0.5) = 0.4783, z(2.5) = 2.7289 and z(8.5) = 5.8081; 8.5 ln 10 = 19.572.
    #[test]
    fn a_threshold_can_be_a_fraction() {
        let by_turns: Vec<u64> = (0..100).map(|i| if i % 2 == 0 { 90_000 } else { 110_000 }).collect();
        let lasts = |distribution, tenths| {
            let settings = PhiSettings::new(distribution, Ratio::new(tenths, 10), 100 * MILLISECOND, 100, 0);
            patience(&settings, &by_turns)
        };
        assert_eq!([5, 25, 85].map(|tenths| lasts(Distribution::Normal, tenths)), [104_782, 127_304, 158_079]);
        assert_eq!(lasts(Distribution::Exponential, 85), 1_957_197);
    }

    #[test]
    fn clockwork_is_trusted_by_the_floor() {
        assert_eq!(patience(&settings(Distribution::Normal, 8), &[100_000; 100]), 128_060);
        let bare = PhiSettings { floor: 0, ..settings(Distribution::Normal, 8) };
        assert_eq!(patience(&bare, &[100_000; 100]), 100_000, "the next is a mistake if it is a little late");
    }

    #[test]
    fn before_anything_is_heard_the_interval_is_known() {
        let phi = Phi::begin(&settings(Distribution::Normal, 8), LocalTime(0));
        assert_eq!(phi.moments(), (100 * MILLISECOND, 25 * MILLISECOND));
    }

    proptest! {
        #[test]
        fn trust_rises_with_the_threshold(
            intervals in prop::collection::vec(1u64..1_000_000, 0..150), low in 1u64..=32, high in 1u64..=32,
        ) {
            for distribution in [Distribution::Normal, Distribution::Exponential] {
                let (less, more) = (settings(distribution, low.min(high)), settings(distribution, low.max(high)));
                prop_assert!(patience(&less, &intervals) <= patience(&more, &intervals));
            }
        }

        #[test]
        fn trust_lasts_for_the_mean_at_least(intervals in prop::collection::vec(1u64..1_000_000, 100..150)) {
            let window = &intervals[intervals.len() - 100..];
            let mean = window.iter().sum::<u64>() / 100;
            prop_assert!(patience(&settings(Distribution::Normal, 1), &intervals) >= mean);
        }

        #[test]
        fn no_time_is_too_long(times in prop::collection::vec(any::<u64>(), 1..10)) {
            let settings = settings(Distribution::Normal, 32);
            let mut phi = Phi::begin(&settings, LocalTime(0));
            for at in times {
                phi.heard(Arrival { number: 0, at: LocalTime(at), wall: LocalTime(at) }, &settings);
                phi.trust().left(LocalTime(at / 2));
            }
        }
    }
}
