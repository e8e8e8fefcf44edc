//! `stormglass run`: what it prints, what it writes, and with which code it ends.
#![allow(clippy::disallowed_methods, reason = "tests of the command touch files, as it does")]

mod common;

use common::{CALM, CUT, STALE_READS, Scratch, Told, assert_tells};
use serde_json::Value;
use std::collections::BTreeSet;

#[test]
fn a_run_that_holds_tells_its_verdict_its_fingerprint_and_how_to_see_it_again() {
    let here = Scratch::with(&format!("{CALM}{CUT}"));
    let told = here.stormglass(&["run", "storm.toml"]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    assert_tells(&told.out, &["storm  seed 1", "A calm sea.", "✓ linearizable", "✓ no lost writes", "partition-1 n"]);
    assert_tells(told.line("PASS"), &["all 5 checks held", "availability ", " % possible"]);
    let fingerprint = told.line("fingerprint");
    assert!(fingerprint.len() == 16 && fingerprint.chars().all(|c| c.is_ascii_hexdigit()), "{fingerprint}");
    assert_eq!(told.line("saved in"), "out/storm-1");
    assert_eq!(told.line("page"), "out/storm-1/report.html");
    assert_eq!(told.line("again"), "stormglass run storm.toml --seed 1");
}

#[test]
fn json_is_one_object_with_every_field_of_the_contract() {
    let here = Scratch::with(&format!("{CALM}{CUT}"));
    let object = here.run(&["storm.toml", "--seed", "42"]);
    for name in ["version", "scenario", "fingerprint", "verdict"] {
        assert!(object[name].is_string(), "{name}: {object}");
    }
    for name in ["seed", "events", "simulated_ns", "wall_ns"] {
        assert!(object[name].is_u64(), "{name}: {object}");
    }
    assert_eq!(
        (&object["seed"], &object["verdict"], &object["scenario"]),
        (&42.into(), &"PASS".into(), &"storm".into())
    );
    for name in ["ok", "refused", "unknown"] {
        assert!(object["operations"][name].is_u64(), "{name}: {object}");
    }
    let share = |name: &str| object["availability"][name].as_f64().expect("a share is a number");
    assert!(0.0 < share("achieved") && share("achieved") <= share("possible") && share("possible") <= 1.0);
    each(&object["findings"], |finding| {
        finding["check"].is_string()
            && finding["detail"].is_string()
            && ["PASS", "FAIL", "UNKNOWN", "VACUOUS"].iter().any(|verdict| finding["verdict"] == *verdict)
    });
    each(&object["outages"], |outage| {
        outage["cause"].is_string()
            && ["from_ns", "to_ns", "avoidable_ns"].iter().all(|name| outage[name].is_u64())
            && outage["from_ns"].as_u64() < outage["to_ns"].as_u64()
    });
    each(&object["faults"], |fault| {
        fault["do"] == "partition"
            && fault["from_ns"] == 1_000_000_000u64
            && fault["to_ns"] == 1_500_000_000u64
            && fault["effects"].as_u64() > Some(0)
    });
    assert_eq!(object["simulated_ns"], 4_000_000_000u64);
}

/// A list that is not empty, and every element is as it should be.
#[track_caller]
fn each(list: &Value, is_right: impl Fn(&Value) -> bool) {
    let list = list.as_array().expect("a list");
    assert!(!list.is_empty());
    for element in list {
        assert!(is_right(element), "{element:#}");
    }
}

#[test]
fn a_system_without_clients_has_null_operations_and_availability() {
    let here = Scratch::with("scenario = 1\nduration = \"1s\"\n[protocol]\nname = \"raft\"\n");
    let object = here.run(&["storm.toml"]);
    assert_eq!((&object["operations"], &object["availability"]), (&Value::Null, &Value::Null));
    let told = here.stormglass(&["run", "storm.toml"]);
    assert!(!told.out.contains("availability"), "{told:?}");
}

/// The saved one also holds what a page draws, and the scenario.
#[test]
fn the_saved_run_is_the_printed_object_without_the_time_it_took() {
    let here = Scratch::with(&format!("{CALM}{CUT}"));
    let mut printed = here.run(&["storm.toml", "--out", "there", "--set", "cluster.nodes=5"]);
    let mut saved: Value = serde_json::from_str(&here.read("there/run.json")).expect("run.json is JSON");
    assert!(saved.get("wall_ns").is_none());
    printed.as_object_mut().expect("an object").remove("wall_ns");
    let picture = saved.as_object_mut().expect("an object").remove("picture").expect("it is drawn");
    let resolved = saved["source"].as_object_mut().expect("an object").remove("resolved").expect("it is there");
    assert!(printed == saved, "{printed:#}\n{saved:#}");
    assert_eq!(
        saved["source"],
        serde_json::json!({ "program": "stormglass", "file": "storm.toml", "set": ["cluster.nodes=5"] })
    );
    assert_eq!(picture["service"][0]["function"], "read");
    here.write("again.toml", resolved.as_str().expect("a text"));
    assert_eq!(here.run(&["again.toml"])["fingerprint"], saved["fingerprint"]);
}

#[test]
fn the_saved_history_can_be_verified() {
    let here = Scratch::with(&format!("{CALM}{CUT}"));
    let object = here.run(&["storm.toml"]);
    let told = here.stormglass(&["verify", "out/storm-1/history.jsonl", "--model", "kv", "--format", "json"]);
    let judged: Value = serde_json::from_str(&told.out).expect("one object");
    assert_eq!((told.code, &judged["verdict"], &judged["witness"]), (0, &"PASS".into(), &Value::Null));
    let count = |name: &str| object["operations"][name].as_u64().expect("a count");
    let of_the_load = count("ok") + count("refused") + count("unknown");
    assert!(judged["operations"].as_u64() > Some(of_the_load), "the load's operations and the final reads: {judged}");
    assert!(judged["wall_ns"].is_u64());
}

#[test]
fn results_go_where_they_are_wanted_or_beside_by_name_and_seed() {
    let here = Scratch::with(&CALM.replace("duration", "name = \"calm\"\nduration"));
    here.stormglass(&["run", "storm.toml", "--seed", "0x10"]);
    here.stormglass(&["run", "storm.toml", "--out", "a/b c"]);
    let mut made: Vec<String> =
        here.files().keys().filter(|path| path.is_file()).map(|path| shown(&here, path)).collect();
    made.sort();
    let files = ["history.jsonl", "moment-1.svg", "report.html", "run.json", "timeline.svg"];
    let wanted = ["a/b c", "out/calm-16"].into_iter().flat_map(|dir| files.map(|file| format!("{dir}/{file}")));
    assert_eq!(made, wanted.chain(["storm.toml".to_owned()]).collect::<Vec<_>>());
}

fn shown(here: &Scratch, path: &std::path::Path) -> String {
    path.strip_prefix(here.path("")).expect("it lies below").display().to_string()
}

#[test]
fn results_are_on_standard_output_and_warnings_on_standard_error() {
    let here = Scratch::with(&CALM.replace("about = \"A calm sea.\"\n", ""));
    let told = here.stormglass(&["run", "storm.toml", "--format", "json"]);
    assert_tells(&told.err, &["warning[S0501]: the scenario does not say what it is about"]);
    assert!(told.out.starts_with('{') && told.out.lines().count() == 1, "{told:?}");
    let fine = Scratch::with(CALM).stormglass(&["run", "storm.toml", "--format", "json"]);
    assert_eq!(fine.err, "");
}

#[test]
fn without_a_terminal_there_are_no_escape_codes() {
    // A scenario can try to smuggle one in.
    let here = Scratch::with(&STALE_READS.replace("A deposed", r"\u001b[31mA deposed"));
    for colour in [None, Some("1"), Some("")] {
        for args in
            [&["run", "storm.toml"][..], &["test", "storm.toml"], &["replay", "storm.toml"], &["list", "scenarios"]]
        {
            let mut command = here.command(args);
            command.env("TERM", "xterm-256color");
            if let Some(value) = colour {
                command.env("NO_COLOR", value);
            }
            let told = Told::by(command);
            assert!(!format!("{}{}", told.out, told.err).contains('\u{1b}'), "{args:?}: {told:?}");
        }
    }
}

#[test]
fn a_locale_without_utf_8_gets_ascii_only() {
    let here = Scratch::with(&STALE_READS.replace("A deposed", "Ein gestürzter"));
    for args in [
        &["run", "storm.toml"][..],
        &["test", "storm.toml"],
        &["list", "checks"],
        &["run", "--help"],
        &["run", "storm.toml", "--seed", "x"],
    ] {
        for (name, locale) in [("LC_ALL", "C"), ("LC_ALL", "POSIX"), ("LC_ALL", "de_DE.ISO-8859-1")] {
            let mut command = here.command(args);
            command.env(name, locale);
            let told = Told::by(command);
            assert!(told.out.is_ascii() && told.err.is_ascii(), "{args:?} in {locale}: {told:?}");
        }
    }
    assert_tells(&here.stormglass(&["run", "storm.toml"]).out, &["Ein gestürzter leader", "✗ linearizable"]);
}

#[test]
fn a_violation_is_a_fail_with_its_witness_told_once() {
    let here = Scratch::with(STALE_READS);
    let told = here.stormglass(&["run", "storm.toml"]);
    assert_eq!((told.code, told.err.as_str()), (1, ""), "{told:?}");
    assert_tells(told.line("FAIL"), &["1 of 4 checks failed"]);
    assert_eq!(told.out.matches("fits nowhere").count(), 1, "{}", told.out);
    assert_eq!(told.out.matches("            1. c").count(), 1, "{}", told.out);
    assert_tells(&told.out, &[" (leader of term 1, though ", "had replaced it\n", " acknowledged it at ", "|--w("]);
    let object = here.run(&["storm.toml"]);
    assert_eq!(object["verdict"], "FAIL");
    let findings = object["findings"].as_array().expect("a list");
    let failed: Vec<&Value> = findings.iter().filter(|finding| finding["verdict"] == "FAIL").collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["check"], "linearizable");
    let witness = &failed[0]["witness"];
    assert_eq!((&witness["is_minimal"], &witness["reason"]["kind"]), (&true.into(), &"replaced".into()), "{witness}");
    let read = witness["offender"].as_u64().expect("somebody is to blame") as usize;
    assert_eq!(witness["operations"][read]["server"]["role"], serde_json::json!(["leader", 1]), "{witness}");
    // The history that is saved names the nodes too, and fails the same way.
    let told = here.stormglass(&["verify", "out/storm-1/history.jsonl", "--model", "kv"]);
    assert_eq!(told.code, 1);
    assert_tells(&told.out, &["; n1 acknowledged it at ", "; n1 answered "]);
}

