//! Who seems to be gone: unreliable failure detectors (Chandra & Toueg, 1996).
//!
//! Nobody can tell a machine that is down from one that is slow. A detector guesses: it is told of every sign of life, and
//! says whom it suspects. It may be wrong, and change its mind, so whoever asks it may lose time by a wrong guess and
//! nothing else. Two things make it good: that who is down is soon suspected (*completeness*, by a bound), and that who is up
//! seldom is (*accuracy*, which is statistics).
//!
//! All of them come to the same question: *until when is a peer trusted*, if nothing more is heard of it? An [`Estimator`]
//! answers it for one peer, from the heartbeats it is given. It has no clock and sets no alarm.
//!
//! - [`timeout`]: so long after the last sign of life.
//! - [`chen`]: until some time after the next heartbeat should be there (Chen, Toueg, Aguilera, 2002): NFD-S where clocks
//!   agree, NFD-E where they do not; [`configurator`] finds interval and margin for a quality that is wanted.
//! - [`phi`]: until a silence would be too unlikely, going by earlier ones (Hayashibara et al., 2004).
//! - [`watch`]: the system in which every node sends heartbeats and watches all others by one of these.
//! - [`beats`]: how a system with heartbeats of its own plugs one of these in.
//!
//! | | a heartbeat comes twice, or after a later one | the peer starts again | our clock jumps ahead | it is set back |
//! |---|---|---|---|---|
//! | timeout | nothing: it is not news | nothing | a mistake, until the next heartbeat | the patience at hand starts again |
//! | NFD-S | the same | nothing, if its clock is right | a mistake until the clocks agree again | suspects late until then |
//! | NFD-E | the same | expects from the first heartbeat anew | mistakes until the window has moved on | expects anew |
//! | phi | the same | the gap is not learnt from | a mistake, and a gap learnt from | that gap is not learnt from |

pub mod beats;
pub mod chen;
pub mod configurator;
pub mod fixed;
pub mod phi;
pub mod timeout;
pub mod watch;

use sim_core::dice::Dice;
use sim_core::protocol::NodeId;
use sim_core::time::{LocalTime, Nanos};
use std::fmt::Debug;

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

/// A heartbeat that is news, as it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its number: one more for each interval that has passed at the sender.
    pub number: u64,
    /// When, by the receiver's monotonic clock …
    pub at: LocalTime,
    /// … and by its wall clock.
    pub wall: LocalTime,
}

/// Until when one peer is trusted.
pub trait Estimator: Clone + Debug + 'static {
    /// What it goes by.
    type Settings: Clone + Debug + 'static;
    /// Whether heartbeats are numbered by the wall clock, number i sent when it shows i intervals.
    fn is_by_wall_clock(settings: &Self::Settings) -> bool {
        let _ = settings;
        false
    }
    /// The peer is watched from now on.
    fn begin(settings: &Self::Settings, now: LocalTime) -> Self;
    /// A heartbeat with a higher number than all before, or the first.
    fn heard(&mut self, arrival: Arrival, settings: &Self::Settings);
    /// The peer has started again: what comes next is the first heartbeat of a new life, and its number tells nothing beside
    /// those before.
    fn reborn(&mut self);
    /// Until when it is trusted, if nothing more is heard.
    fn trust(&self) -> Trust;
    /// For so long after its last heartbeat at least the paper trusts it, computed from scratch: laws hold the rest to it.
    fn least(&self, settings: &Self::Settings) -> Nanos;
}

/// From when until when a peer is trusted, by the watcher's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trust {
    /// When it was last heard.
    pub since: LocalTime,
    /// From here on it is suspected.
    pub until: LocalTime,
}

impl Trust {
    /// For so long from now on.
    pub fn lasting(since: LocalTime, patience: Nanos) -> Self {
        Trust { since, until: LocalTime(since.0.saturating_add(patience)) }
    }

    /// How long it still is trusted. A clock that was set back must not make us wait until it shows the old time again.
    pub fn left(&mut self, now: LocalTime) -> Nanos {
        let back = self.since.since(now);
        self.since = LocalTime(self.since.0 - back);
        self.until = LocalTime(self.until.0.saturating_sub(back));
        self.until.since(now)
    }

    /// How long it was not heard.
    pub fn silence(&self, now: LocalTime) -> Nanos {
        now.since(self.since)
    }
}
