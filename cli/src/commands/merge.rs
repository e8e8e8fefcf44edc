//! `stormglass merge`: several databases of sweeps as one.

use super::sweep::{count, print, separate};
use crate::args::Merge;
use crate::exit::{Done, Exit};
use crate::program;
use crate::store::Store;
use crate::store::merge::merge as join;
use reports::sweep::{Source, Summary};
use std::time::Instant;

pub fn merge(args: &Merge) -> Done {
    let began = Instant::now();
    join(&args.out, &args.shards)?;
    let store = Store::read(&args.out)?;
    let subjects = store.subjects()?;
    let version = subjects.first().map_or(scenarios::VERSION, |subject| &subject.version).to_owned();
    let mut summary = Summary { version, saved: args.out.display().to_string(), ..Summary::default() };
    for subject in &subjects {
        // Where the file is, no database knows.
        let source = Source { program: program(), file: subject.file.clone(), set: subject.changes.clone() };
        count(&store, subject, None, source, &mut summary)?;
    }
    separate(&store, subjects.iter().map(|subject| (subject, None)), &mut summary)?;
    print(&summary, args.format, began)?;
    Ok(Exit::Judged(summary.verdict()))
}
