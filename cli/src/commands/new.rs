//! `stormglass new`: a first scenario, which runs at once and explains itself.

use super::quoted;
use crate::args::New;
use crate::exit::{Done, Exit, Failure};
use crate::program;
use crate::{files, screen};
use history::Verdict;
use scenarios::manual::nearest;
use scenarios::systems::System;
use scenarios::template::template;
use std::path::{Path, PathBuf};

pub fn new(args: &New, systems: &'static [System]) -> Done {
    let system = system(args.protocol.as_deref(), systems)?;
    let path = match &args.out {
        Some(path) => path.clone(),
        None => PathBuf::from(format!("{}.toml", file_stem(&args.name)?)),
    };
    let command = program();
    files::write_new(&path, &template(system, &command))?;
    let file = path.display().to_string();
    screen::print(&format!("wrote {file}\nnext  {command} run {}\n", quoted(&file)))?;
    Ok(Exit::Judged(Verdict::Pass))
}

fn system(name: Option<&str>, systems: &'static [System]) -> Result<&'static System, Failure> {
    let names: Vec<&str> = systems.iter().map(|system| system.name).collect();
    match name {
        None => systems.first().ok_or_else(|| Failure::usage("there is no system to write a scenario for")),
        Some(name) => systems.iter().find(|system| system.name == name).ok_or_else(|| {
            let meant = nearest(name, &names).map_or(String::new(), |near| format!(" Did you mean `{near}`?"));
            Failure::usage(format!(
                "there is no system `{}`; the systems are {}.{meant}",
                screen::look().shown(name),
                names.join(", ")
            ))
        }),
    }
}

/// The name of the scenario, which reports and directories are called by.
fn file_stem(name: &str) -> Result<&str, Failure> {
    const LENGTH_MAX: usize = 80;
    let stem = name.strip_suffix(".toml").unwrap_or(name);
    let is_plain = stem.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    let is_file_name = Path::new(stem).file_name().is_some_and(|file| file == stem);
    if is_plain && is_file_name && !stem.starts_with(['.', '-']) && stem.len() <= LENGTH_MAX {
        return Ok(stem);
    }
    Err(Failure::usage(format!(
        "`{}` is no name of a scenario: one word of letters, digits, `-`, `_` and `.`; --out says where else the file goes",
        screen::look().shown(name)
    )))
}
