//! Delays as tables of quantiles, and skewed keys as tables of shares, computed with `libm` alone: the same tables on
//! every machine, to the last digit.
//!
//! This is the only place of the parser and the plan with floating-point numbers. What leaves it are integers.

use crate::scenario::DelaySpec;
use sim_core::delay::{Delay, Quantiles, STEPS};
use sim_core::dice::Ratio;
use sim_core::time::{HOUR, Nanos};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// No single delay is longer, however fat the tail: a sum of delays must stay countable.
const LONGEST: f64 = (1000 * HOUR) as f64;

/// The delay that a plan draws from.
pub fn table(spec: &DelaySpec) -> Delay {
    match *spec {
        DelaySpec::Fixed(time) => Delay::Fixed(time),
        DelaySpec::Uniform { min, max } => Delay::Uniform { min, max },
        DelaySpec::Exp { mean } => known(*spec, || quantiles(|p| -(mean as f64) * libm::log1p(-p))),
        DelaySpec::LogNormal { median, p99 } => known(*spec, || {
            let sigma = libm::log(p99 as f64 / median as f64) / standard_normal(0.99);
            quantiles(|p| median as f64 * libm::exp(sigma * standard_normal(p)))
        }),
        DelaySpec::Pareto { min, shape, share, mean } => {
            let (shape, share) = (shape as f64 / 1e6, share as f64 / 1e6);
            let below = |x: f64| {
                let tail = if x < min as f64 { 0.0 } else { 1.0 - libm::exp(shape * libm::log(min as f64 / x)) };
                let rest = if mean == 0 { 0.0 } else { -libm::expm1(-x / mean as f64) };
                share * tail + (1.0 - share) * rest
            };
            known(*spec, || quantiles(|p| inverse(below, p)))
        }
    }
}

/// Below which delay this share lies: by halving, until a nanosecond is left.
fn inverse(below: impl Fn(f64) -> f64, share: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while high < LONGEST && below(high) < share {
        (low, high) = (high, 2.0 * high);
    }
    while high - low > 0.5 {
        let middle = 0.5 * (low + high);
        if below(middle) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// More tables than this are not kept: a few megabytes.
const KNOWN_MAX: usize = 256;

/// The same table for every seed of many: to compute one takes as long as to simulate some hundred messages. Each thread keeps
/// its own, so that no run waits for another.
fn known(spec: DelaySpec, quantiles: impl FnOnce() -> Quantiles) -> Delay {
    thread_local! {
        static KNOWN: RefCell<BTreeMap<DelaySpec, Arc<Quantiles>>> = const { RefCell::new(BTreeMap::new()) };
    }
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= KNOWN_MAX && !known.contains_key(&spec) {
            known.clear();
        }
        Delay::Table(Arc::clone(known.entry(spec).or_insert_with(|| Arc::new(quantiles()))))
    })
}

/// The body at 0, 1/1024, … and its last step once more, finer. A distribution without a shortest or a longest delay
/// gets one: half a fine step from either end.
fn quantiles(at: impl Fn(f64) -> f64) -> Quantiles {
    let steps = STEPS as f64;
    let edge = 0.5 / (steps * steps);
    let point = |p: f64| libm::round(at(p.clamp(edge, 1.0 - edge)).min(LONGEST)) as Nanos;
    let body = (0..=STEPS).map(|i| point(i as f64 / steps)).collect();
    let tail = (0..=STEPS).map(|i| point((steps - 1.0 + i as f64 / steps) / steps)).collect();
    Quantiles::new(body, tail)
}

/// Where each key's share ends, of 2^64, if the k-th of `count` keys has the weight 1 / k^skew (Zipf's law).
///
/// # Panics
/// If there are no keys.
pub fn shares(count: u32, skew: Ratio) -> Vec<u64> {
    assert!(count > 0, "a load has at least one key");
    let skew = skew.numerator as f64 / skew.denominator as f64;
    let mut total = 0.0;
    let sums: Vec<f64> = (1..=count)
        .map(|k| {
            total += libm::exp(-skew * libm::log(f64::from(k)));
            total
        })
        .collect();
    let mut ends: Vec<u64> = sums.iter().map(|sum| (sum / total * TWO_TO_64) as u64).collect();
    ends[count as usize - 1] = u64::MAX;
    ends
}

