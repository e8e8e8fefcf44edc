//! Dynamo: a key-value store that takes writes whatever happens.
//!
//! A companion to DeCandia et al., *Dynamo: Amazon's Highly Available Key-value Store* (SOSP 2007; "4.6" below is its section),
//! with the dotted version vectors of Preguiça et al. (2012) and Almeida et al. (2014) in place of its vector clocks.
//!
//! The picture: a village without a mayor. Everything that is said about somebody is kept by the N neighbours who live
//! nearest, on a ring of houses. Whoever is asked goes round to them; W of them must have heard of a change before it counts, and R
//! are asked about it. If a neighbour is away, the next house down the ring keeps a note for him (a *hint*). Two who change
//! something without having met leave two versions (*siblings*), and the next who reads both settles it. Neighbours compare
//! their books at night (*anti-entropy*), by hashes of hashes, so that they need not read them out to each other.
//!
//! - [`versions`]: what came first, and what stands beside each other.
//! - `store`: what a node keeps, in memory and in its journal.
//! - `ring`: who keeps which key; `membership`: who is on the ring, and gossip about it; `transfer`: how keys find their way
//!   to who keeps them when that changes.
//! - `merkle`: hash trees over what is kept; `anti_entropy`: how nodes compare them.
//! - `tombstones`: when what was deleted may be forgotten.
//! - [`invariants`]: what must hold after every step.
//! - `coordinator`: whom a request goes to, and whose answers make a quorum; `gets`, with read repair, and `puts`.
//! - `forwards`: requests that are another's to coordinate.
//! - `hints`: copies kept for nodes that were away.
//! - `peers`: who seems to be down.
//! - `promises`: what all this amounts to, and on which conditions.
//! - [`data`]: what clients' operations ask of the store.
//! - [`config`]: settings; [`flaws`]: mistakes that real systems made.
//!
//! **Memory runs ahead of the disk.** A node handles messages while its records are still being flushed; whatever is sent
//! or told after a `persist` waits for it. So a coordinator may count its own copy at once: nobody hears of what rests on it
//! before it is on disk.

mod anti_entropy;
pub mod config;
mod coordinator;
pub mod data;
pub mod flaws;
mod forwards;
mod gets;
mod hints;
pub mod invariants;
mod membership;
mod merkle;
mod numbering;
mod peers;
pub mod promises;
mod puts;
mod ring;
mod store;
#[cfg(test)]
mod tests;
mod tombstones;
mod transfer;
pub mod versions;
#[cfg(test)]
mod village;

pub use anti_entropy::{Comparison, Says};
pub use config::DynamoConfig;
pub use coordinator::{Query, RequestId};
pub use data::Versioned;
pub use invariants::DynamoLaws;
pub use membership::{Order, Standing, Status, View};
pub use merkle::Place;
pub use ring::Partition;
pub use tombstones::Tombstone;
pub use transfer::{Page, Range};

use crate::client::{Answer, Ask, Request, Response, RoutingClient, Service};
use crate::detectors::beats::Beat;
use anti_entropy::Forest;
use config::{Driver, FIRST_ROUND};
use coordinator::Coordination;
use forwards::Forwarded;
use hints::Hints;
use history::Key;
use membership::Membership;
use numbering::Numbering;
use peers::Peers;
use ring::Ring;
use serde::Serialize;
use sim_core::holding::{Copy, Holding};
use sim_core::promise::{Claim, Premise};
use sim_core::protocol::{About, Boot, ClientId, Ctx, NodeId, OrderKind, Protocol, Slot, Vocabulary, Why};
use sim_core::reach::Reach;
use sim_core::time::LocalTime;
use std::collections::{BTreeMap, BTreeSet};
use store::Store;
use tombstones::Tombstones;
use transfer::Transfer;
use versions::Object;

/// A node of the system.
#[derive(Clone, Debug)]
pub struct Dynamo<D: Versioned> {
    config: DynamoConfig,
    me: NodeId,
    ring: Ring,
    membership: Membership,
    transfer: Transfer,
    peers: Peers,
    store: Store,
    forest: Forest,
    /// With whom it compared its hash trees last.
    turned_to: NodeId,
    tombstones: Tombstones,
    /// How many records its journal has.
    records: u64,
    numbering: Numbering,
    hints: Hints,
    coordination: Coordination<D::Op>,
    forwarded: BTreeMap<RequestId, Forwarded<D::Op>>,
}

