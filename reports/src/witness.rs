//! A violation as a reader meets it: its operations drawn in lanes, then the argument in numbered sentences.
//!
//! ```text
//! c7   |--w(7987)--|
//! c19                |--w(8023)--|
//! c1                               |--r()=7987--|  <-- fits nowhere
//! ```
//!
//! One lane a client, time from left to right. Only the order of events is to scale: what separates them may be a
//! microsecond or a minute, and the moments below the lanes tell. An operation that nobody heard of again runs to the
//! edge.

use crate::terminal::Look;
use crate::words;
use history::figures::counted;
use history::{Ended, Mark, Reason, Testimony, Value, Verdict, Witness};
use std::collections::BTreeMap;

/// Of an argument; a record read from a file can hold any number of sentences.
const SENTENCES_MAX: usize = 100;

/// Of a sentence, in characters.
const SENTENCE_MAX: usize = 2_000;

/// Lines of at most `width` characters: lanes where there is something to draw, and the argument.
pub fn told(witness: &Witness, look: Look, width: usize) -> Vec<String> {
    let mut lines = lanes(witness, look, width);
    for sentence in witness.argument.iter().take(SENTENCES_MAX) {
        lines.extend(wrapped(&look.shown(&words::brief(sentence, SENTENCE_MAX)), width));
    }
    let hidden = witness.argument.len().saturating_sub(SENTENCES_MAX);
    if hidden > 0 {
        lines.push(format!("And {}, all in run.json.", counted(hidden as u64, "more sentence")));
    }
    if !witness.is_minimal && !witness.operations.is_empty() {
        lines.extend(wrapped("There was no budget left to find out whether fewer operations would do.", width));
    }
    lines
}

/// The operations in lanes, the moments of their events, and an empty line; nothing if there are none.
pub fn lanes(witness: &Witness, look: Look, width: usize) -> Vec<String> {
    // Where the room is short, values are; where that does not help, the first operations are left out.
    const VALUE_MAX: [usize; 3] = [20, 10, 6];
    let count = witness.operations.len();
    // Every operation takes a column at least, so that no more than these have room.
    let fewest = count.saturating_sub(width);
    let narrowings = VALUE_MAX.map(|value_max| (fewest, value_max)).into_iter();
    let omissions = (fewest + 1..count).map(|omitted| (omitted, VALUE_MAX[2]));
    for (omitted, value_max) in narrowings.chain(omissions) {
        let drawing = Drawing::of(witness, omitted, value_max, look);
        if count > 0 && drawing.width() <= width {
            return drawing.lines();
        }
    }
    Vec::new()
}

/// What an operation runs to that nobody heard of again.
const OPEN: &str = "...";

/// An operation in its place.
struct Bar {
    lane: usize,
    from: usize,
    /// Where it ends; `None` at the right edge.
    to: Option<usize>,
    text: String,
    close: &'static str,
    is_offender: bool,
}

struct Drawing<'a> {
    witness: &'a Witness,
    look: Look,
    omitted: usize,
    /// By lane: whose it is.
    names: Vec<&'a str>,
    bars: Vec<Bar>,
    /// Every event and its column.
    moments: Vec<(Mark, usize)>,
    edge: usize,
}

impl<'a> Drawing<'a> {
    fn of(witness: &'a Witness, omitted: usize, value_max: usize, look: Look) -> Self {
        let operations = &witness.operations[omitted.min(witness.operations.len())..];
        let named = |(at, op): (usize, &Testimony)| match &*op.f {
            // As the argument calls it: what it did would not fit into a lane.
            "txn" => format!("T{}", omitted + at + 1),
            _ => label(op, value_max),
        };
        let labels: Vec<String> = operations.iter().enumerate().map(|op| look.shown(&named(op))).collect();
        let mut events: Vec<(Mark, usize)> = Vec::new();
        for (number, op) in operations.iter().enumerate() {
            events.extend([Some(op.invoked), end(op)].into_iter().flatten().map(|mark| (mark, number)));
        }
        events.sort_unstable();
        let mut drawing =
            Drawing { witness, look, omitted, names: Vec::new(), bars: Vec::new(), moments: Vec::new(), edge: 0 };
        let mut bar_of: BTreeMap<usize, usize> = BTreeMap::new();
        for (mark, number) in events {
            let next = drawing.edge;
            let column = match bar_of.get(&number) {
                None => {
                    bar_of.insert(number, drawing.bars.len());
                    let bar = drawing.bar(&operations[number], &labels[number]);
                    let is_offender = witness.offender == Some(omitted + number);
                    drawing.bars.push(Bar { is_offender, ..bar });
                    next
                }
                Some(&bar) => {
                    let bar = &mut drawing.bars[bar];
                    let column = next.max(bar.from + bar.text.chars().count() + 5);
                    bar.to = Some(column);
                    column
                }
            };
            drawing.moments.push((mark, column));
            // What began after this was over stands apart.
            drawing.edge = column + if operations[number].invoked == mark { 1 } else { 2 };
        }
        let longest_open =
            drawing.bars.iter().filter(|bar| bar.to.is_none()).map(|bar| bar.from + bar.text.chars().count() + 5);
        drawing.edge = longest_open.chain([drawing.edge]).max().unwrap_or_default();
        drawing
    }

