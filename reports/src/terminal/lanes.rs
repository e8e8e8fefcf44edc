//! The picture of a run in lanes of characters, one below the other on one axis of time.

use super::Look;
use crate::roles::sole_role;
use crate::struck::brief;
use history::figures::{counted, duration, grouped, measured, percent};
use history::{FaultRecord, Outage, RoleSpan, RunRecord, TimeBucket, Who};
use std::collections::BTreeSet;

/// The picture's width, in characters.
const COLUMNS: usize = 60;

/// With what stands beside it.
const WIDTH: usize = 100;

/// How far apart the axis has its marks.
const MARK_EVERY: usize = 10;

/// Longer names are cut.
const NAME_MAX: usize = 24;

/// More fault lanes than this would push the verdicts off the screen.
const FAULT_LANES_MAX: usize = 8;

/// So many places have lanes of their own, those that differ most.
const PLACES_MAX: usize = 3;

/// A place has a lane if it differs so much from all, in hundredths, on average over the columns.
const DIFFERENCE_MIN: u64 = 3;

/// How often out of a hundred, by column; `None` where nothing was counted.
type Shares = Vec<Option<u64>>;

/// A name, a picture, and what is told of it, in parts that may stand on lines of their own.
struct Lane {
    name: String,
    picture: String,
    told: Vec<String>,
}

/// The lines of the picture; none of a run that took no time.
pub(super) fn picture(record: &RunRecord, look: Look) -> Vec<String> {
    if record.duration_ns == 0 {
        return Vec::new();
    }
    let canvas = Canvas { record, look };
    let mut lanes = canvas.service();
    lanes.extend(canvas.latency());
    lanes.extend(canvas.role());
    lanes.extend(canvas.outages());
    lanes.extend(canvas.faults());
    let names = lanes.iter().map(|lane| lane.name.chars().count().min(NAME_MAX));
    let width = names.max().unwrap_or(0);
    let room = WIDTH - (2 + width + 1 + COLUMNS + 2);
    let mut lines = vec![format!("  {:width$} {}{}", "", canvas.axis(), cut(&short(record.duration_ns), room))];
    for Lane { name, picture, told } in lanes {
        let mut told = wrapped(&told, room).into_iter();
        let (name, first) = (cut(&name, NAME_MAX), told.next().unwrap_or_default());
        lines.push(format!("  {name:<width$} {picture:<COLUMNS$}  {first}"));
        lines.extend(told.map(|more| format!("  {:width$} {:COLUMNS$}  {more}", "", "")));
    }
    lines
}

struct Canvas<'a> {
    record: &'a RunRecord,
    look: Look,
}

