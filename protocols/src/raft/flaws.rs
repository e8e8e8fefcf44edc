//! Mistakes that real systems made, each a few lines at one rule. Switched on, they show that the checks bite.

use sim_core::settings::Flaw;

/// Entries of earlier terms are committed by counting copies.
pub const COMMIT_EARLIER_TERM: Flaw = Flaw {
    name: "commit-earlier-term",
    id: "R01",
    text: "A leader commits entries of earlier terms by counting copies, so one that a majority has can still be \
           overwritten (Figure 8 of the paper, 5.4.2). PySyncObj did (issue 169).",
};

/// A vote is granted before it is on disk.
pub const VOTE_BEFORE_FSYNC: Flaw = Flaw {
    name: "vote-before-fsync",
    id: "R02",
    text: "A node votes, for others or itself, before term and vote are on its disk, so after a power failure it votes \
           again in the same term, and two may lead it. \"Updated on stable storage before responding\" (Figure 2).",
};

/// A vote goes to the longer log, whatever its end.
pub const VOTE_BY_LENGTH: Flaw = Flaw {
    name: "vote-by-length",
    id: "R03",
    text: "A voter compares logs by their length alone, so one that was cut off and went on writing for itself is elected \
           for a longer log of an earlier term, and overwrites what a majority has confirmed since. \"If the logs have last \
           entries with different terms, then the log with the later term is more up-to-date\" (5.4.1).",
};

/// A follower cuts its log behind every message's entries.
pub const TRUNCATE_ALWAYS: Flaw = Flaw {
    name: "truncate-always",
    id: "R04",
    text: "A follower cuts its log behind the entries of every AppendEntries, in conflict or not, so an old message \
           takes back what it has acknowledged since. RaftOS did (issue 26).",
};

/// A follower acknowledges entries that are not on its disk yet.
pub const ACK_BEFORE_FSYNC: Flaw = Flaw {
    name: "ack-before-fsync",
    id: "R05",
    text: "A follower acknowledges AppendEntries before its log is on disk, so a power failure can take back what a \
           majority has confirmed. NATS JetStream 2.12.1 did: it acknowledged messages at once and flushed its files \
           every two minutes by default (Jepsen, 2025).",
};

/// A leader answers reads without asking whether it still leads.
pub const READ_WITHOUT_QUORUM: Flaw = Flaw {
    name: "read-without-quorum",
    id: "R06",
    text: "A leader answers reads from its own state without asking a majority whether it still leads, so a deposed \
           leader that has not noticed yet returns old values. etcd and Consul did in 2014 (etcd issue 741, found by \
           Jepsen).",
};

/// A new leader answers reads before it knows what is committed.
pub const READ_INDEX_BEFORE_OWN_TERM: Flaw = Flaw {
    name: "read-index-before-own-term",
    id: "R07",
    text: "A new leader gives out read indices before an entry of its own term is committed, when it does not know yet \
           all that its predecessor told clients. etcd (issue 12680) and RedisRaft (issue 19) did.",
};

/// A lease is as long as an election timeout, as if all clocks went alike.
pub const LEASE_IGNORES_DRIFT: Flaw = Flaw {
    name: "lease-ignores-drift",
    id: "R08",
    text: "A leader's lease lasts a whole election timeout by its own clock. If that is slow, or a voter's is fast, \
           another may lead before it is over. \"The lease approach assumes a bound on clock drift\" (dissertation \
           6.4.1).",
};

/// What a client asks for twice is done twice.
pub const NO_SESSIONS: Flaw = Flaw {
    name: "no-sessions",
    id: "R10",
    text: "The state machine does not notice that it has done a request before, so one whose answer got lost is done \
           again. \"Raft as described so far can execute a command multiple times\" (section 8; dissertation 6.3).",
};

/// A snapshot leaves out what each client has had done.
pub const SNAPSHOT_WITHOUT_SESSIONS: Flaw = Flaw {
    name: "snapshot-without-sessions",
    id: "R11",
    text: "A snapshot holds the data and not the sessions, so whoever starts from it knows no request again: one that \
           comes twice is done twice, or turned away, and replicas part. Sessions are part of the state machine \
           (dissertation 6.3), and so of its snapshot.",
};

