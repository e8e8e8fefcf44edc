//! What every machine has, whether it runs a node or a client: a clock, a CPU, alarms, an inbox.
//!
//! A process handles one thing at a time, and each costs its CPU some time. What arrives while it is busy or paused waits
//! in the inbox. One *ready* event is under way for a machine whose inbox is not empty, none for an idle one.

use crate::alarms::{Alarms, Call};
use crate::clock::{Clock, Clocks};
use crate::dice::Dice;
use crate::network::StrikeId;
use crate::strain::{Span, Spans};
use crate::time::Nanos;
use std::collections::VecDeque;

/// A machine: nodes first, then clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MachineId(pub(crate) u32);

/// Numbers the ordered pairs of machines that can talk. Clients say nothing to each other, so the pairs grow with the number
/// of clients, and not with its square.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pairs {
    nodes: usize,
    machines: usize,
}

impl Pairs {
    pub(crate) fn new(nodes: usize, clients: usize) -> Self {
        Pairs { nodes, machines: nodes + clients }
    }

    pub(crate) fn count(self) -> usize {
        self.nodes * self.machines + (self.machines - self.nodes) * self.nodes
    }

    /// The number of a pair; `None` for two clients.
    #[inline]
    pub(crate) fn index(self, from: MachineId, to: MachineId) -> Option<usize> {
        let (from, to) = (from.0 as usize, to.0 as usize);
        if from < self.nodes {
            return Some(from * self.machines + to);
        }
        (to < self.nodes).then(|| self.nodes * self.machines + (from - self.nodes) * self.nodes + to)
    }

    /// Every pair, in the order of their numbers.
    pub(crate) fn iter(self) -> impl Iterator<Item = (MachineId, MachineId)> {
        let reach = move |from| if from < self.nodes { self.machines } else { self.nodes };
        let pair = |from: usize, to: usize| (MachineId(from as u32), MachineId(to as u32));
        (0..self.machines).flat_map(move |from| (0..reach(from)).map(move |to| pair(from, to)))
    }
}

/// One process and what it runs on. `I` is what can be waiting for it, `T` its alarms.
#[derive(Clone, Debug)]
pub(crate) struct Machine<I, T> {
    pub(crate) id: MachineId,
    pub(crate) clocks: Clocks,
    /// The faults that make them wrong.
    pub(crate) clock_faults: Vec<StrikeId>,
    pub(crate) dice: Dice,
    pub(crate) alarms: Alarms<T>,
    /// How many faults keep it down.
    pub(crate) downs: u32,
    /// How many faults keep it paused.
    pub(crate) pauses: u32,
    /// How many faults keep its messages back …
    pub(crate) holds: u32,
    /// … and those to it that wait for their end.
    held: VecDeque<I>,
    /// Counts the processes it has run; what was meant for an earlier one is not for this one.
    pub(crate) incarnation: u32,
    pub(crate) busy_until: Nanos,
    /// Since when something has been waiting in the inbox, if something is.
    behind_since: Nanos,
    /// When it was behind for long.
    pub(crate) strained: Spans,
    pub(crate) inbox: VecDeque<I>,
    /// A ready event is under way.
    pub(crate) ready: bool,
}

/// What can be asked of a machine whatever runs on it.
pub(crate) trait Host {
    fn clocks(&self) -> Clocks;
    /// Sets its clocks. The calls to make to its alarms.
    fn set_clocks(&mut self, clocks: Clocks, now: Nanos) -> Vec<(Call, Nanos)>;
    /// The faults that make its clocks wrong.
    fn clock_faults(&mut self) -> &mut Vec<StrikeId>;
    fn incarnation(&self) -> u32;
    /// How many things wait in its inbox.
    fn waiting(&self) -> usize;
    fn downs(&mut self) -> &mut u32;
    fn pauses(&mut self) -> &mut u32;
    fn holds(&mut self) -> &mut u32;
    /// If no fault keeps its messages back any more, they are next in its inbox.
    fn let_in(&mut self, now: Nanos);
    fn is_up(&self) -> bool;
    /// Up, not paused, and its messages come through.
    fn is_well(&self) -> bool;
    /// When to look at the inbox, if that has to be arranged.
    fn next_ready(&mut self, now: Nanos) -> Option<Nanos>;
}

impl<I, T: Copy + Eq> Host for Machine<I, T> {
    fn clocks(&self) -> Clocks {
        self.clocks
    }

