//! Mistakes of detectors, each a few lines at one rule. Switched on, they show that the checks bite.

use sim_core::settings::Flaw;

/// Phi's deviation has no floor.
pub const NO_FLOOR: Flaw = Flaw {
    name: "no-floor",
    id: "F03",
    text: "The deviation of intervals is taken as it is, however small. Heartbeats that come like clockwork have next to none, \
           and the first that is 2 ms late is a mistake. Akka has min-std-deviation against it.",
};

/// Heartbeats count from when they arrive, however long they were on their way.
pub const OLD_NEWS: Flaw = Flaw {
    name: "old-news",
    id: "F04",
    text: "A heartbeat counts as a sign of life from when it arrives, however long it was on its way. When a network that held \
           heartbeats up lets them go, who has crashed since is trusted again, and is found out late.",
};
