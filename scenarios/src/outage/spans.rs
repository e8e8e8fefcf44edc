//! From what each operation waited for to what the outage was due to.

use super::cause::Stretch;
use history::{Cause, CauseSpan};
use sim_core::strain::Span;
use sim_core::time::Nanos;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What most of those who waited at some instant waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Say {
    /// Nobody waited: the next operation was not yet asked for.
    Nothing,
    /// They waited, but for nothing out of the ordinary.
    Usual,
    /// They had something to wait for.
    Cause(Cause),
}

/// What an outage was due to, from its beginning to its end, given what its operations waited for.
///
/// At each instant that is what most of them waited for. Where none had yet been asked for, or most were on their usual way
/// to be served, what came before still shows. But if they were on that way for `long`, it is too long a way.
pub(super) fn cause_spans<'a>(waits: impl Iterator<Item = &'a Stretch>, outage: Span, long: Nanos) -> Vec<CauseSpan> {
    let told = told(waits, outage).into_iter().map(|((from, to), say)| match say {
        Say::Cause(cause) => ((from, to), Some(cause)),
        Say::Usual if to - from >= long => ((from, to), Some(Cause::SlowLink)),
        Say::Usual | Say::Nothing => ((from, to), None),
    });
    let told: Vec<(Span, Option<Cause>)> = told.collect();
    let first = told.iter().find_map(|(_, cause)| *cause).unwrap_or(Cause::SlowLink);
    let mut spans: Vec<CauseSpan> = Vec::new();
    for ((from_ns, to_ns), cause) in told {
        let before = spans.last().map_or(first, |last| last.cause);
        let cause = cause.unwrap_or(before);
        match spans.last_mut() {
            Some(last) if last.cause == cause => last.to_ns = to_ns,
            Some(_) | None => spans.push(CauseSpan { from_ns, to_ns, cause }),
        }
    }
    spans
}

/// What was said from the beginning of an outage to its end, by those that waited in it.
fn told<'a>(waits: impl Iterator<Item = &'a Stretch>, (from, to): Span) -> Vec<(Span, Say)> {
    let mut changes: Vec<(Nanos, Option<Cause>, i64)> = Vec::new();
    for wait in waits {
        let (begins, ends) = (wait.from.max(from), wait.to.min(to));
        if begins < ends {
            changes.extend([(begins, wait.cause, 1), (ends, wait.cause, -1)]);
        }
    }
    changes.push((to, None, 0));
    changes.sort_unstable();
    let mut waiting: BTreeMap<Option<Cause>, i64> = BTreeMap::new();
    let mut told: Vec<(Span, Say)> = Vec::new();
    let mut reached = from;
    for (at, cause, more) in changes {
        if at > reached {
            let say = most(&waiting);
            match told.last_mut() {
                Some((span, same)) if *same == say => span.1 = at,
                Some(_) | None => told.push(((reached, at), say)),
            }
            reached = at;
        }
        *waiting.entry(cause).or_default() += more;
    }
    told
}

/// What most of those who wait are waiting for; of two causes, what comes first on an operation's way. That nobody can serve
/// is said only where it is so for all of them: otherwise the time is avoidable, and something else is why it was not avoided.
fn most(waiting: &BTreeMap<Option<Cause>, i64>) -> Say {
    let some = || waiting.iter().filter(|(_, count)| **count > 0);
    let is_barred = |cause: &Option<Cause>| cause.is_some_and(Cause::bars_everybody);
    let can_some = some().any(|(cause, _)| !is_barred(cause));
    let some = some().filter(|(cause, _)| !can_some || !is_barred(cause));
    let most = some.max_by_key(|(cause, count)| (**count, cause.is_some(), Reverse(**cause)));
    match most {
        Some((Some(cause), _)) => Say::Cause(*cause),
        Some((None, _)) => Say::Usual,
        None => Say::Nothing,
    }
}

