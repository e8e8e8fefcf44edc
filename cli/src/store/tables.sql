CREATE TABLE scenarios (
    hash    TEXT NOT NULL, -- of `text`: 32 hex digits
    version TEXT NOT NULL, -- of stormglass
    name    TEXT NOT NULL,
    variant TEXT NOT NULL, -- 'protocol.pre-vote=false,cluster.nodes=5'; empty without a matrix
    number  INTEGER NOT NULL, -- of the variant in the matrix
    file    TEXT NOT NULL, -- the name of the file, without its directory
    changes TEXT NOT NULL, -- JSON: what --set and the variant change, [[key, value], ..]
    text    TEXT NOT NULL, -- the scenario with these changes, as a file that `stormglass run` takes
    PRIMARY KEY (hash, version, variant)
) WITHOUT ROWID;
CREATE TABLE runs (
    scenario        TEXT NOT NULL, -- scenarios.hash
    version         TEXT NOT NULL, -- of stormglass
    variant         TEXT NOT NULL,
    seed                 NOT NULL, -- an INTEGER below 2^63; from there on a TEXT of 20 digits, which sorts behind it
    name            TEXT NOT NULL, -- of the scenario
    verdict         TEXT NOT NULL, -- PASS, FAIL, UNKNOWN, VACUOUS
    fingerprint     TEXT NOT NULL, -- 16 hex digits
    signature       TEXT,          -- what kind of failure; NULL where it passed, like the next two
    finding         TEXT,          -- the check that tells most of why it did not pass
    detail          TEXT,          -- what that check found
    protocol        TEXT NOT NULL,
    ok              INTEGER,       -- operations by outcome; NULL without clients, like the next four
    refused         INTEGER,
    unknown         INTEGER,
    achieved        REAL,          -- availability: the share of operations that were served in time
    possible        REAL,          -- and the share that could have been
    outages         INTEGER NOT NULL, -- of all clients at once: how many, their sum, the longest, what was avoidable
    outage_ns       INTEGER NOT NULL,
    outage_max_ns   INTEGER NOT NULL,
    avoidable_ns    INTEGER NOT NULL,
    partial_outages INTEGER NOT NULL, -- of some clients while others were served
    recovery_ns     INTEGER,       -- the longest stretch of an outage in which somebody could have been served
    p50_ns          INTEGER,       -- response times
    p99_ns          INTEGER,
    leader_changes  INTEGER,       -- how often the serving role changed hands; NULL where every node serves
    events          INTEGER NOT NULL,
    simulated_ns    INTEGER NOT NULL,
    draws           TEXT NOT NULL, -- JSON: what the seed decided, {key: value}
    faults          TEXT NOT NULL, -- JSON: by fault, {name: {"do": kind, "effects": n}}
    PRIMARY KEY (scenario, version, variant, seed)
) WITHOUT ROWID;
