//! What is left, said as simply as it can be: less time, fewer nodes, usual settings, no ranges, round times.

use super::faults::sides;
use super::loads::end_script;
use super::tree::{Path, as_count, as_time, at, number, paths, texts, time, without};
use super::{Luck, Shrinker};
use crate::sections::{FAULTS, LOAD, TOP, fault_name};
use crate::text::entry::Section;
use crate::text::range::exact_time;
use crate::text::{Shape, Table, Value};
use sim_core::fault::When;
use sim_core::time::{MICROSECOND, MILLISECOND, Nanos, SECOND, parse_duration};
use std::collections::BTreeSet;

/// What a time is rounded to, the roundest first.
const ROUND: [Nanos; 7] =
    [SECOND, 100 * MILLISECOND, 10 * MILLISECOND, MILLISECOND, 100 * MICROSECOND, 10 * MICROSECOND, MICROSECOND];

impl Shrinker<'_> {
    /// Expects nothing but what fails. Where that is a law, which holds without being asked for, what has to hold stays.
    pub(super) fn expect(&mut self) {
        let Some(failed) = self.seen.failed().map(|finding| finding.check.clone()) else { return };
        let must = self.best.inner("expect").texts("must");
        let must = if must.contains(&failed) { vec![failed.clone()] } else { must };
        for shows in [None, Some(failed)] {
            let mut candidate = self.best.clone();
            candidate.take_out(&["sweep"]);
            let expect = candidate.inner("expect");
            expect.take_out(&["must", "should", "reach", "shows"]);
            expect.put("must", texts(must.clone()));
            if let Some(shows) = shows {
                expect.put("shows", texts([shows]));
            }
            if self.attempt(candidate) {
                return;
            }
        }
    }

    /// Ends the scenario just behind the failure, and lets nothing settle if that is not needed.
    pub(super) fn cut_time(&mut self) {
        let (duration, settle) = (self.seen.scenario.duration, self.seen.scenario.settle);
        if let Some(end) = self.failed_at() {
            let ends = [SECOND, 100 * MILLISECOND, 10 * MILLISECOND].map(|unit| (end / unit + 1) * unit);
            for (end, settle) in ends.into_iter().rev().flat_map(|end| [(end, 0), (end, settle)]) {
                if end <= duration && (end, settle) != (duration, self.seen.scenario.settle) {
                    let candidate = self.ending(end, settle);
                    if self.attempt(candidate) {
                        break;
                    }
                }
            }
        }
        for less in [0, 100 * MILLISECOND, SECOND, 2 * SECOND, 5 * SECOND] {
            if less < self.seen.scenario.settle {
                let candidate = self.ending(self.seen.scenario.duration, less);
                if self.attempt(candidate) {
                    break;
                }
            }
        }
        let mut too_short = 0;
        while self.seen.scenario.duration - too_short > (self.seen.scenario.duration / 20).max(20 * MILLISECOND) {
            let middle = too_short.midpoint(self.seen.scenario.duration) / MILLISECOND * MILLISECOND;
            let candidate = self.ending(middle, self.seen.scenario.settle);
            if middle <= too_short || !self.attempt(candidate) {
                too_short = middle.max(too_short + MILLISECOND);
            }
        }
    }

    /// Shortens a scenario that is drawn anew for each seed: some fail sooner than this one.
    pub(super) fn sooner(&mut self) {
        let mut parts = [8, 4, 2].into_iter();
        while let Some(part) = parts.next() {
            let candidate = self.ending(self.seen.scenario.duration / part, self.seen.scenario.settle);
            if self.seen.scenario.duration > SECOND && self.attempt_with(Luck::Much, &candidate) {
                parts = [8, 4, 2].into_iter();
            }
        }
        self.cut_time();
    }

    /// Smaller numbers for the system's settings.
    pub(super) fn smaller_numbers(&mut self) {
        for (path, steps) in paths(&self.best) {
            if steps.first().is_none_or(|step| step != "protocol") {
                continue;
            }
            let Some(said) = self.count_at(&path) else { continue };
            for less in [1, 2, 3, 5, 10, 100].into_iter().filter(|less| *less < said) {
                let mut candidate = self.best.clone();
                at(&mut candidate, &path).into_iter().for_each(|value| *value = number(less));
                if self.attempt_with(Luck::Some, &candidate) {
                    break;
                }
            }
        }
    }

    fn count_at(&self, path: &[usize]) -> Option<u64> {
        at(&mut self.best.clone(), path).and_then(|value| as_count(value))
    }

    /// When what fails had happened, if that can be told.
    fn failed_at(&self) -> Option<Nanos> {
        if !self.seen.finished.whole {
            return Some(self.seen.finished.end);
        }
        let witness = self.seen.failed()?.witness.as_ref()?;
        let ends = witness.operations.iter().map(|op| op.completed.unwrap_or(op.invoked).time);
        ends.max()
    }

    /// The smallest so far, without what would happen at `end` or later.
    fn ending(&self, end: Nanos, settle: Nanos) -> Table {
        let mut candidate = self.best.clone();
        candidate.put("duration", time(end));
        candidate.put("settle", time(settle));
        let begins = |fault: usize| match &self.seen.plan.faults[fault].when {
            When::At(strikes) => strikes.iter().any(|strike| strike.at < end),
            When::Event { .. } => true,
        };
        let faults = candidate.tables("fault").into_iter().enumerate();
        let faults = faults.filter(|(fault, _)| begins(*fault)).map(|(_, table)| table).collect();
        candidate.put_tables("fault", faults);
        let mut loads = candidate.tables("load");
        loads.retain_mut(|load| load.get("at").and_then(as_time).is_none_or(|at| at < end) && end_script(load, end));
        candidate.put_tables("load", loads);
        candidate
    }

    /// A smaller cluster, in which faults strike those that are left.
    pub(super) fn fewer_nodes(&mut self) {
        let named: BTreeSet<u64> = {
            let mut faults = self.best.tables("fault");
            let names = faults.iter_mut().flat_map(sides).flat_map(|side| node_names(side));
            names.collect()
        };
        for few in 1..self.seen.plan.nodes.len() as u64 {
            let closed_up = |node: u64| named.iter().position(|known| *known == node).map_or(node, |i| i as u64 + 1);
            let same = |node: u64| node;
            let ways: [&dyn Fn(u64) -> u64; 2] = [&same, &closed_up];
            if ways.into_iter().any(|way| {
                let candidate = self.with_nodes(few, way);
                self.attempt_with(Luck::Some, &candidate)
            }) {
                return;
            }
        }
    }

    fn with_nodes(&self, few: u64, called: &dyn Fn(u64) -> u64) -> Table {
        let mut candidate = self.best.clone();
        let cluster = candidate.inner("cluster");
        cluster.take_out(&["place"]);
        cluster.put("nodes", number(few));
        let mut faults = candidate.tables("fault");
        faults.retain_mut(|fault| sides(fault).into_iter().all(|side| rename(side, few, called)));
        candidate.put_tables("fault", faults);
        candidate
    }

    /// Leaves out keys, so that their defaults hold, and elements of lists.
    pub(super) fn usual_settings(&mut self) {
        let mut done: BTreeSet<Vec<String>> = BTreeSet::new();
        while let Some((path, steps)) = self.next_setting(&done) {
            let candidate = without(&self.best, &path);
            done.insert(steps);
            if let Some(candidate) = candidate {
                self.attempt_with(Luck::Some, &candidate);
            }
            if self.trial.is_over() {
                return;
            }
        }
    }

    /// The first setting that nobody has tried to leave out. What has been done is known by its keys: numbers of elements
    /// move when one of them goes.
    fn next_setting(&self, done: &BTreeSet<Vec<String>>) -> Option<(Path, Vec<String>)> {
        paths(&self.best).into_iter().find(|(_, steps)| !done.contains(steps) && is_setting(steps))
    }

    /// One value instead of a range or another distribution.
    pub(super) fn no_ranges(&mut self) {
        for (path, _) in paths(&self.best) {
            let mut whole = self.best.clone();
            let Some(value) = at(&mut whole, &path) else { continue };
            for one in single(value) {
                let mut candidate = self.best.clone();
                if let Some(value) = at(&mut candidate, &path) {
                    *value = one;
                }
                if self.attempt_with(Luck::Much, &candidate) {
                    break;
                }
            }
        }
    }

    /// Brings what happens closer together, and says it in round times.
    pub(super) fn round_times(&mut self) {
        self.close_gaps();
        for unit in ROUND {
            let candidate = self.retimed_all(&|at| rounded(at, unit));
            if self.attempt(candidate) {
                break;
            }
        }
        for (path, _) in paths(&self.best) {
            let mut whole = self.best.clone();
            let Some(said) = at(&mut whole, &path).and_then(|value| as_time(value)) else { continue };
            for round in ROUND.map(|unit| rounded(said, unit)).into_iter().filter(|round| *round > 0) {
                if round == said {
                    break;
                }
                let mut candidate = self.best.clone();
                at(&mut candidate, &path).into_iter().for_each(|value| *value = time(round));
                if self.attempt(candidate) {
                    break;
                }
            }
        }
        for said in self.asking_times() {
            for round in ROUND.map(|unit| rounded(said, unit)) {
                if round == said {
                    break;
                }
                let candidate = self.retimed(|at| if at == said { round } else { at });
                if self.attempt(candidate) {
                    break;
                }
            }
        }
    }

    /// Halves the times in which nothing begins or ends, again and again.
    pub(super) fn close_gaps(&mut self) {
        const GAP_MIN: Nanos = 100 * MILLISECOND;
        let mut known = BTreeSet::new();
        while let Some((from, to)) = self.gaps().into_iter().find(|gap| gap.1 - gap.0 > GAP_MIN && known.insert(*gap)) {
            let less = (to - from) / 2 / MILLISECOND * MILLISECOND;
            let candidate = self.retimed_all(&|at| if at >= to { at - less } else { at });
            self.attempt_with(Luck::Some, &candidate);
            if self.trial.is_over() {
                return;
            }
        }
    }

    /// From one instant at which something is said to happen to the next, the longest first.
    fn gaps(&self) -> Vec<(Nanos, Nanos)> {
        let mut instants = self.asking_times();
        instants.insert(0);
        for fault in self.best.tables("fault") {
            if let Some(begin) = fault.get("at").and_then(as_time) {
                instants.insert(begin);
                instants.extend(fault.get("for").and_then(as_time).map(|length| begin + length));
            }
        }
        let instants: Vec<Nanos> = instants.into_iter().collect();
        let mut gaps: Vec<(Nanos, Nanos)> = instants.windows(2).map(|pair| (pair[0], pair[1])).collect();
        gaps.sort_by_key(|(from, to)| std::cmp::Reverse(to - from));
        gaps
    }

    /// The smallest so far with every instant moved.
    fn retimed_all(&self, change: &dyn Fn(Nanos) -> Nanos) -> Table {
        let mut candidate = self.retimed(change);
        let mut faults = candidate.tables("fault");
        for fault in &mut faults {
            let Some(begin) = fault.get("at").and_then(as_time) else { continue };
            fault.put("at", time(change(begin)));
            if let Some(length) = fault.get("for").and_then(as_time) {
                let length = change(begin + length).saturating_sub(change(begin));
                fault.put("for", time(length.max(MILLISECOND)));
            }
        }
        candidate.put_tables("fault", faults);
        let duration = self.seen.scenario.duration;
        let last = self.gaps().iter().map(|(_, to)| *to).max().unwrap_or(0);
        // The time behind the last instant stays as long as it was.
        let end = if last < duration { change(last) + (duration - last) } else { change(duration).max(MILLISECOND) };
        candidate.put("duration", time(end.min(duration)));
        candidate
    }

    /// The last touches: in the order of time, without names that say nothing.
    pub(super) fn tidy(&mut self) {
        let mut candidate = self.best.clone();
        let mut faults = candidate.tables("fault");
        faults.sort_by_key(|fault| fault.get("at").and_then(as_time).unwrap_or(0));
        candidate.put_tables("fault", faults);
        self.take(candidate);
        for list in ["load", "fault"] {
            let mut candidate = self.best.clone();
            let mut tables = candidate.tables(list);
            tables.iter_mut().for_each(|table| table.take_out(&["name"]));
            candidate.put_tables(list, tables);
            self.take(candidate);
        }
        let mut candidate = self.best.clone();
        in_order(&mut candidate, &TOP);
        for (list, sections) in [("load", &[&LOAD][..]), ("fault", FAULTS)] {
            let mut tables = candidate.tables(list);
            for table in &mut tables {
                let is_kind = |section: &&&Section| table.text("do").is_none_or(|kind| kind == fault_name(section));
                sections.iter().find(is_kind).into_iter().for_each(|section| in_order(table, section));
            }
            candidate.put_tables(list, tables);
        }
        self.take(candidate);
    }

    /// Takes a candidate that costs no more than a run, even where the time is up.
    fn take(&mut self, candidate: Table) {
        if let Some(seen) = self.trial.run_to_its_end(&candidate) {
            (self.best, self.seen) = (candidate, seen);
        }
    }
}

