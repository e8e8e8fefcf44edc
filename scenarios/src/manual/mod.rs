//! The manual: what is known of a word that a scenario file or a report uses.
//!
//! [`find`] takes the word as somebody has met it, with or without the way to it: `protocol.pre-vote`, `pre-vote`, `crash`,
//! `S0102`, `recovery <= 2s`, `read-without-quorum`. Everything a [`Page`] says stands in the tables that the parser reads and
//! in what the systems say of themselves; there is no second text.

mod pages;
pub mod places;

use crate::codes::{self, Code};
use crate::layout::{PRESETS, Preset};
use crate::parse::{CHECKS, GOALS};
use crate::sections::{FAULTS, fault_name};
use crate::systems::{DataKind, System};
use crate::text::entry::{Listed, Section};
use crate::text::quantity::closest;
use places::{OWN_NAME, Place, SHAPES, places, shape_name};
use sim_core::protocol::OrderKind;
use sim_core::settings::Flaw;

/// What is known of one thing, in parts that a terminal can lay out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What it is called.
    pub title: String,
    /// What it is: `a key of [cluster]`.
    pub kind: String,
    /// What it does or means.
    pub text: Vec<String>,
    /// What there is to know in a word or two, under a name.
    pub facts: Vec<(&'static str, String)>,
    /// What it is made of, or can be: names, each with a sentence.
    pub rows: Vec<(String, String)>,
    /// Lines of a scenario file that show it.
    pub example: String,
    /// What else [`find`] knows that is near.
    pub see: Vec<String>,
    /// The name of a flaw, if it is one: some scenario may show it.
    pub flaw: Option<&'static str>,
}

/// What [`find`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// One thing is called so.
    Page(Box<Page>),
    /// Several are: the words that tell them apart, each with a sentence.
    Several(Vec<(String, String)>),
    /// Nothing is; perhaps this was meant.
    Nothing(Option<String>),
}

