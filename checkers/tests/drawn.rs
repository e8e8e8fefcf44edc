//! Small histories that a checker must accept or must reject, drawn so that one can see why.

mod lanes;

use checkers::{Budget, Judgement, Model, linearizable, no_lost_writes};
use history::Verdict::{self, Fail, Pass, Unknown, Vacuous};
use history::{Completion, History, Mark, Operation, Outcome, Purpose, Value};
use lanes::draw;

fn linear(picture: &str) -> Verdict {
    judged(picture).verdict
}

fn judged(picture: &str) -> Judgement {
    linearizable(&draw(picture), Model::CasRegister, None, &Budget::states(1_000)).expect("registers are drawn")
}

fn lost(picture: &str) -> Judgement {
    no_lost_writes(&draw(picture), Model::Register).expect("registers are drawn")
}

#[test]
fn reads_return_what_was_written() {
    let after = "
c1: |--w(1)--|
c2:            |--r()=1--|";
    assert_eq!(linear(after), Pass);
    let stale = "
c1: |--w(1)--|
c2:            |--r()=nil--|";
    assert_eq!(linear(stale), Fail);
    let either = "
c1: |-----w(1)-----|
c2:    |--r()=nil--|
c3:    |---r()=1---|";
    assert_eq!(linear(either), Pass);
    let from_nowhere = "
c1: |--w(1)--|
c2:            |--r()=7--|";
    assert_eq!(linear(from_nowhere), Fail);
    let from_the_future = "
c1:              |--w(1)--|
c2: |--r()=1--|";
    assert_eq!(linear(from_the_future), Fail);
}

#[test]
fn one_order_must_please_everybody() {
    let disagreement = "
c1: |--w(1)--|
c2: |--w(2)--|
c3:            |--r()=1--| |--r()=2--|";
    assert_eq!(linear(disagreement), Fail);
    let backwards = "
c1: |----------w(1)----------|
c2:  |--r()=1--| |--r()=nil--|";
    assert_eq!(linear(backwards), Fail);
    let forwards = "
c1: |----------w(1)----------|
c2: |--r()=nil--| |--r()=1--|";
    assert_eq!(linear(forwards), Pass);
}

#[test]
fn an_interval_that_touches_another_overlaps_it() {
    let touching = "
c1: |--w(1)--|
c2:          |--r()=nil--|";
    assert_eq!(linear(touching), Pass);
}

#[test]
fn an_unknown_write_happens_once_at_any_time_or_never() {
    let never = "
c1: |--w(1)--|
c2:            |--w(2)--?
c3:                       |--r()=1--| |--r()=1--|";
    assert_eq!(linear(never), Pass);
    let late = "
c1: |--w(1)--|
c2:            |--w(2)--?
c3:                       |--r()=1--| |--r()=2--|";
    assert_eq!(linear(late), Pass);
    let seen_then_unseen = "
c1: |--w(1)--|
c2:            |--w(2)--?
c3:                       |--r()=2--| |--r()=1--|";
    assert_eq!(linear(seen_then_unseen), Fail);
    let before_it_was_asked = "
c1: |--r()=2--|
c2:             |--w(2)--?";
    assert_eq!(linear(before_it_was_asked), Fail);
    let twice = "
c1: |--w(2)--?
c2:            |--r()=2--| |--w(3)--| |--r()=2--|";
    assert_eq!(linear(twice), Fail);
    let two_of_them = "
c0: |--w(2)--?
c1: |--w(2)--?
c2:            |--r()=2--| |--w(3)--| |--r()=2--|";
    assert_eq!(linear(two_of_them), Pass);
}

#[test]
fn a_refused_write_never_happened() {
    let unseen = "
c1: |--w(1)--x
c2:            |--r()=nil--|";
    assert_eq!(linear(unseen), Pass);
    let seen = "
c1: |--w(1)--x
c2:            |--r()=1--|";
    assert_eq!(linear(seen), Fail);
}

