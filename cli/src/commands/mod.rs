//! One file a command.

pub mod check;
pub mod completions;
pub mod explain;
pub mod list;
pub mod man;
pub mod new;
mod parted;
pub mod replay;
pub mod report;
pub mod run;
pub mod schema;
pub mod shrink;
pub mod test;
pub mod verify;

use reports::command::quoted;
use std::path::Path;

/// The command that shows a run again.
fn replay_command(file: &Path, seed: u64, set: &[(String, String)]) -> String {
    replay_command_of(&crate::program(), file, seed, set)
}

fn replay_command_of(program: &str, file: &Path, seed: u64, set: &[(String, String)]) -> String {
    let mut command = format!("{} run {} --seed {seed}", quoted(program), quoted(&file.display().to_string()));
    for (key, value) in set {
        command.push_str(&format!(" --set {}", quoted(&format!("{key}={value}"))));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_command_can_be_pasted_into_a_shell() {
        let set = [("fault.0.target".to_owned(), "\"one of all\"".to_owned())];
        let command = replay_command_of("stormglass", Path::new("a b/it's.toml"), 7, &set);
        assert_eq!(command, r#"stormglass run 'a b/it'\''s.toml' --seed 7 --set 'fault.0.target="one of all"'"#);
    }
}
