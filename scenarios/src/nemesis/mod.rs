//! `[nemesis]`: faults that nobody wrote down.
//!
//! When a draft is resolved for a seed, its nemesis becomes ordinary faults: tables under `fault`, as if the author had
//! written them. So everything behind that (plan, promises, `check --resolved`, smaller scenarios) knows of faults only. What
//! it can draw stands in `menu.toml`.
//!
//! A fault is drawn, then held against the budget and against what the system promises; if it does not fit, nothing
//! happens at that time. Each choice throws dice of its own, named after the number of its fault, so that what one fault comes
//! to moves no other.

use crate::delay::table;
use crate::diagnostics::Origin;
use crate::parse::{Scene, one_fault};
use crate::promises::{Promises, claim, most};
use crate::scenario::{Action, DelaySpec, Fault, Scenario};
use crate::text::draws::{Decide, resolve};
use crate::text::{self, Shape, Table, TableEntry, Value};
use history::Draw;
use sim_core::dice::{Dice, Ratio, StreamName, Streams};
use sim_core::fault::{Place, PlaceKind, Target, Who};
use sim_core::promise::{Claim, Premise};
use sim_core::protocol::{About, OrderKind};
use sim_core::time::{MICROSECOND, MILLISECOND, Nanos, SECOND, format_duration};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

#[cfg(test)]
mod tests;

/// How faults are drawn.
#[derive(Clone, Debug)]
pub struct Nemesis {
    /// Whether each seed leaves out some kinds.
    pub swarm: bool,
    /// How often each kind is drawn.
    pub weights: Vec<(&'static str, u64)>,
    /// From the beginning of one fault to that of the next.
    pub gap: DelaySpec,
    /// How long a fault lasts, from the shortest to the longest.
    pub hold: (Nanos, Nanos),
    /// Whom faults strike, as the file writes them.
    pub targets: Vec<String>,
    /// The share that waits for somebody to take a role.
    pub chase: Ratio,
    /// From when to when there are faults.
    pub during: (Nanos, Nanos),
    /// How much goes wrong at once.
    pub budget: Budget,
    /// Where it stands in the file.
    pub(crate) origin: Origin,
}

/// How much goes wrong at once.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Nodes that are down, frozen or cut off.
    pub down_at_once: Down,
    /// Faults.
    pub concurrent: usize,
    /// The share of the time in which there is a fault.
    pub faulted_time: Ratio,
}

/// A number of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    /// One.
    One,
    /// Fewer than half.
    Minority,
    /// Any number: nobody need be served.
    Beyond,
}

/// What every fault of a nemesis is a part of.
pub const NAME: &str = "nemesis";

/// In the menu, one of the nemesis's targets.
const TARGET: &str = "TARGET";

/// The kind that the system's own orders fall under.
const OPERATE: &str = "operate";

/// Ways of kinds of faults, in the order of the file.
static MENU: LazyLock<Vec<(String, Vec<Table>)>> = LazyLock::new(|| {
    let menu = text::parse(include_str!("menu.toml")).expect("the menu is TOML");
    let ways = |entry: TableEntry| {
        let Shape::List(items) = entry.value.shape else { panic!("the menu is lists of tables") };
        let way = |item: Value| if let Shape::Table(table) = item.shape { table } else { panic!("a way is a table") };
        (entry.key, items.into_iter().map(way).collect())
    };
    menu.entries.into_iter().map(ways).collect()
});

/// The kinds of fault that a nemesis draws.
pub fn kinds() -> Vec<&'static str> {
    MENU.iter().map(|(kind, _)| kind.as_str()).collect()
}

/// What the faults are drawn for.
pub(crate) struct Ground<'a> {
    pub nemesis: &'a Nemesis,
    /// Without the nemesis's own faults.
    pub scenario: &'a Scenario,
    pub scene: &'a Scene<'a>,
    pub streams: Streams,
}

/// The faults that were taken so far.
#[derive(Default)]
struct Taken {
    /// With those that the author wrote down.
    faults: Vec<Fault>,
    /// Until when each lasts, and how many nodes it takes away.
    spans: Vec<(Nanos, u32)>,
    /// How long there has been a fault.
    faulted: Nanos,
    /// How many nodes do not come back.
    gone: u32,
    /// Whether an operator gave an order.
    is_ordered: bool,
}

