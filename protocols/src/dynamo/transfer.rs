//! Keys find their way to who keeps them: before a ring changes, and after (4.9).
//!
//! While somebody joins or leaves, puts go to the home nodes of both rings, and are acknowledged when W of the old *and* W of
//! the new have them. (Cassandra lets pending ones raise the number it waits for. That does not say *whose* answers count; two
//! quorums do, so whoever reads by either ring meets what was written.) What was put before is fetched, and then the ring changes:
//!
//! 1. **Whoever will keep more fetches it**, range by range, page by page, from so many of those who keep it now that one of
//!    them has every acknowledged put: N - W + 1. They serve nobody who knows of another ring, and tell their own ring ahead of any
//!    acknowledgement to who may know an older one, so no put slips by between the page and the change.
//! 2. Each tells the one who joins or leaves that it has everything; when all have, that one is normal, or gone.
//! 3. **Who keeps what is not its own any more hands it over**, and drops it when all home nodes have it.
//!
//! A node always knows by which ring it has what it should ([`Transfer::has`]), in its journal. Whatever happens, restarts,
//! removals, lost disks, two changes that did not know of each other: what the ring says beyond that it fetches.
//! Until it has, it answers no reads of that.
//!
//! **No key is dropped by all.** A node says "taken" of what is its own by its ring only, and who drops counts what was said
//! since the key was last its own. Of nodes that had each dropped a key on the word of the others, the one that kept it last would
//! have relied on somebody who kept it later still.

use super::config::Quorum;
use super::data::Versioned;
use super::membership::Status;
use super::ring::{Circle, Ring, position};
use super::versions::Object;
use super::{Dynamo, Message, Record, Timer};
use crate::hashing::ring::Arc;
use history::Key;
use serde::Serialize;
use sim_core::protocol::{Ctx, NodeId, Observation};
use std::collections::{BTreeMap, BTreeSet};

/// A range that this node will keep has come from those who kept it.
pub(super) const FETCHED: &str = "range fetched";

/// So many keys go into a message.
const PAGE: usize = 32;
/// So often a page is sent before another has its turn: some of its home nodes may be down for long.
const TRIES: u32 = 10;

/// Positions on the circle: behind the first, up to the second and with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Range {
    after: u64,
    through: u64,
}

impl Range {
    fn arc(self) -> Arc {
        Arc { after: self.after, through: self.through }
    }
}

/// Part of what a node keeps in a range: one of several pages.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page {
    range: Range,
    /// Keys up to this one were asked for before.
    after: Option<Key>,
    objects: Vec<(Key, Object)>,
    /// Whether there are no more.
    is_last: bool,
}

/// A range that this node has to have.
#[derive(Clone, Debug)]
struct Wanted {
    range: Range,
    /// Who kept it by the ring before and who keeps it by this, without this node: of each so many are needed.
    quorums: Vec<(Vec<NodeId>, usize)>,
    /// Up to which key others have told what they have.
    upto: BTreeMap<NodeId, Option<Key>>,
    done: BTreeSet<NodeId>,
}

impl Wanted {
    fn is_complete(&self) -> bool {
        let has =
            |(of, needed): &(Vec<NodeId>, usize)| of.iter().filter(|node| self.done.contains(node)).count() >= *needed;
        self.quorums.iter().all(has)
    }

    fn sources(&self) -> BTreeSet<NodeId> {
        self.quorums.iter().flat_map(|(of, _)| of).copied().filter(|node| !self.done.contains(node)).collect()
    }
}

/// A key that is handed over.
#[derive(Clone, Debug)]
struct Handed {
    object: Object,
    waits_for: BTreeSet<NodeId>,
}

/// What a node fetches and hands over.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// The ring by which it has what it should.
    has: Ring,
    /// What it still has to fetch for the ring that it knows.
    wanted: Vec<Wanted>,
    /// Those ranges that it has fetched already.
    fetched: Vec<Range>,
    /// Who has everything for that ring; only who joins or leaves asks.
    ready: BTreeSet<NodeId>,
    /// Keys that are on their way to their home nodes, and the number of their page.
    handed: BTreeMap<Key, Handed>,
    page: u64,
    /// How often it was sent.
    tries: u32,
    /// There may be keys here that are others', behind this one or from the beginning.
    may_have_strays: bool,
    looked_upto: Option<Key>,
}

