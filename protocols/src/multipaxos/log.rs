//! The slots: what an acceptor has accepted in each, and what that looks like on disk.
//!
//! Each slot is an instance of the Synod of its own ("the state machine commands are the values chosen by a sequence of
//! separate instances", *Paxos Made Simple* 3). They are filled out of order: while slot 7 is decided slot 6 may still be empty.
//!
//! Slots at the front can be thrown away once a snapshot stands for them. Then the *base* is the last one gone.
//!
//! On disk it is a journal of [`Record`]s. A promise is a record; so is a run of slots accepted together, which may replace
//! what an earlier one put there. Replaying them in order gives everything back.

use super::ballot::Ballot;
use super::members::Membership;
use super::snapshots::Snapshot;
use crate::machine;
use serde::Serialize;
use sim_core::protocol::Slot as Read;
use sim_core::time::Nanos;
use std::collections::BTreeMap;

/// Numbers the instances, from 1.
pub type Slot = u64;

/// What is to be done once it is chosen.
pub type Command<Op> = machine::Command<Op, Box<Membership>>;

/// What is proposed for a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Value<Op> {
    /// System time: for how long there have been leaders, up to when the first to propose this did. All the time that the state
    /// machine knows ([`crate::sessions`]).
    pub time: Nanos,
    /// What to do once it is chosen.
    pub command: Command<Op>,
}

/// What an acceptor holds for a slot: "the highest-numbered proposal that it has accepted" (2.2); or, where it was told what
/// was chosen, that, with the ballot under which whoever told it holds it. No later ballot proposes anything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry<Op> {
    /// The ballot in which it was accepted.
    pub ballot: Ballot,
    /// What was.
    pub value: Value<Op>,
}

/// A slot and what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held<Op> {
    /// Which.
    pub slot: Slot,
    /// What.
    pub entry: Entry<Op>,
}

/// What a node writes down. "An acceptor must remember this information even if it fails and then restarts" (2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Record<Op> {
    /// It answers no ballot below this one.
    Promised(Ballot),
    /// It has accepted these, each in the ballot that stands with it, which is a promise too.
    Accepted {
        /// What.
        entries: Vec<Held<Op>>,
        /// Everything up to here was known to be chosen by then, as it stands in the journal before this record.
        chosen: Slot,
    },
    /// It was told that these were chosen, from this slot on.
    Chosen {
        /// The slot of the first.
        first: Slot,
        /// What was.
        entries: Vec<Entry<Op>>,
    },
    /// A snapshot; the slots begin behind it.
    Snapshot(Box<Snapshot>),
}

/// The slots in memory.
#[derive(Clone, Debug)]
pub struct Log<Op> {
    /// The last slot thrown away.
    base: Slot,
    /// What is known of those behind it.
    entries: BTreeMap<Slot, Entry<Op>>,
    /// How often something was put into a slot.
    writes: u64,
}

impl<Op> Default for Log<Op> {
    fn default() -> Self {
        Log { base: 0, entries: BTreeMap::new(), writes: 0 }
    }
}

impl<Op: Clone> Log<Op> {
    /// The last slot that is gone; 0 if none is.
    pub fn base(&self) -> Slot {
        self.base
    }

    /// The last slot with something in it, or the base.
    pub fn last(&self) -> Slot {
        self.entries.last_key_value().map_or(self.base, |(slot, _)| *slot)
    }

    /// What is in this slot, unless it is gone.
    pub fn get(&self, slot: Slot) -> Option<&Entry<Op>> {
        self.entries.get(&slot)
    }

    /// Puts something into a slot that is not gone, in the place of what was there.
    pub fn put(&mut self, slot: Slot, entry: Entry<Op>) {
        if slot > self.base {
            self.writes += 1;
            self.entries.insert(slot, entry);
        }
    }

    /// The slots from this one on that have something in them.
    pub fn from(&self, slot: Slot) -> impl Iterator<Item = (Slot, &Entry<Op>)> {
        self.entries.range(slot..).map(|(slot, entry)| (*slot, entry))
    }

    /// The same, to be sent or written down.
    pub fn held_from(&self, slot: Slot) -> Vec<Held<Op>> {
        self.from(slot).map(|(slot, entry)| Held { slot, entry: entry.clone() }).collect()
    }

    /// At most `count` entries from this slot on, up to the first that is empty.
    pub fn run_from(&self, first: Slot, count: u64) -> Vec<Entry<Op>> {
        let run = self.from(first).zip(first..).take(count as usize).take_while(|((slot, _), next)| slot == next);
        run.map(|((_, entry), _)| entry.clone()).collect()
    }

    /// Throws away everything up to and including this slot.
    pub fn truncate(&mut self, to: Slot) {
        if to > self.base {
            self.entries = self.entries.split_off(&(to + 1));
            self.base = to;
        }
    }

    /// How often something was put into a slot. Only laws ask.
    pub fn writes(&self) -> u64 {
        self.writes
    }
}

/// What a journal says, and how much of it could be read.
pub(super) struct Recovered<Op> {
    pub promised: Ballot,
    pub log: Log<Op>,
    /// Everything up to here was known to be chosen.
    pub chosen: Slot,
    pub snapshot: Option<Snapshot>,
    /// How many records were read; what follows is to be dropped.
    pub readable: usize,
}

impl<Op> Recovered<Op> {
    /// Why nobody may go on from here.
    pub(super) fn spoilt(&self, records: usize) -> String {
        format!("record {} of {records} was on disk and does not read back", self.readable + 1)
    }
}

/// Replays a journal up to the first record that does not read back. A torn tail may be dropped: nobody was told of it.
pub(super) fn replay<Op: Clone>(journal: &[Read<Record<Op>>]) -> Recovered<Op> {
    let (promised, log) = (Ballot::ZERO, Log::default());
    let mut found = Recovered { promised, log, chosen: 0, snapshot: None, readable: 0 };
    for read in journal {
        let Read::Ok(record) = read else { break };
        match record {
            Record::Promised(ballot) => found.promised = found.promised.max(*ballot),
            Record::Accepted { entries, chosen } => {
                for Held { slot, entry } in entries {
                    found.promised = found.promised.max(entry.ballot);
                    found.log.put(*slot, entry.clone());
                }
                found.chosen = found.chosen.max(*chosen);
            }
            Record::Chosen { first, entries } => {
                for (slot, entry) in (*first..).zip(entries) {
                    found.log.put(slot, entry.clone());
                    found.chosen = found.chosen.max(slot);
                }
            }
            Record::Snapshot(snapshot) => {
                found.log.truncate(snapshot.last.slot);
                found.chosen = found.chosen.max(snapshot.last.slot);
                found.snapshot = Some((**snapshot).clone());
            }
        }
        found.readable += 1;
    }
    found
}
