//! Raft's settings.

use super::flaws::{FLAWS, LEASE_BY_WALL_CLOCK, LEASE_IGNORES_DRIFT, SINGLE_CHANGE_BEFORE_OWN_COMMIT};
use sim_core::dice::Ratio;
use sim_core::protocol::Transport;
use sim_core::settings::{Flaw, Flaws, Key, Kind, Rejected, Settings, Values};
use sim_core::time::{HOUR, MILLISECOND, MINUTE, Nanos, format_duration};

/// How what only reads is answered (dissertation 6.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadMode {
    /// The leader asks a majority whether it still leads, and answers from its own state.
    ReadIndex,
    /// A read is an entry of the log like any other operation.
    Log,
    /// Any node asks the leader, which asks a majority, and answers from its own state once it has caught up.
    Follower,
    /// The leader asks only if it has not lately.
    Lease,
    /// Any node answers from its own state.
    Local,
}

/// How members change (dissertation chapter 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changes {
    /// Any number at once, by way of a joint membership (4.3; section 6).
    Joint,
    /// One at a time (4.1).
    SingleServer,
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
    /// The share by which a clock's rate can be wrong at most, for leases.
    pub clock_drift_bound: Ratio,
    /// Whether clients open sessions, in which a request is done once however often it is sent.
    pub sessions: bool,
    /// A session that is not used for so long is closed, in system time.
    pub session_timeout: Nanos,
    /// A snapshot is taken after so many entries; never if 0.
    pub snapshot_every: u64,
    /// How many entries before a snapshot are kept for followers that are a little behind.
    pub snapshot_trailing: u64,
    /// A snapshot travels in pieces of so many bytes.
    pub snapshot_piece: u64,
    /// At most so many entries go in one message.
    pub batch: u64,
    /// At most so many entries are under way to one follower unacknowledged.
    pub window: u64,
    /// Whether the leader sends entries while they are still on their way to its own disk (dissertation 10.2.1).
    pub parallel_disk: bool,
    /// How members change.
    pub changes: Changes,
    /// So many nodes vote at the beginning, the first ones; all if 0.
    pub initial_voters: u64,
    /// Over what messages between nodes travel.
    pub transport: Transport,
    /// The mistakes switched on.
    pub flaws: Flaws,
}

impl RaftConfig {
    /// The shortest election timeout: for so long nobody doubts a leader.
    pub fn shortest_election_timeout(&self) -> Nanos {
        self.election_timeout.0
    }

    /// How many nodes vote at the beginning, if there are so many.
    pub fn founders(&self) -> usize {
        match self.initial_voters {
            0 => usize::MAX,
            count => count as usize,
        }
    }
}

const ELECTION_TIMEOUT: &str = "election-timeout";
const HEARTBEAT: &str = "heartbeat";
const PRE_VOTE: &str = "pre-vote";
const CHECK_QUORUM: &str = "check-quorum";
const READS: &str = "reads";
const CLOCK_DRIFT_BOUND: &str = "clock-drift-bound";
const SESSIONS: &str = "sessions";
const SESSION_TIMEOUT: &str = "session-timeout";
const SNAPSHOT_EVERY: &str = "snapshot-every";
const SNAPSHOT_TRAILING: &str = "snapshot-trailing";
const SNAPSHOT_PIECE: &str = "snapshot-piece";
const BATCH: &str = "batch";
const WINDOW: &str = "window";
const PARALLEL_DISK: &str = "parallel-disk";
const CHANGES: &str = "changes";
const INITIAL_VOTERS: &str = "initial-voters";
const TRANSPORT: &str = "transport";

