//! What Paxos promises, under which settings.
//!
//! | settings | promised | not promised |
//! |---|---|---|
//! | any | one value for each decree, which somebody proposed; whoever was told of it, everybody is told of it (2.1) | |
//! | backoff | progress, while quorums of both phases are up and connected, since one of several proposers is alone before long (2.4) | progress where messages never arrive |
//! | no backoff | | progress: two proposers can go on outdoing each other (2.4) |
//! | disks that lie | the same, while the power lasts | anything once it goes: the promise that a quorum rested on can be gone |
//!
//! Otherwise disks, crashes and clocks do not appear: an acceptor speaks of nothing that its disk does not hold, one whose journal
//! is spoilt refuses to serve, and an empty machine in the place of a lost one says nothing.

use super::config::PaxosConfig;
use crate::quorum::Quorums;
use sim_core::promise::{Claim, Contact, Premise};
use sim_core::time::format_duration;

/// A ballot is two exchanges of messages; so many times `resend` see one through where some have to be said again.
const RESENDS: u64 = 4;

/// Whether this is promised where no more than this goes wrong. Flaws are not looked at.
///
/// # Errors
/// Why not.
pub fn promise(config: &PaxosConfig, claim: Claim, premise: &Premise) -> Result<(), String> {
    match claim {
        Claim::Linearizable | Claim::LinearizableWrites | Claim::NoLostWrites | Claim::Consistent(_) => {
            lasting_votes(premise)
        }
        Claim::Progress => progress(config, premise),
        Claim::Converges | Claim::HintsDelivered | Claim::NoResurrection => Err(Claim::not_offered("paxos")),
        Claim::Detects { .. } => Err(Claim::watches_nobody("paxos")),
    }
}

fn lasting_votes(premise: &Premise) -> Result<(), String> {
    if premise.lies_come_out() {
        return Err(
            "paxos trusts its disks, and here one says of records that they are safe when they are not, and loses its \
                    power: a promise can be gone, and another value be chosen"
                .to_owned(),
        );
    }
    Ok(())
}

fn progress(config: &PaxosConfig, premise: &Premise) -> Result<(), String> {
    let (nodes, lost) = (premise.nodes as usize, premise.nodes_lost as usize);
    if config.backoff.1 == 0 {
        return Err(
            "without backoff two proposers can go on outdoing each other's ballots, and nothing is chosen".to_owned()
        );
    }
    if lost > 0 && !config.quorums.survives(nodes, lost) {
        return Err(format!(
            "of {nodes} nodes {lost} may lose their disks for good, and those left need not have a quorum for each phase"
        ));
    }
    match premise.contact {
        Contact::Direct => {}
        Contact::Joined if config.quorums == Quorums::Majority => {}
        Contact::Joined | Contact::Indirect => {
            return Err(
                "nodes or clients here may reach each other only over others, and paxos passes nothing on".to_owned()
            );
        }
    }
    if premise.unheard {
        return Err("some messages never arrive, however often they are sent".to_owned());
    }
    let ballot = RESENDS * config.resend;
    if let Some(calm) = premise.calm.filter(|calm| *calm < ballot) {
        let (calm, ballot) = (format_duration(calm), format_duration(ballot));
        return Err(format!(
            "the network may be whole for {calm} at a time, and a ballot can take {ballot} ({RESENDS} times resend)"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::fault::DiskFate;
    use sim_core::settings::Settings;
    use sim_core::time::MILLISECOND;

    const ALL: [Claim; 4] = [Claim::Linearizable, Claim::LinearizableWrites, Claim::NoLostWrites, Claim::Progress];

    fn promised(config: &PaxosConfig, premise: Premise) -> Vec<Claim> {
        ALL.into_iter().filter(|claim| promise(config, *claim, &premise).is_ok()).collect()
    }

    #[test]
    fn one_value_is_promised_whatever_happens_to_honest_disks() {
        let config = PaxosConfig::defaults();
        let torn = Premise { disk: Some(DiskFate::Torn), records_rot: true, disk_errors: true, ..Premise::CALM };
        assert_eq!(promised(&config, torn), ALL);
        let lies = Premise { flushes_lie: true, disk: Some(DiskFate::LoseUnsynced), ..Premise::CALM };
        assert_eq!(promised(&config, lies), [Claim::Progress]);
    }

    #[test]
    fn progress_needs_backoff_quorums_contact_and_time() {
        let config = PaxosConfig::defaults();
        let duelling = PaxosConfig { backoff: (0, 0), ..config.clone() };
        assert_eq!(promised(&duelling, Premise::CALM), ALL[..3]);
        let lost = |nodes_lost| Premise { nodes: 5, nodes_lost, ..Premise::CALM };
        assert_eq!((promised(&config, lost(2)).len(), promised(&config, lost(3)).len()), (4, 3));
        let sizes = PaxosConfig { quorums: Quorums::Sizes { phase1: 4, phase2: 2 }, ..config.clone() };
        assert_eq!((promised(&sizes, lost(1)).len(), promised(&sizes, lost(2)).len()), (4, 3));
        let contact = |contact| Premise { contact, ..Premise::CALM };
        assert_eq!(promised(&config, contact(Contact::Joined)), ALL);
        assert_eq!(promised(&sizes, contact(Contact::Joined)), ALL[..3]);
        assert_eq!(promised(&config, contact(Contact::Indirect)), ALL[..3]);
        assert_eq!(promised(&config, Premise { unheard: true, ..Premise::CALM }), ALL[..3]);
        let calm = |ms: u64| Premise { calm: Some(ms * MILLISECOND), ..Premise::CALM };
        assert_eq!((promised(&config, calm(400)).len(), promised(&config, calm(399)).len()), (4, 3));
    }
}
