//! What the manual says of each kind of thing.

use super::places::{Place, SHAPES, common, places, shape_name};
use super::{Page, Thing, check_name, kinds_of_data, listed, roles};
use crate::codes::Code;
use crate::diagnostics::Severity;
use crate::layout::Preset;
use crate::parse::{CHECKS, PLACES, TARGETS};
use crate::promises;
use crate::sections::{FAULTS, OPERATE, PROTOCOL, TOP, fault_name};
use crate::systems::{DataKind, System};
use crate::text::entry::{Absent, Entry, Listed, Section, Takes};
use sim_core::promise::{Claim, Guarantee, Premise};
use sim_core::protocol::{About, OrderKind};
use sim_core::settings::{Flaw, Kind, Values};
use sim_core::time::{Nanos, format_duration, parse_duration};

pub(super) fn page(thing: &Thing<'_>, systems: &[System]) -> Page {
    match thing {
        Thing::Key(place) => key(place, systems),
        Thing::Fault(section) => fault(section, systems),
        Thing::Shape(section) => shape(section),
        Thing::Code(code) => self::code(code),
        Thing::Check { sentence, text } => check(sentence, text, systems),
        Thing::System(system) => self::system(system),
        Thing::Flaw(system, flaw) => self::flaw(system, flaw),
        Thing::Order(system, order) => self::order(system, order),
        Thing::Data(kind) => data(kind, systems),
        Thing::Layout(preset) => layout(preset),
    }
}

pub(super) fn file() -> Page {
    Page {
        title: "a scenario file".to_owned(),
        kind: "TOML".to_owned(),
        text: vec![
            TOP.text.to_owned(),
            "Any value can be left to the seed: { choose = [3, 5, 7] } is one of these, { draw = \"30s..2m\" } something \
             between the two."
                .to_owned(),
        ],
        rows: rows(TOP.entries()),
        see: ["cluster.nodes", "crash", "linearizable", "S0102", "small-lan"].map(str::to_owned).to_vec(),
        ..Page::default()
    }
}

fn key(place: &Place<'_>, systems: &[System]) -> Page {
    let Place { path, home, entry, system } = place;
    let value = value(entry, systems);
    let tables = inner_tables(&entry.takes);
    let mut facts = vec![("takes", takes(entry, systems))];
    facts.extend(entry.takes.bounds().map(|bounds| ("within", bounds)));
    facts.extend(unit(&entry.takes).map(|unit| ("units", unit.to_owned())));
    facts.push(("default", default(entry)));
    if tables.is_none() {
        let set = place.set_path().map(|set| format!("--set {}", shell(&format!("{set}={}", bare(&value)))));
        facts.extend(set.map(|set| ("set by", set)));
        facts.extend(Some(("by seed", by_seed(entry, &value))).filter(|_| !place.is_fixed()));
    }
    let is_of_every_fault = path.starts_with("fault.") && path.matches('.').count() == 1;
    let kind = match system {
        Some(system) => format!("a key of {} for {}", home.title, system.name),
        None if std::ptr::eq(*home, &TOP) => "a key at the top of the scenario".to_owned(),
        None if is_of_every_fault => "a key of every fault".to_owned(),
        None => format!("a key of {}", home.title),
    };
    let last = |path: &str| path.rsplit_once('.').map_or(path, |(_, last)| last).to_owned();
    let others = places(systems);
    let namesakes = others.iter().filter(|other| other.path != *path && last(&other.path) == last(path));
    Page {
        title: place.shown(),
        kind,
        text: vec![entry.text.to_owned()],
        facts,
        rows: tables.map_or_else(|| of_value(entry, systems), |tables| of_table(&tables, systems)),
        example: in_context(place, &value, systems),
        see: namesakes.map(|other| other.path.clone()).collect(),
        flaw: None,
    }
}

