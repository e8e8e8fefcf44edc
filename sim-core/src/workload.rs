//! What clients are to ask for, and when.

use crate::delay::Delay;
use crate::dice::Dice;
use crate::time::Nanos;
use history::Value;

/// When the next operation begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pace {
    /// One at a time: it thinks this long after each answer. Such clients ask less when the system is slow.
    Closed {
        /// How long it thinks.
        think: Delay,
    },
    /// At a rate of its own, whether or not earlier operations have been answered.
    Open {
        /// From one invocation to the next.
        gap: Delay,
    },
    /// Each at its own time, whether or not earlier operations have been answered.
    Script {
        /// What, in the order of time.
        operations: Vec<Scripted>,
    },
    /// Reads keys once, trying each again until it is answered or the run ends: what survived?
    FinalReads {
        /// How many reads are under way at once.
        window: u32,
        /// Which keys, in this order.
        keys: Vec<u32>,
    },
}

/// One operation of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scripted {
    /// Which of the clients that share the workload asks, counted from 0.
    pub client: u32,
    /// It begins when that client's clock shows this much after [`Clock::EPOCH`](crate::Clock::EPOCH).
    pub at: Nanos,
    /// Which of the data's functions.
    pub function: usize,
    /// On which key; 0 for data without keys.
    pub key: u32,
    /// A value for each thing that the function takes.
    pub arguments: Vec<Value>,
}

/// How keys are chosen: a cumulative table of weights, so that any distribution costs one draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Of 2^64, where each key's share ends; the last is all ones.
    ends: Vec<u64>,
}

impl Keys {
    /// Every key as likely as every other.
    pub fn uniform(count: u32) -> Self {
        assert!(count > 0, "a load has at least one key");
        let share = |i: u32| ((u128::from(i) << 64) / u128::from(count)) as u64;
        Keys { ends: (1..count).map(share).chain([u64::MAX]).collect() }
    }

    /// Where each key's share ends, of 2^64.
    ///
    /// # Panics
    /// If the shares do not rise to the very end: they are computed, never typed in.
    pub fn from_ends(ends: Vec<u64>) -> Self {
        assert!(ends.is_sorted() && ends.last() == Some(&u64::MAX), "shares rise and end at 2^64");
        Keys { ends }
    }

    /// How many keys there are.
    pub fn count(&self) -> u32 {
        self.ends.len() as u32
    }

    /// One key.
    pub fn draw(&self, dice: &mut Dice) -> u32 {
        let bits = dice.bits();
        self.ends.partition_point(|&end| end < bits) as u32
    }
}

/// What a group of clients asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Its name in the scenario.
    pub name: String,
    /// When the next operation begins.
    pub pace: Pace,
    /// How often each of the data's functions is asked for: (function number, weight). Scripts say it themselves.
    pub mix: Vec<(usize, u64)>,
    /// Which keys.
    pub keys: Keys,
    /// How long a client waits for an operation before it gives up.
    pub patience: Nanos,
    /// How long it waits for one answer before it tries again, perhaps elsewhere.
    pub retry_after: Nanos,
    /// It begins when the client's clock shows this much after [`Clock::EPOCH`](crate::Clock::EPOCH) …
    pub from: Nanos,
    /// … and starts nothing new from when it shows this much.
    pub until: Nanos,
}

impl Workload {
    /// Whether it only looks at what survived: no part of what the scenario's author calls clients.
    pub fn reads_finally(&self) -> bool {
        matches!(self.pace, Pace::FinalReads { .. })
    }

    /// Draws a function and a key. Always two draws, whatever comes of them.
    pub fn draw(&self, dice: &mut Dice) -> (usize, u32) {
        let total: u64 = self.mix.iter().map(|(_, weight)| weight).sum();
        let mut at = dice.below(total);
        let key = self.keys.draw(dice);
        for &(function, weight) in &self.mix {
            if at < weight {
                return (function, key);
            }
            at -= weight;
        }
        panic!("a draw below the sum of the weights falls to one of them")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::{StreamName, Streams};

    #[test]
    fn keys_and_functions_come_in_their_shares() {
        let workload = Workload {
            name: "load".into(),
            pace: Pace::Closed { think: Delay::NONE },
            mix: vec![(0, 3), (1, 1)],
            keys: Keys::uniform(4),
            patience: 1,
            retry_after: 1,
            from: 0,
            until: 1,
        };
        let mut dice = Streams::new(1).dice(StreamName::new(&["load"]));
        let mut counts = [[0u32; 4]; 2];
        for _ in 0..80_000 {
            let (function, key) = workload.draw(&mut dice);
            counts[function][key as usize] += 1;
        }
        for key in 0..4 {
            assert!((14_000..16_000).contains(&counts[0][key]), "{counts:?}");
            assert!((4_500..5_500).contains(&counts[1][key]), "{counts:?}");
        }
    }
}
