//! A history of registers in a few numbers an operation.

use hashbrown::HashTable;
use history::{Completion, Operation, Outcome, Register, Value};
use std::hash::{Hash, Hasher};

use crate::hash::Mixer;
use crate::model::read;
use crate::{Model, Unfit};

/// No number.
pub(super) const NONE: u32 = u32::MAX;

/// A position later than all: of what has no end, or was never begun.
pub(super) const NEVER: u64 = u64::MAX;

/// An operation that may have met or made something. Positions are those of the record plus one, so that what objects
/// hold at first can have been there before.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub invoked: u64,
    /// [`NEVER`] if its outcome is unknown.
    pub completed: u64,
    pub act: Act,
    /// Its number in the history.
    pub number: u32,
}

/// What an operation did, by the numbers of clusters.
#[derive(Clone, Copy)]
pub(super) enum Act {
    Met(u32),
    Made(u32),
    /// It met the first and made the second.
    Turned(u32, u32),
    /// It met anything but this.
    Missed(u32),
}

impl Row {
    /// Gives its clusters their numbers among those of one key; false if they are of another, which have none.
    pub fn renumber(&mut self, numbers: &[u32]) -> bool {
        let renumber = |cluster: &mut u32| *cluster = numbers[*cluster as usize];
        match &mut self.act {
            Act::Met(value) | Act::Made(value) | Act::Missed(value) => renumber(value),
            Act::Turned(from, to) => {
                renumber(from);
                renumber(to);
            }
        }
        self.cluster() != NONE
    }

    /// The cluster of what it met or made.
    fn cluster(&self) -> u32 {
        match self.act {
            Act::Met(value) | Act::Made(value) | Act::Turned(_, value) | Act::Missed(value) => value,
        }
    }
}

/// What is known of an object.
pub(super) struct Key<'h> {
    /// `None` if the model has no keys.
    pub name: Option<&'h Value>,
    /// The cluster of what it holds at first.
    pub first: u32,
    /// Whether clusters can tell all about it.
    pub is_plain: bool,
    pub has_mismatches: bool,
}

/// A value at a key. Each has a cluster, and so has each operation that made a value again.
#[derive(Clone, Copy)]
pub(super) struct Named<'h> {
    pub value: &'h Value,
    pub key: u32,
    is_made: bool,
    /// Whether several have made it, so that nobody can tell which of them was met.
    pub is_made_again: bool,
    /// Whether somebody found another value than this.
    pub is_missed: bool,
}

/// Turns operations into rows, and gives keys and values their numbers.
pub(super) struct Reader<'h> {
    model: Model,
    start: &'h Value,
    pub keys: Vec<Key<'h>>,
    key_numbers: HashTable<u32>,
    /// The key last asked for.
    last: u32,
    /// By cluster.
    pub named: Vec<Named<'h>>,
    clusters: HashTable<u32>,
}

impl<'h> Reader<'h> {
    /// For about so many operations on objects that hold `start` at first.
    pub fn new(count: usize, model: Model, start: &'h Value) -> Self {
        // Half of the operations writing is common; memory that is never touched costs nothing.
        let values = count / 2;
        Reader {
            model,
            start,
            keys: Vec::new(),
            key_numbers: HashTable::new(),
            last: 0,
            named: Vec::with_capacity(values),
            clusters: HashTable::with_capacity(values),
        }
    }

    /// The row of an operation, if it tells anything.
    ///
    /// # Errors
    /// If it is none of the model's.
    pub fn read(&mut self, number: usize, source: &'h Operation) -> Result<Option<Row>, Unfit> {
        let deed = deed(source, self.model);
        let name = match deed {
            Some((name, _)) => name,
            None => read::<Register>(number, source, self.model)?.0,
        };
        let key = self.key(name);
        let known = &mut self.keys[key as usize];
        known.is_plain &= deed.is_some();
        let Some((_, deed)) = deed else { return Ok(None) };
        let act = match deed {
            Deed::Nothing => return Ok(None),
            Deed::Met(value) => Act::Met(self.met(key, value)),
            Deed::Made(value) => Act::Made(self.made(key, value)),
            Deed::Turned(from, to) => Act::Turned(self.met(key, from), self.made(key, to)),
            Deed::Missed(value) => {
                known.has_mismatches = true;
                let cluster = self.met(key, value);
                self.named[cluster as usize].is_missed = true;
                Act::Missed(cluster)
            }
        };
        let is_known = matches!(source.outcome, Outcome::Returned(_));
        let completed = source.completed.filter(|_| is_known).map_or(NEVER, |mark| mark.index + 1);
        let number = u32::try_from(number).expect("fewer than 2^32 operations: each takes 100 bytes");
        Ok(Some(Row { invoked: source.invoked.index + 1, completed, act, number }))
    }

    fn key(&mut self, name: Option<&'h Value>) -> u32 {
        // Few keys are common, and then the next operation is often on the same one.
        if self.keys.get(self.last as usize).is_none_or(|last| last.name != name) {
            self.last = self.find_key(name);
        }
        self.last
    }

