//! One register: read, write, compare-and-set; for text also append.

use crate::{Completion, Data, Function, Object, Value};
use serde::{Deserialize, Serialize};

/// A single register that starts as [`Value::Nil`].
#[derive(Clone, Debug)]
pub struct Register;

/// What one asks of a register.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum RegisterOp {
    /// Returns the value.
    Read,
    /// Replaces the value.
    Write(Value),
    /// Replaces the value if it is `from`.
    Cas {
        /// What it must hold.
        from: Value,
        /// What it shall hold then.
        to: Value,
    },
    /// Appends to a text, as the string stores of recorded histories do; [`Value::Nil`] counts as empty.
    Append(Value),
}

/// What a register answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegisterRet {
    /// The value read.
    Value(Value),
    /// Written, compared and set, or appended.
    Done,
    /// The compare-and-set found another value and changed nothing.
    Mismatch,
}

impl Data for Register {
    type Op = RegisterOp;
    type Ret = RegisterRet;

    const NAME: &'static str = "register";
    const FUNCTIONS: &'static [Function] = &[
        Function { name: "read", writes: false, takes: &[], notes: &[] },
        Function { name: "write", writes: true, takes: &["value"], notes: &[] },
        Function { name: "cas", writes: true, takes: &["from", "to"], notes: &[] },
        Function { name: "append", writes: true, takes: &["text"], notes: &[] },
    ];
    const KEYED: bool = false;

    fn make(function: usize, _key: u32, fresh: Value, seen: &Value) -> RegisterOp {
        match function {
            0 => RegisterOp::Read,
            1 => RegisterOp::Write(fresh),
            2 => RegisterOp::Cas { from: seen.clone(), to: fresh },
            3 => RegisterOp::Append(Value::text(format!("{fresh};"))),
            _ => panic!("a register has {} functions, none has number {function}", Self::FUNCTIONS.len()),
        }
    }

    fn written(function: usize, _key: u32, arguments: &[Value], _seen: &Value) -> RegisterOp {
        match (function, arguments) {
            (0, []) => RegisterOp::Read,
            (1, [value]) => RegisterOp::Write(value.clone()),
            (2, [from, to]) => RegisterOp::Cas { from: from.clone(), to: to.clone() },
            (3, [text]) => RegisterOp::Append(text.clone()),
            _ => panic!("a register has no function number {function} that takes {} values", arguments.len()),
        }
    }

    fn function(op: &RegisterOp) -> usize {
        match op {
            RegisterOp::Read => 0,
            RegisterOp::Write(_) => 1,
            RegisterOp::Cas { .. } => 2,
            RegisterOp::Append(_) => 3,
        }
    }

    fn key(_op: &RegisterOp) -> u32 {
        0
    }

    fn learnt(op: &RegisterOp, ret: &RegisterRet) -> Option<Value> {
        match (op, ret) {
            (_, RegisterRet::Value(value)) => Some(value.clone()),
            (RegisterOp::Write(value) | RegisterOp::Cas { to: value, .. }, RegisterRet::Done) => Some(value.clone()),
            (RegisterOp::Read | RegisterOp::Append(_), RegisterRet::Done) | (_, RegisterRet::Mismatch) => None,
        }
    }

    fn input(op: &RegisterOp) -> Value {
        match op {
            RegisterOp::Read => Value::Nil,
            RegisterOp::Write(value) | RegisterOp::Append(value) => value.clone(),
            RegisterOp::Cas { from, to } => Value::pair(from.clone(), to.clone()),
        }
    }

    fn completion(op: &RegisterOp, ret: &RegisterRet) -> Completion {
        match ret {
            RegisterRet::Value(value) => Completion::Ok(value.clone()),
            RegisterRet::Done => Completion::Ok(Self::input(op)),
            RegisterRet::Mismatch => Completion::Mismatch,
        }
    }
}

impl Object for Register {
    type State = Value;

    fn apply(state: &mut Value, op: &RegisterOp) -> RegisterRet {
        match op {
            RegisterOp::Read => RegisterRet::Value(state.clone()),
            RegisterOp::Write(value) => {
                *state = value.clone();
                RegisterRet::Done
            }
            RegisterOp::Cas { from, .. } if state != from => RegisterRet::Mismatch,
            RegisterOp::Cas { to, .. } => {
                *state = to.clone();
                RegisterRet::Done
            }
            RegisterOp::Append(value) => {
                *state = match state {
                    Value::Nil => Value::text(value.to_string()),
                    Value::Int(_) | Value::Text(_) | Value::List(_) => Value::text(format!("{state}{value}")),
                };
                RegisterRet::Done
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a history says of an operation is enough to ask for it again.
    #[test]
    fn an_operation_can_be_written_down() {
        for (number, function) in Register::FUNCTIONS.iter().enumerate() {
            let op = Register::make(number, 0, 7.into(), &3.into());
            let arguments = function.arguments(&Register::input(&op));
            assert_eq!(Register::written(number, 0, &arguments, &Value::Nil), op, "{}", function.name);
        }
    }

    #[test]
    fn each_operation_does_what_its_name_says() {
        let mut state = Value::Nil;
        let mut ask = |op: RegisterOp| Register::apply(&mut state, &op);
        assert_eq!(ask(RegisterOp::Read), RegisterRet::Value(Value::Nil));
        assert_eq!(ask(RegisterOp::Write(1.into())), RegisterRet::Done);
        assert_eq!(ask(RegisterOp::Cas { from: 2.into(), to: 3.into() }), RegisterRet::Mismatch);
        assert_eq!(ask(RegisterOp::Cas { from: 1.into(), to: 3.into() }), RegisterRet::Done);
        assert_eq!(ask(RegisterOp::Read), RegisterRet::Value(3.into()));
        assert_eq!(ask(RegisterOp::Append(Value::text("x"))), RegisterRet::Done);
        assert_eq!(ask(RegisterOp::Read), RegisterRet::Value(Value::text("3x")));
    }
}
