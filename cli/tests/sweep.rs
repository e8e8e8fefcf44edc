//! Many seeds into one database: the same rows however they came there.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests of the command start it, stop it and look at its files"
)]

mod common;

use common::{CALM, CUT, STALE_READS, Scratch, Told, assert_tells};
use rusqlite::Connection;
use rusqlite::types::Value;
use std::process::Stdio;
use std::time::Duration;

/// Short, and every seed draws something.
fn swarm() -> String {
    let calm = CALM.replace("\"2s\"", "\"1s\"").replace("nodes = 3", "nodes = { choose = [3, 5] }");
    format!("{calm}{}chance = \"50%\"\n", CUT.replace("at = \"1s\"", "at = { draw = \"500ms..900ms\" }"))
}

/// A sea in which some seeds fail: whose leader is cut off for long does not recover in time.
fn rough() -> String {
    STALE_READS
        .replace("duration = \"4s\"", "duration = \"3s\"")
        .replace("for = \"1s\"", "for = { choose = [\"20ms\", \"1s\"] }")
}

fn db(here: &Scratch, name: &str) -> Connection {
    Connection::open(here.path(name)).expect("a database")
}

/// Every row of every table, in the order of the key.
fn rows(here: &Scratch, name: &str) -> Vec<Vec<Value>> {
    let db = db(here, name);
    let mut found = Vec::new();
    for table in ["runs ORDER BY scenario, version, variant, seed", "scenarios ORDER BY hash, version, variant"] {
        let mut all = db.prepare(&format!("SELECT * FROM {table}")).expect("it is there");
        let columns = all.column_count();
        let row = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
        found.extend(all.query_map([], row).expect("it is read").map(|row| row.expect("it is read")));
    }
    found
}

fn count(here: &Scratch, name: &str, which: &str) -> u64 {
    let sql = format!("SELECT count(*) FROM runs WHERE {which}");
    db(here, name).query_row(&sql, [], |row| row.get::<_, i64>(0)).expect("it counts").unsigned_abs()
}

fn json(told: &Told) -> serde_json::Value {
    serde_json::from_str(&told.out).unwrap_or_else(|e| panic!("{e}: {told:?}"))
}

#[track_caller]
fn swept(here: &Scratch, args: &[&str]) -> Told {
    let told = here.stormglass(&[&["sweep"], args].concat());
    assert!([0, 1].contains(&told.code), "{told:?}");
    told
}

/// What a page of a sweep will need of a run is what `run` says of it.
#[test]
fn a_row_is_what_run_says() {
    let here = Scratch::with(&rough());
    swept(&here, &["storm.toml", "--seeds", "8"]);
    let db = db(&here, "out/storm.db");
    for seed in 0..8 {
        let run = here.run(&["storm.toml", "--seed", &seed.to_string()]);
        let column = |name: &str| -> Value {
            db.query_row(&format!("SELECT {name} FROM runs WHERE seed = {seed}"), [], |row| row.get(0))
                .expect("it is there")
        };
        let text = |name: &str| Value::Text(run[name].as_str().expect("a text").to_owned());
        let number = |value: &serde_json::Value| Value::Integer(value.as_i64().expect("a number"));
        for name in ["fingerprint", "verdict", "version", "protocol"] {
            assert_eq!(column(name), text(name), "{name} of seed {seed}");
        }
        for name in ["ok", "refused", "unknown"] {
            assert_eq!(column(name), number(&run["operations"][name]), "{name} of seed {seed}");
        }
        for name in ["events", "simulated_ns"] {
            assert_eq!(column(name), number(&run[name]), "{name} of seed {seed}");
        }
        assert_eq!(column("p99_ns"), number(&run["latency"]["p99_ns"]));
        assert_eq!(column("achieved"), Value::Real(run["availability"]["achieved"].as_f64().expect("a share")));
        let drawn = format!("draws ->> '$.\"{}\"'", run["draws"][0]["key"].as_str().expect("a key"));
        assert_eq!(column(&drawn), Value::Text(run["draws"][0]["value"].as_str().expect("a value").to_owned()));
        assert_eq!(column("faults ->> '$.\"partition-1\".effects'"), number(&run["faults"][0]["effects"]));
        let failed = run["verdict"] == "FAIL";
        assert_eq!(
            column("signature IS NOT NULL AND finding IS NOT NULL AND detail IS NOT NULL"),
            Value::Integer(failed.into())
        );
    }
    let text: String = db.query_row("SELECT text FROM scenarios", [], |row| row.get(0)).expect("it explains itself");
    here.write("again.toml", text);
    let kept: String =
        db.query_row("SELECT fingerprint FROM runs WHERE seed = 5", [], |row| row.get(0)).expect("a run");
    assert_eq!(here.fingerprint(&["again.toml", "--seed", "5"]), kept);
    let all: Vec<String> = rows(&here, "out/storm.db").iter().map(|row| format!("{row:?}")).collect();
    assert!(!all.concat().contains(&*here.path("").to_string_lossy()), "no path in it");
}

