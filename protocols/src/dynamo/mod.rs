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
//! - `coordinator`: `get` and `put`, and whose answers make a quorum.
//! - `peers`: who seems to be down.
//! - [`data`]: what clients' operations ask of the store.
//! - [`config`]: settings; [`flaws`]: mistakes that real systems made.
//!
//! **Memory runs ahead of the disk.** A node handles messages while its records are still being flushed; whatever is sent
//! or told after a `persist` waits for it. So a coordinator may count its own copy at once: nobody hears of what rests on it
//! before it is on disk.

pub mod config;
mod coordinator;
pub mod data;
pub mod flaws;
mod membership;
mod peers;
mod ring;
mod store;
mod transfer;
pub mod versions;

pub use config::DynamoConfig;
pub use coordinator::{Query, RequestId};
pub use data::Versioned;
pub use membership::{Order, Standing, Status, View};
pub use transfer::{Page, Range};

use crate::client::{Answer, Ask, Request, Response, RoutingClient, Service};
use coordinator::Coordination;
use history::Key;
use membership::Membership;
use peers::Peers;
use ring::Ring;
use serde::Serialize;
use sim_core::promise::{Claim, Premise};
use sim_core::protocol::{About, Boot, ClientId, Ctx, NodeId, OrderKind, Protocol, Slot, Vocabulary, Why};
use sim_core::reach::Reach;
use std::collections::BTreeSet;
use store::Store;
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
    coordination: Coordination<D::Op>,
}

