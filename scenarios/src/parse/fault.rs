//! `[[fault]]`: what goes wrong, and when.

use super::disk::disk;
use super::draft::is_error;
use super::load::{Names, exists};
use super::network;
use super::operate::operate;
use super::target::{has_others, target};
use super::{Scene, machine};
use crate::codes;
use crate::diagnostics::Diagnostic;
use crate::scenario::{Action, Fault, Timing};
use crate::sections::{FAULTS, PARTITION, STRIKES_MAX, fault_name};
use crate::text::Table;
use crate::text::entry::{Takes, quoted};
use crate::text::quantity::{Given, did_you_mean};
use crate::text::reader::Reader;
use sim_core::fault::{DiskFate, Event, Moment, Target};
use sim_core::settings::{Kind, Setting};
use sim_core::time::{Nanos, format_duration};

/// A fault by itself; `None` if anything is wrong with it. Nobody is told: the scene has problems that nobody else reads.
pub(crate) fn one_fault(table: &Table, scene: &Scene<'_>) -> Option<Fault> {
    let fault = faults(&[table], scene).and_then(|mut faults| faults.pop());
    let is_broken = scene.problems.take().iter().any(is_error);
    fault.filter(|_| !is_broken)
}

/// All faults; `None` if one of them is broken.
pub(super) fn faults(tables: &[&Table], scene: &Scene<'_>) -> Option<Vec<Fault>> {
    let mut names = Names::default();
    let mut faults = Vec::new();
    let mut back = scene.clock.map_or(0, |clock| clock.offset.0.min(0).unsigned_abs());
    for (i, table) in tables.iter().copied().enumerate() {
        let place = format!("[[fault]] number {}", i + 1);
        let Some(kind) = kind(table, &place, scene) else {
            faults.push(None);
            continue;
        };
        let section = FAULTS.iter().find(|section| fault_name(section) == kind);
        let section = section.expect("every kind of fault has a section");
        let reader = Reader::numbered(table, section, &place, scene.problems);
        let name = names.name(&reader, scene.problems);
        let why = reader.text("why");
        let action = action(&reader, kind, scene);
        let timing = timing(&reader, scene);
        let length = if reader.takes("for") { reader.times("for") } else { None };
        if let Some(timing) = &timing {
            check_time(&reader, timing, scene);
        }
        let part_of = reader.text("part-of");
        let fault = action.zip(timing).map(|(action, timing)| Fault { name, part_of, why, action, timing, length });
        if let Some(fault) = &fault {
            network::check_flap(&reader, fault, strikes_of(fault, scene), scene);
            back = machine::check_steps(&reader, fault, back, scene);
        }
        if exists(&reader) {
            faults.push(fault);
        }
    }
    faults.into_iter().collect()
}

