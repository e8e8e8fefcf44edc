//! Queues, if every value is put in at most once: is there an order? Without searching for one.
//!
//! Henzinger, Sezgin and Vafeiadis (*Aspect-oriented linearizability proofs*, CONCUR 2013) showed that a queue can only
//! be wrong in four ways; Emmi and Enea (*Sound, complete, and tractable linearizability monitoring for concurrent
//! collections*, POPL 2018) watch for them:
//!
//! 1. a value taken that was not put in, or not yet, and 2. one taken twice: [`Odd`];
//! 3. **overtaken**: *a* was in before *b* was asked to be put in, and *b* was out before anybody asked for what turned
//!    out to be *a*, if anybody did;
//! 4. **not empty**: somebody found nothing, though at each moment of its asking something was inside for certain:
//!    after it had been put in and before anybody asked for it. (Not always the same thing: a chain of such spans can
//!    cover the asking.)
//!
//! The papers do not say what removals nobody heard of again can explain. That is this. Let *leftovers* be what was put
//! in for certain and not known to be taken, in the order in which putting them in was over, and *D* of a leftover the
//! end of the earliest taking of a value that was asked to be put in after it was in. A leftover must be out before
//! its *D*, and for a taker of nothing to be right at a moment *q*, all leftovers that were in before *q* must be out
//! before *q*. *D* does not fall from one leftover to the next. So if an open removal can be found for each in turn,
//! those that were asked for first, they all can, and:
//!
//! - the *i*-th leftover needs at least *i* open removals asked for before its *D*;
//! - at *q*, at least as many open removals were asked for before *q* as leftovers were in.
//!
//! The conditions at two moments do not depend on each other: with `q' < q`, who is out before `q` as the second
//! demands is out in time for the first or put in after `q'`. All of it is sorting and sweeping: O(n log n).

use super::container::{Container, Elements, Miss, NEVER, OPERATIONS_MAX, witness};
use super::values::least;
use crate::Budget;
use crate::model::Part;
use history::Witness;
use history::figures::{counted, shown};

/// Why there is no order. Numbers are those of elements and misses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// `first` was in before `second` and out after it, or never.
    Overtaken { first: usize, second: usize },
    /// All of `left` were in before `second` and should have been out before it, and too few open removals can have
    /// done it.
    Left { left: Vec<usize>, second: usize },
    /// Something was certainly inside.
    NotEmpty { miss: usize },
}

/// What is wrong first, by when its last result was known; `None` if there is an order.
pub(crate) fn wrong(all: &Elements<'_>) -> Option<Wrong> {
    let mut by_end: Vec<usize> = (0..all.elements.len()).filter(|i| all.elements[*i].put_until < NEVER).collect();
    by_end.sort_by_key(|i| all.elements[*i].put_until);
    let (taken, left): (Vec<usize>, Vec<usize>) = by_end.iter().partition(|i| all.elements[**i].take.is_some());
    let when = |(until, _): &(u64, Wrong)| *until;
    let found = [overtaken(all, &taken), overdue(all, &left), not_empty(all, &taken, &left)];
    found.into_iter().flatten().min_by_key(when).map(|(_, wrong)| wrong)
}

/// Elements that were certainly taken after another that came in after them. `taken` is sorted by when they were in.
fn overtaken(all: &Elements<'_>, taken: &[usize]) -> Option<(u64, Wrong)> {
    let mut earlier = taken.iter().peekable();
    let mut last: Option<usize> = None;
    let mut worst: Option<(u64, Wrong)> = None;
    for (second, element) in all.elements.iter().enumerate().filter(|(_, element)| element.take.is_some()) {
        while let Some(&first) = earlier.next_if(|first| all.elements[**first].put_until < element.put_from) {
            last = last.filter(|last| all.elements[*last].take_from >= all.elements[first].take_from).or(Some(first));
        }
        if let Some(first) = last.filter(|first| all.elements[*first].take_from > element.take_until)
            && worst.as_ref().is_none_or(|(until, _)| element.take_until < *until)
        {
            worst = Some((element.take_until, Wrong::Overtaken { first, second }));
        }
    }
    worst
}

