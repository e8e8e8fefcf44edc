//! Fewer operations: fewer clients and keys while they are drawn, then a script of what was asked, of which only what is needed
//! is left.

use super::ddmin::ddmin;
use super::tree::{as_count, number, texts, time, value};
use super::{Luck, Shrinker};
use crate::diagnostics::Origin;
use crate::parse::script::Line;
use crate::text::{Shape, Table};
use history::{Function, Operation, Purpose, Value};
use sim_core::time::{MILLISECOND, Nanos, SECOND};
use std::collections::{BTreeMap, BTreeSet};

/// An operation of a script, and which load it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    load: usize,
    pub line: Line,
}

/// What several operations have in common: a client, a key, a quarter of a second of their load.
type Group = fn(&Asked) -> (usize, u64);

impl Shrinker<'_> {
    /// Leaves out whole loads.
    pub(super) fn whole_loads(&mut self) {
        let loads = self.best.tables("load");
        ddmin(&loads, &mut |some| {
            let mut candidate = self.best.clone();
            candidate.put_tables("load", some.to_vec());
            self.attempt(candidate)
        });
    }

    /// Fewer clients and keys of loads that are drawn.
    pub(super) fn fewer_drawn(&mut self) {
        for load in 0..self.best.tables("load").len() {
            for few in [1, 2, 3, 5] {
                if self.set_in_load(load, few, |load, few| {
                    let clients = load.get("clients").map_or(Some(5), as_count)?;
                    (few < clients).then(|| load.put("clients", number(few)))
                }) {
                    break;
                }
            }
            // Whoever thinks longer asks less.
            for long in [500, 200, 100, 50] {
                if self.set_in_load(load, long, |load, long| {
                    load.put("model", value(Shape::Table(closed(long * MILLISECOND))));
                    Some(())
                }) {
                    break;
                }
            }
            for few in [1, 2, 3] {
                if self.set_in_load(load, few, |load, few| {
                    let keys = load.inner("keys");
                    let count = keys.get("count").map_or(Some(10), as_count)?;
                    (few < count).then(|| keys.put("count", number(few)))
                }) {
                    break;
                }
            }
        }
    }

    fn set_in_load(&mut self, load: usize, few: u64, set: impl Fn(&mut Table, u64) -> Option<()>) -> bool {
        let mut loads = self.best.tables("load");
        let Some(table) = loads.get_mut(load) else { return false };
        if table.get("script").is_some() || set(table, few).is_none() {
            return false;
        }
        let mut candidate = self.best.clone();
        candidate.put_tables("load", loads);
        self.attempt_with(Luck::Some, &candidate)
    }

    /// Makes of every load that is drawn a script of what it asked for.
    pub(super) fn write_scripts(&mut self) {
        let drawn = |load: &Table| load.get("script").is_none();
        let scripts = self.scripts();
        let mut loads = self.best.tables("load");
        for (load, script) in loads.iter_mut().zip(&scripts).filter(|(load, _)| drawn(load)) {
            write_script(load, script);
        }
        let mut candidate = self.best.clone();
        candidate.put_tables("load", loads.clone());
        if loads.iter().zip(self.best.tables("load")).any(|(_, was)| drawn(&was)) {
            self.attempt_with(Luck::Some, &candidate);
        }
    }

    /// What each load asked for in the smallest run so far, in the order of time.
    fn scripts(&self) -> Vec<Vec<Line>> {
        let loads = &self.seen.scenario.loads;
        let mut scripts = vec![Vec::new(); loads.len()];
        let mut first_client = Vec::new();
        let mut clients = 0;
        for load in loads {
            first_client.push(clients);
            clients += load.zones.len() as u32;
        }
        for (operation, fact) in self.seen.finished.history.operations.iter().zip(&self.seen.finished.facts) {
            if fact.purpose != Purpose::Load {
                continue;
            }
            let load = first_client.partition_point(|first| *first <= fact.client.0) - 1;
            let function = &loads[load].data.functions[fact.function];
            let (key, values) = arguments(operation, loads[load].data.keyed, function);
            let (client, function) = (fact.client.0 - first_client[load], function.name.to_owned());
            scripts[load].push(Line { client, at: fact.invoked, function, key, values });
        }
        scripts
    }

    /// Leaves out operations.
    pub(super) fn fewer_operations(&mut self) {
        let all = self.asked();
        // What contradicts each other may be all there is to it.
        if let Some(witness) = self.seen.failed().and_then(|finding| finding.witness.clone()) {
            let told: BTreeSet<Nanos> = witness.operations.iter().map(|op| op.invoked.time).collect();
            let only: Vec<Asked> = all.iter().filter(|asked| told.contains(&asked.line.at)).cloned().collect();
            self.try_asking(&only);
        }
        let asked = self.asked();
        let groups: [Group; 3] = [
            |asked| (asked.load, asked.line.client.into()),
            |asked| (asked.load, asked.line.key.unwrap_or(0).into()),
            |asked| (asked.load, asked.line.at / (SECOND / 4)),
        ];
        if asked.len() > 12 {
            for group in groups {
                let asked = self.asked();
                let named: BTreeSet<(usize, u64)> = asked.iter().map(group).collect();
                let named: Vec<_> = named.into_iter().collect();
                ddmin(&named, &mut |some| {
                    let some: BTreeSet<_> = some.iter().collect();
                    let left: Vec<Asked> = asked.iter().filter(|asked| some.contains(&group(asked))).cloned().collect();
                    self.try_asking(&left)
                });
            }
        }
        let asked = self.asked();
        ddmin(&asked, &mut |some| self.try_asking(some));
    }

    /// What scripts ask for, in the order of time.
    fn asked(&self) -> Vec<Asked> {
        let mut all = Vec::new();
        for (load, table) in self.best.tables("load").iter().enumerate() {
            let lines = read_script(table, self.is_keyed());
            all.extend(lines.into_iter().map(|line| Asked { load, line }));
        }
        all.sort_by_key(|asked| asked.line.at);
        all
    }

    /// The same of loads that are drawn, too.
    pub(super) fn asked_for(&self) -> Vec<Asked> {
        let scripts = self.scripts().into_iter().enumerate();
        scripts.flat_map(|(load, lines)| lines.into_iter().map(move |line| Asked { load, line })).collect()
    }

    /// The smallest so far, in which all loads are scripts and ask for this.
    pub(super) fn asking_anew(&self, some: &[Asked]) -> Table {
        let mut loads = self.best.tables("load");
        loads.iter_mut().for_each(|load| write_script(load, &[]));
        self.asking_of(loads, some)
    }

    fn is_keyed(&self) -> bool {
        self.seen.scenario.loads.first().is_some_and(|load| load.data.keyed)
    }

    /// Whether asking for this only fails in the same way.
    fn try_asking(&mut self, some: &[Asked]) -> bool {
        if self.trial.is_over() {
            return false;
        }
        let candidate = self.asking(some);
        self.attempt(candidate)
    }

    /// The smallest so far, with scripts that ask for this. A load that asks for nothing is left out.
    fn asking(&self, some: &[Asked]) -> Table {
        self.asking_of(self.best.tables("load"), some)
    }

    fn asking_of(&self, mut loads: Vec<Table>, some: &[Asked]) -> Table {
        for (i, load) in loads.iter_mut().enumerate().filter(|(_, load)| load.get("script").is_some()) {
            let mut lines: Vec<Line> =
                some.iter().filter(|asked| asked.load == i).map(|asked| asked.line.clone()).collect();
            lines.sort_by_key(|line| line.at);
            write_script(load, &lines);
        }
        loads.retain(|load| load.get("script").is_none() || !load.texts("script").is_empty());
        let mut candidate = self.best.clone();
        candidate.put_tables("load", loads);
        candidate
    }

    /// Fewer clients ask what the scripts ask for.
    pub(super) fn fewer_clients(&mut self) {
        for load in 0..self.best.tables("load").len() {
            let asked = self.asked();
            let clients: BTreeSet<u32> =
                asked.iter().filter(|asked| asked.load == load).map(|asked| asked.line.client).collect();
            if clients.is_empty() {
                continue;
            }
            // Of those who ask for something, how many have to be different people?
            for few in 1..=clients.len() as u32 {
                let number = |client: u32| clients.iter().position(|known| *known == client).unwrap_or(0) as u32 % few;
                let mut some = asked.clone();
                for asked in some.iter_mut().filter(|asked| asked.load == load) {
                    asked.line.client = number(asked.line.client);
                }
                let mut candidate = self.asking(&some);
                let mut loads = candidate.tables("load");
                let Some(table) = loads.get_mut(load) else { break };
                if table.get("clients").and_then(as_count) == Some(few.into()) && some == asked {
                    break;
                }
                table.put("clients", super::tree::number(few.into()));
                candidate.put_tables("load", loads);
                if self.attempt_with(Luck::Some, &candidate) {
                    break;
                }
            }
        }
    }

    /// Fewer keys, counted from 0, and values counted from 1.
    pub(super) fn fewer_keys(&mut self) {
        let asked = self.asked();
        let keys: BTreeSet<u32> = asked.iter().filter_map(|asked| asked.line.key).collect();
        for few in 1..=keys.len() {
            let mut some = asked.clone();
            for asked in &mut some {
                let number = |key: u32| keys.iter().position(|known| *known == key).unwrap_or(0) % few;
                asked.line.key = asked.line.key.map(|key| number(key) as u32);
            }
            if some == asked || self.try_asking(&some) {
                break;
            }
        }
        let mut some = self.asked();
        let mut numbers: BTreeMap<i64, i64> = BTreeMap::new();
        for value in some.iter_mut().flat_map(|asked| &mut asked.line.values) {
            if let Value::Int(number) = value {
                let next = numbers.len() as i64 + 1;
                *number = *numbers.entry(*number).or_insert(next);
            }
        }
        if some != self.asked() {
            self.try_asking(&some);
        }
    }

    /// Leaves out single operations and faults by trying other seeds: of a small scenario that costs nothing.
    pub(super) fn try_luck(&mut self) {
        const LUCKY: usize = 60;
        let mut at = self.asked().len().min(LUCKY);
        while at > 0 && !self.trial.is_over() {
            at -= 1;
            let mut some = self.asked();
            if at < some.len() {
                some.remove(at);
                let candidate = self.asking(&some);
                self.attempt_with(Luck::Some, &candidate);
            }
        }
        let mut at = self.best.tables("fault").len().min(LUCKY);
        while at > 0 && !self.trial.is_over() {
            at -= 1;
            let mut faults = self.best.tables("fault");
            if at < faults.len() {
                faults.remove(at);
                let mut candidate = self.best.clone();
                candidate.put_tables("fault", faults);
                self.attempt_with(Luck::Some, &candidate);
            }
        }
    }

    /// Gives scripts other times: `change` says which.
    pub(super) fn retimed(&self, change: impl Fn(Nanos) -> Nanos) -> Table {
        let mut some = self.asked();
        some.iter_mut().for_each(|asked| asked.line.at = change(asked.line.at));
        self.asking(&some)
    }

    /// When operations of scripts begin, each once.
    pub(super) fn asking_times(&self) -> BTreeSet<Nanos> {
        self.asked().iter().map(|asked| asked.line.at).collect()
    }
}

