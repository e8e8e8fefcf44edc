//! Values that a scenario leaves to the seed: shown, recorded, overridden, fixed in a file, and refused where they do not fit.
#![allow(clippy::disallowed_methods, reason = "tests of the command touch files, as it does")]

mod common;

use common::{CALM, CUT, Scratch, assert_tells};
use serde_json::json;

/// The calm sea, of which every seed knows how large it is and whether the leader is cut off.
fn swarm() -> String {
    let calm = CALM
        .replace("nodes = 3", "nodes = { choose = [3, 5] }")
        .replace("name = \"raft\"", "name = \"raft\"\npre-vote = { choose = [true, false] }")
        .replace("clients = 3", "clients = { draw = \"1..9\" }");
    format!("{calm}{}chance = \"50%\"\n", CUT.replace("\"1s\"", "{ draw = \"500ms..1s\" }"))
}

/// The first seed in which this draw comes to that.
#[track_caller]
fn seed_of(here: &Scratch, draw: &str) -> String {
    let plan = |seed: &u64| here.stormglass(&["check", "storm.toml", "--plan", "--seed", &seed.to_string()]).out;
    let is_drawn = |seed: &u64| plan(seed).contains(&format!("drawn      {draw}\n"));
    (0..50).find(is_drawn).expect("one of fifty seeds draws it").to_string()
}

#[test]
fn what_a_seed_decides_is_shown_recorded_and_planned() {
    let here = Scratch::with(&swarm());
    let seed = seed_of(&here, "fault.partition-1 = on");
    let run = here.run(&["storm.toml", "--seed", &seed]);
    let draws = run["draws"].as_array().expect("a list");
    let keys: Vec<&str> = draws.iter().filter_map(|draw| draw["key"].as_str()).collect();
    let wanted =
        ["cluster.nodes", "protocol.pre-vote", "load.load.clients", "fault.partition-1", "fault.partition-1.at"];
    assert_eq!(keys, wanted);
    assert_eq!(draws[3], json!({ "key": "fault.partition-1", "value": "on" }));
    assert_eq!(run["nodes"].to_string(), draws[0]["value"].as_str().expect("a text"));

    let all: Vec<String> = draws
        .iter()
        .map(|draw| format!("{} = {}", draw["key"].as_str().unwrap(), draw["value"].as_str().unwrap()))
        .collect();
    let plan = here.stormglass(&["check", "storm.toml", "--plan", "--seed", &seed]);
    let drawn: String = all.iter().map(|draw| format!("drawn      {draw}\n")).collect();
    assert_tells(&plan.out, &[&format!("then 2s to settle\n{drawn}protocol   raft\n")]);
    let told = here.stormglass(&["run", "storm.toml", "--seed", &seed]);
    assert!(told.line("drawn:").starts_with(&all[..2].join(", ")), "{told:?}");
    let replayed =
        here.stormglass(&["replay", "storm.toml", "--seed", &seed, "--verify", &format!("out/storm-{seed}")]);
    assert_eq!(replayed.code, 0, "{replayed:?}");
}

/// A draw decides one value, and moves nothing else: with one alternative, it is as if the file said it.
#[test]
fn a_draw_with_one_outcome_is_no_other_run() {
    let here = Scratch::with(&format!("{CALM}{CUT}"));
    let drawn = CALM
        .replace("nodes = 3", "nodes = { choose = [3] }")
        .replace("clients = 3", "clients = { draw = \"3..3\" }")
        .replace("{ count = 5 }", "{ choose = [{ count = { draw = \"5..5\" } }] }");
    here.write("drawn.toml", format!("{drawn}{CUT}chance = \"100%\"\n"));
    for seed in ["1", "7"] {
        assert_eq!(
            here.fingerprint(&["storm.toml", "--seed", seed]),
            here.fingerprint(&["drawn.toml", "--seed", seed])
        );
    }
}