/// Puts the keys of a table into the order of the manual.
fn in_order(table: &mut Table, section: &Section) {
    let place = |key: &str| section.entries().position(|entry| entry.name == key);
    table.entries.sort_by_key(|entry| place(&entry.key).unwrap_or(usize::MAX));
}

/// Whether this is a key that can be left out, or an element of a list that can.
fn is_setting(steps: &[String]) -> bool {
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let stays = matches!(
        steps.as_slice(),
        ["scenario" | "name" | "about" | "seed" | "duration" | "settle" | "load" | "fault" | "expect" | "protocol"]
            | ["expect", ..]
            | ["load" | "fault", _]
            | ["protocol", "name"]
            | ["cluster", "nodes"]
            | ["load", _, "name" | "clients" | "script" | "data", ..]
            | ["fault", _, "do" | "name" | "at"]
    );
    !stays
}

/// The numbers of the nodes that a side names.
fn node_names(side: &Value) -> Vec<u64> {
    match &side.shape {
        Shape::Text(text) => text.strip_prefix('n').and_then(|digits| digits.parse().ok()).into_iter().collect(),
        Shape::List(items) => items.iter().flat_map(node_names).collect(),
        Shape::Number(_) | Shape::Fraction(_) | Shape::Flag(_) | Shape::Date | Shape::Table(_) => Vec::new(),
    }
}

