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
        let expect = if *check == LAWS { String::new() } else { format!("must = [\"{check}\"]\nshows = [\"{check}\"]") };
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
        // A law that is broken stands there by its own name.
        finding.map_or(Verdict::Fail, |finding| finding.verdict)
    }

    fn bites(&self) {
        let mut found_out = 0;
        for seed in 0..SEEDS {
            let (bad, good) = (self.run(self.bad, self.fault, seed), self.run(self.good, self.fault, seed));
            if std::env::var("SHOW").is_ok() {
                for record in [&bad, &good, &self.run(self.bad, "", seed)] {
                    let detail = record.findings.iter().find(|finding| finding.check == self.check).map(|f| f.detail.clone());
                    eprintln!("{} {seed} {:?} {detail:?} {:?}", self.fault.replace('\n', ";"), self.verdict(record), record.faults.iter().map(|f| (f.effects, f.who.clone())).collect::<Vec<_>>());
                }
                continue;
            }
            assert!(good.faults.iter().all(|fault| fault.effects > 0), "seed {seed}: {:?}", good.faults);
            assert_eq!(self.verdict(&good), Verdict::Pass, "seed {seed}: {:?}", good.findings);
            found_out += u32::from(self.verdict(&bad) == Verdict::Fail);
            let calm = self.run(self.bad, "", seed);
            assert_eq!(self.verdict(&calm), Verdict::Pass, "seed {seed}, without the fault: {:?}", calm.findings);
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
    let links = fault!(
        r#"do = "partition""# r#"links = ["us-east -> us-west"]"# r#"flap = { up = "500ms", down = "1s" }"#
    );
    Bite { fault: links, ..BITE }.bites();
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
    let fault = fault!(r#"do = "link""# r#"between = ["all", "all"]"# r#"bandwidth = "30KB/s""#);
    Bite { fault, bad: "election-timeout = \"60ms..80ms\"\nheartbeat = \"15ms\"", ..BITE }.bites();
}

#[test]
fn what_finds_no_room_in_a_queue() {
    let fault = fault!(r#"do = "link""# r#"between = ["all", "all"]"# r#"bandwidth = "100KB/s""# r#"queue = "0B""#);
    let bad = "transport = \"datagram\"\npre-vote = false\ncheck-quorum = false\nheartbeat = \"200ms\"";
    Bite { fault, bad, good: "transport = \"datagram\"", ..BITE }.bites();
}

/// A leader to whom nobody's consent comes through goes on leading unless it notices.
#[test]
fn kinds_of_messages_that_are_dropped() {
    let fault = fault!(r#"do = "drop""# r#"messages = ["AppendEntriesReply"]"# r#"from = "follower""# r#"to = "leader""#);
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
    let cluster = "nodes = 5\nlayout = \"two-clouds\"\ndisk = { fsync = \"20ms..50ms\" }";
    let load = "clients = 20\nmodel = { closed = { think = \"1ms\" } }\nops = { write = 1 }\nkeys = { count = 100 }";
    let bad = "flaws = [\"ack-before-fsync\"]";
    let bite = Bite { cluster, load, bad, check: "no lost writes", ..BITE };
    Bite { fault: fault!(r#"do = "outage""# r#"place = "provider:alder""# r#"disk = "lose-unsynced""#), ..bite }.bites();
    Bite { fault: fault!(r#"do = "outage""# r#"place = "one of regions""# r#"disk = "lose-unsynced""#), ..bite }.bites();
}

#[test]
fn what_is_overtaken_or_comes_twice() {
    let load = "clients = 5\nmodel = { closed = { think = \"1ms\" } }\ntimeout = \"500ms\"";
    let good = "transport = \"datagram\"";
    let bite = Bite { cluster: "nodes = 3", load, good, check: LAWS, ..BITE };
    let reorder = fault!(r#"do = "link""# r#"between = ["all", "all"]"# r#"reorder = "10%""# r#"reorder-by = "0ms..50ms""#);
    let duplicate =
        fault!(r#"do = "link""# r#"between = ["all", "all"]"# r#"duplicate = "10%""# r#"duplicate-after = "0ms..50ms""#);
    for bad in ["flaws = [\"truncate-always\"]\ntransport = \"datagram\""] {
        Bite { fault: reorder, bad, ..bite }.bites();
        Bite { fault: duplicate, bad, ..bite }.bites();
    }
    Bite { fault: reorder, bad: "flaws = [\"stale-reject-lowers-next\"]\ntransport = \"datagram\"", ..bite }.bites();
}