/// The tables of which a key takes one or some.
fn inner_tables(takes: &Takes) -> Option<Vec<&'static Section>> {
    if let Takes::Table(section) | Takes::Named(section) = takes {
        Some(vec![section])
    } else if let Takes::Tables(sections) = takes {
        Some(sections.to_vec())
    } else {
        None
    }
}

/// What is in a table; of several kinds, which there are, and what all of them take.
fn of_table(sections: &[&'static Section], systems: &[System]) -> Vec<(String, String)> {
    match sections {
        [section] if std::ptr::eq(*section, &PROTOCOL) => {
            rows(section.entries()).into_iter().chain(listed(Listed::Systems, systems)).collect()
        }
        [section] => rows(section.entries()),
        kinds => {
            let names = kinds.iter().map(|kind| (fault_name(kind).to_owned(), kind.text.to_owned()));
            names.chain(rows(common(kinds).iter())).collect()
        }
    }
}

/// A key's line, below the header it needs.
fn in_context(place: &Place<'_>, value: &str, systems: &[System]) -> String {
    let line = format!("{} = {value}", place.entry.name);
    let shown = place.shown();
    let steps: Vec<&str> = shown.split('.').collect();
    let within =
        |braces: &[&str]| braces.iter().rev().fold(line.clone(), |inner, key| format!("{key} = {{ {inner} }}"));
    match (steps.as_slice(), place.entry.takes) {
        ([list], Takes::Tables([section, ..])) => format!("[[{list}]]\n{}", section.example),
        ([header], Takes::Table(section)) => format!("[{header}]\n{}", table_lines(section, systems)),
        (["fault", _], _) => format!("[[fault]]\n{line}"),
        (["fault", kind, _], _) => format!("[[fault]]\ndo = \"{kind}\"\n{line}"),
        (["load", braces @ .., _], _) => format!("[[load]]\n{}", within(braces)),
        (["delay", shape, _], _) => {
            let shape = SHAPES.iter().find(|known| shape_name(known) == *shape);
            shape.map_or(line, |shape| format!("{{ {} }}", shape.example.replace('\n', ", ")))
        }
        (["layout", "regions", _, ..], _) => format!("[layout.regions]\nus-east = {{ {line} }}"),
        (["layout", "links", _, "delay"], _) => format!("[layout.links]\n\"us-east <-> eu-west\" = {{ {line} }}"),
        (["layout", "links", _, ..], _) => {
            format!("[layout.links]\n\"us-east <-> eu-west\" = {{ delay = \"38ms..60ms\", {line} }}")
        }
        ([header, braces @ .., _], _) => format!("[{header}]\n{}", within(braces)),
        ([] | [_], _) => line,
    }
}

/// The example of a table with a header; which system is under test only the systems know.
fn table_lines(section: &Section, systems: &[System]) -> String {
    match systems.first().filter(|_| std::ptr::eq(section, &PROTOCOL)) {
        Some(system) => format!("name = \"{}\"", system.name),
        None => section.example.to_owned(),
    }
}

/// What a key takes: its names, where it takes one of a few.
fn takes(entry: &Entry, systems: &[System]) -> String {
    const FEW: [Listed; 4] = [Listed::Systems, Listed::Data, Listed::Layouts, Listed::Orders];
    if let Takes::Name(list) = entry.takes
        && FEW.contains(&list)
    {
        let names: Vec<String> = listed(list, systems).into_iter().map(|(name, _)| format!("\"{name}\"")).collect();
        return names.join(", ");
    }
    if let Takes::Tables(kinds) = entry.takes {
        let several = if kinds.len() > 1 { " of some kind" } else { "" };
        return format!("tables{several}, each below a header [[{}]]", entry.name);
    }
    entry.takes.noun()
}

fn default(entry: &Entry) -> String {
    match entry.absent {
        Absent::Error => "none: it has to be given".to_owned(),
        Absent::Is(default) => default.to_owned(),
        Absent::Means(words) => words.to_owned(),
    }
}

fn unit(takes: &Takes) -> Option<&'static str> {
    match takes {
        Takes::Setting(Kind::Duration { .. } | Kind::DurationRange { .. })
        | Takes::Delay
        | Takes::AddedDelay
        | Takes::Offset
        | Takes::Step
        | Takes::Links => Some("ns, us, ms, s, m, h; several add up: 1m30s"),
        Takes::Share | Takes::Drift | Takes::Setting(Kind::Share { .. }) => Some("% or ppm, a millionth"),
        Takes::Rate => Some("/s, /m or /h"),
        Takes::Size => Some("B, KB, MB, GB; KiB, MiB, GiB are 1024 of the next"),
        Takes::Bandwidth => Some("B/s, KB/s, MB/s, GB/s; or Kbit/s, Mbit/s, Gbit/s"),
        Takes::Setting(Kind::Flag | Kind::Count { .. } | Kind::Decimal { .. } | Kind::Word(_))
        | Takes::Text
        | Takes::Decimal
        | Takes::Places
        | Takes::Texts
        | Takes::Name(_)
        | Takes::Names(_)
        | Takes::Targets
        | Takes::Groups
        | Takes::Counts
        | Takes::Matrix
        | Takes::Combinations
        | Takes::Named(_)
        | Takes::CountOr(_)
        | Takes::Table(_)
        | Takes::Tables(_) => None,
    }
}

