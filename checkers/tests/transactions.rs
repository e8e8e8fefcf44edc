//! Transactions: each anomaly by itself, at every level; and other tools' recordings, where they lie.
#![expect(clippy::disallowed_methods, reason = "the recordings lie outside the repository")]

use checkers::formats::{self, Input};
use checkers::{Budget, Consistency, Judgement, Model, Question, judge, ladder};
use history::{Completion, History, Mark, Operation, Outcome, Purpose, Value, Verdict};
use std::io::{BufReader, Write as _};

/// One transaction a line: `p0 0-3 append x 1, r y [1 2]`. It was asked at 0 and answered at 3; `0-x3` is refused, `0-?`
/// never heard of again.
fn drawn(lines: &str) -> History {
    let mut operations: Vec<Operation> =
        lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(txn).collect();
    operations.sort_by_key(|operation| operation.invoked);
    History { operations }
}

fn txn(line: &str) -> Operation {
    let mut parts = line.splitn(3, ' ');
    let mut part = || parts.next().expect("process, interval, micro-operations");
    let process = part()[1..].parse().expect("a process");
    let (from, until) = part().split_once('-').expect("an interval");
    let mark = |text: &str| Mark { index: text.parse().expect("a place"), time: 0 };
    let micros = Value::List(part().split(", ").map(micro).collect());
    let (completed, outcome) = match until.strip_prefix('x') {
        Some(until) => (Some(mark(until)), Outcome::Refused),
        None if until == "?" => (None, Outcome::Unknown),
        None => (Some(mark(until)), Outcome::Returned(Completion::Ok(micros.clone()))),
    };
    let (f, purpose) = ("txn".into(), Purpose::Load);
    Operation { process, f, input: micros, invoked: mark(from), completed, outcome, purpose, node: None }
}

fn micro(text: &str) -> Value {
    let mut words = text.splitn(3, ' ');
    let (f, key, value) = (words.next(), words.next(), words.next().unwrap_or("nil"));
    let value = match value.strip_prefix('[').and_then(|list| list.strip_suffix(']')) {
        Some(list) => Value::List(list.split_whitespace().map(atom).collect()),
        None => atom(value),
    };
    Value::List([Value::text(f.expect("r, w or append")), Value::text(key.expect("a key")), value].into())
}

fn atom(text: &str) -> Value {
    match text {
        "nil" => Value::Nil,
        _ => text.parse().map_or_else(|_| Value::text(text), Value::Int),
    }
}

fn judged(history: &History, model: Model, level: Option<&str>) -> Judgement {
    let level = level.map(|name| Consistency::from_name(name).expect("a level"));
    judge(history, &Question { level, ..Question::of(model) }, &Budget::states(100_000)).expect("transactions")
}

/// Asserts that `satisfied` is the strongest of what holds, that `violated` is the weakest of what does not, and that `anomaly` is
/// found by the default question.
#[track_caller]
fn assert_between(lines: &str, model: Model, satisfied: &str, violated: &str, anomaly: &str) -> Judgement {
    let history = drawn(lines);
    if !satisfied.is_empty() {
        let holds = judged(&history, model, Some(satisfied));
        assert_eq!(holds.verdict, Verdict::Pass, "{satisfied}: {holds:#?}");
    }
    let broken = judged(&history, model, Some(violated));
    assert_eq!(broken.verdict, Verdict::Fail, "{violated}: {broken:#?}");
    let judgement = judged(&history, model, None);
    assert_eq!(judgement.verdict, Verdict::Fail, "{judgement:#?}");
    assert!(judgement.detail.split([' ', ',', ';']).any(|word| word == anomaly), "{}", judgement.detail);
    judgement
}

#[test]
fn what_has_an_order_passes_at_every_level() {
    let lists = "p0 0-1 append x 1, r x [1]
                 p1 2-5 r x [1], append y 7, append y 8
                 p2 3-4 r x [1], r y nil
                 p0 6-7 r y [7 8], append x 2
                 p3 8-? append x 3
                 p4 9-x10 append x 4";
    let registers = "p0 0-1 w x 1, r x 1
                     p1 2-5 r x 1, w y 7, w y 8
                     p2 3-4 r x 1, r y nil
                     p0 6-7 r y 8, w x 2
                     p3 8-? w x 3
                     p5 9-10 r x 3
                     p4 9-x11 w x 4";
    for (lines, model) in [(lists, Model::ListAppend), (registers, Model::RwRegister)] {
        let rungs = ladder(&drawn(lines), &Question::of(model), &Budget::states(1000)).expect("transactions");
        assert_eq!(rungs.len(), 9);
        assert!(rungs.iter().all(|rung| rung.verdict == Verdict::Pass), "{rungs:#?}");
    }
}

