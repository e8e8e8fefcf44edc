//! The page of a run: that it stands alone, says what the record says, and holds whatever a record holds.

mod common;

use common::{MS, any_record, failing, passing, pictured, watching};
use history::{Arrow, Moment, Note, Picture, RunRecord, Source};
use proptest::prelude::*;
use reports::draw::Figure;
use reports::page::{SIZE_MAX, page};
use reports::plot::figures;

fn drawn(record: &RunRecord) -> String {
    page(record, &figures(record))
}

/// A failing run with a message diagram, and with everything a page has a place for.
fn full() -> RunRecord {
    let arrow = |from: &str, to: &str, sent_ms: u64, label: &str| Arrow {
        from: from.to_owned(),
        to: to.to_owned(),
        sent_ns: sent_ms * MS,
        arrived_ns: (sent_ms + 2) * MS,
        label: label.to_owned(),
        text: format!("{label} {{ term: 2 }}"),
        lost: None,
        count: 1,
        is_cause: true,
    };
    let lost = Arrow { lost: Some("cut".to_owned()), is_cause: false, ..arrow("n1", "n2", 4_000, "AppendEntries") };
    let bundle = Arrow { count: 14, ..arrow("n2", "n1", 4_010, "AppendEntries") };
    let note =
        Note { machine: "n2".to_owned(), at_ns: 4_005 * MS, text: "leader of term 2".to_owned(), is_cause: true };
    let moment = Moment {
        title: "How c2 came to read 1".to_owned(),
        from_ns: 4_000 * MS,
        to_ns: 9_000 * MS,
        machines: ["n1", "n2", "c2"].map(str::to_owned).to_vec(),
        arrows: vec![lost, bundle, arrow("n2", "c2", 8_990, "Reply")],
        notes: vec![note],
        left_out: 7,
    };
    RunRecord {
        source: Some(Source {
            program: "stormglass".to_owned(),
            file: "it's a cut.toml".to_owned(),
            set: vec!["fault.0.target=\"one of all\"".to_owned()],
            resolved: "scenario = 1\n".to_owned(),
        }),
        picture: Some(Picture { moments: vec![moment], ..pictured().picture.expect("it has one") }),
        ..failing()
    }
}

/// The text between the tags.
fn read(html: &str) -> String {
    let body = html.split_once("<body>").map_or(html, |(_, body)| body);
    let mut text = String::new();
    let mut is_tag = false;
    for c in body.chars() {
        match c {
            '<' => is_tag = true,
            '>' => {
                is_tag = false;
                text.push(' ');
            }
            c if !is_tag => text.push(c),
            _ => {}
        }
    }
    let text = text.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">");
    text.replace("&amp;", "&").replace('\u{202f}', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn assert_tells(html: &str, wanted: &[&str]) {
    let text = read(html);
    for wanted in wanted {
        assert!(text.contains(wanted), "`{wanted}` is missing in:\n{text}");
    }
}

/// Every tag that opens closes, in order; and nothing stands there that is neither text nor tag. What is within styles
/// and scripts is theirs.
fn assert_well_formed(html: &str) -> Result<(), TestCaseError> {
    const VOID: [&str; 2] = ["meta", "br"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html.strip_prefix("<!DOCTYPE html>").expect("it says what it is");
    while let Some(at) = rest.find('<') {
        prop_assert!(!rest[..at].contains('>'), "a bare > in {:?}", &rest[..at]);
        let end = rest[at..].find('>').map(|end| at + end);
        let Some(end) = end else { return Err(TestCaseError::fail(format!("a tag without end: {}", &rest[at..]))) };
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap_or_default();
        prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric()) && !name.is_empty(), "<{tag}>");
        prop_assert_eq!(tag.matches('"').count() % 2, 0, "<{}>", tag);
        if tag.starts_with('/') {
            prop_assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name);
            if ["style", "script"].contains(&name) {
                rest = &rest[rest.find(&format!("</{name}>")).expect("it ends")..];
            }
        }
    }
    prop_assert!(open.is_empty(), "still open: {open:?}");
    Ok(())
}

