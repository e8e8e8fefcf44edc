//! A draft: a scenario of which some values are left to the seed.
//!
//! A mistake in an alternative must not wait for seed 7,431. So a draft is read many times before anybody gets it: with
//! everything decided the first way, then with each alternative and each upper end once while the rest stays the first
//! way, then as some seeds decide. What is new in what a reading finds is told at the alternative's own place, or, if it
//! concerns something else in the file, with the decisions that lead to it.

use super::{ERRORS_MAX, Scene, Sweep, capped, version, walk};
use crate::codes;
use crate::diagnostics::{Diagnostic, Origin, Severity};
use crate::nemesis::{self, Ground};
use crate::scenario::Scenario;
use crate::systems::System;
use crate::text::draws::{Decide, Survey, is_drawn, resolve, survey};
use crate::text::{Problems, Shape, Table, TableEntry, Value, names, write};
use history::Draw;
use sim_core::dice::Streams;
use xxhash_rust::xxh3::xxh3_128;

/// Values read to try everything: seconds of work, and a hundred times what a large scenario needs.
const WORK_MAX: usize = 2_000_000;

/// So many seeds are tried, too: what two or three draws do together, most of the time one of these does.
const SEEDS_TRIED: usize = 64;

/// More draws than this are not named in a message.
const DRAWS_TOLD: usize = 6;

/// A scenario that was read, with some of its values perhaps left to the seed.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    document: Document<'a>,
    is_drawn: bool,
    /// With everything decided the first way.
    first: Scenario,
    pub(super) sweep: Sweep<'a>,
}

/// What a scenario is, whatever its file looks like and however it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The scenario as a file: with everything that the command line and a variant set, with draws still to be decided,
    /// without comments, `seed` and `[sweep]`.
    pub text: String,
    /// 32 hex digits: the 128-bit XXH3 of `text`.
    pub hash: String,
}

impl<'a> Draft<'a> {
    /// Reads a tree of values, some of them drawn; `problems` holds what is wrong with it already.
    pub(super) fn new(
        root: Table,
        file_stem: &str,
        systems: &'a [System],
        problems: Problems,
    ) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        // The version decides how everything else is to be read.
        if !root.get("scenario").is_some_and(is_drawn) && problems.note(version(&root)).is_none() {
            return Err(capped(problems.into_inner()));
        }
        let document = Document { root, file_stem: file_stem.to_owned(), systems };
        let survey = survey(&document.root, &problems);
        if survey.probes.len().saturating_mul(survey.values) > WORK_MAX {
            let message = format!("there are {} alternatives, which are too many to try them all", survey.probes.len());
            problems.push(Diagnostic::new(&codes::BAD_DRAW, &Origin::Whole, message));
        }
        let is_drawn = survey.is_drawn || document.root.get(nemesis::NAME).is_some();
        let mut found = problems.into_inner();
        if is_drawn && !found.is_empty() {
            return Err(capped(found));
        }
        let first = document.read(&Decide::Probe(&[]));
        found.extend(first.found);
        if is_drawn {
            document.try_everything(&survey, &first.draws, &mut found);
        }
        let (errors, warnings): (Vec<_>, Vec<_>) = found.into_iter().partition(is_error);
        match first.scenario {
            Some(first) if errors.is_empty() => {
                Ok((Draft { document, is_drawn, first, sweep: Sweep::default() }, capped(warnings)))
            }
            _ => {
                assert!(!errors.is_empty(), "a scenario that cannot be read has an error");
                Err(capped(errors))
            }
        }
    }

    /// What lists and reports call it.
    pub fn name(&self) -> &str {
        &self.first.name
    }

    /// What one learns from it; may be empty.
    pub fn about(&self) -> &str {
        &self.first.about
    }

    /// The seed where the command line gives none.
    pub fn seed(&self) -> u64 {
        self.first.seed
    }

    /// The system that it runs; where that is left to the seed, the first.
    pub fn protocol(&self) -> &'static str {
        self.first.protocol.name
    }

    /// How `sweep` is to run it.
    pub fn sweep(&self) -> &Sweep<'a> {
        &self.sweep
    }

    /// Reads another tree of the same file.
    pub(super) fn like(&self, root: Table, problems: Problems) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        Draft::new(root, &self.document.file_stem, self.document.systems, problems)
    }

    /// What makes its runs what they are, together with the version and the seed.
    pub fn identity(&self) -> Identity {
        let mut root = self.document.root.clone();
        root.entries.retain(|entry| entry.key != "seed");
        set(&mut root, "name", Shape::Text(self.first.name.clone()));
        let text = write::document(&root);
        let hash = format!("{:032x}", xxh3_128(text.as_bytes()));
        Identity { text, hash }
    }

    /// The scenario of one seed. Without draws it is the same for all.
    ///
    /// # Errors
    /// If what the seed draws does not fit together, though each draw by itself does.
    pub fn resolve(&self, seed: u64) -> Result<Scenario, Vec<Diagnostic>> {
        if !self.is_drawn {
            return Ok(self.first.clone());
        }
        let (_, Reading { scenario, found, draws }) = self.document.decided(seed);
        let blamed = |problem: Diagnostic| problem.because(&format!("seed {seed} draws {}", told(draws.iter())));
        scenario.ok_or_else(|| capped(found.into_iter().filter(is_error).map(blamed).collect()))
    }

    /// The scenario of one seed as a file: everything decided, and the same run.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn resolved_file(&self, seed: u64) -> Result<String, Vec<Diagnostic>> {
        Ok(write::document(&self.resolved_tree(seed)?))
    }

    /// The same as a tree of values.
    pub(crate) fn resolved_tree(&self, seed: u64) -> Result<Table, Vec<Diagnostic>> {
        let name = self.resolve(seed)?.name;
        let (mut root, _) = self.document.decided(seed);
        for list in names::LISTS {
            if let Some(Shape::List(items)) = root.get_mut(list).map(|value| &mut value.shape) {
                items.retain_mut(stays);
            }
        }
        set(&mut root, "seed", Shape::Number(seed.to_string()));
        set(&mut root, "name", Shape::Text(name));
        Ok(root)
    }

    /// Whether anything is left to the seed before the plan is: if not, [`Self::resolve`] gives every seed the same.
    pub fn is_drawn(&self) -> bool {
        self.is_drawn
    }

    /// The systems that it may run.
    pub(crate) fn systems(&self) -> &'a [System] {
        self.document.systems
    }
}

