//! Figures of papers as a page: a picture for each, ours over what was published, and a table of all the numbers.

use super::chart::chart;
use super::{Laid, Row, Series, Tally, Unit, figures};
use crate::page::{Document, drawn, scrolling, tone};
use crate::words::{count, counted, plain};
use history::Verdict;
use maud::{Markup, html};

/// The text of the page. The same version and the same runs give the same bytes.
pub fn page(version: &str, laid: &[Laid]) -> String {
    let tally = Tally::of(laid);
    let headed = html! {
        h1 { "Figures of papers, from runs" }
        p.lead { "What was published, and what the shipped systems do when they are run the same way." }
        ul.facts { li { (counted(laid.len() as u64, "figure")) } li { "stormglass " (plain(version)) } }
    };
    let parts = vec![
        ("all", "At a glance", glance(laid)),
        ("figures", "The figures", html! { @for (i, laid) in laid.iter().enumerate() { (figure(i, laid)) } }),
    ];
    let document = Document {
        version: plain(version),
        title: format!("{} · figures of papers", told(tally)),
        head: headed,
        opening: verdict(tally),
        parts,
        footer: format!(
            "Drawn by stormglass {} from the runs of a suite. The same runs give the same page, to the last bit.",
            plain(version)
        ),
    };
    document.write()
}

fn told(tally: Tally) -> String {
    let asked = tally.held + tally.off + tally.open;
    match tally.verdict() {
        Verdict::Vacuous => format!("none of {} was measured", counted(asked, "number")),
        Verdict::Pass | Verdict::Unknown | Verdict::Fail => {
            format!("{} of {} lie where the scenarios ask", count(tally.held), counted(asked, "number"))
        }
    }
}

fn verdict(tally: Tally) -> Markup {
    // That a paper's number is not met is told, and is not the same as a suite that fails: some cannot be met, and say why.
    let tone = tone(if tally.off > 0 { Verdict::Unknown } else { tally.verdict() });
    html! {
        section.verdict.(tone) aria-labelledby="verdict" {
            h2 id="verdict" { (told(tally)) }
            p.why {
                @if tally.off > 0 { (count(tally.off)) " are off: by how much stands at each figure, and why in its scenario. " }
                @if tally.open > 0 { (count(tally.open)) " were not measured. " }
                "Where a scenario asks for one range and would like another, the narrower counts here."
            }
        }
    }
}

/// A line for each figure.
fn glance(laid: &[Laid]) -> Markup {
    scrolling(
        "Table: all figures",
        html! {
            table {
                thead { tr {
                    th scope="col" { "figure" } th.number scope="col" { "where it was asked" } th.number scope="col" { "off" }
                    th.number scope="col" { "farthest from what was published" }
                } }
                tbody {
                    @for (i, one) in laid.iter().enumerate() {
                        @let tally = Tally::of(std::slice::from_ref(one));
                        tr {
                            th.text scope="row" { a href={ "#" (id(i)) } { (plain(&one.paper.title)) } }
                            td.number { (count(tally.held)) " of " (count(tally.held + tally.off + tally.open)) }
                            td.number { @if tally.off > 0 { strong { (count(tally.off)) } } @else { "0" } }
                            td.number { (farthest(one).map_or("–".to_owned(), signed)) }
                        }
                    }
                }
            }
        },
    )
}

fn id(number: usize) -> String {
    format!("figure-{}", number + 1)
}

fn farthest(laid: &Laid) -> Option<f64> {
    laid.all().filter_map(Row::off).max_by(|a, b| a.abs().total_cmp(&b.abs()))
}

/// In percent, with its sign.
fn signed(share: f64) -> String {
    let percent = share * 100.0;
    let sign = if share < 0.0 { "−" } else { "+" };
    match percent.abs() {
        ..0.005 => "0\u{202f}%".to_owned(),
        ..9.995 => format!("{sign}{:.2}\u{202f}%", percent.abs()),
        ..999.5 => format!("{sign}{:.0}\u{202f}%", percent.abs()),
        _ => format!("× {}", count(libm::round(1.0 + share) as u64)),
    }
}

fn figure(number: usize, laid: &Laid) -> Markup {
    let paper = &laid.paper;
    let id = id(number);
    html! {
        h3.paper id=(id) { (plain(&paper.title)) }
        p.muted { (plain(&paper.source)) }
        @if !paper.note.is_empty() { p { (plain(&paper.note)) } }
        @if let Some(figure) = chart(&format!("{id}-drawn"), laid) { figure { (drawn(&figure)) } }
        (table(laid))
    }
}

fn table(laid: &Laid) -> Markup {
    let paper = &laid.paper;
    scrolling(
        &format!("Table: {}", plain(&paper.title)),
        html! {
            table {
                thead { tr {
                    th scope="col" { "curve" } th.number scope="col" { (plain(&paper.at)) } th.number scope="col" { "published" }
                    th.number scope="col" { "ours" } th.number scope="col" { "off by" } th.number scope="col" { "asked for" }
                    th scope="col" { "" } th scope="col" { "from" }
                } }
                tbody {
                    @for (series, rows) in paper.series.iter().zip(&laid.rows) {
                        @for row in rows.iter().filter(|row| row.asked.is_some()) { (line(paper.unit, series, row)) }
                    }
                }
            }
        },
    )
}

fn line(unit: Unit, series: &Series, row: &Row) -> Markup {
    let (file, check) = row.asked.clone().unwrap_or_default();
    html! {
        tr {
            th.text scope="row" { (plain(&series.name)) }
            td.number { (plain(&row.place())) }
            td.number { (row.published.map_or("–".to_owned(), |number| unit.told(number))) }
            td.number { (ours(unit, row)) }
            td.number { (row.off().map_or("–".to_owned(), signed)) }
            td.number { @if let Some((from, to)) = row.range { (figures(from)) "–" (unit.told(to)) } @else { "–" } }
            td { @match row.holds() {
                Some(true) => "within",
                Some(false) => strong { "off" },
                None => "not measured",
            } }
            td.text { code { (plain(&check)) } " " span.muted { (plain(&file)) } }
        }
    }
}

/// The number; of several runs the middle one, and how far they reach.
fn ours(unit: Unit, row: &Row) -> String {
    match (row.middle(), row.ours.as_slice()) {
        (None, _) | (_, []) => "–".to_owned(),
        (Some(middle), [least, .., most]) if least < most => {
            format!("{} ({}–{})", unit.told(middle), figures(*least), figures(*most))
        }
        (Some(middle), _) => unit.told(middle),
    }
}
