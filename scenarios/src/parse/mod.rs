//! From the tree of values to a [`Scenario`]: one file per section, and [`draft`] for what a seed decides before they are read.
//!
//! A section that is broken does not stop the others from being read, so that all mistakes are told at once. What a later
//! section needs of a broken one (the roles of an unknown system, the zones of a broken layout) is then unknown, and
//! what would be compared with it goes unchecked until the first mistake is mended.

mod cluster;
mod delays;
mod disk;
mod draft;
mod expect;
mod fault;
mod layout;
mod load;
mod machine;
mod nemesis;
mod network;
mod operate;
mod protocol;
pub(crate) mod script;
mod sentence;
mod sweep;
mod target;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use draft::read;
pub use draft::{Draft, Identity};
pub(crate) use expect::check_of;
pub(crate) use fault::one_fault;
pub(crate) use network::PLACES;
pub use sentence::{CHECKS, GOALS};
pub use sweep::{StopAfter, Sweep, Variant};
pub use target::TARGETS;

use crate::codes;
use crate::diagnostics::{Diagnostic, Origin, sort};
use crate::layout::Layout;
use crate::promises::Promises;
use crate::scenario::{Clock, Scenario};
use crate::sections::TOP;
use crate::systems::{Surroundings, System};
use crate::text::quantity::Given;
use crate::text::reader::Reader;
use crate::text::{self, Problems, Table};
use history::Draw;
use sim_core::time::Nanos;

/// More errors than this help nobody.
const ERRORS_MAX: usize = 20;

/// Reads a scenario, as far as that goes without a seed.
///
/// `file_stem` names it if it does not name itself; `overrides` are keys and values given with `--set`; `systems` are
/// what it may run. With the scenario come warnings.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file: whatever is drawn, every alternative and both ends of every
/// range were tried. Warnings wait until it can be read.
pub fn parse<'a>(
    source: &str,
    file_stem: &str,
    overrides: &[(String, String)],
    systems: &'a [System],
) -> Result<(Draft<'a>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut root = text::parse(source).map_err(capped)?;
    let problems = Problems::default();
    for (key, value) in overrides {
        problems.note(text::overrides::apply(&mut root, key, value));
    }
    let sweep = sweep::take(&mut root, overrides, &problems);
    let unnamed = root.clone();
    text::names::give(&mut root);
    let (mut draft, mut found) = Draft::new(root, file_stem, systems, problems)?;
    draft.sweep = sweep.read(&unnamed, &draft, &mut found);
    let (errors, warnings): (Vec<_>, Vec<_>) = found.into_iter().partition(draft::is_error);
    if errors.is_empty() { Ok((draft, capped(warnings))) } else { Err(capped(errors)) }
}

/// In order, and not more than a few.
fn capped(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    sort(&mut found);
    // What two sections read is told once.
    found.dedup();
    if found.len() > ERRORS_MAX {
        let more = format!("{} more problems are not shown", found.len() - ERRORS_MAX);
        found.truncate(ERRORS_MAX);
        found.push(Diagnostic::new(&codes::TOO_MANY, &Origin::Whole, more));
    }
    found
}