/// `test` asks whether the scenario does what it is made for; `run` says what happened.
#[test]
fn a_run_of_a_scenario_made_to_fail_fails_and_says_that_it_is_made_for_it() {
    let here = Scratch::with(&format!("{STALE_READS}shows = [\"linearizable\"]\n"));
    let told = here.stormglass(&["run", "storm.toml"]);
    assert_eq!(told.code, 1);
    assert_tells(told.line("FAIL"), &["1 of 4 checks failed, as this scenario is made to show"]);
    let object = here.run(&["storm.toml"]);
    let findings = object["findings"].as_array().expect("a list");
    assert!(findings.iter().any(|found| found["check"] == "linearizable" && found["verdict"] == "FAIL"), "{object}");
}

#[test]
fn a_cut_between_those_who_never_talk_is_vacuous() {
    let cut = "[[fault]]\ndo = \"partition\"\nat = \"1s\"\nfor = \"1s\"\ngroups = [[\"client:c1\"], [\"client:c2\"]]\n";
    let here = Scratch::with(&format!("{CALM}{cut}"));
    let told = here.stormglass(&["run", "storm.toml"]);
    assert_eq!(told.code, 4, "{told:?}");
    assert_tells(
        &told.out,
        &["∅ every fault had an effect   without effect: partition-1", "1 of 5 checks tested nothing"],
    );
    assert_eq!(here.run(&["storm.toml"])["faults"][0]["effects"], 0);
}

