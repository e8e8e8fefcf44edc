//! What Raft promises, under which settings.
//!
//! | settings | promised | not promised |
//! |---|---|---|
//! | reads through the log or by ReadIndex; writes take effect once | linearizability of all operations; acknowledged writes survive | progress without a majority that is up and mutually connected |
//! | reads under a lease | the same, while clocks keep to the bound that the lease allows for (dissertation 6.4.1) | linearizability once a clock is further off, jumps or stands still |
//! | reads from a node's own state | linearizability of whatever is not a read; a node's committed prefix to its readers | recency: a read may be older than one before it at another node (dissertation 6.4) |
//! | writes repeated, no sessions | | anything that a write done twice can break (dissertation 6.3, figure 6.1) |
//! | check-quorum off | | progress while a leader is heard but does not hear (dissertation 6.2) |
//! | pre-vote or check-quorum off | | progress while nodes hear each other only over others (Ng, Haridi & Carbone 2023, table 1) |
//! | any | progress in a bridge, star, ring or short chain of nodes | progress where more goes wrong with that: it passes nothing on, and who hears a majority may lack what it takes to lead (the same) |
//! | any | progress if the network is whole for long enough to elect somebody (section 5.6) | progress if some messages never arrive |
//!
//! | disks that lie | the same, while the power lasts | anything about writes, once it goes: one disk that lies can be the one that a majority needed |
//!
//! Otherwise disks do not appear. Whatever a crash does to records not yet on disk, nothing has been said that rested on
//! them. A node whose disk reports an error stops, and one whose journal is spoilt refuses to serve, however many they are:
//! what is lost then is service, until a majority is left, and nobody promises to serve without one. Nor do machines appear
//! that are lost for good, as far as safety goes: an empty one in the place of another says nothing. Progress is promised while
//! fewer than half of the voters are lost. Wall clocks are read by nobody.

use super::config::{RaftConfig, ReadMode};
use sim_core::dice::Ratio;
use sim_core::promise::{Claim, Contact, Premise};
use sim_core::time::{Nanos, format_duration};

/// How reads are answered, as far as promises go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// By a leader that a majority has just confirmed: through the log, or by ReadIndex (dissertation 6.4).
    Confirmed,
    /// By a leader as long as it can assume that nobody else leads (dissertation 6.4.1).
    Leased {
        /// The share by which a clock's rate may be wrong.
        rate_error_max: Ratio,
    },
    /// By any node, from its own state.
    Local,
}

/// How often a write can take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// Once: it is sent once, or its session knows it when it comes again (dissertation 6.3).
    Once,
    /// As often as it is sent.
    Repeated,
}

/// What its promises depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How reads are answered.
    pub reads: Reads,
    /// How often a write can take effect.
    pub writes: Writes,
    /// Whether a leader that hears no majority steps down.
    pub check_quorum: bool,
    /// How many nodes vote at the beginning, if there are so many.
    pub voters: usize,
    /// Whether a node asks before it disturbs the others.
    pub pre_vote: bool,
    /// How long nodes wait for a leader at most.
    pub election_timeout_max: Nanos,
}

/// So many election timeouts are enough to elect somebody, if two candidates divide the votes once.
const ELECTION_TIMEOUTS: Nanos = 2;

impl Terms {
    /// What these settings mean. Flaws are not looked at.
    pub fn of(config: &RaftConfig) -> Self {
        let reads = match config.reads {
            ReadMode::Log | ReadMode::ReadIndex | ReadMode::Follower => Reads::Confirmed,
            ReadMode::Lease => Reads::Leased { rate_error_max: config.clock_drift_bound },
            ReadMode::Local => Reads::Local,
        };
        // Without sessions clients do not send a write twice.
        Terms {
            reads,
            writes: Writes::Once,
            check_quorum: config.check_quorum,
            pre_vote: config.pre_vote,
            voters: config.founders(),
            election_timeout_max: config.election_timeout.1,
        }
    }

    /// Whether this is promised where no more than this goes wrong.
    ///
    /// # Errors
    /// Why not.
    pub fn promise(&self, claim: Claim, premise: &Premise) -> Result<(), String> {
        match claim {
            // Whoever reads what may lag, at whichever node, may also go back, and miss what it wrote itself.
            Claim::Linearizable | Claim::Consistent(_) => {
                self.current_reads(premise).and_then(|()| self.single_writes()).and_then(|()| lasting_writes(premise))
            }
            Claim::LinearizableWrites | Claim::NoLostWrites => {
                self.single_writes().and_then(|()| lasting_writes(premise))
            }
            Claim::Progress => self.progress(premise),
            Claim::Converges | Claim::HintsDelivered | Claim::NoResurrection => Err(Claim::not_offered("raft")),
            Claim::Detects { .. } => Err(Claim::watches_nobody("raft")),
        }
    }

