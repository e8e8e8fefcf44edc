//! Queues and stacks: the monitors against a twin that tries every order, against the search, and on recorded
//! histories.

use checkers::{Budget, Judgement, Model, Question, judge};
use history::{
    Completion, History, Mark, Object, Operation, Outcome, Purpose, Queue, QueueRet, Stack, StackRet, Value, Verdict,
};

const HISTORIES: u64 = 150_000;

/// splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) % bound as u64) as usize
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

/// What the tests need to know of queues and stacks beyond what they do: function 0 puts in, function 1 takes out.
trait Tested: Object {
    const MODEL: Model;
    fn took(value: Value) -> Self::Ret;
    fn holding(values: &[Value]) -> Self::State;
}

impl Tested for Queue {
    const MODEL: Model = Model::Queue;
    fn took(value: Value) -> QueueRet {
        QueueRet::Taken(value)
    }
    fn holding(values: &[Value]) -> Self::State {
        values.iter().cloned().collect()
    }
}

impl Tested for Stack {
    const MODEL: Model = Model::Stack;
    fn took(value: Value) -> StackRet {
        StackRet::Taken(value)
    }
    fn holding(values: &[Value]) -> Self::State {
        values.to_vec()
    }
}

#[derive(Clone, Debug)]
struct Call<O: Object> {
    op: O::Op,
    outcome: Outcome<O::Ret>,
    from: usize,
    until: usize,
}

impl<O: Object> Call<O> {
    fn returned(&self) -> bool {
        matches!(self.outcome, Outcome::Returned(_))
    }
}

/// What kind of histories to draw.
#[derive(Clone, Copy)]
struct Kind {
    count: usize,
    /// Whether each value is put in once.
    is_unique: bool,
    /// Unknown, and refused, one in so many.
    unknown: usize,
    refused: usize,
    /// How far events are moved from where all is in a row: at most so many swaps for each operation.
    swaps: usize,
    /// Whether swaps are between neighbours only, so that long histories stay narrow.
    is_local: bool,
}

/// A container that is really run, with one lie in half of the histories.
fn recording<O: Tested>(dice: &mut Dice, kind: Kind) -> (Vec<Value>, Vec<Call<O>>) {
    let count = kind.count;
    let start: Vec<Value> = if dice.one_in(8) { vec![Value::Int(-1), Value::Int(-2)] } else { Vec::new() };
    let mut places: Vec<usize> = (0..2 * count).collect();
    for _ in 0..dice.below(kind.swaps * count + 1) {
        let i = dice.below(2 * count);
        let j = if kind.is_local { (i + 1 + dice.below(3)) % (2 * count) } else { dice.below(2 * count) };
        if !kind.is_local || i.abs_diff(j) < 4 {
            places.swap(i, j);
        }
    }
    let puts = 2 + dice.below(4);
    let mut calls: Vec<Call<O>> = Vec::new();
    for (i, pair) in places.chunks(2).enumerate() {
        let fresh = if kind.is_unique { i + 1 } else { 1 + dice.below(3) };
        let function = usize::from(dice.below(8) >= puts);
        let op = O::make(function, 0, Value::Int(fresh as i64), &Value::Nil);
        calls.push(Call { op, outcome: Outcome::Unknown, from: pair[0].min(pair[1]), until: pair[0].max(pair[1]) });
    }
    calls.sort_by_key(|call| call.from);
    let mut effects: Vec<(usize, usize)> = Vec::new();
    let mut fates = Vec::new();
    for (i, call) in calls.iter().enumerate() {
        let is_unknown = kind.unknown > 0 && dice.one_in(kind.unknown);
        let span = if is_unknown { 20 } else { call.until - call.from };
        effects.push((call.from * 100 + dice.below(span * 100), i));
        fates.push((is_unknown, kind.refused > 0 && dice.one_in(kind.refused)));
    }
    effects.sort_unstable();
    let mut state = O::holding(&start);
    for (_, i) in effects {
        let call = &mut calls[i];
        call.outcome = match fates[i] {
            (true, _) => {
                if dice.one_in(2) {
                    O::apply(&mut state, &call.op);
                }
                Outcome::Unknown
            }
            (_, true) => Outcome::Refused,
            _ => Outcome::Returned(O::apply(&mut state, &call.op)),
        };
    }
    for _ in 0..dice.below(4) {
        lie(dice, &mut calls);
    }
    (start, calls)
}

