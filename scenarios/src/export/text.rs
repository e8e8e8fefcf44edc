//! Lines for people.

use super::Export;
use sim_core::trace::{Row, What};

pub(super) struct Text;

impl Export for Text {
    /// What is sent is told of when it arrives or is lost: once is enough for the eye.
    fn row(&mut self, row: &Row, out: &mut Vec<u8>) {
        if row.what != What::Sent {
            out.extend(line(row).bytes());
        }
    }
}

/// `  10.004213s  n1 -> n2     message  AppendEntries { .. }`
pub fn line(row: &Row) -> String {
    let seconds = format!("{}.{:06}s", row.at / 1_000_000_000, row.at % 1_000_000_000 / 1_000);
    let who =
        if row.to.is_empty() || row.to == row.from { row.from.clone() } else { format!("{} -> {}", row.from, row.to) };
    format!("{seconds:>12}  {who:<12} {:<8} {}\n", row.what.name(), row.text)
}
