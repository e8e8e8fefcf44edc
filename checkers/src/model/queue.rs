//! Queues: enqueue and dequeue.

use super::{Answer, Checked, Needs, Part};
use crate::Budget;
use crate::monitors::container::{self, Container, Wish};
use crate::search::Found;
use history::{Queue, QueueOp, QueueRet, Value, Witness};
use std::collections::VecDeque;

impl Checked for Queue {
    fn parse(f: &str, argument: &Value) -> Result<QueueOp, String> {
        Ok(match container::parse(f, argument, &["enqueue", "dequeue"])? {
            Wish::Put(value) => QueueOp::Enqueue(value.clone()),
            Wish::Take => QueueOp::Dequeue,
        })
    }

    fn returned(op: &QueueOp, completion: Answer<'_>) -> Result<QueueRet, String> {
        match (op, completion) {
            (QueueOp::Enqueue(_), Answer::Ok(_)) => Ok(QueueRet::Done),
            (QueueOp::Dequeue, Answer::Ok(value)) => Ok(QueueRet::Taken(value.clone())),
            (QueueOp::Enqueue(_) | QueueOp::Dequeue, Answer::Mismatch) => Err(container::MISMATCH.to_owned()),
        }
    }

    fn observes(_op: &QueueOp, ret: &QueueRet) -> bool {
        *ret == QueueRet::Taken(Value::Nil)
    }

    fn is_idle(part: &Part<'_, Queue>) -> impl Fn(&QueueOp) -> bool {
        container::is_idle(part)
    }

    fn needs<'a>(_op: &'a QueueOp, _ret: Option<&'a QueueRet>) -> Needs<'a, VecDeque<Value>> {
        Needs::Nothing
    }

    fn explain(
        part: &Part<'_, Queue>,
        start: &VecDeque<Value>,
        found: &Found<VecDeque<Value>>,
        budget: &Budget<'_>,
    ) -> Witness {
        container::explain(part, start, found, budget)
    }
}

impl Container for Queue {
    fn wish(op: &QueueOp) -> Wish<'_> {
        match op {
            QueueOp::Enqueue(value) => Wish::Put(value),
            QueueOp::Dequeue => Wish::Take,
        }
    }

    fn taken(ret: &QueueRet) -> Option<&Value> {
        match ret {
            QueueRet::Done => None,
            QueueRet::Taken(value) => Some(value),
        }
    }
}
