//! The pictures of a run: what is drawn of the numbers in its record.
//!
//! - [`timeline`]: all that happened, on one axis of time.
//! - [`takeover`]: how long another node took to serve, and at what.

mod axis;
mod bars;
mod stretch;
pub mod takeover;
pub mod timeline;

use crate::draw::Figure;
use history::RunRecord;
use history::figures::measured;

/// What there is to draw of a run, in the order in which a page shows it.
pub fn figures(record: &RunRecord) -> Vec<Figure> {
    [timeline::timeline(record), takeover::takeovers(record)].into_iter().flatten().collect()
}

/// How wide a figure is, in pixels: every figure of a page stands on the same lines.
const WIDTH: f64 = 1000.0;

/// Where names end and data begin.
const LEFT: f64 = 112.0;

/// Where data end and what is told of them begins.
const RIGHT: f64 = 872.0;

/// A measured time as a page writes it: `1.04 s`, `412 ms`.
fn time(nanos: u64) -> String {
    spaced(&measured(nanos))
}

/// With a gap before the unit.
fn spaced(time: &str) -> String {
    let unit = time.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(time.len());
    format!("{} {}", &time[..unit], &time[unit..])
}