/// Something that there is a page about.
enum Thing<'a> {
    Key(Place<'a>),
    Fault(&'static Section),
    Shape(&'static Section),
    Code(&'static Code),
    Check { sentence: &'static str, text: &'static str },
    System(&'a System),
    Flaw(&'a System, &'a Flaw),
    Order(&'a System, &'a OrderKind),
    Data(DataKind),
    Layout(&'static Preset),
}

/// What is known of this word.
pub fn find(word: &str, systems: &[System]) -> Found {
    // A header can be asked for as it stands in a file.
    let word = word.split_whitespace().collect::<Vec<_>>().join(" ").trim_matches(['[', ']']).to_owned();
    let things = things(systems);
    for word in [word.clone(), without_element(&word)] {
        for closeness in [Closeness::Own, Closeness::Exact, Closeness::Ending] {
            let found: Vec<&Thing<'_>> =
                things.iter().filter(|thing| thing.answers(&word) == Some(closeness)).collect();
            match found.as_slice() {
                [] => {}
                [thing] => return Found::Page(Box::new(pages::page(thing, systems))),
                several => {
                    return Found::Several(several.iter().map(|thing| (thing.name(), thing.sentence())).collect());
                }
            }
        }
    }
    let names: Vec<String> = things.iter().flat_map(Thing::all_names).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Found::Nothing(closest(&word, &names).map(str::to_owned))
}

/// A value of a key, as the file would write it.
pub(crate) use pages::value as value_of;
pub(crate) use pages::{lines_of, weights as weights_of};

/// The page about the scenario file as a whole.
pub fn file() -> Page {
    pages::file()
}

/// Of these words the one that may have been meant.
pub fn nearest<'a>(word: &str, words: &[&'a str]) -> Option<&'a str> {
    closest(word, words)
}

/// What there is of some things, as a file writes it; of what has no end, examples.
pub fn listed(listed: Listed, systems: &[System]) -> Vec<(String, String)> {
    fn row(name: &str, text: &str) -> (String, String) {
        (name.to_owned(), text.to_owned())
    }
    let mut rows: Vec<(String, String)> = match listed {
        Listed::Systems => systems.iter().map(|system| row(system.name, system.about)).collect(),
        Listed::Flaws => systems.iter().flat_map(|system| system.flaws).map(|flaw| row(flaw.name, flaw.text)).collect(),
        Listed::Data => kinds_of_data(systems).iter().map(|kind| row(kind.name, &pages::functions(kind))).collect(),
        Listed::Orders => {
            systems.iter().flat_map(|system| system.orders).map(|order| row(order.name, order.text)).collect()
        }
        Listed::Kinds => {
            let of = |system: &System| format!("One of the messages of {}.", system.name);
            systems.iter().flat_map(|system| system.kinds.iter().map(|kind| row(kind, &of(system)))).collect()
        }
        Listed::Layouts => PRESETS.iter().map(|preset| row(preset.name, preset.about)).collect(),
        Listed::Events => roles(systems)
            .into_iter()
            .map(|role| (format!("{role} elected"), format!("A node becomes {role}.")))
            .chain([row("500 operations", "So many operations were served.")])
            .collect(),
        Listed::Checks => CHECKS.iter().map(|(sentence, text)| row(sentence, text)).collect(),
        Listed::Goals => GOALS.iter().map(|(sentence, text)| row(sentence, text)).collect(),
    };
    let mut seen: Vec<String> = Vec::new();
    rows.retain(|(name, _)| !seen.contains(name) && (seen.push(name.clone()), true).1);
    rows
}

/// The roles that systems have, each once.
pub(crate) fn roles(systems: &[System]) -> Vec<&'static str> {
    let mut roles: Vec<&str> = Vec::new();
    for role in systems.iter().flat_map(|system| system.roles) {
        if !roles.contains(role) {
            roles.push(role);
        }
    }
    roles
}

/// The kinds of data that systems offer, each once.
fn kinds_of_data(systems: &[System]) -> Vec<DataKind> {
    let mut kinds: Vec<DataKind> = Vec::new();
    for kind in systems.iter().flat_map(|system| system.data) {
        if !kinds.iter().any(|known| known.name == kind.name) {
            kinds.push(*kind);
        }
    }
    kinds
}

fn things(systems: &[System]) -> Vec<Thing<'_>> {
    let mut things: Vec<Thing<'_>> = places(systems).into_iter().map(Thing::Key).collect();
    things.extend(FAULTS.iter().copied().map(Thing::Fault));
    things.extend(SHAPES.into_iter().map(Thing::Shape));
    things.extend(codes::ALL.iter().copied().map(Thing::Code));
    things.extend(CHECKS.iter().chain(&GOALS).map(|(sentence, text)| Thing::Check { sentence, text }));
    things.extend(PRESETS.iter().map(Thing::Layout));
    things.extend(kinds_of_data(systems).into_iter().map(Thing::Data));
    for system in systems {
        things.push(Thing::System(system));
        things.extend(system.flaws.iter().map(|flaw| Thing::Flaw(system, flaw)));
        things.extend(system.orders.iter().map(|order| Thing::Order(system, order)));
    }
    things
}

/// How near a word comes to a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closeness {
    /// It is the one by which it is told from all others.
    Own,
    /// It is one of its names.
    Exact,
    /// The name ends so.
    Ending,
}

