//! A plan in words, as `stormglass check --plan` prints it.

mod network;

use crate::plan::Plan;
use history::Draw;
use history::figures::counted;
use sim_core::delay::Delay;
use sim_core::dice::Ratio;
use sim_core::fault::{self, ClockHarm, FaultKind, Moment, Place, Target, When, Which};
use sim_core::protocol::NodeId;
use sim_core::time::{Nanos, format_duration};
use sim_core::workload::{Pace, Workload};
use sim_core::world::StrikeReport;
use std::fmt;
use std::sync::Arc;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (duration, settle) = (format_duration(self.duration), format_duration(self.settle));
        writeln!(f, "{}, seed {}: {duration}, then {settle} to settle", self.scenario, self.seed)?;
        for Draw { key, value } in &self.draws {
            writeln!(f, "drawn      {key} = {value}")?;
        }
        writeln!(f, "protocol   {}", self.protocol)?;
        for (key, setting) in self.values.iter() {
            writeln!(f, "           {key} = {setting}")?;
        }
        if !self.flaws.names().is_empty() {
            writeln!(f, "           flaws = {}", self.flaws.names().join(", "))?;
        }
        for (i, node) in self.nodes.iter().enumerate() {
            let zone = self.topology.zone_at(node.zone);
            let name = NodeId(i as u32);
            writeln!(f, "node       {name:<4} in {} ({}), {}", zone.name, zone.region, node.clock)?;
        }
        let mut last: Option<&Arc<Workload>> = None;
        for client in &self.clients {
            if last.is_some_and(|last| Arc::ptr_eq(last, &client.workload)) {
                continue;
            }
            last = Some(&client.workload);
            let count = self.clients.iter().filter(|other| Arc::ptr_eq(&other.workload, &client.workload)).count();
            let load = &client.workload;
            let (from, until) = (format_duration(load.from), format_duration(load.until));
            let clients = counted(count as u64, "client");
            let what = match &load.pace {
                Pace::Closed { .. } | Pace::Open { .. } => counted(load.keys.count().into(), "key"),
                Pace::FinalReads { keys, .. } => counted(keys.len() as u64, "key"),
                Pace::Script { operations } => format!("a script of {}", counted(operations.len() as u64, "operation")),
            };
            writeln!(f, "load       {}: {clients}, {what}, {from} to {until}", load.name)?;
        }
        for (fault, why) in self.faults.iter().zip(&self.whys) {
            for strike in strikes(fault) {
                writeln!(f, "fault      {}: {strike}", fault.name)?;
            }
            if let Some(why) = why {
                writeln!(f, "           why: {why}")?;
            }
        }
        Ok(())
    }
}

/// When a fault strikes, for how long, and what it does: a line for each time that is decided.
pub(crate) fn strikes(fault: &fault::Fault) -> Vec<String> {
    let what = describe(&fault.kind);
    let lasts = |length: Option<Nanos>| match (&fault.kind, length) {
        (FaultKind::Operate { .. }, None) => String::new(),
        (FaultKind::Lose { .. }, None) => " for good".to_owned(),
        (FaultKind::Lose { .. }, Some(length)) => {
            format!(" until an empty one comes {} later", format_duration(length))
        }
        (FaultKind::Disk { harm, .. }, None) if !harm.lasts() => String::new(),
        (_, Some(length)) => format!(" for {}", format_duration(length)),
        (_, None) => " to the end of the load".to_owned(),
    };
    match &fault.when {
        When::At(strikes) => {
            let told =
                |strike: &fault::Strike| format!("at {}{}, {what}", format_duration(strike.at), lasts(strike.length));
            strikes.iter().map(told).collect()
        }
        When::Event { event, after, length, times, within } => {
            let event = match event {
                fault::Event::RoleTaken(role) => format!("{role} elected"),
                fault::Event::Served(count) => format!("{count} operations served"),
            };
            let after = if *after > 0 { format!("{} after ", format_duration(*after)) } else { "at ".to_owned() };
            let within = within.map_or(String::new(), |(from, until)| {
                format!(" within {}..{}", format_duration(from), format_duration(until))
            });
            vec![format!("{after}\"{event}\"{within}{}, {what}, at most {times}x", lasts(*length))]
        }
    }
}

