//! Chance: one named stream of random bits per concern, and integer sampling.
//!
//! Every concern (a link, a disk, a node's own choices, a fault) throws its own dice, and the dice are found by *name*,
//! never by the order in which they were made. So adding a client, a fault or a metric leaves every other concern's
//! throws as they were, which is what keeps a seed meaningful while a scenario is edited or cut down.
//!
//! A stream is ChaCha8 keyed by (root seed, fork, name): ChaCha is a pseudo-random function of its key, so different
//! names give unrelated streams, and its output is fixed by definition on every machine. Sampling is ours, in integers
//! only, and frozen by a test of first numbers.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use std::fmt;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// The name of a stream, hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamName(u128);

impl StreamName {
    /// Names a stream by its parts, such as `["disk", "n3"]`. Parts are separated, so `["a", "bc"]` is not `["ab", "c"]`.
    pub fn new(parts: &[&str]) -> Self {
        let mut bytes = Vec::with_capacity(32);
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        StreamName(xxh3_128(&bytes))
    }

    /// A stream between two named parties; the order matters. Cheaper than hashing their names again for every pair.
    pub fn between(self, from: StreamName, to: StreamName) -> Self {
        let mut bytes = [0; 48];
        bytes[..16].copy_from_slice(&self.0.to_le_bytes());
        bytes[16..32].copy_from_slice(&from.0.to_le_bytes());
        bytes[32..].copy_from_slice(&to.0.to_le_bytes());
        StreamName(xxh3_128(&bytes))
    }
}

/// Where streams come from: the root seed and the forks taken since.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    seed: u64,
    fork: u64,
}

impl Streams {
    /// The streams of a run.
    pub fn new(seed: u64) -> Self {
        Streams { seed, fork: 0 }
    }

    /// The streams of another future of the same run. Streams already made must be re-keyed ([`Dice::rekey`]).
    pub fn forked(self, salt: u64) -> Self {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.fork.to_le_bytes());
        bytes[8..].copy_from_slice(&salt.to_le_bytes());
        Streams { seed: self.seed, fork: xxh3_64(&bytes) }
    }

    /// The dice of one concern, from their first throw. Costs about 100 ns: make them at first use.
    pub fn dice(self, name: StreamName) -> Dice {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(&self.fork.to_le_bytes());
        key[16..].copy_from_slice(&name.0.to_le_bytes());
        Dice { name, rng: ChaCha8Rng::from_seed(key) }
    }
}

/// An exact probability or share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// How many of …
    pub numerator: u64,
    /// … how many. Not 0.
    pub denominator: u64,
}

/// In per cent, to a ten-thousandth of it, as scenario files write shares: `2.5%`.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ppm = u128::from(self.numerator) * 1_000_000 / u128::from(self.denominator);
        let (whole, fraction) = (ppm / 10_000, format!("{:04}", ppm % 10_000));
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{whole}{point}{fraction}%")
    }
}

impl Ratio {
    /// Never.
    pub const ZERO: Ratio = Ratio { numerator: 0, denominator: 1 };

    /// `numerator` of `denominator`.
    pub const fn new(numerator: u64, denominator: u64) -> Self {
        assert!(denominator > 0, "a share of nothing");
        Ratio { numerator, denominator }
    }

    /// Whether it is more than another.
    pub fn exceeds(self, other: Ratio) -> bool {
        let cross = |a: u64, b: u64| u128::from(a) * u128::from(b);
        cross(self.numerator, other.denominator) > cross(other.numerator, self.denominator)
    }

    /// The share as a threshold for 32 random bits: `bits < threshold` holds with this probability (to 2^-32).
    pub fn threshold_32(self) -> u64 {
        let scaled = (u128::from(self.numerator) << 32) / u128::from(self.denominator);
        scaled.min(1 << 32) as u64
    }
}

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub struct Dice {
    name: StreamName,
    rng: ChaCha8Rng,
}

