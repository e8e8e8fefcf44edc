//! Several databases as one.
//!
//! The whole is written beside its place and takes it when all of it is there. What is in the place already is one more part.

use super::{Store, Subject, schema, trouble};
use crate::exit::{Exit, Failure};
use crate::files::{Beside, told};
use rusqlite::{Connection, OptionalExtension as _, Row};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Joins `shards`, and what is in `out` already, into `out`.
pub fn merge(out: &Path, shards: &[PathBuf]) -> Result<(), Failure> {
    let shown = out.display();
    let is_file = out.metadata().map_or(true, |there| there.is_file());
    // Nobody may add to it meanwhile: what he added would be lost.
    let there = if is_file && out.exists() { Some(Store::open(out)?) } else { None };
    let parts: Vec<&Path> = there.iter().map(|_| out).chain(shards.iter().map(PathBuf::as_path)).collect();
    agree(&parts)?;
    let whole = Beside::create(out)?;
    let Some(partial) = whole.partial() else {
        return Err(Failure::usage(format!("{shown} is no file, and a database is one: name another")));
    };
    join(partial, &parts).map_err(|failed| failed.of(out, partial))?;
    let synced = File::open(partial).and_then(|file| file.sync_all());
    synced.map_err(|e| Failure::usage(format!("cannot write {shown}: {}", told(&e))))?;
    whole.finish()
}

/// Whether they are of one version and, under each name and variant, of one scenario.
fn agree(parts: &[&Path]) -> Result<(), Failure> {
    let mut known: Vec<(Subject, &Path)> = Vec::new();
    for path in parts {
        let store = Store::read(path)?;
        let subjects = store.subjects()?;
        for subject in &subjects {
            let (shown, version) = (path.display(), &subject.version);
            if let Some(other) = store.other_version(version, &subjects)? {
                return Err(Failure::usage(format!(
                    "{shown} holds runs of two versions of stormglass: {version} and {other}"
                )));
            }
            if let Some((other, before)) = known.iter().find(|(known, _)| known.version != *version) {
                return Err(Failure::usage(format!(
                    "{} holds runs of stormglass {}, and {shown} of {version}; a run means something for one version only",
                    before.display(),
                    other.version
                )));
            }
            let is_other = |known: &Subject| {
                (&known.name, &known.variant) == (&subject.name, &subject.variant) && known.hash != subject.hash
            };
            if let Some((_, before)) = known.iter().find(|(known, _)| is_other(known)) {
                return Err(Failure::usage(format!(
                    "{} and {shown} hold runs of two scenarios called {}: the file or its --set changed in between",
                    before.display(),
                    subject.told()
                )));
            }
        }
        known.extend(subjects.into_iter().map(|subject| (subject, *path)));
    }
    Ok(())
}

/// Why they could not be joined.
enum Failed<'a> {
    /// Something is wrong with what is written.
    Whole(rusqlite::Error),
    /// Something is wrong with a part.
    Part(&'a Path, rusqlite::Error),
    Other(Failure),
}

impl Failed<'_> {
    fn of(self, out: &Path, partial: &Path) -> Failure {
        match self {
            Failed::Whole(error) => trouble(if out.exists() { out } else { partial }, &error),
            Failed::Part(path, error) => trouble(path, &error),
            Failed::Other(failure) => failure,
        }
    }
}

fn join<'a>(partial: &Path, parts: &[&'a Path]) -> Result<(), Failed<'a>> {
    let place = std::path::absolute(partial).map_err(|e| Failed::Other(Failure::usage(told(&e))))?;
    let db = Connection::open(place).map_err(Failed::Whole)?;
    let (application, version) = (schema::APPLICATION, schema::VERSION);
    // What is not whole is thrown away, so it needs no journal.
    let begin = format!(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA application_id = {application}; \
         PRAGMA user_version = {version}; {}",
        schema::TABLES
    );
    db.execute_batch(&begin).map_err(Failed::Whole)?;
    for path in parts {
        let place = std::path::absolute(path).ok().and_then(|place| place.into_os_string().into_string().ok());
        let place = place.ok_or_else(|| {
            Failed::Other(Failure::usage(format!("the name of {} is no text: give it another", path.display())))
        })?;
        add(&db, &place, path)?;
    }
    db.close().map_err(|(_, error)| Failed::Whole(error))
}

/// Adds what is in one of the parts.
fn add<'a>(db: &Connection, place: &str, path: &'a Path) -> Result<(), Failed<'a>> {
    let part = |error| Failed::Part(path, error);
    db.execute("ATTACH ?1 AS part", [place]).map_err(part)?;
    if let Some(differs) = difference(db).map_err(part)? {
        let message = format!(
            "error: {differs} in {}: the same version, scenario and seed, and not the same run. Nothing was \
            written; `stormglass run` with that seed, twice, tells whose it is",
            path.display()
        );
        return Err(Failed::Other(Failure { exit: Exit::Diverged, message }));
    }
    let all = "BEGIN; INSERT OR IGNORE INTO main.scenarios SELECT * FROM part.scenarios; \
        INSERT OR IGNORE INTO main.runs SELECT * FROM part.runs; COMMIT; DETACH part";
    db.execute_batch(all).map_err(part)
}

/// A run that is in both, and is not the same.
fn difference(db: &Connection) -> rusqlite::Result<Option<String>> {
    let columns = |row: &Row<'_>| row.get::<_, String>(0);
    let mut columns_of = db.prepare("SELECT name FROM pragma_table_info('runs') WHERE pk = 0")?;
    let columns = columns_of.query_map([], columns)?.collect::<rusqlite::Result<Vec<String>>>()?;
    let of = |table: &str| columns.iter().map(|column| format!("{table}.{column}")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT a.name, a.variant, a.seed, a.fingerprint, a.verdict, b.fingerprint, b.verdict FROM main.runs a \
         JOIN part.runs b USING (scenario, version, variant, seed) WHERE ({}) IS NOT ({}) LIMIT 1",
        of("a"),
        of("b")
    );
    let text = |row: &Row<'_>, column| {
        row.get::<_, rusqlite::types::Value>(column).map(|value| match value {
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => history::figures::shown(&text.escape_debug()),
            rusqlite::types::Value::Null | rusqlite::types::Value::Real(_) | rusqlite::types::Value::Blob(_) => {
                "?".to_owned()
            }
        })
    };
    let told = |row: &Row<'_>| {
        let variant = text(row, 1)?;
        let variant = if variant.is_empty() { variant } else { format!(" ({variant})") };
        Ok(format!(
            "NOT REPRODUCIBLE: seed {} of {}{variant} is {} {} in one database and {} {}",
            text(row, 2)?,
            text(row, 0)?,
            text(row, 3)?,
            text(row, 4)?,
            text(row, 5)?,
            text(row, 6)?
        ))
    };
    db.query_row(&sql, [], told).optional()
}
