//! What storms have found in Dynamo, each in a scenario as small as it goes; run on a few seeds.

use history::{RunRecord, Verdict};
use scenarios::execute::Options;
use scenarios::systems::SYSTEMS;

/// So many seeds each holds for.
const SEEDS: u64 = 5;

/// Everything that a scenario demands holds.
fn holds(lines: &str) {
    for seed in 0..SEEDS {
        let record = run(lines, seed);
        assert_eq!(record.verdict, Verdict::Pass, "seed {seed}: {:?}", record.findings);
    }
}

fn run(lines: &str, seed: u64) -> RunRecord {
    let source = format!("scenario = 1\nabout = \"A test.\"\nduration = \"10s\"\nsettle = \"10s\"\n{lines}");
    let (draft, _) = scenarios::parse(&source, "test", &[], SYSTEMS)
        .unwrap_or_else(|found| panic!("{}", scenarios::diagnostics::render(&found, "test.toml", &source, false)));
    let scenario = draft.resolve(seed).expect("it fits together");
    scenarios::run(&scenario, seed, SYSTEMS, &mut Options::default()).expect("the engine holds").record
}

/// A put that is passed on twice would be numbered twice, and the second version stand after a delete of the first.
#[test]
fn a_request_that_is_passed_on_is_coordinated_once() {
    holds(
        r#"
        [cluster]
        nodes = 5
        [protocol]
        name = "dynamo"
        transport = "datagram"
        [[load]]
        data = "siblings"
        ops = { read = 40, write = 30, delete = 30 }
        keys = { count = 100 }
        [[fault]]
        do = "link"
        during = "1s..10s"
        between = ["all", "all"]
        duplicate = "20%"
        duplicate-after = "0ms..3s"
        [expect]
        must = ["no resurrected deletes", "no lost writes"]
        "#,
    );
}

/// Who stands in for a home node coordinates too, and has what it numbers in a hint alone.
#[test]
fn laws_know_of_versions_that_are_in_hints_alone() {
    holds(
        r#"
        [cluster]
        nodes = 6
        [protocol]
        name = "dynamo"
        anti-entropy = "1s"
        [[load]]
        data = "siblings"
        [[fault]]
        do = "partition"
        during = "3s..8s"
        groups = [["n1", "n2", "n3", "clients"], ["others"]]
        [expect]
        must = ["no lost writes", "converged", "hints delivered"]
        "#,
    );
}

/// A drift of nothing is none, however it is written; and what copies lacked when everything healed is not lost.
#[test]
fn the_last_write_wins_by_clocks_that_are_said_to_be_right() {
    holds(
        r#"
        [cluster]
        nodes = 5
        clock = { drift = "0ppm", offset = "0ms..0ms" }
        [protocol]
        name = "dynamo"
        r = 1
        w = 1
        conflicts = "last-write-wins"
        read-repair = "off"
        anti-entropy = "1s"
        [[load]]
        data = "kv"
        ops = { read = 50, write = 50 }
        [[fault]]
        do = "partition"
        during = "3s..10s"
        groups = [["minority", "half of clients"], ["others"]]
        [expect]
        must = ["no lost writes", "converged"]
        "#,
    );
}

/// What final reads missed is lost if copies stay different, and nobody can tell if they became alike only after the reads.
#[test]
fn reads_that_came_too_soon_tell_of_nothing() {
    let run_with = |anti_entropy: &str| {
        let lines = r#"
        [cluster]
        nodes = 5
        [protocol]
        name = "dynamo"
        r = 1
        w = 1
        quorum = "strict"
        conflicts = "last-write-wins"
        read-repair = "off"
        hinted-handoff = false
        anti-entropy = "EVERY"
        [[load]]
        data = "kv"
        ops = { read = 10, write = 90 }
        keys = { count = 400 }
        [[fault]]
        do = "partition"
        during = "3s..10s"
        groups = [["minority", "half of clients"], ["others"]]
        [expect]
        must = ["no lost writes"]
        "#;
        let record = run(&lines.replace("EVERY", anti_entropy), 1);
        let finding = record.findings.into_iter().find(|finding| finding.check == "no lost writes").expect("asked for");
        (finding.verdict, finding.detail)
    };
    let (verdict, detail) = run_with("6s");
    assert!(verdict == Verdict::Vacuous && detail.ends_with("`settle` is too short"), "{verdict:?}: {detail}");
    assert_eq!(run_with("1m").0, Verdict::Fail, "copies stayed different");
}

/// Whether a request was passed on, where clients find coordinators in this way.
fn is_passed_on(coordination: &str) -> bool {
    let source = format!(
        r#"
        scenario = 1
        about = "A test."
        duration = "5s"
        [cluster]
        nodes = 9
        [protocol]
        name = "dynamo"
        coordination = "{coordination}"
        [[load]]
        data = "siblings"
        keys = {{ count = 200 }}
        [[fault]]
        do = "drop"
        during = "0s..5s"
        messages = ["Forward"]
        [expect]
        reach = ["operations >= 20", "every fault had an effect"]
        "#
    );
    let (draft, _) = scenarios::parse(&source, "test", &[], SYSTEMS).expect("well formed");
    let scenario = draft.resolve(1).expect("nothing is drawn");
    let record = scenarios::run(&scenario, 1, SYSTEMS, &mut Options::default()).expect("the engine holds").record;
    let verdict = |check| record.findings.iter().find(|finding| finding.check == check).map(|finding| finding.verdict);
    assert_eq!(verdict("operations >= 20"), Some(Verdict::Pass));
    verdict("every fault had an effect") == Some(Verdict::Pass)
}

/// "A client-driven approach avoids an extra network hop" (6.4): a client that knows the ring asks who coordinates.
#[test]
fn requests_of_clients_that_know_the_ring_are_not_passed_on() {
    assert!(is_passed_on("server-driven"));
    assert!(!is_passed_on("client-driven"));
}
