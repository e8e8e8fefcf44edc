//! A comparison in words.

use super::metric::Side;
use super::{Comparison, Line};
use history::figures::counted;

/// A sentence for each system but the first.
pub(super) fn sentences(comparison: &Comparison) -> Vec<String> {
    if comparison.seeds.is_empty() {
        return Vec::new();
    }
    (1..comparison.systems.len()).map(|system| sentence(comparison, system)).collect()
}

/// `dynamo is more available than raft (+2.26 points) and answers sooner (-57ms), and pays for it: it reads ..`
fn sentence(comparison: &Comparison, system: usize) -> String {
    let [name, baseline] = [system, 0].map(|system| comparison.systems[system].name.clone());
    let sides = [Side::Service, Side::Speed, Side::Truth];
    let found: Vec<(bool, String)> = sides.iter().filter_map(|side| first(comparison, system, *side)).collect();
    let those = |is_better: bool| -> Vec<String> {
        found.iter().filter(|(better, _)| *better == is_better).map(|(_, deed)| deed.clone()).collect()
    };
    match (those(true).as_slice(), those(false).as_slice()) {
        ([], []) => {
            let seeds = counted(comparison.seeds.len() as u64, "seed");
            format!("Between {name} and {baseline}, no difference was shown in {seeds}.")
        }
        (better, []) => format!("{name} {}; what it would cost beside {baseline} was not shown.", join(better)),
        ([], worse) => format!("{name} {}; what it would gain beside {baseline} was not shown.", join(worse)),
        (better, worse) => format!("{name} {}, beside {baseline}; for that it {}.", join(better), join(worse)),
    }
}

/// Of the metrics of a side, the first that differs: whether the system is better at it, and what it does. What the digits
/// would tell as no difference, and what is known as a bound only, is left out.
fn first(comparison: &Comparison, system: usize, side: Side) -> Option<(bool, String)> {
    let mut lines = comparison.lines.iter().filter(|line| line.metric.side() == Some(side));
    let shown = |line: &Line| {
        let (apart, _) = line.apart(system).filter(|(_, is_shown)| *is_shown)?;
        let is_known = !line.at_least[system] && !line.at_least[0];
        (is_known && !line.metric.unit().is_slight(apart.value)).then_some((line.metric, apart))
    };
    let (metric, apart) = lines.find_map(shown)?;
    let is_better = (apart.value > 0.0) == metric.is_merit();
    let deed = metric.deeds()[usize::from(!is_better)];
    Some((is_better, format!("{deed} ({})", metric.unit().difference(apart.value))))
}

fn join(deeds: &[String]) -> String {
    deeds.join(" and ")
}
