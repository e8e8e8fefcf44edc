//! `[expect]`: what a run is judged by.

use super::Scene;
use super::cluster::table_or_empty;
use super::sentence::{self, Meaning};
use crate::codes;
use crate::codes::Code;
use crate::diagnostics::{Diagnostic, Origin, Severity};
use crate::judge::level_of;
use crate::promises::{self, Promises, Unpromised};
use crate::scenario::{Check, CountOf, Expect, Expectation, Figure, Goal, Load, Reach, ShareOf, TimeOf};
use crate::sections::EXPECT;
use crate::systems::DataKind;
use crate::text::entry::quoted;
use crate::text::quantity::did_you_mean;
use crate::text::reader::Reader;
use checkers::Model;

/// `promises` are those of the system, if enough of the scenario could be read to know them.
pub(super) fn expect(
    top: &Reader<'_>,
    scene: &Scene<'_>,
    loads: Option<&[Load]>,
    promises: Option<&Promises<'_>>,
) -> Option<Expect> {
    let reader = Reader::new(table_or_empty(top, "expect"), &EXPECT, scene.problems);
    let violated: Vec<&str> = reader.texts("shows").into_iter().map(|(text, _)| text).collect();
    let checks = |key, code| {
        all(reader.texts(key).into_iter().map(|(text, origin)| {
            let check = scene.problems.note(check(text, origin, scene, loads))?;
            let promise = promises.zip(promises::claim(&check)).map(|(promises, claim)| promises.of(claim));
            let promise = match promise.transpose() {
                Ok(promise) => promise,
                Err(unpromised) => {
                    if !violated.contains(&text) {
                        scene.problems.push(beyond(text, &unpromised, code, origin));
                    }
                    Some(format!("not promised: {}", unpromised.reason))
                }
            };
            Some(Expectation { text: text.to_owned(), check, promise })
        }))
    };
    let (must, should) = (checks("must", &codes::BEYOND_PROMISE), checks("should", &codes::UNPROMISED));
    let reach = all(reader.texts("reach").into_iter().map(|(text, origin)| {
        let goal = scene.problems.note(goal(text, origin, scene))?;
        Some(Goal { text: text.to_owned(), goal })
    }));
    let written: Vec<&str> = reader.texts("must").into_iter().map(|(text, _)| text).collect();
    let shows = all(reader.texts("shows").into_iter().map(|(name, origin)| {
        scene.problems.note(shown(name, origin, &written, scene))?;
        Some(name.to_owned())
    }));
    if ["must", "should", "reach"].iter().all(|key| reader.texts(key).is_empty()) {
        let help = "for example: [expect] must = [\"linearizable\", \"no lost writes\"]";
        let message = "nothing is expected of a run";
        scene.problems.push(Diagnostic::new(&codes::NO_EXPECTATION, &Origin::Whole, message).help(help));
    }
    Some(Expect { must: must?, should: should?, reach: reach?, shows: shows? })
}

/// All of them, after every one was looked at; nothing, if one is missing.
fn all<T>(items: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    items.collect::<Vec<_>>().into_iter().collect()
}

/// A sentence that demands what the system does not promise.
fn beyond(text: &str, unpromised: &Unpromised, code: &'static Code, origin: &Origin) -> Diagnostic {
    let Unpromised { reason, cures, instead } = unpromised;
    let problem = Diagnostic::new(code, origin, format!("`{text}` is not promised here: {reason}"));
    let cures = cures.iter().map(|cure| format!("use `{cure}`"));
    let cures = cures.chain(instead.map(|sentence| format!("demand `{sentence}` instead")));
    let shown = (code.severity == Severity::Error).then(|| "list it in `shows` too, to show the violation".to_owned());
    problem.help(cures.chain(shown).collect::<Vec<_>>().join(", or "))
}

/// A sentence for `must` or `should`.
fn check(text: &str, origin: &Origin, scene: &Scene<'_>, loads: Option<&[Load]>) -> Result<Check, Diagnostic> {
    let bad = |code: &'static Code, message: String| Diagnostic::new(code, origin, message);
    let check = match sentence::read(text, origin)? {
        Meaning::Check(check) => check,
        Meaning::Goal(_) => {
            let message = format!("`{text}` is a goal that a run has to reach, not something that has to hold");
            return Err(bad(&codes::UNANSWERABLE, message).help("move it to `reach`"));
        }
    };
    match &check {
        Check::Linearizable | Check::LinearizableWrites => {
            let kinds = loads.unwrap_or_default().iter().map(|load| &load.data);
            if let Some(kind) = kinds.into_iter().find(|kind| !kind.linearizable) {
                let message =
                    format!("a `{}` has no sequential specification, so nothing says what is linearizable", kind.name);
                return Err(
                    bad(&codes::UNANSWERABLE, message).help("demand `no lost writes` or `read your writes` instead")
                );
            }
        }
        Check::Consistent(guarantee) => {
            let level = level_of(*guarantee);
            suited(
                text,
                origin,
                loads,
                |model| model.knows(level),
                "`kv` and `register` know all guarantees, `siblings` \
                and `cart` know `read your writes` and `monotonic reads`",
            )?;
        }
        Check::NoResurrection => {
            suited(text, origin, loads, |model| model == Model::Siblings, "`siblings` have deletes, under `delete`")?;
        }
        Check::Siblings { .. } => {
            let has_siblings = |model| matches!(model, Model::Siblings | Model::Cart);
            suited(text, origin, loads, has_siblings, "`siblings` and `cart` keep versions side by side")?;
        }
        Check::StaleReads { .. } => {
            let has_versions = |model| matches!(model, Model::Kv | Model::Register | Model::Siblings | Model::Cart);
            suited(text, origin, loads, has_versions, "it can be measured of `kv`, `register`, `siblings` and `cart`")?;
        }
        Check::Converged { .. } | Check::HintsDelivered { .. } => {
            if let Some(system) = scene.system.filter(|system| !system.reveals) {
                let message = format!("{} does not reveal what its nodes keep, so nobody can compare", system.name);
                return Err(bad(&codes::UNANSWERABLE, message).help("demand `no lost writes` instead"));
            }
        }
        Check::RoleChanges { role, .. } => known_role(role, origin, scene)?,
        Check::Figure(figure) => match figure {
            Figure::Time(TimeOf::Latency { function, .. }, ..) => {
                function.iter().try_for_each(|function| known_function(function, origin, scene, loads))?;
            }
            Figure::Time(TimeOf::Detection { .. } | TimeOf::MistakeRecurrence | TimeOf::MistakeDuration, ..)
            | Figure::Share(ShareOf::QueryAccuracy, ..)
            | Figure::Count(CountOf::Mistakes { .. }, ..) => {}
            Figure::Time(TimeOf::Visible { .. }, ..)
            | Figure::Share(ShareOf::FreshWithin { .. } | ShareOf::FreshOf { .. }, ..) => {
                let has_order = |model| matches!(model, Model::Kv | Model::Register);
                suited(text, origin, loads, has_order, "it can be measured of `kv` and `register`")?;
            }
        },
        Check::Latency { function: Some(function), .. } => known_function(function, origin, scene, loads)?,
        Check::NoLostWrites | Check::Availability { .. } | Check::Recovery { .. } | Check::Latency { .. } => {}
        Check::Detection { .. } | Check::Mistakes { .. } | Check::QueryAccuracy { .. } => {}
    }
    Ok(check)
}

