//! What may make a difference between runs: the settings that a matrix varied or the seed decided, and which values of
//! them go with failing.

use crate::statistics::{RiskRatio, risk_ratio};
use crate::words::count;
use std::collections::BTreeMap;

/// A setting of which not all runs have the same value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Factor {
    pub key: String,
    pub values: Vec<String>,
    /// By run, which of the values; `None` where the seed decided nothing.
    pub of: Vec<Option<u32>>,
    /// Whether a matrix varied it.
    pub is_varied: bool,
}

/// Settings with more values than this are compared by size, if they have one, and in no table.
pub(super) const VALUES_MAX: usize = 8;

/// So many conditions are told at most.
const TOLD_MAX: usize = 10;

/// How often an interval may miss the truth, if one looks at one condition alone.
const ERROR: f64 = 0.05;

/// A condition that goes with failing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Risk {
    /// `protocol.reads = lease`
    pub condition: String,
    /// Of the runs in which it holds: how many failed, and how many there are.
    pub with: (u64, u64),
    /// And of the others.
    pub without: (u64, u64),
    pub ratio: RiskRatio,
}

impl Risk {
    /// Whether it is more than chance.
    pub fn is_sure(&self) -> bool {
        self.ratio.interval.0 > 1.0
    }
}

/// What goes with failing.
#[derive(Clone, Debug, PartialEq)]
pub struct Separates {
    /// The conditions that may, the surest first. Those whose interval holds 1 may as well not: [`Risk::is_sure`].
    pub(super) found: Vec<Risk>,
    /// So many conditions were looked at.
    pub(super) looked: usize,
}

impl Separates {
    /// The conditions of which more than chance can be said.
    pub(super) fn sure(&self) -> impl Iterator<Item = &Risk> {
        self.found.iter().filter(|risk| risk.is_sure())
    }
}

/// A risk ratio to two figures.
pub(super) fn times(ratio: f64) -> String {
    match ratio {
        ..9.95 => format!("{ratio:.1}"),
        9.95..1e5 => count(libm::round(ratio) as u64),
        _ => "∞".to_owned(),
    }
}

/// Looks at every value of every setting, or at quarters of those that have a size.
///
/// Of many conditions some seem to matter by chance. So each interval may miss the truth a twentieth of the time divided by
/// how many conditions there are (Bonferroni): all of them hold together 95 times of 100.
pub(super) fn risks(factors: &[Factor], failed: &[Option<bool>]) -> Separates {
    let conditions: Vec<Vec<Condition>> = factors.iter().map(|factor| conditions(factor, failed)).collect();
    let looked: usize = conditions.iter().map(Vec::len).sum();
    let error = ERROR / looked.max(1) as f64;
    let risk = |Condition { told, with, without }: Condition| {
        let ratio = risk_ratio(with, without, error);
        Risk { condition: told, with, without, ratio }
    };
    let mut found: Vec<Risk> = Vec::new();
    for (factor, conditions) in factors.iter().zip(conditions) {
        let mut own: Vec<Risk> = conditions.into_iter().map(risk).collect();
        own.sort_by(|a, b| b.ratio.interval.0.total_cmp(&a.ratio.interval.0));
        // Thresholds of one setting say the same: the surest is enough.
        own.truncate(if factor.values.len() > VALUES_MAX { 1 } else { TOLD_MAX });
        found.extend(own);
    }
    found.sort_by(|a, b| b.ratio.interval.0.total_cmp(&a.ratio.interval.0));
    found.truncate(TOLD_MAX);
    Separates { found, looked }
}

/// A condition, and how many failed where it holds and where not.
struct Condition {
    told: String,
    with: (u64, u64),
    without: (u64, u64),
}

fn conditions(factor: &Factor, failed: &[Option<bool>]) -> Vec<Condition> {
    let mut counts = vec![(0, 0); factor.values.len()];
    for (value, failed) in factor.of.iter().zip(failed) {
        if let (Some(value), Some(failed)) = (value, failed) {
            let count: &mut (u64, u64) = &mut counts[*value as usize];
            count.0 += u64::from(*failed);
            count.1 += 1;
        }
    }
    let sum = |counts: &[(u64, u64)]| counts.iter().fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    let all = sum(&counts);
    let condition = |told: String, with: (u64, u64)| {
        let without = (all.0 - with.0, all.1 - with.1);
        (with.1 > 0 && without.1 > 0).then_some(Condition { told, with, without })
    };
    let key = &factor.key;
    if factor.values.len() <= VALUES_MAX {
        let each = factor
            .values
            .iter()
            .zip(&counts)
            .filter_map(|(value, count)| condition(format!("{key} = {value}"), *count));
        let mut each: Vec<Condition> = each.collect();
        if let [one, other] = each.as_slice() {
            // Two that say the same: the riskier is enough.
            let is_riskier = rate(one.with) >= rate(other.with);
            each.remove(usize::from(is_riskier));
        }
        return each;
    }
    let sizes: Option<Vec<f64>> = factor.values.iter().map(|value| size(value)).collect();
    let Some(sizes) = sizes else { return Vec::new() };
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|a, b| sizes[*a].total_cmp(&sizes[*b]));
    let sorted: Vec<(u64, u64)> = order.iter().map(|value| counts[*value]).collect();
    let mut thresholds: Vec<usize> = (1..4).map(|quarter| cut(&sorted, all.1 * quarter / 4)).collect();
    thresholds.dedup();
    let at = |threshold: usize| {
        let (below, above) = (sum(&sorted[..threshold]), sum(&sorted[threshold..]));
        let value = &factor.values[*order.get(threshold)?];
        match rate(above) >= rate(below) {
            true => condition(format!("{key} ≥ {value}"), above),
            false => condition(format!("{key} < {value}"), below),
        }
    };
    thresholds.into_iter().filter_map(at).collect()
}

