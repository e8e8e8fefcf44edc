//! A figure of a paper as a picture: what was published as a broken line with rings, ours as dots over it, the range that was
//! asked for as a bar.

use super::{Laid, Row, Shape, figures};
use crate::draw::Figure;
use crate::draw::ink::{Ink, LINES};
use crate::draw::measure::{SMALL, fitted, width};
use crate::draw::svg::{Anchor, Svg, fill, px, stroke};
use crate::words::plain;

const WIDTH: f64 = 1000.0;
/// Where the field of points begins and ends, in pixels.
const LEFT: f64 = 84.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 300.0;
/// Names of curves take no more room than this.
const NAME_MAX: f64 = 240.0;
/// From the names to the edge and to the field.
const BESIDE: f64 = 54.0;
/// More marks than this crowd an axis.
const MARKS_MAX: usize = 7;
/// So do more places.
const PLACES_MAX: usize = 12;

/// Numbers along one direction, in pixels.
struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    begin: f64,
    end: f64,
}

impl Axis {
    /// Around these numbers. An axis of logarithms leaves out what has none.
    fn around(numbers: &[f64], logarithmic: bool, (begin, end): (f64, f64)) -> Axis {
        let fit = |number: &f64| number.is_finite() && (!logarithmic || *number > 0.0);
        let fitting = || numbers.iter().copied().filter(fit);
        let (low, high) = (fitting().fold(f64::INFINITY, f64::min), fitting().fold(f64::NEG_INFINITY, f64::max));
        let (low, high) = if low <= high { (low, high) } else { (1.0, 10.0) };
        let (low, high) = match logarithmic {
            true => (low / 1.3, high * 1.3),
            false => {
                let room = if high > low { (high - low) * 0.06 } else { high.abs().max(1.0) * 0.5 };
                // Where zero is near, it is shown: lengths compare.
                (if low >= 0.0 && low < high * 0.4 { 0.0 } else { low - room }, high + room)
            }
        };
        Axis { low, high, logarithmic, begin, end }
    }

    fn place(&self, number: f64) -> f64 {
        let share = match self.logarithmic {
            true => libm::log10(number.max(self.low) / self.low) / libm::log10(self.high / self.low),
            false => (number - self.low) / (self.high - self.low),
        };
        self.begin + (self.end - self.begin) * share.clamp(0.0, 1.0)
    }

    /// Round numbers along it.
    fn marks(&self) -> Vec<f64> {
        let candidates = if self.logarithmic { self.decades() } else { self.steps() };
        candidates.into_iter().filter(|mark| *mark >= self.low && *mark <= self.high).collect()
    }

    fn decades(&self) -> Vec<f64> {
        let is_long = self.high / self.low > 200.0;
        let digits: &[f64] = if is_long { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let powers = (-9..12).map(|power| if power < 0 { 1.0 / ten_to(-power) } else { ten_to(power) });
        powers.flat_map(|power| digits.iter().map(move |digit| digit * power)).collect()
    }

    fn steps(&self) -> Vec<f64> {
        let span = self.high - self.low;
        let widths = (-9..12).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| (digit, power)));
        let wide = widths.map(|(digit, power)| if power < 0 { digit / ten_to(-power) } else { digit * ten_to(power) });
        let step = wide.into_iter().find(|step| span / step < MARKS_MAX as f64).unwrap_or(span);
        let first = libm::ceil(self.low / step);
        (0..=MARKS_MAX).map(|i| (first + i as f64) * step).collect()
    }
}

fn ten_to(power: i32) -> f64 {
    10u64.saturating_pow(power.unsigned_abs()) as f64
}

/// Where the points of a figure are placed.
struct Field<'a> {
    laid: &'a Laid,
    across: Axis,
    up: Axis,
}