const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;

/// The quantile of the standard normal distribution: Wichura's algorithm AS 241 (PPND16), good to 16 figures. Three
/// rational functions, for the middle, for the flanks and for the far tails.
fn standard_normal(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return q * polynomial(&MIDDLE_OVER, r) / polynomial(&MIDDLE_UNDER, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = libm::sqrt(-libm::log(tail));
    let z = if r <= 5.0 {
        polynomial(&FLANK_OVER, r - 1.6) / polynomial(&FLANK_UNDER, r - 1.6)
    } else {
        polynomial(&TAIL_OVER, r - 5.0) / polynomial(&TAIL_UNDER, r - 5.0)
    };
    if q < 0.0 { -z } else { z }
}

/// The polynomial with these coefficients, the constant first.
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

const MIDDLE_OVER: [f64; 8] = [
    3.387_132_872_796_366_5,
    133.141_667_891_784_38,
    1_971.590_950_306_551_3,
    13_731.693_765_509_46,
    45_921.953_931_549_87,
    67_265.770_927_008_7,
    33_430.575_583_588_13,
    2_509.080_928_730_122_7,
];
const MIDDLE_UNDER: [f64; 8] = [
    1.0,
    42.313_330_701_600_91,
    687.187_007_492_057_9,
    5_394.196_021_424_751,
    21_213.794_301_586_597,
    39_307.895_800_092_71,
    28_729.085_735_721_943,
    5_226.495_278_852_854,
];
const FLANK_OVER: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    0.241_780_725_177_450_6,
    0.022_723_844_989_269_184,
    7.745_450_142_783_414e-4,
];
const FLANK_UNDER: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    0.689_767_334_985_1,
    0.148_103_976_427_480_08,
    0.015_198_666_563_616_457,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const TAIL_OVER: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    0.296_560_571_828_504_87,
    0.026_532_189_526_576_124,
    0.001_242_660_947_388_078_4,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const TAIL_UNDER: [f64; 8] = [
    1.0,
    0.599_832_206_555_888,
    0.136_929_880_922_735_8,
    0.014_875_361_290_850_615,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_445_8e-7,
    2.044_263_103_389_939_8e-15,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// However many there were before, and whichever of them are kept.
    #[test]
    fn a_table_depends_on_nothing_but_its_delay() {
        let spec = |mean| DelaySpec::Exp { mean };
        let first = table(&spec(1_000_000));
        (1..=2 * KNOWN_MAX as u64).for_each(|mean| drop(table(&spec(mean))));
        assert_eq!(table(&spec(1_000_000)), first);
        assert_ne!(table(&spec(1_000_001)), first);
        assert_ne!(table(&DelaySpec::LogNormal { median: 1_000_000, p99: 1_000_001 }), first);
    }
    use sim_core::time::MILLISECOND;

    #[test]
    fn the_normal_quantiles_are_those_of_the_books() {
        for (p, z) in [
            (0.5, 0.0),
            (0.75, 0.674_489_750_196_081_7),
            (0.975, 1.959_963_984_540_054),
            (0.99, 2.326_347_874_040_840_8),
            (1e-6, -4.753_424_308_822_899),
            (1e-20, -9.262_340_089_798_408),
        ] {
            assert!((standard_normal(p) - z).abs() < 1e-14, "z({p}) = {}, not {z}", standard_normal(p));
        }
    }

    /// The share of a table below `p`, as the engine asks for it.
    fn at(delay: &Delay, p: f64) -> Nanos {
        delay.at((p * TWO_TO_64) as u64)
    }

    #[test]
    fn a_lognormal_table_meets_its_median_and_p99() {
        let delay = table(&DelaySpec::LogNormal { median: 31 * MILLISECOND, p99: 45 * MILLISECOND });
        assert_eq!(delay.median(), 31 * MILLISECOND);
        let p99 = at(&delay, 0.99);
        assert!(p99.abs_diff(45 * MILLISECOND) < MILLISECOND / 100, "{p99}");
        assert!(delay.at(0) > 10 * MILLISECOND, "nothing crosses an ocean in no time");
    }

    #[test]
    fn an_exponential_table_has_its_mean() {
        let delay = table(&DelaySpec::Exp { mean: 1_000_000 });
        assert_eq!(delay.median(), 693_147);
        let sum: u64 = (0..100_000u64).map(|i| delay.at(i * (u64::MAX / 100_000))).sum();
        assert!((sum / 100_000).abs_diff(1_000_000) < 1_000, "{}", sum / 100_000);
    }

    /// Half of the delays are above a tail's shortest by 2^(1 / shape); and of a mixture, as much lies below a delay as below it
    /// in both parts together.
    #[test]
    fn a_pareto_tail_is_where_it_should_be() {
        let tail = |share, mean| DelaySpec::Pareto { min: 1_000_000, shape: 2_000_000, share, mean };
        let pure = table(&tail(1_000_000, 0));
        assert_eq!(pure.median(), 1_414_214);
        assert!(at(&pure, 0.9999).abs_diff(100_000_000) < 20_000, "{}", at(&pure, 0.9999));
        let mixed = table(&tail(500_000, 1_000_000));
        let quantile = 0.5 * 0.75 + 0.5 * (1.0 - libm::exp(-2.0));
        assert!(at(&mixed, quantile).abs_diff(2_000_000) < 200, "{}", at(&mixed, quantile));
    }

    #[test]
    fn the_fattest_tail_stays_countable() {
        let delay = table(&DelaySpec::LogNormal { median: 1, p99: 24 * HOUR });
        assert!(delay.at(u64::MAX) <= 1000 * HOUR);
        assert_eq!(table(&DelaySpec::LogNormal { median: 5, p99: 5 }).at(u64::MAX), 5);
        assert_eq!(table(&DelaySpec::Exp { mean: 0 }).at(u64::MAX), 0);
    }

    /// Of three keys at skew 1 the weights are 1, 1/2, 1/3: eleven sixths in all.
    #[test]
    fn shares_follow_zipfs_law() {
        let ends = shares(3, Ratio::new(1, 1));
        for (end, elevenths) in ends.iter().zip([6, 9, 11]) {
            let exact = ((u128::from(u64::MAX) * elevenths) / 11) as u64;
            assert!(end.abs_diff(exact) < 1 << 14, "{ends:?}");
        }
        assert_eq!(shares(1, Ratio::new(99, 100)), [u64::MAX]);
        let steep = shares(1_000_000, Ratio::new(10, 1));
        assert!(steep.is_sorted() && steep.last() == Some(&u64::MAX), "even where the tail is too thin to see");
    }

    /// Seeds lose their meaning if these change: then the version must say so.
    #[test]
    fn numbers_are_frozen() {
        let sample = |spec| [0, 1 << 50, 1 << 61, 1 << 63, 0xFFF0 << 48, u64::MAX].map(|bits| table(&spec).at(bits));
        assert_eq!(sample(DelaySpec::LogNormal { median: 700_000, p99: 2_000_000 }), LOGNORMAL);
        assert_eq!(sample(DelaySpec::Exp { mean: 1_000_000_000 }), EXP);
        assert_eq!(shares(50, Ratio::new(99, 100))[..3], SHARES);
    }
    const LOGNORMAL: [Nanos; 6] = [76661, 82682, 416529, 700000, 3376931, 6391739];
    const EXP: [Nanos; 6] = [477, 61512, 133531393, 693147181, 8317766167, 14556090791];
    const SHARES: [u64; 3] = [4030840012761515008, 6060278373881966592, 7418734194093056000];
}