/// A node that times out disturbs everybody.
pub const NO_PRE_VOTE: Flaw = Flaw {
    name: "no-pre-vote",
    id: "R12",
    text: "A node that hears no leader raises its term without asking whether it could win, so one that was cut off \
           deposes a healthy leader when it comes back (dissertation 9.6). LogCabin did.",
};

/// A leader that hears nobody goes on leading.
pub const NO_QUORUM_CHECK: Flaw = Flaw {
    name: "no-quorum-check",
    id: "R16",
    text: "A leader never asks itself whether it still hears a majority, so one that is heard but does not hear keeps \
           everybody from electing another and commits nothing (dissertation 6.2; Howard and Abraham, \"Raft does not \
           guarantee liveness in the face of network faults\", 2020). That is one half of check-quorum = false; the other \
           is that voters do not stand by a leader they hear.",
};

/// A leader changes members before it knows what is committed.
pub const SINGLE_CHANGE_BEFORE_OWN_COMMIT: Flaw = Flaw {
    name: "single-change-before-own-commit",
    id: "R17",
    text: "A leader begins a single-server change before an entry of its own term is committed, so rival leaders' changes \
           can leave majorities that do not meet. So did the dissertation's 4.1 itself, until Ongaro's correction of \
           2015. Needs changes = \"single-server\".",
};

/// A second change of members is begun before the first is committed.
pub const TWO_PENDING_CHANGES: Flaw = Flaw {
    name: "two-pending-changes",
    id: "R18",
    text: "A leader begins a change of members while another is not committed, so two steps at once can leave majorities \
           that do not meet. RedisRaft did for one kind of change (issue 17).",
};

/// A snapshot claims more than it holds.
pub const SNAPSHOT_LABELLED_WITH_COMMIT: Flaw = Flaw {
    name: "snapshot-labelled-with-commit",
    id: "R23",
    text: "A snapshot is labelled with the commit index instead of the index applied to it, so whoever starts from it \
           never applies the entries between.",
};

/// A snapshot that comes late takes back what was applied.
pub const INSTALL_OLDER_SNAPSHOT: Flaw = Flaw {
    name: "install-older-snapshot",
    id: "R24",
    text: "A follower installs whatever snapshot arrives, even one that holds less than it has committed. etcd/raft \
           guards against it (fdc052d, 80615be).",
};

/// An old refusal moves the leader's idea of a follower back.
pub const STALE_REJECT_LOWERS_NEXT: Flaw = Flaw {
    name: "stale-reject-lowers-next",
    id: "R29",
    text: "A leader believes a refusal that was under way while the follower caught up, and goes back behind what is known \
           to match. PySyncObj (issue 167), etcd (91ff7cd) and openraft (fbbf37b1) did.",
};

/// Whatever commit index a message names is believed.
pub const COMMIT_GOES_BACK: Flaw = Flaw {
    name: "commit-goes-back",
    id: "R30",
    text: "A follower takes its commit index over from each message instead of the larger of the two, so a message that was \
           overtaken, or a new leader that does not know yet what is committed, takes it back below what it has applied. \
           PySyncObj did (issue 166).",
};

/// A leader counts its own copy before its disk has it.
pub const COUNTS_UNFLUSHED: Flaw = Flaw {
    name: "counts-unflushed",
    id: "R31",
    text: "A leader counts its own copy of an entry that its disk does not have yet, although nobody else's copy proves \
           that it will: a power failure takes back what it has confirmed. etcd did in clusters of one (issue 14370), \
           openraft too (a9f696a9). Bites with parallel-disk = true, or one voter.",
};

/// What was applied and how far are written down apart.
pub const APPLIED_INDEX_APART: Flaw = Flaw {
    name: "applied-index-apart",
    id: "R32",
    text: "A snapshot's contents and the index they stand for go to disk in two writes. A crash between them leaves new \
           contents under an old index, and entries are applied twice. etcd 3.5 did (issue 13766).",
};

