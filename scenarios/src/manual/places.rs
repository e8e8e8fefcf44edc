//! Every key of a scenario file under the path that leads to it.

use crate::sections::{EXP, LINK_LOSSES, LOGNORMAL, PARETO, PLAIN_LINK, PROTOCOL, TOP, UNIFORM, fault_name};
use crate::systems::System;
use crate::text::draws::is_fixed;
use crate::text::entry::{Entry, Section, Takes};

/// Stands in a path where a file has a name of its own choice.
pub const OWN_NAME: &str = "NAME";

/// The delays that are written as tables.
pub static SHAPES: [&Section; 4] = [&UNIFORM, &EXP, &LOGNORMAL, &PARETO];

/// A key and where it stands.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// Such as `cluster.clock.drift`, `fault.partition.groups`, `protocol.raft.pre-vote`.
    pub path: String,
    /// The table that takes it.
    pub home: &'static Section,
    /// The key.
    pub entry: Entry,
    /// The system whose own key it is.
    pub system: Option<&'a System>,
}

impl Place<'_> {
    /// The path as `--set` and readers of a file know it: a protocol's key stands below `[protocol]`, whosever it is.
    pub fn shown(&self) -> String {
        match self.system {
            Some(system) => self.path.replacen(&format!(".{}.", system.name), ".", 1),
            None => self.path.clone(),
        }
    }

    /// As `--set` takes it, of the first load or fault; `None` where a file's own names lead to it, or another key's braces.
    pub fn set_path(&self) -> Option<String> {
        let shown = self.shown();
        let steps: Vec<&str> = shown.split('.').collect();
        match steps.as_slice() {
            steps if steps.contains(&OWN_NAME) => None,
            ["delay", ..] => None,
            // The kind is no part of the way to a fault's key.
            ["fault", key] | ["fault", _, key] => Some(format!("fault.0.{key}")),
            ["fault", _, rest @ ..] => Some(format!("fault.0.{}", rest.join("."))),
            ["load", rest @ ..] if !rest.is_empty() => Some(format!("load.0.{}", rest.join("."))),
            _ => Some(shown),
        }
    }

    /// Whether it is the same for every seed.
    pub fn is_fixed(&self) -> bool {
        let steps: Vec<&str> = self.path.split('.').collect();
        match steps.as_slice() {
            [list @ ("load" | "fault"), key] => is_fixed(&[list, OWN_NAME, key]),
            steps => is_fixed(steps),
        }
    }
}

/// All keys, in the order of the key table; those of a table follow the key that holds it.
pub fn places(systems: &[System]) -> Vec<Place<'_>> {
    let mut walk = Walk { systems, found: Vec::new() };
    walk.section(&TOP, "");
    for shape in SHAPES {
        walk.section(shape, &format!("delay.{}", shape_name(shape)));
    }
    walk.found
}

/// What `dist` calls a delay that is written as a table.
pub fn shape_name(shape: &Section) -> &'static str {
    shape.title.split('`').nth(1).expect("the title of a delay quotes its name")
}

/// The keys that every one of these tables takes.
pub fn common(sections: &[&'static Section]) -> Vec<Entry> {
    let Some((first, others)) = sections.split_first() else { return Vec::new() };
    let is_everywhere =
        |entry: &&Entry| others.iter().all(|other| other.entry(entry.name).is_some_and(|its| its.text == entry.text));
    first.entries().filter(is_everywhere).copied().collect()
}

struct Walk<'a> {
    systems: &'a [System],
    found: Vec<Place<'a>>,
}

impl<'a> Walk<'a> {
    fn section(&mut self, section: &'static Section, prefix: &str) {
        for entry in section.entries() {
            self.entry(section, *entry, prefix, None);
        }
        if std::ptr::eq(section, &PROTOCOL) {
            for system in self.systems {
                for key in system.keys {
                    self.entry(section, Entry::from_key(key), &format!("{prefix}.{}", system.name), Some(system));
                }
            }
        }
    }

