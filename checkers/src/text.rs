//! Numbers and values as sentences show them.

use std::fmt::Display;

/// What was found where something else was expected; cut short, since it may be a megabyte.
pub(crate) fn excerpt(found: &str) -> String {
    const SHOWN_MAX: usize = 40;
    match found.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("`{}…`", found[..end].escape_debug()),
        None => format!("`{}`", found.escape_debug()),
    }
}

/// A value as a sentence shows it: a long text loses its middle, since what differs is mostly at an end.
pub(crate) fn shown(value: &impl Display) -> String {
    const END_MAX: usize = 30;
    let text = value.to_string();
    let (head, tail) = (text.char_indices().nth(END_MAX), text.char_indices().nth_back(END_MAX - 1));
    match (head, tail) {
        (Some((head, _)), Some((tail, _))) if head < tail => format!("{}…{}", &text[..head], &text[tail..]),
        _ => text,
    }
}

/// An instant, in the largest unit that loses nothing a reader would miss.
pub(crate) fn instant(nanoseconds: u64) -> String {
    match nanoseconds {
        0..10_000 => format!("{nanoseconds} ns"),
        10_000..10_000_000_000 => format!("{}.{:03} ms", nanoseconds / 1_000_000, nanoseconds / 1_000 % 1_000),
        _ => format!("{}.{:03} s", nanoseconds / 1_000_000_000, nanoseconds / 1_000_000 % 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_choose_their_unit() {
        assert_eq!(instant(7), "7 ns");
        assert_eq!(instant(12_345_678), "12.345 ms");
        assert_eq!(instant(61_234_000_000), "61.234 s");
    }

    #[test]
    fn long_values_lose_their_middle() {
        let long = format!("{}{}", "é".repeat(30), "x".repeat(30));
        assert_eq!(shown(&long), long);
        assert_eq!(shown(&format!("{long}y")), format!("{}…{}y", "é".repeat(30), "x".repeat(29)));
    }

    #[test]
    fn excerpts_are_short_and_printable() {
        assert_eq!(excerpt("a\tb"), "`a\\tb`");
        assert!(excerpt(&"é".repeat(1000)).len() < 100);
    }
}
