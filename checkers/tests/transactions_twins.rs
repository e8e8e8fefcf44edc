//! Transactions against twins too dumb to be wrong, on many thousands of small random histories.
//!
//! The twins keep or drop what nobody heard of again, try every order, and look at the definitions: serial execution; snapshots
//! with starts and commits in any order; Biswas and Enea's axioms over all commit orders.

#[expect(dead_code, reason = "of what makes registers, only the dice are needed")]
mod random;

use checkers::{Budget, Consistency, Model, Question, judge, ladder};
use history::{Completion, History, Mark, Operation, Outcome, Purpose, Value, Verdict};
use random::Dice;

const HISTORIES: u64 = 60_000; // By kind; 220 000 in all.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Ok,
    Unknown,
    Aborted,
}

/// A read and what it met, or a write or append of one number.
#[derive(Clone, Debug)]
struct Micro {
    is_read: bool,
    key: usize,
    value: Vec<i64>,
}

#[derive(Clone, Debug)]
struct Txn {
    process: u64,
    from: usize,
    until: usize,
    fate: Fate,
    micros: Vec<Micro>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Lists,
    Registers,
}

type Store = Vec<Vec<i64>>;

fn apply(store: &mut Store, micro: &Micro, kind: Kind) {
    if kind == Kind::Registers {
        store[micro.key].clear();
    }
    store[micro.key].extend(&micro.value);
}

/// Transactions that are really run, one after the other, from snapshots, or each read by itself; and possibly lied about.
fn recording(seed: u64, kind: Kind, is_unique: bool) -> Vec<Txn> {
    let mut dice = Dice(seed);
    let (count, keys, processes) = (2 + dice.below(3), 1 + dice.below(3), 1 + dice.below(3));
    let mut txns: Vec<Txn> = Vec::new();
    let mut value = 0;
    let mut busy = vec![0; processes];
    for _ in 0..count {
        let process = dice.below(processes);
        let from = busy[process] + dice.below(4);
        let until = from + 1 + dice.below(8);
        busy[process] = until + 1;
        let fate = [Fate::Unknown, Fate::Aborted, Fate::Ok, Fate::Ok, Fate::Ok, Fate::Ok, Fate::Ok][dice.below(7)];
        let mut micros = Vec::new();
        for _ in 0..1 + dice.below(3) {
            let (is_read, key) = (dice.one_in(2), dice.below(keys));
            value += i64::from(is_unique || !dice.one_in(3));
            micros.push(Micro { is_read, key, value: if is_read { Vec::new() } else { vec![value] } });
        }
        txns.push(Txn { process: process as u64, from, until, fate, micros });
    }
    run(&mut txns, keys, kind, &mut dice);
    if dice.one_in(3) {
        lie(&mut txns, kind, &mut dice);
    }
    spread(&mut txns);
    txns
}

fn run(txns: &mut [Txn], keys: usize, kind: Kind, dice: &mut Dice) {
    let style = dice.below(4);
    let mut store: Store = vec![Vec::new(); keys];
    let mut past: Vec<Store> = vec![store.clone()];
    let mut order: Vec<(usize, usize)> = Vec::new();
    for (at, txn) in txns.iter().enumerate() {
        let late = if txn.fate == Fate::Unknown { 9 } else { 0 };
        order.push((txn.from + dice.below(txn.until - txn.from + late), at));
    }
    order.sort_unstable();
    for (_, at) in order {
        let mut seen = match style {
            0 | 1 => store.clone(),
            _ => past[dice.below(past.len())].clone(),
        };
        let takes_place = match txns[at].fate {
            Fate::Ok => true,
            Fate::Unknown => dice.one_in(2),
            Fate::Aborted => dice.one_in(8),
        };
        for micro in &mut txns[at].micros {
            if micro.is_read {
                if style == 3 {
                    seen[micro.key].clone_from(&past[dice.below(past.len())][micro.key]);
                }
                micro.value.clone_from(&seen[micro.key]);
            } else {
                apply(&mut seen, micro, kind);
                if takes_place {
                    apply(&mut store, micro, kind);
                    if dice.one_in(10) {
                        past.push(store.clone());
                    }
                }
            }
        }
        past.push(store.clone());
    }
}

