//! What the pictures of a run show; and that every record has pictures that are whole, small and within their frame.

mod common;

use common::{MS, any_record, passing, pictured};
use history::{Cell, Cloud, Dot, Fate, FaultRecord, Moment, Note, Outage, RoleSpan, RunRecord, Strip, TimeBucket};
use proptest::prelude::*;
use reports::draw::Figure;
use reports::plot::figures;

fn named(record: &RunRecord, name: &str) -> Option<Figure> {
    figures(record).into_iter().find(|figure| figure.name == name)
}

fn timeline(record: &RunRecord) -> Figure {
    named(record, "timeline").expect("it took some time")
}

/// The texts of a figure, one after the other, as one reads them.
fn texts(figure: &Figure) -> Vec<String> {
    let texts = figure.elements.split("<text ").skip(1);
    texts.filter_map(|text| text.split_once('>')?.1.split_once("</text>")).map(|(text, _)| read(text)).collect()
}

fn read(text: &str) -> String {
    text.replace('\u{202f}', " ")
}

#[track_caller]
fn assert_shows(figure: &Figure, expected: &[&str]) {
    let texts = texts(figure);
    for text in expected {
        assert!(texts.iter().any(|seen| seen == text), "{text} is not among {texts:#?}");
    }
}

#[test]
fn a_timeline_shows_who_was_served_who_served_and_what_went_wrong() {
    let figure = timeline(&pictured());
    assert_shows(&figure, &["Availability", "served 86.36 %", "possible 99.09 %", "eu-west 75.00 %", "eu-west read"]);
    assert_shows(&figure, &["leader", "n1 · term 1", "n3 · term 2", "1 change"]);
    assert_shows(&figure, &["network", "partition n1 | n2 n3", "outage", "2 s"]);
    assert_shows(&figure, &["Latency", "p99", "served 30", "too late 30", "refused 30", "unknown 30", "10 ms", "12 s"]);
}

#[test]
fn a_place_that_is_like_all_has_no_line_of_its_own() {
    let mut record = pictured();
    let of = |count: fn(&TimeBucket) -> u64| record.buckets.iter().map(count).collect::<Vec<u64>>();
    let (invoked, achieved) = (of(|bucket| bucket.invoked), of(|bucket| bucket.achieved));
    let service = &mut record.picture.as_mut().expect("it has one").service;
    service[1] = Strip { invoked, achieved, ..service[1].clone() };
    let figure = timeline(&record);
    assert_shows(&figure, &["served 86.36 %", "us-east 100.00 %", "eu-west read"]);
    assert!(!texts(&figure).contains(&"eu-west 86.36 %".to_owned()));
}

#[test]
fn what_is_seen_is_also_told() {
    let told = read(&timeline(&pictured()).description);
    assert_eq!(
        told,
        "86.36 % of 110 operations were served in time; 99.09 % was possible. 1 outage: at 4 s for 2 s (no leader). \
         The leader was n1 from 1 s (term 1), n3 from 6 s (term 2). 1 fault: partition n1 | n2 n3 at 4 s for 3 s."
    );
    let told = read(&named(&pictured(), "takeovers").expect("there was one").description);
    assert_eq!(told, "1 outage in which another node took over. at 4 s: detect 1 s, elect 500 ms, catch up 500 ms.");
}

#[test]
fn a_takeover_shows_its_stages_and_several_their_mean() {
    let mut record = pictured();
    let figure = named(&record, "takeovers").expect("there was one");
    assert_shows(&figure, &["at 4 s", "detect 1 s", "elect 500 ms", "catch up 500 ms"]);
    assert!(!texts(&figure).iter().any(|text| text.starts_with("mean")));
    record.outages.push(record.outages[0].clone());
    assert_shows(&named(&record, "takeovers").expect("there were two"), &["mean of 2"]);
    record.outages.iter_mut().for_each(|outage| outage.takeover = None);
    assert_eq!(named(&record, "takeovers"), None);
}

#[test]
fn a_fault_without_effect_says_so() {
    let mut record = pictured();
    record.faults[0].effects = 0;
    assert_shows(&timeline(&record), &["partition n1 | n2 n3 (no effect)"]);
    record.faults[0].from_ns = record.simulated_ns;
    assert_shows(&timeline(&record), &["1 never struck"]);
}

#[test]
fn what_there_is_nothing_of_has_no_panel() {
    let bare = RunRecord {
        operations: None,
        availability: None,
        buckets: Vec::new(),
        outages: Vec::new(),
        faults: Vec::new(),
        roles: Vec::new(),
        ..passing()
    };
    assert_eq!(named(&bare, "timeline"), None);
    assert_eq!(figures(&RunRecord { duration_ns: 0, outages: Vec::new(), ..passing() }), []);
}

