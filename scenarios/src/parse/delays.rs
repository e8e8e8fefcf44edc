//! Delays: a time, a range, or a table with a `dist`.

use crate::codes;
use crate::diagnostics::Diagnostic;
use crate::scenario::DelaySpec;
use crate::sections::{EXP, LINK_LOSSES, LOGNORMAL, PARETO, PLAIN_LINK, UNIFORM};
use crate::text::entry::{Entry, Section, Takes};
use crate::text::quantity::Given;
use crate::text::reader::Reader;
use crate::text::{Problems, Table};
use sim_core::dice::Ratio;
use sim_core::fault::Bandwidth;
use sim_core::settings::parse_duration_range;

/// The delay under this key, if it has one or a default.
pub(super) fn delay(reader: &Reader<'_>, key: &str, problems: &Problems) -> Option<DelaySpec> {
    let tabled = reader.given(key).and_then(|given| Some((given, given.table().ok()?)));
    match tabled {
        Some((given, table)) => shape(given, table, &[], problems).map(|(delay, _)| delay),
        None => reader.read(key, written),
    }
}

/// A delay as a text: `5ms`, `1ms..10ms`, and for what adds to other delays also `+80ms`.
fn written(given: &Given<'_>) -> Result<DelaySpec, Diagnostic> {
    let text = given.quantity()?;
    let may_have_plus = matches!(given.takes, Takes::AddedDelay);
    let unsigned = text.strip_prefix('+').filter(|_| may_have_plus).unwrap_or(text);
    let (min, max) = parse_duration_range(unsigned).map_err(|message| given.bad(message))?;
    if max > crate::sections::DELAY_MAX {
        return Err(given.bad(format!("`{text}` is too long; a delay is at most 24h")));
    }
    Ok(if min == max { DelaySpec::Fixed(min) } else { DelaySpec::Uniform { min, max } })
}

/// What a link does to a message.
#[derive(Clone, Copy)]
pub(super) struct LinkTraits {
    pub delay: DelaySpec,
    pub loss: Ratio,
    pub duplicate: Ratio,
    pub bandwidth: Option<Bandwidth>,
}

pub(super) fn link(given: Given<'_>, problems: &Problems) -> Option<LinkTraits> {
    let Ok(table) = given.table() else {
        let delay = problems.note(written(&given))?;
        return Some(LinkTraits { delay, loss: Ratio::ZERO, duplicate: Ratio::ZERO, bandwidth: None });
    };
    let (delay, reader) = if table.get("dist").is_some() {
        shape(given, table, LINK_LOSSES, problems)?
    } else {
        let reader = open(table, &PLAIN_LINK, LINK_LOSSES, problems);
        (delay(&reader, "delay", problems)?, reader)
    };
    let (loss, duplicate) = (reader.share("loss")?, reader.share("duplicate")?);
    Some(LinkTraits { delay, loss, duplicate, bandwidth: bandwidth(&reader)? })
}

/// The bandwidth and its queue; within, `None` if there is no limit.
pub(super) fn bandwidth(reader: &Reader<'_>) -> Option<Option<Bandwidth>> {
    if !reader.has("bandwidth") {
        if reader.has("queue") {
            reader.tell(&codes::CONFLICT, "queue", "`queue` goes with `bandwidth`");
        }
        return Some(None);
    }
    let queue = reader.read("queue", |given| given.size());
    let bytes_per_second = reader.read("bandwidth", |given| given.bandwidth());
    Some(Some(Bandwidth { bytes_per_second: bytes_per_second?, queue: queue? }))
}

fn open<'a>(table: &'a Table, section: &Section, more: &'static [Entry], problems: &'a Problems) -> Reader<'a> {
    let entries = section.entries().chain(more).copied().collect();
    Reader::with_entries(table, section.title, entries, section.title, problems)
}

/// A delay as a table; `more` is what the table takes beside.
fn shape<'a>(
    given: Given<'_>,
    table: &'a Table,
    more: &'static [Entry],
    problems: &'a Problems,
) -> Option<(DelaySpec, Reader<'a>)> {
    let Some(dist) = table.get("dist") else {
        let message = format!("`{}` is a table without `dist`", given.key);
        let help = format!("`{}` takes {}", given.key, given.takes.noun());
        problems.push(Diagnostic::new(&codes::MISSING_KEY, &table.origin, message).help(help));
        return None;
    };
    let dist = Given { key: "dist", takes: Takes::Text, value: dist };
    let section = match problems.note(dist.text())? {
        "uniform" => &UNIFORM,
        "exp" => &EXP,
        "lognormal" => &LOGNORMAL,
        "pareto" => &PARETO,
        other => {
            problems.push(dist.unknown_word(other, &["uniform", "exp", "lognormal", "pareto"]));
            return None;
        }
    };
    let reader = open(table, section, more, problems);
    let backwards = |key: &str, message: &str| {
        reader.tell(&codes::BAD_VALUE, key, message);
        None
    };
    let spec = match section.title {
        title if title == UNIFORM.title => match (reader.time("min")?, reader.time("max")?) {
            (min, max) if min > max => backwards("max", "`max` is below `min`"),
            (min, max) => Some(DelaySpec::Uniform { min, max }),
        },
        title if title == EXP.title => Some(DelaySpec::Exp { mean: reader.time("mean")? }),
        title if title == PARETO.title => pareto(&reader),
        _ => match (reader.time("median")?, reader.time("p99")?) {
            (0, _) => backwards("median", "the median of a lognormal delay is not 0"),
            (median, p99) if p99 < median => backwards("p99", "`p99` is below `median`"),
            (median, p99) => Some(DelaySpec::LogNormal { median, p99 }),
        },
    };
    Some((spec?, reader))
}

/// The fattest tail that is told from no tail at all, and the thinnest from a fixed delay.
const SHAPES: std::ops::RangeInclusive<u64> = 100_000..=1_000_000_000;

fn pareto(reader: &Reader<'_>) -> Option<DelaySpec> {
    let shape = millionths(reader.read("shape", |given| given.decimal())?);
    if !SHAPES.contains(&shape) {
        reader.tell(&codes::BAD_VALUE, "shape", "a shape is from 0.1 to 1000");
        return None;
    }
    let (min, share) = (reader.time("min")?, millionths(reader.share("share")?));
    if min == 0 {
        reader.tell(&codes::BAD_VALUE, "min", "the shortest delay of a tail is not 0");
        return None;
    }
    let mean = reader.time("mean").unwrap_or(0);
    match (share < millionths(Ratio::new(1, 1)), mean) {
        (true, 0) => {
            let message = "the rest of the delays is exponential, and its `mean` is missing";
            reader.tell(&codes::CONFLICT, "share", message);
            None
        }
        (_, _) => Some(DelaySpec::Pareto { min, shape, share, mean }),
    }
}

fn millionths(ratio: Ratio) -> u64 {
    (u128::from(ratio.numerator) * 1_000_000 / u128::from(ratio.denominator)) as u64
}
