//! Which share of the operations was served in time, beside what was possible.

use super::super::axis::Axis;
use super::super::stretch::{Stretch, counts, share, stretches};
use super::super::{LEFT, RIGHT, time};
use super::{GAP, HEAD, Label, head, label, rule};
use crate::draw::backend::{Chart, Frame, brush, chart, pen};
use crate::draw::ink::{Ink, LINES};
use crate::draw::svg::{Svg, px};
use history::figures::percent;
use history::{RunRecord, Strip};

/// How high the panel is, in pixels.
const HEIGHT: f64 = 150.0;

/// How high it is if there is nothing to see in it.
const FLAT: f64 = 30.0;

/// So many places have lines of their own, those that differ most.
const PLACES_MAX: usize = 3;

/// A place has a line of its own if it differs so much from all, on average over time.
const DIFFERENCE_MIN: f64 = 0.02;

/// By stretch, a share; `None` where nobody asked.
type Shares = Vec<Option<f64>>;

struct Panel {
    frame: Frame,
    axis: Axis,
    stretches: Vec<Stretch>,
    achieved: Shares,
    possible: Shares,
}

/// Draws the panel from `y` on; returns where it ends.
pub(super) fn panel(svg: &mut Svg, record: &RunRecord, axis: &Axis, y: f64) -> f64 {
    let stretches = stretches(record, axis);
    let shares = |of: &[u64], all: &[u64]| -> Shares {
        stretches.iter().map(|stretch| share(stretch.sum(of), stretch.sum(all))).collect()
    };
    let invoked = counts(record, |bucket| bucket.invoked);
    let achieved = shares(&counts(record, |bucket| bucket.achieved), &invoked);
    let possible = shares(&counts(record, |bucket| bucket.possible), &invoked);
    if achieved.iter().all(Option::is_none) {
        return y;
    }
    let is_flat = achieved.iter().flatten().all(|share| *share == 1.0);
    let height = if is_flat { FLAT } else { HEIGHT };
    let frame = Frame { left: LEFT, top: y + HEAD, width: RIGHT - LEFT, height };
    let width = stretches.first().map_or(0, |stretch| stretch.to_ns - stretch.from_ns);
    let panel = Panel { frame, axis: *axis, stretches, achieved, possible };
    head(svg, y, "Availability", &panel.told(width));
    let marks: &[u8] = if is_flat { &[0, 100] } else { &[0, 25, 50, 75, 100] };
    for mark in marks {
        rule(svg, panel.y(f64::from(*mark) / 100.0), &format!("{mark} %"));
    }
    let mut labels = panel.all(svg, record);
    labels.extend(panel.places(svg, record));
    label(svg, labels, (frame.top, frame.bottom()));
    axis.names(svg, frame.bottom());
    frame.bottom() + 18.0 + GAP
}

impl Panel {
    fn y(&self, share: f64) -> f64 {
        self.frame.bottom() - self.frame.height * share
    }

    /// What one sees.
    fn told(&self, width_ns: u64) -> String {
        let both = || self.achieved.iter().flatten().zip(self.possible.iter().flatten());
        let mut told = format!("share of operations served in time, per {}", time(width_ns));
        if both().all(|(achieved, _)| *achieved == 1.0) {
            return told + ": all of them";
        }
        told.push_str("; dashed: the best that the nodes and links left allowed");
        if both().any(|(achieved, possible)| achieved < possible) {
            told.push_str("; filled: avoidable");
        }
        if both().any(|(_, possible)| *possible < 1.0) {
            told.push_str("; hatched: not avoidable");
        }
        told
    }

