//! What of a run stays as it was when its scenario is edited. Each concern draws from a stream of its own, named after what it
//! belongs to, so what an edit does not touch is drawn as before: that is what makes two runs comparable, and a failing one
//! worth cutting down.
//!
//! What cannot stay: who is elected and when answers come, if the edit has a part in that; and so what a fault that strikes
//! `leader` strikes, and how often a client has to ask. A client that is turned away draws how long it waits before it asks
//! again from the stream from which it draws its operations; so another number of vain attempts shifts what it asks from
//! there on. Values written are numbered off among all clients, so another client changes the values, though not the keys.

use scenarios::execute::{Options, Row, What};
use scenarios::plan::Plan;
use scenarios::scenario::Scenario;
use scenarios::systems::SYSTEMS;
use sim_core::fault::When;
use std::collections::BTreeMap;

const BASE: &str = r#"
scenario = 1
about = "A test."
duration = "4s"
settle = "2s"
[cluster]
nodes = 3
cpu = "0ns"
clock = { drift = "0.1%", offset = "-20ms..20ms" }
[protocol]
name = "raft"
transport = "datagram"
heartbeat = { draw = "30ms..60ms" }
[[load]]
name = "shop"
clients = 3
data = "kv"
ops = { read = 50, write = 50 }
keys = { count = 20 }
[[load]]
name = "stock"
clients = 2
data = "kv"
ops = { read = 90, write = 10 }
keys = { count = 20 }
[[fault]]
name = "cut"
do = "partition"
at = "2s..3s"
for = "100ms..900ms"
groups = [["n1"], ["others"]]
[[fault]]
name = "nap"
do = "pause"
every = "700ms"
jitter = "300ms"
for = "1ms..50ms"
target = "any"
[expect]
must = ["linearizable"]
"#;

const SEEDS: std::ops::RangeInclusive<u64> = 1..=4;

fn scenario(source: &str, seed: u64) -> Scenario {
    let parsed = scenarios::parse(source, "edits", &[], SYSTEMS);
    let (draft, _) = parsed.unwrap_or_else(|problems| panic!("{problems:?}\n{source}"));
    draft.resolve(seed).expect("what it draws fits together")
}

fn plan(source: &str, seed: u64) -> Plan {
    Plan::draw(&scenario(source, seed), seed)
}

/// Without faults, so that what differs is the edit's doing.
fn calm(source: &str) -> String {
    let (before, faults) = source.split_once("[[fault]]").expect("it has faults");
    let (_, after) = faults.split_once("[expect]").expect("and expectations");
    format!("{before}[expect]{after}")
}

/// The base with something more above its faults, or below.
fn with(source: &str, more: &str) -> [String; 2] {
    let above = source.replacen("[[fault]]\nname = \"cut\"", &format!("{more}[[fault]]\nname = \"cut\""), 1);
    let below = source.replacen("[expect]", &format!("{more}[expect]"), 1);
    assert!(above != below || !source.contains("[[fault]]"));
    [above, below]
}

fn traced(source: &str, seed: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut sink = |more: Vec<Row>| rows.extend(more);
    let mut options = Options { trace: Some(&mut sink), ..Options::default() };
    scenarios::run(&scenario(source, seed), seed, SYSTEMS, &mut options).expect("the engine holds");
    rows
}

fn instants(plan: &Plan) -> BTreeMap<String, When> {
    plan.faults.iter().map(|fault| (fault.name.clone(), fault.when.clone())).collect()
}

const ANOTHER_FAULT: &str =
    "[[fault]]\nname = \"another\"\ndo = \"pause\"\nat = \"1s..3s\"\nfor = \"1ms..2s\"\ntarget = \"any\"\n";

/// Another fault, wherever it stands, moves no other.
#[test]
fn a_fault_moves_no_other_fault() {
    for seed in SEEDS {
        let before = instants(&plan(BASE, seed));
        for edited in with(BASE, ANOTHER_FAULT) {
            let mut after = instants(&plan(&edited, seed));
            assert!(after.remove("another").is_some());
            assert_eq!(after, before, "seed {seed}");
        }
    }
}

/// One taken out, or called otherwise, moves itself alone.
#[test]
fn a_fault_taken_out_or_renamed_moves_no_other_fault() {
    for seed in SEEDS {
        let before = instants(&plan(BASE, seed));
        let start = BASE.find("[[fault]]\nname = \"cut\"").expect("it is there");
        let end = BASE.find("[[fault]]\nname = \"nap\"").expect("it is there");
        let without = format!("{}{}", &BASE[..start], &BASE[end..]);
        assert_eq!(instants(&plan(&without, seed)).get("nap"), before.get("nap"));
        let renamed = instants(&plan(&BASE.replace("\"cut\"", "\"slit\""), seed));
        assert_eq!(renamed.get("nap"), before.get("nap"));
        assert_ne!(renamed.get("slit"), before.get("cut"), "its stream goes by its name");
    }
}

