//! `stormglass replay`: the same run again, with everything that happens.

use super::{parted, report};
use crate::args::{Replay, Told};
use crate::exit::{Done, Exit, Failure};
use crate::load::Loaded;
use crate::{files, load, screen};
use history::figures::{counted, duration};
use history::{RunRecord, Verdict};
use scenarios::execute::{Options, Row, What};
use scenarios::export::{Format, read_row};
use scenarios::plan::Plan;
use scenarios::scenario::Scenario;
use scenarios::systems::System;
use scenarios::{Compared, Comparison};
use std::cell::RefCell;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};

pub fn replay(args: &Replay, systems: &'static [System]) -> Done {
    let Asked { loaded, seed, recorded } = asked(args, systems)?;
    let scenario = loaded.resolve(seed)?;
    is_sensible(args, &Plan::draw(&scenario, seed))?;
    let is_shown = args.verify.is_none() || args.from.is_some() || args.until.is_some() || !args.node.is_empty();
    let mut export = Format::from(args.format).begin(scenario.protocol.serving);
    // Told so far, or why no more can be told: then the run ends where it is.
    let told = RefCell::new(Ok(()));
    let tell = |out: &[u8]| {
        let mut told = told.borrow_mut();
        if told.is_ok() && !out.is_empty() {
            *told = screen::stream(out);
        }
    };
    let mut sink = |rows: Vec<Row>| {
        let mut out = Vec::new();
        rows.iter().filter(|row| is_wanted(args, row)).for_each(|row| export.row(row, &mut out));
        tell(&out);
    };
    let keep_going = |_| told.borrow().is_ok();
    let mut options = Options { keep_going: Some(&keep_going), ..Options::default() };
    if is_shown {
        options.trace = Some(&mut sink);
    }
    let record = scenarios::run(&scenario, seed, systems, &mut options)?.record;
    if is_shown {
        let mut out = Vec::new();
        export.end(args.until.map_or(record.simulated_ns, |until| until.min(record.simulated_ns)), &mut out);
        tell(&out);
    }
    told.replace(Ok(()))?;
    // What another tool reads is not to end with words.
    let say = |text: &str| match args.format {
        Told::Jsonl | Told::Shiviz | Told::Perfetto if is_shown => {
            screen::complain(text);
            Ok(())
        }
        Told::Text | Told::Jsonl | Told::Shiviz | Told::Perfetto => screen::print(text),
    };
    let found = &record.fingerprint;
    match &recorded {
        Some(recorded) if recorded.fingerprint != *found => {
            say(&format!(
                "DIFFERENT  seed {seed} gave {found}, and {} was recorded\n           \
                 stormglass {} runs it now: another version, scenario file or --set makes another run\n",
                recorded.fingerprint, record.version,
            ))?;
            say(&where_they_part(&scenario, &record, recorded, systems)?)?;
            Ok(Exit::Diverged)
        }
        Some(_) if args.verify.is_some() => {
            say(&format!("SAME  seed {seed}, fingerprint {found}, {}\n", counted(record.events, "event")))?;
            Ok(Exit::Judged(Verdict::Pass))
        }
        Some(_) | None => {
            say(&format!("{}  seed {seed}, fingerprint {found}\n", record.verdict))?;
            Ok(Exit::Judged(record.verdict))
        }
    }
}

/// What is to be run again, and what it is to be compared with.
struct Asked {
    loaded: Loaded,
    seed: u64,
    recorded: Option<Recorded>,
}

/// A scenario and a seed, or both from what was saved of a run.
fn asked(args: &Replay, systems: &'static [System]) -> Result<Asked, Failure> {
    if args.format == Told::Perfetto && screen::is_read_by_people() {
        return Err(Failure::usage("a trace for Perfetto is no text; redirect it into a file, as in > run.pftrace"));
    }
    let verify = args.verify.as_deref().map(recorded).transpose()?;
    let is_run = args.file.is_dir() || args.file.file_name().is_some_and(|name| name == RECORD);
    if !is_run {
        let loaded = load::scenario(&args.file, &args.set, systems)?;
        let seed = args.seed.unwrap_or(loaded.draft.seed());
        return Ok(Asked { loaded, seed, recorded: verify });
    }
    let path = in_dir(&args.file);
    let record = report::read(&path)?;
    let Some(source) = record.source.as_ref().filter(|source| !source.resolved.is_empty()) else {
        let shown = path.display();
        return Err(Failure::usage(format!(
            "{shown} does not hold the scenario that was run; name its file and the seed: replay FILE --seed {}",
            record.seed
        )));
    };
    let loaded = load::saved(source, &record, &args.set, systems)?;
    // What was changed on purpose is another run.
    let is_as_recorded = args.set.is_empty() && args.seed.is_none_or(|seed| seed == record.seed);
    let itself = is_as_recorded.then(|| Recorded::of(&record, &path));
    Ok(Asked { loaded, seed: args.seed.unwrap_or(record.seed), recorded: verify.or(itself) })
}

/// The record in the directory of a run.
const RECORD: &str = "run.json";

fn in_dir(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(RECORD) } else { path.to_owned() }
}

/// What an earlier run left: its fingerprint, and if its record is there, what that was after each second, and its trace if it
/// was traced.
struct Recorded {
    fingerprint: String,
    checkpoints: Vec<String>,
    trace: Option<PathBuf>,
}

