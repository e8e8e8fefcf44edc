//! Why a counter cannot have shown what it showed.

use history::{Counter, CounterOp, Outcome, Witness};

use super::{Account, Add, Read, Sums};
use crate::Budget;
use crate::evidence::Violation;
use crate::model::{Call, Part};
use crate::search::{Decision, Found, Scope, search};
use crate::witness::culprit;
use history::figures::counted;

/// More adds than that are counted and not listed.
const ADDS_MAX: usize = 12;

/// The adds that matter between two reads, or since the beginning.
struct Since<'a> {
    base: Option<Read>,
    read: Read,
    /// Those that any order has in between, and those that some order has.
    certain: Vec<&'a Add>,
    possible: Vec<&'a Add>,
}

impl Account {
    /// Why a read is out of bounds.
    pub fn impossible(&self, read: Read) -> Violation {
        let since = self.since(self.base(read), read);
        since.violation(self.start).unwrap_or_else(|| self.fits_nowhere(read))
    }

    /// Why a read finds a counter that takes equal steps past its value.
    pub fn impossible_step(&self, read: Read, step: i128) -> Violation {
        if (read.value - self.start) % step == 0 {
            return self.impossible(read);
        }
        let (start, value) = (self.start, read.value);
        let because = format!("The counter began with {start}, and every add is of {step}: it never holds {value}.");
        Violation { because: vec![because], ..self.fits_nowhere(read) }
    }

    fn fits_nowhere(&self, read: Read) -> Violation {
        Violation {
            why: "fits nowhere",
            headline: format!("a read of the counter shows {}, which fits nowhere", read.value),
            because: vec!["Wherever it is placed, other reads are left without an order.".to_owned()],
            operations: vec![read.number],
            offender: Some(read.number),
        }
    }

    /// The last read before this one that does not leave it what it shows.
    fn base(&self, read: Read) -> Option<Read> {
        let sums = Sums::of(&self.adds);
        let mut earlier: Vec<&Read> = self.reads.iter().filter(|other| other.over < read.begun).collect();
        earlier.sort_by_key(|other| other.over);
        let mut over: Vec<&Add> = self.adds.iter().filter(|add| add.over < read.begun).collect();
        let mut certain = (0, 0);
        earlier.into_iter().rev().copied().find(|base| {
            // Adds come in the order in which they began.
            while let Some(add) = over.pop_if(|add| add.begun > base.over) {
                certain = (certain.0 + add.amount.max(0), certain.1 + add.amount.min(0));
            }
            let (begun, gone) = (sums.begun.up_to(read.over), sums.over.before(base.begun));
            let possible = (begun.0 - gone.0, begun.1 - gone.1);
            let difference = read.value - base.value;
            difference < certain.0 + possible.1 || difference > possible.0 + certain.1
        })
    }

    fn since(&self, base: Option<Read>, read: Read) -> Since<'_> {
        let is_after = |add: &Add| base.is_none_or(|base| add.begun > base.over);
        let may_be_after = |add: &Add| base.is_none_or(|base| add.over >= base.begun);
        let certain = self.adds.iter().filter(|add| is_after(add) && add.over < read.begun).collect();
        let possible = self.adds.iter().filter(|add| may_be_after(add) && add.begun <= read.over).collect();
        Since { base, read, certain, possible }
    }
}

impl Since<'_> {
    /// `None` if the read may show what it shows, as far as these adds tell.
    fn violation(&self, start: i128) -> Option<Violation> {
        let sum = |adds: &[&Add], counts: fn(&i128) -> bool| -> i128 {
            adds.iter().map(|add| add.amount).filter(counts).sum()
        };
        let [up, down]: [fn(&i128) -> bool; 2] = [|amount| *amount > 0, |amount| *amount < 0];
        let from = self.base.map_or(start, |base| base.value);
        let least = from + sum(&self.certain, up) + sum(&self.possible, down);
        let most = from + sum(&self.possible, up) + sum(&self.certain, down);
        let value = self.read.value;
        let (bound, word, adds) = if value < least {
            (least, "less", self.named(up, down))
        } else if value > most {
            (most, "more", self.named(down, up))
        } else {
            return None;
        };
        let (shown, hidden) = if adds.len() <= ADDS_MAX { (adds, 0) } else { (Vec::new(), adds.len()) };
        let first = self.base.map_or_else(
            || format!("The counter began with {start}"),
            |base| format!("(1) shows {} and was over before ({}) began", base.value, shown.len() + 2),
        );
        let then = match (shown.len() + hidden, word) {
            (0, "less") => "and nothing can have been taken away since".to_owned(),
            (0, _) => "and nothing can have been added since".to_owned(),
            (adds, "less") => format!(
                "and with what was certainly added since, and what may have been taken away ({})",
                counted(adds as u64, "add")
            ),
            (adds, _) => format!(
                "and with what may have been added since, and what was certainly taken away ({})",
                counted(adds as u64, "add")
            ),
        };
        let base = self.base.map(|base| base.number);
        Some(Violation {
            why: "out of bounds",
            headline: format!("a read of the counter shows {value}, and can show no {word} than {bound}"),
            because: vec![format!("{first}, {then}: that leaves no {word} than {bound}.")],
            operations: base.into_iter().chain(shown).chain([self.read.number]).collect(),
            offender: Some(self.read.number),
        })
    }

    /// The adds that make the bound: of `certain` ones these, of possible ones those.
    fn named(&self, certain: fn(&i128) -> bool, possible: fn(&i128) -> bool) -> Vec<usize> {
        let certain = self.certain.iter().filter(|add| certain(&add.amount));
        let possible = self.possible.iter().filter(|add| possible(&add.amount));
        let mut numbers: Vec<usize> = certain.chain(possible).map(|add| add.number).collect();
        numbers.sort_unstable();
        numbers
    }
}

