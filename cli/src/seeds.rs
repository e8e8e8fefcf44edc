//! Seeds: which are asked for, which of them are a shard's, which are still to be run.

use history::figures::grouped;
use std::num::NonZeroU64;

/// At a thousand runs a second, thirty years.
const COUNT_MAX: u64 = 1_000_000_000_000;

/// Some seeds, at equal distances. The last of them is below 2^64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    pub first: u64,
    pub step: NonZeroU64,
    pub count: u64,
}

impl Seeds {
    /// The first so many.
    pub fn up_to(count: u64) -> Self {
        Seeds { first: 0, step: NonZeroU64::MIN, count }
    }

    /// `A..B` with B excluded and at most 2^64, or N for `0..N`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (first, end) = match text.split_once("..") {
            Some((first, end)) => (seed(first)?, bound(end)?),
            None => (0, bound(text)?),
        };
        let Some(count) = end.checked_sub(u128::from(first)).filter(|count| *count > 0) else {
            return Err(format!("`{text}` holds no seed; write A..B with A below B, or N for 0..N"));
        };
        let count = u64::try_from(count).ok().filter(|count| *count <= COUNT_MAX);
        let count = count.ok_or_else(|| format!("`{text}` are more than {} seeds; part them", grouped(COUNT_MAX)))?;
        Ok(Seeds { first, step: NonZeroU64::MIN, count })
    }

    /// The same, for those who keep every result in memory.
    pub fn parse_few(text: &str) -> Result<Self, String> {
        /// At a thousand runs a second, three hours.
        const FEW_MAX: u64 = 10_000_000;
        let seeds = Seeds::parse(text)?;
        if seeds.count > FEW_MAX {
            let (count, most) = (grouped(seeds.count), grouped(FEW_MAX));
            return Err(format!("`{text}` are {count} seeds, and one test takes at most {most}; part them"));
        }
        Ok(seeds)
    }

    /// One of them, by its number.
    fn at(&self, number: u64) -> u64 {
        self.first + number * self.step.get()
    }

    /// The last of them, if there is one.
    pub fn last(&self) -> Option<u64> {
        self.count.checked_sub(1).map(|number| self.at(number))
    }

    /// The number of a seed among them.
    fn number(&self, seed: u64) -> Option<u64> {
        let above = seed.checked_sub(self.first)?;
        (above.is_multiple_of(self.step.get()) && above / self.step < self.count).then(|| above / self.step)
    }

    pub fn contains(&self, seed: u64) -> bool {
        self.number(seed).is_some()
    }

    /// From the first to the last.
    pub fn iter(self) -> impl Iterator<Item = u64> + Send + Sync {
        (0..self.count).map(move |number| self.at(number))
    }

    /// Those of consecutive seeds that are a shard's.
    pub fn of_shard(self, Shard { number, of }: Shard) -> Self {
        let (wanted, is) = (number - 1, self.first % of);
        let skipped = if wanted >= is { wanted - is } else { wanted + (of.get() - is) };
        let Some(left) = self.count.checked_sub(skipped).filter(|left| *left > 0) else {
            return Seeds { count: 0, ..self };
        };
        Seeds { first: self.first + skipped, step: of, count: left.div_ceil(of.get()) }
    }

    /// What is left of them without some, which come in order: stretches that are as few as can be.
    pub fn without<E>(self, done: impl Iterator<Item = Result<u64, E>>) -> Result<Vec<Seeds>, E> {
        let (mut left, mut next) = (Vec::new(), 0);
        let stretch = |from: u64, to: u64| Seeds { first: self.at(from), count: to - from, ..self };
        for seed in done {
            let Some(number) = self.number(seed?) else { continue };
            if number > next {
                left.push(stretch(next, number));
            }
            next = number + 1;
        }
        if next < self.count {
            left.push(stretch(next, self.count));
        }
        Ok(left)
    }
}

/// One of several parts: the seeds that leave the same remainder when divided by how many parts there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    number: u64,
    of: NonZeroU64,
}

impl Shard {
    /// `I/N`
    pub fn parse(text: &str) -> Result<Self, String> {
        let whole = |part: &str| part.parse::<u64>().ok().filter(|_| part.chars().all(|c| c.is_ascii_digit()));
        let parts = text.split_once('/').and_then(|(number, of)| Some((whole(number)?, NonZeroU64::new(whole(of)?)?)));
        match parts {
            Some((number, of)) if (1..=of.get()).contains(&number) => Ok(Shard { number, of }),
            Some((_, of)) => Err(format!("there are the shards 1/{of} to {of}/{of}")),
            None => Err("write I/N, as in 1/3, 2/3, 3/3".to_owned()),
        }
    }
}