#[test]
fn a_failure_opens_with_the_reason_and_the_command_that_shows_it() {
    let html = drawn(&full());
    assert_tells(
        &html,
        &[
            "leader-cut · seed 42",
            "✗ FAIL : “linearizable” does not hold",
            "expectations held",
            r#"stormglass replay 'it'\''s a cut.toml' --seed 42 --set 'fault.0.target="one of all"' --from "#,
            r#"stormglass run 'it'\''s a cut.toml' --seed 42 --set 'fault.0.target="one of all"'"#,
            "fingerprint 00000000deadbeef",
            "Why it failed",
            "read the whole message. How c2 came to read 1 From 4.0 s to 9.0 s.",
            "Not drawn: 7 other messages of this time.",
            "14 × AppendEntries",
            "Words availability",
        ],
    );
    // Each number of the argument is given by the list, and stands in the picture.
    assert!(!html.contains("<li>1. "), "numbered once");
}

#[test]
fn what_stopped_the_run_is_replayed_from_its_diagram_on() {
    let mut record = full();
    record.findings.iter_mut().for_each(|finding| finding.witness = None);
    let moment = record.picture.as_ref().expect("it has one").moments[0].clone();
    assert!(!read(&drawn(&record)).contains("--from"), "it is about no moment");
    record.simulated_ns = moment.to_ns;
    assert_tells(&drawn(&record), &["--from 4s --until 9.05s"]);
}

#[test]
fn a_run_that_holds_says_what_was_demanded_and_shows_its_numbers() {
    let html = drawn(&passing());
    assert_tells(
        &html,
        &[
            "✓ PASS : everything expected was checked, and held",
            "Demanded and found: linearizable, availability >= 80%.",
            "4 of 4 expectations held. 0 of 1 goal met.",
            "availability 86.36 % less than one nine",
            "best possible 99.09 % 12.73 % missed",
            "time to recover 2 s mean of 1 longest 2 s",
            "operations ok 95 15 unknown 0 refused",
            "no leader 1.5 s, wrong node asked 500 ms",
            "This record does not say which scenario file it came from.",
        ],
    );
    assert!(!read(&html).contains("Message by message"));
}

#[test]
fn a_run_without_operations_says_so_instead_of_showing_empty_cards() {
    let html = drawn(&RunRecord { operations: None, availability: None, latency: None, ..passing() });
    assert_tells(&html, &["This system has no clients"]);
    assert!(!html.contains("<dl class=\"cards\""));
}

#[test]
fn a_run_of_watchers_shows_how_well_they_watched() {
    let html = drawn(&watching());
    assert_tells(
        &html,
        &[
            "p99 detection time 540 ms p50 412 ms max 550 ms",
            "crashes found 3 1 missed 20 pairs watched",
            "mistakes 2 1 about healthy 30.5 an hour of a pair",
            "mistake duration 160 ms",
            "query accuracy 99.98 %",
            "messages 39.9 a node and second",
            "A node that is up comes to be suspected.",
        ],
    );
    assert!(!read(&html).contains("This system has no clients"));
    assert!(!read(&drawn(&passing())).contains("A node that is up comes to be suspected."));
}

#[test]
fn an_interrupted_run_is_marked_at_the_top() {
    let html = drawn(&RunRecord { interrupted: true, ..passing() });
    let (mark, verdict) = (html.find("Interrupted:"), html.find("<h2 id=\"verdict\""));
    assert!(mark.is_some() && mark < verdict);
    assert!(!drawn(&passing()).contains("Interrupted:"));
}

#[test]
fn nothing_comes_from_outside() {
    for record in [full(), passing()] {
        let own = |text: String| text.replace("xmlns=\"http://www.w3.org/2000/svg\"", "").replace("url(#", "");
        let html = own(drawn(&record));
        for asked in ["http://", "https://", "//", "src=", "url(", "@import", "<link", "<img", "<iframe", "srcset"] {
            assert!(!html.contains(asked), "{asked}");
        }
        for figure in figures(&record) {
            let file = own(figure.file());
            for asked in ["http", "url(", "@import", "href"] {
                assert!(!file.contains(asked), "{asked} in {}", figure.name);
            }
        }
    }
}

