//! Mistakes that real systems made, to see the checks bite.

use sim_core::settings::Flaw;

/// Who misses answers never thinks that it may be slow itself.
pub const NO_LOCAL_HEALTH: Flaw = Flaw {
    name: "no-local-health",
    id: "F01",
    text: "A member that misses answers blames whoever it asked and never itself: as if lha-probe, lha-suspicion and buddy were off. \
           So a few members that handle their messages slowly take healthy ones for dead (Dadgar et al. 2018, section III).",
};

/// Old good news beats a suspicion.
pub const ALIVE_OVERRIDES: Flaw = Flaw {
    name: "alive-overrides",
    id: "F02",
    text: "That a member is alive overrides that it is suspected at the same incarnation, so nobody has to be asked again: old news \
           clears suspicions, members flap, and one that has crashed is found dead late or never (Das et al. 2002, 4.2 demands \
           a higher incarnation).",
};

/// All of them.
pub const FLAWS: &[Flaw] = &[NO_LOCAL_HEALTH, ALIVE_OVERRIDES];
