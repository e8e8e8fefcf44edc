//! Laws that no object specifies, and what becomes of elements of a set: each way to keep and each way to break them.
//!
//! Histories are written as their events: process, what happened, the function, and a value.

mod dice;

use checkers::{Budget, Consistency, Judgement, Model, Question, Unfit, judge, no_lost_writes};
use dice::Dice;
use history::Verdict::{self, Fail, Pass, Vacuous};
use history::{Completion, History, Mark, Operation, Outcome, Purpose, Value};

/// One event a line; those without a completion are open for ever. A millisecond passes from one to the next.
fn record(text: &str) -> History {
    let mut operations: Vec<Operation> = Vec::new();
    for (index, line) in (0..).zip(text.lines().map(str::trim).filter(|line| !line.is_empty())) {
        let mut words = line.splitn(4, ' ');
        let mut word = || words.next().unwrap_or("nil");
        let (process, kind, f, value) = (word().parse().expect("a process"), word(), word(), value(word()));
        let mark = Mark { index, time: index * 1_000_000 };
        let open = operations.iter_mut().rfind(|op| op.process == process && op.completed.is_none());
        match (kind, open) {
            ("invoke", None) => operations.push(Operation {
                process,
                f: f.to_owned().into(),
                input: value,
                invoked: mark,
                completed: None,
                outcome: Outcome::Unknown,
                purpose: Purpose::Load,
                node: None,
            }),
            ("ok", Some(op)) => {
                (op.completed, op.outcome) = (Some(mark), Outcome::Returned(Completion::Ok(value)));
            }
            ("fail", Some(op)) => (op.completed, op.outcome) = (Some(mark), Outcome::Refused),
            ("info", Some(op)) => op.completed = Some(mark),
            _ => panic!("`{line}` does not fit the lines before"),
        }
    }
    History { operations }
}

/// `[[r x nil] 3]`: lists, numbers, texts and nil.
fn value(text: &str) -> Value {
    let spaced = text.replace('[', " [ ").replace(']', " ] ");
    let mut lists: Vec<Vec<Value>> = vec![Vec::new()];
    for word in spaced.split_whitespace() {
        let value = match word {
            "[" => {
                lists.push(Vec::new());
                continue;
            }
            "]" => Value::List(lists.pop().expect("brackets match").into()),
            "nil" => Value::Nil,
            word => word.parse().map_or_else(|_| Value::text(word), Value::Int),
        };
        lists.last_mut().expect("brackets match").push(value);
    }
    lists.pop().and_then(|mut values| values.pop()).expect("a value")
}

fn asked(text: &str, question: &Question<'_>) -> Judgement {
    judge(&record(text), question, &Budget::states(100_000)).unwrap_or_else(|unfit| panic!("{unfit}"))
}

fn judged(model: Model, text: &str) -> Judgement {
    asked(text, &Question::of(model))
}

fn verdict(model: Model, text: &str) -> Verdict {
    judged(model, text).verdict
}

fn refusal(model: Model, text: &str) -> String {
    let judged = judge(&record(text), &Question::of(model), &Budget::states(100_000));
    judged.expect_err("the model has no meaning for this").to_string()
}

/// The argument, without the numbers of its sentences.
fn argument(judgement: &Judgement) -> Vec<String> {
    let witness = judgement.witness.as_ref().expect("a violation has a witness");
    witness.argument.iter().map(|sentence| sentence.split_once(". ").expect("a number").1.to_owned()).collect()
}

#[test]
fn identifiers_are_given_once() {
    let unique = "
        0 invoke generate
        1 invoke generate
        0 ok generate 1
        1 ok generate 2
        0 invoke generate";
    assert_eq!(verdict(Model::UniqueIds, unique), Pass);
    let twice = judged(Model::UniqueIds, &format!("{unique}\n0 ok generate 1"));
    assert_eq!(
        (twice.verdict, &*twice.detail),
        (Fail, "identifier 1 was given twice; 1 of 3 identifiers had been given before")
    );
    assert_eq!(
        argument(&twice),
        [
            "p0 asked for an identifier at 0.000 ms and got 1 at 2.000 ms.",
            "After that, p0 asked for an identifier at 4.000 ms and got 1 at 5.000 ms.",
            "An identifier is given once, whoever asks and whenever.",
        ]
    );
    assert_eq!(verdict(Model::UniqueIds, "0 invoke generate\n0 info generate"), Vacuous);
    assert!(refusal(Model::UniqueIds, "0 invoke generate\n0 ok generate nil").contains("nil"));
    assert!(refusal(Model::UniqueIds, "0 invoke read").contains("`generate`"));
}

