//! Faults of the network: `partition`, `link`, `drop` and `outage`.

use super::fault::{outside_groups, targets};
use super::operate::are_nodes;
use super::target::has_others;
use super::{Scene, delays, layout};
use crate::codes;
use crate::diagnostics::Diagnostic;
use crate::scenario::{Action, DelaySpec, Fault, Timing};
use crate::sections::{FLAP, STRIKES_MAX};
use crate::text::entry::quoted;
use crate::text::quantity::{Given, did_you_mean};
use crate::text::reader::Reader;
use sim_core::dice::Ratio;
use sim_core::fault::{DiskFate, Flap, Pick, Place, PlaceKind, Shape, Spoil, Target};

/// How places are written, for the manual.
pub const PLACES: [(&str, &str); 4] = [
    ("zone:a", "This zone."),
    ("region:us-east", "All zones of this region."),
    ("provider:north", "All regions of this provider."),
    (
        "one of zones",
        "One in which nodes stand, drawn anew for each strike; likewise `2 of ..`, `regions`, `providers`.",
    ),
];

pub(super) fn partition(reader: &Reader<'_>, scene: &Scene<'_>) -> Option<Action> {
    const WAYS: [&str; 3] = ["groups", "shape", "links"];
    let flap = flap(reader, scene)?;
    let one_way = reader.flag("one-way")?;
    let ways: Vec<&str> = WAYS.into_iter().filter(|way| reader.has(way)).collect();
    let [way] = ways[..] else {
        let key = ways.get(1).unwrap_or(&"do");
        reader.tell(&codes::CONFLICT, key, format!("a partition has exactly one of {}", quoted(&WAYS)));
        return None;
    };
    if one_way && way != "groups" {
        reader.tell(&codes::CONFLICT, "one-way", "`one-way` goes with `groups`; a one-way link is \"a -> b\"");
    }
    if reader.has("order") && way != "shape" {
        reader.tell(&codes::CONFLICT, "order", "`order` goes with `shape`");
    }
    match way {
        "groups" => Some(Action::Partition { groups: groups(reader.given("groups")?, scene)?, one_way, flap }),
        "shape" => shape(reader, flap, scene),
        _ => cut_links(reader, flap, scene),
    }
}

fn groups(given: Given<'_>, scene: &Scene<'_>) -> Option<Vec<Vec<Target>>> {
    let items = scene.problems.note(given.list())?;
    let groups: Vec<Option<Vec<Target>>> = items.iter().map(|item| targets(given.element(item), scene)).collect();
    let groups: Vec<Vec<Target>> = groups.into_iter().collect::<Option<_>>()?;
    let bad = |message: String| {
        scene.problems.push(Diagnostic::new(&codes::BAD_GROUPS, &given.value.origin, message));
        None
    };
    if groups.len() < 2 {
        return bad("a partition has at least two groups".to_owned());
    }
    if groups.iter().filter(|group| has_others(group)).count() > 1 {
        return bad("`others` is in two groups".to_owned());
    }
    // Who is in two groups hears both; so between a group and one that holds all of it nothing is cut.
    let is_within = |i: usize, j: usize| i != j && groups[i].iter().all(|target| groups[j].contains(target));
    if let Some(i) = (0..groups.len()).find(|i| (0..groups.len()).any(|j| is_within(*i, j))) {
        let target = &groups[i][0];
        return bad(format!("`{target}` is in two groups, and in one of them there is nobody else"));
    }
    Some(groups)
}

fn shape(reader: &Reader<'_>, flap: Option<Flap>, scene: &Scene<'_>) -> Option<Action> {
    let word = reader.word("shape")?;
    let shape = Shape::ALL.into_iter().find(|shape| shape.name() == word).expect("every word is a shape");
    let order = match reader.given("order") {
        Some(given) => targets(given, scene).filter(|order| are_nodes(reader, "order", order))?,
        None => Vec::new(),
    };
    let nodes = scene.nodes?.len();
    if nodes < 3 {
        reader.tell(&codes::BAD_GROUPS, "shape", format!("a {word} takes at least three nodes; there are {nodes}"));
        return None;
    }
    Some(Action::Shape { shape, order, flap })
}

fn cut_links(reader: &Reader<'_>, flap: Option<Flap>, scene: &Scene<'_>) -> Option<Action> {
    let names = reader.texts("links");
    let layout = scene.layout?;
    let mut links: Vec<String> = Vec::new();
    let mut is_whole = true;
    for (name, origin) in &names {
        let ways = layout::link_ends(name).map_or(vec![name.trim().to_owned()], |(a, b)| {
            let back = name.contains("<->").then(|| format!("{b} -> {a}"));
            [format!("{a} -> {b}")].into_iter().chain(back).collect()
        });
        if let Some(unknown) = ways.iter().find(|way| !layout.has_link(way)) {
            let mut known: Vec<&str> = layout.links.iter().map(|link| link.name.as_str()).collect();
            known.sort_unstable();
            known.dedup();
            let problem = Diagnostic::new(&codes::UNKNOWN_LINK, origin, format!("there is no link `{unknown}`"));
            let problem =
                problem.label(did_you_mean(unknown, &known)).help(format!("the links are {}", quoted(&known)));
            scene.problems.push(problem);
            is_whole = false;
            continue;
        }
        links.extend(ways.into_iter().filter(|way| !links.contains(way)).collect::<Vec<_>>());
    }
    if names.is_empty() {
        reader.tell(&codes::BAD_GROUPS, "links", "no link is cut");
    }
    (is_whole && !links.is_empty()).then_some(Action::CutLinks { links, flap })
}

