//! Every fault of machines bites: whoever does not reckon with it fails under it, and whoever does holds.
//!
//! Each test runs the same storm twice, over a few seeds: against a protocol with a known mistake, or a configuration known
//! to be bad, and against one without. What only one seed in many shows is a shipped scenario instead.

use history::{Cause, RunRecord, Verdict};
use scenarios::execute::Options;
use scenarios::systems::SYSTEMS;

fn run(source: &str, seed: u64) -> RunRecord {
    let (draft, _) = scenarios::parse(source, "test", &[], SYSTEMS)
        .unwrap_or_else(|problems| panic!("{}", scenarios::diagnostics::render(&problems, "test.toml", source, false)));
    let scenario = draft.resolve(seed).expect("it fits together");
    scenarios::run(&scenario, seed, SYSTEMS, &mut Options::default()).expect("the engine holds").record
}

/// A cluster of three under load.
struct Storm {
    /// What goes wrong.
    faults: &'static str,
    /// What must hold.
    must: &'static str,
    /// What the load asks for.
    load: &'static str,
}

const READERS_AND_A_WRITER: &str = r#"
[[load]]
name = "readers"
clients = 6
data = "kv"
model = { closed = { think = "2ms" } }
ops = { read = 1 }
keys = { count = 1 }
timeout = "500ms"
[[load]]
name = "writers"
clients = 2
data = "kv"
model = { closed = { think = "2ms" } }
ops = { write = 1 }
keys = { count = 1 }
timeout = "500ms"
retry = "50ms"
"#;

const MIXED: &str = r#"
[[load]]
clients = 5
data = "kv"
model = { closed = { think = "20ms" } }
ops = { read = 40, write = 60 }
keys = { count = 3 }
timeout = "500ms"
"#;

/// The settings of a system, and perhaps of its cluster, in lines.
type Settings = &'static str;

impl Storm {
    /// How the check came out for each seed, under these settings. Each fault has to have had an effect, unless a law stopped
    /// the run before.
    fn verdicts(&self, settings: Settings, promise: Promise) -> Vec<Verdict> {
        (1..4).map(|seed| self.verdict(settings, promise, seed)).collect()
    }

    fn verdict(&self, settings: Settings, promise: Promise, seed: u64) -> Verdict {
        let Storm { faults, must, load } = self;
        let shows = match promise {
            Promise::Kept => String::new(),
            Promise::NotMade => format!("shows = [\"{must}\"]"),
        };
        let source = format!(
            "scenario = 1\nabout = \"A test.\"\nduration = \"16s\"\n[protocol]\nname = \"raft\"\n{settings}\n{load}\n{faults}\n\
             [expect]\nmust = [\"{must}\"]\n{shows}\n"
        );
        let record = run(&source, seed);
        let law = record.findings.iter().find(|finding| finding.verdict == Verdict::Fail);
        let stopped = record.simulated_ns < 16_000_000_000;
        assert!(stopped || record.faults.iter().all(|fault| fault.effects > 0), "{settings}: {:?}", record.faults);
        if stopped {
            return law.expect("a law stops a run").verdict;
        }
        record.findings.iter().find(|finding| finding.check == *must).expect("it is judged").verdict
    }

    fn bites(&self, bad: Settings, good: Settings) {
        self.bites_who_promises(Promise::Kept, bad, good);
    }

    fn bites_who_promises(&self, promise: Promise, bad: Settings, good: Settings) {
        assert!(self.verdicts(bad, promise).contains(&Verdict::Fail), "{bad} does not fail under {}", self.faults);
        let good_verdicts = self.verdicts(good, Promise::Kept);
        assert!(good_verdicts.iter().all(|verdict| *verdict == Verdict::Pass), "{good}: {good_verdicts:?}");
    }
}

/// Whether the bad one promises what it breaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Promise {
    /// It does: it has a mistake.
    Kept,
    /// It says itself that under this it does not.
    NotMade,
}

#[test]
fn a_crash_bites_who_counts_what_is_not_on_disk() {
    let faults = r#"
[[fault]]
do = "crash"
every = "2s"
for = "200ms"
target = "n1"
disk = "lose-unsynced"
"#;
    Storm { faults, must: "no lost writes", load: MIXED }
        .bites("flaws = [\"counts-unflushed\"]\n[cluster]\nnodes = 1", "[cluster]\nnodes = 1");
}

