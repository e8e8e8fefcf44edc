//! From the events of a record to operations. Every reader of a history format ends here.

use crate::operation::{Completion, History, Mark, Operation, Outcome, Purpose};
use crate::{Value, Words};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an event tells of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Its client asks.
    Invoke,
    /// It worked.
    Ok,
    /// It did not happen.
    Fail,
    /// Nobody knows.
    Info,
}

/// Who an event is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Process {
    /// The record does not say.
    #[default]
    Unnamed,
    /// A client.
    Client(u64),
    /// Whoever makes trouble or keeps notes, such as Jepsen's `:nemesis`.
    Bystander,
}

/// An event in the Jepsen shape, as far as its fields are known.
#[derive(Debug, Default)]
pub struct Event {
    kind: Option<Kind>,
    process: Process,
    f: Option<Arc<str>>,
    key: Option<Value>,
    value: Option<Value>,
    error: Option<Value>,
    node: Option<Value>,
    is_final: bool,
    time: u64,
    /// What is wrong with the value, should anybody need it, and where.
    pub flaw: Option<(usize, String)>,
}

impl Event {
    /// The fields that mean anything.
    pub const FIELDS: [&str; 9] = ["process", "type", "f", "value", "time", "node", "key", "error", "final"];

    /// The field of that name, if it means anything.
    pub fn field(name: &str) -> Option<&'static str> {
        Event::FIELDS.into_iter().find(|field| *field == name)
    }

    /// Whether a field does no harm if its number is one that we cannot hold.
    pub fn may_be_flawed(field: &str) -> bool {
        matches!(field, "value" | "time" | "error" | "node" | "final")
    }

    /// Learns a field.
    ///
    /// # Errors
    /// If it cannot hold such a value.
    pub fn set(&mut self, name: &str, value: Value) -> Result<(), String> {
        match (name, value) {
            ("type", Value::Text(kind)) => self.kind = Some(kind_of(&kind)?),
            ("type", other) => return Err(unknown_kind(&other)),
            ("process", Value::Nil) => self.process = Process::Unnamed,
            ("process", Value::Text(_)) => self.process = Process::Bystander,
            ("process", Value::Int(number)) if number >= 0 => self.process = Process::Client(number.cast_unsigned()),
            ("process", other) => {
                return Err(format!("`process` must be a number, such as 9, found {}", excerpt(&other)));
            }
            ("f", Value::Text(f)) => self.f = Some(f),
            ("f", Value::Nil) => {}
            ("f", other) => return Err(format!("`f` must be a word, such as read, found {}", excerpt(&other))),
            ("time", Value::Int(time)) => self.time = u64::try_from(time).unwrap_or(0),
            ("final", Value::Text(yes)) => self.is_final = &*yes == "true",
            ("key", key) => self.key = Some(key),
            ("value", value) => self.value = Some(value),
            ("error", error) => self.error = Some(error),
            ("node", node) => self.node = Some(node),
            _ => {}
        }
        Ok(())
    }

    /// What is wrong with its value, if the value matters: who completes otherwise than by `ok` says nothing with it.
    pub fn relevant_flaw(&self) -> Option<&(usize, String)> {
        let is_relevant = self.process != Process::Bystander && matches!(self.kind, Some(Kind::Invoke | Kind::Ok));
        self.flaw.as_ref().filter(|_| is_relevant)
    }
}

fn kind_of(name: &str) -> Result<Kind, String> {
    match name {
        "invoke" => Ok(Kind::Invoke),
        "ok" => Ok(Kind::Ok),
        "fail" => Ok(Kind::Fail),
        "info" => Ok(Kind::Info),
        other => Err(unknown_kind(&Value::text(other))),
    }
}

fn unknown_kind(found: &Value) -> String {
    format!("unknown type {}; it is one of `invoke`, `ok`, `fail`, `info`", excerpt(found))
}

/// What was found where something else was expected; cut short, since it may be a megabyte.
fn excerpt(found: &Value) -> String {
    const SHOWN_MAX: usize = 40;
    let text = match found {
        Value::List(_) => return "a list".to_owned(),
        Value::Nil | Value::Int(_) | Value::Text(_) => found.to_string(),
    };
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// The name of a function; known ones take no room.
pub fn function(name: &str) -> Cow<'static, str> {
    const KNOWN: [&str; 20] = [
        "read",
        "write",
        "cas",
        "txn",
        "get",
        "put",
        "append",
        "add",
        "enqueue",
        "dequeue",
        "push",
        "pop",
        "acquire",
        "release",
        "transfer",
        "generate",
        "send",
        "poll",
        "broadcast",
        "remove",
    ];
    match KNOWN.into_iter().find(|known| *known == name) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(name.to_owned()),
    }
}

/// Puts invocations and completions, met one by one, together to operations.
#[derive(Debug, Default)]
pub struct Assembler {
    /// Whoever reads makes values with these.
    pub words: Words,
    history: History,
    /// Process to its open operation.
    open: BTreeMap<u64, usize>,
    next_index: u64,
    naming: Naming,
}

/// Whether a record says which process asked. Where it does not, invocations and completions take turns, and every
/// operation gets a process of its own: nobody knows that two of them had the same.
#[derive(Clone, Copy, Debug, Default)]
enum Naming {
    #[default]
    Unknown,
    Named,
    Unnamed {
        /// So many operations have completed.
        completed: u64,
    },
}

