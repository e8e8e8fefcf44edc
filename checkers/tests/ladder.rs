//! The ladder on histories made by hand, each of which breaks one level and keeps those below, and on recorded ones.
#![expect(clippy::disallowed_methods, reason = "the recordings lie outside the repository")]

use checkers::formats::{self, Input};
use checkers::{Budget, Consistency, Model, Question, Rung, judge, ladder};
use history::{Completion, History, Mark, Operation, Outcome, Purpose, Value, Verdict};
use std::io::Write as _;

/// `0 w x 1` for a write by process 0, `1 r x 0` for a read (0 is nothing), `2 c x 1 2` for a compare-and-set,
/// `3 a x p` for an append; `?` in front if nobody knows what came of it, `!` if it is a final read. One after the other,
/// a millisecond each.
fn recorded(lines: &str) -> History {
    let value = |word: &str| match word.parse() {
        Ok(0) => Value::Nil,
        Ok(number) => Value::Int(number),
        Err(_) => Value::text(word),
    };
    let operation = |(number, line): (u64, &str)| {
        let is_unknown = line.starts_with('?');
        let purpose = if line.starts_with('!') { Purpose::FinalRead } else { Purpose::Load };
        let words: Vec<&str> = line.trim_start_matches(['?', '!']).split_whitespace().collect();
        let keyed = |value: Value| Value::pair(Value::text(words[2]), value);
        let (f, input, result) = match words[1] {
            "w" => ("write", keyed(value(words[3])), keyed(value(words[3]))),
            "a" => ("append", keyed(value(words[3])), keyed(value(words[3]))),
            "r" => ("read", keyed(Value::Nil), keyed(value(words[3]))),
            _ => {
                let pair = keyed(Value::pair(value(words[3]), value(words[4])));
                ("cas", pair.clone(), pair)
            }
        };
        Operation {
            process: words[0].parse().expect("a process"),
            f: f.into(),
            input,
            invoked: Mark { index: 2 * number, time: 1_000_000 * number },
            completed: Some(Mark { index: 2 * number + 1, time: 1_000_000 * number + 500_000 }),
            outcome: if is_unknown { Outcome::Unknown } else { Outcome::Returned(Completion::Ok(result)) },
            purpose,
            node: None,
        }
    };
    let lines = lines.split(';').map(str::trim).filter(|line| !line.is_empty());
    History { operations: (0..).zip(lines).map(operation).collect() }
}

fn table(history: &History) -> Vec<Rung> {
    ladder(history, &Question::of(Model::Kv), &Budget::states(100_000)).expect("a history of a kv store")
}

fn rung<'a>(table: &'a [Rung], name: &str) -> &'a Rung {
    table.iter().find(|rung| rung.name == name).expect("every level is in the table")
}

/// The levels that a history breaks; it keeps all others.
fn breaks(lines: &str, expected: &[&str]) {
    let history = recorded(lines);
    let table = table(&history);
    for found in &table[..10] {
        let verdict = if expected.contains(&found.name) { Verdict::Fail } else { Verdict::Pass };
        assert_eq!(found.verdict, verdict, "{lines}: {found:#?}");
        assert_eq!(found.witness.is_some(), verdict == Verdict::Fail, "{lines}: {found:#?}");
        let level = Consistency::from_name(found.name).expect("a level");
        let question = Question { level: Some(level), ..Question::of(Model::Kv) };
        let judgement = judge(&history, &question, &Budget::states(100_000)).expect("a history of a kv store");
        assert_eq!(judgement.verdict, verdict, "{lines}, alone: {judgement:#?}");
    }
}

const ALL: [&str; 10] = [
    "linearizable",
    "sequential",
    "causal-convergence",
    "causal-memory",
    "causal",
    "pram",
    "read-your-writes",
    "monotonic-reads",
    "monotonic-writes",
    "writes-follow-reads",
];

