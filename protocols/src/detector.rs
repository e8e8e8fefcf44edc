//! Who seems to be gone: unreliable failure detectors (Chandra & Toueg, 1996).
//!
//! Nobody can tell a machine that is down from one that is slow. A detector guesses: it is told of every sign of life, and
//! says whom it suspects. It may be wrong, and change its mind, so whoever asks it may lose time by a wrong guess and
//! nothing else.

use sim_core::dice::Dice;
use sim_core::protocol::NodeId;
use sim_core::time::{LocalTime, Nanos};
use std::collections::BTreeMap;

/// Guesses who is gone, by this node's own clock.
pub trait Detector {
    /// A sign of life. From now on this peer is watched.
    fn heard(&mut self, peer: NodeId, now: LocalTime, dice: &mut Dice);
    /// After so long without a sign of life a peer will be suspected; 0 if it is now. Nobody suspects who is not watched.
    fn suspects_in(&mut self, peer: NodeId, now: LocalTime) -> Option<Nanos>;
    /// Whether it is suspected now.
    fn suspects(&mut self, peer: NodeId, now: LocalTime) -> bool {
        self.suspects_in(peer, now) == Some(0)
    }
}

/// Suspects who was not heard for a while. How long is drawn anew with each sign of life, so that of several who watch the same
/// peer one is first.
#[derive(Clone, Debug)]
pub struct HeartbeatTimeout {
    /// The shortest and the longest patience.
    patience: (Nanos, Nanos),
    /// When each was heard, and how long we are patient with it.
    heard: BTreeMap<NodeId, (LocalTime, Nanos)>,
}

impl HeartbeatTimeout {
    /// With a patience from this range.
    pub fn new(patience: (Nanos, Nanos)) -> Self {
        HeartbeatTimeout { patience, heard: BTreeMap::new() }
    }
}

impl Detector for HeartbeatTimeout {
    fn heard(&mut self, peer: NodeId, now: LocalTime, dice: &mut Dice) {
        let (shortest, longest) = self.patience;
        self.heard.insert(peer, (now, dice.between(shortest, longest)));
    }

    fn suspects_in(&mut self, peer: NodeId, now: LocalTime) -> Option<Nanos> {
        let (heard, patience) = self.heard.get_mut(&peer)?;
        // A clock that was set back must not make us wait until it shows the old time again.
        *heard = (*heard).min(now);
        Some(patience.saturating_sub(now.since(*heard)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::dice::{StreamName, Streams};
    use sim_core::time::MILLISECOND;

    const PEER: NodeId = NodeId(1);

    fn dice() -> Dice {
        Streams::new(1).dice(StreamName::new(&["detector"]))
    }

    #[test]
    fn who_is_silent_for_longer_than_the_patience_is_suspected_until_heard_again() {
        let mut detector = HeartbeatTimeout::new((10 * MILLISECOND, 10 * MILLISECOND));
        let at = |ms: u64| LocalTime(ms * MILLISECOND);
        assert_eq!(detector.suspects_in(PEER, at(0)), None, "nobody watches it");
        detector.heard(PEER, at(5), &mut dice());
        assert_eq!(detector.suspects_in(PEER, at(8)), Some(7 * MILLISECOND));
        assert!(!detector.suspects(PEER, at(14)) && detector.suspects(PEER, at(15)));
        detector.heard(PEER, at(16), &mut dice());
        assert!(!detector.suspects(PEER, at(25)));
    }

    #[test]
    fn a_clock_set_back_makes_nobody_patient_for_ever() {
        let mut detector = HeartbeatTimeout::new((10, 10));
        detector.heard(PEER, LocalTime(1_000_000), &mut dice());
        assert_eq!(detector.suspects_in(PEER, LocalTime(5)), Some(10));
        assert!(detector.suspects(PEER, LocalTime(15)));
    }
}