fn lie(txns: &mut [Txn], kind: Kind, dice: &mut Dice) {
    let values: Vec<i64> =
        txns.iter().flat_map(|txn| &txn.micros).filter(|micro| !micro.is_read).map(|micro| micro.value[0]).collect();
    let mut reads: Vec<&mut Micro> =
        txns.iter_mut().flat_map(|txn| &mut txn.micros).filter(|micro| micro.is_read).collect();
    if reads.is_empty() || values.is_empty() {
        return;
    }
    let at = dice.below(reads.len());
    let value = if dice.one_in(12) { 99 } else { values[dice.below(values.len())] };
    let read = &mut reads[at].value;
    match (kind, dice.below(4)) {
        (Kind::Registers, 0) => read.clear(),
        (Kind::Registers, _) => *read = vec![value],
        (Kind::Lists, 0) => drop(read.pop()),
        (Kind::Lists, 1) => read.push(value),
        (Kind::Lists, 2) => read.reverse(),
        (Kind::Lists, _) => read.clear(),
    }
}

/// Gives every event a place of its own.
fn spread(txns: &mut [Txn]) {
    let mut events: Vec<(usize, bool, usize)> = Vec::new();
    for (at, txn) in txns.iter().enumerate() {
        events.extend([(txn.from, false, at), (txn.until, true, at)]);
    }
    events.sort_unstable();
    for (place, (_, is_end, at)) in events.into_iter().enumerate() {
        if is_end {
            txns[at].until = place;
        } else {
            txns[at].from = place;
        }
    }
    txns.sort_by_key(|txn| txn.from);
}

fn history(txns: &[Txn], kind: Kind) -> History {
    let mark = |place: usize| Mark { index: place as u64, time: 0 };
    let micro = |micro: &Micro, knows: bool| {
        let list = || Value::List(micro.value.iter().map(|value| Value::Int(*value)).collect());
        let value = match (micro.is_read, kind) {
            (true, _) if !knows => Value::Nil,
            (true, Kind::Lists) => list(),
            (_, _) => micro.value.first().map_or(Value::Nil, |value| Value::Int(*value)),
        };
        let f = match (micro.is_read, kind) {
            (true, _) => "r",
            (false, Kind::Lists) => "append",
            (false, Kind::Registers) => "w",
        };
        Value::List([Value::text(f), Value::Int(micro.key as i64), value].into())
    };
    let operation = |txn: &Txn| {
        let micros = |knows| Value::List(txn.micros.iter().map(|each| micro(each, knows)).collect());
        Operation {
            process: txn.process,
            f: "txn".into(),
            input: micros(false),
            invoked: mark(txn.from),
            completed: Some(mark(txn.until)),
            outcome: match txn.fate {
                Fate::Ok => Outcome::Returned(Completion::Ok(micros(true))),
                Fate::Unknown => Outcome::Unknown,
                Fate::Aborted => Outcome::Refused,
            },
            purpose: Purpose::Load,
            node: None,
        }
    };
    History { operations: txns.iter().map(operation).collect() }
}

/// What an order has to keep.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Keeps {
    Nothing,
    Sessions,
    RealTime,
}

fn must_precede(a: &Txn, b: &Txn, keeps: Keeps) -> bool {
    let is_ok = a.fate == Fate::Ok;
    let in_session = keeps >= Keeps::Sessions && a.process == b.process && a.from < b.from;
    is_ok && (in_session || keeps == Keeps::RealTime && a.until < b.from)
}

/// All choices of those that nobody heard of again, with those that committed.
fn choices(txns: &[Txn]) -> Vec<Vec<&Txn>> {
    let mut choices: Vec<Vec<&Txn>> = vec![Vec::new()];
    for txn in txns.iter().filter(|txn| txn.fate != Fate::Aborted) {
        let without = choices.clone();
        choices.iter_mut().for_each(|choice| choice.push(txn));
        if txn.fate == Fate::Unknown {
            choices.extend(without);
        }
    }
    choices
}

/// Runs a transaction on what it sees; `None` if it read otherwise.
fn ran(txn: &Txn, mut seen: Store, kind: Kind) -> Option<Store> {
    for micro in &txn.micros {
        if !micro.is_read {
            apply(&mut seen, micro, kind);
        } else if txn.fate == Fate::Ok && seen[micro.key] != micro.value {
            return None;
        }
    }
    Some(seen)
}

fn is_serial(left: &[&Txn], store: &Store, kind: Kind, keeps: Keeps) -> bool {
    left.is_empty()
        || (0..left.len()).any(|at| {
            left.iter().all(|other| !must_precede(other, left[at], keeps))
                && ran(left[at], store.clone(), kind)
                    .is_some_and(|store| is_serial(&[&left[..at], &left[at + 1..]].concat(), &store, kind, keeps))
        })
}

fn writes(txn: &Txn, key: usize) -> bool {
    txn.micros.iter().any(|micro| !micro.is_read && micro.key == key)
}

