//! A lock: acquired and released by turns. It does not ask who releases it (Knossos's `mutex`).
//!
//! Is there a moment for each operation, within its interval, such that the two kinds take turns, an acquire first?
//! Walk along the record and do nothing before it must be done. When an operation is about to be over and has not taken
//! effect yet, it does so now; if it is not its kind's turn, one of the other kind goes before it: of those that have
//! begun, the one that will be over first. If there is none, there is no order at all:
//!
//! - Nothing is lost by waiting. Who waits may be joined by others to choose from, and whose turn it is changes only
//!   when somebody must move.
//! - Of those who may go first, the one who must be done soonest is the best choice: in any order that works it can
//!   change places with whoever was chosen instead.
//!
//! An operation of unknown outcome is over never: it goes only where nobody else can, and need not go at all. So
//! the answer is exact, whatever is unknown, and costs no more than sorting.
//!
//! **Tokens.** A lock may give each holder a number (a fencing token), which must rise from one to the next. Then
//! acquires with tokens have a known order: each begins no earlier than those with lower tokens, and must be done no
//! later than those with higher ones.
//!
//! **Why not.** Where the walk gets stuck, some stretch of the record holds too many of one kind: two acquires, say,
//! that cannot have been elsewhere, and no release that can have been between them. The shortest such stretch is the
//! argument.

use history::{History, Value, Verdict};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::evidence::{Violation, judgement, latest, returned};
use crate::{Judgement, Unfit};
use history::figures::{counted, grouped};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Acquire,
    Release,
}

/// An operation that has taken effect, or may have.
struct Turn {
    number: usize,
    kind: Kind,
    token: Option<i64>,
    /// Not before this position.
    ready: Bound,
    /// Not after this one.
    due: Bound,
}

/// A position, and the operation that it is a mark of: another one's where tokens order the two.
#[derive(Clone, Copy)]
struct Bound {
    at: u64,
    by: usize,
}

/// Where the walk got stuck: on whom, and when.
struct Stuck {
    kind: Kind,
    at: u64,
}

/// Judges whether a lock was never held twice.
///
/// VACUOUS if nothing was acknowledged.
///
/// # Errors
/// If an operation is neither `acquire` nor `release`.
pub(crate) fn mutex(history: &History) -> Result<Judgement, Unfit> {
    let mut turns = turns(history)?;
    let told = |verdict, detail, witness| Judgement {
        methods: vec!["each turn taken as late as it can be".to_owned()],
        ..judgement(history, verdict, detail, witness)
    };
    let size = size(&turns);
    if turns.iter().all(|turn| turn.due.at == u64::MAX) {
        return Ok(told(Verdict::Vacuous, format!("{size}; nothing is known of any"), None));
    }
    let failed = |violation: Violation, at: u64| {
        let failed = told(Verdict::Fail, violation.headline.clone(), Some(violation.witness(history, "the lock")));
        Judgement { notes: vec![format!("before event {at} there is an order")], ..failed }
    };
    if let Some((violation, at)) = order_by_token(history, &mut turns) {
        return Ok(failed(violation, at));
    }
    Ok(match walk(&turns) {
        None => told(Verdict::Pass, size, None),
        Some(stuck) => failed(explain(history, &turns, &stuck), stuck.at),
    })
}

fn turns(history: &History) -> Result<Vec<Turn>, Unfit> {
    let mut turns = Vec::with_capacity(history.len());
    for (number, operation) in history.operations.iter().enumerate() {
        let kind = match &*operation.f {
            "acquire" | "lock" => Kind::Acquire,
            "release" | "unlock" => Kind::Release,
            _ => return Err(Unfit::operation(operation, "a lock knows `acquire` and `release`")),
        };
        let token = match (kind, returned(operation)?) {
            (Kind::Acquire, Some(Value::Int(token))) if operation.input != Value::Int(*token) => Some(*token),
            (Kind::Acquire | Kind::Release, _) => None,
        };
        let Some(latest) = latest(operation) else { continue };
        let ready = Bound { at: operation.invoked.index, by: number };
        let due = Bound { at: latest, by: number };
        turns.push(Turn { number, kind, token, ready, due });
    }
    Ok(turns)
}

/// `120 acquires, 118 releases, 3 of unknown outcome`.
fn size(turns: &[Turn]) -> String {
    let acquires = turns.iter().filter(|turn| turn.kind == Kind::Acquire).count();
    let unknown = match turns.iter().filter(|turn| turn.due.at == u64::MAX).count() {
        0 => String::new(),
        unknown => format!(", {} of unknown outcome", grouped(unknown as u64)),
    };
    let releases = counted((turns.len() - acquires) as u64, "release");
    format!("{}, {releases}{unknown}", counted(acquires as u64, "acquire"))
}

