//! A sweep as a page: how many runs passed, how their numbers are spread, which settings matter, how each way to fail is seen
//! again, and what was tested at all.
//!
//! One file that stands alone, as the page of a run is; the same database gives the same bytes. It does not grow with the
//! runs: dots are thinned out, tables are cut, and both say so.

mod covered;
mod failures;
mod settings;
mod spread;

use super::study::Study;
use super::text::{interval, share};
use super::{Swept, Tally, Variant};
use crate::draw::Figure;
use crate::page::{Document, drawn, scrolling, tone};
use crate::statistics::below;
use crate::words::{brief, count, counted, plain, sign};
use history::Verdict;
use maud::{Markup, html};

/// Rows of a table.
const ROWS_MAX: usize = 100;

/// Of a text, in characters.
const TEXT_MAX: usize = 600;

/// The text of a sweep's page: the version of stormglass that ran it, and its scenarios. The same gives the same bytes.
pub fn page(version: &str, studies: &[Study]) -> String {
    Page { version, studies }.write()
}

struct Page<'a> {
    version: &'a str,
    studies: &'a [Study],
}

/// A part of the page, if there is something to say: its id, its heading, and what it holds.
type Part = Option<(&'static str, &'static str, Markup)>;

impl Page<'_> {
    fn write(&self) -> String {
        let parts = [
            self.rates(),
            self.failures(),
            self.spread(),
            self.settings(),
            self.separates(),
            self.coverage(),
            self.words(),
        ];
        let verdict = self.tally().verdict();
        let document = Document {
            version: text(self.version),
            title: format!("{verdict} · {} · {}", self.title(), counted(self.tally().runs(), "run")),
            head: self.head(),
            opening: html! { (self.verdict()) (self.cards()) },
            parts: parts.into_iter().flatten().collect(),
            footer: format!(
                "Drawn by stormglass {} from the database of a sweep. The same runs give the same page, to the last bit.",
                text(self.version)
            ),
        };
        document.write()
    }

    fn tally(&self) -> Tally {
        self.studies.iter().fold(Tally::default(), |all, study| all.and(study.swept.tally()))
    }

    fn title(&self) -> String {
        match self.studies {
            [only] => text(&only.swept.name),
            _ => format!("{} scenarios", self.studies.len()),
        }
    }

    fn head(&self) -> Markup {
        let tally = self.tally();
        let variants: usize = self.studies.iter().map(|study| study.swept.variants.len()).sum();
        html! {
            h1 { (self.title()) " " small { "· " (counted(tally.runs(), "run")) } }
            ul.facts {
                @if self.studies.len() > 1 {
                    @for study in self.studies.iter().take(ROWS_MAX) { li { (text(&study.swept.name)) } }
                }
                @if variants > self.studies.len() { li { (counted(variants as u64, "variant")) } }
                li { (days(tally.simulated_ns)) " simulated" }
                li { "stormglass " (text(self.version)) }
            }
        }
    }

    fn verdict(&self) -> Markup {
        let (tally, verdict) = (self.tally(), self.tally().verdict());
        let runs = counted(tally.runs(), "run");
        let told = match verdict {
            Verdict::Fail => format!("{} of {runs} failed", count(tally.failed)),
            Verdict::Unknown => format!("{} of {runs} could be shown neither right nor wrong", count(tally.unknown)),
            Verdict::Vacuous if tally.runs() == 0 => "nothing was run".to_owned(),
            Verdict::Vacuous => format!("{} of {runs} tested nothing", count(tally.vacuous)),
            Verdict::Pass => format!("all {runs} passed"),
        };
        let why = match (tally.decided(), tally.failed) {
            (0, _) => String::new(),
            (decided @ 4.., 0) => no_failure(decided),
            _ => format!("Of those decided, {} pass: 95 % interval, Wilson.", interval(tally).replace("  ", " ")),
        };
        let never = self.never_struck();
        html! {
            section.verdict.(tone(verdict)) aria-labelledby="verdict" {
                h2 id="verdict" {
                    span aria-hidden="true" { (sign(verdict)) " " }
                    (verdict)
                    span.what { ": " (told) }
                }
                @if !why.is_empty() { p.why { (why) } }
                @if !never.is_empty() {
                    p { "Never had an effect, in any run: " strong { (never.join(", ")) } ". What was not met was not tested." }
                }
            }
        }
    }

    fn cards(&self) -> Markup {
        let tally = self.tally();
        let decided = tally.decided();
        let passed =
            if decided == 0 { "none".to_owned() } else { percentage(tally.passed as f64 / decided as f64, decided) };
        let kinds: usize = self.studies.iter().map(|study| study.swept.groups.len()).sum();
        let cards = [
            (passed, "pass rate", format!("of {} decided", count(decided))),
            (count(tally.failed), "failed", String::new()),
            (count(tally.unknown), "unknown", "a budget ran out".to_owned()),
            (count(tally.vacuous), "vacuous", "tested nothing".to_owned()),
            (count(kinds as u64), "ways not to pass", String::new()),
            (count(tally.runs()), "runs", String::new()),
        ];
        html! {
            dl.cards {
                @for (value, name, more) in cards {
                    div.card { dt { (name) } dd.value { (value) } @if !more.is_empty() { dd.more { (more) } } }
                }
            }
        }
    }

    fn rates(&self) -> Part {
        let content = html! {
            (scrolling("Table: pass rates", html! {
                table {
                    caption { "Of the runs that were decided, how many pass. Where the interval is narrow, more seeds would say little more." }
                    thead {
                        tr {
                            th scope="col" { "scenario and variant" } th.number scope="col" { "PASS" }
                            th.number scope="col" { "FAIL" } th.number scope="col" { "UNKNOWN" }
                            th.number scope="col" { "VACUOUS" } th.number scope="col" { "pass rate" }
                            th.number scope="col" { "95 % interval" } th scope="col" { "0 to 100 %" }
                        }
                    }
                    tbody {
                        @for study in self.studies {
                            @for variant in study.swept.variants.iter().take(ROWS_MAX) {
                                (rate(&self.name(study, variant), variant.tally))
                            }
                            @if study.swept.variants.len() > 1 {
                                (rate(&format!("all of {}", text(&study.swept.name)), study.swept.tally()))
                            }
                        }
                    }
                }
            }))
        };
        Some(("rates", "How many pass", content))
    }

    /// As a row calls it: by what tells it from the others.
    fn name(&self, study: &Study, variant: &Variant) -> String {
        let (scenario, variant) = (text(&study.swept.name), variant_name(&study.swept, variant));
        match (self.studies.len(), &*variant) {
            (_, "") => scenario,
            (1, _) => variant,
            _ => format!("{scenario}: {variant}"),
        }
    }

    fn words(&self) -> Part {
        let words = [
            (
                "seed",
                "One seed gives one run, bit for bit, on any machine: what the scenario leaves open, the seed decides.",
            ),
            (
                "95 % interval",
                "If the sweep were done again with other seeds, 95 of 100 such intervals would hold the true value. Of a share: Wilson's score interval (1927).",
            ),
            (
                "below 3/n",
                "No failure in n runs does not mean that none can happen: at 95 %, fewer than 3/n of all runs fail (Hanley and Lippman-Hand, 1983).",
            ),
            (
                "interval of a median",
                "Between the two order statistics that a sign test does not reject, whatever the distribution. Of fewer than six runs it cannot be told.",
            ),
            (
                "signature",
                "The check that failed and the kind of reason. Runs of one signature are taken for sights of one defect.",
            ),
            (
                "risk ×",
                "How many times as often runs fail with a condition as without it. Intervals: Katz' on the logarithm, with a half added to each count; widened for the number of conditions looked at (Bonferroni).",
            ),
            ("unavailable", "How long no client was served although some asked, all outages of a run together."),
            (
                "recovery",
                "The longest stretch of an outage in which somebody could have been served: what was avoidable.",
            ),
            ("stale read", "It returned what had certainly been replaced when it was asked for."),
        ];
        let content =
            html! { dl.glossary { @for (word, meaning) in words { div { dt { (word) } dd { (meaning) } } } } };
        Some(("words", "Words", content))
    }

    /// What belongs to each scenario, below its name if there are several.
    fn each(&self, told: impl Fn(usize, &Study) -> Option<Markup>) -> Option<Markup> {
        let parts: Vec<(&Study, Markup)> =
            self.studies.iter().enumerate().filter_map(|(i, study)| Some((study, told(i, study)?))).collect();
        (!parts.is_empty()).then(|| {
            html! {
                @for (study, part) in parts {
                    div.each {
                        @if self.studies.len() > 1 { h3 { (text(&study.swept.name)) } }
                        (part)
                    }
                }
            }
        })
    }
}

