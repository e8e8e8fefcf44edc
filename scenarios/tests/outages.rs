//! Outages explain themselves: each cause where it is one, and not where it is none.

use history::{Cause, Outage, RunRecord, Who};
use scenarios::execute::Options;
use scenarios::systems::SYSTEMS;

const SECOND: u64 = 1_000_000_000;
const MILLISECOND: u64 = 1_000_000;

fn run(source: &str, seed: u64) -> RunRecord {
    let (draft, _) = scenarios::parse(source, "test", &[], SYSTEMS)
        .unwrap_or_else(|problems| panic!("{}", scenarios::diagnostics::render(&problems, "test.toml", source, false)));
    let scenario = draft.resolve(seed).expect("it fits together");
    scenarios::run(&scenario, seed, SYSTEMS, &mut Options::default()).expect("the engine holds").record
}

/// Three nodes under an open load that begins when there is surely a leader. What is given replaces the defaults.
#[derive(Clone, Copy)]
struct Story<'a> {
    cluster: &'a str,
    election: &'a str,
    rate: &'a str,
    timeout: &'a str,
    retry: &'a str,
    fault: &'a str,
}

const STORY: Story<'_> =
    Story { cluster: "", election: "300ms..400ms", rate: "100/s", timeout: "500ms", retry: "100ms", fault: "" };

impl Story<'_> {
    fn run(&self, seed: u64) -> RunRecord {
        let Story { cluster, election, rate, timeout, retry, fault } = self;
        let source = format!(
            r#"
scenario = 1
about = "A test."
duration = "30s"
settle = "10s"
[cluster]
nodes = 3
{cluster}
[protocol]
name = "raft"
election-timeout = "{election}"
[[load]]
at = "15s"
clients = 6
model = {{ open = {{ rate = "{rate}", arrivals = "constant" }} }}
timeout = "{timeout}"
retry = "{retry}"
{fault}
"#
        );
        let record = run(&source, seed);
        record.outages.iter().for_each(assert_whole);
        record
    }

    /// In every run, the longest outage is due to this.
    #[track_caller]
    fn is_due_to(&self, cause: Cause) {
        for seed in 0..4 {
            let record = self.run(seed);
            let longest = record.outages.iter().max_by_key(|outage| outage.length_ns());
            let longest = longest.unwrap_or_else(|| panic!("seed {seed}: no outage"));
            assert_eq!(longest.cause, cause, "seed {seed}: {longest:#?}");
        }
    }

    /// In no run, any part of an outage is due to this.
    #[track_caller]
    fn is_never_due_to(&self, cause: Cause) {
        for seed in 0..4 {
            let record = self.run(seed);
            let of_it = |outage: &&Outage| outage.causes.iter().any(|span| span.cause == cause);
            assert_eq!(record.outages.iter().find(of_it), None, "seed {seed}");
        }
    }

    #[track_caller]
    fn has_no_outage(&self) {
        for seed in 0..4 {
            assert_eq!(self.run(seed).outages, [], "seed {seed}");
        }
    }
}

/// What must be so of every outage.
#[track_caller]
fn assert_whole(outage: &Outage) {
    let ends: Vec<(u64, u64)> = outage.causes.iter().map(|span| (span.from_ns, span.to_ns)).collect();
    assert!(outage.from_ns < outage.to_ns, "{outage:#?}");
    assert!(ends.iter().all(|(from, to)| from < to), "{outage:#?}");
    assert_eq!((ends[0].0, ends[ends.len() - 1].1), (outage.from_ns, outage.to_ns), "{outage:#?}");
    assert!(ends.windows(2).all(|pair| pair[0].1 == pair[1].0), "they tile it: {outage:#?}");
    assert!(outage.causes.windows(2).all(|pair| pair[0].cause != pair[1].cause), "{outage:#?}");
    assert_eq!(outage.cause, Cause::shares(&outage.causes)[0].0, "{outage:#?}");
    assert!(outage.avoidable_ns <= outage.length_ns(), "{outage:#?}");
}

fn crash(target: &str) -> String {
    format!("[[fault]]\ndo = \"crash\"\nat = \"20s\"\nfor = \"5s\"\ntarget = \"{target}\"")
}

fn pause(target: &str) -> String {
    format!("[[fault]]\ndo = \"pause\"\nat = \"20s\"\nfor = \"5s\"\ntarget = \"{target}\"")
}

fn slow(between: &str, delay: &str) -> String {
    format!("[[fault]]\ndo = \"link\"\nat = \"20s\"\nfor = \"5s\"\nbetween = {between}\ndelay = \"{delay}\"")
}

#[test]
fn without_a_majority_no_quorum_is_possible() {
    let gone = crash("2 of all");
    Story { fault: &gone, ..STORY }.is_due_to(Cause::NoQuorum);
    let there = crash("1 of all");
    Story { fault: &there, ..STORY }.is_never_due_to(Cause::NoQuorum);
}

#[test]
fn between_two_leaders_there_is_none() {
    let leader = crash("leader");
    let slowly = Story { election: "2s..3s", fault: &leader, ..STORY };
    slowly.is_due_to(Cause::NoLeader);
    let follower = crash("1 of follower");
    Story { fault: &follower, ..slowly }.is_never_due_to(Cause::NoLeader);
}

