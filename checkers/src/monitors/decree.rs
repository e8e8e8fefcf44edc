//! Decrees: the first proposal decides, and everybody who asks is told the decision.
//!
//! A decree changes once, from nothing to its value, so all orders there can be are told by one moment: when it was decided.
//! Let *v* be the value that anybody was told first. There is such a moment if and only if
//!
//! - nobody was told another value, and no proposer was told nothing;
//! - somebody asked for *v* (and was not refused) before anybody was told of it: the moment lies after some such request;
//! - whoever was told that nothing is decided asked before anybody was told of *v*: it lies after all these requests too.
//!
//! It lies before the first who was told of *v* was, and whatever returned *v* comes after it, whatever returned nothing
//! before it. Proposals of unknown outcome bind nobody: they may have come later and found *v*. So one pass over what
//! returned, in the order of its completions, finds the first that fits no moment.

use hashbrown::HashMap;
use history::figures::{counted, shown};
use history::{History, Operation, Outcome, Purpose, Reason, Testimony, Value, Verdict, Witness};
use std::hash::BuildHasherDefault;

use crate::evidence::{Violation, judgement, latest, returned, testimony};
use crate::hash::Mixer;
use crate::{Judgement, Question, Unfit};

/// An operation on one decree.
struct Call<'a> {
    number: usize,
    /// What is proposed; `None` if it only asks.
    value: Option<&'a Value>,
    begun: u64,
    /// When its client was told, and what; nil if nothing is decided.
    told: Option<(u64, &'a Value)>,
    /// Whether it certainly never happened.
    is_refused: bool,
    source: &'a Operation,
}

/// What a history says of one decree.
struct Part<'a> {
    key: &'a Value,
    calls: Vec<Call<'a>>,
}

/// Judges whether every decree was decided once, and everybody told so.
///
/// VACUOUS if nobody was told anything.
///
/// # Errors
/// If an operation is neither `propose` nor `read`, or names no key.
pub(crate) fn decree(history: &History, question: &Question<'_>) -> Result<Judgement, Unfit> {
    let parts = parts(history)?;
    let told = |verdict, detail, witness| Judgement {
        methods: vec!["each decree's one moment looked for".to_owned()],
        ..judgement(history, verdict, detail, witness)
    };
    let size = format!("{}, {}", counted(history.len() as u64, "operation"), counted(parts.len() as u64, "decree"));
    if parts.iter().flat_map(|part| &part.calls).all(|call| call.told.is_none()) {
        return Ok(told(Verdict::Vacuous, format!("{size}; nobody was told anything"), None));
    }
    let start = question.initial.as_ref().filter(|value| !value.is_nil());
    let Some((part, violation)) = parts.iter().find_map(|part| Some((part, part.violation(start, question)?))) else {
        return Ok(told(Verdict::Pass, size, None));
    };
    let detail = violation.headline.clone();
    Ok(told(Verdict::Fail, detail, Some(part.witness(violation))))
}

/// Judges whether what clients were told is decided was still so when everything had healed.
///
/// # Errors
/// If an operation is neither `propose` nor `read`, or names no key.
pub(crate) fn no_lost_decisions(history: &History) -> Result<Judgement, Unfit> {
    let (mut acknowledged, mut lost, mut unread) = (0, 0, 0);
    let mut witness = None;
    for part in &parts(history)? {
        let known = |call: &&Call<'_>| call.told.is_some_and(|(_, value)| !value.is_nil());
        let is_final = |call: &&Call<'_>| call.source.purpose == Purpose::FinalRead;
        let promised: Vec<&Call<'_>> = part.calls.iter().filter(|call| !is_final(call)).filter(known).collect();
        acknowledged += promised.len();
        let last = part.calls.iter().filter(is_final).filter_map(|call| Some((call, call.told?.1)));
        let Some((last, value)) = last.max_by_key(|(call, _)| call.begun) else {
            unread += usize::from(!promised.is_empty());
            continue;
        };
        let is_gone = |call: &&&Call<'_>| call.told.is_some_and(|(at, told)| at < last.begun && told != value);
        let gone: Vec<&&Call<'_>> = promised.iter().filter(is_gone).collect();
        lost += gone.len();
        if let (None, Some(call)) = (&witness, gone.last()) {
            let told = [part.testimony(call), part.testimony(last)].to_vec();
            witness = Some(Witness::new(Some(part.key.clone()), told, Some(1), Reason::Lost { write: 0, lost: 1 }));
        }
    }
    if let Some(Witness { reason: Reason::Lost { lost: all, .. }, .. }) = &mut witness {
        *all = lost as u64;
    }
    witness.iter_mut().for_each(Witness::tell);
    let all = counted(acknowledged as u64, "acknowledged decision");
    let (verdict, detail) = match (acknowledged, lost, unread) {
        (0, _, _) => (Verdict::Vacuous, "nobody was told of a decision".to_owned()),
        (_, 0, 0) => (Verdict::Pass, format!("{all}, all readable after settle")),
        (_, 0, _) => (Verdict::Unknown, format!("{} could not be read after settle", counted(unread as u64, "decree"))),
        (_, _, _) => (Verdict::Fail, format!("{lost} of {all} lost")),
    };
    Ok(judgement(history, verdict, detail, witness))
}

