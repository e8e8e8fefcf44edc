//! What queues and stacks have in common: values are put in and taken out.
//!
//! If every value is put in at most once, it is known who took what from whom, and a history is a set of *elements*:
//! from when to when each may have been put in, and from when to when taken out. That is all the monitors look at.
//!
//! Of what nobody heard of again:
//!
//! - A value that may have been put in and that nobody is known to have taken may be forgotten. In any order that
//!   works it can be left out, with whoever took it, and nobody else notices ([`super::values`]).
//! - A value that somebody is known to have taken has been put in, only nobody knows when.
//! - A removal may have taken any value that nobody else is known to have taken, or nothing. It explains why a value is
//!   gone, never why one was there. It is *open*.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use history::{Outcome, Part as Role, Reason, Testimony, Value, Witness};
use std::hash::BuildHasherDefault;

use super::values::least;
use crate::Budget;
use crate::hash::Mixer;
use crate::model::{Call, Checked, Part};
use crate::search::{Decision, Found, Scope, search};
use crate::witness::testimony;
use history::figures::{counted, grouped, shown};

/// What an operation is asked to do.
pub(crate) enum Wish<'a> {
    /// Put this value in.
    Put(&'a Value),
    /// Take a value out, whichever comes next.
    Take,
}

/// Data into which values are put and out of which they are taken, one at a time.
pub(crate) trait Container: Checked<State: FromIterator<Value>> {
    /// What an operation asks for.
    fn wish(op: &Self::Op) -> Wish<'_>;

    /// What was taken, nil if there was nothing; `None` for what puts in.
    fn taken(ret: &Self::Ret) -> Option<&Value>;
}

/// What is wrong with an operation that found another value.
pub(crate) const MISMATCH: &str = "it adds or takes a value: it cannot find another one than expected";

/// Reads an operation. `names` are the container's own words for putting in and taking out; other tools have theirs.
pub(crate) fn parse<'a>(f: &str, argument: &'a Value, names: &[&str; 2]) -> Result<Wish<'a>, String> {
    match f {
        "enqueue" | "push" | "add" | "put" | "send" | "offer" if argument.is_nil() => {
            Err(format!("{f} of nil: that is what an empty one returns, so it cannot be a value; use any other"))
        }
        "enqueue" | "push" | "add" | "put" | "send" | "offer" => Ok(Wish::Put(argument)),
        "dequeue" | "pop" | "remove" | "take" | "poll" if argument.is_nil() => Ok(Wish::Take),
        "dequeue" | "pop" | "remove" | "take" | "poll" => {
            Err(format!("{f} takes no argument, this one has {}; what it took is its result", shown(argument)))
        }
        "drain" => Err(format!("a drain is many operations in one; write down each `{}`", names[1])),
        _ => Err(format!(
            "it must be `{}` (or `add`, `put`, `send`, `offer`) or `{}` (or `remove`, `take`, `poll`)",
            names[0], names[1]
        )),
    }
}

/// Putting in a value that nobody took leaves everybody else's results alone ([`super::values`]).
pub(crate) fn is_idle<O: Container>(part: &Part<'_, O>) -> impl Fn(&O::Op) -> bool {
    let mut taken: HashMap<&Value, (), BuildHasherDefault<Mixer>> = HashMap::default();
    for call in &part.calls {
        if let Outcome::Returned(ret) = &call.outcome
            && let Some(value) = O::taken(ret)
        {
            taken.insert(value, ());
        }
    }
    move |op| match O::wish(op) {
        Wish::Put(value) => !taken.contains_key(value),
        Wish::Take => false,
    }
}

/// A value that was put in, once, and maybe taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub value: &'a Value,
    /// Who put it in; `None` if it was there from the beginning.
    pub put: Option<usize>,
    /// Who is known to have taken it.
    pub take: Option<usize>,
    /// From when to when it can have been put in.
    pub put_from: u64,
    pub put_until: u64,
    /// From when to when it can have been taken.
    pub take_from: u64,
    pub take_until: u64,
}

