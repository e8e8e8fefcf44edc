//! Numbers and texts as pages and pictures show them: `1.04 s`, `97.12 %`, `2 871`, with a space that is thin and does not
//! break. What is for terminals and files has [`history::figures`].

use history::figures::{self, grouped, measured};
use history::{Cause, Verdict};

/// Between a number and its unit, and between thousands.
const THIN: char = '\u{202f}';

/// Nanoseconds to three figures: `1.04 s`, `412 ms`, `250 µs`.
pub fn time(nanos: u64) -> String {
    spaced(&measured(nanos))
}

/// Nanoseconds in full, for what was set and not measured: `60 s`.
pub fn exact(nanos: u64) -> String {
    spaced(&figures::duration(nanos))
}

fn spaced(duration: &str) -> String {
    let (number, unit) = duration.split_at(duration.find(char::is_alphabetic).unwrap_or(duration.len()));
    let unit = if unit == "us" { "µs" } else { unit };
    format!("{number}{THIN}{unit}")
}

/// A sentence of a record's, with its times as pages write them: `617ms` becomes `617 ms`.
pub fn told(sentence: &str) -> String {
    sentence.split(' ').map(retold).collect::<Vec<_>>().join(" ")
}

/// A word that is a time, perhaps with a bracket before it or a comma behind it, with a space before the unit.
fn retold(word: &str) -> String {
    let begin = word.find(|c: char| c.is_ascii_alphanumeric()).unwrap_or(0);
    let end = word.rfind(|c: char| c.is_ascii_alphanumeric()).map_or(0, |last| last + 1);
    let (number, unit) =
        word[begin..end.max(begin)].split_at_checked(number_length(&word[begin..])).unwrap_or_default();
    if number.is_empty() || !["s", "ms", "us", "ns"].contains(&unit) {
        return word.to_owned();
    }
    format!("{}{}{}", &word[..begin], spaced(&word[begin..end]), &word[end..])
}

fn number_length(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len())
}

/// A moment of a run in seconds, with as many decimals as tell moments apart that are `apart_ns` from each other.
pub fn moment(nanos: u64, apart_ns: u64) -> String {
    let digits = apart_ns.max(1).ilog10();
    let decimals = 9u32.saturating_sub(digits).clamp(1, 6);
    let cut = nanos / 10u64.pow(9 - decimals);
    let scale = 10u64.pow(decimals);
    format!("{}.{:0width$}{THIN}s", cut / scale, cut % scale, width = decimals as usize)
}

/// A share between 0 and 1: `97.12 %`.
pub fn percent(share: f64) -> String {
    figures::percent(share.clamp(0.0, 1.0)).replace(' ', &THIN.to_string())
}

/// `2 871`.
pub fn count(number: u64) -> String {
    grouped(number).replace(' ', &THIN.to_string())
}

/// `1 outage`, `2 871 outages`.
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// How often something happens: `0.34`, `2 871`.
pub fn rate(often: f64) -> String {
    figures::rate(often).replace(' ', &THIN.to_string())
}

/// What a cause of an outage is.
pub const fn meaning(cause: Cause) -> &'static str {
    match cause {
        Cause::NoQuorum => "The nodes and links left did not allow anybody to serve.",
        Cause::DiskFailure => {
            "Nobody could serve, since disks took no writes or had stopped their nodes; the other nodes and links allowed it."
        }
        Cause::NoLeader => {
            "A quorum was there, but none of the nodes that clients could reach served in the newest term with a quorum of \
             its own."
        }
        Cause::WrongNode => "Some node served, and the clients were asking another.",
        Cause::Overload => "Those who serve had no CPU to spare.",
        Cause::SlowDisk => "Those who serve waited long for their disks.",
        Cause::SlowLink => "What was needed was under way for longer than usual.",
        Cause::Dropped => "What was needed was picked out by a fault and dropped, over links that were whole.",
        Cause::ClientPaused => "The clients themselves were paused or down.",
    }
}

/// The sign of a verdict, which always stands beside its word.
pub fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Fail => "✗",
        Verdict::Unknown => "?",
        Verdict::Vacuous => "∅",
    }
}

/// A text of at most `max` characters; a longer one loses its middle.
pub fn brief(text: &str, max: usize) -> String {
    let count = text.chars().count();
    if count <= max {
        return text.to_owned();
    }
    let (head, tail) = (max / 2, max.saturating_sub(max / 2 + 1));
    let head: String = text.chars().take(head).collect();
    let tail: String = text.chars().skip(count - tail).collect();
    format!("{}…{}", head.trim_end(), tail.trim_start())
}

/// A text of the run's, which can hold anything: no control characters but line breaks.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_apart_from_their_units() {
        assert_eq!([time(1_043_512_345), time(250_000), time(0)], ["1.04\u{202f}s", "250\u{202f}µs", "0\u{202f}s"]);
        assert_eq!(
            [percent(0.9712), percent(f64::NAN), percent(7.0)],
            ["97.12\u{202f}%", "0.00\u{202f}%", "100.00\u{202f}%"]
        );
        assert_eq!([count(2871), counted(1, "outage")], ["2\u{202f}871", "1 outage"]);
        assert_eq!([rate(2871.0), rate(0.344)], ["2\u{202f}871", "0.34"]);
    }

    #[test]
    fn times_in_sentences_look_like_all_others() {
        let sentence = "617ms (outage from 9.99s, during partition-1: no leader), 12 of 3s.toml, n3 s, .5us.";
        let expected = "617\u{202f}ms (outage from 9.99\u{202f}s, during partition-1: no leader), 12 of 3s.toml, n3 s, \
                        .5\u{202f}µs.";
        assert_eq!(told(sentence), expected);
        assert_eq!(["", "  ", "...", "s", "\u{b5}s", "1.2.3"].map(told), ["", "  ", "...", "s", "\u{b5}s", "1.2.3"]);
    }

    #[test]
    fn moments_are_as_sharp_as_they_are_close() {
        let moments = [(9_992_345_678, 100_000_000), (9_992_345_678, 1_000_000), (u64::MAX, 0)];
        let told = moments.map(|(at, apart)| moment(at, apart));
        assert_eq!(told, ["9.9\u{202f}s", "9.992\u{202f}s", "18446744073.709551\u{202f}s"]);
    }

    #[test]
    fn long_texts_lose_their_middle() {
        assert_eq!([brief("abcdef", 6), brief("abcdefgh", 6), brief("äöüäöüäöü", 4)], ["abcdef", "abc…gh", "äö…ü"]);
    }
}
