//! What `get` and `put` have in common, as their coordinator sees them (4.5): whom it asks, whom it asks instead, when it
//! gives up.
//!
//! A key has N *places*. Each is filled by one of its home nodes, the first N of its walk round the ring; or, with sloppy
//! quorums, by the next node of the walk that seems to be up, who *stands in* for the one that does not (4.6: "all read and
//! write operations are performed on the first N healthy nodes from the preference list"). A coordinator asks them all, or
//! draws as many as have to answer and keeps the others in reserve (`fan-out`). Who does not answer within
//! `replica-timeout` seems to be down, and another is asked in its place. Late answers count all the same.
//!
//! The client hears of it when enough have answered. The request goes on until all have, or seem to be down: only then is
//! it known whose copies are old ([`repair`](super)) and for whom a hint must be kept.
//!
//! **While the ring changes** a key has N places by the ring as it is, by which is read, and N by the ring as it will be, many of
//! them the same. A write goes to all of them, and is acknowledged when W of the ones *and* W of the others have it.
//!
//! | what is missing | a read is told | a write is told |
//! |---|---|---|
//! | too few seem to be up at the beginning | ask elsewhere | ask elsewhere: nothing was done |
//! | too few have answered after `request-timeout` | ask elsewhere | nobody knows: some may have it |

use super::config::{Coordinators, FanOut, Quorum};
use super::data::{Asked, Versioned};
use super::ring::Circle;
use super::versions::{Conflicts, Object};
use super::{Dynamo, Message, Timer};
use crate::client::{Answer, Response};
use history::Key;
use serde::Serialize;
use sim_core::protocol::{ClientId, Ctx, NodeId};
use sim_core::time::LocalTime;
use std::collections::{BTreeMap, BTreeSet};

/// Names a request among all that this process coordinates or passes on, and the states of its hints.
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

/// One of the N places of a key, and who fills it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Who is asked.
    pub node: NodeId,
    /// The home node that does not seem to be up, if another is asked.
    pub stands_in_for: Option<NodeId>,
}

impl Place {
    /// Whose place it is.
    pub fn home(self) -> NodeId {
        self.stands_in_for.unwrap_or(self.node)
    }
}

/// Who was asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct AskedNode {
    pub place: Place,
    pub state: AskedState,
}

/// How it stands with who was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AskedState {
    /// It was asked then, and has time to answer.
    Waiting(LocalTime),
    /// It has not answered in time.
    Missed,
    /// It has answered.
    Answered,
}

/// A request under way.
#[derive(Clone, Debug)]
pub(super) struct Coordinated<Op> {
    pub key: Key,
    /// Whom to answer; nobody once that is done.
    pub query: Option<Query<Op>>,
    pub stage: Stage,
    pub asked: Vec<AskedNode>,
    /// Whom to ask if one of these does not answer: those that were not drawn.
    pub reserve: Vec<Place>,
    /// When the client is told that it did not work.
    pub deadline: LocalTime,
    /// When something is to be done about it if nothing happens.
    pub due: Option<LocalTime>,
}

/// What a request is about at present.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// It collects copies.
    Get {
        /// What each has answered.
        found: BTreeMap<NodeId, Object>,
    },
    /// It spreads a new one.
    Put {
        /// All that the coordinator knew of the key when it was put.
        object: Object,
    },
    /// It spreads what it found before it says so.
    Repair {
        /// What it found.
        object: Object,
    },
}

impl<Op> Coordinated<Op> {
    /// In whose places a copy that is spread is on disk. Who stands in for a node that has it too fills no further one, since
    /// it will hand its own over to that one.
    fn kept_for(&self) -> BTreeSet<NodeId> {
        let answered = self.asked.iter().filter(|asked| asked.state == AskedState::Answered);
        answered.map(|asked| asked.place.home()).collect()
    }

    fn is_waiting(&self) -> bool {
        self.asked.iter().any(|asked| matches!(asked.state, AskedState::Waiting(_)))
    }

    /// A node has answered, in time or not.
    pub fn answered(&mut self, node: NodeId) {
        if let Some(asked) = self.asked.iter_mut().find(|asked| asked.place.node == node) {
            asked.state = AskedState::Answered;
        }
    }
}

/// The requests that a process coordinates.
#[derive(Clone, Debug)]
pub(super) struct Coordination<Op> {
    next: u64,
    pub under_way: BTreeMap<RequestId, Coordinated<Op>>,
    /// When something is to be done about which of them: one alarm serves all.
    due: BTreeSet<(LocalTime, RequestId)>,
}

impl<Op> Coordination<Op> {
    /// None yet. Numbers begin where no earlier life of this process has numbered: an answer to one of its requests must not
    /// be taken for one of ours.
    pub fn new(first: u64) -> Self {
        Coordination { next: first, under_way: BTreeMap::new(), due: BTreeSet::new() }
    }

