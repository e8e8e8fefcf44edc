//! From text to a tree of values that all know where they were written.
//!
//! The `toml` crate parses; its spanned tree is copied into [`Table`]s and [`Value`]s of our own, because a value may also
//! come from the command line (`--set`, see [`overrides`]) and must then say so. [`draws`] decides what a seed decides.
//! [`entry`] describes which keys a table takes, [`reader`] compares a table with that description, [`quantity`] knows how
//! values are written, and [`write`] writes them.

pub(crate) mod draws;
pub mod entry;
pub(crate) mod names;
pub(crate) mod overrides;
pub(crate) mod quantity;
pub(crate) mod range;
pub(crate) mod reader;
pub(crate) mod write;

use crate::codes;
use crate::diagnostics::{Diagnostic, Origin};
use std::cell::RefCell;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

/// Files beyond this are not scenarios. (TOML that is all errors takes about a second per 3 MB.)
pub const SIZE_MAX: usize = 1 << 20;

/// No scenario nests deeper: a fault in its list, its groups, a group, a target make five.
const DEPTH_MAX: usize = 12;

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub shape: Shape,
    pub origin: Origin,
}

#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Text(String),
    /// In decimal digits, perhaps with a sign; there is no limit to how many.
    Number(String),
    Fraction(String),
    Flag(bool),
    Date,
    List(Vec<Value>),
    Table(Table),
}

impl Value {
    /// What it is, for a message that says what it should be.
    pub fn noun(&self) -> &'static str {
        match &self.shape {
            Shape::Text(_) => "a text",
            Shape::Number(_) | Shape::Fraction(_) => "a number",
            Shape::Flag(_) => "`true` or `false`",
            Shape::Date => "a date",
            Shape::List(_) => "a list",
            Shape::Table(_) => "a table",
        }
    }
}

/// A table, its entries in the order of the file.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub entries: Vec<TableEntry>,
    /// Its header, or its braces.
    pub origin: Origin,
}

#[derive(Clone, Debug)]
pub(crate) struct TableEntry {
    pub key: String,
    pub key_origin: Origin,
    pub value: Value,
}

impl Table {
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value)
    }

    /// The text under this key, if it is one.
    pub fn text(&self, key: &str) -> Option<&str> {
        if let Shape::Text(text) = &self.get(key)?.shape { Some(text) } else { None }
    }
}

/// Where the walk over a scenario collects what it finds wrong.
#[derive(Debug, Default)]
pub(crate) struct Problems(RefCell<Vec<Diagnostic>>);

impl Problems {
    pub fn push(&self, diagnostic: Diagnostic) {
        self.0.borrow_mut().push(diagnostic);
    }

    /// The value, or nothing and one problem more.
    pub fn note<T>(&self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|diagnostic| self.push(diagnostic)).ok()
    }

    /// What has been found since this was last called.
    pub fn take(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.0.borrow_mut())
    }

    pub fn into_inner(self) -> Vec<Diagnostic> {
        self.0.into_inner()
    }
}

/// Reads TOML. The tree, or everything that is wrong with the syntax.
pub(crate) fn parse(source: &str) -> Result<Table, Vec<Diagnostic>> {
    if source.len() > SIZE_MAX {
        let size = format!("the file has {} bytes; a scenario has at most {SIZE_MAX}", source.len());
        return Err(vec![Diagnostic::new(&codes::TOO_LARGE, &Origin::Whole, size)]);
    }
    let (tree, errors) = DeTable::parse_recoverable(source);
    if !errors.is_empty() {
        return Err(syntax_errors(source, &errors));
    }
    let problems = Problems::default();
    let root = table(tree.get_ref(), Origin::Whole, 0, &Origin::File, &problems);
    let problems = problems.into_inner();
    if problems.is_empty() { Ok(root) } else { Err(problems) }
}

/// One diagnostic per line: a missing quote makes most of its line unreadable.
fn syntax_errors(source: &str, errors: &[toml::de::Error]) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut line_end = 0;
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        if !found.is_empty() && span.start <= line_end {
            continue;
        }
        line_end =
            source[..].get(span.start..).and_then(|rest| rest.find('\n')).map_or(source.len(), |at| span.start + at);
        let diagnostic = Diagnostic::new(&codes::SYNTAX, &Origin::File(span.clone()), error.message());
        found.push(match bare_text(source, span.start) {
            Some(text) => diagnostic.help(format!("texts stand in quotes: \"{text}\"")),
            None => diagnostic,
        });
    }
    found
}

