//! Readers of recorded histories: what each construct means, and what is said of a bad one.

use checkers::Model;
use checkers::formats::{Input, Recorded, read};
use history::input::{Malformed, Unreadable};
use history::{Completion, Operation, Outcome, Value, jsonl};
use proptest::prelude::*;
use std::io::{self, BufReader, Read};

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

const EDN: &str = r#"; Comments may hold {brackets and "quotes.
{:process 0, :type :invoke, :f :write, :value 3, :index 0, :time 205}
{:process :nemesis, :type :info, :f :start, :value [:cut {"n1" #{"n2"}} 1.5 12345678901234567890 \} ##Inf]}
{:process 1 :type :invoke :f :cas :value #jepsen/tuple [3 -4] :op-index 7}
#jepsen.history.Op{:process 0, :type :ok, :f :write, :value 3, :node "n1", :time 1.5}
{:process 1, :type :fail, :f :cas, :value [3 -4], :error [:no "such \"thing\""]}
#_ {:process 9} #_ #_ :a "b"
{:process 2, :type :invoke,
 :f :read, #_ #tag :left-out ; out
 :value nil}
{:process 2, :type :info, :f :read, :value 1.5}
"#;

const JSON: &str = r#"[{"process": 0, "type": "invoke", "f": "read", "value": null, "time": 1.5},
 {"process": "nemesis", "type": "info", "f": "start", "value": {"n1": 0.5}},
 {"process": 0, "type": "ok", "f": "read", "error": ["x"], "value": {"10": -7, "9": [true, false], "x": 1}}
]"#;

const VIOLIN: &str = "# made up
# @object atomic-queue

[1] call add(3)
    [2] call remove
[1] return
    [2] return empty
[3] call dequeue()
[3] return a
[4] call enqueue(b)
";

const AWDIT: &str = "w 0 1
r 1 0
-----
r 0 1
-----
=====
w 1 2
";

const ALL: [&str; 7] = [ETCD, KV, JSONL, EDN, JSON, VIOLIN, AWDIT];

fn well_formed(text: &str) -> Recorded {
    read(text.as_bytes(), Input::Auto).unwrap_or_else(|unreadable| panic!("{unreadable}:\n{text}"))
}

fn malformed(bytes: &[u8], input: Input) -> Malformed {
    match read(bytes, input).expect_err("malformed") {
        Unreadable::Malformed(malformed) => malformed,
        Unreadable::Source(error) => panic!("bytes in memory can be read: {error}"),
    }
}

/// Line, column and message of what is wrong.
fn wrong(text: &str, input: Input) -> (usize, usize, String) {
    let Malformed { line, column, message } = malformed(text.as_bytes(), input);
    (line, column, message)
}

/// `process f input -> outcome`, one operation a line.
fn told(recorded: &Recorded) -> String {
    let outcome = |operation: &Operation| match &operation.outcome {
        Outcome::Returned(Completion::Ok(value)) => value.to_string(),
        Outcome::Returned(Completion::Mismatch) => "mismatch".to_owned(),
        Outcome::Refused => "refused".to_owned(),
        Outcome::Unknown if operation.completed.is_some() => "unknown".to_owned(),
        Outcome::Unknown => "pending".to_owned(),
    };
    let line = |operation: &Operation| {
        format!("{} {} {} -> {}\n", operation.process, operation.f, operation.input, outcome(operation))
    };
    recorded.history.operations.iter().map(line).collect()
}

#[test]
fn etcd_logs() {
    let recorded = well_formed(ETCD);
    assert_eq!((recorded.format, &recorded.initial), ("etcd log", &Value::Nil));
    let expected = "0 read nil -> nil
3 cas [2 4] -> mismatch
1 write 3 -> unknown
0 read nil -> unknown
0 write -1 -> pending
";
    // A compare-and-set did not meet 2: a fact, not a refusal.
    assert_eq!(told(&recorded), expected);
}

#[test]
fn kv_logs() {
    let recorded = well_formed(KV);
    assert_eq!((recorded.format, &recorded.initial), ("kv log", &Value::text("")));
    assert_eq!(
        told(&recorded),
        "9 append [0 x \"9\" 0 y] -> [0 x \"9\" 0 y]\n4 get [1 nil] -> [1 ]\n4 put [1 é] -> unknown\n"
    );
    assert_eq!(recorded.history.operations[1].completed.map(|mark| mark.time), Some(17));
    assert_eq!(recorded.history.operations[0].input, Value::pair(Value::text("0"), Value::text("x \"9\" 0 y")));
}

#[test]
fn json_lines() {
    let recorded = well_formed(JSONL);
    assert_eq!((recorded.format, &recorded.initial, recorded.history.len()), ("JSON Lines", &Value::Nil, 1));
    assert!(recorded.is_complete && recorded.has_real_time);
    well_formed(&format!("\u{feff}\n\n{JSONL}"));
    well_formed(&format!("stray words\n{JSONL}"));
    assert!(read(JSONL.replace('\n', "\r\n").as_bytes(), Input::Jsonl).is_ok(), "line ends of Windows");
    let balances = "{\"process\":0,\"type\":\"invoke\",\"f\":\"read\"}
{\"process\":0,\"type\":\"ok\",\"f\":\"read\",\"value\":{\"1\":5,\"0\":[true]}}\n";
    assert_eq!(told(&well_formed(balances)), "0 read nil -> [[0 [true]] [1 5]]\n");
}

#[test]
fn edn() {
    let recorded = well_formed(EDN);
    assert_eq!((recorded.format, recorded.has_real_time, recorded.is_complete), ("EDN", true, true));
    // Nobody needs what an unknown outcome read, or what the nemesis did.
    assert_eq!(told(&recorded), "0 write 3 -> 3\n1 cas [3 -4] -> refused\n2 read nil -> unknown\n");
    let write = &recorded.history.operations[0];
    assert_eq!((write.node.as_deref(), write.invoked.time), (Some("n1"), 205));
    assert_eq!(write.completed.map(|mark| mark.time), Some(0), "times are whole numbers");
}

#[test]
fn values_of_edn() {
    let value = |text: &str| {
        let event = format!("{{:process 0 :type :invoke :f :x :value {text}}}");
        well_formed(&event).history.operations[0].input.clone()
    };
    assert_eq!(value("{1 0, 0 {:b :a}}").to_string(), "[[0 [[b a]]] [1 0]]");
    assert_eq!(value("#{3 1 2}").to_string(), "[1 2 3]");
    assert_eq!(
        value("(true false nil sym/bol :key/word -7 +7 7N)").to_string(),
        "[true false nil sym/bol key/word -7 7 7]"
    );
    assert_eq!(value(r#""\n\t\r\b\f\"\\é\u00e9\ud800""#), Value::text("\n\t\r\u{8}\u{c}\"\\éé\u{fffd}"));
    assert_eq!(value("\"over\ntwo lines\""), Value::text("over\ntwo lines"));
    assert_eq!(value(r"[\a \newline \} \é \(]"), Value::List(["a", "newline", "}", "é", "("].map(Value::text).into()));
    assert_eq!(value("#inst \"2020\""), Value::text("2020"));
    assert_eq!(value("[ ; none\n #_ 1 ]"), Value::List([].into()));
    assert_eq!(value("-9223372036854775808"), Value::Int(i64::MIN));
}

#[test]
fn lists_of_events() {
    let events = |open: &str, between: &str, close: &str| {
        let invoke = "{:process 3 :type :invoke :f :read}";
        told(&well_formed(&format!("{open}{invoke}{between}{{:process 3 :type :ok, :f :read :value 1}}{close}")))
    };
    for (open, between, close) in
        [("[", "\n ", "]"), ("(", " ; one\n,", "\n)\n"), ("; two\n[\n", ",", "\n] ; three"), ("", "", "")]
    {
        assert_eq!(events(open, between, close), "3 read nil -> 1\n", "{open:?}");
    }
}

#[test]
fn transactions() {
    let text = "{:type :invoke, :value [[:r 2 nil] [:append 2 1]], :process 0}
{:type :ok, :value [[:r 2 [5]] [:append 2 1]], :process 0}\n";
    let recorded = well_formed(text);
    assert_eq!(told(&recorded), "0 txn [[r 2 nil] [append 2 1]] -> [[r 2 [5]] [append 2 1]]\n");
    // What it reads may have been there before.
    assert!(!recorded.is_complete && recorded.has_real_time);
}

#[test]
fn operations_of_nobody_take_turns() {
    let reads = "[{:type :invoke, :f :read, :value [[:r 0 nil]]}, {:type :ok, :f :read, :value [[:r 0 1]]}
        {:type :info, :f :start}
        {:type :invoke, :f :read, :value [[:r 0 nil]]}, {:type :ok, :f :read, :value [[:r 0 2]]}]";
    assert_eq!(told(&well_formed(reads)), "0 read [[r 0 nil]] -> [[r 0 1]]\n1 read [[r 0 nil]] -> [[r 0 2]]\n");
    let invoke = "{:type :invoke, :f :read}\n";
    assert!(wrong(&invoke.repeat(2), Input::Auto).2.starts_with("no `process` is named"));
    assert!(wrong(&format!("{invoke}{{:process 1 :type :ok}}"), Input::Auto).2.starts_with("some events name"));
    assert!(
        wrong(&format!("{{:process 1 :type :invoke :f :read}}\n{invoke}"), Input::Auto)
            .2
            .starts_with("some events name")
    );
}

#[test]
fn json() {
    let recorded = well_formed(JSON);
    assert_eq!(
        (recorded.format, told(&recorded).as_str()),
        ("Jepsen JSON", "0 read nil -> [[9 [true false]] [10 -7] [x 1]]\n")
    );
    let spread =
        "[\n  {\n    \"process\": 0,\n    \"type\": \"invoke\",\n    \"f\": \"add\",\n    \"value\": 1\n  }\n]\n";
    let lines = "{\"process\":0,\"type\":\"invoke\",\"f\":\"add\",\"value\":1},\n{\"process\":0,\"type\":\"ok\",\"f\":\"add\",\"value\":1}";
    let listed = format!("[\n{lines}\n]");
    for (text, expected) in [(spread, "0 add 1 -> pending\n"), (lines, "0 add 1 -> 1\n"), (&*listed, "0 add 1 -> 1\n")]
    {
        let recorded = well_formed(text);
        assert_eq!((recorded.format, told(&recorded).as_str()), ("Jepsen JSON", expected), "{text}");
    }
}

#[test]
fn violin() {
    let recorded = well_formed(VIOLIN);
    assert_eq!(recorded.format, "Violin log");
    assert_eq!(told(&recorded), "1 enqueue 3 -> 3\n2 dequeue nil -> nil\n3 dequeue nil -> a\n4 enqueue b -> pending\n");
    let stack = "[1] call push(3)\n[2] call pop\n[2] return 3\n";
    assert_eq!(told(&well_formed(stack)), "1 push 3 -> pending\n2 pop nil -> 3\n");
    let stack = "# @object atomic-stack\n[1] call add(3)\n[2] call remove\n";
    assert_eq!(told(&well_formed(stack)), "1 push 3 -> pending\n2 pop nil -> pending\n");
}

#[test]
fn awdit() {
    let recorded = well_formed(AWDIT);
    assert_eq!((recorded.format, recorded.has_real_time, recorded.is_complete), ("AWDIT history", false, true));
    let expected = "0 txn [[w 0 1] [r 1 nil]] -> [[w 0 1] [r 1 0]]
0 txn [[r 0 nil]] -> [[r 0 1]]
1 txn [[w 1 2]] -> [[w 1 2]]
";
    assert_eq!(told(&recorded), expected);
    let (_, question) = recorded.asked(Model::RwRegister, None);
    assert_eq!(question.initial, Some(Value::Int(0)));
    assert!(!question.has_real_time, "nobody knows what came before what");
}

/// What a `cas-register` holds at first, and what nil tells of it, is a custom.
#[test]
fn customs_of_formats() {
    let nil_read = "{:process 0 :type :invoke :f :read}\n{:process 0 :type :ok :f :read :value nil}\n";
    let asked = |text: &str, model: Model, initial: Option<Value>| {
        let (history, question) = well_formed(text).asked(model, initial);
        (history.operations[0].outcome == Outcome::Unknown, question.initial)
    };
    assert_eq!(asked(nil_read, Model::CasRegister, None), (true, Some(Value::Int(0))));
    assert_eq!(asked(nil_read, Model::CasRegister, Some(Value::Int(7))), (true, Some(Value::Int(7))));
    assert_eq!(asked(nil_read, Model::CasRegister, Some(Value::Nil)), (false, Some(Value::Nil)));
    assert_eq!(asked(nil_read, Model::Register, None), (false, Some(Value::Nil)));
    assert_eq!(asked(ETCD, Model::CasRegister, None), (false, Some(Value::Nil)));
    assert_eq!(asked(KV, Model::Kv, None).1, Some(Value::text("")));
    assert_eq!(asked(VIOLIN, Model::Queue, None).1, None);
}

#[test]
fn inputs_have_names() {
    for input in Input::ALL {
        assert_eq!(Input::from_name(input.name()), Some(input));
    }
    assert_eq!(Input::from_name("knossos"), None);
}

#[test]
fn a_format_can_be_named() {
    let inputs =
        [Input::Porcupine, Input::Porcupine, Input::Jsonl, Input::Edn, Input::Json, Input::Violin, Input::Awdit];
    for (text, input) in ALL.into_iter().zip(inputs) {
        assert_eq!(read(text.as_bytes(), input).ok(), Some(well_formed(text)));
        let other = if input == Input::Violin { Input::Awdit } else { Input::Violin };
        let (line, _, message) = wrong(text, other);
        assert!(line >= 1 && message.contains(if other == Input::Violin { "@object" } else { "`w 4 2`" }), "{message}");
    }
    assert_eq!(read(KV.as_bytes(), Input::Edn).map(|recorded| recorded.initial).ok(), Some(Value::Nil));
}

#[test]
fn bad_etcd_logs() {
    let etcd = |line: &str| wrong(&format!("{ETCD}INFO  jepsen.util - {line}\n"), Input::Auto);
    let (line, column, message) = etcd("2\t:invoke\t:cas\t[2]");
    assert_eq!((line, column, &*message), (11, 36, "expected two values such as `[2 4]`, found `[2]`"));
    assert_eq!(etcd("2\t:invoke\t:write\tx").2, "expected a whole number or `nil`, found `x`");
    assert_eq!(etcd("2\t:begin\t:write\t1").2, "expected `:invoke`, `:ok`, `:fail` or `:info`, found `:begin`");
    assert_eq!(etcd("2\t:invoke\t:wr").2, "expected `:read`, `:write` or `:cas`, found `:wr`");
    assert_eq!(etcd("2\t:ok\t:write\t1").2, "process 2 completes an operation it never invoked");
    assert_eq!(etcd("0\t:ok\t:read\t1").2, "process 0 completes a `read`, but what it had invoked is a `write`");
    assert!(etcd("0\t:invoke\t:read\tnil").2.contains("one thing at a time"));
}

#[test]
fn bad_edn() {
    let edn = |form: &str| wrong(&format!("{EDN}{form}"), Input::Auto);
    let says = |form: &str, column: usize, expected: &str| {
        let (line, found, message) = edn(form);
        assert_eq!((line, found, &*message), (12, column, expected), "{form}");
    };
    says("{:process 1, :value \"x 0", 1, "what begins here has no end; is the file cut off?");
    says("{:process 1, :value [1 2}", 25, "expected `]`, found `}`");
    says("{:process 1, :value}", 20, "expected a value, found `}`");
    says("{:value {1 2 3}}", 9, "this map has a key without a value");
    says("{:process 1 :type 2}", 19, "unknown type `2`; it is one of `invoke`, `ok`, `fail`, `info`");
    says("{:process 1 :type :okay}", 19, "unknown type `okay`; it is one of `invoke`, `ok`, `fail`, `info`");
    says("{:process -1}", 11, "`process` must be a number, such as 9, found `-1`");
    says("{:process [1]}", 11, "`process` must be a number, such as 9, found a list");
    says("{:process 1.5}", 11, "only whole numbers of 64 signed bits are known, found `1.5`");
    says("{:process 3 :f 3}", 16, "`f` must be a word, such as read, found `3`");
    says("  {:process 1 :f :read}", 3, "`type` is missing; it is one of `invoke`, `ok`, `fail`, `info`");
    says("{:process 3 :type :invoke}", 1, "`f` is missing; it names what was asked, such as read");
    says("{:process 3 :type :ok :f :read}", 1, "process 3 completes an operation it never invoked");
    says(
        "{:process 3 :type :invoke :f :write :value [1 2.5]}",
        47,
        "only whole numbers of 64 signed bits are known, found `2.5`",
    );
    says(
        "{:process 3 :type :invoke :f :write :value 9223372036854775808}",
        44,
        "only whole numbers of 64 signed bits are known, found `9223372036854775808`",
    );
    says("{:process 3 :f \"\\q\"}", 17, r#"expected one of \n, \t, \r, \b, \f, \", \\, \u0041"#);
    says(
        "#{1}",
        2,
        "expected an event such as `{:process 0, :type :invoke, :f :read, :value nil}`, found something that begins with `#`",
    );
    says(
        "x",
        1,
        "expected an event such as `{:process 0, :type :invoke, :f :read, :value nil}`, found something that begins with `x`",
    );
    says("]", 1, "this `]` closes nothing");
    says("[", 2, "the `]` of the list at 12:1 is missing; is the file cut off?");
    says("{:process 1\n:process \"\u{1}", 1, "what begins here has no end; is the file cut off?");
    let (line, column, _) = edn("{:process 0\n\n  :f 3}");
    assert_eq!((line, column), (14, 6), "in a map of several lines");
    assert!(edn(&"{:a ".repeat(1000)).2.contains("nested too deep"));
    for nested in ["#a ", "#_ #a ", "#a #_ "] {
        assert!(edn(&format!("{{:value {}1}}", nested.repeat(100_000))).2.contains("nested too deep"), "{nested}");
    }
    let write = "{:process 5 :type :invoke :f :write :value 1}\n";
    assert_eq!(
        edn(&format!("{write}{{:process 5 :type :ok :f :read}}")).2,
        "process 5 completes `read`, but what it had invoked is a `write`"
    );
}

#[test]
fn bad_json() {
    let json = |rest: &str| wrong(&format!("{}{rest}", JSON.trim_end_matches(']')), Input::Auto);
    assert_eq!(json(""), (4, 1, "the `]` of the list at 1:1 is missing; is the file cut off?".to_owned()));
    assert_eq!(json(",{\"process\": 1,\n").2, "what begins here has no end; is the file cut off?");
    assert_eq!(json(",\n {\"process\": 1, \"f\" 3}"), (5, 21, "expected `:`".to_owned()));
    assert_eq!(json(",\n {\"process\": \n true x}").0, 6);
    assert_eq!(json(",\n [1]").1, 2);
    let float = json(", {\"process\": 3, \"type\": \"invoke\", \"f\": \"write\", \"value\": [1, 2.5]}]");
    assert_eq!((float.0, &*float.2), (4, "only whole numbers of 64 signed bits are known, found 2.5"));
    assert!((60..70).contains(&float.1), "{}", float.1);
    assert!(json(&format!(", {{\"value\": {}", "[".repeat(1000))).2.contains("nested too deep"));
}

#[test]
fn bad_json_lines() {
    let jsonl = |line: &str| wrong(&format!("{JSONL}{line}\n"), Input::Auto);
    assert_eq!(jsonl("{\"process\":0,").0, 3);
    assert_eq!(
        jsonl("{\"process\":2.5,\"type\":\"invoke\",\"f\":\"read\"}").2,
        "only whole numbers of 64 signed bits are known, found 2.5"
    );
    let (line, column, message) =
        jsonl("{\"process\":2,\"type\":\"invoke\",\"f\":\"write\",\"value\":18446744073709551615}");
    assert_eq!((line, &*message), (3, "18446744073709551615 does not fit 64 signed bits"));
    assert!((50..72).contains(&column), "{column}");
    assert!(jsonl("[1]").2.contains("expected an event such as"));
    let cut = wrong(&format!("{JSONL}{{\"process\":0,"), Input::Auto);
    assert!(cut.2.ends_with("the file ends in the middle of this line: without it, the rest can be judged"));
}

#[test]
fn bad_violin_logs() {
    let violin = |line: &str| wrong(&format!("{VIOLIN}  {line}\n"), Input::Auto);
    let says = |line: &str, column: usize, expected: &str| {
        assert_eq!(violin(line), (11, column, expected.to_owned()), "{line}");
    };
    says("hello", 3, "expected `[1] call add(3)` or `[1] return 3`, found `hello`");
    says("[5] calls", 7, "expected `call` or `return`, found `calls`");
    says("[5] call jump(1)", 7, "expected `add(3)` or `remove`, found `jump(1)`");
    says("[5] call add(1", 7, "expected `)` at the end of `add(1`");
    says("[5] call add", 7, "`add` takes a value, such as `add(3)`");
    says("[5] call remove(1)", 7, "`remove` takes no value");
    says("[5] return", 7, "operation 5 returns and was never called");
    says("[4] return 1", 7, "what adds a value returns none");
    says("# @object atomic-set", 13, "expected `atomic-queue` or `atomic-stack`, found `atomic-set`");
    assert!(violin("[4] call remove").2.contains("one thing at a time"));
    assert_eq!(wrong("[1] call pop\n[1] return\n", Input::Auto).2, "what removes returns the value, or `empty`");
    assert!(wrong("[1] call add(1)\n", Input::Auto).2.starts_with("is it a queue or a stack?"));
}

#[test]
fn bad_awdit_histories() {
    let awdit = |line: &str| wrong(&format!("{AWDIT}{line}\n"), Input::Auto);
    let expected = "expected a line such as `r 4 2`, `w 4 2`, `-----` or `=====`, found";
    for line in ["r 4", "r 4 2 1", "w x 2", "x 4 2", "--=--", "w 1 9223372036854775808"] {
        assert_eq!(awdit(&format!("  {line}")), (8, 3, format!("{expected} `{line}`")));
    }
}

#[test]
fn what_is_no_history_is_one_clear_error() {
    assert!(wrong("", Input::Auto).2.starts_with("the file holds no history, it is empty; expected one of JSON Lines"));
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

#[test]
fn what_is_no_text_is_named() {
    let not_text = "this is not text; save the file as UTF-8";
    for (text, line) in [(JSONL, 2), (EDN, 3), (JSON, 2), (ETCD, 3), (VIOLIN, 5), (AWDIT, 2)] {
        let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
        let mut bytes = text.as_bytes().to_vec();
        bytes[start + 3] = 0xff;
        assert_eq!(malformed(&bytes, Input::Auto), Malformed { line, column: 4, message: not_text.to_owned() });
    }
    let malformed = malformed(&[0xff; 1000], Input::Auto);
    assert_eq!(malformed, Malformed { line: 1, column: 1, message: not_text.to_owned() });
}

#[test]
fn what_is_too_long_is_refused() {
    let endless = |begun: &'static str| {
        let source = begun.as_bytes().chain(io::repeat(b'x').take(1 << 30));
        match read(BufReader::with_capacity(1 << 20, source), Input::Auto).expect_err("malformed") {
            Unreadable::Malformed(Malformed { line, column, message }) => (line, column, message),
            Unreadable::Source(error) => panic!("{error}"),
        }
    };
    let line = "{\"process\":0,\"type\":\"invoke\",\"f\":\"read\"}\n";
    assert_eq!(endless(line), (2, 1, "this line is longer than 64 MiB".to_owned()));
    assert_eq!(endless(" {:value \""), (1, 2, "what begins here is longer than 64 MiB".to_owned()));
}

/// Fails after some bytes.
struct Broken(usize);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let line = JSONL.lines().next().unwrap_or_default();
        if self.0 == 0 {
            return Err(io::Error::other("the cable is out"));
        }
        let text = format!("{}\n", line.replace("\"process\":0", &format!("\"process\":{}", self.0)));
        self.0 -= 1;
        buffer[..text.len()].copy_from_slice(text.as_bytes());
        Ok(text.len())
    }
}

#[test]
fn a_source_that_fails_is_no_bad_line() {
    for lines in [0, 1, 30_000] {
        let unreadable = read(BufReader::new(Broken(lines)), Input::Auto).expect_err("it fails");
        assert!(
            matches!(&unreadable, Unreadable::Source(error) if error.to_string() == "the cable is out"),
            "{unreadable}"
        );
    }
}

/// A character that means something somewhere, or any.
fn character() -> impl Strategy<Value = char> {
    prop_oneof![
        prop::sample::select("{}[]():;#_=,\"\\\t\n -0189nilrw\u{feff}é".chars().collect::<Vec<_>>()),
        any::<char>()
    ]
}

/// What holds of any bytes: reading them in pieces is reading them whole, errors are somewhere, and what was read can be
/// written and read again.
fn stands(bytes: &[u8], input: Input) -> Result<(), TestCaseError> {
    match (read(bytes, input), read(BufReader::with_capacity(3, bytes), input)) {
        (Ok(whole), Ok(pieces)) => {
            prop_assert_eq!(&whole, &pieces);
            prop_assert_eq!(jsonl::read(&jsonl::write(&whole.history)), Ok(whole.history));
        }
        (Err(Unreadable::Malformed(whole)), Err(Unreadable::Malformed(pieces))) => {
            prop_assert_eq!(&whole, &pieces);
            prop_assert!(whole.line >= 1 && whole.column >= 1 && !whole.message.is_empty());
        }
        other => prop_assert!(false, "{other:?}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_spoilt_history_makes_a_reader_panic(
        sample in prop::sample::select(ALL.to_vec()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..3, character()), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
        input in prop::sample::select(vec![Input::Auto, Input::Auto, Input::Edn, Input::Json, Input::Jsonl]),
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
        stands(text.into_iter().collect::<String>().as_bytes(), input)?;
    }

    #[test]
    fn no_bytes_make_a_reader_panic(
        sample in prop::sample::select(ALL.to_vec()),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        is_after in any::<bool>(),
        input in prop::sample::select(Input::ALL.to_vec()),
    ) {
        let before = if is_after { sample.as_bytes() } else { b"" };
        stands(&[before, &bytes].concat(), input)?;
    }
}
