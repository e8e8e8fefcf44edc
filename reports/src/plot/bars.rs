//! A lane of bars with what they are: beside or within each of them, as far as there is room, and never over another.

use super::{LEFT, RIGHT};
use crate::draw::ink::Ink;
use crate::draw::measure::{SMALL, fitted, width};
use crate::draw::svg::{Anchor, Svg, fill, px, stroke};
use std::cmp::Reverse;

/// A lane has no more rows than this; what would need another is counted.
const ROWS_MAX: usize = 6;

/// A lane has no more bars than this, the longest.
const BARS_MAX: usize = 150;

/// How far apart rows stand, in pixels.
const ROW: f64 = 16.0;

/// How high a bar is.
const BAR: f64 = 13.0;

/// Between a bar and what stands beside it.
const GAP: f64 = 4.0;

/// What happened from one moment to another.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bar {
    /// Where it begins, in pixels.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// What it is, in few words.
    pub text: String,
    /// What it is, in full.
    pub tip: String,
    /// What it looks like.
    pub look: Look,
    /// Whether it took no time: then it is a mark, not a bar.
    is_instant: bool,
}

/// What a bar looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Pale and whole: its text stands within or not at all.
    Pale(Ink),
    /// Translucent, with a border.
    Bordered(Ink),
    /// Only a broken border.
    Empty(Ink),
    /// Pale, with a broken border: what is left of something that is over.
    Left(Ink),
    /// Full, with light text within.
    Full(Ink),
}

/// Bars of one kind, with their name and what is told of all of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lane {
    /// Left of them.
    pub name: String,
    /// In the order of their beginning.
    pub bars: Vec<Bar>,
    /// Right of them.
    pub note: String,
    /// Bars in further rows have no text beside them, and none stands there for the sake of its text.
    pub rows_with_text: usize,
}

/// A bar in its row, and its text if there is room for it.
struct Placed<'a> {
    bar: &'a Bar,
    row: usize,
    text: Option<Text>,
}

#[derive(Clone)]
struct Text {
    at: f64,
    anchor: Anchor,
    text: String,
    ink: Ink,
    /// From where to where the bar and its text reach.
    reach: (f64, f64),
}

impl Lane {
    /// Draws the lane from `y` on; returns where it ends.
    pub fn draw(&self, svg: &mut Svg, y: f64) -> f64 {
        let (placed, hidden) = self.placed();
        let rows = placed.iter().map(|placed| placed.row + 1).max().unwrap_or(1);
        let name = fitted(&self.name, SMALL, LEFT - 12.0).unwrap_or_default();
        svg.text((LEFT - 8.0, y + 10.5), Anchor::End, &format!("{} small", fill(Ink::MUTED)), &name);
        for placed in &placed {
            placed.draw(svg, y + placed.row as f64 * ROW);
        }
        let more = (hidden > 0).then(|| format!("and {hidden} more"));
        let notes = [Some(self.note.clone()).filter(|note| !note.is_empty()), more];
        let mut lines = 0;
        for note in notes.into_iter().flatten() {
            let at = (RIGHT + 8.0, y + 10.5 + f64::from(lines) * ROW);
            svg.text(at, Anchor::Start, &format!("{} small", fill(Ink::MUTED)), &note);
            lines += 1;
        }
        y + ROW * rows.max(lines as usize) as f64
    }

    /// Each bar in the first row that has room for it and its text, else in the first with room for it alone; and how many
    /// found none.
    fn placed(&self) -> (Vec<Placed<'_>>, usize) {
        let mut bars = longest(&self.bars, BARS_MAX, |bar| (bar.to - bar.from) as u64);
        bars.sort_by(|a, b| a.from.total_cmp(&b.from));
        let mut ends = [f64::MIN; ROWS_MAX];
        let mut placed = Vec::new();
        for bar in bars {
            let texts = bar.texts();
            let rows = || ends.iter().enumerate();
            // Text within its bar takes no room from others.
            let may = |text: &Text, row| row < self.rows_with_text || text.reach == (bar.from, bar.to);
            let with_text = rows().find_map(|(row, end)| {
                texts.iter().find(|text| *end <= text.reach.0 && may(text, row)).map(|text| (row, Some(text.clone())))
            });
            let alone = || rows().find(|(_, end)| **end <= bar.from).map(|(row, _)| (row, None));
            let Some((row, text)) = with_text.or_else(alone) else { continue };
            let right = text.as_ref().map_or(bar.to, |text| text.reach.1);
            ends[row] = if right > bar.to { right + GAP } else { bar.to };
            placed.push(Placed { bar, row, text });
        }
        let hidden = self.bars.len() - placed.len();
        (placed, hidden)
    }
}

impl Bar {
    /// A bar between two places; one without length can be seen all the same.
    pub fn new((from, to): (f64, f64), look: Look, text: String, tip: String) -> Bar {
        const SEEN: f64 = 2.0;
        const MARK: f64 = 4.0;
        if to <= from {
            let at = from.clamp(LEFT + MARK, RIGHT - MARK);
            return Bar { from: at - MARK, to: at + MARK, text, tip, look, is_instant: true };
        }
        Bar { from: from.min(RIGHT - SEEN), to: to.max(from + SEEN).min(RIGHT), text, tip, look, is_instant: false }
    }

