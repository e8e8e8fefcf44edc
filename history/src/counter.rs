//! A counter: add a number, read the sum.

use crate::{Completion, Data, Function, Object, Value};
use serde::{Deserialize, Serialize};

/// A counter that starts at 0.
#[derive(Clone, Debug)]
pub struct Counter;

/// What one asks of a counter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum CounterOp {
    /// Adds a number, which may be negative.
    Add(i64),
    /// Returns the sum.
    Read,
}

/// What a counter answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CounterRet {
    /// Added.
    Done,
    /// The sum.
    Sum(i64),
}

impl Data for Counter {
    type Op = CounterOp;
    type Ret = CounterRet;

    const NAME: &'static str = "counter";
    const FUNCTIONS: &'static [Function] = &[
        Function { name: "add", writes: true, takes: &["amount"], notes: &[] },
        Function { name: "read", writes: false, takes: &[], notes: &[] },
    ];
    const KEYED: bool = false;

    /// A workload adds one at a time: of a fresh value only that it is new would count.
    fn make(function: usize, _key: u32, _fresh: Value, _seen: &Value) -> CounterOp {
        match function {
            0 => CounterOp::Add(1),
            1 => CounterOp::Read,
            _ => panic!("a counter has {} functions, none has number {function}", Self::FUNCTIONS.len()),
        }
    }

    fn written(function: usize, _key: u32, arguments: &[Value], _seen: &Value) -> CounterOp {
        match (function, arguments) {
            (0, [Value::Int(amount)]) => CounterOp::Add(*amount),
            (1, []) => CounterOp::Read,
            _ => panic!("a counter has no function number {function} that takes {arguments:?}"),
        }
    }

    fn function(op: &CounterOp) -> usize {
        match op {
            CounterOp::Add(_) => 0,
            CounterOp::Read => 1,
        }
    }

    fn key(_op: &CounterOp) -> u32 {
        0
    }

    fn learnt(op: &CounterOp, ret: &CounterRet) -> Option<Value> {
        match (op, ret) {
            (CounterOp::Read, CounterRet::Sum(sum)) => Some((*sum).into()),
            (CounterOp::Add(_), _) | (CounterOp::Read, CounterRet::Done) => None,
        }
    }

    fn input(op: &CounterOp) -> Value {
        match op {
            CounterOp::Add(amount) => (*amount).into(),
            CounterOp::Read => Value::Nil,
        }
    }

    fn completion(op: &CounterOp, ret: &CounterRet) -> Completion {
        match ret {
            CounterRet::Done => Completion::Ok(Self::input(op)),
            CounterRet::Sum(sum) => Completion::Ok((*sum).into()),
        }
    }
}

impl Object for Counter {
    type State = i64;

    /// A sum too large for 64 bits wraps around, as a machine's counter does.
    fn apply(state: &mut i64, op: &CounterOp) -> CounterRet {
        match op {
            CounterOp::Add(amount) => {
                *state = state.wrapping_add(*amount);
                CounterRet::Done
            }
            CounterOp::Read => CounterRet::Sum(*state),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_the_sum() {
        let mut state = 0;
        for amount in [3, -5] {
            assert_eq!(Counter::apply(&mut state, &CounterOp::Add(amount)), CounterRet::Done);
        }
        assert_eq!(Counter::apply(&mut state, &CounterOp::Read), CounterRet::Sum(-2));
    }
}
