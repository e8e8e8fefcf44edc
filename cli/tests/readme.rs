//! The README shows what really happens: its pictures, its scenario, what it quotes of the terminal.
//!
//! Where pictures are changed on purpose, `STORMGLASS_REWRITE=1 cargo test -p stormglass --test readme` draws them anew.
#![expect(clippy::disallowed_methods, reason = "reads the README and its pictures, and may rewrite them")]

mod common;

use common::{Scratch, assert_tells};
use std::path::{Path, PathBuf};

fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(root(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The first block of this language.
fn block<'a>(readme: &'a str, language: &str) -> &'a str {
    let (_, rest) = readme.split_once(&format!("```{language}\n")).expect("the README has one");
    rest.split_once("```").expect("a block ends").0
}

#[test]
fn its_pictures_are_what_run_draws() {
    for (scenario, figure) in [("majority-power-loss", "timeline"), ("read-without-quorum", "witness-1")] {
        let here = Scratch::new();
        let file = root(&format!("scenarios/files/raft/{scenario}.toml")).display().to_string();
        here.stormglass(&["run", &file, "--out", "there"]);
        let (drawn, shown) = (here.read(&format!("there/{figure}.svg")), root(&format!("docs/{scenario}.svg")));
        if std::env::var_os("STORMGLASS_REWRITE").is_some() {
            std::fs::write(&shown, &drawn).expect("the README's pictures can be written");
        }
        assert!(text("README.md").contains(&format!("(docs/{scenario}.svg)")));
        assert!(text(&format!("docs/{scenario}.svg")) == drawn, "docs/{scenario}.svg is not what `run` draws");
    }
}

#[test]
fn its_scenario_runs_as_it_stands() {
    let here = Scratch::with(block(&text("README.md"), "toml"));
    let told = here.stormglass(&["check", "storm.toml"]);
    assert_eq!((told.code, told.out.as_str(), told.err.as_str()), (0, "storm.toml: fine\n", ""));
    assert_eq!(here.stormglass(&["run", "storm.toml"]).code, 0);
}

#[test]
fn what_it_quotes_was_printed() {
    let here = Scratch::new();
    let file = root("scenarios/files/raft/read-without-quorum.toml").display().to_string();
    let told = here.stormglass(&["run", &file, "--out", "there"]);
    let quoted = text("README.md");
    let quoted = block(&quoted, "text");
    assert!(quoted.lines().count() > 8, "{quoted}");
    let lines: Vec<&str> = quoted.lines().filter(|line| !line.trim().is_empty()).collect();
    assert_tells(&told.out, &lines);
}

#[test]
fn the_history_it_quotes_was_judged_so() {
    let here = Scratch::new();
    let file = root("scenarios/files/raft/read-without-quorum.toml").display().to_string();
    here.stormglass(&["run", &file]);
    let told = here.stormglass(&["verify", "out/read-without-quorum-1/history.jsonl", "--model", "kv"]);
    let readme = text("README.md");
    let (_, rest) = readme.split_once("```text\nFAIL  out/").expect("the README has it");
    let quoted = rest.split_once("```").expect("a block ends").0;
    let lines: Vec<&str> = quoted.lines().filter(|line| !line.trim().is_empty()).collect();
    assert!(lines.len() > 12, "{quoted}");
    assert_tells(&told.out, &lines);
}

/// Its comparison takes minutes, so it is not run anew; but what it names is there, and is one storm.
#[test]
fn the_comparison_it_names_can_be_made() {
    let readme = text("README.md");
    let (dir, rest) = readme.split_once("\ncd ").expect("it goes there").1.split_once('\n').expect("a line ends");
    let command = rest.lines().next().and_then(|line| line.strip_prefix("stormglass compare ")).expect("a comparison");
    let files: Vec<&str> = command.split(' ').filter(|word| word.ends_with(".toml")).collect();
    assert_eq!(files.len(), 4, "{command}");
    let here = Scratch::new();
    for file in &files {
        here.write(file, text(&format!("{dir}/{file}")));
    }
    let told = here.stormglass(&[&["compare"], files.as_slice(), &["--seeds", "1"]].concat());
    assert_eq!(told.code, 0, "{told:?}");
    let shown = text("docs/three-regions.svg");
    for file in files {
        assert!(shown.contains(file.trim_end_matches(".toml")), "{file} is in the picture");
    }
}

/// Every command that there is has its line, and every system.
#[test]
fn it_names_every_command_and_system() {
    let (here, readme) = (Scratch::new(), text("README.md"));
    for line in here.stormglass(&["--help"]).out.lines().skip_while(|line| *line != "Commands:").skip(1) {
        let Some(command) = line.strip_prefix("  ").and_then(|line| line.split_whitespace().next()) else { break };
        let named = [format!("`stormglass {command}"), format!("`{command}`"), format!("`{command} ")];
        assert!(command == "help" || named.iter().any(|named| readme.contains(named)), "{command}");
    }
    for line in here.stormglass(&["list", "protocols"]).out.lines().filter(|line| !line.starts_with(' ')) {
        let name = line.split_whitespace().next().unwrap_or_default();
        assert!(readme.contains(&format!("| `{name}` |")), "{name}");
    }
}
