//! Texts as sentences show them.

/// What was found where something else was expected; cut short, since it may be a megabyte.
pub(crate) fn excerpt(found: &str) -> String {
    const SHOWN_MAX: usize = 40;
    match found.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("`{}…`", found[..end].escape_debug()),
        None => format!("`{}`", found.escape_debug()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_short_and_printable() {
        assert_eq!(excerpt("a\tb"), "`a\\tb`");
        assert!(excerpt(&"é".repeat(1000)).len() < 100);
    }
}
