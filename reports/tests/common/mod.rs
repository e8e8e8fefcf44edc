//! Records for the tests of what is made of them: two by hand, and any that a file could hold.

#![allow(dead_code, reason = "not every test needs all of them")]

use history::{
    Arrow, Availability, Cause, CauseSpan, Cell, Cloud, DetectionSummary, Dot, Draw, Ended, Fate, FaultRecord, Finding,
    Holder, Latency, LatencySummary, Level, Mark, Moment, Note, OperationCounts, Outage, Part, Picture, Reason,
    RoleSpan, RunRecord, Server, Source, Strip, Takeover, Testimony, TimeBucket, Value, Verdict, Who, Witness, merged,
};
use proptest::collection::vec;
use proptest::prelude::*;

pub const SECOND: u64 = 1_000_000_000;
pub const MS: u64 = 1_000_000;

pub fn finding(level: Level, check: &str, verdict: Verdict, detail: &str) -> Finding {
    let (check, detail) = (check.to_owned(), detail.to_owned());
    Finding { check, verdict, detail, level, promise: None, witness: None, measured: None }
}

/// Twelve seconds: the leader is cut off in the fourth, and the second after has no operation at all.
pub fn passing() -> RunRecord {
    let bucket = |i: u64| {
        let (invoked, achieved, possible) = match i / 5 {
            4 => (2, 0, 2),
            5 => (0, 0, 0),
            6 => (10, 5, 9),
            _ => (2, 2, 2),
        };
        TimeBucket { from_ns: i * SECOND / 5, invoked, achieved, possible }
    };
    let role = |node: &str, role: &str, term, from, to| RoleSpan {
        node: node.to_owned(),
        role: role.to_owned(),
        term,
        from_ns: from * SECOND,
        to_ns: to * SECOND,
    };
    let findings = vec![
        Finding {
            promise: Some("promised by raft".to_owned()),
            ..finding(Level::Must, "linearizable", Verdict::Pass, "110 operations, 5 keys")
        },
        finding(Level::Must, "availability >= 80%", Verdict::Pass, "86.36 %   (best possible 99.09 %)"),
        finding(Level::Should, "recovery <= 1s", Verdict::Fail, "1.5s   (outage from 4s)"),
        finding(Level::Reach, "leader elected >= 2 times", Verdict::Pass, "2 times"),
        finding(Level::Always, "protocol laws", Verdict::Pass, "9 laws held after each of 2 871 steps"),
    ];
    RunRecord {
        schema: "stormglass/run@1".to_owned(),
        version: "0.1.0".to_owned(),
        scenario: "leader-cut".to_owned(),
        about: "Cut the leader off. It should come back.".to_owned(),
        protocol: "raft".to_owned(),
        flaws: Vec::new(),
        data: "kv".to_owned(),
        nodes: 3,
        places: 3,
        duration_ns: 12 * SECOND,
        seed: 42,
        fingerprint: "00000000deadbeef".to_owned(),
        checkpoints: Vec::new(),
        verdict: merged(&findings),
        findings,
        operations: Some(OperationCounts { ok: 95, refused: 0, unknown: 15 }),
        availability: Some(Availability { achieved: 95.0 / 110.0, possible: 109.0 / 110.0 }),
        latency: None,
        detection: None,
        outages: vec![Outage {
            from_ns: 4 * SECOND,
            to_ns: 6 * SECOND,
            who: Who::All,
            cause: Cause::NoLeader,
            causes: vec![
                CauseSpan { from_ns: 4 * SECOND, to_ns: 5 * SECOND + SECOND / 2, cause: Cause::NoLeader },
                CauseSpan { from_ns: 5 * SECOND + SECOND / 2, to_ns: 6 * SECOND, cause: Cause::WrongNode },
            ],
            faults: vec!["partition-1".to_owned()],
            avoidable_ns: SECOND,
            missed: 15,
            takeover: Some(Takeover {
                detect_ns: Some(SECOND),
                elect_ns: Some(SECOND / 2),
                catch_up_ns: Some(SECOND / 2),
                clients_ns: None,
            }),
        }],
        faults: vec![FaultRecord {
            name: "partition-1".to_owned(),
            kind: "partition".to_owned(),
            from_ns: 4 * SECOND,
            to_ns: 7 * SECOND,
            effects: 33,
            who: "n1 | n2 n3".to_owned(),
            why: None,
        }],
        roles: vec![
            role("n1", "candidate", 1, 0, 1),
            role("n1", "leader", 1, 1, 6),
            role("n3", "leader", 2, 6, 22),
            role("n2", "follower", 1, 0, 22),
            role("n3", "follower", 1, 0, 6),
        ],
        events: 2871,
        simulated_ns: 22 * SECOND,
        buckets: (0..60).map(bucket).collect(),
        config: Vec::new(),
        draws: Vec::new(),
        interrupted: false,
        source: None,
        picture: None,
    }
}