/// The model of clients that think so long.
fn closed(think: Nanos) -> Table {
    let mut model = Table { entries: Vec::new(), origin: Origin::Whole };
    model.inner("closed").put("think", time(think));
    model
}

/// The key of a recorded operation and what it was given, as a script writes them.
fn arguments(operation: &Operation, keyed: bool, function: &Function) -> (Option<u32>, Vec<Value>) {
    let (key, input) = match operation.input.as_pair().filter(|_| keyed) {
        Some((Value::Text(key), input)) => (key.strip_prefix('k').and_then(|key| key.parse().ok()), input),
        Some(_) | None => (None, &operation.input),
    };
    (key, function.arguments(input))
}

/// Makes a load ask for this, instead of what it drew.
fn write_script(load: &mut Table, lines: &[Line]) {
    load.take_out(&["model", "ops", "keys"]);
    load.put("script", texts(lines.iter().map(Line::to_string)));
}

fn read_script(load: &Table, keyed: bool) -> Vec<Line> {
    load.texts("script").iter().filter_map(|line| Line::read(line, keyed).ok()).collect()
}

/// Takes the operations away that a script asks for at this time or later. False if none are left.
pub(super) fn end_script(load: &mut Table, end: Nanos) -> bool {
    let Some(Shape::List(_)) = load.get("script").map(|value| &value.shape) else { return true };
    let is_before = |line: &String| {
        let at = line.split_whitespace().nth(2).map(|at| at.trim_end_matches(':'));
        at.and_then(|at| sim_core::time::parse_duration(at).ok()).is_none_or(|at| at < end)
    };
    let left: Vec<String> = load.texts("script").into_iter().filter(is_before).collect();
    let is_any = !left.is_empty();
    load.put("script", texts(left));
    is_any
}
