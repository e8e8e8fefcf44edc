//! Decrees: each is decided once, by whoever is first, and stays as it is.

use crate::kv::Key;
use crate::{Completion, Data, Function, Object, Value};
use serde::{Deserialize, Serialize};

/// Many decrees, each under a key. The first value proposed decides one; nothing changes it after that. Every operation is
/// about one decree, so each can be judged by itself (locality).
#[derive(Clone, Debug)]
pub struct Decree;

/// A question or a proposal, and the decree it is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct DecreeOp {
    /// Which decree.
    pub key: Key,
    /// What about it.
    pub ask: DecreeAsk,
}

/// What one asks of a decree.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum DecreeAsk {
    /// Returns the decision, [`Value::Nil`] before there is one.
    Read,
    /// Decides this, unless something is decided; returns the decision, one's own or another's. To propose
    /// [`Value::Nil`] is to read.
    Propose(Value),
}

/// The decision; [`Value::Nil`] if there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided(pub Value);

impl Data for Decree {
    type Op = DecreeOp;
    type Ret = Decided;

    const NAME: &'static str = "decree";
    const FUNCTIONS: &'static [Function] = &[
        Function { name: "read", writes: false, takes: &[], notes: &[] },
        Function { name: "propose", writes: true, takes: &["value"], notes: &[] },
    ];
    const KEYED: bool = true;
    /// Of what is decided nobody has to ask anybody.
    const KEYS: u32 = 3000;

    fn make(function: usize, key: Key, fresh: Value, _seen: &Value) -> DecreeOp {
        match function {
            0 => DecreeOp { key, ask: DecreeAsk::Read },
            1 => DecreeOp { key, ask: DecreeAsk::Propose(fresh) },
            _ => panic!("a decree has {} functions, none has number {function}", Self::FUNCTIONS.len()),
        }
    }

    fn written(function: usize, key: Key, arguments: &[Value], _seen: &Value) -> DecreeOp {
        match (function, arguments) {
            (0, []) => DecreeOp { key, ask: DecreeAsk::Read },
            (1, [value]) => DecreeOp { key, ask: DecreeAsk::Propose(value.clone()) },
            _ => panic!("a decree has no function number {function} that takes {} values", arguments.len()),
        }
    }

    fn function(op: &DecreeOp) -> usize {
        match op.ask {
            DecreeAsk::Read => 0,
            DecreeAsk::Propose(_) => 1,
        }
    }

    fn key(op: &DecreeOp) -> Key {
        op.key
    }

    fn learnt(_op: &DecreeOp, ret: &Decided) -> Option<Value> {
        Some(ret.0.clone())
    }

    fn input(op: &DecreeOp) -> Value {
        match &op.ask {
            DecreeAsk::Read => Value::Nil,
            DecreeAsk::Propose(value) => value.clone(),
        }
    }

    fn completion(_: &DecreeOp, ret: &Decided) -> Completion {
        Completion::Ok(ret.0.clone())
    }
}

impl Object for Decree {
    /// By key number; a decree beyond the end is open.
    type State = Vec<Value>;

    fn apply(state: &mut Vec<Value>, op: &DecreeOp) -> Decided {
        let slot = op.key as usize;
        let decided = state.get(slot).cloned().unwrap_or_default();
        match &op.ask {
            DecreeAsk::Propose(value) if decided.is_nil() && !value.is_nil() => {
                if state.len() <= slot {
                    state.resize(slot + 1, Value::Nil);
                }
                state[slot] = value.clone();
                Decided(value.clone())
            }
            DecreeAsk::Propose(_) | DecreeAsk::Read => Decided(decided),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_proposal_decides() {
        let mut state = Vec::new();
        let mut ask = |key, ask| Decree::apply(&mut state, &DecreeOp { key, ask }).0;
        assert_eq!(ask(2, DecreeAsk::Read), Value::Nil);
        assert_eq!(ask(2, DecreeAsk::Propose(Value::Nil)), Value::Nil);
        assert_eq!(ask(2, DecreeAsk::Propose(7.into())), 7.into());
        assert_eq!(ask(2, DecreeAsk::Propose(8.into())), 7.into());
        assert_eq!(ask(2, DecreeAsk::Read), 7.into());
        assert_eq!(ask(0, DecreeAsk::Read), Value::Nil);
        assert_eq!(state, [Value::Nil, Value::Nil, 7.into()]);
    }

    /// What a history says of an operation is enough to ask for it again.
    #[test]
    fn an_operation_can_be_written_down() {
        let arguments: [&[Value]; 2] = [&[], &[7.into()]];
        for (number, arguments) in arguments.into_iter().enumerate() {
            let op = Decree::make(number, 3, 7.into(), &Value::Nil);
            assert_eq!(Decree::written(number, 3, arguments, &Value::Nil), op);
            assert_eq!((Decree::function(&op), Decree::key(&op)), (number, 3));
        }
    }
}
