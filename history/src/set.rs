//! A set that only grows: add an element, read them all.

use crate::{Completion, Data, Function, Object, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A grow-only set that starts empty.
#[derive(Clone, Debug)]
pub struct Set;

/// What one asks of a set.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum SetOp {
    /// Puts an element in; nothing changes if it is there.
    Add(Value),
    /// Returns all elements.
    Read,
}

/// What a set answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetRet {
    /// Added.
    Done,
    /// All elements.
    Elements(BTreeSet<Value>),
}

impl From<BTreeSet<Value>> for Value {
    /// The elements, the smallest first.
    fn from(elements: BTreeSet<Value>) -> Value {
        Value::List(elements.into_iter().collect())
    }
}

impl Data for Set {
    type Op = SetOp;
    type Ret = SetRet;

    const NAME: &'static str = "set";
    const FUNCTIONS: &'static [Function] = &[
        Function { name: "add", writes: true, takes: &["element"], notes: &[] },
        Function { name: "read", writes: false, takes: &[], notes: &[] },
    ];
    const KEYED: bool = false;

    fn make(function: usize, _key: u32, fresh: Value, _seen: &Value) -> SetOp {
        match function {
            0 => SetOp::Add(fresh),
            1 => SetOp::Read,
            _ => panic!("a set has {} functions, none has number {function}", Self::FUNCTIONS.len()),
        }
    }

    fn written(function: usize, _key: u32, arguments: &[Value], _seen: &Value) -> SetOp {
        match (function, arguments) {
            (0, [element]) => SetOp::Add(element.clone()),
            (1, []) => SetOp::Read,
            _ => panic!("a set has no function number {function} that takes {} values", arguments.len()),
        }
    }

    fn function(op: &SetOp) -> usize {
        match op {
            SetOp::Add(_) => 0,
            SetOp::Read => 1,
        }
    }

    fn key(_op: &SetOp) -> u32 {
        0
    }

    fn learnt(op: &SetOp, ret: &SetRet) -> Option<Value> {
        match (op, ret) {
            (SetOp::Read, SetRet::Elements(elements)) => Some(elements.clone().into()),
            (SetOp::Add(_), _) | (SetOp::Read, SetRet::Done) => None,
        }
    }

    fn input(op: &SetOp) -> Value {
        match op {
            SetOp::Add(element) => element.clone(),
            SetOp::Read => Value::Nil,
        }
    }

    fn completion(op: &SetOp, ret: &SetRet) -> Completion {
        match ret {
            SetRet::Done => Completion::Ok(Self::input(op)),
            SetRet::Elements(elements) => Completion::Ok(elements.clone().into()),
        }
    }
}

impl Object for Set {
    type State = BTreeSet<Value>;

    fn apply(state: &mut BTreeSet<Value>, op: &SetOp) -> SetRet {
        match op {
            SetOp::Add(element) => {
                state.insert(element.clone());
                SetRet::Done
            }
            SetOp::Read => SetRet::Elements(state.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_back_once_and_in_order() {
        let mut state = BTreeSet::new();
        for element in [3, 1, 3] {
            assert_eq!(Set::apply(&mut state, &SetOp::Add(element.into())), SetRet::Done);
        }
        let read = Set::apply(&mut state, &SetOp::Read);
        let elements = Value::pair(1.into(), 3.into());
        assert_eq!(Set::completion(&SetOp::Read, &read), Completion::Ok(elements));
    }
}
