//! Other tools' recorded histories, with the verdicts known for them.
//!
//! They are other people's data and no part of this repository: they are read where they lie, in a folder beside it.
#![expect(clippy::disallowed_methods, reason = "the recordings lie outside the repository")]

use checkers::formats::{self, Input};
use checkers::{Budget, Model, linearizable};
use history::Verdict;
use std::io::Write as _;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/histories");

/// One line of INDEX.tsv: file, format, model, what is expected.
struct Recording<'a> {
    file: &'a str,
    model: Model,
    expected: Verdict,
}

fn recording(line: &str) -> Option<Recording<'_>> {
    let mut fields = line.split('\t');
    let (file, format, _, expected) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let model = match format {
        "etcd-log" => Model::CasRegister,
        "kv-log" | "jsonl" => Model::Kv,
        _ => return None,
    };
    // Histories judged by several conditions say which hold; the others are judged by this one only.
    let is_good = match expected.split_once("linearizable=") {
        Some((_, answer)) => answer.starts_with("yes"),
        None => expected.starts_with("good"),
    };
    Some(Recording { file, model, expected: if is_good { Verdict::Pass } else { Verdict::Fail } })
}

#[test]
fn recorded_histories_get_their_known_verdicts() {
    let Ok(index) = std::fs::read_to_string(format!("{FOLDER}/INDEX.tsv")) else {
        // Straight to standard error: what a passing test prints by macro is kept from the reader.
        let _ = writeln!(std::io::stderr(), "SKIPPED: no recorded histories in {FOLDER}");
        return;
    };
    let (mut good, mut bad) = (0, 0);
    for Recording { file, model, expected } in index.lines().filter_map(recording) {
        let text = std::fs::read_to_string(format!("{FOLDER}/{file}")).expect("the index names files that exist");
        let recorded = formats::read(&text, Input::Auto).unwrap_or_else(|malformed| panic!("{file}:{malformed}"));
        let budget = Budget::states(1_000_000);
        let judgement = linearizable(&recorded.history, model, Some(recorded.initial), &budget)
            .unwrap_or_else(|unfit| panic!("{file}: {unfit}"));
        assert_eq!(judgement.verdict, expected, "{file}: {judgement:#?}");
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
    assert!(good >= 16 && bad >= 47, "{good} good, {bad} bad");
}
