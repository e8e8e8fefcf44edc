//! Files: what the user had is never lost or half-written. Everything is written beside its place and then renamed.

use crate::exit::Failure;
use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// Reads a text file.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    let bytes = fs::read(path).map_err(|e| Failure::usage(format!("cannot read {}: {}", path.display(), told(&e))))?;
    String::from_utf8(bytes).map_err(|e| {
        let valid = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let column = valid.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
        Failure::usage(format!("{}:{line}:{column}: this is not text (not UTF-8)", path.display()))
    })
}

/// Sees to it that a directory is there.
pub fn make_dir(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|e| Failure::usage(format!("cannot make {}: {}", path.display(), told(&e))))
}

/// A file being written beside its place.
pub struct Beside {
    place: PathBuf,
    partial: PathBuf,
    file: BufWriter<fs::File>,
}

impl Beside {
    pub fn create(place: &Path) -> Result<Self, Failure> {
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let partial = place.with_file_name(format!(".{name}.{}.partial", std::process::id()));
        let file = fs::File::create(&partial).map_err(|e| cannot_write(place, &e))?;
        Ok(Beside { place: place.to_owned(), partial, file: BufWriter::new(file) })
    }

    pub fn write(&mut self, text: &str) -> Result<(), Failure> {
        self.file.write_all(text.as_bytes()).map_err(|e| cannot_write(&self.place, &e))
    }

    /// The file is whole: it takes its place.
    pub fn finish(mut self) -> Result<(), Failure> {
        self.file.flush().and_then(|()| fs::rename(&self.partial, &self.place)).map_err(|e| {
            let _ = fs::remove_file(&self.partial);
            cannot_write(&self.place, &e)
        })
    }
}

/// Writes a whole file.
pub fn write(place: &Path, text: &str) -> Result<(), Failure> {
    let mut file = Beside::create(place)?;
    file.write(text)?;
    file.finish()
}

fn cannot_write(place: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("cannot write {}: {}", place.display(), told(error)))
}

/// The error without the number that only programmers want.
fn told(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// The scenarios at a path: the file itself, or every `.toml` below the directory, by name.
pub fn scenarios_at(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let cannot = |e: &io::Error| Failure::usage(format!("cannot read {}: {}", path.display(), told(e)));
    if !fs::metadata(path).map_err(|e| cannot(&e))?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(|e| cannot(&e))?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(scenarios_at(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
    Ok(found)
}
