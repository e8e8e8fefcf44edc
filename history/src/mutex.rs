//! A lock without owners: acquire it while it is free, release it while it is held.

use crate::{Completion, Data, Function, Object, Value};
use serde::{Deserialize, Serialize};

/// A lock that starts free. It does not ask who releases it.
#[derive(Clone, Debug)]
pub struct Mutex;

/// What one asks of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum MutexOp {
    /// Takes it, if it is free.
    Acquire,
    /// Frees it, if it is held.
    Release,
}

/// What a lock answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MutexRet {
    /// Taken, or freed.
    Done,
    /// It was held already, or free already, and stays so.
    Mismatch,
}

impl Data for Mutex {
    type Op = MutexOp;
    type Ret = MutexRet;

    const NAME: &'static str = "mutex";
    const FUNCTIONS: &'static [Function] = &[
        Function { name: "acquire", writes: true, takes: &[], notes: &[] },
        Function { name: "release", writes: true, takes: &[], notes: &[] },
    ];
    const KEYED: bool = false;

    fn make(function: usize, _key: u32, _fresh: Value, _seen: &Value) -> MutexOp {
        Self::written(function, 0, &[], &Value::Nil)
    }

    fn written(function: usize, _key: u32, arguments: &[Value], _seen: &Value) -> MutexOp {
        match (function, arguments) {
            (0, []) => MutexOp::Acquire,
            (1, []) => MutexOp::Release,
            _ => panic!("a lock has no function number {function} that takes {} values", arguments.len()),
        }
    }

    fn function(op: &MutexOp) -> usize {
        match op {
            MutexOp::Acquire => 0,
            MutexOp::Release => 1,
        }
    }

    fn key(_op: &MutexOp) -> u32 {
        0
    }

    fn learnt(_op: &MutexOp, _ret: &MutexRet) -> Option<Value> {
        None
    }

    fn input(_op: &MutexOp) -> Value {
        Value::Nil
    }

    fn completion(_op: &MutexOp, ret: &MutexRet) -> Completion {
        match ret {
            MutexRet::Done => Completion::Ok(Value::Nil),
            MutexRet::Mismatch => Completion::Mismatch,
        }
    }
}

impl Object for Mutex {
    /// Whether it is held.
    type State = bool;

    fn apply(is_held: &mut bool, op: &MutexOp) -> MutexRet {
        let will_be_held = match op {
            MutexOp::Acquire => true,
            MutexOp::Release => false,
        };
        if *is_held == will_be_held {
            return MutexRet::Mismatch;
        }
        *is_held = will_be_held;
        MutexRet::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_held_once() {
        let mut is_held = false;
        let mut ask = |op| Mutex::apply(&mut is_held, &op);
        assert_eq!(ask(MutexOp::Release), MutexRet::Mismatch);
        assert_eq!(ask(MutexOp::Acquire), MutexRet::Done);
        assert_eq!(ask(MutexOp::Acquire), MutexRet::Mismatch);
        assert_eq!(ask(MutexOp::Release), MutexRet::Done);
    }
}
