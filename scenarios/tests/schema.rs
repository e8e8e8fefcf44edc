//! The schema holds every key of the key table, accepts what the parser accepts, and refuses what an editor can see is wrong.
#![expect(clippy::disallowed_methods, reason = "reads the scenarios that ship")]

use regex_lite::Regex;
use scenarios::manual::places::places;
use scenarios::schema::schema;
use scenarios::systems::SYSTEMS;
use serde_json::{Map, Value, json};
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// As much of draft 7 as the schema uses; any other word is a panic, not a pass.
fn fits(value: &Value, schema: &Value, root: &Value) -> bool {
    let Value::Object(words) = schema else { return schema.as_bool().expect("a schema is an object or true or false") };
    words.iter().all(|(word, says)| match word.as_str() {
        "$ref" => fits(value, target(says, root), root),
        "type" => is_of_type(value, says.as_str().expect("one type")),
        "enum" => says.as_array().is_some_and(|known| known.contains(value)),
        "const" => value == says,
        "pattern" => value.as_str().is_none_or(|text| {
            Regex::new(says.as_str().expect("a text")).expect("a pattern that can be read").is_match(text)
        }),
        "minimum" => value.as_f64().is_none_or(|number| Some(number) >= says.as_f64()),
        "maximum" => value.as_f64().is_none_or(|number| Some(number) <= says.as_f64()),
        "minItems" => value.as_array().is_none_or(|items| Some(items.len() as u64) >= says.as_u64()),
        "minProperties" => value.as_object().is_none_or(|keys| Some(keys.len() as u64) >= says.as_u64()),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| fits(item, says, root))),
        "properties" => value.as_object().is_none_or(|keys| {
            keys.iter().all(|(key, value)| says.get(key).is_none_or(|schema| fits(value, schema, root)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|keys| {
            let known = |key: &str| words.get("properties").is_some_and(|known| known.get(key).is_some());
            keys.iter().all(|(key, value)| known(key) || fits(value, says, root))
        }),
        "required" => value.as_object().is_none_or(|keys| {
            says.as_array().expect("a list").iter().all(|key| keys.contains_key(key.as_str().expect("a key")))
        }),
        "anyOf" => says.as_array().expect("a list").iter().any(|schema| fits(value, schema, root)),
        "allOf" => says.as_array().expect("a list").iter().all(|schema| fits(value, schema, root)),
        "if" => !fits(value, says, root) || fits(value, &words["then"], root),
        "then" | "title" | "description" | "default" | "examples" | "$schema" | "definitions" => true,
        other => panic!("the schema uses `{other}`, and this reader does not know it"),
    })
}

fn target<'a>(reference: &Value, root: &'a Value) -> &'a Value {
    let path = reference.as_str().and_then(|path| path.strip_prefix('#')).expect("a way within the schema");
    root.pointer(path).unwrap_or_else(|| panic!("{path} leads nowhere"))
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        other => panic!("no type is called {other}"),
    }
}

fn from_toml(source: &str) -> Value {
    let tree = DeTable::parse(source).unwrap_or_else(|e| panic!("{e}:\n{source}"));
    json_table(tree.get_ref())
}

fn json_table(table: &DeTable<'_>) -> Value {
    let entries = table.iter().map(|(key, value)| (key.get_ref().to_string(), json_value(value.get_ref())));
    Value::Object(entries.collect::<Map<String, Value>>())
}

fn json_value(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => json!(text),
        DeValue::Integer(number) => json!(i64::from_str_radix(number.as_str(), number.radix()).expect("a number")),
        DeValue::Float(number) => json!(number.as_str().parse::<f64>().expect("a number")),
        DeValue::Boolean(flag) => json!(flag),
        DeValue::Datetime(date) => json!(date.to_string()),
        DeValue::Array(items) => items.iter().map(|item| json_value(item.get_ref())).collect(),
        DeValue::Table(table) => json_table(table),
    }
}