/// A value to show; of what only the systems know, the first.
pub(crate) fn value(entry: &Entry, systems: &[System]) -> String {
    let first = |list| listed(list, systems).into_iter().next().map(|(name, _)| format!("\"{name}\""));
    let known = if let Takes::Name(list) = entry.takes {
        first(list)
    } else if let Takes::Names(list) = entry.takes {
        first(list).map(|name| format!("[{name}]"))
    } else {
        None
    };
    known.filter(|_| entry.example.is_none()).unwrap_or_else(|| entry.value())
}

/// What the key's value names, or can be.
fn of_value(entry: &Entry, systems: &[System]) -> Vec<(String, String)> {
    let row = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    if let Takes::Name(list) | Takes::Names(list) = entry.takes {
        listed(list, systems)
    } else if matches!(entry.takes, Takes::Targets | Takes::Groups) {
        let roles = roles(systems).into_iter().map(|role| row(role, "Who has this role."));
        roles.chain(TARGETS.iter().map(|(name, text)| row(name, text))).collect()
    } else if let Takes::Places = entry.takes {
        PLACES.iter().map(|(name, text)| row(name, text)).collect()
    } else if matches!(entry.takes, Takes::Delay | Takes::AddedDelay | Takes::Links) {
        SHAPES.iter().map(|shape| row(shape_name(shape), shape.text)).collect()
    } else if let Takes::CountOr(section) = entry.takes {
        rows(section.entries())
    } else {
        Vec::new()
    }
}

/// How the value is left to the seed.
fn by_seed(entry: &Entry, value: &str) -> String {
    let drawn = match entry.takes {
        Takes::Setting(kind) => match kind {
            Kind::Flag => "choose = [true, false]".to_owned(),
            Kind::Word(words) => format!("choose = {words:?}"),
            Kind::Count { min, max } => format!("draw = \"{}..{}\"", min.max(1), (min + 6).min(max)),
            Kind::Decimal { .. } => format!("draw = \"{0}..{0}.5\"", bare(value)),
            Kind::Share { .. } => "draw = \"1%..5%\"".to_owned(),
            Kind::Duration { max, .. } => drawn_time(bare(value), max),
            Kind::DurationRange { .. } => format!("choose = [{value}, ..]"),
        },
        Takes::CountOr(_) => "draw = \"3..15\"".to_owned(),
        Takes::Share => "draw = \"1%..5%\"".to_owned(),
        Takes::Rate => "draw = \"100/s..500/s\"".to_owned(),
        Takes::Decimal => "draw = \"0.5..1.5\"".to_owned(),
        Takes::Text
        | Takes::Offset
        | Takes::Step
        | Takes::Drift
        | Takes::Delay
        | Takes::AddedDelay
        | Takes::Size
        | Takes::Bandwidth
        | Takes::Places
        | Takes::Texts
        | Takes::Name(_)
        | Takes::Names(_)
        | Takes::Targets
        | Takes::Groups
        | Takes::Counts
        | Takes::Links
        | Takes::Matrix
        | Takes::Combinations
        | Takes::Named(_)
        | Takes::Table(_)
        | Takes::Tables(_) => format!("choose = [{value}, ..]"),
    };
    format!("{} = {{ {drawn} }}", entry.name)
}

