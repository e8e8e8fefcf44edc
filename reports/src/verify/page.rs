//! A judged history as a page: one file that stands alone, and does not grow with the history.

use super::words::{demand, of_level, of_model};
use super::{Asked, Glance, Limits, Verified, size};
use crate::command::verify;
use crate::draw::Figure;
use crate::page::{Document, argument, command, drawn, scrolling, tone};
use crate::plot::witness;
use crate::words::{self, brief, count, counted, exact, plain, sign, time};
use checkers::Rung;
use history::Verdict;
use maud::{Markup, html};

/// Of an argument.
const SENTENCES_MAX: usize = 60;

/// Of a text, in characters.
const TEXT_MAX: usize = 2_000;

/// Rows of a table, and violations that are drawn.
const ROWS_MAX: usize = 40;

/// The text of `report.html`: a judged history and its [`super::figures`]. The same history gives the same bytes.
pub fn page(verified: &Verified<'_>, figures: &[Figure]) -> String {
    let glance = Glance::of(verified.history, verified.model, verified.judgement.witness.as_ref(), 1);
    Page { verified, figures, glance }.write()
}

struct Page<'a> {
    verified: &'a Verified<'a>,
    figures: &'a [Figure],
    glance: Glance,
}

impl Page<'_> {
    fn write(&self) -> String {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let parts = [
            self.why(),
            self.cures(),
            self.levels(),
            self.whole(),
            Some(self.judged()),
            Some(self.again()),
            Some(self.words()),
        ];
        let (verdict, file) = (self.verified.judgement.verdict, text(self.verified.name()));
        let footer = format!("Drawn by stormglass {version}. The same history gives the same page, to the last bit.");
        let document = Document {
            title: format!("{verdict} · {file}"),
            head: self.head(),
            opening: html! { (self.verdict()) (self.cards()) },
            parts: parts.into_iter().flatten().collect(),
            version,
            footer,
        };
        document.write()
    }

    fn head(&self) -> Markup {
        let v = self.verified;
        html! {
            h1 { (text(v.name())) }
            ul.facts {
                li { "model: " (v.model.name()) }
                @if let Some(level) = v.level() { li { "level: " (level) } }
                li { "read as " (text(v.format)) }
                @if let Some(initial) = v.initial.filter(|initial| !initial.is_nil()) { li { "starts as " code { (text(&format!("{:?}", initial.to_string()))) } } }
                li { "stormglass " (env!("CARGO_PKG_VERSION")) }
            }
        }
    }

    fn verdict(&self) -> Markup {
        let judgement = self.verified.judgement;
        html! {
            section.verdict.(tone(judgement.verdict)) aria-labelledby="verdict" {
                h2 id="verdict" {
                    span aria-hidden="true" { (sign(judgement.verdict)) " " }
                    (judgement.verdict)
                    span.what { ": " (text(&self.verified.headline(self.verified.name()))) }
                }
                p.why { (words::told(&text(&judgement.detail))) }
            }
        }
    }

    fn cards(&self) -> Markup {
        let glance = &self.glance;
        let lasted = match glance.span.is_time {
            true => (time(glance.span.length()), "from first to last"),
            false => (count(glance.span.to.saturating_add(1)), "events, without times"),
        };
        let cards = [
            Some((count(glance.operations), "operations")),
            Some((count(glance.processes), if glance.processes == 1 { "process" } else { "processes" })),
            Some((count(glance.most(|column| column.open)), "at once, at most")),
            glance.keys.map(|keys| (count(keys), if keys == 1 { "key" } else { "keys" })),
            Some((count(glance.sum(|column| column.unknown)), "of unknown outcome")),
            Some(lasted),
        ];
        html! {
            dl.cards {
                @for (value, name) in cards.into_iter().flatten() {
                    div.card { dt { (name) } dd.value { (value) } }
                }
            }
        }
    }

    /// The argument and its drawing.
    fn why(&self) -> Part {
        let witness = self.verified.judgement.witness.as_ref()?;
        let content = html! { (argument(witness, self.figure(&witness::name(0)), SENTENCES_MAX, TEXT_MAX)) };
        Some(("why", "Why it is wrong", content))
    }

    fn cures(&self) -> Part {
        let cures = self.verified.cures();
        let content = html! { ul.plain { @for cure in &cures { li { (text(cure)) } } } };
        (!cures.is_empty()).then_some(("cures", "What may help", content))
    }

    fn levels(&self) -> Part {
        let rungs = self.verified.ladder?;
        let content = html! {
            (scrolling("Table: levels", html! {
                table {
                    caption { "The same history at every level that its model knows, the strongest first." }
                    thead { tr { th scope="col" { "level" } th scope="col" { "answer" } th scope="col" { "what was found" } } }
                    tbody { @for rung in rungs.iter().take(ROWS_MAX) { (row(rung)) } }
                }
            }))
            @let own = usize::from(self.verified.judgement.witness.is_some());
            @for (i, (name, witness)) in self.verified.argued().enumerate().skip(own).take(ROWS_MAX) {
                details {
                    summary { "Why not " (text(&name)) }
                    (argument(witness, self.figure(&witness::name(i)), SENTENCES_MAX, TEXT_MAX))
                }
            }
        };
        Some(("levels", "Level by level", content))
    }

    fn whole(&self) -> Part {
        let figure = self.figure("history")?;
        let functions = &self.glance.functions;
        let row = |asked: &Asked| {
            html! {
                tr {
                    th.text scope="row" { code { (text(&asked.f)) } }
                    td.number { (count(asked.returned)) }
                    td.number { (count(asked.refused)) }
                    td.number { (count(asked.unknown)) }
                }
            }
        };
        let content = html! {
            figure { (drawn(figure)) }
            details {
                summary { (counted(functions.len() as u64, "function")) " as a table" }
                (scrolling("Table: functions", html! {
                    table {
                        caption { "What was asked for, and what became of it." }
                        thead {
                            tr {
                                th scope="col" { "function" } th.number scope="col" { "returned" }
                                th.number scope="col" { "refused" } th.number scope="col" { "unknown" }
                            }
                        }
                        tbody { @for asked in functions.iter().take(ROWS_MAX) { (row(asked)) } }
                    }
                }))
                @if functions.len() > ROWS_MAX { p.muted { "And " (count((functions.len() - ROWS_MAX) as u64)) " more." } }
            }
        };
        Some(("history", "The history at a glance", content))
    }

    fn judged(&self) -> (&'static str, &'static str, Markup) {
        let judgement = self.verified.judgement;
        let Limits { time_ns, memory, .. } = self.verified.limits;
        let content = html! {
            ul.plain {
                @for method in judgement.methods.iter().take(ROWS_MAX) { li { (text(method)) } }
                @if judgement.states > 0 { li { (counted(judgement.states, "configuration")) " of a search were kept" } }
                @for note in judgement.notes.iter().take(ROWS_MAX) { li { (text(note)) } }
                li { "It had " (exact(time_ns)) " and " (size(memory)) " of memory." }
            }
        };
        ("judged", "How it was judged", content)
    }

    fn again(&self) -> (&'static str, &'static str, Markup) {
        let Verified { program, options, minimal, .. } = self.verified;
        let content = html! {
            p { "In the directory of the history, with stormglass " (env!("CARGO_PKG_VERSION")) " on any machine:" }
            (command(&verify(program, self.verified.name(), options)))
            @if let Some(options) = minimal {
                p.after { "In the directory of this page, the operations of the argument alone, which are wrong by themselves and fit a bug report:" }
                (command(&verify(program, "minimal.jsonl", options)))
            }
        };
        ("again", "Reproduce", content)
    }

    fn words(&self) -> (&'static str, &'static str, Markup) {
        let v = self.verified;
        let level = v.level.or(v.model.usual_level());
        let verdict = match v.judgement.verdict {
            Verdict::Pass | Verdict::Fail => None,
            Verdict::Unknown => Some(("UNKNOWN", "A budget ran out: shown neither right nor wrong.")),
            Verdict::Vacuous => {
                Some(("VACUOUS", "Nothing was really tested: no operation returned anything that could be wrong."))
            }
        };
        let unknown = (self.glance.sum(|column| column.unknown) > 0).then_some((
            "unknown",
            "An operation of which its client never heard again: it may have happened, may happen yet, or never.",
        ));
        let level = level.map(|level| (demand(v.model, Some(level)), of_level(level)));
        let words = [Some((v.model.name(), of_model(v.model))), level, unknown, verdict];
        let content = html! {
            dl.glossary { @for (word, meaning) in words.into_iter().flatten() { div { dt { (word) } dd { (meaning) } } } }
        };
        ("words", "Words", content)
    }

    fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }
}

/// A part of the page, if there is something to say: its id, its heading, and what it holds.
type Part = Option<(&'static str, &'static str, Markup)>;

fn row(rung: &Rung) -> Markup {
    html! {
        tr.(tone(rung.verdict)) {
            th.short scope="row" { (rung.name) }
            td.short { span.sign { (sign(rung.verdict)) " " (rung.verdict) } }
            td.text { (words::told(&text(&rung.detail))) }
        }
    }
}

/// A text of the history's, which can hold anything.
fn text(text: &str) -> String {
    plain(&brief(text, TEXT_MAX))
}
