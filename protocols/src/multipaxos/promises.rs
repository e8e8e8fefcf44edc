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
use crate::quorum::Quorums;
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
        Claim::Linearizable => current_reads(config, premise).and_then(|()| lasting_writes(premise)),
        Claim::LinearizableWrites | Claim::NoLostWrites => lasting_writes(premise),
        Claim::Progress => progress(config, premise),
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

/// "Stable storage, preserved during failures, is used to maintain the information that the acceptor must remember" (PMS 3).
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
    let (lost, spare) = (premise.nodes_lost as usize, spare(config.quorums, acceptors));
    if lost > spare {
        return refuse(format!(
            "{lost} may lose their disks for good, and of {acceptors} acceptors with these quorums {spare} can be spared"
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
    let election = PATIENCES.saturating_mul(config.patience.1);
    if let Some(calm) = premise.calm.filter(|calm| *calm < election) {
        let (calm, election) = (format_duration(calm), format_duration(election));
        return refuse(format!(
            "the network may be whole for {calm} at a time, and it can take {election} until somebody leads ({PATIENCES} \
             times the longest patience)"
        ));
    }
    Ok(())
}

/// How many acceptors can be lost, whichever they are, with quorums of both phases left.
fn spare(quorums: Quorums, acceptors: usize) -> usize {
    match quorums {
        Quorums::Majority => acceptors.saturating_sub(1) / 2,
        Quorums::Sizes { phase1, phase2 } => acceptors.saturating_sub(phase1.max(phase2)),
        Quorums::Grid { columns } => columns.min(acceptors / columns.max(1)).saturating_sub(1),
    }
}