    /// Notes when something is to be done about a request.
    fn look_at(&mut self, id: RequestId, at: LocalTime) {
        let Some(request) = self.under_way.get_mut(&id) else { return };
        if let Some(before) = request.due.replace(at) {
            self.due.remove(&(before, id));
        }
        self.due.insert((at, id));
    }

    /// A request is over.
    fn end(&mut self, id: RequestId) -> Option<Coordinated<Op>> {
        let request = self.under_way.remove(&id)?;
        if let Some(due) = request.due {
            self.due.remove(&(due, id));
        }
        Some(request)
    }
}

impl<D: Versioned> Dynamo<D> {
    /// Coordinates a request, or passes it on to who should (4.6). Who passed it on may have said for whom this node stands in.
    pub(super) fn take_up(
        &mut self,
        query: Query<D::Op>,
        hops: u32,
        stands_in_for: Option<NodeId>,
        ctx: &mut Ctx<'_, Self>,
    ) {
        let Some(asked) = D::asks(&query.op) else { return answer(&query, Response::Refused, ctx) };
        let key = D::key(&query.op);
        let mut places = if asked == Asked::Get { self.places_to_read(key) } else { self.places_to_keep(key) };
        let is_in = places.iter().any(|place| place.node == self.me);
        if let Some(place) = places.iter_mut().find(|place| !is_in && Some(place.home()) == stands_in_for) {
            *place = Place { node: self.me, stands_in_for };
        }
        let homes = places.iter().map(|place| place.home()).collect();
        let is_enough = if asked == Asked::Get { places.len() >= self.config.r } else { self.is_kept(key, &homes) };
        if !is_enough {
            return answer(&query, Response::Redirect(None), ctx);
        }
        if !self.may_coordinate(&asked, &places) {
            return self.pass_on(query, hops, &places, ctx);
        }
        match asked {
            Asked::Get => self.get(query, key, places, ctx),
            Asked::Put { value, context } => self.put(query, key, value, &context, places, ctx),
        }
    }

    /// Whether this node coordinates what is asked of a key with these places.
    fn may_coordinate(&self, asked: &Asked, places: &[Place]) -> bool {
        let is_anyone = self.config.coordinators == Coordinators::Anyone
            && (*asked == Asked::Get || self.config.conflicts == Conflicts::LastWriteWins);
        is_anyone || places.iter().any(|place| place.node == self.me)
    }

