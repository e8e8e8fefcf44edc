//! How long each level of the ladder takes: `cargo run --release -p checkers --example ladder [OPERATIONS [PROCESSES [KEYS]]]`.
//!
//! Three stores: one order for all that readers lag behind in (sequential), causal broadcast with the last writer winning
//! (causally convergent), and writes sent in order, each for itself (PRAM).
#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "it reads a clock and its arguments")]
#![expect(clippy::print_stdout, reason = "it is a command")]

use checkers::{Budget, Consistency, Model, Question, convergence, judge, session_guarantees, staleness};
use dice::Dice;
use history::{Completion, History, Mark, Operation, Outcome, Purpose, Value};
use std::time::Instant;

#[path = "../tests/dice/mod.rs"]
mod dice;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Store {
    Sequential,
    Convergent,
    Pram,
}

/// A write on its way.
struct Sent {
    key: usize,
    value: i64,
    stamp: (u64, usize),
    needs: Vec<usize>,
}

fn record(store: Store, operations: usize, processes: usize, keys: usize) -> History {
    let mut dice = Dice(7);
    let mut sent: Vec<Vec<Sent>> = (0..processes).map(|_| Vec::new()).collect();
    let mut log: Vec<(usize, usize)> = Vec::new();
    let mut seen = vec![vec![0usize; processes]; processes];
    let mut read_up_to = vec![0usize; processes];
    let mut held: Vec<Vec<(i64, (u64, usize))>> = vec![vec![(0, (0, 0)); keys]; processes];
    let mut clocks = vec![0u64; processes];
    let mut list = Vec::new();
    for number in 0..operations {
        let (p, key, is_write) = (dice.below(processes), dice.below(keys), dice.one_in(3));
        let mut deliver = |p: usize, from: usize, at: usize, clock: &mut u64| {
            let write: &Sent = &sent[from][at];
            *clock = (*clock).max(write.stamp.0);
            let slot = &mut held[p][write.key];
            if store != Store::Convergent || write.stamp > slot.1 {
                *slot = (write.value, write.stamp);
            }
        };
        if store == Store::Sequential {
            let until = if is_write { log.len() } else { log.len().min(read_up_to[p] + dice.below(2 * processes)) };
            for &(from, at) in &log[read_up_to[p]..until] {
                deliver(p, from, at, &mut clocks[p]);
            }
            read_up_to[p] = until;
        } else {
            for _ in 0..2 * processes {
                let from = dice.below(processes);
                let at = seen[p][from];
                let is_due = |write: &Sent| {
                    store == Store::Pram || (0..processes).all(|q| q == from || write.needs[q] <= seen[p][q])
                };
                if from != p && sent[from].get(at).is_some_and(is_due) && dice.one_in(2) {
                    deliver(p, from, at, &mut clocks[p]);
                    seen[p][from] += 1;
                }
            }
        }
        let keyed = |value: Value| Value::pair(Value::Int(key as i64), value);
        let (f, input, result) = if is_write {
            clocks[p] += 1;
            let value = number as i64 + 1;
            let write = Sent { key, value, stamp: (clocks[p], p), needs: seen[p].clone() };
            held[p][key] = (value, write.stamp);
            log.push((p, sent[p].len()));
            sent[p].push(write);
            seen[p][p] += 1;
            read_up_to[p] = if store == Store::Sequential { log.len() } else { 0 };
            ("write", keyed(Value::Int(value)), keyed(Value::Int(value)))
        } else {
            let got = held[p][key].0;
            ("read", keyed(Value::Nil), keyed(if got == 0 { Value::Nil } else { Value::Int(got) }))
        };
        let at = number as u64;
        list.push(Operation {
            process: p as u64,
            f: f.into(),
            input,
            invoked: Mark { index: 2 * at, time: 1000 * at },
            completed: Some(Mark { index: 2 * at + 1, time: 1000 * at + 500 }),
            outcome: Outcome::Returned(Completion::Ok(result)),
            purpose: Purpose::Load,
            node: None,
        });
    }
    History { operations: list }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse().expect("a number"));
    let operations = arguments.next().unwrap_or(100_000);
    let (processes, keys) = (arguments.next().unwrap_or(10), arguments.next().unwrap_or(20));
    let only = arguments.next();
    for (number, store) in [Store::Sequential, Store::Convergent, Store::Pram].into_iter().enumerate() {
        if only.is_some_and(|only| only != number) {
            continue;
        }
        let history = record(store, operations, processes, keys);
        println!("{store:?}: {operations} operations, {processes} processes, {keys} keys");
        let time = |name: &str, work: &dyn Fn() -> String| {
            let start = Instant::now();
            let found = work();
            println!("  {name:22} {:>8.1} ms  {found}", start.elapsed().as_secs_f64() * 1000.0);
        };
        for level in Consistency::ALL.into_iter().take(10) {
            time(level.name(), &|| {
                let question = Question { level: Some(level), ..Question::of(Model::Kv) };
                let judgement = judge(&history, &question, &Budget::states(2_000_000)).expect("a kv history");
                format!("{} ({}; {} states)", judgement.verdict, judgement.detail, judgement.states)
            });
        }
        time("session guarantees", &|| {
            format!("{:?}", session_guarantees(&history, Model::Kv, &Value::Nil).expect("a kv history"))
        });
        time("staleness", &|| format!("{:?}", staleness(&history, Model::Kv, &Value::Nil).expect("a kv history")));
        time("convergence", &|| format!("{:?}", convergence(&history, Model::Kv).expect("a kv history")));
        time("the whole ladder", &|| {
            let rungs = checkers::ladder(&history, &Question::of(Model::Kv), &Budget::states(2_000_000));
            rungs
                .expect("a kv history")
                .iter()
                .map(|rung| format!("\n    {}: {} {}", rung.name, rung.verdict, rung.detail))
                .collect()
        });
    }
}
