//! Which settings matter: what was found of each pair of values, and which conditions go with failing.

use super::{Page, Part, bare, pictures, text};
use crate::draw::Figure;
use crate::page::scrolling;
use crate::plot::heat::{Cell, Heat, heat};
use crate::plot::scale::Scale;
use crate::statistics::{median, wilson};
use crate::sweep::factors::{Factor, Risk, Separates, VALUES_MAX, telling, times};
use crate::sweep::study::{Numbers, Study};
use crate::words::{brief, count, counted};
use maud::{Markup, html};

/// Of a setting, in characters.
const NAME_MAX: usize = 60;

/// Of its values.
const VALUE_MAX: usize = 20;

impl Page<'_> {
    /// A table of colours for each number that differs between the values of two settings.
    pub(super) fn settings(&self) -> Part {
        let content = self.each(|number, study| {
            let factors: Vec<Factor> = study.factors();
            let few: Vec<&Factor> = factors.iter().filter(|factor| factor.values.len() <= VALUES_MAX).collect();
            let all = [failing(number, study, &few), stale(number, study, &few), unavailable(number, study, &few)];
            let figures: Vec<Figure> = all.into_iter().flatten().collect();
            (!figures.is_empty()).then(|| pictures(&figures))
        })?;
        let content = html! {
            p.muted { "By the two settings that tell most: those of the matrix first, then those that seeds decide." }
            (content)
        };
        Some(("settings", "By setting", content))
    }

    /// What goes with failing.
    pub(super) fn separates(&self) -> Part {
        let content = self.each(|_, study| Some(told(&study.separates()?, study.swept.variants.len() > 1)))?;
        Some(("separates", "What goes with failing", content))
    }
}

fn told(separates: &Separates, has_variants: bool) -> Markup {
    let looked_at = counted(separates.looked as u64, "condition");
    if separates.looked == 0 {
        return html! { p { "All runs have the same settings: only what happens by chance separates those that fail." } };
    }
    let sure: Vec<&Risk> = separates.sure().collect();
    if sure.is_empty() {
        return html! {
            p {
                "Nothing that was drawn or varied separates the runs that fail from the others for sure: of " (looked_at)
                " none goes with failing at 95 %, if all are to hold together."
            }
            @if let Some(Risk { condition, ratio, .. }) = separates.found.first() {
                p.muted.after {
                    "The nearest to it is " code { (text(&brief(condition, 2 * NAME_MAX))) } ", with a risk × of "
                    (times(ratio.ratio)) " (" (times(ratio.interval.0)) "–" (times(ratio.interval.1)) "). More seeds would tell."
                }
            }
        };
    }
    let shares = |(failed, all): (u64, u64)| format!("{} of {}", count(failed), count(all));
    html! {
        (scrolling("Table: what goes with failing", html! {
            table {
                caption {
                    "Of " (looked_at) " that were looked at, those that go with failing, the surest first. Each interval is "
                    "widened so that all of them hold together 95 times of 100 (Bonferroni). What goes with failing need not be its cause."
                    @if has_variants { " Runs of one seed in several variants share their storm, and count as if they did not." }
                }
                thead {
                    tr {
                        th scope="col" { "condition" } th.number scope="col" { "fail with it" }
                        th.number scope="col" { "fail without" } th.number scope="col" { "risk ×" }
                        th.number scope="col" { "interval" }
                    }
                }
                tbody {
                    @for risk in sure {
                        tr {
                            th.text scope="row" { (text(&brief(&risk.condition, 2 * NAME_MAX))) }
                            td.number { (shares(risk.with)) }
                            td.number { (shares(risk.without)) }
                            td.number { strong { (times(risk.ratio.ratio)) } }
                            td.number { (times(risk.ratio.interval.0)) "–" (times(risk.ratio.interval.1)) }
                        }
                    }
                }
            }
        }))
    }
}

