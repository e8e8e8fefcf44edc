//! Versions of a key: which came first, and which stand beside each other.
//!
//! Dynamo's vector clocks (DeCandia et al. 2007, 4.4) name the servers that wrote a version. Two clients who write through
//! one server with the same context are concurrent, and a clock of servers cannot say so: the second would seem to follow the
//! first. A *dotted* version vector (Preguiça et al. 2012; Almeida et al. 2014) keeps apart what a version has seen and which
//! event it is itself, its *dot*.
//!
//! The picture: a guest book in which everybody numbers his own entries. "I have read Anna's up to 7 and Ben's up to 3" says
//! what I have seen: a [`Context`]. My entry has a number of its own, a [`Dot`]. Striking out what I have read is a matter of
//! looking numbers up; what I have not read stays.
//!
//! An [`Object`] is all of a page at once: how far everybody's entries are known, and those of them that nobody has struck
//! out. Two copies of a page are put together by one rule: an entry stays if both have it, or if the one that lacks it has
//! not read it yet. That makes objects a semilattice: in whichever order copies meet, and however often, the result is the same.
//!
//! A put ships the whole object, so whoever has seen an actor's n-th entry knows what became of those before it. An actor
//! that has forgotten how far it counted must not go on counting; it is another *life*.

use history::Value;
use serde::Serialize;
use sim_core::protocol::NodeId;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::{self, Debug};

/// Who numbers its puts of a key: a node, as long as it remembers how far it has counted for this key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Actor {
    /// Which node.
    pub node: NodeId,
    /// Drawn by lot when it begins to count.
    pub life: u32,
}

impl Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{:x}", self.node, self.life)
    }
}

/// One put of a key: the counter-th that the actor coordinated, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Dot {
    /// Who coordinated it.
    pub actor: Actor,
    /// Which of its puts of the key.
    pub counter: u64,
}

impl Debug for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}.{}", self.actor, self.counter)
    }
}

/// How far everybody's puts of a key are known: a version vector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Context(BTreeMap<Actor, u64>);

impl Context {
    /// Whether this put is known.
    pub fn covers(&self, dot: Dot) -> bool {
        self.known(dot.actor) >= dot.counter
    }

    /// How many of its puts are known.
    pub fn known(&self, actor: Actor) -> u64 {
        self.0.get(&actor).copied().unwrap_or(0)
    }

    /// What either knows.
    pub fn join(&mut self, other: &Context) {
        for (actor, counter) in &other.0 {
            let known = self.0.entry(*actor).or_insert(0);
            *known = (*known).max(*counter);
        }
    }

    /// How many actors there are in it.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, dot: Dot) {
        self.0.insert(dot.actor, dot.counter);
    }

    /// As clients carry it: a list of numbers that only nodes read.
    pub fn to_token(&self) -> Value {
        let entry = |(actor, counter): (&Actor, &u64)| {
            let numbers = [i64::from(actor.node.0), i64::from(actor.life), *counter as i64];
            Value::List(numbers.map(Value::Int).into())
        };
        Value::List(self.0.iter().map(entry).collect())
    }

    /// Reads it again. What is no token of ours says nothing.
    pub fn from_token(token: &Value) -> Context {
        let entry = |entry: &Value| {
            let Value::List(numbers) = entry else { return None };
            let [Value::Int(node), Value::Int(life), Value::Int(counter)] = &numbers[..] else { return None };
            let actor = Actor { node: NodeId(u32::try_from(*node).ok()?), life: u32::try_from(*life).ok()? };
            Some((actor, u64::try_from(*counter).ok()?))
        };
        let Value::List(entries) = token else { return Context::default() };
        Context(entries.iter().filter_map(entry).collect())
    }
}

/// One version of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Version {
    /// Which put it is.
    pub dot: Dot,
    /// What its coordinator's wall clock showed, in nanoseconds, rounded down to `clock-tick`.
    pub stamp: u64,
    /// What was put; [`Value::Nil`] for a delete, of which a tombstone stays.
    pub value: Value,
}

impl Version {
    /// Whether it says that there is nothing.
    pub fn is_tombstone(&self) -> bool {
        self.value.is_nil()
    }

    /// Who wins where the last write does: the later stamp, a tombstone at equal ones, then the greater value (as in
    /// Cassandra); the dot decides between two equal values, where it does not matter but has to be the same everywhere.
    fn order_of_writes(&self, other: &Version) -> Ordering {
        let rank = |version: &Version| (version.stamp, version.is_tombstone());
        rank(self).cmp(&rank(other)).then_with(|| self.value.cmp(&other.value)).then_with(|| self.dot.cmp(&other.dot))
    }
}

/// How two versions of which neither has seen the other are reconciled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflicts {
    /// Both stay, as siblings, until somebody who has seen both writes.
    Siblings,
    /// The one with the later stamp stays.
    LastWriteWins,
}

/// A key as one node knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Object {
    /// Every put that is in `versions` or was replaced. Empty where the last write wins.
    pub seen: Context,
    /// What nobody has replaced, in the order of the dots; tombstones too.
    pub versions: Vec<Version>,
}

