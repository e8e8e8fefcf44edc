//! Why there is no order: the few operations that contradict each other, and what the contradiction is.
//!
//! A contradiction as the search finds it is "I have tried everything". What a reader wants is the first result that
//! cannot be right and who is at odds with it. So the record is cut shorter and shorter until only its last completion is
//! to blame, that prefix is reduced to a minimal one ([`crate::minimal`]), and what is left is small enough to be
//! recognized: a value that was replaced, or never written, or there once and taken twice.

use history::{Completion, Ended, Object, Outcome, Part as Role, Reason, Testimony, Value, Witness};
use std::collections::BTreeSet;

use crate::Budget;
use crate::minimal::{Side, deed, latest, minimal, prefix, reduced, sight};
use crate::model::{Call, Checked, Deed, Part, Sight, Told};
use crate::search::{Decision, Found, STATES_MAX, Scope, search};

/// Explains why `part` has no order, which is what `found` found.
pub(crate) fn explain<O: Told>(
    part: &Part<'_, O>,
    start: &O::State,
    found: &Found<O::State>,
    budget: &Budget<'_>,
) -> Witness {
    // A shorter record is mostly easier. Where one is not, the argument is less sharp, and still true.
    let grant = found.states.saturating_mul(4).saturating_add(8 * part.calls.len() as u64 + 10_000);
    let short_sighted = Scope { until: u64::MAX, grant: found.states + 10_000, blamed: None, looks_ahead: false };
    let stuck = search(part, start, short_sighted, budget).stuck.max(found.stuck);
    let culprit = culprit(part, start, stuck, grant, budget);
    let blamed = culprit.is_first.then_some(culprit.call);
    let record = prefix(part, culprit.until);
    let least = minimal(&record, start, blamed, grant, budget);
    let met = |side: &Side| if let Side::Met(call) = side { Some(*call) } else { None };
    let seers = least.sides.iter().filter_map(met).filter(|seer| latest(&record.calls[*seer]) < u64::MAX);
    let offender = seers.max_by_key(|seer| latest(&record.calls[*seer]));
    let is_readable = least.sides.len() <= OPERATIONS_MAX;
    let Some(offender) = offender.filter(|_| is_readable) else {
        let key = part.key.cloned();
        let reason = Reason::Undivided { until: culprit.until };
        return Witness { is_minimal: false, ..Witness::new(key, Vec::new(), None, reason) };
    };
    let case = Case { whole: part, part: &record, start, sides: &least.sides, offender };
    Witness { is_minimal: least.is_minimal, ..case.witness(grant, budget) }
}

/// More operations than that are no argument. A minimal one has four or five; one that there was no budget to reduce can
/// have any number.
const OPERATIONS_MAX: usize = 40;

/// The operation to blame: no order of the record up to its completion explains every result.
pub(crate) struct Culprit {
    call: usize,
    /// The position of its completion.
    pub until: u64,
    /// Whether the record before that has an order.
    is_first: bool,
}

/// Finds the first completion up to which there is no order. The whole is known to have none, and what completed before
/// `stuck` to have one; mostly it is right there.
pub(crate) fn culprit<O: Checked>(
    part: &Part<'_, O>,
    start: &O::State,
    stuck: u64,
    grant: u64,
    budget: &Budget<'_>,
) -> Culprit {
    let mut ends: Vec<(u64, usize)> = Vec::new();
    for (number, call) in part.calls.iter().enumerate() {
        if let (Outcome::Returned(_), Some(mark)) = (&call.outcome, call.source.completed) {
            ends.push((mark.index, number));
        }
    }
    ends.sort_unstable();
    // An order exists for the first `good` completions, and for the first `bad` there is none.
    let (mut good, mut bad) = (ends.partition_point(|(end, _)| *end < stuck), ends.len());
    let mut is_first = true;
    let mut width = 1;
    while bad - good > 1 {
        let middle = good + width.min((bad - good) / 2);
        let scope = Scope { until: ends[middle - 1].0, grant, blamed: None, looks_ahead: true };
        width *= 2;
        match search(part, start, scope, budget).decision {
            Decision::Contradiction => bad = middle,
            Decision::Explained => good = middle,
            Decision::OutOfStates | Decision::Stopped => {
                good = middle;
                is_first = false;
            }
        }
    }
    let (until, call) = ends[bad - 1];
    Culprit { call, until, is_first }
}

/// A part of a record without an order, about to be understood.
struct Case<'a, 'h, O: Told> {
    /// Everything, as it came out in the end.
    whole: &'a Part<'h, O>,
    /// What was known when the offender had its answer.
    part: &'a Part<'h, O>,
    start: &'a O::State,
    sides: &'a BTreeSet<Side>,
    /// By number in the part.
    offender: usize,
}

/// Why the value that the offender met cannot have been there, though the history knows it.
enum Outside {
    /// It was asked for later.
    Later(usize),
    /// Whoever asked for it was refused, or found something else.
    InVain(usize),
    /// Nobody asked for it.
    Nowhere,
}

