//! Stacks, if every value is put in at most once: is there an order? Without searching for one.
//!
//! Think of the *span* in which a value was certainly inside: from the end of its push to the beginning of its pop. A
//! value without such a span can be pushed and popped in one instant, at the bottom of which nobody notices: forget
//! it. Lay the spans of the others along the record. Where none lies the stack may be empty, so that the record falls
//! apart into *heaps* of spans that hang together, each a history of its own. Within a heap something is always
//! inside; so what is at the bottom when it begins is there until it ends. Such a value was asked to be pushed before
//! any other had been, and its pop was over after all others had been asked for. If there is none, there is no order.
//! If there is one, any will do: put it at the bottom, take it away, and look at what is left, which may fall apart
//! further. (Putting it there costs the others nothing; and a part of a history that has an order has one.) Who found
//! nothing must have a moment outside all spans.
//!
//! Taking such values away one by one is what Lee and Mathur (*Efficient decrease-and-conquer linearizability
//! monitoring*, 2024, arXiv 2410.04581) call decreasing and conquering; Abdulla, Grahn, Jonsson, Krishna and Mishra
//! (*Efficient linearizability monitoring*, PLDI 2025) partition stacks in O(n²), and found errors in earlier lists of
//! bad patterns. Here it takes three trees: how many spans lie over each place; which value of a heap was asked to be
//! pushed first; and, of those that may be at the bottom, which pop ended last. Every value is taken away once, and a
//! heap is looked at once for each value taken from it: O(n log n).
//!
//! **Removals nobody heard of again** may have popped any value that nobody else did. Which ones is a question of its
//! own, so here the monitor answers only where the answer is easy. *No*: if there is no order even if each value left
//! over was popped as early as the first of them could; or if more values had to be gone by some time than there were
//! removals. *Yes*: if there is an order with the values that have to go most urgently popped by the first removals.
//! Which have to go is found by looking for heaps without a bottom, and what lies in the way of the best they have.
//! Else it does not know, and the search must tell.

use super::container::{Container, Element, Elements, NEVER, OPERATIONS_MAX, witness};
use super::queue::{Voids, inside, open_calls};
use super::trees::{Cover, Tree};
use super::values::least;
use crate::Budget;
use crate::model::Part;
use history::Witness;
use history::figures::{counted, shown};
use std::collections::BTreeMap;

/// What the monitor found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// There is an order.
    Order,
    /// There is none.
    Wrong(Wrong),
    /// Only the search can tell.
    Unclear,
}

/// Why there is no order. Numbers are those of elements and misses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// None of these can have been at the bottom, though one must.
    NoBottom { heap: Vec<usize> },
    /// Something was certainly inside.
    NotEmpty { miss: usize },
    /// These had to be gone by then, and too few removals of unknown outcome can have done it.
    Left { left: Vec<usize> },
}

/// Whether there is an order.
pub(crate) fn found(all: &Elements<'_>) -> Found {
    let left: Vec<usize> = (0..all.elements.len()).filter(|i| all.elements[*i].take.is_none()).collect();
    let told = |wrong: Option<Wrong>| wrong.map_or(Found::Order, Found::Wrong);
    let (Some(&first), false) = (all.open.first(), left.is_empty()) else {
        return told(certain(&all.elements, all));
    };
    let mut gone = all.elements.clone();
    for &i in &left {
        gone[i].take_from = first;
    }
    if let Some(wrong) = certain(&gone, all) {
        return Found::Wrong(wrong);
    }
    let mut deadlines = deadlines(all, &left);
    let mut taken = match in_turn(all, &deadlines) {
        Ok(taken) => taken,
        Err(wrong) => return Found::Wrong(wrong),
    };
    for _ in 0..ATTEMPTS_MAX {
        if certain(&taken, all).is_none() {
            return Found::Order;
        }
        if !Heaps::of(&taken).hurry(&taken, &mut deadlines) {
            break;
        }
        match in_turn(all, &deadlines) {
            Ok(hurried) => taken = hurried,
            Err(_) => break,
        }
    }
    Found::Unclear
}

/// How often to look for more values that had better be gone by some time. Each time all that are found are given a
/// deadline, so that mostly once or twice is enough.
const ATTEMPTS_MAX: u32 = 8;

