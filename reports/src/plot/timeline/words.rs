//! What the timeline shows, in words: for those who do not see it.

use crate::roles::sole_role;
use crate::struck::brief;
use crate::words::{count, counted, percent, time};
use history::figures::shown;
use history::{FaultRecord, Outage, RoleSpan, RunRecord, Who};

/// Of each kind of thing, so many are told; the rest is counted.
const TOLD_MAX: usize = 6;

/// A few sentences.
pub(super) fn description(record: &RunRecord) -> String {
    let sentences = [service(record), outages(record), serving(record), faults(record), latency(record)];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn service(record: &RunRecord) -> Option<String> {
    let (shares, counts) = (record.availability?, record.operations?);
    let (achieved, possible) = (percent(shares.achieved), percent(shares.possible));
    let total = count(counts.ok.saturating_add(counts.unknown).saturating_add(counts.refused));
    Some(format!("{achieved} of {total} operations were served in time; {possible} was possible."))
}

fn outages(record: &RunRecord) -> Option<String> {
    let full: Vec<&Outage> = record.outages.iter().filter(|outage| outage.who == Who::All).collect();
    let partial = record.outages.len() - full.len();
    let more =
        if partial > 0 { format!(" {} of some clients.", counted(partial as u64, "outage")) } else { String::new() };
    if full.is_empty() {
        return (record.operations.is_some()).then(|| format!("There was no time in which nobody was served.{more}"));
    }
    let tell =
        |outage: &&Outage| format!("at {} for {} ({})", time(outage.from_ns), time(outage.length_ns()), outage.cause);
    Some(format!("{}: {}.{more}", counted(full.len() as u64, "outage"), list(&full, tell)))
}

fn serving(record: &RunRecord) -> Option<String> {
    let role = sole_role(&record.roles)?;
    let spans: Vec<&RoleSpan> = record.roles.iter().filter(|span| span.role == role).collect();
    let tell = |span: &&RoleSpan| format!("{} from {} (term {})", shown(&span.node), time(span.from_ns), span.term);
    Some(format!("The {} was {}.", shown(&role), list(&spans, tell)))
}

fn faults(record: &RunRecord) -> Option<String> {
    let tell = |fault: &FaultRecord| {
        let effect = if fault.effects == 0 { ", without effect" } else { "" };
        let length = time(fault.to_ns.saturating_sub(fault.from_ns));
        format!(
            "{} {} at {} for {length}{effect}",
            shown(&fault.kind),
            shown(&brief(&fault.who, record.nodes)),
            time(fault.from_ns)
        )
    };
    let told = list(&record.faults, tell);
    (!told.is_empty()).then(|| format!("{}: {told}.", counted(record.faults.len() as u64, "fault")))
}

fn latency(record: &RunRecord) -> Option<String> {
    let latency = record.latency?;
    let [p50, p99, max] = [latency.p50_ns, latency.p99_ns, latency.max_ns].map(time);
    Some(format!(
        "Half of what returned took no longer than {p50}, 99 of 100 no longer than {p99}, none longer than {max}."
    ))
}

fn list<T>(all: &[T], tell: impl Fn(&T) -> String) -> String {
    let mut told = all.iter().take(TOLD_MAX).map(tell).collect::<Vec<_>>().join(", ");
    if all.len() > TOLD_MAX {
        told.push_str(&format!(" and {} more", count((all.len() - TOLD_MAX) as u64)));
    }
    told
}
