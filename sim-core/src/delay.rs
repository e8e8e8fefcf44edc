//! How long things take: a fixed time, a range, or a table of quantiles.
//!
//! A delay is asked for its *quantile* at 64 random bits: 0 gives the shortest, all ones the longest. One draw gives
//! one delay whatever its shape, so that changing a link's distribution changes no other draw.

use crate::dice::{Dice, scale};
use crate::time::Nanos;
use std::sync::Arc;

/// How many equal steps a quantile table has, and its tail again.
pub const STEPS: usize = 1024;

/// A distribution of delays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delay {
    /// Always the same.
    Fixed(Nanos),
    /// Uniform between the two, both included.
    Uniform {
        /// The shortest.
        min: Nanos,
        /// The longest.
        max: Nanos,
    },
    /// By quantiles.
    Table(Arc<Quantiles>),
}

/// The inverse of a distribution function in integers: `body` at 0, 1/1024, … 1, and its last step once more at 1024
/// times the resolution, because the rare long delays are the interesting ones. Between two points it is linear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantiles {
    body: Vec<Nanos>,
    tail: Vec<Nanos>,
}

impl Quantiles {
    /// A table from its points: `STEPS + 1` for the body, and as many for its last step. The body's last point is
    /// ignored where the tail says more.
    ///
    /// # Panics
    /// If the points do not rise or are too few: a table is computed, never typed in.
    pub fn new(body: Vec<Nanos>, tail: Vec<Nanos>) -> Self {
        for points in [&body, &tail] {
            assert_eq!(points.len(), STEPS + 1, "a quantile table has {} points", STEPS + 1);
            assert!(points.is_sorted(), "quantiles rise");
        }
        assert!(body[STEPS - 1] <= tail[0], "the tail begins where the body's last step does");
        Quantiles { body, tail }
    }

    fn at(&self, bits: u64) -> Nanos {
        let (step, rest) = split(bits);
        if step < STEPS - 1 {
            return between(self.body[step], self.body[step + 1], rest);
        }
        let (step, rest) = split(rest);
        between(self.tail[step], self.tail[step + 1], rest)
    }
}

/// The step that `bits` falls into, and how far it is into it (again of 2^64).
fn split(bits: u64) -> (usize, u64) {
    let step_bits = STEPS.trailing_zeros();
    ((bits >> (64 - step_bits)) as usize, bits << step_bits)
}

fn between(low: Nanos, high: Nanos, share: u64) -> Nanos {
    low + scale(share, high - low)
}

impl Delay {
    /// No delay at all.
    pub const NONE: Delay = Delay::Fixed(0);

    /// The delay at this quantile (`bits` of 2^64).
    #[inline]
    pub fn at(&self, bits: u64) -> Nanos {
        match self {
            Delay::Fixed(time) => *time,
            Delay::Uniform { min, max } => min + scale(bits, max - min + 1),
            Delay::Table(table) => table.at(bits),
        }
    }

    /// One delay.
    pub fn draw(&self, dice: &mut Dice) -> Nanos {
        self.at(dice.bits())
    }

    /// One delay; a fixed one costs no draw, for dice that serve nothing else.
    pub(crate) fn draw_if_random(&self, dice: &mut Dice) -> Nanos {
        match self {
            Delay::Fixed(time) => *time,
            Delay::Uniform { .. } | Delay::Table(_) => self.draw(dice),
        }
    }

    /// The middle delay: what a route is judged by.
    pub fn median(&self) -> Nanos {
        self.at(1 << 63)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_go_from_the_shortest_to_the_longest() {
        let uniform = Delay::Uniform { min: 10, max: 19 };
        assert_eq!((uniform.at(0), uniform.median(), uniform.at(u64::MAX)), (10, 15, 19));
        assert_eq!(Delay::Fixed(7).at(12345), 7);
        let body: Vec<Nanos> = (0..=STEPS as u64).map(|i| i * 100).collect();
        let tail: Vec<Nanos> = (0..=STEPS as u64).map(|i| (STEPS as u64 - 1) * 100 + i * 1000).collect();
        let table = Delay::Table(Arc::new(Quantiles::new(body, tail)));
        assert_eq!(table.at(0), 0);
        assert_eq!(table.median(), 51_200);
        assert_eq!(table.at(u64::MAX), 102_300 + 1_023_999);
        let mut last = 0;
        for i in 0..100_000u64 {
            let next = table.at(i * (u64::MAX / 100_000));
            assert!(next >= last, "quantiles never fall");
            last = next;
        }
    }
}
