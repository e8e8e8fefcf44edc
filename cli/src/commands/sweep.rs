//! `stormglass sweep`: many seeds of every variant, into a database that the same command goes on with.

use crate::args::{self, Format, Sweep};
use crate::exit::{Done, Exit, Failure};
use crate::load::{self, Loaded};
use crate::many::{self, Told};
use crate::progress::{Progress, Work};
use crate::seeds::{Seeds, Shard};
use crate::store::{Row, Store, Subject, Writer};
use crate::{interrupt, program, screen};
use history::Verdict;
use history::figures::{counted, duration, grouped, measured};
use reports::sweep::{Source, Study, Summary, Swept, Variant, json, text};
use scenarios::Draft;
use scenarios::systems::System;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What is run where neither the command line nor the file says how many: enough to meet what happens in one of 300 runs.
const SEEDS: u64 = 1000;

/// Which runs are asked for, as far as the command line says.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub set: &'a [(String, String)],
    pub seeds: Option<Seeds>,
    pub shard: Option<Shard>,
}

/// How they are run.
#[derive(Clone, Copy)]
pub(super) struct Way {
    pub jobs: Option<NonZeroUsize>,
    pub progress: args::Progress,
}

/// A scenario in one of its variants, and what is asked for of it.
pub(super) struct Case<'a> {
    pub path: &'a Path,
    pub loaded: &'a Loaded,
    pub draft: &'a Draft<'static>,
    pub subject: Subject,
    pub seeds: Seeds,
}

/// When to end before all is run.
#[derive(Default)]
pub(super) struct Limits {
    failures: Option<u64>,
    time: Option<Duration>,
}

pub fn sweep(args: &Sweep, systems: &'static [System]) -> Done {
    let began = Instant::now();
    let loaded = load_all(&args.files, &args.set, systems)?;
    let cases = cases(Asked { set: &args.set, seeds: args.seeds, shard: args.shard }, &loaded)?;
    let path = database(args, &cases);
    let store = Store::open(&path)?;
    let limits = limits(args, &loaded);
    let ended = fill(&store, &cases, Way { jobs: args.jobs, progress: args.progress }, &limits)?;
    let mut summary =
        Summary { version: scenarios::VERSION.to_owned(), saved: path.display().to_string(), ..Summary::default() };
    for case in &cases {
        let source =
            Source { program: program(), file: case.path.display().to_string(), set: case.subject.changes.clone() };
        count(&store, &case.subject, Some(case.seeds), source, &mut summary)?;
    }
    separate(&store, cases.iter().map(|case| (&case.subject, Some(case.seeds))), &mut summary)?;
    let is_whole = summary.tally().missing == 0;
    summary.ended = ended.filter(|_| !is_whole).map(|ended| ended.told(&limits));
    print(&summary, args.format, began)?;
    Ok(if !is_whole && interrupt::asked() { Exit::Interrupted } else { Exit::Judged(summary.verdict()) })
}

/// As it was asked for.
pub fn print(summary: &Summary, format: Format, began: Instant) -> Result<(), Failure> {
    let wall_ns = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
    screen::print(&match format {
        Format::Human => text(summary, screen::look()),
        Format::Json => format!("{}\n", json(summary, wall_ns)),
    })
}

/// Reads all scenarios, or says what is wrong with every one of them that cannot be read.
pub(super) fn load_all(
    files: &[PathBuf],
    set: &[(String, String)],
    systems: &'static [System],
) -> Result<Vec<(PathBuf, Loaded)>, Failure> {
    let (mut loaded, mut broken) = (Vec::new(), Vec::new());
    for path in files {
        match load::scenario(path, set, systems) {
            Ok(scenario) => loaded.push((path.clone(), scenario)),
            Err(failure) => broken.push(failure.message),
        }
    }
    if broken.is_empty() { Ok(loaded) } else { Err(Failure::rendered(broken.join("\n"))) }
}

/// Every scenario in every variant.
pub(super) fn cases<'a>(asked: Asked<'_>, loaded: &'a [(PathBuf, Loaded)]) -> Result<Vec<Case<'a>>, Failure> {
    let mut cases: Vec<Case<'a>> = Vec::new();
    for (path, loaded) in loaded {
        let sweep = loaded.draft.sweep();
        let seeds = asked.seeds.unwrap_or_else(|| Seeds::up_to(sweep.seeds.unwrap_or(SEEDS)));
        if asked.seeds.is_none() && sweep.seeds.is_none() {
            let (shown, count) = (path.display(), grouped(SEEDS));
            screen::complain(&format!("{shown}: {count} seeds, since neither --seeds nor its [sweep] says how many"));
        }
        let seeds = asked.shard.map_or(seeds, |shard| seeds.of_shard(shard));
        let base = [("", &[][..], &loaded.draft)];
        let variants = sweep.variants.iter().map(|variant| (&*variant.name, &variant.set[..], &variant.draft));
        let variants: Vec<_> = if sweep.variants.is_empty() { base.into() } else { variants.collect() };
        for (number, (name, set, draft)) in (0..).zip(variants) {
            let subject = Subject { number, ..subject(asked.set, path, name, set, draft) };
            let is_same =
                |other: &&Case<'_>| (&other.subject.name, &other.subject.variant) == (&subject.name, &subject.variant);
            if let Some(other) = cases.iter().find(is_same) {
                let (one, other) = (path.display(), other.path.display());
                return Err(Failure::usage(format!(
                    "{other} and {one} are both called {}, and one database tells them apart by that: sweep them into two",
                    subject.told()
                )));
            }
            cases.push(Case { path, loaded, draft, subject, seeds });
        }
    }
    Ok(cases)
}

