//! What papers published, for `test --figures`: read from the files beside the scenarios, written as a page with ours over it.

use crate::exit::Failure;
use crate::files::{self, Beside, PUBLISHED};
use history::Measured;
use reports::papers::{Found, Laid, Published, page};
use scenarios::published::Problem;
use std::path::{Path, PathBuf};

/// The figures of a suite, and where their page goes.
pub struct Papers {
    page: Beside,
    /// Each with its directory.
    published: Vec<(PathBuf, Published)>,
}

impl Papers {
    /// Reads what lies in these directories. What cannot be read or written is told before anything runs.
    pub fn read(place: &Path, paths: &[PathBuf]) -> Result<Papers, Failure> {
        let mut published = Vec::new();
        for path in paths {
            for file in files::published_at(path)? {
                let dir = file.parent().unwrap_or(Path::new("")).to_owned();
                let read = read(&file)?;
                are_there(&file, &dir, &read)?;
                published.push((dir, read));
            }
        }
        if published.is_empty() {
            let message = format!(
                "there is no {PUBLISHED} to lay figures over; name a directory that holds one, such as scenarios/figures"
            );
            return Err(Failure::usage(message));
        }
        Ok(Papers { page: Beside::create(place)?, published })
    }

    /// Writes the page; `measured` gives each check of a scenario with what it measured, `None` if it was not run.
    pub fn write(mut self, measured: impl Fn(&Path) -> Option<Vec<(String, Option<Measured>)>>) -> Result<(), Failure> {
        let mut laid = Vec::new();
        for (dir, published) in &self.published {
            for paper in &published.figures {
                let over = Laid::over(paper, |file, check| found(measured(&dir.join(file)), check));
                let place = dir.join(PUBLISHED);
                laid.push(over.map_err(|problem| Failure::usage(format!("{}: {problem}", place.display())))?);
            }
        }
        self.page.write(&page(scenarios::VERSION, &laid))?;
        self.page.finish()
    }
}

fn read(file: &Path) -> Result<Published, Failure> {
    let text = files::read_text(file)?;
    scenarios::published::read(&text).map_err(|Problem { line, column, message }| {
        Failure::usage(format!("{}:{line}:{column}: {message}", file.display()))
    })
}

/// Whether there are the scenarios that a file names.
fn are_there(file: &Path, dir: &Path, published: &Published) -> Result<(), Failure> {
    let mut named = published.figures.iter().flat_map(|paper| &paper.series).flat_map(reports::papers::Series::files);
    match named.find(|name| !dir.join(name).is_file()) {
        None => Ok(()),
        Some(name) => {
            let message = format!("{}: there is no scenario {name:?} beside it", file.display());
            Err(Failure::usage(message))
        }
    }
}

/// What a scenario's checks say of a figure, named as the scenario names it, up to its range.
fn found(checks: Option<Vec<(String, Option<Measured>)>>, figure: &str) -> Found {
    let Some(checks) = checks else { return Found::NotRun };
    let is_asked = |check: &str| check.strip_prefix(figure).is_some_and(|rest| rest.starts_with(" in "));
    let asked: Vec<_> = checks.into_iter().filter(|(check, _)| is_asked(check)).collect();
    if asked.is_empty() {
        return Found::NotAsked;
    }
    Found::Measured(asked.into_iter().filter_map(|(_, measured)| measured).collect())
}
