//! A whole history at a glance: how much was asked, by whom, and when, in as many columns as there is room for.

use checkers::Model;
use history::{Completion, History, Mark, Operation, Outcome, Reason, Value, Witness};
use std::collections::{BTreeMap, BTreeSet};

/// What stands on the axis: time, or where a record knows none or one that runs backwards, the place in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Of the first event.
    pub from: u64,
    /// Of the last.
    pub to: u64,
    /// Nanoseconds; else places in the record.
    pub is_time: bool,
}

/// What happened in a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// Operations invoked here that returned.
    pub returned: u64,
    /// Invoked here, and known not to have happened.
    pub refused: u64,
    /// Invoked here, and nobody knows what became of them.
    pub unknown: u64,
    /// The most whose clients waited at once.
    pub open: u64,
}

/// Something that is counted in every column.
pub type Count = fn(&Column) -> u64;

/// How often a function was asked for, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Its name.
    pub f: String,
    /// How its operations ended, in the words of a [`Column`].
    pub returned: u64,
    /// Those that did not happen.
    pub refused: u64,
    /// Those of unknown outcome.
    pub unknown: u64,
}

/// The numbers of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// How many operations there are.
    pub operations: u64,
    /// How many processes asked.
    pub processes: u64,
    /// How many keys they asked for, if the model has keys.
    pub keys: Option<u64>,
    /// By function, the most asked for first.
    pub functions: Vec<Asked>,
    /// What the columns divide.
    pub span: Span,
    /// From the first event to the last.
    pub columns: Vec<Column>,
    /// Where the operations of the violation were asked for, as they are numbered in the argument; the offender's last.
    pub violation: Vec<(usize, u64)>,
}

impl Span {
    /// Of a history's events.
    pub fn of(history: &History) -> Span {
        let marks = || history.operations.iter().flat_map(|op| [Some(op.invoked), op.completed]).flatten();
        let range = |at: fn(Mark) -> u64| (marks().map(at).min().unwrap_or(0), marks().map(at).max().unwrap_or(0));
        let forwards = history.operations.is_sorted_by_key(|op| op.invoked.time)
            && history.operations.iter().all(|op| op.completed.is_none_or(|end| end.time >= op.invoked.time));
        let (from, to) = range(|mark| mark.time);
        if forwards && from < to {
            // What begins almost at once begins at 0.
            let from = if from < (to - from) / 50 { 0 } else { from };
            return Span { from, to, is_time: true };
        }
        let (from, to) = range(|mark| mark.index);
        Span { from, to, is_time: false }
    }

    /// Where an event stands.
    pub fn at(&self, mark: Mark) -> u64 {
        if self.is_time { mark.time } else { mark.index }
    }

    /// How long it is; at least 1.
    pub fn length(&self) -> u64 {
        self.to.saturating_sub(self.from).max(1)
    }

    /// The share of the span that is over at `at`.
    pub fn share(&self, at: u64) -> f64 {
        at.clamp(self.from, self.to).saturating_sub(self.from) as f64 / self.length() as f64
    }

    /// The column of so many in which `at` is.
    pub fn column(&self, at: u64, columns: usize) -> usize {
        let passed = u128::from(at.clamp(self.from, self.to).saturating_sub(self.from));
        let column = passed * columns as u128 / u128::from(self.length());
        (column as usize).min(columns.saturating_sub(1))
    }

    /// What is told of the place `at`: a record whose clock began long before it is told from its first event on.
    pub fn told(&self, at: u64) -> u64 {
        if self.is_time && self.from > self.length() { at.saturating_sub(self.from) } else { at }
    }
}

impl Glance {
    /// A history in so many columns.
    pub fn of(history: &History, model: Model, witness: Option<&Witness>, columns: usize) -> Glance {
        let span = Span::of(history);
        let processes: BTreeSet<u64> = history.operations.iter().map(|op| op.process).collect();
        Glance {
            operations: history.len() as u64,
            processes: processes.len() as u64,
            keys: keys(history, model),
            functions: functions(history),
            span,
            columns: filled(history, span, columns),
            violation: witness.map(|witness| places(history, span, witness)).unwrap_or_default(),
        }
    }

    /// A number of all columns together.
    pub fn sum(&self, of: Count) -> u64 {
        self.columns.iter().map(of).sum()
    }

