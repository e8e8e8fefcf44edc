//! When the nodes of a store came to agree, after everything had healed.

use sim_core::holding::{Agreement, Difference};
use sim_core::time::Nanos;

/// So many keys on which nodes differ are kept to be shown.
const SHOWN_MAX: usize = 3;

/// What became of copies and hints while everything settled, as [`Agreement`]s tell it one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Convergence {
    /// How long after everything had healed all home nodes kept the same, from then to the end; `None` if they did not.
    pub after: Option<Nanos>,
    /// The same of when nothing was kept for others any more.
    pub hints_after: Option<Nanos>,
    /// How many keys there were in the end.
    pub keys: u64,
    /// On how many of them home nodes differed in the end …
    pub differing: u64,
    /// … and the first few of those.
    pub differences: Vec<Difference>,
    /// How many copies were kept for others in the end.
    pub hints: u64,
    /// How many ever were, as far as nodes remember.
    pub hints_made: u64,
}

impl Convergence {
    /// How things stand so long after everything healed. Who differs again has not agreed before.
    pub(crate) fn see(&mut self, since: Nanos, seen: Agreement) {
        let Agreement { keys, mut differing, hints, hints_made } = seen;
        self.after = differing.is_empty().then(|| self.after.unwrap_or(since));
        self.hints_after = (hints == 0).then(|| self.hints_after.unwrap_or(since));
        (self.keys, self.differing, self.hints) = (keys, differing.len() as u64, hints);
        self.hints_made = self.hints_made.max(hints_made);
        differing.truncate(SHOWN_MAX);
        self.differences = differing;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(differing: usize, hints: u64) -> Agreement {
        let difference = Difference { key: 7, kept: Vec::new() };
        Agreement { keys: 9, differing: vec![difference; differing], hints, hints_made: hints }
    }

    #[test]
    fn what_differs_again_counts_from_when_it_last_agreed() {
        let mut convergence = Convergence::default();
        convergence.see(0, seen(5, 3));
        assert_eq!((convergence.after, convergence.differing, convergence.differences.len()), (None, 5, SHOWN_MAX));
        convergence.see(1, seen(0, 2));
        convergence.see(2, seen(0, 0));
        assert_eq!((convergence.after, convergence.hints_after), (Some(1), Some(2)));
        convergence.see(3, seen(1, 0));
        assert_eq!((convergence.after, convergence.hints_after), (None, Some(2)));
        convergence.see(4, seen(0, 0));
        convergence.see(5, seen(0, 0));
        assert_eq!((convergence.after, convergence.hints_after, convergence.hints_made), (Some(4), Some(2), 3));
    }
}
