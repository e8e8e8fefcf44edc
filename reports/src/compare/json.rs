//! A comparison as one object.

use super::{Comparison, Line};
use crate::statistics::paired::{Average, Interval};
use serde_json::{Value, json};

/// One line for `compare --format json`; what differs from one machine to the next is `wall_ns` only. Times are in nanoseconds,
/// shares parts of 1.
pub fn json(comparison: &Comparison, wall_ns: u64) -> String {
    let Comparison { version, systems, seeds, lines, own_moments, asked: _, missing, ended, saved } = comparison;
    let system = |(number, system): (usize, &super::Contender)| {
        let (failed, runs) = (comparison.failed(number), system.runs.len() as u64);
        let below = (failed == 0).then(|| crate::statistics::below(runs));
        json!({ "name": system.name, "file": system.file, "runs": runs, "failed": failed, "fails_below": below })
    };
    let fields: [(&str, Value); 10] = [
        ("seeds", seeds.len().into()),
        ("baseline", systems.first().map(|first| first.name.clone()).into()),
        ("systems", systems.iter().enumerate().map(system).collect()),
        ("metrics", lines.iter().map(|line| metric(comparison, line)).collect()),
        ("verdict", comparison.verdict().into()),
        ("own_moments", own_moments.clone().into()),
        ("missing", (*missing).into()),
        ("ended", ended.clone().into()),
        ("saved", saved.clone().into()),
        ("version", version.clone().into()),
    ];
    // Put together as text: an object of `serde_json` would forget the order of the fields.
    let fields = fields.into_iter().chain([("wall_ns", wall_ns.into())]);
    let fields: Vec<String> = fields.map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

fn metric(comparison: &Comparison, line: &Line) -> Value {
    let names = || comparison.systems.iter().map(|system| system.name.as_str());
    let ends = |name: &str, Interval { value, low, high }: &Interval| json!({ "system": name, "value": value, "low": low, "high": high });
    let value = |((name, value), at_least): ((&str, &Interval), &bool)| {
        let mut object = ends(name, value);
        object["at_least"] = (*at_least).into();
        object
    };
    let apart = |(number, name): (usize, &str)| {
        let (apart, is_shown) = line.apart(number)?;
        let mut object = ends(name, &apart);
        object["shown"] = is_shown.into();
        Some(object)
    };
    let average = match line.metric.average() {
        Average::Mean => "mean",
        Average::Median => "median",
    };
    json!({
        "name": line.metric.name(),
        "average": average,
        "seeds": line.seeds,
        "values": names().zip(&line.values).zip(&line.at_least).map(value).collect::<Vec<_>>(),
        "differences": names().enumerate().filter_map(apart).collect::<Vec<_>>(),
    })
}
