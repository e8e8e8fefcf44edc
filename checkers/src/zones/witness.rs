//! Why the clusters of one key cannot be put in a row.
//!
//! Two clusters that cross are an argument: of each, its writer, who was first to be over, and who began last. To blame
//! the first result that cannot be right, the record is cut shorter and shorter, and judged again each time, until it
//! has an order. A handful of operations is left, an honest part of the record ([`crate::minimal`]); the search looks at it
//! as if it were all there is, and so the argument is told in the same words as any other.

use history::figures::{counted, grouped, shown};
use history::{History, Operation, Outcome, Register, RegisterOp, RegisterRet, Value, Witness};
use std::collections::BTreeSet;

use super::clusters::{Clash, Clusters};
use super::misses::Miss;
use super::rows::{Act, NEVER, NONE, Row};
use super::{Survey, Surveyed};
use crate::model::{Call, Checked, Part, Told, read};
use crate::search::{Scope, search};
use crate::witness::testimony;
use crate::{Budget, Model};

/// Why a key has no order, and where that begins.
pub(crate) struct Explained {
    pub witness: Witness,
    /// How far the record has an order, if that is known.
    pub notes: Vec<String>,
}

/// Explains why the operations on a key, by its number in the survey of the history, have no order.
pub(crate) fn explain(
    history: &History,
    model: Model,
    survey: Survey<'_>,
    key: usize,
    start: &Value,
    budget: &Budget<'_>,
) -> Explained {
    let (record, judged) = Record::of(history, model, survey, key);
    let exhibits = record.first_without_order(judged);
    let part = record.part(&exhibits);
    let scope = Scope { until: u64::MAX, grant: budget.states.max(GRANT), blamed: None, looks_ahead: true };
    let found = search(&part, start, scope, budget);
    let witness = record.in_full(Register::explain(&part, start, &found, budget));
    Explained { witness, notes: record.notes(exhibits.known) }
}

/// A handful of operations takes no more configurations than that.
const GRANT: u64 = 100_000;

/// All operations on one key.
struct Record<'h> {
    history: &'h History,
    model: Model,
    key: Option<&'h Value>,
    has_mismatches: bool,
    /// By cluster.
    values: Vec<&'h Value>,
    rows: Vec<Row>,
}

impl<'h> Record<'h> {
    /// With how it was judged, if no other key was.
    fn of(history: &'h History, model: Model, survey: Survey<'h>, key: usize) -> (Self, Option<(Clusters, Clash)>) {
        let Survey { keys, mut rows, named, clusters, mut clashes, .. } = survey;
        if let [one] = &keys[..] {
            let (key, has_mismatches) = (one.name, one.has_mismatches);
            let values = named.iter().map(|named| named.value).collect();
            let judged = clashes.remove(&0).map(|clash| (clusters, clash));
            return (Record { history, model, key, has_mismatches, values, rows }, judged);
        }
        let mut numbers = vec![NONE; named.len()];
        let mut values = Vec::new();
        for (number, named) in numbers.iter_mut().zip(&named).filter(|(_, named)| named.key as usize == key) {
            *number = values.len() as u32;
            values.push(named.value);
        }
        rows.retain_mut(|row| row.renumber(&numbers));
        let Surveyed { name: key, has_mismatches, .. } = keys[key];
        (Record { history, model, key, has_mismatches, values, rows }, None)
    }

    /// Operations that contradict each other by the first completion up to which there is no order.
    ///
    /// Who clashes in the whole record mostly did so first: so just before a clash is known comes a look whether there
    /// was none earlier, and only then is the rest halved.
    fn first_without_order(&self, judged: Option<(Clusters, Clash)>) -> Exhibits {
        const END: u64 = NEVER - 1;
        let exhibits = match judged {
            Some((clusters, clash)) => self.exhibits_of(&clusters, clash, END),
            None => self.exhibits(END).expect("a key without an order has exhibits"),
        };
        let before = self.rows.iter().map(|row| row.completed).filter(|end| *end < exhibits.known).max();
        match before.and_then(|end| self.exhibits(end)) {
            None => exhibits,
            Some(earlier) => self.first_of_all(earlier),
        }
    }

    /// The same, given that there is no order up to these, which may not be the first.
    fn first_of_all(&self, mut exhibits: Exhibits) -> Exhibits {
        let mut ends: Vec<u64> =
            self.rows.iter().map(|row| row.completed).filter(|end| *end <= exhibits.known).collect();
        ends.sort_unstable();
        ends.dedup();
        let by = |end: u64| ends.partition_point(|other| *other <= end);
        // Up to the `good`-th completion there is an order, up to the `bad`-th none.
        let (mut good, mut bad) = (0, by(exhibits.known));
        let mut is_halved = true;
        while bad - good > 1 {
            let middle = if is_halved { good + (bad - good) / 2 } else { bad - 1 };
            is_halved = !is_halved;
            match self.exhibits(ends[middle - 1]) {
                Some(earlier) => (bad, exhibits) = (by(earlier.known), earlier),
                None => good = middle,
            }
        }
        exhibits
    }

