//! What is still to happen, in order of time and, at the same instant, of asking.
//!
//! Events rest in a slab and only 16-byte keys move in the heap, which is worth more than a cleverer heap: a message is
//! several times larger than its key. Time never runs backwards, and that is asserted at both doors.

use crate::time::Nanos;
use slab::Slab;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Bits of a key that say where the event rests: at most 16 million events wait at once.
const SLOT_BITS: u32 = 24;

/// Events by time, then by order of pushing.
#[derive(Clone, Debug)]
pub(crate) struct Queue<E> {
    /// Time (64 bits), order of pushing (40), slot (24).
    keys: BinaryHeap<Reverse<u128>>,
    /// The first key is of an event that has been taken. It stays until it is known what happens next: most events ask for
    /// another, whose key takes its place at half the cost of a removal and an insertion.
    is_taken: bool,
    events: Slab<E>,
    pushed: u64,
    now: Nanos,
}

impl<E> Queue<E> {
    pub(crate) fn new() -> Self {
        Queue {
            keys: BinaryHeap::with_capacity(64),
            is_taken: false,
            events: Slab::with_capacity(64),
            pushed: 0,
            now: 0,
        }
    }

    /// The time of the last event popped.
    pub(crate) fn now(&self) -> Nanos {
        self.now
    }

    #[inline]
    pub(crate) fn push(&mut self, at: Nanos, event: E) {
        assert!(at >= self.now, "an event was asked for in the past");
        let slot = self.events.insert(event) as u64;
        assert!(slot < 1 << SLOT_BITS, "more than 16 million events wait at once");
        self.pushed += 1;
        let key = Reverse(u128::from(at) << 64 | u128::from(self.pushed << SLOT_BITS | slot));
        if std::mem::take(&mut self.is_taken) {
            *self.keys.peek_mut().expect("the key of what was taken is still there") = key;
        } else {
            self.keys.push(key);
        }
    }

    /// Removes the key of an event that has been taken and has asked for nothing.
    fn settle(&mut self) {
        if std::mem::take(&mut self.is_taken) {
            self.keys.pop();
        }
    }

    /// The next event, if it happens no later than `until`.
    #[inline]
    pub(crate) fn pop(&mut self, until: Nanos) -> Option<E> {
        self.settle();
        let Reverse(key) = *self.keys.peek()?;
        let at = (key >> 64) as Nanos;
        if at > until {
            return None;
        }
        self.is_taken = true;
        assert!(at >= self.now, "time ran backwards");
        self.now = at;
        Some(self.events.remove((key as usize) & ((1 << SLOT_BITS) - 1)))
    }

    /// Lets time pass up to `until`, before which nothing must be left to happen.
    pub(crate) fn advance(&mut self, until: Nanos) {
        self.settle();
        let next = self.keys.peek().map(|Reverse(key)| (key >> 64) as Nanos);
        assert!(next.is_none_or(|at| at > until), "an event was skipped");
        self.now = self.now.max(until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::{StreamName, Streams};
    use std::collections::BTreeMap;

    /// Against a dumb twin: a sorted map of (time, order).
    #[test]
    fn events_come_by_time_and_then_by_order() {
        let mut dice = Streams::new(1).dice(StreamName::new(&["queue"]));
        let (mut queue, mut twin) = (Queue::new(), BTreeMap::new());
        for order in 0..20_000u64 {
            if dice.below(5) < 3 {
                let at = queue.now() + dice.below(50);
                queue.push(at, order);
                twin.insert((at, order), ());
            } else {
                let expected = twin.pop_first().map(|((at, order), ())| (order, at));
                let got = queue.pop(Nanos::MAX).map(|order| (order, queue.now()));
                assert_eq!(got, expected);
            }
        }
    }

    #[test]
    fn nothing_happens_after_the_limit() {
        let mut queue = Queue::new();
        queue.push(10, 'a');
        assert_eq!(queue.pop(9), None);
        queue.advance(9);
        assert_eq!(queue.now(), 9);
        assert_eq!(queue.pop(10), Some('a'));
    }

    #[test]
    #[should_panic(expected = "in the past")]
    fn the_past_is_closed() {
        let mut queue = Queue::new();
        queue.push(10, ());
        queue.pop(10);
        queue.push(9, ());
    }
}
