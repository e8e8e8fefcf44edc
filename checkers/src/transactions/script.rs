//! Transactions as their clients wrote them down: lists of micro-operations, typed, with keys as numbers.

use crate::hash::Mixer;
use crate::{Model, Unfit};
use hashbrown::HashMap;
use history::{Completion, History, Operation, Outcome, Value};
use std::hash::BuildHasherDefault;
use std::ops::Range;

/// Hash maps that are the same on every machine.
pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Mixer>>;

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Committed,
    /// Nobody knows. What it read is unknown, too.
    Unknown,
    Aborted,
}

/// A read, or a write or append, of one key.
#[derive(Clone, Copy)]
pub(super) struct Micro<'h> {
    pub is_read: bool,
    pub key: u32,
    pub value: &'h Value,
}

/// One transaction, by its number in the history.
pub(super) struct Txn<'h> {
    pub source: &'h Operation,
    pub fate: Fate,
    micros: Range<usize>,
}

/// All transactions of a history.
pub(super) struct Script<'h> {
    pub txns: Vec<Txn<'h>>,
    micros: Vec<Micro<'h>>,
    /// By number: how the history calls it.
    pub keys: Vec<&'h Value>,
}

impl<'h> Script<'h> {
    /// Reads the micro-operations of every transaction; of a committed one those that its client heard of in the end.
    pub fn read(history: &'h History, model: Model) -> Result<Self, Unfit> {
        let mut script = Script { txns: Vec::with_capacity(history.len()), micros: Vec::new(), keys: Vec::new() };
        let mut numbers: Map<&Value, u32> = Map::default();
        for source in &history.operations {
            let begin = script.micros.len();
            let (fate, said) = match &source.outcome {
                Outcome::Returned(Completion::Ok(value)) => (Fate::Committed, value),
                Outcome::Returned(Completion::Mismatch) => {
                    let message = "it was answered like a compare-and-set; a transaction ends with ok, fail or info";
                    return Err(Unfit::operation(source, message));
                }
                Outcome::Refused => (Fate::Aborted, &source.input),
                Outcome::Unknown => (Fate::Unknown, &source.input),
            };
            for micro in items(said).ok_or_else(|| not_a_list(source, said))? {
                let (is_read, key, value) = typed(micro, model).map_err(|message| Unfit::operation(source, message))?;
                let key = *numbers.entry(key).or_insert_with(|| {
                    script.keys.push(key);
                    script.keys.len() as u32 - 1
                });
                script.micros.push(Micro { is_read, key, value });
            }
            script.txns.push(Txn { source, fate, micros: begin..script.micros.len() });
        }
        Ok(script)
    }

    /// What a transaction did, in its order.
    pub fn micros(&self, txn: u32) -> &[Micro<'h>] {
        &self.micros[self.txns[txn as usize].micros.clone()]
    }

    /// Its micro-operation at that place.
    pub fn micro(&self, txn: u32, at: u32) -> Micro<'h> {
        self.micros(txn)[at as usize]
    }

    /// The numbers of all transactions.
    pub fn numbers(&self) -> Range<u32> {
        0..self.txns.len() as u32
    }

    pub fn fate(&self, txn: u32) -> Fate {
        self.txns[txn as usize].fate
    }

    /// Where in the record it was asked.
    pub fn invoked(&self, txn: u32) -> u64 {
        self.txns[txn as usize].source.invoked.index
    }

    /// Where in the record it was over for certain.
    pub fn completed(&self, txn: u32) -> u64 {
        let Txn { source, fate, .. } = &self.txns[txn as usize];
        match (fate, source.completed) {
            (Fate::Committed, Some(mark)) => mark.index,
            (Fate::Committed, None) | (Fate::Unknown | Fate::Aborted, _) => u64::MAX,
        }
    }
}

/// The elements of a list; none of nothing.
pub(super) fn items(value: &Value) -> Option<&[Value]> {
    match value {
        Value::List(items) => Some(items),
        Value::Nil => Some(&[]),
        Value::Int(_) | Value::Text(_) => None,
    }
}

fn not_a_list(source: &Operation, said: &Value) -> Unfit {
    let said = crate::text::excerpt(&said.to_string());
    Unfit::operation(source, format!("{said} is no list of micro-operations such as [[\"r\", \"x\", null]]"))
}

/// Whether it reads, its key, its value.
fn typed(micro: &Value, model: Model) -> Result<(bool, &Value, &Value), String> {
    let wrong = |what: &str| {
        let writes = if model == Model::ListAppend { "append" } else { "w" };
        let micro = crate::text::excerpt(&micro.to_string());
        Err(format!("{what} {micro}; a micro-operation is [\"r\", key, value] or [\"{writes}\", key, value]"))
    };
    let Some([Value::Text(f), key, value]) = items(micro) else { return wrong("cannot read") };
    match (&**f, model) {
        ("r" | "read", Model::ListAppend) if items(value).is_none() => wrong("a list was read otherwise in"),
        ("r" | "read", _) => Ok((true, key, value)),
        ("append", Model::ListAppend) => Ok((false, key, value)),
        ("w" | "write", Model::RwRegister) => Ok((false, key, value)),
        _ => wrong(&format!("model {} has no meaning for", model.name())),
    }
}