#[test]
fn nothing_committed_is_vacuous() {
    let history = drawn("p0 0-? append x 1\np1 1-x2 append x 2");
    assert_eq!(judged(&history, Model::ListAppend, None).verdict, Verdict::Vacuous);
    assert_eq!(judged(&History::default(), Model::RwRegister, None).verdict, Verdict::Vacuous);
}

#[test]
fn a_cycle_of_writes() {
    let lines = "p0 0-9 append a 1, append b 1
                 p1 1-8 append a 2, append b 2
                 p2 10-11 r a [1 2], r b [2 1]";
    let judgement = assert_between(lines, Model::ListAppend, "", "read-uncommitted", "G0");
    let witness = judgement.witness.expect("a violation has a witness");
    assert_eq!(
        witness.argument[0],
        "1. p0 ran T1 (append a 1, append b 1) (event 0) and had it acknowledged (event 9)."
    );
    let because = &witness.argument[3..];
    assert_eq!(
        because,
        [
            "4. T2 appended 2 to a after T1's 1, for T3 read [1 2].",
            "5. T1 appended 1 to b after T2's 2, for T3 read [2 1].",
            "6. So T1 would have to come before itself: G0.",
        ]
    );
}

#[test]
fn a_circular_flow_of_information() {
    let lists = "p0 0-9 append a 1, r b [1]
                 p1 1-8 append b 1, r a [1]";
    assert_between(lists, Model::ListAppend, "read-uncommitted", "read-committed", "G1c");
    let registers = "p0 0-9 w a 1, r b 1
                     p1 1-8 w b 1, r a 1";
    assert_between(registers, Model::RwRegister, "read-uncommitted", "read-committed", "G1c");
}

#[test]
fn reads_of_what_was_aborted_or_intermediate() {
    let aborted = "p0 0-x1 append a 1\np1 2-3 r a [1]";
    assert_between(aborted, Model::ListAppend, "read-uncommitted", "read-committed", "G1a");
    let built_upon = "p0 0-x1 append a 1\np2 2-3 append a 2\np1 4-5 r a [1 2]";
    assert_between(built_upon, Model::ListAppend, "read-uncommitted", "read-committed", "dirty-update");
    let intermediate = "p0 0-1 append a 1, append a 2\np1 2-3 r a [1]";
    assert_between(intermediate, Model::ListAppend, "read-uncommitted", "read-committed", "G1b");
    let registers = "p0 0-1 w a 1, w a 2\np1 2-3 r a 1";
    assert_between(registers, Model::RwRegister, "read-uncommitted", "read-committed", "G1b");
    let aborted = "p0 0-x1 w a 1\np1 2-3 r a 1";
    assert_between(aborted, Model::RwRegister, "read-uncommitted", "read-committed", "G1a");
}

#[test]
fn transactions_at_odds_with_themselves() {
    let misses = "p0 0-1 append a 1, r a [2]\np1 0-1 append a 2";
    assert_between(misses, Model::ListAppend, "read-uncommitted", "read-committed", "internal");
    assert_between("p0 0-1 w a 1, r a nil", Model::RwRegister, "read-uncommitted", "read-committed", "internal");
    assert_between("p0 0-1 r a 1, w a 1", Model::RwRegister, "read-uncommitted", "read-committed", "future-read");
    assert_between(
        "p0 0-1 r a [1], append a 1",
        Model::ListAppend,
        "read-uncommitted",
        "read-committed",
        "future-read",
    );
    let twice = "p0 0-9 r a nil, r a [1]\np1 1-2 append a 1";
    assert_between(twice, Model::ListAppend, "read-committed", "read-atomic", "internal");
    let twice = "p0 0-9 r a nil, r a 1\np1 1-2 w a 1";
    assert_between(twice, Model::RwRegister, "read-committed", "read-atomic", "internal");
}

