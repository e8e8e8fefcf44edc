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
use history::{Completion, History, Mark, Operation, Outcome, Purpose, Value};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::BufReader;
use std::time::{Duration, Instant};

/// splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % bound
    }

    /// Mostly about 1 000, one in fifty about 10 000: the long tail that keeps writes open while others finish.
    fn latency(&mut self) -> u64 {
        let mean = if self.below(50) == 0 { 10_000 } else { 1_000 };
        1 + self.below(mean) + self.below(mean)
    }
}

/// What happens next to a client. At one instant the order is that of the variants.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Invoke,
    Effect,
    Complete,
}

/// What a generated history is like.
struct Kind {
    clients: usize,
    count: usize,
    keys: u64,
    has_unknown: bool,
    is_stale: bool,
    has_cas: bool,
    has_mismatches: bool,
    has_doubles: bool,
}

fn generate(kind: &Kind) -> History {
    let Kind { clients, count, keys, .. } = *kind;
    let mut dice = Dice(7);
    let mut agenda = BinaryHeap::new();
    for client in 0..clients {
        agenda.push(Reverse((dice.latency(), Step::Invoke, client, 0)));
    }
    let mut store = vec![Value::Nil; keys as usize];
    let mut key_of: Vec<usize> = Vec::with_capacity(count);
    let mut history = History::default();
    let mut index = 0;
    while let Some(Reverse((time, step, client, number))) = agenda.pop() {
        let mark = Mark { index, time };
        match step {
            Step::Invoke if history.len() == count => continue,
            Step::Invoke => {
                let number = history.len();
                let is_read = dice.below(2) == 0;
                let fresh = Value::Int(if kind.has_doubles && number < 100 { 1 } else { number as i64 });
                key_of.push(dice.below(keys) as usize);
                let (f, argument) = match () {
                    () if is_read => ("read", Value::Nil),
                    // What it meets is filled in when it does.
                    () if kind.has_cas && dice.below(2) == 0 => {
                        let is_guess = kind.has_mismatches && dice.below(10) == 0;
                        let guess = if is_guess { store[key_of[number]].clone() } else { Value::Nil };
                        ("cas", Value::pair(guess, fresh))
                    }
                    () => ("write", fresh),
                };
                history.operations.push(Operation {
                    process: client as u64,
                    f: f.into(),
                    input: Value::pair(Value::Int(key_of[number] as i64), argument),
                    invoked: mark,
                    completed: None,
                    outcome: Outcome::Unknown,
                    purpose: Purpose::Load,
                    node: None,
                });
                let (latency, is_forgotten) = (dice.latency(), dice.below(100) == 0);
                agenda.push(Reverse((time + dice.below(latency), Step::Effect, client, number)));
                if kind.has_unknown && is_forgotten {
                    agenda.push(Reverse((time + latency, Step::Invoke, client, 0)));
                } else {
                    agenda.push(Reverse((time + latency, Step::Complete, client, number)));
                }
            }
            Step::Effect => {
                let cell = &mut store[key_of[number]];
                let operation = &mut history.operations[number];
                let Some((key, argument)) = operation.input.as_pair() else { unreachable!("every input is a pair") };
                let (key, argument) = (key.clone(), argument.clone());
                match (&*operation.f, argument.as_pair()) {
                    ("read", _) => {
                        operation.outcome = Outcome::Returned(Completion::Ok(Value::pair(key, cell.clone())))
                    }
                    ("cas", Some((guess, _))) if !guess.is_nil() && guess != cell => {
                        operation.outcome = Outcome::Returned(Completion::Mismatch);
                    }
                    ("cas", Some((_, to))) => {
                        operation.input = Value::pair(key, Value::pair(cell.clone(), to.clone()));
                        *cell = to.clone();
                    }
                    _ => *cell = argument,
                }
                continue;
            }
            Step::Complete => {
                let operation = &mut history.operations[number];
                operation.completed = Some(mark);
                if operation.f != "read" && operation.outcome == Outcome::Unknown {
                    operation.outcome = Outcome::Returned(Completion::Ok(operation.input.clone()));
                }
                agenda.push(Reverse((time + dice.latency(), Step::Invoke, client, 0)));
            }
        }
        index += 1;
    }
    for operation in history.operations.iter_mut().filter(|operation| operation.completed.is_none()) {
        operation.outcome = Outcome::Unknown;
    }
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
                keys: number(2, 1) as u64,
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
