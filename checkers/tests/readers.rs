//! Readers of recorded histories: what each line means, and what is said of a bad one.

use checkers::formats::{Input, read};
use history::{Completion, Outcome, Value};
use proptest::prelude::*;

const ETCD: &str = "INFO  jepsen.core - Running test
INFO  jepsen.util - 0\t:invoke\t:read\tnil
INFO  jepsen.util - 0   :ok     :read   nil
INFO  jepsen.util - 3\t:invoke\t:cas\t[2 4]
INFO  jepsen.util - 3\t:fail\t:cas\t[2 4]
INFO  jepsen.util - 1\t:invoke\t:write\t3
INFO  jepsen.util - 1\t:info\t:write\t:timed-out
INFO  jepsen.util - 0\t:invoke\t:read\tnil
INFO  jepsen.util - 0\t:fail\t:read\t:timed-out
INFO  jepsen.util - 0\t:invoke\t:write\t-1
";

const KV: &str = r#"{:process 9, :type :invoke, :f :append, :key "0", :value "x \"9\" 0 y"}
{:process 4, :type :invoke, :f :get, :key "1", :value nil}
{:process 9, :type :ok, :f :append, :key "0", :value "x \"9\" 0 y"}
{:process 4, :type :ok, :f :get, :key "1", :value "", :time 17}
{:process 4 :type :invoke :f :put :key "1" :value "é"}
{:process 4 :type :info :f :put :key "1" :value "é"}
"#;

const JSONL: &str = r#"{"process":0,"type":"invoke","f":"write","value":["k1",1]}
{"process":0,"type":"ok","f":"write","value":["k1",1]}
"#;

/// Line, column and message of what is wrong.
fn wrong(text: &str, input: Input) -> (usize, usize, String) {
    let malformed = read(text, input).expect_err("malformed");
    (malformed.line, malformed.column, malformed.message)
}

#[test]
fn etcd_logs() {
    let recorded = read(ETCD, Input::Auto).expect("well formed");
    assert_eq!((recorded.format, recorded.initial), ("etcd log", Value::Nil));
    let outcomes: Vec<_> = recorded.history.operations.iter().map(|operation| operation.outcome.clone()).collect();
    assert_eq!(
        outcomes,
        [
            Outcome::Returned(Completion::Ok(Value::Nil)),
            // It did not hold 2: a fact, not a refusal.
            Outcome::Returned(Completion::Mismatch),
            Outcome::Unknown,
            Outcome::Unknown,
            Outcome::Unknown,
        ]
    );
    assert_eq!(recorded.history.operations[1].input, Value::pair(2.into(), 4.into()));
    assert_eq!(recorded.history.operations[4].completed, None);
}

#[test]
fn kv_logs() {
    let recorded = read(KV, Input::Auto).expect("well formed");
    assert_eq!((recorded.format, recorded.initial), ("kv log", Value::text("")));
    let [append, get, put] = &recorded.history.operations[..] else { panic!("three operations") };
    assert_eq!(append.input, Value::pair(Value::text("0"), Value::text("x \"9\" 0 y")));
    assert_eq!(get.outcome, Outcome::Returned(Completion::Ok(Value::pair(Value::text("1"), Value::text("")))));
    assert_eq!((put.outcome.clone(), &*put.f), (Outcome::Unknown, "put"));
}

#[test]
fn json_lines() {
    let recorded = read(JSONL, Input::Auto).expect("well formed");
    assert_eq!((recorded.format, recorded.initial, recorded.history.len()), ("JSON Lines", Value::Nil, 1));
    assert!(read(&format!("\u{feff}\n\n{JSONL}"), Input::Auto).is_ok(), "a byte order mark and empty lines");
    assert!(read(&JSONL.replace('\n', "\r\n"), Input::Jsonl).is_ok(), "line ends of Windows");
}

#[test]
fn inputs_have_names() {
    for input in Input::ALL {
        assert_eq!(Input::from_name(input.name()), Some(input));
    }
    assert_eq!(Input::from_name("knossos"), None);
}

