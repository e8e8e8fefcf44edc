//! Transcripts: stories of a few nodes, told step by step in text files (`protocols/tests/scripts`), with everything that
//! followed from each step.
//!
//! A file is a row of blocks. A block is a few commands (`commands` lists them), a line of dashes, and what followed; a blank
//! line ends it. Lines that begin with `#` are comments. The network moves nothing by itself: a message is under way until
//! the script delivers it, drops it or lets everything `stabilize`. Disks write at once unless they are made slow.
//!
//! ```text
//! # The only follower that is asked votes.
//! times-out n1
//! deliver n1->n2
//! ----
//! n1 times out
//!   is candidate in term 1
//!   …
//! ```
//!
//! The runner plays every file and compares. With `STORMGLASS_REWRITE=1` in its environment it writes what followed into
//! the files instead. Then look at the difference, line by line, and commit only what you understand: a transcript is
//! believed by whoever reads it next.

mod commands;
mod node;
mod script;
mod table;
mod words;

use script::Block;
use std::path::{Path, PathBuf};
use table::Table;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scripts");
const REWRITE: &str = "STORMGLASS_REWRITE";

#[expect(clippy::disallowed_methods, reason = "reads the scripts beside it")]
fn scripts() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(FOLDER).expect("the folder of scripts");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    paths
}

