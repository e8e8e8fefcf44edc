//! An estimator for each peer, fed with numbered heartbeats: how a system that has heartbeats of its own plugs one in.
//!
//! Estimators learn from heartbeats that are sent at regular times, so nothing else is a sign of life to them. What makes them
//! fit for a system:
//!
//! - *Lives.* Who starts again, or leads anew, counts from the beginning; a life has a name, and its heartbeats are not laid
//!   beside those before.
//! - *Silences that tell nothing.* A silence longer than some bound was an outage, and the usual interval is not learnt from it
//!   (as in Cassandra, which drops intervals that are too long). So there is a bound on what can be learnt.
//! - *Backlogs.* What was held up meanwhile arrives all at once. Each of these heartbeats is a sign of life, and none of the
//!   instants between them an interval: learnt, they would make the next ordinary one an unlikely silence. The backlog is
//!   over with the first heartbeat that comes half an interval or more after the one before.
//! - *A head start.* Several may watch the same peer and want to act when it is gone. Each adds a while to its patience, drawn
//!   anew with each heartbeat, so that one of them is first.

use super::{Arrival, Detector, Estimator, Trust};
use sim_core::dice::Dice;
use sim_core::protocol::NodeId;
use sim_core::time::{LocalTime, Nanos};
use std::collections::{BTreeMap, BTreeSet};

/// A heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// Names the life that it is a sign of.
    pub life: u64,
    /// Its number: one more for each interval that has passed at the sender in this life.
    pub number: u64,
}

/// Estimates for each peer.
#[derive(Clone, Debug)]
pub struct Beats<E: Estimator> {
    settings: E::Settings,
    /// How long from one heartbeat to the next.
    interval: Nanos,
    /// No longer silence is learnt from.
    silence_max: Nanos,
    /// What is added to the patience at most.
    head_start: Nanos,
    peers: BTreeMap<NodeId, Watched<E>>,
}

#[derive(Clone, Debug)]
struct Watched<E> {
    estimator: E,
    last: Option<Beat>,
    /// Whether there was an outage, and what comes may be what was held up by it.
    is_backlog: bool,
    /// What the estimator says, and the head start; or as long as a first heartbeat must be given.
    trust: Trust,
}

impl<E: Estimator> Beats<E> {
    /// Nobody is watched yet.
    pub fn new(settings: E::Settings, interval: Nanos, silence_max: Nanos, head_start: Nanos) -> Self {
        Beats { settings, interval, silence_max, head_start, peers: BTreeMap::new() }
    }

    /// From now on this peer is expected to send heartbeats, the first within an interval.
    pub fn expect(&mut self, peer: NodeId, now: LocalTime) {
        let estimator = E::begin(&self.settings, now);
        let trust = estimator.trust();
        let fresh = Watched { estimator, last: None, is_backlog: false, trust };
        self.peers.entry(peer).or_insert(fresh).trust = trust;
    }

    /// Nobody but these is watched any more.
    pub fn keep_only(&mut self, peers: &BTreeSet<NodeId>) {
        self.peers.retain(|peer, _| peers.contains(peer));
    }

    /// A heartbeat. One that comes twice, or after a later one, is no news.
    pub fn beat(&mut self, peer: NodeId, beat: Beat, now: LocalTime, dice: &mut Dice) {
        if !self.peers.contains_key(&peer) {
            self.expect(peer, now);
        }
        let Some(watched) = self.peers.get_mut(&peer) else { return };
        match watched.last {
            Some(last) if last.life == beat.life && last.number >= beat.number => return,
            Some(last) => {
                let silence = watched.estimator.trust().silence(now);
                let is_held_up = watched.is_backlog && silence < self.interval / 2;
                watched.is_backlog = silence > self.silence_max || is_held_up;
                if last.life != beat.life || watched.is_backlog {
                    watched.estimator.reborn();
                }
            }
            None => {}
        }
        watched.last = Some(beat);
        watched.estimator.heard(Arrival { number: beat.number, at: now, wall: now }, &self.settings);
        watched.trust = watched.estimator.trust();
        watched.trust.until = watched.trust.until + dice.between(0, self.head_start);
    }
}

impl<E: Estimator> Detector for Beats<E> {
    /// Nothing to it, unless the peer is not watched yet: only heartbeats count.
    fn heard(&mut self, peer: NodeId, now: LocalTime, _: &mut Dice) {
        if !self.peers.contains_key(&peer) {
            self.expect(peer, now);
        }
    }

