//! What a table takes: the key tables that feed the parser, its messages and the manual.

use sim_core::settings::{Key, Kind};

/// One key of a table.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// As the file writes it.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What holds where the file does not say it.
    pub absent: Absent,
    /// One sentence for the manual.
    pub text: &'static str,
}

impl Entry {
    /// A key of a protocol.
    pub fn from_key(key: &Key) -> Self {
        Entry { name: key.name, takes: Takes::Setting(key.kind), absent: Absent::Is(key.default), text: key.text }
    }
}

/// What holds where a key is not set.
#[derive(Clone, Copy, Debug)]
pub enum Absent {
    /// It must be.
    Error,
    /// This value, as the file would write it.
    Is(&'static str),
    /// Something that is no plain value, in words.
    Means(&'static str),
}

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// What a protocol's key can take, too.
    Setting(Kind),
    /// Any text.
    Text,
    /// `97%`, or `200ppm`.
    Share,
    /// `300/s`.
    Rate,
    /// A decimal number.
    Decimal,
    /// `-50ms..50ms`.
    Offset,
    /// `-5s`.
    Step,
    /// `+5%`, or `-200ppm`.
    Drift,
    /// `5ms`, `1ms..10ms`, or a table.
    Delay,
    /// A delay, as a text perhaps with a `+`.
    AddedDelay,
    /// A list of texts.
    Texts,
    /// A target, or a list of them.
    Targets,
    /// A list whose elements are each a target or a list of them.
    Groups,
    /// A table of whole numbers under names of one's own choice.
    Counts,
    /// A table of delays under the names of links.
    Links,
    /// A table of tables under names of one's own choice, each of which takes these keys.
    Named(&'static Section),
    /// A whole number, or a table that takes these keys.
    CountOr(&'static Section),
    /// A table that takes these keys.
    Table(&'static Section),
    /// A list of tables: `[[load]]`. Which keys they take may depend on one of them.
    Tables(&'static [&'static Section]),
}

impl Takes {
    /// What it takes, in words.
    pub fn noun(&self) -> String {
        match self {
            Takes::Setting(Kind::Flag) => "`true` or `false`, without quotes".to_owned(),
            Takes::Setting(Kind::Count { .. }) => "a whole number, without quotes".to_owned(),
            Takes::Setting(Kind::Duration { .. }) => "a length of time such as \"150ms\"".to_owned(),
            Takes::Setting(Kind::DurationRange { .. }) => "a time such as \"10s\", or a range \"10s..20s\"".to_owned(),
            Takes::Setting(Kind::Word(words)) => format!("one of the words {}", quoted(words)),
            Takes::Text => "a text in quotes".to_owned(),
            Takes::Share | Takes::Setting(Kind::Share { .. }) => "a share such as \"97%\"".to_owned(),
            Takes::Rate => "a rate such as \"300/s\"".to_owned(),
            Takes::Decimal => "a number".to_owned(),
            Takes::Offset => "a range of times such as \"-50ms..50ms\"".to_owned(),
            Takes::Step => "a time with a sign, such as \"-5s\"".to_owned(),
            Takes::Drift => "a share with a sign, such as \"+5%\" or \"-200ppm\"".to_owned(),
            Takes::Delay | Takes::AddedDelay => {
                "a delay: \"5ms\", \"1ms..10ms\", or { dist = \"lognormal\", median = \"31ms\", p99 = \"45ms\" }"
                    .to_owned()
            }
            Takes::Texts => "a list of texts, such as [\"a\", \"b\"]".to_owned(),
            Takes::Targets => "a target such as \"leader\", or a list of targets".to_owned(),
            Takes::Groups => "a list of groups such as [[\"leader\"], [\"others\"]]".to_owned(),
            Takes::Counts => "a table of whole numbers, such as { a = 2, b = 3 }".to_owned(),
            Takes::Links => "a table of delays, such as { same-zone = \"250us\" }".to_owned(),
            Takes::CountOr(section) => format!("a whole number, or a table of {}", section.names()),
            Takes::Named(section) => format!("a table of tables, each of {}", section.names()),
            Takes::Table(section) => format!("a table of {}", section.names()),
            Takes::Tables([section, ..]) => format!("a list of tables, each under a header {}", section.title),
            Takes::Tables([]) => "a list of tables".to_owned(),
        }
    }
}

/// The keys of one table.
#[derive(Debug)]
pub struct Section {
    /// What a message calls it: `[cluster]`, `` a `crash` fault ``.
    pub title: &'static str,
    /// One sentence for the manual.
    pub text: &'static str,
    /// Its keys; several tables can share a part.
    pub parts: &'static [&'static [Entry]],
}

impl Section {
    /// Its keys.
    pub fn entries(&self) -> impl Iterator<Item = &'static Entry> {
        self.parts.iter().flat_map(|part| part.iter())
    }

    /// The key of this name.
    pub fn entry(&self, name: &str) -> Option<&'static Entry> {
        self.entries().find(|entry| entry.name == name)
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.entries().map(|entry| entry.name).collect();
        quoted(&names)
    }
}

/// `` `a`, `b` ``
pub(crate) fn quoted<T: std::fmt::Display>(words: &[T]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}
