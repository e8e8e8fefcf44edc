//! `stormglass verify`: judges a recorded history.

use crate::args::{Format, Verify};
use crate::exit::{Done, Exit, Failure};
use crate::{files, screen};
use checkers::{Budget, formats, linearizable};
use history::Value;
use history::figures::measured;
use reports::witness::told;
use serde_json::json;
use std::time::{Duration, Instant};

/// So many configurations fit into some gigabytes; long before, the time budget has run out.
const STATES_MAX: u64 = 200_000_000;

/// A hundred columns, less what it is indented by.
const WITNESS_COLUMNS: usize = 94;

pub fn verify(args: &Verify) -> Done {
    let path = args.history.display();
    let text = files::read_text(&args.history)?;
    // Somebody else's history can hold anything.
    let look = screen::look();
    let recorded = formats::read(&text, args.input).map_err(|bad| {
        let is_cut = !text.ends_with('\n') && bad.line == text.lines().count() && bad.line > 1;
        let cure =
            if is_cut { "; the file ends in the middle of this line: without it, the rest can be judged" } else { "" };
        Failure::usage(format!("{path}:{}{cure}", look.shown(&bad.to_string())))
    })?;
    let initial = match &args.initial {
        None => recorded.initial,
        Some(text) => initial(text)?,
    };
    let began = Instant::now();
    let budget = Duration::from_nanos(args.budget);
    let budget = Budget { states: STATES_MAX, keep_going: &|| began.elapsed() < budget };
    let judgement = linearizable(&recorded.history, args.model, Some(initial), &budget)
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
            text.push_str(&format!("      read as {}, judged in {}\n", recorded.format, measured(wall_ns)));
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
