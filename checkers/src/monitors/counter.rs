//! A counter: what each read may show, and whether one order explains them all.
//!
//! **Bounds.** All adds that were over before a read began are in what it shows, and none that began after it was over.
//! Of the others, any may be: so the least it can show has the negative ones of them, and the most the positive ones.
//! Two sums over sorted ends tell both for every read. That is all that Jepsen's `counter` asks.
//!
//! **One step.** Bounds allow a counter to go back. Where all adds are of one amount, the counter takes steps and a
//! read tells how many. Walk along the record and take no step before it must be taken: when an add is about to be
//! over, or a read that has seen more. Each step is the add, of those that have begun, that will be over first. So at
//! any time as few steps have been taken as can be, and a read that finds the counter past its value would find it
//! there in every order. That is exact, and costs no more than sorting.
//!
//! **Several amounts.** Then it is a question of which sums can be made of what is under way, and there is no short
//! cut: the [search](crate::search) decides, within its budget.

use history::{Counter, CounterOp, CounterRet, History, Value, Verdict};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::evidence::{Violation, judgement, latest, returned};
use crate::linearizability::by_search;
use crate::model::{Answer, Checked};
use crate::{Budget, Judgement, Model, Question, Unfit};
use history::figures::{counted, grouped, shown};

pub(crate) use why::explain;

mod why;

/// An add that took effect, or may have.
struct Add {
    number: usize,
    amount: i128,
    begun: u64,
    /// `u64::MAX` if nobody knows.
    over: u64,
}

/// A completed read.
#[derive(Clone, Copy)]
struct Read {
    number: usize,
    value: i128,
    begun: u64,
    over: u64,
}

/// All that happened to a counter, in the order of invocation.
struct Account {
    start: i128,
    adds: Vec<Add>,
    reads: Vec<Read>,
}

/// Judges whether a counter is linearizable.
///
/// VACUOUS if nobody read it; UNKNOWN if adds are of several amounts and the budget was used up before an order was
/// found.
///
/// # Errors
/// If an operation is neither `add` nor `read` of whole numbers, or the adds sum to more than 64 bits.
pub(crate) fn counter(history: &History, question: &Question<'_>, budget: &Budget<'_>) -> Result<Judgement, Unfit> {
    let start = match &question.initial {
        None | Some(Value::Nil) => 0,
        Some(Value::Int(start)) => *start,
        Some(other) => {
            return Err(Unfit::Question(format!("a counter starts with a number, not with {}", shown(other))));
        }
    };
    let account = Account::of(history, start)?;
    let told = |verdict, method: &str, violation: Option<Violation>| {
        let detail = violation.as_ref().map_or_else(|| account.size(), |violation| violation.headline.clone());
        let witness = violation.map(|violation| violation.witness(history, "the counter"));
        Judgement { methods: vec![method.to_owned()], ..judgement(history, verdict, detail, witness) }
    };
    const ONE_STEP: &str = "exact, steps taken as late as they can be";
    if account.reads.is_empty() {
        return Ok(told(Verdict::Vacuous, "no reads", None));
    }
    if let Some(read) = account.out_of_bounds() {
        return Ok(told(Verdict::Fail, "bounds", Some(account.impossible(read))));
    }
    if let Some(step) = account.one_step() {
        return Ok(match account.walk(step) {
            None => told(Verdict::Pass, ONE_STEP, None),
            Some(stuck) => told(Verdict::Fail, ONE_STEP, Some(account.impossible_step(stuck, step))),
        });
    }
    let searched = by_search::<Counter>(history, Model::Counter, &start, budget)?;
    Ok(match searched.verdict {
        Verdict::Unknown => {
            let detail =
                format!("every read is within its bounds; whether one order explains all: {}", searched.detail);
            Judgement { detail, methods: vec!["bounds only".to_owned()], ..searched }
        }
        Verdict::Pass => Judgement { detail: account.size(), methods: vec!["exact by search".to_owned()], ..searched },
        Verdict::Fail | Verdict::Vacuous => Judgement { methods: vec!["exact by search".to_owned()], ..searched },
    })
}

impl Account {
    fn of(history: &History, start: i64) -> Result<Account, Unfit> {
        let mut account = Account { start: i128::from(start), adds: Vec::new(), reads: Vec::new() };
        let mut sum = start.unsigned_abs();
        for (number, operation) in history.operations.iter().enumerate() {
            let unfit = |message: String| Unfit::operation(operation, message);
            let op = Counter::parse(&operation.f, &operation.input).map_err(unfit)?;
            let returned = returned(operation)?.map(|value| Counter::returned(&op, Answer::Ok(value))).transpose();
            let (begun, over) = (operation.invoked.index, latest(operation));
            match (op, returned.map_err(unfit)?, over) {
                (CounterOp::Add(amount), _, Some(over)) => {
                    let fitting = sum.checked_add(amount.unsigned_abs()).filter(|sum| *sum <= i64::MAX.unsigned_abs());
                    sum = fitting.ok_or_else(|| unfit("the adds so far sum to more than 64 bits".to_owned()))?;
                    account.adds.push(Add { number, amount: i128::from(amount), begun, over });
                }
                (CounterOp::Read, Some(CounterRet::Sum(sum)), Some(over)) => {
                    account.reads.push(Read { number, value: i128::from(sum), begun, over });
                }
                (CounterOp::Add(_), _, None) | (CounterOp::Read, _, _) => {}
            }
        }
        Ok(account)
    }

