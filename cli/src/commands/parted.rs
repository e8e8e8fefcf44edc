//! In words: where two runs that should be one part.

use history::RunRecord;
use scenarios::export::line;
use scenarios::{Fork, Parting};

/// The events around the first that differs. `then` says whose they are: of the run that was there first, and of the other.
pub fn fork(fork: &Fork, then: [&str; 2]) -> String {
    let mut text = String::new();
    if !fork.before.is_empty() {
        text.push_str("           the last events that are the same:\n");
        fork.before.iter().for_each(|row| text.push_str(&line(row)));
    }
    for (then, rows) in then.into_iter().zip([&fork.recorded, &fork.found]) {
        match rows.first() {
            Some(first) => {
                text.push_str(&format!("           {then}, at step {} and {} ns:\n", first.step, first.at));
                rows.iter().for_each(|row| text.push_str(&line(row)));
            }
            None => text.push_str(&format!("           {then}: nothing more\n")),
        }
    }
    text
}

/// The second in which a run parts from the checkpoints of another.
pub fn second(parting: &Parting) -> String {
    let rows: String = parting.rows.iter().map(line).collect();
    format!("           they part in the second from {}s on, which now begins so:\n{rows}", parting.second)
}

/// The first field of their records that differs.
pub fn field(one: &RunRecord, other: &RunRecord) -> String {
    let [one, other] = [one, other].map(|record| serde_json::to_value(record).unwrap_or_default());
    let names = one.as_object().into_iter().flat_map(|fields| fields.keys());
    names.filter(|name| one[*name] != other[*name]).map(String::as_str).next().unwrap_or("nothing").to_owned()
}