    fn suspects_in(&mut self, peer: NodeId, now: LocalTime) -> Option<Nanos> {
        Some(self.peers.get_mut(&peer)?.trust.left(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::chen::{Chen, ChenSettings, Variant};
    use crate::detectors::phi::{Distribution, Phi, PhiSettings};
    use sim_core::dice::{Ratio, StreamName, Streams};
    use sim_core::time::{MILLISECOND, SECOND};
    use std::ops::Range;

    const PEER: NodeId = NodeId(1);
    const INTERVAL: Nanos = 100 * MILLISECOND;

    fn dice() -> Dice {
        Streams::new(1).dice(StreamName::new(&["beats"]))
    }

    fn at(ms: u64) -> LocalTime {
        LocalTime(ms * MILLISECOND)
    }

    fn chen(head_start: Nanos) -> Beats<Chen> {
        let settings = ChenSettings { variant: Variant::Estimated, interval: INTERVAL, margin: INTERVAL, window: 8 };
        Beats::new(settings, INTERVAL, SECOND, head_start)
    }

    fn phi() -> Beats<Phi> {
        Beats::new(
            PhiSettings::new(Distribution::Normal, Ratio::new(8, 1), INTERVAL, 100, 10 * MILLISECOND),
            INTERVAL,
            SECOND,
            0,
        )
    }

    /// How long the peer is trusted after heartbeats of these numbers, so long one after the other.
    fn fed<E: Estimator>(beats: &mut Beats<E>, now: &mut LocalTime, numbers: Range<u64>, apart: Nanos) -> Nanos {
        for number in numbers {
            *now = *now + apart;
            beats.beat(PEER, Beat { life: 1, number }, *now, &mut dice());
        }
        beats.suspects_in(PEER, *now).expect("it is watched")
    }

    #[test]
    fn who_is_expected_has_time_for_a_first_heartbeat() {
        let mut beats = chen(0);
        assert_eq!(beats.suspects_in(PEER, at(0)), None, "nobody watches it");
        beats.expect(PEER, at(0));
        assert_eq!(beats.suspects_in(PEER, at(0)), Some(2 * INTERVAL));
        assert!(beats.suspects(PEER, at(200)));
        beats.expect(PEER, at(900));
        assert!(!beats.suspects(PEER, at(1000)), "it leads anew");
    }

    #[test]
    fn other_signs_of_life_and_old_heartbeats_are_no_news() {
        let mut beats = chen(0);
        beats.beat(PEER, Beat { life: 1, number: 7 }, at(0), &mut dice());
        beats.heard(PEER, at(150), &mut dice());
        for number in [6, 7] {
            beats.beat(PEER, Beat { life: 1, number }, at(150), &mut dice());
        }
        assert_eq!(beats.suspects_in(PEER, at(150)), Some(INTERVAL / 2));
    }

    #[test]
    fn a_new_life_counts_from_the_beginning() {
        let mut beats = chen(0);
        beats.beat(PEER, Beat { life: 1, number: 700 }, at(0), &mut dice());
        beats.beat(PEER, Beat { life: 2, number: 1 }, at(300), &mut dice());
        assert_eq!(beats.suspects_in(PEER, at(300)), Some(2 * INTERVAL));
    }

    #[test]
    fn a_head_start_is_drawn_and_passes() {
        let mut beats = chen(INTERVAL);
        let mut dice = dice();
        let patience = |number: u64| {
            let now = at(100 * number);
            beats.beat(PEER, Beat { life: 1, number }, now, &mut dice);
            beats.suspects_in(PEER, now).expect("it is watched")
        };
        let drawn: Vec<Nanos> = (1..20).map(patience).collect();
        assert!(drawn.iter().all(|patience| (2 * INTERVAL..=3 * INTERVAL).contains(patience)));
        assert!(drawn.iter().any(|patience| *patience != drawn[0]));
        assert!(beats.suspects(PEER, at(1900 + 300)));
    }

    /// Heartbeats by turns 60 ms and 140 ms after the one before make phi more patient; an outage does not.
    #[test]
    fn phi_learns_of_jitter_and_not_of_outages() {
        let mut beats = phi();
        let mut now = at(0);
        let fed = |beats: &mut Beats<Phi>, now: &mut LocalTime, from: u64| {
            for number in from..from + 100 {
                *now = *now + if number % 2 == 0 { 60 } else { 140 } * MILLISECOND;
                beats.beat(PEER, Beat { life: 1, number }, *now, &mut dice());
            }
            beats.suspects_in(PEER, *now).expect("it is watched")
        };
        let learnt = fed(&mut beats, &mut now, 1);
        assert!((320 * MILLISECOND..330 * MILLISECOND).contains(&learnt), "100 + 5.6 x 40: {learnt}");
        now = now + 60 * SECOND;
        beats.beat(PEER, Beat { life: 1, number: 700 }, now, &mut dice());
        let after = beats.suspects_in(PEER, now).expect("it is watched");
        assert!(after.abs_diff(learnt) < MILLISECOND, "{after}");
    }

    /// Two minutes of heartbeats arrive a millisecond apart, and then the usual ones.
    #[test]
    fn what_was_held_up_by_an_outage_is_not_learnt_from() {
        let mut beats = phi();
        let mut now = at(0);
        let mut fed = |numbers, apart| fed(&mut beats, &mut now, numbers, apart);
        let learnt = fed(1..200, INTERVAL);
        fed(200..201, 120 * SECOND);
        assert_eq!(fed(201..1400, MILLISECOND), learnt, "each is a sign of life");
        let after = fed(1400..1410, INTERVAL);
        assert_eq!(after, learnt);
        assert!(fed(1410..1411, 2 * INTERVAL) > learnt, "it learns again");
    }

    /// To NFD-E, which expects heartbeats by the shifts of earlier ones, those of an outage are not shifted: it begins anew.
    #[test]
    fn chen_expects_the_next_heartbeat_as_before_an_outage() {
        let mut beats = chen(0);
        let mut now = at(0);
        let mut fed = |numbers, apart| fed(&mut beats, &mut now, numbers, apart);
        assert_eq!(fed(1..50, INTERVAL), 2 * INTERVAL);
        fed(50..51, 120 * SECOND);
        fed(51..1250, MILLISECOND);
        assert_eq!(fed(1250..1251, INTERVAL), 2 * INTERVAL, "by the two last of them alone");
    }
}
