//! `[nemesis]`: how faults are drawn that nobody wrote down.

use super::cluster::table_or_empty;
use super::fault::{outside_groups, targets};
use super::{Scene, delays};
use crate::codes;
use crate::diagnostics::Diagnostic;
use crate::nemesis::{Budget, Down, Nemesis, kinds};
use crate::scenario::DelaySpec;
use crate::sections::{BUDGET, NEMESIS};
use crate::text::Table;
use crate::text::entry::quoted;
use crate::text::quantity::did_you_mean;
use crate::text::reader::Reader;
use sim_core::fault::Target;
use sim_core::time::MILLISECOND;

/// The nemesis that this table describes.
pub(super) fn nemesis(table: &Table, scene: &Scene<'_>) -> Option<Nemesis> {
    let reader = Reader::new(table, &NEMESIS, scene.problems);
    let weights = weights(&reader, scene);
    let targets = targets_of(&reader, scene);
    let budget = budget(&reader, scene);
    let gap = delays::delay(&reader, "gap", scene.problems)?;
    if shortest(&gap) == Some(0) {
        reader.tell(&codes::BAD_VALUE, "gap", "faults would follow each other without end; a gap is 1ms or more");
        return None;
    }
    let (from, until) = if reader.has("during") { reader.times("during")? } else { (0, scene.duration?) };
    if from >= until.min(scene.duration?) {
        reader.tell(
            &codes::OUTSIDE,
            "during",
            "`during` is a range such as \"5s..50s\", and begins before the run ends",
        );
        return None;
    }
    Some(Nemesis {
        swarm: reader.flag("swarm")?,
        weights: weights?,
        gap,
        hold: reader.times("hold")?,
        targets: targets?,
        chase: reader.share("chase")?,
        during: (from, until.min(scene.duration?)),
        budget: budget?,
        origin: table.origin.clone(),
    })
}

/// The shortest gap that can be drawn where it is plain: an exponential one is as good as never 0.
fn shortest(gap: &DelaySpec) -> Option<u64> {
    match gap {
        DelaySpec::Fixed(time) => Some(time / MILLISECOND),
        DelaySpec::Uniform { max, .. } => Some(max / MILLISECOND),
        DelaySpec::Exp { mean } => Some(mean / MILLISECOND),
        DelaySpec::LogNormal { median, .. } => Some(median / MILLISECOND),
        DelaySpec::Pareto { min, .. } => Some(min / MILLISECOND),
    }
}

/// By kind of fault, how often it is drawn.
fn weights(reader: &Reader<'_>, scene: &Scene<'_>) -> Option<Vec<(&'static str, u64)>> {
    let known = kinds();
    let Some(written) = reader.counts("weights") else {
        return Some(known.into_iter().map(|kind| (kind, 1)).collect());
    };
    let mut weights = Vec::new();
    for (name, origin, weight) in written {
        let Some(kind) = known.iter().find(|kind| **kind == name) else {
            let problem = Diagnostic::new(&codes::BAD_VALUE, origin, format!("the nemesis draws no `{name}`"));
            let problem = problem.label(did_you_mean(name, &known)).help(format!("it draws {}", quoted(&known)));
            scene.problems.push(problem);
            return None;
        };
        weights.push((*kind, weight));
    }
    if weights.iter().all(|(_, weight)| *weight == 0) {
        reader.tell(&codes::BAD_VALUE, "weights", "no kind of fault has a weight above zero");
        return None;
    }
    Some(weights)
}

/// The targets as the file writes them; they are read again with each fault.
fn targets_of(reader: &Reader<'_>, scene: &Scene<'_>) -> Option<Vec<String>> {
    let Some(given) = reader.given("targets") else {
        let serving = scene.system.and_then(|system| system.serving);
        return Some(["any", "minority"].into_iter().chain(serving).map(str::to_owned).collect());
    };
    let read = targets(given, scene)?;
    outside_groups(reader, "targets", &read).then(|| read.iter().map(Target::to_string).collect())
}

fn budget(reader: &Reader<'_>, scene: &Scene<'_>) -> Option<Budget> {
    let budget = Reader::new(table_or_empty(reader, "budget"), &BUDGET, scene.problems);
    let down = match budget.word("down-at-once")? {
        "one" => Down::One,
        "minority" => Down::Minority,
        _ => Down::Beyond,
    };
    Some(Budget {
        down_at_once: down,
        concurrent: budget.count("concurrent")? as usize,
        faulted_time: budget.share("faulted-time")?,
    })
}
