//! A first-in, first-out queue.

use crate::{Completion, Data, Function, Object, Value};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A queue that starts empty.
#[derive(Clone, Debug)]
pub struct Queue;

/// What one asks of a queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum QueueOp {
    /// Adds a value behind all others.
    Enqueue(Value),
    /// Takes the value that has been there longest.
    Dequeue,
}

/// What a queue answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueueRet {
    /// Added.
    Done,
    /// The value taken, [`Value::Nil`] if there was none.
    Taken(Value),
}

impl Data for Queue {
    type Op = QueueOp;
    type Ret = QueueRet;

    const NAME: &'static str = "queue";
    const FUNCTIONS: &'static [Function] = &[
        Function { name: "enqueue", writes: true, takes: &["value"], notes: &[] },
        Function { name: "dequeue", writes: true, takes: &[], notes: &[] },
    ];
    const KEYED: bool = false;

    fn make(function: usize, _key: u32, fresh: Value, _seen: &Value) -> QueueOp {
        match function {
            0 => QueueOp::Enqueue(fresh),
            1 => QueueOp::Dequeue,
            _ => panic!("a queue has {} functions, none has number {function}", Self::FUNCTIONS.len()),
        }
    }

    fn written(function: usize, _key: u32, arguments: &[Value], _seen: &Value) -> QueueOp {
        match (function, arguments) {
            (0, [value]) => QueueOp::Enqueue(value.clone()),
            (1, []) => QueueOp::Dequeue,
            _ => panic!("a queue has no function number {function} that takes {} values", arguments.len()),
        }
    }

    fn function(op: &QueueOp) -> usize {
        match op {
            QueueOp::Enqueue(_) => 0,
            QueueOp::Dequeue => 1,
        }
    }

    fn key(_op: &QueueOp) -> u32 {
        0
    }

    /// Nothing: what was taken is no longer there.
    fn learnt(_op: &QueueOp, _ret: &QueueRet) -> Option<Value> {
        None
    }

    fn input(op: &QueueOp) -> Value {
        match op {
            QueueOp::Enqueue(value) => value.clone(),
            QueueOp::Dequeue => Value::Nil,
        }
    }

    fn completion(op: &QueueOp, ret: &QueueRet) -> Completion {
        match ret {
            QueueRet::Done => Completion::Ok(Self::input(op)),
            QueueRet::Taken(value) => Completion::Ok(value.clone()),
        }
    }
}

impl Object for Queue {
    /// The values inside, the oldest first.
    type State = VecDeque<Value>;

    fn apply(state: &mut VecDeque<Value>, op: &QueueOp) -> QueueRet {
        match op {
            QueueOp::Enqueue(value) => {
                state.push_back(value.clone());
                QueueRet::Done
            }
            QueueOp::Dequeue => QueueRet::Taken(state.pop_front().unwrap_or_default()),
        }
    }
}

impl From<VecDeque<Value>> for Value {
    fn from(values: VecDeque<Value>) -> Self {
        Value::List(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_in_is_the_first_out() {
        let mut state = VecDeque::new();
        let mut ask = |op: QueueOp| Queue::apply(&mut state, &op);
        assert_eq!(ask(QueueOp::Dequeue), QueueRet::Taken(Value::Nil));
        assert_eq!(ask(QueueOp::Enqueue(1.into())), QueueRet::Done);
        assert_eq!(ask(QueueOp::Enqueue(2.into())), QueueRet::Done);
        assert_eq!(ask(QueueOp::Dequeue), QueueRet::Taken(1.into()));
        assert_eq!(Value::from(state), Value::List([2.into()].into()));
    }
}
