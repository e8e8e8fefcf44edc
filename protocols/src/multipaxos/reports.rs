//! What acceptors say in phase 1 that they hold: "v is the value of the highest-numbered proposal among the responses" (PMS 2.2).

use super::flaws::{ADOPTS_OWN_VALUE, COUNTS_ACROSS_BALLOTS};
use super::{Entry, Held, Slot, Value};
use sim_core::protocol::NodeId;
use sim_core::settings::Flaws;
use std::collections::BTreeMap;

/// By slot, what a proposer has heard of and must propose.
#[derive(Clone, Debug)]
pub(super) struct Reports<Op>(BTreeMap<Slot, Report<Op>>);

/// What acceptors hold in a slot.
#[derive(Clone, Debug)]
pub(super) struct Report<Op> {
    /// What was accepted in the highest ballot.
    pub entry: Entry<Op>,
    /// By whom.
    pub by: Vec<NodeId>,
}

impl<Op> Default for Reports<Op> {
    fn default() -> Self {
        Reports(BTreeMap::new())
    }
}

impl<Op> Reports<Op> {
    /// An acceptor holds this. Of each slot the command of the highest ballot counts.
    pub fn hear(&mut self, from: NodeId, held: Held<Op>, flaws: &Flaws) {
        let Held { slot, entry } = held;
        match self.0.get_mut(&slot) {
            None => {
                self.0.insert(slot, Report { entry, by: vec![from] });
            }
            // The mistake P07: whoever has accepted something counts, in whatever ballot.
            Some(report) if flaws.has(&COUNTS_ACROSS_BALLOTS) => {
                report.by.push(from);
                if entry.ballot > report.entry.ballot {
                    report.entry = entry;
                }
            }
            // The mistake P02: the first one heard of stays, and that is our own.
            Some(_) if flaws.has(&ADOPTS_OWN_VALUE) => {}
            Some(report) if entry.ballot > report.entry.ballot => *report = Report { entry, by: vec![from] },
            Some(report) if entry.ballot == report.entry.ballot => report.by.push(from),
            Some(_) => {}
        }
    }

    /// Forgets the slots before this one.
    pub fn forget_before(&mut self, slot: Slot) {
        self.0 = self.0.split_off(&slot);
    }

    /// Forgets the slots behind this one.
    pub fn forget_behind(&mut self, slot: Slot) {
        self.0.retain(|reported, _| *reported <= slot);
    }

    /// What was reported, by slot.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &Report<Op>)> {
        self.0.iter().map(|(slot, report)| (*slot, report))
    }

    /// What must be proposed for this slot.
    pub fn get(&self, slot: Slot) -> Option<&Value<Op>> {
        self.0.get(&slot).map(|report| &report.entry.value)
    }

    /// The same, once and for all.
    pub fn take(&mut self, slot: Slot) -> Option<Value<Op>> {
        self.0.remove(&slot).map(|report| report.entry.value)
    }

    /// The last slot of which something was reported.
    pub fn last(&self) -> Option<Slot> {
        self.0.last_key_value().map(|(slot, _)| *slot)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
