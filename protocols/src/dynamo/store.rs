//! What a node keeps: objects by key, in memory and in its journal.
//!
//! Each record holds a whole object, so the last one of a key is what it was; records can be read twice, and a journal that is
//! written anew needs no beginning or end.

use super::Record;
use super::versions::{Actor, Conflicts, Context, Object};
use history::{Key, Value};
use sim_core::dice::Dice;
use sim_core::protocol::NodeId;
use std::collections::BTreeMap;

/// A key that this node keeps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// What it knows of it.
    pub object: Object,
    /// Under which life it numbers its own puts of this key, if it has coordinated any.
    pub life: Option<u32>,
}

/// The objects of one node.
#[derive(Clone, Debug, Default)]
pub struct Store {
    entries: BTreeMap<Key, Entry>,
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

    /// Puts a copy together with what is kept. The record to write, if that changed anything.
    pub fn merge(&mut self, key: Key, object: &Object, conflicts: Conflicts) -> Option<Record> {
        let entry = self.entries.entry(key).or_default();
        let before = entry.object.clone();
        entry.object.sync(object, conflicts);
        (entry.object != before).then(|| record(key, entry))
    }

    /// A put that this node coordinates. The record to write.
    pub fn put(&mut self, key: Key, put: &Put, me: NodeId, dice: &mut Dice) -> Record {
        let entry = self.entries.entry(key).or_default();
        let life = *entry.life.get_or_insert_with(|| dice.bits() as u32);
        entry.object.put(&put.context, Actor { node: me, life }, put.stamp, put.value.clone(), put.conflicts);
        record(key, entry)
    }

    /// Forgets a key. Who puts it again numbers its puts under another life.
    pub fn drop_key(&mut self, key: Key) -> Option<Record> {
        self.entries.remove(&key).map(|_| Record::Dropped { key })
    }

    /// A record that was found in the journal. If not all of it reads back, this node may have counted further than it knows,
    /// and `lives_end`.
    pub fn replay(&mut self, record: &Record, lives_end: bool) {
        match record {
            Record::Object { key, object, life } => {
                let life = life.filter(|_| !lives_end);
                self.entries.insert(*key, Entry { object: object.clone(), life });
            }
            Record::Dropped { key } => {
                self.entries.remove(key);
            }
            Record::Ring { .. } | Record::Has { .. } | Record::Fetched { .. } => {}
        }
    }

    /// Everything, as a journal written anew.
    pub fn records(&self) -> Vec<Record> {
        self.entries.iter().map(|(key, entry)| record(*key, entry)).collect()
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

fn record(key: Key, entry: &Entry) -> Record {
    Record::Object { key, object: entry.object.clone(), life: entry.life }
}
