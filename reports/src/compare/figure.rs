//! Pictures of a comparison.

use super::{Comparison, Line, Metric, Unit};
use crate::draw::Figure;
use crate::draw::ink::Ink;
use crate::draw::measure::{BOLD, PLAIN, fitted, width};
use crate::draw::svg::{Anchor, Svg, fill, px, stroke};
use crate::plot::dots::{Sample, dots};
use crate::plot::scale::Scale;
use crate::plot::timeline::multiples;
use crate::statistics::paired::Interval;
use history::RunRecord;
use history::figures::counted;

/// How wide a picture is, in pixels.
const WIDTH: f64 = 1000.0;

/// From a system to the next.
const PITCH: f64 = 40.0;

/// More systems than this are not drawn.
const SYSTEMS_MAX: usize = 16;

/// Names take no more room than this.
const NAME_MAX: f64 = 190.0;

/// Between two panels, and after the last: what a bar comes to is told there.
const TOLD: f64 = 74.0;

/// A storm, as every system met it.
pub struct Storm {
    /// Which it is: `a harsh storm`.
    pub which: &'static str,
    /// Its seed.
    pub seed: u64,
    /// By system.
    pub runs: Vec<RunRecord>,
}

/// Everything there is to draw of a comparison: at a glance, differences, some storms over time, and every run.
pub fn figures(comparison: &Comparison, storms: &[Storm]) -> Vec<Figure> {
    if comparison.seeds.is_empty() {
        return Vec::new();
    }
    let sample = |system: &super::Contender| Sample {
        name: system.name.clone(),
        values: system.runs.iter().map(|run| run.outage_ns as f64).collect(),
    };
    let samples: Vec<Sample> = comparison.systems.iter().map(sample).collect();
    let title = "How long nobody was served, in each run";
    let storms = (1..).zip(storms).map(|(number, Storm { which, seed, runs })| {
        let named: Vec<(&str, &RunRecord)> =
            comparison.systems.iter().map(|system| &*system.name).zip(runs).take(SYSTEMS_MAX).collect();
        multiples(&format!("{STORM}{number}"), format!("Seed {seed}, {which}, over time"), &named)
    });
    [glance(comparison), differences(comparison)]
        .into_iter()
        .chain(storms)
        .chain([dots("runs", title, Scale::Time, &samples)])
        .flatten()
        .collect()
}

/// How the names of pictures of storms begin.
pub(super) const STORM: &str = "storm-";

/// What a panel shows of each system.
struct Panel<'a> {
    title: &'static str,
    line: &'a Line,
    /// What of it no system could have helped: drawn apart.
    floor: Option<&'a Line>,
}

impl Panel<'_> {
    /// What is drawn of a system, with the ends of its interval.
    fn value(&self, system: usize) -> Interval {
        let found = self.line.values[system];
        match self.floor {
            None => found,
            Some(_) => Interval { value: 1.0 - found.value, low: 1.0 - found.high, high: 1.0 - found.low },
        }
    }

    fn ink(&self) -> Ink {
        match self.line.metric {
            Metric::Stale | Metric::Failed => Ink::FAILED,
            Metric::Availability | Metric::Possible | Metric::Unavailable | Metric::Longest => Ink::OUTAGE,
            Metric::P50 | Metric::P99 | Metric::Served => Ink::OK,
        }
    }
}

