//! Every fault of the network bites: under it a wrong setting or a known mistake is found out, and the right system holds.
//!
//! Each test tells which of two systems is to fail what, under which fault. That the fault did something, and that the wrong
//! one is fine without it, is looked at for all of them.

use history::{Cause, RunRecord, Verdict};
use scenarios::execute::Options;
use scenarios::systems::SYSTEMS;

/// A fault, and two systems of which it tells one from the other.
#[derive(Clone, Copy)]
struct Bite {
    /// Lines below `[cluster]`.
    cluster: &'static str,
    /// What goes wrong, below one or more `[[fault]]`.
    fault: &'static str,
    /// Lines below `[protocol]`.
    bad: &'static str,
    good: &'static str,
    /// Lines below `[[load]]`.
    load: &'static str,
    check: &'static str,
}

const BITE: Bite = Bite {
    cluster: "nodes = 5",
    fault: "",
    bad: "pre-vote = false\ncheck-quorum = false",
    good: "",
    load: "clients = 4\nmodel = { open = { rate = \"100/s\" } }",
    check: "leader changes <= 1",
};

/// So many seeds the good one holds for, and one of them at least finds the bad one out.
const SEEDS: u64 = 4;

impl Bite {
    fn run(&self, protocol: &str, fault: &str, seed: u64) -> RunRecord {
        let Bite { cluster, load, check, .. } = self;
        // Laws are checked whatever `must` says, and what is not promised is demanded only to show that it does not hold.
        let expect =
            if *check == LAWS { String::new() } else { format!("must = [\"{check}\"]\nshows = [\"{check}\"]") };
        let source = format!(
            "scenario = 1\nabout = \"A test.\"\nduration = \"25s\"\nsettle = \"5s\"\n[cluster]\n{cluster}\n\
             [protocol]\nname = \"raft\"\n{protocol}\n[[load]]\n{load}\n{fault}\n[expect]\n{expect}\n"
        );
        let (draft, _) = scenarios::parse(&source, "test", &[], SYSTEMS)
            .unwrap_or_else(|found| panic!("{}", scenarios::diagnostics::render(&found, "test.toml", &source, false)));
        let scenario = draft.resolve(seed).expect("it fits together");
        scenarios::run(&scenario, seed, SYSTEMS, &mut Options::default()).expect("the engine holds").record
    }

    fn verdict(&self, record: &RunRecord) -> Verdict {
        let finding = record.findings.iter().find(|finding| finding.check == self.check);
        // A law that is broken stands there by its own name, and fails the run.
        finding.map_or(record.verdict, |finding| finding.verdict)
    }

    fn bites(&self) {
        let mut found_out = 0;
        for seed in 0..SEEDS {
            let (bad, good) = (self.run(self.bad, self.fault, seed), self.run(self.good, self.fault, seed));
            assert!(good.faults.last().is_some_and(|fault| fault.effects > 0), "seed {seed}: {:?}", good.faults);
            assert_eq!(self.verdict(&good), Verdict::Pass, "seed {seed}: {:?}", good.findings);
            found_out += u32::from(self.verdict(&bad) == Verdict::Fail);
            let calm = self.run(self.bad, "", seed);
            assert_ne!(self.verdict(&calm), Verdict::Fail, "seed {seed}, without the fault: {:?}", calm.findings);
        }
        assert!(found_out > 0, "{} finds nobody out", self.fault);
    }
}

const RECOVERY: &str = "recovery <= 5s";
const LAWS: &str = "protocol laws";

/// A fault from 5 to 20 s.
macro_rules! fault {
    ($($line:literal)*) => { concat!("[[fault]]\nduring = \"5s..20s\"\n", $($line, "\n",)*) };
}

