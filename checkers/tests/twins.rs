//! Each checker against a twin too dumb to be wrong, on many thousands of small random histories.
//!
//! The twins try every order there is.

mod random;

use checkers::{Budget, Model, linearizable, no_lost_writes};
use history::{Object, Outcome, Purpose, Register, RegisterOp, RegisterRet, Value, Verdict};
use random::{Call, Dice, has_order, history, recording, unique_recording};

const HISTORIES: u64 = 200_000;

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
fn clusters_agree_with_trying_every_order() {
    let (mut good, mut bad, mut searched) = (0, 0, 0);
    for seed in 0..2 * HISTORIES {
        let calls = unique_recording(seed);
        let history = history(&calls);
        let judgement = linearizable(&history, Model::CasRegister, None, &Budget::states(100_000)).expect("a register");
        let is_good = has_order(&calls, &Value::Nil);
        match (judgement.verdict, is_good) {
            (Verdict::Vacuous, true) => continue,
            (Verdict::Pass, true) => good += 1,
            (Verdict::Fail, false) => bad += 1,
            (verdict, _) => panic!("seed {seed}: {verdict}: {calls:#?}"),
        }
        searched += u64::from(judgement.methods.iter().any(|method| method.starts_with("search")));
    }
    assert!(good > HISTORIES && bad > HISTORIES / 5, "{good} good, {bad} bad");
    assert!(searched < HISTORIES / 2, "{searched} could not be told");
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
