//! The key table as a JSON Schema (draft 7), for editors: they complete keys, show what each does, and underline what
//! cannot be read.
//!
//! Every key is a definition of its own, under the path that the manual knows it by. A schema says what a single value
//! looks like; what does not fit together, or names what is not there, only `check` can say.

use crate::manual::places::{OWN_NAME, Place, SHAPES, common, places, shape_name};
use crate::manual::{listed, roles, value_of};
use crate::sections::{LINK_LOSSES, PLAIN_LINK, PROTOCOL, TOP, fault_name};
use crate::systems::System;
use crate::text::entry::{Absent, Entry, Listed, Section, Takes};
use serde_json::{Map, Value, json};
use sim_core::settings::{Flaw, Key, Kind, format_decimal};
use std::collections::BTreeMap;

/// The schema of scenario files that name one of these systems.
pub fn schema(systems: &[System]) -> Value {
    let writer = Writer { systems };
    let mut definitions: Map<String, Value> = writer.shared();
    definitions.extend(places(systems).iter().map(|place| (place.path.clone(), writer.key(place))));
    let mut schema = table(&TOP, "");
    let more = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "a stormglass scenario",
        "definitions": definitions,
    });
    merge(&mut schema, more);
    schema
}

struct Writer<'a> {
    systems: &'a [System],
}

/// A length of time other than a bare 0.
const TIME: &str = r"([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+";
/// A decimal number.
const DECIMAL: &str = r"[0-9]{1,9}(\.[0-9]{1,6})?";