/// Two takers tell each other's results, or one tells something else.
fn lie<O: Tested>(dice: &mut Dice, calls: &mut [Call<O>]) {
    let takers: Vec<usize> =
        (0..calls.len()).filter(|i| O::function(&calls[*i].op) == 1 && calls[*i].returned()).collect();
    if takers.is_empty() {
        return;
    }
    let (one, other) = (takers[dice.below(takers.len())], takers[dice.below(takers.len())]);
    match dice.below(4) {
        0 => calls[one].outcome = Outcome::Returned(O::took(Value::Nil)),
        1 => {
            let value = dice.below(calls.len() + 1) as i64;
            calls[one].outcome = Outcome::Returned(O::took(if value == 0 { Value::Nil } else { Value::Int(value) }));
        }
        _ => {
            let outcome = calls[one].outcome.clone();
            calls[one].outcome = std::mem::replace(&mut calls[other].outcome, outcome);
        }
    }
}

fn history<O: Object>(calls: &[Call<O>]) -> History {
    let mark = |position: usize| Mark { index: position as u64, time: 0 };
    let operation = |(process, call): (u64, &Call<O>)| Operation {
        process,
        f: O::FUNCTIONS[O::function(&call.op)].name.into(),
        input: O::input(&call.op),
        invoked: mark(call.from),
        completed: Some(mark(call.until)),
        outcome: match &call.outcome {
            Outcome::Returned(ret) => Outcome::Returned(O::completion(&call.op, ret)),
            Outcome::Refused => Outcome::Refused,
            Outcome::Unknown => Outcome::Unknown,
        },
        purpose: Purpose::Load,
        node: None,
    };
    History { operations: (0..).zip(calls).map(operation).collect() }
}

/// Whether some order of `left` explains every result: all orders are tried.
fn has_order<O: Object>(left: &[&Call<O>], state: &O::State) -> bool {
    if !left.iter().any(|call| call.returned()) {
        return true;
    }
    (0..left.len()).any(|i| {
        let call = left[i];
        let may_be_next = left.iter().all(|other| !other.returned() || other.until > call.from);
        if !may_be_next || call.outcome == Outcome::Refused {
            return false;
        }
        let mut state = state.clone();
        let ret = O::apply(&mut state, &call.op);
        let agrees = !call.returned() || call.outcome == Outcome::Returned(ret);
        agrees && has_order(&[&left[..i], &left[i + 1..]].concat(), &state)
    })
}

fn judged<O: Tested>(start: &[Value], calls: &[Call<O>]) -> Judgement {
    let question = Question { initial: Some(Value::List(start.into())), ..Question::of(O::MODEL) };
    judge(&history(calls), &question, &Budget::states(1_000_000)).expect("a container's history")
}

/// The operations of a witness, with everybody of unknown outcome.
fn named<O: Tested>(judgement: &Judgement, calls: &[Call<O>]) -> Vec<Call<O>> {
    let witness = judgement.witness.as_ref().expect("a violation has a witness");
    let is_named = |i: &usize| witness.operations.iter().any(|operation| operation.index == *i);
    (0..calls.len()).filter(is_named).map(|i| calls[i].clone()).collect()
}

fn agrees_with_its_twin<O: Tested>() {
    let (mut good, mut bad, mut monitored, mut unclear) = (0, 0, 0, 0);
    for seed in 0..HISTORIES {
        let mut dice = Dice(seed);
        let kind = Kind {
            count: 1 + dice.below(8),
            is_unique: !dice.one_in(4),
            unknown: [0, 0, 4, 8][dice.below(4)],
            refused: 12,
            swaps: 3,
            is_local: false,
        };
        let (start, calls) = recording::<O>(&mut dice, kind);
        let judgement = judged(&start, &calls);
        let all: Vec<&Call<O>> = calls.iter().collect();
        let expected = match (calls.iter().any(Call::returned), has_order(&all, &O::holding(&start))) {
            (false, _) => Verdict::Vacuous,
            (true, true) => Verdict::Pass,
            (true, false) => Verdict::Fail,
        };
        assert_eq!(judgement.verdict, expected, "seed {seed}, {start:?}: {calls:#?} {judgement:#?}");
        monitored += u64::from(judgement.states == 0 && expected != Verdict::Vacuous);
        match expected {
            Verdict::Fail => {
                bad += 1;
                let named = named(&judgement, &calls);
                let named: Vec<&Call<O>> = named.iter().collect();
                let is_wrong = !has_order(&named, &O::holding(&start)) || !has_order(&named, &O::holding(&[]));
                assert!(is_wrong, "seed {seed}: {calls:#?} {judgement:#?}");
            }
            Verdict::Pass | Verdict::Vacuous | Verdict::Unknown => good += 1,
        }
        unclear += u64::from(kind.is_unique && judgement.states > 0);
        if let Some(note) = judgement.notes.iter().find(|note| note.starts_with("the first")) {
            let count: usize = note.split(' ').nth(2).and_then(|word| word.parse().ok()).expect("a count");
            assert_eq!(count, longest(&start, &calls), "seed {seed}, {start:?}: {calls:#?} {judgement:#?}");
        }
    }
    assert!(good > HISTORIES / 4 && bad > HISTORIES / 5, "{good} good, {bad} bad");
    assert!(monitored > HISTORIES / 2, "{monitored} without a search");
    assert!(unclear < HISTORIES / 5_000, "{unclear} that only the search could decide");
}

