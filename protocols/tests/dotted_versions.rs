//! Dotted versions against the ground truth: causal histories, each a set of events (Schwarz & Mattern 1994).
//!
//! Every put is an event; what a client had seen when it put, and all that went before, is its history. A version is out of date
//! where one that is kept has it in its history, and nowhere else. Sets of events say this outright and grow without bound;
//! version vectors with dots are to say the same in little room (Preguiça et al. 2012; Almeida et al. 2014).

use history::Value;
use proptest::prelude::*;
use protocols::dynamo::versions::{Actor, Conflicts, Context, Dot, Object, Rules, Version};
use sim_core::protocol::NodeId;
use std::collections::{BTreeMap, BTreeSet};

const SIBLINGS: Rules = Rules::of(Conflicts::Siblings);
const LAST_WINS: Rules = Rules::of(Conflicts::LastWriteWins);

const REPLICAS: usize = 4;
const CLIENTS: usize = 3;

/// A put: the dots of all that its client had seen, and its own.
type History = BTreeSet<Dot>;

/// What a replica has: as an object, and in truth.
#[derive(Clone, Debug, Default)]
struct Copy {
    object: Object,
    kept: BTreeMap<Dot, History>,
}

impl Copy {
    fn seen(&self) -> History {
        self.kept.values().flatten().copied().collect()
    }

    fn sync(&mut self, other: &Copy) {
        let before = self.object.clone();
        let has_changed = self.object.sync(&other.object, SIBLINGS);
        assert_eq!(has_changed, self.object != before);
        self.kept.extend(other.kept.clone());
        self.drop_replaced();
    }

    fn drop_replaced(&mut self) {
        let all = self.kept.clone();
        self.kept.retain(|dot, _| !all.iter().any(|(other, history)| other != dot && history.contains(dot)));
    }
}

/// Something happens.
#[derive(Clone, Debug)]
enum Step {
    /// A client reads at a replica.
    Read { client: usize, replica: usize },
    /// A client puts at a replica with what it has seen, or blindly.
    Put { client: usize, replica: usize, is_blind: bool, is_delete: bool },
    /// A replica writes a letter with all that it has.
    Ship { replica: usize },
    /// A letter arrives: any, early or late, for whomever, and perhaps not for the last time.
    Arrive { letter: prop::sample::Index, replica: usize },
    /// A replica loses its memory, and knows that it did.
    Forget { replica: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..CLIENTS, 0..REPLICAS).prop_map(|(client, replica)| Step::Read { client, replica }),
        4 => (0..CLIENTS, 0..REPLICAS, any::<bool>(), any::<bool>()).prop_map(
            |(client, replica, is_blind, is_delete)| Step::Put { client, replica, is_blind, is_delete }
        ),
        3 => (0..REPLICAS).prop_map(|replica| Step::Ship { replica }),
        5 => (any::<prop::sample::Index>(), 0..REPLICAS).prop_map(|(letter, replica)| Step::Arrive { letter, replica }),
        1 => (0..REPLICAS).prop_map(|replica| Step::Forget { replica }),
    ];
    prop::collection::vec(step, 1..80)
}

#[derive(Clone, Debug, Default)]
struct World {
    replicas: Vec<Copy>,
    actors: Vec<(Actor, u64)>,
    clients: Vec<(Context, History)>,
    letters: Vec<Copy>,
}

impl World {
    fn new() -> Self {
        let actor = |node: usize| Actor { node: NodeId(node as u32), life: 0 };
        World {
            replicas: vec![Copy::default(); REPLICAS],
            actors: (0..REPLICAS).map(|node| (actor(node), 0)).collect(),
            clients: vec![Default::default(); CLIENTS],
            letters: vec![Copy::default()],
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Read { client, replica } => {
                let copy = &self.replicas[*replica];
                self.clients[*client] = (copy.object.seen.clone(), copy.seen());
            }
            Step::Put { client, replica, is_blind, is_delete } => {
                let (context, mut history) = if *is_blind { Default::default() } else { self.clients[*client].clone() };
                let (actor, counter) = &mut self.actors[*replica];
                *counter += 1;
                let dot = Dot { actor: *actor, counter: *counter };
                let value = if *is_delete { Value::Nil } else { Value::Int(*counter as i64) };
                let copy = &mut self.replicas[*replica];
                copy.object.put(&context, dot, 0, value, SIBLINGS);
                history.insert(dot);
                copy.kept.insert(dot, history);
                copy.drop_replaced();
            }
            Step::Ship { replica } => self.letters.push(self.replicas[*replica].clone()),
            Step::Arrive { letter, replica } => self.replicas[*replica].sync(letter.get(&self.letters)),
            Step::Forget { replica } => {
                self.replicas[*replica] = Copy::default();
                let (actor, counter) = &mut self.actors[*replica];
                actor.life += 1;
                *counter = 0;
            }
        }
    }
}