#[test]
fn money_is_neither_made_nor_lost() {
    let read = |balances: &str| format!("0 invoke read nil\n0 ok read {balances}\n");
    let bank = |reads: &[&str]| reads.iter().map(|balances| read(balances)).collect::<String>();
    let good = bank(&["[[a 10] [b 0]]", "[[b 3] [a 7]]"]);
    let transfer = "0 invoke transfer [[from a] [to b] [amount 3]]\n0 ok transfer nil\n";
    assert_eq!(verdict(Model::Bank, &format!("{transfer}{good}")), Pass);
    assert_untold(Model::Bank, transfer);
    assert_eq!(verdict(Model::Bank, "0 invoke transfer [[from a] [to b] [amount 3]]"), Vacuous);
    for (reads, headline) in [
        (["[[a 10] [b 0]]", "[[a 10] [b 1]]"], "balances add up to 11, not to 10"),
        (["[[a 10] [b 0]]", "[[a 11] [b -1]]"], "account b is overdrawn: -1"),
        (["[[a 10] [b 0]]", "[[a 10] [b nil]]"], "account b has no balance: nil"),
        (["[[a 10] [b 0]]", "[[a 10]]"], "a read of all balances lacks account b"),
        (["[[a 10] [b 0]]", "[[a 10] [b 0] [c 0]]"], "a read of all balances shows account c, which there is not"),
        (["[[a 10] [b 0]]", "[[a 10] [b 0] [b 0]]"], "a read of all balances shows account b twice"),
    ] {
        let judgement = judged(Model::Bank, &bank(&reads));
        assert_eq!(judgement.verdict, Fail, "{reads:?}");
        assert_eq!(judgement.detail, format!("{headline}; 1 of 2 reads wrong"));
    }
    let initial = |initial: &str| Question { initial: Some(value(initial)), ..Question::of(Model::Bank) };
    assert_eq!(asked(&good, &initial("10")).verdict, Pass);
    assert_eq!(asked(&good, &initial("[[a 5] [b 5]]")).verdict, Pass);
    assert_eq!(asked(&good, &initial("100")).detail, "balances add up to 10, not to 100; 2 of 2 reads wrong");
    assert_eq!(asked(&good, &initial("[[a 5] [c 5]]")).verdict, Fail);
    assert!(refusal(Model::Bank, "0 invoke read\n0 ok read 100").contains("[[account, balance], …]"));
}

#[test]
fn a_wrong_total_is_told_against_the_first() {
    let reads = "
        0 invoke read
        0 ok read [[a 10] [b 0]]
        1 invoke read
        1 ok read [[a 7] [b 0]]";
    assert_eq!(
        argument(&judged(Model::Bank, reads)),
        [
            "p0 read the accounts at 0.000 ms and got [[a 10] [b 0]] at 1.000 ms.",
            "After that, p1 read the accounts at 2.000 ms and got [[a 7] [b 0]] at 3.000 ms.",
            "(1) showed a total of 10, and transfers leave that as it is.",
        ]
    );
}

#[test]
fn readers_agree_on_the_order_of_writes() {
    let read = |process: u64, found: &str| {
        format!("{process} invoke read [[r x nil] [r y nil] [r z nil]]\n{process} ok read {found}\n")
    };
    let writes = "
        0 invoke write [[w x 1]]
        0 ok write [[w x 1]]
        1 invoke write [[w y 1]]
        1 info write [[w y 1]]\n";
    let agreed = [read(2, "[[r x 1] [r y nil] [r z nil]]"), read(3, "[[r z nil] [r y 1] [r x 1]]")].concat();
    assert_eq!(verdict(Model::LongFork, &format!("{writes}{agreed}")), Pass);
    assert_untold(Model::LongFork, writes);
    let forked = [read(2, "[[r x 1] [r y nil] [r z nil]]"), read(3, "[[r x nil] [r y 1] [r z nil]]")].concat();
    let fork = judged(Model::LongFork, &format!("{writes}{forked}"));
    assert_eq!((fork.verdict, &*fork.detail), (Fail, "two reads saw the writes of x and y in opposite orders"));
    // Of different sizes, and without any write in the record.
    let skewed = [read(2, "[[r x 1] [r y 1] [r z nil]]"), read(3, "[[r x nil] [r y nil] [r z 1]]")].concat();
    assert_eq!(verdict(Model::LongFork, &skewed), Fail);
    let phantom = judged(Model::LongFork, &format!("{writes}{}", read(2, "[[r x 7] [r y nil] [r z nil]]")));
    assert_eq!((phantom.verdict, &*phantom.detail), (Fail, "7 was read in key x, and never written there"));
    let refused = writes.replace("0 ok write", "0 fail write");
    assert_eq!(verdict(Model::LongFork, &format!("{refused}{agreed}")), Fail);
}