#[test]
fn values_from_nowhere_doubles_and_lists_without_one_order() {
    let nowhere = "p0 0-1 append a 1\np1 2-3 r a [1 7]";
    assert_between(nowhere, Model::ListAppend, "", "read-uncommitted", "garbage-read");
    assert_between("p0 0-1 r a 7", Model::RwRegister, "", "read-uncommitted", "garbage-read");
    let double = "p0 0-1 append a 1\np2 0-5 append a 2\np1 2-3 r a [1 2 1]";
    assert_between(double, Model::ListAppend, "", "read-uncommitted", "duplicate-elements");
    let split = "p0 0-1 append a 1\np1 0-1 append a 2\np2 2-3 r a [1]\np3 2-3 r a [2]";
    assert_between(split, Model::ListAppend, "", "read-uncommitted", "incompatible-order");
}

#[test]
fn what_others_may_have_written_is_left_out_and_said() {
    let history = drawn("p0 0-1 w a 1\np1 2-3 r a 7\np1 4-5 r a 1");
    let question = Question { is_complete: false, ..Question::of(Model::RwRegister) };
    let judgement = judge(&history, &question, &Budget::states(1000)).expect("transactions");
    assert_eq!(judgement.verdict, Verdict::Pass, "{judgement:#?}");
    assert_eq!(judgement.notes, ["1 read left out of account: nobody in the record wrote the value"]);
}

#[test]
fn half_of_a_transaction_is_seen() {
    let registers = "p0 0-9 w a 1, w b 1
                     p1 1-8 w a 2, w b 2
                     p2 2-7 r a 1, r b 2
                     p3 3-6 r a 2, r b 1";
    // Whoever saw one of the first two whole would know; these two saw them in opposite orders.
    assert_between(registers, Model::RwRegister, "read-committed", "read-atomic", "G0");
    let skew = "p0 0-9 r a nil, r b [1]\np1 1-8 append a 1, append b 1";
    assert_between(skew, Model::ListAppend, "read-committed", "read-atomic", "G-single-item");
}

#[test]
fn an_update_is_lost() {
    let registers = "p0 0-9 r a nil, w a 1\np1 1-8 r a nil, w a 2";
    assert_between(registers, Model::RwRegister, "causal", "snapshot-isolation", "lost-update");
    let lists = "p0 0-9 r a nil, append a 1\np1 1-8 r a nil, append a 2";
    assert_between(lists, Model::ListAppend, "causal", "snapshot-isolation", "lost-update");
}

#[test]
fn writes_are_skewed() {
    let registers = "p0 0-9 r a nil, w b 1\np1 1-8 r b nil, w a 1";
    assert_between(registers, Model::RwRegister, "snapshot-isolation", "repeatable-read", "G2-item");
    let lists = "p0 0-9 r a nil, append b 1\np1 1-8 r b nil, append a 1\np2 10-11 r a [1], r b [1]";
    assert_between(lists, Model::ListAppend, "snapshot-isolation", "serializable", "G2-item");
}

#[test]
fn a_fork_of_two_snapshots() {
    let lists = "p0 0-9 append a 1\np1 1-8 append b 1\np2 2-7 r a [1], r b nil\np3 3-6 r a nil, r b [1]";
    assert_between(lists, Model::ListAppend, "causal", "snapshot-isolation", "G-nonadjacent-item");
}

#[test]
fn a_session_that_forgets_and_a_clock_that_is_ignored() {
    let forgets = "p0 0-1 w a 1\np0 2-3 r a nil";
    assert_between(forgets, Model::RwRegister, "serializable", "strong-session-serializable", "G-single-item-process");
    let ignored = "p0 0-1 w a 1\np1 2-3 r a nil";
    let level = "strong-session-serializable";
    assert_between(ignored, Model::RwRegister, level, "strict-serializable", "G-single-item-realtime");
    let unordered = "p0 0-1 w a 1\np1 2-3 w a 2\np2 4-5 r a 1";
    assert_between(unordered, Model::RwRegister, level, "strict-serializable", "G0-realtime");
}

#[test]
fn an_effect_without_its_cause() {
    let registers = "p0 0-1 w a 1
                     p1 2-3 r a 1, w b 1
                     p2 4-5 r b 1
                     p2 6-7 r a nil";
    assert_between(registers, Model::RwRegister, "serializable", "causal", "G-single-item-process");
}

