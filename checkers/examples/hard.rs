//! Judges one history once, to be measured from outside (`time`, `perf stat`), and says how much the search kept:
//!
//! ```text
//! cargo run --release -p checkers --example hard -- FILE MODEL
//! cargo run --release -p checkers --example hard -- CLIENTS OPERATIONS VALUES [unknown] [append]
//! ```
//!
//! The second kind is of one register, in which VALUES values are written again and again, half of the operations read, and
//! about half of the clients are busy at any time. With `unknown` one operation in a hundred is never heard of again; with
//! `append` half of the writes append, and one in twenty starts the text anew.
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "it reads a file and measures real time")]
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use checkers::formats::{self, Input};
use checkers::{Budget, Model, linearizable};
use history::{Data, History, Mark, Object, Operation, Outcome, Purpose, Register, RegisterOp, Value};
use std::collections::BTreeSet;
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

    fn op(&mut self, values: u64, appends: bool) -> RegisterOp {
        let value = Value::Int(self.below(values) as i64);
        match self.below(40) {
            0..20 => RegisterOp::Read,
            20..38 if appends => RegisterOp::Append(value),
            _ => RegisterOp::Write(value),
        }
    }
}

/// What happens next to an operation, at one instant in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Invoke,
    Effect,
    Complete,
}

fn generate(clients: u64, count: usize, values: u64, has_unknown: bool, appends: bool) -> History {
    let mut dice = Dice(7);
    let mut agenda: BTreeSet<(u64, Step, u64, usize)> =
        (0..clients).map(|client| (dice.below(2_000), Step::Invoke, client, 0)).collect();
    let (mut state, mut ops, mut history, mut index) = (Value::Nil, Vec::new(), History::default(), 0);
    while let Some((time, step, client, number)) = agenda.pop_first() {
        match step {
            Step::Invoke if history.len() == count => continue,
            Step::Invoke => {
                let (number, latency) = (history.len(), 1 + dice.below(1_000) + dice.below(1_000));
                let op = dice.op(values, appends);
                history.operations.push(Operation {
                    process: number as u64,
                    f: Register::FUNCTIONS[Register::function(&op)].name.into(),
                    input: Register::input(&op),
                    invoked: Mark { index, time },
                    completed: None,
                    outcome: Outcome::Unknown,
                    purpose: Purpose::Load,
                    node: None,
                });
                ops.push(op);
                let is_forgotten = has_unknown && dice.below(100) == 0;
                agenda.insert((time + dice.below(latency), Step::Effect, client, number));
                let last = if is_forgotten { Step::Invoke } else { Step::Complete };
                agenda.insert((time + latency, last, client, number));
            }
            Step::Effect => {
                let ret = Register::apply(&mut state, &ops[number]);
                let completion = Register::completion(&ops[number], &ret);
                history.operations[number].outcome = Outcome::Returned(completion);
            }
            Step::Complete => {
                history.operations[number].completed = Some(Mark { index, time });
                agenda.insert((time + 1 + dice.below(1_000) + dice.below(1_000), Step::Invoke, client, 0));
            }
        }
        index += 1;
    }
    for operation in history.operations.iter_mut().filter(|operation| operation.completed.is_none()) {
        operation.outcome = Outcome::Unknown;
    }
    history
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse::<u64>().ok());
    let (history, model, initial) = match (number(0), number(1), number(2)) {
        (Some(clients), Some(count), Some(values)) => {
            (generate(clients, count as usize, values, has("unknown"), has("append")), Model::CasRegister, Value::Nil)
        }
        _ => {
            let text = std::fs::read_to_string(&arguments[0]).expect("a file that can be read");
            let recorded = formats::read(text.as_bytes(), Input::Auto).expect("a history");
            (recorded.history, Model::from_name(&arguments[1]).expect("a model"), recorded.initial)
        }
    };
    let start = Instant::now();
    let judgement = linearizable(&history, model, Some(initial), &Budget::states(200_000_000)).expect("the model fits");
    let took = start.elapsed();
    println!("{}: {} ({} states, {took:?})", judgement.verdict, judgement.detail, judgement.states);
}
