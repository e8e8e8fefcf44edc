//! Who seems to be down, as far as this node needs to know.
//!
//! "It is possible to use a purely local notion of failure detection: A may consider B failed if B does not respond to A's
//! messages" (DeCandia et al. 2007, 4.8.3). Who does not answer in time is down until it is heard of, whatever it says.
//! Meanwhile it is asked now and then whether it is there, since nobody asks it anything else. As long as nobody seems to be
//! down, nobody is asked.
//!
//! That takes a slow answer for a dead node. With `detector = "phi"` answers say nothing of it: every node lets all others hear of it
//! at regular times, and a silence counts that is too unlikely, going by those before (as in Cassandra, which looks once an interval
//! too). Who stood still itself convicts nobody at once: what was sent to it meanwhile is still to be read.

use super::config::{Watching, silence_max};
use super::{Dynamo, Message, Timer, Versioned};
use crate::detectors::Detector;
use crate::detectors::beats::{Beat, Beats};
use crate::detectors::phi::Phi;
use sim_core::dice::Dice;
use sim_core::protocol::{Ctx, NodeId, Transport};
use sim_core::time::{LocalTime, Nanos};
use std::collections::{BTreeMap, BTreeSet};

/// When others were heard of, and those who seem to be down.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    heard: BTreeMap<NodeId, LocalTime>,
    down: BTreeSet<NodeId>,
    is_probing: bool,
    /// With `detector` = phi.
    pulse: Option<Pulse>,
}

/// Heartbeats, this node's own and those of others.
#[derive(Clone, Debug)]
struct Pulse {
    others: Beats<Phi>,
    interval: Nanos,
    /// The last of its own.
    own: Beat,
    /// When it looked whom it has not heard.
    looked: LocalTime,
}

impl Peers {
    /// A process of this name begins to watch.
    pub fn new(watching: &Watching, life: u64, now: LocalTime) -> Self {
        let pulse = match watching {
            Watching::Answers => None,
            Watching::Phi(phi) => Some(Pulse {
                others: Beats::new(phi.clone(), phi.interval, silence_max(phi.interval), 0),
                interval: phi.interval,
                own: Beat { life, number: 0 },
                looked: now,
            }),
        };
        Peers { pulse, ..Peers::default() }
    }

    /// A sign of life; with heartbeats, none that counts.
    pub fn heard(&mut self, peer: NodeId, now: LocalTime) {
        self.heard.insert(peer, now);
        if self.pulse.is_none() {
            self.down.remove(&peer);
        }
    }

    /// A heartbeat.
    pub fn beat(&mut self, peer: NodeId, beat: Beat, now: LocalTime, dice: &mut Dice) {
        let Some(pulse) = &mut self.pulse else { return };
        pulse.others.beat(peer, beat, now, dice);
        if !pulse.others.suspects(peer, now) {
            self.down.remove(&peer);
        }
    }

    /// An interval has passed: looks which of these it has not heard for too long, and what to let them hear. `None` without
    /// heartbeats.
    fn next_beat(&mut self, others: &BTreeSet<NodeId>, now: LocalTime) -> Option<Beat> {
        let pulse = self.pulse.as_mut()?;
        let stood_still = now.since(pulse.looked) > 2 * pulse.interval;
        pulse.looked = now;
        pulse.others.keep_only(others);
        self.down.retain(|peer| others.contains(peer));
        for peer in others {
            match pulse.others.suspects_in(*peer, now) {
                None => pulse.others.expect(*peer, now),
                Some(0) if !stood_still => _ = self.down.insert(*peer),
                Some(_) => {}
            }
        }
        pulse.own.number += 1;
        Some(pulse.own)
    }

    /// It has not answered in time what it was asked then. Who has said something else since is there all the same: a
    /// message was lost. Where heartbeats decide, others are asked before it.
    pub fn missed(&mut self, peer: NodeId, asked: LocalTime) {
        if self.heard.get(&peer).is_some_and(|heard| *heard >= asked) {
            return;
        }
        match self.pulse {
            None => _ = self.down.insert(peer),
            Some(_) => _ = self.heard.remove(&peer),
        }
    }

    /// Of these, the one that was heard of last; the first, if none was. The likeliest to be there.
    pub fn freshest(&self, peers: impl Iterator<Item = NodeId>) -> Option<NodeId> {
        peers.reduce(|best, peer| if self.heard.get(&peer) > self.heard.get(&best) { peer } else { best })
    }

    /// Whether it seems to be up.
    pub fn is_up(&self, peer: NodeId) -> bool {
        !self.down.contains(&peer)
    }
}

impl<D: Versioned> Dynamo<D> {
    /// A node has not answered in time what it was asked then.
    pub(super) fn missed(&mut self, peer: NodeId, asked: LocalTime, ctx: &mut Ctx<'_, Self>) {
        self.peers.missed(peer, asked);
        if !self.peers.down.is_empty() && !self.peers.is_probing {
            self.peers.is_probing = true;
            ctx.arm(Timer::Probe, self.config.probe);
        }
    }

