//! `stormglass list`: what there is, one line each. `explain` takes the first word of every line.

use crate::args::{Format, Kind, List};
use crate::exit::{Done, Exit, Failure};
use crate::{files, load, screen};
use checkers::formats::Input;
use checkers::{Consistency, Model};
use clap::ValueEnum as _;
use history::Verdict;
use history::figures::grouped;
use reports::verify::words;
use scenarios::entry::Section;
use scenarios::manual::places::common;
use scenarios::sections::FAULTS;
use scenarios::systems::System;
use serde_json::{Map, Value, json};
use std::path::Path;

/// A line: a name, a sentence, and what else a program may want to know of it.
struct Row {
    name: String,
    about: String,
    /// What the sentence ends with, where a person reads it.
    also: String,
    more: Map<String, Value>,
}

impl Row {
    fn new(name: impl Into<String>, about: impl Into<String>) -> Self {
        Row { name: name.into(), about: about.into(), also: String::new(), more: Map::new() }
    }

    fn with(mut self, key: &str, value: Value) -> Self {
        self.more.insert(key.to_owned(), value);
        self
    }

    fn also(self, also: String) -> Self {
        Row { also, ..self }
    }

    fn json(self) -> Value {
        let mut object = self.more;
        object.insert("name".to_owned(), self.name.into());
        object.insert("about".to_owned(), self.about.into());
        Value::Object(object)
    }
}

pub fn list(args: &List, systems: &'static [System]) -> Done {
    let rows = match args.kind {
        Some(kind) => rows(kind, systems)?,
        None => Kind::value_variants().iter().map(|kind| lists(*kind, systems)).collect::<Result<_, _>>()?,
    };
    let is_empty = rows.is_empty();
    match args.format {
        Format::Json => {
            let objects: Vec<Value> = rows.into_iter().map(Row::json).collect();
            screen::print(&format!("{}\n", Value::from(objects)))?;
        }
        Format::Human if is_empty => screen::complain("there is none here"),
        Format::Human => {
            let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
            let look = screen::look();
            let line =
                |row: &Row| format!("{:<width$}  {}{}\n", row.name, look.shown(&row.about), look.shown(&row.also));
            screen::print(&rows.iter().map(line).collect::<String>())?;
        }
    }
    Ok(Exit::Judged(if is_empty { Verdict::Vacuous } else { Verdict::Pass }))
}

/// A list as a line: how much is in it, and what.
fn lists(kind: Kind, systems: &'static [System]) -> Result<Row, Failure> {
    let about = match kind {
        Kind::Protocols => "the systems under test",
        Kind::Faults => "what can go wrong",
        Kind::Flaws => "historically real mistakes that can be switched on",
        Kind::Checks => "what [expect] can ask for",
        Kind::Layouts => "where machines stand and what lies between",
        Kind::Scenarios => "those that ship, or those below this directory",
        Kind::Models => "what `verify` judges histories as",
        Kind::Levels => "what `verify` can demand of a history",
        Kind::Formats => "how a history for `verify` can be written",
    };
    let count = rows(kind, systems)?.len() as u64;
    let name = kind.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
    Ok(Row::new(name, about).with("count", count.into()).also(format!(": {}", grouped(count))))
}

fn rows(kind: Kind, systems: &'static [System]) -> Result<Vec<Row>, Failure> {
    Ok(match kind {
        Kind::Protocols => systems.iter().map(protocol_row).collect(),
        Kind::Flaws => systems.iter().flat_map(flaw_rows).collect(),
        Kind::Faults => FAULTS.iter().map(|fault| fault_row(fault)).collect(),
        Kind::Checks => {
            let checks = scenarios::CHECKS.iter().map(|check| (check, "must"));
            let goals = scenarios::GOALS.iter().map(|goal| (goal, "reach"));
            checks.chain(goals).map(|((sentence, text), list)| check_row(sentence, text, list, systems)).collect()
        }
        Kind::Layouts => scenarios::layout::PRESETS.iter().map(|preset| Row::new(preset.name, preset.about)).collect(),
        Kind::Scenarios => scenarios_here(systems)?,
        Kind::Models => Model::ALL.map(model_row).into(),
        Kind::Levels => Consistency::ALL.map(|level| Row::new(level.name(), words::of_level(level))).into(),
        Kind::Formats => Input::ALL.map(|input| Row::new(input.name(), words::of_format(input.name()))).into(),
    })
}

