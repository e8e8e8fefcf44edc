//! `[layout]`: regions, zones, and a link between any two zones from what the file says of some.

use super::delays::{self, LinkTraits};
use crate::codes;
use crate::diagnostics::{Diagnostic, Origin};
use crate::layout::{Layout, Link, PRESETS, Preset, Zone};
use crate::sections::{LAYOUT, REGION};
use crate::text::entry::{Takes, quoted};
use crate::text::quantity::{Given, check_name, did_you_mean};
use crate::text::reader::Reader;
use crate::text::{self, Problems, Table};

/// The preset of this name.
pub(super) fn preset(name: &str) -> Option<Layout> {
    PRESETS.iter().find(|preset| preset.name == name).map(load)
}

fn load(preset: &'static Preset) -> Layout {
    let table = text::parse(preset.text).expect("a preset is TOML");
    let problems = Problems::default();
    let layout = own(&table, &problems);
    let problems = problems.into_inner();
    assert!(problems.is_empty(), "preset {}: {problems:?}", preset.name);
    Layout { preset: Some(preset.name), ..layout.expect("without problems there is a layout") }
}

/// A layout of the file's own.
pub(super) fn own(table: &Table, problems: &Problems) -> Option<Layout> {
    let reader = Reader::new(table, &LAYOUT, problems);
    let zones = zones(reader.table("regions")?, problems)?;
    let mut layout = Layout { preset: None, zones, links: Vec::new() };
    let ways = ways(reader.table("links")?, &layout, problems);
    let mut missing = Vec::new();
    for from in 0..layout.zones.len() {
        for to in 0..layout.zones.len() {
            match best(&ways, &layout, from, to) {
                Some(way) => layout.links.push(Link {
                    from,
                    to,
                    name: link_name(way, &layout, from, to),
                    delay: way.traits.delay,
                    loss: way.traits.loss,
                    duplicate: way.traits.duplicate,
                    bandwidth: way.traits.bandwidth,
                }),
                None => missing.push(missing_entry(&layout, from, to)),
            }
        }
    }
    missing.sort();
    missing.dedup();
    if let Some(first) = missing.first() {
        let message = format!("[layout.links] says nothing of {first}");
        let problem = Diagnostic::new(&codes::BAD_LINKS, &reader.origin("links"), message);
        problems.push(problem.help(format!("missing: {}", missing.join(", "))));
        return None;
    }
    Some(layout)
}

fn zones(regions: &Table, problems: &Problems) -> Option<Vec<Zone>> {
    let is_only = regions.entries.len() == 1;
    let mut zones: Vec<Zone> = Vec::new();
    for entry in &regions.entries {
        let given = Given { key: &entry.key, takes: Takes::Table(&REGION), value: &entry.value };
        problems.note(check_name(&entry.key, &entry.key_origin))?;
        let table = problems.note(given.table())?;
        let reader = Reader::numbered(table, &REGION, &format!("region `{}`", entry.key), problems);
        let provider = reader.name("provider");
        for (zone, origin) in reader.texts("zones") {
            problems.note(check_name(zone, origin))?;
            let name = if is_only { zone.to_owned() } else { format!("{}-{zone}", entry.key) };
            if zones.iter().any(|other| other.name == name) || regions.get(&name).is_some() {
                let message = format!("there are two places called `{name}`");
                problems.push(Diagnostic::new(&codes::DUPLICATE_NAME, origin, message));
            }
            zones.push(Zone { name, region: entry.key.clone(), provider: provider.clone() });
        }
    }
    if zones.is_empty() || zones.len() > ZONES_MAX {
        let message = format!("a layout has 1 to {ZONES_MAX} zones; this one has {}", zones.len());
        problems.push(Diagnostic::new(&codes::BAD_VALUE, &regions.origin, message));
        return None;
    }
    Some(zones)
}

/// There is a link from every zone to every zone.
const ZONES_MAX: usize = 99;

/// An entry of `[layout.links]`.
struct Way {
    reach: Reach,
    /// How much an entry knows of the pair: more beats less.
    rank: u8,
    traits: LinkTraits,
}

#[derive(PartialEq)]
enum Reach {
    SameZone,
    SameRegion,
    Regions(String, String),
    Zones(usize, usize),
}

