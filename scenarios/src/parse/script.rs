//! `script`: the operations of a load, listed instead of drawn.
//!
//! A line is `c1 at 1.2s: write k3 17`. Its words stand apart by spaces; a value is a whole number, `nil`, a bare word, or
//! JSON where that is none of these: `"two words"`, `"17"`, `[1,2]`. A [`Line`] is written as it is read.

use crate::codes;
use crate::diagnostics::{Diagnostic, Origin};
use crate::systems::DataKind;
use crate::text::Problems;
use crate::text::entry::quoted;
use crate::text::quantity::did_you_mean;
use crate::text::range::exact_time;
use crate::text::reader::Reader;
use history::Value;
use history::figures::counted;
use sim_core::time::{Nanos, format_duration, parse_duration};
use sim_core::workload::Scripted;
use std::fmt;

/// As many keys as `keys` can count.
const KEYS_MAX: u32 = 1_000_000;

/// What a script has to fit.
pub(super) struct Frame<'a> {
    pub data: &'a DataKind,
    /// How many clients the load has.
    pub clients: u32,
    /// When it begins and ends.
    pub from: Nanos,
    pub until: Nanos,
}

/// All lines; `None` if one of them is broken.
pub(super) fn script(reader: &Reader<'_>, frame: &Frame<'_>, problems: &Problems) -> Option<Vec<Scripted>> {
    for key in ["model", "ops", "keys"].into_iter().filter(|key| reader.has(key)) {
        reader.tell(&codes::CONFLICT, key, format!("`{key}` says what is drawn, and a `script` says what is not"));
    }
    let lines = reader.texts("script");
    if lines.is_empty() {
        reader.tell(&codes::BAD_SCRIPT, "script", "nobody asks for anything; a load that does nothing can be left out");
    }
    let mut operations: Vec<Scripted> = Vec::new();
    let mut is_whole = true;
    for (text, origin) in &lines {
        let operation = problems.note(operation(text, origin, frame));
        let latest = operations.last().map_or(0, |last| last.at);
        is_whole &= operation.as_ref().is_some_and(|operation| operation.at >= latest);
        if let Some(operation) = operation {
            if operation.at < latest {
                let message = format!("{} is before the line above", format_duration(operation.at));
                let problem = Diagnostic::new(&codes::BAD_SCRIPT, origin, message);
                problems.push(problem.help("lines stand in the order of time"));
            }
            operations.push(operation);
        }
    }
    (is_whole && !operations.is_empty()).then_some(operations)
}

/// A line, before anybody asks whether it fits its load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The number of the client, from 0.
    pub client: u32,
    pub at: Nanos,
    pub function: String,
    /// For data with keys.
    pub key: Option<u32>,
    pub values: Vec<Value>,
}

impl Line {
    /// Reads a line; only data with keys is `keyed`.
    pub fn read(text: &str, keyed: bool) -> Result<Self, String> {
        let form = || format!("`{text}` does not say who asks for what and when, as `c1 at 1.2s: write k3 17` does");
        let (when, what) = text.split_once(':').ok_or_else(form)?;
        let &[client, "at", at] = when.split_whitespace().collect::<Vec<_>>().as_slice() else { return Err(form()) };
        let number = numbered('c', client).and_then(|number| number.checked_sub(1));
        let client = number.ok_or_else(|| format!("`{client}` is not a client; clients are called c1, c2, .."))?;
        let at = parse_duration(at)?;
        let (function, mut rest) = first_word(what.trim_start());
        let mut key = None;
        if keyed {
            let (word, values) = first_word(rest);
            (key, rest) = (Some(key_number(word)?), values);
        }
        Ok(Line { client, at, function: function.to_owned(), key, values: values(rest)? })
    }

    /// What is asked, without who and when: `write k3 17`.
    pub fn asks(&self) -> String {
        let key = self.key.map(|key| format!(" k{key}"));
        let values = self.values.iter().map(|value| format!(" {}", written(value)));
        key.into_iter().chain(values).fold(self.function.clone(), |asked, word| asked + &word)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{} at {}: {}", self.client + 1, exact_time(self.at), self.asks())
    }
}

