//! An order in which operations are said to have taken effect, put to the test.
//!
//! Whoever ran a system may know in which order it applied what it was asked. If that order explains every result, there is
//! one, and nobody need search for another. It is never believed: every operation is applied again, between its
//! invocation and its completion, and has to return what its client heard.
//!
//! Reads often leave no mark on a system, so the order may leave them out. Then each is placed where it fits: the writes
//! take effect as late as they can, and a read sees the first state that agrees with it. That loses nothing, for whoever
//! waits sees every state that comes by.

use history::Outcome;

use crate::model::{Call, Checked, Part};

/// Leaves of `parts` those of which not every result is explained by taking their operations in `order` (by their numbers
/// in the history, which holds so many). Operations of unknown outcome that it leaves out never happened; what it says
/// of operations that are in no part does not matter.
pub(crate) fn leave_unexplained<O: Checked>(
    parts: &mut Vec<Part<'_, O>>,
    start: &O::State,
    order: &[usize],
    operations: usize,
) {
    let mut home = vec![None; operations];
    for (at, part) in parts.iter().enumerate() {
        for (number, call) in part.calls.iter().enumerate() {
            home[call.number] = Some((at, number));
        }
    }
    let mut orders = vec![Vec::new(); parts.len()];
    for (part, call) in order.iter().filter_map(|number| *home.get(*number)?) {
        orders[part].push(call);
    }
    let mut orders = orders.iter();
    parts.retain(|part| {
        let order = orders.next().expect("there is one for each");
        !Replay::new(part, start, order).is_some_and(Replay::succeeds)
    });
}

/// The claimed order of one part, being replayed along the record.
struct Replay<'a, 'h, O: Checked> {
    part: &'a Part<'h, O>,
    state: O::State,
    order: &'a [usize],
    /// Of each call, its place in the order.
    places: Vec<Option<usize>>,
    /// How many of the order have taken effect.
    applied: usize,
    /// Observations without a place that have not seen yet what they have to.
    waiting: Vec<usize>,
}

impl<'a, 'h, O: Checked> Replay<'a, 'h, O> {
    /// `None` if the order names a call twice, or one that never happened.
    fn new(part: &'a Part<'h, O>, start: &O::State, order: &'a [usize]) -> Option<Self> {
        let mut places = vec![None; part.calls.len()];
        for (place, call) in order.iter().enumerate() {
            if places[*call].replace(place).is_some() || part.calls[*call].outcome == Outcome::Refused {
                return None;
            }
        }
        Some(Replay { part, state: start.clone(), order, places, applied: 0, waiting: Vec::new() })
    }

    fn succeeds(mut self) -> bool {
        let calls = &self.part.calls;
        let mut completions: Vec<(u64, usize)> = Vec::new();
        for (number, call) in calls.iter().enumerate() {
            if let (Outcome::Returned(_), Some(mark)) = (&call.outcome, call.source.completed) {
                completions.push((mark.index, number));
            }
        }
        completions.sort_unstable();
        let mut begun = 0;
        for (now, over) in completions {
            while calls.get(begun).is_some_and(|call| call.source.invoked.index < now) {
                if self.places[begun].is_none() && !self.fits(begun) {
                    self.waiting.push(begun);
                }
                begun += 1;
            }
            if !self.is_over(over, begun) {
                return false;
            }
        }
        true
    }

    /// Lets take effect what has to before the completion of `over`; of all calls, `begun` have been invoked.
    fn is_over(&mut self, over: usize, begun: usize) -> bool {
        while self.places[over].map_or(self.waiting.contains(&over), |place| self.applied <= place) {
            let Some(next) = self.order.get(self.applied).filter(|next| **next < begun) else { return false };
            let call = &self.part.calls[*next];
            let ret = O::apply(&mut self.state, &call.op);
            let is_right = match &call.outcome {
                Outcome::Returned(heard) => ret == *heard,
                Outcome::Unknown | Outcome::Refused => true,
            };
            if !is_right {
                return false;
            }
            self.applied += 1;
            let waiting = std::mem::take(&mut self.waiting);
            self.waiting = waiting.into_iter().filter(|call| !self.fits(*call)).collect();
        }
        true
    }

    /// Whether a call without a place has no need of one: it may have observed the present state, or nobody knows that it
    /// happened.
    fn fits(&self, call: usize) -> bool {
        let Call { op, outcome, .. } = &self.part.calls[call];
        match outcome {
            Outcome::Returned(ret) => O::observes(op, ret) && O::apply(&mut self.state.clone(), op) == *ret,
            Outcome::Unknown | Outcome::Refused => true,
        }
    }
}
