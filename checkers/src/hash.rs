//! Hashing that gives the same numbers on every machine.

use std::hash::{Hash, Hasher};

/// Two lanes of multiply-and-fold, each step feeding the second lane from the first. Fast, and well mixed; not meant
/// to withstand somebody who picks values to collide.
#[derive(Clone)]
pub(crate) struct Mixer {
    a: u64,
    b: u64,
}

impl Default for Mixer {
    /// The first digits of π, so that nobody need wonder where the numbers come from.
    fn default() -> Self {
        Mixer { a: 0x243f_6a88_85a3_08d3, b: 0x1319_8a2e_0370_7344 }
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
        self.write_u64(bytes.len() as u64);
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.a = fold(self.a ^ number, 0x9e37_79b9_7f4a_7c15);
        self.b = fold(self.b ^ number ^ self.a.rotate_left(32), 0xd6e8_feb8_6659_fd93);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_i64(number as i64);
    }

    fn write_i64(&mut self, number: i64) {
        self.write_u64(number.cast_unsigned());
    }

    fn finish(&self) -> u64 {
        self.b
    }
}

/// The product's two halves, one laid over the other: every bit of the input reaches every bit of the output.
fn fold(number: u64, by: u64) -> u64 {
    let product = u128::from(number) * u128::from(by);
    (product >> 64) as u64 ^ product as u64
}

/// 128 bits to know something by.
pub(crate) fn digest(what: &impl Hash) -> u128 {
    let mut mixer = Mixer::default();
    what.hash(&mut mixer);
    mixer.write_u64(0);
    u128::from(mixer.a) << 64 | u128::from(mixer.b)
}

/// For keys that are digests already.
#[derive(Default)]
pub(crate) struct Uniform(u64);

impl Hasher for Uniform {
    fn write(&mut self, _bytes: &[u8]) {
        unreachable!("only digests are hashed by their own bits");
    }

    fn write_u128(&mut self, digest: u128) {
        self.0 = digest as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::Value;

    #[test]
    fn digests_are_fixed_and_apart() {
        let values = [Value::Nil, Value::Int(0), Value::Int(1), Value::text(""), Value::text("\0"), Value::text("a")];
        let mut digests: Vec<u128> =
            values.iter().map(digest).chain((0..10_000).map(|n| digest(&("operation", n)))).collect();
        let count = digests.len();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), count);
    }
}
