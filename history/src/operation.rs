//! Recorded operations.

use crate::Value;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A point of a recorded history.
///
/// Histories are ordered by *position*, not by time: operation A precedes operation B only if A's completion stands
/// before B's invocation in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// Position in the record; every invocation and completion has its own.
    pub index: u64,
    /// When, in nanoseconds since the record began.
    pub time: u64,
}

/// How an operation ended, as far as its client knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Outcome<R> {
    /// It happened and returned this.
    Returned(R),
    /// It did not happen and never will.
    Refused,
    /// Nobody knows: it may take effect once, at any time after its invocation, or never.
    Unknown,
}

/// What a completed operation returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// It worked; the value is what it read, or its arguments again.
    Ok(Value),
    /// A compare-and-set that found another value. A fact about the data, unlike [`Outcome::Refused`].
    Mismatch,
}

/// Why an operation was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// Part of the workload: it counts for availability and latency.
    #[default]
    Load,
    /// A read after everything healed, made to see what survived.
    FinalRead,
}

/// One operation of a recorded history, with arguments and results as plain [`Value`]s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The logical thread that asked. A process asks one thing at a time; after an unknown outcome it is never used
    /// again (as in Jepsen's histories).
    pub process: u64,
    /// What was asked, such as `read`.
    pub f: Cow<'static, str>,
    /// Its arguments. Keyed kinds of data write `[key, argument]`.
    pub input: Value,
    /// When it was asked.
    pub invoked: Mark,
    /// When its client heard of it; `None` if the record ends first. An unknown outcome may have a mark too (when
    /// the client gave up), which means nothing for the order of operations.
    pub completed: Option<Mark>,
    /// What its client heard.
    pub outcome: Outcome<Completion>,
    /// Why it was asked.
    pub purpose: Purpose,
    /// Which node answered it last, such as `n1`, if the record says. No checker judges by it.
    pub node: Option<Box<str>>,
}

/// Recorded operations, in the order of their invocations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// All of them, by [`Operation::invoked`].
    pub operations: Vec<Operation>,
}

impl History {
    /// How many operations it holds.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }
}