/// The picture, under this name; `None` of a figure without a number.
pub fn chart(name: &str, laid: &Laid) -> Option<Figure> {
    let paper = &laid.paper;
    let ranges = laid.all().filter_map(|row| row.range).flat_map(|(from, to)| [from, to]);
    let numbers = laid.all().flat_map(|row| row.published.into_iter().chain(row.ours.iter().copied()));
    let values: Vec<f64> = numbers.chain(ranges).collect();
    if values.is_empty() {
        return None;
    }
    let at: Vec<f64> = laid.all().map(|row| row.at).collect();
    let names =
        paper.series.iter().map(|series| width(&plain(&series.name), SMALL)).fold(130.0, f64::max).min(NAME_MAX);
    let (wide, high) = ((LEFT, WIDTH - names - BESIDE), (BOTTOM, TOP));
    let (across, up) = match paper.shape {
        Shape::Curve => (Axis::around(&at, false, wide), Axis::around(&values, paper.logarithmic, high)),
        Shape::Distribution => {
            let shares = Axis { low: 0.0, high: 100.0, logarithmic: false, begin: high.0, end: high.1 };
            (Axis::around(&values, paper.logarithmic, wide), shares)
        }
    };
    let field = Field { laid, across, up };
    let mut svg = Svg::new();
    field.axes(&mut svg);
    for (i, rows) in laid.rows.iter().enumerate() {
        field.series(&mut svg, LINES[i % LINES.len()], rows);
    }
    field.names(&mut svg);
    Some(Figure {
        name: name.to_owned(),
        title: paper.title.clone(),
        description: description(laid),
        width: WIDTH,
        height: (BOTTOM + 46.0).max(TOP + 20.0 * (laid.rows.len() + 5) as f64),
        elements: svg.into_text(),
    })
}

