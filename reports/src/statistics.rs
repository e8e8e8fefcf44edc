//! What can be said of what is true, by what was counted: of a share here, of differences in [`paired`].

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

    #[test]
    fn what_was_never_met_is_rare() {
        assert_eq!((below(1000), below(3), below(0)), (0.003, 1.0, 1.0));
    }
}
