//! The monitors of sets, locks and counters against a twin that tries every order.

mod dice;
mod objects;

use checkers::{Budget, Judgement, Model, Question, judge};
use dice::Dice;
use history::{
    Completion, Counter, CounterOp, CounterRet, Decided, Decree, DecreeAsk, DecreeOp, Mutex, MutexOp, MutexRet, Object,
    Outcome, Set, SetOp, SetRet, Value, Verdict,
};
use objects::{Call, has_order, history, recording};
use std::collections::BTreeSet;

const HISTORIES: u64 = 200_000;

#[derive(Default)]
struct Tally {
    good: u64,
    bad: u64,
    vacuous: u64,
    longest: usize,
}

impl Tally {
    /// Compares a judgement with the twin's, and any argument with what an argument must be.
    fn add<O: Object>(&mut self, seed: u64, calls: &[Call<O>], start: &O::State, judgement: &Judgement) {
        let expected = match (calls.iter().any(Call::returned), has_order(calls, start)) {
            (false, _) => Verdict::Vacuous,
            (true, true) => Verdict::Pass,
            (true, false) => Verdict::Fail,
        };
        assert_eq!(judgement.verdict, expected, "seed {seed}: {judgement:#?} {:#?}", history(calls));
        match expected {
            Verdict::Pass => self.good += 1,
            Verdict::Vacuous => self.vacuous += 1,
            Verdict::Fail | Verdict::Unknown => {
                self.bad += 1;
                let witness = judgement.witness.as_ref().expect("a violation has a witness");
                self.longest = self.longest.max(witness.operations.len());
                assert!(witness.argument.len() > witness.operations.len(), "seed {seed}: {witness:#?}");
                let named: BTreeSet<usize> = witness.operations.iter().map(|testimony| testimony.index).collect();
                let reads = witness.operations.iter().filter(|testimony| testimony.f == "read");
                let first = reads.map(|read| calls[read.index].from).min().unwrap_or_default();
                // What was over before the first read may be told as a sum.
                let counts = |i: usize, call: &Call<O>| named.contains(&i) || call.returned() && call.until < first;
                let left: Vec<(bool, Call<O>)> =
                    calls.iter().enumerate().map(|(i, call)| (counts(i, call), call.clone())).collect();
                assert!(!may_be_ordered(&left, start), "seed {seed}: {witness:#?} {:#?}", history(calls));
            }
        }
    }

    fn check(&self, longest: usize) {
        let Tally { good, bad, vacuous, longest: found } = self;
        assert!(
            *good > HISTORIES / 3 && *bad > HISTORIES / 8 && *vacuous > 0,
            "{good} good, {bad} bad, {vacuous} vacuous"
        );
        assert!(*found <= longest, "{found} operations in one argument");
    }
}

/// Whether those that are named have an order, where each of the others may also be left out, and tells nothing.
fn may_be_ordered<O: Object>(left: &[(bool, Call<O>)], state: &O::State) -> bool {
    if !left.iter().any(|(is_named, call)| *is_named && call.returned()) {
        return true;
    }
    (0..left.len()).any(|i| {
        let (is_named, call) = &left[i];
        let may_be_next =
            left.iter().all(|(is_named, other)| !is_named || !other.returned() || other.until > call.from);
        if !may_be_next || call.outcome == Outcome::Refused {
            return false;
        }
        let mut next = state.clone();
        let ret = O::apply(&mut next, &call.op);
        let agrees = !call.returned() || call.outcome == Outcome::Returned(ret);
        let is_left = |(other, (_, call)): &(usize, &(bool, Call<O>))| {
            *other != i && (!call.returned() || call.until > left[i].1.from)
        };
        let others: Vec<(bool, Call<O>)> =
            left.iter().enumerate().filter(is_left).map(|(_, other)| other.clone()).collect();
        (agrees || !is_named) && may_be_ordered(&others, &next)
    })
}

fn asked<O: Object>(calls: &[Call<O>], question: &Question<'_>) -> Judgement {
    judge(&history(calls), question, &Budget::states(100_000)).expect("the model's own operations")
}

#[test]
fn sets_agree_with_trying_every_order() {
    let mut tally = Tally::default();
    for seed in 0..HISTORIES {
        let mut dice = Dice(seed);
        let elements = 1 + dice.below(5);
        let starts_with: BTreeSet<Value> = if dice.one_in(8) { [Value::Int(0)].into() } else { BTreeSet::new() };
        let make = |dice: &mut Dice| match dice.below(2) {
            0 => SetOp::Add(Value::Int(dice.below(elements) as i64)),
            _ => SetOp::Read,
        };
        let mut calls = recording::<Set>(&mut dice, 7, &starts_with, make, |_| true);
        let liar = dice.below(calls.len());
        if let (Outcome::Returned(SetRet::Elements(read)), true) = (&mut calls[liar].outcome, dice.one_in(2)) {
            let element = Value::Int(dice.below(elements + 1) as i64);
            if !read.remove(&element) {
                read.insert(element);
            }
        }
        let initial = Some(starts_with.clone().into());
        let judgement = asked(&calls, &Question { initial, ..Question::of(Model::Set) });
        tally.add(seed, &calls, &starts_with, &judgement);
    }
    tally.check(3);
}

