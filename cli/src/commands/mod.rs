//! One file a command.

pub mod check;
pub mod list;
pub mod replay;
pub mod report;
pub mod run;
pub mod test;
pub mod verify;

use reports::command::quoted;
use std::path::Path;

/// The command that shows a run again.
fn replay_command(file: &Path, seed: u64, set: &[(String, String)]) -> String {
    let mut command = format!("stormglass run {} --seed {seed}", quoted(&file.display().to_string()));
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
        let command = replay_command(Path::new("a b/it's.toml"), 7, &set);
        assert_eq!(command, r#"stormglass run 'a b/it'\''s.toml' --seed 7 --set 'fault.0.target="one of all"'"#);
    }
}
