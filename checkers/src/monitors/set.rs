//! A set that only grows is linearizable, or is not, in linear time.
//!
//! Since nothing ever leaves the set, the reads must be ordered by inclusion: of two, one holds all that the other
//! holds. If so, sort them by size, and almost everything is decided. Between one read and the next larger one come the
//! adds of just those elements that the larger one has and the smaller one has not; what nobody ever read comes last.
//! So the operations stand in blocks:
//!
//! ```text
//! adds of what the smallest reads show | those reads | adds of what the next show | those | ... | adds never read
//! ```
//!
//! The order of the blocks is forced, within a block any order will do. Such an order agrees with everybody's interval
//! if and only if no operation of an earlier block begins after one of a later block is over. That takes one pass with
//! the latest beginning so far in hand.
//!
//! - An add of unknown outcome is over never; if nobody read its element, it never happened.
//! - Of several adds of one element, one must be in the element's block and the others may be anywhere later. The one
//!   that was first asked for serves best, and whichever was first acknowledged bounds the end: together they are one
//!   operation with the earlier beginning and the earlier end.
//!
//! Where two operations clash, two or three tell why: an add and a later read that lacks it; two reads each with an
//! element that the other lacks; a read and a later one with less; or two adds and a read that saw only the later.

use history::{History, Verdict};

use super::sightings::{Element, NEVER, Read, Sightings};
use crate::evidence::{Violation, judgement};
use crate::{Budget, Judgement, Question, Unfit};
use history::figures::{counted, grouped, shown};

/// Judges whether a grow-only set is linearizable.
///
/// VACUOUS if nobody read it.
///
/// # Errors
/// If an operation is neither `add` nor `read`, or a read returns no list.
pub(crate) fn set(history: &History, question: &Question<'_>, budget: &Budget<'_>) -> Result<Judgement, Unfit> {
    let sightings = Sightings::of(history, question)?;
    let census = census(&sightings);
    let judgement = match violation(&sightings, budget) {
        _ if sightings.reads.is_empty() => {
            judgement(history, Verdict::Vacuous, format!("{census}; nobody read the set"), None)
        }
        None => judgement(history, Verdict::Pass, census, None),
        Some((violation, until)) => {
            let detail = format!("{}; {census}", violation.headline);
            let failed = judgement(history, Verdict::Fail, detail, Some(violation.witness(history, "the set")));
            let note = |until: u64| format!("before event {} there is an order", until.saturating_sub(1));
            Judgement { notes: until.map(note).into_iter().collect(), ..failed }
        }
    };
    Ok(Judgement { methods: vec!["reads ordered by inclusion".to_owned()], ..judgement })
}

/// Why there is no order, and the position of the completion that is the first to leave none, if there is time to find it.
pub(crate) fn violation(sightings: &Sightings<'_>, budget: &Budget<'_>) -> Option<(Violation, Option<u64>)> {
    let absurd = sightings.reads.iter().filter_map(|read| Some((read.over, sightings.absurd(read)?)));
    let absurd = absurd.min_by_key(|(over, _)| *over);
    let until = absurd.as_ref().map_or(NEVER, |(over, _)| over - 1);
    let Some(mut last) = (Cut { sightings, until }).violation() else {
        return absurd.map(|(over, violation)| (violation, Some(over)));
    };
    // A longer record has no order either. So the first completion too many is found by halving.
    let elements = sightings.elements.iter().map(|element| element.known);
    let mut ends: Vec<u64> = elements.chain(sightings.reads.iter().map(|read| read.over)).collect();
    ends.retain(|end| *end < NEVER && *end <= until);
    ends.sort_unstable();
    let (mut good, mut bad) = (0, ends.len());
    while bad - good > 1 {
        if !(budget.keep_going)() {
            return Some((last, None));
        }
        let middle = good + (bad - good) / 2;
        match (Cut { sightings, until: ends[middle - 1] }).violation() {
            Some(violation) => (bad, last) = (middle, violation),
            None => good = middle,
        }
    }
    Some((last, Some(bad.checked_sub(1).map_or(0, |last| ends[last]))))
}

