//! What is wrong with the input is told in one message: where, what, and the cure. Nothing is run, nothing overwritten.
#![allow(clippy::disallowed_methods, reason = "tests of the command touch files, as it does")]

mod common;

use common::{CALM, Scratch, assert_tells};

/// A scenario with a mistake, where a good one has already run: it is refused, and the results stay.
#[track_caller]
fn refused(scenario: impl AsRef<[u8]>, wanted: &[&str]) {
    let here = Scratch::with(CALM);
    here.run(&["storm.toml", "--out", "there", "--trace", "jsonl"]);
    here.write("storm.toml", scenario);
    for args in [
        &["run", "storm.toml", "--out", "there"][..],
        &["run", "storm.toml", "--out", "there", "--format", "json", "--trace", "jsonl"],
        &["run", "storm.toml"],
        &["check", "storm.toml"],
        &["test", "storm.toml", "--junit", "junit.xml"],
        &["replay", "storm.toml"],
    ] {
        assert_tells(&here.refused(args), wanted);
    }
}

/// The calm sea with one line changed.
fn with(old: &str, new: &str) -> String {
    assert!(CALM.contains(old), "`{old}` stands in the calm scenario");
    CALM.replace(old, new)
}

fn with_fault(lines: &str) -> String {
    format!("{CALM}[[fault]]\n{lines}")
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let here = Scratch::new();
    let told = here.refused(&["run", "missing.toml"]);
    assert_eq!(
        told,
        "error: cannot read missing.toml: no such file or directory; `stormglass list scenarios` shows what is here\n"
    );
    here.refused(&["check", "missing.toml"]);
    here.refused(&["test", "missing.toml"]);
    here.refused(&["verify", "missing.jsonl", "--model", "kv"]);
}

#[test]
fn a_directory_is_not_a_scenario() {
    let here = Scratch::new();
    here.write("dir/storm.toml", CALM);
    let told = here.refused(&["run", "dir"]);
    assert_eq!(
        told,
        "error: cannot read dir: is a directory; `stormglass test` takes directories, the others take a file\n"
    );
    here.refused(&["verify", "dir", "--model", "kv"]);
}

#[test]
fn an_empty_file_says_what_to_begin_with() {
    refused("", &["error[S0004]", "--> storm.toml", "begin it with `scenario = 1`"]);
    refused("\n\n# later\n", &["error[S0004]"]);
}

#[test]
fn quantities_carry_their_units() {
    refused(
        with("\"2s\"", "\"60\""),
        &["error[S0104]: `60` has no unit; write `60ms` or `60s`", "--> storm.toml:3:12"],
    );
    refused(with("\"2s\"", "60"), &["error[S0104]: `60` has no unit; write `60ms` or `60s`", "--> storm.toml:3:12"]);
    refused(with("\"2s\"", "\"2 parsecs\""), &["error[S0104]", "--> storm.toml:3:12"]);
    refused(with("\"2s\"", "\"-2s\""), &["error[S0104]", "--> storm.toml:3:12"]);
}

#[test]
fn unknown_keys_are_errors_and_misspelt_ones_are_recognized() {
    refused(with("clients", "cleints"), &["unknown key `cleints`", "storm.toml:10:1", "did you mean `clients`?"]);
    refused(
        with("nodes = 3", "nodes = 3\ncolour = \"red\""),
        &["unknown key `colour`", "storm.toml:7:1", "[cluster] takes"],
    );
}

