//! Values that are decided once per seed.

use super::toy::TOY;
use super::{STORM, parse};
use crate::Draft;
use crate::diagnostics::render;
use crate::scenario::{Scenario, Timing};
use history::Draw;
use sim_core::dice::Ratio;
use sim_core::time::SECOND;
use std::collections::BTreeSet;

/// Much of it is left to the seed.
pub(super) const SWARM: &str = r#"
scenario = 1
about = "Every seed has its own storm."
duration = { draw = "30s..2m" }

[cluster]
nodes = { choose = [3, 5, 7] }
clock = { drift = { draw = "0..1%" } }

[protocol]
name = "toy"
batch = { draw = "1..100" }
reads = { choose = ["log", "local"] }

[[load]]
clients = { choose = [1, { count = 5 }] }
model = { choose = [{ closed = {} }, { open = { rate = { draw = "100/s..500/s" } } }] }

[[load]]
name = "night"
chance = "25%"

[[fault]]
do = "crash"
chance = "50%"
at = { draw = "5s..20s" }
target = [{ choose = ["leader", "any"] }, "n3"]

[[fault]]
do = "crash"
at = { draw = "5s..20s" }
target = "leader"

[[fault]]
name = "either"
do = { choose = ["crash", "pause"] }
at = "10s"
target = { choose = ["minority", ["n1", "n2"]] }

[expect]
must = ["linearizable writes", { choose = ["recovery <= 5s", "no lost writes"] }]
"#;

fn draft(source: &str) -> Draft<'static> {
    read(source, &[]).unwrap_or_else(|told| panic!("{told}"))
}

/// The draft, or what is told of it.
fn read(source: &str, overrides: &[(&str, &str)]) -> Result<Draft<'static>, String> {
    let overrides: Vec<_> = overrides.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    match parse(source, "swarm", &overrides, &[TOY]) {
        Ok((draft, warnings)) if warnings.is_empty() => Ok(draft),
        Ok((_, found)) | Err(found) => Err(render(&found, "swarm.toml", source, false)),
    }
}

fn resolve(draft: &Draft<'_>, seed: u64) -> Scenario {
    draft.resolve(seed).unwrap_or_else(|found| panic!("{}", render(&found, "swarm.toml", "", false)))
}

/// Everything that a scenario says, as a text that can be compared.
fn said(scenario: &Scenario) -> String {
    format!("{scenario:?}")
}

fn drawn<'a>(scenario: &'a Scenario, key: &str) -> Option<&'a str> {
    scenario.draws.iter().find(|draw| draw.key == key).map(|draw| &*draw.value)
}

#[test]
fn a_seed_decides_everything_that_is_left_to_it() {
    let draft = draft(SWARM);
    for seed in 0..200 {
        let scenario = resolve(&draft, seed);
        assert!((30 * SECOND..=120 * SECOND).contains(&scenario.duration));
        assert!([3, 5, 7].contains(&scenario.cluster.zones.len()));
        assert!((1..=100).contains(&scenario.protocol.values.count("batch")));
        assert!([1, 5].contains(&scenario.loads[0].zones.len()));
        let drift = scenario.cluster.clock.drift;
        assert!(drift.numerator * 100 <= drift.denominator, "{drift:?}");
        assert_eq!(drawn(&scenario, "cluster.nodes"), Some(&*scenario.cluster.zones.len().to_string()));
        assert_eq!(said(&scenario), said(&resolve(&draft, seed)), "the same seed, the same scenario");
    }
}

#[test]
fn draws_are_listed_by_the_place_of_the_value() {
    let draft = draft(SWARM);
    let keys = |seed| resolve(&draft, seed).draws.into_iter().map(|draw| draw.key).collect::<Vec<_>>();
    let all = [
        "duration",
        "cluster.nodes",
        "cluster.clock.drift",
        "protocol.batch",
        "protocol.reads",
        "load.load.clients",
        "load.load.model",
        "load.night",
        "fault.crash-1",
        "fault.crash-1.at",
        "fault.crash-1.target.0",
        "fault.crash-2.at",
        "fault.either.do",
        "fault.either.target",
        "expect.must.1",
    ];
    let is_on = |seed: &u64| drawn(&resolve(&draft, *seed), "fault.crash-1") == Some("on");
    let (on, off) = ((0..).find(is_on).unwrap(), (0..).find(|seed| !is_on(seed)).unwrap());
    assert_eq!(keys(on), all);
    // What is drawn for a fault that does not exist concerns nobody.
    let others = |key: &&str| *key == "fault.crash-1" || !key.starts_with("fault.crash-1");
    assert_eq!(keys(off), all.into_iter().filter(others).collect::<Vec<_>>());
}

