//! Stores that let copies differ: what scenarios can ask of them, and what becomes of it, on a store small enough to be wrong on
//! purpose.

use history::{
    Cart, CartAsk, CartOp, Data, RunRecord, Seen, Siblings, SiblingsAsk, SiblingsOp, SiblingsRet, Value, Verdict,
};
use protocols::client::{Answer, Ask, Request, Response, RoutingClient, Service};
use scenarios::execute::{Options, execute};
use scenarios::shrink::{Limits, Outcome, shrink};
use scenarios::systems::{DataKind, System};
use serde::Serialize;
use sim_core::holding::{Copy, Holding};
use sim_core::promise::{Claim, Premise};
use sim_core::protocol::{Boot, ClientId, Ctx, Never, NodeId, Protocol, Vocabulary};
use sim_core::reach::Reach;
use sim_core::settings::{Flaw, Flaws, Key, Kind, Rejected, Settings, Values};
use sim_core::time::MILLISECOND;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::marker::PhantomData;

/// Who wrote it, and a number of his.
type Dot = (u32, u64);

/// A key: how much of each node's writes is known, and what of that is still there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
struct Shelf {
    known: BTreeMap<u32, u64>,
    live: BTreeMap<Dot, Value>,
}

impl Shelf {
    fn covers(&self, (node, number): Dot) -> bool {
        self.known.get(&node).is_some_and(|known| *known >= number)
    }

    /// Takes in what another copy knows: what only one of them still has, the other has not seen or knows to be gone.
    fn merge(&mut self, other: &Shelf) {
        self.live.retain(|dot, _| other.live.contains_key(dot) || !other.covers(*dot));
        let news = other.live.iter().filter(|(dot, _)| !self.covers(**dot));
        self.live.extend(news.map(|(dot, value)| (*dot, value.clone())).collect::<Vec<_>>());
        for (node, number) in &other.known {
            let known = self.known.entry(*node).or_default();
            *known = (*known).max(*number);
        }
    }

    fn replace(&mut self, context: &Value) {
        let Value::List(pairs) = context else { return };
        for pair in pairs.iter() {
            let Some((Value::Int(node), Value::Int(number))) = pair.as_pair() else { continue };
            self.live.retain(|(by, own), _| i64::from(*by) != *node || *own as i64 > *number);
        }
    }

    fn told(&self) -> SiblingsRet {
        let pair = |(node, number): (&u32, &u64)| Value::pair(i64::from(*node).into(), (*number as i64).into());
        let context = Value::List(self.known.iter().map(pair).collect());
        SiblingsRet { values: self.live.values().cloned().collect(), context }
    }
}

/// What a client asks of a shelf.
enum Asked {
    Read,
    Put(Option<Value>, Value),
}

trait Kept: Data<Ret = SiblingsRet> {
    fn asked(op: &Self::Op) -> Asked;
}

impl Kept for Siblings {
    fn asked(op: &SiblingsOp) -> Asked {
        match &op.ask {
            SiblingsAsk::Read => Asked::Read,
            SiblingsAsk::Write { value, seen } => Asked::Put(Some(value.clone()), seen.context.clone()),
            SiblingsAsk::Blind { value } => Asked::Put(Some(value.clone()), Value::Nil),
            SiblingsAsk::Delete { seen } => Asked::Put(None, seen.context.clone()),
        }
    }
}

impl Kept for Cart {
    fn asked(op: &CartOp) -> Asked {
        match &op.ask {
            CartAsk::Read => Asked::Read,
            CartAsk::Put { cart, seen: Seen { context, .. }, .. } => Asked::Put(Some(cart.clone()), context.clone()),
        }
    }
}

#[derive(Clone, Debug)]
struct Rules {
    gossips: bool,
    keeps_one: bool,
    forgets_deletes: bool,
}

impl Settings for Rules {
    const KEYS: &'static [Key] =
        &[Key { name: "gossips", kind: Kind::Flag, default: "true", text: "Whether nodes tell each other." }];
    const FLAWS: &'static [Flaw] = &[
        Flaw { name: "keeps-one", id: "X01", text: "Of what it is told, a node keeps one sibling." },
        Flaw { name: "forgets-deletes", id: "X02", text: "A delete leaves no trace." },
    ];

    fn build(values: &Values, flaws: Flaws) -> Result<Self, Rejected> {
        let [keeps_one, forgets_deletes] = [0, 1].map(|at: usize| flaws.has(&Self::FLAWS[at]));
        Ok(Rules { gossips: values.flag("gossips"), keeps_one, forgets_deletes })
    }
}

/// Each node has every shelf, answers at once, and now and then tells everybody what it has.
#[derive(Clone)]
struct Shelves<D> {
    me: NodeId,
    members: Vec<NodeId>,
    rules: Rules,
    shelves: BTreeMap<u32, Shelf>,
    data: PhantomData<D>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Gossip;

impl<D: Kept> Vocabulary for Shelves<D> {
    type Message = BTreeMap<u32, Shelf>;
    type Timer = Gossip;
    type Record = Never;
    type Reply = Answer<SiblingsRet>;
}

impl<D: Kept> Protocol for Shelves<D> {
    type Request = Request<D::Op>;
    type Client = RoutingClient<Self>;
    type Admin = Never;
    type Config = Rules;
    type Data = D;
    type Laws = ();
    const REVEALS: bool = true;

