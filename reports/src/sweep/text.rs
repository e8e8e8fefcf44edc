//! A sweep for a terminal. It says nothing that differs from one machine to the next.

use super::factors::times;
use super::{Group, Separates, Summary, Swept, Tally};
use crate::command::report;
use crate::statistics::{below, wilson};
use crate::terminal::Look;
use crate::words::brief;
use history::Verdict;
use history::figures::{counted, grouped};

const VERDICTS: [Verdict; 4] = [Verdict::Pass, Verdict::Fail, Verdict::Unknown, Verdict::Vacuous];

/// Beyond this, a name's middle is left out.
const NAME_MAX: usize = 48;

/// What a check found, in characters.
const DETAIL_MAX: usize = 300;

/// Kinds of failure that are shown.
const GROUPS_SHOWN: usize = 20;

/// What `stormglass sweep` prints.
pub fn text(summary: &Summary, look: Look) -> String {
    let mut text = String::new();
    for swept in &summary.scenarios {
        text.push_str(&scenario(swept, look));
        text.push('\n');
    }
    let (tally, verdict) = (summary.tally(), summary.verdict());
    let all = counted(tally.runs(), "run");
    let told = match verdict {
        Verdict::Fail => format!("{} of {all} failed", grouped(tally.failed)),
        Verdict::Unknown => format!("{} of {all} could be shown neither right nor wrong", grouped(tally.unknown)),
        Verdict::Vacuous if tally.runs() == 0 => "nothing was run".to_owned(),
        Verdict::Vacuous => format!("{} of {all} tested nothing", grouped(tally.vacuous)),
        Verdict::Pass => format!("all {all} passed"),
    };
    text.push_str(&format!("{} {told}\n", look.signed(verdict, &format!("{verdict:<8}"))));
    if let Some(ended) = &summary.ended {
        let (missing, asked) = (grouped(tally.missing), counted(tally.missing + tally.runs(), "run"));
        text.push_str(&format!("         {ended}: {missing} of {asked} are missing; the same command runs them\n"));
    }
    text.push_str(&format!("         saved in    {}\n", look.shown(&summary.saved)));
    if let Some(program) = summary.program().filter(|_| tally.runs() > 0) {
        text.push_str(&format!("         its page    {}\n", look.shown(&report(program, &summary.saved))));
    }
    text
}

fn scenario(swept: &Swept, look: Look) -> String {
    let tally = swept.tally();
    let name = look.bold(&look.shown(&swept.name));
    let variants =
        if swept.variants.len() > 1 { format!("{} variants, ", swept.variants.len()) } else { String::new() };
    let verdicts: Vec<String> =
        VERDICTS.iter().filter(|v| tally.of(**v) > 0).map(|v| format!("{} {v}", grouped(tally.of(*v)))).collect();
    let verdicts = if verdicts.is_empty() { "none of them run".to_owned() } else { verdicts.join(", ") };
    let mut text =
        format!("{} {name}   {variants}{}: {verdicts}\n", look.sign(tally.verdict()), counted(tally.runs(), "run"));
    match swept.variants.as_slice() {
        [only] if only.name.is_empty() => text.push_str(&rate(tally)),
        [only] => text.push_str(&format!("  {}\n{}", look.shown(&only.name), rate(tally))),
        _ => text.push_str(&table(swept, look)),
    }
    text.extend(swept.separates.iter().map(|separates| apart(separates, look)));
    let groups = swept.groups();
    if !groups.is_empty() {
        text.push('\n');
    }
    groups.iter().take(GROUPS_SHOWN).for_each(|group| text.push_str(&told(group, swept, look)));
    let hidden = groups.iter().skip(GROUPS_SHOWN).map(|group| group.count).sum::<u64>() + swept.ungrouped;
    if hidden > 0 {
        text.push_str(&format!("  {} did not pass, in other ways\n", counted(hidden, "more run")));
    }
    text
}

/// How many pass, as far as that can be known.
fn rate(tally: Tally) -> String {
    let decided = tally.decided();
    if decided == 0 {
        return String::new();
    }
    let mut text = format!("  pass rate {}: 95 % interval, Wilson)\n", interval(tally).trim_end_matches(')'));
    // Of so few, nothing can be said.
    if tally.failed == 0 && decided > 3 {
        let share = share(below(decided), decided);
        text.push_str(&format!(
            "  no failure in {}: at 95 %, fewer than {share} % of runs fail (below 3/n)\n",
            grouped(decided)
        ));
    }
    text
}

