//! `stormglass verify`: judges a recorded history.

use super::report;
use crate::args::{Format, USUAL_BUDGET, USUAL_MEMORY, Verify};
use crate::exit::{Done, Exit, Failure};
use crate::{files, program, screen, suggest};
use checkers::formats::{self, Input, Recorded};
use checkers::{Budget, Judgement, Model, Question, Rung, Unfit};
use history::figures::duration;
use history::input::Unreadable;
use history::{History, Reason, Value, Verdict, Witness, jsonl};
use reports::command::quoted;
use reports::verify::{Around, Limits, Verified, size};
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};

/// The file of a violation's own operations.
const MINIMAL: &str = "minimal.jsonl";

/// The file of what `--format json` prints.
const DATA: &str = "verify.json";

pub fn verify(args: &Verify) -> Done {
    let shown = screen::look().shown(&args.history.display().to_string());
    let recorded = read(args, &shown)?;
    let model = args.model.ok_or_else(|| unasked(&recorded.history, &shown))?;
    let format = recorded.format;
    let initial = args.initial.as_deref().map(initial).transpose()?;
    let (history, question) = recorded.asked(model, initial);
    let question = Question { level: args.level.or(question.level), ..question };
    // What is no directory is better known before a long search; where nothing is judged, none is made.
    if let Some(dir) = args.out.as_ref().filter(|dir| dir.exists()) {
        files::make_dir(dir)?;
    }
    let began = Instant::now();
    let limits = Limits { time_ns: args.budget, memory: args.memory, is_out_of_time: false };
    let time = Duration::from_nanos(args.budget);
    let (judgement, ladder) = judged(&history, &question, &limits, &|| began.elapsed() < time, args.ladder)
        .map_err(|unfit| Failure::usage(format!("{shown}: {}", screen::look().shown(&unfit.to_string()))))?;
    let elapsed = began.elapsed();
    let limits = Limits { is_out_of_time: elapsed >= time, ..limits };
    let wall_ns = elapsed.as_nanos() as u64;
    let minimal = minimal(&history, &question, judgement.witness.as_ref());
    let verified = Verified {
        file: &shown,
        format,
        history: &history,
        model,
        level: args.level,
        initial: question.initial.as_ref(),
        judgement: &judgement,
        ladder: ladder.as_deref(),
        limits,
        program: program(),
        options: options(args, &question),
        minimal: minimal.is_some().then(|| minimal_options(&question)),
    };
    let object = format!("{}\n", reports::verify::json(&verified, wall_ns));
    let saved = match &args.out {
        Some(dir) => write(dir, &verified, minimal.as_deref(), &object)?,
        None => Vec::new(),
    };
    match args.format {
        Format::Json => screen::print(&object)?,
        Format::Human => {
            let around = Around { wall_ns, saved, width: screen::width() };
            screen::print(&reports::verify::summary(&verified, &around, screen::look()))?;
        }
    }
    Ok(Exit::Judged(judgement.verdict))
}

/// Somebody else's history can hold anything.
fn read(args: &Verify, shown: &str) -> Result<Recorded, Failure> {
    formats::read(files::open_or_stdin(&args.history)?, args.input).map_err(|unreadable| match unreadable {
        Unreadable::Malformed(bad) => Failure::usage(format!("{shown}:{}", screen::look().shown(&bad.to_string()))),
        Unreadable::Source(error) => Failure::usage(format!("cannot read {shown}: {}", files::told(&error))),
    })
}

/// Nobody said what it is a history of.
fn unasked(history: &History, shown: &str) -> Failure {
    let names = Model::ALL.map(Model::name).join(", ");
    let guess = suggest::model(history).map_or(String::new(), |model| {
        let name = model.name();
        format!(" Its operations look like those of a {name}: try `--model {name}`.")
    });
    Failure::usage(format!(
        "say with --model what {shown} is a history of.{guess}\n  The models are {names}; `{} list models` says what each is",
        program()
    ))
}

type Answers = (Judgement, Option<Vec<Rung>>);

/// The answer to the question, and if that is asked for, those at all levels.
fn judged(
    history: &History,
    question: &Question<'_>,
    limits: &Limits,
    keep_going: &dyn Fn() -> bool,
    has_ladder: bool,
) -> Result<Answers, Unfit> {
    let budget = Budget { states: limits.states(), keep_going };
    let judgement = checkers::judge(history, question, &budget)?;
    let ladder = has_ladder.then(|| checkers::ladder(history, question, &budget)).transpose()?;
    Ok((judgement, ladder))
}

