//! A judged history as text, data and a page: that it says what was found, at any width, of any kind of data and of any size.

use checkers::{Budget, Consistency, Judgement, Model, Question, Rung, judge};
use history::jsonl;
use history::{
    Completion, Ended, History, Mark, Operation, Outcome, Part, Purpose, Reason, Testimony, Value, Verdict, Witness,
};
use reports::terminal::Look;
use reports::verify::{Around, Limits, Verified, figures, json, page, summary};

const LOOK: Look = Look { colour: false, unicode: true };
const ASCII: Look = Look { colour: false, unicode: false };

fn verified<'a>(history: &'a History, judgement: &'a Judgement, model: Model) -> Verified<'a> {
    Verified {
        file: "runs/history.jsonl",
        format: "JSON Lines",
        history,
        model,
        level: None,
        initial: None,
        judgement,
        ladder: None,
        limits: Limits { time_ns: 60_000_000_000, memory: 2 << 30, is_out_of_time: false },
        program: "stormglass".to_owned(),
        options: format!(" --model {}", model.name()),
        minimal: None,
    }
}

fn printed(verified: &Verified<'_>, width: usize, look: Look) -> String {
    summary(verified, &Around { wall_ns: 1_234_567, saved: Vec::new(), width }, look)
}

fn judged(history: &History, model: Model) -> Judgement {
    judge(history, &Question::of(model), &Budget::states(1_000_000)).expect("it fits the model")
}

/// Eight clients write and read one register in turns, and the last read is stale.
fn stale(operations: usize) -> History {
    let mut history = History::default();
    for number in 0..operations {
        let at =
            |event: usize| Mark { index: (2 * number + event) as u64, time: (2 * number + event) as u64 * 500_000 };
        let is_read = number % 2 == 1;
        let value = Value::Int(if number == operations - 1 { 0 } else { number as i64 / 2 });
        history.operations.push(Operation {
            process: number as u64 % 8,
            f: if is_read { "read" } else { "write" }.into(),
            input: if is_read { Value::Nil } else { value.clone() },
            invoked: at(0),
            completed: Some(at(1)),
            outcome: Outcome::Returned(Completion::Ok(value)),
            purpose: Purpose::Load,
            node: None,
        });
    }
    history
}

#[test]
fn a_stale_read_is_told_from_verdict_to_cure() {
    let history = stale(40);
    let judgement = judged(&history, Model::Register);
    let text = printed(&verified(&history, &judgement, Model::Register), 100, LOOK);
    let expected = "\
FAIL  runs/history.jsonl breaks linearizability (model register)
      p7 read 0 in the register after 19 had replaced it

      40 operations by 8 processes in 39.5ms, read as JSON Lines
                0s          8.17ms      16.3ms      24.5ms      32.7ms
";
    assert!(text.starts_with(expected), "{text}");
    let wanted = [
        "      returned  ",
        "  40\n",
        "      waiting   ",
        "  at most 1\n",
        "      violation △",
        "▲  at 39ms\n",
        "|--w(0)--|",
        "◀ fits nowhere",
        "      1. p0 wrote 0 to the register",
        "      judged by  ",
        "      took       1.23ms of 60s, within 2GiB\n",
        "--out DIR writes a page",
    ];
    for wanted in wanted {
        assert!(text.contains(wanted), "`{wanted}` is missing in:\n{text}");
    }
}

#[test]
fn nothing_is_wider_than_the_terminal() {
    let history = stale(400);
    let judgement = judged(&history, Model::Register);
    let mut wide = verified(&history, &judgement, Model::Register);
    let rungs = [Rung { name: "linearizable", verdict: Verdict::Fail, detail: "word ".repeat(60), witness: None }];
    wide.ladder = Some(&rungs);
    for width in [60, 72, 80, 100] {
        for look in [LOOK, ASCII] {
            let text = printed(&wide, width, look);
            let widest = text.lines().max_by_key(|line| line.chars().count()).unwrap_or_default();
            assert!(widest.chars().count() <= width, "{width}: `{widest}`");
            assert!(look.unicode || text.is_ascii(), "{text}");
        }
    }
}

