//! How wide a text is, without its font: a page is read with whatever font there is. The widths are those of DejaVu Sans,
//! the widest of those that a page asks for, rounded up, so that what fits here fits anywhere.

/// The usual size of text, in pixels.
pub const PLAIN: f64 = 12.0;

/// The size of the class `small`.
pub const SMALL: f64 = 11.0;

/// As if it were of this size, a bold text of the usual size is measured: DejaVu Sans Bold is up to 16 % wider, letter for
/// letter, than what [`width`] takes.
pub const BOLD: f64 = PLAIN * 1.16;

/// How wide a text is at most, in pixels, at a size in pixels.
pub fn width(text: &str, size: f64) -> f64 {
    size * text.chars().map(em).sum::<f64>()
}

/// A letter's width, as a share of the size.
fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '|' | '\'' | '!' | ' ' | '·' | '\u{202f}' => 0.34,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '-' | '/' | '"' => 0.41,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '…' => 1.0,
        'A'..='Z' | '+' | '=' | '<' | '>' | '~' | '#' | '&' => 0.84,
        'µ' => 0.64,
        '→' => 0.84,
        c if c.is_ascii() => 0.64,
        _ => 1.0,
    }
}

/// A text as far as there is room for it: whole, or cut with a sign of that; `None` if so little is left that it says nothing.
pub fn fitted(text: &str, size: f64, room: f64) -> Option<String> {
    /// Fewer letters than this say nothing.
    const LETTERS_MIN: usize = 3;
    if width(text, size) <= room {
        return Some(text.to_owned());
    }
    let mut left = room - size * em('…');
    let kept = text.chars().take_while(|c| {
        left -= size * em(*c);
        left >= 0.0
    });
    let kept: String = kept.collect();
    let kept = kept.trim_end();
    (kept.chars().count() >= LETTERS_MIN).then(|| format!("{kept}…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_the_room_ends() {
        let text = "partition n1 | n2 n3";
        let whole = width(text, SMALL);
        assert_eq!(fitted(text, SMALL, whole).as_deref(), Some(text));
        let cut = fitted(text, SMALL, whole / 2.0).expect("some of it fits");
        assert!(cut.ends_with('…') && width(&cut, SMALL) <= whole / 2.0, "{cut}");
        assert_eq!(fitted(text, SMALL, 20.0), None);
        assert_eq!(fitted(text, SMALL, f64::NAN), None);
        assert_eq!(fitted("", SMALL, 0.0).as_deref(), Some(""));
    }
}