/// Between a time and twice that.
fn drawn_time(text: &str, max: Nanos) -> String {
    match parse_duration(text) {
        Ok(time) if time > 0 && time <= max / 2 => {
            format!("draw = \"{}..{}\"", format_duration(time), format_duration(2 * time))
        }
        _ => format!("choose = [\"{text}\", ..]"),
    }
}

/// A text without its quotes, as `--set` takes it too.
fn bare(value: &str) -> &str {
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value)
}

/// As a shell takes it.
fn shell(word: &str) -> String {
    let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c));
    if is_plain { word.to_owned() } else { format!("'{word}'") }
}

fn rows<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<(String, String)> {
    let row = |entry: &Entry| (entry.name.to_owned(), format!("{}{}", entry.text, briefly(entry)));
    entries.map(row).collect()
}

/// The default, after a sentence.
fn briefly(entry: &Entry) -> String {
    match entry.absent {
        Absent::Error => " Has to be given.".to_owned(),
        Absent::Is(default) => format!(" [{default}]"),
        Absent::Means(_) => String::new(),
    }
}

fn fault(section: &'static Section, systems: &[System]) -> Page {
    let name = fault_name(section);
    let shared: Vec<&str> = common(FAULTS).iter().map(|entry| entry.name).collect();
    let own: Vec<&Entry> = section.entries().filter(|entry| !shared.contains(&entry.name)).collect();
    let others = FAULTS.iter().map(|fault| format!("fault.{}", fault_name(fault)));
    let namesakes =
        places(systems).into_iter().map(|place| place.path).filter(|path| path.ends_with(&format!(".{name}")));
    Page {
        title: format!("fault.{name}"),
        kind: "a kind of fault".to_owned(),
        text: vec![section.text.to_owned()],
        facts: vec![("when", "at, during, every or when: one of them".to_owned()), ("also", shared.join(", "))],
        rows: rows(own.into_iter()),
        example: format!("[[fault]]\n{}", lines_of(section, systems)),
        see: namesakes.chain(others.filter(|other| *other != format!("fault.{name}"))).collect(),
        flaw: None,
    }
}

/// The example of a kind of fault; what an operator can order only a system knows.
pub(crate) fn lines_of(section: &Section, systems: &[System]) -> String {
    if !std::ptr::eq(section, &OPERATE) {
        return section.example.to_owned();
    }
    let order = systems.iter().flat_map(|system| system.orders).next();
    order.map_or("do = \"operate\"".to_owned(), order_lines)
}

fn order_lines(order: &OrderKind) -> String {
    let about = match order.about {
        About::Nobody => "",
        About::One => "\nabout = \"n3\"",
        About::Some => "\nabout = [\"n1\", \"n2\", \"n3\"]",
    };
    format!("do = \"operate\"\nat = \"10s\"\nfor = \"5s\"\norder = \"{}\"{about}", order.name)
}

fn shape(section: &'static Section) -> Page {
    Page {
        title: format!("delay.{}", shape_name(section)),
        kind: "a delay as a table".to_owned(),
        text: vec![section.text.to_owned(), "Wherever a key takes a delay, it takes this.".to_owned()],
        rows: rows(section.entries()),
        example: format!("disk = {{ fsync = {{ {} }} }}", section.example.replace('\n', ", ")),
        see: SHAPES
            .iter()
            .map(|other| shape_name(other))
            .filter(|other| *other != shape_name(section))
            .map(str::to_owned)
            .collect(),
        ..Page::default()
    }
}