impl Writer<'_> {
    /// A key: what it takes, what it does, and the ways to leave it to the seed.
    fn key(&self, place: &Place<'_>) -> Value {
        let Place { path, entry, .. } = place;
        let bounds = entry.takes.bounds().map(|bounds| format!(" From {bounds}.")).unwrap_or_default();
        let absent = match entry.absent {
            Absent::Error | Absent::Is(_) => String::new(),
            Absent::Means(words) => format!(" If not given: {words}."),
        };
        let mut key = json!({ "title": place.shown(), "description": format!("{}{bounds}{absent}", entry.text) });
        let mut forms = self.forms(place);
        if !place.is_fixed() && !matches!(entry.takes, Takes::Tables(_)) {
            forms.push(chosen(&definition(path)));
            forms.extend(is_drawn_between(&entry.takes).then(|| reference("drawn")));
        }
        merge(&mut key, either(forms));
        let default = entry.default().and_then(|default| plain(&default));
        merge_some(&mut key, "default", default);
        let example = plain(&value_of(entry, self.systems));
        merge_some(&mut key, "examples", example.map(|example| json!([example])));
        key
    }

    /// The forms that a value can have.
    fn forms(&self, place: &Place<'_>) -> Vec<Value> {
        let (path, takes) = (&place.path, place.entry.takes);
        let one = |form: Value| vec![form];
        let quantity = |pattern: &str| vec![text(pattern), json!({ "const": 0 })];
        match takes {
            Takes::Setting(kind) => match kind {
                Kind::Flag => one(json!({ "type": "boolean" })),
                Kind::Count { min, max } => one(whole(min, max)),
                Kind::Decimal { min, max } => {
                    let [min, max] = [min, max].map(|bound| plain(&format_decimal(bound)));
                    one(json!({ "type": "number", "minimum": min, "maximum": max }))
                }
                Kind::Duration { .. } => quantity(&format!("0|{TIME}")),
                Kind::DurationRange { .. } => quantity(&range(&format!("(0|{TIME})"))),
                Kind::Share { .. } => quantity(&format!("0|{DECIMAL}(%|ppm)")),
                Kind::Word(words) => one(json!({ "type": "string", "enum": words })),
            },
            Takes::Text => one(json!({ "type": "string" })),
            Takes::Share => quantity(&format!("0|{DECIMAL}(%|ppm)")),
            Takes::Rate => one(text(&format!("{DECIMAL}/(s|m|h)"))),
            Takes::Decimal => one(json!({ "type": "number", "minimum": 0 })),
            Takes::Offset => quantity(&range(&format!("[+-]?(0|{TIME})"))),
            Takes::Step => one(text(&format!("[+-]?{TIME}"))),
            Takes::Drift => one(text(&format!("[+-]?{DECIMAL}(%|ppm)"))),
            Takes::Delay => one(reference("delay")),
            Takes::AddedDelay => one(reference("added-delay")),
            Takes::Size => quantity(&format!("0|{DECIMAL}([KMG]i?)?B")),
            Takes::Bandwidth => one(text(&format!("{DECIMAL}(([KMG]i?)?B|[KMG]?bit)/s"))),
            Takes::Places => one(reference("places")),
            Takes::Texts => one(list("text")),
            Takes::Name(list) => one(self.name(list)),
            Takes::Names(list) => one(json!({ "type": "array", "items": self.names(list) })),
            Takes::Targets => one(reference("targets")),
            Takes::Groups => one(list("targets")),
            Takes::Counts => one(json!({ "type": "object", "additionalProperties": reference("weight") })),
            Takes::Links => one(json!({ "type": "object", "additionalProperties": reference("link") })),
            Takes::Matrix => {
                one(json!({ "type": "object", "additionalProperties": { "type": "array", "minItems": 1 } }))
            }
            Takes::Combinations => one(json!({ "type": "array", "items": { "type": "object", "minProperties": 1 } })),
            Takes::Named(section) => {
                let inner = table(section, &format!("{path}.{OWN_NAME}"));
                one(json!({ "type": "object", "minProperties": 1, "additionalProperties": inner }))
            }
            Takes::CountOr(section) => vec![json!({ "type": "integer", "minimum": 1 }), table(section, path)],
            Takes::Table(section) if std::ptr::eq(section, &PROTOCOL) => one(self.protocol(path)),
            Takes::Table(section) => one(table(section, path)),
            Takes::Tables([section]) => one(json!({ "type": "array", "items": table(section, path) })),
            Takes::Tables(sections) => one(json!({ "type": "array", "items": kinds(sections, path) })),
        }
    }

    /// Definitions that several keys share.
    fn shared(&self) -> Map<String, Value> {
        let range = range(&format!("(0|{TIME})"));
        let shapes = || SHAPES.iter().map(|shape| shaped(shape, &[]));
        let links = SHAPES.iter().map(|shape| shaped(shape, LINK_LOSSES)).chain([link()]);
        let written = |pattern: &str| [text(pattern), json!({ "const": 0 }), reference("drawn")].into_iter();
        let shared = [
            ("text", vec![json!({ "type": "string" })]),
            ("weight", vec![whole(0, 1_000_000), reference("drawn")]),
            ("delay", written(&range).chain(shapes()).collect()),
            ("added-delay", written(&format!(r"\+?{range}")).chain(shapes()).collect()),
            ("link", written(&range).chain(links).collect()),
            ("target", vec![text(&self.target())]),
            ("targets", vec![reference("target"), list("target")]),
            ("place", vec![text("(zone|region|provider):.+|(one|[1-9][0-9]*) of (zones|regions|providers)")]),
            ("places", vec![reference("place"), list("place")]),
        ];
        let define = |(name, mut forms): (&str, Vec<Value>)| {
            forms.push(chosen(&definition(name)));
            (name.to_owned(), json!({ "anyOf": forms }))
        };
        let drawn = json!({
            "description": "Something between the two, decided once per seed.",
            "type": "object",
            "properties": { "draw": { "type": "string", "pattern": r"^.+\.\..+$", "examples": ["30s..2m", "3..9", "1%..5%"] } },
            "required": ["draw"],
            "additionalProperties": false,
        });
        shared.into_iter().map(define).chain([("drawn".to_owned(), drawn)]).collect()
    }

    /// One name from a list, or a text of a form that has no end.
    fn name(&self, list: Listed) -> Value {
        let known: Vec<String> = listed(list, self.systems).into_iter().map(|(name, _)| name).collect();
        match list {
            Listed::Systems | Listed::Flaws | Listed::Data | Listed::Orders | Listed::Kinds | Listed::Layouts => {
                json!({ "type": "string", "enum": known })
            }
            Listed::Events => text(&format!("({}) elected|[1-9][0-9]* operations", roles(self.systems).join("|"))),
            Listed::Checks | Listed::Goals => json!({ "type": "string", "examples": known }),
        }
    }

    /// The same as an element of a list.
    fn names(&self, list: Listed) -> Value {
        json!({ "anyOf": [self.name(list), chosen("#/definitions/text")] })
    }

    /// How a target is written: perhaps a number of them, and who.
    fn target(&self) -> String {
        let words = roles(self.systems).into_iter().chain(["any", "all", "others", "minority", "majority", "clients"]);
        let words: Vec<&str> = words.collect();
        let places = "(zone|region|provider):.+|client:c[0-9]+|n[0-9]+";
        format!(" *((one|half|[1-9][0-9]*) +of +)?({}|{places}) *", words.join("|"))
    }

    /// `[protocol]`: what is in it depends on its `name`, unless that is left to the seed.
    fn protocol(&self, path: &str) -> Value {
        let own = |system: &System, key: &Key| (key.name, format!("{path}.{}.{}", system.name, key.name));
        let all = self.systems.iter().flat_map(|system| system.keys.iter().map(move |key| own(system, key)));
        let mut any = table(&PROTOCOL, path);
        merge(&mut any["properties"], alternatives(all));
        let of_one = |system: &System| {
            let mut exact = table(&PROTOCOL, path);
            merge(&mut exact["properties"], alternatives(system.keys.iter().map(|key| own(system, key))));
            let flaws: Vec<&str> = system.flaws.iter().map(|flaw: &Flaw| flaw.name).collect();
            let flaw = json!({ "anyOf": [{ "type": "string", "enum": flaws }, chosen("#/definitions/text")] });
            let flaws = json!({ "anyOf": [{ "type": "array", "items": flaw }, { "type": "object" }] });
            merge(&mut exact["properties"], json!({ "flaws": { "allOf": [reference("protocol.flaws"), flaws] } }));
            when("name", system.name, exact)
        };
        merge(&mut any, json!({ "allOf": self.systems.iter().map(of_one).collect::<Vec<_>>() }));
        any
    }
}

