//! The pictures of a run: what is drawn of the numbers in its record; and of a recorded history.
//!
//! - [`timeline`]: all that happened, on one axis of time.
//! - [`takeover`]: how long another node took to serve, and at what.
//! - [`witness`]: the operations of a violation.
//! - [`mod@history`]: a recorded history as a whole.
//! - [`messages`]: who told whom what in the moments that matter.
//! - [`dots`], [`ecdf`]: how a number is spread over many runs; pure functions of names and numbers.

mod axis;
mod bars;
pub mod dots;
pub mod ecdf;
pub mod history;
pub mod messages;
pub mod scale;
mod spread;
mod stretch;
pub mod takeover;
pub mod timeline;
pub mod witness;

use crate::draw::Figure;
use ::history::RunRecord;

/// What there is to draw of a run, in the order in which a page shows it.
pub fn figures(record: &RunRecord) -> Vec<Figure> {
    let overall = [timeline::timeline(record), takeover::takeovers(record)].into_iter().flatten();
    overall.chain(witness::witnesses(record)).chain(messages::messages(record)).collect()
}

/// Whether a figure of some run could have this name.
pub fn is_name(name: &str) -> bool {
    let is_numbered = |start: &str| {
        let number = name.strip_prefix(start).and_then(|rest| rest.strip_prefix('-'));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
    };
    ["timeline", "takeovers", "history"].contains(&name) || ["witness", "moment"].into_iter().any(is_numbered)
}

/// How wide a figure is, in pixels: every figure of a page stands on the same lines.
const WIDTH: f64 = 1000.0;

/// Where names end and data begin.
const LEFT: f64 = 112.0;

/// Where data end and what is told of them begins.
const RIGHT: f64 = 872.0;
