//! Every level of the ladder against a twin too dumb to be wrong, on many thousands of small random histories.
//!
//! The twins follow the definitions: they try every order there is, and for causality, on the smallest histories, every
//! causal order. A compare-and-set that succeeded is a read and a write, next to each other where one order is asked for.

#[expect(dead_code, reason = "only the dice are needed")]
mod random;

use checkers::{Budget, Consistency, Model, Question, Rung, ladder};
use history::{Completion, History, Mark, Operation, Outcome, Purpose, Value, Verdict};
use random::Dice;

const HISTORIES: u64 = 120_000;

/// Something that happened, as the twins see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Event {
    process: usize,
    key: usize,
    is_write: bool,
    value: i64,
    /// Events of one operation have the same.
    operation: usize,
}

/// One key is `x`, another `y`.
fn key(number: usize) -> Value {
    Value::text(["x", "y"][number])
}

fn value(number: i64) -> Value {
    if number == 0 { Value::Nil } else { Value::Int(number) }
}

#[derive(Clone, Copy)]
struct Size {
    operations: usize,
    has_swaps: bool,
}

/// Processes that write unique values and read whatever; what they read was mostly written, and mostly not long ago.
fn recording(seed: u64, size: Size) -> History {
    let mut dice = Dice(seed);
    let count = 2 + dice.below(size.operations - 1);
    let (processes, keys) = (1 + dice.below(3), 1 + dice.below(2));
    let mut is_over = vec![false; processes];
    let mut asked: Vec<(usize, usize, usize)> = Vec::new();
    for _ in 0..count {
        let kind = dice.below(if size.has_swaps { 6 } else { 5 });
        asked.push((dice.below(processes), dice.below(keys), kind));
    }
    let mut operations: Vec<Operation> = Vec::new();
    let mut index = 0;
    let mut ends: Vec<u64> = vec![0; processes];
    for (number, (process, at, kind)) in asked.iter().copied().enumerate() {
        if is_over[process] {
            continue;
        }
        // Values written to this key, whenever.
        let written: Vec<i64> =
            (1..).zip(&asked).filter(|(_, (_, other, kind))| *other == at && *kind > 2).map(|(n, _)| n).collect();
        let got = match dice.below(written.len() + 2) {
            n if n < written.len() => written[n],
            _ if dice.one_in(40) => 99,
            _ => 0,
        };
        let made = number as i64 + 1;
        index += 1 + dice.below(2) as u64;
        let invoked = Mark { index: index.max(ends[process] + 1) * 2, time: 0 };
        let completed = Mark { index: invoked.index + 2 * dice.below(4) as u64 + 1, time: 0 };
        index = invoked.index / 2;
        ends[process] = completed.index / 2;
        let pair = |second: Value| Value::pair(key(at), second);
        let swap = pair(Value::pair(value(got), value(made)));
        let (f, input, result) = match kind {
            0..3 => ("read", pair(Value::Nil), Completion::Ok(pair(value(got)))),
            3..5 => ("write", pair(value(made)), Completion::Ok(pair(value(made)))),
            _ => ("cas", swap.clone(), if dice.one_in(4) { Completion::Mismatch } else { Completion::Ok(swap) }),
        };
        let outcome = match dice.below(12) {
            0 => Outcome::Unknown,
            1 if dice.one_in(3) => Outcome::Refused,
            _ => Outcome::Returned(result),
        };
        is_over[process] = outcome == Outcome::Unknown;
        let completed = (outcome != Outcome::Unknown).then_some(completed);
        let process = process as u64;
        let purpose = Purpose::Load;
        operations.push(Operation { process, f: f.into(), input, invoked, completed, outcome, purpose, node: None });
    }
    operations.sort_by_key(|operation| operation.invoked);
    History { operations }
}