/// `5 adds, 4 acknowledged, 2 reads; the last shows 4 elements, 1 of unknown outcome; 0 lost`.
fn census(sightings: &Sightings<'_>) -> String {
    let counts = format!(
        "{}, {} acknowledged, {}",
        counted(sightings.adds as u64, "add"),
        grouped(sightings.acknowledged as u64),
        counted(sightings.reads.len() as u64, "read"),
    );
    let Some(last) = sightings.reads.iter().max_by_key(|read| read.over) else { return counts };
    let mut is_shown = vec![false; sightings.elements.len()];
    last.elements.iter().for_each(|element| is_shown[*element as usize] = true);
    let count = |what: &dyn Fn(&Element<'_>, bool) -> bool| {
        let elements = sightings.elements.iter().zip(&is_shown);
        elements.filter(|(element, is_shown)| what(element, **is_shown)).count() as u64
    };
    let lost = count(&|element, is_shown| !is_shown && element.known < last.begun);
    let unexpected = count(&|element, is_shown| is_shown && element.begun == NEVER);
    let recovered = count(&|element, is_shown| is_shown && element.begun < NEVER && element.known == NEVER);
    format!(
        "{counts}; the last shows {}: {} lost, {} unexpected, {} recovered",
        counted(last.elements.len() as u64, "element"),
        grouped(lost),
        grouped(unexpected),
        grouped(recovered),
    )
}

/// The record up to a position; what ends later has not ended. What its reads show was asked for in time, and once.
struct Cut<'a> {
    sightings: &'a Sightings<'a>,
    until: u64,
}

/// Who begins last in a block, and who ends first.
#[derive(Clone, Copy)]
struct Block {
    begun: (u64, Who),
    over: (u64, Who),
}

#[derive(Clone, Copy)]
enum Who {
    Nobody,
    Element(usize),
    Read(usize),
}

impl Block {
    const EMPTY: Block = Block { begun: (0, Who::Nobody), over: (NEVER, Who::Nobody) };

    fn add(&mut self, begun: u64, over: u64, who: Who) {
        if begun > self.begun.0 {
            self.begun = (begun, who);
        }
        if over < self.over.0 {
            self.over = (over, who);
        }
    }
}