#[test]
fn a_crash_within_a_step_bites_who_writes_in_two_parts() {
    let faults = r#"
[[fault]]
do = "crash"
every = "500ms"
for = "100ms"
target = "one of follower"
mid-step = true
"#;
    let storm = Storm { faults, must: "linearizable", load: MIXED };
    storm.bites("flaws = [\"applied-index-apart\"]\nsnapshot-every = 3", "snapshot-every = 3");
}

#[test]
fn a_pause_bites_who_waits_long_for_a_silent_leader() {
    let faults = "[[fault]]\ndo = \"pause\"\nat = \"8s\"\nfor = \"6s\"\ntarget = \"leader\"\n";
    Storm { faults, must: "recovery <= 2s", load: MIXED }
        .bites("election-timeout = \"4s..5s\"", "election-timeout = \"300ms..600ms\"");
}

const CUT_LEADER: &str = r#"
[[fault]]
do = "partition"
every = "3s"
for = "1500ms"
groups = [["leader"], ["others"]]
"#;

/// The leader's clock, by which its lease runs, goes wrong as it is cut off.
fn lease(clock: &str) {
    let faults: &'static str = format!("{clock}{CUT_LEADER}").leak();
    let storm = Storm { faults, must: "linearizable", load: READERS_AND_A_WRITER };
    let leased = "reads = \"lease\"\nelection-timeout = \"300ms..310ms\"\nheartbeat = \"30ms\"";
    let asking = "reads = \"read-index\"\nelection-timeout = \"300ms..310ms\"\nheartbeat = \"30ms\"";
    storm.bites_who_promises(Promise::NotMade, leased, asking);
}

const CLOCK: &str = "[[fault]]\ndo = \"clock\"\nevery = \"3s\"\nfor = \"1500ms\"\ntarget = \"leader\"\n";

#[test]
fn a_step_of_the_clock_bites_who_trusts_a_lease() {
    lease(&format!("{CLOCK}step = \"-10s\"\n"));
}

#[test]
fn a_slow_clock_bites_who_trusts_a_lease() {
    lease(&format!("{CLOCK}rate = \"-50%\"\n"));
}

#[test]
fn a_frozen_clock_bites_who_trusts_a_lease() {
    lease(&format!("{CLOCK}freeze = true\n"));
}

#[test]
fn a_monotonic_clock_that_is_wrong_alone_bites_too() {
    lease(&format!("{CLOCK}freeze = true\nwhich = \"monotonic\"\n"));
}

/// A lease by the wall clock is a mistake; by the monotonic one it holds, and is promised. Between the old leader's silence and
/// the next leader's first write lie some 20 ms, so it takes many readers: those of the scenario that ships.
#[test]
fn a_wall_clock_set_back_bites_who_measures_by_it() {
    let verdict = |source: &str, seed| {
        let record = run(source, seed);
        assert!(record.faults.iter().all(|fault| fault.effects > 0), "{:?}", record.faults);
        record.findings.iter().find(|finding| finding.check == "linearizable").expect("it is judged").verdict
    };
    assert_eq!(verdict(include_str!("../files/raft/lease-by-wall-clock.toml"), 1), Verdict::Fail);
    assert_eq!(verdict(include_str!("../files/raft/lease-by-wall-clock-clean.toml"), 1), Verdict::Pass);
}

/// 15 ms for each heartbeat, where one comes every 10 ms.
#[test]
fn a_slow_cpu_bites_who_has_no_patience() {
    for how in ["slower = 1500.5", "extra = \"+15ms\"", "extra = \"10ms..20ms\""] {
        let fault = "[[fault]]\ndo = \"cpu\"\nat = \"4s\"\nfor = \"8s\"\ntarget = [\"leader\", \"follower\"]\n";
        let faults: &'static str = format!("{fault}{how}\n").leak();
        let load = "[[load]]\nclients = 1\nmodel = { closed = { think = \"1s\" } }\n";
        Storm { faults, must: "leader changes <= 0", load }
            .bites("election-timeout = \"20ms..40ms\"\nheartbeat = \"10ms\"", "heartbeat = \"100ms\"");
    }
}

