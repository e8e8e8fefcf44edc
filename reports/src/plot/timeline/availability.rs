//! Which share of the operations was served in time, beside what was possible.

use super::super::axis::Axis;
use super::super::stretch::{Stretch, bridged, counts, runs, share, stretches, total};
use super::super::{LEFT, RIGHT};
use super::{GAP, HEAD, Label, head, label, rule};
use crate::draw::backend::{Chart, Frame, brush, chart, pen};
use crate::draw::ink::{Ink, LINES};
use crate::draw::svg::{Svg, px};
use crate::words::{percent, time};
use history::figures::shown;
use history::{RunRecord, Strip};
use plotters::style::ShapeStyle;

/// How a panel looks.
pub(super) struct Look<'a> {
    /// What it is called.
    pub name: &'a str,
    /// The id of its hatching: no two in a page.
    pub hatch: &'a str,
    /// How high it is, in pixels.
    pub height: f64,
    /// How high it is if there is nothing to see in it.
    pub flat: f64,
}

const LOOK: Look<'_> = Look { name: "Availability", hatch: "timeline-hatch", height: 150.0, flat: 30.0 };

/// So many places have lines of their own, those that differ most.
const PLACES_MAX: usize = 3;

/// A place has a line of its own if it differs so much from all, on average over time.
const DIFFERENCE_MIN: f64 = 0.03;

/// By stretch, a share; `None` where nobody asked.
type Shares = Vec<Option<f64>>;

struct Panel<'a> {
    hatch: &'a str,
    frame: Frame,
    axis: Axis,
    stretches: Vec<Stretch>,
    achieved: Shares,
    possible: Shares,
    places: Vec<Line>,
}

/// What became of the operations of one place.
struct Line {
    name: String,
    shares: Shares,
    /// Of all of them.
    served: f64,
}

/// Draws the panel from `y` on; returns where it ends.
pub(super) fn panel(svg: &mut Svg, record: &RunRecord, axis: &Axis, y: f64) -> f64 {
    drawn(svg, record, axis, y, &LOOK)
}

/// The same, with a look of its own.
pub(super) fn drawn(svg: &mut Svg, record: &RunRecord, axis: &Axis, y: f64, look: &Look<'_>) -> f64 {
    let places = by_place(record.picture.as_ref().map_or(&[], |picture| &picture.service));
    let all = Place::all(record);
    // One place may have few of the operations, and its line stands on the steps of the others.
    let stretches = stretches(&record.buckets, axis, total(&all.invoked) / places.len().max(1) as u64);
    let shares = |of: &[u64], all: &[u64]| -> Shares {
        let shares = stretches.iter().map(|stretch| share(stretch.sum(of), stretch.sum(all)));
        bridged(shares.collect(), &stretches, &record.outages)
    };
    let achieved = shares(&all.achieved, &all.invoked);
    let possible = shares(&counts(record, |bucket| bucket.possible), &all.invoked);
    let places = places.into_iter().map(|place| {
        let (shares, all) = (shares(&place.achieved, &place.invoked), total(&place.invoked));
        Line { name: place.name, shares, served: share(total(&place.achieved), all).unwrap_or(1.0) }
    });
    let places: Vec<Line> = places.collect();
    if achieved.iter().all(Option::is_none) {
        return y;
    }
    let is_flat = achieved.iter().flatten().all(|share| *share == 1.0);
    let height = if is_flat { look.flat } else { look.height };
    let frame = Frame { left: LEFT, top: y + HEAD, width: RIGHT - LEFT, height };
    let width = stretches.first().map_or(0, |stretch| stretch.to_ns - stretch.from_ns);
    let panel = Panel { hatch: look.hatch, frame, axis: *axis, stretches, achieved, possible, places };
    head(svg, y, look.name, &panel.told(width));
    let marks: &[u8] = if is_flat || height < 100.0 { &[0, 100] } else { &[0, 25, 50, 75, 100] };
    for mark in marks {
        rule(svg, panel.y(f64::from(*mark) / 100.0), &format!("{mark} %"));
    }
    let mut labels = panel.all(svg, record);
    labels.extend(panel.differing(svg));
    label(svg, labels, (frame.top, frame.bottom()));
    axis.names(svg, frame.bottom());
    frame.bottom() + 18.0 + GAP
}

