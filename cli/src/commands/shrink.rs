//! `stormglass shrink`: from a seed to its cause.

use crate::args::Shrink;
use crate::exit::{Done, Exit, Failure};
use crate::load::Loaded;
use crate::progress::{Progress, Work};
use crate::{files, interrupt, load, program, screen};
use history::figures::{counted, duration, grouped};
use history::{RunRecord, Verdict};
use reports::command::quoted;
use reports::terminal::Look;
use scenarios::shrink::{Limits, MARK, Outcome, Shrunk, Size, Step, Trouble, shrink as shrunk};
use scenarios::systems::System;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// More lines of a story than this are for whoever opens the file.
const STORY_MAX: usize = 12;

pub fn shrink(args: &Shrink, systems: &'static [System]) -> Done {
    let loaded = load::scenario(&args.file, &args.set, systems)?;
    let seed = args.seed.unwrap_or(loaded.draft.seed());
    let place = place(args, &loaded, seed);
    is_free(&place)?;
    let (began, budget) = (Instant::now(), Duration::from_nanos(args.time));
    let progress = Progress::begin(args.progress, Work::Shrinking(args.time));
    let keep_going = |step: &Step| {
        progress.reached(began.elapsed().as_nanos() as u64);
        progress.note(|| told(step));
        !interrupt::asked() && began.elapsed() < budget
    };
    let outcome = shrunk(&loaded.draft, seed, &Limits { keep_going: &keep_going });
    drop(progress);
    match outcome {
        Ok(Outcome::Shrunk(shrunk)) => {
            files::write(&place, &shrunk.file)?;
            let ended = if began.elapsed() < budget { "" } else { "; the time was up, --time gives it more" };
            screen::print(&summary(&shrunk, &place, began.elapsed(), ended, screen::look()))?;
            Ok(if interrupt::asked() { Exit::Interrupted } else { Exit::Judged(Verdict::Pass) })
        }
        Ok(Outcome::NoFailure(record)) => {
            screen::print(&no_failure(&record))?;
            Ok(Exit::Judged(record.verdict))
        }
        Err(Trouble::Misfit(problems)) => Err(loaded.misfit(&problems)),
        Err(Trouble::Engine(fault)) => Err(fault.into()),
        Err(Trouble::Stopped) if interrupt::asked() => Ok(Exit::Interrupted),
        Err(Trouble::Stopped) => {
            Err(Failure::usage("the run itself takes longer than that; give it more with --time".to_owned()))
        }
        Err(Trouble::Unstable) => Err(Failure::usage(format!(
            "what seed {seed} makes of the scenario does not fail as the run itself does; \
             `check --resolved --seed {seed}` prints it"
        ))),
    }
}

/// Where the file goes: beside nothing of the user's, where the command was given.
fn place(args: &Shrink, loaded: &Loaded, seed: u64) -> PathBuf {
    args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}-{seed}.min.toml", loaded.draft.name())))
}

/// What somebody else wrote stays. What `shrink` wrote it can write again.
fn is_free(place: &Path) -> Result<(), Failure> {
    if place.is_file() && !files::read_text(place)?.starts_with(MARK) {
        let place = place.display();
        return Err(Failure::usage(format!(
            "{place} is there already, and `shrink` did not write it: name another with --out"
        )));
    }
    Ok(())
}

/// How far it has come.
fn told(step: &Step) -> String {
    let Size { nodes, faults, operations, time, .. } = step.size;
    if nodes == 0 {
        return "running it once".to_owned();
    }
    let counts = [(nodes, "node"), (faults, "fault"), (operations, "operation")];
    let counts = counts.map(|(count, what)| counted(count as u64, what)).join(", ");
    format!("{}, {counts}, {}; trying fewer {}", counted(step.runs, "run"), duration(time), step.about)
}

fn no_failure(record: &RunRecord) -> String {
    let RunRecord { scenario, seed, verdict, .. } = record;
    format!("{scenario}, seed {seed}: {verdict}, so there is no failure to shrink; nothing was written\n")
}

fn summary(shrunk: &Shrunk, place: &Path, took: Duration, ended: &str, look: Look) -> String {
    let Shrunk { check, detail, before, after, runs, story, .. } = shrunk;
    let (dot, arrow) = if look.unicode { ("·", "→") } else { ("-", "->") };
    let count = |count: usize, what: &str| counted(count as u64, what);
    let start = [
        count(before.nodes, "node"),
        count(before.clients, "client"),
        duration(before.time),
        count(before.faults, "fault"),
        count(before.operations, "operation"),
    ];
    let of =
        |what: &str, from: usize, to: usize| format!("{what} {} {arrow} {}", grouped(from as u64), grouped(to as u64));
    let smaller = [
        of("faults", before.faults, after.faults),
        of("operations", before.operations, after.operations),
        format!("time {} {arrow} {}", duration(before.time), duration(after.time)),
        of("nodes", before.nodes, after.nodes),
        of("clients", before.clients, after.clients),
    ];
    let took =
        format!("({}, {}{ended})", counted(*runs, "run"), duration(took.as_nanos() as u64 / 100_000_000 * 100_000_000));
    let mut text = format!(" start      {}    fails: {}\n", start.join(&format!(" {dot} ")), look.shown(check));
    text.push_str(&format!(" now        {}    {took}\n", smaller.join(&format!(" {dot} "))));
    text.push_str(&format!(" smallest   {}\n", look.shown(detail)));
    story.iter().take(STORY_MAX).for_each(|line| text.push_str(&format!("            {}\n", look.shown(line))));
    if story.len() > STORY_MAX {
        text.push_str(&format!("            and {} more\n", story.len() - STORY_MAX));
    }
    let file = place.display().to_string();
    text.push_str(&format!(" wrote      {file}    again: {} run {}\n", quoted(&program()), quoted(&file)));
    text
}
