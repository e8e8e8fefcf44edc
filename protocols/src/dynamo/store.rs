//! What a node keeps: objects by key, in memory and in its journal.
//!
//! Each record holds a whole object, so the last one of a key is what it was. Records can be read twice, and a journal that is
//! written anew needs no beginning or end: whatever a crash leaves of it beside the old one says the same.
//!
//! **What does not read back is lost here, and only here.** The other home nodes have it, and anti-entropy brings it back; so
//! a node with a spoilt journal, or with an empty disk in a new machine, goes on with what it has. All that it must not do is
//! count on where it believes to have stopped: it may have numbered puts that it no longer knows of, and others keep those. No
//! disk can be trusted to tell (one that lies about flushes loses records without a trace), so a life is not written down: each
//! process numbers its puts of a key under one that it draws at the first. The price is one more actor in the contexts of keys
//! that it coordinates afterwards; what is gained is that a number is never given twice, whatever becomes of the disk.

use super::Record;
use super::versions::{Actor, Conflicts, Context, Object};
use history::{Key, Value};
use sim_core::dice::Dice;
use sim_core::protocol::NodeId;
use std::collections::{BTreeMap, BTreeSet};

/// A key that this node keeps.
#[derive(Clone, Debug, Default, PartialEq)]
struct Entry {
    /// What it knows of it.
    object: Object,
    /// Under which life it numbers its own puts of this key, if it has coordinated any since it began or forgot the key.
    life: Option<u32>,
}

/// The objects of one node.
#[derive(Clone, Debug, Default)]
pub struct Store {
    entries: BTreeMap<Key, Entry>,
    /// What has changed since the hash trees were last brought up to date.
    stale: BTreeSet<Key>,
    /// What has changed in this step, so that who looks on need not look at everything.
    latest: Vec<Key>,
}

impl Store {
    /// What it knows of a key.
    pub fn get(&self, key: Key) -> Option<&Object> {
        self.entries.get(&key).map(|entry| &entry.object)
    }

    /// All keys, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &Object)> + '_ {
        self.entries.iter().map(|(key, entry)| (*key, &entry.object))
    }

    /// How many keys it keeps.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Puts a copy together with what is kept. The record to write, if that changed anything.
    pub fn merge(&mut self, key: Key, object: &Object, conflicts: Conflicts) -> Option<Record> {
        if object.is_empty() {
            return None;
        }
        let entry = self.entries.entry(key).or_default();
        entry.object.sync(object, conflicts).then(|| self.changed(key))
    }

    /// A put that this node coordinates. The record to write. Where the last write wins, a version needs no more than a name of
    /// its own.
    pub fn put(&mut self, key: Key, put: &Put, me: NodeId, dice: &mut Dice) -> Record {
        let entry = self.entries.entry(key).or_default();
        let life = match put.conflicts {
            Conflicts::Siblings => *entry.life.get_or_insert_with(|| dice.bits() as u32),
            Conflicts::LastWriteWins => dice.bits() as u32,
        };
        entry.object.put(&put.context, Actor { node: me, life }, put.stamp, put.value.clone(), put.conflicts);
        self.changed(key)
    }

    /// Forgets a key. The record to write, if it was known. Who puts it again numbers its puts under another life.
    pub fn drop_key(&mut self, key: Key) -> Option<Record> {
        self.entries.remove(&key)?;
        self.note(key);
        Some(Record::Dropped { key })
    }

    /// A record that was found in the journal.
    pub fn replay(&mut self, record: &Record) {
        match record {
            Record::Object { key, object } => {
                self.entries.insert(*key, Entry { object: object.clone(), life: None });
                self.stale.insert(*key);
            }
            Record::Dropped { key } => {
                self.entries.remove(key);
                self.stale.remove(key);
            }
        }
    }

    /// Everything, as a journal written anew.
    pub fn records(&self) -> impl Iterator<Item = Record> + '_ {
        self.iter().map(|(key, object)| Record::Object { key, object: object.clone() })
    }

    /// What has changed since this was last asked.
    pub fn take_stale(&mut self) -> BTreeSet<Key> {
        std::mem::take(&mut self.stale)
    }

    /// A step begins.
    pub fn begin_step(&mut self) {
        self.latest.clear();
    }

    /// What has changed in this step.
    pub fn latest(&self) -> &[Key] {
        &self.latest
    }

    fn changed(&mut self, key: Key) -> Record {
        self.note(key);
        Record::Object { key, object: self.entries[&key].object.clone() }
    }

    fn note(&mut self, key: Key) {
        self.stale.insert(key);
        self.latest.push(key);
    }
}

