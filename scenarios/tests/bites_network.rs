//! Every fault of the network bites: under it a wrong setting or a known mistake is found out, and the right system holds.
//!
//! Each test tells which of two systems is to fail what, under which fault. That the fault did something, and that the wrong
//! one is fine without it, is looked at for all of them.

use history::{RunRecord, Verdict};
use scenarios::execute::Options;
use scenarios::systems::SYSTEMS;

/// A fault, and two systems of which it tells one from the other.
#[derive(Clone, Copy)]
struct Bite {
    nodes: u32,
    layout: &'static str,
    /// What the lines of the fault leave open is the same for all: it strikes at 5 s, for 15 s.
    fault: &'static str,
    /// Lines below `[protocol]`.
    bad: &'static str,
    good: &'static str,
    /// Lines below `[[load]]`.
    load: &'static str,
    check: &'static str,
    /// How many seeds the good one holds for; the bad one is to fail in one of them at least.
    seeds: u64,
}

const BITE: Bite = Bite {
    nodes: 5,
    layout: "",
    fault: "",
    bad: "pre-vote = false\ncheck-quorum = false",
    good: "",
    load: "clients = 4\nmodel = { open = { rate = \"100/s\" } }\ntimeout = \"1s\"",
    check: "leader changes <= 3",
    seeds: 5,
};

impl Bite {
    fn source(&self, protocol: &str, fault: &str) -> String {
        let Bite { nodes, layout, load, check, .. } = self;
        format!(
            "scenario = 1\nabout = \"A test.\"\nduration = \"25s\"\nsettle = \"5s\"\n[cluster]\nnodes = {nodes}\n{layout}\n\
             [protocol]\nname = \"raft\"\n{protocol}\n[[load]]\n{load}\n{fault}\n\
             [expect]\nmust = [\"{check}\"]\nshows = [\"{check}\"]\n"
        )
    }

    fn run(&self, protocol: &str, fault: &str, seed: u64) -> RunRecord {
        let source = self.source(protocol, fault);
        let (draft, _) = scenarios::parse(&source, "test", &[], SYSTEMS)
            .unwrap_or_else(|found| panic!("{}", scenarios::diagnostics::render(&found, "test.toml", &source, false)));
        let scenario = draft.resolve(seed).expect("it fits together");
        scenarios::run(&scenario, seed, SYSTEMS, &mut Options::default()).expect("the engine holds").record
    }

    fn holds(&self, record: &RunRecord) -> bool {
        let finding = record.findings.iter().find(|finding| finding.check == self.check).expect("it is checked");
        finding.verdict == Verdict::Pass
    }

    /// The bad one fails in some seed and the good one in none, and without the fault none does.
    fn bites(&self) {
        let fault = match self.fault.contains("every") {
            true => format!("[[fault]]\n{}", self.fault),
            false => format!("[[fault]]\nat = \"5s\"\nfor = \"15s\"\n{}", self.fault),
        };
        let mut found_out = 0;
        for seed in 0..self.seeds {
            let (bad, good) = (self.run(self.bad, &fault, seed), self.run(self.good, &fault, seed));
            for record in [&bad, &good] {
                assert!(record.faults.iter().all(|fault| fault.effects > 0), "seed {seed}: {:?}", record.faults);
                assert_eq!(record.verdict != Verdict::Vacuous, true, "seed {seed}: {:?}", record.findings);
            }
            if std::env::var("SHOW").is_ok() {
                for record in [&bad, &good] {
                    let finding = record.findings.iter().find(|finding| finding.check == self.check).expect("checked");
                    eprintln!("{} {seed} {:?} {} {:?}", self.fault.replace('\n', ";"), finding.verdict, finding.detail, record.faults.iter().map(|f| (f.effects, f.who.clone())).collect::<Vec<_>>());
                }
                continue;
            }
            assert!(self.holds(&good), "seed {seed}: {:?}", good.findings);
            found_out += u32::from(!self.holds(&bad));
            let calm = self.run(self.bad, "", seed);
            assert!(self.holds(&calm), "seed {seed}: it fails without the fault: {:?}", calm.findings);
        }
        assert!(found_out > 0, "{} finds nobody out", self.fault);
    }
}

