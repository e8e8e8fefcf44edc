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
    /// Full.
    Full(Ink),
}

/// Bars of one kind, with their name and what is told of all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lane {
    /// Left of them.
    pub name: String,
    /// In the order of their beginning.
    pub bars: Vec<Bar>,
    /// Right of them.
    pub note: String,
}

/// A bar in its row, and its text if there is room for it.
struct Placed<'a> {
    bar: &'a Bar,
    row: usize,
    text: Option<Text>,
}

struct Text {
    at: f64,
    anchor: Anchor,
    text: String,
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
        let mut bars: Vec<&Bar> = self.bars.iter().collect();
        bars.sort_by(|a, b| (b.to - b.from).total_cmp(&(a.to - a.from)));
        bars.truncate(BARS_MAX);
        bars.sort_by(|a, b| (a.from, a.to).partial_cmp(&(b.from, b.to)).unwrap_or(std::cmp::Ordering::Equal));
        let mut ends: Vec<f64> = Vec::new();
        let mut placed = Vec::new();
        for bar in bars {
            let free =
                |ends: &[f64], from: f64| (0..ROWS_MAX).find(|row| ends.get(*row).is_none_or(|end| *end <= from));
            let text = bar.beside();
            let with_text = text.and_then(|text| free(&ends, text.reach.0).map(|row| (row, Some(text))));
            let Some((row, text)) = with_text.or_else(|| free(&ends, bar.from).map(|row| (row, None))) else {
                continue;
            };
            ends.resize(ends.len().max(row + 1), f64::MIN);
            ends[row] = text.as_ref().map_or(bar.to, |text| text.reach.1) + if text.is_some() { GAP } else { 0.0 };
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
        Bar { from: from.min(RIGHT - SEEN), to: to.max(from + SEEN).min(RIGHT), text, tip, look }
    }

    /// Where its text stands best: within, right of it, left of it, or cut.
    fn beside(&self) -> Option<Text> {
        let own = (self.from, self.to);
        let wide = width(&self.text, SMALL);
        let within = |text: String| Text { at: self.from + GAP, anchor: Anchor::Start, text, reach: own };
        let room = self.to - self.from - 2.0 * GAP;
        match self.look {
            Look::Pale(_) => return fitted(&self.text, SMALL, room).map(within),
            Look::Bordered(_) | Look::Empty(_) if wide <= room => return Some(within(self.text.clone())),
            Look::Bordered(_) | Look::Empty(_) | Look::Full(_) => {}
        }
        let right = (self.to + GAP, Anchor::Start);
        if self.to + GAP + wide <= RIGHT {
            let (at, anchor) = right;
            return Some(Text { at, anchor, text: self.text.clone(), reach: (self.from, at + wide) });
        }
        if self.from - GAP - wide >= LEFT {
            let at = self.from - GAP;
            return Some(Text { at, anchor: Anchor::End, text: self.text.clone(), reach: (at - wide, self.to) });
        }
        None
    }
}

impl Placed<'_> {
    fn draw(&self, svg: &mut Svg, y: f64) {
        let Bar { from, to, tip, look, .. } = self.bar;
        svg.tipped(tip, |svg| {
            let frame = format!(
                "x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"2\"",
                px(*from),
                px(y),
                px(to - from),
                px(BAR)
            );
            match look {
                Look::Pale(ink) | Look::Full(ink) => svg.element("rect", &format!("{frame} class=\"{}\"", fill(*ink))),
                Look::Bordered(ink) => {
                    let class = format!("{} {}", fill(*ink), stroke(*ink));
                    svg.element("rect", &format!("{frame} class=\"{class}\" fill-opacity=\".3\""));
                }
                Look::Empty(ink) => {
                    svg.element("rect", &format!("{frame} class=\"{} dashed\" fill-opacity=\"0\"", stroke(*ink)));
                }
            }
        });
        if let Some(Text { at, anchor, text, .. }) = &self.text {
            svg.text((*at, y + 10.5), *anchor, &format!("{} small", fill(Ink::TEXT)), text);
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
        Lane { name: "network".to_owned(), bars: bars.iter().map(bar).collect(), note: String::new() }
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