#[test]
fn compare_and_set_depends_on_what_it_meets() {
    let chain = "
c1: |--w(1)--| |--cas(1,2)--|
c2:                           |--cas(2,3)--| |--r()=3--|";
    assert_eq!(linear(chain), Pass);
    let only_one_can_win = "
c1: |--w(1)--|
c2:            |--cas(1,2)--|
c3:            |--cas(1,3)--|";
    assert_eq!(linear(only_one_can_win), Fail);
    let the_other_finds_it_changed = "
c1: |--w(1)--|
c2:            |--cas(1,2)--|
c3:            |--cas(1,3)=no--|";
    assert_eq!(linear(the_other_finds_it_changed), Pass);
}

#[test]
fn a_mismatch_is_a_fact_about_the_register() {
    let nobody_changed_it = "
c1: |--w(1)--|
c2:            |--cas(1,3)=no--|";
    assert_eq!(linear(nobody_changed_it), Fail);
    // Nobody read 2, but that it was written explains the mismatch.
    let somebody_may_have = "
c0: |--w(2)--?
c1: |--w(1)--|
c2:            |--cas(1,3)=no--|";
    assert_eq!(linear(somebody_may_have), Pass);
}

#[test]
fn an_unknown_compare_and_set_may_have_won() {
    let won = "
c1: |--w(1)--| |--cas(1,2)--?
c2:                           |--r()=1--| |--r()=2--|";
    assert_eq!(linear(won), Pass);
    let could_not = "
c1: |--w(1)--| |--cas(3,2)--?
c2:                           |--r()=1--| |--r()=2--|";
    assert_eq!(linear(could_not), Fail);
}

#[test]
fn a_value_may_be_written_twice() {
    let again = "
c1: |--w(1)--| |--w(2)--| |--w(1)--|
c2:                                  |--r()=1--|";
    assert_eq!(linear(again), Pass);
    let once = "
c1: |--w(1)--| |--w(1)--| |--w(2)--|
c2:                                  |--r()=1--|";
    assert_eq!(linear(once), Fail);
}

#[test]
fn appends_add_up() {
    let in_order = "
c1: |--a(x)--| |--a(y)--|
c2:                       |--r()=xy--|";
    assert_eq!(linear(in_order), Pass);
    assert_eq!(linear(&in_order.replace("=xy", "=yx")), Fail);
    assert_eq!(linear(&in_order.replace("=xy", "=x")), Fail);
}

#[test]
fn where_nothing_returned_nothing_was_tested() {
    assert_eq!(linear(""), Vacuous);
    let unheard = "
c1: |--w(1)--?
c2: |--r()--x |--cas(1,2)--?";
    assert_eq!(linear(unheard), Vacuous);
}

/// The argument, and the line above it.
#[track_caller]
fn argued(judgement: Judgement) -> (String, Vec<String>) {
    let witness = judgement.witness.expect("a violation has a witness");
    assert!(witness.is_minimal);
    (witness.headline(), witness.argument)
}

#[test]
fn a_stale_read_is_argued_by_what_it_missed() {
    let (headline, argument) = argued(judged(
        "
c1: |--w(1)--| |--w(5)--| |--w(2)--|   |--r()=2--|
c2:                     |----w(3)------------?
c3: |--r()=nil--|                        |--r()=1--|
c4:                                        |-w(4)-|",
    ));
    assert_eq!(headline, "p2 read 1 in the register after 2 had replaced it");
    assert_eq!(
        argument,
        [
            "1. p0 wrote 1 to the register (event 0) and had it acknowledged (event 2).",
            "2. After that, p0 wrote 2 to the register (event 7) and had it acknowledged (event 8).",
            "3. After that, p2 read the register (event 10) and got 1 (event 15).",
            "4. (2) put 2 in the place of 1 before (3) began, and nobody had written 1 again: no order explains (3).",
        ]
    );
}

#[test]
fn a_lost_update_is_argued_by_the_two_who_met_one_value() {
    let (headline, argument) = argued(judged(
        "
c1: |--w(1)--|  |--w(9)--|
c2:             |----cas(1,2)----|
c3:               |----cas(1,3)----|",
    ));
    assert_eq!(headline, "p1 and p2 both replaced 1 in the register, which was there once");
    assert_eq!(
        argument,
        [
            "1. p0 wrote 1 to the register (event 0) and had it acknowledged (event 1).",
            "2. After that, p1 replaced 1 in the register by 2 (event 3) and had it acknowledged (event 6).",
            "3. After (1), but not after (2), p2 replaced 1 in the register by 3 (event 4) and had it acknowledged (event 7).",
            "4. 1 was there once: whoever of the two came first replaced it, and the other cannot have met it.",
        ]
    );
}

