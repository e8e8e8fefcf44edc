//! The settings of Dynamo.

use super::flaws::{CLOCKS_OF_SERVERS, FLAWS, PURGES_BY_AGE, REPEATS_NODES, TIES_BY_ARRIVAL};
use super::promises::Founded;
use super::versions::{Conflicts, Rules};
use crate::detectors::phi::{DISTRIBUTION, MIN_DEVIATION, PhiSettings, THRESHOLD};
use history::{Data, Kv};
use sim_core::protocol::{NodeId, Transport};
use sim_core::settings::{Flaw, Flaws, Key, Kind, Rejected, Settings, Values};
use sim_core::time::{HOUR, MILLISECOND, MINUTE, Nanos, SECOND, format_duration};
use std::collections::BTreeSet;

/// Whose answers make a quorum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quorum {
    /// Of the first N distinct nodes on the ring, the *home nodes*, and of nobody else.
    Strict,
    /// Of the first N that seem to be up; who stands in for another keeps a hint for it (4.6).
    Sloppy,
}

/// By what a node takes another to be down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watching {
    /// It has not answered in time what it was asked (4.8.3).
    Answers,
    /// Its heartbeats are missing for longer than is likely (Hayashibara et al. 2004), as in Cassandra.
    Phi(PhiSettings),
}

/// What a read does about copies that it finds to be old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadRepair {
    /// Nothing.
    Off,
    /// It answers, and then writes to them (5).
    Async,
    /// It answers when what it found is on W home nodes.
    Blocking,
}

/// How the ring is cut into partitions, and who is given which (6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// 1: T random tokens a node, partitioned at the tokens.
    Tokens,
    /// 2: T random tokens a node, Q partitions of equal size.
    TokensEqual,
    /// 3: Q partitions of equal size, Q/S a node.
    Equal,
}

/// Who coordinates a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinators {
    /// A home node of its key, or who stands in for one: others pass it on (4.6).
    Home,
    /// Whoever is asked. Writes too only where the last write wins: who numbers versions has to hold them (6.4).
    Anyone,
}

/// Who sees to it that a request comes to a home node of its key (6.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// The nodes: a client asks any of them.
    Server,
    /// The client: it knows the ring.
    Client,
}

/// To how many home nodes a request goes at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FanOut {
    /// To all N; the first R or W answers count.
    All,
    /// To R or W of them, drawn by lot; to more when some do not answer.
    Quorum,
}

/// The settings of [`Dynamo`](super::Dynamo).
#[derive(Clone, Debug)]
pub struct DynamoConfig {
    /// N: how many nodes keep a key.
    pub n: usize,
    /// R: how many answer a read.
    pub r: usize,
    /// W: how many keep a write before it is acknowledged.
    pub w: usize,
    /// Whose answers count.
    pub quorum: Quorum,
    /// What becomes of concurrent versions.
    pub conflicts: Conflicts,
    /// Wall clocks are read in steps of this.
    pub clock_tick: Nanos,
    /// A put without context is refused where there are so many siblings; 0 means never.
    pub siblings_max: usize,
    /// Who coordinates.
    pub coordinators: Coordinators,
    /// Who sees to it that it is asked.
    pub driver: Driver,
    /// Whom a request goes to at first.
    pub fan_out: FanOut,
    /// Who does not answer for so long is believed to be down, and another is asked.
    pub replica_timeout: Nanos,
    /// A request that has no quorum after so long is given up.
    pub request_timeout: Nanos,
    /// By what others are taken to be down.
    pub watching: Watching,
    /// Who is believed to be down is tried again this often.
    pub probe: Nanos,
    /// What a read does about old copies.
    pub read_repair: ReadRepair,
    /// Whether who stands in for another keeps a hint.
    pub hinted_handoff: bool,
    /// How often hints are tried to hand over.
    pub hint_replay: Nanos,
    /// Hints older than this are dropped.
    pub hint_window: Nanos,
    /// How often a node compares hash trees with another; 0 means never.
    pub anti_entropy: Nanos,
    /// How old a tombstone is before it may go.
    pub tombstone_grace: Nanos,
    /// How often a node tells another what it knows of the ring.
    pub gossip: Nanos,
    /// How the ring is partitioned.
    pub strategy: Strategy,
    /// T: tokens a node (strategies 1 and 2).
    pub tokens: u32,
    /// Q: partitions (strategies 2 and 3).
    pub partitions: u32,
    /// So many nodes, the first, are members at first; all if 0.
    pub initial_members: u32,
    /// A journal of so many records is written anew if most of them are out of date; never if 0.
    pub compact_after: u64,
    /// Over what messages between nodes travel.
    pub transport: Transport,
    /// The mistakes switched on.
    pub flaws: Flaws,
    /// What the bound on availability knows of these settings.
    pub founded: Founded,
}