/// Five nodes that watch each other.
pub fn watching() -> RunRecord {
    let detection = DetectionSummary {
        pairs: 20,
        crashes: 3,
        time: Some(LatencySummary { p50_ns: 412 * MS, p99_ns: 540 * MS, max_ns: 550 * MS }),
        missed: 1,
        mistakes: 2,
        mistakes_of_healthy: 1,
        mistakes_per_pair_hour: Some(30.5),
        mistake_duration_ns: Some(160 * MS),
        query_accuracy: Some(0.999_81),
        messages_per_node_second: 39.94,
    };
    RunRecord {
        operations: None,
        availability: None,
        outages: Vec::new(),
        buckets: Vec::new(),
        detection: Some(detection),
        ..passing()
    }
}

pub fn testimony(client: &str, f: &str, value: i64, from_ms: u64, to_ms: u64, server: Server) -> Testimony {
    let mark = |ms: u64| Mark { index: ms, time: ms * SECOND / 1000 };
    let is_read = f == "read";
    Testimony {
        index: 0,
        client: client.to_owned(),
        process: 0,
        f: f.to_owned(),
        input: if is_read { Value::Nil } else { Value::Int(value) },
        ended: Ended::Ok,
        returned: is_read.then_some(Value::Int(value)),
        invoked: mark(from_ms),
        completed: Some(mark(to_ms)),
        part: if is_read { Part::Met } else { Part::Wrote },
        server: Some(server),
    }
}

/// A write, another over it, and a read of the first from somebody who leads no longer.
pub fn stale_read() -> Witness {
    let server = |node: &str, term, superseded| Server {
        node: node.to_owned(),
        role: Some(("leader".to_owned(), term)),
        superseded,
    };
    let newer = Holder { node: "n3".to_owned(), term: 2, from_ns: 5 * SECOND };
    let operations = vec![
        testimony("c7", "write", 7, 3_100, 3_105, server("n1", 1, None)),
        testimony("c19", "write", 8, 5_500, 5_504, server("n3", 2, None)),
        testimony("c1", "read", 7, 5_530, 5_531, server("n1", 1, Some(newer))),
    ];
    let reason = Reason::Replaced { value: Value::Int(7), with: Value::Int(8), by: 1, seen: None };
    Witness::new(Some(Value::text("k0")), operations, Some(2), reason)
}

/// The same storm, in a system that answers reads from what it remembers.
pub fn failing() -> RunRecord {
    let mut record = passing();
    record.flaws = vec!["read-without-quorum".to_owned()];
    record.about = "A gestürzter leader answers.".to_owned();
    let witness = stale_read();
    record.findings[0] = Finding {
        promise: Some("promised by raft with reads = read-index".to_owned()),
        witness: Some(witness.clone()),
        ..finding(Level::Must, "linearizable", Verdict::Fail, &witness.headline())
    };
    record.findings.push(finding(Level::Always, "every fault had an effect", Verdict::Vacuous, "without effect: x"));
    record.findings.push(finding(Level::Must, "no lost writes", Verdict::Unknown, "interrupted"));
    record.verdict = merged(&record.findings);
    record
}