    fn set_clocks(&mut self, clocks: Clocks, now: Nanos) -> Vec<(Call, Nanos)> {
        self.clocks = clocks;
        self.alarms.look_again(clocks.monotonic, now)
    }

    fn clock_faults(&mut self) -> &mut Vec<StrikeId> {
        &mut self.clock_faults
    }

    fn incarnation(&self) -> u32 {
        self.incarnation
    }

    fn waiting(&self) -> usize {
        self.inbox.len()
    }

    fn downs(&mut self) -> &mut u32 {
        &mut self.downs
    }

    fn pauses(&mut self) -> &mut u32 {
        &mut self.pauses
    }

    fn holds(&mut self) -> &mut u32 {
        &mut self.holds
    }

    fn let_in(&mut self, now: Nanos) {
        if self.holds == 0 {
            std::mem::take(&mut self.held).into_iter().for_each(|input| self.queue(input, now));
        }
    }

    #[inline]
    fn is_up(&self) -> bool {
        self.downs == 0
    }

    #[inline]
    fn is_well(&self) -> bool {
        self.is_up() && self.pauses == 0 && self.holds == 0
    }

    #[inline]
    fn next_ready(&mut self, now: Nanos) -> Option<Nanos> {
        let needed = !self.ready && self.pauses == 0 && !self.inbox.is_empty();
        needed.then(|| {
            self.ready = true;
            self.busy_until.max(now)
        })
    }
}

impl<I, T: Copy + Eq> Machine<I, T> {
    pub(crate) fn new(id: MachineId, clock: Clock, dice: Dice) -> Self {
        Machine {
            id,
            clocks: Clocks::alike(clock),
            clock_faults: Vec::new(),
            dice,
            alarms: Alarms::new(),
            downs: 0,
            pauses: 0,
            holds: 0,
            held: VecDeque::new(),
            incarnation: 0,
            busy_until: 0,
            behind_since: 0,
            strained: Spans::default(),
            inbox: VecDeque::new(),
            ready: false,
        }
    }

    /// Whether something that arrives now is handled now.
    #[inline]
    pub(crate) fn is_free(&self, now: Nanos) -> bool {
        self.pauses == 0 && self.busy_until <= now && self.inbox.is_empty()
    }

    /// A message is kept back.
    pub(crate) fn hold(&mut self, input: I) {
        self.held.push_back(input);
    }

    /// Something has to wait.
    #[inline]
    pub(crate) fn queue(&mut self, input: I, now: Nanos) {
        if self.inbox.is_empty() {
            self.behind_since = now;
        }
        self.inbox.push_back(input);
    }

    /// Something that the process is to hear before all else that waits.
    pub(crate) fn queue_first(&mut self, input: I, now: Nanos) {
        if self.inbox.is_empty() {
            self.behind_since = now;
        }
        self.inbox.push_front(input);
    }

    /// The next that waits, unless the process is frozen.
    #[inline]
    pub(crate) fn next(&mut self, now: Nanos) -> Option<I> {
        let next = if self.pauses == 0 { self.inbox.pop_front() } else { None };
        if next.is_some() && self.inbox.is_empty() {
            self.strained.note(self.behind_since, now);
        }
        next
    }

    /// When it was behind for long, up to now.
    pub(crate) fn strained(&self, now: Nanos) -> Vec<Span> {
        let mut strained = self.strained.clone();
        if !self.inbox.is_empty() {
            strained.note(self.behind_since, now);
        }
        strained.into_vec()
    }

    /// The process dies, and with it what waited for it.
    pub(crate) fn crash(&mut self) -> VecDeque<I> {
        self.incarnation += 1;
        self.alarms.clear();
        self.busy_until = 0;
        self.ready = false;
        let mut waited = std::mem::take(&mut self.inbox);
        waited.append(&mut self.held);
        waited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_has_its_number() {
        let pairs = Pairs::new(3, 4);
        let numbers: Vec<Option<usize>> = pairs.iter().map(|(from, to)| pairs.index(from, to)).collect();
        assert_eq!(numbers, (0..pairs.count()).map(Some).collect::<Vec<_>>());
        assert_eq!(pairs.count(), 7 * 7 - 4 * 4, "all but those of two clients");
        assert_eq!(pairs.index(MachineId(3), MachineId(6)), None);
    }
}
