//! Verdicts that cannot be had for nothing: what was not tested is not green, and the bound is right.

use history::{Level, RunRecord, Verdict};
use scenarios::execute::Options;
use scenarios::systems::SYSTEMS;

fn run(source: &str, seed: u64) -> RunRecord {
    let (scenario, _) = scenarios::parse(source, "test", &[], SYSTEMS)
        .unwrap_or_else(|problems| panic!("{}", scenarios::diagnostics::render(&problems, "test.toml", source, false)));
    scenarios::run(&scenario, seed, SYSTEMS, &mut Options::default()).expect("the engine holds").record
}

fn verdict_of(record: &RunRecord, check: &str) -> Verdict {
    let finding = record.findings.iter().find(|finding| finding.check == check);
    finding.unwrap_or_else(|| panic!("no finding `{check}` in {:?}", record.findings)).verdict
}

/// Three nodes under a constant open load, and whatever else is given.
fn scenario(duration: &str, rest: &str) -> String {
    format!(
        r#"
scenario = 1
about = "A test."
duration = "{duration}"
settle = "5s"
[protocol]
name = "raft"
[[load]]
clients = 4
model = {{ open = {{ rate = "100/s", arrivals = "constant" }} }}
timeout = "500ms"
{rest}
"#
    )
}

/// All nodes are down for 10 of 60 s: nobody could have served more than 50 of 60, give or take a timeout.
#[test]
fn the_best_possible_is_what_the_machines_allow() {
    let source = scenario(
        "60s",
        "[[fault]]\ndo = \"crash\"\nat = \"20s\"\nfor = \"10s\"\ntarget = \"all\"\n[expect]\nmust = [\"linearizable\"]",
    );
    for seed in 0..5 {
        let record = run(&source, seed);
        let availability = record.availability.expect("there is a load");
        let (expected, slack) = (50.0 / 60.0, 0.5 / 60.0);
        assert!((availability.possible - expected).abs() <= slack + 0.001, "seed {seed}: {availability:?}");
        assert!(availability.achieved <= availability.possible, "seed {seed}: {availability:?}");
        let outage = record.outages.iter().max_by_key(|outage| outage.to_ns - outage.from_ns).expect("an outage");
        let unavoidable = (outage.to_ns - outage.from_ns).abs_diff(outage.avoidable_ns);
        assert!(unavoidable.abs_diff(10_000_000_000) < 600_000_000, "seed {seed}: {outage:?}");
    }
}

#[test]
fn nobody_achieves_the_impossible() {
    let storm = r#"
[[fault]]
do = "partition"
every = "3s"
for = "1s..2s"
groups = [["minority", "client:c1"], ["others"]]
[[fault]]
do = "crash"
every = "4s"
for = "500ms..3s"
target = "one of all"
[[fault]]
do = "pause"
every = "5s"
for = "1s"
target = ["any", "client:c2"]
[expect]
must = ["linearizable", "no lost writes"]
"#;
    for seed in 0..30 {
        let record = run(&scenario("20s", storm), seed);
        assert_eq!(verdict_of(&record, "linearizable"), Verdict::Pass, "seed {seed}");
        assert_eq!(verdict_of(&record, "no lost writes"), Verdict::Pass, "seed {seed}");
        let availability = record.availability.expect("there is a load");
        assert!(availability.achieved <= availability.possible, "seed {seed}: {availability:?}");
        for bucket in &record.buckets {
            assert!(bucket.achieved <= bucket.possible && bucket.possible <= bucket.invoked, "seed {seed}: {bucket:?}");
        }
    }
}

/// Clients say nothing to each other, so a cut between them changes nothing, and a run that only had that is no test.
#[test]
fn a_cut_between_idle_machines_is_vacuous() {
    let cut = "[[fault]]\ndo = \"partition\"\nat = \"2s\"\nfor = \"2s\"\ngroups = [[\"client:c1\"], [\"client:c2\"]]\n";
    let record = run(&scenario("6s", &format!("{cut}[expect]\nmust = [\"linearizable\"]")), 1);
    assert_eq!(record.verdict, Verdict::Vacuous);
    assert_eq!(record.faults[0].effects, 0);
    assert_eq!(verdict_of(&record, "linearizable"), Verdict::Pass);
}