fn protocol_row(system: &System) -> Row {
    let data: Vec<&str> = system.data.iter().map(|kind| kind.name).collect();
    let orders: Vec<&str> = system.orders.iter().map(|order| order.name).collect();
    // A system without any, as detectors alone are, says nothing of them.
    let lists = [("Data", &data), ("Orders", &orders)].into_iter().filter(|(_, names)| !names.is_empty());
    let also: String = lists.map(|(title, names)| format!(" {title}: {}.", names.join(", "))).collect();
    let flaws: Vec<&str> = system.flaws.iter().map(|flaw| flaw.name).collect();
    let keys: Vec<&str> = system.keys.iter().map(|key| key.name).collect();
    Row::new(system.name, system.about)
        .with("data", json!(data))
        .with("orders", json!(orders))
        .with("roles", json!(system.roles))
        .with("keys", json!(keys))
        .with("flaws", json!(flaws))
        .also(also)
}

fn flaw_rows(system: &System) -> impl Iterator<Item = Row> {
    system.flaws.iter().map(|flaw| {
        // One name for all readers: a person finds the number before the sentence.
        let row = Row::new(format!("{} {}", system.name, flaw.name), format!("{}: {}", flaw.id, flaw.text));
        row.with("protocol", system.name.into()).with("flaw", flaw.name.into()).with("id", flaw.id.into())
    })
}

/// A model, and by which level it is judged if nothing is said.
fn model_row(model: Model) -> Row {
    let level = model.usual_level().map(Consistency::name);
    let also = level.map_or_else(String::new, |level| format!(" Level: {level}."));
    Row::new(model.name(), words::of_model(model)).with("level", level.into()).also(also)
}

/// What it is called in `do`, what it does, and which keys it has beside those of every fault.
fn fault_row(fault: &'static Section) -> Row {
    let shared: Vec<&str> = common(FAULTS).iter().map(|entry| entry.name).collect();
    let own: Vec<&str> = fault.parts.last().into_iter().flat_map(|part| part.iter()).map(|entry| entry.name).collect();
    let also = format!(" Keys: {}.", own.join(", "));
    let all: Vec<&str> = fault.entries().map(|entry| entry.name).filter(|name| !shared.contains(name)).collect();
    Row::new(scenarios::sections::fault_name(fault), fault.text).with("keys", json!(all)).also(also)
}

fn check_row(sentence: &str, text: &str, list: &str, systems: &[System]) -> Row {
    let promised = scenarios::promises::promised_by(sentence, systems);
    let also = promised.map_or(String::new(), |promised| format!(" With default settings {promised}."));
    Row::new(sentence, text).with("list", list.into()).also(also)
}

/// The scenarios that ship, or whatever lies below the current directory.
fn scenarios_here(systems: &'static [System]) -> Result<Vec<Row>, Failure> {
    let shipped = Path::new(SHIPPED);
    let at_shipped = if shipped.is_dir() { scenarios_below(shipped, systems)? } else { Vec::new() };
    // Those that ship are nothing to somebody who has other systems.
    if at_shipped.is_empty() { scenarios_below(Path::new("."), systems) } else { Ok(at_shipped) }
}

fn scenarios_below(root: &Path, systems: &'static [System]) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for path in files::scenarios_at(root)? {
        if let Ok(loaded) = load::quietly(&path, &[], systems) {
            rows.push(Row::new(path.display().to_string(), loaded.draft.about()));
        }
    }
    Ok(rows)
}

/// Where a checkout keeps its scenarios.
const SHIPPED: &str = "scenarios/files";

/// The scenarios of a checkout that switch this flaw on, each with what it is about.
pub fn scenarios_with(flaw: &str, systems: &'static [System]) -> Vec<(String, String)> {
    let paths = files::scenarios_at(Path::new(SHIPPED)).unwrap_or_default();
    let shows = |path: &Path| {
        let loaded = load::quietly(path, &[], systems).ok()?;
        let scenario = loaded.resolve(loaded.draft.seed()).ok()?;
        let has_it = scenario.protocol.flaws.names().contains(&flaw);
        has_it.then(|| (path.display().to_string(), loaded.draft.about().to_owned()))
    };
    paths.iter().filter_map(|path| shows(path)).collect()
}