/// A fault without a name is called after its kind and its place among its kind; those of other kinds are no part of that.
#[test]
fn a_fault_without_a_name_is_moved_by_its_own_kind_alone() {
    let nameless = BASE.replace("name = \"cut\"\n", "").replace("name = \"nap\"\n", "");
    let of = |source: &str, name: &str, seed| instants(&plan(source, seed)).remove(name);
    let link = "[[fault]]\ndo = \"link\"\nat = \"1s..3s\"\nbetween = [[\"n1\"], [\"n2\"]]\nloss = \"1%\"\n";
    let other_kind = nameless.replacen("[[fault]]", &format!("{link}[[fault]]"), 1);
    let same_kind =
        nameless.replacen("[[fault]]", &format!("{}[[fault]]", ANOTHER_FAULT.replace("name = \"another\"\n", "")), 1);
    for seed in SEEDS {
        assert_eq!(of(&other_kind, "pause-1", seed), of(&nameless, "pause-1", seed));
        assert_eq!(of(&same_kind, "partition-1", seed), of(&nameless, "partition-1", seed));
        assert_ne!(of(&same_kind, "pause-1", seed), of(&nameless, "pause-1", seed), "another is the first now");
    }
}

/// How long a fault lasts is drawn apart from when it strikes.
#[test]
fn a_length_that_is_set_moves_no_instant() {
    let set = BASE.replace("\"100ms..900ms\"", "\"500ms\"").replace("\"1ms..50ms\"", "\"3ms\"");
    let strikes = |source: &str, seed| -> Vec<Vec<u64>> {
        let whens = instants(&plan(source, seed)).into_values();
        whens
            .map(|when| match when {
                When::At(strikes) => strikes.iter().map(|strike| strike.at).collect(),
                When::Event { .. } => Vec::new(),
            })
            .collect()
    };
    for seed in SEEDS {
        assert_eq!(strikes(&set, seed), strikes(BASE, seed));
    }
}

/// Nodes that are there keep their clocks when others come.
#[test]
fn a_node_changes_no_clock_and_no_fault() {
    for seed in SEEDS {
        let (three, five) = (plan(BASE, seed), plan(&BASE.replace("nodes = 3", "nodes = 5"), seed));
        let clocks = |plan: &Plan| plan.nodes.iter().map(|node| node.clock).take(3).collect::<Vec<_>>();
        assert_eq!(clocks(&three), clocks(&five));
        assert_eq!(instants(&three), instants(&five));
    }
}

/// What the seed decides of a key goes by the key's path.
#[test]
fn a_draw_changes_no_other_draw() {
    let more = BASE.replace("count = 20", "count = { draw = \"5..50\" }");
    for seed in SEEDS {
        let drawn = |source: &str| -> BTreeMap<String, String> {
            plan(source, seed).draws.into_iter().map(|draw| (draw.key, draw.value)).collect()
        };
        let (before, after) = (drawn(BASE), drawn(&more));
        assert!(after.len() > before.len());
        assert!(before.iter().all(|(key, value)| after.get(key) == Some(value)), "{before:?} {after:?}");
        assert_eq!(instants(&plan(&more, seed)), instants(&plan(BASE, seed)));
    }
}

/// What is asked of a run changes nothing in it.
#[test]
fn an_expectation_changes_nothing() {
    let more = BASE.replace(
        "must = [\"linearizable\"]",
        "must = [\"linearizable\", \"no lost writes\"]\nshould = [\"availability >= 99%\", \"p99 <= 1s\"]\nreach = [\"operations >= 10\"]",
    );
    for seed in SEEDS {
        let fingerprint = |source: &str| {
            let run = scenarios::run(&scenario(source, seed), seed, SYSTEMS, &mut Options::default());
            run.expect("the engine holds").record.fingerprint
        };
        assert_eq!(fingerprint(BASE), fingerprint(&more));
    }
}

/// Up to the instant at which it strikes, a run with another fault is the run without it.
#[test]
fn a_fault_changes_nothing_before_it_strikes() {
    for seed in SEEDS {
        let (before, edited) = (traced(BASE, seed), with(BASE, ANOTHER_FAULT));
        for edited in edited {
            let strikes = match &instants(&plan(&edited, seed))["another"] {
                When::At(strikes) => strikes[0].at,
                When::Event { .. } => unreachable!("it strikes at an instant"),
            };
            let after = traced(&edited, seed);
            let until = |rows: &[Row]| rows.partition_point(|row| row.at < strikes);
            assert!(until(&before) > 100);
            // The numbers of faults are in no row.
            assert!(before[..until(&before)] == after[..until(&after)], "seed {seed}");
        }
    }
}

