//! How far a long command has come, on standard error: a bar on a terminal, a line now and then elsewhere.
//!
//! A thread of its own looks at two counters and draws. Whoever works only counts, and what he works on does not depend on
//! how fast this machine is.

use crate::args::Progress as Wanted;
use crate::screen;
use history::figures::{counted, duration, grouped};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use reports::words::brief;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// So many runs of a test.
    Runs(u64),
    /// So many runs of a sweep.
    Sweep(u64),
    /// Simulated time, in nanoseconds.
    Simulated(u64),
    /// Time that may be spent, in nanoseconds; how far that has led is said in words.
    Shrinking(u64),
}

/// How it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Bar,
    Plain,
}

impl Style {
    fn of(wanted: Wanted) -> Option<Style> {
        let on_terminal = || if screen::draws_on_stderr() { Style::Bar } else { Style::Plain };
        match wanted {
            // Where a bar cannot be drawn, asking for one does not help.
            Wanted::Auto | Wanted::Bar => Some(on_terminal()),
            Wanted::Plain => Some(Style::Plain),
            Wanted::None => None,
        }
    }

    /// When to show something for the first time after so long.
    fn next(self, work: Work, elapsed: Duration) -> Duration {
        match (self, work) {
            (Style::Bar, Work::Simulated(_)) => (elapsed + DRAW_EVERY).max(Duration::from_secs(1)),
            (Style::Bar, Work::Runs(_) | Work::Sweep(_) | Work::Shrinking(_)) => elapsed + DRAW_EVERY,
            (Style::Plain, _) => {
                let seconds = elapsed.as_secs();
                let soon = [1, 2, 5, 10].into_iter().find(|soon| *soon > seconds);
                Duration::from_secs(soon.unwrap_or((seconds / 30 + 1) * 30))
            }
        }
    }
}

/// Ten times a second is more than anybody reads.
const DRAW_EVERY: Duration = Duration::from_millis(100);

/// Of what is to be known of a failure, in characters: it stands on one line.
const FAILURE_MAX: usize = 90;

/// Shows how far the work has come until it is dropped; then nothing of a bar is left.
pub struct Progress {
    count: Arc<Count>,
    /// Gone when the work is over, which ends the thread.
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Count {
    done: AtomicU64,
    failed: AtomicU64,
    /// What else there is to say.
    note: Mutex<String>,
    undecided: AtomicU64,
    /// What is to be known of the failure before now.
    failure: Mutex<Option<String>>,
}

impl Count {
    fn of(&self, counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }

    fn failure(&self) -> Option<String> {
        self.failure.lock().ok()?.clone()
    }
}

impl Progress {
    pub fn begin(wanted: Wanted, work: Work) -> Self {
        let count = Arc::new(Count::default());
        let Some(style) = Style::of(wanted) else { return Progress { count, over: None, thread: None } };
        let (over, ends) = channel();
        let counted = Arc::clone(&count);
        let thread = std::thread::spawn(move || show(style, work, &counted, &ends));
        Progress { count, over: Some(over), thread: Some(thread) }
    }

    /// So much of it is done.
    pub fn reached(&self, done: u64) {
        self.count.done.store(done, Ordering::Relaxed);
    }

    /// One more is done.
    pub fn one_more(&self) {
        self.count.done.fetch_add(1, Ordering::Relaxed);
    }

    /// Says it in words, unless the last ones are just being read.
    pub fn note(&self, told: impl FnOnce() -> String) {
        if self.thread.is_some()
            && let Ok(mut note) = self.count.note.try_lock()
        {
            *note = told();
        }
    }

