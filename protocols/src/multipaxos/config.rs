//! Multi-Paxos's settings.

use super::flaws::{FLAWS, LEASE_BY_WALL_CLOCK, LEASE_IGNORES_DRIFT, QUORUMS_THAT_MISS};
use crate::detectors::chen::{ChenSettings, Variant};
use crate::detectors::phi::{DISTRIBUTION, MIN_DEVIATION, PhiSettings, THRESHOLD};
use crate::leases;
use crate::quorum::{GRID_COLUMNS, PHASE1_QUORUM, PHASE2_QUORUM, QUORUM, Quorums};
use sim_core::dice::Ratio;
use sim_core::protocol::Transport;
use sim_core::settings::{Flaw, Flaws, Key, Kind, Rejected, Settings, Values};
use sim_core::time::{HOUR, MILLISECOND, MINUTE, Nanos, format_duration};

/// How what only reads is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadMode {
    /// The leader asks a quorum whether anybody leads in a higher ballot, and answers from its own state.
    Quorum,
    /// A read is a command like any other.
    Log,
    /// The leader asks only if it has not lately (PML 5.2).
    Lease,
    /// Any node answers from its own state.
    Local,
}

/// By what a leader is suspected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watching {
    /// Its silence, of whatever kind, for a time drawn from `patience`.
    Timeout,
    /// A heartbeat that is not there some time after it was expected (NFD-E).
    Chen(ChenSettings),
    /// A silence between heartbeats that is too unlikely.
    Phi(PhiSettings),
}

/// The settings of [`MultiPaxos`](super::MultiPaxos).
#[derive(Clone, Debug)]
pub struct MultiPaxosConfig {
    /// The shortest and the longest time a node waits for a leader before it begins phase 1.
    pub patience: (Nanos, Nanos),
    /// How often a leader lets itself be heard.
    pub heartbeat: Nanos,
    /// By what it is suspected.
    pub watching: Watching,
    /// Which sets of acceptors are quorums.
    pub quorums: Quorums,
    /// How reads are answered.
    pub reads: ReadMode,
    /// For so long after it has confirmed a leader an acceptor promises nothing to anybody else, with `reads` = lease.
    pub lease: Nanos,
    /// The share by which a clock's rate can be wrong at most, for leases.
    pub clock_drift_bound: Ratio,
    /// At most so many slots go in one message.
    pub batch: u64,
    /// So many slots behind the last one known to be chosen are open to proposals (α).
    pub window: u64,
    /// Whether clients open sessions, in which a request is done once however often it is sent.
    pub sessions: bool,
    /// A session that is not used for so long is closed, in system time.
    pub session_timeout: Nanos,
    /// A snapshot is taken after so many slots; never if 0.
    pub snapshot_every: u64,
    /// How many slots before a snapshot are kept for those who are a little behind.
    pub snapshot_trailing: u64,
    /// A snapshot travels in pieces of so many bytes.
    pub snapshot_piece: u64,
    /// So many nodes are acceptors, the first ones; all if 0.
    pub initial_members: u64,
    /// Over what messages between nodes travel.
    pub transport: Transport,
    /// The mistakes switched on.
    pub flaws: Flaws,
}

impl MultiPaxosConfig {
    /// What the holder of a lease may count on, by its own clock.
    pub(super) fn usable_lease(&self) -> Nanos {
        leases::usable(self.lease, self.clock_drift_bound)
    }

    /// After how long a silence a leader is suspected at the latest, where that is not the patience itself. With phi what is
    /// learnt has a bound: silences longer than the longest patience are outages.
    pub(super) fn detection(&self) -> Nanos {
        let (shortest, longest) = self.patience;
        match &self.watching {
            Watching::Timeout => 0,
            Watching::Chen(chen) => chen.interval + chen.margin + (longest - shortest),
            Watching::Phi(phi) => phi.longest(longest).saturating_add(longest - shortest),
        }
    }

