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
use history::{Completion, History, Operation, Outcome, Value};
use std::collections::VecDeque;
use std::time::Instant;
use turns::{Dice, Store, Turns};

mod turns;

/// A queue or a stack.
struct Container {
    is_queue: bool,
    inside: VecDeque<Value>,
}

impl Store for Container {
    fn ask(&mut self, number: usize, dice: &mut Dice) -> (&'static str, Value) {
        if dice.one_in(2) { ("add", Value::Int(number as i64)) } else { ("take", Value::Nil) }
    }

    fn apply(&mut self, operation: &mut Operation) {
        let value = match (&operation.input, self.is_queue) {
            (Value::Nil, true) => self.inside.pop_front().unwrap_or_default(),
            (Value::Nil, false) => self.inside.pop_back().unwrap_or_default(),
            (value, _) => {
                self.inside.push_back(value.clone());
                value.clone()
            }
        };
        operation.outcome = Outcome::Returned(Completion::Ok(value));
    }
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
    let mut container = Container { is_queue: model == Model::Queue, inside: VecDeque::new() };
    let (clients, count) = (number(clients), number(operations));
    let turns = Turns { clients, count, forgets: has("unknown"), straggler: 0 };
    let mut history = turns.record(&mut container);
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