/// What goes with failing: the surest of it, since the page has all.
fn apart(separates: &Separates, look: Look) -> String {
    let looked = separates.looked;
    if looked == 0 {
        return String::new();
    }
    let Some(risk) = separates.sure().next() else {
        return format!("  nothing goes with failing for sure, of {}\n", counted(looked as u64, "condition"));
    };
    let shares = |(failed, all): (u64, u64)| format!("{} of {}", grouped(failed), grouped(all));
    let (low, high) = risk.ratio.interval;
    let more = match separates.sure().count() - 1 {
        0 => String::new(),
        more => format!("; {} more", grouped(more as u64)),
    };
    format!(
        "  goes with failing: {} ({} fail, {} without it: risk × {}, {} to {}{more})\n",
        look.shown(&brief(&risk.condition, NAME_MAX)),
        shares(risk.with),
        shares(risk.without),
        times(risk.ratio.ratio),
        times(low),
        times(high),
    )
}

/// `99.69 %  (99.12 to 99.89 %)`
pub(super) fn interval(tally: Tally) -> String {
    let decided = tally.decided();
    let (low, high) = wilson(tally.passed, decided);
    let shown = |of: f64| share(of, decided);
    format!("{} %  ({} to {} %)", shown(tally.passed as f64 / decided as f64), shown(low), shown(high))
}

/// In percent: of many runs to a ten-thousandth of it, of fewer to a hundredth; rounded down, so that only all of them are 100.
pub(super) fn share(share: f64, of: u64) -> String {
    let (scale, digits) = if of > 10_000 { (10_000, 4) } else { (100, 2) };
    // What was divided may lie a hair below what it means.
    let parts = (share * 100.0 * scale as f64 + 1e-6) as u64;
    format!("{}.{:0digits$}", parts / scale, parts % scale)
}

/// The columns that hold something, and how many pass.
fn table(swept: &Swept, look: Look) -> String {
    let all = swept.tally();
    let shown = |verdict: &&Verdict| matches!(verdict, Verdict::Pass | Verdict::Fail) || all.of(**verdict) > 0;
    let columns: Vec<Verdict> = VERDICTS.iter().filter(shown).copied().collect();
    let name = |name: &str| look.shown(&brief(name, NAME_MAX));
    let width = swept.variants.iter().map(|variant| name(&variant.name).chars().count()).max().unwrap_or(0);
    let line = |name: &str, cells: Vec<String>, rate: &str| {
        let cells: String = cells.iter().map(|cell| format!("{cell:>9}")).collect();
        format!("  {name:<width$}{cells}   {rate}\n")
    };
    let heads = columns.iter().map(Verdict::to_string).collect();
    let mut text = line("", heads, "pass rate (95 % interval, Wilson)");
    let variants = swept.variants.iter().map(|variant| (name(&variant.name), variant.tally));
    for (name, tally) in variants.chain([("all".to_owned(), all)]) {
        let rate = if tally.decided() > 0 { interval(tally) } else { "nothing was decided".to_owned() };
        text.push_str(&line(&name, columns.iter().map(|verdict| grouped(tally.of(*verdict))).collect(), &rate));
    }
    text
}

/// A kind of failure, and how to see it.
fn told(group: &Group, swept: &Swept, look: Look) -> String {
    let Group { count, by_variant, first, detail } = group;
    let indent = "           ";
    let verdict = look.signed(first.verdict, &format!("{:<8}", first.verdict.to_string()));
    let (signature, runs) = (look.shown(&brief(&first.signature, DETAIL_MAX)), counted(*count, "run"));
    let mut text = format!("  {verdict} {signature}   {runs}, first seed {}\n", first.seed);
    if by_variant.len() > 1 {
        let each = by_variant.iter().map(|(variant, count)| {
            format!(
                "{indent}{:>6}  {}\n",
                grouped(*count),
                look.shown(&brief(&swept.variants[*variant].name, NAME_MAX))
            )
        });
        text.extend(each);
    }
    if !detail.is_empty() {
        text.push_str(&format!("{indent}{}\n", look.shown(&brief(detail, DETAIL_MAX))));
    }
    text.push_str(&format!("{indent}again    {}\n", swept.command("run", first)));
    if first.verdict == Verdict::Fail {
        text.push_str(&format!("{indent}smaller  {}\n", swept.command("shrink", first)));
    }
    text
}
