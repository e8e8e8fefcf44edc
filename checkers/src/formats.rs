//! Readers of recorded histories, our own and other tools'.
//!
//! Every reader turns a text into the same [`History`]; a bad line is reported with its line, its column, what is
//! wrong and what would be right. Whatever the input, a reader never panics.
//!
//! To add a format: one file with a reader, one line in `FORMATS`, and where users should be able to ask for it by
//! name, one variant of [`Input`].

mod etcd_log;
mod kv_log;

use history::jsonl::{self, Malformed};
use history::{History, Value};

/// Which formats to consider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Input {
    /// Whichever the text looks like.
    #[default]
    Auto,
    /// Our own JSON Lines ([`history::jsonl`]).
    Jsonl,
    /// The two kinds of logs that porcupine reads: Jepsen's of etcd, and its own of string stores.
    Porcupine,
}

impl Input {
    /// All of them.
    pub const ALL: [Input; 3] = [Input::Auto, Input::Jsonl, Input::Porcupine];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Input::Auto => "auto",
            Input::Jsonl => "jsonl",
            Input::Porcupine => "porcupine",
        }
    }

    /// The input of that name.
    pub fn from_name(name: &str) -> Option<Input> {
        Input::ALL.into_iter().find(|input| input.name() == name)
    }
}

/// A history as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// What happened.
    pub history: History,
    /// The format it was written in, in words.
    pub format: &'static str,
    /// What objects hold at first, by the custom of this format.
    pub initial: Value,
}

/// One format: how to know it, and how to read it.
struct Format {
    name: &'static str,
    input: Input,
    /// Whether a line is this format's, as far as one can tell without reading it.
    looks_like: fn(&str) -> bool,
    read: fn(&str) -> Result<History, Malformed>,
    initial: fn() -> Value,
}

const FORMATS: &[Format] = &[
    Format {
        name: "JSON Lines",
        input: Input::Jsonl,
        looks_like: |line| {
            line.strip_prefix('{')
                .is_some_and(|rest| rest.trim_start().starts_with('"') || rest.trim_start().is_empty())
        },
        read: jsonl::read,
        initial: || Value::Nil,
    },
    Format {
        name: "etcd log",
        input: Input::Porcupine,
        looks_like: etcd_log::looks_like,
        read: etcd_log::read,
        initial: || Value::Nil,
    },
    Format {
        name: "kv log",
        input: Input::Porcupine,
        looks_like: kv_log::looks_like,
        read: kv_log::read,
        initial: || Value::text(""),
    },
];

/// Reads a recorded history.
///
/// # Errors
/// The first bad line, with the column and what would be right; or that the text is in no format that `input` names.
pub fn read(text: &str, input: Input) -> Result<Recorded, Malformed> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let format = recognize(text, input)?;
    let history = (format.read)(text)?;
    Ok(Recorded { history, format: format.name, initial: (format.initial)() })
}

/// The format of the first line that any format claims.
fn recognize(text: &str, input: Input) -> Result<&'static Format, Malformed> {
    let at = |line: usize, message: String| Malformed { line, column: 1, message };
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()).peekable();
    let Some(&(first_number, first)) = lines.peek() else {
        return Err(at(1, format!("the file holds no history, it is empty; {}", expected(input))));
    };
    let wanted = |format: &&Format| input == Input::Auto || format.input == input;
    for (_, line) in lines {
        let claims = |format: &&Format| (format.looks_like)(line.trim_start());
        if let Some(format) = FORMATS.iter().filter(wanted).find(claims) {
            return Ok(format);
        }
    }
    let first = crate::text::excerpt(first.trim());
    Err(at(first_number, format!("no history in a known format; it begins {first}; {}", expected(input))))
}

fn expected(input: Input) -> String {
    const JSONL: &str = r#"a JSON Lines event such as {"process":0,"type":"invoke","f":"read","value":null}"#;
    const PORCUPINE: &str = "a line such as `INFO  jepsen.util - 0 :invoke :read nil` \
                             or `{:process 0, :type :invoke, :f :get, :key \"0\", :value nil}`";
    match input {
        Input::Auto => format!("expected {JSONL} or {PORCUPINE}"),
        Input::Jsonl => format!("expected {JSONL}"),
        Input::Porcupine => format!("expected {PORCUPINE}"),
    }
}
