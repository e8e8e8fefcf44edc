//! `get` and `put` as their coordinator sees them (4.5): who is asked, whose answers make a quorum, what the client is told.

use super::config::{Coordinators, Quorum};
use super::data::{Asked, Versioned};
use super::ring::Circle;
use super::store::Put;
use super::versions::{Conflicts, Context, Object};
use super::{Dynamo, Message, Timer};
use crate::client::{Answer, Response};
use history::Key;
use serde::Serialize;
use sim_core::protocol::{ClientId, Ctx, NodeId};
use sim_core::time::LocalTime;
use std::collections::{BTreeMap, BTreeSet};

/// Names a request among all that this process coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RequestId(pub u64);

/// A client's request, with all that is needed to answer it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Query<Op> {
    /// Who asks.
    pub client: ClientId,
    /// The client's number for it.
    pub serial: u64,
    /// The client's attempt.
    pub attempt: u32,
    /// What is asked.
    pub op: Op,
}

/// A request under way.
#[derive(Clone, Debug)]
pub struct Coordinated<Op> {
    query: Query<Op>,
    key: Key,
    kind: Kind,
    /// Who was asked and has not answered.
    waiting: Vec<NodeId>,
    /// When the next thing happens if nobody answers.
    deadline: LocalTime,
}

#[derive(Clone, Debug)]
enum Kind {
    /// What each has answered.
    Get { found: BTreeMap<NodeId, Object> },
    /// Who keeps it.
    Put { kept: Vec<NodeId> },
}

/// The requests that a process coordinates.
#[derive(Clone, Debug)]
pub struct Coordination<Op> {
    next: u64,
    under_way: BTreeMap<RequestId, Coordinated<Op>>,
}

impl<Op> Coordination<Op> {
    /// None yet. Numbers begin where no earlier life of this process has numbered: an answer to one of its requests must not
    /// be taken for one of ours.
    pub fn new(first: u64) -> Self {
        Coordination { next: first, under_way: BTreeMap::new() }
    }
}

/// Whom a request may be passed on before somebody coordinates it.
const HOPS_MAX: u32 = 2;

impl<D: Versioned> Dynamo<D> {
    /// Coordinates a request, or passes it on to who should (4.6).
    pub(super) fn take_up(&mut self, query: Query<D::Op>, hops: u32, ctx: &mut Ctx<'_, Self>) {
        let Some(asked) = D::asks(&query.op) else { return refuse(&query, Response::Refused, ctx) };
        let key = D::key(&query.op);
        if !self.coordinates(key, &asked) {
            let home = self.asked_for(key).find(|node| *node != self.me);
            match home {
                Some(home) if hops < HOPS_MAX => self.send(home, Message::Forward { query, hops: hops + 1 }, ctx),
                Some(_) | None => refuse(&query, Response::Redirect(None), ctx),
            }
            return;
        }
        match asked {
            Asked::Get => self.get(query, key, ctx),
            Asked::Put { value, context } => {
                let put = Put {
                    context: Context::from_token(&context),
                    stamp: ctx.wall().0 / self.config.clock_tick * self.config.clock_tick,
                    value,
                    conflicts: self.config.conflicts,
                };
                self.put(query, key, &put, ctx);
            }
        }
    }

    /// Whether this node coordinates what is asked of the key.
    fn coordinates(&self, key: Key, asked: &Asked) -> bool {
        let anyone = self.config.coordinators == Coordinators::Anyone
            && (*asked == Asked::Get || self.config.conflicts == Conflicts::LastWriteWins);
        anyone || self.asked_for(key).any(|node| node == self.me)
    }

