//! The smallest argument: of a record that has no order, as few operations as still have none.
//!
//! Not every small set without an order is an argument. Take a read of 1 without the write of 1, and of course nothing
//! explains it; but the reader of that "witness" goes and finds the write, and trusts us no more. So we may only take
//! away what cannot have mattered:
//!
//! > **Whatever an operation may have met stays with it.**
//!
//! An operation is of two sides: what it *met* (a read, a compare-and-set) and what it *made* (a write, a
//! compare-and-set). The sides are taken away one by one: a compare-and-set reduced to what it made is a write, to what
//! it met a read. Who met x keeps, of all that made x, everything that may have been in place by then. Left out are
//! only those that were asked for afterwards, and those replaced in any case: over before some other write began that
//! was itself over before the meeting began. That other write is kept instead. If all of them were replaced (a stale
//! read) the last is kept to show it. With appends, to make a part of x is to make x; who was told "not x" may have met
//! anything else.
//!
//! Sets that obey the rule we call *honest*. They make sound arguments: **if an honest part of a record has no order, the
//! record has none.** For suppose that the record has an order, and strike from it all that is not in the part. Whoever
//! is left met the last write before it. If that write was struck, the rule says that a kept one stood between the
//! two; but then it was not the last. So everybody still meets what it met, and the part has an order.
//!
//! The same holds for an honest part of an honest part. So whether a set has an order never changes back as it grows,
//! which makes the search for a smallest one simple: begin with the culprit, put in the others, newest first, until there
//! is no order; the last one put in is needed; forget those after it and begin again with the two. To find the last one
//! takes a few probes by doubling and halving, mostly of a few operations each, however long the record. The result is
//! minimal not only one by one: *no* honest part of it is without an order.

use hashbrown::HashMap;
use history::Outcome;
use std::collections::BTreeSet;
use std::hash::BuildHasherDefault;

use crate::Budget;
use crate::hash::Mixer;
use crate::model::{Call, Deed, Part, Sight, Told};
use crate::search::{Decision, Scope, search};

/// One side of an operation, by its number in the part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// What it left behind.
    Made(usize),
    /// What it met.
    Met(usize),
}

impl Side {
    /// The number of the operation.
    pub fn call(self) -> usize {
        match self {
            Side::Made(call) | Side::Met(call) => call,
        }
    }
}

/// A part of the record that has no order.
pub(crate) struct Minimal {
    pub sides: BTreeSet<Side>,
    /// Whether every attempt to take more away was decided.
    pub is_minimal: bool,
}

/// Reduces `part`, which has no order. `culprit` is the operation that the argument should be about, if it can be; `grant` is how many configurations one attempt may take.
pub(crate) fn minimal<O: Told>(
    part: &Part<'_, O>,
    start: &O::State,
    culprit: Option<usize>,
    grant: u64,
    budget: &Budget<'_>,
) -> Minimal {
    let sides = sides(part);
    let mut reduction = Reduction { rule: Rule::of(part), start, grant, budget, is_sharp: true };
    let grown = reduction.grow(&sides, culprit.map(Side::Met).into_iter().collect());
    let sides = reduction.thin_out(grown, culprit);
    Minimal { sides, is_minimal: reduction.is_sharp }
}

/// The operations of `sides`, each reduced to the sides kept.
pub(crate) fn reduced<'h, O: Told>(part: &Part<'h, O>, sides: &BTreeSet<Side>) -> Part<'h, O> {
    let calls: BTreeSet<usize> = sides.iter().map(|side| side.call()).collect();
    let reduced = |number: usize| {
        let call = &part.calls[number];
        let (made, met) = (sides.contains(&Side::Made(number)), sides.contains(&Side::Met(number)));
        let (op, outcome) = match (made, met, &call.outcome) {
            (true, false, _) => (O::made_only(&call.op), call.outcome.clone()),
            (false, true, Outcome::Returned(ret)) => {
                let (op, ret) = O::met_only(&call.op, ret);
                (op, Outcome::Returned(ret))
            }
            (_, _, outcome) => (call.op.clone(), outcome.clone()),
        };
        Call { op, outcome, number: call.number, source: call.source }
    };
    Part { key: part.key, calls: calls.into_iter().map(reduced).collect() }
}

/// The record as it was at position `until`: what had not completed by then is unknown. But what is known to have changed
/// nothing has never changed anything.
pub(crate) fn prefix<'h, O: Told>(part: &Part<'h, O>, until: u64) -> Part<'h, O> {
    let begun = part.calls.iter().take_while(|call| call.source.invoked.index < until);
    let known = |call: &Call<'h, O>| {
        let outcome = match (&call.outcome, latest(call) <= until) {
            (outcome, true) => outcome.clone(),
            (Outcome::Returned(_) | Outcome::Unknown, false) if deed(call).is_something() => Outcome::Unknown,
            (Outcome::Returned(_) | Outcome::Unknown | Outcome::Refused, false) => Outcome::Refused,
        };
        Call { op: call.op.clone(), outcome, number: call.number, source: call.source }
    };
    Part { key: part.key, calls: begun.map(known).collect() }
}