    /// Operations that contradict each other in the record up to `until`, if it has no order.
    fn exhibits(&self, until: u64) -> Option<Exhibits> {
        let mut clusters = Clusters::of_one_key(self.values.len(), until);
        self.rows_until(until).for_each(|row| clusters.add(row));
        let clash = clusters.judge().remove(&0)?;
        Some(self.exhibits_of(&clusters, clash, until))
    }

    fn rows_until(&self, until: u64) -> impl Iterator<Item = &Row> + Clone {
        self.rows.iter().take_while(move |row| row.invoked < until)
    }

    /// The operations that show a clash in the record up to `until`.
    fn exhibits_of(&self, clusters: &Clusters, clash: Clash, until: u64) -> Exhibits {
        let rows = || self.rows_until(until);
        let needed = Needed::of(clusters, clash);
        let mut seen: Vec<Option<Row>> = vec![None; needed.met.len()];
        let mut exhibits = Exhibits { rows: Vec::new(), made: needed.made, unmade: needed.unmade, known: 0 };
        for row in rows() {
            let (cluster, is_writer) = match row.act {
                Act::Met(value) => (value, false),
                Act::Made(value) | Act::Turned(_, value) => (value, true),
                Act::Missed(_) => continue,
            };
            if is_writer && exhibits.made.contains(&cluster) {
                exhibits.rows.push(*row);
            }
            for ((values, since), seen) in needed.met.iter().zip(&mut seen) {
                let is_it = values.contains(&cluster) && row.invoked > *since && row.completed <= until;
                if is_it && seen.is_none_or(|seen| row.completed < seen.completed) {
                    *seen = Some(*row);
                }
            }
        }
        exhibits.rows.extend(seen.into_iter().flatten());
        exhibits.rows.extend(needed.missed.into_iter().flat_map(|miss| found_instead(&miss, rows())));
        exhibits.rows.sort_unstable_by_key(|row| row.number);
        exhibits.rows.dedup_by_key(|row| row.number);
        let ends = exhibits.rows.iter().map(|row| row.completed);
        exhibits.known = ends.filter(|end| *end <= until).max().unwrap_or_default();
        exhibits
    }

    /// How far the record has an order, if nothing but clusters could be in its way.
    fn notes(&self, culprit: u64) -> Vec<String> {
        if self.has_mismatches {
            return Vec::new();
        }
        let ends = || self.rows.iter().map(|row| row.completed).filter(|end| *end < NEVER);
        let (ordered, all) = (ends().filter(|end| *end < culprit).count() as u64, ends().count() as u64);
        let at = self.key.map(|key| format!(" at key {}", shown(key))).unwrap_or_default();
        let all = counted(all, "completed operation");
        vec![format!("the first {} of {all}{at} have an order", grouped(ordered))]
    }

    /// The exhibits as a record of their own.
    fn part(&self, exhibits: &Exhibits) -> Part<'h, Register> {
        let mut calls: Vec<Call<'h, Register>> = exhibits.rows.iter().map(|row| self.told(row, exhibits)).collect();
        if let Some(value) = exhibits.unmade {
            let value = self.values[value as usize];
            let others = (0..self.history.len()).filter(|number| is_at(&self.history.operations[*number], self.key));
            let asked = others.map(|number| self.call(number)).filter(|call| match &call.op {
                RegisterOp::Write(made) | RegisterOp::Cas { to: made, .. } => made == value,
                RegisterOp::Read | RegisterOp::Append(_) => false,
            });
            calls.extend(asked.map(without_sight));
            calls.sort_by_key(|call| call.number);
            calls.dedup_by_key(|call| call.number);
        }
        Part { key: self.key, calls }
    }

    /// What an exhibit has to tell: of the first in a chain, only what it made.
    fn told(&self, row: &Row, exhibits: &Exhibits) -> Call<'h, Register> {
        let call = self.call(row.number as usize);
        match row.act {
            Act::Turned(from, _) if !exhibits.made.contains(&from) => {
                Call { op: Register::made_only(&call.op), ..call }
            }
            Act::Turned(..) | Act::Met(_) | Act::Made(_) | Act::Missed(_) => call,
        }
    }

    fn call(&self, number: usize) -> Call<'h, Register> {
        let (_, call) = read(number, &self.history.operations[number], self.model).expect("it has been read before");
        call
    }

    /// The same witness, telling of every operation all that was asked.
    fn in_full(&self, witness: Witness) -> Witness {
        let told = witness.operations.iter().map(|told| testimony(&self.call(told.index), told.part)).collect();
        let is_minimal = witness.is_minimal;
        Witness { is_minimal, ..Witness::new(witness.key, told, witness.offender, witness.reason) }
    }
}

