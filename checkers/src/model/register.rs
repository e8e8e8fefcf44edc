//! Registers: read, write, compare-and-set; and string stores, which append.

use super::{Answer, Checked, Deed, Needs, Part, Sight, Told};
use crate::Budget;
use crate::hash::Mixer;
use crate::search::Found;
use crate::witness;
use hashbrown::HashMap;
use history::{Outcome, Register, RegisterOp, RegisterRet, Value, Witness};
use std::hash::BuildHasherDefault;

impl Checked for Register {
    fn parse(f: &str, argument: &Value) -> Result<RegisterOp, String> {
        match f {
            "read" | "get" => match argument.as_pair() {
                Some((_, Value::Nil)) => Err(format!(
                    "a read takes no argument, this one has {argument}; keyed histories are judged as `kv`"
                )),
                _ => Ok(RegisterOp::Read),
            },
            "write" | "put" => Ok(RegisterOp::Write(argument.clone())),
            "append" => Ok(RegisterOp::Append(argument.clone())),
            "cas" => match argument.as_pair() {
                Some((from, to)) => Ok(RegisterOp::Cas { from: from.clone(), to: to.clone() }),
                None => Err(format!("a compare-and-set takes [from, to], this one has {argument}")),
            },
            _ => Err("a register knows `read` or `get`, `write` or `put`, `cas`, `append`".to_owned()),
        }
    }

    fn returned(op: &RegisterOp, completion: Answer<'_>) -> Result<RegisterRet, String> {
        match (op, completion) {
            (RegisterOp::Read, Answer::Ok(value)) => Ok(RegisterRet::Value(value.clone())),
            (RegisterOp::Write(_) | RegisterOp::Cas { .. } | RegisterOp::Append(_), Answer::Ok(_)) => {
                Ok(RegisterRet::Done)
            }
            (RegisterOp::Cas { .. }, Answer::Mismatch) => Ok(RegisterRet::Mismatch),
            (RegisterOp::Read | RegisterOp::Write(_) | RegisterOp::Append(_), Answer::Mismatch) => {
                Err("only a compare-and-set can find another value".to_owned())
            }
        }
    }

    fn observes(op: &RegisterOp, ret: &RegisterRet) -> bool {
        *op == RegisterOp::Read || *ret == RegisterRet::Mismatch
    }

    fn is_blind(op: &RegisterOp) -> bool {
        matches!(op, RegisterOp::Write(_) | RegisterOp::Append(_))
    }

    /// A write of unknown outcome whose value nobody ever met explains nothing: taken out of a linearization, it
    /// leaves everybody else's results alone. But it may be *why* a compare-and-set found another value, and an
    /// append makes its value part of another; where either occurs, nothing is left out.
    fn is_idle(part: &Part<'_, Register>) -> impl Fn(&RegisterOp) -> bool {
        let mut met: HashMap<&Value, (), BuildHasherDefault<Mixer>> = HashMap::default();
        let mut any_value_matters = false;
        for call in &part.calls {
            match (&call.op, &call.outcome) {
                (_, Outcome::Refused) => {}
                (_, Outcome::Returned(RegisterRet::Value(value))) => _ = met.insert(value, ()),
                (_, Outcome::Returned(RegisterRet::Mismatch)) | (RegisterOp::Append(_), _) => any_value_matters = true,
                (RegisterOp::Cas { from, .. }, _) => _ = met.insert(from, ()),
                (RegisterOp::Read | RegisterOp::Write(_), Outcome::Returned(RegisterRet::Done) | Outcome::Unknown) => {}
            }
        }
        move |op| match op {
            RegisterOp::Read => true,
            RegisterOp::Write(value) | RegisterOp::Cas { to: value, .. } => {
                !any_value_matters && !met.contains_key(value)
            }
            RegisterOp::Append(_) => false,
        }
    }

    fn needs<'a>(op: &'a RegisterOp, ret: Option<&'a RegisterRet>) -> Needs<'a, Value> {
        match (op, ret) {
            (RegisterOp::Read, Some(RegisterRet::Value(value))) => Needs::Meets(value),
            (RegisterOp::Write(value), _) => Needs::Makes(value),
            (RegisterOp::Cas { from, to }, Some(RegisterRet::Done) | None) => Needs::Turns(from, to),
            (RegisterOp::Append(_), _) => Needs::MakesAnything,
            (RegisterOp::Read | RegisterOp::Cas { .. }, _) => Needs::Nothing,
        }
    }

    fn explain(part: &Part<'_, Register>, start: &Value, found: &Found<Value>, budget: &Budget<'_>) -> Witness {
        witness::explain(part, start, found, budget)
    }
}

impl Told for Register {
    fn sight<'a>(op: &'a RegisterOp, ret: Option<&'a RegisterRet>) -> Sight<'a, Value> {
        match (op, ret) {
            (RegisterOp::Read, Some(RegisterRet::Value(value))) => Sight::Is(value),
            (RegisterOp::Cas { from, .. }, Some(RegisterRet::Mismatch)) => Sight::IsNot(from),
            (RegisterOp::Cas { from, .. }, _) => Sight::Is(from),
            (RegisterOp::Read | RegisterOp::Write(_) | RegisterOp::Append(_), _) => Sight::Nothing,
        }
    }

    fn deed<'a>(op: &'a RegisterOp, ret: Option<&'a RegisterRet>) -> Deed<'a, Value> {
        match op {
            RegisterOp::Cas { .. } if ret == Some(&RegisterRet::Mismatch) => Deed::Nothing,
            RegisterOp::Write(value) | RegisterOp::Cas { to: value, .. } => Deed::Replaces(value),
            RegisterOp::Append(text) => Deed::Extends(text),
            RegisterOp::Read => Deed::Nothing,
        }
    }

    fn made_only(op: &RegisterOp) -> RegisterOp {
        match op {
            RegisterOp::Cas { to, .. } => RegisterOp::Write(to.clone()),
            RegisterOp::Read | RegisterOp::Write(_) | RegisterOp::Append(_) => op.clone(),
        }
    }

    fn met_only(op: &RegisterOp, ret: &RegisterRet) -> (RegisterOp, RegisterRet) {
        match (op, ret) {
            (RegisterOp::Cas { from, .. }, RegisterRet::Done) => (RegisterOp::Read, RegisterRet::Value(from.clone())),
            (RegisterOp::Read | RegisterOp::Write(_) | RegisterOp::Append(_) | RegisterOp::Cas { .. }, _) => {
                (op.clone(), ret.clone())
            }
        }
    }

    /// What is written first and appended next stands in the whole as it was; nothing at all is the empty text.
    fn is_part(made: &Value, met: &Value) -> bool {
        made == met || made.is_nil() || met.to_string().contains(&made.to_string())
    }
}
