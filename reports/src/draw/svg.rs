//! Elements of an SVG, as text. Coordinates are pixels and are written to a tenth.

use super::ink::Ink;
use std::fmt::Write as _;

/// Elements that were drawn, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Svg {
    text: String,
}

/// Where a text stands, seen from its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Right of it.
    Start,
    /// Around it.
    Middle,
    /// Left of it.
    End,
}

impl Svg {
    /// Nothing drawn yet.
    pub fn new() -> Self {
        Svg::default()
    }

    /// What was drawn.
    pub fn into_text(self) -> String {
        self.text
    }

    /// An element without content: its name, then attributes as they are written.
    pub fn element(&mut self, name: &str, attributes: &str) {
        let _ = write!(self.text, "<{name} {attributes}/>");
    }

    /// A filled rectangle, corners rounded by `round`.
    pub fn rect(&mut self, (x, y): (f64, f64), (w, h): (f64, f64), round: f64, class: &str) {
        let round = if round > 0.0 { format!(" rx=\"{}\"", px(round)) } else { String::new() };
        self.element(
            "rect",
            &format!(
                "x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"{round} class=\"{class}\"",
                px(x),
                px(y),
                px(w),
                px(h)
            ),
        );
    }

    /// A path, its `d` written already.
    pub fn path(&mut self, d: &str, class: &str) {
        self.element("path", &format!("d=\"{d}\" class=\"{class}\""));
    }

    /// A line from one point to another.
    pub fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
        self.path(&format!("M{} {}L{} {}", px(x1), px(y1), px(x2), px(y2)), class);
    }

    /// A text, whatever it holds. `class` may name a size (`small`, `large`, `mono`, `bold`) beside the ink.
    pub fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let _ = write!(
            self.text,
            "<text x=\"{}\" y=\"{}\"{anchor} class=\"{class}\">{}</text>",
            px(x),
            px(y),
            escaped(text)
        );
    }

    /// What is drawn within shows `tip` where a pointer rests on it.
    pub fn tipped(&mut self, tip: &str, draw: impl FnOnce(&mut Svg)) {
        let _ = write!(self.text, "<g><title>{}</title>", escaped(tip));
        draw(self);
        self.text.push_str("</g>");
    }

    /// A group with attributes as they are written.
    pub fn group(&mut self, attributes: &str, draw: impl FnOnce(&mut Svg)) {
        let _ = write!(self.text, "<g {attributes}>");
        draw(self);
        self.text.push_str("</g>");
    }

    /// Elements written already.
    pub fn raw(&mut self, elements: &str) {
        self.text.push_str(elements);
    }
}

/// The class that fills with an ink.
pub fn fill(ink: Ink) -> String {
    format!("f-{}", ink.name)
}

/// The class that draws lines with an ink.
pub fn stroke(ink: Ink) -> String {
    format!("s-{}", ink.name)
}

/// A coordinate, to a tenth of a pixel and no longer than it must be. What is no number stands at 0.
pub fn px(at: f64) -> String {
    // Beyond this nothing is drawn, and an integer would overflow.
    let tenths = (at * 10.0).clamp(-1e7, 1e7);
    let tenths = if tenths.is_finite() { (tenths + if tenths < 0.0 { -0.5 } else { 0.5 }) as i64 } else { 0 };
    let sign = if tenths < 0 { "-" } else { "" };
    let (whole, tenth) = (tenths.abs() / 10, tenths.abs() % 10);
    if tenth == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{tenth}") }
}

/// A text as XML takes it between tags and in attributes. What XML has no form for becomes a sign that something was there.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' => escaped.push('\n'),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_as_short_as_they_can_be() {
        let written = [0.0, 12.0, 12.34, 12.35, -0.04, -3.06, f64::NAN, f64::INFINITY, 1e300].map(px);
        assert_eq!(written, ["0", "12", "12.3", "12.4", "0", "-3.1", "0", "1000000", "1000000"]);
    }

    #[test]
    fn xml_takes_whatever_there_is() {
        let told = escaped("a<b>&\"c\"'\u{1b}\u{ffff}\n\u{fc}.toml");
        assert_eq!(told, "a&lt;b&gt;&amp;&quot;c&quot;&#39;\u{fffd}\u{fffd}\n\u{fc}.toml");
    }

    #[test]
    fn no_text_breaks_out_of_its_element() {
        let mut svg = Svg::new();
        svg.tipped("a\"b", |svg| svg.text((1.0, 2.0), Anchor::End, "f-text", "</text><script>\u{1b}"));
        let expected = "<g><title>a&quot;b</title><text x=\"1\" y=\"2\" text-anchor=\"end\" class=\"f-text\">\
                        &lt;/text&gt;&lt;script&gt;\u{fffd}</text></g>";
        assert_eq!(svg.into_text(), expected);
    }
}
