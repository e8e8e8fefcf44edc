//! Histories as JSON Lines, one event a line, in the Jepsen shape:
//!
//! ```json
//! {"index":0,"time":0,"process":0,"type":"invoke","f":"write","value":["k1",7]}
//! {"index":1,"time":2000000,"process":0,"type":"ok","f":"write","value":["k1",7]}
//! ```
//!
//! - `type` is `invoke`, `ok`, `fail` (it did not happen) or `info` (nobody knows; the process is not used again).
//!   An invocation without a completion is pending: nobody knows either.
//! - A compare-and-set that found another value is `fail` with `"error":"mismatch"`, which is a fact about the data.
//! - Keyed data writes `[key, argument]`, unkeyed data the bare argument.
//! - `"final":true` marks reads made after everything healed.
//! - `"node":"n1"` on a completion names the node that answered; it may be absent, and no verdict depends on it.
//! - `time` is in nanoseconds and may be absent; the order of the lines decides.

use crate::operation::{Completion, History, Mark, Outcome, Purpose};
use crate::{Operation, Value};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    #[serde(default)]
    index: u64,
    #[serde(default)]
    time: u64,
    process: u64,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    f: Cow<'a, str>,
    #[serde(default)]
    value: Value,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    error: Option<Cow<'a, str>>,
    #[serde(default, rename = "final", skip_serializing_if = "std::ops::Not::not")]
    final_read: bool,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    node: Option<Cow<'a, str>>,
}

/// What is wrong with a recorded history, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// From 1.
    pub line: usize,
    /// From 1, in bytes.
    pub column: usize,
    /// What, and what would be right.
    pub message: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for Malformed {}

/// Puts invocations and completions, met one by one, together to operations. Every reader of a history format uses it.
#[derive(Debug, Default)]
pub struct Assembler {
    history: History,
    /// Process to its open operation.
    open: BTreeMap<u64, usize>,
    next_index: u64,
}

impl Assembler {
    /// The mark of an event that happens now.
    fn mark(&mut self, time: u64) -> Mark {
        let mark = Mark { index: self.next_index, time };
        self.next_index += 1;
        mark
    }

    /// Process `process` asks for `f` with `input`.
    ///
    /// # Errors
    /// If it still waits for an earlier answer.
    pub fn invoke(
        &mut self,
        process: u64,
        f: Cow<'static, str>,
        input: Value,
        time: u64,
        purpose: Purpose,
    ) -> Result<(), String> {
        let invoked = self.mark(time);
        if let Some(&open) = self.open.get(&process) {
            let earlier = &self.history.operations[open];
            return Err(format!(
                "process {process} invokes `{f}` while its `{}` has not completed; a process asks one thing at a time",
                earlier.f
            ));
        }
        self.open.insert(process, self.history.operations.len());
        let outcome = Outcome::Unknown;
        self.history.operations.push(Operation {
            process,
            f,
            input,
            invoked,
            completed: None,
            outcome,
            purpose,
            node: None,
        });
        Ok(())
    }

    /// The open operation of `process`, if there is one.
    pub fn open(&self, process: u64) -> Option<&Operation> {
        self.open.get(&process).map(|&i| &self.history.operations[i])
    }

    /// Process `process` hears `outcome`.
    ///
    /// # Errors
    /// If it has asked for nothing.
    pub fn complete(&mut self, process: u64, outcome: Outcome<Completion>, time: u64) -> Result<(), String> {
        self.close(process, outcome, time).map(|_| ())
    }

    fn close(&mut self, process: u64, outcome: Outcome<Completion>, time: u64) -> Result<&mut Operation, String> {
        let mark = self.mark(time);
        let Some(open) = self.open.remove(&process) else {
            return Err(format!("process {process} completes an operation it never invoked"));
        };
        let operation = &mut self.history.operations[open];
        operation.completed = Some(mark);
        operation.outcome = outcome;
        Ok(operation)
    }

    /// Everything put together; what is still open stays [`Outcome::Unknown`] with no completion.
    pub fn finish(self) -> History {
        self.history
    }
}

/// Reads a history from JSON Lines.
///
/// # Errors
/// The first bad line, with the column and what would be right.
pub fn read(text: &str) -> Result<History, Malformed> {
    let mut assembler = Assembler::default();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let malformed = |column: usize, message: String| Malformed { line: number + 1, column: column.max(1), message };
        let event: Line = serde_json::from_str(line).map_err(|e| malformed(e.column(), without_position(&e)))?;
        add(&mut assembler, event).map_err(|message| malformed(1, message))?;
    }
    Ok(assembler.finish())
}

