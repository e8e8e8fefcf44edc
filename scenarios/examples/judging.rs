//! What it costs, beside running it, to check a run's history (is it linearizable, is no write lost), and to judge the run
//! altogether (outages, availability and latency with it), for every scenario that ships, the dearest first:
//!
//! ```text
//! cargo run --release -p scenarios --example judging [NAME]
//! ```
//!
//! With a name, only of those whose names contain it.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it reads the scenarios and measures real time"
)]
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use checkers::{Budget, Model, Question};
use history::Verdict;
use scenarios::execute::{Finished, Options};
use scenarios::judge::judge;
use scenarios::plan::Plan;
use scenarios::systems::SYSTEMS;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The middle one of so many attempts counts.
const ROUNDS: usize = 5;

/// How long an attempt lasts at least.
const ENOUGH: Duration = Duration::from_millis(40);

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("the directory is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// How long this thread has run, if the system tells (Linux does); others may have kept it waiting meanwhile.
fn on_cpu() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// What some work takes, and what comes of it. What is short is done again and again, since a system counts in ticks.
fn timed<T>(work: impl Fn() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let result = work();
    let times = (ENOUGH.as_nanos() / begun.elapsed().as_nanos().max(1)).clamp(1, 1_000) as u32;
    let attempt = || {
        let begun = (on_cpu(), Instant::now());
        let results: Vec<T> = (0..times).map(|_| work()).collect();
        let spent = on_cpu().zip(begun.0).map(|(end, begun)| end - begun).unwrap_or_else(|| begun.1.elapsed());
        drop(results);
        spent / times
    };
    (median((0..ROUNDS).map(|_| attempt()).collect()), result)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// What most scenarios ask of a history.
fn check(finished: &Finished, model: Model) {
    let (history, question) = (&finished.history, Question { hint: Some(&finished.order), ..Question::of(model) });
    let judgement =
        checkers::judge_strictly(history, &question, &Budget::states(5_000_000)).expect("it fits its model");
    assert_ne!(judgement.verdict, Verdict::Unknown, "{}", judgement.detail);
    checkers::no_lost_writes(history, model).expect("it fits its model");
}

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let mut lines = Vec::new();
    for path in files_below(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/files"))) {
        let source = std::fs::read_to_string(&path).expect("readable");
        let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        if !name.contains(&wanted) {
            continue;
        }
        let (draft, _) = scenarios::parse(&source, &name, &[], SYSTEMS).expect("a shipped scenario is well formed");
        let scenario = draft.resolve(draft.seed()).expect("what its own seed draws fits together");
        let plan = Plan::draw(&scenario, draft.seed());
        let system = SYSTEMS.iter().find(|system| system.name == scenario.protocol.name).expect("it is known");
        let data = scenario.loads.first().map_or(system.data[0].name, |load| load.data.name);
        let (run, finished) = timed(|| (system.runner)(data)(&plan, &mut Options::default()).expect("it can be run"));
        let (checking, _) = timed(|| check(&finished, Model::from_name(data).expect("it can be checked")));
        let (judging, _) = timed(|| judge(&scenario, &plan, &finished));
        let share = |part: Duration| part.as_secs_f64() / run.as_secs_f64() * 100.0;
        lines.push((share(checking), share(judging), name, run, finished.history.len()));
    }
    lines.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!("checked  judged");
    for (checking, judging, name, run, operations) in lines {
        println!("{checking:5.1} % {judging:5.1} %  {name:<40} {operations:>7} operations  run {run:>12.3?}");
    }
}