#[test]
fn a_compare_and_set_that_strikes_twice_is_argued_by_both_blows() {
    let (headline, argument) = argued(judged(
        "
c1: |--w(1)--|  |--cas(1,2)--| |--w(1)--|
c2:                                        |--r()=2--|",
    ));
    assert_eq!(headline, "p1 read 2 in the register after 1 had replaced it");
    assert_eq!(argument.len(), 4, "{argument:#?}");
    assert_eq!(argument[1], "2. After that, p0 wrote 1 to the register (event 4) and had it acknowledged (event 5).");
}

#[test]
fn a_dirty_read_is_argued_by_the_write_that_never_happened() {
    let refused = "
c1: |--w(1)--|  |--w(3)--x
c2:                         |--r()=3--|";
    let (headline, argument) = argued(judged(refused));
    assert_eq!(headline, "p1 read 3 in the register, though the write of it never happened");
    assert_eq!(
        argument,
        [
            "1. p0 asked to write 3 to the register (event 2) and was refused (event 3): it never happened.",
            "2. After that, p1 read the register (event 4) and got 3 (event 5).",
            "3. Nobody else had written 3, and what never happened cannot be met.",
        ]
    );
    let mismatch = judged(&refused.replace("w(3)--x", "cas(2,3)=no--|"));
    assert_eq!(argued(mismatch).0, "p1 read 3 in the register, though the write of it never happened");
    let later = "
c2: |--r()=3--|
c1:              |--w(3)--|";
    assert_eq!(argued(judged(later)).0, "p0 read 3 in the register before anybody asked for it to be written");
    let (headline, argument) = argued(judged("c1: |--w(1)--| |--r()=7--|"));
    assert_eq!(headline, "p0 read 7 in the register, which nobody ever wrote");
    assert_eq!(argument[1], "2. Nobody ever asked to write 7, and the register did not begin with it.");
}

#[test]
fn who_saw_the_new_value_bears_witness_where_the_write_was_still_open() {
    let (headline, argument) = argued(judged(
        "
c1: |--w(1)--| |--------w(2)--------?
c2:                |--r()=2--|
c3:                              |--r()=1--|",
    ));
    assert_eq!(headline, "p2 read 1 in the register after 2 had replaced it");
    assert_eq!(argument.len(), 5);
    assert_eq!(
        argument[4],
        "5. (3) met 2 before (4) began, so 2 had replaced 1 by then, and nobody had written 1 again: no order explains (4)."
    );
}

#[test]
fn values_that_tell_who_wrote_them_need_no_search() {
    let judgement = judged("c1: |--w(1)--| |--cas(1,2)--| |--cas(1,3)=no--| |--r()=2--| |--w(3)--| |--r()=2--|");
    assert_eq!((judgement.verdict, judgement.states), (Fail, 0));
    assert_eq!(judgement.methods, ["clusters and zones"]);
    let good = judged("c1: |--w(1)--| |--cas(1,2)--| |--cas(1,3)=no--| |--r()=2--|");
    assert_eq!((good.verdict, &good.methods[..]), (Pass, &["clusters and zones".to_owned()][..]));
    let twice = judged("c1: |--w(1)--| |--w(1)--| |--r()=1--|");
    assert_eq!(twice.verdict, Pass);
    assert!(twice.methods[0].starts_with("search"), "{:?}", twice.methods);
    let unseen = judged("c1: |--w(1)--| |--w(1)--| |--r()=nil--|");
    assert_eq!((unseen.verdict, &unseen.methods[..]), (Fail, &["clusters and zones".to_owned()][..]));
    assert_eq!(unseen.notes, ["the first 2 of 3 completed operations have an order"]);
}