/// Node to node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Message<Op> {
    /// "A client asks me this, and it is yours to coordinate" (4.6).
    Forward {
        /// The sender's number for it.
        request: RequestId,
        /// The request.
        query: Query<Op>,
        /// How often it was passed on.
        hops: u32,
        /// The home node for which the sender takes the receiver to stand in.
        stands_in_for: Option<NodeId>,
    },
    /// "I answer that one."
    TakenUp {
        /// The number it was passed on under.
        request: RequestId,
    },
    /// "What do you know of this key?"
    Get {
        /// The coordinator's number for it.
        request: RequestId,
        /// Which key.
        key: Key,
    },
    /// "This."
    Got {
        /// The number asked under.
        request: RequestId,
        /// What it knows.
        object: Object,
    },
    /// "Keep this."
    Put {
        /// The coordinator's number for it; none if nobody waits for the answer.
        request: Option<RequestId>,
        /// Which key.
        key: Key,
        /// All that the sender knows of it.
        object: Object,
    },
    /// "Keep this for another, who seems to be down" (4.6).
    StandIn {
        /// The coordinator's number for it.
        request: RequestId,
        /// Which key.
        key: Key,
        /// All that the sender knows of it.
        object: Object,
        /// For whom.
        home: NodeId,
    },
    /// "I have."
    Stored {
        /// The number asked under.
        request: RequestId,
    },
    /// "This is what my hash trees say" (4.7).
    Compare(Comparison),
    /// "Here is what I have of keys on which we differ, and send me these."
    Objects {
        /// What it has.
        objects: Vec<(Key, Object)>,
        /// What it asks for.
        wanted: Vec<Key>,
    },
    /// "Do you have just these tombstones too?"
    MayForget {
        /// Their keys' home nodes, as the sender knows them.
        homes: Vec<NodeId>,
        /// Which.
        tombstones: Vec<Tombstone>,
    },
    /// "I have these, on disk."
    HasToo {
        /// Which.
        tombstones: Vec<Tombstone>,
    },
    /// "Every home node has these: forget them."
    Forget {
        /// Which.
        tombstones: Vec<Tombstone>,
    },
    /// "I have kept this for you."
    Hint {
        /// Which key.
        key: Key,
        /// What was kept.
        object: Object,
        /// Names what was kept.
        state: RequestId,
    },
    /// "I have that now."
    HintTaken {
        /// Which key.
        key: Key,
        /// What it was named.
        state: RequestId,
    },
    /// "What I know of the ring has this hash": who knows otherwise says what.
    Gossip {
        /// A hash of a view.
        digest: u64,
    },
    /// "This is what I know of the ring."
    View {
        /// All of it.
        view: View,
    },
    /// "The operator wants this of you."
    Ordered {
        /// What.
        order: Order,
    },
    /// "I shall keep these: what of them do you have?"
    Fetch {
        /// A hash of the ring that says so.
        ring: u64,
        /// The keys of this range.
        range: Range,
        /// Those behind this one.
        after: Option<Key>,
    },
    /// "This, for a beginning."
    Page {
        /// The ring that was asked by.
        ring: u64,
        /// Some keys.
        page: Page,
    },
    /// "I have what I shall keep."
    Ready {
        /// A hash of the ring that says what that is.
        ring: u64,
    },
    /// "These are yours, and not mine."
    HandOver {
        /// The sender's number for them.
        page: u64,
        /// The keys, and all that the sender knows of them.
        objects: Vec<(Key, Object)>,
    },
    /// "Of these I have the following, and they are mine."
    Taken {
        /// The number they were handed over by.
        page: u64,
        /// Which.
        keys: Vec<Key>,
    },
    /// "Are you there?"
    Ping,
    /// "Yes."
    Pong,
    /// "I am here." One goes out every interval, with `detector` = phi.
    Beat {
        /// Names the process.
        life: u64,
        /// Its number in that life.
        number: u64,
    },
}

/// What is written down.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Record {
    /// A key, as it is from now on.
    Object {
        /// Which.
        key: Key,
        /// What is known of it.
        object: Object,
    },
    /// All that is kept of a key for another.
    Hint {
        /// Which key.
        key: Key,
        /// For whom.
        home: NodeId,
        /// What is known of it.
        object: Object,
        /// When the first was added, by this machine's clock.
        since: LocalTime,
        /// Names this state of it.
        state: RequestId,
    },
    /// What was kept of a key for another is handed over, or given up.
    HintDone {
        /// Which key.
        key: Key,
        /// For whom.
        home: NodeId,
    },
    /// A key that is no longer kept.
    Dropped {
        /// Which.
        key: Key,
    },
    /// What is known of the ring, from now on.
    Ring {
        /// All of it.
        view: View,
    },
    /// This node has everything that it keeps by the ring of these members.
    Has {
        /// The members.
        now: Vec<NodeId>,
        /// The members that there will be.
        next: Vec<NodeId>,
    },
    /// It has fetched this by the ring it knows.
    Fetched {
        /// Which keys.
        range: Range,
    },
}

/// Alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Timer {
    /// Something is due with a request that this node coordinates.
    Requests,
    /// To compare hash trees with another node.
    AntiEntropy,
    /// To look which tombstones may go.
    Tombstones,
    /// Something is due with a request that this node has passed on.
    Forwarded(RequestId),
    /// Those who seem to be down are asked whether they are there.
    Probe,
    /// Hints are looked after.
    Hints,
    /// Somebody else is asked what he knows of the ring.
    Gossip,
    /// Whoever was to send or take keys and has not answered is asked again.
    Transfer,
    /// It is time for a heartbeat.
    Beat,
}

impl<D: Versioned> Dynamo<D> {
    /// Its name in scenario files.
    pub const NAME: &'static str = "dynamo";
    /// What it is, in one line.
    pub const ABOUT: &'static str = "Dynamo (DeCandia et al. 2007): a key-value store without a leader; sloppy quorums, hints, siblings by dotted version vectors, hash trees.";

    fn send(&self, to: NodeId, message: Message<D::Op>, ctx: &mut Ctx<'_, Self>) {
        ctx.send_over(self.config.transport, to, message);
    }

    /// Writes a record down, of something that is in memory already. When most of the journal is out of date, what is left of
    /// it takes its place.
    fn write(&mut self, record: Record, ctx: &mut Ctx<'_, Self>) {
        let live = self.store.len() as u64 + self.hints.kept();
        self.records += 1;
        if self.config.compact_after > 0 && self.records >= self.config.compact_after.max(2 * live) {
            let records = self.all_records();
            self.records = records.len() as u64;
            ctx.snapshot(records);
        } else {
            ctx.persist(record);
        }
    }

    fn begin_step(&mut self) {
        self.store.begin_step();
        self.hints.begin_step();
    }

    /// All that this node has to remember, as a journal written anew.
    fn all_records(&self) -> Vec<Record> {
        self.ring_records().into_iter().chain(self.store.records()).chain(self.hints.records()).collect()
    }
}

impl<D: Versioned> Vocabulary for Dynamo<D> {
    type Message = Message<D::Op>;
    type Timer = Timer;
    type Record = Record;
    type Reply = Answer<D::Ret>;
}

impl<D: Versioned> Protocol for Dynamo<D> {
    type Request = Request<D::Op>;
    type Client = RoutingClient<Self>;
    type Admin = Order;
    type Config = DynamoConfig;
    type Data = D;
    type Laws = DynamoLaws;

