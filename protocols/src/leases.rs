//! Leases: time measured on one clock and kept on others.

use sim_core::dice::Ratio;
use sim_core::time::Nanos;

/// For how long whoever was granted a lease may count on it, by its own clock, if those who granted it keep to `granted` by
/// theirs and no clock's rate is wrong by more than this share: what is left of it on a clock that is slow by that much when
/// it is over on one that is fast by it.
pub(crate) fn usable(granted: Nanos, rate_error_max: Ratio) -> Nanos {
    let Ratio { numerator, denominator } = rate_error_max;
    let (slow, fast) = (denominator - numerator, denominator + numerator);
    (u128::from(granted) * u128::from(slow) / u128::from(fast)) as Nanos
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By brute force: while a lease of this length runs on the slowest clock, what was granted ends on no clock.
    #[test]
    fn a_lease_ends_before_what_was_granted_does() {
        for permille in [0, 1, 50, 200, 500] {
            let lease = usable(300_000, Ratio::new(permille, 1000));
            let true_end_of_lease = lease * 1000 / (1000 - permille);
            let true_end_of_grant = 300_000 * 1000 / (1000 + permille);
            assert!(true_end_of_lease <= true_end_of_grant, "{permille}");
            assert!(true_end_of_lease + 10 >= true_end_of_grant, "and not much before: {permille}");
        }
    }
}
