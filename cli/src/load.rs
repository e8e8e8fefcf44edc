//! A scenario from its file, with what is wrong with it on standard error.

use crate::exit::Failure;
use crate::{files, screen};
use scenarios::diagnostics::render;
use scenarios::scenario::Scenario;
use std::path::Path;

/// Reads a scenario. Warnings are printed, errors are the failure.
pub fn scenario(path: &Path, set: &[(String, String)]) -> Result<Scenario, Failure> {
    let (scenario, warnings) = quietly(path, set)?;
    screen::complain(&warnings);
    Ok(scenario)
}

/// Reads a scenario, with its warnings laid out.
pub fn quietly(path: &Path, set: &[(String, String)]) -> Result<(Scenario, String), Failure> {
    let source = files::read_scenario(path)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let shown = path.display().to_string();
    let colour = screen::colour_on_stderr();
    match scenarios::parse(&source, &stem, set, scenarios::systems::SYSTEMS) {
        Ok((scenario, warnings)) => Ok((scenario, render(&warnings, &shown, &source, colour))),
        Err(problems) => Err(Failure::rendered(render(&problems, &shown, &source, colour))),
    }
}
