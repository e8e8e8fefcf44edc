//! What is done to a tree of values while it is shrunk.

use crate::diagnostics::Origin;
use crate::text::range::exact_time;
use crate::text::{Shape, Table, TableEntry, Value};
use sim_core::time::{Nanos, parse_duration};

/// A value that no file holds yet.
pub(super) fn value(shape: Shape) -> Value {
    Value { shape, origin: Origin::Whole }
}

pub(super) fn text(text: impl Into<String>) -> Value {
    value(Shape::Text(text.into()))
}

pub(super) fn number(number: u64) -> Value {
    value(Shape::Number(number.to_string()))
}

pub(super) fn time(time: Nanos) -> Value {
    text(exact_time(time))
}

pub(super) fn texts(items: impl IntoIterator<Item = String>) -> Value {
    value(Shape::List(items.into_iter().map(text).collect()))
}

/// The time that this value says, if it is one.
pub(super) fn as_time(value: &Value) -> Option<Nanos> {
    match &value.shape {
        Shape::Text(text) => parse_duration(text).ok(),
        Shape::Number(_) | Shape::Fraction(_) | Shape::Flag(_) | Shape::Date | Shape::List(_) | Shape::Table(_) => None,
    }
}

pub(super) fn as_count(value: &Value) -> Option<u64> {
    if let Shape::Number(digits) = &value.shape { digits.parse().ok() } else { None }
}

impl Table {
    /// Sets a key; a new one stands at the end.
    pub(super) fn put(&mut self, key: &str, value: Value) {
        match self.get_mut(key) {
            Some(old) => *old = value,
            None => self.entries.push(TableEntry { key: key.to_owned(), key_origin: Origin::Whole, value }),
        }
    }

    pub(super) fn take_out(&mut self, keys: &[&str]) {
        self.entries.retain(|entry| !keys.contains(&entry.key.as_str()));
    }

    /// The tables of a list of tables.
    pub(super) fn tables(&self, key: &str) -> Vec<Table> {
        let Some(Shape::List(items)) = self.get(key).map(|value| &value.shape) else { return Vec::new() };
        let table = |item: &Value| if let Shape::Table(table) = &item.shape { Some(table.clone()) } else { None };
        items.iter().filter_map(table).collect()
    }

    /// Sets a list of tables; an empty one is left out.
    pub(super) fn put_tables(&mut self, key: &str, tables: Vec<Table>) {
        if tables.is_empty() {
            return self.take_out(&[key]);
        }
        self.put(key, value(Shape::List(tables.into_iter().map(|table| value(Shape::Table(table))).collect())));
    }

    /// The table under a key, made if need be.
    pub(super) fn inner(&mut self, key: &str) -> &mut Table {
        let is_table = |value: &Value| matches!(value.shape, Shape::Table(_));
        if !self.get(key).is_some_and(is_table) {
            self.put(key, value(Shape::Table(Table { entries: Vec::new(), origin: Origin::Whole })));
        }
        let Some(Shape::Table(table)) = self.get_mut(key).map(|value| &mut value.shape) else {
            panic!("there is a table now")
        };
        table
    }

    /// The texts of a list of texts.
    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        let Some(Shape::List(items)) = self.get(key).map(|value| &value.shape) else { return Vec::new() };
        let text = |item: &Value| if let Shape::Text(text) = &item.shape { Some(text.clone()) } else { None };
        items.iter().filter_map(text).collect()
    }
}

/// The way to a value: which entry of a table or element of a list, one after the other.
pub(super) type Path = Vec<usize>;

/// The paths to all values below the top, with the keys and numbers that lead there, in the order of the file.
pub(super) fn paths(root: &Table) -> Vec<(Path, Vec<String>)> {
    fn walk(value: &Value, path: &mut Path, steps: &mut Vec<String>, found: &mut Vec<(Path, Vec<String>)>) {
        found.push((path.clone(), steps.clone()));
        let mut inner = |i: usize, step: String, value: &Value| {
            path.push(i);
            steps.push(step);
            walk(value, path, steps, found);
            steps.pop();
            path.pop();
        };
        match &value.shape {
            Shape::Table(table) => {
                table.entries.iter().enumerate().for_each(|(i, entry)| inner(i, entry.key.clone(), &entry.value));
            }
            Shape::List(items) => items.iter().enumerate().for_each(|(i, item)| inner(i, i.to_string(), item)),
            Shape::Text(_) | Shape::Number(_) | Shape::Fraction(_) | Shape::Flag(_) | Shape::Date => {}
        }
    }
    let mut found = Vec::new();
    for (i, entry) in root.entries.iter().enumerate() {
        walk(&entry.value, &mut vec![i], &mut vec![entry.key.clone()], &mut found);
    }
    found
}

/// The value at a path.
pub(super) fn at<'a>(root: &'a mut Table, path: &[usize]) -> Option<&'a mut Value> {
    let (first, rest) = path.split_first()?;
    let mut value = &mut root.entries.get_mut(*first)?.value;
    for step in rest {
        value = match &mut value.shape {
            Shape::Table(table) => &mut table.entries.get_mut(*step)?.value,
            Shape::List(items) => items.get_mut(*step)?,
            Shape::Text(_) | Shape::Number(_) | Shape::Fraction(_) | Shape::Flag(_) | Shape::Date => return None,
        };
    }
    Some(value)
}

/// The tree without the value at a path; `None` if nothing would be left of its list or table.
pub(super) fn without(root: &Table, path: &[usize]) -> Option<Table> {
    let mut root = root.clone();
    let (last, before) = path.split_last()?;
    if before.is_empty() {
        root.entries.remove(*last);
        return Some(root);
    }
    let around = &mut at(&mut root, before)?.shape;
    if let Shape::Table(table) = around {
        table.entries.remove(*last);
        return (!table.entries.is_empty()).then_some(root);
    }
    let Shape::List(items) = around else { return None };
    items.remove(*last);
    (!items.is_empty()).then_some(root)
}
