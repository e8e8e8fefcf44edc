//! How long operations took, and what became of them: each of them, or how many took about as long.

use super::super::axis::Axis;
use super::super::stretch::{Stretch, stretches};
use super::super::{LEFT, RIGHT};
use super::{HEAD, Label, head, label, rule};
use crate::draw::backend::{Chart, Frame, Shape, brush, chart, finite_range, pen};
use crate::draw::ink::Ink;
use crate::draw::measure::{SMALL, width};
use crate::draw::svg::{Anchor, Svg, fill};
use crate::words::{self, exact, time};
use history::{Cell, Cloud, Dot, Fate, Latency, RunRecord};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// How high the panel is, in pixels.
const HEIGHT: f64 = 190.0;

/// More dots than this are thinned out.
const DOTS_MAX: usize = 10_000;

/// Dots are drawn in so many paths, so that where many stand it is darker.
const LAYERS: usize = 6;

/// Rows above this are not times that anybody waited.
const ROW_MAX: u32 = 250;

/// Cells are drawn in so many shades.
const SHADES: u32 = 5;

/// What operations of a fate look like, and what that means.
struct Kind {
    fate: Fate,
    ink: Ink,
    shape: Shape,
    told: &'static str,
}

const KINDS: [Kind; 4] = [
    Kind { fate: Fate::Served, ink: Ink::OK, shape: Shape::Dot, told: "served" },
    Kind { fate: Fate::Late, ink: Ink::FAULT, shape: Shape::Diamond, told: "too late" },
    Kind { fate: Fate::Refused, ink: Ink::FAILED, shape: Shape::Triangle, told: "refused" },
    Kind { fate: Fate::Unknown, ink: Ink::UNKNOWN, shape: Shape::Cross, told: "unknown" },
];

/// A line through what a share of the operations took at most.
struct Percentile<'a> {
    name: &'static str,
    times: &'a [Option<u64>],
    ink: Ink,
    width: f64,
    class: &'static str,
}

struct Panel {
    frame: Frame,
    axis: Axis,
    /// Of the logarithms of nanoseconds.
    range: Range<f64>,
    stretches: Vec<Stretch>,
}

/// Draws the panel from `y` on; returns where it ends.
pub(super) fn panel(svg: &mut Svg, record: &RunRecord, axis: &Axis, y: f64) -> f64 {
    let Some(latency) = record.picture.as_ref().map(|picture| &picture.latency) else { return y };
    let Some(range) = range(latency) else { return y };
    let frame = Frame { left: LEFT, top: y + HEAD, width: RIGHT - LEFT, height: HEIGHT };
    let panel = Panel { frame, axis: *axis, range, stretches: stretches(&record.buckets, axis, u64::MAX) };
    let told = match &latency.cloud {
        Cloud::Dots(dots) if dots.len() <= DOTS_MAX => {
            "each operation, by when it began and how long its client waited".to_owned()
        }
        Cloud::Dots(dots) => format!(
            "{} of {} operations, by when they began and how long they took",
            words::count(DOTS_MAX as u64),
            words::count(dots.len() as u64)
        ),
        Cloud::Cells(_) => {
            "operations by when they began and how long they took, stronger where there were more".to_owned()
        }
    };
    head(svg, y, "Latency", &told);
    key(svg, y, &latency.cloud);
    for (at, name) in marks(&panel.range) {
        rule(svg, panel.y(at), &name);
    }
    match &latency.cloud {
        Cloud::Dots(dots) => panel.dots(svg, dots),
        Cloud::Cells(cells) => panel.cells(svg, cells),
    }
    let labels = panel.percentiles(svg, record, latency);
    label(svg, labels, (frame.top, frame.bottom()));
    frame.bottom() + 6.0
}

/// A time as this axis has it.
fn log(nanos: u64) -> f64 {
    libm::log10(nanos.max(1) as f64)
}

fn micros(us: u64) -> u64 {
    us.max(1).saturating_mul(1000)
}