/// A removal that found nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Miss {
    pub call: usize,
    pub from: u64,
    pub until: u64,
}

/// At no time: what nobody heard of again has no end.
pub(crate) const NEVER: u64 = u64::MAX;

/// What a record says of values put in once each.
#[derive(Default)]
pub(crate) struct Elements<'a> {
    /// In the order in which they were first asked to be put in. Those that need not have been are left out.
    pub elements: Vec<Element<'a>>,
    pub misses: Vec<Miss>,
    /// When the removals that nobody heard of again were asked for, ascending.
    pub open: Vec<u64>,
}

/// Why a record is not made of elements.
pub(crate) enum NoElements {
    /// It contradicts itself.
    Wrong(Odd),
    /// This value may have been put in more than once, and who took which is not known.
    Repeated(Value),
}

/// A value that was not there to be taken.
pub(crate) enum Odd {
    /// A value taken that nobody ever asked to put in, or that was refused (then who asked).
    Nowhere { take: usize, refused: Option<usize> },
    /// A value taken before anybody asked to put it in.
    Early { take: usize, put: usize },
    /// A value taken twice and put in once.
    Twice { put: Option<usize>, takes: [usize; 2] },
}

impl<'a> Elements<'a> {
    /// The record up to position `until`: what completed later is open.
    pub fn of<O: Container>(part: &'a Part<'_, O>, start: &'a [Value], until: u64) -> Result<Self, NoElements> {
        // Each value that was there from the beginning takes two positions before it.
        let shift = 2 * start.len() as u64;
        let shifted = |index: u64| index.saturating_add(shift);
        let begun = || part.calls.iter().enumerate().filter(|(_, call)| call.source.invoked.index <= until);
        let span = |call: &Call<'_, O>| {
            let over = Some(end(call)).filter(|end| *end <= until && *end < NEVER);
            [shifted(call.source.invoked.index), over.map_or(NEVER, shifted)]
        };
        let mut reading = Reading::default();
        for (value, at) in start.iter().zip((0..).step_by(2)) {
            reading.put(value, None, [at, at + 1]);
        }
        for (number, call) in begun().filter(|(_, call)| call.outcome != Outcome::Refused) {
            if let Wish::Put(value) = O::wish(&call.op) {
                reading.put(value, Some(number), span(call));
            }
        }
        for (number, call) in begun().filter(|(_, call)| matches!(O::wish(&call.op), Wish::Take)) {
            match (&call.outcome, span(call)) {
                (Outcome::Refused, _) => {}
                (Outcome::Unknown, [from, _]) | (Outcome::Returned(_), [from, NEVER]) => reading.all.open.push(from),
                (Outcome::Returned(ret), span) => match O::taken(ret).filter(|value| !value.is_nil()) {
                    None => reading.all.misses.push(Miss { call: number, from: span[0], until: span[1] }),
                    Some(value) if reading.take(value, number, span).map_err(NoElements::Wrong)? => {}
                    Some(value) => {
                        let puts = |call: &Call<'_, O>| matches!(O::wish(&call.op), Wish::Put(put) if put == value);
                        let refused = part.calls.iter().position(puts);
                        return Err(NoElements::Wrong(Odd::Nowhere { take: number, refused }));
                    }
                },
            }
        }
        if let Some(value) = reading.repeated {
            return Err(NoElements::Repeated(value));
        }
        reading.early.map_or(Ok(()), |early| Err(NoElements::Wrong(early)))?;
        reading.all.elements.retain(|element| element.take.is_some() || element.put_until < NEVER);
        Ok(reading.all)
    }

    /// Units for [`least`]: elements first, then misses; those that were over last in front.
    pub fn units(&self) -> Vec<usize> {
        let ends = self
            .elements
            .iter()
            .map(|element| if element.take_until < NEVER { element.take_until } else { element.put_until });
        let ends = ends.chain(self.misses.iter().map(|miss| miss.until));
        let mut units: Vec<(u64, usize)> = ends.zip(0..).collect();
        units.sort_unstable_by(|a, b| b.cmp(a));
        units.into_iter().map(|(_, unit)| unit).collect()
    }

    /// Some of the units, and everything that is open.
    pub fn some(&self, units: &[usize]) -> Elements<'a> {
        let (elements, misses): (Vec<usize>, Vec<usize>) = units.iter().partition(|unit| **unit < self.elements.len());
        Elements {
            elements: elements.into_iter().map(|unit| self.elements[unit]).collect(),
            misses: misses.into_iter().map(|unit| self.misses[unit - self.elements.len()]).collect(),
            open: self.open.clone(),
        }
    }
}

