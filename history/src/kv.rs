//! Many registers, each under a key.

use crate::{Completion, Data, Function, Object, Register, RegisterOp, RegisterRet, Value};
use serde::Serialize;

/// The number of a key; histories show it as `k<number>`.
pub type Key = u32;

/// A store of registers. Every operation touches one key, so each key can be judged by itself (locality).
#[derive(Clone, Debug)]
pub struct Kv;

/// A register operation and the key it goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KvOp {
    /// Which register.
    pub key: Key,
    /// What to do with it.
    pub op: RegisterOp,
}

impl Data for Kv {
    type Op = KvOp;
    type Ret = RegisterRet;

    const NAME: &'static str = "kv";
    const FUNCTIONS: &'static [Function] = Register::FUNCTIONS;
    const KEYED: bool = true;

    fn make(function: usize, key: Key, fresh: Value, seen: &Value) -> KvOp {
        KvOp { key, op: Register::make(function, key, fresh, seen) }
    }

    fn written(function: usize, key: Key, arguments: &[Value], seen: &Value) -> KvOp {
        KvOp { key, op: Register::written(function, key, arguments, seen) }
    }

    fn function(op: &KvOp) -> usize {
        Register::function(&op.op)
    }

    fn key(op: &KvOp) -> Key {
        op.key
    }

    fn learnt(op: &KvOp, ret: &RegisterRet) -> Option<Value> {
        Register::learnt(&op.op, ret)
    }

    fn input(op: &KvOp) -> Value {
        Register::input(&op.op)
    }

    fn completion(op: &KvOp, ret: &RegisterRet) -> Completion {
        Register::completion(&op.op, ret)
    }
}

impl Object for Kv {
    /// By key number; a key beyond the end was never written.
    type State = Vec<Value>;

    fn apply(state: &mut Vec<Value>, op: &KvOp) -> RegisterRet {
        let slot = op.key as usize;
        if let Some(value) = state.get_mut(slot) {
            return Register::apply(value, &op.op);
        }
        // Only what changes the store may make it longer: replicas that served different reads stay equal.
        let mut value = Value::Nil;
        let ret = Register::apply(&mut value, &op.op);
        if !value.is_nil() {
            state.resize(slot, Value::Nil);
            state.push(value);
        }
        ret
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_leaves_no_trace() {
        let ask = |state: &mut Vec<Value>, key, op| Kv::apply(state, &KvOp { key, op });
        let mut state = Vec::new();
        assert_eq!(ask(&mut state, 3, RegisterOp::Read), RegisterRet::Value(Value::Nil));
        assert_eq!(ask(&mut state, 5, RegisterOp::Cas { from: 1.into(), to: 2.into() }), RegisterRet::Mismatch);
        assert!(state.is_empty());
        assert_eq!(ask(&mut state, 1, RegisterOp::Write(7.into())), RegisterRet::Done);
        assert_eq!(ask(&mut state, 1, RegisterOp::Read), RegisterRet::Value(7.into()));
        assert_eq!(state, [Value::Nil, 7.into()]);
    }
}
