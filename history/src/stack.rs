//! A last-in, first-out stack.

use crate::{Completion, Data, Function, Object, Value};
use serde::{Deserialize, Serialize};

/// A stack that starts empty.
#[derive(Clone, Debug)]
pub struct Stack;

/// What one asks of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum StackOp {
    /// Puts a value on top of all others.
    Push(Value),
    /// Takes the value that was put there last.
    Pop,
}

/// What a stack answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StackRet {
    /// Added.
    Done,
    /// The value taken, [`Value::Nil`] if there was none.
    Taken(Value),
}

impl Data for Stack {
    type Op = StackOp;
    type Ret = StackRet;

    const NAME: &'static str = "stack";
    const FUNCTIONS: &'static [Function] = &[
        Function { name: "push", writes: true, takes: &["value"], notes: &[] },
        Function { name: "pop", writes: true, takes: &[], notes: &[] },
    ];
    const KEYED: bool = false;

    fn make(function: usize, _key: u32, fresh: Value, _seen: &Value) -> StackOp {
        match function {
            0 => StackOp::Push(fresh),
            1 => StackOp::Pop,
            _ => panic!("a stack has {} functions, none has number {function}", Self::FUNCTIONS.len()),
        }
    }

    fn written(function: usize, _key: u32, arguments: &[Value], _seen: &Value) -> StackOp {
        match (function, arguments) {
            (0, [value]) => StackOp::Push(value.clone()),
            (1, []) => StackOp::Pop,
            _ => panic!("a stack has no function number {function} that takes {} values", arguments.len()),
        }
    }

    fn function(op: &StackOp) -> usize {
        match op {
            StackOp::Push(_) => 0,
            StackOp::Pop => 1,
        }
    }

    fn key(_op: &StackOp) -> u32 {
        0
    }

    /// Nothing: what was taken is no longer there.
    fn learnt(_op: &StackOp, _ret: &StackRet) -> Option<Value> {
        None
    }

    fn input(op: &StackOp) -> Value {
        match op {
            StackOp::Push(value) => value.clone(),
            StackOp::Pop => Value::Nil,
        }
    }

    fn completion(op: &StackOp, ret: &StackRet) -> Completion {
        match ret {
            StackRet::Done => Completion::Ok(Self::input(op)),
            StackRet::Taken(value) => Completion::Ok(value.clone()),
        }
    }
}

impl Object for Stack {
    /// The values inside, the lowest first.
    type State = Vec<Value>;

    fn apply(state: &mut Vec<Value>, op: &StackOp) -> StackRet {
        match op {
            StackOp::Push(value) => {
                state.push(value.clone());
                StackRet::Done
            }
            StackOp::Pop => StackRet::Taken(state.pop().unwrap_or_default()),
        }
    }
}

impl From<Vec<Value>> for Value {
    fn from(values: Vec<Value>) -> Self {
        Value::List(values.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_in_is_the_first_out() {
        let mut state = Vec::new();
        let mut ask = |op: StackOp| Stack::apply(&mut state, &op);
        assert_eq!(ask(StackOp::Pop), StackRet::Taken(Value::Nil));
        assert_eq!(ask(StackOp::Push(1.into())), StackRet::Done);
        assert_eq!(ask(StackOp::Push(2.into())), StackRet::Done);
        assert_eq!(ask(StackOp::Pop), StackRet::Taken(2.into()));
        assert_eq!(Value::from(state), Value::List([1.into()].into()));
    }
}
