//! Paired differences: what two systems came to under the same storms.
//!
//! Each seed gives a pair, and what the two have in common of it (a mild storm, a long one) cancels out in the difference. How
//! far the seeds that happened to be run decide it is found by drawing seeds anew from those that were run, pairs staying
//! together: the percentile bootstrap of Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13. It asks
//! nothing of the shape of the differences, and for few seeds it is somewhat too narrow, as all such intervals are.

/// So many times, less one, seeds are drawn anew for each [`FAMILY`] of differences that are looked at: the quantiles fall on
/// whole ranks (Efron and Tibshirani, section 12.5), and the least level there is, 2 / 2000, passes [`holm`] in such a family.
const RESAMPLES: usize = 2000;

/// So many differences.
const FAMILY: usize = 25;

/// How often a difference may be called one that is none.
const ERROR: f64 = 0.05;

/// Where the dice begin, always.
const DICE: u64 = 0x5eed_0f5e_ed50_1d1e;

/// What many runs are told by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Average {
    /// Where sums mean something: shares, counts, time lost.
    Mean,
    /// Where a few runs would drown the others: response times, longest outages.
    Median,
}

/// A number, and between which two the true one lies 95 times of 100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// What the runs say.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// How much larger one average is than another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// How much, and its interval: as if nothing else had been looked at.
    pub interval: Interval,
    /// How often seeds would show as much by chance, if there were no difference: twice the share of draws on the other side
    /// of 0 (Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 4.2). At most 0.05 if and only if the
    /// interval does not hold 0.
    pub level: f64,
}

/// Which of the differences are shown, if all of them are looked at: with these levels, at most once in twenty such tables is
/// any of them shown that is none (Holm, A simple sequentially rejective multiple test procedure, 1979).
pub fn holm(levels: &[f64]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..levels.len()).collect();
    order.sort_by(|a, b| levels[*a].total_cmp(&levels[*b]));
    let mut shown = vec![false; levels.len()];
    for (rank, number) in order.into_iter().enumerate() {
        // Whoever is less sure than one that is not shown is not either.
        if levels[number] * (levels.len() - rank) as f64 > ERROR {
            break;
        }
        shown[number] = true;
    }
    shown
}

/// The average of some numbers, one for each seed; `None` of none.
pub fn single(of: &[f64], average: Average) -> Option<Interval> {
    let zeros = vec![0.0; of.len()];
    difference(&zeros, of, average, 1).map(|found| found.interval)
}

/// How much larger the average of `other` is than that of `one`; they hold a number each for the same seeds, in the same order.
/// `None` of no seed. It is one of so many that are looked at.
///
/// # Panics
/// If one has more numbers than the other.
pub fn difference(one: &[f64], other: &[f64], average: Average, of: usize) -> Option<Difference> {
    assert_eq!(one.len(), other.len(), "each seed has a number in both");
    if one.is_empty() {
        return None;
    }
    let sides = [Side::of(one, average), Side::of(other, average)];
    let at = |counts: &[u32]| sides[1].average(counts) - sides[0].average(counts);
    let value = at(&vec![1; one.len()]);
    let mut dice = Dice(DICE);
    let mut counts = vec![0; one.len()];
    let all = RESAMPLES * of.div_ceil(FAMILY).max(1);
    let drawn = (1..all).map(|_| {
        counts.fill(0);
        (0..one.len()).for_each(|_| counts[dice.below(one.len())] += 1);
        at(&counts)
    });
    let mut drawn: Vec<f64> = drawn.collect();
    drawn.sort_unstable_by(f64::total_cmp);
    let rank = all / 40;
    let interval = Interval { value, low: drawn[rank - 1], high: drawn[drawn.len() - rank] };
    let below = drawn.partition_point(|drawn| *drawn <= 0.0);
    let above = drawn.len() - drawn.partition_point(|drawn| *drawn < 0.0);
    let level = (2 * (below.min(above) + 1)) as f64 / all as f64;
    Some(Difference { interval, level: level.min(1.0) })
}

/// The numbers of one system, ready to be averaged again and again.
struct Side<'a> {
    numbers: &'a [f64],
    /// The seeds by their number, where a median is asked for.
    order: Option<Vec<usize>>,
}

