//! The systems under test: one folder (or file) per system, readable beside its paper.
//!
//! - [`client`]: the client that most of them share: it finds the node that serves, tries again, gives up.
//! - [`sessions`]: how a replicated state machine does each request once.
//! - [`machine`]: a replicated state machine: the commands that a log holds, and what applying them makes.
//! - [`snapshots`]: it as bytes, which travel in pieces.
//! - [`quorum`]: which members can answer for all of them.
//! - [`detectors`]: who seems to be gone.
//! - [`hashing`]: whose a key is: the ring, jump, rendezvous, Maglev, bounded loads, Dynamo's partitions.
//! - [`paxos`]: one decision, a decree for every key.
//! - [`raft`]: consensus over a replicated log.
//! - [`multipaxos`]: the same, by ballots and slots.
//! - [`dynamo`]: a key-value store without a leader.
//! - [`swim`]: who is a member, and who has failed.
//!
//! What is not here: a protocol never sees true (simulated) time, another node's state, a scenario file or a checker.
#![deny(clippy::float_arithmetic)]

pub mod client;
pub mod detectors;
pub mod dynamo;
pub mod hashing;
mod leases;
pub mod machine;
pub mod multipaxos;
pub mod paxos;
pub mod quorum;
pub mod raft;
pub mod sessions;
pub mod snapshots;
pub mod swim;
mod truth;
