//! What a database of runs holds.

/// How our databases are told from others: "Sgls" in the header of the file, where `file` and SQLite look for it.
pub const APPLICATION: i64 = 0x5367_6c73;

/// The version of [`TABLES`], in the header of the file.
pub const VERSION: i64 = 2;

/// The tables; `stormglass help sweep` shows them.
pub const TABLES: &str = include_str!("tables.sql");
