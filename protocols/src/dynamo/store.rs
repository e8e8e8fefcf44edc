//! What a node keeps: objects by key, in memory and in its journal.
//!
//! Each record holds a whole object, so the last one of a key is what it was. Records can be read twice, and a journal that is
//! written anew needs no beginning or end: whatever a crash leaves of it beside the old one says the same.
//!
//! **What does not read back is lost here, and only here.** The other home nodes have it, and anti-entropy brings it back; so
//! a node with a spoilt journal, or with an empty disk in a new machine, goes on with what it has. All that it must not do is
//! count on where it believes to have stopped, which is `numbering`'s business.

use super::Record;
use super::versions::{Object, Rules};
use history::Key;
use std::collections::{BTreeMap, BTreeSet};

/// The objects of one node.
#[derive(Clone, Debug, Default)]
pub struct Store {
    objects: BTreeMap<Key, Object>,
    /// What has changed since the hash trees were last brought up to date.
    stale: BTreeSet<Key>,
    /// What has changed in this step, so that who looks on need not look at everything.
    latest: Vec<Key>,
}

impl Store {
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
    pub fn merge(&mut self, key: Key, object: &Object, rules: Rules) -> Option<Record> {
        if object.is_empty() {
            return None;
        }
        let has_changed = self.objects.entry(key).or_default().sync(object, rules);
        has_changed.then(|| self.changed(key))
    }

    /// The mistake D13: puts a copy in the place of what is kept, whatever that is.
    pub fn overwrite(&mut self, key: Key, object: &Object) -> Record {
        self.objects.insert(key, object.clone());
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
            Record::Hint { .. }
            | Record::HintDone { .. }
            | Record::Ring { .. }
            | Record::Has { .. }
            | Record::Fetched { .. } => {}
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

#[cfg(test)]
mod tests {
    use super::super::versions::{Actor, Conflicts, Context, Dot};
    use super::*;
    use sim_core::protocol::NodeId;

    const KEY: Key = 7;

    const RULES: Rules = Rules::of(Conflicts::Siblings);
    const ACTOR: Actor = Actor { node: NodeId(0), life: 1 };

    /// What is written down of a put of this number, to a key of which the store knows so much.
    fn blind(store: &mut Store, key: Key, counter: u64) -> Record {
        let mut object = store.get(key).cloned().unwrap_or_default();
        object.put(&Context::default(), Dot { actor: ACTOR, counter }, 0, (counter as i64).into(), RULES);
        store.merge(key, &object, RULES).expect("it is new")
    }

    #[test]
    fn a_journal_and_the_journal_written_anew_say_the_same() {
        let mut store = Store::default();
        let mut journal = vec![blind(&mut store, KEY, 1), blind(&mut store, KEY, 2), blind(&mut store, 8, 3)];
        journal.extend(store.drop_key(8));
        let written_anew: Vec<Record> = store.records().collect();
        assert_eq!(written_anew.len(), 1);
        // A crash in the middle of writing anew leaves the old records, and perhaps the new ones behind them.
        for journal in [journal.clone(), written_anew.clone(), [journal, written_anew].concat()] {
            let mut again = Store::default();
            journal.iter().for_each(|record| again.replay(record));
            assert_eq!(again.objects, store.objects);
        }
    }

    #[test]
    fn a_copy_that_says_nothing_new_is_not_written_down() {
        let mut store = Store::default();
        blind(&mut store, KEY, 1);
        let copy = store.get(KEY).expect("it was put").clone();
        assert_eq!(store.merge(KEY, &copy, RULES), None);
        assert_eq!(store.merge(8, &Object::default(), RULES), None);
        assert_eq!(store.get(8), None, "nothing is known of it still");
    }
}