    fn current_reads(&self, premise: &Premise) -> Result<(), String> {
        match self.reads {
            Reads::Confirmed => Ok(()),
            Reads::Leased { rate_error_max } if premise.clocks_keep_to(rate_error_max) => Ok(()),
            Reads::Leased { .. } => {
                Err("reads = lease trusts the clocks, and here they go wrong by more than the lease \
                                         allows for: a deposed leader may answer with an old value"
                    .to_owned())
            }
            Reads::Local => {
                Err("reads = local answers from any node's own state, which may lag: a read may be stale".to_owned())
            }
        }
    }

    fn single_writes(&self) -> Result<(), String> {
        match self.writes {
            Writes::Once => Ok(()),
            Writes::Repeated => {
                Err("without sessions a write that is sent again may take effect twice, the second time over later \
                     writes"
                    .to_owned())
            }
        }
    }

    fn progress(&self, premise: &Premise) -> Result<(), String> {
        if premise.one_way_cuts && !self.check_quorum {
            return Err(
                "without check-quorum a leader that is heard but does not hear goes on leading, and nothing is \
                        committed"
                    .to_owned(),
            );
        }
        let (lost, voters) = (premise.nodes_lost as usize, self.voters.min(premise.nodes as usize));
        if lost > 0 && lost * 2 >= voters {
            return Err(format!(
                "of {voters} voters {lost} may lose their disks for good, and those left are no majority that knows what \
                 was committed"
            ));
        }
        let election = ELECTION_TIMEOUTS.saturating_mul(self.election_timeout_max);
        let refuse = |reason: String| Err(reason);
        match premise.contact {
            Contact::Direct => {}
            Contact::Joined if self.check_quorum && self.pre_vote => {}
            Contact::Joined => {
                return refuse(
                    "without both pre-vote and check-quorum, nodes that do not hear the leader, only somebody who does, \
                     depose it again and again"
                        .to_owned(),
                );
            }
            Contact::Indirect => {
                return refuse(
                    "nodes or clients here may reach each other only over others. Raft passes nothing on, so whoever hears \
                     a majority may lack what it takes to lead"
                        .to_owned(),
                );
            }
        }
        if premise.unheard {
            return refuse("some messages never arrive, however often they are sent".to_owned());
        }
        if let Some(calm) = premise.calm.filter(|calm| *calm < election) {
            let (calm, election) = (format_duration(calm), format_duration(election));
            return refuse(format!(
                "the network may be whole for {calm} at a time, and an election can take {election} (twice the longest \
                 election-timeout)"
            ));
        }
        Ok(())
    }
}