#[test]
fn what_cannot_be_ordered_by_inclusion_is_no_long_fork() {
    let twice = "0 invoke write [[w x 1]]\n0 ok write nil\n0 invoke write [[w x 2]]";
    assert!(refusal(Model::LongFork, twice).contains("every key is written once"));
    let overlapping = "
        0 invoke read [[r x nil] [r y nil]]
        0 ok read [[r x nil] [r y nil]]
        0 invoke read [[r y nil] [r z nil]]
        0 ok read [[r y nil] [r z nil]]";
    assert!(refusal(Model::LongFork, overlapping).contains("groups must not overlap"));
    let two_values = "
        0 invoke read [[r x nil] [r y nil]]
        0 ok read [[r x 1] [r y nil]]
        0 invoke read [[r x nil] [r y nil]]
        0 ok read [[r x 2] [r y nil]]";
    assert!(refusal(Model::LongFork, two_values).contains("value 2 here and 1 before"));
    for odd in ["3", "[[w x 1] [r y nil]]", "[[a x 1]]", "[3]"] {
        let refusal = refusal(Model::LongFork, &format!("0 invoke txn {odd}"));
        assert!(refusal.contains("transaction") || refusal.contains("should have"), "{odd}: {refusal}");
    }
}

const ADDED: &str = "
    0 invoke add 7
    0 ok add 7
    ";

fn reads(found: &[&str]) -> String {
    found.iter().map(|found| format!("1 invoke read\n1 ok read {found}\n")).collect()
}

#[test]
fn elements_are_stable_stale_or_lost() {
    let full = |found: &[&str]| judged(Model::SetFull, &format!("{ADDED}{}", reads(found)));
    let strict = Question { level: Some(Consistency::Linearizable), ..Question::of(Model::SetFull) };
    let told = |found: &[&str]| {
        let judgement = full(found);
        let strict = asked(&format!("{ADDED}{}", reads(found)), &strict).verdict;
        (judgement.verdict, strict, judgement.detail)
    };
    let expect = |verdict, strict, detail: &str| (verdict, strict, detail.to_owned());
    assert_eq!(told(&["[7]", "[7]"]), expect(Pass, Pass, "0 lost, 1 stable (0 stale), 0 never read"));
    assert_eq!(told(&["[]", "[7]"]), expect(Pass, Fail, "0 lost, 1 stable (1 stale, for 1ms at worst), 0 never read"));
    assert_eq!(
        told(&["[7]", "[]", "[7]"]),
        expect(Pass, Fail, "0 lost, 1 stable (1 stale, for 3ms at worst), 0 never read")
    );
    assert_eq!(told(&[]), expect(Pass, Pass, &untold("0 lost, 0 stable (0 stale), 1 never read")));
    let lost = "7 was added to the set, acknowledged, and lost; 1 lost, 0 stable (0 stale), 0 never read";
    assert_eq!(told(&["[]"]), expect(Fail, Fail, lost));
    assert_eq!(told(&["[7]", "[]"]), expect(Fail, Fail, lost));
    assert_eq!(told(&["[7 7]"]).2, "a read of the set shows 7 twice; 0 lost, 1 stable (0 stale), 0 never read");
    assert_eq!(full(&["[7 8]"]).verdict, Fail);
    assert_eq!(
        argument(&full(&["[7]", "[]"])),
        [
            "p0 added 7 to the set at 0.000 ms and had it acknowledged at 1.000 ms.",
            "After that, p1 read the set at 4.000 ms and got [] at 5.000 ms.",
            "7 had been added before (2) began, and (2) does not show it.",
            "No read that began later shows 7 either: it is gone for good.",
        ]
    );
}