/// The scenario that a tree with nothing left to draw says; `None` if anything is wrong with it.
pub(crate) fn read(root: &Table, systems: &[System]) -> Option<Scenario> {
    let mut root = root.clone();
    names::give(&mut root);
    let problems = Problems::default();
    let scenario = walk(&root, Vec::new(), "", systems, &problems)?;
    (!problems.into_inner().iter().any(is_error)).then_some(scenario)
}

/// Takes the chance from a load or fault whose existence is decided. Whether it is to stay.
fn stays(item: &mut Value) -> bool {
    let Shape::Table(table) = &mut item.shape else { return true };
    let is_away = table.text("chance") == Some("0%");
    table.entries.retain(|entry| entry.key != "chance");
    !is_away
}

/// Sets a key at the top; a new one stands right below the version.
fn set(root: &mut Table, key: &str, shape: Shape) {
    let value = Value { shape, origin: Origin::Whole };
    match root.get_mut(key) {
        Some(old) => *old = value,
        None => root.entries.insert(1, TableEntry { key: key.to_owned(), key_origin: Origin::Whole, value }),
    }
}

/// Adds faults behind those that are there.
fn append(root: &mut Table, faults: Vec<Table>) {
    if faults.is_empty() {
        return;
    }
    if root.get("fault").is_none() {
        let value = Value { shape: Shape::List(Vec::new()), origin: Origin::Whole };
        root.entries.push(TableEntry { key: "fault".to_owned(), key_origin: Origin::Whole, value });
    }
    let Some(Shape::List(items)) = root.get_mut("fault").map(|value| &mut value.shape) else { return };
    let item = |table: Table| Value { origin: table.origin.clone(), shape: Shape::Table(table) };
    items.extend(faults.into_iter().map(item));
}

pub(super) fn is_error(problem: &Diagnostic) -> bool {
    problem.severity == Severity::Error
}

/// What a scenario is read from.
#[derive(Clone, Debug)]
struct Document<'a> {
    root: Table,
    file_stem: String,
    systems: &'a [System],
}