    fn size(&self) -> String {
        let unknown = match self.adds.iter().filter(|add| add.over == u64::MAX).count() {
            0 => String::new(),
            unknown => format!(" ({} of unknown outcome)", grouped(unknown as u64)),
        };
        let (adds, reads) = (self.adds.len() as u64, self.reads.len() as u64);
        format!("{}{unknown}, {}", counted(adds, "add"), counted(reads, "read"))
    }

    /// The first read, by completion, that no choice of adds explains.
    fn out_of_bounds(&self) -> Option<Read> {
        let sums = Sums::of(&self.adds);
        let is_wrong = |read: &&Read| {
            let (least, most) = sums.bounds(read);
            read.value < self.start + least || read.value > self.start + most
        };
        self.reads.iter().filter(is_wrong).min_by_key(|read| read.over).copied()
    }

    /// The amount of every add that is not 0, if they are all of one.
    fn one_step(&self) -> Option<i128> {
        let mut amounts = self.adds.iter().map(|add| add.amount).filter(|amount| *amount != 0);
        let first = amounts.next().unwrap_or(1);
        amounts.all(|amount| amount == first).then_some(first)
    }

    /// Takes every step as late as it can be; the first read that finds the counter past its value, or never there.
    fn walk(&self, step: i128) -> Option<Read> {
        let off = |read: &&Read| (read.value - self.start) % step != 0;
        if let Some(read) = self.reads.iter().find(off) {
            return Some(*read);
        }
        let mut ends: Vec<(u64, bool, usize)> = Vec::new();
        for (i, add) in self.adds.iter().enumerate().filter(|(_, add)| add.amount != 0 && add.over < u64::MAX) {
            ends.push((add.over, false, i));
        }
        ends.extend(self.reads.iter().enumerate().map(|(i, read)| (read.over, true, i)));
        ends.sort_unstable();
        let mut begun = self.adds.iter().enumerate().filter(|(_, add)| add.amount != 0).peekable();
        let mut waiting = BinaryHeap::new();
        let mut is_taken = vec![false; self.adds.len()];
        // When the counter left each value: its length is the number of steps taken.
        let mut left: Vec<u64> = Vec::new();
        for (at, is_read, i) in ends {
            while let Some((i, add)) = begun.next_if(|(_, add)| add.begun <= at) {
                waiting.push(Reverse((add.over, i)));
            }
            if !is_read {
                if !is_taken[i] {
                    is_taken[i] = true;
                    left.push(at);
                }
                continue;
            }
            let read = &self.reads[i];
            let wanted = (read.value - self.start) / step;
            while (left.len() as i128) < wanted {
                let next = std::iter::from_fn(|| waiting.pop()).find(|Reverse((_, add))| !is_taken[*add]);
                let Some(Reverse((_, add))) = next else { return Some(*read) };
                is_taken[add] = true;
                left.push(at);
            }
            let was_left = usize::try_from(wanted).ok().and_then(|wanted| left.get(wanted));
            if was_left.is_some_and(|left| *left < read.begun) {
                return Some(*read);
            }
        }
        None
    }
}

/// What adds come to, by when they began and when they were over.
struct Sums {
    begun: Ends,
    over: Ends,
}

/// Positions in order, and what the positive and the negative ones up to there come to.
struct Ends {
    positions: Vec<u64>,
    sums: Vec<(i128, i128)>,
}

impl Sums {
    fn of(adds: &[Add]) -> Sums {
        let begun = Ends::of(adds.iter().map(|add| (add.begun, add.amount)).collect());
        let over = Ends::of(adds.iter().map(|add| (add.over, add.amount)).collect());
        Sums { begun, over }
    }

    /// The least and the most that adds can come to in a read.
    fn bounds(&self, read: &Read) -> (i128, i128) {
        let (begun, over) = (self.begun.up_to(read.over), self.over.before(read.begun));
        (over.0 + begun.1, begun.0 + over.1)
    }
}

impl Ends {
    fn of(mut amounts: Vec<(u64, i128)>) -> Ends {
        amounts.sort_unstable();
        let mut sum = (0, 0);
        let sums = [sum].into_iter().chain(amounts.iter().map(|(_, amount)| {
            sum = (sum.0 + amount.max(&0), sum.1 + amount.min(&0));
            sum
        }));
        Ends { sums: sums.collect(), positions: amounts.iter().map(|(position, _)| *position).collect() }
    }

    fn before(&self, position: u64) -> (i128, i128) {
        self.sums[self.positions.partition_point(|other| *other < position)]
    }

    fn up_to(&self, position: u64) -> (i128, i128) {
        self.sums[self.positions.partition_point(|other| *other <= position)]
    }
}