impl Canvas<'_> {
    fn lane(&self, name: &str, picture: String, told: impl IntoIterator<Item = String>) -> Lane {
        let told = told.into_iter().map(|part| self.look.shown(&part)).collect();
        Lane { name: self.look.shown(name), picture, told }
    }

    fn axis(&self) -> String {
        let moment = |column| u128::from(self.record.duration_ns) * column as u128 / COLUMNS as u128;
        let mark = |column| format!("{:<MARK_EVERY$}", cut(&short(moment(column) as u64), MARK_EVERY - 1));
        (0..COLUMNS).step_by(MARK_EVERY).map(mark).collect()
    }

    /// The column of a moment; what is later than the load stands in the last.
    fn column(&self, at: u64) -> usize {
        let column = u128::from(at) * COLUMNS as u128 / u128::from(self.record.duration_ns);
        column.min(COLUMNS as u128 - 1) as usize
    }

    /// A sign in every column of a stretch. It ends before `to`, and what has no length is seen all the same.
    fn fill(&self, lane: &mut [char; COLUMNS], (from, to): (u64, u64), sign: char) {
        if from < self.record.duration_ns {
            let last = to.saturating_sub(1).max(from);
            lane[self.column(from)..=self.column(last)].fill(sign);
        }
    }

    /// Availability over time, everywhere and where it was another; and the best possible where that is less than everything.
    fn service(&self) -> Vec<Lane> {
        let Some(counts) = self.record.operations else { return Vec::new() };
        let of = |count: fn(&TimeBucket) -> u64| -> Vec<u64> { self.record.buckets.iter().map(count).collect() };
        let invoked = of(|bucket| bucket.invoked);
        let achieved = self.shares(&of(|bucket| bucket.achieved), &invoked);
        let possible = self.shares(&of(|bucket| bucket.possible), &invoked);
        let other = [(counts.unknown, "unknown"), (counts.refused, "refused")];
        let other = other.into_iter().filter(|(count, _)| *count > 0);
        let told =
            [(counts.ok, "ok")].into_iter().chain(other).map(|(count, what)| format!("{} {what}", grouped(count)));
        let mut lanes = vec![self.lane("served", self.bars(&achieved), told)];
        lanes.extend(self.places(&achieved));
        if possible.iter().flatten().any(|share| *share < 100) {
            lanes.push(self.lane("possible", self.bars(&possible), ["the best there could be".to_owned()]));
        }
        lanes
    }

    /// Places that differ from all.
    fn places(&self, all: &Shares) -> Vec<Lane> {
        let strips = self.record.picture.as_ref().map_or(&[][..], |picture| &picture.service);
        let names: BTreeSet<&str> = strips.iter().map(|strip| strip.place.as_str()).collect();
        let place = |name: &str| {
            let (mut achieved, mut invoked) = (Vec::new(), Vec::new());
            for strip in strips.iter().filter(|strip| strip.place == name) {
                add(&mut achieved, &strip.achieved);
                add(&mut invoked, &strip.invoked);
            }
            let shares = self.shares(&achieved, &invoked);
            let both: Vec<u64> =
                shares.iter().zip(all).filter_map(|(own, all)| Some((*own)?.abs_diff((*all)?))).collect();
            let apart = both.iter().sum::<u64>() / both.len().max(1) as u64;
            let (served, asked) = (sum(&achieved), sum(&invoked));
            let told = percent(served.min(asked) as f64 / asked.max(1) as f64);
            (apart, self.lane(name, self.bars(&shares), [told]))
        };
        let mut places: Vec<(u64, Lane)> = names.into_iter().map(place).collect();
        places.retain(|(apart, _)| *apart >= DIFFERENCE_MIN);
        places.sort_by_key(|(apart, _)| std::cmp::Reverse(*apart));
        places.into_iter().take(PLACES_MAX).map(|(_, lane)| lane).collect()
    }

    fn shares(&self, counted: &[u64], all: &[u64]) -> Shares {
        let mut columns = [(0u128, 0u128); COLUMNS];
        for (bucket, (counted, all)) in self.record.buckets.iter().zip(counted.iter().zip(all)) {
            let column = &mut columns[self.column(bucket.from_ns)];
            *column = (column.0 + u128::from(*counted), column.1 + u128::from(*all));
        }
        columns.into_iter().map(|(counted, all)| (all > 0).then(|| (counted * 100 / all).min(100) as u64)).collect()
    }

    fn bars(&self, shares: &[Option<u64>]) -> String {
        let levels: &[char] = if self.look.unicode {
            &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
        } else {
            &['_', '.', ':', '-', '=', '+', '*', '#']
        };
        let level = |share: u64| levels[(share as usize * (levels.len() - 1)) / 100];
        shares.iter().map(|share| share.map_or(' ', level)).collect()
    }

    /// What 99 of 100 took at most, from the shortest of these times to the longest, as many times longer with each level.
    fn latency(&self) -> Option<Lane> {
        let times = &self.record.picture.as_ref()?.latency.p99_ns;
        let mut columns = [None; COLUMNS];
        for (bucket, time) in self.record.buckets.iter().zip(times) {
            let column = &mut columns[self.column(bucket.from_ns)];
            *column = (*column).max(*time);
        }
        let (least, most) = (columns.iter().flatten().min()?, columns.iter().flatten().max()?);
        let log = |time: u64| libm::log2(time.max(1) as f64);
        let length = log(*most) - log(*least);
        let level = |time: u64| if length > 0.0 { ((log(time) - log(*least)) / length * 100.0) as u64 } else { 0 };
        let levels: Shares = columns.iter().map(|time| time.map(level)).collect();
        let told = format!("{}..{}", measured(*least), measured(*most));
        Some(self.lane("p99", self.bars(&levels), [told]))
    }

    /// The role that at most one node holds in a term, if the system has one.
    fn role(&self) -> Option<Lane> {
        let role = sole_role(&self.record.roles)?;
        let spans: Vec<&RoleSpan> = self.record.roles.iter().filter(|span| span.role == role).collect();
        let (line, end) = if self.look.unicode { ('─', '┤') } else { ('-', '|') };
        let mut lane = [' '; COLUMNS];
        for span in spans.iter().filter(|span| span.from_ns < self.record.duration_ns) {
            let (from, to) = (self.column(span.from_ns), self.column(span.to_ns.max(span.from_ns)));
            lane[from..=to].fill(line);
            lane[to] = end;
            for (cell, letter) in lane[from..=to].iter_mut().zip(self.look.shown(&span.node).chars()) {
                *cell = letter;
            }
        }
        let terms: BTreeSet<u64> = spans.iter().map(|span| span.term).collect();
        let (first, last) = (terms.first()?, terms.last()?);
        let told = match first == last {
            true => ["no change".to_owned(), format!("term {first}")],
            false => [counted(terms.len() as u64 - 1, "change"), format!("term {first} to {last}")],
        };
        Some(self.lane(&role, String::from_iter(lane), told))
    }

    /// When nobody was served, and when some were not.
    fn outages(&self) -> Option<Lane> {
        let outages = &self.record.outages;
        let (all, some) = if self.look.unicode { ('█', '▒') } else { ('#', '=') };
        let (full, partial): (Vec<&Outage>, Vec<&Outage>) = outages.iter().partition(|outage| outage.who == Who::All);
        let mut lane = [' '; COLUMNS];
        for (outages, sign) in [(&partial, some), (&full, all)] {
            outages.iter().for_each(|outage| self.fill(&mut lane, (outage.from_ns, outage.to_ns), sign));
        }
        let length = full.iter().fold(0u64, |sum, outage| sum.saturating_add(outage.length_ns()));
        let full = (!full.is_empty()).then(|| format!("{} in all", measured(length)));
        let partial = (!partial.is_empty()).then(|| format!("{} partial", grouped(partial.len() as u64)));
        (!outages.is_empty()).then(|| self.lane("outage", String::from_iter(lane), full.into_iter().chain(partial)))
    }

    fn faults(&self) -> Vec<Lane> {
        let block = if self.look.unicode { '░' } else { '/' };
        let lane = |fault: &FaultRecord| {
            let mut lane = [' '; COLUMNS];
            self.fill(&mut lane, (fault.from_ns, fault.to_ns), block);
            let told = format!("{} {}", fault.name, brief(&fault.who, self.record.nodes));
            let void = (fault.effects == 0).then(|| "(no effect)".to_owned());
            self.lane("fault", String::from_iter(lane), [told].into_iter().chain(void))
        };
        let mut lanes: Vec<Lane> = self.record.faults.iter().take(FAULT_LANES_MAX).map(lane).collect();
        let hidden = self.record.faults.len().saturating_sub(FAULT_LANES_MAX);
        if hidden > 0 {
            let told = format!("and {} more in run.json", grouped(hidden as u64));
            lanes.push(self.lane("..", String::new(), [told]));
        }
        lanes
    }
}

fn add(sums: &mut Vec<u64>, counts: &[u64]) {
    sums.resize(sums.len().max(counts.len()), 0);
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum = sum.saturating_add(*count);
    }
}

fn sum(counts: &[u64]) -> u64 {
    counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
}

/// A mark on the axis: in full if that leaves room before the next, else to three figures.
fn short(nanos: u64) -> String {
    let exact = duration(nanos);
    if exact.len() < MARK_EVERY { exact } else { measured(nanos) }
}

/// Parts in lines, as many in each as fit; a part that does not fit alone is cut.
fn wrapped(parts: &[String], room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        // What is in brackets needs no comma before it.
        let gap = if part.starts_with('(') { " " } else { ", " };
        match lines.last_mut() {
            Some(line) if line.chars().count() + gap.len() + part.chars().count() <= room => {
                line.push_str(gap);
                line.push_str(part);
            }
            Some(_) | None => lines.push(cut(part, room)),
        }
    }
    lines
}

/// A text, or as much of it as there is room for.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let kept: String = text.chars().take(room.saturating_sub(2)).collect();
    format!("{}..", kept.trim_end())
}