impl DynamoConfig {
    /// How versions are reconciled.
    pub fn rules(&self) -> Rules {
        Rules {
            conflicts: self.conflicts,
            are_ties_by_arrival: self.flaws.has(&TIES_BY_ARRIVAL),
            are_clocks_of_servers: self.flaws.has(&CLOCKS_OF_SERVERS),
        }
    }

    /// How long it takes at most until who is there is known to be, and who is not known not to be, as far as requests do not find
    /// that out.
    pub(super) fn detection(&self) -> Nanos {
        match &self.watching {
            Watching::Answers => self.probe,
            Watching::Phi(phi) => phi.longest(silence_max(phi.interval)).saturating_add(phi.interval),
        }
    }

    /// The members of a new cluster of these nodes: the first `initial-members` of them, or all.
    pub fn founders(&self, nodes: impl IntoIterator<Item = NodeId>) -> BTreeSet<NodeId> {
        let count = if self.initial_members == 0 { usize::MAX } else { self.initial_members as usize };
        nodes.into_iter().take(count).collect()
    }
}

/// With `detector` = phi, no longer silence is learnt from at these heartbeats: it was an outage. Jitter of several of them is not.
pub(super) const fn silence_max(heartbeat: Nanos) -> Nanos {
    4 * heartbeat
}

const N: &str = "n";
const R: &str = "r";
const W: &str = "w";
const QUORUM: &str = "quorum";
const CONFLICTS: &str = "conflicts";
const CLOCK_TICK: &str = "clock-tick";
const SIBLINGS_MAX: &str = "siblings-max";
const COORDINATORS: &str = "coordinators";
const COORDINATION: &str = "coordination";
const FAN_OUT: &str = "fan-out";
const REPLICA_TIMEOUT: &str = "replica-timeout";
const REQUEST_TIMEOUT: &str = "request-timeout";
const DETECTOR: &str = "detector";
const HEARTBEAT: &str = "heartbeat";
const DETECTOR_WINDOW: &str = "detector-window";
const PROBE: &str = "probe";
const READ_REPAIR: &str = "read-repair";
const HINTED_HANDOFF: &str = "hinted-handoff";
const HINT_REPLAY: &str = "hint-replay";
const HINT_WINDOW: &str = "hint-window";
const ANTI_ENTROPY: &str = "anti-entropy";
const TOMBSTONE_GRACE: &str = "tombstone-grace";
const GOSSIP: &str = "gossip";
const PARTITIONING: &str = "partitioning";
const TOKENS: &str = "tokens";
const PARTITIONS: &str = "partitions";
const INITIAL_MEMBERS: &str = "initial-members";
const COMPACT_AFTER: &str = "compact-after";
const TRANSPORT: &str = "transport";

/// No cluster has more nodes.
const NODES_MAX: u64 = 1000;
const DAY: Nanos = 24 * HOUR;

