//! Which interval and margin give the quality that is wanted: the configurator of Chen, Toueg and Aguilera (2002).
//!
//! Given how the network behaves, the fewest heartbeats are wanted that keep three promises: a crash is detected within so
//! long, a mistake comes once in so long on average, and lasts for so long at most on average. The longest interval eta that
//! does is looked for, from the longest that can: section 4 for a known distribution of delays, section 5 for its mean and
//! variance alone, by the one-sided inequality of Chebyshev. The latter serves NFD-E as well (section 6), whose margin goes
//! without the mean delay.

use super::chen::Variant;
use super::fixed::{ONE, exp_minus, times};
use sim_core::dice::Ratio;
use sim_core::time::{MICROSECOND, Nanos};

/// The quality that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Who crashes is suspected after so long at the latest.
    pub detected_within: Nanos,
    /// From one mistake to the next it is so long on average, at least.
    pub mistakes_apart: Nanos,
    /// A mistake lasts for so long on average, at most.
    pub mistakes_last: Nanos,
}

/// How the network behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The share of heartbeats that are lost.
    pub loss: Ratio,
    /// How long the others take.
    pub delays: Delays,
}

/// What is known of delays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delays {
    /// They are exponentially distributed, with this mean.
    Exponential(Nanos),
    /// They have this mean and standard deviation; nothing else is known.
    Moments(Nanos, Nanos),
}

/// Intervals are tried in steps of this share of the time to detect a crash.
const STEPS: u64 = 10_000;

/// A product of chances is counted in 2^-72 parts.
const CHANCE_BITS: u32 = 72;

/// The longest interval, and the margin that goes with it; `None` if no interval will do.
pub fn configure(variant: Variant, wanted: &Wanted, network: &Network) -> Option<(Nanos, Nanos)> {
    let mean = match network.delays {
        Delays::Exponential(mean) | Delays::Moments(mean, _) => mean,
    };
    let longest = longest(wanted, network)?;
    let step = (wanted.detected_within / STEPS).max(1);
    let interval = (1..=longest / step).rev().map(|steps| steps * step).find(|eta| is_enough(*eta, wanted, network))?;
    let margin = wanted.detected_within.checked_sub(interval)?;
    match variant {
        Variant::Synchronised => Some((interval, margin)),
        Variant::Estimated => margin.checked_sub(mean).map(|margin| (interval, margin)),
    }
}

/// The share of numbers that a ratio stands for.
fn fixed(share: Ratio) -> i128 {
    i128::from(share.numerator) * ONE / i128::from(share.denominator)
}

/// Step 1: no interval may be longer, or mistakes last too long: they end with the next heartbeat that is in time.
fn longest(wanted: &Wanted, network: &Network) -> Option<Nanos> {
    let most = match network.delays {
        Delays::Exponential(_) => wanted.detected_within,
        Delays::Moments(mean, _) => wanted.detected_within.checked_sub(mean)?,
    };
    let arrives_in_time = times(ONE - fixed(network.loss), ONE - late(wanted.detected_within, network.delays));
    let longest = times(i128::from(wanted.mistakes_last), arrives_in_time);
    Some(most.min(u64::try_from(longest).unwrap_or(u64::MAX)))
}

/// The chance that a heartbeat which is not lost takes longer than this, or a bound on it.
fn late(after: Nanos, delays: Delays) -> i128 {
    match delays {
        Delays::Exponential(mean) => exp_minus(i128::from(after) * ONE / i128::from(mean.max(1))),
        Delays::Moments(mean, deviation) => {
            let square = |time: Nanos| i128::from(time / MICROSECOND) * i128::from(time / MICROSECOND);
            let (variance, beyond) = (square(deviation), square(after.saturating_sub(mean)));
            if variance + beyond == 0 { ONE } else { variance * ONE / (variance + beyond) }
        }
    }
}

