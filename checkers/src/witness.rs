//! Why there is no order: the argument in words.
//!
//! A contradiction as the search finds it is "I have tried everything". What a reader wants is the first result that
//! cannot be right, what the object could have held instead, and who was about at that time. So the record is cut
//! shorter and shorter until only its last completion is to blame, and that prefix is searched once more for the states
//! in which the culprit could have met the object.

use history::{Completion, Object, Outcome};
use std::fmt::Display;

use crate::Budget;
use crate::model::{Call, Checked, Part};
use crate::search::{Decision, STATES_MAX, Scope, search};
use crate::text::{instant, shown};
use history::figures::grouped;

/// A violation, told.
pub(crate) struct Words {
    /// One line.
    pub headline: String,
    /// The argument, one line a step.
    pub argument: Vec<String>,
}

/// Explains why `part` has no order. `states` is how many configurations it took to find that out.
pub(crate) fn explain<O: Checked>(part: &Part<'_, O>, start: &O::State, states: u64, budget: &Budget<'_>) -> Words {
    // A shorter record is mostly easier. Where one is not, the argument is less sharp, and still true.
    let grant = states.saturating_mul(4).saturating_add(8 * part.calls.len() as u64 + 10_000);
    let key = part.key.map(|key| format!("key {key}: ")).unwrap_or_default();
    let culprit = culprit(part, start, grant, budget);
    if !culprit.is_first {
        let headline = format!("{key}no order of what happened up to event {} explains every result", culprit.until);
        let why = "It took every order to find that out, and the budget is too small to tell which result is to blame.";
        return Words { argument: vec![format!("{headline}."), why.to_owned()], headline };
    }
    let headline = format!("{key}{} fits nowhere", describe(&part.calls[culprit.call]));
    let mut argument = vec![
        format!("{headline}."),
        format!("What completed before event {} can be ordered; with this, no order is left.", culprit.until),
    ];
    argument.extend(O::reasons(part, culprit.call, culprit.until));
    argument.extend(meetings(part, start, &culprit, grant, budget));
    argument.extend(surroundings(part, &culprit));
    Words { headline, argument }
}

/// An operation, and its result if there is one: `process 3's read() = 1 (events 10 to 14)`.
pub(crate) fn describe<O: Object>(call: &Call<'_, O>) -> String {
    let source = call.source;
    let is_read = !O::FUNCTIONS[O::function(&call.op)].writes;
    let argument = match O::input(&call.op) {
        input if input.is_nil() && is_read => String::new(),
        input => match input.as_pair() {
            Some((from, to)) => format!("{} {}", shown(from), shown(to)),
            None => shown(&input),
        },
    };
    let result = match &call.outcome {
        Outcome::Returned(ret) => match O::completion(&call.op, ret) {
            Completion::Mismatch => " = mismatch".to_owned(),
            Completion::Ok(value) if is_read => format!(" = {}", shown(&value)),
            Completion::Ok(_) => String::new(),
        },
        Outcome::Refused => ", refused".to_owned(),
        Outcome::Unknown => ", outcome unknown".to_owned(),
    };
    format!("process {}'s {}({argument}){result} ({})", source.process, source.f, span(call))
}

fn span<O: Object>(call: &Call<'_, O>) -> String {
    let invoked = call.source.invoked;
    let end = call.source.completed.filter(|_| call.outcome != Outcome::Unknown);
    let events = match end {
        Some(end) => format!("events {} to {}", invoked.index, end.index),
        None => format!("from event {} on", invoked.index),
    };
    // Most logs of other tools have no times.
    match end {
        _ if invoked.time == 0 && end.is_none_or(|end| end.time == 0) => events,
        Some(end) => format!("{events}, {} to {}", instant(invoked.time), instant(end.time)),
        None => format!("{events}, {}", instant(invoked.time)),
    }
}

/// A few of many, in a sentence.
pub(crate) fn listed(all: &[impl Display], shown_max: usize) -> String {
    let shown: Vec<String> = all.iter().take(shown_max).map(ToString::to_string).collect();
    let more = match all.len().saturating_sub(shown_max) {
        0 => String::new(),
        more => format!(" and {} more", grouped(more as u64)),
    };
    format!("{}{more}", shown.join(", "))
}

