//! What becomes of each element of a set that only grows (Jepsen's `set-full`).
//!
//! An element is *known* once its add was acknowledged or a read has shown it, whichever came first. From then on each
//! read that begins should show it:
//!
//! ```text
//! add:   |--add(7)--|
//! reads:               |--without--|   |--without--|   |--with--|
//!                   known                      stable: 7 was stale for so long
//! ```
//!
//! - *stable*: the last read that began shows it. It is *stale* if a read that began after it was known did not; its
//!   *stable latency* is the time from when it was known to the beginning of the last read without it.
//! - *lost*: known, and the last read that began, some time after that, does not show it.
//! - *never read*: neither; no read that began after it was known tells.
//!
//! A set may be stale and still keep all that it was given, so only loss is held against it, unless more is demanded:
//! linearizability forbids staleness too.

use history::{History, Verdict};

use super::set::violation;
use super::sightings::{Element, NEVER, Sightings};
use crate::evidence::{Violation, judgement};
use crate::{Budget, Consistency, Judgement, Question, Unfit};
use history::figures::{grouped, measured, shown};

/// What became of an element.
enum Fate {
    /// With the last read that missed it after it was known, if one did.
    Stable {
        stale: Option<usize>,
    },
    /// With the last read, which missed it.
    Lost(usize),
    NeverRead,
}

/// How many elements met which fate.
#[derive(Default)]
struct Fates {
    stable: u64,
    stale: u64,
    lost: u64,
    never_read: u64,
    /// The stable latency of the worst, in nanoseconds.
    latency_max: u64,
    first_lost: Option<Lost>,
}

/// An element that was lost, the read that lacks it, and the operation that made it known.
struct Lost {
    element: usize,
    read: usize,
    known_by: Option<usize>,
}

/// Judges what became of each element.
///
/// VACUOUS if of no element it can be told whether it stayed.
///
/// # Errors
/// If an operation is neither `add` nor `read`, or a read returns no list.
pub(crate) fn set_full(history: &History, question: &Question<'_>, budget: &Budget<'_>) -> Result<Judgement, Unfit> {
    let sightings = Sightings::of(history, question)?;
    let fates = Fates::of(history, &sightings);
    let told = fates.told();
    let absurd = || sightings.reads.iter().find_map(|read| sightings.absurd(read));
    let lost = || fates.first_lost.as_ref().map(|lost| lost.violation(history, &sightings));
    let is_strict = question.level == Some(Consistency::Linearizable);
    let disordered = || violation(&sightings, budget).filter(|_| is_strict).map(|(violation, _)| violation);
    let judgement = match absurd().or_else(lost).or_else(disordered) {
        Some(violation) => {
            let detail = format!("{}; {told}", violation.headline);
            judgement(history, Verdict::Fail, detail, Some(violation.witness(history, "the set")))
        }
        None if fates.stable == 0 => judgement(history, Verdict::Vacuous, told, None),
        None => judgement(history, Verdict::Pass, told, None),
    };
    let mut methods = vec!["last read with and without each element".to_owned()];
    methods.extend(is_strict.then(|| "reads ordered by inclusion".to_owned()));
    Ok(Judgement { methods, notes: notes(&sightings), ..judgement })
}

impl Fates {
    fn of(history: &History, sightings: &Sightings<'_>) -> Fates {
        let visibility = Visibility::of(sightings);
        let mut fates = Fates::default();
        for (number, element) in sightings.elements.iter().enumerate() {
            if element.asked_by.is_none() && element.known == NEVER {
                continue;
            }
            match visibility.fate(sightings, number) {
                Fate::NeverRead => fates.never_read += 1,
                Fate::Stable { stale } => {
                    fates.stable += 1;
                    if let Some(read) = stale {
                        fates.stale += 1;
                        let begun = history.operations[sightings.reads[read].number].invoked.time;
                        let known = visibility.known_by[number].and_then(|by| history.operations[by].completed);
                        let latency = begun.saturating_sub(known.map_or(0, |mark| mark.time));
                        fates.latency_max = fates.latency_max.max(latency);
                    }
                }
                Fate::Lost(read) => {
                    fates.lost += 1;
                    let known_by = visibility.known_by[number];
                    fates.first_lost.get_or_insert(Lost { element: number, read, known_by });
                }
            }
        }
        fates
    }