    fn entry(&mut self, home: &'static Section, entry: Entry, prefix: &str, system: Option<&'a System>) {
        let path = if prefix.is_empty() { entry.name.to_owned() } else { format!("{prefix}.{}", entry.name) };
        self.found.push(Place { path: path.clone(), home, entry, system });
        match entry.takes {
            Takes::Table(inner) | Takes::CountOr(inner) => self.section(inner, &path),
            Takes::Tables([inner]) => self.section(inner, &path),
            Takes::Named(inner) => self.section(inner, &format!("{path}.{OWN_NAME}")),
            Takes::Links => {
                let path = format!("{path}.{OWN_NAME}");
                self.section(&PLAIN_LINK, &path);
                LINK_LOSSES.iter().for_each(|entry| self.entry(&PLAIN_LINK, *entry, &path, None));
            }
            Takes::Tables(sections) => self.kinds(sections, &path),
            Takes::Setting(_)
            | Takes::Text
            | Takes::Share
            | Takes::Rate
            | Takes::Decimal
            | Takes::Offset
            | Takes::Step
            | Takes::Drift
            | Takes::Delay
            | Takes::AddedDelay
            | Takes::Size
            | Takes::Bandwidth
            | Takes::Places
            | Takes::Texts
            | Takes::Name(_)
            | Takes::Names(_)
            | Takes::Targets
            | Takes::Groups
            | Takes::Counts
            | Takes::Matrix
            | Takes::Combinations => {}
        }
    }

    /// What every kind takes stands above the kinds, once.
    fn kinds(&mut self, sections: &[&'static Section], path: &str) {
        let common = common(sections);
        for (i, section) in sections.iter().copied().enumerate() {
            for entry in section.entries() {
                match common.iter().any(|known| known.name == entry.name) {
                    true if i > 0 => {}
                    true => self.entry(section, *entry, path, None),
                    false => self.entry(section, *entry, &format!("{path}.{}", fault_name(section)), None),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::tests::TOY;
    use std::collections::BTreeSet;

    #[test]
    fn every_key_has_a_path_of_its_own() {
        let places = places(std::slice::from_ref(&TOY));
        let paths: BTreeSet<&str> = places.iter().map(|place| &*place.path).collect();
        assert_eq!(paths.len(), places.len());
        for path in [
            "duration",
            "cluster.clock.drift",
            "layout.regions.NAME.zones",
            "layout.links.NAME.loss",
            "load.clients.count",
            "load.model.open.rate",
            "fault.at",
            "fault.crash.for",
            "fault.operate.for",
            "fault.partition.groups",
            "protocol.toy.pre-vote",
            "delay.lognormal.p99",
        ] {
            assert!(paths.contains(path), "{path}");
        }
        assert!(!paths.contains("fault.crash.at"), "it is the same for every kind");
        let shown = places.iter().find(|place| place.path == "protocol.toy.pre-vote").map(Place::shown);
        assert_eq!(shown.as_deref(), Some("protocol.pre-vote"));
        let set = |path: &str| places.iter().find(|place| place.path == path).and_then(Place::set_path);
        for (path, wanted) in [
            ("cluster.clock.drift", "cluster.clock.drift"),
            ("load.keys.count", "load.0.keys.count"),
            ("fault.at", "fault.0.at"),
            ("fault.crash.disk", "fault.0.disk"),
            ("protocol.toy.batch", "protocol.batch"),
        ] {
            assert_eq!(set(path).as_deref(), Some(wanted), "{path}");
        }
        assert_eq!((set("layout.links.NAME.loss"), set("delay.exp.mean")), (None, None));
        let fixed: Vec<&str> = places.iter().filter(|place| place.is_fixed()).map(|place| &*place.path).collect();
        assert_eq!(
            fixed,
            [
                "scenario",
                "name",
                "about",
                "seed",
                "load.name",
                "fault.name",
                "sweep",
                "sweep.seeds",
                "sweep.matrix",
                "sweep.exclude",
                "sweep.stop-after",
                "sweep.stop-after.failures",
                "sweep.stop-after.time"
            ]
        );
    }
}