/// What an operation tells of the state that it met.
pub(crate) fn sight<'a, O: Told>(call: &'a Call<'_, O>) -> Sight<'a, O::State> {
    match &call.outcome {
        Outcome::Returned(ret) => O::sight(&call.op, Some(ret)),
        Outcome::Unknown => O::sight(&call.op, None),
        Outcome::Refused => Sight::Nothing,
    }
}

/// What an operation may have left behind.
pub(crate) fn deed<'a, O: Told>(call: &'a Call<'_, O>) -> Deed<'a, O::State> {
    match &call.outcome {
        Outcome::Returned(ret) => O::deed(&call.op, Some(ret)),
        Outcome::Unknown => O::deed(&call.op, None),
        Outcome::Refused => Deed::Nothing,
    }
}

/// The last position at which an operation can have taken effect.
pub(crate) fn latest<O: Told>(call: &Call<'_, O>) -> u64 {
    match (&call.outcome, call.source.completed) {
        (Outcome::Returned(_), Some(mark)) => mark.index,
        (Outcome::Returned(_) | Outcome::Refused | Outcome::Unknown, _) => u64::MAX,
    }
}

/// All that can make a record contradict itself, newest first. What nobody knows to have happened cannot:
/// it is kept only for the sake of those who may have met it. But a compare-and-set of unknown outcome can, by what it
/// has to meet.
fn sides<O: Told>(part: &Part<'_, O>) -> Vec<Side> {
    let mut sides: Vec<(u64, Side)> = Vec::new();
    for (number, call) in part.calls.iter().enumerate() {
        let age = call.source.invoked.index;
        if sight(call).is_something() {
            sides.push((age, Side::Met(number)));
        }
        if latest(call) < u64::MAX && deed(call).is_something() {
            sides.push((age, Side::Made(number)));
        }
    }
    sides.sort_unstable_by(|a, b| b.cmp(a));
    sides.into_iter().map(|(_, side)| side).collect()
}

/// What must stay with whom.
struct Rule<'a, 'h, O: Told> {
    part: &'a Part<'h, O>,
    /// Every operation that may have left something behind.
    makers: Vec<usize>,
    /// The same by what they left behind.
    makers_of: HashMap<&'a O::State, Vec<usize>, BuildHasherDefault<Mixer>>,
    /// Whether a state can be the work of several.
    is_mixed: bool,
    /// Those that certainly replaced whatever there was, by completion: (completed, of all up to here the one that began
    /// last, and when).
    replacing: Vec<(u64, u64, usize)>,
}

impl<'a, 'h, O: Told> Rule<'a, 'h, O> {
    fn of(part: &'a Part<'h, O>) -> Self {
        let (mut makers, mut makers_of) = (Vec::new(), HashMap::<_, Vec<usize>, _>::default());
        let mut is_mixed = false;
        let mut replacing = Vec::new();
        for (number, call) in part.calls.iter().enumerate() {
            match deed(call) {
                Deed::Nothing => continue,
                Deed::Extends(_) => is_mixed = true,
                Deed::Replaces(state) => {
                    makers_of.entry(state).or_default().push(number);
                    if latest(call) < u64::MAX {
                        replacing.push((latest(call), call.source.invoked.index, number));
                    }
                }
            }
            makers.push(number);
        }
        replacing.sort_unstable();
        for i in 1..replacing.len() {
            let (_, begun, number) = replacing[i - 1];
            if begun > replacing[i].1 {
                (replacing[i].1, replacing[i].2) = (begun, number);
            }
        }
        Rule { part, makers, makers_of, is_mixed, replacing }
    }

    /// Whose deeds must be kept where `seer` is kept for what it met.
    fn needs(&self, seer: usize) -> Vec<usize> {
        let call = &self.part.calls[seer];
        let (begun, ended) = (call.source.invoked.index, latest(call));
        let over_in_time = self.replacing.partition_point(|(completed, ..)| *completed < begun);
        let replacement = over_in_time.checked_sub(1).map(|last| (self.replacing[last].1, self.replacing[last].2));
        let is_replaced =
            |maker: &usize| replacement.is_some_and(|(replaced, _)| latest(&self.part.calls[*maker]) < replaced);
        let candidates = self.candidates(sight(call)).into_iter();
        let in_time = |maker: &usize| *maker != seer && self.part.calls[*maker].source.invoked.index < ended;
        let (mut replaced, mut needed): (Vec<usize>, Vec<usize>) = candidates.filter(in_time).partition(is_replaced);
        if needed.is_empty() && matches!(sight(call), Sight::Is(_)) {
            let last = replaced.iter().copied().max_by_key(|maker| latest(&self.part.calls[*maker]));
            replaced.retain(|maker| Some(*maker) != last);
            needed.extend(last);
        }
        if !replaced.is_empty() {
            needed.extend(replacement.map(|(_, number)| number));
        }
        needed
    }

