//! What a table takes: the key tables that feed the parser, its messages and the manual.

use history::figures::grouped;
use sim_core::settings::{Key, Kind, format_decimal};
use sim_core::time::format_duration;

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
    /// A value, as the file would write it; `None` where the default or what it takes says enough.
    pub example: Option<&'static str>,
}

impl Entry {
    /// A key of a protocol.
    pub fn from_key(key: &Key) -> Self {
        let (takes, absent) = (Takes::Setting(key.kind), Absent::Is(key.default));
        Entry { name: key.name, takes, absent, text: key.text, example: None }
    }

    /// The same with a value for the manual to show.
    pub const fn eg(self, example: &'static str) -> Self {
        Entry { example: Some(example), ..self }
    }

    /// The value that holds where the file says nothing, as the file would write it; `None` if there is no such value.
    pub fn default(&self) -> Option<String> {
        match self.absent {
            Absent::Is(default) => Some(self.takes.written(default)),
            Absent::Error | Absent::Means(_) => None,
        }
    }

    /// A value that it takes, as the file would write it.
    pub fn value(&self) -> String {
        let shown = self.example.map(str::to_owned).or_else(|| self.default());
        shown.unwrap_or_else(|| self.takes.usual())
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
    /// `64KB`.
    Size,
    /// `1MB/s`.
    Bandwidth,
    /// A place, or a list of them.
    Places,
    /// A list of texts.
    Texts,
    /// The name of something that there is a list of.
    Name(Listed),
    /// A list of such names.
    Names(Listed),
    /// A target, or a list of them.
    Targets,
    /// A list whose elements are each a target or a list of them.
    Groups,
    /// A table of whole numbers under names of one's own choice.
    Counts,
    /// A table of delays under the names of links.
    Links,
    /// A table of lists: values to combine, under keys as `--set` takes them.
    Matrix,
    /// A list of tables: some keys of a matrix, each with one of its values.
    Combinations,
    /// A table of tables under names of one's own choice, each of which takes these keys.
    Named(&'static Section),
    /// A whole number, or a table that takes these keys.
    CountOr(&'static Section),
    /// A table that takes these keys.
    Table(&'static Section),
    /// A list of tables: `[[load]]`. Which keys they take may depend on one of them.
    Tables(&'static [&'static Section]),
}

/// What there are lists of, by which a text names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// The systems under test.
    Systems,
    /// The mistakes that a system can be given.
    Flaws,
    /// The kinds of data that a system offers.
    Data,
    /// What an operator can order of a system.
    Orders,
    /// The kinds of messages, requests and replies of a system.
    Kinds,
    /// The preset layouts.
    Layouts,
    /// What sets off a fault.
    Events,
    /// The sentences of `must` and `should`.
    Checks,
    /// The sentences of `reach`.
    Goals,
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
            Takes::Text | Takes::Name(_) => "a text in quotes".to_owned(),
            Takes::Share | Takes::Setting(Kind::Share { .. }) => "a share such as \"97%\"".to_owned(),
            Takes::Rate => "a rate such as \"300/s\"".to_owned(),
            Takes::Decimal | Takes::Setting(Kind::Decimal { .. }) => "a number".to_owned(),
            Takes::Offset => "a range of times such as \"-50ms..50ms\"".to_owned(),
            Takes::Step => "a time with a sign, such as \"-5s\"".to_owned(),
            Takes::Drift => "a share with a sign, such as \"+5%\" or \"-200ppm\"".to_owned(),
            Takes::Delay | Takes::AddedDelay => {
                "a delay: \"5ms\", \"1ms..10ms\", or { dist = \"lognormal\", median = \"31ms\", p99 = \"45ms\" }"
                    .to_owned()
            }
            Takes::Size => "a size such as \"64KB\"".to_owned(),
            Takes::Bandwidth => "a bandwidth such as \"1MB/s\" or \"10Mbit/s\"".to_owned(),
            Takes::Places => "a place such as \"zone:a\" or \"one of regions\", or a list of places".to_owned(),
            Takes::Texts | Takes::Names(_) => "a list of texts, such as [\"a\", \"b\"]".to_owned(),
            Takes::Targets => "a target such as \"leader\", or a list of targets".to_owned(),
            Takes::Groups => "a list of groups such as [[\"leader\"], [\"others\"]]".to_owned(),
            Takes::Counts => "a table of whole numbers, such as { a = 2, b = 3 }".to_owned(),
            Takes::Links => "a table of delays, such as { same-zone = \"250us\" }".to_owned(),
            Takes::Matrix => {
                "a table of lists under keys as `--set` takes them, such as { \"cluster.nodes\" = [3, 5] }".to_owned()
            }
            Takes::Combinations => "a list of tables, such as [{ \"cluster.nodes\" = 5 }]".to_owned(),
            Takes::CountOr(section) => format!("a whole number, or a table of {}", section.names()),
            Takes::Named(section) => format!("a table of tables, each of {}", section.names()),
            Takes::Table(section) => format!("a table of {}", section.names()),
            Takes::Tables([section, ..]) => format!("a list of tables, each under a header {}", section.title),
            Takes::Tables([]) => "a list of tables".to_owned(),
        }
    }