#[test]
fn a_chain_of_compare_and_sets_stands_together() {
    let (headline, argument) = argued(judged(
        "
c1: |--w(1)--| |--cas(1,2)--|            |--cas(2,3)--|
c2:                           |--w(9)--|",
    ));
    assert_eq!(headline, "p0 replaced 2 in the register after 9 had replaced it");
    assert_eq!(argument.len(), 4, "{argument:#?}");
    assert_eq!(argument[0], "1. p0 replaced 1 in the register by 2 (event 2) and had it acknowledged (event 3).");
    let circle = judged("c1: |--cas(1,2)--|\nc2: |--cas(2,1)--|");
    assert_eq!((circle.verdict, circle.methods), (Fail, vec!["clusters and zones".to_owned()]));
}

#[test]
fn whoever_found_no_match_is_argued_by_what_was_there() {
    let (headline, argument) = argued(judged("c1: |--w(4)--| |--w(1)--| |--cas(1,2)=no--|"));
    assert_eq!(headline, "p0 did not find 1 in the register, which was there");
    assert_eq!(argument.len(), 3, "{argument:#?}");
    assert_eq!(
        argument[2],
        "3. In whatever order the others took effect, the register can only have held 1 for p0 to meet."
    );
}

#[test]
fn an_append_that_is_not_there_is_named() {
    let (headline, argument) = argued(judged(
        "
c1: |--a(x)--| |--a(y)--|
c2:                       |--r()=x--|",
    ));
    assert_eq!(headline, "p1 read x in the register, which lacks y");
    assert_eq!(argument.len(), 4, "{argument:#?}");
}

#[test]
fn each_key_is_judged_by_itself() {
    let mut history = draw(
        "
c1: |--w(1)--| |--w(2)--|
c2:                       |--r()=1--|",
    );
    put_under_keys(&mut history, &["a", "b", "a"]);
    let by_key = linearizable(&history, Model::Kv, None, &Budget::states(100)).expect("keys are given");
    assert_eq!((by_key.verdict, by_key.detail.as_str()), (Pass, "3 operations, 2 keys"));
    put_under_keys(&mut history, &["b", "b", "b"]);
    assert!(linearizable(&history, Model::Kv, None, &Budget::states(100)).is_err(), "keys within keys");
}

fn put_under_keys(history: &mut History, keys: &[&str]) {
    for (operation, key) in history.operations.iter_mut().zip(keys) {
        operation.input = Value::pair(Value::text(key), operation.input.clone());
        if let Outcome::Returned(Completion::Ok(value)) = &mut operation.outcome {
            *value = Value::pair(Value::text(key), value.clone());
        }
    }
}

#[test]
fn the_starting_value_can_be_given() {
    let history = draw("c1: |--r()=0--|");
    let judge = |initial| linearizable(&history, Model::Register, initial, &Budget::states(9)).expect("a read").verdict;
    assert_eq!(judge(Some(Value::Int(0))), Pass);
    assert_eq!(judge(None), Fail);
}

#[test]
fn what_the_model_does_not_know_is_named() {
    let mut history = draw("c1: |--w(1)--|  |--cas(1,2)--|");
    history.operations[1].input = Value::Int(5);
    let judge = |history: &History, model| linearizable(history, model, None, &Budget::states(9));
    assert_eq!(
        judge(&history, Model::CasRegister).expect_err("no pair").to_string(),
        "event 2, process 0, `cas`: a compare-and-set takes [from, to], this one has 5"
    );
    assert_eq!(
        judge(&history, Model::Kv).expect_err("no key").to_string(),
        "event 0, process 0, `write`: the argument is 1, but model kv wants [key, argument]"
    );
    history.operations[1].f = "increment".into();
    let unknown = judge(&history, Model::Register).expect_err("no such function").to_string();
    assert_eq!(
        unknown,
        "event 2, process 0, `increment`: a register knows `read` or `get`, `write` or `put`, `cas`, `append`"
    );
}

