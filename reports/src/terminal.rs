//! What `stormglass run` prints: a picture of the run on one time axis, every expectation with what was measured, and the
//! command that shows it again.

use history::figures::{counted, duration, grouped, measured};
use history::{Finding, Level, RoleSpan, RunRecord, Verdict};
use std::collections::{BTreeMap, BTreeSet};

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

    /// A text in the colour of a verdict.
    fn signed(self, verdict: Verdict, text: &str) -> String {
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
const COLUMNS: u64 = 60;

/// More fault lanes than this would push the verdicts off the screen.
const FAULT_LANES_MAX: usize = 8;

/// The whole text.
pub fn summary(record: &RunRecord, around: &Around, look: Look) -> String {
    let page = Page { record, look, text: String::new() };
    page.head(around).picture().expectations().verdict(around)
}

struct Page<'a> {
    record: &'a RunRecord,
    look: Look,
    text: String,
}

impl Page<'_> {
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn head(mut self, around: &Around) -> Self {
        let r = self.record;
        let name = self.look.bold(&format!("{}  seed {}", r.scenario, r.seed));
        let places = if r.places > 1 { format!(", {} places", r.places) } else { String::new() };
        let flaws = if r.flaws.is_empty() { String::new() } else { format!(" with {}", r.flaws.join(", ")) };
        let system = format!("{}{flaws}, {}{places}", r.protocol, counted(r.nodes.into(), "node"));
        let settle = duration(r.simulated_ns.saturating_sub(r.duration_ns));
        let time = format!("{} + {settle} to settle", duration(r.duration_ns));
        let cost = format!("({} real, {})", measured(around.wall_ns), counted(r.events, "event"));
        self.line(&format!("{name}   {system}, {time}   {cost}"));
        if !r.about.is_empty() {
            let about = r.about.clone();
            self.line(&format!("  {about}"));
        }
        self
    }

    fn picture(mut self) -> Self {
        if self.record.duration_ns == 0 {
            return self;
        }
        let axis: String = (0..COLUMNS / 10)
            .map(|i| format!("{:<10}", duration(self.record.duration_ns * i * 10 / COLUMNS)))
            .collect();
        let end = duration(self.record.duration_ns);
        self.line(&format!("  {:<9}{axis}{end}", ""));
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
        let mut columns = vec![(0u64, 0u64); COLUMNS as usize];
        for bucket in &self.record.buckets {
            let column = self.column(bucket.from_ns);
            columns[column].0 += bucket.invoked;
            columns[column].1 += count(bucket);
        }
        columns.into_iter().map(|(all, counted)| (all > 0).then(|| counted * 100 / all)).collect()
    }

    fn column(&self, at: u64) -> usize {
        let column = u128::from(at) * u128::from(COLUMNS) / u128::from(self.record.duration_ns);
        (column as usize).min(COLUMNS as usize - 1)
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
        self.line(&format!("  {name:<9}{picture:<60}  {told}"));
    }

    /// The role that at most one node holds in a term, if the system has one.
    fn roles(&mut self) {
        let Some(role) = sole_role(&self.record.roles) else { return };
        let spans: Vec<&RoleSpan> = self.record.roles.iter().filter(|span| span.role == role).collect();
        let (line, end) = if self.look.unicode { ('─', '┤') } else { ('-', '|') };
        let mut lane = vec![' '; COLUMNS as usize];
        for span in spans.iter().filter(|span| span.from_ns < self.record.duration_ns) {
            let (from, to) = (self.column(span.from_ns), self.column(span.to_ns));
            lane[from..=to].fill(line);
            lane[to] = end;
            for (cell, letter) in lane[from..=to].iter_mut().zip(span.node.chars()) {
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
        self.lane(&role, &lane.iter().collect::<String>(), &told);
    }

    fn faults(&mut self) {
        let block = if self.look.unicode { '░' } else { '/' };
        for fault in self.record.faults.iter().take(FAULT_LANES_MAX) {
            let mut lane = vec![' '; COLUMNS as usize];
            if fault.from_ns < self.record.duration_ns {
                let last = fault.to_ns.max(fault.from_ns + 1) - 1;
                lane[self.column(fault.from_ns)..=self.column(last)].fill(block);
            }
            let told = format!("{} {} ({})", fault.name, fault.who, counted(fault.effects, "effect"));
            self.lane("fault", &lane.iter().collect::<String>(), &told);
        }
        let hidden = self.record.faults.len().saturating_sub(FAULT_LANES_MAX);
        if hidden > 0 {
            self.lane("", "", &format!("and {} more, all in run.json", grouped(hidden as u64)));
        }
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
                self.line(&format!("{name:<8}{sign} {:<width$}   {}", finding.check, finding.detail));
                for step in &finding.witness {
                    self.line(&format!("            {step}"));
                }
            }
        }
        self
    }

    fn verdict(mut self, around: &Around) -> String {
        let r = self.record;
        let verdict = self.look.signed(r.verdict, &format!("{:<7}", r.verdict.to_string()));
        let counting = r.findings.iter().filter(|finding| finding.counts()).count() as u64;
        let failing =
            |wanted| r.findings.iter().filter(|f: &&Finding| f.counts() && f.verdict == wanted).count() as u64;
        let told = match r.verdict {
            Verdict::Pass => format!("all {} held", counted(counting, "check")),
            bad @ (Verdict::Fail | Verdict::Unknown | Verdict::Vacuous) => {
                format!("{} of {} {}", failing(bad), counted(counting, "check"), meaning(bad))
            }
        };
        let availability = r.availability.map(|a| {
            let (achieved, possible) = (history::figures::percent(a.achieved), history::figures::percent(a.possible));
            format!("   availability {achieved} of {possible} possible")
        });
        self.line(&format!("{verdict} {told}{}", availability.unwrap_or_default()));
        let fingerprint = r.fingerprint.clone();
        self.line(&format!("        fingerprint {fingerprint}"));
        if !around.saved.is_empty() {
            self.line(&format!("        saved in    {}", around.saved));
        }
        self.line(&format!("        again       {}", around.again));
        self.text
    }
}

fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "held",
        Verdict::Fail => "failed",
        Verdict::Unknown => "could be shown neither right nor wrong",
        Verdict::Vacuous => "tested nothing",
    }
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

/// The role whose every term belongs to one node; of several, the one held longest (a candidate is one, but not for long).
fn sole_role(spans: &[RoleSpan]) -> Option<String> {
    let mut holders: BTreeMap<&str, BTreeMap<u64, BTreeSet<&str>>> = BTreeMap::new();
    let mut held: BTreeMap<&str, u64> = BTreeMap::new();
    for span in spans {
        holders.entry(&span.role).or_default().entry(span.term).or_default().insert(&span.node);
        *held.entry(&span.role).or_default() += span.to_ns - span.from_ns;
    }
    let sole = holders.iter().filter(|(_, terms)| terms.values().all(|nodes| nodes.len() == 1)).map(|(role, _)| *role);
    sole.max_by_key(|role| held[role]).map(str::to_owned)
}

/// One line of many: `stormglass test` prints one for each scenario.
pub fn test_line(name: &str, verdict: Verdict, detail: &str, look: Look) -> String {
    let line = format!("{} {name}   {detail}", look.signed(verdict, sign(verdict, look.unicode)));
    line.trim_end().to_owned()
}
