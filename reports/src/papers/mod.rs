//! Figures of papers, and ours laid over them.
//!
//! What was published stands in a `published.toml` beside the scenarios that reproduce it ([`Published`]); what we measured,
//! in the findings of their runs. Here the two meet: a [`Row`] for each point, a [`page`] with a curve for each figure.

mod chart;
mod page;
#[cfg(test)]
mod tests;

pub use page::page;

use history::{Measured, Quantity, Verdict};
use serde::Deserialize;

/// What papers published, as a file says it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// Each a picture.
    #[serde(rename = "figure")]
    pub figures: Vec<Paper>,
}

/// A figure of a paper.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Paper {
    /// What it shows.
    pub title: String,
    /// Who published it, and where.
    pub source: String,
    /// What one has to know beside it.
    #[serde(default)]
    pub note: String,
    /// What its points stand at, with the unit: `nodes`.
    pub at: String,
    /// What is said of each point: `time without a leader`.
    pub of: String,
    /// Of that.
    pub unit: Unit,
    /// How points are placed.
    #[serde(default)]
    pub shape: Shape,
    /// Whether values are placed by their logarithm.
    #[serde(default)]
    pub logarithmic: bool,
    /// Its curves.
    pub series: Vec<Series>,
}

/// A curve.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Series {
    /// Its name.
    pub name: String,
    /// The scenario that reproduces its points, seen from the file.
    #[serde(default)]
    pub file: String,
    /// What ours measures on top of what was published, in the unit: taken off.
    #[serde(default)]
    pub less: f64,
    /// What was published.
    pub points: Vec<Point>,
}

impl Series {
    /// The scenarios that reproduce it.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let asked = self.points.iter().filter(|point| point.check.is_some());
        asked.map(|point| point.file.as_deref().unwrap_or(&self.file))
    }
}

/// One number of a paper.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Point {
    /// Where it stands.
    pub at: f64,
    /// What stands there on the axis instead of the number.
    pub label: Option<String>,
    /// The number, in the figure's unit; none if the paper says only how the curve runs.
    pub published: Option<f64>,
    /// The figure of ours, in the words of the scenario: `takeover(p50)`. Without it, the point is only drawn.
    pub check: Option<String>,
    /// The scenario that reproduces it, if not that of the series.
    pub file: Option<String>,
}

/// What numbers are given in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Unit {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Percent.
    #[serde(rename = "%")]
    Percent,
    /// None: they are counted.
    #[serde(rename = "")]
    Count,
}

impl Unit {
    /// A measured number in this unit; `None` if it is of another kind.
    fn of(self, quantity: Quantity, number: u64) -> Option<f64> {
        let number = number as f64;
        match (self, quantity) {
            (Unit::Seconds, Quantity::Time) => Some(number / 1e9),
            (Unit::Milliseconds, Quantity::Time) => Some(number / 1e6),
            (Unit::Percent, Quantity::Share) => Some(number / 1e7),
            (Unit::Count, Quantity::Count) => Some(number),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Unit::Seconds => "s",
            Unit::Milliseconds => "ms",
            Unit::Percent => "%",
            Unit::Count => "",
        }
    }

    /// A number with its unit.
    fn told(self, number: f64) -> String {
        match self {
            Unit::Count => figures(number),
            Unit::Seconds | Unit::Milliseconds | Unit::Percent => format!("{}\u{202f}{}", figures(number), self.name()),
        }
    }
}

/// With four figures that mean something, and no zeros that mean nothing.
fn figures(number: f64) -> String {
    let decimals = match number.abs() {
        1000.0.. => 0,
        100.0.. => 1,
        10.0.. => 2,
        1.0.. => 3,
        0.0 => 0,
        _ => 5,
    };
    let text = format!("{number:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// How points are placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Values upwards, over what they stand at.
    #[default]
    Curve,
    /// Values to the right; what they stand at is a share in percent, upwards.
    Distribution,
}

/// What a scenario of the suite measured for one point.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// It was not run.
    NotRun,
    /// It was run, and asks for no such figure: the file says what is not so.
    NotAsked,
    /// In each run, as each check asked for it; nothing where there was nothing to measure it of.
    Measured(Vec<Measured>),
}

/// A point with ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Where it stands.
    at: f64,
    /// What that is called, if it is no number.
    label: Option<String>,
    /// In the figure's unit.
    published: Option<f64>,
    /// The scenario and what it asks.
    asked: Option<(String, String)>,
    /// In the figure's unit, one of each run.
    ours: Vec<f64>,
    /// The narrowest range that was asked for, likewise.
    range: Option<(f64, f64)>,
}