/// Two clients that write without a pause, so that each write overlaps the one before and the one after; then a read.
fn long(writes: u64, read: i64) -> History {
    let mark = |index| Mark { index, time: 0 };
    let operation = |process, f: &'static str, input: Value, from, until, result: Value| Operation {
        process,
        f: f.into(),
        input,
        invoked: mark(from),
        completed: Some(mark(until)),
        outcome: Outcome::Returned(Completion::Ok(result)),
        purpose: Purpose::Load,
        node: None,
    };
    let write = |i: u64| {
        let value = Value::Int(i as i64);
        operation(i % 2, "write", value.clone(), 2 * i, 2 * i + 3, value)
    };
    let mut operations: Vec<Operation> = (0..writes).map(write).collect();
    operations.push(operation(2, "read", Value::Nil, 2 * writes + 2, 2 * writes + 4, Value::Int(read)));
    History { operations }
}

#[test]
fn long_histories_are_ordinary() {
    const WRITES: u64 = 40_000;
    let judge = |read| {
        let budget = Budget::states(10_000_000);
        linearizable(&long(WRITES, read), Model::Register, None, &budget).expect("a register")
    };
    for last in [WRITES - 1, WRITES - 2] {
        let judgement = judge(last as i64);
        assert_eq!((judgement.verdict, judgement.detail.as_str()), (Pass, "40 001 operations"));
    }
    for too_old in [WRITES as i64 - 3, 0, -1] {
        let judgement = judge(too_old);
        assert_eq!(judgement.verdict, Fail);
        assert!(judgement.detail.starts_with(&format!("p2 read {too_old} in the register")), "{}", judgement.detail);
        assert!(judgement.witness.is_some_and(|witness| witness.is_minimal && witness.operations.len() <= 4));
    }
}

/// Seven appends at once, and a read of something else: every order of them has to be looked at.
fn hard() -> History {
    let lane = |n: usize| format!("c{n}: |--------a({n})---------------|\n");
    let mut picture: String = (10..17).map(lane).collect();
    picture.push_str("c0: |--w(1)--| |--w(2)--| |--cas(1,0)--|");
    draw(&picture)
}

#[test]
fn out_of_budget_is_unknown_and_never_pass() {
    let history = hard();
    let judge = |states| linearizable(&history, Model::Register, None, &Budget::states(states)).expect("fits");
    assert_eq!(judge(1_000_000).verdict, Fail);
    let needed = judge(1_000_000).states;
    assert!(needed > 1_000, "{needed}");
    for states in [0, 1, 10, 1_000, needed - 1] {
        let judgement = judge(states);
        assert_eq!(judgement.verdict, Unknown);
        assert!(judgement.states <= states);
    }
    assert_eq!(judge(needed).verdict, Fail);
    assert_eq!(
        judge(1_000).detail,
        "gave up, with 8 of 10 completed operations ordered after 1 000 configurations; \
         the budget is 1 000 configurations: a larger one, more keys or fewer clients would help"
    );
}

#[test]
fn an_interrupted_check_is_unknown() {
    let budget = Budget { states: u64::MAX, keep_going: &|| false };
    let judgement = linearizable(&hard(), Model::Register, None, &budget).expect("fits");
    assert_eq!(
        (judgement.verdict, judgement.detail.as_str()),
        (Unknown, "interrupted; a larger budget of time, more keys or fewer clients would help")
    );
}

#[test]
fn a_bad_key_outranks_a_hard_one() {
    let mut history = hard();
    let keys: Vec<&str> = history.operations.iter().map(|_| "hard").collect();
    put_under_keys(&mut history, &keys);
    let bad = lanes_after(&history, "c9: |--w(1)--| |--r()=nil--|");
    history.operations.extend(bad);
    let judgement = linearizable(&history, Model::Kv, None, &Budget::states(100)).expect("fits");
    assert_eq!(judgement.verdict, Fail);
    assert_eq!(judgement.detail, "p20 read nil in bad after 1 had replaced it");
}

/// A drawing that begins where `history` ends, under the key `bad`.
fn lanes_after(history: &History, picture: &str) -> Vec<Operation> {
    let mut later = draw(picture);
    put_under_keys(&mut later, &["bad", "bad"]);
    let offset = 2 * history.len() as u64;
    for operation in &mut later.operations {
        operation.process += offset;
        operation.invoked.index += offset;
        if let Some(completed) = &mut operation.completed {
            completed.index += offset;
        }
    }
    later.operations
}