fn subject(
    own: &[(String, String)],
    path: &Path,
    variant: &str,
    set: &[(String, String)],
    draft: &Draft<'_>,
) -> Subject {
    let identity = draft.identity();
    // What the matrix varied, and the command line set, is in both.
    let own = own.iter().filter(|(key, _)| set.iter().all(|(varied, _)| varied != key));
    Subject {
        hash: identity.hash,
        version: scenarios::VERSION.to_owned(),
        name: draft.name().to_owned(),
        variant: variant.to_owned(),
        number: 0,
        file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        changes: own.chain(set).cloned().collect(),
        text: identity.text,
    }
}

fn database(args: &Sweep, cases: &[Case<'_>]) -> PathBuf {
    let name = match cases {
        [first, ..] if args.files.len() == 1 => &first.subject.name,
        _ => "sweep",
    };
    args.db.clone().unwrap_or_else(|| PathBuf::from("out").join(format!("{name}.db")))
}

/// As the command line says, else as the most impatient of the files does.
fn limits(args: &Sweep, loaded: &[(PathBuf, Loaded)]) -> Limits {
    let own = || loaded.iter().map(|(_, loaded)| loaded.draft.sweep().stop_after);
    let failures = args.max_failures.map(NonZeroU64::get).or_else(|| own().filter_map(|own| own.failures).min());
    let time = args.time.or_else(|| own().filter_map(|own| own.time).min());
    Limits { failures, time: time.map(Duration::from_nanos) }
}

/// Why a sweep ended.
#[derive(Clone, Copy)]
pub(super) enum Ended {
    Interrupted,
    Failures,
    Time,
}

impl Ended {
    pub fn told(self, limits: &Limits) -> String {
        match self {
            Ended::Interrupted => "interrupted".to_owned(),
            Ended::Failures => format!("ended after {}", counted(limits.failures.unwrap_or(0), "failure")),
            Ended::Time => {
                let time = limits.time.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
                format!("ended after {}", duration(time))
            }
        }
    }
}

/// Runs what is missing in a database, and why it ended before all was run; `None` if it did not.
pub(super) fn fill(store: &Store, cases: &[Case<'_>], way: Way, limits: &Limits) -> Result<Option<Ended>, Failure> {
    store.admit(&cases.iter().map(|case| case.subject.clone()).collect::<Vec<_>>())?;
    let missing =
        cases.iter().map(|case| store.missing(&case.subject, case.seeds)).collect::<Result<Vec<_>, Failure>>()?;
    let count = |seeds: &[Seeds]| seeds.iter().map(|seeds| seeds.count).sum::<u64>();
    let (total, asked) =
        (missing.iter().map(|seeds| count(seeds)).sum(), cases.iter().map(|case| case.seeds.count).sum());
    if total < asked {
        let (there, asked) = (grouped(asked - total), counted(asked, "run"));
        screen::complain(&format!("{there} of {asked} are there already"));
    }
    if total == 0 {
        return Ok(None);
    }
    let began = Instant::now();
    let failures = AtomicU64::new(0);
    let ended = || {
        let is_late = || limits.time.is_some_and(|time| began.elapsed() >= time);
        let is_enough = || limits.failures.is_some_and(|most| failures.load(Ordering::Relaxed) >= most);
        let why = [(interrupt::asked(), Ended::Interrupted), (is_enough(), Ended::Failures), (is_late(), Ended::Time)];
        why.into_iter().find(|(is_so, _)| *is_so).map(|(_, why)| why)
    };
    let progress = Progress::begin(way.progress, Work::Sweep(total));
    let mut writer = store.writer()?;
    let mut totals = Totals::default();
    let done = many::do_all(
        many::jobs(way.jobs),
        InStep::of(&missing),
        || ended().is_none(),
        |(case, seed)| {
            let row = run_one(&cases[*case], *seed)?;
            // Before this thread asks whether to go on, and not when somebody has taken the row.
            failures.fetch_add(u64::from(row.verdict == Verdict::Fail), Ordering::Relaxed);
            Ok(row)
        },
        |told| match told {
            Told::Pause => writer.pause(),
            Told::Done((case, _), row) => {
                show(&progress, &cases[case], &row);
                totals.add(&row);
                writer.add(&cases[case].subject, &row)
            }
        },
    );
    drop(progress);
    close(writer, done)?;
    screen::complain(&totals.told(began.elapsed()));
    Ok(ended())
}

/// Whatever ended it, what was found is kept.
fn close(mut writer: Writer<'_>, done: Result<(), Failure>) -> Result<(), Failure> {
    let committed = writer.commit();
    done.and(committed)
}

fn run_one(case: &Case<'_>, seed: u64) -> Result<Row, Failure> {
    let scenario = case.loaded.resolve_as(case.draft, seed)?;
    Ok(Row::of(many::run(&scenario, seed, case.loaded.systems)?))
}

fn show(progress: &Progress, case: &Case<'_>, row: &Row) {
    progress.one_more();
    match row.verdict {
        Verdict::Pass => {}
        Verdict::Fail => {
            let what = row.finding.as_deref().unwrap_or_default();
            progress.one_failed();
            progress.failed_last(format!("seed {}  {what}  ({})", row.seed, case.subject.told()));
        }
        Verdict::Unknown | Verdict::Vacuous => progress.one_undecided(),
    }
}

/// What was run just now.
#[derive(Default)]
struct Totals {
    runs: u64,
    simulated_ns: u64,
}

impl Totals {
    fn add(&mut self, row: &Row) {
        self.runs += 1;
        self.simulated_ns = self.simulated_ns.saturating_add(row.simulated_ns());
    }

    fn told(&self, elapsed: Duration) -> String {
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let rate = u128::from(self.runs) * 1_000_000_000 / u128::from(nanos.max(1));
        let rate = grouped(u64::try_from(rate).unwrap_or(u64::MAX));
        let (runs, took, simulated) = (counted(self.runs, "run"), measured(nanos), days(self.simulated_ns));
        format!("{runs} in {took}, {rate} a second: {simulated} simulated")
    }
}

/// Time as one says it that may be long.
fn days(nanos: u64) -> String {
    const HOUR: u64 = 3_600_000_000_000;
    let tenths = |unit: u64| format!("{}.{}", grouped(nanos / unit), nanos / (unit / 10) % 10);
    match nanos {
        0..HOUR => measured(nanos),
        _ if nanos < 24 * HOUR => format!("{} hours", tenths(HOUR)),
        _ => format!("{} days", tenths(24 * HOUR)),
    }
}

/// All seeds of all cases, in step: a sweep that ends early has seen about as much of each.
struct InStep<'a> {
    cases: Vec<std::iter::Peekable<Box<dyn Iterator<Item = u64> + Send + 'a>>>,
}

impl<'a> InStep<'a> {
    fn of(missing: &'a [Vec<Seeds>]) -> Self {
        let all = |seeds: &'a Vec<Seeds>| {
            let all: Box<dyn Iterator<Item = u64> + Send + 'a> = Box::new(seeds.iter().flat_map(|seeds| seeds.iter()));
            all.peekable()
        };
        InStep { cases: missing.iter().map(all).collect() }
    }
}

