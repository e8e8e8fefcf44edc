use super::*;
use crate::parse::{Draft, parse};
use crate::plan::Plan;
use crate::scenario::Timing;
use crate::systems::SYSTEMS;
use sim_core::fault::{ClockHarm, Which};
use std::collections::{BTreeMap, BTreeSet};

fn source(more: &str) -> String {
    format!(
        "scenario = 1\nabout = \"x\"\nduration = \"30s\"\n[cluster]\nnodes = 5\n[[load]]\nclients = 2\n[protocol]\n\
         name = \"raft\"\n{more}\n[expect]\nmust = [\"linearizable\"]\n"
    )
}

fn draft(source: &str) -> Draft<'static> {
    parse(source, "x", &[], SYSTEMS).unwrap_or_else(|found| panic!("{found:?}")).0
}

fn scenario(draft: &Draft<'_>, seed: u64) -> Scenario {
    draft.resolve(seed).unwrap_or_else(|found| panic!("{found:?}"))
}

/// From when to when a fault may be there.
fn span(fault: &Fault) -> (Nanos, Nanos) {
    match fault.timing {
        Timing::At { from, to } => (from, to + fault.length.map_or(1, |(_, longest)| longest)),
        Timing::Event { within, .. } => within.expect("it waits for so long and no longer"),
        Timing::During { .. } | Timing::Every { .. } => panic!("a nemesis does not draw these"),
    }
}

const BUSY: &str = "[nemesis]\ngap = \"100ms..500ms\"\nhold = \"100ms..3s\"\nchase = \"20%\"\n";

#[test]
fn no_budget_is_exceeded_at_any_time() {
    let budget = "budget = { concurrent = 2, faulted-time = \"50%\", down-at-once = \"one\" }\n";
    let draft = draft(&source(&format!("{BUSY}targets = [\"any\", \"leader\", \"minority\"]\n{budget}")));
    for seed in 0..50 {
        let faults = scenario(&draft, seed).faults;
        assert!(faults.len() > 5, "there is enough to look at");
        let mut faulted = 0;
        let mut last = 0;
        for fault in &faults {
            let (from, until) = span(fault);
            assert!(from < until && until <= 30_000 * MILLISECOND, "{fault:?}");
            let there: Vec<&Fault> = faults.iter().filter(|f| (span(f).0..span(f).1).contains(&from)).collect();
            assert!(there.len() <= 2, "seed {seed}: {there:#?}");
            let downs = there.iter().filter(|fault| is_down(&fault.action)).count();
            assert!(downs <= 1, "seed {seed}: {there:#?}");
            faulted += until.saturating_sub(from.max(last));
            last = last.max(until);
        }
        assert!(faulted <= 15_000 * MILLISECOND, "seed {seed}: {faulted}");
    }
}

/// Whether it takes a node away; a minority of two is more than the one that is allowed.
fn is_down(action: &Action) -> bool {
    let is_two = |targets: &[Target]| targets.iter().any(|target| target.who == Who::Minority);
    match action {
        Action::Crash { target, .. }
        | Action::Pause { target, .. }
        | Action::Disk { target, .. }
        | Action::Lose { target } => {
            assert!(!is_two(target), "{action:?}");
            true
        }
        Action::Partition { groups, .. } => {
            assert!(!groups.iter().any(|group| is_two(group)), "{action:?}");
            true
        }
        Action::Outage { .. } | Action::Shape { .. } => true,
        Action::CutLinks { .. }
        | Action::Drop { .. }
        | Action::Cpu { .. }
        | Action::Clock { .. }
        | Action::Operate { .. }
        | Action::Link { .. } => false,
    }
}

#[test]
fn a_swarm_leaves_kinds_out_and_says_which() {
    let draft = draft(&source(&format!("{BUSY}swarm = true\n")));
    let mut ways: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for seed in 0..60 {
        let scenario = scenario(&draft, seed);
        for draw in &scenario.draws {
            ways.entry(draw.key.clone()).or_default().insert(draw.value.clone());
        }
        let is_on = |kind: &str| scenario.draws.contains(&Draw { key: format!("nemesis.{kind}"), value: "on".into() });
        assert!(scenario.faults.iter().all(|fault| is_on(fault.action.name())));
    }
    assert_eq!(ways.len(), kinds().len());
    assert!(ways.values().all(|ways| ways.len() == 2), "{ways:?}");
}

