//! What the engine costs per delivered message, beside the barest loop in the same run.
//!
//! CPU time of this thread, so that a busy machine hardly shows; every case once a round, rounds interleaved, medians.
//! `cargo bench -p protocols`
#![expect(clippy::print_stdout, reason = "a bench is read in the terminal")]

mod bare;
mod engine;
mod raft;
mod work;

use rustix::time::{ClockId, clock_gettime};
use work::{HEARTBEAT_NS, Site, w1, w2};

const ROUNDS: usize = 7;
const MESSAGES: u64 = 2_000_000;
const COMMITS: u64 = 100_000;
const SHORT_COMMITS: u64 = 500;
const SHORT_SEEDS: u64 = 200;

fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Nanoseconds per message of one run.
fn cost(run: impl FnOnce() -> u64) -> f64 {
    let before = cpu_ns();
    let messages = run();
    (cpu_ns() - before) as f64 / messages as f64
}

fn leader_has(commits: u64) -> impl Fn(&[Site], u64) -> bool {
    move |sites, _| sites[0].committed() >= commits
}

/// A name, and one run of it: its cost.
type Case = (&'static str, fn(u64) -> f64);

fn main() {
    let cases: &[Case] = &[
        ("W1 bare", |seed| cost(|| bare::run(seed, w1(), None, |_, delivered| delivered >= MESSAGES))),
        ("W1 engine", |seed| cost(|| engine::run::<1>(seed, MESSAGES, u64::MAX))),
        ("W2 bare", |seed| cost(|| bare::run(seed, w2(), Some(HEARTBEAT_NS), leader_has(COMMITS)))),
        ("W2 engine", |seed| cost(|| engine::run::<2>(seed, u64::MAX, COMMITS))),
        ("W3 Raft", |seed| cost(|| raft::run(seed, MESSAGES / 2, false))),
        ("W3 Raft, laws checked", |seed| cost(|| raft::run(seed, MESSAGES / 2, true))),
        ("short seeds", |seed| {
            let before = cpu_ns();
            (0..SHORT_SEEDS).for_each(|i| {
                engine::run::<2>(seed * 1000 + i, u64::MAX, SHORT_COMMITS);
            });
            (cpu_ns() - before) as f64 / SHORT_SEEDS as f64
        }),
    ];
    let mut costs = vec![Vec::new(); cases.len()];
    for round in 0..ROUNDS as u64 {
        for ((_, run), costs) in cases.iter().zip(&mut costs) {
            costs.push(run(round));
        }
    }
    let medians: Vec<f64> = costs
        .iter_mut()
        .map(|costs| {
            costs.sort_by(f64::total_cmp);
            costs[ROUNDS / 2]
        })
        .collect();
    for ((name, _), ns) in cases.iter().zip(&medians) {
        println!("{name:<24} {ns:>10.1} ns");
    }
    let times = |case: usize, bare: usize| medians[case] / medians[bare];
    println!("W1 {:.2} times the bare loop, W2 {:.2} times its own", times(1, 0), times(3, 2));
    println!("W3 {:.2} times W1's bare loop, {:.2} with laws", times(4, 0), times(5, 0));
    println!("{:.0} short seeds a second", 1e9 / medians[6]);
}