impl Panel<'_> {
    fn y(&self, share: f64) -> f64 {
        self.frame.bottom() - self.frame.height * share
    }

    /// Where a line ends.
    fn end(&self, shares: &Shares) -> f64 {
        self.y(shares.iter().flatten().next_back().copied().unwrap_or(1.0))
    }

    /// What one sees.
    fn told(&self, width_ns: u64) -> String {
        let both = || self.achieved.iter().flatten().zip(self.possible.iter().flatten());
        let mut told = format!("share served in time, per {}", time(width_ns));
        if both().all(|(achieved, _)| *achieved == 1.0) {
            return told + ": all of them";
        }
        if both().any(|(_, possible)| *possible < 1.0) {
            told.push_str("; dashed: the best that nodes and links allowed; hatched: not avoidable");
        }
        if both().any(|(achieved, possible)| achieved < possible) {
            told.push_str("; filled: avoidable");
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
                self.chart(svg, |chart| steps(chart, &self.stretches, &self.possible, pen(Ink::BOUND, 1.2)));
            });
        }
        self.chart(svg, |chart| steps(chart, &self.stretches, &self.achieved, pen(Ink::OK, 1.8)));
        let (achieved, possible) = record.availability.map_or((1.0, 1.0), |shares| (shares.achieved, shares.possible));
        let mut labels = vec![Label {
            y: self.end(&self.achieved),
            ink: Ink::OK,
            class: "",
            text: format!("served {}", percent(achieved)),
        }];
        if is_bounded {
            let text = format!("possible {}", percent(possible));
            labels.push(Label { y: self.end(&self.possible), ink: Ink::BOUND, class: "dashed", text });
        }
        labels
    }

    /// What nobody could have served.
    fn hatched(&self, svg: &mut Svg) {
        let line = format!("<path d=\"M0 0v5\" class=\"s-{}\"/>", Ink::MUTED.name);
        let size = "width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"";
        svg.raw(&format!("<pattern id=\"{}\" {size}>{line}</pattern>", self.hatch));
        for run in runs(&self.possible) {
            let Some(possible) = self.possible[run.start].filter(|share| *share < 1.0) else { continue };
            let (from, to) = (self.stretches[run.start].from_ns, self.stretches[run.end - 1].to_ns);
            let (from, to) = (self.axis.x(from), self.axis.x(to));
            let at = format!("x=\"{}\" y=\"{}\"", px(from), px(self.y(1.0)));
            let size = format!("width=\"{}\" height=\"{}\"", px(to - from), px(self.frame.height * (1.0 - possible)));
            svg.element("rect", &format!("{at} {size} fill=\"url(#{})\" opacity=\".45\"", self.hatch));
        }
    }

    /// Places that differ.
    fn differing(&self, svg: &mut Svg) -> Vec<Label> {
        let mut lines: Vec<(f64, &Line)> = self.places.iter().map(|line| (self.apart(line), line)).collect();
        lines.retain(|(apart, _)| *apart >= DIFFERENCE_MIN);
        lines.sort_by(|a, b| b.0.total_cmp(&a.0));
        lines.truncate(PLACES_MAX);
        let draw = |((_, line), ink): ((f64, &Line), &Ink)| {
            self.chart(svg, |chart| steps(chart, &self.stretches, &line.shares, pen(*ink, 1.2)));
            let text = format!("{} {}", shown(&line.name), percent(line.served));
            Label { y: self.end(&line.shares), ink: *ink, class: "", text }
        };
        lines.into_iter().zip(&LINES[1..]).map(draw).collect()
    }

    /// How far a place is from all of them, on average over time.
    fn apart(&self, line: &Line) -> f64 {
        let both = line.shares.iter().zip(&self.achieved);
        let apart: Vec<f64> = both.filter_map(|(own, all)| Some((own.as_ref()? - all.as_ref()?).abs())).collect();
        apart.iter().sum::<f64>() / apart.len().max(1) as f64
    }
}

/// A line of steps, broken where nobody asked.
fn steps(chart: &mut Chart<'_>, stretches: &[Stretch], shares: &Shares, style: ShapeStyle) {
    let mut line: Vec<(f64, f64)> = Vec::new();
    for run in runs(shares) {
        match shares[run.start] {
            Some(share) => {
                line.push((stretches[run.start].from_ns as f64, share));
                line.push((stretches[run.end - 1].to_ns as f64, share));
            }
            None => chart.line(line.drain(..), style),
        }
    }
    chart.line(line, style);
}

/// The operations of a place, whatever they were for.
struct Place {
    name: String,
    invoked: Vec<u64>,
    achieved: Vec<u64>,
}

impl Place {
    /// Everywhere.
    fn all(record: &RunRecord) -> Place {
        let (invoked, achieved) = (counts(record, |bucket| bucket.invoked), counts(record, |bucket| bucket.achieved));
        Place { name: String::new(), invoked, achieved }
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
