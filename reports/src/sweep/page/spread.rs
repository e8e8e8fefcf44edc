//! How numbers are spread over the runs: unavailable time, recovery, staleness.

use super::{Page, Part, ROWS_MAX, pictures};
use crate::draw::Figure;
use crate::page::{drawn, scrolling};
use crate::plot::dots::{Sample, dots};
use crate::plot::ecdf::ecdf;
use crate::plot::scale::Scale;
use crate::statistics::median;
use crate::sweep::study::Numbers;
use crate::words::{count, counted};
use maud::{Markup, html};

/// A number that runs have, and how it is shown.
struct Measure {
    name: &'static str,
    title: &'static str,
    /// What it is, and which runs have none.
    about: &'static str,
    scale: Scale,
    of: fn(&Numbers) -> Option<f64>,
}

const MEASURES: [Measure; 4] = [
    Measure {
        name: "unavailable",
        title: "Unavailable time per run",
        about: "How long no client was served although some asked, all outages of a run together.",
        scale: Scale::Time,
        of: |run| Some(run.unavailable_ns? as f64),
    },
    Measure {
        name: "recovery",
        title: "Recovery",
        about: "The longest stretch of an outage in which somebody could have been served; of runs with an outage.",
        scale: Scale::Time,
        of: |run| Some(run.recovery_ns? as f64),
    },
    Measure {
        name: "stale",
        title: "Share of stale reads",
        about: "Of the reads of a run, those that returned what had certainly been replaced when they were asked for.",
        scale: Scale::Share,
        of: |run| run.reads.filter(|reads| reads.all > 0).map(|reads| reads.stale as f64 / reads.all as f64),
    },
    Measure {
        name: "lag",
        title: "How stale the stalest read was",
        about: "For how long what it returned had been replaced; of runs with a stale read.",
        scale: Scale::Time,
        of: |run| run.reads.filter(|reads| reads.stale > 0).map(|reads| reads.max_ns as f64),
    },
];

impl Page<'_> {
    pub(super) fn spread(&self) -> Part {
        let parts: Vec<Markup> = MEASURES.iter().filter_map(|measure| self.measure(measure)).collect();
        let content = html! { @for part in &parts { div.each { (part) } } };
        (!parts.is_empty()).then_some(("spread", "How runs differ", content))
    }

    /// Nothing where no run has anything but 0.
    fn measure(&self, measure: &Measure) -> Option<Markup> {
        let Measure { name, title, about, scale, of } = measure;
        let mut samples = Vec::new();
        for study in self.studies {
            for (number, variant) in study.swept.variants.iter().enumerate() {
                let own = study.runs.iter().filter(|run| run.variant == number);
                let name = self.name(study, variant);
                samples.push(Sample { name, values: own.filter_map(of).collect() });
            }
        }
        if samples.iter().flat_map(|sample| &sample.values).all(|value| *value <= 0.0) {
            return None;
        }
        let strip = dots(name, title, *scale, &samples)?;
        let curve =
            ecdf(&format!("{name}-curve"), &format!("{title}: share of runs with at most so much"), *scale, &samples);
        Some(html! {
            figure {
                figcaption { h3 { (title) } p.muted { (about) } }
                (drawn(&strip))
            }
            @let curves: Vec<Figure> = curve.into_iter().collect();
            (pictures(&curves))
            details {
                summary { (title) " as a table" }
                (scrolling(&format!("Table: {title}"), table(*scale, &samples)))
            }
        })
    }
}

fn table(scale: Scale, samples: &[Sample]) -> Markup {
    let row = |sample: &Sample| {
        let mut sorted = sample.values.clone();
        sorted.sort_by(f64::total_cmp);
        let median = median(&sorted);
        let at = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).clamp(1, sorted.len().max(1));
            sorted.get(rank - 1).map_or("–".to_owned(), |value| scale.told(*value))
        };
        html! {
            tr {
                th.text scope="row" { (sample.name) }
                td.number { (count(sorted.len() as u64)) }
                td.number { (at(5)) }
                td.number { (median.map_or("–".to_owned(), |median| scale.told(median.value))) }
                td.number { (median.and_then(|median| median.interval).map_or("–".to_owned(), |ends| scale.range(ends))) }
                td.number { (at(95)) }
                td.number { (at(100)) }
            }
        }
    };
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "variant" } th.number scope="col" { "runs" } th.number scope="col" { "5 % at most" }
                    th.number scope="col" { "median" } th.number scope="col" { "95 % interval" }
                    th.number scope="col" { "95 % at most" } th.number scope="col" { "most" }
                }
            }
            tbody { @for sample in samples.iter().take(ROWS_MAX) { (row(sample)) } }
        }
        @if samples.len() > ROWS_MAX { p.muted { "And " (counted((samples.len() - ROWS_MAX) as u64, "more row")) "." } }
    }
}