/// Narrows the intervals of acquires with tokens to what their order leaves them; or says why they cannot be in that
/// order.
fn order_by_token(history: &History, turns: &mut [Turn]) -> Option<(Violation, u64)> {
    let mut ordered: Vec<(i64, usize)> = Vec::new();
    for (i, turn) in turns.iter().enumerate() {
        ordered.extend(turn.token.map(|token| (token, i)));
    }
    ordered.sort_unstable();
    let mut latest: Option<Bound> = None;
    for &(_, i) in &ordered {
        let turn = &mut turns[i];
        latest = latest.filter(|latest| latest.at > turn.ready.at).or(Some(turn.ready));
        turn.ready = latest.unwrap_or(turn.ready);
    }
    let mut earliest: Option<Bound> = None;
    for &(_, i) in ordered.iter().rev() {
        let turn = &mut turns[i];
        earliest = earliest.filter(|earliest| earliest.at < turn.due.at).or(Some(turn.due));
        turn.due = earliest.unwrap_or(turn.due);
    }
    let client = |number: usize| format!("p{}", history.operations[number].process);
    if let Some(same) = ordered.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let (token, one, other) = (same[0].0, turns[same[0].1].number, turns[same[1].1].number);
        let violation = Violation {
            why: "token given twice",
            headline: format!("{} and {} both acquired the lock with token {token}", client(one), client(other)),
            because: vec!["Tokens rise from one holder to the next, so none is given twice.".to_owned()],
            operations: vec![one, other],
            offender: Some(other),
        };
        return Some((violation, turns[same[0].1].due.at));
    }
    let back = turns.iter().filter(|turn| turn.token.is_some() && turn.ready.at > turn.due.at);
    let Turn { ready, due, .. } = back.min_by_key(|turn| turn.due.at)?;
    let (earlier, later) = (due.by, ready.by);
    let violation = Violation {
        why: "token went back",
        headline: format!("{} acquired the lock after {}, with a lower token", client(later), client(earlier)),
        because: vec!["(1) was over before (2) began, and tokens rise from one holder to the next.".to_owned()],
        operations: vec![earlier, later],
        offender: Some(later),
    };
    Some((violation, due.at))
}

/// Takes every turn as late as it can be.
fn walk(turns: &[Turn]) -> Option<Stuck> {
    let mut waiting = [BinaryHeap::new(), BinaryHeap::new()];
    let mut has_gone = vec![false; turns.len()];
    let mut next = Kind::Acquire;
    let mut ready = by_position(turns, |turn| turn.ready.at).into_iter().peekable();
    for (_, _, due) in by_position(turns, |turn| turn.due.at) {
        let turn = &turns[due];
        // What begins where another is over still overlaps it.
        while let Some((_, _, i)) = ready.next_if(|(at, ..)| *at <= turn.due.at) {
            waiting[turns[i].kind as usize].push(Reverse((turns[i].due.at, turns[i].token, i)));
        }
        if turn.due.at == u64::MAX || has_gone[due] {
            continue;
        }
        if turn.kind != next {
            let mut others = std::iter::from_fn(|| waiting[next as usize].pop());
            let Some(Reverse((_, _, other))) = others.find(|Reverse((_, _, other))| !has_gone[*other]) else {
                return Some(Stuck { kind: turn.kind, at: turn.due.at });
            };
            has_gone[other] = true;
        }
        has_gone[due] = true;
        next = turn.kind.other();
    }
    None
}

/// All turns by a position, those of lower tokens first where several share it.
fn by_position(turns: &[Turn], position: impl Fn(&Turn) -> u64) -> Vec<(u64, Option<i64>, usize)> {
    let key = |(i, turn): (usize, &Turn)| (position(turn), turn.token, i);
    let mut ordered: Vec<(u64, Option<i64>, usize)> = turns.iter().enumerate().map(key).collect();
    ordered.sort_unstable();
    ordered
}

impl Kind {
    fn other(self) -> Kind {
        match self {
            Kind::Acquire => Kind::Release,
            Kind::Release => Kind::Acquire,
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Kind::Acquire => "acquire",
            Kind::Release => "release",
        }
    }

    fn with_article(self) -> &'static str {
        match self {
            Kind::Acquire => "an acquire",
            Kind::Release => "a release",
        }
    }

    fn past(self) -> &'static str {
        match self {
            Kind::Acquire => "acquired",
            Kind::Release => "released",
        }
    }
}