/// From the shortest to the longest time, with some room; `None` without any.
fn range(latency: &Latency) -> Option<Range<f64>> {
    let lines = [&latency.p50_ns, &latency.p99_ns, &latency.max_ns].into_iter().flatten().flatten().copied();
    let cloud: Vec<u64> = match &latency.cloud {
        Cloud::Dots(dots) => dots.iter().map(|dot| micros(dot.took_us)).collect(),
        Cloud::Cells(cells) => cells
            .iter()
            .flat_map(|cell| [cell.row, cell.row.saturating_add(1)])
            .map(|row| micros(Cell::floor_us(row.min(ROW_MAX))))
            .collect(),
    };
    let mut times = lines.chain(cloud).map(log).peekable();
    times.peek()?;
    let Range { start, end } = finite_range(times);
    let room = ((end - start) * 0.06).max(0.15);
    Some((start - room).max(0.0)..end + room)
}

/// Which times are named: decades, and what lies between them if that is little.
fn marks(range: &Range<f64>) -> Vec<(f64, String)> {
    let digits: &[u64] = if range.end - range.start < 1.6 { &[1, 2, 5] } else { &[1] };
    let times = (0..19u32).flat_map(|exponent| digits.iter().map(move |digit| digit * 10u64.pow(exponent)));
    let marks = times.map(|nanos| (log(nanos), exact(nanos)));
    marks.filter(|(at, _)| range.contains(at)).collect()
}

/// What the marks mean, at the right, if they are not all alike.
fn key(svg: &mut Svg, y: f64, cloud: &Cloud) {
    let mut counts: BTreeMap<Fate, u64> = BTreeMap::new();
    let mut count = |fate, more: u64| {
        let count = counts.entry(fate).or_default();
        *count = count.saturating_add(more);
    };
    match cloud {
        Cloud::Dots(dots) => dots.iter().for_each(|dot| count(dot.fate, 1)),
        Cloud::Cells(cells) => cells.iter().for_each(|cell| count(cell.fate, cell.count)),
    }
    let mut right = RIGHT;
    for Kind { fate, ink, shape, told } in KINDS.iter().rev() {
        let Some(count) = counts.get(fate) else { continue };
        let text = format!("{told} {}", words::count(*count));
        svg.text((right, y + 11.0), Anchor::End, &format!("{} small", fill(Ink::MUTED)), &text);
        right -= width(&text, SMALL) + 8.0;
        let frame = Frame { left: right - 1.0, top: y + 6.0, width: 2.0, height: 2.0 };
        chart(svg, frame, 0.0..1.0, 0.0..1.0, |chart| chart.marks([(0.5, 0.5)], *shape, mark(*ink, *shape, 1.0)));
        right -= 16.0;
    }
}

/// How a mark is drawn: a dot's width, of the others how far they reach.
fn mark(ink: Ink, shape: Shape, opacity: f64) -> plotters::style::ShapeStyle {
    use plotters::style::Color;
    let width = match shape {
        Shape::Dot => 2.8,
        Shape::Diamond | Shape::Triangle | Shape::Cross => 2.4,
    };
    plotters::style::ShapeStyle { color: ink.mix(opacity), ..pen(ink, width) }
}

impl Panel {
    fn y(&self, log: f64) -> f64 {
        let Range { start, end } = self.range;
        self.frame.bottom() - self.frame.height * (log - start) / (end - start)
    }

