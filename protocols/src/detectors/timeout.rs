//! Trusted for so long after the last sign of life.

use super::{Arrival, Detector, Estimator, Trust};
use sim_core::dice::Dice;
use sim_core::protocol::NodeId;
use sim_core::time::{LocalTime, Nanos};
use std::collections::BTreeMap;

/// A fixed timeout. The simplest there is: when the last heartbeat was slow on its way, the end of the trust is late by as
/// much.
#[derive(Clone, Debug)]
pub struct Timeout(Trust);

impl Estimator for Timeout {
    /// The timeout.
    type Settings = Nanos;

    fn begin(timeout: &Nanos, now: LocalTime) -> Self {
        Timeout(Trust::lasting(now, *timeout))
    }

    fn heard(&mut self, arrival: Arrival, timeout: &Nanos) {
        self.0 = Trust::lasting(arrival.at, *timeout);
    }

    fn reborn(&mut self) {}

    fn trust(&self) -> Trust {
        self.0
    }

    fn least(&self, timeout: &Nanos) -> Nanos {
        *timeout
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