/// The text after the `=` of the line around byte `at` that lacks its quotes, if that is what is wrong there.
fn bare_text(source: &str, at: usize) -> Option<&str> {
    let at = (0..=at.min(source.len())).rev().find(|&at| source.is_char_boundary(at))?;
    let start = source[..at].rfind('\n').map_or(0, |feed| feed + 1);
    let line = source[start..].lines().next()?;
    let (_, value) = line.split_once('=')?;
    let value = value.split('#').next()?.trim();
    let is_plain = |c: char| c.is_alphanumeric() || " .-_/%+:".contains(c);
    (!value.is_empty() && value.len() <= 80 && value.chars().all(is_plain)).then_some(value)
}

/// Where a value stands: in these bytes of the file, or all of it in one override.
type Locate<'a> = &'a dyn Fn(std::ops::Range<usize>) -> Origin;

fn table(from: &DeTable<'_>, origin: Origin, depth: usize, locate: Locate<'_>, problems: &Problems) -> Table {
    let mut entries: Vec<_> = from.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let entry = |(key, value): (&Spanned<_>, &Spanned<_>)| TableEntry {
        key: AsRef::<std::borrow::Cow<'_, str>>::as_ref(key).to_string(),
        key_origin: locate(key.span()),
        value: value_at(value, depth + 1, locate, problems),
    };
    Table { entries: entries.into_iter().map(entry).collect(), origin }
}

fn value_at(from: &Spanned<DeValue<'_>>, depth: usize, locate: Locate<'_>, problems: &Problems) -> Value {
    let origin = locate(from.span());
    if depth > DEPTH_MAX {
        problems.push(Diagnostic::new(&codes::TOO_DEEP, &origin, "nothing in a scenario nests this deep"));
        return Value { shape: Shape::List(Vec::new()), origin };
    }
    let shape = match from.get_ref() {
        DeValue::String(text) => Shape::Text(text.to_string()),
        DeValue::Integer(number) => Shape::Number(decimal(number)),
        DeValue::Float(number) => Shape::Fraction(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Shape::Flag(*flag),
        DeValue::Datetime(_) => Shape::Date,
        DeValue::Array(items) => {
            Shape::List(items.iter().map(|item| value_at(item, depth + 1, locate, problems)).collect())
        }
        DeValue::Table(inner) => Shape::Table(table(inner, origin.clone(), depth, locate, problems)),
    };
    Value { shape, origin }
}

/// The number in decimal digits; one too large for any key stays as the file writes it.
fn decimal(number: &DeInteger<'_>) -> String {
    match u64::from_str_radix(number.as_str(), number.radix()) {
        Ok(value) => value.to_string(),
        Err(_) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(source: &str) -> Vec<(&'static str, Option<(usize, usize)>)> {
        let found = parse(source).err().unwrap_or_default();
        found.iter().map(|d| (d.code, d.position(source))).collect()
    }

    #[test]
    fn entries_keep_the_order_of_the_file_and_know_their_place() {
        let root = parse("b = 0x10\n[a]\nd = [1.5, \"x\"]\n").unwrap();
        let keys: Vec<&str> = root.entries.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["b", "a"], "not by the alphabet");
        let b = root.get("b").unwrap();
        assert!(matches!(&b.shape, Shape::Number(digits) if digits == "16"), "numbers become decimal");
        assert_eq!(b.origin, Origin::File(4..8));
        let Shape::Table(a) = &root.get("a").unwrap().shape else { panic!("[a] is a table") };
        assert_eq!(a.origin, Origin::File(9..12), "a table stands where its header stands");
    }

    #[test]
    fn several_syntax_errors_are_told_at_once_and_quotes_are_offered() {
        let source = "duration = 60s\nname = \"x\"\nsettle = ten seconds\n";
        assert_eq!(errors(source), [("S0001", Some((1, 12))), ("S0001", Some((3, 10)))]);
        let found = parse(source).unwrap_err();
        assert_eq!(found[0].help.as_deref(), Some("texts stand in quotes: \"60s\""));
    }

    #[test]
    fn depth_and_size_are_bounded() {
        assert_eq!(errors(&format!("a = {}1{}", "[".repeat(40), "]".repeat(40)))[0].0, "S0003");
        assert_eq!(errors(&"x".repeat(SIZE_MAX + 1)), [("S0002", None)]);
    }

    /// The deepest tree that the parser lets through must not overflow the stack when it is dropped.
    #[test]
    fn the_deepest_tree_is_answered() {
        let key = vec!["a"; 79].join(".");
        let nested = format!("{key} = {}1{}", format!("{{ {key} = ").repeat(79), "}".repeat(79));
        assert!(errors(&nested).iter().all(|(code, _)| ["S0001", "S0003"].contains(code)));
    }
}
