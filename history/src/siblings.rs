//! Keys under which versions that nobody has compared stand side by side.
//!
//! A store that takes writes wherever it can cannot put them in order. It keeps those that knew nothing of each other as
//! *siblings*, and whoever writes next says which of them his value replaces: those that he was last told of. There is no
//! sequential specification, since what a read may return depends on who knew what.
//! Source: DeCandia et al., Dynamo (SOSP 2007), section 4.4.

use crate::{Completion, Data, Function, Key, Value};
use serde::{Deserialize, Serialize};

/// A store of keys with siblings.
#[derive(Clone, Debug)]
pub struct Siblings;

/// An operation and the key it goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SiblingsOp {
    /// Which key.
    pub key: Key,
    /// What to do with it.
    pub ask: SiblingsAsk,
}

/// What one asks of a key with siblings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum SiblingsAsk {
    /// Returns all siblings.
    Read,
    /// Puts a value in the place of those that the client has seen.
    Write {
        /// The new one.
        value: Value,
        /// What it replaces.
        seen: Seen,
    },
    /// Puts a value beside whatever is there.
    Blind {
        /// The new one.
        value: Value,
    },
    /// Takes away those that the client has seen.
    Delete {
        /// What it takes away.
        seen: Seen,
    },
}

/// What a store told somebody of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The siblings: the truth for checkers. A write of whoever saw them replaces just these.
    pub values: Vec<Value>,
    /// The token that covers them. Only the store can read it; [`Value::Nil`] covers nothing.
    pub context: Value,
}

/// What every operation on a key with siblings returns: what its coordinator holds after it, live siblings without
/// tombstones, and the context that covers them.
pub type SiblingsRet = Seen;

impl Seen {
    /// As a client keeps it in mind: a pair of the values and the context.
    pub fn to_value(&self) -> Value {
        Value::pair(Value::List(self.values.clone().into()), self.context.clone())
    }

    /// What a client has in mind; nothing if it has heard nothing.
    pub fn of(value: &Value) -> Self {
        match value.as_pair() {
            Some((Value::List(values), context)) => Seen { values: values.to_vec(), context: context.clone() },
            Some(_) | None => Seen::default(),
        }
    }

    /// The values as they stand in a history.
    pub(crate) fn told(&self) -> Value {
        Value::List(self.values.clone().into())
    }
}

impl Data for Siblings {
    type Op = SiblingsOp;
    type Ret = SiblingsRet;

    const NAME: &'static str = "siblings";
    const FUNCTIONS: &'static [Function] = &[
        Function { name: "read", writes: false, takes: &[], notes: &[] },
        Function { name: "write", writes: true, takes: &["value"], notes: &["replaced"] },
        Function { name: "blind", writes: true, takes: &["value"], notes: &[] },
        Function { name: "delete", writes: true, takes: &[], notes: &["replaced"] },
    ];
    const KEYED: bool = true;

    fn make(function: usize, key: Key, fresh: Value, seen: &Value) -> SiblingsOp {
        match Self::FUNCTIONS[function].takes {
            [] => Self::written(function, key, &[], seen),
            _ => Self::written(function, key, &[fresh], seen),
        }
    }

    fn written(function: usize, key: Key, arguments: &[Value], seen: &Value) -> SiblingsOp {
        let ask = match (function, arguments) {
            (0, []) => SiblingsAsk::Read,
            (1, [value]) => SiblingsAsk::Write { value: value.clone(), seen: Seen::of(seen) },
            (2, [value]) => SiblingsAsk::Blind { value: value.clone() },
            (3, []) => SiblingsAsk::Delete { seen: Seen::of(seen) },
            _ => panic!("siblings have no function number {function} that takes {} values", arguments.len()),
        };
        SiblingsOp { key, ask }
    }

    fn function(op: &SiblingsOp) -> usize {
        match op.ask {
            SiblingsAsk::Read => 0,
            SiblingsAsk::Write { .. } => 1,
            SiblingsAsk::Blind { .. } => 2,
            SiblingsAsk::Delete { .. } => 3,
        }
    }

    fn key(op: &SiblingsOp) -> Key {
        op.key
    }

    fn learnt(_op: &SiblingsOp, ret: &SiblingsRet) -> Option<Value> {
        Some(ret.to_value())
    }

    fn input(op: &SiblingsOp) -> Value {
        match &op.ask {
            SiblingsAsk::Read => Value::Nil,
            SiblingsAsk::Write { value, seen } => Value::pair(value.clone(), seen.told()),
            SiblingsAsk::Blind { value } => value.clone(),
            SiblingsAsk::Delete { seen } => seen.told(),
        }
    }

    fn completion(op: &SiblingsOp, ret: &SiblingsRet) -> Completion {
        Completion::Ok(match op.ask {
            SiblingsAsk::Read => ret.told(),
            SiblingsAsk::Write { .. } | SiblingsAsk::Blind { .. } | SiblingsAsk::Delete { .. } => Self::input(op),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saw(values: &[i64]) -> Value {
        let values = values.iter().map(|value| Value::Int(*value)).collect();
        Seen { values, context: Value::text("token") }.to_value()
    }

    #[test]
    fn what_a_client_keeps_in_mind_reads_back() {
        let seen = Seen { values: vec![3.into(), 4.into()], context: Value::text("token") };
        assert_eq!(Seen::of(&seen.to_value()), seen);
        assert_eq!(Seen::of(&Value::Nil), Seen::default());
        assert_eq!(Seen::of(&Value::pair(1.into(), 2.into())), Seen::default(), "no list of values");
    }

    /// A script names what a function takes; what it replaces is what the client saw in that run.
    #[test]
    fn an_operation_can_be_written_down() {
        let arguments: [&[Value]; 4] = [&[], &[7.into()], &[7.into()], &[]];
        for (number, arguments) in arguments.into_iter().enumerate() {
            let op = Siblings::make(number, 5, 7.into(), &saw(&[3]));
            assert_eq!(Siblings::written(number, 5, arguments, &saw(&[3])), op);
            assert_eq!((Siblings::function(&op), Siblings::key(&op)), (number, 5));
            assert_eq!(Siblings::FUNCTIONS[number].arguments(&Siblings::input(&op)), arguments);
        }
    }

    #[test]
    fn histories_tell_what_was_replaced_and_no_context() {
        let input = |function| Siblings::input(&Siblings::make(function, 0, 7.into(), &saw(&[3, 4]))).to_string();
        assert_eq!([0, 1, 2, 3].map(input), ["nil", "[7 [3 4]]", "7", "[3 4]"]);
        let ret = Seen::of(&saw(&[3, 4]));
        let read = Siblings::make(0, 0, Value::Nil, &Value::Nil);
        assert_eq!(Siblings::completion(&read, &ret), Completion::Ok(Value::pair(3.into(), 4.into())));
        let write = Siblings::make(1, 0, 7.into(), &saw(&[]));
        assert_eq!(Siblings::completion(&write, &ret), Completion::Ok(Siblings::input(&write)));
        assert_eq!(Siblings::learnt(&write, &ret), Some(saw(&[3, 4])), "a write tells what is there after it");
    }
}
