//! How the command ends.

use history::Verdict;
use std::fmt::Display;
use std::process::ExitCode;

/// An exit code of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By its verdict: PASS 0, FAIL 1, UNKNOWN 3, VACUOUS 4.
    Judged(Verdict),
    /// Bad usage, scenario or file: nothing was run, nothing overwritten.
    Usage,
    /// A replay went another way than the recorded run.
    Diverged,
    /// A bug of ours.
    Bug,
    /// By Ctrl-C: what there is was judged, and what was written says that it is not all.
    Interrupted,
    /// Whoever read the output has gone: as a shell reports a program that a closed pipe ends.
    Unheard,
}

impl Exit {
    /// As the contract numbers it.
    pub fn code(self) -> u8 {
        match self {
            Exit::Judged(Verdict::Pass) => 0,
            Exit::Judged(Verdict::Fail) => 1,
            Exit::Usage => 2,
            Exit::Judged(Verdict::Unknown) => 3,
            Exit::Judged(Verdict::Vacuous) => 4,
            Exit::Diverged => 5,
            Exit::Bug => 101,
            Exit::Interrupted => 130,
            Exit::Unheard => 141,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub message: String,
}

impl Failure {
    /// Something is wrong with what the user gave: what, and what would be right.
    pub fn usage(message: impl Display) -> Self {
        Failure { exit: Exit::Usage, message: format!("error: {message}") }
    }

    /// Diagnostics that are already laid out.
    pub fn rendered(message: String) -> Self {
        Failure { exit: Exit::Usage, message }
    }
}

impl From<scenarios::execute::EngineFault> for Failure {
    fn from(fault: scenarios::execute::EngineFault) -> Self {
        let scenarios::execute::EngineFault { seed, step, message } = fault;
        let message = format!(
            "error: stormglass itself failed, which is a bug of ours: {message}\n  seed {seed}, step {step}; please report \
             it with the scenario file"
        );
        Failure { exit: Exit::Bug, message }
    }
}

/// What a command returns.
pub type Done = Result<Exit, Failure>;
