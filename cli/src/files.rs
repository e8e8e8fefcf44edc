//! Files: what the user had is never lost or half-written. Everything is written beside its place and then renamed; only what
//! is no file, such as a pipe, is written to.

use crate::exit::Failure;
use scenarios::codes::Code;
use std::fs;
use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

/// Reads a scenario's text; of a file that is far too long to be one, no more than it takes to see that.
pub fn read_scenario(path: &Path) -> Result<String, Failure> {
    let path_shown = path.display();
    let bytes = read(path, scenarios::SIZE_MAX as u64 + 1).map_err(|e| {
        let cures = [
            (io::ErrorKind::IsADirectory, "; `stormglass test` takes directories, the others take a file"),
            (io::ErrorKind::NotFound, "; `stormglass list scenarios` shows what is here"),
        ];
        let cure = cures.iter().find(|(kind, _)| *kind == e.kind()).map_or("", |(_, cure)| cure);
        Failure::usage(format!("cannot read {path_shown}: {}{cure}", told(&e)))
    })?;
    if bytes.len() > scenarios::SIZE_MAX {
        let Code { id, .. } = scenarios::codes::TOO_LARGE;
        return Err(Failure::rendered(format!(
            "error[{id}]: {path_shown} is larger than 1 MiB, and a scenario is a page of text; if it is a recorded history, \
             `stormglass verify` judges it"
        )));
    }
    text(path, bytes)
}

/// Opens a file to be read line by line.
pub fn open(path: &Path) -> Result<BufReader<fs::File>, Failure> {
    let file = fs::File::open(path);
    file.map(BufReader::new).map_err(|e| Failure::usage(format!("cannot read {}: {}", path.display(), told(&e))))
}

/// Opens a file of any size, or with `-` what is piped in.
pub fn open_or_stdin(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file =
        fs::File::open(path).map_err(|e| Failure::usage(format!("cannot read {}: {}", path.display(), told(&e))))?;
    Ok(Box::new(BufReader::with_capacity(1 << 18, file)))
}

/// Whether it is a file that begins with these bytes.
pub fn begins_with(path: &Path, bytes: &[u8]) -> bool {
    path.is_file() && read(path, bytes.len() as u64).is_ok_and(|found| found == bytes)
}

/// Reads a text file of any size.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    let bytes = read(path, u64::MAX);
    text(path, bytes.map_err(|e| Failure::usage(format!("cannot read {}: {}", path.display(), told(&e))))?)
}

fn read(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn text(path: &Path, bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|e| {
        let valid = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let column = valid.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
        Failure::usage(format!("{}:{line}:{column}: this is not text; save the file as UTF-8", path.display()))
    })
}

/// Sees to it that a directory is there.
pub fn make_dir(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|e| {
        let shown = path.display();
        Failure::usage(if e.kind() == io::ErrorKind::AlreadyExists {
            format!("{shown} is a file, and results go into a directory: name another")
        } else {
            format!("cannot make the directory {shown}: {}", told(&e))
        })
    })
}

/// The files that are being written beside their places at this moment.
static PARTIAL: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn partial() -> MutexGuard<'static, Vec<PathBuf>> {
    PARTIAL.lock().expect("nobody panics while he holds the list")
}

/// Removes what is half-written. From now on nothing more is written: the process is about to end.
pub fn abandon() {
    let mut partial = partial();
    for path in partial.drain(..) {
        // If it cannot be removed, there is nobody left to tell.
        let _ = fs::remove_file(path);
    }
    // Whoever would begin or finish a file now waits for the list, and so for the end.
    std::mem::forget(partial);
}

/// A file being written beside its place. What is not finished leaves nothing behind.
pub struct Beside {
    place: PathBuf,
    /// Where it is until it is whole; `None` where it is written to its place.
    partial: Option<PathBuf>,
    file: BufWriter<fs::File>,
}

