//! A long story told anew: few faults and few operations, drawn by lot.
//!
//! Leaving out one thing after the other ends where every single thing that is left is needed, and that may be far from a short
//! story: operations fill logs and shift whatever is drawn after them. So short stories are drawn: the settings are those of
//! the smallest so far, the faults are of the kinds that the run had, or cut off or stop a single node, and the operations
//! are some of those that were asked, a few at a time. What the budget of events buys is tried, and the first one that fails
//! in the same way is the new smallest.

use super::faults::{kind_of, sides};
use super::loads::Asked;
use super::simple::rename;
use super::tree::{as_time, number, text, texts, time, value};
use super::{Shrinker, Size};
use crate::diagnostics::Origin;
use crate::text::{Shape, Table};
use sim_core::dice::{Dice, Ratio, StreamName, Streams};
use sim_core::time::{MILLISECOND, Nanos};
use std::collections::BTreeSet;

/// A story with no more faults and operations than these is short.
pub(super) const FEW_FAULTS: usize = 3;
const FEW_OPERATIONS: usize = 12;

/// Times are whole numbers of this.
const GRID: Nanos = 10 * MILLISECOND;

/// How long a story that is drawn lasts. Elections take a tenth to a third of a second.
const LENGTHS: [Nanos; 4] = [800 * MILLISECOND, 1_200 * MILLISECOND, 2_000 * MILLISECOND, 3_000 * MILLISECOND];

impl Size {
    /// Whether anybody would read it.
    fn is_short(self) -> bool {
        self.faults <= FEW_FAULTS && self.operations <= FEW_OPERATIONS
    }
}

impl Shrinker<'_> {
    /// The kinds of faults that the smallest so far knows, each strike on the machines that it met.
    pub(super) fn kinds_of_faults(&self) -> Vec<Table> {
        let mut known = BTreeSet::new();
        let mut kinds: Vec<Table> =
            (0..self.best.tables("fault").len()).flat_map(|fault| self.strikes_of(fault)).collect();
        kinds.retain(|fault| known.insert(kind_of(fault)));
        kinds
    }

    /// Looks for a short story, if this one is not; as long as so many events allow.
    pub(super) fn tell_anew(&mut self, budget: u64) {
        if self.seen.size().is_short() || self.asked_for().is_empty() {
            return;
        }
        let (asked, kinds) = (self.asked_for(), self.kinds_at_hand());
        let end = self.trial.events + budget;
        let told = self.told_anew;
        while self.trial.events < end && !self.trial.is_over() && self.told_anew - told < budget / 200 {
            self.told_anew += 1;
            let candidate = self.short_story(self.told_anew, &asked, &kinds);
            if self.attempt(candidate) {
                return;
            }
        }
    }

    /// What a fault of a short story can be: a kind that the run had, or a node cut off or stopped.
    fn kinds_at_hand(&self) -> [Vec<Table>; 2] {
        let few = self.seen.plan.nodes.len() as u64;
        let same = |node: u64| node;
        let mut known = self.kinds.clone();
        known.extend(self.best.tables("fault").into_iter().filter(|fault| fault.get("at").is_some()));
        known.retain_mut(|fault| sides(fault).into_iter().all(|side| rename(side, few, &same)));
        let nodes = (1..=few).map(|node| format!("n{node}"));
        let plain = nodes.flat_map(|node| {
            let (mut cut, mut stop) = (fault("partition"), fault("crash"));
            let alone = texts([node.clone()]);
            cut.put("groups", value(Shape::List(vec![alone, texts(["others".to_owned()])])));
            stop.put("target", text(node));
            [cut, stop]
        });
        [known, plain.collect()]
    }

    /// The short story of this lot.
    fn short_story(&self, lot: u64, asked: &[Asked], kinds: &[Vec<Table>; 2]) -> Table {
        let mut dice = Streams::new(lot).dice(StreamName::new(&["shrink", "anew"]));
        let length = LENGTHS[dice.below(LENGTHS.len() as u64) as usize];
        let mut instants: Vec<Nanos> = Vec::new();
        let mut faults = self.best.tables("fault");
        // Every third lot leaves the faults that there are where they are, if they are few.
        let is_kept = faults.len() <= FEW_FAULTS && lot.is_multiple_of(3);
        if !is_kept {
            // What was there from the beginning is the ground on which the others strike.
            faults.retain(|fault| fault.get("at").and_then(as_time) == Some(0));
            faults.truncate(FEW_FAULTS);
            let more = dice.between(1, FEW_FAULTS as u64) as usize;
            while faults.len() < more {
                faults.push(drawn_fault(&mut dice, kinds, length));
            }
            faults.sort_by_key(|fault| fault.get("at").and_then(as_time));
        }
        for fault in &faults {
            let at = fault.get("at").and_then(as_time).unwrap_or(0);
            instants.extend([at, at + fault.get("for").and_then(as_time).unwrap_or(0)]);
        }
        let length = if is_kept { self.seen.scenario.duration } else { length };
        let mut candidate = self.asking_anew(&drawn_operations(&mut dice, asked, &instants, length));
        candidate.put_tables("fault", faults);
        candidate.put("duration", time(length));
        candidate.put("seed", number(lot));
        candidate
    }
}

/// A fault that says only what it does.
fn fault(what: &str) -> Table {
    let mut fault = Table { entries: Vec::new(), origin: Origin::Whole };
    fault.put("do", text(what));
    fault
}

fn drawn_fault(dice: &mut Dice, [known, plain]: &[Vec<Table>; 2], length: Nanos) -> Table {
    let kinds = if known.is_empty() || dice.chance(Ratio::new(1, 2)) { plain } else { known };
    let mut fault = kinds[dice.below(kinds.len() as u64) as usize].clone();
    let (at, longest) = (dice.below(length / GRID), dice.between(1, length / GRID));
    fault.put("at", time(at * GRID));
    if fault.text("do").is_some_and(|what| what == "partition" || what == "crash") || fault.get("for").is_some() {
        fault.put("for", time(dice.between(1, longest) * GRID));
    }
    fault
}

/// Some of what was asked, in its order, a few operations at a time: just behind an instant at which something changes, or at any.
fn drawn_operations(dice: &mut Dice, asked: &[Asked], instants: &[Nanos], length: Nanos) -> Vec<Asked> {
    let count = dice.between(1, FEW_OPERATIONS as u64) as usize;
    let mut chosen: Vec<usize> = (0..asked.len()).collect();
    dice.draw_to_front(&mut chosen, count.min(asked.len()));
    chosen.truncate(count);
    chosen.sort_unstable();
    let clients = dice.between(1, 3) as u32;
    let rounds = dice.between(1, 4);
    let mut times: Vec<Nanos> = Vec::new();
    for _ in 0..rounds {
        let any = dice.below(length / GRID) * GRID;
        let near = instants.get(dice.below(instants.len().max(1) as u64) as usize).map(|at| at + dice.below(10) * GRID);
        times.push(near.filter(|_| dice.chance(Ratio::new(1, 2))).unwrap_or(any).min(length - GRID));
    }
    let mut drawn: Vec<Asked> = chosen.into_iter().map(|at| asked[at].clone()).collect();
    for asked in &mut drawn {
        asked.line.client %= clients;
        asked.line.key = asked.line.key.map(|key| key % 2);
        asked.line.at = times[dice.below(rounds) as usize];
    }
    drawn.sort_by_key(|asked| asked.line.at);
    drawn
}
