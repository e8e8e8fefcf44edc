//! Mistakes at the rules of *Paxos Made Simple*, each a few lines at one of them. Switched on, they show that the checks bite.

use sim_core::settings::Flaw;

/// An acceptor keeps its promises and votes in memory.
pub const FORGETFUL_ACCEPTOR: Flaw = Flaw {
    name: "forgetful-acceptor",
    id: "P01",
    text: "An acceptor keeps what it promised and voted for in memory only, so once it has restarted it helps to choose another \
           value. \"An acceptor must remember this information even if it fails and then restarts\" (2.2; stable storage, \
           2.5).",
};

/// A proposer prefers its own value to one that was voted for.
pub const ADOPTS_OWN_VALUE: Flaw = Flaw {
    name: "adopts-own-value",
    id: "P02",
    text: "A proposer that has a value of its own proposes it, whatever phase 1 says of votes, so a value that was chosen \
           without its knowing is replaced (P2c, 2.2).",
};

/// Two proposers may open the same ballot.
pub const BALLOTS_WITHOUT_NODE: Flaw = Flaw {
    name: "ballots-without-node",
    id: "P03",
    text: "A ballot is its round and does not say whose it is, so two proposers open the same one with a value each. \
           \"Different proposers choose their numbers from disjoint sets of numbers\" (2.5).",
};

/// Promises count in phase 1 only.
pub const ACCEPTS_OLD_BALLOTS: Flaw = Flaw {
    name: "accepts-old-ballots",
    id: "P04",
    text: "An acceptor votes in any ballot, later or earlier than it has promised, so a proposal that was long on its way is \
           voted for after another was chosen (P1a, 2.2).",
};

/// Votes for a value are counted whichever ballot they were in.
pub const COUNTS_ACROSS_BALLOTS: Flaw = Flaw {
    name: "counts-across-ballots",
    id: "P07",
    text: "A learner counts who voted for a value in any ballot, not in one, and takes for chosen what a later ballot may \
           still replace.",
};

/// Half of the nodes are a majority.
pub const HALF_IS_A_MAJORITY: Flaw = Flaw {
    name: "half-is-a-majority",
    id: "P08",
    text: "A majority is taken to be half of the nodes, rounded up, so in a cluster of an even number two majorities can miss \
           each other and each choose a value. Bites with quorum = \"majority\".",
};

/// All of them.
pub const FLAWS: &[Flaw] = &[
    FORGETFUL_ACCEPTOR,
    ADOPTS_OWN_VALUE,
    BALLOTS_WITHOUT_NODE,
    ACCEPTS_OLD_BALLOTS,
    COUNTS_ACROSS_BALLOTS,
    HALF_IS_A_MAJORITY,
];
