//! Jepsen's own notation, EDN: the histories of Jepsen, Knossos, Elle and Maelstrom, and porcupine's kv logs.
//!
//! ```text
//! {:process 0, :type :invoke, :f :write, :value 3, :index 0, :time 205288853}
//! {:process 0, :type :ok, :f :write, :value 3, :index 1, :time 260364411, :node "n4"}
//! {:process :nemesis, :type :info, :f :start, :value [:isolated {"n1" #{"n2" "n3"}}]}
//! {:process 4, :type :invoke, :f :txn, :value [[:append 4 2] [:r 3 nil]]}
//! {:process 9, :type :invoke, :f :append, :key "0", :value "x 0 1 y"}
//! ```
//!
//! One map a line, or one list or vector of maps; commas are blanks. Keywords, symbols, characters, `true` and `false`
//! become texts; maps become lists of `[key, value]`, and sets lists, both sorted; tags are dropped. A `:key` is put
//! before the value.

use history::assembler::{Assembler, Event};
use history::input::Unreadable;
use history::{History, Value, Words};
use std::io::BufRead;

use super::forms::{DEPTH_MAX, Dialect, Forms};
use crate::text::excerpt;

pub(super) fn looks_like(line: &str) -> bool {
    let line = match line.strip_prefix(['[', '(']) {
        Some(rest) => rest.trim_start(),
        None => line,
    };
    // A record has its type before it: `#jepsen.history.Op{:index 0, …}`.
    let map = match line.strip_prefix('#') {
        Some(rest) => rest.trim_start_matches(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/')),
        None => line,
    };
    map.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with(':'))
}

/// Whether it is a line of a string store's log, which names a key and one of three functions.
pub(super) fn looks_like_kv_log(line: &str) -> bool {
    looks_like(line) && line.contains(":key ") && [":get", ":put", ":append"].iter().any(|f| line.contains(f))
}

pub(super) fn read(source: &mut dyn BufRead, lines_before: usize) -> Result<History, Unreadable> {
    let mut assembler = Assembler::default();
    let mut forms = Forms::new(source, lines_before, Dialect::Edn);
    while let Some(form) = forms.next()? {
        let mut cursor = Cursor { text: form.text, at: 0, depth: 0, flaw: None };
        let added = cursor.event(&mut assembler.words).and_then(|event| assembler.add(event));
        added.map_err(|wrong| form.wrong(wrong))?;
    }
    Ok(assembler.finish())
}

/// Where something is wrong, in bytes from 0, and what would be right.
type Wrong = (usize, String);

struct Cursor<'a> {
    text: &'a str,
    /// In bytes, always between two characters.
    at: usize,
    depth: usize,
    /// A number that we cannot hold. Where nobody needs it, it does no harm.
    flaw: Option<Wrong>,
}