    fn start(boot: Boot<'_, Self>, ctx: &mut Ctx<'_, Self>) -> Self {
        ctx.arm(Gossip, 200 * MILLISECOND);
        let members = boot.members.iter().map(|member| member.id).collect();
        Shelves { me: boot.me, members, rules: boot.config.clone(), shelves: BTreeMap::new(), data: PhantomData }
    }

    fn on_message(&mut self, _: NodeId, message: BTreeMap<u32, Shelf>, _: &mut Ctx<'_, Self>) {
        for (key, other) in &message {
            let shelf = self.shelves.entry(*key).or_default();
            shelf.merge(other);
            while self.rules.keeps_one && shelf.live.len() > 1 {
                shelf.live.pop_first();
            }
        }
    }

    fn on_timer(&mut self, gossip: Gossip, ctx: &mut Ctx<'_, Self>) {
        ctx.arm(gossip, 200 * MILLISECOND);
        for node in self.members.iter().filter(|node| self.rules.gossips && **node != self.me) {
            ctx.send_datagram(*node, self.shelves.clone());
        }
    }

    fn on_request(&mut self, client: ClientId, request: Request<D::Op>, ctx: &mut Ctx<'_, Self>) {
        let Ask::Operation { op, .. } = &request.ask else { return };
        let (me, shelf) = (self.me.0, self.shelves.entry(D::key(op)).or_default());
        if let Asked::Put(value, context) = D::asked(op) {
            if value.is_none() && self.rules.forgets_deletes {
                let told = SiblingsRet { values: Vec::new(), context };
                return ctx.tell(client, request.answer(Response::Returned(told)));
            }
            shelf.replace(&context);
            if let Some(value) = value {
                let number = shelf.known.entry(me).or_default();
                *number += 1;
                shelf.live.insert((me, *number), value);
            }
        }
        ctx.tell(client, request.answer(Response::Returned(shelf.told())));
    }

    fn can_serve(_: &Rules, _: &D::Op, _: &Reach<'_>) -> bool {
        true
    }

    fn promises(_: &Rules, claim: Claim, _: &Premise) -> Result<(), String> {
        match claim {
            Claim::Consistent(_) => Err("whoever asks another node may read what is older".to_owned()),
            Claim::Linearizable | Claim::LinearizableWrites => Err("nobody puts writes in order".to_owned()),
            Claim::NoLostWrites
            | Claim::Progress
            | Claim::Converges
            | Claim::HintsDelivered
            | Claim::NoResurrection => Ok(()),
            Claim::Detects { .. } => Err(Claim::watches_nobody("it")),
        }
    }

