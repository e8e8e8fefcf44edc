//! What shrinking leaves of a scenario, and what it changes on the way.

use super::*;
use crate::systems::SYSTEMS;
use sim_core::time::SECOND;

/// Acknowledgements that do not wait for the disk, and the power goes now and then.
const LOSES: &str = r#"scenario = 1
about = "Acknowledged too early."
duration = "12s"
settle = "2s"
[cluster]
nodes = 3
disk = { fsync = "10ms..60ms" }
[protocol]
name = "raft"
flaws = ["ack-before-fsync"]
[[load]]
clients = 3
model = { closed = { think = "1ms" } }
keys = { count = 3 }
timeout = "500ms"
[[fault]]
do = "crash"
every = "3s"
jitter = "1s"
for = "500ms"
target = ["any", "one of follower"]
disk = "lose-unsynced"
[[fault]]
name = "cut"
do = "partition"
every = "5s"
for = "100ms..300ms"
groups = [["minority"], ["others"]]
[expect]
must = ["linearizable", "no lost writes"]
"#;

/// Requests are done as often as they arrive; the run goes on to its end.
const TWICE: &str = r#"scenario = 1
about = "Done twice."
duration = "4s"
settle = "2s"
[protocol]
name = "raft"
flaws = ["no-sessions"]
[[load]]
clients = 4
ops = { read = 40, write = 40, cas = 20 }
keys = { count = 3 }
timeout = "500ms"
retry = "20ms"
[[fault]]
do = "partition"
every = "500ms"
for = "100ms..300ms"
groups = [["leader"], ["clients"]]
one-way = true
[expect]
must = ["linearizable"]
"#;

const FOREVER: Limits<'static> = Limits { keep_going: &|_| true };

/// A shrinker before its first step, for the first seed that fails.
fn shrinker(source: &str) -> Shrinker<'static> {
    let (draft, _) = crate::parse(source, "test", &[], SYSTEMS).expect("a sound scenario");
    for seed in 0..200 {
        let scenario = draft.resolve(seed).expect("nothing drawn");
        let first = run(&scenario, seed, SYSTEMS, &mut Options::default()).expect("the engine holds");
        let Some(signature) = first.record.signature().filter(|_| first.record.verdict == Verdict::Fail) else {
            continue;
        };
        let best = draft.resolved_tree(seed).expect("nothing drawn");
        let mut trial = Trial::new(SYSTEMS, &FOREVER, signature, 0);
        let seen = trial.run_to_its_end(&best).expect("it fails as it did");
        assert_eq!(format!("{:016x}", seen.finished.fingerprint), first.record.fingerprint, "its tree is the same run");
        return Shrinker::new(best, seen, trial);
    }
    panic!("no seed fails");
}

/// A load written down as it was asked for is the same run, event by event, to the very end; whether clients waited for
/// their answers or not.
#[test]
fn a_load_written_as_a_script_is_the_same_run() {
    let open = |source: &str| source.replace("ops =", "model = { open = { rate = \"150/s\" } }\nops =");
    for source in [LOSES.to_owned(), TWICE.to_owned(), open(TWICE)] {
        let mut shrinker = shrinker(&source);
        let (before, asked) = (shrinker.seen.finished.fingerprint, shrinker.seen.finished.history.len());
        assert!(asked > 100, "{asked} operations");
        let seed = shrinker.seen.scenario.seed;
        shrinker.write_scripts();
        assert!(shrinker.best.tables("load")[0].get("script").is_some(), "there is a script");
        assert_eq!(shrinker.seen.scenario.seed, seed);
        assert_eq!(shrinker.seen.finished.fingerprint, before);
        // And the file says it, too.
        let (draft, warnings) = crate::parse(&crate::text::write::document(&shrinker.best), "test", &[], SYSTEMS)
            .expect("what is written is read back");
        assert_eq!((warnings.len(), draft.seed()), (0, seed));
    }
}

/// Single strikes, on the machines that they met, at the instants that they had: the same run as long as nothing else of
/// theirs is drawn.
#[test]
fn faults_taken_apart_strike_the_same_machines_at_the_same_time() {
    let mut shrinker = shrinker(LOSES);
    let told = |shrinker: &Shrinker<'_>| {
        let strikes = shrinker.seen.finished.strikes.iter();
        strikes.map(|strike| (strike.from, strike.to, strike.who.clone())).collect::<Vec<_>>()
    };
    let before = told(&shrinker);
    let apart: Vec<Table> = (0..2).flat_map(|fault| shrinker.strikes_of(fault)).collect();
    assert_eq!(apart.len(), before.len());
    let mut candidate = shrinker.best.clone();
    candidate.put_tables("fault", apart);
    assert!(shrinker.attempt(candidate), "it fails in the same way");
    assert_eq!(told(&shrinker), before);
    let file = crate::text::write::document(&shrinker.best);
    for drawn in ["any", "minority", "one of", "every", "jitter", "0ms..", "cut\"\n"] {
        let faults = file.split("[[fault]]").skip(1).collect::<String>();
        assert!(!faults.contains(drawn), "{drawn} in\n{faults}");
    }
}