fn rate((failed, all): (u64, u64)) -> f64 {
    failed as f64 / all.max(1) as f64
}

/// How many of the values, in their order, it takes for so many runs.
fn cut(sorted: &[(u64, u64)], runs: u64) -> usize {
    let mut seen = 0;
    let ends = sorted.iter().map(|count| {
        seen += count.1;
        seen
    });
    ends.take_while(|end| *end <= runs).count()
}

/// How large a value is: a number, or one with a unit of time or a share, in the least unit. `None` of anything else.
pub(super) fn size(value: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 10] = [
        ("", 1.0),
        ("ns", 1.0),
        ("us", 1e3),
        ("ms", 1e6),
        ("s", 1e9),
        ("m", 6e10),
        ("h", 3.6e12),
        ("ppm", 1.0),
        ("%", 1e4),
        ("/s", 1.0),
    ];
    let unit = value.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-')).unwrap_or(value.len());
    let (number, unit) = value.split_at(unit);
    let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
    Some(number.parse::<f64>().ok()? * scale)
}

/// How much of the differences between runs goes with a setting, for each value that it has beyond one: Kruskal and Wallis'
/// measure of ranks, and of shares the like. 0 where all runs have the same value.
pub(super) fn telling(factor: &Factor, ranks: &[Option<f64>]) -> f64 {
    let mut groups: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    let (mut sum, mut squares, mut all) = (0.0, 0.0, 0.0);
    for (value, rank) in factor.of.iter().zip(ranks) {
        if let (Some(value), Some(rank)) = (value, rank) {
            let group = groups.entry(*value).or_default();
            *group = (group.0 + rank, group.1 + 1.0);
            (sum, squares, all) = (sum + rank, squares + rank * rank, all + 1.0);
        }
    }
    let variance = squares - sum * sum / f64::max(all, 1.0);
    if variance <= 0.0 || groups.len() < 2 {
        return 0.0;
    }
    let between: f64 = groups.values().map(|(sum, count)| sum * sum / count).sum::<f64>() - sum * sum / all;
    between / variance / (groups.len() - 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factor(key: &str, of: impl IntoIterator<Item = String>) -> Factor {
        let of: Vec<String> = of.into_iter().collect();
        let mut values = of.clone();
        values.sort();
        values.dedup();
        let place =
            |value: &String| Some(values.iter().position(|known| known == value).expect("it is one of them") as u32);
        Factor { key: key.to_owned(), of: of.iter().map(place).collect(), values, is_varied: false }
    }

    #[test]
    fn what_separates_failing_runs_is_found_among_what_does_not() {
        let all = 0..400u64;
        let is_lease = |seed: u64| seed.is_multiple_of(4);
        let failed: Vec<Option<bool>> = all.clone().map(|seed| Some(is_lease(seed) && seed % 3 == 0)).collect();
        let lease =
            factor("protocol.reads", all.clone().map(|seed| if is_lease(seed) { "lease" } else { "log" }.to_owned()));
        let noise = (0..20).map(|bit| {
            factor(
                &format!("noise-{bit}"),
                all.clone().map(move |seed| (((seed * 2_654_435_761) >> (bit + 3)) & 1).to_string()),
            )
        });
        let factors: Vec<Factor> = std::iter::once(lease).chain(noise).collect();
        let Separates { found, looked } = risks(&factors, &failed);
        assert_eq!((found.iter().filter(|risk| risk.is_sure()).count(), looked), (1, 21), "{found:?}");
        assert_eq!(found[0].condition, "protocol.reads = lease");
        assert_eq!((found[0].with, found[0].without), ((34, 100), (0, 300)));
        assert!(found[0].ratio.interval.0 > 2.0, "{found:?}");
    }

    #[test]
    fn what_has_a_size_is_cut_at_quarters() {
        let delay = |run: u64| format!("{}ms", run * 37 % 1000);
        let failed: Vec<Option<bool>> = (0..1000).map(|run| Some(run * 37 % 1000 >= 750 && run % 2 == 0)).collect();
        let Separates { found, looked } = risks(&[factor("delay", (0..1000).map(delay))], &failed);
        assert_eq!((looked, found.len()), (3, 1));
        assert_eq!(found[0].condition, "delay ≥ 750ms");
        assert_eq!(found[0].without.0, 0);
        let names = factor("name", (0..1000).map(|run| format!("name {run}")));
        assert_eq!(
            risks(&[names], &failed),
            Separates { found: vec![], looked: 0 },
            "without a size there is nothing to compare"
        );
    }

    #[test]
    fn sizes_have_units() {
        let sizes = ["20ms", "2%", "7", "1.5s", "x", "1ms..2ms", ""].map(size);
        assert_eq!(sizes, [Some(2e7), Some(2e4), Some(7.0), Some(1.5e9), None, None, None]);
    }

    #[test]
    fn the_setting_that_matters_tells_most() {
        let matters = factor("matters", (0..100).map(|run| (run % 2).to_string()));
        let does_not = factor("does not", (0..100).map(|run| (run / 2 % 2).to_string()));
        let ranks: Vec<Option<f64>> = (0..100).map(|run| Some(f64::from(run % 2))).collect();
        assert!(telling(&matters, &ranks) > 0.99 && telling(&does_not, &ranks) < 0.01);
    }
}
