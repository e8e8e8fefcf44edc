//! `stormglass verify`: its options, its messages, and the files that it writes.
#![allow(clippy::disallowed_methods, reason = "tests of the command touch files, as it does")]

mod common;

use common::{Scratch, Told, assert_tells};
use serde_json::Value;

/// A register is written and read in turns; a last read sees what was replaced long before.
fn stale() -> String {
    let mut text = String::new();
    let mut told = |process: u64, f: &str, value: u64| {
        let asked = if f == "read" { "null".to_owned() } else { value.to_string() };
        text.push_str(&format!("{{\"process\":{process},\"type\":\"invoke\",\"f\":\"{f}\",\"value\":{asked}}}\n"));
        text.push_str(&format!("{{\"process\":{process},\"type\":\"ok\",\"f\":\"{f}\",\"value\":{value}}}\n"));
    };
    for value in 1..10 {
        told(0, "write", value);
        told(1, "read", value);
    }
    told(2, "read", 4);
    told(0, "write", 11);
    text
}

fn data(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

const STALE: &str = "\
FAIL  stale.jsonl breaks linearizability (model register)
      p2 read 4 in the register after 9 had replaced it

      20 operations by 3 processes, read as JSON Lines
      event     0           8           16          24          32
      returned  █ █  █  █  █  █  █  █  █  █  █  █  █  █  █  █  █  █  █  █   20
      waiting   ██████████████████████████████████████████████████████████  at most 1
      violation                  △                             △     ▲      at event 36

      p0     |--w(4)--| |--w(9)--|
      p2                           |--r()=4--|  ◀ fits nowhere
      event  12       13         33          37

      1. p0 wrote 4 to the register (event 12) and had it acknowledged (event 13).
";

#[test]
fn a_stale_read_looks_like_this() {
    let here = Scratch::new();
    here.write("stale.jsonl", stale());
    let told = here.stormglass(&["verify", "stale.jsonl", "--model", "register"]);
    assert_eq!((told.code, told.err.as_str()), (1, ""));
    let shown: String = told.out.lines().take(STALE.lines().count()).map(|line| format!("{line}\n")).collect();
    assert_eq!(shown, STALE, "{}", told.out);
    assert_tells(&told.out, &["\n      judged by  ", " of 60s, within 2GiB\n", "--out DIR"]);
}

#[test]
fn with_out_there_is_a_page_its_pictures_the_data_and_a_history_that_is_as_wrong() {
    let here = Scratch::new();
    here.write("stale.jsonl", stale());
    let told = here.stormglass(&["verify", "stale.jsonl", "--model", "register", "--out", "there"]);
    assert_eq!((told.code, told.err.as_str()), (1, ""));
    for name in ["report.html", "verify.json", "minimal.jsonl"] {
        assert_tells(&told.out, &[&format!("saved      there/{name}: ")]);
    }
    let page = here.read("there/report.html");
    assert_tells(&page, &["FAIL", "breaks linearizability", "Why it is wrong", "The history at a glance"]);
    let commands =
        ["stormglass verify stale.jsonl --model register", "stormglass verify minimal.jsonl --model register"];
    assert_tells(&page, &commands);
    assert!(page.len() < 200_000 && !page.contains("there/"), "{}", page.len());
    assert!(here.read("there/history.svg").starts_with("<svg") && here.read("there/witness-1.svg").starts_with("<svg"));

    let whole = data(&here.read("there/verify.json"));
    let again = here.stormglass(&["verify", "there/minimal.jsonl", "--model", "register", "--format", "json"]);
    let minimal = data(&again.out);
    assert_eq!(again.code, 1);
    assert!(minimal["operations"].as_u64() < whole["operations"].as_u64(), "{minimal}");
    assert_eq!((&minimal["verdict"], &minimal["detail"]), (&whole["verdict"], &whole["detail"]));
    assert_eq!(minimal["witness"]["reason"], whole["witness"]["reason"]);

    // What is right has no such history, and that of an earlier answer does not stay.
    here.write("fine.jsonl", stale().lines().take(4).map(|line| format!("{line}\n")).collect::<String>());
    let told = here.stormglass(&["verify", "fine.jsonl", "--model", "register", "--out", "there"]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    assert!(!here.path("there/minimal.jsonl").exists() && !here.path("there/witness-1.svg").exists());
}

#[test]
fn the_data_say_what_was_asked_and_how_it_was_answered() {
    let here = Scratch::new();
    here.write("stale.jsonl", stale());
    let asked = ["verify", "stale.jsonl", "--model", "register", "--format", "json"];
    let plain = data(&here.stormglass(&asked).out);
    let mut keys: Vec<&String> = plain.as_object().expect("an object").keys().collect();
    keys.sort();
    let expected = [
        "detail",
        "ladder",
        "level",
        "methods",
        "model",
        "notes",
        "operations",
        "states",
        "verdict",
        "wall_ns",
        "witness",
    ];
    assert_eq!(keys, expected);
    let (model, level) = (&plain["model"], &plain["level"]);
    assert_eq!((model, level, &plain["ladder"]), (&"register".into(), &"linearizable".into(), &Value::Null));
    let ladder = data(&here.stormglass(&[&asked[..], &["--ladder", "--level", "linearizable"]].concat()).out);
    let first = &ladder["ladder"][0];
    assert_eq!((&first["name"], &first["verdict"]), (&"linearizable".into(), &"FAIL".into()));
    assert!(first["detail"].is_string() && first["witness"].is_object());
    // But for the time it took, the answer is the same.
    let mut again = data(&here.stormglass(&asked).out);
    again["wall_ns"] = plain["wall_ns"].clone();
    assert_eq!(again, plain);
}

#[test]
fn who_does_not_say_what_it_is_hears_what_it_looks_like() {
    let here = Scratch::new();
    here.write("stale.jsonl", stale());
    let told = here.refused(&["verify", "stale.jsonl"]);
    assert_tells(&told, &["say with --model what stale.jsonl is a history of", "try `--model register`"]);
    assert_tells(&told, &["The models are cas-register, register,", "`stormglass list models`"]);
    let event =
        |kind: &str| format!("{{\"process\":0,\"type\":\"{kind}\",\"f\":\"txn\",\"value\":[[\"append\",1,2]]}}\n");
    here.write("txn.jsonl", event("invoke") + &event("ok"));
    assert_tells(&here.refused(&["verify", "txn.jsonl"]), &["try `--model list-append`"]);
}

#[test]
fn words_that_are_none_are_met_with_those_there_are() {
    let here = Scratch::new();
    here.write("stale.jsonl", stale());
    let refused = |args: &[&str]| here.refused(&[&["verify", "stale.jsonl", "--model"], args].concat());
    let told = refused(&["registr"]);
    assert_tells(&told, &["possible values: cas-register, register, kv,", "'register'"]);
    assert_tells(&refused(&["register", "--level", "linearisable"]), &["'linearizable'"]);
    assert_tells(
        &refused(&["register", "--level", "snapshot-isolation", "--out", "new"]),
        &["stale.jsonl: ", "snapshot-isolation"],
    );
    assert_tells(&refused(&["register", "--memory", "lots"]), &["`lots` is not a size; write it like \"64KB\""]);
    assert_tells(&refused(&["register", "--budget", "soon"]), &["--budget"]);
    let told = refused(&["register", "--out", "stale.jsonl"]);
    assert_tells(&told, &["stale.jsonl is a file, and results go into a directory"]);
}

#[test]
fn a_narrow_terminal_gets_narrow_lines() {
    let here = Scratch::new();
    here.write("stale.jsonl", stale());
    let mut command = here.command(&["verify", "stale.jsonl", "--model", "register"]);
    command.env("COLUMNS", "60");
    let told = Told::by(command);
    assert!(told.out.lines().all(|line| line.chars().count() <= 60), "{}", told.out);
}

#[test]
fn models_levels_and_formats_are_listed_and_explained() {
    let here = Scratch::new();
    let names = |list: &str| -> Vec<String> {
        let rows = data(&here.stormglass(&["list", list, "--format", "json"]).out);
        let name = |row: &Value| row["name"].as_str().expect("a name").to_owned();
        rows.as_array().expect("a list").iter().map(name).collect()
    };
    assert!(names("models").contains(&"list-append".to_owned()) && names("formats").contains(&"jsonl".to_owned()));
    assert_eq!(names("levels").len(), 18);
    for word in ["list-append", "snapshot-isolation", "porcupine", "monotonic-reads"] {
        let told = here.stormglass(&["explain", word]);
        assert_eq!(told.code, 0, "{told:?}");
        assert_tells(&told.out, &["`verify"]);
    }
}