    const ORDERS: &'static [OrderKind] = &[
        OrderKind { name: "join", about: About::Some, text: "These nodes shall join the ring." },
        OrderKind { name: "leave", about: About::Some, text: "These nodes shall hand over what they keep, and leave." },
        OrderKind {
            name: "remove",
            about: About::Some,
            text: "These nodes are dead and will not come back; others shall take their place.",
        },
    ];

    const RECOVERIES: &'static [&'static str] =
        &[anti_entropy::COMPARED, gets::REPAIRED, hints::HANDED_OVER, transfer::FETCHED];

    const KINDS: &'static [&'static str] = &[
        "Forward",
        "TakenUp",
        "Get",
        "Got",
        "Put",
        "StandIn",
        "Stored",
        "Hint",
        "HintTaken",
        "Ping",
        "Pong",
        "Beat",
        "Compare",
        "Objects",
        "MayForget",
        "HasToo",
        "Forget",
        "Gossip",
        "View",
        "Ordered",
        "Fetch",
        "Page",
        "Ready",
        "HandOver",
        "Taken",
        "Request",
        "Answer",
    ];
    const REVEALS: bool = true;

    fn order(name: &str, about: &[NodeId]) -> Order {
        match name {
            "join" => Order::Join(about.to_vec()),
            "leave" => Order::Leave(about.to_vec()),
            "remove" => Order::Remove(about.to_vec()),
            other => panic!("no order `{other}` about {} nodes stands in ORDERS", about.len()),
        }
    }

    /// What does not read back, or was on the disk of a machine that is gone, the other home nodes have: it is fetched from them
    /// as by who joins.
    fn start(boot: Boot<'_, Self>, ctx: &mut Ctx<'_, Self>) -> Self {
        let is_spoilt = boot.journal.iter().take(boot.flushed).any(|slot| *slot == Slot::Corrupt);
        let is_stranger = is_spoilt || boot.why == Why::Replacement;
        let (mut store, mut hints) = (Store::default(), Hints::default());
        let (mut view, mut has, mut fetched) = (None, None, Vec::new());
        for slot in boot.journal {
            let Slot::Ok(record) = slot else { continue };
            store.replay(record);
            hints.replay(record);
            match record {
                Record::Ring { view: known } => (view, fetched) = (Some(known.clone()), Vec::new()),
                Record::Has { now, next } => (has, fetched) = (Some((now.clone(), next.clone())), Vec::new()),
                Record::Fetched { range } => fetched.push(*range),
                Record::Object { .. } | Record::Dropped { .. } | Record::Hint { .. } | Record::HintDone { .. } => {}
            }
        }
        let everybody: Vec<NodeId> = boot.members.iter().map(|member| member.id).collect();
        let founders = boot.config.founders(everybody.iter().copied());
        let membership = Membership::new(&View::founding(&founders), view, is_stranger, everybody);
        let ring_of = |now: &BTreeSet<NodeId>, next: &BTreeSet<NodeId>| Ring::of(boot.config, now, next);
        let has = match has {
            _ if is_stranger => {
                fetched.clear();
                ring_of(&BTreeSet::new(), &BTreeSet::new())
            }
            Some((now, next)) => ring_of(&now.into_iter().collect(), &next.into_iter().collect()),
            None => ring_of(&founders, &founders),
        };
        let ring = ring_of(&membership.view().now(), &membership.view().next(boot.config.n));
        let transfer = Transfer::new(has, fetched, ctx.dice().bits() >> 1);
        let numbering = Numbering::new(boot.me, ctx.dice());
        // Its first request's number is no other process's, and names this one.
        let life = ctx.dice().bits() >> 1;
        let mut node = Dynamo {
            config: boot.config.clone(),
            me: boot.me,
            ring,
            membership,
            transfer,
            peers: Peers::new(&boot.config.watching, life, ctx.now()),
            store,
            hints,
            forest: Forest::default(),
            turned_to: boot.me,
            tombstones: Tombstones::default(),
            records: boot.journal.len() as u64,
            numbering,
            coordination: Coordination::new(life),
            forwarded: BTreeMap::new(),
        };
        if is_stranger {
            node.write(node.has_record(), ctx);
        }
        if boot.why != Why::First {
            node.greet(ctx);
        }
        node.on_beat_due(ctx);
        node.begin_transfer(ctx);
        node.plan_gossip(true, ctx);
        let soon = ctx.dice().between(FIRST_ROUND.0, FIRST_ROUND.1);
        node.arm_hints(soon, ctx);
        node.plan_anti_entropy(true, ctx);
        node.plan_tombstones(true, ctx);
        node
    }

    fn on_message(&mut self, from: NodeId, message: Message<D::Op>, ctx: &mut Ctx<'_, Self>) {
        self.begin_step();
        // A heartbeat tells of its sender, not that it hears us.
        if !matches!(message, Message::Beat { .. }) {
            self.peers.heard(from, ctx.now());
        }
        match message {
            Message::Forward { request, query, hops, stands_in_for } => {
                self.send(from, Message::TakenUp { request }, ctx);
                self.take_up(query, hops, stands_in_for, ctx);
            }
            Message::TakenUp { request } => self.on_taken_up(request, ctx),
            Message::Get { request, key } => {
                self.tell_view_first(from, ctx);
                let object = self.read(key);
                // Who has yet to fetch what there is says only that it is there.
                let answer = if self.answers(key) { Message::Got { request, object } } else { Message::Pong };
                self.send(from, answer, ctx);
            }
            Message::Got { request, object } => self.on_got(from, request, object, ctx),
            Message::Put { request, key, object } => {
                self.keep(key, &object, ctx);
                self.tell_view_first(from, ctx);
                if let Some(request) = request {
                    self.send(from, Message::Stored { request }, ctx);
                }
            }
            Message::StandIn { request, key, object, home } => {
                self.stand_in(key, object, home, ctx);
                self.tell_view_first(from, ctx);
                self.send(from, Message::Stored { request }, ctx);
            }
            Message::Stored { request } => self.on_stored(from, request, ctx),
            Message::Compare(comparison) => self.on_compare(from, comparison, ctx),
            Message::Objects { objects, wanted } => self.on_objects(from, objects, &wanted, ctx),
            Message::MayForget { homes, tombstones } => self.on_may_forget(from, &homes, tombstones, ctx),
            Message::HasToo { tombstones } => self.on_has_too(from, &tombstones, ctx),
            Message::Forget { tombstones } => self.forget(&tombstones, ctx),
            Message::Hint { key, object, state } => self.take_hint(from, key, &object, state, ctx),
            Message::HintTaken { key, state } => self.on_hint_taken(from, key, state, ctx),
            Message::Gossip { digest } => self.on_gossip(from, digest, ctx),
            Message::View { view } => self.on_view(from, &view, ctx),
            Message::Ordered { order } => {
                self.take_order(order, ctx);
            }
            Message::Fetch { ring, range, after } => self.on_fetch(from, ring, (range, after), ctx),
            Message::Page { ring, page } => self.on_page(from, ring, page, ctx),
            Message::Ready { ring } => self.on_ready(from, ring, ctx),
            Message::HandOver { page, objects } => self.on_hand_over(from, page, &objects, ctx),
            Message::Taken { page, keys } => self.on_taken(from, page, &keys, ctx),
            Message::Beat { life, number } => self.peers.beat(from, Beat { life, number }, ctx.now(), ctx.dice()),
            Message::Ping => self.send(from, Message::Pong, ctx),
            Message::Pong => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Ctx<'_, Self>) {
        self.begin_step();
        match timer {
            Timer::Requests => self.on_requests_due(ctx),
            Timer::AntiEntropy => self.on_anti_entropy(ctx),
            Timer::Tombstones => self.on_tombstones(ctx),
            Timer::Forwarded(id) => self.on_forward_due(id, ctx),
            Timer::Beat => self.on_beat_due(ctx),
            Timer::Probe => self.on_probe(ctx),
            Timer::Hints => self.on_hints(ctx),
            Timer::Gossip => self.gossip(ctx),
            Timer::Transfer => self.go_on(ctx),
        }
    }

    fn on_admin(&mut self, order: Order, ctx: &mut Ctx<'_, Self>) -> bool {
        self.store.begin_step();
        self.take_order(order, ctx)
    }

    fn on_request(&mut self, client: ClientId, request: Self::Request, ctx: &mut Ctx<'_, Self>) {
        self.begin_step();
        let Request { serial, attempt, ask } = request;
        match ask {
            Ask::Operation { op, .. } => self.take_up(Query { client, serial, attempt, op }, 0, None, ctx),
            // There are no sessions.
            Ask::Register => ctx.tell(client, Answer { serial, attempt, response: Response::Redirect(None) }),
        }
    }

    /// What there is to read of each key that this node is at home to. Tombstones do not show: a home node may have forgotten
    /// one that another still has.
    fn reveal(&self) -> Option<Holding> {
        let live = self.store.iter().filter(|(key, object)| !object.values().is_empty() && self.is_home_of(*key));
        let copy = |(key, object): (Key, &Object)| Copy {
            key: u64::from(key),
            digest: object.live_digest(),
            owners: self.homes(key).collect(),
        };
        Some(Holding { copies: live.map(copy).collect(), hints: self.hints.kept(), hints_made: self.hints.made() })
    }

    fn can_serve(config: &DynamoConfig, op: &D::Op, reach: &Reach<'_>) -> bool {
        promises::can_serve(config, D::key(op), D::FUNCTIONS[D::function(op)].writes, reach)
    }

    fn promises(config: &DynamoConfig, claim: Claim, premise: &Premise) -> Result<(), String> {
        promises::promise(config, claim, premise)
    }
}

impl<D: Versioned> Service for Dynamo<D> {
    /// By the founding ring: who has left it since passes requests on.
    fn homes(config: &DynamoConfig, nodes: &[NodeId], keys: u32) -> Vec<Vec<NodeId>> {
        match config.driver {
            Driver::Server => Vec::new(),
            Driver::Client => {
                let mut nodes = nodes.to_vec();
                nodes.sort_unstable();
                let ring = Ring::new(config, nodes);
                (0..keys).map(|key| ring.now().homes_of(key).to_vec()).collect()
            }
        }
    }

    fn reads_anywhere(_: &DynamoConfig) -> bool {
        true
    }
}
