//! `stormglass explain`: what a word means, or why a run ended as it did.

use super::list::scenarios_with;
use super::{quoted, report};
use crate::args::Explain;
use crate::exit::{Done, Exit, Failure};
use crate::{program, screen};
use history::{RunRecord, Verdict};
use reports::page;
use reports::why::{Context, explained};
use reports::words::brief;
use scenarios::manual::{Found, Page, file, find};
use scenarios::systems::System;
use std::path::{Path, PathBuf};

/// Columns of a page.
const WIDTH: usize = 100;

/// Of a scenario's name in a command, in characters.
const NAME_MAX: usize = 200;

pub fn explain(args: &Explain, systems: &'static [System]) -> Done {
    let word = args.word.join(" ");
    let text = match (word.as_str(), run_at(&word)) {
        ("", _) => page(&file(), systems),
        (_, Some(path)) => run(&path, systems)?,
        (word, None) => explained_word(word, systems)?,
    };
    screen::print(&text)?;
    Ok(Exit::Judged(Verdict::Pass))
}

/// The record of the run that the word leads to: its directory, or the record itself.
fn run_at(word: &str) -> Option<PathBuf> {
    let path = Path::new(word);
    let inside = path.join("run.json");
    if inside.is_file() {
        Some(inside)
    } else {
        (path.is_file() && path.extension().is_some_and(|extension| extension == "json")).then(|| path.to_owned())
    }
}

fn run(path: &Path, systems: &[System]) -> Result<String, Failure> {
    let record = report::read(path)?;
    let context = Context { command: program(), replay: replay(&record), changed: changed(&record, systems) };
    Ok(explained(&record, &context, screen::look()))
}

/// The command that shows the run with all that happens.
fn replay(record: &RunRecord) -> String {
    let guessed = || {
        format!(
            "{} replay {} --seed {}",
            program(),
            quoted(&format!("{}.toml", brief(&record.scenario, NAME_MAX))),
            record.seed
        )
    };
    reports::command::again("replay", record).unwrap_or_else(guessed)
}

/// The settings that are not at their default.
fn changed(record: &RunRecord, systems: &[System]) -> Vec<String> {
    let Some(system) = systems.iter().find(|system| system.name == record.protocol) else { return Vec::new() };
    let is_default = |key: &str, value: &str| {
        system
            .keys
            .iter()
            .filter(|known| known.name == key)
            .any(|known| known.kind.parse(known.default).is_ok_and(|default| default.to_string() == value))
    };
    let lines = record.config.iter().filter(|line| !is_default(&line.key, &line.value));
    lines.map(|line| format!("{} = {}", line.key, line.value)).collect()
}

fn explained_word(word: &str, systems: &'static [System]) -> Result<String, Failure> {
    let look = screen::look();
    let command = program();
    if let Some(found) = scenarios::export::manual(word) {
        return Ok(page(&found, systems));
    }
    let found = find(word, systems);
    // Keys that share a name with a kind of data are found by their full names.
    let found = match (&found, page::explained(word), reports::verify::explained(word)) {
        (Found::Nothing(_), Some(meaning), _) => Found::Page(Box::new(of_report(word, meaning, "a word of a report"))),
        (Found::Nothing(_) | Found::Several(_), None, Some((kind, meaning))) => {
            Found::Page(Box::new(of_report(word, meaning, kind)))
        }
        (_, _, _) => found,
    };
    match found {
        Found::Page(found) => Ok(page(&found, systems)),
        Found::Several(several) => {
            let mut text = format!("`{}` can mean:\n", look.shown(word));
            text.push_str(&rows(&several));
            let first = several.first().map(|(name, _)| quoted(name)).unwrap_or_default();
            text.push_str(&format!("\nfor example: {command} explain {first}\n"));
            Ok(text)
        }
        Found::Nothing(_) if Path::new(word).extension().is_some_and(|extension| extension == "toml") => {
            let file = quoted(word);
            Err(Failure::usage(format!("`{word}` is a scenario; `{command} check {file}` says what is wrong with it")))
        }
        Found::Nothing(_) if Path::new(word).is_dir() => {
            Err(Failure::usage(format!("{word} holds no run.json, so it is not the directory of a run")))
        }
        Found::Nothing(near) => {
            let shown = history::figures::shown(&look.shown(word));
            let near = near.map_or(String::new(), |near| format!(" Did you mean `{near}`?"));
            let cure = format!("`{command} explain` without a word and `{command} list` show what there is");
            Err(Failure::usage(format!("nothing is called `{shown}`, and no run is there.{near} {cure}")))
        }
    }
}

/// The page of a word that reports or `verify` use and scenarios do not.
fn of_report(word: &str, meaning: &str, kind: &str) -> Page {
    Page { title: word.to_owned(), kind: kind.to_owned(), text: vec![meaning.to_owned()], ..Page::default() }
}

/// A page of the manual.
fn page(page: &Page, systems: &'static [System]) -> String {
    let look = screen::look();
    let mut text = format!("{}   {}\n\n", look.bold(&page.title), page.kind);
    for paragraph in &page.text {
        text.push_str(&wrapped("  ", "  ", paragraph));
    }
    if !page.facts.is_empty() {
        text.push('\n');
        let width = page.facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let hang = " ".repeat(width + 4);
        for (name, told) in &page.facts {
            text.push_str(&wrapped(&format!("  {name:<width$}  "), &hang, told));
        }
    }
    if !page.rows.is_empty() {
        text.push('\n');
        text.push_str(&rows(&page.rows));
    }
    if !page.example.is_empty() {
        text.push_str("\n  In a file\n\n");
        page.example.lines().for_each(|line| text.push_str(&format!("    {line}\n")));
    }
    let shown = page.flaw.map(|flaw| scenarios_with(flaw, systems)).unwrap_or_default();
    if !shown.is_empty() {
        text.push_str("\n  Shown by\n\n");
        text.push_str(&rows(&shown));
    }
    if !page.see.is_empty() {
        text.push('\n');
        text.push_str(&wrapped("  see also  ", &" ".repeat(12), &page.see.join(", ")));
    }
    text
}

/// Names, each with a sentence beside it, or below where the names are long.
fn rows(rows: &[(String, String)]) -> String {
    const NAME_MAX: usize = 36;
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let row = |(name, told): &(String, String)| {
        if width <= NAME_MAX {
            wrapped(&format!("  {name:<width$}  "), &" ".repeat(width + 4), told)
        } else {
            format!("  {name}\n{}", wrapped("      ", "      ", told))
        }
    };
    rows.iter().map(row).collect()
}

/// A paragraph in lines, broken between words: what begins the first line, and what begins the others.
fn wrapped(first: &str, hang: &str, text: &str) -> String {
    let mut lines = String::new();
    let mut line = first.to_owned();
    let mut has_word = false;
    for word in text.split_whitespace() {
        if has_word && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push_str(&line);
            lines.push('\n');
            line = hang.to_owned();
            has_word = false;
        }
        if has_word {
            line.push(' ');
        }
        line.push_str(word);
        has_word = true;
    }
    lines.push_str(line.trim_end());
    lines.push('\n');
    lines
}
