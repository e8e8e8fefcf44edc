//! The table of outages: the longest ones, who was out and why, and how another node came to serve.

use super::Look;
use history::figures::{grouped, measured};
use history::{Cause, Outage, Takeover};
use std::cmp::Reverse;

/// More outages than this would push the verdicts off the screen.
const SHOWN_MAX: usize = 4;

/// So many causes of each are told, the longest ones.
const CAUSES_MAX: usize = 2;

const HEADS: [&str; 6] = ["from", "length", "avoidable", "missed", "who", "why"];

/// The lines of the table; none without an outage.
pub(crate) fn table(outages: &[Outage], look: Look) -> Vec<String> {
    let mut shown: Vec<&Outage> = outages.iter().collect();
    shown.sort_by_key(|outage| Reverse(outage.length_ns()));
    let hidden = shown.split_off(shown.len().min(SHOWN_MAX));
    shown.sort_by_key(|outage| outage.from_ns);
    if shown.is_empty() {
        return Vec::new();
    }
    let rows: Vec<[String; 6]> = shown.iter().map(|outage| row(outage, look)).collect();
    let heads = HEADS.map(str::to_owned);
    let width = |column: usize| [&heads].into_iter().chain(&rows).map(|row| row[column].chars().count()).max();
    let widths: [usize; 6] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ")
    };
    let mut lines = vec![format!("{:<8}{}", "outages", line(&heads))];
    for (outage, row) in shown.iter().zip(&rows) {
        lines.push(format!("{:<8}{}", "", line(row)));
        if let Some(takeover) = &outage.takeover {
            let indent = 8 + widths[0] + 2;
            lines.push(format!("{:indent$}{}", "", stages(takeover, look)));
        }
    }
    if let Some(longest) = hidden.first() {
        let (more, longest) = (grouped(hidden.len() as u64), measured(longest.length_ns()));
        lines.push(format!("{:<8}and {more} more, none above {longest}: all in run.json", ""));
    }
    lines
}

fn row(outage: &Outage, look: Look) -> [String; 6] {
    [
        measured(outage.from_ns),
        measured(outage.length_ns()),
        measured(outage.avoidable_ns),
        grouped(outage.missed),
        look.shown(&outage.who.to_string()),
        why(outage),
    ]
}

/// The one cause; of several, how long they were.
fn why(outage: &Outage) -> String {
    let causes = Cause::shares(&outage.causes);
    if causes.len() < 2 {
        return outage.cause.to_string();
    }
    let told = causes.iter().take(CAUSES_MAX).map(|(cause, length)| format!("{cause} {}", measured(*length)));
    let more = if causes.len() > CAUSES_MAX { ", .." } else { "" };
    told.collect::<Vec<_>>().join(", ") + more
}

/// `detect 412ms ▏elect 38ms ▏catch up 12ms ▏clients 55ms`.
fn stages(takeover: &Takeover, look: Look) -> String {
    let stages: Vec<String> = takeover.stages().map(|(name, length)| format!("{name} {}", measured(length))).collect();
    stages.join(if look.unicode { " ▏" } else { " | " })
}
