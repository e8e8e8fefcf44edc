//! Staleness: how far reads lag behind what was certainly written already.
//!
//! A value is *in place* at the latest when its write is over, or when somebody has read it. A read of v is stale if
//! another write was asked for after v was in place, and was itself in place before the read began. It has been stale
//! since the first such, and is as many versions behind as there are such: at least, since writes that overlap may have
//! come in the wrong order for us. A history is free of stale reads if it is linearizable; not always the other way round.
//!
//! ```text
//! c1: |--w(1)--| |--w(2)--|
//! c2:                          |--r()=1--|      one version behind, since w(2) was over
//! ```
//!
//! What several may have written is taken as written by the last of them.

use hashbrown::HashMap;
use history::figures::{counted, duration};
use history::{History, Mark, Outcome, Register, RegisterOp, RegisterRet, Value, Verdict};
use std::hash::BuildHasherDefault;

use super::account::made;
use crate::hash::Mixer;
use crate::laws::siblings;
use crate::model::{Call, Part, parts};
use crate::{Model, Rung, Unfit};

/// How stale the reads of a history are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Staleness {
    /// Reads looked at. They returned something that is known to have been written, or to have been there at first.
    pub reads: u64,
    /// Those that returned what had certainly been replaced.
    pub stale: u64,
    /// For how long the stalest had been, in nanoseconds; 0 if the record knows no times.
    pub nanos_max: u64,
    /// Half of the reads (fresh ones among them) were not staler than that, in nanoseconds.
    pub nanos_p50: u64,
    /// 99 of 100 reads (fresh ones among them) were not staler than that, in nanoseconds.
    pub nanos_p99: u64,
    /// By how many versions a read lagged behind at least.
    pub versions_max: u64,
    /// Half of the reads did not lag further behind than so many versions.
    pub versions_p50: u64,
    /// 99 of 100 reads did not lag further behind than so many versions.
    pub versions_p99: u64,
}

/// Measures how stale the reads of `history`, of registers, are.
///
/// # Errors
/// If an operation is none of the model's.
pub fn staleness(history: &History, model: Model, initial: &Value) -> Result<Staleness, Unfit> {
    if matches!(model, Model::Siblings | Model::Cart) {
        return siblings::staleness(history, model);
    }
    Ok(measure(&parts::<Register>(history, model)?, initial))
}

impl Staleness {
    /// Of so many reads, and how long and by how many versions those of them lagged behind that did.
    pub(crate) fn of(reads: u64, mut nanos: Vec<u64>, mut versions: Vec<u64>) -> Self {
        nanos.sort_unstable();
        versions.sort_unstable();
        Staleness {
            reads,
            stale: nanos.len() as u64,
            nanos_max: nanos.last().copied().unwrap_or_default(),
            nanos_p50: quantile(reads, &nanos, 50),
            nanos_p99: quantile(reads, &nanos, 99),
            versions_max: versions.last().copied().unwrap_or_default(),
            versions_p50: quantile(reads, &versions, 50),
            versions_p99: quantile(reads, &versions, 99),
        }
    }

    /// As a row of a table. A measure passes, whatever it shows.
    pub(crate) fn rung(&self) -> Rung {
        let reads = counted(self.reads, "read");
        let (verdict, detail) = match self.stale {
            _ if self.reads == 0 => {
                (Verdict::Vacuous, "nothing was read of which anybody can tell how old it was".to_owned())
            }
            0 => (Verdict::Pass, format!("{reads}, none of what had certainly been replaced")),
            stale => {
                let time = match self.nanos_max {
                    0 => String::new(),
                    max => format!("{} at most (p99 {}), ", duration(max), duration(self.nanos_p99)),
                };
                let (versions, p99) = (counted(self.versions_max, "version"), self.versions_p99);
                (Verdict::Pass, format!("{reads}, {stale} of them stale: {time}{versions} behind at most (p99 {p99})"))
            }
        };
        Rung { name: "staleness", verdict, detail, witness: None }
    }
}

