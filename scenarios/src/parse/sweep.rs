//! `[sweep]`: how many seeds, which variants, and when it is enough.
//!
//! It says how a scenario is run, and nothing of what a run is: it is taken out of the tree before anything else is
//! read. Each combination of its matrix is the same file with some keys set, as `--set` would. All of them are read when the
//! file is, so that a value that does not fit is found by `check`, at its place in the matrix, and not by a night's sweep.

use super::draft::{Draft, add, is_full};
use crate::codes;
use crate::diagnostics::{Diagnostic, Origin, Severity};
use crate::sections::{STOP_AFTER, SWEEP, TOP};
use crate::text::draws::{fixed_key, is_drawn, is_fixed};
use crate::text::overrides::{canonical, place, read, written};
use crate::text::quantity::{Given, did_you_mean};
use crate::text::reader::Reader;
use crate::text::{Problems, Shape, Table, TableEntry, Value, names, write};
use sim_core::time::Nanos;
use std::collections::BTreeSet;

/// More variants than this are no experiment, and each of them is read before anything runs.
const VARIANTS_MAX: usize = 256;

/// How `sweep` is to run a scenario.
#[derive(Clone, Debug, Default)]
pub struct Sweep<'a> {
    /// How many seeds, from 0, if the file says so.
    pub seeds: Option<u64>,
    /// When to end before all is run.
    pub stop_after: StopAfter,
    /// The combinations of the matrix; none if there is no matrix, and the file is run as it is.
    pub variants: Vec<Variant<'a>>,
}

/// When a sweep ends before all is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StopAfter {
    /// After so many runs that fail.
    pub failures: Option<u64>,
    /// After so long, in nanoseconds on the clock on the wall.
    pub time: Option<Nanos>,
}

/// A scenario with one value for each key of the matrix.
#[derive(Clone, Debug)]
pub struct Variant<'a> {
    /// `protocol.pre-vote=false,cluster.nodes=5`, in the order of the matrix.
    pub name: String,
    /// The same as keys and values for `--set`.
    pub set: Vec<(String, String)>,
    /// What is run.
    pub draft: Draft<'a>,
}

/// What `[sweep]` says, its variants not yet made.
#[derive(Default)]
pub(super) struct Plain {
    seeds: Option<u64>,
    stop_after: StopAfter,
    combinations: Vec<Vec<Setting>>,
}

/// A key of the matrix with one of its values.
#[derive(Clone)]
struct Setting {
    key: String,
    key_origin: Origin,
    value: Value,
}

/// A key of the matrix with all of its values.
struct Axis {
    key: String,
    key_origin: Origin,
    values: Vec<Value>,
}

/// Takes `[sweep]` out of the tree and reads it. What `overrides` set is no longer varied.
pub(super) fn take(root: &mut Table, overrides: &[(String, String)], problems: &Problems) -> Plain {
    let Some(at) = root.entries.iter().position(|entry| entry.key == "sweep") else { return Plain::default() };
    let TableEntry { key, value, .. } = root.entries.remove(at);
    let takes = TOP.entry("sweep").expect("the key table has it").takes;
    let Some(table) = problems.note(Given { key: &key, takes, value: &value }.table()) else { return Plain::default() };
    let inner = table.entries.iter().map(|entry| (&entry.key, &entry.value));
    let drawn: Vec<_> = [(&key, &value)].into_iter().chain(inner).filter(|(_, value)| is_drawn(value)).collect();
    if !drawn.is_empty() {
        drawn.into_iter().for_each(|(key, value)| problems.push(fixed_key(key, &value.origin)));
        return Plain::default();
    }
    let reader = Reader::new(table, &SWEEP, problems);
    let stop_after = reader.table("stop-after").map(|table| Reader::new(table, &STOP_AFTER, problems));
    let axes = axes(root, &reader, problems);
    let combinations = combinations(root, &axes, &reader, problems);
    Plain {
        seeds: reader.count("seeds"),
        stop_after: stop_after.map_or(StopAfter::default(), |reader| StopAfter {
            failures: reader.count("failures"),
            time: reader.time("time"),
        }),
        combinations: overridden(root, combinations, overrides),
    }
}

