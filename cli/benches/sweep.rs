//! What a sweep of short runs costs: each stage of a seed beside the engine's part of it, then the whole command with one and
//! with two threads, and how much memory it takes for few seeds and for many.
//!
//! `cargo bench -p stormglass`; on a busy machine only the shares mean something.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a bench measures time, starts the command and is read in the terminal"
)]

use scenarios::execute::Options;
use scenarios::plan::Plan;
use scenarios::systems::SYSTEMS;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Five servers in one room, ten clients that ask without a pause, about five hundred commits: a seed's work.
const SHORT: &str = r#"scenario = 1
about = "Five hundred commits."
duration = "900ms"
settle = "100ms"
[cluster]
nodes = 5
[protocol]
name = "raft"
election-timeout = "100ms..200ms"
[[load]]
clients = 10
data = "kv"
model = { closed = { think = "8ms" } }
ops = { write = 1 }
keys = { count = 10 }
timeout = "500ms"
[expect]
must = ["no lost writes"]
"#;

/// What a seed may decide.
const DRAWN: &str = "nodes = { choose = [5, 5] }";

const SEEDS: u64 = 400;
const ROUNDS: usize = 5;

fn main() {
    for (name, source) in [("a plain scenario", SHORT.to_owned()), ("with a draw", SHORT.replace("nodes = 5", DRAWN))] {
        stages(name, &source);
    }
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-sweep");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("the target directory can be written to");
    std::fs::write(dir.join("short.toml"), SHORT).expect("it can be written to");
    let rates = [1, 2].map(|jobs| {
        let mut rates: Vec<f64> =
            (0..ROUNDS).map(|round| 4000.0 / sweep(&dir, 4000, jobs, &format!("{jobs}-{round}")).0).collect();
        rates.sort_by(f64::total_cmp);
        println!("{jobs} thread(s)           {:>8.0} seeds a second", rates[ROUNDS / 2]);
        rates[ROUNDS / 2]
    });
    println!("two threads are {:.2} times one", rates[1] / rates[0]);
    for seeds in [1_000, 20_000] {
        let (_, memory) = sweep(&dir, seeds, 2, &format!("memory-{seeds}"));
        println!("{seeds:>6} seeds         {memory:>8} KiB at most");
    }
}

/// Microseconds a seed, stage by stage.
fn stages(name: &str, source: &str) {
    let (draft, _) = scenarios::parse(source, "short", &[], SYSTEMS).expect("it can be read");
    let system = &SYSTEMS[0];
    let runner = (system.runner)("kv");
    let each = |stage: &dyn Fn(u64)| {
        let mut rounds: Vec<Duration> = (0..ROUNDS)
            .map(|_| {
                let began = Instant::now();
                (0..SEEDS).for_each(stage);
                began.elapsed()
            })
            .collect();
        rounds.sort_unstable();
        rounds[ROUNDS / 2].as_secs_f64() * 1e6 / SEEDS as f64
    };
    let resolve = each(&|seed| drop(draft.resolve(seed)));
    let draw = each(&|seed| drop(Plan::draw(&draft.resolve(seed).expect("it fits"), seed)));
    let execute = each(&|seed| {
        let plan = Plan::draw(&draft.resolve(seed).expect("it fits"), seed);
        drop(runner(&plan, &mut Options::default()));
    });
    let all = each(&|seed| {
        let scenario = draft.resolve(seed).expect("it fits");
        drop(scenarios::run(&scenario, seed, SYSTEMS, &mut Options::default()));
    });
    println!("{name}: {all:.0} us a seed");
    let (draw, execute, judge) = (draw - resolve, execute - draw, all - execute);
    for (stage, cost) in [("resolve", resolve), ("plan", draw), ("engine", execute), ("judge", judge)] {
        println!("  {stage:<10} {cost:>8.1} us   {:>3.0} %", cost / all * 100.0);
    }
}

/// Runs the command: the seconds it took, and the most memory that it had.
fn sweep(dir: &Path, seeds: u64, jobs: u64, name: &str) -> (f64, u64) {
    let (seeds, jobs, db) = (seeds.to_string(), jobs.to_string(), format!("{name}.db"));
    let args = ["sweep", "short.toml", "--seeds", &seeds, "--jobs", &jobs, "--db", &db, "--progress", "none"];
    let began = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    let mut child =
        command.args(args).current_dir(dir).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let mut memory = 0;
    while child.try_wait().expect("it can be waited for").is_none() {
        memory = memory.max(peak(child.id()));
        std::thread::sleep(Duration::from_millis(5));
    }
    (began.elapsed().as_secs_f64(), memory)
}

/// In KiB; 0 where the system does not say.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
