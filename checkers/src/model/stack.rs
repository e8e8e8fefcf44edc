//! Stacks: push and pop.

use super::{Answer, Checked, Needs, Part};
use crate::Budget;
use crate::monitors::container::{self, Container, Wish};
use crate::search::Found;
use history::{Stack, StackOp, StackRet, Value, Witness};

impl Checked for Stack {
    fn parse(f: &str, argument: &Value) -> Result<StackOp, String> {
        Ok(match container::parse(f, argument, &["push", "pop"])? {
            Wish::Put(value) => StackOp::Push(value.clone()),
            Wish::Take => StackOp::Pop,
        })
    }

    fn returned(op: &StackOp, completion: Answer<'_>) -> Result<StackRet, String> {
        match (op, completion) {
            (StackOp::Push(_), Answer::Ok(_)) => Ok(StackRet::Done),
            (StackOp::Pop, Answer::Ok(value)) => Ok(StackRet::Taken(value.clone())),
            (StackOp::Push(_) | StackOp::Pop, Answer::Mismatch) => Err(container::MISMATCH.to_owned()),
        }
    }

    fn observes(_op: &StackOp, ret: &StackRet) -> bool {
        *ret == StackRet::Taken(Value::Nil)
    }

    fn is_idle(part: &Part<'_, Stack>) -> impl Fn(&StackOp) -> bool {
        container::is_idle(part)
    }

    fn needs<'a>(_op: &'a StackOp, _ret: Option<&'a StackRet>) -> Needs<'a, Vec<Value>> {
        Needs::Nothing
    }

    fn explain(part: &Part<'_, Stack>, start: &Vec<Value>, found: &Found<Vec<Value>>, budget: &Budget<'_>) -> Witness {
        container::explain(part, start, found, budget)
    }
}

impl Container for Stack {
    fn wish(op: &StackOp) -> Wish<'_> {
        match op {
            StackOp::Push(value) => Wish::Put(value),
            StackOp::Pop => Wish::Take,
        }
    }

    fn taken(ret: &StackRet) -> Option<&Value> {
        match ret {
            StackRet::Done => None,
            StackRet::Taken(value) => Some(value),
        }
    }
}
