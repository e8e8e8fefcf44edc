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
//!
//! `docs/history.md` tells it at length, with what every model's operations look like; [`SCHEMA`] tells it to machines.

use crate::assembler::{Assembler, Event};
use crate::input::{Lines, Malformed, Unreadable};
use crate::operation::{Completion, History, Mark, Outcome, Purpose};
use crate::{Value, Words};
use serde::Serialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::io::BufRead;

/// A JSON Schema of a line, draft 7.
pub const SCHEMA: &str = include_str!("../../docs/history.schema.json");

#[derive(Serialize)]
struct Line<'a> {
    index: u64,
    time: u64,
    process: u64,
    #[serde(rename = "type")]
    kind: &'a str,
    f: &'a str,
    value: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(rename = "final", skip_serializing_if = "std::ops::Not::not")]
    final_read: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a str>,
}

/// Reads a history from JSON Lines that are held as a whole.
///
/// # Errors
/// The first bad line, with the column and what would be right.
pub fn read(text: &str) -> Result<History, Malformed> {
    read_from(&mut text.as_bytes(), 0).map_err(|unreadable| match unreadable {
        Unreadable::Malformed(malformed) => malformed,
        Unreadable::Source(error) => unreachable!("a text in memory can be read: {error}"),
    })
}

/// Reads a history from JSON Lines, of which `lines_before` have been read already. One line is held at a time.
///
/// # Errors
/// The first bad line, with the column and what would be right; or that the source failed.
pub fn read_from(source: &mut dyn BufRead, lines_before: usize) -> Result<History, Unreadable> {
    let mut assembler = Assembler::default();
    Lines::new(source, lines_before).each(|line| add(line, &mut assembler))?;
    Ok(assembler.finish())
}

/// Reads one event, a JSON object in the Jepsen shape. What it has beyond the fields we know is skipped.
///
/// # Errors
/// Where, in bytes from 0, and what would be right.
pub fn add(text: &str, assembler: &mut Assembler) -> Result<(), (usize, String)> {
    let event = event(text, &mut assembler.words, false)?;
    if event.relevant_flaw().is_some() {
        // Read anew, sternly, so that JSON's own error says where the flaw is.
        self::event(text, &mut assembler.words, true)?;
    }
    assembler.add(event)
}

fn event(text: &str, words: &mut Words, is_stern: bool) -> Result<Event, (usize, String)> {
    words.abandon();
    let mut json = serde_json::Deserializer::from_str(text);
    let event = EventSeed { words, is_stern }.deserialize(&mut json);
    event.and_then(|event| json.end().map(|()| event)).map_err(|e| (offset(text, &e), without_position(&e)))
}

/// Where an error is, in bytes from 0.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    (before + error.column()).saturating_sub(1)
}

/// serde_json ends its messages with " at line 1 column 5"; the position is reported separately.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

struct EventSeed<'w> {
    words: &'w mut Words,
    is_stern: bool,
}

impl<'de> DeserializeSeed<'de> for EventSeed<'_> {
    type Value = Event;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Event, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EventSeed<'_> {
    type Value = Event;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"an event such as {"process":0,"type":"invoke","f":"read","value":null}"#)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Event, A::Error> {
        let mut event = Event::default();
        while let Some(name) = map.next_key_seed(Name)? {
            let Some(name) = name else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let mut flaw = None;
            let is_stern = !Event::may_be_flawed(name) || (self.is_stern && name == "value");
            let value = map.next_value_seed(ValueSeed { words: self.words, flaw: &mut flaw, is_stern })?;
            event.set(name, value).map_err(de::Error::custom)?;
            if name == "value" {
                event.flaw = flaw.map(|message| (0, message));
            }
        }
        Ok(event)
    }
}

/// The name of a field, if it means anything.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Event::field(name))
    }
}

/// A value, made with shared words. A number that is not whole, or too large, is a flaw, and nil in its place: where nobody
/// needs the value, it does no harm.
struct ValueSeed<'w> {
    words: &'w mut Words,
    flaw: &'w mut Option<String>,
    /// Whether a flaw is an error.
    is_stern: bool,
}

