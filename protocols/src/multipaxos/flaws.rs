//! Mistakes that implementations of Paxos make, each a few lines at one rule. Switched on, they show that the checks bite.

use sim_core::settings::Flaw;

/// Promises and accepted commands are not written down.
pub const ACCEPTOR_IN_MEMORY: Flaw = Flaw {
    name: "acceptor-in-memory",
    id: "P01",
    text: "An acceptor keeps what it promised and accepted in memory only, so one that restarts makes a majority forget \
           what was chosen. \"Stable storage … is used to maintain the information that the acceptor must remember\" \
           (Paxos Made Simple, 2.5).",
};

/// A new leader prefers its own accepted command to one of a higher ballot.
pub const ADOPTS_OWN_VALUE: Flaw = Flaw {
    name: "adopts-own-value",
    id: "P02",
    text: "A new leader proposes the first command that it heard of for a slot, and so its own, not the one accepted in \
           the highest ballot, which may have been chosen (Paxos Made Simple, P2c).",
};

/// Ballots do not name their node.
pub const BALLOTS_WITHOUT_NODE: Flaw = Flaw {
    name: "ballots-without-node",
    id: "P03",
    text: "Ballots are bare numbers, so two nodes may lead in the same one and have different commands chosen. \
           \"Different proposers choose their numbers from disjoint sets of numbers\" (Paxos Made Simple, 2.5).",
};

/// An acceptor takes what is proposed in a ballot below its promise.
pub const ACCEPTS_BELOW_PROMISE: Flaw = Flaw {
    name: "accepts-below-promise",
    id: "P04",
    text: "An acceptor does not compare the ballot of a proposal with what it promised, so a deposed leader that has not \
           noticed has commands chosen which its successor was told nothing of (Paxos Made Simple, P1a).",
};

/// A new leader leaves holes as they are.
pub const NO_NOOP_FILL: Flaw = Flaw {
    name: "no-noop-fill",
    id: "P05",
    text: "A new leader does not fill the slots in which nobody accepted anything, so nothing behind them is ever executed. \
           \"A special no-op command that leaves the state unchanged\" fills them (Paxos Made Simple, 3).",
};

/// A new leader asks about the slots only that it has something in itself.
pub const PHASE1_UP_TO_OWN_LAST: Flaw = Flaw {
    name: "phase-1-up-to-own-last",
    id: "P06",
    text: "A new leader adopts what others accepted up to its own last slot only, and proposes new commands for slots behind \
           it in which others were chosen. Phase 1 is for \"all other instances\" too (Paxos Made Simple, 3).",
};

/// Acceptances in different ballots are counted together.
pub const COUNTS_ACROSS_BALLOTS: Flaw = Flaw {
    name: "counts-across-ballots",
    id: "P07",
    text: "A new leader counts those who had accepted something in a slot before, in whatever ballot, as having accepted \
           what it proposes, so it takes for chosen what few have accepted.",
};

/// Half of the members pass for a majority.
pub const QUORUMS_THAT_MISS: Flaw = Flaw {
    name: "quorums-that-miss",
    id: "P08",
    text: "Half of the members are taken for a majority, so two quorums of an even number may have no member in common: a \
           new leader does not hear of what was chosen (Flexible Paxos, 3). Needs quorum = majority.",
};

/// A change of members counts for slots that are in flight.
pub const CHANGE_IN_FORCE_AT_ONCE: Flaw = Flaw {
    name: "change-in-force-at-once",
    id: "P09",
    text: "New members decide from the next slot on, also what was proposed under the old ones, so that a quorum of each \
           decides the same slot and they need not meet. The command in slot i decides who executes \"instance i+α\" \
           (Paxos Made Simple, 3).",
};

/// A promise is silent about slots that are gone.
pub const PROMISE_OMITS_TRUNCATED: Flaw = Flaw {
    name: "promise-omits-truncated",
    id: "P11",
    text: "A promise does not say up to where the acceptor has thrown slots away, so a proposer that was behind takes them \
           for empty and fills them with no-ops.",
};

/// A lease is as long for its holder as for those who granted it.
pub const LEASE_IGNORES_DRIFT: Flaw = Flaw {
    name: "lease-ignores-drift",
    id: "P13",
    text: "A leader counts on its lease for as long as acceptors are bound by it, by a clock of its own. If that is slow, or \
           theirs are fast, another leads before it is over. \"The master maintains a shorter timeout for the lease than the \
           replicas\" (Paxos Made Live, 5.2). Needs reads = \"lease\".",
};

/// A lease is measured by a clock that can be set.
pub const LEASE_BY_WALL_CLOCK: Flaw = Flaw {
    name: "lease-by-wall-clock",
    id: "P14",
    text: "A leader measures its lease by the wall clock. Somebody sets it back, and a lease that is over begins again, while \
           another leads. Needs reads = \"lease\".",
};

/// A leader answers reads without asking whether anybody else leads.
pub const READ_WITHOUT_QUORUM: Flaw = Flaw {
    name: "read-without-quorum",
    id: "P15",
    text: "A leader answers reads from its own state without asking a quorum whether anybody leads in a higher ballot, so \
           one that was deposed and has not heard of it answers with old values.",
};

/// All of them, in the order of their ids.
pub(super) const FLAWS: &[Flaw] = &[
    ACCEPTOR_IN_MEMORY,
    ADOPTS_OWN_VALUE,
    BALLOTS_WITHOUT_NODE,
    ACCEPTS_BELOW_PROMISE,
    NO_NOOP_FILL,
    PHASE1_UP_TO_OWN_LAST,
    COUNTS_ACROSS_BALLOTS,
    QUORUMS_THAT_MISS,
    CHANGE_IN_FORCE_AT_ONCE,
    PROMISE_OMITS_TRUNCATED,
    LEASE_IGNORES_DRIFT,
    LEASE_BY_WALL_CLOCK,
    READ_WITHOUT_QUORUM,
];
