//! The plain data of a finished run.

use crate::{Finding, Outage, Picture, Source, Verdict};
use serde::{Deserialize, Serialize};

/// Everything a report needs to know of one run; the object in `run.json`. All times are true (simulated)
/// nanoseconds since the run began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The format of this object: [`RunRecord::SCHEMA`].
    pub schema: String,
    /// The version of stormglass.
    pub version: String,
    /// The scenario's name.
    pub scenario: String,
    /// What the scenario says of itself.
    pub about: String,
    /// The system that ran.
    pub protocol: String,
    /// The mistakes switched on in it.
    pub flaws: Vec<String>,
    /// The kind of data clients used; empty for a system without clients.
    pub data: String,
    /// How many nodes ran it.
    pub nodes: u32,
    /// How many places (regions, or zones if there is one region) they stood in.
    pub places: u32,
    /// How long the scenario lasted, before `settle`.
    pub duration_ns: u64,
    /// The seed.
    pub seed: u64,
    /// The running hash of every event delivered, 16 hex digits.
    pub fingerprint: String,
    /// What it was after each simulated second: two runs of one seed part after the last that they share.
    pub checkpoints: Vec<String>,
    /// The worst of the findings.
    pub verdict: Verdict,
    /// What was checked, and what was found.
    pub findings: Vec<Finding>,
    /// What became of the operations; `None` for a system without client operations.
    pub operations: Option<OperationCounts>,
    /// Share of operations served in time, beside the best possible; `None` without operations.
    pub availability: Option<Availability>,
    /// Response times of operations that returned; `None` without any.
    pub latency: Option<LatencySummary>,
    /// How well nodes told who is down; `None` for a run in which nobody watched anybody.
    #[serde(default)]
    pub detection: Option<DetectionSummary>,
    /// When nobody was served, or some were not for long although others were.
    pub outages: Vec<Outage>,
    /// Every fault that was planned, and what it did.
    pub faults: Vec<FaultRecord>,
    /// Who held which role, when: leaders and their terms.
    pub roles: Vec<RoleSpan>,
    /// Events delivered.
    pub events: u64,
    /// How long the run lasted, `settle` included.
    pub simulated_ns: u64,
    /// Availability over time.
    pub buckets: Vec<TimeBucket>,
    /// The protocol's configuration, key by key.
    pub config: Vec<ConfigLine>,
    /// What the seed decided of the scenario, in the order of the file.
    #[serde(default)]
    pub draws: Vec<Draw>,
    /// Whether somebody stopped it before its time was up.
    #[serde(default)]
    pub interrupted: bool,
    /// How to get the same run again; `None` for a run that no command made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// What a page draws; `None` if nobody wanted one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
}

impl RunRecord {
    /// The format that is written and read.
    pub const SCHEMA: &str = "stormglass/run@1";
}

/// What became of the workload's operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationCounts {
    /// Returned a result.
    pub ok: u64,
    /// Known not to have happened.
    pub refused: u64,
    /// Nobody knows.
    pub unknown: u64,
}

impl OperationCounts {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.ok + self.refused + self.unknown
    }
}

/// Shares of the workload's operations, each between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Availability {
    /// Completed before their deadline.
    pub achieved: f64,
    /// Could have been completed by *some* protocol of this kind, given which nodes were up and which links were live.
    pub possible: f64,
}

/// How long something took, in nanoseconds: responses, or detections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencySummary {
    /// Half of them were faster.
    pub p50_ns: u64,
    /// 99 of 100 were faster.
    pub p99_ns: u64,
    /// The slowest.
    pub max_ns: u64,
}

/// How well nodes that watch each other told who is down, beside who was, while load and faults lasted: the quality of service
/// of a failure detector (Chen, Toueg and Aguilera 2002, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectionSummary {
    /// Pairs of a node that watches and one that is watched.
    pub pairs: u64,
    /// Crashes that at least one node found out.
    pub crashes: u64,
    /// From a crash to each watcher's suspicion that lasted as long as the node was down; `None` if nobody found out anything.
    pub time: Option<LatencySummary>,
    /// How often a watcher had not found out when the node was back, the watcher itself died, or the time was up.
    pub missed: u64,
    /// How often a watcher came to suspect a node that was up.
    pub mistakes: u64,
    /// Of these, about nodes that no fault struck.
    pub mistakes_of_healthy: u64,
    /// How many of them a pair makes in an hour in which both are up; `None` if no two ever were.
    pub mistakes_per_pair_hour: Option<f64>,
    /// How long a mistake lasted on average, in nanoseconds, of those that were corrected; `None` without any.
    pub mistake_duration_ns: Option<u64>,
    /// The share of the time in which both of a pair were up and the one trusted the other, between 0 and 1; `None` if no two
    /// ever were.
    pub query_accuracy: Option<f64>,
    /// Messages delivered in a second for each node, over the whole run.
    pub messages_per_node_second: f64,
}

/// One time that a fault struck, or a fault that never did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRecord {
    /// Its name in the scenario, or `<do>-<k>`.
    pub name: String,
    /// Its kind.
    #[serde(rename = "do")]
    pub kind: String,
    /// When it began; for a fault that never struck, the end of the run.
    pub from_ns: u64,
    /// When it ended.
    pub to_ns: u64,
    /// What it really did: messages cut or delayed, records lost, steps delayed. 0 means that it changed nothing.
    pub effects: u64,
    /// Whom it struck.
    pub who: String,
    /// Why the scenario has it, in the words of its author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A time in which a node held a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleSpan {
    /// Which node, such as `n1`.
    pub node: String,
    /// Such as `leader`.
    pub role: String,
    /// The term, ballot, view or epoch it held it in.
    pub term: u64,
    /// From when.
    pub from_ns: u64,
    /// Until when.
    pub to_ns: u64,
}

/// The workload's operations invoked within a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeBucket {
    /// When it begins.
    pub from_ns: u64,
    /// Invoked in it.
    pub invoked: u64,
    /// Of these, completed in time.
    pub achieved: u64,
    /// Of these, possible.
    pub possible: u64,
}

/// One setting as it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigLine {
    /// Its key in the scenario file.
    pub key: String,
    /// Its value, as the file would write it.
    pub value: String,
}

/// One thing that a scenario leaves to the seed, and what the seed decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// The key in the scenario file, with loads and faults by name: `cluster.nodes`, `fault.crash-1.for`. Of a load or fault
    /// that exists in some seeds only, its own: `fault.crash-1`.
    pub key: String,
    /// The value, as `--set` takes it; `on` or `off` for a load or fault.
    pub value: String,
}
