//! Verdicts on runs that are easier to make up than to bring about.

use super::{Judge, Ruling};
use crate::execute::{Finished, OpFact};
use crate::parse::tests::TOY;
use crate::plan::Plan;
use crate::scenario::{Figure, ShareOf, Statistic, TimeOf};
use history::{Completion, History, Mark, Operation, Outcome, Purpose, Value, Verdict};
use sim_core::Reachability;
use sim_core::dice::Ratio;
use sim_core::protocol::ClientId;
use sim_core::time::{Nanos, SECOND};
use std::collections::BTreeMap;

/// 10 s and 10 s to settle, on one register.
fn judged(history: History, facts: Vec<OpFact>, judge: impl Fn(&Judge<'_>) -> Ruling) -> Ruling {
    let source = "scenario = 1\nduration = \"10s\"\n[protocol]\nname = \"toy\"\n[[load]]\ndata = \"register\"\n";
    let (draft, _) = crate::parse::parse(source, "x", &[], &[TOY]).expect("well formed");
    let scenario = draft.resolve(1).expect("nothing is drawn");
    let plan = Plan::draw(&scenario, 1);
    let finished = Finished {
        history,
        facts,
        order: Vec::new(),
        strikes: Vec::new(),
        opinions: Vec::new(),
        passages: Vec::new(),
        messages: 0,
        roles: Vec::new(),
        returns: sim_core::world::Returns::default(),
        recoveries: BTreeMap::new(),
        reigns: None,
        first_answers: Vec::new(),
        reach: Reachability::default(),
        steps: 0,
        fingerprint: 0,
        checkpoints: Vec::new(),
        convergence: None,
        end: 20 * SECOND,
        whole: true,
        breach: None,
        panic: None,
        laws: &[],
    };
    judge(&Judge { scenario: &scenario, plan: &plan, finished: &finished, gaps: &[] })
}

fn fact(purpose: Purpose, invoked: Nanos, served: Option<Nanos>, possible: Vec<(Nanos, Nanos)>) -> OpFact {
    OpFact {
        function: 0,
        client: ClientId(0),
        invoked,
        deadline: 20 * SECOND,
        completed: served,
        outcome: served.map_or(Outcome::Unknown, |_| Outcome::Returned(())),
        served,
        possible,
        why: Vec::new(),
        purpose,
    }
}

/// Of final reads: whether they could have been served, and when they were.
fn progress_of(reads: &[(bool, Option<Nanos>)]) -> Verdict {
    let possible = |could: bool| if could { vec![(11 * SECOND, 20 * SECOND)] } else { Vec::new() };
    let facts = reads.iter().map(|&(could, at)| fact(Purpose::FinalRead, 11 * SECOND, at, possible(could)));
    judged(History::default(), facts.collect(), |judge| judge.progress()).verdict
}

#[test]
fn progress_is_demanded_of_what_could_be_read() {
    let (served, missed, barred) = ((true, Some(12 * SECOND)), (true, None), (false, None));
    assert_eq!(progress_of(&[served, served]), Verdict::Pass);
    assert_eq!(progress_of(&[served, barred]), Verdict::Pass);
    assert_eq!(progress_of(&[served, missed]), Verdict::Fail);
    assert_eq!(progress_of(&[barred, missed]), Verdict::Fail);
    assert_eq!(progress_of(&[barred, barred]), Verdict::Vacuous);
    assert_eq!(progress_of(&[]), Verdict::Fail, "nobody read");
}

/// One after the other: the function, its argument, and what it returned (`None` for a mismatch).
fn in_a_row(operations: &[(&'static str, Value, Option<Value>)]) -> (History, Vec<OpFact>) {
    let mark = |index: usize| Mark { index: index as u64, time: index as u64 };
    let operation = |(i, (f, input, output)): (usize, &(&'static str, Value, Option<Value>))| Operation {
        node: None,
        process: 0,
        f: (*f).into(),
        input: input.clone(),
        invoked: mark(2 * i),
        completed: Some(mark(2 * i + 1)),
        outcome: Outcome::Returned(output.clone().map_or(Completion::Mismatch, Completion::Ok)),
        purpose: Purpose::Load,
    };
    let operations: Vec<Operation> = operations.iter().enumerate().map(operation).collect();
    let facts = operations.iter().map(|op| fact(Purpose::Load, op.invoked.time, Some(op.invoked.time), Vec::new()));
    let facts = facts.collect();
    (History { operations }, facts)
}

#[test]
fn stale_reads_break_linearizability_and_not_that_of_writes() {
    let write = |value: i64| ("write", Value::from(value), Some(Value::from(value)));
    let stale_read = ("read", Value::Nil, Some(Value::from(1)));
    let cas = |from: i64, to: i64| {
        let pair = Value::pair(from.into(), to.into());
        ("cas", pair.clone(), Some(pair))
    };
    let ruled = |operations: &[_], judge: fn(&Judge<'_>) -> Ruling| {
        let (history, facts) = in_a_row(operations);
        judged(history, facts, judge).verdict
    };
    let all: fn(&Judge<'_>) -> Ruling = |judge| judge.linearizable(&judge.finished.history);
    let writes: fn(&Judge<'_>) -> Ruling = |judge| judge.linearizable_writes();

    let lagging = [write(1), cas(1, 2), stale_read.clone()];
    assert_eq!((ruled(&lagging, all), ruled(&lagging, writes)), (Verdict::Fail, Verdict::Pass));
    let torn = [write(1), cas(1, 2), cas(1, 3)];
    assert_eq!((ruled(&torn, all), ruled(&torn, writes)), (Verdict::Fail, Verdict::Fail));
    let silent = [write(1), write(2), stale_read];
    assert_eq!((ruled(&silent, all), ruled(&silent, writes)), (Verdict::Fail, Verdict::Vacuous));
}

#[test]
fn figures_fail_outside_of_their_range_and_are_vacuous_of_nothing() {
    let ruled = |facts: &[OpFact], figure: &Figure| {
        judged(History::default(), facts.to_vec(), |judge| judge.figure(figure)).verdict
    };
    let (half, most) = (Ratio::new(1, 2), Ratio::new(3, 4));
    let served = |from, to| Figure::Share(ShareOf::Served { function: None }, from, to);
    let possible = |from, to| Figure::Share(ShareOf::Possible { function: None }, from, to);
    let whole = Ratio::new(1, 1);
    let facts = [
        fact(Purpose::Load, SECOND, Some(2 * SECOND), Vec::new()),
        fact(Purpose::Load, SECOND, None, vec![(SECOND, 2 * SECOND)]),
    ];
    for (figure, verdict) in [
        (served(half, most), Verdict::Pass),
        (served(most, whole), Verdict::Fail),
        (possible(whole, whole), Verdict::Pass),
        (possible(half, most), Verdict::Fail),
        (
            Figure::Time(TimeOf::Latency { statistic: Statistic::Mean, function: None }, SECOND, 2 * SECOND),
            Verdict::Fail,
        ),
        (Figure::Time(TimeOf::Takeover { statistic: Statistic::Mean }, 0, SECOND), Verdict::Vacuous),
        (Figure::Share(ShareOf::ReadsOf { versions: 1 }, half, whole), Verdict::Vacuous),
    ] {
        assert_eq!(ruled(&facts, &figure), verdict, "{figure:?}");
    }
    assert_eq!(ruled(&[], &served(half, most)), Verdict::Vacuous);
}
