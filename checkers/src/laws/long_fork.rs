//! Long fork: two writes to different keys, and two readers who saw them happen in opposite orders.
//!
//! ```text
//! c1: |--w(x,1)--|                    c3 has seen x written and y not yet,
//! c2: |--w(y,1)--|                    c4 has seen y written and x not yet.
//! c3:   |--r(x,y)=1,nil--|
//! c4:   |--r(x,y)=nil,1--|
//! ```
//!
//! Parallel snapshot isolation allows it, snapshot isolation does not. Every key is written once, so a read of a group
//! of keys is the set of those it found written, and reads of one group must be ordered by inclusion: the smaller came
//! earlier. Sorted by size, a key that one read has and the next has not is a fork; no pair of reads need be compared.

use hashbrown::HashMap;
use history::{History, Outcome, Value, Verdict};
use std::collections::BTreeMap;
use std::hash::BuildHasherDefault;

use crate::evidence::{Violation, judgement, returned};
use crate::hash::Mixer;
use crate::{Judgement, Unfit};
use history::figures::{counted, shown};

/// What a transaction does to one key.
enum Step<'a> {
    Writes(&'a Value, &'a Value),
    Reads(&'a Value, &'a Value),
}

/// A read: which keys of its group it found written, with what; keys sorted.
struct Read<'a> {
    number: usize,
    keys: Vec<(&'a Value, &'a Value)>,
    written: usize,
}

/// Whom a key was written by, and what.
struct Written<'a> {
    value: &'a Value,
    by: usize,
    is_refused: bool,
}

type Keys<'a, What> = HashMap<&'a Value, What, BuildHasherDefault<Mixer>>;

/// Judges whether all reads agree on an order of the writes.
///
/// VACUOUS if no two keys were ever read together.
///
/// # Errors
/// If a transaction neither writes one key nor reads several, a key is written twice, or groups of keys that are read
/// together overlap.
pub(crate) fn long_fork(history: &History) -> Result<Judgement, Unfit> {
    let mut written: Keys<'_, Written<'_>> = HashMap::default();
    let mut reads: Vec<Read<'_>> = Vec::new();
    for (number, operation) in history.operations.iter().enumerate() {
        let unfit = |message: String| Unfit::operation(operation, message);
        let asked = steps(&operation.input).map_err(unfit)?;
        if let [Step::Writes(key, value)] = asked[..] {
            let is_refused = operation.outcome == Outcome::Refused;
            if written.insert(key, Written { value, by: number, is_refused }).is_some() {
                return Err(unfit(format!("key {} is written again; every key is written once", shown(key))));
            }
            continue;
        }
        let answered = returned(operation)?.map(steps).transpose().map_err(unfit)?.unwrap_or_default();
        let mut keys = Vec::new();
        for step in asked.iter().chain(&answered) {
            if let Step::Writes(..) = step {
                return Err(unfit("a transaction writes one key, or reads several".to_owned()));
            }
        }
        for step in answered {
            if let Step::Reads(key, value) = step {
                keys.push((key, value));
            }
        }
        keys.sort_unstable();
        keys.dedup();
        if let Some(pair) = keys.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(unfit(format!("it reads key {} twice", shown(pair[0].0))));
        }
        if keys.len() > 1 {
            let found = keys.iter().filter(|(_, value)| !value.is_nil()).count();
            reads.push(Read { number, keys, written: found });
        }
    }
    let groups = groups(history, &reads)?;
    known_values(history, &reads, &written)?;
    let violation = phantom(&reads, &written).or_else(|| fork(&reads, &groups));
    let (size, count) = (groups.iter().map(|group| reads[group[0]].keys.len()).max(), groups.len() as u64);
    let detail = format!(
        "{} of {} of up to {}, {}",
        counted(reads.len() as u64, "read"),
        counted(count, "group"),
        counted(size.unwrap_or_default() as u64, "key"),
        counted(written.len() as u64, "write"),
    );
    let judgement = match violation {
        Some(violation) => {
            let headline = violation.headline.clone();
            judgement(history, Verdict::Fail, headline, Some(violation.witness(history, "the keys")))
        }
        None if reads.is_empty() => {
            judgement(history, Verdict::Vacuous, "no two keys were read together".to_owned(), None)
        }
        None => judgement(history, Verdict::Pass, detail, None),
    };
    Ok(Judgement { methods: vec!["reads of each group ordered by inclusion".to_owned()], ..judgement })
}

