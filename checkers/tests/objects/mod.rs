//! Small random histories of any object, of which about half are wrong, and a twin too dumb to be wrong itself.
//!
//! As in the histories of registers: the object is really run, and half of the time a lie is told about one operation.

use crate::dice::Dice;
use history::{Completion, History, Mark, Object, Operation, Outcome, Purpose, Value};

/// An operation as the twin sees it.
#[derive(Clone, Debug)]
pub struct Call<O: Object> {
    pub op: O::Op,
    pub outcome: Outcome<O::Ret>,
    /// From when to when it may have taken effect.
    pub from: usize,
    pub until: usize,
}

impl<O: Object> Call<O> {
    pub fn returned(&self) -> bool {
        matches!(self.outcome, Outcome::Returned(_))
    }
}

/// Up to `count_max` operations somewhere in their intervals, some never heard of again. What `accepts` does not let
/// through as an answer is refused.
pub fn recording<O: Object>(
    dice: &mut Dice,
    count_max: usize,
    start: &O::State,
    make: impl Fn(&mut Dice) -> O::Op,
    accepts: impl Fn(&O::Ret) -> bool,
) -> Vec<Call<O>> {
    let count = 1 + dice.below(count_max);
    let mut places: Vec<usize> = (0..2 * count).collect();
    // Half shuffled: from all in a row to all at once.
    for _ in 0..dice.below(3 * count) {
        let (i, j) = (dice.below(2 * count), dice.below(2 * count));
        places.swap(i, j);
    }
    let mut calls: Vec<Call<O>> = Vec::new();
    for pair in places.chunks(2) {
        let (from, until) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
        calls.push(Call { op: make(dice), outcome: Outcome::Unknown, from, until });
    }
    calls.sort_by_key(|call| call.from);
    let mut effects: Vec<(usize, usize, usize)> = Vec::new();
    for (i, call) in calls.iter().enumerate() {
        let fate = dice.below(8);
        // An unknown one may strike long after its client gave up.
        let span = if fate == 0 { 20 } else { call.until - call.from };
        effects.push((call.from * 100 + dice.below(span * 100), i, fate));
    }
    effects.sort_unstable();
    let mut state = start.clone();
    for (_, i, fate) in effects {
        let call = &mut calls[i];
        call.outcome = match fate {
            0 => {
                if dice.one_in(2) {
                    O::apply(&mut state, &call.op);
                }
                Outcome::Unknown
            }
            1 => Outcome::Refused,
            _ => match O::apply(&mut state, &call.op) {
                ret if accepts(&ret) => Outcome::Returned(ret),
                _ => Outcome::Refused,
            },
        };
    }
    calls
}

pub fn history<O: Object>(calls: &[Call<O>]) -> History {
    let mark = |position: usize| Mark { index: position as u64, time: 0 };
    let at_key = |op: &O::Op, value| if O::KEYED { Value::pair(O::key_name(O::key(op)), value) } else { value };
    let completion = |op: &O::Op, ret: &O::Ret| match O::completion(op, ret) {
        Completion::Ok(value) => Completion::Ok(at_key(op, value)),
        Completion::Mismatch => Completion::Mismatch,
    };
    let operation = |(process, call): (u64, &Call<O>)| Operation {
        process,
        f: O::FUNCTIONS[O::function(&call.op)].name.into(),
        input: at_key(&call.op, O::input(&call.op)),
        invoked: mark(call.from),
        completed: Some(mark(call.until)),
        outcome: match &call.outcome {
            Outcome::Returned(ret) => Outcome::Returned(completion(&call.op, ret)),
            Outcome::Refused => Outcome::Refused,
            Outcome::Unknown => Outcome::Unknown,
        },
        purpose: Purpose::Load,
        node: None,
    };
    History { operations: (0..).zip(calls).map(operation).collect() }
}

/// Whether some order of `left` explains every result: all orders are tried.
pub fn has_order<O: Object>(left: &[Call<O>], state: &O::State) -> bool {
    if !left.iter().any(Call::returned) {
        return true;
    }
    (0..left.len()).any(|i| {
        let call = &left[i];
        let may_be_next = left.iter().all(|other| !other.returned() || other.until > call.from);
        if !may_be_next || call.outcome == Outcome::Refused {
            return false;
        }
        let mut state = state.clone();
        let ret = O::apply(&mut state, &call.op);
        let agrees = !call.returned() || call.outcome == Outcome::Returned(ret);
        agrees && has_order(&[&left[..i], &left[i + 1..]].concat(), &state)
    })
}