/// How many completed operations have an order, counted from the first.
fn longest<O: Tested>(start: &[Value], calls: &[Call<O>]) -> usize {
    let mut ends: Vec<usize> = calls.iter().filter(|call| call.returned()).map(|call| call.until).collect();
    ends.sort_unstable();
    let is_good = |count: &usize| {
        let until = if *count == 0 { 0 } else { ends[count - 1] };
        let mut known: Vec<Call<O>> = calls.iter().filter(|call| call.from <= until).cloned().collect();
        for call in known.iter_mut().filter(|call| call.until > until && call.returned()) {
            call.outcome = Outcome::Unknown;
        }
        has_order(&known.iter().collect::<Vec<_>>(), &O::holding(start))
    };
    (0..=ends.len()).rev().find(is_good).expect("nothing is always right")
}

#[test]
fn queues_agree_with_trying_every_order() {
    agrees_with_its_twin::<Queue>();
}

#[test]
fn stacks_agree_with_trying_every_order() {
    agrees_with_its_twin::<Stack>();
}

/// The same history with a value that nobody knows to have been put in twice: it changes nothing, but the search
/// decides.
fn searched<O: Tested>(start: &[Value], calls: &[Call<O>]) -> Judgement {
    let mut calls = calls.to_vec();
    let end = 2 * calls.len();
    for from in [end, end + 1] {
        let op = O::make(0, 0, Value::text("never"), &Value::Nil);
        calls.push(Call { op, outcome: Outcome::Unknown, from, until: usize::MAX });
    }
    judged(start, &calls)
}

fn agrees_with_the_search<O: Tested>() {
    let (mut good, mut bad, mut undecided) = (0, 0, 0);
    for seed in 0..1_000 {
        let mut dice = Dice(!seed);
        let kind = Kind {
            count: 10 + dice.below(40),
            is_unique: true,
            unknown: [0, 0, 30][dice.below(3)],
            refused: 20,
            swaps: 4,
            is_local: true,
        };
        let (start, mut calls) = recording::<O>(&mut dice, kind);
        // At most one lie is told to most of them, so that it has to be found.
        if seed % 4 == 0 {
            lie(&mut dice, &mut calls);
        }
        let (monitored, searched) = (judged(&start, &calls), searched(&start, &calls));
        if searched.verdict == Verdict::Unknown || monitored.verdict == Verdict::Unknown {
            undecided += 1;
            continue;
        }
        assert_eq!(monitored.verdict, searched.verdict, "seed {seed}: {calls:#?} {monitored:#?}");
        match monitored.verdict {
            Verdict::Fail => {
                bad += 1;
                for judgement in [&monitored, &searched] {
                    let witness = judgement.witness.as_ref().expect("a violation has a witness");
                    undecided += u64::from(!witness.is_minimal);
                    assert!((1..=30).contains(&witness.operations.len()), "seed {seed}: {witness:#?}");
                }
            }
            Verdict::Pass | Verdict::Vacuous | Verdict::Unknown => good += 1,
        }
    }
    assert!(good > 200 && bad > 200 && undecided < 100, "{good} good, {bad} bad, {undecided} undecided");
}

#[test]
fn queues_agree_with_the_search() {
    agrees_with_the_search::<Queue>();
}

#[test]
fn stacks_agree_with_the_search() {
    agrees_with_the_search::<Stack>();
}