/// What the spans cover of `from..to` together: in order, none touching the next.
pub(super) fn clipped(spans: impl Iterator<Item = Span>, (from, to): Span) -> Vec<Span> {
    let spans = spans.map(|(begins, ends)| (begins.max(from), ends.min(to)));
    let mut spans: Vec<Span> = spans.filter(|(begins, ends)| begins < ends).collect();
    spans.sort_unstable();
    spans.dedup_by(|next, last| {
        let touches = next.0 <= last.1;
        if touches {
            last.1 = last.1.max(next.1);
        }
        touches
    });
    spans
}

/// Of spans that do not touch.
pub(super) fn length(spans: &[Span]) -> Nanos {
    spans.iter().map(|(begins, ends)| ends - begins).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Nanos = 10;

    fn spans(waits: &[(Nanos, Nanos, Option<Cause>)]) -> Vec<(Nanos, Nanos, Cause)> {
        let waits: Vec<Stretch> = waits.iter().map(|&(from, to, cause)| Stretch { from, to, cause }).collect();
        let spans = cause_spans(waits.iter(), (100, 200), LONG);
        spans.iter().map(|span| (span.from_ns, span.to_ns, span.cause)).collect()
    }

    #[test]
    fn most_of_those_who_wait_decide() {
        let (leader, node) = (Some(Cause::NoLeader), Some(Cause::WrongNode));
        let waits = [(90, 150, leader), (110, 300, node), (120, 160, node)];
        let expected = [(100, 120, Cause::NoLeader), (120, 200, Cause::WrongNode)];
        assert_eq!(spans(&waits), expected, "one against one is decided by what comes first on the way");
    }

    /// Or an outage would be both avoidable and nobody's fault.
    #[test]
    fn that_nobody_can_serve_is_said_where_it_is_so_for_everybody() {
        let (quorum, leader) = (Some(Cause::NoQuorum), Some(Cause::NoLeader));
        let waits = [(100, 200, quorum), (100, 200, quorum), (120, 160, leader)];
        let (before, after) = ((100, 120, Cause::NoQuorum), (160, 200, Cause::NoQuorum));
        assert_eq!(spans(&waits), [before, (120, 160, Cause::NoLeader), after]);
    }

    #[test]
    fn one_client_astray_is_not_what_the_others_wait_for() {
        let waits = [(100, 105, Some(Cause::WrongNode)), (100, 105, None), (100, 105, None)];
        assert_eq!(spans(&waits), [(100, 200, Cause::SlowLink)]);
        let waits = [(100, 105, Some(Cause::WrongNode)), (100, 105, None)];
        assert_eq!(spans(&waits), [(100, 200, Cause::WrongNode)]);
    }

    #[test]
    fn what_is_as_usual_belongs_to_what_came_before() {
        let leader = Some(Cause::NoLeader);
        assert_eq!(spans(&[(120, 190, leader), (190, 199, None)]), [(100, 200, Cause::NoLeader)]);
        let slow = [(100, 150, Cause::NoLeader), (150, 200, Cause::SlowLink)];
        assert_eq!(spans(&[(100, 150, leader), (150, 200, None)]), slow, "but not for long");
        assert_eq!(spans(&[(100, 150, leader)]), [(100, 200, Cause::NoLeader)], "nobody asked any more");
        assert_eq!(spans(&[(100, 105, None)]), [(100, 200, Cause::SlowLink)], "something was amiss");
    }

    #[test]
    fn overlapping_spans_count_once_and_are_clipped() {
        let spans = [(0, 10), (5, 15), (20, 30), (40, 50)];
        assert_eq!(clipped(spans.into_iter(), (8, 25)), [(8, 15), (20, 25)]);
        assert_eq!(clipped([(3, 4), (4, 6), (6, 6)].into_iter(), (0, 9)), [(3, 6)]);
        assert_eq!(clipped([].into_iter(), (0, 9)), []);
        assert_eq!(length(&[(8, 15), (20, 25)]), 7 + 5);
    }
}