/// A history as it is read best where a test fails.
fn lines(history: &History) -> String {
    let line = |operation: &Operation| {
        let Operation { process, f, input, invoked, outcome, completed, .. } = operation;
        let until = completed.map(|mark| mark.index);
        format!("{}-{until:?} p{process} {f} {input} {outcome:?}\n", invoked.index)
    };
    history.operations.iter().map(line).collect()
}

fn number(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        Value::Nil | Value::Text(_) | Value::List(_) => 0,
    }
}

/// Everything that may have happened: each choice of the operations of unknown outcome.
fn worlds(history: &History) -> Vec<Vec<Event>> {
    let is_open = |operation: &Operation| operation.outcome == Outcome::Unknown && operation.f != "read";
    let open: Vec<usize> = (0..history.len()).filter(|n| is_open(&history.operations[*n])).collect();
    let world = |choice: usize| {
        let mut events = Vec::new();
        for (number_of, operation) in history.operations.iter().enumerate() {
            let chosen = open.iter().position(|n| *n == number_of).is_some_and(|at| choice >> at & 1 == 1);
            let (key, argument) = operation.input.as_pair().expect("a keyed history");
            let event = |is_write, value: &Value| Event {
                process: operation.process as usize,
                key: usize::from(*key == Value::text("y")),
                is_write,
                value: number(value),
                operation: number_of,
            };
            let result = match &operation.outcome {
                Outcome::Returned(Completion::Ok(result)) => Some(result.as_pair().expect("keyed").1),
                Outcome::Unknown if chosen => None,
                Outcome::Returned(Completion::Mismatch) | Outcome::Refused | Outcome::Unknown => continue,
            };
            match (&*operation.f, argument.as_pair()) {
                ("read", _) => events.push(event(false, result.expect("it returned"))),
                ("write", _) => events.push(event(true, argument)),
                (_, Some((from, to))) => events.extend([event(false, from), event(true, to)]),
                (f, None) => panic!("{f}"),
            }
        }
        events
    };
    (0..1 << open.len()).map(world).collect()
}

/// A relation between events: row a has bit b if a comes before b.
type Order = Vec<u32>;

fn program(events: &[Event]) -> Order {
    let follows = |a: usize, b: usize| a < b && events[a].process == events[b].process;
    relation(events.len(), follows)
}

fn relation(count: usize, holds: impl Fn(usize, usize) -> bool) -> Order {
    (0..count).map(|a| (0..count).filter(|b| holds(a, *b)).map(|b| 1 << b).sum()).collect()
}

fn has(order: &Order, a: usize, b: usize) -> bool {
    order[a] >> b & 1 == 1
}

fn closed(mut order: Order) -> Order {
    for middle in 0..order.len() {
        for a in 0..order.len() {
            if has(&order, a, middle) {
                order[a] |= order[middle];
            }
        }
    }
    order
}

fn is_strict(order: &Order) -> bool {
    (0..order.len()).all(|a| !has(order, a, a))
}

fn reads_from(events: &[Event], write: usize, read: usize) -> bool {
    let (w, r) = (events[write], events[read]);
    w.is_write && !r.is_write && w.key == r.key && w.value == r.value
}

/// Whether `left` have an order that keeps `order`, in which those of `kept` read what was written last.
fn explains(events: &[Event], order: &Order, left: u32, kept: u32, memory: [i64; 2]) -> bool {
    left == 0
        || (0..events.len()).filter(|at| left >> at & 1 == 1).any(|at| {
            let is_next = (0..events.len()).all(|before| left >> before & 1 == 0 || !has(order, before, at));
            let event = events[at];
            let is_right = event.is_write || kept >> at & 1 == 0 || memory[event.key] == event.value;
            let mut after = memory;
            if event.is_write {
                after[event.key] = event.value;
            }
            is_next && is_right && explains(events, order, left & !(1 << at), kept, after)
        })
}

fn past(order: &Order, at: usize) -> u32 {
    (0..order.len()).filter(|before| has(order, *before, at)).map(|before| 1 << before).sum::<u32>() | 1 << at
}