/// A run with everything that is drawn: two places of which one is out for a while, and dots of every fate.
pub fn pictured() -> RunRecord {
    let mut record = passing();
    let per_bucket = |count: u64| vec![count; record.buckets.len()];
    let strip = |place: &str, achieved: Vec<u64>| Strip {
        place: place.to_owned(),
        function: "read".to_owned(),
        invoked: per_bucket(4),
        achieved,
        possible: per_bucket(4),
    };
    let cut = (0..60).map(|i| if (20..35).contains(&i) { 0 } else { 4 }).collect();
    let fates = [Fate::Served, Fate::Late, Fate::Refused, Fate::Unknown];
    let dot = |i: u64| Dot { at_us: i * 100_000, took_us: 1_000 << (i % 10), fate: fates[i as usize % 4] };
    let times = |ns: u64| vec![Some(ns); 60];
    record.picture = Some(Picture {
        service: vec![strip("us-east", per_bucket(4)), strip("eu-west", cut)],
        latency: Latency {
            p50_ns: times(MS),
            p99_ns: times(50 * MS),
            max_ns: times(SECOND),
            cloud: Cloud::Dots((0..120).map(dot).collect()),
        },
        moments: Vec::new(),
    });
    record
}

/// Moments before, at and after anything, and so far that sums run over.
pub fn moment() -> impl Strategy<Value = u64> {
    prop_oneof![0..70u64, 0..20 * SECOND, any::<u64>(), Just(u64::MAX)]
}

pub fn word() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9 -]{0,12}", ".{0,40}", Just("ü\u{1b}[2J\n\u{202e}".to_owned())]
}

pub fn verdict() -> impl Strategy<Value = Verdict> {
    proptest::sample::select(vec![Verdict::Pass, Verdict::Vacuous, Verdict::Unknown, Verdict::Fail])
}

prop_compose! {
    fn any_server()(
        (node, role) in (word(), proptest::option::of((word(), 0..4u64))),
        superseded in proptest::option::of((word(), 0..4u64, moment())),
    ) -> Server {
        let superseded = superseded.map(|(node, term, from_ns)| Holder { node, term, from_ns });
        Server { node, role, superseded }
    }
}

/// Reasons name operations by position, and there need not be one.
fn any_reason() -> impl Strategy<Value = Reason> {
    let value = || word().prop_map(Value::text);
    prop_oneof![
        Just(Reason::Entangled),
        (word(), word(), vec(word(), 0..3)).prop_map(|(why, headline, because)| Reason::Told {
            why,
            headline,
            because
        }),
        (value(), value(), 0..12usize, proptest::option::of(0..12usize))
            .prop_map(|(value, with, by, seen)| Reason::Replaced { value, with, by, seen }),
        (value(), 0..12usize).prop_map(|(part, by)| Reason::Lacks { part, by }),
        (value(), 0..12usize).prop_map(|(value, by)| Reason::NotYetWritten { value, by }),
        (0..12usize, any::<u64>()).prop_map(|(write, lost)| Reason::Lost { write, lost }),
    ]
}

prop_compose! {
    fn any_testimony()(
        (client, f, text) in (word(), word(), word()),
        ended in proptest::sample::select(vec![Ended::Ok, Ended::Mismatch, Ended::Fail, Ended::Info]),
        (index, time) in (0..9u64, moment()),
        completed in proptest::option::of((0..9u64, moment())),
        returned in proptest::option::of(any::<i64>()),
        server in proptest::option::of(any_server()),
    ) -> Testimony {
        Testimony {
            index: 0, client, process: 0, f, input: Value::text(text), ended, returned: returned.map(Value::Int),
            invoked: Mark { index, time }, completed: completed.map(|(index, time)| Mark { index, time }),
            part: Part::Both, server,
        }
    }
}

prop_compose! {
    fn any_witness()(
        operations in vec(any_testimony(), 0..9),
        offender in proptest::option::of(0..12usize),
        argument in vec(word(), 0..3),
        reason in any_reason(),
        is_minimal: bool,
    ) -> Witness {
        Witness { key: None, object: None, operations, offender, steps: Vec::new(), reason, is_minimal, argument }
    }
}

