//! Hints: what a node keeps for others that were away (4.6).
//!
//! "The replica sent to D will have a hint in its metadata that suggests which node was the intended recipient of the replica.
//! Nodes that receive hinted replicas will keep them in a separate local database that is scanned periodically. Upon detecting
//! that A has recovered, D will attempt to deliver the replica to A. Once the transfer succeeds, D may delete the object."
//!
//! The picture: a parcel left with the neighbours. It is not theirs; but who asks them for it may look in, and when its owner is
//! back they carry it over. They forget it when he has signed for it, not when they have rung his bell.
//!
//! - Parcels for one owner and key are put together, and are as old as the first: what was deleted in the meantime must not come back with them.
//! - Who has signed has signed for what he was shown: what was added in the meantime stays for the next time. So each state of
//!   a hint has a number.
//! - If the owner has moved and the key is at home elsewhere, whoever is at home there is given it instead.
//! - What nobody has fetched within `hint-window` is thrown away. Whether a hint is that old is told by the clock of the machine
//!   that keeps it, through restarts of the process.

use super::flaws::{HINTS_IN_MEMORY, HINTS_OVERWRITE};
use super::versions::{Object, Rules};
use super::{Dynamo, Message, Record, RequestId, Timer, Versioned};
use history::Key;
use sim_core::protocol::{Ctx, NodeId, Observation};
use sim_core::time::{LocalTime, Nanos};
use std::collections::BTreeMap;

/// What was kept for another is on its disk.
pub(super) const HANDED_OVER: &str = "hint handed over";

/// So many hints are on their way to a node at a time.
const OFFERED_MAX: usize = 16;

/// What is kept of a key for a node that was away.
#[derive(Clone, Debug, PartialEq)]
pub struct Hint {
    /// What is known of it.
    pub object: Object,
    /// When the first was added, by this machine's clock.
    pub since: LocalTime,
    /// Names this state of it.
    state: RequestId,
}

/// The hints that a node keeps.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    kept: BTreeMap<(Key, NodeId), Hint>,
    /// What was offered and not yet taken: when, and how many.
    offered: BTreeMap<NodeId, (LocalTime, usize)>,
    made: u64,
    is_armed: bool,
    /// What has changed in this step, so that who looks on need not look at everything.
    latest: Vec<(Key, NodeId)>,
}

impl Hints {
    /// How many there are.
    pub fn kept(&self) -> u64 {
        self.kept.len() as u64
    }

    /// How many there have been, as far as the journal goes back.
    pub fn made(&self) -> u64 {
        self.made
    }

    /// A step begins.
    pub fn begin_step(&mut self) {
        self.latest.clear();
    }

