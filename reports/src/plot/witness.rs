//! A violation drawn: one lane a client, its operations as bars over time, numbered as the argument numbers them.
//!
//! The moments stand in their order, to scale where that can be; a wait that is much longer than it looks is broken. An
//! operation of which nobody heard again is open to the right.

use super::spread::{Gap, spread};
use crate::draw::Figure;
use crate::draw::ink::Ink;
use crate::draw::measure::{SMALL, fitted, width};
use crate::draw::svg::{Anchor, Svg, px};
use crate::witness::transaction;
use crate::words::{brief, plain};
use history::{Ended, Finding, Holder, Mark, Reason, RunRecord, Server, Testimony, Verdict, Witness};

/// More violations than this are not drawn: they are told.
const FIGURES_MAX: usize = 12;

/// Of the words beside a picture, in characters.
const TOLD_MAX: usize = 4_000;

/// More operations than this are an argument nobody follows: the last ones are drawn.
const OPERATIONS_MAX: usize = 24;

/// Of a value within a bar.
const VALUE_MAX: usize = 18;

/// Of the steps of a transaction.
const STEPS_MAX: usize = 64;

const LEFT: f64 = 54.0;
const RIGHT: f64 = 28.0;
/// Between the first moment and the last, where the labels do not ask for more.
const ROOM: f64 = 400.0;
const BAR: f64 = 30.0;
const LANE: f64 = 66.0;
/// Behind the label of a bar, for a break and for lines.
const BEHIND: f64 = 22.0;
/// Of a badge with the number of a sentence.
const BADGE: f64 = 8.0;

/// The findings that are argued, in their order: those that failed and have a witness.
pub fn argued(record: &RunRecord) -> impl Iterator<Item = (&Finding, &Witness)> {
    let failed = record.findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
    failed.filter_map(|finding| Some((finding, finding.witness.as_ref()?)))
}

/// The name of the figure of the n-th of them, counted from 0.
pub fn name(number: usize) -> String {
    format!("witness-{}", number + 1)
}

/// A figure for each violation that has operations to show.
pub fn witnesses(record: &RunRecord) -> Vec<Figure> {
    let drawn = argued(record).enumerate().take(FIGURES_MAX);
    drawn
        .filter_map(|(number, (finding, witness))| {
            of_witness(name(number), &format!("{}: {}", finding.check, finding.detail), witness)
        })
        .collect()
}

/// The figure of a violation, if it has operations to show.
pub fn of_witness(name: String, title: &str, witness: &Witness) -> Option<Figure> {
    if witness.operations.is_empty() {
        return None;
    }
    let layout = Layout::of(witness);
    let mut svg = Svg::new();
    layout.draw(&mut svg);
    let title = brief(title, TOLD_MAX);
    let description = plain(&brief(&witness.argument.join(" "), TOLD_MAX));
    let (width, height) = (layout.width(), layout.height());
    Some(Figure { name, title: plain(&title), description, width, height, elements: svg.into_text() })
}

/// An operation in its place.
struct Bar<'a> {
    op: &'a Testimony,
    /// Its sentence.
    number: usize,
    lane: usize,
    from: f64,
    /// Where it ends; `None` at the right edge.
    to: Option<f64>,
    is_offender: bool,
}

/// A vertical line at a moment that the argument turns on.
struct Turn {
    x: f64,
    text: String,
    ink: Ink,
}

struct Layout<'a> {
    witness: &'a Witness,
    omitted: usize,
    names: Vec<&'a str>,
    bars: Vec<Bar<'a>>,
    /// Every moment, its place, and what is between it and the next.
    moments: Vec<(Mark, f64)>,
    gaps: Vec<Gap>,
    turns: Vec<Turn>,
    edge: f64,
}

impl<'a> Layout<'a> {
    fn of(witness: &'a Witness) -> Self {
        let omitted = witness.operations.len().saturating_sub(OPERATIONS_MAX);
        let ops: Vec<(usize, &Testimony)> = witness.operations.iter().enumerate().skip(omitted).collect();
        let mut marks: Vec<Mark> = ops.iter().flat_map(|(_, op)| [Some(op.invoked), end(op)]).flatten().collect();
        marks.sort_unstable();
        marks.dedup();
        let between: Vec<u64> = marks.windows(2).map(|pair| pair[1].time.saturating_sub(pair[0].time)).collect();
        let gaps = spread(&between, ROOM, 26.0, 120.0);
        let mut layout = Layout {
            witness,
            omitted,
            names: Vec::new(),
            bars: Vec::new(),
            moments: Vec::new(),
            gaps,
            turns: Vec::new(),
            edge: 0.0,
        };
        layout.place(&ops, &marks);
        layout.edge();
        layout.turns();
        layout
    }

