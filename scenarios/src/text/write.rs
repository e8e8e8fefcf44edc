//! A tree of values as TOML.

use super::{Shape, Table, TableEntry, Value};

/// A whole document: what is no table first, then every table under a header of its own.
pub(crate) fn document(root: &Table) -> String {
    let mut text = String::new();
    let (tables, plain): (Vec<_>, Vec<_>) = root.entries.iter().partition(|entry| has_header(&entry.value));
    for entry in plain {
        text.push_str(&format!("{} = {}\n", key(&entry.key), value(&entry.value)));
    }
    for entry in tables {
        let name = key(&entry.key);
        match &entry.value.shape {
            Shape::Table(table) => text.push_str(&format!("\n[{name}]\n{}", lines(table))),
            Shape::List(items) => {
                let inner = items
                    .iter()
                    .filter_map(|item| if let Shape::Table(table) = &item.shape { Some(table) } else { None });
                inner.for_each(|table| text.push_str(&format!("\n[[{name}]]\n{}", lines(table))));
            }
            Shape::Text(_) | Shape::Number(_) | Shape::Fraction(_) | Shape::Flag(_) | Shape::Date => {}
        }
    }
    text
}

/// Whether it is a table, or a list of nothing but tables.
fn has_header(value: &Value) -> bool {
    let is_table = |value: &Value| matches!(value.shape, Shape::Table(_));
    if let Shape::List(items) = &value.shape {
        !items.is_empty() && items.iter().all(is_table)
    } else {
        is_table(value)
    }
}

/// Lists longer than this stand with a line for each element.
const LINE_MAX: usize = 100;

fn lines(table: &Table) -> String {
    let line = |entry: &TableEntry| format!("{} = {}\n", key(&entry.key), value(&entry.value));
    let broken = |entry: &TableEntry, items: &[Value]| {
        let items: String = items.iter().map(|item| format!("  {},\n", value(item))).collect();
        format!("{} = [\n{items}]\n", key(&entry.key))
    };
    let written = |entry: &TableEntry| match (line(entry), &entry.value.shape) {
        (line, Shape::List(items)) if line.len() > LINE_MAX && items.len() > 1 => broken(entry, items),
        (line, _) => line,
    };
    table.entries.iter().map(written).collect()
}

/// A value on one line.
pub(crate) fn value(from: &Value) -> String {
    match &from.shape {
        Shape::Text(text) => quoted(text),
        Shape::Number(number) | Shape::Fraction(number) => number.clone(),
        Shape::Flag(flag) => flag.to_string(),
        // No key takes one, and nothing is written before it was read.
        Shape::Date => quoted("a date"),
        Shape::List(items) => format!("[{}]", items.iter().map(value).collect::<Vec<_>>().join(", ")),
        Shape::Table(table) => {
            let entry = |entry: &TableEntry| format!("{} = {}", key(&entry.key), value(&entry.value));
            format!("{{ {} }}", table.entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A value as `--set` takes it and a sentence shows it: a text stands without quotes.
pub(crate) fn plain(from: &Value) -> String {
    if let Shape::Text(text) = &from.shape { text.clone() } else { value(from) }
}

fn key(key: &str) -> String {
    let is_bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if is_bare { key.to_owned() } else { quoted(key) }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was written and read again is written the same, and nothing of it is lost.
    #[test]
    fn what_is_written_is_read_back() {
        let source = r#"scenario = 1
about = "a \"quote\", a \\ and a \u0007"
seeds = [1, 2.5, true, []]

[cluster]
clock = { drift = "1%", "odd key" = {  } }

[[fault]]
do = "crash"
target = ["leader", "n3"]
why = [
  "a line that is long enough to need a line of its own",
  "and another one of which the same can be said",
]

[[fault]]
"ü" = ""
"#;
        let written = document(&super::super::parse(source).unwrap());
        assert_eq!(written, source);
    }

    #[test]
    fn a_text_is_shown_without_quotes() {
        let shown = |text: &str| plain(super::super::parse(text).unwrap().get("a").unwrap());
        assert_eq!([shown("a = \"41s\""), shown("a = 5"), shown("a = [\"n1\"]")], ["41s", "5", "[\"n1\"]"]);
    }
}