#[test]
fn what_cannot_be_cut_is_refused() {
    let cut = |groups: &str| with_fault(&format!("do = \"partition\"\nat = \"1s\"\ngroups = {groups}\n"));
    refused(cut(r#"[["4 of all"], ["others"]]"#), &["error[S0303]", "there are at most 3", "storm.toml:19:"]);
    refused(cut(r#"[["leader"]]"#), &["error[S0304]: a partition has at least two groups", "storm.toml:19:10"]);
    refused(cut(r#"[["n1"], ["n1", "n2"]]"#), &["error[S0304]: `n1` is in two groups", "storm.toml:19:10"]);
    refused(cut(r#"[["n1"], ["n9"]]"#), &["error[S0302]: there is no node `n9`", "the cluster has n1 to n3"]);
}

#[test]
fn a_fault_after_the_end_is_refused() {
    let fault = "do = \"crash\"\ntarget = \"leader\"\nat = \"2s\"\n";
    refused(
        with_fault(fault),
        &["error[S0305]: the fault would strike at 2s, and the run ends at 2s", "storm.toml:19:6"],
    );
}

#[test]
fn a_cluster_has_nodes_and_a_known_system() {
    refused(with("nodes = 3", "nodes = 0"), &["error[S0104]", "storm.toml:6:9"]);
    refused(
        with("raft", "rafd"),
        &["error[S0201]: there is no system `rafd`", "storm.toml:8:8", "did you mean `raft`?"],
    );
    refused(
        with("\"raft\"", "\"raft\"\nflaws = [\"ack-before-sync\"]"),
        &["error[S0202]", "storm.toml:9:10", "ack-before-fsync"],
    );
    refused(with("\"kv\"", "\"blob\""), &["error[S0204]", "storm.toml:11:8"]);
}

#[test]
fn ten_megabytes_of_anything_are_no_scenario() {
    let binary: Vec<u8> = (0u32..10_000_000).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for garbage in [binary, vec![b'x'; 10_000_000], vec![b'\n'; 10_000_000], vec![0; 10_000_000]] {
        refused(garbage, &["error[S0002]: storm.toml is larger than 1 MiB", "`stormglass verify` judges it"]);
    }
    // What is short enough to be one is read to its first mistake.
    refused(vec![b'x'; 1 << 20], &["error[S0001]", "storm.toml:1:"]);
}

#[test]
fn what_is_not_text_says_where() {
    refused(b"scenario = 1\nabout = \"\xff\"\n", &["error: storm.toml:2:10: this is not text; save the file as UTF-8"]);
    refused("scenario = 1\nabout = \"\0\"\n", &["error[S0001]", "storm.toml:2:10"]);
    refused("\0", &["error[S0001]", "storm.toml:1:"]);
    let wide: Vec<u8> = CALM.encode_utf16().flat_map(u16::to_le_bytes).collect();
    refused([&[0xff, 0xfe][..], &wide].concat(), &["storm.toml:1:1: this is not text; save the file as UTF-8"]);
}

#[test]
fn an_override_that_means_nothing_is_refused() {
    let here = Scratch::with(CALM);
    for (set, wanted) in [
        ("nonsense", "write KEY=VALUE, as in protocol.pre-vote=false"),
        ("=", "error[S0005]: in --set : the key is empty"),
        ("clusters.nodes=5", "error[S0102]: in --set clusters.nodes: unknown key `clusters`"),
        ("cluster.nodes=many", "in --set cluster.nodes: "),
        (
            "load.7.clients=1",
            "error[S0005]: in --set load.7.clients: `load` is a list of 1, and `7` is none of its numbers",
        ),
        ("duration=60", "in --set duration: `60` has no unit; write `60ms` or `60s`"),
    ] {
        assert_tells(&here.refused(&["run", "storm.toml", "--set", set]), &[wanted]);
    }
}

#[test]
fn a_seed_is_a_number_below_two_to_the_sixty_four() {
    let here = Scratch::with(CALM);
    for seed in ["-1", "18446744073709551616", "abc", "0x", "1.5", "", "+1"] {
        for command in ["run", "replay"] {
            let told = here.refused(&[command, "storm.toml", "--seed", seed]);
            assert_tells(&told, &[&format!("'{seed}'"), "a seed is a whole number below 2^64, decimal or 0x.."]);
        }
    }
    assert_tells(
        &here.refused(&["test", ".", "--seeds", "5..2"]),
        &["`5..2` holds no seed; write A..B with A below B"],
    );
    assert_tells(&here.refused(&["test", ".", "--seeds", "0..1000000000000"]), &["1 000 000 000 000 seeds"]);
}

#[test]
fn a_file_in_the_place_of_the_directory_stays() {
    let here = Scratch::with(CALM);
    here.write("taken", "mine");
    let told = here.refused(&["run", "storm.toml", "--out", "taken"]);
    assert_eq!(told, "error: taken is a file, and results go into a directory: name another\n");
    here.refused(&["run", "storm.toml", "--out", "taken/below"]);
}

#[test]
fn what_cannot_be_written_is_told_before_anything_runs() {
    let here = Scratch::with(CALM);
    assert_tells(
        &here.refused(&["test", "storm.toml", "--junit", "nowhere/junit.xml"]),
        &["cannot write nowhere/junit.xml"],
    );
}

#[test]
fn a_history_cut_within_a_line_is_refused_and_between_lines_is_judged() {
    let here = Scratch::with(CALM);
    here.run(&["storm.toml"]);
    let history = here.read("out/storm-1/history.jsonl");
    let lines: Vec<&str> = history.lines().collect();
    here.write("cut.jsonl", &history[..lines[..20].join("\n").len() - 10]);
    let told = here.refused(&["verify", "cut.jsonl", "--model", "kv"]);
    assert_tells(&told, &["error: cut.jsonl:20:", "the file ends in the middle of this line"]);

    // What was under way then is pending.
    here.write("short.jsonl", lines[..21].join("\n"));
    let told = here.stormglass(&["verify", "short.jsonl", "--model", "kv"]);
    assert_eq!((told.code, told.err.as_str()), (0, ""), "{told:?}");
}

#[test]
fn a_history_is_read_in_a_known_format_as_a_known_model() {
    let here = Scratch::with(CALM);
    here.run(&["storm.toml"]);
    let history = "out/storm-1/history.jsonl";
    assert_tells(
        &here.refused(&["verify", history, "--model", "vk"]),
        &["invalid value 'vk' for '--model", "cas-register, register, kv, queue,"],
    );
    assert_tells(&here.refused(&["verify", history, "--model", "register"]), &["event 2", "judged as `kv`"]);
    assert_tells(
        &here.refused(&["verify", history, "--model", "kv", "--input", "jsnl"]),
        &["possible values: auto, jsonl,", "'jsonl'"],
    );
    assert_tells(
        &here.refused(&["verify", history, "--model", "kv", "--initial", "[1,"]),
        &["write 0, nil, \"a text\""],
    );
    assert_tells(&here.refused(&["verify", history, "--model", "kv", "--budget", "10"]), &["write `10ms` or `10s`"]);
    assert_tells(
        &here.refused(&["verify", "storm.toml", "--model", "kv"]),
        &["storm.toml:1:1: no history in a known format"],
    );
    here.write("empty", "");
    assert_tells(&here.refused(&["verify", "empty", "--model", "kv"]), &["empty:1:1: the file holds no history"]);
    here.write("garbage", [0xffu8; 1000]);
    assert_tells(&here.refused(&["verify", "garbage", "--model", "kv"]), &["garbage:1:1: this is not text"]);
    assert_tells(&here.refused(&["verify", history]), &["say with --model what", "try `--model kv`"]);
}

#[test]
fn a_replay_of_nobody_or_no_time_is_refused() {
    let here = Scratch::with(CALM);
    let told = here.refused(&["replay", "storm.toml", "--node", "n4"]);
    assert_tells(
        &told,
        &["there is no `n4` here; there are the nodes n1 to n3, the clients c1 to c4, and faults by name"],
    );
    let told = here.refused(&["replay", "storm.toml", "--from", "2s", "--until", "1s"]);
    assert_eq!(told, "error: --from 2s is after --until 1s, so there is nothing to show\n");
    assert_tells(&here.refused(&["replay", "storm.toml", "--verify", "0"]), &["16 hexadecimal digits"]);
}

#[test]
fn words_that_are_no_command_are_refused() {
    let here = Scratch::new();
    for args in [&["runn"][..], &["run"], &["list", "colours"], &["run", "a.toml", "--colour"], &["test"]] {
        here.refused(args);
    }
}