/// The share that fails, where some do and some do not.
fn failing(number: usize, study: &Study, factors: &[&Factor]) -> Option<Figure> {
    let rank = |run: &Numbers| run.is_failed().map(|failed| f64::from(u8::from(failed)));
    let cell = |runs: &[&Numbers]| {
        let failed = runs.iter().filter_map(|run| run.is_failed()).filter(|failed| *failed).count() as u64;
        let all = runs.iter().filter_map(|run| run.is_failed()).count() as u64;
        (all > 0).then(|| share(failed, all))
    };
    drawn(&format!("failing-{number}"), "Share of runs that fail", Scale::Share, (study, factors), rank, cell)
}

/// The share of runs with a stale read.
fn stale(number: usize, study: &Study, factors: &[&Factor]) -> Option<Figure> {
    let is_stale = |run: &Numbers| run.reads.map(|reads| reads.stale > 0);
    let rank = |run: &Numbers| is_stale(run).map(|stale| f64::from(u8::from(stale)));
    let cell = |runs: &[&Numbers]| {
        let stale = runs.iter().filter(|run| is_stale(run) == Some(true)).count() as u64;
        let all = runs.iter().filter(|run| run.reads.is_some()).count() as u64;
        (all > 0).then(|| share(stale, all))
    };
    drawn(&format!("stale-{number}"), "Share of runs with a stale read", Scale::Share, (study, factors), rank, cell)
}

/// The median of the time in which nobody was served.
fn unavailable(number: usize, study: &Study, factors: &[&Factor]) -> Option<Figure> {
    // By rank, since times differ by powers of ten.
    let mut times: Vec<u64> = study.runs.iter().filter_map(|run| run.unavailable_ns).collect();
    times.sort_unstable();
    let rank = |run: &Numbers| {
        let time = run.unavailable_ns?;
        Some(
            (times.partition_point(|other| *other < time) + times.partition_point(|other| *other <= time)) as f64 / 2.0,
        )
    };
    let cell = |runs: &[&Numbers]| {
        let mut times: Vec<f64> = runs.iter().filter_map(|run| Some(run.unavailable_ns? as f64)).collect();
        times.sort_by(f64::total_cmp);
        let median = median(&times)?;
        Some(Cell { value: median.value, interval: median.interval, runs: times.len() as u64 })
    };
    drawn(&format!("unavailable-{number}"), "Median unavailable time", Scale::Time, (study, factors), rank, cell)
}

fn share(part: u64, all: u64) -> Cell {
    Cell { value: part as f64 / all as f64, interval: Some(wilson(part, all)), runs: all }
}

/// By the two settings that tell most of how `rank` differs; `None` if there are no two, or if nothing differs.
fn drawn(
    name: &str,
    title: &str,
    scale: Scale,
    (study, factors): (&Study, &[&Factor]),
    rank: impl Fn(&Numbers) -> Option<f64>,
    cell: impl Fn(&[&Numbers]) -> Option<Cell>,
) -> Option<Figure> {
    let ranks: Vec<Option<f64>> = study.runs.iter().map(rank).collect();
    let mut told: Vec<(f64, &Factor)> = factors.iter().map(|factor| (telling(factor, &ranks), *factor)).collect();
    if told.iter().all(|(telling, _)| *telling <= 0.0) {
        return None;
    }
    told.sort_by(|a, b| b.1.is_varied.cmp(&a.1.is_varied).then(b.0.total_cmp(&a.0)));
    let [(_, one), (_, other), ..] = told[..] else { return None };
    // Who has more values goes across.
    let (rows, columns) = if one.values.len() > other.values.len() { (other, one) } else { (one, other) };
    let mut groups: Vec<Vec<Vec<&Numbers>>> = vec![vec![Vec::new(); columns.values.len()]; rows.values.len()];
    for (run, (row, column)) in study.runs.iter().zip(rows.of.iter().zip(&columns.of)) {
        if let (Some(row), Some(column)) = (row, column) {
            groups[*row as usize][*column as usize].push(run);
        }
    }
    let cells = groups.iter().map(|row| row.iter().map(|runs| cell(runs)).collect()).collect();
    let names = |factor: &Factor| {
        let names = factor.values.iter().map(|value| brief(&bare(value), VALUE_MAX)).collect();
        (brief(&factor.key, NAME_MAX), names)
    };
    heat(&format!("heat-{name}"), title, &Heat { scale, rows: names(rows), columns: names(columns), cells })
}
