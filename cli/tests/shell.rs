//! `schema`, `completions` and `man`: what other programs read.
#![allow(clippy::disallowed_methods, reason = "tests of the command touch files, as it does")]

mod common;

use common::{Scratch, Told, assert_tells};
use std::process::Stdio;

const COMMANDS: [&str; 16] = [
    "run",
    "check",
    "verify",
    "test",
    "sweep",
    "compare",
    "merge",
    "replay",
    "shrink",
    "report",
    "list",
    "explain",
    "new",
    "schema",
    "completions",
    "man",
];

#[test]
fn the_schema_is_one_object_and_always_the_same() {
    let here = Scratch::new();
    let told = here.stormglass(&["schema"]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    let schema: serde_json::Value = serde_json::from_str(&told.out).expect("JSON");
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    assert_eq!(schema["properties"]["duration"]["$ref"], "#/definitions/duration");
    assert_eq!(here.stormglass(&["schema"]), told);
}

#[test]
fn every_shell_gets_a_script_and_says_where_it_goes() {
    let here = Scratch::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let told = here.stormglass(&["completions", shell]);
        assert_eq!(told.code, 0, "{told:?}");
        assert_eq!(told.err.lines().count(), 1, "{told:?}");
        assert_tells(&told.err, &["to install: ", &format!("stormglass completions {shell}")]);
        for word in COMMANDS {
            assert!(told.out.contains(word), "{shell} knows no {word}");
        }
    }
    let told = here.stormglass(&["completions", "tcsh"]);
    assert_eq!((told.code, told.out.as_str()), (2, ""));
}

#[test]
fn there_is_a_manual_page_for_the_whole_and_for_each_command() {
    let here = Scratch::new();
    let whole = here.stormglass(&["man"]);
    assert_eq!((whole.code, whole.err.as_str()), (0, ""));
    assert_tells(&whole.out, &[".TH stormglass 1", "Exit codes", "130 interrupted"]);
    let told = here.stormglass(&["man", "--dir", "pages"]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    assert_eq!(told.out.lines().count(), COMMANDS.len() + 1, "{}", told.out);
    assert_eq!(here.read("pages/stormglass.1"), whole.out);
    for command in COMMANDS {
        let page = here.stormglass(&["man", command]);
        assert_eq!((page.code, page.err.as_str()), (0, ""), "{command}");
        assert_tells(&page.out, &[".SH SYNOPSIS", "Examples:"]);
        assert_eq!(here.read(&format!("pages/stormglass-{command}.1")), page.out);
    }
    assert_eq!(here.stormglass(&["man", "init"]), here.stormglass(&["man", "new"]));
    assert_tells(&here.refused(&["man", "rnu"]), &["there is no command `rnu`", "Did you mean `run`?"]);
}

/// As `| head -1` does.
#[test]
#[cfg(unix)]
fn a_reader_that_goes_away_is_no_failure() {
    let here = Scratch::new();
    for args in [&["schema"][..], &["completions", "zsh"], &["man"], &["explain"], &["list"]] {
        let mut command = here.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop(child.stdout.take());
        let told = Told::of(child.wait_with_output().expect("it ends"));
        assert_eq!(told.code, 0, "{args:?}: {told:?}");
        assert!(!told.err.contains("error"), "{args:?}: {told:?}");
    }
}
