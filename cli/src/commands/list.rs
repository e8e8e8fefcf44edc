//! `stormglass list`: what there is, one line each.

use crate::args::Kind;
use crate::exit::{Done, Exit};
use crate::{files, load, screen};
use history::Verdict;
use scenarios::entry::Section;
use scenarios::systems::System;
use std::path::Path;

pub fn list(kind: Kind, systems: &'static [System]) -> Done {
    let rows: Vec<(String, String)> = match kind {
        Kind::Protocols => systems
            .iter()
            .map(|system| {
                let data: Vec<&str> = system.data.iter().map(|kind| kind.name).collect();
                let orders: Vec<&str> = system.orders.iter().map(|order| order.name).collect();
                let orders = if orders.is_empty() { String::new() } else { format!(" Orders: {}.", orders.join(", ")) };
                (system.name.to_owned(), format!("{} Data: {}.{orders}", system.about, data.join(", ")))
            })
            .collect(),
        Kind::Flaws => systems
            .iter()
            .flat_map(|system| {
                system
                    .flaws
                    .iter()
                    .map(move |flaw| (format!("{} {}", system.name, flaw.name), format!("{}: {}", flaw.id, flaw.text)))
            })
            .collect(),
        Kind::Faults => scenarios::sections::FAULTS.iter().map(|fault| fault_row(fault)).collect(),
        Kind::Checks => scenarios::CHECKS
            .iter()
            .chain(&scenarios::GOALS)
            .map(|(sentence, text)| ((*sentence).to_owned(), format!("{text}{}", promised_by(sentence, systems))))
            .collect(),
        Kind::Layouts => {
            scenarios::layout::PRESETS.iter().map(|preset| (preset.name.to_owned(), preset.about.to_owned())).collect()
        }
        Kind::Scenarios => scenarios_here(systems)?,
    };
    if rows.is_empty() {
        screen::complain("there is none here");
        return Ok(Exit::Judged(Verdict::Vacuous));
    }
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let look = screen::look();
    let text: String = rows.iter().map(|(name, text)| format!("{name:<width$}  {}\n", look.shown(text))).collect();
    screen::print(&text)?;
    Ok(Exit::Judged(Verdict::Pass))
}

/// Who makes the promise that a check demands.
fn promised_by(sentence: &str, systems: &[System]) -> String {
    let promised = scenarios::promises::promised_by(sentence, systems);
    promised.map(|promised| format!(" With default settings {promised}.")).unwrap_or_default()
}

/// What it is called in `do`, what it does, and which keys it has beside those of every fault.
fn fault_row(fault: &Section) -> (String, String) {
    let own: Vec<&str> = fault.parts.last().into_iter().flat_map(|part| part.iter()).map(|entry| entry.name).collect();
    (scenarios::sections::fault_name(fault).to_owned(), format!("{} Keys: {}.", fault.text, own.join(", ")))
}

/// The scenarios that ship, or whatever lies below the current directory.
fn scenarios_here(systems: &'static [System]) -> Result<Vec<(String, String)>, crate::exit::Failure> {
    let shipped = Path::new("scenarios/files");
    let at_shipped = if shipped.is_dir() { scenarios_below(shipped, systems)? } else { Vec::new() };
    // Those that ship are nothing to somebody who has other systems.
    if at_shipped.is_empty() { scenarios_below(Path::new("."), systems) } else { Ok(at_shipped) }
}

fn scenarios_below(root: &Path, systems: &'static [System]) -> Result<Vec<(String, String)>, crate::exit::Failure> {
    let mut rows = Vec::new();
    for path in files::scenarios_at(root)? {
        if let Ok(loaded) = load::quietly(&path, &[], systems) {
            rows.push((path.display().to_string(), loaded.draft.about().to_owned()));
        }
    }
    Ok(rows)
}
