//! `get` (4.5): R copies put together; and what becomes of those that turn out to be old (5, "read repair").
//!
//! "If stale versions were returned in any of the responses, the coordinator updates those nodes with the latest version. This
//! process is called read repair because it repairs replicas that have missed a recent update at an opportunistic time and
//! relieves the anti-entropy protocol from having to do it."
//!
//! That is done *afterwards*: it makes copies newer, and says nothing of what the next reader finds. If two reads by one
//! client shall never go back, the first may not speak before what it found is on W home nodes (*blocking*, as in Cassandra):
//! then every R that come later include one that has it, where R + W > N.

use super::config::ReadRepair;
use super::coordinator::{AskedState, Coordinated, Place, Query, RequestId, Stage};
use super::data::Versioned;
use super::flaws::{REPAIR_NOT_AWAITED, REPAIR_STAMPS_NOW};
use super::versions::Object;
use super::{Dynamo, Message};
use history::Key;
use sim_core::protocol::{Ctx, NodeId, Observation};
use std::collections::BTreeMap;

/// A read found copies that know less than others, and wrote to them.
pub(super) const REPAIRED: &str = "read repair";

impl<D: Versioned> Dynamo<D> {
    /// Coordinates a `get` of a key with these places.
    pub(super) fn get(&mut self, query: Query<D::Op>, key: Key, places: Vec<Place>, ctx: &mut Ctx<'_, Self>) {
        let request = Coordinated {
            key,
            query: Some(query),
            stage: Stage::Get { found: BTreeMap::new() },
            asked: Vec::new(),
            reserve: places,
            deadline: ctx.now() + self.config.request_timeout,
            due: None,
        };
        self.begin(request, self.config.r, false, ctx);
    }

    /// A node says what it knows.
    pub(super) fn on_got(&mut self, from: NodeId, id: RequestId, object: Object, ctx: &mut Ctx<'_, Self>) {
        if self.found(id, from, object) {
            self.advance(id, ctx);
        }
    }

    /// Notes what a node knows, if anybody still wants to know that.
    pub(super) fn found(&mut self, id: RequestId, node: NodeId, object: Object) -> bool {
        let Some(request) = self.coordination.under_way.get_mut(&id) else { return false };
        let Stage::Get { found } = &mut request.stage else { return false };
        found.insert(node, object);
        request.answered(node);
        true
    }

    /// Enough have answered a read.
    pub(super) fn on_found(&mut self, id: RequestId, ctx: &mut Ctx<'_, Self>) {
        let Some(request) = self.coordination.under_way.get(&id) else { return };
        let Stage::Get { found } = &request.stage else { return };
        let object = self.reconciled(found.values());
        let holders: Vec<NodeId> = found.iter().filter(|(_, copy)| **copy == object).map(|(node, _)| *node).collect();
        let places = request.asked.iter().map(|asked| asked.place).filter(|place| holders.contains(&place.node));
        let is_safe = object.is_empty() || self.is_kept(request.key, &places.map(Place::home).collect());
        // The mistake D05: it answers although the setting says that it waits.
        let waits = self.config.read_repair == ReadRepair::Blocking && !self.config.flaws.has(&REPAIR_NOT_AWAITED);
        if is_safe || !waits { self.tell(id, &object, ctx) } else { self.repair_first(id, &object, &holders, ctx) }
    }

    /// Copies put together ("syntactic reconciliation", 4.4).
    fn reconciled<'a>(&self, copies: impl Iterator<Item = &'a Object>) -> Object {
        let mut all = Object::default();
        for copy in copies {
            all.sync(copy, self.config.rules());
        }
        all
    }

    /// Blocking read repair: the read becomes a write of what it found to all who do not hold it, and is answered like one.
    fn repair_first(&mut self, id: RequestId, object: &Object, holders: &[NodeId], ctx: &mut Ctx<'_, Self>) {
        ctx.observe(Observation::Recovered(REPAIRED));
        let repaired = self.as_repaired(object, ctx);
        let Some(request) = self.coordination.under_way.get_mut(&id) else { return };
        request.stage = Stage::Repair { object: repaired };
        let asked = std::mem::take(&mut request.asked);
        let (kept, lacking): (Vec<_>, Vec<_>) =
            asked.into_iter().partition(|asked| holders.contains(&asked.place.node));
        let more = self.config.w.saturating_sub(kept.len() + lacking.len()).min(request.reserve.len());
        let more: Vec<Place> = request.reserve.drain(..more).collect();
        request.asked = kept;
        request.asked.iter_mut().for_each(|asked| asked.state = AskedState::Answered);
        for place in lacking.into_iter().map(|asked| asked.place).chain(more) {
            self.ask(id, place, ctx);
        }
        if self.ring.is_changing() {
            self.ask_missing(id, ctx);
        }
        // If only this node itself lacked it, that was all.
        self.conclude(id, ctx);
    }

    /// Read repair after the answer: writes what was found to the home nodes that know less.
    pub(super) fn repair(&mut self, key: Key, found: &BTreeMap<NodeId, Object>, ctx: &mut Ctx<'_, Self>) {
        let object = self.reconciled(found.values());
        if self.config.read_repair == ReadRepair::Off || object.is_empty() {
            return;
        }
        let homes: Vec<NodeId> = self.homes(key).collect();
        let is_old = |(node, copy): &(&NodeId, &Object)| homes.contains(node) && **copy != object;
        let old: Vec<NodeId> = found.iter().filter(is_old).map(|(node, _)| *node).collect();
        if old.is_empty() {
            return;
        }
        ctx.observe(Observation::Recovered(REPAIRED));
        let object = self.as_repaired(&object, ctx);
        for node in old {
            if node == self.me {
                self.keep(key, &object, ctx);
            } else {
                self.send(node, Message::Put { request: None, key, object: object.clone() }, ctx);
            }
        }
    }

    /// As read repair writes it: as it was found.
    fn as_repaired(&self, object: &Object, ctx: &Ctx<'_, Self>) -> Object {
        let mut object = object.clone();
        if self.config.flaws.has(&REPAIR_STAMPS_NOW) {
            // The mistake D06: it is older than this says, and beats what was written since.
            let stamp = self.stamp(ctx);
            object.versions.iter_mut().for_each(|version| version.stamp = stamp);
        }
        object
    }
}