#[test]
fn a_bad_line_says_where_and_what_would_be_right() {
    let etcd = |line: &str| wrong(&format!("{ETCD}INFO  jepsen.util - {line}"), Input::Auto);
    let (line, column, message) = etcd("2\t:invoke\t:cas\t[2]");
    assert_eq!((line, column, &*message), (11, 36, "expected two values such as `[2 4]`, found `[2]`"));
    assert_eq!(etcd("2\t:invoke\t:write\tx").2, "expected a whole number or `nil`, found `x`");
    assert_eq!(etcd("2\t:begin\t:write\t1").2, "expected `:invoke`, `:ok`, `:fail` or `:info`, found `:begin`");
    assert_eq!(etcd("2\t:invoke\t:wr").2, "expected `:read`, `:write` or `:cas`, found `:wr`");
    assert_eq!(etcd("2\t:ok\t:write\t1").2, "process 2 completes an operation it never invoked");
    assert_eq!(etcd("0\t:ok\t:read\t1").2, "process 0 completes a `read`, but what it had invoked is a `write`");
    assert!(etcd("0\t:invoke\t:read\tnil").2.contains("one thing at a time"));

    let kv = |line: &str| wrong(&format!("{KV}{line}"), Input::Auto);
    let (line, column, message) = kv(r#"{:process 1, :type :invoke, :f :append, :key "0", :value "x 0"#);
    assert_eq!((line, column, &*message), (7, 58, "this text has no closing quote; is the file cut off?"));
    assert_eq!(kv("{:process 1, :type :inv").2, "expected `:`, found the end of the line; is the file cut off?");
    assert_eq!(kv("{:process x}").2, "expected a text in quotes, a keyword, a whole number or `nil`, found `x}`");
    assert_eq!(kv("{:f :get}").2, "`:process` must be a number, such as `:process 9`");
    assert_eq!(kv("{:process 1 :type 2}").2, "`:type` must be a keyword, such as `:type :invoke`");
    assert!(kv("{:process 1 :type :ok :f :get :key \"0\"}").2.contains("never invoked"));
    assert!(kv("{:process 1} {").2.starts_with("one event a line"));

    assert_eq!(wrong(&format!("{JSONL}{{\"process\":0,"), Input::Auto).0, 3);
}

#[test]
fn what_is_no_history_is_one_clear_error() {
    assert!(
        wrong("", Input::Auto).2.starts_with("the file holds no history, it is empty; expected a JSON Lines event")
    );
    assert!(wrong(" \n\n", Input::Jsonl).2.starts_with("the file holds no history"));
    let (line, _, message) = wrong("\n<html>\n", Input::Auto);
    assert_eq!(line, 2);
    assert!(message.starts_with("no history in a known format; it begins `<html>`; expected"), "{message}");
    assert!(wrong(JSONL, Input::Porcupine).2.contains("jepsen.util"));
    assert!(wrong(ETCD, Input::Jsonl).2.contains("JSON Lines event"));
    let garbage = "\u{1}garbage é\n".repeat(1_000_000);
    assert!(wrong(&garbage, Input::Auto).2.len() < 500, "short, whatever the file");
    assert!(wrong(&"[".repeat(10_000_000), Input::Auto).2.len() < 500);
    assert!(wrong(&format!("{{\"process\":{}", "[".repeat(1_000_000)), Input::Auto).2.len() < 500);
}

/// A character that means something somewhere, or any.
fn character() -> impl Strategy<Value = char> {
    prop_oneof![prop::sample::select("{}[]():,\"\\\t\n -0189nil\u{feff}é".chars().collect::<Vec<_>>()), any::<char>()]
}

proptest! {
    #[test]
    fn no_input_makes_a_reader_panic(
        sample in prop::sample::select(vec![ETCD, KV, JSONL]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..3, character()), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
        input in prop::sample::select(Input::ALL.to_vec()),
    ) {
        let mut text: Vec<char> = sample.chars().collect();
        for (place, change, character) in changes {
            let place = place.index(text.len());
            match change {
                0 => text[place] = character,
                1 => text.insert(place, character),
                _ => _ = text.remove(place),
            }
        }
        if let Some(cut) = cut {
            text.truncate(cut.index(text.len()));
        }
        let text: String = text.into_iter().collect();
        if let Err(malformed) = read(&text, input) {
            prop_assert!(malformed.line >= 1 && malformed.column >= 1 && !malformed.message.is_empty());
        }
    }
}
