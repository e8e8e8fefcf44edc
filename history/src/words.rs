//! Values as they are read: what repeats is kept once.
//!
//! A history of a million operations on fifty keys names each key twenty thousand times. Every text, and every short
//! list that ends in nil (what a read asks for), is looked up among those seen lately; so a record takes little more
//! room than its numbers. The tables have a fixed size: what is not found in its only place takes that place.

use crate::Value;
use std::fmt;
use std::sync::Arc;

/// Places in each table.
const PLACES: usize = 4096;

/// Texts that are longer seldom repeat.
const TEXT_MAX: usize = 64;

/// Makes values out of what a reader meets.
#[derive(Default)]
pub struct Words {
    texts: Vec<Option<Arc<str>>>,
    lists: Vec<Option<Arc<[Value]>>>,
    /// The elements of the lists that are still open, the innermost last.
    open: Vec<Value>,
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words").finish_non_exhaustive()
    }
}

impl Words {
    /// A text.
    pub fn text(&mut self, text: &str) -> Value {
        if text.len() > TEXT_MAX {
            return Value::text(text);
        }
        let place = place(&mut self.texts, text_hash(text));
        match place {
            Some(known) if **known == *text => Value::Text(Arc::clone(known)),
            Some(_) | None => Value::Text(Arc::clone(place.insert(text.into()))),
        }
    }

    /// Begins a list; what this returns is what ends it.
    pub fn begin(&mut self) -> usize {
        self.open.len()
    }

    /// The next element of the innermost list.
    pub fn push(&mut self, item: Value) {
        self.open.push(item);
    }

    /// Ends the list begun at `start`.
    pub fn list(&mut self, start: usize) -> Value {
        let Some(hash) = unread_hash(&self.open[start..]) else {
            return Value::List(self.open.drain(start..).collect());
        };
        let place = place(&mut self.lists, hash);
        if let Some(known) = place
            && known[..] == self.open[start..]
        {
            self.open.truncate(start);
            return Value::List(Arc::clone(known));
        }
        Value::List(Arc::clone(place.insert(self.open.drain(start..).collect())))
    }

    /// Ends the map begun at `start`, whose keys and values were pushed in turns: a list of `[key, value]`, by key.
    pub fn map(&mut self, start: usize) -> Value {
        let mut pairs: Vec<Value> = Vec::with_capacity((self.open.len() - start) / 2);
        let mut items = self.open.drain(start..);
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            pairs.push(Value::pair(key, value));
        }
        drop(items);
        pairs.sort();
        Value::List(pairs.into())
    }

    /// Ends the set begun at `start`: a list of its elements, smallest first.
    pub fn set(&mut self, start: usize) -> Value {
        self.open[start..].sort();
        Value::List(self.open.drain(start..).collect())
    }

    /// Forgets lists that were begun and never ended, after an error.
    pub fn abandon(&mut self) {
        self.open.clear();
    }
}

fn place<T: Clone>(table: &mut Vec<Option<T>>, hash: u64) -> &mut Option<T> {
    if table.is_empty() {
        table.resize(PLACES, None);
    }
    &mut table[(hash >> 32) as usize % PLACES]
}

/// Of a list such as a read asks for: short, flat, nil at its end.
fn unread_hash(items: &[Value]) -> Option<u64> {
    let [first @ .., Value::Nil] = items else { return None };
    if first.len() > 2 {
        return None;
    }
    first.iter().try_fold(1, |hash, item| match item {
        Value::Nil => Some(mixed(hash, 2)),
        Value::Int(number) => Some(mixed(hash, number.cast_unsigned())),
        Value::Text(text) => Some(mixed(hash, text_hash(text))),
        Value::List(_) => None,
    })
}

fn text_hash(text: &str) -> u64 {
    let mut hash = text.len() as u64;
    for chunk in text.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = mixed(hash, u64::from_le_bytes(word));
    }
    hash
}

fn mixed(hash: u64, word: u64) -> u64 {
    let hash = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_same(one: &Value, other: &Value) -> bool {
        match (one, other) {
            (Value::Text(one), Value::Text(other)) => Arc::ptr_eq(one, other),
            (Value::List(one), Value::List(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    fn list(words: &mut Words, items: &[Value]) -> Value {
        let start = words.begin();
        items.iter().for_each(|item| words.push(item.clone()));
        words.list(start)
    }

    #[test]
    fn what_repeats_is_kept_once() {
        let mut words = Words::default();
        let key = words.text("k7");
        assert!(is_same(&key, &words.text("k7")));
        let read = list(&mut words, &[key.clone(), Value::Nil]);
        assert!(is_same(&read, &list(&mut words, &[key.clone(), Value::Nil])));
        assert_eq!(list(&mut words, &[key.clone(), 1.into()]), Value::pair(key, 1.into()));
        let long = "é".repeat(TEXT_MAX);
        assert_eq!(words.text(&long), Value::text(&long));
    }

    #[test]
    fn many_words_in_few_places_stay_apart() {
        let mut words = Words::default();
        for n in (0..20_000_i64).chain(0..20_000) {
            let text = words.text(&n.to_string());
            assert_eq!(text, Value::text(n.to_string()));
            assert_eq!(list(&mut words, &[n.into(), Value::Nil]), Value::pair(n.into(), Value::Nil));
            assert_eq!(list(&mut words, &[text.clone(), Value::Nil]), Value::pair(text, Value::Nil));
        }
    }

    #[test]
    fn maps_and_sets_are_sorted() {
        let mut words = Words::default();
        let start = words.begin();
        for n in [3, 30, 1, 10] {
            words.push(n.into());
        }
        let map = words.map(start);
        assert_eq!(map.to_string(), "[[1 10] [3 30]]");
        for n in [3, 1, 2] {
            words.push(n.into());
        }
        assert_eq!(words.set(start).to_string(), "[1 2 3]");
    }
}
