//! Histories with known answers, from a seed.
//!
//! Clients live in virtual time: an operation takes about 1 ms, one in fifty ten times that, and between two operations a client
//! thinks for about as long, so that about half of them are busy. Half of the operations read. Each takes effect at one instant
//! between its invocation and its completion, so the history is linearizable by construction. Of operations of unknown outcome
//! every other one takes effect, perhaps later; its client goes on as a new process.

use checkers::Model;
use history::{Completion, History, Mark, Operation, Outcome, Purpose, Value};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// What a history shall be like.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub model: Model,
    pub clients: u64,
    pub operations: usize,
    pub keys: u64,
    /// How many values there are to write; 0 if every write has its own.
    pub values: u64,
    /// Of a thousand operations, how many have an unknown outcome.
    pub unknown: u64,
    /// Whether one late read returns what was replaced long before it.
    pub is_stale: bool,
}

/// splitmix64 (Steele, Lea and Flood 2014): the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % bound
    }

    /// About `mean`, in nanoseconds.
    fn about(&mut self, mean: u64) -> u64 {
        1 + self.below(mean) + self.below(mean)
    }

    fn latency(&mut self) -> u64 {
        let mean = if self.below(50) == 0 { 10_000_000 } else { 1_000_000 };
        self.about(mean)
    }
}

/// What happens next to a client; at one instant in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Invoke,
    Effect,
    Complete,
}

/// What an operation does.
#[derive(Clone, Copy)]
enum Deed {
    Read,
    Write(i64),
    Cas(i64, i64),
}

struct World {
    shape: Shape,
    dice: Dice,
    agenda: BinaryHeap<Reverse<(u64, Step, u64, usize)>>,
    /// By client: its process.
    process: Vec<u64>,
    store: Vec<Option<i64>>,
    history: History,
    /// By operation: its key, what it does, and whether anybody will hear of it.
    deeds: Vec<(u64, Deed, bool)>,
    written: i64,
    events: u64,
}

/// A history of this shape.
pub fn generate(shape: Shape, seed: u64) -> History {
    let mut world = World {
        shape,
        dice: Dice(seed),
        agenda: BinaryHeap::new(),
        process: (0..shape.clients).collect(),
        store: vec![None; shape.keys as usize],
        history: History::default(),
        deeds: Vec::new(),
        written: 0,
        events: 0,
    };
    for client in 0..shape.clients {
        let at = world.dice.about(1_000_000);
        world.agenda.push(Reverse((at, Step::Invoke, client, 0)));
    }
    while let Some(Reverse((time, step, client, number))) = world.agenda.pop() {
        match step {
            Step::Invoke if world.history.len() == shape.operations => {}
            Step::Invoke => world.invoke(time, client),
            Step::Effect => world.take_effect(number),
            Step::Complete => world.complete(time, client, number),
        }
    }
    let mut history = world.history;
    if shape.is_stale {
        spoil(&mut history, &world.deeds);
    }
    history
}

impl World {
    fn mark(&mut self, time: u64) -> Mark {
        self.events += 1;
        Mark { index: self.events - 1, time }
    }

    fn invoke(&mut self, time: u64, client: u64) {
        let number = self.history.len();
        let key = self.dice.below(self.shape.keys);
        let deed = self.deed(key);
        let is_heard_of = self.dice.below(1000) >= self.shape.unknown;
        let (f, argument) = match deed {
            Deed::Read => ("read", Value::Nil),
            Deed::Write(value) => ("write", Value::Int(value)),
            Deed::Cas(from, to) => ("cas", Value::pair(Value::Int(from), Value::Int(to))),
        };
        let invoked = self.mark(time);
        self.deeds.push((key, deed, is_heard_of));
        self.history.operations.push(Operation {
            process: self.process[client as usize],
            f: f.into(),
            input: self.keyed(key, argument),
            invoked,
            completed: None,
            outcome: Outcome::Unknown,
            purpose: Purpose::Load,
            node: None,
        });
        let latency = self.dice.latency();
        let (reach, takes_effect) = if is_heard_of { (latency, true) } else { (3 * latency, self.dice.below(2) == 0) };
        let effect = time + self.dice.below(reach);
        if takes_effect {
            self.agenda.push(Reverse((effect, Step::Effect, client, number)));
        }
        self.agenda.push(Reverse((time + latency, Step::Complete, client, number)));
    }

    fn deed(&mut self, key: u64) -> Deed {
        if self.dice.below(2) == 0 {
            return Deed::Read;
        }
        self.written += 1;
        let value = if self.shape.values > 0 { self.dice.below(self.shape.values) as i64 } else { self.written };
        let is_cas = self.shape.model == Model::CasRegister && self.dice.below(2) == 0;
        match self.store[key as usize] {
            Some(held) if is_cas => Deed::Cas(held, value),
            Some(_) | None => Deed::Write(value),
        }
    }

    fn keyed(&self, key: u64, value: Value) -> Value {
        if self.shape.model == Model::Kv { Value::pair(Value::Int(key as i64), value) } else { value }
    }

    fn take_effect(&mut self, number: usize) {
        let (key, deed, is_heard_of) = self.deeds[number];
        let held = self.store[key as usize];
        let answer = match deed {
            Deed::Read => Completion::Ok(self.keyed(key, held.map_or(Value::Nil, Value::Int))),
            Deed::Cas(from, _) if held != Some(from) => Completion::Mismatch,
            Deed::Write(to) | Deed::Cas(_, to) => {
                self.store[key as usize] = Some(to);
                Completion::Ok(self.history.operations[number].input.clone())
            }
        };
        if is_heard_of {
            self.history.operations[number].outcome = Outcome::Returned(answer);
        }
    }

    fn complete(&mut self, time: u64, client: u64, number: usize) {
        let mark = self.mark(time);
        self.history.operations[number].completed = Some(mark);
        if !self.deeds[number].2 {
            self.process[client as usize] += self.shape.clients;
        }
        let thinks = self.dice.about(1_000_000);
        self.agenda.push(Reverse((time + thinks, Step::Invoke, client, 0)));
    }
}

/// Lets a late read return what a write left behind that was over before another began, which was over before the read began.
fn spoil(history: &mut History, deeds: &[(u64, Deed, bool)]) {
    let is_known = |number: &usize| deeds[*number].2;
    let reads = (0..deeds.len()).rev().filter(|number| is_known(number) && matches!(deeds[*number].1, Deed::Read));
    // Of each key, its writes in the order in which they were over.
    let mut writes: BTreeMap<u64, Vec<(u64, u64, i64)>> = BTreeMap::new();
    for (number, (key, deed, _)) in deeds.iter().enumerate().filter(|(number, _)| is_known(number)) {
        let operation = &history.operations[number];
        if let (Deed::Write(value), Some(end)) = (deed, operation.completed) {
            writes.entry(*key).or_default().push((end.index, operation.invoked.index, *value));
        }
    }
    writes.values_mut().for_each(|writes| writes.sort_unstable());
    for read in reads {
        let key = deeds[read].0;
        let Some(writes) = writes.get(&key) else { continue };
        let before = |at: u64| writes[..writes.partition_point(|(end, _, _)| *end < at)].last();
        let Some((_, begun, _)) = before(history.operations[read].invoked.index) else { continue };
        let Some((_, _, old)) = before(*begun) else { continue };
        let key = history.operations[read].input.as_pair().map(|(key, _)| key.clone());
        let value = key.map_or(Value::Int(*old), |key| Value::pair(key, Value::Int(*old)));
        history.operations[read].outcome = Outcome::Returned(Completion::Ok(value));
        return;
    }
    panic!("a history so short has no place for a stale read");
}