    /// Whose deeds anybody with this sight can have met, whenever that was.
    fn candidates(&self, sight: Sight<'_, O::State>) -> Vec<usize> {
        let all = |may_be: &dyn Fn(Deed<'_, O::State>) -> bool| {
            self.makers.iter().copied().filter(|maker| may_be(deed(&self.part.calls[*maker]))).collect()
        };
        match sight {
            Sight::Nothing => Vec::new(),
            Sight::Is(met) if !self.is_mixed => self.makers_of.get(met).cloned().unwrap_or_default(),
            Sight::Is(met) => all(&|deed| match deed {
                Deed::Nothing => false,
                Deed::Replaces(made) | Deed::Extends(made) => O::is_part(made, met),
            }),
            Sight::IsNot(missed) => all(&|deed| match deed {
                Deed::Nothing => false,
                Deed::Replaces(made) => self.is_mixed || made != missed,
                Deed::Extends(_) => true,
            }),
        }
    }

    /// The smallest honest set with these.
    fn closed(&self, sides: impl Iterator<Item = Side>) -> BTreeSet<Side> {
        let mut closed = BTreeSet::new();
        for side in sides {
            self.add(&mut closed, side);
        }
        closed
    }

    fn add(&self, closed: &mut BTreeSet<Side>, side: Side) {
        closed.insert(side);
        if let Side::Met(seer) = side {
            closed.extend(self.needs(seer).into_iter().map(Side::Made));
            // What is not known to have happened meets something only if it does something.
            if self.part.calls[seer].outcome == Outcome::Unknown {
                closed.insert(Side::Made(seer));
            }
        }
    }

    /// The largest honest set of `sides` that does without one of them.
    fn without(&self, sides: &BTreeSet<Side>, gone: Side) -> BTreeSet<Side> {
        let stays = |side: &&Side| match (**side, gone) {
            (side, gone) if side == gone => false,
            (Side::Met(seer), Side::Made(maker)) => {
                let is_its_own = seer == maker && self.part.calls[seer].outcome == Outcome::Unknown;
                !is_its_own && !self.needs(seer).contains(&maker)
            }
            (Side::Made(_), _) | (Side::Met(_), Side::Met(_)) => true,
        };
        sides.iter().filter(stays).copied().collect()
    }
}

struct Reduction<'a, 'h, O: Told> {
    rule: Rule<'a, 'h, O>,
    start: &'a O::State,
    grant: u64,
    budget: &'a Budget<'a>,
    /// Whether every probe was decided.
    is_sharp: bool,
}

impl<O: Told> Reduction<'_, '_, O> {
    /// Whether these have no order. Where that is too much to find out they count as if they had one, and more is kept.
    fn has_no_order(&mut self, sides: &BTreeSet<Side>) -> bool {
        if !self.is_sharp {
            return false;
        }
        let part = reduced(self.rule.part, sides);
        let scope = Scope { until: u64::MAX, grant: self.grant, blamed: None, looks_ahead: true };
        let found = search(&part, self.start, scope, self.budget);
        match found.decision {
            Decision::Contradiction => true,
            Decision::Explained => false,
            Decision::OutOfStates | Decision::Stopped => {
                self.is_sharp = false;
                false
            }
        }
    }

    /// From `needed`, one more at a time, to a set without order. All of `sides` together have none.
    fn grow(&mut self, sides: &[Side], mut needed: Vec<Side>) -> BTreeSet<Side> {
        let mut in_question = sides;
        let mut closed = self.rule.closed(needed.iter().copied());
        while !in_question.is_empty() && !self.has_no_order(&closed) {
            let last = self.last_needed(&closed, in_question);
            needed.push(in_question[last]);
            in_question = &in_question[..last];
            // Out of budget: what is left over is kept.
            if !self.is_sharp {
                needed.extend(in_question);
                in_question = &[];
            }
            closed = self.rule.closed(needed.iter().copied());
        }
        closed
    }

    /// How many of `sides` can be added to `closed` before there is no order. All of them are too many.
    fn last_needed(&mut self, closed: &BTreeSet<Side>, sides: &[Side]) -> usize {
        let mut with = |count: usize| {
            let mut more = closed.clone();
            sides[..count].iter().for_each(|side| self.rule.add(&mut more, *side));
            self.has_no_order(&more)
        };
        let (mut good, mut bad) = (0, sides.len());
        let mut width = 1;
        while width < bad {
            if with(width) {
                bad = width;
            } else {
                good = width;
                width *= 2;
            }
        }
        while bad - good > 1 {
            let middle = good + (bad - good) / 2;
            if with(middle) { bad = middle } else { good = middle }
        }
        bad - 1
    }

    /// Takes away what is left over, the culprit last. Growing has kept what each new member needed then, and a later one
    /// may do for two. The culprit is left over if its answer only told that it did *not* change what others met.
    fn thin_out(&mut self, mut sides: BTreeSet<Side>, culprit: Option<usize>) -> BTreeSet<Side> {
        let others = sides.clone().into_iter().filter(|side| Some(*side) != culprit.map(Side::Met));
        for side in others.chain(culprit.map(Side::Met)) {
            // Nothing could be taken away any more, and of many it would take long to find that out.
            if !self.is_sharp {
                break;
            }
            let fewer = self.rule.without(&sides, side);
            if sides.contains(&side) && self.has_no_order(&fewer) {
                sides = fewer;
            }
        }
        sides
    }
}
