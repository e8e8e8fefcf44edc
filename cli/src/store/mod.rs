//! The database of many runs: one SQLite file, which explains itself ([`schema`]).
//!
//! **What survives.** Rows are committed in batches, after [`BATCH`] or so many rows; a process that is killed loses what it had not
//! committed, and nothing else: what is half-written stands in a journal beside the file, and whoever opens it next takes it
//! back. The journal is a rollback journal and not a write-ahead log: at rest there is one file, which can be copied, sent and
//! read where nobody may write.
//!
//! **Who may.** Whoever writes holds SQLite's lock for that all the time (a transaction is always open): a second sweep is
//! refused at once. Others may read meanwhile, and see what is committed.
//!
//! **What belongs together.** A row is a function of version, scenario and seed, so a database holds one version, and one
//! scenario under each name and variant. Everything else is refused before anything is run.

pub mod merge;
mod row;
pub mod schema;

pub use row::Row;

use crate::exit::Failure;
use crate::files;
use crate::seeds::Seeds;
use history::Verdict;
use reports::compare::Compared;
use reports::sweep::{Measured, Seen};
use row::{INSERT, Seed};
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement, params};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// After so long, what there is is committed.
const BATCH: Duration = Duration::from_millis(200);

/// Or after so many rows, so that no transaction becomes large.
const BATCH_ROWS: usize = 1000;

/// How long to wait for somebody who reads just when something is to be committed.
const READER_WAIT: Duration = Duration::from_secs(60);

/// A scenario in one of its variants, as it is run and stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub hash: String,
    pub version: String,
    pub name: String,
    /// Empty without a matrix.
    pub variant: String,
    /// Which variant of the matrix it is.
    pub number: u32,
    /// The name of its file.
    pub file: String,
    /// What the command line and the variant change.
    pub changes: Vec<(String, String)>,
    /// As a file.
    pub text: String,
}

impl Subject {
    /// As a sentence calls it.
    pub fn told(&self) -> String {
        if self.variant.is_empty() { self.name.clone() } else { format!("{} ({})", self.name, self.variant) }
    }
}

/// A database of runs that is open.
pub struct Store {
    db: Connection,
    path: PathBuf,
}

