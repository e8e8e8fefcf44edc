//! Distributions as dots: a row for each, a dot for each run, and where the middle of them is.

use super::WIDTH;
use super::scale::{Scale, ValueAxis};
use crate::draw::Figure;
use crate::draw::backend::{Frame, Shape, chart, pen};
use crate::draw::ink::Ink;
use crate::draw::measure::{PLAIN, fitted, width};
use crate::draw::svg::{Anchor, Svg, fill, px, stroke};
use crate::statistics::{Median, median};
use crate::words::{count, counted};

/// A name and the values that go by it, such as one of each run of a variant. What is no number is left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// What they are of.
    pub name: String,
    /// Nanoseconds, or shares between 0 and 1: as [`Scale`] says.
    pub values: Vec<f64>,
}

/// More rows than this are not drawn.
pub const ROWS_MAX: usize = 24;

/// More dots than this are not drawn, in all rows of a picture together.
const DOTS_MAX: usize = 6_000;

/// And no more than this in a row: they would cover each other.
const ROW_DOTS_MAX: usize = 1_500;

/// From a row to the next, in pixels.
const PITCH: f64 = 46.0;

/// How far dots stand from the middle of their row at most.
const JITTER: f64 = 15.0;

/// Names take no more room than this.
const NAME_MAX: f64 = 270.0;

/// What is told of a row stands in so much room.
const TOLD: f64 = 190.0;

/// Names and a title for a picture; `None` of rows without any value.
pub fn dots(name: &str, title: &str, scale: Scale, samples: &[Sample]) -> Option<Figure> {
    let rows = Row::all(samples);
    if rows.is_empty() {
        return None;
    }
    let (left, right) = (left(&rows), WIDTH - TOLD);
    let axis = ValueAxis::of(scale, rows.iter().flat_map(|row| row.sorted.iter().copied()), (left, right));
    let (top, bottom) = (6.0, 6.0 + PITCH * rows.len() as f64);
    let mut svg = Svg::new();
    axis.draw(&mut svg, (top, bottom));
    let most = (DOTS_MAX / rows.len()).min(ROW_DOTS_MAX);
    for (i, row) in rows.iter().enumerate() {
        row.draw(&mut svg, &axis, scale, PITCH.mul_add(i as f64 + 0.5, top), most);
    }
    let hidden = samples.len().saturating_sub(ROWS_MAX);
    let mut notes = vec!["dot: one run; bar: the median and its 95 % interval".to_owned()];
    let drawn: usize = rows.iter().map(|row| row.sorted.len().min(most)).sum();
    let all: usize = rows.iter().map(|row| row.sorted.len()).sum();
    if drawn < all {
        notes.push(format!("{} of {} dots are drawn, evenly", count(drawn as u64), count(all as u64)));
    }
    if hidden > 0 {
        notes.push(format!("{} not shown", counted(hidden as u64, "more row")));
    }
    svg.text((left, bottom + 36.0), Anchor::Start, &format!("{} small", fill(Ink::MUTED)), &notes.join("; "));
    Some(Figure {
        name: name.to_owned(),
        title: title.to_owned(),
        description: description(&rows, scale),
        width: WIDTH,
        height: bottom + 44.0,
        elements: svg.into_text(),
    })
}

/// A sample in its order.
pub(super) struct Row<'a> {
    pub name: &'a str,
    /// Never empty.
    pub sorted: Vec<f64>,
    pub median: Median,
}

impl Row<'_> {
    /// Those that have values, as many as are drawn.
    pub fn all(samples: &[Sample]) -> Vec<Row<'_>> {
        let row = |sample: &'_ Sample| -> Option<(Vec<f64>, Median)> {
            let mut sorted: Vec<f64> = sample.values.iter().copied().filter(|value| value.is_finite()).collect();
            sorted.sort_by(f64::total_cmp);
            let median = median(&sorted)?;
            Some((sorted, median))
        };
        let rows = samples
            .iter()
            .take(ROWS_MAX)
            .filter_map(|sample| row(sample).map(|(sorted, median)| Row { name: &sample.name, sorted, median }));
        rows.collect()
    }

    /// `1.9 s (1.7–2.2 s)`
    pub fn told(&self, scale: Scale) -> String {
        let interval = self.median.interval.map(|ends| format!(" ({})", scale.range(ends)));
        format!("{}{}", scale.told(self.median.value), interval.unwrap_or_default())
    }

    fn draw(&self, svg: &mut Svg, axis: &ValueAxis, scale: Scale, y: f64, most: usize) {
        let name = fitted(self.name, PLAIN, NAME_MAX).unwrap_or_default();
        svg.tipped(self.name, |svg| {
            svg.text((axis.left() - 12.0, y + 4.0), Anchor::End, &fill(Ink::TEXT), &name);
        });
        let frame = Frame { left: 0.0, top: 0.0, width: WIDTH, height: y + PITCH };
        svg.group("opacity=\".42\"", |svg| {
            chart(svg, frame, 0.0..WIDTH, 0.0..frame.height, |chart| {
                let places = thinned(self.sorted.len(), most).enumerate().map(|(i, at)| {
                    let value = self.sorted[at];
                    let [across, up] = scattered(i as u64);
                    (axis.x(value) + across * axis.room(value), frame.height - y + up * JITTER)
                });
                chart.marks(places, Shape::Dot, pen(Ink::OK, 3.2));
            });
        });
        let Median { value, interval } = self.median;
        let (low, high) = interval.unwrap_or((value, value));
        let (low, at, high) = (axis.x(low), axis.x(value), axis.x(high));
        let line = format!("{}\" stroke-width=\"2.5", stroke(Ink::TEXT));
        svg.line((low, y), (high.max(low + 1.0), y), &line);
        for end in [low, high] {
            svg.line((end, y - 5.0), (end, y + 5.0), &format!("{} thin", stroke(Ink::TEXT)));
        }
        let outline = format!("{} {}", fill(Ink::TEXT), stroke(Ink::PAPER));
        svg.tipped(&format!("{}: {}", self.name, self.told(scale)), |svg| {
            svg.element(
                "rect",
                &format!("x=\"{}\" y=\"{}\" width=\"7\" height=\"24\" class=\"{outline}\"", px(at - 3.5), px(y - 12.0)),
            );
        });
        let x = WIDTH - TOLD + 16.0;
        svg.text((x, y - 3.0), Anchor::Start, &format!("{} bold", fill(Ink::TEXT)), &scale.told(value));
        let after = x + width(&scale.told(value), PLAIN) * 1.08 + 6.0;
        if let Some(ends) = interval {
            let told = format!("({})", scale.range(ends));
            svg.text((after, y - 3.0), Anchor::Start, &format!("{} small", fill(Ink::MUTED)), &told);
        }
        svg.text((x, y + 12.0), Anchor::Start, &format!("{} small", fill(Ink::MUTED)), &self.counts());
    }

    /// `1 000 runs, 912 of them 0`
    fn counts(&self) -> String {
        let zeros = self.sorted.partition_point(|value| *value <= 0.0);
        let runs = counted(self.sorted.len() as u64, "run");
        if zeros > 0 { format!("{runs}, {} of them 0", count(zeros as u64)) } else { runs }
    }
}

