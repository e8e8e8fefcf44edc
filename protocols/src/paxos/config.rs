//! The settings of Paxos.

use super::flaws::{FLAWS, HALF_IS_A_MAJORITY};
use crate::quorum::{GRID_COLUMNS, PHASE1_QUORUM, PHASE2_QUORUM, QUORUM, Quorums};
use sim_core::protocol::Transport;
use sim_core::settings::{Flaw, Flaws, Key, Kind, Rejected, Settings, Values};
use sim_core::time::{MILLISECOND, MINUTE, Nanos};

/// Whom acceptors tell of their votes (2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learners {
    /// Everybody.
    All,
    /// The proposer of the ballot, who tells the others what was chosen.
    Distinguished,
}

/// The settings of [`Paxos`](super::Paxos).
#[derive(Clone, Debug)]
pub struct PaxosConfig {
    /// Who is enough for which phase.
    pub quorums: Quorums,
    /// Whom acceptors tell of their votes.
    pub learners: Learners,
    /// The shortest and the longest wait after a first ballot that was lost.
    pub backoff: (Nanos, Nanos),
    /// After so long a proposer asks those again who have not answered.
    pub resend: Nanos,
    /// A journal of so many records is written anew if most of them are out of date; never if 0.
    pub compact_after: u64,
    /// Over what messages between nodes travel.
    pub transport: Transport,
    /// The mistakes switched on.
    pub flaws: Flaws,
}

impl PaxosConfig {
    /// The quorums that a cluster of so many goes by.
    pub(super) fn quorums_of(&self, members: usize) -> Quorums {
        let half = members.div_ceil(2);
        match self.quorums {
            // The mistake P08: half are as good as more than half.
            Quorums::Majority if self.flaws.has(&HALF_IS_A_MAJORITY) => Quorums::Sizes { phase1: half, phase2: half },
            quorums @ (Quorums::Majority | Quorums::Sizes { .. } | Quorums::Grid { .. }) => quorums,
        }
    }
}

const LEARNERS: &str = "learners";
const BACKOFF: &str = "backoff";
const RESEND: &str = "resend";
const COMPACT_AFTER: &str = "compact-after";
const TRANSPORT: &str = "transport";

/// No cluster has more nodes.
const NODES_MAX: u64 = 99;

