//! `stormglass man`: the manual pages.

use crate::args::{Cli, Man};
use crate::exit::{Done, Exit, Failure};
use crate::program;
use crate::{files, screen};
use clap::{Command, CommandFactory as _};
use history::Verdict;
use scenarios::manual::nearest;

pub fn man(args: &Man) -> Done {
    let name = program();
    let mut whole = Cli::command().bin_name(name.clone()).display_name(name);
    whole.build();
    let commands: Vec<&Command> =
        whole.get_subcommands().filter(|command| command.get_name() != "help" && !command.is_hide_set()).collect();
    if let Some(dir) = &args.dir {
        files::make_dir(dir)?;
        for page in [&whole].into_iter().chain(commands) {
            let path = dir.join(format!("{}.1", page.get_display_name().unwrap_or(page.get_name())));
            files::write(&path, &rendered(page)?)?;
            screen::print(&format!("wrote {}\n", path.display()))?;
        }
        return Ok(Exit::Judged(Verdict::Pass));
    }
    let page = match &args.command {
        None => &whole,
        Some(wanted) => commands
            .iter()
            .find(|command| command.get_name() == wanted || command.get_all_aliases().any(|alias| alias == wanted))
            .ok_or_else(|| {
                let names: Vec<&str> = commands.iter().map(|command| command.get_name()).collect();
                let meant = nearest(wanted, &names).map_or(String::new(), |near| format!(" Did you mean `{near}`?"));
                let wanted = screen::look().shown(wanted);
                Failure::usage(format!("there is no command `{wanted}`; there are {}.{meant}", names.join(", ")))
            })?,
    };
    screen::print(&rendered(page)?)?;
    Ok(Exit::Judged(Verdict::Pass))
}

fn rendered(page: &Command) -> Result<String, Failure> {
    let mut text = Vec::new();
    let written = clap_mangen::Man::new(page.clone()).render(&mut text);
    written.map_err(|e| Failure::usage(format!("cannot write the manual: {}", files::told(&e))))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
