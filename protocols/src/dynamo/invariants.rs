//! What must hold after every step.
//!
//! The laws look on from outside: no rule of the protocol reads them, and they read no flaw. They keep a register of every
//! version that ever was, by its dot, and remember of each key on each node what that had there last.
//!
//! A step may change several keys, and a node says which. Where there are no siblings, an object has no context: then of those
//! laws only what stamps can say is left.

use super::Dynamo;
use super::data::Versioned;
use super::membership::View;
use super::versions::{Conflicts, Dot, Object, Version};
use history::Key;
use sim_core::laws::{Breach, Laws, Nodes};
use sim_core::protocol::NodeId;
use std::collections::{BTreeMap, BTreeSet};

const ONE_PUT_A_DOT: &str = "one put a dot";
const VERSIONS_WERE_PUT: &str = "versions were put";
const SEEN_NEVER_SHRINKS: &str = "seen never shrinks";
const REPLACED_STAYS_REPLACED: &str = "replaced stays replaced";
const DOTS_WITHIN_SEEN: &str = "dots within seen";
const HOME_NODES_DIFFER: &str = "home nodes differ";
const VIEWS_GO_FORWARD: &str = "views go forward";

/// Dynamo's laws, and what they remember.
#[derive(Clone, Debug)]
pub struct DynamoLaws {
    /// Every version that ever was.
    versions: BTreeMap<(Key, Dot), Version>,
    /// By node id: what it had of each key when last looked at.
    had: Vec<BTreeMap<Key, Object>>,
    /// By node id: what it knew of the ring when last looked at, and a hash of that.
    knew: Vec<Option<(u64, View)>>,
}

/// A law that does not hold, and what happened.
type Broken = (&'static str, String);

impl<D: Versioned> Laws<Dynamo<D>> for DynamoLaws {
    const NAMES: &'static [&'static str] = &[
        ONE_PUT_A_DOT,
        VERSIONS_WERE_PUT,
        SEEN_NEVER_SHRINKS,
        REPLACED_STAYS_REPLACED,
        DOTS_WITHIN_SEEN,
        HOME_NODES_DIFFER,
        VIEWS_GO_FORWARD,
    ];

    fn new(nodes: usize) -> Self {
        DynamoLaws { versions: BTreeMap::new(), had: vec![BTreeMap::new(); nodes], knew: vec![None; nodes] }
    }

    /// It has what its journal kept, which may be less than it had. Versions stay in the register: others may have them, and
    /// nobody else may ever have their dots.
    fn after_start(&mut self, node: NodeId, nodes: &Nodes<'_, Dynamo<D>>) -> Result<(), Breach> {
        self.had[node.0 as usize].clear();
        self.knew[node.0 as usize] = None;
        let Some(dynamo) = nodes.get(node) else { return Ok(()) };
        dynamo.hints.iter().try_for_each(|(key, object)| self.enter(dynamo, key, object))?;
        dynamo.store.iter().try_for_each(|(key, _)| self.look(dynamo, key))
    }

    #[inline]
    fn after_step(&mut self, node: NodeId, nodes: &Nodes<'_, Dynamo<D>>) -> Result<(), Breach> {
        let Some(dynamo) = nodes.get(node) else { return Ok(()) };
        dynamo.hints.latest().try_for_each(|(key, object)| self.enter(dynamo, key, object))?;
        dynamo.store.latest().iter().try_for_each(|key| self.look(dynamo, *key))?;
        self.look_at_view(dynamo)
    }
}

impl DynamoLaws {
    /// Of each member a node knows what it knew, or something later (4.8.1: each member's history is reconciled). Who has left
    /// stays away until it joins anew.
    fn look_at_view<D: Versioned>(&mut self, dynamo: &Dynamo<D>) -> Result<(), Breach> {
        let (digest, view) = (dynamo.membership.digest(), dynamo.membership.view());
        let knew = &mut self.knew[dynamo.me.0 as usize];
        if knew.as_ref().is_some_and(|(before, _)| *before == digest) {
            return Ok(());
        }
        let back = knew.replace((digest, view.clone())).and_then(|(_, before)| view.went_back_on(&before));
        let told = |node| format!("{} believes something of {node} that is older than what it knew", dynamo.me);
        back.map_or(Ok(()), |node| Err(Breach { law: VIEWS_GO_FORWARD, detail: told(node) }))
    }

