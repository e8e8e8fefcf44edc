//! Who served, what went wrong, and when nobody was served: bars in lanes.

use super::super::axis::{Axis, moment};
use super::super::bars::{Bar, Lane, Look};
use super::{GAP, HEAD, head};
use crate::draw::ink::{Ink, NODES};
use crate::draw::svg::Svg;
use crate::roles::sole_role;
use crate::struck::brief;
use crate::words::{counted, time};
use history::figures::shown;
use history::{FaultRecord, Outage, RoleSpan, RunRecord, Who};
use std::collections::BTreeSet;

/// Lanes of faults: each with its kinds; what is of none of them has the last.
const TROUBLE: [(&str, &[&str]); 6] = [
    ("network", &["partition", "link", "drop"]),
    ("process", &["crash", "pause", "outage"]),
    ("clock", &["clock"]),
    ("disk", &["disk"]),
    ("operator", &["operate"]),
    ("other", &[]),
];

/// Draws the lanes from `y` on; returns where they end.
pub(super) fn panel(svg: &mut Svg, record: &RunRecord, axis: &Axis, y: f64) -> f64 {
    let lanes: Vec<Lane> =
        serving(record, axis).into_iter().chain(trouble(record, axis)).chain(outages(record, axis)).collect();
    if lanes.is_empty() {
        return y;
    }
    let has_void = record.faults.iter().any(|fault| fault.effects == 0);
    let told = if has_void {
        "who served, what struck, who was out; dashed: without effect"
    } else {
        "who served, what struck, who was out"
    };
    head(svg, y, "Events", told);
    let end = lanes.iter().fold(y + HEAD, |y, lane| lane.draw(svg, y) + 3.0);
    end - 3.0 + GAP
}

/// The role that one node holds in a term, by who held it. Where a later term has begun, what is left of the one before
/// stands below.
fn serving(record: &RunRecord, axis: &Axis) -> Option<Lane> {
    let role = sole_role(&record.roles)?;
    let mut spans: Vec<&RoleSpan> = record.roles.iter().filter(|span| span.role == role).collect();
    spans.sort_by_key(|span| (span.from_ns, span.term));
    let mut nodes: Vec<&str> = Vec::new();
    let (mut current, mut superseded) = (Vec::new(), Vec::new());
    // By time from the last on: when the next later term begins.
    let mut later: Vec<(u64, u64)> = Vec::new();
    for span in spans.iter().rev() {
        let RoleSpan { node, term, from_ns, to_ns, .. } = span;
        later.retain(|(other, _)| other > term);
        let next = later.last().map_or(u64::MAX, |(_, from)| *from);
        later.push((*term, *from_ns));
        if *from_ns >= axis.end_ns {
            continue;
        }
        let length = time(to_ns.saturating_sub(*from_ns));
        let (node_shown, from) = (shown(node), time(*from_ns));
        let tip = format!("{node_shown} was {} of term {term} from {from} for {length}", shown(&role));
        let text = format!("{node_shown} · term {term}");
        let ink = NODES[place(node, &mut nodes) % NODES.len()];
        let until = (*to_ns).min(next);
        let look = Look::Pale(ink);
        current.push(Bar::new((axis.x(*from_ns), axis.x(until)), look, text.clone(), tip.clone()));
        if next < *to_ns {
            let tip = format!("{tip}; a later term had begun at {}", time(next));
            let text = format!("{text}, superseded");
            superseded.push(Bar::new((axis.x(next), axis.x(*to_ns)), Look::Left(ink), text, tip));
        }
    }
    let terms: BTreeSet<u64> = spans.iter().map(|span| span.term).collect();
    let note = match terms.len() as u64 {
        0 | 1 => "no change".to_owned(),
        terms => counted(terms - 1, "change"),
    };
    // Bars that begin together are placed in this order: who leads comes first.
    let bars = current.into_iter().rev().chain(superseded).collect();
    Some(Lane { name: role, bars, note, rows_with_text: 3 })
}

