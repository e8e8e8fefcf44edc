//! `replay`: what is shown of a run, and where it parts from a recorded one.
#![allow(clippy::disallowed_methods, reason = "tests of the command touch files, as it does")]

mod common;

use common::{CALM, CUT, Scratch, Told, assert_tells};

/// A scenario, and a run of it in `kept`, with its trace.
#[track_caller]
fn kept() -> Scratch {
    let here = Scratch::with(&format!("{CALM}{CUT}"));
    here.run(&["storm.toml", "--seed", "9", "--out", "kept", "--trace", "jsonl"]);
    here
}

/// The rows that a replay shows, without the line that ends it.
fn rows(told: &Told) -> Vec<&str> {
    let mut rows: Vec<&str> = told.out.lines().collect();
    assert!(rows.pop().is_some_and(|last| last.starts_with("PASS  seed ")), "{told:?}");
    rows
}

#[test]
fn a_directory_stands_for_the_run_in_it() {
    let here = kept();
    let by_file = here.stormglass(&["replay", "storm.toml", "--seed", "9"]);
    assert_eq!(here.stormglass(&["replay", "kept"]), by_file);
    assert_eq!(here.stormglass(&["replay", "kept/run.json"]), by_file);
    // The scenario is in the record.
    here.write("storm.toml", "");
    assert_eq!(here.stormglass(&["replay", "kept", "--verify", "kept"]).line("SAME").split(',').next(), Some("seed 9"));
    // What is changed on purpose is another run, and no wonder.
    assert_eq!(here.stormglass(&["replay", "kept", "--seed", "8", "--until", "1ms"]).code, 0);
    assert_eq!(here.stormglass(&["replay", "kept", "--set", "protocol.heartbeat=80ms", "--until", "1ms"]).code, 0);
    let record = here.read("kept/run.json");
    here.write("kept/run.json", record.replacen("\"fingerprint\": \"", "\"fingerprint\": \"0", 1));
    let other = here.stormglass(&["replay", "kept", "--until", "1ms"]);
    assert_eq!(other.code, 5, "{other:?}");
    assert_tells(&other.out, &["DIFFERENT  seed 9", "of kept/trace.jsonl is the same now"]);
    here.write("kept/run.json", record.replacen("resolved", "unknown", 1));
    assert_tells(&here.refused(&["replay", "kept"]), &["does not hold the scenario", "replay FILE --seed 9"]);
}

#[test]
fn several_nodes_and_clients_are_shown_together() {
    let here = kept();
    let all = here.stormglass(&["replay", "kept", "--until", "1200ms"]);
    let only = |nodes: &[&str]| here.stormglass(&[&["replay", "kept", "--until", "1200ms"], nodes].concat());
    let both = only(&["--node", "n2,c1"]);
    assert_eq!(only(&["--node", "n2", "--node", "c1"]), both);
    let (all, both) = (rows(&all), rows(&both));
    let names =
        |row: &str, who: &str| row[14..].split("  ").take(2).any(|part| part.split(' ').any(|name| name == who));
    let expected: Vec<&str> = all.into_iter().filter(|row| names(row, "n2") || names(row, "c1")).collect();
    assert!(both.iter().any(|row| row.contains("c1 ->")) && both.iter().any(|row| row.contains("partition-1")));
    assert_eq!(both, expected, "the partition, too, since it struck n2");
    assert_tells(&here.refused(&["replay", "kept", "--node", "n2,n7"]), &["there is no `n7` here"]);
    assert_tells(&here.refused(&["replay", "kept", "--from", "9s"]), &["--from 9s is after the run's end at 4s"]);
}

#[test]
fn a_part_is_told_in_other_formats_and_nothing_else_is_on_standard_output() {
    let here = kept();
    let part = |format: &str| {
        let mut command = here.command(&["replay", "kept", "--from", "1s", "--until", "1100ms", "--format", format]);
        command.output().expect("it runs")
    };
    let lines = Told::of(part("jsonl"));
    assert!(lines.err.starts_with("PASS  seed 9"), "{}", lines.err);
    let is_within = |line: &&str| {
        let row: serde_json::Value = serde_json::from_str(line).expect("a row");
        (1_000_000_000..=1_100_000_000).contains(&row["time"].as_u64().expect("a time"))
    };
    let trace = here.read("kept/trace.jsonl");
    assert!(lines.out.lines().eq(trace.lines().filter(is_within)), "a part of the trace");
    assert!(Told::of(part("shiviz")).out.starts_with("(?<time>"));
    let perfetto = part("perfetto").stdout;
    assert!(perfetto.len() > 1000 && perfetto[0] == 0x0a, "a packet first");
    assert_eq!(perfetto, part("perfetto").stdout);
}

/// With a trace, the first event that differs is shown as it was and as it is.
#[test]
fn a_trace_shows_the_first_event_that_differs() {
    let here = kept();
    let trace = here.read("kept/trace.jsonl");
    let verify = |here: &Scratch| {
        here.stormglass(&[
            "replay",
            "storm.toml",
            "--seed",
            "9",
            "--set",
            "protocol.heartbeat=80ms",
            "--verify",
            "kept",
        ])
    };
    let other = verify(&here);
    assert_eq!(other.code, 5, "{other:?}");
    assert_tells(&other.out, &["DIFFERENT  seed 9", "the last events that are the same:\n"]);
    let (before, after) = other.out.split_once("           then in the recorded run, at step ").expect("it is shown");
    let (was, is) = after.split_once("           and now, at step ").expect("both are");
    assert!(before.lines().count() >= 5 && was.lines().count() == 5 && is.lines().count() == 5, "{}", other.out);
    assert_ne!(was.lines().nth(1), is.lines().nth(1));

    // A trace that cannot be read to there says where it stops being one.
    let lines: Vec<&str> = trace.lines().collect();
    here.write("kept/trace.jsonl", format!("{}\n{}", lines[..3].join("\n"), &lines[3][..40]));
    let cut = verify(&here);
    assert_eq!(cut.code, 5, "{cut:?}");
    assert_tells(
        &cut.err,
        &["error: kept/trace.jsonl:4:40: EOF", "3 events before it are the same as now", "--trace jsonl"],
    );
    assert_tells(&cut.out, &["they part in the second from "]);
    here.write("kept/trace.jsonl", trace.replacen("\"time\"", "\"tide\"", 1));
    assert_tells(&verify(&here).err, &["kept/trace.jsonl:1:1: `time` is not there as a number; 0 events before it"]);
    here.write("kept/trace.jsonl", [lines[0].as_bytes(), b"\n\xff\n"].concat());
    assert_tells(&verify(&here).err, &["kept/trace.jsonl:2:1: ", "1 event before it"]);
    here.write("kept/trace.jsonl", "");
    let empty = verify(&here);
    assert_tells(&empty.out, &["then in the recorded run: nothing more", "and now, at step "]);
}
