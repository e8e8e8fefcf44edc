//! Commands to be pasted into a shell.

use history::figures::duration;
use history::{Finding, RunRecord, Source, Who};

/// What a replay shows before the moment that matters, in nanoseconds.
const BEFORE_NS: u64 = 500_000_000;

/// What it shows after it.
const AFTER_NS: u64 = 50_000_000;

/// A moment in a command is told to a thousandth of a second.
const TOLD_NS: u64 = 1_000_000;

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// `PROGRAM VERB FILE --seed N --set ..`
pub fn of_seed(program: &str, verb: &str, file: &str, seed: u64, set: &[(String, String)]) -> String {
    let mut command = format!("{} {verb} {} --seed {seed}", quoted(program), quoted(&no_option(file)));
    for (key, value) in set {
        command.push_str(&format!(" --set {}", quoted(&format!("{key}={value}"))));
    }
    command
}

/// A file whose name begins with a dash is no option.
fn no_option(file: &str) -> String {
    if file.starts_with('-') { format!("./{file}") } else { file.to_owned() }
}

/// `PROGRAM verify FILE --model ..`: a history judged again, with options that are quoted already.
pub fn verify(program: &str, file: &str, options: &str) -> String {
    format!("{} verify {}{options}", quoted(program), quoted(&no_option(file)))
}

/// `PROGRAM report FILE`: the page of what was saved.
pub fn report(program: &str, file: &str) -> String {
    format!("{} report {}", quoted(program), quoted(&no_option(file)))
}

/// Longer commands, in bytes, are none that anybody typed.
const LENGTH_MAX: usize = 16 * 1024;

/// `PROGRAM VERB FILE --seed N --set ..`: the run again; `None` if nobody knows where it came from, or if no shell should be
/// given so long a command.
pub fn again(verb: &str, record: &RunRecord) -> Option<String> {
    let Source { program, file, set, .. } = record.source.as_ref()?;
    let mut command = format!("{} {verb} {} --seed {}", quoted(program), quoted(&no_option(file)), record.seed);
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
    Some(window.map_or(command.clone(), |window| within(&command, window)))
}

/// A replay of all that happens from one moment to another, in whole milliseconds.
pub fn within(replay: &str, (from, until): (u64, u64)) -> String {
    let until = until.div_ceil(TOLD_NS).saturating_mul(TOLD_NS);
    format!("{replay} --from {} --until {}", duration(from / TOLD_NS * TOLD_NS), duration(until))
}

/// From when until when a replay shows what a failed check found; `None` if that is no moment.
pub fn window(record: &RunRecord, failed: &Finding) -> Option<(u64, u64)> {
    let (from, until) = match &failed.witness {
        Some(witness) => {
            let ops = || witness.operations.iter();
            let last = ops().filter_map(|op| op.completed.or(Some(op.invoked))).map(|mark| mark.time).max()?;
            let offender = witness.offender.and_then(|at| witness.operations.get(at));
            let first = ops().map(|op| op.invoked.time).min()?;
            // What begins long before is shown by its end.
            let turn = offender.map_or(first, |op| op.invoked.time);
            (first.max(turn.saturating_sub(BEFORE_NS)), last)
        }
        // The longest outage is the one that took too long.
        None if failed.check.starts_with("recovery ") => {
            let whole = record.outages.iter().filter(|outage| outage.who == Who::All);
            let longest = whole.max_by_key(|outage| outage.length_ns())?;
            (longest.from_ns.saturating_sub(BEFORE_NS), longest.to_ns)
        }
        // What has no witness and stops the run, such as a broken law, is drawn up to where it stopped.
        None => {
            let mut moments = record.picture.iter().flat_map(|picture| &picture.moments);
            let last = moments.find(|moment| moment.to_ns == record.simulated_ns)?;
            (last.from_ns, last.to_ns)
        }
    };
    Some((from, until.saturating_add(AFTER_NS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_command_can_be_pasted_into_a_shell() {
        let set = [("fault.0.target".to_owned(), "\"one of all\"".to_owned())];
        let command = of_seed("stormglass", "run", "a b/it's.toml", 7, &set);
        assert_eq!(command, r#"stormglass run 'a b/it'\''s.toml' --seed 7 --set 'fault.0.target="one of all"'"#);
        assert_eq!(of_seed("stormglass", "run", "-x.toml", 7, &[]), "stormglass run ./-x.toml --seed 7");
    }

    #[test]
    fn a_shell_takes_a_word_as_it_is_meant() {
        assert_eq!(
            [quoted("a-b/c.toml"), quoted("a b"), quoted("it's"), quoted("")],
            ["a-b/c.toml", "'a b'", r"'it'\''s'", "''"]
        );
    }
}