#[test]
fn what_a_scenario_is_called_is_text_and_nothing_else() {
    let evil = "</title></style><script>alert(1)</script>\"'&\u{1b}[31m";
    let mut record = full();
    let named = [&mut record.scenario, &mut record.about, &mut record.protocol, &mut record.version, &mut record.data];
    for text in named.into_iter().chain([&mut record.fingerprint]) {
        *text = evil.to_owned();
    }
    for finding in &mut record.findings {
        finding.check = evil.to_owned();
        finding.detail = evil.to_owned();
        finding.promise = Some(evil.to_owned());
        for op in finding.witness.iter_mut().flat_map(|witness| &mut witness.operations) {
            op.client = evil.to_owned();
            op.f = evil.to_owned();
        }
    }
    for fault in &mut record.faults {
        fault.name = evil.to_owned();
        fault.who = evil.to_owned();
    }
    for outage in &mut record.outages {
        outage.who = history::Who::Place(evil.to_owned());
        outage.faults = vec![evil.to_owned()];
    }
    let source = record.source.as_mut().expect("it has one");
    (source.file, source.set, source.resolved) = (evil.to_owned(), vec![evil.to_owned()], evil.to_owned());
    for moment in &mut record.picture.as_mut().expect("it has one").moments {
        moment.title = evil.to_owned();
        for arrow in &mut moment.arrows {
            (arrow.label, arrow.text) = (evil.to_owned(), evil.to_owned());
            arrow.lost = Some(evil.to_owned());
        }
        moment.notes[0].text = evil.to_owned();
    }
    let html = drawn(&record);
    assert_eq!(html.matches("<script>").count(), 1, "its own");
    assert!(!html.contains("alert(1)</script>") && !html.contains('\u{1b}'));
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "it is there, as text");
    assert_well_formed(&html).expect("well formed");
}