fn is_sequential(events: &[Event]) -> bool {
    fn go_on(events: &[Event], places: &mut Vec<usize>, memory: [i64; 2]) -> bool {
        let next = |process: usize, place: usize| events.iter().filter(|event| event.process == process).nth(place);
        let mut is_done = true;
        for process in 0..places.len() {
            let Some(first) = next(process, places[process]) else { continue };
            is_done = false;
            // An operation is taken whole.
            let (mut memory, mut is_right, mut count) = (memory, true, 0);
            while let Some(event) =
                next(process, places[process] + count).filter(|event| event.operation == first.operation)
            {
                if event.is_write {
                    memory[event.key] = event.value;
                } else {
                    is_right &= memory[event.key] == event.value;
                }
                count += 1;
            }
            places[process] += count;
            let is_found = is_right && go_on(events, places, memory);
            places[process] -= count;
            if is_found {
                return true;
            }
        }
        is_done
    }
    go_on(events, &mut vec![0; 4], [0; 2])
}

fn is_causal(events: &[Event], co: &Order) -> bool {
    (0..events.len()).all(|at| explains(events, co, past(co, at), 1 << at, [0; 2]))
}

fn is_causal_memory(events: &[Event], co: &Order) -> bool {
    let po = program(events);
    (0..events.len()).all(|at| explains(events, co, past(co, at), past(&po, at), [0; 2]))
}

/// Tries every total order of everything that keeps the causal order.
fn converges(events: &[Event], co: &Order, arranged: &mut Vec<usize>) -> bool {
    let is_right = |arranged: &[usize], at: usize| {
        let past = past(co, at);
        let mut memory = [0; 2];
        for &before in arranged.iter().filter(|before| past >> **before & 1 == 1 && events[**before].is_write) {
            memory[events[before].key] = events[before].value;
        }
        events[at].is_write || memory[events[at].key] == events[at].value
    };
    if arranged.len() == events.len() {
        return (0..events.len()).all(|at| is_right(arranged, at));
    }
    (0..events.len()).any(|at| {
        let is_next = !arranged.contains(&at) && (0..events.len()).all(|b| !has(co, b, at) || arranged.contains(&b));
        if !is_next {
            return false;
        }
        arranged.push(at);
        let is_found = converges(events, co, arranged);
        arranged.pop();
        is_found
    })
}

fn is_pram(events: &[Event]) -> bool {
    let po = program(events);
    (0..4).all(|process| {
        let counts = |at: &usize| events[*at].is_write || events[*at].process == process;
        let own = |at: &usize| events[*at].process == process;
        let set = |holds: &dyn Fn(&usize) -> bool| (0..events.len()).filter(holds).map(|at| 1u32 << at).sum::<u32>();
        explains(events, &po, set(&counts), set(&own), [0; 2])
    })
}

/// The smallest causal order there can be.
fn causal_order(events: &[Event]) -> Order {
    let po = program(events);
    closed(relation(events.len(), |a, b| has(&po, a, b) || reads_from(events, a, b)))
}

/// Whether some causal order will do: all are tried.
fn any_order(events: &[Event], holds: &dyn Fn(&Order) -> bool) -> bool {
    fn go_on(order: &Order, from: usize, holds: &dyn Fn(&Order) -> bool) -> bool {
        let count = order.len();
        if from == count * count {
            return holds(order);
        }
        let (a, b) = (from / count, from % count);
        if go_on(order, from + 1, holds) {
            return true;
        }
        if a == b || has(order, a, b) {
            return false;
        }
        let mut more = order.clone();
        more[a] |= 1 << b;
        // What closing adds behind this pair is added in its turn; what it adds before has been decided against.
        let more_closed = closed(more);
        let is_new = (0..from)
            .all(|pair| has(&more_closed, pair / count, pair % count) == has(order, pair / count, pair % count));
        is_strict(&more_closed) && is_new && go_on(&more_closed, from + 1, holds)
    }
    go_on(&program(events), 0, holds)
}

