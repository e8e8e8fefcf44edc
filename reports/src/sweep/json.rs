//! A sweep as one object.

use super::factors::Risk;
use super::{Failed, Separates, Summary, Swept, Tally};
use crate::statistics::{below, wilson};
use history::Verdict;
use serde_json::{Map, Value, json};

/// One line for `sweep --format json`; what differs from one machine to the next is `wall_ns` only.
pub fn json(summary: &Summary, wall_ns: u64) -> String {
    let tally = summary.tally();
    let listed =
        summary.scenarios.iter().flat_map(|swept| swept.listed.iter().map(move |failed| failure(swept, failed)));
    let failures: Vec<Value> = listed.collect();
    let fields = [
        ("seeds", tally.runs().into()),
        ("passed", tally.passed.into()),
        ("failed", tally.failed.into()),
        ("unknown", tally.unknown.into()),
        ("vacuous", tally.vacuous.into()),
        ("missing", tally.missing.into()),
        ("verdict", summary.verdict().to_string().into()),
        ("pass_rate", pass_rate(tally)),
        ("failures_unlisted", (tally.failed - failures.len() as u64).into()),
        ("failures", failures.into()),
        ("scenarios", summary.scenarios.iter().map(scenario).collect()),
        ("ended", summary.ended.clone().into()),
        ("saved", summary.saved.clone().into()),
        ("version", summary.version.clone().into()),
        ("wall_ns", wall_ns.into()),
    ];
    // Put together as text: an object of `serde_json` would forget the order of the fields.
    let fields: Vec<String> =
        fields.into_iter().map(|(key, value): (&str, Value)| format!("\"{key}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

fn scenario(swept: &Swept) -> Value {
    let variant = |variant: &super::Variant| {
        let mut object = counts(variant.tally);
        object.insert("name".to_owned(), variant.name.clone().into());
        Value::Object(object)
    };
    let group = |group: &&super::Group| {
        let of = |(variant, count): (&usize, &u64)| (swept.variants[*variant].name.clone(), (*count).into());
        let mut object = json!({
            "verdict": group.first.verdict.to_string(),
            "signature": group.first.signature,
            "check": group.first.check,
            "detail": group.detail,
            "count": group.count,
            "variants": group.by_variant.iter().map(of).collect::<Map<String, Value>>(),
            "seed": group.first.seed,
            "replay": swept.command("run", &group.first),
        });
        if group.first.verdict == Verdict::Fail {
            object["shrink"] = swept.command("shrink", &group.first).into();
        }
        object
    };
    let mut object = counts(swept.tally());
    object.insert("name".to_owned(), swept.name.clone().into());
    object.insert("variants".to_owned(), swept.variants.iter().map(variant).collect());
    object.insert("groups".to_owned(), swept.groups().iter().map(group).collect());
    object.insert("ungrouped".to_owned(), swept.ungrouped.into());
    object.insert("separates".to_owned(), swept.separates.as_ref().map(separates).into());
    Value::Object(object)
}

/// The conditions that go with failing; of an interval whose end is beyond all numbers that end is null.
fn separates(separates: &Separates) -> Value {
    let risk = |risk: &Risk| {
        json!({
            "condition": risk.condition,
            "failed_with": risk.with.0,
            "with": risk.with.1,
            "failed_without": risk.without.0,
            "without": risk.without.1,
            "risk_ratio": risk.ratio.ratio,
            "low": risk.ratio.interval.0,
            "high": risk.ratio.interval.1,
        })
    };
    json!({ "conditions": separates.looked, "sure": separates.sure().map(risk).collect::<Vec<Value>>() })
}

fn counts(tally: Tally) -> Map<String, Value> {
    let Tally { passed, failed, unknown, vacuous, missing, simulated_ns } = tally;
    let simulated_ns = u64::try_from(simulated_ns).unwrap_or(u64::MAX);
    let counts = [
        ("seeds", tally.runs()),
        ("passed", passed),
        ("failed", failed),
        ("unknown", unknown),
        ("vacuous", vacuous),
        ("missing", missing),
        ("simulated_ns", simulated_ns),
    ];
    let rate = [("pass_rate".to_owned(), pass_rate(tally))];
    counts.into_iter().map(|(key, count)| (key.to_owned(), count.into())).chain(rate).collect()
}

/// Of the runs that were decided; null if none was. `fails_below` is null unless none failed.
fn pass_rate(tally: Tally) -> Value {
    let decided = tally.decided();
    if decided == 0 {
        return Value::Null;
    }
    let (low, high) = wilson(tally.passed, decided);
    let fails_below = (tally.failed == 0).then(|| below(decided));
    json!({ "share": tally.passed as f64 / decided as f64, "low": low, "high": high, "fails_below": fails_below })
}

fn failure(swept: &Swept, failed: &Failed) -> Value {
    json!({
        "seed": failed.seed,
        "check": failed.check,
        "replay": swept.command("run", failed),
        "signature": failed.signature,
        "scenario": swept.name,
        "variant": swept.variants[failed.variant].name,
    })
}