impl Assembler {
    /// The mark of an event that happens now.
    fn mark(&mut self, time: u64) -> Mark {
        let mark = Mark { index: self.next_index, time };
        self.next_index += 1;
        mark
    }

    /// Takes an event in the Jepsen shape.
    ///
    /// # Errors
    /// Where in the event (in bytes from 0, as the reader said with [`Event::flaw`], or at its beginning) what is wrong,
    /// and what would be right.
    pub fn add(&mut self, event: Event) -> Result<(), (usize, String)> {
        if let Some(flaw) = event.relevant_flaw() {
            return Err(flaw.clone());
        }
        self.take(event).map_err(|message| (0, message))
    }

    fn take(&mut self, event: Event) -> Result<(), String> {
        let process = match event.process {
            Process::Bystander => return Ok(()),
            Process::Client(process) => {
                if let Naming::Unnamed { .. } = self.naming {
                    return Err(MIXED.to_owned());
                }
                self.naming = Naming::Named;
                Some(process)
            }
            Process::Unnamed => None,
        };
        let kind = event.kind.ok_or("`type` is missing; it is one of `invoke`, `ok`, `fail`, `info`")?;
        let Some(process) = process.map_or_else(|| self.unnamed(kind), |process| Ok(Some(process)))? else {
            return Ok(());
        };
        let value = match (event.key, event.value) {
            (None, value) => value,
            (Some(key), value) => Some(Value::pair(key, value.unwrap_or_default())),
        };
        if kind == Kind::Invoke {
            let value = value.unwrap_or_default();
            let f = match &event.f {
                Some(f) => function(f),
                // Some of Elle's histories leave it out.
                None if is_transaction(&value) => Cow::Borrowed("txn"),
                None => return Err("`f` is missing; it names what was asked, such as read".to_owned()),
            };
            let purpose = if event.is_final { Purpose::FinalRead } else { Purpose::Load };
            return self.invoke(process, f, value, event.time, purpose);
        }
        if let (Some(open), Some(f)) = (self.open(process), &event.f)
            && open.f != **f
        {
            return Err(format!(
                "process {process} completes {}, but what it had invoked is a `{}`",
                excerpt(&Value::Text(Arc::clone(f))),
                open.f
            ));
        }
        let outcome = match kind {
            // Jepsen's completions repeat what the invocation said, but for what is new.
            Kind::Ok => Outcome::Returned(Completion::Ok(match (value, self.open(process)) {
                (None, Some(open)) => open.input.clone(),
                (value, _) => value.unwrap_or_default(),
            })),
            Kind::Fail
                if event.error.is_some_and(|error| matches!(&error, Value::Text(text) if &**text == "mismatch")) =>
            {
                Outcome::Returned(Completion::Mismatch)
            }
            Kind::Fail => Outcome::Refused,
            Kind::Info | Kind::Invoke => Outcome::Unknown,
        };
        let operation = self.close(process, outcome, event.time)?;
        if let Some(Value::Text(node)) = event.node {
            operation.node = Some((&*node).into());
        }
        if let Naming::Unnamed { completed } = &mut self.naming {
            *completed += 1;
        }
        Ok(())
    }

    /// The process of an event that names none; `None` if it is about no operation.
    fn unnamed(&mut self, kind: Kind) -> Result<Option<u64>, String> {
        let completed = match self.naming {
            Naming::Unnamed { completed } => completed,
            Naming::Unknown => 0,
            Naming::Named if kind == Kind::Info => return Ok(None),
            Naming::Named => return Err(MIXED.to_owned()),
        };
        match (kind, self.open.contains_key(&completed)) {
            (Kind::Info, false) => return Ok(None),
            (Kind::Invoke, true) => {
                return Err("no `process` is named, and the operation before has not completed: nobody can tell \
                            whose completion is whose; name the processes"
                    .to_owned());
            }
            (Kind::Invoke | Kind::Ok | Kind::Fail | Kind::Info, _) => {}
        }
        self.naming = Naming::Unnamed { completed };
        Ok(Some(completed))
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

    fn close(&mut self, process: u64, mut outcome: Outcome<Completion>, time: u64) -> Result<&mut Operation, String> {
        let mark = self.mark(time);
        let Some(open) = self.open.remove(&process) else {
            return Err(format!("process {process} completes an operation it never invoked"));
        };
        let operation = &mut self.history.operations[open];
        if let Outcome::Returned(Completion::Ok(returned)) = &mut outcome {
            share(returned, &operation.input);
        }
        operation.completed = Some(mark);
        operation.outcome = outcome;
        Ok(operation)
    }

    /// Everything put together; what is still open stays [`Outcome::Unknown`] with no completion.
    pub fn finish(self) -> History {
        self.history
    }
}

const MIXED: &str = "some events name a `process` and some do not; name it in all or in none";

/// `[[append, 4, 2], …]`
fn is_transaction(value: &Value) -> bool {
    match value {
        Value::List(items) => items.iter().all(|item| matches!(item, Value::List(_))),
        Value::Nil | Value::Int(_) | Value::Text(_) => false,
    }
}

/// Keeps once what a completion repeats of its invocation: all of it, or elements such as appends.
fn share(returned: &mut Value, input: &Value) {
    if returned == input {
        *returned = input.clone();
    } else if let (Value::List(items), Value::List(asked)) = (returned, input)
        && let Some(items) = Arc::get_mut(items)
    {
        items.iter_mut().zip(&asked[..]).filter(|(item, asked)| item == asked).for_each(|(item, asked)| {
            *item = asked.clone();
        });
    }
}
