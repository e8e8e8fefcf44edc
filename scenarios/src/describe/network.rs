//! Faults of the network in a plan's words.

use super::{list, share};
use sim_core::delay::Delay;
use sim_core::dice::Ratio;
use sim_core::fault::{Bandwidth, Flap, Pick, Spoil, Target};
use sim_core::time::{Nanos, format_duration};

/// How the traffic of a path is spoilt.
pub(super) fn spoilt(spoil: &Spoil) -> String {
    let median = |delay: &Delay| format!("+{} (median)", format_duration(delay.median()));
    let some = |ratio: Ratio, words: &str| (ratio != Ratio::ZERO).then(|| format!("{words} {}", share(ratio)));
    let later = |delay: &Delay, words: &str| (*delay != Delay::NONE).then(|| format!("{words}{}", median(delay)));
    let harms = [
        later(&spoil.delay, ""),
        some(spoil.loss, "loss"),
        some(spoil.corrupt, "corrupts"),
        some(spoil.duplicate, "duplicates"),
        later(&spoil.duplicate_after, "second copies "),
        (spoil.reorder != Ratio::ZERO)
            .then(|| format!("{} overtaken, {}", share(spoil.reorder), median(&spoil.reorder_by))),
        spoil.bandwidth.map(narrow),
    ];
    let harms = harms.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if spoil.kinds.is_empty() { harms } else { format!("{harms} for {}", spoil.kinds.join(", ")) }
}

fn narrow(Bandwidth { bytes_per_second, queue }: Bandwidth) -> String {
    format!("{}/s with a queue of {}", size(bytes_per_second), size(queue))
}

/// `64KB`, in the largest unit that leaves it whole.
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")];
    let unit = UNITS.iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{bytes}B"), |(unit, name)| format!("{}{name}", bytes / unit))
}

/// What a fault that comes and goes says of that, after everything else.
pub(super) fn flaps(flap: Option<Flap>) -> String {
    let range = |(min, max): (Nanos, Nanos)| match min == max {
        true => format_duration(min),
        false => format!("{}..{}", format_duration(min), format_duration(max)),
    };
    flap.map_or_else(String::new, |flap| format!(", down for {} and up for {}", range(flap.down), range(flap.up)))
}

/// Which messages are dropped.
pub(super) fn dropped(from: &[Target], to: &[Target], pick: &Pick) -> String {
    let end = |targets: &[Target]| if targets.is_empty() { "anybody".to_owned() } else { list(targets) };
    let kinds = if pick.kinds.is_empty() { "whatever".to_owned() } else { pick.kinds.join(", ") };
    let most = pick.count.map_or_else(String::new, |count| format!(", at most {count}"));
    let some = if pick.share.numerator < pick.share.denominator {
        format!("{} of ", share(pick.share))
    } else {
        String::new()
    };
    format!("drop {some}{kinds} {} -> {}{most}", end(from), end(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_people_write_them() {
        assert_eq!([64_000, 1_250_000, 2_000_000_000, 0, 1_001].map(size), ["64KB", "1250KB", "2GB", "0B", "1001B"]);
    }
}
