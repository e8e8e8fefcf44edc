//! What can be said of what is true by what was counted: of a share and of a median here, of differences in [`paired`].

pub mod paired;

/// The quantile of the normal distribution that leaves 2.5 % above it: intervals hold the true share 95 times of 100.
const Z: f64 = 1.959_963_984_540_054;

/// Between which shares the true one lies, if so many of `all` were counted: Wilson's score interval at 95 %. Of nothing, anything
/// can be true.
///
/// Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927); method 3 of Newcombe,
/// Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998), which finds that it covers
/// about as often as it says, near 0 and 1 too, where p ± z·√(p(1-p)/n) does not.
pub fn wilson(counted: u64, all: u64) -> (f64, f64) {
    if all == 0 {
        return (0.0, 1.0);
    }
    let (counted, all) = (counted.min(all), all as f64);
    let share = counted as f64 / all;
    let centre = share + Z * Z / (2.0 * all);
    let spread = Z * libm::sqrt(share * (1.0 - share) / all + Z * Z / (4.0 * all * all));
    let scale = 1.0 + Z * Z / all;
    // At the ends the bound is exact, and what is rounded must not say otherwise.
    let low = if counted == 0 { 0.0 } else { (centre - spread) / scale };
    let high = if share == 1.0 { 1.0 } else { (centre + spread) / scale };
    (low.max(0.0), high.min(1.0))
}

/// Below which share that lies which was never met in so many, 95 times of 100: the rule of three, since
/// (1 - 3/n)^n is about e^-3, a twentieth (Hanley and Lippman-Hand, If nothing goes wrong, is everything all right?, JAMA 249,
/// 1983).
pub fn below(all: u64) -> f64 {
    if all <= 3 { 1.0 } else { 3.0 / all as f64 }
}

/// The middle of some numbers, and between which of them the true one lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Median {
    /// Half of them are not greater; of two in the middle, the mean.
    pub value: f64,
    /// 95 times of 100 or more often, the median of what they were drawn from is within; `None` of fewer than six, of which
    /// that cannot be said.
    pub interval: Option<(f64, f64)>,
}

/// The median of numbers in their order; `None` of none. Whatever their distribution, the interval holds.
pub fn median(sorted: &[f64]) -> Option<Median> {
    let (low, high) = (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted.get(sorted.len() / 2)?);
    let interval = median_rank(sorted.len()).map(|rank| (sorted[rank - 1], sorted[sorted.len() - rank]));
    Some(Median { value: f64::midpoint(*low, *high), interval })
}

/// The greatest rank r for which the r-th least and the r-th greatest of `count` numbers have the median between them 95
/// times of 100: how many numbers lie below it is as often as heads among so many coins (David and Nagaraja, Order
/// Statistics, 3rd ed., 2003, section 7.1). `None` if there is none.
fn median_rank(count: usize) -> Option<usize> {
    // From the middle outwards: the chance of so many heads, from those of one more.
    let n = count as f64;
    let middle = count / 2;
    let ln_two = std::f64::consts::LN_2;
    let heads = middle as f64;
    let log = libm::lgamma(n + 1.0) - libm::lgamma(heads + 1.0) - libm::lgamma(n - heads + 1.0) - n * ln_two;
    let mut chance = libm::exp(log);
    // The middle is one number of heads or two.
    let mut within = if count.is_multiple_of(2) { chance } else { 2.0 * chance };
    let mut rank = middle;
    while rank > 0 && within < 0.95 {
        chance *= rank as f64 / (n - rank as f64 + 1.0);
        rank -= 1;
        within += 2.0 * chance;
    }
    (rank > 0).then_some(rank)
}

/// How many times as often something happens with a condition as without it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiskRatio {
    /// The ratio of the shares.
    pub ratio: f64,
    /// The true one is within, as often as was asked for.
    pub interval: (f64, f64),
}

/// The ratio of two shares, each a count of so many, and its interval, which leaves `error` outside: normal on the scale of
/// logarithms (Katz, Baptista, Azen and Pike, Obtaining confidence intervals for the risk ratio in cohort studies, Biometrics
/// 34, 1978), with a half added to each count, so that there is one too where nothing was counted (Walter, The distribution
/// of Levin's measure of attributable risk, Biometrika 62, 1975). Of nothing, anything can be true.
pub fn risk_ratio((with, of_with): (u64, u64), (without, of_without): (u64, u64), error: f64) -> RiskRatio {
    let [a, n, b, m] =
        [with.min(of_with), of_with, without.min(of_without), of_without].map(|count| count as f64 + 0.5);
    let ratio = a / n / (b / m);
    let spread = libm::sqrt((1.0 / a - 1.0 / n + 1.0 / b - 1.0 / m).max(0.0)) * normal_quantile(error);
    RiskRatio { ratio, interval: (ratio * libm::exp(-spread), ratio * libm::exp(spread)) }
}

