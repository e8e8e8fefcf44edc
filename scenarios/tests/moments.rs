//! What moments show of scenarios that ship.
#![expect(clippy::disallowed_methods, reason = "the scenarios that ship are files")]

use history::{Arrow, Moment, RunRecord};
use scenarios::execute::Options;
use scenarios::systems::SYSTEMS;

/// Arrows and notes of one moment.
const EVENTS_MAX: usize = 60;

fn run(file: &str, seed: u64, picture: bool) -> RunRecord {
    let path = format!("{}/files/raft/{file}.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("it ships");
    let (draft, _) = scenarios::parse(&text, file, &[], SYSTEMS).expect("well formed");
    let scenario = draft.resolve(seed).expect("it fits together");
    let mut options = Options { picture, ..Options::default() };
    scenarios::run(&scenario, seed, SYSTEMS, &mut options).expect("the engine holds").record
}

fn moments(file: &str, seed: u64) -> Vec<Moment> {
    run(file, seed, true).picture.expect("it was asked for").moments
}

/// The only moment of a run.
fn moment(file: &str, seed: u64) -> Moment {
    let mut moments = moments(file, seed);
    assert_eq!(moments.len(), 1, "{file}: {:?}", moments.iter().map(|moment| &moment.title).collect::<Vec<_>>());
    moments.remove(0)
}

/// What one machine told another.
fn path<'a>(moment: &'a Moment, from: &str, to: &str) -> Vec<&'a Arrow> {
    moment.arrows.iter().filter(|arrow| arrow.from == from && arrow.to == to).collect()
}

fn notes_at<'a>(moment: &'a Moment, machine: &str) -> Vec<&'a str> {
    moment.notes.iter().filter(|note| note.machine == machine).map(|note| note.text.as_str()).collect()
}

#[test]
fn a_stale_read_is_told_with_the_write_that_it_missed() {
    let seen = moment("read-without-quorum", 1);
    assert_eq!(seen.title, "How c1 came to read 8047");
    assert_eq!(seen.machines, ["n1", "n2", "n3", "n4", "n5", "c1", "c7", "c10"]);
    let last = seen.arrows.last().expect("it has arrows");
    let request = path(&seen, "c1", "n1").pop().expect("it was asked");
    assert!(request.label == "Request" && request.is_cause && request.sent_ns < last.sent_ns, "{request:?}");
    assert!(last.is_cause && (&*last.from, &*last.to, &*last.label) == ("n1", "c1", "Answer"), "{last:?}");
    assert!(last.text.contains("8047") && last.arrived_ns == seen.to_ns, "{last:?}");
    assert_eq!(notes_at(&seen, "c1"), ["read", "read -> 8047"]);
    assert_eq!(notes_at(&seen, "c10"), ["write 8074", "write 8074 -> ok"]);
    assert_eq!(notes_at(&seen, "n5"), ["candidate of term 2", "leader of term 2"]);
    assert_eq!(notes_at(&seen, "n1"), ["partition-1 begins: n1 | n2 n3 n4 n5"]);
    // The write was acknowledged by a leader of which the one that answered the read had not heard.
    let acknowledged = path(&seen, "n5", "c10").pop().expect("it was acknowledged");
    assert!(!acknowledged.is_cause && acknowledged.text.contains("Returned"), "{acknowledged:?}");
    assert!(path(&seen, "n5", "n1").iter().all(|arrow| !arrow.is_cause || arrow.sent_ns < 10_000_000_000));
    assert!(path(&seen, "n1", "n2").iter().any(|arrow| arrow.lost.is_some()), "the old leader talks to nobody");
}

#[test]
fn a_takeover_is_told_from_the_cut_to_the_first_answer() {
    let seen = moment("leader-partition", 2);
    assert_eq!(seen.title, "n3 takes over from n4");
    assert!(notes_at(&seen, "n4").contains(&"partition-1 begins: n4 | n1 n2 n3 n5"));
    assert_eq!(notes_at(&seen, "n3"), ["candidate of term 2", "leader of term 2"]);
    let last = seen.arrows.iter().max_by_key(|arrow| (arrow.lost.is_none(), arrow.arrived_ns)).expect("it has arrows");
    assert!(last.from == "n3" && last.is_cause && last.arrived_ns == seen.to_ns, "{last:?}");
    let lost = || seen.arrows.iter().filter(|arrow| arrow.lost.is_some());
    assert!(lost().all(|arrow| (arrow.from == "n4" || arrow.to == "n4") && !arrow.is_cause), "the cut is around n4");
    assert!(lost().any(|arrow| arrow.lost.as_deref() == Some("the connection timed out")));
    let heartbeats = path(&seen, "n4", "n1").into_iter().find(|arrow| arrow.lost.is_some() && arrow.count > 3);
    assert_eq!(heartbeats.expect("they are folded").label, "AppendEntries");
    assert!(seen.left_out > 100, "{}", seen.left_out);
}

