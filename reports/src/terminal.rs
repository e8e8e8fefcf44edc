//! What `stormglass run` prints: a picture of the run on one time axis, every expectation with what was measured, and the
//! command that shows it again.

use crate::roles::sole_role;
use crate::witness::told;
use history::figures::{counted, duration, grouped, measured};
use history::{Draw, Level, RoleSpan, RunRecord, Verdict};
use std::collections::BTreeSet;

/// How a terminal is written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// With colours. Never by colour alone: each verdict has a sign and a word too.
    pub colour: bool,
    /// With blocks and lines beyond ASCII.
    pub unicode: bool,
}

impl Look {
    /// A heading.
    fn bold(self, text: &str) -> String {
        if self.colour { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// A text of the run's, which can hold anything, as this terminal may get it: no control characters, and nothing beyond
    /// ASCII where it cannot be shown.
    pub fn shown(self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                c if c.is_control() => shown.extend(c.escape_default()),
                c if !self.unicode && !c.is_ascii() => shown.push('?'),
                c => shown.push(c),
            }
        }
        shown
    }

    /// A text in the colour of a verdict.
    pub(crate) fn signed(self, verdict: Verdict, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let colour = match verdict {
            Verdict::Pass => 32,
            Verdict::Fail => 31,
            Verdict::Unknown | Verdict::Vacuous => 33,
        };
        format!("\u{1b}[1;{colour}m{text}\u{1b}[0m")
    }
}

/// What only the command line knows of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// How long the run took on this machine, in nanoseconds.
    pub wall_ns: u64,
    /// Where its files are.
    pub saved: String,
    /// The command that shows it again.
    pub again: String,
}

/// The picture's width, in characters.
const COLUMNS: usize = 60;

/// The room for a witness, which is indented: a hundred columns in all.
const WITNESS_COLUMNS: usize = 88;

/// How far apart the axis has its marks.
const MARK_EVERY: usize = 10;

/// More fault lanes than this would push the verdicts off the screen.
const FAULT_LANES_MAX: usize = 8;

/// Of the line of draws, before it says how many more there are: with that it fits into 100 characters.
const DRAWN_WIDTH: usize = 76;

/// The whole text.
pub fn summary(record: &RunRecord, around: &Around, look: Look) -> String {
    let role = sole_role(&record.roles);
    let lanes = role.iter().map(String::as_str).chain(["possible"]);
    let label_width = lanes.map(|lane| lane.chars().count()).max().unwrap_or(0);
    let page = Page { record, look, role, label_width, text: String::new() };
    page.head(around).picture().outages().expectations().verdict(around)
}

struct Page<'a> {
    record: &'a RunRecord,
    look: Look,
    /// The role that is drawn, if one is.
    role: Option<String>,
    /// Of the names left of the picture.
    label_width: usize,
    text: String,
}

