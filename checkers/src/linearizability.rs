//! Linearizability (Herlihy and Wing 1990): some order of all operations, each placed between its invocation and its
//! completion, in which every result is what the sequential specification says.
//!
//! Operations that nobody heard of again may take effect once, at any time after their invocation, or never; refused
//! ones never did. Registers whose values tell who wrote them are judged by [`crate::zones`], all else by replaying the
//! order in which operations are said to have taken effect ([`crate::hint`]) if somebody says one, and by
//! [`crate::search`]; here the history is parted by key, the budget is shared out, and the answer is put into words.

use hashbrown::HashMap;
use history::figures::{counted, grouped};
use history::{History, Outcome, Register, Value, Verdict, Witness};
use std::hash::BuildHasherDefault;

use crate::hash::Mixer;
use crate::hint;
use crate::model::{Checked, Part, parts, parts_of};
use crate::search::{Decision, Found, Scope, search};
use crate::zones::{self, Explained, Finding};
use crate::{Budget, Judgement, Model, Question, Unfit};

/// Judges whether `history`, of registers, is linearizable as `model`, whose objects start as `initial` (or as the model's own
/// starting value).
///
/// Keys whose values were made once each are judged by their clusters, in the time it takes to sort them; the others by
/// searching for an order.
///
/// VACUOUS if no operation returned anything, UNKNOWN if the budget was used up before the answer was known.
///
/// # Errors
/// If an operation is none of the model's.
pub fn linearizable(
    history: &History,
    model: Model,
    initial: Option<Value>,
    budget: &Budget<'_>,
) -> Result<Judgement, Unfit> {
    registers(history, &Question { initial, ..Question::of(model) }, budget)
}

/// The same, with a hint if the question has one: what clusters cannot tell it may.
pub(crate) fn registers(history: &History, question: &Question<'_>, budget: &Budget<'_>) -> Result<Judgement, Unfit> {
    let (model, start) = (question.model, question.initial.clone().unwrap_or_default());
    let survey = zones::survey(history, model, &start)?;
    let size = Size { operations: history.len(), keys: model.is_keyed().then_some(survey.keys.len()) };
    if !survey.is_constrained {
        return Ok(size.judgement(0, Conclusion::Vacuous));
    }
    let by = |finding| survey.keys.iter().filter(move |key| key.finding == finding);
    let open: HashMap<Option<&Value>, (), BuildHasherDefault<Mixer>> =
        by(Finding::Open).map(|key| (key.name, ())).collect();
    let of_them = |keys: usize| Size { keys: size.keys.map(|_| keys), ..size };
    let mut methods = Vec::new();
    if open.len() < survey.keys.len() {
        methods.push(of_them(survey.keys.len() - open.len()).method("clusters and zones", None));
    }
    if let Some(key) = survey.keys.iter().position(|key| key.finding == Finding::Contradiction) {
        let Explained { witness, notes } = zones::explain(history, model, survey, key, &start, budget);
        return Ok(Judgement { methods, notes, ..size.judgement(0, Conclusion::Fail(witness)) });
    }
    if open.is_empty() {
        return Ok(Judgement { methods, ..size.judgement(0, Conclusion::Pass) });
    }
    let mut parts = parts_of::<Register>(history, model, |_| true, |key| open.contains_key(&key))?;
    if let Some(order) = question.hint {
        hint::leave_unexplained(&mut parts, &start, order, history.len());
        let explained = open.len() - parts.len();
        if explained > 0 {
            methods.push(of_them(explained).method("the run's own order, replayed", None));
        }
        if parts.is_empty() {
            return Ok(Judgement { methods, ..size.judgement(0, Conclusion::Pass) });
        }
    }
    let (states, conclusion) = decide(&parts, &start, budget);
    methods.push(of_them(parts.len()).method("search", Some(states)));
    Ok(Judgement { methods, ..size.judgement(states, conclusion) })
}

/// Judges by searching for an order, whatever the object.
pub(crate) fn by_search<O: Checked>(
    history: &History,
    model: Model,
    start: &O::State,
    budget: &Budget<'_>,
) -> Result<Judgement, Unfit> {
    let parts = parts::<O>(history, model)?;
    let size = Size { operations: history.len(), keys: model.is_keyed().then_some(parts.len()) };
    if !parts.iter().any(is_constrained) {
        return Ok(size.judgement(0, Conclusion::Vacuous));
    }
    let (states, conclusion) = decide(&parts, start, budget);
    let methods = vec![size.method("search", Some(states))];
    Ok(Judgement { methods, ..size.judgement(states, conclusion) })
}

/// How much there was to judge.
#[derive(Clone, Copy)]
struct Size {
    operations: usize,
    /// `None` if the model has no keys.
    keys: Option<usize>,
}

