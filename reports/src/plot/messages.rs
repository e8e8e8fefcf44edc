//! A moment drawn: machines as life lines, time downwards, and what they told each other as arrows from sending to arrival.
//!
//! Everything that happens has a height of its own, in the order of time: to scale where that can be, further apart where
//! texts need room, broken where nothing happens for long. What the last thing of the moment could have been caused by is
//! drawn in strong ink, the rest is pale.

use super::spread::{Gap, spread};
use crate::draw::Figure;
use crate::draw::ink::Ink;
use crate::draw::measure::{SMALL, fitted, width};
use crate::draw::svg::{Anchor, Svg, px};
use crate::words::{brief, count, counted, moment, plain, time};
use history::{Arrow, Moment, Note, RunRecord};

/// Nobody follows more than this; a record can hold anything.
const MOMENTS_MAX: usize = 12;
const MACHINES_MAX: usize = 16;
const ARROWS_MAX: usize = 120;
const NOTES_MAX: usize = 80;

/// Where the names of moments end and the first life line has its room.
const LEFT: f64 = 96.0;
/// Between two life lines, as there is room.
const APART: [f64; 2] = [104.0, 210.0];
const WIDTH: f64 = 1000.0;
/// With less, most notes would fit on neither side of their life lines.
const WIDTH_MIN: f64 = 760.0;
const HEAD: f64 = 40.0;
const LINE: f64 = 14.0;
/// The size of the names of machines.
const HEADING: f64 = 14.0;
/// How far an arrow falls that never arrives.
const DROP: f64 = 8.0;
/// Of a label, in letters.
const LABEL_MAX: usize = 26;
/// Of a note: there are few, and what one says shall be read whole.
const NOTE_MAX: usize = 40;

/// The name of the figure of the n-th moment, counted from 0.
pub fn name(number: usize) -> String {
    format!("moment-{}", number + 1)
}

/// A figure for each moment.
pub fn messages(record: &RunRecord) -> Vec<Figure> {
    let moments = record.picture.iter().flat_map(|picture| &picture.moments).take(MOMENTS_MAX);
    moments.enumerate().map(|(number, moment)| figure(name(number), moment)).collect()
}

fn figure(name: String, moment: &Moment) -> Figure {
    let chart = Chart::of(moment);
    let mut svg = Svg::new();
    chart.draw(&mut svg);
    let (title, description) = (brief(&plain(&moment.title), 400), described(moment));
    Figure { name, title, description, width: chart.width(), height: chart.height(), elements: svg.into_text() }
}

/// The causal past in words: what a picture of it says.
fn described(moment: &Moment) -> String {
    const TOLD_MAX: usize = 12;
    let sharp = sharpness(moment);
    let arrow = |arrow: &Arrow| {
        let Arrow { from, to, label, .. } = arrow;
        let times = if arrow.count > 1 { format!("{} × ", arrow.count) } else { String::new() };
        let lost = arrow.lost.as_ref().map(|why| format!(", lost: {why}")).unwrap_or_default();
        format!("{times}{label} from {from} to {to} at {}{lost}", crate::words::moment(arrow.sent_ns, sharp))
    };
    let note = |note: &Note| format!("{}: {} at {}", note.machine, note.text, crate::words::moment(note.at_ns, sharp));
    let arrows = moment.arrows.iter().filter(|arrow| arrow.is_cause).map(|it| (it.sent_ns, arrow(it)));
    let notes = moment.notes.iter().filter(|note| note.is_cause).map(|it| (it.at_ns, note(it)));
    let mut told: Vec<(u64, String)> = arrows.chain(notes).collect();
    told.sort();
    let more = told.len().saturating_sub(TOLD_MAX);
    // What matters most stands last.
    let told: Vec<String> = told.into_iter().skip(more).map(|(_, text)| brief(&text, 200)).collect();
    let before = if more > 0 { format!("After {more} other steps: ") } else { String::new() };
    plain(&format!("{before}{}.", told.join("; ")))
}

