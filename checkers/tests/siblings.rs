//! Siblings and carts: what must be found, what must not, and a twin that asks for every value by itself.

mod dice;

use checkers::{
    Budget, Consistency, Judgement, Model, Question, judge_strictly, ladder, most_siblings, no_lost_writes,
    no_resurrected_deletes, staleness,
};
use dice::Dice;
use history::Verdict::{self, Fail, Pass, Unknown, Vacuous};
use history::{Completion, History, Mark, Operation, Outcome, Purpose, Value};
use std::collections::BTreeSet;

/// What an operation did.
#[derive(Clone, Debug)]
enum Did {
    Write(i64, Vec<i64>),
    Delete(Vec<i64>),
    Read(Vec<i64>),
    Final(Vec<i64>),
}

/// Of which process, from when, until when (`None` if nobody knows how it ended), what.
type Line = (u64, u64, Option<u64>, Did);

fn list(values: &[i64]) -> Value {
    Value::List(values.iter().map(|value| Value::Int(*value)).collect())
}

fn record(lines: &[Line]) -> History {
    let mut lines = lines.to_vec();
    lines.sort_by_key(|(_, began, ..)| *began);
    let at_key = |value: Value| Value::pair(Value::text("k0"), value);
    let mark = |index: u64| Mark { index, time: index * 1_000_000 };
    let operation = |(process, began, ended, did): Line| {
        let (f, input, output) = match &did {
            Write(value, replaced) => {
                let input = Value::pair((*value).into(), list(replaced));
                ("write", input.clone(), input)
            }
            Delete(replaced) => ("delete", list(replaced), list(replaced)),
            Read(values) | Final(values) => ("read", Value::Nil, list(values)),
        };
        Operation {
            process,
            f: f.into(),
            input: at_key(input),
            invoked: mark(began),
            completed: ended.map(mark),
            outcome: ended.map_or(Outcome::Unknown, |_| Outcome::Returned(Completion::Ok(at_key(output)))),
            purpose: if matches!(did, Final(_)) { Purpose::FinalRead } else { Purpose::Load },
            node: None,
        }
    };
    History { operations: lines.into_iter().map(operation).collect() }
}

/// One after the other, each of another process but for those named.
fn in_a_row(did: &[(u64, Did)]) -> History {
    let lines = (0..).zip(did).map(|(at, (process, did))| (*process, 2 * at, Some(2 * at + 1), did.clone()));
    record(&lines.collect::<Vec<_>>())
}

fn lost(history: &History) -> Judgement {
    no_lost_writes(history, Model::Siblings).expect("siblings")
}

fn back(history: &History) -> Judgement {
    no_resurrected_deletes(history).expect("siblings")
}

fn session(history: &History, model: Model, level: Consistency) -> Verdict {
    let question = Question { level: Some(level), ..Question::of(model) };
    judge_strictly(history, &question, &Budget::states(1)).expect("siblings").verdict
}

use Did::{Delete, Final, Read, Write};

fn w(value: i64, replaced: &[i64]) -> Did {
    Write(value, replaced.to_vec())
}