/// "Raft depends on persistent storage": what a majority has confirmed is on a majority of disks.
fn lasting_writes(premise: &Premise) -> Result<(), String> {
    if premise.lies_come_out() {
        return Err(
            "raft trusts its disks, and here one says of records that they are safe when they are not, and loses \
                    its power: what a majority confirmed can be gone, and a vote can be given twice"
                .to_owned(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::fault::DiskFate;
    use sim_core::promise::Transit;
    use sim_core::settings::{Flaws, Settings};
    use sim_core::time::MILLISECOND;

    const ALL: [Claim; 4] = [Claim::Linearizable, Claim::LinearizableWrites, Claim::NoLostWrites, Claim::Progress];
    const BEST: Terms = Terms {
        reads: Reads::Confirmed,
        writes: Writes::Once,
        check_quorum: true,
        pre_vote: true,
        voters: usize::MAX,
        election_timeout_max: 600 * MILLISECOND,
    };
    const WORST: Premise = Premise {
        clock_rate_error: Ratio::new(1, 2),
        clocks_step: true,
        clocks_freeze: true,
        wall_clocks_wrong: true,
        disk: Some(DiskFate::Torn),
        flushes_lie: false,
        records_rot: true,
        disk_errors: true,
        one_way_cuts: true,
        nodes: 5,
        nodes_lost: 2,
        come_back_empty: true,
        contact: Contact::Direct,
        calm: None,
        unheard: false,
        transit: Transit { longest: u64::MAX, handling: u64::MAX, stalls: true },
    };

    fn promised(terms: Terms, premise: Premise) -> Vec<Claim> {
        ALL.into_iter().filter(|claim| terms.promise(*claim, &premise).is_ok()).collect()
    }

    #[test]
    fn confirmed_reads_and_single_writes_promise_everything_whatever_clocks_and_disks_do() {
        assert_eq!(Terms::of(&RaftConfig::defaults()), BEST);
        assert_eq!(promised(BEST, WORST), ALL);
    }

    /// What is promised is what the system would do without its flaws.
    #[test]
    fn flaws_change_no_promise() {
        let calm = RaftConfig::defaults();
        let flawed = RaftConfig { flaws: Flaws::new(RaftConfig::FLAWS), ..calm };
        assert_eq!(Terms::of(&flawed), BEST);
    }

    #[test]
    fn a_lease_is_as_good_as_the_clocks() {
        let leased = Terms { reads: Reads::Leased { rate_error_max: Ratio::new(1, 100) }, ..BEST };
        let drifting = |numerator| Premise { clock_rate_error: Ratio::new(numerator, 1000), ..Premise::CALM };
        assert_eq!(promised(leased, drifting(10)), ALL);
        assert_eq!(promised(leased, drifting(11)), ALL[1..]);
        assert_eq!(promised(leased, Premise { clocks_step: true, ..Premise::CALM }), ALL[1..]);
        assert_eq!(promised(leased, Premise { clocks_freeze: true, ..Premise::CALM }), ALL[1..]);
        assert_eq!(promised(leased, Premise { wall_clocks_wrong: true, ..Premise::CALM }), ALL, "nobody reads them");
    }

    #[test]
    fn progress_needs_the_disks_of_more_than_half_of_the_voters() {
        let lost = |nodes_lost| Premise { nodes: 5, nodes_lost, ..Premise::CALM };
        assert_eq!((promised(BEST, lost(2)), promised(BEST, lost(3))), (ALL.to_vec(), ALL[..3].to_vec()));
        let three_vote = Terms { voters: 3, ..BEST };
        assert_eq!((promised(three_vote, lost(1)), promised(three_vote, lost(2))), (ALL.to_vec(), ALL[..3].to_vec()));
        assert_eq!(promised(Terms { voters: 4, ..BEST }, lost(2)), ALL[..3], "half of four is no majority");
    }

    #[test]
    fn local_reads_promise_what_is_not_a_read() {
        let local = Terms { reads: Reads::Local, ..BEST };
        assert_eq!(promised(local, Premise::CALM), ALL[1..]);
        assert!(local.promise(Claim::Linearizable, &Premise::CALM).is_err_and(|reason| reason.contains("stale")));
    }

    #[test]
    fn repeated_writes_promise_no_more_than_progress() {
        assert_eq!(promised(Terms { writes: Writes::Repeated, ..BEST }, Premise::CALM), [Claim::Progress]);
    }

    #[test]
    fn a_disk_that_lies_breaks_every_promise_about_writes_once_the_power_goes() {
        let lying = |disk, disk_errors| Premise { flushes_lie: true, disk, disk_errors, ..Premise::CALM };
        assert_eq!(promised(BEST, lying(None, false)), ALL, "nobody sees it");
        assert_eq!(promised(BEST, lying(Some(DiskFate::Keep), false)), ALL, "a process that died reads the cache");
        for fate in [DiskFate::LoseUnsynced, DiskFate::Torn] {
            assert_eq!(promised(BEST, lying(Some(fate), false)), [Claim::Progress]);
        }
        assert_eq!(promised(BEST, lying(None, true)), [Claim::Progress], "whom an error stops reads the disk itself");
    }

    #[test]
    fn without_check_quorum_one_way_cuts_may_stop_everything() {
        let trusting = Terms { check_quorum: false, ..BEST };
        assert_eq!(promised(trusting, Premise::CALM), ALL);
        assert_eq!(promised(trusting, Premise { one_way_cuts: true, ..Premise::CALM }), ALL[..3]);
    }

    #[test]
    fn nodes_that_hear_each_other_over_others_need_pre_vote_and_check_quorum_and_nothing_else_to_go_wrong() {
        let contact = |contact| Premise { contact, ..Premise::CALM };
        let (joined, indirect) = (contact(Contact::Joined), contact(Contact::Indirect));
        assert_eq!(promised(BEST, joined), ALL);
        assert_eq!(promised(Terms { pre_vote: false, ..BEST }, joined), ALL[..3]);
        assert_eq!(promised(Terms { check_quorum: false, ..BEST }, joined), ALL[..3]);
        assert_eq!(promised(BEST, indirect), ALL[..3]);
    }

    #[test]
    fn progress_needs_time_for_an_election_and_messages_that_arrive() {
        let calm = |ms: u64| Premise { calm: Some(ms * MILLISECOND), ..Premise::CALM };
        assert_eq!((promised(BEST, calm(1200)).len(), promised(BEST, calm(1199)).len()), (4, 3));
        assert_eq!(promised(BEST, Premise { unheard: true, ..Premise::CALM }), ALL[..3]);
    }
}