    fn told(&self) -> String {
        let Fates { stable, stale, lost, never_read, latency_max, first_lost: _ } = self;
        let worst = match latency_max {
            0 => String::new(),
            nanos => format!(", for {} at worst", measured(*nanos)),
        };
        let [lost, stable, stale, never_read] = [lost, stable, stale, never_read].map(|count| grouped(*count));
        format!("{lost} lost, {stable} stable ({stale} stale{worst}), {never_read} never read")
    }
}

/// When each element was known and last seen, and last not seen.
struct Visibility {
    /// By element: since when it is known, and by which operation.
    known: Vec<u64>,
    known_by: Vec<Option<usize>>,
    /// By element: how many reads show it in a row, from the last read backwards.
    run: Vec<usize>,
    /// By element: the last read to begin that shows it.
    last_present: Vec<Option<usize>>,
}

impl Visibility {
    fn of(sightings: &Sightings<'_>) -> Visibility {
        let Sightings { elements, reads, .. } = sightings;
        let mut visibility = Visibility {
            known: elements.iter().map(|element| element.known).collect(),
            known_by: elements.iter().map(|element| element.known_by).collect(),
            run: vec![0; elements.len()],
            last_present: vec![None; elements.len()],
        };
        // Reads come in the order in which they began.
        for (back, (at, read)) in reads.iter().enumerate().rev().enumerate() {
            for element in read.elements.iter().map(|element| *element as usize) {
                visibility.last_present[element].get_or_insert(at);
                if visibility.run[element] == back {
                    visibility.run[element] += 1;
                }
                if read.over < visibility.known[element] {
                    (visibility.known[element], visibility.known_by[element]) = (read.over, Some(read.number));
                }
            }
        }
        visibility
    }

    fn fate(&self, sightings: &Sightings<'_>, element: usize) -> Fate {
        let reads = &sightings.reads;
        let last_absent = reads.len().checked_sub(self.run[element] + 1);
        let is_known_before = |read: &usize| self.known[element] < reads[*read].begun;
        match (self.last_present[element], last_absent) {
            (Some(present), absent) if absent < Some(present) => Fate::Stable { stale: absent.filter(is_known_before) },
            (_, Some(absent)) if is_known_before(&absent) => Fate::Lost(absent),
            (_, _) => Fate::NeverRead,
        }
    }
}

impl Lost {
    fn violation(&self, history: &History, sightings: &Sightings<'_>) -> Violation {
        let (value, read) = (shown(sightings.elements[self.element].value), &sightings.reads[self.read]);
        let (known, headline) = match self.known_by.map(|by| &*history.operations[by].f) {
            Some("add" | "broadcast") => {
                ("had been added", format!("{value} was added to the set, acknowledged, and lost"))
            }
            Some(_) => ("had been seen", format!("{value} was seen in the set, and is lost")),
            None => ("was there at first", format!("{value} was in the set at first, and is lost")),
        };
        let last = self.known_by.map_or(1, |_| 2);
        let because = vec![
            format!("{value} {known} before ({last}) began, and ({last}) does not show it."),
            format!("No read that began later shows {value} either: it is gone for good."),
        ];
        let operations = self.known_by.into_iter().chain([read.number]).collect();
        Violation { why: "lost", headline, because, operations, offender: Some(read.number) }
    }
}

/// Elements that look keyed where reads do not: a record of several sets, taken for one.
fn notes(sightings: &Sightings<'_>) -> Vec<String> {
    let is_pair = |element: &Element<'_>| element.value.as_pair().is_some();
    let (added, read): (Vec<&Element<'_>>, Vec<&Element<'_>>) =
        sightings.elements.iter().partition(|element| element.asked_by.is_some());
    let is_odd =
        !added.is_empty() && !read.is_empty() && added.iter().all(|e| is_pair(e)) && !read.iter().any(|e| is_pair(e));
    let example = added.first().map(|element: &&Element<'_>| shown(element.value)).unwrap_or_default();
    let note = format!(
        "every element added is a pair like {example}, and none that was read is: if the first of the two is a key, \
         the record is of several sets and its reads lost their keys"
    );
    if is_odd { vec![note] } else { Vec::new() }
}
