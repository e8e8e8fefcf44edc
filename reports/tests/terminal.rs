//! What a run looks like on a terminal, as a whole; and that every record has a look, however odd.

mod common;

use common::{MS, SECOND, any_record, failing, passing, pictured, stale_read, testimony, watching};
use history::{
    Cause, CauseSpan, Draw, Ended, Mark, OperationCounts, Outage, Reason, RunRecord, Server, Testimony, Value, Verdict,
    Who, Witness, merged,
};
use proptest::prelude::*;
use reports::terminal::{Around, Look, summary, test_line};
use reports::witness::{lanes, told};

const UNICODE: Look = Look { colour: false, unicode: true };
const ASCII: Look = Look { colour: false, unicode: false };
fn printed(record: &RunRecord, look: Look) -> String {
    let around = Around {
        wall_ns: 14_712_345,
        saved: "out/leader-cut-42".to_owned(),
        again: "stormglass run leader-cut.toml --seed 42".to_owned(),
        ..Around::default()
    };
    summary(record, &around, look)
}

#[track_caller]
fn assert_printed(record: &RunRecord, look: Look, expected: &str) {
    let printed = printed(record, look);
    assert!(printed == expected.trim_start_matches('\n'), "this was printed:\n{printed}");
}

#[test]
fn a_passing_run_in_unicode() {
    assert_printed(
        &passing(),
        UNICODE,
        "
leader-cut  seed 42   raft, 3 nodes, 3 places, 12s + 10s to settle   (14.7ms real, 2 871 events)
  Cut the leader off. It should come back.
           0s        2s        4s        6s        8s        10s       12s
  served   ████████████████████▁▁▁▁▁     ▄▄▄▄▄█████████████████████████  95 ok, 15 unknown
  possible █████████████████████████     ▇▇▇▇▇█████████████████████████  the best there could be
  leader        n1───────────────────────n3───────────────────────────┤  1 change, term 1 to 2
  outage                       ██████████                                2s in all
  fault                        ░░░░░░░░░░░░░░░                           partition-1 n1 | n2 n3
outages from  length  avoidable  missed  who          why
        4s    2s      1s         15      all clients  no leader 1.5s, wrong node asked 500ms
              detect 1s ▏elect 500ms ▏catch up 500ms
must    ✓ linearizable                110 operations, 5 keys
        ✓ availability >= 80%         86.36 %   (best possible 99.09 %)
should  ✗ recovery <= 1s              1.5s   (outage from 4s)
reach   ✓ leader elected >= 2 times   2 times
always  ✓ protocol laws               9 laws held after each of 2 871 steps
PASS    all 4 checks held; 1 under `should` did not   availability 86.36 % of 99.09 % possible
        fingerprint 00000000deadbeef
        saved in    out/leader-cut-42
        again       stormglass run leader-cut.toml --seed 42
",
    );
}

#[test]
fn a_passing_run_in_ascii() {
    assert_printed(
        &passing(),
        ASCII,
        "
leader-cut  seed 42   raft, 3 nodes, 3 places, 12s + 10s to settle   (14.7ms real, 2 871 events)
  Cut the leader off. It should come back.
           0s        2s        4s        6s        8s        10s       12s
  served   ####################_____     -----#########################  95 ok, 15 unknown
  possible #########################     *****#########################  the best there could be
  leader        n1-----------------------n3---------------------------|  1 change, term 1 to 2
  outage                       ##########                                2s in all
  fault                        ///////////////                           partition-1 n1 | n2 n3
outages from  length  avoidable  missed  who          why
        4s    2s      1s         15      all clients  no leader 1.5s, wrong node asked 500ms
              detect 1s | elect 500ms | catch up 500ms
must    + linearizable                110 operations, 5 keys
        + availability >= 80%         86.36 %   (best possible 99.09 %)
should  x recovery <= 1s              1.5s   (outage from 4s)
reach   + leader elected >= 2 times   2 times
always  + protocol laws               9 laws held after each of 2 871 steps
PASS    all 4 checks held; 1 under `should` did not   availability 86.36 % of 99.09 % possible
        fingerprint 00000000deadbeef
        saved in    out/leader-cut-42
        again       stormglass run leader-cut.toml --seed 42
",
    );
}

