//! What every reader of recorded histories needs: lines with their numbers, and errors that say where.

use std::fmt;
use std::io::{self, BufRead, Read as _};
use std::str;

/// No line, and no map of a format that spans lines, is longer, in bytes. Whoever meets a longer one is not reading a
/// history, and would soon be out of memory.
pub const LENGTH_MAX: usize = 64 << 20;

/// What is wrong with a recorded history, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// From 1.
    pub line: usize,
    /// From 1, in bytes.
    pub column: usize,
    /// What, and what would be right.
    pub message: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for Malformed {}

/// Why a history could not be read.
#[derive(Debug)]
pub enum Unreadable {
    /// It is not written as it should be.
    Malformed(Malformed),
    /// Its source failed.
    Source(io::Error),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Malformed(malformed) => malformed.fmt(f),
            Unreadable::Source(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Unreadable {}

impl From<Malformed> for Unreadable {
    fn from(malformed: Malformed) -> Self {
        Unreadable::Malformed(malformed)
    }
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Unreadable::Source(error)
    }
}

/// The lines of a text, one at a time: however long the text is, only one of them is held.
pub struct Lines<'a> {
    source: &'a mut dyn BufRead,
    buffer: Vec<u8>,
    number: usize,
}

impl fmt::Debug for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("number", &self.number).finish_non_exhaustive()
    }
}

impl<'a> Lines<'a> {
    /// The lines of `source`, of which `number` have been read before.
    pub fn new(source: &'a mut dyn BufRead, number: usize) -> Self {
        Lines { source, buffer: Vec::new(), number }
    }

    /// Hands every line that is not blank to `read`, without its end, until one is wrong. `read` answers where in the
    /// line, in bytes from 0, and what would be right.
    ///
    /// # Errors
    /// The first wrong line; or that the source failed.
    pub fn each(mut self, mut read: impl FnMut(&str) -> Result<(), (usize, String)>) -> Result<(), Unreadable> {
        while self.next()? {
            let line = line(&self.buffer).map_err(|(at, message)| self.wrong(at, message))?;
            if !line.trim_ascii().is_empty() {
                read(line).map_err(|(at, message)| self.wrong(at, message))?;
            }
        }
        Ok(())
    }

    /// Whether there is another line.
    fn next(&mut self) -> Result<bool, Unreadable> {
        self.buffer.clear();
        self.number += 1;
        let read = self.source.take(LENGTH_MAX as u64 + 1).read_until(b'\n', &mut self.buffer)?;
        if read > LENGTH_MAX {
            return Err(self.wrong(0, "this line is longer than 64 MiB".to_owned()));
        }
        Ok(read > 0)
    }

    fn wrong(&self, at: usize, mut message: String) -> Unreadable {
        if self.number > 1 && !self.buffer.ends_with(b"\n") && self.buffer.len() <= LENGTH_MAX {
            message.push_str("; the file ends in the middle of this line: without it, the rest can be judged");
        }
        Malformed { line: self.number, column: at + 1, message }.into()
    }
}

/// A line's text, without its end.
fn line(bytes: &[u8]) -> Result<&str, (usize, String)> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    text(bytes.strip_suffix(b"\r").unwrap_or(bytes))
}

/// Bytes as text; else where they stop being one.
///
/// # Errors
/// The first byte that belongs to no character.
pub fn text(bytes: &[u8]) -> Result<&str, (usize, String)> {
    str::from_utf8(bytes).map_err(|e| (e.valid_up_to(), "this is not text; save the file as UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(mut bytes: &[u8]) -> Result<Vec<String>, String> {
        let mut read = Vec::new();
        let each = Lines::new(&mut bytes, 0).each(|line| match line {
            "bad" => Err((1, "bad".to_owned())),
            line => {
                read.push(line.to_owned());
                Ok(())
            }
        });
        each.map(|()| read).map_err(|e| e.to_string())
    }

    #[test]
    fn lines_end_as_anywhere_and_blank_ones_do_not_count() {
        assert_eq!(lines(b"a\r\n\n \t\nb b \nc"), Ok(["a", "b b ", "c"].map(str::to_owned).to_vec()));
        assert_eq!(lines(b""), Ok(Vec::new()));
    }

    #[test]
    fn a_bad_line_is_named() {
        assert_eq!(lines(b"a\n\nbad\nbad"), Err("3:2: bad".to_owned()));
        assert_eq!(lines(b"a\n\xc3\xa9\xff\n"), Err("2:3: this is not text; save the file as UTF-8".to_owned()));
        let cut = "2:2: bad; the file ends in the middle of this line: without it, the rest can be judged";
        assert_eq!(lines(b"a\nbad"), Err(cut.to_owned()));
        assert_eq!(lines(b"bad"), Err("1:2: bad".to_owned()), "nothing is left without it");
    }
}