/// What a coordinator was asked to put, and how.
#[derive(Clone, Debug)]
pub struct Put {
    /// What the client has seen.
    pub context: Context,
    /// The coordinator's clock.
    pub stamp: u64,
    /// What to put; nil deletes.
    pub value: Value,
    /// How it stands to what it has not seen.
    pub conflicts: Conflicts,
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::dice::{StreamName, Streams};

    const KEY: Key = 7;
    const ME: NodeId = NodeId(0);

    fn dice() -> Dice {
        Streams::new(1).dice(StreamName::new(&["store"]))
    }

    fn blind(value: i64) -> Put {
        Put { context: Context::default(), stamp: 0, value: value.into(), conflicts: Conflicts::Siblings }
    }

    fn object(store: &Store) -> Object {
        store.get(KEY).expect("it was put").clone()
    }

    #[test]
    fn a_journal_and_the_journal_written_anew_say_the_same() {
        let (mut store, mut dice) = (Store::default(), dice());
        let mut journal: Vec<Record> =
            [(KEY, 1), (KEY, 2), (8, 3)].map(|(key, value)| store.put(key, &blind(value), ME, &mut dice)).into();
        journal.extend(store.drop_key(8));
        let written_anew: Vec<Record> = store.records().collect();
        assert_eq!(written_anew.len(), 1);
        // A crash in the middle of writing anew leaves the old records, and perhaps the new ones behind them.
        for journal in [journal.clone(), written_anew.clone(), [journal, written_anew].concat()] {
            let mut again = Store::default();
            journal.iter().for_each(|record| again.replay(record));
            assert!(again.iter().eq(store.iter()));
        }
    }

    #[test]
    fn a_copy_that_says_nothing_new_is_not_written_down() {
        let mut store = Store::default();
        store.put(KEY, &blind(1), ME, &mut dice());
        let copy = object(&store);
        assert_eq!(store.merge(KEY, &copy, Conflicts::Siblings), None);
        assert_eq!(store.merge(8, &Object::default(), Conflicts::Siblings), None);
        assert_eq!(store.get(8), None, "nothing is known of it still");
    }

    /// A disk that lies loses what others have heard of, and leaves no trace of that. A key that has moved away and back is
    /// known to others, too.
    #[test]
    fn who_begins_again_or_has_forgotten_the_key_numbers_its_puts_as_somebody_else() {
        let (mut store, mut dice) = (Store::default(), dice());
        store.put(KEY, &blind(1), ME, &mut dice);
        let elsewhere = object(&store);
        let restarted = Store::default();
        store.drop_key(KEY);
        for mut store in [restarted, store] {
            store.put(KEY, &blind(2), ME, &mut dice);
            store.merge(KEY, &elsewhere, Conflicts::Siblings);
            assert_eq!(object(&store).values(), [1.into(), 2.into()]);
        }
    }

    #[test]
    fn who_remembers_goes_on_counting() {
        let (mut store, mut dice) = (Store::default(), dice());
        (1..=3).for_each(|value| drop(store.put(KEY, &blind(value), ME, &mut dice)));
        assert_eq!(object(&store).seen.len(), 1);
    }
}
