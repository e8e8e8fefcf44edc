//! Commands to be pasted into a shell.

use history::figures::duration;
use history::{RunRecord, Source};

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Longer commands, in bytes, are none that anybody typed.
const LENGTH_MAX: usize = 16 * 1024;

/// `PROGRAM VERB FILE --seed N --set ..`: the run again; `None` if nobody knows where it came from, or if no shell should be
/// given so long a command.
pub fn again(verb: &str, record: &RunRecord) -> Option<String> {
    let Source { program, file, set, .. } = record.source.as_ref()?;
    // A file whose name begins with a dash is no option.
    let file = if file.starts_with('-') { format!("./{file}") } else { file.clone() };
    let mut command = format!("{} {verb} {} --seed {}", quoted(program), quoted(&file), record.seed);
    for change in set {
        command.push_str(&format!(" --set {}", quoted(change)));
    }
    Some(command).filter(|command| command.len() <= LENGTH_MAX)
}

/// What the word means.
pub fn explain(record: &RunRecord, word: &str) -> String {
    let program = record.source.as_ref().map_or("stormglass", |source| &source.program);
    format!("{} explain {}", quoted(program), quoted(word))
}

/// The run again, with all that happens in a part of it.
pub fn replay(record: &RunRecord, window: Option<(u64, u64)>) -> Option<String> {
    let command = again("replay", record)?;
    Some(match window {
        Some((from, until)) => format!("{command} --from {} --until {}", duration(from), duration(until)),
        None => command,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_a_word_as_it_is_meant() {
        assert_eq!(
            [quoted("a-b/c.toml"), quoted("a b"), quoted("it's"), quoted("")],
            ["a-b/c.toml", "'a b'", r"'it'\''s'", "''"]
        );
    }
}