/// A line as an operation of its load.
fn operation(text: &str, origin: &Origin, frame: &Frame<'_>) -> Result<Scripted, Diagnostic> {
    let bad = |message: String| Diagnostic::new(&codes::BAD_SCRIPT, origin, message);
    let Line { client, at, function: name, key, values: arguments } =
        Line::read(text, frame.data.keyed).map_err(bad)?;
    let names: Vec<&str> = frame.data.functions.iter().map(|function| function.name).collect();
    let function = names.iter().position(|known| *known == name).ok_or_else(|| {
        let message = format!("a `{}` has no `{name}`", frame.data.name);
        let problem = Diagnostic::new(&codes::UNKNOWN_FUNCTION, origin, message);
        problem.label(did_you_mean(&name, &names)).help(format!("it has {}", quoted(&names)))
    })?;
    fits(client, at, frame).map_err(bad)?;
    let takes = frame.data.functions[function].takes;
    if arguments.len() != takes.len() {
        let key = if frame.data.keyed { &["key"][..] } else { &[] };
        let words: String = key.iter().chain(takes).map(|word| format!(" <{word}>")).collect();
        let (takes, are) = (counted(takes.len() as u64, "value"), arguments.len());
        return Err(bad(format!("`{name}` takes {takes}, and here are {are}")).help(format!("write `{name}{words}`")));
    }
    Ok(Scripted { client, at, function, key: key.unwrap_or(0), arguments })
}

/// Whether the load has such a client, and lasts at this time.
fn fits(client: u32, at: Nanos, frame: &Frame<'_>) -> Result<(), String> {
    if client >= frame.clients {
        let has = match frame.clients {
            1 => "one client, c1".to_owned(),
            clients => format!("the clients c1 to c{clients}"),
        };
        return Err(format!("there is no `c{}` here: the load has {has}", client + 1));
    }
    if !(frame.from..frame.until).contains(&at) {
        let [at, from, until] = [at, frame.from, frame.until].map(format_duration);
        return Err(format!("{at} is outside the load, which lasts from {from} to {until}"));
    }
    Ok(())
}

/// The first word, and what follows it.
fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

fn key_number(text: &str) -> Result<u32, String> {
    match numbered('k', text) {
        Some(key) if key < KEYS_MAX => Ok(key),
        Some(_) => Err(format!("`{text}` is too many keys; the last is k{}", KEYS_MAX - 1)),
        None if text.is_empty() => Err("which key? they are called k0, k1, ..".to_owned()),
        None => Err(format!("`{text}` is not a key; keys are called k0, k1, ..")),
    }
}

/// `c12` is number 12; written in no other way.
fn numbered(letter: char, text: &str) -> Option<u32> {
    let number = text.strip_prefix(letter)?.parse::<u32>().ok()?;
    (text == format!("{letter}{number}")).then_some(number)
}

/// The values at the end of a line.
fn values(mut text: &str) -> Result<Vec<Value>, String> {
    let mut values = Vec::new();
    while let Some(first) = text.trim_start().chars().next() {
        if !['"', '['].contains(&first) {
            let (word, rest) = first_word(text);
            values.push(bare(word)?);
            text = rest;
            continue;
        }
        text = text.trim_start();
        let mut json = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        let value =
            json.next().and_then(Result::ok).ok_or_else(|| format!("`{text}` does not begin with a JSON value"))?;
        let rest = &text[json.byte_offset()..];
        if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
            return Err(format!("`{rest}` follows a value without a space"));
        }
        values.push(value);
        text = rest;
    }
    Ok(values)
}

/// A value without quotes: a number if it looks like one.
fn bare(word: &str) -> Result<Value, String> {
    if word == "nil" {
        return Ok(Value::Nil);
    }
    if !word.starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c)) {
        return Ok(Value::text(word));
    }
    match word.parse::<i64>() {
        Ok(number) if number.to_string() == word => Ok(Value::Int(number)),
        _ => Err(format!("`{word}` is not a whole number; if it is a text, write it as \"{word}\"")),
    }
}

