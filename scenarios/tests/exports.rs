//! What other tools are given of a run: clocks that tell what can have known of what, and tracks on which everything has its place.

use regex_lite::Regex;
use scenarios::execute::{Options, Row, What};
use scenarios::export::{Format, SHIVIZ_EXPRESSION, read_row};
use scenarios::systems::SYSTEMS;
use sim_core::trace::Letter;
use std::collections::{BTreeMap, BTreeSet};

/// Messages that overtake each other, come twice or not at all; a leader that is cut off, one that dies.
const STORM: &str = r#"
scenario = 1
about = "A test."
duration = "3s"
settle = "1s"
[cluster]
nodes = 3
[protocol]
name = "raft"
transport = "datagram"
[[load]]
clients = 3
data = "kv"
ops = { read = 1, write = 1 }
keys = { count = 3 }
[[fault]]
do = "link"
at = "500ms"
for = "2s"
between = [["all"], ["all"]]
loss = "5%"
duplicate = "20%"
reorder = "20%"
reorder-by = "5ms..20ms"
[[fault]]
do = "partition"
at = "1s"
for = "400ms"
groups = [["leader"], ["others"]]
[[fault]]
do = "crash"
every = "900ms"
for = "300ms"
target = "leader"
disk = "lose-unsynced"
[expect]
must = ["linearizable"]
"#;

fn traced(seed: u64) -> Vec<Row> {
    let (draft, _) = scenarios::parse(STORM, "storm", &[], SYSTEMS).expect("well formed");
    let scenario = draft.resolve(seed).expect("nothing is drawn");
    let mut rows = Vec::new();
    let mut sink = |more: Vec<Row>| rows.extend(more);
    let mut options = Options { trace: Some(&mut sink), ..Options::default() };
    scenarios::run(&scenario, seed, SYSTEMS, &mut options).expect("the engine holds");
    assert!(rows.len() > 1000, "something happened");
    rows
}

fn written(format: Format, rows: &[Row]) -> Vec<u8> {
    let mut export = format.begin(Some("leader"));
    let mut out = Vec::new();
    rows.iter().for_each(|row| export.row(row, &mut out));
    export.end(rows.last().map_or(0, |row| row.at), &mut out);
    out
}

/// What a log for ShiViz says of one event.
struct Event {
    host: String,
    clock: BTreeMap<String, u64>,
}

/// Reads a log as ShiViz does: by the expression on its first line; the second would tell runs apart.
fn events(log: &str) -> Vec<Event> {
    let mut lines = log.splitn(3, '\n');
    let (expression, delimiter, rest) = (lines.next(), lines.next(), lines.next().expect("events"));
    assert_eq!((expression, delimiter), (Some(SHIVIZ_EXPRESSION), Some("")));
    let expression = Regex::new(&format!("(?m)^{SHIVIZ_EXPRESSION}$")).expect("it is an expression");
    let mut read = 0;
    let event = |found: regex_lite::Captures<'_>| {
        let whole = found.get(0).expect("all of it");
        assert_eq!(rest[read..whole.start()].trim(), "", "nothing is passed over");
        read = whole.end();
        let clock = serde_json::from_str(&found["clock"]).expect("a clock is JSON");
        Event { host: found["host"].to_owned(), clock }
    };
    let events = expression.captures_iter(rest).map(event).collect();
    assert_eq!(rest[read..].trim(), "", "nothing is left");
    events
}

/// The machine that takes part in an event, if a process does.
fn host(row: &Row) -> Option<&str> {
    match row.what {
        What::Message | What::Request | What::Reply | What::Timer | What::OnDisk | What::Admin => Some(&row.to),
        What::Sent | What::Start | What::Crash | What::Role | What::Opinion | What::Recovery => Some(&row.from),
        What::Lost | What::Corrupt | What::Flush | What::Fault | What::Heal => None,
    }
}

/// What happened before each event, worked out the long way: all before it at its host, what was sent to it, and what
/// happened before those.
fn pasts(rows: &[&Row]) -> Vec<BTreeSet<usize>> {
    let (mut last, mut sent) = (BTreeMap::new(), BTreeMap::new());
    let mut pasts: Vec<BTreeSet<usize>> = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let before = last.insert(host(row), i);
        let letter = row.letter.map(|letter| letter.number);
        let cause = letter.filter(|_| row.what != What::Sent).and_then(|number| sent.get(&number).copied());
        letter.filter(|_| row.what == What::Sent).into_iter().for_each(|number| _ = sent.insert(number, i));
        let direct: Vec<usize> = before.into_iter().chain(cause).collect();
        pasts.push(direct.iter().flat_map(|i| pasts[*i].iter().copied().chain([*i])).collect());
    }
    pasts
}