/// Every strike in the order of time, in words: what it was, whom it met, for how long.
pub(crate) fn told_faults(plan: &Plan, strikes: &[StrikeReport]) -> Vec<(Nanos, String)> {
    let told = |strike: &StrikeReport| {
        let length = format_duration(strike.to - strike.from);
        let lasts = if strike.to > strike.from { format!(" for {length}") } else { String::new() };
        let met = if strike.who.is_empty() { String::new() } else { format!(" [{}]", strike.who) };
        (strike.from, format!("{}{lasts}{met}", describe(&plan.faults[strike.fault].kind)))
    };
    strikes.iter().map(told).collect()
}

fn list(targets: &[Target]) -> String {
    targets.iter().map(Target::to_string).collect::<Vec<_>>().join(" ")
}

fn share(ratio: Ratio) -> String {
    format!("{}/{}", ratio.numerator, ratio.denominator)
}

fn describe(kind: &FaultKind) -> String {
    match kind {
        FaultKind::Partition { groups, one_way, flap } => {
            let groups: Vec<String> = groups.iter().map(|group| list(group)).collect();
            format!("partition {}{}", groups.join(if *one_way { " -> " } else { " | " }), network::flaps(*flap))
        }
        FaultKind::Shape { shape, order, flap } => {
            let first = if order.is_empty() { String::new() } else { format!(", {} first", list(order)) };
            format!("partition into a {}{first}{}", shape.name(), network::flaps(*flap))
        }
        FaultKind::CutLinks { links, flap } => format!("cut {}{}", links.join(", "), network::flaps(*flap)),
        FaultKind::Crash { target, disk, moment } => {
            let when = match moment {
                Moment::Between => "",
                Moment::Within => " mid-step",
            };
            format!("crash {}{when}, disk = {disk}", list(target))
        }
        FaultKind::Pause { target, messages_only: false } => format!("pause {}", list(target)),
        FaultKind::Pause { target, messages_only: true } => format!("hold messages to and from {}", list(target)),
        FaultKind::Clock { target, harm } => describe_clock(&list(target), *harm),
        FaultKind::Cpu { target, slower, extra } => {
            let times = (*slower != Ratio::new(1, 1)).then(|| format!("{} times as long", decimal(*slower)));
            let longer =
                (*extra != Delay::NONE).then(|| format!("{} (median) longer", format_duration(extra.median())));
            let much: Vec<String> = times.into_iter().chain(longer).collect();
            format!("CPU of {} takes {}", list(target), much.join(" and "))
        }
        FaultKind::Lose { target } => format!("lose {} and what is on disk there", list(target)),
        FaultKind::Disk { target, harm } => format!("disk of {}: {}", list(target), crate::disks::describe(harm)),
        FaultKind::Operate { order, to, about } if about.is_empty() => format!("tell {} to {order}", list(to)),
        FaultKind::Operate { order, to, about } => format!("tell {} to {order} {}", list(to), list(about)),
        FaultKind::Link { from, to, one_way, spoil, flap } => {
            let arrow = if *one_way { "->" } else { "<->" };
            let harms = format!("{}{}", network::spoilt(spoil), network::flaps(*flap));
            format!("link {} {arrow} {}: {harms}", list(from), list(to))
        }
        FaultKind::Drop { from, to, pick } => network::dropped(from, to, pick),
        FaultKind::Outage { places, disk } => {
            let places: Vec<String> = places.iter().map(Place::to_string).collect();
            format!("outage of {}, disk = {disk}", places.join(", "))
        }
    }
}

fn describe_clock(whose: &str, harm: ClockHarm) -> String {
    let signed = |value: i64| {
        let sign = if value < 0 { '-' } else { '+' };
        format!("{sign}{}", format_duration(value.unsigned_abs()))
    };
    let jumps = (harm.step != 0).then(|| format!("jumps by {}", signed(harm.step)));
    let gains = (harm.rate_ppb != 0).then(|| format!("gains {}/s", signed(harm.rate_ppb)));
    let freezes = harm.freeze.then(|| "stands still".to_owned());
    let what: Vec<String> = jumps.into_iter().chain(gains).chain(freezes).collect();
    let clock = match harm.which {
        Which::Wall => "wall clock",
        Which::Monotonic => "monotonic clock",
        Which::Both => "clock",
    };
    format!("{clock} of {whose} {}", what.join(" and "))
}

/// As scenario files write it: `2.5`.
fn decimal(ratio: Ratio) -> String {
    let millionths = u128::from(ratio.numerator) * 1_000_000 / u128::from(ratio.denominator);
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