#[test]
fn headings_follow_each_other_and_tables_are_named() {
    let html = drawn(&full());
    let levels: Vec<u32> =
        html.match_indices("<h").filter_map(|(at, _)| html[at + 2..].chars().next()?.to_digit(10)).collect();
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert_eq!(levels[0], 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    assert_eq!(html.matches("<table>").count(), html.matches("<caption>").count());
    assert!(html.matches("<table>").count() >= 3);
    assert_eq!(html.matches("<svg").count(), html.matches("role=\"img\"").count());
}

#[test]
fn the_same_record_gives_the_same_bytes() {
    assert_eq!(drawn(&full()), drawn(&full()));
}

#[test]
fn a_page_that_would_be_too_large_leaves_out_and_says_what() {
    let mut record = full();
    record.source.as_mut().expect("it has one").resolved = "x".repeat(100);
    record.buckets = vec![record.buckets[0]; 3];
    let figure = |name: &str, size: usize| Figure {
        name: name.to_owned(),
        title: String::new(),
        description: String::new(),
        width: 10.0,
        height: 10.0,
        elements: "<path d=\"M0 0\"/>".repeat(size / 16),
    };
    let small = [figure("timeline", 100), figure("moment-1", 100)];
    assert!(!page(&record, &small).contains("It leaves out"));
    let large_moment = [figure("timeline", 100), figure("moment-1", SIZE_MAX)];
    let html = page(&record, &large_moment);
    assert!(html.len() <= SIZE_MAX);
    assert_tells(
        &html,
        &["leaves out the tables of data", "run.json", "the message diagrams, which are in files beside it"],
    );
    assert!(html.contains("id=\"timeline-title\"") && !html.contains("id=\"moment-1-title\""));
    let html = page(&record, &[figure("timeline", SIZE_MAX)]);
    assert!(html.len() <= SIZE_MAX && !html.contains("id=\"timeline-title\""));
    assert_tells(&html, &["and the pictures, which are in files beside it"]);
}

#[test]
fn no_record_is_too_large_for_a_page() {
    let mut record = full();
    let long = "<".repeat(20_000);
    record.about = long.clone();
    record.findings = vec![history::Finding { detail: long.clone(), ..record.findings[0].clone() }; 400];
    record.outages = vec![history::Outage { faults: vec![long.clone(); 5], ..record.outages[0].clone() }; 100];
    let html = drawn(&record);
    assert!(html.len() <= SIZE_MAX, "{}", html.len());
    assert_tells(&html, &["And 360 more, all in run.json."]);
}

/// What stands in commands, too.
#[test]
fn no_text_of_a_record_is_too_long_for_a_page() {
    let long = "<'".repeat(1_000_000);
    let source = || full().source.expect("it has one");
    for record in [
        RunRecord { protocol: long.clone(), ..full() },
        RunRecord { flaws: vec![long.clone()], ..full() },
        RunRecord { source: Some(Source { program: long.clone(), ..source() }), ..full() },
        RunRecord { source: Some(Source { file: long.clone(), ..source() }), ..full() },
        RunRecord { source: Some(Source { set: vec![long.clone()], ..source() }), ..full() },
    ] {
        let html = drawn(&record);
        assert!(html.len() <= SIZE_MAX, "{}", html.len());
    }
}

#[test]
fn however_many_violations_there_are_a_few_are_drawn_and_told_briefly() {
    let mut record = failing();
    let mut finding = record.findings.iter().find(|finding| finding.witness.is_some()).expect("one").clone();
    finding.detail = "<".repeat(100_000);
    finding.witness.as_mut().expect("it has one").argument = vec!["a sentence".repeat(100); 10_000];
    record.findings = vec![finding; 100];
    let figures = figures(&record);
    assert!(figures.iter().filter(|figure| figure.name.starts_with("witness-")).count() < 20);
    assert!(figures.iter().all(|figure| figure.file().len() < 100_000));
}

/// Somebody else's system is no word of ours.
#[test]
fn a_page_names_the_command_that_made_it() {
    let source = Source { program: "mine".to_owned(), ..full().source.expect("it has one") };
    let html = drawn(&RunRecord { source: Some(source), flaws: Vec::new(), protocol: "two".to_owned(), ..full() });
    assert_tells(&html, &["mine explain two", "mine run ", "mine replay "]);
    assert!(!read(&html).contains("stormglass explain"));
}

#[test]
fn a_witness_is_drawn_with_its_offender_its_servers_and_the_moment_that_decides() {
    let figures = figures(&full());
    let witness = figures.iter().find(|figure| figure.name == "witness-1").expect("there is one");
    let svg = &witness.elements;
    let text = read(svg);
    for op in &failing().findings.iter().find_map(|finding| finding.witness.clone()).expect("one").operations {
        assert!(text.contains(&op.client), "{text}");
    }
    assert_eq!(svg.matches("class=\"s-bad\" stroke-width=\"3\"").count(), 1, "one offender, outlined: {svg}");
    assert!(text.contains("had replaced") && text.contains("by here"), "{text}");
    assert!(text.contains(", leader of term 1"), "{text}");
    assert!(!witness.description.is_empty());
}

#[test]
fn an_operation_nobody_heard_of_again_is_open_and_dashed() {
    let mut record = failing();
    let witness = record.findings.iter_mut().find_map(|finding| finding.witness.as_mut()).expect("one");
    witness.operations[0].ended = history::Ended::Info;
    witness.operations[0].returned = None;
    let svg = &figures(&record).into_iter().find(|figure| figure.name == "witness-1").expect("one").elements;
    assert_eq!(svg.matches("class=\"s-unknown\" stroke-width=\"1.6\" stroke-dasharray").count(), 1, "{svg}");
    assert!(read(svg).contains("→ ?"));
}

#[test]
fn a_moment_is_drawn_with_what_was_lost_and_what_was_folded() {
    let figures = figures(&full());
    let moment = figures.iter().find(|figure| figure.name == "moment-1").expect("there is one");
    let text = read(&moment.elements);
    for told in ["n1", "n2", "c2", "AppendEntries", "14 × AppendEntries", "Reply", "cut", "leader of term 2", "4.005 s"]
    {
        assert!(text.contains(told), "{told}: {text}");
    }
    // Heads of those that arrived, and two strokes for the one that did not.
    assert_eq!(moment.elements.matches("<polygon").count(), 2);
    assert_eq!(moment.elements.matches("stroke-width=\"2\"").count(), 2);
    let described = read(&moment.description);
    assert!(
        described.starts_with("n2: leader of term 2 at 4.005 s; 14 × AppendEntries from n2 to n1 at"),
        "{described}"
    );
    assert!(described.ends_with("Reply from n2 to c2 at 8.990 s."), "{described}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    /// Records are read from files, too, and a file can hold anything.
    #[test]
    fn every_record_has_a_page(record in any_record()) {
        let html = drawn(&record);
        assert_well_formed(&html)?;
        prop_assert!(html.len() <= SIZE_MAX);
        prop_assert!(html.chars().all(|c| c == '\n' || !c.is_control()));
        prop_assert!(!html.contains("NaN") && !html.contains("inf\""));
    }
}