/// The writes that a read has to reflect, and what is certainly older, both as relations.
fn session_guarantee(events: &[Event], level: Consistency) -> bool {
    let po = program(events);
    let count = events.len();
    let seen_before = |w: usize, r: usize| (0..count).any(|s| reads_from(events, w, s) && has(&po, s, r));
    let both_write = |a: usize, b: usize| events[a].is_write && events[b].is_write;
    let demanded = |w: usize, r: usize| {
        if level == Consistency::ReadYourWrites {
            return events[w].is_write && has(&po, w, r);
        }
        if level == Consistency::MonotonicReads {
            return seen_before(w, r);
        }
        // Before something that was seen: written, or read.
        let before = |v: usize| match level == Consistency::MonotonicWrites {
            true => both_write(w, v) && has(&po, w, v),
            false => events[v].is_write && (0..count).any(|s| reads_from(events, w, s) && has(&po, s, v)),
        };
        (0..count).any(|v| before(v) && seen_before(v, r))
    };
    let is_older = |a: usize, b: usize, r: usize| {
        let is_own = events[b].process == events[r].process;
        let heard_before = (0..count).any(|v| both_write(v, v) && (v == a || has(&po, a, v)) && seen_before(v, b));
        has(&po, a, b) || is_own && heard_before
    };
    (0..count).filter(|r| !events[*r].is_write).all(|r| {
        let got = (0..count).find(|w| reads_from(events, *w, r));
        (0..count).filter(|w| events[*w].is_write && events[*w].key == events[r].key && demanded(*w, r)).all(|w| {
            match got {
                None => false,
                Some(got) => got == w || !is_older(got, w, r),
            }
        })
    })
}

/// Whether every value read was written, and not by its reader, later.
fn is_known(events: &[Event]) -> bool {
    let is_own = |a: usize, b: usize| events[a].process == events[b].process;
    (0..events.len()).all(|r| {
        let written = |w: usize| reads_from(events, w, r) && !(w > r && is_own(w, r));
        events[r].is_write || events[r].value == 0 || (0..events.len()).any(written)
    })
}

fn holds(events: &[Event], level: Consistency) -> bool {
    let co = causal_order(events);
    let tests: [Test; 5] = [
        (Consistency::Sequential, &|_| is_sequential(events)),
        (Consistency::CausalConvergence, &|co| is_strict(co) && converges(events, co, &mut Vec::new())),
        (Consistency::CausalMemory, &|co| is_strict(co) && is_causal_memory(events, co)),
        (Consistency::Causal, &|co| is_strict(co) && is_causal(events, co)),
        (Consistency::Pram, &|_| is_pram(events)),
    ];
    let test = tests.iter().find(|(other, _)| *other == level);
    is_known(events) && test.map_or_else(|| session_guarantee(events, level), |(_, test)| test(&co))
}

/// A level, and whether a causal order will do for it.
type Test<'a> = (Consistency, &'a dyn Fn(&Order) -> bool);

fn table(history: &History) -> Vec<Rung> {
    ladder(history, &Question::of(Model::Kv), &Budget::states(100_000)).expect("a history of a kv store")
}

fn rung(table: &[Rung], level: Consistency) -> &Rung {
    table.iter().find(|rung| rung.name == level.name()).expect("every level is in the table")
}

const LEVELS: [Consistency; 9] = [
    Consistency::Sequential,
    Consistency::CausalConvergence,
    Consistency::CausalMemory,
    Consistency::Causal,
    Consistency::Pram,
    Consistency::ReadYourWrites,
    Consistency::MonotonicReads,
    Consistency::MonotonicWrites,
    Consistency::WritesFollowReads,
];

