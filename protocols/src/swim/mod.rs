//! SWIM: who is a member and who has failed, known to everybody without anybody in charge; with Lifeguard.
//!
//! A companion to Das, Gupta and Motivala, *SWIM: Scalable Weakly-consistent Infection-style Process Group Membership Protocol*
//! (DSN 2002; "4.2" below is its section), and to Dadgar, Phillips and Currey, *Lifeguard: Local Health Awareness for More
//! Accurate Failure Detection* (DSN 2018 workshops).
//!
//! The picture: friends on a long walk. Each calls out to another now and then ("Ben?" "Here!"). Who gets no answer asks three
//! others to call for him. If none of them hears anything, word goes round that Ben may be lost; and when Ben hears that, he
//! says in a louder voice that he is not. Nobody goes about telling news: it is told along with the calls.
//! *Lifeguard* adds the thought that whoever hears nobody may have water in his own ears. He calls less often, waits
//! longer, is slow to believe what only he believes, and whoever calls Ben tells him first what is said of him.
//!
//! - `members`: what is known of whom, and which news counts; `suspicions`: who is suspected, and for how long.
//! - `probing`: pings, indirect pings, and whom to ping next; with the local health multiplier.
//! - `gossip`: what goes along with messages; `rumours`: what a member makes of what it hears, of itself above all.
//! - `coming`: joining, leaving, coming back, and comparing all that is known.
//! - [`invariants`]: what must hold after every step; `promises`: what all this amounts to, and on which conditions.
//! - [`config`]: settings; [`flaws`]: mistakes that real systems made.
//!
//! **An incarnation is written down before it is told.** Whoever comes back begins with a higher one than any it ever told, so
//! its first word beats all that was said while it was away. The papers leave it to the member to learn what is said of it
//! and to contradict, which is still what happens where a disk was lost.
//!
//! All messages are datagrams: each may be lost, doubled or late.

mod coming;
pub mod config;
pub mod flaws;
mod gossip;
pub mod invariants;
mod logarithm;
mod members;
mod probing;
pub mod promises;
mod rumours;
mod suspicions;
#[cfg(test)]
mod tests;

pub use config::SwimConfig;
pub use invariants::SwimLaws;
pub use members::{News, Standing, Status};

use coming::Place;
use gossip::Gossip;
use members::Members;
use probing::Probing;
use serde::Serialize;
use sim_core::holding::Holding;
use sim_core::idle::{Nobody, Nothing};
use sim_core::promise::{Claim, Premise};
use sim_core::protocol::{About, Boot, ClientId, Ctx, Never, NodeId, OrderKind, Protocol, Slot, Vocabulary};
use sim_core::reach::Reach;
use sim_core::time::LocalTime;
use suspicions::Suspicions;

/// A node of the system.
#[derive(Clone, Debug)]
pub struct Swim {
    config: SwimConfig,
    me: NodeId,
    /// Every node that there is: nobody else can be a member.
    everybody: Vec<NodeId>,
    place: Place,
    /// The number of its own last word.
    incarnation: u64,
    members: Members,
    suspicions: Suspicions,
    probing: Probing,
    gossip: Gossip,
    is_gossiping: bool,
}

/// Node to node. Each brings some news along.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Message {
    /// "Are you there?"
    Ping {
        /// The sender's number for the question.
        probe: u64,
        /// What is new.
        news: Vec<News>,
    },
    /// "I am."
    Ack {
        /// The number it was asked under.
        probe: u64,
        /// What is new.
        news: Vec<News>,
    },
    /// "Ask somebody for me whether it is there."
    PingReq {
        /// The sender's number for the question.
        probe: u64,
        /// Who is to be asked.
        target: NodeId,
        /// What is new.
        news: Vec<News>,
    },
    /// "I have heard nothing yet from whom I was to ask" (Lifeguard, IV.A).
    Nack {
        /// The number it was asked under.
        probe: u64,
        /// What is new.
        news: Vec<News>,
    },
    /// News by itself.
    Gossip {
        /// What is new.
        news: Vec<News>,
    },
    /// All that the sender knows.
    Sync {
        /// Of everybody.
        all: Vec<News>,
        /// Whether it answers one that was sent to it.
        is_answer: bool,
    },
}

/// What is written down.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Record {
    /// How things stand with this node itself from now on.
    Own {
        /// The number of its last word.
        incarnation: u64,
        /// Whether it is a member.
        is_member: bool,
    },
}

/// Alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Timer {
    /// A protocol period is over.
    Period,
    /// Who was pinged has not answered in time.
    Timeout,
    /// Somebody who was pinged for another has not answered.
    Nack,
    /// Somebody has been suspected for long enough.
    Suspicion,
    /// News is sent by itself.
    Gossip,
    /// What is known is compared.
    Sync,
}

