//! What can be wrong with transactions, and which levels of consistency it rules out.
//!
//! After Adya ("Weak Consistency", 1999), with the names of Elle (Kingsbury and Alvaro 2020).

use super::graph::Edge;
use crate::Consistency;
use history::Value;

/// Something wrong that a few micro-operations show by themselves.
#[derive(Clone, Copy)]
pub(super) struct Direct<'h> {
    pub kind: Kind,
    /// Who read, and where in the transaction.
    pub txn: u32,
    pub micro: u32,
    /// Who else it is about; the reader itself if nobody.
    pub other: u32,
    /// What should not have been there, or was missing.
    pub value: &'h Value,
}

/// The kinds of what is wrong, those that break the weakest promises first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A read of what nobody wrote.
    Garbage,
    /// An element that is twice in a list and was appended once.
    Duplicate,
    /// Two reads of a list of which neither is the beginning of the other.
    Incompatible,
    /// A list without some of what a transaction appended before the rest, or in another order.
    Misordered,
    /// Dependencies that form a cycle.
    Cycle(Layer),
    /// A read of what was aborted.
    Aborted,
    /// A committed append upon an aborted one.
    DirtyUpdate,
    /// A read of what its writer overwrote in the same transaction.
    Intermediate,
    /// A transaction that misses its own write.
    Internal,
    /// A transaction that reads what it wrote only afterwards.
    Future,
    /// A transaction that reads one key twice and differently, without having written it.
    Fuzzy,
    /// Two transactions that read the same version and both replaced it.
    LostUpdate,
    /// Every order was tried.
    NoOrder,
}

/// Which dependencies form a cycle: each names the graph in which it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    /// Writes alone.
    Writes,
    /// Writes and reads of them.
    Flow,
    /// What follows from all of a transaction being visible, or nothing.
    Atomic,
    /// What follows from causes being visible with their effects.
    Causal,
    /// Anti-dependencies, no two of them in a row.
    Snapshot,
    /// All dependencies.
    Serial,
    /// And the order of each process.
    Session,
    /// And real time.
    Strict,
}

/// What an edge, or a whole cycle, leans on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Basis {
    /// What was read and written.
    Data,
    /// The order of a process.
    Process,
    /// Real time.
    RealTime,
}

/// One thing that is wrong.
pub(super) enum Flaw<'h> {
    Direct(Direct<'h>),
    /// A cycle of dependencies, each edge beginning where the last one ended.
    Cycle(Kind, Vec<Edge>),
    /// Transactions without an order.
    Unordered(Vec<u32>),
}

impl Flaw<'_> {
    pub fn kind(&self) -> Kind {
        match self {
            Flaw::Direct(direct) => direct.kind,
            Flaw::Cycle(kind, _) => *kind,
            Flaw::Unordered(_) => Kind::NoOrder,
        }
    }

    pub fn name(&self) -> String {
        match self {
            Flaw::Cycle(_, edges) => cycle_name(self.kind(), edges),
            Flaw::Direct(_) | Flaw::Unordered(_) => self.kind().name().to_owned(),
        }
    }
}

fn cycle_name(kind: Kind, edges: &[Edge]) -> String {
    use super::graph::Why;
    let count = |why: Why| edges.iter().filter(|edge| edge.why == why).count();
    let is_rw = |at: usize| edges[at % edges.len()].why == Why::Rw;
    let has_adjacent = (0..edges.len()).any(|at| is_rw(at) && is_rw(at + 1));
    let name = match (kind, count(Why::Rw), count(Why::Wr)) {
        (Kind::Cycle(Layer::Atomic), 0, _) => "fractured-read",
        (Kind::Cycle(Layer::Causal), 0, _) => "causality-cycle",
        (_, 0, 0) => "G0",
        (_, 0, _) => "G1c",
        (_, 1, _) => "G-single-item",
        (_, _, _) if !has_adjacent => "G-nonadjacent-item",
        (_, _, _) => "G2-item",
    };
    let suffix = match edges.iter().map(|edge| edge.basis).max() {
        None | Some(Basis::Data) => "",
        Some(Basis::Process) => "-process",
        Some(Basis::RealTime) => "-realtime",
    };
    format!("{name}{suffix}")
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Garbage => "garbage-read",
            Kind::Duplicate => "duplicate-elements",
            Kind::Incompatible | Kind::Misordered => "incompatible-order",
            Kind::Cycle(_) => "cycle",
            Kind::Aborted => "G1a",
            Kind::DirtyUpdate => "dirty-update",
            Kind::Intermediate => "G1b",
            Kind::Internal | Kind::Fuzzy => "internal",
            Kind::Future => "future-read",
            Kind::LostUpdate => "lost-update",
            Kind::NoOrder => "no-order",
        }
    }

    /// The weakest level that it rules out by itself, and with it all that are stronger. Garbage, doubles and lists without a
    /// common order leave no order of versions at all, without which no level has a meaning (Adya 1999, section 4.2).
    /// That a transaction sees its own writes is part of what a history is there; that it reads the same twice is not.
    pub fn weakest(self) -> Consistency {
        match self {
            Kind::Garbage | Kind::Duplicate | Kind::Incompatible | Kind::Misordered => Consistency::ReadUncommitted,
            Kind::Aborted | Kind::DirtyUpdate | Kind::Intermediate | Kind::Internal | Kind::Future => {
                Consistency::ReadCommitted
            }
            Kind::Fuzzy => Consistency::ReadAtomic,
            Kind::LostUpdate => Consistency::SnapshotIsolation,
            Kind::NoOrder => Consistency::Serializable,
            Kind::Cycle(layer) => match layer {
                Layer::Writes => Consistency::ReadUncommitted,
                Layer::Flow => Consistency::ReadCommitted,
                Layer::Atomic => Consistency::ReadAtomic,
                Layer::Causal => Consistency::Causal,
                Layer::Snapshot => Consistency::SnapshotIsolation,
                Layer::Serial => Consistency::Serializable,
                Layer::Session => Consistency::StrongSessionSerializable,
                Layer::Strict => Consistency::StrictSerializable,
            },
        }
    }
}
