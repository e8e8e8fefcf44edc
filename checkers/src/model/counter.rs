//! Counters: add and read.

use super::{Answer, Checked, Needs, Part};
use crate::Budget;
use crate::monitors::counter;
use crate::search::Found;
use history::figures::shown;
use history::{Counter, CounterOp, CounterRet, Value, Witness};

impl Checked for Counter {
    fn parse(f: &str, argument: &Value) -> Result<CounterOp, String> {
        match (f, argument) {
            ("read", _) => Ok(CounterOp::Read),
            ("add", Value::Int(amount)) => Ok(CounterOp::Add(*amount)),
            ("add", _) => Err(format!("an add takes a whole number, this one has {}", shown(argument))),
            _ => Err("a counter knows `add` and `read`".to_owned()),
        }
    }

    fn returned(op: &CounterOp, completion: Answer<'_>) -> Result<CounterRet, String> {
        match (op, completion) {
            (CounterOp::Add(_), Answer::Ok(_)) => Ok(CounterRet::Done),
            (CounterOp::Read, Answer::Ok(Value::Int(sum))) => Ok(CounterRet::Sum(*sum)),
            (CounterOp::Read, Answer::Ok(other)) => {
                Err(format!("it returned {}, and should have returned a whole number", shown(other)))
            }
            (_, Answer::Mismatch) => Err("only a compare-and-set can find another value".to_owned()),
        }
    }

    fn observes(op: &CounterOp, _ret: &CounterRet) -> bool {
        matches!(op, CounterOp::Read | CounterOp::Add(0))
    }

    fn is_idle(_part: &Part<'_, Counter>) -> impl Fn(&CounterOp) -> bool {
        |op| matches!(op, CounterOp::Read | CounterOp::Add(0))
    }

    /// Any sum may come back at any time.
    fn needs<'a>(op: &'a CounterOp, _ret: Option<&'a CounterRet>) -> Needs<'a, i64> {
        match op {
            CounterOp::Add(_) => Needs::MakesAnything,
            CounterOp::Read => Needs::Nothing,
        }
    }

    fn explain(part: &Part<'_, Counter>, start: &i64, found: &Found<i64>, budget: &Budget<'_>) -> Witness {
        counter::explain(part, *start, found, budget)
    }
}
