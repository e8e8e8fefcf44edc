//! Whether two scenarios are the same storm for a seed, so that what they come to can be laid side by side.
//!
//! A storm is all that a system meets and does not choose: how long it lasts, the machines with their clocks, disks and CPUs,
//! the links between them, who asks how often for which keys and with what patience, and what goes wrong when. Whatever is
//! drawn of these comes from streams named after what is drawn, so two scenarios that say the same get the same from a seed,
//! whatever system they run. The rest may differ: the system, its settings and flaws, the kind of data, what is expected.
//!
//! `leader` is whoever leads in each of the two, and a fault that waits for an event waits for that system's own: these are
//! the same storm too ([`own_moments`] tells of the latter). Faults of a nemesis are held against what each system promises,
//! so they can differ; then so do the storms, and that is told.

use crate::describe::strikes;
use crate::layout::{Layout, Link, Zone};
use crate::plan::Plan;
use crate::scenario::{Clock, DelaySpec, Keys, Load, Model, Scenario};
use history::figures::counted;
use sim_core::dice::Ratio;
use sim_core::fault::{Bandwidth, Fault, When};
use sim_core::time::{Nanos, format_duration};

/// Something in which two storms differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apart {
    /// What it is, such as `fault ocean`.
    pub what: String,
    /// What the one says of it, and the other; a line each, or several.
    pub told: [String; 2],
}

/// Everything in which two storms differ for this seed; nothing if they are one.
pub fn apart(one: &Scenario, other: &Scenario, seed: u64) -> Vec<Apart> {
    let both = [one, other];
    let mut found = Found::default();
    found.add("duration", both.map(|of| of.duration), |time| format_duration(*time));
    found.add("settle", both.map(|of| of.settle), |time| format_duration(*time));
    found.add("zones", both.map(|of| &of.layout.zones), |zones| names(zones));
    found.add("nodes", both.map(|of| at(&of.layout, &of.cluster.zones)), |places| places.join(", "));
    found.add("clocks", both.map(|of| of.cluster.clock), clocks);
    found.add("disks", both.map(|of| of.cluster.fsync), delay);
    found.add("CPUs", both.map(|of| of.cluster.cpu), delay);
    found.links(both);
    found.loads(both);
    let plans = both.map(|of| Plan::draw(of, seed));
    found.faults([&plans[0], &plans[1]]);
    found.0
}

/// The faults that strike when something happens, and so at moments that each system has for itself.
pub fn own_moments(scenario: &Scenario, seed: u64) -> Vec<String> {
    let plan = Plan::draw(scenario, seed);
    let waits = plan.faults.iter().filter(|fault| matches!(fault.when, When::Event { .. }));
    waits.map(|fault| fault.name.clone()).collect()
}

#[derive(Default)]
struct Found(Vec<Apart>);

impl Found {
    /// Adds it if the two are not the same.
    fn add<T: PartialEq>(&mut self, what: &str, both: [T; 2], tell: impl Fn(&T) -> String) {
        if both[0] != both[1] {
            let told = [tell(&both[0]), tell(&both[1])];
            self.0.push(Apart { what: what.to_owned(), told });
        }
    }

    /// Of the zones that both have.
    fn links(&mut self, both: [&Scenario; 2]) {
        let [one, other] = both.map(|of| &of.layout);
        for link in &one.links {
            let Some(twin) = other.links.iter().find(|twin| (twin.from, twin.to) == (link.from, link.to)) else {
                continue;
            };
            let what = format!("link {}", link.name);
            // All links between two regions share a name, and mostly a delay.
            if self.0.iter().all(|known| known.what != what) {
                self.add(&what, [link, twin], |link| linked(link));
            }
        }
    }

    fn loads(&mut self, both: [&Scenario; 2]) {
        for number in 0..both[0].loads.len().max(both[1].loads.len()) {
            let loads = both.map(|of| of.loads.get(number));
            let name = loads.into_iter().flatten().next().map_or("", |load| &load.name);
            let asked = both.map(|of| of.loads.get(number).map(|load| Asked::of(&of.layout, load)));
            self.add(&format!("load {name}"), asked, |asked| asked.as_ref().map_or_else(missing, Asked::told));
            // Of one kind of data, the same has to be asked for; how two kinds compare is the author's affair.
            if let [Some(one), Some(other)] = loads
                && one.data.name == other.data.name
            {
                self.add(&format!("mix of load {name}"), [one, other].map(mix), String::clone);
            }
        }
    }

    /// By name, since what is drawn for a fault comes from its name.
    fn faults(&mut self, plans: [&Plan; 2]) {
        let named = |name: &str| plans.map(|plan| plan.faults.iter().find(|fault| fault.name == name));
        let [one, other] = plans.map(|plan| plan.faults.iter());
        for fault in one.chain(other.filter(|fault| named(&fault.name)[0].is_none())) {
            let told = |fault: &Option<&Fault>| fault.map_or_else(missing, |fault| strikes(fault).join("; "));
            self.add(&format!("fault {}", fault.name), named(&fault.name), told);
        }
    }
}

