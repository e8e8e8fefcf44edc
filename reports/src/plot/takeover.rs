//! How long another node took to serve after a fault had struck the one that did: a bar for each outage, with what came
//! after what.

use super::axis::{moment, step};
use super::bars::longest;
use super::{LEFT, WIDTH};
use crate::draw::Figure;
use crate::draw::ink::Ink;
use crate::draw::measure::{PLAIN, SMALL, fitted, width};
use crate::draw::svg::{Anchor, Svg, fill, px, stroke};
use crate::words::{counted, time};
use history::{Outage, RunRecord, Takeover};

/// More outages than this are counted, the shortest.
const ROWS_MAX: usize = 12;

/// How long the longest bar is, in pixels: what does not fit into bars stands beside them.
const LONGEST: f64 = 520.0;

/// No more marks than this stand on the axis.
const MARKS_MAX: u64 = 6;

/// How high a bar is, in pixels.
const BAR: f64 = 20.0;

/// The stages by name and ink, in their order.
const STAGES: [(&str, Ink); 4] =
    [("detect", Ink::NODE4), ("elect", Ink::NODE3), ("catch up", Ink::NODE2), ("clients", Ink::NODE1)];

/// An outage that ended, or could have, by a takeover.
struct Row {
    name: String,
    /// Of each stage, in nanoseconds, as far as it came.
    stages: [Option<u64>; 4],
}

/// The picture; `None` without a takeover.
pub fn takeovers(record: &RunRecord) -> Option<Figure> {
    let all: Vec<(&Outage, Takeover)> =
        record.outages.iter().filter_map(|outage| Some((outage, outage.takeover?))).collect();
    let mut rows: Vec<Row> =
        longest(&all, ROWS_MAX, |(_, takeover)| total(&stages(takeover))).into_iter().map(row).collect();
    let hidden = all.len() - rows.len();
    rows.extend(mean(&all));
    let longest = rows.iter().map(|row| total(&row.stages)).max().filter(|longest| *longest > 0)?;
    let mut svg = Svg::new();
    let x = |at: u64| LEFT + LONGEST * (at.min(longest) as f64 / longest as f64);
    let top = 26.0;
    let pitch = BAR + 10.0;
    let bottom = top + rows.len() as f64 * pitch;
    key(&mut svg);
    let step = step(longest, MARKS_MAX);
    for at in (0..).map_while(|i: u64| i.checked_mul(step)).take_while(|at| *at <= longest) {
        svg.line((x(at), top - 4.0), (x(at), bottom), &format!("{} thin", stroke(Ink::FAINT)));
        svg.text((x(at), bottom + 14.0), Anchor::Middle, &format!("{} small", fill(Ink::MUTED)), &moment(at));
    }
    for (i, row) in rows.iter().enumerate() {
        row.draw(&mut svg, top + i as f64 * pitch, x);
    }
    if hidden > 0 {
        let more = format!("and {hidden} more, all of them shorter");
        svg.text((LEFT - 8.0, bottom + 14.0), Anchor::End, &format!("{} small", fill(Ink::MUTED)), &more);
    }
    Some(Figure {
        name: "takeovers".to_owned(),
        title: "How another node took over".to_owned(),
        description: description(&rows, all.len()),
        width: WIDTH,
        height: bottom + 22.0,
        elements: svg.into_text(),
    })
}

fn stages(takeover: &Takeover) -> [Option<u64>; 4] {
    [takeover.detect_ns, takeover.elect_ns, takeover.catch_up_ns, takeover.clients_ns]
}

fn total(stages: &[Option<u64>; 4]) -> u64 {
    stages.iter().flatten().fold(0, |sum, stage| sum.saturating_add(*stage))
}

fn row((outage, takeover): &(&Outage, Takeover)) -> Row {
    let name = format!("at {}", time(outage.from_ns));
    Row { name, stages: stages(takeover) }
}

/// What each stage took on average of those that came to it, if there are several.
fn mean(all: &[(&Outage, Takeover)]) -> Option<Row> {
    let stage = |stage: usize| {
        let times: Vec<u64> = all.iter().filter_map(|(_, takeover)| stages(takeover)[stage]).collect();
        let sum = times.iter().fold(0u128, |sum, time| sum + u128::from(*time));
        (!times.is_empty()).then(|| (sum / times.len() as u128) as u64)
    };
    (all.len() > 1).then(|| Row { name: format!("mean of {}", all.len()), stages: std::array::from_fn(stage) })
}

impl Row {
    fn draw(&self, svg: &mut Svg, y: f64, x: impl Fn(u64) -> f64) {
        svg.text((LEFT - 8.0, y + 14.0), Anchor::End, &fill(Ink::TEXT), &self.name);
        let mut from = 0u64;
        let mut beside = Vec::new();
        for ((name, ink), length) in STAGES.into_iter().zip(self.stages) {
            let Some(length) = length else { continue };
            let to = from.saturating_add(length);
            let (left, wide) = (x(from), (x(to) - x(from)).max(1.0));
            let told = format!("{name} {}", time(length));
            svg.tipped(&told, |svg| svg.rect((left, y), (wide, BAR), 0.0, &fill(ink)));
            svg.line((left + wide, y), (left + wide, y + BAR), &format!("{} thin", stroke(Ink::PAPER)));
            if width(&told, SMALL) + 8.0 <= wide {
                svg.text((left + 4.0, y + 14.0), Anchor::Start, &format!("{} small", fill(Ink::TEXT)), &told);
            } else {
                beside.push(told);
            }
            from = to;
        }
        let sum = time(total(&self.stages));
        svg.text((x(from) + 8.0, y + 14.0), Anchor::Start, &format!("{} bold halo", fill(Ink::TEXT)), &sum);
        let after = x(from) + 20.0 + width(&sum, PLAIN) * 1.08;
        let muted = format!("{} small halo", fill(Ink::MUTED));
        if let Some(told) = fitted(&beside.join(", "), SMALL, WIDTH - after) {
            svg.text((after, y + 14.0), Anchor::Start, &muted, &told);
        }
    }
}

/// What the inks mean.
fn key(svg: &mut Svg) {
    let told = ["a later term", "somebody leads", "its first answer", "half of those who waited"];
    let mut left = LEFT;
    for ((name, ink), until) in STAGES.into_iter().zip(told) {
        let text = format!("{name}: until {until}");
        svg.element("rect", &format!("x=\"{}\" y=\"2\" width=\"11\" height=\"11\" class=\"{}\"", px(left), fill(ink)));
        svg.text((left + 16.0, 11.0), Anchor::Start, &format!("{} small", fill(Ink::MUTED)), &text);
        left += 32.0 + width(&text, SMALL);
    }
}

fn description(rows: &[Row], count: usize) -> String {
    let tell = |row: &Row| {
        let stages =
            STAGES.iter().zip(row.stages).filter_map(|((name, _), length)| Some(format!("{name} {}", time(length?))));
        format!("{}: {}", row.name, stages.collect::<Vec<_>>().join(", "))
    };
    let rows: Vec<String> = rows.iter().map(tell).collect();
    format!("{} in which another node took over. {}.", counted(count as u64, "outage"), rows.join("; "))
}