impl Thing<'_> {
    /// The word that means it and nothing else.
    fn name(&self) -> String {
        match self {
            Thing::Key(place) => place.path.clone(),
            Thing::Fault(fault) => format!("fault.{}", fault_name(fault)),
            Thing::Shape(shape) => format!("delay.{}", shape_name(shape)),
            Thing::Code(code) => code.id.to_owned(),
            Thing::Check { sentence, .. } => (*sentence).to_owned(),
            Thing::System(system) => system.name.to_owned(),
            Thing::Flaw(system, flaw) => format!("{} {}", system.name, flaw.name),
            Thing::Order(system, order) => format!("{} {}", system.name, order.name),
            Thing::Data(kind) => format!("data.{}", kind.name),
            Thing::Layout(preset) => preset.name.to_owned(),
        }
    }

    /// Others that mean it, if nothing else is called so.
    fn other_names(&self) -> Vec<String> {
        match self {
            Thing::Key(place) => {
                let is_own = |step: &&str| *step != OWN_NAME;
                let mut names = vec![place.shown(), place.path.split('.').filter(is_own).collect::<Vec<_>>().join(".")];
                // A fault's key, by whoever does not say the kind.
                names.extend(
                    place.set_path().filter(|path| path.starts_with("fault.")).map(|path| path.replace(".0", "")),
                );
                names
            }
            Thing::Check { sentence, .. } => vec![check_name(sentence).to_owned()],
            Thing::System(system) => vec![format!("protocol.{}", system.name)],
            Thing::Flaw(system, flaw) => {
                vec![flaw.name.to_owned(), flaw.id.to_owned(), format!("{}.{}", system.name, flaw.name)]
            }
            Thing::Order(system, order) => vec![order.name.to_owned(), format!("{}.{}", system.name, order.name)],
            Thing::Layout(preset) => vec![format!("layout.{}", preset.name)],
            Thing::Fault(fault) => vec![fault_name(fault).to_owned()],
            Thing::Data(kind) => vec![kind.name.to_owned()],
            Thing::Shape(_) | Thing::Code(_) => Vec::new(),
        }
    }

    /// Every word that can mean it.
    fn all_names(&self) -> Vec<String> {
        let mut names = self.other_names();
        names.push(self.name());
        let last = names.iter().filter_map(|name| name.rsplit_once('.')).map(|(_, last)| last.to_owned());
        names.extend(last.collect::<Vec<_>>());
        names
    }

    /// What is said of it in a list.
    fn sentence(&self) -> String {
        match self {
            Thing::Key(place) => place.entry.text.to_owned(),
            Thing::Fault(section) | Thing::Shape(section) => section.text.to_owned(),
            Thing::Code(code) => code.text.to_owned(),
            Thing::Check { text, .. } => (*text).to_owned(),
            Thing::System(system) => system.about.to_owned(),
            Thing::Flaw(_, flaw) => flaw.text.to_owned(),
            Thing::Order(_, order) => order.text.to_owned(),
            Thing::Data(kind) => pages::functions(kind),
            Thing::Layout(preset) => preset.about.to_owned(),
        }
    }

    /// Whether this word means it.
    fn answers(&self, word: &str) -> Option<Closeness> {
        let lower = word.to_lowercase();
        let is = |name: &str| name.to_lowercase() == lower;
        let names = [self.name()].into_iter().chain(self.other_names());
        let ends = |name: &String| name.to_lowercase().ends_with(&format!(".{lower}"));
        if is(&self.name()) {
            Some(Closeness::Own)
        } else if names.clone().any(|name| is(&name)) || self.is_said(word) {
            Some(Closeness::Exact)
        } else if names.clone().any(|name| ends(&name)) || self.is_kind_of(&lower) {
            Some(Closeness::Ending)
        } else {
            None
        }
    }

    /// Whether the word is a sentence of this form, or its name: `recovery <= 5s`, `p99.9`.
    fn is_said(&self, word: &str) -> bool {
        let Thing::Check { sentence, .. } = self else { return false };
        check_name(word) == check_name(sentence)
    }

    /// Whether the word is the path to what every kind of fault takes, by one of the kinds: `fault.crash.at`.
    fn is_kind_of(&self, word: &str) -> bool {
        let Thing::Key(Place { path, .. }) = self else { return false };
        let Some(("fault", key)) = path.split_once('.') else { return false };
        !key.contains('.') && FAULTS.iter().any(|fault| format!("fault.{}.{key}", fault_name(fault)) == word)
    }
}

/// What a sentence measures, without the number: `recovery`, `p99(read)`.
fn check_name(sentence: &str) -> &str {
    let end = sentence.find(['<', '>', '=']).or_else(|| sentence.find(" within ")).unwrap_or(sentence.len());
    let name = sentence[..end].trim();
    // All quantiles are one form.
    if ["p50", "p90", "p99.9", "max"].contains(&name) { "p99" } else { name }
}