/// One event happened before another exactly if its host's own count, in its clock, is within what the other's clock knows.
#[test]
fn clocks_tell_what_happened_before_what() {
    for seed in 1..=4 {
        let all = traced(seed);
        // The start, and the middle of the storm, whose beginning is out of sight.
        for window in [&all[..600], &all[all.len() / 2..][..600]] {
            let log = String::from_utf8(written(Format::Shiviz, window)).expect("a log is text");
            let (events, rows) = (events(&log), window.iter().filter(|row| host(row).is_some()).collect::<Vec<_>>());
            assert_eq!(events.len(), rows.len());
            let pasts = pasts(&rows);
            for (later, event) in events.iter().enumerate() {
                assert_eq!(Some(&*event.host), host(rows[later]));
                let known = |i: usize| {
                    let (host, earlier) = (&events[i].host, &events[i].clock);
                    event.clock.get(host).is_some_and(|known| earlier[host] <= *known)
                };
                let past: BTreeSet<usize> = (0..events.len()).filter(|i| *i != later && known(*i)).collect();
                assert!(past == pasts[later], "seed {seed}, {:?}", rows[later]);
            }
        }
    }
}

/// What ShiViz demands of a log.
#[test]
fn a_host_counts_its_own_events_and_nobody_knows_of_more() {
    let log = String::from_utf8(written(Format::Shiviz, &traced(5))).expect("a log is text");
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for Event { host, clock } in events(&log) {
        assert!(!host.contains(char::is_whitespace));
        let own = counts.entry(host.clone()).or_default();
        *own += 1;
        assert_eq!(clock[&host], *own, "{host}");
        assert!(clock.iter().all(|(other, known)| (1..=counts[other]).contains(known)), "{host}: {clock:?}");
    }
    assert_eq!(counts.len(), 7, "three nodes, three clients, and one that reads at the end");
}

#[test]
fn a_trace_in_json_can_be_read_back() {
    let rows = traced(6);
    let lines = String::from_utf8(written(Format::Jsonl, &rows)).expect("JSON is text");
    let read: Vec<Row> = lines.lines().map(|line| read_row(line).expect("a row")).collect();
    let plain =
        |row: &Row| Row { letter: None, takes: if row.takes == u64::MAX { 0 } else { row.takes }, ..row.clone() };
    assert!(read.iter().map(plain).eq(rows.iter().map(plain)));
}

/// The fields of a protobuf message: (number, content). Knows nothing of what is written, so it is a judge of it.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (first, rest) = bytes.split_first().expect("a number has an end");
            *bytes = rest;
            number |= u64::from(first & 0x7F) << shift;
            if first & 0x80 == 0 {
                return number;
            }
        }
        panic!("a number has at most ten bytes")
    }
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let field = match tag & 7 {
            0 => Field::Number(varint(&mut bytes)),
            1 => {
                let (number, rest) = bytes.split_first_chunk().expect("eight bytes");
                bytes = rest;
                Field::Number(u64::from_le_bytes(*number))
            }
            2 => {
                let length = varint(&mut bytes) as usize;
                let (inner, rest) = bytes.split_at(length);
                bytes = rest;
                Field::Bytes(inner)
            }
            other => panic!("nobody writes wire type {other}"),
        };
        fields.push((tag >> 3, field));
    }
    fields
}

#[derive(Clone, Copy, Debug)]
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn number(fields: &[(u64, Field<'_>)], wanted: u64) -> Option<u64> {
    fields.iter().find_map(|(field, content)| match content {
        Field::Number(number) if *field == wanted => Some(*number),
        Field::Number(_) | Field::Bytes(_) => None,
    })
}

fn bytes<'a>(fields: &[(u64, Field<'a>)], wanted: u64) -> Option<&'a [u8]> {
    fields.iter().find_map(|(field, content)| match content {
        Field::Bytes(bytes) if *field == wanted => Some(*bytes),
        Field::Number(_) | Field::Bytes(_) => None,
    })
}

