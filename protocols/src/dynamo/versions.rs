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
//! that has forgotten the page, or what is on it, must not go on counting there; it is another *life*.

use history::Value;
use serde::Serialize;
use sim_core::protocol::NodeId;
use sim_core::wire::Fingerprint;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::{self, Debug};

/// Who numbers its puts of a key: a node, as long as it remembers what became of them.
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

    /// The number of the last of its puts that is known; 0 if none is.
    pub fn known(&self, actor: Actor) -> u64 {
        self.0.get(&actor).copied().unwrap_or(0)
    }

    /// What either knows. Whether that is more than before.
    pub fn join(&mut self, other: &Context) -> bool {
        let mut has_grown = false;
        for (actor, counter) in &other.0 {
            if self.known(*actor) < *counter {
                self.0.insert(*actor, *counter);
                has_grown = true;
            }
        }
        has_grown
    }

    /// Whether it knows all that the other does.
    pub fn includes(&self, other: &Context) -> bool {
        other.0.iter().all(|(actor, counter)| self.known(*actor) >= *counter)
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

/// How versions are reconciled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What becomes of those of which neither has seen the other.
    pub conflicts: Conflicts,
    /// The mistake D07: of two equal stamps the one that arrives later wins.
    pub are_ties_by_arrival: bool,
    /// The mistake D08: a put replaces all that its coordinator has put before.
    pub are_clocks_of_servers: bool,
}

impl Rules {
    /// As they should be.
    pub const fn of(conflicts: Conflicts) -> Self {
        Rules { conflicts, are_ties_by_arrival: false, are_clocks_of_servers: false }
    }
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