impl Transfer {
    /// That of a node which has what a ring says, and these ranges besides. The numbers of its pages begin where no earlier life
    /// has numbered.
    pub fn new(has: Ring, fetched: Vec<Range>, page: u64) -> Self {
        Transfer {
            has,
            fetched,
            wanted: Vec::new(),
            ready: BTreeSet::new(),
            handed: BTreeMap::new(),
            page,
            tries: 0,
            may_have_strays: true,
            looked_upto: None,
        }
    }

    /// Whether a key is in a range that was not fetched yet.
    fn lacks(&self, key: Key) -> bool {
        !self.wanted.is_empty() && self.wanted.iter().any(|wanted| wanted.range.arc().contains(position(key)))
    }
}

impl<D: Versioned> Dynamo<D> {
    /// The ring is another: what was under way was for the old one.
    pub(super) fn ring_changed(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.transfer.fetched.clear();
        self.ask_further(ctx);
        self.begin_transfer(ctx);
    }

    /// Finds what has to be fetched and handed over by the ring that this node knows.
    pub(super) fn begin_transfer(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.transfer.wanted = self.wanted();
        self.transfer.ready.clear();
        // What was said of these was said to who may have kept them again since.
        self.transfer.handed.clear();
        self.transfer.looked_upto = None;
        self.transfer.may_have_strays = true;
        self.go_on(ctx);
    }

    fn wanted(&self) -> Vec<Wanted> {
        let ranges = self.ring.gained(self.me, &self.transfer.has).into_iter();
        let ranges = ranges.map(|arc| Range { after: arc.after, through: arc.through });
        let is_new = |range: &Range| !self.transfer.fetched.contains(range);
        ranges.filter(is_new).map(|range| self.wanted_range(range)).collect()
    }

    fn wanted_range(&self, range: Range) -> Wanted {
        let quorum_of = |circle: &Circle| {
            let can_have_it = |node: &NodeId| *node != self.me && self.ring.members().contains(node);
            let homes: Vec<NodeId> = circle.homes_at(range.through).iter().copied().filter(can_have_it).collect();
            let needed = (self.config.n + 1 - self.config.w).min(homes.len());
            (homes, needed)
        };
        let quorums = vec![quorum_of(self.transfer.has.now()), quorum_of(self.ring.now())];
        Wanted { range, quorums, upto: BTreeMap::new(), done: BTreeSet::new() }
    }

    /// Does what can be done at once, and what is left later.
    pub(super) fn go_on(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.fetch(ctx);
        self.report(ctx);
        self.hand_over(ctx);
        // Whoever was asked and does not answer is asked again.
        let has_to_wait =
            self.ring.is_changing() || !self.transfer.wanted.is_empty() || !self.transfer.handed.is_empty();
        if has_to_wait || self.transfer.may_have_strays {
            ctx.arm(Timer::Transfer, self.config.replica_timeout);
        }
    }

    /// Asks for the next range. If there is none, this node has what the ring says.
    fn fetch(&mut self, ctx: &mut Ctx<'_, Self>) {
        let ring = self.ring.digest();
        while let Some(wanted) = self.transfer.wanted.first() {
            if !wanted.is_complete() {
                for node in wanted.sources() {
                    self.ask_for_page(node, ctx);
                }
                return;
            }
            let range = wanted.range;
            self.transfer.fetched.push(range);
            self.transfer.wanted.remove(0);
            self.write(Record::Fetched { range }, ctx);
        }
        if self.transfer.has.digest() != ring {
            self.transfer.has = self.ring.clone();
            self.transfer.fetched.clear();
            self.write(self.has_record(), ctx);
        }
    }