impl<O: Told> Case<'_, '_, O> {
    fn witness(&self, grant: u64, budget: &Budget<'_>) -> Witness {
        let met = self.met(self.offender);
        let outside = met.and_then(|met| self.outside(met));
        let shown = match outside {
            Some(Outside::Later(call) | Outside::InVain(call)) => Some(call),
            Some(Outside::Nowhere) | None => None,
        };
        let (earlier, later) = match shown {
            Some(call) if self.whole.calls[call].source.invoked.index > self.over(self.offender) => (None, shown),
            Some(_) | None => (shown, None),
        };
        let others = self.sides.iter().map(|side| side.call()).chain(earlier).filter(|call| *call != self.offender);
        let others: BTreeSet<usize> = others.collect();
        let named: Vec<usize> = others.into_iter().chain([self.offender]).chain(later).collect();
        let at = |call: usize| named.iter().position(|other| *other == call).expect("a reason is about those named");
        let reason = match (met.map(value::<O>), outside) {
            (Some(value), Some(Outside::Later(call))) => Reason::NotYetWritten { value, by: at(call) },
            (Some(value), Some(Outside::InVain(call))) => Reason::NeverHappened { value, by: at(call) },
            (Some(value), Some(Outside::Nowhere)) => Reason::NobodyWrote { value },
            (_, None) | (None, Some(_)) => {
                let known = met.and_then(|met| match self.is_mixed() {
                    true => self.lacking(met, &at),
                    false => self.replaced(met, &at).or_else(|| self.met_twice(met, &at)),
                });
                known.unwrap_or_else(|| self.meetings(grant, budget))
            }
        };
        let told = named.iter().map(|call| testimony(&self.whole.calls[*call], self.role(*call)));
        Witness::new(self.part.key.cloned(), told.collect(), Some(at(self.offender)), reason)
    }

    fn role(&self, call: usize) -> Role {
        match (self.sides.contains(&Side::Made(call)), self.sides.contains(&Side::Met(call))) {
            (true, true) => Role::Both,
            (true, false) => Role::Wrote,
            (false, true) => Role::Met,
            (false, false) => Role::Shown,
        }
    }

    /// What an operation met, if it must have been one state.
    fn met(&self, call: usize) -> Option<&O::State> {
        match sight(&self.part.calls[call]) {
            Sight::Is(state) if self.sides.contains(&Side::Met(call)) => Some(state),
            Sight::Is(_) | Sight::IsNot(_) | Sight::Nothing => None,
        }
    }

    /// Those kept that met `state`.
    fn seers(&self, state: &O::State) -> impl Iterator<Item = usize> {
        let seers = self.sides.iter().filter_map(|side| if let Side::Met(call) = side { Some(*call) } else { None });
        seers.filter(move |seer| self.met(*seer) == Some(state))
    }

    /// Those kept that made `state`, as a whole.
    fn makers(&self, state: &O::State) -> impl Iterator<Item = usize> {
        let makers = self.sides.iter().filter_map(|side| if let Side::Made(call) = side { Some(*call) } else { None });
        makers.filter(move |maker| deed(&self.part.calls[*maker]) == Deed::Replaces(state))
    }

    /// Whether states are put together of pieces, so that nobody makes one alone.
    fn is_mixed(&self) -> bool {
        self.part.calls.iter().any(|call| matches!(deed(call), Deed::Extends(_)))
    }

    fn begun(&self, call: usize) -> u64 {
        self.part.calls[call].source.invoked.index
    }

    fn over(&self, call: usize) -> u64 {
        latest(&self.part.calls[call])
    }

    /// If nobody can have made `met` by the time the offender met it: who else asked for it.
    fn outside(&self, met: &O::State) -> Option<Outside> {
        let is_maker = |maker: usize| maker != self.offender && self.begun(maker) < self.over(self.offender);
        if met == self.start || self.is_mixed() || self.makers(met).any(is_maker) {
            return None;
        }
        let calls = || self.whole.calls.iter().enumerate().filter(|(number, _)| *number != self.offender);
        let later = calls().find(|(_, call)| deed(call) == Deed::Replaces(met));
        let in_vain = calls().rev().find(|(_, call)| O::deed(&call.op, None) == Deed::Replaces(met));
        Some(match (later, in_vain) {
            (Some((later, _)), _) => Outside::Later(later),
            (None, Some((in_vain, _))) => Outside::InVain(in_vain),
            (None, None) => Outside::Nowhere,
        })
    }

    /// `state` has certainly been put in place before this position, for the last time.
    fn in_place(&self, state: &O::State) -> Option<u64> {
        let mut makers = self.makers(state).filter(|maker| *maker != self.offender);
        match (makers.next(), makers.next()) {
            (None, _) => (state == self.start).then_some(0),
            (Some(only), None) if state != self.start => {
                self.seers(state).chain([only]).map(|call| self.over(call).saturating_add(1)).min()
            }
            (Some(first), second) => {
                second.into_iter().chain(makers).chain([first]).map(|maker| self.over(maker).saturating_add(1)).max()
            }
        }
    }

