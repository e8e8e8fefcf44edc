//! Several runs, one below the other on one axis of time: the same storm met by several systems, or a system in several storms.

use super::super::WIDTH;
use super::super::axis::Axis;
use super::availability::{Look, drawn};
use super::bands;
use crate::draw::Figure;
use crate::draw::measure::{PLAIN, fitted};
use crate::draw::svg::Svg;
use crate::words::percent;
use history::RunRecord;

/// How high a panel is, in pixels; flat or not, so that all can be laid side by side.
const HEIGHT: f64 = 66.0;

/// A name takes no more room than this.
const NAME_MAX: f64 = 320.0;

/// Availability over time of these runs, by name; `None` if none of them took any time or served anybody.
pub fn multiples(name: &str, title: String, runs: &[(&str, &RunRecord)]) -> Option<Figure> {
    let axis = runs.iter().filter_map(|(_, record)| Axis::of(record)).max_by_key(|axis| axis.end_ns)?;
    let (mut svg, mut y) = (Svg::new(), 4.0);
    let mut told = Vec::new();
    for (number, (run, record)) in runs.iter().enumerate() {
        let (mut panel, hatch) = (Svg::new(), format!("{name}-hatch-{number}"));
        let run_name = fitted(run, PLAIN, NAME_MAX).unwrap_or_default();
        let look = Look { name: &run_name, hatch: &hatch, height: HEIGHT, flat: HEIGHT };
        let end = drawn(&mut panel, record, &axis, y, &look);
        if end > y {
            bands::draw(&mut svg, record, &axis, (y, end - 18.0));
            svg.raw(&panel.into_text());
        }
        y = end;
        told.extend(record.availability.map(|share| format!("{run} served {}", percent(share.achieved))));
    }
    (!told.is_empty()).then(|| Figure {
        name: name.to_owned(),
        title,
        description: format!("Availability over time. {}.", told.join("; ")),
        width: WIDTH,
        height: y,
        elements: svg.into_text(),
    })
}