    fn chart(&self, svg: &mut Svg, draw: impl FnOnce(&mut Chart<'_>)) {
        chart(svg, self.frame, self.axis.range(), 0.0..1.0, draw);
    }

    /// All operations, and what was possible.
    fn all(&self, svg: &mut Svg, record: &RunRecord) -> Vec<Label> {
        self.hatched(svg);
        self.chart(svg, |chart| {
            for (i, stretch) in self.stretches.iter().enumerate() {
                let (Some(achieved), Some(possible)) = (self.achieved[i], self.possible[i]) else { continue };
                if achieved < possible {
                    let corners = [(stretch.from_ns as f64, achieved), (stretch.to_ns as f64, possible)];
                    chart.cell(corners, brush(Ink::UNKNOWN, 0.25));
                }
            }
        });
        let is_bounded = self.possible.iter().flatten().any(|share| *share < 1.0);
        if is_bounded {
            svg.group("class=\"dashed\"", |svg| {
                self.chart(svg, |chart| self.steps(chart, &self.possible, Ink::BOUND, 1.2));
            });
        }
        self.chart(svg, |chart| self.steps(chart, &self.achieved, Ink::OK, 1.8));
        let end = |shares: &Shares| self.y(shares.iter().flatten().next_back().copied().unwrap_or(1.0));
        let (achieved, possible) = record.availability.map_or((1.0, 1.0), |shares| (shares.achieved, shares.possible));
        let mut labels = vec![Label {
            y: end(&self.achieved),
            ink: Ink::OK,
            class: "",
            text: format!("served {}", percent(achieved)),
        }];
        if is_bounded {
            let text = format!("possible {}", percent(possible));
            labels.push(Label { y: end(&self.possible), ink: Ink::BOUND, class: "dashed", text });
        }
        labels
    }

    /// What nobody could have served.
    fn hatched(&self, svg: &mut Svg) {
        let line = format!("<path d=\"M0 0v5\" class=\"s-{}\"/>", Ink::MUTED.name);
        let size = "width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"";
        svg.raw(&format!("<pattern id=\"timeline-hatch\" {size}>{line}</pattern>"));
        for run in runs(&self.possible) {
            let Some(possible) = self.possible[run.start].filter(|share| *share < 1.0) else { continue };
            let (from, to) = (self.stretches[run.start].from_ns, self.stretches[run.end - 1].to_ns);
            let (from, to) = (self.axis.x(from), self.axis.x(to));
            let at = format!("x=\"{}\" y=\"{}\"", px(from), px(self.y(1.0)));
            let size = format!("width=\"{}\" height=\"{}\"", px(to - from), px(self.frame.height * (1.0 - possible)));
            svg.element("rect", &format!("{at} {size} fill=\"url(#timeline-hatch)\" opacity=\".45\""));
        }
    }

    /// A line of steps, broken where nobody asked.
    fn steps(&self, chart: &mut Chart<'_>, shares: &Shares, ink: Ink, width: f64) {
        let mut line: Vec<(f64, f64)> = Vec::new();
        for run in runs(shares) {
            match shares[run.start] {
                Some(share) => {
                    line.push((self.stretches[run.start].from_ns as f64, share));
                    line.push((self.stretches[run.end - 1].to_ns as f64, share));
                }
                None => chart.line(line.drain(..), pen(ink, width)),
            }
        }
        chart.line(line, pen(ink, width));
    }

    /// Places that differ.
    fn places(&self, svg: &mut Svg, record: &RunRecord) -> Vec<Label> {
        let strips = record.picture.as_ref().map_or(&[][..], |picture| &picture.service);
        let mut places: Vec<(f64, Place)> = Vec::new();
        for place in by_place(strips) {
            let shares = place.shares(&self.stretches);
            let pairs: Vec<(f64, f64)> =
                shares.iter().zip(&self.achieved).filter_map(|(own, all)| Some(((*own)?, (*all)?))).collect();
            let apart = pairs.iter().fold(0.0, |sum, (own, all)| sum + (own - all).abs());
            places.push((apart / pairs.len().max(1) as f64, place));
        }
        places.retain(|(apart, _)| *apart >= DIFFERENCE_MIN);
        places.sort_by(|a, b| b.0.total_cmp(&a.0));
        places.truncate(PLACES_MAX);
        let mut labels = Vec::new();
        for ((_, place), ink) in places.into_iter().zip(&LINES[1..]) {
            let shares = place.shares(&self.stretches);
            self.chart(svg, |chart| self.steps(chart, &shares, *ink, 1.2));
            let y = self.y(shares.iter().flatten().next_back().copied().unwrap_or(1.0));
            let all = place.invoked.iter().fold(0u64, |sum, count| sum.saturating_add(*count));
            let served = place.achieved.iter().fold(0u64, |sum, count| sum.saturating_add(*count));
            let text = format!("{} {}", place.name, percent(share(served, all).unwrap_or(1.0)));
            labels.push(Label { y, ink: *ink, class: "thin", text });
        }
        labels
    }
}

/// The operations of a place, whatever they were for.
struct Place {
    name: String,
    invoked: Vec<u64>,
    achieved: Vec<u64>,
}

impl Place {
    fn shares(&self, stretches: &[Stretch]) -> Shares {
        stretches.iter().map(|stretch| share(stretch.sum(&self.achieved), stretch.sum(&self.invoked))).collect()
    }
}

fn by_place(strips: &[Strip]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for strip in strips {
        let place = match places.iter().position(|place| place.name == strip.place) {
            Some(i) => &mut places[i],
            None => {
                places.push(Place { name: strip.place.clone(), invoked: Vec::new(), achieved: Vec::new() });
                let last = places.len() - 1;
                &mut places[last]
            }
        };
        add(&mut place.invoked, &strip.invoked);
        add(&mut place.achieved, &strip.achieved);
    }
    places
}

/// Adds counts to counts, bucket by bucket.
pub(super) fn add(sums: &mut Vec<u64>, counts: &[u64]) {
    sums.resize(sums.len().max(counts.len()), 0);
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum = sum.saturating_add(*count);
    }
}

/// Where equal values follow each other.
pub(super) fn runs<T: PartialEq>(values: &[T]) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for i in 0..values.len() {
        match runs.last_mut() {
            Some(run) if values[run.start] == values[i] => run.end = i + 1,
            Some(_) | None => runs.push(i..i + 1),
        }
    }
    runs
}
