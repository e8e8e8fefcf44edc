//! Every shipped scenario has a golden fingerprint: a seed means today what it meant yesterday, in debug and release.
//!
//! `golden.txt` holds a line a scenario: its name, its fingerprint, and four digits of the fingerprint after each second, so
//! that a mismatch can be told to the second and the events of that second shown. If a change is meant to alter runs, run
//! `STORMGLASS_REWRITE=1 cargo test -p scenarios --test golden`, read the difference, and say so in CHANGELOG.md.
#![expect(
    clippy::disallowed_methods,
    reason = "reads the scenarios that ship, and rewrites its own expectations when told"
)]

use history::RunRecord;
use scenarios::execute::Options;
use scenarios::export::line;
use scenarios::scenario::Scenario;
use scenarios::systems::SYSTEMS;
use std::path::{Path, PathBuf};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden.txt");

/// Every `.toml` below a directory, by name.
fn files_below(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("the directory is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn shipped() -> Vec<Scenario> {
    let files = files_below(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/files")));
    assert!(files.len() >= 10, "the scenarios ship");
    let read = |path: &PathBuf| {
        let source = std::fs::read_to_string(path).expect("readable");
        let stem = path.file_stem().expect("a file has a name").to_string_lossy();
        let (draft, warnings) =
            scenarios::parse(&source, &stem, &[], SYSTEMS).expect("a shipped scenario is well formed");
        assert!(warnings.is_empty(), "{}: {warnings:?}", path.display());
        assert_eq!(draft.name(), stem, "a scenario is called as its file");
        assert!(source.starts_with("# "), "{}: the first line says what one learns", path.display());
        draft.resolve(draft.seed()).expect("what its own seed draws fits together")
    };
    files.iter().map(read).collect()
}

fn run(scenario: &Scenario) -> RunRecord {
    scenarios::run(scenario, scenario.seed, SYSTEMS, &mut Options::default()).expect("the engine holds").record
}

fn golden_line(record: &RunRecord) -> String {
    let checkpoints = record.checkpoints.iter().map(|checkpoint| &checkpoint[..4]);
    [&*record.scenario, &record.fingerprint].into_iter().chain(checkpoints).collect::<Vec<_>>().join(" ")
}

/// The first events of the second in which a run parts from its golden line.
fn where_they_part(scenario: &Scenario, record: &RunRecord, golden: &str) -> String {
    let recorded: Vec<&str> = golden.split(' ').skip(2).collect();
    let Some(parting) = scenarios::parting(scenario, record, &recorded, SYSTEMS) else { return String::new() };
    let rows: String = parting.rows.iter().map(line).collect();
    format!(
        "first differs in second {}; for the first event that differs, trace both: with what gave the golden line\n  \
         stormglass run {name}.toml --trace jsonl --out before\nand with this\n  \
         stormglass replay {name}.toml --verify before\nThe events of that second now:\n{rows}",
        parting.second,
        name = scenario.name
    )
}

#[test]
fn shipped_scenarios_keep_their_fingerprints() {
    let runs: Vec<(Scenario, RunRecord)> =
        shipped().into_iter().map(|scenario| (scenario.clone(), run(&scenario))).collect();
    if std::env::var_os("STORMGLASS_REWRITE").is_some() {
        let lines: Vec<String> = runs.iter().map(|(_, record)| golden_line(record)).collect();
        std::fs::write(GOLDEN, lines.join("\n") + "\n").expect("written");
    }
    let golden = std::fs::read_to_string(GOLDEN).expect("golden.txt is there");
    let golden: Vec<&str> = golden.lines().collect();
    let found: Vec<String> = runs.iter().map(|(_, record)| golden_line(record)).collect();
    for ((scenario, record), line) in runs.iter().zip(&found) {
        if golden.contains(&&**line) {
            continue;
        }
        // Several systems may have a scenario of this name: the line that none of them gives.
        let name = format!("{} ", scenario.name);
        let is_lost = |golden: &&str| golden.starts_with(&name) && !found.iter().any(|line| line == golden);
        let expected = golden.iter().copied().find(is_lost).unwrap_or_default();
        panic!("{name}seed {}: {}", scenario.seed, where_they_part(scenario, record, expected));
    }
    assert_eq!(golden.len(), runs.len(), "a line a scenario");
}

/// A golden value that is wrong is told to the second.
#[test]
fn a_mismatch_names_the_second() {
    let scenario = shipped().swap_remove(0);
    let record = run(&scenario);
    let mut recorded: Vec<&str> = record.checkpoints.iter().map(String::as_str).collect();
    assert!(scenarios::parting(&scenario, &record, &recorded, SYSTEMS).is_none());
    recorded[3] = "0000";
    let parting = scenarios::parting(&scenario, &record, &recorded, SYSTEMS).expect("they part");
    assert_eq!(parting.second, 3);
    assert!(parting.rows.iter().all(|row| row.at / 1_000_000_000 == 3) && !parting.rows.is_empty());
}
