//! `[cluster]`: how many machines, where they stand, how good they are.

use super::{delays, layout};
use crate::codes;
use crate::diagnostics::{Diagnostic, Origin};
use crate::layout::{Layout, PRESETS};
use crate::scenario::{Clock, Cluster};
use crate::sections::{CLOCK, CLUSTER, DISK};
use crate::systems::System;
use crate::text::entry::quoted;
use crate::text::quantity::{Given, did_you_mean};
use crate::text::reader::Reader;
use crate::text::{Problems, Table};
use history::figures::counted;

/// Of a table that the file leaves out, every key is at its default.
pub(super) fn table_or_empty<'a>(reader: &Reader<'a>, key: &str) -> &'a Table {
    static EMPTY: Table = Table { entries: Vec::new(), origin: Origin::Whole };
    reader.table(key).unwrap_or(&EMPTY)
}

/// The layout: a preset, or the file's own.
pub(super) fn layout(top: &Reader<'_>, problems: &Problems) -> Option<Layout> {
    let preset = top.table("cluster").and_then(|table| table.get("layout"));
    match (preset, top.table("layout")) {
        (Some(preset), Some(_)) => {
            let message = "`layout` names a preset, and there is a [layout] too";
            problems.push(Diagnostic::new(&codes::CONFLICT, &preset.origin, message).help("leave one of them out"));
            None
        }
        (None, Some(table)) => layout::own(table, problems),
        (None, None) if top.has("layout") => None,
        (None, None) => layout::preset(PRESETS[0].name),
        (Some(value), None) => {
            let takes = CLUSTER.entry("layout").expect("[cluster] has a layout").takes;
            let name = problems.note(Given { key: "layout", takes, value }.text())?;
            layout::preset(name).or_else(|| {
                let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
                let problem =
                    Diagnostic::new(&codes::UNKNOWN_LAYOUT, &value.origin, format!("there is no layout `{name}`"));
                let help = format!("the presets are {}; or describe your own in [layout.regions]", quoted(&names));
                problems.push(problem.label(did_you_mean(name, &names)).help(help));
                None
            })
        }
    }
}

pub(super) fn cluster(
    top: &Reader<'_>,
    layout: Option<&Layout>,
    system: Option<&System>,
    problems: &Problems,
) -> Option<Cluster> {
    let reader = Reader::new(table_or_empty(top, "cluster"), &CLUSTER, problems);
    let clock = Reader::new(table_or_empty(&reader, "clock"), &CLOCK, problems);
    let disk = Reader::new(table_or_empty(&reader, "disk"), &DISK, problems);
    let drift = clock.share("drift");
    if drift.is_some_and(|drift| 2 * drift.numerator > drift.denominator) {
        clock.tell(&codes::BAD_VALUE, "drift", "a clock's rate is wrong by at most 50%");
    }
    let offset = clock.read("offset", |given| given.offset());
    let fsync = delays::delay(&disk, "fsync", problems);
    let cpu = delays::delay(&reader, "cpu", problems);
    let zones = node_zones(&reader, layout, problems);
    if let (Some(zones), Some(system)) = (&zones, system) {
        fits(&reader, zones.len(), system);
    }
    Some(Cluster { zones: zones?, clock: Clock { drift: drift?, offset: offset? }, fsync: fsync?, cpu: cpu? })
}

/// Whether the system runs on so many nodes.
fn fits(reader: &Reader<'_>, nodes: usize, system: &System) {
    let (fewest, most) = system.nodes;
    if (fewest as usize..=most as usize).contains(&nodes) {
        return;
    }
    let takes = match (fewest, most) {
        (fewest, most) if fewest == most => counted(fewest.into(), "node"),
        (fewest, u32::MAX) => format!("at least {}", counted(fewest.into(), "node")),
        (fewest, most) => format!("{fewest} to {most} nodes"),
    };
    let are = if nodes == 1 { "is" } else { "are" };
    let message = format!("{} runs on {takes}, and here {are} {nodes}", system.name);
    reader.tell(&codes::BAD_SIZE, "nodes", message);
}

/// By node, its zone.
fn node_zones(reader: &Reader<'_>, layout: Option<&Layout>, problems: &Problems) -> Option<Vec<usize>> {
    const NODES: u64 = 3;
    const NODES_MAX: usize = 1000;
    let nodes = reader.count("nodes");
    let places = reader.counts("place");
    let layout = layout?;
    let Some(places) = places else {
        return Some(spread(&all_zones(layout), nodes.unwrap_or(NODES) as usize));
    };
    let mut zones = Vec::new();
    for (place, origin, count) in places {
        let there = problems.note(zones_of(layout, place, origin))?;
        if zones.len() + count as usize <= NODES_MAX {
            zones.extend(spread(&there, count as usize));
        } else {
            reader.tell(&codes::BAD_PLACE, "place", format!("`place` has more than {NODES_MAX} nodes"));
            return None;
        }
    }
    let placed = zones.len() as u64;
    if placed != nodes.unwrap_or(placed) || placed == 0 {
        let wanted = nodes.unwrap_or(NODES);
        reader.tell(&codes::BAD_PLACE, "place", format!("`place` has {placed} nodes, and `nodes` is {wanted}"));
        return None;
    }
    Some(zones)
}

/// One zone after the other, over and over.
pub(super) fn spread(zones: &[usize], count: usize) -> Vec<usize> {
    zones.iter().copied().cycle().take(count).collect()
}

pub(super) fn all_zones(layout: &Layout) -> Vec<usize> {
    (0..layout.zones.len()).collect()
}

/// The zones that a place stands for.
pub(super) fn zones_of(layout: &Layout, place: &str, origin: &Origin) -> Result<Vec<usize>, Diagnostic> {
    let zones = layout.zones_of(place);
    if zones.is_empty() {
        let message = format!("there is no region or zone `{place}`");
        let problem =
            Diagnostic::new(&codes::UNKNOWN_PLACE, origin, message).label(did_you_mean(place, &layout.places()));
        return Err(problem.help(format!("the layout has {}", quoted(&layout.places()))));
    }
    Ok(zones)
}