impl<'a> Cursor<'a> {
    fn event(&mut self, words: &mut Words) -> Result<Event, Wrong> {
        words.abandon();
        self.take(b'{');
        let mut event = Event::default();
        loop {
            self.skip(words)?;
            if self.take(b'}') {
                return Ok(event);
            }
            let name = if self.take(b':') { Event::field(self.word()) } else { self.form(words).map(|_| None)? };
            self.skip(words)?;
            self.flaw = None;
            let start = self.at;
            let value = self.form(words)?;
            let Some(name) = name else { continue };
            event.set(name, value).map_err(|message| (start, message))?;
            match self.flaw.take() {
                Some(flaw) if !Event::may_be_flawed(name) => return Err(flaw),
                flaw if name == "value" => event.flaw = flaw,
                Some(_) | None => {}
            }
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> bool {
        let is_there = self.peek() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    /// Passes over blanks, comments and what `#_` discards.
    fn skip(&mut self, words: &mut Words) -> Result<(), Wrong> {
        let mut discarded = 0;
        loop {
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(byte) if byte.is_ascii_whitespace() => self.at += 1,
                Some(b';') => {
                    let rest = self.rest();
                    self.at += rest.find('\n').unwrap_or(rest.len());
                }
                Some(b'#') if self.rest().starts_with("#_") => {
                    self.at += 2;
                    discarded += 1;
                }
                _ if discarded > 0 => {
                    self.form(words)?;
                    discarded -= 1;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Up to whatever cannot belong to a word.
    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let is_end = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '{' | '}' | '[' | ']' | '(' | ')');
        let word = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    /// A value.
    fn form(&mut self, words: &mut Words) -> Result<Value, Wrong> {
        // Brackets have been counted, tags and discarded values have not.
        if self.depth > DEPTH_MAX {
            return Err((self.at, "this is nested too deep".to_owned()));
        }
        self.depth += 1;
        let value = self.shallow_form(words);
        self.depth -= 1;
        value
    }

    fn shallow_form(&mut self, words: &mut Words) -> Result<Value, Wrong> {
        let start = self.at;
        let Some(byte) = self.peek() else { return Err(self.unexpected()) };
        match byte {
            b'"' => self.string(words),
            b'[' | b'(' => {
                let begun = self.items(words, if byte == b'[' { b']' } else { b')' })?;
                Ok(words.list(begun))
            }
            b'{' => {
                let begun = self.items(words, b'}')?;
                if (words.begin() - begun) % 2 == 1 {
                    return Err((start, "this map has a key without a value".to_owned()));
                }
                Ok(words.map(begun))
            }
            b'#' if self.rest().starts_with("#{") => {
                self.at += 1;
                let begun = self.items(words, b'}')?;
                Ok(words.set(begun))
            }
            // Such as ##Inf and ##NaN.
            b'#' if self.rest().starts_with("##") => {
                let word = self.word();
                Ok(self.flawed(start, word))
            }
            b'#' => {
                self.word();
                self.skip(words)?;
                self.form(words)
            }
            b':' => {
                self.at += 1;
                Ok(words.text(self.word()))
            }
            b'\\' => {
                self.at += 1;
                // The character may be a bracket, or begin a name such as `newline`.
                let first = self.rest().chars().next().map_or(0, char::len_utf8);
                self.at += first;
                let rest = self.word();
                Ok(words.text(&self.text[self.at - rest.len() - first..self.at]))
            }
            b'}' | b']' | b')' => Err(self.unexpected()),
            _ => {
                let word = self.word();
                // A word has at least one character here, or nothing would ever end.
                if word.is_empty() {
                    return Err(self.unexpected());
                }
                Ok(self.atom(start, word, words))
            }
        }
    }

    /// What stands between brackets, pushed onto the words' list.
    fn items(&mut self, words: &mut Words, end: u8) -> Result<usize, Wrong> {
        self.at += 1;
        let begun = words.begin();
        loop {
            self.skip(words)?;
            if self.take(end) {
                return Ok(begun);
            }
            let item = self.form(words)?;
            words.push(item);
        }
    }

    fn atom(&mut self, start: usize, word: &str, words: &mut Words) -> Value {
        let digits = word.strip_prefix(['+', '-']).unwrap_or(word);
        if digits.starts_with(|c: char| c.is_ascii_digit()) {
            // Large numbers end in N.
            return match word.strip_suffix('N').unwrap_or(word).parse() {
                Ok(number) => Value::Int(number),
                Err(_) => self.flawed(start, word),
            };
        }
        if word == "nil" { Value::Nil } else { words.text(word) }
    }

    fn flawed(&mut self, start: usize, word: &str) -> Value {
        let message = format!("only whole numbers of 64 signed bits are known, found {}", excerpt(word));
        self.flaw.get_or_insert((start, message));
        Value::Nil
    }

    fn string(&mut self, words: &mut Words) -> Result<Value, Wrong> {
        self.at += 1;
        let start = self.at;
        let rest = self.rest();
        let plain = rest.find(['"', '\\']).unwrap_or(rest.len());
        if rest[plain..].starts_with('"') {
            self.at += plain + 1;
            return Ok(words.text(&rest[..plain]));
        }
        let mut text = String::new();
        let mut characters = rest.char_indices();
        while let Some((offset, c)) = characters.next() {
            let escaped = match c {
                '"' => {
                    self.at = start + offset + 1;
                    return Ok(words.text(&text));
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => Some('\n'),
                    Some((_, 't')) => Some('\t'),
                    Some((_, 'r')) => Some('\r'),
                    Some((_, 'b')) => Some('\u{8}'),
                    Some((_, 'f')) => Some('\u{c}'),
                    Some((_, c @ ('"' | '\\'))) => Some(c),
                    Some((_, 'u')) => {
                        let digits = rest.get(offset + 2..offset + 6);
                        // Half of a pair: what is beyond 16 bits is seldom written so.
                        characters.nth(3);
                        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                        code.map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
                    }
                    _ => None,
                },
                c => Some(c),
            };
            let wrong = || (start + offset, r#"expected one of \n, \t, \r, \b, \f, \", \\, \u0041"#.to_owned());
            text.push(escaped.ok_or_else(wrong)?);
        }
        Err((start - 1, "this text has no closing quote; is the file cut off?".to_owned()))
    }

    fn unexpected(&self) -> Wrong {
        let found = match self.rest() {
            "" => "the end of the file; is it cut off?".to_owned(),
            rest => excerpt(rest),
        };
        (self.at, format!("expected a value, found {found}"))
    }
}
