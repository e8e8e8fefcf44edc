//! `--set key=value`: values from the command line, put into the tree before anybody reads it.

use super::{Problems, Shape, Table, TableEntry, Value, names, value_at, write};
use crate::codes;
use crate::diagnostics::{Diagnostic, Origin};
use std::sync::Arc;
use toml::de::DeValue;

/// Puts one override into the tree: `load.0.clients` is a key of the first load, `load.readers.clients` of the one of that
/// name.
pub(crate) fn apply(root: &mut Table, key: &str, text: &str) -> Result<(), Diagnostic> {
    let origin = Origin::Set(key.into());
    place(root, key, &origin, read(text, key)?)
}

/// Puts a value into the tree under this key, which stands at `origin`.
pub(crate) fn place(root: &mut Table, key: &str, origin: &Origin, value: Value) -> Result<(), Diagnostic> {
    let refuse = |message: String| Diagnostic::new(&codes::BAD_OVERRIDE, origin, message);
    let mut path: Vec<&str> = key.split('.').collect();
    if path.iter().any(|part| part.is_empty()) {
        return Err(refuse("the key is empty".to_owned()).help("write a path such as `cluster.nodes`"));
    }
    let last = path.pop().expect("a split text has a part");
    let mut table = root;
    let mut walked = String::new();
    let mut parts = path.into_iter();
    while let Some(part) = parts.next() {
        walked = if walked.is_empty() { part.to_owned() } else { format!("{walked}.{part}") };
        let mut inner = child(table, part, origin);
        if let Shape::List(items) = &inner.shape {
            let (count, number) = (items.len(), parts.next().unwrap_or(last));
            inner = element(inner, &walked, number).ok_or_else(|| {
                refuse(format!("`{walked}` is a list of {count}, and `{number}` is none of its numbers"))
                    .help(format!("count from 0: `{walked}.0`"))
            })?;
        }
        let Shape::Table(inner) = &mut inner.shape else {
            return Err(refuse(format!("`{walked}` is not a table, so it has no `{last}`")));
        };
        table = inner;
    }
    *child(table, last, origin) = value;
    Ok(())
}

/// The key by which everybody means the same: loads and faults by name.
pub(crate) fn canonical(root: &Table, key: &str) -> String {
    let mut steps = key.splitn(3, '.');
    let (Some(list), Some(number), Some(rest)) = (steps.next(), steps.next(), steps.next()) else {
        return key.to_owned();
    };
    let items = root.get(list).filter(|_| names::LISTS.contains(&list)).map(|value| &value.shape);
    let Some(Shape::List(items)) = items else { return key.to_owned() };
    let name = number.parse::<usize>().ok().and_then(|number| names::of(list, items).into_iter().nth(number)?);
    name.map_or_else(|| key.to_owned(), |name| format!("{list}.{name}.{rest}"))
}

/// The value as `--set` takes it. A text stands without quotes, unless it would then be read as something else.
pub(crate) fn written(value: &Value) -> String {
    let plain = write::plain(value);
    let is_same = match (&value.shape, DeValue::parse(&plain)) {
        (Shape::Text(_), Ok(_)) => false,
        (_, _) => true,
    };
    if is_same { plain } else { write::value(value) }
}

/// The value of this key, made if need be.
fn child<'a>(table: &'a mut Table, key: &str, origin: &Origin) -> &'a mut Value {
    let at = table.entries.iter().position(|entry| entry.key == key).unwrap_or_else(|| {
        let empty = Shape::Table(Table { entries: Vec::new(), origin: origin.clone() });
        let value = Value { shape: empty, origin: origin.clone() };
        table.entries.push(TableEntry { key: key.to_owned(), key_origin: origin.clone(), value });
        table.entries.len() - 1
    });
    &mut table.entries[at].value
}

/// An element by its number; a load or a fault also by its name, as draws are printed.
fn element<'a>(list: &'a mut Value, key: &str, wanted: &str) -> Option<&'a mut Value> {
    let Shape::List(items) = &mut list.shape else { return None };
    let named = || names::of(key, items).iter().position(|name| name.as_deref() == Some(wanted));
    let number = wanted.parse::<usize>().ok().or_else(|| names::LISTS.contains(&key).then(named)?);
    items.get_mut(number?)
}

