//! Clusters against the search, on histories too long to try every order of.

mod dice;

use checkers::{Budget, Judgement, Model, linearizable};
use dice::Dice;
use history::{Completion, Data, History, Mark, Object, Operation, Outcome, Purpose};
use history::{Register, RegisterOp, RegisterRet, Value, Verdict};

/// A register that is really run; in about half of the cases some results are made up.
fn recording(seed: u64) -> History {
    let mut dice = Dice(seed);
    let count = 20 + dice.below(100);
    let span = 20 + dice.below(40);
    let (has_cas, has_mismatches, lies) = (dice.one_in(2), dice.one_in(3), dice.below(5));
    let mut calls: Vec<(usize, usize, RegisterOp)> = Vec::new();
    for i in 1..=count {
        let from = 20 * i + dice.below(20);
        let fresh = Value::Int(i as i64);
        let op = match dice.below(if has_cas { 6 } else { 4 }) {
            0..2 => RegisterOp::Read,
            2..4 => RegisterOp::Write(fresh),
            _ => RegisterOp::Cas { from: Value::Int(i as i64 - 1 - dice.below(4) as i64), to: fresh },
        };
        calls.push((from, from + 1 + dice.below(span), op));
    }
    calls.sort_by_key(|(from, ..)| *from);
    let mut effects: Vec<(usize, usize)> = Vec::new();
    for (i, (from, until, _)) in calls.iter().enumerate() {
        effects.push((100 * from + dice.below(100 * (until - from)), i));
    }
    effects.sort_unstable();
    let mut state = Value::Nil;
    let mut outcomes = vec![Outcome::Unknown; calls.len()];
    for (_, i) in effects {
        if let RegisterOp::Cas { from, .. } = &mut calls[i].2
            && !(has_mismatches && dice.one_in(2))
        {
            *from = state.clone();
        }
        outcomes[i] = match dice.below(20) {
            0 if dice.one_in(2) => Outcome::Unknown,
            1 => Outcome::Refused,
            0 => {
                Register::apply(&mut state, &calls[i].2);
                Outcome::Unknown
            }
            _ => Outcome::Returned(Register::apply(&mut state, &calls[i].2)),
        };
    }
    for _ in 0..lies {
        let liar = dice.below(count);
        if let Outcome::Returned(RegisterRet::Value(Value::Int(read))) = &mut outcomes[liar] {
            *read -= dice.below(4) as i64;
        }
    }
    let mark = |index: usize| Mark { index: index as u64, time: 0 };
    let operations = (0..).zip(calls.into_iter().zip(outcomes)).map(|(process, ((from, until, op), outcome))| {
        let outcome = match outcome {
            Outcome::Returned(ret) => Outcome::Returned(Register::completion(&op, &ret)),
            Outcome::Refused => Outcome::Refused,
            Outcome::Unknown => Outcome::Unknown,
        };
        // Some positions are shared: a record may hold anything.
        operation(process, &op, mark(from), Some(mark(until)), outcome)
    });
    History { operations: operations.collect() }
}

fn operation(
    process: u64,
    op: &RegisterOp,
    invoked: Mark,
    completed: Option<Mark>,
    outcome: Outcome<Completion>,
) -> Operation {
    Operation {
        process,
        f: Register::FUNCTIONS[Register::function(op)].name.into(),
        input: Register::input(op),
        invoked,
        completed,
        outcome,
        purpose: Purpose::Load,
        node: None,
    }
}

/// The same, begun with a value that was written twice and read, and gone again: so that values no longer tell who wrote them.
fn muddled(history: &History) -> History {
    let x = Value::text("x");
    let calls = [
        (RegisterOp::Write(x.clone()), RegisterRet::Done),
        (RegisterOp::Write(x.clone()), RegisterRet::Done),
        (RegisterOp::Read, RegisterRet::Value(x)),
        (RegisterOp::Write(Value::Nil), RegisterRet::Done),
    ];
    let before = (0..).zip(calls).map(|(i, (op, ret))| {
        let (invoked, completed) = (Mark { index: 2 * i, time: 0 }, Mark { index: 2 * i + 1, time: 0 });
        let outcome = Outcome::Returned(Register::completion(&op, &ret));
        operation(1_000_000, &op, invoked, Some(completed), outcome)
    });
    History { operations: before.chain(history.operations.iter().cloned()).collect() }
}

fn judged(history: &History) -> Judgement {
    linearizable(history, Model::CasRegister, None, &Budget::states(20_000)).expect("registers")
}

fn is_by(judgement: &Judgement, method: &str) -> bool {
    judgement.methods.iter().any(|by| by.starts_with(method))
}

/// What was known before the operation returned that did so after `count` others.
fn beginning(history: &History, count: usize) -> History {
    let returned = |operation: &&Operation| matches!(operation.outcome, Outcome::Returned(_));
    let mut ends: Vec<u64> =
        history.operations.iter().filter(returned).filter_map(|op| op.completed).map(|mark| mark.index).collect();
    ends.sort_unstable();
    let until = if count < ends.len() { ends[count] - 1 } else { u64::MAX };
    let begun = history.operations.iter().filter(|operation| operation.invoked.index <= until);
    let known = begun.map(|operation| {
        let mut operation = operation.clone();
        if operation.completed.is_some_and(|mark| mark.index > until) && operation.outcome != Outcome::Refused {
            operation.outcome = Outcome::Unknown;
        }
        operation
    });
    History { operations: known.collect() }
}

#[test]
fn clusters_and_search_agree() {
    const HISTORIES: u64 = 8_000;
    let (mut good, mut bad, mut open, mut noted) = (0, 0, 0, 0);
    for seed in 0..HISTORIES {
        let history = recording(seed);
        let judgement = judged(&history);
        let searched = judged(&muddled(&history));
        assert!(is_by(&searched, "search"), "seed {seed}: {:?}", searched.methods);
        if searched.verdict == Verdict::Unknown || judgement.verdict == Verdict::Unknown {
            open += 1;
            continue;
        }
        assert_eq!(judgement.verdict, searched.verdict, "seed {seed}: {judgement:#?}");
        match judgement.verdict {
            Verdict::Pass => good += 1,
            Verdict::Fail => {
                bad += 1;
                let witness = judgement.witness.as_ref().expect("a violation has a witness");
                assert!(witness.is_minimal && witness.operations.len() <= 9, "seed {seed}: {witness:#?}");
            }
            Verdict::Unknown | Verdict::Vacuous => unreachable!("they returned something"),
        }
        let Some(note) = judgement.notes.first() else { continue };
        noted += 1;
        let ordered = note.split(' ').nth(2).and_then(|number| number.parse().ok()).expect("the first 12 of 34 …");
        // Four at the most end at one place.
        for (count, expected) in [(ordered, Verdict::Pass), (ordered + 4, Verdict::Fail)] {
            let verdict = judged(&muddled(&beginning(&history, count))).verdict;
            assert_eq!(verdict, expected, "seed {seed}: {count}: {note}");
        }
    }
    assert!(good > HISTORIES / 3 && bad > HISTORIES / 5, "{good} good, {bad} bad");
    assert!(open < HISTORIES / 100 && noted > HISTORIES / 6, "{open} undecided, {noted} noted");
}
