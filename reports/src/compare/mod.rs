//! Systems side by side under the same storms: what each came to, how far they are apart, and how sure that is.
//!
//! Only seeds that every system has run count: each gives one number for each of them, and what the seed made easy or hard it
//! made so for all. Differences are those to the first system, the baseline; intervals are of [`crate::statistics::paired`].

mod figure;
mod json;
mod metric;
mod page;
mod text;
mod verdict;

pub use figure::{Storm, figures};
pub use json::json;
pub use metric::{Compared, Metric, Unit};
pub use page::page;
pub use text::text;

use crate::statistics::paired::{Difference, Interval, difference, holm, single};
use std::collections::BTreeMap;

/// A system, and its runs.
#[derive(Clone, Debug, Default)]
pub struct Contender {
    /// What it is called: by its scenario, its variant, or both.
    pub name: String,
    /// The scenario's file.
    pub file: String,
    /// Its runs, in the order of their seeds.
    pub runs: Vec<Compared>,
}

/// What is compared, and all that is known of it.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// The version of stormglass.
    pub version: String,
    /// The systems; the first is the baseline. Their runs are those of the shared seeds.
    pub systems: Vec<Contender>,
    /// The seeds that all of them have run.
    pub seeds: Vec<u64>,
    /// What is known of each metric that any run has.
    pub lines: Vec<Line>,
    /// Faults that wait for an event, and so strike at moments that each system has for itself.
    pub own_moments: Vec<String>,
    /// Runs that were asked for.
    pub asked: u64,
    /// Those of them that are not there.
    pub missing: u64,
    /// Why, if any are.
    pub ended: Option<String>,
    /// Where all runs are.
    pub saved: String,
}

/// A metric of all systems.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Which.
    pub metric: Metric,
    /// Of how many seeds: those for which every system has it.
    pub seeds: usize,
    /// By system, its average.
    pub values: Vec<Interval>,
    /// By system, how much larger its average is than the first one's; the first has none.
    pub differences: Vec<Option<Difference>>,
    /// By system, whether its difference is more than chance, if one looks at all differences of the comparison (Holm).
    pub shown: Vec<bool>,
    /// By system, whether its average is a bound from below: a response time as long as clients wait, since of whoever was not
    /// served no more is known.
    pub at_least: Vec<bool>,
}

impl Comparison {
    /// Compares these systems, the first being the baseline, by these metrics. In the run of a seed, clients wait so
    /// long for an answer, in nanoseconds; where some have less patience than others, theirs.
    pub fn of(mut systems: Vec<Contender>, metrics: &[Metric], patience: impl Fn(u64) -> u64) -> Self {
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        for run in systems.iter().flat_map(|system| &system.runs) {
            *counts.entry(run.seed).or_default() += 1;
        }
        let is_shared = |seed: u64| counts.get(&seed) == Some(&systems.len());
        let seeds: Vec<u64> = counts.keys().copied().filter(|seed| is_shared(*seed)).collect();
        for system in &mut systems {
            system.runs.retain(|run| seeds.binary_search(&run.seed).is_ok());
        }
        let patience: Vec<f64> = seeds.iter().map(|seed| patience(*seed) as f64).collect();
        let of = metrics.len() * systems.len().saturating_sub(1);
        let mut lines: Vec<Line> =
            metrics.iter().filter_map(|metric| Line::of(*metric, &systems, &patience, of)).collect();
        judge(&mut lines);
        Comparison { systems, seeds, lines, ..Comparison::default() }
    }

    /// What is known of a metric; `None` if no seed has it for all systems, or if nobody asked.
    pub fn line(&self, metric: Metric) -> Option<&Line> {
        self.lines.iter().find(|line| line.metric == metric)
    }

