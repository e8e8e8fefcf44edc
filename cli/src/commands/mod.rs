//! One file a command.

pub mod check;
pub mod compare;
pub mod completions;
pub mod explain;
pub mod list;
pub mod man;
pub mod merge;
pub mod new;
mod papers;
mod parted;
pub mod replay;
pub mod report;
pub mod run;
pub mod schema;
pub mod shrink;
pub mod sweep;
pub mod test;
pub mod verify;

use reports::command::quoted;
use std::path::Path;

/// The command that shows a run again.
fn replay_command(file: &Path, seed: u64, set: &[(String, String)]) -> String {
    reports::command::of_seed(&crate::program(), "run", &file.display().to_string(), seed, set)
}