/// What the matrix varied, without what is the same in all names: `reads=log, pre-vote=false`.
fn variant_name(swept: &Swept, variant: &Variant) -> String {
    let last = |key: &str| key.rsplit('.').next().unwrap_or(key).to_owned();
    let differs = |(key, value): &&(String, String)| {
        swept.variants.iter().any(|other| !other.source.set.iter().any(|(own, held)| (own, held) == (key, value)))
    };
    let varied: Vec<&(String, String)> = variant.source.set.iter().filter(differs).collect();
    if varied.is_empty() || variant.name.is_empty() {
        return text(&variant.name);
    }
    let is_alone = |key: &str| varied.iter().filter(|(other, _)| last(other) == last(key)).count() == 1;
    let told = |(key, value): &&(String, String)| {
        let key = if is_alone(key) { last(key) } else { key.clone() };
        format!("{key}={}", bare(value))
    };
    text(&varied.iter().map(told).collect::<Vec<_>>().join(", "))
}

/// A value without the quotes and brackets that a file needs.
fn bare(value: &str) -> String {
    let bare = value.replace(['"', '[', ']'], "");
    if bare.trim().is_empty() { "none".to_owned() } else { bare.trim().to_owned() }
}

fn rate(name: &str, tally: Tally) -> Markup {
    let decided = tally.decided();
    let (low, high) = crate::statistics::wilson(tally.passed, decided);
    let bar = format!("margin-left:{:.1}%;width:{:.1}%", low * 100.0, ((high - low) * 100.0).max(0.8));
    html! {
        tr {
            th.text scope="row" { (name) }
            td.number { (count(tally.passed)) }
            td.number { @if tally.failed > 0 { strong.bad { (count(tally.failed)) } } @else { "0" } }
            td.number { (count(tally.unknown)) }
            td.number { (count(tally.vacuous)) }
            @if decided == 0 {
                td.number { "–" } td.number { "nothing decided" } td {}
            } @else {
                td.number { strong { (percentage(tally.passed as f64 / decided as f64, decided)) } }
                td.number { (share(low, decided)) "–" (percentage(high, decided)) }
                td.gauge { span.track { span style=(bar) {} } }
            }
        }
    }
}

/// `no failure in 1 000: below 0.30 % at 95 %`
fn no_failure(decided: u64) -> String {
    let below = share(below(decided), decided);
    format!("No failure in {}: at 95 %, fewer than {below}\u{202f}% of runs fail (below 3/n).", count(decided))
}

/// Rounded down, so that only all of them are 100.
fn percentage(of: f64, decided: u64) -> String {
    format!("{}\u{202f}%", share(of, decided))
}

/// A text of the database's, which can hold anything.
fn text(text: &str) -> String {
    plain(&brief(text, TEXT_MAX))
}

fn pictures(figures: &[Figure]) -> Markup {
    html! { @for figure in figures { figure { figcaption { h3 { (plain(&figure.title)) } } (drawn(figure)) } } }
}

/// Time as one says it that may be long.
fn days(nanos: u128) -> String {
    let seconds = u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX);
    let tenths = |unit: u64| format!("{}.{}", count(seconds / unit), seconds / (unit / 10) % 10);
    match seconds {
        0..120 => format!("{seconds}\u{202f}s"),
        120..7_200 => format!("{} minutes", tenths(60)),
        7_200..172_800 => format!("{} hours", tenths(3_600)),
        172_800.. => format!("{} days", tenths(86_400)),
    }
}
