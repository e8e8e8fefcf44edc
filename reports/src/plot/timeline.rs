//! All that happened in a run, on one axis of time: who was served, where, who served, what went wrong, how long it took.
//!
//! Each panel draws itself below the last and says where it ends; what struck or was out shows through all of them.

mod availability;
mod bands;
mod lanes;
mod latency;
mod multiples;
mod strips;
mod words;

pub use multiples::multiples;

use super::axis::Axis;
use super::{LEFT, RIGHT, WIDTH};
use crate::draw::Figure;
use crate::draw::ink::Ink;
use crate::draw::measure::{PLAIN, SMALL, fitted, width};
use crate::draw::svg::{Anchor, Svg, fill, stroke};
use history::RunRecord;

/// Between two panels, in pixels.
const GAP: f64 = 14.0;

/// From a panel's head to what it draws.
const HEAD: f64 = 20.0;

/// The picture; `None` of a run that took no time, or of which there is nothing to show.
pub fn timeline(record: &RunRecord) -> Option<Figure> {
    let axis = Axis::of(record)?;
    let mut panels = Svg::new();
    let top = 4.0;
    let mut y = top;
    for panel in [availability::panel, strips::panel, lanes::panel, latency::panel] {
        y = panel(&mut panels, record, &axis, y);
    }
    if y <= top {
        return None;
    }
    let mut svg = Svg::new();
    bands::draw(&mut svg, record, &axis, (top, y));
    svg.raw(&panels.into_text());
    axis.names(&mut svg, y);
    Some(Figure {
        name: "timeline".to_owned(),
        title: "What happened".to_owned(),
        description: words::description(record),
        width: WIDTH,
        height: y + 22.0,
        elements: svg.into_text(),
    })
}

/// A panel's name and what one sees in it.
fn head(svg: &mut Svg, y: f64, name: &str, told: &str) {
    // Bold text is wider.
    let begins = LEFT + width(name, PLAIN) * 1.08 + 8.0;
    svg.text((LEFT, y + 11.0), Anchor::Start, &format!("{} bold", fill(Ink::TEXT)), name);
    if let Some(told) = fitted(told, SMALL, WIDTH - begins) {
        svg.text((begins, y + 11.0), Anchor::Start, &format!("{} small", fill(Ink::MUTED)), &told);
    }
}

/// A line across a panel, with its name left of it.
fn rule(svg: &mut Svg, y: f64, name: &str) {
    svg.line((LEFT, y), (RIGHT, y), &format!("{} thin", stroke(Ink::FAINT)));
    svg.text((LEFT - 8.0, y + 4.0), Anchor::End, &format!("{} small", fill(Ink::MUTED)), name);
}

/// The name of a line, at its right end.
struct Label {
    /// Where the line ends.
    y: f64,
    /// Of the line.
    ink: Ink,
    /// Classes and attributes of the piece of line beside the name.
    class: &'static str,
    text: String,
}

/// Names lines, each as near to its end as the others let it, between two edges.
fn label(svg: &mut Svg, mut labels: Vec<Label>, (top, bottom): (f64, f64)) {
    const APART: f64 = 14.0;
    labels.sort_by(|a, b| a.y.total_cmp(&b.y));
    // Down as far as needed, then up again from the lower edge.
    let mut places: Vec<f64> = Vec::new();
    for label in &labels {
        let free = places.last().map_or(top, |last| last + APART);
        places.push(label.y.max(free));
    }
    let mut limit = bottom;
    for place in places.iter_mut().rev() {
        *place = place.min(limit);
        limit = *place - APART;
    }
    for (Label { ink, class, text, .. }, y) in labels.iter().zip(places) {
        svg.line((RIGHT + 6.0, y), (RIGHT + 18.0, y), &format!("{} {class}", stroke(*ink)));
        let text = fitted(text, SMALL, WIDTH - RIGHT - 22.0).unwrap_or_default();
        svg.text((RIGHT + 22.0, y + 4.0), Anchor::Start, &format!("{} small", fill(Ink::TEXT)), &text);
    }
}
