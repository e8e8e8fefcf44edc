//! How a process numbers the versions that it coordinates.
//!
//! An actor's number must never be given twice, and a context that knows an actor's n-th put of a key claims to know what
//! became of those before it. So whoever cannot keep either must not go on counting; it is somebody else, under another *life*.
//!
//! - **A process that begins has a new life.** It may have numbered puts that it no longer knows of, and others keep those. No
//!   disk can be trusted to tell: one that lies about flushes loses records without a trace. The price is one more actor in
//!   the contexts of keys that it coordinates afterwards.
//! - **So has one that has let go of a key that it had numbered**, and is asked to put it again: a hint that was handed over, a
//!   key that is at home elsewhere now. Its next version would claim to have replaced what it merely no longer knows.

use super::versions::{Actor, Dot, Object};
use history::Key;
use sim_core::dice::Dice;
use sim_core::protocol::NodeId;
use std::collections::BTreeMap;

/// As whom a process numbers, and how far it has counted.
#[derive(Clone, Debug)]
pub struct Numbering {
    actor: Actor,
    counter: u64,
    /// The last of its numbers for each key.
    last: BTreeMap<Key, u64>,
}

impl Numbering {
    /// Of a process that begins.
    pub fn new(node: NodeId, dice: &mut Dice) -> Self {
        Numbering { actor: Actor { node, life: dice.bits() as u32 }, counter: 0, last: BTreeMap::new() }
    }

    /// A number for a version of this key, of which this is known here.
    pub fn next(&mut self, key: Key, object: &Object, dice: &mut Dice) -> Dot {
        let has_let_go = self.last.get(&key).is_some_and(|last| object.seen.known(self.actor) < *last);
        if has_let_go {
            *self = Numbering::new(self.actor.node, dice);
        }
        self.counter += 1;
        self.last.insert(key, self.counter);
        Dot { actor: self.actor, counter: self.counter }
    }

    /// A name for a version that says nothing of what it has seen, such as where the last write wins.
    pub fn name(&mut self) -> Dot {
        self.counter += 1;
        Dot { actor: self.actor, counter: self.counter }
    }
}

#[cfg(test)]
mod tests {
    use super::super::versions::{Conflicts, Context, Rules};
    use super::*;
    use sim_core::dice::{StreamName, Streams};

    const KEY: Key = 7;
    const RULES: Rules = Rules::of(Conflicts::Siblings);

    fn dice() -> Dice {
        Streams::new(1).dice(StreamName::new(&["numbering"]))
    }

    fn put(object: &mut Object, dot: Dot) {
        object.put(&Context::default(), dot, 0, (dot.counter as i64).into(), RULES);
    }

    #[test]
    fn who_knows_its_own_versions_counts_on() {
        let (mut dice, mut object) = (dice(), Object::default());
        let mut numbering = Numbering::new(NodeId(0), &mut dice);
        let first = numbering.next(KEY, &object, &mut dice);
        put(&mut object, first);
        numbering.next(8, &Object::default(), &mut dice);
        let third = numbering.next(KEY, &object, &mut dice);
        assert_eq!((third.actor, third.counter), (first.actor, 3));
    }

    /// Elsewhere there is a version of ours. Who puts the key again without knowing of it must not claim to have replaced it.
    #[test]
    fn who_has_let_go_of_a_key_numbers_under_another_life() {
        let (mut dice, mut elsewhere) = (dice(), Object::default());
        let mut numbering = Numbering::new(NodeId(0), &mut dice);
        put(&mut elsewhere, numbering.next(KEY, &Object::default(), &mut dice));
        let mut anew = Object::default();
        let dot = numbering.next(KEY, &anew, &mut dice);
        put(&mut anew, dot);
        elsewhere.sync(&anew, RULES);
        assert_eq!(elsewhere.versions.len(), 2, "both stand");
    }

    #[test]
    fn who_begins_again_numbers_as_somebody_else() {
        let mut dice = dice();
        let dots = [(), ()].map(|()| Numbering::new(NodeId(0), &mut dice).next(KEY, &Object::default(), &mut dice));
        assert_ne!(dots[0], dots[1]);
    }
}
