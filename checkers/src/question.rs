//! What one asks of a history.

use crate::Model;
use history::Value;

/// A question about a history.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// What it is a history of.
    pub model: Model,
    /// What objects hold at first; `None` if as the model has it.
    pub initial: Option<Value>,
    /// What is demanded; `None` if as much as the model can promise: linearizability, for transactions strict
    /// serializability, else the model's own law.
    pub level: Option<Consistency>,
    /// Whether the record holds all that ever happened to the data. If not, values may stem from before or beside it.
    pub is_complete: bool,
    /// Whether the order of the record is that of real time. If not, it tells the order of each process and no more.
    pub has_real_time: bool,
    /// An order in which the operations are said to have taken effect, by number; reads may be left out. It is tried where
    /// one would have to search for an order, and never believed.
    pub hint: Option<&'a [usize]>,
}

impl Question<'_> {
    /// The usual question about a model.
    pub fn of(model: Model) -> Self {
        Question { model, initial: None, level: None, is_complete: true, has_real_time: true, hint: None }
    }
}

/// Levels of consistency, the strongest of each kind first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consistency {
    /// One order within everybody's intervals (Herlihy and Wing 1990).
    Linearizable,
    /// One order that keeps the order of each process (Lamport 1979).
    Sequential,
    /// Causal convergence: causal, and one order of conflicting writes for all (Bouajjani et al. 2017, CCv).
    CausalConvergence,
    /// Causal memory (Ahamad et al. 1995, CM).
    CausalMemory,
    /// Weak causal consistency (CC); of transactions, causal consistency.
    Causal,
    /// Everybody sees each process's writes in its order (Lipton and Sandberg 1988).
    Pram,
    /// Who wrote sees that or later (Terry et al. 1994).
    ReadYourWrites,
    /// Who saw something never sees anything older (Terry et al. 1994).
    MonotonicReads,
    /// A process's writes are seen in its order (Terry et al. 1994).
    MonotonicWrites,
    /// What follows a read is seen after what was read (Terry et al. 1994).
    WritesFollowReads,
    /// Serializable in the order of real time.
    StrictSerializable,
    /// Serializable in the order of each process.
    StrongSessionSerializable,
    /// As if one after the other (Papadimitriou 1979; Adya 1999, PL-3).
    Serializable,
    /// No cycle but with two anti-dependencies in a row (Berenson et al. 1995; Adya 1999, PL-SI).
    SnapshotIsolation,
    /// No cycle through anti-dependencies on items (Adya 1999, PL-2.99).
    RepeatableRead,
    /// All or nothing of a transaction is seen (Bailis et al. 2014).
    ReadAtomic,
    /// Nothing aborted, nothing intermediate, no circular flow (Adya 1999, PL-2).
    ReadCommitted,
    /// Writes do not form cycles (Adya 1999, PL-1).
    ReadUncommitted,
}

impl Consistency {
    /// All of them.
    pub const ALL: [Consistency; 18] = [
        Consistency::Linearizable,
        Consistency::Sequential,
        Consistency::CausalConvergence,
        Consistency::CausalMemory,
        Consistency::Causal,
        Consistency::Pram,
        Consistency::ReadYourWrites,
        Consistency::MonotonicReads,
        Consistency::MonotonicWrites,
        Consistency::WritesFollowReads,
        Consistency::StrictSerializable,
        Consistency::StrongSessionSerializable,
        Consistency::Serializable,
        Consistency::SnapshotIsolation,
        Consistency::RepeatableRead,
        Consistency::ReadAtomic,
        Consistency::ReadCommitted,
        Consistency::ReadUncommitted,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Consistency::Linearizable => "linearizable",
            Consistency::Sequential => "sequential",
            Consistency::CausalConvergence => "causal-convergence",
            Consistency::CausalMemory => "causal-memory",
            Consistency::Causal => "causal",
            Consistency::Pram => "pram",
            Consistency::ReadYourWrites => "read-your-writes",
            Consistency::MonotonicReads => "monotonic-reads",
            Consistency::MonotonicWrites => "monotonic-writes",
            Consistency::WritesFollowReads => "writes-follow-reads",
            Consistency::StrictSerializable => "strict-serializable",
            Consistency::StrongSessionSerializable => "strong-session-serializable",
            Consistency::Serializable => "serializable",
            Consistency::SnapshotIsolation => "snapshot-isolation",
            Consistency::RepeatableRead => "repeatable-read",
            Consistency::ReadAtomic => "read-atomic",
            Consistency::ReadCommitted => "read-committed",
            Consistency::ReadUncommitted => "read-uncommitted",
        }
    }

    /// The level of that name.
    pub fn from_name(name: &str) -> Option<Consistency> {
        Consistency::ALL.into_iter().find(|level| level.name() == name)
    }
}