impl Recorded {
    fn of(record: &RunRecord, path: &Path) -> Self {
        let trace = path.with_file_name(Format::Jsonl.file());
        Recorded {
            fingerprint: record.fingerprint.clone(),
            checkpoints: record.checkpoints.clone(),
            trace: trace.is_file().then_some(trace),
        }
    }
}

/// A fingerprint, or the directory (or `run.json`) of a run.
fn recorded(given: &str) -> Result<Recorded, Failure> {
    let digits = given.strip_prefix("0x").unwrap_or(given).to_lowercase();
    if digits.len() == 16 && digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return Ok(Recorded { fingerprint: digits, checkpoints: Vec::new(), trace: None });
    }
    let path = Path::new(given);
    if !path.exists() {
        return Err(Failure::usage(format!(
            "`{given}` is neither a fingerprint (16 hexadecimal digits, as `run` prints them) nor the directory of a run"
        )));
    }
    let path = in_dir(path);
    let record: RunRecord = serde_json::from_str(&files::read_text(&path)?)
        .map_err(|e| Failure::usage(format!("{} is not the record of a run: {e}", path.display())))?;
    Ok(Recorded::of(&record, &path))
}

/// The first event that differs from a recorded trace; without one, the second in which the two part.
fn where_they_part(
    scenario: &Scenario,
    record: &RunRecord,
    recorded: &Recorded,
    systems: &[System],
) -> Result<String, Failure> {
    let by_second = || {
        let checkpoints: Vec<&str> = recorded.checkpoints.iter().map(String::as_str).collect();
        let known = (!checkpoints.is_empty()).then_some(checkpoints);
        known.and_then(|checkpoints| scenarios::parting(scenario, record, &checkpoints, systems))
    };
    let seconds = || by_second().map_or(String::new(), |parting| parted::second(&parting));
    let Some(trace) = &recorded.trace else { return Ok(seconds()) };
    let shown = trace.display();
    let lines = files::open(trace)?.lines().zip(1..);
    let rows = lines.map(|(line, number)| match line {
        Ok(line) => read_row(&line).map_err(|misread| format!("{shown}:{number}:{}: {}", misread.column, misread.what)),
        Err(error) => Err(format!("{shown}:{number}:1: {}", files::told(&error))),
    });
    let comparison = RefCell::new(Comparison::new(rows));
    let mut sink = |rows: Vec<Row>| rows.into_iter().for_each(|row| comparison.borrow_mut().push(row));
    let keep_going = |_| !comparison.borrow().is_over();
    let mut options = Options { trace: Some(&mut sink), keep_going: Some(&keep_going), ..Options::default() };
    scenarios::run(scenario, record.seed, systems, &mut options)?;
    Ok(match comparison.into_inner().finish() {
        Compared::Forked(fork) => parted::fork(&fork, ["then in the recorded run", "and now"]),
        Compared::Same(events) => {
            let events = counted(events, "event");
            format!("           every event of {shown} is the same now, all {events}: the record is of another run\n")
        }
        Compared::Unread(events, error) => {
            let (events, cure) = (counted(events, "event"), "`run … --trace jsonl` writes it anew");
            screen::complain(&format!("error: {error}; {events} before it are the same as now; {cure}"));
            seconds()
        }
    })
}

/// What can show nothing is a slip of the fingers, and silence would look like an answer.
fn is_sensible(args: &Replay, plan: &Plan) -> Result<(), Failure> {
    if let (Some(from), Some(until)) = (args.from, args.until)
        && from > until
    {
        let (from, until) = (duration(from), duration(until));
        return Err(Failure::usage(format!("--from {from} is after --until {until}, so there is nothing to show")));
    }
    let end = plan.duration + plan.settle;
    if let Some(from) = args.from.filter(|from| *from > end) {
        let (from, end) = (duration(from), duration(end));
        return Err(Failure::usage(format!(
            "--from {from} is after the run's end at {end}, so there is nothing to show"
        )));
    }
    let (nodes, clients) = (plan.nodes.len(), plan.clients.len());
    let is_known = |wanted: &str| {
        let is_one_of = |letter: char, count: usize| {
            let number = wanted.strip_prefix(letter).and_then(|digits| digits.parse::<usize>().ok());
            number.is_some_and(|number| (1..=count).contains(&number) && wanted == format!("{letter}{number}"))
        };
        is_one_of('n', nodes) || is_one_of('c', clients) || plan.faults.iter().any(|fault| fault.name == wanted)
    };
    let Some(wanted) = args.node.iter().find(|wanted| !is_known(wanted)) else { return Ok(()) };
    let clients = if clients > 0 { format!(", the clients c1 to c{clients}") } else { String::new() };
    Err(Failure::usage(format!(
        "there is no `{wanted}` here; there are the nodes n1 to n{nodes}{clients}, and faults by name"
    )))
}

fn is_wanted(args: &Replay, row: &Row) -> bool {
    args.from.is_none_or(|from| row.at >= from)
        && args.until.is_none_or(|until| row.at <= until)
        && (args.node.is_empty() || args.node.iter().any(|wanted| concerns(row, wanted)))
}

/// Whether a row tells of a machine or a fault. A fault strikes several at once, and names them all.
fn concerns(row: &Row, wanted: &str) -> bool {
    let is_struck = || {
        let mut named = row.to.split(|c: char| !c.is_ascii_alphanumeric());
        matches!(row.what, What::Fault | What::Heal) && named.any(|name| name == wanted)
    };
    row.from == wanted || row.to == wanted || is_struck()
}