#[test]
fn a_run_of_watchers_tells_how_well_they_watched() {
    let told = printed(&watching(), ASCII);
    let expected = "
watched 20 pairs   3 crashes found, 1 missed   p50 412ms, p99 540ms, max 550ms
        2 mistakes, 1 about healthy nodes   30.5 an hour of a pair, 160ms on average
        query accuracy 99.98 %   39.9 messages a node and second
must ";
    assert!(told.contains(expected), "{told}");
    assert!(!printed(&passing(), ASCII).contains("watched"));
}

#[test]
fn a_failing_run_in_unicode() {
    assert_printed(
        &failing(),
        UNICODE,
        "
leader-cut  seed 42   raft with read-without-quorum, 3 nodes, 3 places, 12s + 10s to settle   (14.7ms real, 2 871 events)
  A gestürzter leader answers.
           0s        2s        4s        6s        8s        10s       12s
  served   ████████████████████▁▁▁▁▁     ▄▄▄▄▄█████████████████████████  95 ok, 15 unknown
  possible █████████████████████████     ▇▇▇▇▇█████████████████████████  the best there could be
  leader        n1───────────────────────n3───────────────────────────┤  1 change, term 1 to 2
  outage                       ██████████                                2s in all
  fault                        ░░░░░░░░░░░░░░░                           partition-1 n1 | n2 n3
outages from  length  avoidable  missed  who          why
        4s    2s      1s         15      all clients  no leader 1.5s, wrong node asked 500ms
              detect 1s ▏elect 500ms ▏catch up 500ms
must    ✗ linearizable                c1 read 7 in k0 after 8 had replaced it
            promised by raft with reads = read-index
            c7   |--w(7)--|
            c19             |--w(8)--|
            c1                         |--r()=7--|  ◀ fits nowhere
            s    3.100    3.105      5.504       5.531

            1. c7 wrote 7 to k0 at 3.100 s; n1 (leader of term 1) acknowledged it at 3.105 s.
            2. After that, c19 wrote 8 to k0 at 5.500 s; n3 (leader of term 2) acknowledged it at
               5.504 s.
            3. After that, c1 read k0 at 5.530 s; n1 (leader of term 1, though n3 was leader of term
               2 since 5.000 s) answered 7 at 5.531 s.
            4. (2) put 8 in the place of 7 before (3) began, and nobody had written 7 again: no
               order explains (3).
        ✓ availability >= 80%         86.36 %   (best possible 99.09 %)
        ? no lost writes              interrupted
should  ✗ recovery <= 1s              1.5s   (outage from 4s)
reach   ✓ leader elected >= 2 times   2 times
always  ✓ protocol laws               9 laws held after each of 2 871 steps
        ∅ every fault had an effect   without effect: x
FAIL    1 of 6 checks failed, 1 undecided, 1 tested nothing   availability 86.36 % of 99.09 % possible
        fingerprint 00000000deadbeef
        saved in    out/leader-cut-42
        again       stormglass run leader-cut.toml --seed 42
",
    );
}

#[test]
fn a_failing_run_in_ascii() {
    assert_printed(
        &failing(),
        ASCII,
        "
leader-cut  seed 42   raft with read-without-quorum, 3 nodes, 3 places, 12s + 10s to settle   (14.7ms real, 2 871 events)
  A gest?rzter leader answers.
           0s        2s        4s        6s        8s        10s       12s
  served   ####################_____     -----#########################  95 ok, 15 unknown
  possible #########################     *****#########################  the best there could be
  leader        n1-----------------------n3---------------------------|  1 change, term 1 to 2
  outage                       ##########                                2s in all
  fault                        ///////////////                           partition-1 n1 | n2 n3
outages from  length  avoidable  missed  who          why
        4s    2s      1s         15      all clients  no leader 1.5s, wrong node asked 500ms
              detect 1s | elect 500ms | catch up 500ms
must    x linearizable                c1 read 7 in k0 after 8 had replaced it
            promised by raft with reads = read-index
            c7   |--w(7)--|
            c19             |--w(8)--|
            c1                         |--r()=7--|  < fits nowhere
            s    3.100    3.105      5.504       5.531

            1. c7 wrote 7 to k0 at 3.100 s; n1 (leader of term 1) acknowledged it at 3.105 s.
            2. After that, c19 wrote 8 to k0 at 5.500 s; n3 (leader of term 2) acknowledged it at
               5.504 s.
            3. After that, c1 read k0 at 5.530 s; n1 (leader of term 1, though n3 was leader of term
               2 since 5.000 s) answered 7 at 5.531 s.
            4. (2) put 8 in the place of 7 before (3) began, and nobody had written 7 again: no
               order explains (3).
        + availability >= 80%         86.36 %   (best possible 99.09 %)
        ? no lost writes              interrupted
should  x recovery <= 1s              1.5s   (outage from 4s)
reach   + leader elected >= 2 times   2 times
always  + protocol laws               9 laws held after each of 2 871 steps
        0 every fault had an effect   without effect: x
FAIL    1 of 6 checks failed, 1 undecided, 1 tested nothing   availability 86.36 % of 99.09 % possible
        fingerprint 00000000deadbeef
        saved in    out/leader-cut-42
        again       stormglass run leader-cut.toml --seed 42
",
    );
}

