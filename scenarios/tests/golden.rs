//! Every shipped scenario has a golden fingerprint: a seed means today what it meant yesterday, in debug and release.
//!
//! `golden.txt` holds a line a scenario: its name, its fingerprint, and four digits of the fingerprint after each second, so
//! that a mismatch can be told to the second and the events of that second shown. If a change is meant to alter runs, run
//! `STORMGLASS_REWRITE=1 cargo test -p scenarios --test golden`, read the difference, and say so in CHANGELOG.md.
#![expect(
    clippy::disallowed_methods,
    reason = "reads the scenarios that ship, and rewrites its own expectations when told"
)]

use scenarios::execute::{Options, Row};
use scenarios::scenario::Scenario;
use scenarios::systems::SYSTEMS;
use std::fmt::Write as _;
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
        let (scenario, warnings) =
            scenarios::parse(&source, &stem, &[], SYSTEMS).expect("a shipped scenario is well formed");
        assert!(warnings.is_empty(), "{}: {warnings:?}", path.display());
        assert_eq!(scenario.name, *stem, "a scenario is called as its file");
        assert!(source.starts_with("# "), "{}: the first line says what one learns", path.display());
        scenario
    };
    files.iter().map(read).collect()
}

fn golden_line(scenario: &Scenario) -> String {
    let run = scenarios::run(scenario, scenario.seed, SYSTEMS, &mut Options::default()).expect("the engine holds");
    let mut line = format!("{} {}", scenario.name, run.record.fingerprint);
    for checkpoint in &run.record.checkpoints {
        let _ = write!(line, " {}", &checkpoint[..4]);
    }
    line
}

/// The first events of the second in which two lines part.
fn where_they_part(scenario: &Scenario, expected: &str, found: &str) -> String {
    let (expected, found): (Vec<&str>, Vec<&str>) = (expected.split(' ').collect(), found.split(' ').collect());
    let second = (2..found.len()).find(|&i| expected.get(i) != found.get(i)).map_or(0, |i| i as u64 - 2);
    let mut text =
        format!("{}: first differs in second {second} of seed {}; events of it now:\n", scenario.name, scenario.seed);
    let mut left = 20;
    let mut sink = |rows: Vec<Row>| {
        for row in rows.iter().filter(|row| row.at >= second * 1_000_000_000).take(left) {
            left -= 1;
            let _ = writeln!(text, "  {:>12} ns  {} -> {}  {}", row.at, row.from, row.to, row.text);
        }
    };
    let mut options = Options { trace: Some(&mut sink), keep_going: None };
    let _ = scenarios::run(scenario, scenario.seed, SYSTEMS, &mut options);
    text
}

#[test]
fn shipped_scenarios_keep_their_fingerprints() {
    let scenarios = shipped();
    let found: Vec<String> = scenarios.iter().map(golden_line).collect();
    if std::env::var_os("STORMGLASS_REWRITE").is_some() {
        std::fs::write(GOLDEN, found.join("\n") + "\n").expect("written");
    }
    let golden = std::fs::read_to_string(GOLDEN).expect("golden.txt is there");
    let golden: Vec<&str> = golden.lines().collect();
    for (scenario, found) in scenarios.iter().zip(&found) {
        let name = format!("{} ", scenario.name);
        let expected = golden.iter().find(|line| line.starts_with(&name)).copied().unwrap_or_default();
        assert!(expected == found, "{}", where_they_part(scenario, expected, found));
    }
    assert_eq!(golden.len(), found.len(), "a line a scenario");
}
