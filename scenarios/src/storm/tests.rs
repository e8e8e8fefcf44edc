use super::*;
use crate::systems::SYSTEMS;

const STORM: &str = r#"scenario = 1
about = "A storm."
duration = "10s"
settle = "5s"
[cluster]
nodes = 5
layout = "three-regions"
[protocol]
name = "raft"
[[load]]
name = "people"
clients = 6
data = "kv"
ops = { read = 50, write = 50 }
model = { open = { rate = "50/s", arrivals = "poisson" } }
keys = { count = 20 }
[[fault]]
name = "ocean"
do = "partition"
at = "2s..4s"
for = "1s..3s"
groups = [["region:eu-west"], ["others"]]
[[fault]]
do = "crash"
every = "2s"
jitter = "1s"
for = "500ms"
target = "one of all"
"#;

fn scenario(text: &str) -> Scenario {
    let (draft, _) = crate::parse(text, "storm", &[], SYSTEMS).unwrap_or_else(|found| panic!("{found:?}"));
    draft.resolve(7).unwrap_or_else(|found| panic!("{found:?}"))
}

/// What differs from the storm above.
fn changed(from: &str, to: &str) -> Vec<Apart> {
    assert!(STORM.contains(from), "{from}");
    apart(&scenario(STORM), &scenario(&STORM.replace(from, to)), 7)
}

#[test]
fn another_system_meets_the_same_storm() {
    assert_eq!(changed("name = \"raft\"", "name = \"multi-paxos\""), []);
    assert_eq!(changed("name = \"raft\"", "name = \"raft\"\npre-vote = false\nflaws = [\"ack-before-fsync\"]"), []);
    let dynamo = STORM.replace("name = \"raft\"", "name = \"dynamo\"\nconflicts = \"last-write-wins\"");
    let carts = STORM
        .replace("name = \"raft\"", "name = \"dynamo\"")
        .replace("\"kv\"", "\"cart\"")
        .replace("write = 50", "add = 50");
    for other in [dynamo, carts] {
        for seed in 0..20 {
            assert_eq!(apart(&scenario(STORM), &scenario(&other), seed), []);
        }
    }
    assert_eq!(changed("about = \"A storm.\"", "about = \"Another name for it.\""), []);
}

#[test]
fn whatever_else_differs_is_told() {
    for (from, to, what) in [
        ("\"10s\"", "\"11s\"", "duration"),
        ("settle = \"5s\"", "settle = \"6s\"", "settle"),
        ("nodes = 5", "nodes = 3", "nodes"),
        ("nodes = 5", "nodes = 5\nclock = { drift = \"1%\" }", "clocks"),
        ("nodes = 5", "nodes = 5\ndisk = { fsync = \"9ms\" }", "disks"),
        ("nodes = 5", "nodes = 5\ncpu = \"9us\"", "CPUs"),
        ("\"people\"", "\"others\"", "load people"),
        ("clients = 6", "clients = 7", "load people"),
        ("\"50/s\"", "\"60/s\"", "load people"),
        ("count = 20", "count = 21", "load people"),
        ("data = \"kv\"", "data = \"kv\"\ntimeout = \"7s\"", "load people"),
        ("write = 50", "write = 40", "mix of load people"),
        ("\"2s..4s\"", "\"2s..5s\"", "fault ocean"),
        ("\"1s..3s\"", "\"1s..4s\"", "fault ocean"),
        ("region:eu-west", "region:us-west", "fault ocean"),
        ("jitter = \"1s\"", "jitter = \"2s\"", "fault crash-1"),
    ] {
        let found: Vec<String> = changed(from, to).into_iter().map(|apart| apart.what).collect();
        assert!(found.contains(&what.to_owned()), "{from} to {to}: {found:?}");
    }
}

#[test]
fn a_difference_says_what_each_of_the_two_has() {
    let fixed = STORM.replace("\"2s..4s\"", "\"2s\"").replace("\"1s..3s\"", "\"1s\"");
    let found = apart(&scenario(&fixed), &scenario(&fixed.replace("at = \"2s\"", "at = \"3s\"")), 1);
    let told = ["at 2s for 1s, partition region:eu-west | others", "at 3s for 1s, partition region:eu-west | others"];
    assert_eq!(found, [Apart { what: "fault ocean".to_owned(), told: told.map(str::to_owned) }]);
    let other = fixed.replace("name = \"ocean\"", "name = \"sea\"");
    let found = apart(&scenario(&fixed), &scenario(&other), 1);
    let told: Vec<(&str, &str, &str)> = found.iter().map(|a| (&*a.what, &*a.told[0], &*a.told[1])).collect();
    let ocean = "at 2s for 1s, partition region:eu-west | others";
    assert_eq!(told, [("fault ocean", ocean, "not there"), ("fault sea", "not there", ocean)]);
}

#[test]
fn who_waits_for_an_event_is_named() {
    let chase =
        "[[fault]]\nname = \"chase\"\ndo = \"crash\"\nwhen = \"leader elected\"\nfor = \"1s\"\ntarget = \"leader\"\n";
    assert_eq!(own_moments(&scenario(&format!("{STORM}{chase}")), 1), ["chase"]);
    assert_eq!(own_moments(&scenario(STORM), 1), [""; 0]);
}