prop_compose! {
    fn any_finding()(
        check in word(),
        verdict in verdict(),
        detail in word(),
        level in proptest::sample::select(vec![Level::Always, Level::Must, Level::Reach, Level::Should, Level::Shows]),
        promise in proptest::option::of(word()),
        witness in proptest::option::of(any_witness()),
    ) -> Finding {
        Finding { check, verdict, detail, level, promise, witness, measured: None }
    }
}

prop_compose! {
    fn any_fault()(
        (name, who) in (word(), word()),
        kind in prop_oneof![proptest::sample::select(vec!["crash", "partition", "clock", "operate"]).prop_map(str::to_owned), word()],
        (from_ns, to_ns) in (moment(), moment()),
        effects in prop_oneof![Just(0), any::<u64>()],
        why in proptest::option::of(word()),
    ) -> FaultRecord {
        FaultRecord { name, kind, from_ns, to_ns, effects, who, why }
    }
}

prop_compose! {
    fn any_role()(
        node in word(), role in word(), term in 0..4u64, from_ns in moment(), to_ns in moment(),
    ) -> RoleSpan {
        RoleSpan { node, role, term, from_ns, to_ns }
    }
}

prop_compose! {
    fn any_bucket()(from_ns in moment(), invoked in moment(), achieved in moment(), possible in moment()) -> TimeBucket {
        TimeBucket { from_ns, invoked, achieved, possible }
    }
}

prop_compose! {
    fn any_outage()(
        (from_ns, to_ns, avoidable_ns, missed) in (moment(), moment(), moment(), any::<u64>()),
        who in prop_oneof![
            Just(Who::All),
            word().prop_map(Who::Place),
            vec(word(), 0..6).prop_map(Who::Clients),
        ],
        cause in proptest::sample::select(Cause::ALL.to_vec()),
        causes in vec((moment(), moment(), proptest::sample::select(Cause::ALL.to_vec())), 0..4),
        stages in proptest::option::of(vec(proptest::option::of(moment()), 4)),
    ) -> Outage {
        let span = |(from_ns, to_ns, cause)| CauseSpan { from_ns, to_ns, cause };
        let takeover = stages.map(|stages: Vec<Option<u64>>| Takeover {
            detect_ns: stages[0],
            elect_ns: stages[1],
            catch_up_ns: stages[2],
            clients_ns: stages[3],
        });
        let causes = causes.into_iter().map(span).collect();
        Outage { from_ns, to_ns, who, cause, causes, faults: Vec::new(), avoidable_ns, missed, takeover }
    }
}

/// How many of something in each bucket, whether or not there are as many buckets.
fn counts() -> impl Strategy<Value = Vec<u64>> {
    vec(moment(), 0..8)
}

fn fate() -> impl Strategy<Value = Fate> {
    proptest::sample::select(vec![Fate::Served, Fate::Late, Fate::Refused, Fate::Unknown])
}

prop_compose! {
    fn any_strip()(
        (place, function) in (word(), word()),
        (invoked, achieved, possible) in (counts(), counts(), counts()),
    ) -> Strip {
        Strip { place, function, invoked, achieved, possible }
    }
}

fn any_cloud() -> impl Strategy<Value = Cloud> {
    let dot = (moment(), moment(), fate()).prop_map(|(at_us, took_us, fate)| Dot { at_us, took_us, fate });
    let cell = (prop_oneof![0..8usize, any::<usize>()], any::<u32>(), fate(), moment());
    let cell = cell.prop_map(|(bucket, row, fate, count)| Cell { bucket, row, fate, count });
    prop_oneof![vec(dot, 0..20).prop_map(Cloud::Dots), vec(cell, 0..20).prop_map(Cloud::Cells)]
}

prop_compose! {
    fn any_arrow()(
        (from, to, label, text) in (machine(), machine(), word(), word()),
        (sent_ns, arrived_ns, count) in (moment(), moment(), any::<u64>()),
        lost in proptest::option::of(word()),
        is_cause: bool,
    ) -> Arrow {
        Arrow { from, to, sent_ns, arrived_ns, label, text, lost, count, is_cause }
    }
}