fn axes(root: &Table, reader: &Reader<'_>, problems: &Problems) -> Vec<Axis> {
    let Some(matrix) = reader.table("matrix") else { return Vec::new() };
    let mut known: Vec<String> = Vec::new();
    let mut axes = Vec::new();
    for TableEntry { key, key_origin, value } in &matrix.entries {
        let own = canonical(root, key);
        let steps: Vec<&str> = own.split('.').collect();
        let within = |outer: &str, inner: &str| inner == outer || inner.starts_with(&format!("{outer}."));
        let bad =
            |origin: &Origin, message: String| problems.push(Diagnostic::new(&codes::BAD_MATRIX, origin, message));
        if is_fixed(&steps) {
            let message = format!("`{key}` is the same for every variant");
            problems.push(Diagnostic::new(&codes::FIXED_KEY, key_origin, message));
        } else if let Some(other) = known.iter().find(|known| within(known, &own) || within(&own, known)) {
            bad(key_origin, format!("`{key}` is set by `{other}` already"));
        }
        known.push(own);
        let Shape::List(values) = &value.shape else {
            bad(&value.origin, format!("`{key}` needs a list of the values to combine; this is {}", value.noun()));
            continue;
        };
        if values.is_empty() {
            bad(&value.origin, format!("`{key}` has no value, so there is nothing to run"));
        }
        for (i, value) in values.iter().enumerate() {
            if values[..i].iter().any(|other| is_same(other, value)) {
                bad(&value.origin, format!("`{key}` has the value {} twice", write::value(value)));
            }
        }
        axes.push(Axis { key: key.clone(), key_origin: key_origin.clone(), values: values.clone() });
    }
    axes
}

fn is_same(a: &Value, b: &Value) -> bool {
    write::value(a) == write::value(b)
}

/// Every combination that is not excluded, the first key of the matrix changing least often.
fn combinations(root: &Table, axes: &[Axis], reader: &Reader<'_>, problems: &Problems) -> Vec<Vec<Setting>> {
    let excluded = exclusions(root, axes, reader, problems);
    let count = axes.iter().try_fold(1usize, |count, axis| count.checked_mul(axis.values.len()));
    let Some(count) = count.filter(|count| *count <= VARIANTS_MAX) else {
        let message = format!("these are more than {VARIANTS_MAX} combinations");
        reader.tell(&codes::BAD_MATRIX, "matrix", message);
        return Vec::new();
    };
    if axes.is_empty() || count == 0 {
        return Vec::new();
    }
    let combination = |mut number: usize| {
        let pick = |axis: &Axis| {
            let pick = number % axis.values.len();
            number /= axis.values.len();
            pick
        };
        let mut picks: Vec<usize> = axes.iter().rev().map(pick).collect();
        picks.reverse();
        picks
    };
    let is_left = |picks: &Vec<usize>| !excluded.iter().any(|all| all.iter().all(|(axis, pick)| picks[*axis] == *pick));
    let left: Vec<Vec<usize>> = (0..count).map(combination).filter(is_left).collect();
    if left.is_empty() {
        reader.tell(&codes::BAD_EXCLUDE, "exclude", "every combination of the matrix is excluded");
    }
    let setting = |(axis, pick): (&Axis, usize)| Setting {
        key: axis.key.clone(),
        key_origin: axis.key_origin.clone(),
        value: axis.values[pick].clone(),
    };
    left.into_iter().map(|picks| axes.iter().zip(picks).map(setting).collect()).collect()
}

/// By exclusion, the numbers of its keys in the matrix, and of the values of each.
fn exclusions(root: &Table, axes: &[Axis], reader: &Reader<'_>, problems: &Problems) -> Vec<Vec<(usize, usize)>> {
    let Some(given) = reader.given("exclude") else { return Vec::new() };
    let items = problems.note(given.list()).unwrap_or_default();
    let tables = items.iter().filter_map(|item| problems.note(given.element(item).table()));
    tables.filter_map(|table| problems.note(exclusion(root, axes, table))).collect()
}

