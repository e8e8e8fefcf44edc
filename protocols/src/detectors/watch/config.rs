//! The settings of the three systems.

use super::flaws::{NO_FLOOR, OLD_NEWS};
use crate::detectors::Estimator;
use crate::detectors::chen::{Chen, ChenSettings, Variant};
use crate::detectors::configurator::{Delays, Network, Wanted, configure};
use crate::detectors::phi::{Distribution, Phi, PhiSettings, THRESHOLD_MAX, THRESHOLD_MIN};
use crate::detectors::timeout::Timeout;
use sim_core::dice::Ratio;
use sim_core::promise::Transit;
use sim_core::settings::{Flaw, Flaws, Key, Kind, Rejected, Settings, Values};
use sim_core::time::{HOUR, MICROSECOND, MILLISECOND, MINUTE, Nanos};

/// The settings of [`Watch`](super::Watch).
#[derive(Clone, Debug)]
pub struct WatchConfig<E: Watched> {
    /// From one heartbeat to the next.
    pub interval: Nanos,
    /// A heartbeat that comes so much later than the fastest is no news; `None` where the estimator sees to that.
    pub cutoff: Option<Nanos>,
    /// What the estimator goes by.
    pub estimator: E::Settings,
    /// The mistakes switched on.
    pub flaws: Flaws,
}

/// A detector that is a system by itself.
pub trait Watched: Estimator {
    /// Its name in scenario files.
    const NAME: &'static str;
    /// What it is, in a line.
    const ABOUT: &'static str;
    /// Its keys.
    const KEYS: &'static [Key];
    /// Its mistakes.
    const FLAWS: &'static [Flaw];
    /// From values that each fit their key.
    ///
    /// # Errors
    /// If they do not fit together.
    fn build(values: &Values, flaws: Flaws) -> Result<WatchConfig<Self>, Rejected>;
    /// So long after it crashes a node is suspected at the latest, by watchers' clocks that tick right: what its messages
    /// (`transit`) and clocks whose rate is wrong by so much on the way (`drift`) may add is in it.
    ///
    /// # Errors
    /// Why there is no such bound.
    fn bound(config: &WatchConfig<Self>, transit: Transit, drift: Ratio) -> Result<Nanos, String>;
}

impl<E: Watched> Settings for WatchConfig<E> {
    const KEYS: &'static [Key] = E::KEYS;
    const FLAWS: &'static [Flaw] = E::FLAWS;

    fn build(values: &Values, flaws: Flaws) -> Result<Self, Rejected> {
        E::build(values, flaws)
    }
}

const INTERVAL: &str = "interval";
const CUTOFF: &str = "cutoff";
const TIMEOUT: &str = "timeout";
const VARIANT: &str = "variant";
const MARGIN: &str = "margin";
const WINDOW: &str = "window";
const DETECT_WITHIN: &str = "detect-within";
const MISTAKES_APART: &str = "mistakes-apart";
const MISTAKES_LAST: &str = "mistakes-last";
const LOSS: &str = "loss";
const DELAYS: &str = "delays";
const DELAY_MEAN: &str = "delay-mean";
const DELAY_DEVIATION: &str = "delay-deviation";
const DISTRIBUTION: &str = "distribution";
const THRESHOLD: &str = "threshold";
const MIN_DEVIATION: &str = "min-deviation";
const PAUSE: &str = "pause";

const INTERVAL_KEY: Key = Key {
    name: INTERVAL,
    kind: Kind::Duration { min: MILLISECOND, max: MINUTE },
    default: "100ms",
    text: "From one heartbeat to the next; every node sends them to all others.",
};

const CUTOFF_KEY: Key = Key {
    name: CUTOFF,
    kind: Kind::Duration { min: MILLISECOND, max: HOUR },
    default: "500ms",
    text: "A heartbeat that comes so much later than the fastest of the last hundred is no news: it tells how its sender \
           was, not how it is.",
};