    fn find_key(&mut self, name: Option<&'h Value>) -> u32 {
        let hash = hash(&name);
        if let Some(key) = self.key_numbers.find(hash, |key| self.keys[*key as usize].name == name) {
            return *key;
        }
        let key = self.keys.len() as u32;
        self.keys.push(Key { name, first: self.named.len() as u32, is_plain: true, has_mismatches: false });
        let keys = &self.keys;
        self.key_numbers.insert_unique(hash, key, |key| self::hash(&keys[*key as usize].name));
        self.made(key, self.start);
        key
    }

    /// The cluster of a value.
    fn met(&mut self, key: u32, value: &'h Value) -> u32 {
        let named = &self.named;
        let is_it = |cluster: &u32| named[*cluster as usize].key == key && named[*cluster as usize].value == value;
        let hash = hash_of_value(key, value);
        if let Some(cluster) = self.clusters.find(hash, is_it) {
            return *cluster;
        }
        let cluster = self.add(key, value);
        let named = &self.named;
        self.clusters.insert_unique(hash, cluster, |cluster| {
            let Named { key, value, .. } = named[*cluster as usize];
            hash_of_value(key, value)
        });
        cluster
    }

    /// The cluster of a value that somebody made: its own, or a new one if somebody else has made it, too.
    fn made(&mut self, key: u32, value: &'h Value) -> u32 {
        let cluster = self.met(key, value);
        let named = &mut self.named[cluster as usize];
        if std::mem::replace(&mut named.is_made, true) {
            named.is_made_again = true;
            return self.add(key, value);
        }
        cluster
    }

    fn add(&mut self, key: u32, value: &'h Value) -> u32 {
        self.named.push(Named { value, key, is_made: false, is_made_again: false, is_missed: false });
        u32::try_from(self.named.len() - 1).expect("fewer than 2^32 operations: each takes 100 bytes")
    }
}

/// Numbers that follow each other are mostly met together: sixteen of them share a line of the cache.
fn hash_of_value(key: u32, value: &Value) -> u64 {
    match value {
        Value::Int(number) => {
            let place = number.cast_unsigned() % 16;
            // The highest bits tell neighbours apart, the lowest say where to look first.
            (hash(&(key, number >> 4)) & !15 | place) ^ place << 57
        }
        Value::Nil | Value::Text(_) | Value::List(_) => hash(&(key, value)),
    }
}

fn hash(what: &impl Hash) -> u64 {
    let mut mixer = Mixer::default();
    what.hash(&mut mixer);
    mixer.finish()
}

/// What an operation did to its register.
enum Deed<'h> {
    /// Nothing that anybody could tell.
    Nothing,
    Met(&'h Value),
    Made(&'h Value),
    Turned(&'h Value, &'h Value),
    Missed(&'h Value),
}

/// Whether it returned before it was asked, or nobody knows when.
fn is_amiss(source: &Operation) -> bool {
    source.completed.is_none_or(|mark| mark.index < source.invoked.index)
}

/// The key and the deed, if it is an everyday operation at everyday positions. What is not may still be one of the
/// model's.
fn deed(source: &Operation, model: Model) -> Option<(Option<&Value>, Deed<'_>)> {
    let (key, argument) = if model.is_keyed() {
        let (key, argument) = source.input.as_pair()?;
        (Some(key), argument)
    } else {
        (None, &source.input)
    };
    let returned = match &source.outcome {
        Outcome::Returned(_) if is_amiss(source) => return None,
        Outcome::Returned(Completion::Ok(value)) if model.is_keyed() => {
            let (same, value) = value.as_pair()?;
            Some(Some((Some(same) == key).then_some(value)?))
        }
        Outcome::Returned(Completion::Ok(value)) => Some(Some(value)),
        Outcome::Returned(Completion::Mismatch) => Some(None),
        Outcome::Refused | Outcome::Unknown => None,
    };
    // One more must fit behind every position.
    if source.completed.unwrap_or(source.invoked).index >= NEVER - 2 || source.invoked.index >= NEVER - 2 {
        return None;
    }
    let deed = match (&*source.f, returned) {
        ("read" | "get", _) if matches!(argument.as_pair(), Some((_, Value::Nil))) => return None,
        ("read" | "get", Some(value)) => Deed::Met(value?),
        ("write" | "put", Some(None)) => return None,
        ("write" | "put", Some(Some(_))) => Deed::Made(argument),
        ("cas", _) => {
            let (from, to) = argument.as_pair()?;
            match returned {
                Some(None) => Deed::Missed(from),
                Some(Some(_)) => Deed::Turned(from, to),
                None if source.outcome == Outcome::Refused => Deed::Nothing,
                None => Deed::Turned(from, to),
            }
        }
        ("read" | "get", None) => Deed::Nothing,
        ("write" | "put", None) if source.outcome == Outcome::Refused => Deed::Nothing,
        ("write" | "put", None) => Deed::Made(argument),
        _ => return None,
    };
    Some((key, deed))
}
