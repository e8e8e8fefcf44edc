//! The `stormglass` command: the only place that prints, reads or writes files, starts threads, or looks at the
//! environment and the clock on the wall.
//!
//! Arguments become a command, a command does its work and ends with an exit code; results go to standard output, talk
//! to standard error.
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

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let done = match args::Cli::parse().command {
        args::Command::Run(run) => commands::run::run(&run),
        args::Command::Check(check) => commands::check::check(&check),
        args::Command::Verify(verify) => commands::verify::verify(&verify),
        args::Command::Test(test) => commands::test::test(&test),
        args::Command::Replay(replay) => commands::replay::replay(&replay),
        args::Command::List(list) => commands::list::list(list.kind),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            screen::complain(&failure.message);
            failure.exit.into()
        }
    }
}
