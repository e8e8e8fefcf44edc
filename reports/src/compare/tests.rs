use super::*;
use crate::terminal::Look;
use history::Verdict;

/// How long clients wait, in nanoseconds.
const PATIENCE: u64 = 1_000_000_000;

/// A run in which so many of a thousand operations were served, and so many of a hundred reads were stale.
fn run(seed: u64, served: u64, p99_ms: u64, stale: u64) -> Compared {
    Compared {
        seed,
        verdict: Verdict::Pass,
        achieved: Some(served as f64 / 1000.0),
        possible: Some(0.98),
        outage_ns: (1000 - served) * 1_000_000,
        outage_max_ns: (1000 - served) * 500_000,
        p50_ns: Some(20_000_000),
        p99_ns: Some(p99_ms * 1_000_000),
        ok: Some(served),
        reads: Some(100),
        stale_reads: Some(stale),
    }
}

fn contender(name: &str, runs: Vec<Compared>) -> Contender {
    Contender { name: name.to_owned(), file: format!("{name}.toml"), runs }
}

/// A hundred storms of very different strength, and in each of them dynamo loses a little less.
fn two() -> Comparison {
    let lost = |seed: u64| seed * 37 % 100;
    let raft = (0..100).map(|seed| run(seed, 950 - lost(seed), 88, 0)).collect();
    let dynamo = (0..100).map(|seed| run(seed, 955 - lost(seed) + seed % 3, 31 + seed % 2, seed % 4)).collect();
    let compared =
        Comparison::of(vec![contender("raft", raft), contender("dynamo", dynamo)], &Metric::ALL, |_| PATIENCE);
    Comparison { version: "1".to_owned(), saved: "out/compare.db".to_owned(), asked: 200, ..compared }
}

#[test]
fn what_both_share_cancels_out() {
    let comparison = two();
    let line = comparison.line(Metric::Availability).expect("it is there");
    let (apart, is_shown) = line.apart(1).expect("the second is beside the first");
    assert!((apart.value - 0.00599).abs() < 1e-9 && is_shown, "{apart:?}");
    let width = |ends: &Interval| ends.high - ends.low;
    assert!(width(&apart) * 20.0 < width(&line.values[0]), "storms differ far more than systems: {line:?}");
    assert_eq!(line.differences[0], None);
}