#[test]
fn every_shipped_scenario_fits() {
    let schema = schema(SYSTEMS);
    let mut count = 0;
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/files"));
    for system in std::fs::read_dir(root).expect("scenarios ship") {
        for file in std::fs::read_dir(system.expect("readable").path()).expect("a directory for each system") {
            let path = file.expect("readable").path();
            let source = std::fs::read_to_string(&path).expect("readable");
            assert!(fits(&from_toml(&source), &schema, &schema), "{}", path.display());
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}

const GOOD: &str = r#"scenario = 1
duration = "60s"
[cluster]
nodes = 5
disk = { fsync = { dist = "lognormal", median = "1ms", p99 = "3ms" } }
[layout]
regions = { e = { zones = ["a"] }, w = { zones = ["a"] } }
[layout.links]
same-zone = "250us"
"e <-> w" = { delay = "31ms..45ms", loss = "1%" }
[protocol]
name = "SYSTEM"
[[load]]
clients = { count = 3, place = "e" }
at = 0
[[fault]]
do = "partition"
at = "1s"
groups = [["2 of all"], "others"]
[expect]
must = ["linearizable"]
"#;

fn good() -> String {
    GOOD.replace("SYSTEM", SYSTEMS[0].name)
}

#[test]
fn what_is_right_fits_and_each_mistake_does_not() {
    let schema = schema(SYSTEMS);
    let good = good();
    assert!(fits(&from_toml(&good), &schema, &schema));
    for (old, new) in [
        ("scenario = 1\n", ""),
        ("duration = \"60s\"", "duration = 60"),
        ("duration = \"60s\"", "duration = \"60\""),
        ("duration = \"60s\"", "duration = \"60 parsecs\""),
        ("duration = \"60s\"", "durations = \"60s\""),
        ("duration = \"60s\"", "duration = { choose = [] }"),
        ("duration = \"60s\"", "duration = { choose = [\"1s\"], draw = \"1s..2s\" }"),
        ("duration = \"60s\"", "duration = { choose = [\"1s\", 5] }"),
        ("scenario = 1", "scenario = { choose = [1] }"),
        ("nodes = 5", "nodes = \"5\""),
        ("nodes = 5", "nodes = 1001"),
        ("nodes = 5", "nodes = { draw = 5 }"),
        ("nodes = 5", "layout = \"four-zones\""),
        ("\"lognormal\"", "\"normal\""),
        ("median = \"1ms\", ", ""),
        ("loss = \"1%\"", "loss = \"1\""),
        ("loss = \"1%\"", "lost = \"1%\""),
        ("regions = { e = { zones = [\"a\"] }", "regions = { e = { zone = [\"a\"] }"),
        ("clients = { count = 3, place = \"e\" }", "clients = 0"),
        ("clients = { count = 3, place = \"e\" }", "clients = { place = \"e\" }"),
        ("at = 0", "at = 1"),
        ("at = 0", "data = \"kvs\""),
        ("at = 0", "name = { choose = [\"a\"] }"),
        ("do = \"partition\"", "do = \"partitions\""),
        ("do = \"partition\"\n", ""),
        ("do = \"partition\"", "do = \"pause\""),
        ("do = \"partition\"", "do = \"partition\"\ntarget = \"any\""),
        ("do = \"partition\"", "do = { choose = [\"partition\"] }\nwhom = \"any\""),
        ("2 of all", "two of all"),
        ("2 of all", "the leader"),
        ("name = \"", "nam = \""),
        ("name = \"", "name = \"no-such-"),
        ("[[load]]", "no-such-key = 1\n[[load]]"),
        ("[[load]]", "flaws = [\"no-such-flaw\"]\n[[load]]"),
        ("must = [\"linearizable\"]", "must = \"linearizable\""),
    ] {
        let bad = good.replacen(old, new, 1);
        assert_ne!(bad, good, "{old}");
        assert!(!fits(&from_toml(&bad), &schema, &schema), "{new:?} fits instead of {old:?}");
    }
    for (old, new) in [
        ("duration = \"60s\"", "duration = { draw = \"30s..2m\" }"),
        ("nodes = 5", "nodes = { choose = [3, { draw = \"5..9\" }] }"),
        ("\"250us\"", "{ choose = [\"250us\", { dist = \"exp\", mean = \"1ms\", duplicate = \"1%\" }] }"),
        ("at = 0", "chance = \"50%\"\nops = { read = { draw = \"1..9\" }, write = 1 }"),
        ("do = \"partition\"", "name = \"storm\"\ndo = { choose = [\"partition\", \"pause\"] }\ntarget = \"any\""),
        ("[\"2 of all\"]", "{ choose = [\"minority\", [\"n1\", \"zone:e\"]] }"),
    ] {
        let drawn = good.replacen(old, new, 1);
        assert!(fits(&from_toml(&drawn), &schema, &schema), "{new}");
    }
}

/// The parser's keys are the schema's, each with what it does and with an example that fits.
#[test]
fn every_key_of_the_key_table_is_in_it() {
    let schema = schema(SYSTEMS);
    let text = schema.to_string();
    for place in places(SYSTEMS) {
        let definition = &schema["definitions"][&place.path];
        let told = definition["description"].as_str().unwrap_or_else(|| panic!("{} is missing", place.path));
        assert!(told.starts_with(place.entry.text), "{}", place.path);
        let reference = format!("\"#/definitions/{}\"", place.path);
        assert!(text.contains(&reference), "nothing leads to {}", place.path);
        let shown =
            definition.get("default").into_iter().chain(definition["examples"].as_array().into_iter().flatten());
        for value in shown {
            assert!(fits(value, definition, &schema), "{}: {value}", place.path);
        }
    }
}

/// Editors show what is written here; and whatever reads JSON finds the same on every machine.
#[test]
fn all_references_lead_somewhere() {
    let schema = schema(SYSTEMS);
    fn walk(value: &Value, root: &Value) -> usize {
        match value {
            Value::Object(object) => {
                let own = object.get("$ref").map_or(0, |reference| {
                    target(reference, root);
                    1
                });
                own + object.values().map(|value| walk(value, root)).sum::<usize>()
            }
            Value::Array(items) => items.iter().map(|value| walk(value, root)).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        }
    }
    assert!(walk(&schema, &schema) > 100);
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
}
