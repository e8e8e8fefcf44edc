//! `stormglass`, for the systems that ship.

use std::process::ExitCode;

fn main() -> ExitCode {
    stormglass::main(scenarios::systems::SYSTEMS)
}