/// What one level's verdict says of another's.
const FOLLOWS: [(Consistency, Consistency); 13] = [
    (Consistency::Linearizable, Consistency::Sequential),
    (Consistency::Sequential, Consistency::CausalConvergence),
    (Consistency::Sequential, Consistency::CausalMemory),
    (Consistency::CausalConvergence, Consistency::Causal),
    (Consistency::CausalMemory, Consistency::Causal),
    (Consistency::CausalMemory, Consistency::Pram),
    (Consistency::Causal, Consistency::ReadYourWrites),
    (Consistency::Causal, Consistency::MonotonicReads),
    (Consistency::Causal, Consistency::MonotonicWrites),
    (Consistency::Causal, Consistency::WritesFollowReads),
    (Consistency::Pram, Consistency::ReadYourWrites),
    (Consistency::Pram, Consistency::MonotonicReads),
    (Consistency::Pram, Consistency::MonotonicWrites),
];

fn agree(seeds: std::ops::Range<u64>, size: Size) {
    let mut counts = [[0u64; 2]; LEVELS.len()];
    for seed in seeds.clone() {
        let history = recording(seed, size);
        let table = table(&history);
        let worlds = worlds(&history);
        if !history.operations.iter().any(|operation| matches!(operation.outcome, Outcome::Returned(_))) {
            assert!(LEVELS.iter().all(|level| rung(&table, *level).verdict == Verdict::Vacuous), "seed {seed}");
            continue;
        }
        let is_mismatch = |operation: &Operation| operation.outcome == Outcome::Returned(Completion::Mismatch);
        let has_mismatches = history.operations.iter().any(is_mismatch);
        let is_linearizable = rung(&table, Consistency::Linearizable).verdict == Verdict::Pass;
        for (level, count) in LEVELS.into_iter().zip(&mut counts) {
            let is_good = worlds.iter().any(|events| holds(events, level));
            let found = rung(&table, level);
            let expected = match is_good {
                // The twin leaves them out, too.
                true if level == Consistency::Sequential && has_mismatches && !is_linearizable => Verdict::Unknown,
                true => Verdict::Pass,
                false => Verdict::Fail,
            };
            assert_eq!(found.verdict, expected, "seed {seed}, {}: {found:#?}\n{}", level.name(), lines(&history));
            count[usize::from(is_good)] += 1;
        }
        for (strong, weak) in FOLLOWS {
            let (strong, weak) = (rung(&table, strong).verdict, rung(&table, weak).verdict);
            assert!(strong != Verdict::Pass || weak == Verdict::Pass, "seed {seed}: {table:#?}");
        }
    }
    let enough = (seeds.end - seeds.start) / 100;
    assert!(counts.iter().flatten().all(|count| *count > enough), "{counts:?}");
}

#[test]
fn every_level_agrees_with_its_definition() {
    agree(0..HISTORIES, Size { operations: 6, has_swaps: false });
}

#[test]
fn larger_histories_agree_too() {
    agree(1_000_000..1_000_000 + HISTORIES / 6, Size { operations: 8, has_swaps: false });
}

#[test]
fn histories_with_compare_and_set_agree_too() {
    agree(2_000_000..2_000_000 + HISTORIES / 4, Size { operations: 5, has_swaps: true });
}

#[test]
fn the_smallest_causal_order_is_the_best() {
    let mut good = 0;
    for seed in 0..20_000 {
        let history = recording(seed, Size { operations: 4, has_swaps: false });
        for events in worlds(&history).into_iter().filter(|events| is_known(events)) {
            let tests: [Test; 3] = [
                (Consistency::Causal, &|co| is_causal(&events, co)),
                (Consistency::CausalMemory, &|co| is_causal_memory(&events, co)),
                (Consistency::CausalConvergence, &|co| converges(&events, co, &mut Vec::new())),
            ];
            for (level, test) in tests {
                let is_good = any_order(&events, test);
                assert_eq!(holds(&events, level), is_good, "seed {seed}, {}: {events:#?}", level.name());
                good += u64::from(is_good);
            }
        }
    }
    assert!(good > 20_000, "{good}");
}

