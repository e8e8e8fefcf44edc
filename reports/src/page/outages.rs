//! Outages: when nobody was served, who waited, and what for.

use super::{Page, Part, drawn, scrolling};
use crate::draw::Figure;
use crate::words::{count, time};
use history::{Cause, Outage, Takeover, Who};
use maud::{Markup, html};

impl Page<'_> {
    pub(super) fn outages(&self) -> Part {
        let outages = &self.record.outages;
        if outages.is_empty() {
            return None;
        }
        let is_here = |figure: &&Figure| figure.name.starts_with("takeover") && self.room.has_figures;
        let table = html! {
            table {
                caption { "When clients waited and were not served. Avoidable is the part in which the nodes and links left would have done." }
                thead {
                    tr {
                        th scope="col" { "#" } th.number scope="col" { "from" } th.number scope="col" { "length" }
                        th.number scope="col" { "avoidable" } th.number scope="col" { "missed" }
                        th scope="col" { "who" } th scope="col" { "why" } th scope="col" { "faults in force" }
                    }
                }
                tbody {
                    @for (i, outage) in outages.iter().enumerate().take(self.room.rows) { (self.outage(i, outage)) }
                }
            }
        };
        let content = html! {
            (scrolling("Table: outages", table))
            (self.more(outages.len()))
            @for figure in self.figures.iter().filter(is_here) { figure { (drawn(figure)) } }
        };
        Some(("outages", "Outages", content))
    }

    fn outage(&self, i: usize, outage: &Outage) -> Markup {
        let faults: Vec<String> = outage.faults.iter().take(self.room.rows).map(|name| self.text(name)).collect();
        html! {
            tr {
                th scope="row" { (i + 1) }
                td.number { (time(outage.from_ns)) }
                td.number { (time(outage.length_ns())) }
                td.number { (time(outage.avoidable_ns)) }
                td.number { (count(outage.missed)) }
                td.short[outage.who == Who::All].text[outage.who != Who::All] { (self.text(&outage.who.to_string())) }
                td.text {
                    (why(outage))
                    @if let Some(takeover) = &outage.takeover { br; span.muted.small { (stages(takeover)) } }
                }
                td.text { @if faults.is_empty() { span.muted { "none" } } @else { (faults.join(", ")) } }
            }
        }
    }
}

/// Each cause and how long it was one, the longest first.
fn why(outage: &Outage) -> String {
    let causes = Cause::shares(&outage.causes);
    if causes.is_empty() {
        return outage.cause.to_string();
    }
    let told = causes.iter().map(|(cause, length)| format!("{cause} {}", time(*length)));
    told.collect::<Vec<_>>().join(", ")
}

/// How another node came to serve.
fn stages(takeover: &Takeover) -> String {
    let stages: Vec<String> = takeover.stages().map(|(name, length)| format!("{name} {}", time(length))).collect();
    if stages.is_empty() {
        "no takeover in this outage".to_owned()
    } else {
        format!("takeover: {}", stages.join(" · "))
    }
}
