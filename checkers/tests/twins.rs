//! Each checker against a twin too dumb to be wrong, on many thousands of small random histories.
//!
//! The twins try every order there is. The histories come from a register that was really run, with a lie told about
//! one result in half of them; few values and much overlap make good and bad about equally likely.

use checkers::{Budget, Model, linearizable, no_lost_writes};
use history::{Data, History, Mark, Object, Operation, Outcome, Purpose, Register, RegisterOp, RegisterRet};
use history::{Value, Verdict};

const HISTORIES: u64 = 200_000;

/// splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) % bound as u64) as usize
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn value(&mut self, values: usize) -> Value {
        match self.below(values + 1) {
            0 => Value::Nil,
            n => Value::Int(n as i64),
        }
    }
}

/// An operation as the twins see it.
#[derive(Clone)]
struct Call {
    op: RegisterOp,
    outcome: Outcome<RegisterRet>,
    /// From when to when it may have taken effect.
    from: usize,
    until: usize,
    purpose: Purpose,
}

impl Call {
    fn returned(&self) -> bool {
        matches!(self.outcome, Outcome::Returned(_))
    }
}

/// A register that is really run, and possibly lied about.
fn recording(seed: u64) -> Vec<Call> {
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
    run(&mut calls, &mut dice);
    if dice.one_in(2) {
        let liar = dice.below(count);
        lie(&mut calls[liar], dice.value(values));
    }
    calls
}

/// Lets every operation take effect somewhere in its interval, and some never be heard of again.
fn run(calls: &mut [Call], dice: &mut Dice) {
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

fn history(calls: &[Call]) -> History {
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
fn has_order(left: &[Call], state: &Value) -> bool {
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

#[test]
fn the_search_agrees_with_trying_every_order() {
    let (mut good, mut bad, mut vacuous) = (0, 0, 0);
    for seed in 0..HISTORIES {
        let calls = recording(seed);
        let history = history(&calls);
        let judgement = linearizable(&history, Model::CasRegister, None, &Budget::states(100_000)).expect("a register");
        let expected = match (calls.iter().any(Call::returned), has_order(&calls, &Value::Nil)) {
            (false, _) => Verdict::Vacuous,
            (true, true) => Verdict::Pass,
            (true, false) => Verdict::Fail,
        };
        assert_eq!(judgement.verdict, expected, "seed {seed}: {history:#?}");
        match expected {
            Verdict::Pass => good += 1,
            Verdict::Vacuous => vacuous += 1,
            Verdict::Fail | Verdict::Unknown => {
                bad += 1;
                let witness = judgement.witness.expect("a violation has a witness");
                assert!((2..=9).contains(&witness.argument.len()), "seed {seed}: {witness:#?}");
            }
        }
    }
    assert!(good > HISTORIES / 3 && bad > HISTORIES / 5 && vacuous > 0, "{good} good, {bad} bad, {vacuous} vacuous");
}

#[test]
fn a_small_budget_never_changes_the_answer() {
    let mut unknown = 0;
    for seed in 0..HISTORIES / 10 {
        let history = history(&recording(seed));
        let judge = |states| {
            let judgement = linearizable(&history, Model::CasRegister, None, &Budget::states(states));
            judgement.expect("a register").verdict
        };
        let full = judge(100_000);
        for states in [0, 1, 2, 5] {
            let verdict = judge(states);
            assert!(
                verdict == full || verdict == Verdict::Unknown,
                "seed {seed}, {states} states: {verdict}, not {full}"
            );
            unknown += u64::from(verdict == Verdict::Unknown);
        }
    }
    assert!(unknown > HISTORIES / 20, "{unknown} unknown");
}

/// Whether some of `left`, in an order that the record allows and with the one invoked at `must` among them, turn
/// `state` into `wanted`: all choices and orders are tried.
fn can_end_as(left: &[Call], state: &Value, wanted: &Value, must: Option<usize>) -> bool {
    if must.is_none() && state == wanted {
        return true;
    }
    (0..left.len()).any(|i| {
        let call = &left[i];
        let op = match &call.op {
            // What it met is of no interest here.
            RegisterOp::Cas { to, .. } => RegisterOp::Write(to.clone()),
            RegisterOp::Write(_) | RegisterOp::Append(_) | RegisterOp::Read => call.op.clone(),
        };
        let mut state = state.clone();
        Register::apply(&mut state, &op);
        // Whoever was done before this one began cannot follow it.
        let may_follow = |other: &&Call| other.from != call.from && (!other.returned() || other.until > call.from);
        let followers: Vec<Call> = left.iter().filter(may_follow).cloned().collect();
        can_end_as(&followers, &state, wanted, must.filter(|must| *must != call.from))
    })
}

#[test]
fn lost_writes_agree_with_trying_every_order() {
    let (mut kept, mut lost) = (0, 0);
    for seed in 0..HISTORIES {
        let mut calls = recording(seed);
        let has_appends = calls.iter().any(|call| matches!(call.op, RegisterOp::Append(_)));
        let mut dice = Dice(!seed);
        let end = 2 * calls.len();
        let value = dice.value(3);
        let outcome = Outcome::Returned(RegisterRet::Value(value.clone()));
        let final_read = Call { op: RegisterOp::Read, outcome, from: end, until: end + 1, purpose: Purpose::FinalRead };
        calls.push(final_read);
        let judgement = no_lost_writes(&history(&calls), Model::Register).expect("a register");
        let may_have_written = |call: &&Call| {
            let is_unknown_write = call.outcome == Outcome::Unknown && call.op != RegisterOp::Read;
            call.outcome == Outcome::Returned(RegisterRet::Done) || is_unknown_write
        };
        let writes: Vec<Call> = calls.iter().filter(may_have_written).cloned().collect();
        let acknowledged = (0..writes.len()).filter(|i| writes[*i].returned());
        let (mut count, mut gone) = (0, 0);
        for i in acknowledged {
            count += 1;
            gone += usize::from(!can_end_as(&writes, &Value::Nil, &value, Some(writes[i].from)));
        }
        let expected = match (count, gone) {
            (0, _) => Verdict::Vacuous,
            (_, 0) => Verdict::Pass,
            _ => Verdict::Fail,
        };
        if has_appends {
            // Appends are judged leniently, never harshly.
            let is_harsh = judgement.verdict == Verdict::Fail && gone == 0;
            assert!(!is_harsh, "seed {seed}: {judgement:#?} {:#?}", history(&calls));
            continue;
        }
        assert_eq!(judgement.verdict, expected, "seed {seed}: {judgement:#?} {:#?}", history(&calls));
        match expected {
            Verdict::Fail => {
                let counts = format!("{gone} of {count} acknowledged write{} lost", if count == 1 { "" } else { "s" });
                assert_eq!(judgement.detail, counts, "seed {seed}");
                lost += 1;
            }
            Verdict::Pass | Verdict::Unknown | Verdict::Vacuous => kept += 1,
        }
    }
    assert!(kept > HISTORIES / 10 && lost > HISTORIES / 10, "{kept} kept, {lost} lost");
}
