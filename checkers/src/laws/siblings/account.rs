//! What a history of siblings, or of carts, says of each key: which values there were, and which of them replaced which.

use hashbrown::HashMap;
use history::{Completion, History, Operation, Outcome, Purpose, Value};
use std::hash::BuildHasherDefault;

use crate::evidence::Violation;
use crate::hash::Mixer;
use crate::model::in_order;
use crate::{Model, Unfit};
use history::figures::shown;

type Table<K, V> = HashMap<K, V, BuildHasherDefault<Mixer>>;

/// Never.
const NEVER: u64 = u64::MAX;

/// All that was done with one key.
pub(super) struct Key<'h> {
    pub name: &'h Value,
    /// In the order of their invocations.
    pub deeds: Vec<Deed<'h>>,
    /// All values that anybody wrote, replaced or read, by number.
    pub versions: Vec<Version<'h>>,
    numbers: Table<&'h Value, u32>,
}

/// One operation.
pub(super) struct Deed<'h> {
    /// Its position in the history.
    pub number: usize,
    pub source: &'h Operation,
    pub act: Act,
}

/// What it did; values by number.
pub(super) enum Act {
    /// It returned these; `None` if nobody knows what.
    Read(Option<Vec<u32>>),
    /// It put this in the place of those that its version names.
    Write(u32),
    /// It took these away.
    Delete(Vec<u32>),
}

/// A value of a key. Of carts, an item: whole carts are made of what their clients saw.
pub(super) struct Version<'h> {
    pub value: &'h Value,
    /// Who may have written it, by position in [`Key::deeds`].
    pub writers: Vec<usize>,
    /// Who asked to and was refused.
    pub refused: Option<usize>,
    /// What its writers replaced.
    replaced: Vec<u32>,
    /// When the first delete was asked for that may have taken it away.
    deleted: u64,
}

impl Deed<'_> {
    /// The position at which its client heard that it was done.
    pub fn done(&self) -> Option<u64> {
        match self.source.outcome {
            Outcome::Returned(_) => self.source.completed.map(|mark| mark.index),
            Outcome::Refused | Outcome::Unknown => None,
        }
    }

    /// Whether it was done before that position.
    pub fn is_done_before(&self, index: u64) -> bool {
        self.done().is_some_and(|done| done < index)
    }

    pub fn began(&self) -> u64 {
        self.source.invoked.index
    }

    /// What it returned, if it is a read that did, and when.
    pub fn read(&self) -> Option<(&[u32], u64)> {
        match &self.act {
            Act::Read(Some(values)) => Some((values, self.done()?)),
            Act::Read(None) | Act::Write(_) | Act::Delete(_) => None,
        }
    }
}

/// A set of values: those that some others stand for.
#[derive(Default)]
pub(super) struct Past {
    is_in: Vec<bool>,
    members: Vec<u32>,
}

impl Past {
    pub fn has(&self, value: u32) -> bool {
        self.is_in[value as usize]
    }

    fn begin(&mut self, values: usize) {
        self.is_in.clear();
        self.is_in.resize(values, false);
        self.members.clear();
    }

    fn add(&mut self, value: u32) {
        if !std::mem::replace(&mut self.is_in[value as usize], true) {
            self.members.push(value);
        }
    }
}

impl<'h> Key<'h> {
    /// Fills `past` with these values and all that they replaced, directly or through others.
    pub fn past_of(&self, values: &[u32], past: &mut Past) {
        past.begin(self.versions.len());
        values.iter().for_each(|value| past.add(*value));
        let mut at = 0;
        while let Some(value) = past.members.get(at).copied() {
            at += 1;
            self.versions[value as usize].replaced.iter().for_each(|older| past.add(*older));
        }
    }

    /// Whether whoever was told of all in `past`, at this position, need not be told of this value: it was replaced by what he
    /// was told of, or somebody may have deleted it by then.
    pub fn is_accounted_for(&self, value: u32, past: &Past, told: u64) -> bool {
        past.has(value) || self.versions[value as usize].deleted < told
    }