impl Page<'_> {
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn head(mut self, around: &Around) -> Self {
        let r = self.record;
        let name = self.look.bold(&format!("{}  seed {}", self.look.shown(&r.scenario), r.seed));
        let places = if r.places > 1 { format!(", {} places", r.places) } else { String::new() };
        let flaws = if r.flaws.is_empty() { String::new() } else { format!(" with {}", r.flaws.join(", ")) };
        let system = self.look.shown(&format!("{}{flaws}", r.protocol));
        let system = format!("{system}, {}{places}", counted(r.nodes.into(), "node"));
        let settle = duration(r.simulated_ns.saturating_sub(r.duration_ns));
        let time = format!("{} + {settle} to settle", duration(r.duration_ns));
        let cost = format!("({} real, {})", measured(around.wall_ns), counted(r.events, "event"));
        self.line(&format!("{name}   {system}, {time}   {cost}"));
        if !r.about.is_empty() {
            let about = self.look.shown(&r.about);
            self.line(&format!("  {about}"));
        }
        self.draws();
        self
    }

    /// What the seed decided of the scenario, as much of it as one line takes.
    fn draws(&mut self) {
        let draws: Vec<String> =
            self.record.draws.iter().map(|Draw { key, value }| self.look.shown(&format!("{key} = {value}"))).collect();
        let mut line = String::new();
        for (i, draw) in draws.iter().enumerate() {
            let gap = if i == 0 { "  drawn: " } else { ", " };
            if line.chars().count() + gap.len() + draw.chars().count() > DRAWN_WIDTH {
                let hidden = grouped((draws.len() - i) as u64);
                line.push_str(&format!("{gap}.. {hidden} more in run.json"));
                break;
            }
            line.push_str(&format!("{gap}{draw}"));
        }
        if !line.is_empty() {
            self.line(&line);
        }
    }

    fn picture(mut self) -> Self {
        if self.record.duration_ns == 0 {
            return self;
        }
        let moment = |column| u128::from(self.record.duration_ns) * column as u128 / COLUMNS as u128;
        let mark = |column| format!("{:<MARK_EVERY$}", short(moment(column) as u64));
        let axis: String = (0..COLUMNS).step_by(MARK_EVERY).map(mark).collect();
        let end = duration(self.record.duration_ns);
        self.lane("", &axis, &end);
        self.service();
        self.roles();
        self.faults();
        self
    }

    /// Availability over time, and the best possible where that is less than everything.
    fn service(&mut self) {
        let Some(counts) = self.record.operations else { return };
        let achieved = self.shares(|bucket| bucket.achieved);
        let possible = self.shares(|bucket| bucket.possible);
        let told = format!(
            "{} ok, {} unknown, {} refused",
            grouped(counts.ok),
            grouped(counts.unknown),
            grouped(counts.refused)
        );
        let bars = self.bars(&achieved);
        self.lane("served", &bars, &told);
        if possible.iter().flatten().any(|share| *share < 100) {
            let bars = self.bars(&possible);
            self.lane("possible", &bars, "the best that the links and nodes left allowed");
        }
    }

    /// By column, how many of a hundred operations were counted; `None` where none began.
    fn shares(&self, count: impl Fn(&history::TimeBucket) -> u64) -> Vec<Option<u64>> {
        let mut columns = [(0u128, 0u128); COLUMNS];
        for bucket in &self.record.buckets {
            let (all, counted) = &mut columns[self.column(bucket.from_ns)];
            *all += u128::from(bucket.invoked);
            *counted += u128::from(count(bucket));
        }
        columns.into_iter().map(|(all, counted)| (all > 0).then(|| (counted * 100 / all).min(100) as u64)).collect()
    }

    /// The column of a moment; what is later than the load stands in the last.
    fn column(&self, at: u64) -> usize {
        let column = u128::from(at) * COLUMNS as u128 / u128::from(self.record.duration_ns);
        column.min(COLUMNS as u128 - 1) as usize
    }

    fn bars(&self, shares: &[Option<u64>]) -> String {
        let levels: &[char] = if self.look.unicode {
            &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
        } else {
            &['_', '.', ':', '-', '=', '+', '*', '#']
        };
        let level = |share: u64| levels[(share as usize * (levels.len() - 1)) / 100];
        shares.iter().map(|share| share.map_or(' ', level)).collect()
    }

    fn lane(&mut self, name: &str, picture: &str, told: &str) {
        let (name, told, width) = (self.look.shown(name), self.look.shown(told), self.label_width);
        // What is told of the axis is its end, and that stands where the picture ends.
        let gap = if name.is_empty() { "" } else { "  " };
        self.line(&format!("  {name:<width$} {picture:<COLUMNS$}{gap}{told}"));
    }

    /// The role that at most one node holds in a term, if the system has one.
    fn roles(&mut self) {
        let Some(role) = self.role.clone() else { return };
        let spans: Vec<&RoleSpan> = self.record.roles.iter().filter(|span| span.role == role).collect();
        let (line, end) = if self.look.unicode { ('─', '┤') } else { ('-', '|') };
        let mut lane = [' '; COLUMNS];
        for span in spans.iter().filter(|span| span.from_ns < self.record.duration_ns) {
            let (from, to) = (self.column(span.from_ns), self.column(span.to_ns.max(span.from_ns)));
            lane[from..=to].fill(line);
            lane[to] = end;
            for (cell, letter) in lane[from..=to].iter_mut().zip(self.look.shown(&span.node).chars()) {
                *cell = letter;
            }
        }
        let terms: BTreeSet<u64> = spans.iter().map(|span| span.term).collect();
        let told = match (terms.first(), terms.last()) {
            (Some(first), Some(last)) if first != last => {
                format!("{}, term {first} to {last}", counted(terms.len() as u64 - 1, "change"))
            }
            (Some(only), _) => format!("no change, term {only}"),
            (None, _) => String::new(),
        };
        self.lane(&role, &String::from_iter(lane), &told);
    }

    fn faults(&mut self) {
        let block = if self.look.unicode { '░' } else { '/' };
        for fault in self.record.faults.iter().take(FAULT_LANES_MAX) {
            let mut lane = [' '; COLUMNS];
            if fault.from_ns < self.record.duration_ns {
                // It ends before `to_ns`, and what has no length is seen all the same.
                let last = fault.to_ns.saturating_sub(1).max(fault.from_ns);
                lane[self.column(fault.from_ns)..=self.column(last)].fill(block);
            }
            let told = format!("{} {} ({})", fault.name, fault.who, counted(fault.effects, "effect"));
            self.lane("fault", &String::from_iter(lane), &told);
        }
        let hidden = self.record.faults.len().saturating_sub(FAULT_LANES_MAX);
        if hidden > 0 {
            self.lane("..", "", &format!("and {} more, all in run.json", grouped(hidden as u64)));
        }
    }

    fn outages(mut self) -> Self {
        for line in crate::outages::table(&self.record.outages, self.look) {
            self.line(&line);
        }
        self
    }

    fn expectations(mut self) -> Self {
        let levels = [
            (Level::Must, "must"),
            (Level::Shows, "shows"),
            (Level::Should, "should"),
            (Level::Reach, "reach"),
            (Level::Always, "always"),
        ];
        let width = self.record.findings.iter().map(|finding| finding.check.chars().count()).max().unwrap_or(0);
        for (level, name) in levels {
            let findings = self.record.findings.iter().filter(|finding| finding.level == level);
            for (i, finding) in findings.enumerate() {
                let name = if i == 0 { name } else { "" };
                let sign = self.look.signed(finding.verdict, sign(finding.verdict, self.look.unicode));
                let (check, detail) = (self.look.shown(&finding.check), self.look.shown(&finding.detail));
                self.line(&format!("{name:<8}{sign} {check:<width$}   {detail}"));
                // What is promised matters where it was broken.
                let promise = finding.promise.as_ref().filter(|_| finding.verdict == Verdict::Fail);
                let promise = promise.map(|promise| self.look.shown(promise));
                let witness = finding.witness.as_ref();
                let told = witness.map(|witness| told(witness, self.look, WITNESS_COLUMNS)).unwrap_or_default();
                for line in promise.into_iter().chain(told) {
                    self.line(&format!("            {line}"));
                }
            }
        }
        self
    }

    /// What the verdict rests on.
    fn told(&self) -> String {
        let findings = || self.record.findings.iter();
        let counting = findings().filter(|finding| finding.counts()).count() as u64;
        if counting == 0 {
            return "nothing was checked".to_owned();
        }
        let all = counted(counting, "check");
        let those = |verdict| findings().filter(move |finding| finding.counts() && finding.verdict == verdict);
        let count = |verdict| those(verdict).count();
        let (unknown, vacuous) = (count(Verdict::Unknown), count(Verdict::Vacuous));
        let more = |count: usize, what: &str| if count > 0 { format!(", {count} {what}") } else { String::new() };
        match self.record.verdict {
            Verdict::Fail => {
                let shown = those(Verdict::Fail).all(|finding| finding.level == Level::Shows);
                let shown = if shown { ", as this scenario is made to show" } else { "" };
                let (unknown, vacuous) = (more(unknown, "undecided"), more(vacuous, "tested nothing"));
                format!("{} of {all} failed{shown}{unknown}{vacuous}", count(Verdict::Fail))
            }
            Verdict::Unknown => {
                let vacuous = more(vacuous, "tested nothing");
                format!("{unknown} of {all} could be shown neither right nor wrong{vacuous}")
            }
            Verdict::Vacuous => format!("{vacuous} of {all} tested nothing"),
            Verdict::Pass => {
                let held = if counting == 1 { "the only check held".to_owned() } else { format!("all {all} held") };
                let missed = findings().filter(|finding| !finding.counts() && finding.verdict != Verdict::Pass).count();
                let unshown = findings().any(|finding| finding.level == Level::Shows);
                match (missed, unshown) {
                    (_, true) => format!("{held}, though this scenario is made to show a violation"),
                    (0, false) => held,
                    (missed, false) => format!("{held}; {missed} under `should` did not"),
                }
            }
        }
    }

    fn verdict(mut self, around: &Around) -> String {
        let r = self.record;
        let verdict = self.look.signed(r.verdict, &format!("{:<7}", r.verdict.to_string()));
        let told = self.told();
        let availability = r.availability.map(|a| {
            let (achieved, possible) = (history::figures::percent(a.achieved), history::figures::percent(a.possible));
            format!("   availability {achieved} of {possible} possible")
        });
        self.line(&format!("{verdict} {told}{}", availability.unwrap_or_default()));
        let fingerprint = self.look.shown(&r.fingerprint);
        self.line(&format!("        fingerprint {fingerprint}"));
        if !around.saved.is_empty() {
            self.line(&format!("        saved in    {}", around.saved));
        }
        self.line(&format!("        again       {}", around.again));
        self.text
    }
}

/// A mark on the axis: in full if that leaves room before the next, else to three figures.
fn short(nanos: u64) -> String {
    let exact = duration(nanos);
    if exact.len() < MARK_EVERY { exact } else { measured(nanos) }
}

fn sign(verdict: Verdict, unicode: bool) -> &'static str {
    match (verdict, unicode) {
        (Verdict::Pass, true) => "✓",
        (Verdict::Fail, true) => "✗",
        (Verdict::Pass, false) => "+",
        (Verdict::Fail, false) => "x",
        (Verdict::Unknown, _) => "?",
        (Verdict::Vacuous, true) => "∅",
        (Verdict::Vacuous, false) => "0",
    }
}

/// One line of many: `stormglass test` prints one for each scenario.
pub fn test_line(name: &str, verdict: Verdict, detail: &str, look: Look) -> String {
    let (sign, detail) = (look.signed(verdict, sign(verdict, look.unicode)), look.shown(detail));
    let line = format!("{sign} {name}   {detail}");
    line.trim_end().to_owned()
}