/// Those on the far side of a bridge hear no leader, and depose it through the one who hears both.
#[test]
fn a_bridge_over_which_a_leader_is_deposed() {
    let fault = fault!(r#"do = "partition""# r#"shape = "bridge""# r#"order = "one of follower""#);
    Bite { fault, check: "leader changes <= 0", ..BITE }.bites();
}

/// The same by groups of which one node is in both; n1 leads.
#[test]
fn groups_that_share_a_node() {
    let fault = concat!(
        "[[fault]]\ndo = \"operate\"\nat = \"2s\"\norder = \"transfer\"\nabout = \"n1\"\nfor = \"2s\"\n",
        fault!(r#"do = "partition""# r#"groups = [["n1", "n2", "n3"], ["n3", "n4", "n5"]]"#)
    );
    Bite { fault, ..BITE }.bites();
}

#[test]
fn a_ring_in_which_nobody_hears_the_same_majority() {
    Bite { fault: fault!(r#"do = "partition""# r#"shape = "ring""#), ..BITE }.bites();
}

/// The leader at one end, a node that deposes it at the other, and only the one between them hears both.
#[test]
fn a_chain_of_three() {
    let fault = fault!(r#"do = "partition""# r#"shape = "chain""# r#"order = "leader""#);
    Bite { cluster: "nodes = 3", fault, ..BITE }.bites();
}

/// Quorum loss: a leader that only one other node hears goes on leading unless it looks whether a majority does.
#[test]
fn a_star_with_a_follower_in_the_middle() {
    let fault = fault!(r#"do = "partition""# r#"shape = "star""# r#"order = "one of follower""#);
    Bite { fault, bad: "check-quorum = false", check: RECOVERY, ..BITE }.bites();
}

/// Each time that it is back, a node that heard no leader in between has a higher term.
#[test]
fn what_comes_and_goes() {
    let partition = fault!(
        r#"do = "partition""# r#"groups = [["one of follower"], ["others"]]"# r#"flap = { up = "500ms", down = "1s" }"#
    );
    Bite { fault: partition, ..BITE }.bites();
    let link = fault!(
        r#"do = "link""# r#"between = ["one of follower", "all"]"# r#"loss = "100%""# r#"flap = { up = "500ms", down = "1s" }"#
    );
    Bite { fault: link, ..BITE }.bites();
    let links =
        fault!(r#"do = "partition""# r#"links = ["north <-> south"]"# r#"flap = { up = "500ms", down = "1s" }"#);
    Bite { fault: links, cluster: "nodes = 5\nlayout = \"two-clouds\"", ..BITE }.bites();
}

/// Whoever says the least that is needed is not understood.
#[test]
fn what_is_damaged() {
    let fault = fault!(r#"do = "link""# r#"between = ["all", "all"]"# r#"corrupt = "30%""#);
    let bad = "transport = \"datagram\"\npre-vote = false\ncheck-quorum = false\nheartbeat = \"200ms\"";
    Bite { fault, bad, good: "transport = \"datagram\"", ..BITE }.bites();
}

#[test]
fn what_waits_for_bandwidth() {
    let fault = fault!(r#"do = "link""# r#"between = ["all", "all"]"# r#"bandwidth = "6KB/s""#);
    let load = "clients = 4\nmodel = { open = { rate = \"10/s\" } }";
    Bite { fault, load, bad: "heartbeat = \"15ms\"", ..BITE }.bites();
}

/// The same where the network is like that from the start, and all share what there is.
#[test]
fn a_layout_with_little_bandwidth() {
    let cluster = "nodes = 5\n[layout]\nregions = { local = { zones = [\"a\"] } }\n\
                   links = { same-zone = { delay = \"500us\", bandwidth = \"25KB/s\" } }";
    let bite = Bite { cluster, load: "clients = 4\nmodel = { open = { rate = \"10/s\" } }", ..BITE };
    for seed in 0..SEEDS {
        let verdict = |protocol| bite.verdict(&bite.run(protocol, "", seed));
        assert_eq!((verdict(""), verdict("heartbeat = \"15ms\"")), (Verdict::Pass, Verdict::Fail), "seed {seed}");
    }
}

#[test]
fn what_finds_no_room_in_a_queue() {
    let fault = fault!(r#"do = "link""# r#"between = ["all", "all"]"# r#"bandwidth = "20KB/s""# r#"queue = "0B""#);
    let load = "clients = 4\nmodel = { open = { rate = \"20/s\", arrivals = \"constant\" } }\nops = { write = 1 }";
    let good = "transport = \"datagram\"\nelection-timeout = \"2s..3s\"";
    let bad = "transport = \"datagram\"\nelection-timeout = \"2s..3s\"\nheartbeat = \"1s\"";
    Bite { fault, load, bad, good, check: "p90 <= 200ms", ..BITE }.bites();
}

/// A leader to whom nobody's consent comes through goes on leading unless it notices.
#[test]
fn kinds_of_messages_that_are_dropped() {
    let fault =
        fault!(r#"do = "drop""# r#"messages = ["AppendEntriesReply"]"# r#"from = "follower""# r#"to = "leader""#);
    let bite = Bite { fault, bad: "check-quorum = false", check: RECOVERY, ..BITE };
    bite.bites();
    let stuck = bite.run(bite.bad, fault, 1);
    let outage = stuck.outages.iter().max_by_key(|outage| outage.to_ns - outage.from_ns).expect("an outage");
    assert_eq!(outage.cause, Cause::Dropped);
}

/// Whoever hears no answer asks again.
#[test]
fn answers_that_are_dropped() {
    let bite = Bite { bad: "flaws = [\"no-sessions\"]", check: "linearizable", ..BITE };
    Bite { fault: fault!(r#"do = "drop""# r#"messages = ["Answer"]"# r#"share = "30%""#), ..bite }.bites();
    Bite { fault: fault!(r#"do = "drop""# r#"to = "clients""# r#"count = 30"#), ..bite }.bites();
}

/// The power goes in all of a region, and what a majority had confirmed was not on disk.
#[test]
fn places_that_are_gone() {
    let cluster = "nodes = 5\ndisk = { fsync = \"20ms..50ms\" }";
    let load = "clients = 20\nmodel = { closed = { think = \"1ms\" } }\nops = { write = 1 }\nkeys = { count = 100 }";
    let bad = "flaws = [\"ack-before-fsync\"]";
    let bite = Bite { cluster, load, bad, check: LAWS, ..BITE };
    Bite { fault: fault!(r#"do = "outage""# r#"place = "region:local""# r#"disk = "lose-unsynced""#), ..bite }.bites();
    Bite { fault: fault!(r#"do = "outage""# r#"place = "one of zones""# r#"disk = "torn""#), ..bite }.bites();
}

#[test]
fn what_is_overtaken_or_comes_twice() {
    let load = "clients = 5\nmodel = { closed = { think = \"1ms\" } }\ntimeout = \"500ms\"";
    let good = "transport = \"datagram\"";
    // By themselves they keep their order.
    let cluster = "nodes = 3\n[layout]\nregions = { local = { zones = [\"a\"] } }\nlinks = { same-zone = \"500us\" }";
    let bite = Bite { cluster, load, good, check: LAWS, ..BITE };
    let reorder =
        fault!(r#"do = "link""# r#"between = ["all", "all"]"# r#"reorder = "10%""# r#"reorder-by = "0ms..50ms""#);
    let duplicate = fault!(r#"do = "link""# r#"between = ["all", "all"]"# r#"duplicate = "10%""# r#"duplicate-after = "0ms..50ms""#);
    let bad = "flaws = [\"truncate-always\"]\ntransport = \"datagram\"";
    Bite { fault: reorder, bad, ..bite }.bites();
    Bite { fault: duplicate, bad, ..bite }.bites();
    Bite { fault: reorder, bad: "flaws = [\"stale-reject-lowers-next\"]\ntransport = \"datagram\"", ..bite }.bites();
}

/// What a system with this setting and fault is refused to be asked for; empty if it is promised.
fn refused(nodes: usize, protocol: &str, fault: &str) -> String {
    let source = format!(
        "scenario = 1\nabout = \"x\"\nduration = \"30s\"\n[cluster]\nnodes = {nodes}\n[protocol]\nname = \"raft\"\n{protocol}\n\
         [[load]]\n{fault}\n[expect]\nmust = [\"{RECOVERY}\"]\n"
    );
    match scenarios::parse(&source, "test", &[], SYSTEMS) {
        Ok(_) => String::new(),
        Err(found) => {
            assert_eq!(found.iter().map(|problem| problem.code).collect::<Vec<_>>(), ["S0404"]);
            format!("{} {}", found[0].message, found[0].help.as_deref().unwrap_or_default())
        }
    }
}

/// Where nodes hear each other over others, Raft promises no more than it keeps.
#[test]
fn what_is_promised_in_a_shape_is_kept() {
    for shape in ["bridge", "star", "chain", "ring"] {
        let fault = format!("[[fault]]\nduring = \"5s..20s\"\ndo = \"partition\"\nshape = \"{shape}\"");
        for nodes in 3..=7 {
            if !refused(nodes, "", &fault).is_empty() {
                continue;
            }
            let cluster = format!("nodes = {nodes}").leak();
            let bite = Bite { cluster, check: RECOVERY, load: "clients = 4", ..BITE };
            for seed in 0..6 {
                let record = bite.run("", &fault, seed);
                assert_ne!(
                    bite.verdict(&record),
                    Verdict::Fail,
                    "{shape} of {nodes}, seed {seed}: {:?}",
                    record.findings
                );
            }
        }
    }
}

#[test]
fn what_nobody_promises_is_not_demanded() {
    let partition = |more: &str| format!("[[fault]]\nduring = \"5s..20s\"\ndo = \"partition\"\n{more}\n");
    let (star, chain, ring) =
        (partition("shape = \"star\""), partition("shape = \"chain\""), partition("shape = \"ring\""));
    assert_eq!(refused(5, "", &star), "");
    assert!(refused(5, "check-quorum = false", &star).contains("use `check-quorum = true`"));
    assert!(refused(5, "pre-vote = false", &star).contains("use `pre-vote = true`"));
    assert!(
        refused(5, "", &format!("{star}[[fault]]\ndo = \"crash\"\nat = \"9s\"\ntarget = \"any\""))
            .contains("over others")
    );
    assert_eq!((refused(5, "", &chain), refused(5, "", &ring)), (String::new(), String::new()));
    assert!(refused(7, "", &chain).contains("over others") && refused(3, "", &ring).contains("over others"));
    let dropping = "[[fault]]\nat = \"5s\"\ndo = \"drop\"\nmessages = [\"RequestVote\"]\n";
    assert!(refused(3, "", dropping).contains("never arrive"));
    assert_eq!(refused(3, "", &format!("{dropping}share = \"50%\"")), "");
    let flapping =
        |up: &str| partition(&format!("groups = [[\"any\"], [\"others\"]]\nflap = {{ up = \"{up}\", down = \"1s\" }}"));
    assert_eq!(refused(3, "", &flapping("2s")), "");
    assert!(refused(3, "", &flapping("200ms..2s")).contains("the network may be whole for 200ms at a time"));
}

/// Constrained election (Ng, Haridi & Carbone 2023, table 1): the one node that hears a majority lacks what was committed
/// while it did not hear the leader, and those who have it hear no majority. Nobody can be elected until that is over.
#[test]
fn a_constrained_election() {
    let fault = r#"
[[fault]]
do = "operate"
at = "2s"
for = "2s"
order = "transfer"
about = "n2"
[[fault]]
do = "partition"
during = "5s..10s"
groups = [["n1"], ["n2"]]
[[fault]]
do = "crash"
during = "10s..20s"
target = "n2"
[[fault]]
do = "partition"
during = "10s..20s"
shape = "star"
order = "n1"
"#;
    let bite = Bite { check: RECOVERY, ..BITE };
    for seed in 0..SEEDS {
        let record = bite.run("", fault, seed);
        let longest = record.outages.iter().map(|outage| outage.to_ns - outage.from_ns).max().expect("an outage");
        assert_eq!(bite.verdict(&record), Verdict::Fail, "seed {seed}: {:?}", record.findings);
        assert!(longest > 9_900_000_000, "seed {seed}: as long as it lasts");
        let settled = record.findings.iter().find(|finding| finding.check == "progress after settle").expect("asked");
        assert_eq!(settled.verdict, Verdict::Pass, "seed {seed}");
    }
}