/// Calls the nodes of a side by other numbers, and leaves out those beyond the last. False if nobody is left.
pub(super) fn rename(side: &mut Value, last: u64, called: &dyn Fn(u64) -> u64) -> bool {
    let is_there = |value: &Value| node_names(value).iter().all(|node| (1..=last).contains(node));
    let renamed = |value: &Value| match node_names(value).as_slice() {
        [node] => super::tree::text(format!("n{}", called(*node))),
        _ => value.clone(),
    };
    if let Shape::List(items) = &mut side.shape {
        *items = items.iter().map(renamed).filter(is_there).collect();
        return !items.is_empty();
    }
    *side = renamed(side);
    is_there(side)
}

/// Single values in the place of one that is drawn anew for each use.
fn single(given: &Value) -> Vec<Value> {
    match &given.shape {
        Shape::Text(range) => {
            let (sign, range) = range.strip_prefix('+').map_or(("", range.as_str()), |rest| ("+", rest));
            let ends = range
                .split_once("..")
                .and_then(|(from, to)| Some((parse_duration(from.trim()).ok()?, parse_duration(to.trim()).ok()?)));
            let Some((from, to)) = ends else { return Vec::new() };
            let shown = |length: Nanos| super::tree::text(format!("{sign}{}", exact_time(length)));
            [from.midpoint(to), from, to].map(shown).into()
        }
        Shape::Table(table) if table.get("dist").is_some() => {
            ["median", "mean", "min"].iter().filter_map(|key| table.get(key).cloned()).collect()
        }
        Shape::Number(_) | Shape::Fraction(_) | Shape::Flag(_) | Shape::Date => Vec::new(),
        Shape::List(_) | Shape::Table(_) => Vec::new(),
    }
}

fn rounded(at: Nanos, unit: Nanos) -> Nanos {
    (at + unit / 2) / unit * unit
}
