//! What a page draws of a run beyond the figures of its record.
//!
//! All of it is bounded: a run of a million operations has a picture no larger than one of ten thousand.

use serde::{Deserialize, Serialize};

/// Who was served when and how fast, and what happened in the moments that matter. All times are true nanoseconds since
/// the run began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// The load's operations by where they were asked and for what.
    pub service: Vec<Strip>,
    /// How long they took.
    pub latency: Latency,
    /// Who told whom what in the moments that matter.
    pub moments: Vec<Moment>,
}

/// The operations of one function that were asked in one place, with a number for each of the record's `buckets`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strip {
    /// The region, or the zone if there is one region.
    pub place: String,
    /// The data's function, such as `read`.
    pub function: String,
    /// Invoked.
    pub invoked: Vec<u64>,
    /// Of these, completed in time.
    pub achieved: Vec<u64>,
    /// Of these, possible.
    pub possible: Vec<u64>,
}

/// How long operations took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of those that were invoked in a bucket and served took no longer, in nanoseconds; `None` if none was served.
    pub p50_ns: Vec<Option<u64>>,
    /// 99 of 100 of them took no longer.
    pub p99_ns: Vec<Option<u64>>,
    /// None of them took longer.
    pub max_ns: Vec<Option<u64>>,
    /// Each operation, or how many of them took about as long.
    pub cloud: Cloud,
}

/// Operations by when they were invoked and how long they took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// Each of them.
    Dots(Vec<Dot>),
    /// Too many for that: how many there were of each kind. Cells without any are left out.
    Cells(Vec<Cell>),
}

impl Default for Cloud {
    fn default() -> Self {
        Cloud::Dots(Vec::new())
    }
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dot {
    /// When it was invoked, in microseconds.
    pub at_us: u64,
    /// How long its client waited, in microseconds.
    pub took_us: u64,
    /// What became of it.
    pub fate: Fate,
}

/// The operations of a bucket that took about as long and ended alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Which of the record's `buckets` they were invoked in.
    pub bucket: usize,
    /// They took from [`Cell::floor_us`] of this to that of the next.
    pub row: u32,
    /// What became of them.
    pub fate: Fate,
    /// How many.
    pub count: u64,
}

/// What became of an operation, for its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It returned in time.
    Served,
    /// It returned after its deadline.
    Late,
    /// It was refused, and did not happen.
    Refused,
    /// Nobody knows.
    Unknown,
}

impl Cell {
    /// Rows to a doubling: neighbours differ by a fifth.
    const ROWS_PER_OCTAVE: u32 = 4;

    /// The row of an operation that took `us` microseconds. Rows are as wide as they are long, on a logarithmic axis, as far
    /// as whole microseconds allow: four to a doubling, evenly spaced between its ends.
    pub fn row_of(us: u64) -> u32 {
        let us = us.max(1);
        let octave = us.ilog2();
        let within = ((us - (1 << octave)) * u64::from(Self::ROWS_PER_OCTAVE)) >> octave;
        octave * Self::ROWS_PER_OCTAVE + within as u32
    }

    /// The shortest time of a row, in microseconds and rounded up, below row 252.
    pub fn floor_us(row: u32) -> u64 {
        let (octave, within) = (row / Self::ROWS_PER_OCTAVE, u64::from(row % Self::ROWS_PER_OCTAVE));
        let start = 1u64 << octave;
        start + (start * within).div_ceil(u64::from(Self::ROWS_PER_OCTAVE))
    }
}

/// A stretch of time, and who told whom what in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// What one sees here, such as `n5 takes over from n1` or `how c2 came to read 8096`.
    pub title: String,
    /// When it begins.
    pub from_ns: u64,
    /// When it ends.
    pub to_ns: u64,
    /// The machines that take part, in the order in which they are drawn.
    pub machines: Vec<String>,
    /// What they told each other, by time of sending.
    pub arrows: Vec<Arrow>,
    /// What happened to one of them, by time.
    pub notes: Vec<Note>,
    /// How many messages of this time are not shown.
    pub left_out: u64,
}

/// A message, or many alike that were sent one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrow {
    /// Who sent it.
    pub from: String,
    /// To whom.
    pub to: String,
    /// When it left.
    pub sent_ns: u64,
    /// When it arrived, or when it was lost.
    pub arrived_ns: u64,
    /// Its kind, such as `AppendEntries`.
    pub label: String,
    /// All that it says.
    pub text: String,
    /// Why it never arrived, if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
    /// How many messages it stands for: these are drawn as the first of them.
    pub count: u64,
    /// Whether the last thing of this moment could have been caused by it.
    pub is_cause: bool,
}

/// Something that happened to a machine, without a message: an alarm that rang, a role taken, a crash, an operation begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Which.
    pub machine: String,
    /// When.
    pub at_ns: u64,
    /// What.
    pub text: String,
    /// Whether the last thing of this moment could have been caused by it.
    pub is_cause: bool,
}

/// Where a run came from, as somebody needs it who wants to see it again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The command that ran it: `stormglass`, or that of somebody with systems of their own.
    #[serde(default = "stormglass")]
    pub program: String,
    /// The scenario's file, without its directory: a record does not know the machine it was made on.
    pub file: String,
    /// What the command line changed in it, as `KEY=VALUE`.
    pub set: Vec<String>,
    /// The scenario as it was run, with nothing left to draw: a file that gives the same run. Empty where it was left out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resolved: String,
}

/// Whose record does not say who made it.
fn stormglass() -> String {
    "stormglass".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_in_the_row_whose_floor_is_below_it() {
        for us in (0..5_000).chain([1_000_000, 60_000_001, u64::from(u32::MAX), 1 << 60]) {
            let row = Cell::row_of(us);
            assert!(Cell::floor_us(row) <= us.max(1) && us.max(1) < Cell::floor_us(row + 1), "{us} in row {row}");
        }
    }
}
