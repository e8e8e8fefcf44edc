//! A witness in words: who did what, one numbered sentence each, and why that cannot be.
//!
//! Read aloud it should convince somebody who was not there. So each sentence says what was over when its operation
//! began, who answered and on what authority, and the last one names the contradiction.

use crate::figures::{counted, shown as short};
use crate::witness::{Ended, Holder, Reason, Server, Testimony, Witness};
use crate::{Mark, Value};

impl Witness {
    /// Puts the argument into words, again if more has become known of its operations.
    pub fn tell(&mut self) {
        let sentences = (0..self.operations.len()).map(|named| format!("{}{}", self.link(named), self.deed(named)));
        let conclusions = match &self.reason {
            Reason::Told { because, .. } => because.clone(),
            Reason::NobodyWrote { .. }
            | Reason::NotYetWritten { .. }
            | Reason::NeverHappened { .. }
            | Reason::Replaced { .. }
            | Reason::MetTwice { .. }
            | Reason::Lacks { .. }
            | Reason::OnlyMet { .. }
            | Reason::Entangled
            | Reason::Lost { .. }
            | Reason::Undivided { .. } => vec![self.conclusion()],
        };
        let mut argument: Vec<String> = sentences.chain(conclusions).collect();
        for (i, sentence) in argument.iter_mut().enumerate() {
            *sentence = format!("{}. {sentence}", i + 1);
        }
        self.argument = argument;
    }

    /// The violation in one line.
    pub fn headline(&self) -> String {
        let (Some(offender), target) = (self.offender(), self.target()) else { return self.as_a_whole() };
        let client = &offender.client;
        let met = match offender.met() {
            Some(value) => format!("{client} {} {}", offender.verb(), shown(value)),
            None => format!("{client}'s {}", offender.f),
        };
        match &self.reason {
            Reason::NobodyWrote { .. } => format!("{met} in {target}, which nobody ever wrote"),
            Reason::NotYetWritten { .. } => format!("{met} in {target} before anybody asked for it to be written"),
            Reason::NeverHappened { .. } => format!("{met} in {target}, though the write of it never happened"),
            Reason::Replaced { with, .. } => format!("{met} in {target} after {} had replaced it", shown(with)),
            Reason::MetTwice { value, by } => {
                let (value, other) = (shown(value), &self.operations[*by].client);
                format!("{other} and {client} both replaced {value} in {target}, which was there once")
            }
            Reason::Lacks { part, .. } => format!("{met} in {target}, which lacks {}", shown(part)),
            Reason::OnlyMet { .. } | Reason::Entangled if offender.ended == Ended::Mismatch => {
                format!("{client} did not find {} in {target}, which was there", offender.wanted())
            }
            Reason::OnlyMet { .. } | Reason::Entangled => format!("{met} in {target}, which fits nowhere"),
            Reason::Lost { write, .. } => {
                let write = &self.operations[*write];
                let value = shown(write.made().unwrap_or(&write.input));
                format!("{}'s {} of {value} was acknowledged and is gone from {target}", write.client, write.f)
            }
            Reason::Told { .. } | Reason::Undivided { .. } => self.as_a_whole(),
        }
    }

    /// How the argument tells time: in the unit its latest moment asks for, with as many decimals as it takes to tell
    /// its moments apart; by place in the record if that knows no times.
    pub fn clock(&self) -> Clock {
        let marks = self.operations.iter().flat_map(|op| [Some(op.invoked), op.completed]);
        let mut times: Vec<u64> = marks.flatten().map(|mark| mark.time).collect();
        times.sort_unstable();
        times.dedup();
        let latest = times.last().copied().unwrap_or_default();
        let unit = UNITS.iter().find(|(_, digits)| latest >= 10u64.pow(*digits));
        let Some(&(unit, digits)) = unit else { return Clock { unit: None, digits: 0, decimals: 0 } };
        let is_sharp = |decimals: &u32| {
            times.windows(2).all(|pair| cut(pair[0], digits, *decimals) != cut(pair[1], digits, *decimals))
        };
        let decimals = [3, 6].into_iter().filter(|decimals| *decimals < digits).find(is_sharp).unwrap_or(digits);
        Clock { unit: Some(unit), digits, decimals }
    }

    fn offender(&self) -> Option<&Testimony> {
        self.operations.get(self.offender?)
    }

    /// What it is all about, as a noun.
    fn target(&self) -> String {
        match &self.key {
            None => self.object.as_deref().unwrap_or("the register").to_owned(),
            Some(Value::Text(name)) if name.starts_with(char::is_alphabetic) => short(name),
            Some(key) => format!("key {}", short(key)),
        }
    }

