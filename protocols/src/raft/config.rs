//! Raft's settings, and the mistakes it can be given.

use sim_core::settings::{Flaw, Flaws, Key, Kind, Rejected, Settings, Values};
use sim_core::time::{MILLISECOND, MINUTE, Nanos, format_duration};

/// How a leader answers what only reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadMode {
    /// It asks a majority whether it still leads, and answers from its own state (dissertation 6.4).
    ReadIndex,
    /// A read is an entry of the log like any other operation.
    Log,
}

/// The settings of [`Raft`](super::Raft).
#[derive(Clone, Debug)]
pub struct RaftConfig {
    /// The shortest and the longest time a node waits for a leader before it stands for election (5.2).
    pub election_timeout: (Nanos, Nanos),
    /// How often a leader lets itself be heard.
    pub heartbeat: Nanos,
    /// Whether a node asks if it could win before it disturbs anybody with a new term (dissertation 9.6).
    pub pre_vote: bool,
    /// Whether a leader that hears no majority steps down, and voters stand by a leader they hear (dissertation 6.2, 4.2.3).
    pub check_quorum: bool,
    /// How reads are answered.
    pub reads: ReadMode,
    /// The mistakes switched on.
    pub flaws: Flaws,
}

/// A follower acknowledges entries that are not on its disk yet.
pub const ACK_BEFORE_FSYNC: Flaw = Flaw {
    name: "ack-before-fsync",
    id: "R05",
    text: "A follower acknowledges AppendEntries before its log is on disk, so a power failure can take back what a \
           majority has confirmed. NATS JetStream 2.12.1 did: it acknowledged messages at once and flushed its files \
           every two minutes by default (Jepsen, 2025).",
};

/// A leader answers reads without asking whether it still leads.
pub const READ_WITHOUT_QUORUM: Flaw = Flaw {
    name: "read-without-quorum",
    id: "R06",
    text: "A leader answers reads from its own state without asking a majority whether it still leads, so a deposed \
           leader that has not noticed yet returns old values. etcd and Consul did in 2014 (etcd issue 741, found by \
           Jepsen).",
};

/// A node votes for another although it has voted for itself.
pub const CANDIDATE_GRANTS_VOTE: Flaw = Flaw {
    name: "candidate-grants-vote",
    id: "R33",
    text: "A node that stands for election itself grants its vote to another candidate of the same term, so both may \
           win. The Raft library of DAOS (issue 70) and xraft (issue 33) did.",
};

impl RaftConfig {
    /// The shortest election timeout: for so long nobody doubts a leader.
    pub fn shortest_election_timeout(&self) -> Nanos {
        self.election_timeout.0
    }
}

const ELECTION_TIMEOUT: &str = "election-timeout";
const HEARTBEAT: &str = "heartbeat";
const PRE_VOTE: &str = "pre-vote";
const CHECK_QUORUM: &str = "check-quorum";
const READS: &str = "reads";

impl Settings for RaftConfig {
    const KEYS: &'static [Key] = &[
        Key {
            name: ELECTION_TIMEOUT,
            kind: Kind::DurationRange { min: MILLISECOND, max: MINUTE },
            default: "300ms..600ms",
            text: "How long a node waits for a leader before it stands for election; drawn anew each time.",
        },
        Key {
            name: HEARTBEAT,
            kind: Kind::Duration { min: MILLISECOND / 10, max: MINUTE },
            default: "75ms",
            text: "How often a leader lets itself be heard; well below the shortest election timeout.",
        },
        Key {
            name: PRE_VOTE,
            kind: Kind::Flag,
            default: "true",
            text: "Ask whether an election could be won before starting one, so that a node coming back from a \
                   partition deposes nobody.",
        },
        Key {
            name: CHECK_QUORUM,
            kind: Kind::Flag,
            default: "true",
            text: "A leader that hears no majority for an election timeout steps down, and a node that hears a leader \
                   ignores candidates.",
        },
        Key {
            name: READS,
            kind: Kind::Word(&["read-index", "log"]),
            default: "read-index",
            text: "How reads are answered: by asking a majority whether the leader still leads, or through the log.",
        },
    ];
    const FLAWS: &'static [Flaw] = &[ACK_BEFORE_FSYNC, READ_WITHOUT_QUORUM, CANDIDATE_GRANTS_VOTE];

    fn build(values: &Values, flaws: Flaws) -> Result<Self, Rejected> {
        let election_timeout = values.duration_range(ELECTION_TIMEOUT);
        let heartbeat = values.duration(HEARTBEAT);
        if heartbeat >= election_timeout.0 {
            let (heartbeat, shortest) = (format_duration(heartbeat), format_duration(election_timeout.0));
            let message = format!(
                "followers would stand for election between two heartbeats: {heartbeat} is not below the shortest \
                 election timeout, {shortest}"
            );
            return Err(Rejected { key: HEARTBEAT, message });
        }
        let reads = if values.word(READS) == "log" { ReadMode::Log } else { ReadMode::ReadIndex };
        let (pre_vote, check_quorum) = (values.flag(PRE_VOTE), values.flag(CHECK_QUORUM));
        Ok(RaftConfig { election_timeout, heartbeat, pre_vote, check_quorum, reads, flaws })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::settings::Setting;

    #[test]
    fn the_defaults_fit_together() {
        let config = RaftConfig::defaults();
        assert_eq!(config.election_timeout, (300 * MILLISECOND, 600 * MILLISECOND));
        assert_eq!(config.reads, ReadMode::ReadIndex);
        assert!(config.pre_vote && config.check_quorum);
        assert!(config.flaws.names().is_empty());
    }

    #[test]
    fn a_heartbeat_as_long_as_an_election_timeout_is_refused() {
        let mut values = Values::defaults(RaftConfig::KEYS);
        values.set(&RaftConfig::KEYS[1], Setting::Duration(300 * MILLISECOND));
        let rejected = RaftConfig::build(&values, Flaws::default()).expect_err("refused");
        assert_eq!(rejected.key, "heartbeat");
        assert!(rejected.message.contains("300ms"), "{}", rejected.message);
    }

    #[test]
    fn flaws_have_names_of_their_own() {
        let names: Vec<_> = RaftConfig::FLAWS.iter().map(|flaw| flaw.name).collect();
        assert_eq!(names, ["ack-before-fsync", "read-without-quorum", "candidate-grants-vote"]);
    }
}
