//! Values that are decided once per seed: `{ choose = [..] }`, `{ draw = "a..b" }`, and the `chance` of a load or a fault.
//!
//! They stand in the tree of values like any table, and are gone from it before a section is read: [`resolve`] makes of a tree
//! with draws one without, so that no section knows of them. What they hold is read twice: by [`survey`], which says what is
//! wrong with them and what there is to try, and by [`resolve`], which trusts it.
//!
//! Each throws dice of its own, named after the place of the value (`cluster.nodes`, `fault.crash-1.for`), so a draw
//! that is added or taken away moves no other. A draw within an alternative has the alternative's number in its name.

use super::quantity::parse_share;
use super::range::Range;
use super::{Problems, Shape, Table, TableEntry, Value, names, write};
use crate::codes;
use crate::diagnostics::{Diagnostic, Origin};
use history::Draw;
use sim_core::dice::{Dice, StreamName, Streams};
use std::borrow::Cow;

/// A value that is decided once per seed.
enum Drawn<'a> {
    /// One of these.
    Choose(&'a [Value]),
    /// One within this range, which stands here.
    Draw(Range, &'a Origin),
}

impl<'a> Drawn<'a> {
    /// What this value says of itself, if it is such a value.
    fn read(value: &'a Value) -> Option<Result<Self, Diagnostic>> {
        let Shape::Table(table) = &value.shape else { return None };
        let is_word = |entry: &&TableEntry| ["choose", "draw"].contains(&&*entry.key);
        let word = table.entries.iter().find(is_word)?;
        let other = table.entries.iter().find(|entry| entry.key != word.key);
        let bad = |origin: &Origin, message: String| Diagnostic::new(&codes::BAD_DRAW, origin, message);
        Some(match (other, word.key.as_str(), &word.value.shape) {
            (Some(other), ..) => {
                let message =
                    format!("`{}` stands alone in its braces; `{}` cannot stand beside it", word.key, other.key);
                Err(bad(&other.key_origin, message))
            }
            (None, "choose", Shape::List(items)) if items.is_empty() => {
                Err(bad(&word.value.origin, "there is nothing to choose from".to_owned()))
            }
            (None, "choose", Shape::List(items)) => Ok(Drawn::Choose(items)),
            (None, "choose", _) => {
                let message =
                    format!("`choose` takes a list of the values to choose from; this is {}", word.value.noun());
                Err(bad(&word.value.origin, message).help("for example { choose = [3, 5, 7] }"))
            }
            (None, _, Shape::Text(text)) => {
                let range = Range::parse(text).map_err(|message| bad(&word.value.origin, message));
                range.map(|range| Drawn::Draw(range, &word.value.origin))
            }
            (None, ..) => {
                let message = format!("`draw` takes a range in quotes; this is {}", word.value.noun());
                Err(bad(&word.value.origin, message).help("for example { draw = \"30s..2m\" }, { draw = \"3..9\" }"))
            }
        })
    }
}

/// Whether this value is decided once per seed.
pub(crate) fn is_drawn(value: &Value) -> bool {
    Drawn::read(value).is_some()
}

/// The way to a value: the keys that lead to it, the names of loads and faults, the numbers of other elements.
type Place<'a> = Vec<Cow<'a, str>>;

/// Whether this is the place of a load or of a fault.
fn is_named(place: &Place<'_>) -> bool {
    place.len() == 2 && names::LISTS.contains(&&*place[0])
}

/// The last step to an element of the list at `place`.
fn step<'a>(place: &Place<'_>, number: usize, item: &'a Value) -> Cow<'a, str> {
    let is_list_of_named = place.len() == 1 && names::LISTS.contains(&&*place[0]);
    let name = if let Shape::Table(table) = &item.shape { table.text("name") } else { None };
    name.filter(|_| is_list_of_named).map_or(Cow::Owned(number.to_string()), Cow::Borrowed)
}

/// A decision to try: of what can become of this value, the one of this number.
#[derive(Clone, Debug)]
pub(crate) struct Pick<'a> {
    value: &'a Value,
    number: u64,
}

impl Pick<'_> {
    /// Where all of what is to be decided stands.
    pub fn origin(&self) -> &Origin {
        &self.value.origin
    }
}

/// What there is to draw in a scenario.
#[derive(Default)]
pub(crate) struct Survey<'a> {
    /// For each alternative but the first, and for the upper end of each range: the decisions that lead to it. Everything
    /// that is not decided there is decided the first way.
    pub probes: Vec<Vec<Pick<'a>>>,
    /// How many values there are, drawn or not.
    pub values: usize,
    /// Whether anything is drawn at all.
    pub is_drawn: bool,
}

