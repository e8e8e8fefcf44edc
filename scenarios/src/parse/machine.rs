//! Faults of machines: clocks, CPUs, machines that are lost.

use super::fault::{strikes, struck};
use super::operate::are_nodes;
use super::{Scene, delays};
use crate::codes;
use crate::scenario::{Action, DelaySpec, Fault, Timing};
use crate::text::entry::quoted;
use crate::text::quantity::OFFSET_MAX;
use crate::text::reader::Reader;
use sim_core::dice::Ratio;
use sim_core::fault::{ClockHarm, Which};
use sim_core::time::{Nanos, format_duration};

/// A CPU that takes more than a million times as long is not slow, it is down.
const SLOWER_MAX: u64 = 1_000_000;

pub(super) fn clock(reader: &Reader<'_>, scene: &Scene<'_>) -> Option<Action> {
    const HARMS: [&str; 3] = ["step", "rate", "freeze"];
    let freeze = reader.flag("freeze");
    if !reader.has("step") && !reader.has("rate") && freeze == Some(false) {
        reader.tell(
            &codes::CONFLICT,
            "do",
            format!("this `clock` fault does nothing; it needs one of {}", quoted(&HARMS)),
        );
    }
    if reader.has("rate") && freeze == Some(true) {
        reader.tell(&codes::CONFLICT, "rate", "a clock that stands still has no `rate`; leave it or `freeze` out");
    }
    let step = if reader.has("step") { reader.read("step", |given| given.step()) } else { Some(0) };
    let rate_ppb = if reader.has("rate") { reader.read("rate", |given| given.drift()) } else { Some(0) };
    let which = match reader.word("which")? {
        "wall" => Which::Wall,
        "monotonic" => Which::Monotonic,
        _ => Which::Both,
    };
    let target = struck(reader, scene)?;
    Some(Action::Clock { target, harm: ClockHarm { which, step: step?, rate_ppb: rate_ppb?, freeze: freeze? } })
}

/// Whether clocks that are `back` already, at the worst, show no time before 0 with this fault; how far they are back then.
pub(super) fn check_steps(reader: &Reader<'_>, fault: &Fault, back: Nanos, scene: &Scene<'_>) -> Nanos {
    let after = back.saturating_add(set_back(fault, scene));
    let limit = OFFSET_MAX as u64;
    if back <= limit && after > limit {
        let after = format_duration(after);
        let message = format!("with this a clock could be {after} behind, counting every strike; at most 59m");
        reader.tell(&codes::BAD_VALUE, "step", message);
    }
    after
}

/// How far a fault can set a clock back, in nanoseconds, if every strike meets the same one.
fn set_back(fault: &Fault, scene: &Scene<'_>) -> u64 {
    let Action::Clock { harm: ClockHarm { step: step @ ..0, .. }, .. } = fault.action else { return 0 };
    let strikes = match fault.timing {
        Timing::At { .. } | Timing::During { .. } => 1,
        Timing::Every { period, times, .. } => strikes(period, times, scene.duration.unwrap_or(0)),
        Timing::Event { times, .. } => times.into(),
    };
    step.unsigned_abs().saturating_mul(strikes)
}

pub(super) fn cpu(reader: &Reader<'_>, scene: &Scene<'_>) -> Option<Action> {
    if !reader.has("slower") && !reader.has("extra") {
        reader.tell(&codes::CONFLICT, "do", "this `cpu` fault does nothing; it needs `slower` or `extra`");
    }
    let slower = if reader.has("slower") { slower(reader) } else { Some(Ratio::new(1, 1)) };
    let extra =
        if reader.has("extra") { delays::delay(reader, "extra", scene.problems) } else { Some(DelaySpec::Fixed(0)) };
    let target = struck(reader, scene)?;
    are_nodes(reader, "target", &target).then_some(())?;
    Some(Action::Cpu { target, slower: slower?, extra: extra? })
}

fn slower(reader: &Reader<'_>) -> Option<Ratio> {
    let slower = reader.read("slower", |given| given.decimal())?;
    let most = u128::from(SLOWER_MAX) * u128::from(slower.denominator);
    if slower.numerator <= slower.denominator || u128::from(slower.numerator) > most {
        let message = format!("`slower` is a number above 1 and at most {SLOWER_MAX}: so many times as long");
        reader.tell(&codes::BAD_VALUE, "slower", message);
        return None;
    }
    Some(slower)
}

pub(super) fn lose(reader: &Reader<'_>, scene: &Scene<'_>) -> Option<Action> {
    let target = struck(reader, scene)?;
    are_nodes(reader, "target", &target).then_some(Action::Lose { target })
}