#[test]
fn what_nobody_knows_is_not_lost() {
    let unknown = "0 invoke add 7\n0 info add 7\n";
    let full = |text: &str| judged(Model::SetFull, text).verdict;
    assert_eq!(full(unknown), Vacuous);
    assert_untold(Model::SetFull, &format!("{unknown}{}", reads(&["[]"])));
    assert_eq!(full(&format!("{unknown}{}", reads(&["[7]"]))), Pass);
    // Once seen it is known.
    assert_eq!(full(&format!("{unknown}{}", reads(&["[7]", "[]"]))), Fail);
    // A read that was under way when the add was acknowledged may have come first.
    let concurrent = "
        1 invoke read
        0 invoke add 7
        0 ok add 7
        1 ok read []";
    assert_untold(Model::SetFull, concurrent);
    assert_eq!(verdict(Model::Set, concurrent), Pass);
}

#[test]
fn a_set_with_keys_is_told_from_one_without() {
    let keyed = "
        0 invoke add [0 7]
        0 ok add [0 7]
        0 invoke read [0 nil]
        0 ok read [7]";
    let question = Question { is_complete: false, ..Question::of(Model::SetFull) };
    let judgement = asked(keyed, &question);
    assert_eq!((judgement.verdict, judgement.notes.len()), (Fail, 1));
    assert!(judgement.notes[0].contains("like [0 7]"), "{}", judgement.notes[0]);
}

#[test]
fn a_set_keeps_what_it_was_given() {
    let set = |found: &[&str]| judged(Model::Set, &format!("{ADDED}0 invoke add 8\n0 info add 8\n{}", reads(found)));
    let census = "2 adds, 1 acknowledged, 1 read; the last shows";
    assert_eq!(set(&["[7]"]).detail, format!("{census} 1 element: 0 lost, 0 unexpected, 0 recovered"));
    assert_eq!(set(&["[8 7]"]).detail, format!("{census} 2 elements: 0 lost, 0 unexpected, 1 recovered"));
    let lost = set(&["[]"]);
    assert_eq!(lost.verdict, Fail);
    let headline = "a read of the set lacks 7, which had been added before it began";
    assert_eq!(lost.detail, format!("{headline}; {census} 0 elements: 1 lost, 0 unexpected, 0 recovered"));
    assert_eq!(
        set(&["[7 9]"]).detail,
        format!(
            "a read of the set shows 9, which nobody ever added; {census} 2 elements: 0 lost, 1 unexpected, 0 recovered"
        )
    );
    assert_eq!(set(&["[7 8]", "[7]"]).verdict, Fail);
    assert_untold(Model::Set, ADDED);
    assert_eq!(verdict(Model::Set, "0 invoke add 7\n0 info add 7"), Vacuous);
    // What others may have added besides is not held against a part of a record.
    let question = Question { is_complete: false, ..Question::of(Model::Set) };
    assert_eq!(asked(&format!("{ADDED}{}", reads(&["[7 9]"])), &question).verdict, Pass);
    assert_eq!(asked(&format!("{ADDED}{}", reads(&["[9]"])), &question).verdict, Fail);
}

#[test]
fn a_lock_is_held_once() {
    let twice = judged(
        Model::Mutex,
        "0 invoke acquire
        0 ok acquire
        1 invoke acquire
        1 ok acquire
        0 invoke release
        0 ok release",
    );
    assert_eq!(twice.verdict, Fail);
    assert_eq!(
        argument(&twice),
        [
            "p0 acquired the lock at 0.000 ms and had it acknowledged at 1.000 ms.",
            "After that, p1 acquired the lock at 2.000 ms and had it acknowledged at 3.000 ms.",
            "Between two acquires there is a release, and none can have taken effect then.",
        ]
    );
    assert_eq!(twice.detail, "p0 and p1 both acquired the lock, with no release in between");
    assert_eq!(twice.notes, ["before event 3 there is an order"]);
    let free = judged(Model::Mutex, "0 invoke release\n0 ok release\n1 invoke acquire\n1 ok acquire");
    assert_eq!((free.verdict, &*free.detail), (Fail, "p0 released the lock before anybody had acquired it"));
    assert_eq!(verdict(Model::Mutex, "0 invoke acquire\n0 fail acquire\n1 invoke release"), Vacuous);
    assert!(refusal(Model::Mutex, "0 invoke write 3").contains("`acquire`"));
}

