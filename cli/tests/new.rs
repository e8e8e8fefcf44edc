//! `new`: a first scenario that is fine, passes, and takes nobody's place.
#![allow(clippy::disallowed_methods, reason = "tests of the command touch files, as it does")]

mod common;

use common::{Scratch, assert_tells};

#[test]
fn for_every_system_there_is_a_first_scenario_that_passes() {
    let here = Scratch::new();
    let listed = here.stormglass(&["list", "protocols", "--format", "json"]);
    let systems: Vec<serde_json::Value> = serde_json::from_str(&listed.out).expect("a list");
    assert!(!systems.is_empty());
    for system in systems {
        let name = system["name"].as_str().expect("a name");
        let file = format!("first-{name}.toml");
        let told = here.stormglass(&["new", &format!("first-{name}"), "--protocol", name]);
        assert_eq!((told.code, told.err.as_str()), (0, ""), "{name}");
        assert_eq!(told.out, format!("wrote {file}\nnext  stormglass run {file}\n"));
        let told = here.stormglass(&["check", &file]);
        assert_eq!((told.code, told.out, told.err.as_str()), (0, format!("{file}: fine\n"), ""));
        let told = here.stormglass(&["test", &file, "--seeds", "10"]);
        assert_eq!(told.code, 0, "{name}: {}", told.out);
        assert_tells(&told.out, &["10 PASS"]);
    }
}

#[test]
fn init_is_another_word_for_it_and_a_file_can_stand_elsewhere() {
    let here = Scratch::new();
    assert_eq!(here.stormglass(&["init", "a.toml"]).out, "wrote a.toml\nnext  stormglass run a.toml\n");
    here.write("sub/x", "");
    let told = here.stormglass(&["new", "b", "--out", "sub/it is b.toml"]);
    assert_eq!(
        (told.code, told.out.as_str()),
        (0, "wrote sub/it is b.toml\nnext  stormglass run 'sub/it is b.toml'\n")
    );
    assert_eq!(here.read("a.toml"), here.read("sub/it is b.toml"));
}

#[test]
fn what_is_there_stays() {
    let here = Scratch::with("mine");
    let told = here.refused(&["new", "storm"]);
    assert_eq!(told, "error: storm.toml is there already, and stays as it is: name another\n");
    here.refused(&["new", "storm.toml"]);
    here.refused(&["new", "other", "--out", "storm.toml"]);
    assert_eq!(here.read("storm.toml"), "mine");
}

#[test]
fn a_name_is_the_name_of_a_file() {
    let here = Scratch::new();
    for bad in ["a/b", "..", ".", ".hidden", "", "a b", "-x=", "../up", "a\\b", "a\nb", "\u{1b}[1m"] {
        let told = here.refused(&["new", "--", bad]);
        assert_tells(&told, &["is no name of a scenario: one word of letters"]);
    }
    here.refused(&["new", "--", &"x".repeat(300)]);
    assert_tells(&here.refused(&["new", "a", "--protocol", "raftt"]), &["no system `raftt`", "Did you mean `raft`?"]);
    here.refused(&["new", "a", "--out", "no-such-directory/a.toml"]);
}
