//! What no text may do: panic, take long, or be answered at length.

use super::draws::SWARM;
use super::toy::TOY;
use super::{STORM, parse, read};
use crate::diagnostics::render;
use proptest::prelude::*;

/// Ten megabytes of anything are answered at once, in few words; so is the most that is read at all.
#[test]
fn garbage_is_answered_in_few_words() {
    let units = [
        "x",
        "[",
        "a=[",
        "x\n",
        "=\n",
        "\"",
        "\0",
        "[a]\n",
        "[[fault]]\n",
        "a.",
        "ü",
        "{",
        "'''",
        "fault=[{}]\n",
        "[[a]]\n",
        "\u{202e}\u{200d}",
        "a='\t'\n",
        "\r",
    ];
    for unit in units {
        for bytes in [10_000_000, crate::SIZE_MAX] {
            let source = unit.repeat(bytes / unit.len());
            let found = read(&source).unwrap_err();
            assert!(found.len() <= 21, "{unit:?}");
            let shown = render(&found, "x.toml", &source, false);
            assert!(shown.len() < 40_000, "{unit:?}: {} bytes", shown.len());
        }
    }
}

/// Draws of a megabyte: alternatives, alternatives of alternatives, ranges, a name that all draws are called by.
#[test]
fn huge_draws_are_answered_in_few_words() {
    let much = 900_000;
    let faults = "[[fault]]\ndo = \"crash\"\nat = { draw = \"1s..2s\" }\ntarget = \"any\"\nchance = \"1%\"\n";
    for (from, to) in [
        ("nodes = { choose = [3, 5, 7] }", format!("nodes = {{ choose = [{}] }}", "3,".repeat(much / 2))),
        ("nodes = { choose = [3, 5, 7] }", format!("nodes = {{ choose = [{}] }}", "{choose=[3,5]},".repeat(much / 15))),
        ("{ draw = \"1..100\" }", format!("{{ draw = \"{}\" }}", "1..".repeat(much / 3))),
        ("{ draw = \"1..100\" }", format!("{{ draw = \"1..{}\" }}", "9".repeat(much))),
        ("{ choose = [\"log\", \"local\"] }", format!("{{ choose = [\"log\", \"{}\"] }}", "x".repeat(much))),
        ("\"either\"", format!("\"{}\"", "x".repeat(much))),
        ("[expect]", format!("{}[expect]", faults.repeat(much / faults.len()))),
    ] {
        let source = SWARM.replace(from, &to);
        assert!(source.len() > much / 2, "{from}");
        let found = read(&source).map_or_else(|found| found, |(_, warnings)| warnings);
        let shown = render(&found, "x.toml", &source, true);
        assert!(found.len() <= 21 && shown.len() < 40_000, "{from}: {} problems, {} bytes", found.len(), shown.len());
    }
}

/// A good file, then: a key, a text, a list or a table of a megabyte.
#[test]
fn a_huge_part_is_answered_in_few_words() {
    let much = 900_000;
    for (from, to) in [
        ("name = \"toy\"", format!("name = \"{}\"", "x".repeat(much))),
        ("seeds = 500", format!("{} = 1", "x".repeat(much))),
        ("seeds = 500", format!("seeds = {}", "9".repeat(much))),
        ("[\"leader\", \"n3\"]", format!("[{}]", "\"x\",".repeat(much / 4))),
        (
            "{ read = 70, write",
            format!("{{ {} write", (0..much / 10).map(|i| format!("k{i} = 1,")).collect::<String>()),
        ),
        ("\"linearizable\"", String::new()),
        ("[\"leader changes <= 3\"]", format!("[\"{}\"]", "p99 ".repeat(much / 4))),
        ("duration = \"60s\"", format!("duration = \"{}\"", "1s".repeat(much / 2))),
        ("seed", format!("{}seed", "\n".repeat(much))),
    ] {
        let source = STORM.replace(from, &to);
        let found = read(&source).map_or_else(|found| found, |(_, warnings)| warnings);
        let shown = render(&found, "x.toml", &source, true);
        assert!(found.len() <= 21 && shown.len() < 40_000, "{from}: {} problems, {} bytes", found.len(), shown.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever becomes of a good file, it is answered, and the answer can be shown.
    #[test]
    fn no_text_is_a_panic(
        flips in prop::collection::vec((0..STORM.len(), any::<u8>()), 0..8),
        cut in 1..STORM.len() * 3,
        swaps in prop::collection::vec((0..70usize, 0..70usize), 0..4),
    ) {
        let mut lines: Vec<&str> = STORM.lines().collect();
        let count = lines.len();
        swaps.iter().for_each(|(a, b)| lines.swap(a % count, b % count));
        let mut bytes = lines.join("\n").into_bytes();
        for (at, byte) in flips {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        bytes.truncate(cut);
        let source = String::from_utf8_lossy(&bytes).into_owned();
        let found = read(&source).map_or_else(|found| found, |(_, warnings)| warnings);
        for colour in [false, true] {
            render(&found, "storm.toml", &source, colour);
        }
    }

    /// Words of the format in any order and place, too.
    #[test]
    fn no_salad_is_a_panic(words in prop::collection::vec(0..400usize, 0..60)) {
        let all: Vec<&str> = STORM.split_inclusive([' ', '\n', ',', '[', ']', '{', '}', '"', '=']).collect();
        let salad: String = words.iter().map(|&word| all[word % all.len()]).collect();
        let source = format!("scenario = 1\n{salad}");
        let found = read(&source).map_or_else(|found| found, |(_, warnings)| warnings);
        render(&found, "salad.toml", &source, false);
    }

    /// Any part of a file may be left to the seed, and any of its words be one of the alternatives.
    #[test]
    fn no_draw_is_a_panic(
        places in prop::collection::vec((0..60usize, 0..400usize, any::<bool>()), 1..6),
        seed in any::<u64>(),
    ) {
        let words: Vec<&str> = SWARM.split_whitespace().collect();
        let mut lines: Vec<String> = SWARM.lines().map(str::to_owned).collect();
        for (line, word, is_draw) in places {
            let (line, word) = (line % lines.len(), words[word % words.len()]);
            let Some((key, value)) = lines[line].split_once(" = ") else { continue };
            let drawn = if is_draw { format!("{{ draw = {word} }}") } else { format!("{{ choose = [{value}, {word}] }}") };
            lines[line] = format!("{key} = {drawn}");
        }
        let source = lines.join("\n");
        match parse(&source, "swarm", &[], &[TOY]) {
            Ok((draft, _)) => {
                let _ = (draft.resolve(seed), draft.resolved_file(seed));
            }
            Err(found) => prop_assert!(!render(&found, "swarm.toml", &source, false).is_empty()),
        }
    }

    #[test]
    fn no_override_is_a_panic(key in "[a-z0-9.-]{0,12}|(load|fault)\\.[0-9]\\.[a-z]{1,8}", value in ".{0,20}") {
        for source in [STORM, SWARM] {
            let _ = parse(source, "storm", &[(key.clone(), value.clone())], &[TOY]);
        }
    }
}
