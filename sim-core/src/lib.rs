//! The virtual world in which a protocol runs.
//!
//! A [`Protocol`](protocol::Protocol) is a state machine that is told things and asks for things. A
//! [`World`](world::World) is made from a [`Setup`](setup::Setup): machines with clocks, CPUs and disks, in a
//! [`Topology`](topology::Topology) of zones and links, with clients that ask for things and
//! [`Fault`](fault::Fault)s that strike. The world pops the next event, lets time pass up to it, and hands it to one
//! process. The same setup gives the same run, event for event, on any machine.
//!
//! What is not here: the engine names no protocol, no data type, no scenario file and no checker. It reads no clock,
//! starts no thread, and knows no floating-point number.
#![deny(clippy::float_arithmetic)]

mod alarms;
mod clock;
mod connectivity;
pub mod delay;
pub mod desk;
pub mod dice;
mod disk;
pub mod fault;
pub mod harm;
pub mod holding;
pub mod idle;
pub mod laws;
mod machine;
mod network;
pub mod oplog;
pub mod promise;
pub mod protocol;
mod queue;
pub mod reach;
pub mod settings;
pub mod setup;
pub mod strain;
pub mod time;
pub mod topology;
pub mod trace;
pub mod wire;
pub mod workload;
pub mod world;

pub use clock::Clock;
pub use connectivity::Reachability;
pub use network::Tcp;
/// What makes messages and records [`Wire`](wire::Wire), for those who depend on nothing else.
pub use serde;
