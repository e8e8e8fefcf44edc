//! Violin's logs of concurrent queues and stacks.
//!
//! ```text
//! # @object atomic-queue
//! [7] call add(3)
//! [8] call remove
//! [7] return
//! [8] return empty
//! ```
//!
//! The number is the operation's, nobody knows whose it is: every operation gets a process of its own. One that never
//! returned is pending.

use history::assembler::Assembler;
use history::input::{Lines, Unreadable};
use history::{Completion, History, Outcome, Purpose, Value};
use std::borrow::Cow;
use std::io::BufRead;

use crate::text::excerpt;

pub(super) fn looks_like(line: &str) -> bool {
    line.starts_with("# @object") || number(line).is_some_and(|(_, rest)| rest.starts_with("call "))
}

pub(super) fn read(source: &mut dyn BufRead, lines_before: usize) -> Result<History, Unreadable> {
    let mut log = Log { assembler: Assembler::default(), object: None };
    Lines::new(source, lines_before).each(|line| {
        let column = |field: &str| (field.as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
        log.add(line.trim()).map_err(|(field, message)| (column(field), message))
    })?;
    Ok(log.assembler.finish())
}

/// A field, and what is wrong with it.
type Wrong<'a> = (&'a str, String);

#[derive(Clone, Copy)]
enum Container {
    Queue,
    Stack,
}

struct Log {
    assembler: Assembler,
    object: Option<Container>,
}

impl Log {
    fn add<'a>(&mut self, line: &'a str) -> Result<(), Wrong<'a>> {
        if let Some(comment) = line.strip_prefix('#') {
            return self.learn(comment.trim());
        }
        let Some((number, rest)) = number(line) else {
            return Err((line, format!("expected `[1] call add(3)` or `[1] return 3`, found {}", excerpt(line))));
        };
        match rest.split_once(' ').unwrap_or((rest, "")) {
            ("call", asked) => self.call(number, asked.trim()).map_err(|message| (rest, message)),
            ("return", value) => self.answer(number, value.trim()).map_err(|message| (rest, message)),
            _ => Err((rest, format!("expected `call` or `return`, found {}", excerpt(rest)))),
        }
    }

    /// `@object atomic-queue`
    fn learn<'a>(&mut self, comment: &'a str) -> Result<(), Wrong<'a>> {
        let Some(object) = comment.strip_prefix("@object") else { return Ok(()) };
        self.object = Some(match object.trim() {
            "atomic-queue" => Container::Queue,
            "atomic-stack" => Container::Stack,
            other => {
                return Err((
                    object.trim_start(),
                    format!("expected `atomic-queue` or `atomic-stack`, found {}", excerpt(other)),
                ));
            }
        });
        Ok(())
    }

    /// `add(3)`, `pop` or `pop()`
    fn call(&mut self, number: u64, asked: &str) -> Result<(), String> {
        let (word, argument) = match asked.split_once('(') {
            Some((word, rest)) => match rest.strip_suffix(')') {
                Some(argument) => (word.trim(), argument.trim()),
                None => return Err(format!("expected `)` at the end of {}", excerpt(asked))),
            },
            None => (asked, ""),
        };
        let object = match (word, self.object) {
            ("add" | "remove", None) => {
                return Err("is it a queue or a stack? Say so in a line before: `# @object atomic-queue`".to_owned());
            }
            ("enqueue" | "dequeue", None) => Container::Queue,
            ("push" | "pop", None) => Container::Stack,
            (_, object) => object.unwrap_or(Container::Queue),
        };
        let f = match (object, word) {
            (Container::Queue, "add" | "enqueue" | "push") => "enqueue",
            (Container::Queue, "remove" | "dequeue" | "pop") => "dequeue",
            (Container::Stack, "add" | "push") => "push",
            (Container::Stack, "remove" | "pop") => "pop",
            (Container::Queue | Container::Stack, _) => {
                return Err(format!("expected `add(3)` or `remove`, found {}", excerpt(asked)));
            }
        };
        let takes_argument = matches!(f, "enqueue" | "push");
        if takes_argument == argument.is_empty() {
            let wanted = if takes_argument { "a value, such as `add(3)`" } else { "no value" };
            return Err(format!("`{word}` takes {wanted}"));
        }
        let input = self.value(argument);
        self.assembler.invoke(number, Cow::Borrowed(f), input, 0, Purpose::Load)
    }

    fn answer(&mut self, number: u64, value: &str) -> Result<(), String> {
        let Some(open) = self.assembler.open(number) else {
            return Err(format!("operation {number} returns and was never called"));
        };
        let returned = match (&*open.f, value) {
            ("enqueue" | "push", "") => open.input.clone(),
            ("enqueue" | "push", _) => return Err("what adds a value returns none".to_owned()),
            (_, "") => return Err("what removes returns the value, or `empty`".to_owned()),
            (_, "empty") => Value::Nil,
            (_, value) => self.value(value),
        };
        self.assembler.complete(number, Outcome::Returned(Completion::Ok(returned)), 0)
    }

    /// A number or a word; nothing is nil.
    fn value(&mut self, text: &str) -> Value {
        match text.parse() {
            Ok(number) => Value::Int(number),
            Err(_) if text.is_empty() => Value::Nil,
            Err(_) => self.assembler.words.text(text),
        }
    }
}

/// `[7] …`
fn number(line: &str) -> Option<(u64, &str)> {
    let (number, rest) = line.strip_prefix('[')?.split_once(']')?;
    Some((number.trim().parse().ok()?, rest.trim()))
}