/// The mistake F04 is to have none: however old a heartbeat is, it counts as if it had been sent just now.
fn cutoff(values: &Values, flaws: &Flaws) -> Option<Nanos> {
    (!flaws.has(&OLD_NEWS)).then(|| values.duration(CUTOFF))
}

impl Watched for Timeout {
    const NAME: &'static str = "heartbeat";
    const ABOUT: &'static str =
        "A failure detector by heartbeats and a fixed timeout: who was silent for so long is down.";
    const KEYS: &'static [Key] = &[
        INTERVAL_KEY,
        Key {
            name: TIMEOUT,
            kind: Kind::Duration { min: MILLISECOND, max: HOUR },
            default: "500ms",
            text: "Who was silent for so long is taken to be down.",
        },
        CUTOFF_KEY,
    ];
    const FLAWS: &'static [Flaw] = &[OLD_NEWS];

    fn build(values: &Values, flaws: Flaws) -> Result<WatchConfig<Self>, Rejected> {
        let (interval, timeout) = (values.duration(INTERVAL), values.duration(TIMEOUT));
        if timeout <= interval {
            let message =
                "the next heartbeat would always be too late: timeout must be longer than interval".to_owned();
            return Err(Rejected { key: TIMEOUT, message });
        }
        Ok(WatchConfig { interval, cutoff: cutoff(values, &flaws), estimator: timeout, flaws })
    }

    /// The last heartbeat was sent before the crash, is heard a transit later, and patience begins then: T_D <= transit +
    /// timeout.
    fn bound(config: &WatchConfig<Self>, transit: Transit, _: Ratio) -> Result<Nanos, String> {
        Ok(config.estimator.saturating_add(transit.longest))
    }
}

