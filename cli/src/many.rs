//! Many runs on all cores.
//!
//! Each run has one thread, and no result depends on how many others there are. The threads take what is next from one list
//! and hand what they found to the thread that asked, through a channel that holds little: whoever is too slow to take results
//! slows the runs down, and memory does not fill with them.

use crate::exit::{Exit, Failure};
use scenarios::Run;
use scenarios::execute::Options;
use scenarios::scenario::Scenario;
use scenarios::systems::System;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Results under way, for each thread: enough that nobody waits for a moment's delay.
const UNDER_WAY: usize = 64;

/// How long to wait for a result before saying that there is none.
const PAUSE: Duration = Duration::from_millis(50);

/// What the thread that asked is told.
pub enum Told<W, T> {
    /// A run is over.
    Done(W, T),
    /// No run was over for a moment.
    Pause,
}

/// The number of threads: as many as wanted, or one for each core.
pub fn jobs(wanted: Option<std::num::NonZeroUsize>) -> usize {
    wanted.or_else(|| std::thread::available_parallelism().ok()).map_or(1, usize::from)
}

/// Does all work, as long as `goes_on`; what is under way is finished in any case. `take` gets what was found, in no
/// particular order.
///
/// The first work that cannot be done ends it all. Which one that is does not depend on who is faster, since everything before
/// it was begun before it.
pub fn do_all<W: Send, T: Send>(
    jobs: usize,
    work: impl Iterator<Item = W> + Send,
    goes_on: impl Fn() -> bool + Sync,
    job: impl Fn(&W) -> Result<T, Failure> + Sync,
    mut take: impl FnMut(Told<W, T>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let work = Mutex::new(work.enumerate());
    let has_failed = AtomicBool::new(false);
    let next = || work.lock().expect("no work is done while it is taken").next();
    let labour = |found: SyncSender<_>| {
        while !has_failed.load(Ordering::Relaxed)
            && goes_on()
            && let Some((number, work)) = next()
        {
            let done = job(&work);
            has_failed.fetch_or(done.is_err(), Ordering::Relaxed);
            if found.send((number, work, done)).is_err() {
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        let (found, results) = sync_channel(jobs * UNDER_WAY);
        for _ in 0..jobs {
            let found = found.clone();
            scope.spawn(|| labour(found));
        }
        drop(found);
        let mut first: Option<(usize, Failure)> = None;
        loop {
            let taken = match results.recv_timeout(PAUSE) {
                Ok((_, work, Ok(done))) => take(Told::Done(work, done)),
                Ok((number, _, Err(failure))) => {
                    if first.as_ref().is_none_or(|(before, _)| number < *before) {
                        first = Some((number, failure));
                    }
                    Ok(())
                }
                Err(RecvTimeoutError::Timeout) => take(Told::Pause),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            // Nobody takes any more, and the threads notice when they want to hand over what they have.
            taken.inspect_err(|_| has_failed.store(true, Ordering::Relaxed))?;
        }
        first.map_or(Ok(()), |(_, failure)| Err(failure))
    })
}

/// One of many runs. That something of ours panics is a bug, and it says for which seed.
pub fn run(scenario: &Scenario, seed: u64, systems: &'static [System]) -> Result<Run, Failure> {
    let ran = catch_unwind(AssertUnwindSafe(|| scenarios::run(scenario, seed, systems, &mut Options::default())));
    let bug = |_| Failure {
        exit: Exit::Bug,
        message: format!(
            "error: stormglass itself failed, which is a bug of ours, for seed {seed} of {}",
            scenario.name
        ),
    };
    Ok(ran.map_err(bug)??)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    fn done(jobs: usize, count: u64, goes_on: impl Fn() -> bool + Sync, bad: &[u64]) -> (Vec<u64>, Option<String>) {
        let mut taken = Vec::new();
        let job = |number: &u64| match bad.contains(number) {
            true => Err(Failure::usage(format!("number {number}"))),
            false => Ok(number * 2),
        };
        let end = do_all(jobs, 0..count, goes_on, job, |told| {
            if let Told::Done(number, found) = told {
                assert_eq!(found, number * 2);
                taken.push(number);
            }
            Ok(())
        });
        taken.sort_unstable();
        (taken, end.err().map(|failure| failure.message))
    }

    #[test]
    fn everything_is_done_once_by_however_many() {
        for jobs in [1, 2, 7] {
            assert_eq!(done(jobs, 1000, || true, &[]), ((0..1000).collect(), None));
            assert_eq!(done(jobs, 0, || true, &[]), (Vec::new(), None));
        }
    }

    #[test]
    fn the_first_failure_is_told_whoever_meets_it() {
        for jobs in [1, 2, 7] {
            let (taken, failure) = done(jobs, 100_000, || true, &[30, 31, 32, 33]);
            assert_eq!(failure.as_deref(), Some("error: number 30"));
            assert!(taken.starts_with(&(0..30).collect::<Vec<_>>()) && taken.len() < 100_000);
        }
    }

    #[test]
    fn what_is_begun_is_finished_and_no_more_is_begun() {
        let asked = AtomicU64::new(0);
        let (taken, failure) = done(2, 1000, || asked.fetch_add(1, Ordering::Relaxed) < 10, &[]);
        assert_eq!((taken, failure), ((0..10).collect(), None));
    }

    #[test]
    fn who_cannot_take_results_ends_it() {
        let end = do_all(2, 0..1_000_000, || true, |_| Ok(()), |_| Err(Failure::usage("full")));
        assert_eq!(end.unwrap_err().message, "error: full");
    }
}
