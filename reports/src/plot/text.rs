//! How much room a text takes. Nobody knows which font a reader has, so this is the width in a wide one.

/// Of a letter, in parts of its height.
const LETTER: f64 = 0.61;

/// Of what is beyond Latin, Greek and Cyrillic.
const WIDE: f64 = 1.0;

/// In pixels, at a height of `size`.
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(|c| if c < '\u{2e80}' { LETTER } else { WIDE }).sum::<f64>() * size
}