/// `[["w", key, value]]`, `[["r", key, value or nil], …]`.
fn steps<'a>(value: &'a Value) -> Result<Vec<Step<'a>>, String> {
    let wrong = || format!("it has {}, and should have [[w key value]] or [[r key value], …]", shown(value));
    let Value::List(steps) = value else { return Err(wrong()) };
    let step = |step: &'a Value| {
        let Value::List(words) = step else { return Err(wrong()) };
        match &words[..] {
            [Value::Text(f), key, value] if &**f == "w" => Ok(Step::Writes(key, value)),
            [Value::Text(f), key, value] if &**f == "r" => Ok(Step::Reads(key, value)),
            _ => Err(wrong()),
        }
    };
    steps.iter().map(step).collect()
}

/// The reads by number, those of the same keys together, the groups in order of appearance.
fn groups(history: &History, reads: &[Read<'_>]) -> Result<Vec<Vec<usize>>, Unfit> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut group_of: Keys<'_, usize> = HashMap::default();
    for (i, read) in reads.iter().enumerate() {
        let group = *group_of.entry(read.keys[0].0).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        let is_same = match groups[group].first() {
            Some(first) => read.keys.iter().map(|(key, _)| key).eq(reads[*first].keys.iter().map(|(key, _)| key)),
            None => read.keys[1..].iter().all(|(key, _)| group_of.insert(key, group).is_none()),
        };
        if !is_same {
            let operation = &history.operations[read.number];
            let message = "it reads some keys of a group that others read, and not all: groups must not overlap";
            return Err(Unfit::operation(operation, message));
        }
        groups[group].push(i);
    }
    Ok(groups)
}

/// Whether keys that nobody is known to have written have one value at most.
fn known_values(history: &History, reads: &[Read<'_>], written: &Keys<'_, Written<'_>>) -> Result<(), Unfit> {
    let mut values: Keys<'_, &Value> = HashMap::default();
    for read in reads {
        for (key, value) in read.keys.iter().filter(|(key, value)| !value.is_nil() && !written.contains_key(key)) {
            let known = *values.entry(key).or_insert(value);
            if known != *value {
                let (key, value, known) = (shown(key), shown(value), shown(known));
                let message = format!("key {key} has value {value} here and {known} before; every key is written once");
                return Err(Unfit::operation(&history.operations[read.number], message));
            }
        }
    }
    Ok(())
}

/// A value that was read and never written, though it is known what was.
fn phantom(reads: &[Read<'_>], written: &Keys<'_, Written<'_>>) -> Option<Violation> {
    let seen = reads.iter().flat_map(|read| read.keys.iter().map(move |(key, value)| (read.number, key, value)));
    let (reader, key, value, write) =
        seen.filter(|(_, _, value)| !value.is_nil()).find_map(|(reader, key, value)| {
            let write = written.get(key).filter(|write| write.is_refused || write.value != *value)?;
            Some((reader, key, value, write))
        })?;
    let (key, value) = (shown(key), shown(value));
    let because = format!("(1) is the only write of key {key}, and it left no {value} behind.");
    Some(Violation {
        why: "never written",
        headline: format!("{value} was read in key {key}, and never written there"),
        because: vec![because],
        operations: vec![write.by, reader],
        offender: Some(reader),
    })
}

fn fork(reads: &[Read<'_>], groups: &[Vec<usize>]) -> Option<Violation> {
    for group in groups {
        let mut by_size: BTreeMap<usize, usize> = BTreeMap::new();
        for i in group {
            let kept = *by_size.entry(reads[*i].written).or_insert(*i);
            // Of one size, hence the same or a fork.
            if let Some(violation) = apart(&reads[kept], &reads[*i]) {
                return Some(violation);
            }
        }
        let ordered: Vec<usize> = by_size.into_values().collect();
        if let Some(violation) = ordered.windows(2).find_map(|pair| apart(&reads[pair[0]], &reads[pair[1]])) {
            return Some(violation);
        }
    }
    None
}

/// If each of two reads of the same keys found something written that the other did not.
fn apart(one: &Read<'_>, other: &Read<'_>) -> Option<Violation> {
    let only_in = |one: &Read<'_>, other: &Read<'_>| {
        let both = one.keys.iter().zip(&other.keys);
        both.filter(|((_, ours), (_, theirs))| !ours.is_nil() && theirs.is_nil()).map(|((key, _), _)| shown(key)).next()
    };
    let (ours, theirs) = (only_in(one, other)?, only_in(other, one)?);
    Some(Violation {
        why: "long fork",
        headline: format!("two reads saw the writes of {ours} and {theirs} in opposite orders"),
        because: vec![
            format!("(1) saw {ours} written and {theirs} not yet: the write of {ours} came first."),
            format!("(2) saw {theirs} written and {ours} not yet: the write of {theirs} came first."),
        ],
        operations: vec![one.number, other.number],
        offender: Some(other.number),
    })
}
