//! Distributions as curves: which share of the runs has at most so much (the empirical distribution function).

use super::WIDTH;
use super::dots::{Row, Sample};
use super::scale::{Scale, ValueAxis};
use crate::draw::Figure;
use crate::draw::ink::{Ink, LINES};
use crate::draw::measure::{SMALL, fitted, width};
use crate::draw::svg::{Anchor, Svg, fill, px, stroke};

/// More curves than this cannot be told apart.
pub const CURVES_MAX: usize = 8;

/// How high the picture is, in pixels.
const HEIGHT: f64 = 220.0;

/// Where values begin.
const BEGIN: f64 = 52.0;

/// Names of curves take no more room than this.
const NAME_MAX: f64 = 270.0;

/// The picture; `None` of samples without any value. Curves beyond [`CURVES_MAX`] are counted and not drawn.
pub fn ecdf(name: &str, title: &str, scale: Scale, samples: &[Sample]) -> Option<Figure> {
    let all = Row::all(samples);
    let rows = &all[..all.len().min(CURVES_MAX)];
    if rows.is_empty() {
        return None;
    }
    let names = rows.iter().map(|row| width(row.name, SMALL)).fold(60.0, f64::max).min(NAME_MAX);
    let right = WIDTH - names - 44.0;
    let axis = ValueAxis::of(scale, rows.iter().flat_map(|row| row.sorted.iter().copied()), (BEGIN, right));
    let (top, bottom) = (12.0, 12.0 + HEIGHT);
    let mut svg = Svg::new();
    axis.draw(&mut svg, (top, bottom));
    let muted = format!("{} small", fill(Ink::MUTED));
    for mark in [0, 25, 50, 75, 100] {
        let y = bottom - HEIGHT * f64::from(mark) / 100.0;
        svg.line((BEGIN, y), (right, y), &format!("{} thin", stroke(Ink::FAINT)));
        svg.text((BEGIN - 8.0, y + 4.0), Anchor::End, &muted, &format!("{mark}\u{202f}%"));
    }
    for (i, row) in rows.iter().enumerate() {
        let look = format!("{}{}\" stroke-width=\"1.8", stroke(LINES[i % LINES.len()]), dash(i));
        let curve = steps(row, &axis, (bottom, HEIGHT));
        svg.tipped(row.name, |svg| svg.path(&format!("{curve}H{}", px(right)), &look));
        let y = 18.0f64.mul_add(i as f64, top + 8.0);
        svg.line((right + 10.0, y), (right + 32.0, y), &look);
        let name = fitted(row.name, SMALL, NAME_MAX).unwrap_or_default();
        svg.text((right + 38.0, y + 4.0), Anchor::Start, &format!("{} small", fill(Ink::TEXT)), &name);
    }
    let hidden = samples.len().saturating_sub(rows.len());
    if hidden > 0 {
        let y = 18.0f64.mul_add(rows.len() as f64, top + 12.0);
        svg.text((right + 38.0, y), Anchor::Start, &muted, &format!("and {hidden} not drawn"));
    }
    Some(Figure {
        name: name.to_owned(),
        title: title.to_owned(),
        description: description(rows, scale),
        width: WIDTH,
        height: bottom + 24.0,
        elements: svg.into_text(),
    })
}

/// Beyond the inks there are, lines are broken.
fn dash(number: usize) -> &'static str {
    ["", " dashed"][(number / LINES.len()) % 2]
}

/// Up a step at each value, with no more steps than can be seen.
fn steps(row: &Row<'_>, axis: &ValueAxis, (bottom, height): (f64, f64)) -> String {
    const STEP: f64 = 0.8;
    let all = row.sorted.len() as f64;
    let mut path = format!("M{} {}", px(axis.x(row.sorted[0])), px(bottom));
    let (mut drawn, mut at) = (bottom, axis.x(row.sorted[0]));
    for (i, value) in row.sorted.iter().enumerate() {
        let is_last = i + 1 == row.sorted.len();
        if !is_last && row.sorted[i + 1] == *value {
            continue;
        }
        let (x, y) = (axis.x(*value), bottom - height * (i + 1) as f64 / all);
        if x - at >= STEP || drawn - y >= STEP * 2.0 || is_last {
            path.push_str(&format!("H{}V{}", px(x), px(y)));
            (drawn, at) = (y, x);
        }
    }
    path
}

fn description(rows: &[Row<'_>], scale: Scale) -> String {
    let tell = |row: &Row<'_>| {
        let at = |percent: usize| {
            let rank = (row.sorted.len() * percent).div_ceil(100).max(1);
            scale.told(row.sorted[rank - 1])
        };
        format!("{}: 5 % at most {}, half {}, 95 % {}", row.name, at(5), at(50), at(95))
    };
    format!("Share of runs with at most so much. {}.", rows.iter().map(tell).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(name: &str, values: impl IntoIterator<Item = f64>) -> Sample {
        Sample { name: name.to_owned(), values: values.into_iter().collect() }
    }

    #[test]
    fn a_curve_begins_at_nothing_and_ends_at_all() {
        let figure = ecdf("e", "E", Scale::Share, &[sample("a", [0.0, 0.5, 0.5, 1.0])]).expect("a picture");
        let right = WIDTH - 60.0 - 44.0;
        let half = (BEGIN + right) / 2.0;
        let path = format!("M{BEGIN} 232H{BEGIN}V177H{half}V67H{right}V12H{right}");
        assert!(figure.elements.contains(&path), "{path}: {}", figure.elements);
        assert!(figure.description.contains("a: 5 % at most 0.00\u{202f}%, half 50.00\u{202f}%, 95 % 100.00"));
        assert_eq!(ecdf("e", "E", Scale::Share, &[]), None);
    }

    #[test]
    fn a_curve_of_many_runs_has_no_more_steps_than_pixels() {
        let rows: Vec<Sample> = (0..12)
            .map(|row| sample(&format!("variant {row}"), (0..10_000).map(|i| f64::from(i * 7919 % 10_007) * 1e5)))
            .collect();
        let figure = ecdf("e", "E", Scale::Time, &rows).expect("a picture");
        assert!(figure.elements.len() < 60_000, "{}", figure.elements.len());
        assert!(figure.elements.contains("and 4 not drawn"));
    }
}
