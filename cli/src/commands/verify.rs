//! `stormglass verify`: judges a recorded history.

use crate::args::{Format, Verify};
use crate::exit::{Done, Exit, Failure};
use crate::{files, screen};
use checkers::{Budget, formats, judge};
use history::Value;
use history::figures::measured;
use history::input::Unreadable;
use reports::witness::told;
use serde_json::json;
use std::time::{Duration, Instant};

/// So many configurations fit into some gigabytes; long before, the time budget has run out.
const STATES_MAX: u64 = 200_000_000;

/// A hundred columns, less what it is indented by.
const WITNESS_COLUMNS: usize = 94;

pub fn verify(args: &Verify) -> Done {
    let path = args.history.display();
    // Somebody else's history can hold anything.
    let look = screen::look();
    let recorded =
        formats::read(files::open_or_stdin(&args.history)?, args.input).map_err(|unreadable| match unreadable {
            Unreadable::Malformed(bad) => Failure::usage(format!("{path}:{}", look.shown(&bad.to_string()))),
            Unreadable::Source(error) => Failure::usage(format!("cannot read {path}: {}", files::told(&error))),
        })?;
    let format = recorded.format;
    let initial = args.initial.as_deref().map(initial).transpose()?;
    let (history, question) = recorded.asked(args.model, initial);
    let began = Instant::now();
    let budget = Duration::from_nanos(args.budget);
    let budget = Budget { states: STATES_MAX, keep_going: &|| began.elapsed() < budget };
    let judgement = judge(&history, &question, &budget)
        .map_err(|unfit| Failure::usage(format!("{path}: {}", look.shown(&unfit.to_string()))))?;
    let wall_ns = began.elapsed().as_nanos() as u64;
    let verdict = judgement.verdict;
    match args.format {
        Format::Json => {
            let object = json!({
                "verdict": verdict, "operations": judgement.operations, "wall_ns": wall_ns,
                "detail": judgement.detail, "witness": judgement.witness,
            });
            screen::print(&format!("{object}\n"))?;
        }
        Format::Human => {
            let model = args.model.name();
            let mut text = format!("{verdict}  {path}: a linearizable {model}? {}\n", look.shown(&judgement.detail));
            for line in judgement.witness.iter().flat_map(|witness| told(witness, look, WITNESS_COLUMNS)) {
                text.push_str(format!("      {line}").trim_end());
                text.push('\n');
            }
            text.push_str(&format!("      read as {}, judged in {}\n", format, measured(wall_ns)));
            screen::print(&text)?;
        }
    }
    Ok(Exit::Judged(verdict))
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