/// Types every operation and parts them by key, keys in order of appearance.
fn parts(history: &History) -> Result<Vec<Part<'_>>, Unfit> {
    let mut part_of: HashMap<&Value, usize, BuildHasherDefault<Mixer>> = HashMap::default();
    let mut parts: Vec<Part<'_>> = Vec::new();
    for (number, source) in history.operations.iter().enumerate() {
        let Some((key, argument)) = source.input.as_pair() else {
            return Err(Unfit::operation(source, "the argument of an operation on decrees is [key, argument]"));
        };
        let value = match &*source.f {
            "propose" => Some(argument).filter(|value| !value.is_nil()),
            "read" | "get" => None,
            _ => return Err(Unfit::operation(source, "a decree knows `propose` and `read`")),
        };
        let told = match (returned(source)?.map(Value::as_pair), source.completed) {
            (Some(Some((same, value))), Some(mark)) if same == key => Some((mark.index, value)),
            (Some(_), Some(_)) => return Err(Unfit::operation(source, "it should have returned [key, decision]")),
            (None, _) | (_, None) => None,
        };
        let at = *part_of.entry(key).or_insert_with(|| {
            parts.push(Part { key, calls: Vec::new() });
            parts.len() - 1
        });
        let (begun, is_refused) = (source.invoked.index, latest(source).is_none());
        parts[at].calls.push(Call { number, value, begun, told, is_refused, source });
    }
    Ok(parts)
}

impl Part<'_> {
    /// The first completion that fits no moment of decision, and why.
    fn violation(&self, start: Option<&Value>, question: &Question<'_>) -> Option<Violation> {
        let mut told: Vec<(&Call<'_>, u64, &Value)> =
            self.calls.iter().filter_map(|call| call.told.map(|(at, value)| (call, at, value))).collect();
        told.sort_by_key(|(call, at, _)| (*at, call.number));
        // Who was told of the decision first, when, and what.
        let mut first: Option<(Option<&Call<'_>>, u64, &Value)> = start.map(|value| (None, 0, value));
        for (call, at, value) in told {
            let wrong = match first {
                _ if value.is_nil() && call.value.is_some() => Some(undecided(call)),
                Some((by, since, _)) if value.is_nil() && (by.is_none() || since < call.begun) => {
                    Some(forgotten(by, call))
                }
                _ if value.is_nil() => None,
                Some((by, _, decided)) if decided != value => Some(decided_twice(by, call, decided, value)),
                Some(_) => None,
                None => {
                    first = Some((Some(call), at, value));
                    let is_proposal = |other: &&Call<'_>| other.value == Some(value);
                    let may_be = |other: &&Call<'_>| !other.is_refused && other.begun <= at;
                    let is_explained = self.calls.iter().filter(is_proposal).any(|other| may_be(&other));
                    let by = self.calls.iter().find(is_proposal);
                    (question.is_complete && !is_explained).then(|| unproposed(call, value, by))
                }
            };
            if wrong.is_some() {
                return wrong;
            }
        }
        None
    }

    fn witness(&self, violation: Violation) -> Witness {
        let Violation { why, headline, because, operations, offender } = violation;
        let named = |number: &usize| self.calls.iter().find(|call| call.number == *number);
        let told = operations.iter().filter_map(named).map(|call| self.testimony(call)).collect();
        let offender = offender.and_then(|number| operations.iter().position(|other| *other == number));
        let reason = Reason::Told { why: why.to_owned(), headline, because };
        Witness::new(Some(self.key.clone()), told, offender, reason)
    }

    /// What an operation says, without its key.
    fn testimony(&self, call: &Call<'_>) -> Testimony {
        Testimony {
            input: call.value.cloned().unwrap_or_default(),
            returned: call.told.map(|(_, value)| value.clone()),
            ..testimony(call.number, call.source)
        }
    }
}

fn undecided(call: &Call<'_>) -> Violation {
    Violation {
        why: "proposed in vain",
        headline: format!("p{} proposed a value and was told that nothing is decided", call.source.process),
        because: vec![
            "Once a proposal has come through, something is decided: it, or what was there before.".to_owned(),
        ],
        operations: vec![call.number],
        offender: Some(call.number),
    }
}

fn forgotten(by: Option<&Call<'_>>, call: &Call<'_>) -> Violation {
    let because = match by {
        Some(_) => "(1) was told a decision before (2) began, and decisions stay.".to_owned(),
        None => "It was decided from the beginning, and decisions stay.".to_owned(),
    };
    Violation {
        why: "decision gone",
        headline: format!("p{} was told that nothing is decided after something was", call.source.process),
        because: vec![because],
        operations: by.map(|by| by.number).into_iter().chain([call.number]).collect(),
        offender: Some(call.number),
    }
}

fn decided_twice(by: Option<&Call<'_>>, call: &Call<'_>, decided: &Value, value: &Value) -> Violation {
    let (decided, value) = (shown(decided), shown(value));
    Violation {
        why: "decided twice",
        headline: format!("{decided} and {value} were both decided"),
        because: vec![match by {
            Some(_) => {
                format!("(1) was told that {decided} is decided, (2) that {value} is; a decree is decided once.")
            }
            None => format!("It was decided from the beginning as {decided}, and a decree is decided once."),
        }],
        operations: by.map(|by| by.number).into_iter().chain([call.number]).collect(),
        offender: Some(call.number),
    }
}

fn unproposed(call: &Call<'_>, value: &Value, by: Option<&Call<'_>>) -> Violation {
    let value = shown(value);
    let why = match by {
        None => format!("Nobody ever proposed {value}."),
        Some(by) if matches!(by.source.outcome, Outcome::Refused) => {
            format!("Nobody had proposed {value} but (1), and that never happened.")
        }
        Some(_) => format!("Nobody had asked for {value} before p{} was told of it.", call.source.process),
    };
    Violation {
        why: "not proposed",
        headline: format!("p{} was told that {value} is decided, which nobody had proposed", call.source.process),
        because: vec![why],
        operations: by.map(|by| by.number).into_iter().filter(|by| *by != call.number).chain([call.number]).collect(),
        offender: Some(call.number),
    }
}