    fn chart(&self, svg: &mut Svg, draw: impl FnOnce(&mut Chart<'_>)) {
        chart(svg, self.frame, self.axis.range(), self.range.clone(), draw);
    }

    fn dots(&self, svg: &mut Svg, dots: &[Dot]) {
        let every = dots.len().div_ceil(DOTS_MAX).max(1);
        let place = |dot: &Dot| (micros(dot.at_us) as f64, log(micros(dot.took_us)));
        for Kind { fate, ink, shape, .. } in &KINDS {
            let of_fate: Vec<(f64, f64)> = dots
                .iter()
                .step_by(every)
                .filter(|dot| dot.fate == *fate && dot.at_us < self.axis.end_ns / 1000)
                .map(place)
                .collect();
            self.chart(svg, |chart| match shape {
                Shape::Dot => {
                    for layer in 0..LAYERS {
                        let points = of_fate.iter().copied().skip(layer).step_by(LAYERS);
                        chart.marks(points, *shape, mark(*ink, *shape, 0.4));
                        chart.lift();
                    }
                }
                Shape::Diamond | Shape::Triangle | Shape::Cross => {
                    chart.marks(self.apart(of_fate), *shape, mark(*ink, *shape, 0.8));
                }
            });
        }
    }

    /// Without those that would cover each other: marks that take more ink are drawn once for each pixel.
    fn apart(&self, points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
        let mut taken = BTreeSet::new();
        let pixel = |(at, log): &(f64, f64)| (self.axis.x(*at as u64) as i64, self.y(*log) as i64);
        points.into_iter().filter(|point| taken.insert(pixel(point))).collect()
    }

    /// Rectangles, darker where there are more, on a logarithmic scale.
    fn cells(&self, svg: &mut Svg, cells: &[Cell]) {
        for Kind { fate, ink, .. } in &KINDS {
            let mut counts: BTreeMap<(usize, u32), u64> = BTreeMap::new();
            for cell in cells.iter().filter(|cell| cell.fate == *fate) {
                let Ok(stretch) = self.stretches.binary_search_by(|stretch| side(stretch, cell.bucket)) else {
                    continue;
                };
                let count = counts.entry((stretch, cell.row.min(ROW_MAX))).or_default();
                *count = count.saturating_add(cell.count);
            }
            let most = counts.values().copied().max().map_or(0.0, |most| libm::log2(most.max(2) as f64));
            let mut shades: BTreeMap<u32, Vec<[(f64, f64); 2]>> = BTreeMap::new();
            for ((stretch, row), count) in counts {
                let Stretch { from_ns, to_ns, .. } = self.stretches[stretch];
                let shade = (libm::log2(count.max(1) as f64) / most * f64::from(SHADES - 1) + 0.5) as u32;
                let floor = |row| log(micros(Cell::floor_us(row)));
                let corners = [(from_ns as f64, floor(row)), (to_ns as f64, floor(row + 1))];
                shades.entry(shade).or_default().push(corners);
            }
            self.chart(svg, |chart| {
                for (shade, cells) in shades {
                    let opacity = 0.15 + 0.7 * f64::from(shade) / f64::from(SHADES - 1);
                    cells.into_iter().for_each(|corners| chart.cell(corners, brush(*ink, opacity)));
                }
            });
        }
    }

    /// Lines through percentiles; returns their names.
    fn percentiles(&self, svg: &mut Svg, record: &RunRecord, latency: &Latency) -> Vec<Label> {
        let lines = [
            Percentile { name: "max", times: &latency.max_ns, ink: Ink::MUTED, width: 0.8, class: "dotted" },
            Percentile { name: "p99", times: &latency.p99_ns, ink: Ink::TEXT, width: 1.4, class: "dashed" },
            Percentile { name: "p50", times: &latency.p50_ns, ink: Ink::TEXT, width: 1.6, class: "" },
        ];
        let all = record.latency.map(|all| [all.max_ns, all.p99_ns, all.p50_ns]);
        let mut labels = Vec::new();
        for (i, Percentile { name, times, ink, width, class }) in lines.into_iter().enumerate() {
            let points: Vec<Option<(f64, f64)>> =
                self.stretches.iter().map(|stretch| self.point(stretch, times)).collect();
            let Some(last) = points.iter().flatten().next_back() else { continue };
            svg.group(&format!("class=\"{class}\""), |svg| {
                self.chart(svg, |chart| {
                    for run in points.split(Option::is_none) {
                        chart.line(run.iter().flatten().copied(), pen(ink, width));
                    }
                });
            });
            let text = all.map_or(name.to_owned(), |all| format!("{name} {}", time(all[i])));
            labels.push(Label { y: self.y(last.1), ink, class, text });
        }
        labels
    }

    /// The longest time of a stretch's buckets, in its middle.
    fn point(&self, stretch: &Stretch, times: &[Option<u64>]) -> Option<(f64, f64)> {
        let times = stretch.buckets.clone().filter_map(|bucket| *times.get(bucket)?);
        let at = (stretch.from_ns as f64 + stretch.to_ns as f64) / 2.0;
        Some((at, log(times.max()?)))
    }
}

/// Whether a stretch lies before a bucket, after it, or holds it.
fn side(stretch: &Stretch, bucket: usize) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    if stretch.buckets.end <= bucket {
        Ordering::Less
    } else if stretch.buckets.start > bucket {
        Ordering::Greater
    } else {
        Ordering::Equal
    }
}
