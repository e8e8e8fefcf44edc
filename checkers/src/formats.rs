//! Readers of recorded histories, our own and other tools'.
//!
//! Every reader turns a text into the same [`History`]; a bad line is reported with its line, its column, what is
//! wrong and what would be right. Whatever the input, a reader never panics, and it holds no more of the text than a
//! line or a map of it.
//!
//! To add a format: one file with a reader, one line in `FORMATS`, and where users should be able to ask for it by
//! name, one variant of [`Input`].

mod awdit;
mod edn;
mod etcd_log;
mod forms;
mod json;
mod violin;

use history::input::{Malformed, Unreadable, text};
use history::{Completion, History, Outcome, Value, jsonl};
use std::borrow::Cow;
use std::io::{BufRead, Read as _};

use crate::text::excerpt;
use crate::{Model, Question};

/// Which formats to consider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Input {
    /// Whichever the text looks like.
    #[default]
    Auto,
    /// Our own JSON Lines ([`history::jsonl`]).
    Jsonl,
    /// Jepsen's, Knossos's, Elle's and Maelstrom's EDN.
    Edn,
    /// Jepsen's events as JSON, in one list.
    Json,
    /// The two kinds of logs that porcupine reads: Jepsen's of etcd, and its own of string stores.
    Porcupine,
    /// Violin's logs of queues and stacks.
    Violin,
    /// AWDIT's transactions.
    Awdit,
}

impl Input {
    /// All of them.
    pub const ALL: [Input; 7] =
        [Input::Auto, Input::Jsonl, Input::Edn, Input::Json, Input::Porcupine, Input::Violin, Input::Awdit];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Input::Auto => "auto",
            Input::Jsonl => "jsonl",
            Input::Edn => "edn",
            Input::Json => "json",
            Input::Porcupine => "porcupine",
            Input::Violin => "violin",
            Input::Awdit => "awdit",
        }
    }

    /// The input of that name.
    pub fn from_name(name: &str) -> Option<Input> {
        Input::ALL.into_iter().find(|input| input.name() == name)
    }

    /// What a line of it looks like.
    const fn example(self) -> &'static str {
        match self {
            Input::Auto => {
                r#"one of JSON Lines such as {"process":0,"type":"invoke","f":"read","value":null}, Jepsen's EDN or JSON, porcupine's, Violin's or AWDIT's logs"#
            }
            Input::Jsonl => r#"a JSON Lines event such as {"process":0,"type":"invoke","f":"read","value":null}"#,
            Input::Edn => "a map such as `{:process 0, :type :invoke, :f :read, :value nil}`, or a list of them",
            Input::Json => r#"a list such as [{"process":0,"type":"invoke","f":"read","value":null}, …]"#,
            Input::Porcupine => {
                "a line such as `INFO  jepsen.util - 0 :invoke :read nil` \
                 or `{:process 0, :type :invoke, :f :get, :key \"0\", :value nil}`"
            }
            Input::Violin => "`# @object atomic-queue` and lines such as `[1] call add(3)`",
            Input::Awdit => "lines such as `w 4 2` and `r 4 2`, parted by `-----` and `=====`",
        }
    }
}

/// A history as it was read, with the customs of its format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// What happened.
    pub history: History,
    /// The format it was written in, in words.
    pub format: &'static str,
    /// What objects hold at first.
    pub initial: Value,
    /// Whether the marks of different processes say what came before what. If not, only the order of each process means
    /// anything, and no real-time level of consistency can be asked for.
    pub has_real_time: bool,
    /// Whether it holds all that ever happened to the data. If not, values may stem from before or beside it.
    pub is_complete: bool,
    /// Whether it is Jepsen's own notation, in which Knossos's customs hold for a `cas-register`: it holds 0 at first, and a
    /// read that returned nil tells nothing.
    pub is_edn: bool,
}

impl Recorded {
    /// What a history of `model` starts from, by the custom of this format; `None` if as the model has it.
    pub fn initial_of(&self, model: Model) -> Option<Value> {
        match model {
            Model::CasRegister if self.is_edn => Some(Value::Int(0)),
            Model::CasRegister | Model::Register | Model::Kv | Model::RwRegister => Some(self.initial.clone()),
            Model::Queue
            | Model::Stack
            | Model::Set
            | Model::SetFull
            | Model::Mutex
            | Model::Counter
            | Model::Bank
            | Model::ListAppend
            | Model::LongFork
            | Model::UniqueIds
            | Model::Decree
            | Model::Siblings
            | Model::Cart => None,
        }
    }

    /// The history, and the usual question about it as one of `model`, by the customs of its format. `initial` is what
    /// objects hold at first, where somebody knows better.
    ///
    /// In Knossos a completed read of nil matches anything. So its outcome becomes unknown where `cas-register`s come in
    /// EDN, unless they hold nil at first: then nil is what they read.
    pub fn asked(mut self, model: Model, initial: Option<Value>) -> (History, Question<'static>) {
        let initial = initial.or_else(|| self.initial_of(model));
        if self.is_edn && model == Model::CasRegister && initial != Some(Value::Nil) {
            let reads = self.history.operations.iter_mut().filter(|operation| operation.f == "read");
            for read in reads.filter(|read| read.outcome == Outcome::Returned(Completion::Ok(Value::Nil))) {
                read.outcome = Outcome::Unknown;
            }
        }
        let Recorded { is_complete, has_real_time, .. } = self;
        let question = Question { initial, is_complete, has_real_time, ..Question::of(model) };
        (self.history, question)
    }
}