#[test]
fn a_goal_never_reached_is_vacuous() {
    let here = Scratch::with(&format!("{CALM}reach = [\"operations >= 1000000\"]\n"));
    assert_eq!(here.stormglass(&["run", "storm.toml"]).code, 4);
}

#[test]
fn the_trace_is_json_line_by_line_and_its_time_never_falls() {
    let here = Scratch::with(&format!("{CALM}{CUT}"));
    let object = here.run(&["storm.toml", "--trace", "jsonl"]);
    let (mut time, mut step, mut kinds) = (0, 0, BTreeSet::new());
    for line in here.read("out/storm-1/trace.jsonl").lines() {
        let row: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let names: BTreeSet<&str> = row.as_object().expect("an object").keys().map(String::as_str).collect();
        let always = BTreeSet::from(["from", "step", "text", "time", "to", "what"]);
        assert!(names.is_superset(&always), "{line}");
        let sometimes: Vec<&str> = names.difference(&always).copied().collect();
        let what = row["what"].as_str().unwrap_or_default();
        let is_sent = ["sent", "message", "request", "reply", "lost"].contains(&what);
        assert!(sometimes.iter().all(|name| ["message", "takes"].contains(name)), "{line}");
        assert_eq!(sometimes.contains(&"message"), is_sent, "{line}");
        assert!(what != "flush" || sometimes.contains(&"takes"), "{line}");
        let number = |name: &str| row[name].as_u64().unwrap_or_else(|| panic!("`{name}` is a number: {line}"));
        let text = |name: &str| row[name].as_str().unwrap_or_else(|| panic!("`{name}` is a text: {line}")).to_owned();
        assert!(number("time") >= time && number("step") >= step, "{line}");
        (time, step) = (number("time"), number("step"));
        assert!(!text("from").is_empty() && text("to").len() < 100 && text("text").len() < 10_000, "{line}");
        kinds.insert(text("what"));
    }
    assert!(Some(time) <= object["simulated_ns"].as_u64() && Some(step) <= object["events"].as_u64());
    for kind in ["sent", "message", "request", "reply", "timer", "start", "role", "fault", "heal"] {
        assert!(kinds.contains(kind), "no row of `{kind}` among {kinds:?}");
    }
}