    fn fits_leases(&self) -> Result<(), Rejected> {
        let refuse = |key, message: String| Err(Rejected { key, message });
        if self.reads != ReadMode::Lease {
            let of_leases = [&LEASE_IGNORES_DRIFT, &LEASE_BY_WALL_CLOCK];
            return match of_leases.into_iter().find(|flaw| self.flaws.has(flaw)) {
                Some(flaw) => refuse(READS, format!("the flaw {} needs reads = \"lease\"", flaw.name)),
                None => Ok(()),
            };
        }
        if self.lease > self.patience.0 {
            let (lease, shortest) = (format_duration(self.lease), format_duration(self.patience.0));
            let message = format!(
                "whoever tries to lead would find acceptors bound that have given up the leader themselves: {lease} is above \
                 the shortest patience, {shortest}"
            );
            return refuse(LEASE, message);
        }
        if self.usable_lease() <= self.heartbeat {
            let (usable, heartbeat) = (format_duration(self.usable_lease()), format_duration(self.heartbeat));
            let message = format!(
                "leases would run out between two heartbeats: what clock-drift-bound leaves of one, {usable}, is not above \
                 the heartbeat, {heartbeat}"
            );
            return refuse(LEASE, message);
        }
        Ok(())
    }

    /// How many of `nodes` are acceptors at the beginning.
    pub fn founders(&self, nodes: usize) -> usize {
        match self.initial_members {
            0 => nodes,
            count => nodes.min(count as usize),
        }
    }

    /// The quorums of so many acceptors.
    pub fn quorums_of(&self, acceptors: usize) -> Quorums {
        if self.flaws.has(&QUORUMS_THAT_MISS) {
            // The mistake P08: half of them will do.
            let half = acceptors.div_ceil(2);
            return Quorums::Sizes { phase1: half, phase2: half };
        }
        self.quorums
    }
}

const PATIENCE: &str = "patience";
const HEARTBEAT: &str = "heartbeat";
const DETECTOR: &str = "detector";
const MARGIN: &str = "margin";
const DETECTOR_WINDOW: &str = "detector-window";
const READS: &str = "reads";
const LEASE: &str = "lease";
const CLOCK_DRIFT_BOUND: &str = "clock-drift-bound";
const BATCH: &str = "batch";
const WINDOW: &str = "window";
const SESSIONS: &str = "sessions";
const SESSION_TIMEOUT: &str = "session-timeout";
const SNAPSHOT_EVERY: &str = "snapshot-every";
const SNAPSHOT_TRAILING: &str = "snapshot-trailing";
const SNAPSHOT_PIECE: &str = "snapshot-piece";
const INITIAL_MEMBERS: &str = "initial-members";
const TRANSPORT: &str = "transport";

/// No cluster decides more slots than this.
const SLOTS_MAX: u64 = 1_000_000_000;

/// A change of members takes as many slots as the window has, with no-ops in them if nobody asks for anything.
const WINDOW_MAX: u64 = 100_000;

fn watching(values: &Values) -> Watching {
    let (interval, window) = (values.duration(HEARTBEAT), values.count(DETECTOR_WINDOW) as usize);
    match values.word(DETECTOR) {
        "chen" => {
            let (variant, margin) = (Variant::Estimated, values.duration(MARGIN));
            Watching::Chen(ChenSettings { variant, interval, margin, window })
        }
        "phi" => Watching::Phi(PhiSettings::read(values, interval, window)),
        _ => Watching::Timeout,
    }
}