#[test]
fn locks_agree_with_trying_every_order() {
    let mut tally = Tally::default();
    for seed in 0..HISTORIES {
        let mut dice = Dice(seed);
        let mut calls = recording::<Mutex>(
            &mut dice,
            8,
            &false,
            |dice| if dice.one_in(2) { MutexOp::Acquire } else { MutexOp::Release },
            |ret| *ret == MutexRet::Done,
        );
        let liar = dice.below(calls.len());
        if calls[liar].outcome == Outcome::Refused && dice.one_in(2) {
            calls[liar].outcome = Outcome::Returned(MutexRet::Done);
        }
        let judgement = asked(&calls, &Question::of(Model::Mutex));
        tally.add(seed, &calls, &false, &judgement);
    }
    tally.check(8);
}

fn counters(amounts: &dyn Fn(&mut Dice) -> i64) -> Tally {
    let mut tally = Tally::default();
    for seed in 0..HISTORIES {
        let mut dice = Dice(seed);
        let start = dice.below(3) as i64;
        let make = |dice: &mut Dice| match dice.below(2) {
            0 => CounterOp::Add(amounts(dice)),
            _ => CounterOp::Read,
        };
        let mut calls = recording::<Counter>(&mut dice, 7, &start, make, |_| true);
        let liar = dice.below(calls.len());
        if let (Outcome::Returned(CounterRet::Sum(sum)), true) = (&mut calls[liar].outcome, dice.one_in(2)) {
            *sum += [-2, -1, 1, 2][dice.below(4)];
        }
        let judgement = asked(&calls, &Question { initial: Some(start.into()), ..Question::of(Model::Counter) });
        tally.add(seed, &calls, &start, &judgement);
    }
    tally
}

#[test]
fn counters_of_one_step_agree_with_trying_every_order() {
    counters(&|_| 1).check(7);
    counters(&|dice| if dice.one_in(5) { 0 } else { -2 }).check(7);
}

#[test]
fn counters_of_any_step_agree_with_trying_every_order() {
    counters(&|dice| [3, 1, 1, 2, -1, -2, 5][dice.below(7)]).check(7);
}

#[test]
fn decrees_agree_with_trying_every_order() {
    let mut tally = Tally::default();
    for seed in 0..HISTORIES {
        let mut dice = Dice(seed);
        let values = 1 + dice.below(3);
        let make = |dice: &mut Dice| {
            let ask = match dice.below(8) {
                0..3 => DecreeAsk::Read,
                3 if dice.one_in(4) => DecreeAsk::Propose(Value::Nil),
                _ => DecreeAsk::Propose(Value::Int(dice.below(values) as i64)),
            };
            DecreeOp { key: u32::from(dice.one_in(5)), ask }
        };
        let mut calls = recording::<Decree>(&mut dice, 7, &Vec::new(), make, |_| true);
        let liar = dice.below(calls.len());
        if let (Outcome::Returned(Decided(value)), true) = (&mut calls[liar].outcome, dice.one_in(2)) {
            *value = if dice.one_in(3) { Value::Nil } else { Value::Int(dice.below(values + 1) as i64) };
        }
        let judgement = asked(&calls, &Question::of(Model::Decree));
        tally.add(seed, &calls, &Vec::new(), &judgement);
    }
    tally.check(3);
}

/// A lock as it must be if acquires tell tokens: (whether it is held, the highest token so far).
fn has_order_by_token(left: &[(Call<Mutex>, Option<i64>)], is_held: bool, token: Option<i64>) -> bool {
    if !left.iter().any(|(call, _)| call.returned()) {
        return true;
    }
    (0..left.len()).any(|i| {
        let (call, got) = &left[i];
        let may_be_next = left.iter().all(|(other, _)| !other.returned() || other.until > call.from);
        let mut will_be_held = is_held;
        let is_right = Mutex::apply(&mut will_be_held, &call.op) == MutexRet::Done && (got.is_none() || *got > token);
        let others = || [&left[..i], &left[i + 1..]].concat();
        may_be_next
            && call.outcome != Outcome::Refused
            && is_right
            && has_order_by_token(&others(), will_be_held, got.or(token))
    })
}

