//! `explain` and `list`: what a word means, and why a run ended as it did.
#![allow(clippy::disallowed_methods, reason = "tests of the command touch files, as it does")]

mod common;

use common::{CALM, CUT, STALE_READS, Scratch, assert_tells};

const LISTS: [&str; 9] =
    ["protocols", "faults", "flaws", "checks", "layouts", "scenarios", "models", "levels", "formats"];

#[test]
fn a_word_is_explained_with_all_that_there_is_to_know() {
    let here = Scratch::new();
    for (words, wanted) in [
        (
            &["protocol.pre-vote"][..],
            &[
                "protocol.pre-vote   a key of [protocol] for raft",
                "default  true",
                "--set protocol.pre-vote=true",
                "    pre-vote = true",
            ][..],
        ),
        (&["pre-vote"], &["protocol.pre-vote   a key"]),
        (&["fault.partition.groups"], &["a key of a `partition` fault", "minority ", "    groups = ["]),
        (&["cluster.nodes"], &["within   1 to 1 000", "by seed  nodes = { draw = "]),
        (&["cluster"], &["nodes ", "    [cluster]"]),
        (&["[[fault]]"], &["fault   ", "each below a header [[fault]]"]),
        (&["takeover"], &["takeover   a word of a report", "How another node came to serve"]),
        (&["vacuous"], &["vacuous   a word of a report", "Nothing was really tested"]),
        (&["fault"], &["each below a header [[fault]]", "operate "]),
        (&["crash"], &["fault.crash   a kind of fault", "disk ", "[keep]", "    do = \"crash\""]),
        (&["S0102"], &["S0102   an error", "misspelt fault"]),
        (
            &["no", "lost", "writes"],
            &["no lost writes   a check", "promised by raft", "    must = [\"no lost writes\"]"],
        ),
        (&["raft"], &["raft   a system under test", "election-timeout ", "promises  linearizable"]),
        (&["commit-earlier-term"], &["a flaw of raft, R01", "flaws = [\"commit-earlier-term\"]"]),
        (&["three-zones"], &["a layout", "same-region = "]),
        (&[], &["a scenario file", "duration ", "{ choose = [3, 5, 7] }"]),
    ] {
        let told = here.stormglass(&[&["explain"], words].concat());
        assert_eq!((told.code, told.err.as_str()), (0, ""), "{words:?}");
        assert_tells(&told.out, wanted);
        assert!(told.out.lines().all(|line| line.chars().count() <= 100), "{}", told.out);
    }
}