pub(super) fn rung(parts: &[Part<'_, Register>], initial: &Value) -> Rung {
    measure(parts, initial).rung()
}

pub(super) fn measure(parts: &[Part<'_, Register>], initial: &Value) -> Staleness {
    let mut reads = 0;
    let (mut nanos, mut versions) = (Vec::new(), Vec::new());
    // Where values are put together of pieces, nobody can tell which is older.
    let is_append = |call: &Call<'_, Register>| matches!(call.op, RegisterOp::Append(_));
    for part in parts.iter().filter(|part| !part.calls.iter().any(is_append)) {
        let versions_of = Versions::of(part, initial);
        reads += versions_of.add(part, &mut nanos, &mut versions);
    }
    Staleness::of(reads, nanos, versions)
}

/// The share in percent of `reads` numbers, of which all but the given, sorted, are 0.
fn quantile(reads: u64, others: &[u64], percent: u64) -> u64 {
    let rank = (reads * percent).div_ceil(100);
    let zeros = reads - others.len() as u64;
    if rank <= zeros { 0 } else { others[(rank - zeros) as usize - 1] }
}

/// What an operation met, if it returned that.
pub(super) fn met<'a>(call: &'a Call<'_, Register>) -> Option<&'a Value> {
    match (&call.op, &call.outcome) {
        (RegisterOp::Read, Outcome::Returned(RegisterRet::Value(value)))
        | (RegisterOp::Cas { from: value, .. }, Outcome::Returned(RegisterRet::Done)) => Some(value),
        (
            RegisterOp::Read | RegisterOp::Write(_) | RegisterOp::Cas { .. } | RegisterOp::Append(_),
            Outcome::Returned(_) | Outcome::Refused | Outcome::Unknown,
        ) => None,
    }
}

/// Never.
const NEVER: Mark = Mark { index: u64::MAX, time: u64::MAX };

/// Before everything.
const FIRST: Mark = Mark { index: 0, time: 0 };

/// When it was over, for certain.
pub(super) fn over(call: &Call<'_, Register>) -> Mark {
    match call.outcome {
        Outcome::Returned(_) => call.source.completed.unwrap_or(NEVER),
        Outcome::Refused | Outcome::Unknown => NEVER,
    }
}

struct Write {
    asked: u64,
    in_place: Mark,
}

/// The values of one key.
struct Versions<'a> {
    /// When each was in place; nothing before the first position.
    in_place: HashMap<&'a Value, Mark, BuildHasherDefault<Mixer>>,
    /// By when they were asked for; those never known to be in place are left out.
    writes: Vec<Write>,
    /// Of these and all later ones, the first in place.
    first_in_place: Vec<Mark>,
}

impl<'a> Versions<'a> {
    fn of(part: &'a Part<'_, Register>, initial: &'a Value) -> Versions<'a> {
        // Of each value: how many wrote it, when the last of them was asked to, and when all were over.
        let mut writers: HashMap<&Value, (u32, Mark, Mark), BuildHasherDefault<Mixer>> = HashMap::default();
        writers.insert(initial, (1, FIRST, FIRST));
        let may_have_happened = |call: &&Call<'_, Register>| call.outcome != Outcome::Refused;
        let happened = || part.calls.iter().filter(may_have_happened);
        let is_swap_in_vain = |call: &Call<'_, Register>| call.outcome == Outcome::Returned(RegisterRet::Mismatch);
        for call in happened().filter(|call| !is_swap_in_vain(call)) {
            let Some(value) = made(call) else { continue };
            let (count, asked, last) = writers.entry(value).or_insert((0, FIRST, FIRST));
            (*count, *asked, *last) = (*count + 1, call.source.invoked, (*last).max(over(call)));
        }
        let mut in_place: HashMap<&Value, Mark, BuildHasherDefault<Mixer>> = HashMap::default();
        for call in happened() {
            let Some(value) = met(call) else { continue };
            if let Some((1, asked, written)) = writers.get(value) {
                let mark = in_place.entry(value).or_insert(*written);
                // A read of what nobody had asked for yet is no reason to think it there.
                *mark = (*mark).min(over(call)).max(*asked);
            }
        }
        let mut writes = Vec::new();
        for call in happened().filter(|call| !is_swap_in_vain(call)) {
            let Some(value) = made(call) else { continue };
            let own = over(call);
            let mark = if writers[value].0 == 1 { in_place.get(value).copied().unwrap_or(own) } else { own };
            if mark != NEVER {
                writes.push(Write { asked: call.source.invoked.index, in_place: mark });
            }
        }
        let mut first_in_place: Vec<Mark> = writes.iter().map(|write| write.in_place).collect();
        for at in (1..writes.len()).rev() {
            first_in_place[at - 1] = first_in_place[at - 1].min(first_in_place[at]);
        }
        for (value, (_, _, written)) in
            part.calls.iter().filter_map(made).filter_map(|value| Some((value, writers.get(value)?)))
        {
            in_place.entry(value).or_insert(*written);
        }
        in_place.entry(initial).or_insert(writers[initial].2);
        Versions { in_place, writes, first_in_place }
    }

    /// Adds how stale each stale read is, and says how many reads there are.
    fn add(&self, part: &Part<'_, Register>, nanos: &mut Vec<u64>, versions: &mut Vec<u64>) -> u64 {
        let mut reads = 0;
        let mut stale: Vec<(u64, u64)> = Vec::new();
        for call in &part.calls {
            let Some(in_place) = met(call).and_then(|value| self.in_place.get(value)) else { continue };
            reads += 1;
            let began = call.source.invoked;
            let later = self.first_later(*in_place);
            if let Some(replaced) = self.first_in_place.get(later).filter(|replaced| replaced.index < began.index) {
                nanos.push(began.time.saturating_sub(replaced.time));
                stale.push((later as u64, began.index));
            }
        }
        self.count(stale, versions);
        reads
    }

    /// The first write asked for after that. What a key holds at first was in place before everything.
    fn first_later(&self, in_place: Mark) -> usize {
        if in_place == FIRST { 0 } else { self.writes.partition_point(|write| write.asked <= in_place.index) }
    }

    /// For each stale read: how many writes from the given on were in place before the given position.
    fn count(&self, mut stale: Vec<(u64, u64)>, versions: &mut Vec<u64>) {
        let mut ends: Vec<u64> = self.writes.iter().map(|write| write.in_place.index).collect();
        ends.sort_unstable();
        // From the last write on, those already met are counted by when they were in place (a Fenwick tree).
        let mut tree = vec![0u64; ends.len() + 1];
        let mut added = self.writes.len();
        stale.sort_unstable();
        for (from, before) in stale.into_iter().rev() {
            while added > from as usize {
                added -= 1;
                let mut at = ends.partition_point(|end| *end < self.writes[added].in_place.index) + 1;
                while at < tree.len() {
                    tree[at] += 1;
                    at += at & at.wrapping_neg();
                }
            }
            let mut at = ends.partition_point(|end| *end < before);
            let mut count = 0;
            while at > 0 {
                count += tree[at];
                at &= at - 1;
            }
            versions.push(count);
        }
    }
}
