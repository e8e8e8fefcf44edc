//! Kinds of data and their sequential specifications.

use crate::{Completion, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// One thing clients can ask of a kind of data, such as `read`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name in scenario files and histories.
    pub name: &'static str,
    /// Whether it can change the data.
    pub writes: bool,
    /// What it is given beside a key, by name: `["from", "to"]`.
    pub takes: &'static [&'static str],
    /// What histories tell of its input beyond that, because the client adds it itself: `["replaced"]`.
    pub notes: &'static [&'static str],
}

impl Function {
    /// What it [takes](Function::takes), out of its [input](Data::input) as a history has it.
    pub fn arguments(&self, input: &Value) -> Vec<Value> {
        match (self.takes.len() + self.notes.len(), input) {
            (2.., Value::List(values)) => values.iter().take(self.takes.len()).cloned().collect(),
            (_, value) => vec![value.clone(); self.takes.len().min(1)],
        }
    }
}

/// A kind of data: its operations, their results, and how both are written down.
///
/// Some kinds have no sequential specification (siblings of a Dynamo store, suspicions of a failure detector): those
/// are `Data` only. Where one exists, the kind is an [`Object`] too.
pub trait Data: Clone + Debug + 'static {
    /// What a client asks for.
    type Op: Clone + Debug + PartialEq + Serialize;
    /// What it is told. Protocols keep it in snapshots, hence it reads back.
    type Ret: Clone + Debug + PartialEq + Serialize + DeserializeOwned;

    /// Its name in scenario files, such as `kv`.
    const NAME: &'static str;
    /// What clients can ask for, in the order in which [`Data::make`] and [`Data::function`] count them.
    const FUNCTIONS: &'static [Function];
    /// Whether operations name a key.
    const KEYED: bool;
    /// How many keys a first workload is given: few make clients meet.
    const KEYS: u32 = 20;

    /// An operation for a workload: function number `function` on key number `key`.
    ///
    /// `fresh` is a value that nobody else writes in this run; `seen` is what this client last knew the key to hold
    /// (for compare-and-set), [`Value::Nil`] if nothing.
    fn make(function: usize, key: u32, fresh: Value, seen: &Value) -> Self::Op;

    /// The operation that a script writes down: with these values for what the function [takes](Function::takes), one for
    /// each, and `seen` as in [`Data::make`].
    ///
    /// # Panics
    /// If they are more or fewer: scripts are checked when they are read.
    fn written(function: usize, key: u32, arguments: &[Value], seen: &Value) -> Self::Op;

    /// Which of [`Data::FUNCTIONS`] this operation is.
    fn function(op: &Self::Op) -> usize;

    /// The number of the key it names; 0 where operations name none.
    fn key(op: &Self::Op) -> u32;

    /// What the client now knows its key to hold, if this result tells.
    fn learnt(op: &Self::Op, ret: &Self::Ret) -> Option<Value>;

    /// The operation's arguments as they stand in a history: nothing for a function that takes and [notes](Function::notes)
    /// nothing, a value for one that takes or notes one, else the list of them. Histories of keyed kinds of data write `[key, arguments]`, with its name.
    fn input(op: &Self::Op) -> Value;

    /// A result as it stands in a history, where keyed kinds of data write `[key, result]`.
    fn completion(op: &Self::Op, ret: &Self::Ret) -> Completion;

    /// The value with which a key's name stands in a history.
    fn key_name(key: u32) -> Value {
        Value::text(format!("k{key}"))
    }
}

/// Data with a sequential specification: what each operation does when nobody else is about.
pub trait Object: Data {
    /// What is replicated. It goes into snapshots and reads back from them.
    type State: Clone + Debug + Default + PartialEq + Serialize + DeserializeOwned;

    /// Does `op` and says what it returned. This *is* the specification: protocols replicate it, checkers search with
    /// it.
    fn apply(state: &mut Self::State, op: &Self::Op) -> Self::Ret;
}