#[test]
fn a_write_is_lost_unless_something_covers_it() {
    let after =
        |kept: &[i64]| lost(&in_a_row(&[(0, w(1, &[])), (1, w(2, &[1])), (2, w(3, &[])), (3, Final(kept.to_vec()))]));
    assert_eq!(after(&[2, 3]).verdict, Pass);
    assert_eq!(after(&[2, 3]).detail, "3 acknowledged writes, all readable after settle or replaced or deleted since");
    let gone = after(&[2]);
    assert_eq!((gone.verdict, &*gone.detail), (Fail, "1 of 3 acknowledged writes lost"));
    let witness = gone.witness.expect("an argument");
    assert_eq!(witness.headline(), "3 at k0 was acknowledged and is gone");
    assert_eq!(witness.operations.iter().map(|op| op.index).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(after(&[1, 3]).detail, "1 of 3 acknowledged writes lost", "what it replaced does not stand for it");
    assert_eq!(after(&[3]).detail, "2 of 3 acknowledged writes lost");
}

#[test]
fn what_replaced_what_is_followed_through_others_and_through_writes_of_unknown_outcome() {
    let chain = [
        (0, 0, Some(1), w(1, &[])),
        (1, 2, None, w(2, &[1])),
        (2, 4, Some(5), w(3, &[2])),
        (3, 6, Some(7), Final(vec![3])),
    ];
    assert_eq!(lost(&record(&chain)).verdict, Pass);
    let unseen = [(0, 0, Some(1), w(1, &[])), (1, 2, None, w(2, &[1])), (3, 6, Some(7), Final(vec![]))];
    assert_eq!(lost(&record(&unseen)).verdict, Fail, "were it there, it would show");
    let shown = [(0, 0, Some(1), w(1, &[])), (1, 2, None, w(2, &[1])), (3, 6, Some(7), Final(vec![2]))];
    assert_eq!(lost(&record(&shown)).verdict, Pass);
}

#[test]
fn deletes_explain_what_is_gone_whether_or_not_they_were_acknowledged() {
    for ended in [Some(5), None] {
        let deleted = [
            (0, 0, Some(1), w(1, &[])),
            (1, 2, Some(3), w(2, &[1])),
            (2, 4, ended, Delete(vec![2])),
            (3, 6, Some(7), Final(vec![])),
        ];
        assert_eq!(lost(&record(&deleted)).verdict, Pass, "{ended:?}");
    }
    let late = [(0, 0, Some(1), w(1, &[])), (3, 6, Some(7), Final(vec![])), (2, 8, Some(9), Delete(vec![1]))];
    assert_eq!(lost(&record(&late)).verdict, Fail, "nobody had asked for it yet");
}

#[test]
fn nothing_written_and_nothing_read_back_are_no_pass() {
    assert_eq!(lost(&in_a_row(&[(3, Final(vec![]))])).verdict, Vacuous);
    assert_eq!(lost(&in_a_row(&[(0, w(1, &[])), (3, Read(vec![1]))])).verdict, Unknown);
    let overlapping = [(0, 0, Some(9), w(1, &[])), (3, 6, Some(7), Final(vec![]))];
    assert_eq!(lost(&record(&overlapping)).verdict, Unknown, "the read may have come first");
}

#[test]
fn what_nobody_wrote_breaks_everything() {
    let history = in_a_row(&[(0, w(1, &[])), (1, Read(vec![1, 9])), (3, Final(vec![1]))]);
    let found = lost(&history);
    assert_eq!(found.verdict, Fail);
    assert!(found.detail.starts_with("a read of k0 returned 9, which nobody had written"), "{}", found.detail);
    assert_eq!(back(&history).verdict, Fail);
    assert_eq!(session(&history, Model::Siblings, Consistency::MonotonicReads), Fail);
    let early = [(1, 0, Some(1), Read(vec![5])), (0, 2, Some(3), w(5, &[])), (3, 6, Some(7), Final(vec![5]))];
    assert_eq!(lost(&record(&early)).verdict, Fail, "it was asked for later");
}

#[test]
fn what_was_deleted_stays_away() {
    let after = |kept: &[i64]| {
        back(&in_a_row(&[
            (0, w(1, &[])),
            (1, w(2, &[1])),
            (2, Delete(vec![2])),
            (3, w(3, &[])),
            (4, Final(kept.to_vec())),
        ]))
    };
    assert_eq!((after(&[3]).verdict, after(&[]).verdict), (Pass, Pass));
    let again = after(&[2, 3]);
    assert_eq!((again.verdict, &*again.detail), (Fail, "1 deleted value back after 1 acknowledged delete"));
    let witness = again.witness.expect("an argument");
    assert_eq!(witness.headline(), "2 at k0 was deleted and is back");
    assert_eq!(witness.operations.iter().map(|op| op.index).collect::<Vec<_>>(), [1, 2, 4]);
    assert_eq!(after(&[1]).verdict, Fail, "what the deleted value had replaced, too");
    assert_eq!(back(&in_a_row(&[(0, w(1, &[])), (2, Delete(vec![])), (4, Final(vec![1]))])).verdict, Vacuous);
    assert_eq!(back(&in_a_row(&[(0, w(1, &[])), (2, Delete(vec![1]))])).verdict, Unknown);
}

#[test]
fn a_write_still_under_way_may_come_after_the_delete_and_reads_before_healing_may_lag() {
    let seen_early = [
        (0, 0, None, w(1, &[])),
        (1, 2, Some(3), Read(vec![1])),
        (1, 4, Some(5), Delete(vec![1])),
        (3, 6, Some(7), Final(vec![1])),
    ];
    assert_eq!(back(&record(&seen_early)).verdict, Pass);
    let lagging = in_a_row(&[(0, w(1, &[])), (1, Delete(vec![1])), (2, Read(vec![1])), (3, Final(vec![]))]);
    assert_eq!(back(&lagging).verdict, Pass);
    let unknown = [(0, 0, Some(1), w(1, &[])), (1, 2, None, Delete(vec![1])), (3, 6, Some(7), Final(vec![1]))];
    assert_eq!(back(&record(&unknown)).verdict, Vacuous, "it need not have happened");
}

#[test]
fn processes_see_what_they_wrote_and_read() {
    let (own, seen) = (Consistency::ReadYourWrites, Consistency::MonotonicReads);
    let ruled = |did: &[(u64, Did)]| {
        let history = in_a_row(did);
        (session(&history, Model::Siblings, own), session(&history, Model::Siblings, seen))
    };
    assert_eq!(ruled(&[(0, w(1, &[])), (0, Read(vec![1]))]), (Pass, Vacuous));
    assert_eq!(ruled(&[(0, w(1, &[])), (0, Read(vec![]))]), (Fail, Vacuous));
    assert_eq!(ruled(&[(0, w(1, &[])), (1, w(2, &[1])), (0, Read(vec![2]))]), (Pass, Vacuous));
    assert_eq!(ruled(&[(0, w(1, &[])), (1, Delete(vec![1])), (0, Read(vec![]))]), (Pass, Vacuous));
    assert_eq!(ruled(&[(0, w(1, &[])), (0, Delete(vec![1])), (0, Read(vec![1]))]), (Fail, Vacuous), "its own delete");
    assert_eq!(ruled(&[(0, w(1, &[])), (1, Delete(vec![1])), (0, Read(vec![1]))]), (Pass, Vacuous), "another's");
    assert_eq!(ruled(&[(0, w(1, &[])), (1, Read(vec![1])), (1, Read(vec![]))]), (Vacuous, Fail));
    assert_eq!(ruled(&[(0, w(1, &[])), (1, Read(vec![1])), (2, Read(vec![]))]), (Vacuous, Vacuous));
    assert_eq!(ruled(&[(0, w(1, &[])), (0, w(2, &[1])), (1, Read(vec![2])), (1, Read(vec![1]))]), (Vacuous, Fail));
}

#[test]
fn stale_reads_miss_what_was_done_before_they_began() {
    let history =
        in_a_row(&[(0, w(1, &[])), (0, w(2, &[1])), (0, w(3, &[])), (1, Read(vec![2, 3])), (2, Read(vec![1]))]);
    let found = staleness(&history, Model::Siblings, &Value::Nil).expect("siblings");
    assert_eq!((found.reads, found.stale, found.versions_max), (2, 1, 2));
    assert_eq!(found.nanos_max, 5_000_000, "since the second write was done");
    assert_eq!((found.nanos_p50, found.versions_p50), (0, 0));
}

/// What was done is told without its key, and with what it replaced.
#[test]
fn an_argument_says_what_replaced_what() {
    let history =
        in_a_row(&[(0, w(1, &[])), (1, w(2, &[1])), (2, Read(vec![2])), (2, Delete(vec![2])), (3, Final(vec![2]))]);
    let mut witness = back(&history).witness.expect("an argument");
    witness.tell();
    let wanted = [
        "1. p1 wrote 2 to k0, in the place of 1, at 2.000 ms and had it acknowledged at 3.000 ms.",
        "2. After that, p2 deleted 2 from k0 at 6.000 ms and had it acknowledged at 7.000 ms.",
        "3. After that, p3 read k0 at 8.000 ms and got [2] at 9.000 ms.",
        "4. (2) took 2 away, whose writes were all done when it began.",
        "5. (3) began later and returned it all the same.",
    ];
    assert_eq!(witness.argument, wanted);
}

/// What became of a cart.
#[derive(Clone, Copy)]
enum Done<'a> {
    Add(i64),
    Remove(i64),
    Read(&'a [&'a [i64]]),
    ReadLast(&'a [&'a [i64]]),
}

