//! Why a run ended as it did, in words: what failed and what that rests on, when nobody was served and for which reason,
//! what tested nothing, and where to look.
//!
//! A record is read from a file that can hold anything, so every text of it is shown as a terminal may get it, and of every
//! list there is an end.

use crate::terminal::Look;
use crate::witness::{told, wrapped};
use crate::words::brief;
use history::figures::{counted, duration, grouped, measured, percent};
use history::{Cause, Finding, Level, Outage, RunRecord, Takeover, Verdict, Who, Witness};
use std::cmp::Reverse;

/// What a record does not know of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// What the reader calls the command.
    pub command: String,
    /// The command that replays the run.
    pub replay: String,
    /// The settings that are not at their default, as the scenario file would write them.
    pub changed: Vec<String>,
}

/// Columns of the text; what is below a heading is indented.
const WIDTH: usize = 100;
const INDENT: usize = 2;

/// More of a kind than this would hide the rest.
const FINDINGS_MAX: usize = 8;
const OUTAGES_MAX: usize = 4;
const DRAWS_MAX: usize = 24;

/// Of a text, in characters.
const TEXT_MAX: usize = 2_000;

/// How much before and after what happened a replay shows.
const AROUND_NS: u64 = 100_000_000;

/// The whole text.
pub fn explained(record: &RunRecord, context: &Context, look: Look) -> String {
    let mut page = Page { record, context, look, text: String::new() };
    page.head();
    for verdict in [Verdict::Fail, Verdict::Unknown, Verdict::Vacuous] {
        page.findings(verdict);
    }
    page.idle_faults();
    page.outages();
    page.settings();
    page.draws();
    page.text
}

struct Page<'a> {
    record: &'a RunRecord,
    context: &'a Context,
    look: Look,
    text: String,
}