/// What the fault does, which decides what keys it takes.
fn kind(table: &Table, place: &str, scene: &Scene<'_>) -> Option<&'static str> {
    let entry = PARTITION.entry("do").expect("a fault does something");
    let Takes::Setting(kind @ Kind::Word(words)) = entry.takes else { panic!("`do` takes a word") };
    let Some(value) = table.get("do") else {
        let problem = Diagnostic::new(&codes::MISSING_KEY, &table.origin, format!("{place} has no `do`"));
        scene.problems.push(problem.help(format!("a fault does one of {}", quoted(words))));
        return None;
    };
    let setting = scene.problems.note(Given { key: "do", takes: entry.takes, value }.setting(kind))?;
    let Setting::Word(word) = setting else { panic!("a word was read as {setting:?}") };
    Some(word)
}

fn action(reader: &Reader<'_>, kind: &str, scene: &Scene<'_>) -> Option<Action> {
    match kind {
        "partition" => network::partition(reader, scene),
        "drop" => network::drop_messages(reader, scene),
        "outage" => network::outage(reader, disk_fate(reader)?, scene),
        "crash" => {
            let disk = disk_fate(reader)?;
            let moment = if reader.flag("mid-step")? { Moment::Within } else { Moment::Between };
            Some(Action::Crash { target: struck(reader, scene)?, disk, moment })
        }
        "operate" => operate(reader, scene),
        "clock" => machine::clock(reader, scene),
        "cpu" => machine::cpu(reader, scene),
        "lose" => machine::lose(reader, scene),
        "disk" => disk(reader, scene),
        "pause" => {
            let messages_only = reader.flag("messages-only")?;
            Some(Action::Pause { target: struck(reader, scene)?, messages_only })
        }
        _ => network::link(reader, scene),
    }
}

fn disk_fate(reader: &Reader<'_>) -> Option<DiskFate> {
    Some(match reader.word("disk")? {
        "keep" => DiskFate::Keep,
        "lose-unsynced" => DiskFate::LoseUnsynced,
        _ => DiskFate::Torn,
    })
}

/// The targets in `target`.
pub(super) fn struck(reader: &Reader<'_>, scene: &Scene<'_>) -> Option<Vec<Target>> {
    let given = reader.given("target")?;
    let targets = targets(given, scene)?;
    outside_groups(reader, "target", &targets).then_some(targets)
}

/// One target or a list of them; each broken one is told.
pub(super) fn targets(given: Given<'_>, scene: &Scene<'_>) -> Option<Vec<Target>> {
    let items = given.one_or_more();
    if items.is_empty() {
        scene.problems.push(Diagnostic::new(&codes::EMPTY_TARGET, &given.value.origin, "this is nobody"));
        return None;
    }
    let read: Vec<Option<Target>> =
        items.iter().map(|item| scene.problems.note(target(given.element(item), scene))).collect();
    read.into_iter().collect()
}

/// `others` means something only beside other groups.
pub(super) fn outside_groups(reader: &Reader<'_>, key: &str, targets: &[Target]) -> bool {
    if has_others(targets) {
        reader.tell(&codes::BAD_GROUPS, key, "`others` means something only in the `groups` of a partition");
    }
    !has_others(targets)
}

/// How often a fault strikes at most.
fn strikes_of(fault: &Fault, scene: &Scene<'_>) -> u64 {
    match fault.timing {
        Timing::At { .. } | Timing::During { .. } => 1,
        Timing::Every { period, times, .. } => strikes(period, times, scene.duration.unwrap_or(0)),
        Timing::Event { times, .. } => times.into(),
    }
}

/// How often a fault strikes that does so again and again.
pub(super) fn strikes(period: Nanos, times: Option<u32>, duration: Nanos) -> u64 {
    (duration / period).min(times.map_or(u64::MAX, u64::from))
}

/// Which keys go with which way of saying when.
const TIMINGS: [(&str, &[&str]); 4] = [
    ("at", &["for"]),
    ("during", &[]),
    ("every", &["jitter", "times", "for"]),
    ("when", &["after", "times", "within", "for"]),
];

fn timing(reader: &Reader<'_>, scene: &Scene<'_>) -> Option<Timing> {
    let taken = || TIMINGS.iter().filter(|(key, _)| reader.takes(key));
    let given: Vec<_> = taken().filter(|(key, _)| reader.has(key)).collect();
    let [(key, companions)] = given.as_slice() else {
        let at = given.get(1).map_or("do", |(key, _)| *key);
        let keys: Vec<&str> = taken().map(|(key, _)| *key).collect();
        reader.tell(&codes::CONFLICT, at, format!("a fault has exactly one of {}", quoted(&keys)));
        return None;
    };
    for stray in ["for", "jitter", "times", "after", "within"].iter().filter(|stray| reader.has(stray)) {
        if !companions.contains(stray) {
            let with: Vec<&str> = TIMINGS.iter().filter(|(_, c)| c.contains(stray)).map(|(key, _)| *key).collect();
            reader.tell(
                &codes::CONFLICT,
                stray,
                format!("`{stray}` does not go with `{key}`; it goes with {}", quoted(&with)),
            );
        }
    }
    let times = reader.count("times").map(|times| times as u32);
    match *key {
        "at" => reader.times("at").map(|(from, to)| Timing::At { from, to }),
        "during" => {
            let (from, to) = reader.times("during")?;
            if from == to {
                reader.tell(&codes::BAD_VALUE, "during", "`during` is a range such as \"20s..50s\"");
                return None;
            }
            Some(Timing::During { from, to })
        }
        "every" => {
            let jitter = if reader.has("jitter") { reader.time("jitter")? } else { 0 };
            Some(Timing::Every { period: reader.time("every")?, jitter, times })
        }
        _ => {
            let after = if reader.has("after") { reader.time("after")? } else { 0 };
            let event = reader.given("when").and_then(|given| scene.problems.note(event(given, scene)))?;
            let within = if reader.has("within") { Some(window(reader, after)?) } else { None };
            Some(Timing::Event { event, after, times: times.unwrap_or(1), within })
        }
    }
}

/// From when to when something can set the fault off.
fn window(reader: &Reader<'_>, after: Nanos) -> Option<(Nanos, Nanos)> {
    let (from, until) = reader.times("within")?;
    let has_room = until.saturating_sub(from) > after;
    if !has_room {
        reader.tell(&codes::BAD_VALUE, "within", "`within` is a range such as \"20s..50s\", and longer than `after`");
    }
    has_room.then_some((from, until))
}

/// `leader elected`, `500 operations`.
fn event(given: Given<'_>, scene: &Scene<'_>) -> Result<Event, Diagnostic> {
    let text = given.text()?;
    let roles = scene.system.map(|system| system.roles);
    match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        [role, "elected"] if roles.is_none_or(|roles| roles.contains(role)) => Ok(Event::RoleTaken((*role).to_owned())),
        [count, "operations"] if count.parse::<u64>().is_ok_and(|count| count > 0) => {
            Ok(Event::Served(count.parse().expect("it was just read")))
        }
        _ => {
            let events: Vec<String> = roles.unwrap_or_default().iter().map(|role| format!("{role} elected")).collect();
            let events: Vec<&str> = events.iter().map(String::as_str).chain(["500 operations"]).collect();
            let problem =
                Diagnostic::new(&codes::UNKNOWN_TRIGGER, &given.value.origin, format!("`{text}` is not an event"));
            Err(problem.label(did_you_mean(text, &events)).help(format!("events are {}", quoted(&events))))
        }
    }
}

