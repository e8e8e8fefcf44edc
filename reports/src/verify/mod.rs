//! A recorded history that was judged: what `stormglass verify` prints and writes.
//!
//! - [`summary`]: as text for a terminal.
//! - [`json()`]: as data.
//! - [`page()`]: as a page that stands alone, with its [`figures`].
//! - [`words`]: what models, levels and formats are.

mod glance;
mod page;
mod terminal;
pub mod words;

pub use glance::{Asked, Column, Count, Glance, Span};
pub use page::page;
pub use terminal::{Around, summary};
pub use words::explained;

use crate::draw::Figure;
use crate::plot::history::timeline;
use crate::plot::witness;
use crate::words::count;
use checkers::{Consistency, Judgement, Model, Rung};
use history::figures::duration;
use history::{History, Value, Verdict, Witness};
use serde_json::{Value as Json, json};

/// A history and what was found of it.
#[derive(Clone, Debug)]
pub struct Verified<'a> {
    /// The file it was read from, as it was named.
    pub file: &'a str,
    /// The format it was written in, in words.
    pub format: &'a str,
    /// The history itself.
    pub history: &'a History,
    /// What it was judged as.
    pub model: Model,
    /// By what; `None` if nothing was asked for, which is [`Model::usual_level`].
    pub level: Option<Consistency>,
    /// What objects held at first.
    pub initial: Option<&'a Value>,
    /// The answer.
    pub judgement: &'a Judgement,
    /// The answers at all levels, if they were asked for.
    pub ladder: Option<&'a [Rung]>,
    /// How far the search might go.
    pub limits: Limits,
    /// What the command is called.
    pub program: String,
    /// The options that ask the same again, as a shell takes them.
    pub options: String,
    /// Those that ask it of the violation's own operations, in `minimal.jsonl`, if they are wrong by themselves.
    pub minimal: Option<String>,
}

/// How far a search might go, and which limit ended it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of `--budget`, in nanoseconds.
    pub time_ns: u64,
    /// Of `--memory`, in bytes.
    pub memory: u64,
    /// Whether the time ran out.
    pub is_out_of_time: bool,
}

impl Limits {
    /// About as much as a configuration takes while it is kept, in bytes.
    pub const STATE_BYTES: u64 = 32;

    /// How many configurations the memory holds.
    pub fn states(&self) -> u64 {
        (self.memory / Limits::STATE_BYTES).max(1)
    }
}

/// A size in bytes, as `--memory` takes it: `2GiB`.
pub fn size(bytes: u64) -> String {
    let units = [("GiB", 1u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = units.into_iter().find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{bytes}B"), |(name, unit)| format!("{}{name}", bytes / unit))
}

/// `1 process`, `12 processes`.
pub(crate) fn processes(number: u64) -> String {
    if number == 1 { "1 process".to_owned() } else { format!("{} processes", count(number)) }
}

impl Verified<'_> {
    /// The file's name: its directory is nobody's business, and would make pages differ from one machine to the next.
    fn name(&self) -> &str {
        self.file.rsplit(['/', '\\']).next().unwrap_or(self.file)
    }

    /// The answer about this file in a sentence: `history.edn breaks snapshot isolation (model list-append)`.
    fn headline(&self, file: &str) -> String {
        let (model, demand) = (self.model.name(), words::demand(self.model, self.level));
        match self.judgement.verdict {
            Verdict::Pass => format!("{file} keeps {demand} (model {model})"),
            Verdict::Fail => format!("{file} breaks {demand} (model {model})"),
            Verdict::Unknown => format!("whether {file} keeps {demand} is undecided (model {model})"),
            Verdict::Vacuous => format!("{file} shows nothing of {demand} (model {model})"),
        }
    }

    /// By which level it was judged, in its name on the command line; nothing for a model that has a law of its own.
    fn level(&self) -> Option<&'static str> {
        self.level.or(self.model.usual_level()).map(Consistency::name)
    }

    /// What would help where no answer was found, each with the option that does it.
    fn cures(&self) -> Vec<String> {
        if self.judgement.verdict != Verdict::Unknown {
            return Vec::new();
        }
        let Limits { time_ns, memory, is_out_of_time } = self.limits;
        let longer = time_ns.saturating_mul(10).max(60_000_000_000);
        let longer = format!("--budget {}: the {} of time ran out", duration(longer), duration(time_ns));
        let larger = format!("--memory {}: the {} of memory ran out", size(memory.saturating_mul(4)), size(memory));
        let mut cures = vec![if is_out_of_time { longer } else { larger }];
        if self.ladder.is_none() && self.level() == Some(Consistency::Linearizable.name()) {
            cures.push("--ladder: weaker levels are often decided where this one is not".to_owned());
        }
        cures
    }

    /// Every violation that is argued, with what it breaks: the judgement's, then those of other levels.
    fn argued(&self) -> impl Iterator<Item = (String, &Witness)> {
        let own = self.judgement.witness.as_ref().map(|witness| (self.headline(self.name()), witness));
        let rungs = self.ladder.unwrap_or_default().iter().filter_map(|rung| Some((rung.name, rung.witness.as_ref()?)));
        let is_another = |(_, witness): &(&str, &Witness)| Some(*witness) != self.judgement.witness.as_ref();
        own.into_iter().chain(rungs.filter(is_another).map(|(name, witness)| (name.to_owned(), witness)))
    }
}

/// The pictures of a judged history: the whole of it, and each violation.
pub fn figures(verified: &Verified<'_>) -> Vec<Figure> {
    let timeline = timeline(verified.history, verified.model, verified.judgement.witness.as_ref());
    let argued = verified.argued().enumerate();
    let witnesses = argued.filter_map(|(i, (what, witness))| witness::of_witness(witness::name(i), &what, witness));
    timeline.into_iter().chain(witnesses).collect()
}

/// All that was found, as one object. But for `wall_ns`, the same history gives the same one.
pub fn json(verified: &Verified<'_>, wall_ns: u64) -> Json {
    let Judgement { verdict, detail, witness, operations, states, methods, notes } = verified.judgement;
    let rung = |rung: &Rung| {
        let Rung { name, verdict, detail, witness } = rung;
        json!({"name": name, "verdict": verdict, "detail": detail, "witness": witness})
    };
    json!({
        "verdict": verdict,
        "model": verified.model.name(),
        "level": verified.level(),
        "operations": operations,
        "detail": detail,
        "witness": witness,
        "methods": methods,
        "notes": notes,
        "states": states,
        "ladder": verified.ladder.map(|rungs| rungs.iter().map(rung).collect::<Vec<_>>()),
        "wall_ns": wall_ns,
    })
}