impl Iterator for InStep<'_> {
    type Item = (usize, u64);

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.cases.iter_mut().enumerate().filter_map(|(case, seeds)| Some((*seeds.peek()?, case))).min();
        let (seed, case) = next?;
        self.cases[case].next();
        Some((case, seed))
    }
}

/// Adds what there is of a scenario in one of its variants.
pub fn count(
    store: &Store,
    subject: &Subject,
    seeds: Option<Seeds>,
    source: Source,
    summary: &mut Summary,
) -> Result<(), Failure> {
    if summary.scenarios.last().is_none_or(|last| last.name != subject.name) {
        summary.scenarios.push(Swept::named(&subject.name));
    }
    let swept = summary.scenarios.last_mut().expect("one was added if there was none");
    let number = swept.variants.len();
    swept.variants.push(Variant { name: subject.variant.clone(), source, ..Variant::default() });
    store.each(subject, seeds, |seen| swept.add(number, seen))?;
    let tally = &mut swept.variants[number].tally;
    tally.missing = seeds.map_or(0, |seeds| seeds.count.saturating_sub(tally.runs()));
    Ok(())
}

/// Finds what goes with failing, where something failed.
pub fn separate<'a>(
    store: &Store,
    cases: impl Iterator<Item = (&'a Subject, Option<Seeds>)> + Clone,
    summary: &mut Summary,
) -> Result<(), Failure> {
    for swept in summary.scenarios.iter_mut().filter(|swept| swept.tally().failed > 0) {
        let mut study = Study::of(swept.unseen());
        let own = cases.clone().filter(|(subject, _)| subject.name == swept.name);
        for (number, (subject, seeds)) in own.enumerate() {
            store.measured(subject, seeds, |measured| study.add(number, measured))?;
        }
        swept.separates = study.separates();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_run_in_step() {
        let three = Seeds { first: 5, count: 1, ..Seeds::up_to(0) };
        let missing = [vec![Seeds::up_to(2), three], vec![], vec![Seeds { first: 1, count: 2, ..Seeds::up_to(0) }]];
        let order: Vec<(usize, u64)> = InStep::of(&missing).collect();
        assert_eq!(order, [(0, 0), (0, 1), (2, 1), (2, 2), (0, 5)]);
    }

    #[test]
    fn long_times_are_days() {
        let hour = 3_600_000_000_000;
        assert_eq!([days(hour / 120), days(23 * hour), days(264 * hour)], ["30s", "23.0 hours", "11.0 days"]);
    }
}