impl Page<'_> {
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// A text of the record's, as long as anybody reads.
    fn text(&self, text: &str) -> String {
        self.look.shown(&brief(text, TEXT_MAX))
    }

    /// A paragraph below a heading.
    fn say(&mut self, indent: usize, text: &str) {
        for line in wrapped(&self.text(text), WIDTH - indent) {
            self.line(&format!("{:indent$}{line}", ""));
        }
    }

    /// Something to copy: never broken.
    fn copy(&mut self, indent: usize, name: &str, text: &str) {
        let text = self.look.shown(text);
        self.line(&format!("{:indent$}{name:<9} {text}", ""));
    }

    fn heading(&mut self, text: &str) {
        let text = self.look.bold(&self.text(text));
        self.line("");
        self.line(&text);
    }

    fn head(&mut self) {
        let r = self.record;
        let name = self.look.bold(&format!("{}, seed {}", self.text(&r.scenario), r.seed));
        let verdict = self.look.signed(r.verdict, &r.verdict.to_string());
        let system = self.text(&r.protocol);
        self.line(&format!("{name}   {verdict}   {system}, {}", counted(r.nodes.into(), "node")));
        if !r.about.is_empty() {
            self.say(INDENT, &r.about);
        }
        let counting = r.findings.iter().filter(|finding| finding.counts());
        let (all, bad) = (counting.clone().count() as u64, counting.filter(|f| f.verdict == r.verdict).count() as u64);
        let all = counted(all, "check");
        let because = match r.verdict {
            Verdict::Pass => format!("All {all} held: everything that was expected was checked."),
            Verdict::Fail => format!("{bad} of {all} failed: what was expected was violated."),
            Verdict::Unknown => format!(
                "{bad} of {all} could be shown neither right nor wrong: a checker ran out of its budget, or the run stopped \
                 early."
            ),
            Verdict::Vacuous => {
                format!("{bad} of {all} tested nothing: what they read was never there, so the others say little.")
            }
        };
        self.say(INDENT, &because);
        if r.interrupted {
            self.say(INDENT, "Somebody stopped it before its time was up; it is judged as far as it came.");
        }
        if let Some(availability) = r.availability {
            let (achieved, possible) = (percent(availability.achieved), percent(availability.possible));
            self.say(INDENT, &format!("Served: {achieved} of the operations; {possible} could have been."));
        }
    }

    /// What was found of one verdict, each with what shows it.
    fn findings(&mut self, verdict: Verdict) {
        let record = self.record;
        let found: Vec<&Finding> = record.findings.iter().filter(|finding| finding.verdict == verdict).collect();
        for finding in found.iter().take(FINDINGS_MAX) {
            let ended = match verdict {
                Verdict::Pass => "held",
                Verdict::Fail => "failed",
                Verdict::Unknown => "is undecided",
                Verdict::Vacuous => "tested nothing",
            };
            self.heading(&format!("`{}` {ended}{}", finding.check, asked(finding.level)));
            self.say(INDENT, &finding.detail);
            if let Some(promise) = finding.promise.as_ref().filter(|_| verdict == Verdict::Fail) {
                let flaws = if record.flaws.is_empty() { "" } else { "; a flaw that breaks promises is switched on" };
                self.say(INDENT, &format!("{}{flaws}.", capitalized(promise)));
            }
            if let Some(witness) = &finding.witness {
                self.witness(witness);
            }
        }
        let hidden = found.len().saturating_sub(FINDINGS_MAX);
        if hidden > 0 {
            self.say(0, &format!("And {} more like that, all in run.json.", grouped(hidden as u64)));
        }
    }

    fn witness(&mut self, witness: &Witness) {
        self.line("");
        for line in told(witness, self.look, WIDTH - 2 * INDENT) {
            self.line(&format!("{:1$}{line}", "", 2 * INDENT));
        }
        let begins = witness.operations.iter().map(|operation| operation.invoked.time).min();
        let heard = witness.operations.iter().filter_map(|operation| Some(operation.completed?.time)).max();
        if let (Some(from), Some(until)) = (begins, heard) {
            self.look_at(from, until);
        }
    }

    /// The command that shows what happened around this time.
    fn look_at(&mut self, from: u64, until: u64) {
        const UNIT: u64 = 1_000_000;
        let from = from.saturating_sub(AROUND_NS) / UNIT * UNIT;
        let until = until.saturating_add(AROUND_NS) / UNIT * UNIT;
        let replay = &self.context.replay;
        let command = format!("{replay} --from {} --until {}", duration(from), duration(until));
        self.copy(INDENT, "look at", &command);
    }

    /// Faults that changed nothing, which is why a run can be vacuous.
    fn idle_faults(&mut self) {
        let record = self.record;
        let idle: Vec<_> = record.faults.iter().filter(|fault| fault.effects == 0).collect();
        if idle.is_empty() {
            return;
        }
        self.heading(&format!("{} changed nothing", counted(idle.len() as u64, "strike")));
        for fault in idle.iter().take(OUTAGES_MAX) {
            let told = if fault.who.is_empty() {
                format!("{}: it never struck anybody; was what sets it off ever there?", fault.name)
            } else {
                let length = measured(fault.to_ns.saturating_sub(fault.from_ns));
                format!("{}: from {} for {length} on {}", fault.name, measured(fault.from_ns), fault.who)
            };
            self.say(INDENT, &told);
        }
        self.say(
            INDENT,
            "A fault has an effect where there is something to disturb: strike while the load lasts, for longer, or others.",
        );
    }

    fn outages(&mut self) {
        let record = self.record;
        let mut outages: Vec<&Outage> = record.outages.iter().collect();
        if outages.is_empty() {
            return;
        }
        let sum = |length: &dyn Fn(&Outage) -> u64| {
            record.outages.iter().fold(0u64, |sum, outage| sum.saturating_add(length(outage)))
        };
        let (all, avoidable) = (sum(&Outage::length_ns), sum(&|outage| outage.avoidable_ns));
        let count = counted(outages.len() as u64, "outage");
        self.heading(&format!("{count}, {} in all, {} of it avoidable", measured(all), measured(avoidable)));
        outages.sort_by_key(|outage| Reverse(outage.length_ns()));
        let hidden = outages.split_off(outages.len().min(OUTAGES_MAX));
        outages.sort_by_key(|outage| outage.from_ns);
        for (i, outage) in outages.into_iter().enumerate() {
            if i > 0 {
                self.line("");
            }
            self.outage(outage);
        }
        if let Some(longest) = hidden.first() {
            let (more, longest) = (grouped(hidden.len() as u64), measured(longest.length_ns()));
            self.say(INDENT, &format!("And {more} more, none above {longest}: all in run.json."));
        }
    }

    fn outage(&mut self, outage: &Outage) {
        let who = match &outage.who {
            Who::All => "nobody was served".to_owned(),
            who @ (Who::Place(_) | Who::Clients(_)) => format!("{who} waited, while others were served"),
        };
        let (from, length) = (measured(outage.from_ns), measured(outage.length_ns()));
        let during = match &outage.faults[..] {
            [] => ", with no fault in force".to_owned(),
            faults => format!(", during {}", faults.join(", ")),
        };
        self.say(INDENT, &format!("From {from} for {length} {who}{during}."));
        let deep = 2 * INDENT;
        for (cause, length) in Cause::shares(&outage.causes) {
            self.say(deep, &format!("{}: {cause}. {}", measured(length), meaning(cause)));
        }
        let avoidable = match outage.avoidable_ns {
            0 => "No system could have served in this time.".to_owned(),
            avoidable if avoidable >= outage.length_ns() => "Some system could have served all the time.".to_owned(),
            avoidable => format!("For {} of it some system could have served.", measured(avoidable)),
        };
        let missed = match outage.missed {
            0 => String::new(),
            missed => format!(
                " {} came too late for {}.",
                counted(missed, "operation"),
                if missed == 1 { "its client" } else { "their clients" }
            ),
        };
        self.say(deep, &format!("{avoidable}{missed}"));
        if let Some(takeover) = &outage.takeover {
            self.say(deep, &taken_over(takeover));
        }
        self.look_at(outage.from_ns, outage.to_ns);
    }

    /// What was set otherwise than usual.
    fn settings(&mut self) {
        let record = self.record;
        if record.flaws.is_empty() && self.context.changed.is_empty() {
            return;
        }
        self.heading("What was set otherwise than usual");
        for flaw in record.flaws.iter().take(FINDINGS_MAX) {
            let command = format!("{} explain {flaw}", self.context.command);
            self.say(INDENT, &format!("the flaw {flaw} is switched on: `{command}`"));
        }
        for line in self.context.changed.clone().iter().take(DRAWS_MAX) {
            self.say(INDENT, line);
        }
    }

    fn draws(&mut self) {
        let record = self.record;
        if record.draws.is_empty() {
            return;
        }
        self.heading("What this seed drew");
        for draw in record.draws.iter().take(DRAWS_MAX) {
            self.say(INDENT, &format!("{} = {}", draw.key, draw.value));
        }
        let hidden = record.draws.len().saturating_sub(DRAWS_MAX);
        if hidden > 0 {
            self.say(INDENT, &format!("and {} more, all in run.json", grouped(hidden as u64)));
        }
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn asked(level: Level) -> &'static str {
    match level {
        Level::Always => ", which is checked in every run",
        Level::Must => "",
        Level::Reach => ", a goal without which the run shows nothing",
        Level::Should => ", which is only reported",
        Level::Shows => ", as this scenario is made to show",
    }
}

fn meaning(cause: Cause) -> &'static str {
    match cause {
        Cause::NoQuorum => "The nodes and links left did not allow it.",
        Cause::NoLeader => {
            "A quorum was there, but none of the nodes that clients could reach served in the newest term with a quorum of \
             its own."
        }
        Cause::WrongNode => "Some node served, and the clients were asking another.",
        Cause::Overload => "Those who serve had no CPU or disk to spare.",
        Cause::SlowLink => "What was needed was under way for longer than usual.",
        Cause::ClientPaused => "The clients themselves were paused or down.",
    }
}

fn taken_over(takeover: &Takeover) -> String {
    let stages: Vec<String> = takeover
        .stages()
        .map(|(name, length)| {
            let did = match name {
                "detect" => "until somebody noticed",
                "elect" => "to elect another",
                "catch up" => "until its first answer",
                _ => "until half of the clients had found it",
            };
            format!("{} {did}", measured(length))
        })
        .collect();
    match stages.as_slice() {
        [] => "No other node took over.".to_owned(),
        stages => format!("Another node took over: {}.", stages.join(", ")),
    }
}
