//! The whole history drawn: what was asked and what became of it over time, how many waited, who asked when, and where the
//! violation is.
//!
//! Processes share a row where one begins after another has ended, as Jepsen's clients do that go on under a new number. What
//! is closer together than a pixel is one mark, so a picture of a million operations is no larger than one of ten thousand.

use super::{LEFT, RIGHT, WIDTH, axis};
use crate::draw::Figure;
use crate::draw::ink::Ink;
use crate::draw::measure::{SMALL, fitted, width};
use crate::draw::svg::{Anchor, Svg, px};
use crate::verify::{Column, Count, Glance, Span, processes};
use crate::words::{count, counted, plain, time};
use checkers::Model;
use history::{Completion, History, Operation, Outcome, Witness};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// So many columns count what was asked: each is four pixels wide.
const COLUMNS: usize = 190;

/// More rows of processes than this are told, not drawn.
const ROWS_MAX: usize = 32;

/// An argument of more operations is not marked whole.
const OPERATIONS_MAX: usize = 40;

/// All rows together have so many marks at most.
const MARKS_MAX: usize = 24_000;

const ASKED: f64 = 74.0;
const WAITING: f64 = 44.0;
const GAP: f64 = 22.0;
const TOP: f64 = 30.0;

/// The picture; none of a history without operations.
pub fn timeline(history: &History, model: Model, witness: Option<&Witness>) -> Option<Figure> {
    let glance = Glance::of(history, model, witness, COLUMNS);
    let rows = Rows::of(history, glance.span);
    (glance.operations > 0).then(|| Drawing { glance, rows, witness, svg: Svg::new() }.draw(history))
}

/// Which row each process has, and how many there are.
struct Rows {
    row_of: BTreeMap<u64, usize>,
    count: usize,
}

impl Rows {
    fn of(history: &History, span: Span) -> Rows {
        let mut lives: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        for op in &history.operations {
            let begun = span.at(op.invoked);
            let ended = op.completed.map_or(u64::MAX, |end| span.at(end));
            let life = lives.entry(op.process).or_insert((begun, ended));
            *life = (life.0.min(begun), life.1.max(ended));
        }
        let mut order: Vec<(u64, u64, u64)> =
            lives.into_iter().map(|(process, (from, to))| (from, process, to)).collect();
        order.sort_unstable();
        let mut rows = Rows { row_of: BTreeMap::new(), count: 0 };
        let (mut taken, mut free): (BTreeSet<(u64, usize)>, BTreeSet<usize>) = Default::default();
        for (from, process, to) in order {
            while let Some((end, row)) = taken.first().copied().filter(|(end, _)| *end < from) {
                taken.remove(&(end, row));
                free.insert(row);
            }
            let row = free.pop_first().unwrap_or_else(|| {
                rows.count += 1;
                rows.count - 1
            });
            taken.insert((to, row));
            rows.row_of.insert(process, row);
        }
        rows
    }

    fn drawn(&self) -> usize {
        self.count.min(ROWS_MAX)
    }

    /// Fewer rows are higher.
    fn height(&self) -> f64 {
        if self.drawn() <= 8 {
            18.0
        } else if self.drawn() <= 16 {
            12.0
        } else {
            8.0
        }
    }
}

struct Drawing<'a> {
    glance: Glance,
    rows: Rows,
    witness: Option<&'a Witness>,
    svg: Svg,
}

