//! Violin's recorded queues and stacks, with the verdicts known for them.
//!
//! They are other people's data and no part of this repository: they are read where they lie, in a folder beside it.
#![expect(clippy::disallowed_methods, reason = "the recordings lie outside the repository")]

use checkers::{Budget, Model, Question, judge};
use history::{Completion, History, Mark, Operation, Outcome, Purpose, Value, Verdict};
use std::collections::BTreeMap;
use std::io::Write as _;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/histories");

/// Lines such as `[7] call add(3)`, `[7] return`, `[8] return empty`; the number is the operation's.
fn read(text: &str) -> History {
    let mut history = History::default();
    let mut number_of: BTreeMap<&str, usize> = BTreeMap::new();
    let lines = text.lines().map(str::trim).filter_map(|line| line.strip_prefix('[')?.split_once("] "));
    for (index, (name, event)) in (0..).zip(lines) {
        let mark = Mark { index, time: 0 };
        let (kind, rest) = event.split_once(' ').unwrap_or((event, ""));
        if kind == "call" {
            let (f, argument) = rest.trim_end_matches(')').split_once('(').unwrap_or((rest, ""));
            number_of.insert(name, history.operations.len());
            history.operations.push(Operation {
                process: number_of.len() as u64,
                f: f.to_owned().into(),
                input: value(argument),
                invoked: mark,
                completed: None,
                outcome: Outcome::Unknown,
                purpose: Purpose::Load,
                node: None,
            });
        } else {
            let operation = &mut history.operations[number_of[name]];
            operation.completed = Some(mark);
            operation.outcome = Outcome::Returned(Completion::Ok(value(rest)));
        }
    }
    history
}

fn value(text: &str) -> Value {
    match text {
        "" | "empty" => Value::Nil,
        _ => text.parse().map_or_else(|_| Value::text(text), Value::Int),
    }
}

#[test]
fn violins_histories_get_their_known_verdicts() {
    let Ok(index) = std::fs::read_to_string(format!("{FOLDER}/INDEX.tsv")) else {
        // Straight to standard error: what a passing test prints by macro is kept from the reader.
        let _ = writeln!(std::io::stderr(), "SKIPPED: no recorded histories in {FOLDER}");
        return;
    };
    let (mut good, mut bad) = (0, 0);
    for line in index.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [file, "violin", model, expected, ..] = fields[..] else { continue };
        let model = Model::from_name(model).expect("a queue or a stack");
        let text = std::fs::read_to_string(format!("{FOLDER}/{file}")).expect("the index names files that exist");
        let judgement = judge(&read(&text), &Question::of(model), &Budget::states(1_000_000));
        let judgement = judgement.unwrap_or_else(|unfit| panic!("{file}: {unfit}"));
        if expected == "good" {
            good += 1;
            assert_eq!(judgement.verdict, Verdict::Pass, "{file}: {judgement:#?}");
        } else {
            bad += 1;
            assert_eq!(judgement.verdict, Verdict::Fail, "{file}: {judgement:#?}");
            let witness = judgement.witness.expect("a violation has a witness");
            assert!(witness.is_minimal && witness.operations.len() <= 12, "{file}: {witness:#?}");
        }
    }
    assert!(good >= 55 && bad >= 29, "{good} good, {bad} bad");
}