/// What clients lack of each system, and what it costs: a bar for each, on one line.
fn glance(comparison: &Comparison) -> Option<Figure> {
    let panel = |title, metric, floor: Option<Metric>| {
        let floor = floor.map(|floor| comparison.line(floor));
        // A bound that nobody asked for is no reason to draw nothing.
        Some(Panel { title, line: comparison.line(metric)?, floor: floor.flatten() })
    };
    let panels: Vec<Panel<'_>> = [
        panel("not served in time", Metric::Availability, Some(Metric::Possible)),
        panel("half of the answers take", Metric::P50, None),
        panel("reads of replaced values", Metric::Stale, None),
    ]
    .into_iter()
    .flatten()
    .filter(|panel| panel.line.metric != Metric::Availability || panel.floor.is_some())
    .collect();
    if panels.is_empty() {
        return None;
    }
    let systems = &comparison.systems[..comparison.systems.len().min(SYSTEMS_MAX)];
    let left = systems.iter().map(|system| width(&system.name, BOLD)).fold(60.0, f64::max).min(NAME_MAX) + 20.0;
    let room = (WIDTH - left) / panels.len() as f64;
    let (top, bottom) = (34.0, PITCH.mul_add(systems.len() as f64, 34.0));
    let mut svg = Svg::new();
    for (number, system) in systems.iter().enumerate() {
        let y = PITCH.mul_add(number as f64 + 0.5, top);
        let name = fitted(&system.name, BOLD, NAME_MAX).unwrap_or_default();
        svg.text((left - 14.0, y + 4.0), Anchor::End, &format!("{} bold", fill(Ink::TEXT)), &name);
    }
    for (number, panel) in panels.iter().enumerate() {
        let begin = room.mul_add(number as f64, left);
        draw(panel, systems.len(), (begin, begin + room - TOLD), (top, bottom), &mut svg);
    }
    svg.text((left, bottom + 24.0), Anchor::Start, &format!("{} small", fill(Ink::MUTED)), &legend(comparison));
    let tell = |(number, system): (usize, &super::Contender)| {
        let told =
            |panel: &Panel<'_>| format!("{} {}", panel.title, panel.line.told(number, panel.value(number).value));
        format!("{}: {}", system.name, panels.iter().map(told).collect::<Vec<_>>().join(", "))
    };
    Some(Figure {
        name: "glance".to_owned(),
        title: "What clients lack of each system, and what it costs".to_owned(),
        description: format!("{}.", systems.iter().enumerate().map(tell).collect::<Vec<_>>().join("; ")),
        width: WIDTH,
        height: bottom + 34.0,
        elements: svg.into_text(),
    })
}

fn legend(comparison: &Comparison) -> String {
    let seeds = counted(comparison.seeds.len() as u64, "storm");
    format!("{seeds}, each met by every system; pale: what no such system could have served; whisker: 95 % interval")
}

fn draw(panel: &Panel<'_>, systems: usize, (begin, end): (f64, f64), (top, bottom): (f64, f64), svg: &mut Svg) {
    let most = (0..systems).map(|system| panel.value(system).high).fold(0.0, f64::max);
    let x = |value: f64| begin + (end - begin) * if most > 0.0 { (value / most).clamp(0.0, 1.0) } else { 0.0 };
    svg.text((begin, top - 14.0), Anchor::Start, &fill(Ink::MUTED), panel.title);
    svg.line((begin, top), (begin, bottom), &format!("{} thin", stroke(Ink::MUTED)));
    for system in 0..systems {
        let y = PITCH.mul_add(system as f64 + 0.5, top);
        let Interval { value, low, high } = panel.value(system);
        let ink = fill(panel.ink());
        svg.rect((begin, y - 9.0), (x(value) - begin, 18.0), 0.0, &ink);
        if let Some(floor) = panel.floor {
            let unavoidable = (1.0 - floor.values[system].value).min(value);
            svg.rect((begin, y - 9.0), (x(unavoidable) - begin, 18.0), 0.0, &fill(Ink::HEAT1));
        }
        let line = format!("{} thin", stroke(Ink::TEXT));
        svg.line((x(low), y), (x(high), y), &line);
        for at in [low, high] {
            svg.line((x(at), y - 4.0), (x(at), y + 4.0), &line);
        }
        let told = super::metric::typeset(&panel.line.told(system, value));
        svg.text((x(high.max(value)) + 7.0, y + 4.0), Anchor::Start, &format!("{} bold", fill(Ink::TEXT)), &told);
    }
}

/// From a difference to the next.
const ROW: f64 = 22.0;

