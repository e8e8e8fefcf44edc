//! `stormglass test`: scenarios as a test suite.
//!
//! A scenario passes if its run does, or, if it is made to show a violation, if exactly those checks fail. With `--seeds`
//! every scenario runs on every seed, on all cores; each run has one thread, and its result does not depend on how many
//! others there are.

use super::replay_command;
use crate::args::Test;
use crate::exit::{Done, Exit, Failure};
use crate::{files, load, screen};
use history::figures::counted;
use history::{Level, RunRecord, Verdict};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use scenarios::execute::{EngineFault, Options};
use scenarios::scenario::Scenario;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Failing seeds that are shown of one scenario; the rest are counted.
const FAILURES_SHOWN: usize = 5;

/// One scenario of the suite.
struct Case {
    path: PathBuf,
    scenario: Scenario,
    seeds: Vec<u64>,
}

/// What one run came to, as the suite sees it.
struct Outcome {
    seed: u64,
    verdict: Verdict,
    detail: String,
}

pub fn test(args: &Test) -> Done {
    let mut cases = Vec::new();
    let mut broken = Vec::new();
    for path in &args.paths {
        for path in files::scenarios_at(path)? {
            match load::scenario(&path, &[]) {
                Ok(scenario) => {
                    let seeds = args.seeds.clone().map_or(vec![scenario.seed], Iterator::collect);
                    cases.push(Case { path, scenario, seeds });
                }
                Err(failure) => broken.push(failure.message),
            }
        }
    }
    if !broken.is_empty() {
        return Err(Failure::rendered(broken.join("\n")));
    }
    let jobs = args.jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, usize::from);
    let outcomes = run_all(&cases, jobs)?;
    let (mut passed, mut worst) = (0u64, Verdict::Vacuous);
    let (mut text, mut suite) = (String::new(), Vec::new());
    for (case, outcomes) in cases.iter().zip(outcomes) {
        let verdict = outcomes.iter().map(|outcome| outcome.verdict).max().unwrap_or(Verdict::Vacuous);
        passed += u64::from(verdict == Verdict::Pass);
        text.push_str(&report(case, verdict, &outcomes));
        suite.push((case.path.display().to_string(), verdict, summary(&outcomes)));
        worst = if suite.len() == 1 { verdict } else { worst.max(verdict) };
    }
    screen::print(&text);
    if let Some(path) = &args.junit {
        files::write(path, &junit(&suite))?;
    }
    let failed = suite.len() as u64 - passed;
    if suite.is_empty() {
        screen::print("there is no scenario here, so nothing was tested\n");
    }
    screen::print(&format!("{passed} passed, {failed} failed\n"));
    Ok(Exit::Judged(worst))
}

/// Every case on every one of its seeds; outcomes by case, in the order of the seeds.
fn run_all(cases: &[Case], jobs: usize) -> Result<Vec<Vec<Outcome>>, Failure> {
    let work: Vec<(usize, u64)> =
        cases.iter().enumerate().flat_map(|(i, case)| case.seeds.iter().map(move |&seed| (i, seed))).collect();
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<(usize, u64), Result<Outcome, EngineFault>>> = Mutex::new(BTreeMap::new());
    let bar = progress(work.len() as u64);
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(work.len()) {
            scope.spawn(|| {
                while let Some(&(case, seed)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = run_one(&cases[case].scenario, seed);
                    done.lock().expect("no run panics while it holds the results").insert((case, seed), outcome);
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut outcomes: Vec<Vec<Outcome>> = cases.iter().map(|_| Vec::new()).collect();
    for ((case, _), outcome) in done.into_inner().expect("all threads have ended") {
        outcomes[case].push(outcome?);
    }
    Ok(outcomes)
}

/// A bar on a terminal; nothing elsewhere, where the last line says it all.
fn progress(runs: u64) -> ProgressBar {
    let target = if runs > 1 { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(runs), target);
    let style = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len}  {per_sec}  {eta} left");
    bar.with_style(style.expect("the template is well-formed"))
}

fn run_one(scenario: &Scenario, seed: u64) -> Result<Outcome, EngineFault> {
    let run = scenarios::run(scenario, seed, scenarios::systems::SYSTEMS, &mut Options::default())?;
    let (verdict, detail) = against_expectations(scenario, &run.record);
    Ok(Outcome { seed, verdict, detail })
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
fn report(case: &Case, verdict: Verdict, outcomes: &[Outcome]) -> String {
    let name = case.path.display().to_string();
    let mut text = reports::terminal::test_line(&name, verdict, &summary(outcomes), screen::look());
    text.push('\n');
    let bad: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.verdict != Verdict::Pass).collect();
    for outcome in bad.iter().take(FAILURES_SHOWN) {
        let again = replay_command(&case.path, outcome.seed, &[]);
        text.push_str(&format!("    {}  {}\n            {again}\n", outcome.verdict, outcome.detail));
    }
    if bad.len() > FAILURES_SHOWN {
        text.push_str(&format!("    and {}\n", counted((bad.len() - FAILURES_SHOWN) as u64, "other seed")));
    }
    text
}

fn summary(outcomes: &[Outcome]) -> String {
    let count = |verdict: Verdict| outcomes.iter().filter(|outcome| outcome.verdict == verdict).count();
    match outcomes {
        [only] => format!("seed {}   {}", only.seed, if only.verdict == Verdict::Pass { &only.detail } else { "" }),
        _ => {
            let verdicts = [Verdict::Fail, Verdict::Unknown, Verdict::Vacuous].into_iter();
            let bad: String =
                verdicts.map(|v| (v, count(v))).filter(|(_, n)| *n > 0).map(|(v, n)| format!(", {n} {v}")).collect();
            format!("{}: {} PASS{bad}", counted(outcomes.len() as u64, "seed"), count(Verdict::Pass))
        }
    }
}

/// One test case a scenario.
fn junit(suite: &[(String, Verdict, String)]) -> String {
    let escaped =
        |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let failures = suite.iter().filter(|(_, verdict, _)| *verdict != Verdict::Pass).count();
    let mut text = format!("<testsuite name=\"stormglass\" tests=\"{}\" failures=\"{failures}\">\n", suite.len());
    for (name, verdict, detail) in suite {
        let (name, detail) = (escaped(name), escaped(detail));
        text.push_str(&match verdict {
            Verdict::Pass => format!("  <testcase name=\"{name}\"/>\n"),
            Verdict::Fail | Verdict::Unknown | Verdict::Vacuous => {
                format!("  <testcase name=\"{name}\"><failure message=\"{verdict}\">{detail}</failure></testcase>\n")
            }
        });
    }
    text.push_str("</testsuite>\n");
    text
}
