//! AWDIT's histories of transactions, in the notation that it calls `test`.
//!
//! ```text
//! w 0 1
//! r 1 0
//! -----
//! r 0 1
//! =====
//! w 1 2
//! ```
//!
//! A line is a read or a write: its key, its value. `-----` ends a transaction, `=====` a session. A session's
//! transactions follow one another; nothing is said about when, so the marks of two sessions mean nothing to each other.
//! A key that nobody wrote reads 0, but 0 may be written, too. Everything is committed.

use history::assembler::Assembler;
use history::input::{Lines, Unreadable};
use history::{Completion, History, Outcome, Purpose, Value};
use std::borrow::Cow;
use std::io::BufRead;

use crate::text::excerpt;

pub(super) fn looks_like(line: &str) -> bool {
    micro_operation(line.trim()).is_ok()
}

pub(super) fn read(source: &mut dyn BufRead, lines_before: usize) -> Result<History, Unreadable> {
    let mut record = Record::default();
    Lines::new(source, lines_before).each(|line| {
        let start = line.len() - line.trim_start().len();
        record.add(line.trim()).map_err(|message| (start, message))
    })?;
    record.end_transaction();
    Ok(record.assembler.finish())
}

#[derive(Default)]
struct Record {
    assembler: Assembler,
    session: u64,
    /// The transaction so far: whether it reads, the key, the value.
    open: Vec<(bool, i64, i64)>,
}

impl Record {
    fn add(&mut self, line: &str) -> Result<(), String> {
        if line.bytes().all(|byte| byte == b'-') {
            self.end_transaction();
        } else if line.bytes().all(|byte| byte == b'=') {
            self.end_transaction();
            self.session += 1;
        } else {
            self.open.push(micro_operation(line)?);
        }
        Ok(())
    }

    fn end_transaction(&mut self) {
        const ONE_AT_A_TIME: &str = "a session's transactions follow one another";
        if self.open.is_empty() {
            return;
        }
        let input = self.transaction(|is_read, value| if is_read { Value::Nil } else { Value::Int(value) });
        let returned = self.transaction(|_, value| Value::Int(value));
        self.open.clear();
        self.assembler.invoke(self.session, Cow::Borrowed("txn"), input, 0, Purpose::Load).expect(ONE_AT_A_TIME);
        self.assembler.complete(self.session, Outcome::Returned(Completion::Ok(returned)), 0).expect(ONE_AT_A_TIME);
    }

    fn transaction(&mut self, value: impl Fn(bool, i64) -> Value) -> Value {
        let words = &mut self.assembler.words;
        let begun = words.begin();
        for &(is_read, key, number) in &self.open {
            let start = words.begin();
            let f = words.text(if is_read { "r" } else { "w" });
            words.push(f);
            words.push(Value::Int(key));
            words.push(value(is_read, number));
            let item = words.list(start);
            words.push(item);
        }
        words.list(begun)
    }
}

/// `r 4 2`: whether it is a read, the key, the value.
fn micro_operation(line: &str) -> Result<(bool, i64, i64), String> {
    let wrong = || format!("expected a line such as `r 4 2`, `w 4 2`, `-----` or `=====`, found {}", excerpt(line));
    let mut fields = line.split_ascii_whitespace();
    let is_read = match fields.next() {
        Some("r") => true,
        Some("w") => false,
        Some(_) | None => return Err(wrong()),
    };
    let mut number = || fields.next()?.parse().ok();
    match (number(), number(), fields.next()) {
        (Some(key), Some(value), None) => Ok((is_read, key, value)),
        _ => Err(wrong()),
    }
}
