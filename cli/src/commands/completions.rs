//! `stormglass completions`: what a shell needs to complete commands and options.

use crate::args::Cli;
use crate::exit::{Done, Exit};
use crate::{program, screen};
use clap::CommandFactory as _;
use clap_complete::Shell;
use history::Verdict;

pub fn completions(shell: Shell) -> Done {
    let name = program();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), &name, &mut script);
    screen::print(&String::from_utf8_lossy(&script))?;
    screen::complain(&format!("to install: {}", installing(shell, &name)));
    Ok(Exit::Judged(Verdict::Pass))
}

fn installing(shell: Shell, name: &str) -> String {
    let to_file = |file: &str| format!("{name} completions {shell} > {file}");
    match shell {
        Shell::Bash => to_file(&format!("~/.local/share/bash-completion/completions/{name}")),
        Shell::Zsh => to_file(&format!("\"${{fpath[1]}}/_{name}\"")),
        Shell::Fish => to_file(&format!("~/.config/fish/completions/{name}.fish")),
        Shell::PowerShell => {
            format!("add to $PROFILE: {name} completions powershell | Out-String | Invoke-Expression")
        }
        Shell::Elvish => format!("add to rc.elv: eval ({name} completions elvish | slurp)"),
        other => format!("save this where {other} looks for completions"),
    }
}
