//! What the manual shows is what the parser takes.

use scenarios::diagnostics::Severity;
use scenarios::manual::places::places;
use scenarios::manual::{Found, Page, find};
use scenarios::sections::{FAULTS, fault_name};
use scenarios::systems::SYSTEMS;

/// A scenario of a system with this kind of fault.
fn base(kind: &str, system: &str) -> String {
    let page = |kind: &str| match find(&format!("fault.{kind}"), SYSTEMS) {
        Found::Page(page) => page.example,
        other @ (Found::Several(_) | Found::Nothing(_)) => panic!("{kind}: {other:?}"),
    };
    format!(
        "scenario = 1\nabout = \"x\"\nduration = \"60s\"\n[protocol]\nname = \"{system}\"\n[[load]]\n{}\n",
        page(kind)
    )
}

/// Problems that say that a value is not of the kind that its key takes, or that there is no such key.
const MISREAD: [&str; 6] = ["S0001", "S0102", "S0103", "S0104", "S0105", "S0107"];

#[test]
fn every_value_that_is_shown_can_be_read() {
    for place in places(SYSTEMS) {
        let Found::Page(page) = find(&place.path, SYSTEMS) else { panic!("{} is not unique", place.path) };
        let Some(path) = place.set_path() else { continue };
        let steps: Vec<&str> = place.path.split('.').collect();
        let kind = match steps.as_slice() {
            ["fault", kind, _, ..] => kind,
            _ => fault_name(FAULTS[0]),
        };
        let Some((_, set)) = page.facts.iter().find(|(name, _)| *name == "set by") else { continue };
        let set = set.strip_prefix("--set ").expect("it is an argument").trim_matches('\'');
        let (key, value) = set.split_once('=').expect("a key and a value");
        assert_eq!(key, path);
        let misread = |system: &str| {
            let found = scenarios::parse(&base(kind, system), "x", &[(key.to_owned(), value.to_owned())], SYSTEMS);
            let problems = found.map_or_else(|problems| problems, |(_, warnings)| warnings);
            problems.into_iter().find(|problem| MISREAD.contains(&problem.code))
        };
        // A system has keys of its own.
        let misread: Vec<_> = SYSTEMS.iter().map_while(|system| misread(system.name)).collect();
        assert!(misread.len() < SYSTEMS.len(), "--set {set}: {misread:?}");
    }
}

fn page(word: &str) -> Page {
    match find(word, SYSTEMS) {
        Found::Page(page) => *page,
        other @ (Found::Several(_) | Found::Nothing(_)) => panic!("{word}: {other:?}"),
    }
}

#[test]
fn the_example_of_every_fault_is_a_fault() {
    for fault in FAULTS {
        let source = base(fault_name(fault), SYSTEMS[0].name);
        let problems = scenarios::parse(&source, "x", &[], SYSTEMS).err().unwrap_or_default();
        let errors: Vec<_> = problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{source}\n{errors:?}");
    }
}

/// What a page shows of a file is TOML, and has no key that is not one.
#[test]
fn what_is_shown_of_a_file_can_be_read() {
    for place in places(SYSTEMS) {
        let page = page(&place.path);
        if place.path.starts_with("delay.") {
            continue;
        }
        let top = if place.path.contains('.') || page.example.starts_with('[') { "" } else { page.example.as_str() };
        let below = if top.is_empty() { page.example.as_str() } else { "" };
        let source = format!("{top}\n{below}\n");
        let problems = scenarios::parse(&source, "x", &[], SYSTEMS).err().unwrap_or_default();
        let misread = problems.iter().find(|problem| ["S0001", "S0102", "S0103", "S0107"].contains(&problem.code));
        assert!(misread.is_none(), "{}:\n{source}\n{misread:?}", place.path);
    }
}
