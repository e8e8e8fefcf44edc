//! Why it failed: each violation with the operations that contradict each other, drawn and argued.

use super::{Page, Part, drawn};
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
        let last = witness.argument.len().saturating_sub(1);
        html! {
            div.argued.beside[figure.is_some_and(|figure| figure.width <= BESIDE_MAX)] {
                @if let Some(figure) = figure { figure { (drawn(figure)) } }
                ol {
                    @for (i, sentence) in witness.argument.iter().enumerate().take(self.room.rows) {
                        li.hence[i == last] { (self.text(unnumbered(sentence))) }
                    }
                }
            }
            @if !witness.is_minimal {
                p.muted { "There was no budget left to find out whether fewer operations would do." }
            }
        }
    }
}

/// A picture that is wider leaves no room for words beside it, in pixels.
const BESIDE_MAX: f64 = 740.0;

/// Without its number, which the list gives it.
fn unnumbered(sentence: &str) -> &str {
    let parts = sentence.split_once(". ").filter(|(number, _)| number.parse::<u64>().is_ok());
    parts.map_or(sentence, |(_, rest)| rest)
}