#[test]
fn a_crash_is_told_with_what_it_lost() {
    let seen = moment("leader-crash", 4);
    assert_eq!(seen.title, "n4 takes over from n2");
    assert!(notes_at(&seen, "n2")[0].starts_with("crash"), "{:?}", notes_at(&seen, "n2"));
    let to_the_dead = path(&seen, "n4", "n2");
    assert!(to_the_dead.len() > 1 && to_the_dead.iter().all(|arrow| arrow.lost.as_deref() == Some("the node is down")));
}

#[test]
fn a_broken_law_is_told_by_what_led_to_it() {
    let seen = moment("ack-before-fsync", 1);
    assert_eq!(seen.title, "How “leader completeness” broke");
    assert_eq!(seen.machines, ["n1", "n2", "n3", "n4", "n5"], "no client takes part");
    assert_eq!(notes_at(&seen, "n3").last(), Some(&"breaks leader completeness"));
    assert!(notes_at(&seen, "n3").iter().any(|note| note.starts_with("crash")), "{:?}", notes_at(&seen, "n3"));
    let votes = seen.arrows.iter().filter(|arrow| arrow.label == "RequestVoteReply" && arrow.to == "n3");
    assert_eq!(votes.filter(|vote| vote.is_cause && vote.text.contains("granted: true")).count(), 2, "of five");
}

#[test]
fn where_nothing_went_wrong_one_sees_the_first_election() {
    let seen = moment("steady-state", 1);
    assert_eq!(seen.title, "n1 becomes leader of term 1");
    assert!(
        notes_at(&seen, "n1").contains(&"leader of term 1") && seen.arrows.iter().all(|arrow| arrow.lost.is_none())
    );
}

/// Whatever happens, one can take it in, and it is what happened.
#[test]
fn a_moment_is_bounded_and_in_order() {
    let files = ["read-without-quorum", "leader-partition", "ack-before-fsync", "leader-crash", "majority-power-loss"];
    let more = ["no-sessions", "lease-ignores-drift", "swarm", "storm", "no-pre-vote"];
    for (file, seed) in files.into_iter().chain(more).flat_map(|file| [(file, 1), (file, 2)]) {
        let moments = moments(file, seed);
        assert!((1..=3).contains(&moments.len()), "{file}, seed {seed}: {} moments", moments.len());
        for seen in moments {
            let told = format!("{file}, seed {seed}: {seen:#?}");
            assert!(seen.arrows.len() + seen.notes.len() <= EVENTS_MAX && !seen.arrows.is_empty(), "{told}");
            assert!(seen.arrows.is_sorted_by_key(|arrow| arrow.sent_ns), "{told}");
            assert!(seen.notes.is_sorted_by_key(|note| note.at_ns), "{told}");
            let during = seen.from_ns..=seen.to_ns;
            for arrow in &seen.arrows {
                assert!(during.contains(&arrow.sent_ns) && during.contains(&arrow.arrived_ns), "{told}");
                assert!(arrow.sent_ns < arrow.arrived_ns || arrow.lost.is_some(), "{told}");
                assert!(seen.machines.contains(&arrow.from) && seen.machines.contains(&arrow.to), "{told}");
                assert!(arrow.count > 0 && !arrow.label.is_empty() && arrow.text.starts_with(&arrow.label), "{told}");
                assert!(arrow.text.chars().count() <= 401, "{told}");
                assert!(!arrow.is_cause || arrow.lost.is_none(), "{told}");
            }
            assert!(seen.notes.iter().all(|note| seen.machines.contains(&note.machine)), "{told}");
            assert!(seen.notes.iter().all(|note| during.contains(&note.at_ns)), "{told}");
        }
    }
}

#[test]
fn a_picture_changes_nothing_else_and_is_the_same_again() {
    let drawn = run("read-without-quorum", 1, true);
    assert_eq!(drawn, run("read-without-quorum", 1, true));
    assert_eq!(RunRecord { picture: None, ..drawn }, run("read-without-quorum", 1, false));
}
