//! Logarithms, powers and the normal distribution's tail in fixed point: the same digits on every machine.
//!
//! A number is an integer of 2^-48 parts.

use sim_core::dice::Ratio;

/// One.
pub const ONE: i128 = 1 << BITS;
const BITS: u32 = 48;
/// The natural logarithm of 2.
const LN_2: i128 = 195_103_586_505_167;
/// The natural logarithm of 10.
pub const LN_10: i128 = 648_120_085_424_803;
/// Half the natural logarithm of 2 pi.
const HALF_LN_2_PI: i128 = 258_658_202_232_310;
/// So many terms of the continued fraction are exact to the last digit from `Z_MIN` on.
const TERMS: i128 = 120;
/// From here on that fraction is used; below, a series.
const Z_MIN: i128 = 2 * ONE;
/// No quantile is larger, as long as a threshold is at most 50.
const Z_MAX: i128 = 16 * ONE;

/// The product of two numbers.
pub fn times(a: i128, b: i128) -> i128 {
    (a * b) >> BITS
}

/// The natural logarithm of a positive number: its binary one, a bit at a time by squaring.
fn ln(x: i128) -> i128 {
    let exponent = x.ilog2() as i32 - BITS as i32;
    let mut mantissa = if exponent >= 0 { x >> exponent } else { x << -exponent };
    let mut log2 = i128::from(exponent) << BITS;
    for bit in (0..BITS).rev() {
        mantissa = times(mantissa, mantissa);
        if mantissa >= 2 * ONE {
            mantissa >>= 1;
            log2 += 1 << bit;
        }
    }
    times(log2, LN_2)
}

/// e to the power of `-x`, for `x` from 0 on.
pub fn exp_minus(x: i128) -> i128 {
    let (halvings, rest) = (x / LN_2, x % LN_2);
    if halvings >= i128::from(BITS) {
        return 0;
    }
    // Of (1 - rest/1 (1 - rest/2 (1 - …))) twenty terms are exact.
    let power = (1..=20).rev().fold(ONE, |sum, k| ONE - times(rest, sum) / k);
    power >> halvings
}

/// The natural logarithm of 10^`power`.
pub fn of_ln_10(power: Ratio) -> i128 {
    i128::from(power.numerator) * LN_10 / i128::from(power.denominator)
}

/// How many standard deviations above its mean a normal variable lies with a chance of 10^-`threshold` only; `threshold` from
/// log10 2 to 50.
///
/// The tail above z is inverted by halving.
pub fn quantile(threshold: Ratio) -> i128 {
    let wanted = of_ln_10(threshold);
    let (mut low, mut high) = if minus_ln_tail(Z_MIN) < wanted { (Z_MIN, Z_MAX) } else { (0, Z_MIN) };
    while high - low > 1 {
        let z = (low + high) / 2;
        if minus_ln_tail(z) < wanted {
            low = z;
        } else {
            high = z;
        }
    }
    high
}

/// Minus the logarithm of the chance that a normal variable lies more than z deviations above its mean: of e^(-z²/2) /
/// sqrt(2 pi) divided by z + 1/(z + 2/(z + 3/(z + …))) (Laplace), or, where that takes many terms, of 1/2 - (z - z³/(1! 2 3) +
/// z⁵/(2! 4 5) - …) / sqrt(2 pi).
fn minus_ln_tail(z: i128) -> i128 {
    let square = times(z, z) / 2;
    if z >= Z_MIN {
        let fraction = (1..=TERMS).rev().fold(z, |rest, k| z + ((k << (2 * BITS)) / rest));
        return square + HALF_LN_2_PI + ln(fraction);
    }
    let (mut power, mut sum) = (z, z);
    for k in 1..30 {
        power = -times(power, square) / k;
        sum += power / (2 * k + 1);
    }
    -ln(ONE / 2 - times(sum, exp_minus(HALF_LN_2_PI)))
}

/// A time multiplied by a number; the longest that can be counted, if it is longer.
pub fn scale(time: u64, by: i128) -> u64 {
    u64::try_from(times(i128::from(time), by)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In millionths.
    fn ppm(x: i128) -> i128 {
        (x * 1_000_000) >> BITS
    }

    #[test]
    fn logarithms_and_powers_are_those_of_tables() {
        assert!((ln(10 * ONE) - LN_10).abs() < 64, "{}", ln(10 * ONE) - LN_10);
        assert_eq!(ln(ONE), 0);
        assert!((ln(ONE / 10) + LN_10).abs() < 64);
        assert_eq!(exp_minus(0), ONE);
        assert_eq!(ppm(exp_minus(ONE)), 367_879);
        assert!((exp_minus(LN_10) - ONE / 10).abs() < 64);
        assert_eq!(exp_minus(100 * ONE), 0);
    }

    /// z for thresholds of phi, as tables of the normal distribution have it.
    #[test]
    fn quantiles_are_those_of_tables() {
        let table = [
            (1, 1_281_552),
            (2, 2_326_348),
            (3, 3_090_232),
            (5, 4_264_891),
            (8, 5_612_001),
            (10, 6_361_341),
            (12, 7_034_484),
        ];
        for (threshold, z) in table {
            let found = ppm(quantile(Ratio::new(threshold, 1)));
            assert!((found - z).abs() <= 1, "{threshold}: {found} and not {z}");
        }
        for (hundredths, z) in [
            (31, 25_624),
            (50, 478_274),
            (75, 923_674),
            (79, 985_534),
            (80, 1_000_686),
            (90, 1_146_024),
            (250, 2_730_462),
            (850, 5_807_942),
        ] {
            let found = ppm(quantile(Ratio::new(hundredths, 100)));
            assert!((found - z).abs() <= 1, "{hundredths}: {found} and not {z}");
        }
        let seam = minus_ln_tail(Z_MIN) - minus_ln_tail(Z_MIN - 1);
        assert!(seam.abs() < 10_000, "both forms agree: {seam}");
    }
}