#[test]
fn each_rung_breaks_alone() {
    breaks("0 w x 1; 1 r x 1", &[]);
    // Late, but in order.
    breaks("0 w x 1; 1 r x 0", &ALL[..1]);
    // Each wrote, then did not see the other: Dekker.
    breaks("0 w x 1; 0 r y 0; 1 w y 2; 1 r x 0", &ALL[..2]);
    // Two processes see two writes in opposite orders.
    breaks("0 w x 1; 1 w x 2; 2 r x 1; 2 r x 2; 3 r x 2; 3 r x 1", &ALL[..3]);
    // Back and forth between writes that know nothing of each other: a store may put them in one order only when it has
    // both, but no process can have seen them in any.
    breaks(
        "0 w x 1; 1 w x 2; 2 r x 1; 2 r x 2; 2 r x 1",
        &["linearizable", "sequential", "causal-convergence", "causal-memory", "pram"],
    );
    // What followed a read was seen without what was read.
    let causal = ["linearizable", "sequential", "causal-convergence", "causal-memory", "causal"];
    breaks("0 w x 1; 1 r x 1; 1 w y 2; 2 r y 2; 2 r x 0", &[&causal[..], &["writes-follow-reads"]].concat());
    // The same over one more process: of no two.
    breaks("0 w x 1; 1 r x 1; 1 w y 2; 2 r y 2; 2 w z 3; 3 r z 3; 3 r x 0", &causal);
    let pram = [&causal[..], &["pram"]].concat();
    breaks("0 w x 1; 0 r x 0", &[&pram[..], &["read-your-writes"]].concat());
    breaks("0 w x 1; 0 w x 2; 1 r x 2; 1 r x 1", &[&pram[..], &["monotonic-reads"]].concat());
    breaks("0 w x 1; 0 w y 2; 1 r y 2; 1 r x 0", &[&pram[..], &["monotonic-writes"]].concat());
    // Nobody wrote it: no level allows that.
    breaks("0 r x 7", &ALL);
}

#[test]
fn causal_convergence_is_not_causal_memory() {
    // The last writer wins: 4 was written before 2 came, and won. But p1 saw nothing in z after it wrote 4.
    let lines = "0 w z 1; 0 w x 2; 0 w y 3; 1 w x 4; 1 r z 0; 1 r y 3; 1 r x 4";
    breaks(lines, &["linearizable", "sequential", "causal-memory", "pram"]);
}

#[test]
fn an_unknown_write_counts_if_it_was_read() {
    breaks("?0 w x 1; 1 r x 0; 1 r x 0", &[]);
    breaks("?0 w x 1; 1 r x 1; 1 r x 0", &[&ALL[..6], &["monotonic-reads"]].concat());
}

#[test]
fn a_compare_and_set_stands_alone_where_there_is_one_order() {
    breaks("0 w x 1; 0 c x 1 2; 1 r x 2", &[]);
    // Both replaced 1, which was there once.
    let found = table(&recorded("0 w x 1; 1 c x 1 2; 2 c x 1 3"));
    let sequential = rung(&found, "sequential");
    assert_eq!(sequential.verdict, Verdict::Fail);
    assert_eq!(sequential.witness.as_ref().map(|witness| witness.operations.len()), Some(3), "{sequential:#?}");
    assert_eq!(rung(&found, "causal-memory").verdict, Verdict::Pass);
}

#[test]
fn appends_break_no_level() {
    let history = recorded("0 a x p; 0 a x q; 1 r x pq");
    for name in ["linearizable", "sequential", "causal", "pram", "read-your-writes"] {
        assert_eq!(rung(&table(&history), name).verdict, Verdict::Pass, "{name}");
    }
    // Nobody can tell who wrote what was read; but that it came from nowhere is not said either.
    let table = table(&recorded("0 a x p; 1 r x q"));
    assert_eq!(rung(&table, "linearizable").verdict, Verdict::Fail);
    assert_eq!(rung(&table, "causal").verdict, Verdict::Unknown);
}

#[test]
fn a_level_that_takes_long_asks_whether_to_go_on() {
    let writes = (1..300).map(|process| format!("{process} w x {process}; "));
    let reads = (1..300).map(|read| format!("0 r x {}; ", read * 7 % 300));
    let history = recorded(&writes.chain(reads).collect::<String>());
    for level in [Consistency::Pram, Consistency::CausalMemory, Consistency::Sequential] {
        let question = Question { level: Some(level), ..Question::of(Model::Kv) };
        let budget = Budget { states: u64::MAX, keep_going: &|| false };
        let found = judge(&history, &question, &budget).expect("registers");
        assert_eq!(found.verdict, Verdict::Unknown, "{}: {}", level.name(), found.detail);
        assert!(found.detail.starts_with("interrupted"), "{}: {}", level.name(), found.detail);
    }
}

#[test]
fn values_written_twice_are_unknown_unless_linearizable() {
    let found = table(&recorded("0 w x 3; 1 w x 3; 1 r x 3"));
    assert!(found[..10].iter().all(|rung| rung.verdict == Verdict::Pass), "{found:#?}");
    let found = table(&recorded("0 w x 3; 1 w x 3; 1 w x 4; 2 r x 3"));
    let causal = rung(&found, "causal");
    assert_eq!(causal.verdict, Verdict::Unknown);
    assert!(causal.detail.starts_with("value 3 was written 2 times at key x"), "{}", causal.detail);
}