    /// The shared seeds at the 5th, 50th and 95th percentile of how long nobody was served, summed over all systems: a mild storm, a
    /// typical one and a harsh one; each seed once, by its rank from the mildest on.
    pub fn storms(&self) -> Vec<(&'static str, u64)> {
        let outage =
            |number: usize| self.systems.iter().map(|system| u128::from(system.runs[number].outage_ns)).sum::<u128>();
        let mut ranked: Vec<(u128, u64)> =
            self.seeds.iter().enumerate().map(|(number, seed)| (outage(number), *seed)).collect();
        ranked.sort_unstable();
        let mut storms: Vec<(&'static str, u64)> = Vec::new();
        for (which, percentile) in [("a typical storm", 50), ("a mild storm", 5), ("a harsh storm", 95)] {
            let rank = (ranked.len() * percentile).div_ceil(100).max(1);
            let seed = ranked.get(rank - 1).map(|(_, seed)| *seed);
            storms.extend(seed.filter(|seed| storms.iter().all(|(_, known)| known != seed)).map(|seed| (which, seed)));
        }
        storms.sort_by_key(|(_, seed)| ranked.iter().position(|(_, known)| known == seed));
        storms
    }

    /// In words: who is better at what than the baseline, and what that costs. A sentence for each of the others.
    pub fn verdict(&self) -> Vec<String> {
        verdict::sentences(self)
    }

    /// How many runs of a system failed.
    fn failed(&self, system: usize) -> u64 {
        let failed = self.systems[system].runs.iter().filter(|run| run.verdict == history::Verdict::Fail);
        failed.count() as u64
    }
}

impl Line {
    /// Of a comparison with so many differences.
    fn of(metric: Metric, systems: &[Contender], patience: &[f64], of: usize) -> Option<Self> {
        let all: Vec<Vec<Option<f64>>> =
            systems.iter().map(|system| system.runs.iter().map(|run| metric.of(run)).collect()).collect();
        let is_whole = |seed: &usize| all.iter().all(|numbers| numbers[*seed].is_some());
        let whole: Vec<usize> = (0..all.first()?.len()).filter(is_whole).collect();
        let kept = |numbers: &Vec<Option<f64>>| whole.iter().filter_map(|seed| numbers[*seed]).collect::<Vec<f64>>();
        let all: Vec<Vec<f64>> = all.iter().map(kept).collect();
        let average = metric.average();
        let values = all.iter().map(|numbers| single(numbers, average)).collect::<Option<Vec<Interval>>>()?;
        let baseline = &all[0];
        let apart = |(number, numbers): (usize, &Vec<f64>)| {
            if number == 0 { None } else { difference(baseline, numbers, average, of) }
        };
        let differences = all.iter().enumerate().map(apart).collect();
        let is_wait = matches!(metric, Metric::P50 | Metric::P99);
        // A run that knows only that clients gave up may belong behind the middle.
        let is_bound = |(found, numbers): (&Interval, &Vec<f64>)| {
            let given_up = numbers.iter().zip(&whole).filter(|(number, seed)| **number >= patience[**seed]);
            is_wait && given_up.into_iter().any(|(number, _)| *number <= found.value)
        };
        let at_least = values.iter().zip(&all).map(is_bound).collect();
        let shown = vec![false; all.len()];
        Some(Line { metric, seeds: whole.len(), values, differences, shown, at_least })
    }

    /// How far a system is from the baseline, and whether that is shown.
    fn apart(&self, system: usize) -> Option<(Interval, bool)> {
        Some((self.differences[system]?.interval, self.shown[system]))
    }

    /// What is told of a system's average, or of what is drawn of it: `31.5ms`, `at least 1s`.
    fn told(&self, system: usize, value: f64) -> String {
        let told = self.metric.unit().told(value);
        if self.at_least[system] { format!("at least {told}") } else { told }
    }
}

/// Says of all differences together which are shown.
fn judge(lines: &mut [Line]) {
    let places: Vec<(usize, usize, f64)> = lines
        .iter()
        .enumerate()
        .flat_map(|(number, line)| {
            let levels = line.differences.iter().enumerate();
            levels.filter_map(move |(system, apart)| Some((number, system, apart.as_ref()?.level)))
        })
        .collect();
    let shown = holm(&places.iter().map(|(_, _, level)| *level).collect::<Vec<f64>>());
    for ((line, system, _), is_shown) in places.into_iter().zip(shown) {
        lines[line].shown[system] = is_shown;
    }
}

#[cfg(test)]
mod tests;