impl Dice {
    /// 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// Uniform in `0..n` (multiply and shift; the bias is below n / 2^64).
    #[inline]
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "nothing to choose from");
        scale(self.bits(), n)
    }

    /// Uniform in `min..=max`.
    #[inline]
    pub fn between(&mut self, min: u64, max: u64) -> u64 {
        assert!(min <= max, "an empty range");
        match (max - min).checked_add(1) {
            Some(span) => min + self.below(span),
            None => self.bits(),
        }
    }

    /// True with this probability.
    pub fn chance(&mut self, ratio: Ratio) -> bool {
        self.below(ratio.denominator) < ratio.numerator
    }

    /// Moves `count` elements, drawn without replacement, to the front of `items` (all of them if there are fewer).
    pub fn draw_to_front<T>(&mut self, items: &mut [T], count: usize) {
        for i in 0..count.min(items.len()) {
            let rest = (items.len() - i) as u64;
            items.swap(i, i + self.below(rest) as usize);
        }
    }

    /// Starts over as the same concern's stream of another future.
    pub fn rekey(&mut self, streams: Streams) {
        *self = streams.dice(self.name);
    }
}

/// `bits / 2^64 * n`, rounded down.
#[inline]
pub(crate) fn scale(bits: u64, n: u64) -> u64 {
    ((u128::from(bits) * u128::from(n)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seeds lose their meaning if these change: then the version must say so.
    #[test]
    fn first_numbers_are_frozen() {
        let mut dice = Streams::new(42).dice(StreamName::new(&["link", "n1", "n2"]));
        let first: Vec<u64> = (0..3).map(|_| dice.bits()).collect();
        assert_eq!(first, FIRST_BITS);
        let mut dice = Streams::new(42).forked(7).dice(StreamName::new(&["disk", "n1"]));
        let first: Vec<u64> = (0..6).map(|_| dice.between(1, 6)).collect();
        assert_eq!(first, FIRST_THROWS);
    }
    const FIRST_BITS: [u64; 3] = [5119184990477100272, 12636894840339012669, 1423350147472789900];
    const FIRST_THROWS: [u64; 6] = [4, 5, 4, 5, 3, 5];

    #[test]
    fn streams_differ_by_seed_name_and_fork() {
        let name = |parts: &[&str]| StreamName::new(parts);
        let first = |streams: Streams, name| streams.dice(name).bits();
        let root = Streams::new(1);
        let all = [
            first(root, name(&["a", "bc"])),
            first(root, name(&["ab", "c"])),
            first(Streams::new(2), name(&["a", "bc"])),
            first(root.forked(1), name(&["a", "bc"])),
            first(root.forked(1).forked(1), name(&["a", "bc"])),
            first(root, name(&["link"]).between(name(&["n1"]), name(&["n2"]))),
            first(root, name(&["link"]).between(name(&["n2"]), name(&["n1"]))),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(!all[..i].contains(a), "two streams begin alike");
        }
    }

    #[test]
    fn rekeying_gives_the_stream_of_the_fork() {
        let name = StreamName::new(&["node", "n1", "0"]);
        let forked = Streams::new(1).forked(9);
        let mut dice = Streams::new(1).dice(name);
        dice.bits();
        dice.rekey(forked);
        assert_eq!(dice.bits(), forked.dice(name).bits());
    }

    #[test]
    fn shares_come_out_as_asked() {
        let mut dice = Streams::new(3).dice(StreamName::new(&["share"]));
        let hits = (0..100_000).filter(|_| dice.chance(Ratio::new(3, 100))).count();
        assert!((2_700..3_300).contains(&hits), "{hits} of 100000 at 3 %");
        assert!((0..1000).all(|_| !dice.chance(Ratio::ZERO)));
        assert_eq!(Ratio::new(1, 1).threshold_32(), 1 << 32);
        assert_eq!(Ratio::ZERO.threshold_32(), 0);
    }
}