/// A leader that cannot reach its majority leads nobody, and neither does one that the clients cannot reach.
#[test]
fn a_leader_cut_off_is_none() {
    let cut = "[[fault]]\ndo = \"partition\"\nat = \"20s\"\nfor = \"5s\"\n";
    let from_all = format!("{cut}groups = [[\"leader\"], [\"others\"]]");
    Story { election: "2s..3s", fault: &from_all, ..STORY }.is_due_to(Cause::NoLeader);
    let from_clients = format!("{cut}groups = [[\"leader\"], [\"clients\"]]");
    Story { fault: &from_clients, ..STORY }.is_due_to(Cause::NoLeader);
    let from_one = format!("{cut}groups = [[\"n1\"], [\"n2\"]]");
    Story { election: "2s..3s", fault: &from_one, ..STORY }.is_never_due_to(Cause::NoQuorum);
}

#[test]
fn clients_that_hold_on_to_a_dead_leader_ask_the_wrong_node() {
    let leader = crash("leader");
    let faithful = Story { election: "600ms..700ms", timeout: "4s", retry: "3s", fault: &leader, ..STORY };
    faithful.is_due_to(Cause::WrongNode);
    Story { retry: "50ms", ..faithful }.is_due_to(Cause::NoLeader);
    let follower = crash("1 of follower");
    Story { fault: &follower, ..faithful }.is_never_due_to(Cause::WrongNode);
}

#[test]
fn what_a_cpu_cannot_keep_up_with_is_overload() {
    // Fast enough for six clients that open their sessions at once.
    let busy = Story { cluster: "cpu = \"2ms\"", election: "5s..6s", rate: "1000/s", ..STORY };
    busy.is_due_to(Cause::Overload);
    Story { cluster: "cpu = \"100us\"", ..busy }.has_no_outage();
    Story { rate: "20/s", ..busy }.is_never_due_to(Cause::Overload);
}

#[test]
fn who_waits_for_a_disk_waits_for_a_slow_disk() {
    let slow = Story { cluster: "disk = { fsync = \"900ms\" }", election: "5s..6s", ..STORY };
    slow.is_due_to(Cause::SlowDisk);
    Story { cluster: "disk = { fsync = \"2ms\" }", ..slow }.has_no_outage();
}

#[test]
fn what_is_under_way_for_long_is_on_a_slow_link() {
    let to_clients = slow("[\"clients\", \"all\"]", "+600ms");
    Story { fault: &to_clients, ..STORY }.is_due_to(Cause::SlowLink);
    let between_nodes = slow("[\"leader\", \"all\"]", "+600ms");
    Story { election: "5s..6s", fault: &between_nodes, ..STORY }.is_due_to(Cause::SlowLink);
    let a_little = slow("[\"clients\", \"all\"]", "+1ms");
    Story { fault: &a_little, ..STORY }.has_no_outage();
    let to_one = slow("[\"1 of follower\", \"all\"]", "+600ms");
    Story { election: "5s..6s", fault: &to_one, ..STORY }.is_never_due_to(Cause::SlowLink);
}

#[test]
fn a_client_asleep_waits_for_itself() {
    let far = Story { cluster: "layout = \"three-regions\"", election: "1s..2s", timeout: "2s", retry: "1s", ..STORY };
    let clients = pause("clients");
    Story { fault: &clients, ..far }.is_due_to(Cause::ClientPaused);
    let follower = pause("1 of follower");
    Story { fault: &follower, ..far }.is_never_due_to(Cause::ClientPaused);
}

#[test]
fn one_client_asleep_is_out_alone() {
    let far = Story { cluster: "layout = \"three-regions\"", election: "1s..2s", timeout: "2s", retry: "1s", ..STORY };
    let one = pause("client:c2");
    for seed in 0..4 {
        let outages = Story { fault: &one, ..far }.run(seed).outages;
        let [outage] = &outages[..] else { panic!("seed {seed}: {outages:#?}") };
        assert_eq!((&outage.who, outage.cause), (&Who::Clients(vec!["c2".to_owned()]), Cause::ClientPaused));
        assert!(outage.length_ns() >= 5 * SECOND && outage.faults == ["pause-1"], "seed {seed}: {outage:#?}");
    }
    far.has_no_outage();
}

/// Europe is cut off for five seconds; whoever led, the others go on.
#[test]
fn a_region_that_is_cut_off_is_out_alone() {
    let cut =
        "[[fault]]\ndo = \"partition\"\nat = \"20s\"\nfor = \"5s\"\ngroups = [[\"region:eu-west\"], [\"others\"]]";
    let regions =
        Story { cluster: "layout = \"three-regions\"", election: "300ms..600ms", timeout: "1s", fault: cut, ..STORY };
    for seed in 0..4 {
        let record = regions.run(seed);
        let of_europe = |outage: &&Outage| outage.who == Who::Place("eu-west".to_owned());
        let outage = record.outages.iter().find(of_europe);
        let outage = outage.unwrap_or_else(|| panic!("seed {seed}: {:#?}", record.outages));
        assert_eq!(outage.cause, Cause::NoQuorum, "seed {seed}: {outage:#?}");
        let unavoidable = outage.length_ns() - outage.avoidable_ns;
        assert!(unavoidable > 3 * SECOND && unavoidable <= 5 * SECOND, "seed {seed}: {outage:#?}");
        assert!(record.outages.iter().all(|outage| outage.who != Who::All || outage.length_ns() < 3 * SECOND));
    }
}

