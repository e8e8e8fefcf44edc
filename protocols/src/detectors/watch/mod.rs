//! Everybody watches everybody: a system of nothing but heartbeats, to see how well a detector does.
//!
//! Each node sends a heartbeat to all others at every interval of its clock, as a datagram, and asks its
//! [`Estimator`](super::Estimator) of each other node how long to trust it. When that time is over without news it takes the
//! node to be down, until there is news.
//!
//! **What is news?** A heartbeat says in which *life* of its sender it was sent (each start of a process is a new one) and which
//! it is in it. Numbers count the intervals of the sender's clock that have passed, so that one who was paused leaves some
//! out, and the later heartbeats are where they are expected. News has a higher life, or the same and a higher number: what comes
//! twice or was overtaken is none. Neither is what was long on its way (`pace`): a network that held heartbeats up
//! and lets them go at last tells how the sender was, not how it is.
//! What else makes heartbeats look late cannot be told from that: the receiver's clock jumped ahead, the sender's stood still,
//! the way became longer. If that is by more than the `cutoff`, nothing is news until a hundred heartbeats have made a new pace.
//!
//! - [`config`]: settings of each detector; [`flaws`]: mistakes.
//! - [`invariants`]: what must hold after every step; [`promises`]: what is promised.

pub mod config;
pub mod flaws;
pub mod invariants;
mod pace;
pub mod promises;
#[cfg(test)]
mod tests;

pub use config::{WatchConfig, Watched};
pub use invariants::WatchLaws;

use super::{Arrival, Trust};
use pace::Pace;
use serde::Serialize;
use sim_core::idle::{Nobody, Nothing};
use sim_core::promise::{Claim, Premise};
use sim_core::protocol::{Boot, ClientId, Ctx, Never, NodeId, Observation, Protocol, Slot, Vocabulary};
use sim_core::reach::Reach;
use sim_core::time::{LocalTime, Nanos};
use std::collections::BTreeMap;

/// A node that sends heartbeats and watches all others.
#[derive(Clone, Debug)]
pub struct Watch<E: Watched> {
    me: NodeId,
    config: WatchConfig<E>,
    /// Which of its lives this is.
    life: u64,
    /// The number of the heartbeat sent last.
    sent: u64,
    /// Heartbeats are sent so long after each full interval of the clock.
    phase: Nanos,
    peers: BTreeMap<NodeId, Peer<E>>,
    /// What the last step was about, for the laws.
    latest: Option<(NodeId, LocalTime)>,
}

/// Another node, as this one sees it.
#[derive(Clone, Debug)]
struct Peer<E> {
    estimator: E,
    trust: Trust,
    pace: Pace,
    /// The life and the number of the newest heartbeat.
    newest: (u64, u64),
    /// How much later than the fastest that was news came.
    lateness: Nanos,
    is_down: bool,
}

/// Node to node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Message {
    /// "I am there."
    Heartbeat {
        /// In which of its lives the sender is.
        life: u64,
        /// How many intervals have passed.
        number: u64,
    },
}

/// Alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Timer {
    /// Time for a heartbeat.
    Heartbeat,
    /// The trust in this node ends.
    Trust(NodeId),
}

/// What survives a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Record {
    /// The node has begun a life of this number.
    Life(u64),
}

impl<E: Watched> Watch<E> {
    /// Whom it takes to be down.
    pub fn suspects(&self) -> impl Iterator<Item = NodeId> {
        self.peers.iter().filter(|(_, peer)| peer.is_down).map(|(node, _)| *node)
    }

    /// The clock that heartbeats are numbered by.
    fn clock(&self, ctx: &Ctx<'_, Self>) -> LocalTime {
        if E::is_by_wall_clock(&self.config.estimator) { ctx.wall() } else { ctx.now() }
    }

    /// Sets the alarm for the next heartbeat.
    fn await_next(&self, ctx: &mut Ctx<'_, Self>) {
        let interval = self.config.interval;
        let passed = self.clock(ctx).0.saturating_sub(self.phase) % interval;
        ctx.arm(Timer::Heartbeat, interval - passed);
    }

    fn send_heartbeats(&mut self, ctx: &mut Ctx<'_, Self>) {
        // By a clock that was set back numbers rise all the same.
        let passed = self.clock(ctx).0.saturating_sub(self.phase) / self.config.interval;
        self.sent = passed.max(self.sent + 1);
        let message = Message::Heartbeat { life: self.life, number: self.sent };
        self.peers.keys().for_each(|peer| ctx.send_datagram(*peer, message));
        self.await_next(ctx);
    }