    fn ask_for_page(&mut self, node: NodeId, ctx: &mut Ctx<'_, Self>) {
        let Some(wanted) = self.transfer.wanted.first() else { return };
        let after = wanted.upto.get(&node).copied().flatten();
        self.send(node, Message::Fetch { ring: self.ring.digest(), range: wanted.range, after }, ctx);
    }

    /// Somebody fetches what it will keep.
    pub(super) fn on_fetch(
        &mut self,
        from: NodeId,
        ring: u64,
        (range, after): (Range, Option<Key>),
        ctx: &mut Ctx<'_, Self>,
    ) {
        self.tell_view_first(from, ctx);
        if ring != self.ring.digest() {
            // One of the two knows more, and then both do.
            self.send(from, Message::Gossip { digest: self.membership.view().digest() }, ctx);
            return;
        }
        let is_in = |key: Key| after.is_none_or(|after| key > after) && range.arc().contains(position(key));
        let mut found = self.store.iter().filter(|(key, _)| is_in(*key));
        let objects: Vec<(Key, Object)> =
            found.by_ref().take(PAGE).map(|(key, object)| (key, object.clone())).collect();
        let page = Page { range, after, objects, is_last: found.next().is_none() };
        self.send(from, Message::Page { ring, page }, ctx);
    }

    pub(super) fn on_page(&mut self, from: NodeId, ring: u64, page: Page, ctx: &mut Ctx<'_, Self>) {
        self.keep_all(&page.objects, ctx);
        let is_now = ring == self.ring.digest();
        let Some(wanted) = self.transfer.wanted.first_mut().filter(|wanted| is_now && wanted.range == page.range)
        else {
            return;
        };
        if wanted.upto.get(&from).copied().flatten() != page.after || wanted.done.contains(&from) {
            return;
        }
        if let Some((last, _)) = page.objects.last() {
            wanted.upto.insert(from, Some(*last));
        }
        if page.is_last {
            wanted.done.insert(from);
        }
        if !page.is_last {
            self.ask_for_page(from, ctx);
        } else if self.transfer.wanted.first().is_some_and(Wanted::is_complete) {
            ctx.observe(Observation::Recovered(FETCHED));
            self.fetch(ctx);
            self.report(ctx);
        }
    }

    fn keep_all(&mut self, objects: &[(Key, Object)], ctx: &mut Ctx<'_, Self>) {
        objects.iter().for_each(|(key, object)| self.keep(*key, object, ctx));
    }

    /// Who has everything for the ring as it will be says so to who joins or leaves.
    fn report(&mut self, ctx: &mut Ctx<'_, Self>) {
        let ring = self.ring.digest();
        let is_ready = self.transfer.has.digest() == ring && self.transfer.wanted.is_empty();
        let Some(node) = self.membership.view().changing(self.config.n).filter(|_| is_ready) else { return };
        if node == self.me {
            self.on_ready(node, ring, ctx);
        } else if self.ring.coming().members().contains(&self.me) {
            self.send(node, Message::Ready { ring }, ctx);
        }
    }

    /// Somebody has everything. When all who will keep more have, whoever joins is a member, and whoever leaves is none.
    pub(super) fn on_ready(&mut self, from: NodeId, ring: u64, ctx: &mut Ctx<'_, Self>) {
        let view = self.membership.view();
        if ring != self.ring.digest() || view.changing(self.config.n) != Some(self.me) {
            return;
        }
        let status = if view.status(self.me) == Some(Status::Joining) { Status::Normal } else { Status::Gone };
        self.transfer.ready.insert(from);
        let is_ready = self.transfer.has.digest() == ring && self.transfer.wanted.is_empty();
        if is_ready && self.ring.gainers().iter().all(|node| *node == self.me || self.transfer.ready.contains(node)) {
            self.announce(self.me, status, ctx);
        }
    }

