//! Mistakes that real stores of this kind made, each a few lines at one rule. Switched on, they show that the checks bite.

use sim_core::settings::Flaw;

/// Tombstones go by age alone.
pub const PURGES_BY_AGE: Flaw = Flaw {
    name: "purges-by-age",
    id: "D01",
    text: "A tombstone is purged when it is older than `tombstone-grace`, whether or not every home node has it, so that a node \
           that was away brings the deleted value back (Cassandra's gc_grace_seconds).",
};

/// Hints are kept in memory.
pub const HINTS_IN_MEMORY: Flaw = Flaw {
    name: "hints-in-memory",
    id: "D02",
    text: "Hints are not written down, so a node that restarts has forgotten what it was to hand over (DeCandia et al. 2007, \
           4.6 keeps them in a separate local database).",
};

/// Read repair is not waited for although the setting says so.
pub const REPAIR_NOT_AWAITED: Flaw = Flaw {
    name: "repair-not-awaited",
    id: "D05",
    text: "With read-repair = \"blocking\" a read is answered before what it found is on enough home nodes, so the next read may \
           find something older (CASSANDRA-10726).",
};

/// Read repair writes under a stamp of its own.
pub const REPAIR_STAMPS_NOW: Flaw = Flaw {
    name: "repair-stamps-now",
    id: "D06",
    text: "Read repair writes what it found with the time of the repair instead of that of the write, so that it beats a newer \
           write that it races with. Bites with conflicts = \"last-write-wins\".",
};

/// Of two equal stamps the one that comes later wins.
pub const TIES_BY_ARRIVAL: Flaw = Flaw {
    name: "ties-by-arrival",
    id: "D07",
    text: "Between two versions with the same stamp the one that arrives later stays, so home nodes that met \
           them in different orders keep different ones until they compare all they have (CASSANDRA-6123). Bites with conflicts = \"last-write-wins\" and a coarse clock-tick.",
};

/// A put replaces whatever the coordinator itself has put.
pub const CLOCKS_OF_SERVERS: Flaw = Flaw {
    name: "clocks-of-servers",
    id: "D08",
    text: "The coordinator counts its puts without regard to what the client has seen, as with one version vector per server, so \
           a put replaces everything that this coordinator has put before, and concurrent writes are lost (Preguica et al. 2012).",
};

/// Siblings pile up.
pub const UNBOUNDED_SIBLINGS: Flaw = Flaw {
    name: "unbounded-siblings",
    id: "D09",
    text: "A put without context is taken as a further sibling although there are `siblings-max` already, so blind writes in a \
           loop make an object grow without end (Riak's sibling explosion).",
};

/// A preference list may name a node twice.
pub const REPEATS_NODES: Flaw = Flaw {
    name: "repeats-nodes",
    id: "D10",
    text: "A preference list is the next N tokens of the ring, whosever they are, so one machine may be two of the N home nodes, and \
           its loss that of a quorum (DeCandia et al. 2007, 4.3 skips positions for distinct nodes).",
};

/// A hash tree hashes keys only.
pub const TREES_OF_KEYS: Flaw = Flaw {
    name: "trees-of-keys",
    id: "D11",
    text: "The leaves of the hash trees are made from keys without their versions, so nodes with the same keys never find that \
           they differ.",
};

/// Ring gossip believes the later clock.
pub const RING_BY_CLOCK: Flaw = Flaw {
    name: "ring-by-clock",
    id: "D12",
    text: "What gossip says of a member is merged by the wall clock of whoever said it last instead of by the member's own \
           version, so a node with a fast clock brings back one that was removed.",
};

/// A hint overwrites.
pub const HINTS_OVERWRITE: Flaw = Flaw {
    name: "hints-overwrite",
    id: "D13",
    text: "A hint that is handed over replaces what is there without comparing versions, so a late one undoes a newer write.",
};

/// All of them.
pub const FLAWS: &[Flaw] = &[
    PURGES_BY_AGE,
    HINTS_IN_MEMORY,
    REPAIR_NOT_AWAITED,
    REPAIR_STAMPS_NOW,
    TIES_BY_ARRIVAL,
    CLOCKS_OF_SERVERS,
    UNBOUNDED_SIBLINGS,
    REPEATS_NODES,
    TREES_OF_KEYS,
    RING_BY_CLOCK,
    HINTS_OVERWRITE,
];