    /// One more did not pass.
    pub fn one_failed(&self) {
        self.count.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// One more neither passed nor failed.
    pub fn one_undecided(&self) {
        self.count.undecided.fetch_add(1, Ordering::Relaxed);
    }

    /// What is to be known of the one that failed.
    pub fn failed_last(&self, what: String) {
        if let Ok(mut failure) = self.count.failure.lock() {
            *failure = Some(what);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(thread) = self.thread.take() {
            // If drawing failed, that is no reason to fail.
            let _ = thread.join();
        }
    }
}

fn show(style: Style, work: Work, count: &Count, ends: &Receiver<()>) {
    let began = Instant::now();
    let mut bar = None;
    loop {
        let next = style.next(work, began.elapsed());
        let Err(RecvTimeoutError::Timeout) = ends.recv_timeout(next.saturating_sub(began.elapsed())) else { break };
        let (done, told) = (count.of(&count.done), told(work, count, began.elapsed()));
        let failure = count.failure().map(|failure| format!("last failure: {failure}"));
        match (style, failure) {
            (Style::Plain, None) => screen::complain(&format!("{}  {told}", name(work))),
            (Style::Plain, Some(failure)) => screen::complain(&format!("{}  {told}; {failure}", name(work))),
            // Both at once, so that it is drawn once.
            (Style::Bar, failure) => {
                let bar: &mut ProgressBar = bar.get_or_insert_with(|| new_bar(work));
                if let Some(failure) = failure {
                    bar.set_style(bar_style(Some(brief(&failure, FAILURE_MAX))));
                }
                bar.clone().with_message(told).set_position(done);
            }
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

fn new_bar(work: Work) -> ProgressBar {
    let (Work::Runs(total) | Work::Sweep(total) | Work::Simulated(total) | Work::Shrinking(total)) = work;
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
    bar.with_style(bar_style(None)).with_prefix(name(work))
}

/// A line, and below it another if there is more to say.
fn bar_style(below: Option<String>) -> ProgressStyle {
    let line = "{prefix}  {bar:26}  {wide_msg}";
    let template = if below.is_some() { format!("{line}\n       {{below}}") } else { line.to_owned() };
    let style = ProgressStyle::with_template(&template).expect("the template is well-formed");
    let cells = if screen::shows_unicode() { "█░" } else { "#-" };
    let write = move |_: &ProgressState, to: &mut dyn std::fmt::Write| {
        // What is drawn is drawn again soon.
        let _ = to.write_str(below.as_deref().unwrap_or_default());
    };
    style.progress_chars(cells).with_key("below", write)
}

/// The command that works.
fn name(work: Work) -> &'static str {
    match work {
        Work::Runs(_) => "test",
        Work::Sweep(_) => "sweep",
        Work::Simulated(_) => "run",
        Work::Shrinking(_) => "shrink",
    }
}

/// How far it has come after so long, and when it will be there if it goes on like this.
fn told(work: Work, count: &Count, elapsed: Duration) -> String {
    let (done, failed, undecided) = (count.of(&count.done), count.of(&count.failed), count.of(&count.undecided));
    match work {
        Work::Sweep(total) => {
            let percent = u128::from(done) * 100 / u128::from(total.max(1));
            let rate = rate(done, elapsed).map(|rate| format!(", {rate}")).unwrap_or_default();
            let left = left(done, total, elapsed).map(|left| format!(", {left} left")).unwrap_or_default();
            let undecided = if undecided > 0 { format!(", {} undecided", grouped(undecided)) } else { String::new() };
            let (done, total, failed) = (grouped(done), counted(total, "run"), grouped(failed));
            format!("{done} of {total}, {percent} %{rate}{left}, {failed} failed{undecided}")
        }
        Work::Runs(total) => {
            let rate = rate(done, elapsed).map(|rate| format!(", {rate}")).unwrap_or_default();
            let left = left(done, total, elapsed).map(|left| format!(", {left} left")).unwrap_or_default();
            format!("{} of {}, {} failed{rate}{left}", grouped(done), counted(total, "run"), grouped(failed))
        }
        Work::Shrinking(_) => count.note.lock().map(|note| note.clone()).unwrap_or_default(),
        Work::Simulated(total) if done >= total => format!("{} simulated, judging", duration(total)),
        Work::Simulated(total) => {
            let left = left(done, total, elapsed).map(|left| format!(", {left} left")).unwrap_or_default();
            format!("{} of {} simulated{left}", duration(done), duration(total))
        }
    }
}

/// How many a second or, if that is less than one, a minute; `None` before the first.
fn rate(done: u64, elapsed: Duration) -> Option<String> {
    let nanos = elapsed.as_nanos().max(1);
    let each = |unit_ns: u128| u64::try_from(u128::from(done) * unit_ns / nanos).unwrap_or(u64::MAX);
    match (each(1_000_000_000), each(60_000_000_000)) {
        (0, 0) => None,
        (0, minute) => Some(format!("{} a minute", grouped(minute))),
        (second, _) => Some(format!("{} a second", grouped(second))),
    }
}

/// The time that the rest takes at this pace, as one says it; `None` if nobody can tell.
fn left(done: u64, total: u64, elapsed: Duration) -> Option<String> {
    let rest = u128::from(total.saturating_sub(done));
    let seconds = (elapsed.as_nanos() * rest).checked_div(u128::from(done))?.div_ceil(1_000_000_000);
    Some(match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn after(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn lines_become_rare() {
        let mut at = Duration::ZERO;
        let times: Vec<u64> = (0..7)
            .map(|_| {
                at = Style::Plain.next(Work::Runs(9), at);
                at.as_secs()
            })
            .collect();
        assert_eq!(times, [1, 2, 5, 10, 30, 60, 90]);
    }

    #[test]
    fn a_bar_is_drawn_ten_times_a_second_and_for_a_run_only_if_it_is_long() {
        let tenth = Duration::from_millis(100);
        assert_eq!(Style::Bar.next(Work::Runs(9), Duration::ZERO), tenth);
        assert_eq!(Style::Bar.next(Work::Simulated(9), Duration::ZERO), after(1));
        assert_eq!(Style::Bar.next(Work::Simulated(9), after(1)), after(1) + tenth);
    }

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long_still() {
        let count = |done: u64, undecided: u64| Count {
            done: done.into(),
            failed: 3.into(),
            undecided: undecided.into(),
            ..Count::default()
        };
        let runs = |done, elapsed| told(Work::Runs(1000), &count(done, 0), elapsed);
        assert_eq!(runs(412, after(1)), "412 of 1 000 runs, 3 failed, 412 a second, 2 s left");
        assert_eq!(runs(2, after(20)), "2 of 1 000 runs, 3 failed, 6 a minute, 2 h 46 min left");
        assert_eq!(runs(0, after(5)), "0 of 1 000 runs, 3 failed", "nobody can tell yet");
        assert_eq!(runs(1000, after(2)), "1 000 of 1 000 runs, 3 failed, 500 a second, 0 s left");
        let second = 1_000_000_000;
        let sweep = |undecided| told(Work::Sweep(10_000), &count(7412, undecided), after(12));
        assert_eq!(sweep(0), "7 412 of 10 000 runs, 74 %, 617 a second, 5 s left, 3 failed");
        assert!(sweep(1).ends_with("3 failed, 1 undecided"));
        let run = |done| told(Work::Simulated(70 * second), &count(done, 0), after(3));
        assert_eq!(run(14 * second), "14s of 70s simulated, 12 s left");
        assert_eq!(run(0), "0s of 70s simulated");
        assert_eq!(run(70 * second), "70s simulated, judging");
    }
}