    /// The last read made to see what survived, what it returned, and when.
    pub fn last_read(&self) -> Option<(usize, &[u32], u64)> {
        let finals = self.deeds.iter().enumerate().filter(|(_, deed)| deed.source.purpose == Purpose::FinalRead);
        let told = finals.filter_map(|(at, deed)| deed.read().map(|(values, told)| (at, values, told)));
        told.max_by_key(|(_, _, told)| *told)
    }

    /// The value, as sentences show it.
    pub fn shown(&self, value: u32) -> String {
        shown(self.versions[value as usize].value)
    }

    /// A violation by these operations, of which the last is the offender.
    pub fn violation(
        &self,
        why: &'static str,
        headline: String,
        because: Vec<String>,
        operations: &[usize],
    ) -> Violation {
        let operations: Vec<usize> = operations.iter().map(|at| self.deeds[*at].number).collect();
        let offender = operations.last().copied();
        Violation { why, headline, because, operations, offender }
    }

    fn number(&mut self, value: &'h Value) -> u32 {
        let next = self.versions.len() as u32;
        let number = *self.numbers.entry(value).or_insert(next);
        if number == next {
            let (writers, replaced) = (Vec::new(), Vec::new());
            self.versions.push(Version { value, writers, refused: None, replaced, deleted: NEVER });
        }
        number
    }

    fn numbers(&mut self, values: &'h [Value]) -> Vec<u32> {
        values.iter().map(|value| self.number(value)).collect()
    }

    fn add(&mut self, number: usize, source: &'h Operation, said: Said<'h>) {
        let at = self.deeds.len();
        let is_refused = source.outcome == Outcome::Refused;
        let act = match said {
            Said::Read(None) => Act::Read(None),
            Said::Read(Some(values)) => {
                let mut values: Vec<u32> = values.into_iter().map(|value| self.number(value)).collect();
                values.sort_unstable();
                values.dedup();
                Act::Read(Some(values))
            }
            Said::Write { value, replaced } => {
                let (value, replaced) = (self.number(value), self.numbers(replaced));
                let version = &mut self.versions[value as usize];
                if is_refused {
                    version.refused = Some(at);
                } else {
                    version.writers.push(at);
                    version.replaced.extend(replaced);
                }
                Act::Write(value)
            }
            Said::Delete { replaced } => Act::Delete(self.numbers(replaced)),
        };
        self.deeds.push(Deed { number, source, act });
    }

    /// Notes for each value which delete may have taken it away first. Whatever a value covers went with it.
    fn note_deletes(&mut self) {
        let mut stack = Vec::new();
        for deed in self.deeds.iter().filter(|deed| deed.source.outcome != Outcome::Refused) {
            let Act::Delete(replaced) = &deed.act else { continue };
            stack.extend_from_slice(replaced);
            while let Some(value) = stack.pop() {
                let version = &mut self.versions[value as usize];
                if version.deleted == NEVER {
                    version.deleted = deed.began();
                    stack.extend_from_slice(&version.replaced);
                }
            }
        }
    }
}

/// What an operation says, in values.
enum Said<'h> {
    Read(Option<Vec<&'h Value>>),
    Write { value: &'h Value, replaced: &'h [Value] },
    Delete { replaced: &'h [Value] },
}

/// All keys of a history, in the order of their appearance.
///
/// # Errors
/// If an operation is none of the model's.
pub(super) fn keys(history: &History, model: Model) -> Result<Vec<Key<'_>>, Unfit> {
    let mut keys: Vec<Key<'_>> = Vec::new();
    let mut place: Table<&Value, usize> = Table::default();
    for (number, source) in in_order(history) {
        let (name, said) = read(source, model).map_err(|message| Unfit::operation(source, message))?;
        let at = *place.entry(name).or_insert_with(|| {
            keys.push(Key { name, deeds: Vec::new(), versions: Vec::new(), numbers: Table::default() });
            keys.len() - 1
        });
        keys[at].add(number, source, said);
    }
    keys.iter_mut().for_each(Key::note_deletes);
    Ok(keys)
}

