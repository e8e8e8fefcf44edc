//! The result: a file that tells its story.

use super::trial::{Seen, Size};
use super::{Shrinker, tree};
use crate::plan::told_faults;
use crate::text::write;
use history::figures::{counted, duration};
use history::{Purpose, RunRecord};
use sim_core::time::{Nanos, format_duration};

/// How every file begins that this wrote.
pub const MARK: &str = "# Shrunk by stormglass";

/// More lines of a story than this nobody reads.
const LINES_MAX: usize = 40;

/// A scenario that was made small.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// As a file that `run` takes.
    pub file: String,
    /// The check that fails.
    pub check: String,
    /// And how, in a sentence.
    pub detail: String,
    /// What the run was and is.
    pub before: Size,
    /// What it is now.
    pub after: Size,
    /// How many candidates were run.
    pub runs: u64,
    /// What happens, in the order of time.
    pub story: Vec<String>,
}

pub(super) fn told(shrinker: &Shrinker<'_>, first: &RunRecord, before: Size) -> Shrunk {
    let Shrinker { best, seen, trial, .. } = shrinker;
    let (check, detail) =
        seen.failed().map(|finding| (finding.check.clone(), finding.detail.clone())).unwrap_or_default();
    let after = seen.size();
    let mut root = best.clone();
    root.put("name", tree::text(format!("{}-{}-min", first.scenario, first.seed)));
    root.put("about", tree::text(format!("Shrunk from {}, seed {}: `{check}` fails.", first.scenario, first.seed)));
    let story = story(seen);
    let mut file = format!(
        "{MARK} {} from {}, seed {}: the same failure, and little else.\n#\n",
        first.version, first.scenario, first.seed
    );
    let mut say = |line: &str| {
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        file.push_str(format!("# {line}").trim_end());
        file.push('\n');
    };
    say(&format!("Fails: {check}: {detail}"));
    if let Some(witness) = seen.failed().and_then(|finding| finding.witness.as_ref()) {
        witness.argument.iter().for_each(|line| say(&format!("  {line}")));
    }
    say("");
    say("What happens:");
    story.iter().take(LINES_MAX).for_each(|line| say(&format!("  {line}")));
    if story.len() > LINES_MAX {
        say(&format!("  and {} more", story.len() - LINES_MAX));
    }
    say("");
    say(&format!("Before: {}", sizes(before)));
    say(&format!("Now:    {}", sizes(after)));
    file.push('\n');
    file.push_str(&write::document(&root));
    Shrunk { file, check, detail, before, after, runs: trial.runs, story }
}

/// `7 nodes, 25 clients, 84s, 31 faults, 9 204 operations`
fn sizes(size: Size) -> String {
    let Size { nodes, clients, faults, operations, time } = size;
    let counts = [(nodes, "node"), (clients, "client"), (faults, "fault"), (operations, "operation")];
    let counts = counts.map(|(count, what)| counted(count as u64, what)).join(", ");
    format!("{counts} in {}", duration(time))
}

/// Who asked, what struck, who led: in the order of time.
fn story(seen: &Seen) -> Vec<String> {
    let mut told: Vec<(Nanos, String)> = Vec::new();
    for (operation, fact) in seen.finished.history.operations.iter().zip(&seen.finished.facts) {
        if fact.purpose == Purpose::Load {
            let input = if operation.input.is_nil() { String::new() } else { format!(" {}", operation.input) };
            told.push((fact.invoked, format!("{} asks: {}{input}", fact.client, operation.f)));
        }
    }
    for (at, fault) in told_faults(&seen.plan, &seen.finished.strikes) {
        told.push((at, fault));
    }
    let serving = seen.plan.serving;
    for change in &seen.finished.roles {
        match change.role {
            Some((role, term)) if serving == Some(role) => {
                told.push((change.at, format!("{} becomes {role} in term {term}", change.node)));
            }
            Some(_) | None => {}
        }
    }
    told.sort_by_key(|(at, _)| *at);
    told.into_iter().map(|(at, what)| format!("{:>9}  {what}", format_duration(at))).collect()
}