#[test]
fn who_gets_no_answer_hears_which_option_would_help() {
    let history = stale(40);
    let judgement = Judgement {
        verdict: Verdict::Unknown,
        detail: "gave up after 7 configurations".to_owned(),
        witness: None,
        operations: 40,
        states: 7,
        methods: vec!["just-in-time search".to_owned()],
        notes: vec!["3 reads of nobody were left out".to_owned()],
    };
    let mut unknown = verified(&history, &judgement, Model::Register);
    let text = printed(&unknown, 100, LOOK);
    assert!(
        text.starts_with("UNKNOWN  whether runs/history.jsonl keeps linearizability is undecided (model register)\n")
    );
    for wanted in [
        "--memory 8GiB: the 2GiB of memory ran out",
        "--ladder: ",
        "just-in-time search, 7 configurations",
        "note       3 reads",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    unknown.limits.is_out_of_time = true;
    assert!(
        printed(&unknown, 100, LOOK).contains("--budget 600s: the 60s of time ran out"),
        "{}",
        printed(&unknown, 100, LOOK)
    );
    let page = page(&unknown, &figures(&unknown));
    assert!(page.contains("What may help") && page.contains("--budget 600s"));
}

#[test]
fn every_level_has_its_line_and_what_it_breaks_its_argument() {
    let history = stale(40);
    let judgement = judged(&history, Model::Register);
    let other = witness("the register", vec![testimony(0, 0, "write", Value::Int(1), None, 0, 1)], "another");
    let rung = |name, verdict, witness| Rung { name, verdict, detail: format!("about {name}"), witness };
    let rungs = [
        rung("linearizable", Verdict::Fail, judgement.witness.clone()),
        rung("sequential", Verdict::Fail, Some(other)),
        rung("causal", Verdict::Pass, None),
        rung("pram", Verdict::Unknown, None),
        rung("monotonic-reads", Verdict::Vacuous, None),
    ];
    let mut ladder = verified(&history, &judgement, Model::Register);
    ladder.ladder = Some(&rungs);
    let text = printed(&ladder, 100, LOOK);
    for wanted in [
        "      ✗ FAIL     linearizable     about linearizable\n",
        "      ✓ PASS     causal           about causal\n",
        "      ? UNKNOWN  pram             about pram\n",
        "      ∅ VACUOUS  monotonic-reads  about monotonic-reads\n",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let drawn: Vec<String> = figures(&ladder).into_iter().map(|figure| figure.name).collect();
    assert_eq!(drawn, ["history", "witness-1", "witness-2"]);
    let page = page(&ladder, &figures(&ladder));
    assert!(page.contains("Why not sequential") && !page.contains("Why not linearizable"));
    let data = json(&ladder, 5);
    assert_eq!((&data["level"], &data["wall_ns"]), (&"linearizable".into(), &5.into()));
    assert_eq!(
        data["ladder"][2],
        serde_json::json!({"name": "causal", "verdict": "PASS", "detail": "about causal", "witness": null})
    );
}

#[test]
fn a_page_stands_alone_and_is_small_whatever_the_size_of_its_history() {
    let history = stale(100_000);
    let judgement = judged(&history, Model::Register);
    let verified = verified(&history, &judgement, Model::Register);
    let figures = figures(&verified);
    let text = page(&verified, &figures);
    assert!(text.len() < 400_000, "{}", text.len());
    assert_eq!(text, page(&verified, &figures), "the same bytes");
    assert!(text.starts_with("<!DOCTYPE html>") && text.ends_with("</html>\n"));
    assert!(text.contains("100\u{202f}000") && text.contains("stormglass verify history.jsonl --model register"));
    for foreign in [" src=", "href=\"http", "url(", "runs/history"] {
        assert!(!text.contains(foreign), "{foreign}");
    }
    let many = History {
        operations: (0..20_000)
            .map(|process| Operation { process, completed: None, ..history.operations[process as usize].clone() })
            .collect(),
    };
    let judgement = judged(&many, Model::Register);
    let wide = self::verified(&many, &judgement, Model::Register);
    let text = page(&wide, &self::figures(&wide));
    assert!(text.len() < 400_000 && text.contains("rows not drawn"), "{}", text.len());
}

#[test]
fn a_history_can_hold_anything_and_nothing() {
    let text = "{\"process\":0,\"type\":\"invoke\",\"f\":\"\\u001b[1m<b>\",\"value\":\"</title>\",\"time\":18446744073709551615}\n";
    for history in [jsonl::read(text).expect("it can be read"), History::default()] {
        let judgement = Judgement {
            verdict: Verdict::Vacuous,
            detail: "\u{1b}<i>".to_owned(),
            witness: None,
            operations: 1,
            states: 0,
            methods: vec!["<u>".to_owned()],
            notes: Vec::new(),
        };
        let strange = Verified { file: "\u{1b}<h1>", ..verified(&history, &judgement, Model::Bank) };
        let all = [printed(&strange, 40, LOOK), page(&strange, &figures(&strange))];
        for text in all {
            assert!(!text.contains('\u{1b}'), "{text}");
        }
        let page = page(&strange, &figures(&strange));
        assert!(
            !page.contains("<b>")
                && !page.contains("<i>")
                && !page.contains("<u>")
                && page.matches("<h1>").count() == 1
        );
    }
}

fn testimony(
    index: usize,
    process: u64,
    f: &str,
    input: Value,
    returned: Option<Value>,
    from: u64,
    to: u64,
) -> Testimony {
    let mark = |index| Mark { index, time: 0 };
    Testimony {
        index,
        client: format!("p{process}"),
        process,
        f: f.to_owned(),
        input,
        ended: Ended::Ok,
        returned,
        invoked: mark(from),
        completed: Some(mark(to)),
        part: Part::Both,
        server: None,
    }
}

fn witness(object: &str, operations: Vec<Testimony>, why: &str) -> Witness {
    let offender = operations.len().checked_sub(1);
    let reason = Reason::Told {
        why: why.to_owned(),
        headline: format!("{why} in {object}"),
        because: vec!["So it cannot be.".to_owned()],
    };
    Witness::new(None, operations, offender, reason).about(object)
}

/// The words of a drawing, as the page and as the terminal have them.
fn drawn(witness: Witness) -> (String, String) {
    let history = stale(8);
    let detail = witness.headline();
    let judgement = Judgement {
        verdict: Verdict::Fail,
        detail,
        witness: Some(witness),
        operations: 8,
        states: 0,
        methods: Vec::new(),
        notes: Vec::new(),
    };
    let verified = verified(&history, &judgement, Model::Queue);
    let figure = figures(&verified).into_iter().find(|figure| figure.name == "witness-1").expect("it is drawn");
    (figure.elements, printed(&verified, 100, LOOK))
}

#[test]
fn operations_of_every_kind_of_data_have_labels_that_say_what_they_did() {
    let int = Value::Int;
    let (picture, text) = drawn(witness(
        "the queue",
        vec![
            testimony(0, 0, "enqueue", int(1), Some(int(1)), 0, 1),
            testimony(1, 0, "enqueue", int(2), None, 2, 3),
            testimony(2, 1, "dequeue", Value::Nil, Some(int(2)), 4, 5),
        ],
        "overtaken",
    ));
    for label in [">enqueue 1<", ">enqueue 2<", ">dequeue → 2<"] {
        assert!(picture.contains(label), "{label}: {picture}");
    }
    for label in ["|--enq(1)--|", "|--enq(2)--|", "|--deq()=2--|"] {
        assert!(text.contains(label), "{label}: {text}");
    }
    let (picture, text) = drawn(witness(
        "the lock",
        vec![
            testimony(0, 0, "acquire", Value::Nil, Some(Value::Nil), 0, 1),
            testimony(1, 1, "acquire", Value::Nil, None, 2, 3),
        ],
        "held twice",
    ));
    assert!(picture.contains(">acquire<") && text.contains("|--acq()--|"), "{text}");
    let step = |f: &str, key: i64, value: Value| Value::List([Value::text(f), int(key), value].into());
    let transaction = |steps: &[Value]| Value::List(steps.into());
    let asked = transaction(&[step("append", 4, int(2)), step("r", 3, Value::Nil)]);
    let heard = transaction(&[step("append", 4, int(2)), step("r", 3, transaction(&[int(1), int(2)]))]);
    let mut lost = testimony(1, 1, "txn", asked.clone(), None, 2, 3);
    lost.ended = Ended::Info;
    let (picture, text) =
        drawn(witness("the transactions", vec![testimony(0, 0, "txn", asked, Some(heard), 0, 1), lost], "G-single"));
    for label in [">append 4 2, r 3 [1 2]<", ">append 4 2, r 3 nil → ?<"] {
        assert!(picture.contains(label), "{label}: {picture}");
    }
    assert!(text.contains("|--T1--|"), "{text}");
}

#[test]
fn every_model_and_level_is_explained_by_its_name() {
    for name in Model::ALL.map(Model::name).into_iter().chain(Consistency::ALL.map(Consistency::name)) {
        let (kind, about) = reports::verify::explained(name).expect("it is explained");
        assert!(kind.contains("`verify`") && about.ends_with('.') && about.len() > 20, "{name}: {about}");
    }
    assert_eq!(reports::verify::explained("porcupin"), None);
}