/// A record as far as it has been read.
#[derive(Default)]
struct Reading<'a> {
    all: Elements<'a>,
    number_of: Numbers<'a>,
    /// The first value put in again.
    repeated: Option<Value>,
    /// The first taken too early.
    early: Option<Odd>,
}

impl<'a> Reading<'a> {
    fn put(&mut self, value: &'a Value, put: Option<usize>, [put_from, put_until]: [u64; 2]) {
        match self.number_of.entry(value) {
            Entry::Occupied(_) => _ = self.repeated.get_or_insert_with(|| value.clone()),
            Entry::Vacant(entry) => {
                entry.insert(self.all.elements.len());
                let (take, take_from, take_until) = (None, NEVER, NEVER);
                self.all.elements.push(Element { value, put, take, put_from, put_until, take_from, take_until });
            }
        }
    }

    /// Whether there is such a value to take.
    fn take(&mut self, value: &Value, take: usize, [from, until]: [u64; 2]) -> Result<bool, Odd> {
        let Some(&element) = self.number_of.get(value) else { return Ok(false) };
        let element = &mut self.all.elements[element];
        if let (Some(other), None) = (element.take, &self.repeated) {
            return Err(Odd::Twice { put: element.put, takes: [other, take] });
        }
        if let (Some(put), None) = (element.put.filter(|_| until < element.put_from), &self.early) {
            self.early = Some(Odd::Early { take, put });
        }
        (element.take, element.take_from, element.take_until) = (Some(take), from, until);
        Ok(true)
    }
}

type Numbers<'a> = HashMap<&'a Value, usize, BuildHasherDefault<Mixer>>;

/// An operation as a witness tells it, in the container's own words and with what it took.
pub(crate) fn told<O: Container>(call: &Call<'_, O>) -> Testimony {
    let returned = match &call.outcome {
        Outcome::Returned(ret) => O::taken(ret).cloned(),
        Outcome::Refused | Outcome::Unknown => None,
    };
    let role = match O::wish(&call.op) {
        Wish::Put(_) => Role::Wrote,
        Wish::Take => Role::Both,
    };
    let f = O::FUNCTIONS[O::function(&call.op)].name.to_owned();
    Testimony { f, returned, ..testimony(call, role) }
}

/// What is wrong where values come from nowhere, too early or too often.
pub(crate) fn odd<O: Container>(part: &Part<'_, O>, odd: &Odd) -> Witness {
    let name = O::NAME;
    let client = |call: usize| format!("p{}", part.calls[call].source.process);
    let took = |take: usize| match &part.calls[take].outcome {
        Outcome::Returned(ret) => O::taken(ret).map(shown).unwrap_or_default(),
        Outcome::Refused | Outcome::Unknown => String::new(),
    };
    match *odd {
        Odd::Nowhere { take, refused: None } => {
            let (who, value) = (client(take), took(take));
            let headline = format!("{who} took {value} from the {name}, which nobody ever added");
            let because = format!("Nobody ever asked to add {value}, and the {name} did not begin with it.");
            witness(part, vec![take], Some(take), "nobody-put", headline, vec![because])
        }
        Odd::Nowhere { take, refused: Some(put) } => {
            let (who, value) = (client(take), took(take));
            let headline = format!("{who} took {value} from the {name}, though adding it never happened");
            let because = format!("Nobody else asked to add {value}, and what never happened cannot be taken.");
            witness(part, vec![put, take], Some(take), "never-happened", headline, vec![because])
        }
        Odd::Early { take, put } => {
            let (who, value) = (client(take), took(take));
            let headline = format!("{who} took {value} from the {name} before anybody asked to add it");
            let because = format!("Nobody else asked to add {value}, so {who} took it before it can have been there.");
            witness(part, vec![take, put], Some(take), "not-yet-put", headline, vec![because])
        }
        Odd::Twice { put, takes: [first, second] } => {
            let value = took(second);
            let once = if put.is_some() { "was added once" } else { "was there once, and nobody ever added it" };
            let headline = format!("{} and {} both took {value} from the {name}", client(first), client(second));
            let because = format!("{value} {once}, so only one of the two can have taken it.");
            let named = put.into_iter().chain([first, second]).collect();
            witness(part, named, Some(second), "taken-twice", headline, vec![because])
        }
    }
}