/// A TOML value; what is none is a text, so that shells need no second pair of quotes.
pub(crate) fn read(text: &str, key: &str) -> Result<Value, Diagnostic> {
    let key: Arc<str> = key.into();
    let origin = Origin::Set(key.clone());
    let Ok(parsed) = DeValue::parse(text) else {
        return Ok(Value { shape: Shape::Text(text.to_owned()), origin });
    };
    let problems = Problems::default();
    let value = value_at(&parsed, 0, &|_| Origin::Set(key.clone()), &problems);
    problems.into_inner().into_iter().next().map_or(Ok(value), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(key: &str, value: &str) -> Result<String, String> {
        let mut root = super::super::parse("duration = \"60s\"\n[[load]]\nclients = 5\n").unwrap();
        apply(&mut root, key, value).map_err(|diagnostic| diagnostic.message)?;
        Ok(show(&root))
    }

    fn show(table: &Table) -> String {
        let show_entry = |entry: &TableEntry| format!("{}={}", entry.key, show_value(&entry.value));
        table.entries.iter().map(show_entry).collect::<Vec<_>>().join(" ")
    }

    fn show_value(value: &Value) -> String {
        match &value.shape {
            Shape::Text(text) => format!("{text:?}"),
            Shape::Number(number) | Shape::Fraction(number) => number.clone(),
            Shape::Flag(flag) => flag.to_string(),
            Shape::Date => "date".to_owned(),
            Shape::List(items) => format!("[{}]", items.iter().map(show_value).collect::<Vec<_>>().join(", ")),
            Shape::Table(inner) => format!("{{{}}}", show(inner)),
        }
    }

    #[test]
    fn overrides_replace_and_add_keys() {
        assert_eq!(set("load.0.clients", "3").unwrap(), r#"duration="60s" load=[{clients=3}]"#);
        assert_eq!(
            set("protocol.pre-vote", "false").unwrap(),
            r#"duration="60s" load=[{clients=5}] protocol={pre-vote=false}"#
        );
        assert_eq!(set("duration", "5s").unwrap(), r#"duration="5s" load=[{clients=5}]"#, "no quotes needed");
        assert_eq!(set("duration", "\"5s\"").unwrap(), r#"duration="5s" load=[{clients=5}]"#, "but allowed");
    }

    #[test]
    fn a_value_is_written_so_that_it_reads_the_same() {
        for (value, wanted) in [
            ("\"5s\"", "5s"),
            ("\"5\"", "\"5\""),
            ("\"true\"", "\"true\""),
            ("5", "5"),
            ("[\"leader\"]", "[\"leader\"]"),
            ("{ draw = \"1..3\" }", "{ draw = \"1..3\" }"),
        ] {
            let value = read(value, "key").unwrap();
            assert_eq!(written(&value), wanted);
            assert_eq!(write::value(&read(wanted, "key").unwrap()), write::value(&value));
        }
    }

    #[test]
    fn a_load_is_meant_by_its_number_and_by_its_name() {
        let root = super::super::parse("[[load]]\n[[load]]\nname = \"readers\"\n[cluster]\n").unwrap();
        let canonical = |key| canonical(&root, key);
        assert_eq!(
            [canonical("load.0.at"), canonical("load.1.keys.count")],
            ["load.load.at", "load.readers.keys.count"]
        );
        for same in ["load.readers.at", "load.7.at", "load", "load.1", "cluster.nodes", "cluster.0.x", ""] {
            assert_eq!(canonical(same), same);
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_is_refused() {
        assert!(set("load.1.clients", "3").unwrap_err().contains("a list of 1, and `1`"));
        assert!(set("load.clients", "3").unwrap_err().contains("a list of 1, and `clients`"));
        assert!(set("duration.x", "3").unwrap_err().contains("`duration` is not a table"));
        assert!(set("a..b", "3").unwrap_err().contains("empty"));
        assert!(set("", "3").unwrap_err().contains("empty"));
    }
}
