//! What holds at a level holds at all weaker ones, whatever the history: whether a level is asked for alone or stands in
//! the table, and however odd the history is (appends, values written twice, nil written, processes that do two things
//! at once, compare-and-sets of the same, reads of what never happened).

mod random;

use checkers::{Budget, Consistency, Model, Question, judge, ladder};
use history::{Completion, History, Mark, Operation, Outcome, Purpose, Register, Value, Verdict};
use random::{Call, Dice};
use std::cell::Cell;
use std::collections::BTreeMap;

use Consistency::{
    Causal, CausalConvergence, CausalMemory, Linearizable, MonotonicReads, MonotonicWrites, Pram, ReadAtomic,
    ReadCommitted, ReadUncommitted, ReadYourWrites, RepeatableRead, Sequential, Serializable, SnapshotIsolation,
    StrictSerializable, StrongSessionSerializable, WritesFollowReads,
};

/// Which level follows at once from which.
const REGISTERS: [(Consistency, Consistency); 11] = [
    (Linearizable, Sequential),
    (Sequential, CausalConvergence),
    (Sequential, CausalMemory),
    (CausalConvergence, Causal),
    (CausalMemory, Causal),
    (CausalMemory, Pram),
    (Causal, ReadYourWrites),
    (Causal, WritesFollowReads),
    (Pram, ReadYourWrites),
    (Pram, MonotonicReads),
    (Pram, MonotonicWrites),
];
const TRANSACTIONS: [(Consistency, Consistency); 10] = [
    (StrictSerializable, StrongSessionSerializable),
    (StrongSessionSerializable, Serializable),
    (StrongSessionSerializable, Causal),
    (Serializable, RepeatableRead),
    (RepeatableRead, Serializable),
    (Serializable, SnapshotIsolation),
    (SnapshotIsolation, ReadAtomic),
    (Causal, ReadAtomic),
    (ReadAtomic, ReadCommitted),
    (ReadCommitted, ReadUncommitted),
];

/// Asks for every level alone and for all in a table; what was said of each.
fn consider(
    history: &History,
    question: &Question<'_>,
    steps: &[(Consistency, Consistency)],
) -> BTreeMap<Consistency, Verdict> {
    let budget = Budget::states(100_000);
    let rungs = ladder(history, question, &budget).expect("a history of this model");
    let mut verdicts = BTreeMap::new();
    for level in Consistency::ALL {
        let Some(rung) = rungs.iter().find(|rung| rung.name == level.name()) else { continue };
        let asked = Question { level: Some(level), ..question.clone() };
        let alone = judge(history, &asked, &budget).expect("a level of this model");
        let is_told = |verdict: Verdict| verdict != Verdict::Unknown;
        if is_told(alone.verdict) && is_told(rung.verdict) {
            assert_eq!(alone.verdict, rung.verdict, "{}: {alone:#?} {rung:#?} {history:#?}", level.name());
        }
        assert_eq!(alone.verdict == Verdict::Fail, alone.witness.is_some(), "{alone:#?} {history:#?}");
        for questions in [0_u32, 1, 2, 5] {
            let left = Cell::new(questions);
            let keep_going = || left.replace(left.get().saturating_sub(1)) > 0;
            let hurried = Budget { states: 100_000, keep_going: &keep_going };
            let found = judge(history, &asked, &hurried).expect("a level of this model");
            let is_right = found.verdict == alone.verdict || found.verdict == Verdict::Unknown;
            assert!(is_right, "{} after {questions}: {found:#?} {alone:#?} {history:#?}", level.name());
            assert_eq!(found.verdict == Verdict::Fail, found.witness.is_some(), "{found:#?} {history:#?}");
        }
        for verdict in [alone.verdict, rung.verdict].into_iter().filter(|verdict| is_told(*verdict)) {
            verdicts.insert(level, verdict);
        }
    }
    for (strong, weak) in steps {
        let (Some(strong_verdict), Some(weak_verdict)) = (verdicts.get(strong), verdicts.get(weak)) else { continue };
        let (strong, weak) = (strong.name(), weak.name());
        let is_at_odds = *strong_verdict == Verdict::Pass && *weak_verdict == Verdict::Fail;
        assert!(!is_at_odds, "{strong} holds and {weak} does not: {rungs:#?} {history:#?}");
        let is_vacuous = |verdict: &Verdict| *verdict == Verdict::Vacuous;
        assert_eq!(is_vacuous(strong_verdict), is_vacuous(weak_verdict), "{strong}, {weak}: {history:#?}");
    }
    verdicts
}

/// Whether some order that keeps that of each process explains every result: all orders are tried.
fn has_common_order(left: &[(u64, Call)], state: &Value) -> bool {
    use history::Object as _;
    if !left.iter().any(|(_, call)| call.returned()) {
        return true;
    }
    (0..left.len()).any(|i| {
        let (process, call) = &left[i];
        let is_earlier =
            |(other, earlier): &(u64, Call)| other == process && earlier.returned() && earlier.until < call.from;
        if call.outcome == Outcome::Refused || left.iter().any(is_earlier) {
            return false;
        }
        let mut state = state.clone();
        let ret = Register::apply(&mut state, &call.op);
        let agrees = !call.returned() || call.outcome == Outcome::Returned(ret);
        agrees && has_common_order(&[&left[..i], &left[i + 1..]].concat(), &state)
    })
}