/// The shortest stretch before the walk got stuck that holds too many of one kind.
fn explain(history: &History, turns: &[Turn], stuck: &Stuck) -> Violation {
    let mut within: Vec<&Turn> = Vec::new();
    let mut between: Vec<&Turn> = Vec::new();
    for turn in turns {
        match turn.kind == stuck.kind {
            true if turn.due.at <= stuck.at => within.push(turn),
            false if turn.ready.at <= stuck.at => between.push(turn),
            true | false => {}
        }
    }
    within.sort_by_key(|turn| Reverse(turn.ready.at));
    between.sort_by_key(|turn| Reverse(turn.due.at));
    let from = |count: usize| within[count - 1].ready.at;
    let over_in_time = |from: u64| between.partition_point(|turn| turn.due.at >= from);
    let is_too_many = |count: &usize| *count >= over_in_time(from(*count)) + 2;
    match (1..=within.len()).find(is_too_many) {
        Some(count) => crowd(history, stuck.kind, &within[..count], &between[..over_in_time(from(count))], false),
        // Only a release can have nobody before it.
        None => crowd(history, stuck.kind, &within, &between, true),
    }
}

/// More operations than that are counted and not listed, but for the last ones.
const OPERATIONS_MAX: usize = 8;

/// Of the kind that there is too much of.
const OPERATIONS_LISTED: usize = 2;

/// Too many of one kind, and all of the other that can have been among them; since the beginning, where the first of
/// them needs one before it too.
fn crowd(history: &History, kind: Kind, within: &[&Turn], between: &[&Turn], is_first: bool) -> Violation {
    let (noun, other) = (kind.noun(), kind.other().noun());
    let mut named: Vec<usize> =
        within.iter().chain(between).flat_map(|turn| [turn.number, turn.ready.by, turn.due.by]).collect();
    named.sort_unstable();
    named.dedup();
    let clients: Vec<String> =
        within.iter().rev().map(|turn| format!("p{}", history.operations[turn.number].process)).collect();
    let (held, few) = (clients.len(), counted(between.len() as u64, other));
    let past = kind.past();
    let begun = within.iter().map(|turn| turn.ready.at).min().unwrap_or_default();
    let until = within.iter().map(|turn| turn.due.at).max().unwrap_or_default();
    let headline = match (&clients[..], between, is_first) {
        ([only], [], true) => format!("{only} {past} the lock before anybody had acquired it"),
        ([one, two], [], false) if one == two => format!("{one} {past} the lock twice, with no {other} in between"),
        ([one, two], [], false) => format!("{one} and {two} both {past} the lock, with no {other} in between"),
        (_, _, _) => format!("{} of the lock, and only {few} to part them", counted(held as u64, noun)),
    };
    let parted = kind.other().with_article();
    let mut because = match (between, is_first) {
        ([], false) => vec![format!("Between two {noun}s there is {parted}, and none can have taken effect then.")],
        ([], true) => vec![format!("A lock is free at first, and no {other} can have come before.")],
        (_, false) => vec![
            format!("Between two {noun}s there is {parted}, so {held} {noun}s need {}.", held - 1),
            format!(
                "They began and were over from event {begun} to event {until}; no more than {few} can have taken effect then."
            ),
        ],
        (_, true) => vec![
            format!("A lock is free at first, so before each {noun} there is {parted}."),
            format!("{held} {noun}s were over by event {until}; no more than {few} had begun by then."),
        ],
    };
    let has_tokens =
        within.iter().chain(between).any(|turn| turn.ready.by != turn.number || turn.due.by != turn.number);
    if has_tokens {
        because.insert(
            0,
            "Tokens rise from one holder to the next, which tells the order of those who got one.".to_owned(),
        );
    }
    let last = |turns: &[&Turn], count: usize| -> Vec<usize> {
        let mut ends: Vec<(u64, usize)> = turns.iter().map(|turn| (turn.due.at.min(until), turn.number)).collect();
        ends.sort_unstable();
        ends.iter().rev().take(count).map(|(_, number)| *number).collect()
    };
    if named.len() > OPERATIONS_MAX {
        because.push(format!("Of all these, the last {} are listed.", OPERATIONS_LISTED + 1));
        named = [last(within, OPERATIONS_LISTED), last(between, 1)].concat();
        named.sort_unstable();
    }
    let offender = last(within, 1).first().copied();
    Violation { why: "held twice", headline, because, operations: named, offender }
}