/// The same without what a mismatch tells, for which others would have to be kept.
fn without_sight(call: Call<'_, Register>) -> Call<'_, Register> {
    match call.outcome {
        Outcome::Returned(RegisterRet::Mismatch) => Call { outcome: Outcome::Refused, ..call },
        Outcome::Returned(_) | Outcome::Refused | Outcome::Unknown => call,
    }
}

/// A miss, and all that may have been there instead: whoever asked for something in time and was not replaced for certain by
/// the last write that was over before the miss began; and that write.
fn found_instead<'a>(miss: &Miss, rows: impl Iterator<Item = &'a Row> + Clone) -> Vec<Row> {
    let makers = rows.clone().filter(|row| matches!(row.act, Act::Made(_) | Act::Turned(..)));
    let over = makers.clone().filter(|row| row.completed < miss.invoked);
    let last = over.max_by_key(|row| row.invoked);
    let stays = |row: &&Row| row.invoked < miss.completed && last.is_none_or(|last| row.completed >= last.invoked);
    let itself = rows.filter(|row| row.invoked == miss.invoked && matches!(row.act, Act::Missed(_)));
    itself.chain(makers.filter(stays)).copied().collect()
}

fn is_at(source: &Operation, key: Option<&Value>) -> bool {
    key.is_none_or(|key| source.input.as_pair().is_some_and(|(same, _)| same == key))
}

/// Operations that contradict each other.
struct Exhibits {
    /// In the order of their invocations.
    rows: Vec<Row>,
    /// Clusters whose writers are among them, if they have any.
    made: BTreeSet<u32>,
    /// The value that nobody made in time, if that is what is wrong.
    unmade: Option<u32>,
    /// By when one knew.
    known: u64,
}

/// What it takes to see a clash.
#[derive(Default)]
struct Needed {
    /// The writers of these clusters.
    made: BTreeSet<u32>,
    /// For each of these, of some clusters whoever was asked after a position and was first to be over.
    met: Vec<(Vec<u32>, u64)>,
    unmade: Option<u32>,
    /// Who did not find the value, though it was there.
    missed: Option<Miss>,
}

impl Needed {
    fn of(clusters: &Clusters, clash: Clash) -> Needed {
        let mut needed = Needed::default();
        match clash {
            Clash::Unmade(value) => {
                needed.made.insert(value);
                needed.happened(clusters, value);
                needed.unmade = Some(value);
            }
            Clash::Twice(one, other) => {
                needed.made.extend(clusters.from(one).into_iter().chain([one, other]));
                needed.happened(clusters, one);
                needed.happened(clusters, other);
            }
            Clash::Circle(value) => {
                let links = std::iter::successors(clusters.from(value), |value| clusters.from(*value));
                needed.made.extend(links.take_while(|link| *link != value).chain([value]));
                needed.happened(clusters, value);
            }
            Clash::Backwards(later) => {
                let links = clusters.backwards(later);
                let earlier = links.last().map(|earlier| (vec![*earlier], clusters.first_end(later)));
                needed.met.extend([(vec![later], 0)].into_iter().chain(earlier));
                needed.made.extend(links);
            }
            Clash::Crossed(one, other) => {
                let (one, other) = clusters.crossed(one, other);
                let first_ends = [clusters.zone(&other).0, clusters.zone(&one).0];
                for (links, ended) in [one, other].into_iter().zip(first_ends) {
                    needed.made.extend(&links);
                    needed.happened(clusters, links[links.len() - 1]);
                    needed.met.extend([(links.clone(), 0), (links, ended)]);
                }
            }
            Clash::Held(value, miss) => {
                let miss = clusters.miss(miss);
                needed.made.extend([value].into_iter().chain(clusters.next(value)));
                clusters.next(value).into_iter().for_each(|next| needed.happened(clusters, next));
                needed.met.extend([(vec![value], 0), (vec![value], miss.completed)]);
                needed.missed = Some(miss);
            }
        }
        needed
    }

    /// Whoever shows that a value was there: one who met it, or a compare-and-set that did and is known by its own value.
    fn happened(&mut self, clusters: &Clusters, mut value: u32) {
        while clusters.first_end(value) == NEVER {
            let Some(next) = clusters.next(value) else { return };
            value = next;
            self.made.insert(value);
        }
        self.met.push((vec![value], 0));
    }
}