/// The part of a history that a witness shows.
fn shown(history: &History, rung: &Rung, without: Option<usize>) -> History {
    let witness = rung.witness.as_ref().expect("a violation has a witness");
    let mut shown: Vec<usize> = witness.operations.iter().map(|told| told.index).collect();
    shown.sort_unstable();
    let left = shown.into_iter().filter(|index| Some(*index) != without);
    History { operations: left.map(|index| history.operations[index].clone()).collect() }
}

#[test]
fn a_witness_is_enough_and_nothing_can_be_taken_away() {
    let mut seen = 0;
    for seed in 0..HISTORIES / 12 {
        let history = recording(seed, Size { operations: 8, has_swaps: false });
        let table = table(&history);
        for level in LEVELS {
            let found = rung(&table, level);
            if found.verdict != Verdict::Fail {
                continue;
            }
            let judge = |history: &History| {
                let question = Question { level: Some(level), ..Question::of(Model::Kv) };
                checkers::judge(history, &question, &Budget::states(100_000)).expect("a kv history").verdict
            };
            let witness = found.witness.as_ref().expect("a violation has a witness");
            assert!(witness.is_minimal, "seed {seed}: {found:#?}");
            assert_eq!(
                judge(&shown(&history, found, None)),
                Verdict::Fail,
                "seed {seed}, {}: {found:#?}",
                level.name()
            );
            if witness.operations.len() == 1 || matches!(witness.reason, history::Reason::NeverHappened { .. }) {
                continue;
            }
            seen += 1;
            for told in &witness.operations {
                let less = shown(&history, found, Some(told.index));
                let is_known = worlds(&less).iter().any(|events| is_known(events));
                let verdict = judge(&less);
                // A read is left out with the write it is of. Where a weaker level's witness is shown, that one is least.
                let is_borrowed = found.detail.contains("so not even");
                assert!(
                    is_borrowed || !is_known || verdict != Verdict::Fail,
                    "seed {seed}, {}: {found:#?}",
                    level.name()
                );
            }
        }
    }
    assert!(seen > HISTORIES / 24, "{seen}");
}

#[test]
fn a_small_budget_never_changes_an_answer() {
    let mut unknown = 0;
    for seed in 0..HISTORIES / 40 {
        let history = recording(seed, Size { operations: 8, has_swaps: seed % 2 == 0 });
        for level in LEVELS {
            let judge = |states| {
                let question = Question { level: Some(level), ..Question::of(Model::Kv) };
                checkers::judge(&history, &question, &Budget::states(states)).expect("a kv history").verdict
            };
            let full = judge(100_000);
            for states in [0, 1, 3, 10] {
                let verdict = judge(states);
                assert!(verdict == full || verdict == Verdict::Unknown, "seed {seed}, {}, {states}", level.name());
                unknown += u64::from(verdict == Verdict::Unknown);
            }
        }
    }
    assert!(unknown > HISTORIES / 40, "{unknown}");
}

/// From when to when an event may have taken effect.
fn span(history: &History, event: &Event) -> (u64, u64) {
    let operation = &history.operations[event.operation];
    let end = match (&operation.outcome, operation.completed) {
        (Outcome::Returned(_), Some(mark)) => mark.index,
        _ => u64::MAX,
    };
    (operation.invoked.index, end)
}

/// Whether some order within all intervals lets each read return one of the last `k` values: all are tried.
fn is_atomic(history: &History, left: &[Event], k: usize, values: &[i64]) -> bool {
    left.is_empty()
        || (0..left.len()).any(|at| {
            let event = left[at];
            let is_next = left.iter().all(|other| span(history, other).1 >= span(history, &event).0);
            let mut values = values.to_vec();
            if event.is_write {
                values.push(event.value);
            }
            let is_right = event.is_write || values.iter().rev().take(k).any(|value| *value == event.value);
            is_next && is_right && is_atomic(history, &[&left[..at], &left[at + 1..]].concat(), k, &values)
        })
}