    fn at(&self, mark: Mark) -> String {
        let clock = self.clock();
        let number = clock.number(mark);
        clock.unit.map_or_else(|| format!("(event {number})"), |unit| format!("at {number} {unit}"))
    }

    /// What an operation has to do with those named before it.
    fn link(&self, named: usize) -> String {
        let is_over = |earlier: &&usize| self.operations[**earlier].ended != Ended::Info;
        let Some(step) = self.steps.get(named) else { return String::new() };
        let during: Vec<usize> = step.during.iter().filter(is_over).copied().collect();
        match (&step.after[..], &during[..]) {
            ([], []) if named == 0 => String::new(),
            ([], []) => "Later, ".to_owned(),
            (_, []) => "After that, ".to_owned(),
            ([], _) => "Meanwhile, ".to_owned(),
            (after, during) => format!("After {}, but not after {}, ", numbers(after), numbers(during)),
        }
    }

    /// What happened: asked, answered by whom, and when.
    fn deed(&self, named: usize) -> String {
        let op = &self.operations[named];
        let (client, target, asked) = (&op.client, self.target(), self.at(op.invoked));
        let input = shown(&op.input);
        let (wish, deed) = match (&*op.f, op.input.as_pair()) {
            ("read" | "get", _) => (format!("asked for {target}"), format!("read {target}")),
            ("write", Some((value, Value::List(replaced)))) => {
                let what = format!("{} to {target}, in the place of {}", shown(value), all_of(replaced));
                (format!("asked to write {what},"), format!("wrote {what},"))
            }
            ("blind", _) => {
                let what = format!("{input} to {target}, beside what was there");
                (format!("asked to write {what},"), format!("wrote {what},"))
            }
            ("delete", _) => {
                let what = match &op.input {
                    Value::List(replaced) => all_of(replaced),
                    Value::Nil | Value::Int(_) | Value::Text(_) => input,
                };
                (format!("asked to delete {what} from {target}"), format!("deleted {what} from {target}"))
            }
            ("remove", _) if !op.input.is_nil() => {
                (format!("asked to take {input} out of {target}"), format!("took {input} out of {target}"))
            }
            ("write" | "put", _) => {
                (format!("asked to write {input} to {target}"), format!("wrote {input} to {target}"))
            }
            ("append", _) => (format!("asked to append {input} to {target}"), format!("appended {input} to {target}")),
            ("cas", Some((from, to))) => {
                let change = format!("{} in {target} by {}", shown(from), shown(to));
                (format!("asked to replace {change}"), format!("replaced {change}"))
            }
            ("enqueue" | "push" | "add" | "send" | "broadcast", _) => {
                (format!("asked to add {input} to {target}"), format!("added {input} to {target}"))
            }
            ("dequeue" | "pop" | "poll" | "remove", _) => {
                (format!("asked to take from {target}"), format!("took from {target}"))
            }
            ("propose", _) => (format!("asked for {input} as {target}"), format!("proposed {input} for {target}")),
            ("acquire" | "lock", _) => (format!("asked for {target}"), format!("acquired {target}")),
            ("release" | "unlock", _) => (format!("asked to release {target}"), format!("released {target}")),
            ("generate", _) => ("asked for an identifier".to_owned(), "asked for an identifier".to_owned()),
            ("txn", _) => {
                let txn = format!("T{} ({})", named + 1, transaction(&op.input));
                (format!("asked for {txn}"), format!("ran {txn}"))
            }
            (f, _) => (format!("asked {target} for {f} {input}"), format!("asked {target} for {f} {input}")),
        };
        let heard = |what: &str, alone: &str| self.heard(op, what, alone);
        match (op.ended, &op.returned) {
            (Ended::Ok, Some(Value::Nil)) if op.takes() => {
                let found = "that it was empty";
                format!(
                    "{client} {wish} {asked}{}.",
                    heard(&format!("answered {found}"), &format!("and heard {found}"))
                )
            }
            (Ended::Ok, Some(value)) => {
                let value = shown(value);
                format!("{client} {deed} {asked}{}.", heard(&format!("answered {value}"), &format!("and got {value}")))
            }
            (Ended::Ok, None) => {
                format!("{client} {deed} {asked}{}.", heard("acknowledged it", "and had it acknowledged"))
            }
            (Ended::Mismatch, _) => {
                let found = format!("that it did not hold {}", op.wanted());
                format!(
                    "{client} {wish} {asked}{}.",
                    heard(&format!("answered {found}"), &format!("and heard {found}"))
                )
            }
            (Ended::Fail, _) => {
                let told = heard("refused", "and was refused");
                format!("{client} {wish} {asked}{told}: it never happened.")
            }
            (Ended::Info, _) => {
                let is_first = self.operations[..named].iter().all(|op| op.ended != Ended::Info);
                let hence =
                    if is_first { ": it may take effect at any time from then on, or never." } else { " either." };
                format!("{client} {wish} {asked} and never heard what came of it{hence}")
            }
        }
    }