    /// The nodes that a request for a key goes to: its home nodes, or the first N that seem to be up.
    fn asked_for(&self, key: Key) -> impl Iterator<Item = NodeId> + '_ {
        self.asked_by(self.ring.now(), key)
    }

    /// The nodes that a put goes to: while the ring changes, those by both rings.
    fn asked_to_keep(&self, key: Key) -> BTreeSet<NodeId> {
        self.asked_for(key).chain(self.asked_by(self.ring.coming(), key)).collect()
    }

    fn asked_by<'a>(&'a self, circle: &'a Circle, key: Key) -> impl Iterator<Item = NodeId> + 'a {
        let is_strict = self.config.quorum == Quorum::Strict;
        let nodes = circle.preference(key);
        nodes.filter(move |node| is_strict || self.peers.is_up(*node)).take(self.config.n)
    }

    fn get(&mut self, query: Query<D::Op>, key: Key, ctx: &mut Ctx<'_, Self>) {
        let id = self.request_id();
        let asked: Vec<NodeId> = self.asked_for(key).collect();
        let others: Vec<NodeId> = asked.iter().copied().filter(|node| *node != self.me).collect();
        for node in &others {
            self.send(*node, Message::Get { request: id, key }, ctx);
        }
        let own = (asked.contains(&self.me) && self.answers(key)).then(|| (self.me, self.read(key)));
        let kind = Kind::Get { found: own.into_iter().collect() };
        self.begin(id, Coordinated { query, key, kind, waiting: others, deadline: self.deadline(ctx) }, ctx);
    }

    fn put(&mut self, query: Query<D::Op>, key: Key, put: &Put, ctx: &mut Ctx<'_, Self>) {
        let id = self.request_id();
        let others: Vec<NodeId> = self.asked_to_keep(key).into_iter().filter(|node| *node != self.me).collect();
        let record = self.store.put(key, put, self.me, ctx.dice());
        ctx.persist(record);
        let object = self.read(key);
        for node in &others {
            self.send(*node, Message::Put { request: Some(id), key, object: object.clone() }, ctx);
        }
        let kind = Kind::Put { kept: vec![self.me] };
        self.begin(id, Coordinated { query, key, kind, waiting: others, deadline: self.deadline(ctx) }, ctx);
    }

    fn request_id(&mut self) -> RequestId {
        self.coordination.next += 1;
        RequestId(self.coordination.next)
    }

    fn deadline(&self, ctx: &Ctx<'_, Self>) -> LocalTime {
        ctx.now() + self.config.request_timeout
    }

    /// What this node knows of a key.
    pub(super) fn read(&self, key: Key) -> Object {
        self.store.get(key).cloned().unwrap_or_default()
    }

    fn begin(&mut self, id: RequestId, coordinated: Coordinated<D::Op>, ctx: &mut Ctx<'_, Self>) {
        ctx.arm(Timer::Request(id), coordinated.deadline.since(ctx.now()));
        self.coordination.under_way.insert(id, coordinated);
        self.finish(id, ctx);
    }

    /// A node answers a read.
    pub(super) fn on_got(&mut self, from: NodeId, id: RequestId, object: Object, ctx: &mut Ctx<'_, Self>) {
        let Some(coordinated) = self.coordination.under_way.get_mut(&id) else { return };
        coordinated.waiting.retain(|node| *node != from);
        if let Kind::Get { found } = &mut coordinated.kind {
            found.insert(from, object);
        }
        self.finish(id, ctx);
    }

    /// A node keeps a write.
    pub(super) fn on_stored(&mut self, from: NodeId, id: RequestId, ctx: &mut Ctx<'_, Self>) {
        let Some(coordinated) = self.coordination.under_way.get_mut(&id) else { return };
        coordinated.waiting.retain(|node| *node != from);
        if let Kind::Put { kept } = &mut coordinated.kind
            && !kept.contains(&from)
        {
            kept.push(from);
        }
        self.finish(id, ctx);
    }

    fn has_read_quorum(&self, key: Key, found: &BTreeMap<NodeId, Object>) -> bool {
        self.is_enough(self.ring.now(), key, self.config.r, |node| found.contains_key(node))
    }

    /// W of those who keep it now, and W of those who will.
    fn has_write_quorum(&self, key: Key, kept: &[NodeId]) -> bool {
        let is_kept_by = |circle| self.is_enough(circle, key, self.config.w, |node| kept.contains(node));
        is_kept_by(self.ring.now()) && is_kept_by(self.ring.coming())
    }

    /// The ring is another: whoever keeps a key by it is asked too.
    pub(super) fn ask_further(&mut self, ctx: &mut Ctx<'_, Self>) {
        let ids: Vec<RequestId> = self.coordination.under_way.keys().copied().collect();
        for id in ids {
            let coordinated = &self.coordination.under_way[&id];
            let key = coordinated.key;
            let (asked, has_answered): (BTreeSet<NodeId>, Vec<NodeId>) = match &coordinated.kind {
                Kind::Get { found } => (self.asked_for(key).collect(), found.keys().copied().collect()),
                Kind::Put { kept } => (self.asked_to_keep(key), kept.clone()),
            };
            let is_new =
                |node: &NodeId| *node != self.me && !coordinated.waiting.contains(node) && !has_answered.contains(node);
            let further: Vec<NodeId> = asked.into_iter().filter(is_new).collect();
            let message = match coordinated.kind {
                Kind::Get { .. } => Message::Get { request: id, key },
                Kind::Put { .. } => Message::Put { request: Some(id), key, object: self.read(key) },
            };
            further.iter().for_each(|node| self.send(*node, message.clone(), ctx));
            self.coordination.under_way.get_mut(&id).into_iter().for_each(|it| it.waiting.extend(&further));
            self.finish(id, ctx);
        }
    }

    /// Answers a request that has its quorum.
    fn finish(&mut self, id: RequestId, ctx: &mut Ctx<'_, Self>) {
        let coordinated = &self.coordination.under_way[&id];
        let object = match &coordinated.kind {
            Kind::Get { found } if self.has_read_quorum(coordinated.key, found) => self.reconciled(found.values()),
            Kind::Put { kept } if self.has_write_quorum(coordinated.key, kept) => self.read(coordinated.key),
            Kind::Get { .. } | Kind::Put { .. } => return,
        };
        let coordinated = self.coordination.under_way.remove(&id).expect("it was just looked at");
        ctx.disarm(Timer::Request(id));
        let Query { client, serial, attempt, op } = coordinated.query;
        let told = D::told(&op, object.values(), object.seen.to_token());
        ctx.tell(client, Answer { serial, attempt, response: Response::Returned(told) });
    }

    /// Copies put together ("syntactic reconciliation", 4.4).
    fn reconciled<'a>(&self, copies: impl Iterator<Item = &'a Object>) -> Object {
        let mut all = Object::default();
        copies.for_each(|copy| all.sync(copy, self.config.conflicts));
        all
    }

    /// A request has waited long enough.
    pub(super) fn on_request_timeout(&mut self, id: RequestId, ctx: &mut Ctx<'_, Self>) {
        let Some(coordinated) = self.coordination.under_way.remove(&id) else { return };
        for node in &coordinated.waiting {
            self.peers.missed(*node);
        }
        let response = match coordinated.kind {
            Kind::Get { .. } => Response::Redirect(None),
            Kind::Put { .. } => Response::Unknown,
        };
        refuse(&coordinated.query, response, ctx);
    }
}

fn refuse<D: Versioned>(query: &Query<D::Op>, response: Response<D::Ret>, ctx: &mut Ctx<'_, Dynamo<D>>) {
    ctx.tell(query.client, Answer { serial: query.serial, attempt: query.attempt, response });
}
