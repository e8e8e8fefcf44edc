//! A run knows in which order its operations took effect, and may be asked where a checker would have to search.

use checkers::{Budget, Judgement, Model, Question, judge};
use history::{Completion, History, Outcome, Value, Verdict};
use scenarios::execute::{Finished, Options};
use scenarios::plan::Plan;
use scenarios::systems::SYSTEMS;

const REPLAYED: &str = "the run's own order, replayed";

fn run(source: &str, seed: u64) -> Finished {
    let (draft, _) = scenarios::parse(source, "test", &[], SYSTEMS)
        .unwrap_or_else(|problems| panic!("{}", scenarios::diagnostics::render(&problems, "test.toml", source, false)));
    let scenario = draft.resolve(seed).expect("it fits together");
    let data = scenario.loads[0].data.name;
    (SYSTEMS[0].runner)(data)(&Plan::draw(&scenario, seed), &mut Options::default()).expect("the engine holds")
}

fn judged(history: &History, model: Model, hint: Option<&[usize]>) -> Judgement {
    judge(history, &Question { hint, ..Question::of(model) }, &Budget::states(100_000)).expect("it fits its model")
}

fn is_by(judgement: &Judgement, method: &str) -> bool {
    judgement.methods.iter().any(|by| by.starts_with(method))
}

/// Few values take the places of many, which leaves every order of reads and writes as right as it was, and clusters at a
/// loss.
fn blurred(history: &History) -> History {
    let mut history = history.clone();
    for operation in &mut history.operations {
        operation.input = blurred_value(&operation.input);
        match &mut operation.outcome {
            Outcome::Returned(Completion::Ok(value)) => *value = blurred_value(value),
            Outcome::Returned(Completion::Mismatch) | Outcome::Refused | Outcome::Unknown => {}
        }
    }
    history
}

fn blurred_value(value: &Value) -> Value {
    match value {
        Value::Int(n) => Value::Int(n % 4),
        Value::List(elements) => Value::List(elements.iter().map(blurred_value).collect()),
        Value::Nil | Value::Text(_) => value.clone(),
    }
}

fn faulty(data: &str, rest: &str) -> String {
    format!(
        r#"
scenario = 1
about = "A test."
duration = "8s"
settle = "4s"
[cluster]
nodes = 5
[protocol]
name = "raft"
{rest}
[[load]]
clients = 5
data = "{data}"
model = {{ closed = {{ think = "0ms..20ms" }} }}
ops = {{ read = 50, write = 50 }}
timeout = "600ms"
[[fault]]
do = "partition"
every = "2s"
for = "300ms..900ms"
groups = [["leader"], ["others"]]
[[fault]]
do = "crash"
every = "1500ms"
for = "200ms..900ms"
target = "one of all"
[expect]
must = ["linearizable"]
"#
    )
}

#[test]
fn the_order_of_a_run_explains_it_whoever_answers_its_reads() {
    for (data, model) in [("register", Model::CasRegister), ("kv", Model::Kv)] {
        for (seed, reads) in (0..).zip(["read-index", "follower", "log", "lease"]) {
            let finished = run(&faulty(data, &format!("reads = \"{reads}\"\nsnapshot-every = 50")), seed);
            let (history, order) = (blurred(&finished.history), &finished.order);
            assert!(order.len() > 100, "{data}, {reads}: {}", order.len());
            let plain = judged(&history, model, None);
            assert!(is_by(&plain, "search") && !is_by(&plain, REPLAYED), "{data}, {reads}: {:?}", plain.methods);
            let hinted = judged(&history, model, Some(order));
            assert_eq!(hinted.verdict, Verdict::Pass, "{data}, {reads}: {}", hinted.detail);
            assert!(is_by(&hinted, REPLAYED) && !is_by(&hinted, "search"), "{data}, {reads}: {:?}", hinted.methods);
        }
    }
}

#[test]
fn an_order_that_is_wrong_decides_nothing() {
    let finished = run(&faulty("kv", ""), 1);
    let history = blurred(&finished.history);
    let order: Vec<usize> = finished.order.iter().rev().copied().collect();
    let hinted = judged(&history, Model::Kv, Some(&order));
    assert!(hinted.verdict != Verdict::Fail && is_by(&hinted, "search"), "{}: {:?}", hinted.detail, hinted.methods);
}

/// Everybody reads at the old leader and writes at the new one.
#[test]
fn no_order_hides_a_violation() {
    let source = include_str!("../files/raft/read-without-quorum.toml");
    let finished = run(source, 1);
    for history in [finished.history.clone(), blurred(&finished.history)] {
        let hinted = judged(&history, Model::Kv, Some(&finished.order));
        assert_eq!(hinted.verdict, Verdict::Fail, "{:?}", hinted.methods);
        assert_eq!(hinted.witness, judged(&history, Model::Kv, None).witness);
    }
}
