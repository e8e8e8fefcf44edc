//! One version, one scenario, one seed: one fingerprint.
#![allow(clippy::disallowed_methods, reason = "tests of the command touch files, as it does")]

mod common;

use common::{CALM, CUT, STALE_READS, Scratch, Told};
use serde_json::Value;

fn fingerprint(told: &Told) -> String {
    let object: Value = serde_json::from_str(&told.out).unwrap_or_else(|e| panic!("{e}: {told:?}"));
    object["fingerprint"].as_str().expect("a text").to_owned()
}

#[test]
fn two_processes_agree_byte_for_byte_on_what_they_save() {
    let here = Scratch::with(&format!("{CALM}{CUT}"));
    for out in ["a", "b"] {
        here.run(&["storm.toml", "--out", out, "--trace", "jsonl"]);
    }
    for file in ["run.json", "history.jsonl", "trace.jsonl"] {
        assert!(here.read(&format!("a/{file}")) == here.read(&format!("b/{file}")), "{file} differs");
    }
}

#[test]
fn nobody_who_looks_changes_what_happens() {
    let here = Scratch::with(&format!("{CALM}{CUT}"));
    let seen = here.fingerprint(&["storm.toml"]);
    assert_eq!(here.fingerprint(&["storm.toml", "--trace", "jsonl"]), seen);
    assert_eq!(here.stormglass(&["run", "storm.toml"]).line("fingerprint"), seen);
    assert!(here.stormglass(&["replay", "storm.toml", "--node", "n2"]).out.ends_with(&format!("fingerprint {seen}\n")));
}

#[test]
fn neither_place_nor_locale_nor_environment_enters() {
    let here = Scratch::with(&format!("{CALM}{CUT}"));
    here.write("below/there", "");
    let seen = here.fingerprint(&["storm.toml"]);

    let mut elsewhere = here.command(&["run", "../storm.toml", "--format", "json"]);
    elsewhere.current_dir(here.path("below"));
    assert_eq!(fingerprint(&Told::by(elsewhere)), seen, "another directory");

    let mut foreign = here.command(&["run", "storm.toml", "--format", "json"]);
    foreign.env("LC_ALL", "tr_TR.UTF-8").env("LANG", "C").env("TZ", "Pacific/Chatham");
    foreign.env("SEED", "99").env("STORMGLASS_SEED", "99").env("RUST_BACKTRACE", "1").env("RAYON_NUM_THREADS", "1");
    assert_eq!(fingerprint(&Told::by(foreign)), seen, "another environment");

    let mut bare = here.command(&["run", "storm.toml", "--format", "json"]);
    bare.env_clear();
    assert_eq!(fingerprint(&Told::by(bare)), seen, "no environment at all");
}

/// What a file is called, what is said in comments and in which order sections stand means nothing to a run.
#[test]
fn the_name_of_the_file_does_not_enter() {
    let here = Scratch::with(CALM);
    here.write("same.toml", format!("# The same sea.\n{CALM}\n# Nothing more.\n"));
    assert_eq!(here.fingerprint(&["storm.toml"]), here.fingerprint(&["same.toml"]));
}

#[test]
fn a_seed_reads_the_same_in_decimal_and_hexadecimal_and_another_gives_another_run() {
    let here = Scratch::with(&format!("{CALM}{CUT}"));
    let seen = here.fingerprint(&["storm.toml", "--seed", "42"]);
    assert_eq!(here.fingerprint(&["storm.toml", "--seed", "0x2a"]), seen);
    assert_eq!(here.fingerprint(&["storm.toml", "--seed", "0x2A"]), seen);
    assert_ne!(here.fingerprint(&["storm.toml", "--seed", "43"]), seen);
    let last = here.fingerprint(&["storm.toml", "--seed", "18446744073709551615"]);
    assert_eq!(here.fingerprint(&["storm.toml", "--seed", "0xffffffffffffffff"]), last);
}

#[test]
fn the_scenario_may_have_a_seed_of_its_own() {
    let here = Scratch::with(&CALM.replace("duration", "seed = 7\nduration"));
    assert_eq!(here.run(&["storm.toml"])["seed"], 7);
    assert_eq!(here.run(&["storm.toml", "--seed", "8"])["seed"], 8);
}

#[test]
fn set_changes_what_it_names() {
    let here = Scratch::with(CALM);
    let calm = here.run(&["storm.toml"]);
    let changed = here.run(&["storm.toml", "--set", "cluster.nodes=5", "--set", "protocol.heartbeat=20ms"]);
    assert_eq!((&calm["nodes"], &changed["nodes"]), (&3.into(), &5.into()));
    let config = changed["config"].to_string();
    assert!(config.contains(r#""value":"20ms""#), "{config}");
    assert_ne!(calm["fingerprint"], changed["fingerprint"]);
}

/// The last line of a failure is the command that shows it again: a shell takes it as it stands.
#[test]
#[cfg(unix)]
fn the_printed_command_gives_the_same_run_when_pasted() {
    let here = Scratch::new();
    here.write("it's a $torm.toml", STALE_READS);
    let args = [
        "it's a $torm.toml",
        "--seed",
        "0x3",
        "--set",
        "load.0.clients=4",
        "--set",
        "fault.0.groups=[[\"leader\"], [\"others\"]]",
    ];
    let seen = here.fingerprint(&args);
    let printed = here.stormglass(&[&["run"], &args[..]].concat()).line("again  ").to_owned();
    assert!(printed.starts_with("stormglass run ") && printed.contains("--seed 3"), "{printed}");

    let pasted = |line: &str| {
        let bin = std::path::Path::new(env!("CARGO_BIN_EXE_stormglass")).parent().expect("it stands somewhere");
        let mut shell = std::process::Command::new("/bin/sh");
        shell.args(["-c", line]).current_dir(here.path("")).env("PATH", bin);
        Told::by(shell)
    };
    let again = pasted(&printed);
    assert_eq!((again.code, again.line("fingerprint")), (1, seen.as_str()));
    // As `test` prints it, too.
    let suite = here.stormglass(&["test", ".", "--seeds", "3..4"]);
    let printed = suite.out.lines().find(|line| line.contains("stormglass run")).expect("it names the failure").trim();
    assert_eq!(
        fingerprint(&pasted(&format!("{printed} --format json"))),
        here.fingerprint(&["it's a $torm.toml", "--seed", "3"])
    );
}
