//! Faults of the network: what they cut and spoil, what comes and goes, messages that are picked out, places that are gone.

use super::deliver::Tag;
use super::strike::{Down, Undo};
use super::target::Scope;
use super::{Event, Load, World};
use crate::dice::{Dice, Ratio, Streams};
use crate::fault::{DiskFate, Flap, Pick, Place, PlaceKind, Shape, Spoil, Target};
use crate::machine::MachineId;
use crate::network::StrikeId;
use crate::protocol::Protocol;
use crate::strain::Span;
use crate::time::Nanos;
use crate::topology::{Zone, ZoneId};
use crate::trace::What;
use crate::wire::kind;
use std::collections::{BTreeMap, BTreeSet};

/// Two machines: from, to.
type Pair = (MachineId, MachineId);

/// What a fault does to the network while it is there.
#[derive(Clone, Debug)]
pub(super) enum Injury {
    /// Nothing passes between these machines.
    Cut(Vec<Pair>),
    /// Nothing passes over the links of these names.
    Links(Vec<String>),
    /// What passes between these machines is spoilt.
    Spoil(Vec<Pair>, Box<Spoil>),
}

/// A fault that comes and goes.
#[derive(Clone, Debug)]
pub(super) struct Flapping {
    injury: Injury,
    flap: Flap,
    dice: Dice,
    /// Whether it is there.
    is_down: bool,
}

/// A fault that drops messages.
#[derive(Clone, Debug)]
pub(super) struct Dropping {
    strike: StrikeId,
    /// By machine: whether it may be the sender, the receiver.
    ends: [Vec<bool>; 2],
    kinds: Vec<String>,
    share: Ratio,
    /// How many more.
    left: u64,
    dice: Dice,
    /// Where it has dropped something: when the first and when the last.
    between: BTreeMap<Pair, Span>,
}

impl Dropping {
    fn takes(&mut self, (from, to): Pair, kind: &str, now: Nanos) -> bool {
        let [senders, receivers] = &self.ends;
        let is_meant = senders[from.0 as usize] && receivers[to.0 as usize];
        let is_of_kind = self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind);
        let taken = is_meant && is_of_kind && self.dice.chance(self.share) && self.left > 0;
        if taken {
            self.left -= 1;
            self.between.entry((from, to)).or_insert((now, now)).1 = now;
        }
        taken
    }

    /// Where and when it dropped what it was meant for: until now, unless it has had enough.
    fn stretches(&self, now: Nanos) -> impl Iterator<Item = (Pair, Span)> {
        let until = move |last: Nanos| if self.left == 0 { last } else { now };
        self.between.iter().map(move |(pair, (first, last))| (*pair, (*first, until(*last))))
    }
}

/// What faults of the network do beyond what the network itself knows.
#[derive(Clone, Debug, Default)]
pub(super) struct Cuts {
    flapping: BTreeMap<StrikeId, Flapping>,
    dropping: Vec<Dropping>,
    /// Where and when faults that are over dropped messages.
    dropped: Vec<(Pair, Span)>,
}

impl Cuts {
    /// Whether some fault drops messages now.
    #[inline]
    pub(super) fn drop_some(&self) -> bool {
        !self.dropping.is_empty()
    }

    /// A fault is over.
    pub(super) fn end(&mut self, id: StrikeId, now: Nanos) {
        self.flapping.remove(&id);
        let (over, rest) = std::mem::take(&mut self.dropping).into_iter().partition(|dropping| dropping.strike == id);
        self.dropping = rest;
        let over: Vec<Dropping> = over;
        self.dropped.extend(over.iter().flat_map(|dropping| dropping.stretches(now)));
    }

    /// Between whom and when messages were dropped.
    pub(super) fn dropped(&self, now: Nanos) -> impl Iterator<Item = (Pair, Span)> {
        let open = self.dropping.iter().flat_map(move |dropping| dropping.stretches(now));
        self.dropped.iter().copied().chain(open)
    }

    pub(super) fn rekey(&mut self, streams: Streams) {
        self.flapping.values_mut().for_each(|flapping| flapping.dice.rekey(streams));
        self.dropping.iter_mut().for_each(|dropping| dropping.dice.rekey(streams));
    }
}

impl<P: Protocol> Load<P> {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Load::Message(message) => kind(message),
            Load::Request(request) => kind(request),
            Load::Reply(reply) => kind(reply),
        }
    }
}

impl<P: Protocol> World<P> {
    /// Whoever is in different groups, and in none together, does not hear each other.
    pub(super) fn partition(&mut self, id: StrikeId, groups: &[Vec<Target>], one_way: bool, dice: &mut Dice) -> Injury {
        let groups = self.resolve_groups(id, groups, dice);
        let mut sides: BTreeMap<MachineId, Vec<usize>> = BTreeMap::new();
        for (side, group) in groups.iter().enumerate() {
            group.iter().for_each(|&machine| sides.entry(machine).or_default().push(side));
        }
        let is_cut =
            |from: &[usize], to: &[usize]| !from.iter().any(|side| to.contains(side)) && (!one_way || from[0] == 0);
        let mut pairs = Vec::new();
        for (&from, of_from) in &sides {
            let cut = sides.iter().filter(|(_, of_to)| is_cut(of_from, of_to));
            pairs.extend(cut.map(|(&to, _)| (from, to)));
        }
        let names: Vec<String> = groups.iter().map(|group| self.names(group)).collect();
        self.strike_mut(id).who = names.join(if one_way { " -> " } else { " | " });
        Injury::Cut(pairs)
    }

