//! A scenario from its file, with what is wrong with it on standard error.

use crate::exit::Failure;
use crate::{files, screen};
use history::{RunRecord, Source};
use scenarios::Draft;
use scenarios::diagnostics::{Diagnostic, render};
use scenarios::scenario::Scenario;
use scenarios::systems::System;
use std::path::Path;

/// A scenario file that was read.
pub struct Loaded {
    pub draft: Draft<'static>,
    /// Laid out; empty if there are none.
    pub warnings: String,
    shown: String,
    source: String,
    /// Those it may name.
    pub systems: &'static [System],
}

/// Reads a scenario. Warnings are printed, errors are the failure.
pub fn scenario(path: &Path, set: &[(String, String)], systems: &'static [System]) -> Result<Loaded, Failure> {
    let loaded = quietly(path, set, systems)?;
    screen::complain(&loaded.warnings);
    Ok(loaded)
}

/// Reads a scenario, with its warnings laid out.
pub fn quietly(path: &Path, set: &[(String, String)], systems: &'static [System]) -> Result<Loaded, Failure> {
    let source = files::read_scenario(path)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    text(source, &stem, path.display().to_string(), set, systems)
}

/// The scenario of a run that was saved, with nothing left to draw: its warnings were seen when it was run.
pub fn saved(
    source: &Source,
    record: &RunRecord,
    set: &[(String, String)],
    systems: &'static [System],
) -> Result<Loaded, Failure> {
    text(source.resolved.clone(), &record.scenario, format!("{}, as it was run", source.file), set, systems)
}

fn text(
    source: String,
    stem: &str,
    shown: String,
    set: &[(String, String)],
    systems: &'static [System],
) -> Result<Loaded, Failure> {
    let told = |problems: &[Diagnostic]| render(problems, &shown, &source, screen::colour_on_stderr());
    let (draft, warnings) =
        scenarios::parse(&source, stem, set, systems).map_err(|problems| Failure::rendered(told(&problems)))?;
    let warnings = told(&warnings);
    Ok(Loaded { draft, warnings, shown, source, systems })
}

impl Loaded {
    /// The scenario of one seed; the failure says why what it draws does not fit together.
    pub fn resolve(&self, seed: u64) -> Result<Scenario, Failure> {
        self.resolve_as(&self.draft, seed)
    }

    /// The same of a variant.
    pub fn resolve_as(&self, variant: &Draft<'static>, seed: u64) -> Result<Scenario, Failure> {
        variant.resolve(seed).map_err(|problems| self.misfit(&problems))
    }

    /// The scenario of one seed, as a file.
    pub fn resolved_file(&self, seed: u64) -> Result<String, Failure> {
        self.draft.resolved_file(seed).map_err(|problems| self.misfit(&problems))
    }

    /// What the seed draws does not fit together.
    pub fn misfit(&self, problems: &[Diagnostic]) -> Failure {
        Failure::rendered(render(problems, &self.shown, &self.source, screen::colour_on_stderr()))
    }
}