    /// What has been added to in this step.
    pub fn latest(&self) -> impl Iterator<Item = (Key, &Object)> + '_ {
        self.latest.iter().filter_map(|(key, home)| Some((*key, &self.get(*key, *home)?.object)))
    }

    /// All that is kept.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &Object)> + '_ {
        self.kept.iter().map(|((key, _), hint)| (*key, &hint.object))
    }

    /// What is kept of a key, for whomever.
    pub fn of_key(&self, key: Key) -> impl Iterator<Item = &Object> + '_ {
        self.kept.range((key, NodeId(0))..=(key, NodeId(u32::MAX))).map(|(_, hint)| &hint.object)
    }

    /// What is kept of a key for a node.
    pub fn get(&self, key: Key, home: NodeId) -> Option<&Hint> {
        self.kept.get(&(key, home))
    }

    /// Adds to what is kept of a key for a node. The record to write.
    fn add(&mut self, key: Key, home: NodeId, added: Hint, rules: Rules) -> Record {
        self.latest.push((key, home));
        let made = &mut self.made;
        let hint = self.kept.entry((key, home)).or_insert_with(|| {
            *made += 1;
            Hint { object: Object::default(), since: added.since, state: added.state }
        });
        hint.object.sync(&added.object, rules);
        // Whoever passes a hint on passes its age on: what is older than the window may tell of what was deleted and is
        // forgotten everywhere else.
        hint.since = hint.since.min(added.since);
        hint.state = added.state;
        record(key, home, hint)
    }

    /// A record that was found in the journal.
    pub fn replay(&mut self, record: &Record) {
        match record {
            Record::Hint { key, home, object, since, state } => {
                let hint = Hint { object: object.clone(), since: *since, state: *state };
                self.made += u64::from(self.kept.insert((*key, *home), hint).is_none());
            }
            Record::HintDone { key, home } => {
                self.kept.remove(&(*key, *home));
            }
            Record::Object { .. }
            | Record::Dropped { .. }
            | Record::Ring { .. }
            | Record::Has { .. }
            | Record::Fetched { .. } => {}
        }
    }

    /// Everything, as a journal written anew.
    pub fn records(&self) -> impl Iterator<Item = Record> + '_ {
        self.kept.iter().map(|((key, home), hint)| record(*key, *home, hint))
    }

    /// For whom there are any.
    fn homes(&self) -> Vec<NodeId> {
        let mut homes: Vec<NodeId> = self.kept.keys().map(|(_, home)| *home).collect();
        homes.sort_unstable();
        homes.dedup();
        homes
    }

    /// Takes back what has been offered for so long, and when it was.
    fn unanswered(&mut self, now: LocalTime, longest: Nanos) -> Vec<(NodeId, LocalTime)> {
        let offered = self.offered.iter().map(|(home, (at, _))| (*home, *at));
        let late: Vec<_> = offered.filter(|(_, at)| now.since(*at) >= longest).collect();
        late.iter().for_each(|(home, _)| {
            self.offered.remove(home);
        });
        late
    }

    /// The hints for which this holds.
    fn those(&self, is_one: impl Fn(Key, NodeId, &Hint) -> bool) -> Vec<(Key, NodeId)> {
        let found = self.kept.iter().filter(|((key, home), hint)| is_one(*key, *home, hint));
        found.map(|(name, _)| *name).collect()
    }
}

fn record(key: Key, home: NodeId, hint: &Hint) -> Record {
    let Hint { object, since, state } = hint.clone();
    Record::Hint { key, home, object, since, state }
}

impl<D: Versioned> Dynamo<D> {
    /// How many copies this node keeps for others.
    pub fn hints_kept(&self) -> u64 {
        self.hints.kept()
    }

    /// How many it has ever kept, as far as it remembers.
    pub fn hints_made(&self) -> u64 {
        self.hints.made()
    }

    /// Keeps a copy for a node that seems to be away.
    pub(super) fn keep_hint(&mut self, key: Key, home: NodeId, object: Object, ctx: &mut Ctx<'_, Self>) {
        self.keep_hint_since(ctx.now(), (key, home), object, ctx);
    }

    /// The same of one whose age is known.
    fn keep_hint_since(
        &mut self,
        since: LocalTime,
        (key, home): (Key, NodeId),
        object: Object,
        ctx: &mut Ctx<'_, Self>,
    ) {
        let hint = Hint { object, since, state: self.request_id() };
        let record = self.hints.add(key, home, hint, self.config.rules());
        // The mistake D02: nobody writes it down.
        if !self.config.flaws.has(&HINTS_IN_MEMORY) {
            self.write(record, ctx);
        }
        self.arm_hints(self.config.hint_replay, ctx);
    }

    /// Looks after the hints before long, if there are any.
    pub(super) fn arm_hints(&mut self, after: Nanos, ctx: &mut Ctx<'_, Self>) {
        if !self.hints.is_armed && !self.hints.kept.is_empty() {
            self.hints.is_armed = true;
            ctx.arm(Timer::Hints, after);
        }
    }

