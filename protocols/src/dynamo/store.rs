//! What a node keeps: objects by key, in memory and in its journal.
//!
//! Each record holds a whole object, so the last one of a key is what it was. Records can be read twice, and a journal that is
//! written anew needs no beginning or end: whatever a crash leaves of it beside the old one says the same.
//!
//! **What does not read back is lost here, and only here.** The other home nodes have it, and anti-entropy brings it back; so
//! a node with a spoilt journal, or with an empty disk in a new machine, goes on with what it has. All that it must not do is
//! count on where it believes to have stopped: it may have numbered puts that it no longer knows of, and others keep those. No
//! disk can be trusted to tell (one that lies about flushes loses records without a trace), so each process numbers its puts
//! under a life of its own. The price is one more actor in the contexts of keys that it coordinates afterwards; what is gained
//! is that a number is never given twice, whatever becomes of the disk.
//!
//! Within its life a process counts through, over all keys. So it can forget a key altogether and still not count from 1 again
//! when the key is put anew.

use super::Record;
use super::versions::{Actor, Conflicts, Context, Dot, Object};
use history::{Key, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The objects of one node.
#[derive(Clone, Debug)]
pub struct Store {
    objects: BTreeMap<Key, Object>,
    /// As whom this process numbers its puts.
    actor: Actor,
    /// How far it has counted.
    counter: u64,
    /// What has changed since the hash trees were last brought up to date.
    stale: BTreeSet<Key>,
    /// What has changed in this step, so that who looks on need not look at everything.
    latest: Vec<Key>,
}

impl Store {
    /// An empty one, of a process that numbers its puts under this name.
    pub fn new(actor: Actor) -> Self {
        Store { objects: BTreeMap::new(), actor, counter: 0, stale: BTreeSet::new(), latest: Vec::new() }
    }

    /// What it knows of a key.
    pub fn get(&self, key: Key) -> Option<&Object> {
        self.objects.get(&key)
    }

    /// All keys, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &Object)> + '_ {
        self.objects.iter().map(|(key, object)| (*key, object))
    }

    /// How many keys it keeps.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Puts a copy together with what is kept. The record to write, if that changed anything.
    pub fn merge(&mut self, key: Key, object: &Object, conflicts: Conflicts) -> Option<Record> {
        if object.is_empty() {
            return None;
        }
        let has_changed = self.objects.entry(key).or_default().sync(object, conflicts);
        has_changed.then(|| self.changed(key))
    }

    /// A put that this node coordinates. The record to write.
    pub fn put(&mut self, key: Key, put: &Put) -> Record {
        let object = self.objects.entry(key).or_default();
        let known = object.seen.known(self.actor).max(put.context.known(self.actor));
        self.counter = self.counter.max(known) + 1;
        let dot = Dot { actor: self.actor, counter: self.counter };
        object.put(&put.context, dot, put.stamp, put.value.clone(), put.conflicts);
        self.changed(key)
    }

    /// Forgets a key. The record to write, if it was known.
    pub fn drop_key(&mut self, key: Key) -> Option<Record> {
        self.objects.remove(&key)?;
        self.note(key);
        Some(Record::Dropped { key })
    }

    /// A record that was found in the journal.
    pub fn replay(&mut self, record: &Record) {
        match record {
            Record::Object { key, object } => {
                self.objects.insert(*key, object.clone());
                self.stale.insert(*key);
            }
            Record::Dropped { key } => {
                self.objects.remove(key);
                self.stale.remove(key);
            }
        }
    }

    /// Everything, as a journal written anew.
    pub fn records(&self) -> impl Iterator<Item = Record> + '_ {
        self.objects.iter().map(|(key, object)| Record::Object { key: *key, object: object.clone() })
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
        Record::Object { key, object: self.objects[&key].clone() }
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
    use sim_core::protocol::NodeId;

    const KEY: Key = 7;

    fn store(life: u32) -> Store {
        Store::new(Actor { node: NodeId(0), life })
    }

    fn blind(value: i64) -> Put {
        Put { context: Context::default(), stamp: 0, value: value.into(), conflicts: Conflicts::Siblings }
    }

    #[test]
    fn a_journal_and_the_journal_written_anew_say_the_same() {
        let mut store = store(1);
        let mut journal = vec![store.put(KEY, &blind(1)), store.put(KEY, &blind(2)), store.put(8, &blind(3))];
        journal.extend(store.drop_key(8));
        let written_anew: Vec<Record> = store.records().collect();
        assert_eq!(written_anew.len(), 1);
        // A crash in the middle of writing anew leaves the old records, and perhaps the new ones behind them.
        for journal in [journal.clone(), written_anew.clone(), [journal, written_anew].concat()] {
            let mut again = self::store(2);
            journal.iter().for_each(|record| again.replay(record));
            assert_eq!(again.objects, store.objects);
        }
    }

    #[test]
    fn a_copy_that_says_nothing_new_is_not_written_down() {
        let mut store = store(1);
        store.put(KEY, &blind(1));
        let copy = store.get(KEY).expect("it was put").clone();
        assert_eq!(store.merge(KEY, &copy, Conflicts::Siblings), None);
        assert_eq!(store.merge(8, &Object::default(), Conflicts::Siblings), None);
        assert_eq!(store.get(8), None, "nothing is known of it still");
    }

    /// What nobody has flushed is lost, and numbered puts with it. Somebody may have heard of them all the same, where a disk
    /// lies.
    #[test]
    fn who_begins_again_numbers_its_puts_as_somebody_else() {
        let mut store = store(1);
        store.put(KEY, &blind(1));
        let elsewhere = store.get(KEY).expect("it was put").clone();
        for (life, left) in [(1, vec![2.into()]), (2, vec![1.into(), 2.into()])] {
            let mut again = self::store(life);
            again.put(KEY, &blind(2));
            again.merge(KEY, &elsewhere, Conflicts::Siblings);
            assert_eq!(again.get(KEY).expect("it was put").values(), left, "under the same life a put is lost");
        }
    }

    #[test]
    fn a_key_that_was_forgotten_is_not_counted_from_the_beginning() {
        let mut store = store(1);
        store.put(KEY, &blind(1));
        let before = store.get(KEY).expect("it was put").versions[0].dot;
        store.drop_key(KEY);
        store.put(KEY, &blind(2));
        assert!(store.get(KEY).expect("it was put").versions[0].dot > before);
    }
}
