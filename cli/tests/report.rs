//! `stormglass report`, and the page that `stormglass run` writes.
#![allow(clippy::disallowed_methods, reason = "tests of the command touch files, as it does")]

mod common;

use common::{CALM, CUT, STALE_READS, Scratch, assert_tells};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The page and its pictures.
fn drawn(here: &Scratch) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = here.files();
    files.retain(|path, _| path.extension().is_some_and(|extension| extension == "html" || extension == "svg"));
    files
}

fn names(here: &Scratch) -> Vec<String> {
    drawn(here).keys().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect()
}

#[test]
fn a_page_is_drawn_again_from_what_was_saved_byte_for_byte() {
    let here = Scratch::with(STALE_READS);
    assert_eq!(here.stormglass(&["run", "storm.toml", "--set", "duration=\"5s\""]).code, 1);
    let first = drawn(&here);
    assert!(
        ["report.html", "timeline.svg", "witness-1.svg"].iter().all(|name| names(&here).contains(&(*name).to_owned()))
    );
    for path in first.keys() {
        std::fs::remove_file(path).expect("it can be removed");
    }
    std::fs::remove_file(here.path("out/storm-1/history.jsonl")).expect("it can be removed");
    std::fs::remove_file(here.path("storm.toml")).expect("it can be removed");
    let told = here.stormglass(&["report", "out/storm-1"]);
    assert_eq!((told.code, &*told.out, &*told.err), (0, "out/storm-1/report.html\n", ""));
    assert!(drawn(&here) == first, "another page, or other pictures");
    let page = here.read("out/storm-1/report.html");
    assert_tells(&page, &["stormglass replay storm.toml --seed 1 --set 'duration=&quot;5s&quot;' --from "]);
}

#[test]
fn with_out_there_is_a_page_and_nothing_else() {
    let here = Scratch::with(CALM);
    here.run(&["storm.toml"]);
    let before = here.files();
    let told = here.stormglass(&["report", "out/storm-1/run.json", "--out", "a page.html"]);
    assert_eq!((told.code, &*told.out), (0, "a page.html\n"));
    assert_eq!(here.read("a page.html"), here.read("out/storm-1/report.html"));
    assert_eq!(here.files().len(), before.len() + 1);
}

#[test]
fn pictures_of_an_earlier_run_are_removed_and_other_files_are_not() {
    let here = Scratch::with(STALE_READS);
    here.write("calm.toml", CALM);
    here.run(&["storm.toml", "--out", "there"]);
    assert!(names(&here).contains(&"witness-1.svg".to_owned()));
    here.write("there/mine.svg", "<svg/>");
    here.write("there/witness-of-mine.svg", "<svg/>");
    here.run(&["calm.toml", "--out", "there"]);
    let left = names(&here);
    assert!(!left.contains(&"witness-1.svg".to_owned()), "{left:?}");
    assert!(left.contains(&"mine.svg".to_owned()) && left.contains(&"witness-of-mine.svg".to_owned()), "{left:?}");
    assert!(left.contains(&"timeline.svg".to_owned()), "{left:?}");
}

/// The file's directory is nobody's business, and would make the same run's page differ from one machine to the next.
#[test]
fn a_page_knows_no_directory() {
    let (here, there) = (Scratch::with(&format!("{CALM}{CUT}")), Scratch::new());
    here.write("deep/down/storm.toml", format!("{CALM}{CUT}"));
    here.run(&["storm.toml", "--out", "a"]);
    here.run(&["deep/down/storm.toml", "--out", "b/c"]);
    assert_eq!(here.read("a/report.html"), here.read("b/c/report.html"));
    let page = here.read("a/report.html");
    assert!(!page.contains("deep/down") && !page.contains(&there.path("").display().to_string()));
    assert!(page.len() < 1_000_000, "{}", page.len());
}

#[test]
fn what_is_no_record_gets_one_message_that_says_what_to_do() {
    let here = Scratch::with(CALM);
    here.run(&["storm.toml"]);
    let record = here.read("out/storm-1/run.json");
    here.write("cut.json", &record[..record.len() / 2]);
    here.write("foreign.json", "{\"schema\": \"other/run@7\", \"verdict\": \"PASS\"}");
    here.write("list.json", "[1, 2]");
    here.write("odd.json", record.replacen("\"seed\": 1", "\"seed\": \"one\"", 1));
    here.write("later.json", record.replacen("stormglass/run@1", "stormglass/run@2", 1));
    here.write("bytes.json", [0xff, 0xfe, 0x00]);
    std::fs::create_dir_all(here.path("empty")).expect("it can be made");
    let refused = |args: &[&str], wanted: &[&str]| assert_tells(&here.refused(args), wanted);
    refused(&["report", "nowhere"], &["there is no nowhere", "`stormglass run` wrote"]);
    refused(&["report", "empty"], &["there is no empty/run.json"]);
    refused(
        &["report", "cut.json"],
        &["cut.json:", "not the whole record of a run", "EOF", "`stormglass run` writes it anew"],
    );
    // What is wrong is told in one line that a terminal can show, whatever stands in the file.
    let odd = format!("\"verdict\": \"\\u001b[2J\\n{}\"", "long".repeat(1000));
    here.write("raw.json", record.replacen("\"verdict\": \"PASS\"", &odd, 1));
    for command in ["report", "explain"] {
        let told = here.refused(&[command, "raw.json"]);
        assert_tells(&told, &["raw.json:", "unknown variant `\\u{1b}[2J\\n"]);
        assert!(told.len() < 500 && told.trim_end().lines().count() == 1, "{told}");
    }
    refused(&["explain", "later.json"], &["format `stormglass/run@2`"]);
    refused(&["report", "foreign.json"], &["format `other/run@7`", "reads `stormglass/run@1`"]);
    refused(&["report", "later.json"], &["format `stormglass/run@2`"]);
    refused(&["report", "list.json"], &["list.json:1:", "not the whole record of a run"]);
    refused(&["report", "odd.json"], &["odd.json:", "invalid type: string"]);
    refused(&["report", "bytes.json"], &["bytes.json:1:1: this is not text"]);
    refused(&["report", "storm.toml"], &["storm.toml:1:1: this is not the whole record of a run"]);
    refused(
        &["report", "out/storm-1", "--out", "out/storm-1/run.json"],
        &["is the record that the page is drawn from"],
    );
    refused(&["report", "out/storm-1", "--out", "nowhere/page.html"], &["cannot write nowhere/page.html"]);
    refused(&["report", "out/storm-1", "--out", "empty"], &["cannot write empty"]);
}

