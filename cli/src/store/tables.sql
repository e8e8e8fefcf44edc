CREATE TABLE scenarios (
    hash    TEXT NOT NULL, -- of `text`: 32 hex digits
    version TEXT NOT NULL, -- of stormglass
    name    TEXT NOT NULL,
    variant TEXT NOT NULL, -- 'protocol.pre-vote=false,cluster.nodes=5'; or empty
    number  INTEGER NOT NULL, -- of the variant in the matrix
    file    TEXT NOT NULL, -- the name of the file, without its directory
    changes TEXT NOT NULL, -- JSON: what --set and the variant change, [[key, value], ..]
    text    TEXT NOT NULL, -- with these changes, as a file that `stormglass run` takes
    PRIMARY KEY (hash, version, variant)
) WITHOUT ROWID;
CREATE TABLE runs (
    scenario        TEXT NOT NULL, -- scenarios.hash
    version         TEXT NOT NULL, -- of stormglass
    variant         TEXT NOT NULL,
    seed                 NOT NULL, -- an INTEGER; from 2^63 on a TEXT of 20 digits, sorted behind
    name            TEXT NOT NULL, -- of the scenario
    verdict         TEXT NOT NULL, -- PASS, FAIL, UNKNOWN, VACUOUS
    fingerprint     TEXT NOT NULL, -- 16 hex digits
    signature       TEXT,          -- what kind of failure; NULL if it passed, as the next two
    finding         TEXT,          -- the check that tells most of why it did not pass
    detail          TEXT,          -- what that check found
    protocol        TEXT NOT NULL,
    ok              INTEGER,       -- operations by outcome; NULL without clients
    refused         INTEGER,
    unknown         INTEGER,
    achieved        REAL,          -- availability: the share served in time; NULL without any
    possible        REAL,          -- and the share that could have been served
    outages         INTEGER NOT NULL, -- of all clients at once: how many,
    outage_ns       INTEGER NOT NULL, -- their sum,
    outage_max_ns   INTEGER NOT NULL, -- the longest,
    avoidable_ns    INTEGER NOT NULL, -- and what was avoidable of them
    partial_outages INTEGER NOT NULL, -- of some clients while others were served
    recovery_ns     INTEGER,       -- the longest stretch in which an outage was avoidable
    p50_ns          INTEGER,       -- response times
    p99_ns          INTEGER,
    leader_changes  INTEGER,       -- of the serving role; NULL where every node serves
    reads           INTEGER,       -- of which anybody can tell how old it was; NULL without any
    stale_reads     INTEGER,       -- those that returned what had certainly been replaced when they were asked
    stale_p99_ns    INTEGER,       -- for how long, of 99 of 100 reads, fresh ones among them
    stale_max_ns    INTEGER,       -- and of the stalest
    events          INTEGER NOT NULL,
    simulated_ns    INTEGER NOT NULL,
    draws           TEXT NOT NULL, -- JSON: what the seed decided, {key: value}
    faults          TEXT NOT NULL, -- JSON: by fault, {name: {"do": kind, "effects": n}}
    roles           TEXT NOT NULL, -- JSON: how often a node took a role, {role: n}
    recoveries      TEXT NOT NULL, -- JSON: how often something came back in this way, {way: n}
    PRIMARY KEY (scenario, version, variant, seed)
) WITHOUT ROWID;