/// An operation: what it takes and returns, and from when to when. Puts return what they put in; nobody knows of what
/// returns a text.
type Line = (&'static str, i64, Value, u64, u64);

fn put(value: i64, from: u64, until: u64) -> Line {
    ("add", value, Value::Nil, from, until)
}

fn took(value: i64, from: u64, until: u64) -> Line {
    ("take", 0, if value == 0 { Value::Nil } else { Value::Int(value) }, from, until)
}

fn forgotten(from: u64) -> Line {
    ("take", 0, Value::text("?"), from, 1_000)
}

fn argument(model: Model, lines: &[Line]) -> Vec<String> {
    let mark = |index| Some(Mark { index, time: 0 });
    let operation = |(process, (f, input, returned, from, until)): (u64, &Line)| Operation {
        process,
        f: (*f).into(),
        input: if *f == "add" { Value::Int(*input) } else { Value::Nil },
        invoked: mark(*from).expect("a mark"),
        completed: mark(*until),
        outcome: match returned {
            Value::Text(_) => Outcome::Unknown,
            Value::Nil | Value::Int(_) | Value::List(_) => Outcome::Returned(Completion::Ok(returned.clone())),
        },
        purpose: Purpose::Load,
        node: None,
    };
    let history = History { operations: (0..).zip(lines).map(operation).collect() };
    let judgement = judge(&history, &Question::of(model), &Budget::states(1_000)).expect("a container's history");
    let witness = judgement.witness.unwrap_or_else(|| panic!("{:?}", judgement.verdict));
    assert_eq!(judgement.verdict, Verdict::Fail);
    let conclusions = witness.argument[witness.operations.len()..].to_vec();
    [vec![judgement.detail], conclusions].concat()
}

#[test]
fn arguments_can_be_read_aloud() {
    let overtaken = [put(1, 0, 1), put(2, 2, 3), took(2, 4, 5), took(1, 6, 7)];
    let expected = [
        "p2 took 2 from the queue, though 1 was in front of it",
        "5. 1 had been added before 2 was asked to be: so 1 was in front of 2, and had to leave first.",
        "6. But 2 was out before (4), which got 1, was asked for.",
    ];
    assert_eq!(argument(Model::Queue, &overtaken), expected);
    let left = [put(1, 0, 1), put(2, 2, 3), put(3, 4, 5), forgotten(6), took(3, 7, 8)];
    let expected = [
        "p4 took 3 from the queue, though 2 values were in front of it",
        "6. 2 values had been added before 3 was asked to be: so they were in front of 3, and had to leave first.",
        "7. But nobody is known to have taken any of them, and only 1 removal of unknown outcome can have, one each.",
    ];
    assert_eq!(argument(Model::Queue, &left), expected);
    let chain = [put(1, 0, 1), took(0, 2, 9), put(2, 3, 4), took(1, 5, 6), took(2, 10, 11)];
    let expected = [
        "p1 found the queue empty, though there was always something inside",
        "6. 1 was inside from the end of (1) until (4) was asked for; 2 was inside from the end of (3) until (5) was \
         asked for.",
        "7. So at every moment of (2) one of them was inside, and it cannot have found nothing.",
    ];
    assert_eq!(argument(Model::Queue, &chain), expected);
    let expected = [
        "p0 took 1 from the queue, which nobody ever added",
        "2. Nobody ever asked to add 1, and the queue did not begin with it.",
    ];
    assert_eq!(argument(Model::Queue, &[took(1, 0, 1)]), expected);
    let buried = [put(1, 0, 1), put(2, 2, 3), took(1, 4, 5), took(2, 6, 7)];
    let expected = [
        "p2 took 1 from the stack, though 2 was on top of it",
        "5. For a while both 1 and 2 were in the stack, so one of them was below the other.",
        "6. It was not 1: (3) was over before (4) began.",
        "7. It was not 2: (1) had been over before (2) began.",
    ];
    assert_eq!(argument(Model::Stack, &buried), expected);
    // No two of these contradict each other.
    let three = [put(1, 0, 1), put(2, 2, 6), put(3, 3, 8), took(1, 7, 10), took(2, 9, 11), took(3, 12, 13)];
    let expected = [
        "no order of the pushes and pops of 1, 2, 3 explains what was popped",
        "7. From the first of these to the last, something of 1, 2, 3 was always in the stack: so one of them was \
         below the \
         others all the while.",
        "8. It was not 1: (4) was over before (6) began.",
        "9. It was not 2: (1) had been over before (2) began.",
        "10. It was not 3: (1) had been over before (3) began.",
    ];
    assert_eq!(argument(Model::Stack, &three), expected);
    let repeated = [put(1, 0, 1), put(1, 2, 3), put(2, 4, 5), took(2, 6, 7)];
    let expected = "no order of 4 operations explains what was taken from the queue";
    assert_eq!(argument(Model::Queue, &repeated)[0], expected);
}
