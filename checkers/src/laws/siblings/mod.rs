//! Siblings and carts: what a store that keeps concurrent versions side by side owes its clients.
//!
//! Every write says which values it replaces: those that its client was last told of. So *covered* is a matter of record: a
//! value is covered by whatever replaced it, and by what replaced that, and by a delete of any of these. A store may stop
//! showing a value once something covers it, and for no other reason.
//!
//! - *No lost writes*: a write that was acknowledged before the final read of its key began is in what that returned, or
//!   covered by it, or somebody may have deleted it.
//! - *No resurrected deletes*: nothing that an acknowledged delete covered is in the final read. Only final reads are held to
//!   this: before everything has healed, a node that has not heard of the delete may show what it knows. A value of which
//!   some write was still under way when the delete was asked for may come back: a part of that write may have come after it.
//! - *Read your writes*, *monotonic reads*: the same of what the process itself wrote, deleted or read before.
//! - *Staleness*: which acknowledged writes a read misses, and since when.
//!
//! A *cart* is a whole version to its store, and a set of items to its clients, who merge what they see. So of carts all this is
//! said of items: an `add` covers nothing, a `remove` deletes its item. Removed items may come back, out of a sibling that
//! still had them (DeCandia et al., Dynamo, SOSP 2007, section 4.4); that is counted and no violation.
//!
//! Whatever may have happened may explain why a value is not there: deletes of unknown outcome, writes of unknown outcome that
//! were seen. A write of unknown outcome that nobody saw explains nothing: were it there, it would show.

mod account;
mod sessions;

use account::{Act, Deed, Key, Past, keys};
use history::figures::{counted, grouped};
use history::{History, Value, Verdict, Witness};

use crate::evidence::{Violation, judgement};
use crate::ladder::Staleness;
use crate::{Consistency, Judgement, Model, Rung, Unfit};

/// How many siblings reads returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiblingCount {
    /// Reads that returned.
    pub reads: u64,
    /// The most that one of them returned.
    pub most: u64,
    /// Of which key.
    pub key: Value,
}

/// The most siblings that a read of `history`, of siblings or carts, returned; `None` if none returned anything.
pub fn most_siblings(history: &History) -> Option<SiblingCount> {
    account::most(history).map(|(reads, most, key)| SiblingCount { reads, most, key: key.clone() })
}

/// Judges whether what acknowledged deletes took away has stayed away.
///
/// VACUOUS if no delete that was acknowledged took anything away; UNKNOWN if a key of such was not read after it by a
/// [`history::Purpose::FinalRead`].
///
/// # Errors
/// If an operation is none of siblings.
pub fn no_resurrected_deletes(history: &History) -> Result<Judgement, Unfit> {
    let keys = keys(history, Model::Siblings)?;
    Ok(nowhere(history, &keys).unwrap_or_else(|| resurrected(history, &keys)))
}

/// All that is demanded of a history of siblings or carts.
pub(crate) fn siblings(history: &History, model: Model) -> Result<Judgement, Unfit> {
    let keys = keys(history, model)?;
    if let Some(found) = nowhere(history, &keys) {
        return Ok(found);
    }
    let lost = lost(history, &keys, model);
    let again = resurrected(history, &keys);
    let is_worse = model == Model::Siblings && again.verdict == Verdict::Fail && lost.verdict != Verdict::Fail;
    Ok(if is_worse { again } else { lost })
}

/// See [`crate::no_lost_writes`].
pub(crate) fn no_lost_versions(history: &History, model: Model) -> Result<Judgement, Unfit> {
    let keys = keys(history, model)?;
    Ok(nowhere(history, &keys).unwrap_or_else(|| lost(history, &keys, model)))
}

/// Judges by a session guarantee.
pub(crate) fn session(history: &History, model: Model, level: Consistency) -> Result<Judgement, Unfit> {
    let keys = keys(history, model)?;
    Ok(nowhere(history, &keys).unwrap_or_else(|| sessions::judge(history, &keys, model, level)))
}

/// Every law and measure in one table.
pub(crate) fn table(history: &History, model: Model) -> Result<Vec<Rung>, Unfit> {
    let rung = |name, Judgement { verdict, detail, witness, .. }| Rung { name, verdict, detail, witness };
    let mut rungs = vec![rung("no lost writes", no_lost_versions(history, model)?)];
    if model == Model::Siblings {
        rungs.push(rung("no resurrected deletes", no_resurrected_deletes(history)?));
    }
    for level in [Consistency::ReadYourWrites, Consistency::MonotonicReads] {
        rungs.push(rung(level.name(), session(history, model, level)?));
    }
    rungs.push(staleness(history, model)?.rung());
    Ok(rungs)
}

