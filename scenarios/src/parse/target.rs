//! Targets: `leader`, `2 of zone:a`, `client:c2`; and whether there can be so many of them.

use super::Scene;
use crate::codes;
use crate::codes::Code;
use crate::diagnostics::Diagnostic;
use crate::text::entry::quoted;
use crate::text::quantity::{Given, did_you_mean};
use sim_core::fault::{Count, PlaceKind, Target, Who};
use sim_core::protocol::{ClientId, NodeId};

/// Targets that need nothing but themselves to be understood.
const WORDS: [(&str, Who); 6] = [
    ("any", Who::Any),
    ("all", Who::All),
    ("others", Who::Others),
    ("minority", Who::Minority),
    ("majority", Who::Majority),
    ("clients", Who::Clients),
];

/// How targets are written, for the manual; a role of the system is one, too.
pub const TARGETS: [(&str, &str); 12] = [
    ("any", "A node, drawn anew for each strike."),
    ("all", "Every node."),
    ("minority", "So many nodes that the others are a majority."),
    ("majority", "The fewest nodes that are more than half."),
    ("others", "In `groups`: whoever is in no other group."),
    ("n3", "This node."),
    ("zone:a", "Who stands in this zone: its nodes; its clients where it has none."),
    ("region:us-east", "Likewise in this region."),
    ("provider:north", "Likewise in all regions of this provider."),
    ("clients", "Every client."),
    ("client:c2", "This client."),
    ("2 of all", "Two of them, drawn anew for each strike; likewise `one of ..` and `half of ..`."),
];

/// One target.
pub(super) fn target(given: Given<'_>, scene: &Scene<'_>) -> Result<Target, Diagnostic> {
    let text = given.text()?;
    let at = |code: &'static Code, message: String| Diagnostic::new(code, &given.value.origin, message);
    let (count, who) = split(text).ok_or_else(|| {
        at(&codes::UNKNOWN_TARGET, format!("`{text}` is not a number of targets"))
            .help("write `one of ..`, `2 of ..` or `half of ..`")
    })?;
    let who = self::who(who, scene, &at)?;
    let target = Target { count, who };
    feasible(&target, text, scene).map_err(|message| at(&codes::EMPTY_TARGET, message))?;
    Ok(target)
}

/// `2 of zone:a` is two of `zone:a`.
fn split(text: &str) -> Option<(Count, &str)> {
    let Some((count, who)) = text.split_once(" of ") else { return Some((Count::All, text.trim())) };
    let count = match count.trim() {
        "one" => Count::Some(1),
        "half" => Count::Half,
        number => Count::Some(number.parse().ok().filter(|number| *number > 0)?),
    };
    Some((count, who.trim()))
}

fn who(text: &str, scene: &Scene<'_>, at: &dyn Fn(&'static Code, String) -> Diagnostic) -> Result<Who, Diagnostic> {
    if let Some((_, who)) = WORDS.iter().find(|(word, _)| *word == text) {
        return Ok(who.clone());
    }
    if let Some((kind, name)) = text.split_once(':') {
        return place(kind, name, scene, at);
    }
    let number = text.strip_prefix('n').and_then(|digits| digits.parse::<u32>().ok());
    if let Some(number) = number {
        let nodes = scene.nodes.map_or(u32::MAX, |nodes| nodes.len() as u32);
        return match number.checked_sub(1) {
            Some(index) if index < nodes => Ok(Who::Node(NodeId(index))),
            _ => Err(at(&codes::UNKNOWN_TARGET, format!("there is no node `{text}`"))
                .help(format!("the cluster has n1 to n{nodes}"))),
        };
    }
    let Some(system) = scene.system else { return Ok(Who::Role(text.to_owned())) };
    if system.roles.contains(&text) {
        return Ok(Who::Role(text.to_owned()));
    }
    let words: Vec<&str> = system.roles.iter().copied().chain(WORDS.iter().map(|(word, _)| *word)).collect();
    let problem = at(&codes::UNKNOWN_TARGET, format!("`{text}` is not a target")).label(did_you_mean(text, &words));
    let more = "and n1, zone:.., region:.., provider:.., client:c1, each perhaps after `one of`, `2 of`, `half of`";
    Err(problem.help(format!("targets are {}, {more}", quoted(&words))))
}