impl Store {
    /// For adding to it, made if need be; nobody else adds to it from now on.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            files::make_dir(parent)?;
        }
        let store = Store::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        store.sql("PRAGMA synchronous = FULL; BEGIN IMMEDIATE")?;
        if store.is_new()? {
            store.make_tables()?;
            store.sql("COMMIT; BEGIN IMMEDIATE")?;
        } else {
            store.is_ours()?;
        }
        store.note(store.db.busy_timeout(READER_WAIT))?;
        Ok(store)
    }

    /// For reading what is there.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        if !path.exists() {
            return Err(Failure::usage(format!("there is no {}", path.display())));
        }
        // Not read-only: what a killed process left half-written has to be taken back first.
        let store = Store::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        store.note(store.db.busy_timeout(Duration::from_secs(5)))?;
        store.is_ours()?;
        Ok(store)
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Self, Failure> {
        let shown = path.display();
        if path.is_dir() {
            return Err(Failure::usage(format!("{shown} is a directory, and runs go into a file: name one in it")));
        }
        // From the root, since SQLite has names of its own for what is no file, such as `:memory:`.
        let place = std::path::absolute(path)
            .map_err(|e| Failure::usage(format!("cannot open `{shown}`: {}", files::told(&e))))?;
        let db = Connection::open_with_flags(place, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX);
        Ok(Store { db: db.map_err(|e| trouble(path, &e))?, path: path.to_owned() })
    }

    fn sql(&self, sql: &str) -> Result<(), Failure> {
        self.note(self.db.execute_batch(sql))
    }

    fn note<T>(&self, result: rusqlite::Result<T>) -> Result<T, Failure> {
        result.map_err(|e| trouble(&self.path, &e))
    }

    fn number(&self, sql: &str) -> Result<i64, Failure> {
        self.note(self.db.query_row(sql, [], |row| row.get(0)))
    }

    fn make_tables(&self) -> Result<(), Failure> {
        let (application, version) = (schema::APPLICATION, schema::VERSION);
        self.sql(&format!("PRAGMA application_id = {application}; PRAGMA user_version = {version}; {}", schema::TABLES))
    }

    /// Whether there is nothing in it, nobody's and ours.
    fn is_new(&self) -> Result<bool, Failure> {
        let parts = ["SELECT count(*) FROM sqlite_schema", "PRAGMA application_id", "PRAGMA user_version"];
        let all = parts.into_iter().map(|sql| self.number(sql)).collect::<Result<Vec<_>, _>>()?;
        Ok(all == [0, 0, 0])
    }

    fn is_ours(&self) -> Result<(), Failure> {
        let shown = self.path.display();
        if self.number("PRAGMA application_id")? != schema::APPLICATION {
            return Err(Failure::usage(format!(
                "{shown} is a database, but none of `stormglass sweep`; it stays as it is: name another"
            )));
        }
        let version = self.number("PRAGMA user_version")?;
        if version != schema::VERSION {
            return Err(Failure::usage(format!(
                "{shown} is of the format {version}, and this stormglass knows {}; it stays as it is: name another",
                schema::VERSION
            )));
        }
        Ok(())
    }

    /// Whether rows of these may stand beside what there is.
    pub fn admit(&self, subjects: &[Subject]) -> Result<(), Failure> {
        let shown = self.path.display();
        let cure = "Both are kept apart with a database of its own: --db other.db";
        let known = self.subjects()?;
        for subject in subjects {
            if let Some(version) = self.other_version(&subject.version, &known)? {
                return Err(Failure::usage(format!(
                    "{shown} holds runs of stormglass {version}, and this is {}; a run means something for one version only.\n  \
                     {cure}",
                    subject.version
                )));
            }
            let is_other = |known: &&Subject| {
                (&known.name, &known.variant) == (&subject.name, &subject.variant) && known.hash != subject.hash
            };
            if let Some(other) = known.iter().find(is_other) {
                return Err(Failure::usage(format!(
                    "{shown} holds runs of another scenario called {}: the file or its --set have changed since ({} then, {} \
                     now).\n  {cure}",
                    subject.told(),
                    &other.hash.get(..8).unwrap_or_default(),
                    &subject.hash[..8]
                )));
            }
        }
        Ok(())
    }

    /// A version that something here is of, and that is not this one.
    fn other_version(&self, version: &str, known: &[Subject]) -> Result<Option<String>, Failure> {
        if let Some(other) = known.iter().find(|known| known.version != version) {
            return Ok(Some(other.version.clone()));
        }
        // The first and the last of an index are found without looking at what lies between.
        let sql = "SELECT (SELECT min(version) FROM runs WHERE scenario = ?1), (SELECT max(version) FROM runs WHERE scenario = ?1)";
        let mut ends = self.note(self.db.prepare(sql))?;
        for subject in known {
            let ends = ends.query_row([&subject.hash], |row| Ok([row.get(0)?, row.get(1)?]));
            let ends: [Option<String>; 2] = self.note(ends)?;
            if let Some(other) = ends.into_iter().flatten().find(|end| end != version) {
                return Ok(Some(other));
            }
        }
        Ok(None)
    }

    /// Every scenario and variant in it, by name and variant.
    pub fn subjects(&self) -> Result<Vec<Subject>, Failure> {
        let sql = "SELECT hash, version, name, variant, number, file, changes, text FROM scenarios \
            ORDER BY name, number, variant, hash, version";
        let mut all = self.note(self.db.prepare(sql))?;
        let subject = |row: &rusqlite::Row<'_>| {
            let changes: String = row.get(6)?;
            Ok(Subject {
                hash: row.get(0)?,
                version: row.get(1)?,
                name: row.get(2)?,
                variant: row.get(3)?,
                number: row.get(4)?,
                file: row.get(5)?,
                changes: serde_json::from_str(&changes).unwrap_or_default(),
                text: row.get(7)?,
            })
        };
        let all = self.note(all.query_map([], subject))?;
        self.note(all.collect())
    }

    /// Of these seeds, those that have no row.
    pub fn missing(&self, subject: &Subject, seeds: Seeds) -> Result<Vec<Seeds>, Failure> {
        let Some(last) = seeds.last() else { return Ok(Vec::new()) };
        let sql = "SELECT seed FROM runs WHERE scenario = ?1 AND version = ?2 AND variant = ?3 AND seed BETWEEN ?4 AND ?5 \
            ORDER BY seed";
        let mut done = self.note(self.db.prepare(sql))?;
        let of = params![subject.hash, subject.version, subject.variant, Seed(seeds.first), Seed(last)];
        let done = self.note(done.query_map(of, |row| Ok(Seed::of(row.get_ref(0)?))))?;
        seeds.without(done.map(|seed| self.note(seed)?.ok_or_else(|| self.damaged())))
    }

    /// Tells of every run of these seeds, or of all that there are, in their order.
    pub fn each(&self, subject: &Subject, seeds: Option<Seeds>, mut tell: impl FnMut(Seen)) -> Result<(), Failure> {
        let Some(last) = seeds.map_or(Some(u64::MAX), |seeds| seeds.last()) else { return Ok(()) };
        let first = seeds.map_or(0, |seeds| seeds.first);
        let sql = "SELECT seed, verdict, signature, finding, detail, simulated_ns FROM runs WHERE scenario = ?1 AND version = ?2 \
            AND variant = ?3 AND seed BETWEEN ?4 AND ?5 ORDER BY seed";
        let mut all = self.note(self.db.prepare(sql))?;
        let of = params![subject.hash, subject.version, subject.variant, Seed(first), Seed(last)];
        let mut rows = self.note(all.query(of))?;
        while let Some(row) = self.note(rows.next())? {
            let text = |column| self.note(row.get::<_, Option<String>>(column)).map(Option::unwrap_or_default);
            let seed = Seed::of(self.note(row.get_ref(0))?).ok_or_else(|| self.damaged())?;
            if seeds.is_none_or(|seeds| seeds.contains(seed)) {
                tell(Seen {
                    seed,
                    verdict: verdict(&text(1)?).ok_or_else(|| self.damaged())?,
                    signature: text(2)?,
                    check: text(3)?,
                    detail: text(4)?,
                    simulated_ns: self.note(row.get::<_, i64>(5))?.unsigned_abs(),
                });
            }
        }
        Ok(())
    }

    /// Tells of every run of these seeds, or of all that there are, in their order, as a page sees them.
    pub fn measured(
        &self,
        subject: &Subject,
        seeds: Option<Seeds>,
        mut tell: impl FnMut(Measured),
    ) -> Result<(), Failure> {
        let sql = "SELECT seed, verdict, signature, finding, detail, simulated_ns, CASE WHEN ok IS NULL THEN NULL ELSE outage_ns END, \
            recovery_ns, reads, stale_reads, stale_max_ns, draws, faults, roles, recoveries FROM runs \
            WHERE scenario = ?1 AND version = ?2 AND variant = ?3 ORDER BY seed";
        let mut all = self.note(self.db.prepare(sql))?;
        let mut rows = self.note(all.query(params![subject.hash, subject.version, subject.variant]))?;
        while let Some(row) = self.note(rows.next())? {
            let measured = self.note(row::measured(row))?.ok_or_else(|| self.damaged())?;
            if seeds.is_none_or(|seeds| seeds.contains(measured.seen.seed)) {
                tell(measured);
            }
        }
        Ok(())
    }

    /// Every run of these seeds as it is compared with others, in their order.
    pub fn compared(&self, subject: &Subject, seeds: Seeds) -> Result<Vec<Compared>, Failure> {
        let Some(last) = seeds.last() else { return Ok(Vec::new()) };
        let sql = "SELECT seed, verdict, achieved, possible, outage_ns, outage_max_ns, p50_ns, p99_ns, ok, reads, stale_reads \
            FROM runs WHERE scenario = ?1 AND version = ?2 AND variant = ?3 AND seed BETWEEN ?4 AND ?5 ORDER BY seed";
        let mut all = self.note(self.db.prepare(sql))?;
        let of = params![subject.hash, subject.version, subject.variant, Seed(seeds.first), Seed(last)];
        let mut rows = self.note(all.query(of))?;
        let mut found = Vec::new();
        while let Some(row) = self.note(rows.next())? {
            let whole =
                |column| self.note(row.get::<_, Option<i64>>(column)).map(|number| number.map(i64::unsigned_abs));
            let share = |column| self.note(row.get::<_, Option<f64>>(column));
            let told: String = self.note(row.get(1))?;
            found.push(Compared {
                seed: Seed::of(self.note(row.get_ref(0))?).ok_or_else(|| self.damaged())?,
                verdict: verdict(&told).ok_or_else(|| self.damaged())?,
                achieved: share(2)?,
                possible: share(3)?,
                outage_ns: whole(4)?.unwrap_or(0),
                outage_max_ns: whole(5)?.unwrap_or(0),
                p50_ns: whole(6)?,
                p99_ns: whole(7)?,
                ok: whole(8)?,
                reads: whole(9)?,
                stale_reads: whole(10)?,
            });
        }
        found.retain(|run| seeds.contains(run.seed));
        Ok(found)
    }

    fn damaged(&self) -> Failure {
        Failure::usage(format!("{} is damaged: it holds what no sweep writes", self.path.display()))
    }

    /// To add rows.
    pub fn writer(&self) -> Result<Writer<'_>, Failure> {
        let insert = self.note(self.db.prepare(INSERT))?;
        Ok(Writer { store: self, insert, known: Vec::new(), rows: 0, since: None })
    }
}

