//! Every key of a `disk` fault bites: a system or a configuration known to be bad fails under it, and the good one holds.

use history::{Cause, RunRecord, Verdict};
use scenarios::execute::Options;
use scenarios::systems::SYSTEMS;

fn run(source: &str, seed: u64) -> RunRecord {
    let (draft, _) = scenarios::parse(source, "test", &[], SYSTEMS)
        .unwrap_or_else(|problems| panic!("{}", scenarios::diagnostics::render(&problems, "test.toml", source, false)));
    let scenario = draft.resolve(seed).expect("it fits together");
    scenarios::run(&scenario, seed, SYSTEMS, &mut Options::default()).expect("the engine holds").record
}

/// Three nodes under a constant open load, a setting, a `disk` fault and a demand.
fn story(setting: &str, fault: &str, must: &str) -> String {
    format!(
        r#"
scenario = 1
about = "A test."
duration = "12s"
settle = "5s"
[protocol]
name = "raft"
{setting}
[[load]]
clients = 4
model = {{ open = {{ rate = "100/s", arrivals = "constant" }} }}
timeout = "1s"
[[fault]]
do = "disk"
target = "leader"
{fault}
[expect]
must = ["{must}"]
"#
    )
}

/// Runs it with a good and a bad setting on some seeds: the good one holds on each, the bad one fails on each, and the fault
/// does something on all of them.
fn bites(fault: &str, must: &str, good: &str, bad: &str) {
    for seed in 0..4 {
        for (setting, verdict) in [(good, Verdict::Pass), (bad, Verdict::Fail)] {
            let record = run(&story(setting, fault, must), seed);
            assert!(record.faults[0].effects > 0, "seed {seed}: {:?}", record.faults);
            assert_eq!(record.verdict, verdict, "seed {seed}, {setting}: {:?}", record.findings);
        }
    }
}

const PATIENT: &str = r#"election-timeout = "5s..6s""#;

/// 10.2.1 of the dissertation: who sends while it writes need not wait for its own disk.
#[test]
fn latency_is_felt_by_whoever_waits_for_the_leaders_disk() {
    let fault = "during = \"3s..9s\"\nlatency = \"+100ms\"";
    bites(fault, "p90 <= 60ms", "parallel-disk = true", "parallel-disk = false");
    let slow = run(&story("", "during = \"3s..9s\"\nlatency = { dist = \"exp\", mean = \"2s\" }", "p90 <= 60ms"), 1);
    assert!(slow.outages.iter().any(|outage| outage.cause == Cause::SlowDisk), "{:?}", slow.outages);
}

/// What leaves waits for the disk, heartbeats too, so the others elect another leader, if they do not wait for long.
#[test]
fn a_stalled_disk_silences_its_node() {
    bites("at = \"7s\"\nfor = \"4s\"\nstall = true", "recovery <= 2s", "", PATIENT);
}

#[test]
fn a_disk_that_takes_no_writes_stops_its_node() {
    for fault in ["full = true", "read-only = true", "error = \"write\"\nerror-share = \"100%\""] {
        bites(&format!("at = \"7s\"\nfor = \"4s\"\n{fault}"), "recovery <= 2s", "", PATIENT);
    }
}

/// Stopped by one error, it is back after a second.
#[test]
fn an_error_that_comes_once_stops_its_node_for_a_second() {
    for error in ["flush", "write"] {
        bites(&format!("at = \"7s\"\nerror = \"{error}\""), "recovery <= 800ms", "", PATIENT);
        let patient = run(&story(PATIENT, &format!("at = \"7s\"\nerror = \"{error}\""), "recovery <= 800ms"), 1);
        assert_eq!(patient.faults[0].effects, 1, "{:?}", patient.faults);
    }
}

/// Where the disks of a majority take nothing, nobody could have served, and nobody is blamed.
#[test]
fn nobody_is_blamed_for_full_disks_of_a_majority() {
    for fault in ["full = true", "stall = true"] {
        let fault = format!("at = \"7s\"\nfor = \"3s\"\n{fault}");
        let source = story("", &fault, "recovery <= 2s").replace("target = \"leader\"", "target = \"majority\"");
        for seed in 0..4 {
            let record = run(&source, seed);
            assert_eq!(record.verdict, Verdict::Pass, "seed {seed}, {fault}: {:?}", record.findings);
            let outage = record.outages.iter().max_by_key(|outage| outage.length_ns()).expect("an outage");
            assert!(outage.length_ns() > 2_500_000_000, "seed {seed}, {fault}: {outage:?}");
            assert_eq!(outage.cause, Cause::DiskFailure, "seed {seed}, {fault}: {outage:?}");
        }
    }
}

