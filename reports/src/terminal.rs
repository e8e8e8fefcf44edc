//! What `stormglass run` prints: a picture of the run on one time axis, every expectation with what was measured, and the
//! command that shows it again.

mod detection;
mod lanes;
mod outages;

use crate::witness::told;
use crate::words;
use history::figures::{counted, duration, grouped, measured};
use history::{Draw, Level, RunRecord, Verdict};

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
    pub fn bold(self, text: &str) -> String {
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

    /// The sign of a verdict in its colour.
    pub(crate) fn sign(self, verdict: Verdict) -> String {
        let plain = match verdict {
            Verdict::Pass => "+",
            Verdict::Fail => "x",
            Verdict::Unknown => "?",
            Verdict::Vacuous => "0",
        };
        self.signed(verdict, if self.unicode { words::sign(verdict) } else { plain })
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
    /// Where its page is.
    pub page: String,
    /// The command that shows it again.
    pub again: String,
}

/// The room for a witness, which is indented: a hundred columns in all.
const WITNESS_COLUMNS: usize = 88;

/// Of the line of draws, before it says how many more there are: with that it fits into 100 characters.
const DRAWN_WIDTH: usize = 76;

/// The whole text.
pub fn summary(record: &RunRecord, around: &Around, look: Look) -> String {
    let page = Page { record, look, text: String::new() };
    page.head(around).picture().outages().detection().expectations().verdict(around)
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
        let name = self.look.bold(&format!("{}  seed {}", self.look.shown(&r.scenario), r.seed));
        let places = if r.places > 1 { format!(", {} places", r.places) } else { String::new() };
        let flaws = if r.flaws.is_empty() { String::new() } else { format!(" with {}", r.flaws.join(", ")) };
        let system = self.look.shown(&format!("{}{flaws}", r.protocol));
        let system = format!("{system}, {}{places}", counted(r.nodes.into(), "node"));
        // A run that stopped early never came to that.
        let settle = match r.simulated_ns.saturating_sub(r.duration_ns) {
            0 => String::new(),
            settle => format!(" + {} to settle", duration(settle)),
        };
        let time = format!("{}{settle}", duration(r.duration_ns));
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
        for line in lanes::picture(self.record, self.look) {
            self.line(&line);
        }
        self
    }

    fn outages(mut self) -> Self {
        for line in outages::table(&self.record.outages, self.look) {
            self.line(&line);
        }
        self
    }

    fn detection(mut self) -> Self {
        for line in self.record.detection.iter().flat_map(detection::lines) {
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
                let sign = self.look.sign(finding.verdict);
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
        if r.interrupted {
            self.line(&format!(
                "        interrupted at {}: what would have come later, nobody saw",
                duration(r.simulated_ns)
            ));
        }
        let fingerprint = self.look.shown(&r.fingerprint);
        self.line(&format!("        fingerprint {fingerprint}"));
        if !around.saved.is_empty() {
            self.line(&format!("        saved in    {}", around.saved));
        }
        if !around.page.is_empty() {
            self.line(&format!("        page        {}", around.page));
        }
        self.line(&format!("        again       {}", around.again));
        self.text
    }
}

/// One line of many: `stormglass test` prints one for each scenario.
pub fn test_line(name: &str, verdict: Verdict, detail: &str, look: Look) -> String {
    let (sign, detail) = (look.sign(verdict), look.shown(detail));
    let line = format!("{sign} {name}   {detail}");
    line.trim_end().to_owned()
}
