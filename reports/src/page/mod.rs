//! A run as a page: one file that stands alone. It opens with the verdict and what it rests on, then shows what happened,
//! why it failed, and how to see it again.
//!
//! It can be read without scripts, by day, by night and on paper, with a keyboard and with ears. Nothing is loaded from
//! anywhere, and a policy in the page forbids it. The same record gives the same bytes.

mod cards;
mod expectations;
mod failed;
mod glossary;
mod outages;
mod reproduce;
mod verdict;

pub(crate) use verdict::tone;

pub use glossary::explained;

use crate::draw::{self, Figure, ink};
use crate::plot::{messages, witness};
use crate::words::{self, brief, count, counted, exact, plain, time};
use history::{Moment, RunRecord, Witness};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");

/// Of links: a blue that can be read as text.
const LINK: &str = ":root{--link:#005a8f}@media screen and (prefers-color-scheme:dark){:root{--link:#6bbcf0}}";

/// Shows the buttons that copy a command, which do nothing without it. Where a browser does not let a page write to the
/// clipboard, the command is selected.
const SCRIPT: &str = "for(const b of document.querySelectorAll('button')){b.hidden=false;b.onclick=async()=>{\
    const c=b.previousElementSibling;getSelection().selectAllChildren(c);\
    try{await navigator.clipboard.writeText(c.textContent);b.textContent='Copied'}catch{b.textContent='Selected'}}}";

/// What a page may load: nothing. It brings its style and its few words of script.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// No page is larger, in bytes.
pub const SIZE_MAX: usize = 5 * 1024 * 1024;

/// How much of a record a page shows.
#[derive(Clone, Copy, Debug)]
struct Room {
    /// Rows of each table.
    rows: usize,
    /// Characters of each text.
    text: usize,
    /// Whether there are tables of data, and the scenario in full.
    has_data: bool,
    /// Whether there are message diagrams.
    has_moments: bool,
    /// Whether there are other pictures.
    has_figures: bool,
    /// What was left out, and where it is; empty if nothing was.
    left_out: &'static str,
}

/// From all there is to what always fits.
const ROOMS: [Room; 4] = [
    Room { rows: 1000, text: 20_000, has_data: true, has_moments: true, has_figures: true, left_out: "" },
    Room {
        rows: 300,
        text: 2_000,
        has_data: false,
        has_moments: true,
        has_figures: true,
        left_out: "the tables of data and the scenario in full, which are in run.json",
    },
    Room {
        rows: 300,
        text: 1_000,
        has_data: false,
        has_moments: false,
        has_figures: true,
        left_out: "the tables of data and the scenario in full, which are in run.json, and the message diagrams, which are \
                   in files beside it",
    },
    Room {
        rows: 40,
        text: 200,
        has_data: false,
        has_moments: false,
        has_figures: false,
        left_out: "the tables of data, the scenario in full and the ends of long texts, which are in run.json, and the \
                   pictures, which are in files beside it",
    },
];

/// The text of `report.html`: a record and its pictures, those of [`crate::plot::figures`].
pub fn page(record: &RunRecord, figures: &[Figure]) -> String {
    within(record, figures, SIZE_MAX)
}

/// The fullest page that is not larger than this, in bytes; the barest, if none is.
fn within(record: &RunRecord, figures: &[Figure], size_max: usize) -> String {
    let [fuller @ .., barest] = ROOMS;
    let written = |room| Page { record, figures, room }.write();
    fuller.into_iter().map(written).find(|page| page.len() <= size_max).unwrap_or_else(|| written(barest))
}

/// What every page is: it stands alone, and begins with a verdict.
pub(crate) struct Document {
    pub version: String,
    pub title: String,
    pub head: Markup,
    /// The verdict, and what stands with it.
    pub opening: Markup,
    /// Its id, its heading, and what it holds.
    pub parts: Vec<(&'static str, &'static str, Markup)>,
    pub footer: String,
}

impl Document {
    pub fn write(&self) -> String {
        let Document { version, title, head, opening, parts, footer } = self;
        let style = format!("{}{}\n{LINK}\n{STYLE}", ink::css(), draw::STYLE);
        let markup = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="generator" content={ "stormglass " (version) };
                    title { (title) }
                    style { (PreEscaped(style)) }
                }
                body {
                    div.page {
                        a.skip href="#verdict" { "To the verdict" }
                        header {
                            (head)
                            nav aria-label="Parts of this page" {
                                ul { @for (id, heading, _) in parts { li { a href={ "#" (id) } { (heading) } } } }
                            }
                        }
                        main {
                            (opening)
                            @for (id, heading, content) in parts {
                                section aria-labelledby=(id) { h2 id=(id) { (heading) } (content) }
                            }
                        }
                        footer { p { (footer) } }
                    }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        markup.into_string() + "\n"
    }
}

