//! One checker on one history, in a process of its own: whatever it takes of time and memory ends with it.

use crate::rivals::Parts;
use crate::table::{Row, Subject};
use checkers::{Budget, Question};
use history::{History, Value, Verdict};
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// A cell is measured so often, unless that takes longer than [`LONG`]: the middle counts.
const ROUNDS: usize = 5;

const LONG: Duration = Duration::from_secs(5);

/// Of the thread that checks: stateright descends once for each operation.
const STACK: u64 = 1 << 30;

/// What a checker may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub time: Duration,
    /// In bytes.
    pub memory: u64,
}

/// What a checker answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    pub verdict: String,
    /// CPU time of checking alone, in nanoseconds.
    pub cpu_ns: u64,
    /// The most memory that the process held, the history included, in bytes.
    pub peak: u64,
}

/// What came of a cell.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Cell {
    Measured(Measured),
    OutOfTime,
    OutOfMemory,
    /// It does not know such histories.
    NotApplicable,
}

impl Cell {
    pub fn cpu_ns(&self) -> Option<u64> {
        match self {
            Cell::Measured(measured) => Some(measured.cpu_ns),
            Cell::OutOfTime | Cell::OutOfMemory | Cell::NotApplicable => None,
        }
    }
}

/// Measures in a child, which is this program again.
pub fn measure(row: &Row, subject: Subject, limits: Limits) -> Cell {
    let this = std::env::current_exe().expect("this program is somewhere");
    let mut command = Command::new(this);
    let (seconds, memory) = (limits.time.as_secs().to_string(), limits.memory.to_string());
    command.args(["cell", &row.name, subject.name(), &seconds, &memory]);
    if let Some((file, model)) = &row.file {
        command.args([file.as_str(), model.name()]);
    }
    let output = command.stderr(Stdio::null()).output().expect("a process can be started");
    match serde_json::from_slice(&output.stdout) {
        Ok(cell) => cell,
        // An allocation that fails ends the process.
        Err(_) if !output.status.success() => Cell::OutOfMemory,
        Err(error) => panic!("{}, {}: {error} in {:?}", row.name, subject.name(), output.stdout),
    }
}

/// What the child does: it prints what came of it, and ends when its time is over, whatever its checker still does.
pub fn answer(row: &Row, subject: Subject, limits: Limits) {
    let limit = Some(limits.memory + STACK);
    setrlimit(Resource::As, Rlimit { current: limit, maximum: limit }).expect("memory can be limited");
    let (tell, told) = mpsc::channel();
    let row = row.clone();
    let worker = thread::Builder::new().stack_size(STACK as usize - (64 << 20)).spawn(move || {
        // To make the history takes time of its own.
        let (history, initial) = row.history();
        tell.send(None).expect("somebody waits");
        let cell = measured(&row, subject, &history, initial, limits);
        tell.send(Some(cell)).expect("somebody waits");
    });
    worker.expect("a thread can be started");
    told.recv().expect("the history is made");
    let cell = match told.recv_timeout(limits.time + LONG) {
        Ok(cell) => cell.expect("the history is made once"),
        Err(RecvTimeoutError::Timeout) => Cell::OutOfTime,
        Err(RecvTimeoutError::Disconnected) => panic!("the checker failed"),
    };
    println!("{}", serde_json::to_string(&cell).expect("plain data serializes"));
    std::process::exit(0);
}

fn measured(row: &Row, subject: Subject, history: &History, initial: Value, limits: Limits) -> Cell {
    let mut times = Vec::new();
    let mut verdict = String::new();
    let began = Instant::now();
    let judged: Box<dyn Fn(&History) -> String> = match subject {
        Subject::Stormglass => {
            let question = Question { initial: Some(initial), ..Question::of(row.model) };
            Box::new(move |history| ours(history, &question))
        }
        Subject::Todc | Subject::Stateright => {
            let Some(parts) = Parts::of(history, row.model.is_keyed(), &initial) else { return Cell::NotApplicable };
            let rival = move || if subject == Subject::Todc { parts.todc() } else { parts.stateright() };
            Box::new(move |_| (if rival() { Verdict::Pass } else { Verdict::Fail }).to_string())
        }
    };
    while times.len() < ROUNDS && (times.is_empty() || began.elapsed() < LONG) {
        let start = clock_gettime(ClockId::ThreadCPUTime);
        verdict = judged(history);
        let end = clock_gettime(ClockId::ThreadCPUTime);
        let nanos = (end.tv_sec - start.tv_sec) * 1_000_000_000 + (end.tv_nsec - start.tv_nsec);
        times.push(nanos as u64);
    }
    times.sort_unstable();
    let cpu_ns = times[times.len() / 2];
    if u128::from(cpu_ns) > limits.time.as_nanos() {
        return Cell::OutOfTime;
    }
    Cell::Measured(Measured { verdict, cpu_ns, peak: peak() })
}

fn ours(history: &History, question: &Question<'_>) -> String {
    let judgement = checkers::judge(history, question, &Budget::states(200_000_000));
    judgement.map_or_else(|unfit| unfit.to_string(), |judgement| judgement.verdict.to_string())
}

/// As Linux tells it; 0 elsewhere.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
