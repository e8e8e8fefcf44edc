//! A number for each pair of two settings, as a colour, a figure and its interval.

use super::WIDTH;
use super::scale::Scale;
use crate::draw::Figure;
use crate::draw::ink::{Ink, STEPS};
use crate::draw::measure::{PLAIN, SMALL, fitted, width};
use crate::draw::svg::{Anchor, Svg, fill};
use crate::words::count;

/// What was found of one pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// In nanoseconds, or a share.
    pub value: f64,
    /// Where the true value is, 95 times of 100; `None` of too few.
    pub interval: Option<(f64, f64)>,
    /// Of how many runs.
    pub runs: u64,
}

/// Two settings, their values, and what was found of each pair.
#[derive(Clone, Debug, PartialEq)]
pub struct Heat {
    /// What a cell's value is.
    pub scale: Scale,
    /// The setting that goes down, and its values.
    pub rows: (String, Vec<String>),
    /// The setting that goes across, and its values.
    pub columns: (String, Vec<String>),
    /// Row by row; `None` where nothing was run.
    pub cells: Vec<Vec<Option<Cell>>>,
}

/// How wide and high a cell is at most, in pixels.
const CELL: (f64, f64) = (150.0, 62.0);

/// Between cells.
const GAP: f64 = 4.0;

/// Names of rows take no more room than this.
const NAME_MAX: f64 = 200.0;

/// The picture; `None` if no cell holds anything.
pub fn heat(name: &str, title: &str, heat: &Heat) -> Option<Figure> {
    let all = || heat.cells.iter().flatten().flatten();
    let least = all().map(|cell| cell.value).fold(f64::INFINITY, f64::min);
    let most = all().map(|cell| cell.value).fold(0.0, f64::max);
    // Small differences are no strong colours.
    let least = match heat.scale {
        Scale::Share => 0.0,
        Scale::Time => least.min(most / 10.0),
    };
    all().next()?;
    let names = heat.rows.1.iter().map(|name| width(name, PLAIN)).fold(40.0, f64::max).min(NAME_MAX);
    let left = names + 16.0;
    let across = CELL.0.min((WIDTH - left) / heat.columns.1.len().max(1) as f64 - GAP);
    let mut svg = Svg::new();
    let (text, muted) = (fill(Ink::TEXT), format!("{} small", fill(Ink::MUTED)));
    // The settings' names stand apart from their values.
    let down = format!("{} ↓", heat.rows.0);
    let right = format!("{} →", heat.columns.0);
    svg.text((0.0, 12.0), Anchor::Start, &format!("{muted} bold"), &format!("{down} · {right}"));
    let top = 40.0;
    for (i, name) in heat.columns.1.iter().enumerate() {
        let x = left + (across + GAP) * i as f64 + across / 2.0;
        let told = fitted(name, PLAIN, across).unwrap_or_else(|| "…".to_owned());
        svg.tipped(name, |svg| svg.text((x, top - 8.0), Anchor::Middle, &text, &told));
    }
    for (i, (name, cells)) in heat.rows.1.iter().zip(&heat.cells).enumerate() {
        let y = top + (CELL.1 + GAP) * i as f64;
        let told = fitted(name, PLAIN, NAME_MAX).unwrap_or_default();
        svg.tipped(name, |svg| svg.text((left - 12.0, y + CELL.1 / 2.0 + 4.0), Anchor::End, &text, &told));
        for (j, cell) in cells.iter().enumerate() {
            let at = (left + (across + GAP) * j as f64, y);
            let pair = format!("{} = {name}, {} = {}", heat.rows.0, heat.columns.0, heat.columns.1[j]);
            match cell {
                Some(cell) => cell.draw(&mut svg, heat.scale, at, across, (least, most), &pair),
                None => {
                    svg.rect(at, (across, CELL.1), 3.0, &fill(Ink::PANEL));
                    svg.text((at.0 + across / 2.0, y + CELL.1 / 2.0 + 4.0), Anchor::Middle, &muted, "no run");
                }
            }
        }
    }
    let bottom = top + (CELL.1 + GAP) * heat.rows.1.len() as f64;
    let bold = heat.scale.told(most);
    let note = format!(
        "a cell: the value, its 95 % interval, and of how many runs; darkest {}, brightest {bold}",
        heat.scale.told(least)
    );
    svg.text((0.0, bottom + 16.0), Anchor::Start, &muted, &note);
    Some(Figure {
        name: name.to_owned(),
        title: title.to_owned(),
        description: description(heat),
        width: WIDTH,
        height: bottom + 24.0,
        elements: svg.into_text(),
    })
}

