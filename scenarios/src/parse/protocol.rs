//! `[protocol]`: the system under test, its settings, its flaws.

use crate::codes;
use crate::diagnostics::{Diagnostic, Origin};
use crate::scenario::Protocol;
use crate::sections::PROTOCOL;
use crate::systems::{Surroundings, System};
use crate::text::entry::{Entry, quoted};
use crate::text::quantity::{Given, did_you_mean};
use crate::text::reader::Reader;
use crate::text::{Problems, Table};
use sim_core::settings::{Flaws, Values};

/// The system that the table names.
pub(super) fn system<'a>(table: &Table, systems: &'a [System], problems: &Problems) -> Option<&'a System> {
    let names: Vec<&str> = systems.iter().map(|system| system.name).collect();
    let Some(value) = table.get("name") else {
        let problem = Diagnostic::new(&codes::MISSING_KEY, &table.origin, "[protocol] has no `name`");
        problems.push(problem.help(format!("the systems are {}", quoted(&names))));
        return None;
    };
    let takes = PROTOCOL.entry("name").expect("a protocol has a name").takes;
    let name = problems.note(Given { key: "name", takes, value }.text())?;
    let found = systems.iter().find(|system| system.name == name);
    if found.is_none() {
        let problem = Diagnostic::new(&codes::UNKNOWN_SYSTEM, &value.origin, format!("there is no system `{name}`"));
        problems.push(problem.label(did_you_mean(name, &names)).help(format!("the systems are {}", quoted(&names))));
    }
    found
}

/// Its settings, with what is around them.
pub(super) fn protocol(
    table: &Table,
    system: &System,
    around: Surroundings<'_>,
    problems: &Problems,
) -> Option<Protocol> {
    let entries: Vec<Entry> = PROTOCOL.entries().copied().chain(system.keys.iter().map(Entry::from_key)).collect();
    let title = format!("[protocol] for `{}`", system.name);
    let reader = Reader::with_entries(table, &title, entries, PROTOCOL.title, problems);
    let mut values = Values::default();
    for key in system.keys {
        values.set(key, reader.protocol_setting(key.name));
    }
    let flaws = Flaws::new(reader.texts("flaws").into_iter().filter_map(|(name, origin)| {
        let names: Vec<&str> = system.flaws.iter().map(|flaw| flaw.name).collect();
        let found = system.flaws.iter().find(|flaw| flaw.name == name);
        found.ok_or_else(|| unknown_flaw(name, &names, system, origin)).map_err(|problem| problems.push(problem)).ok()
    }));
    if let Err(rejected) = (system.check)(&values, flaws.clone(), around) {
        reader.tell(&codes::REJECTED, rejected.key, rejected.message);
        return None;
    }
    Some(Protocol { name: system.name, serving: system.serving, reveals: system.reveals, values, flaws })
}

fn unknown_flaw(name: &str, names: &[&str], system: &System, origin: &Origin) -> Diagnostic {
    let message = format!("{} has no flaw `{name}`", system.name);
    let help = if names.is_empty() { "it has none".to_owned() } else { format!("its flaws are {}", quoted(names)) };
    Diagnostic::new(&codes::UNKNOWN_FLAW, origin, message).label(did_you_mean(name, names)).help(help)
}
