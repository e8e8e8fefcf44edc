//! Fewer faults: first whole ones, then each taken apart into its strikes.

use super::anew::FEW_FAULTS;
use super::ddmin::ddmin;
use super::tree::{as_time, number, text, texts, time};
use super::{Luck, Shrinker};
use crate::sections::{FAULTS, fault_name};
use crate::text::entry::Takes;
use crate::text::{Shape, Table, TableEntry, Value, write};
use sim_core::dice::{Ratio, StreamName, Streams};
use sim_core::fault::{Count, Target, When, Who};
use sim_core::time::{MILLISECOND, Nanos};
use sim_core::world::StrikeReport;

/// The keys that say when a fault strikes.
const TIMING: &[&str] = &["at", "every", "jitter", "times", "during", "when", "after", "for"];

/// Times that are drawn by lot are whole numbers of this.
const GRID: Nanos = 10 * MILLISECOND;

impl Shrinker<'_> {
    /// Leaves out whole faults.
    pub(super) fn whole_faults(&mut self) {
        let faults = self.best.tables("fault");
        ddmin(&faults, &mut |some| {
            let mut candidate = self.best.clone();
            candidate.put_tables("fault", some.to_vec());
            self.attempt(candidate)
        });
    }

    /// Makes of every fault its single strikes, at the instants and on the machines that they had, and leaves out what of
    /// them is not needed.
    pub(super) fn take_apart(&mut self) {
        let apart: Vec<Vec<Table>> = (0..self.best.tables("fault").len()).map(|fault| self.strikes_of(fault)).collect();
        let mut candidate = self.best.clone();
        candidate.put_tables("fault", apart.concat());
        if !self.attempt(candidate.clone()) {
            // One by one then, from the last to the first, so that those still to come keep their places.
            for fault in (0..apart.len()).rev() {
                self.take_one_apart(fault, &apart[fault]);
            }
        }
        self.whole_faults();
    }

    /// Faults that strike again and again do so less often.
    pub(super) fn strike_seldom(&mut self) {
        for fault in 0..self.best.tables("fault").len() {
            for few in 1..5 {
                let mut faults = self.best.tables("fault");
                let struck = self.seen.finished.strikes.iter().filter(|strike| strike.fault == fault).count();
                let Some(table) = faults.get_mut(fault) else { return };
                if (table.get("every").is_none() && table.get("when").is_none()) || few >= struck as u64 {
                    break;
                }
                table.put("times", number(few));
                let mut candidate = self.best.clone();
                candidate.put_tables("fault", faults);
                if self.attempt_with(Luck::Much, &candidate) {
                    break;
                }
            }
        }
    }

    /// Looks for a shorter story with the same kinds of faults at other times: of a few of them, drawn by lot. This is a
    /// search and not a walk downhill, so it is made only where a story is still long.
    pub(super) fn strike_otherwise(&mut self) {
        self.last_longer();
        let most = self.best.tables("fault").len();
        for few in FEW_FAULTS..most {
            let tries = Luck::Search.tries(self.seen.finished.steps);
            if (0..tries).any(|lot| {
                let candidate = self.struck_otherwise(few, lot);
                self.attempt(candidate)
            }) {
                return;
            }
        }
    }

    /// Links that are slow from beginning to end, and nothing else, are no fault: that is where the nodes stand.
    pub(super) fn slow_by_layout(&mut self) {
        if self.best.get("layout").is_some() || self.best.inner("cluster").get("layout").is_some() {
            return;
        }
        for fault in (0..self.best.tables("fault").len()).rev() {
            let mut faults = self.best.tables("fault");
            let slow = faults.remove(fault);
            let Some(delay) = slow.get("delay").filter(|_| is_slowness(&slow)).cloned() else { continue };
            let mut candidate = self.best.clone();
            candidate.put_tables("fault", faults);
            candidate.inner("cluster").take_out(&["place"]);
            let layout = candidate.inner("layout");
            layout.inner("regions").inner("room").put("zones", texts(["a".to_owned()]));
            layout.inner("links").put("same-zone", delay);
            if self.attempt_with(Luck::Search, &candidate) {
                return;
            }
        }
    }

    /// One fault lasts as long as it and a later one of its kind did.
    fn last_longer(&mut self) {
        let mut first = 0;
        while first + 1 < self.best.tables("fault").len() {
            let mut faults = self.best.tables("fault");
            let is_alike = |other: &Table| kind_of(other) == kind_of(&faults[first]);
            let Some(second) = (first + 1..faults.len()).find(|other| is_alike(&faults[*other])) else {
                first += 1;
                continue;
            };
            let later = faults.remove(second);
            let [from, to] = [&faults[first], &later].map(|fault| fault.get("at").and_then(as_time));
            if let (Some(from), Some(to), true) = (from, to, faults[first].get("for").is_some()) {
                match later.get("for").and_then(as_time) {
                    Some(length) => faults[first].put("for", time((to + length).saturating_sub(from).max(GRID))),
                    None => faults[first].take_out(&["for"]),
                }
            }
            let mut candidate = self.best.clone();
            candidate.put_tables("fault", faults);
            if !self.attempt_with(Luck::Some, &candidate) {
                first += 1;
            }
        }
    }

    fn struck_otherwise(&self, few: usize, lot: u64) -> Table {
        let mut dice = Streams::new(lot).dice(StreamName::new(&["shrink", "faults", &few.to_string()]));
        let mut faults = self.best.tables("fault");
        let mut chosen: Vec<usize> = (0..faults.len()).collect();
        dice.draw_to_front(&mut chosen, few);
        chosen.truncate(few);
        chosen.sort_unstable();
        faults = chosen.into_iter().map(|fault| faults[fault].clone()).collect();
        let end = self.seen.scenario.duration / GRID;
        for fault in &mut faults {
            // Every other lot leaves most of them where they are.
            if lot.is_multiple_of(2) && dice.chance(Ratio::new(2, 3)) {
                continue;
            }
            // What was there from the beginning is the ground on which the others strike.
            if fault.get("at").and_then(as_time).is_none_or(|at| at == 0) {
                continue;
            }
            let (at, length) = (dice.below(end.max(1)), dice.between(1, (end / 4).max(1)));
            fault.put("at", time(at * GRID));
            if fault.get("for").is_some() {
                fault.put("for", time(length * GRID));
            }
        }
        faults.sort_by_key(|fault| fault.get("at").and_then(as_time));
        let mut candidate = self.best.clone();
        candidate.put_tables("fault", faults);
        candidate.put("seed", number(lot + 1));
        candidate
    }

    fn take_one_apart(&mut self, fault: usize, strikes: &[Table]) {
        let mut faults = self.best.tables("fault");
        faults.splice(fault..=fault, strikes.iter().cloned());
        let mut candidate = self.best.clone();
        candidate.put_tables("fault", faults);
        self.attempt_with(Luck::Some, &candidate);
    }

    /// The strikes of a fault, each as a fault.
    pub(super) fn strikes_of(&self, fault: usize) -> Vec<Table> {
        let table = &self.best.tables("fault")[fault];
        let name = &self.plan().faults[fault].name;
        let reports = self.seen.finished.strikes.iter().filter(|strike| strike.fault == fault);
        let reports: Vec<&StrikeReport> = reports.collect();
        let is_one = reports.len() == 1;
        let strike = |(i, report): (usize, &&StrikeReport)| {
            let mut strike = table.clone();
            strike.take_out(TIMING);
            strike.take_out(&["name"]);
            let (at, length) = self.when(fault, i, report);
            strike.put("at", time(at));
            if let Some(length) = length {
                strike.put("for", time(length));
            }
            strike.put("name", text(if is_one { name.clone() } else { format!("{name}-{}", i + 1) }));
            name_places(&mut strike, &report.places);
            name_targets(&mut strike, &report.met).then_some(strike)
        };
        reports.iter().enumerate().filter_map(strike).collect()
    }

    /// When the strike of this number was to begin, and how long it was to last.
    fn when(&self, fault: usize, number: usize, report: &StrikeReport) -> (Nanos, Option<Nanos>) {
        match &self.plan().faults[fault].when {
            When::At(strikes) => {
                let mut begun: Vec<_> = strikes.iter().collect();
                begun.sort_by_key(|strike| strike.at);
                begun.get(number).map_or((report.from, None), |strike| (strike.at, strike.length))
            }
            When::Event { length, .. } => (report.from, *length),
        }
    }
}

