//! Convergence: once nothing is written any more, do all who read a key read the same?
//!
//! What counts are final reads ([`Purpose::FinalRead`]), of each process the last one of each key. Where a record marks
//! none, all reads count that began when every write of their key was over; that they differ is told and no violation, for
//! they may only have been early. Two final reads that differ are a violation only if nothing
//! can have changed the key in between: if what they returned may have been written by an operation that was not over
//! before both began, it is not.

use hashbrown::HashMap;
use history::figures::{counted, grouped, shown};
use history::{
    History, Outcome, Part as Role, Purpose, Reason, Register, RegisterOp, RegisterRet, Value, Verdict, Witness,
};
use std::collections::BTreeMap;
use std::hash::BuildHasherDefault;

use super::account::made;
use super::staleness::{met, over};
use crate::hash::Mixer;
use crate::model::{Call, Part, parts};
use crate::witness::testimony;
use crate::{Model, Rung, Unfit};

/// Whether processes agree in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Convergence {
    /// Keys that several processes read in the end.
    pub keys: u64,
    /// Those of which they certainly ought to have read the same, and did not.
    pub diverged: u64,
    /// Those of which they did not read the same, but a write of unknown outcome may be the reason.
    pub unclear: u64,
    /// Final reads, one for each process and key.
    pub reads: u64,
    /// Whether the record marks its final reads.
    pub is_marked: bool,
}

/// Compares what the processes of `history`, of registers, read of each key in the end.
///
/// # Errors
/// If an operation is none of the model's.
pub fn convergence(history: &History, model: Model) -> Result<Convergence, Unfit> {
    Ok(measure(&parts::<Register>(history, model)?).0)
}

pub(super) fn rung(parts: &[Part<'_, Register>]) -> Rung {
    let (found, witness) = measure(parts);
    let Convergence { keys, diverged, unclear, reads, is_marked } = found;
    let of_keys = counted(keys, "key");
    let reads = match (is_marked, reads) {
        (true, reads) => counted(reads, "final read"),
        (false, 1) => "one read after the last write".to_owned(),
        (false, reads) => format!("{} reads after the last writes", grouped(reads)),
    };
    let (verdict, detail) = match (diverged, unclear) {
        (0, 0) if keys == 0 => {
            (Verdict::Vacuous, "no key was read by several processes after the last write of it".to_owned())
        }
        (0, 0) => (Verdict::Pass, format!("{reads} of {of_keys}: all processes agree")),
        (0, unclear) => {
            let unclear = counted(unclear, "key");
            (
                Verdict::Unknown,
                format!("processes differ on {unclear}, but writes that were not over may be the reason"),
            )
        }
        (diverged, _) if !is_marked => {
            let differ = format!("{reads}: processes differ on {} of {of_keys}", grouped(diverged));
            (Verdict::Unknown, format!("{differ}, but no reads are marked as final, so they may only have been early"))
        }
        (diverged, _) => (Verdict::Fail, format!("{reads}: processes differ on {} of {of_keys}", grouped(diverged))),
    };
    let witness = witness.filter(|_| verdict == Verdict::Fail);
    Rung { name: "convergence", verdict, detail, witness }
}

fn measure(parts: &[Part<'_, Register>]) -> (Convergence, Option<Witness>) {
    let is_final = |call: &Call<'_, Register>| call.source.purpose == Purpose::FinalRead && met(call).is_some();
    let is_marked = parts.iter().any(|part| part.calls.iter().any(is_final));
    let mut found = Convergence { is_marked, ..Convergence::default() };
    let mut witness = None;
    for part in parts {
        let reads = final_reads(part, is_marked);
        if reads.len() < 2 {
            continue;
        }
        found.keys += 1;
        found.reads += reads.len() as u64;
        match difference(part, &reads) {
            None => {}
            Some((_, _, false)) => found.unclear += 1,
            Some((a, b, true)) => {
                found.diverged += 1;
                witness.get_or_insert_with(|| argue(part, a, b));
            }
        }
    }
    (found, witness)
}

/// The last read of each process that counts.
fn final_reads<'a>(part: &'a Part<'a, Register>, is_marked: bool) -> Vec<&'a Call<'a, Register>> {
    let written = part.calls.iter().filter(|call| changes(call));
    let last = written.map(|call| over(call).index).max().unwrap_or_default();
    let counts = |call: &&Call<'_, Register>| {
        let is_final = call.source.purpose == Purpose::FinalRead;
        made(call).is_none()
            && met(call).is_some()
            && if is_marked { is_final } else { call.source.invoked.index > last }
    };
    let mut reads: BTreeMap<u64, &Call<'_, Register>> = BTreeMap::new();
    for call in part.calls.iter().filter(counts) {
        reads.insert(call.source.process, call);
    }
    reads.into_values().collect()
}

/// Two reads that differ, and whether nothing can explain that; such as nothing can if there are any.
fn difference<'a>(
    part: &Part<'_, Register>,
    reads: &[&'a Call<'a, Register>],
) -> Option<(&'a Call<'a, Register>, &'a Call<'a, Register>, bool)> {
    let first = reads[0];
    let other = reads.iter().find(|read| met(read) != met(first))?;
    // Until when each value may have been written.
    let mut until: HashMap<&Value, u64, BuildHasherDefault<Mixer>> = HashMap::default();
    // What is appended may be part of any value.
    let mut appended = 0;
    for call in part.calls.iter().filter(|call| changes(call)) {
        let last = made(call).map_or(&mut appended, |value| until.entry(value).or_default());
        *last = (*last).max(over(call).index);
    }
    let is_settled = |read: &Call<'_, Register>, began: u64| {
        let is_written = met(read).is_some_and(|value| until.get(value).is_none_or(|until| *until < began));
        is_written && (appended == 0 || appended < began)
    };
    let settled: Vec<&Call<'_, Register>> =
        reads.iter().filter(|read| is_settled(read, read.source.invoked.index)).copied().collect();
    let earliest = settled.iter().min_by_key(|read| read.source.invoked.index);
    let began = earliest.map(|read| read.source.invoked.index).unwrap_or_default();
    let still: Vec<&Call<'_, Register>> = settled.into_iter().filter(|read| is_settled(read, began)).collect();
    match still.iter().find(|read| met(read) != met(still[0])) {
        Some(second) => Some((still[0], second, true)),
        None => Some((first, other, false)),
    }
}

/// Whether it may have changed the key.
fn changes(call: &Call<'_, Register>) -> bool {
    match (&call.op, &call.outcome) {
        (RegisterOp::Read, _) | (_, Outcome::Refused | Outcome::Returned(RegisterRet::Mismatch)) => false,
        (RegisterOp::Write(_) | RegisterOp::Cas { .. } | RegisterOp::Append(_), _) => true,
    }
}

fn argue(part: &Part<'_, Register>, a: &Call<'_, Register>, b: &Call<'_, Register>) -> Witness {
    let (a, b) = if a.number < b.number { (a, b) } else { (b, a) };
    let (first, second) = (met(a).map(shown).unwrap_or_default(), met(b).map(shown).unwrap_or_default());
    let place = part.key.map_or_else(|| "the register".to_owned(), shown);
    let (p, q) = (a.source.process, b.source.process);
    let headline = format!("p{p} read {first} in {place} in the end, p{q} read {second}");
    let because = vec![format!(
        "Whoever wrote {first} or {second} had been answered before both reads began, so nothing can have changed in between."
    )];
    let reason = Reason::Told { why: "diverged".to_owned(), headline, because };
    Witness::new(part.key.cloned(), vec![testimony(a, Role::Met), testimony(b, Role::Met)], Some(1), reason)
}
