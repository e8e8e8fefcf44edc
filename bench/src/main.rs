//! Our checkers beside others, on the same histories.
//!
//! ```text
//! cargo run --release --manifest-path bench/Cargo.toml                       all rows, into bench/RESULTS.md
//! cargo run --release --manifest-path bench/Cargo.toml -- --only 'cas'       those rows, printed
//! cargo run --release --manifest-path bench/Cargo.toml -- --file F --model kv   a recorded history, printed
//! cargo run --release --manifest-path bench/Cargo.toml -- --write DIR        the histories as files, for checkers elsewhere
//! ```
//!
//! Every cell is a process of its own, with a limit of time and of memory.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it measures real time, and is no part of stormglass"
)]

mod cell;
mod generate;
mod rivals;
mod table;

use cell::{Cell, Limits};
use checkers::Model;
use clap::Parser;
use history::figures::duration;
use history::jsonl;
use std::path::PathBuf;
use std::time::Duration;
use table::{Row, Subject};

#[derive(Parser)]
struct Arguments {
    /// Only rows whose names hold this
    #[arg(long)]
    only: Option<String>,
    /// Only this checker: stormglass, todc-utils or stateright
    #[arg(long)]
    checker: Option<String>,
    /// How long one may check, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How much memory one may take, in MiB
    #[arg(long, default_value_t = 4096)]
    memory: u64,
    /// A recorded history instead
    #[arg(long, requires = "model")]
    file: Option<String>,
    /// What it is a history of
    #[arg(long)]
    model: Option<String>,
    /// Write the histories here as JSON Lines, and measure nothing
    #[arg(long)]
    write: Option<PathBuf>,
    /// What the children are started with
    #[arg(hide = true)]
    cell: Vec<String>,
}

fn main() {
    let arguments = Arguments::parse();
    if let [word, name, subject, seconds, memory, file @ ..] = &arguments.cell[..]
        && word == "cell"
    {
        let row = match file {
            [file, model] => Row::of_file(file, model_of(model)),
            _ => table::rows().into_iter().find(|row| row.name == *name).expect("the row is there"),
        };
        let time = Duration::from_secs(seconds.parse().expect("a number of seconds"));
        let limits = Limits { time, memory: memory.parse().expect("a number of bytes") };
        return cell::answer(&row, subject_of(subject), limits);
    }
    let rows = rows(&arguments);
    if let Some(dir) = &arguments.write {
        return write(&rows, dir);
    }
    let limits = Limits { time: Duration::from_secs(arguments.seconds), memory: arguments.memory << 20 };
    let subjects = arguments.checker.as_deref().map_or(Subject::ALL.to_vec(), |name| vec![subject_of(name)]);
    let mut cells: Vec<(Row, Vec<(Subject, Cell)>)> = Vec::new();
    for row in rows {
        let measured = subjects.iter().map(|subject| {
            eprintln!("{}: {}", row.name, subject.name());
            (*subject, cell::measure(&row, *subject, limits))
        });
        let measured = measured.collect();
        cells.push((row, measured));
    }
    let table = table::markdown(&cells);
    print!("{table}");
    if arguments.only.is_none() && arguments.checker.is_none() && arguments.file.is_none() {
        let place = concat!(env!("CARGO_MANIFEST_DIR"), "/RESULTS.md");
        std::fs::write(place, format!("{}\n{table}", head(limits))).expect("the results can be written");
    }
}

fn rows(arguments: &Arguments) -> Vec<Row> {
    if let (Some(file), Some(model)) = (&arguments.file, &arguments.model) {
        return vec![Row::of_file(file, model_of(model))];
    }
    let only = arguments.only.as_deref().unwrap_or_default();
    table::rows().into_iter().filter(|row| row.name.contains(only)).collect()
}

fn write(rows: &[Row], dir: &std::path::Path) {
    std::fs::create_dir_all(dir).expect("the directory can be made");
    for row in rows {
        let name: String = row.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let place = dir.join(format!("{}.jsonl", name.replace("--", "-")));
        std::fs::write(&place, jsonl::write(&row.history().0)).expect("the history can be written");
        println!("{}", place.display());
    }
}

/// What a reader has to know of the table.
fn head(limits: Limits) -> String {
    format!(
        "# Our checkers beside others\n\n\
         CPU time of checking alone (reading and making the history excluded), the middle of up to five rounds; in brackets how \
         many times as long as ours; then the most memory that the process held, the history included. A limit of {} and {} MiB \
         for each cell, which is a process of its own. Times are those of one machine and its load that day: what lasts is the \
         ratios, and who answers at all.\n\n\
         Histories are made from a seed (`bench/src/generate.rs`): about half of the clients are busy at any time, half of the \
         operations read, one operation in fifty takes ten times as long; values are written once unless a row says how many there \
         are; with unknowns, one operation in ninety is never heard of again. Made anew by \
         `cargo run --release --manifest-path bench/Cargo.toml`. porcupine is measured by hand (`bench/porcupine.tsv`).\n",
        duration(limits.time.as_nanos() as u64),
        limits.memory >> 20
    )
}

fn subject_of(name: &str) -> Subject {
    let found = Subject::ALL.into_iter().find(|subject| subject.name() == name);
    found.unwrap_or_else(|| panic!("no checker is called {name}"))
}

fn model_of(name: &str) -> Model {
    Model::from_name(name).unwrap_or_else(|| panic!("no model is called {name}"))
}