#[test]
fn a_word_with_several_meanings_lists_them() {
    let told = Scratch::new().stormglass(&["explain", "chance"]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    assert_tells(
        &told.out,
        &["`chance` can mean:", "  load.chance ", "  fault.chance ", "stormglass explain load.chance"],
    );
}

#[test]
fn what_is_nothing_is_one_message_with_the_nearest() {
    let here = Scratch::with(CALM);
    let told = here.refused(&["explain", "pre-votte"]);
    assert_tells(&told, &["error: nothing is called `pre-votte`", "Did you mean `pre-vote`?"]);
    assert!(!here.refused(&["explain", "out/no-such-run"]).contains("Did you mean"));
    assert_tells(&here.refused(&["explain", "storm.toml"]), &["`stormglass check storm.toml`"]);
    assert_tells(&here.refused(&["explain", "\u{1b}[1mbold"]), &[r"\u{1b}[1mbold"]);
    here.write("dir/other.txt", "");
    assert_tells(&here.refused(&["explain", "dir"]), &["dir holds no run.json"]);
    here.write("dir/run.json", "{}");
    assert_tells(&here.refused(&["explain", "dir"]), &["dir/run.json:1:2: this is not the whole record of a run"]);
}

/// Every name that a list shows is a word that is explained.
#[test]
fn each_row_of_a_list_leads_to_its_explanation() {
    let here = Scratch::with(CALM);
    for kind in LISTS {
        let told = here.stormglass(&["list", kind, "--format", "json"]);
        assert_eq!((told.code, told.err.as_str()), (0, ""), "{kind}");
        let rows: Vec<serde_json::Value> = serde_json::from_str(&told.out).expect("a list of objects");
        assert_eq!(rows.len(), here.stormglass(&["list", kind]).out.lines().count(), "{kind}");
        for row in rows {
            let name = row["name"].as_str().expect("a name");
            assert!(row["about"].is_string(), "{row}");
            let told = here.stormglass(&["explain", name]);
            if kind == "scenarios" {
                assert_eq!(told.code, 2, "a scenario is checked: {told:?}");
                continue;
            }
            assert_eq!((told.code, told.err.as_str()), (0, ""), "{name}");
            assert!(!told.out.contains("can mean"), "{name}: {}", told.out);
        }
    }
}

#[test]
fn without_a_kind_the_lists_are_listed() {
    let here = Scratch::with(CALM);
    let told = here.stormglass(&["list"]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    let names: Vec<&str> = told.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, LISTS);
    assert_tells(
        &told.out,
        &["faults     what can go wrong: 11", "scenarios  those that ship, or those below this directory: 1"],
    );
    let told = here.stormglass(&["list", "--format", "json"]);
    let lists: Vec<serde_json::Value> = serde_json::from_str(&told.out).expect("a list of objects");
    assert_eq!(lists.iter().map(|list| list["name"].as_str().expect("a name")).collect::<Vec<_>>(), LISTS);
    assert_eq!(lists[1]["count"], 11);
    let nothing = Scratch::new().stormglass(&["list", "scenarios", "--format", "json"]);
    assert_eq!((nothing.code, nothing.out.as_str()), (4, "[]\n"));
}

#[test]
fn a_violation_is_argued_with_the_flaw_and_where_to_look() {
    let here = Scratch::with(STALE_READS);
    assert_eq!(here.stormglass(&["run", "storm.toml", "--out", "there"]).code, 1);
    let told = here.stormglass(&["explain", "there"]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    assert_tells(
        &told.out,
        &[
            "storm, seed 1   FAIL   raft, 5 nodes",
            "1 of 4 checks failed",
            "`linearizable` failed\n",
            "fits nowhere",
            "\n    1. c",
            "Promised by raft with reads = read-index; a flaw that breaks promises is switched on.",
            "stormglass explain read-without-quorum",
            "  check-quorum = false",
        ],
    );
    // What it says to look at can be looked at.
    let command = told.line("look at").strip_prefix("stormglass ").expect("a command");
    let replayed = here.stormglass(&command.split(' ').collect::<Vec<_>>());
    assert_eq!(replayed.code, 1, "{command}: {}", replayed.err);
    assert_eq!(here.stormglass(&["explain", "there/run.json"]), told);
}

#[test]
fn outages_are_told_in_sentences_and_draws_are_listed() {
    let drawn = CALM.replace("nodes = 3", "nodes = { choose = [3] }");
    let here = Scratch::with(&format!("{drawn}{CUT}"));
    assert_eq!(here.stormglass(&["run", "storm.toml", "--out", "there"]).code, 0);
    let told = here.stormglass(&["explain", "there"]);
    assert_tells(
        &told.out,
        &[
            "All 5 checks held",
            "of it avoidable\n",
            "nobody was served, during partition-1.",
            ": no leader. A quorum was there",
            "Another node took over: ",
            "--until ",
            "What this seed drew\n  cluster.nodes = 3\n",
        ],
    );
}

#[test]
fn what_tested_nothing_is_told() {
    let late = CUT.replace("[[\"leader\"], [\"others\"]]", "[[\"client:c1\"], [\"client:c2\"]]");
    let here = Scratch::with(&format!("{CALM}{late}"));
    assert_eq!(here.stormglass(&["run", "storm.toml", "--out", "there"]).code, 4);
    let told = here.stormglass(&["explain", "there"]);
    assert_eq!(told.code, 0);
    assert_tells(
        &told.out,
        &[
            "VACUOUS",
            "tested nothing",
            "`every fault had an effect` tested nothing",
            "1 strike changed nothing",
            "partition-1: from 1s for 500ms on c1 | c2",
        ],
    );
}

/// A record that somebody wrote can hold anything; the terminal gets none of it raw.
#[test]
fn a_strange_record_is_told_all_the_same() {
    let here = Scratch::with(STALE_READS);
    here.stormglass(&["run", "storm.toml", "--out", "there"]);
    let mut record: serde_json::Value = serde_json::from_str(&here.read("there/run.json")).expect("an object");
    record["scenario"] = "\u{1b}[1m; rm -r".into();
    record["source"]["file"] = "\u{1b}[1m; rm -r".into();
    record["simulated_ns"] = u64::MAX.into();
    record["outages"][0]["from_ns"] = u64::MAX.into();
    record["outages"][0]["to_ns"] = 0.into();
    record["outages"][0]["avoidable_ns"] = u64::MAX.into();
    for finding in record["findings"].as_array_mut().expect("a list") {
        if finding["witness"].is_object() {
            finding["witness"]["offender"] = 1000.into();
            finding["witness"]["steps"] = serde_json::json!([]);
            finding["witness"]["operations"][0]["invoked"]["time"] = u64::MAX.into();
        }
    }
    here.write("strange/run.json", record.to_string());
    let told = here.stormglass(&["explain", "strange"]);
    assert_eq!((told.code, told.err.as_str()), (0, ""), "{told:?}");
    assert!(!told.out.contains('\u{1b}') && told.out.contains("'"), "{}", told.out);
}

/// Nobody reads a megabyte, and nobody waits for one.
#[test]
fn of_an_enormous_record_there_is_an_end() {
    let here = Scratch::with(STALE_READS);
    here.stormglass(&["run", "storm.toml", "--out", "there"]);
    let record: serde_json::Value = serde_json::from_str(&here.read("there/run.json")).expect("an object");
    let long = || serde_json::Value::from("word ".repeat(100_000));
    let mut texts = record.clone();
    for name in ["scenario", "about", "protocol"] {
        texts[name] = long();
    }
    texts["flaws"][0] = long();
    texts["source"]["file"] = long();
    texts["outages"][0]["faults"] = vec![long(); 3].into();
    let mut lists = record;
    for finding in lists["findings"].as_array_mut().expect("a list") {
        if finding["witness"].is_object() {
            let operation = finding["witness"]["operations"][0].clone();
            finding["witness"]["operations"] = vec![operation; 10_000].into();
            finding["witness"]["argument"] = vec!["a sentence"; 10_000].into();
        }
    }
    for record in [texts, lists] {
        here.write("large/run.json", record.to_string());
        let told = here.stormglass(&["explain", "large"]);
        assert_eq!((told.code, told.err.as_str()), (0, ""));
        assert!(told.out.len() < 100_000, "{}", told.out.len());
    }
    assert_tells(&here.stormglass(&["explain", "large"]).out, &["And 9 900 more sentences, all in run.json."]);
}