/// Whether the fault strikes while the scenario lasts.
fn check_time(reader: &Reader<'_>, timing: &Timing, scene: &Scene<'_>) {
    let Some(duration) = scene.duration else { return };
    let (key, first, last) = match *timing {
        Timing::At { from, to } => ("at", from, to),
        Timing::During { from, .. } => ("during", from, from),
        Timing::Every { period, .. } => ("every", period, period),
        Timing::Event { within: Some((from, _)), .. } => ("within", from, from),
        Timing::Event { after, within: None, .. } => ("after", 0, after),
    };
    if last >= duration {
        let message = format!(
            "the fault would strike at {}, and the run ends at {}",
            format_duration(last),
            format_duration(duration)
        );
        return reader.tell(&codes::OUTSIDE, key, message);
    }
    if let Timing::Every { period, times, .. } = *timing {
        let strikes = strikes(period, times, duration);
        if strikes > STRIKES_MAX {
            let message = format!("the fault would strike {strikes} times; at most {STRIKES_MAX}");
            return reader.tell(&codes::OUTSIDE, key, message);
        }
    }
    if let Some(end) = scene.load_end.filter(|end| first >= *end) {
        let (end, first) = (format_duration(end), format_duration(first));
        let message = format!("every load has ended at {end}, and this fault strikes at {first} or later");
        reader.tell(&codes::NO_TRAFFIC, key, message);
    }
}