    /// Sends the next page of keys that are others' to them, or again what they have not acknowledged.
    fn hand_over(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.transfer.tries += 1;
        if self.transfer.handed.is_empty() || self.transfer.tries > TRIES {
            self.next_strays();
        }
        let mut pages: BTreeMap<NodeId, Vec<(Key, Object)>> = BTreeMap::new();
        for (key, handed) in &self.transfer.handed {
            for node in &handed.waits_for {
                pages.entry(*node).or_default().push((*key, handed.object.clone()));
            }
        }
        for (node, objects) in pages {
            self.tell_view_first(node, ctx);
            self.send(node, Message::HandOver { page: self.transfer.page, objects }, ctx);
        }
    }

    fn next_strays(&mut self) {
        if !self.transfer.may_have_strays {
            return;
        }
        let after = self.transfer.looked_upto;
        let is_stray = |key: Key| {
            after.is_none_or(|after| key > after)
                && !self.ring.keeps(self.me, key)
                && !self.ring.keepers(key).is_empty()
        };
        let strays = self.store.iter().filter(|(key, _)| is_stray(*key)).take(PAGE);
        let handed = |(key, object): (Key, &Object)| {
            (key, Handed { object: object.clone(), waits_for: self.ring.keepers(key).into_iter().collect() })
        };
        self.transfer.handed = strays.map(handed).collect();
        self.transfer.page += 1;
        self.transfer.tries = 0;
        self.transfer.looked_upto = self.transfer.handed.last_key_value().map(|(key, _)| *key);
        // What came while it looked is found when it looks from the beginning.
        self.transfer.may_have_strays = after.is_some() || self.transfer.looked_upto.is_some();
    }

    /// Others' keys that are handed to this node: of those that are its own it says so.
    pub(super) fn on_hand_over(&mut self, from: NodeId, page: u64, objects: &[(Key, Object)], ctx: &mut Ctx<'_, Self>) {
        self.keep_all(objects, ctx);
        let keys: Vec<Key> = objects.iter().map(|(key, _)| *key).filter(|key| self.ring.keeps(self.me, *key)).collect();
        self.tell_view_first(from, ctx);
        self.send(from, Message::Taken { page, keys }, ctx);
    }

    pub(super) fn on_taken(&mut self, from: NodeId, page: u64, keys: &[Key], ctx: &mut Ctx<'_, Self>) {
        if page != self.transfer.page {
            return;
        }
        for key in keys {
            let Some(handed) = self.transfer.handed.get_mut(key) else { continue };
            handed.waits_for.remove(&from);
            if !handed.waits_for.is_empty() {
                continue;
            }
            let is_the_same = self.store.get(*key) == Some(&handed.object);
            self.transfer.handed.remove(key);
            if is_the_same {
                self.store.drop_key(*key).into_iter().for_each(|record| self.write(record, ctx));
            }
        }
        if self.transfer.handed.is_empty() {
            self.hand_over(ctx);
        }
    }

    /// A key was put here: if it is others', they are to have it.
    pub(super) fn put_aside(&mut self, key: Key, ctx: &mut Ctx<'_, Self>) {
        if !self.ring.keeps(self.me, key) && !self.transfer.may_have_strays {
            self.transfer.may_have_strays = true;
            ctx.arm(Timer::Transfer, self.config.replica_timeout);
        }
    }

    /// Whether this node answers what it knows of a key. By strict quorums only home nodes do, and only when they have what
    /// they should: an empty answer of one that does not would count for that of one that has it.
    pub(super) fn answers(&self, key: Key) -> bool {
        self.config.quorum == Quorum::Sloppy
            || (self.ring.now().homes_of(key).contains(&self.me) && !self.transfer.lacks(key))
    }

    /// All that has to be in a journal that is written anew, beside the objects.
    pub(super) fn ring_records(&self) -> Vec<Record> {
        let fetched = self.transfer.fetched.iter().map(|range| Record::Fetched { range: *range });
        [Record::Ring { view: self.membership.view().clone() }, self.has_record()].into_iter().chain(fetched).collect()
    }

    pub(super) fn has_record(&self) -> Record {
        let has = &self.transfer.has;
        Record::Has { now: has.now().members().to_vec(), next: has.coming().members().to_vec() }
    }
}

#[cfg(test)]
mod tests;