/// How far apart moments are that have to be told apart: half of those that follow each other are further apart.
fn sharpness(moment: &Moment) -> u64 {
    /// Nobody reads more than five decimals.
    const LEAST: u64 = 10_000;
    let arrows = moment.arrows.iter().take(ARROWS_MAX).flat_map(|arrow| [arrow.sent_ns, arrow.arrived_ns]);
    let mut times: Vec<u64> = arrows.chain(moment.notes.iter().take(NOTES_MAX).map(|note| note.at_ns)).collect();
    times.sort_unstable();
    times.dedup();
    let mut gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied().unwrap_or_default().max(LEAST)
}

/// Something that has a height: the end of an arrow, or a note.
#[derive(Clone, Copy)]
enum What {
    /// The position of an arrow that arrives.
    Arrives(usize),
    /// Of a note.
    Noted(usize),
    /// Of an arrow that leaves.
    Leaves(usize),
    /// Of one that leaves and never arrives.
    Vanishes(usize),
}

/// A box that no later text may touch.
struct Taken {
    left: f64,
    right: f64,
    bottom: f64,
}

struct Chart<'a> {
    moment: &'a Moment,
    machines: Vec<&'a str>,
    arrows: Vec<Drawn<'a>>,
    notes: Vec<(&'a Note, usize, f64)>,
    /// When something happens, and at which height; by time.
    heights: Vec<(u64, f64)>,
    /// Where the axis is broken: from a height to the next, and how long that took.
    breaks: Vec<(f64, f64, u64)>,
    /// Why all that was lost was lost, if it was for one reason: then it is said once.
    sole_loss: Option<&'a str>,
    bottom: f64,
}

/// An arrow in its place.
struct Drawn<'a> {
    arrow: &'a Arrow,
    from: usize,
    to: usize,
    sent: f64,
    arrived: f64,
    /// Whose label says what it is: its own position, or that of the first of those that left together.
    named_by: usize,
    has_label: bool,
}