impl Size {
    fn judgement(self, states: u64, conclusion: Conclusion) -> Judgement {
        let (verdict, detail, witness) = match conclusion {
            Conclusion::Vacuous => (Verdict::Vacuous, format!("none of {} returned anything", self.operations()), None),
            Conclusion::Pass => (Verdict::Pass, self.in_words(), None),
            Conclusion::Unknown(reason) => (Verdict::Unknown, reason, None),
            Conclusion::Fail(witness) => (Verdict::Fail, witness.headline(), Some(witness)),
        };
        let (methods, notes) = (Vec::new(), Vec::new());
        Judgement { verdict, detail, witness, operations: self.operations, states, methods, notes }
    }

    fn operations(self) -> String {
        counted(self.operations as u64, "operation")
    }

    /// `11 469 operations, 50 keys`.
    fn in_words(self) -> String {
        let keys = self.keys.map(|keys| format!(", {}", counted(keys as u64, "key")));
        format!("{}{}", self.operations(), keys.unwrap_or_default())
    }

    /// `search: 1 key, 3 112 configurations`.
    fn method(self, name: &str, states: Option<u64>) -> String {
        let keys = self.keys.map(|keys| counted(keys as u64, "key"));
        let states = states.map(|states| counted(states, "configuration"));
        let figures: Vec<String> = keys.into_iter().chain(states).collect();
        if figures.is_empty() { name.to_owned() } else { format!("{name}: {}", figures.join(", ")) }
    }
}

/// Whether anything that its clients heard could be wrong.
fn is_constrained<O: Checked>(part: &Part<'_, O>) -> bool {
    part.calls.iter().any(|call| matches!(call.outcome, Outcome::Returned(_)))
}

enum Conclusion {
    Pass,
    Vacuous,
    Unknown(String),
    Fail(Witness),
}

/// Judges every key, and says how many configurations that took.
///
/// One bad key decides, and easy keys should not wait for a hard one. So all keys get the same small grant, those
/// undecided then share a larger one, and so on while the budget lasts: what it costs to begin again is a fraction of
/// the last attempt. FAIL outranks UNKNOWN: a key that ran out of states does not keep the others from being judged.
fn decide<O: Checked>(parts: &[Part<'_, O>], start: &O::State, budget: &Budget<'_>) -> (u64, Conclusion) {
    const FIRST_GRANT: u64 = 4096;
    const GROWTH: u64 = 16;
    let mut undecided: Vec<&Part<O>> = parts.iter().collect();
    let mut spent = 0;
    let mut allowance = FIRST_GRANT;
    let mut last_grant = None;
    loop {
        let left = budget.states - spent;
        let grant = match undecided.len() {
            0 => return (spent, Conclusion::Pass),
            1 => left,
            several => allowance.min(left / several as u64),
        };
        let scope = Scope { until: u64::MAX, grant, blamed: None, looks_ahead: true };
        let mut hard: Vec<(&Part<O>, Found<O::State>)> = Vec::new();
        for part in undecided {
            if !(budget.keep_going)() {
                return (spent, Conclusion::Unknown(interrupted(part, None)));
            }
            let found = search(part, start, scope, budget);
            spent += found.states;
            match found.decision {
                Decision::Explained => {}
                Decision::Contradiction => {
                    return (spent, Conclusion::Fail(O::explain(part, start, &found, budget)));
                }
                Decision::Stopped => {
                    let progress = progress(&found);
                    return (spent, Conclusion::Unknown(interrupted(part, Some(&progress))));
                }
                Decision::OutOfStates => hard.push((part, found)),
            }
        }
        if let Some((part, found)) = hard.first()
            && (last_grant >= Some(grant) || hard.len() == 1 && grant >= budget.states - spent)
        {
            return (spent, Conclusion::Unknown(exhausted(part, found, hard.len(), budget)));
        }
        undecided = hard.into_iter().map(|(part, _)| part).collect();
        last_grant = Some(grant);
        allowance = allowance.saturating_mul(GROWTH);
    }
}

fn at_key<O: Checked>(part: &Part<'_, O>) -> String {
    part.key.map(|key| format!(" at key {key}")).unwrap_or_default()
}

fn interrupted<O: Checked>(part: &Part<'_, O>, progress: Option<&str>) -> String {
    let progress = progress.map(|progress| format!(", {progress}")).unwrap_or_default();
    format!("interrupted{}{progress}; a larger budget of time, more keys or fewer clients would help", at_key(part))
}

fn progress<State>(found: &Found<State>) -> String {
    format!(
        "with {} of {} ordered after {}",
        grouped(found.ordered as u64),
        counted(found.completed as u64, "completed operation"),
        counted(found.states, "configuration"),
    )
}

fn exhausted<O: Checked>(part: &Part<'_, O>, found: &Found<O::State>, hard: usize, budget: &Budget<'_>) -> String {
    let others = match hard - 1 {
        0 => String::new(),
        others => format!(" ({} undecided too)", counted(others as u64, "other key")),
    };
    format!(
        "gave up{}, {}{others}; the budget is {}: a larger one, more keys or fewer clients would help",
        at_key(part),
        progress(found),
        counted(budget.states, "configuration"),
    )
}