/// Finds everything that is decided once per seed, and tells what is wrong with it.
pub(crate) fn survey<'a>(root: &'a Table, problems: &Problems) -> Survey<'a> {
    let mut surveyor = Surveyor { survey: Survey::default(), place: Vec::new(), live: Vec::new(), problems };
    surveyor.table(root);
    surveyor.survey
}

struct Surveyor<'a, 'p> {
    survey: Survey<'a>,
    place: Place<'a>,
    /// The decisions that lead to where it is.
    live: Vec<Pick<'a>>,
    problems: &'p Problems,
}

impl<'a> Surveyor<'a, '_> {
    fn table(&mut self, table: &'a Table) {
        for entry in &table.entries {
            self.within(Cow::Borrowed(&entry.key), &entry.value);
        }
    }

    fn within(&mut self, step: Cow<'a, str>, value: &'a Value) {
        self.place.push(step);
        self.value(value);
        self.place.pop();
    }

    fn value(&mut self, value: &'a Value) {
        self.survey.values += 1;
        if let Some(drawn) = Drawn::read(value) {
            self.survey.is_drawn = true;
            let drawn = drawn.and_then(|drawn| misplaced(&self.place, value).map_or(Ok(drawn), Err));
            if let Some(drawn) = self.problems.note(drawn) {
                self.drawn(value, drawn);
            }
            return;
        }
        match &value.shape {
            Shape::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    self.within(step(&self.place, i, item), item);
                }
            }
            Shape::Table(table) => {
                if is_named(&self.place) {
                    self.named(value, table);
                }
                self.table(table);
            }
            Shape::Text(_) | Shape::Number(_) | Shape::Fraction(_) | Shape::Flag(_) | Shape::Date => {}
        }
    }

    fn drawn(&mut self, value: &'a Value, drawn: Drawn<'a>) {
        match drawn {
            Drawn::Choose(items) => {
                self.probe(value, 1..items.len() as u64);
                for (i, item) in items.iter().enumerate() {
                    self.live.push(Pick { value, number: i as u64 });
                    self.within(Cow::Owned(i.to_string()), item);
                    self.live.pop();
                }
            }
            Drawn::Draw(range, _) => self.probe(value, Some(range.last()).filter(|last| *last > 0)),
        }
    }

    /// A load or a fault, which may not exist, and which needs a name to draw by.
    fn named(&mut self, value: &'a Value, table: &'a Table) {
        if table.get("chance").is_some() {
            self.survey.is_drawn = true;
            self.probe(value, Some(AWAY));
        }
        if let Some(kind) = table.get("do").filter(|kind| is_drawn(kind))
            && table.get("name").is_none()
        {
            let message = "a fault whose `do` is drawn is called by no kind, so it has no name to draw by";
            let problem = Diagnostic::new(&codes::BAD_DRAW, &kind.origin, message);
            self.problems.push(problem.help("give it a `name`"));
        }
    }

    fn probe(&mut self, value: &'a Value, numbers: impl IntoIterator<Item = u64>) {
        let probe = |number| self.live.iter().cloned().chain([Pick { value, number }]).collect();
        self.survey.probes.extend(numbers.into_iter().map(probe));
    }
}

/// Whether what these steps lead to is the same for every seed: it says what the file is, how seeds are chosen, or what
/// loads and faults are called.
pub(crate) fn is_fixed(steps: &[&str]) -> bool {
    matches!(steps, ["scenario" | "name" | "about" | "seed"] | ["sweep", ..] | ["load" | "fault", _, "name"])
}

/// That a value of such a key is drawn.
pub(crate) fn fixed_key(key: &str, origin: &Origin) -> Diagnostic {
    let message = format!("`{key}` is the same for every seed, so it can be neither chosen nor drawn");
    Diagnostic::new(&codes::FIXED_KEY, origin, message)
}

/// Some keys are the same for every seed; whole loads and faults are what names are given to.
fn misplaced(place: &Place<'_>, value: &Value) -> Option<Diagnostic> {
    let steps: Vec<&str> = place.iter().map(|step| &**step).collect();
    let fixed = |message: String| Diagnostic::new(&codes::FIXED_KEY, &value.origin, message);
    match steps.as_slice() {
        steps if is_fixed(steps) => Some(fixed_key(steps.last()?, &value.origin)),
        [list @ ("load" | "fault")] | [list @ ("load" | "fault"), _] => {
            let problem = fixed(format!("a whole `{list}` can be neither chosen nor drawn; its keys can"));
            Some(problem.help("with chance = \"50%\" it exists in half of the seeds"))
        }
        _ => None,
    }
}

