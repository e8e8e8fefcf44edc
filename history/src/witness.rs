//! Why a history is wrong: the few operations that contradict each other, and the argument they make.
//!
//! A checker finds the operations and the reason; whoever ran the system adds which node answered; a report draws and
//! prints. So this is plain data, and it is kept in `run.json` as it stands. [`Witness::tell`] puts it into words.

use crate::{Mark, Value};
use serde::{Deserialize, Serialize};

/// The argument for a violation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// The object all of it is about, if the data has keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Value>,
    /// What it is about, as a noun (`the queue`); a register if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The operations that contradict each other, in the order in which the argument names them.
    pub operations: Vec<Testimony>,
    /// Of these, the one whose result is impossible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offender: Option<usize>,
    /// How the argument gets from one operation to the next: a step for each of them.
    pub steps: Vec<Step>,
    /// Why they contradict each other.
    pub reason: Reason,
    /// Whether nothing can be taken away from it. If not, the checker had no budget left to find out.
    pub is_minimal: bool,
    /// All of it in words, one sentence or two an entry.
    pub argument: Vec<String>,
}

/// An operation that bears witness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Testimony {
    /// Its position in the history, counted from 0 in the order of invocations.
    pub index: usize,
    /// Who asked: `c3` in a run, `p3` for process 3 of a record that knows no clients.
    pub client: String,
    /// The process of the history.
    pub process: u64,
    /// What was asked, such as `read`.
    pub f: String,
    /// Its arguments, without the key.
    pub input: Value,
    /// What became of it: `ok`, `mismatch` (a compare-and-set that found another value), `fail` (it did not happen) or
    /// `info` (nobody knows).
    pub ended: Ended,
    /// What it returned, without the key; for `ok` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<Value>,
    /// When it was asked.
    pub invoked: Mark,
    /// When its client heard of it, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<Mark>,
    /// What of it the argument needs.
    pub part: Part,
    /// Who answered it, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Server>,
}

/// How an operation ended, in the words of a history's `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// It happened.
    Ok,
    /// A compare-and-set that found another value.
    Mismatch,
    /// It did not happen.
    Fail,
    /// Nobody knows.
    Info,
}

/// What an operation contributes to an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// What it left behind; what it met does not matter.
    Wrote,
    /// What it met; it left nothing behind.
    Met,
    /// Both.
    Both,
    /// It took no effect in time, or none at all: it is there so that nobody asks about it.
    Shown,
}

/// Who answered an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Such as `n1`.
    pub node: String,
    /// The role it held then and in which term, if it held any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<(String, u64)>,
    /// Who held that role by then in a later term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded: Option<Holder>,
}

/// Who held a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Such as `n2`.
    pub node: String,
    /// In which term.
    pub term: u64,
    /// Since when.
    pub from_ns: u64,
}

/// The next operation of an argument and what it has to do with those named before it (by position). One of unknown
/// outcome is never over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// These were over when it began.
    pub after: Vec<usize>,
    /// These were not.
    pub during: Vec<usize>,
}

/// Why no order of the operations explains their results. Numbers are positions in [`Witness::operations`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Reason {
    /// The value met was never written by anybody.
    NobodyWrote {
        /// It.
        value: Value,
    },
    /// The value met was first asked for after the offender had its answer.
    NotYetWritten {
        /// It.
        value: Value,
        /// Who asked.
        by: usize,
    },
    /// The value met was asked for, and that did not happen.
    NeverHappened {
        /// It.
        value: Value,
        /// Who asked.
        by: usize,
    },
    /// The value met had been replaced for certain before the offender began.
    Replaced {
        /// It.
        value: Value,
        /// What replaced it.
        with: Value,
        /// Who wrote that.
        by: usize,
        /// Who met that before the offender began, where `by` need not have been over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<usize>,
    },
    /// Two compare-and-sets met and replaced one value that was there once.
    MetTwice {
        /// It.
        value: Value,
        /// Who else replaced it.
        by: usize,
    },
    /// What was met lacks something that had been added before the offender began.
    Lacks {
        /// What.
        part: Value,
        /// Who added it.
        by: usize,
    },
    /// Whatever the order of the others, the object can only have held one of these when the offender met it.
    OnlyMet {
        /// The first few of them.
        values: Vec<Value>,
        /// Whether there are more.
        has_more: bool,
    },
    /// Wherever the offender fits, the others have no order.
    Entangled,
    /// An acknowledged write that can no longer be read, and that nothing can have overwritten.
    Lost {
        /// It.
        write: usize,
        /// Acknowledged writes of the whole history that are gone, this one among them.
        lost: u64,
    },
    /// What a checker of its own found, in its own words.
    Told {
        /// What kind of contradiction it is, in a word or two that do not depend on the history: `overtaken`.
        why: String,
        /// The violation in one line.
        headline: String,
        /// Why the operations contradict each other, a sentence an entry.
        because: Vec<String>,
    },
    /// No order explains the record up to this position, and there was no budget to say more.
    Undivided {
        /// In events.
        until: u64,
    },
}

impl Witness {
    /// An argument about `operations`, which are named in this order, in words already.
    pub fn new(key: Option<Value>, operations: Vec<Testimony>, offender: Option<usize>, reason: Reason) -> Self {
        let steps = (0..operations.len()).map(|named| step(&operations, named)).collect();
        let (is_minimal, object, argument) = (true, None, Vec::new());
        let mut witness = Witness { key, object, operations, offender, steps, reason, is_minimal, argument };
        witness.tell();
        witness
    }

    /// The same about an object that is no register.
    pub fn about(mut self, object: impl Into<String>) -> Self {
        self.object = Some(object.into());
        self.tell();
        self
    }
}

impl Testimony {
    /// The last position at which it can have taken effect.
    fn latest(&self) -> u64 {
        match (self.ended, self.completed) {
            (Ended::Ok | Ended::Mismatch | Ended::Fail, Some(mark)) => mark.index,
            (Ended::Info, _) | (_, None) => u64::MAX,
        }
    }
}

fn step(operations: &[Testimony], named: usize) -> Step {
    let begun = operations[named].invoked.index;
    let (after, during) = (0..named).partition(|&earlier| operations[earlier].latest() < begun);
    Step { after, during }
}