/// What is told where the other has something and this one has not.
fn missing() -> String {
    "not there".to_owned()
}

/// The names of the zones with these numbers.
fn at(layout: &Layout, zones: &[usize]) -> Vec<String> {
    let name = |zone: &usize| layout.zones.get(*zone).map_or("nowhere", |zone| &zone.name).to_owned();
    zones.iter().map(name).collect()
}

fn names(zones: &[Zone]) -> String {
    let zone = |zone: &Zone| match &zone.provider {
        Some(provider) => format!("{} ({}, {provider})", zone.name, zone.region),
        None => format!("{} ({})", zone.name, zone.region),
    };
    zones.iter().map(zone).collect::<Vec<_>>().join(", ")
}

fn clocks(Clock { drift, offset: (earliest, latest) }: &Clock) -> String {
    let signed = |at: &i64| format!("{}{}", if *at < 0 { "-" } else { "+" }, format_duration(at.unsigned_abs()));
    format!("drift {drift}, off by {}..{}", signed(earliest), signed(latest))
}

fn linked(Link { delay: takes, loss, duplicate, bandwidth, .. }: &Link) -> String {
    let bandwidth = bandwidth.map_or(String::new(), |Bandwidth { bytes_per_second, queue }| {
        format!(", {bytes_per_second} B/s with a queue of {queue} B")
    });
    format!("{}, loss {loss}, duplicate {duplicate}{bandwidth}", delay(takes))
}

/// A delay as its author gave it.
fn delay(spec: &DelaySpec) -> String {
    let told = |time: &Nanos| format_duration(*time);
    match spec {
        DelaySpec::Fixed(time) => told(time),
        DelaySpec::Uniform { min, max } => format!("{}..{}", told(min), told(max)),
        DelaySpec::Exp { mean } => format!("exp, mean {}", told(mean)),
        DelaySpec::LogNormal { median, p99 } => format!("lognormal, median {}, p99 {}", told(median), told(p99)),
        DelaySpec::Pareto { min, shape, share, mean } => {
            format!("pareto, min {}, shape {shape}/1000000, share {share}/1000000, mean {}", told(min), told(mean))
        }
    }
}

/// Who asks when, for which keys, and how long he waits. The load's name is a part of it: clients' dice are named after it.
#[derive(PartialEq)]
struct Asked<'a> {
    name: &'a str,
    places: Vec<String>,
    pace: Pace<'a>,
    keys: Keys,
    waits: [Nanos; 2],
    time: [Nanos; 2],
}

/// When operations begin. What a script asks depends on the data; who asks, when and for which key does not.
#[derive(PartialEq)]
enum Pace<'a> {
    Model(&'a Model),
    Script(Vec<(u32, Nanos, u32)>),
}

impl<'a> Asked<'a> {
    fn of(layout: &Layout, load: &'a Load) -> Self {
        let pace = match &load.model {
            Model::Script { operations } => {
                Pace::Script(operations.iter().map(|asks| (asks.client, asks.at, asks.key)).collect())
            }
            model @ (Model::Closed { .. } | Model::Open { .. }) => Pace::Model(model),
        };
        Asked {
            name: &load.name,
            places: at(layout, &load.zones),
            pace,
            keys: load.keys,
            waits: [load.timeout, load.retry],
            time: [load.from, load.until],
        }
    }

    fn told(&self) -> String {
        let Asked { name, places, pace, keys, .. } = self;
        let ([timeout, retry], [from, until]) = (self.waits.map(format_duration), self.time.map(format_duration));
        let pace = match pace {
            Pace::Model(Model::Closed { think }) => format!("each thinks {}", delay(think)),
            Pace::Model(Model::Open { per_second: Ratio { numerator, denominator }, arrivals }) => {
                let rate = if *denominator == 1 { numerator.to_string() } else { format!("{numerator}/{denominator}") };
                format!("{rate} a second, {}", format!("{arrivals:?}").to_lowercase())
            }
            Pace::Model(Model::Script { .. }) => String::new(),
            Pace::Script(asks) => format!("a script of {}", counted(asks.len() as u64, "operation")),
        };
        let keys = format!("{} with skew {}", counted(keys.count.into(), "key"), keys.skew);
        format!(
            "{name}: {pace}, {keys}, from {from} to {until}, patience {timeout}, asks again after {retry}, clients in {}",
            places.join(" ")
        )
    }
}

/// `read 50, write 35`
fn mix(load: &Load) -> String {
    let name = |function: usize| load.data.functions.get(function).map_or("?", |function| function.name);
    load.ops.iter().map(|(function, weight)| format!("{} {weight}", name(*function))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