/// Adds rows to a database, in batches.
pub struct Writer<'a> {
    store: &'a Store,
    insert: Statement<'a>,
    /// The hashes and variants of the scenarios that are in it.
    known: Vec<(String, String)>,
    /// Not yet committed: how many, and since when.
    rows: usize,
    since: Option<Instant>,
}

impl Writer<'_> {
    pub fn add(&mut self, subject: &Subject, row: &Row) -> Result<(), Failure> {
        let is_known = self.known.iter().any(|(hash, variant)| (hash, variant) == (&subject.hash, &subject.variant));
        if !is_known {
            self.store.note(insert_subject(&self.store.db, subject))?;
            self.known.push((subject.hash.clone(), subject.variant.clone()));
        }
        self.store.note(row.insert(&subject.hash, &subject.variant, &mut self.insert))?;
        self.rows += 1;
        self.since.get_or_insert_with(Instant::now);
        self.pause()
    }

    /// Commits what has waited for long enough.
    pub fn pause(&mut self) -> Result<(), Failure> {
        let is_due = self.rows >= BATCH_ROWS || self.since.is_some_and(|since| since.elapsed() >= BATCH);
        if is_due { self.commit() } else { Ok(()) }
    }

    pub fn commit(&mut self) -> Result<(), Failure> {
        (self.rows, self.since) = (0, None);
        self.store.sql("COMMIT; BEGIN IMMEDIATE")
    }
}