/// An argument beside its picture: at most so many sentences, of at most so many characters each.
pub(crate) fn argument(witness: &Witness, figure: Option<&Figure>, rows: usize, text_max: usize) -> Markup {
    let last = witness.argument.len().saturating_sub(1);
    html! {
        div.argued.beside[figure.is_some_and(|figure| figure.width <= BESIDE_MAX)] {
            @if let Some(figure) = figure { figure { (drawn(figure)) } }
            ol {
                @for (i, sentence) in witness.argument.iter().enumerate().take(rows) {
                    li.hence[i == last] { (plain(&brief(unnumbered(sentence), text_max))) }
                }
            }
        }
        @if !witness.is_minimal {
            p.muted { "There was no budget left to find out whether fewer operations would do." }
        }
    }
}

/// A picture that is wider leaves no room for words beside it, in pixels.
const BESIDE_MAX: f64 = 720.0;

/// Without its number, which the list gives it.
fn unnumbered(sentence: &str) -> &str {
    let parts = sentence.split_once(". ").filter(|(number, _)| number.parse::<u64>().is_ok());
    parts.map_or(sentence, |(_, rest)| rest)
}

struct Page<'a> {
    record: &'a RunRecord,
    figures: &'a [Figure],
    room: Room,
}

/// A part of the page, if there is something to say: its id, its heading, and what it holds.
type Part = Option<(&'static str, &'static str, Markup)>;