    /// Looks at one key on one node.
    fn look<D: Versioned>(&mut self, dynamo: &Dynamo<D>, key: Key) -> Result<(), Breach> {
        let broken = |(law, what): Broken| breach(dynamo.me, key, law, what);
        let Some(object) = dynamo.store.get(key) else {
            self.had[dynamo.me.0 as usize].remove(&key);
            return Ok(());
        };
        self.enter(dynamo, key, object)?;
        let (conflicts, had) = (dynamo.config.conflicts, &mut self.had[dynamo.me.0 as usize]);
        if let Some(before) = had.insert(key, object.clone()) {
            follows(&before, object, conflicts).map_err(broken)?;
        }
        home_nodes_differ(dynamo.ring.now().homes_of(key)).map_err(broken)
    }

    /// Enters what a node keeps of a key, for itself or for another, into the register. Who stands in for a home node may
    /// coordinate too, and then has what it numbers in a hint alone.
    fn enter<D: Versioned>(&mut self, dynamo: &Dynamo<D>, key: Key, object: &Object) -> Result<(), Breach> {
        let broken = |(law, what): Broken| breach(dynamo.me, key, law, what);
        let conflicts = dynamo.config.conflicts;
        for version in &object.versions {
            register(&mut self.versions, key, version, dynamo.me, conflicts).map_err(broken)?;
        }
        is_in_order(object, conflicts).map_err(broken)
    }
}

fn breach(node: NodeId, key: Key, law: &'static str, what: String) -> Breach {
    Breach { law, detail: format!("{node} {what}, k{key}") }
}

/// A dot names one put for ever, on all nodes, and nobody alters what was put. With siblings the coordinator of a put is the
/// first to have it, as it has to know what it numbers (6.4).
fn register(
    versions: &mut BTreeMap<(Key, Dot), Version>,
    key: Key,
    version: &Version,
    holder: NodeId,
    conflicts: Conflicts,
) -> Result<(), Broken> {
    match versions.get(&(key, version.dot)) {
        Some(put) if put != version => {
            let what = format!("has {} under {:?}, under which {} was put", told(version), put.dot, told(put));
            Err((ONE_PUT_A_DOT, what))
        }
        None if version.dot.actor.node != holder && conflicts == Conflicts::Siblings => {
            let what = format!("has {} under {:?}, which nobody has put", told(version), version.dot);
            Err((VERSIONS_WERE_PUT, what))
        }
        None => {
            versions.insert((key, version.dot), version.clone());
            Ok(())
        }
        Some(_) => Ok(()),
    }
}

fn told(version: &Version) -> String {
    format!("{} of {}", version.value, version.stamp)
}

/// Every version has been seen, and there is one of each. Where the last write wins there is one at all.
fn is_in_order(object: &Object, conflicts: Conflicts) -> Result<(), Broken> {
    let is_right = match conflicts {
        Conflicts::Siblings => {
            object.versions.iter().all(|version| object.seen.covers(version.dot))
                && object.versions.is_sorted_by(|a, b| a.dot < b.dot)
        }
        Conflicts::LastWriteWins => object.versions.len() == 1 && object.seen.is_empty(),
    };
    let what = || format!("has {:?} and has seen {:?}", object.versions, object.seen);
    if is_right { Ok(()) } else { Err((DOTS_WITHIN_SEEN, what())) }
}

/// What a node has seen of a key it knows as long as it keeps that; and what was replaced of it does not come back (4.4).
fn follows(before: &Object, now: &Object, conflicts: Conflicts) -> Result<(), Broken> {
    if conflicts == Conflicts::LastWriteWins {
        let latest = |object: &Object| object.versions.iter().map(|version| version.stamp).max();
        let (before, now) = (latest(before), latest(now));
        let what = || format!("had a write of {before:?} and now has one of {now:?}");
        return if before <= now { Ok(()) } else { Err((SEEN_NEVER_SHRINKS, what())) };
    }
    if !now.seen.includes(&before.seen) {
        return Err((SEEN_NEVER_SHRINKS, format!("had seen {:?} and now {:?}", before.seen, now.seen)));
    }
    let is_back = |version: &&Version| before.seen.covers(version.dot) && !before.holds(version.dot);
    match now.versions.iter().find(is_back) {
        Some(version) => Err((REPLACED_STAYS_REPLACED, format!("has {version:?} again, which was replaced"))),
        None => Ok(()),
    }
}

/// "The preference list for a key is constructed by skipping positions in the ring to ensure that the list contains only
/// distinct physical nodes" (4.3).
fn home_nodes_differ(homes: &[NodeId]) -> Result<(), Broken> {
    let distinct: BTreeSet<&NodeId> = homes.iter().collect();
    if distinct.len() == homes.len() {
        return Ok(());
    }
    Err((HOME_NODES_DIFFER, format!("takes {homes:?} for {} home nodes", homes.len())))
}

#[cfg(test)]
mod tests;