#[test]
fn a_resolved_file_gives_the_same_run() {
    let here = Scratch::with(&swarm());
    for draw in ["fault.partition-1 = on", "fault.partition-1 = off", "cluster.nodes = 5"] {
        let seed = seed_of(&here, draw);
        let told = here.stormglass(&["check", "storm.toml", "--resolved", "--seed", &seed]);
        assert_eq!((told.code, told.err.as_str()), (0, ""), "{told:?}");
        assert!(!["choose", "draw =", "chance"].iter().any(|word| told.out.contains(word)), "{}", told.out);
        here.write("resolved.toml", &told.out);
        assert_eq!(here.fingerprint(&["storm.toml", "--seed", &seed]), here.fingerprint(&["resolved.toml"]), "{draw}");
    }
    assert_tells(&here.refused(&["check", "storm.toml", "--resolved", "--plan"]), &["cannot be used with"]);
    assert_tells(&here.refused(&["check", "storm.toml", "--seed", "1"]), &["--plan|--resolved"]);
}

#[test]
fn an_override_decides_instead_of_the_seed() {
    let here = Scratch::with(&swarm());
    let five = here.run(&["storm.toml", "--set", "cluster.nodes=5", "--set", "fault.partition-1.chance=0%"]);
    let told: Vec<&str> = five["draws"].as_array().unwrap().iter().filter_map(|draw| draw["key"].as_str()).collect();
    assert_eq!((five["nodes"].as_u64(), five["faults"].as_array().map(Vec::len)), (Some(5), Some(0)));
    assert_eq!(told, ["protocol.pre-vote", "load.load.clients", "fault.partition-1"]);
}

/// A suite runs of each seed what that seed draws.
#[test]
fn a_suite_draws_for_every_seed() {
    let here = Scratch::with(&format!("{}\n[[load]]\nname = \"more\"\nchance = \"50%\"\ndata = \"kv\"\n", swarm()));
    let told = here.stormglass(&["test", "storm.toml", "--seeds", "0..12"]);
    assert_eq!(told.out, "✓ storm.toml   12 seeds: 12 PASS\n1 passed, 0 failed\n", "{told:?}");
}

#[test]
fn a_bad_alternative_is_found_by_check_and_not_by_a_seed() {
    let here = Scratch::with(&swarm().replace("true, false]", "true, \"no\"]"));
    let told = here.refused(&["check", "storm.toml"]);
    assert_tells(&told, &["error[S0103]: `pre-vote` takes `true` or `false`", "--> storm.toml:9:30"]);
    here.write("storm.toml", swarm().replace("\"500ms..1s\"", "\"500ms..3s\""));
    let told = here.refused(&["check", "storm.toml"]);
    assert_tells(
        &told,
        &["error[S0305]: the fault would strike at 3s, and the run ends at 2s", "--> storm.toml:19:15"],
    );
}

/// So rare that no seed that was tried drew it: then that seed is refused, by name.
#[test]
fn a_seed_that_does_not_fit_is_bad_input() {
    let rare =
        |usual: &str, other: &str| format!("{{ choose = [{}\"{other}\"] }}", format!("\"{usual}\", ").repeat(24));
    let (duration, at) = (rare("2s", "1600ms"), rare("900ms", "1700ms"));
    let here = Scratch::with(&(CALM.replacen("\"2s\"", &duration, 1) + &CUT.replace("\"1s\"", &at)));
    let checked = here.stormglass(&["check", "storm.toml"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    let misfit =
        |seed: &u64| here.stormglass(&["check", "storm.toml", "--plan", "--seed", &seed.to_string()]).code == 2;
    let seed = (64..9000).find(misfit).expect("one in 625");
    let wanted =
        format!("the fault would strike at 1.7s, and the run ends at 1.6s (seed {seed} draws duration = 1600ms, ");
    let told = here.refused(&["run", "storm.toml", "--seed", &seed.to_string()]);
    assert_tells(&told, &["error[S0305]", &wanted, "fault.partition-1.at = 1700ms)"]);
    // Whoever is faster, the first such seed is named.
    let seeds = format!("{}..{}", seed - 3, seed + 9);
    for jobs in ["1", "2"] {
        assert_eq!(here.refused(&["test", "storm.toml", "--seeds", &seeds, "--jobs", jobs]), told);
    }
}
