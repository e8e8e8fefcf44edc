//! `stormglass compare`: systems through the same storms, and how far they are apart.

use super::sweep::{self, Asked, Case, Limits, Way, fill};
use crate::args::{Compare, Format};
use crate::exit::{Done, Exit, Failure};
use crate::store::Store;
use crate::{files, interrupt, many, screen};
use history::Verdict;
use reports::compare::{Comparison, Contender, Metric, Storm, figures, json, page, text};
use scenarios::storm;
use scenarios::systems::System;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// More differences than this help nobody.
const APART_MAX: usize = 6;

pub fn compare(args: &Compare, systems: &'static [System]) -> Done {
    let began = Instant::now();
    let loaded = sweep::load_all(&args.files, &args.set, systems)?;
    let cases = sweep::cases(Asked { set: &args.set, seeds: Some(args.seeds), shard: None }, &loaded)?;
    if cases.len() < 2 {
        let message =
            "one system alone cannot be compared: name another scenario, or one with several variants in its [sweep]";
        return Err(Failure::usage(message));
    }
    are_one_storm(&cases)?;
    let store = Store::open(&args.db)?;
    let limits = Limits::default();
    let ended = fill(&store, &cases, Way { jobs: args.jobs, progress: args.progress }, &limits)?;
    let comparison = Comparison { ended: ended.map(|ended| ended.told(&limits)), ..comparison(args, &store, &cases)? };
    if let Some(dir) = &args.out {
        draw(dir, &comparison, &cases)?;
    }
    let wall_ns = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
    screen::print(&match args.format {
        Format::Human => text(&comparison, screen::look()),
        Format::Json => format!("{}\n", json(&comparison, wall_ns)),
    })?;
    let is_whole = comparison.missing == 0;
    Ok(match comparison.seeds.is_empty() {
        _ if !is_whole && interrupt::asked() => Exit::Interrupted,
        // How they compare is what was asked for, whatever they came to.
        false => Exit::Judged(Verdict::Pass),
        true => Exit::Judged(Verdict::Vacuous),
    })
}

/// The page's file.
const PAGE: &str = "compare.html";

/// Writes the page and its pictures.
fn draw(dir: &Path, comparison: &Comparison, cases: &[Case<'_>]) -> Result<(), Failure> {
    files::make_dir(dir)?;
    let storms = comparison.storms().into_iter().map(|(which, seed)| storm(which, seed, cases));
    let figures = figures(comparison, &storms.collect::<Result<Vec<_>, Failure>>()?);
    for figure in &figures {
        files::write(&dir.join(format!("{}.svg", figure.name)), &figure.file())?;
    }
    files::write(&dir.join(PAGE), &page(comparison, &figures))
}

/// A storm again, with what happened when: a database keeps no more of a run than numbers.
fn storm(which: &'static str, seed: u64, cases: &[Case<'_>]) -> Result<Storm, Failure> {
    let again = |case: &Case<'_>| {
        let scenario = case.loaded.resolve_as(case.draft, seed)?;
        Ok(many::run(&scenario, seed, case.loaded.systems)?.record)
    };
    Ok(Storm { which, seed, runs: cases.iter().map(again).collect::<Result<Vec<_>, Failure>>()? })
}

/// What is known of the runs that are there.
fn comparison(args: &Compare, store: &Store, cases: &[Case<'_>]) -> Result<Comparison, Failure> {
    let contender = |case: &Case<'_>| {
        let (name, file) = (named(case, cases), case.path.display().to_string());
        Ok(Contender { name, file, runs: store.compared(&case.subject, case.seeds)? })
    };
    let systems = cases.iter().map(contender).collect::<Result<Vec<_>, Failure>>()?;
    let asked: u64 = cases.iter().map(|case| case.seeds.count).sum();
    let there: u64 = systems.iter().map(|system| system.runs.len() as u64).sum();
    let metrics = if args.metric.is_empty() { &Metric::ALL[..] } else { &args.metric };
    let first = &cases[0];
    let scenario = first.loaded.resolve_as(first.draft, first.seeds.first)?;
    let patience = patience(first)?;
    Ok(Comparison {
        version: scenarios::VERSION.to_owned(),
        asked,
        missing: asked.saturating_sub(there),
        own_moments: storm::own_moments(&scenario, first.seeds.first),
        saved: args.db.display().to_string(),
        ..Comparison::of(systems, metrics, |seed| patience.get(&seed).copied().unwrap_or(u64::MAX))
    })
}

/// By seed, how long the least patient clients wait. All systems have the same.
fn patience(case: &Case<'_>) -> Result<BTreeMap<u64, u64>, Failure> {
    let of = |seed: u64| {
        let scenario = case.loaded.resolve_as(case.draft, seed)?;
        Ok((seed, scenario.loads.iter().map(|load| load.timeout).min().unwrap_or(u64::MAX)))
    };
    case.seeds.iter().map(of).collect()
}

/// By what tells it from the others: its variant among variants of one scenario, else its scenario too.
fn named(case: &Case<'_>, cases: &[Case<'_>]) -> String {
    let is_one_scenario = cases.iter().all(|other| other.subject.name == case.subject.name);
    if is_one_scenario { case.subject.variant.clone() } else { case.subject.told() }
}

/// That every seed is the same storm for all; before anything is run.
fn are_one_storm(cases: &[Case<'_>]) -> Result<(), Failure> {
    let [first, others @ ..] = cases else { return Ok(()) };
    for other in others {
        // What is left to the plan alone is drawn alike if the scenarios are.
        let is_drawn = first.draft.is_drawn() || other.draft.is_drawn();
        for seed in first.seeds.iter().take(if is_drawn { usize::MAX } else { 1 }) {
            let [one, two] = [first, other].map(|case| case.loaded.resolve_as(case.draft, seed));
            let apart = storm::apart(&one?, &two?, seed);
            if !apart.is_empty() {
                let names = [first, other].map(|case| told(case));
                return Err(Failure::usage(parted(&names, seed, &apart)));
            }
            if interrupt::asked() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The file, and the variant if there is one.
fn told(case: &Case<'_>) -> String {
    let (file, variant) = (case.path.display(), &case.subject.variant);
    if variant.is_empty() { file.to_string() } else { format!("{file} ({variant})") }
}

fn parted(names: &[String; 2], seed: u64, apart: &[storm::Apart]) -> String {
    let [one, other] = names;
    let width = one.chars().count().max(other.chars().count());
    let mut message =
        format!("{other} is another storm than {one} for seed {seed}, so what they come to cannot be paired");
    for storm::Apart { what, told } in apart.iter().take(APART_MAX) {
        message.push_str(&format!("\n  {what}"));
        for (name, told) in names.iter().zip(told) {
            message.push_str(&format!("\n    {name:<width$}  {told}"));
        }
    }
    if apart.len() > APART_MAX {
        message.push_str(&format!("\n  and {} more", apart.len() - APART_MAX));
    }
    message.push_str(
        "\n  duration, machines, clocks, links, faults and the load have to be alike; the protocol, the kind of data and \
         [expect] may differ",
    );
    message
}
