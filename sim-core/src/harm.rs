//! What can be wrong with a disk.
//!
//! One fault can do several of these at once: a dying disk is slow, *and* loses a write now and then. Each struck disk
//! throws dice of its own for each fault, so that a disk, or a fault, taken out of a run leaves the others as they were.

use crate::delay::Delay;
use crate::dice::Ratio;
use crate::protocol::DiskError;
use std::fmt;

/// What a fault does to a disk. `D` is how delays are given: to the world as distributions to draw from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskHarm<D = Delay> {
    /// Added to every flush.
    pub latency: Option<D>,
    /// No flush ends while it lasts.
    pub stall: bool,
    /// It takes no writes while it lasts.
    pub refusal: Option<Refusal>,
    /// It reports errors.
    pub error: Option<Failure>,
    /// This share of flushes says that it is done, and has written nothing.
    pub lie: Ratio,
    /// This share of records never gets to the disk, and nobody says so.
    pub lose: Ratio,
    /// This share of records is written over others that were on disk.
    pub misdirect: Ratio,
    /// So many records on disk rot at once; its end does not bring them back.
    pub rot: u32,
}

impl<D> DiskHarm<D> {
    /// Whether what is on the disk may not read back, or not be there, after the fault is over.
    pub fn spoils(&self) -> bool {
        self.rot > 0 || [self.lie, self.lose, self.misdirect].iter().any(|share| *share != Ratio::ZERO)
    }
}

/// Why a disk takes no writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is full.
    Full,
    /// It was mounted anew, to be read only.
    ReadOnly,
}

impl Refusal {
    /// What a process hears of it.
    pub fn error(self) -> DiskError {
        match self {
            Refusal::Full => DiskError::Full,
            Refusal::ReadOnly => DiskError::ReadOnly,
        }
    }
}

/// What fails with an input/output error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What.
    pub of: Failing,
    /// This share while it lasts; the next one, once, if `None`.
    pub share: Option<Ratio>,
}

/// What can fail with an input/output error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// A flush. What it was to make durable is marked clean all the same, and no later flush writes it.
    Flush,
    /// A write. The record is nowhere.
    Write,
}

impl Failing {
    /// More than one of them.
    pub fn plural(self) -> &'static str {
        match self {
            Failing::Flush => "flushes",
            Failing::Write => "writes",
        }
    }
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failing::Flush => "flush",
            Failing::Write => "write",
        })
    }
}

impl<D> DiskHarm<D> {
    /// Nothing.
    pub const NONE: Self = DiskHarm {
        latency: None,
        stall: false,
        refusal: None,
        error: None,
        lie: Ratio::ZERO,
        lose: Ratio::ZERO,
        misdirect: Ratio::ZERO,
        rot: 0,
    };

    /// The same with its delay given in another way.
    pub fn with_delays<E>(self, convert: impl Fn(D) -> E) -> DiskHarm<E> {
        let DiskHarm { latency, stall, refusal, error, lie, lose, misdirect, rot } = self;
        DiskHarm { latency: latency.map(convert), stall, refusal, error, lie, lose, misdirect, rot }
    }

    /// Whether it does more than to strike once.
    pub fn lasts(&self) -> bool {
        let shares = [self.lie, self.lose, self.misdirect];
        let harms_writes = self.refusal.is_some() || self.error.is_some();
        self.latency.is_some() || self.stall || harms_writes || shares.iter().any(|share| *share != Ratio::ZERO)
    }

    /// Whether nothing that is written while it lasts gets to the disk in an honest way: whoever waits for that waits in
    /// vain.
    pub fn takes_nothing(&self) -> bool {
        let always_fails =
            self.error.and_then(|error| error.share).is_some_and(|share| share.numerator == share.denominator);
        self.stall || self.refusal.is_some() || always_fails
    }
}