#[test]
fn a_bad_operation_is_told_apart() {
    let message = |lines: &str, model| {
        let unfit = judge(&drawn(lines), &Question::of(model), &Budget::states(1)).expect_err("unfit");
        unfit.to_string()
    };
    assert_eq!(
        message("p4 7-8 w a 1", Model::ListAppend),
        "event 7, process 4, `txn`: model list-append has no meaning for `[w a 1]`; a micro-operation is \
         [\"r\", key, value] or [\"append\", key, value]"
    );
    assert!(message("p4 7-8 r a 1", Model::ListAppend).contains("a list was read otherwise"));
    let question = Question { level: Some(Consistency::Pram), ..Question::of(Model::RwRegister) };
    let unfit = judge(&History::default(), &question, &Budget::states(1)).expect_err("unfit").to_string();
    assert!(unfit.contains("it can be by strict-serializable, "), "{unfit}");
    let timeless = Question { has_real_time: false, ..question.clone() };
    let timeless = Question { level: Some(Consistency::StrictSerializable), ..timeless };
    assert!(judge(&History::default(), &timeless, &Budget::states(1)).is_err());
}

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/histories");

#[test]
fn recorded_transactions_get_their_known_verdicts() {
    let Ok(index) = std::fs::read_to_string(format!("{FOLDER}/INDEX.tsv")) else {
        // Straight to standard error: what a passing test prints by macro is kept from the reader.
        let _ = writeln!(std::io::stderr(), "SKIPPED: no recorded histories in {FOLDER}");
        return;
    };
    let mut count = 0;
    for line in index.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let model = match fields[2] {
            "list-append" => Model::ListAppend,
            "rw-register" | "transactions over unique-valued registers" => Model::RwRegister,
            _ => continue,
        };
        let file = std::fs::File::open(format!("{FOLDER}/{}", fields[0])).expect("the index names files");
        let recorded = formats::read(BufReader::new(file), Input::Auto).expect("a history");
        let (history, question) = recorded.asked(model, None);
        assert_as_expected(fields[0], fields[3], &history, &question);
        count += 1;
    }
    assert!(count >= 28, "{count}");
}

fn assert_as_expected(file: &str, expected: &str, history: &History, question: &Question<'_>) {
    let budget = Budget::states(1_000_000);
    let judge = |level: Option<&str>| {
        let level = level.map(|name| Consistency::from_name(name).expect("a level"));
        judge(history, &Question { level, ..question.clone() }, &budget)
            .unwrap_or_else(|unfit| panic!("{file}: {unfit}"))
    };
    let rungs = ladder(history, question, &budget).expect("it was judged");
    let assert_at = |level: &str, verdict: Verdict| {
        assert_eq!(judge(Some(level)).verdict, verdict, "{file} at {level}: {:#?}", judge(Some(level)));
        let rung = rungs.iter().find(|rung| rung.name == level).expect("every level has a rung");
        assert_eq!(rung.verdict, verdict, "{file}, rung {level}: {:#?}", rung.detail);
    };
    let within = expected.split_once('(').map_or("", |(_, notes)| notes.trim_end_matches(')'));
    for clause in within.split("; ") {
        let (word, list) = clause.split_once(": ").unwrap_or((clause, ""));
        match word {
            "satisfies" => list.split(',').for_each(|level| assert_at(level, Verdict::Pass)),
            "violates" => list.split(',').for_each(|level| assert_at(level, Verdict::Fail)),
            "anomalies" => {
                let detail = judge(None).detail;
                let has = |name: &str| detail.split([' ', ',', ';']).any(|word| word == name);
                assert!(list.split(',').all(has), "{file}: {detail}");
            }
            _ => {
                let is_good = clause.ends_with("hold") || clause.ends_with("holds");
                let verdict = if is_good { Verdict::Pass } else { Verdict::Fail };
                for level in Consistency::ALL.map(Consistency::name) {
                    if clause.split([' ', ',']).any(|word| word == level) {
                        assert_at(level, verdict);
                    }
                }
                assert!(clause != "G2-item only" || judge(None).detail.starts_with("1 G2-item;"), "{file}");
            }
        }
    }
    if question.has_real_time {
        let judgement = judge(None);
        let verdict = if expected.starts_with("good") { Verdict::Pass } else { Verdict::Fail };
        assert_eq!(judgement.verdict, verdict, "{file}: {judgement:#?}");
    }
}
