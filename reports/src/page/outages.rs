//! Outages: when nobody was served, who waited, and what for.

use super::{Page, Part, drawn, scrolling};
use crate::draw::Figure;
use crate::words::{count, counted, time};
use history::{Cause, Outage, Takeover, Who};
use maud::{Markup, html};
use std::cmp::Reverse;

/// So many stand in the open, the longest; a long table hides what matters.
const SHOWN_MAX: usize = 12;

impl Page<'_> {
    pub(super) fn outages(&self) -> Part {
        let outages = &self.record.outages;
        if outages.is_empty() {
            return None;
        }
        let is_here = |figure: &&Figure| figure.name.starts_with("takeover") && self.room.has_figures;
        let mut shown: Vec<(usize, &Outage)> = outages.iter().enumerate().take(self.room.rows).collect();
        shown.sort_by_key(|(_, outage)| Reverse(outage.length_ns()));
        let mut shorter = shown.split_off(shown.len().min(SHOWN_MAX));
        let longest = shorter.first().map_or(0, |(_, outage)| outage.length_ns());
        shown.sort_by_key(|(number, _)| *number);
        shorter.sort_by_key(|(number, _)| *number);
        let content = html! {
            (self.table("outages", &shown))
            @if !shorter.is_empty() {
                details {
                    summary { (counted(shorter.len() as u64, "more outage")) ", none longer than " (time(longest)) }
                    div.tall { (self.table("shorter outages", &shorter)) }
                }
            }
            (self.more(outages.len()))
            @for figure in self.figures.iter().filter(is_here) { figure { (drawn(figure)) } }
        };
        Some(("outages", "Outages", content))
    }

    fn table(&self, name: &str, outages: &[(usize, &Outage)]) -> Markup {
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
                tbody { @for (number, outage) in outages { (self.outage(*number, outage)) } }
            }
        };
        scrolling(&format!("Table: {name}"), table)
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
                    // Where there are pictures, one of them shows it.
                    @if let (Some(takeover), false) = (&outage.takeover, self.room.has_figures) {
                        br; span.muted.small { (stages(takeover)) }
                    }
                }
                td.text { @if faults.is_empty() { span.muted { "none" } } @else { (faults.join(", ")) } }
            }
        }
    }
}

/// The one cause; of several, how long each was one, the longest first.
fn why(outage: &Outage) -> String {
    let causes = Cause::shares(&outage.causes);
    if causes.len() < 2 {
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
