//! Jepsen's console log of etcd's compare-and-set register, as porcupine's tests keep it.
//!
//! ```text
//! INFO  jepsen.util - 3   :invoke :cas    [2 4]
//! INFO  jepsen.util - 3   :fail   :cas    [2 4]
//! INFO  jepsen.util - 1   :info   :write  :timed-out
//! ```
//!
//! Fields are parted by tabs in most files, by runs of spaces in some. Lines of other sorts are noise. A `:fail` that
//! names the values of a compare-and-set is a *mismatch*, a fact about the register; a `:fail` of a read says
//! nothing; whatever `:timed-out` leaves the outcome unknown. Any other `:fail` did not happen.

use history::assembler::Assembler;
use history::input::{Lines, Unreadable};
use history::{Completion, History, Outcome, Purpose, Value};
use std::borrow::Cow;
use std::io::BufRead;

use crate::text::excerpt;

pub(super) fn looks_like(line: &str) -> bool {
    event_text(line).is_some()
}

pub(super) fn read(source: &mut dyn BufRead, lines_before: usize) -> Result<History, Unreadable> {
    let mut assembler = Assembler::default();
    Lines::new(source, lines_before).each(|line| {
        let Some(event) = event_text(line) else { return Ok(()) };
        add(&mut assembler, event).map_err(|(field, message)| (offset(line, field), message))
    })?;
    Ok(assembler.finish())
}

/// What follows `INFO  jepsen.util -`.
fn event_text(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("INFO")?.trim_start();
    let rest = rest.strip_prefix("jepsen.util")?.trim_start().strip_prefix('-')?.trim_start();
    // Jepsen logs more than operations under this name; they begin with the process that asks.
    rest.starts_with(|c: char| c.is_ascii_digit()).then_some(rest)
}

/// Where in the line a field stands, in bytes from 0.
fn offset(line: &str, field: &str) -> usize {
    (field.as_ptr() as usize).saturating_sub(line.as_ptr() as usize).min(line.len())
}

/// A field, and what is wrong with it.
type Wrong<'a> = (&'a str, String);

fn add<'a>(assembler: &mut Assembler, event: &'a str) -> Result<(), Wrong<'a>> {
    let (process_text, rest) = field(event);
    let (kind, rest) = field(rest);
    let (f, value) = field(rest);
    let value = value.trim();
    let process = process_text.parse::<u64>().map_err(|_| {
        let found = excerpt(process_text);
        (process_text, format!("expected the number of a process, found {found}"))
    })?;
    let function = match f {
        ":read" => "read",
        ":write" => "write",
        ":cas" => "cas",
        _ => return Err((f, format!("expected `:read`, `:write` or `:cas`, found {}", excerpt(f)))),
    };
    if kind != ":invoke"
        && let Some(open) = assembler.open(process)
        && open.f != function
    {
        return Err((
            f,
            format!("process {process} completes a `{function}`, but what it had invoked is a `{}`", open.f),
        ));
    }
    let is_timeout = value == ":timed-out";
    let outcome = match (kind, function) {
        (":invoke", _) => {
            let input = argument(function, value)?;
            let invoked = assembler.invoke(process, Cow::Borrowed(function), input, 0, Purpose::Load);
            return invoked.map_err(|message| (process_text, message));
        }
        (":ok", _) => Outcome::Returned(Completion::Ok(argument(function, value)?)),
        (":info", _) | (":fail", "read") => Outcome::Unknown,
        (":fail", _) if is_timeout => Outcome::Unknown,
        (":fail", "cas") if value.starts_with('[') => {
            argument(function, value)?;
            Outcome::Returned(Completion::Mismatch)
        }
        (":fail", _) => Outcome::Refused,
        _ => return Err((kind, format!("expected `:invoke`, `:ok`, `:fail` or `:info`, found {}", excerpt(kind)))),
    };
    assembler.complete(process, outcome, 0).map_err(|message| (process_text, message))
}

/// The first field, and what follows it.
fn field(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

fn argument<'a>(function: &str, text: &'a str) -> Result<Value, Wrong<'a>> {
    if function != "cas" {
        return number(text);
    }
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let Some((from, to)) = inner.and_then(|inner| inner.trim().split_once(char::is_whitespace)) else {
        return Err((text, format!("expected two values such as `[2 4]`, found {}", excerpt(text))));
    };
    Ok(Value::pair(number(from)?, number(to.trim())?))
}

fn number(text: &str) -> Result<Value, Wrong<'_>> {
    match text {
        "nil" => Ok(Value::Nil),
        _ => match text.parse() {
            Ok(number) => Ok(Value::Int(number)),
            Err(_) => Err((text, format!("expected a whole number or `nil`, found {}", excerpt(text)))),
        },
    }
}