impl Settings for PaxosConfig {
    const KEYS: &'static [Key] = &[
        Key {
            name: QUORUM,
            kind: Kind::Word(&["majority", "sizes", "grid"]),
            default: "majority",
            text: "Who is enough to answer: a majority in both phases; so many in each (phase1-quorum, phase2-quorum); or a \
                   row of a grid in phase 1 and a column in phase 2 (grid-columns).",
        },
        Key {
            name: PHASE1_QUORUM,
            kind: Kind::Count { min: 0, max: NODES_MAX },
            default: "0",
            text: "With quorum = sizes: how many must promise before a value is proposed.",
        },
        Key {
            name: PHASE2_QUORUM,
            kind: Kind::Count { min: 0, max: NODES_MAX },
            default: "0",
            text: "With quorum = sizes: how many must vote for a value to be chosen.",
        },
        Key {
            name: GRID_COLUMNS,
            kind: Kind::Count { min: 0, max: NODES_MAX },
            default: "0",
            text: "With quorum = grid: how many nodes stand in a row.",
        },
        Key {
            name: LEARNERS,
            kind: Kind::Word(&["all", "distinguished"]),
            default: "all",
            text: "Whom acceptors tell of their votes: every node, or the proposer alone, which tells the others what was chosen.",
        },
        Key {
            name: BACKOFF,
            kind: Kind::DurationRange { min: 0, max: MINUTE },
            default: "5ms..25ms",
            text: "How long a proposer that has lost a ballot waits before it opens another; drawn anew each time, and doubled \
                   with each ballot lost in a row, up to 32-fold.",
        },
        Key {
            name: RESEND,
            kind: Kind::Duration { min: MILLISECOND, max: MINUTE },
            default: "100ms",
            text: "After so long a proposer asks those again who have not answered.",
        },
        Key {
            name: COMPACT_AFTER,
            kind: Kind::Count { min: 0, max: 1_000_000_000 },
            default: "0",
            text: "A journal of so many records is written anew if most of them are out of date; 0 means never.",
        },
        Key {
            name: TRANSPORT,
            kind: Kind::Word(&["stream", "datagram"]),
            default: "stream",
            text: "Over what messages between nodes travel: in order over connections, or each for itself, so that they \
                   can be lost, doubled and overtaken.",
        },
    ];
    const FLAWS: &'static [Flaw] = FLAWS;

    fn build(values: &Values, flaws: Flaws) -> Result<Self, Rejected> {
        let quorums = Quorums::chosen(values);
        let needed: &[&'static str] = match quorums {
            Quorums::Majority => &[],
            Quorums::Sizes { .. } => &[PHASE1_QUORUM, PHASE2_QUORUM],
            Quorums::Grid { .. } => &[GRID_COLUMNS],
        };
        let missing = needed.iter().find(|key| values.count(key) == 0);
        if let Some(key) = missing {
            let message = format!("quorum = \"{}\" needs {key}", values.word(QUORUM));
            return Err(Rejected { key: QUORUM, message });
        }
        if quorums != Quorums::Majority && flaws.has(&HALF_IS_A_MAJORITY) {
            let message = format!("the flaw {} needs quorum = \"majority\"", HALF_IS_A_MAJORITY.name);
            return Err(Rejected { key: QUORUM, message });
        }
        Ok(PaxosConfig {
            quorums,
            learners: if values.word(LEARNERS) == "all" { Learners::All } else { Learners::Distinguished },
            backoff: values.duration_range(BACKOFF),
            resend: values.duration(RESEND),
            compact_after: values.count(COMPACT_AFTER),
            transport: if values.word(TRANSPORT) == "stream" { Transport::Stream } else { Transport::Datagram },
            flaws,
        })
    }

    /// Quorums of both phases must meet, or two values are chosen.
    fn fits_cluster(&self, nodes: u32) -> Result<(), Rejected> {
        self.quorums.fits(nodes as usize).map_err(|message| Rejected { key: QUORUM, message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(settings: &[(&str, &str)], nodes: u32) -> Result<PaxosConfig, String> {
        let mut values = Values::defaults(PaxosConfig::KEYS);
        for (name, text) in settings {
            let key = PaxosConfig::KEYS.iter().find(|key| key.name == *name).expect("a key");
            values.set(key, key.kind.parse(text).expect("a value"));
        }
        let config = PaxosConfig::build(&values, Flaws::default()).map_err(|rejected| rejected.message)?;
        config.fits_cluster(nodes).map_err(|rejected| rejected.message)?;
        Ok(config)
    }

    #[test]
    fn quorums_that_miss_each_other_are_refused() {
        let sizes = |phase1, phase2| build(&[(QUORUM, "sizes"), (PHASE1_QUORUM, phase1), (PHASE2_QUORUM, phase2)], 5);
        assert!(sizes("4", "2").is_ok());
        assert!(sizes("3", "2").is_err_and(|message| message.contains("at least 4 in phase 1")));
        assert!(sizes("0", "2").is_err_and(|message| message.contains("needs phase1-quorum")));
        let grid = |nodes| build(&[(QUORUM, "grid"), (GRID_COLUMNS, "3")], nodes);
        assert!(grid(6).is_ok() && grid(7).is_err());
        assert!(build(&[], 4).is_ok());
    }

    #[test]
    fn flaws_have_names_and_numbers_of_their_own() {
        for (i, flaw) in FLAWS.iter().enumerate() {
            assert!(FLAWS[..i].iter().all(|other| other.name != flaw.name && other.id < flaw.id), "{}", flaw.name);
        }
    }

    #[test]
    fn half_is_a_majority_of_an_even_number_only_by_mistake() {
        let flawed = PaxosConfig { flaws: Flaws::new([&HALF_IS_A_MAJORITY]), ..PaxosConfig::defaults() };
        assert_eq!(PaxosConfig::defaults().quorums_of(4), Quorums::Majority);
        assert!(flawed.quorums_of(4).fits(4).is_err() && flawed.quorums_of(5).fits(5).is_ok());
    }
}
