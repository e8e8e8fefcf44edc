//! Verdicts that cannot be had for nothing: what was not tested is not green, and the bound is right.

use history::{Level, Operation, Purpose, RunRecord, Verdict};
use scenarios::execute::Options;
use scenarios::scenario::Scenario;
use scenarios::systems::SYSTEMS;
use sim_core::time::{Nanos, SECOND};

fn run(source: &str, seed: u64) -> RunRecord {
    let (draft, _) = scenarios::parse(source, "test", &[], SYSTEMS)
        .unwrap_or_else(|problems| panic!("{}", scenarios::diagnostics::render(&problems, "test.toml", source, false)));
    let scenario = draft.resolve(seed).expect("it fits together");
    scenarios::run(&scenario, seed, SYSTEMS, &mut Options::default()).expect("the engine holds").record
}

/// A scenario that leaves nothing to the seed.
fn read(source: &str) -> Scenario {
    scenarios::parse(source, "test", &[], SYSTEMS).expect("well formed").0.resolve(0).expect("it fits together")
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
    let gone = "for = \"9s\"\n[[fault]]\ndo = \"crash\"\nat = \"4s\"\ntarget = \"majority\"\n[expect]\nmust = [\"linearizable\", \"availability >= 75%\"]";
    let record = run(&scenario("10s", gone), 1);
    assert_eq!(verdict_of(&record, "availability >= 75%"), Verdict::Vacuous, "{:?}", record.findings);
    assert_eq!(verdict_of(&record, "progress after settle"), Verdict::Pass);
    let availability = record.availability.expect("there is a load");
    assert!(availability.possible < 0.55, "{availability:?}");
}

fn detail_of<'a>(record: &'a RunRecord, check: &str) -> &'a str {
    let finding = record.findings.iter().find(|finding| finding.check == check);
    &finding.unwrap_or_else(|| panic!("no finding `{check}` in {:?}", record.findings)).detail
}

/// A majority is down for 5 s, and then the system is back as soon as somebody is elected. Nobody asks before the first
/// leader is there.
fn majority_down_for_a_while(election_timeout: &str) -> String {
    scenario(
        "30s",
        "at = \"7s\"\n[[fault]]\ndo = \"crash\"\nat = \"8s\"\nfor = \"5s\"\ntarget = \"majority\"\n[expect]\nmust = [\"recovery <= 2s\"]",
    )
    .replace("name = \"raft\"", &format!("name = \"raft\"\nelection-timeout = \"{election_timeout}\""))
}

#[test]
fn nobody_is_blamed_for_the_time_in_which_nobody_could_have_served() {
    for seed in 0..8 {
        let record = run(&majority_down_for_a_while("300ms..600ms"), seed);
        assert_eq!(record.verdict, Verdict::Pass, "seed {seed}: {:?}", record.findings);
        let outage = record.outages.iter().max_by_key(|outage| outage.to_ns - outage.from_ns).expect("an outage");
        assert!(outage.to_ns - outage.from_ns >= 4_900_000_000, "seed {seed}: {outage:?}");
        let detail = detail_of(&record, "recovery <= 2s");
        assert!(detail.contains("nobody could have served"), "seed {seed}: {detail}");
    }
}

#[test]
fn whoever_could_have_served_again_and_did_not_is_to_blame() {
    for seed in 0..8 {
        let record = run(&majority_down_for_a_while("4s..5s"), seed);
        assert_eq!(verdict_of(&record, "recovery <= 2s"), Verdict::Fail, "seed {seed}: {:?}", record.findings);
    }
}

/// Cut off all the time, with nothing to come after: whatever is asked of service was not tested.
#[test]
fn what_needs_a_majority_is_not_demanded_without_one() {
    let cut = r#"
[[fault]]
do = "partition"
at = "0s"
groups = [["n1", "client:c1", "client:c2"], ["n2", "client:c3"], ["n3", "client:c4"]]
[expect]
must = ["availability >= 10%", "recovery <= 1s", "p99 <= 100ms"]
"#;
    let record = run(&scenario("5s", cut).replace("settle = \"5s\"", "settle = \"0s\""), 1);
    for check in ["availability >= 10%", "recovery <= 1s", "p99 <= 100ms"] {
        assert_eq!(verdict_of(&record, check), Verdict::Vacuous, "{check}");
        assert!(detail_of(&record, check).starts_with("premise not met: "), "{}", detail_of(&record, check));
    }
    assert_eq!(record.verdict, Verdict::Vacuous);
}

