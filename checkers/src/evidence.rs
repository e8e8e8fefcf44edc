//! What checkers of their own make, if they find something wrong and say so in their own words.

use history::{
    Completion, Ended, History, Operation, Outcome, Part, Reason, Server, Testimony, Value, Verdict, Witness,
};

use crate::{Judgement, Unfit};

/// A contradiction.
pub(crate) struct Violation {
    /// In a word or two that do not depend on the history.
    pub why: &'static str,
    /// In one line.
    pub headline: String,
    /// Why it is one, a sentence an entry.
    pub because: Vec<String>,
    /// The operations that contradict each other, by number, in the order of the argument.
    pub operations: Vec<usize>,
    /// Of these, the one whose result is impossible.
    pub offender: Option<usize>,
}

impl Violation {
    /// The argument, about this `object`.
    pub fn witness(self, history: &History, object: &str) -> Witness {
        self.witness_of(|number| &history.operations[number], object)
    }

    /// The same, from whoever knows the operations by number.
    pub fn witness_of<'a>(self, operation: impl Fn(usize) -> &'a Operation, object: &str) -> Witness {
        let Violation { why, headline, because, operations, offender } = self;
        let told = operations.iter().map(|number| testimony(*number, operation(*number))).collect();
        let offender = offender.and_then(|number| operations.iter().position(|other| *other == number));
        Witness::new(None, told, offender, Reason::Told { why: why.to_owned(), headline, because }).about(object)
    }
}

/// A judgement without numbers, methods and notes, which its checker adds.
pub(crate) fn judgement(history: &History, verdict: Verdict, detail: String, witness: Option<Witness>) -> Judgement {
    let (operations, states, methods, notes) = (history.len(), 0, Vec::new(), Vec::new());
    Judgement { verdict, detail, witness, operations, states, methods, notes }
}

/// The last position at which an operation can have taken effect: `u64::MAX` if nobody knows, `None` if it never
/// happened.
pub(crate) fn latest(operation: &Operation) -> Option<u64> {
    match (&operation.outcome, operation.completed) {
        (Outcome::Refused, _) => None,
        (Outcome::Returned(_), Some(mark)) => Some(mark.index),
        (Outcome::Returned(_), None) | (Outcome::Unknown, _) => Some(u64::MAX),
    }
}

/// What an operation returned, if it did; for data that know no mismatch.
pub(crate) fn returned(operation: &Operation) -> Result<Option<&Value>, Unfit> {
    match (&operation.outcome, operation.completed) {
        (Outcome::Returned(Completion::Ok(value)), Some(_)) => Ok(Some(value)),
        (Outcome::Returned(Completion::Mismatch), _) => {
            Err(Unfit::operation(operation, "only a compare-and-set can find another value"))
        }
        (Outcome::Returned(Completion::Ok(_)), None) | (Outcome::Refused | Outcome::Unknown, _) => Ok(None),
    }
}

/// What an operation says.
pub(crate) fn testimony(number: usize, operation: &Operation) -> Testimony {
    let (ended, returned) = match (&operation.outcome, operation.completed) {
        (Outcome::Returned(Completion::Ok(value)), Some(_)) => (Ended::Ok, Some(value)),
        (Outcome::Returned(Completion::Mismatch), Some(_)) => (Ended::Mismatch, None),
        (Outcome::Refused, _) => (Ended::Fail, None),
        (Outcome::Returned(_), None) | (Outcome::Unknown, _) => (Ended::Info, None),
    };
    Testimony {
        index: number,
        client: format!("p{}", operation.process),
        process: operation.process,
        f: operation.f.clone().into_owned(),
        input: operation.input.clone(),
        ended,
        // What merely repeats the arguments, or says nothing, is an acknowledgement.
        returned: returned.filter(|value| **value != operation.input && !value.is_nil()).cloned(),
        invoked: operation.invoked,
        completed: operation.completed.filter(|_| ended != Ended::Info),
        part: Part::Both,
        server: operation.node.as_deref().map(|node| Server { node: node.to_owned(), role: None, superseded: None }),
    }
}