/// `flap = { .. }`; within, `None` if the fault is there all the time.
fn flap(reader: &Reader<'_>, scene: &Scene<'_>) -> Option<Option<Flap>> {
    let Some(given) = reader.given("flap") else { return Some(None) };
    let table = scene.problems.note(given.table())?;
    let reader = Reader::new(table, &FLAP, scene.problems);
    let (up, down) = (reader.times("up"), reader.times("down"));
    Some(Some(Flap { up: up?, down: down? }))
}

/// Whether a fault that comes and goes does so a reasonable number of times; `strikes` is how often it begins.
pub(super) fn check_flap(reader: &Reader<'_>, fault: &Fault, strikes: u64, scene: &Scene<'_>) {
    let (Some(flap), Some(duration)) = (fault.action.flap(), scene.duration) else { return };
    let lasts = match fault.timing {
        Timing::During { from, to } => to.saturating_sub(from),
        Timing::At { .. } | Timing::Every { .. } | Timing::Event { .. } => {
            fault.length.map_or(duration, |(_, max)| max)
        }
    };
    let cycles = (lasts.min(duration) / (flap.up.0 + flap.down.0)).saturating_mul(strikes);
    if cycles > STRIKES_MAX {
        let message = format!("the fault would come and go up to {cycles} times; at most {STRIKES_MAX}");
        reader.tell(&codes::OUTSIDE, "flap", message);
    }
}

pub(super) fn link(reader: &Reader<'_>, scene: &Scene<'_>) -> Option<Action> {
    let one_way = reader.flag("one-way");
    const HARMS: [&str; 6] = ["delay", "loss", "corrupt", "duplicate", "reorder", "bandwidth"];
    if !HARMS.iter().any(|key| reader.has(key)) {
        let message = format!("this `link` fault does nothing; it needs one of {}", quoted(&HARMS));
        reader.tell(&codes::CONFLICT, "do", message);
    }
    for (key, of) in [("duplicate-after", "duplicate"), ("reorder-by", "reorder")] {
        if reader.has(key) && !reader.has(of) {
            reader.tell(&codes::CONFLICT, key, format!("`{key}` goes with `{of}`"));
        }
    }
    let share = |key: &str| if reader.has(key) { reader.share(key) } else { Some(Ratio::ZERO) };
    let (loss, corrupt, duplicate, reorder) = (share("loss"), share("corrupt"), share("duplicate"), share("reorder"));
    let after = |key: &str| delays::delay(reader, key, scene.problems);
    let (duplicate_after, reorder_by) = (after("duplicate-after")?, after("reorder-by")?);
    let delay =
        if reader.has("delay") { delays::delay(reader, "delay", scene.problems) } else { Some(DelaySpec::Fixed(0)) };
    let (bandwidth, flap) = (delays::bandwidth(reader), flap(reader, scene));
    let kinds = kinds(reader, scene);
    if reader.has("messages") && reader.has("bandwidth") {
        reader.tell(
            &codes::CONFLICT,
            "bandwidth",
            "all messages share the bandwidth: leave `messages` or `bandwidth` out",
        );
    }
    let between = reader.given("between")?;
    let sides = scene.problems.note(between.list())?;
    let [from, to] = sides else {
        reader.tell(&codes::BAD_GROUPS, "between", format!("`between` has two sides; these are {}", sides.len()));
        return None;
    };
    let side = |side| targets(between.element(side), scene);
    let (from, to) = (side(from), side(to));
    let (from, to) = (from?, to?);
    let is_clear = outside_groups(reader, "between", &from) && outside_groups(reader, "between", &to);
    is_clear.then_some(())?;
    let spoil = Box::new(Spoil {
        delay: delay?,
        loss: loss?,
        corrupt: corrupt?,
        duplicate: duplicate?,
        duplicate_after,
        reorder: reorder?,
        reorder_by,
        bandwidth: bandwidth?,
        kinds: kinds?,
    });
    if !spoil.kinds.is_empty() && spoil.is_cut() {
        reader.tell(&codes::CONFLICT, "messages", "none of these would ever arrive: that is a `drop` fault");
    }
    Some(Action::Link { from, to, one_way: one_way?, spoil, flap: flap? })
}