/// `fault.crash-1.for` as `fault.for`, `load.0.keys.count` as `load.keys.count`: what `--set` calls a key.
fn without_element(word: &str) -> String {
    let steps: Vec<&str> = word.split('.').collect();
    match steps.as_slice() {
        [list @ ("load" | "fault"), _, rest @ ..] if !rest.is_empty() => format!("{list}.{}", rest.join(".")),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::tests::TOY;

    fn found(word: &str) -> Found {
        find(word, std::slice::from_ref(&TOY))
    }

    #[track_caller]
    fn title(word: &str) -> String {
        match found(word) {
            Found::Page(page) => page.title,
            other @ (Found::Several(_) | Found::Nothing(_)) => panic!("{word}: {other:?}"),
        }
    }

    #[test]
    fn a_thing_answers_to_each_of_its_names() {
        for (words, wanted) in [
            (&["protocol.pre-vote", "pre-vote", "protocol.toy.pre-vote", "Pre-Vote"][..], "protocol.pre-vote"),
            (&["fault.partition.groups", "groups", "partition.groups", "fault.cut.groups"], "fault.partition.groups"),
            (&["load.keys", "load.0.keys", "load.readers.keys"], "load.keys"),
            (&["load.keys.count", "keys.count"], "load.keys.count"),
            (&["layout.regions.zones", "zones", "layout.regions.NAME.zones"], "layout.regions.NAME.zones"),
            (&["fault.at", "fault.crash.at", "fault.crash-1.at"], "fault.at"),
            (&["fault.crash", "crash"], "fault.crash"),
            (&["fault.clock", "clock"], "fault.clock"),
            (&["cluster.clock"], "cluster.clock"),
            (&["fault.disk", "disk"], "fault.disk"),
            (&["fault.crash.disk", "crash.disk"], "fault.crash.disk"),
            (&["cluster.disk"], "cluster.disk"),
            (&["cluster"], "cluster"),
            (&["S0102", "s0102"], "S0102"),
            (&["linearizable"], "linearizable"),
            (&["linearizable writes", "linearizable  writes"], "linearizable writes"),
            (&["recovery", "recovery <= 2s", "recovery<=5m"], "recovery <= 2s"),
            (&["p99", "p50", "p99.9 <= 1s"], "p99 <= 400ms"),
            (&["p99(read)"], "p99(read) <= 400ms"),
            (&["converged", "converged within 5s"], "converged within 30s"),
            (&["hints delivered"], "hints delivered within 20s"),
            (&["stale reads", "stale reads <= 0%"], "stale reads <= 5%"),
            (&["toy forget-vote", "forget-vote", "toy.forget-vote", "t01"], "forget-vote"),
            (&["toy", "protocol.toy"], "toy"),
            (&["three-zones", "layout.three-zones"], "three-zones"),
            (&["kv", "data.kv"], "kv"),
            (&["toy compact", "compact"], "toy compact"),
            (&["lognormal", "delay.lognormal"], "delay.lognormal"),
        ] {
            for word in words {
                assert_eq!(title(word), wanted, "{word}");
            }
        }
    }

    #[test]
    fn a_name_of_several_things_lists_them() {
        let Found::Several(several) = found("chance") else { panic!("two keys are called chance") };
        let names: Vec<&str> = several.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["load.chance", "fault.chance"]);
        for name in names {
            assert_eq!(title(name), name);
        }
    }

    #[test]
    fn what_nothing_is_called_is_not_found() {
        assert_eq!(found("pre-votte"), Found::Nothing(Some("pre-vote".to_owned())));
        assert_eq!(found("S9999"), Found::Nothing(None));
        assert_eq!(found("the meaning of it all"), Found::Nothing(None));
        assert_eq!(found(""), Found::Nothing(None));
        assert_eq!(found(&"x".repeat(100_000)), Found::Nothing(None));
        assert!(matches!(found("."), Found::Nothing(_)));
    }

    /// Whatever a list or a page names, there is a page about.
    #[test]
    fn every_name_leads_to_its_own_page() {
        for thing in things(std::slice::from_ref(&TOY)) {
            let name = thing.name();
            let Found::Page(page) = found(&name) else { panic!("{name} is not unique") };
            assert!(!page.kind.is_empty() && !page.text.is_empty(), "{page:?}");
            for near in &page.see {
                assert!(!matches!(found(near), Found::Nothing(_)), "{name} leads to {near}, which is nothing");
            }
        }
    }
}