    /// Who answered what, or what the client heard if nobody knows from whom.
    fn heard(&self, op: &Testimony, what: &str, alone: &str) -> String {
        let when = op.completed.map(|mark| format!(" {}", self.at(mark))).unwrap_or_default();
        match &op.server {
            Some(server) => format!("; {} {what}{when}", self.authority(server)),
            None => format!(" {alone}{when}"),
        }
    }

    /// `n1 (leader of term 1, though n2 was leader of term 2 since 10.250 s)`.
    fn authority(&self, server: &Server) -> String {
        let Server { node, role, superseded } = server;
        let Some((role, term)) = role else { return node.clone() };
        let though = superseded.as_ref().map(|Holder { node, term, from_ns }| {
            let (clock, from) = (self.clock(), Mark { index: 0, time: *from_ns });
            let since = clock.unit.map(|unit| format!(" since {} {unit}", clock.number(from)));
            format!(", though {node} was {role} of term {term}{}", since.unwrap_or_default())
        });
        format!("{node} ({role} of term {term}{})", though.unwrap_or_default())
    }

    fn conclusion(&self) -> String {
        let Some(offender) = self.offender() else { return self.as_a_whole() };
        let (client, target) = (&offender.client, self.target());
        match &self.reason {
            Reason::NobodyWrote { value } => {
                format!("Nobody ever asked to write {}, and {target} did not begin with it.", shown(value))
            }
            Reason::NotYetWritten { value, .. } => {
                format!(
                    "Nobody had asked to write {} earlier, so {client} met it before it can have been there.",
                    shown(value)
                )
            }
            Reason::NeverHappened { value, .. } => {
                format!("Nobody else had written {}, and what never happened cannot be met.", shown(value))
            }
            Reason::Replaced { value, with, by, seen } => self.replaced(value, with, *by, *seen),
            Reason::MetTwice { value, .. } => format!(
                "{} was there once: whoever of the two came first replaced it, and the other cannot have met it.",
                shown(value)
            ),
            Reason::Lacks { part, by } => format!(
                "{} had been added in ({}) before ({}) began, nothing can have removed it, and it is not in what {client} got.",
                shown(part),
                by + 1,
                self.offender.unwrap_or_default() + 1,
            ),
            Reason::OnlyMet { values, has_more } => {
                let held: Vec<String> = values.iter().map(shown).collect();
                let held = if *has_more { format!("{}, …", held.join(", ")) } else { either(&held) };
                let got = match offender.met() {
                    Some(value) => format!(", never {}", shown(value)),
                    None => String::new(),
                };
                format!(
                    "In whatever order the others took effect, {target} can only have held {held} for {client} to meet{got}."
                )
            }
            Reason::Entangled => {
                format!("Wherever what {client} heard would be right, the others are left without an order.")
            }
            Reason::Lost { write, lost } => self.lost(*write, *lost),
            Reason::Told { .. } | Reason::Undivided { .. } => self.as_a_whole(),
        }
    }

    fn replaced(&self, value: &Value, with: &Value, by: usize, seen: Option<usize>) -> String {
        let (old, new) = (shown(value), shown(with));
        let others = || self.operations.iter().enumerate().filter(|(at, _)| Some(*at) != self.offender);
        let again = if others().any(|(_, op)| op.made() == Some(value)) { "again" } else { "since" };
        let began = format!("before ({}) began", self.offender.unwrap_or_default() + 1);
        let since = match seen {
            Some(seen) => format!("({}) met {new} {began}, so {new} had replaced {old} by then", seen + 1),
            None => format!("({}) put {new} in the place of {old} {began}", by + 1),
        };
        format!(
            "{since}, and nobody had written {old} {again}: no order explains ({}).",
            self.offender.unwrap_or_default() + 1
        )
    }

    fn lost(&self, write: usize, lost: u64) -> String {
        let value = shown(self.operations[write].made().unwrap_or(&Value::Nil));
        let left = self.offender().and_then(|op| op.returned.as_ref()).map(shown).unwrap_or_default();
        let others = match lost - 1 {
            0 => String::new(),
            others => format!(" {} went the same way.", counted(others, "other acknowledged write")),
        };
        format!(
            "Nothing that could leave {left} behind was still under way when {value} was asked for: {value} is lost.{others}"
        )
    }