    /// Nodes in an order, of which some hear others that do not hear each other.
    pub(super) fn shape(&mut self, id: StrikeId, shape: Shape, order: &[Target], dice: &mut Dice) -> Injury {
        let nodes = self.nodes.len();
        let mut drawn: Vec<MachineId> = (0..nodes as u32).map(MachineId).collect();
        dice.draw_to_front(&mut drawn, nodes);
        let mut line: Vec<MachineId> = Vec::new();
        for target in order {
            let taken: BTreeSet<MachineId> = line.iter().copied().collect();
            line.extend(self.resolve(id, std::slice::from_ref(target), Scope::Nodes, &taken, dice));
        }
        let rest = drawn.into_iter().filter(|machine| !line.contains(machine)).collect::<Vec<_>>();
        line.extend(rest);
        let names: Vec<String> = line.iter().map(|&machine| self.machine_name(machine)).collect();
        self.strike_mut(id).who = shape.drawn(&names);
        let is_cut = |to: usize, from: usize| to != from && !shape.hears(nodes, to, from);
        let cut_from = |to: usize| (0..nodes).filter(move |&from| is_cut(to, from)).map(move |from| (from, to));
        let pairs = (0..nodes).flat_map(cut_from);
        Injury::Cut(pairs.map(|(from, to)| (line[from], line[to])).collect())
    }

    pub(super) fn cut_links(&mut self, id: StrikeId, links: &[String]) -> Injury {
        self.strike_mut(id).who = links.join(", ");
        Injury::Links(links.to_vec())
    }

    pub(super) fn spoil(
        &mut self,
        id: StrikeId,
        ends: [&Vec<Target>; 2],
        one_way: bool,
        spoil: &Spoil,
        dice: &mut Dice,
    ) -> Injury {
        let ends = ends.map(|targets| self.resolve(id, targets, Scope::Machines, &BTreeSet::new(), dice));
        let mut pairs = Vec::new();
        for &from in &ends[0] {
            for &to in ends[1].iter().filter(|&&to| to != from) {
                pairs.push((from, to));
                pairs.extend((!one_way).then_some((to, from)));
            }
        }
        let names = ends.map(|end| self.names(&end));
        self.strike_mut(id).who = names.join(if one_way { " -> " } else { " <-> " });
        // Where everything is lost nothing gets through, however often it is sent again.
        if spoil.is_cut() { Injury::Cut(pairs) } else { Injury::Spoil(pairs, Box::new(spoil.clone())) }
    }

    /// A fault does this to the network from now on: as long as it lasts, or now and then.
    pub(super) fn injure(&mut self, id: StrikeId, injury: Injury, flap: Option<Flap>, mut dice: Dice) -> Undo {
        self.inflict(id, &injury);
        let undo = match injury {
            Injury::Cut(_) | Injury::Spoil(..) => Undo::Paths,
            Injury::Links(_) => Undo::Links,
        };
        if let Some(flap) = flap {
            let next = self.queue.now().saturating_add(flap.next(true, &mut dice));
            self.queue.push(next, Event::Flap(id));
            self.faults.cuts.flapping.insert(id, Flapping { injury, flap, dice, is_down: true });
        }
        undo
    }

    fn inflict(&mut self, id: StrikeId, injury: &Injury) {
        match injury {
            Injury::Cut(pairs) => pairs.iter().for_each(|&(from, to)| self.network.cut(id, from, to)),
            Injury::Links(links) => self.network.cut_links(id, links),
            Injury::Spoil(pairs, spoil) => {
                pairs.iter().for_each(|&(from, to)| self.network.spoil(id, from, to, (**spoil).clone()));
            }
        }
    }

    /// A fault that comes and goes does so now, unless it is over.
    pub(super) fn flap(&mut self, id: StrikeId) {
        let now = self.queue.now();
        let Some(flapping) = self.faults.cuts.flapping.get_mut(&id) else { return };
        flapping.is_down = !flapping.is_down;
        let is_down = flapping.is_down;
        let next = now.saturating_add(flapping.flap.next(is_down, &mut flapping.dice));
        let injury = is_down.then(|| flapping.injury.clone());
        self.stamp(Tag::Flap, id.0, u32::from(is_down));
        match injury {
            Some(injury) => self.inflict(id, &injury),
            None => {
                self.network.mend(id);
                self.network.heal_links(id);
            }
        }
        self.record_epoch();
        let what = if is_down { What::Fault } else { What::Heal };
        self.row(what, |world| {
            let (name, who) = world.faults.named(id);
            (name, who, "flap".to_owned())
        });
        self.queue.push(next, Event::Flap(id));
    }

