//! Registers whose every value was made once, judged in the time it takes to sort them.
//!
//! Where each value has one writer, everybody who met it is tied to that writer: writer and readers make a *cluster*.
//! In any order that works a cluster stands together: once its value is gone it never comes back. So clusters are beads
//! to be put in a row. Bead A must come before bead B if some operation of A was over when one of B began, that is, if
//! A's first completion comes before B's last invocation. Such a relation has a circle only if two of its members are
//! each before the other (in a longer circle without such a pair, first completions would fall for ever). So there is no
//! order if and only if two clusters cross, or one cannot be put in order by itself: somebody met a value that nobody had
//! yet asked for. This is Gibbons and Korach's theorem (*Testing shared memories*, 1997, section 4), where the time between
//! a cluster's first completion and last invocation is called its zone.
//!
//! **Compare-and-set.** Whoever turned a into b met a and made b: the cluster of b stands right behind that of a. So
//! clusters form chains, with nothing in between, whose order is known; all there is to ask of a chain is that nobody in
//! it was over before somebody earlier in it began, that no value was replaced twice, and that none stems from itself.
//! Then chains are the beads, and the theorem holds for them with not a word changed.
//!
//! **What nobody knows.** A write of unknown outcome that nobody met explains nothing and may be left out. One that was met
//! did happen, and has no end. If it was a compare-and-set, it shows in turn that what it met had been there.
//!
//! **What a mismatch tells**, "not a", concerns everybody else. If a was certainly there all the while, there is no order, nor
//! is there if there is none without it. If there is room for all of them in some row of clusters, that is an order
//! ([`misses`]). Otherwise clusters cannot tell; nor can they where a value was made twice and met.

mod clusters;
mod misses;
mod rows;
mod witness;

use history::{History, Outcome, Value};
use std::collections::BTreeMap;

use crate::model::in_order;
use crate::{Model, Unfit};
use clusters::{Clash, Clusters};
use rows::{NEVER, Named, Reader, Row};

pub(crate) use witness::{Explained, explain};

/// What clusters tell about a history.
pub(crate) struct Survey<'h> {
    /// Whether any operation returned, so that something could be wrong.
    pub is_constrained: bool,
    /// In order of appearance.
    pub keys: Vec<Surveyed<'h>>,
    /// All that tell anything, in the order of their invocations.
    rows: Vec<Row>,
    /// By cluster.
    named: Vec<Named<'h>>,
    clusters: Clusters,
    /// By key.
    clashes: BTreeMap<u32, Clash>,
}

/// What clusters tell about one object.
pub(crate) struct Surveyed<'h> {
    /// `None` if the model has no keys.
    pub name: Option<&'h Value>,
    pub finding: Finding,
    has_mismatches: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// There is an order.
    Explained,
    /// There is none.
    Contradiction,
    /// Clusters cannot tell.
    Open,
}

/// Looks at every key of a history of registers, whose objects hold `start` at first.
///
/// # Errors
/// If an operation is none of the model's.
pub(crate) fn survey<'h>(history: &'h History, model: Model, start: &'h Value) -> Result<Survey<'h>, Unfit> {
    let mut reader = Reader::new(history.len(), model, start);
    let mut clusters = Clusters::new(history.len(), NEVER);
    let mut rows = Vec::with_capacity(history.len());
    let mut is_constrained = false;
    for (number, source) in in_order(history) {
        is_constrained |= matches!(source.outcome, Outcome::Returned(_));
        if let Some(row) = reader.read(number, source)? {
            clusters.begin_new(&reader);
            clusters.add(&row);
            rows.push(row);
        }
    }
    let clashes = clusters.judge();
    let crowded = clusters.crowded();
    for (number, named) in (0..).zip(&reader.named) {
        if named.is_made_again && (named.is_missed || clusters.is_met(number)) {
            reader.keys[named.key as usize].is_plain = false;
        }
    }
    let keys = (0..).zip(reader.keys).map(|(number, key)| {
        let finding = match (key.is_plain, clashes.contains_key(&number)) {
            (true, true) => Finding::Contradiction,
            (true, false) if !crowded.contains(&number) => Finding::Explained,
            (true | false, _) => Finding::Open,
        };
        Surveyed { name: key.name, finding, has_mismatches: key.has_mismatches }
    });
    Ok(Survey { is_constrained, keys: keys.collect(), rows, named: reader.named, clusters, clashes })
}