#[expect(clippy::disallowed_methods, reason = "reads and writes the scripts beside it")]
#[test]
fn every_script_runs_as_it_says() {
    let rewrite = std::env::var(REWRITE).is_ok_and(|value| value == "1");
    let paths = scripts();
    assert!(paths.len() >= 10, "{} scripts", paths.len());
    let mut complaints = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("readable");
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        match play(name, &text) {
            Ok(played) if rewrite => std::fs::write(&path, played).expect("writable"),
            Ok(played) => complaints.extend(first_difference(name, &text, &played)),
            Err(complaint) => complaints.push(complaint),
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n\n"));
}

/// Plays a script and returns it with what followed.
fn play(name: &str, text: &str) -> Result<String, String> {
    let mut table = Table::default();
    let mut played = String::new();
    for block in script::parse(text).map_err(|(line, why)| format!("{name}:{line}: {why}"))? {
        played.push_str(&play_block(&mut table, &block).map_err(|(line, why)| format!("{name}:{line}: {why}"))?);
    }
    Ok(played)
}

fn play_block(table: &mut Table, block: &Block<'_>) -> Result<String, (usize, String)> {
    for (line, command) in &block.commands {
        commands::carry_out(table, command).map_err(|why| (*line, why))?;
    }
    Ok(block.with_followed(&table.take_story()))
}

/// Where a script and what was played part.
fn first_difference(name: &str, expected: &str, played: &str) -> Option<String> {
    let (mut expected, mut played) = (expected.lines(), played.lines());
    for line in 1.. {
        let (was, is) = (expected.next(), played.next());
        if was != is {
            let say = |line: Option<&str>| line.unwrap_or("(nothing more)").to_owned();
            let cure = format!("{REWRITE}=1 rewrites what follows; inspect the difference");
            return Some(format!(
                "{name}:{line}: the script says\n  {}\nand what followed is\n  {}\n{cure}",
                say(was),
                say(is)
            ));
        }
        was?;
    }
    None
}

/// A mistake in a script is told with its file and line, and how to do it right.
#[test]
fn mistakes_in_scripts_are_told_with_file_and_line() {
    let complaint = |text: &str| play("a.txt", text).expect_err("a mistake");
    let has = |text: &str, parts: &[&str]| {
        let said = complaint(text);
        assert!(parts.iter().all(|part| said.contains(part)), "{text:?}: {said}");
    };
    has("cluster 3\n----\n\ntimes-out n9\n----\n", &["a.txt:4:", "n9", "n1 to n3"]);
    has("cluster 3\nelects n1\n----\n", &["a.txt:2:", "elects", "times-out"]);
    has("cluster\n----\n", &["a.txt:1:", "cluster 3"]);
    has("cluster 3 windw=3\n----\n", &["a.txt:1:", "windw", "window"]);
    has("cluster 3 window=lots\n----\n", &["a.txt:1:", "window"]);
    has("cluster 3 reads=lease check-quorum=false\n----\n", &["a.txt:1:", "check-quorum"]);
    has("times-out n1\n----\n", &["a.txt:1:", "cluster"]);
    has("cluster 3\ndeliver n1->n2\n----\n", &["a.txt:2:", "nothing", "n1->n2"]);
    has("cluster 3\ndeliver n1=>n2\n----\n", &["a.txt:2:", "n1->n2"]);
    has("cluster 3\ndeliver n1->n2 Votes\n----\n", &["a.txt:2:", "Votes", "RequestVote"]);
    has("flaw no-such\n----\n", &["a.txt:1:", "no-such", "commit-earlier-term"]);
    has("cluster 3\nflaw no-sessions\n----\n", &["a.txt:2:", "before"]);
    has("cluster 3\npropose n1 write x\n----\n", &["a.txt:2:", "write 7"]);
    has("cluster 3\norder n1 promote n2\n----\n", &["a.txt:2:", "promote", "transfer"]);
    has("cluster 3\norder n1 transfer n2 n3\n----\n", &["a.txt:2:", "one node"]);
    has("cluster 3\ncrash n1\ncrash n1\n----\n", &["a.txt:3:", "n1 is down"]);
    has("cluster 3\nrestart n1\n----\n", &["a.txt:2:", "n1 is up"]);
    has("cluster 3\nwait soon\n----\n", &["a.txt:2:", "soon"]);
    has("cluster 3\n", &["a.txt:1:", "----"]);
}

/// A script whose expectation is wrong is noticed; one that is right is left as it is, comments too.
#[test]
fn a_wrong_expectation_is_noticed() {
    let right = "# Three nodes.\ncluster 3\n----\nn1 n2 n3 start\n\n# An end.\n";
    assert_eq!(play("a.txt", right).as_deref(), Ok(right));
    let wrong = right.replace("n3 start", "n3 sleep");
    let played = play("a.txt", &wrong).expect("it runs");
    let said = first_difference("a.txt", &wrong, &played).expect("they differ");
    assert!(said.contains("a.txt:4:") && said.contains("n3 sleep") && said.contains("n3 start"), "{said}");
    assert_eq!(first_difference("a.txt", right, right), None);
}

/// The table of the paper's sections names every script, but for those with mistakes.
#[test]
fn the_table_of_sections_names_every_script() {
    let table = include_str!("../../src/raft/tests/paper.rs");
    let named: Vec<&str> =
        table.lines().filter_map(|line| line.strip_prefix("//!   ")).filter(|row| row.ends_with(".txt")).collect();
    let names: Vec<String> = scripts()
        .iter()
        .filter_map(|path| path.file_name()?.to_str().map(str::to_owned))
        .filter(|name| !name.contains(".flawed."))
        .collect();
    assert_eq!(named.len(), names.len());
    assert!(names.iter().all(|name| named.contains(&name.as_str())), "{names:?}");
}

/// Each script has something to say before its first command.
#[expect(clippy::disallowed_methods, reason = "reads the scripts beside it")]
#[test]
fn every_script_tells_what_it_is_about() {
    for path in scripts() {
        let text = std::fs::read_to_string(&path).expect("readable");
        assert!(text.starts_with("# "), "{} begins without a word", Path::new(&path).display());
    }
}

/// `X.flawed.txt` plays the commands of `X.txt` with a mistake switched on. It ends otherwise; and without a mistake no law
/// is broken.
#[expect(clippy::disallowed_methods, reason = "reads the scripts beside it")]
#[test]
fn a_mistake_makes_the_difference() {
    let read = |path: &Path| std::fs::read_to_string(path).expect("readable");
    let commands = |text: &str| {
        let blocks = script::parse(text).expect("a script");
        let all = blocks.iter().flat_map(|block| block.commands.iter().map(|(_, command)| (*command).to_owned()));
        all.filter(|command| !command.starts_with("flaw ")).collect::<Vec<_>>()
    };
    let mut pairs = 0;
    for path in scripts() {
        let (text, name) = (read(&path), path.display());
        let Some(right) = path.to_str().and_then(|path| path.strip_suffix(".flawed.txt")) else {
            assert!(!text.contains("\n!! ") && !text.contains("\nflaw "), "{name}");
            continue;
        };
        let right = read(Path::new(&format!("{right}.txt")));
        assert_eq!(commands(&text), commands(&right), "{name}");
        let told =
            |text: &str| text.lines().filter(|line| line.contains(" tells ")).map(str::to_owned).collect::<Vec<_>>();
        assert!(text.contains("\n!! ") || told(&text) != told(&right), "{name}: a law is broken, or a client misled");
        pairs += 1;
    }
    assert!(pairs >= 5, "{pairs} pairs");
}