/// No cluster keeps more entries than this.
const ENTRIES_MAX: u64 = 1_000_000_000;

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
            kind: Kind::Word(&["read-index", "follower", "log", "lease", "local"]),
            default: "read-index",
            text: "How reads are answered: by the leader, having asked a majority whether it still leads; by any node, \
                   having asked the leader to ask; through the log; by the leader under a lease; or by any node from \
                   what it has.",
        },
        Key {
            name: CLOCK_DRIFT_BOUND,
            kind: Kind::Share { max: Ratio::new(1, 2) },
            default: "1%",
            text: "With `reads` = lease: no clock's rate is wrong by more than this. Leases end that much earlier.",
        },
        Key {
            name: SESSIONS,
            kind: Kind::Flag,
            default: "true",
            text: "Clients open sessions, so that they may send a write again and have it done once. Without, they send it \
                   once.",
        },
        Key {
            name: SESSION_TIMEOUT,
            kind: Kind::Duration { min: MILLISECOND, max: 1000 * HOUR },
            default: "10m",
            text: "A session that is not used for so long is closed.",
        },
        Key {
            name: SNAPSHOT_EVERY,
            kind: Kind::Count { min: 0, max: ENTRIES_MAX },
            default: "0",
            text: "A node takes a snapshot and drops its log after so many entries; 0 means never.",
        },
        Key {
            name: SNAPSHOT_TRAILING,
            kind: Kind::Count { min: 0, max: ENTRIES_MAX },
            default: "0",
            text: "How many entries before a snapshot are kept for followers that are a little behind.",
        },
        Key {
            name: SNAPSHOT_PIECE,
            kind: Kind::Count { min: 1, max: ENTRIES_MAX },
            default: "65536",
            text: "A snapshot travels in pieces of so many bytes.",
        },
        Key {
            name: BATCH,
            kind: Kind::Count { min: 1, max: ENTRIES_MAX },
            default: "64",
            text: "At most so many entries go in one message, so that a follower far behind does not get its whole past \
                   at once.",
        },
        Key {
            name: WINDOW,
            kind: Kind::Count { min: 1, max: ENTRIES_MAX },
            default: "1024",
            text: "At most so many entries are under way to one follower unacknowledged.",
        },
        Key {
            name: PARALLEL_DISK,
            kind: Kind::Flag,
            default: "false",
            text: "The leader sends entries while they are on their way to its own disk, and counts its own copy when it \
                   is there.",
        },
        Key {
            name: CHANGES,
            kind: Kind::Word(&["joint", "single-server"]),
            default: "joint",
            text: "How members change: any number by way of a joint membership, or one at a time.",
        },
        Key {
            name: INITIAL_VOTERS,
            kind: Kind::Count { min: 0, max: 99 },
            default: "0",
            text: "So many nodes vote at the beginning, the first ones; the others are spare until `add`ed. 0 means all.",
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
        let config = RaftConfig {
            election_timeout: values.duration_range(ELECTION_TIMEOUT),
            heartbeat: values.duration(HEARTBEAT),
            pre_vote: values.flag(PRE_VOTE),
            check_quorum: values.flag(CHECK_QUORUM),
            reads: match values.word(READS) {
                "follower" => ReadMode::Follower,
                "log" => ReadMode::Log,
                "lease" => ReadMode::Lease,
                "local" => ReadMode::Local,
                _ => ReadMode::ReadIndex,
            },
            clock_drift_bound: values.share(CLOCK_DRIFT_BOUND),
            sessions: values.flag(SESSIONS),
            session_timeout: values.duration(SESSION_TIMEOUT),
            snapshot_every: values.count(SNAPSHOT_EVERY),
            snapshot_trailing: values.count(SNAPSHOT_TRAILING),
            snapshot_piece: values.count(SNAPSHOT_PIECE),
            batch: values.count(BATCH),
            window: values.count(WINDOW),
            parallel_disk: values.flag(PARALLEL_DISK),
            changes: if values.word(CHANGES) == "joint" { Changes::Joint } else { Changes::SingleServer },
            initial_voters: values.count(INITIAL_VOTERS),
            transport: if values.word(TRANSPORT) == "stream" { Transport::Stream } else { Transport::Datagram },
            flaws,
        };
        config.fits()?;
        Ok(config)
    }
}

impl RaftConfig {
    fn fits(&self) -> Result<(), Rejected> {
        let refuse = |key, message: String| Err(Rejected { key, message });
        if self.heartbeat >= self.election_timeout.0 {
            let (heartbeat, shortest) = (format_duration(self.heartbeat), format_duration(self.election_timeout.0));
            let message = format!(
                "followers would stand for election between two heartbeats: {heartbeat} is not below the shortest \
                 election timeout, {shortest}"
            );
            return refuse(HEARTBEAT, message);
        }
        if self.reads == ReadMode::Lease && !self.check_quorum {
            let message = "a lease holds only while voters stand by the leader they hear; it needs check-quorum = true";
            return refuse(READS, message.to_owned());
        }
        let of_leases = [&LEASE_IGNORES_DRIFT, &LEASE_BY_WALL_CLOCK];
        let flaw = of_leases.into_iter().find(|flaw| self.flaws.has(flaw));
        if let Some(flaw) = flaw.filter(|_| self.reads != ReadMode::Lease) {
            return refuse(READS, format!("the flaw {} needs reads = \"lease\"", flaw.name));
        }
        if self.flaws.has(&SINGLE_CHANGE_BEFORE_OWN_COMMIT) && self.changes != Changes::SingleServer {
            let message = "the flaw single-change-before-own-commit needs changes = \"single-server\"";
            return refuse(CHANGES, message.to_owned());
        }
        Ok(())
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
    fn flaws_have_names_and_numbers_of_their_own() {
        for (i, flaw) in RaftConfig::FLAWS.iter().enumerate() {
            let earlier = &RaftConfig::FLAWS[..i];
            assert!(earlier.iter().all(|other| other.name != flaw.name && other.id < flaw.id), "{}", flaw.name);
        }
    }

    #[test]
    fn settings_that_do_not_fit_are_refused_with_the_key_to_change() {
        let build = |key: &str, value: &str, more: &str| {
            let mut values = Values::defaults(RaftConfig::KEYS);
            for (name, text) in [(key, value), ("check-quorum", more)] {
                let key = RaftConfig::KEYS.iter().find(|key| key.name == name).expect("a key");
                values.set(key, key.kind.parse(text).expect("a value"));
            }
            RaftConfig::build(&values, Flaws::default()).map_err(|rejected| rejected.key)
        };
        assert_eq!(build("reads", "lease", "false").unwrap_err(), "reads");
        assert!(build("reads", "lease", "true").is_ok());
    }
}