#[test]
fn what_is_left_is_small_fixed_and_fails_in_the_same_way() {
    let source = LOSES.replace("[\"any\", \"one of follower\"]", "\"all\"");
    let (draft, _) = crate::parse(&source, "test", &[], SYSTEMS).expect("a sound scenario");
    let shrinker = shrinker(&source);
    let seed = shrinker.seen.scenario.seed;
    let Ok(Outcome::Shrunk(shrunk)) = shrink(&draft, seed, &FOREVER) else { panic!("seed {seed} fails") };
    let Size { nodes, clients, faults, operations, time } = shrunk.after;
    assert!(nodes <= 3 && clients <= 1 && faults <= 2 && operations <= 3 && time <= 2 * SECOND, "{}", shrunk.file);
    assert!(shrunk.file.starts_with(MARK));
    let again = match shrink(&draft, seed, &FOREVER) {
        Ok(Outcome::Shrunk(again)) => again.file,
        _ => panic!("it fails again"),
    };
    assert_eq!(again, shrunk.file, "and the same again");

    let (small, warnings) = crate::parse(&shrunk.file, "small", &[], SYSTEMS).expect("a file that `run` takes");
    // Some laws break before anybody asks for anything.
    assert!(warnings.iter().all(|warning| warning.code == crate::codes::NO_LOAD.id), "{warnings:?}");
    let scenario = small.resolve(small.seed()).expect("nothing drawn");
    let record = run(&scenario, small.seed(), SYSTEMS, &mut Options::default()).expect("the engine holds").record;
    assert_eq!((record.verdict, record.signature().as_deref()), (Verdict::Fail, Some(&*shrunk.check)));
    // Nothing in it is drawn. Below the comment: sentences end in full stops.
    let body = shrunk.file.lines().filter(|line| !line.starts_with('#')).collect::<String>();
    for drawn in ["choose", "draw", "chance", "..", "any", "one of", "minority", "every", "when", "keys", "ops"] {
        assert!(!body.contains(drawn), "{drawn} in\n{}", shrunk.file);
    }
}

#[test]
fn a_run_that_passes_and_a_time_that_is_up_are_told() {
    let sound = LOSES.replace("flaws = [\"ack-before-fsync\"]\n", "");
    let (draft, _) = crate::parse(&sound, "test", &[], SYSTEMS).expect("a sound scenario");
    assert!(matches!(shrink(&draft, 1, &FOREVER), Ok(Outcome::NoFailure(record)) if record.verdict == Verdict::Pass));
    let never = Limits { keep_going: &|_| false };
    assert!(matches!(shrink(&draft, 1, &never), Err(Trouble::Stopped)));
}

/// Whenever it is stopped there is a file, and it fails in the same way.
#[test]
fn the_smallest_so_far_is_a_result_too() {
    let shrinker = shrinker(LOSES);
    let (draft, _) = crate::parse(LOSES, "test", &[], SYSTEMS).expect("a sound scenario");
    for runs in [1, 5, 50] {
        let keep_going = |step: &Step| step.runs < runs;
        let Ok(Outcome::Shrunk(shrunk)) =
            shrink(&draft, shrinker.seen.scenario.seed, &Limits { keep_going: &keep_going })
        else {
            panic!("there is a result after {runs} runs")
        };
        let (small, _) = crate::parse(&shrunk.file, "small", &[], SYSTEMS).expect("a file that `run` takes");
        let scenario = small.resolve(small.seed()).expect("nothing drawn");
        let record = run(&scenario, small.seed(), SYSTEMS, &mut Options::default()).expect("the engine holds").record;
        assert_eq!(record.signature(), shrinker.seen.finished.breach.as_ref().map(|breach| breach.law.to_owned()));
    }
}

/// A long story is told anew by a short one, and a short one is left as it is.
#[test]
fn a_long_story_is_told_anew() {
    let mut shrinker = shrinker(&LOSES.replace("[\"any\", \"one of follower\"]", "\"all\""));
    let before = shrinker.seen.size();
    assert!(before.operations > 100, "{before:?}");
    shrinker.tell_anew(0);
    assert_eq!((shrinker.seen.size(), shrinker.told_anew), (before, 0), "without a budget nothing is tried");
    shrinker.tell_anew(5_000_000);
    let short = shrinker.seen.size();
    assert!(short.operations <= 12 && short.faults <= 3, "{short:?}");
    let told = (shrinker.seen.finished.fingerprint, shrinker.told_anew);
    shrinker.tell_anew(5_000_000);
    assert_eq!((shrinker.seen.finished.fingerprint, shrinker.told_anew), told);
}

/// Slow links from beginning to end become a layout; those that are slow for a while or lose messages stay a fault.
#[test]
fn links_that_are_always_slow_are_a_layout() {
    let slow = |more: &str| {
        let link = format!("[[fault]]\ndo = \"link\"\nbetween = [\"all\", \"all\"]\ndelay = \"5ms\"\n{more}\n[expect]");
        let mut shrinker =
            shrinker(&LOSES.replace("[expect]", &link).replace("[\"any\", \"one of follower\"]", "\"all\""));
        let before = shrinker.best.tables("fault").len();
        shrinker.slow_by_layout();
        (before - shrinker.best.tables("fault").len(), shrinker.best.get("layout").is_some())
    };
    assert_eq!(slow("at = \"0s\""), (1, true));
    assert_eq!(slow("at = \"1ms\""), (0, false));
    assert_eq!(slow("at = \"0s\"\nloss = \"1%\""), (0, false));
}