    fn on_heartbeat(&mut self, from: NodeId, life: u64, number: u64, ctx: &mut Ctx<'_, Self>) {
        let Some(peer) = self.peers.get_mut(&from) else { return };
        let arrival = Arrival { number, at: ctx.now(), wall: ctx.wall() };
        if peer.is_news(life, arrival, &self.config) {
            peer.estimator.heard(arrival, &self.config.estimator);
            peer.trust = peer.estimator.trust();
            self.judge(from, ctx);
        }
    }

    /// Whether a peer is up, as far as one knows now.
    fn judge(&mut self, node: NodeId, ctx: &mut Ctx<'_, Self>) {
        let Some(peer) = self.peers.get_mut(&node) else { return };
        let left = peer.trust.left(ctx.now());
        if left > 0 {
            ctx.arm(Timer::Trust(node), left);
        }
        if peer.is_down != (left == 0) {
            peer.is_down = left == 0;
            ctx.observe(Observation::Deems { peer: node, is_down: peer.is_down });
        }
        self.latest = Some((node, ctx.now()));
    }
}

impl<E: Watched> Peer<E> {
    fn new(config: &WatchConfig<E>, now: LocalTime) -> Self {
        let estimator = E::begin(&config.estimator, now);
        let trust = estimator.trust();
        Peer { estimator, trust, pace: Pace::default(), newest: (0, 0), lateness: 0, is_down: false }
    }

    /// Whether a heartbeat tells that its sender is there, and not only that it was.
    fn is_news(&mut self, life: u64, arrival: Arrival, config: &WatchConfig<E>) -> bool {
        if (life, arrival.number) <= self.newest {
            return false;
        }
        if life > self.newest.0 || arrival.at < self.trust.since {
            self.pace = Pace::default();
        }
        if life > self.newest.0 {
            self.estimator.reborn();
        }
        self.newest = (life, arrival.number);
        let lateness = self.pace.lateness(arrival, config.interval);
        if config.cutoff.is_some_and(|cutoff| lateness > cutoff) {
            return false;
        }
        self.lateness = lateness;
        true
    }
}

impl<E: Watched> Vocabulary for Watch<E> {
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Reply = Never;
}

impl<E: Watched> Protocol for Watch<E> {
    type Request = Never;
    type Client = Nobody;
    type Admin = Never;
    type Config = WatchConfig<E>;
    type Data = Nothing;
    type Laws = WatchLaws;

    const KINDS: &'static [&'static str] = &["Heartbeat"];

    /// A life has a higher number than all before: those that the disk knows of, and by the wall clock those of a machine whose
    /// place this one took. Heartbeats wait until that is on disk.
    fn start(boot: Boot<'_, Self>, ctx: &mut Ctx<'_, Self>) -> Self {
        let before = boot.journal.iter().filter_map(|slot| match slot {
            Slot::Ok(Record::Life(life)) => Some(*life),
            Slot::Corrupt => None,
        });
        let life = before.max().unwrap_or(0).saturating_add(1).max(ctx.wall().0);
        ctx.snapshot(vec![Record::Life(life)]);
        let config = boot.config.clone();
        let others = boot.members.iter().map(|member| member.id).filter(|id| *id != boot.me);
        let peers: BTreeMap<NodeId, Peer<E>> = others.map(|id| (id, Peer::new(&config, ctx.now()))).collect();
        let mut node = Watch { me: boot.me, config, life, sent: 0, phase: 0, peers, latest: None };
        // Not everybody at the same time, unless the time itself says which heartbeat it is.
        if !E::is_by_wall_clock(&node.config.estimator) {
            node.phase = ctx.dice().below(node.config.interval);
        }
        for (peer, known) in &mut node.peers {
            ctx.observe(Observation::Deems { peer: *peer, is_down: false });
            ctx.arm(Timer::Trust(*peer), known.trust.left(ctx.now()));
        }
        node.await_next(ctx);
        node
    }

    fn on_message(&mut self, from: NodeId, message: Message, ctx: &mut Ctx<'_, Self>) {
        self.latest = None;
        let Message::Heartbeat { life, number } = message;
        self.on_heartbeat(from, life, number, ctx);
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Ctx<'_, Self>) {
        self.latest = None;
        match timer {
            Timer::Heartbeat => self.send_heartbeats(ctx),
            Timer::Trust(peer) => self.judge(peer, ctx),
        }
    }

    fn on_request(&mut self, _: ClientId, request: Never, _: &mut Ctx<'_, Self>) {
        match request {}
    }

    fn can_serve(_: &WatchConfig<E>, op: &Never, _: &Reach<'_>) -> bool {
        match *op {}
    }

    fn promises(config: &WatchConfig<E>, claim: Claim, premise: &Premise) -> Result<(), String> {
        promises::promise(config, claim, premise)
    }
}
