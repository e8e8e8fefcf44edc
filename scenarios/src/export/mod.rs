//! What happened in a run, for eyes and for other tools: rows of a trace become text or bytes.
//!
//! Rows come one after the other and leave at once, so that a long run is never in memory as a whole. What a format has to
//! remember is what is going on at that moment: messages under way, steps not over.

mod jsonl;
mod manual;
mod perfetto;
mod protobuf;
mod shiviz;
mod text;

pub use jsonl::{Misread, read as read_row};
pub use manual::manual;
pub use shiviz::EXPRESSION as SHIVIZ_EXPRESSION;
pub use text::line;

use sim_core::time::Nanos;
use sim_core::trace::Row;

/// How what happened is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A line for each event, for people.
    Text,
    /// A JSON object for each event, on a line of its own.
    Jsonl,
    /// A log with vector clocks, which ShiViz draws: who can have known of what.
    Shiviz,
    /// Tracks of slices over time, in which the user interface of Perfetto looks for what was slow.
    Perfetto,
}

impl Format {
    /// All there are.
    pub const ALL: [Format; 4] = [Format::Text, Format::Jsonl, Format::Shiviz, Format::Perfetto];

    /// What its file in the directory of a run is called.
    pub fn file(self) -> &'static str {
        match self {
            Format::Text => "trace.txt",
            Format::Jsonl => "trace.jsonl",
            Format::Shiviz => "run.shiviz.log",
            Format::Perfetto => "run.pftrace",
        }
    }

    /// Begins to write. `serving` is the role whose holder serves the clients, if the system has one.
    pub fn begin(self, serving: Option<&'static str>) -> Box<dyn Export> {
        match self {
            Format::Text => Box::new(text::Text),
            Format::Jsonl => Box::new(jsonl::Jsonl),
            Format::Shiviz => Box::new(shiviz::Shiviz::default()),
            Format::Perfetto => Box::new(perfetto::Perfetto::new(serving)),
        }
    }
}

/// Writes rows down in some format, in the order of time.
pub trait Export {
    /// Adds to `out` what a row means, and what came to its end before it.
    fn row(&mut self, row: &Row, out: &mut Vec<u8>);

    /// Adds what is left when the run ends at `end`.
    fn end(&mut self, end: Nanos, out: &mut Vec<u8>) {
        let _ = (end, out);
    }
}
