//! The terminal: what it can show, and writing to it.

use crate::exit::{Exit, Failure};
use crate::files::told;
use reports::terminal::Look;
use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;

/// How to write to standard output.
pub fn look() -> Look {
    Look { colour: wants_colour(io::stdout().is_terminal()), unicode: shows_unicode() }
}

/// How many columns a text may have: those of the terminal, but no more than a hundred, which is also what a file gets.
pub fn width() -> usize {
    const MOST: usize = 100;
    const LEAST: usize = 40;
    let of_terminal = || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0.into());
    let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    asked.or_else(of_terminal).unwrap_or(MOST).clamp(LEAST, MOST)
}

/// Whether to write colours to standard error.
pub fn colour_on_stderr() -> bool {
    wants_colour(io::stderr().is_terminal())
}

/// Whether somebody reads standard output as it comes.
pub fn is_read_by_people() -> bool {
    io::stdout().is_terminal()
}

/// Whether what stands on standard error can be drawn over.
pub fn draws_on_stderr() -> bool {
    io::stderr().is_terminal() && is_no_teletype()
}

fn wants_colour(is_terminal: bool) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    is_terminal && !set("NO_COLOR") && is_no_teletype()
}

fn is_no_teletype() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// As the first of the variables that is set says; if none is, everything of today shows UTF-8.
pub fn shows_unicode() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].iter().filter_map(|name| std::env::var(name).ok());
    set.into_iter().find(|value| !value.is_empty()).is_none_or(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// Writes to standard output. That nobody reads on (`| head`) is no failure: the command ends by its verdict.
pub fn print(text: &str) -> Result<(), Failure> {
    stream(text).or_else(|failure| if failure.exit == Exit::Unheard { Ok(()) } else { Err(failure) })
}

/// The same for output without end in sight: where nobody reads on, there is no use in going on.
pub fn stream(content: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(content.as_ref()).and_then(|()| out.flush()).map_err(|e| {
        if e.kind() == io::ErrorKind::BrokenPipe {
            return Failure { exit: Exit::Unheard, message: String::new() };
        }
        Failure::usage(format!("cannot write to standard output: {}", told(&e)))
    })
}

/// A panic of a protocol's code is a finding. Where it happened is worth a word, but not again when the run is made a second
/// time to be drawn, and not for every seed of many.
pub fn say_panics_once() {
    let (said, say) = (Mutex::new(BTreeSet::new()), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string);
        if said.lock().is_ok_and(|mut said| said.insert(place)) {
            say(panic);
        }
    }));
}

/// Writes to standard error, as far as that can be.
pub fn complain(text: &str) {
    let text = text.trim_end();
    if !text.is_empty() {
        let _ = writeln!(io::stderr(), "{text}");
    }
}