#[test]
fn registers_stand_on_a_ladder() {
    let mut counts: BTreeMap<(Consistency, Verdict), u64> = BTreeMap::new();
    for seed in 0..12_000 {
        let mut dice = Dice(seed ^ 0xabcd);
        let calls = if dice.one_in(2) { random::recording(seed) } else { random::unique_recording(seed) };
        let mut history = random::history(&calls);
        let is_odd = dice.one_in(4);
        let mut owned: Vec<(u64, Call)> = Vec::new();
        for (operation, call) in history.operations.iter_mut().zip(&calls) {
            let is_busy = |process: &u64| {
                let is_open = |earlier: &Call| earlier.outcome == Outcome::Unknown || earlier.until > call.from;
                owned.iter().any(|(other, earlier)| other == process && is_open(earlier))
            };
            let free: Vec<u64> = (0..8).filter(|process| is_odd || !is_busy(process)).collect();
            operation.process = free[dice.below(free.len().min(3))];
            owned.push((operation.process, call.clone()));
        }
        let question = Question::of(Model::CasRegister);
        let verdicts = consider(&history, &question, &REGISTERS);
        let tell = || format!("seed {seed}: {owned:?}");
        let is_linearizable = random::has_order(&calls, &Value::Nil);
        assert!(verdicts.get(&Linearizable) != Some(&Verdict::Pass) || is_linearizable, "{}", tell());
        assert!(verdicts.get(&Linearizable) != Some(&Verdict::Fail) || !is_linearizable, "{}", tell());
        let has_common_order = has_common_order(&owned, &Value::Nil);
        match verdicts.get(&Sequential).filter(|_| !is_odd) {
            Some(Verdict::Pass) => assert!(has_common_order, "{}", tell()),
            Some(Verdict::Fail) => assert!(!has_common_order, "{}", tell()),
            Some(Verdict::Unknown | Verdict::Vacuous) | None => {}
        }
        for (level, verdict) in verdicts {
            assert!(
                verdict != Verdict::Fail || level <= Sequential || !has_common_order,
                "{}: {}",
                level.name(),
                tell()
            );
            *counts.entry((level, verdict)).or_default() += 1;
        }
    }
    for (_, weak) in REGISTERS {
        for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Vacuous] {
            assert!(counts.get(&(weak, verdict)).is_some_and(|count| *count > 50), "{}: {counts:#?}", weak.name());
        }
    }
}

/// Transactions that read and write whatever they like.
fn transactions(seed: u64, is_lists: bool) -> History {
    let mut dice = Dice(seed);
    let (count, keys, values) = (1 + dice.below(5), 1 + dice.below(2), 2 + dice.below(5));
    let mut operations = Vec::new();
    let mut lists: Vec<Vec<Value>> = vec![Vec::new(); keys];
    let mut index = 0;
    for _ in 0..count {
        let (mut asked, mut told) = (Vec::new(), Vec::new());
        for _ in 0..1 + dice.below(3) {
            let (key, value) = (dice.below(keys), dice.value(values));
            let micro = |f: &str, value: Value| Value::List([Value::text(f), Value::Int(key as i64), value].into());
            if dice.one_in(2) {
                let seen = match (is_lists, dice.below(4)) {
                    (true, 0) => Value::List(lists[key].iter().take(2).cloned().collect()),
                    (true, 1) => Value::Nil,
                    (true, _) => Value::List(lists[key].clone().into()),
                    (false, 0) => value,
                    (false, _) => lists[key].last().cloned().unwrap_or_default(),
                };
                asked.push(micro("r", Value::Nil));
                told.push(micro("r", seen));
            } else {
                lists[key].push(value.clone());
                let micro = micro(if is_lists { "append" } else { "w" }, value);
                asked.push(micro.clone());
                told.push(micro);
            }
        }
        index += 1 + dice.below(3) as u64;
        let outcome = match dice.below(8) {
            0 => Outcome::Unknown,
            1 => Outcome::Refused,
            _ => Outcome::Returned(Completion::Ok(Value::List(told.into()))),
        };
        operations.push(Operation {
            process: dice.below(3) as u64,
            f: "txn".into(),
            input: Value::List(asked.into()),
            invoked: Mark { index: 2 * index, time: 0 },
            completed: Some(Mark { index: 2 * index + 1 + 2 * dice.below(4) as u64, time: 0 }),
            outcome,
            purpose: Purpose::Load,
            node: None,
        });
    }
    History { operations }
}

#[test]
fn transactions_stand_on_a_ladder() {
    let mut counts: BTreeMap<(Consistency, Verdict), u64> = BTreeMap::new();
    for seed in 0..12_000 {
        let mut dice = Dice(seed ^ 0xabcd);
        let is_lists = dice.one_in(2);
        let history = transactions(seed, is_lists);
        let model = if is_lists { Model::ListAppend } else { Model::RwRegister };
        let initial = if is_lists || dice.one_in(2) { None } else { Some(Value::Int(1)) };
        let (is_complete, has_real_time) = (!dice.one_in(4), !dice.one_in(4));
        let question = Question { initial, is_complete, has_real_time, ..Question::of(model) };
        for told in consider(&history, &question, &TRANSACTIONS) {
            *counts.entry(told).or_default() += 1;
        }
    }
    for (_, weak) in TRANSACTIONS {
        for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Vacuous] {
            assert!(counts.get(&(weak, verdict)).is_some_and(|count| *count > 50), "{}: {counts:#?}", weak.name());
        }
    }
}
