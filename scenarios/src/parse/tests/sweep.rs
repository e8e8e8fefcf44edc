//! Variants, and what makes a scenario the same scenario.

use super::toy::TOY;
use super::{STORM, parse};
use crate::diagnostics::{Origin, render};
use crate::{Draft, StopAfter};
use sim_core::time::SECOND;

const MATRIX: &str = r#"scenario = 1
about = "Four seas."
duration = "60s"
[cluster]
nodes = 3
[protocol]
name = "toy"
[[load]]
[[fault]]
do = "crash"
at = "5s"
target = "any"
[sweep]
seeds = 20
matrix = { "protocol.pre-vote" = [true, false], "cluster.nodes" = [3, 5], "fault.0.at" = ["5s", "6s"] }
exclude = [{ "protocol.pre-vote" = false, "fault.crash-1.at" = "6s" }, { "cluster.nodes" = 3, "fault.0.at" = "6s" }]
stop-after = { failures = 20, time = "10m" }
"#;

fn draft(source: &str, set: &[(&str, &str)]) -> Draft<'static> {
    let set: Vec<(String, String)> = set.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let read = parse(source, "storm", &set, &[TOY]);
    read.unwrap_or_else(|found| panic!("{}", render(&found, "storm.toml", source, false))).0
}

fn variants(set: &[(&str, &str)]) -> Vec<String> {
    draft(MATRIX, set).sweep().variants.iter().map(|variant| variant.name.clone()).collect()
}

#[test]
fn a_matrix_is_every_combination_but_those_excluded() {
    let draft = draft(MATRIX, &[]);
    let sweep = draft.sweep();
    assert_eq!(
        (sweep.seeds, sweep.stop_after.failures, sweep.stop_after.time),
        (Some(20), Some(20), Some(600 * SECOND))
    );
    let names = [
        "protocol.pre-vote=true,cluster.nodes=3,fault.0.at=5s",
        "protocol.pre-vote=true,cluster.nodes=5,fault.0.at=5s",
        "protocol.pre-vote=true,cluster.nodes=5,fault.0.at=6s",
        "protocol.pre-vote=false,cluster.nodes=3,fault.0.at=5s",
        "protocol.pre-vote=false,cluster.nodes=5,fault.0.at=5s",
    ];
    assert_eq!(variants(&[]), names);
    let last = &sweep.variants[4];
    let scenario = last.draft.resolve(1).unwrap();
    assert_eq!((scenario.cluster.zones.len(), scenario.protocol.values.flag("pre-vote")), (5, false));
    assert!(last.draft.sweep().variants.is_empty());
    assert_eq!(draft.resolve(1).unwrap().cluster.zones.len(), 3, "the file as it is");
}

#[test]
fn what_the_command_line_sets_is_no_longer_varied() {
    let one = ["protocol.pre-vote=true,cluster.nodes=5,fault.0.at=6s"];
    assert_eq!(variants(&[("fault.crash-1.at", "6s")]), one);
    let seven = variants(&[("cluster.nodes", "7"), ("fault.0.at", "5s")]);
    let names = ["protocol.pre-vote=true", "protocol.pre-vote=false"];
    assert_eq!(seven, names.map(|name| format!("{name},cluster.nodes=7,fault.0.at=5s")));
}

/// A variant is what `--set` makes of the file, so its runs can be had by the command that is printed.
#[test]
fn a_variant_is_the_file_with_its_keys_set() {
    let matrix =
        MATRIX.replace("crash-1", "0").replace("[\"5s\", \"6s\"]", "[\"5s\", \"6s\"], \"fault.0.do\" = [\"pause\"]");
    for variant in &draft(&matrix, &[]).sweep().variants {
        let set: Vec<(&str, &str)> = variant.set.iter().map(|(key, value)| (&**key, &**value)).collect();
        assert_eq!(draft(&matrix, &set).identity(), variant.draft.identity(), "{}", variant.name);
        assert_eq!(variant.draft.resolve(1).unwrap().faults[0].name, "pause-1");
    }
}

/// What fits alone may not fit together, and then it is said where.
#[test]
fn a_variant_that_does_not_fit_is_named() {
    let source = MATRIX.replace("\"6s\"] }", "\"70s\"] }").replace("\"6s\"", "\"70s\"");
    let found = parse(&source, "storm", &[], &[TOY]).unwrap_err();
    let [problem] = found.as_slice() else { panic!("one problem: {found:?}") };
    assert_eq!((problem.code, problem.position(&source)), ("S0305", Some((15, 97))));
    let source = MATRIX.replace("\"fault.0.at\" = [\"5s\", \"6s\"]", "duration = [\"60s\", \"4s\"]");
    let source = source.replace("exclude", "# exclude");
    let found = parse(&source, "storm", &[], &[TOY]).unwrap_err();
    let [problem] = found.as_slice() else { panic!("one problem: {found:?}") };
    let wanted = "(in the variant protocol.pre-vote=true,cluster.nodes=3,duration=4s)";
    assert!(problem.code == "S0305" && problem.message.ends_with(wanted), "{problem:?}");
    assert!(matches!(problem.origin, Origin::File(_)));
}

#[test]
fn too_many_combinations_are_refused() {
    let many: Vec<String> = (1..=90).map(|n| n.to_string()).collect();
    let source = MATRIX.replace("[3, 5]", &format!("[{}]", many.join(", ")));
    let found = parse(&source.replace("exclude", "# exclude"), "storm", &[], &[TOY]).unwrap_err();
    assert_eq!(found[0].code, "S0601", "{found:?}");
}

/// Neither comments nor layout nor how it is swept make another scenario; everything else does.
#[test]
fn identity_is_what_a_run_depends_on() {
    let identity = |source: &str| draft(source, &[]).identity();
    let storm = identity(STORM);
    let relaid = STORM.replace("= 500", "=   17 # more").replace("\n\n", "\n# a word\n\n");
    assert_eq!(identity(&relaid), storm);
    assert_eq!(identity(&STORM.replace("[sweep]\nseeds = 500\n", "")), storm);
    assert_eq!(identity(&format!("seed = 9\n{STORM}")), storm);
    assert_eq!(draft(STORM, &[("sweep.seeds", "5")]).identity(), storm);
    assert_ne!(draft(STORM, &[("settle", "11s")]).identity().hash, storm.hash);
    assert_ne!(identity(&STORM.replace("p99(read) <= 400ms", "p99(read) <= 401ms")).hash, storm.hash);
    assert_ne!(parse(STORM, "other", &[], &[TOY]).unwrap().0.identity().hash, storm.hash, "another name");
    assert_eq!(identity(&storm.text), storm, "the text is a file that says the same");
    assert_eq!(storm.hash.len(), 32);
}

#[test]
fn a_file_that_says_nothing_of_sweeps_has_none() {
    let source = MATRIX.split("[sweep]").next().unwrap();
    let draft = draft(source, &[]);
    assert_eq!((draft.sweep().seeds, draft.sweep().stop_after), (None, StopAfter::default()));
    assert!(draft.sweep().variants.is_empty());
}