impl Field<'_> {
    fn axes(&self, svg: &mut Svg) {
        let muted = format!("{} small", fill(Ink::MUTED));
        let line = format!("{} thin", stroke(Ink::FAINT));
        for (mark, name) in self.marks_across() {
            let x = self.across.place(mark);
            svg.line((x, TOP), (x, BOTTOM), &line);
            svg.text((x, BOTTOM + 16.0), Anchor::Middle, &muted, &plain(&name));
        }
        for mark in self.up.marks() {
            let y = self.up.place(mark);
            svg.line((LEFT, y), (self.across.end, y), &line);
            svg.text((LEFT - 8.0, y + 4.0), Anchor::End, &muted, &figures(mark));
        }
        let paper = &self.laid.paper;
        let (at, of) = (plain(&paper.at), plain(&paper.of));
        let of = if paper.unit.name().is_empty() { of } else { format!("{of}, {}", paper.unit.name()) };
        let (below, above) = match paper.shape {
            Shape::Curve => (at, of),
            Shape::Distribution => (of, at),
        };
        svg.text(((LEFT + self.across.end) / 2.0, BOTTOM + 36.0), Anchor::Middle, &muted, &below);
        svg.text((8.0, 14.0), Anchor::Start, &muted, &above);
    }

    /// What is named below: of a curve the places of its points, by their names or numbers, if they are few.
    fn marks_across(&self) -> Vec<(f64, String)> {
        let mut named: Vec<(f64, String)> = self.laid.all().map(|row| (row.at, row.place())).collect();
        named.sort_by(|a, b| a.0.total_cmp(&b.0));
        named.dedup_by(|a, b| a.0 == b.0);
        if self.laid.paper.shape == Shape::Curve && named.len() <= PLACES_MAX {
            return named;
        }
        self.across.marks().into_iter().map(|mark| (mark, figures(mark))).collect()
    }

    /// Where a value stands that belongs to `at`.
    fn place(&self, at: f64, value: f64) -> (f64, f64) {
        match self.laid.paper.shape {
            Shape::Curve => (self.across.place(at), self.up.place(value)),
            Shape::Distribution => (self.across.place(value), self.up.place(at)),
        }
    }

    fn series(&self, svg: &mut Svg, ink: Ink, rows: &[Row]) {
        let published: Vec<(f64, f64)> =
            rows.iter().filter_map(|row| Some(self.place(row.at, row.published?))).collect();
        let steps: Vec<String> = published.iter().map(|(x, y)| format!("{} {}", px(*x), px(*y))).collect();
        if steps.len() > 1 {
            svg.path(&format!("M{}", steps.join("L")), &format!("{} dashed", stroke(ink)));
        }
        for (from, to) in rows.iter().filter_map(|row| row.range.map(|range| self.ends(row.at, range))) {
            svg.line(from, to, &format!("{}\" stroke-width=\"5\" stroke-linecap=\"round\" opacity=\"0.3", stroke(ink)));
        }
        for at in published {
            ring(svg, at, ink);
        }
        let unit = self.laid.paper.unit;
        for row in rows {
            for ours in &row.ours {
                let at = self.place(row.at, *ours);
                svg.tipped(&format!("ours: {}", unit.told(*ours)), |svg| dot(svg, at, ink));
            }
        }
    }

    fn ends(&self, at: f64, (from, to): (f64, f64)) -> ((f64, f64), (f64, f64)) {
        (self.place(at, from), self.place(at, to))
    }

    /// What is what, right of the field.
    fn names(&self, svg: &mut Svg) {
        let left = self.across.end + 16.0;
        let text = format!("{} small", fill(Ink::TEXT));
        let mut y = TOP + 8.0;
        for (i, series) in self.laid.paper.series.iter().enumerate() {
            svg.rect((left, y - 5.0), (14.0, 10.0), 2.0, &fill(LINES[i % LINES.len()]));
            let name = fitted(&plain(&series.name), SMALL, NAME_MAX).unwrap_or_default();
            svg.text((left + 22.0, y + 4.0), Anchor::Start, &text, &name);
            y += 20.0;
        }
        y += 12.0;
        svg.line((left - 2.0, y), (left + 16.0, y), &format!("{} dashed", stroke(Ink::MUTED)));
        ring(svg, (left + 7.0, y), Ink::MUTED);
        svg.text((left + 22.0, y + 4.0), Anchor::Start, &text, "published");
        dot(svg, (left + 7.0, y + 20.0), Ink::MUTED);
        svg.text((left + 22.0, y + 24.0), Anchor::Start, &text, "ours");
        let bar = format!("{}\" stroke-width=\"5\" stroke-linecap=\"round\" opacity=\"0.3", stroke(Ink::MUTED));
        svg.line((left, y + 40.0), (left + 14.0, y + 40.0), &bar);
        svg.text((left + 22.0, y + 44.0), Anchor::Start, &text, "what ours may be");
    }
}

fn ring(svg: &mut Svg, (x, y): (f64, f64), ink: Ink) {
    let class = format!("{} {}", fill(Ink::PAPER), stroke(ink));
    svg.element(
        "circle",
        &format!("cx=\"{}\" cy=\"{}\" r=\"4.5\" stroke-width=\"1.5\" class=\"{class}\"", px(x), px(y)),
    );
}

fn dot(svg: &mut Svg, (x, y): (f64, f64), ink: Ink) {
    svg.element("circle", &format!("cx=\"{}\" cy=\"{}\" r=\"3\" class=\"{}\"", px(x), px(y), fill(ink)));
}

fn description(laid: &Laid) -> String {
    let unit = laid.paper.unit;
    let told = |row: &Row| {
        let published = row.published.map_or("nothing".to_owned(), |number| unit.told(number));
        let ours = row.middle().map_or("nothing".to_owned(), |number| unit.told(number));
        format!("at {} published {published}, ours {ours}", row.place())
    };
    let series = laid.paper.series.iter().zip(&laid.rows).map(|(series, rows)| {
        let rows: Vec<String> = rows.iter().map(told).collect();
        format!("{}: {}", series.name, rows.join("; "))
    });
    format!("{}.", series.collect::<Vec<_>>().join(". "))
}