/// Each acquire returns while the release before it is still under way: only all of them together are one too many.
#[test]
fn a_long_argument_is_told_in_numbers() {
    let mut text = "0 invoke acquire\n0 ok acquire\n".to_owned();
    for holder in 0..20 {
        let next = holder + 1;
        text += &format!("{next} invoke acquire\n{holder} invoke release\n{next} ok acquire\n{holder} ok release\n");
    }
    assert_eq!(verdict(Model::Mutex, &text), Pass);
    text += "30 invoke acquire\n30 ok acquire\n";
    let judgement = judged(Model::Mutex, &text);
    assert_eq!(judgement.detail, "22 acquires of the lock, and only 20 releases to part them");
    let argument = argument(&judgement);
    assert_eq!(
        argument[3..],
        [
            "Between two acquires there is a release, so 22 acquires need 21.",
            "They began and were over from event 0 to event 83; no more than 20 releases can have taken effect then.",
            "Of all these, the last 3 are listed.",
        ]
    );
}

#[test]
fn tokens_rise() {
    let locked = |first: &str, second: &str| {
        judged(
            Model::Mutex,
            &format!(
                "0 invoke acquire
                0 ok acquire {first}
                0 invoke release
                0 ok release
                1 invoke acquire
                1 ok acquire {second}"
            ),
        )
    };
    assert_eq!(locked("3", "5").verdict, Pass);
    assert_eq!(locked("nil", "nil").verdict, Pass);
    assert_eq!(locked("5", "3").detail, "p1 acquired the lock after p0, with a lower token");
    assert_eq!(locked("3", "3").detail, "p0 and p1 both acquired the lock with token 3");
}

#[test]
fn a_counter_is_what_was_added() {
    let counter = |text: &str| judged(Model::Counter, text);
    let adds = "
        0 invoke add 5
        0 ok add 5
        1 invoke add 5\n";
    let read = |value: &str| format!("2 invoke read\n2 ok read {value}\n");
    for (value, expected) in [("0", Fail), ("5", Pass), ("7", Fail), ("10", Pass), ("15", Fail)] {
        assert_eq!(counter(&format!("{adds}{}", read(value))).verdict, expected, "{value}");
    }
    let back = counter(&format!("{adds}{}{}", read("10"), read("5")));
    assert_eq!(
        argument(&back),
        [
            "p2 read the counter at 3.000 ms and got 10 at 4.000 ms.",
            "After that, p2 read the counter at 5.000 ms and got 5 at 6.000 ms.",
            "(1) shows 10 and was over before (2) began, and nothing can have been taken away since: that leaves no less than 10.",
        ]
    );
    assert_eq!(back.methods, ["exact, steps taken as late as they can be"]);
    assert_untold(Model::Counter, adds);
    assert_eq!(verdict(Model::Counter, "0 invoke add 7\n1 invoke read"), Vacuous);
    let huge = "0 invoke add 9223372036854775807\n1 invoke add 1";
    assert!(refusal(Model::Counter, huge).contains("64 bits"));
}

#[test]
fn a_counter_of_several_amounts_is_searched() {
    let text = "
        0 invoke add 3
        1 invoke add 4
        2 invoke read
        2 ok read 5";
    let judgement = judged(Model::Counter, text);
    assert_eq!((judgement.verdict, &*judgement.methods[0]), (Fail, "exact by search"));
    assert_eq!(judgement.detail, "a read of the counter shows what no choice of the adds under way comes to");
    let none = judge(&record(text), &Question::of(Model::Counter), &Budget::states(0)).expect("a counter");
    assert_eq!((none.verdict, &*none.methods[0]), (Verdict::Unknown, "bounds only"));
}

