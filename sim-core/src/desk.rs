//! A desk at which a protocol can be tried by hand, step by step, without a world round it.

use crate::dice::{Dice, StreamName, Streams};
use crate::protocol::{Ctx, Effect, NodeId, Vocabulary};
use crate::time::LocalTime;

/// Lends contexts to one process and keeps what it asks for.
pub struct Desk<V: Vocabulary> {
    me: NodeId,
    /// What the process's clock says in the next step.
    pub now: LocalTime,
    /// What its wall clock says.
    pub wall: LocalTime,
    dice: Dice,
    next_ticket: u64,
    effects: Vec<Effect<V>>,
}

impl<V: Vocabulary> Desk<V> {
    /// A desk for the process on `me`, with dice of its own.
    pub fn new(me: NodeId, seed: u64) -> Self {
        let dice = Streams::new(seed).dice(StreamName::new(&["node", &me.to_string(), "0"]));
        Desk { me, now: LocalTime::default(), wall: LocalTime::default(), dice, next_ticket: 0, effects: Vec::new() }
    }

    /// A context for one step.
    pub fn ctx(&mut self) -> Ctx<'_, V> {
        Ctx {
            me: self.me,
            now: self.now,
            wall: self.wall,
            dice: &mut self.dice,
            next_ticket: &mut self.next_ticket,
            effects: &mut self.effects,
        }
    }

    /// What the process has asked for since this was last called, in order.
    pub fn take(&mut self) -> Vec<Effect<V>> {
        std::mem::take(&mut self.effects)
    }
}
