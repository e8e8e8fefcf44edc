//! By what followers suspect their leader, and the heartbeats that it takes.
//!
//! A timeout goes by every message of the leader. The detectors of Chen and phi estimate when the next heartbeat is due, and
//! want heartbeats at regular times: the leader then sends numbered ones beside everything else, one to each listener at each
//! heartbeat alarm.

use super::config::Watching;
use super::{Ballot, Message, MultiPaxos, MultiPaxosConfig, Role, Timer};
use crate::detectors::Detector;
use crate::detectors::beats::{Beat, Beats};
use crate::detectors::chen::Chen;
use crate::detectors::phi::Phi;
use crate::detectors::timeout::HeartbeatTimeout;
use history::Object;
use sim_core::dice::Dice;
use sim_core::protocol::{Ctx, NodeId};
use sim_core::time::{LocalTime, Nanos};

/// The detector that the settings name.
#[derive(Clone, Debug)]
pub(super) enum Watch {
    Timeout(HeartbeatTimeout),
    Chen(Beats<Chen>),
    Phi(Beats<Phi>),
}

impl Watch {
    pub fn new(config: &MultiPaxosConfig) -> Self {
        let (shortest, longest) = config.patience;
        let head_start = longest - shortest;
        match &config.watching {
            Watching::Timeout => Watch::Timeout(HeartbeatTimeout::new(config.patience)),
            Watching::Chen(settings) => {
                Watch::Chen(Beats::new(settings.clone(), config.heartbeat, longest, head_start))
            }
            Watching::Phi(settings) => Watch::Phi(Beats::new(settings.clone(), config.heartbeat, longest, head_start)),
        }
    }

    /// This node leads from now on; whatever was heard of it before, it has time for a first heartbeat.
    pub fn expect(&mut self, leader: NodeId, now: LocalTime) {
        match self {
            Watch::Timeout(_) => {}
            Watch::Chen(beats) => beats.expect(leader, now),
            Watch::Phi(beats) => beats.expect(leader, now),
        }
    }

    fn beat(&mut self, peer: NodeId, beat: Beat, now: LocalTime, dice: &mut Dice) {
        match self {
            Watch::Timeout(timeout) => timeout.heard(peer, now, dice),
            Watch::Chen(beats) => beats.beat(peer, beat, now, dice),
            Watch::Phi(beats) => beats.beat(peer, beat, now, dice),
        }
    }
}

impl Detector for Watch {
    fn heard(&mut self, peer: NodeId, now: LocalTime, dice: &mut Dice) {
        match self {
            Watch::Timeout(timeout) => timeout.heard(peer, now, dice),
            Watch::Chen(beats) => beats.heard(peer, now, dice),
            Watch::Phi(beats) => beats.heard(peer, now, dice),
        }
    }

    fn suspects_in(&mut self, peer: NodeId, now: LocalTime) -> Option<Nanos> {
        match self {
            Watch::Timeout(timeout) => timeout.suspects_in(peer, now),
            Watch::Chen(beats) => beats.suspects_in(peer, now),
            Watch::Phi(beats) => beats.suspects_in(peer, now),
        }
    }
}

impl<O: Object> MultiPaxos<O> {
    /// A heartbeat to everybody who listens, if anybody needs one.
    pub(super) fn send_beats(&mut self, ctx: &mut Ctx<'_, Self>) {
        if self.config.watching == Watching::Timeout {
            return;
        }
        let Role::Leader(leadership) = &mut self.role else { return };
        let beat =
            Message::Beat { ballot: self.ballot, number: leadership.next_beat(ctx.now(), self.config.heartbeat) };
        self.send_all(&beat, ctx);
    }

    /// Whoever sends it is there, and that is learnt from even if it leads no longer. It is the leader's if we follow it in this
    /// ballot.
    pub(super) fn on_beat(&mut self, from: NodeId, ballot: Ballot, number: u64, ctx: &mut Ctx<'_, Self>) {
        let now = ctx.now();
        self.detector.beat(from, Beat { life: ballot.number(), number }, now, ctx.dice());
        if self.leader != Some(from) || ballot < self.promised {
            return;
        }
        if let Some(patience) = self.detector.suspects_in(from, now) {
            ctx.arm(Timer::Patience, patience);
        }
    }
}