/// Half a megabyte of page would still be sent by mail; five are the most there can be.
#[test]
fn pages_of_shipped_scenarios_are_small() {
    let here = Scratch::new();
    for name in ["leader-partition", "storm", "read-without-quorum"] {
        let file = format!("{}/../scenarios/files/raft/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        here.run(&[&file, "--out", name]);
        let size = here.read(&format!("{name}/report.html")).len();
        assert!(size < 500_000, "{name}: {size} bytes");
    }
}

/// Short runs of both sorts, in two variants.
const SWEPT: &str = "[sweep]\nseeds = 8\nmatrix = { \"cluster.nodes\" = [3, 5] }\n";

#[test]
fn a_sweep_has_a_page_that_is_drawn_from_its_database_alone() {
    let here = Scratch::with(&format!("{CALM}{CUT}{SWEPT}"));
    let told = here.stormglass(&["sweep", "storm.toml"]);
    assert_eq!(told.line("its page"), "stormglass report out/storm.db");
    std::fs::remove_file(here.path("storm.toml")).expect("it can be removed");
    let told = here.stormglass(&["report", "out/storm.db"]);
    assert_eq!((told.code, &*told.out, &*told.err), (0, "out/storm.html\n", ""));
    let page = here.read("out/storm.html");
    let wanted = ["storm · 16\u{202f}runs", "nodes=3", "nodes=5", "partition", "Unavailable time per run", "takeover"];
    assert_tells(&page.replace("16 runs", "16\u{202f}runs"), &wanted);
    assert!(!page.contains(&here.path("").display().to_string()) && page.len() < 300_000, "{}", page.len());
    // Under whatever name, and as often as one likes.
    std::fs::rename(here.path("out/storm.db"), here.path("moved")).expect("it can be moved");
    assert_eq!(here.stormglass(&["report", "moved", "--out", "a page.html"]).code, 0);
    assert!(here.read("a page.html") == page, "another page");
}

#[test]
fn what_is_no_database_of_a_sweep_gets_one_message() {
    let here = Scratch::with(&format!("{CALM}{SWEPT}"));
    here.stormglass(&["sweep", "storm.toml", "--seeds", "2"]);
    let copy = |name: &str, sql: &str| {
        std::fs::copy(here.path("out/storm.db"), here.path(name)).expect("it can be copied");
        let db = rusqlite::Connection::open(here.path(name)).expect("a database");
        db.execute_batch(sql).expect("poked");
    };
    copy("older.db", "PRAGMA user_version = 1");
    copy("none.db", "DELETE FROM runs; DELETE FROM scenarios");
    copy("odd.db", "UPDATE runs SET draws = 'x'");
    copy("foreign.db", "PRAGMA application_id = 7");
    here.write("text.db", "no database");
    let refused = |args: &[&str], wanted: &[&str]| assert_tells(&here.refused(args), wanted);
    refused(&["report", "older.db"], &["older.db is of the format 1, and this stormglass knows 2"]);
    refused(&["report", "none.db"], &["none.db holds no runs, so there is nothing to draw"]);
    refused(&["report", "odd.db"], &["odd.db is damaged"]);
    refused(&["report", "foreign.db"], &["none of `stormglass sweep`"]);
    refused(&["report", "text.db"], &["text.db is no database"]);
    refused(&["report", "nowhere.db"], &["there is no nowhere.db"]);
    let before = here.files();
    refused(&["report", "out/storm.db", "--out", "out/storm.db"], &["is the database that the page is drawn from"]);
    assert!(here.files() == before, "something was written");
}

/// What is no file stays what it is: a device that had become a file would be missed by everybody.
#[cfg(unix)]
#[test]
fn a_page_can_go_into_a_pipe() {
    let here = Scratch::with(CALM);
    here.run(&["storm.toml"]);
    let place = here.path("pipe");
    std::os::unix::fs::symlink("/dev/stdout", &place).expect("it can be made");
    let told = here.stormglass(&["report", "out/storm-1", "--out", "pipe"]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    assert!(told.out.starts_with(&here.read("out/storm-1/report.html")), "{}", told.out.len());
    assert!(std::fs::symlink_metadata(&place).expect("it is there").is_symlink(), "a file took its place");
}
