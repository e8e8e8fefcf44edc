//! What a history tells of a set: when each element was asked for and known to be there, and which reads saw it.

use history::{History, Operation, Value};

use super::numbers::Numbers;
use crate::evidence::{Violation, latest, returned};
use crate::{Question, Unfit};
use history::figures::shown;

/// Elements by number and reads, in the order of the record. Positions count from 1: 0 is the beginning.
pub(crate) struct Sightings<'a> {
    pub elements: Vec<Element<'a>>,
    pub reads: Vec<Read>,
    /// How many adds there are, and how many of them were acknowledged.
    pub adds: usize,
    pub acknowledged: usize,
}

/// An element and all adds of it together: it came in with one of them, and the others changed nothing.
pub(crate) struct Element<'a> {
    pub value: &'a Value,
    /// When it was first asked for; [`NEVER`] if it was not.
    pub begun: u64,
    /// When it was first acknowledged; [`NEVER`] if it was not.
    pub known: u64,
    /// The first add, and the first to be acknowledged.
    pub asked_by: Option<usize>,
    pub known_by: Option<usize>,
    /// An add of it that did not happen.
    pub refused: Option<usize>,
}

/// A completed read.
pub(crate) struct Read {
    /// Its number in the history.
    pub number: usize,
    pub begun: u64,
    pub over: u64,
    /// What it returned, by number of the element.
    pub elements: Vec<u32>,
}

/// After everything.
pub(crate) const NEVER: u64 = u64::MAX;

impl<'a> Sightings<'a> {
    pub fn of(history: &'a History, question: &'a Question<'_>) -> Result<Self, Unfit> {
        let mut sightings = Sightings { elements: Vec::new(), reads: Vec::new(), adds: 0, acknowledged: 0 };
        let mut numbers = Numbers::new(history.len());
        for value in initial(question)? {
            let number = sightings.number(&mut numbers, value);
            sightings.elements[number as usize].begun = 0;
            sightings.elements[number as usize].known = 0;
        }
        for (number, operation) in history.operations.iter().enumerate() {
            match &*operation.f {
                // Maelstrom's name for it.
                "add" | "broadcast" => {
                    let element = sightings.number(&mut numbers, &operation.input);
                    sightings.add(number, operation, element)?;
                }
                "read" => {
                    let Some(value) = returned(operation)? else { continue };
                    let Value::List(values) = value else {
                        let message = format!("it returned {}, and should have returned all elements", shown(value));
                        return Err(Unfit::operation(operation, message));
                    };
                    let elements = values.iter().map(|value| sightings.number(&mut numbers, value)).collect();
                    let over = position(latest(operation).unwrap_or(NEVER));
                    let begun = position(operation.invoked.index);
                    sightings.reads.push(Read { number, begun, over, elements });
                }
                _ => return Err(Unfit::operation(operation, "a set knows `add` and `read`")),
            }
        }
        if !question.is_complete {
            // Somebody outside the record may have added anything at any time.
            sightings.elements.iter_mut().for_each(|element| element.begun = 0);
        }
        Ok(sightings)
    }

    fn number(&mut self, numbers: &mut Numbers<'a>, value: &'a Value) -> u32 {
        let (number, is_new) = numbers.number(value);
        if is_new {
            let (begun, known) = (NEVER, NEVER);
            self.elements.push(Element { value, begun, known, asked_by: None, known_by: None, refused: None });
        }
        number
    }

    fn add(&mut self, number: usize, operation: &Operation, element: u32) -> Result<(), Unfit> {
        let is_acknowledged = returned(operation)?.is_some();
        let element = &mut self.elements[element as usize];
        self.adds += 1;
        self.acknowledged += usize::from(is_acknowledged);
        let Some(over) = latest(operation) else {
            element.refused = Some(number);
            return Ok(());
        };
        let begun = position(operation.invoked.index);
        if begun < element.begun {
            (element.begun, element.asked_by) = (begun, Some(number));
        }
        if is_acknowledged && position(over) < element.known {
            (element.known, element.known_by) = (position(over), Some(number));
        }
        Ok(())
    }

    /// An element that one read shows and the other does not.
    pub fn only_in(&self, one: &Read, other: &Read) -> Option<u32> {
        let mut is_in_other = vec![false; self.elements.len()];
        other.elements.iter().for_each(|element| is_in_other[*element as usize] = true);
        one.elements.iter().copied().find(|element| !is_in_other[*element as usize])
    }

    /// What is wrong with a read whatever the others saw: an element from nowhere, or twice.
    pub fn absurd(&self, read: &Read) -> Option<Violation> {
        let alone = |why, headline, because: String, witness: Option<usize>| Violation {
            why,
            headline,
            because: vec![because],
            operations: [read.number].into_iter().chain(witness).collect(),
            offender: Some(read.number),
        };
        let mut sorted = read.elements.clone();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            let value = shown(self.elements[pair[0] as usize].value);
            let headline = format!("a read of the set shows {value} twice");
            return Some(alone("element twice", headline, "A set holds an element once.".to_owned(), None));
        }
        let phantom = |number: &&u32| self.elements[**number as usize].begun > read.over;
        let element = &self.elements[*read.elements.iter().find(phantom)? as usize];
        let value = shown(element.value);
        Some(match (element.asked_by, element.refused) {
            (Some(later), _) => alone(
                "not yet added",
                format!("a read of the set shows {value} before anybody asked for it to be added"),
                format!("Nobody had asked to add {value} when (1) was over."),
                Some(later),
            ),
            (None, Some(refused)) => alone(
                "never happened",
                format!("a read of the set shows {value}, though the add of it never happened"),
                format!("Nobody else asked to add {value}, and what never happened leaves nothing behind."),
                Some(refused),
            ),
            (None, None) => alone(
                "from nowhere",
                format!("a read of the set shows {value}, which nobody ever added"),
                format!("Nobody ever asked to add {value}, and the set did not begin with it."),
                None,
            ),
        })
    }
}

fn position(index: u64) -> u64 {
    index.saturating_add(1)
}

fn initial<'a>(question: &'a Question<'_>) -> Result<&'a [Value], Unfit> {
    match &question.initial {
        None | Some(Value::Nil) => Ok(&[]),
        Some(Value::List(elements)) => Ok(elements),
        Some(other) => Err(Unfit::Question(format!("a set starts with a list of elements, not with {}", shown(other)))),
    }
}