/// A way that could never be drawn, because it cannot be read or is never promised to be survived, would be no way.
#[test]
fn every_way_on_the_menu_is_drawn_and_is_there_once_it_is_drawn() {
    let draft = draft(&source(
        "reads = \"log\"\n[nemesis]\ngap = \"50ms..100ms\"\nhold = \"10ms..50ms\"\nbudget = { down-at-once = \"beyond\" }\n",
    ));
    let mut seen: BTreeSet<(&str, String)> = BTreeSet::new();
    for seed in 0..5 {
        for fault in scenario(&draft, seed).faults {
            assert_eq!(fault.part_of.as_deref(), Some(NAME));
            let shape = format!("{:?}", std::mem::discriminant(&fault.action));
            seen.insert((fault.action.name(), shape));
        }
    }
    let kinds: BTreeSet<&str> = seen.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, super::kinds().into_iter().collect());
}

#[test]
fn what_is_not_promised_to_be_survived_is_not_drawn() {
    let has_clocks = |reads: &str| {
        let source =
            source(&format!("reads = \"{reads}\"\nclock-drift-bound = \"1%\"\n{BUSY}weights = {{ clock = 1 }}\n"));
        let draft = draft(&source);
        (0..20).flat_map(|seed| scenario(&draft, seed).faults).map(|fault| fault.action).collect::<Vec<_>>()
    };
    let is_harmless = |action: &Action| {
        let Action::Clock { harm: ClockHarm { which, step, rate_ppb, freeze }, .. } = action else { return false };
        *which == Which::Wall || (*step == 0 && !freeze && rate_ppb.abs() <= 10_000_000)
    };
    let leased = has_clocks("lease");
    assert!(!leased.is_empty() && leased.iter().all(is_harmless), "{leased:?}");
    assert!(has_clocks("log").iter().any(|action| !is_harmless(action)));
}

/// What a seed draws does not depend on what else stands in the file.
#[test]
fn further_loads_and_faults_change_no_fault_of_the_nemesis() {
    let drawn = |more: &str| {
        let mut faults = scenario(&draft(&source(&format!("{more}{BUSY}"))), 7).faults;
        faults.retain(|fault| fault.part_of.is_some());
        faults
    };
    let more = "[[load]]\nclients = 3\n[[fault]]\ndo = \"pause\"\ntarget = \"n1\"\nat = \"1s\"\nfor = \"1s\"\n";
    assert_eq!(drawn(""), drawn(more));
}

#[test]
fn a_resolved_file_has_the_faults_instead_of_the_nemesis() {
    let source = source(BUSY);
    let draft_of_seeds = draft(&source);
    let resolved = draft_of_seeds.resolved_file(3).expect("it fits together");
    assert!(!resolved.contains("[nemesis]"));
    let plan = |draft: &Draft<'_>| Plan::draw(&scenario(draft, 3), 3).to_string();
    assert_eq!(plan(&draft(&resolved)), plan(&draft_of_seeds));
}

#[test]
fn mistakes_are_told_where_they_stand() {
    let message = |more: &str| {
        let found = parse(&source(&format!("[nemesis]\n{more}\n")), "x", &[], SYSTEMS).expect_err(more);
        found.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(message("weights = { crush = 1 }"), "the nemesis draws no `crush`");
    assert_eq!(message("weights = { crash = 0 }"), "no kind of fault has a weight above zero");
    assert!(message("gap = \"0ms\"").starts_with("faults would follow each other without end"));
    assert!(message("during = \"40s..50s\"").starts_with("`during` is a range"));
    assert!(message("targets = [\"emperor\"]").contains("`emperor` is not a target"));
    assert!(message("budget = { down-at-once = \"many\" }").contains("`many`"));
    assert!(message("holds = \"1s\"").contains("unknown key `holds`"));
}