#[test]
fn neither_threads_nor_parts_nor_order_change_a_row() {
    let here = Scratch::with(&swarm());
    let whole = swept(&here, &["storm.toml", "--seeds", "40", "--jobs", "1", "--db", "one.db"]);
    let one = rows(&here, "one.db");
    assert_eq!(one.len(), 41);
    let two = swept(&here, &["storm.toml", "--seeds", "40", "--jobs", "2", "--db", "two.db"]);
    assert_eq!(two.out.replace("two.db", "one.db"), whole.out);
    assert!(rows(&here, "two.db") == one, "two threads");

    for seeds in ["30..40", "3..7", "0..31"] {
        swept(&here, &["storm.toml", "--seeds", seeds, "--db", "parts.db"]);
    }
    let parts = swept(&here, &["storm.toml", "--seeds", "40", "--db", "parts.db"]);
    assert_eq!(parts.out.replace("parts.db", "one.db"), whole.out);
    assert_tells(&parts.err, &["40 of 40 runs are there already"]);
    assert!(rows(&here, "parts.db") == one, "in parts");

    for shard in ["3/3", "1/3", "2/3"] {
        let db = format!("shard-{}.db", &shard[..1]);
        swept(&here, &["storm.toml", "--seeds", "40", "--shard", shard, "--db", &db]);
    }
    assert_eq!(count(&here, "shard-2.db", "seed % 3 = 1"), 13);
    assert_eq!(count(&here, "shard-2.db", "seed % 3 <> 1"), 0);
    let merged = here.stormglass(&["merge", "all.db", "shard-1.db", "shard-2.db", "shard-3.db"]);
    assert_eq!(merged.out.replace("all.db", "one.db"), whole.out);
    assert_eq!(merged.code, whole.code);
    assert!(rows(&here, "all.db") == one, "in shards");
}