    /// It is time for a heartbeat, if this node is a member, now or then. Who is none needs to know too who is there, to pass
    /// requests on. Each is a datagram: the next one is worth more than one that comes late.
    pub(super) fn on_beat_due(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Watching::Phi(phi) = &self.config.watching else { return };
        ctx.arm(Timer::Beat, phi.interval);
        let mut members: BTreeSet<NodeId> = self.ring.now().members().iter().copied().collect();
        members.extend(self.ring.coming().members());
        let is_member = members.remove(&self.me);
        let Some(Beat { life, number }) = self.peers.next_beat(&members, ctx.now()) else { return };
        for node in self.membership.others(self.me).filter(|_| is_member) {
            ctx.send_over(Transport::Datagram, node, Message::Beat { life, number });
        }
    }

    /// It is time to ask those who seem to be down.
    pub(super) fn on_probe(&mut self, ctx: &mut Ctx<'_, Self>) {
        for peer in &self.peers.down {
            self.send(*peer, Message::Ping, ctx);
        }
        self.peers.is_probing = !self.peers.down.is_empty();
        if self.peers.is_probing {
            ctx.arm(Timer::Probe, self.config.probe);
        }
    }

    /// A node that was away tells the others that it is back; they may have given it up.
    pub(super) fn greet(&self, ctx: &mut Ctx<'_, Self>) {
        for peer in self.ring.coming().members() {
            if *peer != self.me {
                self.send(*peer, Message::Ping, ctx);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::phi::{Distribution, PhiSettings};
    use sim_core::dice::{Ratio, StreamName, Streams};
    use sim_core::time::MILLISECOND;

    const BEN: NodeId = NodeId(1);

    #[test]
    fn who_does_not_answer_is_down_until_it_says_something() {
        let mut peers = Peers::default();
        peers.missed(BEN, LocalTime(10));
        assert!(!peers.is_up(BEN));
        peers.heard(BEN, LocalTime(30));
        assert!(peers.is_up(BEN));
        peers.missed(BEN, LocalTime(20));
        assert!(peers.is_up(BEN), "it said something after it was asked");
        assert_eq!(peers.freshest([NodeId(2), BEN, NodeId(3)].into_iter()), Some(BEN));
        assert_eq!(peers.freshest([NodeId(2), NodeId(3)].into_iter()), Some(NodeId(2)));
        peers.missed(BEN, LocalTime(31));
        assert!(!peers.is_up(BEN));
    }

    const INTERVAL: Nanos = 100 * MILLISECOND;

    /// Watches by phi, and has heard BEN at every interval until the end of that of this number.
    fn watching(upto: u64) -> (Peers, Dice) {
        let phi = PhiSettings::new(Distribution::Normal, Ratio::new(8, 1), INTERVAL, 100, 10 * MILLISECOND);
        let mut peers = Peers::new(&Watching::Phi(phi), 1, LocalTime(0));
        let mut dice = Streams::new(1).dice(StreamName::new(&["peers"]));
        for number in 0..=upto {
            let now = LocalTime(number * INTERVAL);
            assert_eq!(peers.next_beat(&BTreeSet::from([BEN]), now), Some(Beat { life: 1, number: number + 1 }));
            peers.beat(BEN, Beat { life: 7, number }, now, &mut dice);
        }
        (peers, dice)
    }

    #[test]
    fn who_is_not_heard_for_too_long_is_down_though_nobody_asks_it() {
        let (mut peers, mut dice) = watching(100);
        peers.missed(BEN, LocalTime(100 * INTERVAL));
        assert!(peers.is_up(BEN), "a slow answer says nothing");
        let down = (101..110).find(|number| {
            peers.next_beat(&BTreeSet::from([BEN]), LocalTime(number * INTERVAL));
            !peers.is_up(BEN)
        });
        assert_eq!(down, Some(102), "100 ms and 5.6 deviations of at least 10 ms");
        peers.heard(BEN, LocalTime(105 * INTERVAL));
        assert!(!peers.is_up(BEN), "nor does any other message");
        peers.beat(BEN, Beat { life: 8, number: 1 }, LocalTime(110 * INTERVAL), &mut dice);
        assert!(peers.is_up(BEN), "it has started again");
    }

    #[test]
    fn who_stood_still_itself_convicts_nobody_at_once() {
        let (mut peers, _) = watching(100);
        let others = BTreeSet::from([BEN]);
        peers.next_beat(&others, LocalTime(150 * INTERVAL));
        assert!(peers.is_up(BEN), "what it sent meanwhile is yet to be read");
        peers.next_beat(&others, LocalTime(151 * INTERVAL));
        assert!(!peers.is_up(BEN), "there was nothing");
    }

    #[test]
    fn who_is_no_member_is_forgotten_and_who_becomes_one_has_time_for_a_first_heartbeat() {
        let (mut peers, _) = watching(100);
        peers.next_beat(&BTreeSet::from([BEN]), LocalTime(101 * INTERVAL));
        peers.next_beat(&BTreeSet::from([BEN]), LocalTime(102 * INTERVAL));
        assert!(!peers.is_up(BEN));
        peers.next_beat(&BTreeSet::new(), LocalTime(103 * INTERVAL));
        assert!(peers.is_up(BEN) && peers.down.is_empty());
        peers.next_beat(&BTreeSet::from([BEN]), LocalTime(104 * INTERVAL));
        peers.next_beat(&BTreeSet::from([BEN]), LocalTime(105 * INTERVAL));
        assert!(peers.is_up(BEN));
        for number in 106..110 {
            peers.next_beat(&BTreeSet::from([BEN]), LocalTime(number * INTERVAL));
        }
        assert!(!peers.is_up(BEN), "it has never said anything");
    }
}