#[test]
fn locks_with_tokens_agree_with_trying_every_order() {
    let (mut good, mut bad) = (0, 0);
    for seed in 0..HISTORIES {
        let mut dice = Dice(seed);
        let make = |dice: &mut Dice| if dice.one_in(2) { MutexOp::Acquire } else { MutexOp::Release };
        let calls = recording::<Mutex>(&mut dice, 8, &false, make, |ret| *ret == MutexRet::Done);
        let is_holder = |call: &Call<Mutex>| call.op == MutexOp::Acquire && call.returned();
        let mut tokens: Vec<i64> = (0..calls.len() as i64).collect();
        for _ in 0..dice.below(2 * calls.len()) {
            let (i, j) = (dice.below(tokens.len()), dice.below(tokens.len()));
            tokens.swap(i, j);
            tokens[i] += i64::from(dice.one_in(4));
        }
        let got = |(call, token): (&Call<Mutex>, i64)| (call.clone(), Some(token).filter(|_| is_holder(call)));
        let mut told: Vec<(Call<Mutex>, Option<i64>)> = calls.iter().zip(tokens).map(got).collect();
        let mut history = history(&calls);
        for (operation, (_, token)) in history.operations.iter_mut().zip(&mut told) {
            *token = token.filter(|_| !dice.one_in(6));
            if let Some(token) = *token {
                operation.outcome = Outcome::Returned(Completion::Ok(Value::Int(token)));
            }
        }
        let judgement = judge(&history, &Question::of(Model::Mutex), &Budget::states(1)).expect("a lock");
        let expected = match (calls.iter().any(Call::returned), has_order_by_token(&told, false, None)) {
            (false, _) => Verdict::Vacuous,
            (true, true) => Verdict::Pass,
            (true, false) => Verdict::Fail,
        };
        assert_eq!(judgement.verdict, expected, "seed {seed}: {judgement:#?} {history:#?}");
        good += u64::from(expected == Verdict::Pass);
        bad += u64::from(expected == Verdict::Fail);
    }
    assert!(good > HISTORIES / 3 && bad > HISTORIES / 20, "{good} good, {bad} bad");
}

/// What became of one element, read by read, as the words say it: stable, lost or never read; and whether it was stale.
fn fate(calls: &[Call<Set>], element: &Value) -> (&'static str, bool) {
    let shows = |call: &&Call<Set>| matches!(&call.outcome, Outcome::Returned(SetRet::Elements(read)) if read.contains(element));
    let reads: Vec<&Call<Set>> = calls.iter().filter(|call| call.op == SetOp::Read && call.returned()).collect();
    let added = calls.iter().filter(|call| call.op == SetOp::Add(element.clone()) && call.returned());
    let known = added.chain(reads.iter().copied().filter(shows)).map(|call| call.until).min();
    let since = |call: &&&Call<Set>| known.is_some_and(|known| call.from > known);
    match (reads.last(), reads.iter().filter(since).all(shows)) {
        (Some(last), is_fresh) if shows(last) => ("stable", !is_fresh),
        (Some(last), _) if since(&last) => ("lost", false),
        _ => ("never read", false),
    }
}

#[test]
fn elements_meet_the_fate_that_the_words_say() {
    let mut tally = [0; 3];
    for seed in 0..HISTORIES {
        let mut dice = Dice(seed);
        let make = |dice: &mut Dice| match dice.below(3) {
            0 => SetOp::Add(Value::Int(dice.below(3) as i64)),
            _ => SetOp::Read,
        };
        let mut calls = recording::<Set>(&mut dice, 8, &BTreeSet::new(), make, |_| true);
        let liar = dice.below(calls.len());
        if let Outcome::Returned(SetRet::Elements(read)) = &mut calls[liar].outcome {
            read.pop_first();
        }
        let history = history(&calls);
        let judgement = judge(&history, &Question::of(Model::SetFull), &Budget::states(1)).expect("a set");
        let elements: BTreeSet<&Value> = calls
            .iter()
            .filter_map(|call| match &call.op {
                SetOp::Add(element) if call.outcome != Outcome::Refused => Some(element),
                SetOp::Add(_) | SetOp::Read => None,
            })
            .collect();
        let fates: Vec<(&str, bool)> = elements.iter().map(|element| fate(&calls, element)).collect();
        let count = |fate: &str| fates.iter().filter(|(other, _)| *other == fate).count();
        let (lost, stable, never_read) = (count("lost"), count("stable"), count("never read"));
        let stale = fates.iter().filter(|(_, is_stale)| *is_stale).count();
        let told = format!("{lost} lost, {stable} stable ({stale} stale), {never_read} never read");
        assert!(judgement.detail.contains(&told), "seed {seed}: {told}: {judgement:#?} {history:#?}");
        let expected = match (lost, calls.iter().any(Call::returned)) {
            (_, false) => Verdict::Vacuous,
            (0, true) => Verdict::Pass,
            (_, true) => Verdict::Fail,
        };
        assert_eq!(judgement.verdict, expected, "seed {seed}: {judgement:#?} {history:#?}");
        for (sum, count) in tally.iter_mut().zip([lost, stale, never_read]) {
            *sum += count as u64;
        }
    }
    assert!(tally.iter().all(|count| *count > HISTORIES / 40), "{tally:?} lost, stale, never read");
}