/// One format: how to know it, and how to read it.
struct Format {
    name: &'static str,
    input: Input,
    /// Whether a line is this format's, as far as one can tell without reading it.
    looks_like: fn(&str) -> bool,
    /// Reads a source of which so many lines have been passed over.
    read: fn(&mut dyn BufRead, usize) -> Result<History, Unreadable>,
    initial: fn() -> Value,
}

impl Format {
    /// Elle's transactions may read what was written before the record began.
    fn is_complete(&self, history: &History) -> bool {
        match self.input {
            Input::Edn | Input::Json => history.operations.iter().all(|operation| operation.f != "txn"),
            Input::Auto | Input::Jsonl | Input::Porcupine | Input::Violin | Input::Awdit => true,
        }
    }
}

/// The first that claims a line has it.
const FORMATS: &[Format] = &[
    Format {
        name: "JSON Lines",
        input: Input::Jsonl,
        looks_like: |line| is_json_map(line) && !line.ends_with([',', '{', '[']),
        read: jsonl::read_from,
        initial: || Value::Nil,
    },
    Format {
        name: "Jepsen JSON",
        input: Input::Json,
        looks_like: |line| {
            let inner = line.strip_prefix('[').unwrap_or(line).trim_start();
            is_json_map(inner) || (inner.starts_with('"') && inner.contains("\":"))
        },
        read: json::read,
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
        looks_like: edn::looks_like_kv_log,
        read: edn::read,
        initial: || Value::text(""),
    },
    Format { name: "EDN", input: Input::Edn, looks_like: edn::looks_like, read: edn::read, initial: || Value::Nil },
    Format {
        name: "Violin log",
        input: Input::Violin,
        looks_like: violin::looks_like,
        read: violin::read,
        initial: || Value::Nil,
    },
    Format {
        name: "AWDIT history",
        input: Input::Awdit,
        looks_like: awdit::looks_like,
        read: awdit::read,
        initial: || Value::Int(0),
    },
];

fn is_json_map(text: &str) -> bool {
    text.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with('"'))
}

/// Reads a recorded history. No more of it is held than its beginning (a mebibyte) and one line or map.
///
/// # Errors
/// The first bad line, with the column and what would be right; that the text is in no format that `input` names; or that
/// the source failed.
pub fn read(mut source: impl BufRead, input: Input) -> Result<Recorded, Unreadable> {
    const HEAD_MAX: u64 = 1 << 20;
    const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
    let mut head = Vec::new();
    source.by_ref().take(HEAD_MAX).read_to_end(&mut head)?;
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&head);
    let Start { format, offset, lines_before } = recognize(head, input)?;
    let history = (format.read)(&mut head[offset..].chain(source), lines_before)?;
    Ok(Recorded {
        is_complete: format.is_complete(&history),
        history,
        format: format.name,
        initial: (format.initial)(),
        has_real_time: format.input != Input::Awdit,
        is_edn: format.input == Input::Edn,
    })
}

/// Where a history begins.
struct Start {
    format: &'static Format,
    /// In bytes.
    offset: usize,
    lines_before: usize,
}

/// The format of the first line that any format claims, and where to begin reading: there, or before it at a bracket on
/// a line of its own.
fn recognize(head: &[u8], input: Input) -> Result<Start, Malformed> {
    let wanted = |format: &&Format| input == Input::Auto || format.input == input;
    let mut first = None;
    let mut opened: Option<(usize, usize)> = None;
    let mut offset = 0;
    for (lines_before, bytes) in head.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let line = beginning(bytes);
        let line = line.trim();
        if !line.is_empty() {
            first.get_or_insert_with(|| (lines_before, excerpt(line)));
        }
        // One map after another, each over several lines, or in a list that was opened before: no JSON Lines.
        let is_spread = |format: &&Format| opened.is_some() && format.input == Input::Jsonl && input == Input::Auto;
        let claims = |format: &&Format| wanted(format) && !is_spread(format) && (format.looks_like)(line);
        if let Some(format) = FORMATS.iter().find(claims) {
            let (offset, lines_before) = opened.unwrap_or((offset, lines_before));
            return Ok(Start { format, offset, lines_before });
        }
        match line {
            "[" | "(" | "{" | "[{" | "({" => _ = opened.get_or_insert((offset, lines_before)),
            line if line.is_empty() || line.starts_with(';') || line.starts_with("#_") => {}
            _ => opened = None,
        }
        offset += bytes.len();
    }
    let wrong = |line: usize, column: usize, message: String| Malformed { line, column, message };
    let Some((lines_before, first)) = first else {
        return Err(wrong(1, 1, format!("the file holds no history, it is empty; expected {}", input.example())));
    };
    if let Err((at, message)) = text(head) {
        // The head may end within a character.
        if head.len() - at > 4 {
            let line = head[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
            let column = head[..at].iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
            return Err(wrong(line, column, message));
        }
    }
    let expected = input.example();
    Err(wrong(lines_before + 1, 1, format!("no history in a known format; it begins {first}; expected {expected}")))
}

/// As much of a line as it takes to know its format: its beginning, and how it ends.
fn beginning(line: &[u8]) -> Cow<'_, str> {
    const KNOWN_BY: usize = 4096;
    match line.trim_ascii_end() {
        line if line.len() <= KNOWN_BY => String::from_utf8_lossy(line),
        line => {
            let mut text = String::from_utf8_lossy(&line[..KNOWN_BY]).into_owned();
            text.push_str("… ");
            text.push(char::from(line[line.len() - 1]));
            Cow::Owned(text)
        }
    }
}
