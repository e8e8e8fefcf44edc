//! A run as JSON: the record as it is, and on the command line the time it took.

use history::RunRecord;

/// The text of `run.json`. The same run gives the same text.
pub fn record(record: &RunRecord) -> String {
    let mut text = serde_json::to_string_pretty(record).expect("plain data serializes");
    text.push('\n');
    text
}

/// One line for `run --format json`: the record, and at its end how long the run took on this machine.
///
/// # Panics
/// Never: a record is an object.
pub fn line(record: &RunRecord, wall_ns: u64) -> String {
    // Put together as text: an object of `serde_json` would forget the order of the fields.
    let object = serde_json::to_string(record).expect("plain data serializes");
    let fields = object.strip_suffix('}').expect("a record is an object");
    format!("{fields},\"wall_ns\":{wall_ns}}}")
}