    /// A bar that begins now, in the first of its client's lanes that is free.
    fn bar(&mut self, op: &'a Testimony, text: &str) -> Bar {
        let is_free = |lane: &usize| {
            let is_over = |bar: &Bar| bar.to.is_some() && !bar.is_offender;
            self.names[*lane] == op.client && self.bars.iter().all(|bar| bar.lane != *lane || is_over(bar))
        };
        let lane = (0..self.names.len()).find(is_free).unwrap_or_else(|| {
            self.names.push(&op.client);
            self.names.len() - 1
        });
        Bar { lane, from: self.edge, to: None, text: text.to_owned(), close: close(op), is_offender: false }
    }

    fn name_width(&self) -> usize {
        let names = self.names.iter().map(|name| self.look.shown(name).chars().count());
        names.chain([self.axis().0.len()]).max().unwrap_or_default()
    }

    fn width(&self) -> usize {
        self.name_width() + 2 + self.edge + OPEN.len() + self.mark().chars().count()
    }

    /// What stands beside the operation that cannot be.
    fn mark(&self) -> String {
        let arrow = if self.look.unicode { '◀' } else { '<' };
        match &self.witness.reason {
            Reason::Lost { .. } => format!("  {arrow} misses it"),
            Reason::NobodyWrote { .. }
            | Reason::NotYetWritten { .. }
            | Reason::NeverHappened { .. }
            | Reason::Replaced { .. }
            | Reason::MetTwice { .. }
            | Reason::Lacks { .. }
            | Reason::OnlyMet { .. }
            | Reason::Entangled
            | Reason::Told { .. }
            | Reason::Undivided { .. } => format!("  {arrow} fits nowhere"),
        }
    }

    /// The unit of the axis, and the moments in it.
    fn axis(&self) -> (&'static str, Vec<(String, usize)>) {
        let clock = self.witness.clock();
        let moments = self.moments.iter().map(|(mark, column)| (clock.number(*mark), *column)).collect();
        (clock.unit.unwrap_or("event"), moments)
    }

    fn lines(&self) -> Vec<String> {
        let width = self.name_width();
        let mut lines: Vec<String> = Vec::new();
        if self.omitted > 0 {
            let first = counted(self.omitted as u64, "operation");
            lines.push(format!("(not drawn: the first {first})"));
        }
        for (lane, name) in self.names.iter().enumerate() {
            let name = self.look.shown(name);
            lines.push(format!("{name:<width$}  {}", self.lane(lane)));
        }
        let (unit, moments) = self.axis();
        let mut axis = String::new();
        for (text, column) in moments {
            if axis.is_empty() || axis.chars().count() < column {
                axis = format!("{axis:<column$}{text}");
            }
        }
        lines.push(format!("{unit:<width$}  {axis}"));
        lines.push(String::new());
        lines
    }

    fn lane(&self, lane: usize) -> String {
        let (mut text, mut length) = (String::new(), 0);
        let mut mark = String::new();
        for bar in self.bars.iter().filter(|bar| bar.lane == lane) {
            let end = bar.to.unwrap_or(self.edge);
            let dashes = "-".repeat(end - bar.from - 3 - bar.text.chars().count());
            let drawn = format!("|--{}{dashes}{}", bar.text, bar.close);
            text.push_str(&" ".repeat(bar.from - length));
            length = bar.from + drawn.chars().count();
            if bar.is_offender {
                text.push_str(&self.look.signed(Verdict::Fail, &drawn));
                mark = self.look.signed(Verdict::Fail, &self.mark());
            } else {
                text.push_str(&drawn);
            }
        }
        text + &mark
    }
}

