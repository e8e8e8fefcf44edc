//! Witnesses against what they claim: that they contradict themselves, that nothing can be taken away, and that what was
//! taken away cannot have mattered. The rule and the orders are tried out here in the dumbest way.

mod random;

use checkers::{Budget, Model, linearizable};
use history::{Outcome, Part, RegisterOp, RegisterRet, Value, Verdict};
use random::{Call, Dice, has_order, history, recording, unique_recording};
use std::collections::BTreeSet;

const HISTORIES: u64 = 200_000;

/// A side of an operation, by its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Made(usize),
    Met(usize),
}

/// What it met: this, or anything but this.
fn sight(call: &Call) -> Option<(&Value, bool)> {
    match (&call.op, &call.outcome) {
        (_, Outcome::Refused) => None,
        (RegisterOp::Read, Outcome::Returned(RegisterRet::Value(value))) => Some((value, true)),
        (RegisterOp::Cas { from, .. }, Outcome::Returned(RegisterRet::Mismatch)) => Some((from, false)),
        (RegisterOp::Cas { from, .. }, Outcome::Returned(_) | Outcome::Unknown) => Some((from, true)),
        (RegisterOp::Read | RegisterOp::Write(_) | RegisterOp::Append(_), Outcome::Returned(_) | Outcome::Unknown) => {
            None
        }
    }
}

fn makes(call: &Call) -> bool {
    let may_have_happened = matches!(call.outcome, Outcome::Returned(RegisterRet::Done) | Outcome::Unknown);
    may_have_happened && call.op != RegisterOp::Read
}

fn replaces(call: &Call) -> bool {
    makes(call) && !matches!(call.op, RegisterOp::Append(_))
}

fn latest(call: &Call) -> usize {
    if call.returned() { call.until } else { usize::MAX }
}

/// Whether what `seer` met may be the work of `maker`, in part if there are appends.
fn may_have_met(seer: &Call, maker: &Call, has_appends: bool) -> bool {
    let Some((value, is_it)) = sight(seer) else { return false };
    let begun_in_time = maker.from < latest(seer) && maker.from != seer.from;
    let fits = match &maker.op {
        RegisterOp::Read => false,
        RegisterOp::Append(text) => !is_it || value.to_string().contains(&text.to_string()),
        RegisterOp::Write(made) | RegisterOp::Cas { to: made, .. } if is_it => {
            made == value || has_appends && (made.is_nil() || value.to_string().contains(&made.to_string()))
        }
        RegisterOp::Write(made) | RegisterOp::Cas { to: made, .. } => has_appends || made != value,
    };
    makes(maker) && begun_in_time && fits
}

/// The rule: whose deeds stay with `seer`.
fn needs(calls: &[Call], seer: usize) -> Vec<usize> {
    let has_appends = calls.iter().any(|call| makes(call) && !replaces(call));
    let all = || 0..calls.len();
    let replacement =
        all().filter(|i| replaces(&calls[*i]) && latest(&calls[*i]) < calls[seer].from).max_by_key(|i| calls[*i].from);
    let candidates = all().filter(|i| *i != seer && may_have_met(&calls[seer], &calls[*i], has_appends));
    let is_replaced = |i: &usize| replacement.is_some_and(|k| latest(&calls[*i]) < calls[k].from);
    let (replaced, mut needed): (Vec<usize>, Vec<usize>) = candidates.partition(is_replaced);
    let must_show = needed.is_empty() && sight(&calls[seer]).is_some_and(|(_, is_it)| is_it);
    let shown = replaced.iter().copied().filter(|_| must_show).max_by_key(|i| latest(&calls[*i]));
    if replaced.iter().any(|i| Some(*i) != shown) {
        needed.extend(replacement);
    }
    needed.extend(shown);
    needed
}

fn is_honest(calls: &[Call], sides: &BTreeSet<Side>) -> bool {
    sides.iter().all(|side| match *side {
        Side::Made(_) => true,
        Side::Met(i) => {
            let acts = calls[i].returned() || sides.contains(&Side::Made(i));
            acts && needs(calls, i).into_iter().all(|maker| sides.contains(&Side::Made(maker)))
        }
    })
}