fn code(code: &Code) -> Page {
    let kind = match code.severity {
        Severity::Error => "an error: the scenario does not run",
        Severity::Warning => "a warning: the scenario runs, but perhaps not as meant",
    };
    Page { title: code.id.to_owned(), kind: kind.to_owned(), text: vec![code.text.to_owned()], ..Page::default() }
}

fn check(sentence: &str, text: &str, systems: &[System]) -> Page {
    let is_check = CHECKS.iter().any(|(known, _)| *known == sentence);
    let (lists, kind) = if is_check { ("must, should", "a check") } else { ("reach", "a goal") };
    let list = if is_check { "must" } else { "reach" };
    let mut facts = vec![("stands in", format!("{lists} of [expect]"))];
    facts.extend(
        promises::promised_by(sentence, systems).map(|who| ("promise", format!("with default settings {who}"))),
    );
    let near = listed(if is_check { Listed::Checks } else { Listed::Goals }, systems).into_iter().map(|(name, _)| name);
    Page {
        title: sentence.to_owned(),
        kind: format!("{kind} ({})", check_name(sentence)),
        text: vec![text.to_owned()],
        facts,
        example: format!("[expect]\n{list} = [\"{sentence}\"]"),
        see: near.filter(|name| name != sentence).collect(),
        ..Page::default()
    }
}

fn system(system: &System) -> Page {
    let names = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let mut facts = vec![
        ("data", names(system.data.iter().map(|kind| kind.name).collect())),
        ("roles", names(system.roles.to_vec())),
        ("serves", system.serving.map_or("every node".to_owned(), |role| format!("who is {role}"))),
        ("promises", promised(system)),
        ("orders", names(system.orders.iter().map(|order| order.name).collect())),
        ("laws", names(system.laws.to_vec())),
        ("flaws", names(system.flaws.iter().map(|flaw| flaw.name).collect())),
    ];
    facts.retain(|(_, told)| told != "none");
    let keys: Vec<Entry> = system.keys.iter().map(Entry::from_key).collect();
    Page {
        title: system.name.to_owned(),
        kind: "a system under test".to_owned(),
        text: vec![system.about.to_owned()],
        facts,
        rows: rows(keys.iter()),
        example: format!("[protocol]\nname = \"{}\"", system.name),
        ..Page::default()
    }
}

/// What it promises at its default settings where nothing goes wrong.
fn promised(system: &System) -> String {
    let claims = [
        (Claim::Linearizable, "linearizable"),
        (Claim::LinearizableWrites, "linearizable writes"),
        (Claim::NoLostWrites, "no lost writes"),
        (Claim::NoResurrection, "no resurrected deletes"),
        (Claim::Consistent(Guarantee::ReadYourWrites), "read your writes"),
        (Claim::Consistent(Guarantee::MonotonicReads), "monotonic reads"),
        (Claim::Converges, "converged"),
        (Claim::HintsDelivered, "hints delivered"),
        (Claim::Detects { within: Nanos::MAX }, "detection"),
        (Claim::Progress, "progress"),
    ];
    let values = Values::defaults(system.keys);
    let promises = |claim| (system.promises)(&values, claim, &Premise::CALM).is_ok();
    // Whoever promises the strongest has no need to name the weaker.
    let is_implied = |claim: Claim| matches!(claim, Claim::Consistent(_)) && promises(Claim::Linearizable);
    let is_made = |claim| promises(claim) && !is_implied(claim);
    let made: Vec<&str> = claims.into_iter().filter(|(claim, _)| is_made(*claim)).map(|(_, name)| name).collect();
    if made.is_empty() { "nothing".to_owned() } else { format!("{}, with default settings", made.join(", ")) }
}

