//! `stormglass check`: what is wrong with a scenario, and what a seed will make of it, before anything runs.

use crate::args::Check;
use crate::exit::{Done, Exit, Failure};
use crate::{load, screen};
use history::Verdict;
use scenarios::plan::Plan;

pub fn check(args: &Check) -> Done {
    let mut wrong = Vec::new();
    for file in &args.files {
        let (scenario, warnings) = match load::quietly(file, &args.set) {
            Ok(read) => read,
            Err(failure) => {
                wrong.push(failure.message);
                continue;
            }
        };
        screen::complain(&warnings);
        let text = if args.plan {
            Plan::draw(&scenario, args.seed.unwrap_or(scenario.seed)).to_string()
        } else {
            let but = if warnings.is_empty() { "" } else { ", but see the warnings" };
            format!("{}: fine{but}\n", file.display())
        };
        screen::print(&text)?;
    }
    if wrong.is_empty() { Ok(Exit::Judged(Verdict::Pass)) } else { Err(Failure::rendered(wrong.join("\n"))) }
}
