//! What is measured, and the table of it.

use crate::cell::Cell;
use crate::generate::{Shape, generate};
use checkers::Model;
use checkers::formats::{self, Input};
use history::figures::measured;
use history::{History, Value};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Who checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Stormglass,
    Todc,
    Stateright,
}

impl Subject {
    pub const ALL: [Subject; 3] = [Subject::Stormglass, Subject::Todc, Subject::Stateright];

    pub fn name(self) -> &'static str {
        match self {
            Subject::Stormglass => "stormglass",
            Subject::Todc => "todc-utils",
            Subject::Stateright => "stateright",
        }
    }
}

/// A history that is measured: made from a seed, or read from a file.
#[derive(Clone, Debug)]
pub struct Row {
    pub name: String,
    pub model: Model,
    pub shape: Option<Shape>,
    pub file: Option<(String, Model)>,
}

/// Every history has this one.
const SEED: u64 = 1;

impl Row {
    pub fn of_file(file: &str, model: Model) -> Row {
        let name = file.rsplit('/').next().unwrap_or(file).to_owned();
        Row { name, model, shape: None, file: Some((file.to_owned(), model)) }
    }

    /// The history, and what objects hold at first.
    pub fn history(&self) -> (History, Value) {
        match (&self.shape, &self.file) {
            (Some(shape), _) => (generate(*shape, SEED), Value::Nil),
            (None, Some((file, _))) => {
                let opened = std::fs::File::open(file).unwrap_or_else(|error| panic!("{file}: {error}"));
                let read = formats::read(std::io::BufReader::new(opened), Input::Auto);
                let recorded = read.unwrap_or_else(|bad| panic!("{file}:{bad}"));
                (recorded.history, recorded.initial)
            }
            (None, None) => unreachable!("a row is made or read"),
        }
    }
}

/// What is measured if nothing else is asked for.
pub fn rows() -> Vec<Row> {
    let plain = Shape {
        model: Model::Register,
        clients: 5,
        operations: 10_000,
        keys: 1,
        values: 0,
        unknown: 0,
        is_stale: false,
    };
    let wrong = Shape { unknown: 11, is_stale: true, ..plain };
    let kv = Shape { model: Model::Kv, operations: 1_000_000, keys: 1_000, ..plain };
    let shapes = [
        plain,
        wrong,
        Shape { clients: 20, ..plain },
        Shape { clients: 100, operations: 1_000, ..plain },
        Shape { operations: 100_000, ..plain },
        Shape { clients: 20, operations: 100_000, ..wrong },
        Shape { operations: 1_000_000, ..plain },
        Shape { operations: 1_000_000, ..wrong },
        Shape { clients: 100, operations: 1_000_000, ..wrong },
        kv,
        Shape { unknown: 11, is_stale: true, ..kv },
        Shape { values: 5, ..plain },
        Shape { clients: 20, values: 10, ..plain },
        Shape { clients: 20, values: 10, unknown: 11, ..plain },
        Shape { model: Model::CasRegister, values: 5, ..plain },
        Shape { model: Model::CasRegister, unknown: 11, ..plain },
    ];
    let row = |shape: Shape| Row { name: name(&shape), model: shape.model, shape: Some(shape), file: None };
    shapes.into_iter().map(row).collect()
}

/// `register, 5 clients, 10 000 operations, one stale read, unknowns`.
fn name(shape: &Shape) -> String {
    let operations = history::figures::grouped(shape.operations as u64);
    let mut name = format!("{}, {} clients, {operations} operations", shape.model.name(), shape.clients);
    if shape.keys > 1 {
        let _ = write!(name, ", {} keys", history::figures::grouped(shape.keys));
    }
    if shape.values > 0 {
        let _ = write!(name, ", {} values", shape.values);
    }
    if shape.is_stale {
        name.push_str(", one stale read");
    }
    if shape.unknown > 0 {
        name.push_str(", unknowns");
    }
    name
}

/// What porcupine took, by row.
pub fn porcupine() -> BTreeMap<&'static str, &'static str> {
    let lines = include_str!("../porcupine.tsv").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('\t')).collect()
}

/// The rows that were measured as Markdown: how long, how many times as long as we took, and how much memory.
pub fn markdown(cells: &[(Row, Vec<(Subject, Cell)>)]) -> String {
    let porcupine = porcupine();
    let mut text = String::from("| history | answer |");
    let subjects = cells.first().map(|(_, cells)| cells.iter().map(|(subject, _)| *subject)).into_iter().flatten();
    let mut rule = String::from("|---|---|");
    for subject in subjects {
        let _ = write!(text, " {} |", subject.name());
        rule.push_str("---|");
    }
    let _ = write!(text, " porcupine |\n{rule}---|\n");
    for (row, cells) in cells {
        let answers = cells.iter().filter_map(|(_, cell)| match cell {
            Cell::Measured(measured) => Some(&*measured.verdict),
            Cell::OutOfTime | Cell::OutOfMemory | Cell::NotApplicable => None,
        });
        let mut answers: Vec<&str> = answers.collect();
        answers.dedup();
        let _ = write!(text, "| {} | {} |", row.name, answers.join(", but "));
        let own = cells.iter().find(|(subject, _)| *subject == Subject::Stormglass).and_then(|(_, cell)| cell.cpu_ns());
        for (subject, cell) in cells {
            let beside = own.filter(|_| *subject != Subject::Stormglass);
            let _ = write!(text, " {} |", told(cell, beside));
        }
        let _ = writeln!(text, " {} |", porcupine.get(&*row.name).unwrap_or(&"–"));
    }
    text
}

fn told(cell: &Cell, beside: Option<u64>) -> String {
    match cell {
        Cell::Measured(found) => {
            let times = beside.map_or(String::new(), |own| format!(" ({})", ratio(found.cpu_ns, own)));
            format!("{}{times}, {} MB", measured(found.cpu_ns), found.peak / 1_000_000)
        }
        Cell::OutOfTime => "out of time".to_owned(),
        Cell::OutOfMemory => "out of memory".to_owned(),
        Cell::NotApplicable => "does not apply".to_owned(),
    }
}

/// How many times as long: `×120`, `×0.8`.
fn ratio(theirs: u64, ours: u64) -> String {
    let ours = ours.max(1);
    if theirs >= 10 * ours {
        format!("×{}", theirs / ours)
    } else {
        format!("×{}.{}", theirs / ours, theirs * 10 / ours % 10)
    }
}