/// Two of three nodes are up and connected, and nobody leads for most of the time: that is the system's fault, however
/// little was possible before.
#[test]
fn little_that_was_possible_is_no_excuse_for_less() {
    let lazy = r#"
[[fault]]
do = "crash"
at = "1ms"
for = "5s"
target = "majority"
[expect]
must = ["availability >= 60%"]
"#;
    let source = scenario("10s", lazy).replace("name = \"raft\"", "name = \"raft\"\nelection-timeout = \"4s..5s\"");
    let record = run(&source, 1);
    let availability = record.availability.expect("there is a load");
    assert!(availability.possible < 0.6, "{availability:?}");
    assert_eq!(verdict_of(&record, "availability >= 60%"), Verdict::Fail);
}

/// A client that stands alone is served by nobody, and its waiting says nothing of how fast the system is.
#[test]
fn latency_is_of_what_could_be_served() {
    let alone = r#"
[[fault]]
do = "partition"
at = "1s"
for = "3s"
groups = [["client:c1"], ["others"]]
[expect]
must = ["p90 <= 100ms"]
"#;
    let record = run(&scenario("5s", alone).replace("at = \"0s\"", ""), 1);
    assert_eq!(verdict_of(&record, "p90 <= 100ms"), Verdict::Pass, "{:?}", record.findings);
    let detail = detail_of(&record, "p90 <= 100ms");
    assert!(detail.contains("more could not be served"), "{detail}");
}

/// Everything but reads; and where nothing tells what it met, nothing was tested.
#[test]
fn writes_alone_tell_nothing() {
    let expect = "[expect]\nmust = [\"linearizable writes\"]";
    let record = run(&scenario("5s", &format!("ops = {{ read = 5, write = 4, cas = 1 }}\n{expect}")), 1);
    assert_eq!(verdict_of(&record, "linearizable writes"), Verdict::Pass);
    assert!(detail_of(&record, "linearizable writes").ends_with("(reads left out)"));
    let record = run(&scenario("5s", &format!("ops = {{ read = 5, write = 5 }}\n{expect}")), 1);
    assert_eq!(verdict_of(&record, "linearizable writes"), Verdict::Vacuous);
}

/// A finding says whether the system promises it, and on what that rests.
#[test]
fn findings_name_the_promise() {
    let promise = |record: &RunRecord, check: &str| {
        let finding = record.findings.iter().find(|finding| finding.check == check).expect("a finding");
        finding.promise.clone()
    };
    let expect = "[expect]\nmust = [\"linearizable\", \"availability >= 1%\", \"leader changes <= 9\"]";
    let record = run(&scenario("5s", expect), 1);
    assert_eq!(promise(&record, "linearizable").as_deref(), Some("promised by raft with reads = read-index"));
    assert_eq!(promise(&record, "availability >= 1%").as_deref(), Some("progress is promised by raft"));
    assert_eq!(promise(&record, "leader changes <= 9"), None);
    assert_eq!(promise(&record, "progress after settle"), None);
}

/// What a deaf leader does without check-quorum is no broken promise; with it, it would be.
#[test]
fn what_is_not_promised_is_not_demanded() {
    let deaf = |check_quorum: bool, shows: &str| {
        let rest = format!(
            "[[fault]]\ndo = \"partition\"\nat = \"2s\"\nfor = \"5s\"\ngroups = [[\"others\"], [\"leader\"]]\none-way = true\n\
             [expect]\nmust = [\"recovery <= 2s\"]\n{shows}"
        );
        let protocol = format!("name = \"raft\"\ncheck-quorum = {check_quorum}");
        scenario("10s", &rest).replace("name = \"raft\"", &protocol)
    };
    let refused = scenarios::parse(&deaf(false, ""), "test", &[], SYSTEMS).expect_err("beyond the promise");
    assert_eq!(refused.iter().map(|problem| problem.code).collect::<Vec<_>>(), ["S0404"]);
    assert_eq!(
        refused[0].help.as_deref(),
        Some("use `check-quorum = true`, or list it in `shows` too, to show the violation")
    );
    let shown = run(&deaf(false, "shows = [\"recovery <= 2s\"]"), 1);
    assert_eq!(verdict_of(&shown, "recovery <= 2s"), Verdict::Fail, "it does happen");
    let finding = shown.findings.iter().find(|finding| finding.level == Level::Shows).expect("a finding");
    assert!(finding.promise.as_ref().is_some_and(|text| text.starts_with("not promised: without check-quorum")));
    let promised = run(&deaf(true, ""), 1);
    assert_eq!(verdict_of(&promised, "recovery <= 2s"), Verdict::Pass, "{:?}", promised.findings);
    let finding = promised.findings.iter().find(|finding| finding.check == "recovery <= 2s").expect("a finding");
    assert_eq!(finding.promise.as_deref(), Some("progress is promised by raft with check-quorum = true"));
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
    let parsed = read(&source);
    let mut rows = 0;
    let mut sink = |more: Vec<scenarios::execute::Row>| rows += more.len();
    let mut options = Options { trace: Some(&mut sink), ..Options::default() };
    let traced = scenarios::run(&parsed, 3, SYSTEMS, &mut options).expect("the engine holds").record;
    assert_eq!(traced, run(&source, 3));
    assert!(rows > 1000);
}