impl Settings for DynamoConfig {
    const KEYS: &'static [Key] = &[
        Key {
            name: N,
            kind: Kind::Count { min: 1, max: NODES_MAX },
            default: "3",
            text: "How many nodes keep each key, its home nodes: the first N distinct ones on the ring.",
        },
        Key {
            name: R,
            kind: Kind::Count { min: 1, max: NODES_MAX },
            default: "2",
            text: "How many nodes have to answer a read; at most n.",
        },
        Key {
            name: W,
            kind: Kind::Count { min: 1, max: NODES_MAX },
            default: "2",
            text: "How many nodes have to keep a write before it is acknowledged; at most n.",
        },
        Key {
            name: QUORUM,
            kind: Kind::Word(&["sloppy", "strict"]),
            default: "sloppy",
            text: "Whose answers count: those of the first N nodes that seem to be up, of whom some stand in for others and keep \
                   hints; or those of the N home nodes alone.",
        },
        Key {
            name: CONFLICTS,
            kind: Kind::Word(&["siblings", "last-write-wins"]),
            default: "siblings",
            text: "What becomes of versions of which neither has seen the other: both stay until a client that has seen them \
                   writes, or the one with the later wall clock does.",
        },
        Key {
            name: CLOCK_TICK,
            kind: Kind::Duration { min: 1, max: MINUTE },
            default: "1us",
            text: "Versions are stamped with the coordinator's wall clock in steps of this.",
        },
        Key {
            name: SIBLINGS_MAX,
            kind: Kind::Count { min: 0, max: 1_000_000 },
            default: "100",
            text: "A write without context is refused where a key has so many siblings already; 0 means never.",
        },
        Key {
            name: COORDINATORS,
            kind: Kind::Word(&["home", "anyone"]),
            default: "home",
            text: "Who coordinates a request: a home node of its key, to which others pass it on; or whoever was asked. With \
                   conflicts = \"siblings\" writes are always coordinated at home.",
        },
        Key {
            name: COORDINATION,
            kind: Kind::Word(&["server-driven", "client-driven"]),
            default: "server-driven",
            text: "Who finds a coordinator: the nodes, as clients ask any of them; or the clients, which know the founding ring and \
                   ask the home nodes of a key, one after the other until one answers.",
        },
        Key {
            name: FAN_OUT,
            kind: Kind::Word(&["all", "quorum"]),
            default: "all",
            text: "To whom a request goes at first: all N home nodes, or as many of them as have to answer, drawn by lot.",
        },
        Key {
            name: REPLICA_TIMEOUT,
            kind: Kind::Duration { min: MILLISECOND, max: MINUTE },
            default: "100ms",
            text: "Who does not answer for so long is asked no further, and another instead; with `detector` = answers it is \
                   believed to be down until it is heard of again.",
        },
        Key {
            name: REQUEST_TIMEOUT,
            kind: Kind::Duration { min: MILLISECOND, max: 10 * MINUTE },
            default: "500ms",
            text: "A request without a quorum after so long is given up; a write may have taken effect all the same.",
        },
        Key {
            name: DETECTOR,
            kind: Kind::Word(&["answers", "phi"]),
            default: "answers",
            text: "By what a node takes another to be down: an answer that has not come within `replica-timeout`, until the next \
                   sign of life (4.8.3 of the paper); or heartbeats that are missing for longer than is likely, going by earlier \
                   ones, until the next heartbeat (Hayashibara et al. 2004, as in Cassandra).",
        },
        Key {
            name: HEARTBEAT,
            kind: Kind::Duration { min: MILLISECOND, max: MINUTE },
            default: "250ms",
            text: "With `detector` = phi: how often every node lets all others hear of it, and looks whom it has not heard.",
        },
        DISTRIBUTION,
        THRESHOLD,
        MIN_DEVIATION,
        Key {
            name: DETECTOR_WINDOW,
            kind: Kind::Count { min: 2, max: 100_000 },
            default: "100",
            text: "With `detector` = phi: from so many heartbeats it learns. Of silences longer than four of them it does not.",
        },
        Key {
            name: PROBE,
            kind: Kind::Duration { min: MILLISECOND, max: HOUR },
            default: "500ms",
            text: "With `detector` = answers: who is believed to be down is tried again this often.",
        },
        Key {
            name: READ_REPAIR,
            kind: Kind::Word(&["off", "async", "blocking"]),
            default: "async",
            text: "What a read does about old copies that it finds: nothing; writes to them once it has answered; answers only \
                   when what it found is on w home nodes.",
        },
        Key {
            name: HINTED_HANDOFF,
            kind: Kind::Flag,
            default: "true",
            text: "Whether writes that a home node missed are kept for it and handed over when it is back; with quorum = \
                   \"sloppy\" they always are.",
        },
        Key {
            name: HINT_REPLAY,
            kind: Kind::Duration { min: MILLISECOND, max: HOUR },
            default: "1s",
            text: "How often a node tries to hand over the hints it keeps.",
        },
        Key {
            name: HINT_WINDOW,
            kind: Kind::Duration { min: MILLISECOND, max: 30 * DAY },
            default: "3h",
            text: "A hint older than this is dropped; hash trees have to find what is missing.",
        },
        Key {
            name: ANTI_ENTROPY,
            kind: Kind::Duration { min: 0, max: 30 * DAY },
            default: "10s",
            text: "How often a node compares its hash trees with those of another home node; 0 means never.",
        },
        Key {
            name: TOMBSTONE_GRACE,
            kind: Kind::Duration { min: MILLISECOND, max: 30 * DAY },
            default: "240h",
            text: "A tombstone is kept for at least so long, and until every home node has it. Longer than hint-window.",
        },
        Key {
            name: GOSSIP,
            kind: Kind::Duration { min: MILLISECOND, max: HOUR },
            default: "1s",
            text: "How often a node tells another, drawn by lot, what it knows of the ring.",
        },
        Key {
            name: PARTITIONING,
            kind: Kind::Word(&["tokens", "tokens-equal", "equal"]),
            default: "equal",
            text: "How the ring is cut (strategies 1 to 3 of the paper): at random tokens; in equal partitions, given by random \
                   tokens; in equal partitions of which every node has as many.",
        },
        Key {
            name: TOKENS,
            kind: Kind::Count { min: 1, max: 10_000 },
            default: "16",
            text: "With partitioning = tokens or tokens-equal: random tokens of each node.",
        },
        Key {
            name: PARTITIONS,
            kind: Kind::Count { min: 1, max: 100_000 },
            default: "64",
            text: "With partitioning = equal or tokens-equal: into how many partitions the ring is cut.",
        },
        Key {
            name: INITIAL_MEMBERS,
            kind: Kind::Count { min: 0, max: NODES_MAX },
            default: "0",
            text: "So many nodes, the first, are on the ring at first; the others can be told to join. 0 means all.",
        },
        Key {
            name: COMPACT_AFTER,
            kind: Kind::Count { min: 0, max: 1_000_000_000 },
            default: "10000",
            text: "A journal of so many records is written anew if most of them are out of date; 0 means never.",
        },
        Key {
            name: TRANSPORT,
            kind: Kind::Word(&["stream", "datagram"]),
            default: "stream",
            text: "Over what messages between nodes travel: in order over connections, or each for itself, so that they \
                   can be lost, doubled and overtaken. Requests are always passed on over connections.",
        },
    ];
    const FLAWS: &'static [Flaw] = FLAWS;

    fn build(values: &Values, flaws: Flaws) -> Result<Self, Rejected> {
        let count = |key| values.count(key) as usize;
        let (n, r, w) = (count(N), count(R), count(W));
        for (key, size) in [(R, r), (W, w)] {
            if size > n {
                return Err(Rejected {
                    key,
                    message: format!("{key} = {size} of n = {n} home nodes can never answer"),
                });
            }
        }
        if flaws.has(&REPEATS_NODES) && values.word(PARTITIONING) != "tokens" {
            let message =
                "the flaw `repeats-nodes` takes the next tokens of a ring of tokens: write partitioning = \"tokens\"";
            return Err(Rejected { key: PARTITIONING, message: message.to_owned() });
        }
        let (hint_window, tombstone_grace) = (values.duration(HINT_WINDOW), values.duration(TOMBSTONE_GRACE));
        let hinted_handoff = values.flag(HINTED_HANDOFF);
        if hinted_handoff && tombstone_grace <= hint_window && !flaws.has(&PURGES_BY_AGE) {
            let message = format!(
                "a hint that is handed over after up to hint-window = {} would bring back what was deleted and forgotten \
                 before: a tombstone has to be kept for longer",
                format_duration(hint_window)
            );
            return Err(Rejected { key: TOMBSTONE_GRACE, message });
        }
        if values.word(QUORUM) == "sloppy" && !values.flag(HINTED_HANDOFF) {
            let message = "with quorum = \"sloppy\" those who stand in for a home node count, and what they keep are hints: write \
                           hinted-handoff = true, or quorum = \"strict\"";
            return Err(Rejected { key: HINTED_HANDOFF, message: message.to_owned() });
        }
        Ok(DynamoConfig {
            n,
            r,
            w,
            quorum: if values.word(QUORUM) == "strict" { Quorum::Strict } else { Quorum::Sloppy },
            conflicts: match values.word(CONFLICTS) {
                "siblings" => Conflicts::Siblings,
                _ => Conflicts::LastWriteWins,
            },
            clock_tick: values.duration(CLOCK_TICK),
            siblings_max: count(SIBLINGS_MAX),
            coordinators: if values.word(COORDINATORS) == "home" { Coordinators::Home } else { Coordinators::Anyone },
            driver: if values.word(COORDINATION) == "server-driven" { Driver::Server } else { Driver::Client },
            fan_out: if values.word(FAN_OUT) == "all" { FanOut::All } else { FanOut::Quorum },
            replica_timeout: values.duration(REPLICA_TIMEOUT),
            request_timeout: values.duration(REQUEST_TIMEOUT),
            watching: match values.word(DETECTOR) {
                "answers" => Watching::Answers,
                _ => {
                    let window = values.count(DETECTOR_WINDOW) as usize;
                    Watching::Phi(PhiSettings::read(values, values.duration(HEARTBEAT), window))
                }
            },
            probe: values.duration(PROBE),
            read_repair: match values.word(READ_REPAIR) {
                "off" => ReadRepair::Off,
                "async" => ReadRepair::Async,
                _ => ReadRepair::Blocking,
            },
            hinted_handoff,
            hint_replay: values.duration(HINT_REPLAY),
            hint_window,
            anti_entropy: values.duration(ANTI_ENTROPY),
            tombstone_grace,
            gossip: values.duration(GOSSIP),
            strategy: match values.word(PARTITIONING) {
                "tokens" => Strategy::Tokens,
                "tokens-equal" => Strategy::TokensEqual,
                _ => Strategy::Equal,
            },
            tokens: values.count(TOKENS) as u32,
            partitions: values.count(PARTITIONS) as u32,
            initial_members: values.count(INITIAL_MEMBERS) as u32,
            compact_after: values.count(COMPACT_AFTER),
            transport: if values.word(TRANSPORT) == "stream" { Transport::Stream } else { Transport::Datagram },
            flaws,
            founded: Founded::default(),
        })
    }

    /// Each key needs N nodes to be kept on.
    fn fits_cluster(&self, nodes: u32) -> Result<(), Rejected> {
        let members = if self.initial_members == 0 { nodes } else { self.initial_members };
        if members > nodes {
            let message = format!("there are {nodes} nodes, and {members} of them cannot be members");
            return Err(Rejected { key: INITIAL_MEMBERS, message });
        }
        if self.n > members as usize {
            let message = format!("a key is kept on n = {} nodes, and the ring has {members}", self.n);
            return Err(Rejected { key: N, message });
        }
        Ok(())
    }

    /// A `kv` shows one value, and so do its clients expect one.
    fn fits_data(&self, data: &str) -> Result<(), Rejected> {
        if data == Kv::NAME && self.conflicts == Conflicts::Siblings {
            let message = "a `kv` shows one value and cannot show siblings: write conflicts = \"last-write-wins\", or let \
                           the load have data = \"siblings\"";
            return Err(Rejected { key: CONFLICTS, message: message.to_owned() });
        }
        Ok(())
    }
}

/// How long a node that comes back waits before it does its regular rounds: not all of them at the same instant.
pub(super) const FIRST_ROUND: (Nanos, Nanos) = (0, SECOND);