/// Leftovers that should be out and that no open removal can have taken. `left` is sorted by when they were in.
fn overdue(all: &Elements<'_>, left: &[usize]) -> Option<(u64, Wrong)> {
    // For each leftover, the last in front, who of those put in later was out first.
    let mut later = all.elements.iter().enumerate().rev().filter(|(_, element)| element.take.is_some()).peekable();
    let mut first_out: Option<usize> = None;
    let mut deadlines: Vec<Option<usize>> = Vec::with_capacity(left.len());
    for leftover in left.iter().rev() {
        while let Some((second, element)) =
            later.next_if(|(_, element)| element.put_from > all.elements[*leftover].put_until)
        {
            first_out =
                first_out.filter(|other| all.elements[*other].take_until <= element.take_until).or(Some(second));
        }
        deadlines.push(first_out);
    }
    let in_turn = deadlines.iter().rev().enumerate();
    in_turn.filter_map(|(i, second)| second.map(|second| (i, second))).find_map(|(i, second)| {
        let until = all.elements[second].take_until;
        let removals = all.open.partition_point(|from| *from < until);
        let wrong = || match i {
            0 => Wrong::Overtaken { first: left[0], second },
            _ => Wrong::Left { left: left[..=i].to_vec(), second },
        };
        (removals <= i).then(|| (until, wrong()))
    })
}

/// Somebody who found nothing while something was inside for certain.
fn not_empty(all: &Elements<'_>, taken: &[usize], left: &[usize]) -> Option<(u64, Wrong)> {
    if all.misses.is_empty() {
        return None;
    }
    let spans = taken.iter().map(|i| (all.elements[*i].put_until, all.elements[*i].take_from));
    let left: Vec<u64> = left.iter().map(|i| all.elements[*i].put_until).collect();
    let voids = Voids::of(spans, &left, &all.open);
    let misses = all.misses.iter().enumerate().filter(|(_, miss)| !voids.is_in(miss));
    misses.map(|(miss, Miss { until, .. })| (*until, Wrong::NotEmpty { miss })).min_by_key(|(until, _)| *until)
}

/// The moments at which nothing need be inside.
pub(crate) struct Voids {
    /// Where such spans begin and end, ascending, in turn; the first begins at the beginning.
    bounds: Vec<u64>,
}

impl Voids {
    /// Outside all `spans` (from, until), and where no more of what is `left` has come in than there are `open`
    /// removals.
    pub fn of(spans: impl Iterator<Item = (u64, u64)>, left: &[u64], open: &[u64]) -> Voids {
        let ends = |(from, until)| [(from, 1, 0), (until, -1, 0)];
        let mut events: Vec<(u64, i64, i64)> = spans.filter(|(from, until)| from < until).flat_map(ends).collect();
        events.extend(left.iter().map(|from| (*from, 0, 1)));
        events.extend(open.iter().map(|from| (*from, 0, -1)));
        events.sort_by_key(|(at, ..)| *at);
        let (mut inside, mut stuck, mut bounds) = (0, 0, vec![0]);
        for (at, covers, more) in events {
            (inside, stuck) = (inside + covers, stuck + more);
            let is_void = inside == 0 && stuck <= 0;
            if is_void == bounds.len().is_multiple_of(2) {
                bounds.push(at);
            }
        }
        Voids { bounds }
    }

    /// Whether one is between the ends of `miss`.
    pub fn is_in(&self, miss: &Miss) -> bool {
        let begun = self.bounds.partition_point(|at| *at <= miss.from);
        // In a span: it ends after the miss began. Between two: the next begins before the miss ends.
        !begun.is_multiple_of(2) || self.bounds.get(begun).is_some_and(|next| *next < miss.until)
    }
}

/// The argument for what is wrong.
pub(crate) fn explain<O: Container>(
    part: &Part<'_, O>,
    all: &Elements<'_>,
    wrong: &Wrong,
    budget: &Budget<'_>,
) -> Witness {
    match wrong {
        Wrong::Overtaken { first, second } => overtaking(part, all, *first, *second),
        Wrong::Left { left, second } => too_many(part, all, left, *second),
        Wrong::NotEmpty { miss } => {
            let only = |units: &[usize]| [units, &[all.elements.len() + miss]].concat();
            let units: Vec<usize> = all.units().into_iter().filter(|unit| *unit < all.elements.len()).collect();
            let least = least(&units, budget, |units| Some(self::wrong(&all.some(&only(units))).is_some()));
            inside(part, &all.some(&only(&least.units)))
        }
    }
}

