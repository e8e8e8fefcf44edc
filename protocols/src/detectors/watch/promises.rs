//! What detectors promise, under which settings.
//!
//! | settings | promised | not promised |
//! |---|---|---|
//! | `heartbeat` | who crashes is suspected by everybody within timeout + cutoff, and an interval for the way | that nobody else is |
//! | `chen`, NFD-E | the same within interval + margin, and an interval for the way | the same |
//! | `chen`, NFD-S | the same, whatever the network does, if wall clocks agree | the same |
//! | `phi` | | a bound: it learns one from the network, and that may be a long one |
//!
//! Clocks may be wrong by a hundredth in their rate, and may not jump or stand still. Accuracy is statistics, and nobody promises
//! it of a single run.

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
    let bound = E::bound(config)? + config.interval;
    if !premise.clocks_keep_to(DRIFT_MAX) {
        return Err(
            "time is measured by clocks, and those here jump, stand still or are wrong by more than 1%".to_owned()
        );
    }
    if E::is_by_wall_clock(&config.estimator) && premise.wall_clocks_wrong {
        return Err("NFD-S goes by wall clocks that agree, and those here do not".to_owned());
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
    use sim_core::settings::Settings;
    use sim_core::time::{MILLISECOND, SECOND};

    fn is_promised<E: Watched>(config: &WatchConfig<E>, ms: u64, premise: Premise) -> bool {
        promise(config, Claim::Detects { within: ms * MILLISECOND }, &premise).is_ok()
    }

    #[test]
    fn detection_is_promised_within_the_bound_by_good_clocks() {
        let heartbeat = WatchConfig::<Timeout>::defaults();
        assert!(is_promised(&heartbeat, 1100, Premise::CALM) && !is_promised(&heartbeat, 1099, Premise::CALM));
        assert!(!is_promised(&heartbeat, 1100, Premise { clocks_step: true, ..Premise::CALM }));
        let drift = Premise { clock_rate_error: Ratio::new(2, 100), ..Premise::CALM };
        assert!(!is_promised(&heartbeat, 1100, drift));
        let estimated = WatchConfig::<Chen>::defaults();
        assert!(is_promised(&estimated, 600, Premise::CALM) && !is_promised(&estimated, 599, Premise::CALM));
        let mut synchronised = estimated.clone();
        synchronised.estimator.variant = Variant::Synchronised;
        let apart = Premise { wall_clocks_wrong: true, ..Premise::CALM };
        assert!(is_promised(&estimated, 600, apart) && !is_promised(&synchronised, 600, apart));
        assert!(!is_promised(&WatchConfig::<Phi>::defaults(), 3600 * (SECOND / MILLISECOND), Premise::CALM));
        assert!(promise(&heartbeat, Claim::Linearizable, &Premise::CALM).is_err());
    }
}