    /// Puts every moment in its place: behind the one before it, and where the labels of what it ends have room.
    fn place(&mut self, ops: &[(usize, &'a Testimony)], marks: &[Mark]) {
        let mut x = LEFT + 12.0;
        for (i, mark) in marks.iter().enumerate() {
            if i > 0 {
                x += self.gaps[i - 1].room;
            }
            let ended: Vec<usize> = (0..self.bars.len()).filter(|&bar| end(self.bars[bar].op) == Some(*mark)).collect();
            for &bar in &ended {
                x = x.max(self.bars[bar].from + room(self.bars[bar].op) + BEHIND);
            }
            for bar in ended {
                self.bars[bar].to = Some(x);
            }
            for (number, op) in ops.iter().filter(|(_, op)| op.invoked == *mark) {
                let lane = self.lane(op);
                let before = self.bars.iter().filter(|bar| bar.lane == lane);
                x = before.map(|bar| bar.from + reach(bar.op) + 14.0).fold(x, f64::max);
                let is_offender = self.witness.offender == Some(*number);
                self.bars.push(Bar { op, number: *number, lane, from: x, to: None, is_offender });
            }
            self.moments.push((*mark, x));
        }
    }

    /// The first of a client's lanes that is free.
    fn lane(&mut self, op: &'a Testimony) -> usize {
        let is_free = |lane: &usize| {
            self.names[*lane] == op.client && self.bars.iter().all(|bar| bar.lane != *lane || bar.to.is_some())
        };
        (0..self.names.len()).find(is_free).unwrap_or_else(|| {
            self.names.push(&op.client);
            self.names.len() - 1
        })
    }

    fn edge(&mut self) {
        let last = self.moments.last().map_or(LEFT, |(_, x)| *x);
        let open = self.bars.iter().map(|bar| {
            let label = if bar.to.is_none() { room(bar.op) + 24.0 } else { 0.0 };
            bar.from + label.max(reach(bar.op))
        });
        self.edge = open.fold((last + 16.0).max(LEFT + ROOM), f64::max);
    }

    fn x_of(&self, wanted: Mark) -> Option<f64> {
        self.moments.iter().find(|(mark, _)| *mark == wanted).map(|(_, x)| *x)
    }

    /// Where a time is that no operation marks, between those around it; `None` outside of them.
    fn x_at(&self, time: u64) -> Option<f64> {
        let around = self.moments.windows(2).find(|pair| (pair[0].0.time..pair[1].0.time).contains(&time))?;
        let [(from, left), (to, right)] = [around[0], around[1]];
        let share = (time - from.time) as f64 / (to.time - from.time) as f64;
        // Not on a moment itself: whoever looks shall see on which side it was.
        Some(left + (right - left) * share.clamp(0.1, 0.9))
    }

    fn turns(&mut self) {
        let certain = certain(self.witness).and_then(|(mark, text)| Some((self.x_of(mark)?, text)));
        let mut holders: Vec<(&Holder, &str)> = Vec::new();
        for server in self.bars.iter().filter_map(|bar| bar.op.server.as_ref()) {
            if let Server { role: Some((role, _)), superseded: Some(holder), .. } = server
                && !holders.contains(&(holder, role))
            {
                holders.push((holder, role));
            }
        }
        let held = holders.into_iter().filter_map(|(Holder { node, term, from_ns }, role)| {
            let text = brief(&plain(&format!("{node} is {role} of term {term}")), 40);
            Some(Turn { x: self.x_at(*from_ns)?, text, ink: Ink::MUTED })
        });
        let certain = certain.map(|(x, text)| Turn { x, text, ink: Ink::BAD });
        self.turns = held.chain(certain).take(TURNS_MAX).collect();
        self.turns.sort_by(|a, b| a.x.total_cmp(&b.x));
    }

    /// Where the lanes begin: below the lines' texts.
    fn top(&self) -> f64 {
        14.0 + 17.0 * self.turns.len() as f64
    }

    fn axis(&self) -> f64 {
        self.top() + LANE * self.names.len() as f64 + 4.0
    }

    fn width(&self) -> f64 {
        let texts = self.turns.iter().map(|turn| turn.x + 10.0 + width(&turn.text, 12.0));
        let clock = self.witness.clock();
        let names = self.moments.iter().map(|(mark, x)| x + width(&clock.number(*mark), SMALL) / 2.0 + 4.0);
        texts.chain(names).fold(self.edge + RIGHT, f64::max)
    }

    fn height(&self) -> f64 {
        self.axis() + 40.0
    }

    fn draw(&self, svg: &mut Svg) {
        self.draw_axis(svg);
        for (lane, name) in self.names.iter().enumerate() {
            let y = self.top() + LANE * lane as f64 + BAR / 2.0;
            svg.text(
                (8.0, y + 5.0),
                Anchor::Start,
                "f-text large bold",
                &fitted(&plain(name), 14.0, LEFT - 12.0).unwrap_or_default(),
            );
            svg.line((LEFT, y), (self.edge, y), "s-faint thin");
        }
        for turn in &self.turns {
            let class = format!("s-{} dashed", turn.ink.name);
            svg.line((turn.x, self.turn_y(turn) - 9.0), (turn.x, self.axis()), &class);
        }
        for bar in &self.bars {
            self.draw_bar(svg, bar);
        }
        for turn in &self.turns {
            let class = format!("f-{} halo", turn.ink.name);
            svg.text((turn.x + 6.0, self.turn_y(turn)), Anchor::Start, &class, &turn.text);
        }
    }

    /// The later a line, the lower its text: no text crosses another's line.
    fn turn_y(&self, turn: &Turn) -> f64 {
        let before = self.turns.iter().filter(|other| other.x < turn.x).count();
        14.0 + 17.0 * before as f64
    }

    fn draw_axis(&self, svg: &mut Svg) {
        let y = self.axis();
        svg.line((LEFT, y), (self.edge, y), "s-muted thin");
        let clock = self.witness.clock();
        // Names that are close to each other stand in two rows.
        let mut free = [LEFT - 30.0; 2];
        for (mark, x) in &self.moments {
            svg.line((*x, self.top() - 6.0), (*x, y + 5.0), "s-faint thin");
            let text = clock.number(*mark);
            let half = width(&text, SMALL) / 2.0;
            let Some(row) = free.iter().position(|free| x - half > *free) else { continue };
            svg.text((*x, y + 19.0 + 13.0 * row as f64), Anchor::Middle, "f-muted small", &text);
            free[row] = x + half + 6.0;
        }
        svg.text((8.0, y + 19.0), Anchor::Start, "f-muted small", clock.unit.unwrap_or("event"));
        for (i, _) in self.breaks() {
            let at = self.break_x(i);
            broken(svg, (at, y));
            let waited = self.moments[i + 1].0.time.saturating_sub(self.moments[i].0.time);
            svg.text((at + 4.0, y - 9.0), Anchor::End, "f-muted small halo", &crate::words::time(waited));
        }
        if self.omitted > 0 {
            let text = format!("the first {} are not drawn", self.omitted);
            svg.text((self.edge, y + 36.0), Anchor::End, "f-muted small", &text);
        }
    }

    fn draw_bar(&self, svg: &mut Svg, bar: &Bar) {
        let y = self.top() + LANE * bar.lane as f64;
        let to = bar.to.unwrap_or(self.edge);
        let size = to - bar.from;
        let ink = ink(bar);
        svg.tipped(&tip(bar.op), |svg| {
            let (x, w) = (px(bar.from), px(size));
            // Opaque, so that lines end at it; then its tint.
            svg.rect((bar.from, y), (size, BAR), 5.0, "f-paper");
            let tint = format!(
                "x=\"{x}\" y=\"{}\" width=\"{w}\" height=\"{}\" rx=\"5\" class=\"f-{}\" fill-opacity=\".18\"",
                px(y),
                px(BAR),
                ink.name
            );
            svg.element("rect", &tint);
            self.draw_outline(svg, bar, y, to);
            svg.element(
                "circle",
                &format!(
                    "cx=\"{}\" cy=\"{}\" r=\"{}\" class=\"f-text\"",
                    px(bar.from + 16.0),
                    px(y + BAR / 2.0),
                    px(BADGE)
                ),
            );
            let middle = y + BAR / 2.0 + 4.0;
            svg.text((bar.from + 16.0, middle), Anchor::Middle, "f-paper small bold", &(bar.number + 1).to_string());
            svg.text((bar.from + 31.0, middle), Anchor::Start, "f-text", &label(bar.op));
        });
        if let Some(server) = served(bar.op) {
            svg.text((bar.from + 2.0, y + BAR + 14.0), Anchor::Start, "f-muted small halo", &server);
        }
        for (i, (left, right)) in self.breaks() {
            if bar.from <= left && right <= to {
                broken(svg, (self.break_x(i), y));
                broken(svg, (self.break_x(i), y + BAR));
            }
        }
    }

    /// The gaps that are broken, and where they begin and end.
    fn breaks(&self) -> impl Iterator<Item = (usize, (f64, f64))> {
        let broken = self.gaps.iter().enumerate().filter(|(_, gap)| gap.is_broken);
        broken.map(|(i, _)| (i, (self.moments[i].1, self.moments[i + 1].1)))
    }

    /// Where a gap is broken: in its middle, or behind the labels in bars across it.
    fn break_x(&self, i: usize) -> f64 {
        let (left, right) = (self.moments[i].1, self.moments[i + 1].1);
        let across = self.bars.iter().filter(|bar| bar.from <= left && bar.to.is_none_or(|to| right <= to));
        let labels = across.map(|bar| bar.from + room(bar.op) - 2.0);
        labels.fold((left + right) / 2.0, f64::max).min(right - 8.0)
    }

    /// Closed all around, or open at the end that nobody knows.
    fn draw_outline(&self, svg: &mut Svg, bar: &Bar, y: f64, to: f64) {
        let weight = if bar.is_offender { "3" } else { "1.6" };
        let dash = if bar.to.is_none() { " stroke-dasharray=\"6 4\"" } else { "" };
        let (left, top, right, bottom) = (px(bar.from), px(y), px(to), px(y + BAR));
        let (left5, top5, bottom5) = (px(bar.from + 5.0), px(y + 5.0), px(y + BAR - 5.0));
        let right5 = px(to - 5.0);
        let d = match bar.to {
            Some(_) => format!(
                "M{left5} {top}H{right5}Q{right} {top} {right} {top5}V{bottom5}Q{right} {bottom} {right5} {bottom}H{left5}\
                 Q{left} {bottom} {left} {bottom5}V{top5}Q{left} {top} {left5} {top}Z"
            ),
            None => format!(
                "M{right} {top}H{left5}Q{left} {top} {left} {top5}V{bottom5}Q{left} {bottom} {left5} {bottom}H{right}"
            ),
        };
        svg.element("path", &format!("d=\"{d}\" class=\"s-{}\" stroke-width=\"{weight}\"{dash}", ink(bar).name));
    }
}

/// Lines beyond these say no more.
const TURNS_MAX: usize = 4;

/// A break in a horizontal line: two strokes with paper between them.
fn broken(svg: &mut Svg, (x, y): (f64, f64)) {
    let (x1, x2) = (x - 3.0, x + 3.0);
    let d = format!(
        "M{} {}L{} {}L{} {}L{} {}Z",
        px(x1 - 2.0),
        px(y + 5.0),
        px(x1 + 2.0),
        px(y - 5.0),
        px(x2 + 2.0),
        px(y - 5.0),
        px(x2 - 2.0),
        px(y + 5.0)
    );
    svg.element("path", &format!("d=\"{d}\" class=\"f-paper\""));
    svg.line((x1 - 2.0, y + 5.0), (x1 + 2.0, y - 5.0), "s-muted thin");
    svg.line((x2 - 2.0, y + 5.0), (x2 + 2.0, y - 5.0), "s-muted thin");
}

/// When an operation was over for its client, if it ever was.
fn end(op: &Testimony) -> Option<Mark> {
    match op.ended {
        Ended::Ok | Ended::Mismatch | Ended::Fail => op.completed.filter(|end| *end > op.invoked),
        Ended::Info => None,
    }
}

fn ink(bar: &Bar) -> Ink {
    if bar.is_offender {
        return Ink::BAD;
    }
    match bar.op.ended {
        Ended::Ok | Ended::Mismatch => Ink::OK,
        Ended::Fail => Ink::FAILED,
        Ended::Info => Ink::UNKNOWN,
    }
}

/// What a bar needs to hold its number and label.
fn room(op: &Testimony) -> f64 {
    31.0 + width(&label(op), 12.0) + 10.0
}

/// How far what stands in and below a bar reaches.
fn reach(op: &Testimony) -> f64 {
    room(op).max(served(op).map_or(0.0, |server| width(&server, SMALL)))
}

/// `write 8070`, `read → 8096`, `write 2 → ?`.
fn label(op: &Testimony) -> String {
    let value = |value: &history::Value| brief(&plain(&value.to_string()), VALUE_MAX);
    if let Some(steps) = transaction(op, VALUE_MAX, STEPS_MAX) {
        let steps = plain(&steps);
        return match op.ended {
            Ended::Ok | Ended::Mismatch => steps,
            Ended::Fail => format!("{steps} → aborted"),
            Ended::Info => format!("{steps} → ?"),
        };
    }
    let f = brief(&plain(&op.f), VALUE_MAX);
    let asked = match op.input.as_pair() {
        Some((from, to)) => format!("{f} {}, {}", value(from), value(to)),
        None if op.input.is_nil() => f,
        None => format!("{f} {}", value(&op.input)),
    };
    match (op.ended, &op.returned) {
        // To hear one's own words again is to hear that it was done.
        (Ended::Ok, Some(returned)) if *returned == op.input && op.f != "read" => asked,
        (Ended::Ok, Some(returned)) => format!("{asked} → {}", value(returned)),
        (Ended::Ok, None) => asked,
        (Ended::Mismatch, _) => format!("{asked} → no"),
        (Ended::Fail, _) => format!("{asked} → refused"),
        (Ended::Info, _) => format!("{asked} → ?"),
    }
}

/// Who answered: `n1, leader of term 1`.
fn served(op: &Testimony) -> Option<String> {
    let Server { node, role, .. } = op.server.as_ref()?;
    let text = match role {
        Some((role, term)) => format!("by {node}, {role} of term {term}"),
        None => format!("by {node}"),
    };
    Some(brief(&plain(&text), 32))
}

fn tip(op: &Testimony) -> String {
    let result = match (op.ended, &op.returned) {
        (Ended::Ok, Some(value)) => format!("returned {value}"),
        (Ended::Ok, None) => "acknowledged".to_owned(),
        (Ended::Mismatch, _) => "found another value".to_owned(),
        (Ended::Fail, _) => "refused".to_owned(),
        (Ended::Info, _) => "nobody knows what became of it".to_owned(),
    };
    let input = if op.input.is_nil() { String::new() } else { format!(" {}", op.input) };
    brief(&plain(&format!("{}: {}{input}: {result}", op.client, op.f)), 2000)
}

/// The moment from which on the offender's result was impossible, and why; `None` where there is no such moment.
fn certain(witness: &Witness) -> Option<(Mark, String)> {
    let op = |at: usize| witness.operations.get(at);
    let over = |at: usize| op(at).and_then(end);
    let value = |value: &history::Value| brief(&plain(&value.to_string()), VALUE_MAX);
    match &witness.reason {
        Reason::Replaced { value: old, with, by, seen } => {
            let mark = seen.map_or_else(|| over(*by), over)?;
            Some((mark, format!("{} had replaced {} by here", value(with), value(old))))
        }
        Reason::Lacks { part, by } => Some((over(*by)?, format!("{} had been added by here", value(part)))),
        Reason::Lost { write, .. } => Some((over(*write)?, "acknowledged: it has to be there from here on".to_owned())),
        Reason::NotYetWritten { value: met, by } => {
            Some((op(*by)?.invoked, format!("nobody asked to write {} before this", value(met))))
        }
        Reason::NobodyWrote { .. }
        | Reason::NeverHappened { .. }
        | Reason::MetTwice { .. }
        | Reason::OnlyMet { .. }
        | Reason::Entangled
        | Reason::Told { .. }
        | Reason::Undivided { .. } => None,
    }
}