/// What an operator can order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Order {
    /// Become a member.
    Join,
    /// Be one no more.
    Leave,
}

impl Swim {
    /// Its name in scenario files.
    pub const NAME: &'static str = "swim";
    /// What it is, in one line.
    pub const ABOUT: &'static str = "SWIM (Das et al. 2002) with Lifeguard (Dadgar et al. 2018): who is a member and who has failed, by pings, indirect pings, suspicion and gossip.";
}

impl Vocabulary for Swim {
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Reply = Never;
}

impl Protocol for Swim {
    type Request = Never;
    type Client = Nobody;
    type Admin = Order;
    type Config = SwimConfig;
    type Data = Nothing;
    type Laws = SwimLaws;

    const ORDERS: &'static [OrderKind] = &[
        OrderKind { name: "join", about: About::Nobody, text: "Whoever is told this becomes a member." },
        OrderKind { name: "leave", about: About::Nobody, text: "Whoever is told this says that it leaves, and does." },
    ];
    const RECOVERIES: &'static [&'static str] = &[rumours::REFUTED];

    const KINDS: &'static [&'static str] = &["Ping", "Ack", "PingReq", "Nack", "Gossip", "Sync"];
    const REVEALS: bool = true;

    fn order(name: &str, about: &[NodeId]) -> Order {
        match name {
            "join" => Order::Join,
            "leave" => Order::Leave,
            other => panic!("no order `{other}` about {} nodes stands in ORDERS", about.len()),
        }
    }

    /// A slot that does not read back is as good as a lost disk: what it said of this node others say too.
    fn start(boot: Boot<'_, Self>, ctx: &mut Ctx<'_, Self>) -> Self {
        let everybody: Vec<NodeId> = boot.members.iter().map(|member| member.id).collect();
        let mut swim = Swim {
            config: boot.config.clone(),
            me: boot.me,
            everybody,
            place: Place::Outside,
            incarnation: 0,
            members: Members::new(boot.config.flaws.has(&flaws::ALIVE_OVERRIDES)),
            suspicions: Suspicions::default(),
            probing: Probing::default(),
            gossip: Gossip::default(),
            is_gossiping: false,
        };
        let own = boot.journal.iter().rev().find_map(|slot| match slot {
            Slot::Ok(Record::Own { incarnation, is_member }) => Some((*incarnation, *is_member)),
            Slot::Corrupt => None,
        });
        swim.begin(boot.why, own, ctx);
        swim
    }

    fn on_message(&mut self, from: NodeId, message: Message, ctx: &mut Ctx<'_, Self>) {
        self.members.begin_step();
        if self.place != Place::Inside {
            return;
        }
        match message {
            Message::Ping { probe, news } => {
                self.hear(from, &news, ctx);
                self.on_ping(from, probe, ctx);
            }
            Message::Ack { probe, news } => {
                self.hear(from, &news, ctx);
                self.on_ack(probe, ctx);
            }
            Message::PingReq { probe, target, news } => {
                self.hear(from, &news, ctx);
                self.on_ping_req(from, probe, target, ctx);
            }
            Message::Nack { probe, news } => {
                self.hear(from, &news, ctx);
                self.on_nack(from, probe);
            }
            Message::Gossip { news } => self.hear(from, &news, ctx),
            Message::Sync { all, is_answer } => self.on_sync(from, &all, is_answer, ctx),
        }
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Ctx<'_, Self>) {
        self.members.begin_step();
        match timer {
            Timer::Period => self.on_period(ctx),
            Timer::Timeout => self.on_timeout(ctx),
            Timer::Nack => self.on_nack_due(ctx),
            Timer::Suspicion => self.on_suspicion(ctx),
            Timer::Gossip => self.on_gossip(ctx),
            Timer::Sync => self.on_sync_due(ctx),
        }
    }

    fn on_request(&mut self, _: ClientId, request: Never, _: &mut Ctx<'_, Self>) {
        match request {}
    }

    fn on_admin(&mut self, order: Order, ctx: &mut Ctx<'_, Self>) -> bool {
        self.members.begin_step();
        match order {
            Order::Join => self.join(ctx),
            Order::Leave => self.leave(ctx),
        }
    }

    fn reveal(&self) -> Option<Holding> {
        Some(self.holding())
    }

    fn can_serve(_: &SwimConfig, op: &Never, _: &Reach<'_>) -> bool {
        match *op {}
    }

    fn promises(config: &SwimConfig, claim: Claim, premise: &Premise) -> Result<(), String> {
        promises::promise(config, claim, premise)
    }
}

/// That moment by this node's clock in which so much more has passed.
fn time_until(at: LocalTime, now: LocalTime) -> u64 {
    at.0.saturating_sub(now.0)
}