fn cart(done: &[Done<'_>]) -> History {
    let at_key = |value: Value| Value::pair(Value::text("k0"), value);
    let carts = |carts: &[&[i64]]| Value::List(carts.iter().map(|cart| list(cart)).collect());
    let operations = (0..).zip(done).map(|(at, done)| {
        let (f, input, output) = match done {
            Done::Add(item) => ("add", Value::Int(*item), Value::Int(*item)),
            Done::Remove(item) => ("remove", Value::Int(*item), Value::Int(*item)),
            Done::Read(read) | Done::ReadLast(read) => ("read", Value::Nil, carts(read)),
        };
        Operation {
            process: at,
            f: f.into(),
            input: at_key(input),
            invoked: Mark { index: 2 * at, time: 2 * at },
            completed: Some(Mark { index: 2 * at + 1, time: 2 * at + 1 }),
            outcome: Outcome::Returned(Completion::Ok(at_key(output))),
            purpose: if matches!(done, Done::ReadLast(_)) { Purpose::FinalRead } else { Purpose::Load },
            node: None,
        }
    });
    History { operations: operations.collect() }
}

#[test]
fn added_items_stay_in_the_cart_and_removed_ones_may_come_back() {
    use Done::{Add, ReadLast, Remove};
    let judged = |done: &[Done<'_>]| no_lost_writes(&cart(done), Model::Cart).expect("a cart");
    let after = |read| judged(&[Add(1), Add(2), Remove(1), ReadLast(read)]);
    assert_eq!(after(&[&[2]]).verdict, Pass);
    assert_eq!(after(&[&[], &[2]]).detail, "2 acknowledged adds, all readable after settle or removed since");
    let back = after(&[&[1, 2], &[2]]);
    assert_eq!(back.verdict, Pass);
    assert!(back.detail.ends_with("; 1 item back that had been removed"), "{}", back.detail);
    let gone = after(&[&[1]]);
    let headline = gone.witness.expect("an argument").headline();
    assert_eq!((gone.verdict, &*headline), (Fail, "2 at k0 was acknowledged and is gone"));
    assert_eq!(after(&[&[2, 9]]).verdict, Fail, "nobody added it");
    assert_eq!(judged(&[Remove(1), ReadLast(&[])]).verdict, Vacuous);
    let history = cart(&[Add(1), Done::Read(&[&[1], &[1], &[]]), Done::Read(&[])]);
    let most = most_siblings(&history).expect("reads returned");
    assert_eq!((most.reads, most.most, most.key), (2, 3, Value::text("k0")));
}

#[test]
fn the_table_shows_every_law() {
    let history = in_a_row(&[(0, w(1, &[])), (0, Read(vec![1])), (3, Final(vec![1]))]);
    let rungs = ladder(&history, &Question::of(Model::Siblings), &Budget::states(1)).expect("siblings");
    let told: Vec<(&str, Verdict)> = rungs.iter().map(|rung| (rung.name, rung.verdict)).collect();
    let wanted = [
        ("no lost writes", Pass),
        ("no resurrected deletes", Vacuous),
        ("read-your-writes", Pass),
        ("monotonic-reads", Vacuous),
        ("staleness", Pass),
    ];
    assert_eq!(told, wanted);
}

#[test]
fn what_is_no_history_of_siblings_is_refused() {
    let asked = |model, f: &'static str, input: Value| {
        let operation = Operation { f: f.into(), input, ..in_a_row(&[(0, w(1, &[]))]).operations.remove(0) };
        judge_strictly(&History { operations: vec![operation] }, &Question::of(model), &Budget::states(1)).is_err()
    };
    let at_key = |value: Value| Value::pair(Value::text("k0"), value);
    assert!(asked(Model::Siblings, "write", at_key(7.into())));
    assert!(asked(Model::Siblings, "cas", at_key(Value::pair(1.into(), 2.into()))));
    assert!(asked(Model::Siblings, "delete", at_key(1.into())));
    assert!(asked(Model::Siblings, "write", 7.into()));
    assert!(asked(Model::Cart, "write", at_key(7.into())));
    assert!(!asked(Model::Siblings, "write", at_key(Value::pair(7.into(), list(&[])))));
}

/// Whether `value` is covered by what a read returned: by walking every chain anew.
fn is_covered(value: i64, told: &[i64], lines: &[Line]) -> bool {
    let replacing = |did: &Did| match did {
        Write(newer, replaced) if replaced.contains(&value) && *newer != value => Some(*newer),
        Write(..) | Delete(_) | Read(_) | Final(_) => None,
    };
    told.contains(&value)
        || lines.iter().filter_map(|(.., did)| replacing(did)).any(|newer| is_covered(newer, told, lines))
}

/// Whether a delete asked for before that position may have taken it away.
fn is_deleted(value: i64, before: u64, lines: &[Line]) -> bool {
    lines.iter().any(|(_, began, _, did)| match did {
        Delete(replaced) => *began < before && is_covered(value, replaced, lines),
        Write(..) | Read(_) | Final(_) => false,
    })
}

/// The definitions, word by word: lost, resurrected, and each session guarantee broken.
fn twin(lines: &[Line]) -> [bool; 4] {
    let written = |did: &Did| match did {
        Write(value, _) => Some(*value),
        Delete(_) | Read(_) | Final(_) => None,
    };
    let (_, began, told, Final(kept)) = lines.last().expect("it ends with a final read").clone() else {
        panic!("so it does")
    };
    let misses =
        |value: i64, values: &[i64], told: u64| !is_covered(value, values, lines) && !is_deleted(value, told, lines);
    let told = told.expect("it returned");
    let mut found = [false; 4];
    for (process, from, done, did) in lines {
        let Some(done) = done else { continue };
        if let Some(value) = written(did) {
            found[0] |= *done < began && misses(value, &kept, told);
        }
        if let Delete(replaced) = did {
            let is_certain = |value: i64| {
                let writes = |line: &&Line| written(&line.3) == Some(value);
                lines.iter().filter(writes).all(|(_, _, done, _)| done.is_some_and(|done| done < *from))
            };
            let covers = |value: &i64| is_covered(*value, replaced, lines) && is_certain(*value);
            found[1] |= *done < began && kept.iter().any(covers);
            for (other, began, _, read) in lines {
                let (Read(values) | Final(values)) = read else { continue };
                found[2] |= other == process && began > done && values.iter().any(covers);
            }
        }
        for (other, began, told, read) in lines {
            let (Read(values) | Final(values), Some(told)) = (read, told) else { continue };
            if other != process || began < done {
                continue;
            }
            found[2] |= written(did).is_some_and(|value| misses(value, values, *told));
            let (Read(before) | Final(before)) = did else { continue };
            found[3] |= before.iter().any(|value| misses(*value, values, *told));
        }
    }
    found
}

/// A store of one copy that never forgets; clients write with what they last saw. Sometimes it is made to err.
fn drawn(dice: &mut Dice, errs: bool) -> Vec<Line> {
    let mut live: BTreeSet<i64> = BTreeSet::new();
    let mut gone: BTreeSet<i64> = BTreeSet::new();
    let mut seen = vec![Vec::new(); 3];
    let (mut lines, mut next, mut at) = (Vec::new(), 1, 0);
    for _ in 0..3 + dice.below(7) {
        let process = dice.below(3);
        let is_unknown = dice.one_in(8);
        let happens = !is_unknown || dice.one_in(2);
        let replaced: Vec<i64> = seen[process].clone();
        let mut replace = |live: &mut BTreeSet<i64>| {
            live.retain(|value| !replaced.contains(value));
            gone.extend(&replaced);
        };
        let did = match dice.below(5) {
            0 | 1 => {
                let value = next;
                next += 1;
                if happens {
                    replace(&mut live);
                    live.insert(value);
                }
                Write(value, replaced)
            }
            2 => {
                if happens {
                    replace(&mut live);
                }
                Delete(replaced)
            }
            _ => Read(live.iter().copied().collect()),
        };
        if let Read(values) = &did {
            seen[process] = values.clone();
        } else if is_unknown {
            lines.push((10 + at, at, None, did));
            at += 2;
            continue;
        } else if dice.one_in(2) {
            seen[process] = live.iter().copied().collect();
        }
        lines.push((process as u64, at, Some(at + 1), did));
        at += 2;
        if errs && dice.one_in(4) {
            // Something is forgotten, or comes back.
            match dice.one_in(2) {
                true => live.pop_first(),
                false => gone.pop_first().inspect(|value| {
                    live.insert(*value);
                }),
            };
        }
    }
    lines.push((dice.below(4) as u64, at, Some(at + 1), Final(live.into_iter().collect())));
    lines
}

#[test]
fn a_store_that_never_errs_passes_and_one_that_does_is_told_as_its_twin_tells() {
    let mut dice = Dice(7);
    let mut broken = [0; 4];
    for round in 0..20_000 {
        let lines = drawn(&mut dice, round % 2 == 1);
        let history = record(&lines);
        let found = [
            lost(&history).verdict,
            back(&history).verdict,
            session(&history, Model::Siblings, Consistency::ReadYourWrites),
            session(&history, Model::Siblings, Consistency::MonotonicReads),
        ];
        let wanted = twin(&lines);
        let is_broken = found.map(|verdict| verdict == Fail);
        assert_eq!(is_broken, wanted, "{lines:#?}");
        assert!(round % 2 == 1 || !is_broken.contains(&true), "{lines:#?}");
        for (count, is_broken) in broken.iter_mut().zip(is_broken) {
            *count += u32::from(is_broken);
        }
    }
    assert!(broken.iter().all(|count| *count > 100), "{broken:?}");
}

/// Whatever stands in a record, it is judged or refused, and always alike.
#[test]
fn anything_can_be_asked() {
    let mut dice = Dice(3);
    let mut judged = 0;
    for round in 0..30_000 {
        let model = if round % 2 == 0 { Model::Siblings } else { Model::Cart };
        let value = |dice: &mut Dice| match dice.below(5) {
            0 => Value::Int(dice.below(3) as i64),
            1 => list(&[]),
            2 => list(&[dice.below(3) as i64]),
            3 => Value::pair((dice.below(3) as i64).into(), list(&[dice.below(3) as i64])),
            _ => Value::List([list(&[0, 1]), list(&[2])].into()),
        };
        let functions: &[&str] = if model == Model::Cart { &["add", "remove"] } else { &["write", "blind", "delete"] };
        let operation = |at: u64, dice: &mut Dice| {
            let f = if dice.one_in(2) { "read" } else { functions[dice.below(functions.len())] };
            let input = match f {
                "read" => Value::Nil,
                "write" => Value::pair((dice.below(3) as i64).into(), list(&[dice.below(3) as i64])),
                "delete" => list(&[dice.below(3) as i64]),
                _ => (dice.below(3) as i64).into(),
            };
            let input = if dice.one_in(20) { value(dice) } else { input };
            let output = if f == "read" { value(dice) } else { input.clone() };
            let key = Value::Int(dice.below(2) as i64);
            Operation {
                process: dice.below(3) as u64,
                f: f.to_owned().into(),
                input: Value::pair(key.clone(), input),
                invoked: Mark { index: 3 * at, time: at },
                completed: (!dice.one_in(4))
                    .then(|| Mark { index: 3 * at + 1 + 3 * dice.below(3) as u64, time: at + 1 }),
                outcome: match dice.below(5) {
                    0 => Outcome::Refused,
                    1 => Outcome::Unknown,
                    _ => Outcome::Returned(Completion::Ok(Value::pair(key, output))),
                },
                purpose: if f == "read" && dice.one_in(3) { Purpose::FinalRead } else { Purpose::Load },
                node: None,
            }
        };
        let history = History { operations: (0..8).map(|at| operation(at, &mut dice)).collect() };
        for level in [None, Some(Consistency::ReadYourWrites), Some(Consistency::MonotonicReads)] {
            let question = Question { level, ..Question::of(model) };
            let ask = || judge_strictly(&history, &question, &Budget::states(1));
            assert_eq!(ask(), ask());
            judged += u32::from(ask().is_ok());
        }
        let table = ladder(&history, &Question::of(model), &Budget::states(1));
        assert_eq!(table.is_ok(), staleness(&history, model, &Value::Nil).is_ok());
        most_siblings(&history);
    }
    assert!(judged > 1000, "{judged}");
}