/// A node's place among all: its number if its name ends in one, so that it looks alike in every run.
fn place<'a>(node: &'a str, nodes: &mut Vec<&'a str>) -> usize {
    let digits = node.trim_start_matches(|c: char| !c.is_ascii_digit());
    if let Ok(number) = digits.parse::<usize>() {
        return number.saturating_sub(1);
    }
    nodes.iter().position(|other| *other == node).unwrap_or_else(|| {
        nodes.push(node);
        nodes.len() - 1
    })
}

/// A lane for each kind of fault that was planned.
fn trouble(record: &RunRecord, axis: &Axis) -> Vec<Lane> {
    let lane = |fault: &FaultRecord| {
        let found = TROUBLE.iter().position(|(_, kinds)| kinds.contains(&fault.kind.as_str()));
        found.unwrap_or(TROUBLE.len() - 1)
    };
    let lane = |(i, (name, _)): (usize, &(&str, &[&str]))| {
        let faults: Vec<&FaultRecord> = record.faults.iter().filter(|fault| lane(fault) == i).collect();
        let (struck, missed): (Vec<&FaultRecord>, Vec<&FaultRecord>) =
            faults.iter().copied().partition(|fault| fault.from_ns < axis.load_ns);
        let note = if missed.is_empty() { String::new() } else { format!("{} never struck", missed.len()) };
        let bars = struck.into_iter().map(|fault| strike(fault, record.nodes, axis)).collect();
        (!faults.is_empty()).then(|| Lane { name: (*name).to_owned(), bars, note, rows_with_text: 4 })
    };
    TROUBLE.iter().enumerate().filter_map(lane).collect()
}

fn strike(fault: &FaultRecord, nodes: u32, axis: &Axis) -> Bar {
    let FaultRecord { name, kind, from_ns, to_ns, effects, who, why } = fault;
    let who = &brief(who, nodes);
    let length = to_ns.saturating_sub(*from_ns);
    // A name that was made from the kind says no more than the kind; what an order is stands in whom it is for.
    let called = if name.starts_with(kind.as_str()) { kind } else { name };
    let void = if *effects == 0 { " (no effect)" } else { "" };
    let text = if kind == "operate" { shown(who) } else { format!("{} {}", shown(called), shown(who)) } + void;
    let effect = if *effects == 0 { "no effect".to_owned() } else { counted(*effects, "effect") };
    let lasted = if length == 0 { String::new() } else { format!(" for {}", time(length)) };
    let tip = format!("{} ({}): {}, at {}{lasted}, {effect}", shown(name), shown(kind), shown(who), moment(*from_ns));
    let tip = tip + &why.as_ref().map_or(String::new(), |why| format!(": {}", shown(why)));
    let look = if *effects == 0 { Look::Empty(Ink::FAULT) } else { Look::Bordered(Ink::FAULT) };
    Bar::new((axis.x(*from_ns), axis.x(*to_ns)), look, text, tip)
}

/// When clients were not served, and for how long.
fn outages(record: &RunRecord, axis: &Axis) -> Option<Lane> {
    let bar = |outage: &Outage| {
        let length = time(outage.length_ns());
        let (look, text) = match &outage.who {
            Who::All => (Look::Full(Ink::OUTAGE), length.clone()),
            Who::Place(_) | Who::Clients(_) => {
                (Look::Bordered(Ink::OUTAGE), format!("{length} {}", shown(&outage.who)))
            }
        };
        let tip = format!("{} not served for {length}, {outage}", shown(&outage.who));
        Bar::new((axis.x(outage.from_ns), axis.x(outage.to_ns)), look, text, tip)
    };
    let bars: Vec<Bar> = record.outages.iter().map(bar).collect();
    let all = || record.outages.iter().filter(|outage| outage.who == Who::All);
    let length = all().fold(0u64, |sum, outage| sum.saturating_add(outage.length_ns()));
    let note = if all().count() > 1 { format!("{} in all", time(length)) } else { String::new() };
    (!bars.is_empty()).then_some(Lane { name: "outage".to_owned(), bars, note, rows_with_text: 2 })
}
