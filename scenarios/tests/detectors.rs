//! What the papers' formulas say of detectors, beside what a run shows.
#![expect(clippy::disallowed_methods, reason = "reads a scenario that ships")]

use scenarios::execute::Options;
use scenarios::systems::SYSTEMS;

/// Theorem 5 of Chen, Toueg and Aguilera (2002), for exponential delays: the mean time from one mistake to the next, how long
/// one lasts, and the share of time without one. In seconds.
fn closed_form(eta: f64, delta: f64, loss: f64, mean: f64) -> (f64, f64, f64) {
    let is_later = |time: f64| if time <= 0.0 { 1.0 } else { libm::exp(-time / mean) };
    let last = libm::ceil(delta / eta) as u32;
    let nothing_there = |x: f64| -> f64 {
        (0..=last).map(|j| loss + (1.0 - loss) * is_later(delta + x - f64::from(j) * eta)).product()
    };
    let begins = (1.0 - loss) * (1.0 - is_later(delta + eta)) * nothing_there(0.0);
    let steps = 100_000;
    let at = |step: u32| nothing_there((f64::from(step) + 0.5) * eta / f64::from(steps));
    let integral = (0..steps).map(at).sum::<f64>() * eta / f64::from(steps);
    (eta / begins, integral / begins, 1.0 - integral / eta)
}

/// The ranges of `figures/detectors/nfd-s.toml` lie around what the formulas say, and the run within them.
#[test]
fn nfd_s_makes_the_mistakes_of_its_closed_form() {
    let (recurrence, duration, accuracy) = closed_form(0.1, 0.15, 0.1, 0.02);
    assert!((recurrence - 6.359).abs() < 0.001 && (duration - 0.0546).abs() < 0.0001, "{recurrence} {duration}");
    assert!((accuracy - 0.991_41).abs() < 0.000_01, "{accuracy}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/figures/detectors/nfd-s.toml");
    let source = std::fs::read_to_string(path).expect("it ships");
    let (draft, warnings) = scenarios::parse(&source, "nfd-s", &[], SYSTEMS).expect("it is well formed");
    assert!(warnings.is_empty(), "{warnings:?}");
    let scenario = draft.resolve(draft.seed()).expect("it fits together");
    let record = scenarios::run(&scenario, scenario.seed, SYSTEMS, &mut Options::default()).expect("it runs").record;
    let failed: Vec<_> = record.findings.iter().filter(|finding| finding.verdict != history::Verdict::Pass).collect();
    assert!(failed.is_empty(), "{failed:?}");
}