/// A list of tables of several kinds: what is in each depends on its `do`.
fn kinds(sections: &[&'static Section], path: &str) -> Value {
    let common = common(sections);
    let way = |section: &Section, entry: &Entry| match common.iter().any(|known| known.name == entry.name) {
        true => (entry.name, format!("{path}.{}", entry.name)),
        false => (entry.name, format!("{path}.{}.{}", fault_name(section), entry.name)),
    };
    let all = sections.iter().flat_map(|section| section.entries().map(move |entry| way(section, entry)));
    let of_one = |section: &&'static Section| {
        let keys = alternatives(section.entries().map(|entry| way(section, entry)));
        let required: Vec<&str> = required(section).collect();
        let exact = json!({ "properties": keys, "required": required, "additionalProperties": false });
        when("do", fault_name(section), exact)
    };
    json!({
        "type": "object",
        "properties": alternatives(all),
        "required": ["do"],
        "additionalProperties": false,
        "allOf": sections.iter().map(of_one).collect::<Vec<_>>(),
    })
}

/// Each key with the definition under its path; where several share a name, any of theirs.
fn alternatives(keys: impl Iterator<Item = (&'static str, String)>) -> Value {
    let mut ways: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (name, path) in keys {
        let (way, known) = (reference(&path), ways.entry(name).or_default());
        if !known.contains(&way) {
            known.push(way);
        }
    }
    ways.into_iter().map(|(name, ways)| (name.to_owned(), either(ways))).collect()
}

/// One of these forms.
fn either(forms: Vec<Value>) -> Value {
    match <[Value; 1]>::try_from(forms) {
        Ok([form]) => form,
        Err(forms) => json!({ "anyOf": forms }),
    }
}

/// If this key holds this word, then all of this.
fn when(key: &str, word: &str, then: Value) -> Value {
    json!({ "if": { "properties": { key: { "const": word } }, "required": [key] }, "then": then })
}

/// A table of these keys, each by its definition.
fn table(section: &Section, path: &str) -> Value {
    let way = |entry: &Entry| match path {
        "" => (entry.name, entry.name.to_owned()),
        path => (entry.name, format!("{path}.{}", entry.name)),
    };
    json!({
        "type": "object",
        "properties": alternatives(section.entries().map(way)),
        "required": required(section).collect::<Vec<_>>(),
        "additionalProperties": false,
    })
}

fn required(section: &Section) -> impl Iterator<Item = &'static str> {
    section.entries().filter(|entry| matches!(entry.absent, Absent::Error)).map(|entry| entry.name)
}

