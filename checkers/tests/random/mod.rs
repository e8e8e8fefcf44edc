//! Small random histories, of which about half are wrong, and a twin too dumb to be wrong itself.
//!
//! The histories come from a register that was really run, with a lie told about one result in half of them; few values
//! and much overlap make good and bad about equally likely. The twin tries every order there is.

use history::{Data, History, Mark, Object, Operation, Outcome, Purpose, Register, RegisterOp, RegisterRet, Value};

#[path = "../dice/mod.rs"]
mod dice;

pub use dice::Dice;

impl Dice {
    pub fn value(&mut self, values: usize) -> Value {
        match self.below(values + 1) {
            0 => Value::Nil,
            n => Value::Int(n as i64),
        }
    }
}

/// An operation as the twins see it.
#[derive(Clone, Debug)]
pub struct Call {
    pub op: RegisterOp,
    pub outcome: Outcome<RegisterRet>,
    /// From when to when it may have taken effect.
    pub from: usize,
    pub until: usize,
    pub purpose: Purpose,
}

impl Call {
    pub fn returned(&self) -> bool {
        matches!(self.outcome, Outcome::Returned(_))
    }
}

/// A register that is really run, and possibly lied about.
pub fn recording(seed: u64) -> Vec<Call> {
    let mut dice = Dice(seed);
    let count = 1 + dice.below(7);
    let (values, has_appends) = (1 + dice.below(4), dice.one_in(8));
    let mut places: Vec<usize> = (0..2 * count).collect();
    // Half shuffled: from all in a row to all at once.
    for _ in 0..dice.below(3 * count) {
        let (i, j) = (dice.below(2 * count), dice.below(2 * count));
        places.swap(i, j);
    }
    let mut calls: Vec<Call> = Vec::new();
    for pair in places.chunks(2) {
        let op = match dice.below(if has_appends { 8 } else { 7 }) {
            0..3 => RegisterOp::Read,
            3..5 => RegisterOp::Write(dice.value(values)),
            5..7 => RegisterOp::Cas { from: dice.value(values), to: dice.value(values) },
            _ => RegisterOp::Append(Value::text(["x", "y"][dice.below(2)])),
        };
        let (from, until) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
        calls.push(Call { op, outcome: Outcome::Unknown, from, until, purpose: Purpose::Load });
    }
    calls.sort_by_key(|call| call.from);
    run(&mut calls, &mut dice, 1);
    if dice.one_in(2) {
        let liar = dice.below(count);
        lie(&mut calls[liar], dice.value(values));
    }
    calls
}

/// The same where mostly each value is written once, and compare-and-sets mostly meet what they ask for.
pub fn unique_recording(seed: u64) -> Vec<Call> {
    let mut dice = Dice(seed);
    let count = 1 + dice.below(8);
    let (has_cas, has_mismatches, has_doubles) = (dice.one_in(2), dice.one_in(3), dice.one_in(4));
    let mut places: Vec<usize> = (0..2 * count).collect();
    for _ in 0..dice.below(3 * count) {
        let (i, j) = (dice.below(2 * count), dice.below(2 * count));
        places.swap(i, j);
    }
    let mut calls: Vec<Call> = Vec::new();
    for (fresh, pair) in (1..).zip(places.chunks(2)) {
        let made = if has_doubles && dice.one_in(3) { dice.value(count) } else { Value::Int(fresh) };
        let op = match dice.below(if has_cas { 6 } else { 4 }) {
            0..2 => RegisterOp::Read,
            2..4 => RegisterOp::Write(made),
            _ => RegisterOp::Cas { from: dice.value(count), to: made },
        };
        let (from, until) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
        calls.push(Call { op, outcome: Outcome::Unknown, from, until, purpose: Purpose::Load });
    }
    calls.sort_by_key(|call| call.from);
    run(&mut calls, &mut dice, if has_mismatches { 3 } else { usize::MAX });
    if dice.one_in(2) {
        let liar = dice.below(count);
        lie(&mut calls[liar], dice.value(count));
    }
    if !has_mismatches {
        calls.retain(|call| call.outcome != Outcome::Returned(RegisterRet::Mismatch));
    }
    calls
}

/// Lets every operation take effect somewhere in its interval, and some never be heard of again. One compare-and-set in `guessing` asks for
/// what it happened to be made for, the others for what they meet.
fn run(calls: &mut [Call], dice: &mut Dice, guessing: usize) {
    let mut effects: Vec<(usize, usize)> = Vec::new();
    let mut fates = Vec::new();
    for (i, call) in calls.iter().enumerate() {
        let fate = dice.below(8);
        // An unknown one may strike long after its client gave up.
        let span = if fate == 0 { 20 } else { call.until - call.from };
        effects.push((call.from * 100 + dice.below(span * 100), i));
        fates.push(fate);
    }
    effects.sort_unstable();
    let mut state = Value::Nil;
    for (_, i) in effects {
        let call = &mut calls[i];
        if let RegisterOp::Cas { from, .. } = &mut call.op
            && guessing > 1
            && !dice.one_in(guessing)
        {
            *from = state.clone();
        }
        call.outcome = match fates[i] {
            0 => {
                if dice.one_in(2) {
                    Register::apply(&mut state, &call.op);
                }
                Outcome::Unknown
            }
            1 => Outcome::Refused,
            _ => Outcome::Returned(Register::apply(&mut state, &call.op)),
        };
    }
}

fn lie(call: &mut Call, value: Value) {
    call.outcome = match &call.outcome {
        Outcome::Returned(RegisterRet::Value(_)) => Outcome::Returned(RegisterRet::Value(value)),
        Outcome::Returned(RegisterRet::Mismatch) => Outcome::Returned(RegisterRet::Done),
        Outcome::Returned(RegisterRet::Done) => match &call.op {
            RegisterOp::Cas { .. } => Outcome::Returned(RegisterRet::Mismatch),
            RegisterOp::Write(_) | RegisterOp::Append(_) | RegisterOp::Read => Outcome::Refused,
        },
        Outcome::Refused | Outcome::Unknown => call.outcome.clone(),
    };
}

pub fn history(calls: &[Call]) -> History {
    let mark = |position: usize| Mark { index: position as u64, time: 0 };
    let operation = |(process, call): (u64, &Call)| Operation {
        process,
        f: Register::FUNCTIONS[Register::function(&call.op)].name.into(),
        input: Register::input(&call.op),
        invoked: mark(call.from),
        completed: Some(mark(call.until)),
        outcome: match &call.outcome {
            Outcome::Returned(ret) => Outcome::Returned(Register::completion(&call.op, ret)),
            Outcome::Refused => Outcome::Refused,
            Outcome::Unknown => Outcome::Unknown,
        },
        purpose: call.purpose,
        node: None,
    };
    History { operations: (0..).zip(calls).map(operation).collect() }
}

/// Whether some order of `left` explains every result: all orders are tried.
pub fn has_order(left: &[Call], state: &Value) -> bool {
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
        let ret = Register::apply(&mut state, &call.op);
        let agrees = !call.returned() || call.outcome == Outcome::Returned(ret);
        agrees && has_order(&[&left[..i], &left[i + 1..]].concat(), &state)
    })
}
