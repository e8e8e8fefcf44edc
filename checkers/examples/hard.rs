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
use history::{Data as _, Object as _, Operation, Outcome, Register, RegisterOp, Value};
use std::time::Instant;
use turns::{Dice, Store, Turns};

mod turns;

/// A register in which the same is written again and again.
struct Repeated {
    state: Value,
    values: usize,
    has_appends: bool,
}

impl Store for Repeated {
    fn ask(&mut self, _number: usize, dice: &mut Dice) -> (&'static str, Value) {
        let value = Value::Int(dice.below(self.values) as i64);
        match dice.below(40) {
            0..20 => ("read", Value::Nil),
            20..38 if self.has_appends => ("append", value),
            _ => ("write", value),
        }
    }

    fn apply(&mut self, operation: &mut Operation) {
        let value = operation.input.clone();
        let op = match &*operation.f {
            "read" => RegisterOp::Read,
            "append" => RegisterOp::Append(value),
            _ => RegisterOp::Write(value),
        };
        let ret = Register::apply(&mut self.state, &op);
        operation.outcome = Outcome::Returned(Register::completion(&op, &ret));
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse::<usize>().ok());
    let (history, model, initial) = match (number(0), number(1), number(2)) {
        (Some(clients), Some(count), Some(values)) => {
            let mut register = Repeated { state: Value::Nil, values, has_appends: has("append") };
            let turns = Turns { clients, count, forgets: has("unknown"), straggler: 0 };
            (turns.record(&mut register), Model::CasRegister, Value::Nil)
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
