//! The `stormglass` command: the only place that prints, reads or writes files, starts threads, or looks at the
//! environment and the clock on the wall.
//!
//! Arguments become a command, a command does its work and ends with an exit code; results go to standard output, talk
//! to standard error.
//!
//! It is a library so that others can have the whole command for systems of their own: [`main`] takes the systems there
//! are, and [`prelude`] holds what a system is written with. `cli/examples/primary_backup.rs` is one.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "what is kept out of every other crate has its place here"
)]

mod args;
mod commands;
mod exit;
mod files;
mod interrupt;
mod load;
mod many;
pub mod prelude;
mod progress;
mod screen;
mod seeds;
mod store;
mod suggest;
mod traces;

pub use sim_core::serde;
pub use {history, protocols, scenarios, sim_core};

use clap::Parser as _;
use scenarios::systems::System;
use std::process::ExitCode;

/// The `stormglass` command for these systems, with the arguments this process was given.
pub fn main(systems: &'static [System]) -> ExitCode {
    let command = args::Cli::parse().command;
    let ends_in_order = matches!(
        command,
        args::Command::Run(_)
            | args::Command::Test(_)
            | args::Command::Sweep(_)
            | args::Command::Compare(_)
            | args::Command::Shrink(_)
    );
    interrupt::listen(if ends_in_order { interrupt::First::EndsInOrder } else { interrupt::First::EndsAtOnce });
    screen::say_panics_once();
    let done = match command {
        args::Command::Run(run) => commands::run::run(&run, systems),
        args::Command::Check(check) => commands::check::check(&check, systems),
        args::Command::Verify(verify) => commands::verify::verify(&verify),
        args::Command::Test(test) => commands::test::test(&test, systems),
        args::Command::Sweep(sweep) => commands::sweep::sweep(&sweep, systems),
        args::Command::Compare(compare) => commands::compare::compare(&compare, systems),
        args::Command::Merge(merge) => commands::merge::merge(&merge),
        args::Command::Replay(replay) => commands::replay::replay(&replay, systems),
        args::Command::Shrink(shrink) => commands::shrink::shrink(&shrink, systems),
        args::Command::Report(report) => commands::report::report(&report),
        args::Command::List(list) => commands::list::list(&list, systems),
        args::Command::Explain(explain) => commands::explain::explain(&explain, systems),
        args::Command::New(new) => commands::new::new(&new, systems),
        args::Command::Schema => commands::schema::schema(systems),
        args::Command::Completions(completions) => commands::completions::completions(completions.shell),
        args::Command::Man(man) => commands::man::man(&man),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            screen::complain(&failure.message);
            failure.exit.into()
        }
    }
}

/// What this command is called: `stormglass`, or as whoever has it for systems of his own calls it.
fn program() -> String {
    let path = std::env::args_os().next().map(std::path::PathBuf::from);
    let stem = path.as_deref().and_then(std::path::Path::file_stem);
    stem.map_or_else(|| "stormglass".to_owned(), |stem| stem.to_string_lossy().into_owned())
}
