//! `stormglass report`: the page of a run, again from what was saved of it; the page of a sweep, from its database.

use crate::args::Report;
use crate::exit::{Done, Exit, Failure};
use crate::store::Store;
use crate::{files, screen};
use history::{RunRecord, Verdict};
use reports::draw::Figure;
use reports::sweep::{Source, Study, Swept, Variant};
use reports::words::brief;
use std::path::Path;

/// The page's file in the directory of a run.
pub const PAGE: &str = "report.html";

/// Of what is wrong with a record, in characters.
const WHAT_MAX: usize = 300;

pub fn report(args: &Report) -> Done {
    if is_database(&args.run) {
        return of_sweep(&args.run, args.out.as_deref());
    }
    let (dir, saved) = if args.run.is_dir() {
        (args.run.as_path(), args.run.join("run.json"))
    } else {
        (args.run.parent().unwrap_or(Path::new("")), args.run.clone())
    };
    let record = read(&saved)?;
    let page = match &args.out {
        Some(out) => {
            is_another(out, &saved, "the record")?;
            files::write(out, &reports::page::page(&record, &reports::plot::figures(&record)))?;
            out.clone()
        }
        None => {
            draw(dir, &record)?;
            dir.join(PAGE)
        }
    };
    screen::print(&format!("{}\n", page.display()))?;
    // That the page is drawn is what was asked for, whatever it tells.
    Ok(Exit::Judged(Verdict::Pass))
}

/// By its name or by how it begins, whatever else is wrong with it.
fn is_database(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "db") && !path.is_dir() || files::begins_with(path, MAGIC)
}

/// How every SQLite file begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// The page of a sweep: beside its database unless another place is named.
fn of_sweep(path: &Path, out: Option<&Path>) -> Done {
    let store = Store::read(path)?;
    let subjects = store.subjects()?;
    let Some(first) = subjects.first() else {
        let shown = path.display();
        return Err(Failure::usage(format!(
            "{shown} holds no runs, so there is nothing to draw; `sweep --db` adds some"
        )));
    };
    let mut studies: Vec<Study> = Vec::new();
    for subject in &subjects {
        if studies.last().is_none_or(|study| study.swept.name != subject.name) {
            studies.push(Study::of(Swept::named(&subject.name)));
        }
        let study = studies.last_mut().expect("one was added if there was none");
        let number = study.swept.variants.len();
        // Where the file is, no database knows; and what the command is called is no part of what was found.
        let (program, file, set) = ("stormglass".to_owned(), subject.file.clone(), subject.changes.clone());
        let (name, source) = (subject.variant.clone(), Source { program, file, set });
        study.swept.variants.push(Variant { name, source, ..Variant::default() });
        store.measured(subject, None, |measured| study.add(number, measured))?;
    }
    let page = reports::sweep::page(&first.version, &studies);
    let place = out.map_or_else(|| path.with_extension("html"), Path::to_owned);
    is_another(&place, path, "the database")?;
    files::write(&place, &page)?;
    screen::print(&format!("{}\n", place.display()))?;
    Ok(Exit::Judged(Verdict::Pass))
}

/// Writes the page and its pictures into the directory of a run, and removes pictures of one that was there before.
pub fn draw(dir: &Path, record: &RunRecord) -> Result<(), Failure> {
    let figures = reports::plot::figures(record);
    write(dir, &figures, &reports::page::page(record, &figures))
}

/// Writes a page and its pictures into a directory, and removes pictures of another that was there before.
pub fn write(dir: &Path, figures: &[Figure], page: &str) -> Result<(), Failure> {
    for figure in figures {
        files::write(&dir.join(format!("{}.svg", figure.name)), &figure.file())?;
    }
    files::remove_where(dir, |name| {
        let stem = name.strip_suffix(".svg").filter(|stem| reports::plot::is_name(stem));
        stem.is_some_and(|stem| figures.iter().all(|figure| figure.name != stem))
    })?;
    files::write(&dir.join(PAGE), page)
}

/// The page must not take the place of what it is drawn from.
fn is_another(out: &Path, saved: &Path, what: &str) -> Result<(), Failure> {
    match (out.canonicalize(), saved.canonicalize()) {
        (Ok(out), Ok(saved)) if out == saved => {
            let shown = out.display();
            Err(Failure::usage(format!("{shown} is {what} that the page is drawn from; name another file")))
        }
        _ => Ok(()),
    }
}

/// The record of a run, which may be anything: it gets a record, or one line that says what is wrong.
pub fn read(path: &Path) -> Result<RunRecord, Failure> {
    let shown = path.display();
    if !path.exists() {
        return Err(Failure::usage(format!(
            "there is no {shown}; `report` takes the directory that `stormglass run` wrote, such as out/NAME-SEED, or the database of a sweep"
        )));
    }
    let text = files::read_text(path)?;
    let record = serde_json::from_str::<RunRecord>(&text);
    let schema = match &record {
        Ok(record) => Some(record.schema.clone()),
        Err(_) => schema(&text),
    };
    if let Some(other) = schema.filter(|schema| schema != RunRecord::SCHEMA) {
        let other = history::figures::shown(&other.escape_debug());
        return Err(Failure::usage(format!(
            "{shown} is of the format `{other}`, and this stormglass reads `{}`",
            RunRecord::SCHEMA
        )));
    }
    record.map_err(|e| {
        let (line, column, what) = (e.line(), e.column(), e.to_string());
        let what = what.rsplit_once(" at line ").map_or(&*what, |(what, _)| what);
        // It quotes the file.
        let what = screen::look().shown(&brief(what, WHAT_MAX));
        Failure::usage(format!(
            "{shown}:{line}:{column}: this is not the whole record of a run: {what}; `stormglass run` writes it anew"
        ))
    })
}

/// What a file that is no record of ours says it is.
fn schema(text: &str) -> Option<String> {
    let object: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(object.get("schema")?.as_str()?.to_owned())
}