/// That data of these loads can be asked for this.
fn suited(
    text: &str,
    origin: &Origin,
    loads: Option<&[Load]>,
    is_suited: impl Fn(Model) -> bool,
    help: &str,
) -> Result<(), Diagnostic> {
    let mut kinds = loads.unwrap_or_default().iter().map(|load| &load.data);
    match kinds.find(|kind| !Model::from_name(kind.name).is_some_and(&is_suited)) {
        None => Ok(()),
        Some(kind) => {
            let message = format!("of a `{}` nobody can say `{text}`", kind.name);
            Err(Diagnostic::new(&codes::UNANSWERABLE, origin, message).help(help))
        }
    }
}

/// What a sentence demands, if it is one for `must` or `should`.
pub(crate) fn check_of(sentence: &str) -> Option<Check> {
    match sentence::read(sentence, &Origin::Whole) {
        Ok(Meaning::Check(check)) => Some(check),
        Ok(Meaning::Goal(_)) | Err(_) => None,
    }
}

/// A sentence for `reach`.
fn goal(text: &str, origin: &Origin, scene: &Scene<'_>) -> Result<Reach, Diagnostic> {
    match sentence::read(text, origin)? {
        Meaning::Goal(goal) => {
            if let Reach::RoleTaken { role, .. } = &goal {
                known_role(role, origin, scene)?;
            }
            Ok(goal)
        }
        Meaning::Check(_) => {
            let message = format!("`{text}` is something that has to hold, not a goal that a run has to reach");
            Err(Diagnostic::new(&codes::UNANSWERABLE, origin, message).help("move it to `must`"))
        }
    }
}

fn known_role(role: &str, origin: &Origin, scene: &Scene<'_>) -> Result<(), Diagnostic> {
    let Some(system) = scene.system.filter(|system| !system.roles.contains(&role)) else { return Ok(()) };
    let message = format!("{} has no role `{role}`", system.name);
    let problem = Diagnostic::new(&codes::UNANSWERABLE, origin, message).label(did_you_mean(role, system.roles));
    Err(problem.help(format!("its roles are {}", quoted(system.roles))))
}

/// A function of the data of some load; of any data, if there is no load.
fn known_function(
    function: &str,
    origin: &Origin,
    scene: &Scene<'_>,
    loads: Option<&[Load]>,
) -> Result<(), Diagnostic> {
    let (Some(system), Some(loads)) = (scene.system, loads) else { return Ok(()) };
    let used: Vec<&DataKind> = match loads {
        [] => system.data.iter().collect(),
        loads => loads.iter().map(|load| &load.data).collect(),
    };
    let names: Vec<&str> = used.iter().flat_map(|kind| kind.functions).map(|function| function.name).collect();
    if names.contains(&function) {
        return Ok(());
    }
    let problem = Diagnostic::new(&codes::UNANSWERABLE, origin, format!("no load asks for `{function}`"));
    Err(problem.label(did_you_mean(function, &names)).help(format!("the data have {}", quoted(&names))))
}

/// A check that the scenario is made to violate must be one that is made.
fn shown(name: &str, origin: &Origin, must: &[&str], scene: &Scene<'_>) -> Result<(), Diagnostic> {
    let Some(system) = scene.system else { return Ok(()) };
    let names: Vec<&str> = must.iter().chain(system.laws).copied().collect();
    if names.contains(&name) {
        return Ok(());
    }
    let problem = Diagnostic::new(&codes::UNKNOWN_CHECK, origin, format!("nothing checks `{name}`"));
    let problem = problem.label(did_you_mean(name, &names));
    Err(match sentence::read(name, origin) {
        Ok(Meaning::Check(_)) => problem.help("add it to `must`"),
        Ok(Meaning::Goal(_)) | Err(_) => problem.help(format!("what is checked: {}", quoted(&names))),
    })
}
