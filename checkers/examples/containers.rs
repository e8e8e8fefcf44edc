//! Times the judging of generated histories of queues and stacks, the median of five rounds:
//!
//! ```text
//! cargo run --release -p checkers --example containers -- MODEL CLIENTS OPERATIONS [wrong] [unknown]
//! ```
//!
//! Clients take turns in virtual time; half of their operations put in a value of their own, the others take one out.
//! Each takes effect at some instant between its invocation and its completion, so there is an order by construction.
//! With `wrong`, two removals near the end tell each other's results; with `unknown`, one operation in a hundred is
//! never heard of again.
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "it measures real time")]
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use checkers::{Budget, Model, Question, judge};
use history::{Completion, History, Mark, Operation, Outcome, Purpose, Value};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Instant;

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
}

/// What happens next to a client. At one instant the order is that of the variants.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Invoke,
    Effect,
    Complete,
}

fn generate(is_queue: bool, clients: usize, count: usize, forgets: bool) -> History {
    let mut dice = Dice(7);
    let mut agenda = BinaryHeap::new();
    for client in 0..clients {
        agenda.push(Reverse((dice.below(2000), Step::Invoke, client, 0)));
    }
    let (mut inside, mut history, mut index) = (VecDeque::new(), History::default(), 0);
    while let Some(Reverse((time, step, client, number))) = agenda.pop() {
        let mark = Mark { index, time };
        match step {
            Step::Invoke if history.len() == count => continue,
            Step::Invoke => {
                let number = history.len();
                let puts = dice.below(2) == 0;
                history.operations.push(Operation {
                    process: client as u64,
                    f: if puts { "add" } else { "take" }.into(),
                    input: if puts { Value::Int(number as i64) } else { Value::Nil },
                    invoked: mark,
                    completed: None,
                    outcome: Outcome::Unknown,
                    purpose: Purpose::Load,
                    node: None,
                });
                let latency = 1 + dice.below(2000);
                agenda.push(Reverse((time + dice.below(latency), Step::Effect, client, number)));
                let step = if forgets && dice.below(100) == 0 { Step::Invoke } else { Step::Complete };
                agenda.push(Reverse((time + latency, step, client, number)));
            }
            Step::Effect => {
                let operation = &mut history.operations[number];
                let value = match (&operation.input, is_queue) {
                    (Value::Nil, true) => inside.pop_front().unwrap_or_default(),
                    (Value::Nil, false) => inside.pop_back().unwrap_or_default(),
                    (value, _) => {
                        inside.push_back(value.clone());
                        value.clone()
                    }
                };
                operation.outcome = Outcome::Returned(Completion::Ok(value));
                continue;
            }
            Step::Complete => {
                history.operations[number].completed = Some(mark);
                agenda.push(Reverse((time + 1 + dice.below(2000), Step::Invoke, client, 0)));
            }
        }
        index += 1;
    }
    for operation in history.operations.iter_mut().filter(|operation| operation.completed.is_none()) {
        operation.outcome = Outcome::Unknown;
    }
    history
}

/// Lets two removals near the end, a little apart, tell each other's results.
fn spoil(history: &mut History) {
    let late = history.len() * 9 / 10;
    let takes = |operation: &Operation| operation.f == "take" && operation.completed.is_some();
    let takers: Vec<usize> = (late..history.len()).filter(|i| takes(&history.operations[*i])).collect();
    let (one, other) = (takers[0], takers[9]);
    let outcome = history.operations[one].outcome.clone();
    history.operations[one].outcome = std::mem::replace(&mut history.operations[other].outcome, outcome);
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, clients, operations, options @ ..] = &arguments[..] else {
        println!("MODEL CLIENTS OPERATIONS [wrong] [unknown]");
        return;
    };
    let model = Model::from_name(model).expect("queue or stack");
    let number = |text: &String| text.parse().expect("a number");
    let has = |option: &str| options.iter().any(|given| given == option);
    let mut history = generate(model == Model::Queue, number(clients), number(operations), has("unknown"));
    if has("wrong") {
        spoil(&mut history);
    }
    let mut times = Vec::new();
    for round in 0..5 {
        let start = Instant::now();
        let judgement = judge(&history, &Question::of(model), &Budget::states(20_000_000)).expect("the model fits");
        times.push(start.elapsed());
        if round == 0 {
            let (methods, notes) = (judgement.methods.join("; "), judgement.notes.join("; "));
            println!("{}: {} ({methods}; {notes})", judgement.verdict, judgement.detail);
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
