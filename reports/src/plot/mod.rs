//! The pictures of a run.

pub mod messages;
mod spread;
mod text;
pub mod witness;

use crate::draw::Figure;
use history::RunRecord;

/// What there is to draw of a run, in the order in which a page shows it.
pub fn figures(record: &RunRecord) -> Vec<Figure> {
    [witness::witnesses(record), messages::messages(record)].into_iter().flatten().collect()
}

/// Whether a figure of some run could have this name.
pub fn is_name(name: &str) -> bool {
    let is_numbered = |start: &str| {
        let number = name.strip_prefix(start).and_then(|rest| rest.strip_prefix('-'));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
    };
    ["timeline", "takeovers"].contains(&name) || ["witness", "moment"].into_iter().any(is_numbered)
}