    fn reveal(&self) -> Option<Holding> {
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let copy = |(key, shelf): (&u32, &Shelf)| Copy {
            key: u64::from(*key),
            digest: hasher.hash_one(&shelf.live),
            owners: self.members.clone(),
        };
        let kept = self.shelves.iter().filter(|(_, shelf)| !shelf.known.is_empty());
        Some(Holding { copies: kept.map(copy).collect(), hints: 0, hints_made: 0 })
    }
}

impl<D: Kept> Service for Shelves<D> {
    fn reads_anywhere(_: &Rules) -> bool {
        true
    }
}

const SHELVES: &[System] = &[System::on::<Shelves<Siblings>>(
    "shelves",
    "Keeps whatever it is told.",
    &[DataKind::data::<Siblings>(), DataKind::data::<Cart>()],
    |data| match data {
        Siblings::NAME => execute::<Shelves<Siblings>>,
        Cart::NAME => execute::<Shelves<Cart>>,
        other => panic!("shelves offer no data called {other}"),
    },
)];

/// Three nodes, parted for a while, with what is said of the protocol, the load and what is expected.
fn source(protocol: &str, load: &str, must: &str) -> String {
    format!(
        r#"
scenario = 1
about = "A test."
duration = "5s"
settle = "5s"
[cluster]
nodes = 3
[protocol]
name = "shelves"
{protocol}
[[load]]
clients = 3
keys = {{ count = 5 }}
model = {{ closed = {{ think = "20ms" }} }}
{load}
[[fault]]
do = "partition"
at = "1s"
for = "2s"
groups = [["n1", "client:c1"], ["n2", "client:c2"], ["others"]]
[expect]
must = [{must}]
shows = [{must}]
"#
    )
}

fn run(source: &str, seed: u64) -> RunRecord {
    let (draft, _) = scenarios::parse(source, "test", &[], SHELVES)
        .unwrap_or_else(|problems| panic!("{}", scenarios::diagnostics::render(&problems, "x.toml", source, false)));
    let scenario = draft.resolve(seed).expect("it fits together");
    scenarios::run(&scenario, seed, SHELVES, &mut Options::default()).expect("the engine holds").record
}

fn verdicts(record: &RunRecord) -> Vec<(&str, Verdict, &str)> {
    record.findings.iter().map(|finding| (&*finding.check, finding.verdict, &*finding.detail)).collect()
}

#[track_caller]
fn assert_verdict(record: &RunRecord, check: &str, verdict: Verdict) {
    let found = record.findings.iter().find(|finding| finding.check == check);
    let found = found.unwrap_or_else(|| panic!("no finding `{check}`"));
    assert_eq!(found.verdict, verdict, "{:#?}", verdicts(record));
}

const SIBLINGS: &str = "data = \"siblings\"\nops = { read = 5, write = 4, blind = 1, delete = 1 }";
const CARTS: &str = "data = \"cart\"\nops = { read = 3, add = 4, remove = 2 }";

#[test]
fn a_store_that_keeps_siblings_loses_nothing_and_converges() {
    let must = r#""no lost writes", "no resurrected deletes", "converged", "converged within 2s", "converged within 1ms",
        "siblings(max) <= 50", "siblings(max) <= 1", "stale reads <= 0%", "hints delivered""#;
    for seed in 0..5 {
        let record = run(&source("", SIBLINGS, must), seed);
        for check in ["no lost writes", "no resurrected deletes", "converged", "converged within 2s"] {
            assert_verdict(&record, check, Verdict::Pass);
        }
        assert_verdict(&record, "siblings(max) <= 50", Verdict::Pass);
        for check in ["siblings(max) <= 1", "stale reads <= 0%", "converged within 1ms"] {
            assert_verdict(&record, check, Verdict::Fail);
        }
        assert_verdict(&record, "hints delivered", Verdict::Vacuous);
        assert_eq!(run(&source("", SIBLINGS, must), seed), record, "the same seed, the same run");
    }
}

#[test]
fn carts_lose_no_item() {
    let record = run(&source("", CARTS, r#""no lost writes", "siblings(max) <= 1", "read your writes""#), 1);
    assert_verdict(&record, "no lost writes", Verdict::Pass);
    assert_verdict(&record, "siblings(max) <= 1", Verdict::Fail);
}

#[test]
fn nodes_that_tell_each_other_nothing_never_agree() {
    let must = r#""converged", "converged within 9s", "no lost writes""#;
    let record = run(&source("gossips = false", SIBLINGS, must), 1);
    assert_verdict(&record, "converged", Verdict::Fail);
    assert_verdict(&record, "converged within 9s", Verdict::Vacuous);
    assert_verdict(&record, "no lost writes", Verdict::Fail);
}

#[test]
fn what_goes_wrong_is_found() {
    let lost = run(&source("flaws = [\"keeps-one\"]", SIBLINGS, "\"no lost writes\""), 1);
    assert_verdict(&lost, "no lost writes", Verdict::Fail);
    let lost = run(&source("flaws = [\"keeps-one\"]", CARTS, "\"no lost writes\""), 1);
    assert_verdict(&lost, "no lost writes", Verdict::Fail);
    let back = run(&source("flaws = [\"forgets-deletes\"]", SIBLINGS, "\"no resurrected deletes\""), 1);
    assert_verdict(&back, "no resurrected deletes", Verdict::Fail);
}

/// A script names what a function takes; what it replaces is what its client sees when it comes to that.
#[test]
fn failures_shrink_to_scripts() {
    for (load, flaw) in [(SIBLINGS, "keeps-one"), (CARTS, "keeps-one"), (SIBLINGS, "forgets-deletes")] {
        let check = if flaw == "keeps-one" { "no lost writes" } else { "no resurrected deletes" };
        let source = source(&format!("flaws = [\"{flaw}\"]"), load, &format!("\"{check}\""));
        let source = source.replace("shows = ", "# ");
        let (draft, _) = scenarios::parse(&source, "test", &[], SHELVES).expect("well formed");
        let Ok(Outcome::Shrunk(shrunk)) = shrink(&draft, 1, &Limits { keep_going: &|_| true }) else {
            panic!("it fails and has a run")
        };
        let text = &shrunk.file;
        assert!(text.contains("script = ["), "{text}");
        assert!(text.lines().filter(|line| line.trim_start().starts_with("\"c")).count() <= 6, "{text}");
        let again = run(text, 1);
        assert_verdict(&again, check, Verdict::Fail);
    }
}

fn problem(load: &str, must: &str) -> String {
    let found = scenarios::parse(&source("", load, must), "x", &[], SHELVES).expect_err("it cannot be asked");
    found
        .iter()
        .map(|problem| format!("{} {}: {}", problem.code, problem.message, problem.help.as_deref().unwrap_or_default()))
        .collect()
}

#[test]
fn what_data_cannot_be_asked_for_is_a_mistake_with_a_cure() {
    for (load, must, told) in [
        (SIBLINGS, "linearizable", "demand `no lost writes` or `read your writes` instead"),
        (SIBLINGS, "causal", "`siblings` and `cart` know `read your writes`"),
        (CARTS, "no resurrected deletes", "`siblings` have deletes"),
    ] {
        let found = problem(load, &format!("\"{must}\""));
        assert!(found.contains("S0402") && found.contains(told), "{must}: {found}");
    }
}
