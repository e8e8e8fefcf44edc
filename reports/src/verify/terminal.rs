//! What `stormglass verify` prints: the verdict, the history on one axis, the argument, the levels, and how it was judged.

use super::{Count, Glance, Limits, Span, Verified, size};
use crate::terminal::Look;
use crate::witness::{told, wrapped};
use crate::words;
use history::Verdict;
use history::figures::{counted, duration, grouped, measured};

/// What all but the verdict is indented by.
const INDENT: usize = 6;

/// The widest name of a lane.
const NAME: usize = 9;

/// What is told beside a lane takes no more.
const TOLD: usize = 24;

/// A picture is not wider.
const COLUMNS_MAX: usize = 60;

/// Nor narrower.
const COLUMNS_MIN: usize = 16;

/// How far apart the axis has its marks.
const MARK_EVERY: usize = 12;

/// Of a text of the history's, in characters.
const TEXT_MAX: usize = 2_000;

/// Fewer operations than this are no picture.
const FEWEST: u64 = 6;

/// More notes than this are in the JSON.
const NOTES_MAX: usize = 12;

/// What only the command line knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// How long it took on this machine, in nanoseconds.
    pub wall_ns: u64,
    /// Where files were written, what each is.
    pub saved: Vec<(String, &'static str)>,
    /// How many columns there are.
    pub width: usize,
}

/// The whole text.
pub fn summary(verified: &Verified<'_>, around: &Around, look: Look) -> String {
    let columns = around.width.saturating_sub(INDENT + NAME + 1 + 2 + TOLD).clamp(COLUMNS_MIN, COLUMNS_MAX);
    let witness = verified.judgement.witness.as_ref();
    let glance = Glance::of(verified.history, verified.model, witness, columns);
    let page = Page { verified, glance, around, look, text: String::new() };
    page.verdict().picture().argument().cures().ladder().judged()
}

struct Page<'a> {
    verified: &'a Verified<'a>,
    glance: Glance,
    around: &'a Around,
    look: Look,
    text: String,
}