/// Gives the first of the open removals to the values that must be gone first, and so on; if that fails, nothing else
/// works.
fn in_turn<'a>(all: &Elements<'a>, deadlines: &BTreeMap<usize, u64>) -> Result<Vec<Element<'a>>, Wrong> {
    let mut urgent: Vec<(u64, usize)> = deadlines.iter().map(|(element, until)| (*until, *element)).collect();
    urgent.sort_unstable();
    let mut taken = all.elements.clone();
    for (turn, &(until, element)) in urgent.iter().enumerate() {
        match all.open.get(turn).filter(|from| **from < until) {
            Some(&from) => taken[element].take_from = from,
            None => return Err(Wrong::Left { left: urgent[..=turn].iter().map(|(_, element)| *element).collect() }),
        }
    }
    Ok(taken)
}

/// What is wrong if every element is taken when it says.
fn certain(elements: &[Element<'_>], all: &Elements<'_>) -> Option<Wrong> {
    if !all.misses.is_empty() {
        let voids = Voids::of(elements.iter().map(|element| (element.put_until, element.take_from)), &[], &[]);
        let missed = all.misses.iter().enumerate().filter(|(_, miss)| !voids.is_in(miss));
        if let Some((miss, _)) = missed.min_by_key(|(_, miss)| miss.until) {
            return Some(Wrong::NotEmpty { miss });
        }
    }
    Heaps::of(elements).without_bottom().map(|heap| Wrong::NoBottom { heap })
}

/// By when leftovers must be gone, for those that must.
///
/// One that was pushed after the push of another was over, and before that other's pop was asked for, is above it and
/// must go first. One that was in before somebody asked who found nothing must be gone by the answer.
fn deadlines(all: &Elements<'_>, left: &[usize]) -> BTreeMap<usize, u64> {
    let mut below = Below::of(&all.elements);
    let mut misses: Vec<(u64, u64)> = all.misses.iter().map(|miss| (miss.from, miss.until)).collect();
    misses.sort_unstable();
    for i in (1..misses.len()).rev() {
        misses[i - 1].1 = misses[i - 1].1.min(misses[i].1);
    }
    // By the beginning of their pushes, as elements are: what is below can only become more.
    let mut found = BTreeMap::new();
    for &i in left {
        let element = &all.elements[i];
        let popped = below.first_out(element);
        let missed = misses.get(misses.partition_point(|(from, _)| *from < element.put_until)).map(|(_, until)| *until);
        let until = popped.into_iter().chain(missed).min();
        found.extend(until.map(|until| (i, until)));
    }
    found
}

/// Of the values pushed by some time, those whose pop was asked for last, and which of them were out first.
struct Below {
    /// Elements that were taken: (push over, pop asked for, pop over), by the first.
    taken: Vec<(u64, u64, u64)>,
    next: usize,
    /// By rank of when the pop was asked for: of those seen, the first that was over; a tree.
    out: Tree,
    asked: Vec<u64>,
}

impl Below {
    fn of(elements: &[Element<'_>]) -> Below {
        let taken = elements.iter().filter(|element| element.take.is_some() && element.put_until < NEVER);
        let mut taken: Vec<_> =
            taken.map(|element| (element.put_until, element.take_from, element.take_until)).collect();
        taken.sort_unstable();
        let mut asked: Vec<u64> = taken.iter().map(|(_, asked, _)| *asked).collect();
        asked.sort_unstable();
        Below { out: Tree::of(&vec![NEVER; asked.len()]), taken, next: 0, asked }
    }

    /// The first end of a pop of anything that was certainly below `element` and asked for after it was in.
    fn first_out(&mut self, element: &Element<'_>) -> Option<u64> {
        while let Some((_, asked, out)) = self.taken.get(self.next).filter(|(over, ..)| *over < element.put_from) {
            self.out.set(self.asked.partition_point(|other| other < asked), *out);
            self.next += 1;
        }
        let from = self.asked.partition_point(|asked| *asked < element.put_until);
        Some(self.out.least(from, self.asked.len())).filter(|out| *out < NEVER)
    }
}

/// The argument for a record that is wrong.
pub(crate) fn explain<O: Container>(
    part: &Part<'_, O>,
    all: &Elements<'_>,
    wrong: Wrong,
    budget: &Budget<'_>,
) -> Witness {
    let units = match &wrong {
        Wrong::NoBottom { heap } => heap.clone(),
        Wrong::NotEmpty { miss } => {
            let elements = all.units().into_iter().filter(|unit| *unit < all.elements.len());
            [all.elements.len() + miss].into_iter().chain(elements).collect()
        }
        Wrong::Left { left: _ } => all.units(),
    };
    let least = least(&units, budget, |units| Some(matches!(found(&all.some(units)), Found::Wrong(_))));
    let all = all.some(&least.units);
    match found(&all) {
        Found::Wrong(Wrong::NotEmpty { .. }) => inside(part, &all),
        Found::Wrong(Wrong::Left { left }) => too_many(part, &all, &left),
        Found::Wrong(Wrong::NoBottom { .. }) | Found::Order | Found::Unclear => no_bottom(part, &all),
    }
}

fn no_bottom<O: Container>(part: &Part<'_, O>, all: &Elements<'_>) -> Witness {
    let elements = &all.elements;
    let mut named: Vec<usize> = elements.iter().flat_map(|element| [element.put, element.take]).flatten().collect();
    let over = |call: &usize| part.calls[*call].source.completed.map(|mark| mark.index);
    let last = named.iter().filter_map(over).max();
    let has_left = elements.iter().any(|element| element.take.is_none());
    let open = if has_left { open_calls(part, last) } else { Vec::new() };
    named.extend(&open);
    named.sort_unstable();
    let at = |call: Option<usize>| {
        call.and_then(|call| named.iter().position(|named| *named == call)).unwrap_or_default() + 1
    };
    let values: Vec<String> = elements.iter().map(|element| shown(element.value)).collect();
    let mut because = vec![match &values[..] {
        [a, b] => format!("For a while both {a} and {b} were in the {}, so one of them was below the other.", O::NAME),
        _ => format!(
            "From the first of these to the last, something of {} was always in the {}: so one of them was below \
             the others all the while.",
            values.join(", "),
            O::NAME
        ),
    }];
    for (element, value) in elements.iter().zip(&values).take(OPERATIONS_MAX) {
        let before = elements.iter().find(|other| other.put_until < element.put_from);
        let after = elements.iter().filter(|other| other.take_from > element.take_until);
        let after = after.max_by_key(|other| other.take_from);
        because.push(match (before, after) {
            (Some(before), _) if before.put.is_some() => {
                format!("It was not {value}: ({}) had been over before ({}) began.", at(before.put), at(element.put))
            }
            (Some(before), _) => format!("It was not {value}: {} was there from the beginning.", shown(before.value)),
            (None, Some(after)) if after.take.is_some() => {
                format!("It was not {value}: ({}) was over before ({}) began.", at(element.take), at(after.take))
            }
            (None, Some(after)) => {
                format!("It was not {value}: ({}) took it, and {} stayed.", at(element.take), shown(after.value))
            }
            (None, None) => format!("It was not {value}, which was gone too early."),
        });
    }
    if !open.is_empty() {
        because.push(
            "That is so even if a removal of unknown outcome took what nobody else did, as early as it could."
                .to_owned(),
        );
    }
    let (offender, headline) = blamed(part, elements);
    witness(part, named, offender, "no-bottom", headline, because)
}

/// Whose pop is to blame, and the violation in one line.
fn blamed<O: Container>(part: &Part<'_, O>, elements: &[Element<'_>]) -> (Option<usize>, String) {
    let lies_on = |high: &&Element<'_>, low: &Element<'_>| {
        low.put_until < high.put_from && high.put_until < low.take_from && low.take_until < high.take_from
    };
    let mut few = elements.iter().take(OPERATIONS_MAX);
    let buried = few.find_map(|low| Some((low, low.take?, elements.iter().find(|high| lies_on(high, low))?)));
    if let Some((low, take, high)) = buried {
        let (who, name) = (part.calls[take].source.process, O::NAME);
        let (low, high) = (shown(low.value), shown(high.value));
        return (Some(take), format!("p{who} took {low} from the {name}, though {high} was on top of it"));
    }
    let taken = elements.iter().filter(|element| element.take.is_some());
    let last = taken.max_by_key(|element| element.take_until).and_then(|element| element.take);
    let values = match elements.len() {
        few @ ..=12 => elements[..few].iter().map(|element| shown(element.value)).collect::<Vec<_>>().join(", "),
        many => counted(many as u64, "value"),
    };
    (last, format!("no order of the pushes and pops of {values} explains what was popped"))
}

fn too_many<O: Container>(part: &Part<'_, O>, all: &Elements<'_>, left: &[usize]) -> Witness {
    let others = all.elements.iter().filter(|element| element.take.is_some());
    let takers: Vec<usize> =
        others.clone().filter_map(|element| element.take).chain(all.misses.iter().map(|miss| miss.call)).collect();
    let end = |call: &usize| part.calls[*call].source.completed.map(|mark| mark.index);
    let offender = takers.iter().copied().max_by_key(end);
    let open = open_calls(part, offender.and_then(|call| end(&call)));
    let removals = counted(open.len() as u64, "removal");
    let mut named: Vec<usize> = all.elements.iter().filter_map(|element| element.put).collect();
    named.extend(takers.iter().chain(&open));
    named.sort_unstable();
    let values = counted(left.len() as u64, "value");
    let because = vec![
        format!(
            "{values} that nobody is known to have taken came in on top of what was taken later, or before somebody \
             found nothing: they had to be gone by then."
        ),
        format!("Only {removals} of unknown outcome can have taken any of them, one each."),
    ];
    let headline = format!("too little was popped from the {} for what lay below to be reached", O::NAME);
    witness(part, named, offender, "left-behind", headline, because)
}

/// What is left of the spans, and who of them may be at the bottom.
struct Heaps {
    /// By the beginnings of their spans.
    spans: Vec<Span>,
    /// Every beginning and end, in order: the span, and whether it begins.
    bounds: Vec<(u64, u32)>,
    /// By bound: the number of spans begun up to it and before it.
    begun: Vec<u32>,
    /// By bound: how many spans lie over the place behind it.
    cover: Cover,
    /// By span: when its push was asked for; never once it may be at the bottom.
    pushed: Tree,
    /// By span: before what its pop was over, if it may be at the bottom (as the complement, so that the least is the
    /// last).
    popped: Tree,
    /// By span: the next that is left, itself if it is.
    next: Vec<u32>,
}

struct Span {
    element: usize,
    push_from: u64,
    pop_until: u64,
    /// Its bounds, by number.
    from: u32,
    until: u32,
}

impl Heaps {
    fn of(elements: &[Element<'_>]) -> Heaps {
        let is_span = |(_, element): &(usize, &Element<'_>)| element.put_until < element.take_from;
        let mut listed: Vec<(u64, usize)> =
            elements.iter().enumerate().filter(is_span).map(|(i, element)| (element.put_until, i)).collect();
        listed.sort_unstable();
        let span = |(_, element): (u64, usize)| Span {
            element,
            push_from: elements[element].put_from,
            pop_until: elements[element].take_until,
            from: 0,
            until: 0,
        };
        let mut spans: Vec<Span> = listed.into_iter().map(span).collect();
        let mut bounds: Vec<(u64, u32)> = Vec::with_capacity(2 * spans.len());
        for (number, span) in (0..).zip(&spans) {
            bounds.extend([
                (elements[span.element].put_until, 2 * number),
                (elements[span.element].take_from, 2 * number + 1),
            ]);
        }
        bounds.sort_unstable();
        let (mut begun, mut count) = (Vec::with_capacity(bounds.len() + 1), 0);
        for (at, (_, bound)) in (0..).zip(&bounds) {
            begun.push(count);
            let span = &mut spans[*bound as usize / 2];
            if bound.is_multiple_of(2) {
                span.from = at;
                count += 1;
            } else {
                span.until = at;
            }
        }
        begun.push(count);
        let mut inside = 0;
        let cover = |(_, bound): &(u64, u32)| {
            inside += if bound.is_multiple_of(2) { 1 } else { -1 };
            inside
        };
        Heaps {
            cover: Cover::of(&bounds.iter().map(cover).collect::<Vec<i32>>()),
            pushed: Tree::of(&spans.iter().map(|span| span.push_from).collect::<Vec<u64>>()),
            popped: Tree::of(&vec![NEVER; spans.len()]),
            next: (0..=spans.len() as u32).collect(),
            spans,
            bounds,
            begun,
        }
    }

    /// The elements of a heap without a bottom, if there is one.
    fn without_bottom(mut self) -> Option<Vec<usize>> {
        let mut found = None;
        self.take_apart(|heap, _| {
            found = Some(heap.map(|(_, span)| span.element).collect::<Vec<usize>>());
            Vec::new()
        });
        found.map(|mut heap| {
            heap.sort_unstable();
            heap
        })
    }

    /// Gives deadlines to values that nobody is known to have popped, so that heaps without a bottom would have one;
    /// whether that is enough for all heaps.
    ///
    /// The best that can be at the bottom is the one whose pop was over last. For it to be there, what lies over the
    /// others that hang together with it must be gone by then.
    fn hurry(mut self, taken: &[Element<'_>], deadlines: &mut BTreeMap<usize, u64>) -> bool {
        let elements: Vec<usize> = self.spans.iter().map(|span| span.element).collect();
        self.take_apart(|heap, until| {
            let mut end = 0;
            let mut gone = Vec::new();
            for (number, span) in heap {
                let element = &taken[span.element];
                if end > 0 && element.put_until > end {
                    break;
                }
                match element.take {
                    None if element.take_from > until => gone.push(number),
                    Some(_) | None => end = end.max(element.take_from),
                }
            }
            if end > until {
                return Vec::new();
            }
            for number in &gone {
                let deadline = deadlines.entry(elements[*number]).or_insert(until);
                *deadline = until.min(*deadline);
            }
            gone
        })
    }

    /// Takes away bottom after bottom, till nothing is left. If a heap has none, `missing` is shown its spans by their
    /// beginnings and when the last pop was over of those that may have been there from its beginning; it says which
    /// of them to take away instead. Whether that went to the end: it does not if `missing` knows of none.
    fn take_apart(
        &mut self,
        mut missing: impl FnMut(&mut dyn Iterator<Item = (usize, &Span)>, u64) -> Vec<usize>,
    ) -> bool {
        let mut work = vec![(0, self.bounds.len())];
        while let Some((from, to)) = work.pop() {
            // The first span that is left, and where the heap that it begins ends.
            let first = self.left(self.begun[from] as usize);
            let Some(begin) = self.spans.get(first).map(|span| span.from as usize).filter(|begin| *begin < to) else {
                continue;
            };
            let end = self.cover.first_free(begin).expect("after the last bound nothing is inside");
            let beyond = self.begun[end] as usize;
            match self.bottom(begin, end, first, beyond) {
                Some(bottom) => self.take_away(bottom),
                None => {
                    let until = NEVER - self.popped.least(first, beyond);
                    let gone = missing(&mut self.heap(first, beyond), until);
                    if gone.is_empty() {
                        return false;
                    }
                    gone.into_iter().for_each(|span| self.take_away(span));
                }
            }
            work.extend([(end + 1, to), (begin, end + 1)]);
        }
        true
    }

    /// The first span that is left, from this one on.
    fn left(&mut self, span: usize) -> usize {
        let mut found = span;
        while self.next[found] as usize != found {
            found = self.next[found] as usize;
        }
        let mut at = span;
        while at != found {
            at = std::mem::replace(&mut self.next[at], found as u32) as usize;
        }
        found
    }

    /// Who can be at the bottom of the heap between two bounds, made of what is left of these spans.
    fn bottom(&mut self, begin: usize, end: usize, first: usize, beyond: usize) -> Option<usize> {
        while let Some(span) = self.pushed.below(first, beyond, self.bounds[begin].0) {
            self.pushed.set(span, NEVER);
            self.popped.set(span, NEVER - self.spans[span].pop_until);
        }
        // Not before: at the end of time all that is left is over together.
        self.popped.below(first, beyond, (NEVER - self.bounds[end].0).saturating_add(1))
    }

    fn take_away(&mut self, span: usize) {
        self.pushed.set(span, NEVER);
        self.popped.set(span, NEVER);
        self.next[span] = span as u32 + 1;
        self.cover.lower(self.spans[span].from as usize, self.spans[span].until as usize);
    }

    /// What is left of these spans, by number.
    fn heap(&self, first: usize, beyond: usize) -> impl Iterator<Item = (usize, &Span)> {
        let is_left = move |number: &usize| *number < beyond;
        let after = |number: &usize| {
            let mut next = number + 1;
            while *self.next.get(next)? as usize != next {
                next = self.next[next] as usize;
            }
            Some(next)
        };
        std::iter::successors(Some(first), after).take_while(is_left).map(|number| (number, &self.spans[number]))
    }
}