/// Who decides.
pub(crate) enum Decide<'a> {
    /// The seed that these streams belong to.
    Seed(Streams),
    /// These decisions, and the first way where they say nothing.
    Probe(&'a [Pick<'a>]),
}

/// Of a load or a fault with a `chance`, the numbers of the two ways.
const THERE: u64 = 0;
const AWAY: u64 = 1;

/// The tree with everything decided, and what was decided, in the order of the file.
///
/// # Panics
/// If [`survey`] found something wrong.
pub(crate) fn resolve(root: &Table, decide: &Decide<'_>) -> (Table, Vec<Draw>) {
    let mut resolver = Resolver { decide, place: Vec::new(), depth: 0, draws: Vec::new() };
    let root = resolver.table(root);
    (root, resolver.draws)
}

struct Resolver<'a> {
    decide: &'a Decide<'a>,
    place: Place<'a>,
    /// Within how many drawn values it is.
    depth: usize,
    draws: Vec<Draw>,
}

impl<'a> Resolver<'a> {
    fn table(&mut self, table: &'a Table) -> Table {
        let entry = |entry: &'a TableEntry| TableEntry {
            key: entry.key.clone(),
            key_origin: entry.key_origin.clone(),
            value: self.within(Cow::Borrowed(&entry.key), &entry.value),
        };
        Table { entries: table.entries.iter().map(entry).collect(), origin: table.origin.clone() }
    }

    fn within(&mut self, step: Cow<'a, str>, value: &'a Value) -> Value {
        self.place.push(step);
        let before = self.draws.len();
        let mut decided = self.value(value);
        if is_named(&self.place) {
            self.exist(value, &mut decided, before);
        }
        self.place.pop();
        decided
    }

    fn value(&mut self, value: &'a Value) -> Value {
        if let Some(drawn) = Drawn::read(value) {
            return self.drawn(value, drawn.expect("the survey found nothing wrong with it"));
        }
        let shape = match &value.shape {
            Shape::List(items) => {
                let item = |(i, item)| self.within(step(&self.place, i, item), item);
                Shape::List(items.iter().enumerate().map(item).collect())
            }
            Shape::Table(table) => Shape::Table(self.table(table)),
            plain @ (Shape::Text(_) | Shape::Number(_) | Shape::Fraction(_) | Shape::Flag(_) | Shape::Date) => {
                plain.clone()
            }
        };
        Value { shape, origin: value.origin.clone() }
    }

    fn drawn(&mut self, value: &'a Value, drawn: Drawn<'a>) -> Value {
        self.depth += 1;
        let decided = match drawn {
            Drawn::Choose(items) => {
                let number = self.decide(value, |dice| dice.below(items.len() as u64));
                self.within(Cow::Owned(number.to_string()), &items[number as usize])
            }
            Drawn::Draw(range, origin) => range.value(self.decide(value, |dice| dice.between(0, range.last())), origin),
        };
        self.depth -= 1;
        // What is drawn within an alternative is a part of what was chosen.
        if self.depth == 0 {
            self.draws.push(Draw { key: self.place.join("."), value: write::plain(&decided) });
        }
        decided
    }

    /// Throws for the existence of a load or fault: of what it says of its chance, certainty is left, or nothing. Of one
    /// that does not exist, nobody asks what else was drawn.
    fn exist(&mut self, value: &'a Value, decided: &mut Value, draws_before: usize) {
        let Shape::Table(table) = &mut decided.shape else { return };
        let Some(Shape::Text(chance)) = table.get_mut("chance").map(|value| &mut value.shape) else { return };
        // What is no share is told by whoever reads the load or fault.
        let Ok(share) = parse_share(chance) else { return };
        let is_there = self.decide(value, |dice| if dice.chance(share) { THERE } else { AWAY }) == THERE;
        let (certain, told) = if is_there { ("100%", "on") } else { ("0%", "off") };
        *chance = certain.to_owned();
        if !is_there {
            self.draws.truncate(draws_before);
        }
        self.draws.insert(draws_before, Draw { key: self.place.join("."), value: told.to_owned() });
    }

    /// The number of the way that this value goes.
    fn decide(&self, value: &Value, throw: impl FnOnce(&mut Dice) -> u64) -> u64 {
        match self.decide {
            Decide::Seed(streams) => {
                throw(&mut streams.dice(StreamName::new(&["plan", "draw", &self.place.join(".")])))
            }
            Decide::Probe(picks) => {
                let pick = picks.iter().find(|pick| std::ptr::eq(pick.value, value));
                pick.map_or(0, |pick| pick.number)
            }
        }
    }
}