/// Whoever thinks for long between two questions was not out meanwhile, though an answer took its time.
#[test]
fn a_client_that_asks_for_little_is_not_out() {
    let source = |fault: &str| {
        format!(
            r#"
scenario = 1
about = "A test."
duration = "40s"
[cluster]
nodes = 3
layout = "three-regions"
[protocol]
name = "raft"
[[load]]
at = "5s"
clients = 3
timeout = "1s"
model = {{ closed = {{ think = "5s" }} }}
[[load]]
at = "5s"
clients = 6
timeout = "1s"
{fault}
"#
        )
    };
    for seed in 0..4 {
        let partial = |record: &RunRecord| record.outages.iter().filter(|outage| outage.who != Who::All).count();
        assert_eq!(partial(&run(&source(""), seed)), 0, "seed {seed}");
        let cut = "[[fault]]\ndo = \"partition\"\nat = \"10s\"\nfor = \"15s\"\ngroups = [[\"client:c1\"], [\"all\"]]";
        assert_eq!(partial(&run(&source(cut), seed)), 1, "seed {seed}: one of them is");
    }
}

#[test]
fn a_takeover_is_told_in_stages() {
    let leader = crash("leader");
    let story = Story { fault: &leader, ..STORY };
    for seed in 0..8 {
        let record = story.run(seed);
        let outage = record.outages.iter().find(|outage| outage.who == Who::All).expect("nobody was served");
        let takeover = outage.takeover.unwrap_or_else(|| panic!("seed {seed}: {outage:#?}"));
        let names: Vec<&str> = takeover.stages().map(|(name, _)| name).collect();
        assert_eq!(names, ["detect", "elect", "catch up", "clients"], "seed {seed}: {outage:#?}");
        // A follower waits for 300 to 400 ms; it last heard the leader up to a heartbeat before.
        let detect = takeover.detect_ns.expect("just seen") / MILLISECOND;
        assert!((200..=450).contains(&detect), "seed {seed}: {outage:#?}");
        let leads = |record: &RunRecord, at: u64| record.roles.iter().any(|r| r.role == "leader" && r.from_ns == at);
        let elected = 20 * SECOND + takeover.detect_ns.expect("just seen") + takeover.elect_ns.expect("just seen");
        assert!(leads(&record, elected), "seed {seed}: {outage:#?}");
        let answered = elected + takeover.catch_up_ns.expect("just seen");
        assert!(answered <= outage.to_ns && outage.to_ns - answered < 10 * MILLISECOND, "seed {seed}: {outage:#?}");
    }
}

#[test]
fn where_nobody_took_over_there_is_nothing_to_tell_of_it() {
    let clients = slow("[\"clients\", \"all\"]", "+600ms");
    for seed in 0..4 {
        let record = Story { fault: &clients, ..STORY }.run(seed);
        assert!(!record.outages.is_empty(), "seed {seed}");
        assert!(record.outages.iter().all(|outage| outage.takeover.is_none()), "seed {seed}: {:#?}", record.outages);
    }
}

#[test]
fn without_faults_and_with_patience_there_is_no_outage() {
    for cluster in ["", "layout = \"three-zones\"", "layout = \"three-regions\""] {
        Story { cluster, election: "1s..2s", timeout: "10s", retry: "5s", ..STORY }.has_no_outage();
    }
}

/// Whatever happens, an outage is told from its beginning to its end, and what was possible is never less than what was done.
#[test]
fn every_outage_of_a_storm_is_told_in_full() {
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
target = ["any", "clients"]
[[fault]]
do = "link"
every = "7s"
for = "2s"
between = ["clients", "all"]
delay = "+200ms"
loss = "30%"
"#;
    let mut seen = Vec::new();
    for seed in 0..20 {
        let far = Story { cluster: "layout = \"three-regions\"", election: "500ms..1s", timeout: "1s", ..STORY };
        let record = Story { fault: storm, ..far }.run(seed);
        let availability = record.availability.expect("there is a load");
        assert!(availability.achieved <= availability.possible, "seed {seed}: {availability:?}");
        seen.extend(record.outages.iter().flat_map(|outage| &outage.causes).map(|span| span.cause));
        let whole: Vec<&Outage> = record.outages.iter().filter(|outage| outage.who == Who::All).collect();
        assert!(whole.windows(2).all(|pair| pair[0].to_ns <= pair[1].from_ns), "seed {seed}: {whole:#?}");
    }
    for cause in [Cause::NoLeader, Cause::WrongNode, Cause::SlowLink, Cause::ClientPaused] {
        assert!(seen.contains(&cause), "no {cause} in any storm");
    }
}
