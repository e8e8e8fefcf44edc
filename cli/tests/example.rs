//! `examples/primary_backup.rs`: a system of somebody else's, which gets the whole command.
#![allow(clippy::disallowed_methods, reason = "tests of the command touch files, as it does")]

mod common;

use common::{Scratch, Told, assert_tells};
use std::path::{Path, PathBuf};
use std::process::Command;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

/// The example as cargo has built it, beside these tests.
fn binary() -> PathBuf {
    let tests = std::env::current_exe().expect("a test has a path");
    let profile = tests.parent().and_then(Path::parent).expect("tests lie in PROFILE/deps");
    let binary = profile.join("examples").join(format!("primary_backup{}", std::env::consts::EXE_SUFFIX));
    assert!(binary.exists(), "`cargo test` builds it; with `--test` say `--examples` too");
    binary
}

#[track_caller]
fn example(here: &Scratch, args: &[&str]) -> Told {
    let ours = here.command(args);
    let mut command = Command::new(binary());
    command.args(args).current_dir(ours.get_current_dir().expect("commands have one"));
    for (name, value) in ours.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Told::by(command)
}

fn file(name: &str) -> String {
    format!("{EXAMPLES}/{name}")
}

#[test]
fn it_passes_and_its_mistake_is_caught() {
    let here = Scratch::new();
    let told = example(&here, &["run", &file("primary_backup.toml")]);
    assert_eq!((told.code, told.err.as_str()), (0, ""), "{told:?}");
    assert_tells(&told.out, &["✓ linearizable", "✓ recovery <= 2s", "✓ primary elected >= 2 times", "n2─"]);
    assert!(told.line("again").starts_with("primary_backup run "), "{told:?}");
    let told = example(&here, &["run", &file("primary_backup-flaw.toml")]);
    assert_eq!(told.code, 1, "{told:?}");
    assert_tells(&told.out, &["✗ linearizable", "promised by primary-backup", "though", "n2 was primary of term 2"]);
    let told = example(&here, &["test", EXAMPLES, "--seeds", "20"]);
    assert_eq!((told.code, told.out.lines().last()), (0, Some("2 passed, 0 failed")), "{told:?}");
}

#[test]
fn every_word_of_the_command_knows_it() {
    let here = Scratch::new();
    let scenario = file("primary_backup.toml");
    let told = example(&here, &["list", "flaws"]);
    assert_tells(&told.out, &["primary-backup ack-before-backup  PB1: The primary answers before"]);
    assert_eq!(told.out.lines().count(), 1, "and no others: {told:?}");
    assert_tells(&example(&here, &["list", "protocols"]).out, &["primary-backup  One register", "Data: register."]);
    assert_tells(&example(&here, &["list", "checks"]).out, &["promised by primary-backup."]);
    assert_eq!(example(&here, &["check", &scenario]).code, 0);
    let told = example(&here, &["check", &scenario, "--plan"]);
    assert_tells(&told.out, &["partition"]);
    let told = example(&here, &["run", &scenario, "--set", "protocol.takeover=1ms"]);
    assert_eq!(told.code, 2, "a key has bounds: {told:?}");
    assert_tells(&told.err, &["at least 100ms"]);
    let told = example(&here, &["replay", &scenario, "--from", "12.9s", "--until", "13.1s", "--node", "n2"]);
    assert_tells(&told.out, &["Wake", "n2 -> c"]);
    let told = example(&here, &["check", &scenario, "--set", "cluster.nodes=3"]);
    assert_eq!(told.code, 2, "it says itself how many it takes: {told:?}");
    assert_tells(&told.err, &["S0212", "primary-backup runs on 2 nodes, and here are 3"]);
}

/// What the README tells somebody to do first.
#[test]
fn its_first_scenario_passes() {
    let here = Scratch::new();
    assert_eq!(example(&here, &["new", "first"]).code, 0);
    for seed in ["1", "2", "3", "4", "5"] {
        let told = example(&here, &["run", "first.toml", "--seed", seed]);
        assert_eq!((told.code, told.err.as_str()), (0, ""), "{told:?}");
    }
    let told = example(&here, &["explain", "out/first-1"]);
    assert_tells(&told.out, &["PASS", "primary-backup"]);
    assert_tells(&here.read("out/first-1/report.html"), &["primary_backup replay first.toml --seed 1"]);
}

/// What the prose shows is what is printed.
#[test]
fn its_readme_shows_what_really_happens() {
    let here = Scratch::new();
    let prose = std::fs::read_to_string(file("README.md")).expect("it is there");
    let quoted: Vec<&str> =
        prose.split("```text\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0)).collect();
    for (block, scenario) in quoted.into_iter().zip(["primary_backup.toml", "primary_backup-flaw.toml"]) {
        let told = example(&here, &["run", &file(scenario)]);
        // The first line says how long it took, the last how the command was given.
        let lines = block.lines().filter(|line| !line.trim().is_empty() && !line.contains(" real, "));
        let lines: Vec<&str> = lines.filter(|line| !line.trim_start().starts_with("again ")).collect();
        assert!(lines.len() > 8, "{block}");
        assert_tells(&told.out, &lines);
    }
}

/// What it does not promise cannot be asked of it.
#[test]
fn its_promises_are_kept_to() {
    let here = Scratch::new();
    let scenario = std::fs::read_to_string(file("primary_backup.toml")).expect("it is there");
    here.write("one-way.toml", scenario.replace("do = \"partition\"", "do = \"partition\"\none-way = true"));
    assert_tells(&example(&here, &["check", "one-way.toml"]).err, &["S0404", "does not hear is not replaced"]);
}

/// Somebody else's crate depends on `stormglass` and on nothing else. Those that the command itself depends on would be
/// found here, and not there.
#[test]
fn it_needs_nothing_but_stormglass() {
    let source = std::fs::read_to_string(file("primary_backup.rs")).expect("it is there");
    let manifest = include_str!("../Cargo.toml");
    let of_command: Vec<String> = manifest
        .lines()
        .filter_map(|line| line.split_once(".workspace").or_else(|| line.split_once(" = {")))
        .map(|(name, _)| name.trim().replace('-', "_"))
        .collect();
    assert!(of_command.iter().any(|name| name == "sim_core"), "{of_command:?}");
    assert!(!of_command.iter().any(|name| name == "serde"), "then its derives would find what others' do not");
    for line in source.lines().filter(|line| !line.trim_start().starts_with("//")) {
        let named = of_command.iter().find(|name| line.contains(&format!("{name}::")));
        assert_eq!(named, None, "{line}");
    }
    let length = source.lines().count();
    assert!(length <= 250, "an example of {length} lines is read by nobody");
}