#[test]
fn colour_adds_nothing_but_colour() {
    let record = failing();
    let coloured = printed(&record, Look { colour: true, unicode: true });
    let mut plain = coloured.clone();
    for code in ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[1;31m", "\u{1b}[1;32m", "\u{1b}[1;33m"] {
        assert!(coloured.contains(code), "{code:?} is used");
        plain = plain.replace(code, "");
    }
    assert_eq!(plain, printed(&record, UNICODE));
}

fn drawn(operations: Vec<Testimony>, offender: usize, width: usize) -> String {
    let witness = Witness::new(None, operations, Some(offender), Reason::Entangled);
    lanes(&witness, ASCII, width).join("\n")
}

/// An operation by its events, in a record without times.
fn event(client: &str, f: &str, ended: Ended, from: u64, to: u64) -> Testimony {
    let mark = |index| Mark { index, time: 0 };
    let server = Server { node: "n1".to_owned(), role: None, superseded: None };
    Testimony { ended, invoked: mark(from), completed: Some(mark(to)), ..testimony(client, f, 7, 0, 0, server) }
}

#[test]
fn operations_stand_in_the_order_of_their_events() {
    let operations = vec![
        event("c1", "write", Ended::Info, 0, 1),
        event("c2", "write", Ended::Fail, 2, 4),
        event("c1", "write", Ended::Ok, 3, 7),
        event("c2", "read", Ended::Ok, 5, 6),
    ];
    assert_eq!(
        drawn(operations, 3, 80),
        "\
c1     |--w(7)-------------------...
c2      |--w(7)--x |--r()=7--|  < fits nowhere
c1       |--w(7)---------------|
event  0 3       4 5         6 7
"
    );
}

#[test]
fn what_takes_nothing_is_drawn_with_nothing() {
    let asked = |client: &str, f: &str, from| {
        let op = event(client, f, Ended::Ok, from, from + 1);
        Testimony { input: Value::Nil, returned: None, ..op }
    };
    let token = Testimony { returned: Some(Value::Int(3)), ..asked("c2", "acquire", 4) };
    assert_eq!(
        drawn(vec![asked("c1", "acquire", 0), asked("c1", "release", 2), token], 2, 80),
        "\
c1     |--acq()--| |--rel()--|
c2                             |--acq()=3--|  < fits nowhere
event  0         1 2         3 4           5
"
    );
}

#[test]
fn where_the_room_is_short_values_are_and_then_the_first_operations_go() {
    let long = |client: &str, at| {
        let mut op = event(client, "write", Ended::Ok, at, at + 1);
        op.input = Value::text("a value much too long to be drawn");
        op
    };
    let operations: Vec<Testimony> = (0..4).map(|i| long("c1", 2 * i)).collect();
    assert!(drawn(operations.clone(), 3, 200).contains("|--w(..o long to be drawn)--|"));
    let narrow = drawn(operations.clone(), 3, 110);
    assert!(narrow.contains("|--w(..be drawn)--|") && narrow.matches("|--w(").count() == 4, "{narrow}");
    let narrower = drawn(operations.clone(), 3, 60);
    assert!(narrower.starts_with("(not drawn: the first 2 operations)\n"), "{narrower}");
    assert!(narrow.lines().all(|line| line.len() <= 110) && narrower.lines().all(|line| line.len() <= 60));
    assert_eq!(drawn(operations, 3, 10), "");
}

#[test]
fn sentences_hang_from_their_numbers() {
    let witness = stale_read();
    for width in [30, 60, 88] {
        let lines = told(&witness, ASCII, width);
        let sentences = lines.iter().skip_while(|line| !line.starts_with("1. "));
        assert!(sentences.clone().all(|line| line.len() <= width), "{lines:#?}");
        assert!(sentences.clone().all(|line| line.starts_with("   ") || line.as_bytes()[1] == b'.'), "{lines:#?}");
        let joined = sentences.map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        assert_eq!(joined, witness.argument.join(" "));
    }
}

#[test]
fn a_line_of_a_suite_shows_no_control_characters() {
    assert_eq!(test_line("a.toml", Verdict::Fail, "said \u{1b}[31mred\n", ASCII), r"x a.toml   said \u{1b}[31mred\n");
    assert_eq!(test_line("a.toml", Verdict::Pass, "", UNICODE), "✓ a.toml");
}

#[test]
fn a_run_in_which_nothing_was_checked_says_so() {
    let mut record = passing();
    record.findings.clear();
    record.verdict = merged(&record.findings);
    assert!(printed(&record, UNICODE).contains("\nVACUOUS nothing was checked   availability"));
}

#[test]
fn lanes_stand_below_each_other_whatever_the_role_is_called() {
    let mut record = passing();
    for span in &mut record.roles {
        span.role = span.role.replace("leader", "transaction coordinator");
    }
    let printed = printed(&record, ASCII);
    let lane = |name: &str| printed.lines().find(|line| line.trim_start().starts_with(name)).expect("it is drawn");
    let width = "  transaction coordinator ".len();
    assert!(lane("transaction")[width..].starts_with("     n1---"), "{printed}");
    assert!(lane("served")[width..].starts_with("#####"), "{printed}");
    assert!(lane("0s")[width..].starts_with("0s        2s"), "{printed}");
}

#[test]
fn places_that_differ_and_response_times_have_lanes() {
    let mut record = pictured();
    let latency = &mut record.picture.as_mut().expect("it has one").latency;
    latency.p99_ns[20..40].fill(Some(SECOND));
    latency.p99_ns[50..].fill(None);
    record.outages.push(Outage {
        who: Who::Place("eu-west".to_owned()),
        to_ns: 8 * SECOND,
        ..record.outages[0].clone()
    });
    let printed = printed(&record, ASCII);
    let picture: Vec<&str> = printed.lines().skip(2).take(9).collect();
    let expected = [
        "           0s        2s        4s        6s        8s        10s       12s",
        "  served   ####################_____     -----#########################  95 ok, 15 unknown",
        "  us-east  ############################################################  100.00 %",
        "  eu-west  ####################_______________#########################  75.00 %",
        "  possible #########################     *****#########################  the best there could be",
        "  p99      ____________________####################__________            50ms..1s",
        "  leader        n1-----------------------n3---------------------------|  1 change, term 1 to 2",
        "  outage                       ##########==========                      2s in all, 1 partial",
        "  fault                        ///////////////                           partition-1 n1 | n2 n3",
    ];
    assert_eq!(picture, expected);
}

#[test]
fn what_is_told_of_a_lane_ends_at_a_hundred_columns() {
    let mut record = passing();
    record.operations = Some(OperationCounts { ok: 143_921, refused: 12, unknown: 1_158 });
    record.faults[0].who = "n1 n3 n5 n7 c1 c2 c3 | n2 n4 n6 and so on".to_owned();
    record.faults[0].effects = 0;
    let printed = printed(&record, ASCII);
    let told: Vec<&str> = printed.lines().skip(3).filter_map(|line| line.get(73..)).take(7).collect();
    let expected = [
        "143 921 ok, 1 158 unknown",
        "12 refused",
        "the best there could be",
        "1 change, term 1 to 2",
        "2s in all",
        "partition-1 n1 n3 n5 n7,..",
        "(no effect)",
    ];
    assert_eq!(told, expected);
}

#[test]
fn of_many_faults_the_first_are_drawn_and_the_rest_counted() {
    let mut record = passing();
    record.faults = vec![record.faults[0].clone(); 11];
    let printed = printed(&record, ASCII);
    assert_eq!(printed.matches("partition-1 n1 | n2 n3").count(), 8);
    assert!(printed.contains("and 3 more in run.json"), "{printed}");
}

/// The longest are told, in the order of time, and what is left is counted.
#[test]
fn of_many_outages_the_longest_are_told() {
    let mut record = passing();
    let whole = record.outages[0].clone();
    let outage = |i: u64, length: u64| Outage {
        from_ns: i * SECOND,
        to_ns: i * SECOND + length,
        who: Who::Clients(["c1", "c2", "c3", "c4"].map(str::to_owned).to_vec()),
        causes: vec![CauseSpan { from_ns: i * SECOND, to_ns: i * SECOND + length, cause: Cause::SlowLink }],
        cause: Cause::SlowLink,
        takeover: None,
        ..whole.clone()
    };
    record.outages = [300, 900, 200, 800, 700, 600].into_iter().zip(1..).map(|(ms, i)| outage(i, ms * MS)).collect();
    let printed = printed(&record, ASCII);
    let table: Vec<&str> = printed.lines().skip_while(|line| !line.starts_with("outages")).take(6).collect();
    let expected = [
        "outages from  length  avoidable  missed  who        why",
        "        2s    900ms   1s         15      4 clients  slow link",
        "        4s    800ms   1s         15      4 clients  slow link",
        "        5s    700ms   1s         15      4 clients  slow link",
        "        6s    600ms   1s         15      4 clients  slow link",
        "        and 2 more, none above 300ms: all in run.json",
    ];
    assert_eq!(table, expected);
    record.outages.clear();
    assert!(!self::printed(&record, ASCII).contains("outages"));
}

#[test]
fn what_the_seed_decided_takes_one_line() {
    let draw = |key: &str, value: &str| Draw { key: key.to_owned(), value: value.to_owned() };
    let mut record = passing();
    record.draws = vec![draw("cluster.nodes", "5"), draw("protocol.reads", "log"), draw("fault.crash-1", "off")];
    let told = |record: &RunRecord| printed(record, ASCII).lines().nth(2).expect("it has lines").to_owned();
    assert_eq!(told(&record), "  drawn: cluster.nodes = 5, protocol.reads = log, fault.crash-1 = off");
    let many = (0..1000).map(|i| draw(&format!("load.load-{i}.clients"), "\u{1b}[1m"));
    record.draws.extend(many);
    let line = told(&record);
    assert_eq!(
        line,
        "  drawn: cluster.nodes = 5, protocol.reads = log, fault.crash-1 = off, .. 1 000 more in run.json"
    );
    assert!(line.len() <= 100);
    record.draws = vec![draw("load.load.model", &"x".repeat(1000))];
    assert_eq!(told(&record), "  drawn: .. 1 more in run.json");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Records are read from files, too, and a file can hold anything.
    #[test]
    fn every_record_has_a_look(record in any_record()) {
        for look in [UNICODE, ASCII] {
            let printed = printed(&record, look);
            prop_assert!(printed.ends_with("\n        again       stormglass run leader-cut.toml --seed 42\n"));
            prop_assert!(printed.lines().any(|line| line.starts_with(&record.verdict.to_string())));
            prop_assert!(printed.chars().all(|c| c == '\n' || !c.is_control()), "{printed:?}");
            prop_assert!(look.unicode || printed.is_ascii(), "{printed:?}");
        }
        let picture = printed(&record, ASCII);
        let before = |line: &&str| !line.starts_with("outages");
        let lanes = picture.lines().take_while(before).skip_while(|line| !line.trim_start().starts_with("0s "));
        let mut lanes = lanes.take_while(|line| line.starts_with("  "));
        prop_assert!(lanes.all(|line| line.len() <= 100), "{picture}");
        let drawn = if record.duration_ns == 0 { 0 } else { record.faults.len().min(8) };
        let lanes = printed(&record, ASCII).lines().filter(|line| line.starts_with("  fault")).count();
        prop_assert!(lanes >= drawn);
    }
}
