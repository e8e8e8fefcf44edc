//! Others' checkers of linearizability, on our histories: registers with compare-and-set, key by key.

use history::{Completion, History, Outcome, Value};
use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};
use std::collections::BTreeMap;
use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::{Action, History as Actions};
use todc_utils::specifications::Specification;

/// What is asked of a register. Values are whole numbers; `None` is nothing yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    Read,
    Write(Option<i64>),
    Cas(Option<i64>, Option<i64>),
}

/// What one hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hear {
    Value(Option<i64>),
    Done,
    Mismatch,
    /// Nobody knows: it may have happened.
    Nothing,
}

/// What a register holds afterwards; `None` if that cannot be heard of it now.
fn step(held: Option<i64>, ask: Ask, hear: Hear) -> Option<Option<i64>> {
    match (ask, hear) {
        (Ask::Read, Hear::Value(value)) => (value == held).then_some(held),
        (Ask::Read, Hear::Done | Hear::Mismatch | Hear::Nothing) => Some(held),
        (Ask::Write(value), _) => Some(value),
        (Ask::Cas(from, _), Hear::Mismatch) => (from != held).then_some(held),
        (Ask::Cas(from, to), Hear::Nothing) => Some(if from == held { to } else { held }),
        (Ask::Cas(from, to), Hear::Done | Hear::Value(_)) => (from == held).then_some(to),
    }
}

/// An operation on one key, and the places of its ends in the record.
struct Asked {
    process: u64,
    ask: Ask,
    hear: Hear,
    begun: u64,
    ended: Option<u64>,
}

/// The keys of a history, each with its operations; `None` if there are others than these adapters know. A read of which nobody
/// heard tells nothing, and what was refused never was.
pub struct Parts {
    initial: Option<i64>,
    parts: Vec<Vec<Asked>>,
}

impl Parts {
    pub fn of(history: &History, is_keyed: bool, initial: &Value) -> Option<Parts> {
        let mut parts: BTreeMap<Option<&Value>, Vec<Asked>> = BTreeMap::new();
        for operation in &history.operations {
            let (key, argument) = match is_keyed {
                true => operation.input.as_pair().map(|(key, argument)| (Some(key), argument))?,
                false => (None, &operation.input),
            };
            let ask = match &*operation.f {
                "read" => Ask::Read,
                "write" => Ask::Write(number(argument)?),
                "cas" => argument.as_pair().and_then(|(from, to)| Some(Ask::Cas(number(from)?, number(to)?)))?,
                _ => return None,
            };
            let hear = match &operation.outcome {
                Outcome::Returned(Completion::Mismatch) => Hear::Mismatch,
                Outcome::Returned(Completion::Ok(value)) if ask == Ask::Read => {
                    let value = if is_keyed { value.as_pair()?.1 } else { value };
                    Hear::Value(number(value)?)
                }
                Outcome::Returned(Completion::Ok(_)) => Hear::Done,
                Outcome::Refused => continue,
                Outcome::Unknown if ask == Ask::Read => continue,
                Outcome::Unknown => Hear::Nothing,
            };
            let ended = operation.completed.filter(|_| hear != Hear::Nothing).map(|mark| mark.index);
            let (process, begun) = (operation.process, operation.invoked.index);
            parts.entry(key).or_default().push(Asked { process, ask, hear, begun, ended });
        }
        Some(Parts { initial: number(initial)?, parts: parts.into_values().collect() })
    }

    /// As todc-utils judges it. It wants every operation to end, so those of unknown outcome end last of all.
    pub fn todc(&self) -> bool {
        // A specification there has no state of its own to begin with, so the first operation writes it.
        self.parts.iter().all(|part| {
            let first = (Ask::Write(self.initial), Hear::Done);
            let mut actions = vec![(0, Action::Call(first)), (0, Action::Response(first))];
            let mut places: BTreeMap<u64, usize> = BTreeMap::new();
            for (operation, is_end) in events(part, true) {
                let next = places.len();
                let place = *places.entry(operation.process).or_insert(next);
                let both = (operation.ask, operation.hear);
                actions.push((place, if is_end { Action::Response(both) } else { Action::Call(both) }));
            }
            WGLChecker::<Todc>::is_linearizable(Actions::from_actions(actions))
        })
    }

    /// As stateright's tester judges it.
    pub fn stateright(&self) -> bool {
        self.parts.iter().all(|part| {
            let mut tester = LinearizabilityTester::new(Stateright(self.initial));
            for (operation, is_end) in events(part, false) {
                let told = match is_end {
                    false => tester.on_invoke(operation.process, operation.ask).map(|_| ()),
                    true => tester.on_return(operation.process, operation.hear).map(|_| ()),
                };
                told.expect("a process asks one thing at a time");
            }
            tester.is_consistent()
        })
    }
}

/// A whole number, or nothing.
fn number(value: &Value) -> Option<Option<i64>> {
    match value {
        Value::Nil => Some(None),
        Value::Int(number) => Some(Some(*number)),
        Value::Text(_) | Value::List(_) => None,
    }
}

/// Every operation where it begins and where it ends; if they all shall end, those that nobody heard of do so last.
fn events(part: &[Asked], do_all_end: bool) -> Vec<(&Asked, bool)> {
    let begins = part.iter().map(|operation| (operation.begun, operation, false));
    let ends = part.iter().filter_map(|operation| {
        let ended = operation.ended.or(do_all_end.then_some(u64::MAX))?;
        Some((ended, operation, true))
    });
    let mut events: Vec<(u64, &Asked, bool)> = begins.chain(ends).collect();
    events.sort_by_key(|(at, _, _)| *at);
    events.into_iter().map(|(_, operation, is_end)| (operation, is_end)).collect()
}

struct Todc;

impl Specification for Todc {
    type State = Option<i64>;
    type Operation = (Ask, Hear);

    fn init() -> Option<i64> {
        None
    }

    fn apply((ask, hear): &(Ask, Hear), held: &Option<i64>) -> (bool, Option<i64>) {
        let next = step(*held, *ask, *hear);
        (next.is_some(), next.unwrap_or(*held))
    }
}

#[derive(Clone)]
struct Stateright(Option<i64>);

impl SequentialSpec for Stateright {
    type Op = Ask;
    type Ret = Hear;

    fn invoke(&mut self, ask: &Ask) -> Hear {
        self.0 = step(self.0, *ask, Hear::Nothing).unwrap_or(self.0);
        Hear::Nothing
    }

    fn is_valid_step(&mut self, ask: &Ask, hear: &Hear) -> bool {
        let next = step(self.0, *ask, *hear);
        self.0 = next.unwrap_or(self.0);
        next.is_some()
    }
}