#[test]
fn a_decree_is_decided_once() {
    let decree = |text: &str| judged(Model::Decree, text);
    let proposed = "0 invoke propose [k 3]\n0 ok propose [k 3]\n";
    let twice = decree(&format!("{proposed}1 invoke propose [k 4]\n1 ok propose [k 4]"));
    assert_eq!((twice.verdict, &*twice.detail), (Fail, "3 and 4 were both decided"));
    assert_eq!(
        argument(&twice),
        [
            "p0 proposed 3 for k at 0.000 ms and got 3 at 1.000 ms.",
            "After that, p1 proposed 4 for k at 2.000 ms and got 4 at 3.000 ms.",
            "(1) was told that 3 is decided, (2) that 4 is; a decree is decided once.",
        ]
    );
    let other = decree(&format!("{proposed}1 invoke propose [j 4]\n1 ok propose [j 4]"));
    assert_eq!((other.verdict, &*other.detail), (Pass, "2 operations, 2 decrees"));
    let gone = decree(&format!("{proposed}1 invoke read [k nil]\n1 ok read [k nil]"));
    assert_eq!(gone.detail, "p1 was told that nothing is decided after something was");
    let unproposed = decree("1 invoke read [k nil]\n1 ok read [k 3]\n0 invoke propose [k 3]");
    assert_eq!(unproposed.detail, "p1 was told that 3 is decided, which nobody had proposed");
    let refused = decree("0 invoke propose [k 3]\n0 fail propose [k 3]\n1 invoke read [k nil]\n1 ok read [k 3]");
    assert_eq!(argument(&refused)[2], "Nobody had proposed 3 but (1), and that never happened.");
    assert_eq!(verdict(Model::Decree, "0 invoke propose [k 3]"), Vacuous);
    assert!(refusal(Model::Decree, "0 invoke write [k 3]").contains("`propose`"));
    assert!(refusal(Model::Decree, "0 invoke propose 3").contains("[key, argument]"));
}

/// What clients were told is what the final reads must return.
#[test]
fn decisions_are_not_lost() {
    let lost = |read: &str| {
        let text = format!("0 invoke propose [k 3]\n0 ok propose [k 3]\n1 invoke read [k nil]\n{read}");
        let mut history = record(&text);
        history.operations[1].purpose = Purpose::FinalRead;
        no_lost_writes(&history, Model::Decree).expect("a decree")
    };
    assert_eq!(lost("1 ok read [k 3]").verdict, Pass);
    assert_eq!(lost("").verdict, Verdict::Unknown);
    let gone = lost("1 ok read [k nil]");
    assert_eq!((gone.verdict, &*gone.detail), (Fail, "1 of 1 acknowledged decision lost"));
    assert_eq!(gone.witness.expect("an argument").operations.len(), 2);
}

#[test]
fn levels_that_a_model_does_not_know_are_refused() {
    for model in [
        Model::Set,
        Model::SetFull,
        Model::Mutex,
        Model::Counter,
        Model::Bank,
        Model::LongFork,
        Model::UniqueIds,
        Model::Decree,
    ] {
        let question = Question { level: Some(Consistency::Causal), ..Question::of(model) };
        let refused = judge(&History::default(), &question, &Budget::states(1));
        assert!(matches!(refused, Err(Unfit::Question(_))), "{}", model.name());
    }
}

/// What is added where nothing could have told of anything wrong.
fn untold(detail: &str) -> String {
    format!("{detail}; but nothing that returned could have told otherwise")
}

/// It passes, and says that this means nothing.
fn assert_untold(model: Model, text: &str) {
    let judgement = judged(model, text);
    assert_eq!(judgement.verdict, Pass, "{}: {text}", model.name());
    assert!(judgement.detail.ends_with(&untold("")), "{}: {text}: {}", model.name(), judgement.detail);
}

#[test]
fn where_nothing_could_have_told_otherwise_that_is_said() {
    for (model, text) in [
        (Model::Register, "0 invoke write 1\n0 ok write 1"),
        (Model::Queue, "0 invoke enqueue 1\n0 ok enqueue 1\n1 invoke dequeue nil"),
        (Model::ListAppend, "0 invoke txn [[append x 1]]\n0 ok txn [[append x 1]]"),
        (Model::RwRegister, "0 invoke txn [[w x 1]]\n0 ok txn [[w x 1]]\n1 invoke txn [[r x nil]]"),
    ] {
        assert_untold(model, text);
    }
    for (model, text) in [
        (Model::Register, "0 invoke read\n0 ok read nil"),
        (Model::CasRegister, "0 invoke cas [nil 1]\n0 ok cas [nil 1]"),
        (Model::Queue, "0 invoke dequeue nil\n0 ok dequeue nil"),
        (Model::Mutex, "0 invoke acquire\n0 ok acquire"),
        (Model::RwRegister, "0 invoke txn [[r x nil]]\n0 ok txn [[r x nil]]"),
    ] {
        let judgement = judged(model, text);
        assert_eq!(judgement.verdict, Pass, "{}: {text}", model.name());
        assert!(!judgement.detail.ends_with(&untold("")), "{}: {text}: {}", model.name(), judgement.detail);
    }
}

