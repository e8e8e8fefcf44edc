//! The verdict: the word, the sentence that says why, and the command that shows it.

use super::{Page, command};
use crate::command::{replay, window};
use crate::words::{counted, sign};
use history::{Finding, Level, Verdict};
use maud::{Markup, html};

impl Page<'_> {
    pub(super) fn verdict(&self) -> Markup {
        let verdict = self.record.verdict;
        let decisive = self.decisive();
        html! {
            section.verdict.(tone(verdict)) aria-labelledby="verdict" {
                h2 id="verdict" {
                    span aria-hidden="true" { (sign(verdict)) " " }
                    (verdict)
                    span.what { (self.headline(decisive)) }
                }
                @if let Some(why) = self.why(decisive) { p.why { (why) } }
                p.muted { (self.held()) }
                @let failed = decisive.filter(|finding| finding.verdict == Verdict::Fail);
                @let moment = failed.and_then(|finding| window(self.record, finding));
                @if let Some(again) = replay(self.record, moment) { (command(&again)) }
            }
        }
    }

    /// The first of the findings that make the verdict what it is.
    fn decisive(&self) -> Option<&Finding> {
        let verdict = self.record.verdict;
        self.record.findings.iter().find(|finding| finding.counts() && finding.verdict == verdict)
    }

    fn headline(&self, decisive: Option<&Finding>) -> String {
        let check = decisive.map(|finding| self.text(&finding.check)).unwrap_or_default();
        match (self.record.verdict, decisive) {
            (_, None) => ": nothing was checked".to_owned(),
            (Verdict::Pass, Some(_)) => ": everything expected was checked, and held".to_owned(),
            (Verdict::Fail, Some(_)) => format!(": “{check}” does not hold"),
            (Verdict::Unknown, Some(_)) => format!(": “{check}” could be shown neither right nor wrong"),
            (Verdict::Vacuous, Some(_)) => format!(": “{check}” was not really tested"),
        }
    }

    /// In one sentence: what was found; of a run that passed, what was demanded.
    fn why(&self, decisive: Option<&Finding>) -> Option<String> {
        /// More demands than this are in the table.
        const NAMED: usize = 4;
        if self.record.verdict != Verdict::Pass {
            return decisive.map(|finding| sentence(&self.sentence(&finding.detail)));
        }
        let demanded = self.record.findings.iter().filter(|finding| finding.level == Level::Must);
        let demanded: Vec<String> = demanded.map(|finding| self.text(&finding.check)).collect();
        let more = demanded.len().saturating_sub(NAMED);
        let named = demanded.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!demanded.is_empty()).then(|| format!("Demanded and found: {named}{more}."))
    }

    /// How many of what was expected held, and whether this is what the scenario is made for.
    fn held(&self) -> String {
        let those = |verdict| {
            let found = move |finding: &&Finding| finding.counts() && finding.verdict == verdict;
            self.record.findings.iter().filter(found).count()
        };
        let [held, vacuous, unknown, failed] =
            [Verdict::Pass, Verdict::Vacuous, Verdict::Unknown, Verdict::Fail].map(those);
        let all = counted((held + vacuous + unknown + failed) as u64, "expectation");
        let more = |count: usize, what: &str| if count > 0 { format!(", {count} {what}") } else { String::new() };
        let (failed, unknown) = (more(failed, "failed"), more(unknown, "undecided"));
        let vacuous = more(vacuous, "tested nothing");
        format!("{held} of {all} held{failed}{unknown}{vacuous}.{}{}", self.made_for(), self.missed())
    }

    fn made_for(&self) -> &'static str {
        let counting = || self.record.findings.iter().filter(|finding| finding.counts());
        let has_shows = counting().any(|finding| finding.level == Level::Shows);
        let mut failed = counting().filter(|finding| finding.verdict == Verdict::Fail).peekable();
        match (has_shows, failed.peek().is_some()) {
            (false, _) => "",
            (true, false) => " This scenario is made to show a violation, and did not.",
            (true, true) if failed.all(|finding| finding.level == Level::Shows) => {
                " This scenario is made to show that violation."
            }
            (true, true) => " This scenario is made to show a violation, but more than that failed.",
        }
    }

    fn missed(&self) -> String {
        let should = || self.record.findings.iter().filter(|finding| !finding.counts());
        let (all, met) = (should().count(), should().filter(|finding| finding.verdict == Verdict::Pass).count());
        if all == 0 { String::new() } else { format!(" {met} of {} met.", counted(all as u64, "goal")) }
    }
}

/// The class that gives a verdict its tone.
pub(crate) fn tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "tone-pass",
        Verdict::Fail => "tone-fail",
        Verdict::Unknown | Verdict::Vacuous => "tone-doubt",
    }
}

/// With a full stop.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}