/// How far from the middle of a normal distribution so much of it begins, in both directions together, in standard
/// deviations: of a twentieth, 1.96.
fn normal_quantile(error: f64) -> f64 {
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        let is_below = libm::erfc(middle / std::f64::consts::SQRT_2) > error;
        *(if is_below { &mut low } else { &mut high }) = middle;
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe's table I, method 3, to the four places that are printed there.
    #[test]
    fn wilsons_interval_is_as_published() {
        for (counted, all, low, high) in [
            (81, 263, "0.2553", "0.3662"),
            (15, 148, "0.0624", "0.1605"),
            (0, 20, "0.0000", "0.1611"),
            (1, 29, "0.0061", "0.1718"),
        ] {
            let (from, to) = wilson(counted, all);
            assert_eq!(
                (format!("{from:.4}"), format!("{to:.4}")),
                (low.to_owned(), high.to_owned()),
                "{counted} of {all}"
            );
            let (mirrored_from, mirrored_to) = wilson(all - counted, all);
            assert!((mirrored_from + to - 1.0).abs() < 1e-12 && (mirrored_to + from - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn the_ends_are_exact() {
        assert_eq!((wilson(0, 1000).0, wilson(1000, 1000).1), (0.0, 1.0));
        assert_eq!((wilson(0, 0), wilson(1, 1).1), ((0.0, 1.0), 1.0));
        assert!(wilson(1, 1).0 > 0.2 && wilson(0, 1).1 < 0.8);
        assert!(wilson(u64::MAX, u64::MAX).0 > 0.999);
    }

    /// As in the table of Campbell and Gardner, Calculating confidence intervals for some non-parametric analyses, BMJ 296
    /// (1988): of 25 numbers the 8th and the 18th.
    #[test]
    fn the_medians_interval_is_between_the_ranks_that_tables_give() {
        let ranks = [5, 6, 8, 9, 10, 15, 20, 25, 30, 50, 100].map(median_rank);
        let table = [None, Some(1), Some(1), Some(2), Some(2), Some(4), Some(6), Some(8), Some(10), Some(18), Some(40)];
        assert_eq!(ranks, table);
        // Of many, n/2 - 0.98 √n.
        assert_eq!([median_rank(0), median_rank(10_000), median_rank(1_000_000)], [None, Some(4902), Some(499_020)]);
    }

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[1.0, 2.0, 9.0]), Some(Median { value: 2.0, interval: None }));
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(median(&ten), Some(Median { value: 5.5, interval: Some((2.0, 9.0)) }));
    }

    #[test]
    fn quantiles_are_those_of_tables() {
        let quantiles = [0.1, 0.05, 0.01, 0.001].map(|error| format!("{:.4}", normal_quantile(error)));
        assert_eq!(quantiles, ["1.6449", "1.9600", "2.5758", "3.2905"]);
        assert!((normal_quantile(0.05) - Z).abs() < 1e-12);
    }

    /// Heart attacks among physicians who took placebos and aspirin: 1.82, from 1.43 to 2.31 (Agresti, An Introduction to
    /// Categorical Data Analysis, table 2.3); the halves show in the last place only.
    #[test]
    fn a_risk_ratio_is_as_published() {
        let RiskRatio { ratio, interval: (low, high) } = risk_ratio((189, 11_034), (104, 11_037), 0.05);
        assert_eq!([ratio, low, high].map(|of| format!("{of:.2}")), ["1.81", "1.43", "2.30"]);
        let RiskRatio { ratio, interval: (low, high) } = risk_ratio((7, 34), (1, 34), 0.05);
        assert_eq!([ratio, low, high].map(|of| format!("{of:.2}")), ["5.00", "0.92", "27.05"]);
        let unmet = risk_ratio((3, 10), (0, 990), 0.05);
        assert!(unmet.ratio.is_finite() && unmet.interval.0 > 1.0, "{unmet:?}");
        let nothing = risk_ratio((0, 0), (0, 0), 0.05);
        assert!(nothing.interval.0 <= 1.0 && nothing.interval.1 >= 1.0, "{nothing:?}");
    }

    #[test]
    fn what_was_never_met_is_rare() {
        assert_eq!((below(1000), below(3), below(0)), (0.003, 1.0, 1.0));
    }
}