/// `zone:a`, `region:us-east`, `client:c2`.
fn place(
    kind: &str,
    name: &str,
    scene: &Scene<'_>,
    at: &dyn Fn(&'static Code, String) -> Diagnostic,
) -> Result<Who, Diagnostic> {
    let known = |names: Vec<&str>, who: Who| {
        if names.is_empty() || names.contains(&name) {
            return Ok(who);
        }
        let problem = at(&codes::UNKNOWN_TARGET, format!("there is no {kind} `{name}`"));
        Err(problem.label(did_you_mean(name, &names)).help(format!("there are {}", quoted(&names))))
    };
    match kind {
        "zone" => {
            let zones = scene.layout.map(|layout| layout.zones.iter().map(|zone| zone.name.as_str()).collect());
            known(zones.unwrap_or_default(), Who::Zone(name.to_owned()))
        }
        "region" => {
            let regions = scene.layout.map(|layout| layout.regions());
            known(regions.unwrap_or_default(), Who::Region(name.to_owned()))
        }
        "provider" => {
            let providers = scene.layout.map(|layout| layout.named(PlaceKind::Providers)).unwrap_or_default();
            if scene.layout.is_some() && providers.is_empty() {
                return Err(at(
                    &codes::UNKNOWN_TARGET,
                    format!("there is no provider `{name}`: the layout names none"),
                ));
            }
            known(providers, Who::Provider(name.to_owned()))
        }
        "client" => {
            let clients = scene.clients.as_ref().map_or(u32::MAX, |clients| clients.len() as u32);
            let number = name.strip_prefix('c').and_then(|digits| digits.parse::<u32>().ok());
            match number.and_then(|number| number.checked_sub(1)) {
                Some(index) if index < clients => Ok(Who::Client(ClientId(index))),
                _ if clients == 0 => Err(at(&codes::UNKNOWN_TARGET, "there are no clients".to_owned())),
                _ => Err(at(&codes::UNKNOWN_TARGET, format!("there is no client `{name}`"))
                    .help(format!("the loads have the clients c1 to c{clients}"))),
            }
        }
        _ => {
            let problem = at(&codes::UNKNOWN_TARGET, format!("`{kind}:` is not a kind of target"));
            Err(problem
                .label(did_you_mean(kind, &["zone", "region", "provider", "client"]))
                .help("write zone:, region:, provider: or client:"))
        }
    }
}

/// Whether the target can be anybody, and enough of them.
fn feasible(target: &Target, text: &str, scene: &Scene<'_>) -> Result<(), String> {
    let Some(most) = most(&target.who, scene) else { return Ok(()) };
    let wanted = match target.count {
        Count::All => 1,
        Count::Some(count) => count as usize,
        Count::Half => 2,
    };
    if most == 0 {
        return Err(format!("`{text}` is nobody in this cluster"));
    }
    if most < wanted {
        let are = if most == 1 { "is" } else { "are" };
        return Err(format!("`{text}` cannot be: there {are} at most {most}"));
    }
    Ok(())
}

/// How many machines this can be at most, if that is known. A place counts its nodes; where it has none, its clients.
fn most(who: &Who, scene: &Scene<'_>) -> Option<usize> {
    let nodes = scene.nodes?;
    let standing = |is_there: &dyn Fn(usize) -> bool| {
        let there = |zones: &[usize]| zones.iter().filter(|zone| is_there(**zone)).count();
        Some(match there(nodes) {
            0 => there(scene.clients.as_deref()?),
            count => count,
        })
    };
    let zones = &scene.layout?.zones;
    match who {
        Who::All | Who::Role(_) | Who::Others => Some(nodes.len()),
        Who::Any | Who::Node(_) | Who::Client(_) => Some(1),
        Who::Minority => Some((nodes.len() - 1) / 2),
        Who::Majority => Some(nodes.len() / 2 + 1),
        Who::Zone(name) => standing(&|zone| zones[zone].name == *name),
        Who::Region(name) => standing(&|zone| zones[zone].region == *name),
        Who::Provider(name) => standing(&|zone| zones[zone].provider.as_ref() == Some(name)),
        Who::Clients => Some(scene.clients.as_ref()?.len()),
    }
}

/// Whether a target or one of its kind stands in this list.
pub(super) fn has_others(targets: &[Target]) -> bool {
    targets.iter().any(|target| target.who == Who::Others)
}
