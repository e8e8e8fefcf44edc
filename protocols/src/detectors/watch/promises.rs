//! What detectors promise, under which settings.
//!
//! | settings | promised | not promised |
//! |---|---|---|
//! | `heartbeat` | who crashes is suspected by everybody within timeout, and the longest that a message takes | that nobody else is |
//! | `chen`, NFD-E | the same within interval + margin, and as much; longer where clocks drift | anything where nodes stand still |
//! | `chen`, NFD-S | within interval + margin, whatever the network does, if wall clocks agree and go on to | that nobody else is |
//! | `phi` | | a bound: it learns one from the network, and that may be a long one |
//!
//! Formulas stand with [`Watched::bound`]. Clocks may be wrong by a hundredth in their rate, and may not jump or stand still. Who
//! stands still suspects nobody, so that time is not counted. Accuracy is statistics, and nobody promises it of a single run.

use super::{WatchConfig, Watched};
use sim_core::dice::Ratio;
use sim_core::promise::{Claim, Premise};
use sim_core::time::{Nanos, format_duration};

const DRIFT_MAX: Ratio = Ratio { numerator: 1, denominator: 100 };

/// Whether this is promised where no more than this goes wrong.
///
/// # Errors
/// Why not.
pub fn promise<E: Watched>(config: &WatchConfig<E>, claim: Claim, premise: &Premise) -> Result<(), String> {
    match claim {
        Claim::Detects { within } => detects(config, within, premise),
        Claim::Linearizable
        | Claim::LinearizableWrites
        | Claim::NoLostWrites
        | Claim::Progress
        | Claim::Consistent(_)
        | Claim::Converges
        | Claim::HintsDelivered
        | Claim::NoResurrection => Err(format!("{} keeps no data and serves nobody", E::NAME)),
    }
}

fn detects<E: Watched>(config: &WatchConfig<E>, within: Nanos, premise: &Premise) -> Result<(), String> {
    if !premise.clocks_keep_to(DRIFT_MAX) {
        return Err(
            "time is measured by clocks, and those here jump, stand still or are wrong by more than 1%".to_owned()
        );
    }
    let Premise { clock_rate_error: drift, transit, .. } = *premise;
    if E::is_by_wall_clock(&config.estimator) && (premise.wall_clocks_wrong || drift.numerator > 0) {
        return Err("NFD-S goes by wall clocks that agree, and those here do not, or not for long".to_owned());
    }
    let by_good_clocks = E::bound(config, transit, drift)?;
    // A slow clock takes 1 / (1 - drift) as long; and its alarm may wait behind other work.
    let by_slow_clocks = u128::from(by_good_clocks) * u128::from(drift.denominator);
    let by_slow_clocks = by_slow_clocks.div_ceil(u128::from(drift.denominator - drift.numerator));
    let bound = Nanos::try_from(by_slow_clocks).unwrap_or(Nanos::MAX).saturating_add(transit.handling);
    if bound == Nanos::MAX {
        return Err("nobody can say how long messages take here: queues may build up".to_owned());
    }
    if within < bound {
        let (within, bound) = (format_duration(within), format_duration(bound));
        return Err(format!("a crash can go unnoticed for {bound} with these settings, which is more than {within}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::chen::{Chen, Variant};
    use crate::detectors::phi::Phi;
    use crate::detectors::timeout::Timeout;
    use sim_core::promise::Transit;
    use sim_core::settings::Settings;
    use sim_core::time::{MILLISECOND, SECOND};

    /// The shortest time that is promised, in milliseconds.
    fn bound<E: Watched>(config: &WatchConfig<E>, premise: Premise) -> Option<u64> {
        (1..3600).find(|ms| is_promised(config, *ms, premise))
    }

    fn drift(percent: u64) -> Premise {
        Premise { clock_rate_error: Ratio::new(percent, 100), ..Premise::CALM }
    }

    fn slow(longest: Nanos, handling: Nanos, stalls: bool) -> Premise {
        Premise { transit: Transit { longest, handling, stalls }, ..Premise::CALM }
    }

    fn synchronised() -> WatchConfig<Chen> {
        let mut config = WatchConfig::<Chen>::defaults();
        config.estimator.variant = Variant::Synchronised;
        config
    }

    /// 500 ms, or 100 + 400.
    #[test]
    fn a_slow_network_and_slow_clocks_lengthen_the_bound() {
        let (heartbeat, estimated) = (WatchConfig::<Timeout>::defaults(), WatchConfig::<Chen>::defaults());
        let network = slow(30 * MILLISECOND, 2 * MILLISECOND, false);
        assert_eq!((bound(&heartbeat, network), bound(&estimated, network)), (Some(532), Some(532)));
        assert_eq!(bound(&synchronised(), network), Some(502), "whatever the network does");
        let endless = slow(Nanos::MAX, 2 * MILLISECOND, false);
        assert_eq!((bound(&heartbeat, endless), bound(&estimated, endless)), (None, None));
        assert_eq!(bound(&synchronised(), endless), Some(502));
        assert_eq!(bound(&heartbeat, drift(1)), Some(506), "500 / 0.99");
        assert_eq!(bound(&synchronised(), drift(1)), None, "after ten minutes clocks are 12 s apart");
        assert_eq!(bound(&estimated, drift(1)), Some(1508), "(500 + 0.01 x 100 x 32 x 31) / 0.99");
    }

    /// Who stands still is not waited for, and NFD-E learns from what waited.
    #[test]
    fn where_nodes_stand_still_nfd_e_promises_nothing() {
        let stalls = slow(0, 0, true);
        assert_eq!(bound(&WatchConfig::<Timeout>::defaults(), stalls), Some(500));
        assert_eq!(bound(&synchronised(), stalls), Some(500));
        assert_eq!(bound(&WatchConfig::<Chen>::defaults(), stalls), None);
    }

    fn is_promised<E: Watched>(config: &WatchConfig<E>, ms: u64, premise: Premise) -> bool {
        promise(config, Claim::Detects { within: ms * MILLISECOND }, &premise).is_ok()
    }

    #[test]
    fn detection_is_promised_within_the_bound_by_good_clocks() {
        let heartbeat = WatchConfig::<Timeout>::defaults();
        assert_eq!(bound(&heartbeat, Premise::CALM), Some(500));
        assert_eq!(bound(&heartbeat, Premise { clocks_step: true, ..Premise::CALM }), None);
        assert_eq!(bound(&heartbeat, drift(2)), None);
        let estimated = WatchConfig::<Chen>::defaults();
        assert_eq!(bound(&estimated, Premise::CALM), Some(500));
        let apart = Premise { wall_clocks_wrong: true, ..Premise::CALM };
        assert_eq!((bound(&estimated, apart), bound(&synchronised(), apart)), (Some(500), None));
        assert!(!is_promised(&WatchConfig::<Phi>::defaults(), 3600 * (SECOND / MILLISECOND), Premise::CALM));
        assert!(promise(&heartbeat, Claim::Linearizable, &Premise::CALM).is_err());
    }
}