/// Whether a fault makes all links slow from the beginning, and does no more.
fn is_slowness(fault: &Table) -> bool {
    let says = |key: &str| ["do", "name", "at", "for", "between", "delay"].contains(&key);
    fault.text("do") == Some("link")
        && fault.get("at").and_then(as_time) == Some(0)
        && fault.texts("between") == ["all", "all"]
        && fault.entries.iter().all(|entry| says(&entry.key))
}

/// A fault without when it strikes and what it is called.
pub(super) fn kind_of(fault: &Table) -> String {
    let mut kind = fault.clone();
    kind.take_out(TIMING);
    kind.take_out(&["name"]);
    write::document(&kind)
}

/// Puts the places that were struck in the place of those that were drawn.
fn name_places(fault: &mut Table, struck: &[Vec<String>]) {
    let kind = fault.text("do").unwrap_or_default().to_owned();
    let section = FAULTS.iter().find(|section| fault_name(section) == kind);
    let is_place = |key: &str| {
        matches!(section.and_then(|section| section.entry(key)).map(|entry| entry.takes), Some(Takes::Places))
    };
    let named: Vec<Value> = struck.iter().flatten().map(|name| text(name.clone())).collect();
    if let Some(entry) = fault.entries.iter_mut().find(|entry| is_place(&entry.key)) {
        entry.value.shape = match <[Value; 1]>::try_from(named) {
            Ok([one]) => one.shape,
            Err(several) => Shape::List(several),
        };
    }
}

