//! A run as JSON: the record as it is, and on the command line the time it took.

use history::RunRecord;
use serde_json::Value;

/// The text of `run.json`. The same run gives the same text.
pub fn record(record: &RunRecord) -> String {
    let mut text = serde_json::to_string_pretty(record).expect("plain data serializes");
    text.push('\n');
    text
}

/// One line for `run --format json`: the record, and how long the run took on this machine.
pub fn line(record: &RunRecord, wall_ns: u64) -> String {
    let mut object = serde_json::to_value(record).expect("plain data serializes");
    if let Value::Object(fields) = &mut object {
        fields.insert("wall_ns".to_owned(), wall_ns.into());
    }
    object.to_string()
}