/// From a tree in which everything is decided.
fn walk(root: &Table, draws: Vec<Draw>, file_stem: &str, systems: &[System], problems: &Problems) -> Option<Scenario> {
    let top = Reader::numbered(root, &TOP, "the scenario", problems);
    let about = top.text("about");
    if about.as_ref().is_none_or(|about| about.trim().is_empty()) {
        let message = "the scenario does not say what it is about";
        let help = "`about = \"Cut the leader off. Writes should come back within 2 s.\"`";
        problems.push(Diagnostic::new(&codes::NO_ABOUT, &Origin::Whole, message).help(help));
    }
    let duration = top.time("duration");
    let layout = cluster::layout(&top, problems);
    let system = top.table("protocol").and_then(|table| protocol::system(table, systems, problems));
    let cluster = cluster::cluster(&top, layout.as_ref(), system, problems);
    let nodes = cluster.as_ref().map(|cluster| cluster.zones.len() as u32);
    let loads = load::loads(&top, system, layout.as_ref(), duration, problems);
    let data = loads.as_ref().and_then(|loads| loads.first()).map(|load| load.data.name);
    let around = Surroundings { nodes, data };
    let protocol = system.and_then(|system| protocol::protocol(top.table("protocol")?, system, around, problems));
    let scene = Scene {
        system,
        layout: layout.as_ref(),
        nodes: cluster.as_ref().map(|cluster| cluster.zones.as_slice()),
        clock: cluster.as_ref().map(|cluster| cluster.clock),
        clients: loads.as_ref().map(|loads| loads.iter().flat_map(|load| &load.zones).copied().collect()),
        duration,
        load_end: loads.as_ref().and_then(|loads| loads.iter().map(|load| load.until).max()),
        problems,
    };
    let faults = fault::faults(&top.tables("fault"), &scene);
    let promises = match (system, &protocol, &cluster, &faults) {
        (Some(system), Some(protocol), Some(cluster), Some(faults)) => {
            Some(Promises::new(system, protocol, cluster, layout.as_ref(), faults).on(data))
        }
        (_, _, _, _) => None,
    };
    let expect = expect::expect(&top, &scene, loads.as_deref(), promises.as_ref());
    let nemesis = top.table("nemesis").map(|table| nemesis::nemesis(table, &scene));
    Some(Scenario {
        name: top.name("name").unwrap_or_else(|| file_stem.to_owned()),
        about: about.unwrap_or_default(),
        duration: duration?,
        settle: top.time("settle")?,
        seed: top.count("seed")?,
        cluster: cluster?,
        protocol: protocol?,
        loads: loads?,
        faults: faults?,
        nemesis: match nemesis {
            Some(nemesis) => Some(nemesis?),
            None => None,
        },
        expect: expect?,
        layout: layout?,
        draws,
    })
}

/// What faults and expectations are compared with, as far as it is known.
pub(crate) struct Scene<'a> {
    pub system: Option<&'a System>,
    layout: Option<&'a Layout>,
    /// By node, its zone.
    nodes: Option<&'a [usize]>,
    /// How wrong clocks are from the start.
    clock: Option<Clock>,
    /// By client, its zone.
    clients: Option<Vec<usize>>,
    duration: Option<Nanos>,
    /// When the last load ends; `None` if there is none.
    load_end: Option<Nanos>,
    problems: &'a Problems,
}

impl<'a> Scene<'a> {
    /// That of a whole scenario.
    pub fn of(scenario: &'a Scenario, system: Option<&'a System>, problems: &'a Problems) -> Self {
        Scene {
            system,
            layout: Some(&scenario.layout),
            nodes: Some(&scenario.cluster.zones),
            clock: Some(scenario.cluster.clock),
            clients: Some(scenario.loads.iter().flat_map(|load| &load.zones).copied().collect()),
            duration: Some(scenario.duration),
            load_end: scenario.loads.iter().map(|load| load.until).max(),
            problems,
        }
    }
}

fn version(root: &Table) -> Result<(), Diagnostic> {
    const READS: &str = "1";
    let entry = TOP.entry("scenario").expect("the scenario has a version");
    let Some(value) = root.get(entry.name) else {
        let message = "the scenario does not say which format it is written in";
        return Err(Diagnostic::new(&codes::VERSION, &Origin::Whole, message).help("begin it with `scenario = 1`"));
    };
    let given = Given { key: entry.name, takes: entry.takes, value };
    let text::Shape::Number(number) = &value.shape else {
        return Err(given.wrong_type().help("write `scenario = 1`"));
    };
    if number != READS {
        let message = format!("this is written in format {number}, and this version reads format {READS}");
        return Err(Diagnostic::new(&codes::VERSION, &value.origin, message));
    }
    Ok(())
}