    /// The least and the most that it takes, in words; `None` if it has no such bounds.
    pub fn bounds(&self) -> Option<String> {
        let times = |min, max| format!("{} to {}", format_duration(min), format_duration(max));
        match self {
            Takes::Setting(Kind::Count { min, max: u64::MAX }) => Some(format!("{} or more", grouped(*min))),
            Takes::Setting(Kind::Count { min, max }) => Some(format!("{} to {}", grouped(*min), grouped(*max))),
            Takes::Setting(Kind::Duration { min, max } | Kind::DurationRange { min, max }) => Some(times(*min, *max)),
            Takes::Setting(Kind::Decimal { min, max }) => {
                Some(format!("{} to {}", format_decimal(*min), format_decimal(*max)))
            }
            Takes::Setting(Kind::Share { max }) => Some(format!("0% to {max}")),
            Takes::Share => Some("0% to 100%".to_owned()),
            Takes::Setting(Kind::Flag | Kind::Word(_))
            | Takes::Text
            | Takes::Rate
            | Takes::Decimal
            | Takes::Offset
            | Takes::Step
            | Takes::Drift
            | Takes::Delay
            | Takes::AddedDelay
            | Takes::Size
            | Takes::Bandwidth
            | Takes::Places
            | Takes::Texts
            | Takes::Name(_)
            | Takes::Names(_)
            | Takes::Targets
            | Takes::Groups
            | Takes::Counts
            | Takes::Links
            | Takes::Matrix
            | Takes::Combinations
            | Takes::Named(_)
            | Takes::CountOr(_)
            | Takes::Table(_)
            | Takes::Tables(_) => None,
        }
    }

    /// A value of this key table, which leaves quotes out, as a file writes it.
    fn written(&self, value: &str) -> String {
        if self.is_bare() { value.to_owned() } else { format!("\"{value}\"") }
    }

    /// Whether its plain values stand without quotes.
    pub(crate) fn is_bare(&self) -> bool {
        matches!(
            self,
            Takes::Setting(Kind::Flag | Kind::Count { .. } | Kind::Decimal { .. }) | Takes::CountOr(_) | Takes::Decimal
        )
    }

    /// A value that says what values look like.
    fn usual(&self) -> String {
        match self {
            Takes::Setting(Kind::Flag) => "true".to_owned(),
            Takes::Setting(Kind::Count { min, .. }) => min.to_string(),
            Takes::Setting(Kind::Word(words)) => format!("\"{}\"", words.first().unwrap_or(&"")),
            Takes::Setting(Kind::Duration { .. } | Kind::DurationRange { .. }) => "\"10s\"".to_owned(),
            Takes::Setting(Kind::Share { .. }) | Takes::Share => "\"1%\"".to_owned(),
            Takes::Text | Takes::Name(_) => "\"..\"".to_owned(),
            Takes::Rate => "\"300/s\"".to_owned(),
            Takes::Decimal | Takes::Setting(Kind::Decimal { .. }) => "0.99".to_owned(),
            Takes::Offset => "\"-50ms..50ms\"".to_owned(),
            Takes::Step => "\"-5s\"".to_owned(),
            Takes::Drift => "\"+5%\"".to_owned(),
            Takes::Delay => "\"1ms..10ms\"".to_owned(),
            Takes::AddedDelay => "\"+80ms\"".to_owned(),
            Takes::Size => "\"64KB\"".to_owned(),
            Takes::Bandwidth => "\"1MB/s\"".to_owned(),
            Takes::Places => "\"one of zones\"".to_owned(),
            Takes::Texts | Takes::Names(_) => "[\"..\"]".to_owned(),
            Takes::Targets => "\"any\"".to_owned(),
            Takes::Groups => "[[\"any\"], [\"others\"]]".to_owned(),
            Takes::Counts => "{ a = 2, b = 1 }".to_owned(),
            Takes::Links => "{ same-zone = \"250us\" }".to_owned(),
            Takes::CountOr(_) => "5".to_owned(),
            Takes::Matrix => "{ \"cluster.nodes\" = [3, 5] }".to_owned(),
            Takes::Combinations => "[{ \"cluster.nodes\" = 5 }]".to_owned(),
            Takes::Named(_) | Takes::Table(_) | Takes::Tables(_) => "{ .. }".to_owned(),
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
    /// Some lines as a file would have them below its header; empty where a key shows what is in the table.
    pub example: &'static str,
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