    /// Where its text may stand, the best first: within, right of it, left of it.
    fn texts(&self) -> Vec<Text> {
        let Bar { from, to, text, look, .. } = self;
        let wide = width(text, SMALL);
        let room = to - from - 2.0 * GAP;
        let within =
            |text: String| Text { at: from + GAP, anchor: Anchor::Start, text, ink: look.text(), reach: (*from, *to) };
        let beside = |at: f64, anchor, reach| Text { at, anchor, text: text.clone(), ink: Ink::TEXT, reach };
        match look {
            Look::Pale(_) | Look::Left(_) => {
                // The first words say most.
                let before = |sign| text.split(sign).next().unwrap_or_default();
                let fits = [text, before(','), before(' ')].into_iter().find(|text| width(text, SMALL) <= room);
                fits.map(|text| within(text.to_owned())).into_iter().collect()
            }
            Look::Bordered(_) | Look::Empty(_) | Look::Full(_) if wide <= room => vec![within(text.clone())],
            Look::Bordered(_) | Look::Empty(_) | Look::Full(_) => {
                let (right, left) = (to + GAP, from - GAP);
                let right = (right + wide <= RIGHT).then(|| beside(right, Anchor::Start, (*from, right + wide)));
                let left = (left - wide >= LEFT).then(|| beside(left, Anchor::End, (left - wide, *to)));
                right.into_iter().chain(left).collect()
            }
        }
    }
}

impl Look {
    fn style(self) -> String {
        match self {
            Look::Pale(ink) | Look::Full(ink) => format!("class=\"{}\"", fill(ink)),
            Look::Left(ink) => {
                format!("class=\"{} {} dashed\" fill-opacity=\".6\"", fill(ink), stroke(Ink::MUTED))
            }
            Look::Bordered(ink) => format!("class=\"{} {}\" fill-opacity=\".3\"", fill(ink), stroke(ink)),
            Look::Empty(ink) => format!("class=\"{} {} dashed\" fill-opacity=\"0\"", fill(ink), stroke(ink)),
        }
    }

    /// The ink of text within.
    fn text(self) -> Ink {
        match self {
            Look::Full(_) => Ink::PAPER,
            Look::Pale(_) | Look::Bordered(_) | Look::Empty(_) | Look::Left(_) => Ink::TEXT,
        }
    }
}

impl Placed<'_> {
    fn draw(&self, svg: &mut Svg, y: f64) {
        let Bar { from, to, tip, look, is_instant, .. } = self.bar;
        let (name, outline) = if *is_instant {
            // Its tip is at the moment.
            let (left, top, half) = (px(*from), px(y), px((to - from) / 2.0));
            ("path", format!("d=\"M{left} {top}h{}l-{half} {}z\"", px(to - from), px(BAR)))
        } else {
            let size = format!("width=\"{}\" height=\"{}\"", px(to - from), px(BAR));
            ("rect", format!("x=\"{}\" y=\"{}\" {size} rx=\"2\"", px(*from), px(y)))
        };
        svg.tipped(tip, |svg| svg.element(name, &format!("{outline} {}", look.style())));
        if let Some(Text { at, anchor, text, ink, .. }) = &self.text {
            svg.text((*at, y + 10.5), *anchor, &format!("{} small", fill(*ink)), text);
        }
    }
}

/// The longest of some spans, in their order: how many there may be, and how long each is.
pub(super) fn longest<T>(spans: &[T], most: usize, length: impl Fn(&T) -> u64) -> Vec<&T> {
    let mut order: Vec<usize> = (0..spans.len()).collect();
    order.sort_by_key(|i| Reverse(length(&spans[*i])));
    order.truncate(most);
    order.sort_unstable();
    order.into_iter().map(|i| &spans[i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(bars: &[(f64, f64)], text: &str) -> Lane {
        let bar = |at: &(f64, f64)| Bar::new(*at, Look::Bordered(Ink::FAULT), text.to_owned(), String::new());
        Lane {
            name: "network".to_owned(),
            bars: bars.iter().map(bar).collect(),
            note: String::new(),
            rows_with_text: 4,
        }
    }

    /// From where to where everything in a row reaches, by row.
    fn reaches(lane: &Lane) -> Vec<Vec<(f64, f64)>> {
        let (placed, _) = lane.placed();
        let mut rows = vec![Vec::new(); ROWS_MAX];
        for Placed { bar, row, text } in placed {
            rows[row].push(text.map_or((bar.from, bar.to), |text| text.reach));
        }
        rows
    }

    #[test]
    fn nothing_stands_over_another() {
        let bars: Vec<(f64, f64)> =
            (0..300).map(|i| (f64::from(i * 37 % 700) + LEFT, f64::from(i * 37 % 700 + i % 40) + LEFT)).collect();
        let lane = lane(&bars, "partition n1");
        for row in reaches(&lane) {
            assert!(row.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{row:?}");
        }
        let (placed, hidden) = lane.placed();
        assert!(hidden > 0 && placed.len() + hidden == 300 && placed.iter().any(|placed| placed.text.is_some()));
    }

    #[test]
    fn a_text_stands_within_then_right_then_left() {
        let text = |from, to| {
            let lane = lane(&[(from, to)], "pause n1");
            let (placed, _) = lane.placed();
            placed[0].text.as_ref().map(|text| (text.at, text.anchor))
        };
        assert_eq!(text(200.0, 300.0), Some((204.0, Anchor::Start)));
        assert_eq!(text(200.0, 210.0), Some((214.0, Anchor::Start)));
        assert_eq!(text(RIGHT - 10.0, RIGHT), Some((RIGHT - 14.0, Anchor::End)));
    }

    #[test]
    fn the_longest_keep_their_order() {
        assert_eq!(longest(&[3, 9, 1, 7], 2, |length| *length), [&9, &7]);
        assert_eq!(longest(&[3, 3, 3], 2, |length| *length), [&3, &3]);
    }
}