/// Node to node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Message<Op> {
    /// "A client asks me this, and it is yours to coordinate" (4.6).
    Forward {
        /// The request.
        query: Query<Op>,
        /// How often it was passed on.
        hops: u32,
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
    /// "I have."
    Stored {
        /// The number asked under.
        request: RequestId,
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
        /// Under which life this node numbers its own puts of it.
        life: Option<u32>,
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
    Request(RequestId),
    /// Somebody else is asked what he knows of the ring.
    Gossip,
    /// Whoever was to send or take keys and has not answered is asked again.
    Transfer,
}

impl<D: Versioned> Dynamo<D> {
    /// Its name in scenario files.
    pub const NAME: &'static str = "dynamo";
    /// What it is, in one line.
    pub const ABOUT: &'static str = "Dynamo (DeCandia et al. 2007): a key-value store without a leader; sloppy quorums, hints, siblings by dotted version vectors, hash trees.";

    fn send(&self, to: NodeId, message: Message<D::Op>, ctx: &mut Ctx<'_, Self>) {
        ctx.send_over(self.config.transport, to, message);
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
    type Laws = ();

    const ORDERS: &'static [OrderKind] = &[
        OrderKind { name: "join", about: About::Some, text: "These nodes shall join the ring." },
        OrderKind { name: "leave", about: About::Some, text: "These nodes shall hand over what they keep, and leave." },
        OrderKind {
            name: "remove",
            about: About::Some,
            text: "These nodes are dead and will not come back; others shall take their place.",
        },
    ];

    const KINDS: &'static [&'static str] = &[
        "Forward", "Get", "Got", "Put", "Stored", "Gossip", "View", "Ordered", "Fetch", "Page", "Ready", "HandOver",
        "Taken", "Request", "Answer",
    ];

    fn order(name: &str, about: &[NodeId]) -> Order {
        match name {
            "join" => Order::Join(about.to_vec()),
            "leave" => Order::Leave(about.to_vec()),
            "remove" => Order::Remove(about.to_vec()),
            other => panic!("no order `{other}` about {} nodes stands in ORDERS", about.len()),
        }
    }

    /// What does not read back is lost here, and the other home nodes have it: it is fetched from them as by who joins. But this node
    /// may have counted further than it knows, and must not number its puts as before.
    fn start(boot: Boot<'_, Self>, ctx: &mut Ctx<'_, Self>) -> Self {
        let is_torn = boot.journal.contains(&Slot::Corrupt);
        let is_spoilt = boot.journal.iter().take(boot.flushed).any(|slot| *slot == Slot::Corrupt);
        let is_stranger = is_spoilt || boot.why == Why::Replacement;
        let mut store = Store::default();
        let (mut view, mut has, mut fetched) = (None, None, Vec::new());
        for slot in boot.journal {
            let Slot::Ok(record) = slot else { continue };
            store.replay(record, is_torn);
            match record {
                Record::Ring { view: known } => (view, fetched) = (Some(known.clone()), Vec::new()),
                Record::Has { now, next } => (has, fetched) = (Some((now.clone(), next.clone())), Vec::new()),
                Record::Fetched { range } => fetched.push(*range),
                Record::Object { .. } | Record::Dropped { .. } => {}
            }
        }
        let everybody: Vec<NodeId> = boot.members.iter().map(|member| member.id).collect();
        let founders = boot.config.founders(everybody.iter().copied());
        let founding = View::founding(&founders);
        let membership = Membership::new(&founding, view, is_stranger, everybody);
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
        let mut node = Dynamo {
            config: boot.config.clone(),
            me: boot.me,
            ring,
            membership,
            transfer: Transfer::new(has, fetched, ctx.dice().bits() >> 1),
            peers: Peers::default(),
            store,
            coordination: Coordination::new(ctx.dice().bits() >> 1),
        };
        if is_stranger {
            ctx.persist(node.has_record());
        }
        node.begin_transfer(ctx);
        // Not everybody at the same instant.
        let first = ctx.dice().below(node.config.gossip) + 1;
        ctx.arm(Timer::Gossip, first);
        node
    }

    fn on_message(&mut self, from: NodeId, message: Message<D::Op>, ctx: &mut Ctx<'_, Self>) {
        self.peers.heard(from);
        match message {
            Message::Forward { query, hops } => self.take_up(query, hops, ctx),
            Message::Get { request, key } => {
                self.tell_view_first(from, ctx);
                if !self.answers(key) {
                    return;
                }
                let object = self.read(key);
                self.send(from, Message::Got { request, object }, ctx);
            }
            Message::Got { request, object } => self.on_got(from, request, object, ctx),
            Message::Put { request, key, object } => {
                if let Some(record) = self.store.merge(key, &object, self.config.conflicts) {
                    ctx.persist(record);
                }
                self.put_aside(key, ctx);
                self.tell_view_first(from, ctx);
                if let Some(request) = request {
                    self.send(from, Message::Stored { request }, ctx);
                }
            }
            Message::Stored { request } => self.on_stored(from, request, ctx),
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
        }
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Ctx<'_, Self>) {
        match timer {
            Timer::Request(id) => self.on_request_timeout(id, ctx),
            Timer::Gossip => self.gossip(ctx),
            Timer::Transfer => self.on_transfer_timeout(ctx),
        }
    }

    fn on_admin(&mut self, order: Order, ctx: &mut Ctx<'_, Self>) -> bool {
        self.take_order(order, ctx)
    }

    fn on_request(&mut self, client: ClientId, request: Self::Request, ctx: &mut Ctx<'_, Self>) {
        let Request { serial, attempt, ask } = request;
        match ask {
            Ask::Operation { op, .. } => self.take_up(Query { client, serial, attempt, op }, 0, ctx),
            // There are no sessions.
            Ask::Register => ctx.tell(client, Answer { serial, attempt, response: Response::Redirect(None) }),
        }
    }

    fn can_serve(config: &DynamoConfig, op: &D::Op, reach: &Reach<'_>) -> bool {
        let needed = if D::FUNCTIONS[D::function(op)].writes { config.w } else { config.r };
        reach.groups().any(|group| group.len() >= needed)
    }

    fn promises(_: &DynamoConfig, claim: Claim, _: &Premise) -> Result<(), String> {
        if claim == Claim::Progress { Ok(()) } else { Err("a store without order promises no such thing".to_owned()) }
    }
}

impl<D: Versioned> Service for Dynamo<D> {
    fn reads_anywhere(_: &DynamoConfig) -> bool {
        true
    }
}