#[test]
fn a_process_that_goes_on_after_an_unknown_outcome_counts_as_another() {
    let history = recorded("?0 w x 1; 0 w x 2; 1 r x 2; 1 r x 1");
    let found = table(&history);
    assert_eq!(rung(&found, "linearizable").verdict, Verdict::Pass);
    assert_eq!(rung(&found, "pram").verdict, Verdict::Pass);
}

#[test]
fn an_argument_tells_how_one_knows() {
    let found = table(&recorded("0 w x 1; 1 r x 1; 1 w y 2; 2 r y 2; 2 r x 0; 0 w z 5; 3 r z 5"));
    let witness = rung(&found, "causal").witness.as_ref().expect("a violation has a witness");
    assert_eq!(
        witness.argument,
        [
            "1. p0 wrote [x 1] to the store at 0.000 ms and had it acknowledged at 0.500 ms.",
            "2. After that, p1 read the store at 1.000 ms and got [x 1] at 1.500 ms.",
            "3. After that, p1 wrote [y 2] to the store at 2.000 ms and had it acknowledged at 2.500 ms.",
            "4. After that, p2 read the store at 3.000 ms and got [y 2] at 3.500 ms.",
            "5. After that, p2 read the store at 4.000 ms and got [x nil] at 4.500 ms.",
            "6. (2) got what (1) wrote, so (1) came first.",
            "7. p1 did (2) before (3).",
            "8. (4) got what (3) wrote, so (3) came first.",
            "9. p2 did (4) before (5).",
            "10. (5) came after (1), and still found x as it was at first.",
            "11. Who sees what a process wrote must see what that had read before, and p2 did not.",
        ]
    );
}

#[test]
fn final_reads_converge_or_not() {
    let verdict = |lines: &str| rung(&table(&recorded(lines)), "convergence").verdict;
    assert_eq!(verdict("0 w x 1; 1 w x 2; !2 r x 2; !3 r x 2"), Verdict::Pass);
    assert_eq!(verdict("0 w x 1; 1 w x 2; !2 r x 2; !3 r x 1"), Verdict::Fail);
    assert_eq!(verdict("0 w x 1; ?1 w x 2; !2 r x 2; !3 r x 1"), Verdict::Unknown);
    assert_eq!(verdict("0 w x 1; 1 w x 2; 2 r x 2; 3 r x 1"), Verdict::Unknown);
    assert_eq!(verdict("0 w x 1; !2 r x 1"), Verdict::Vacuous);
}

#[test]
fn staleness_counts_versions_and_time() {
    let found = table(&recorded("0 w x 1; 0 w x 2; 0 w x 3; 1 r x 3; 1 r x 1"));
    let found = rung(&found, "staleness");
    assert_eq!(found.detail, "2 reads, 1 of them stale: 2.5ms at most (p99 2.5ms), 2 versions behind at most (p99 2)");
}

#[test]
fn recorded_histories_stand_where_they_are_known_to() {
    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/histories");
    let Ok(index) = std::fs::read_to_string(format!("{FOLDER}/INDEX.tsv")) else {
        // Straight to standard error: what a passing test prints by macro is kept from the reader.
        let _ = writeln!(std::io::stderr(), "SKIPPED: no recorded histories in {FOLDER}");
        return;
    };
    let names = [
        ("linearizable", "linearizable"),
        ("sequential", "sequential"),
        ("cc", "causal"),
        ("cm", "causal-memory"),
        ("ccv", "causal-convergence"),
        ("read_your_writes", "read-your-writes"),
        ("monotonic_reads", "monotonic-reads"),
        ("monotonic_writes", "monotonic-writes"),
        ("writes_follow_reads", "writes-follow-reads"),
    ];
    let mut known = 0;
    for line in index.lines().filter(|line| line.starts_with("own/kv/")) {
        let fields: Vec<&str> = line.split('\t').collect();
        let text =
            std::fs::read_to_string(format!("{FOLDER}/{}", fields[0])).expect("the index names files that exist");
        let recorded = formats::read(text.as_bytes(), Input::Auto).expect("a history");
        let table = table(&recorded.history);
        let (_, list) = fields[3].split_once('(').expect("a list of levels");
        for (name, answer) in list.trim_end_matches(')').split(',').filter_map(|entry| entry.split_once('=')) {
            let (_, level) = names.iter().find(|(short, _)| *short == name).expect("a level");
            let expected = if answer == "yes" { Verdict::Pass } else { Verdict::Fail };
            assert_eq!(rung(&table, level).verdict, expected, "{}, {level}: {table:#?}", fields[0]);
            known += 1;
        }
    }
    assert!(known > 40, "{known}");
}
