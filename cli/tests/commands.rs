//! `check`, `test`, `replay`, `verify`, `list`, and help.
#![allow(clippy::disallowed_methods, reason = "tests of the command touch files, as it does")]

mod common;

use common::{CALM, CUT, STALE_READS, Scratch, Told, assert_tells};
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

#[test]
fn check_says_that_a_scenario_is_fine_and_runs_nothing() {
    let here = Scratch::with(&format!("{CALM}{CUT}"));
    let before = here.files();
    let told = here.stormglass(&["check", "storm.toml"]);
    assert_eq!((told.code, told.out.as_str(), told.err.as_str()), (0, "storm.toml: fine\n", ""));
    assert!(here.files() == before);
}

#[test]
fn check_plan_shows_what_a_seed_will_do_before_it_does() {
    let drawn = CUT.replace("at = \"1s\"", "at = \"200ms..1900ms\"").replace("for = \"500ms\"", "for = \"1ms..99ms\"");
    let here = Scratch::with(&format!("{CALM}{drawn}"));
    let plan = |seed: &str| here.stormglass(&["check", "storm.toml", "--plan", "--seed", seed]);
    let seven = plan("7");
    assert_eq!((seven.code, seven.err.as_str()), (0, ""));
    assert_tells(&seven.out, &["storm, seed 7: 2s", "election-timeout = ", "n3", "partition-1: at "]);
    assert_eq!(plan("7"), seven);
    assert_ne!(plan("8").line("fault"), seven.line("fault"));
    // And then it does.
    let planned = seven.line("fault").split_once("at ").map(|(_, rest)| rest.split(' ').next().unwrap_or_default());
    let struck = here.run(&["storm.toml", "--seed", "7"])["faults"][0]["from_ns"].as_u64().expect("a number");
    let planned = planned.and_then(|text| text.trim_end_matches(|c: char| c.is_alphabetic()).parse::<f64>().ok());
    let milliseconds = planned.map(|number| if number < 10.0 { number * 1000.0 } else { number });
    assert_eq!(milliseconds.map(|number| number.round() as u64), Some((struck + 500_000) / 1_000_000), "{}", seven.out);
}

#[test]
fn of_several_scenarios_one_bad_one_is_enough() {
    let here = Scratch::with(CALM);
    here.write("bad.toml", CALM.replace("raft", "rafd"));
    let told = here.stormglass(&["check", "storm.toml", "bad.toml", "missing.toml"]);
    assert_eq!((told.code, told.out.as_str()), (2, "storm.toml: fine\n"));
    assert_tells(&told.err, &["--> bad.toml:8:8", "missing.toml"]);
}

#[test]
fn check_lets_warnings_through() {
    let here = Scratch::with(&CALM.replace("about = \"A calm sea.\"\n", ""));
    let told = here.stormglass(&["check", "storm.toml"]);
    assert_eq!((told.code, told.out.as_str()), (0, "storm.toml: fine, but see the warnings\n"));
    assert_tells(&told.err, &["warning[S0501]"]);
}

/// Without check-quorum a leader that nobody answers stays, and raft promises no progress.
#[test]
fn a_scenario_that_demands_more_than_was_promised_is_refused_unless_it_is_made_to_show_that() {
    let deaf = CUT.replace("[[\"leader\"], [\"others\"]]", "[[\"others\"], [\"leader\"]]\none-way = true");
    let demand = CALM.replace("\"no lost writes\"", "\"recovery <= 1s\"");
    let trusting = demand.replace("name = \"raft\"", "name = \"raft\"\ncheck-quorum = false");
    let here = Scratch::with(&format!("{trusting}{deaf}"));
    assert_tells(
        &here.refused(&["check", "storm.toml"]),
        &[
            "error[S0404]: `recovery <= 1s` is not promised here: without check-quorum",
            "--> storm.toml:16:25",
            "help: use `check-quorum = true`, or list it in `shows` too",
        ],
    );
    here.write("shown.toml", format!("{trusting}shows = [\"recovery <= 1s\"]\n{deaf}"));
    here.write("sound.toml", format!("{demand}{deaf}"));
    let told = here.stormglass(&["check", "shown.toml", "sound.toml"]);
    assert_eq!((told.code, told.out.as_str()), (0, "shown.toml: fine\nsound.toml: fine\n"), "{}", told.err);
}

