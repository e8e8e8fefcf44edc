//! Which of a system's roles is the one that pictures follow.

use history::RoleSpan;
use std::collections::{BTreeMap, BTreeSet};

/// The role whose every term belongs to one node; of several, the one held longest (a candidate is one, but not for long).
pub(crate) fn sole_role(spans: &[RoleSpan]) -> Option<String> {
    let mut holders: BTreeMap<&str, BTreeMap<u64, BTreeSet<&str>>> = BTreeMap::new();
    let mut held: BTreeMap<&str, u64> = BTreeMap::new();
    for span in spans {
        holders.entry(&span.role).or_default().entry(span.term).or_default().insert(&span.node);
        let held = held.entry(&span.role).or_default();
        *held = held.saturating_add(span.to_ns.saturating_sub(span.from_ns));
    }
    let sole = holders.iter().filter(|(_, terms)| terms.values().all(|nodes| nodes.len() == 1)).map(|(role, _)| *role);
    sole.max_by_key(|role| held[role]).map(str::to_owned)
}