    /// From now on messages are picked out and dropped.
    pub(super) fn drop_picked(&mut self, id: StrikeId, ends: [&Vec<Target>; 2], pick: &Pick, mut dice: Dice) -> Undo {
        let machines = self.nodes.len() + self.clients.len();
        let mut names = Vec::new();
        let ends = ends.map(|targets| {
            if targets.is_empty() {
                names.push("anybody".to_owned());
                return vec![true; machines];
            }
            let met = self.resolve(id, targets, Scope::Machines, &BTreeSet::new(), &mut dice);
            names.push(self.names(&met));
            let mut is_meant = vec![false; machines];
            met.into_iter().for_each(|machine| is_meant[machine.0 as usize] = true);
            is_meant
        });
        self.strike_mut(id).who = names.join(" -> ");
        let (kinds, left) = (pick.kinds.clone(), pick.count.unwrap_or(u64::MAX));
        let (share, between) = (pick.share, BTreeMap::new());
        self.faults.cuts.dropping.push(Dropping { strike: id, ends, kinds, share, left, dice, between });
        Undo::Paths
    }

    /// Whether a fault drops this message. Each that it is meant for costs a throw of the fault's own dice.
    #[cold]
    pub(super) fn drops(&mut self, from: MachineId, to: MachineId, load: &Load<P>) -> bool {
        let (kind, now) = (load.kind(), self.queue.now());
        let mut dropping = self.faults.cuts.dropping.iter_mut();
        let strike = dropping.find_map(|dropping| dropping.takes((from, to), kind, now).then_some(dropping.strike));
        self.faults.count(strike);
        strike.is_some()
    }

    /// The nodes of some places die, and no link leads from or to them.
    pub(super) fn outage(
        &mut self,
        id: StrikeId,
        places: &[Place],
        disk: DiskFate,
        length: Option<Nanos>,
        dice: &mut Dice,
    ) -> Undo {
        let (zones, struck) = self.struck_zones(places, dice);
        self.network.cut_zones(id, &zones);
        let is_there = |&machine: &MachineId| zones.contains(&self.network.zone_of(machine));
        let nodes: Vec<MachineId> = (0..self.nodes.len() as u32).map(MachineId).filter(is_there).collect();
        let until = length.map_or(Nanos::MAX, |length| self.queue.now().saturating_add(length));
        let mut effects = 0;
        for &node in &nodes {
            effects += self.crash(node, disk, "");
        }
        self.name_struck(id, &nodes, effects);
        let strike = self.strike_mut(id);
        let names: Vec<String> = struck.iter().flatten().map(Place::name).collect();
        strike.who = format!("{}: {}", names.join(" "), strike.who);
        strike.places = struck.iter().map(|places| places.iter().map(Place::to_string).collect()).collect();
        Undo::Crash(nodes.into_iter().map(|machine| Down { machine, until }).collect())
    }

    /// The zones of some places, and by place which it is, or which were drawn for it.
    fn struck_zones(&self, places: &[Place], dice: &mut Dice) -> (Vec<ZoneId>, Vec<Vec<Place>>) {
        let (mut zones, mut struck) = (BTreeSet::new(), Vec::new());
        for place in places {
            let (kind, called) = match place {
                Place::Zone(name) => (PlaceKind::Zones, vec![name.clone()]),
                Place::Region(name) => (PlaceKind::Regions, vec![name.clone()]),
                Place::Provider(name) => (PlaceKind::Providers, vec![name.clone()]),
                Place::Drawn(count, kind) => {
                    let mut inhabited = self.inhabited(*kind);
                    dice.draw_to_front(&mut inhabited, *count as usize);
                    inhabited.truncate(*count as usize);
                    (*kind, inhabited)
                }
            };
            let is_meant = |zone: &Zone| place_of(zone, kind).is_some_and(|name| called.iter().any(|c| c == name));
            zones.extend(self.network.topology().zones().filter(|(_, zone)| is_meant(zone)).map(|(id, _)| id));
            struck.push(called.into_iter().map(|name| Place::named(kind, name)).collect());
        }
        (zones.into_iter().collect(), struck)
    }

    /// The places of some kind in which nodes stand, in the order of the first of them.
    fn inhabited(&self, kind: PlaceKind) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for node in &self.nodes {
            match place_of(self.network.zone(node.machine.id), kind) {
                Some(name) if names.iter().all(|known| known != name) => names.push(name.to_owned()),
                Some(_) | None => {}
            }
        }
        names
    }
}

/// What a zone is part of.
fn place_of(zone: &Zone, kind: PlaceKind) -> Option<&str> {
    match kind {
        PlaceKind::Zones => Some(&zone.name),
        PlaceKind::Regions => Some(&zone.region),
        PlaceKind::Providers => zone.provider.as_deref(),
    }
}
