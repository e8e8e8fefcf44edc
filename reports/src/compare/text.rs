//! A comparison for a terminal.

use super::metric::failures;
use super::{Comparison, Line, Metric};
use crate::statistics::paired::{Average, Interval};
use crate::terminal::Look;
use crate::words::brief;
use history::figures::{counted, grouped};

/// Beyond this, a name's middle is left out.
const NAME_MAX: usize = 32;

/// What `stormglass compare` prints: a block for each metric, a line for each system, and a sentence for each.
pub fn text(comparison: &Comparison, look: Look) -> String {
    let rows: Vec<Row> = comparison.lines.iter().flat_map(|line| rows(comparison, line, look)).collect();
    let mut text = format!("{}\n", look.bold(&heading(comparison, look)));
    let [first, second, third] = [0, 1, 2].map(|column| width(&rows, column));
    for row in &rows {
        let [metric, name, value, apart] = &row.0;
        text.push_str(format!("{metric:<first$}   {name:<second$}   {value:>third$}   {apart}").trim_end());
        text.push('\n');
    }
    if !rows.is_empty() {
        text.push_str(
            "means over seeds (medians of longest outages and response times); in brackets 95 % intervals of the paired\n\
             difference, by drawing seeds anew (percentile bootstrap); ~ if no difference is shown, all of them taken together (Holm)\n",
        );
    }
    if comparison.lines.iter().any(|line| line.at_least.contains(&true)) {
        text.push_str("at least: as long as clients wait; of whoever was not served no more is known\n");
    }
    for sentence in comparison.verdict() {
        text.push_str(&format!("\n{}", look.shown(&sentence)));
    }
    if comparison.seeds.is_empty() {
        text.push_str("no seed was run by all of them, so there is nothing to compare");
    }
    text.push('\n');
    if !comparison.own_moments.is_empty() {
        let (verb, names) =
            (if comparison.own_moments.len() > 1 { "strike" } else { "strikes" }, comparison.own_moments.join(", "));
        text.push_str(&format!(
            "note     {} {verb} when something happens, and so at moments that each system has for itself\n",
            look.shown(&names)
        ));
    }
    if let Some(ended) = &comparison.ended {
        let (missing, asked) = (grouped(comparison.missing), counted(comparison.asked, "run"));
        text.push_str(&format!("{ended}: {missing} of {asked} are missing; the same command runs them\n"));
    }
    text.push_str(&format!("saved in {}\n", look.shown(&comparison.saved)));
    text
}

fn heading(comparison: &Comparison, look: Look) -> String {
    let seeds = counted(comparison.seeds.len() as u64, "shared seed");
    match comparison.systems.as_slice() {
        [first, _] => format!("{seeds}, beside {}", look.shown(&first.name)),
        [first, ..] => format!("{seeds}, each beside {}", look.shown(&first.name)),
        [] => seeds,
    }
}

/// Metric, system, value, difference.
struct Row([String; 4]);

fn width(rows: &[Row], column: usize) -> usize {
    rows.iter().map(|row| row.0[column].chars().count()).max().unwrap_or(0)
}

fn rows(comparison: &Comparison, line: &Line, look: Look) -> Vec<Row> {
    let unit = line.metric.unit();
    let of = |(number, system): (usize, &super::Contender)| {
        let metric = match (number, line.metric.average()) {
            (0, _) => line.metric.heading().to_owned(),
            (1, _) if line.seeds < comparison.seeds.len() => format!("  of {}", counted(line.seeds as u64, "seed")),
            (1, Average::Median) => "  median".to_owned(),
            (_, Average::Mean | Average::Median) => String::new(),
        };
        let value = if line.metric == Metric::Failed {
            failures(comparison.failed(number), system.runs.len() as u64)
        } else {
            line.told(number, line.values[number].value)
        };
        let apart = line.apart(number).map_or_else(String::new, |(Interval { value, low, high }, is_shown)| {
            let sign = if is_shown { " " } else { "~" };
            format!("{sign} {} ({} to {})", unit.difference(value), unit.signed(low), unit.signed(high))
        });
        Row([metric, look.shown(&brief(&system.name, NAME_MAX)), value, apart])
    };
    comparison.systems.iter().enumerate().map(of).collect()
}