#[test]
fn a_run_that_is_stopped_says_so() {
    let expect = "[expect]\nmust = [\"linearizable\", \"availability >= 1%\"]\nreach = [\"operations >= 100000\"]";
    let parsed = read(&scenario("5s", expect));
    let stopped_at = |end: Nanos| {
        let mut options = Options { keep_going: Some(&|now| now < end), ..Options::default() };
        scenarios::run(&parsed, 3, SYSTEMS, &mut options).expect("the engine holds").record
    };
    let record = stopped_at(3 * SECOND);
    assert!(record.interrupted && record.simulated_ns == 3 * SECOND, "{}", record.simulated_ns);
    assert_eq!(record.verdict, Verdict::Unknown);
    assert_eq!(verdict_of(&record, "linearizable"), Verdict::Pass, "what there is can be judged");
    assert_eq!(verdict_of(&record, "availability >= 1%"), Verdict::Unknown);
    assert_eq!(verdict_of(&record, "operations >= 100000"), Verdict::Unknown, "it might have been reached");
    assert_eq!(verdict_of(&stopped_at(0), "linearizable"), Verdict::Unknown, "nothing was seen yet");
    let whole = stopped_at(Nanos::MAX);
    assert!(!whole.interrupted);
    assert_eq!(verdict_of(&whole, "operations >= 100000"), Verdict::Vacuous);
    assert_eq!(stopped_at(whole.simulated_ns), whole, "at the end there is nothing left to stop");
}

/// Whoever is never there breaks no promise, and keeps none.
#[test]
fn a_system_that_was_down_all_the_time_is_vacuous() {
    let down = "for = \"4s\"\n[[fault]]\ndo = \"crash\"\nat = \"0s\"\ntarget = \"all\"\n";
    let record = run(&scenario("5s", &format!("{down}[expect]\nmust = [\"linearizable\", \"no lost writes\"]")), 1);
    assert_eq!(record.operations.expect("there is a load").ok, 0);
    assert_eq!(verdict_of(&record, "linearizable"), Verdict::Vacuous);
    assert_eq!(verdict_of(&record, "no lost writes"), Verdict::Vacuous);
}

#[test]
fn a_recovery_that_nobody_waited_for_is_vacuous() {
    let late = "for = \"2s\"\n[[fault]]\ndo = \"crash\"\nat = \"3s\"\nfor = \"1s\"\ntarget = \"majority\"\n";
    let record = run(&scenario("5s", &format!("{late}[expect]\nmust = [\"recovery <= 1s\"]")), 1);
    assert_eq!(verdict_of(&record, "every fault had an effect"), Verdict::Pass);
    assert_eq!(verdict_of(&record, "recovery <= 1s"), Verdict::Vacuous);
}

#[test]
fn a_leader_that_never_was_did_not_stay() {
    let source = r#"
scenario = 1
about = "A test."
duration = "1ms"
settle = "0s"
[protocol]
name = "raft"
[expect]
must = ["leader changes <= 3"]
"#;
    assert_eq!(verdict_of(&run(source, 1), "leader changes <= 3"), Verdict::Vacuous);
}

/// Alone, a node has nobody to ask for what it forgot: its own disk holds what it promised.
#[test]
fn a_cluster_of_one_survives_its_crashes() {
    let source = r#"
scenario = 1
about = "A test."
duration = "5s"
settle = "5s"
[cluster]
nodes = 1
[protocol]
name = "raft"
[[load]]
clients = 4
model = { closed = { think = "0s" } }
[[fault]]
do = "crash"
every = "1s"
for = "100ms"
target = "n1"
disk = "lose-unsynced"
[expect]
must = ["linearizable", "no lost writes"]
"#;
    for seed in 0..10 {
        let record = run(source, seed);
        assert_eq!(record.verdict, Verdict::Pass, "seed {seed}: {:?}", record.findings);
        assert!(record.faults.iter().any(|fault| fault.effects > 1), "seed {seed}: no record was lost");
    }
}