/// What differences there are, each on an axis of its own around 0, with its interval (a forest plot).
fn differences(comparison: &Comparison) -> Option<Figure> {
    let baseline = comparison.systems.first()?;
    let lines: Vec<&Line> = comparison.lines.iter().filter(|line| line.metric != Metric::Possible).collect();
    let others = 1..comparison.systems.len().min(SYSTEMS_MAX);
    let names = others.clone().map(|system| width(&comparison.systems[system].name, PLAIN));
    let left = 170.0 + names.fold(40.0, f64::max).min(NAME_MAX) + 20.0;
    let right = WIDTH - 280.0;
    let zero = f64::midpoint(left, right);
    let mut svg = Svg::new();
    let mut y = 12.0;
    for line in &lines {
        let most = others.clone().filter_map(|system| line.apart(system));
        let most = most.map(|(apart, _)| apart.low.abs().max(apart.high.abs())).fold(0.0, f64::max);
        let x = |value: f64| if most > 0.0 { zero + (right - zero) * value / most } else { zero };
        svg.text((0.0, y + 16.0), Anchor::Start, &format!("{} bold", fill(Ink::TEXT)), line.metric.heading());
        for system in others.clone() {
            let Some((apart, is_shown)) = line.apart(system) else { continue };
            y += ROW;
            let name = fitted(&comparison.systems[system].name, PLAIN, NAME_MAX).unwrap_or_default();
            svg.text((left - 14.0, y - 6.0), Anchor::End, &fill(Ink::TEXT), &name);
            let ink = if is_shown { Ink::OK } else { Ink::MUTED };
            svg.line(
                (x(apart.low), y - 10.0),
                (x(apart.high), y - 10.0),
                &format!("{}\" stroke-width=\"2", stroke(ink)),
            );
            let dot = format!("cx=\"{}\" cy=\"{}\" r=\"4\" class=\"{}\"", px(x(apart.value)), px(y - 10.0), fill(ink));
            svg.element("circle", &dot);
            svg.text(
                (right + 16.0, y - 6.0),
                Anchor::Start,
                &fill(if is_shown { Ink::TEXT } else { Ink::MUTED }),
                &told(line.metric.unit(), (apart, is_shown)),
            );
        }
        y += 14.0;
        svg.line((0.0, y - 4.0), (WIDTH, y - 4.0), &format!("{} thin", stroke(Ink::FAINT)));
    }
    svg.line((zero, 8.0), (zero, y - 4.0), &format!("{} thin dashed", stroke(Ink::MUTED)));
    svg.text(
        (zero, y + 12.0),
        Anchor::Middle,
        &format!("{} small", fill(Ink::MUTED)),
        &format!("as {}", baseline.name),
    );
    svg.text((zero - 60.0, y + 28.0), Anchor::End, &format!("{} small", fill(Ink::MUTED)), "\u{2190} less");
    svg.text((zero + 60.0, y + 28.0), Anchor::Start, &format!("{} small", fill(Ink::MUTED)), "more \u{2192}");
    let tell = |line: &&Line| {
        let apart = others.clone().filter_map(|system| {
            let apart = line.apart(system)?;
            Some(format!("{} {}", comparison.systems[system].name, told(line.metric.unit(), apart)))
        });
        format!("{}: {}", line.metric.heading(), apart.collect::<Vec<_>>().join(", "))
    };
    Some(Figure {
        name: "differences".to_owned(),
        title: format!("How far each system is from {}", baseline.name),
        description: format!("{}.", lines.iter().map(tell).collect::<Vec<_>>().join("; ")),
        width: WIDTH,
        height: y + 36.0,
        elements: svg.into_text(),
    })
}

/// `+2.26 points (+2.10 to +2.42)`, typeset.
pub(super) fn told(unit: Unit, (apart, is_shown): (Interval, bool)) -> String {
    let Interval { value, low, high } = apart;
    let not = if is_shown { "" } else { ", not shown" };
    super::metric::typeset(&format!("{} ({} to {}){not}", unit.difference(value), unit.signed(low), unit.signed(high)))
}
