//! What must hold of any bytes whatever: reading and judging them never panics, and what was read can be written and
//! read again.

use checkers::formats::{self, Input};
use checkers::{Budget, Consistency, Judgement, Model, Question, judge};
use history::input::Unreadable;
use history::{History, Verdict, jsonl};

/// Longer histories are only read.
const JUDGED_MAX: usize = 256;

const BUDGET: Budget<'static> = Budget { states: 1000, keep_going: &|| true };

/// Reads `bytes` as `input` and asks every model about them, at every level.
pub fn read_and_judge(bytes: &[u8], input: Input) {
    let recorded = match formats::read(bytes, input) {
        Ok(recorded) => recorded,
        Err(Unreadable::Malformed(wrong)) => {
            assert!(wrong.line >= 1 && wrong.column >= 1, "{wrong:?}");
            assert!(!wrong.message.is_empty() && wrong.message.len() < 1000, "{wrong:?}");
            return;
        }
        Err(Unreadable::Source(error)) => panic!("bytes in memory can be read: {error}"),
    };
    comes_back(&recorded.history);
    if recorded.history.len() > JUDGED_MAX {
        return;
    }
    let hint: Vec<usize> = (0..recorded.history.len()).rev().collect();
    for model in Model::ALL {
        let (history, question) = recorded.clone().asked(model, None);
        all_questions(&history, &question, &hint);
    }
}

/// What is asked by default, and what users can ask for. That a history is none of the model's is an answer, too.
fn all_questions(history: &History, usual: &Question<'_>, hint: &[usize]) {
    let ask = |question: &Question<'_>| judge(history, question, &BUDGET).map(sound).is_ok();
    if !ask(usual) {
        return;
    }
    ask(&Question { hint: Some(hint), ..usual.clone() });
    ask(&Question { is_complete: !usual.is_complete, ..usual.clone() });
    ask(&Question { has_real_time: !usual.has_real_time, ..usual.clone() });
    for level in Consistency::ALL {
        ask(&Question { level: Some(level), ..usual.clone() });
    }
    let rungs = checkers::ladder(history, usual, &BUDGET).unwrap_or_default();
    assert!(rungs.iter().all(|rung| !rung.detail.is_empty()));
    let start = usual.initial.clone().unwrap_or_default();
    // Numbers are taken where they can be.
    _ = checkers::session_guarantees(history, usual.model, &start);
    _ = checkers::staleness(history, usual.model, &start);
    _ = checkers::convergence(history, usual.model);
    _ = checkers::no_lost_writes(history, usual.model);
}

fn sound(judgement: Judgement) {
    assert!(!judgement.detail.is_empty());
    assert_eq!(judgement.witness.is_some(), judgement.verdict == Verdict::Fail, "{judgement:?}");
    if let Some(witness) = judgement.witness {
        assert!(!witness.headline().is_empty());
    }
}

/// JSON's numbers for processes end at 63 bits.
fn comes_back(history: &History) {
    if history.operations.iter().all(|operation| i64::try_from(operation.process).is_ok()) {
        assert_eq!(jsonl::read(&jsonl::write(history)).as_ref(), Ok(history));
    }
}