/// Measures how stale reads are: which acknowledged writes they miss, and since when those were done.
pub(crate) fn staleness(history: &History, model: Model) -> Result<Staleness, Unfit> {
    let (mut reads, mut nanos, mut versions) = (0, Vec::new(), Vec::new());
    let mut past = Past::default();
    for key in &keys(history, model)? {
        for deed in &key.deeds {
            let Some((values, told)) = deed.read() else { continue };
            reads += 1;
            key.past_of(values, &mut past);
            let is_missed = |(write, value): &(&Deed<'_>, u32)| {
                write.is_done_before(deed.began()) && !key.is_accounted_for(*value, &past, told)
            };
            let missed = || writes(key).filter(is_missed).filter_map(|(write, _)| write.source.completed);
            if let Some(since) = missed().map(|done| done.time).min() {
                nanos.push(deed.source.invoked.time.saturating_sub(since));
                versions.push(missed().count() as u64);
            }
        }
    }
    Ok(Staleness::of(reads, nanos, versions))
}

/// All writes, and what they wrote.
fn writes<'a>(key: &'a Key<'_>) -> impl Iterator<Item = (&'a Deed<'a>, u32)> {
    key.deeds.iter().filter_map(|deed| match deed.act {
        Act::Write(value) => Some((deed, value)),
        Act::Read(_) | Act::Delete(_) => None,
    })
}

/// The argument, about this key.
fn witness(history: &History, key: &Key<'_>, violation: Violation) -> Witness {
    violation.witness(history, &format!("key {}", key.name))
}

fn ruled(history: &History, verdict: Verdict, detail: String, witness: Option<Witness>) -> Judgement {
    let methods = vec!["what was returned held against what was replaced".to_owned()];
    Judgement { methods, ..judgement(history, verdict, detail, witness) }
}