impl<'a> Side<'a> {
    fn of(numbers: &'a [f64], average: Average) -> Self {
        let order = (average == Average::Median).then(|| {
            let mut order: Vec<usize> = (0..numbers.len()).collect();
            order.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
            order
        });
        Side { numbers, order }
    }

    /// The average, if each seed were there so many times; together as often as there are seeds.
    fn average(&self, counts: &[u32]) -> f64 {
        let all = self.numbers.len();
        match &self.order {
            None => {
                self.numbers.iter().zip(counts).map(|(number, count)| number * f64::from(*count)).sum::<f64>()
                    / all as f64
            }
            // Of an even number, half way between the two in the middle.
            Some(order) => {
                let [low, high] = [(all - 1) / 2, all / 2].map(|rank| self.numbers[ranked(order, counts, rank)]);
                low + (high - low) / 2.0
            }
        }
    }
}

/// The seed that stands at this rank, counted from 0.
fn ranked(order: &[usize], counts: &[u32], rank: usize) -> usize {
    let mut below = 0;
    for seed in order {
        below += counts[*seed] as usize;
        if below > rank {
            return *seed;
        }
    }
    panic!("as many were drawn as there are")
}

/// Dice for this alone, since reports know nothing of the engine's: SplitMix64 (Steele, Lea and Flood, Fast splittable
/// pseudorandom number generators, OOPSLA 2014). They always fall the same way.
struct Dice(u64);