fn text(fields: &[(u64, Field<'_>)], wanted: u64) -> Option<String> {
    bytes(fields, wanted).map(|bytes| String::from_utf8(bytes.to_vec()).expect("names are UTF-8"))
}

/// Something on a track of a Perfetto trace.
#[derive(Debug)]
struct OnTrack {
    at: u64,
    /// 1 begins a slice, 2 ends one, 3 is an instant, 4 a count.
    kind: u64,
    track: String,
    name: String,
    flow: Option<u64>,
    ends: Option<u64>,
}

/// Reads a trace. Every event is on a track that was described before, in the order of time, and slices lie within each other.
fn on_tracks(trace: &[u8]) -> Vec<OnTrack> {
    let mut names: BTreeMap<u64, String> = BTreeMap::new();
    let (mut found, mut open, mut last) = (Vec::new(), BTreeMap::new(), 0);
    for (field, packet) in fields(trace) {
        let (1, Field::Bytes(packet)) = (field, packet) else { panic!("a trace is packets") };
        let packet = fields(packet);
        assert_eq!(number(&packet, 10), Some(1), "all of one sequence");
        if let Some(descriptor) = bytes(&packet, 60) {
            let descriptor = fields(descriptor);
            let (uuid, own) = (number(&descriptor, 1).expect("a uuid"), text(&descriptor, 2).unwrap_or_default());
            let name = number(&descriptor, 5).map_or(own.clone(), |above| format!("{}/{own}", names[&above]));
            assert_eq!(names.insert(uuid, name), None, "described once");
            continue;
        }
        let at = number(&packet, 8).expect("a timestamp");
        assert!(at >= last, "{at} after {last}");
        last = at;
        let event = fields(bytes(&packet, 11).expect("an event"));
        let (kind, uuid) = (number(&event, 9).expect("a type"), number(&event, 11).expect("a track"));
        let depth: &mut i32 = open.entry(uuid).or_default();
        *depth += i32::from(kind == 1) - i32::from(kind == 2);
        assert!((0..=1).contains(depth), "{at}: {depth} slices on {}", names[&uuid]);
        found.push(OnTrack {
            at,
            kind,
            track: names[&uuid].clone(),
            name: text(&event, 23).unwrap_or_default(),
            flow: number(&event, 47),
            ends: number(&event, 48),
        });
    }
    assert!(open.values().all(|depth| *depth == 0), "what begins ends");
    found
}

#[test]
fn everything_is_on_its_track_and_every_arrow_leads_from_a_sending_to_its_end() {
    for seed in 1..=3 {
        let rows = traced(seed);
        let trace = written(Format::Perfetto, &rows);
        assert!(trace == written(Format::Perfetto, &traced(seed)), "the same bytes");
        let events = on_tracks(&trace);
        let count = |what: &[What]| rows.iter().filter(|row| what.contains(&row.what)).count();
        let steps = events.iter().filter(|event| event.kind == 1 && !event.track.contains('/'));
        let is_step = |row: &&Row| row.takes > 0 && !matches!(row.what, What::Flush | What::Fault);
        let serving = events.iter().filter(|event| event.kind == 1 && event.track == "serving").count();
        let faults = events.iter().filter(|event| event.kind == 1 && event.track.starts_with("fault ")).count();
        assert_eq!(steps.count() - serving - faults, rows.iter().filter(is_step).count());
        assert_eq!(serving, rows.iter().filter(|row| row.text.starts_with("leader, term")).count());
        assert_eq!(faults, count(&[What::Fault]), "none here is over at once");
        let roles = events.iter().filter(|event| event.kind == 1 && event.track.ends_with("/role")).count();
        assert_eq!(roles, count(&[What::Role]));

        let sent = events.iter().filter(|event| event.name.starts_with("send "));
        let sent: BTreeMap<u64, &OnTrack> = sent.map(|event| (event.flow.expect("an arrow"), event)).collect();
        assert_eq!(sent.len(), count(&[What::Sent]));
        let mut ended = BTreeSet::new();
        for event in events.iter().filter(|event| !event.name.starts_with("send ")) {
            for flow in event.flow.into_iter().chain(event.ends) {
                let label = |name: &str| name.rsplit(' ').next().map(str::to_owned);
                assert_eq!(label(&event.name), label(&sent[&flow].name));
                assert!(sent[&flow].at <= event.at && !ended.contains(&flow));
                assert_eq!(event.name.starts_with("lost "), event.track == sent[&flow].track, "{event:?}");
            }
            ended.extend(event.ends);
        }
        assert!(ended.len() + 50 > sent.len(), "few are under way when it ends: {} of {}", ended.len(), sent.len());
        assert!(events.iter().filter(|event| event.kind == 4).count() > 100);
    }
}

fn row(at: u64, takes: u64, what: What, from: &str, to: &str, text: &str) -> Row {
    let [from, to, text] = [from, to, text].map(str::to_owned);
    Row { at, step: at, what, from, to, text, takes, letter: None }
}

/// A crash ends what its node is at, and what was to begin later never does.
#[test]
fn a_crash_cuts_slices_short() {
    let rows = [
        row(0, 0, What::Start, "n1", "", "First"),
        row(0, 0, What::Role, "n1", "", "leader, term 3"),
        row(10, 5, What::Timer, "n1", "n1", "Tick"),
        row(15, 100, What::Flush, "n1", "n1", "100ns"),
        row(20, 8, What::Timer, "n1", "n1", "Tick"),
        row(22, 0, What::Crash, "n1", "", "1 records lost"),
        row(28, 100, What::Flush, "n1", "n1", "100ns"),
        row(40, 0, What::Start, "n1", "", "Restart"),
        row(41, 7, What::Flush, "n1", "n1", "7ns"),
    ];
    let ends = |track: &str| -> Vec<(u64, u64)> {
        let events = on_tracks(&written(Format::Perfetto, &rows));
        let of_track = events.iter().filter(|event| event.track == track && matches!(event.kind, 1 | 2));
        let ats: Vec<u64> = of_track.map(|event| event.at).collect();
        ats.chunks(2).map(|slice| (slice[0], slice[1])).collect()
    };
    assert_eq!(ends("n1"), [(10, 15), (20, 22)]);
    assert_eq!(ends("n1/disk"), [(15, 22), (41, 41)], "the trace ends at 41");
    assert_eq!(ends("n1/role"), [(0, 22)]);
    assert_eq!(ends("serving"), [(0, 22)]);
}

/// Faults of one name and leaders of several terms can overlap, and slices of a track cannot.
#[test]
fn what_overlaps_is_on_several_tracks_of_one_name() {
    let rows = [
        row(0, 0, What::Role, "n1", "", "leader, term 1"),
        row(1, 10, What::Fault, "crash-1", "n1", "crash"),
        row(2, 10, What::Fault, "crash-1", "n2", "crash"),
        row(3, 0, What::Fault, "orders", "nobody", "operate"),
        row(4, 0, What::Role, "n2", "", "leader, term 2"),
        row(11, 0, What::Heal, "crash-1", "n1", "crash"),
        row(12, 0, What::Heal, "crash-1", "n2", "crash"),
        row(13, 10, What::Fault, "crash-1", "n3", "crash"),
    ];
    let trace = written(Format::Perfetto, &rows);
    let of = |name: &str| on_tracks(&trace).iter().filter(|event| event.track == name).count();
    assert_eq!((of("fault crash-1"), of("serving"), of("fault orders")), (6, 4, 1));
}

/// Whatever a system says, names stay short and whole characters.
#[test]
fn long_texts_are_cut() {
    let long = "ü".repeat(5000);
    let letter = Some(Letter { number: 0, under_way: 1 });
    let rows = [Row { letter, ..row(1, 0, What::Sent, "n1", "n2", &long) }];
    let trace = written(Format::Perfetto, &rows);
    assert!(trace.len() < 3000, "{} bytes", trace.len());
    assert_eq!(on_tracks(&trace)[0].name.chars().count(), 100);
    let log = String::from_utf8(written(Format::Shiviz, &[row(1, 0, What::Timer, "n1", "n1", "a\nn2 {\"n2\":7}\nb")]));
    assert_eq!(events(&log.expect("text")).len(), 1, "a text cannot pass for an event");
}

#[test]
fn an_empty_trace_is_a_trace() {
    assert_eq!(on_tracks(&written(Format::Perfetto, &[])).len(), 0);
    assert_eq!(written(Format::Jsonl, &[]), b"");
    assert_eq!(written(Format::Text, &[]), b"");
}