impl Cut<'_> {
    fn violation(&self) -> Option<Violation> {
        let reads = &self.sightings.reads;
        let mut ordered: Vec<usize> = (0..reads.len()).filter(|read| reads[*read].over <= self.until).collect();
        ordered.sort_by_key(|read| reads[*read].elements.len());
        self.fork(&ordered).or_else(|| self.clash(&ordered))
    }

    /// Two reads, each with an element that the other lacks.
    fn fork(&self, ordered: &[usize]) -> Option<Violation> {
        let mut seen_in = vec![0; self.sightings.elements.len()];
        for (pair, both) in (1u32..).zip(ordered.windows(2)) {
            let (smaller, larger) = (&self.sightings.reads[both[0]], &self.sightings.reads[both[1]]);
            larger.elements.iter().for_each(|element| seen_in[*element as usize] = pair);
            if let Some(lacking) = smaller.elements.iter().find(|element| seen_in[**element as usize] != pair) {
                return self.forked(smaller, larger, *lacking);
            }
        }
        None
    }

    fn forked(&self, smaller: &Read, larger: &Read, only_smaller: u32) -> Option<Violation> {
        let only_larger = self.sightings.only_in(larger, smaller)?;
        let value = |element: u32| shown(self.sightings.elements[element as usize].value);
        let (first, second, ours, theirs) = match smaller.number < larger.number {
            true => (smaller, larger, value(only_smaller), value(only_larger)),
            false => (larger, smaller, value(only_larger), value(only_smaller)),
        };
        Some(Violation {
            why: "opposite orders",
            headline: format!("two reads of the set saw {ours} and {theirs} come in opposite orders"),
            because: vec![
                format!("(1) shows {ours} and not {theirs}, (2) shows {theirs} and not {ours}."),
                "Nothing ever leaves the set, so whichever came later must show what the other shows.".to_owned(),
            ],
            operations: vec![first.number, second.number],
            offender: Some(second.number),
        })
    }

    /// An operation that begins after one is over that must come later.
    fn clash(&self, ordered: &[usize]) -> Option<Violation> {
        let Sightings { elements, reads, .. } = self.sightings;
        // Adds in the even blocks, the reads that show them in the odd ones.
        let mut blocks: Vec<Block> = Vec::new();
        let mut is_placed = vec![false; elements.len()];
        let mut size = None;
        for &read in ordered {
            let Read { begun, over, elements: shown, .. } = &reads[read];
            if size.replace(shown.len()) != Some(shown.len()) {
                let mut adds = Block::EMPTY;
                for &element in shown.iter().filter(|element| !is_placed[**element as usize]) {
                    let Element { begun, known, .. } = elements[element as usize];
                    adds.add(begun, self.cut(known), Who::Element(element as usize));
                }
                shown.iter().for_each(|element| is_placed[*element as usize] = true);
                blocks.extend([adds, Block::EMPTY]);
            }
            blocks.last_mut()?.add(*begun, *over, Who::Read(read));
        }
        let mut unseen = Block::EMPTY;
        for (number, element) in elements.iter().enumerate().filter(|(number, _)| !is_placed[*number]) {
            unseen.add(0, self.cut(element.known), Who::Element(number));
        }
        blocks.push(unseen);
        let (mut latest, mut latest_at) = ((0, Who::Nobody), 0);
        for (at, block) in blocks.iter().enumerate() {
            if latest.0 > block.over.0 {
                let reads_between = blocks[latest_at | 1].begun.1;
                return self.clashing(latest.1, block.over.1, reads_between);
            }
            if block.begun.0 > latest.0 {
                (latest, latest_at) = (block.begun, at);
            }
        }
        None
    }

    fn cut(&self, end: u64) -> u64 {
        if end > self.until { NEVER } else { end }
    }

    /// `first` must come first, and begins after `second` is over. `witness` is of the reads that show `first`, if that
    /// is an element.
    fn clashing(&self, first: Who, second: Who, witness: Who) -> Option<Violation> {
        let Sightings { elements, reads, .. } = self.sightings;
        let value = |element: &Element<'_>| shown(element.value);
        match (first, second, witness) {
            (Who::Read(less), Who::Read(more), _) => {
                let (less, more) = (&reads[less], &reads[more]);
                let gone = value(&elements[self.sightings.only_in(more, less)? as usize]);
                Some(Violation {
                    why: "element gone",
                    headline: format!("a read of the set shows {gone}, and a later one does not"),
                    because: vec![format!(
                        "(1) shows {gone} and was over before (2) began; nothing ever leaves the set."
                    )],
                    operations: vec![more.number, less.number],
                    offender: Some(less.number),
                })
            }
            (Who::Read(read), Who::Element(lost), _) => Some(self.lost(&reads[read], &elements[lost])),
            (Who::Element(later), Who::Element(earlier), Who::Read(read)) => {
                let (earlier, later, read) = (&elements[earlier], &elements[later], &reads[read]);
                let (before, after) = (value(earlier), value(later));
                let since = match earlier.known_by {
                    Some(_) => format!("{before} had been added before anybody asked to add {after}"),
                    None => format!("The set began with {before}"),
                };
                Some(Violation {
                    why: "overtaken",
                    headline: format!("a read of the set shows {after}, and not {before}, which was added before it"),
                    because: vec![format!("{since}, so whoever sees {after} must see {before}.")],
                    operations: [earlier.known_by, later.asked_by, Some(read.number)].into_iter().flatten().collect(),
                    offender: Some(read.number),
                })
            }
            // No element is shown before somebody asked for it, and each block names somebody.
            (Who::Nobody, _, _) | (_, Who::Nobody, _) | (Who::Element(_), _, _) => None,
        }
    }

    fn lost(&self, read: &Read, element: &Element<'_>) -> Violation {
        let value = shown(element.value);
        let because = match element.known_by {
            Some(_) => format!("{value} was in the set before (2) began, and nothing ever leaves it."),
            None => format!("The set began with {value}, and nothing ever leaves it."),
        };
        Violation {
            why: "missing",
            headline: format!("a read of the set lacks {value}, which had been added before it began"),
            because: vec![because],
            operations: element.known_by.into_iter().chain([read.number]).collect(),
            offender: Some(read.number),
        }
    }
}