    /// The home nodes of a key.
    pub(super) fn homes(&self, key: Key) -> impl Iterator<Item = NodeId> + '_ {
        self.ring.now().homes_of(key).iter().copied()
    }

    /// Whom to read a key from. This node itself only if it has what there is.
    fn places_to_read(&self, key: Key) -> Vec<Place> {
        let mut places = self.places(self.ring.now(), key);
        places.retain(|place| place.node != self.me || self.answers(key));
        places
    }

    /// Who is to keep a key: while the ring changes, by the ring as it is and as it will be.
    fn places_to_keep(&self, key: Key) -> Vec<Place> {
        let mut places = self.places(self.ring.now(), key);
        if self.ring.is_changing() {
            for place in self.places(self.ring.coming(), key) {
                let is_free = places.iter().all(|other| other.node != place.node && other.home() != place.home());
                if is_free {
                    places.push(place);
                }
            }
        }
        places
    }

    /// Whether what fills the places of these nodes counts as written: W by the ring as it is, and W by the ring as it will be.
    pub(super) fn is_kept(&self, key: Key, homes: &BTreeSet<NodeId>) -> bool {
        let is_kept_by =
            |circle: &Circle| circle.homes_of(key).iter().filter(|home| homes.contains(home)).count() >= self.config.w;
        is_kept_by(self.ring.now()) && is_kept_by(self.ring.coming())
    }

    /// Whether these are enough of those who were asked. By strict quorums only who is a home node counts, by the ring as it is
    /// when they have answered.
    fn is_read(&self, key: Key, found: &BTreeMap<NodeId, Object>) -> bool {
        let count = match self.config.quorum {
            Quorum::Strict => self.homes(key).filter(|home| found.contains_key(home)).count(),
            Quorum::Sloppy => found.len(),
        };
        count >= self.config.r
    }

    /// The places of a key by these members that somebody fills who seems to be up.
    fn places(&self, circle: &Circle, key: Key) -> Vec<Place> {
        let walk: Vec<NodeId> = circle.preference(key).collect();
        let (homes, others) = walk.split_at(circle.homes_of(key).len());
        let mut standing_by = others.iter().filter(|node| self.may_stand_in(**node));
        let fill = |home: &NodeId| {
            let home = *home;
            if self.peers.is_up(home) {
                return Some(Place { node: home, stands_in_for: None });
            }
            standing_by.next().map(|node| Place { node: *node, stands_in_for: Some(home) })
        };
        homes.iter().filter_map(fill).collect()
    }

    fn may_stand_in(&self, node: NodeId) -> bool {
        self.config.quorum == Quorum::Sloppy && self.peers.is_up(node)
    }

    /// What this node knows of a key: for itself, and for those it stands in for.
    pub(super) fn read(&self, key: Key) -> Object {
        let mut object = self.store.get(key).cloned().unwrap_or_default();
        for hint in self.hints.of_key(key) {
            object.sync(hint, self.config.rules());
        }
        object
    }

    /// A number that this process has not used.
    pub(super) fn request_id(&mut self) -> RequestId {
        self.coordination.next += 1;
        RequestId(self.coordination.next)
    }

    /// Begins a request that needs so many answers. Puts that are numbered here are `kept_here` in any case.
    pub(super) fn begin(
        &mut self,
        mut request: Coordinated<D::Op>,
        needed: usize,
        is_kept_here: bool,
        ctx: &mut Ctx<'_, Self>,
    ) {
        if self.config.fan_out == FanOut::Quorum {
            let own = request.reserve.iter().position(|place| is_kept_here && place.node == self.me);
            let drawn_from = usize::from(own.is_some());
            request.reserve.swap(0, own.unwrap_or(0));
            ctx.dice().draw_to_front(&mut request.reserve[drawn_from..], needed - drawn_from);
        }
        let id = self.request_id();
        let first = match self.config.fan_out {
            // Two quorums are needed.
            FanOut::Quorum if !self.ring.is_changing() => needed,
            FanOut::All | FanOut::Quorum => request.reserve.len(),
        };
        let first: Vec<Place> = request.reserve.drain(..first).collect();
        self.coordination.under_way.insert(id, request);
        first.into_iter().for_each(|place| self.ask(id, place, ctx));
        self.advance(id, ctx);
    }

    /// Asks who fills a place; this node itself at once.
    pub(super) fn ask(&mut self, id: RequestId, place: Place, ctx: &mut Ctx<'_, Self>) {
        let Some(request) = self.coordination.under_way.get_mut(&id) else { return };
        let is_own = place.node == self.me;
        let state = if is_own { AskedState::Answered } else { AskedState::Waiting(ctx.now()) };
        request.asked.push(AskedNode { place, state });
        let key = request.key;
        match &request.stage {
            Stage::Get { .. } if is_own => {
                if self.answers(key) {
                    let object = self.read(key);
                    self.found(id, self.me, object);
                }
            }
            Stage::Get { .. } => self.send(place.node, Message::Get { request: id, key }, ctx),
            Stage::Put { object } | Stage::Repair { object } => {
                let object = object.clone();
                match place.stands_in_for {
                    _ if is_own => self.stand_in(key, object, place.home(), ctx),
                    None => self.send(place.node, Message::Put { request: Some(id), key, object }, ctx),
                    Some(home) => {
                        self.send(place.node, Message::StandIn { request: id, key, object, home }, ctx);
                    }
                }
            }
        }
    }

    /// Sees whether a request has what it needs, and when to look at it again.
    pub(super) fn advance(&mut self, id: RequestId, ctx: &mut Ctx<'_, Self>) {
        self.conclude(id, ctx);
        let Some(request) = self.coordination.under_way.get(&id) else { return };
        if request.query.is_none() && !request.is_waiting() {
            return self.close(id, ctx);
        }
        let due = |asked: &AskedNode| match asked.state {
            AskedState::Waiting(since) => Some(since + self.config.replica_timeout),
            AskedState::Missed | AskedState::Answered => None,
        };
        let deadline = request.query.is_some().then_some(request.deadline);
        if let Some(next) = request.asked.iter().filter_map(due).chain(deadline).min() {
            self.coordination.look_at(id, next);
            self.arm_requests(ctx);
        }
    }

    /// Answers the client if enough have answered.
    pub(super) fn conclude(&mut self, id: RequestId, ctx: &mut Ctx<'_, Self>) {
        let Some(request) = self.coordination.under_way.get(&id) else { return };
        if request.query.is_none() {
            return;
        }
        match &request.stage {
            Stage::Get { found } if self.is_read(request.key, found) => self.on_found(id, ctx),
            Stage::Put { object } | Stage::Repair { object } if self.is_kept(request.key, &request.kept_for()) => {
                let object = object.clone();
                self.tell(id, &object, ctx);
            }
            Stage::Get { .. } | Stage::Put { .. } | Stage::Repair { .. } => {}
        }
    }

    /// The ring is another: whoever keeps the key of a request under way by it is asked too.
    pub(super) fn ask_further(&mut self, ctx: &mut Ctx<'_, Self>) {
        let under_way: Vec<RequestId> = self.coordination.under_way.keys().copied().collect();
        for id in under_way {
            self.ask_missing(id, ctx);
            self.advance(id, ctx);
        }
    }

    /// Fills the places for which nobody was asked yet.
    pub(super) fn ask_missing(&mut self, id: RequestId, ctx: &mut Ctx<'_, Self>) {
        let Some(request) = self.coordination.under_way.get(&id) else { return };
        let places = match request.stage {
            Stage::Get { .. } => self.places_to_read(request.key),
            Stage::Put { .. } | Stage::Repair { .. } => self.places_to_keep(request.key),
        };
        let known: Vec<Place> = request.asked.iter().map(|asked| asked.place).chain(request.reserve.clone()).collect();
        let is_new = |place: &Place| known.iter().all(|other| other.node != place.node && other.home() != place.home());
        places.into_iter().filter(is_new).for_each(|place| self.ask(id, place, ctx));
    }

    /// Tells the client what came of it.
    pub(super) fn tell(&mut self, id: RequestId, object: &Object, ctx: &mut Ctx<'_, Self>) {
        let request = self.coordination.under_way.get_mut(&id);
        let Some(query) = request.and_then(|request| request.query.take()) else { return };
        let told = D::told(&query.op, object.values(), object.seen.to_token());
        answer(&query, Response::Returned(told), ctx);
    }

    /// Sets the alarm for the request that is due first.
    fn arm_requests(&self, ctx: &mut Ctx<'_, Self>) {
        match self.coordination.due.first() {
            Some((at, _)) => ctx.arm(Timer::Requests, at.since(ctx.now())),
            None => ctx.disarm(Timer::Requests),
        }
    }

    /// Something is due with some requests.
    pub(super) fn on_requests_due(&mut self, ctx: &mut Ctx<'_, Self>) {
        let due: Vec<RequestId> =
            self.coordination.due.iter().take_while(|(at, _)| *at <= ctx.now()).map(|(_, id)| *id).collect();
        for id in due {
            self.on_request_due(id, ctx);
        }
        self.arm_requests(ctx);
    }

    /// Something is due with a request: some do not answer, or it has taken too long.
    fn on_request_due(&mut self, id: RequestId, ctx: &mut Ctx<'_, Self>) {
        let Some(request) = self.coordination.under_way.get_mut(&id) else { return };
        let (now, longest) = (ctx.now(), self.config.replica_timeout);
        let mut late = Vec::new();
        for asked in &mut request.asked {
            if let AskedState::Waiting(since) = asked.state
                && now.since(since) >= longest
            {
                asked.state = AskedState::Missed;
                late.push((asked.place, since));
            }
        }
        let query = if request.deadline <= now { request.query.take() } else { None };
        let is_read = matches!(&query, Some(query) if D::asks(&query.op) == Some(Asked::Get));
        if let Some(query) = query {
            answer(&query, if is_read { Response::Redirect(None) } else { Response::Unknown }, ctx);
        }
        for (place, since) in late {
            self.missed(place.node, since, ctx);
            self.replace(id, place, ctx);
        }
        self.advance(id, ctx);
    }

    /// Asks another in the place of one that does not answer. A read that has its answer needs nobody else.
    fn replace(&mut self, id: RequestId, place: Place, ctx: &mut Ctx<'_, Self>) {
        let Some(request) = self.coordination.under_way.get_mut(&id) else { return };
        if request.query.is_none() && !matches!(request.stage, Stage::Put { .. }) {
            return;
        }
        if !request.reserve.is_empty() {
            let next = request.reserve.remove(0);
            return self.ask(id, next, ctx);
        }
        let request = &self.coordination.under_way[&id];
        let is_asked = |node: NodeId| request.asked.iter().any(|asked| asked.place.node == node);
        let walk: Vec<NodeId> = self.ring.preference(request.key).collect();
        let homes = self.homes(request.key).count();
        let next = walk.into_iter().skip(homes).find(|node| self.may_stand_in(*node) && !is_asked(*node));
        if let Some(node) = next {
            self.ask(id, Place { node, stands_in_for: Some(place.home()) }, ctx);
        }
    }

    /// All have answered or seem to be down.
    fn close(&mut self, id: RequestId, ctx: &mut Ctx<'_, Self>) {
        let Some(request) = self.coordination.end(id) else { return };
        self.arm_requests(ctx);
        match &request.stage {
            Stage::Get { found } => self.repair(request.key, found, ctx),
            Stage::Put { object } => self.keep_hints(&request, object, ctx),
            Stage::Repair { .. } => {}
        }
    }
}

/// Answers a client.
pub(super) fn answer<D: Versioned>(query: &Query<D::Op>, response: Response<D::Ret>, ctx: &mut Ctx<'_, Dynamo<D>>) {
    ctx.tell(query.client, Answer { serial: query.serial, attempt: query.attempt, response });
}