impl<'a> Chart<'a> {
    fn of(moment: &'a Moment) -> Self {
        let mut machines: Vec<&str> = Vec::new();
        for machine in &moment.machines {
            if !machines.contains(&machine.as_str()) && machines.len() < MACHINES_MAX {
                machines.push(machine);
            }
        }
        let place = |machine: &str| machines.iter().position(|known| *known == machine);
        let arrow = |arrow: &'a Arrow| {
            let (from, to) = (place(&arrow.from)?, place(&arrow.to)?);
            Some(Drawn { arrow, from, to, sent: 0.0, arrived: 0.0, named_by: 0, has_label: true })
        };
        let arrows: Vec<Drawn> = moment.arrows.iter().filter_map(arrow).take(ARROWS_MAX).collect();
        let note = |note: &'a Note| Some((note, place(&note.machine)?, 0.0));
        let notes = moment.notes.iter().filter_map(note).take(NOTES_MAX).collect();
        let mut losses = arrows.iter().filter_map(|drawn| drawn.arrow.lost.as_deref());
        let sole_loss = losses.next().filter(|first| losses.all(|other| other == *first));
        let (heights, breaks) = (Vec::new(), Vec::new());
        let mut chart = Chart { moment, machines, arrows, notes, heights, breaks, sole_loss, bottom: HEAD };
        chart.label_once();
        chart.place();
        chart
    }

    /// Of arrows that leave one machine together and say the same, the first on each side has the label.
    fn label_once(&mut self) {
        let together = self.moment.to_ns.saturating_sub(self.moment.from_ns) / 400;
        for i in 1..self.arrows.len() {
            let (before, rest) = self.arrows.split_at(i);
            let it = &rest[0];
            let is_copy = |other: &Drawn| {
                other.has_label
                    && (other.from, &other.arrow.label, other.arrow.count) == (it.from, &it.arrow.label, it.arrow.count)
                    && (other.to > other.from) == (it.to > it.from)
                    && (other.arrow.is_cause, &other.arrow.lost) == (it.arrow.is_cause, &it.arrow.lost)
                    && it.arrow.sent_ns.abs_diff(other.arrow.sent_ns) <= together
            };
            let original = before.iter().position(is_copy);
            self.arrows[i].has_label = original.is_none();
            self.arrows[i].named_by = original.unwrap_or(i);
        }
    }

    fn apart(&self) -> f64 {
        let [least, most] = APART;
        ((WIDTH - LEFT - 20.0) / self.machines.len().max(1) as f64).clamp(least, most)
    }

    fn x(&self, machine: usize) -> f64 {
        LEFT + self.apart() * (machine as f64 + 0.5)
    }

    fn width(&self) -> f64 {
        (LEFT + self.apart() * self.machines.len() as f64 + 20.0).max(WIDTH_MIN)
    }

    fn height(&self) -> f64 {
        self.bottom + 16.0 + 16.0 * self.foot().len() as f64
    }

    /// Everything that happens, by time.
    fn events(&self) -> Vec<(u64, What)> {
        let arrows = self.arrows.iter().enumerate().flat_map(|(i, drawn)| {
            let Arrow { sent_ns, arrived_ns, .. } = *drawn.arrow;
            // What is lost ends where it began: that it is known to be lost only much later would be a line across all else.
            let end = match drawn.arrow.lost {
                Some(_) => (sent_ns, What::Vanishes(i)),
                None => (arrived_ns.max(sent_ns), What::Arrives(i)),
            };
            [(sent_ns, What::Leaves(i)), end]
        });
        let notes = self.notes.iter().enumerate().map(|(i, (note, _, _))| (note.at_ns, What::Noted(i)));
        let mut events: Vec<(u64, What)> = arrows.chain(notes).collect();
        // Those that leave together do so at one height, and what is lost of them is lost next.
        events.sort_unstable_by_key(|(at, what)| match *what {
            What::Arrives(i) => (*at, 0, i, 0, i),
            What::Noted(i) => (*at, 1, i, 0, i),
            What::Leaves(i) => (*at, 2, self.arrows[i].named_by, 0, i),
            What::Vanishes(i) => (*at, 2, self.arrows[i].named_by, 1, i),
        });
        events
    }

    /// Gives every event its height: below all before it, by as much as time says and as texts need.
    fn place(&mut self) {
        let events = self.events();
        let between: Vec<u64> = events.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
        let gaps = spread(&between, ROOM, 0.0, 90.0);
        let mut taken: Vec<Taken> = Vec::new();
        let mut y = HEAD + 22.0;
        for (i, (at, what)) in events.iter().enumerate() {
            let above = y;
            if i > 0 {
                y += gaps[i - 1].room;
            }
            for (left, right, above, _) in self.boxes(*what) {
                let touching = taken.iter().filter(|taken| taken.left < right && left < taken.right);
                y = touching.map(|taken| taken.bottom + above).fold(y, f64::max);
            }
            if let Some(Gap { is_broken: true, .. }) = i.checked_sub(1).map(|before| gaps[before]) {
                self.breaks.push((above, y, between[i - 1]));
            }
            for (left, right, _, below) in self.boxes(*what) {
                taken.push(Taken { left, right, bottom: y + below });
            }
            if let What::Vanishes(arrow) = *what {
                y = y.max(self.arrows[arrow].sent + DROP);
            }
            match *what {
                What::Leaves(arrow) => self.arrows[arrow].sent = y,
                What::Arrives(arrow) | What::Vanishes(arrow) => self.arrows[arrow].arrived = y,
                What::Noted(note) => self.notes[note].2 = y,
            }
            self.heights.push((*at, y));
        }
        self.bottom = y + 14.0;
    }

    /// The room that an event takes: from, to, how far above its height and how far below.
    fn boxes(&self, what: What) -> Vec<(f64, f64, f64, f64)> {
        match what {
            What::Leaves(i) => {
                let drawn = &self.arrows[i];
                if !drawn.has_label {
                    return Vec::new();
                }
                let (x, w) = (self.x(drawn.from), width(&self.label(drawn), SMALL) + 10.0);
                vec![if drawn.to > drawn.from { (x, x + w, LINE, 3.0) } else { (x - w, x, LINE, 3.0) }]
            }
            What::Arrives(i) => {
                // Two heads at one life line are told apart.
                let (drawn, x) = (&self.arrows[i], self.x(self.arrows[i].to));
                vec![if drawn.to > drawn.from { (x - 12.0, x, 5.0, 3.0) } else { (x, x + 12.0, 5.0, 3.0) }]
            }
            What::Vanishes(i) => {
                let (drawn, x, end) = (&self.arrows[i], self.x(self.arrows[i].from), self.end_x(&self.arrows[i]));
                let why = self.why_lost(drawn).map(|why| {
                    let w = width(&why, SMALL) + 10.0;
                    if drawn.to > drawn.from { (x, x + w, 0.0, 15.0) } else { (x - w, x, 0.0, 15.0) }
                });
                [(end - 6.0, end + 6.0, 4.0, 6.0)].into_iter().chain(why).collect()
            }
            What::Noted(i) => {
                let (note, machine, _) = self.notes[i];
                let (left, w, _) = self.flag(note, machine);
                vec![(left - 4.0, left + w + 4.0, LINE + 4.0, 3.0)]
            }
        }
    }

    /// `AppendEntries`, `14 × AppendEntries`, as far as there is room beside its life line.
    fn label(&self, drawn: &Drawn) -> String {
        let label = brief(&plain(&drawn.arrow.label), LABEL_MAX);
        let many = if drawn.arrow.count > 1 { format!("{} × ", count(drawn.arrow.count)) } else { String::new() };
        self.fitted(drawn, self.x(drawn.from), &(many + &label))
    }

    /// Why it never arrived, unless the foot says it of all; it is said once where many were lost together.
    fn why_lost(&self, drawn: &Drawn) -> Option<String> {
        let why = drawn.arrow.lost.as_ref().filter(|_| drawn.has_label && self.sole_loss.is_none())?;
        Some(self.fitted(drawn, self.x(drawn.from), &brief(&plain(why), LABEL_MAX)))
    }

    /// A text that stands where its arrow leads, as far as that is within the frame.
    fn fitted(&self, drawn: &Drawn, x: f64, text: &str) -> String {
        let room = if drawn.to > drawn.from { self.width() - x } else { x };
        fitted(text, SMALL, room - 12.0).unwrap_or_default()
    }

    /// Where a note's flag begins, how wide it is and what it says: right of its life line, or left of it at the edge. One that
    /// is too wide for both is cut where there is more room.
    fn flag(&self, note: &Note, machine: usize) -> (f64, f64, String) {
        let x = self.x(machine);
        let (room_left, room_right) = (x - 14.0, self.width() - 14.0 - x);
        let text = flag_text(note);
        let text = fitted(&text, SMALL, room_left.max(room_right) - 10.0).unwrap_or_default();
        let w = width(&text, SMALL) + 10.0;
        (if w > room_right { x - 10.0 - w } else { x + 10.0 }, w, text)
    }

    /// Where an arrow ends: at the life line, or before it if it was lost.
    fn end_x(&self, drawn: &Drawn) -> f64 {
        let (from, to) = (self.x(drawn.from), self.x(drawn.to));
        let share = if drawn.arrow.lost.is_some() {
            1.0 - 0.3 * self.apart() / (to - from).abs().max(self.apart())
        } else {
            1.0
        };
        from + (to - from) * share
    }

    fn draw(&self, svg: &mut Svg) {
        self.draw_lines(svg);
        self.draw_axis(svg);
        for is_cause in [false, true] {
            for drawn in self.arrows.iter().filter(|drawn| drawn.arrow.is_cause == is_cause) {
                self.draw_arrow(svg, drawn);
            }
        }
        for is_cause in [false, true] {
            for drawn in self.arrows.iter().filter(|drawn| drawn.arrow.is_cause == is_cause) {
                self.draw_texts(svg, drawn);
            }
            for (note, machine, y) in self.notes.iter().filter(|(note, _, _)| note.is_cause == is_cause) {
                self.draw_note(svg, note, *machine, *y);
            }
        }
        self.draw_foot(svg);
    }

    fn draw_lines(&self, svg: &mut Svg) {
        for (i, machine) in self.machines.iter().enumerate() {
            let x = self.x(i);
            svg.line((x, HEAD), (x, self.bottom), "s-muted thin");
            for (from, to, _) in &self.breaks {
                let middle = ((from + to) / 2.0).max(from + 6.0);
                svg.rect((x - 6.0, middle - 5.0), (12.0, 10.0), 0.0, "f-paper");
                svg.line((x - 5.0, middle - 2.0), (x + 5.0, middle - 6.0), "s-muted thin");
                svg.line((x - 5.0, middle + 6.0), (x + 5.0, middle + 2.0), "s-muted thin");
            }
            let name = fitted(&plain(machine), HEADING, self.apart() - 28.0).unwrap_or_default();
            let w = (width(&name, HEADING) + 20.0).max(44.0);
            svg.rect((x - w / 2.0, HEAD - 30.0), (w, 26.0), 13.0, "f-panel s-muted");
            svg.text((x, HEAD - 12.0), Anchor::Middle, "f-text large bold", &name);
        }
    }

    /// Moments by name, where there is room.
    fn draw_axis(&self, svg: &mut Svg) {
        let sharp = sharpness(self.moment);
        let mut free = HEAD;
        let mut told = String::new();
        for (at, y) in &self.heights {
            let text = fitted(&moment(*at, sharp), SMALL, LEFT - 16.0).unwrap_or_default();
            if y - LINE >= free && text != told {
                svg.text((LEFT - 14.0, y + 4.0), Anchor::End, "f-muted small", &text);
                svg.line((LEFT - 8.0, *y), (LEFT, *y), "s-muted thin");
                (free, told) = (*y, text);
            }
        }
        for (from, to, waited) in &self.breaks {
            if to - from >= 2.0 * LINE + 4.0 {
                let middle = (from + to) / 2.0;
                let text = fitted(&format!("+{}", time(*waited)), SMALL, LEFT - 16.0).unwrap_or_default();
                svg.text((LEFT - 14.0, middle + 4.0), Anchor::End, "f-muted small", &text);
            }
        }
    }

    fn draw_arrow(&self, svg: &mut Svg, drawn: &Drawn) {
        let Drawn { arrow, sent, arrived, .. } = *drawn;
        let (ink, weight) = if arrow.is_cause { (Ink::TEXT, 1.7) } else { (Ink::MUTED, 1.0) };
        // A bundle is as thick as a rope, and not as thick as its number; one sees through it.
        let weight = if arrow.count > 1 { 4.5 } else { weight };
        let ink = if arrow.lost.is_some() { Ink::FAULT } else { ink };
        let pale = match (arrow.is_cause || arrow.lost.is_some(), arrow.count > 1) {
            (true, false) => "",
            (true, true) => " opacity=\".5\"",
            (false, false) => " opacity=\".6\"",
            (false, true) => " opacity=\".3\"",
        };
        let (from, to) = (self.x(drawn.from), self.end_x(drawn));
        svg.group(&format!("class=\"s-{}\" stroke-width=\"{}\"{pale}", ink.name, px(weight)), |svg| {
            svg.tipped(&tip(arrow), |svg| {
                if drawn.from == drawn.to {
                    let d = format!(
                        "M{0} {1}C{2} {1} {2} {3} {0} {3}",
                        px(from),
                        px(sent),
                        px(from + 34.0),
                        px(arrived.max(sent + 8.0))
                    );
                    svg.element("path", &format!("d=\"{d}\""));
                    return;
                }
                let d = format!("M{} {}L{} {}", px(from), px(sent), px(to), px(arrived));
                // Where a pointer finds it: a line is thin.
                svg.element("path", &format!("d=\"{d}\" stroke-width=\"9\" stroke-opacity=\"0\""));
                svg.element("path", &format!("d=\"{d}\""));
                if arrow.lost.is_some() {
                    cross(svg, (to, arrived));
                } else {
                    head(svg, (from, sent), (to, arrived), ink);
                }
            });
        });
    }

    fn draw_texts(&self, svg: &mut Svg, drawn: &Drawn) {
        let Drawn { arrow, sent, arrived, .. } = *drawn;
        let is_right = drawn.to > drawn.from;
        let (anchor, side) = if is_right { (Anchor::Start, 1.0) } else { (Anchor::End, -1.0) };
        if drawn.has_label {
            let class = if arrow.is_cause { "f-text small bold halo" } else { "f-muted small halo" };
            svg.text((self.x(drawn.from) + 7.0 * side, sent - 3.0), anchor, class, &self.label(drawn));
        }
        if let Some(why) = self.why_lost(drawn) {
            // Below the line, as its label is above it.
            svg.text((self.x(drawn.from) + 7.0 * side, arrived + 11.0), anchor, "f-bad small halo", &why);
        }
    }

    fn draw_note(&self, svg: &mut Svg, note: &Note, machine: usize, y: f64) {
        let (left, w, text) = self.flag(note, machine);
        let (x, class) = (self.x(machine), if note.is_cause { "f-panel s-text" } else { "f-panel s-faint" });
        let ink = if note.is_cause { "f-text" } else { "f-muted" };
        let tip = format!("{} at {}: {}", note.machine, moment(note.at_ns, 1_000), note.text);
        svg.tipped(&brief(&plain(&tip), 2000), |svg| {
            let near = if left > x { left } else { left + w };
            svg.line((x, y), (near, y - 5.0), if note.is_cause { "s-text" } else { "s-muted" });
            svg.rect((left, y - LINE), (w, LINE + 3.0), 3.0, class);
            svg.element("circle", &format!("cx=\"{}\" cy=\"{}\" r=\"3.5\" class=\"{ink}\"", px(x), px(y)));
            svg.text((left + 5.0, y - 1.5), Anchor::Start, &format!("{ink} small"), &text);
        });
    }

    /// What one has to know to read it.
    fn foot(&self) -> Vec<String> {
        let has = |wanted: fn(&Arrow) -> bool| self.arrows.iter().any(|drawn| wanted(drawn.arrow));
        let mut told = Vec::new();
        if has(|arrow| arrow.is_cause) && has(|arrow| !arrow.is_cause) {
            told.push("Strong: what the last event is due to, or may be. Pale: what else was said.".to_owned());
        }
        if has(|arrow| arrow.count > 1) {
            told.push("Thick: several alike, drawn as the first of them.".to_owned());
        }
        if has(|arrow| arrow.lost.is_some()) {
            let why = self.sole_loss.map(|why| format!(": {}", brief(&plain(why), 100))).unwrap_or_default();
            told.push(format!("✗: it never arrived{why}."));
        }
        let undrawn = (self.moment.arrows.len() - self.arrows.len()) as u64;
        let hidden = self.moment.left_out.saturating_add(undrawn);
        if hidden > 0 {
            told.push(format!("Not drawn: {} of this time.", counted(hidden, "other message")));
        }
        told
    }

    fn draw_foot(&self, svg: &mut Svg) {
        for (i, line) in self.foot().iter().enumerate() {
            let y = self.bottom + 24.0 + 16.0 * i as f64;
            svg.text((8.0, y), Anchor::Start, "f-muted small", line);
        }
    }
}