fn insert_subject(db: &Connection, subject: &Subject) -> rusqlite::Result<usize> {
    let Subject { hash, version, name, variant, number, file, changes, text } = subject;
    let changes = serde_json::json!(changes).to_string();
    let sql = "INSERT OR IGNORE INTO scenarios VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    db.execute(sql, params![hash, version, name, variant, number, file, changes, text])
}

fn verdict(text: &str) -> Option<Verdict> {
    let all = [Verdict::Pass, Verdict::Fail, Verdict::Unknown, Verdict::Vacuous];
    all.into_iter().find(|verdict| verdict.to_string() == text)
}

/// What went wrong with a database, and what to do.
fn trouble(path: &Path, error: &rusqlite::Error) -> Failure {
    let shown = path.display();
    let goes_on = "what was committed stays, and the same command goes on from there";
    Failure::usage(match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            format!("{shown} is in use, probably by another sweep: wait for it, or name another")
        }
        Some(ErrorCode::NotADatabase) => {
            format!("{shown} is no database of `stormglass sweep`; it stays as it is: name another")
        }
        Some(ErrorCode::DatabaseCorrupt) => format!("{shown} is damaged: {error}"),
        Some(ErrorCode::DiskFull) => format!("the disk is full, and {shown} cannot grow; {goes_on}"),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            format!("cannot write {shown}: it and its directory must be there and writable")
        }
        Some(ErrorCode::SystemIoFailure) => format!("cannot read or write {shown}: {error}; {goes_on}"),
        Some(_) | None => format!("{shown} is no database that a sweep can use: {error}"),
    })
}
