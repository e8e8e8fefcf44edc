//! A claimed order is put to the test where clusters cannot tell: whatever it says, the verdict is that of trying every order.

mod random;

use checkers::{Budget, Judgement, Model, Question, judge};
use history::{History, Object, Outcome, Register, Value, Verdict};
use random::{Call, Dice, has_order, history, recording, unique_recording};

const REPLAYED: &str = "the run's own order, replayed";

fn judged(history: &History, hint: Option<&[usize]>) -> Judgement {
    let question = Question { hint, ..Question::of(Model::CasRegister) };
    judge(history, &question, &Budget::states(100_000)).expect("a register")
}

/// Whether nobody asks for the hint.
fn is_told_by_clusters(history: &History) -> bool {
    judged(history, None).methods == ["clusters and zones"]
}

/// An order that explains every result, if there is one: all are tried.
fn find(calls: &[Call], state: &Value, taken: &mut Vec<usize>) -> bool {
    let left = |taken: &[usize]| -> Vec<usize> { (0..calls.len()).filter(|i| !taken.contains(i)).collect() };
    if left(taken).iter().all(|i| !calls[*i].returned()) {
        return true;
    }
    let rest = left(taken);
    for i in &rest {
        let call = &calls[*i];
        let may_be_next = rest.iter().all(|j| !calls[*j].returned() || calls[*j].until > call.from);
        let mut next = state.clone();
        let ret = Register::apply(&mut next, &call.op);
        let agrees = !call.returned() || call.outcome == Outcome::Returned(ret);
        if may_be_next && agrees && call.outcome != Outcome::Refused {
            taken.push(*i);
            if find(calls, &next, taken) {
                return true;
            }
            taken.pop();
        }
    }
    false
}

#[test]
fn a_right_order_is_taken_and_with_its_reads_left_out_too() {
    let mut replayed = 0;
    for seed in 0..40_000 {
        let calls = if seed % 2 == 0 { recording(seed) } else { unique_recording(seed) };
        let history = history(&calls);
        let mut order = Vec::new();
        if !calls.iter().any(Call::returned) || is_told_by_clusters(&history) || !find(&calls, &Value::Nil, &mut order)
        {
            continue;
        }
        let observes = |i: &usize| history.operations[*i].f == "read";
        let writes: Vec<usize> = order.iter().copied().filter(|i| !observes(i)).collect();
        for hint in [&order, &writes] {
            let judgement = judged(&history, Some(hint));
            assert_eq!(judgement.verdict, Verdict::Pass, "seed {seed}");
            assert_eq!(judgement.methods, [REPLAYED], "seed {seed}: {hint:?} {history:#?}");
        }
        replayed += 1;
    }
    assert!(replayed > 2_000, "{replayed}");
}

/// Whether `order` is one by the letter: all that returned and some of unknown outcome, nothing twice, nobody after someone who
/// began when he was done, every result right.
fn is_order(calls: &[Call], order: &[usize]) -> bool {
    let mut state = Value::Nil;
    let is_right = order.iter().enumerate().all(|(place, i)| {
        let Some(call) = calls.get(*i) else { return false };
        let ret = Register::apply(&mut state, &call.op);
        let is_late = order[..place].iter().any(|before| call.returned() && call.until < calls[*before].from);
        let agrees = !call.returned() || call.outcome == Outcome::Returned(ret);
        agrees && !is_late && call.outcome != Outcome::Refused && !order[..place].contains(i)
    });
    is_right && (0..calls.len()).all(|i| !calls[i].returned() || order.contains(&i))
}

#[test]
fn a_wrong_order_changes_nothing() {
    let (mut taken, mut refused) = (0, 0);
    for seed in 0..100_000 {
        let calls = recording(seed);
        let history = history(&calls);
        let mut dice = Dice(!seed);
        let mut order: Vec<usize> = (0..calls.len()).collect();
        for _ in 0..dice.below(4) {
            let (i, j) = (dice.below(order.len()), dice.below(order.len()));
            order.swap(i, j);
        }
        match dice.below(6) {
            0 => _ = order.pop(),
            1 => order.push(dice.below(calls.len() + 1)),
            2 => order.retain(|i| calls[*i].returned()),
            _ => order.retain(|i| calls[*i].outcome != Outcome::Refused),
        }
        let judgement = judged(&history, Some(&order));
        let is_replayed = judgement.methods == [REPLAYED];
        assert_eq!(judgement.witness, judged(&history, None).witness, "seed {seed}: {order:?}");
        let is_good = has_order(&calls, &Value::Nil);
        let expected = match (calls.iter().any(Call::returned), is_good) {
            (false, _) => Verdict::Vacuous,
            (true, true) => Verdict::Pass,
            (true, false) => Verdict::Fail,
        };
        assert_eq!(judgement.verdict, expected, "seed {seed}: {order:?} {history:#?}");
        let says_all = order.iter().all(|i| *i < calls.len())
            && (0..calls.len()).all(|i| !calls[i].returned() || order.contains(&i));
        if says_all && expected != Verdict::Vacuous && !is_told_by_clusters(&history) {
            assert_eq!(is_replayed, is_order(&calls, &order), "seed {seed}: {order:?} {history:#?}");
        }
        if is_replayed { taken += 1 } else { refused += 1 }
    }
    assert!(taken > 5_000 && refused > 20_000, "{taken} taken, {refused} refused");
}