impl Settings for MultiPaxosConfig {
    const KEYS: &'static [Key] = &[
        Key {
            name: PATIENCE,
            kind: Kind::DurationRange { min: MILLISECOND, max: MINUTE },
            default: "300ms..600ms",
            text: "How long a node waits for a leader before it tries to lead; drawn anew each time, and longer each time it \
                   has tried in vain.",
        },
        Key {
            name: HEARTBEAT,
            kind: Kind::Duration { min: MILLISECOND / 10, max: MINUTE },
            default: "75ms",
            text: "How often a leader lets itself be heard, and sends again what was not answered; well below the shortest \
                   patience.",
        },
        Key {
            name: DETECTOR,
            kind: Kind::Word(&["timeout", "chen", "phi"]),
            default: "timeout",
            text: "By what a leader is suspected: its silence for as long as `patience` says; a heartbeat that is not there \
                   some time after it was expected (NFD-E of Chen, Toueg, Aguilera 2002); a silence that is unlikely, going by \
                   earlier heartbeats (Hayashibara et al. 2004). With the latter two leaders send numbered heartbeats, and a \
                   follower adds a while of up to the width of `patience`, so that one is first.",
        },
        Key {
            name: MARGIN,
            kind: Kind::Duration { min: 0, max: HOUR },
            default: "300ms",
            text: "With `detector` = chen: how long after it is expected a heartbeat must be there (alpha).",
        },
        DISTRIBUTION,
        THRESHOLD,
        MIN_DEVIATION,
        Key {
            name: DETECTOR_WINDOW,
            kind: Kind::Count { min: 2, max: 100_000 },
            default: "100",
            text: "With `detector` = chen or phi: from so many heartbeats it learns. Of silences longer than the longest \
                   patience phi does not.",
        },
        Key {
            name: QUORUM,
            kind: Kind::Word(&["majority", "sizes", "grid"]),
            default: "majority",
            text: "Which sets of acceptors can answer for all: any majority; any `phase1-quorum` of them for a new leader and \
                   `phase2-quorum` for a command; or a row and a column of a grid with so many `grid-columns` (Flexible Paxos).",
        },
        Key {
            name: PHASE1_QUORUM,
            kind: Kind::Count { min: 1, max: 99 },
            default: "2",
            text: "With `quorum` = sizes: so many have to promise before somebody leads.",
        },
        Key {
            name: PHASE2_QUORUM,
            kind: Kind::Count { min: 1, max: 99 },
            default: "2",
            text: "With `quorum` = sizes: so many have to accept a command before it is chosen.",
        },
        Key {
            name: GRID_COLUMNS,
            kind: Kind::Count { min: 1, max: 99 },
            default: "2",
            text: "With `quorum` = grid: so many acceptors stand in a row. Phase 1 takes a row, phase 2 a column.",
        },
        Key {
            name: READS,
            kind: Kind::Word(&["quorum", "log", "lease", "local"]),
            default: "quorum",
            text: "How reads are answered: by the leader, having asked a quorum whether anybody leads in a higher ballot; \
                   through the log; by the leader under a lease; or by any node from what it has.",
        },
        Key {
            name: LEASE,
            kind: Kind::Duration { min: MILLISECOND, max: MINUTE },
            default: "250ms",
            text: "With `reads` = lease: for so long after it has confirmed a leader an acceptor promises nothing to anybody \
                   else. Longer than a heartbeat, and no longer than the shortest patience.",
        },
        Key {
            name: CLOCK_DRIFT_BOUND,
            kind: Kind::Share { max: Ratio::new(1, 2) },
            default: "1%",
            text: "With `reads` = lease: no clock's rate is wrong by more than this. Leases end that much earlier.",
        },
        Key {
            name: BATCH,
            kind: Kind::Count { min: 1, max: SLOTS_MAX },
            default: "64",
            text: "At most so many slots go in one message.",
        },
        Key {
            name: WINDOW,
            kind: Kind::Count { min: 1, max: WINDOW_MAX },
            default: "256",
            text: "A leader proposes commands for so many slots behind the last one that it knows to be chosen (alpha); more \
                   wait. A change of members is in force so many slots after its own.",
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
            kind: Kind::Count { min: 0, max: SLOTS_MAX },
            default: "0",
            text: "A node takes a snapshot and drops its slots after so many of them; 0 means never.",
        },
        Key {
            name: SNAPSHOT_TRAILING,
            kind: Kind::Count { min: 0, max: SLOTS_MAX },
            default: "0",
            text: "How many slots before a snapshot are kept for those who are a little behind.",
        },
        Key {
            name: SNAPSHOT_PIECE,
            kind: Kind::Count { min: 1, max: SLOTS_MAX },
            default: "65536",
            text: "A snapshot travels in pieces of so many bytes.",
        },
        Key {
            name: INITIAL_MEMBERS,
            kind: Kind::Count { min: 0, max: 99 },
            default: "0",
            text: "So many nodes are acceptors at the beginning, the first ones; the others are spare. 0 means all.",
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
        let config = MultiPaxosConfig {
            patience: values.duration_range(PATIENCE),
            heartbeat: values.duration(HEARTBEAT),
            watching: watching(values),
            quorums: Quorums::chosen(values),
            reads: match values.word(READS) {
                "log" => ReadMode::Log,
                "lease" => ReadMode::Lease,
                "local" => ReadMode::Local,
                _ => ReadMode::Quorum,
            },
            lease: values.duration(LEASE),
            clock_drift_bound: values.share(CLOCK_DRIFT_BOUND),
            batch: values.count(BATCH),
            window: values.count(WINDOW),
            sessions: values.flag(SESSIONS),
            session_timeout: values.duration(SESSION_TIMEOUT),
            snapshot_every: values.count(SNAPSHOT_EVERY),
            snapshot_trailing: values.count(SNAPSHOT_TRAILING),
            snapshot_piece: values.count(SNAPSHOT_PIECE),
            initial_members: values.count(INITIAL_MEMBERS),
            transport: if values.word(TRANSPORT) == "stream" { Transport::Stream } else { Transport::Datagram },
            flaws,
        };
        config.fits_leases()?;
        if config.heartbeat >= config.patience.0 {
            let (heartbeat, shortest) = (format_duration(config.heartbeat), format_duration(config.patience.0));
            let message = format!(
                "followers would suspect a leader between two heartbeats: {heartbeat} is not below the shortest \
                 patience, {shortest}"
            );
            return Err(Rejected { key: HEARTBEAT, message });
        }
        if config.flaws.has(&QUORUMS_THAT_MISS) && config.quorums != Quorums::Majority {
            let message = "the flaw quorums-that-miss needs quorum = \"majority\"".to_owned();
            return Err(Rejected { key: QUORUM, message });
        }
        Ok(config)
    }