    /// If `met` was replaced before the offender began: by whom, and how one knows.
    fn replaced(&self, met: &O::State, at: &impl Fn(usize) -> usize) -> Option<Reason> {
        let in_place = self.in_place(met)?;
        let is_in_time = |call: &usize| self.over(*call) < self.begun(self.offender);
        let reason = |with: &O::State, by: usize, seen: Option<usize>| Reason::Replaced {
            value: value::<O>(met),
            with: value::<O>(with),
            by: at(by),
            seen: seen.map(at),
        };
        for side in self.sides {
            let seen = match side {
                Side::Made(by) => {
                    if let Deed::Replaces(with) = deed(&self.part.calls[*by])
                        && with != met
                        && is_in_time(by)
                        && self.begun(*by) >= in_place
                    {
                        return Some(reason(with, *by, None));
                    }
                    continue;
                }
                Side::Met(seen) => *seen,
            };
            let Some(with) = self.met(seen).filter(|with| *with != met && *with != self.start) else { continue };
            let makers: Vec<usize> = self.makers(with).collect();
            let is_newer = self.begun(seen) >= in_place || makers.iter().all(|maker| self.begun(*maker) >= in_place);
            if is_in_time(&seen) && is_newer {
                return makers.first().map(|by| reason(with, *by, Some(seen)));
            }
        }
        None
    }

    /// If `met` lacks a part that had been put there before the offender began, and that nobody can have removed.
    fn lacking(&self, met: &O::State, at: &impl Fn(usize) -> usize) -> Option<Reason> {
        let makers =
            || self.sides.iter().filter_map(|side| if let Side::Made(call) = side { Some(*call) } else { None });
        let may_remove = |by: usize| {
            let is_over = |other: usize| self.over(other) < self.begun(by);
            makers().any(|other| matches!(deed(&self.part.calls[other]), Deed::Replaces(_)) && !is_over(other))
        };
        let lacking = makers().find_map(|by| match deed(&self.part.calls[by]) {
            Deed::Extends(part) if self.over(by) < self.begun(self.offender) && !O::is_part(part, met) => {
                Some((part, by))
            }
            Deed::Extends(_) | Deed::Replaces(_) | Deed::Nothing => None,
        });
        let (part, by) = lacking.filter(|(_, by)| !may_remove(*by))?;
        Some(Reason::Lacks { part: value::<O>(part), by: at(by) })
    }

    /// If somebody else took away the one `met` that the offender took.
    fn met_twice(&self, met: &O::State, at: &impl Fn(usize) -> usize) -> Option<Reason> {
        let takes = |call: usize| deed(&self.part.calls[call]).is_something() && self.over(call) < u64::MAX;
        let replaces = |call: &usize| deed(&self.part.calls[*call]) != Deed::Replaces(met);
        let was_there = self.makers(met).count() + usize::from(met == self.start);
        let mut others = self.seers(met).filter(|call| *call != self.offender && takes(*call)).filter(replaces);
        let other = others.next().filter(|_| was_there == 1 && takes(self.offender))?;
        Some(Reason::MetTwice { value: value::<O>(met), by: at(other) })
    }

    /// What the offender could have met.
    fn meetings(&self, grant: u64, budget: &Budget<'_>) -> Reason {
        let part = reduced(self.part, self.sides);
        let offender = self.part.calls[self.offender].source.invoked;
        let blamed = part.calls.iter().position(|call| call.source.invoked == offender);
        let found = search(&part, self.start, Scope { until: u64::MAX, grant, blamed, looks_ahead: true }, budget);
        match found.decision {
            Decision::Contradiction if !found.met.fits && !found.met.states.is_empty() => {
                let values = found.met.states.iter().take(STATES_MAX).map(value::<O>).collect();
                Reason::OnlyMet { values, has_more: found.met.states.len() > STATES_MAX }
            }
            Decision::Contradiction | Decision::Explained | Decision::OutOfStates | Decision::Stopped => {
                Reason::Entangled
            }
        }
    }
}

fn value<O: Told>(state: &O::State) -> Value {
    state.clone().into()
}

/// An operation as a witness tells it.
pub(crate) fn testimony<O: Object>(call: &Call<'_, O>, part: Role) -> Testimony {
    let source = call.source;
    let is_read = !O::FUNCTIONS[O::function(&call.op)].writes;
    let (ended, returned) = match &call.outcome {
        Outcome::Returned(ret) => match O::completion(&call.op, ret) {
            Completion::Ok(value) => (Ended::Ok, is_read.then_some(value)),
            Completion::Mismatch => (Ended::Mismatch, None),
        },
        Outcome::Refused => (Ended::Fail, None),
        Outcome::Unknown => (Ended::Info, None),
    };
    Testimony {
        index: call.number,
        client: format!("p{}", source.process),
        process: source.process,
        f: source.f.clone().into_owned(),
        input: O::input(&call.op),
        ended,
        returned,
        invoked: source.invoked,
        completed: source.completed.filter(|_| ended != Ended::Info),
        part,
        server: source.node.as_deref().map(|node| history::Server {
            node: node.to_owned(),
            role: None,
            superseded: None,
        }),
    }
}