impl Row {
    /// What it stands at.
    fn place(&self) -> String {
        self.label.clone().unwrap_or_else(|| figures(self.at))
    }

    /// The middle one of ours.
    fn middle(&self) -> Option<f64> {
        self.ours.get(self.ours.len() / 2).copied()
    }

    /// Whether ours is where it was asked to be; `None` if it was not measured.
    fn holds(&self) -> Option<bool> {
        let ((from, to), ours) = (self.range?, self.middle()?);
        Some(from <= ours && ours <= to)
    }

    /// How far ours is from what was published, as a share of that.
    fn off(&self) -> Option<f64> {
        let published = self.published.filter(|published| *published > 0.0)?;
        Some((self.middle()? - published) / published)
    }
}

/// A figure with ours laid over it: the rows of each of its series.
#[derive(Clone, Debug, PartialEq)]
pub struct Laid {
    paper: Paper,
    rows: Vec<Vec<Row>>,
}

impl Laid {
    /// Lays what was found over a figure. The error says which reference of the file leads nowhere.
    pub fn over(paper: &Paper, found: impl Fn(&str, &str) -> Found) -> Result<Laid, String> {
        let series = |series: &Series| {
            let row = |point: &Point| row(paper.unit, series, point, &found);
            series.points.iter().map(row).collect::<Result<Vec<_>, String>>()
        };
        let rows = paper.series.iter().map(series).collect::<Result<_, _>>()?;
        Ok(Laid { paper: paper.clone(), rows })
    }

    fn all(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().flatten()
    }
}

fn row(unit: Unit, series: &Series, point: &Point, found: &impl Fn(&str, &str) -> Found) -> Result<Row, String> {
    let bare = Row {
        at: point.at,
        label: point.label.clone(),
        published: point.published,
        asked: None,
        ours: Vec::new(),
        range: None,
    };
    let Some(check) = &point.check else { return Ok(bare) };
    let file = point.file.as_ref().unwrap_or(&series.file);
    let asked = Some((file.clone(), check.clone()));
    let measured = match found(file, check) {
        Found::NotRun => return Ok(Row { asked, ..bare }),
        Found::NotAsked => {
            let message = "does not ask for it; write the figure as the scenario does, up to ` in `";
            return Err(format!("`{check}` of {} at {}: {file} {message}", series.name, point.at));
        }
        Found::Measured(measured) => measured,
    };
    let in_unit = |measured: &Measured| {
        let of = |number| unit.of(measured.quantity, number).map(|number| number - series.less);
        Some((of(measured.value)?, (of(measured.from)?, of(measured.to)?)))
    };
    let all: Option<Vec<_>> = measured.iter().map(in_unit).collect();
    let Some(all) = all else {
        return Err(format!("`{check}` of {} is not measured in `{}`", series.name, unit.name()));
    };
    let narrowest = |a: &(f64, f64), b: &(f64, f64)| (a.1 - a.0).total_cmp(&(b.1 - b.0));
    let range = all.iter().map(|(_, range)| *range).min_by(narrowest);
    let mut ours: Vec<f64> = all.iter().map(|(value, _)| *value).collect();
    ours.sort_by(f64::total_cmp);
    Ok(Row { asked, ours, range, ..bare })
}

/// How many of the points that ours was asked for lie where they should, do not, and were not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    held: u64,
    off: u64,
    open: u64,
}

impl Tally {
    fn of(laid: &[Laid]) -> Tally {
        let asked = laid.iter().flat_map(Laid::all).filter(|row| row.asked.is_some());
        asked.fold(Tally::default(), |tally, row| match row.holds() {
            Some(true) => Tally { held: tally.held + 1, ..tally },
            Some(false) => Tally { off: tally.off + 1, ..tally },
            None => Tally { open: tally.open + 1, ..tally },
        })
    }

    /// FAIL if one is off, since the page speaks of papers and not of what the suite lets pass.
    const fn verdict(self) -> Verdict {
        match self {
            Tally { off: 1.., .. } => Verdict::Fail,
            Tally { held: 0, .. } => Verdict::Vacuous,
            Tally { open: 1.., .. } => Verdict::Unknown,
            Tally { .. } => Verdict::Pass,
        }
    }
}