    /// The versions that stand, without tombstones.
    pub fn live(&self) -> impl Iterator<Item = &Version> + '_ {
        self.versions.iter().filter(|version| !version.is_tombstone())
    }

    /// The values that stand, without tombstones.
    pub fn values(&self) -> Vec<Value> {
        let mut values: Vec<Value> = self.live().map(|version| version.value.clone()).collect();
        values.sort();
        values.dedup();
        values
    }

    /// Whether all that is left of it says that there is nothing.
    pub fn is_tombstone(&self) -> bool {
        !self.versions.is_empty() && self.versions.iter().all(Version::is_tombstone)
    }

    /// The same number for equal objects, and as good as never for others.
    pub fn digest(&self) -> u64 {
        let mut hash = Fingerprint::default();
        hash.item(self);
        hash.digest()
    }

    /// The same of the versions that a reader would find.
    pub fn live_digest(&self) -> u64 {
        let mut hash = Fingerprint::default();
        self.live().for_each(|version| hash.item(version));
        hash.digest()
    }

    /// Whether this version is among those that stand.
    pub fn holds(&self, dot: Dot) -> bool {
        self.versions.binary_search_by_key(&dot, |version| version.dot).is_ok()
    }

    /// Puts two copies together. What either has seen and does not hold has been replaced. Whether that changed this one: most
    /// copies that meet are equal.
    pub fn sync(&mut self, other: &Object, rules: Rules) -> bool {
        match rules.conflicts {
            Conflicts::Siblings => {
                let before = self.versions.len();
                self.versions.retain(|version| other.holds(version.dot) || !other.seen.covers(version.dot));
                let has_lost = self.versions.len() < before;
                let kept = self.versions.len();
                let new = other.versions.iter().filter(|version| !self.seen.covers(version.dot));
                self.versions.extend(new.cloned());
                let has_gained = self.versions.len() > kept;
                if has_gained {
                    self.versions.sort_unstable_by_key(|version| version.dot);
                }
                self.seen.join(&other.seen) || has_lost || has_gained
            }
            Conflicts::LastWriteWins => {
                let theirs = other.versions.iter().max_by(|a, b| a.order_of_writes(b));
                let ours = self.versions.iter().max_by(|a, b| a.order_of_writes(b));
                let wins = |theirs: &Version, ours: &Version| match rules.are_ties_by_arrival {
                    // The mistake D07: copies that met in another order differ for good.
                    true => theirs.dot != ours.dot && theirs.stamp >= ours.stamp,
                    false => theirs.order_of_writes(ours).is_gt(),
                };
                let Some(later) = theirs.filter(|theirs| ours.is_none_or(|ours| wins(theirs, ours))) else {
                    return false;
                };
                self.versions = vec![later.clone()];
                true
            }
        }
    }

    /// A put under a number that nobody has seen yet, by a client who has seen so much: replaces what the client has seen, and
    /// stands beside the rest.
    pub fn put(&mut self, context: &Context, dot: Dot, stamp: u64, value: Value, rules: Rules) {
        let version = Version { dot, stamp, value };
        match rules.conflicts {
            Conflicts::Siblings => {
                self.versions.retain(|version| !context.covers(version.dot));
                if rules.are_clocks_of_servers {
                    // The mistake D08: this clock says of all that this actor put before that the new version has seen it.
                    self.versions.retain(|version| version.dot.actor != dot.actor);
                }
                self.seen.join(context);
                self.seen.add(dot);
                let place = self.versions.partition_point(|version| version.dot < dot);
                self.versions.insert(place, version);
            }
            Conflicts::LastWriteWins => {
                self.sync(&Object { seen: Context::default(), versions: vec![version] }, rules);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIBLINGS: Rules = Rules::of(Conflicts::Siblings);
    const LAST_WINS: Rules = Rules::of(Conflicts::LastWriteWins);
    const ANNA: Actor = Actor { node: NodeId(0), life: 1 };
    const BEN: Actor = Actor { node: NodeId(1), life: 1 };

    fn put(object: &mut Object, context: &Context, actor: Actor, value: i64) {
        let dot = Dot { actor, counter: object.seen.known(actor) + 1 };
        object.put(context, dot, 0, value.into(), SIBLINGS);
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
        let mut together = first.clone();
        assert!(together.sync(&second, SIBLINGS));
        let mut other_way = second.clone();
        assert!(other_way.sync(&first, SIBLINGS));
        assert_eq!(together, other_way);
        assert!(!together.sync(&first, SIBLINGS), "nothing new");
        let left = [2.into(), 3.into()];
        assert_eq!(together.values(), left, "what the second has not replaced stays, what the first has goes");
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
        let mut put = |actor, stamp, value: Value| {
            object.put(&Context::default(), Dot { actor, counter: 1 }, stamp, value, LAST_WINS);
            object.values()
        };
        assert_eq!(put(ANNA, 10, 1.into()), [1.into()]);
        assert_eq!(put(BEN, 9, 2.into()), [1.into()]);
        assert_eq!(put(BEN, 10, 3.into()), [3.into()]);
        assert_eq!(put(ANNA, 10, Value::Nil), [], "a tombstone wins at equal stamps");
        assert_eq!(put(ANNA, 11, 1.into()), [1.into()]);
    }

    #[test]
    fn with_ties_by_arrival_copies_that_met_in_another_order_differ() {
        let flawed = Rules { are_ties_by_arrival: true, ..LAST_WINS };
        let version = |actor, value: i64| {
            let mut object = Object::default();
            object.put(&Context::default(), Dot { actor, counter: 1 }, 10, value.into(), flawed);
            object
        };
        let (one, two) = (version(ANNA, 1), version(BEN, 2));
        let met = |first: &Object, second: &Object, rules| {
            let mut object = first.clone();
            object.sync(second, rules);
            object.values()
        };
        assert_ne!(met(&one, &two, flawed), met(&two, &one, flawed));
        assert_eq!(met(&one, &two, LAST_WINS), met(&two, &one, LAST_WINS));
    }

    #[test]
    fn a_clock_of_servers_loses_one_of_two_concurrent_puts() {
        let flawed = Rules { are_clocks_of_servers: true, ..SIBLINGS };
        let both = |rules| {
            let mut object = Object::default();
            object.put(&Context::default(), Dot { actor: ANNA, counter: 1 }, 0, 1.into(), rules);
            object.put(&Context::default(), Dot { actor: ANNA, counter: 2 }, 0, 2.into(), rules);
            object.values()
        };
        assert_eq!((both(SIBLINGS), both(flawed)), (vec![1.into(), 2.into()], vec![2.into()]));
    }
}