/// Each alternative as likely as another, a chance as likely as it says, and no draw tied to another.
#[test]
fn seeds_spread_over_everything() {
    let draft = draft(SWARM);
    let all: Vec<Scenario> = (0..1200).map(|seed| resolve(&draft, seed)).collect();
    let count = |is: &dyn Fn(&Scenario) -> bool| all.iter().filter(|scenario| is(scenario)).count();
    let with = |key: &'static str, value: &'static str| move |scenario: &Scenario| drawn(scenario, key) == Some(value);
    for nodes in ["3", "5", "7"] {
        assert!((330..470).contains(&count(&with("cluster.nodes", nodes))), "{nodes}");
    }
    assert!((240..360).contains(&count(&|scenario| scenario.loads.len() == 2)), "in a quarter of the seeds");
    assert!((540..660).contains(&count(&|scenario| scenario.faults.len() == 3)), "in half of the seeds");
    let (a, b) = (with("protocol.reads", "log"), with("fault.crash-1", "on"));
    assert!((240..360).contains(&count(&|scenario| a(scenario) && b(scenario))), "in half of a half");
    let instants: BTreeSet<&str> = all.iter().filter_map(|scenario| drawn(scenario, "fault.crash-2.at")).collect();
    assert_eq!(instants.len(), 151, "every tenth of a second from 5 s to 20 s, both included");
    assert!(instants.contains("5s") && instants.contains("20s"));
}

/// What is not touched by a change of the file is drawn as before.
#[test]
fn a_draw_more_or_less_moves_no_other() {
    let before = draft(SWARM);
    let changes = [
        SWARM.replace("[cluster]", "settle = { draw = \"1s..9s\" }\n[cluster]"),
        SWARM.replace("batch = { draw = \"1..100\" }", "batch = 7"),
        SWARM.replacen("[[fault]]", "[[fault]]\nname = \"new\"\ndo = \"pause\"\nat = { draw = \"1s..9s\" }\ntarget = \"any\"\nchance = \"50%\"\n[[fault]]", 1),
        SWARM.replace("chance = \"25%\"\n", ""),
        SWARM.replace("chance = \"50%\"", "chance = \"51%\""),
    ];
    for changed in changes {
        let after = draft(&changed);
        for seed in 0..20 {
            let (before, after) = (resolve(&before, seed), resolve(&after, seed));
            let shared: Vec<(&Draw, &Draw)> = before
                .draws
                .iter()
                .filter_map(|draw| Some((draw, after.draws.iter().find(|other| other.key == draw.key)?)))
                .collect();
            assert!(shared.len() >= 10, "{changed}");
            for (before, after) in shared {
                assert_eq!(before, after, "seed {seed} of {changed}");
            }
        }
    }
}

#[test]
fn without_draws_every_seed_has_the_same_scenario() {
    let draft = draft(STORM);
    assert!(resolve(&draft, 7).draws.is_empty());
    assert_eq!(said(&resolve(&draft, 7)), said(&resolve(&draft, 8)));
}

/// Whether a fault exists is nothing to what the others are called, and so to what they draw.
#[test]
fn a_fault_that_does_not_exist_leaves_the_names_of_the_others() {
    let draft = draft(SWARM);
    for seed in 0..20 {
        let scenario = resolve(&draft, seed);
        let names: Vec<&str> = scenario.faults.iter().map(|fault| &*fault.name).collect();
        match drawn(&scenario, "fault.crash-1") {
            Some("on") => assert_eq!(names, ["crash-1", "crash-2", "either"]),
            _ => assert_eq!(names, ["crash-2", "either"]),
        }
    }
}