fn flaw(system: &System, flaw: &Flaw) -> Page {
    let Flaw { name, id, .. } = flaw;
    Page {
        title: (*name).to_owned(),
        kind: format!("a flaw of {}, {id}", system.name),
        text: vec![
            flaw.text.to_owned(),
            "It is off unless a scenario switches it on. What is demanded then is what the system would do without it."
                .to_owned(),
        ],
        facts: vec![("set by", format!("--set 'protocol.flaws=[\"{name}\"]'"))],
        example: format!("[protocol]\nname = \"{}\"\nflaws = [\"{name}\"]", system.name),
        flaw: Some(name),
        ..Page::default()
    }
}

fn order(system: &System, order: &OrderKind) -> Page {
    let about = match order.about {
        About::Nobody => "nobody",
        About::One => "one node",
        About::Some => "one or more nodes",
    };
    let others = system.orders.iter().filter(|other| other.name != order.name);
    Page {
        title: format!("{} {}", system.name, order.name),
        kind: "what an operator can order".to_owned(),
        text: vec![order.text.to_owned()],
        facts: vec![("about", about.to_owned())],
        example: format!("[[fault]]\n{}", order_lines(order)),
        see: others
            .map(|other| format!("{} {}", system.name, other.name))
            .chain(["fault.operate".to_owned()])
            .collect(),
        ..Page::default()
    }
}

fn data(kind: &DataKind, systems: &[System]) -> Page {
    let offers = |system: &&System| system.data.iter().any(|known| known.name == kind.name);
    let offering: Vec<&str> = systems.iter().filter(offers).map(|system| system.name).collect();
    let specification = if kind.linearizable {
        "there is one, so operations can be linearizable"
    } else {
        "there is none, so nothing can be linearizable"
    };
    let keys = if kind.keyed { "each operation names a key" } else { "it is one object" };
    Page {
        title: kind.name.to_owned(),
        kind: "a kind of data".to_owned(),
        text: vec![functions(kind)],
        facts: vec![
            ("keys", keys.to_owned()),
            ("sequential specification", specification.to_owned()),
            ("offered by", offering.join(", ")),
        ],
        rows: kind
            .functions
            .iter()
            .map(|function| {
                let does = if function.writes { "Can change the data." } else { "Only reads." };
                (function.name.to_owned(), does.to_owned())
            })
            .collect(),
        example: format!("[[load]]\ndata = \"{}\"\nops = {{ {} }}", kind.name, weights(kind)),
        see: kinds_of_data(systems)
            .iter()
            .map(|other| other.name)
            .filter(|other| *other != kind.name)
            .map(str::to_owned)
            .collect(),
        flaw: None,
    }
}

/// What clients can ask of it, in a sentence.
pub(super) fn functions(kind: &DataKind) -> String {
    let names: Vec<&str> = kind.functions.iter().map(|function| function.name).collect();
    format!("Clients can ask for {}.", names.join(", "))
}

/// Reads and writes, as `ops` weighs them.
pub(crate) fn weights(kind: &DataKind) -> String {
    let first = |writes: bool| kind.functions.iter().find(|function| function.writes == writes);
    let both = [(first(false), 70), (first(true), 30)].into_iter();
    let weights: Vec<String> =
        both.filter_map(|(function, weight)| Some(format!("{} = {weight}", function?.name))).collect();
    weights.join(", ")
}

fn layout(preset: &Preset) -> Page {
    let lines: Vec<&str> = preset.text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Page {
        title: preset.name.to_owned(),
        kind: "a layout".to_owned(),
        text: vec![preset.about.to_owned(), "It stands for these lines of a [layout] of one's own:".to_owned()],
        facts: vec![("used by", format!("layout = \"{}\" below [cluster]", preset.name))],
        example: lines.join("\n"),
        see: crate::layout::PRESETS
            .iter()
            .map(|other| other.name)
            .filter(|other| *other != preset.name)
            .map(str::to_owned)
            .collect(),
        ..Page::default()
    }
}