pub(super) fn drop_messages(reader: &Reader<'_>, scene: &Scene<'_>) -> Option<Action> {
    let side = |key: &str| match reader.given(key) {
        Some(given) => targets(given, scene).filter(|targets| outside_groups(reader, key, targets)),
        None => Some(Vec::new()),
    };
    let (from, to, kinds) = (side("from"), side("to"), kinds(reader, scene));
    let share = reader.share("share")?;
    if share.numerator == 0 {
        reader.tell(&codes::BAD_VALUE, "share", "a share of nothing drops nothing; leave the fault out instead");
    }
    let count = if reader.has("count") { Some(reader.count("count")?) } else { None };
    Some(Action::Drop { from: from?, to: to?, pick: Pick { kinds: kinds?, share, count } })
}

/// The kinds of messages that are meant; none if all are.
fn kinds(reader: &Reader<'_>, scene: &Scene<'_>) -> Option<Vec<String>> {
    if !reader.has("messages") {
        return Some(Vec::new());
    }
    let names = reader.texts("messages");
    if names.is_empty() {
        reader.tell(&codes::EMPTY_TARGET, "messages", "these are no messages; leave `messages` out to mean all");
        return None;
    }
    let Some(system) = scene.system else { return Some(Vec::new()) };
    let mut is_whole = true;
    for (name, origin) in names.iter().filter(|(name, _)| !system.kinds.contains(name)) {
        let message = format!("{} has no message called `{name}`", system.name);
        let help = match system.kinds {
            [] => "it does not say what its messages are called; leave `messages` out to mean all".to_owned(),
            kinds => format!("its messages are {}", quoted(kinds)),
        };
        let problem = Diagnostic::new(&codes::UNKNOWN_MESSAGE, origin, message);
        scene.problems.push(problem.label(did_you_mean(name, system.kinds)).help(help));
        is_whole = false;
    }
    is_whole.then(|| names.into_iter().map(|(name, _)| name.to_owned()).collect())
}

pub(super) fn outage(reader: &Reader<'_>, disk: DiskFate, scene: &Scene<'_>) -> Option<Action> {
    let given = reader.given("place")?;
    let items = given.one_or_more();
    if items.is_empty() {
        scene.problems.push(Diagnostic::new(&codes::EMPTY_TARGET, &given.value.origin, "this is nowhere"));
    }
    let read = items.iter().map(|item| scene.problems.note(place(given.element(item), scene)));
    let places: Vec<Option<Place>> = read.collect();
    let places: Vec<Place> = places.into_iter().collect::<Option<_>>()?;
    (!places.is_empty()).then_some(Action::Outage { places, disk })
}

const KINDS: [PlaceKind; 3] = [PlaceKind::Zones, PlaceKind::Regions, PlaceKind::Providers];

/// `zone:a`, `one of regions`.
fn place(given: Given<'_>, scene: &Scene<'_>) -> Result<Place, Diagnostic> {
    let text = given.text()?;
    let unknown = |message: String| Diagnostic::new(&codes::UNKNOWN_TARGET, &given.value.origin, message);
    let help = "write zone:a, region:us-east, provider:north, \"one of zones\" or the like";
    let named = |kind: PlaceKind| scene.layout.map(|layout| layout.named(kind)).unwrap_or_default();
    if let Some((count, kind)) = text.split_once(" of ") {
        let count = if count == "one" { Some(1) } else { count.parse().ok().filter(|count| *count > 0) };
        let kind = KINDS.into_iter().find(|known| known.name() == kind);
        let (Some(count), Some(kind)) = (count, kind) else {
            return Err(unknown(format!("`{text}` is not a place")).help(help));
        };
        let most = inhabited(kind, scene);
        return match most.is_some_and(|most| most < count as usize) {
            true => {
                let message = format!("`{text}` cannot be: nodes stand in {}", most.unwrap_or(0));
                Err(Diagnostic::new(&codes::EMPTY_TARGET, &given.value.origin, message))
            }
            false => Ok(Place::Drawn(count, kind)),
        };
    }
    let Some((kind, name)) = text.split_once(':') else {
        return Err(unknown(format!("`{text}` is not a place")).help(help));
    };
    let (known, place) = match kind {
        "zone" => (named(PlaceKind::Zones), Place::Zone(name.to_owned())),
        "region" => (named(PlaceKind::Regions), Place::Region(name.to_owned())),
        "provider" => (named(PlaceKind::Providers), Place::Provider(name.to_owned())),
        _ => {
            let label = did_you_mean(kind, &["zone", "region", "provider"]);
            return Err(unknown(format!("`{kind}:` is not a kind of place")).label(label).help(help));
        }
    };
    if scene.layout.is_some() && !known.contains(&name) {
        let there_are = if known.is_empty() {
            format!("the layout names no {kind}")
        } else {
            format!("there are {}", quoted(&known))
        };
        let problem = unknown(format!("there is no {kind} `{name}`"));
        return Err(problem.label(did_you_mean(name, &known)).help(there_are));
    }
    Ok(place)
}

/// In how many places of a kind nodes stand, if that is known.
fn inhabited(kind: PlaceKind, scene: &Scene<'_>) -> Option<usize> {
    let (layout, nodes) = (scene.layout?, scene.nodes?);
    let mut names: Vec<&str> = nodes.iter().filter_map(|zone| layout.zones[*zone].place(kind)).collect();
    names.sort_unstable();
    names.dedup();
    Some(names.len())
}