    /// The largest of a column.
    pub fn most(&self, of: Count) -> u64 {
        self.columns.iter().map(of).max().unwrap_or(0)
    }
}

/// Every column with what happened in it.
fn filled(history: &History, span: Span, count: usize) -> Vec<Column> {
    let mut columns = vec![Column::default(); count];
    let mut changes: Vec<(Mark, bool)> = Vec::with_capacity(history.len() * 2);
    for op in &history.operations {
        let column = &mut columns[span.column(span.at(op.invoked), count)];
        *tally(column, &op.outcome) += 1;
        changes.push((op.invoked, true));
        changes.extend(op.completed.map(|end| (end, false)));
    }
    changes.sort_unstable();
    let (mut open, mut reached) = (0u64, 0);
    for (mark, begins) in changes {
        let column = span.column(span.at(mark), count);
        // Whoever waited all the while waited in the columns between, too.
        columns[reached..=column.max(reached)].iter_mut().for_each(|column| column.open = column.open.max(open));
        open = if begins { open + 1 } else { open.saturating_sub(1) };
        columns[column].open = columns[column].open.max(open);
        reached = column;
    }
    columns
}

fn tally<'a>(column: &'a mut Column, outcome: &Outcome<Completion>) -> &'a mut u64 {
    match outcome {
        Outcome::Returned(_) => &mut column.returned,
        Outcome::Refused => &mut column.refused,
        Outcome::Unknown => &mut column.unknown,
    }
}

fn functions(history: &History) -> Vec<Asked> {
    let mut by_name: BTreeMap<&str, Asked> = BTreeMap::new();
    for op in &history.operations {
        let asked = by_name.entry(&op.f).or_insert_with(|| Asked { f: op.f.to_string(), ..Asked::default() });
        match op.outcome {
            Outcome::Returned(_) => asked.returned += 1,
            Outcome::Refused => asked.refused += 1,
            Outcome::Unknown => asked.unknown += 1,
        }
    }
    let mut functions: Vec<Asked> = by_name.into_values().collect();
    functions.sort_by_key(|asked| std::cmp::Reverse(asked.returned + asked.refused + asked.unknown));
    functions
}

/// The keys of keyed operations, or of the steps of transactions.
fn keys(history: &History, model: Model) -> Option<u64> {
    let found: BTreeSet<&Value> = match model {
        Model::Kv | Model::Decree | Model::Siblings | Model::Cart => {
            history.operations.iter().filter_map(|op| Some(op.input.as_pair()?.0)).collect()
        }
        Model::ListAppend | Model::RwRegister | Model::LongFork => {
            history.operations.iter().flat_map(|op| steps(&op.input)).filter_map(|step| step.get(1)).collect()
        }
        Model::CasRegister
        | Model::Register
        | Model::Queue
        | Model::Stack
        | Model::Set
        | Model::SetFull
        | Model::Mutex
        | Model::Counter
        | Model::Bank
        | Model::UniqueIds => return None,
    };
    Some(found.len() as u64)
}

/// The steps of a transaction: `[r 3 null]`.
fn steps(input: &Value) -> impl Iterator<Item = &[Value]> {
    let steps = match input {
        Value::List(steps) => &steps[..],
        Value::Nil | Value::Int(_) | Value::Text(_) => &[],
    };
    steps.iter().filter_map(|step| match step {
        Value::List(step) => Some(&step[..]),
        Value::Nil | Value::Int(_) | Value::Text(_) => None,
    })
}

fn places(history: &History, span: Span, witness: &Witness) -> Vec<(usize, u64)> {
    let mut places: Vec<(usize, u64)> =
        witness.operations.iter().enumerate().map(|(i, op)| (i + 1, span.at(op.invoked))).collect();
    if let Some(offender) = witness.offender.filter(|offender| *offender < places.len()) {
        let offender = places.remove(offender);
        places.push(offender);
    }
    if let (true, Reason::Undivided { until }) = (places.is_empty(), &witness.reason) {
        let begun = history.operations.partition_point(|op| op.invoked.index <= *until);
        let last: Option<&Operation> = begun.checked_sub(1).and_then(|last| history.operations.get(last));
        places.extend(last.map(|op| (0, span.at(op.invoked))));
    }
    places
}