/// Puts those whom drawn targets met in the place of these. False if one of them met nobody.
fn name_targets(fault: &mut Table, met: &[(Target, Vec<String>)]) -> bool {
    let met: Vec<_> = met.iter().filter(|(target, _)| is_drawn(target)).collect();
    let written =
        sides(fault).into_iter().flat_map(|side| targets(side)).filter(|target| is_among(target, &met)).count();
    // An order that is repeated looks its targets up again; the last time it was taken up, or it never was.
    let mut left = met[met.len().saturating_sub(written)..].to_vec();
    sides(fault).into_iter().all(|side| name_side(side, &mut left))
}

/// Whatever in a fault is a target or a list of targets, in the order of its keys.
pub(super) fn sides(fault: &mut Table) -> Vec<&mut Value> {
    let kind = fault.text("do").unwrap_or_default().to_owned();
    let section = FAULTS.iter().find(|section| fault_name(section) == kind);
    let takes = |key: &str| section.and_then(|section| section.entry(key)).map(|entry| entry.takes);
    let mut sides = Vec::new();
    for TableEntry { key, value, .. } in &mut fault.entries {
        match takes(key) {
            Some(Takes::Targets) => sides.push(value),
            Some(Takes::Groups) => {
                if let Shape::List(groups) = &mut value.shape {
                    sides.extend(groups);
                }
            }
            Some(_) | None => {}
        }
    }
    sides
}

/// The targets of a side.
fn targets(side: &Value) -> Vec<Value> {
    if let Shape::List(items) = &side.shape { items.clone() } else { vec![side.clone()] }
}

fn is_drawn(target: &Target) -> bool {
    match (target.count, &target.who) {
        (Count::Some(_) | Count::Half, _) | (Count::All, Who::Any | Who::Minority | Who::Majority) => true,
        (Count::All, Who::All | Who::Others | Who::Role(_) | Who::Node(_) | Who::Zone(_) | Who::Region(_)) => false,
        (Count::All, Who::Provider(_) | Who::Clients | Who::Client(_)) => false,
    }
}

/// Those whom drawn targets met.
type Met<'a> = Vec<&'a (Target, Vec<String>)>;

/// The first of those whom this target, as the file writes it, met.
fn position(target: &Value, met: &[&(Target, Vec<String>)]) -> Option<usize> {
    let Shape::Text(target) = &target.shape else { return None };
    let words = target.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = words.strip_prefix("1 of ").map_or(words.clone(), |who| format!("one of {who}"));
    met.iter().position(|(target, _)| target.to_string() == words)
}

fn is_among(target: &Value, met: &[&(Target, Vec<String>)]) -> bool {
    position(target, met).is_some()
}

/// Names those whom the drawn targets of a side met. False if that is nobody.
fn name_side(side: &mut Value, met: &mut Met<'_>) -> bool {
    let mut named = Vec::new();
    for target in targets(side) {
        let Some(at) = position(&target, met) else {
            named.push(target);
            continue;
        };
        let (_, names) = met.remove(at);
        let name = |name: &String| if name.starts_with('c') { format!("client:{name}") } else { name.clone() };
        named.extend(names.iter().map(|met| text(name(met))));
    }
    let is_somebody = !named.is_empty();
    side.shape = match (&side.shape, <[Value; 1]>::try_from(named)) {
        (Shape::Text(_), Ok([one])) => one.shape,
        (_, Ok(one)) => Shape::List(one.into()),
        (_, Err(named)) => Shape::List(named),
    };
    is_somebody
}
