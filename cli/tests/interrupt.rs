//! Ctrl-C and progress: what a long command says meanwhile, and what is left of it when somebody has enough.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "tests of the command start it, stop it and look at its files")]

mod common;

use common::{CALM, STALE_READS, Scratch, Told, assert_tells};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, Stdio};

/// A command that is running.
struct Running {
    child: Child,
    err: BufReader<ChildStderr>,
    /// What it has said so far.
    said: String,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
        let err = BufReader::new(child.stderr.take().expect("it is piped"));
        Running { child, err, said: String::new() }
    }

    /// Waits until it says a line that begins so.
    #[track_caller]
    fn says(&mut self, beginning: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.err.read_line(&mut line).expect("it writes text");
            assert!(read > 0, "it ended without `{beginning}`: {}", self.said);
            self.said.push_str(&line);
            if line.starts_with(beginning) {
                return line.trim_end().to_owned();
            }
        }
    }

    fn interrupt(&self) {
        let kill = format!("kill -INT {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
    }

    fn ends(mut self) -> Told {
        let mut rest = String::new();
        self.err.read_to_string(&mut rest).expect("it writes text");
        let told = Told::of(self.child.wait_with_output().expect("it ends"));
        Told { err: self.said + &rest, ..told }
    }
}

/// Longer than any machine simulates while a test waits.
fn endless() -> String {
    CALM.replace("duration = \"2s\"", "duration = \"100h\"")
}

/// Of what is half-written, nothing is left.
fn assert_whole(here: &Scratch) {
    let partial: Vec<_> = here.files().into_keys().filter(|path| path.to_string_lossy().contains(".partial")).collect();
    assert!(partial.is_empty(), "{partial:?}");
}

#[test]
fn a_long_run_says_how_far_it_has_come_and_ends_in_order() {
    let here = Scratch::with(&endless());
    let mut run = Running::start(here.command(&["run", "storm.toml", "--trace", "jsonl"]));
    let line = run.says("run  ");
    assert_tells(&line, &[" of 360002s simulated", " left"]);
    run.interrupt();
    let told = run.ends();
    assert_eq!(told.code, 130, "{told:?}");
    assert_tells(&told.err, &["ending in order"]);
    assert_tells(told.line("interrupted at"), &["nobody saw"]);
    assert_tells(&told.out, &["✓ linearizable", "? progress after settle", "the run stopped at"]);
    let record: serde_json::Value = serde_json::from_str(&here.read("out/storm-1/run.json")).expect("it is whole");
    assert_eq!(record["interrupted"], true);
    for name in ["history.jsonl", "trace.jsonl"] {
        assert!(here.read(&format!("out/storm-1/{name}")).ends_with("}\n"), "{name}");
    }
    assert_whole(&here);
}

#[test]
fn a_long_test_says_how_far_it_has_come_and_ends_after_the_runs_under_way() {
    let here = Scratch::with(CALM);
    here.write("suite/a.toml", CALM);
    here.write("suite/b.toml", CALM);
    let mut test = Running::start(here.command(&["test", "suite", "--seeds", "500000", "--junit", "junit.xml"]));
    let line = test.says("test  ");
    assert_tells(&line, &[" of 1 000 000 runs, 0 failed", " a second, ", " left"]);
    test.interrupt();
    let told = test.ends();
    assert_eq!(told.code, 130, "{told:?}");
    let last = told.out.lines().last().expect("it prints what there is");
    assert_tells(last, &["0 passed, 0 failed, 2 open: interrupted after ", " of 1 000 000 runs"]);
    assert_tells(&told.out, &["? suite/a.toml   ", " of 500 000 seeds: ", " PASS", "? suite/b.toml   not run"]);
    let junit = here.read("junit.xml");
    assert_tells(
        &junit,
        &["failures=\"0\" skipped=\"2\"", "<property name=\"interrupted\" value=\"interrupted after "],
    );
    assert_tells(
        &junit,
        &["<testcase name=\"suite/b.toml\"><skipped message=\"UNKNOWN  not run\"/>", "</testsuite>\n"],
    );
    assert_whole(&here);
}

#[test]
fn a_long_sweep_says_how_far_it_has_come_and_keeps_what_is_done() {
    let here = Scratch::with(CALM);
    let mut sweep = Running::start(here.command(&["sweep", "storm.toml", "--seeds", "1000000"]));
    let line = sweep.says("sweep  ");
    assert_tells(&line, &[" of 1 000 000 runs, 0 %, ", " a second, ", " left, 0 failed"]);
    sweep.interrupt();
    let told = sweep.ends();
    assert_eq!(told.code, 130, "{told:?}");
    assert_tells(&told.err, &["ending in order", " simulated\n"]);
    assert_tells(
        &told.out,
        &["✓ storm   ", " PASS\n", "interrupted: ", " of 1 000 000 runs are missing; the same command"],
    );
    let again = here.stormglass(&["sweep", "storm.toml", "--seeds", "3"]);
    assert_tells(&again.err, &["3 of 3 runs are there already"]);
}

#[test]
fn the_second_time_everything_ends_at_once() {
    let here = Scratch::with(&endless());
    // The run under way would take years.
    let mut test = Running::start(here.command(&["test", "storm.toml", "--seeds", "2", "--junit", "junit.xml"]));
    test.says("test  ");
    test.interrupt();
    test.says("ending in order");
    test.interrupt();
    let told = test.ends();
    assert_eq!((told.code, told.out.as_str()), (130, ""), "{told:?}");
    assert_whole(&here);
    assert!(!here.path("junit.xml").exists());
}

#[test]
fn what_has_nothing_to_save_ends_at_once() {
    let here = Scratch::with(&endless());
    let mut replay = Running::start(here.command(&["replay", "storm.toml"]));
    let mut first = [0; 1];
    replay.child.stdout.as_mut().expect("it is piped").read_exact(&mut first).expect("it shows something");
    replay.interrupt();
    assert_eq!(replay.ends().code, 130);
}

#[test]
fn nothing_is_said_of_progress_where_nobody_wants_it() {
    let here = Scratch::with(&endless());
    let mut run = Running::start(here.command(&["run", "storm.toml", "--progress", "none", "--trace", "jsonl"]));
    // The first line would come after one second.
    std::thread::sleep(std::time::Duration::from_millis(1500));
    run.interrupt();
    run.says("ending in order");
    assert_eq!(run.said.lines().count(), 1, "{}", run.said);
    assert_eq!(run.ends().code, 130);
}

#[test]
fn shrinking_that_is_stopped_leaves_the_smallest_so_far() {
    let here = Scratch::with(
        &STALE_READS.replace("duration = \"4s\"", "duration = \"100s\"").replace("at = \"2s\"", "at = \"90s\""),
    );
    let mut shrink = Running::start(here.command(&["shrink", "storm.toml", "--time", "10m"]));
    // Before that, it runs the scenario once.
    while !shrink.says("shrink  ").contains("; trying fewer ") {}
    shrink.interrupt();
    let told = shrink.ends();
    assert_eq!(told.code, 130, "{told:?}");
    assert_whole(&here);
    assert_tells(&told.out, &["fails: linearizable", "wrote      storm-1.min.toml"]);
    assert_eq!(here.stormglass(&["run", "storm-1.min.toml"]).code, 1, "and it fails");
}
