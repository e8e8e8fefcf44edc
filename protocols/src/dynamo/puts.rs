//! `put` (4.5): "the coordinator generates the vector clock for the new version and writes the new version locally. The
//! coordinator then sends the new version (along with the new vector clock) to the N highest-ranked reachable nodes. If at
//! least W-1 nodes respond then the write is considered successful."
//!
//! Who numbers a version keeps it, so that no number is given twice: a home node in its store, who stands in for one in its
//! hint. Where the last write wins a version needs no more than a name of its own, and any node can give it one.

use super::Dynamo;
use super::coordinator::{AskedState, Coordinated, Place, Query, RequestId, Stage, answer};
use super::data::Versioned;
use super::flaws::UNBOUNDED_SIBLINGS;
use super::versions::{Conflicts, Context, Object, Version};
use crate::client::Response;
use history::{Key, Value};
use sim_core::protocol::{Ctx, NodeId};

impl<D: Versioned> Dynamo<D> {
    /// Coordinates a `put` to a key with these places.
    pub(super) fn put(
        &mut self,
        query: Query<D::Op>,
        key: Key,
        value: Value,
        context: &Value,
        places: Vec<Place>,
        ctx: &mut Ctx<'_, Self>,
    ) {
        let context = Context::from_token(context);
        let own = places.iter().find(|place| place.node == self.me).copied();
        let (object, is_kept_here) = match (self.config.conflicts, own) {
            (Conflicts::Siblings, Some(own)) => {
                if context.is_empty() && self.has_too_many_siblings(key) {
                    return answer(&query, Response::Refused, ctx);
                }
                (self.number(key, own, &context, value, ctx), true)
            }
            (Conflicts::LastWriteWins, _) | (Conflicts::Siblings, None) => (self.named(value, ctx), false),
        };
        let request = Coordinated {
            key,
            query: Some(query),
            stage: Stage::Put { object },
            asked: Vec::new(),
            reserve: places,
            deadline: ctx.now() + self.config.request_timeout,
            due: None,
        };
        self.begin(request, self.config.w, is_kept_here, ctx);
    }

    /// What versions are stamped with now.
    pub(super) fn stamp(&self, ctx: &Ctx<'_, Self>) -> u64 {
        ctx.wall().0 / self.config.clock_tick * self.config.clock_tick
    }

    fn has_too_many_siblings(&self, key: Key) -> bool {
        // The mistake D09: nobody counts.
        let is_bounded = self.config.siblings_max > 0 && !self.config.flaws.has(&UNBOUNDED_SIBLINGS);
        is_bounded && self.read(key).live().count() >= self.config.siblings_max
    }

    /// Numbers a new version and keeps it in this node's own place. All that is known of the key then.
    fn number(&mut self, key: Key, own: Place, context: &Context, value: Value, ctx: &mut Ctx<'_, Self>) -> Object {
        let mut object = self.read(key);
        let dot = self.numbering.next(key, &object, ctx.dice());
        object.put(context, dot, self.stamp(ctx), value, self.config.rules());
        match own.stands_in_for {
            None => self.keep(key, &object, ctx),
            Some(home) => self.keep_hint(key, home, object.clone(), ctx),
        }
        object
    }

    /// A version with a name that no other has.
    fn named(&mut self, value: Value, ctx: &Ctx<'_, Self>) -> Object {
        let stamp = self.stamp(ctx);
        Object { seen: Context::default(), versions: vec![Version { dot: self.numbering.name(), stamp, value }] }
    }

    /// Puts a copy together with what this node keeps as a home node.
    pub(super) fn keep(&mut self, key: Key, object: &Object, ctx: &mut Ctx<'_, Self>) {
        self.learns(key, object, ctx);
    }

    /// The same, and whether it said something new.
    pub(super) fn learns(&mut self, key: Key, object: &Object, ctx: &mut Ctx<'_, Self>) -> bool {
        let Some(record) = self.store.merge(key, object, self.config.rules()) else { return false };
        self.write(record, ctx);
        self.put_aside(key, ctx);
        true
    }

    /// Keeps a copy for another.
    pub(super) fn stand_in(&mut self, key: Key, object: Object, home: NodeId, ctx: &mut Ctx<'_, Self>) {
        if home == self.me {
            self.keep(key, &object, ctx);
        } else if self.hints.get(key, home).is_none_or(|hint| hint.object != object) {
            self.keep_hint(key, home, object, ctx);
        }
    }

    /// A node keeps what was spread.
    pub(super) fn on_stored(&mut self, from: NodeId, id: RequestId, ctx: &mut Ctx<'_, Self>) {
        let Some(request) = self.coordination.under_way.get_mut(&id) else { return };
        if !matches!(request.stage, Stage::Get { .. }) {
            request.answered(from);
            self.advance(id, ctx);
        }
    }

    /// A put has gone as far as it will: the coordinator keeps a hint for each home node that does not have it, unless somebody
    /// stands in for that one.
    pub(super) fn keep_hints(&mut self, request: &Coordinated<D::Op>, object: &Object, ctx: &mut Ctx<'_, Self>) {
        if !self.config.hinted_handoff {
            return;
        }
        let answered = request.asked.iter().filter(|asked| asked.state == AskedState::Answered);
        let places = answered.map(|asked| asked.place).chain(request.reserve.iter().copied());
        let covered: Vec<NodeId> = places.map(Place::home).collect();
        let is_missed = |home: &NodeId| *home != self.me && !covered.contains(home);
        let missed: Vec<NodeId> = self.ring.keepers(request.key).into_iter().filter(is_missed).collect();
        for home in missed {
            self.keep_hint(request.key, home, object.clone(), ctx);
        }
    }
}