/// `waiting` have not started, `open` have.
fn is_snapshot(waiting: &[&Txn], open: &[&Txn], store: &Store, kind: Kind, keeps: Keeps) -> bool {
    if waiting.is_empty() && open.is_empty() {
        return true;
    }
    let commits = (0..open.len()).any(|at| {
        let mut store = store.clone();
        open[at].micros.iter().filter(|micro| !micro.is_read).for_each(|micro| apply(&mut store, micro, kind));
        is_snapshot(waiting, &[&open[..at], &open[at + 1..]].concat(), &store, kind, keeps)
    });
    commits
        || (0..waiting.len()).any(|at| {
            let txn = waiting[at];
            let clashes = |other: &&Txn| (0..store.len()).any(|key| writes(txn, key) && writes(other, key));
            let is_first = waiting.iter().chain(open).all(|other| !must_precede(other, txn, keeps));
            is_first
                && !open.iter().any(clashes)
                && ran(txn, store.clone(), kind).is_some()
                && is_snapshot(
                    &[&waiting[..at], &waiting[at + 1..]].concat(),
                    &[open, &[txn]].concat(),
                    store,
                    kind,
                    keeps,
                )
        })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Weak {
    ReadUncommitted,
    ReadCommitted,
    ReadAtomic,
    Causal,
}

/// Whether some commit order of `txns` satisfies the level's axioms: all are tried.
fn has_commit_order(txns: &[&Txn], keys: usize, kind: Kind, level: Weak, of_sessions: bool) -> bool {
    fn orders<'a>(done: &mut Vec<&'a Txn>, left: &[&'a Txn], holds: &dyn Fn(&[&Txn]) -> bool) -> bool {
        if left.is_empty() {
            return holds(done);
        }
        (0..left.len()).any(|at| {
            done.push(left[at]);
            let found = orders(done, &[&left[..at], &left[at + 1..]].concat(), holds);
            done.pop();
            found
        })
    }
    orders(&mut Vec::new(), txns, &|order| satisfies(order, keys, kind, level, of_sessions))
}

/// Everything about one commit order. Transactions are known by their places in it.
fn satisfies(order: &[&Txn], keys: usize, kind: Kind, level: Weak, of_sessions: bool) -> bool {
    let appended = |key: usize| -> Vec<(i64, usize)> {
        let all = order.iter().enumerate().flat_map(|(at, txn)| txn.micros.iter().map(move |micro| (micro, at)));
        all.filter(|(micro, _)| !micro.is_read && micro.key == key).map(|(micro, at)| (micro.value[0], at)).collect()
    };
    let versions: Vec<Vec<(i64, usize)>> = (0..keys).map(appended).collect();
    if level == Weak::ReadUncommitted {
        return kind == Kind::Registers || order.iter().all(|txn| reads_in_order(txn, &versions));
    }
    // Who read which key from whom (`None`: the beginning), in its own order.
    let mut sources: Vec<Vec<(usize, Option<usize>)>> = Vec::new();
    for (at, txn) in order.iter().enumerate() {
        let Some(found) = reads_from(txn, at, &versions, kind) else { return false };
        sources.push(found);
    }
    let keeps = if of_sessions || level == Weak::Causal { Keeps::Sessions } else { Keeps::Nothing };
    let count = order.len();
    let mut sees = vec![vec![false; count]; count];
    for b in 0..count {
        for a in 0..count {
            let is_source = sources[b].iter().any(|(_, source)| *source == Some(a));
            sees[b][a] = a != b && (is_source || must_precede(order[a], order[b], keeps));
            if sees[b][a] && a > b {
                return false;
            }
        }
    }
    if level == Weak::Causal {
        for middle in 0..count {
            for b in 0..count {
                for a in 0..count {
                    sees[b][a] |= sees[b][middle] && sees[middle][a];
                }
            }
        }
    }
    let is_later = |read: &Option<usize>, other: usize| read.is_some_and(|read| other < read);
    (0..count).all(|b| {
        sources[b].iter().enumerate().all(|(place, (key, source))| {
            (0..count).filter(|a| Some(*a) != *source && *a != b && writes(order[*a], *key)).all(|a| match level {
                Weak::ReadUncommitted => true,
                Weak::ReadCommitted if !of_sessions => true,
                Weak::ReadCommitted => {
                    let before = sources[b][..place].iter().any(|(_, earlier)| *earlier == Some(a));
                    !before || is_later(source, a)
                }
                Weak::ReadAtomic | Weak::Causal => !sees[b][a] || is_later(source, a),
            })
        })
    })
}

/// Whether what a transaction read, but for what was aborted, is in the order of versions, none left out.
fn reads_in_order(txn: &Txn, versions: &[Vec<(i64, usize)>]) -> bool {
    let is_read = |micro: &&Micro| micro.is_read && txn.fate == Fate::Ok;
    txn.micros.iter().filter(is_read).all(|micro| {
        let order: Vec<i64> = versions[micro.key].iter().map(|(value, _)| *value).collect();
        let committed: Vec<i64> = micro.value.iter().copied().filter(|value| order.contains(value)).collect();
        order.starts_with(&committed)
    })
}

/// What a transaction read of others; `None` if it cannot have read that.
fn reads_from(txn: &Txn, at: usize, versions: &[Vec<(i64, usize)>], kind: Kind) -> Option<Vec<(usize, Option<usize>)>> {
    let mut sources = Vec::new();
    for (place, micro) in txn.micros.iter().enumerate().filter(|(_, micro)| micro.is_read && txn.fate == Fate::Ok) {
        let own = txn.micros[..place].iter().filter(|own| !own.is_read && own.key == micro.key);
        let own: Vec<i64> = own.map(|own| own.value[0]).collect();
        let order = &versions[micro.key];
        let is_whole = |taken: usize| order.get(taken).is_none_or(|next| next.1 != order[taken - 1].1);
        let source = match kind {
            Kind::Registers if !own.is_empty() => {
                if micro.value.last() != own.last() {
                    return None;
                }
                continue;
            }
            Kind::Registers => match micro.value.first() {
                None => None,
                Some(value) => {
                    let taken = order.iter().position(|(other, _)| other == value)? + 1;
                    if !is_whole(taken) {
                        return None;
                    }
                    Some(order[taken - 1].1)
                }
            },
            Kind::Lists => {
                let others = micro.value.strip_suffix(&own[..])?;
                // What a transaction reads is what the list was, its own elements included.
                let is_beginning = micro.value.iter().zip(order).all(|(value, (other, _))| value == other);
                let is_too_long = micro.value.len() > order.len();
                if !is_beginning || is_too_long || !others.is_empty() && !is_whole(others.len()) {
                    return None;
                }
                others.len().checked_sub(1).map(|last| order[last].1)
            }
        };
        if source == Some(at) {
            return None;
        }
        sources.push((micro.key, source));
    }
    Some(sources)
}

/// What no level allows: values from nowhere, doubles, lists without one order.
fn is_sane(txns: &[Txn], kind: Kind) -> bool {
    let ok = || txns.iter().filter(|txn| txn.fate == Fate::Ok);
    let written = |key: usize, value: i64| {
        txns.iter()
            .any(|txn| txn.micros.iter().any(|micro| !micro.is_read && micro.key == key && micro.value[0] == value))
    };
    let reads: Vec<&Micro> = ok().flat_map(|txn| &txn.micros).filter(|micro| micro.is_read).collect();
    // A register's own wrong value is at odds with the transaction first.
    let counts = |micro: &&&Micro| {
        kind == Kind::Lists
            || !ok().any(|txn| {
                let place = txn.micros.iter().position(|other| std::ptr::eq(other, **micro));
                place.is_some_and(|place| txn.micros[..place].iter().any(|own| !own.is_read && own.key == micro.key))
            })
    };
    let has_sources = reads.iter().filter(counts).all(|read| read.value.iter().all(|value| written(read.key, *value)));
    let is_plain = |read: &&Micro| (1..read.value.len()).all(|at| !read.value[..at].contains(&read.value[at]));
    let agree = |a: &Micro, b: &Micro| a.key != b.key || a.value.iter().zip(&b.value).all(|(x, y)| x == y);
    let is_one_order = kind == Kind::Registers || reads.iter().all(|a| reads.iter().all(|b| agree(a, b)));
    has_sources && reads.iter().all(is_plain) && is_one_order
}

/// What the definitions say of a level.
fn truth(txns: &[Txn], kind: Kind, level: Consistency, of_sessions: bool) -> bool {
    const KEYS: usize = 3;
    let least = if of_sessions { Keeps::Sessions } else { Keeps::Nothing };
    let store: Store = vec![Vec::new(); KEYS];
    choices(txns).iter().any(|choice| {
        let weak = |level| is_sane(txns, kind) && has_commit_order(choice, KEYS, kind, level, of_sessions);
        match level {
            Consistency::StrictSerializable => is_serial(choice, &store, kind, Keeps::RealTime),
            Consistency::StrongSessionSerializable => is_serial(choice, &store, kind, Keeps::Sessions),
            Consistency::Serializable | Consistency::RepeatableRead => is_serial(choice, &store, kind, least),
            Consistency::SnapshotIsolation => is_snapshot(choice, &[], &store, kind, least),
            Consistency::Causal => weak(Weak::Causal),
            Consistency::ReadAtomic => weak(Weak::ReadAtomic),
            Consistency::ReadCommitted => weak(Weak::ReadCommitted),
            // Who was seen took place, or else was aborted for certain.
            Consistency::ReadUncommitted => {
                let is_seen = |txn: &Txn| {
                    let reads = choice.iter().flat_map(|reader| &reader.micros).filter(|micro| micro.is_read);
                    let mut writes = txn.micros.iter().filter(|micro| !micro.is_read);
                    let reads: Vec<&Micro> = reads.collect();
                    writes.any(|write| reads.iter().any(|r| r.key == write.key && r.value.contains(&write.value[0])))
                };
                let is_dropped = |txn: &&Txn| !choice.iter().any(|kept| kept.from == txn.from);
                let mut dropped = txns.iter().filter(|txn| txn.fate == Fate::Unknown).filter(is_dropped);
                !dropped.any(is_seen) && weak(Weak::ReadUncommitted)
            }
            Consistency::Linearizable
            | Consistency::Sequential
            | Consistency::CausalConvergence
            | Consistency::CausalMemory
            | Consistency::Pram
            | Consistency::ReadYourWrites
            | Consistency::MonotonicReads
            | Consistency::MonotonicWrites
            | Consistency::WritesFollowReads => unreachable!("no level of transactions"),
        }
    })
}

/// Compares all levels; returns how many passed, failed, and stayed unknown.
fn compare(txns: &[Txn], kind: Kind, of_sessions: bool, is_unique: bool, seed: u64) -> [u64; 3] {
    let model = if kind == Kind::Lists { Model::ListAppend } else { Model::RwRegister };
    let (history, mut counts) = (history(txns, kind), [0; 3]);
    let question = Question { has_real_time: !of_sessions, ..Question::of(model) };
    let rungs = ladder(&history, &question, &Budget::states(100_000)).expect("transactions");
    for rung in rungs {
        let level = Consistency::from_name(rung.name).expect("rungs are levels");
        if !is_unique && level < Consistency::StrictSerializable
            || !is_unique && level > Consistency::SnapshotIsolation && level != Consistency::RepeatableRead
        {
            continue;
        }
        let say = || format!("seed {seed}, {kind:?}, sessions {of_sessions}, {}: {rung:#?} {txns:#?}", rung.name);
        match rung.verdict {
            Verdict::Pass => {
                assert!(truth(txns, kind, level, of_sessions), "passed: {}", say());
                counts[0] += 1;
            }
            Verdict::Fail => {
                assert!(!truth(txns, kind, level, of_sessions), "failed: {}", say());
                assert!(rung.witness.is_some(), "{}", say());
                counts[1] += 1;
            }
            Verdict::Unknown => {
                assert!(!is_unique, "unknown: {}", say());
                counts[2] += 1;
            }
            Verdict::Vacuous => assert!(txns.iter().all(|txn| txn.fate != Fate::Ok), "{}", say()),
        }
        if seed.is_multiple_of(16) {
            let question = Question { level: Some(level), ..question.clone() };
            let judgement = judge(&history, &question, &Budget::states(100_000)).expect("transactions");
            assert_eq!(judgement.verdict, rung.verdict, "{}", say());
        }
    }
    counts
}

fn compare_many(kind: Kind, of_sessions: bool, is_unique: bool, histories: u64) -> [u64; 3] {
    let mut counts = [0; 3];
    for seed in 0..histories {
        let txns = recording(seed, kind, is_unique);
        let found = compare(&txns, kind, of_sessions, is_unique, seed);
        (0..3).for_each(|at| counts[at] += found[at]);
    }
    let [passed, failed, unknown] = counts;
    assert!(passed > histories && failed > histories, "{passed} passed, {failed} failed, {unknown} unknown");
    counts
}

#[test]
fn lists_agree_with_trying_every_order() {
    compare_many(Kind::Lists, false, true, HISTORIES);
}

#[test]
fn registers_agree_with_trying_every_order() {
    compare_many(Kind::Registers, false, true, HISTORIES);
}

#[test]
fn sessions_agree_with_trying_every_order() {
    compare_many(Kind::Registers, true, true, HISTORIES);
    compare_many(Kind::Lists, true, true, HISTORIES / 6);
}

#[test]
fn values_written_twice_are_never_judged_wrong() {
    let [_, _, unknown] = compare_many(Kind::Registers, false, false, HISTORIES / 4);
    assert!(unknown > 0);
    compare_many(Kind::Lists, false, false, HISTORIES / 4);
}
