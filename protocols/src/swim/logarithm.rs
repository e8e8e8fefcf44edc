//! Logarithms in integers: the same on every machine.

/// How many bits stand behind the point.
const FRACTION: u32 = 32;
const ONE: u64 = 1 << FRACTION;
/// ln 2, in these units.
const LN_2: u64 = 2_977_044_472;

/// The logarithm of `of`, at least 1, to the base 2, in units of 2^-32, rounded down.
///
/// Whoever squares a number between 1 and 2 doubles its logarithm: whether the square is 2 or more is the next bit of it.
pub fn log2(of: u64) -> u64 {
    let whole = of.max(1).ilog2();
    let mut mantissa = (u128::from(of.max(1)) << FRACTION) >> whole;
    let mut log = u64::from(whole);
    for _ in 0..FRACTION {
        mantissa = (mantissa * mantissa) >> FRACTION;
        let bit = u64::from(mantissa >= u128::from(2 * ONE));
        mantissa >>= bit;
        log = (log << 1) | bit;
    }
    log
}

/// The natural logarithm of `of`, rounded up.
pub fn ceil_ln(of: u64) -> u64 {
    let scaled = u128::from(log2(of)) * u128::from(LN_2);
    scaled.div_ceil(u128::from(ONE) * u128::from(ONE)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_right_to_nine_figures() {
        assert_eq!([1, 2, 8, 1 << 40].map(log2), [0, ONE, 3 * ONE, 40 * ONE]);
        let billionths = |of| u128::from(log2(of)) * 1_000_000_000 / u128::from(ONE);
        assert_eq!([3, 10, 100].map(billionths), [1_584_962_500, 3_321_928_094, 6_643_856_189]);
    }

    #[test]
    fn natural_logarithms_are_rounded_up() {
        assert_eq!([1, 2, 3, 8, 101, 1001].map(ceil_ln), [0, 1, 2, 3, 5, 7]);
        assert_eq!(log2(0), 0, "nothing is taken for one");
    }
}
