//! Monitors: for data of which each value occurs once, whether there is an order can be told without searching for one.
//!
//! Where a history is not of that kind, or a monitor cannot tell, the search decides.

pub(crate) mod container;
pub(crate) mod counter;
pub(crate) mod decree;
pub(crate) mod mutex;
pub(crate) mod numbers;
mod queue;
pub(crate) mod set;
pub(crate) mod set_full;
pub(crate) mod sightings;
mod stack;
mod trees;
mod values;

use history::figures::{counted, grouped};
use history::{History, Outcome, Queue, Stack, Value, Verdict, Witness};

use crate::linearizability::by_search;
use crate::model::{Call, Part, parts};
use crate::search::{Decision, Scope, search};
use crate::{Budget, Judgement, Question, Unfit};
use container::{Container, Elements, NEVER, NoElements};

/// A container whose histories can be judged without a search.
pub(crate) trait Monitored: Container {
    /// What the monitor says of the record: whether it has an order; `None` if only the search can tell.
    fn has_order(all: &Elements<'_>) -> Option<bool>;

    /// Why a record has no order.
    fn witness(part: &Part<'_, Self>, all: &Elements<'_>, budget: &Budget<'_>) -> Option<Witness>;
}

impl Monitored for Queue {
    fn has_order(all: &Elements<'_>) -> Option<bool> {
        Some(queue::wrong(all).is_none())
    }

    fn witness(part: &Part<'_, Queue>, all: &Elements<'_>, budget: &Budget<'_>) -> Option<Witness> {
        queue::wrong(all).map(|wrong| queue::explain(part, all, &wrong, budget))
    }
}

impl Monitored for Stack {
    fn has_order(all: &Elements<'_>) -> Option<bool> {
        match stack::found(all) {
            stack::Found::Order => Some(true),
            stack::Found::Wrong(_) => Some(false),
            stack::Found::Unclear => None,
        }
    }

    fn witness(part: &Part<'_, Stack>, all: &Elements<'_>, budget: &Budget<'_>) -> Option<Witness> {
        match stack::found(all) {
            stack::Found::Wrong(wrong) => Some(stack::explain(part, all, wrong, budget)),
            stack::Found::Order | stack::Found::Unclear => None,
        }
    }
}

/// Judges whether a history of a container is linearizable.
///
/// # Errors
/// If an operation is none of the container's, or it is to begin with anything but a list.
pub(crate) fn judge<O: Monitored>(
    history: &History,
    question: &Question<'_>,
    budget: &Budget<'_>,
) -> Result<Judgement, Unfit> {
    let start = start(question)?;
    let parts = parts::<O>(history, question.model)?;
    let returned = |call: &&Call<'_, O>| matches!(call.outcome, Outcome::Returned(_));
    let searched = |note: Option<String>| {
        let mut judgement = by_search::<O>(history, question.model, &start.iter().cloned().collect(), budget)?;
        judgement.methods.extend(note.is_some().then(|| "search".to_owned()));
        judgement.notes.extend(note);
        Ok(judgement)
    };
    // Containers have no keys: all is one part, if there is anything.
    let Some(part) = parts.first().filter(|part| part.calls.iter().any(|call| returned(&call))) else {
        return searched(None);
    };
    let all = match Elements::of(part, &start, NEVER) {
        Ok(all) => all,
        Err(NoElements::Repeated(value)) => {
            return searched(Some(format!(
                "{value} was added more than once, so an order had to be searched for; values that differ are \
                 judged faster"
            )));
        }
        Err(NoElements::Wrong(odd)) => {
            let method = format!("{} monitor", O::NAME);
            return Ok(judgement(part, &start, method, budget, Some(container::odd(part, &odd))));
        }
    };
    let method = format!("{} monitor, {}", O::NAME, counted(all.elements.len() as u64, "value"));
    match O::has_order(&all) {
        Some(true) => Ok(judgement(part, &start, method, budget, None)),
        Some(false) => Ok(judgement(part, &start, method, budget, O::witness(part, &all, budget))),
        None => searched(Some(format!(
            "which values {} of unknown outcome took had to be searched for",
            counted(all.open.len() as u64, "removal")
        ))),
    }
}

/// What is inside at first.
fn start(question: &Question<'_>) -> Result<Vec<Value>, Unfit> {
    let name = question.model.name();
    if !question.is_complete {
        return Err(Unfit::Question(format!(
            "a {name} is judged by all that happened to it: what the record leaves out may have taken any value"
        )));
    }
    match &question.initial {
        None | Some(Value::Nil) => Ok(Vec::new()),
        Some(Value::List(values)) if !values.contains(&Value::Nil) => Ok(values.to_vec()),
        Some(other) => Err(Unfit::Question(format!(
            "a {name} begins with a list of values, such as [1, 2], none of them nil; not with {}",
            history::figures::shown(other)
        ))),
    }
}

fn judgement<O: Monitored>(
    part: &Part<'_, O>,
    start: &[Value],
    method: String,
    budget: &Budget<'_>,
    witness: Option<Witness>,
) -> Judgement {
    let operations = part.calls.len();
    let (verdict, detail) = match &witness {
        None => (Verdict::Pass, counted(operations as u64, "operation")),
        Some(witness) => (Verdict::Fail, witness.headline()),
    };
    let notes = witness.iter().filter_map(|witness| longest(part, start, witness, budget)).collect();
    Judgement { verdict, detail, witness, operations, states: 0, methods: vec![method], notes }
}

/// How much of the record has an order: up to which completion. Mostly up to the one that is blamed. `None` if there is
/// no time to find out.
fn longest<O: Monitored>(
    part: &Part<'_, O>,
    start: &[Value],
    witness: &Witness,
    budget: &Budget<'_>,
) -> Option<String> {
    /// Configurations for one attempt that the monitor leaves open.
    const GRANT: u64 = 10_000;
    let returned = part.calls.iter().filter(|call| matches!(call.outcome, Outcome::Returned(_)));
    let mut ends: Vec<u64> = returned.filter_map(|call| call.source.completed).map(|mark| mark.index).collect();
    ends.sort_unstable();
    let has_order = |count: usize| {
        if !(budget.keep_going)() {
            return false;
        }
        let until = if count == 0 { 0 } else { ends[count - 1] };
        let monitored = match Elements::of(part, start, until) {
            Ok(all) => O::has_order(&all),
            Err(NoElements::Wrong(_)) => Some(false),
            Err(NoElements::Repeated(_)) => None,
        };
        monitored.unwrap_or_else(|| {
            let scope = Scope { until, grant: GRANT, blamed: None, looks_ahead: true };
            let found = search(part, &start.iter().cloned().collect(), scope, &Budget::states(GRANT));
            matches!(found.decision, Decision::Explained)
        })
    };
    if ends.is_empty() {
        return None;
    }
    let blamed = witness.offender.map(|offender| &witness.operations[offender]);
    let seen = blamed.and_then(|operation| operation.completed).map_or(u64::MAX, |mark| mark.index);
    let guess = ends.partition_point(|end| *end < seen);
    let count = last_good(guess, ends.len(), has_order);
    let (count, all) = (grouped(count as u64), counted(ends.len() as u64, "completed operation"));
    (count != "0" && (budget.keep_going)()).then(|| format!("the first {count} of {all} have an order"))
}

/// The greatest count below `all` that is good, if each less than a good one is; looked for around `guess`.
fn last_good(guess: usize, all: usize, is_good: impl Fn(usize) -> bool) -> usize {
    let (mut good, mut bad) = (0, all);
    let mut step = 1;
    let mut probe = guess.min(all - 1);
    while bad - good > 1 {
        if is_good(probe) {
            good = probe;
            probe = good.saturating_add(step);
        } else {
            bad = probe;
            probe = bad.saturating_sub(step);
        }
        step *= 2;
        if probe <= good || probe >= bad {
            probe = good + (bad - good) / 2;
        }
    }
    good
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_good_is_found_from_any_guess() {
        for all in 1..30 {
            for last in 0..all {
                for guess in 0..=all {
                    assert_eq!(last_good(guess, all, |count| count <= last), last, "of {all}, from {guess}");
                }
            }
        }
    }
}