/// When an operation was over for its client, if it ever was.
fn end(op: &Testimony) -> Option<Mark> {
    match op.ended {
        Ended::Ok | Ended::Mismatch | Ended::Fail => op.completed,
        Ended::Info => None,
    }
}

/// How it ends: at a known moment, refused, or nobody knows.
fn close(op: &Testimony) -> &'static str {
    match end(op) {
        None => OPEN,
        Some(_) if op.ended == Ended::Fail => "x",
        Some(_) => "|",
    }
}

/// `w(17)`, `r()=9`, `cas(1,2)=no`, `deq()=empty`, `acq()`.
fn label(op: &Testimony, value_max: usize) -> String {
    let name = match &*op.f {
        "write" => "w",
        "read" => "r",
        "append" => "a",
        "enqueue" => "enq",
        "dequeue" => "deq",
        "acquire" => "acq",
        "release" => "rel",
        "generate" => "gen",
        other => other,
    };
    if let Some(steps) = transaction(op, value_max, 3 * value_max) {
        return steps;
    }
    let brief = |value: &Value| brief(&value.to_string(), value_max);
    let input = match op.input.as_pair() {
        Some((from, to)) => format!("{},{}", brief(from), brief(to)),
        None if op.input.is_nil() => String::new(),
        None => brief(&op.input),
    };
    let result = match (&op.returned, op.ended) {
        (Some(Value::Nil), _) if op.takes() => "=empty".to_owned(),
        // To hear one's own words again is to hear that it was done.
        (Some(value), _) if *value == op.input && op.f != "read" => String::new(),
        (Some(value), _) => format!("={}", brief(value)),
        (None, Ended::Mismatch) => "=no".to_owned(),
        (None, Ended::Ok | Ended::Fail | Ended::Info) => String::new(),
    };
    format!("{name}({input}){result}")
}

/// A transaction as it went, step by step, with what it read if that is known: `append 4 2, r 3 [1 2]`.
pub(crate) fn transaction(op: &Testimony, step_max: usize, steps_max: usize) -> Option<String> {
    let answered = op.returned.as_ref().and_then(steps);
    let steps = answered.or_else(|| steps(&op.input))?;
    let step = |step: &&[Value]| {
        let words: Vec<String> = step.iter().map(Value::to_string).collect();
        brief(&words.join(" "), step_max)
    };
    Some(words::brief(&steps.iter().map(step).collect::<Vec<_>>().join(", "), steps_max))
}

/// The steps of a transaction, if this is one: each says what to do, to what, and with what.
fn steps(value: &Value) -> Option<Vec<&[Value]>> {
    let all = list(value).filter(|steps| !steps.is_empty())?;
    let is_step = |words: &&[Value]| matches!(words, [Value::Text(_), _, _]);
    all.iter().map(|step| list(step).filter(is_step)).collect()
}

fn list(value: &Value) -> Option<&[Value]> {
    match value {
        Value::List(items) => Some(items),
        Value::Nil | Value::Int(_) | Value::Text(_) => None,
    }
}

/// The end of a long text, where texts that grow differ.
fn brief(text: &str, max: usize) -> String {
    let count = text.chars().count();
    if count <= max {
        return text.to_owned();
    }
    let end: String = text.chars().skip(count + 2 - max).collect();
    format!("..{end}")
}

/// A sentence broken between words, what follows its number hanging.
pub(crate) fn wrapped(sentence: &str, width: usize) -> Vec<String> {
    let number = sentence.split_once(". ").filter(|(number, _)| number.parse::<u64>().is_ok());
    let hang = " ".repeat(number.map_or(0, |(number, _)| number.len() + 2));
    let mut words = sentence.split(' ');
    let mut line = words.next().unwrap_or_default().to_owned();
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        if line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::replace(&mut line, format!("{hang}{word}")));
        } else {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.push(line);
    lines
}
