//! The `stormglass` command: the only place that prints, reads or writes files, starts threads, or looks at the
//! environment and the clock on the wall.
//!
//! Arguments become a command, a command does its work and ends with an exit code; results go to standard output, talk
//! to standard error.
//!
//! It is a library so that others can have the whole command for systems of their own: [`main`] takes the systems there
//! are, and `sim_core`, `history` and `scenarios` are what a system is written with.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "what is kept out of every other crate has its place here"
)]

mod args;
mod commands;
mod exit;
mod files;
mod load;
mod screen;

pub use {history, scenarios, sim_core};

use clap::Parser as _;
use scenarios::systems::System;
use std::process::ExitCode;

/// The `stormglass` command for these systems, with the arguments this process was given.
pub fn main(systems: &'static [System]) -> ExitCode {
    let done = match args::Cli::parse().command {
        args::Command::Run(run) => commands::run::run(&run, systems),
        args::Command::Check(check) => commands::check::check(&check, systems),
        args::Command::Verify(verify) => commands::verify::verify(&verify),
        args::Command::Test(test) => commands::test::test(&test, systems),
        args::Command::Replay(replay) => commands::replay::replay(&replay, systems),
        args::Command::Report(report) => commands::report::report(&report),
        args::Command::List(list) => commands::list::list(list.kind, systems),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            screen::complain(&failure.message);
            failure.exit.into()
        }
    }
}