/// Those who wait for a slow CPU are told so.
#[test]
fn an_outage_by_a_slow_cpu_is_told() {
    let cause = |fault: &str| {
        let source = "scenario = 1\nabout = \"A test.\"\nduration = \"16s\"\n[protocol]\nname = \"raft\"\n\
                      election-timeout = \"2s..3s\"\nheartbeat = \"500ms\"\n";
        let record = run(&format!("{source}{MIXED}{fault}\n[expect]\nmust = [\"linearizable\"]"), 1);
        let late = record.outages.iter().filter(|outage| outage.from_ns > 5_000_000_000);
        late.map(|outage| outage.cause).collect::<Vec<_>>()
    };
    let slow =
        cause("[[fault]]\ndo = \"cpu\"\nat = \"8s\"\nfor = \"1500ms\"\ntarget = \"leader\"\nextra = \"+300ms\"\n");
    assert_eq!(slow.first(), Some(&Cause::Overload), "{slow:?}");
    assert!(cause("").is_empty());
}

/// n2 comes back empty, and what it had confirmed with n1 alone is gone.
#[test]
fn a_replaced_machine_bites_who_lets_it_vote() {
    let faults = r#"
[[fault]]
do = "partition"
at = "5s"
for = "2s"
groups = [["n3"], ["n1", "n2"]]
[[fault]]
do = "lose"
at = "6900ms"
for = "200ms"
target = "n2"
[[fault]]
do = "crash"
at = "6900ms"
for = "1500ms"
target = "n1"
"#;
    Storm { faults, must: "no lost writes", load: MIXED }.bites("flaws = [\"rejoins-empty\"]", "");
}

/// One of three is lost for good, another crashes later. Where an operator has let a spare take the place, two of three are
/// left; where nobody has, one is.
#[test]
fn a_loss_bites_where_nobody_replaces_it_and_an_operator_helps() {
    let lost = "[[fault]]\ndo = \"lose\"\nat = \"3s\"\ntarget = \"n1\"\n[[fault]]\ndo = \"crash\"\nat = \"10s\"\nfor = \"5s\"\ntarget = \"n2\"\n";
    let order = |order: &str, about: &str, at: &str| {
        format!(
            "[[fault]]\nname = \"{order}\"\ndo = \"operate\"\nat = \"{at}\"\nfor = \"3s\"\norder = \"{order}\"\nabout = \"{about}\"\n"
        )
    };
    let helped: &'static str = format!("{lost}{}{}", order("remove", "n1", "5s"), order("add", "n4", "6s")).leak();
    let spare = "initial-voters = 3\n[cluster]\nnodes = 4";
    let recovers = |faults| Storm { faults, must: "recovery <= 2s", load: MIXED }.verdicts(spare, Promise::Kept);
    assert_eq!(recovers(lost), [Verdict::Fail; 3]);
    assert_eq!(recovers(helped), [Verdict::Pass; 3]);
}

/// Nothing that heals brings back a majority that is gone for good, and nobody is blamed for what it cannot do.
#[test]
fn a_majority_lost_for_good_is_nobodys_failure() {
    for comes_back in ["", "for = \"2s\"\n"] {
        let source = format!(
            "scenario = 1\nabout = \"A test.\"\nduration = \"10s\"\n[protocol]\nname = \"raft\"\n{MIXED}\n\
             [[fault]]\ndo = \"lose\"\nat = \"5s\"\ntarget = \"majority\"\n{comes_back}[expect]\nmust = [\"linearizable\"]\n"
        );
        for seed in 1..4 {
            let record = run(&source, seed);
            let verdict =
                |check: &str| record.findings.iter().find(|finding| finding.check == check).expect("judged").verdict;
            assert_eq!(verdict("linearizable"), Verdict::Pass, "{comes_back}");
            assert_eq!(verdict("progress after settle"), Verdict::Vacuous, "{comes_back}");
            let served_late = record.buckets.iter().filter(|bucket| bucket.from_ns >= 6_000_000_000);
            assert_eq!(served_late.map(|bucket| bucket.achieved + bucket.possible).sum::<u64>(), 0, "{comes_back}");
        }
    }
}

/// Such a demand is beyond the promise, and the file is told so.
#[test]
fn what_nobody_can_recover_from_is_not_promised() {
    let source = "scenario = 1\nabout = \"A test.\"\nduration = \"10s\"\n[protocol]\nname = \"raft\"\n[[load]]\nclients = 1\n\
                  [[fault]]\ndo = \"lose\"\nat = \"5s\"\ntarget = \"majority\"\n[expect]\nmust = [\"recovery <= 2s\"]\n";
    let refused = |source: &str| scenarios::parse(source, "test", &[], SYSTEMS).err();
    let problems = refused(source).expect("beyond the promise");
    assert_eq!(problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), ["S0404"], "{problems:?}");
    assert!(refused(&source.replace("majority", "any")).is_none());
}
