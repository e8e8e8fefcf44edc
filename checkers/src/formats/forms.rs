//! Parts a stream of EDN or JSON into its maps, holding one at a time.
//!
//! A history may be one map a line, maps over many lines, or one list of all of them, perhaps in a single line of
//! gigabytes. So maps are found by their brackets. What stands within one is read by somebody else; here it matters only what
//! hides brackets: texts, and in EDN characters such as `\{` and comments.

use history::input::{LENGTH_MAX, Malformed, Unreadable, text};
use std::io::{self, BufRead};

/// No value is nested deeper.
pub(super) const DEPTH_MAX: usize = 100;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Edn,
    Json,
}

/// A map, and where it begins.
pub(super) struct Form<'f> {
    pub text: &'f str,
    line: usize,
    column: usize,
}

impl Form<'_> {
    /// What is wrong at `at`, in bytes from the form's beginning.
    pub fn wrong(&self, (at, message): (usize, String)) -> Unreadable {
        let (line, column) = place((self.line, self.column), &self.text.as_bytes()[..at.min(self.text.len())]);
        Malformed { line, column, message }.into()
    }
}

/// Where one is after `bytes`.
fn place((line, column): (usize, usize), bytes: &[u8]) -> (usize, usize) {
    match bytes.iter().rposition(|&byte| byte == b'\n') {
        None => (line, column + bytes.len()),
        Some(last) => (line + bytes.iter().filter(|&&byte| byte == b'\n').count(), bytes.len() - last),
    }
}

pub(super) struct Forms<'a> {
    source: &'a mut dyn BufRead,
    dialect: Dialect,
    /// Where the next byte stands: line and column.
    at: (usize, usize),
    /// The list that holds all maps: what ends it, and where it began.
    around: Option<(u8, usize, usize)>,
    form: Vec<u8>,
}

impl<'a> Forms<'a> {
    pub fn new(source: &'a mut dyn BufRead, lines_before: usize, dialect: Dialect) -> Self {
        Forms { source, dialect, at: (lines_before + 1, 1), around: None, form: Vec::new() }
    }

    /// The next map.
    pub fn next(&mut self) -> Result<Option<Form<'_>>, Unreadable> {
        let is_edn = self.dialect == Dialect::Edn;
        let mut discarded = 0_usize;
        while let Some(byte) = self.peek()? {
            match byte {
                b',' => self.skip(1),
                byte if byte.is_ascii_whitespace() => self.skip(1),
                b';' if is_edn => self.skip_while(|byte| byte != b'\n')?,
                b']' | b')' if self.around.is_some_and(|(end, ..)| end == byte) => {
                    self.around = None;
                    self.skip(1);
                }
                b']' | b')' | b'}' => {
                    return Err(self.wrong(format!("this `{}` closes nothing", char::from(byte))));
                }
                b'[' | b'(' if self.around.is_none() && discarded == 0 => {
                    let (line, column) = self.at;
                    self.around = Some((closing(byte), line, column));
                    self.skip(1);
                }
                b'#' if is_edn => {
                    self.skip(1);
                    match self.peek()? {
                        Some(b'_') => {
                            self.skip(1);
                            discarded += 1;
                        }
                        // A set: it is no map, which is said below.
                        Some(b'{') if discarded == 0 => return Err(self.no_map(b'#')),
                        Some(b'{') | None => {}
                        // A tag, such as that of a record: what matters is the map after it.
                        Some(_) => self.skip_while(|byte| !is_delimiter(byte))?,
                    }
                }
                b'{' | b'[' | b'(' | b'"' if discarded > 0 => {
                    self.scan()?;
                    self.at = place(self.at, &self.form);
                    discarded -= 1;
                }
                b'{' => {
                    self.scan()?;
                    let (line, column) = self.at;
                    self.at = place(self.at, &self.form);
                    let malformed = |(at, message)| {
                        let (line, column) = place((line, column), &self.form[..at]);
                        Malformed { line, column, message }
                    };
                    return Ok(Some(Form { text: text(&self.form).map_err(malformed)?, line, column }));
                }
                _ if discarded > 0 => {
                    // Always at least one byte, whatever it is.
                    self.skip(1);
                    self.skip_while(|byte| !is_delimiter(byte))?;
                    discarded -= 1;
                }
                byte => return Err(self.no_map(byte)),
            }
        }
        match self.around {
            None => Ok(None),
            Some((end, line, column)) => {
                let end = char::from(end);
                Err(self.wrong(format!("the `{end}` of the list at {line}:{column} is missing; is the file cut off?")))
            }
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.source.fill_buf()?.first().copied())
    }

    /// Passes over bytes that have been seen; only the first can end a line.
    fn skip(&mut self, count: usize) {
        if let Ok(bytes) = self.source.fill_buf() {
            self.at = place(self.at, &bytes[..count.min(bytes.len())]);
        }
        self.source.consume(count);
    }

    fn skip_while(&mut self, is_skipped: impl Fn(u8) -> bool) -> io::Result<()> {
        loop {
            let bytes = self.source.fill_buf()?;
            let count = bytes.iter().position(|&byte| !is_skipped(byte)).unwrap_or(bytes.len());
            let is_done = count < bytes.len() || bytes.is_empty();
            self.skip(count);
            if is_done {
                return Ok(());
            }
        }
    }

    /// Takes everything up to the end of what begins here.
    fn scan(&mut self) -> Result<(), Unreadable> {
        self.form.clear();
        let mut scanner = Scanner { is_edn: self.dialect == Dialect::Edn, mode: Mode::Plain, ends: Vec::new() };
        loop {
            let bytes = self.source.fill_buf()?;
            if bytes.is_empty() {
                return Err(self.wrong("what begins here has no end; is the file cut off?".to_owned()));
            }
            let scanned = scanner.scan(bytes);
            let count = scanned.as_ref().map_or_else(|(count, _)| *count, |end| end.unwrap_or(bytes.len()));
            self.form.extend_from_slice(&bytes[..count]);
            self.source.consume(count);
            if let Err((_, message)) = scanned {
                let (line, column) = place(self.at, &self.form);
                return Err(Malformed { line, column, message }.into());
            }
            if let Ok(Some(_)) = scanned {
                return Ok(());
            }
            if self.form.len() > LENGTH_MAX {
                return Err(self.wrong("what begins here is longer than 64 MiB".to_owned()));
            }
        }
    }

    fn wrong(&self, message: String) -> Unreadable {
        let (line, column) = self.at;
        Malformed { line, column, message }.into()
    }

    fn no_map(&self, found: u8) -> Unreadable {
        let example = match self.dialect {
            Dialect::Edn => "{:process 0, :type :invoke, :f :read, :value nil}",
            Dialect::Json => r#"{"process":0,"type":"invoke","f":"read","value":null}"#,
        };
        let found = match found {
            b' '..=b'~' => format!("something that begins with `{}`", char::from(found)),
            _ => "something else".to_owned(),
        };
        self.wrong(format!("expected an event such as `{example}`, found {found}"))
    }
}

fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b',' | b';' | b'"' | b'{' | b'}' | b'[' | b']' | b'(' | b')')
}

fn closing(opening: u8) -> u8 {
    match opening {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    }
}

enum Mode {
    Plain,
    Text,
    /// After a backslash in a text.
    Escape,
    Comment,
    /// After a backslash outside of texts.
    Character,
}

struct Scanner {
    is_edn: bool,
    mode: Mode,
    /// What ends whatever is open, the innermost last.
    ends: Vec<u8>,
}

impl Scanner {
    /// How many of the bytes belong to what was begun, if it ends among them; else which byte is wrong, and why.
    fn scan(&mut self, bytes: &[u8]) -> Result<Option<usize>, (usize, String)> {
        for (i, &byte) in bytes.iter().enumerate() {
            match (&self.mode, byte) {
                (Mode::Text, b'"') => {
                    self.mode = Mode::Plain;
                    if self.ends.is_empty() {
                        return Ok(Some(i + 1));
                    }
                }
                (Mode::Text, b'\\') => self.mode = Mode::Escape,
                (Mode::Text, _) => {}
                (Mode::Escape, _) => self.mode = Mode::Text,
                (Mode::Comment, b'\n') | (Mode::Character, _) => self.mode = Mode::Plain,
                (Mode::Comment, _) => {}
                (Mode::Plain, b'"') => self.mode = Mode::Text,
                (Mode::Plain, b';') if self.is_edn => self.mode = Mode::Comment,
                (Mode::Plain, b'\\') if self.is_edn => self.mode = Mode::Character,
                (Mode::Plain, b'{' | b'[' | b'(') => {
                    if self.ends.len() == DEPTH_MAX {
                        return Err((i, "this is nested too deep; is a closing bracket missing before it?".to_owned()));
                    }
                    self.ends.push(closing(byte));
                }
                (Mode::Plain, b'}' | b']' | b')') => {
                    let wanted = self.ends.pop().unwrap_or(byte);
                    if wanted != byte {
                        let (wanted, found) = (char::from(wanted), char::from(byte));
                        return Err((i, format!("expected `{wanted}`, found `{found}`")));
                    }
                    if self.ends.is_empty() {
                        return Ok(Some(i + 1));
                    }
                }
                (Mode::Plain, _) => {}
            }
        }
        Ok(None)
    }
}
