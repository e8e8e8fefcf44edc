//! What SWIM promises, under which settings.
//!
//! | settings | promised | not promised |
//! |---|---|---|
//! | any | an incarnation is raised by its owner alone; what a member knows never goes back ([`SwimLaws`](super::SwimLaws)) | that two members know the same at any instant |
//! | round-robin | who has crashed is found by every member that pings it, in 2n - 1 periods at most (4.3), and a suspicion later; each stretched as far as Lifeguard may | that who is found dead has crashed (accuracy) |
//! | random | the same, in the end | within any time: only the mean is known (3.1) |
//! | sync | once nothing goes wrong any more, all come to know the same, also who took each other for dead | how soon |
//! | no sync | | the same after a cut that lasted for longer than suspicions: nobody pings the dead |
//!
//! Disks do not matter: who has forgotten what it said hears of it, and raises its incarnation above that.

use super::config::{Probing, SwimConfig};
use sim_core::dice::Ratio;
use sim_core::promise::{Claim, Premise};
use sim_core::time::{Nanos, format_duration};

/// Periods are counted by each member's own clock; so wrong it may be.
const RATE_ERROR_MAX: Ratio = Ratio::new(1, 100);

/// Whether this is promised where no more than this goes wrong. Flaws are not looked at.
///
/// # Errors
/// Why not.
pub fn promise(config: &SwimConfig, claim: Claim, premise: &Premise) -> Result<(), String> {
    match claim {
        Claim::Converges => converges(config, premise),
        Claim::Detects { within } => detects(config, within, premise),
        Claim::Linearizable
        | Claim::LinearizableWrites
        | Claim::NoLostWrites
        | Claim::Progress
        | Claim::Consistent(_)
        | Claim::HintsDelivered
        | Claim::NoResurrection => Err("swim keeps no data: it only says who is a member".to_owned()),
    }
}

fn converges(config: &SwimConfig, premise: &Premise) -> Result<(), String> {
    if config.sync == 0 {
        return Err(
            "with sync = 0s nobody asks those that it takes for dead, so groups that were cut apart may stay apart"
                .to_owned(),
        );
    }
    if premise.unheard {
        return Err("some messages never arrive, however often they are sent".to_owned());
    }
    Ok(())
}

fn detects(config: &SwimConfig, within: Nanos, premise: &Premise) -> Result<(), String> {
    if config.probing == Probing::Random {
        return Err("with probing = random it can take any time until a lot falls on who has crashed".to_owned());
    }
    if !premise.clocks_keep_to(RATE_ERROR_MAX) {
        return Err("members count periods by their own clocks, and here these go wrong".to_owned());
    }
    let surely = surely(config, u64::from(premise.nodes));
    if within < surely {
        let surely = format_duration(surely);
        return Err(format!(
            "it may take {surely} until every member has pinged who has crashed, and a suspicion is over"
        ));
    }
    Ok(())
}

/// In the worst case a member pings somebody last in this round and first in the one before, when he was still there; then a
/// period tells, and a suspicion that nobody shares. A hundredth is for clocks.
fn surely(config: &SwimConfig, nodes: u64) -> Nanos {
    let stretch = if config.lha_probe { config.health_max + 1 } else { 1 };
    let periods = (2 * nodes).saturating_mul(stretch);
    let suspicion = if config.suspicion { config.suspected_for(0, nodes) } else { 0 };
    let total = config.period.saturating_mul(periods).saturating_add(suspicion);
    total.saturating_add(total / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::settings::Settings;
    use sim_core::time::SECOND;

    fn within(config: &SwimConfig, seconds: u64) -> bool {
        let premise = Premise { nodes: 5, ..Premise::CALM };
        promise(config, Claim::Detects { within: seconds * SECOND }, &premise).is_ok()
    }

    #[test]
    fn a_crash_is_found_in_two_rounds_and_a_suspicion() {
        let lifeguard = SwimConfig::defaults();
        assert!(within(&lifeguard, 122) && !within(&lifeguard, 121));
        let swim = SwimConfig { lha_probe: false, lha_suspicion: false, ..lifeguard };
        assert!(within(&swim, 16) && !within(&swim, 15));
        let blunt = SwimConfig { suspicion: false, ..swim.clone() };
        assert!(within(&blunt, 11) && !within(&blunt, 10));
        assert!(!within(&SwimConfig { probing: Probing::Random, ..swim }, 1000));
    }

    #[test]
    fn a_clock_that_goes_wrong_may_hide_anything() {
        let premise = Premise { nodes: 5, clocks_freeze: true, ..Premise::CALM };
        assert!(promise(&SwimConfig::defaults(), Claim::Detects { within: 1000 * SECOND }, &premise).is_err());
    }

    #[test]
    fn views_converge_if_somebody_asks_the_dead() {
        let config = SwimConfig::defaults();
        let converges = |config: &SwimConfig, premise| promise(config, Claim::Converges, &premise).is_ok();
        assert!(converges(&config, Premise::CALM));
        assert!(!converges(&SwimConfig { sync: 0, ..config.clone() }, Premise::CALM));
        assert!(!converges(&config, Premise { unheard: true, ..Premise::CALM }));
        assert!(promise(&config, Claim::Linearizable, &Premise::CALM).is_err());
    }
}
