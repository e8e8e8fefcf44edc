//! The virtual world in which a protocol runs.
#![deny(clippy::float_arithmetic)]

pub mod delay;
pub mod desk;
pub mod dice;
pub mod fault;
pub mod laws;
pub mod oplog;
pub mod protocol;
pub mod reach;
pub mod settings;
pub mod time;
pub mod topology;
pub mod wire;
pub mod workload;
