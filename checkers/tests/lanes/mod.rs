//! Histories drawn in lanes.
//!
//! ```text
//! c1: |--w(1)--|      |--cas(1,2)--|
//! c2:       |--r()=1--?
//! ```
//!
//! Columns are the order of events; where a completion and an invocation share one, the invocation is first. An
//! operation ends with `|` (it returned), `x` (refused) or `?` (nobody knows). `cas(1,2)=no` found another value,
//! `R` is a read after settle, `nil` is nothing, `a(text)` appends.

use history::{Completion, History, Mark, Operation, Outcome, Purpose, Value};

pub fn draw(picture: &str) -> History {
    let mut drawn = Vec::new();
    for (process, lane) in picture.lines().filter(|line| !line.trim().is_empty()).enumerate() {
        let start = lane.find(':').expect("a lane begins with a name and a colon") + 1;
        let mut at = start;
        while let Some(invoked) = lane[at..].find('|').map(|offset| at + offset) {
            let label_start = invoked + 1 + leading_dashes(&lane[invoked + 1..]);
            let label_end = label_start + lane[label_start..].find('-').expect("a label ends with a dash");
            let completed = label_end + leading_dashes(&lane[label_end..]);
            let end = lane[completed..].chars().next().expect("an operation ends with one of | x ?");
            drawn.push((invoked, completed, operation(process as u64, &lane[label_start..label_end], end)));
            at = completed + 1;
        }
    }
    // Columns to positions; 0 sorts invocations before completions.
    let mut events: Vec<(usize, u8, usize)> = Vec::new();
    for (number, (invoked, completed, _)) in drawn.iter().enumerate() {
        events.extend([(*invoked, 0, number), (*completed, 1, number)]);
    }
    events.sort_unstable();
    for (index, (_, kind, number)) in (0..).zip(events) {
        let mark = Mark { index, time: 0 };
        match kind {
            0 => drawn[number].2.invoked = mark,
            _ => drawn[number].2.completed = Some(mark),
        }
    }
    let mut operations: Vec<Operation> = drawn.into_iter().map(|(_, _, operation)| operation).collect();
    operations.sort_by_key(|operation| operation.invoked);
    History { operations }
}

fn leading_dashes(text: &str) -> usize {
    text.len() - text.trim_start_matches('-').len()
}

fn operation(process: u64, label: &str, end: char) -> Operation {
    let (call, result) = label.split_once('=').map_or((label, None), |(call, result)| (call, Some(result)));
    let (name, argument) = call.trim_end_matches(')').split_once('(').expect("a label looks like w(1)");
    let (f, purpose) = match name {
        "r" => ("read", Purpose::Load),
        "R" => ("read", Purpose::FinalRead),
        "w" => ("write", Purpose::Load),
        "a" => ("append", Purpose::Load),
        "cas" => ("cas", Purpose::Load),
        other => panic!("nobody knows how to draw {other}"),
    };
    let input = match argument.split_once(',') {
        Some((from, to)) => Value::pair(value(from), value(to)),
        None => value(argument),
    };
    let outcome = match (end, result) {
        ('|', Some("no")) => Outcome::Returned(Completion::Mismatch),
        ('|', Some(read)) => Outcome::Returned(Completion::Ok(value(read))),
        ('|', None) => Outcome::Returned(Completion::Ok(input.clone())),
        ('x', _) => Outcome::Refused,
        ('?', _) => Outcome::Unknown,
        (other, _) => panic!("an operation ends with one of | x ?, not with {other}"),
    };
    let invoked = Mark { index: 0, time: 0 };
    Operation { process, f: f.into(), input, invoked, completed: None, outcome, purpose, node: None }
}

fn value(text: &str) -> Value {
    match text {
        "" | "nil" => Value::Nil,
        _ => text.parse().map_or_else(|_| Value::text(text), Value::Int),
    }
}