/// An argument about some of the calls.
pub(crate) fn witness<O: Container>(
    part: &Part<'_, O>,
    named: Vec<usize>,
    offender: Option<usize>,
    why: &str,
    headline: String,
    because: Vec<String>,
) -> Witness {
    if named.len() > OPERATIONS_MAX {
        let because = vec![format!("{headline}; all {} operations together show it.", grouped(named.len() as u64))];
        let reason = Reason::Told { why: why.to_owned(), headline, because };
        let named: Vec<Testimony> = offender.iter().map(|call| told(&part.calls[*call])).collect();
        let witness = Witness::new(part.key.cloned(), named, offender.map(|_| 0), reason);
        return Witness { is_minimal: false, ..witness }.about(format!("the {}", O::NAME));
    }
    let offender = offender.and_then(|call| named.iter().position(|named| *named == call));
    let testimonies = named.into_iter().map(|call| told(&part.calls[call])).collect();
    let reason = Reason::Told { why: why.to_owned(), headline, because };
    Witness::new(part.key.cloned(), testimonies, offender, reason).about(format!("the {}", O::NAME))
}

/// More operations than that are no argument.
pub(crate) const OPERATIONS_MAX: usize = 40;

/// Explains what only the search found: the fewest values that have no order, whatever that is due to.
pub(crate) fn explain<O: Container>(
    part: &Part<'_, O>,
    start: &O::State,
    found: &Found<O::State>,
    budget: &Budget<'_>,
) -> Witness {
    let start: Value = start.clone().into();
    let mut scope = Scope {
        until: found.stuck,
        grant: found.states.saturating_mul(4).saturating_add(8 * part.calls.len() as u64 + 10_000),
        blamed: None,
        looks_ahead: true,
    };
    // Mostly what is wrong is wrong by where the search got stuck.
    let groups = Groups::of(part, &start, scope.until);
    let all: Vec<usize> = (0..groups.loose.len()).collect();
    let is_wrong = |groups: &Groups<'_>, units: &[usize], scope: Scope| {
        let (part, start) = groups.some(part, &start, units);
        match search(&part, &start, scope, budget).decision {
            Decision::Contradiction => Some(true),
            Decision::Explained => Some(false),
            Decision::OutOfStates | Decision::Stopped => None,
        }
    };
    let is_stuck = is_wrong(&groups, &all, scope) == Some(true);
    scope.until = if is_stuck { scope.until } else { u64::MAX };
    let groups = if is_stuck { groups } else { Groups::of(part, &start, scope.until) };
    let all: Vec<usize> = (0..groups.loose.len()).collect();
    let least = least(&all, budget, |units| is_wrong(&groups, units, scope));
    let mut named: Vec<usize> = least.units.iter().flat_map(|unit| &groups.loose[*unit].calls).copied().collect();
    // What began after all of them were over can have done nothing for them.
    let last = named.iter().map(|call| end(&part.calls[*call])).filter(|end| *end < NEVER).max().unwrap_or_default();
    named.extend(groups.always.iter().filter(|call| part.calls[**call].source.invoked.index < last));
    named.sort_unstable();
    let name = O::NAME;
    let count = counted(named.len() as u64, "operation");
    if named.len() > OPERATIONS_MAX {
        let headline = format!("no order of what happened to the {name} explains every result");
        let because =
            format!("No order explains every result of {count}; there is no budget left to tell which is to blame.");
        return Witness { is_minimal: false, ..witness(part, Vec::new(), None, "entangled", headline, vec![because]) };
    }
    let takes = |call: &usize| matches!(O::wish(&part.calls[*call].op), Wish::Take) && end(&part.calls[*call]) < NEVER;
    let offender = named.iter().copied().filter(takes).max_by_key(|call| end(&part.calls[*call]));
    let headline = format!("no order of {count} explains what was taken from the {name}");
    let because = vec![format!(
        "Every order of these contradicts what somebody got. Nothing else helps: take one value and all that was \
         done with it \
         out of what happened to a {name}, and it treats the others as before."
    )];
    Witness { is_minimal: least.is_minimal, ..witness(part, named, offender, "entangled", headline, because) }
}

