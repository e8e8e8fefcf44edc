//! Clients that take turns in virtual time, for whatever can be asked of a store: each operation takes effect at some
//! instant between its invocation and its completion, so that what comes out has an order by construction.

use history::{History, Mark, Operation, Outcome, Purpose, Value};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

#[path = "../../tests/dice/mod.rs"]
mod dice;

pub use dice::Dice;

/// What clients ask, and what it does.
pub trait Store {
    /// The function and the argument of an operation, by its number.
    fn ask(&mut self, number: usize, dice: &mut Dice) -> (&'static str, Value);

    /// Lets an operation take effect: says what it returns, if its client will ever hear of it.
    fn apply(&mut self, operation: &mut Operation);
}

/// How they take turns.
pub struct Turns {
    pub clients: usize,
    pub count: usize,
    /// Whether one operation in a hundred is never heard of again.
    pub forgets: bool,
    /// One latency in so many is ten times as long, which keeps writes open while others finish; 0 for none.
    pub straggler: usize,
}

/// What happens next to a client. At one instant the order is that of the variants.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Invoke,
    Effect,
    Complete,
}

impl Turns {
    /// What they record, of which about half are busy at any time.
    pub fn record(&self, store: &mut impl Store) -> History {
        let mut dice = Dice(7);
        let mut agenda = BinaryHeap::new();
        for client in 0..self.clients {
            agenda.push(Reverse((self.latency(&mut dice), Step::Invoke, client, 0)));
        }
        // Who was never answered goes on as somebody else.
        let mut names: Vec<u64> = (0..self.clients as u64).collect();
        let (mut history, mut index) = (History::default(), 0);
        while let Some(Reverse((time, step, client, number))) = agenda.pop() {
            let mark = Mark { index, time };
            match step {
                Step::Invoke if history.len() == self.count => continue,
                Step::Invoke => {
                    let number = history.len();
                    let (f, input) = store.ask(number, &mut dice);
                    let (process, purpose, node) = (names[client], Purpose::Load, None);
                    let (completed, outcome) = (None, Outcome::Unknown);
                    let f = f.into();
                    history.operations.push(Operation {
                        process,
                        f,
                        input,
                        invoked: mark,
                        completed,
                        outcome,
                        purpose,
                        node,
                    });
                    let latency = self.latency(&mut dice);
                    let effect = time + dice.below(latency as usize) as u64;
                    agenda.push(Reverse((effect, Step::Effect, client, number)));
                    let is_forgotten = self.forgets && dice.one_in(100);
                    names[client] += if is_forgotten { self.clients as u64 } else { 0 };
                    let last = if is_forgotten { Step::Invoke } else { Step::Complete };
                    agenda.push(Reverse((time + latency, last, client, number)));
                }
                Step::Effect => {
                    store.apply(&mut history.operations[number]);
                    continue;
                }
                Step::Complete => {
                    history.operations[number].completed = Some(mark);
                    agenda.push(Reverse((time + self.latency(&mut dice), Step::Invoke, client, 0)));
                }
            }
            index += 1;
        }
        for operation in history.operations.iter_mut().filter(|operation| operation.completed.is_none()) {
            operation.outcome = Outcome::Unknown;
        }
        history
    }

    /// About 1 000, and as long from one operation to the next.
    fn latency(&self, dice: &mut Dice) -> u64 {
        let mean = if self.straggler > 0 && dice.one_in(self.straggler) { 10_000 } else { 1_000 };
        (1 + dice.below(mean) + dice.below(mean)) as u64
    }
}