#[test]
fn a_terminal_shows_metrics_systems_and_a_sentence() {
    let shown = text(&two(), Look { colour: false, unicode: true });
    for line in [
        "100 shared seeds, beside raft",
        "availability          raft                          90.05 %",
        "                      dynamo                        90.65 %     +0.60 points (+0.58 to +0.61)",
        "best possible         raft                          98.00 %",
        "                      dynamo                        98.00 %   ~ 0 points (0 to 0)",
        "  median              dynamo                         31.5ms     -56.5ms (-57ms to -56ms)",
        "failed runs           raft     0 of 100 runs (below 3.00 %)",
        "dynamo is more available (+0.60 points) and is sooner with its slowest answers (-56.5ms), beside raft; for that it \
         reads what was replaced more often (+1.50 points).",
        "saved in out/compare.db",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
}

#[test]
fn only_seeds_that_all_have_run_are_paired() {
    let one = contender("one", (0..10).map(|seed| run(seed, 900, 50, 0)).collect());
    let other = contender("other", (5..20).map(|seed| run(seed, 900, 50, 0)).collect());
    let comparison = Comparison::of(vec![one, other.clone()], &[Metric::Availability], |_| PATIENCE);
    assert_eq!((comparison.seeds.as_slice(), comparison.lines.len()), (&[5, 6, 7, 8, 9][..], 1));
    assert_eq!(comparison.verdict(), ["Between other and one, no difference was shown in 5 seeds."]);
    let apart = contender("apart", vec![run(99, 900, 50, 0)]);
    let nothing = Comparison::of(vec![other, apart], &Metric::ALL, |_| PATIENCE);
    assert_eq!((nothing.seeds.len(), nothing.lines.len(), nothing.verdict().len()), (0, 0, 0));
    assert!(text(&nothing, Look::default()).contains("no seed was run by all of them"));
}

/// One run of many reads one stale value: this is shown, but nobody would see it in the digits. As for response times, all that
/// is known of either system is that its slowest clients gave up.
#[test]
fn a_sentence_tells_what_its_digits_can() {
    let runs = |stale| (0..50).map(|seed| Compared { reads: Some(100_000), ..run(seed, 900, 1000, stale) }).collect();
    let systems = |p99_ms: u64| {
        let mut systems = vec![contender("one", runs(0)), contender("other", runs(1))];
        systems[1].runs.iter_mut().for_each(|run| run.p99_ns = Some(p99_ms * 1_000_000));
        systems
    };
    let comparison = Comparison::of(systems(990), &Metric::ALL, |_| PATIENCE);
    let shown = |metric| comparison.line(metric).expect("it is there").shown[1];
    assert_eq!([shown(Metric::Stale), shown(Metric::P99)], [true, true]);
    assert_eq!(comparison.verdict(), ["Between other and one, no difference was shown in 50 seeds."]);
    let told = text(&comparison, Look::default());
    assert!(told.contains("at least 1s\n") && told.contains("at least: as long as clients wait"), "{told}");
    let patient = Comparison::of(systems(990), &Metric::ALL, |_| 2 * PATIENCE);
    assert!(!text(&patient, Look::default()).contains("at least"));
    assert_eq!(patient.verdict().len(), 1);
    assert!(patient.verdict()[0].starts_with("other is sooner with its slowest answers (-10ms)"), "{patient:?}");
}

/// Each seed has its own patience: what is a bound in one run is a number in another.
#[test]
fn patience_is_that_of_each_seed() {
    let systems = || ["one", "other"].map(|name| contender(name, (0..9).map(|seed| run(seed, 900, 1000, 0)).collect()));
    let is_bound = |patience: fn(u64) -> u64| {
        let comparison = Comparison::of(systems().into(), &[Metric::P99], patience);
        comparison.line(Metric::P99).expect("it is there").at_least[1]
    };
    assert!(!is_bound(|_| 2 * PATIENCE) && is_bound(|_| PATIENCE));
    assert!(is_bound(|seed| if seed == 0 { 2 * PATIENCE } else { PATIENCE }), "the first seed is not all of them");
}

/// Of a seed in which one system answered nothing, response times say nothing of either.
#[test]
fn a_metric_takes_the_seeds_that_have_it_everywhere() {
    let one: Vec<Compared> = (0..4).map(|seed| run(seed, 900, 50, 0)).collect();
    let mut other: Vec<Compared> = (0..4).map(|seed| run(seed, 900, 60, 0)).collect();
    (other[1].p99_ns, other[1].stale_reads) = (None, None);
    let comparison = Comparison::of(vec![contender("one", one), contender("other", other)], &Metric::ALL, |_| PATIENCE);
    let seeds = |metric| comparison.line(metric).map(|line| line.seeds);
    assert_eq!([seeds(Metric::P99), seeds(Metric::P50), seeds(Metric::Stale)], [Some(3), Some(4), Some(3)]);
    assert!(text(&comparison, Look::default()).contains("  of 3 seeds"));
}

#[test]
fn json_holds_what_the_text_says() {
    let mut comparison = two();
    comparison.systems[1].runs[3].verdict = Verdict::Fail;
    let object: serde_json::Value = serde_json::from_str(&json(&comparison, 7)).expect("one object");
    assert_eq!((&object["seeds"], &object["baseline"], &object["wall_ns"]), (&100.into(), &"raft".into(), &7.into()));
    assert_eq!((&object["systems"][0]["fails_below"], &object["systems"][1]["failed"]), (&0.03.into(), &1.into()));
    let availability = &object["metrics"][0];
    assert_eq!((&availability["name"], &availability["average"]), (&"availability".into(), &"mean".into()));
    let apart = availability["differences"].as_array().expect("a list");
    assert_eq!((apart.len(), &apart[0]["system"], &apart[0]["shown"]), (1, &"dynamo".into(), &true.into()));
    assert_eq!(object["verdict"].as_array().expect("a list").len(), 1);
}

/// A name is drawn bold, and stands within the picture whatever letters it has.
#[test]
fn names_stand_within_the_picture() {
    let runs = || (0..5).map(|seed| run(seed, 900, 50, 0)).collect();
    for name in ["dynamo-sloppy", "WWWWWWWWWWWW", "a"] {
        let systems = vec![contender("raft", runs()), contender(name, runs())];
        let figures = figures(&Comparison::of(systems, &Metric::ALL, |_| PATIENCE), &[]);
        let glance = figures.iter().find(|figure| figure.name == "glance").expect("it is drawn");
        let element =
            glance.elements.split("<text").find(|text| text.contains(&format!(">{name}<"))).expect("its name");
        let x = element.split("x=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a place");
        let room = x.parse::<f64>().expect("a number") - crate::draw::measure::width(name, crate::draw::measure::BOLD);
        assert!(element.contains("bold") && room >= 0.0, "{name}: {room} in {element}");
    }
}

#[test]
fn a_mild_a_typical_and_a_harsh_storm_are_by_what_all_systems_suffered() {
    let runs = |served: &dyn Fn(u64) -> u64| (0..100).map(|seed| run(seed, served(seed), 30, 0)).collect();
    // The one suffers in the order of the seeds; for the other all are alike.
    let systems = vec![contender("a", runs(&|seed| 1000 - seed)), contender("b", runs(&|_| 500))];
    let comparison = Comparison::of(systems, &Metric::ALL, |_| PATIENCE);
    assert_eq!(comparison.storms(), [("a mild storm", 4), ("a typical storm", 49), ("a harsh storm", 94)]);
}

#[test]
fn of_few_storms_each_is_told_once() {
    let of = |count: u64| {
        let runs: Vec<Compared> = (0..count).map(|seed| run(seed, 900, 30, 0)).collect();
        Comparison::of(vec![contender("a", runs.clone()), contender("b", runs)], &Metric::ALL, |_| PATIENCE).storms()
    };
    assert_eq!(of(0), []);
    assert_eq!(of(1), [("a typical storm", 0)]);
    assert_eq!(of(2), [("a typical storm", 0), ("a harsh storm", 1)], "of equal ones the seeds decide");
    assert_eq!(of(3), [("a mild storm", 0), ("a typical storm", 1), ("a harsh storm", 2)]);
}