impl Cell {
    fn draw(&self, svg: &mut Svg, scale: Scale, (x, y): (f64, f64), across: f64, ends: (f64, f64), pair: &str) {
        let (ink, over) = STEPS[step(scale, self.value, ends)];
        let middle = x + across / 2.0;
        let (value, runs) = (scale.told(self.value), format!("of {}", count(self.runs)));
        let interval = self.interval.map(|ends| scale.range(ends)).unwrap_or_default();
        let small = format!("{} small", fill(over));
        svg.tipped(&format!("{pair}: {value} ({interval}), {runs} runs"), |svg| {
            svg.rect((x, y), (across, CELL.1), 3.0, &fill(ink));
            svg.text((middle, y + 22.0), Anchor::Middle, &format!("{} bold large", fill(over)), &value);
            for (line, text) in [interval, runs].iter().enumerate() {
                let told = fitted(text, SMALL, across - 4.0).unwrap_or_default();
                svg.text((middle, y + 38.0 + 15.0 * line as f64), Anchor::Middle, &small, &told);
            }
        });
    }
}

/// Which of the colours: even steps of shares, and of times' logarithms.
fn step(scale: Scale, value: f64, (least, most): (f64, f64)) -> usize {
    let place = |value: f64| match scale {
        Scale::Share => value,
        Scale::Time => libm::log10(value.max(1e6)),
    };
    let span = place(most) - place(least);
    let share = if span > 0.0 { (place(value) - place(least)) / span } else { 0.0 };
    ((share * STEPS.len() as f64) as usize).min(STEPS.len() - 1)
}

fn description(heat: &Heat) -> String {
    let mut told = Vec::new();
    for (row, cells) in heat.rows.1.iter().zip(&heat.cells) {
        for (column, cell) in heat.columns.1.iter().zip(cells) {
            let value = cell.map_or("no run".to_owned(), |cell| heat.scale.told(cell.value));
            told.push(format!("{row} and {column}: {value}"));
        }
    }
    format!("{} by {}. {}.", heat.rows.0, heat.columns.0, told.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(value: f64) -> Option<Cell> {
        Some(Cell { value, interval: Some((value / 2.0, value)), runs: 40 })
    }

    #[test]
    fn a_cell_shows_its_value_its_interval_and_of_how_many() {
        let quorums = Heat {
            scale: Scale::Share,
            rows: ("w".to_owned(), vec!["1".to_owned(), "2".to_owned()]),
            columns: ("r".to_owned(), vec!["1".to_owned(), "2".to_owned()]),
            cells: vec![vec![cell(0.42), cell(0.2)], vec![cell(0.0), None]],
        };
        let figure = heat("heat", "Stale", &quorums).expect("a picture");
        for told in ["42.00\u{202f}%", "21.00–42.00\u{202f}%", "of 40", "no run", "f-step5", "f-step0", "w ↓ · r →"]
        {
            assert!(figure.elements.contains(told), "{told}: {}", figure.elements);
        }
        assert!(figure.description.starts_with("w by r. 1 and 1: 42.00"), "{}", figure.description);
        assert_eq!(heat("heat", "None", &Heat { cells: vec![vec![None]], ..quorums }), None);
    }

    #[test]
    fn times_are_told_apart_by_their_logarithms() {
        let ends = (1e7, 1e10);
        assert_eq!([1e7, 1e8, 1e9, 1e10].map(|value| step(Scale::Time, value, ends)), [0, 2, 4, 5]);
        assert_eq!(step(Scale::Share, 0.3, (0.3, 0.3)), 0);
    }
}
