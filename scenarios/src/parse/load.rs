//! `[[load]]`: groups of clients and what they ask for.

use super::cluster::{all_zones, spread, table_or_empty, zones_of};
use super::delays;
use super::script::{Frame, script};
use crate::codes;
use crate::diagnostics::{Diagnostic, Origin};
use crate::layout::Layout;
use crate::scenario::{Arrivals, Keys, Load, Model};
use crate::sections::{CLIENT_COUNT, CLIENTS, CLOSED, KEYS, LOAD, MODEL, OPEN};
use crate::systems::{DataKind, System};
use crate::text::Problems;
use crate::text::entry::quoted;
use crate::text::quantity::did_you_mean;
use crate::text::reader::Reader;
use sim_core::dice::Ratio;
use sim_core::settings::Setting;
use sim_core::time::{MILLISECOND, Nanos};
use std::collections::BTreeSet;

/// All loads; `None` if one of them is broken.
pub(super) fn loads(
    top: &Reader<'_>,
    system: Option<&System>,
    layout: Option<&Layout>,
    duration: Option<Nanos>,
    problems: &Problems,
) -> Option<Vec<Load>> {
    let tables = top.tables("load");
    // A system that serves nobody has nothing to ask for.
    if !top.has("load") && system.is_none_or(|system| !system.data.is_empty()) {
        let help = "add a [[load]]; every key of it has a default";
        problems.push(Diagnostic::new(&codes::NO_LOAD, &Origin::Whole, "no client asks for anything").help(help));
    }
    let mut names = Names::default();
    let mut loads = Vec::new();
    for (i, table) in tables.iter().enumerate() {
        let place = format!("[[load]] number {}", i + 1);
        let reader = Reader::numbered(table, &LOAD, &place, problems);
        let name = names.name(&reader, problems);
        let load = load(&reader, name, system, layout, duration, problems);
        if !exists(&reader) {
            continue;
        }
        if let (Some(Some(first)), Some(load)) = (loads.first(), &load) {
            same_data(first, load, &reader, problems);
        }
        loads.push(load);
    }
    loads.into_iter().collect()
}

/// Whether the seed lets this load or fault exist. What does not is read all the same: a mistake in it is none of the seed's.
pub(super) fn exists(reader: &Reader<'_>) -> bool {
    !reader.has("chance") || reader.share("chance").is_none_or(|chance| chance.numerator > 0)
}

/// One system keeps one kind of data.
fn same_data(first: &Load, load: &Load, reader: &Reader<'_>, problems: &Problems) {
    if first.data != load.data {
        let message = format!("this load asks for {}, and an earlier one for {}", load.data.name, first.data.name);
        problems.push(Diagnostic::new(&codes::MIXED_DATA, &reader.origin("data"), message));
    }
}

/// The names so far, each once.
#[derive(Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// The name of a table; every one has one by now, but it may be broken.
    pub fn name(&mut self, reader: &Reader<'_>, problems: &Problems) -> String {
        let Some(name) = reader.name("name") else { return String::new() };
        if !self.0.insert(name.clone()) {
            let problem = Diagnostic::new(
                &codes::DUPLICATE_NAME,
                &reader.origin("name"),
                format!("there are two called `{name}`"),
            );
            problems.push(problem.help("give one of them another `name`"));
        }
        name
    }
}

fn load(
    reader: &Reader<'_>,
    name: String,
    system: Option<&System>,
    layout: Option<&Layout>,
    duration: Option<Nanos>,
    problems: &Problems,
) -> Option<Load> {
    let zones = clients(reader, layout, problems);
    let timeout = reader.time("timeout")?;
    let from = reader.time("at")?;
    let until = duration.map(|duration| until(reader, from, duration));
    let asks = if reader.has("script") { None } else { Some((model(reader, problems), keys(reader, problems))) };
    let data = data(reader, system?, problems)?;
    if !data.keyed && reader.has("keys") {
        reader.tell(&codes::NOT_KEYED, "keys", format!("a `{}` has no keys", data.name));
    }
    let (model, ops, keys) = match asks {
        Some((model, keys)) => (model, ops(reader, data, problems), keys),
        None => {
            let clients = zones.as_ref().map_or(u32::MAX, |zones| zones.len() as u32);
            let frame = Frame { data, clients, from, until: until.flatten().unwrap_or(Nanos::MAX) };
            let operations = script(reader, &frame, problems)?;
            let keys = Keys { count: operations.iter().map(|op| op.key + 1).max().unwrap_or(1), skew: Ratio::ZERO };
            (Some(Model::Script { operations }), Some(Vec::new()), Some(keys))
        }
    };
    Some(Load {
        name,
        data: *data,
        zones: zones?,
        model: model?,
        ops: ops?,
        keys: if data.keyed { keys? } else { Keys { count: 1, skew: Ratio::ZERO } },
        timeout,
        retry: reader.time("retry").unwrap_or((timeout / 4).max(MILLISECOND)),
        from,
        until: until??,
    })
}

/// When the load ends.
fn until(reader: &Reader<'_>, from: Nanos, duration: Nanos) -> Option<Nanos> {
    if from >= duration {
        reader.tell(&codes::OUTSIDE, "at", "the load would begin at or after the end of the run");
        return None;
    }
    Some(reader.time("for").map_or(duration, |length| (from + length).min(duration)))
}

