//! `stormglass replay`: the same run again, with everything that happens.

use crate::args::Replay;
use crate::exit::{Done, Exit, Failure};
use crate::{files, load, screen};
use history::RunRecord;
use history::figures::{counted, duration};
use scenarios::Parting;
use scenarios::execute::{Options, Row, What};
use scenarios::plan::Plan;
use scenarios::systems::System;
use std::cell::RefCell;
use std::path::Path;

pub fn replay(args: &Replay, systems: &'static [System]) -> Done {
    let loaded = load::scenario(&args.file, &args.set, systems)?;
    let seed = args.seed.unwrap_or(loaded.draft.seed());
    let scenario = loaded.resolve(seed)?;
    is_sensible(args, &Plan::draw(&scenario, seed))?;
    let recorded = args.verify.as_deref().map(recorded).transpose()?;
    let chosen = args.from.is_some() || args.until.is_some() || args.node.is_some();
    // Told so far, or why no more can be told: then the run ends where it is.
    let told = RefCell::new(Ok(()));
    let mut sink = |rows: Vec<Row>| {
        let text: String = rows.iter().filter(|row| is_wanted(args, row)).map(line).collect();
        let mut told = told.borrow_mut();
        if told.is_ok() && !text.is_empty() {
            *told = screen::stream(&text);
        }
    };
    let keep_going = || told.borrow().is_ok();
    let mut options = Options { keep_going: Some(&keep_going), ..Options::default() };
    if chosen || recorded.is_none() {
        options.trace = Some(&mut sink);
    }
    let run = scenarios::run(&scenario, seed, systems, &mut options)?;
    told.replace(Ok(()))?;
    let (record, found) = (&run.record, &run.record.fingerprint);
    match &recorded {
        Some(recorded) if recorded.fingerprint != *found => {
            let checkpoints: Vec<&str> = recorded.checkpoints.iter().map(String::as_str).collect();
            let parting = match checkpoints.is_empty() {
                true => None,
                false => scenarios::parting(&scenario, record, &checkpoints, systems),
            };
            screen::print(&format!(
                "DIFFERENT  seed {seed} gave {found}, and {} was recorded\n           \
                 stormglass {} runs it now: another version, scenario file or --set makes another run\n{}",
                recorded.fingerprint,
                record.version,
                parting.map(|parting| told_parting(&parting)).unwrap_or_default()
            ))?;
            Ok(Exit::Diverged)
        }
        Some(_) => {
            screen::print(&format!("SAME  seed {seed}, fingerprint {found}, {}\n", counted(record.events, "event")))?;
            Ok(Exit::Judged(history::Verdict::Pass))
        }
        None => {
            screen::print(&format!("{}  seed {seed}, fingerprint {found}\n", record.verdict))?;
            Ok(Exit::Judged(record.verdict))
        }
    }
}

fn told_parting(parting: &Parting) -> String {
    let rows: String = parting.rows.iter().map(line).collect();
    format!("           they part in the second from {}s on, which now begins so:\n{rows}", parting.second)
}

/// What an earlier run left: its fingerprint, and what that was after each second if its record is there.
struct Recorded {
    fingerprint: String,
    checkpoints: Vec<String>,
}

/// A fingerprint, or the directory (or `run.json`) of a run.
fn recorded(given: &str) -> Result<Recorded, Failure> {
    let digits = given.strip_prefix("0x").unwrap_or(given).to_lowercase();
    if digits.len() == 16 && digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return Ok(Recorded { fingerprint: digits, checkpoints: Vec::new() });
    }
    let path = Path::new(given);
    if !path.exists() {
        return Err(Failure::usage(format!(
            "`{given}` is neither a fingerprint (16 hexadecimal digits, as `run` prints them) nor the directory of a run"
        )));
    }
    let path = if path.is_dir() { path.join("run.json") } else { path.to_owned() };
    let record: RunRecord = serde_json::from_str(&files::read_text(&path)?)
        .map_err(|e| Failure::usage(format!("{} is not the record of a run: {e}", path.display())))?;
    Ok(Recorded { fingerprint: record.fingerprint, checkpoints: record.checkpoints })
}

/// What can show nothing is a slip of the fingers, and silence would look like an answer.
fn is_sensible(args: &Replay, plan: &Plan) -> Result<(), Failure> {
    if let (Some(from), Some(until)) = (args.from, args.until)
        && from > until
    {
        let (from, until) = (duration(from), duration(until));
        return Err(Failure::usage(format!("--from {from} is after --until {until}, so there is nothing to show")));
    }
    let Some(wanted) = &args.node else { return Ok(()) };
    let (nodes, clients) = (plan.nodes.len(), plan.clients.len());
    let is_one_of = |letter: char, count: usize| {
        let number = wanted.strip_prefix(letter).and_then(|digits| digits.parse::<usize>().ok());
        number.is_some_and(|number| (1..=count).contains(&number) && *wanted == format!("{letter}{number}"))
    };
    if is_one_of('n', nodes) || is_one_of('c', clients) || plan.faults.iter().any(|fault| fault.name == *wanted) {
        return Ok(());
    }
    let clients = if clients > 0 { format!(", the clients c1 to c{clients}") } else { String::new() };
    Err(Failure::usage(format!(
        "there is no `{wanted}` here; there are the nodes n1 to n{nodes}{clients}, and faults by name"
    )))
}

/// What is sent is told of when it arrives or is lost: once is enough for the eye.
fn is_wanted(args: &Replay, row: &Row) -> bool {
    row.what != What::Sent
        && args.from.is_none_or(|from| row.at >= from)
        && args.until.is_none_or(|until| row.at <= until)
        && args.node.as_ref().is_none_or(|node| row.from == *node || row.to == *node)
}

/// `  10.004213s  n1 -> n2  message  AppendEntries { .. }`
fn line(row: &Row) -> String {
    let seconds = format!("{}.{:06}s", row.at / 1_000_000_000, row.at % 1_000_000_000 / 1_000);
    let who =
        if row.to.is_empty() || row.to == row.from { row.from.clone() } else { format!("{} -> {}", row.from, row.to) };
    format!("{seconds:>12}  {who:<12} {:<8} {}\n", row.what.name(), row.text)
}