fn read(source: &Operation, model: Model) -> Result<(&Value, Said<'_>), String> {
    let Some((key, argument)) = source.input.as_pair() else {
        return Err(format!("the argument is {}, but model {} wants [key, argument]", source.input, model.name()));
    };
    let said = match (model, &*source.f) {
        (Model::Siblings | Model::Cart, "read") => {
            Said::Read(returned(source, key)?.map(|read| told(read, model)).transpose()?)
        }
        (Model::Siblings, "write") => match argument.as_pair() {
            Some((value, Value::List(replaced))) => Said::Write { value, replaced },
            Some(_) | None => return Err(format!("it writes {argument}, and should write [value, [replaced, …]]")),
        },
        (Model::Siblings, "blind") | (Model::Cart, "add") => Said::Write { value: argument, replaced: &[] },
        (Model::Siblings, "delete") => match argument {
            Value::List(replaced) => Said::Delete { replaced },
            Value::Nil | Value::Int(_) | Value::Text(_) => {
                return Err(format!("it deletes {argument}, and should delete a list of what it has seen"));
            }
        },
        (Model::Cart, "remove") => Said::Delete { replaced: std::slice::from_ref(argument) },
        (Model::Cart, _) => return Err("a cart knows `add`, `remove` and `read`".to_owned()),
        (_, _) => return Err("siblings know `read`, `write`, `blind` and `delete`".to_owned()),
    };
    Ok((key, said))
}

/// What a read returned, without its key, if it did.
fn returned<'h>(source: &'h Operation, key: &Value) -> Result<Option<&'h Value>, String> {
    match (&source.outcome, source.completed) {
        (Outcome::Returned(Completion::Ok(value)), Some(_)) => match value.as_pair() {
            Some((same, value)) if same == key => Ok(Some(value)),
            Some(_) | None => Err(format!("it returned {value}, and should have returned [{key}, [sibling, …]]")),
        },
        (Outcome::Returned(Completion::Mismatch), _) => Err("only a compare-and-set can find another value".to_owned()),
        (Outcome::Returned(Completion::Ok(_)), None) | (Outcome::Refused | Outcome::Unknown, _) => Ok(None),
    }
}

/// The siblings that a read returned; of carts, the items in all of them.
fn told(read: &Value, model: Model) -> Result<Vec<&Value>, String> {
    let siblings = list(read).ok_or_else(|| format!("it returned {read}, and should have returned a list"))?;
    if model != Model::Cart {
        return Ok(siblings.iter().collect());
    }
    let carts = siblings.iter().map(list).collect::<Option<Vec<_>>>();
    let carts = carts.ok_or_else(|| format!("it returned {read}, and should have returned a list of lists"))?;
    Ok(carts.into_iter().flatten().collect())
}

fn list(value: &Value) -> Option<&[Value]> {
    match value {
        Value::List(items) => Some(items),
        Value::Nil | Value::Int(_) | Value::Text(_) => None,
    }
}

/// The most siblings that a read of one key returned.
pub(super) fn most(history: &History) -> Option<(u64, u64, &Value)> {
    let (mut reads, mut most) = (0, None);
    for source in history.operations.iter().filter(|operation| operation.f == "read") {
        let Some((key, _)) = source.input.as_pair() else { continue };
        let Ok(Some(Value::List(siblings))) = returned(source, key) else { continue };
        reads += 1;
        if most.is_none_or(|(known, _)| siblings.len() as u64 > known) {
            most = Some((siblings.len() as u64, key));
        }
    }
    most.map(|(most, key)| (reads, most, key))
}