/// Why adds of several amounts have no order that explains all reads: the fewest reads, with the adds that were under
/// way then.
///
/// A read that is left out changes nothing for the others, so a few that have no order show that all have none. They
/// are found from the last one backwards: how many of the latest does it take? The earliest of those is needed.
pub(crate) fn explain(part: &Part<'_, Counter>, start: i64, found: &Found<i64>, budget: &Budget<'_>) -> Witness {
    let grant = found.states.saturating_mul(4).saturating_add(8 * part.calls.len() as u64 + 10_000);
    let until = culprit(part, &start, found.stuck, grant, budget).until;
    let mut reduction = Reduction { part, start, until, grant, budget, is_sharp: true };
    let reads = reduction.fewest();
    let first = reads.iter().map(|read| begun(part, *read)).min().unwrap_or_default();
    let last = reads.iter().filter_map(|read| part.calls[*read].source.completed).map(|mark| mark.index).max();
    let (mut sum, mut named) = (i128::from(start), reads.clone());
    for (i, call) in part.calls.iter().enumerate() {
        let CounterOp::Add(amount) = call.op else { continue };
        let is_over = matches!(call.outcome, Outcome::Returned(_))
            && call.source.completed.is_some_and(|mark| mark.index < first);
        match call.outcome {
            _ if is_over => sum += i128::from(amount),
            Outcome::Returned(_) | Outcome::Unknown if Some(begun(part, i)) <= last => named.push(i),
            Outcome::Returned(_) | Outcome::Unknown | Outcome::Refused => {}
        }
    }
    named.sort_unstable();
    let adds = named.len() - reads.len();
    if adds > 3 * ADDS_MAX {
        named = reads.clone();
    }
    let under_way = counted(adds as u64, "add");
    let (headline, why_not) = match reads.len() {
        1 => (
            "a read of the counter shows what no choice of the adds under way comes to".to_owned(),
            format!("No choice of the {under_way} under way since then comes to what it shows."),
        ),
        count => (
            format!("no order of the adds explains {count} reads of the counter"),
            format!("No order of these reads and the {under_way} under way since then explains them all."),
        ),
    };
    let first_read = named.iter().position(|call| reads.contains(call) && begun(part, *call) == first);
    let before =
        format!("What was certainly added before ({}) began came to {sum}.", first_read.map_or(1, |at| at + 1));
    let because = vec![before, why_not];
    let offender = reads.iter().copied().max_by_key(|read| part.calls[*read].source.completed);
    let violation = Violation { why: "entangled", headline, because, operations: named, offender };
    let witness = violation.witness_of(|number| part.calls[number].source, "the counter");
    Witness { is_minimal: reduction.is_sharp, ..witness }
}

fn begun(part: &Part<'_, Counter>, call: usize) -> u64 {
    part.calls[call].source.invoked.index
}

struct Reduction<'a, 'h> {
    part: &'a Part<'h, Counter>,
    start: i64,
    until: u64,
    grant: u64,
    budget: &'a Budget<'a>,
    /// Whether every attempt was decided.
    is_sharp: bool,
}

impl Reduction<'_, '_> {
    /// The fewest reads without an order, as positions in the part.
    fn fewest(&mut self) -> Vec<usize> {
        let is_over = |call: &Call<'_, Counter>| call.source.completed.is_some_and(|mark| mark.index <= self.until);
        let is_read =
            |call: &Call<'_, Counter>| matches!((&call.op, &call.outcome), (CounterOp::Read, Outcome::Returned(_)));
        let calls = self.part.calls.iter().enumerate().rev();
        let all: Vec<usize> = calls.filter(|(_, call)| is_read(call) && is_over(call)).map(|(i, _)| i).collect();
        let mut pool = &all[..];
        let mut needed: Vec<usize> = Vec::new();
        while self.is_sharp && !self.has_no_order(&needed) && !pool.is_empty() {
            let (mut good, mut bad) = (0, pool.len());
            let mut width = 1;
            while bad - good > 1 {
                let middle = good + width.min((bad - good) / 2);
                width *= 2;
                match self.has_no_order(&[&needed, &pool[..middle]].concat()) {
                    true => bad = middle,
                    false => good = middle,
                }
            }
            needed.push(pool[bad - 1]);
            pool = &pool[..bad - 1];
        }
        if !self.is_sharp {
            needed.extend(pool);
        }
        needed.sort_unstable();
        needed
    }

    /// Whether these reads alone have no order. Where that is too much to find out they count as if they had one.
    fn has_no_order(&mut self, reads: &[usize]) -> bool {
        let mut kept = vec![false; self.part.calls.len()];
        reads.iter().for_each(|read| kept[*read] = true);
        let outcome = |call: &Call<'_, Counter>, is_kept: bool| match call.op {
            CounterOp::Read if !is_kept => Outcome::Refused,
            CounterOp::Read | CounterOp::Add(_) => call.outcome.clone(),
        };
        let calls = self.part.calls.iter().zip(&kept).map(|(call, is_kept)| Call::<Counter> {
            op: call.op.clone(),
            outcome: outcome(call, *is_kept),
            number: call.number,
            source: call.source,
        });
        let part = Part { key: None, calls: calls.collect() };
        let scope = Scope { until: self.until, grant: self.grant, blamed: None, looks_ahead: true };
        match search(&part, &self.start, scope, self.budget).decision {
            Decision::Contradiction => true,
            Decision::Explained => false,
            Decision::OutOfStates | Decision::Stopped => {
                self.is_sharp = false;
                false
            }
        }
    }
}
