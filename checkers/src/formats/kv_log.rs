//! Porcupine's logs of string stores: one map a line.
//!
//! ```text
//! {:process 9, :type :invoke, :f :append, :key "0", :value "x 0 1 y"}
//! {:process 9, :type :ok, :f :append, :key "0", :value "x 0 1 y"}
//! ```
//!
//! A key that was never written reads as the empty text. `:fail` did not happen; `:info` may have.

use history::jsonl::{Assembler, Malformed};
use history::{Completion, History, Outcome, Purpose, Value};
use std::borrow::Cow;

use crate::text::excerpt;

pub(super) fn looks_like(line: &str) -> bool {
    line.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with(':'))
}

pub(super) fn read(text: &str) -> Result<History, Malformed> {
    let mut assembler = Assembler::default();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let mut cursor = Cursor { line, at: 0 };
        let added = event(&mut cursor).and_then(|event| {
            cursor.at = 0;
            add(&mut assembler, event)
        });
        added.map_err(|message| Malformed { line: number, column: cursor.at + 1, message })?;
    }
    Ok(assembler.finish())
}

/// The fields of a line, as far as they are known yet.
#[derive(Default)]
struct Event {
    process: Option<Atom>,
    kind: Option<Atom>,
    f: Option<Atom>,
    key: Option<Atom>,
    value: Option<Atom>,
}

/// What may stand in a field.
enum Atom {
    Keyword(String),
    Value(Value),
}

fn add(assembler: &mut Assembler, event: Event) -> Result<(), String> {
    let process = match event.process {
        Some(Atom::Value(Value::Int(number))) => u64::try_from(number).ok(),
        Some(Atom::Value(_) | Atom::Keyword(_)) | None => None,
    };
    let process = process.ok_or("`:process` must be a number, such as `:process 9`")?;
    let kind = keyword(event.kind, ":type", "invoke")?;
    let f: Cow<'static, str> = match keyword(event.f, ":f", "append")?.as_str() {
        "get" => "get".into(),
        "put" => "put".into(),
        "append" => "append".into(),
        other => return Err(format!("expected `:f :get`, `:put` or `:append`, found {}", excerpt(other))),
    };
    let Some(Atom::Value(key)) = event.key else {
        return Err("`:key` is missing; a line names one, such as `:key \"0\"`".to_owned());
    };
    let value = match event.value {
        Some(Atom::Value(value)) => value,
        Some(Atom::Keyword(_)) | None => Value::Nil,
    };
    if kind == "invoke" {
        return assembler.invoke(process, f, Value::pair(key, value), 0, Purpose::Load);
    }
    if let Some(open) = assembler.open(process)
        && (open.f != f || open.input.as_pair().is_none_or(|(asked, _)| *asked != key))
    {
        return Err(format!(
            "process {process} completes a `{f}` of key {key}, but what it had invoked is a `{}` of {}",
            open.f, open.input
        ));
    }
    let outcome = match kind.as_str() {
        "ok" => Outcome::Returned(Completion::Ok(Value::pair(key, value))),
        "fail" => Outcome::Refused,
        "info" => Outcome::Unknown,
        other => {
            let found = excerpt(other);
            return Err(format!("expected `:type :invoke`, `:ok`, `:fail` or `:info`, found {found}"));
        }
    };
    assembler.complete(process, outcome, 0)
}

fn keyword(atom: Option<Atom>, field: &str, example: &str) -> Result<String, String> {
    match atom {
        Some(Atom::Keyword(word)) => Ok(word),
        Some(Atom::Value(_)) | None => Err(format!("`{field}` must be a keyword, such as `{field} :{example}`")),
    }
}

/// `{:name atom, …}`; commas are spaces.
fn event(cursor: &mut Cursor<'_>) -> Result<Event, String> {
    let mut event = Event::default();
    cursor.expect('{')?;
    loop {
        cursor.skip_space();
        if cursor.take('}') {
            break;
        }
        cursor.expect(':')?;
        let name = cursor.word();
        cursor.skip_space();
        let atom = Some(cursor.atom()?);
        match name {
            "process" => event.process = atom,
            "type" => event.kind = atom,
            "f" => event.f = atom,
            "key" => event.key = atom,
            "value" => event.value = atom,
            // Times, indexes and the like.
            _ => {}
        }
    }
    cursor.skip_space();
    match cursor.rest() {
        "" => Ok(event),
        rest => Err(format!("one event a line; after its `}}` stands {}", excerpt(rest))),
    }
}

struct Cursor<'a> {
    line: &'a str,
    /// In bytes, always between two characters.
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',').len();
    }

    fn take(&mut self, wanted: char) -> bool {
        let is_there = self.rest().starts_with(wanted);
        self.at += if is_there { wanted.len_utf8() } else { 0 };
        is_there
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        self.skip_space();
        match self.take(wanted) {
            true => Ok(()),
            false => Err(format!("expected `{wanted}`, found {}", self.found())),
        }
    }

    fn found(&self) -> String {
        match self.rest() {
            "" => "the end of the line; is the file cut off?".to_owned(),
            rest => excerpt(rest),
        }
    }

    /// Up to whatever cannot belong to a word.
    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let is_end = |c: char| c.is_whitespace() || matches!(c, ',' | '{' | '}' | '"' | '[' | ']' | '(' | ')');
        let word = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    fn atom(&mut self) -> Result<Atom, String> {
        let start = self.at;
        if self.take('"') {
            return self.text().map(|text| Atom::Value(Value::text(text)));
        }
        if self.take(':') {
            return Ok(Atom::Keyword(self.word().to_owned()));
        }
        let word = self.word();
        if word == "nil" {
            return Ok(Atom::Value(Value::Nil));
        }
        word.parse().map(|number| Atom::Value(Value::Int(number))).map_err(|_| {
            self.at = start;
            format!("expected a text in quotes, a keyword, a whole number or `nil`, found {}", self.found())
        })
    }

    /// What follows the opening quote, up to the closing one.
    fn text(&mut self) -> Result<String, String> {
        let start = self.at - 1;
        let mut text = String::new();
        let mut characters = self.rest().char_indices();
        while let Some((offset, c)) = characters.next() {
            match c {
                '"' => {
                    self.at += offset + 1;
                    return Ok(text);
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, c @ ('"' | '\\'))) => text.push(c),
                    _ => {
                        self.at += offset;
                        return Err(r#"expected one of \n, \t, \r, \", \\ "#.trim_end().to_owned());
                    }
                },
                c => text.push(c),
            }
        }
        self.at = start;
        Err("this text has no closing quote; is the file cut off?".to_owned())
    }
}