impl Watched for Chen {
    const NAME: &'static str = "chen";
    const ABOUT: &'static str = "The failure detectors NFD-S and NFD-E (Chen, Toueg, Aguilera 2002): who is silent when the next heartbeat should be there is down; with the configurator.";
    const KEYS: &'static [Key] = &[
        INTERVAL_KEY,
        Key {
            name: VARIANT,
            kind: Kind::Word(&["nfd-e", "nfd-s"]),
            default: "nfd-e",
            text: "When a heartbeat is due: by the mean of the last ones (nfd-e), or by wall clocks that agree (nfd-s).",
        },
        Key {
            name: MARGIN,
            kind: Kind::Duration { min: 0, max: HOUR },
            default: "400ms",
            text: "How long after that it must be there: alpha of NFD-E, delta of NFD-S.",
        },
        Key {
            name: WINDOW,
            kind: Kind::Count { min: 1, max: 100_000 },
            default: "32",
            text: "With variant = nfd-e: from so many heartbeats it is estimated when the next is due.",
        },
        Key {
            name: DETECT_WITHIN,
            kind: Kind::Duration { min: 0, max: HOUR },
            default: "0s",
            text: "If not 0, interval and margin are computed: a crash is to be detected so soon, with as few heartbeats as \
                   will do.",
        },
        Key {
            name: MISTAKES_APART,
            kind: Kind::Duration { min: MILLISECOND, max: 1_000_000 * HOUR },
            default: "1h",
            text: "With detect-within: from one mistake to the next it is to be so long on average, at least.",
        },
        Key {
            name: MISTAKES_LAST,
            kind: Kind::Duration { min: MILLISECOND, max: HOUR },
            default: "1m",
            text: "With detect-within: a mistake is to last so long on average, at most.",
        },
        Key {
            name: LOSS,
            kind: Kind::Share { max: Ratio { numerator: 1, denominator: 1 } },
            default: "1%",
            text: "With detect-within: so many heartbeats are lost.",
        },
        Key {
            name: DELAYS,
            kind: Kind::Word(&["any", "exponential"]),
            default: "any",
            text: "With detect-within: how delays are distributed; any way with that mean and deviation, or exponentially.",
        },
        Key {
            name: DELAY_MEAN,
            kind: Kind::Duration { min: MICROSECOND, max: MINUTE },
            default: "1ms",
            text: "With detect-within: the mean delay.",
        },
        Key {
            name: DELAY_DEVIATION,
            kind: Kind::Duration { min: MICROSECOND, max: MINUTE },
            default: "1ms",
            text: "With detect-within and delays = any: their standard deviation.",
        },
    ];
    const FLAWS: &'static [Flaw] = &[];

    fn build(values: &Values, flaws: Flaws) -> Result<WatchConfig<Self>, Rejected> {
        let variant = if values.word(VARIANT) == "nfd-s" { Variant::Synchronised } else { Variant::Estimated };
        let (interval, margin) = match wanted(values) {
            Some((wanted, network)) => computed(variant, &wanted, &network)?,
            None => (values.duration(INTERVAL), values.duration(MARGIN)),
        };
        let estimator = ChenSettings { variant, interval, margin, window: values.count(WINDOW) as usize };
        Ok(WatchConfig { interval, cutoff: None, estimator, flaws })
    }

    /// NFD-S: whatever the network does, the trust ends with the freshness point of the heartbeat that was not sent, T_D <=
    /// eta + delta (theorem 4).
    ///
    /// NFD-E: the next heartbeat is expected eta after the last was sent, and later by the mean lateness of the window, which
    /// is a transit at most: T_D <= eta + alpha + transit. Where the sender's clock is fast and the receiver's slow, each by
    /// a share rho, an arrival m heartbeats ago makes it 2 rho eta m more; of a window of n, with gaps shorter than the window
    /// ([`Chen`] begins anew after a longer one), the mean of m is n (n - 1) / 2 at most.
    fn bound(config: &WatchConfig<Self>, transit: Transit, drift: Ratio) -> Result<Nanos, String> {
        let ChenSettings { variant, interval, margin, window } = config.estimator;
        if variant == Variant::Synchronised {
            return Ok(interval.saturating_add(margin));
        }
        if transit.stalls {
            return Err("what waits for a node that stands still is late, and NFD-E then expects what follows as late"
                .to_owned());
        }
        let window = window as u64;
        let gaps = u128::from(window) * u128::from(window - 1);
        let lag = gaps * u128::from(interval) * u128::from(drift.numerator) / u128::from(drift.denominator);
        let lag = Nanos::try_from(lag).unwrap_or(Nanos::MAX);
        Ok(interval.saturating_add(margin).saturating_add(transit.longest).saturating_add(lag))
    }
}

/// What is asked of the configurator, if it is.
fn wanted(values: &Values) -> Option<(Wanted, Network)> {
    let detected_within = Some(values.duration(DETECT_WITHIN)).filter(|within| *within > 0)?;
    let mean = values.duration(DELAY_MEAN);
    let delays = match values.word(DELAYS) {
        "exponential" => Delays::Exponential(mean),
        _ => Delays::Moments(mean, values.duration(DELAY_DEVIATION)),
    };
    let wanted = Wanted {
        detected_within,
        mistakes_apart: values.duration(MISTAKES_APART),
        mistakes_last: values.duration(MISTAKES_LAST),
    };
    Some((wanted, Network { loss: values.share(LOSS), delays }))
}

fn computed(variant: Variant, wanted: &Wanted, network: &Network) -> Result<(Nanos, Nanos), Rejected> {
    configure(variant, wanted, network).filter(|(interval, _)| *interval >= MILLISECOND).ok_or_else(|| {
        let message = "no number of heartbeats gives that quality on such a network: allow more time, or more mistakes";
        Rejected { key: DETECT_WITHIN, message: message.to_owned() }
    })
}