/// What is killed at any moment goes on, and nobody sees a difference.
#[test]
#[cfg(unix)]
fn killed_and_begun_again_it_is_the_same_sweep() {
    let here = Scratch::with(&swarm());
    swept(&here, &["storm.toml", "--seeds", "600", "--db", "calm.db"]);
    let mut before = 0;
    for (time, round) in [450, 330, 720, 10, 510].into_iter().zip(1..) {
        let mut command = here.command(&["sweep", "storm.toml", "--seeds", "600", "--db", "killed.db"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        std::thread::sleep(Duration::from_millis(time));
        child.kill().expect("it can be killed");
        child.wait().expect("it is dead");
        if here.path("killed.db").exists() && here.path("killed.db").metadata().expect("it is there").len() > 0 {
            let now = count(&here, "killed.db", "true");
            assert!(now >= before, "round {round}: nothing that was committed is lost");
            before = now;
        }
    }
    let last = swept(&here, &["storm.toml", "--seeds", "600", "--db", "killed.db"]);
    assert_tells(&last.err, if before > 0 { &[" of 600 runs are there already"] } else { &[] });
    assert!(rows(&here, "killed.db") == rows(&here, "calm.db"));
    let left: Vec<_> = here.files().into_keys().filter(|path| path.to_string_lossy().contains("killed.db-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn failures_are_grouped_and_shown_again() {
    let here = Scratch::with(&rough());
    let told = here.stormglass(&["sweep", "storm.toml", "--seeds", "16"]);
    assert_eq!(told.code, 1, "{told:?}");
    let failed = count(&here, "out/storm.db", "verdict = 'FAIL'");
    let passed = count(&here, "out/storm.db", "verdict = 'PASS'");
    assert!(failed > 2 && passed > 2 && failed + passed == 16, "{failed} {passed}");
    assert_tells(
        &told.out,
        &[&format!("✗ storm   16 runs: {passed} PASS, {failed} FAIL"), "pass rate ", "FAIL     linearizable: "],
    );
    let again = told.line("again");
    assert!(again.starts_with("stormglass run storm.toml --seed "), "{again}");
    let seed = again.rsplit(' ').next().expect("a seed");
    assert_eq!(here.run(&["storm.toml", "--seed", seed])["verdict"], "FAIL");
    assert_eq!(told.line("smaller"), again.replace(" run ", " shrink "));

    let object = json(&here.stormglass(&["sweep", "storm.toml", "--seeds", "16", "--format", "json"]));
    assert_eq!((&object["seeds"], &object["passed"], &object["failed"]), (&16.into(), &passed.into(), &failed.into()));
    assert_eq!((&object["unknown"], &object["vacuous"]), (&0.into(), &0.into()));
    let failures = object["failures"].as_array().expect("a list");
    assert_eq!(failures.len() as u64, failed);
    assert_eq!((failures[0]["check"].as_str(), failures[0]["replay"].as_str()), (Some("linearizable"), Some(again)));
    assert!(object["wall_ns"].as_u64().is_some_and(|wall| wall > 0));
}

#[test]
fn what_goes_with_failing_is_said_at_once() {
    let here = Scratch::with(&rough());
    let told = swept(&here, &["storm.toml", "--seeds", "60"]);
    assert_tells(&told.out, &["  goes with failing: fault.partition-1.for = 1s (", " without it: risk × "]);
    let told = swept(&here, &["storm.toml", "--seeds", "60", "--format", "json"]);
    let separates = &json(&told)["scenarios"][0]["separates"];
    assert_eq!(separates["sure"][0]["condition"], "fault.partition-1.for = 1s");
    assert!(separates["sure"][0]["low"].as_f64().expect("a number") > 1.0, "{separates}");
    // All that fail may as well be chance where hardly any were run.
    let few = swept(&here, &["storm.toml", "--seeds", "3", "--db", "few.db"]);
    assert!(!few.out.contains("goes with failing: "), "{few:?}");
    let calm = Scratch::with(&swarm());
    assert!(!swept(&calm, &["storm.toml", "--seeds", "4"]).out.contains("with failing"), "nothing failed");
}

#[test]
fn what_was_not_tested_or_not_decided_is_no_pass() {
    let idle = format!("{CALM}{}", CUT.replace("[[\"leader\"], [\"others\"]]", "[[\"client:c1\"], [\"client:c2\"]]"));
    let here = Scratch::with(&idle);
    let told = here.stormglass(&["sweep", "storm.toml", "--seeds", "3"]);
    assert_eq!(told.code, 4, "{told:?}");
    assert_tells(
        &told.out,
        &[
            "3 runs: 3 VACUOUS",
            "VACUOUS  every fault had an effect: VACUOUS   3 runs",
            "VACUOUS  3 of 3 runs tested nothing",
        ],
    );
    let told = here.stormglass(&["sweep", "storm.toml", "--seeds", "1", "--shard", "2/2", "--db", "no.db"]);
    assert_eq!(told.code, 4, "no seed is the shard's: {told:?}");
}

#[test]
fn a_matrix_is_swept_in_one_database() {
    let matrix = "[sweep]\nseeds = 6\nmatrix = { \"fault.0.for\" = [\"20ms\", \"1s\"], \"cluster.nodes\" = [3, 5] }\n\
        exclude = [{ \"fault.0.for\" = \"1s\", \"cluster.nodes\" = 3 }]\n";
    let here = Scratch::with(&format!("{}{matrix}", rough()));
    let told = here.stormglass(&["sweep", "storm.toml"]);
    assert_eq!(told.code, 1, "{told:?}");
    assert_tells(
        &told.out,
        &["3 variants, 18 runs", "\n  fault.0.for=20ms,cluster.nodes=3 ", "\n  fault.0.for=1s,cluster.nodes=5 "],
    );
    let seed = "--seed 0 --set fault.0.for=1s --set cluster.nodes=5";
    assert_eq!(told.line("again"), format!("stormglass run storm.toml {seed}"));
    let rows_before = rows(&here, "out/storm.db");
    assert_eq!(rows_before.len(), 21);
    // Whoever sets a key of the matrix asks for these variants only, and they are there.
    let one = here.stormglass(&["sweep", "storm.toml", "--set", "cluster.nodes=3"]);
    assert_eq!(one.code, 0, "{one:?}");
    assert_tells(&one.err, &["6 of 6 runs are there already"]);
    assert!(rows(&here, "out/storm.db") == rows_before);
    let object = json(&here.stormglass(&["sweep", "storm.toml", "--format", "json"]));
    let names: Vec<_> =
        object["scenarios"][0]["variants"].as_array().expect("a list").iter().map(|v| &v["name"]).collect();
    assert_eq!(
        names,
        ["fault.0.for=20ms,cluster.nodes=3", "fault.0.for=20ms,cluster.nodes=5", "fault.0.for=1s,cluster.nodes=5"]
    );
}

#[test]
fn several_files_share_a_database() {
    let here = Scratch::with(CALM);
    here.write("other.toml", swarm());
    let told = swept(&here, &["storm.toml", "other.toml", "--seeds", "4"]);
    assert_tells(&told.out, &["✓ storm   4 runs: 4 PASS", "✓ other   4 runs: ", "saved in    out/sweep.db"]);
    assert_eq!(count(&here, "out/sweep.db", "true"), 8);
    here.write("below/storm.toml", swarm());
    let both = here.refused(&["sweep", "storm.toml", "below/storm.toml", "--seeds", "4"]);
    assert_tells(&both, &["storm.toml and below/storm.toml are both called storm"]);
}

#[test]
fn it_ends_early_and_goes_on() {
    let here = Scratch::with(&rough());
    let told = here.stormglass(&["sweep", "storm.toml", "--seeds", "200", "--jobs", "1", "--max-failures", "2"]);
    assert_eq!(told.code, 1, "{told:?}");
    assert_eq!(count(&here, "out/storm.db", "verdict = 'FAIL'"), 2, "{told:?}");
    assert_tells(&told.out, &["ended after 2 failures: ", " of 200 runs are missing; the same command runs them"]);
    let told = here.stormglass(&["sweep", "storm.toml", "--seeds", "200", "--jobs", "1", "--max-failures", "2"]);
    assert_eq!(count(&here, "out/storm.db", "verdict = 'FAIL'"), 4, "it went on: {told:?}");
    let told = here.stormglass(&["sweep", "storm.toml", "--seeds", "20000", "--time", "1ms", "--format", "json"]);
    let object = json(&told);
    assert_eq!((told.code, &object["ended"]), (1, &"ended after 1ms".into()));
    assert_eq!(object["seeds"].as_u64().unwrap() + object["missing"].as_u64().unwrap(), 20000);
    let own = format!("{}[sweep]\nseeds = 300\nstop-after = {{ failures = 1 }}\n", rough());
    here.write("own.toml", own);
    let told = here.stormglass(&["sweep", "own.toml", "--jobs", "1"]);
    assert_eq!(count(&here, "out/own.db", "verdict = 'FAIL'"), 1, "{told:?}");
}

#[test]
fn the_last_seeds_of_all_are_seeds() {
    let here = Scratch::with(CALM);
    let seeds = "18446744073709551613..18446744073709551616";
    let told = swept(&here, &["storm.toml", "--seeds", seeds]);
    assert_tells(&told.out, &["3 runs: 3 PASS"]);
    swept(&here, &["storm.toml", "--seeds", "9223372036854775806..9223372036854775810"]);
    let last = db(&here, "out/storm.db")
        .query_row("SELECT fingerprint FROM runs ORDER BY seed DESC LIMIT 1", [], |row| row.get::<_, String>(0))
        .expect("it is there");
    assert_eq!(last, here.fingerprint(&["storm.toml", "--seed", "0xffffffffffffffff"]));
    let again = swept(&here, &["storm.toml", "--seeds", seeds]);
    assert_tells(&again.err, &["3 of 3 runs are there already"]);
    assert_eq!(again.out, told.out);
    for (seeds, shard) in [(seeds, "1/2"), (seeds, "2/2")] {
        swept(&here, &["storm.toml", "--seeds", seeds, "--shard", shard, "--db", "shards.db"]);
    }
    assert_eq!(count(&here, "shards.db", "true"), 3);
}

/// One version and one scenario: what is of another is refused, and what there is stays.
#[test]
fn what_does_not_belong_together_is_refused() {
    let here = Scratch::with(&format!("{CALM}# a remark\n[sweep]\nseeds = 3\n"));
    swept(&here, &["storm.toml"]);
    here.write("storm.toml", format!("# another\n{}\n", CALM.replace(" = ", "  =  ")));
    let told = swept(&here, &["storm.toml", "--seeds", "3"]);
    assert_tells(&told.err, &["3 of 3 runs are there already"]);
    let told = here.refused(&["sweep", "storm.toml", "--seeds", "3", "--set", "cluster.nodes=5"]);
    assert_tells(&told, &["out/storm.db holds runs of another scenario called storm", "--db other.db"]);
    here.write("storm.toml", CALM.replace("clients = 3", "clients = 4"));
    assert_tells(
        &here.refused(&["sweep", "storm.toml", "--seeds", "3"]),
        &["another scenario called storm", "--db other.db"],
    );
    here.write("storm.toml", CALM);

    for table in ["runs", "scenarios"] {
        std::fs::copy(here.path("out/storm.db"), here.path("old.db")).expect("a copy");
        db(&here, "old.db").execute(&format!("UPDATE {table} SET version = '0.0.9'"), []).expect("poked");
        let told = here.refused(&["sweep", "storm.toml", "--seeds", "3", "--db", "old.db"]);
        assert_tells(&told, &["old.db holds runs of stormglass 0.0.9, and this is ", "--db other.db"]);
        let told = here.refused(&["merge", "new.db", "out/storm.db", "old.db"]);
        assert_tells(&told, &["0.0.9"]);
    }
}

#[test]
fn what_is_no_database_of_ours_stays_as_it_is() {
    let here = Scratch::with(CALM);
    let refused = |db: &str, wanted: &[&str]| {
        let told = here.refused(&["sweep", "storm.toml", "--seeds", "2", "--db", db]);
        assert_tells(&told, wanted);
    };
    refused("storm.toml", &["storm.toml is no database of `stormglass sweep`; it stays as it is"]);
    here.write("dir/file", "");
    refused("dir", &["dir is a directory"]);
    refused("storm.toml/a.db", &["storm.toml is a file, and results go into a directory"]);
    db(&here, "theirs.db").execute_batch("CREATE TABLE runs (a)").expect("made");
    refused("theirs.db", &["theirs.db is a database, but none of `stormglass sweep`"]);
    swept(&here, &["storm.toml", "--seeds", "2", "--db", "ours.db"]);
    db(&here, "ours.db").execute_batch("PRAGMA user_version = 7").expect("poked");
    refused("ours.db", &["ours.db is of the format 7, and this stormglass knows 2"]);
    here.write("torn.db", &here.files()[&here.path("theirs.db")][..100]);
    refused("torn.db", &[]);
    for bad in [["--shard", "0/3"], ["--shard", "4/3"], ["--seeds", "5..5"], ["--max-failures", "0"], ["--time", "5"]] {
        here.refused(&[&["sweep", "storm.toml"][..], &bad].concat());
    }
    here.refused(&["sweep", "missing.toml"]);
    // A seed in a name that SQLite would take for something else.
    swept(&here, &["storm.toml", "--seeds", "1", "--db", ":memory:"]);
    assert!(here.path(":memory:").exists());
}

/// One writes; whoever reads meanwhile sees what is committed.
#[test]
#[cfg(unix)]
fn two_sweeps_do_not_share_a_database_at_the_same_time() {
    let here = Scratch::with(CALM);
    let mut first = here.command(&["sweep", "storm.toml", "--seeds", "10000000", "--progress", "none"]);
    let mut first = first.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    while !here.path("out/storm.db").exists() || here.path("out/storm.db").metadata().expect("there").len() < 20_000 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let second = here.stormglass(&["sweep", "storm.toml", "--seeds", "2"]);
    assert_eq!((second.code, &*second.out), (2, ""), "{second:?}");
    assert_tells(
        &second.err,
        &["error: out/storm.db is in use, probably by another sweep: wait for it, or name another"],
    );
    assert!(count(&here, "out/storm.db", "verdict = 'PASS'") > 0);
    first.kill().expect("it can be killed");
    first.wait().expect("it is dead");
    swept(&here, &["storm.toml", "--seeds", "2"]);
}

#[test]
fn a_merge_adds_and_refuses_what_contradicts() {
    let here = Scratch::with(CALM);
    swept(&here, &["storm.toml", "--seeds", "0..4", "--db", "a.db"]);
    swept(&here, &["storm.toml", "--seeds", "2..6", "--db", "b.db"]);
    let told = here.stormglass(&["merge", "all.db", "a.db", "b.db"]);
    assert_eq!(told.code, 0, "{told:?}");
    assert_tells(&told.out, &["✓ storm   6 runs: 6 PASS", "saved in    all.db"]);
    swept(&here, &["storm.toml", "--seeds", "6..8", "--db", "c.db"]);
    let told = here.stormglass(&["merge", "all.db", "c.db", "--format", "json"]);
    assert_eq!(json(&told)["seeds"], 8, "what was there stays");

    let before = here.files();
    db(&here, "c.db").execute("UPDATE runs SET fingerprint = '0' WHERE seed = 7", []).expect("poked");
    let told = here.stormglass(&["merge", "all.db", "c.db"]);
    assert_eq!((told.code, &*told.out), (5, ""), "{told:?}");
    assert_tells(&told.err, &["NOT REPRODUCIBLE: seed 7 of storm is ", " PASS in one database and 0 PASS in c.db"]);
    assert!(here.files()[&here.path("all.db")] == before[&here.path("all.db")]);

    here.write("storm.toml", CALM.replace("clients = 3", "clients = 4"));
    swept(&here, &["storm.toml", "--seeds", "4", "--db", "changed.db"]);
    let told = here.refused(&["merge", "new.db", "a.db", "changed.db"]);
    assert_tells(&told, &["a.db and changed.db hold runs of two scenarios called storm"]);
    assert_tells(&here.refused(&["merge", "new.db", "missing.db"]), &["there is no missing.db"]);
    assert_tells(&here.refused(&["merge", "storm.toml", "a.db"]), &["storm.toml is no database"]);
    assert_tells(&here.refused(&["merge", "new.db", "storm.toml"]), &["storm.toml is no database"]);
}

/// So rare that no seed that was tried when the file was read drew it: what was run before it is kept.
#[test]
fn a_seed_that_cannot_be_run_ends_the_sweep_and_keeps_the_rest() {
    let rare =
        |usual: &str, other: &str| format!("{{ choose = [{}\"{other}\"] }}", format!("\"{usual}\", ").repeat(24));
    let (duration, at) = (rare("2s", "1600ms"), rare("900ms", "1700ms"));
    let here = Scratch::with(&(CALM.replacen("\"2s\"", &duration, 1) + &CUT.replace("\"1s\"", &at)));
    let told = here.stormglass(&["sweep", "storm.toml", "--seeds", "9000"]);
    assert_eq!((told.code, &*told.out), (2, ""), "{told:?}");
    let (_, seed) = told.err.split_once("(seed ").expect("it names the seed");
    let seed: u64 = seed.split(' ').next().and_then(|seed| seed.parse().ok()).expect("a number");
    assert_eq!(count(&here, "out/storm.db", &format!("seed < {seed}")), seed);
    assert_eq!(count(&here, "out/storm.db", &format!("seed = {seed}")), 0);
}