/// A delay as a table, and what a link takes beside it.
fn shaped(shape: &Section, more: &[Entry]) -> Value {
    let name = shape_name(shape);
    let mut table = table(shape, &format!("delay.{name}"));
    merge(&mut table["properties"], losses(more));
    merge(&mut table["properties"], json!({ "dist": { "const": name } }));
    table
}

/// A link as a table without a `dist`.
fn link() -> Value {
    let mut table = table(&PLAIN_LINK, &format!("layout.links.{OWN_NAME}"));
    merge(&mut table["properties"], losses(LINK_LOSSES));
    table
}

fn losses(entries: &[Entry]) -> Value {
    alternatives(entries.iter().map(|entry| (entry.name, format!("layout.links.{OWN_NAME}.{}", entry.name))))
}

/// One of several values, decided once per seed.
fn chosen(element: &str) -> Value {
    json!({
        "description": "One of these, each as likely, decided once per seed.",
        "type": "object",
        "properties": { "choose": { "type": "array", "minItems": 1, "items": { "$ref": element } } },
        "required": ["choose"],
        "additionalProperties": false,
    })
}

/// Whether there is something between two values of a key.
fn is_drawn_between(takes: &Takes) -> bool {
    match takes {
        Takes::Setting(kind) => match kind {
            Kind::Count { .. } | Kind::Decimal { .. } | Kind::Share { .. } => true,
            Kind::Duration { .. } | Kind::DurationRange { .. } => true,
            Kind::Flag | Kind::Word(_) => false,
        },
        Takes::Share
        | Takes::Rate
        | Takes::Decimal
        | Takes::CountOr(_)
        | Takes::Offset
        | Takes::Step
        | Takes::Drift => true,
        // Delays say so themselves.
        Takes::Delay
        | Takes::AddedDelay
        | Takes::Size
        | Takes::Bandwidth
        | Takes::Places
        | Takes::Text
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
        | Takes::Tables(_) => false,
    }
}

fn definition(name: &str) -> String {
    format!("#/definitions/{name}")
}

fn reference(name: &str) -> Value {
    json!({ "$ref": definition(name) })
}

fn list(of: &str) -> Value {
    json!({ "type": "array", "items": reference(of) })
}

/// A text that is all of this form.
fn text(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": format!("^({pattern})$") })
}

/// One, or a range of two.
fn range(one: &str) -> String {
    format!(r"{one}(\.\.{one})?")
}

/// Beyond 2^53 no editor counts exactly.
fn whole(min: u64, max: u64) -> Value {
    if max > 1 << 53 {
        json!({ "type": "integer", "minimum": min })
    } else {
        json!({ "type": "integer", "minimum": min, "maximum": max })
    }
}

/// A value of the key table as JSON; `None` for tables and lists that TOML writes otherwise.
fn plain(value: &str) -> Option<Value> {
    serde_json::from_str(value).ok()
}

fn merge_some(into: &mut Value, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        merge(into, json!({ key: value }));
    }
}

/// The keys of one object into another.
fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}
