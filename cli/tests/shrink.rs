//! `shrink`: from a failing seed to a small file that fails in the same way.
#![allow(clippy::disallowed_methods, reason = "tests of the command touch files, as it does")]

mod common;

use common::{CALM, STALE_READS, Scratch, assert_tells};
use serde_json::Value;

/// What fails of a run: the checks, and of a witness its reason.
fn failures(run: &Value) -> Vec<String> {
    let findings = run["findings"].as_array().expect("a list");
    let failed = findings.iter().filter(|finding| finding["verdict"] == "FAIL");
    failed.map(|finding| format!("{} {}", finding["check"], finding["witness"]["reason"]["kind"])).collect()
}

#[test]
fn a_shipped_flaw_is_shrunk_to_a_file_that_fails_in_the_same_way() {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/files/raft/vote-before-fsync.toml");
    let here = Scratch::new();
    let shrunk = here.stormglass(&["shrink", shipped, "--seed", "2", "--progress", "none"]);
    assert_eq!(shrunk.code, 0, "{shrunk:?}");
    assert_tells(
        &shrunk.out,
        &["fails: election safety", " smallest ", "again: stormglass run vote-before-fsync-2.min.toml"],
    );
    let text = here.read("vote-before-fsync-2.min.toml");
    assert!(text.starts_with("# Shrunk by stormglass") && text.contains("from vote-before-fsync, seed 2"), "{text}");

    let (large, small) = (here.run(&[shipped, "--seed", "2"]), here.run(&["vote-before-fsync-2.min.toml"]));
    assert_eq!(failures(&small), failures(&large));
    assert!(small["faults"].as_array().expect("a list").len() <= 3, "{text}");
    let operations = ["ok", "refused", "unknown"].map(|key| small["operations"][key].as_u64().unwrap_or(0));
    assert!(operations.iter().sum::<u64>() <= 12, "{text}");
    assert!(!text.contains("[sweep]") && !text.contains("chance"), "{text}");
    let checked = here.stormglass(&["check", "vote-before-fsync-2.min.toml"]);
    assert_eq!(checked.code, 0, "{checked:?}");
}

#[test]
fn a_violation_with_a_witness_keeps_its_check_and_its_reason() {
    let here = Scratch::with(STALE_READS);
    let shrunk = here.stormglass(&["shrink", "storm.toml", "--out", "stale.toml", "--progress", "none"]);
    assert_eq!(shrunk.code, 0, "{shrunk:?}");
    let text = here.read("stale.toml");
    assert_tells(&text, &["# Fails: linearizable: ", "must = [\"linearizable\"]", "script = ["]);
    assert_eq!(failures(&here.run(&["stale.toml"])), failures(&here.run(&["storm.toml"])));
}

#[test]
fn nothing_is_written_for_a_seed_that_passes() {
    let here = Scratch::with(CALM);
    let shrunk = here.stormglass(&["shrink", "storm.toml", "--seed", "3"]);
    assert_eq!(shrunk.code, 0);
    assert_tells(&shrunk.out, &["seed 3: PASS, so there is no failure to shrink; nothing was written"]);
    assert!(!here.path("storm-3.min.toml").exists());
    let idle = format!("{CALM}reach = [\"operations >= 999999\"]\n");
    let here = Scratch::with(&idle);
    assert_eq!(here.stormglass(&["shrink", "storm.toml"]).code, 4, "VACUOUS, as `run` says");
}

#[test]
fn a_file_of_somebody_else_stays() {
    let here = Scratch::with(STALE_READS);
    here.write("mine.toml", "# mine\n");
    let error = here.refused(&["shrink", "storm.toml", "--out", "mine.toml"]);
    assert_tells(&error, &["mine.toml is there already, and `shrink` did not write it"]);
    assert_eq!(here.read("mine.toml"), "# mine\n");
    here.write("mine.toml", "# Shrunk by stormglass 0.0.1 from something else\n");
    let short = ["shrink", "storm.toml", "--out", "mine.toml", "--time", "2s", "--progress", "none"];
    assert_eq!(here.stormglass(&short).code, 0);
    assert_tells(&here.read("mine.toml"), &["from storm, seed 1"]);
}
