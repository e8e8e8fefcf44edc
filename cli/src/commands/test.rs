//! `stormglass test`: scenarios as a test suite.
//!
//! A scenario passes if its run does, or, if it is made to show a violation, if exactly those checks fail. With `--seeds`
//! every scenario runs on every seed, on all cores; each run has one thread, and its result does not depend on how many
//! others there are.

use super::papers::Papers;
use super::replay_command;
use crate::args::Test;
use crate::exit::{Done, Exit, Failure};
use crate::load::{self, Loaded};
use crate::many::{self, Told};
use crate::progress::{Progress, Work};
use crate::seeds::Seeds;
use crate::{files, interrupt, screen};
use history::figures::{counted, grouped};
use history::{Level, Measured, RunRecord, Verdict};
use reports::draw::svg::escaped;
use reports::terminal::test_line;
use scenarios::scenario::Scenario;
use scenarios::systems::System;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Failing seeds that are shown of one scenario; the rest are counted.
const FAILURES_SHOWN: usize = 5;

/// One scenario of the suite.
struct Case {
    path: PathBuf,
    loaded: Loaded,
    seeds: Seeds,
}

/// What one run came to, as the suite sees it.
struct Outcome {
    seed: u64,
    verdict: Verdict,
    detail: String,
    /// Each check, and what it measured if it asks for a figure.
    measured: Vec<(String, Option<Measured>)>,
}

/// One scenario of the suite with all its runs.
struct Judged<'a> {
    case: &'a Case,
    /// The worst of its runs. If some were never begun, it did not pass.
    verdict: Verdict,
    /// Of those that were run.
    outcomes: Vec<Outcome>,
}

impl<'a> Judged<'a> {
    fn of(case: &'a Case, outcomes: Vec<Outcome>) -> Self {
        let unseen = ((outcomes.len() as u64) < case.seeds.count).then_some(Verdict::Unknown);
        let verdict = outcomes.iter().map(|outcome| outcome.verdict).chain(unseen).max().unwrap_or(Verdict::Vacuous);
        Judged { case, verdict, outcomes }
    }

    /// Whether it was stopped before its verdict was known.
    fn is_open(&self) -> bool {
        (self.outcomes.len() as u64) < self.case.seeds.count && self.verdict != Verdict::Fail
    }

    fn name(&self) -> String {
        self.case.path.display().to_string()
    }

    /// The runs that did not pass, the worst first, as far as they are shown: verdict, why, and the command that shows it
    /// again.
    fn failures(&self) -> (Vec<(&Outcome, String)>, u64) {
        let mut bad: Vec<&Outcome> = self.outcomes.iter().filter(|outcome| outcome.verdict != Verdict::Pass).collect();
        bad.sort_by_key(|outcome| std::cmp::Reverse(outcome.verdict));
        let hidden = bad.len().saturating_sub(FAILURES_SHOWN);
        let again = |outcome: &Outcome| replay_command(&self.case.path, outcome.seed, &[]);
        (bad.into_iter().take(FAILURES_SHOWN).map(|outcome| (outcome, again(outcome))).collect(), hidden as u64)
    }
}

pub fn test(args: &Test, systems: &'static [System]) -> Done {
    let mut cases = Vec::new();
    let mut broken = Vec::new();
    for path in &args.paths {
        for path in files::scenarios_at(path)? {
            match load::scenario(&path, &[], systems) {
                Ok(loaded) => {
                    let own = Seeds { first: loaded.draft.seed(), ..Seeds::up_to(1) };
                    let seeds = args.seeds.unwrap_or(own);
                    cases.push(Case { path, loaded, seeds });
                }
                Err(failure) => broken.push(failure.message),
            }
        }
    }
    if !broken.is_empty() {
        return Err(Failure::rendered(broken.join("\n")));
    }
    // What cannot be written is told before anything runs.
    let junit_file = args.junit.as_deref().map(files::Beside::create).transpose()?;
    let papers = args.figures.as_deref().map(|place| Papers::read(place, &args.paths)).transpose()?;
    let outcomes = run_all(&cases, many::jobs(args.jobs), args.progress)?;
    let judged: Vec<Judged<'_>> =
        cases.iter().zip(outcomes).map(|(case, outcomes)| Judged::of(case, outcomes)).collect();
    let interrupted = interrupted(&judged);
    if let Some(mut file) = junit_file {
        file.write(&junit(&judged, interrupted.as_deref()))?;
        file.finish()?;
    }
    let mut text: String = judged.iter().map(report).collect();
    if judged.is_empty() {
        text.push_str("there is no scenario here, so nothing was tested\n");
    }
    let passed = judged.iter().filter(|case| case.verdict == Verdict::Pass).count();
    let open = judged.iter().filter(|case| case.is_open()).count();
    let failed = judged.len() - passed - open;
    match &interrupted {
        None => text.push_str(&format!("{passed} passed, {failed} failed\n")),
        Some(told) => text.push_str(&format!("{passed} passed, {failed} failed, {open} open: {told}\n")),
    }
    screen::print(&text)?;
    if let Some(papers) = papers {
        papers.write(|path| measured(&judged, path))?;
    }
    if interrupted.is_none() {
        return Ok(Exit::Judged(judged.iter().map(|case| case.verdict).max().unwrap_or(Verdict::Vacuous)));
    }
    Ok(Exit::Interrupted)
}