/// Four scenarios: two hold, one violates, one tests nothing.
#[track_caller]
fn suite() -> Scratch {
    let here = Scratch::new();
    here.write("suite/a calm <sea>.toml", CALM);
    here.write("suite/below/made to show.toml", format!("{STALE_READS}shows = [\"linearizable\"]\n"));
    here.write("suite/broken & bad.toml", STALE_READS);
    here.write("suite/idle.toml", format!("{CALM}reach = [\"operations >= 1000000\"]\n"));
    here.write("suite/readme.md", "not a scenario");
    here
}

#[test]
fn a_suite_is_counted_in_its_last_line_and_failures_are_named_with_their_replay() {
    let here = suite();
    let told = here.stormglass(&["test", "suite"]);
    assert_eq!((told.code, told.err.as_str()), (1, ""), "{told:?}");
    assert_eq!(told.out.lines().last(), Some("2 passed, 2 failed"));
    assert_tells(
        &told.out,
        &[
            "✓ suite/a calm <sea>.toml   seed 1\n",
            "✓ suite/below/made to show.toml   seed 1   shown: linearizable\n",
            "✗ suite/broken & bad.toml   seed 1\n    FAIL    linearizable: ",
            "            stormglass run 'suite/broken & bad.toml' --seed 1\n",
            "∅ suite/idle.toml   seed 1\n    VACUOUS operations >= 1000000: ",
        ],
    );
}

#[test]
fn a_suite_runs_on_many_seeds() {
    let here = Scratch::with(CALM);
    let told = here.stormglass(&["test", "storm.toml", "--seeds", "0..3"]);
    assert_eq!(told.out, "✓ storm.toml   3 seeds: 3 PASS\n1 passed, 0 failed\n");
    assert_eq!((told.code, &told), (0, &here.stormglass(&["test", "storm.toml", "--seeds", "3"])));
}

#[test]
fn a_suite_does_not_depend_on_how_many_run_at_once() {
    let here = suite();
    let alone = here.stormglass(&["test", "suite", "--seeds", "5..9", "--jobs", "1"]);
    assert_eq!(alone, here.stormglass(&["test", "suite", "--seeds", "5..9", "--jobs", "2"]));
    assert_eq!(alone.out.lines().last(), Some("2 passed, 2 failed"), "{}", alone.out);
}

#[test]
fn a_scenario_made_to_show_what_it_does_not_show_fails() {
    let here = Scratch::with(&format!("{CALM}shows = [\"linearizable\"]\n"));
    let told = here.stormglass(&["test", "storm.toml"]);
    assert_eq!(told.code, 1);
    assert_tells(&told.out, &["FAIL    not shown: linearizable"]);
    assert_tells(&here.stormglass(&["run", "storm.toml"]).out, &["though this scenario is made to show a violation"]);
}

#[test]
fn a_directory_without_a_scenario_tests_nothing() {
    let here = Scratch::new();
    here.write("empty/readme.md", "nothing to run");
    let told = here.stormglass(&["test", "empty"]);
    assert_eq!((told.code, told.err.as_str()), (4, ""));
    assert_eq!(told.out, "there is no scenario here, so nothing was tested\n0 passed, 0 failed\n");
}

#[test]
fn one_broken_scenario_stops_the_suite_before_it_runs() {
    let here = suite();
    here.write("suite/zz.toml", CALM.replace("raft", "rafd"));
    assert_tells(&here.refused(&["test", "suite", "--junit", "junit.xml"]), &["--> suite/zz.toml:8:8"]);
}