fn reduced(calls: &[Call], sides: &BTreeSet<Side>) -> Vec<Call> {
    let reduce = |(i, call): (usize, &Call)| {
        let mut call = call.clone();
        match (sides.contains(&Side::Made(i)), sides.contains(&Side::Met(i)), &call.op) {
            (false, false, _) => return None,
            (true, false, RegisterOp::Cas { to, .. }) => call.op = RegisterOp::Write(to.clone()),
            (false, true, RegisterOp::Cas { from, .. }) if call.outcome == Outcome::Returned(RegisterRet::Done) => {
                call.outcome = Outcome::Returned(RegisterRet::Value(from.clone()));
                call.op = RegisterOp::Read;
            }
            (_, _, RegisterOp::Read | RegisterOp::Write(_) | RegisterOp::Cas { .. } | RegisterOp::Append(_)) => {}
        }
        Some(call)
    };
    calls.iter().enumerate().filter_map(reduce).collect()
}

/// The record when the offender had its answer.
fn known_by(until: usize, calls: &[Call]) -> Vec<Call> {
    let mut known: Vec<Call> = calls.iter().filter(|call| call.from < until).cloned().collect();
    for call in known.iter_mut().filter(|call| call.until > until) {
        call.outcome = if makes(call) { Outcome::Unknown } else { Outcome::Refused };
    }
    known
}

fn sides_of(calls: &[Call]) -> Vec<Side> {
    let met = (0..calls.len()).filter(|i| sight(&calls[*i]).is_some()).map(Side::Met);
    met.chain((0..calls.len()).filter(|i| makes(&calls[*i])).map(Side::Made)).collect()
}

/// Every honest subset, by trying all.
fn honest_subsets(calls: &[Call], of: &[Side]) -> Vec<BTreeSet<Side>> {
    let subset = |bits: u32| -> BTreeSet<Side> {
        let chosen = of.iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1);
        chosen.map(|(_, side)| *side).collect()
    };
    (0..1u32 << of.len()).map(subset).filter(|sides| is_honest(calls, sides)).collect()
}

#[test]
fn an_honest_part_of_a_good_history_is_good() {
    let mut tried = 0;
    for seed in 0..HISTORIES / 4 {
        let calls = recording(seed);
        let all = sides_of(&calls);
        if !has_order(&calls, &Value::Nil) || all.is_empty() {
            continue;
        }
        // Some eight sides of all, so that there are not too many to try.
        let mut dice = Dice(seed);
        let mut some: Vec<Side> = all.clone();
        while some.len() > 8 {
            some.swap_remove(dice.below(some.len()));
        }
        for sides in honest_subsets(&calls, &some) {
            tried += 1;
            assert!(has_order(&reduced(&calls, &sides), &Value::Nil), "seed {seed}, {sides:?}: {calls:#?}");
        }
    }
    assert!(tried > HISTORIES / 2, "{tried} tried");
}

#[test]
fn a_witness_contradicts_itself_and_no_honest_part_of_it_does() {
    let (mut bad, mut largest) = (0, 0);
    for seed in 0..2 * HISTORIES {
        let calls = if seed % 2 == 0 { recording(seed / 2) } else { unique_recording(seed) };
        let judgement = linearizable(&history(&calls), Model::CasRegister, None, &Budget::states(100_000));
        let judgement = judgement.expect("a register");
        if judgement.verdict != Verdict::Fail {
            assert!(judgement.witness.is_none(), "seed {seed}");
            continue;
        }
        bad += 1;
        let witness = judgement.witness.expect("a violation has a witness");
        assert!(witness.is_minimal, "seed {seed}: {witness:#?}");
        let offender = &witness.operations[witness.offender.expect("somebody is to blame")];
        let calls = known_by(calls[offender.index].until, &calls);
        let mut sides = BTreeSet::new();
        for op in &witness.operations {
            let (made, met) = (Side::Made(op.index), Side::Met(op.index));
            sides.extend(match op.part {
                Part::Wrote => vec![made],
                Part::Met => vec![met],
                Part::Both => vec![made, met],
                Part::Shown => vec![],
            });
        }
        assert!(is_honest(&calls, &sides), "seed {seed}: {witness:#?} {calls:#?}");
        assert!(!has_order(&reduced(&calls, &sides), &Value::Nil), "seed {seed}: {witness:#?} {calls:#?}");
        largest = largest.max(sides.len());
        let all: Vec<Side> = sides.iter().copied().collect();
        for fewer in honest_subsets(&calls, &all).into_iter().filter(|fewer| *fewer != sides) {
            assert!(
                has_order(&reduced(&calls, &fewer), &Value::Nil),
                "seed {seed}, {fewer:?}: {witness:#?} {calls:#?}"
            );
        }
    }
    assert!(bad > HISTORIES / 5 && largest > 5, "{bad} bad, the largest of {largest} sides");
}