/// When an operation was over.
fn end<O: Container>(call: &Call<'_, O>) -> u64 {
    let end = call.source.completed.filter(|_| matches!(call.outcome, Outcome::Returned(_)));
    end.map_or(NEVER, |mark| mark.index)
}

/// What is held, the first put in first.
fn held(state: &Value) -> &[Value] {
    match state {
        Value::List(held) => held,
        Value::Nil | Value::Int(_) | Value::Text(_) => &[],
    }
}

/// A unit of the search's: a value with all that was done with it, or a miss.
struct Group<'a> {
    value: Option<&'a Value>,
    calls: Vec<usize>,
}

struct Groups<'a> {
    /// Those begun last in front.
    loose: Vec<Group<'a>>,
    /// The open ones.
    always: Vec<usize>,
}

impl<'a> Groups<'a> {
    fn of<O: Container>(part: &'a Part<'_, O>, start: &'a Value, until: u64) -> Self {
        let (mut loose, mut always, mut number_of) = (Vec::new(), Vec::new(), Numbers::default());
        let begun = part.calls.iter().enumerate().filter(|(_, call)| call.source.invoked.index <= until);
        for (number, call) in begun.rev() {
            let value = match (O::wish(&call.op), &call.outcome) {
                (_, Outcome::Refused) => continue,
                (Wish::Put(value), _) => Some(value),
                (Wish::Take, Outcome::Returned(ret)) if end(call) <= until => {
                    O::taken(ret).filter(|value| !value.is_nil())
                }
                (Wish::Take, Outcome::Returned(_) | Outcome::Unknown) => {
                    always.push(number);
                    continue;
                }
            };
            let group = match value {
                Some(value) => *number_of.entry(value).or_insert(loose.len()),
                None => loose.len(),
            };
            if group == loose.len() {
                loose.push(Group { value, calls: Vec::new() });
            }
            loose[group].calls.push(number);
        }
        for value in held(start).iter().filter(|value| !number_of.contains_key(value)) {
            loose.push(Group { value: Some(value), calls: Vec::new() });
        }
        Groups { loose, always }
    }

    /// The record and the beginning, reduced to some of the units.
    fn some<'h, O: Container>(&self, part: &Part<'h, O>, start: &Value, units: &[usize]) -> (Part<'h, O>, O::State) {
        let mut values: HashMap<&Value, (), BuildHasherDefault<Mixer>> = HashMap::default();
        values.extend(units.iter().filter_map(|unit| self.loose[*unit].value).map(|value| (value, ())));
        let start = held(start).iter().filter(|value| values.contains_key(value)).cloned().collect();
        let mut numbers: Vec<usize> = units.iter().flat_map(|unit| &self.loose[*unit].calls).copied().collect();
        numbers.extend(&self.always);
        numbers.sort_unstable();
        let call = |number: usize| {
            let Call { op, outcome, number, source } = &part.calls[number];
            Call { op: op.clone(), outcome: outcome.clone(), number: *number, source }
        };
        (Part { key: part.key, calls: numbers.into_iter().map(call).collect() }, start)
    }
}