impl Watched for Phi {
    const NAME: &'static str = "phi";
    const ABOUT: &'static str = "The phi accrual failure detector (Hayashibara et al. 2004, and Cassandra's form): who was silent for longer than is likely, going by earlier heartbeats, is down.";
    const KEYS: &'static [Key] = &[
        INTERVAL_KEY,
        Key {
            name: DISTRIBUTION,
            kind: Kind::Word(&["normal", "exponential"]),
            default: "normal",
            text: "How intervals between heartbeats are taken to be distributed: normally, as in the paper and in Akka, or \
                   exponentially, as in Cassandra.",
        },
        Key {
            name: THRESHOLD,
            kind: Kind::Decimal { min: THRESHOLD_MIN, max: THRESHOLD_MAX },
            default: "8",
            text: "Phi from which on a node is taken to be down: one such suspicion of 10^phi would be a mistake.",
        },
        Key {
            name: WINDOW,
            kind: Kind::Count { min: 2, max: 100_000 },
            default: "1000",
            text: "From so many intervals it learns.",
        },
        Key {
            name: MIN_DEVIATION,
            kind: Kind::Duration { min: 0, max: MINUTE },
            default: "10ms",
            text: "With distribution = normal: the deviation of intervals is taken to be at least so much.",
        },
        Key {
            name: PAUSE,
            kind: Kind::Duration { min: 0, max: HOUR },
            default: "0s",
            text: "So much longer than phi says a silence may last: pauses that are to be lived with.",
        },
        CUTOFF_KEY,
    ];
    const FLAWS: &'static [Flaw] = &[NO_FLOOR, OLD_NEWS];

    fn build(values: &Values, flaws: Flaws) -> Result<WatchConfig<Self>, Rejected> {
        let distribution =
            if values.word(DISTRIBUTION) == "normal" { Distribution::Normal } else { Distribution::Exponential };
        let (interval, floor) = (values.duration(INTERVAL), values.duration(MIN_DEVIATION));
        let window = values.count(WINDOW) as usize;
        let mut estimator = PhiSettings::new(distribution, values.decimal(THRESHOLD), interval, window, floor);
        estimator.pause = values.duration(PAUSE);
        // The mistake F03: a deviation of nothing is taken at its word.
        if flaws.has(&NO_FLOOR) {
            estimator.floor = 0;
        }
        Ok(WatchConfig { interval, cutoff: cutoff(values, &flaws), estimator, flaws })
    }

    fn bound(_: &WatchConfig<Self>, _: Transit, _: Ratio) -> Result<Nanos, String> {
        Err("phi bounds how likely a mistake is, and not how long a detection takes: that is what it learns".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::time::SECOND;

    fn build<E: Watched>(settings: &[(&str, &str)]) -> Result<WatchConfig<E>, String> {
        let mut values = Values::defaults(E::KEYS);
        for (name, text) in settings {
            let key = E::KEYS.iter().find(|key| key.name == *name).expect("a key");
            values.set(key, key.kind.parse(text).expect("a value"));
        }
        E::build(&values, Flaws::default()).map_err(|rejected| rejected.message)
    }

    #[test]
    fn a_quality_that_is_wanted_becomes_an_interval_and_a_margin() {
        let wanted = [(DETECT_WITHIN, "30s"), (MISTAKES_APART, "720h"), (DELAYS, "exponential"), (DELAY_MEAN, "20ms")];
        let config = build::<Chen>(&[&wanted[..], &[(VARIANT, "nfd-s")]].concat()).expect("it can be had");
        assert_eq!(Chen::bound(&config, Transit::NONE, Ratio::ZERO), Ok(30 * SECOND));
        assert_eq!(config.interval / (10 * MILLISECOND), 997);
        let error = build::<Chen>(&[(DETECT_WITHIN, "30s"), (LOSS, "100%")]).expect_err("nothing arrives");
        assert!(error.contains("no number of heartbeats"), "{error}");
    }

    #[test]
    fn a_timeout_shorter_than_the_interval_is_refused() {
        assert!(build::<Timeout>(&[(TIMEOUT, "101ms")]).is_ok());
        assert!(build::<Timeout>(&[(TIMEOUT, "100ms")]).is_err());
    }
}
