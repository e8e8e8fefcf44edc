//! Other tools' recorded histories, with the verdicts known for them.
//!
//! They are other people's data and no part of this repository: they are read where they lie, in a folder beside it.
#![expect(clippy::disallowed_methods, reason = "the recordings lie outside the repository")]

use checkers::formats::{self, Input, Recorded};
use checkers::{Budget, Model, judge};
use history::Verdict;
use std::fs::File;
use std::io::{BufReader, Write as _};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/histories");

/// One line of INDEX.tsv: file, format, model, what is expected.
struct Recording<'a> {
    file: &'a str,
    format: &'a str,
    model: Model,
    expected: Verdict,
}

impl Recording<'_> {
    fn read(&self) -> Recorded {
        let file = File::open(format!("{FOLDER}/{}", self.file)).expect("the index names files that exist");
        formats::read(BufReader::new(file), Input::Auto)
            .unwrap_or_else(|unreadable| panic!("{}:{unreadable}", self.file))
    }
}

/// What the index calls a model.
fn model(format: &str, name: &str) -> Model {
    match (format, name.split(" (").next().unwrap_or(name)) {
        ("etcd-log", _) | (_, "cas-register") => Model::CasRegister,
        ("kv-log" | "jsonl", _) => Model::Kv,
        ("awdit-test", _) | (_, "rw-register") => Model::RwRegister,
        (_, name) => Model::from_name(name).unwrap_or_else(|| panic!("{name} is no model")),
    }
}

fn recording(line: &str) -> Recording<'_> {
    let mut fields = line.split('\t');
    let mut field = || fields.next().expect("the index has four columns and more");
    let (file, format, name, expected) = (field(), field(), field(), field());
    // Histories judged by several conditions say which hold; the others are judged by this one only.
    let is_good = match expected.split_once("linearizable=") {
        Some((_, answer)) => answer.starts_with("yes"),
        None => expected.starts_with("good"),
    };
    let expected = if is_good { Verdict::Pass } else { Verdict::Fail };
    Recording { file, format, model: model(format, name), expected }
}

/// What the index lists, or nothing, said aloud.
fn recordings(index: &mut String) -> Vec<Recording<'_>> {
    match std::fs::read_to_string(format!("{FOLDER}/INDEX.tsv")) {
        Ok(text) => *index = text,
        Err(_) => {
            // Straight to standard error: what a passing test prints by macro is kept from the reader.
            let _ = writeln!(std::io::stderr(), "SKIPPED: no recorded histories in {FOLDER}");
        }
    }
    index.lines().skip(1).map(recording).collect()
}

#[test]
fn every_recorded_history_is_known_by_its_content_and_read() {
    let mut index = String::new();
    for recording in recordings(&mut index) {
        let recorded = recording.read();
        let expected = match recording.format {
            "etcd-log" => "etcd log",
            "kv-log" => "kv log",
            "jsonl" => "JSON Lines",
            "jepsen-json" => "Jepsen JSON",
            "violin" => "Violin log",
            "awdit-test" => "AWDIT history",
            _ => "EDN",
        };
        assert_eq!(recorded.format, expected, "{}", recording.file);
        assert!(!recorded.history.is_empty(), "{}", recording.file);
        let is_transactional = matches!(recording.model, Model::ListAppend | Model::RwRegister);
        assert_eq!(recorded.is_complete, !is_transactional || expected == "AWDIT history", "{}", recording.file);
        for operation in &recorded.history.operations {
            assert_eq!(operation.f == "txn", is_transactional, "{}: {operation:?}", recording.file);
        }
        // What we write, we read.
        let written = history::jsonl::write(&recorded.history);
        assert_eq!(history::jsonl::read(&written).map(|history| history.len()), Ok(recorded.history.len()));
    }
}

#[test]
fn recorded_histories_get_their_known_verdicts() {
    let mut index = String::new();
    let recordings = recordings(&mut index);
    let (mut good, mut bad) = (0, 0);
    // AWDIT's files are known by level: see the tests of transactions.
    for recording in recordings.iter().filter(|recording| recording.format != "awdit-test") {
        let (file, expected) = (recording.file, recording.expected);
        let (history, question) = recording.read().asked(recording.model, None);
        let budget = Budget::states(1_000_000);
        let judgement = judge(&history, &question, &budget).unwrap_or_else(|unfit| panic!("{file}: {unfit}"));
        // Where nothing returned at all, what is known is that nothing is wrong.
        let has_returned = history.operations.iter().any(|op| matches!(op.outcome, history::Outcome::Returned(_)));
        let is_known = judgement.verdict == if has_returned { expected } else { Verdict::Vacuous };
        assert!(is_known, "{file}: {judgement:#?}");
        match expected {
            Verdict::Pass => good += 1,
            Verdict::Fail | Verdict::Unknown | Verdict::Vacuous => {
                let witness = judgement.witness.expect("a violation has a witness");
                assert!(witness.is_minimal, "{file}: {witness:#?}");
                assert!((2..=13).contains(&witness.argument.len()), "{file}: {witness:#?}");
                bad += 1;
            }
        }
    }
    assert!(recordings.is_empty() || (good >= 75 && bad >= 52), "{good} good, {bad} bad");
}