#[test]
fn junit_is_well_formed_and_names_every_scenario() {
    let here = suite();
    here.stormglass(&["test", "suite", "--junit", "junit.xml"]);
    let elements = xml_elements(&here.read("junit.xml"));
    let named = |tag: &str| -> Vec<&str> {
        elements.iter().filter(|(name, _)| name == tag).map(|(_, attributes)| attributes.as_str()).collect()
    };
    assert_eq!(named("testsuite"), [r#"name="stormglass" tests="4" failures="2""#]);
    assert_eq!(
        named("testcase"),
        [
            r#"name="suite/a calm &lt;sea&gt;.toml""#,
            r#"name="suite/below/made to show.toml""#,
            r#"name="suite/broken &amp; bad.toml""#,
            r#"name="suite/idle.toml""#,
        ]
    );
    assert_eq!(named("failure").len(), 2);
    assert_tells(&here.read("junit.xml"), &["stormglass run &#39;suite/broken &amp; bad.toml&#39; --seed 1"]);
}

/// What somebody published of the calm scenario, in a file beside it.
fn published(check: &str) -> String {
    let head = "[[figure]]\ntitle = 'Calm'\nsource = 'Somebody'\nat = 'nodes'\nof = 'served'\nunit = '%'\n";
    let series = "[[figure.series]]\nname = 'one'\nfile = 'calm.toml'\n";
    format!("{head}{series}points = [{{ at = 3, published = 99, check = '{check}' }}]\n")
}

#[test]
fn figures_are_laid_over_what_was_published() {
    let here = Scratch::new();
    here.write("suite/calm.toml", CALM.replace("[expect]\nmust = [", "[expect]\nmust = [\"served in 90%..100%\", "));
    here.write("suite/published.toml", published("served"));
    let told = here.stormglass(&["test", "suite", "--figures", "figures.html"]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    assert_tells(&told.out, &["1 passed, 0 failed"]);
    assert_tells(&here.read("figures.html"), &["1 of 1 number", "+1.01\u{202f}%", "90–100\u{202f}%"]);
}

#[test]
fn what_was_published_is_refused_where_it_is_wrong() {
    let here = Scratch::new();
    here.write("suite/calm.toml", CALM);
    let test = ["test", "suite", "--figures", "figures.html"];
    assert_tells(&here.refused(&test), &["there is no published.toml"]);
    here.write("suite/published.toml", published("served").replace("unit", "units"));
    assert_tells(&here.refused(&test), &["suite/published.toml:6:1: unknown field `units`"]);
    here.write("suite/published.toml", published("served").replace("calm.toml", "storm.toml"));
    assert_tells(&here.refused(&test), &["there is no scenario \"storm.toml\" beside it"]);
    // That a scenario does not ask for it is known once it was run: its verdict is told first.
    here.write("suite/published.toml", published("served"));
    let told = here.stormglass(&test);
    assert_eq!(told.code, 2);
    assert_tells(&told.out, &["1 passed, 0 failed"]);
    assert_tells(&told.err, &["`served` of one at 3: calm.toml does not ask for it"]);
    assert!(!here.path("figures.html").exists());
}

/// The elements of an XML text and their attributes as they stand, in order. Panics if the text is not well-formed.
fn xml_elements(text: &str) -> Vec<(String, String)> {
    let (mut found, mut open) = (Vec::new(), Vec::new());
    let mut rest = text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").expect("it says what it is");
    while let Some(start) = rest.find('<') {
        assert_entities(&rest[..start]);
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "tags close in their order");
            continue;
        }
        let inner = tag.trim_end_matches('/');
        let (name, attributes) = inner.split_once(' ').unwrap_or((inner, ""));
        assert!(attributes.matches('"').count().is_multiple_of(2) && !attributes.contains('<'), "{attributes}");
        assert_entities(attributes);
        if !tag.ends_with('/') {
            open.push(name.to_owned());
        }
        found.push((name.to_owned(), attributes.trim().to_owned()));
    }
    assert_eq!((open.len(), rest.trim()), (0, ""), "everything is closed");
    found
}

fn assert_entities(text: &str) {
    for after in text.split('&').skip(1) {
        assert!(["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|entity| after.starts_with(entity)), "&{after}");
    }
    assert!(!text.contains('>'), "{text}");
}

#[test]
fn a_replay_shows_everything_and_filters_show_a_part() {
    let here = Scratch::with(&format!("{CALM}{CUT}"));
    let all = here.stormglass(&["replay", "storm.toml"]);
    assert_eq!((all.code, all.err.as_str()), (0, ""));
    assert_tells(&all.out, &["   0.000000s  n1           start", " -> n2 ", "partition-1", "leader, term 1"]);
    assert!(!all.out.contains(" sent "), "each message once: when it arrives or is lost");
    let part = here.stormglass(&["replay", "storm.toml", "--node", "n2", "--from", "900ms", "--until", "1100ms"]);
    let rows: Vec<&str> = part.out.lines().collect();
    let (verdict, rows) = rows.split_last().expect("it shows something");
    assert!(verdict.starts_with("PASS  seed 1, fingerprint ") && !rows.is_empty(), "{}", part.out);
    for row in rows {
        let seconds: f64 = row.split('s').next().and_then(|text| text.trim().parse().ok()).expect("a time");
        assert!((0.9..=1.1).contains(&seconds) && row.contains("n2") && all.out.contains(row), "{row}");
    }
}

#[test]
fn a_replay_says_whether_it_is_the_recorded_run() {
    let here = Scratch::with(&format!("{CALM}{CUT}"));
    let seen = here.fingerprint(&["storm.toml", "--seed", "9"]);
    let same = here.stormglass(&["replay", "storm.toml", "--seed", "9", "--verify", &seen]);
    assert_eq!((same.code, same.line("SAME").contains(&seen)), (0, true), "{same:?}");
    for args in [["--seed", "9", "--verify", "0000000000000000"], ["--seed", "8", "--verify", &seen]] {
        let other = here.stormglass(&[&["replay", "storm.toml"], &args[..]].concat());
        assert_eq!(other.code, 5, "{other:?}");
        assert!(other.out.starts_with("DIFFERENT") && other.out.contains(args[3]), "{other:?}");
    }
}

/// Against the record of a run, a replay that is another run also says where the two part.
#[test]
fn a_replay_shows_where_it_parts_from_the_recorded_run() {
    let here = Scratch::with(&format!("{CALM}{CUT}"));
    assert_eq!(here.stormglass(&["run", "storm.toml", "--seed", "9", "--out", "kept"]).code, 0);
    let same = here.stormglass(&["replay", "storm.toml", "--seed", "9", "--verify", "kept"]);
    assert_eq!(same.code, 0, "{same:?}");
    let slower = ["replay", "storm.toml", "--seed", "9", "--set", "protocol.heartbeat=80ms", "--verify", "kept"];
    let other = here.stormglass(&slower);
    assert_eq!(other.code, 5, "{other:?}");
    assert_tells(&other.out, &["they part in the second from 0s on", "start"]);
    here.write("kept/run.json", "{}");
    assert_tells(&here.refused(&["replay", "storm.toml", "--verify", "kept"]), &["kept/run.json is not the record"]);
}

/// A replay that is the same run is reproducible, whatever the run's verdict.
#[test]
fn a_failing_run_can_be_the_recorded_run() {
    let here = Scratch::with(STALE_READS);
    let seen = here.fingerprint(&["storm.toml"]);
    assert_eq!(here.stormglass(&["replay", "storm.toml", "--verify", &seen]).code, 0);
    assert_eq!(here.stormglass(&["replay", "storm.toml", "--until", "1ms"]).code, 1);
}

/// As `replay … | head -1` does.
#[test]
#[cfg(unix)]
fn a_reader_that_goes_away_ends_a_replay_quietly() {
    let here = Scratch::with(&CALM.replace("\"2s\"", "\"10s\""));
    let mut command = here.command(&["replay", "storm.toml"]);
    let mut replay = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut reader = BufReader::new(replay.stdout.take().expect("it has a pipe"));
    let mut first = String::new();
    reader.read_line(&mut first).expect("it says something");
    assert_tells(&first, &["0.000000s  n1"]);
    drop(reader);
    let told = Told::of(replay.wait_with_output().expect("it ends"));
    assert_eq!((told.code, told.err.as_str()), (141, ""));
}

/// A run has ended when it is printed, so its verdict stands even if nobody reads it.
#[test]
#[cfg(unix)]
fn a_reader_that_goes_away_does_not_change_a_verdict() {
    let here = Scratch::with(STALE_READS);
    for args in [&["run", "storm.toml"][..], &["test", "storm.toml"]] {
        let mut command = here.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop(child.stdout.take());
        let told = Told::of(child.wait_with_output().expect("it ends"));
        assert_eq!((told.code, told.err.as_str()), (1, ""), "{args:?}");
    }
}

/// A register is written, and a later read does not see it.
const STALE: &str = r#"{"process":0,"type":"invoke","f":"write","value":1}
{"process":0,"type":"ok","f":"write","value":1}
{"process":1,"type":"invoke","f":"read","value":null}
{"process":1,"type":"ok","f":"read","value":null}
"#;

#[test]
fn a_history_that_no_order_explains_fails_with_an_argument_told_once() {
    let here = Scratch::new();
    here.write("stale.jsonl", STALE);
    let told = here.stormglass(&["verify", "stale.jsonl", "--model", "register"]);
    assert_eq!((told.code, told.err.as_str()), (1, ""));
    assert!(told.out.starts_with("FAIL  stale.jsonl breaks linearizability (model register)\n"), "{}", told.out);
    assert_tells(
        &told.out,
        &[
            "      p1 read nil in the register after 1 had replaced it\n\n",
            "      2 operations by 2 processes, read as JSON Lines\n\n      p0     |--w(1)--|\n",
            "      p1                |--r()=nil--|  ◀ fits nowhere\n",
            "      1. p0 wrote 1 to the register (event 0) and had it acknowledged (event 1).\n",
            "      3. (1) put 1 in the place of nil before (2) began, and nobody had written nil since: ",
        ],
    );
    assert_eq!(told.out.matches("\n      1. ").count(), 1, "{}", told.out);
    let told = here.stormglass(&["verify", "stale.jsonl", "--model", "register", "--format", "json"]);
    let object: serde_json::Value = serde_json::from_str(&told.out).expect("one object");
    assert_eq!((told.code, &object["verdict"], &object["operations"]), (1, &"FAIL".into(), &2.into()));
    assert!(object["wall_ns"].is_u64() && object["witness"]["is_minimal"] == true);
    let witness = &object["witness"];
    let count = |list: &str| witness[list].as_array().map(Vec::len);
    assert_eq!((count("operations"), count("steps"), count("argument")), (Some(2), Some(2), Some(3)), "{witness}");
    assert_eq!((&witness["offender"], &witness["reason"]["kind"]), (&1.into(), &"replaced".into()));
}

#[test]
fn a_history_of_somebody_elses_cannot_write_to_the_terminal() {
    let here = Scratch::new();
    let answer = r#""ok","f":"read","value":"#;
    here.write("bold.jsonl", STALE.replace(&format!("{answer}null"), &format!(r#"{answer}"\u001b[1mü""#)));
    let told = here.stormglass(&["verify", "bold.jsonl", "--model", "register"]);
    assert_eq!(told.code, 1, "{told:?}");
    assert_tells(&told.out, &[r"\u{1b}[1mü"]);
    assert!(!told.out.contains('\u{1b}'));
    here.write("bad.jsonl", "\n{\"process\":0,\"type\":\"\\u001b[1m\",\"f\":\"read\"}\n");
    let told = here.refused(&["verify", "bad.jsonl", "--model", "register", "--input", "jsonl"]);
    assert_tells(&told, &["bad.jsonl:2:31: unknown type `", "[1m`"]);
}

#[test]
fn what_was_there_first_decides() {
    let here = Scratch::new();
    let read: String = STALE.lines().skip(2).map(|line| format!("{line}\n")).collect();
    here.write("read.jsonl", read);
    let judged =
        |initial: &str| here.stormglass(&["verify", "read.jsonl", "--model", "register", "--initial", initial]).code;
    assert_eq!((judged("nil"), judged("null"), judged("5"), judged("\"x\""), judged("x")), (0, 0, 1, 1, 1));
}

#[test]
fn a_search_without_time_gives_no_answer() {
    let here = Scratch::new();
    // A value that was written twice does not tell who wrote it: that takes a search.
    let event =
        |kind: &str, f: &str, value: &str| format!(r#"{{"process":0,"type":"{kind}","f":"{f}","value":{value}}}"#);
    let write = format!("{}\n{}\n", event("invoke", "write", "1"), event("ok", "write", "1"));
    let read = format!("{}\n{}\n", event("invoke", "read", "null"), event("ok", "read", "1"));
    here.write("twice.jsonl", write.repeat(2) + &read);
    let told = here.stormglass(&["verify", "twice.jsonl", "--model", "register", "--budget", "0"]);
    assert_eq!((told.code, told.err.as_str()), (3, ""));
    assert!(told.out.starts_with("UNKNOWN  whether twice.jsonl keeps linearizability is undecided"), "{told:?}");
    assert_tells(&told.out, &["--budget 60s: the 0s of time ran out"]);
}

#[test]
fn a_history_in_which_nothing_returned_shows_nothing() {
    let here = Scratch::new();
    here.write("pending.jsonl", STALE.lines().next().expect("it has a line"));
    let told = here.stormglass(&["verify", "pending.jsonl", "--model", "register"]);
    assert_eq!(told.code, 4, "{told:?}");
}

#[test]
fn each_list_has_a_line_for_each_thing() {
    let here = Scratch::with(CALM);
    for (kind, wanted) in [
        ("protocols", &["raft  "][..]),
        (
            "faults",
            &[
                "partition  ",
                "crash  ",
                "pause  ",
                "link  ",
                "clock  ",
                "operate  ",
                "Keys: groups, shape, order, links, one-way, flap.",
            ],
        ),
        ("flaws", &["raft ack-before-fsync  ", "raft read-without-quorum  "]),
        (
            "checks",
            &[
                "linearizable  ",
                "no lost writes  ",
                "With default settings promised by raft, multi-paxos, paxos.",
                "availability >= 97%  ",
                "operations >= 500  ",
            ],
        ),
        ("layouts", &["small-lan  ", "three-zones  ", "three-regions  "]),
        ("scenarios", &["storm.toml  A calm sea."]),
    ] {
        let told = here.stormglass(&["list", kind]);
        assert_eq!((told.code, told.err.as_str()), (0, ""), "{kind}");
        assert_tells(&told.out, wanted);
        assert!(told.out.lines().all(|line| line.contains("  ")), "a name and a sentence: {}", told.out);
        assert!(!told.out.contains(": ."), "no title without a list: {}", told.out);
    }
    let nowhere = Scratch::new().stormglass(&["list", "scenarios"]);
    assert_eq!((nowhere.code, nowhere.out.as_str(), nowhere.err.as_str()), (4, "", "there is none here\n"));
}

#[test]
fn help_begins_with_a_sentence_and_ends_with_examples() {
    let here = Scratch::new();
    let commands = [
        "run",
        "check",
        "verify",
        "test",
        "compare",
        "replay",
        "report",
        "list",
        "explain",
        "new",
        "schema",
        "completions",
        "man",
    ];
    for command in commands {
        let told = here.stormglass(&[command, "--help"]);
        assert_eq!((told.code, told.err.as_str()), (0, ""), "{command}");
        let (_, examples) = told.out.split_once("Examples:\n").unwrap_or_else(|| panic!("{command} has no examples"));
        let each = format!("  stormglass {command} ");
        assert!(examples.lines().count() >= 2 && examples.lines().all(|line| line.starts_with(&each)), "{examples}");
        assert!(told.out.lines().all(|line| line.chars().count() <= 100), "{}", told.out);
    }
    let whole = here.stormglass(&["--help"]).out;
    assert_tells(&whole, &["130 interrupted"]);
    assert!(whole.lines().all(|line| line.chars().count() <= 100), "{whole}");
    assert_tells(&whole, &["Examples:", "Exit codes: 0 PASS, 1 FAIL, 2 bad usage or input, 3 UNKNOWN, 4 VACUOUS"]);
}

#[test]
fn the_version_is_the_one_that_runs_record() {
    let here = Scratch::with(CALM);
    let version = here.run(&["storm.toml"])["version"].as_str().expect("a text").to_owned();
    assert_eq!(here.stormglass(&["--version"]).out, format!("stormglass {version}\n"));
}