#[test]
fn where_an_initial_value_means_nothing_it_is_refused() {
    for model in [Model::Mutex, Model::LongFork, Model::UniqueIds] {
        let asked = |initial| Question { initial: Some(initial), ..Question::of(model) };
        let budget = Budget::states(1000);
        assert!(judge(&History::default(), &asked(Value::Nil), &budget).is_ok());
        let refused = judge(&History::default(), &asked(Value::text("locked")), &budget);
        assert!(matches!(refused, Err(Unfit::Question(_))), "{}", model.name());
    }
}

#[test]
fn part_of_a_record_tells_nothing_of_locks_and_counters() {
    for model in [Model::Mutex, Model::Counter] {
        let question = Question { is_complete: false, ..Question::of(model) };
        let refused = judge(&History::default(), &question, &Budget::states(1));
        assert!(matches!(refused, Err(Unfit::Question(_))), "{}", model.name());
    }
}

/// Whatever stands in a record, it is judged or refused, and always alike.
#[test]
fn anything_can_be_asked() {
    let mut dice = Dice(1);
    let values = ["nil", "0", "1", "-1", "9223372036854775807", "x", "[]", "[0]", "[0 1]", "[1 1]", "[[0 1] [1 -1]]"];
    let steps = ["[[r 0 nil] [r 1 1]]", "[[r 0 1] [r 1 nil]]", "[[w 0 1]]", "[[w 1 1]]", "[[r 0 1] [r 0 1]]"];
    let functions = ["add", "read", "acquire", "release", "generate", "transfer", "write"];
    let models =
        [Model::Set, Model::SetFull, Model::Mutex, Model::Counter, Model::Bank, Model::LongFork, Model::UniqueIds];
    let mut judged = [0; 7];
    for seed in 0..100_000 {
        let which = seed % models.len();
        let mark =
            |dice: &mut Dice| Mark { index: [dice.below(8) as u64, u64::MAX][usize::from(dice.one_in(16))], time: 0 };
        let value = |dice: &mut Dice| match dice.one_in(2) {
            true => value(values[dice.below(values.len())]),
            false => value(steps[dice.below(steps.len())]),
        };
        let operation = |dice: &mut Dice| Operation {
            process: dice.below(3) as u64,
            f: match which {
                0 | 1 | 3 => functions[dice.below(2)],
                2 => functions[2 + dice.below(2)],
                4 => functions[[1, 5][dice.below(2)]],
                6 => "generate",
                _ => functions[dice.below(functions.len())],
            }
            .into(),
            input: value(dice),
            invoked: mark(dice),
            completed: Some(mark(dice)).filter(|_| !dice.one_in(8)),
            outcome: match dice.below(8) {
                0 => Outcome::Refused,
                1 => Outcome::Unknown,
                2 if dice.one_in(8) => Outcome::Returned(Completion::Mismatch),
                _ => Outcome::Returned(Completion::Ok(value(dice))),
            },
            purpose: Purpose::Load,
            node: None,
        };
        let mut operations: Vec<Operation> = (0..dice.below(6)).map(|_| operation(&mut dice)).collect();
        operations.sort_by_key(|operation| operation.invoked);
        let history = History { operations };
        let mut question = Question::of(models[which]);
        question.initial = Some(value(&mut dice)).filter(|_| dice.one_in(4));
        question.is_complete = !dice.one_in(4);
        let answer = judge(&history, &question, &Budget::states(1_000));
        judged[which] += u64::from(answer.is_ok());
        assert_eq!(answer, judge(&history, &question, &Budget::states(1_000)));
    }
    assert!(judged.iter().all(|count| *count > 100), "{judged:?}");
}
