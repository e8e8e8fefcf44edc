//! What was tested at all: which faults struck, who took which role, how things came back. A sweep in which a fault never had
//! an effect is green for the wrong reason.

use super::{Page, Part, text};
use crate::page::scrolling;
use crate::sweep::study::{Covered, Sort, Study};
use crate::words::{count, percent};
use maud::{Markup, html};

const SORTS: [(Sort, &str); 3] = [
    (Sort::Fault, "Faults: runs in which one struck and changed something"),
    (Sort::Role, "Roles: runs in which a node took it"),
    (Sort::Recovery, "Recovery: runs in which something came back in this way"),
];

impl Page<'_> {
    pub(super) fn coverage(&self) -> Part {
        let content = self.each(|_, study| (study.covered().next().is_some()).then(|| table(study)))?;
        Some(("coverage", "What was tested", content))
    }

    /// Faults that were planned and changed nothing.
    pub(super) fn never_struck(&self) -> Vec<String> {
        let mut never = Vec::new();
        for study in self.studies {
            let faults = study.covered().filter(|(sort, _, covered)| *sort == Sort::Fault && covered.met == 0);
            for (_, what, _) in faults {
                match self.studies.len() {
                    1 => never.push(text(what)),
                    _ => never.push(format!("{} (in {})", text(what), text(&study.swept.name))),
                }
            }
        }
        never
    }
}

fn table(study: &Study) -> Markup {
    let all = study.runs.len() as u64;
    html! {
        (scrolling("Table: what was tested", html! {
            table.covered {
                caption { "How often each thing happened in " (count(all)) " runs. What never did was not tested." }
                thead {
                    tr {
                        th scope="col" { "what" } th.number scope="col" { "runs with it" } th.number scope="col" { "share" }
                        th scope="col" { "0 to 100 %" } th.number scope="col" { "in all" }
                    }
                }
                @for (sort, heading) in SORTS {
                    @let rows: Vec<_> = study.covered().filter(|(own, _, _)| *own == sort).collect();
                    @if !rows.is_empty() {
                        tbody {
                            tr { th.level colspan="5" scope="rowgroup" { (heading) } }
                            @for (_, what, covered) in rows { (row(what, covered, all)) }
                        }
                    }
                }
            }
        }))
    }
}

fn row(what: &str, Covered { met, times, .. }: Covered, all: u64) -> Markup {
    let share = met as f64 / all.max(1) as f64;
    let bar = format!("width:{:.1}%", share * 100.0);
    html! {
        tr.never[met == 0] {
            th.text scope="row" { (text(what)) }
            @if met == 0 {
                td.number { strong { "✗ never" } } td.number { "0" } td.gauge { span.track {} } td.number { "0" }
            } @else {
                td.number { (count(met)) }
                td.number { (percent(share)) }
                td.gauge { span.track { span style=(bar) {} } }
                td.number { (count(times)) }
            }
        }
    }
}