fn ways(table: &Table, layout: &Layout, problems: &Problems) -> Vec<Way> {
    let mut ways: Vec<Way> = Vec::new();
    for entry in &table.entries {
        let given = Given { key: &entry.key, takes: Takes::Delay, value: &entry.value };
        let link = delays::link(given, problems);
        let reaches = problems.note(reaches(&entry.key, &entry.key_origin, layout));
        let (Some(traits), Some((reaches, rank))) = (link, reaches) else { continue };
        if ways.iter().any(|way| way.rank == rank && reaches.contains(&way.reach)) {
            let message = format!("another entry says the same as `{}`", entry.key);
            problems.push(Diagnostic::new(&codes::BAD_LINKS, &entry.key_origin, message));
        }
        ways.extend(reaches.into_iter().map(|reach| Way { reach, rank, traits }));
    }
    ways
}

/// The pairs that a key speaks of, and how exactly it does.
fn reaches(key: &str, origin: &Origin, layout: &Layout) -> Result<(Vec<Reach>, u8), Diagnostic> {
    let (ends, both_ways) = match key {
        "same-zone" => return Ok((vec![Reach::SameZone], 0)),
        "same-region" => return Ok((vec![Reach::SameRegion], 0)),
        _ => (link_ends(key), key.contains("<->")),
    };
    let bad = |message: String| Diagnostic::new(&codes::BAD_LINKS, origin, message);
    let Some((from, to)) = ends else {
        let label = did_you_mean(key, &["same-zone", "same-region"]);
        let help = "a link is called `same-zone`, `same-region`, \"a <-> b\" or, for one way, \"a -> b\"";
        return Err(bad(format!("`{key}` is not the name of a link")).label(label).help(help));
    };
    let one_way = if both_ways { 0 } else { 1 };
    let zone = |name: &str| layout.zones.iter().position(|zone| zone.name == name);
    if let (Some(from), Some(to)) = (zone(from), zone(to)) {
        let back = both_ways.then_some(Reach::Zones(to, from));
        return Ok(([Reach::Zones(from, to)].into_iter().chain(back).collect(), 4 + one_way));
    }
    let regions = layout.regions();
    for name in [from, to] {
        if !regions.contains(&name) {
            let label = did_you_mean(name, &layout.places());
            let help = format!("a link joins two regions or two zones: {}", quoted(&layout.places()));
            return Err(bad(format!("the link `{key}` cannot be: `{name}` is no region here")).label(label).help(help));
        }
    }
    if from == to {
        return Err(bad(format!("`{key}` joins a region with itself; that is `same-region`")));
    }
    let back = both_ways.then(|| Reach::Regions(to.to_owned(), from.to_owned()));
    Ok(([Reach::Regions(from.to_owned(), to.to_owned())].into_iter().chain(back).collect(), 2 + one_way))
}

/// The two ends of `a <-> b` or `a -> b`.
pub(super) fn link_ends(name: &str) -> Option<(&str, &str)> {
    let (from, to) = name.split_once("<->").or_else(|| name.split_once("->"))?;
    let (from, to) = (from.trim(), to.trim());
    (!from.is_empty() && !to.is_empty()).then_some((from, to))
}

/// What the file says of this pair; the most exact entry counts.
fn best<'a>(ways: &'a [Way], layout: &Layout, from: usize, to: usize) -> Option<&'a Way> {
    let regions = (layout.zones[from].region.as_str(), layout.zones[to].region.as_str());
    let meant = |way: &&Way| match &way.reach {
        Reach::SameZone => from == to,
        Reach::SameRegion => from != to && regions.0 == regions.1,
        Reach::Regions(a, b) => regions == (a, b),
        Reach::Zones(a, b) => (from, to) == (*a, *b),
    };
    ways.iter().filter(meant).max_by_key(|way| way.rank)
}

fn link_name(way: &Way, layout: &Layout, from: usize, to: usize) -> String {
    let (from_zone, to_zone) = (&layout.zones[from], &layout.zones[to]);
    match &way.reach {
        Reach::Regions(from, to) => format!("{from} -> {to}"),
        Reach::SameRegion | Reach::Zones(..) => format!("{} -> {}", from_zone.name, to_zone.name),
        Reach::SameZone => from_zone.name.clone(),
    }
}