#[test]
fn a_fault_that_never_struck_is_vacuous() {
    let never = "[[fault]]\ndo = \"crash\"\nwhen = \"1000000 operations\"\ntarget = \"leader\"\n";
    let record = run(&scenario("5s", &format!("{never}[expect]\nmust = [\"linearizable\"]")), 1);
    assert_eq!((record.verdict, &*record.faults[0].who), (Verdict::Vacuous, "never struck"));
}

#[test]
fn a_goal_not_reached_is_vacuous() {
    let record =
        run(&scenario("5s", "[expect]\nmust = [\"linearizable\"]\nreach = [\"leader elected >= 9 times\"]"), 1);
    assert_eq!(record.verdict, Verdict::Vacuous);
    assert_eq!(verdict_of(&record, "leader elected >= 9 times"), Verdict::Vacuous);
}

#[test]
fn without_operations_there_is_nothing_to_judge() {
    let source = "scenario = 1\nabout = \"a\"\nduration = \"5s\"\n[protocol]\nname = \"raft\"\n";
    let record = run(source, 1);
    assert!(record.operations.is_none() && record.availability.is_none());
    assert_eq!(record.verdict, Verdict::Pass, "its laws held after every step");
    let asked = "scenario = 1\nabout = \"a\"\nduration = \"5s\"\n[protocol]\nname = \"raft\"\n[[load]]\nclients = 1\nat = \"4999ms\"\nmodel = { closed = { think = \"1h\" } }\nops = { read = 1 }\n[expect]\nmust = [\"no lost writes\"]";
    assert_eq!(verdict_of(&run(asked, 1), "no lost writes"), Verdict::Vacuous, "nothing was written");
}

/// A majority is gone for good until everything heals: what was possible is nothing, and the system comes back at the end.
#[test]
fn a_cluster_without_a_majority_serves_nobody_and_comes_back() {
    let gone = "[[fault]]\ndo = \"crash\"\nat = \"1s\"\ntarget = \"majority\"\n[expect]\nmust = [\"linearizable\", \"availability >= 50%\"]";
    let record = run(&scenario("10s", gone), 1);
    assert_eq!(verdict_of(&record, "availability >= 50%"), Verdict::Fail);
    assert_eq!(verdict_of(&record, "progress after settle"), Verdict::Pass);
    let availability = record.availability.expect("there is a load");
    assert!(availability.possible < 0.2, "{availability:?}");
}

/// `should` is told and fails nothing; `shows` is told and fails the run.
#[test]
fn levels_count_as_they_say() {
    let record = run(&scenario("5s", "[expect]\nmust = [\"linearizable\"]\nshould = [\"p99 <= 1us\"]"), 1);
    assert_eq!((record.verdict, verdict_of(&record, "p99 <= 1us")), (Verdict::Pass, Verdict::Fail));
    let shown = "[expect]\nmust = [\"p99 <= 1us\"]\nshows = [\"p99 <= 1us\"]";
    let record = run(&scenario("5s", shown), 1);
    assert_eq!(record.verdict, Verdict::Fail);
    assert!(record.findings.iter().any(|finding| finding.level == Level::Shows));
}

#[test]
fn a_trace_changes_nothing() {
    let source = scenario("5s", "[[fault]]\ndo = \"crash\"\nat = \"2s\"\nfor = \"1s\"\ntarget = \"leader\"");
    let (parsed, _) = scenarios::parse(&source, "test", &[], SYSTEMS).expect("well formed");
    let mut rows = 0;
    let mut sink = |more: Vec<scenarios::execute::Row>| rows += more.len();
    let mut options = Options { trace: Some(&mut sink), keep_going: None };
    let traced = scenarios::run(&parsed, 3, SYSTEMS, &mut options).expect("the engine holds").record;
    assert_eq!(traced, run(&source, 3));
    assert!(rows > 1000);
}

#[test]
fn a_run_that_is_stopped_says_so() {
    let source = scenario("5s", "[expect]\nmust = [\"linearizable\", \"availability >= 1%\"]");
    let (parsed, _) = scenarios::parse(&source, "test", &[], SYSTEMS).expect("well formed");
    let mut options = Options { trace: None, keep_going: Some(&|| false) };
    let record = scenarios::run(&parsed, 3, SYSTEMS, &mut options).expect("the engine holds").record;
    assert_eq!(record.verdict, Verdict::Unknown);
    assert_eq!(verdict_of(&record, "availability >= 1%"), Verdict::Unknown);
}
