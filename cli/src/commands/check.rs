//! `stormglass check`: what is wrong with a scenario, and what a seed will make of it, before anything runs.

use crate::args::Check;
use crate::exit::{Done, Exit, Failure};
use crate::{load, screen};
use history::Verdict;
use scenarios::plan::Plan;

pub fn check(args: &Check) -> Done {
    let mut wrong = Vec::new();
    for file in &args.files {
        match load::scenario(file, &args.set) {
            Ok(scenario) if args.plan => {
                let seed = args.seed.unwrap_or(scenario.seed);
                screen::print(&Plan::draw(&scenario, seed).to_string());
            }
            Ok(_) => screen::print(&format!("{}: fine\n", file.display())),
            Err(failure) => wrong.push(failure.message),
        }
    }
    if wrong.is_empty() { Ok(Exit::Judged(Verdict::Pass)) } else { Err(Failure::rendered(wrong.join("\n"))) }
}