#[test]
fn atomicity_agrees_with_trying_every_order() {
    let mut counts = [0; 5];
    for seed in 0..HISTORIES / 2 {
        let history = recording(seed, Size { operations: 8, has_swaps: false });
        let worlds = worlds(&history);
        let is_k = |k: usize| {
            worlds.iter().any(|events| {
                (0..2).all(|key| {
                    let of_key: Vec<Event> = events.iter().filter(|event| event.key == key).copied().collect();
                    is_atomic(&history, &of_key, k, &[0])
                })
            })
        };
        let table = table(&history);
        let found = table.iter().find(|rung| rung.name == "k-atomicity").expect("in the table");
        let number = |word: &str| word.trim_end_matches([',', ':', ';']).parse::<usize>().expect("a number");
        let words: Vec<&str> = found.detail.split_whitespace().collect();
        let (least, most) = match (found.verdict, &words[..]) {
            (Verdict::Vacuous, _) => continue,
            (Verdict::Pass, ["k", "=", k, ..]) => (number(k), number(k)),
            (Verdict::Pass, ["k", "is", "from", least, "to", most, ..]) => (number(least), number(most)),
            _ => {
                assert!(found.verdict == Verdict::Fail && !is_k(9), "seed {seed}: {found:#?}\n{}", lines(&history));
                counts[0] += 1;
                continue;
            }
        };
        assert!(is_k(most), "seed {seed}: {found:#?}\n{}", lines(&history));
        assert!(least == 1 || !is_k(least - 1), "seed {seed}: {found:#?}\n{}", lines(&history));
        assert!(least == most || least > 2, "seed {seed}: {found:#?}\n{}", lines(&history));
        counts[least.min(4)] += 1;
    }
    assert!(counts.iter().all(|count| *count > 50), "{counts:?}");
}

#[test]
fn staleness_agrees_with_its_definition() {
    let mut seen = 0;
    for seed in 0..HISTORIES {
        let history = recording(seed, Size { operations: 10, has_swaps: seed % 3 == 0 });
        let events: Vec<Event> = worlds(&history).pop().expect("one in which everything happened");
        let returned = |event: &Event| span(&history, event).1 < u64::MAX;
        let in_place = |value: i64, key: usize| {
            let of_value = events.iter().filter(|event| event.key == key && event.value == value);
            let asked = of_value.clone().filter(|event| event.is_write).map(|event| span(&history, event).0).max();
            of_value.map(|event| span(&history, event).1).min().max(asked)
        };
        let (mut reads, mut stale, mut most) = (0, 0, 0);
        for read in events.iter().filter(|event| !event.is_write && returned(event)) {
            let write =
                events.iter().find(|event| event.is_write && event.key == read.key && event.value == read.value);
            let since = match write {
                Some(_) => in_place(read.value, read.key).expect("it was met"),
                None if read.value == 0 => 0,
                None => continue,
            };
            let is_between = |other: &&Event| {
                let is_other = other.is_write && other.key == read.key && other.value != read.value;
                let over = in_place(other.value, other.key).expect("it was made");
                is_other && span(&history, other).0 > since && over < span(&history, read).0
            };
            let behind = events.iter().filter(is_between).count() as u64;
            (reads, stale, most) = (reads + 1, stale + u64::from(behind > 0), most.max(behind));
        }
        let found = checkers::staleness(&history, Model::Kv, &Value::Nil).expect("a kv history");
        let found = (found.reads, found.stale, found.versions_max);
        assert_eq!(found, (reads, stale, most), "seed {seed}\n{}", lines(&history));
        seen += u64::from(most > 1);
    }
    assert!(seen > HISTORIES / 50, "{seen}");
}
