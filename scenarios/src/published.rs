//! What papers published, beside the scenarios that reproduce it: data in the language of scenarios, read here as they are.

use serde::de::DeserializeOwned;

/// Why a file cannot be read: line and column, from 1, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// In one sentence.
    pub message: String,
}

/// Reads such a file. The error says what is wrong first.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    toml::from_str(text).map_err(|error| {
        let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
        Problem {
            line: before.matches('\n').count() + 1,
            column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
            message: error.message().to_owned(),
        }
    })
}