fn overtaking<O: Container>(part: &Part<'_, O>, all: &Elements<'_>, first: usize, second: usize) -> Witness {
    let (first, second) = (&all.elements[first], &all.elements[second]);
    let (a, b) = (shown(first.value), shown(second.value));
    let named: Vec<usize> = [first.put, second.put, second.take, first.take].into_iter().flatten().collect();
    let at = |call: Option<usize>| call.and_then(|call| named.iter().position(|named| *named == call)).map(|at| at + 1);
    let was_in = match at(first.put) {
        Some(_) => format!("{a} had been added before {b} was asked to be"),
        None => format!("{a} was there from the beginning"),
    };
    let was_out = match at(first.take) {
        Some(took) => format!("But {b} was out before ({took}), which got {a}, was asked for."),
        None => format!(
            "But {b} was taken, and nobody is known to have taken {a}{}.",
            if all.open.is_empty() { "" } else { ", nor can any removal of unknown outcome have taken it in time" }
        ),
    };
    let because = vec![format!("{was_in}: so {a} was in front of {b}, and had to leave first."), was_out];
    let who = second.take.map(|take| part.calls[take].source.process).unwrap_or_default();
    let headline = format!("p{who} took {b} from the {}, though {a} was in front of it", O::NAME);
    witness(part, named, second.take, "overtaken", headline, because)
}

fn too_many<O: Container>(part: &Part<'_, O>, all: &Elements<'_>, left: &[usize], second: usize) -> Witness {
    let second = &all.elements[second];
    let b = shown(second.value);
    let mut named: Vec<usize> = left.iter().filter_map(|i| all.elements[*i].put).collect();
    named.extend(second.put);
    let open =
        open_calls(part, second.take.map(|take| part.calls[take].source.completed.map_or(NEVER, |mark| mark.index)));
    let removals = counted(open.len() as u64, "removal");
    named.extend(open);
    named.sort_unstable();
    named.extend(second.take);
    let values = counted(left.len() as u64, "value");
    let because = vec![
        format!(
            "{values} had been added before {b} was asked to be: so they were in front of {b}, and had to leave first."
        ),
        format!(
            "But nobody is known to have taken any of them, and only {removals} of unknown outcome can have, one each."
        ),
    ];
    let who = second.take.map(|take| part.calls[take].source.process).unwrap_or_default();
    let headline = format!("p{who} took {b} from the {}, though {values} were in front of it", O::NAME);
    witness(part, named, second.take, "overtaken", headline, because)
}

/// The calls of unknown outcome that may have taken something before `until`.
pub(crate) fn open_calls<O: Container>(part: &Part<'_, O>, until: Option<u64>) -> Vec<usize> {
    let is_open = |call: &crate::model::Call<'_, O>| {
        call.outcome == history::Outcome::Unknown && matches!(O::wish(&call.op), super::container::Wish::Take)
    };
    let in_time = |number: &usize| Some(part.calls[*number].source.invoked.index) < until.or(Some(NEVER));
    (0..part.calls.len()).filter(|number| is_open(&part.calls[*number])).filter(in_time).collect()
}

/// The argument that something was inside all the time: the fewest elements that show it.
pub(crate) fn inside<O: Container>(part: &Part<'_, O>, least: &Elements<'_>) -> Witness {
    let miss = &least.misses[0];
    let mut chain: Vec<_> = least.elements.iter().collect();
    chain.sort_by_key(|element| element.put_until);
    let open = open_calls(part, part.calls[miss.call].source.completed.map(|mark| mark.index));
    let has_left = chain.iter().any(|element| element.take.is_none());
    let mut named: Vec<usize> = chain.iter().filter_map(|element| element.put).collect();
    named.push(miss.call);
    named.extend(chain.iter().filter_map(|element| element.take));
    if has_left {
        named.extend(&open);
    }
    named.sort_unstable();
    let at = |call: usize| named.iter().position(|named| *named == call).unwrap_or_default() + 1;
    let spans = chain.iter().take(OPERATIONS_MAX).map(|element| {
        let from = element.put.map_or("the beginning".to_owned(), |put| format!("the end of ({})", at(put)));
        let until = match element.take {
            Some(take) => format!("until ({}) was asked for", at(take)),
            None => "on, and nobody is known to have taken it".to_owned(),
        };
        format!("{} was inside from {from} {until}", shown(element.value))
    });
    let mut because = vec![format!("{}.", spans.collect::<Vec<String>>().join("; "))];
    if has_left && !open.is_empty() {
        let removals = counted(open.len() as u64, "removal");
        because.push(format!(
            "Only {removals} of unknown outcome can have taken what nobody is known to have, one value each."
        ));
    }
    let all_of_them = if chain.len() == 1 { "it" } else { "one of them" };
    because.push(format!(
        "So at every moment of ({}) {all_of_them} was inside, and it cannot have found nothing.",
        at(miss.call)
    ));
    let who = part.calls[miss.call].source.process;
    let headline = match &chain[..] {
        [only] => format!("p{who} found the {} empty, though {} was inside", O::NAME, shown(only.value)),
        _ => format!("p{who} found the {} empty, though there was always something inside", O::NAME),
    };
    witness(part, named, Some(miss.call), "not-empty", headline, because)
}