impl Object {
    /// Whether nothing is known of the key.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty() && self.seen.is_empty()
    }

    /// The values that stand, without tombstones.
    pub fn values(&self) -> Vec<Value> {
        let mut values: Vec<Value> = self
            .versions
            .iter()
            .filter(|version| !version.is_tombstone())
            .map(|version| version.value.clone())
            .collect();
        values.sort();
        values.dedup();
        values
    }

    /// Puts two copies together. What either has seen and does not hold has been replaced.
    pub fn sync(&mut self, other: &Object, conflicts: Conflicts) {
        match conflicts {
            Conflicts::Siblings => {
                let stays =
                    |version: &Version, theirs: &Object| theirs.holds(version.dot) || !theirs.seen.covers(version.dot);
                let mut versions: Vec<Version> =
                    self.versions.iter().filter(|version| stays(version, other)).cloned().collect();
                let new = |version: &&Version| !self.holds(version.dot) && !self.seen.covers(version.dot);
                versions.extend(other.versions.iter().filter(new).cloned());
                versions.sort_by_key(|version| version.dot);
                self.versions = versions;
                self.seen.join(&other.seen);
            }
            Conflicts::LastWriteWins => {
                self.versions.extend_from_slice(&other.versions);
                let latest = self.versions.drain(..).max_by(Version::order_of_writes);
                self.versions.extend(latest);
            }
        }
    }

    /// A put that this actor coordinates, by a client who has seen so much: replaces what the client has seen, and stands
    /// beside the rest.
    pub fn put(&mut self, context: &Context, actor: Actor, stamp: u64, value: Value, conflicts: Conflicts) {
        self.versions.retain(|version| !context.covers(version.dot));
        let dot = Dot { actor, counter: self.seen.known(actor).max(context.known(actor)) + 1 };
        let version = Version { dot, stamp, value };
        match conflicts {
            Conflicts::Siblings => {
                self.seen.join(context);
                self.seen.add(dot);
                self.versions.push(version);
                self.versions.sort_by_key(|version| version.dot);
            }
            Conflicts::LastWriteWins => {
                let other = Object { seen: Context::default(), versions: vec![version] };
                self.sync(&other, conflicts);
            }
        }
    }

    fn holds(&self, dot: Dot) -> bool {
        self.versions.iter().any(|version| version.dot == dot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: Actor = Actor { node: NodeId(0), life: 1 };
    const BEN: Actor = Actor { node: NodeId(1), life: 1 };

    fn put(object: &mut Object, context: &Context, actor: Actor, value: i64) {
        object.put(context, actor, 0, value.into(), Conflicts::Siblings);
    }

    /// Preguiça et al. 2012, section 2: two clients read the same and write through one server. A version vector of servers
    /// takes the second write for a successor of the first.
    #[test]
    fn two_clients_of_one_server_with_the_same_context_are_concurrent() {
        let mut object = Object::default();
        put(&mut object, &Context::default(), ANNA, 1);
        let both_have_read = object.seen.clone();
        put(&mut object, &both_have_read, ANNA, 2);
        put(&mut object, &both_have_read, ANNA, 3);
        assert_eq!(object.values(), [2.into(), 3.into()]);
        let seen = object.seen.clone();
        put(&mut object, &seen, BEN, 4);
        assert_eq!(object.values(), [4.into()], "who has seen both replaces both");
    }

    #[test]
    fn copies_agree_in_whichever_order_they_meet() {
        let mut first = Object::default();
        put(&mut first, &Context::default(), ANNA, 1);
        let mut second = first.clone();
        let seen = first.seen.clone();
        put(&mut first, &seen, ANNA, 2);
        put(&mut second, &Context::default(), BEN, 3);
        let synced = |into: &Object, from: &Object| {
            let mut object = into.clone();
            object.sync(from, Conflicts::Siblings);
            object
        };
        let together = synced(&first, &second);
        assert_eq!(together, synced(&second, &first));
        assert_eq!(together, synced(&together, &first));
        assert_eq!(
            together.values(),
            [2.into(), 3.into()],
            "what the second has not replaced stays, what the first has goes"
        );
    }

    #[test]
    fn a_token_reads_back() {
        let mut object = Object::default();
        put(&mut object, &Context::default(), ANNA, 1);
        put(&mut object, &Context::default(), BEN, 2);
        assert_eq!(Context::from_token(&object.seen.to_token()), object.seen);
        assert_eq!(Context::from_token(&Value::Int(3)), Context::default());
    }

    #[test]
    fn the_last_write_wins_by_its_stamp_then_by_its_value() {
        let mut object = Object::default();
        object.put(&Context::default(), ANNA, 10, 1.into(), Conflicts::LastWriteWins);
        object.put(&Context::default(), BEN, 9, 2.into(), Conflicts::LastWriteWins);
        assert_eq!(object.values(), [1.into()]);
        object.put(&Context::default(), BEN, 10, 3.into(), Conflicts::LastWriteWins);
        assert_eq!(object.values(), [3.into()]);
    }
}