/// Most are among those that are drawn.
fn machine() -> impl Strategy<Value = String> {
    prop_oneof![4 => proptest::sample::select(vec!["n1", "n2", "c1"]).prop_map(str::to_owned), 1 => word()]
}

prop_compose! {
    fn any_moment()(
        title in word(),
        (from_ns, to_ns, left_out) in (moment(), moment(), any::<u64>()),
        machines in vec(machine(), 0..6),
        arrows in vec(any_arrow(), 0..9),
        notes in vec((machine(), moment(), word(), any::<bool>()), 0..6),
    ) -> Moment {
        let note = |(machine, at_ns, text, is_cause)| Note { machine, at_ns, text, is_cause };
        let notes = notes.into_iter().map(note).collect();
        Moment { title, from_ns, to_ns, machines, arrows, notes, left_out }
    }
}

prop_compose! {
    fn any_picture()(
        service in vec(any_strip(), 0..20),
        lines in vec(vec(proptest::option::of(moment()), 0..8), 3),
        cloud in any_cloud(),
        moments in vec(any_moment(), 0..4),
    ) -> Picture {
        let [p50_ns, p99_ns, max_ns] = <[_; 3]>::try_from(lines).expect("there are three");
        Picture { service, latency: Latency { p50_ns, p99_ns, max_ns, cloud }, moments }
    }
}

fn any_source() -> impl Strategy<Value = Source> {
    (word(), word(), vec(word(), 0..3), word()).prop_map(|(program, file, set, resolved)| Source {
        program,
        file,
        set,
        resolved,
    })
}

prop_compose! {
    fn any_detection()(
        (pairs, crashes, missed) in any::<(u64, u64, u64)>(),
        (mistakes, mistakes_of_healthy, mistake_duration_ns) in any::<(u64, u64, Option<u64>)>(),
        time in proptest::option::of(any::<(u64, u64, u64)>()),
        (mistakes_per_pair_hour, query_accuracy) in any::<(Option<f64>, Option<f64>)>(),
        messages_per_node_second in any::<f64>(),
    ) -> DetectionSummary {
        let time = time.map(|(p50_ns, p99_ns, max_ns)| LatencySummary { p50_ns, p99_ns, max_ns });
        DetectionSummary {
            pairs, crashes, time, missed, mistakes, mistakes_of_healthy, mistakes_per_pair_hour, mistake_duration_ns,
            query_accuracy, messages_per_node_second,
        }
    }
}

prop_compose! {
    pub fn any_record()(
        picture in proptest::option::of(any_picture()),
        (interrupted, source) in (any::<bool>(), proptest::option::of(any_source())),
        (scenario, about, flaws, draws) in (word(), word(), vec(word(), 0..3), vec((word(), word()), 0..9)),
        (duration_ns, simulated_ns, events) in (moment(), moment(), any::<u64>()),
        verdict in verdict(),
        findings in vec(any_finding(), 0..6),
        operations in proptest::option::of((any::<u64>(), any::<u64>(), any::<u64>())),
        availability in proptest::option::of((any::<f64>(), 0.0..=1.0)),
        detection in proptest::option::of(any_detection()),
        faults in vec(any_fault(), 0..12),
        roles in vec(any_role(), 0..6),
        buckets in vec(any_bucket(), 0..6),
        outages in vec(any_outage(), 0..7),
    ) -> RunRecord {
        RunRecord {
            operations: operations.map(|(ok, refused, unknown)| OperationCounts { ok, refused, unknown }),
            availability: availability.map(|(achieved, possible)| Availability { achieved, possible }),
            draws: draws.into_iter().map(|(key, value)| Draw { key, value }).collect(),
            detection, interrupted, source, picture, scenario, about, flaws, duration_ns, simulated_ns, events, verdict, findings, faults, roles, buckets, outages,
            ..passing()
        }
    }
}
