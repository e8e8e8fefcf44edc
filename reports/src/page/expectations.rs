//! Every expectation, what was measured, and what promise it rests on.

use super::verdict::tone;
use super::{Page, Part, scrolling};
use crate::words::sign;
use history::{Finding, Level};
use maud::{Markup, html};

/// As the terminal orders them.
const LEVELS: [(Level, &str, &str); 5] = [
    (Level::Must, "must", "demanded"),
    (Level::Shows, "shows", "violations that the scenario is made to show"),
    (Level::Should, "should", "goals, which do not count for the verdict"),
    (Level::Reach, "reach", "without which the run shows nothing"),
    (Level::Always, "always", "checked in every run"),
];

impl Page<'_> {
    pub(super) fn expectations(&self) -> Part {
        let findings = &self.record.findings;
        if findings.is_empty() {
            return None;
        }
        let has_promises = findings.iter().any(|finding| finding.promise.is_some());
        let columns = if has_promises { 4 } else { 3 };
        let table = html! {
            table {
                caption { "What was expected, in the words of the scenario, and what was found." }
                thead {
                    tr {
                        th scope="col" { "verdict" } th scope="col" { "expectation" } th scope="col" { "found" }
                        @if has_promises { th scope="col" { "rests on" } }
                    }
                }
                @for (level, name, meaning) in LEVELS {
                    @let rows: Vec<&Finding> = findings.iter().filter(|finding| finding.level == level).collect();
                    @if !rows.is_empty() {
                        tbody {
                            tr { th.level colspan=(columns) scope="rowgroup" { (name) ": " (meaning) } }
                            @for finding in rows.iter().take(self.room.rows) { (self.expectation(finding, has_promises)) }
                        }
                    }
                }
            }
        };
        Some(("expectations", "Expectations", scrolling("Table: expectations", table)))
    }

    fn expectation(&self, finding: &Finding, has_promises: bool) -> Markup {
        html! {
            tr {
                td.(tone(finding.verdict)) { span.sign { (sign(finding.verdict)) " " (finding.verdict) } }
                th.text scope="row" { (self.text(&finding.check)) }
                td.text { (self.sentence(&finding.detail)) }
                @if has_promises { td.text.muted { (self.text(finding.promise.as_deref().unwrap_or_default())) } }
            }
        }
    }
}