/// Where names end, as wide as they need.
fn left(rows: &[Row<'_>]) -> f64 {
    rows.iter().map(|row| width(row.name, PLAIN)).fold(60.0, f64::max).min(NAME_MAX) + 16.0
}

/// Two numbers between -1 and 1 that look like chance and are the same for the same dot (the finalizer of SplitMix64).
fn scattered(dot: u64) -> [f64; 2] {
    let mut bits = (dot + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    [bits >> 32, bits & 0xffff_ffff].map(|half| half as f64 / f64::from(u32::MAX) * 2.0 - 1.0)
}

/// Of so many in their order, at most so many: the first, the last, and others at even steps.
fn thinned(all: usize, most: usize) -> impl Iterator<Item = usize> {
    let kept = all.min(most.max(2));
    (0..kept).map(move |i| if kept < 2 { 0 } else { i * (all - 1) / (kept - 1) })
}

fn description(rows: &[Row<'_>], scale: Scale) -> String {
    let tell = |row: &Row<'_>| {
        let (least, greatest) = (row.sorted.first(), row.sorted.last());
        let ends = least.zip(greatest).map(|(least, greatest)| scale.range((*least, *greatest))).unwrap_or_default();
        format!("{}: median {}, {} from {ends}", row.name, row.told(scale), row.counts())
    };
    format!("{}.", rows.iter().map(tell).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(name: &str, values: impl IntoIterator<Item = f64>) -> Sample {
        Sample { name: name.to_owned(), values: values.into_iter().collect() }
    }

    #[test]
    fn a_row_has_its_dots_its_median_and_its_counts() {
        let values = (0..1000).map(|i| if i < 100 { 0.0 } else { f64::from(i) * 1e6 });
        let figure = dots("unavailable", "Unavailable", Scale::Time, &[sample("raft <b>", values)]).expect("a picture");
        assert_eq!(figure.elements.matches("h0").count(), 1000, "a dot for each");
        for told in ["raft &lt;b&gt;", "1\u{202f}000 runs, 100 of them 0", "500\u{202f}ms", ">0<", "200\u{202f}ms"] {
            assert!(figure.elements.contains(told), "{told}: {}", &figure.elements[figure.elements.len() - 1500..]);
        }
        assert!(figure.description.starts_with("raft <b>: median 500\u{202f}ms ("), "{}", figure.description);
        assert_eq!(dots("x", "x", Scale::Time, &[sample("none", [f64::NAN])]), None);
    }

    #[test]
    fn ten_thousand_runs_of_many_variants_are_light() {
        let rows: Vec<Sample> = (0..40)
            .map(|row| sample(&format!("variant {row}"), (0..10_000).map(|i| f64::from(i * 7919 % 10_007) * 1e5)))
            .collect();
        let figure = dots("unavailable", "Unavailable", Scale::Time, &rows).expect("a picture");
        assert!(figure.elements.len() < 120_000, "{}", figure.elements.len());
        assert!(
            figure.elements.contains("6\u{202f}000 of 240\u{202f}000 dots are drawn, evenly; 16 more rows not shown")
        );
    }

    #[test]
    fn thinning_keeps_the_ends() {
        assert_eq!(thinned(10, 4).collect::<Vec<_>>(), [0, 3, 6, 9]);
        assert_eq!(thinned(3, 100).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!((thinned(1, 5).collect::<Vec<_>>(), thinned(0, 5).count()), (vec![0], 0));
    }
}