/// Five nodes; n1, n2 and n3 write alone for a while. Then n1 and n2 start again, n3 is down, and the others are back.
fn forgetful(flaws: &str, fault: &str, power: &str) -> String {
    format!(
        r#"
scenario = 1
about = "A test."
duration = "12s"
settle = "5s"
[cluster]
nodes = 5
[protocol]
name = "raft"
flaws = [{flaws}]
[[load]]
clients = 4
model = {{ closed = {{ think = "2ms" }} }}
ops = {{ read = 3, write = 7 }}
keys = {{ count = 4 }}
timeout = "500ms"
[[fault]]
do = "disk"
target = ["n1", "n2"]
{fault}
[[fault]]
do = "partition"
during = "2s..6s"
groups = [["n4", "n5"], ["others"]]
[[fault]]
do = "crash"
at = "6001ms"
for = "200ms"
target = ["n1", "n2"]
disk = "{power}"
[[fault]]
do = "crash"
at = "6001ms"
for = "3s"
target = "n3"
[expect]
must = ["linearizable", "no lost writes"]
"#
    )
}

/// A record that is not there or does not read back, in the middle of a log: whoever cuts there forgets what it confirmed,
/// and whoever refuses to serve does not.
fn is_survived_by_refusing(fault: &str) {
    for seed in 0..4 {
        let good = run(&forgetful("", fault, "lose-unsynced"), seed);
        assert!(good.faults.iter().all(|fault| fault.effects > 0), "seed {seed}: {:?}", good.faults);
        assert_eq!(good.verdict, Verdict::Pass, "seed {seed}: {:?}", good.findings);
        let bad = run(&forgetful("\"corrupt-tail-truncated\"", fault, "lose-unsynced"), seed);
        assert_eq!(bad.verdict, Verdict::Fail, "seed {seed}: {:?}", bad.findings);
    }
}

#[test]
fn a_lost_write_leaves_a_hole() {
    is_survived_by_refusing("during = \"3s..6s\"\nlose = \"5%\"");
}

#[test]
fn a_stray_write_spoils_two_records() {
    is_survived_by_refusing("during = \"3s..6s\"\nmisdirect = \"5%\"");
}

#[test]
fn rot_spoils_what_was_safe() {
    is_survived_by_refusing("at = \"6s\"\nrot = 20");
}

/// Nothing has rotted where nothing was written.
#[test]
fn rot_without_records_has_no_effect() {
    let record = run(&story("", "at = \"0s\"\nrot = 2", "linearizable").replace("\"leader\"", "\"all\""), 1);
    assert_eq!((record.faults[0].effects, record.verdict), (0, Verdict::Vacuous), "{:?}", record.findings);
}

/// Even a system that waits for its disks loses what they lie about; the same storm on honest disks takes nothing.
#[test]
fn a_lie_costs_what_was_confirmed_when_the_power_goes() {
    let source = |fault: &str| {
        let shows = if fault.is_empty() { "" } else { "shows = [\"linearizable\", \"no lost writes\"]" };
        format!(
            r#"
scenario = 1
about = "A test."
duration = "10s"
settle = "5s"
[protocol]
name = "raft"
[[load]]
clients = 4
model = {{ closed = {{ think = "2ms" }} }}
timeout = "500ms"
{fault}
[[fault]]
do = "crash"
at = "5s"
for = "200ms"
target = "all"
disk = "lose-unsynced"
[expect]
must = ["linearizable", "no lost writes"]
{shows}
"#
        )
    };
    let lie = "[[fault]]\ndo = \"disk\"\nat = \"3s\"\ntarget = \"all\"\nlie = \"100%\"";
    for seed in 0..4 {
        assert_eq!(run(&source(""), seed).verdict, Verdict::Pass, "seed {seed}");
        let lied = run(&source(lie), seed);
        assert!(lied.faults[0].effects > 100, "seed {seed}: {:?}", lied.faults);
        assert_eq!(lied.verdict, Verdict::Fail, "seed {seed}: {:?}", lied.findings);
    }
    let demanded = source(lie).replace("shows = ", "# shows = ");
    let refused = scenarios::parse(&demanded, "test", &[], SYSTEMS).expect_err("beyond the promise");
    assert_eq!(refused.iter().map(|problem| problem.code).collect::<Vec<_>>(), ["S0404", "S0404"]);
    assert!(format!("{:?}", refused[0]).contains("trusts its disks"), "{:?}", refused[0]);
    let kept = demanded.replace("lose-unsynced", "keep");
    assert_eq!(run(&kept, 1).verdict, Verdict::Pass, "a process that died loses nothing by a lie");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let codes = |fault: &str| {
        let refused = scenarios::parse(&story("", fault, "linearizable"), "test", &[], SYSTEMS).err();
        refused.unwrap_or_default().iter().map(|problem| problem.code).collect::<Vec<_>>()
    };
    assert_eq!(codes("at = \"1s\"\nlatency = \"+5ms\"\nlose = \"1%\"\nrot = 3"), Vec::<&str>::new(), "several at once");
    assert_eq!(codes("at = \"1s\""), ["S0106"], "it does nothing");
    assert_eq!(codes("at = \"1s\"\nfull = true\nread-only = true"), ["S0106"]);
    assert_eq!(codes("at = \"1s\"\nstall = true\nerror-share = \"1%\""), ["S0106"]);
    assert_eq!(codes("at = \"1s\"\nfor = \"1s\"\nrot = 2"), ["S0106"], "rot has no length");
    assert_eq!(codes("at = \"1s\"\nfor = \"1s\"\nrot = 2\nstall = true"), Vec::<&str>::new());
    assert_eq!(codes("at = \"1s\"\nerror = \"read\""), ["S0105"]);
}