/// serde_json ends its messages with " at line 1 column 5"; the position is reported separately.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

fn add(assembler: &mut Assembler, event: Line) -> Result<(), String> {
    let purpose = if event.final_read { Purpose::FinalRead } else { Purpose::Load };
    let outcome = match &*event.kind {
        "invoke" => {
            let f = Cow::Owned(event.f.into_owned());
            return assembler.invoke(event.process, f, event.value, event.time, purpose);
        }
        "ok" => Outcome::Returned(Completion::Ok(event.value)),
        "fail" if event.error.as_deref() == Some("mismatch") => Outcome::Returned(Completion::Mismatch),
        "fail" => Outcome::Refused,
        "info" => Outcome::Unknown,
        other => return Err(format!("unknown type `{other}`; it is one of `invoke`, `ok`, `fail`, `info`")),
    };
    assembler.close(event.process, outcome, event.time)?.node = event.node.map(Box::from);
    Ok(())
}

/// Writes a history as JSON Lines, in the order of its marks.
pub fn write(history: &History) -> String {
    let mut events: Vec<(Mark, Line)> = Vec::with_capacity(history.len() * 2);
    for op in &history.operations {
        let line = |mark: Mark, kind: &'static str, value: &Value, error: Option<&'static str>| {
            let final_read = op.purpose == Purpose::FinalRead;
            let line = Line {
                index: 0,
                time: mark.time,
                process: op.process,
                kind: kind.into(),
                f: Cow::Borrowed(&op.f),
                value: value.clone(),
                error: error.map(Cow::from),
                final_read,
                node: op.node.as_deref().filter(|_| kind != "invoke").map(Cow::from),
            };
            (mark, line)
        };
        events.push(line(op.invoked, "invoke", &op.input, None));
        let Some(completed) = op.completed else { continue };
        events.push(match &op.outcome {
            Outcome::Returned(Completion::Ok(value)) => line(completed, "ok", value, None),
            Outcome::Returned(Completion::Mismatch) => line(completed, "fail", &op.input, Some("mismatch")),
            Outcome::Refused => line(completed, "fail", &op.input, None),
            Outcome::Unknown => line(completed, "info", &op.input, None),
        });
    }
    events.sort_by_key(|(mark, _)| *mark);
    let mut text = String::new();
    for (index, (_, mut line)) in events.into_iter().enumerate() {
        line.index = index as u64;
        text.push_str(&serde_json::to_string(&line).expect("plain data serializes"));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"{"index":0,"time":0,"process":0,"type":"invoke","f":"write","value":["k1",1]}
{"index":1,"time":5,"process":1,"type":"invoke","f":"cas","value":["k1",[1,2]]}
{"index":2,"time":7,"process":0,"type":"ok","f":"write","value":["k1",1],"node":"n2"}
{"index":3,"time":9,"process":1,"type":"fail","f":"cas","value":["k1",[1,2]],"error":"mismatch"}
{"index":4,"time":9,"process":0,"type":"invoke","f":"write","value":["k1",3]}
{"index":5,"time":12,"process":0,"type":"info","f":"write","value":["k1",3]}
{"index":6,"time":12,"process":2,"type":"invoke","f":"read","value":["k1",null],"final":true}
"#;

    #[test]
    fn what_is_written_reads_back_the_same() {
        let history = read(SAMPLE).expect("well formed");
        assert_eq!(history.len(), 4);
        assert_eq!(history.operations[1].outcome, Outcome::Returned(Completion::Mismatch));
        assert_eq!(history.operations[3].purpose, Purpose::FinalRead);
        assert_eq!(history.operations[0].node.as_deref(), Some("n2"));
        assert_eq!(write(&history), SAMPLE);
    }

    #[test]
    fn a_bad_line_is_named() {
        let broken = |line: &str| read(&format!("{SAMPLE}{line}")).expect_err("malformed");
        assert_eq!(broken(r#"{"process":3,"type":"ok","f":"read"}"#).line, 8);
        assert!(broken(r#"{"process":3,"type":"ok","f":"read"}"#).message.contains("never invoked"));
        assert!(broken(r#"{"process":2,"type":"invoke","f":"read"}"#).message.contains("one thing at a time"));
        assert!(broken(r#"{"process":4,"type":"okay","f":"read"}"#).message.contains("unknown type `okay`"));
        let truncated = broken(r#"{"process":4,"type":"invo"#);
        assert_eq!((truncated.line, truncated.column), (8, 25));
    }
}