    /// It is time to look after the hints.
    pub(super) fn on_hints(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.hints.is_armed = false;
        let (now, window) = (ctx.now(), self.config.hint_window);
        for (home, at) in self.hints.unanswered(now, self.config.replica_timeout) {
            self.missed(home, at, ctx);
        }
        for (key, home) in self.hints.those(|_, _, hint| now.since(hint.since) > window) {
            self.forget_hint(key, home, ctx);
        }
        self.pass_on_strays(ctx);
        for home in self.hints.homes() {
            self.offer(home, ctx);
        }
        self.arm_hints(self.config.hint_replay, ctx);
    }

    /// The ring has changed, and the key is at home elsewhere now: so is its hint.
    fn pass_on_strays(&mut self, ctx: &mut Ctx<'_, Self>) {
        for (key, gone) in self.hints.those(|key, home, _| !self.ring.keeps(home, key)) {
            let Hint { object, since, .. } = self.hints.kept[&(key, gone)].clone();
            for home in self.ring.keepers(key) {
                if home == self.me {
                    self.keep(key, &object, ctx);
                } else {
                    self.keep_hint_since(since, (key, home), object.clone(), ctx);
                }
            }
            self.forget_hint(key, gone, ctx);
        }
    }

    /// Offers a node some of what is kept for it, if it seems to be up.
    fn offer(&mut self, home: NodeId, ctx: &mut Ctx<'_, Self>) {
        if !self.peers.is_up(home) || self.hints.offered.contains_key(&home) {
            return;
        }
        let own = self.hints.kept.iter().filter(|((_, kept_for), _)| *kept_for == home).take(OFFERED_MAX);
        let mut count = 0;
        for ((key, _), hint) in own {
            let message = Message::Hint { key: *key, object: hint.object.clone(), state: hint.state };
            self.send(home, message, ctx);
            count += 1;
        }
        if count > 0 {
            self.hints.offered.insert(home, (ctx.now(), count));
        }
    }

    /// Somebody hands over what he kept for this node.
    pub(super) fn take_hint(
        &mut self,
        from: NodeId,
        key: Key,
        object: &Object,
        state: RequestId,
        ctx: &mut Ctx<'_, Self>,
    ) {
        if self.config.flaws.has(&HINTS_OVERWRITE) {
            // The mistake D13: whatever has been written here in the meantime is gone.
            let record = self.store.overwrite(key, object);
            self.write(record, ctx);
        } else {
            self.keep(key, object, ctx);
        }
        self.send(from, Message::HintTaken { key, state }, ctx);
    }

    /// A node has what was kept for it on its disk.
    pub(super) fn on_hint_taken(&mut self, from: NodeId, key: Key, state: RequestId, ctx: &mut Ctx<'_, Self>) {
        if self.hints.get(key, from).is_some_and(|hint| hint.state == state) {
            ctx.observe(Observation::Recovered(HANDED_OVER));
            self.forget_hint(key, from, ctx);
        }
        let Some((_, left)) = self.hints.offered.get_mut(&from) else { return };
        *left -= 1;
        if *left == 0 {
            self.hints.offered.remove(&from);
            self.offer(from, ctx);
        }
    }

    fn forget_hint(&mut self, key: Key, home: NodeId, ctx: &mut Ctx<'_, Self>) {
        self.hints.kept.remove(&(key, home));
        if !self.config.flaws.has(&HINTS_IN_MEMORY) {
            self.write(Record::HintDone { key, home }, ctx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_as_old_as_the_oldest_in_it() {
        let rules = Rules::of(super::super::versions::Conflicts::Siblings);
        let mut hints = Hints::default();
        let added =
            |since, number| Hint { object: Object::default(), since: LocalTime(since), state: RequestId(number) };
        for (number, since) in (0..).zip([20, 30, 10]) {
            hints.add(7, NodeId(1), added(since, number), rules);
        }
        assert_eq!(hints.get(7, NodeId(1)).map(|hint| hint.since), Some(LocalTime(10)));
        assert_eq!(hints.made(), 1);
    }
}
