//! What a sweep of short runs costs: each stage of a seed beside the engine's part of it, then the whole command with one and
//! with two threads, and how much memory it takes for few seeds and for many.
//!
//! CPU time, so that a busy machine hardly shows: two threads that cost as much a seed as one do not wait for each other.
//! `cargo bench -p stormglass`
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a bench measures time, starts the command and is read in the terminal"
)]

use rustix::time::{ClockId, clock_gettime};
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

const SEEDS: u64 = 1_000;
const ROUNDS: usize = 5;

fn main() {
    for (name, source) in [("a plain scenario", SHORT.to_owned()), ("with a draw", SHORT.replace("nodes = 5", DRAWN))] {
        stages(name, &source);
    }
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-sweep");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("the target directory can be written to");
    std::fs::write(dir.join("short.toml"), SHORT).expect("it can be written to");
    for jobs in [1, 2] {
        let median = |mut of: Vec<f64>| {
            of.sort_by(f64::total_cmp);
            of[of.len() / 2]
        };
        let rounds: Vec<Cost> = (0..ROUNDS).map(|round| sweep(&dir, SEEDS, jobs, &format!("{jobs}-{round}"))).collect();
        let (rate, cpu) = (
            median(rounds.iter().map(|cost| SEEDS as f64 / cost.seconds).collect()),
            median(rounds.iter().map(|cost| cost.cpu_seconds * 1e6 / SEEDS as f64).collect()),
        );
        println!("the command, {jobs} thread(s): {cpu:.0} us of CPU a seed, {rate:.0} seeds a second");
    }
    for seeds in [1_000, 20_000] {
        let memory_kib = sweep(&dir, seeds, 2, &format!("memory-{seeds}")).memory_kib;
        println!("the command, {seeds} seeds: {memory_kib} KiB at most");
    }
}

/// Microseconds a seed, stage by stage.
fn stages(name: &str, source: &str) {
    let (draft, _) = scenarios::parse(source, "short", &[], SYSTEMS).expect("it can be read");
    let system = &SYSTEMS[0];
    let runner = (system.runner)("kv");
    let each = |stage: &dyn Fn(u64)| {
        let mut rounds: Vec<u64> = (0..ROUNDS)
            .map(|_| {
                let before = cpu_ns();
                (0..SEEDS).for_each(stage);
                cpu_ns() - before
            })
            .collect();
        rounds.sort_unstable();
        rounds[ROUNDS / 2] as f64 / 1e3 / SEEDS as f64
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

fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Of a whole command; CPU time and memory are 0 where the system does not say.
#[derive(Default)]
struct Cost {
    seconds: f64,
    cpu_seconds: f64,
    memory_kib: u64,
}

/// Runs the command, and looks at what the system says of it until it ends.
fn sweep(dir: &Path, seeds: u64, jobs: u64, name: &str) -> Cost {
    let (seeds, jobs, db) = (seeds.to_string(), jobs.to_string(), format!("{name}.db"));
    let args = ["sweep", "short.toml", "--seeds", &seeds, "--jobs", &jobs, "--db", &db, "--progress", "none"];
    let began = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    command.args(args).current_dir(dir).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    let mut cost = Cost::default();
    while child.try_wait().expect("it can be waited for").is_none() {
        cost.memory_kib = cost.memory_kib.max(memory_kib(child.id()));
        cost.cpu_seconds = cost.cpu_seconds.max(cpu_seconds(child.id()));
        std::thread::sleep(Duration::from_millis(5));
    }
    Cost { seconds: began.elapsed().as_secs_f64(), ..cost }
}

fn memory_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Linux counts in hundredths.
fn cpu_seconds(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let hundredths = |field: usize| fields.get(field).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (hundredths(11) + hundredths(12)) / 100.0
}
