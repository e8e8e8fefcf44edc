//! What Multi-Paxos promises, under which settings.
//!
//! | settings | promised | not promised |
//! |---|---|---|
//! | reads through the log or confirmed by a quorum; writes take effect once | linearizability of all operations; acknowledged writes survive | progress without a quorum of each phase that is up and mutually connected |
//! | reads under a lease | the same, while clocks keep to the bound that the lease allows for (PML 5.2) | linearizability once a clock is further off, jumps or stands still |
//! | reads from a node's own state | linearizability of whatever is not a read | recency: a read may be older than one before it at another node |
//! | any | progress if the network is whole for long enough to elect somebody (PMS 2.4) | progress while nodes hear each other only over others, or one way: whoever does not hear the leader takes its ballot away, again and again (Ng, Haridi & Carbone 2023, table 1) |
//! | disks that lie | the same, while the power lasts | anything about writes, once it goes |
//!
//! Otherwise disks do not appear, nor do machines that are lost for good as far as safety goes: an empty one in the place of
//! another says nothing. Wall clocks are read by nobody.

use super::config::{MultiPaxosConfig, ReadMode};
use sim_core::promise::{Claim, Contact, Premise};
use sim_core::time::{Nanos, format_duration};

/// So many times the longest patience is enough to elect somebody, if two try at once and one of them waits longer.
const PATIENCES: Nanos = 4;

/// Whether this is promised with these settings, where no more than this goes wrong. Flaws are not looked at.
///
/// # Errors
/// Why not.
pub fn promise(config: &MultiPaxosConfig, claim: Claim, premise: &Premise) -> Result<(), String> {
    match claim {
        // Whoever reads what may lag, at whichever node, may also go back, and miss what it wrote itself.
        Claim::Linearizable | Claim::Consistent(_) => {
            current_reads(config, premise).and_then(|()| lasting_writes(premise))
        }
        Claim::LinearizableWrites | Claim::NoLostWrites => lasting_writes(premise),
        Claim::Progress => progress(config, premise),
        Claim::Converges | Claim::HintsDelivered | Claim::NoResurrection => Err(Claim::not_offered("multi-paxos")),
        Claim::Detects { .. } => Err(Claim::watches_nobody("multi-paxos")),
    }
}

fn current_reads(config: &MultiPaxosConfig, premise: &Premise) -> Result<(), String> {
    match config.reads {
        ReadMode::Log | ReadMode::Quorum => Ok(()),
        ReadMode::Lease if premise.clocks_keep_to(config.clock_drift_bound) => Ok(()),
        ReadMode::Lease => {
            Err("reads = lease trusts the clocks, and here they go wrong by more than the lease allows for: a \
                                deposed leader may answer with an old value"
                .to_owned())
        }
        ReadMode::Local => {
            Err("reads = local answers from any node's own state, which may lag: a read may be stale".to_owned())
        }
    }
}

/// "Stable storage, preserved during failures, is used to maintain the information that the acceptor must remember" (PMS 2.5).
fn lasting_writes(premise: &Premise) -> Result<(), String> {
    if premise.lies_come_out() {
        return Err(
            "multi-paxos trusts its disks, and here one says of records that they are safe when they are not, and \
                    loses its power: what a quorum accepted can be gone, and a promise be broken"
                .to_owned(),
        );
    }
    Ok(())
}

fn progress(config: &MultiPaxosConfig, premise: &Premise) -> Result<(), String> {
    let refuse = |reason: String| Err(reason);
    let acceptors = config.founders(premise.nodes as usize);
    let lost = premise.nodes_lost as usize;
    if lost > 0 && !config.quorums.survives(acceptors, lost) {
        return refuse(format!(
            "of {acceptors} acceptors {lost} may lose their disks for good, and those left need not have a quorum for each \
             phase"
        ));
    }
    if premise.one_way_cuts {
        return refuse(
            "a node that is heard and does not hear takes the leader's ballot away, again and again".to_owned(),
        );
    }
    if premise.contact != Contact::Direct {
        return refuse(
            "nodes or clients here may reach each other only over others, and whoever does not hear the leader takes its \
             ballot away, again and again"
                .to_owned(),
        );
    }
    if premise.unheard {
        return refuse("some messages never arrive, however often they are sent".to_owned());
    }
    let election = PATIENCES.saturating_mul(config.patience.1).saturating_add(config.detection());
    if let Some(calm) = premise.calm.filter(|calm| *calm < election) {
        let (calm, election) = (format_duration(calm), format_duration(election));
        return refuse(format!(
            "the network may be whole for {calm} at a time, and it can take {election} until somebody leads ({PATIENCES} \
             times the longest patience, and what chen or phi need to suspect a leader)"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quorum::Quorums;
    use sim_core::fault::DiskFate;
    use sim_core::settings::Settings;
    use sim_core::time::MILLISECOND;

    const ALL: [Claim; 4] = [Claim::Linearizable, Claim::LinearizableWrites, Claim::NoLostWrites, Claim::Progress];

    fn promised(config: &MultiPaxosConfig, premise: Premise) -> usize {
        ALL.into_iter().filter(|claim| promise(config, *claim, &premise).is_ok()).count()
    }

    #[test]
    fn everything_but_progress_is_promised_whatever_happens_to_honest_disks() {
        let config = MultiPaxosConfig::defaults();
        let torn = Premise { disk: Some(DiskFate::Torn), records_rot: true, disk_errors: true, ..Premise::CALM };
        assert_eq!(promised(&config, torn), 4);
        let lies = Premise { flushes_lie: true, disk: Some(DiskFate::LoseUnsynced), ..Premise::CALM };
        assert_eq!(promised(&config, lies), 1);
        let clocks = Premise { clocks_step: true, clocks_freeze: true, wall_clocks_wrong: true, ..Premise::CALM };
        assert_eq!(promised(&config, clocks), 4);
    }

    #[test]
    fn progress_needs_quorums_contact_and_time() {
        let config = MultiPaxosConfig::defaults();
        let lost = |nodes_lost| Premise { nodes: 5, nodes_lost, ..Premise::CALM };
        assert_eq!((promised(&config, lost(2)), promised(&config, lost(3))), (4, 3));
        let sizes = MultiPaxosConfig { quorums: Quorums::Sizes { phase1: 4, phase2: 2 }, ..config.clone() };
        assert_eq!((promised(&sizes, lost(1)), promised(&sizes, lost(2))), (4, 3));
        for contact in [Contact::Joined, Contact::Indirect] {
            assert_eq!(promised(&config, Premise { contact, ..Premise::CALM }), 3);
        }
        assert_eq!(promised(&config, Premise { one_way_cuts: true, ..Premise::CALM }), 3);
        assert_eq!(promised(&config, Premise { unheard: true, ..Premise::CALM }), 3);
        let calm = |ms: u64| Premise { calm: Some(ms * MILLISECOND), ..Premise::CALM };
        assert_eq!((promised(&config, calm(2400)), promised(&config, calm(2399))), (4, 3));
    }
}
