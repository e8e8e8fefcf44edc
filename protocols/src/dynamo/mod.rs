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
//! - `ring`: who keeps which key.
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
mod peers;
mod ring;
mod store;
pub mod versions;

pub use config::DynamoConfig;
pub use coordinator::{Query, RequestId};
pub use data::Versioned;

use crate::client::{Answer, Ask, Request, Response, RoutingClient, Service};
use coordinator::Coordination;
use history::Key;
use peers::Peers;
use ring::Ring;
use serde::Serialize;
use sim_core::promise::{Claim, Premise};
use sim_core::protocol::{Boot, ClientId, Ctx, Never, NodeId, Protocol, Slot, Vocabulary};
use sim_core::reach::Reach;
use store::Store;
use versions::Object;

/// A node of the system.
#[derive(Clone, Debug)]
pub struct Dynamo<D: Versioned> {
    config: DynamoConfig,
    me: NodeId,
    ring: Ring,
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
}

/// Alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Timer {
    /// Something is due with a request that this node coordinates.
    Request(RequestId),
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
    type Admin = Never;
    type Config = DynamoConfig;
    type Data = D;
    type Laws = ();

    const KINDS: &'static [&'static str] = &["Forward", "Get", "Got", "Put", "Stored", "Request", "Answer"];

    /// What does not read back is lost here, and the other home nodes have it: anti-entropy brings it back. But this node may
    /// have counted further than it knows, and must not number its puts as before.
    fn start(boot: Boot<'_, Self>, ctx: &mut Ctx<'_, Self>) -> Self {
        let is_torn = boot.journal.iter().any(|slot| *slot == Slot::Corrupt);
        let mut store = Store::default();
        for slot in boot.journal {
            if let Slot::Ok(record) = slot {
                store.replay(record, is_torn);
            }
        }
        Dynamo {
            config: boot.config.clone(),
            me: boot.me,
            ring: Ring::new(boot.members.iter().map(|member| member.id).collect()),
            peers: Peers::default(),
            store,
            coordination: Coordination::new(ctx.dice().bits() >> 1),
        }
    }

    fn on_message(&mut self, from: NodeId, message: Message<D::Op>, ctx: &mut Ctx<'_, Self>) {
        self.peers.heard(from);
        match message {
            Message::Forward { query, hops } => self.take_up(query, hops, ctx),
            Message::Get { request, key } => {
                let object = self.read(key);
                self.send(from, Message::Got { request, object }, ctx);
            }
            Message::Got { request, object } => self.on_got(from, request, object, ctx),
            Message::Put { request, key, object } => {
                if let Some(record) = self.store.merge(key, &object, self.config.conflicts) {
                    ctx.persist(record);
                }
                if let Some(request) = request {
                    self.send(from, Message::Stored { request }, ctx);
                }
            }
            Message::Stored { request } => self.on_stored(from, request, ctx),
        }
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Ctx<'_, Self>) {
        match timer {
            Timer::Request(id) => self.on_request_timeout(id, ctx),
        }
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