fn missing_entry(layout: &Layout, from: usize, to: usize) -> String {
    let (a, b) = (&layout.zones[from].region, &layout.zones[to].region);
    if from == to {
        "`same-zone`".to_owned()
    } else if a == b {
        "`same-region`".to_owned()
    } else {
        format!("\"{} <-> {}\"", a.min(b), a.max(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::DelaySpec;
    use sim_core::dice::Ratio;
    use sim_core::fault::{Bandwidth, PlaceKind};

    fn layout(text: &str) -> Result<Layout, Vec<String>> {
        let table = text::parse(text).unwrap();
        let problems = Problems::default();
        let layout = own(&table, &problems);
        let messages: Vec<String> = problems.into_inner().into_iter().map(|problem| problem.message).collect();
        if messages.is_empty() { Ok(layout.unwrap()) } else { Err(messages) }
    }

    #[test]
    fn every_preset_can_be_read() {
        for preset in PRESETS {
            let layout = load(preset);
            assert_eq!(layout.links.len(), layout.zones.len() * layout.zones.len(), "{}", preset.name);
        }
        assert_eq!(preset("three-zones").unwrap().zones_of("local"), [0, 1, 2]);
        assert_eq!(preset("three-regions").unwrap().zones_of("us-west"), [1]);
    }

    /// Links between regions share the fibre's name; an entry for two zones, or for one way, beats a wider one.
    #[test]
    fn the_most_exact_entry_counts() {
        let layout = layout(
            r#"
            regions = { e = { zones = ["a", "b"] }, w = { zones = ["a"] } }
            [links]
            same-zone = "1ms"
            same-region = "2ms"
            "e <-> w" = "30ms"
            "w -> e" = { delay = "40ms", loss = "1%" }
            "e-b <-> w-a" = { dist = "uniform", min = "5ms", max = "6ms", duplicate = "2%" }
            "#,
        )
        .unwrap();
        let link = |from: &str, to: &str| {
            let zone = |name: &str| layout.zones.iter().position(|zone| zone.name == name).unwrap();
            let link = layout.links.iter().find(|link| (link.from, link.to) == (zone(from), zone(to))).unwrap();
            (link.name.as_str(), link.delay, link.loss)
        };
        let ms = |ms: u64| DelaySpec::Fixed(ms * sim_core::time::MILLISECOND);
        let none = Ratio::new(0, 100);
        assert_eq!(link("e-a", "e-a"), ("e-a", ms(1), Ratio::ZERO));
        assert_eq!(link("e-a", "e-b"), ("e-a -> e-b", ms(2), Ratio::ZERO));
        assert_eq!(link("e-a", "w-a"), ("e -> w", ms(30), Ratio::ZERO));
        assert_eq!(link("w-a", "e-a"), ("w -> e", ms(40), Ratio::new(1, 100)));
        let direct = DelaySpec::Uniform { min: 5_000_000, max: 6_000_000 };
        assert_eq!(link("e-b", "w-a"), ("e-b -> w-a", direct, none));
        assert_eq!(link("w-a", "e-b"), ("w-a -> e-b", direct, none));
    }

    #[test]
    fn links_have_a_bandwidth_and_regions_a_provider_if_they_say_so() {
        let text = |queue: &str| {
            format!(
                r#"
                regions = {{ e = {{ zones = ["a", "b"], provider = "one" }}, w = {{ zones = ["a"] }} }}
                [links]
                same-zone = {{ delay = "1ms", {queue} }}
                same-region = "2ms"
                "e <-> w" = {{ dist = "exp", mean = "30ms", bandwidth = "8Mbit/s", queue = "1KiB" }}
                "#
            )
        };
        let layout = |queue| layout(&text(queue));
        let found = layout("bandwidth = \"1GB/s\"").unwrap();
        assert_eq!((found.named(PlaceKind::Providers), found.named(PlaceKind::Zones).len()), (vec!["one"], 3));
        let of = |name: &str| found.links.iter().find(|link| link.name == name).unwrap().bandwidth;
        assert_eq!(of("w -> e"), Some(Bandwidth { bytes_per_second: 1_000_000, queue: 1024 }));
        assert_eq!(of("e-a"), Some(Bandwidth { bytes_per_second: 1_000_000_000, queue: 64_000 }));
        assert_eq!(of("e-a -> e-b"), None);
        assert_eq!(layout("queue = \"1KB\"").unwrap_err(), ["`queue` goes with `bandwidth`"]);
        assert!(layout("bandwidth = \"1MB\"").unwrap_err()[0].contains("is not a bandwidth"));
    }

    #[test]
    fn what_is_missing_is_listed() {
        let found = layout(r#"regions = { e = { zones = ["a"] }, w = { zones = ["a"] } }"#.to_owned().as_str());
        assert!(found.unwrap_err()[0].contains("has no `links`"));
        let found =
            layout("regions = { e = { zones = [\"a\"] }, w = { zones = [\"a\"] } }\nlinks = { same-zone = \"1ms\" }");
        assert_eq!(found.unwrap_err(), ["[layout.links] says nothing of \"e <-> w\""]);
    }
}
