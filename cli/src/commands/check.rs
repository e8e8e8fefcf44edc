//! `stormglass check`: what is wrong with a scenario, and what a seed will make of it, before anything runs.

use crate::args::Check;
use crate::exit::{Done, Exit, Failure};
use crate::{load, screen};
use history::Verdict;
use scenarios::plan::Plan;
use scenarios::systems::System;
use std::path::Path;

pub fn check(args: &Check, systems: &'static [System]) -> Done {
    let mut wrong = Vec::new();
    for file in &args.files {
        match told(file, args, systems) {
            Ok(text) => screen::print(&text)?,
            Err(failure) => wrong.push(failure.message),
        }
    }
    if wrong.is_empty() { Ok(Exit::Judged(Verdict::Pass)) } else { Err(Failure::rendered(wrong.join("\n"))) }
}

/// What is to be known of one scenario.
fn told(file: &Path, args: &Check, systems: &'static [System]) -> Result<String, Failure> {
    let loaded = load::scenario(file, &args.set, systems)?;
    let seed = args.seed.unwrap_or(loaded.draft.seed());
    if args.plan {
        return Ok(Plan::draw(&loaded.resolve(seed)?, seed).to_string());
    }
    if args.resolved {
        return loaded.resolved_file(seed);
    }
    let but = if loaded.warnings.is_empty() { "" } else { ", but see the warnings" };
    Ok(format!("{}: fine{but}\n", file.display()))
}