/// The height of all moments together, where texts do not ask for more.
const ROOM: f64 = 520.0;

fn head(svg: &mut Svg, (x1, y1): (f64, f64), (x2, y2): (f64, f64), ink: Ink) {
    let (dx, dy) = (x2 - x1, y2 - y1);
    let length = libm::sqrt(dx * dx + dy * dy).max(1.0);
    let (dx, dy) = (dx / length, dy / length);
    let corner = |side: f64| (x2 - 9.0 * dx - 4.0 * side * dy, y2 - 9.0 * dy + 4.0 * side * dx);
    let ((ax, ay), (bx, by)) = (corner(1.0), corner(-1.0));
    let points = format!("{},{} {},{} {},{}", px(x2), px(y2), px(ax), px(ay), px(bx), px(by));
    svg.element("polygon", &format!("points=\"{points}\" class=\"f-{} solid\"", ink.name));
}

fn cross(svg: &mut Svg, (x, y): (f64, f64)) {
    for side in [-1.0, 1.0] {
        let (dx, dy) = (5.0, 5.0 * side);
        svg.element(
            "path",
            &format!("d=\"M{} {}L{} {}\" stroke-width=\"2\"", px(x - dx), px(y - dy), px(x + dx), px(y + dy)),
        );
    }
}

fn flag_text(note: &Note) -> String {
    brief(&plain(&note.text.replace("->", "→")), NOTE_MAX)
}

/// All that a message says.
fn tip(arrow: &Arrow) -> String {
    let Arrow { from, to, sent_ns, arrived_ns, .. } = arrow;
    let (sent, arrived) = (moment(*sent_ns, 1_000), moment(*arrived_ns, 1_000));
    let end = match &arrow.lost {
        Some(why) => format!("lost at {arrived}: {why}"),
        None => format!("arrived at {arrived}"),
    };
    let many = if arrow.count > 1 { format!("{} messages, ", arrow.count) } else { String::new() };
    brief(&plain(&format!("{from} to {to}, {many}sent at {sent}, {end}\n{}", arrow.text)), 2000)
}
