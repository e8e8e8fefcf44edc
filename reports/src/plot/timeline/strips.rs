//! Where and for what operations were missed: a row for each place and function, darker where more of them were.

use super::super::axis::Axis;
use super::super::stretch::{bridged, runs, share, stretches, total};
use super::super::{LEFT, RIGHT};
use super::availability::add;
use super::{GAP, HEAD, head};
use crate::draw::ink::Ink;
use crate::draw::measure::{SMALL, fitted, width};
use crate::draw::svg::{Anchor, Svg, fill};
use crate::words::percent;
use history::{RunRecord, Strip};

/// More rows than this are merged by place, and cut if that does not do.
const ROWS_MAX: usize = 12;

/// How far apart rows stand, in pixels.
const ROW: f64 = 14.0;

/// How high a row is.
const CELL: f64 = 12.0;

/// Inks by the share missed at most.
const INKS: [(f64, Ink); 6] = [
    (0.0, Ink::HEAT0),
    (0.1, Ink::HEAT1),
    (0.25, Ink::HEAT2),
    (0.5, Ink::HEAT3),
    (0.75, Ink::HEAT4),
    (1.0, Ink::HEAT5),
];

/// Draws the panel from `y` on; returns where it ends.
pub(super) fn panel(svg: &mut Svg, record: &RunRecord, axis: &Axis, y: f64) -> f64 {
    let strips = record.picture.as_ref().map_or(&[][..], |picture| &picture.service);
    // Where nothing was missed, the line of availability has said all there is to say.
    if strips.iter().all(|strip| strip.achieved == strip.invoked) {
        return y;
    }
    let (rows, told) = rows(strips);
    head(svg, y, "Places and operations", told);
    key(svg, y);
    let asked = rows.iter().fold(0u64, |sum, (_, strip)| sum.saturating_add(total(&strip.invoked)));
    let stretches = stretches(&record.buckets, axis, asked / rows.len() as u64);
    let mut top = y + HEAD;
    for (name, strip) in &rows {
        let name = fitted(name, SMALL, LEFT - 12.0).unwrap_or_default();
        svg.text((LEFT - 8.0, top + 10.0), Anchor::End, &format!("{} small", fill(Ink::MUTED)), &name);
        let shares = stretches.iter().map(|stretch| share(stretch.sum(&strip.achieved), stretch.sum(&strip.invoked)));
        let shares = bridged(shares.collect(), &stretches, &record.outages);
        let inks: Vec<Option<Ink>> = shares.into_iter().map(|served| Some(ink(1.0 - served?))).collect();
        for run in runs(&inks) {
            let Some(ink) = inks[run.start] else { continue };
            let (from, to) = (axis.x(stretches[run.start].from_ns), axis.x(stretches[run.end - 1].to_ns));
            svg.rect((from, top), (to - from, CELL), 0.0, &fill(ink));
        }
        if let Some(served) = share(total(&strip.achieved), total(&strip.invoked)) {
            svg.text((RIGHT + 8.0, top + 10.0), Anchor::Start, &format!("{} small", fill(Ink::TEXT)), &percent(served));
        }
        top += ROW;
    }
    top + GAP
}

/// Rows by name, and what one sees: functions are told apart if there is room for all of them.
fn rows(strips: &[Strip]) -> (Vec<(String, Strip)>, &'static str) {
    let named = |strip: &Strip| (format!("{} {}", strip.place, strip.function), strip.clone());
    if strips.len() <= ROWS_MAX {
        return (strips.iter().map(named).collect(), "served in time");
    }
    let mut rows: Vec<(String, Strip)> = Vec::new();
    for strip in strips {
        match rows.iter().position(|(name, _)| *name == strip.place) {
            Some(i) => {
                add(&mut rows[i].1.invoked, &strip.invoked);
                add(&mut rows[i].1.achieved, &strip.achieved);
            }
            None if rows.len() < ROWS_MAX => rows.push((strip.place.clone(), strip.clone())),
            None => return (rows, "served in time; the first places only, and all operations as one"),
        }
    }
    (rows, "served in time, all operations as one")
}

/// What the inks mean, at the right.
fn key(svg: &mut Svg, y: f64) {
    let class = format!("{} small", fill(Ink::MUTED));
    let wide = 14.0;
    let (all, none) = ("all missed", "none");
    let right = RIGHT - width(all, SMALL) - 6.0;
    svg.text((RIGHT, y + 11.0), Anchor::End, &class, all);
    let left = right - wide * INKS.len() as f64;
    for (i, (_, ink)) in INKS.iter().enumerate() {
        svg.rect((left + wide * i as f64, y + 2.0), (wide, 10.0), 0.0, &fill(*ink));
    }
    svg.text((left - 6.0, y + 11.0), Anchor::End, &class, none);
}

fn ink(missed: f64) -> Ink {
    INKS.into_iter().find(|(most, _)| missed <= *most).map_or(Ink::HEAT5, |(_, ink)| ink)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_is_missed_the_darker() {
        let inks = [0.0, 0.001, 0.1, 0.2, 0.4, 0.75, 1.0].map(|missed| ink(missed).name);
        assert_eq!(inks, ["heat0", "heat1", "heat1", "heat2", "heat3", "heat4", "heat5"]);
    }

    #[test]
    fn many_rows_are_merged_by_place() {
        let strip = |place: usize, function: usize| Strip {
            place: format!("zone{place}"),
            function: format!("f{function}"),
            invoked: vec![1; 3],
            achieved: vec![1; 2],
            possible: Vec::new(),
        };
        let strips =
            |places: usize| -> Vec<Strip> { (0..places).flat_map(|p| (0..5).map(move |f| strip(p, f))).collect() };
        assert_eq!(rows(&strips(2)).0.len(), 10);
        let (merged, _) = rows(&strips(4));
        assert_eq!(
            merged.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["zone0", "zone1", "zone2", "zone3"]
        );
        assert_eq!((&merged[0].1.invoked, &merged[0].1.achieved), (&vec![5; 3], &vec![5; 2]));
        assert_eq!(rows(&strips(40)).0.len(), ROWS_MAX);
    }
}