/// The operation to blame: no order of the record up to its completion explains every result.
struct Culprit {
    call: usize,
    /// The position of its completion.
    until: u64,
    /// Whether the record before that has an order.
    is_first: bool,
}

/// Halves its way to the first completion that has no order. The whole is known to have none.
fn culprit<O: Checked>(part: &Part<'_, O>, start: &O::State, grant: u64, budget: &Budget<'_>) -> Culprit {
    let mut ends: Vec<(u64, usize)> = Vec::new();
    for (number, call) in part.calls.iter().enumerate() {
        if let (Outcome::Returned(_), Some(mark)) = (&call.outcome, call.source.completed) {
            ends.push((mark.index, number));
        }
    }
    ends.sort_unstable();
    // An order exists for the first `good` completions, and for the first `bad` there is none.
    let (mut good, mut bad) = (0, ends.len());
    let mut is_first = true;
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        let scope = Scope { until: ends[middle - 1].0, grant, blamed: None };
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

/// What the culprit could have met; nothing if that is too much to find out.
fn meetings<O: Checked>(
    part: &Part<'_, O>,
    start: &O::State,
    culprit: &Culprit,
    grant: u64,
    budget: &Budget<'_>,
) -> Option<String> {
    let scope = Scope { until: culprit.until, grant, blamed: Some(culprit.call) };
    let found = search(part, start, scope, budget);
    match found.decision {
        Decision::Contradiction => {}
        Decision::Explained | Decision::OutOfStates | Decision::Stopped => return None,
    }
    if found.met.fits {
        return Some("Wherever it fits, the operations around it have no order.".to_owned());
    }
    let more = if found.met.states.len() > STATES_MAX { ", …" } else { "" };
    let unknown_ones = part.calls.iter().any(|call| call.outcome == Outcome::Unknown && is_change(call));
    let or_else = if unknown_ones { ", or what an operation of unknown outcome left there" } else { "" };
    let states: Vec<String> = found.met.states.iter().take(STATES_MAX).map(shown).collect();
    Some(format!("It can only have met {}{more}{or_else}.", states.join(", ")))
}

/// Whether it can have changed anything.
fn is_change<O: Checked>(call: &Call<'_, O>) -> bool {
    match &call.outcome {
        Outcome::Returned(ret) => !O::observes(&call.op, ret),
        Outcome::Refused => false,
        Outcome::Unknown => O::FUNCTIONS[O::function(&call.op)].writes,
    }
}

/// Who was about: what was last known to be done, what overlapped, what may have struck at any time.
fn surroundings<O: Checked>(part: &Part<'_, O>, culprit: &Culprit) -> Vec<String> {
    const SHOWN_MAX: usize = 3;
    let blamed = part.calls[culprit.call].source;
    let end = |call: &Call<O>| call.source.completed.map(|mark| mark.index);
    let mut last_change: Option<&Call<O>> = None;
    let (mut overlapping, mut open) = (Vec::new(), Vec::new());
    for call in &part.calls {
        let starts_in_time = call.source.invoked.index < culprit.until;
        if !starts_in_time || call.source.invoked == blamed.invoked {
            continue;
        }
        match &call.outcome {
            Outcome::Refused => {}
            Outcome::Unknown if is_change(call) => open.push(describe(call)),
            Outcome::Returned(_) if end(call) > Some(blamed.invoked.index) => overlapping.push(describe(call)),
            Outcome::Returned(_) if is_change(call) => {
                last_change = last_change.into_iter().chain([call]).max_by_key(|call| end(call));
            }
            Outcome::Returned(_) | Outcome::Unknown => {}
        }
    }
    // The latest are the likeliest to matter.
    open.reverse();
    let mut lines = Vec::new();
    if let Some(call) = last_change {
        lines.push(format!("The last change known to be done before it: {}.", describe(call)));
    }
    if !overlapping.is_empty() {
        lines.push(format!("Overlapping it: {}.", listed(&overlapping, SHOWN_MAX)));
    }
    if !open.is_empty() {
        lines.push(format!("In effect at any time since, or never: {}.", listed(&open, SHOWN_MAX)));
    }
    lines
}