/// By load and number within it: which function on which key its clients ask for, in order.
fn asked(source: &str, seed: u64) -> BTreeMap<(String, u32), Vec<(String, String)>> {
    let plan = plan(source, seed);
    let run = scenarios::run(&scenario(source, seed), seed, SYSTEMS, &mut Options::default());
    let history = run.expect("the engine holds").history;
    let mut asked: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for op in &history.operations {
        let client = &plan.clients[(op.process % plan.clients.len() as u64) as usize];
        // An argument is a key and what is written there.
        let key = format!("{:?}", op.input);
        let key = key.split(',').next().unwrap_or_default().to_owned();
        asked.entry((client.workload.name.clone(), client.index)).or_default().push((op.f.to_string(), key));
    }
    asked
}

/// Another load, or more clients in another one, leave alone what a client asks for.
#[test]
fn a_load_changes_nothing_that_others_ask_for() {
    let base = calm(BASE);
    let load = "[[load]]\nname = \"audit\"\nclients = 2\ndata = \"kv\"\nops = { read = 1 }\nkeys = { count = 20 }\n";
    let added = base.replacen("[[load]]\nname = \"stock\"", &format!("{load}[[load]]\nname = \"stock\""), 1);
    let start = base.find("[[load]]\nname = \"stock\"").expect("it is there");
    let end = base.find("[expect]").expect("it is there");
    let removed = format!("{}{}", &base[..start], &base[end..]);
    let renamed = base.replace("name = \"stock\"", "name = \"store\"");
    let grown = base.replace("clients = 2", "clients = 4");
    for seed in SEEDS {
        let before = asked(&base, seed);
        for edited in [&added, &removed, &renamed, &grown] {
            let after = asked(edited, seed);
            for index in 0..3 {
                let client = ("shop".to_owned(), index);
                let both = before[&client].iter().zip(&after[&client]);
                assert!(both.len() > 30, "{}", both.len());
                assert!(both.clone().all(|(one, other)| one == other), "seed {seed}, {client:?}");
            }
        }
        let stock = ("stock".to_owned(), 0);
        let (before, renamed) = (&before[&stock], &asked(&renamed, seed)[&("store".to_owned(), 0)]);
        assert!(before.iter().zip(renamed).any(|(one, other)| one != other), "its stream goes by its load's name");
    }
}

/// By sender and receiver: how long each message between two nodes took, in the order in which they were sent.
fn ways(rows: &[Row]) -> BTreeMap<(&str, &str), Vec<u64>> {
    let mut sent = BTreeMap::new();
    let mut ways: BTreeMap<_, Vec<(u64, u64)>> = BTreeMap::new();
    for row in rows {
        let Some(letter) = row.letter else { continue };
        if row.what == What::Sent {
            sent.insert(letter.number, row.at);
        } else if row.what == What::Message {
            let way = (letter.number, row.at - sent[&letter.number]);
            ways.entry((row.from.as_str(), row.to.as_str())).or_default().push(way);
        }
    }
    let in_order = |(path, mut ways): (_, Vec<(u64, u64)>)| {
        ways.sort_unstable();
        (path, ways.into_iter().map(|(_, took)| took).collect())
    };
    ways.into_iter().map(in_order).collect()
}

/// The k-th message from one node to another takes as long as it did, whatever it says and whenever it is sent.
#[test]
fn a_load_changes_no_link() {
    let base = calm(BASE);
    for seed in SEEDS {
        let (before, after) = (traced(&base, seed), traced(&base.replace("clients = 2", "clients = 6"), seed));
        let (before, after) = (ways(&before), ways(&after));
        for (path, before) in &before {
            let (both, first) = (before.iter().zip(&after[path]), &before[0]);
            assert!(both.len() > 20 && before.iter().any(|way| way != first), "links vary");
            assert!(both.clone().all(|(one, other)| one == other), "seed {seed}, {path:?}");
        }
    }
}

/// The k-th flush of a disk takes as long as it did.
#[test]
fn a_load_changes_no_disk() {
    let base = calm(BASE);
    for seed in SEEDS {
        let flushes = |source: &str| {
            let mut flushes: BTreeMap<String, Vec<u64>> = BTreeMap::new();
            for row in traced(source, seed).into_iter().filter(|row| row.what == What::Flush) {
                flushes.entry(row.from).or_default().push(row.takes);
            }
            flushes
        };
        let (before, after) = (flushes(&base), flushes(&base.replace("clients = 2", "clients = 6")));
        for (node, before) in &before {
            let both = before.iter().zip(&after[node]);
            assert!(both.len() > 20 && both.clone().all(|(one, other)| one == other), "seed {seed}, {node}");
        }
    }
}