#[test]
fn what_is_drawn_is_what_an_override_takes() {
    let scenario = resolve(&draft(SWARM), 3);
    let set = |key: &str, value: &str| resolve(&read(SWARM, &[(key, value)]).unwrap(), 3);
    for Draw { key, value } in &scenario.draws {
        // Elements of lists that are no tables have no override, and existence has one of its own.
        let is_element = key.ends_with(|c: char| c.is_ascii_digit());
        if !is_element && value != "on" && value != "off" {
            let fixed = set(key, value);
            assert_eq!(drawn(&fixed, key), None, "{key} is no longer drawn");
            let same = Scenario { draws: scenario.draws.clone(), ..fixed };
            assert_eq!(said(&same), said(&scenario), "{key} = {value}");
        }
    }
    assert_eq!(set("fault.crash-1.chance", "0%").faults.len(), 2);
    let all = set("fault.0.chance", "100%").faults;
    assert_eq!(all.len(), 3);
    let seven = Timing::At { from: 7 * SECOND, to: 7 * SECOND };
    let set_all = |key, value| resolve(&read(SWARM, &[("fault.0.chance", "100%"), (key, value)]).unwrap(), 3).faults;
    assert_eq!(set_all("fault.crash-2.at", "{ draw = \"7s..7s\" }")[1].timing, seven);
    assert_eq!(set("cluster.clock.drift", "1%").cluster.clock.drift, Ratio::new(1, 100));
    let told = read(SWARM, &[("load.0.model.open.rate", "1/s")]).unwrap_err();
    assert!(told.contains("in --set load.0.model.open.rate: `choose` stands alone in its braces"), "{told}");
    let told = read(SWARM, &[("cluster.nodes", "{ choose = [3, 0] }")]).unwrap_err();
    assert!(told.contains("in --set cluster.nodes: `0` is not a whole number from 1 to 1000"), "{told}");
}

/// A file in which everything is decided: the same scenario for every seed, and nothing left to draw.
#[test]
fn a_resolved_file_says_the_same() {
    let swarm = draft(SWARM);
    for seed in 0..50 {
        let file = swarm.resolved_file(seed).unwrap();
        let resolved = read(&file, &[]).unwrap_or_else(|told| panic!("{told}\n{file}"));
        assert_eq!((resolved.seed(), resolved.name()), (seed, "swarm"));
        let Scenario { draws, seed: own, .. } = resolve(&resolved, seed + 1);
        assert_eq!((draws.as_slice(), own), (&[][..], seed), "{file}");
        let wanted = Scenario { draws: Vec::new(), seed, ..resolve(&swarm, seed) };
        assert_eq!(said(&resolve(&resolved, seed + 1)), said(&wanted), "{file}");
    }
    let storm = draft(STORM);
    let again = draft(&storm.resolved_file(5).unwrap());
    assert_eq!(said(&resolve(&again, 5)), said(&Scenario { seed: 5, name: "swarm".to_owned(), ..resolve(&storm, 5) }));
}

/// Two draws that fit with everything but each other: most such pairs are found when the file is read.
#[test]
fn what_only_two_draws_break_is_found_by_a_seed() {
    let source = SWARM
        .replace("{ draw = \"30s..2m\" }", "{ choose = [\"100s\", \"40s\"] }")
        .replace("at = \"10s\"", "at = { choose = [\"10s\", \"50s\"] }");
    let told = read(&source, &[]).unwrap_err();
    assert_eq!(told.matches("error[").count(), 1, "{told}");
    assert!(told.contains("error[S0305]: the fault would strike at 50s, and the run ends at 40s (seed "), "{told}");
    assert!(told.contains(" draws duration = 40s, cluster.nodes = "), "{told}");
    assert!(told.contains("swarm.toml:37:25"), "at the alternative: {told}");
}

/// One seed in some hundred draws what does not fit: the file is fine, and that seed says so.
#[test]
fn a_seed_that_does_not_fit_names_itself() {
    let rare = |from: u64| (from..from + 20).map(|at| format!("\"{at}s\"")).collect::<Vec<_>>().join(", ");
    let source = SWARM
        .replace("{ draw = \"30s..2m\" }", &format!("{{ choose = [\"100s\", {}] }}", rare(50)))
        .replace("at = \"10s\"", &format!("at = {{ choose = [\"10s\", {}] }}", rare(31)));
    let draft = draft(&source);
    let (seed, found) = (0..20_000).find_map(|seed| Some((seed, draft.resolve(seed).err()?))).expect("one in 441");
    assert!(seed > 63, "else it would have been tried");
    let told = render(&found, "swarm.toml", &source, false);
    assert!(told.contains(&format!("the run ends at 50s (seed {seed} draws duration = 50s, ")), "{told}");
}

/// Numbers that nobody could wait for are refused, not begun.
#[test]
fn more_alternatives_than_can_be_tried_are_refused() {
    let many = format!("{{ choose = [{}] }}", "3, ".repeat(5000));
    let told = read(&SWARM.replace("{ choose = [3, 5, 7] }", &many), &[]).unwrap_err();
    assert!(told.starts_with("error[S0109]: there are 5014 alternatives"), "{told}");
    let some = format!("{{ choose = [{}] }}", "3, ".repeat(500));
    assert!(read(&SWARM.replace("{ choose = [3, 5, 7] }", &some), &[]).is_ok());
}