/// By client, its zone.
fn clients(reader: &Reader<'_>, layout: Option<&Layout>, problems: &Problems) -> Option<Vec<usize>> {
    let Some(table) = reader.given("clients").and_then(|given| given.table().ok()) else {
        let count = reader.read("clients", |given| given.setting(CLIENT_COUNT))?;
        let Setting::Count(count) = count else { panic!("a count was read as {count:?}") };
        return Some(spread(&all_zones(layout?), count as usize));
    };
    let clients = Reader::new(table, &CLIENTS, problems);
    let count = clients.count("count");
    let place = clients.given("place").map(|given| {
        problems.note(
            given
                .text()
                .and_then(|place| layout.map(|layout| zones_of(layout, place, &given.value.origin)).transpose()),
        )
    });
    let zones = match place {
        None => all_zones(layout?),
        Some(zones) => zones??,
    };
    Some(spread(&zones, count? as usize))
}

fn model(reader: &Reader<'_>, problems: &Problems) -> Option<Model> {
    let model = Reader::new(table_or_empty(reader, "model"), &MODEL, problems);
    let open = match (model.has("open"), model.has("closed")) {
        (true, true) => {
            reader.tell(&codes::CONFLICT, "model", "clients are either `open` or `closed`");
            return None;
        }
        (true, false) => model.table("open")?,
        (false, _) => {
            let closed = Reader::new(table_or_empty(&model, "closed"), &CLOSED, problems);
            return Some(Model::Closed { think: delays::delay(&closed, "think", problems)? });
        }
    };
    let open = Reader::new(open, &OPEN, problems);
    let arrivals = match open.word("arrivals")? {
        "constant" => Arrivals::Constant,
        _ => Arrivals::Poisson,
    };
    Some(Model::Open { per_second: open.read("rate", |given| given.rate())?, arrivals })
}

fn keys(reader: &Reader<'_>, problems: &Problems) -> Option<Keys> {
    /// As in YCSB.
    const ZIPF_SKEW: Ratio = Ratio::new(99, 100);
    const SKEW_MAX: u64 = 10;
    let keys = Reader::new(table_or_empty(reader, "keys"), &KEYS, problems);
    let skew = keys.read("skew", |given| given.decimal());
    let count = keys.count("count")? as u32;
    if keys.word("dist")? == "uniform" {
        if keys.has("skew") {
            keys.tell(&codes::CONFLICT, "skew", "`uniform` keys have no `skew`; write dist = \"zipf\"");
        }
        return Some(Keys { count, skew: Ratio::ZERO });
    }
    let skew = skew.unwrap_or(ZIPF_SKEW);
    if skew.numerator > SKEW_MAX * skew.denominator {
        keys.tell(&codes::BAD_VALUE, "skew", format!("a skew is at most {SKEW_MAX}"));
    }
    Some(Keys { count, skew })
}

/// The kind of data: one of those the system offers.
fn data<'a>(reader: &Reader<'_>, system: &'a System, problems: &Problems) -> Option<&'a DataKind> {
    let names: Vec<&str> = system.data.iter().map(|kind| kind.name).collect();
    let Some(given) = reader.given("data") else {
        if system.data.is_empty() {
            reader.tell(&codes::UNKNOWN_DATA, "data", format!("{} has no data for clients", system.name));
        }
        return system.data.first();
    };
    let name = problems.note(given.text())?;
    let found = system.data.iter().find(|kind| kind.name == name);
    if found.is_none() {
        let message = format!("{} does not offer the data `{name}`", system.name);
        let problem = Diagnostic::new(&codes::UNKNOWN_DATA, &given.value.origin, message);
        problems.push(problem.label(did_you_mean(name, &names)).help(format!("it offers {}", quoted(&names))));
    }
    found
}

/// The functions and their weights.
fn ops(reader: &Reader<'_>, data: &DataKind, problems: &Problems) -> Option<Vec<(usize, u64)>> {
    const WEIGHT: u64 = 50;
    let names: Vec<&str> = data.functions.iter().map(|function| function.name).collect();
    let number = |name: &str| names.iter().position(|known| *known == name);
    if !reader.has("ops") {
        let usual: Vec<usize> = ["read", "write"].into_iter().filter_map(number).collect();
        let usual = if usual.is_empty() { (0..names.len()).collect() } else { usual };
        return Some(usual.into_iter().map(|function| (function, WEIGHT)).collect());
    }
    let written = reader.counts("ops")?;
    let mut ops = Vec::new();
    let mut is_broken = false;
    for (name, origin, weight) in &written {
        let Some(function) = number(name) else {
            let problem =
                Diagnostic::new(&codes::UNKNOWN_FUNCTION, origin, format!("a `{}` has no `{name}`", data.name));
            problems.push(problem.label(did_you_mean(name, &names)).help(format!("it has {}", quoted(&names))));
            is_broken = true;
            continue;
        };
        ops.push((function, *weight));
    }
    ops.retain(|(_, weight)| *weight > 0);
    if ops.is_empty() && !is_broken {
        reader.tell(&codes::UNKNOWN_FUNCTION, "ops", "no function has a weight above zero");
    }
    (!ops.is_empty() && !is_broken).then_some(ops)
}