impl Taken {
    /// How long there would have been a fault, with a further one.
    fn faulted_with(&self, from: Nanos, until: Nanos) -> Nanos {
        let last = self.spans.iter().map(|(until, _)| *until).max().unwrap_or(0);
        self.faulted + until.saturating_sub(from.max(last))
    }

    fn add(&mut self, from: Nanos, strike: &Strike) {
        self.faulted = self.faulted_with(from, strike.until);
        match strike.takes {
            Takes::Nobody => self.spans.push((strike.until, 0)),
            Takes::ForNow(nodes) => self.spans.push((strike.until, nodes)),
            Takes::ForGood(nodes) => {
                self.spans.push((strike.until, 0));
                self.gone += nodes;
            }
        }
        self.is_ordered |= matches!(strike.fault.action, Action::Operate { .. });
        self.faults.push(strike.fault.clone());
    }
}

impl Ground<'_> {
    fn dice(&self, parts: &[&str]) -> Dice {
        self.streams.dice(StreamName::new(&[&["plan", NAME], parts].concat()))
    }

    /// The faults of this seed, as a file would write them, and what was decided before.
    pub fn faults(&self) -> (Vec<Table>, Vec<Draw>) {
        let (kinds, draws) = self.kinds();
        let (begin, end) = self.nemesis.during;
        let (gap, mut gaps) = (table(&self.nemesis.gap), self.dice(&["gap"]));
        let (mut faults, mut taken) = (Vec::new(), Taken::default());
        taken.faults.clone_from(&self.scenario.faults);
        let mut at = begin;
        for number in 1.. {
            at += gap.draw(&mut gaps).max(MILLISECOND) / GRID * GRID;
            if at >= end {
                break;
            }
            let Some(strike) = self.strike(&kinds, number, at, end) else { continue };
            if self.is_within_budget(&strike, at, &taken) && self.is_survived(&strike.fault, &mut taken.faults) {
                taken.add(at, &strike);
                faults.push(strike.table);
            }
        }
        (faults, draws)
    }

    /// The kinds that this seed draws from, and of a swarm which they are.
    fn kinds(&self) -> (Vec<(&'static str, u64)>, Vec<Draw>) {
        let mut kinds = self.nemesis.weights.clone();
        kinds.retain(|(kind, weight)| *weight > 0 && !self.ways(kind).is_empty());
        if !self.nemesis.swarm {
            return (kinds, Vec::new());
        }
        let mut draws = Vec::new();
        kinds.retain(|(kind, _)| {
            let is_on = self.dice(&["swarm", kind]).chance(Ratio::new(1, 2));
            let value = if is_on { "on" } else { "off" };
            draws.push(Draw { key: format!("{NAME}.{kind}"), value: value.to_owned() });
            is_on
        });
        (kinds, draws)
    }

    /// The ways of a kind of fault.
    fn ways(&self, kind: &str) -> Vec<Cow<'static, Table>> {
        let Some((_, ways)) = MENU.iter().find(|(name, _)| name == kind) else { return Vec::new() };
        let orders = self.scene.system.map_or(&[][..], |system| system.orders);
        let is_known =
            |way: &&Table| kind != OPERATE || orders.iter().any(|order| Some(order.name) == way.text("order"));
        let mut all: Vec<Cow<'static, Table>> = ways.iter().filter(is_known).map(Cow::Borrowed).collect();
        if kind == OPERATE {
            let is_there = |order: &&OrderKind| ways.iter().any(|way| way.text("order") == Some(order.name));
            all.extend(orders.iter().filter(|order| !is_there(order)).map(|order| Cow::Owned(way_of(order))));
        }
        all
    }

    /// The fault of this number, if one is drawn. Each of its choices throws dice of its own.
    fn strike(&self, kinds: &[(&'static str, u64)], number: u64, at: Nanos, end: Nanos) -> Option<Strike> {
        let dice = |concern: &str| self.dice(&[&number.to_string(), concern]);
        let kind = weighted(kinds, &mut dice("kind"))?;
        let ways = self.ways(kind);
        let way = &ways[dice("way").below(ways.len() as u64) as usize];
        let target = &self.nemesis.targets[dice("target").below(self.nemesis.targets.len() as u64) as usize];
        let mut table = self.decided(way, number, target);
        let (shortest, longest) = self.nemesis.hold;
        let hold = (dice("for").between(shortest, longest) / GRID * GRID).max(GRID);
        let (until, timing) = self.timing(&dice, hold, (at, end), kind);
        let mut entries =
            vec![("name", format!("{NAME}-{number}")), ("part-of", NAME.to_owned()), ("do", kind.to_owned())];
        entries.extend(timing);
        entries.push(("for", format_duration(hold.min(until - at))));
        let head = entries.into_iter().map(|(key, text)| entry(key, Shape::Text(text)));
        table.entries = head.chain(table.entries).collect();
        place_table(&mut table, &self.nemesis.origin);
        let fault = self.read(&mut table)?;
        let takes = self.takes(&fault.action);
        Some(Strike { table, fault, until, takes })
    }

    /// The fault that a table describes. What is over at once takes no length.
    fn read(&self, table: &mut Table) -> Option<Fault> {
        one_fault(table, self.scene).or_else(|| {
            table.entries.retain(|entry| entry.key != "for");
            one_fault(table, self.scene)
        })
    }

    /// When a fault strikes: at its instant, or, if it chases a role, when somebody takes that; and when it is over at the
    /// latest. Half of the chases follow closely, while votes and first entries are under way.
    fn timing(
        &self,
        dice: &impl Fn(&str) -> Dice,
        hold: Nanos,
        (at, end): (Nanos, Nanos),
        kind: &str,
    ) -> (Nanos, Vec<(&'static str, String)>) {
        let roles = self.scene.system.map_or(&[][..], |system| system.roles);
        let chases = dice("chase").chance(self.nemesis.chase) && kind != OPERATE && !roles.is_empty();
        if !chases {
            return ((at + hold).min(end), vec![("at", format_duration(at))]);
        }
        let role = roles[dice("role").below(roles.len() as u64) as usize];
        let until = (at + CHASE_WAITS + hold).min(end);
        let mut after = dice("after");
        let latest = if after.chance(Ratio::new(1, 2)) { CHASE_CLOSE } else { CHASE_FAR };
        let after = (after.between(0, latest) / GRID * GRID).min((until - at) / 2);
        let within = format!("{}..{}", format_duration(at), format_duration(until));
        (until, vec![("when", format!("{role} elected")), ("within", within), ("after", format_duration(after))])
    }

    /// A way of a kind with everything decided, as this number decides it.
    fn decided(&self, way: &Table, number: u64, target: &str) -> Table {
        let numbered = Table { entries: vec![entry(&number.to_string(), Shape::Table(way.clone()))], ..empty() };
        let root = Table { entries: vec![entry(NAME, Shape::Table(numbered))], ..empty() };
        let (mut root, _) = resolve(&root, &Decide::Seed(self.streams));
        let mut numbered = into_table(root.entries.remove(0).value);
        let mut way = numbered.entries.remove(0).value;
        aim(&mut way, target);
        into_table(way)
    }

    /// Whether the budget has room for the fault.
    fn is_within_budget(&self, strike: &Strike, at: Nanos, taken: &Taken) -> bool {
        let Budget { down_at_once, concurrent, faulted_time } = self.nemesis.budget;
        let there = || taken.spans.iter().filter(|(until, _)| *until > at);
        let down = there().map(|(_, nodes)| nodes).sum::<u32>() + taken.gone;
        let most = match down_at_once {
            Down::One => 1,
            Down::Minority => minority(self.scenario.cluster.zones.len()),
            Down::Beyond => u32::MAX,
        };
        let has_room = match strike.takes {
            Takes::Nobody => taken.gone == 0 || !matches!(strike.fault.action, Action::Operate { .. }),
            Takes::ForNow(nodes) => down.saturating_add(nodes) <= most,
            Takes::ForGood(nodes) => down.saturating_add(nodes) <= most && self.can_spare(taken.gone + nodes, taken),
        };
        let (begin, end) = self.nemesis.during;
        let scaled = |time: Nanos, by: u64| u128::from(time) * u128::from(by);
        let faulted = scaled(taken.faulted_with(at, strike.until), faulted_time.denominator);
        there().count() < concurrent && has_room && faulted <= scaled(end - begin, faulted_time.numerator)
    }

    /// Whether the system goes on when so many nodes never come back: where it need not, nothing is left to be judged. An
    /// operator who changes members may have left those that are lost in the majority.
    fn can_spare(&self, gone: u32, taken: &Taken) -> bool {
        let nodes = self.scenario.cluster.zones.len() as u32;
        let premise = Premise { nodes, nodes_lost: gone, ..Premise::CALM };
        let values = &self.scenario.protocol.values;
        let goes_on =
            self.scene.system.is_none_or(|system| (system.promises)(values, Claim::Progress, &premise).is_ok());
        goes_on && gone <= minority(nodes as usize) && !taken.is_ordered
    }

    /// Whether what the scenario demands is promised where this goes wrong, too.
    fn is_survived(&self, fault: &Fault, others: &mut Vec<Fault>) -> bool {
        let Scenario { protocol, cluster, layout, expect, .. } = self.scenario;
        let Some(system) = self.scene.system else { return true };
        others.push(fault.clone());
        let promises = Promises::new(system, protocol, cluster, Some(layout), others);
        let mut claims = expect.must.iter().filter_map(|expectation| claim(&expectation.check));
        let is_survived = claims.all(|claim| promises.makes(claim));
        others.pop();
        is_survived
    }

    /// How many nodes a fault takes from the others at most.
    fn takes(&self, action: &Action) -> Takes {
        let nodes = self.scenario.cluster.zones.len() as u32;
        let minority = minority(nodes as usize);
        let all = |targets: &[Target]| targets.iter().map(|target| self.most(target)).sum::<u32>().min(nodes);
        match action {
            Action::Partition { groups, .. } => {
                let named = |group: &Vec<Target>| group.iter().all(|target| target.who != Who::Others);
                let away: u32 = groups.iter().filter(|group| named(group)).map(|group| all(group)).sum();
                Takes::ForNow(away.min(nodes.saturating_sub(away).max(minority)))
            }
            Action::CutLinks { .. } | Action::Shape { .. } => Takes::ForNow(minority),
            Action::Outage { places, .. } => Takes::ForNow(self.most_in(places)),
            Action::Crash { target, .. } | Action::Pause { target, .. } => Takes::ForNow(all(target)),
            Action::Lose { target } => Takes::ForGood(all(target)),
            Action::Disk { target, harm } if harm.spoils() => Takes::ForGood(all(target)),
            Action::Disk { target, .. } => Takes::ForNow(all(target)),
            Action::Cpu { .. }
            | Action::Clock { .. }
            | Action::Operate { .. }
            | Action::Link { .. }
            | Action::Drop { .. } => Takes::Nobody,
        }
    }

    /// By name, how many nodes stand in each place of a kind.
    fn standing(&self, kind: PlaceKind) -> BTreeMap<&str, u32> {
        let Scenario { cluster, layout, .. } = self.scenario;
        let mut nodes = BTreeMap::new();
        for place in cluster.zones.iter().filter_map(|zone| layout.zones[*zone].place(kind)) {
            *nodes.entry(place).or_default() += 1;
        }
        nodes
    }

    fn standing_in(&self, kind: PlaceKind, name: &str) -> u32 {
        self.standing(kind).get(name).copied().unwrap_or(0)
    }

    /// How many nodes stand in these places; of those drawn by lot, in the fullest.
    fn most_in(&self, places: &[Place]) -> u32 {
        let of = |place: &Place| match place {
            Place::Zone(name) => self.standing_in(PlaceKind::Zones, name),
            Place::Region(name) => self.standing_in(PlaceKind::Regions, name),
            Place::Provider(name) => self.standing_in(PlaceKind::Providers, name),
            Place::Drawn(count, kind) => {
                let mut fullest: Vec<u32> = self.standing(*kind).into_values().collect();
                fullest.sort_unstable_by_key(|nodes| std::cmp::Reverse(*nodes));
                fullest.iter().take(*count as usize).sum()
            }
        };
        places.iter().map(of).sum::<u32>().min(self.scenario.cluster.zones.len() as u32)
    }

    /// How many nodes a target can be.
    fn most(&self, target: &Target) -> u32 {
        let nodes = self.scenario.cluster.zones.len() as u32;
        let serving = self.scene.system.and_then(|system| system.serving);
        most(target, nodes, serving, |kind, name| self.standing_in(kind, name))
    }
}

/// A way of giving an order that the menu does not know.
fn way_of(order: &OrderKind) -> Table {
    let about = (order.about != About::Nobody).then_some(("about", "any"));
    let entries = [("order", order.name)].into_iter().chain(about);
    let entries = entries.map(|(key, text)| entry(key, Shape::Text(text.to_owned())));
    Table { entries: entries.collect(), origin: Origin::Whole }
}

/// Fewer than half.
fn minority(nodes: usize) -> u32 {
    (nodes as u32 - 1) / 2
}

/// Instants and lengths are drawn on this grid, so that people can read them.
const GRID: Nanos = 100 * MICROSECOND;

/// A chase waits so long for somebody to take a role, and then lasts as other faults do.
const CHASE_WAITS: Nanos = 2 * SECOND;
/// It strikes at most so long after that, if it follows closely …
const CHASE_CLOSE: Nanos = 5 * MILLISECOND;
/// … and if it does not.
const CHASE_FAR: Nanos = 50 * MILLISECOND;

/// A fault that was drawn.
struct Strike {
    table: Table,
    fault: Fault,
    until: Nanos,
    takes: Takes,
}

/// How many nodes a fault takes from the others at most.
#[derive(Clone, Copy)]
enum Takes {
    Nobody,
    /// As long as it lasts.
    ForNow(u32),
    /// They cannot serve again under their names.
    ForGood(u32),
}

/// One of them, each as often as its weight says; `None` if there are none.
fn weighted(kinds: &[(&'static str, u64)], dice: &mut Dice) -> Option<&'static str> {
    let total: u64 = kinds.iter().map(|(_, weight)| weight).sum();
    let mut at = if total > 0 { dice.below(total) } else { return None };
    for (kind, weight) in kinds {
        if at < *weight {
            return Some(kind);
        }
        at -= weight;
    }
    None
}

fn entry(key: &str, shape: Shape) -> TableEntry {
    TableEntry { key: key.to_owned(), key_origin: Origin::Whole, value: Value { shape, origin: Origin::Whole } }
}

fn empty() -> Table {
    Table { entries: Vec::new(), origin: Origin::Whole }
}

/// What is known to be one.
fn into_table(value: Value) -> Table {
    if let Shape::Table(table) = value.shape { table } else { panic!("this is {}", value.noun()) }
}

/// Puts the target where the menu leaves room for it.
fn aim(value: &mut Value, target: &str) {
    match &mut value.shape {
        Shape::Text(text) if text == TARGET => *text = target.to_owned(),
        Shape::List(items) => items.iter_mut().for_each(|item| aim(item, target)),
        Shape::Table(table) => table.entries.iter_mut().for_each(|entry| aim(&mut entry.value, target)),
        Shape::Text(_) | Shape::Number(_) | Shape::Fraction(_) | Shape::Flag(_) | Shape::Date => {}
    }
}

/// Says of everything in it that it stands there.
fn place_table(table: &mut Table, origin: &Origin) {
    table.origin = origin.clone();
    for entry in &mut table.entries {
        entry.key_origin = origin.clone();
        place(&mut entry.value, origin);
    }
}

fn place(value: &mut Value, origin: &Origin) {
    value.origin = origin.clone();
    match &mut value.shape {
        Shape::List(items) => items.iter_mut().for_each(|item| place(item, origin)),
        Shape::Table(table) => place_table(table, origin),
        Shape::Text(_) | Shape::Number(_) | Shape::Fraction(_) | Shape::Flag(_) | Shape::Date => {}
    }
}