fn synced(one: &Object, other: &Object, rules: Rules) -> Object {
    let mut object = one.clone();
    object.sync(other, rules);
    object
}

/// In whichever order copies meet, and however often.
fn is_semilattice(objects: &[Object], rules: Rules) -> Result<(), TestCaseError> {
    let synced = |one: &Object, other: &Object| synced(one, other, rules);
    for a in objects {
        prop_assert_eq!(&synced(a, a), a);
        for b in objects {
            prop_assert_eq!(synced(a, b), synced(b, a));
            prop_assert_eq!(synced(&synced(a, b), b), synced(a, b));
            for c in objects {
                prop_assert_eq!(synced(&synced(a, b), c), synced(a, &synced(b, c)));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_is_what_no_kept_version_has_in_its_history(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
            for copy in &world.replicas {
                let kept: Vec<Dot> = copy.object.versions.iter().map(|version| version.dot).collect();
                prop_assert_eq!(&kept, &copy.kept.keys().copied().collect::<Vec<_>>(), "after {:?}", step);
                let seen = copy.seen();
                prop_assert!(seen.iter().all(|dot| copy.object.seen.covers(*dot)));
                // No more siblings than there are puts of which none knew of any other.
                let is_older = |dot: &Dot| copy.kept.iter().any(|(other, history)| other != dot && history.contains(dot));
                prop_assert!(!copy.kept.keys().any(is_older));
            }
        }
        let everywhere: BTreeMap<Dot, History> =
            world.replicas.iter().flat_map(|copy| copy.kept.clone()).collect();
        for replica in 0..REPLICAS {
            for other in world.replicas.clone() {
                world.replicas[replica].sync(&other);
            }
        }
        let first = &world.replicas[0];
        prop_assert!(world.replicas.iter().all(|copy| copy.object == first.object), "all alike in the end");
        prop_assert!(everywhere.keys().all(|dot| first.object.seen.covers(*dot)));
    }

    #[test]
    fn copies_with_siblings_are_a_semilattice(steps in steps()) {
        let mut world = World::new();
        steps.iter().for_each(|step| world.take(step));
        let copies = world.letters.iter().rev().take(6).chain(&world.replicas);
        let objects: Vec<Object> = copies.map(|copy| copy.object.clone()).collect();
        is_semilattice(&objects, SIBLINGS)?;
    }

    #[test]
    fn copies_where_the_last_write_wins_are_a_semilattice(writes in prop::collection::vec((0..4_u64, 0..3_i64, 0..3_u32), 1..8)) {
        let version = |(counter, (stamp, value, node)): (usize, &(u64, i64, u32))| Version {
            dot: Dot { actor: Actor { node: NodeId(*node), life: 0 }, counter: counter as u64 + 1 },
            stamp: *stamp,
            value: if *value == 0 { Value::Nil } else { Value::Int(*value) },
        };
        let versions: Vec<Version> = writes.iter().enumerate().map(version).collect();
        let one = |version: &Version| Object { seen: Context::default(), versions: vec![version.clone()] };
        let mut objects: Vec<Object> = versions.iter().map(one).collect();
        objects.push(Object::default());
        is_semilattice(&objects, LAST_WINS)?;
        let rank = |version: &Version| (version.stamp, version.is_tombstone(), version.value.clone(), version.dot);
        let mut all = Object::default();
        for object in &objects {
            all.sync(object, LAST_WINS);
        }
        prop_assert_eq!(all.versions.first(), versions.iter().max_by_key(|version| rank(version)));
    }
}

/// A replica that has put twice and lost its memory puts again.
fn forgets(life: u32) -> Vec<Value> {
    let actor = |life| Actor { node: NodeId(0), life };
    let mut elsewhere = Object::default();
    (1..=2).for_each(|value: i64| {
        elsewhere.put(&Context::default(), Dot { actor: actor(0), counter: value as u64 }, 0, value.into(), SIBLINGS)
    });
    let mut forgotten = Object::default();
    forgotten.put(&Context::default(), Dot { actor: actor(life), counter: 1 }, 0, 3.into(), SIBLINGS);
    synced(&forgotten, &elsewhere, SIBLINGS).values()
}

#[test]
fn who_forgot_and_counts_on_loses_data_and_who_begins_another_life_does_not() {
    assert_eq!(forgets(0), [2.into(), 3.into()], "the first put is taken for the third");
    assert_eq!(forgets(1), [1.into(), 2.into(), 3.into()]);
}
