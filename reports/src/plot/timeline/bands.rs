//! What shows through all panels: marks of time, faults, outages, and where the load ends.

use super::super::axis::Axis;
use super::super::bars::longest;
use crate::draw::ink::Ink;
use crate::draw::svg::{Anchor, Svg, fill, px, stroke};
use crate::words::time;
use history::{FaultRecord, Outage, RunRecord, Who};

/// More outages than this are not shown behind the panels.
const OUTAGES_MAX: usize = 100;

/// Draws them between two heights.
pub(super) fn draw(svg: &mut Svg, record: &RunRecord, axis: &Axis, (top, bottom): (f64, f64)) {
    let band = |from: f64, to: f64, ink: Ink, opacity: &str| {
        let size = format!("width=\"{}\" height=\"{}\"", px((to - from).max(1.0)), px(bottom - top));
        let at = format!("x=\"{}\" y=\"{}\"", px(from), px(top));
        format!("{at} {size} class=\"{}\" fill-opacity=\"{opacity}\"", fill(ink))
    };
    for (from, to) in merged(struck(&record.faults, axis)) {
        svg.element("rect", &band(from, to, Ink::FAULT, ".06"));
    }
    let full: Vec<&Outage> = record.outages.iter().filter(|outage| outage.who == Who::All).collect();
    for outage in longest(&full, OUTAGES_MAX, |outage| outage.length_ns()) {
        let tip = format!("nobody was served for {}, {outage}", time(outage.length_ns()));
        let (from, to) = (axis.x(outage.from_ns), axis.x(outage.to_ns));
        svg.tipped(&tip, |svg| svg.element("rect", &band(from, to, Ink::OUTAGE, ".11")));
    }
    for at in axis.marks() {
        let x = axis.x(at);
        svg.line((x, top + 16.0), (x, bottom), &format!("{} thin", stroke(Ink::FAINT)));
    }
    if axis.end_ns > axis.load_ns {
        let x = axis.x(axis.load_ns);
        svg.element("rect", &band(x, axis.x(axis.end_ns), Ink::PANEL, "1"));
        let at = ((x + axis.x(axis.end_ns)) / 2.0, bottom - 6.0);
        svg.text(at, Anchor::Middle, &format!("{} small", fill(Ink::MUTED)), "settle");
    }
}

/// When faults were in force that changed something, in pixels. One that was there nearly all the time marks none.
fn struck(faults: &[FaultRecord], axis: &Axis) -> Vec<(f64, f64)> {
    let is_lasting = |fault: &FaultRecord| fault.to_ns.saturating_sub(fault.from_ns) > axis.load_ns / 10 * 9;
    let struck = faults.iter().filter(|fault| fault.effects > 0 && fault.from_ns < axis.end_ns && !is_lasting(fault));
    struck.map(|fault| (axis.x(fault.from_ns), axis.x(fault.to_ns.max(fault.from_ns)))).collect()
}

/// Spans without those that touch: many faults at a time are no darker than one.
fn merged(mut spans: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut merged: Vec<(f64, f64)> = Vec::new();
    for (from, to) in spans {
        match merged.last_mut() {
            Some(last) if from <= last.1 + 1.0 => last.1 = last.1.max(to),
            Some(_) | None => merged.push((from, to)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_touch_are_one() {
        assert_eq!(merged(vec![(5.0, 9.0), (1.0, 2.0), (8.0, 8.5), (9.5, 12.0)]), [(1.0, 2.0), (5.0, 12.0)]);
    }
}