impl ValueSeed<'_> {
    fn again(&mut self) -> ValueSeed<'_> {
        ValueSeed { words: self.words, flaw: self.flaw, is_stern: self.is_stern }
    }

    fn flawed<E: de::Error>(self, message: String) -> Result<Value, E> {
        if self.is_stern {
            return Err(E::custom(message));
        }
        self.flaw.get_or_insert(message);
        Ok(Value::Nil)
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, a whole number, a text, or a list or object of these")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_bool<E: de::Error>(self, is_so: bool) -> Result<Value, E> {
        Ok(self.words.text(if is_so { "true" } else { "false" }))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        match i64::try_from(number) {
            Ok(number) => Ok(Value::Int(number)),
            Err(_) => self.flawed(format!("{number} does not fit 64 signed bits")),
        }
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        self.flawed(format!("only whole numbers of 64 signed bits are known, found {number:?}"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(self.words.text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Value, A::Error> {
        let start = self.words.begin();
        while let Some(item) = seq.next_element_seed(self.again())? {
            self.words.push(item);
        }
        Ok(self.words.list(start))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Value, A::Error> {
        let start = self.words.begin();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            // JSON has no other keys than texts, and accounts have numbers.
            let key = key.parse().map_or_else(|_| self.words.text(&key), Value::Int);
            self.words.push(key);
            let value = map.next_value_seed(self.again())?;
            self.words.push(value);
        }
        Ok(self.words.map(start))
    }
}

/// Writes a history as JSON Lines, in the order of its marks.
pub fn write(history: &History) -> String {
    let mut events: Vec<(Mark, Line)> = Vec::with_capacity(history.len() * 2);
    for op in &history.operations {
        let line = |mark: Mark, kind, value, error| {
            let final_read = op.purpose == Purpose::FinalRead;
            let line = Line {
                index: 0,
                time: mark.time,
                process: op.process,
                kind,
                f: &op.f,
                value,
                error,
                final_read,
                node: op.node.as_deref().filter(|_| kind != "invoke"),
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
    fn the_schema_knows_the_fields() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
        let properties = schema["properties"].as_object().expect("it has properties");
        let mut fields: Vec<&str> =
            Event::FIELDS.into_iter().chain(["index"]).filter(|field| *field != "key").collect();
        fields.sort_unstable();
        assert_eq!(properties.keys().collect::<Vec<_>>(), fields);
    }

    #[test]
    fn the_examples_of_the_manual_read_back_the_same() {
        let manual = include_str!("../../docs/history.md");
        let examples: Vec<&str> =
            manual.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(examples.len() > 5);
        for example in examples {
            let history = read(example).unwrap_or_else(|malformed| panic!("{malformed}:\n{example}"));
            assert_eq!(read(&write(&history)), Ok(history));
        }
    }

    #[test]
    fn what_a_bystander_does_and_nobody_needs_is_skipped() {
        let history = read(
            r#"{"process":"nemesis","type":"info","f":"cut","value":{"n1":0.5}}
{"process":1,"type":"invoke","f":"read","other":[1.5,{"x":null}],"time":1.5}
{"process":1,"type":"info","f":"read","value":1e300,"error":["timeout",3]}
"#,
        );
        let [read] = &history.expect("well formed").operations[..] else { panic!("one operation") };
        assert_eq!((read.invoked.time, &read.outcome), (0, &Outcome::Unknown));
    }

    #[test]
    fn what_a_completion_repeats_is_kept_once() {
        let history = read(
            r#"{"process":0,"type":"invoke","f":"txn","value":[["append","x",1],["r","x",null]]}
{"process":0,"type":"ok","f":"txn","value":[["append","x",1],["r","x",[1]]]}
{"process":0,"type":"invoke","f":"write","value":["x",1]}
{"process":0,"type":"ok","f":"write","value":["x",1]}
"#,
        )
        .expect("well formed");
        let list = |value: &Value| match value {
            Value::List(items) => std::sync::Arc::clone(items),
            Value::Nil | Value::Int(_) | Value::Text(_) => panic!("a list"),
        };
        let [txn, write] = &history.operations[..] else { panic!("two operations") };
        let returned = |operation: &crate::Operation| match &operation.outcome {
            Outcome::Returned(Completion::Ok(value)) => list(value),
            Outcome::Returned(Completion::Mismatch) | Outcome::Refused | Outcome::Unknown => panic!("it worked"),
        };
        assert!(std::sync::Arc::ptr_eq(&list(&write.input), &returned(write)));
        assert!(std::sync::Arc::ptr_eq(&list(&list(&txn.input)[0]), &list(&returned(txn)[0])));
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
