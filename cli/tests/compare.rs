//! Systems side by side: only through one storm, each run once, and the same bytes however many threads ran them.
#![allow(clippy::disallowed_methods, reason = "tests of the command look at its files")]

mod common;

use common::{CALM, CUT, Scratch, Told, assert_tells};

/// Raft and Multi-Paxos through the same second, with a leader cut off for a part of it.
#[track_caller]
fn both() -> Scratch {
    let here = Scratch::new();
    let storm = format!("{}{}", CALM.replace("\"2s\"", "\"1s\""), CUT.replace("\"1s\"", "\"200ms..400ms\""));
    here.write("raft.toml", &storm);
    here.write("paxos.toml", storm.replace("\"raft\"", "\"multi-paxos\""));
    here
}

#[track_caller]
fn compared(here: &Scratch, args: &[&str]) -> Told {
    let told = here.stormglass(&[&["compare", "raft.toml", "paxos.toml", "--seeds", "6"], args].concat());
    assert_eq!(told.code, 0, "{told:?}");
    told
}

#[test]
fn one_storm_is_compared_and_run_once() {
    let here = both();
    let first = compared(&here, &[]);
    assert_tells(&first.out, &["6 shared seeds, beside raft", "availability", "best possible", "0 of 6 runs (below"]);
    assert_tells(&first.out, &["saved in out/compare.db"]);
    let again = compared(&here, &[]);
    assert_eq!(again.out, first.out);
    assert_tells(&again.err, &["12 of 12 runs are there already"]);
}

#[test]
fn another_storm_is_refused_before_anything_is_run() {
    let here = both();
    here.write("paxos.toml", here.read("paxos.toml").replace("\"500ms\"", "\"600ms\""));
    let told = here.refused(&["compare", "raft.toml", "paxos.toml", "--seeds", "6"]);
    assert_tells(&told, &["paxos.toml is another storm than raft.toml", "fault partition-1", "500ms", "600ms"]);
    let names = |name: &str| told.lines().any(|line| line.trim_start().starts_with(&format!("{name} ")));
    assert!(names("raft.toml") && names("paxos.toml"), "what each of them says: {told}");
}

#[test]
fn one_system_alone_is_refused() {
    let told = both().refused(&["compare", "raft.toml", "--seeds", "6"]);
    assert_tells(&told, &["one system alone cannot be compared"]);
}

#[test]
fn neither_threads_nor_a_second_call_change_a_byte() {
    let here = both();
    let one = compared(&here, &["--jobs", "1", "--db", "one.db", "--out", "one"]);
    let two = compared(&here, &["--jobs", "2", "--db", "two.db", "--out", "two"]);
    assert_eq!(two.out.replace("two.db", "one.db"), one.out);
    for name in ["compare.html", "glance.svg", "differences.svg", "runs.svg", "storm-1.svg", "storm-3.svg"] {
        assert!(here.read(&format!("one/{name}")) == here.read(&format!("two/{name}")), "{name}");
    }
    assert_tells(&here.read("one/compare.html"), &["Some storms over time", "95th percentile"]);
}

#[test]
fn json_is_one_object() {
    let here = both();
    let told = compared(&here, &["--format", "json", "--metric", "availability,failed"]);
    assert_eq!(told.out.lines().count(), 1);
    let object: serde_json::Value = serde_json::from_str(&told.out).expect("it is JSON");
    assert_eq!((&object["seeds"], &object["baseline"], &object["missing"]), (&6.into(), &"raft".into(), &0.into()));
    let names: Vec<&str> = ["systems", "metrics"]
        .iter()
        .flat_map(|list| object[list].as_array().expect("a list"))
        .map(|each| each["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["raft", "paxos", "availability", "failed"]);
    let apart = &object["metrics"][0]["differences"][0];
    let number = |key: &str| apart[key].as_f64().expect("a number");
    assert!(number("low") <= number("value") && number("value") <= number("high"), "{apart}");
    assert_eq!(apart["system"], "paxos");
    assert!(object["verdict"].as_array().is_some_and(|sentences| sentences.len() == 1) && object["wall_ns"].is_u64());
}