const RECOVERY: &str = "recovery <= 5s";

#[test]
fn a_bridge_and_whom_two_groups_name() {
    Bite { fault: "do = \"partition\"\nshape = \"bridge\"", ..BITE }.bites();
    Bite { fault: "do = \"partition\"\ngroups = [[\"n1\", \"n2\", \"n3\"], [\"n3\", \"n4\", \"n5\"]]", ..BITE }.bites();
}

#[test]
fn a_ring_and_a_chain() {
    Bite { fault: "do = \"partition\"\nshape = \"ring\"", ..BITE }.bites();
    Bite { nodes: 3, fault: "do = \"partition\"\nshape = \"chain\"\norder = \"leader\"", ..BITE }.bites();
}

/// A leader that only one other node hears goes on leading unless it looks whether a majority does.
#[test]
fn a_star_with_a_follower_in_the_middle() {
    let fault = "do = \"partition\"\nshape = \"star\"\norder = \"one of follower\"";
    Bite { fault, bad: "check-quorum = false", check: RECOVERY, ..BITE }.bites();
}

#[test]
fn what_flaps() {
    let flap = "flap = { up = \"500ms\", down = \"1s\" }";
    let partition = format!("do = \"partition\"\ngroups = [[\"one of follower\"], [\"others\"]]\n{flap}");
    Bite { fault: partition.leak(), ..BITE }.bites();
    let link = format!("do = \"link\"\nbetween = [\"one of follower\", \"all\"]\nloss = \"100%\"\n{flap}");
    Bite { fault: link.leak(), ..BITE }.bites();
}

#[test]
fn what_is_damaged() {
    let fault = "do = \"link\"\nbetween = [\"all\", \"all\"]\ncorrupt = \"10%\"";
    let bad = "transport = \"datagram\"\nheartbeat = \"250ms\"\nelection-timeout = \"300ms..350ms\"";
    Bite { fault, bad, good: "transport = \"datagram\"", ..BITE }.bites();
}

#[test]
fn bandwidth() {
    let fault = "do = \"link\"\nbetween = [\"all\", \"all\"]\nbandwidth = \"10KB/s\"";
    Bite { fault, bad: "election-timeout = \"100ms..120ms\"\nheartbeat = \"25ms\"", ..BITE }.bites();
}

#[test]
fn dropped_kinds() {
    let fault = "do = \"drop\"\nmessages = [\"AppendEntriesReply\"]\nfrom = \"follower\"\nto = \"leader\"";
    Bite { fault, bad: "check-quorum = false", check: RECOVERY, ..BITE }.bites();
}

#[test]
fn dropped_shares() {
    let fault = "do = \"drop\"\nmessages = [\"Answer\"]\nto = \"clients\"\nshare = \"30%\"";
    Bite { fault, bad: "flaws = [\"no-sessions\"]", check: "linearizable", ..BITE }.bites();
}

#[test]
fn dropped_counts() {
    let fault = "do = \"drop\"\nmessages = [\"Answer\"]\ncount = 30";
    Bite { fault, bad: "flaws = [\"no-sessions\"]", check: "linearizable", ..BITE }.bites();
}

#[test]
fn outages() {
    let fault = "do = \"outage\"\nplace = \"zone:a\"\ndisk = \"lose-unsynced\"";
    Bite { nodes: 3, fault, bad: "flaws = [\"ack-before-fsync\"]", check: "no lost writes", ..BITE }.bites();
}

#[test]
fn reorder() {
    let fault = "do = \"link\"\nbetween = [\"all\", \"all\"]\nreorder = \"10%\"\nreorder-by = \"0ms..500ms\"";
    Bite { nodes: 3, fault, bad: "flaws = [\"truncate-always\"]\ntransport = \"datagram\"", good: "transport = \"datagram\"", check: "no lost writes", ..BITE }.bites();
}

#[test]
fn duplicate() {
    let fault = "do = \"link\"\nbetween = [\"all\", \"all\"]\nduplicate = \"10%\"\nduplicate-after = \"0ms..500ms\"";
    Bite { nodes: 3, fault, bad: "flaws = [\"truncate-always\"]\ntransport = \"datagram\"", good: "transport = \"datagram\"", check: "no lost writes", ..BITE }.bites();
}
