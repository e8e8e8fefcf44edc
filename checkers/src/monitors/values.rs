//! The fewest values that still contradict each other.
//!
//! Take everything that was done with one value out of a history of a queue, a stack or a set that has an order, and
//! what is left still has one: the same order without them. For follow the data along it: they hold at each point what
//! they held before, in the same order, except that value. Whoever took another value finds it at the same end as
//! before, since what was in front of it or on top of it is at most less; whoever found nothing still finds nothing;
//! and an operation nobody heard of again that took the value away may as well never have happened. Who found nothing
//! changed nothing, so those can be taken out one by one.
//!
//! So histories are taken apart into *units*: a value with all that was done with it, or one look at what was empty. A
//! set of units without an order has none however many are added to it. That makes the search for a smallest set
//! simple: put in units until there is no order; the last one put in is needed; forget those after it and begin again
//! with the needed ones. (As in [`crate::minimal`], which does the same for data whose operations meet whole states.)
//! Values never go apart: a reader who sees a value taken is also shown everybody who put it there.
//!
//! What may have done anything, such as a removal nobody heard of again, is no unit. It stays in every probe.

use std::cell::Cell;

use crate::Budget;

/// Some of the units, and whether nothing can be taken away from them.
pub(crate) struct Least {
    /// By number, ascending.
    pub units: Vec<usize>,
    /// Whether every probe was decided.
    pub is_minimal: bool,
}

/// Reduces `units`, which together have no order; those in front are preferred. `has_no_order` says whether some of
/// them (ascending) have none, or `None` if that is too much to find out: then they count as if they had one, and more
/// is kept; so is what there is no time to look at.
pub(crate) fn least(
    units: &[usize],
    budget: &Budget<'_>,
    mut has_no_order: impl FnMut(&[usize]) -> Option<bool>,
) -> Least {
    // Enough for a handful of a million. Where thousands are needed, what is left over is kept.
    let work_max = 100 * units.len() + 10_000_000;
    let work = Cell::new(0);
    let mut needed: Vec<usize> = Vec::new();
    let mut in_question = units;
    let mut is_minimal = true;
    let mut is_wrong = |needed: &[usize], more: &[usize]| {
        if !(budget.keep_going)() {
            is_minimal = false;
            return false;
        }
        let mut some = [needed, more].concat();
        work.set(work.get() + some.len());
        some.sort_unstable();
        has_no_order(&some).unwrap_or_else(|| {
            is_minimal = false;
            false
        })
    };
    while !in_question.is_empty() && !is_wrong(&needed, &[]) {
        let count = fewest(in_question.len(), |count| is_wrong(&needed, &in_question[..count]));
        needed.push(in_question[count - 1]);
        in_question = &in_question[..count - 1];
        if work.get() > work_max || !(budget.keep_going)() {
            break;
        }
    }
    let is_done = in_question.is_empty() || work.get() <= work_max && (budget.keep_going)();
    if !is_done {
        needed.extend(in_question);
    }
    needed.sort_unstable();
    Least { units: needed, is_minimal: is_minimal && is_done }
}

/// The least count, up to `all`, that is wrong; `all` is, 0 is not. By doubling and halving, so that mostly few are
/// tried.
fn fewest(all: usize, mut is_wrong: impl FnMut(usize) -> bool) -> usize {
    let (mut good, mut bad) = (0, all);
    let mut width = 1;
    while bad - good > 1 {
        let probe = if width < bad { width } else { good + (bad - good) / 2 };
        if is_wrong(probe) {
            bad = probe;
            // From here on by halving.
            width = all;
        } else {
            good = probe;
            width = width.saturating_mul(2);
        }
    }
    bad
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wrong is whatever holds all of some group; what is left must be one group, whole.
    #[test]
    fn what_is_left_is_wrong_and_nothing_can_be_taken_away() {
        for seed in 0..2000_usize {
            let count = 1 + seed % 12;
            let groups: Vec<Vec<usize>> = (0..1 + seed % 3)
                .map(|group| (0..count).filter(|unit| (seed / 7 + unit * (group + 3)) % 4 == 0).collect())
                .collect();
            let is_wrong = |some: &[usize]| groups.iter().any(|group| group.iter().all(|unit| some.contains(unit)));
            let units: Vec<usize> = (0..count).rev().collect();
            if !is_wrong(&units) {
                continue;
            }
            let least = least(&units, &Budget::states(0), |some| Some(is_wrong(some)));
            assert!(least.is_minimal && is_wrong(&least.units), "{groups:?}: {:?}", least.units);
            for gone in &least.units {
                let fewer: Vec<usize> = least.units.iter().copied().filter(|unit| unit != gone).collect();
                assert!(!is_wrong(&fewer), "{groups:?}: {:?} without {gone}", least.units);
            }
        }
    }

    #[test]
    fn doubling_and_halving_find_the_first() {
        for all in 1..40 {
            for first in 1..=all {
                assert_eq!(fewest(all, |count| count >= first), first, "of {all}");
            }
        }
    }

    #[test]
    fn where_thousands_are_needed_time_is_short_and_all_that_is_left_is_kept() {
        let units: Vec<usize> = (0..30_000).collect();
        let mut looked_at = 0;
        let least = least(&units, &Budget::states(0), |some| {
            looked_at += some.len();
            Some(some.len() == units.len())
        });
        assert_eq!((least.units.len(), least.is_minimal), (units.len(), false));
        assert!(looked_at < 15_000_000, "{looked_at}");
    }

    #[test]
    fn where_there_is_no_time_all_that_is_left_is_kept() {
        let units: Vec<usize> = (0..1000).collect();
        let mut probes = 0;
        let budget = Budget { states: 0, keep_going: &|| false };
        let least = least(&units, &budget, |some| {
            probes += 1;
            Some(some.len() == units.len())
        });
        assert_eq!((least.units.len(), least.is_minimal), (units.len(), false));
        assert_eq!(probes, 0);
    }

    #[test]
    fn what_cannot_be_decided_is_kept() {
        let least = least(&[2, 1, 0], &Budget::states(0), |_| None);
        assert_eq!((least.units, least.is_minimal), (vec![0, 1, 2], false));
    }
}
