//! The terminal: what it can show, and writing to it.

use reports::terminal::Look;
use std::io::{IsTerminal as _, Write as _};

/// How to write to standard output.
pub fn look() -> Look {
    Look { colour: wants_colour(std::io::stdout().is_terminal()), unicode: shows_unicode() }
}

/// Whether to write colours to standard error.
pub fn colour_on_stderr() -> bool {
    wants_colour(std::io::stderr().is_terminal())
}

fn wants_colour(is_terminal: bool) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    is_terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// As the first of the variables that is set says; if none is, everything of today shows UTF-8.
fn shows_unicode() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].iter().filter_map(|name| std::env::var(name).ok());
    set.into_iter().find(|value| !value.is_empty()).is_none_or(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// Writes to standard output. If nobody reads on (`| head`), the command is done.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}
