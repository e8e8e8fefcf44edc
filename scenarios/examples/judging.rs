//! What judging a run costs beside running it, for every scenario that ships, the dearest first:
//!
//! ```text
//! cargo run --release -p scenarios --example judging
//! ```
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it reads the scenarios and measures real time"
)]
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use scenarios::execute::Options;
use scenarios::judge::judge;
use scenarios::plan::Plan;
use scenarios::systems::SYSTEMS;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The shortest of so many attempts counts: what a busy machine adds is none of ours.
const ROUNDS: usize = 5;

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("the directory is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn timed<T>(work: impl Fn() -> T) -> (Duration, T) {
    let attempt = || {
        let begun = Instant::now();
        let result = work();
        (begun.elapsed(), result)
    };
    (0..ROUNDS).map(|_| attempt()).min_by_key(|(took, _)| *took).expect("there are rounds")
}

fn main() {
    let mut lines = Vec::new();
    for path in files_below(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/files"))) {
        let source = std::fs::read_to_string(&path).expect("readable");
        let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let (draft, _) = scenarios::parse(&source, &name, &[], SYSTEMS).expect("a shipped scenario is well formed");
        let scenario = draft.resolve(draft.seed()).expect("what its own seed draws fits together");
        let plan = Plan::draw(&scenario, draft.seed());
        let system = SYSTEMS.iter().find(|system| system.name == scenario.protocol.name).expect("it is known");
        let data = scenario.loads.first().map_or(system.data[0].name, |load| load.data.name);
        let (run, finished) = timed(|| (system.runner)(data)(&plan, &mut Options::default()).expect("it can be run"));
        let (judging, _) = timed(|| judge(&scenario, &plan, &finished));
        lines.push((judging.as_secs_f64() / run.as_secs_f64() * 100.0, name, run, judging, finished.history.len()));
    }
    lines.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (share, name, run, judging, operations) in lines {
        println!("{share:6.2} %  {name:<40} {operations:>7} operations  run {run:>12.3?}  judged {judging:>12.3?}");
    }
}