fn exclusion(root: &Table, axes: &[Axis], table: &Table) -> Result<Vec<(usize, usize)>, Diagnostic> {
    let bad = |origin: &Origin, message: String| Diagnostic::new(&codes::BAD_EXCLUDE, origin, message);
    if table.entries.is_empty() {
        return Err(bad(&table.origin, "this excludes everything".to_owned()));
    }
    let found = table.entries.iter().map(|TableEntry { key, key_origin, value }| {
        let own = canonical(root, key);
        let Some(axis) = axes.iter().position(|axis| canonical(root, &axis.key) == own) else {
            let keys: Vec<&str> = axes.iter().map(|axis| axis.key.as_str()).collect();
            let label = did_you_mean(key, &keys);
            return Err(bad(key_origin, format!("`{key}` is no key of `matrix`, so this matches nothing")).label(label));
        };
        let values = &axes[axis].values;
        let pick = values.iter().position(|known| is_same(known, value)).ok_or_else(|| {
            let known: Vec<String> = values.iter().map(write::value).collect();
            bad(&value.origin, format!("`{key}` never has this value, so this matches nothing"))
                .help(format!("`matrix` gives it {}", known.join(", ")))
        })?;
        Ok((axis, pick))
    });
    found.collect()
}

/// The combinations that are left where the command line sets keys of the matrix: those with its value, or, if it is none of
/// the matrix, all of them with that.
fn overridden(root: &Table, all: Vec<Vec<Setting>>, overrides: &[(String, String)]) -> Vec<Vec<Setting>> {
    let mut left = all;
    for (key, text) in overrides {
        let (own, Ok(value)) = (canonical(root, key), read(text, key)) else { continue };
        let varies = |setting: &Setting| canonical(root, &setting.key) == own;
        let has = |all: &Vec<Setting>| all.iter().any(|setting| varies(setting) && is_same(&setting.value, &value));
        if left.iter().any(has) {
            left.retain(has);
            continue;
        }
        for setting in left.iter_mut().flatten().filter(|setting| varies(setting)) {
            (setting.key_origin, setting.value) = (value.origin.clone(), value.clone());
        }
        let mut seen = BTreeSet::new();
        left.retain(|all| seen.insert(name(all)));
    }
    left
}

fn name(settings: &[Setting]) -> String {
    let told: Vec<String> =
        settings.iter().map(|Setting { key, value, .. }| format!("{key}={}", written(value))).collect();
    told.join(",")
}

impl Plain {
    /// Reads every variant. `root` is the tree before loads and faults got names; what is `found` wrong is added to.
    pub(super) fn read<'a>(self, root: &Table, base: &Draft<'a>, found: &mut Vec<Diagnostic>) -> Sweep<'a> {
        let Plain { seeds, stop_after, combinations } = self;
        let mut variants = Vec::new();
        for settings in combinations {
            // So much is wrong that nobody looks further.
            if is_full(found, Severity::Error) {
                break;
            }
            let name = name(&settings);
            let mut root = root.clone();
            let problems = Problems::default();
            for Setting { key, key_origin, value } in &settings {
                problems.note(place(&mut root, key, key_origin, value.clone()));
            }
            names::give(&mut root);
            let set = settings.iter().map(|Setting { key, value, .. }| (key.clone(), written(value))).collect();
            let new = match base.like(root, problems) {
                Ok((draft, warnings)) => {
                    variants.push(Variant { name: name.clone(), set, draft });
                    warnings
                }
                Err(errors) => errors,
            };
            let stands = |origin: &Origin| {
                settings
                    .iter()
                    .any(|Setting { key_origin, value, .. }| key_origin == origin || value.origin.holds(origin))
            };
            let reason = format!("in the variant {name}");
            add(found, new, |problem| if stands(&problem.origin) { problem } else { problem.because(&reason) });
        }
        Sweep { seeds, stop_after, variants }
    }
}