impl Page<'_> {
    fn write(&self) -> String {
        let r = self.record;
        let parts: Vec<_> = [
            self.happened(),
            self.failed(),
            self.moments(),
            self.outages(),
            self.expectations(),
            Some(self.reproduce()),
            self.glossary(),
        ]
        .into_iter()
        .flatten()
        .collect();
        let document = Document {
            version: self.text(&r.version),
            title: format!("{} · {} · seed {}", r.verdict, self.text(&r.scenario), r.seed),
            head: self.head(),
            opening: html! {
                @if r.interrupted { (self.interrupted()) }
                @if !self.room.left_out.is_empty() {
                    p.note { "This page would be too large with all there is. It leaves out " (self.room.left_out) "." }
                }
                (self.verdict())
                (self.cards())
            },
            parts,
            footer: format!(
                "Drawn by stormglass {} from run.json. The same version, scenario and seed give the same run and the same page, \
                 to the last bit.",
                self.text(&r.version)
            ),
        };
        document.write()
    }

    /// A text of the record's, as long as there is room for it.
    fn text(&self, text: &str) -> String {
        plain(&brief(text, self.room.text))
    }

    /// A sentence of the record's.
    fn sentence(&self, sentence: &str) -> String {
        words::told(&self.text(sentence))
    }

    fn head(&self) -> Markup {
        let r = self.record;
        let places = if r.places > 1 { format!(" in {}", counted(r.places.into(), "place")) } else { String::new() };
        let settle = r.simulated_ns.saturating_sub(r.duration_ns);
        let settle = if settle > 0 { format!(" + {} to settle", exact(settle)) } else { String::new() };
        html! {
            h1 { (self.text(&r.scenario)) " " small { "· seed " (r.seed) } }
            @if !r.about.is_empty() { p.lead { (self.text(&r.about)) } }
            ul.facts {
                li { (self.text(&r.protocol)) ", " (counted(r.nodes.into(), "node")) (places) }
                @for flaw in r.flaws.iter().take(self.room.rows) { li.flaw { "flaw switched on: " (self.text(flaw)) } }
                @if !r.data.is_empty() { li { "data: " (self.text(&r.data)) } }
                li { (exact(r.duration_ns)) (settle) }
                li { (counted(r.events, "event")) }
                li { "stormglass " (self.text(&r.version)) }
                li { "fingerprint " code { (self.text(&r.fingerprint)) } }
            }
        }
    }

    fn interrupted(&self) -> Markup {
        let (reached, planned) = (exact(self.record.simulated_ns), exact(self.record.duration_ns));
        html! {
            p.note role="note" {
                "Interrupted: this run was stopped after " (reached) " of simulated time, of " (planned)
                " without the time to settle. What follows tells of that part alone."
            }
        }
    }

    /// The pictures that stand in no other part.
    fn happened(&self) -> Part {
        let elsewhere = ["witness-", "moment-", "takeover"];
        let is_here = |figure: &&Figure| !elsewhere.iter().any(|start| figure.name.starts_with(start));
        let figures: Vec<&Figure> = self.figures.iter().filter(is_here).collect();
        if figures.is_empty() && self.record.faults.is_empty() {
            return None;
        }
        let content = html! {
            @if self.room.has_figures { @for figure in figures { figure { (drawn(figure)) } } }
            (self.faults())
        };
        Some(("happened", "What happened", content))
    }

    /// Every fault in a table, for those who do not see the picture, and for its numbers.
    fn faults(&self) -> Markup {
        let faults = &self.record.faults;
        let row = |fault: &history::FaultRecord| {
            let length = fault.to_ns.saturating_sub(fault.from_ns);
            html! {
                tr {
                    th.text scope="row" { (self.text(&fault.name)) }
                    td { (self.text(&fault.kind)) }
                    td.text {
                        (self.text(&fault.who))
                        @if let Some(why) = &fault.why { ": " (self.text(why)) }
                    }
                    td.number { (exact(fault.from_ns)) }
                    td.number { (time(length)) }
                    td.number { (count(fault.effects)) }
                }
            }
        };
        html! {
            @if !faults.is_empty() {
                details {
                    summary { (counted(faults.len() as u64, "fault")) " as a table" }
                    (scrolling("Table: faults", html! {
                        table {
                            caption { "Every fault, whom it struck, and how often it changed anything." }
                            thead {
                                tr {
                                    th scope="col" { "fault" } th scope="col" { "kind" } th scope="col" { "whom" }
                                    th.number scope="col" { "from" } th.number scope="col" { "length" }
                                    th.number scope="col" { "effects" }
                                }
                            }
                            tbody { @for fault in faults.iter().take(self.room.rows) { (row(fault)) } }
                        }
                    }))
                    (self.more(faults.len()))
                }
            }
        }
    }

    fn moments(&self) -> Part {
        let moments = &self.record.picture.as_ref()?.moments;
        let figures = moments.iter().enumerate().map(|(i, moment)| (moment, self.figure(&messages::name(i))));
        let figures: Vec<_> = figures.filter_map(|(moment, figure)| Some((moment, figure?))).collect();
        if figures.is_empty() || !self.room.has_moments {
            return None;
        }
        let content = html! {
            p.muted { "Time runs down the page. Rest the pointer on a line to read the whole message." }
            @for (moment, figure) in figures {
                figure.moment {
                    figcaption {
                        h3 { (self.text(&moment.title)) }
                        p.muted { (stretch(moment)) }
                    }
                    (drawn(figure))
                }
            }
        };
        Some(("moments", "Message by message", content))
    }

    fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }

    /// The picture of the n-th violation that is argued.
    fn witness(&self, number: usize) -> Option<&Figure> {
        self.figure(&witness::name(number)).filter(|_| self.room.has_figures)
    }

    /// What a table left out.
    fn more(&self, rows: usize) -> Markup {
        let more = rows.saturating_sub(self.room.rows) as u64;
        html! { @if more > 0 { p.muted { "And " (count(more)) " more, all in run.json." } } }
    }
}

/// From when to when a moment is, sharp enough to tell the two apart.
fn stretch(moment: &Moment) -> String {
    let apart = moment.to_ns.saturating_sub(moment.from_ns) / 10;
    format!("From {} to {}.", words::moment(moment.from_ns, apart), words::moment(moment.to_ns, apart))
}

/// A picture that can be scrolled where it is wider than the screen: letters that shrink cannot be read.
pub(crate) fn drawn(figure: &Figure) -> Markup {
    /// The smallest scale at which letters of eleven pixels can be read, and the largest that looks well.
    const SCALES: [f64; 2] = [0.85, 1.08];
    let [least, most] = SCALES.map(|scale| draw::svg::px(figure.width * scale));
    let style = format!("<svg style=\"min-width:{least}px;max-width:{most}px\"");
    let svg = figure.inline().replacen("<svg", &style, 1);
    scrolling(&format!("Picture: {}", plain(&brief(&figure.title, 200))), PreEscaped(svg))
}

/// Something wide, which a keyboard can scroll.
pub(crate) fn scrolling(label: &str, content: Markup) -> Markup {
    html! { div.scroll tabindex="0" role="region" aria-label=(label) { (content) } }
}

/// A command to copy.
pub(crate) fn command(command: &str) -> Markup {
    html! {
        div.command {
            pre tabindex="0" { code { (plain(command)) } }
            button type="button" hidden { "Copy" }
        }
    }
}
