//! Times the check of recorded or generated histories, the median of five rounds:
//!
//! ```text
//! cargo run --release -p checkers --example speed -- FILE MODEL
//! cargo run --release -p checkers --example speed -- CLIENTS OPERATIONS [KEYS] [unknown] [stale] [cas] [mismatches] [doubles]
//! ```
//!
//! Clients take turns in virtual time; half of their operations read, the others write a value of their own. Each
//! takes effect at some instant between its invocation and its completion, so the history is linearizable by
//! construction. With `unknown`, one operation in a hundred is never heard of again. With `stale`, a read near the end
//! returns a value overwritten long ago. With `cas`, half of the writes are compare-and-sets, all of them lucky; with
//! `mismatches`, a tenth of them ask for what the client saw last. With `doubles`, the first value is written twice, so
//! that a search has to do what clusters could.
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "it measures real time")]
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use checkers::formats::{self, Input};
use checkers::{Budget, Model, linearizable};
use history::{Completion, History, Operation, Outcome, Value};
use std::io::BufReader;
use std::time::{Duration, Instant};
use turns::{Dice, Store, Turns};

mod turns;

/// What a generated history is like.
struct Kind {
    clients: usize,
    count: usize,
    keys: usize,
    has_unknown: bool,
    is_stale: bool,
    has_cas: bool,
    has_mismatches: bool,
    has_doubles: bool,
}

/// Registers by key.
struct Registers<'k> {
    kind: &'k Kind,
    cells: Vec<Value>,
}

impl Store for Registers<'_> {
    fn ask(&mut self, number: usize, dice: &mut Dice) -> (&'static str, Value) {
        let Kind { keys, has_cas, has_mismatches, has_doubles, .. } = *self.kind;
        let key = dice.below(keys);
        let fresh = Value::Int(if has_doubles && number < 100 { 1 } else { number as i64 });
        let (f, argument) = match () {
            () if dice.one_in(2) => ("read", Value::Nil),
            // What it meets is filled in when it does.
            () if has_cas && dice.one_in(2) => {
                let is_guess = has_mismatches && dice.one_in(10);
                ("cas", Value::pair(if is_guess { self.cells[key].clone() } else { Value::Nil }, fresh))
            }
            () => ("write", fresh),
        };
        (f, Value::pair(Value::Int(key as i64), argument))
    }

    fn apply(&mut self, operation: &mut Operation) {
        let Some((Value::Int(key), argument)) = operation.input.as_pair() else {
            unreachable!("every input is a pair that begins with a key")
        };
        let (key, argument) = (*key, argument.clone());
        let cell = &mut self.cells[key as usize];
        let keyed = |value: Value| Value::pair(Value::Int(key), value);
        let completion = match (&*operation.f, argument.as_pair()) {
            ("read", _) => Completion::Ok(keyed(cell.clone())),
            ("cas", Some((guess, _))) if !guess.is_nil() && guess != cell => Completion::Mismatch,
            ("cas", Some((_, to))) => {
                operation.input = keyed(Value::pair(cell.clone(), to.clone()));
                *cell = to.clone();
                Completion::Ok(operation.input.clone())
            }
            _ => {
                *cell = argument;
                Completion::Ok(operation.input.clone())
            }
        };
        operation.outcome = Outcome::Returned(completion);
    }
}

fn generate(kind: &Kind) -> History {
    let Kind { clients, count, keys, has_unknown: forgets, .. } = *kind;
    let mut registers = Registers { kind, cells: vec![Value::Nil; keys] };
    let mut history = Turns { clients, count, forgets, straggler: 50 }.record(&mut registers);
    if kind.is_stale {
        spoil(&mut history);
    }
    history
}

/// Lets a late read return what one much earlier returned.
fn spoil(history: &mut History) {
    let is_read = |operation: &&Operation| operation.f == "read" && operation.completed.is_some();
    let key = |operation: &Operation| operation.input.as_pair().map(|(key, _)| key.clone());
    let late = history.operations.iter().skip(history.len() * 9 / 10).position(|operation| is_read(&operation));
    let late = late.expect("half of them read") + history.len() * 9 / 10;
    let early = history.operations.iter().skip(history.len() / 2);
    let early = early.filter(is_read).find(|operation| key(operation) == key(&history.operations[late]));
    history.operations[late].outcome = early.expect("keys are read often").outcome.clone();
}

/// How long this thread has run, if the system tells (Linux does); others may have kept it waiting meanwhile.
fn on_cpu() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (history, model, initial) = match &arguments[..] {
        [file, model] if file.parse::<u64>().is_err() => {
            let file = std::fs::File::open(file).expect("a file that can be read");
            let start = Instant::now();
            let recorded = formats::read(BufReader::with_capacity(1 << 18, file), Input::Auto).expect("a history");
            println!("read in {:?}", start.elapsed());
            let (history, question) = recorded.asked(Model::from_name(model).expect("a model"), None);
            (history, question.model, question.initial)
        }
        numbers => {
            let number =
                |i: usize, otherwise: usize| numbers.get(i).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
            let is_named = |name: &str| numbers.iter().any(|argument| argument == name);
            let kind = Kind {
                clients: number(0, 5),
                count: number(1, 10_000),
                keys: number(2, 1),
                has_unknown: is_named("unknown"),
                is_stale: is_named("stale"),
                has_cas: is_named("cas"),
                has_mismatches: is_named("mismatches"),
                has_doubles: is_named("doubles"),
            };
            (generate(&kind), Model::Kv, None)
        }
    };
    let budget = Budget::states(200_000_000);
    let mut times = Vec::new();
    for round in 0..5 {
        let start = (on_cpu(), Instant::now());
        let judgement = linearizable(&history, model, initial.clone(), &budget).expect("the model fits");
        let spent = on_cpu().zip(start.0).map(|(end, start)| end - start);
        times.push(spent.unwrap_or_else(|| start.1.elapsed()));
        if round == 0 {
            println!("{}: {} ({})", judgement.verdict, judgement.detail, judgement.methods.join("; "));
            judgement.notes.iter().for_each(|note| println!("  {note}"));
            for line in judgement.witness.iter().flat_map(|witness| &witness.argument) {
                println!("  {line}");
            }
        }
        if times[0].as_secs() > 5 {
            break;
        }
    }
    times.sort_unstable();
    println!("median {:?}", times[times.len() / 2]);
}