/// What the checks of all runs of a scenario measured; `None` if it was not run.
fn measured(judged: &[Judged<'_>], path: &Path) -> Option<Vec<(String, Option<Measured>)>> {
    let judged = judged.iter().find(|judged| judged.case.path == path && !judged.outcomes.is_empty())?;
    Some(judged.outcomes.iter().flat_map(|outcome| outcome.measured.iter().cloned()).collect())
}

/// That it was interrupted, and after how much; `None` if all was run.
fn interrupted(judged: &[Judged<'_>]) -> Option<String> {
    let run: usize = judged.iter().map(|judged| judged.outcomes.len()).sum();
    let planned: u64 = judged.iter().map(|judged| judged.case.seeds.count).sum();
    let run = run as u64;
    (run < planned).then(|| format!("interrupted after {} of {}", grouped(run), counted(planned, "run")))
}

/// Every case on every one of its seeds; outcomes by case, in the order of the seeds. Ctrl-C lets those under way finish and
/// begins no more.
fn run_all(cases: &[Case], jobs: usize, shown: crate::args::Progress) -> Result<Vec<Vec<Outcome>>, Failure> {
    let total = cases.iter().map(|case| case.seeds.count).sum();
    let work = cases.iter().enumerate().flat_map(|(i, case)| case.seeds.iter().map(move |seed| (i, seed)));
    let progress = (total > 1).then(|| Progress::begin(shown, Work::Runs(total)));
    let mut done: BTreeMap<(usize, u64), Outcome> = BTreeMap::new();
    let one = |(case, seed): &(usize, u64)| run_one(&cases[*case].loaded, *seed);
    many::do_all(
        jobs,
        work,
        || !interrupt::asked(),
        one,
        |told| {
            if let Told::Done(which, outcome) = told {
                if let Some(progress) = &progress {
                    progress.one_more();
                    if outcome.verdict != Verdict::Pass {
                        progress.one_failed();
                    }
                }
                done.insert(which, outcome);
            }
            Ok(())
        },
    )?;
    drop(progress);
    let mut outcomes: Vec<Vec<Outcome>> = cases.iter().map(|_| Vec::new()).collect();
    done.into_iter().for_each(|((case, _), outcome)| outcomes[case].push(outcome));
    Ok(outcomes)
}

fn run_one(loaded: &Loaded, seed: u64) -> Result<Outcome, Failure> {
    let scenario = loaded.resolve(seed)?;
    let run = many::run(&scenario, seed, loaded.systems)?;
    let (verdict, detail) = against_expectations(&scenario, &run.record);
    let measured = run.record.findings.into_iter().map(|finding| (finding.check, finding.measured)).collect();
    Ok(Outcome { seed, verdict, detail, measured })
}

/// The run's own verdict, unless the scenario is made to show a violation: then whether exactly that was seen.
fn against_expectations(scenario: &Scenario, record: &RunRecord) -> (Verdict, String) {
    let failed = record.findings.iter().filter(|finding| finding.verdict == Verdict::Fail && finding.counts());
    if scenario.expect.shows.is_empty() {
        let bad = record.findings.iter().filter(|finding| finding.counts() && finding.verdict == record.verdict);
        let detail = bad.map(|finding| format!("{}: {}", finding.check, finding.detail)).next().unwrap_or_default();
        return (record.verdict, if record.verdict == Verdict::Pass { String::new() } else { detail });
    }
    let unasked: Vec<&str> =
        failed.filter(|finding| finding.level != Level::Shows).map(|finding| &*finding.check).collect();
    let shown = |check: &String| {
        record.findings.iter().any(|finding| finding.check == *check && finding.verdict == Verdict::Fail)
    };
    let unseen: Vec<&str> = scenario.expect.shows.iter().filter(|check| !shown(check)).map(|check| &**check).collect();
    match (unseen.is_empty(), unasked.is_empty()) {
        (true, true) => (Verdict::Pass, format!("shown: {}", scenario.expect.shows.join(", "))),
        (false, _) => (Verdict::Fail, format!("not shown: {}", unseen.join(", "))),
        (true, false) => (Verdict::Fail, format!("shown, and also failed: {}", unasked.join(", "))),
    }
}

/// One line a case, and below it what failed and how to see it again.
fn report(judged: &Judged<'_>) -> String {
    let look = screen::look();
    let mut text = test_line(&judged.name(), judged.verdict, &summary(judged), look);
    text.push('\n');
    let (failures, hidden) = judged.failures();
    for (outcome, again) in failures {
        text.push_str(&format!("    {:<8}{}\n            {again}\n", outcome.verdict, look.shown(&outcome.detail)));
    }
    if hidden > 0 {
        text.push_str(&format!("    and {}\n", counted(hidden, "other seed")));
    }
    text
}

fn summary(judged: &Judged<'_>) -> String {
    let outcomes = &judged.outcomes[..];
    let planned = judged.case.seeds.count;
    let is_sole = planned == 1;
    let count = |verdict: Verdict| outcomes.iter().filter(|outcome| outcome.verdict == verdict).count();
    match outcomes {
        [] => "not run".to_owned(),
        [only] if is_sole && only.verdict == Verdict::Pass && !only.detail.is_empty() => {
            format!("seed {}   {}", only.seed, only.detail)
        }
        [only] if is_sole => format!("seed {}", only.seed),
        _ => {
            let run = outcomes.len() as u64;
            let run = if run < planned { grouped(run) + " of " } else { String::new() };
            let planned = counted(planned, "seed");
            let verdicts = [Verdict::Fail, Verdict::Unknown, Verdict::Vacuous].into_iter();
            let bad: String =
                verdicts.map(|v| (v, count(v))).filter(|(_, n)| *n > 0).map(|(v, n)| format!(", {n} {v}")).collect();
            format!("{run}{planned}: {} PASS{bad}", count(Verdict::Pass))
        }
    }
}

/// One test case a scenario; what failed says so in the words of the terminal. What was stopped before it failed is neither.
fn junit(suite: &[Judged<'_>], interrupted: Option<&str>) -> String {
    let open = suite.iter().filter(|judged| judged.is_open()).count();
    let failures = suite.iter().filter(|judged| judged.verdict != Verdict::Pass).count() - open;
    let skipped = if open > 0 { format!(" skipped=\"{open}\"") } else { String::new() };
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let tests = suite.len();
    text.push_str(&format!("<testsuite name=\"stormglass\" tests=\"{tests}\" failures=\"{failures}\"{skipped}>\n"));
    if let Some(interrupted) = interrupted {
        let property = format!("<property name=\"interrupted\" value=\"{}\"/>", escaped(interrupted));
        text.push_str(&format!("  <properties>{property}</properties>\n"));
    }
    for judged in suite {
        let name = escaped(&judged.name());
        let message = escaped(&format!("{}  {}", judged.verdict, summary(judged)));
        text.push_str(&match judged.verdict {
            Verdict::Pass => format!("  <testcase name=\"{name}\"/>\n"),
            _ if judged.is_open() => {
                format!("  <testcase name=\"{name}\"><skipped message=\"{message}\"/></testcase>\n")
            }
            Verdict::Fail | Verdict::Unknown | Verdict::Vacuous => {
                let lines = judged
                    .failures()
                    .0
                    .into_iter()
                    .map(|(outcome, again)| format!("{}  {}\n{again}\n", outcome.verdict, outcome.detail));
                let body = escaped(&lines.collect::<String>());
                format!("  <testcase name=\"{name}\"><failure message=\"{message}\">{body}</failure></testcase>\n")
            }
        });
    }
    text.push_str("</testsuite>\n");
    text
}