/// Step 2: whether mistakes are rare enough at this interval. One begins when, of all heartbeats that could still be counted at
/// a freshness point, none is there.
fn is_enough(eta: Nanos, wanted: &Wanted, network: &Network) -> bool {
    let loss = fixed(network.loss);
    let is_missing = |after: Nanos| loss + times(ONE - loss, late(after, network.delays));
    let beyond = match network.delays {
        Delays::Exponential(_) => wanted.detected_within,
        Delays::Moments(mean, _) => wanted.detected_within.saturating_sub(mean),
    };
    let mut chance = match network.delays {
        Delays::Exponential(_) => (ONE - is_missing(wanted.detected_within)) << (CHANCE_BITS - 48),
        Delays::Moments(..) => 1 << CHANCE_BITS,
    };
    for j in 1..beyond.div_ceil(eta) {
        // The mistakes of `mistakes_apart` must not be more than one: chance / eta of them begin each nanosecond.
        if (i128::from(wanted.mistakes_apart) * (chance >> 16)) >> (CHANCE_BITS - 16) <= i128::from(eta) {
            return true;
        }
        chance = (chance * is_missing(wanted.detected_within - j * eta)) >> 48;
    }
    (i128::from(wanted.mistakes_apart) * (chance >> 16)) >> (CHANCE_BITS - 16) <= i128::from(eta)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sim_core::time::{HOUR, MILLISECOND, MINUTE, SECOND};

    /// The example of the paper's section 4: a crash is to be known within 30 s, a mistake to be made once in 30 days and to
    /// last a minute; 1 % of heartbeats are lost, the others take 20 ms on average.
    const WANTED: Wanted =
        Wanted { detected_within: 30 * SECOND, mistakes_apart: 30 * 24 * HOUR, mistakes_last: MINUTE };
    const LOSS: Ratio = Ratio { numerator: 1, denominator: 100 };

    fn network(delays: Delays) -> Network {
        Network { loss: LOSS, delays }
    }

    fn is_about(found: Nanos, expected_ms: u64) -> bool {
        found.abs_diff(expected_ms * MILLISECOND) <= 10 * MILLISECOND
    }

    #[test]
    fn the_papers_example_comes_out() {
        let exponential = network(Delays::Exponential(20 * MILLISECOND));
        let (eta, delta) = configure(Variant::Synchronised, &WANTED, &exponential).expect("it can be done");
        assert!(is_about(eta, 9_970) && is_about(delta, 20_030), "{eta} {delta}");
        // The 9.71 s of section 5 come out with a variance of 0.02 s²; with that of exponential delays it would be 9.95 s.
        let moments = network(Delays::Moments(20 * MILLISECOND, 141_421 * MICROSECOND));
        let (eta, delta) = configure(Variant::Synchronised, &WANTED, &moments).expect("it can be done");
        assert!(is_about(eta, 9_710) && is_about(delta, 20_290), "{eta} {delta}");
        let (same, alpha) = configure(Variant::Estimated, &WANTED, &moments).expect("it can be done");
        assert_eq!((same, alpha), (eta, delta - 20 * MILLISECOND));
    }

    #[test]
    fn what_cannot_be_had_is_not_promised() {
        let slow = network(Delays::Moments(40 * SECOND, SECOND));
        assert_eq!(configure(Variant::Synchronised, &WANTED, &slow), None, "delays are longer than the time there is");
        let deaf = Network { loss: Ratio::new(1, 1), delays: Delays::Exponential(MILLISECOND) };
        assert_eq!(configure(Variant::Synchronised, &WANTED, &deaf), None, "nothing arrives");
    }

    proptest! {
        /// Wanting more never takes fewer heartbeats.
        #[test]
        fn better_quality_costs_heartbeats(apart in 1u64..1000, more in 0u64..1000, loss in 1u64..30) {
            let network = Network { loss: Ratio::new(loss, 100), delays: Delays::Exponential(20 * MILLISECOND) };
            let interval = |hours| {
                let wanted = Wanted { mistakes_apart: hours * HOUR, ..WANTED };
                configure(Variant::Synchronised, &wanted, &network).map(|(eta, _)| eta)
            };
            prop_assert!(interval(apart + more) <= interval(apart));
        }
    }
}