impl Beside {
    pub fn create(place: &Path) -> Result<Self, Failure> {
        if is_stream(place) {
            let file = fs::File::create(place).map_err(|e| cannot_write(place, &e))?;
            return Ok(Beside { place: place.to_owned(), partial: None, file: BufWriter::new(file) });
        }
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let partial = place.with_file_name(format!(".{name}.{}.partial", std::process::id()));
        let mut all = self::partial();
        let file = fs::File::create(&partial).map_err(|e| cannot_write(place, &e))?;
        all.push(partial.clone());
        Ok(Beside { place: place.to_owned(), partial: Some(partial), file: BufWriter::new(file) })
    }

    /// Where somebody else may write it; `None` if its place is no file, but a pipe.
    pub fn partial(&self) -> Option<&Path> {
        self.partial.as_deref()
    }

    pub fn write(&mut self, content: &(impl AsRef<[u8]> + ?Sized)) -> Result<(), Failure> {
        self.file.write_all(content.as_ref()).map_err(|e| cannot_write(&self.place, &e))
    }

    /// The file is whole: it takes its place.
    pub fn finish(mut self) -> Result<(), Failure> {
        let placed = self.file.flush().and_then(|()| {
            let Some(partial) = &self.partial else { return Ok(()) };
            let _held = self::partial();
            fs::rename(partial, &self.place)
        });
        placed.map_err(|e| cannot_write(&self.place, &e))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let Some(own) = &self.partial else { return };
        let mut all = partial();
        all.retain(|partial| partial != own);
        // Once it has its place there is nothing to remove, and that is no error.
        let _ = fs::remove_file(own);
    }
}

/// Whether something is there that is neither a file nor a directory: a pipe, a terminal, `/dev/stdout`. A file must not take
/// its place.
fn is_stream(place: &Path) -> bool {
    fs::metadata(place).is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// Writes a whole file.
pub fn write(place: &Path, text: &str) -> Result<(), Failure> {
    let mut file = Beside::create(place)?;
    file.write(text)?;
    file.finish()
}

/// Writes a whole file where there is none.
pub fn write_new(place: &Path, text: &str) -> Result<(), Failure> {
    let mut file = fs::File::create_new(place).map_err(|e| {
        if e.kind() == io::ErrorKind::AlreadyExists {
            return Failure::usage(format!("{} is there already, and stays as it is: name another", place.display()));
        }
        cannot_write(place, &e)
    })?;
    file.write_all(text.as_bytes()).map_err(|e| cannot_write(place, &e))
}

/// Removes a file that may be there.
pub fn remove(place: &Path) -> Result<(), Failure> {
    match fs::remove_file(place) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(cannot_write(place, &e)),
        _ => Ok(()),
    }
}

/// Removes the files of a directory whose names are of a kind.
pub fn remove_where(dir: &Path, is_wanted: impl Fn(&str) -> bool) -> Result<(), Failure> {
    let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(|e| Failure::usage(format!("cannot read {}: {}", dir.display(), told(&e))))?;
    let unwanted = entries.iter().filter(|entry| entry.file_name().to_str().is_some_and(&is_wanted));
    unwanted.map(fs::DirEntry::path).try_for_each(|path| remove(&path))
}

fn cannot_write(place: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("cannot write {}: {}", place.display(), told(error)))
}

/// The error without the number that only programmers want.
pub fn told(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// The scenarios at a path: the file itself, or every `.toml` below the directory, by name. Links to directories are not
/// followed, since they can lead back.
pub fn scenarios_at(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let is_scenario = |path: &PathBuf| path.file_name().is_none_or(|name| name != PUBLISHED);
    Ok(toml_at(path)?.into_iter().filter(is_scenario).collect())
}

/// What papers published: beside the scenarios that reproduce it, and none itself.
pub const PUBLISHED: &str = "published.toml";

/// The files of that name in a directory, in the order of their paths.
pub fn published_at(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let is_published = |path: &PathBuf| path.file_name().is_some_and(|name| name == PUBLISHED);
    Ok(toml_at(path)?.into_iter().filter(is_published).collect())
}

fn toml_at(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let cannot = |e: &io::Error| Failure::usage(format!("cannot read {}: {}", path.display(), told(e)));
    if !fs::metadata(path).map_err(|e| cannot(&e))?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(|e| cannot(&e))?;
    entries.sort_by_key(fs::DirEntry::path);
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(toml_at(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "toml") && !path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}
