//! The files in which a run's trace is written down while it runs.

use crate::args;
use crate::exit::Failure;
use crate::files::{self, Beside};
use scenarios::execute::Row;
use scenarios::export::{Export, Format};
use std::path::Path;

impl From<args::Trace> for Format {
    fn from(trace: args::Trace) -> Self {
        match trace {
            args::Trace::Jsonl => Format::Jsonl,
            args::Trace::Shiviz => Format::Shiviz,
            args::Trace::Perfetto => Format::Perfetto,
        }
    }
}

impl From<args::Told> for Format {
    fn from(told: args::Told) -> Self {
        match told {
            args::Told::Text => Format::Text,
            args::Told::Jsonl => Format::Jsonl,
            args::Told::Shiviz => Format::Shiviz,
            args::Told::Perfetto => Format::Perfetto,
        }
    }
}

/// What a file is good for, where that is not plain.
fn hint(format: Format) -> Option<&'static str> {
    match format {
        Format::Text | Format::Jsonl => None,
        Format::Shiviz => {
            Some("choose it as the file at bestchai.bitbucket.io/shiviz; long logs are slow: replay a part")
        }
        Format::Perfetto => Some("open it at ui.perfetto.dev"),
    }
}

/// Files being written, one for each format.
pub struct Traces {
    files: Vec<(Format, Box<dyn Export>, Beside)>,
    /// Or why no more can be written.
    written: Result<(), Failure>,
}

impl Traces {
    /// Begins to write into the directory of a run.
    pub fn create(dir: &Path, formats: &[args::Trace], serving: Option<&'static str>) -> Result<Self, Failure> {
        let wanted =
            Format::ALL.into_iter().filter(|format| formats.iter().any(|given| Format::from(*given) == *format));
        let files = wanted.map(|format| Ok((format, format.begin(serving), Beside::create(&dir.join(format.file()))?)));
        Ok(Traces { files: files.collect::<Result<_, Failure>>()?, written: Ok(()) })
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub fn add(&mut self, rows: &[Row]) {
        self.write(|export, out| rows.iter().for_each(|row| export.row(row, out)));
    }

    /// The run has ended at `end`: every file takes its place. The directory holds one run, and what is left of another would
    /// be taken for a part of it. Says what can be done with the files.
    pub fn finish(mut self, dir: &Path, end: u64) -> Result<String, Failure> {
        self.write(|export, out| export.end(end, out));
        self.written?;
        let kept: Vec<Format> = self.files.iter().map(|(format, ..)| *format).collect();
        for (_, _, file) in self.files {
            file.finish()?;
        }
        for format in Format::ALL.into_iter().filter(|format| !kept.contains(format)) {
            files::remove(&dir.join(format.file()))?;
        }
        let hints = kept.iter().filter_map(|format| Some((format.file(), hint(*format)?)));
        Ok(hints.map(|(file, hint)| format!("{}: {hint}\n", dir.join(file).display())).collect())
    }

    fn write(&mut self, mut rows: impl FnMut(&mut dyn Export, &mut Vec<u8>)) {
        for (_, export, file) in &mut self.files {
            let mut out = Vec::new();
            rows(&mut **export, &mut out);
            if self.written.is_ok() {
                self.written = file.write(&out);
            }
        }
    }
}