    fn fits_cluster(&self, nodes: u32) -> Result<(), Rejected> {
        let key = match self.quorums {
            Quorums::Majority => QUORUM,
            Quorums::Sizes { .. } => PHASE1_QUORUM,
            Quorums::Grid { .. } => GRID_COLUMNS,
        };
        self.quorums.fits(self.founders(nodes as usize)).map_err(|message| Rejected { key, message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(changes: &[(&str, &str)], flaws: Flaws) -> Result<MultiPaxosConfig, Rejected> {
        let mut values = Values::defaults(MultiPaxosConfig::KEYS);
        for (name, text) in changes {
            let key = MultiPaxosConfig::KEYS.iter().find(|key| key.name == *name).expect("a key");
            values.set(key, key.kind.parse(text).expect("a value"));
        }
        MultiPaxosConfig::build(&values, flaws)
    }

    #[test]
    fn the_defaults_fit_together() {
        let config = MultiPaxosConfig::defaults();
        assert_eq!((config.quorums, config.founders(5)), (Quorums::Majority, 5));
        assert!(config.flaws.names().is_empty() && config.fits_cluster(4).is_ok());
    }

    #[test]
    fn settings_that_do_not_fit_are_refused_with_the_key_to_change() {
        let refused = |changes: &[(&str, &str)]| build(changes, Flaws::default()).unwrap_err().key;
        assert_eq!(refused(&[("heartbeat", "300ms")]), "heartbeat");
        let flaw = Flaws::new([&QUORUMS_THAT_MISS]);
        assert_eq!(build(&[("quorum", "grid")], flaw).unwrap_err().key, "quorum");
    }

    #[test]
    fn who_is_suspected_how_late_has_a_bound() {
        let detection = |detector| build(&[("detector", detector)], Flaws::default()).expect("it fits").detection();
        assert_eq!((detection("timeout"), detection("chen")), (0, 675 * MILLISECOND));
        assert_eq!(detection("phi") / MILLISECOND, 600 + 1683 + 300, "z(8) = 5.61 deviations of 300 ms");
    }

    #[test]
    fn quorums_that_miss_each_other_are_refused_where_the_number_of_acceptors_is_known() {
        let fits = |changes: &[(&str, &str)], nodes| {
            let config = build(changes, Flaws::default()).expect("they fit together");
            config.fits_cluster(nodes).map_err(|rejected| rejected.key)
        };
        let sizes = [("quorum", "sizes"), ("phase1-quorum", "3"), ("phase2-quorum", "2")];
        assert_eq!((fits(&sizes, 4), fits(&sizes, 5)), (Ok(()), Err("phase1-quorum")));
        assert_eq!(fits(&[("initial-members", "4"), sizes[0], sizes[1], sizes[2]], 5), Ok(()));
        let grid = [("quorum", "grid"), ("grid-columns", "3")];
        assert_eq!((fits(&grid, 6), fits(&grid, 5)), (Ok(()), Err("grid-columns")));
    }

    #[test]
    fn flaws_have_names_and_numbers_of_their_own() {
        for (i, flaw) in MultiPaxosConfig::FLAWS.iter().enumerate() {
            let earlier = &MultiPaxosConfig::FLAWS[..i];
            assert!(earlier.iter().all(|other| other.name != flaw.name && other.id < flaw.id), "{}", flaw.name);
        }
    }
}
