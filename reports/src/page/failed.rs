//! Why it failed: each violation with the operations that contradict each other, drawn and argued.

use super::{Page, Part, argument};
use crate::plot::witness::argued;
use crate::words::sign;
use history::{Finding, Verdict, Witness};
use maud::{Markup, html};

impl Page<'_> {
    pub(super) fn failed(&self) -> Part {
        let failed = || self.record.findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
        // What counts stands first.
        let ordered = failed().filter(|finding| finding.counts()).chain(failed().filter(|finding| !finding.counts()));
        let ordered: Vec<&Finding> = ordered.take(self.room.rows).collect();
        if ordered.is_empty() {
            return None;
        }
        let content = html! {
            @for finding in ordered {
                div.failed.tone-fail {
                    h3 {
                        span.sign { (sign(finding.verdict)) } " " (self.text(&finding.check))
                        @if !finding.counts() { span.muted { " (a goal, which does not count for the verdict)" } }
                    }
                    p { (self.sentence(&finding.detail)) }
                    @if let Some(promise) = &finding.promise { p.muted { "Why it may be demanded: " (self.text(promise)) "." } }
                    @if let Some(witness) = &finding.witness { (self.argued(finding, witness)) }
                }
            }
            (self.more(failed().count()))
        };
        Some(("failed", "Why it failed", content))
    }

    fn argued(&self, finding: &Finding, witness: &Witness) -> Markup {
        let number = argued(self.record).position(|(argued, _)| std::ptr::eq(argued, finding));
        let figure = number.and_then(|number| self.witness(number));
        argument(witness, figure, self.room.rows, self.room.text)
    }
}
