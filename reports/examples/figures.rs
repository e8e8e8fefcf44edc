//! The pictures of a recorded run as files: `cargo run --example figures -- RUN/run.json DIR`.

#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "an example is a command of its own")]

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let mut given = std::env::args().skip(1);
    let (Some(record), Some(directory)) = (given.next(), given.next()) else {
        return Err("give a run.json and a directory".into());
    };
    let record: history::RunRecord = serde_json::from_str(&std::fs::read_to_string(record)?)?;
    for figure in reports::plot::figures(&record) {
        let path = Path::new(&directory).join(format!("{}.svg", figure.name));
        let file = figure.file();
        std::fs::write(&path, &file)?;
        println!("{} ({} KB)", path.display(), file.len() / 1000);
    }
    Ok(())
}