impl Drawing<'_> {
    fn draw(mut self, history: &History) -> Figure {
        let bottom = self.rows_top() + self.rows.height() * self.rows.drawn() as f64;
        self.band(bottom);
        self.legend();
        self.asked();
        self.waiting();
        self.processes(history);
        self.axis(bottom + 6.0);
        let marks = self.violation(bottom + 40.0);
        let height = bottom + if marks { 66.0 } else { 32.0 };
        let description = self.description();
        Figure {
            name: "history".to_owned(),
            title: "The history at a glance".to_owned(),
            description,
            width: WIDTH,
            height,
            elements: self.svg.into_text(),
        }
    }

    fn x(&self, at: u64) -> f64 {
        LEFT + (RIGHT - LEFT) * self.glance.span.share(at)
    }

    fn waiting_top(&self) -> f64 {
        TOP + ASKED + GAP
    }

    fn rows_top(&self) -> f64 {
        self.waiting_top() + WAITING + GAP
    }

    fn legend(&mut self) {
        let kinds: [(Ink, &str, Count); 3] = [
            (Ink::OK, "returned", |column| column.returned),
            (Ink::FAILED, "refused", |column| column.refused),
            (Ink::UNKNOWN, "unknown", |column| column.unknown),
        ];
        let mut x = LEFT;
        for (ink, name, of) in kinds {
            let sum = self.glance.sum(of);
            if sum == 0 {
                continue;
            }
            self.svg.rect((x, 5.0), (10.0, 10.0), 2.0, &format!("f-{}", ink.name));
            let text = format!("{} {name}", count(sum));
            self.svg.text((x + 15.0, 14.0), Anchor::Start, "f-text small", &text);
            x += 15.0 + width(&text, SMALL) + 18.0;
        }
    }

    fn name(&mut self, y: f64, name: &str) {
        self.svg.text((LEFT - 12.0, y), Anchor::End, "f-text", name);
    }

    /// What was asked for in each column: what returned below, then what did not happen, then what nobody knows of.
    fn asked(&mut self) {
        let base = TOP + ASKED;
        let all = |column: &Column| column.returned + column.refused + column.unknown;
        let most = self.glance.most(all).max(1);
        self.name(base - 2.0, "asked for");
        let told = format!("at most {}", count(most));
        self.svg.text((RIGHT + 10.0, TOP + 10.0), Anchor::Start, "f-muted small", &told);
        let each = self.glance.span.length() / COLUMNS as u64;
        if self.glance.span.is_time && each > 0 {
            self.svg.text((RIGHT + 10.0, TOP + 24.0), Anchor::Start, "f-muted small", &format!("in {}", time(each)));
        }
        let step = (RIGHT - LEFT) / COLUMNS as f64;
        let stacked: [(Ink, Count, Count); 3] = [
            (Ink::OK, |_| 0, |column| column.returned),
            (Ink::FAILED, |column| column.returned, |column| column.refused),
            (Ink::UNKNOWN, |column| column.returned + column.refused, |column| column.unknown),
        ];
        for (ink, below, own) in stacked {
            let mut d = String::new();
            for (i, column) in self.glance.columns.iter().enumerate().filter(|(_, column)| own(column) > 0) {
                let height = |number: u64| (ASKED - 4.0) * number as f64 / most as f64;
                let (from, length) = (base - height(below(column)), height(own(column)).max(1.0));
                let _ = write!(d, "M{} {}v-{}", px(LEFT + step * (i as f64 + 0.5)), px(from), px(length));
            }
            stroke(&mut self.svg, &d, ink, step - 0.8);
        }
        self.svg.line((LEFT, base + 0.5), (RIGHT, base + 0.5), "s-faint thin");
    }

    /// How many clients waited at once, at most, in each column.
    fn waiting(&mut self) {
        let base = self.waiting_top() + WAITING;
        let most = self.glance.most(|column| column.open);
        self.name(base - 2.0, "waiting");
        let told = format!("at most {} at once", count(most));
        self.svg.text((RIGHT + 10.0, self.waiting_top() + 10.0), Anchor::Start, "f-muted small", &told);
        let step = (RIGHT - LEFT) / COLUMNS as f64;
        let mut d = format!("M{} {}", px(LEFT), px(base));
        for (i, column) in self.glance.columns.iter().enumerate() {
            let y = base - (WAITING - 4.0) * column.open as f64 / most.max(1) as f64;
            let _ = write!(d, "V{}H{}", px(y), px(LEFT + step * (i + 1) as f64));
        }
        let _ = write!(d, "V{}Z", px(base));
        self.svg.element("path", &format!("d=\"{d}\" style=\"fill:var(--muted)\" fill-opacity=\".35\""));
        self.svg.line((LEFT, base + 0.5), (RIGHT, base + 0.5), "s-faint thin");
    }

    /// A row for each client, a mark for each operation.
    fn processes(&mut self, history: &History) {
        let (top, height, drawn) = (self.rows_top(), self.rows.height(), self.rows.drawn());
        self.name(top + height * 0.5 + 4.0, "by process");
        let total = processes(self.glance.processes);
        self.svg.text((RIGHT + 10.0, top + 10.0), Anchor::Start, "f-muted small", &total);
        if self.rows.count > drawn {
            let more = format!("{} rows not drawn", count((self.rows.count - drawn) as u64));
            self.svg.text((RIGHT + 10.0, top + 24.0), Anchor::Start, "f-muted small", &more);
        }
        for ink in [Ink::OK, Ink::FAILED, Ink::UNKNOWN] {
            let mut d = String::new();
            for (row, marks) in self.marks(history, ink).into_iter().enumerate() {
                let y = top + height * (row as f64 + 0.5);
                for (from, to) in marks {
                    let _ = write!(d, "M{} {}h{}", px(from), px(y), px((to - from).max(0.8)));
                }
            }
            // Pale where it is all one, so that what differs is seen.
            let is_plain = ink == Ink::OK;
            self.svg
                .group(if is_plain { "stroke-opacity=\".6\"" } else { "" }, |svg| stroke(svg, &d, ink, height - 3.0));
        }
        self.contradicting(history);
    }

    /// The operations of the argument, in their rows.
    fn contradicting(&mut self, history: &History) {
        let Some(witness) = self.witness else { return };
        let (top, height) = (self.rows_top(), self.rows.height());
        for (number, testimony) in witness.operations.iter().enumerate().take(OPERATIONS_MAX) {
            let Some(op) = history.operations.get(testimony.index) else { continue };
            let Some(row) = self.rows.row_of.get(&op.process).filter(|row| **row < self.rows.drawn()) else { continue };
            let ink = if witness.offender == Some(number) { "bad" } else { "text" };
            let from = self.x(self.glance.span.at(op.invoked));
            let to = op.completed.map_or(RIGHT, |end| self.x(self.glance.span.at(end)));
            let y = top + height * *row as f64;
            self.svg.rect((from - 1.0, y), ((to - from).max(1.0) + 2.0, height), 2.0, &format!("f-{ink}"));
        }
    }

    /// Of each row, where its operations of this ink begin and end; what touches is one.
    fn marks(&self, history: &History, ink: Ink) -> Vec<Vec<(f64, f64)>> {
        let drawn = self.rows.drawn();
        let cell = ((RIGHT - LEFT) * drawn as f64 / MARKS_MAX as f64).max(0.4);
        let mut rows: Vec<Vec<(f64, f64)>> = vec![Vec::new(); drawn];
        for op in history.operations.iter().filter(|op| ink_of(op) == ink) {
            let Some(marks) = self.rows.row_of.get(&op.process).and_then(|row| rows.get_mut(*row)) else { continue };
            let from = self.x(self.glance.span.at(op.invoked));
            let to = op.completed.map_or(RIGHT, |end| self.x(self.glance.span.at(end)));
            match marks.last_mut() {
                Some(last) if from < last.1 + cell => last.1 = last.1.max(to),
                Some(_) | None => marks.push((from, to)),
            }
        }
        rows
    }

    fn axis(&mut self, y: f64) {
        let span = self.glance.span;
        let (first, last) = (span.told(span.from), span.told(span.to));
        let step = axis::step(last.saturating_sub(first), 10);
        self.svg.line((LEFT, y), (RIGHT, y), "s-muted thin");
        let mut free = 0.0;
        for at in (first.div_ceil(step)..).map_while(|i: u64| i.checked_mul(step)).take_while(|at| *at <= last) {
            let x = self.x(at - first + span.from);
            let text = if span.is_time { axis::moment(at) } else { count(at) };
            let half = width(&text, SMALL) / 2.0;
            self.svg.line((x, y), (x, y + 4.0), "s-muted thin");
            if x - half >= free {
                self.svg.text((x, y + 16.0), Anchor::Middle, "f-muted small", &text);
                free = x + half + 6.0;
            }
        }
        let unit = if span.is_time { "time" } else { "event" };
        self.svg.text((LEFT - 12.0, y + 16.0), Anchor::End, "f-muted small", unit);
    }

    /// From the first operation of the violation to the last, behind everything.
    fn band(&mut self, bottom: f64) {
        let places = || self.glance.violation.iter().map(|(_, at)| *at);
        let (Some(from), Some(to)) = (places().min(), places().max()) else { return };
        let (left, right) = (self.x(from), self.x(to));
        let at = format!(
            "x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" class=\"f-bad\" fill-opacity=\".14\"",
            px(left - 1.5),
            px(TOP - 6.0),
            px((right - left).max(0.0) + 3.0),
            px(bottom - TOP + 12.0)
        );
        self.svg.element("rect", &at);
    }

    /// Where the operations of the argument were asked for, by their numbers in it; the one that cannot be is never left out.
    fn violation(&mut self, y: f64) -> bool {
        let places = self.glance.violation.clone();
        let Some(((offender, last), others)) = places.split_last() else { return false };
        self.svg.text((LEFT - 12.0, y + 12.0), Anchor::End, "f-bad bold", "violation");
        let at_last = self.x(*last);
        self.caret((at_last, y), "f-bad");
        let told = if *offender > 0 { offender.to_string() } else { "here".to_owned() };
        self.svg.text((at_last, y + 21.0), Anchor::Middle, "f-bad small bold", &told);
        let mut taken = vec![at_last];
        for (number, at) in others {
            let x = self.x(*at);
            self.caret((x, y), "f-muted");
            if taken.iter().all(|other| (other - x).abs() > 13.0) {
                self.svg.text((x, y + 21.0), Anchor::Middle, "f-muted small", &number.to_string());
                taken.push(x);
            }
        }
        self.caret((at_last, y), "f-bad");
        true
    }

    fn caret(&mut self, (x, y): (f64, f64), class: &str) {
        let d = format!("M{} {}l5 9h-10Z", px(x), px(y));
        let name = class.trim_start_matches("f-");
        self.svg.element("path", &format!("d=\"{d}\" style=\"fill:var(--{name})\""));
    }

    fn description(&self) -> String {
        let glance = &self.glance;
        let functions: Vec<String> = glance
            .functions
            .iter()
            .take(12)
            .map(|asked| {
                let name = fitted(&plain(&asked.f), SMALL, 200.0).unwrap_or_default();
                format!("{} {name}", count(asked.returned + asked.refused + asked.unknown))
            })
            .collect();
        format!(
            "{} by {}: {}. {} returned, {} refused, {} unknown; at most {} waited at once.",
            counted(glance.operations, "operation"),
            processes(glance.processes),
            functions.join(", "),
            count(glance.sum(|column| column.returned)),
            count(glance.sum(|column| column.refused)),
            count(glance.sum(|column| column.unknown)),
            count(glance.most(|column| column.open)),
        )
    }
}

fn stroke(svg: &mut Svg, d: &str, ink: Ink, wide: f64) {
    if !d.is_empty() {
        svg.element("path", &format!("d=\"{d}\" class=\"s-{}\" stroke-width=\"{}\"", ink.name, px(wide)));
    }
}

fn ink_of(op: &Operation) -> Ink {
    match &op.outcome {
        Outcome::Returned(Completion::Ok(_) | Completion::Mismatch) => Ink::OK,
        Outcome::Refused => Ink::FAILED,
        Outcome::Unknown => Ink::UNKNOWN,
    }
}