/// A node votes for another although it has voted for itself.
pub const CANDIDATE_GRANTS_VOTE: Flaw = Flaw {
    name: "candidate-grants-vote",
    id: "R33",
    text: "A node that stands for election itself grants its vote to another candidate of the same term, so both may \
           win. The Raft library of DAOS (issue 70) and xraft (issue 33) did.",
};

/// A leader that steps down says nothing to those who wait for it.
pub const FORGETS_WAITING_CLIENTS: Flaw = Flaw {
    name: "forgets-waiting-clients",
    id: "R38",
    text: "A leader that steps down drops the calls that wait for it without a word, so clients wait as long as they have \
           patience, while another serves. openraft did (43dd8b6f).",
};

/// A lease is measured by a clock that can be set.
pub const LEASE_BY_WALL_CLOCK: Flaw = Flaw {
    name: "lease-by-wall-clock",
    id: "R39",
    text: "A leader measures its lease by the wall clock. Somebody sets it back, and a lease that is over begins again, while \
           another leads. etcd measured the leases of its keys so (issues 6700 and 12291); a Raft's own lease deserves a \
           monotonic clock no less. Needs reads = \"lease\".",
};

/// An empty machine takes part under the name of one that is gone.
pub const REJOINS_EMPTY: Flaw = Flaw {
    name: "rejoins-empty",
    id: "R40",
    text: "A machine that takes the place of a lost one votes and acknowledges at once under the old name, though all that its \
           predecessor had promised is gone, so what a majority had confirmed need not be on a majority any more. \"If a \
           server loses any of its persistent state, it cannot safely rejoin the cluster with its prior identity\" \
           (dissertation 3.8); etcd refuses to start such a member.",
};

/// A spoilt record ends the log, wherever it stands.
pub const CORRUPT_TAIL_TRUNCATED: Flaw = Flaw {
    name: "corrupt-tail-truncated",
    id: "R36",
    text: "A node that finds a corrupt record in its log cuts it off with everything behind it, as if a power failure had \
           torn the write, and goes on voting without what it has acknowledged: what Alagappan et al. call \"truncate\" \
           (\"Protocol-Aware Recovery\", FAST 2018). NATS JetStream 2.12.1 lost writes to corrupt files on a minority of \
           nodes (Jepsen, 2025).",
};

/// A flush that failed is tried again, and believed.
pub const FSYNC_ERROR_RETRIED: Flaw = Flaw {
    name: "fsync-error-retried",
    id: "R37",
    text: "A node tries a failed fsync again and takes its success for durable. The operating system has marked the pages \
           clean and writes nothing, so a power failure takes what was acknowledged. PostgreSQL did until 11.2 (fsyncgate, \
           2018; Rebello et al., \"Can Applications Recover from fsync Failures?\", ATC 2020).",
};

/// All of them.
pub const FLAWS: &[Flaw] = &[
    COMMIT_EARLIER_TERM,
    VOTE_BEFORE_FSYNC,
    VOTE_BY_LENGTH,
    TRUNCATE_ALWAYS,
    ACK_BEFORE_FSYNC,
    READ_WITHOUT_QUORUM,
    READ_INDEX_BEFORE_OWN_TERM,
    LEASE_IGNORES_DRIFT,
    NO_SESSIONS,
    SNAPSHOT_WITHOUT_SESSIONS,
    NO_PRE_VOTE,
    NO_QUORUM_CHECK,
    SINGLE_CHANGE_BEFORE_OWN_COMMIT,
    TWO_PENDING_CHANGES,
    SNAPSHOT_LABELLED_WITH_COMMIT,
    INSTALL_OLDER_SNAPSHOT,
    STALE_REJECT_LOWERS_NEXT,
    COMMIT_GOES_BACK,
    COUNTS_UNFLUSHED,
    APPLIED_INDEX_APART,
    CANDIDATE_GRANTS_VOTE,
    CORRUPT_TAIL_TRUNCATED,
    FSYNC_ERROR_RETRIED,
    FORGETS_WAITING_CLIENTS,
    LEASE_BY_WALL_CLOCK,
    REJOINS_EMPTY,
];