#[test]
fn a_lost_write_cannot_have_been_overwritten() {
    let lost_one = lost(
        "
c1: |--w(1)--|
c2:            |--w(2)--|
c3:                       |--R()=1--|",
    );
    assert_eq!((lost_one.verdict, lost_one.detail.as_str()), (Fail, "1 of 2 acknowledged writes lost"));
    let (headline, argument) = argued(lost_one);
    assert_eq!(headline, "p1's write of 2 was acknowledged and is gone from the register");
    assert_eq!(
        argument,
        [
            "1. p0 wrote 1 to the register (event 0) and had it acknowledged (event 1).",
            "2. After that, p1 wrote 2 to the register (event 2) and had it acknowledged (event 3).",
            "3. After that, p2 read the register (event 4) and got 1 (event 5).",
            "4. Nothing that could leave 1 behind was still under way when 2 was asked for: 2 is lost.",
        ]
    );
    let overlapping = lost(
        "
c1: |--w(1)--|
c2:     |--w(2)--|
c3:                |--R()=1--|",
    );
    assert_eq!(
        (overlapping.verdict, overlapping.detail.as_str()),
        (Pass, "2 acknowledged writes, all readable after settle or overwritten since")
    );
    let unknown_came_late = lost(
        "
c1: |--w(1)--?
c2:            |--w(2)--|
c3:                       |--R()=1--|",
    );
    assert_eq!(unknown_came_late.verdict, Pass);
}

#[test]
fn a_value_from_nowhere_loses_every_write() {
    let picture = "
c1: |--w(1)--|    |--cas(1,2)--|
c3:                              |--R()=7--|";
    assert_eq!(lost(picture).detail, "2 of 2 acknowledged writes lost");
    let (_, argument) = argued(lost(picture));
    let end = "2 is lost. 1 other acknowledged write went the same way.";
    assert!(argument.len() == 3 && argument[2].ends_with(end), "{argument:#?}");
    let nothing_left = lost(&picture.replace("=7", "=nil"));
    assert_eq!(nothing_left.verdict, Fail);
}

#[test]
fn the_last_final_read_decides() {
    let picture = "
c1: |--w(1)--| |--w(2)--|
c3:                       |--R()=1--|  |--R()=2--|";
    assert_eq!(lost(picture).verdict, Pass);
    let unanswered = "
c1: |--w(1)--| |--w(2)--|
c3:                       |--R()--x  |--R()--?";
    let judgement = lost(unanswered);
    assert_eq!((judgement.verdict, judgement.detail.as_str()), (Unknown, "1 of 1 key could not be read after settle"));
    assert_eq!(lost("c1: |--w(1)--| |--r()=1--|").verdict, Unknown);
    let too_early = "
c1: |--w(1)--|           |--w(2)--|
c3:            |--R()=1--|";
    assert_eq!(lost(too_early).verdict, Unknown);
}

#[test]
fn without_acknowledged_writes_nothing_can_be_lost() {
    let picture = "
c1: |--w(1)--? |--w(2)--x |--cas(1,2)=no--|
c3:                                         |--R()=nil--|";
    assert_eq!(lost(picture).verdict, Vacuous);
}

#[test]
fn an_appended_text_must_still_be_there() {
    let picture = "
c1: |--a(x)--|    |--a(y)--|
c3:                          |--R()=xy--|";
    assert_eq!(lost(picture).verdict, Pass);
    assert_eq!(lost(&picture.replace("=xy", "=x")).verdict, Fail);
    assert_eq!(lost(&picture.replace("=xy", "=nil")).detail, "2 of 2 acknowledged writes lost");
    // Whatever was written over it may have come later.
    let overwritten = "
c1: |--a(x)--|
c2:     |--w(z)--?
c3:                |--R()=z--|";
    assert_eq!(lost(overwritten).verdict, Pass);
    assert_eq!(lost(&overwritten.replace("--?", "--|")).verdict, Pass);
    // A plain write that appends may have followed.
    let begun = "
c1: |--w(1)--|    |--a(x)--|
c3:                          |--R()=1x--|";
    assert_eq!(lost(begun).verdict, Pass);
    assert_eq!(lost(&begun.replace("=1x", "=x")).detail, "1 of 2 acknowledged writes lost");
}