/// If a read returned what nobody can have written by then.
fn nowhere(history: &History, keys: &[Key<'_>]) -> Option<Judgement> {
    let (mut wrong, mut first) = (0, None);
    for key in keys {
        for (at, deed) in key.deeds.iter().enumerate() {
            let Some((values, told)) = deed.read() else { continue };
            let is_written = |value: &&u32| {
                let mut writers = key.versions[**value as usize].writers.iter();
                writers.any(|writer| key.deeds[*writer].began() < told)
            };
            let Some(value) = values.iter().find(|value| !is_written(value)) else { continue };
            wrong += 1;
            first.get_or_insert_with(|| witness(history, key, unwritten(key, at, *value)));
        }
    }
    let first = first?;
    let detail = format!("{}; {} like it in all", first.headline(), counted(wrong, "read"));
    Some(ruled(history, Verdict::Fail, detail, Some(first)))
}

fn unwritten(key: &Key<'_>, read: usize, value: u32) -> Violation {
    let (version, shown) = (&key.versions[value as usize], key.shown(value));
    let (why, by) = match (version.writers.first(), version.refused) {
        (Some(writer), _) => (format!("Nobody had asked for {shown} before (1) did, which was later."), Some(*writer)),
        (None, Some(refused)) => (format!("Nobody asked for {shown} but (1), and that never happened."), Some(refused)),
        (None, None) => (format!("Nobody ever wrote {shown}."), None),
    };
    let operations: Vec<usize> = by.into_iter().chain([read]).collect();
    let headline = format!("a read of {} returned {shown}, which nobody had written", key.name);
    key.violation("never written", headline, vec![why], &operations)
}

fn lost(history: &History, keys: &[Key<'_>], model: Model) -> Judgement {
    let (mut acknowledged, mut lost, mut unread, mut written, mut back) = (0, 0, 0, 0, 0);
    let mut first = None;
    let mut past = Past::default();
    for key in keys {
        let done: Vec<(usize, u32, u64)> = (0..)
            .zip(&key.deeds)
            .filter_map(|(at, deed)| match deed.act {
                Act::Write(value) => Some((at, value, deed.done()?)),
                Act::Read(_) | Act::Delete(_) => None,
            })
            .collect();
        if done.is_empty() {
            continue;
        }
        acknowledged += done.len() as u64;
        written += 1;
        let Some((read, values, told)) = key.last_read() else {
            unread += 1;
            continue;
        };
        let began = key.deeds[read].began();
        unread += u64::from(done.iter().any(|(_, _, done)| *done >= began));
        key.past_of(values, &mut past);
        let is_lost =
            |(_, value, done): &&(usize, u32, u64)| *done < began && !key.is_accounted_for(*value, &past, told);
        let gone: Vec<_> = done.iter().filter(is_lost).collect();
        lost += gone.len() as u64;
        if let Some((write, value, _)) = gone.last() {
            first.get_or_insert_with(|| witness(history, key, gone_for_good(key, *write, read, *value, model)));
        }
        if model == Model::Cart {
            back += values.iter().filter(|value| taken_away(key, **value, began, &mut past, |_| true).is_some()).count()
                as u64;
        }
    }
    let noun = if model == Model::Cart { "acknowledged add" } else { "acknowledged write" };
    let all = counted(acknowledged, noun);
    let (verdict, detail) = if lost > 0 {
        (Verdict::Fail, format!("{} of {all} lost", grouped(lost)))
    } else if acknowledged == 0 {
        (Verdict::Vacuous, format!("there was no {noun}"))
    } else if unread > 0 {
        let keys = counted(written, "key");
        (Verdict::Unknown, format!("{} of {keys} could not be read after settle", grouped(unread)))
    } else {
        let since = if model == Model::Cart { "removed" } else { "replaced or deleted" };
        (Verdict::Pass, format!("{all}, all readable after settle or {since} since"))
    };
    let back = match back {
        0 => String::new(),
        back => format!("; {} back that had been removed", counted(back, "item")),
    };
    ruled(history, verdict, detail + &back, first)
}

fn gone_for_good(key: &Key<'_>, write: usize, read: usize, value: u32, model: Model) -> Violation {
    let shown = key.shown(value);
    let because = if model == Model::Cart {
        vec![
            format!("(1) put {shown} into the cart, and was told so."),
            format!("Nobody ever asked to remove it, and (2) returned carts without it."),
        ]
    } else {
        vec![
            format!("(1) wrote {shown}, and was told so."),
            "Nothing that (2) returned replaces it, directly or through others, and no delete can have taken it away."
                .to_owned(),
        ]
    };
    key.violation("lost", format!("{shown} at {} was acknowledged and is gone", key.name), because, &[write, read])
}

fn resurrected(history: &History, keys: &[Key<'_>]) -> Judgement {
    let (mut deletes, mut touched, mut unread, mut again, mut first) = (0, 0, 0, 0, None);
    let mut past = Past::default();
    for key in keys {
        let done: Vec<u64> = key
            .deeds
            .iter()
            .filter_map(|deed| match &deed.act {
                Act::Delete(replaced) if !replaced.is_empty() => deed.done(),
                Act::Delete(_) | Act::Read(_) | Act::Write(_) => None,
            })
            .collect();
        if done.is_empty() {
            continue;
        }
        deletes += done.len() as u64;
        touched += 1;
        let Some((read, values, _)) = key.last_read() else {
            unread += 1;
            continue;
        };
        let began = key.deeds[read].began();
        unread += u64::from(done.iter().any(|done| *done >= began));
        for value in values {
            let Some(delete) = taken_away(key, *value, began, &mut past, |_| true) else { continue };
            again += 1;
            first.get_or_insert_with(|| witness(history, key, back_again(key, delete, read, *value)));
        }
    }
    let all = counted(deletes, "acknowledged delete");
    let (verdict, detail) = if again > 0 {
        (Verdict::Fail, format!("{} back after {all}", counted(again, "deleted value")))
    } else if deletes == 0 {
        (Verdict::Vacuous, "no delete that was acknowledged took anything away".to_owned())
    } else if unread > 0 {
        let keys = counted(touched, "key");
        (Verdict::Unknown, format!("{} of {keys} with deletes could not be read after settle", grouped(unread)))
    } else {
        (Verdict::Pass, format!("{all}, and nothing of what they took away is back"))
    };
    ruled(history, verdict, detail, first)
}

/// The wanted acknowledged delete, done before this position, that took this value away for certain: when it was asked for, all writes
/// of the value were done.
fn taken_away(
    key: &Key<'_>,
    value: u32,
    before: u64,
    past: &mut Past,
    is_wanted: impl Fn(usize) -> bool,
) -> Option<usize> {
    let version = &key.versions[value as usize];
    let certain = |deed: &Deed<'_>| {
        deed.is_done_before(before)
            && version.writers.iter().all(|writer| key.deeds[*writer].is_done_before(deed.began()))
    };
    let mut deeds = key.deeds.iter().enumerate();
    let delete = deeds.find(|(at, deed)| {
        let Act::Delete(replaced) = &deed.act else { return false };
        if !is_wanted(*at) || !certain(deed) {
            return false;
        }
        key.past_of(replaced, past);
        past.has(value)
    })?;
    Some(delete.0)
}

fn back_again(key: &Key<'_>, delete: usize, read: usize, value: u32) -> Violation {
    let shown = key.shown(value);
    let because = |number: u32| {
        vec![
            format!("({number}) took {shown} away, whose writes were all done when it began."),
            format!("({}) began later and returned it all the same.", number + 1),
        ]
    };
    let writer = key.versions[value as usize].writers.last();
    let operations: Vec<usize> = writer.copied().into_iter().chain([delete, read]).collect();
    let headline = format!("{shown} at {} was deleted and is back", key.name);
    key.violation("resurrected", headline, because(operations.len() as u32 - 1), &operations)
}
