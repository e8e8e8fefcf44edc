//! A comparison as a page: one file that stands alone.

use super::figure::{STORM, told};
use super::metric::{failures, typeset};
use super::{Comparison, Line, Metric};
use crate::draw::Figure;
use crate::page::{Document, drawn, scrolling};
use crate::statistics::paired::Average;
use crate::words::{brief, count, counted, plain};
use maud::{Markup, html};

/// Of a text, in characters.
const TEXT_MAX: usize = 300;

/// The text of `compare.html`: a comparison and its [`super::figures`]. The same runs give the same bytes.
pub fn page(comparison: &Comparison, figures: &[Figure]) -> String {
    let seeds = comparison.seeds.len() as u64;
    let names = comparison.systems.iter().map(|system| text(&system.name)).collect::<Vec<_>>();
    let picture = |name: &str| figures.iter().find(|figure| figure.name == name);
    let part = |id, heading, name: &str| Some((id, heading, html! { figure { (drawn(picture(name)?)) } }));
    let parts = [
        part("glance", "At a glance", "glance"),
        part("differences", "Paired differences", "differences"),
        storms(figures),
        part("runs", "Every run", "runs"),
        Some(("numbers", "In numbers", html! { (table(comparison)) })),
    ];
    let document = Document {
        version: text(&comparison.version),
        title: format!("{} compared", names.join(", ")),
        head: html! {
            h1 { "Under the same storms" }
            ul.facts {
                @for (number, name) in names.iter().enumerate() {
                    li { (name) @if number == 0 { " (the baseline)" } }
                }
                li { (counted(seeds, "shared seed")) }
                li { "stormglass " (text(&comparison.version)) }
            }
        },
        opening: html! {
            section.verdict.tone-pass aria-labelledby="verdict" {
                h2 id="verdict" { "What " (counted(seeds, "storm")) " show" }
                @for sentence in comparison.verdict() { p.why { (typeset(&text(&sentence))) } }
                @if seeds == 0 { p.why { "No seed was run by all of them, so there is nothing to compare." } }
                @if comparison.missing > 0 { p { (counted(comparison.missing, "run")) " of " (count(comparison.asked)) " are missing." } }
                @if !comparison.own_moments.is_empty() {
                    p {
                        "Faults that wait for an event strike at moments that each system has for itself: "
                        (text(&comparison.own_moments.join(", "))) "."
                    }
                }
            }
        },
        parts: parts.into_iter().flatten().collect(),
        footer: format!(
            "Drawn by stormglass {}. The same version, scenarios and seeds give the same page, to the last bit.",
            text(&comparison.version)
        ),
    };
    document.write()
}

/// Some storms, each as every system met it.
fn storms(figures: &[Figure]) -> Option<(&'static str, &'static str, Markup)> {
    let storms: Vec<&Figure> = figures.iter().filter(|figure| figure.name.starts_with(STORM)).collect();
    (!storms.is_empty()).then(|| {
        let content = html! {
            p.muted {
                "Seeds at the 5th, 50th and 95th percentile of how long nobody was served, summed over all systems. In one picture \
                 all systems meet the same faults at the same moments."
            }
            @for storm in storms {
                h3 { (storm.title) }
                figure { (drawn(storm)) }
            }
        };
        ("storms", "Some storms over time", content)
    })
}

fn text(text: &str) -> String {
    plain(&brief(text, TEXT_MAX))
}

fn table(comparison: &Comparison) -> Markup {
    let row = |line: &Line, number: usize| {
        let system = &comparison.systems[number];
        let value = if line.metric == Metric::Failed {
            failures(comparison.failed(number), system.runs.len() as u64)
        } else {
            line.told(number, line.values[number].value)
        };
        let apart = line.apart(number).map_or_else(String::new, |apart| told(line.metric.unit(), apart));
        let average = match line.metric.average() {
            Average::Mean => "mean",
            Average::Median => "median",
        };
        html! {
            tr {
                th.text scope="row" { (line.metric.heading()) ", " (average) }
                td.text { (text(&system.name)) }
                td.number { (typeset(&value)) }
                td.number { (apart) }
            }
        }
    };
    let systems = comparison.systems.len();
    scrolling(
        "Table: metrics",
        html! {
            table {
                caption {
                    "Averages over the shared seeds; differences to the first system with 95 % intervals of the percentile \
                     bootstrap over seeds, each for itself. With so many looked at, some would seem to differ by chance: \
                     those are called not shown that these runs do not show if all are taken together (Holm, 1979)."
                }
                thead {
                    tr {
                        th scope="col" { "metric" } th scope="col" { "system" }
                        th.number scope="col" { "value" } th.number scope="col" { "difference" }
                    }
                }
                tbody { @for line in &comparison.lines { @for number in 0..systems { (row(line, number)) } } }
            }
        },
    )
}
