//! What must hold of any bytes whatever: reading and judging them never panics, and what was read can be written and
//! read again.

use checkers::formats::{self, Input};
use checkers::{Budget, Model, judge};
use history::input::Unreadable;
use history::{History, jsonl};

/// Longer histories are only read: what searching costs is no question of the bytes.
const JUDGED_MAX: usize = 64;

/// Reads `bytes` as `input` and asks every model about them.
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
    for model in Model::ALL {
        let (history, question) = recorded.clone().asked(model, None);
        // That a history is none of the model's is an answer, too.
        if let Ok(judgement) = judge(&history, &question, &Budget::states(1000)) {
            assert!(!judgement.detail.is_empty());
        }
    }
}

/// JSON's numbers for processes end at 63 bits.
fn comes_back(history: &History) {
    if history.operations.iter().all(|operation| i64::try_from(operation.process).is_ok()) {
        assert_eq!(jsonl::read(&jsonl::write(history)).as_ref(), Ok(history));
    }
}