impl Dice {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Uneven by less than one part in 2^64 / `end`.
    fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.bits()) * end as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::Average::{Mean, Median};
    use super::*;
    use proptest::prelude::*;

    /// The only one that is looked at.
    fn difference(one: &[f64], other: &[f64], average: Average) -> Option<Interval> {
        let found = super::difference(one, other, average, 1)?;
        let is_apart = found.interval.low > 0.0 || found.interval.high < 0.0;
        assert_eq!(is_apart, found.level <= ERROR, "{found:?}");
        Some(found.interval)
    }

    /// The first three numbers from 1234567, as the authors' reference gives them.
    #[test]
    fn the_dice_are_splitmix64() {
        let mut dice = Dice(1_234_567);
        assert_eq!(
            [dice.bits(), dice.bits(), dice.bits()],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    /// A number near the normal distribution's, by twelve even ones (mean 0, deviation 1).
    fn normal(dice: &mut Dice) -> f64 {
        (0..12).map(|_| dice.bits() as f64 / u64::MAX as f64).sum::<f64>() - 6.0
    }

    /// Of many and well-behaved numbers it is the interval of the textbooks: mean ± 1.96 s / √n.
    #[test]
    fn of_well_behaved_numbers_it_is_the_normal_interval() {
        let mut dice = Dice(1);
        let n = 2000;
        let one: Vec<f64> = (0..n).map(|_| 10.0 + normal(&mut dice)).collect();
        let other: Vec<f64> = one.iter().map(|number| number + 0.5 + 0.3 * normal(&mut dice)).collect();
        let found = difference(&one, &other, Mean).unwrap();
        let differences: Vec<f64> = one.iter().zip(&other).map(|(one, other)| other - one).collect();
        let mean = differences.iter().sum::<f64>() / n as f64;
        let variance = differences.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>() / (n - 1) as f64;
        let half = 1.96 * libm::sqrt(variance / n as f64);
        assert!((found.value - mean).abs() < 1e-9);
        assert!((found.low - (mean - half)).abs() < 0.1 * half, "{found:?} {mean} {half}");
        assert!((found.high - (mean + half)).abs() < 0.1 * half, "{found:?} {mean} {half}");
        assert!(found.low > 0.0, "pairs cancel what they share: apart, each varies three times as much");
    }

    /// 95 of 100 intervals hold what is true, also where differences are skewed: here the square of a normal number, whose
    /// mean is 1 and whose median is 0.4549.
    #[test]
    fn it_holds_what_is_true_about_as_often_as_it_says() {
        let mut dice = Dice(2);
        let rounds = 200;
        let mut held = [0; 2];
        for _ in 0..rounds {
            let one = vec![0.0; 80];
            let other: Vec<f64> = one.iter().map(|_| normal(&mut dice)).map(|z| z * z).collect();
            for (held, (average, truth)) in held.iter_mut().zip([(Mean, 1.0), (Median, 0.4549)]) {
                let Interval { low, high, .. } = difference(&one, &other, average).unwrap();
                *held += u32::from(low <= truth && truth <= high);
            }
        }
        // Of 200 rounds at 95 %, fewer than 180 or more than 199 come once in some thousand times.
        assert!(held.iter().all(|held| (178..=199).contains(held)), "{held:?} of {rounds}");
    }

    #[test]
    fn what_never_varies_is_certain_and_nothing_is_nothing() {
        assert_eq!(difference(&[], &[], Mean), None);
        assert_eq!(difference(&[2.0], &[5.0], Median), Some(Interval { value: 3.0, low: 3.0, high: 3.0 }));
        let same = difference(&[1.0, 7.0, 2.0], &[1.0, 7.0, 2.0], Median).unwrap();
        assert_eq!(same, Interval { value: 0.0, low: 0.0, high: 0.0 });
        let even = single(&[4.0, 1.0, 2.0, 100.0], Median).unwrap();
        assert_eq!((even.value, even.low >= 1.0, even.high <= 100.0), (3.0, true, true));
    }

    /// Holm's steps: 0.01 × 4, then 0.015 × 3 pass; 0.03 × 2 does not, and nothing behind it, though 0.04 alone would.
    #[test]
    fn what_is_shown_of_many_is_what_holm_leaves() {
        assert_eq!(holm(&[0.03, 0.01, 0.04, 0.015]), [false, true, false, true]);
        assert_eq!(holm(&[0.05]), [true]);
        assert_eq!(holm(&[]), Vec::<bool>::new());
    }

    /// Of tables of forty differences that are none, about two in each are shown one by one; and in at most a few of a
    /// hundred tables any, if all are looked at.
    #[test]
    fn tables_of_nothing_show_nothing() {
        let mut dice = Dice(3);
        let (tables, family) = (20, 40);
        let (mut alone, mut wrong) = (0, 0);
        for _ in 0..tables {
            let level = |_| {
                let [one, other] = [0, 1].map(|_| (0..60).map(|_| normal(&mut dice)).collect::<Vec<f64>>());
                super::difference(&one, &other, Mean, family).unwrap().level
            };
            let levels: Vec<f64> = (0..family).map(level).collect();
            alone += levels.iter().filter(|level| **level <= ERROR).count();
            wrong += usize::from(holm(&levels).contains(&true));
        }
        assert!(alone > tables && wrong <= 4, "{alone} of {} alone, {wrong} of {tables} tables", tables * family);
    }

    /// However many are looked at, what is certain is shown.
    #[test]
    fn many_differences_do_not_hide_what_is_certain() {
        let (one, other) = (vec![0.0; 50], vec![1.0; 50]);
        let level = super::difference(&one, &other, Mean, 120).unwrap().level;
        assert!(holm(&vec![level; 120]).iter().all(|shown| *shown), "{level}");
    }

    proptest! {
        /// Whoever is the first of the two, the answer is the same with its sign turned round; and what both gain changes nothing.
        #[test]
        fn it_is_a_difference(pairs in prop::collection::vec((-1000i32..1000, -1000i32..1000), 1..40), gain in -100i32..100) {
            let side = |of: fn(&(i32, i32)) -> i32, gain| -> Vec<f64> {
                pairs.iter().map(|pair| f64::from(of(pair) + gain)).collect()
            };
            let (one, other) = (side(|pair| pair.0, 0), side(|pair| pair.1, 0));
            for average in [Mean, Median] {
                let there = difference(&one, &other, average).unwrap();
                let back = difference(&other, &one, average).unwrap();
                prop_assert!((there.value + back.value).abs() < 1e-9);
                prop_assert!((there.low + back.high).abs() < 1e-9 && (there.high + back.low).abs() < 1e-9);
                prop_assert!(there.low <= there.high);
                let (one, other) = (side(|pair| pair.0, gain), side(|pair| pair.1, gain));
                let gained = difference(&one, &other, average).unwrap();
                prop_assert!((gained.low - there.low).abs() < 1e-6 && (gained.high - there.high).abs() < 1e-6);
            }
        }
    }
}
