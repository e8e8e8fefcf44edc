//! `do = "operate"`: what an operator orders, about whom, and who is told.

use super::Scene;
use super::fault::{outside_groups, targets};
use crate::codes;
use crate::diagnostics::Diagnostic;
use crate::scenario::Action;
use crate::text::entry::quoted;
use crate::text::quantity::{Given, did_you_mean};
use crate::text::reader::Reader;
use sim_core::fault::{Count, Target, Who};
use sim_core::protocol::{About, OrderKind};

pub(super) fn operate(reader: &Reader<'_>, scene: &Scene<'_>) -> Option<Action> {
    let given = reader.given("order")?;
    let order = scene.problems.note(given.text());
    let kind = order.and_then(|name| scene.problems.note(kind(given, name, scene)).flatten());
    let nodes = |key: &str| match reader.given(key) {
        Some(given) => targets(given, scene).filter(|targets| are_nodes(reader, key, targets)).map(Some),
        None => Some(None),
    };
    let (about, to) = (nodes("about"), nodes("to"));
    let about = about?;
    if let Some(kind) = kind {
        check_about(reader, kind, about.as_deref())?;
    }
    let to = to?.unwrap_or_else(|| vec![usual_receiver(scene)]);
    Some(Action::Operate { order: order?.to_owned(), to, about: about.unwrap_or_default() })
}

/// The order of this name; `None` if it is not known which there are.
fn kind(given: Given<'_>, name: &str, scene: &Scene<'_>) -> Result<Option<&'static OrderKind>, Diagnostic> {
    let Some(system) = scene.system else { return Ok(None) };
    if let Some(kind) = system.orders.iter().find(|kind| kind.name == name) {
        return Ok(Some(kind));
    }
    let names: Vec<&str> = system.orders.iter().map(|kind| kind.name).collect();
    let message = format!("{} has no order `{name}`", system.name);
    let help = if names.is_empty() { "it takes none".to_owned() } else { format!("its orders are {}", quoted(&names)) };
    Err(Diagnostic::new(&codes::UNKNOWN_ORDER, &given.value.origin, message)
        .label(did_you_mean(name, &names))
        .help(help))
}

pub(super) fn are_nodes(reader: &Reader<'_>, key: &str, targets: &[Target]) -> bool {
    let client = targets.iter().find(|target| matches!(target.who, Who::Clients | Who::Client(_)));
    if let Some(client) = client {
        reader.tell(&codes::EMPTY_TARGET, key, format!("this is for nodes; `{client}` is none"));
    }
    client.is_none() && outside_groups(reader, key, targets)
}

/// Whether the order is about as many nodes as it can be about.
fn check_about(reader: &Reader<'_>, kind: &OrderKind, about: Option<&[Target]>) -> Option<()> {
    let (name, conflict) = (kind.name, |key: &str, message: String| {
        reader.tell(&codes::CONFLICT, key, message);
        None
    });
    match (kind.about, about) {
        (About::Nobody, None) | (About::Some, Some(_)) => Some(()),
        (About::Nobody, Some(_)) => conflict("about", format!("`{name}` is about nobody; leave `about` out")),
        (About::One, None) => conflict("order", format!("`{name}` is about a node; say with `about` which")),
        (About::Some, None) => conflict("order", format!("`{name}` is about some nodes; say with `about` which")),
        (About::One, Some([target])) if can_be_one(target) => Some(()),
        (About::One, Some(_)) => {
            conflict("about", format!("`{name}` is about one node; name it, or write `one of ..` before a target"))
        }
    }
}

/// Whether this can be meant as one node. A role is: it is often held by one, and else one is drawn by lot.
fn can_be_one(target: &Target) -> bool {
    match (target.count, &target.who) {
        (Count::Some(count), _) => count == 1,
        (Count::Half, _) => false,
        (Count::All, Who::Any | Who::Role(_) | Who::Node(_)) => true,
        (Count::All, Who::All | Who::Minority | Who::Majority | Who::Others) => false,
        (Count::All, Who::Zone(_) | Who::Region(_) | Who::Provider(_)) => false,
        (Count::All, Who::Clients | Who::Client(_)) => false,
    }
}

fn usual_receiver(scene: &Scene<'_>) -> Target {
    const LEADER: &str = "leader";
    let has_leader = scene.system.is_none_or(|system| system.roles.contains(&LEADER));
    let who = if has_leader { Who::Role(LEADER.to_owned()) } else { Who::Any };
    Target { count: Count::All, who }
}