#[test]
fn a_note_too_wide_for_both_sides_of_its_life_line_is_cut() {
    let mut record = pictured();
    let picture = record.picture.as_mut().expect("it has one");
    let machines: Vec<String> = (1..=2).map(|i| format!("n{i}")).collect();
    let text = "W".repeat(60);
    let note = |machine: &String| Note { machine: machine.clone(), at_ns: 0, text: text.clone(), is_cause: false };
    let notes = machines.iter().map(note).collect();
    let (title, arrows) = (String::new(), Vec::new());
    picture.moments = vec![Moment { title, from_ns: 0, to_ns: 0, machines, arrows, notes, left_out: 0 }];
    let figure = named(&record, "moment-1").expect("it has one");
    let at = numbers(&figure.elements, "x");
    assert!(at.iter().all(|x| (0.0..=figure.width).contains(x)), "{at:?}");
    assert_eq!(texts(&figure).iter().filter(|text| text.starts_with("WWW")).count(), 2);
}

/// A run of thousands of everything.
fn large() -> RunRecord {
    let mut record = pictured();
    let span = |i: u64| (i * MS, i * MS + (i * 37 % 400) * MS);
    record.buckets =
        (0..6_000).map(|i| TimeBucket { from_ns: i * 2 * MS, invoked: 9, achieved: i % 9, possible: 8 }).collect();
    record.faults = (0..10_000)
        .map(|i| FaultRecord { from_ns: span(i).0, to_ns: span(i).1, effects: i % 3, ..record.faults[0].clone() })
        .collect();
    record.outages =
        (0..10_000).map(|i| Outage { from_ns: span(i).0, to_ns: span(i).1, ..record.outages[0].clone() }).collect();
    record.roles = (0..10_000)
        .map(|i| RoleSpan { from_ns: span(i).0, to_ns: span(i).1, term: i, ..record.roles[1].clone() })
        .collect();
    record
}

#[test]
fn a_picture_stays_small_whatever_happened() {
    let mut record = large();
    let dot = |i: u64| Dot { at_us: i * 200, took_us: 1 + i * i % 100_003, fate: Fate::Served };
    let picture = record.picture.as_mut().expect("it has one");
    picture.latency.cloud = Cloud::Dots((0..60_000).map(dot).collect());
    picture.service = vec![picture.service[0].clone(); 2_000];
    let size = |record: &RunRecord| figures(record).iter().map(|figure| figure.file().len()).sum::<usize>();
    assert!(size(&record) < 600_000, "{}", size(&record));
    let fates = [Fate::Served, Fate::Unknown];
    let cell = |i: usize| Cell { bucket: i % 6_000, row: (i % 67) as u32, fate: fates[i % 2], count: i as u64 };
    record.picture.as_mut().expect("it has one").latency.cloud = Cloud::Cells((0..400_000).map(cell).collect());
    assert!(size(&record) < 1_500_000, "{}", size(&record));
    let height = timeline(&record).height;
    assert!(height < 1_200.0, "{height}");
}

#[test]
fn ten_thousand_dots_take_little_room() {
    let mut record = pictured();
    let dot = |i: u64| Dot { at_us: i * 1_200, took_us: 1 + i * i % 1_000_003, fate: Fate::Served };
    record.picture.as_mut().expect("it has one").latency.cloud = Cloud::Dots((0..10_000).map(dot).collect());
    let size = timeline(&record).file().len();
    assert!(size < 150_000, "{size}");
}

/// Every element that was opened is closed, in order.
fn is_whole(svg: &str) -> bool {
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1) {
        let Some((tag, _)) = tag.split_once('>') else { return false };
        let name = tag.split([' ', '/']).find(|name| !name.is_empty());
        if tag.starts_with('/') {
            if open.pop() != name {
                return false;
            }
        } else if !tag.ends_with('/') {
            open.extend(name);
        }
    }
    open.is_empty()
}

/// The numbers of an attribute, wherever it stands.
fn numbers(svg: &str, attribute: &str) -> Vec<f64> {
    let begins = format!(" {attribute}=\"");
    let given = svg.split(&begins).skip(1);
    given.filter_map(|rest| rest.split_once('"')?.0.parse().ok()).collect()
}

/// All that stands within tags: what anybody is called stands between them.
fn tags(svg: &str) -> String {
    svg.split('<').filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag).collect()
}

#[test]
fn the_test_of_wholeness_tells_right_from_wrong() {
    assert!(is_whole("<svg a=\"b\"><g><path d=\"\"/></g>text</svg>"));
    assert!(!is_whole("<svg><g></svg></g>") && !is_whole("<svg>") && !is_whole("<svg"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Records are read from files, too, and a file can hold anything.
    #[test]
    fn every_record_can_be_drawn(record in any_record()) {
        for figure in figures(&record) {
            let file = figure.file();
            prop_assert!(is_whole(&file), "{file}");
            prop_assert!(file.chars().all(|c| c == '\n' || !c.is_control()), "{file:?}");
            prop_assert!(!tags(&file).contains("NaN") && !tags(&file).contains("inf") && file.len() < 400_000);
            prop_assert!(figure.height > 0.0 && figure.height < 2_000.0, "{}", figure.height);
            for (attribute, most) in [("x", figure.width), ("y", figure.height)] {
                let numbers = numbers(&figure.elements, attribute);
                prop_assert!(numbers.iter().all(|at| (0.0..=most).contains(at)), "{} {attribute}: {numbers:?}", figure.name);
            }
            let sizes = [numbers(&figure.elements, "width"), numbers(&figure.elements, "height")].concat();
            prop_assert!(sizes.iter().all(|size| (0.0..=2_000.0).contains(size)), "{sizes:?}");
        }
    }
}
