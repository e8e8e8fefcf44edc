//! Scenarios: from the text of a file to a judged run.
//!
//! - [`parse`]: text to a [`Draft`], in which some values may be left to the seed, or everything that is wrong with it
//!   ([`diagnostics`], numbered in [`codes`]). Which keys there are stands in [`sections`]; what a system under test adds, in
//!   [`systems`].
//! - [`Draft::resolve`]: a draft and a seed to a [`Scenario`](scenario::Scenario), which is what its author meant.
//! - [`plan`]: a scenario and a seed to a [`Plan`](plan::Plan): every number decided, nothing run.
//! - [`promises`]: what the system promises under what the scenario lets go wrong; a sentence that demands more is a mistake.
//! - [`execute`]: a plan to a finished run; the one place that meets the protocols' types.
//! - [`judge`]: a finished run to findings. [`outage`]: when nobody was served.
//! - [`manual`]: what is known of a word: a key, a code, a check, a fault, a flaw. [`schema`]: the same keys for editors.
//!   [`template`]: a first scenario for a system.
//! - [`storm`]: whether two scenarios are the same storm, so that they can be compared.
//! - [`published`]: what papers published, beside the scenarios that reproduce it.
//! - [`run`]: all of it, to a [`Run`]: the plain record and the history.
//!
//! ```
//! use scenarios::diagnostics::render;
//!
//! let source = "scenario = 1\nduration = 60\n";
//! let problems = scenarios::parse(source, "first", &[], &[]).unwrap_err();
//! assert!(render(&problems, "first.toml", source, false).contains("`60` has no unit; write `60ms` or `60s`"));
//! ```
//!
//! Pure functions all: nothing here reads a file, prints, or looks at a clock.

/// The version of stormglass: it decides, with the scenario and the seed, what a run is.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub mod codes;
mod convergence;
pub mod delay;
mod describe;
pub mod diagnostics;
mod disks;
pub mod execute;
pub mod export;
pub mod judge;
pub mod layout;
pub mod manual;
mod moments;
mod nemesis;
pub mod outage;
mod parse;
mod parting;
mod picture;
pub mod plan;
pub mod promises;
pub mod published;
mod record;
pub mod scenario;
pub mod schema;
pub mod sections;
pub mod shrink;
pub mod storm;
pub mod systems;
pub mod template;
mod testimony;
mod text;

pub use checkers::Staleness;
pub use parse::{CHECKS, Draft, GOALS, Identity, StopAfter, Sweep, TARGETS, Variant, parse};
pub use parting::{Compared, Comparison, Fork, Parting, Rift, parting, rift};
pub use record::{Run, run};
pub use sim_core::time::parse_duration;
pub use sim_core::world::Returns;
pub use text::quantity::parse_size;
pub use text::{SIZE_MAX, entry};
