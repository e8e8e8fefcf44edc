//! The names of loads and faults, which their random numbers are drawn by.
//!
//! They are given before anything is drawn: a fault that a seed leaves out still counts, so that the others are called the
//! same in every seed.

use super::{Shape, Table, TableEntry, Value};
use std::collections::BTreeMap;

/// The lists of tables that have names.
pub(crate) const LISTS: [&str; 2] = ["load", "fault"];

/// By element of such a list, its name: its own, or one made from its place. `None` where it cannot be said.
pub(crate) fn of(list: &str, items: &[Value]) -> Vec<Option<String>> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut names = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let Shape::Table(table) = &item.shape else {
            names.push(None);
            continue;
        };
        let made = match (list, i) {
            ("load", 0) => Some("load".to_owned()),
            ("load", _) => Some(format!("load-{}", i + 1)),
            _ => table.text("do").map(|kind| {
                let count = kinds.entry(kind).or_default();
                *count += 1;
                format!("{kind}-{count}")
            }),
        };
        names.push(if table.get("name").is_some() { table.text("name").map(str::to_owned) } else { made });
    }
    names
}

/// Writes into each table of these lists the name that it has.
pub(crate) fn give(root: &mut Table) {
    for list in LISTS {
        let Some(Shape::List(items)) = root.get_mut(list).map(|value| &mut value.shape) else { continue };
        let names = of(list, items);
        for (item, name) in items.iter_mut().zip(names) {
            if let (Shape::Table(table), Some(name)) = (&mut item.shape, name)
                && table.get("name").is_none()
            {
                let origin = table.origin.clone();
                let value = Value { shape: Shape::Text(name), origin: origin.clone() };
                table.entries.push(TableEntry { key: "name".to_owned(), key_origin: origin, value });
            }
        }
    }
}
