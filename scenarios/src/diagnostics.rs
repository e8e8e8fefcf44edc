//! What is wrong with a scenario file, and how to say it: the way rustc does, with the line, a pointer and the cure.

use crate::codes::Code;
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin as Path, Renderer, Snippet};
use std::ops::Range;
use std::sync::Arc;

/// Whether a scenario with this problem can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but probably does not do what its author hopes.
    Warning,
}

/// Where something was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere in particular: it concerns the file as a whole, or something that is missing from it.
    Whole,
    /// In these bytes of the file.
    File(Range<usize>),
    /// On the command line, in `--set` of this key.
    Set(Arc<str>),
}

impl Origin {
    /// Whether the other stands in this one, or is the same.
    pub(crate) fn holds(&self, other: &Origin) -> bool {
        match (self, other) {
            (Origin::File(outer), Origin::File(inner)) => outer.start <= inner.start && inner.end <= outer.end,
            (Origin::Set(key), Origin::Set(other)) => key == other,
            _ => false,
        }
    }
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the scenario can run all the same.
    pub severity: Severity,
    /// Its number, such as `S0102`; [`crate::codes::ALL`] explains each.
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where.
    pub origin: Origin,
    /// A few words beside the pointer; may be empty.
    pub label: String,
    /// What would be right.
    pub help: Option<String>,
}

impl Diagnostic {
    pub(crate) fn new(code: &'static Code, origin: &Origin, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: code.severity,
            code: code.id,
            message: tame(&message.into()),
            origin: origin.clone(),
            label: String::new(),
            help: None,
        }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = tame(&label.into());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(tame(&help.into()));
        self
    }

    /// Says what it depends on.
    pub(crate) fn because(self, reason: &str) -> Self {
        Diagnostic { message: format!("{} ({})", self.message, tame(reason)), ..self }
    }

    /// Line and column of the first character it points at, both from 1; `None` if it points at nothing in the file.
    pub fn position(&self, source: &str) -> Option<(usize, usize)> {
        let Origin::File(span) = &self.origin else { return None };
        let line = line_around(source, span.start);
        let number = source.as_bytes()[..line.start].iter().filter(|byte| **byte == b'\n').count();
        let column = source[line.start..boundary(source, span.start)].chars().count();
        Some((number + 1, column + 1))
    }
}

/// Messages quote the file, and a file can hold anything: no control characters, and not more than fits a few lines.
fn tame(text: &str) -> String {
    const LENGTH_MAX: usize = 400;
    let escaped = |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() };
    let mut tamed: String = text.chars().take(LENGTH_MAX).map(escaped).collect();
    if text.chars().nth(LENGTH_MAX).is_some() {
        tamed.push('…');
    }
    tamed
}

/// Sorted as a reader meets them: what concerns the whole file, then from top to bottom, then the command line.
pub(crate) fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|diagnostic| match &diagnostic.origin {
        Origin::Whole => (0, 0),
        Origin::File(span) => (1, span.start),
        Origin::Set(_) => (2, 0),
    });
}

/// The problems as text for a terminal, each followed by an empty line; empty if there are none.
pub fn render(diagnostics: &[Diagnostic], path: &str, source: &str, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
    diagnostics.iter().map(|diagnostic| renderer.render(&[group(diagnostic, path, source)]) + "\n\n").collect()
}

fn group<'a>(diagnostic: &'a Diagnostic, path: &'a str, source: &'a str) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = match &diagnostic.origin {
        // There is no line to point at, so what would stand below it is said at once.
        Origin::Set(key) if diagnostic.label.is_empty() => format!("in --set {key}: {}", diagnostic.message),
        Origin::Set(key) => format!("in --set {key}: {}; {}", diagnostic.message, diagnostic.label),
        Origin::Whole | Origin::File(_) => diagnostic.message.clone(),
    };
    let title = level.primary_title(title).id(diagnostic.code);
    let group = match &diagnostic.origin {
        Origin::Whole => title.element(Path::path(path)),
        Origin::Set(_) => Group::with_title(title),
        Origin::File(span) => {
            // One line is shown: of something that spans several (a table, a list), where it begins.
            let line = line_around(source, span.start);
            let start = boundary(source, span.start);
            let end = boundary(source, span.end).clamp(start, line.end.max(start));
            let number = source.as_bytes()[..line.start].iter().filter(|byte| **byte == b'\n').count() + 1;
            let pointer = AnnotationKind::Primary.span(start - line.start..end - line.start);
            let pointer = if diagnostic.label.is_empty() { pointer } else { pointer.label(diagnostic.label.as_str()) };
            title.element(Snippet::source(&source[line]).line_start(number).path(path).annotation(pointer))
        }
    };
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

/// The line that byte `at` stands in, without its line feed.
fn line_around(source: &str, at: usize) -> Range<usize> {
    let at = boundary(source, at);
    let start = source[..at].rfind('\n').map_or(0, |feed| feed + 1);
    let end = source[at..].find('\n').map_or(source.len(), |feed| at + feed);
    start..end
}

/// The last character boundary at or before byte `at`.
fn boundary(source: &str, at: usize) -> usize {
    (0..=at.min(source.len())).rev().find(|&at| source.is_char_boundary(at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let source = "a = 1\nü = 2\n";
        let at = |span| Diagnostic::new(&codes::SYNTAX, &Origin::File(span), "").position(source);
        assert_eq!(at(0..1), Some((1, 1)));
        assert_eq!(at(9..10), Some((2, 3)));
        assert_eq!(at(900..901), Some((3, 1)), "a span beyond the end points at the end");
        assert_eq!(Diagnostic::new(&codes::SYNTAX, &Origin::Whole, "").position(source), None);
    }

    #[test]
    fn what_has_no_line_says_where_it_stands() {
        let whole = Diagnostic::new(&codes::MISSING_KEY, &Origin::Whole, "it has no `duration`").help("add one");
        assert_eq!(
            render(&[whole], "a.toml", "", false),
            "error[S0101]: it has no `duration`\n--> a.toml\n = help: add one\n\n"
        );
        let set = Diagnostic::new(&codes::BAD_OVERRIDE, &Origin::Set("load.7.clients".into()), "there is no number 7");
        assert_eq!(
            render(&[set], "a.toml", "", false),
            "error[S0005]: in --set load.7.clients: there is no number 7\n\n"
        );
    }
}