/// A seed, decimal or in hexadecimal digits after `0x`.
pub fn seed(text: &str) -> Result<u64, String> {
    let number = bound(text)?;
    u64::try_from(number).map_err(|_| OUT_OF_RANGE.to_owned())
}

const OUT_OF_RANGE: &str = "a seed is a whole number below 2^64, decimal or 0x..";

/// A seed, or the number after the last.
fn bound(text: &str) -> Result<u128, String> {
    let (digits, base) = text.strip_prefix("0x").map_or((text, 10), |hex| (hex, 16));
    // The standard reader takes a `+`, too.
    let number = digits.chars().all(|c| c.is_digit(base)).then(|| u128::from_str_radix(digits, base).ok()).flatten();
    number.filter(|number| *number <= 1 << 64).ok_or_else(|| OUT_OF_RANGE.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn seeds(text: &str) -> Seeds {
        Seeds::parse(text).unwrap()
    }

    fn all(seeds: Seeds) -> Vec<u64> {
        seeds.iter().collect()
    }

    #[test]
    fn seeds_read_as_people_write_them() {
        assert_eq!((seed("42"), seed("0x2a")), (Ok(42), Ok(42)));
        assert_eq!((all(seeds("5..8")), all(seeds("3"))), (vec![5, 6, 7], vec![0, 1, 2]));
        for bad in ["-1", "+1", "0x+1", "", "0x", "18446744073709551616", "1e3", "abc"] {
            assert!(seed(bad).is_err(), "{bad}");
        }
        for bad in ["8..5", "0", "..3", "1..", "0..18446744073709551616", "0..18446744073709551617", "5..5"] {
            assert!(Seeds::parse(bad).is_err(), "{bad}");
        }
        assert!(Seeds::parse_few("10000001").is_err() && Seeds::parse("10000001").is_ok());
    }

    /// B is excluded, so the last seed of all needs a B that is no seed.
    #[test]
    fn the_last_seed_of_all_can_be_asked_for() {
        let last = seeds("18446744073709551610..18446744073709551616");
        assert_eq!((last.count, last.last(), all(last).last()), (6, Some(u64::MAX), Some(&u64::MAX)));
        assert_eq!(all(seeds("0xffffffffffffffff..0x10000000000000000")), [u64::MAX]);
    }

    #[test]
    fn every_seed_is_in_exactly_one_shard() {
        for range in ["0..10", "7..12", "3..4", "18446744073709551603..18446744073709551616"] {
            for of in 1..=12 {
                let shard = |number: u64| Shard::parse(&format!("{number}/{of}")).unwrap();
                let parts: Vec<Vec<u64>> = (1..=of).map(|number| all(seeds(range).of_shard(shard(number)))).collect();
                for (number, part) in (1..=of).zip(&parts) {
                    assert!(part.iter().all(|seed| seed % of == number - 1), "{range} {number}/{of}: {part:?}");
                }
                let mut together: Vec<u64> = parts.concat();
                together.sort_unstable();
                assert_eq!(together, all(seeds(range)), "{range} in {of}");
            }
        }
        for bad in ["0/3", "4/3", "1/0", "1", "/", "a/b", "-1/3", "+1/3", "1/3/5", ""] {
            assert!(Shard::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_done_is_not_done_again() {
        let left = |seeds: Seeds, done: &[u64]| {
            let left = seeds.without(done.iter().map(|seed| Ok::<u64, Infallible>(*seed))).unwrap();
            left.into_iter().map(all).collect::<Vec<_>>()
        };
        assert_eq!(left(seeds("0..9"), &[2, 3, 5]), [vec![0, 1], vec![4], vec![6, 7, 8]]);
        assert_eq!(left(seeds("3..6"), &[0, 3, 4, 5, 9]), Vec::<Vec<u64>>::new());
        assert_eq!(left(seeds("0..3"), &[]), [vec![0, 1, 2]]);
        let odd = seeds("0..10").of_shard(Shard::parse("2/2").unwrap());
        assert_eq!(left(odd, &[1, 2, 4, 7]), [vec![3, 5], vec![9]], "seeds of another shard do not count");
        let last = seeds("18446744073709551613..18446744073709551616");
        assert_eq!(left(last, &[u64::MAX - 1]), [[u64::MAX - 2], [u64::MAX]]);
    }
}