/// A row of the picture: its name, the picture, and what is told of it.
type Lane = (&'static str, String, String);

impl Page<'_> {
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// Indented, and broken where the terminal ends.
    fn indented(&mut self, text: &str) {
        for line in wrapped(text, self.room()) {
            self.line(&format!("{:INDENT$}{line}", ""));
        }
    }

    fn room(&self) -> usize {
        self.around.width.saturating_sub(INDENT).max(20)
    }

    fn shown(&self, text: &str) -> String {
        self.look.shown(&words::brief(text, TEXT_MAX))
    }

    /// The word, what it is about, and why.
    fn verdict(mut self) -> Self {
        let verdict = self.verified.judgement.verdict;
        let word = verdict.to_string();
        let headline = self.shown(&self.verified.headline(self.verified.file));
        let mut lines = wrapped(&headline, self.around.width.saturating_sub(word.len() + 2).max(20)).into_iter();
        let first = lines.next().unwrap_or_default();
        let first = format!("{}  {}", self.look.signed(verdict, &word), self.look.bold(&first));
        self.line(&first);
        for line in lines {
            let line = format!("{:indent$}{}", "", self.look.bold(&line), indent = word.len() + 2);
            self.line(&line);
        }
        let detail = self.shown(&self.verified.judgement.detail);
        self.indented(&detail);
        self.line("");
        self
    }

    fn picture(mut self) -> Self {
        let lanes = self.lanes();
        let size = self.size();
        self.indented(&size);
        if !lanes.is_empty() {
            let axis = self.axis();
            self.line(&axis);
        }
        let columns = self.glance.columns.len();
        for (name, picture, told) in lanes {
            let picture = match name {
                VIOLATION => {
                    format!("{}{}", self.look.signed(Verdict::Fail, picture.trim_end()), pad(&picture, columns))
                }
                _ => format!("{picture:<columns$}"),
            };
            let told = self.look.shown(&told);
            self.line(&format!("{:INDENT$}{name:<NAME$} {picture}  {told}", ""));
        }
        self.line("");
        self
    }

    /// How much was asked, by whom, and of what.
    fn size(&self) -> String {
        let glance = &self.glance;
        let keys = glance.keys.map_or(String::new(), |keys| format!(" of {}", counted(keys, "key")));
        let processes = if glance.processes == 1 {
            "1 process".to_owned()
        } else {
            format!("{} processes", grouped(glance.processes))
        };
        let took = if glance.span.is_time { format!(" in {}", measured(glance.span.length())) } else { String::new() };
        let format = self.verified.format;
        self.look
            .shown(&format!("{}{keys} by {processes}{took}, read as {format}", counted(glance.operations, "operation")))
    }

    fn axis(&self) -> String {
        let Span { from, is_time, .. } = self.glance.span;
        let columns = self.glance.columns.len();
        let moment = |column: usize| {
            let at = from + (u128::from(self.glance.span.length()) * column as u128 / columns as u128) as u64;
            let told = self.glance.span.told(at);
            match is_time {
                true => measured(told),
                false => grouped(told),
            }
        };
        let marks: String =
            (0..columns).step_by(MARK_EVERY).map(|column| format!("{:<MARK_EVERY$}", moment(column))).collect();
        let unit = if is_time { "" } else { "event" };
        format!("{:INDENT$}{unit:<NAME$} {marks}", "")
    }

    fn lanes(&self) -> Vec<Lane> {
        let glance = &self.glance;
        let argued = self.verified.judgement.witness.as_ref().map_or(0, |witness| witness.operations.len());
        if glance.operations < FEWEST || glance.operations <= argued as u64 {
            return Vec::new();
        }
        let mut lanes: Vec<Lane> = Vec::new();
        let returned = glance.sum(|column| column.returned);
        lanes.push(("returned", self.bars(|column| column.returned), grouped(returned)));
        let waited = format!("at most {}", grouped(glance.most(|column| column.open)));
        lanes.push(("waiting", self.bars(|column| column.open), waited));
        let others: [(&str, Count); 2] = [("refused", |column| column.refused), ("unknown", |column| column.unknown)];
        for (name, of) in others {
            let sum = glance.sum(of);
            if sum > 0 {
                lanes.push((name, self.bars(of), grouped(sum)));
            }
        }
        lanes.extend(self.violation());
        lanes
    }

    /// Higher where there is more; nothing where there is nothing.
    fn bars(&self, of: Count) -> String {
        let levels: &[char] = if self.look.unicode {
            &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
        } else {
            &['_', '.', ':', '-', '=', '+', '*', '#']
        };
        let most = self.glance.most(of).max(1);
        let level = |count: u64| {
            levels[(u128::from(count) * (levels.len() as u128) / u128::from(most)).clamp(1, levels.len() as u128)
                as usize
                - 1]
        };
        self.glance.columns.iter().map(of).map(|count| if count == 0 { ' ' } else { level(count) }).collect()
    }

    /// A caret where each operation of the argument was asked for, and a heavier one for the one that cannot be.
    fn violation(&self) -> Option<Lane> {
        let columns = self.glance.columns.len();
        let (_, last) = *self.glance.violation.last()?;
        let (caret, heavy) = if self.look.unicode { ('△', '▲') } else { ('^', '^') };
        let mut lane = vec![' '; columns];
        for (_, at) in &self.glance.violation {
            lane[self.glance.span.column(*at, columns)] = caret;
        }
        lane[self.glance.span.column(last, columns)] = heavy;
        let told = self.glance.span.told(last);
        let told = if self.glance.span.is_time { format!("at {}", measured(told)) } else { format!("at event {told}") };
        Some((VIOLATION, String::from_iter(lane), told))
    }

    fn argument(mut self) -> Self {
        if let Some(witness) = &self.verified.judgement.witness {
            for line in told(witness, self.look, self.room()) {
                self.line(&format!("{:INDENT$}{line}", ""));
            }
            self.line("");
        }
        self
    }

    fn cures(mut self) -> Self {
        let cures = self.verified.cures();
        if !cures.is_empty() {
            for (i, cure) in cures.iter().enumerate() {
                self.hanging(if i == 0 { "may help   " } else { "           " }, cure);
            }
            self.line("");
        }
        self
    }

    fn ladder(mut self) -> Self {
        let Some(rungs) = self.verified.ladder else { return self };
        let width = rungs.iter().map(|rung| rung.name.len()).max().unwrap_or(0);
        for rung in rungs {
            let sign = self.look.sign(rung.verdict);
            let word = rung.verdict.to_string();
            let detail = self.shown(&rung.detail);
            // A sign takes one column, whatever colours are around it.
            let indent = INDENT + 2 + "VACUOUS".len() + 2 + width + 2;
            let mut lines = wrapped(&detail, self.around.width.saturating_sub(indent).max(24)).into_iter();
            let first = lines.next().unwrap_or_default();
            self.line(&format!("{:INDENT$}{sign} {word:<7}  {:<width$}  {first}", "", rung.name));
            for line in lines {
                self.line(&format!("{:indent$}{line}", ""));
            }
        }
        self.line("");
        self
    }

    /// A named line, as many as are needed, what follows standing below itself.
    fn hanging(&mut self, name: &str, text: &str) {
        let indent = name.chars().count();
        let mut lines = wrapped(text, self.room().saturating_sub(indent).max(20)).into_iter();
        let first = lines.next().unwrap_or_default();
        self.line(&format!("{:INDENT$}{name}{first}", ""));
        for line in lines {
            self.line(&format!("{:INDENT$}{:indent$}{line}", "", ""));
        }
    }

    fn judged(mut self) -> String {
        let judgement = self.verified.judgement;
        let mut how =
            judgement.methods.iter().take(NOTES_MAX).map(|method| self.shown(method)).collect::<Vec<_>>().join("; ");
        if how.is_empty() {
            how = if judgement.states > 0 { "search".to_owned() } else { "reading, without a search".to_owned() };
        }
        if judgement.states > 0 {
            how.push_str(&format!(", {}", counted(judgement.states, "configuration")));
        }
        let Limits { time_ns, memory, .. } = self.verified.limits;
        let took = format!("{} of {}, within {}", measured(self.around.wall_ns), duration(time_ns), size(memory));
        self.hanging("judged by  ", &how);
        self.hanging("took       ", &took);
        for note in judgement.notes.iter().take(NOTES_MAX) {
            let note = self.shown(note);
            self.hanging("note       ", &note);
        }
        for (file, what) in &self.around.saved {
            let file = self.look.shown(file);
            self.hanging("saved      ", &format!("{file}: {what}"));
        }
        if self.around.saved.is_empty() && judgement.witness.is_some() {
            self.hanging(
                "more       ",
                "--out DIR writes a page with pictures, and these operations alone as a history",
            );
        }
        self.text
    }
}

/// The lane that shows where the violation is.
const VIOLATION: &str = "violation";

/// What a picture lacks to so many columns once its end is trimmed.
fn pad(picture: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(picture.trim_end().chars().count()))
}