/// A value as [`values`] reads it.
fn written(value: &Value) -> String {
    let plain = value.to_string();
    let is_one_word = !plain.starts_with(['"', '[']) && !plain.contains(|c: char| c.is_whitespace() || c.is_control());
    if is_one_word && !plain.is_empty() && bare(&plain).as_ref() == Ok(value) {
        return plain;
    }
    serde_json::to_string(value).expect("a value is plain data")
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::{Data, Kv, Register};

    const KV: DataKind = DataKind::object::<Kv>();
    const REGISTER: DataKind = DataKind::object::<Register>();

    fn read(text: &str, data: &DataKind) -> Result<Scripted, String> {
        let frame = Frame { data, clients: 2, from: 1_000_000_000, until: 3_000_000_000 };
        operation(text, &Origin::Whole, &frame).map_err(|problem| problem.message)
    }

    #[test]
    fn a_line_says_who_asks_for_what_and_when() {
        let cas = Scripted {
            client: 1,
            at: 1_400_000_000,
            function: 2,
            key: 3,
            arguments: vec![Value::Nil, Value::Int(-18)],
        };
        assert_eq!(read("c2 at 1.4s: cas k3 nil -18", &KV), Ok(cas.clone()));
        assert_eq!(read("  c2  at 1400ms :  cas  k3  nil  -18 ", &KV), Ok(cas));
        let on_register = read("c1 at 1s: write two", &REGISTER).unwrap();
        assert_eq!((on_register.key, on_register.arguments), (0, vec![Value::text("two")]));
        assert_eq!(read("c1 at 1s: read", &REGISTER).unwrap().arguments, []);
    }

    #[test]
    fn what_is_wrong_is_told_in_words() {
        for (text, told) in [
            ("c1 write k3 17", "does not say who asks"),
            ("c1 1.2s: write k3 17", "does not say who asks"),
            ("", "does not say who asks"),
            ("c3 at 1.2s: read k3", "the load has the clients c1 to c2"),
            ("c0 at 1.2s: read k3", "`c0` is not a client"),
            ("n1 at 1.2s: read k3", "`n1` is not a client"),
            ("c01 at 1.2s: read k3", "`c01` is not a client"),
            ("c1 at 1.2: read k3", "has no unit"),
            ("c1 at 0.9s: read k3", "900ms is outside the load, which lasts from 1s to 3s"),
            ("c1 at 3s: read k3", "3s is outside the load"),
            ("c1 at 2s: raed k3", "a `kv` has no `raed`"),
            ("c1 at 2s: read", "which key?"),
            ("c1 at 2s: read 3", "`3` is not a key"),
            ("c1 at 2s: read k1000000", "too many keys"),
            ("c1 at 2s: read k3 4", "`read` takes 0 values, and here are 1"),
            ("c1 at 2s: cas k3 4", "`cas` takes 2 values, and here are 1"),
            ("c1 at 2s: write k3 1.5", "`1.5` is not a whole number"),
            ("c1 at 2s: write k3 99999999999999999999", "is not a whole number"),
            ("c1 at 2s: write k3 \"a", "does not begin with a JSON value"),
            ("c1 at 2s: cas k3 \"a\"\"b\"", "without a space"),
        ] {
            let error = read(text, &KV).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let values = [
            Value::Nil,
            Value::Int(i64::MIN),
            Value::text("plain;"),
            Value::text("17"),
            Value::text("nil"),
            Value::text("two words"),
            Value::text(""),
            Value::text("a\"b\n"),
            Value::text("[1]"),
            Value::pair(1.into(), Value::text("x y")),
        ];
        for value in values {
            let (function, values) = ("write".to_owned(), vec![value]);
            let line = Line { client: 0, at: 1_234_567_891, function, key: Some(7), values };
            assert_eq!(Line::read(&line.to_string(), true), Ok(line.clone()), "{line}");
            assert_eq!(Kv::key_name(7), Value::text("k7"), "scripts call keys as histories do");
        }
    }
}