#[test]
fn a_majority_and_a_minority_are_everybody() {
    let cut = "[cluster]\nnodes = 5\n[[fault]]\ndo = \"partition\"\nat = \"1s\"\nfor = \"1s\"\ngroups = [[\"majority\"], [\"minority\"]]";
    for seed in 0..20 {
        let who = run(&scenario("3s", cut), seed).faults[0].who.clone();
        let groups: Vec<Vec<&str>> = who.split(" | ").map(|group| group.split(' ').collect()).collect();
        let mut all = groups.concat();
        all.sort_unstable();
        assert_eq!((groups.len(), groups[0].len()), (2, 3), "seed {seed}: {who}");
        assert_eq!(all, ["n1", "n2", "n3", "n4", "n5"], "seed {seed}: {who}");
    }
}

#[test]
fn a_fault_strikes_after_every_hundred_operations() {
    let thrice =
        "[[fault]]\ndo = \"crash\"\nwhen = \"100 operations\"\ntimes = 3\nfor = \"500ms\"\ntarget = \"leader\"";
    let record = run(&scenario("15s", thrice), 1);
    let struck: Vec<u64> = record.faults.iter().map(|fault| fault.from_ns).collect();
    assert_eq!(struck.len(), 3, "{struck:?}");
    // 100 operations a second: the next hundred take as long.
    assert!(struck.windows(2).all(|pair| pair[1] - pair[0] >= 900_000_000), "{struck:?}");
    assert!(record.faults.iter().all(|fault| fault.effects > 0), "{:?}", record.faults);
}

/// Final reads that had no time to begin, or to end, prove nothing against a system that answers the others.
#[test]
fn more_keys_than_time_are_no_lack_of_progress() {
    let keys = "keys = { count = 5000 }\n[cluster]\nlayout = \"three-regions\"\n[expect]\nmust = [\"linearizable\"]";
    let source = scenario("5s", keys).replace("settle = \"5s\"", "settle = \"1s\"");
    for seed in 0..5 {
        let parsed = read(&source);
        let run = scenarios::run(&parsed, seed, SYSTEMS, &mut Options::default()).expect("the engine holds");
        let is_open = |op: &Operation| op.purpose == Purpose::FinalRead && op.completed.is_none();
        assert!(run.history.operations.iter().any(is_open), "seed {seed}: the time was too short");
        assert_eq!(verdict_of(&run.record, "progress after settle"), Verdict::Pass, "seed {seed}");
    }
}

/// A leader dies shortly before the load ends, and the next is elected only after that.
#[test]
fn an_outage_across_the_end_of_the_load_is_one_outage() {
    let source = r#"
scenario = 1
about = "A test."
duration = "10s"
settle = "10s"
[protocol]
name = "raft"
election-timeout = "3s..3500ms"
[[load]]
at = "6s"
timeout = "10s"
[[fault]]
do = "crash"
at = "8500ms"
target = "leader"
[expect]
must = ["recovery <= 2s"]
"#;
    for seed in 1..9 {
        let record = run(source, seed);
        assert_eq!(record.outages.len(), 1, "seed {seed}: {:?}", record.outages);
        assert!(record.outages[0].from_ns < 8_500_000_000 && record.outages[0].to_ns > 11_500_000_000);
        assert_eq!(verdict_of(&record, "recovery <= 2s"), Verdict::Fail, "seed {seed}: 3 s to the next election");
    }
}

/// What was held up for too long is lost with its connection, and the next one is as fast as ever.
#[test]
fn a_delay_that_is_over_delays_no_more() {
    let slow = "[[fault]]\ndo = \"link\"\nat = \"2s\"\nfor = \"4s\"\nbetween = [\"all\", \"all\"]\ndelay = \"+30s\"";
    for seed in 0..5 {
        let record = run(&scenario("7s", slow).replace("settle = \"5s\"", "settle = \"10s\""), seed);
        assert_eq!(record.verdict, Verdict::Pass, "seed {seed}: {:?}", record.findings);
        assert_eq!(verdict_of(&record, "progress after settle"), Verdict::Pass, "seed {seed}");
    }
}
