//! `stormglass run`: one run, judged, printed and saved.

use super::{replay_command, report};
use crate::args::{Format, Run};
use crate::exit::{Done, Exit, Failure};
use crate::load::Loaded;
use crate::progress::{Progress, Work};
use crate::{files, interrupt, load, program, screen};
use history::{Source, jsonl};
use reports::terminal::{Around, summary};
use scenarios::execute::{Options, Row};
use scenarios::systems::System;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Instant;

pub fn run(args: &Run, systems: &'static [System]) -> Done {
    let loaded = load::scenario(&args.file, &args.set, systems)?;
    let seed = args.seed.unwrap_or(loaded.draft.seed());
    let scenario = loaded.resolve(seed)?;
    let dir = args.out.clone().unwrap_or_else(|| PathBuf::from("out").join(format!("{}-{seed}", scenario.name)));
    files::make_dir(&dir)?;
    let mut trace = args.trace.map(|_| files::Beside::create(&dir.join("trace.jsonl"))).transpose()?;
    let mut trace_written = Ok(());
    let mut sink = |rows: Vec<Row>| {
        let lines: String = rows.iter().map(trace_line).collect();
        if let (Some(trace), Ok(())) = (&mut trace, &trace_written) {
            trace_written = trace.write(&lines);
        }
    };
    let progress = Progress::begin(args.progress, Work::Simulated(scenario.duration + scenario.settle));
    let keep_going = |now| {
        progress.reached(now);
        !interrupt::asked()
    };
    let mut options = Options { keep_going: Some(&keep_going), picture: true, ..Options::default() };
    if args.trace.is_some() {
        options.trace = Some(&mut sink);
    }
    let began = Instant::now();
    let mut run = scenarios::run(&scenario, seed, systems, &mut options)?;
    run.record.source = Some(source(args, &loaded, seed)?);
    let wall_ns = began.elapsed().as_nanos() as u64;
    drop(progress);
    trace_written?;
    match trace {
        Some(trace) => trace.finish()?,
        // The directory holds one run: what is left of another would be taken for a part of this one.
        None => files::remove(&dir.join("trace.jsonl"))?,
    }
    files::write(&dir.join("history.jsonl"), &jsonl::write(&run.history))?;
    files::write(&dir.join("run.json"), &reports::json::record(&run.record))?;
    report::draw(&dir, &run.record)?;
    match args.format {
        Format::Json => screen::print(&format!("{}\n", reports::json::line(&run.record, wall_ns)))?,
        Format::Human => {
            let page = dir.join(report::PAGE).display().to_string();
            let (saved, again) = (dir.display().to_string(), replay_command(&args.file, seed, &args.set));
            screen::print(&summary(&run.record, &Around { wall_ns, saved, page, again }, screen::look()))?;
        }
    }
    Ok(if run.record.interrupted { Exit::Interrupted } else { Exit::Judged(run.record.verdict) })
}

/// What somebody needs who wants to see this run again.
fn source(args: &Run, loaded: &Loaded, seed: u64) -> Result<Source, Failure> {
    let file = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let set = args.set.iter().map(|(key, value)| format!("{key}={value}")).collect();
    Ok(Source { program: program(), file, set, resolved: loaded.resolved_file(seed)? })
}

/// One line of `trace.jsonl`; what one looks for first stands first.
fn trace_line(row: &Row) -> String {
    let [what, from, to, text] = [row.what.name(), &row.from, &row.to, &row.text].map(Value::from);
    let (time, step) = (row.at, row.step);
    format!("{{\"time\":{time},\"step\":{step},\"what\":{what},\"from\":{from},\"to\":{to},\"text\":{text}}}\n")
}
