//! What applying the one true log makes, at any of its entries that somebody asks about.
//!
//! Snapshots are taken at entries that rise, but each node takes its own, and one that was down takes old ones. So a few
//! machines are kept, at the entries last asked about, and the nearest one before is taken on from.

use crate::machine::{Command, Machine, Rules};
use history::Object;
use sim_core::time::Nanos;
use std::collections::BTreeMap;

/// How many machines are kept: a few for each node of a usual cluster.
const KEPT_MAX: usize = 16;

/// Machines at some entries.
#[derive(Clone, Debug)]
pub(crate) struct Truth<O: Object> {
    known: BTreeMap<u64, Machine<O>>,
}

impl<O: Object> Default for Truth<O> {
    fn default() -> Self {
        Truth { known: BTreeMap::new() }
    }
}

impl<O: Object> Truth<O> {
    /// The machine as of entry `index`; `None` if some entry up to there is not known. `entry` says the system time and the
    /// command of each.
    pub fn at<'a, M: 'a>(
        &mut self,
        index: u64,
        rules: Rules,
        entry: impl Fn(u64) -> Option<(Nanos, &'a Command<O::Op, M>)>,
    ) -> Option<&Machine<O>>
    where
        O::Op: 'a,
    {
        let nearest = self.known.range(..=index).next_back();
        let (mut applied, mut machine) = nearest.map_or_else(Default::default, |(at, machine)| (*at, machine.clone()));
        while applied < index {
            applied += 1;
            let (time, command) = entry(applied)?;
            machine.apply(applied, time, command, rules);
        }
        self.known.insert(index, machine);
        if self.known.len() > KEPT_MAX {
            // The oldest goes, unless it is the one asked for; what lies before it is made from the beginning.
            let oldest = *self.known.keys().find(|known| **known != index)?;
            self.known.remove(&oldest);
        }
        self.known.get(&index)
    }
}