/// One run, several files, and each says the same run; what is not asked for is not left from before.
#[test]
fn a_run_is_traced_in_several_formats_at_once() {
    let here = Scratch::with(&format!("{CALM}{CUT}"));
    let plain = here.fingerprint(&["storm.toml", "--out", "there"]);
    let told =
        here.stormglass(&["run", "storm.toml", "--out", "there", "--trace", "jsonl,shiviz", "--trace", "perfetto"]);
    assert_eq!((told.code, told.line("fingerprint")), (0, &*plain), "{told:?}");
    assert_tells(&told.err, &["there/run.shiviz.log: choose it", "there/run.pftrace: open it at ui.perfetto.dev\n"]);
    let log = here.read("there/run.shiviz.log");
    assert!(log.starts_with("(?<time>") && log.contains("\nn2 {\"") && log.contains("RequestVote"), "{}", &log[..200]);
    let trace = std::fs::read(here.path("there/run.pftrace")).expect("it is there");
    assert!(trace.len() > 10_000 && trace.windows(11).any(|bytes| bytes == b"partition-1"), "{}", trace.len());
    assert!(!log.contains("NodeId") && !here.read("there/trace.jsonl").contains("NodeId"), "nodes are called n1");
    here.run(&["storm.toml", "--out", "there", "--trace", "perfetto"]);
    let names: Vec<String> =
        here.files().into_keys().map(|path| path.file_name().unwrap_or_default().to_string_lossy().into()).collect();
    assert!(names.contains(&"run.pftrace".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| ["trace.jsonl", "run.shiviz.log"].contains(&&**name)), "{names:?}");
}

/// A trace left from another run would be taken for a part of this one.
#[test]
fn a_directory_holds_one_run() {
    let here = Scratch::with(CALM);
    here.run(&["storm.toml", "--out", "there", "--trace", "jsonl"]);
    assert!(here.path("there/trace.jsonl").exists());
    here.run(&["storm.toml", "--out", "there", "--seed", "2"]);
    assert!(!here.path("there/trace.jsonl").exists());
    assert_tells(&here.read("there/run.json"), &["\"seed\": 2"]);
}

/// Nobody reads; the verdict stands all the same.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_not_taken_for_an_answer() {
    let here = Scratch::with(CALM);
    for args in [&["run", "storm.toml"][..], &["replay", "storm.toml"], &["test", "storm.toml"], &["list", "faults"]] {
        let mut command = here.command(args);
        command.stdout(std::fs::File::create("/dev/full").expect("Linux has one"));
        let told = Told::by(command);
        assert_eq!(told.code, 2, "{args:?}: {told:?}");
        assert_tells(&told.err, &["error: cannot write to standard output: no space left"]);
    }
}
