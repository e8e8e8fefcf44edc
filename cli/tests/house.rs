//! The house's arrows and absences: who may know whom, and what is nowhere.
#![expect(clippy::disallowed_methods, reason = "reads the sources and asks cargo for the crates")]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What each crate may use of the others. Dependencies for tests and benches are free.
const ARROWS: [(&str, &[&str]); 7] = [
    ("history", &[]),
    ("sim-core", &["history"]),
    ("protocols", &["history", "sim-core"]),
    ("checkers", &["history"]),
    ("scenarios", &["checkers", "history", "protocols", "sim-core"]),
    ("reports", &["checkers", "history"]),
    // `protocols` for one thing only: others' systems get the client that ours share.
    ("stormglass", &["checkers", "history", "protocols", "reports", "scenarios", "sim-core"]),
];

fn metadata() -> Value {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(ROOT);
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

/// By crate, the names of its dependencies (not those of its tests and benches).
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let name = |value: &Value| value["name"].as_str().expect("a name").to_owned();
    let normal = |dependency: &&Value| dependency["kind"].is_null();
    let of = |package: &Value| {
        let all = package["dependencies"].as_array().expect("dependencies");
        (name(package), all.iter().filter(normal).map(name).collect())
    };
    packages.iter().map(of).collect()
}

#[test]
fn every_crate_knows_only_whom_it_may() {
    let found = dependencies();
    let crates: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(found.keys().map(String::as_str).collect::<BTreeSet<_>>(), crates, "seven crates");
    for (name, may_know) in ARROWS {
        for known in found[name].iter().filter(|dependency| crates.contains(dependency.as_str())) {
            assert!(may_know.contains(&known.as_str()), "{name} must not know {known}");
        }
    }
}

#[test]
fn nobody_draws_from_other_dice_and_only_scenarios_read_toml() {
    let found = dependencies();
    for (name, dependencies) in &found {
        let uses = |crate_: &str| dependencies.contains(crate_);
        assert!(!uses("rand") && !uses("rand_distr"), "{name}: sampling is ours, in integers");
        assert_eq!(uses("rand_chacha"), name == "sim-core", "{name}: all chance comes from the engine's dice");
        assert_eq!(uses("toml"), name == "scenarios", "{name}: one crate reads scenario files");
        assert_eq!(uses("clap"), name == "stormglass", "{name}: one crate reads arguments");
    }
}

/// Every source file of a crate, without its tests.
fn sources(name: &str) -> Vec<(PathBuf, String)> {
    fn below(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).expect("a directory") {
            let path = entry.expect("readable").path();
            let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
            if path.is_dir() && !is_test {
                below(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    below(&Path::new(ROOT).join(name).join("src"), &mut found);
    assert!(!found.is_empty(), "{name} has sources");
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("readable");
        let without_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
        (path, without_tests)
    };
    found.into_iter().map(read).collect()
}

/// Code only: comments may say what a thing is not.
fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split("//").next().unwrap_or_default())
}

#[test]
fn the_engine_names_no_protocol_no_data_type_and_no_checker() {
    for (path, text) in sources("sim-core") {
        for word in ["Raft", "Paxos", "Dynamo", "Kv", "Register", "linearizable", "toml"] {
            let found = code_lines(&text).find(|line| line.contains(word));
            assert!(found.is_none(), "{}: {found:?}", path.display());
        }
    }
}

#[test]
fn a_protocol_sees_no_true_time_and_no_scenario() {
    for (path, text) in sources("protocols") {
        for word in ["sim_core::world", "sim_core::setup", "sim_core::fault", "checkers::", "toml"] {
            let found = code_lines(&text).find(|line| line.contains(word));
            assert!(found.is_none(), "{}: {found:?}", path.display());
        }
    }
}

/// It hands the shared client to whoever writes a system of his own, and every system that it runs comes from a table.
#[test]
fn the_command_names_no_protocol() {
    for (path, text) in sources("cli") {
        let hands_on = ["lib.rs", "prelude.rs"].iter().any(|name| path.ends_with(name));
        for word in ["protocols::", "Raft"] {
            let mut found = code_lines(&text).filter(|line| line.contains(word));
            let foreign = found.find(|line| !(hands_on && line.starts_with("pub use")));
            assert!(foreign.is_none(), "{}: {foreign:?}", path.display());
        }
    }
}

/// Clippy holds the same for the functions it is told of; this holds it for whole modules.
#[test]
fn below_the_command_line_nobody_touches_the_outside() {
    for name in ["history", "sim-core", "protocols", "checkers", "scenarios", "reports"] {
        for (path, text) in sources(name) {
            for word in ["std::fs", "std::env", "std::thread", "std::process", "std::net", "Instant::now", "println!"] {
                let found = code_lines(&text).find(|line| line.contains(word));
                assert!(found.is_none(), "{}: {found:?}", path.display());
            }
        }
    }
}

/// The project speaks of itself alone.
#[test]
fn no_path_of_a_machine_is_in_the_tree() {
    for (name, _) in ARROWS {
        let folder = if name == "stormglass" { "cli" } else { name };
        for (path, text) in sources(folder) {
            for root in ["/home/", "/root/", "/usr/local/"] {
                assert!(!text.contains(root), "{} names {root}", path.display());
            }
        }
    }
}