/// The operations of a violation as a history of its own, if they are wrong by themselves and for the same reason.
fn minimal(history: &History, question: &Question<'_>, witness: Option<&Witness>) -> Option<String> {
    /// A few operations take no more.
    const STATES: u64 = 100_000;
    let witness = witness?;
    let mut numbers: Vec<usize> = witness.operations.iter().map(|op| op.index).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let operations =
        numbers.iter().map(|number| history.operations.get(*number).cloned()).collect::<Option<Vec<_>>>()?;
    let text = jsonl::write(&History { operations });
    // What counts is what the file will be read as.
    let again = formats::read(text.as_bytes(), Input::Jsonl).ok()?;
    let judgement = checkers::judge(&again.history, question, &Budget::states(STATES)).ok()?;
    let is_same = judgement.verdict == Verdict::Fail
        && judgement.witness.is_some_and(|other| is_alike(&other.reason, &witness.reason));
    is_same.then_some(text)
}

/// Whether two contradictions are of the same kind.
fn is_alike(one: &Reason, other: &Reason) -> bool {
    match (one, other) {
        (Reason::Told { why, .. }, Reason::Told { why: other, .. }) => why == other,
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

/// The options that ask the same of the same file, those that are as always left out.
fn options(args: &Verify, question: &Question<'_>) -> String {
    let is_usual = |time: u64| scenarios::parse_duration(USUAL_BUDGET) == Ok(time);
    let is_usual_size = |size: u64| scenarios::parse_size(USUAL_MEMORY) == Ok(size);
    let options = [
        Some(("model", question.model.name().to_owned())),
        question.level.map(|level| ("level", level.name().to_owned())),
        (args.input != Input::Auto).then(|| ("input", args.input.name().to_owned())),
        args.initial.as_ref().map(|initial| ("initial", initial.clone())),
        (!is_usual(args.budget)).then(|| ("budget", duration(args.budget))),
        (!is_usual_size(args.memory)).then(|| ("memory", size(args.memory))),
    ];
    let ladder = if args.ladder { " --ladder" } else { "" };
    written(options.into_iter().flatten()) + ladder
}

/// The options that ask the same of a violation's own operations, which are written as JSON Lines whatever they were before.
fn minimal_options(question: &Question<'_>) -> String {
    let initial = question.initial.as_ref().filter(|initial| !initial.is_nil());
    let options = [
        Some(("model", question.model.name().to_owned())),
        question.level.map(|level| ("level", level.name().to_owned())),
        initial.map(|initial| ("initial", json!(initial).to_string())),
    ];
    written(options.into_iter().flatten())
}

fn written(options: impl Iterator<Item = (&'static str, String)>) -> String {
    options.map(|(name, value)| format!(" --{name} {}", quoted(&value))).collect()
}

/// Writes what there is into a directory, and says what each file is.
fn write(
    dir: &Path,
    verified: &Verified<'_>,
    minimal: Option<&str>,
    object: &str,
) -> Result<Vec<(String, &'static str)>, Failure> {
    files::make_dir(dir)?;
    let figures = reports::verify::figures(verified);
    report::write(dir, &figures, &reports::verify::page(verified, &figures))?;
    files::write(&dir.join(DATA), object)?;
    let mut saved = vec![(report::PAGE, "a page with pictures"), (DATA, "all of it as data")];
    match minimal {
        Some(minimal) => {
            files::write(&dir.join(MINIMAL), minimal)?;
            saved.push((MINIMAL, "the operations of the violation alone, a history that is wrong by itself"));
        }
        None => files::remove(&dir.join(MINIMAL))?,
    }
    Ok(saved.into_iter().map(|(name, what)| (dir.join(name).display().to_string(), what)).collect())
}

/// JSON, or a bare word as a text.
fn initial(text: &str) -> Result<Value, Failure> {
    if text == "nil" {
        return Ok(Value::Nil);
    }
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(_) if text.chars().all(|c| c.is_alphanumeric()) => Ok(Value::text(text)),
        Err(_) => Err(Failure::usage(format!("--initial `{text}` is not a value; write 0, nil, \"a text\" or [1,2]"))),
    }
}