/// A scenario as some decisions make it.
struct Reading {
    /// None if there is an error.
    scenario: Option<Scenario>,
    found: Vec<Diagnostic>,
    draws: Vec<Draw>,
}

impl Document<'_> {
    fn read(&self, decide: &Decide<'_>) -> Reading {
        let (root, draws) = resolve(&self.root, decide);
        self.walk(&root, draws)
    }

    fn walk(&self, root: &Table, draws: Vec<Draw>) -> Reading {
        let problems = Problems::default();
        let scenario = walk(root, draws.clone(), &self.file_stem, self.systems, &problems);
        let found = problems.into_inner();
        let scenario = scenario.filter(|_| !found.iter().any(is_error));
        Reading { scenario, found, draws }
    }

    /// The tree as this seed decides everything in it, and what is read in it. The nemesis has become faults.
    fn decided(&self, seed: u64) -> (Table, Reading) {
        let streams = Streams::new(seed);
        let (mut root, draws) = resolve(&self.root, &Decide::Seed(streams));
        let reading = self.walk(&root, draws);
        let Some((scenario, nemesis)) = reading.scenario.as_ref().and_then(|s| Some((s, s.nemesis.as_ref()?))) else {
            return (root, reading);
        };
        let system = self.systems.iter().find(|system| system.name == scenario.protocol.name);
        let unheard = Problems::default();
        let scene = Scene::of(scenario, system, &unheard);
        let (faults, drawn) = Ground { nemesis, scenario, scene: &scene, streams }.faults();
        let draws = reading.draws.iter().cloned().chain(drawn).collect();
        root.entries.retain(|entry| entry.key != nemesis::NAME);
        append(&mut root, faults);
        let reading = self.walk(&root, draws);
        (root, reading)
    }

    /// Adds what is found only if something is not decided the first way.
    fn try_everything(&self, survey: &Survey<'_>, first: &[Draw], found: &mut Vec<Diagnostic>) {
        for picks in &survey.probes {
            // So much is wrong that nobody looks further.
            if is_full(found, Severity::Error) {
                return;
            }
            let Reading { found: new, draws, .. } = self.read(&Decide::Probe(picks));
            let reason = format!("with {}", told(draws.iter().filter(|draw| !first.contains(draw))));
            let place = picks.first().map(|pick| pick.origin());
            add(found, new, |problem| {
                let is_there = place.is_some_and(|place| place.holds(&problem.origin));
                if is_there { problem } else { problem.because(&reason) }
            });
        }
        let seeds = SEEDS_TRIED.min(WORK_MAX / survey.values.max(1));
        for seed in 0..seeds as u64 {
            let (_, Reading { found: new, draws, .. }) = self.decided(seed);
            let reason = format!("seed {seed} draws {}", told(draws.iter()));
            add(found, new, |problem| problem.because(&reason));
        }
    }
}

/// Adds what nobody told before; of one place, the same kind of problem is told once.
pub(super) fn add(found: &mut Vec<Diagnostic>, new: Vec<Diagnostic>, reason: impl Fn(Diagnostic) -> Diagnostic) {
    let known = found.len();
    let full = [Severity::Error, Severity::Warning].map(|severity| (severity, is_full(found, severity)));
    for problem in new.into_iter().filter(|problem| !full.contains(&(problem.severity, true))) {
        let alike = |known: &Diagnostic| (known.code, &known.origin) == (problem.code, &problem.origin);
        if !found[..known].iter().any(alike) {
            found.push(reason(problem));
        }
    }
}

/// Whether so many are told that more would help nobody.
pub(super) fn is_full(found: &[Diagnostic], severity: Severity) -> bool {
    found.iter().filter(|problem| problem.severity == severity).count() > ERRORS_MAX
}

/// `cluster.nodes = 5, fault.crash-1 = off`
fn told<'a>(draws: impl Iterator<Item = &'a Draw>) -> String {
    let mut told: Vec<String> = draws.map(|Draw { key, value }| format!("{key} = {value}")).collect();
    if told.len() > DRAWS_TOLD {
        told.truncate(DRAWS_TOLD);
        told.push("..".to_owned());
    }
    told.join(", ")
}
