//! `stormglass run`: one run, judged, printed and saved.

use super::{parted, replay_command, report};
use crate::args::{Format, Run};
use crate::exit::{Done, Exit, Failure};
use crate::load::Loaded;
use crate::progress::{Progress, Work};
use crate::traces::Traces;
use crate::{files, interrupt, load, program, screen};
use history::figures::counted;
use history::{Source, jsonl};
use reports::terminal::{Around, summary};
use scenarios::execute::{Options, Row};
use scenarios::scenario::Scenario;
use scenarios::systems::System;
use std::path::PathBuf;
use std::time::Instant;

pub fn run(args: &Run, systems: &'static [System]) -> Done {
    let loaded = load::scenario(&args.file, &args.set, systems)?;
    let seed = args.seed.unwrap_or(loaded.draft.seed());
    let scenario = loaded.resolve(seed)?;
    let dir = args.out.clone().unwrap_or_else(|| PathBuf::from("out").join(format!("{}-{seed}", scenario.name)));
    files::make_dir(&dir)?;
    let mut traces = Traces::create(&dir, &args.trace, scenario.protocol.serving)?;
    let is_traced = !traces.is_empty();
    let mut sink = |rows: Vec<Row>| traces.add(&rows);
    let progress = Progress::begin(args.progress, Work::Simulated(scenario.duration + scenario.settle));
    let keep_going = |now| {
        progress.reached(now);
        !interrupt::asked()
    };
    let mut options = Options { keep_going: Some(&keep_going), picture: true, ..Options::default() };
    if is_traced {
        options.trace = Some(&mut sink);
    }
    let began = Instant::now();
    let mut run = scenarios::run(&scenario, seed, systems, &mut options)?;
    let wall_ns = began.elapsed().as_nanos() as u64;
    let again = match args.twice && !run.record.interrupted {
        true => Some(scenarios::run(&scenario, seed, systems, &mut Options { trace: None, ..options })?),
        false => None,
    };
    let twice = again.map(|again| compared(&scenario, &run, &again, systems));
    run.record.source = Some(source(args, &loaded, seed)?);
    drop(progress);
    let hints = traces.finish(&dir, run.record.simulated_ns)?;
    files::write(&dir.join("history.jsonl"), &jsonl::write(&run.history))?;
    files::write(&dir.join("run.json"), &reports::json::record(&run.record))?;
    report::draw(&dir, &run.record)?;
    let (exit, twice) = twice.unwrap_or((None, String::new()));
    match args.format {
        Format::Json => {
            screen::print(&format!("{}\n", reports::json::line(&run.record, wall_ns)))?;
            screen::complain(&twice);
        }
        Format::Human => {
            let page = dir.join(report::PAGE).display().to_string();
            let (saved, again) = (dir.display().to_string(), replay_command(&args.file, seed, &args.set));
            screen::print(&summary(&run.record, &Around { wall_ns, saved, page, again }, screen::look()))?;
            screen::print(&twice)?;
        }
    }
    screen::complain(&hints);
    if run.record.interrupted {
        return Ok(Exit::Interrupted);
    }
    Ok(exit.unwrap_or(Exit::Judged(run.record.verdict)))
}

/// What came of running it twice, and how that ends the command if it does.
fn compared(
    scenario: &Scenario,
    one: &scenarios::Run,
    other: &scenarios::Run,
    systems: &[System],
) -> (Option<Exit>, String) {
    let (first, second) = (&one.record, &other.record);
    if second.interrupted {
        return (Some(Exit::Interrupted), "interrupted before it had run twice\n".to_owned());
    }
    if first == second && one.history == other.history {
        let (found, checkpoints) = (&first.fingerprint, counted(first.checkpoints.len() as u64, "checkpoint"));
        let told = format!("SAME  twice: fingerprint {found}, {checkpoints}, history and record\n");
        return (None, told);
    }
    let seed = first.seed;
    if (&first.fingerprint, &first.checkpoints) == (&second.fingerprint, &second.checkpoints) {
        let field = if first == second { "history".to_owned() } else { parted::field(first, second) };
        let told = format!("DIFFERENT  seed {seed} gave the same events twice, and two records: see `{field}`\n");
        return (Some(Exit::Diverged), told);
    }
    let rift = scenarios::rift(scenario, first, second, systems);
    let shown = match &rift.fork {
        Some(fork) => parted::fork(fork, ["then in one run", "and in the other"]),
        None => {
            "           run twice more they were the same there, so what differs is not seen every time\n".to_owned()
        }
    };
    let told = format!(
        "DIFFERENT  seed {seed} gave {}, and run again {}: something else than the seed enters\n           \
         they part in the second from {}s on\n{shown}",
        first.fingerprint, second.fingerprint, rift.second
    );
    (Some(Exit::Diverged), told)
}

/// What somebody needs who wants to see this run again.
fn source(args: &Run, loaded: &Loaded, seed: u64) -> Result<Source, Failure> {
    let file = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let set = args.set.iter().map(|(key, value)| format!("{key}={value}")).collect();
    Ok(Source { program: program(), file, set, resolved: loaded.resolved_file(seed)? })
}
