//! Where time went that does not usually go there: machines and connections under strain.
//!
//! The question comes after the run: these people waited, what for? Most of what happens is prompt and tells nothing, so
//! only the exceptions are noted, as stretches of time: an inbox that was never empty, a flush that took long, a message
//! that came much later than its link alone would have brought it. Noting costs a comparison where nothing is wrong.

use crate::machine::{MachineId, Pairs};
use crate::protocol::{ClientId, NodeId};
use crate::time::{MILLISECOND, Nanos};
use std::collections::BTreeMap;

/// A stretch of true time: from, to.
pub type Span = (Nanos, Nanos);

/// What is over sooner is no strain: a few slow steps, an unlucky draw of a delay.
pub(crate) const LONG: Nanos = 10 * MILLISECOND;

/// Stretches of time as they are noted, roughly in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spans(Vec<Span>);

impl Spans {
    /// Notes a stretch if it is long. One that joins the last makes that longer, so that a day of slow messages is one.
    #[inline]
    pub(crate) fn note(&mut self, from: Nanos, to: Nanos) {
        if to.saturating_sub(from) >= LONG {
            self.keep(from, to);
        }
    }

    #[cold]
    #[inline(never)]
    fn keep(&mut self, from: Nanos, to: Nanos) {
        match self.0.last_mut() {
            Some(last) if (last.0..=last.1).contains(&from) => last.1 = last.1.max(to),
            Some(_) | None => self.0.push((from, to)),
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Span> {
        self.0
    }
}

/// In order, and no two that touch.
fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    spans.dedup_by(|next, last| {
        let touches = next.0 <= last.1;
        if touches {
            last.1 = last.1.max(next.1);
        }
        touches
    });
    spans
}

/// What was under strain in a run, and when. Stretches stand in order and do not touch.
#[derive(Clone, Debug)]
pub struct Strain {
    nodes: u32,
    /// By node.
    busy: Vec<Vec<Span>>,
    late: Between,
    /// When a fault was dropping messages, from the first that it dropped there.
    dropped: Between,
}

/// By pair of machines, whichever way; the lower number first.
type Between = BTreeMap<(u32, u32), Vec<Span>>;

/// Stretches of time that belong to pairs of machines, in order.
fn between(stretches: impl Iterator<Item = ((MachineId, MachineId), Vec<Span>)>) -> Between {
    let mut between = Between::new();
    for ((MachineId(from), MachineId(to)), spans) in stretches {
        between.entry((from.min(to), from.max(to))).or_default().extend(spans);
    }
    between.into_iter().map(|(pair, spans)| (pair, joined(spans))).collect()
}

impl Strain {
    pub(crate) fn new<'a>(
        busy: impl Iterator<Item = Vec<Span>>,
        pairs: Pairs,
        late: impl Iterator<Item = &'a Spans>,
        dropped: impl Iterator<Item = ((MachineId, MachineId), Span)>,
    ) -> Self {
        let busy: Vec<Vec<Span>> = busy.map(joined).collect();
        let late = pairs.iter().zip(late).filter(|(_, spans)| !spans.0.is_empty());
        let late = between(late.map(|(pair, spans)| (pair, spans.0.clone())));
        let dropped = between(dropped.map(|(pair, span)| (pair, vec![span])));
        Strain { nodes: busy.len() as u32, busy, late, dropped }
    }

    /// When a node had something waiting all the time, or its disk was slow to flush.
    pub fn busy(&self, node: NodeId) -> &[Span] {
        &self.busy[node.0 as usize]
    }

    /// When something under way between two nodes was late.
    pub fn late(&self, a: NodeId, b: NodeId) -> &[Span] {
        Strain::of(&self.late, a.0, b.0)
    }

    /// When something under way between a client and a node was late.
    pub fn late_for(&self, client: ClientId, node: NodeId) -> &[Span] {
        Strain::of(&self.late, node.0, self.nodes + client.0)
    }

    /// When messages between two nodes were being picked out and dropped.
    pub fn dropped(&self, a: NodeId, b: NodeId) -> &[Span] {
        Strain::of(&self.dropped, a.0, b.0)
    }

    /// When messages between a client and a node were.
    pub fn dropped_for(&self, client: ClientId, node: NodeId) -> &[Span] {
        Strain::of(&self.dropped, node.0, self.nodes + client.0)
    }

    fn of(between: &Between, a: u32, b: u32) -> &[Span] {
        between.get(&(a.min(b), a.max(b))).map_or(&[], |spans| &spans[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_is_not_kept_and_what_joins_is_one() {
        let mut spans = Spans::default();
        spans.note(0, LONG - 1);
        assert!(spans.0.is_empty());
        spans.note(0, LONG);
        spans.note(LONG, 3 * LONG);
        spans.note(5 * LONG, 6 * LONG);
        assert_eq!(spans.0, [(0, 3 * LONG), (5 * LONG, 6 * LONG)]);
    }

    #[test]
    fn both_ways_between_two_machines_are_one_connection() {
        let pairs = Pairs::new(2, 1);
        let mut late = vec![Spans::default(); pairs.count()];
        let mut note = |from, to, at| {
            late[pairs.index(MachineId(from), MachineId(to)).expect("a pair")].note(at, at + 2 * LONG);
        };
        note(0, 1, 9 * LONG);
        note(1, 0, 8 * LONG);
        note(2, 1, 0);
        let busy = [vec![(7, 9), (1, 3), (2, 4)], Vec::new()];
        let dropped = [((MachineId(1), MachineId(2)), (5, 6)), ((MachineId(2), MachineId(1)), (6, 9))];
        let strain = Strain::new(busy.into_iter(), pairs, late.iter(), dropped.into_iter());
        assert_eq!(strain.dropped_for(ClientId(0), NodeId(1)), [(5, 9)]);
        assert!(strain.dropped(NodeId(0), NodeId(1)).is_empty());
        assert_eq!(strain.late(NodeId(1), NodeId(0)), [(8 * LONG, 11 * LONG)]);
        assert_eq!(strain.late_for(ClientId(0), NodeId(1)), [(0, 2 * LONG)]);
        assert!(strain.late_for(ClientId(0), NodeId(0)).is_empty());
        assert_eq!(strain.busy(NodeId(0)), [(1, 4), (7, 9)]);
    }
}