    /// What is wrong where no single operation is to blame.
    fn as_a_whole(&self) -> String {
        if let Reason::Told { headline, .. } = &self.reason {
            return headline.clone();
        }
        let until =
            if let Reason::Undivided { until } = self.reason { format!(" up to event {until}") } else { String::new() };
        format!(
            "No order of what happened to {}{until} explains every result; there is no budget left to tell which is to blame.",
            self.target()
        )
    }
}

/// Units of time and the digits of a nanosecond count that stand behind their point, the largest first.
const UNITS: [(&str, u32); 4] = [("s", 9), ("ms", 6), ("us", 3), ("ns", 0)];

/// How an argument tells time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The unit; `None` if moments are told by their place in the record.
    pub unit: Option<&'static str>,
    digits: u32,
    decimals: u32,
}

impl Clock {
    /// A moment in the clock's unit.
    pub fn number(&self, mark: Mark) -> String {
        if self.unit.is_none() {
            return mark.index.to_string();
        }
        let scale = 10u64.pow(self.decimals);
        let number = cut(mark.time, self.digits, self.decimals);
        match self.decimals as usize {
            0 => number.to_string(),
            decimals => format!("{}.{:0decimals$}", number / scale, number % scale),
        }
    }
}

/// A time, counted in the last of its decimals that is told.
fn cut(nanos: u64, digits: u32, decimals: u32) -> u64 {
    nanos / 10u64.pow(digits - decimals)
}

impl Testimony {
    /// The value it met, if it told.
    pub fn met(&self) -> Option<&Value> {
        match (self.ended, self.input.as_pair()) {
            (Ended::Ok, Some((from, _))) if self.f == "cas" => Some(from),
            (Ended::Ok, _) => self.returned.as_ref(),
            (Ended::Mismatch | Ended::Fail | Ended::Info, _) => None,
        }
    }

    /// Whether it takes values out of something, of which it returns nil if there is none.
    pub fn takes(&self) -> bool {
        matches!(&*self.f, "dequeue" | "pop")
    }

    /// The value it left behind, or would have.
    pub fn made(&self) -> Option<&Value> {
        match (&*self.f, self.input.as_pair()) {
            ("cas", Some((_, to))) => Some(to),
            ("write" | "put" | "append", _) => Some(&self.input),
            _ => None,
        }
    }

    /// What a compare-and-set was to find.
    fn wanted(&self) -> String {
        self.input.as_pair().map_or_else(|| shown(&self.input), |(from, _)| shown(from))
    }

    fn verb(&self) -> &'static str {
        if self.f == "cas" { "replaced" } else { "read" }
    }
}

/// `append x 1, read y = [1 2]`: a list of micro-operations as one says it.
fn transaction(micros: &Value) -> String {
    let Value::List(items) = micros else { return shown(micros) };
    let said = |micro: &Value| match micro {
        Value::List(parts) => match &parts[..] {
            [Value::Text(f), key, Value::Nil] if &**f == "r" => format!("read {}", shown(key)),
            [Value::Text(f), key, value] if &**f == "r" => format!("read {} = {}", shown(key), shown(value)),
            [Value::Text(f), key, value] if &**f == "w" => format!("write {} = {}", shown(key), shown(value)),
            [Value::Text(f), key, value] => format!("{f} {} {}", shown(key), shown(value)),
            _ => shown(micro),
        },
        Value::Nil | Value::Int(_) | Value::Text(_) => shown(micro),
    };
    items.iter().map(said).collect::<Vec<_>>().join(", ")
}

/// `(1)`, `(1) and (2)`, `(1), (2) and (3)`: as the sentences are numbered.
fn numbers(positions: &[usize]) -> String {
    let texts: Vec<String> = positions.iter().map(|at| format!("({})", at + 1)).collect();
    joined(&texts, "and")
}

/// A value within a sentence: a text that is no word stands in quotes.
fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) if !text.chars().all(char::is_alphanumeric) || text.is_empty() => {
            format!("\"{}\"", short(text))
        }
        Value::Text(_) | Value::Nil | Value::Int(_) | Value::List(_) => short(value),
    }
}

fn either(texts: &[String]) -> String {
    joined(texts, "or")
}

fn joined(texts: &[String], word: &str) -> String {
    match texts {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [firsts @ .., last] => format!("{} {word} {last}", firsts.join(", ")),
    }
}

/// Values that stand side by side: `7`, `7 and 8`, or nothing.
fn all_of(values: &[Value]) -> String {
    match values {
        [] => "nothing".to_owned(),
        [value] => shown(value),
        [before @ .., last] => {
            let before: Vec<String> = before.iter().map(shown).collect();
            format!("{} and {}", before.join(", "), shown(last))
        }
    }
}
